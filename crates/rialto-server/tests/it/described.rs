//! Every answer that a test gets is held against the API description, stream or not: a test that meets a
//! route, a status, a field or a value that is not described fails, whatever it is about.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{Method, header};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use futures_util::StreamExt;
use rialto_server::door;
use rialto_testing::described::{Description, Sent};

/// The description is of the API and what stands beside it; the console's pages are for people.
const PLACES: [&str; 5] = ["/api/", "/errors/", "/metrics", "/healthz", "/readyz"];

static DESCRIPTION: LazyLock<Description> = LazyLock::new(|| Description::new(door::describe()));

/// The same door, whose answers are checked as they go out.
pub(crate) fn checked(router: Router) -> Router {
    router.layer(from_fn(check))
}

/// An answer on its way, but for its body.
struct Head {
    method: String,
    path: String,
    status: u16,
    media: String,
}

impl Head {
    fn judge(&self, body: &[u8]) {
        let sent = Sent {
            method: &self.method,
            path: &self.path,
            status: self.status,
            media: &self.media,
            body: std::str::from_utf8(body).expect("answers are text"),
        };
        if let Err(why) = DESCRIPTION.check(&sent) {
            panic!("an answer is not as it is described: {why}");
        }
    }
}

/// Marks a request whose answer goes out as it comes: nobody reads it here.
#[derive(Clone, Copy)]
pub(crate) struct Unread;

async fn check(request: Request, next: Next) -> Response {
    if request.extensions().get::<Unread>().is_some() {
        return next.run(request).await;
    }
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let answer = next.run(request).await;
    // The index of the API, which stands at `/api` as well.
    let is_index = path == "/api/";
    if is_index || method == Method::HEAD || !PLACES.iter().any(|place| path.starts_with(place)) {
        return answer;
    }
    let media = answer.headers().get(header::CONTENT_TYPE);
    let media = media.and_then(|m| m.to_str().ok()).unwrap_or_default();
    let head = Head {
        method: method.to_string(),
        path,
        status: answer.status().as_u16(),
        media: media.to_owned(),
    };
    let (parts, body) = answer.into_parts();
    if head.media.starts_with("text/event-stream") {
        return Response::from_parts(parts, followed(head, body));
    }
    let bytes = to_bytes(body, 256 << 20).await.expect("a whole answer");
    head.judge(&bytes);
    Response::from_parts(parts, Body::from(bytes))
}

/// Checks each event of a stream once it is whole.
fn followed(head: Head, body: Body) -> Body {
    let head = Arc::new(head);
    let mut pending = Vec::new();
    let chunks = body.into_data_stream().map(move |chunk| {
        let chunk = chunk?;
        pending.extend_from_slice(&chunk);
        while let Some(end) = pending.windows(2).position(|two| two == b"\n\n") {
            let event: Vec<u8> = pending.drain(..end + 2).collect();
            head.judge(&event);
        }
        Ok::<_, axum::Error>(chunk)
    });
    Body::from_stream(chunks)
}

mod tests {
    use axum::Json;
    use axum::routing::get;
    use serde_json::json;
    use tower::ServiceExt;

    use super::*;

    /// Asks a door that answers the same to everything.
    async fn told(path: &'static str, media: &'static str, body: String) {
        let answer = move || async move { ([(header::CONTENT_TYPE, media)], body) };
        let router = checked(Router::new().route(path, get(answer)));
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = router.oneshot(request).await.unwrap();
        to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    }

    #[tokio::test]
    #[should_panic(expected = "an answer is not as it is described")]
    async fn an_answer_with_a_field_too_many_is_noticed() {
        let answer = json!({ "position": 1, "digest": "b3:0", "entities": 1, "more": 1 });
        told("/api/digest", "application/json", answer.to_string()).await;
    }

    #[tokio::test]
    #[should_panic(expected = "an answer is not as it is described")]
    async fn an_event_of_another_kind_is_noticed() {
        let event = "event: trimmed\ndata: {\"from\":1}\n\n".to_owned();
        told("/api/inbox/stream", "text/event-stream", event).await;
    }

    #[tokio::test]
    #[should_panic(expected = "neither described nor a refusal")]
    async fn a_route_that_is_not_described_is_noticed() {
        let router = checked(Router::new().route("/api/more", get(async || Json(1))));
        let request = Request::get("/api/more").body(Body::empty()).unwrap();
        router.oneshot(request).await.unwrap();
    }
}

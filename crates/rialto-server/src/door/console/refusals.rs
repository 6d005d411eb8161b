//! Refusals as pages, and the headers that every page carries.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{FromFnLayer, Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use rialto_console::shell;
use rialto_wire::native::Problem;

use super::request::{PageRequest, SignedIn, pair, shown};
use crate::door::{Door, models};

/// Everything comes from this server; no page may be framed; forms go nowhere else.
const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // With no-referrer, browsers would not say where a form comes from.
    (header::REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=()",
    ),
];

/// Paths of other doors: their refusals stay unchanged.
const OTHER_DOORS: [&str; 4] = ["/api/", "/errors/", "/a2a/", "/mcp"];

type Layer = FromFnLayer<
    fn(State<Arc<Door>>, Request, Next) -> std::pin::Pin<Box<dyn Future<Output = Response> + Send>>,
    Arc<Door>,
    (State<Arc<Door>>, Request),
>;

/// Puts the headers on every answer, and turns refusals for people into pages.
pub(crate) fn pages_of_refusals(door: &Arc<Door>) -> Layer {
    from_fn_with_state(door.clone(), |door, request, next| {
        Box::pin(around(door, request, next))
    })
}

async fn around(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let other = OTHER_DOORS.iter().any(|door| path.starts_with(door));
    if other || models::dialect(path).is_some() {
        return next.run(request).await;
    }
    let for_people = accepts_html(request.headers());
    let (mut parts, body) = request.into_parts();
    let (method, htmx) = (
        parts.method.clone(),
        parts.headers.contains_key("hx-request"),
    );
    let request = PageRequest::of(&mut parts, &door).await;
    let response = next.run(Request::from_parts(parts, body)).await;
    let mut response = match response.extensions().get::<Problem>() {
        Some(problem) if for_people => {
            let problem = problem.clone();
            refused(request, &problem, &method, htmx).await
        }
        _ => response,
    };
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

/// Programs ask for JSON or for anything; browsers name HTML.
fn accepts_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|a| a.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

async fn refused(request: PageRequest, problem: &Problem, method: &Method, htmx: bool) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST);
    if status == StatusCode::UNAUTHORIZED {
        let way_in = format!("/sign-in?{}", pair("next", &request.address));
        if htmx {
            let headers = [("hx-redirect", way_in)];
            return (StatusCode::UNAUTHORIZED, headers).into_response();
        }
        if method == Method::GET {
            return Redirect::to(&way_in).into_response();
        }
    }
    let body = shell::refused(&shown(problem));
    let title = problem.code.clone();
    let mut response = if request.session.is_none() {
        request.render(&title, None, None, &body)
    } else {
        in_session(request, &title, &body).await
    };
    *response.status_mut() = status;
    response
}

/// A session may end meanwhile: then the page has no viewer.
async fn in_session(request: PageRequest, title: &str, body: &rialto_console::Markup) -> Response {
    match SignedIn::of(request) {
        Ok(user) => {
            let viewer = user.viewer().await.ok();
            user.request.render(title, None, viewer.as_ref(), body)
        }
        Err((request, _)) => request.render(title, None, None, body),
    }
}

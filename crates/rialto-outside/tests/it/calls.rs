//! Whom calls reach, and within which bounds.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, HeaderValue};
use axum::http::{Request, Response};
use http_body_util::BodyExt;
use rialto_core::reject::Code;
use rialto_outside::{Bounds, CALLS_TO_A_HOST, CallError, Connections};

use crate::peer::{Names, Peer, Step, ok, say};

/// Longer than anything here takes, unless it fails.
const PATIENCE: Duration = Duration::from_secs(30);
/// A time that is meant to pass.
const SHORT: Duration = Duration::from_millis(150);

/// An address that is public, given to nobody and thus reached by nobody.
const NOBODY: &str = "2d00::1";

fn guarded(open: &[&str], names: std::sync::Arc<Names>) -> Connections {
    let open = open.iter().map(|host| host.parse().unwrap()).collect();
    Connections::guarded_resolving(open, None, names).unwrap()
}

fn get(url: &str) -> Request<Body> {
    Request::get(url).body(Body::empty()).unwrap()
}

async fn text(answer: Response<Body>) -> Result<String, CallError> {
    let whole = answer.into_body().collect().await;
    let whole = whole.map_err(|e| CallError::behind(&e))?;
    Ok(String::from_utf8(whole.to_bytes().to_vec()).unwrap())
}

async fn asked(calls: &Connections, url: &str, bounds: Bounds) -> Result<String, CallError> {
    text(calls.call(get(url), bounds).await?).await
}

#[tokio::test]
async fn what_is_not_public_is_reached_only_where_it_is_opened() {
    let peer = Peer::start(|_, _| ok("here")).await;
    let names = Names::new(&[
        ("evil.example", &[&["127.0.0.1"]]),
        ("two.example", &[&[NOBODY, "127.0.0.1"]]),
        ("mapped.example", &[&["::ffff:127.0.0.1"]]),
        ("models.example", &[&["127.0.0.1"]]),
    ]);
    let open = format!("models.example:{}", peer.at.port());
    let calls = guarded(&[&open], names);
    let within = Bounds::within(PATIENCE);
    for host in [
        "evil.example",
        "two.example",
        "mapped.example",
        "127.0.0.1",
        "[::ffff:127.0.0.1]",
        "[::1]",
        "0.0.0.0",
    ] {
        let told = asked(&calls, &peer.url(host, "/"), within)
            .await
            .unwrap_err();
        assert_eq!(told.code(), Code::OutgoingClosed, "{host}: {told}");
        assert!(told.to_string().contains(host), "{told}");
    }
    for host in ["2130706433", "0x7f.1", "127.1", "me:pass@models.example"] {
        let told = asked(&calls, &peer.url(host, "/"), within)
            .await
            .unwrap_err();
        assert_eq!(told.code(), Code::OutgoingAddress, "{host}: {told}");
    }
    assert_eq!(peer.connections(), 0);
    let url = peer.url("models.example", "/");
    assert_eq!(asked(&calls, &url, within).await.unwrap(), "here");
    let tool = Connections::trusting(None).unwrap();
    let url = peer.url("127.0.0.1", "/");
    assert_eq!(asked(&tool, &url, within).await.unwrap(), "here");
}

#[tokio::test]
async fn an_answer_that_changes_after_it_was_judged_changes_nothing() {
    let peer = Peer::start(|_, _| ok("here")).await;
    let names = Names::new(&[("turns.example", &[&[NOBODY], &["127.0.0.1"]])]);
    let calls = guarded(&[], names.clone());
    let url = peer.url("turns.example", "/");
    let told = asked(&calls, &url, Bounds::within(SHORT))
        .await
        .unwrap_err();
    assert!(
        matches!(told, CallError::Broken(_) | CallError::Late(_)),
        "{told}"
    );
    assert_eq!(
        names.asked.load(Ordering::SeqCst),
        1,
        "asked once, connected to that"
    );
    let told = asked(&calls, &url, Bounds::within(PATIENCE))
        .await
        .unwrap_err();
    assert_eq!(told.code(), Code::OutgoingClosed, "{told}");
    assert_eq!(peer.connections(), 0);
}

/// A server that redirects to wherever its path says.
async fn redirecting() -> Peer {
    Peer::start(|path, at| match path.strip_prefix("/to/") {
        Some(to) => {
            let to = to.replace("PORT", &at.port().to_string());
            vec![say(format!(
                "HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n"
            ))]
        }
        None => ok(path),
    })
    .await
}

#[tokio::test]
async fn every_hop_of_a_redirect_is_judged() {
    let peer = redirecting().await;
    let names = Names::new(&[
        ("good.example", &[&["127.0.0.1"]]),
        ("evil.example", &[&["127.0.0.1"]]),
    ]);
    let calls = guarded(&["good.example"], names);
    let three = Bounds::within(PATIENCE).following(3);
    for (to, want) in [
        ("/end", Ok("/end")),
        ("http://good.example:PORT/end?x", Ok("/end?x")),
        ("/to//to//end", Ok("/end")),
        ("/to//to//to//end", Err(Code::OutgoingBroken)),
        (
            "http://169.254.169.254/latest/meta-data/",
            Err(Code::OutgoingClosed),
        ),
        (
            "//169.254.169.254/latest/meta-data/",
            Err(Code::OutgoingClosed),
        ),
        (
            "http://[::ffff:169.254.169.254]/",
            Err(Code::OutgoingClosed),
        ),
        ("http://evil.example:PORT/", Err(Code::OutgoingClosed)),
        ("http://127.0.0.1:PORT/", Err(Code::OutgoingClosed)),
        ("http://2852039166/", Err(Code::OutgoingAddress)),
        ("file:///etc/passwd", Err(Code::OutgoingBroken)),
        ("ftp://good.example/", Err(Code::OutgoingAddress)),
    ] {
        let got = asked(
            &calls,
            &peer.url("good.example", &format!("/to/{to}")),
            three,
        )
        .await;
        let got = got.as_deref().map_err(CallError::code);
        assert_eq!(got, want, "{to}");
    }
    // Whoever does not follow gets the redirect as an answer, and so does whoever sends something.
    let url = peer.url("good.example", "/to//end");
    let answer = calls
        .call(get(&url), Bounds::within(PATIENCE))
        .await
        .unwrap();
    assert_eq!(answer.status(), 302);
    let sent = Request::post(&url).body(Body::from("x")).unwrap();
    assert_eq!(calls.call(sent, three).await.unwrap().status(), 302);
}

#[tokio::test]
async fn a_secret_goes_to_no_other_origin() {
    let first = redirecting().await;
    let second = Peer::start(|_, _| ok("end")).await;
    let calls = guarded(&["127.0.0.1"], Names::new(&[]));
    for (to, kept) in [
        (first.url("127.0.0.1", "/end"), true),
        (second.url("127.0.0.1", "/end"), false),
    ] {
        let mut request = get(&first.url("127.0.0.1", &format!("/to/{to}")));
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer s3cret"));
        let mut key = HeaderValue::from_static("k3y");
        key.set_sensitive(true);
        headers.insert("x-api-key", key);
        headers.insert("x-plain", HeaderValue::from_static("plain"));
        calls
            .call(request, Bounds::within(PATIENCE).following(1))
            .await
            .unwrap();
        let heads = if kept { &first.heads } else { &second.heads };
        let head = heads.lock().unwrap().last().unwrap().to_lowercase();
        assert!(
            head.starts_with("get /end") && head.contains("x-plain: plain"),
            "{head}"
        );
        assert_eq!(head.contains("s3cret"), kept, "{head}");
        assert_eq!(head.contains("k3y"), kept, "{head}");
        let port = if kept {
            first.at.port()
        } else {
            second.at.port()
        };
        assert!(head.contains(&format!("host: 127.0.0.1:{port}")), "{head}");
    }
}

#[tokio::test]
async fn bodies_and_times_have_bounds() {
    let peer = Peer::start(|path, _| match path {
        "/ten" => ok("0123456789"),
        "/chunks" => vec![say(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\n012345\r\n6\r\n678901\r\n0\r\n\r\n",
        )],
        "/never" => vec![Step::Hang],
        "/half" => vec![say("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n01234"), Step::Hang],
        "/head" => vec![say(format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(1 << 20)))],
        other => ok(other),
    })
    .await;
    let calls = guarded(&["127.0.0.1"], Names::new(&[]));
    let within = Bounds::within(PATIENCE).whole_within(PATIENCE);
    let short = Bounds::within(SHORT);
    for (path, bounds, want) in [
        ("/ten", within.at_most(0, 10), Ok("0123456789")),
        ("/ten", within.at_most(0, 9), Err(Code::OutgoingTooLarge)),
        ("/chunks", within.at_most(0, 12), Ok("012345678901")),
        (
            "/chunks",
            within.at_most(0, 11),
            Err(Code::OutgoingTooLarge),
        ),
        ("/head", within, Err(Code::OutgoingBroken)),
        ("/never", short, Err(Code::OutgoingLate)),
        ("/half", within.whole_within(SHORT), Err(Code::OutgoingLate)),
    ] {
        let got = asked(&calls, &peer.url("127.0.0.1", path), bounds).await;
        assert_eq!(
            got.as_deref().map_err(CallError::code),
            want,
            "{path} {bounds:?} {got:?}"
        );
    }
    let sent = |body: Body| {
        Request::post(peer.url("127.0.0.1", "/x"))
            .body(body)
            .unwrap()
    };
    let known = calls.call(sent(Body::from("0123456789")), within.at_most(9, 9));
    assert_eq!(known.await.unwrap_err().code(), Code::OutgoingTooLarge);
    let pieces = Body::new(Pieces(vec!["01234", "56789"]));
    let told = calls.call(sent(pieces), within.at_most(9, 9)).await;
    assert_eq!(told.map(|_| ()).unwrap_err().code(), Code::OutgoingTooLarge);
}

/// A body of unknown length.
struct Pieces(Vec<&'static str>);

impl http_body::Body for Pieces {
    type Data = axum::body::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        let next = self.0.pop();
        std::task::Poll::Ready(next.map(|piece| Ok(http_body::Frame::data(piece.into()))))
    }
}

#[tokio::test]
async fn an_answer_is_read_as_it_comes() {
    let peer = Peer::start(|_, _| {
        vec![
            say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7\r\ndata: 1\r\n"),
            Step::Hang,
        ]
    })
    .await;
    let calls = guarded(&["127.0.0.1"], Names::new(&[]));
    let url = peer.url("127.0.0.1", "/");
    let answer = calls
        .call(get(&url), Bounds::within(PATIENCE))
        .await
        .unwrap();
    let frame = answer.into_body().frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap().as_ref(), b"data: 1");
}

#[tokio::test]
async fn connections_are_kept_and_calls_to_a_host_bounded() {
    let peer = Peer::start(|path, _| match path {
        "/hang" => vec![
            say("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n0"),
            Step::Hang,
        ],
        _ => ok("here"),
    })
    .await;
    let calls = guarded(&["127.0.0.1"], Names::new(&[]));
    let (url, hang) = (peer.url("127.0.0.1", "/"), peer.url("127.0.0.1", "/hang"));
    for _ in 0..20 {
        asked(&calls, &url, Bounds::within(PATIENCE)).await.unwrap();
    }
    assert_eq!(
        peer.connections(),
        1,
        "one connection serves call after call"
    );
    let mut open = Vec::new();
    for _ in 0..CALLS_TO_A_HOST {
        open.push(
            calls
                .call(get(&hang), Bounds::within(PATIENCE))
                .await
                .unwrap(),
        );
    }
    let told = asked(&calls, &url, Bounds::within(SHORT))
        .await
        .unwrap_err();
    assert_eq!(told.code(), Code::OutgoingBusy, "{told}");
    open.pop();
    assert_eq!(
        asked(&calls, &url, Bounds::within(PATIENCE)).await.unwrap(),
        "here"
    );
}

#[tokio::test]
async fn what_cannot_be_reached_is_told_by_its_cause() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = gone.local_addr().unwrap();
    drop(gone);
    let calls = guarded(&["127.0.0.1"], Names::new(&[("empty.example", &[&[]])]));
    for (url, want) in [
        (format!("http://{at}/"), "refused"),
        ("http://unknown.example/".to_owned(), "no such name"),
        ("http://empty.example/".to_owned(), "no address"),
    ] {
        let told = asked(&calls, &url, Bounds::within(PATIENCE))
            .await
            .unwrap_err();
        assert_eq!(told.code(), Code::OutgoingBroken, "{told}");
        assert!(told.to_string().contains(want), "{told}");
    }
}

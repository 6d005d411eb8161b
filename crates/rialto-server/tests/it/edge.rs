//! The server at its edge: HTTP/2 beside HTTP/1.1 over one listener, and what bounds it.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, StatusCode};
use h2::RecvStream;
use h2::client::{ResponseFuture, SendRequest};
use rialto_core::text::Handle;
use rialto_server::door::{Listener, Names, Rules, STREAMS_OF_CONNECTION, TAKEN_BACK, Tls};
use rialto_server::realm::{Realm, Setup};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

const SOON: Duration = Duration::from_secs(20);

/// A realm that is served over a socket.
struct Served {
    at: SocketAddr,
    operator: String,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

impl Served {
    async fn new(tls: Option<Tls>) -> Self {
        let rules = Rules::new(Names::new(None, None, &[]).unwrap(), &[]);
        let setup = Setup::memory(Handle::new("test").unwrap()).with_rules(rules);
        let realm = Realm::open(setup).await.unwrap();
        let operator = realm.operator_token().unwrap().to_owned();
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), tls);
        let listener = listener.await.unwrap();
        let at = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(async move {
            let stopped = async { stopped.await.unwrap_or(()) };
            realm.serve(listener, stopped).await;
            realm.close().await.unwrap();
        });
        Self {
            at,
            operator,
            stop: Some(stop),
            serving,
        }
    }

    /// A connection of HTTP/2 with prior knowledge, and what drives it.
    async fn h2c(&self) -> (SendRequest<Bytes>, JoinHandle<Option<h2::Error>>) {
        over(TcpStream::connect(self.at).await.unwrap()).await
    }

    fn get(&self, path: &str) -> Request<()> {
        let request = Request::get(format!("http://{}{path}", self.at));
        let bearer = format!("Bearer {}", self.operator);
        request.header("authorization", bearer).body(()).unwrap()
    }

    /// One question over HTTP/1.1, in a connection of its own; the head and the body.
    async fn http1(&self, path: &str) -> (String, String) {
        let (at, operator, path) = (self.at, self.operator.clone(), path.to_owned());
        let asked = tokio::task::spawn_blocking(move || {
            let mut stream = std::net::TcpStream::connect(at).unwrap();
            let head = format!(
                "GET {path} HTTP/1.1\r\nhost: {at}\r\nauthorization: Bearer {operator}\r\nconnection: close\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            (head.to_owned(), body.to_owned())
        });
        asked.await.unwrap()
    }

    /// A number of the metrics.
    async fn metric(&self, name: &str) -> f64 {
        let (_, text) = self.http1("/metrics").await;
        let found = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        found
            .unwrap_or_else(|| panic!("{name} in {text}"))
            .parse()
            .unwrap()
    }

    /// Waits until a metric has a value.
    async fn becomes(&self, name: &str, wanted: f64) {
        let reached = async {
            while (self.metric(name).await - wanted).abs() > 0.5 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        assert!(
            timeout(SOON, reached).await.is_ok(),
            "{name} is never {wanted}"
        );
    }

    async fn stop(mut self) {
        let _ = self.stop.take().unwrap().send(());
        timeout(SOON, self.serving).await.unwrap().unwrap();
    }
}

async fn over<S>(stream: S) -> (SendRequest<Bytes>, JoinHandle<Option<h2::Error>>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (send, connection) = h2::client::Builder::new()
        .initial_max_send_streams(1)
        .handshake(stream)
        .await
        .unwrap();
    let driven = tokio::spawn(async move { connection.await.err() });
    (send, driven)
}

/// Asks for something without a body.
async fn ask(send: &SendRequest<Bytes>, request: Request<()>) -> ResponseFuture {
    let mut ready = send.clone().ready().await.unwrap();
    ready.send_request(request, true).unwrap().0
}

async fn part(body: &mut RecvStream) -> Option<Bytes> {
    let part = timeout(SOON, body.data()).await.unwrap()?.unwrap();
    body.flow_control().release_capacity(part.len()).unwrap();
    Some(part)
}

async fn whole(mut body: RecvStream) -> String {
    let mut text = Vec::new();
    while let Some(part) = part(&mut body).await {
        text.extend_from_slice(&part);
    }
    String::from_utf8(text).unwrap()
}

/// A handshake of TLS that trusts one certificate, and the protocol that was agreed on.
async fn shaken(
    at: SocketAddr,
    ca: &Path,
    offer: &[&[u8]],
) -> (
    impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    Option<Vec<u8>>,
) {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(ca).unwrap())
        .unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = config
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = offer.iter().map(|name| name.to_vec()).collect();
    let stream = TcpStream::connect(at).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .unwrap();
    let agreed = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
    (stream, agreed)
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_with_prior_knowledge_and_http1_share_a_listener() {
    let served = Served::new(None).await;
    let (send, _driven) = served.h2c().await;
    let answer = ask(&send, served.get("/api/realm")).await.await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let realm: Value = serde_json::from_str(&whole(answer.into_body()).await).unwrap();
    assert_eq!(realm["name"], "@test");
    // A command with a body over the same connection.
    let sign_up = Request::post(format!("http://{}/api/owner.sign_up", served.at));
    let sign_up = sign_up.header("content-type", "application/json");
    let mut ready = send.clone().ready().await.unwrap();
    let (answer, mut body) = ready
        .send_request(sign_up.body(()).unwrap(), false)
        .unwrap();
    let args = json!({ "name": "ann", "kind": "organisation" });
    body.send_data(args.to_string().into(), true).unwrap();
    assert_eq!(answer.await.unwrap().status(), StatusCode::OK);
    // Names are checked as they are over HTTP/1.1.
    let foreign = Request::get("http://evil.test/api/realm").body(()).unwrap();
    let refused = ask(&send, foreign).await.await.unwrap();
    assert_eq!(refused.status(), StatusCode::MISDIRECTED_REQUEST);
    let (head, _) = served.http1("/api/realm").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    drop(send);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn alpn_chooses_the_protocol() {
    let folder = tempfile::tempdir().unwrap();
    if !rialto_testing::certificate(folder.path(), "own") {
        return;
    }
    let file = |end: &str| folder.path().join(format!("own.{end}"));
    let tls = Tls::load(&file("pem"), &file("key")).unwrap();
    let served = Served::new(Some(tls)).await;
    let offers: [(&[&[u8]], Option<&[u8]>); 4] = [
        (&[b"h2", b"http/1.1"], Some(b"h2")),
        (&[b"http/1.1", b"h2"], Some(b"h2")),
        (&[b"http/1.1"], Some(b"http/1.1")),
        (&[], None),
    ];
    for (offer, wanted) in offers {
        let (stream, agreed) = shaken(served.at, &file("pem"), offer).await;
        assert_eq!(agreed.as_deref(), wanted, "{offer:?}");
        if agreed.as_deref() != Some(b"h2") {
            continue;
        }
        let (send, _driven) = over(stream).await;
        let request = Request::get(format!("https://{}/api/realm", served.at));
        let answer = ask(&send, request.body(()).unwrap()).await.await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    }
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_requests_share_a_connection_and_a_stream_goes_on_beside_them() {
    let served = Served::new(None).await;
    let (send, _driven) = served.h2c().await;
    let stream = ask(&send, served.get("/api/feed/stream?after=0")).await;
    let stream = stream.await.unwrap();
    assert_eq!(stream.status(), StatusCode::OK);
    served.becomes("rialto_inbox_streams", 1.0).await;
    let mut asked = Vec::new();
    for _ in 0..100 {
        asked.push(ask(&send, served.get("/api/agents")).await);
    }
    for answer in asked {
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(whole(answer.into_body()).await.contains("items"));
    }
    assert_eq!(
        send.current_max_send_streams(),
        STREAMS_OF_CONNECTION as usize
    );
    // Whoever closes its stream gives its place back.
    drop(stream);
    served.becomes("rialto_inbox_streams", 0.0).await;
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_streams_of_one_connection_count_like_many_connections() {
    let served = Served::new(None).await;
    let stranger = || {
        let request = Request::get(format!("http://{}/api/feed/stream", served.at));
        request.body(()).unwrap()
    };
    let (mut held, mut refused) = (Vec::new(), None);
    // However many connections: an address has a part of the places.
    'all: for _ in 0..200 {
        let (send, driven) = served.h2c().await;
        for _ in 0..STREAMS_OF_CONNECTION {
            let answer = ask(&send, stranger()).await.await.unwrap();
            if answer.status() != StatusCode::OK {
                refused = Some(answer.status());
                break 'all;
            }
            held.push((answer, driven.abort_handle()));
        }
    }
    assert_eq!(refused, Some(StatusCode::SERVICE_UNAVAILABLE));
    assert!(held.len() <= 20_000 / 8, "{}", held.len());
    let (head, _) = served.http1("/api/realm").await;
    assert!(
        head.starts_with("HTTP/1.1 200"),
        "the operator has places: {head}"
    );
    // Connections that break give everything back.
    for (_, driven) in &held {
        driven.abort();
    }
    served.becomes("rialto_inbox_streams", 0.0).await;
    drop(held);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_resets_ends_its_own_connection_only() {
    let served = Served::new(None).await;
    let (calm, _calm) = served.h2c().await;
    let follow = ask(&calm, served.get("/api/feed/stream?after=0"))
        .await
        .await
        .unwrap();
    let (flood, driven) = served.h2c().await;
    let flooding = async {
        for _ in 0..20 * TAKEN_BACK {
            let Ok(mut ready) = flood.clone().ready().await else {
                return;
            };
            let Ok((answer, mut taken)) = ready.send_request(served.get("/api/agents"), true)
            else {
                return;
            };
            taken.send_reset(h2::Reason::CANCEL);
            drop(answer);
        }
    };
    timeout(SOON, flooding).await.unwrap();
    drop(flood);
    let ended = timeout(SOON, driven).await.unwrap().unwrap();
    assert!(ended.is_some(), "the connection was not ended");
    assert_eq!(follow.status(), StatusCode::OK);
    let answer = ask(&calm, served.get("/api/realm")).await.await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_begun_and_taken_back_are_counted_too() {
    let served = Served::new(None).await;
    let (send, driven) = served.h2c().await;
    let flooding = async {
        for _ in 0..4 * TAKEN_BACK {
            let Ok(mut ready) = send.clone().ready().await else {
                return;
            };
            let asked = ready.send_request(served.get("/api/feed/stream?after=0"), true);
            // Each has begun and has its head before it is taken back.
            let Ok(Ok(answer)) = timeout(SOON, asked.unwrap().0).await else {
                return;
            };
            drop(answer);
        }
    };
    timeout(SOON, flooding).await.unwrap();
    drop(send);
    let ended = timeout(SOON, driven).await.unwrap().unwrap();
    assert!(ended.is_some(), "the connection was not ended");
    served.becomes("rialto_inbox_streams", 0.0).await;
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_are_bounded() {
    let served = Served::new(None).await;
    let (send, _driven) = served.h2c().await;
    let request = |number: usize, bytes: usize| {
        let mut request = Request::get(format!("http://{}/api/realm", served.at));
        for n in 0..number {
            request = request.header(format!("x-{n}"), "x".repeat(bytes));
        }
        request.body(()).unwrap()
    };
    for (number, bytes, wanted) in [
        (10, 100, StatusCode::OK),
        (100, 10, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
        (20, 1_000, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
    ] {
        let answer = ask(&send, request(number, bytes)).await.await.unwrap();
        assert_eq!(answer.status(), wanted, "{number} of {bytes}");
    }
    served.stop().await;
}

/// A frame of HTTP/2 (RFC 9113, section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [length[1], length[2], length[3], kind, flags];
    [&head[..], &stream.to_be_bytes(), payload].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_never_ends_ends_its_connection() {
    let served = Served::new(None).await;
    let at = served.at;
    let flood = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(at).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.set_write_timeout(Some(SOON)).unwrap();
        stream
            .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            .unwrap();
        stream.write_all(&frame(4, 0, 0, &[])).unwrap();
        // HEADERS without END_HEADERS, then CONTINUATION without an end (CVE-2024-27983 and others).
        let field = [&[0x00, 0x01, b'x', 0x7f, 0x81, 0x07][..], &[b'y'; 256]].concat();
        let mut sent = stream.write_all(&frame(1, 0, 1, &field));
        let mut bytes = 0_usize;
        while sent.is_ok() && bytes < 64 << 20 {
            sent = stream.write_all(&frame(9, 0, 1, &field));
            bytes += field.len();
        }
        assert!(sent.is_err(), "{bytes} bytes of one head were taken");
        bytes
    });
    assert!(flood.await.unwrap() < 16 << 20);
    let (head, _) = served.http1("/api/realm").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gives_no_room_makes_the_server_hold_little() {
    let served = Served::new(None).await;
    let stream = TcpStream::connect(served.at).await.unwrap();
    // A client that takes one byte of each answer, and says no more.
    let (send, connection) = h2::client::Builder::new()
        .initial_window_size(1)
        .handshake::<_, Bytes>(stream)
        .await
        .unwrap();
    let driven = tokio::spawn(connection);
    let mut held = Vec::new();
    for _ in 0..60 {
        held.push(
            ask(&send, served.get("/api/openapi.json"))
                .await
                .await
                .unwrap(),
        );
    }
    // Each answer still counts whole: nothing of it was handed over unseen.
    let bytes = served.metric("rialto_answer_bytes").await;
    assert!(bytes > 60.0 * 100_000.0, "{bytes}");
    drop((held, send));
    driven.abort();
    served.becomes("rialto_inbox_streams", 0.0).await;
    served.stop().await;
}

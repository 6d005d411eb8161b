//! The server at its edge: HTTP/2 beside HTTP/1.1 over one listener and what bounds it, streams that cost
//! nothing while they are idle, times, certificates that are renewed, and the end in order.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::response::Parts;
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
use tokio_rustls::client::TlsStream;
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
        Self::draining_for(tls, SOON).await
    }

    async fn draining_for(tls: Option<Tls>, drain: Duration) -> Self {
        let rules = Rules::new(Names::new(None, None, &[]).unwrap(), &[]);
        let setup = Setup::memory(Handle::new("test").unwrap()).with_rules(rules);
        let realm = Realm::open(setup).await.unwrap();
        let operator = realm.operator_token().unwrap().to_owned();
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), tls);
        let listener = listener.await.unwrap().draining_for(drain);
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
        let stream = TcpStream::connect(self.at).await.unwrap();
        stream.set_nodelay(true).unwrap();
        over(stream).await
    }

    fn get(&self, path: &str) -> Request<()> {
        self.get_as(&self.operator, path)
    }

    fn get_as(&self, token: &str, path: &str) -> Request<()> {
        let request = Request::get(format!("http://{}{path}", self.at));
        let bearer = format!("Bearer {token}");
        request.header("authorization", bearer).body(()).unwrap()
    }

    /// A command with its answer's head.
    async fn command(&self, token: Option<&str>, op: &str, args: Value) -> (Parts, Value) {
        let (send, _driven) = self.h2c().await;
        let request = Request::post(format!("http://{}/api/{op}", self.at));
        let mut request = request.header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut ready = send.ready().await.unwrap();
        let (answer, mut body) = ready
            .send_request(request.body(()).unwrap(), false)
            .unwrap();
        body.send_data(args.to_string().into(), true).unwrap();
        let (head, body) = answer.await.unwrap().into_parts();
        (head, serde_json::from_str(&whole(body).await).unwrap())
    }

    async fn ok(&self, token: Option<&str>, op: &str, args: Value) -> Value {
        let (head, answer) = self.command(token, op, args).await;
        assert_eq!(head.status, StatusCode::OK, "{op}: {answer}");
        answer
    }

    /// An owner's token and the token of its agent `{name}-agent`.
    async fn owner(&self, name: &str) -> (String, String) {
        let args = json!({ "name": name, "kind": "organisation" });
        let admin = secret(&self.ok(None, "owner.sign_up", args).await);
        let args = json!({ "handle": format!("{name}-agent") });
        let agent = self.ok(Some(&admin), "agent.register", args).await;
        (admin, secret(&agent))
    }

    /// How often the state and the lists have been read, this question left out.
    async fn reads(&self) -> f64 {
        let once = self.metric("rialto_state_reads_total").await;
        let twice = self.metric("rialto_state_reads_total").await;
        2.0 * once - twice + self.metric("rialto_view_reads_total").await
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
        // Closing lets the lists take in what has come.
        timeout(6 * SOON, self.serving).await.unwrap().unwrap();
    }
}

fn secret(answer: &Value) -> String {
    answer["token"]["secret"].as_str().unwrap().to_owned()
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
) -> std::io::Result<(TlsStream<TcpStream>, Option<Vec<u8>>)> {
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
        .await?;
    let agreed = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
    Ok((stream, agreed))
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
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let why = whole(refused.into_body()).await;
    assert!(why.contains("RLT0021"), "{why}");
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
    let offers: [(&[&[u8]], &str); 4] = [
        (&[b"h2", b"http/1.1"], "h2"),
        (&[b"http/1.1", b"h2"], "h2"),
        (&[b"http/1.1"], "http/1.1"),
        (&[], ""),
    ];
    for (offer, wanted) in offers {
        let (stream, agreed) = shaken(served.at, &file("pem"), offer).await.unwrap();
        let agreed = String::from_utf8(agreed.unwrap_or_default()).unwrap();
        assert_eq!(agreed, wanted, "{offer:?}");
        if agreed != "h2" {
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
        for number in 0..20 * TAKEN_BACK {
            let Ok(mut ready) = flood.clone().ready().await else {
                return number;
            };
            let Ok((answer, mut taken)) = ready.send_request(served.get("/api/agents"), true)
            else {
                return number;
            };
            taken.send_reset(h2::Reason::CANCEL);
            drop(answer);
        }
        u32::MAX
    };
    let number = timeout(SOON, flooding).await.unwrap();
    assert!(number < 20 * TAKEN_BACK, "the connection was not ended");
    drop(flood);
    let _ = driven.await;
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
        for number in 0..4 * TAKEN_BACK {
            let Ok(mut ready) = send.clone().ready().await else {
                return number;
            };
            let asked = ready.send_request(served.get("/api/feed/stream?after=0"), true);
            let Ok((answer, _)) = asked else {
                return number;
            };
            // Each has begun and has its head before it is taken back.
            let Ok(answer) = timeout(SOON, answer).await.unwrap() else {
                return number;
            };
            drop(answer);
        }
        u32::MAX
    };
    let number = flooding.await;
    assert!((TAKEN_BACK..2 * TAKEN_BACK).contains(&number), "{number}");
    drop(send);
    let _ = driven.await;
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

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_stream_costs_no_read_and_wakes_for_its_subject_alone() {
    let served = Served::new(None).await;
    let (admin, reader) = served.owner("ann").await;
    let (_, writer) = served.owner("bob").await;
    let listing = |n: usize| {
        let items = json!([{ "name": "Taco", "price": "3.50" }]);
        json!({ "terms": { "title": format!("Tacos {n}"), "items": items } })
    };
    // What a few commands of others cost while nobody listens.
    let mut costs = Vec::new();
    let mut streams = Vec::new();
    for round in 0..2 {
        let before = served.reads().await;
        for n in 0..5 {
            served
                .ok(Some(&writer), "listing.publish", listing(10 * round + n))
                .await;
        }
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        // Each look at the metrics reads as well, as often in each round.
        costs.push(served.reads().await - before);
        if round > 0 {
            break;
        }
        let (send, driven) = served.h2c().await;
        for path in ["/api/inbox/stream", "/api/feed/stream?feed=following"] {
            for _ in 0..20 {
                let stream = ask(&send, served.get_as(&reader, path))
                    .await
                    .await
                    .unwrap();
                assert_eq!(stream.status(), StatusCode::OK);
                streams.push(stream.into_body());
            }
        }
        served.becomes("rialto_inbox_streams", 40.0).await;
        // They have read what there was.
        tokio::time::sleep(Duration::from_millis(500)).await;
        drop((send, driven));
    }
    assert!((costs[0] - costs[1]).abs() < 0.5, "{costs:?} reads");
    // A letter wakes inboxes.
    let letter = json!({ "to": { "agent": "@ann-agent" }, "body": "Hello" });
    served.ok(Some(&writer), "mail.send", letter).await;
    let told = part(&mut streams[0]).await.unwrap();
    assert!(
        String::from_utf8_lossy(&told).contains("event: delivery"),
        "{told:?}"
    );
    // A post of somebody whom the reader does not follow wakes no feed; afterwards one does. The lists have
    // one before the other comes.
    for (who, op, args) in [
        (&writer, "social.post", json!({ "body": "before" })),
        (
            &reader,
            "social.follow",
            json!({ "agent": "@bob-agent", "follow": true }),
        ),
        (&writer, "social.post", json!({ "body": "after" })),
    ] {
        let done = served.ok(Some(who), op, args).await;
        served
            .http1(&format!("/api/agents?min_position={}", done["position"]))
            .await;
    }
    let told = part(&mut streams[20]).await.unwrap();
    let told = String::from_utf8_lossy(&told);
    assert!(told.contains("after") && !told.contains("before"), "{told}");
    // A token that ends takes its streams with it, at once.
    let args = json!({ "handle": "third" });
    let third = served.ok(Some(&admin), "agent.register", args).await;
    let (send, _driven) = served.h2c().await;
    let stream = served.get_as(&secret(&third), "/api/inbox/stream");
    let stream = ask(&send, stream).await.await.unwrap().into_body();
    let token = json!({ "token": third["ids"]["tok"] });
    served.ok(Some(&admin), "token.revoke", token).await;
    let told = timeout(SOON, whole(stream)).await.unwrap();
    assert!(told.contains("event: problem"), "{told}");
    drop(streams);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_tell_how_long_requests_take() {
    let served = Served::new(None).await;
    let (_, agent) = served.owner("ann").await;
    for _ in 0..5 {
        assert!(
            served
                .http1("/api/agents?limit=3")
                .await
                .0
                .contains(" 200 ")
        );
    }
    for _ in 0..2 {
        assert!(served.http1("/api/agents/nobody").await.0.contains(" 404 "));
        assert!(served.http1("/nowhere/at/all").await.0.contains(" 404 "));
    }
    let wrong = json!({ "to": { "agent": "@nobody" }, "body": "Hello" });
    let (head, _) = served.command(Some(&agent), "mail.send", wrong).await;
    assert!(head.status.is_client_error());
    let (_, text) = served.http1("/metrics").await;
    let value = |name: &str| -> u64 {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} in {text}"))
            .parse()
            .unwrap()
    };
    for (route, status, number) in [
        ("/api/agents", "2xx", 5),
        ("/api/agents/{agent}", "4xx", 2),
        ("/api/{op}", "2xx", 2),
        ("/api/{op}", "4xx", 1),
    ] {
        let of = format!("{{route=\"{route}\",status=\"{status}\"");
        assert_eq!(
            value(&format!("rialto_request_seconds_count{of}}}")),
            number,
            "{of}"
        );
        let last = value(&format!("rialto_request_seconds_bucket{of},le=\"+Inf\"}}"));
        assert_eq!(last, number, "{of}");
    }
    // What somebody sent never becomes a label.
    assert!(
        !text.contains("nowhere") && !text.contains("nobody"),
        "{text}"
    );
    // Every histogram is cumulative, and every accepted command is in that of the log.
    let (mut series, mut before) = (String::new(), 0);
    for line in text.lines().filter(|line| line.contains("_bucket{")) {
        let (labels, count) = line.rsplit_once(' ').unwrap();
        let (name, _) = labels.rsplit_once("le=").unwrap();
        let count: u64 = count.parse().unwrap();
        assert!(name != series || count >= before, "{line}");
        (series, before) = (name.to_owned(), count);
    }
    assert!(value("rialto_durable_seconds_count") >= 2);
    assert!(value("rialto_queue_wait_seconds_count") >= value("rialto_durable_seconds_count"));
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_certificate_is_taken_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    for name in ["used", "next", "other"] {
        if !rialto_testing::certificate(folder.path(), name) {
            return;
        }
    }
    let first = std::fs::read(file("used.pem")).unwrap();
    std::fs::write(file("first.pem"), &first).unwrap();
    let pace = Duration::from_millis(50);
    let tls = Tls::load(&file("used.pem"), &file("used.key")).unwrap();
    let served = Served::new(Some(tls.read_every(pace))).await;
    // Whether a certificate is the one that is served now.
    let at = served.at;
    let serves = async |ca: &str| shaken(at, &file(ca), &[]).await.is_ok();
    assert!(serves("first.pem").await && !serves("next.pem").await);
    // A certificate without its key, a missing file, and no certificate are refused; the old one stays.
    std::fs::copy(file("next.pem"), file("used.pem")).unwrap();
    tokio::time::sleep(4 * pace).await;
    assert!(serves("first.pem").await);
    std::fs::remove_file(file("used.pem")).unwrap();
    tokio::time::sleep(4 * pace).await;
    assert!(serves("first.pem").await);
    std::fs::write(file("used.pem"), "no certificate").unwrap();
    tokio::time::sleep(4 * pace).await;
    assert!(serves("first.pem").await);
    // Both files: taken.
    std::fs::copy(file("next.key"), file("used.key")).unwrap();
    std::fs::copy(file("next.pem"), file("used.pem")).unwrap();
    let taken = async {
        while !serves("next.pem").await {
            tokio::time::sleep(pace).await;
        }
    };
    timeout(SOON, taken).await.unwrap();
    assert!(!serves("first.pem").await && !serves("other.pem").await);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_lets_streams_and_requests_end() {
    let served = Served::new(None).await;
    let (_, agent) = served.owner("ann").await;
    served.owner("bob").await;
    let (send, driven) = served.h2c().await;
    let stream = ask(&send, served.get_as(&agent, "/api/inbox/stream"))
        .await
        .await
        .unwrap();
    let poll = ask(&send, served.get_as(&agent, "/api/inbox?wait_ms=30000")).await;
    // A command whose body is still coming.
    let slow = Request::post(format!("http://{}/api/mail.send", served.at));
    let slow = slow.header("content-type", "application/json");
    let slow = slow.header("authorization", format!("Bearer {agent}"));
    let mut ready = send.clone().ready().await.unwrap();
    let (answer, mut body) = ready.send_request(slow.body(()).unwrap(), false).unwrap();
    let args = json!({ "to": { "agent": "@bob-agent" }, "body": "Hello" }).to_string();
    let (begin, end) = args.split_at(10);
    body.send_data(begin.to_owned().into(), false).unwrap();
    // The same over HTTP/1.1, beside a connection that has nothing to do.
    let (at, token) = (served.at, agent.clone());
    let follow = std::thread::spawn(move || {
        let mut stream = std::net::TcpStream::connect(at).unwrap();
        let head = format!(
            "GET /api/inbox/stream HTTP/1.1\r\nhost: {at}\r\nauthorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut told = String::new();
        stream.read_to_string(&mut told).unwrap();
        told
    });
    served.becomes("rialto_inbox_streams", 2.0).await;
    served.becomes("rialto_body_bytes", 10.0).await;
    let Served {
        stop, serving, at, ..
    } = served;
    let _ = stop.unwrap().send(());
    // Streams are told when to come again, and end; who waits has an answer.
    let told = whole(stream.into_body()).await;
    assert!(
        told.contains("retry: ") && told.contains("shutting down"),
        "{told}"
    );
    let told = tokio::task::spawn_blocking(move || follow.join().unwrap())
        .await
        .unwrap();
    assert!(
        told.starts_with("HTTP/1.1 200") && told.contains("retry: "),
        "{told}"
    );
    let page = timeout(SOON, poll).await.unwrap().unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    // Nobody comes in any more; what was begun is carried out.
    assert!(TcpStream::connect(at).await.is_err());
    body.send_data(end.to_owned().into(), true).unwrap();
    let (head, said) = timeout(SOON, answer).await.unwrap().unwrap().into_parts();
    let said = whole(said).await;
    assert_eq!(head.status, StatusCode::OK, "{said}");
    drop(send);
    timeout(SOON, serving).await.unwrap().unwrap();
    assert!(driven.await.unwrap().is_none(), "it ended in order");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_end_in_its_time_is_cut_off() {
    let served = Served::draining_for(None, Duration::from_millis(300)).await;
    let (_, agent) = served.owner("ann").await;
    let (send, driven) = served.h2c().await;
    let slow = Request::post(format!("http://{}/api/mail.send", served.at));
    let slow = slow.header("content-type", "application/json");
    let slow = slow.header("authorization", format!("Bearer {agent}"));
    let mut ready = send.clone().ready().await.unwrap();
    let (answer, mut body) = ready.send_request(slow.body(()).unwrap(), false).unwrap();
    body.send_data("{".into(), false).unwrap();
    served.becomes("rialto_body_bytes", 1.0).await;
    let began = std::time::Instant::now();
    served.stop().await;
    assert!(
        began.elapsed() < Duration::from_secs(9),
        "it waited for the body"
    );
    assert!(answer.await.is_err());
    drop((body, send));
    let _ = driven.await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_a_command_says_what_is_left() {
    let served = Served::new(None).await;
    let (admin, writer) = served.owner("ann").await;
    let reader = json!({ "handle": "reader" });
    served.ok(Some(&admin), "agent.register", reader).await;
    let head = |head: &Parts, name: &str| -> String {
        head.headers
            .get(name)
            .map_or("", |v| v.to_str().unwrap())
            .to_owned()
    };
    // Nothing is counted yet: the requests that may be in progress are nearest.
    let work = json!({ "tokens": 1 });
    let (told, said) = served.command(Some(&writer), "usage.reserve", work).await;
    assert!(
        head(&told, "ratelimit-policy").contains("qu=\"concurrent-requests\""),
        "{said}"
    );
    assert!(head(&told, "ratelimit").starts_with("\"open\";r="));
    let (_, realm) = served.http1("/api/realm").await;
    let realm: Value = serde_json::from_str(&realm).unwrap();
    let mut settings = realm["settings"].clone();
    settings["messages_per_minute"] = json!(6);
    served
        .ok(Some(&served.operator), "policy.set_settings", settings)
        .await;
    let letter = json!({ "to": { "agent": "@reader" }, "body": "Hello" });
    let (mut left, mut sent) = (6, 0);
    let refused = loop {
        let (told, said) = served
            .command(Some(&writer), "mail.send", letter.clone())
            .await;
        assert_eq!(
            head(&told, "ratelimit-policy"),
            "\"messages\";q=6;w=60",
            "{said}"
        );
        let now = head(&told, "ratelimit");
        let (now, whole) = now
            .strip_prefix("\"messages\";r=")
            .unwrap()
            .split_once(";t=")
            .unwrap();
        let (now, whole): (u64, u64) = (now.parse().unwrap(), whole.parse().unwrap());
        if told.status != StatusCode::OK {
            assert_eq!(now, 0, "it was refused with {left} left");
            break (told, said);
        }
        sent += 1;
        assert!(
            now < left && whole <= 60,
            "{now} of {left}, whole in {whole}"
        );
        left = now;
        assert!(sent < 10);
    };
    let (told, said) = refused;
    assert_eq!(told.status, StatusCode::TOO_MANY_REQUESTS, "{said}");
    let wait: u64 = head(&told, "retry-after").parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait} s: {said}");
    assert!(
        said["detail"].as_str().unwrap().contains("again in"),
        "{said}"
    );
    // Reads say nothing of it.
    let (told, _) = served.http1("/api/agents").await;
    assert!(!told.contains("ratelimit"), "{told}");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_not_read_makes_the_server_hold_a_page() {
    let served = Served::new(None).await;
    let (admin, writer) = served.owner("ann").await;
    let reader = json!({ "handle": "reader" });
    let reader = secret(&served.ok(Some(&admin), "agent.register", reader).await);
    for _ in 0..12 {
        let body = "x".repeat((1 << 20) - 100);
        let letter = json!({ "to": { "agent": "@reader" }, "body": body });
        served.ok(Some(&writer), "mail.send", letter).await;
    }
    let stream = TcpStream::connect(served.at).await.unwrap();
    let (send, connection) = h2::client::Builder::new()
        .initial_window_size(10)
        .handshake::<_, Bytes>(stream)
        .await
        .unwrap();
    let driven = tokio::spawn(connection);
    let stream = ask(&send, served.get_as(&reader, "/api/inbox/stream"))
        .await
        .await
        .unwrap();
    // It has begun, and stops at the first page, of which the last text may go beyond.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let held = served.metric("rialto_answer_bytes").await;
    let page = rialto_views::PAGE_BYTES as f64;
    assert!(
        held > 0.5 * page && held < page + f64::from(2 << 20),
        "{held} of {page}"
    );
    let reads = served.metric("rialto_view_reads_total").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let more = served.metric("rialto_view_reads_total").await;
    assert!((more - reads).abs() < 0.5, "it goes on reading");
    drop((stream, send));
    driven.abort();
    served.becomes("rialto_inbox_streams", 0.0).await;
    served.becomes("rialto_answer_bytes", 4_096.0).await;
    served.stop().await;
}

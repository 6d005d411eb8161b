//! What every request passes before anybody looks at what it asks: names, origins, bodies; and what is told
//! to those who watch the realm.

use std::convert::Infallible;
use std::path::Path;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Method, Request, StatusCode};
use futures_util::stream;
use rialto_core::text::Handle;
use rialto_core::time::Time;
use rialto_server::door::{BODY_BYTES, STRANGER_BYTES};
use rialto_server::node::{Pace, SeededChance, VirtualClock, metrics_secret};
use rialto_server::realm::{Realm as Opened, Setup};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::described::checked;
use crate::door::{METRICS, Realm};

/// A body of which nothing ever comes.
fn never() -> Body {
    Body::from_stream(stream::pending::<Result<Bytes, Infallible>>())
}

async fn asked(router: &Router, request: Request<Body>) -> (StatusCode, Value) {
    let answer = router.clone().oneshot(request).await.unwrap();
    let status = answer.status();
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await;
    let bytes = bytes.unwrap();
    let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
    let said = serde_json::from_slice(&bytes).unwrap_or_else(|_| text());
    (status, said)
}

fn request(method: Method, path: &str, headers: &[(&str, &str)], body: Body) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body).unwrap()
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test(flavor = "multi_thread")]
async fn no_door_opens_under_a_foreign_name_or_for_a_foreign_page() {
    let realm = Realm::new().await;
    let bearer = format!("Bearer {}", realm.operator);
    let token = ("authorization", bearer.as_str());
    for (method, path) in [
        (Method::GET, "/"),
        (Method::GET, "/sign-in"),
        (Method::POST, "/sign-in"),
        (Method::GET, "/assets/console.css"),
        (Method::GET, "/api/realm"),
        (Method::GET, "/api/whoami"),
        (Method::GET, "/api/inbox/stream"),
        (Method::POST, "/api/owner.sign_up"),
        (Method::POST, "/api/commands"),
        (Method::GET, "/metrics"),
        (Method::GET, "/nowhere"),
    ] {
        for (headers, code) in [
            ([("host", "evil.test"), token], "RLT0021"),
            ([("origin", "https://evil.test"), token], "RLT0022"),
            ([("origin", "null"), token], "RLT0022"),
        ] {
            // Its body is not even read.
            let request = request(method.clone(), path, &headers, never());
            let (status, said) = asked(&realm.router, request).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{path} {headers:?}");
            assert_eq!(said["code"], code, "{path} {headers:?}");
        }
    }
    // Whatever watches the process may call it anything.
    for path in ["/healthz", "/readyz"] {
        let request = request(Method::GET, path, &[("host", "evil.test")], Body::empty());
        assert_eq!(asked(&realm.router, request).await.0, StatusCode::OK);
    }
    let own = [
        ("host", "rialto.example"),
        ("origin", "http://rialto.example"),
    ];
    let request = request(Method::GET, "/api/realm", &own, Body::empty());
    assert_eq!(asked(&realm.router, request).await.0, StatusCode::OK);
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_json_is_read_as_json() {
    let realm = Realm::new().await;
    let args = json!({ "name": "sneaky", "kind": "person" }).to_string();
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "",
    ] {
        let kind = [("content-type", kind)];
        let request = request(
            Method::POST,
            "/api/owner.sign_up",
            &kind,
            args.clone().into(),
        );
        let (status, said) = asked(&realm.router, request).await;
        assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind:?}");
        assert_eq!(said["code"], "RLT0020");
    }
    for path in ["/api/owner.sign_up", "/api/search/listings"] {
        let request = request(Method::POST, path, &[], args.clone().into());
        let (status, _) = asked(&realm.router, request).await;
        assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path}");
    }
    let kind = [("content-type", "application/json; charset=utf-8")];
    let request = request(Method::POST, "/api/owner.sign_up", &kind, args.into());
    assert_eq!(asked(&realm.router, request).await.0, StatusCode::OK);
    realm.stop();
}

/// Path, headers and body of a request, and the status and code of its refusal.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], Body, u16, &'a str);

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_read_for_whom_the_head_names() {
    let realm = Realm::new().await;
    let spaces = |count: usize| Body::from(" ".repeat(count));
    let bearer = format!("Bearer {}", realm.operator);
    let known = [("authorization", bearer.as_str()), JSON];
    let unknown = [("authorization", "Bearer rlt_nobody"), JSON];
    let table: [Case<'_>; 10] = [
        // A token that is none is told of without a look at the body.
        ("/api/mail.send", &unknown, never(), 401, "RLT0015"),
        ("/api/commands", &unknown, never(), 401, "RLT0015"),
        ("/api/owner.sign_up", &unknown, never(), 401, "RLT0015"),
        // Without one a little may be said.
        (
            "/api/owner.sign_up",
            &[JSON],
            spaces(STRANGER_BYTES),
            400,
            "RLT0001",
        ),
        (
            "/api/owner.sign_up",
            &[JSON],
            spaces(STRANGER_BYTES + 1),
            413,
            "RLT0003",
        ),
        (
            "/api/search/listings",
            &[JSON],
            spaces(STRANGER_BYTES + 1),
            413,
            "RLT0003",
        ),
        ("/sign-in", &[], spaces(STRANGER_BYTES + 1), 413, "RLT0003"),
        ("/api/commands", &[JSON], spaces(3), 401, "RLT0015"),
        // With one, as much as the realm takes.
        ("/api/mail.send", &known, spaces(BODY_BYTES), 400, "RLT0001"),
        (
            "/api/mail.send",
            &known,
            spaces(BODY_BYTES + 1),
            413,
            "RLT0003",
        ),
    ];
    for (path, headers, body, status, code) in table {
        let request = request(Method::POST, path, headers, body);
        let (was, said) = asked(&realm.router, request).await;
        assert_eq!(
            (was.as_u16(), &said["code"]),
            (status, &json!(code)),
            "{path} {headers:?}"
        );
    }
    // A length that nobody announced is found out by reading.
    let parts = stream::iter((0..20).map(|_| Ok::<_, Infallible>(Bytes::from(vec![b' '; 1_000]))));
    let request = request(
        Method::POST,
        "/api/owner.sign_up",
        &[JSON],
        Body::from_stream(parts),
    );
    assert_eq!(asked(&realm.router, request).await.1["code"], "RLT0003");
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_for_the_operator_and_the_collector() {
    let realm = Realm::new().await;
    let (admin, agent) = realm.owner("acme").await;
    for (token, want) in [
        (realm.operator.as_str(), 200),
        (METRICS, 200),
        (admin.as_str(), 403),
        (agent.as_str(), 403),
        ("rlm_other", 401),
    ] {
        let (status, said) = realm.get(token, "/metrics").await;
        assert_eq!(status.as_u16(), want, "{said}");
        let told = said
            .as_str()
            .is_some_and(|s| s.contains("rialto_log_damaged 0"));
        assert_eq!(told, want == 200, "{said}");
    }
    let request = request(Method::GET, "/metrics", &[], Body::empty());
    assert_eq!(
        asked(&realm.router, request).await.0,
        StatusCode::UNAUTHORIZED
    );
    // What reads metrics reads nothing else.
    let (status, _) = realm.get(METRICS, "/api/whoami").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    realm.stop();
}

#[test]
fn the_metrics_secret_is_made_once_and_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let secret = metrics_secret(folder.path(), &SeededChance::new(1)).unwrap();
    assert!(secret.starts_with("rlm_") && secret.len() == 68, "{secret}");
    let path = folder.path().join("metrics.token");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = metrics_secret(folder.path(), &SeededChance::new(2)).unwrap();
    assert_eq!(again, secret);
}

/// A realm in a folder, with a patrol that never rests for long.
struct Kept {
    realm: Opened,
    router: Router,
    operator: Option<String>,
}

impl Kept {
    async fn open(folder: &Path) -> Self {
        let clock = VirtualClock::new(Time(1_795_000_000_000));
        let pace = Pace {
            bytes_per_second: 1 << 30,
            rest: Duration::from_millis(5),
        };
        let setup = Setup::folder(folder.to_owned(), Handle::new("test").unwrap())
            .driven_by(clock, SeededChance::new(1))
            .walked_at(pace);
        let realm = Opened::open(setup).await.unwrap();
        Self {
            router: checked(realm.router()),
            operator: realm.operator_token().map(str::to_owned),
            realm,
        }
    }

    fn close(self) {
        drop(self.realm);
    }

    async fn send(&self, token: &str, op: &str, args: &Value) {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), JSON];
        let path = format!("/api/{op}");
        let request = request(Method::POST, &path, &headers, args.to_string().into());
        let (status, said) = asked(&self.router, request).await;
        assert_eq!(status, StatusCode::OK, "{said}");
    }

    /// What `/readyz` says, once it says something else than before.
    async fn ready(&self, token: &str, unlike: &str) -> String {
        let bearer = format!("Bearer {token}");
        let since = Instant::now();
        loop {
            let headers = [("authorization", bearer.as_str())];
            let request = request(Method::GET, "/readyz", &headers, Body::empty());
            let (status, said) = asked(&self.router, request).await;
            let said = said.as_str().unwrap().to_owned();
            assert_eq!(status == StatusCode::OK, said == "ready\n", "{said}");
            if said != unlike {
                return said;
            }
            assert!(since.elapsed() < Duration::from_secs(60), "still {said}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Flips one byte of a file where a text begins, in place: the rest is never gone, not even for a moment.
fn flip(file: &Path, text: &str) {
    use std::os::unix::fs::FileExt;
    let bytes = std::fs::read(file).unwrap();
    let at = bytes
        .windows(text.len())
        .position(|part| part == text.as_bytes());
    let at = at.unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
    file.write_all_at(&[bytes[at] ^ 1], at as u64).unwrap();
}

/// A folder with a few posts in it, closed; and its operator's token.
async fn written(folder: &Path) -> String {
    let kept = Kept::open(folder).await;
    let operator = kept.operator.clone().unwrap();
    let args = json!({ "name": "acme", "kind": "organisation" });
    kept.send(&operator, "owner.sign_up", &args).await;
    for n in 0..5 {
        let args = json!({ "code": format!("ASSET{n}"), "scale": 2 });
        kept.send(&operator, "ledger.create_asset", &args).await;
    }
    kept.close();
    operator
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_noticed_while_serving() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("realm");
    let operator = written(&folder).await;
    let kept = Kept::open(&folder).await;
    let since = Instant::now();
    while kept.realm.node().health().passes() < 2 {
        assert!(since.elapsed() < Duration::from_secs(60), "it never walks");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(kept.ready(&operator, "").await, "ready\n");
    // The second asset's facts, not the last frame, which is read at the start.
    flip(&folder.join("log.db"), "ASSET1");
    let told = kept.ready(&operator, "ready\n").await;
    assert!(
        told.starts_with("not ready: RLT0904 the log is damaged: "),
        "{told}"
    );
    assert!(told.contains("position 5"), "{told}");
    // Who has no token learns the code, and not what exactly was met.
    let told = kept.ready("", "").await;
    assert_eq!(told, "not ready: RLT0904 the log is damaged\n");
    // What does not need the damaged place is served as ever.
    let args = json!({ "name": "late", "kind": "person" });
    kept.send(&operator, "owner.sign_up", &args).await;
    kept.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_another_version_wrote_are_rebuilt_while_serving() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("realm");
    let operator = written(&folder).await;
    let names = "SELECT name FROM domain";
    let views = rusqlite::Connection::open(folder.join("views.db")).unwrap();
    let mut query = views.prepare(names).unwrap();
    let names = query.query_map([], |r| r.get::<_, String>(0)).unwrap();
    for domain in names.map(Result::unwrap) {
        let outdated = "UPDATE domain SET version = 0 WHERE name = ?";
        let views = rusqlite::Connection::open(folder.join("views.db")).unwrap();
        assert_eq!(views.execute(outdated, [&domain]).unwrap(), 1);
        drop(views);
        let kept = Kept::open(&folder).await;
        let since = Instant::now();
        while !kept.realm.views().rebuilding().is_empty() {
            assert!(since.elapsed() < Duration::from_secs(60), "{domain}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(kept.ready(&operator, "").await, "ready\n");
        let (position, ()) = kept.realm.node().read(|_| ()).await.unwrap();
        let bearer = format!("Bearer {operator}");
        let headers = [("authorization", bearer.as_str())];
        for path in ["/api/owners", "/api/log", "/api/report/accounts"] {
            let path = format!("{path}?min_position={position}");
            let request = request(Method::GET, &path, &headers, Body::empty());
            let (status, said) = asked(&kept.router, request).await;
            assert_eq!(status, StatusCode::OK, "{domain}: {said}");
        }
        kept.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn views_that_cannot_be_made_are_told_of() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("realm");
    let operator = written(&folder).await;
    flip(&folder.join("log.db"), "ASSET1");
    for name in ["views.db", "views.db-wal", "views.db-shm"] {
        let _ = std::fs::remove_file(folder.join(name));
    }
    let kept = Kept::open(&folder).await;
    let told = kept.ready(&operator, "ready\n").await;
    assert!(told.starts_with("not ready: RLT0904"), "{told}");
    // A list that must have seen more than can be shown says so.
    let bearer = format!("Bearer {operator}");
    let headers = [("authorization", bearer.as_str())];
    let since = Instant::now();
    while kept.realm.node().health().views().is_none() {
        assert!(since.elapsed() < Duration::from_secs(60), "the views go on");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (position, ()) = kept.realm.node().read(|_| ()).await.unwrap();
    let path = format!("/api/owners?min_position={position}");
    let request = request(Method::GET, &path, &headers, Body::empty());
    assert_eq!(asked(&kept.router, request).await.1["code"], "RLT0914");
    kept.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_cannot_be_stored_refuses_its_command_only() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("realm");
    let kept = Kept::open(&folder).await;
    let operator = kept.operator.clone().unwrap();
    let bearer = format!("Bearer {operator}");
    let headers = [("authorization", bearer.as_str()), JSON];
    let send = async |path: &str, args: Value| {
        let body = args.to_string().into();
        asked(&kept.router, request(Method::POST, path, &headers, body)).await
    };
    let owner = json!({ "name": "acme", "kind": "organisation" });
    let (_, owner) = send("/api/owner.sign_up", owner).await;
    let owner = &owner["ids"]["owner"];
    let agent = |handle: &str, bytes: usize| {
        let says = "x".repeat(bytes);
        json!({ "owner": owner, "handle": handle, "profile": { "description": says } })
    };
    let (files, away) = (folder.join("contents"), base.path().join("away"));
    std::fs::rename(&files, &away).unwrap();
    let (status, said) = send("/api/agent.register", agent("large", 100_000)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(said["code"], "RLT0913", "{said}");
    // In a batch, each for itself and in order.
    let item =
        |handle: &str, bytes| json!({ "op": "agent.register", "args": agent(handle, bytes) });
    let items = [
        item("one", 10),
        item("two", 100_000),
        item("three", 10),
        item("four", 100_000),
    ];
    let (_, said) = send("/api/commands", json!({ "commands": items })).await;
    let outcomes = said["outcomes"].as_array().unwrap().iter();
    let refused: Vec<_> = outcomes.map(|o| o["refused"]["code"].clone()).collect();
    let want = [Value::Null, json!("RLT0913"), Value::Null, json!("RLT0913")];
    assert_eq!(refused, want, "{said}");
    std::fs::rename(&away, &files).unwrap();
    let (status, said) = send("/api/agent.register", agent("large", 100_000)).await;
    assert_eq!(status, StatusCode::OK, "{said}");
    // A command that is refused leaves nothing behind, and one that is accepted its text.
    let (status, _) = send("/api/agent.register", agent("large", 100_000)).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let names = std::fs::read_dir(&files).unwrap();
    let names: Vec<_> = names.map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names.len(), 1, "{names:?}");
    kept.close();
}

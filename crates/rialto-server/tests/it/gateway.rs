//! Calls of models through the gateway, in front of servers of models that behave well and badly.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Method, Request, Response, StatusCode};
use axum::response::IntoResponse;
use futures_util::StreamExt;
use http_body_util::BodyExt;
use rialto_gateway::provider::OUTPUT;
use rialto_gateway::route::Choose;
use rialto_gateway::{Kind, Provider, Providers, Route, Settings, Terms};
use rialto_wire::openai::chat::Server;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::door::Realm;

/// A server of models that behaves as the model's name says.
#[derive(Clone, Default)]
struct Upstream {
    asked: Arc<AtomicUsize>,
    /// Streams that were not read to their end.
    cancelled: Arc<AtomicUsize>,
}

struct Cancelled(Arc<AtomicUsize>, bool);

impl Drop for Cancelled {
    fn drop(&mut self) {
        if !self.1 {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// How long a server may take that is not tested for its slowness: others build meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);
const USAGE: &str = r#"{"prompt_tokens":10,"completion_tokens":4,"total_tokens":14}"#;

fn whole() -> String {
    format!(
        r#"{{"id":"c-1","object":"chat.completion",  "created":1,"model":"m-1","choices":[{{"index":0,"message":{{"role":"assistant","content":"Hello"}},"finish_reason":"stop"}}],"usage":{USAGE}}}"#
    )
}

fn chunks() -> Vec<String> {
    let delta = |text: &str| {
        format!(
            "data: {{\"id\":\"c-1\",\"model\":\"m-1\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]}}\n\n"
        )
    };
    vec![
        delta("Hel"),
        delta("lo"),
        "data: {\"id\":\"c-1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n".to_owned(),
        format!("data: {{\"id\":\"c-1\",\"choices\":[],\"usage\":{USAGE}}}\n\n"),
        "data: [DONE]\n\n".to_owned(),
    ]
}

fn status(status: u16, headers: &[(&str, &str)], body: &str) -> Response<Body> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Body::from(body.to_owned())).unwrap()
}

/// A first piece, and another when that has left.
fn two(first: String, second: std::io::Result<String>) -> Body {
    let first = futures_util::stream::iter([Ok(first)]);
    let second = futures_util::stream::once(async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        second
    });
    Body::from_stream(first.chain(second))
}

async fn behave(State(upstream): State<Upstream>, body: Bytes) -> Response<Body> {
    upstream.asked.fetch_add(1, Ordering::SeqCst);
    let asked: Value = serde_json::from_slice(&body).unwrap();
    let streams = asked["stream"] == true;
    let sse = [("content-type", "text/event-stream")];
    match asked["model"].as_str().unwrap() {
        "good" if streams => {
            let chunks = chunks().into_iter().map(Ok::<_, std::io::Error>);
            let body = Body::from_stream(futures_util::stream::iter(chunks));
            (sse, body).into_response()
        }
        "good" => status(200, &[("x-request-id", "up-7")], &whole()),
        "endless" => {
            let watched = Cancelled(upstream.cancelled.clone(), false);
            let endless = futures_util::stream::unfold(watched, |watched| async {
                tokio::time::sleep(Duration::from_millis(5)).await;
                Some((Ok::<_, std::io::Error>(chunks()[0].clone()), watched))
            });
            (sse, Body::from_stream(endless)).into_response()
        }
        "hangs" => {
            tokio::time::sleep(Duration::from_secs(30)).await;
            status(200, &[], &whole())
        }
        "stalls" => {
            let first = futures_util::stream::iter([Ok::<_, std::io::Error>(chunks()[0].clone())]);
            let stalling = first.chain(futures_util::stream::pending());
            (sse, Body::from_stream(stalling)).into_response()
        }
        "garbage" => status(200, &[], "<html>\u{0}not json"),
        "cut" => (
            sse,
            two(chunks()[0].clone(), Err(std::io::Error::other("gone"))),
        )
            .into_response(),
        "late-error" => {
            let told = "data: {\"error\":{\"message\":\"overloaded\",\"type\":\"overloaded_error\",\"code\":529}}\n\n";
            (sse, two(chunks()[0].clone(), Ok(told.to_owned()))).into_response()
        }
        "early-error" => {
            let told = "data: {\"error\":{\"message\":\"overloaded\",\"type\":\"overloaded_error\",\"code\":529}}\n\n";
            (sse, told.to_owned()).into_response()
        }
        "our-key" => status(
            401,
            &[],
            r#"{"error":{"message":"Incorrect API key provided: sk-s3cret","type":"invalid_request_error","code":"invalid_api_key"}}"#,
        ),
        "busy" => status(
            429,
            &[("retry-after", "30")],
            r#"{"error":{"message":"slow down","type":"rate_limit_error","code":429}}"#,
        ),
        "overloaded" => status(
            529,
            &[],
            r#"{"error":{"message":"overloaded","type":"overloaded_error"}}"#,
        ),
        "picky" => status(
            400,
            &[],
            r#"{"error":{"message":"temperature is too high","type":"invalid_request_error","code":400}}"#,
        ),
        "silent" => status(
            200,
            &[],
            r#"{"id":"c-1","model":"m-1","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}"#,
        ),
        other => panic!("no such behaviour: {other}"),
    }
}

async fn listening(upstream: Upstream) -> SocketAddr {
    let router = Router::new().fallback(behave).with_state(upstream);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    at
}

fn provider(name: &str, at: SocketAddr, patience: Duration) -> Arc<Provider> {
    let terms = Terms {
        kind: Kind::OpenAi,
        url: format!("http://{at}"),
        key: None,
        max_output: OUTPUT,
        first: patience,
        pause: patience,
        server: Server::default(),
    };
    Arc::new(Provider::new(name, terms).unwrap())
}

/// A realm with a server of models behind it; an owner `maker` who deploys them for all, an agent with money.
struct Gate {
    realm: Realm,
    maker: String,
    caller: String,
    upstream: Upstream,
}

impl Gate {
    /// Everything costs 1.00 a token, so that sums are easy; output at most `max_tokens`.
    async fn new(money: &str, routes: &[(&str, &[&str])]) -> Self {
        let upstream = Upstream::default();
        let at = listening(upstream.clone()).await;
        let realm = Realm::new().await;
        let (maker, _) = realm.owner("maker").await;
        let (_, caller) = realm.owner("caller").await;
        let issue = json!({ "to": "@caller-agent", "amount": money });
        realm.ok(&realm.operator, "ledger.issue", issue).await;
        let routes = routes.iter().map(|(name, models)| {
            let models = models.iter().map(|model| (*model).to_owned()).collect();
            let choose = Choose::default();
            ((*name).to_owned(), Route { models, choose })
        });
        realm.gateway().apply(Settings {
            providers: Providers::new(
                [
                    provider("house", at, PATIENCE),
                    provider("impatient", at, Duration::from_secs(3)),
                ],
                None,
            )
            .unwrap(),
            routes: routes.collect(),
            programs: BTreeMap::new(),
        });
        Self {
            realm,
            maker,
            caller,
            upstream,
        }
    }

    async fn deploy(&self, model: &str) -> String {
        let price = json!({ "input": "0", "output": "1000000" });
        let provider = match model {
            "hangs" | "stalls" => "impatient",
            _ => "house",
        };
        let terms = json!({
            "model": model, "provider": provider, "upstream": model, "chip": "trainium2",
            "open_to": "everyone", "prices": { "per_million": price, "sure": true }
        });
        let made = json!({ "terms": terms });
        let made = self.realm.ok(&self.maker, "deployment.create", made).await;
        made["ids"]["deployment"].as_str().unwrap().to_owned()
    }

    async fn raw(&self, path: &str, key: (&str, &str), body: &Value) -> Response<Body> {
        let request = Request::post(path)
            .header("content-type", "application/json")
            .header(key.0, key.1)
            .body(Body::from(body.to_string()));
        let router = self.realm.router.clone();
        router.oneshot(request.unwrap()).await.unwrap()
    }

    async fn chat(&self, body: &Value) -> (StatusCode, String) {
        let key = ("x-api-key", self.caller.as_str());
        let response = self.raw("/v1/chat/completions", key, body).await;
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    /// The calls so far, the latest first, when all are reported.
    async fn calls(&self) -> Vec<Value> {
        self.realm.gateway().flush().await;
        let (_, realm) = self.realm.get(&self.realm.operator, "/api/realm").await;
        let path = format!(
            "/api/inferences?limit=100&min_position={}",
            realm["position"]
        );
        let (_, page) = self.realm.get(&self.caller, &path).await;
        page["items"].as_array().unwrap().clone()
    }

    /// The caller's balance, in all and free, and the sum of everything.
    async fn money(&self) -> (String, String, Value) {
        let (_, page) = self.realm.get(&self.caller, "/api/ledger/accounts").await;
        let account = &page["items"][0];
        let text = |name: &str| account[name].as_str().unwrap().to_owned();
        let (_, trial) = self
            .realm
            .get(&self.realm.operator, "/api/ledger/trial-balance")
            .await;
        (
            text("balance"),
            text("available"),
            trial["items"][0]["sum"].clone(),
        )
    }

    async fn nothing_is_held(&self) {
        let calls = self.calls().await;
        assert!(
            calls.iter().all(|call| call["state"] != "open"),
            "{calls:?}"
        );
        let (balance, available, sum) = self.money().await;
        assert_eq!(balance, available);
        assert_eq!(sum, "0.00");
    }
}

fn ask(model: &str, stream: bool) -> Value {
    json!({
        "model": model, "max_tokens": 5, "stream": stream,
        "messages": [{ "role": "user", "content": "Say hello" }]
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_pass_untouched_and_the_call_is_metered_to_the_token() {
    let gate = Gate::new("100", &[]).await;
    let deployment = gate.deploy("good").await;
    let key = ("authorization", format!("Bearer {}", gate.caller));
    let response = gate
        .raw("/v1/chat/completions", (key.0, &key.1), &ask("good", false))
        .await;
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("rialto-deployment"), deployment);
    assert_eq!(header("rialto-chip"), "trainium2");
    let inference = header("rialto-call");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(String::from_utf8_lossy(&body), whole());
    let (status, stream) = gate.chat(&ask("good", true)).await;
    assert_eq!(status, StatusCode::OK);
    let mut passed = chunks();
    // The caller did not ask for the usage.
    passed.remove(3);
    assert_eq!(stream, passed.concat());
    let calls = gate.calls().await;
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[1]["id"], inference.as_str());
    for call in &calls {
        assert_eq!(call["state"], "served", "{call}");
        assert_eq!((&call["input"], &call["output"]), (&json!(10), &json!(4)));
        assert_eq!(call["paid"]["amount"], "4.00");
        assert_eq!(call["counted"], "provider");
        assert_eq!(call["served"], "m-1");
    }
    assert_eq!(calls[1]["request"], "up-7");
    assert_eq!(gate.money().await.0, "92.00");
    gate.nothing_is_held().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_hundred_calls_at_once_a_budget_for_twenty_serves_twenty() {
    // Each reserves 5.00 and costs 4.00: 25 fit at once, and after each end one more.
    let gate = Arc::new(Gate::new("80", &[("either", &["busy", "good"])]).await);
    gate.deploy("good").await;
    gate.deploy("busy").await;
    let calls = (0..200).map(|n| {
        let gate = gate.clone();
        tokio::spawn(async move {
            let asked = ask("either", n % 2 == 0);
            loop {
                let (status, body) = gate.chat(&asked).await;
                // A reserve may find the rest of the money held by calls that cost less in the end.
                if status != StatusCode::TOO_MANY_REQUESTS || gate.is_spent().await {
                    return (status, body);
                }
            }
        })
    });
    let outcomes = futures_util::future::join_all(calls).await;
    let outcomes: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
    let served = outcomes.iter().filter(|(status, _)| status.is_success());
    assert_eq!(
        served.count(),
        19,
        "19 cost 76.00; the next would need 5.00"
    );
    let refused = outcomes.iter().find(|(status, _)| !status.is_success());
    let refused = &refused.unwrap().1;
    assert!(
        refused.contains("RLT0401") && refused.contains("insufficient_quota"),
        "{refused}"
    );
    assert_eq!(gate.money().await.0, "4.00");
    gate.nothing_is_held().await;
}

impl Gate {
    async fn is_spent(&self) -> bool {
        self.realm.gateway().flush().await;
        let (balance, available, _) = self.money().await;
        balance == available && balance == "4.00"
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_server_does_the_caller_hears_it_in_its_dialect_and_nothing_stays_held() {
    let gate = Gate::new("1000", &[]).await;
    // What is asked, whether as a stream, the status, what the answer says, how the call ended, what was paid.
    let table = [
        (
            "hangs",
            true,
            504,
            "did not answer in time",
            "failed",
            "0.00",
        ),
        ("garbage", false, 502, "malformed_answer", "failed", "0.00"),
        ("garbage", true, 502, "interrupted", "failed", "0.00"),
        (
            "stalls",
            true,
            200,
            "did not answer in time",
            "failed",
            "1.00",
        ),
        ("cut", true, 200, "interrupted", "failed", "1.00"),
        ("late-error", true, 200, "overloaded", "failed", "1.00"),
        ("early-error", true, 503, "overloaded", "failed", "0.00"),
        (
            "our-key",
            false,
            503,
            "refused the realm's key",
            "failed",
            "0.00",
        ),
        ("busy", false, 429, "slow down", "failed", "0.00"),
        ("overloaded", true, 503, "overloaded", "failed", "0.00"),
        (
            "picky",
            false,
            400,
            "temperature is too high",
            "failed",
            "0.00",
        ),
        ("silent", false, 200, "Hello", "served", "5.00"),
    ];
    for (model, stream, status, says, end, paid) in table {
        gate.deploy(model).await;
        let asked = gate.upstream.asked.load(Ordering::SeqCst);
        let (found, body) = gate.chat(&ask(model, stream)).await;
        assert_eq!(found, status, "{model}: {body}");
        assert!(
            body.contains(says) && !body.contains("s3cret"),
            "{model}: {body}"
        );
        let calls = gate.calls().await;
        assert_eq!(calls[0]["state"], end, "{model}");
        assert_eq!(calls[0]["paid"]["amount"], paid, "{model}: {}", calls[0]);
        assert!(gate.upstream.asked.load(Ordering::SeqCst) > asked);
    }
    gate.nothing_is_held().await;
    // Who said when to come again is not asked before.
    let asked = gate.upstream.asked.load(Ordering::SeqCst);
    let response = gate
        .raw(
            "/v1/messages",
            ("x-api-key", &gate.caller),
            &ask("busy", false),
        )
        .await;
    assert_eq!(response.status().as_u16(), 429);
    let after: u64 = response.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((25..=30).contains(&after), "{after}");
    assert_eq!(gate.upstream.asked.load(Ordering::SeqCst), asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_serve_is_replaced_before_the_first_content() {
    let routes: [(&str, &[&str]); 1] =
        [("best", &["overloaded", "early-error", "our-key", "good"])];
    let gate = Gate::new("1000", &routes).await;
    for model in ["overloaded", "early-error", "our-key", "good"] {
        gate.deploy(model).await;
    }
    let (status, body) = gate.chat(&ask("best", true)).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert!(body.contains("Hel"), "{body}");
    let calls = gate.calls().await;
    let ends: Vec<_> = calls
        .iter()
        .map(|call| call["state"].as_str().unwrap())
        .collect();
    assert_eq!(ends, ["served", "failed", "failed", "failed"]);
    for pair in calls.windows(2) {
        assert_eq!(
            pair[0]["after"], pair[1]["id"],
            "each names the attempt before"
        );
    }
    assert_eq!(gate.money().await.0, "996.00");
    gate.nothing_is_held().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_pays_for_what_came_until_then_and_the_server_is_told_to_stop() {
    let gate = Gate::new("1000", &[]).await;
    gate.deploy("endless").await;
    let key = ("x-api-key", gate.caller.as_str());
    let mut asked = ask("endless", true);
    asked["max_tokens"] = json!(500);
    let response = gate.raw("/v1/chat/completions", key, &asked).await;
    assert_eq!(response.status(), StatusCode::OK);
    let mut body = response.into_body();
    let mut came = 0;
    while came < 40 {
        let frame = body.frame().await.unwrap().unwrap();
        came += frame
            .data_ref()
            .unwrap()
            .windows(3)
            .filter(|w| w == b"Hel")
            .count();
    }
    drop(body);
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while gate.upstream.cancelled.load(Ordering::SeqCst) == 0 {
        assert!(std::time::Instant::now() < until, "the server still works");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let calls = gate.calls().await;
    assert_eq!(calls[0]["state"], "left", "{}", calls[0]);
    assert_eq!(calls[0]["counted"], "estimate");
    // 40 pieces of three letters are 30 tokens by the estimate; more may have come in one piece.
    let output = calls[0]["output"].as_u64().unwrap();
    assert!((30..=500).contains(&output), "{}", calls[0]);
    gate.nothing_is_held().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_is_in_the_dialect_of_the_address() {
    let gate = Gate::new("1000", &[]).await;
    gate.deploy("good").await;
    let (person, stopped) = gate.realm.owner("stopped").await;
    gate.realm
        .ok(
            &person,
            "identity.suspend",
            json!({ "subject": { "agent": "@stopped-agent" } }),
        )
        .await;
    let narrow =
        json!({ "subject": { "agent": "@caller-agent" }, "label": "mail", "may": ["read"] });
    let narrow = gate.realm.ok(&gate.caller, "token.issue", narrow).await;
    let narrow = narrow["token"]["secret"].as_str().unwrap();
    for (path, key, body, status, at, says) in [
        (
            "/v1/chat/completions",
            "wrong",
            ask("good", false),
            401,
            "/error/code",
            "invalid_api_key",
        ),
        (
            "/v1/messages",
            "wrong",
            ask("good", false),
            401,
            "/error/type",
            "authentication_error",
        ),
        (
            "/model/good/converse",
            "wrong",
            json!({ "messages": [] }),
            403,
            "/message",
            "RLT0015",
        ),
        (
            "/v1/chat/completions",
            gate.caller.as_str(),
            ask("none", false),
            404,
            "/error/code",
            "model_not_found",
        ),
        (
            "/v1/messages",
            gate.caller.as_str(),
            ask("none", false),
            404,
            "/error/type",
            "not_found_error",
        ),
        (
            "/v1/messages",
            stopped.as_str(),
            ask("good", false),
            403,
            "/error/message",
            "RLT",
        ),
        (
            "/v1/chat/completions",
            narrow,
            ask("good", false),
            403,
            "/error/message",
            "a token for models",
        ),
        (
            "/v1/chat/completions",
            gate.caller.as_str(),
            json!([1]),
            400,
            "/error/type",
            "invalid_request_error",
        ),
        (
            "/v1/nothing",
            gate.caller.as_str(),
            json!({}),
            404,
            "/error/message",
            "RLT0004",
        ),
        (
            "/v1/messages/count_tokens",
            stopped.as_str(),
            ask("good", false),
            403,
            "/error/message",
            "RLT",
        ),
    ] {
        let response = gate.raw(path, ("x-api-key", key), &body).await;
        assert_eq!(response.status().as_u16(), status, "{path}");
        assert_eq!(response.headers()["x-should-retry"], "false", "{path}");
        let told = response.into_body().collect().await.unwrap().to_bytes();
        let told: Value = serde_json::from_slice(&told).unwrap();
        let found = told.pointer(at).and_then(Value::as_str).unwrap_or_default();
        assert!(found.contains(says), "{path}: {told}");
    }
    assert_eq!(gate.upstream.asked.load(Ordering::SeqCst), 0);
    assert!(gate.calls().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_one_may_call_is_listed() {
    let gate = Gate::new("1", &[]).await;
    gate.deploy("good").await;
    let own = json!({ "model": "own", "provider": "house", "upstream": "good",
        "prices": { "per_million": { "input": "1", "output": "1" } } });
    gate.realm
        .ok(&gate.maker, "deployment.create", json!({ "terms": own }))
        .await;
    let key = [("x-api-key", gate.caller.as_str())];
    let send = |path: &'static str| gate.realm.send(Method::GET, path, &key, Vec::new());
    let (_, list) = send("/v1/models").await;
    let names: Vec<_> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["id"].clone())
        .collect();
    assert_eq!(names, ["good"]);
    assert_eq!(send("/v1/models/good").await.0, StatusCode::OK);
    assert_eq!(send("/v1/models/own").await.0, StatusCode::NOT_FOUND);
    let (status, _) = gate.chat(&ask("own", false)).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn renaming_a_provider_changes_no_route() {
    let mut orders = Vec::new();
    for names in [["alpha", "omega"], ["omega", "alpha"]] {
        let upstream = Upstream::default();
        let at = listening(upstream).await;
        let realm = Realm::new().await;
        let (maker, _) = realm.owner("maker").await;
        let (_, caller) = realm.owner("caller").await;
        let issue = json!({ "to": "@caller-agent", "amount": "1000" });
        realm.ok(&realm.operator, "ledger.issue", issue).await;
        let providers = names.map(|name| provider(name, at, PATIENCE));
        realm.gateway().apply(Settings {
            providers: Providers::new(providers, None).unwrap(),
            routes: BTreeMap::new(),
            programs: BTreeMap::new(),
        });
        for provider in names {
            let terms = json!({ "model": "good", "provider": provider, "upstream": "good", "open_to": "everyone",
                "prices": { "per_million": { "input": "1", "output": "1" } } });
            realm
                .ok(&maker, "deployment.create", json!({ "terms": terms }))
                .await;
        }
        let mut order = Vec::new();
        for _ in 0..12 {
            let request = Request::post("/v1/chat/completions")
                .header("content-type", "application/json")
                .header("x-api-key", &caller)
                .body(Body::from(ask("good", false).to_string()));
            let response = realm
                .router
                .clone()
                .oneshot(request.unwrap())
                .await
                .unwrap();
            order.push(response.headers()["rialto-deployment"].clone());
        }
        orders.push(order);
    }
    assert_eq!(orders[0], orders[1]);
}

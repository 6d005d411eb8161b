//! The door as a client meets it: called in the same process, on a realm in memory.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use rialto_core::text::Handle;
use rialto_core::time::Time;
use rialto_server::door::{Names, Rules};
use rialto_server::node::{Clock, Node, SeededChance, VirtualClock};
use rialto_server::realm::{Realm as Opened, Setup};
use rialto_server::reload::{self, Reloaded};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::described::checked;

const START_MS: u64 = 1_795_000_000_000;
/// The secret that reads a realm's metrics.
pub(crate) const METRICS: &str = "rlm_metrics";

pub(crate) struct Realm {
    pub(crate) node: Arc<Node>,
    pub(crate) router: Router,
    pub(crate) clock: VirtualClock,
    pub(crate) operator: String,
    opened: Opened,
}

impl Realm {
    pub(crate) async fn new() -> Self {
        let clock = VirtualClock::new(Time(START_MS));
        Self::driven_by(clock.clone(), clock).await
    }

    /// A realm by `driver`, which `clock` moves.
    pub(crate) async fn driven_by(driver: impl Clock + 'static, clock: VirtualClock) -> Self {
        let hosts = ["rialto.example".to_owned()];
        let names = Names::new(None, None, &hosts).unwrap();
        let (reloader, mut reloads) = reload::line();
        tokio::spawn(async move {
            while let Some(asked) = reloads.next().await {
                reloads.tell(Some(asked), Ok(Reloaded::default()));
            }
        });
        let setup = Setup::memory(Handle::new("test").unwrap())
            .driven_by(driver, SeededChance::new(1))
            .reloading(reloader)
            .with_rules(Rules::new(names, &[]).with_metrics_secret(METRICS));
        let opened = Opened::open(setup).await.unwrap();
        Self {
            node: opened.node().clone(),
            router: checked(opened.router()),
            clock,
            operator: opened.operator_token().unwrap().to_owned(),
            opened,
        }
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> (StatusCode, Value) {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self
            .router
            .clone()
            .oneshot(request.body(Body::from(body)).unwrap())
            .await
            .unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 64 << 20).await.unwrap();
        (
            status,
            serde_json::from_slice(&bytes)
                .unwrap_or(Value::String(String::from_utf8_lossy(&bytes).into())),
        )
    }

    /// The status alone, of what may never end.
    pub(crate) async fn status(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> StatusCode {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        response.status()
    }

    pub(crate) async fn op(&self, token: &str, op: &str, args: Value) -> (StatusCode, Value) {
        let bearer = format!("Bearer {token}");
        self.send(
            Method::POST,
            &format!("/api/{op}"),
            &[("authorization", &bearer)],
            args.to_string().into(),
        )
        .await
    }

    pub(crate) async fn ok(&self, token: &str, op: &str, args: Value) -> Value {
        let (status, answer) = self.op(token, op, args).await;
        assert_eq!(status, StatusCode::OK, "{op}: {answer}");
        answer
    }

    pub(crate) async fn refused(&self, token: &str, op: &str, args: Value) -> String {
        let (status, answer) = self.op(token, op, args).await;
        assert!(
            status.is_client_error() || status.is_server_error(),
            "{op} was accepted: {answer}"
        );
        answer["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> (StatusCode, Value) {
        let bearer = format!("Bearer {token}");
        self.send(Method::GET, path, &[("authorization", &bearer)], Vec::new())
            .await
    }

    /// An owner's admin token and one agent's token.
    pub(crate) async fn owner(&self, name: &str) -> (String, String) {
        let args = json!({ "name": name, "kind": "organisation" });
        let (status, answer) = self
            .send(
                Method::POST,
                "/api/owner.sign_up",
                &[],
                args.to_string().into(),
            )
            .await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        let admin = answer["token"]["secret"].as_str().unwrap().to_owned();
        let agent = self
            .ok(
                &admin,
                "agent.register",
                json!({ "handle": format!("{name}-agent") }),
            )
            .await;
        (admin, agent["token"]["secret"].as_str().unwrap().to_owned())
    }

    pub(crate) fn gateway(&self) -> &rialto_gateway::Gateway {
        self.opened.gateway()
    }

    pub(crate) fn stop(self) {
        drop(self.opened);
    }
}

/// Agrees on a deal between two fresh owners' agents and returns (seller's token, buyer's token, deal).
pub(crate) async fn agreed(realm: &Realm) -> (String, String, Value) {
    let (_, seller) = realm.owner("seller").await;
    let (_, buyer) = realm.owner("buyer").await;
    realm
        .ok(
            &realm.operator,
            "ledger.issue",
            json!({ "to": "@buyer-agent", "amount": "100" }),
        )
        .await;
    realm.ok(&seller, "listing.publish", json!({ "terms": { "title": "Tacos", "items": [{ "name": "Taco", "price": "3.50" }] } })).await;
    let opened = realm
        .ok(
            &buyer,
            "negotiation.open",
            json!({
                "with": "@seller-agent", "side": "buy", "valid_for_ms": 60_000,
                "terms": { "price": "3.50", "lines": [{ "item": "Taco" }] }
            }),
        )
        .await;
    let negotiation = opened["ids"]["neg"].clone();
    let (_, inbox) = realm.get(&seller, "/api/inbox").await;
    let hash = inbox["deliveries"][0]["event"]["market"]["offer_made"]["offer"]["hash"].clone();
    assert!(hash.is_string(), "{inbox}");
    let deal = realm
        .ok(
            &seller,
            "negotiation.accept",
            json!({ "negotiation": negotiation, "offer": hash }),
        )
        .await;
    (seller, buyer, deal["ids"]["deal"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_deal_through_the_door() {
    let realm = Realm::new().await;
    let (seller, buyer, deal) = agreed(&realm).await;
    let (_, accounts) = realm.get(&buyer, "/api/ledger/accounts").await;
    assert_eq!(accounts["items"][0]["pending_out"], "3.50", "{accounts}");
    realm
        .ok(
            &seller,
            "deal.deliver",
            json!({ "deal": deal, "body": "one taco" }),
        )
        .await;
    // What waits for an act says so until it is done, and from whom it is.
    let told = async |token: &str| {
        let (_, inbox) = realm.get(token, "/api/inbox").await;
        let last = inbox["deliveries"].as_array().unwrap().last().unwrap();
        (last["from"].clone(), last["answerable"] == true)
    };
    let (from, answerable) = told(&buyer).await;
    assert_eq!(from["agent"]["handle"], "@seller-agent", "{from}");
    assert!(answerable);
    let (_, inbox) = realm.get(&seller, "/api/inbox").await;
    assert_eq!(inbox["deliveries"][0]["answerable"], false, "{inbox}");
    realm
        .ok(&buyer, "deal.accept", json!({ "deal": deal }))
        .await;
    assert!(!told(&buyer).await.1);
    let (_, view) = realm
        .get(&buyer, &format!("/api/deals/{}", deal.as_str().unwrap()))
        .await;
    assert_eq!(view["deal"]["state"], "settled", "{view}");
    let (_, balance) = realm.get(&buyer, "/api/ledger/trial-balance").await;
    assert_eq!(balance["items"][0]["sum"], "0.00", "{balance}");
    let (_, trace) = realm
        .get(&seller, &format!("/api/trace/{}", deal.as_str().unwrap()))
        .await;
    assert_eq!(trace["gaps"], json!([]), "{trace}");
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_agents_and_people_are_found_by_what_people_call_them() {
    let realm = Realm::new().await;
    let (admin, _) = realm.owner("acme").await;
    let (other, _) = realm.owner("other").await;
    let op = &realm.operator;
    let (_, by_name) = realm.get(&admin, "/api/owners/acme").await;
    let id = by_name["id"].as_str().unwrap();
    assert_eq!(realm.get(op, "/api/owners/acme").await.1["id"], id);
    assert_eq!(
        realm.get(&other, "/api/owners/acme").await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        realm.get(&other, "/api/owners/none").await.0,
        StatusCode::NOT_FOUND
    );
    let (_, agents) = realm.get(op, "/api/agents?owner=acme").await;
    assert_eq!(
        agents["items"].as_array().map(Vec::len),
        Some(1),
        "{agents}"
    );
    let (_, me) = realm.get(&admin, "/api/whoami").await;
    let person = me["principal"]["id"].as_str().unwrap();
    for (reader, actor, events) in [
        (op, person, 1),
        (&admin, person, 1),
        (&other, person, 0),
        (op, "@acme-agent", 0),
    ] {
        let (_, log) = realm.get(reader, &format!("/api/log?actor={actor}")).await;
        let found = log["items"].as_array().map(Vec::len);
        assert_eq!(found, Some(events), "{actor}: {log}");
    }
    let (_, log) = realm.get(&admin, &format!("/api/log?actor={person}")).await;
    assert_eq!(log["items"][0]["by"], "person acme", "{log}");
    let (status, unknown) = realm.get(op, "/api/log?actor=@nobody").await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{unknown}");
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_makes_a_command_happen_once() {
    let realm = Realm::new().await;
    let (_, agent) = realm.owner("ana").await;
    let bearer = format!("Bearer {agent}");
    let key = format!("{}.order-1", START_MS / 1_000);
    let headers = [
        ("authorization", bearer.as_str()),
        ("idempotency-key", key.as_str()),
    ];
    let group = |title: &str| {
        json!({ "title": title, "members": [] })
            .to_string()
            .into_bytes()
    };
    let (_, first) = realm
        .send(Method::POST, "/api/mail.open_group", &headers, group("x"))
        .await;
    let (_, again) = realm
        .send(Method::POST, "/api/mail.open_group", &headers, group("x"))
        .await;
    assert_eq!(again["duplicate"], true, "{again}");
    assert_eq!(first["ids"], again["ids"]);
    let (status, other) = realm
        .send(Method::POST, "/api/mail.open_group", &headers, group("y"))
        .await;
    assert_eq!(
        (status, other["code"].as_str()),
        (StatusCode::CONFLICT, Some("RLT0013"))
    );
    let late = [
        ("authorization", bearer.as_str()),
        ("idempotency-key", "1.order-1"),
    ];
    let (_, old) = realm
        .send(Method::POST, "/api/mail.open_group", &late, group("x"))
        .await;
    assert_eq!(old["code"], "RLT0012");
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_has_a_clear_answer() {
    let realm = Realm::new().await;
    let (_, agent) = realm.owner("ana").await;
    let (_, other) = realm.owner("bob").await;
    let bearer = format!("Bearer {agent}");
    let auth: &[(&str, &str)] = &[("authorization", &bearer)];
    let raw: [(&str, &[u8], &str); 10] = [
        ("/api/mail.send", b"{", "RLT0001"),
        ("/api/mail.send", b"\xff\xfe", "RLT0001"),
        ("/api/mail.send", b"[]", "RLT0001"),
        ("/api/mail.send", b"{\"to\":{\"agent\":\"@bob-agent\"},\"body\":\"x\",\"extra\":1}", "RLT0001"),
        ("/api/mail.send", b"{\"to\":{\"agent\":\"@nobody\"},\"body\":\"x\"}", "RLT0103"),
        ("/api/ledger.transfer", b"{\"transfers\":[{\"post\":{\"from\":\"@ana-agent\",\"to\":\"@bob-agent\",\"amount\":\"-5\"}}]}", "RLT0008"),
        ("/api/ledger.transfer", b"{\"transfers\":[{\"post\":{\"from\":\"@ana-agent\",\"to\":\"@bob-agent\",\"amount\":5}}]}", "RLT0001"),
        ("/api/ledger.transfer", b"{\"transfers\":[{\"post\":{\"from\":\"@ana-agent\",\"to\":\"@bob-agent\",\"amount\":\"99999999999999999999999999999999999\"}}]}", "RLT0001"),
        ("/api/deal.accept", b"{\"deal\":\"deal_000000000001\"}", "RLT0103"),
        ("/api/no.such", b"{}", "RLT0002"),
    ];
    for (path, body, code) in raw {
        let (_, answer) = realm.send(Method::POST, path, auth, body.to_vec()).await;
        assert_eq!(
            answer["code"],
            code,
            "{path} {}: {answer}",
            String::from_utf8_lossy(body)
        );
        assert!(!answer["hint"].as_str().unwrap_or_default().is_empty());
    }
    let (status, _) = realm
        .send(Method::POST, "/api/mail.send", auth, vec![b' '; 17 << 20])
        .await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(
        realm.refused("rlt_wrong", "mail.send", json!({})).await,
        "RLT0015"
    );
    assert_eq!(
        realm
            .refused(&other, "realm.found", json!({ "name": "x", "key": "00" }))
            .await,
        "RLT0101"
    );
    let (status, answer) = realm.get(&agent, "/api/nothing/here").await;
    assert_eq!(
        (status, answer["code"].as_str()),
        (StatusCode::NOT_FOUND, Some("RLT0004"))
    );
    for (path, status, code) in [
        ("/api/nothing", StatusCode::NOT_FOUND, "RLT0004"),
        ("/api/mail.shout", StatusCode::NOT_FOUND, "RLT0004"),
        ("/api/mail.send", StatusCode::METHOD_NOT_ALLOWED, "RLT0005"),
    ] {
        let (had, answer) = realm.get(&agent, path).await;
        assert_eq!((had, &answer["code"]), (status, &json!(code)), "{path}");
    }
    let (status, _) = realm
        .send(Method::DELETE, "/api/realm", auth, Vec::new())
        .await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_yours_does_not_exist() {
    let realm = Realm::new().await;
    let (seller, _, deal) = agreed(&realm).await;
    let (_, stranger) = realm.owner("stranger").await;
    let deal = deal.as_str().unwrap();
    let (_, view) = realm.get(&seller, &format!("/api/deals/{deal}")).await;
    let hidden = ["deals", "trace"].map(|kind| format!("/api/{kind}/{deal}"));
    let more = [
        ("negotiations", "negotiation"),
        ("tasks", "task"),
        ("ledger/holds", "hold"),
    ];
    let more =
        more.map(|(kind, field)| format!("/api/{kind}/{}", view["deal"][field].as_str().unwrap()));
    for path in hidden.iter().chain(&more) {
        let (status, answer) = realm.get(&stranger, path).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}: {answer}");
    }
    for list in [
        "deals",
        "negotiations",
        "tasks",
        "ledger/holds",
        "conversations",
        "calls",
        "approvals",
    ] {
        let (_, page) = realm.get(&stranger, &format!("/api/{list}")).await;
        assert_eq!(page["items"], json!([]), "{list}");
    }
    assert_eq!(
        realm
            .refused(&stranger, "deal.accept", json!({ "deal": deal }))
            .await,
        "RLT0103"
    );
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_waits_for_what_comes() {
    let realm = Arc::new(Realm::new().await);
    let (_, a) = realm.owner("ana").await;
    let (admin, b) = realm.owner("bob").await;
    realm
        .ok(
            &admin,
            "agent.set_profile",
            json!({ "agent": "@bob-agent", "profile": { "contact": "open" } }),
        )
        .await;
    let waiting = realm.clone();
    let reader = tokio::spawn(async move { waiting.get(&b, "/api/inbox?wait_ms=20000").await });
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    realm
        .ok(
            &a,
            "mail.send",
            json!({ "to": { "agent": "@bob-agent" }, "body": "hello" }),
        )
        .await;
    let (_, page) = reader.await.unwrap();
    assert_eq!(page["deliveries"][0]["seq"], 1, "{page}");
    let texts = page["deliveries"][0]["texts"].as_object().unwrap();
    assert_eq!(texts.values().next(), Some(&json!([{ "text": "hello" }])));
    Arc::into_inner(realm).unwrap().stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_is_dead_when_its_revocation_is_answered() {
    let realm = Realm::new().await;
    let (admin, agent) = realm.owner("ana").await;
    let (_, who) = realm.get(&agent, "/api/whoami").await;
    let token = who["auth"]["token"].clone();
    realm
        .ok(&admin, "token.revoke", json!({ "token": token }))
        .await;
    let (status, _) = realm.get(&agent, "/api/whoami").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn erased_texts_are_gone_from_inbox_and_search() {
    let realm = Realm::new().await;
    let (_, a) = realm.owner("ana").await;
    let (admin, b) = realm.owner("bob").await;
    realm
        .ok(
            &admin,
            "agent.set_profile",
            json!({ "agent": "@bob-agent", "profile": { "contact": "open" } }),
        )
        .await;
    realm
        .ok(
            &a,
            "mail.send",
            json!({ "to": { "agent": "@bob-agent" }, "body": "unforgettable" }),
        )
        .await;
    let (_, before) = realm.get(&b, "/api/messages?text=unforgettable").await;
    assert_eq!(
        before["items"].as_array().map(Vec::len),
        Some(1),
        "{before}"
    );
    let (_, inbox) = realm.get(&b, "/api/inbox").await;
    let content = inbox["deliveries"][0]["texts"]
        .as_object()
        .unwrap()
        .keys()
        .next()
        .unwrap()
        .clone();
    let (_, before) = realm.get(&realm.operator, "/api/digest").await;
    realm
        .ok(
            &realm.operator,
            "realm.erase",
            json!({ "contents": [content] }),
        )
        .await;
    let (_, inbox) = realm.get(&b, "/api/inbox").await;
    assert_eq!(inbox["deliveries"][0]["texts"][&content], Value::Null);
    let (_, found) = realm.get(&b, "/api/messages?text=unforgettable").await;
    assert_eq!(found["items"], json!([]));
    let (_, after) = realm.get(&realm.operator, "/api/digest").await;
    assert_eq!(
        before["entities"], after["entities"],
        "erasing leaves the state as it was"
    );
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_answer_each_command() {
    let realm = Realm::new().await;
    let (_, agent) = realm.owner("ana").await;
    let batch = json!({ "commands": [
        { "op": "mail.open_group", "args": { "title": "x", "members": [] } },
        { "op": "deal.accept", "args": { "deal": "deal_000000000001" } },
        { "op": "nonsense" },
        { "op": "mail.open_group", "args": { "title": "y", "members": [] } },
    ] });
    let (status, answer) = realm.op(&agent, "commands", batch).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let outcomes = answer["outcomes"].as_array().unwrap();
    let kinds: Vec<&str> = outcomes
        .iter()
        .map(|o| o.as_object().unwrap().keys().next().unwrap().as_str())
        .collect();
    assert_eq!(kinds, ["accepted", "refused", "refused", "accepted"]);
    assert_eq!(outcomes[2]["refused"]["code"], "RLT0002");
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_is_refused_until_accepted() {
    let realm = Realm::new().await;
    let (_, agent) = realm.owner("ana").await;
    let later = realm.clock.now().after(2 * 3_600_000);
    realm.clock.set(later);
    let group = json!({ "title": "x", "members": [] });
    assert_eq!(
        realm
            .refused(&agent, "mail.open_group", group.clone())
            .await,
        "RLT0901"
    );
    realm.ok(&realm.operator, "clock.accept", json!({})).await;
    realm.ok(&agent, "mail.open_group", group).await;
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_that_nobody_reads_are_refused() {
    let realm = Realm::new().await;
    let description = rialto_server::door::describe();
    for (path, methods) in description["paths"].as_object().unwrap() {
        let get = &methods["get"];
        if !path.starts_with("/api/") || get.is_null() || path.ends_with("/stream") {
            continue;
        }
        let bare = path
            .replace("{agent}", "@nobody")
            .replace("{community}", "nothing")
            .replace("{position}", "1");
        let bare = bare.split('{').next().unwrap().to_owned();
        let bare = if path.ends_with('}') && bare.ends_with('/') {
            format!("{bare}x")
        } else if path.contains("{id}/") {
            path.replace("{id}", "x")
        } else {
            bare
        };
        let (status, answer) = realm
            .get(&realm.operator, &format!("{bare}?nonsense=1"))
            .await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {answer}");
        assert_eq!(answer["code"], "RLT0001", "{path}");
        let detail = answer["detail"].as_str().unwrap();
        assert!(
            detail.starts_with("unknown query parameter \"nonsense\""),
            "{path}: {detail}"
        );
        // What the description names is read: a value of the wrong form is noticed.
        for parameter in get["parameters"].as_array().unwrap() {
            if parameter["in"] != "query" {
                continue;
            }
            let name = parameter["name"].as_str().unwrap();
            let (_, answer) = realm
                .get(&realm.operator, &format!("{bare}?{name}=1"))
                .await;
            let detail = answer["detail"].as_str().unwrap_or_default();
            assert!(
                !detail.contains("unknown query") && !detail.contains("unknown field"),
                "{path}?{name}: {detail}"
            );
        }
    }
    let (_, answer) = realm.get(&realm.operator, "/api/log?cursor=k1").await;
    assert_eq!(
        answer["detail"],
        "unknown query parameter \"cursor\"; this address takes after, limit, kind, actor, min_position, quarantined"
    );
    let (status, _) = realm.get(&realm.operator, "/api/log?limit=1&limit=2").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_is_asked_for_within_its_bounds() {
    let realm = Realm::new().await;
    let (_, a) = realm.owner("ana").await;
    let (_, b) = realm.owner("bob").await;
    realm
        .ok(
            &a,
            "mail.send",
            json!({ "to": { "agent": "@bob-agent" }, "body": "hello" }),
        )
        .await;
    for (query, want) in [
        ("", Ok(1)),
        ("?limit=1", Ok(1)),
        ("?limit=100", Ok(1)),
        ("?limit=0", Err("RLT0001")),
        ("?limit=101", Err("RLT0001")),
        ("?limit=-1", Err("RLT0001")),
        ("?wait_ms=30001", Err("RLT0001")),
        ("?after=0", Ok(1)),
        ("?after=1", Ok(0)),
        ("?after=2", Err("RLT0205")),
        ("?after=18446744073709551615", Err("RLT0205")),
        ("?after=18446744073709551616", Err("RLT0001")),
        ("?before=1", Err("RLT0001")),
    ] {
        let (status, answer) = realm.get(&b, &format!("/api/inbox{query}")).await;
        match want {
            Ok(count) => assert_eq!(
                answer["deliveries"].as_array().map(Vec::len),
                Some(count),
                "{query}: {answer}"
            ),
            Err(code) => assert_eq!(
                (status, answer["code"].as_str()),
                (StatusCode::BAD_REQUEST, Some(code)),
                "{query}: {answer}"
            ),
        }
    }
    let bearer = format!("Bearer {b}");
    for (last, code) in [
        ("2", "RLT0205"),
        ("18446744073709551615", "RLT0205"),
        ("x", "RLT0001"),
    ] {
        let headers = [("authorization", bearer.as_str()), ("last-event-id", last)];
        let (status, answer) = realm
            .send(Method::GET, "/api/inbox/stream", &headers, Vec::new())
            .await;
        assert_eq!(
            (status, answer["code"].as_str()),
            (StatusCode::BAD_REQUEST, Some(code)),
            "{last}: {answer}"
        );
    }
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn arrays_do_not_pass_for_objects() {
    let realm = Realm::new().await;
    let (_, agent) = realm.owner("ana").await;
    let group = json!({ "title": "x", "members": [] });
    for (path, body) in [
        (
            "commands",
            json!([[{ "op": "mail.open_group", "args": group }]]),
        ),
        (
            "commands",
            json!({ "commands": [["mail.open_group", group]] }),
        ),
        ("mail.open_group", json!([[], "x"])),
        ("search/listings", json!([["Taco"]])),
    ] {
        assert_eq!(
            realm.refused(&agent, path, body.clone()).await,
            "RLT0001",
            "{path} {body}"
        );
    }
    let batch = json!({ "commands": [{ "op": "mail.open_group", "args": [[], "x"] }] });
    let (_, answer) = realm.op(&agent, "commands", batch).await;
    assert_eq!(
        answer["outcomes"][0]["refused"]["code"], "RLT0001",
        "{answer}"
    );
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_agent_is_listed_for_its_own() {
    let realm = Realm::new().await;
    let (admin, _) = realm.owner("ana").await;
    let (stranger, _) = realm.owner("bob").await;
    let subject = json!({ "subject": { "agent": "@ana-agent" } });
    realm.ok(&admin, "identity.suspend", subject).await;
    for (token, status) in [
        (&admin, Some("suspended")),
        (&realm.operator, Some("suspended")),
        (&stranger, None),
    ] {
        let (_, page) = realm.get(token, "/api/agents").await;
        let items = page["items"].as_array().unwrap();
        let agent = items.iter().find(|a| a["handle"] == "@ana-agent");
        assert_eq!(
            agent.map(|a| a["status"].as_str().unwrap()),
            status,
            "{page}"
        );
    }
    let (_, page) = realm
        .send(Method::GET, "/api/agents", &[], Vec::new())
        .await;
    assert_eq!(page["items"].as_array().map(Vec::len), Some(1), "{page}");
    realm.stop();
}

#[tokio::test]
async fn a_path_that_is_no_text_is_answered_as_a_problem() {
    let realm = Realm::new().await;
    let auth = format!("Bearer {}", realm.operator);
    for path in ["/api/deals/%ff", "/api/agents/%c3%28", "/errors/%ff"] {
        let headers = [("authorization", auth.as_str())];
        let (status, said) = realm.send(Method::GET, path, &headers, Vec::new()).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}: {said}");
        assert_eq!(said["code"], "RLT0004", "{path}: {said}");
    }
}

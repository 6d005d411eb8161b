//! Who stands, on which clock, and what an owner sees: over the door, as users meet it.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use rialto_core::time::{HOUR_MS, MINUTE_MS};
use rialto_server::node::Clock;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::door::Realm;

/// A post to an operation as an agent, with an idempotency key.
async fn keyed(realm: &Realm, token: &str, agent: &str, key: &str) -> Value {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("rialto-agent", agent),
        ("idempotency-key", key),
    ];
    let body = json!({ "body": "the same words" }).to_string().into();
    let (status, answer) = realm
        .send(Method::POST, "/api/social.post", &headers, body)
        .await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_counts_for_who_acts() {
    let realm = Realm::new().await;
    let (admin, _) = realm.owner("ana").await;
    let second = json!({ "handle": "second" });
    realm.ok(&admin, "agent.register", second).await;
    let key = format!("{}.post", realm.clock.now().0 / 1_000);
    let a = keyed(&realm, &admin, "@ana-agent", &key).await;
    let b = keyed(&realm, &admin, "@second", &key).await;
    assert_eq!(b.get("duplicate"), None, "{b}");
    assert_ne!(a["ids"]["post"], b["ids"]["post"]);
    // However the agent is named.
    let (_, card) = realm.get(&admin, "/api/agents/@second").await;
    let again = keyed(&realm, &admin, card["id"].as_str().unwrap(), &key).await;
    assert_eq!(again["duplicate"], true);
    assert_eq!(again["ids"]["post"], b["ids"]["post"]);
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_says_what_the_clock_is_up_to() {
    let realm = Realm::new().await;
    let ready = async || {
        let request = Request::get("/readyz").body(Body::empty()).unwrap();
        let response = realm.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    };
    let (_, agent) = realm.owner("ana").await;
    let group = json!({ "title": "x", "members": [] });
    realm.ok(&agent, "mail.open_group", group.clone()).await;
    assert_eq!(ready().await, (StatusCode::OK, "ready\n".to_owned()));
    let start = realm.clock.now();
    realm.clock.set(start.after(30 * 24 * HOUR_MS));
    let (status, text) = ready().await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(text.contains("rialto clock accept"), "{text}");
    let op = "clock.accept";
    realm.ok(&realm.operator, op, json!({})).await;
    assert_eq!(ready().await.1, "ready\n");
    realm.clock.set(start);
    let (status, text) = ready().await;
    assert_eq!(status, StatusCode::OK);
    assert!(text.contains("rialto clock back"), "{text}");
    let (_, shown) = realm.get(&agent, "/api/realm").await;
    assert_eq!(shown["clock"]["state"], "ahead");
    // New keys are taken meanwhile, and a token of a second ends after one.
    let key = format!("{}.new", start.0 / 1_000 + 1);
    let (admin, _) = realm.owner("bob").await;
    keyed(&realm, &admin, "@bob-agent", &key).await;
    let subject = json!({ "subject": { "agent": "@bob-agent" }, "expires_in_ms": 1_000 });
    let issued = realm.ok(&admin, "token.issue", subject).await;
    let short = issued["token"]["secret"].as_str().unwrap();
    realm.ok(short, "mail.open_group", group.clone()).await;
    realm.clock.advance_ms(1_100);
    let refused = realm.refused(short, "mail.open_group", group.clone()).await;
    assert_eq!(refused, "RLT0106");
    realm.ok(&realm.operator, "clock.set_back", json!({})).await;
    assert_eq!(ready().await.1, "ready\n");
    let said = realm.get(&realm.operator, "/api/log?kind=realm.clock_set_back");
    let (_, log) = said.await;
    let said = log["items"][0]["said"][0].as_str().unwrap();
    assert!(said.starts_with("set the clock back from"), "{said}");
    realm.stop();
}

/// The text of a stream until it ends.
async fn to_its_end(realm: &Realm, path: &str, token: &str) -> String {
    let request = Request::get(path)
        .header("authorization", format!("Bearer {token}"))
        .body(Body::empty())
        .unwrap();
    let response = realm.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let whole = to_bytes(response.into_body(), 1 << 20);
    let whole = tokio::time::timeout(Duration::from_secs(20), whole).await;
    let bytes = whole.expect("the stream ends").unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn open_streams_end_with_whoever_follows_them() {
    let realm = Realm::new().await;
    let stop = |who: &'static str| json!({ "subject": { "agent": who } });
    for (path, name, handle, by_owner) in [
        ("/api/inbox/stream", "ana", "@ana-agent", false),
        (
            "/api/feed/stream?feed=following",
            "bob",
            "@bob-agent",
            false,
        ),
        ("/api/inbox/stream", "cid", "@cid-agent", true),
    ] {
        let (admin, agent) = realm.owner(name).await;
        let followed = to_its_end(&realm, path, &agent);
        let stopped = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            match by_owner {
                true => {
                    realm
                        .ok(&admin, "owner.stop", json!({ "stop": true }))
                        .await
                }
                false => realm.ok(&admin, "identity.suspend", stop(handle)).await,
            };
        };
        let (text, ()) = tokio::join!(followed, stopped);
        assert!(text.contains("RLT0105"), "{path}: {text}");
        let again = realm.get(&agent, "/api/inbox").await;
        assert_eq!(again.1["code"], "RLT0105");
    }
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_person_reads_nothing() {
    let realm = Realm::new().await;
    let (admin, _) = realm.owner("ana").await;
    let (_, me) = realm.get(&admin, "/api/whoami").await;
    let owner = me["owner"].as_str().unwrap();
    let args = json!({ "owner": owner, "name": "eve", "role": "admin" });
    let eve = realm.ok(&admin, "person.add", args).await;
    let token = eve["token"]["secret"].as_str().unwrap();
    let subject = json!({ "subject": { "person": eve["ids"]["person"] } });
    realm.ok(&admin, "identity.suspend", subject.clone()).await;
    for path in [
        format!("/api/owners/{owner}/export"),
        "/api/tokens".to_owned(),
        "/api/whoami".to_owned(),
        "/api/ledger/trial-balance".to_owned(),
    ] {
        let (status, answer) = realm.get(token, &path).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(answer["code"], "RLT0105");
        assert_eq!(answer["detail"], "person eve");
    }
    realm.ok(&admin, "identity.resume", subject).await;
    let (status, _) = realm.get(token, "/api/tokens").await;
    assert_eq!(status, StatusCode::OK);
    realm.stop();
}

/// What the log says to a token, a line each.
async fn said(realm: &Realm, token: &str, path: &str) -> Vec<String> {
    let (status, log) = realm.get(token, path).await;
    assert_eq!(status, StatusCode::OK, "{log}");
    let items = log["items"].as_array().unwrap().iter();
    let lines = items.flat_map(|item| item["said"].as_array().into_iter().flatten());
    lines
        .map(|line| line.as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_reads_what_concerns_its_agents_and_money() {
    let realm = Realm::new().await;
    let (buyer_admin, buyer) = realm.owner("buyer").await;
    let (_, seller) = realm.owner("seller").await;
    let (stranger, _) = realm.owner("stranger").await;
    let issue = json!({ "to": "@buyer-agent", "amount": "100" });
    realm.ok(&realm.operator, "ledger.issue", issue).await;
    let stall =
        json!({ "terms": { "title": "Tacos", "items": [{ "name": "Taco", "price": "3" }] } });
    realm.ok(&seller, "listing.publish", stall).await;
    let limits = json!({ "node": { "agent": "@buyer-agent" }, "per_deal": "50", "per_period": "90", "period_ms": HOUR_MS });
    realm.ok(&buyer_admin, "policy.set_allowance", limits).await;
    let offer = json!({ "with": "@seller-agent", "side": "buy", "valid_for_ms": MINUTE_MS, "terms": { "price": "3" } });
    let opened = realm.ok(&buyer, "negotiation.open", offer).await;
    let accept = json!({ "negotiation": opened["ids"]["neg"], "offer": opened["offer"] });
    let agreed = realm.ok(&seller, "negotiation.accept", accept).await;
    let subject = json!({ "subject": { "agent": "@buyer-agent" } });
    realm
        .ok(&realm.operator, "identity.suspend", subject.clone())
        .await;
    let lines = said(&realm, &buyer_admin, "/api/log?limit=100").await;
    let deal = agreed["ids"]["deal"].as_str().unwrap();
    for wanted in [
        "issued 100.00 USD to @buyer-agent".to_owned(),
        "set the allowance of @buyer-agent: 50.00 USD a deal, 90.00 USD in 1 h".to_owned(),
        format!("held 3.00 USD from @buyer-agent to @seller-agent for {deal}"),
        "suspended @buyer-agent".to_owned(),
    ] {
        assert!(lines.contains(&wanted), "{wanted} in {lines:#?}");
    }
    // The same at its position, and the console shows the same lines.
    let at = format!("/api/log/{}", agreed["position"]);
    let (status, whole) = realm.get(&buyer_admin, &at).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        whole.get("auth").is_none() && whole.get("key").is_none(),
        "{whole}"
    );
    let (status, _) = realm.get(&stranger, &at).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let others = said(&realm, &stranger, "/api/log?limit=100").await;
    assert!(
        !others.iter().any(|line| line.contains("@buyer")),
        "{others:#?}"
    );
    realm.ok(&realm.operator, "identity.resume", subject).await;
    let lines = said(&realm, &buyer, "/api/log?kind=identity.agent_switched").await;
    assert_eq!(lines, ["suspended @buyer-agent", "resumed @buyer-agent"]);
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_teams_limits_are_its_owners_affair_whoever_asks() {
    let realm = Realm::new().await;
    let (admin, lead) = realm.owner("buyer").await;
    let (foreign, spender) = realm.owner("seller").await;
    let made = realm
        .ok(&lead, "team.create", json!({ "name": "crew" }))
        .await;
    let team = made["ids"]["team"].as_str().unwrap();
    let issue = json!({ "to": team, "amount": "100" });
    realm.ok(&realm.operator, "ledger.issue", issue).await;
    let invite = json!({ "team": team, "agent": "@seller-agent", "role": "spender" });
    realm.ok(&lead, "team.invite", invite).await;
    // Who is only invited sees the team, and not what it has.
    let (_, accounts) = realm.get(&admin, "/api/ledger/accounts").await;
    let account = accounts["items"][0]["id"].as_str().unwrap();
    for path in [
        format!("/api/ledger/accounts/{account}"),
        format!("/api/teams/{team}"),
    ] {
        let (status, _) = realm.get(&spender, &path).await;
        let seen = path.starts_with("/api/teams");
        assert_eq!(status == StatusCode::OK, seen, "{path}: {status}");
    }
    let join = json!({ "team": team, "join": true });
    realm.ok(&spender, "team.join", join).await;
    let (status, _) = realm
        .get(&spender, &format!("/api/ledger/accounts/{account}"))
        .await;
    assert_eq!(status, StatusCode::OK);
    let limits = json!({ "node": { "team": team }, "approval_above": "2" });
    realm.ok(&admin, "policy.set_allowance", limits).await;
    let post = json!({ "post": { "from": team, "to": "@seller-agent", "amount": "50" } });
    let parked = realm
        .ok(&spender, "ledger.transfer", json!({ "transfers": [post] }))
        .await;
    let path = format!("/api/approvals/{}", parked["waits_for"].as_str().unwrap());
    for (who, budgets) in [(&admin, 1), (&foreign, 0), (&spender, 0)] {
        let (status, shown) = realm.get(who, &path).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(shown["budgets"].as_array().unwrap().len(), budgets);
        assert_eq!(shown["available"].is_null(), budgets == 0);
    }
    let (_, waiting) = realm.get(&admin, "/api/approvals").await;
    assert_eq!(waiting["items"].as_array().unwrap().len(), 1);
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_shows_what_a_yes_binds_to() {
    let realm = Realm::new().await;
    let (admin, buyer) = realm.owner("buyer").await;
    let (_, seller) = realm.owner("seller").await;
    let issue = json!({ "to": "@buyer-agent", "amount": "100" });
    realm.ok(&realm.operator, "ledger.issue", issue).await;
    let stall = json!({ "terms": { "title": "Rope" } });
    realm.ok(&seller, "listing.publish", stall).await;
    let limits =
        json!({ "node": { "agent": "@buyer-agent" }, "per_period": "80", "approval_above": "50" });
    realm.ok(&admin, "policy.set_allowance", limits).await;
    let offer = json!({
        "with": "@seller-agent", "side": "buy", "valid_for_ms": MINUTE_MS, "note": "for the boat",
        "terms": { "price": "60", "lines": [{ "item": "Rope", "quantity": 2 }], "deliver_within_ms": HOUR_MS },
    });
    let parked = realm.ok(&buyer, "negotiation.open", offer).await;
    let approval = parked["waits_for"].as_str().unwrap();
    assert_eq!(parked["ids"], json!({ "appr": approval }));
    let path = format!("/api/approvals/{approval}");
    let (_, shown) = realm.get(&admin, &path).await;
    assert_eq!(shown["act"], "offer");
    assert_eq!(shown["with"]["handle"], "@seller-agent");
    assert_eq!(shown["lines"], json!([{ "item": "Rope", "quantity": 2 }]));
    assert_eq!(shown["bargain"]["deliver_within_ms"], HOUR_MS);
    assert_eq!(shown["bargain"]["price"], "60.00");
    let words = json!([{ "text": "for the boat" }]);
    assert_eq!(shown["note"]["body"], words);
    assert_eq!(shown["available"], "100.00");
    assert_eq!(shown["asked_by"]["kind"], "agent");
    let budget = &shown["budgets"][0];
    assert_eq!(budget["left"], "80.00");
    assert_eq!(budget["asks"], true);
    let (_, list) = realm.get(&admin, "/api/approvals").await;
    assert_eq!(list["items"][0]["summary"], "Rope 2 from @seller-agent");
    // And who gets the money, where a team is paid.
    let crew = realm
        .ok(&seller, "team.create", json!({ "name": "crew" }))
        .await;
    let crew = crew["ids"]["team"].clone();
    let (_, card) = realm.get(&seller, "/api/agents/@seller-agent").await;
    let shares = json!([{ "agent": card["id"], "ppm": 1_000_000 }]);
    let split = json!({ "team": crew, "shares": shares });
    realm.ok(&seller, "team.propose_split", split.clone()).await;
    realm.ok(&seller, "team.agree_split", split).await;
    let terms = |price: &str| json!({ "price": price, "payee_team": crew });
    let sale = json!({
        "with": "@buyer-agent", "side": "sell", "valid_for_ms": MINUTE_MS, "terms": terms("70"),
    });
    let open = json!({ "agent": "@buyer-agent", "profile": { "contact": "open" } });
    realm.ok(&buyer, "agent.set_profile", open).await;
    let opened = realm.ok(&seller, "negotiation.open", sale).await;
    let answer = json!({
        "negotiation": opened["ids"]["neg"], "valid_for_ms": MINUTE_MS, "terms": terms("60"),
    });
    let parked = realm.ok(&buyer, "negotiation.counter", answer).await;
    let other = parked["waits_for"].as_str().unwrap();
    let (_, shown) = realm.get(&admin, &format!("/api/approvals/{other}")).await;
    let paid = &shown["payee_team"];
    assert_eq!((&paid["id"], &paid["name"]), (&crew, &json!("crew")));
    assert_eq!(paid["shares"][0]["agent"]["handle"], "@seller-agent");
    assert_eq!(paid["shares"][0]["ppm"], 1_000_000);
    let yes = json!({ "approval": approval, "approve": true });
    realm.ok(&admin, "policy.answer_approval", yes).await;
    // The other side reads the words that were parked with the offer.
    let (_, inbox) = realm.get(&seller, "/api/inbox").await;
    let all = inbox["deliveries"].as_array().unwrap();
    let mut texts = all.iter().filter_map(|one| one["texts"].as_object());
    assert!(texts.any(|texts| texts.values().next() == Some(&words)));
    realm.stop();
}

//! Texts and names as a client meets them: what leaks, what deceives, what is found.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::console::{get, sign_in};
use crate::door::{Realm, agreed};

async fn dead(realm: &Realm, token: &str) -> bool {
    realm.get(token, "/api/whoami").await.0 == StatusCode::UNAUTHORIZED
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_with_a_live_token_is_quarantined_and_ends_it() {
    let realm = Realm::new().await;
    let (_, ann) = realm.owner("ann").await;
    let (bobs, bob) = realm.owner("bob").await;
    let found = format!("Found this on the floor:{bob}, whose is it?");
    let post = realm
        .ok(&ann, "social.post", json!({ "body": found }))
        .await;
    let path = format!("/api/posts/{}", post["ids"]["post"].as_str().unwrap());
    let (_, seen) = realm.get(&ann, &path).await;
    let body = &seen["body"];
    assert_eq!(
        body["screening"],
        json!({ "source": "realm:tokens", "labels": ["live_token"], "quarantined": true }),
        "{seen}"
    );
    assert_eq!(
        (&body["body"], &body["withheld"]),
        (&Value::Null, &json!(true))
    );
    assert_eq!(body["labels"], json!(["by_agent", "live_token"]));
    assert!(dead(&realm, &bob).await && !dead(&realm, &ann).await);
    // Its owner sees what came of it, and others nothing.
    let (_, tokens) = realm.get(&bobs, "/api/tokens").await;
    let leaked = |t: &&Value| t["leaked"].is_string() && t["ended"] == t["leaked"];
    let items = tokens["items"].as_array().unwrap();
    assert_eq!(items.iter().filter(leaked).count(), 1, "{tokens}");
    // A dead token is plain text.
    let again = realm
        .ok(&ann, "social.post", json!({ "body": found }))
        .await;
    let path = format!("/api/posts/{}", again["ids"]["post"].as_str().unwrap());
    let (_, seen) = realm.get(&ann, &path).await;
    assert_eq!(seen["body"]["screening"], Value::Null, "{seen}");
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_caught_wherever_bodies_pass() {
    let realm = Realm::new().await;
    let (ann, agent) = realm.owner("ann").await;
    let (bob, _) = realm.owner("bob").await;
    realm
        .ok(
            &bob,
            "agent.set_profile",
            json!({ "agent": "@bob-agent", "profile": { "contact": "open" } }),
        )
        .await;
    let task = realm
        .ok(
            &ann,
            "task.create",
            json!({ "worker": "@ann-agent", "body": "x" }),
        )
        .await["ids"]["task"]
        .clone();
    let terms = |text: &str| json!({ "terms": { "title": "x", "description": text } });
    let fresh = async || {
        let args = json!({ "subject": { "agent": "@bob-agent" } });
        let issued = realm.ok(&bob, "token.issue", args).await;
        issued["token"]["secret"].as_str().unwrap().to_owned()
    };
    for number in 0..6 {
        let token = fresh().await;
        let text = format!("key={token};");
        let (op, args) = match number {
            0 => (
                "mail.send",
                json!({ "to": { "agent": "@bob-agent" }, "body": text }),
            ),
            1 => ("listing.publish", terms(&text)),
            2 => (
                "agent.set_profile",
                json!({ "agent": "@ann-agent", "profile": { "description": text } }),
            ),
            3 => (
                "task.add_artifact",
                json!({ "task": task, "name": "notes", "body": [{ "data": { "deep": [text] } }] }),
            ),
            4 => (
                "community.create",
                json!({ "name": "keys", "rules": text, "entry": "open" }),
            ),
            _ => (
                "social.post",
                json!({ "body": [{ "file": { "name": "a", "media_type": "b", "uri": text } }] }),
            ),
        };
        realm.ok(&agent, op, args).await;
        assert!(dead(&realm, &token).await, "{op}");
    }
    // Spelled with an escape of JSON it is the same text.
    let token = fresh().await;
    let escaped = format!("{{\"body\": \"\\u0072{}\"}}", &token[1..]);
    let bearer = format!("Bearer {agent}");
    let headers = [("authorization", bearer.as_str())];
    let path = "/api/social.post";
    let (status, _) = realm
        .send(axum::http::Method::POST, path, &headers, escaped.into())
        .await;
    assert_eq!(status, StatusCode::OK);
    assert!(dead(&realm, &token).await);
    // Whoever sends its own is heard once more.
    realm
        .ok(&agent, "social.post", json!({ "body": agent }))
        .await;
    assert!(dead(&realm, &agent).await && !dead(&realm, &ann).await);
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_of_a_message_is_known_by_its_whole_body() {
    let realm = Realm::new().await;
    let (admin, ann) = realm.owner("ann").await;
    realm.owner("bob").await;
    let second = json!({ "handle": "ann-two" });
    realm.ok(&admin, "agent.register", second).await;
    let settings = json!({
        "sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0,
        "agents_per_owner": 0, "message_id_bytes": 320, "keep_message_ids_ms": 60_000,
    });
    realm
        .ok(&realm.operator, "policy.set_settings", settings)
        .await;
    let message = |id: &str, to: &str, body: Value| json!({ "to": { "agent": to }, "client_id": id, "body": body });
    let body = json!([{ "text": "pay" }, { "data": { "sum": 10 } }]);
    let id = "0f8fad5b-d9cb-469f-a165-70867728950e";
    let same = message(id, "@ann-two", body);
    let first = realm.ok(&ann, "mail.send", same.clone()).await;
    let again = realm.ok(&ann, "mail.send", same.clone()).await;
    assert_eq!(again["duplicate"], true, "{again}");
    assert_eq!(first["ids"]["msg"], again["ids"]["msg"]);
    // Bodies of the same length, and the same body to somebody else.
    for (to, body) in [
        (
            "@ann-two",
            json!([{ "text": "pay" }, { "data": { "sum": 90 } }]),
        ),
        (
            "@ann-two",
            json!([{ "text": "PAY" }, { "data": { "sum": 10 } }]),
        ),
        ("@bob-agent", same["body"].clone()),
    ] {
        let (status, refused) = realm.op(&ann, "mail.send", message(id, to, body)).await;
        assert_eq!(status, StatusCode::CONFLICT, "{refused}");
        assert_eq!(refused["code"], "RLT0209");
    }
    // The window is full of the one id, for its minute.
    let next = message("next", "@ann-two", json!("more"));
    let (status, refused) = realm.op(&ann, "mail.send", next.clone()).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused["code"], "RLT0027");
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains("room again at"), "{detail}");
    realm.clock.advance_ms(60_000);
    realm.ok(&ann, "mail.send", next).await;
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_holds_a_live_token() {
    let realm = Realm::new().await;
    let (_, ann) = realm.owner("ann").await;
    let (_, bob) = realm.owner("bob").await;
    let endpoint = format!("https://example.org/?k={bob}");
    for (op, args) in [
        ("listing.publish", json!({ "terms": { "title": bob } })),
        (
            "listing.publish",
            json!({ "terms": { "title": "x", "tags": [format!("my {bob}")] } }),
        ),
        (
            "agent.set_profile",
            json!({ "agent": "@ann-agent", "profile": { "endpoint": endpoint } }),
        ),
        (
            "mail.send",
            json!({ "to": { "agent": "@bob-agent" }, "body": "x", "client_id": bob }),
        ),
    ] {
        let code = realm.refused(&ann, op, args.clone()).await;
        assert!(
            code == "RLT0030" || op == "mail.send" && code == "RLT0001",
            "{op} {args}: {code}"
        );
    }
    assert!(!dead(&realm, &bob).await, "nobody has seen it");
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_like_a_known_one_carries_its_mark_wherever_it_stands() {
    let realm = Realm::new().await;
    let (seller, buyer, deal) = agreed(&realm).await;
    let deal = json!({ "deal": deal, "body": "done" });
    realm.ok(&seller, "deal.deliver", deal.clone()).await;
    realm
        .ok(&buyer, "deal.accept", json!({ "deal": deal["deal"] }))
        .await;
    let (_, who) = realm.get(&seller, "/api/whoami").await;
    let known = who["handle"].as_str().unwrap().to_owned();
    let (eve, _) = realm.owner("eve").await;
    let register = |handle: String| json!({ "handle": handle });
    let same = format!("{}-", known.trim_start_matches('@'));
    assert_eq!(
        realm.refused(&eve, "agent.register", register(same)).await,
        "RLT0131"
    );
    assert_eq!(
        realm
            .refused(&eve, "agent.register", register("support".into()))
            .await,
        "RLT0130"
    );
    let near = format!("{known}s");
    let answer = realm
        .ok(&eve, "agent.register", register(near.clone()))
        .await;
    let token = answer["token"]["secret"].as_str().unwrap();
    realm
        .ok(token, "social.post", json!({ "body": "buy from me" }))
        .await;
    let item = json!({ "name": "Taco", "price": "1" });
    realm
        .ok(
            token,
            "listing.publish",
            json!({ "terms": { "title": "x", "items": [item] } }),
        )
        .await;
    let (_, card) = realm.get(&eve, &format!("/api/agents/{near}")).await;
    assert_eq!(card["resembles"], known, "{card}");
    let (_, card) = realm.get(&eve, &format!("/api/agents/{known}")).await;
    assert_eq!(card["resembles"], Value::Null, "{card}");
    let (_, posts) = realm.get(&eve, "/api/posts?text=buy").await;
    assert_eq!(posts["items"][0]["author"]["resembles"], known, "{posts}");
    let (_, listings) = realm
        .get(&eve, &format!("/api/agents/{near}/listings"))
        .await;
    assert_eq!(
        listings["items"][0]["seller_resembles"], known,
        "{listings}"
    );
    let deal = bought(&realm, token, &seller, &near, &known).await;
    let task = json!({ "worker": known, "body": "help" });
    let task = realm.ok(token, "task.create", task).await["ids"]["task"].clone();
    let (_, accounts) = realm.get(&seller, "/api/ledger/accounts").await;
    let account = accounts["items"][0]["id"].as_str().unwrap();
    let statement = format!("/ledger/accounts/{account}");
    let (_, rows) = realm
        .get(&seller, &format!("/api{statement}/entries"))
        .await;
    assert_eq!(rows["items"][0]["counterparty_resembles"], known, "{rows}");
    let (_, trace) = realm
        .get(&seller, &format!("/api/trace/{}", text(&deal)))
        .await;
    assert!(
        has(&trace["hops"], &|hop| hop["who_resembles"] == known),
        "{trace}"
    );
    let (_, report) = realm.get(&eve, "/api/report/accounts?by=agent").await;
    let marked = |row: &Value| row["resembles"]["agent"] == known;
    assert!(has(&report["rows"], &marked), "{report}");
    let cookie = sign_in(&realm, &realm.operator).await;
    for page in [
        "/",
        "/log",
        "/tasks",
        "/accounts?by=agent",
        &statement,
        &format!("/trace/{}", text(&task)),
        &format!("/square?by={near}"),
    ] {
        let shown = get(&realm, &cookie, page).await.text;
        let bare = shown.matches(&format!(">{near}</a>")).count();
        let marks = shown.matches(&format!(">not {known}</span>")).count();
        assert!(
            marks > 0 && marks >= bare,
            "{page}: {bare} handles, {marks} marks"
        );
    }
    realm.stop();
}

fn text(id: &Value) -> &str {
    id.as_str().unwrap()
}

fn has(rows: &Value, wanted: &dyn Fn(&Value) -> bool) -> bool {
    rows.as_array().unwrap().iter().any(wanted)
}

/// A deal that one agent buys of another and pays for.
async fn bought(realm: &Realm, buyer: &str, seller: &str, named: &str, of: &str) -> Value {
    let credit = json!({ "to": named, "amount": "10" });
    realm.ok(&realm.operator, "ledger.issue", credit).await;
    let offer = json!({ "with": of, "side": "buy", "valid_for_ms": 60_000,
        "terms": { "price": "3.50", "lines": [{ "item": "Taco" }] } });
    let talk = realm.ok(buyer, "negotiation.open", offer).await["ids"]["neg"].clone();
    let path = format!("/api/negotiations/{}", text(&talk));
    let (_, seen) = realm.get(seller, &path).await;
    let accept = json!({ "negotiation": talk, "offer": seen["offers"][0]["hash"] });
    let deal = realm.ok(seller, "negotiation.accept", accept).await["ids"]["deal"].clone();
    let done = json!({ "deal": deal, "body": "done" });
    realm.ok(seller, "deal.deliver", done).await;
    let fine = json!({ "deal": deal });
    realm.ok(buyer, "deal.accept", fine).await;
    deal
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_hide_something_are_refused_at_the_door() {
    let realm = Realm::new().await;
    let (admin, agent) = realm.owner("ann").await;
    let (_, who) = realm.get(&admin, "/api/whoami").await;
    let dirty = "Taco\u{202e}ocaT";
    for (token, op, args) in [
        (
            &agent,
            "listing.publish",
            json!({ "terms": { "title": dirty } }),
        ),
        (&agent, "team.create", json!({ "name": "pаypal" })),
        (
            &admin,
            "person.add",
            json!({ "owner": who["owner"], "name": "Eve\u{200b}", "role": "viewer" }),
        ),
        (
            &admin,
            "token.issue",
            json!({ "subject": { "agent": "@ann-agent" }, "label": "a\u{2028}b" }),
        ),
        (
            &admin,
            "agent.register",
            json!({ "handle": "a2", "profile": { "tags": ["x\u{e0041}"] } }),
        ),
    ] {
        assert_eq!(
            realm.refused(token, op, args.clone()).await,
            "RLT0001",
            "{op} {args}"
        );
    }
    realm
        .ok(&agent, "team.create", json!({ "name": "Küche" }))
        .await;
    let other = json!({ "name": "KU\u{308}CHE" });
    assert_eq!(realm.refused(&agent, "team.create", other).await, "RLT0104");
    realm.stop();
}

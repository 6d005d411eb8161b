//! Tokens that may do less than their holder, as the door and the console show and judge them.

use axum::http::{Method, StatusCode};
use rialto_core::time::{MINUTE_MS, Time};
use rialto_server::node::Clock;
use serde_json::{Value, json};

use crate::console;
use crate::door::Realm;

/// Issues a token of an agent with this scope, and returns its secret and its id.
async fn issued(realm: &Realm, by: &str, agent: &str, scope: Value) -> (String, String) {
    let mut args = json!({ "subject": { "agent": agent } });
    args.as_object_mut()
        .unwrap()
        .extend(scope.as_object().unwrap().clone());
    let answer = realm.ok(by, "token.issue", args).await;
    let secret = answer["token"]["secret"].as_str().unwrap().to_owned();
    (secret, answer["ids"]["tok"].as_str().unwrap().to_owned())
}

async fn listed(realm: &Realm, by: &str, token: &str) -> Value {
    let (_, page) = realm.get(by, "/api/tokens").await;
    let all = page["items"].as_array().unwrap();
    let found = all.iter().find(|row| row["id"] == token);
    found
        .unwrap_or_else(|| panic!("no {token} in {page}"))
        .clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tokens_scope_spending_and_last_use_are_listed() {
    let realm = Realm::new().await;
    let (admin, ann) = realm.owner("ann").await;
    realm.owner("bob").await;
    let funds = json!({ "to": "@ann-agent", "amount": "20" });
    realm.ok(&realm.operator, "ledger.issue", funds).await;
    let scope =
        json!({ "may": ["trade", "read"], "up_to": { "amount": "5.5" }, "label": "shopping" });
    let (secret, id) = issued(&realm, &admin, "@ann-agent", scope).await;
    let row = listed(&realm, &admin, &id).await;
    assert_eq!(row["may"], json!(["read", "trade"]), "{row}");
    assert_eq!(row["last_used"], Value::Null);
    let limit = json!({ "amount": "5.50", "spent": "0.00", "asset": "USD" });
    assert_eq!(row["up_to"], limit);

    let pay = |amount: &str| {
        let moved = json!({ "from": "@ann-agent", "to": "@bob-agent", "amount": amount });
        json!({ "transfers": [{ "post": moved }] })
    };
    realm.ok(&secret, "ledger.transfer", pay("4")).await;
    let (status, said) = realm.op(&secret, "ledger.transfer", pay("2")).await;
    let told = (status, &said["code"], &said["detail"]);
    let want = (json!("RLT0135"), json!("4.00 of 5.50 USD are spent"));
    assert_eq!(told, (StatusCode::PAYMENT_REQUIRED, &want.0, &want.1));

    let new = realm.ok(&secret, "token.rotate", json!({})).await;
    let next = new["ids"]["tok"].as_str().unwrap();
    let (old, new) = (
        listed(&realm, &admin, &id).await,
        listed(&realm, &admin, next).await,
    );
    assert_eq!(old["replaced_by"], json!(next), "{old}");
    assert_eq!(
        (&new["label"], &new["may"]),
        (&json!("shopping"), &old["may"])
    );
    assert_eq!(new["up_to"]["spent"], "4.00", "{new}");
    assert_eq!(new["last_used"], Value::Null);
    // By the realm's clock, to the minute.
    let now = realm.clock.now();
    let minute = Time(now.0 - now.0 % MINUTE_MS);
    assert_eq!(old["last_used"], json!(minute), "{old}");
    // An agent reads its own tokens with one for everything only.
    assert_eq!(
        realm.get(&secret, "/api/tokens").await.0,
        StatusCode::FORBIDDEN
    );
    assert_eq!(realm.get(&ann, "/api/tokens").await.0, StatusCode::OK);
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_one_thing_reads_no_mail_and_opens_no_console() {
    let realm = Realm::new().await;
    let (admin, ann) = realm.owner("ann").await;
    let (_, bob) = realm.owner("bob").await;
    let hello = json!({ "to": { "agent": "@ann-agent" }, "body": "a private word" });
    let sent = realm.ok(&bob, "mail.send", hello).await;
    let message = sent["ids"]["msg"].as_str().unwrap();
    let scope = json!({ "may": ["read", "trade", "work", "post", "mail"] });
    let (reads, _) = issued(&realm, &admin, "@ann-agent", scope).await;
    for path in [
        "/api/inbox".to_owned(),
        "/api/inbox/stream".to_owned(),
        "/api/conversations".to_owned(),
        "/api/messages".to_owned(),
        format!("/api/messages/{message}"),
        format!("/api/trace/{message}"),
        "/api/log".to_owned(),
    ] {
        let (status, said) = realm.get(&reads, &path).await;
        assert_eq!(
            (status, &said["code"]),
            (StatusCode::FORBIDDEN, &json!("RLT0134")),
            "{path}"
        );
        assert!(!said.to_string().contains("private word"));
    }
    assert_eq!(
        realm.get(&ann, &format!("/api/trace/{message}")).await.0,
        StatusCode::OK
    );
    // In a batch each command is judged by itself.
    let batch = json!({ "commands": [
        { "op": "social.post", "args": { "body": "hello" } },
        { "op": "agent.set_profile", "args": { "agent": "@ann-agent", "profile": {} } },
    ] });
    let bearer = format!("Bearer {reads}");
    let headers = [("authorization", bearer.as_str())];
    let body = batch.to_string().into_bytes();
    let (_, said) = realm
        .send(Method::POST, "/api/commands", &headers, body)
        .await;
    let outcomes = said["outcomes"].as_array().unwrap();
    assert!(outcomes[0]["accepted"].is_object(), "{said}");
    assert_eq!(outcomes[1]["refused"]["code"], "RLT0134", "{said}");
    // The console acts with all that its session has.
    let answer = console::post(&realm, "", "/sign-in", &format!("token={reads}")).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.text.contains("RLT0134"), "{}", answer.text);
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_issues_and_replaces_tokens_with_a_scope() {
    let realm = Realm::new().await;
    let (admin, _) = realm.owner("ann").await;
    let cookie = console::sign_in(&realm, &admin).await;
    let page = console::get(&realm, &cookie, "/agents/@ann-agent").await;
    let seal =
        |page: &console::Answer| format!("csrf={}&key={}", page.hidden("csrf"), page.hidden("key"));
    let form = format!(
        "{}&label=shop&may=read+trade&up_to=12.50&from=10.0.0.0%2F8&days=7",
        seal(&page)
    );
    let answer = console::post(&realm, &cookie, "/agents/@ann-agent/tokens", &form).await;
    assert!(answer.text.contains("rlt_"), "{}", answer.text);
    for shown in [
        "read, trade · spent 0.00 of 12.50 USD · from 10.0.0.0/8",
        "Replace",
    ] {
        assert!(answer.text.contains(shown), "{shown} in {}", answer.text);
    }
    let (_, page) = realm.get(&admin, "/api/tokens").await;
    let items = page["items"].as_array().unwrap();
    let shop = items.iter().find(|row| row["label"] == "shop").unwrap();
    let form = format!("{}&token={}", seal(&answer), shop["id"].as_str().unwrap());
    let path = "/agents/@ann-agent/tokens/rotate";
    let answer = console::post(&realm, &cookie, path, &form).await;
    assert!(
        answer.text.contains("rlt_") && answer.text.contains("replaced"),
        "{}",
        answer.text
    );
    realm.stop();
}

//! Calls of models through the door: reserved by an agent, reported by a service that meters them, and
//! followed in lists, accounts and the trace.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::door::Realm;

/// A deployment of `maker` for all, at 3.00 and 15.00 a million tokens.
async fn deployed(realm: &Realm, maker: &str) -> String {
    let terms = json!({
        "model": "fast", "provider": "house", "upstream": "fast-1", "chip": "trainium2",
        "open_to": "everyone",
        "prices": { "per_million": { "input": "3", "output": "15", "cached": "0.3" } }
    });
    let made = realm
        .ok(maker, "deployment.create", json!({ "terms": terms }))
        .await;
    made["ids"]["deployment"].as_str().unwrap().to_owned()
}

async fn meter(realm: &Realm) -> String {
    let service = json!({ "name": "meter", "grants": ["metering"] });
    let made = realm.ok(&realm.operator, "service.create", service).await;
    made["token"]["secret"].as_str().unwrap().to_owned()
}

fn report(inference: &Value) -> Value {
    json!({ "calls": [{
        "inference": inference, "end": "served", "request": "req-7",
        "tokens": { "input": 1_000, "cached": 600, "output": 40 }
    }] })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_of_a_model_is_paid_by_what_it_used_and_followed_from_task_to_receipt() {
    let realm = Realm::new().await;
    let (maker, _) = realm.owner("maker").await;
    let (person, caller) = realm.owner("caller").await;
    let (stranger, _) = realm.owner("stranger").await;
    let meter = meter(&realm).await;
    let deployment = deployed(&realm, &maker).await;
    let issue = json!({ "to": "@caller-agent", "amount": "1" });
    realm.ok(&realm.operator, "ledger.issue", issue).await;
    let task = json!({ "worker": "@caller-agent", "body": "read it" });
    let task = realm.ok(&person, "task.create", task).await;
    let task = task["ids"]["task"].clone();

    let most = json!({ "deployment": deployment, "input": 1_000, "output": 100, "task": task });
    let begun = realm.ok(&caller, "inference.reserve", most).await;
    let inference = &begun["ids"]["inference"];
    let path = format!("/api/inferences/{}", inference.as_str().unwrap());
    let (_, open) = realm.get(&caller, &path).await;
    assert_eq!(open["state"], "open", "{open}");
    assert_eq!(open["reserved"]["amount"], "0.0045", "{open}");

    // The report comes twice, as after a lost answer; it counts once.
    for _ in 0..2 {
        realm
            .ok(&meter, "inference.settle", report(inference))
            .await;
    }
    for reader in [&caller, &person] {
        let (_, over) = realm.get(reader, &path).await;
        for (column, want) in [
            ("state", json!("served")),
            ("model", json!("fast")),
            ("chip", json!("trainium2")),
            ("input", json!(1_000)),
            ("cached", json!(600)),
            ("output", json!(40)),
            ("counted", json!("provider")),
            ("request", json!("req-7")),
            ("deployment", json!(deployment)),
            ("paid", json!({ "amount": "0.00198", "asset": "USD" })),
        ] {
            assert_eq!(over[column], want, "{column} of {over}");
        }
    }
    assert_eq!(realm.get(&stranger, &path).await.0, StatusCode::NOT_FOUND);

    // Who serves the call sees it, and not what it is for.
    let (_, sold) = realm.get(&maker, &path).await;
    assert_eq!(sold["agent"]["handle"], "@caller-agent", "{sold}");
    assert_eq!(sold["task"], Value::Null, "{sold}");

    // Spent by the caller, earned by the maker, and nothing is left over.
    for (reader, column) in [(&person, "spent"), (&maker, "earned")] {
        let (_, report) = realm.get(reader, "/api/report/accounts?by=owner").await;
        let total = &report["total"][0];
        assert_eq!(total[column], "0.00198", "{report}");
        assert_eq!(total["reserved"], "0.00", "{report}");
    }
    // From the task to the call, its deployment and its money, without a gap.
    let (_, trace) = realm
        .get(&person, &format!("/api/trace/{}", task.as_str().unwrap()))
        .await;
    let text = trace.to_string();
    assert!(text.contains(inference.as_str().unwrap()), "{trace}");
    assert!(
        text.contains(begun["ids"]["hold"].as_str().unwrap()),
        "{trace}"
    );
    assert_eq!(trace["gaps"], json!([]), "{trace}");
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_signed_and_adds_up() {
    let realm = Realm::new().await;
    let (maker, _) = realm.owner("maker").await;
    let (person, caller) = realm.owner("caller").await;
    let (stranger, _) = realm.owner("stranger").await;
    let meter = meter(&realm).await;
    let deployment = deployed(&realm, &maker).await;
    let issue = json!({ "to": "@caller-agent", "amount": "1" });
    realm.ok(&realm.operator, "ledger.issue", issue).await;
    let most = json!({ "deployment": deployment, "input": 1_000, "output": 100 });
    let begun = realm.ok(&caller, "inference.reserve", most).await;
    let inference = &begun["ids"]["inference"];
    realm
        .ok(&meter, "inference.settle", report(inference))
        .await;
    let path = format!("/api/inferences/{}/receipt", inference.as_str().unwrap());
    let (status, _) = realm.get(&stranger, &path).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (_, about) = realm.get(&person, "/api/realm").await;
    for reader in [&caller, &person, &maker] {
        let (_, signed) = realm.get(reader, &path).await;
        let over = &signed["receipt"]["over"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        // 400 at 3.00, 600 at 0.30 and 40 at 15.00 a million.
        let amounts: Vec<String> = over["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| text(&line["amount"]))
            .collect();
        assert_eq!(amounts, ["0.0012", "0.00018", "0.0006", "0.00"], "{signed}");
        assert_eq!(
            (text(&over["sum"]), text(&over["paid"])),
            ("0.00198".into(), "0.00198".into())
        );
        let proof = &signed["proof"];
        assert_eq!(proof["key"], about["key"], "{signed}");
        let (statement, key) = (text(&proof["statement"]), text(&proof["key"]));
        let signature = text(&proof["signature"]);
        assert!(rialto_server::door::receipt_is_signed(
            &statement, &key, &signature
        ));
        let other = statement.replace("0.00198", "0.00199");
        assert!(!rialto_server::door::receipt_is_signed(
            &other, &key, &signature
        ));
        let told: Value = serde_json::from_str(&statement).unwrap();
        assert_eq!(told["receipt"], signed["receipt"]);
        let positions: Vec<&Value> = told["envelopes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|place| &place["position"])
            .collect();
        let receipt = &signed["receipt"];
        assert_eq!(positions, [&receipt["position"], &over["position"]]);
    }
    // Its own calls are a list for whoever made them.
    for (reader, calls) in [(&caller, 1), (&person, 1), (&maker, 0), (&stranger, 0)] {
        let (_, page) = realm.get(reader, "/api/inferences/receipts?limit=5").await;
        assert_eq!(page["items"].as_array().unwrap().len(), calls, "{page}");
    }
    let late = "/api/inferences/receipts?from=1";
    let (_, page) = realm.get(&person, late).await;
    assert_eq!(page["items"][0]["id"], *inference, "{page}");
    let (_, page) = realm.get(&person, "/api/inferences/receipts?to=1").await;
    assert_eq!(page["items"], json!([]), "{page}");
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_models_begins_calls_and_moves_no_other_money() {
    let realm = Realm::new().await;
    let (maker, _) = realm.owner("maker").await;
    let (_, caller) = realm.owner("caller").await;
    let deployment = deployed(&realm, &maker).await;
    let issue = json!({ "to": "@caller-agent", "amount": "1" });
    realm.ok(&realm.operator, "ledger.issue", issue).await;
    let args = json!({ "subject": { "agent": "@caller-agent" }, "may": ["models"] });
    let issued = realm.ok(&caller, "token.issue", args).await;
    let key = issued["token"]["secret"].as_str().unwrap().to_owned();
    let most = json!({ "deployment": deployment, "input": 10, "output": 10 });
    realm.ok(&key, "inference.reserve", most).await;
    let pay = json!({ "transfers": [{ "post": { "from": "@caller-agent", "to": "@maker-agent", "amount": "0.1" } }] });
    let (status, refused) = realm.op(&key, "ledger.transfer", pay).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(refused["code"], "RLT0134", "{refused}");
    realm.stop();
}

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

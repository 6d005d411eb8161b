//! Holds in pieces, lines of allowances and usage through the door, and what the pages show of them.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::console::{get, sign_in};
use crate::door::Realm;

async fn limits_of(realm: &Realm, admin: &str) -> Vec<Value> {
    let (_, me) = realm.get(admin, "/api/whoami").await;
    let path = format!("/api/owners/{}/allowances", me["owner"].as_str().unwrap());
    let (status, set) = realm.get(admin, &path).await;
    assert_eq!(status, StatusCode::OK, "{set}");
    set["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_is_captured_raised_and_ended_through_the_door() {
    let realm = Realm::new().await;
    let (_, buyer) = realm.owner("buyer").await;
    let (_, seller) = realm.owner("seller").await;
    let issue = json!({ "to": "@buyer-agent", "amount": "100" });
    realm.ok(&realm.operator, "ledger.issue", issue).await;
    let hold = json!({ "from": "@buyer-agent", "to": "@seller-agent", "amount": "40", "expires_in_ms": 600_000 });
    let held = realm
        .ok(
            &buyer,
            "ledger.transfer",
            json!({ "transfers": [{ "hold": hold }] }),
        )
        .await;
    let hold = held["ids"]["hold"].as_str().unwrap();
    let capture = json!({ "hold": hold, "amount": "15", "memo": "the first part" });
    realm.ok(&buyer, "ledger.capture", capture).await;
    let raise = json!({ "hold": hold, "amount": "10" });
    realm.ok(&buyer, "ledger.raise", raise.clone()).await;
    for reader in [&buyer, &seller] {
        let (_, row) = realm
            .get(reader, &format!("/api/ledger/holds/{hold}"))
            .await;
        assert_eq!(
            (
                &row["amount"],
                &row["captured"],
                &row["rest"],
                &row["state"]
            ),
            (
                &json!("50.00"),
                &json!("15.00"),
                &json!("35.00"),
                &json!("open")
            )
        );
    }
    let cookie = sign_in(&realm, &buyer).await;
    let page = get(&realm, &cookie, &format!("/ledger/holds/{hold}")).await;
    for words in ["Captured", "15.00", "Held still", "35.00"] {
        assert!(page.text.contains(words), "{words} in {}", page.text);
    }
    let void = json!({ "transfers": [{ "void_hold": { "hold": hold } }] });
    realm.ok(&seller, "ledger.transfer", void).await;
    // What is over says how it ended.
    let (status, refused) = realm.op(&buyer, "ledger.raise", raise).await;
    assert_eq!(status, StatusCode::GONE, "{refused}");
    assert_eq!(refused["code"], "RLT0406");
    assert_eq!(refused["detail"], "the hold was voided");
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_is_read_with_what_it_counts() {
    let realm = Realm::new().await;
    let (admin, agent) = realm.owner("ana").await;
    let (_, seller) = realm.owner("seller").await;
    let issue = json!({ "to": "@ana-agent", "amount": "100" });
    realm.ok(&realm.operator, "ledger.issue", issue).await;
    let lines = json!([
        { "on": "all", "unit": "tokens", "limit": "100000", "period_ms": 86_400_000 },
        { "on": { "model": "fast" }, "unit": "money", "limit": "10" },
    ]);
    let set = json!({ "node": { "agent": "@ana-agent" }, "per_deal": "50", "approval_above": "2", "lines": lines });
    realm.ok(&admin, "policy.set_allowance", set).await;
    let reserve = json!({ "tokens": 20_000, "model": "fast" });
    let reserved = realm.ok(&agent, "usage.reserve", reserve).await;
    let usage = reserved["ids"]["usage"].as_str().unwrap();
    let settle = json!({ "usage": usage, "tokens": 12_300 });
    realm.ok(&agent, "usage.settle", settle).await;
    let post = json!({ "from": "@ana-agent", "to": "@seller-agent", "amount": "1.5", "spent_on": { "model": "fast" } });
    realm
        .ok(
            &agent,
            "ledger.transfer",
            json!({ "transfers": [{ "post": post }] }),
        )
        .await;
    let told: Vec<String> = limits_of(&realm, &admin)
        .await
        .iter()
        .map(|row| {
            format!(
                "{} {} {} {} {} {}",
                row["on"],
                row["asset"],
                row["per_deal"],
                row["per_period"],
                row["spent"],
                row["left"]
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            r#"null "USD" "50.00" null "1.50" null"#,
            r#""all" "tokens" null "100000" "12300" "87700""#,
            r#"{"model":"fast"} "USD" null "10.00" "1.50" "8.50""#,
        ]
    );
    // Who is asked sees what a yes leaves of each line that it counts at.
    let post = json!({ "from": "@ana-agent", "to": "@seller-agent", "amount": "3", "spent_on": { "model": "fast" } });
    let waits = realm
        .ok(
            &agent,
            "ledger.transfer",
            json!({ "transfers": [{ "post": post }] }),
        )
        .await;
    let approval = waits["waits_for"]
        .as_str()
        .or(waits["ids"]["appr"].as_str())
        .unwrap();
    let (_, shown) = realm
        .get(&admin, &format!("/api/approvals/{approval}"))
        .await;
    assert_eq!(shown["model"], "fast");
    let left: Vec<&Value> = shown["budgets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|b| &b["left_after"])
        .collect();
    assert_eq!(left, [&Value::Null, &json!("5.50")]);
    // The reservation is a row of its own, for its owner alone.
    let (_, row) = realm.get(&agent, &format!("/api/usages/{usage}")).await;
    assert_eq!(
        (&row["state"], &row["tokens"]),
        (&json!("settled"), &json!(12_300))
    );
    let (status, _) = realm.get(&seller, &format!("/api/usages/{usage}")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    // The pages show the same.
    let cookie = sign_in(&realm, &admin).await;
    let page = get(&realm, &cookie, "/agents/@ana-agent").await;
    for words in ["on model fast", "tokens", "12\u{202f}300", "87\u{202f}700"] {
        assert!(page.text.contains(words), "{words} in {}", page.text);
    }
    let page = get(&realm, &cookie, &format!("/usages/{usage}")).await;
    assert!(page.text.contains("settled"), "{}", page.text);
    // A refusal names the line.
    let reserve = json!({ "tokens": 90_000 });
    let (_, refused) = realm.op(&agent, "usage.reserve", reserve).await;
    assert_eq!(refused["code"], "RLT0402");
    let detail = refused["detail"].as_str().unwrap();
    assert!(
        detail.contains("100000 tokens on all in 86400000 ms"),
        "{detail}"
    );
    realm.stop();
}

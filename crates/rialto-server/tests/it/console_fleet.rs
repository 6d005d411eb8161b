//! The fleet's page as a browser meets it: a price list, a deal on it, and what became of both.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::console::{get, sign_in};
use crate::door::Realm;

fn price_list() -> Value {
    let text = |name: &str, value: &str| json!({ "name": name, "value": { "text": value } });
    json!({ "terms": {
        "title": "llama3.1-8b on trainium2",
        "items": [{ "name": "million output tokens", "price": "0.56" },
                  { "name": "million input tokens", "price": "0.084" }],
        "attributes": [
            text("basis", "modelled"), text("model", "llama3.1-8b"), text("chip", "trainium2"),
            text("vendor", "aws"), text("region", "us-east"),
            text("chip_seconds_per_million_output_tokens", "1234.5"),
            text("cost_per_million_output_tokens", "0.4679"),
            text("chip_seconds_per_million_input_tokens", "77"),
            text("cost_per_million_input_tokens", "0.0701"),
        ],
    } })
}

/// Buys and settles three million output tokens on a listing.
async fn settle(realm: &Realm, buyer: &str, seller: &str, listing: &Value) {
    let terms =
        json!({ "price": "2", "lines": [{ "item": "million output tokens", "quantity": 3 }] });
    let open = json!({ "with": "@maker-agent", "side": "buy", "listing": listing, "terms": terms,
                       "valid_for_ms": 60_000 });
    let opened = realm.ok(buyer, "negotiation.open", open).await;
    let negotiation = opened["ids"]["neg"].as_str().unwrap().to_owned();
    let (_, view) = realm
        .get(seller, &format!("/api/negotiations/{negotiation}"))
        .await;
    let accept = json!({ "negotiation": negotiation, "offer": view["offers"][0]["hash"] });
    let agreed = realm.ok(seller, "negotiation.accept", accept).await;
    let deal = &agreed["ids"]["deal"];
    let deliver = json!({ "deal": deal, "body": "tokens" });
    realm.ok(seller, "deal.deliver", deliver).await;
    realm
        .ok(buyer, "deal.accept", json!({ "deal": deal }))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fleet_shows_its_price_lists_their_use_and_who_depends_on_whom() {
    let realm = Realm::new().await;
    let (maker, seller) = realm.owner("maker").await;
    let (taker, buyer) = realm.owner("taker").await;
    let (stranger, _) = realm.owner("stranger").await;
    let operator = sign_in(&realm, &realm.operator).await;
    let empty = get(&realm, &operator, "/fleet").await;
    assert_eq!(empty.status, StatusCode::OK);
    assert!(empty.text.contains("rialto fleet publish"));
    assert!(empty.text.contains("No deal was settled"));

    let fund = json!({ "to": "@taker-agent", "amount": "10" });
    realm.ok(&realm.operator, "ledger.issue", fund).await;
    let published = realm.ok(&seller, "listing.publish", price_list()).await;
    let listing = &published["ids"]["list"];
    settle(&realm, &buyer, &seller, listing).await;

    // Three times the stated rates, and what was paid less what that cost.
    let used = ["2.00", "3703.50", "1.4037", "0.5963", "+29.8 %"];
    let (maker, taker) = (sign_in(&realm, &maker).await, sign_in(&realm, &taker).await);
    for cookie in [&operator, &maker, &taker] {
        let page = get(&realm, cookie, "/fleet?period=week").await.text;
        let path = listing.as_str().unwrap();
        assert!(page.contains(&format!("/market/listings/{path}")));
        for part in used {
            assert!(page.contains(part), "{part}: {page}");
        }
        for part in [
            "@maker-agent",
            "0.56",
            "0.4679",
            "Charged by chip",
            "HHI 1.000",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        let facts = page
            .split("href=\"/accounts/events?by=chip")
            .nth(1)
            .unwrap();
        let facts = facts.split('"').next().unwrap().replace("&amp;", "&");
        let facts = get(&realm, cookie, &format!("/accounts/events?by=chip{facts}")).await;
        assert!(facts.text.contains("/deals/deal_"), "{}", facts.text);
    }
    // The market is everybody's; what was bought and sold is not.
    let stranger = sign_in(&realm, &stranger).await;
    let page = get(&realm, &stranger, "/fleet").await.text;
    assert!(page.contains("0.56") && page.contains("No deal was settled"));
    for part in ["1.4037", "@taker-agent", "Charged by"] {
        assert!(!page.contains(part), "{part}: {page}");
    }
    let bad = get(&realm, &operator, "/fleet?from=yesterday").await;
    assert_eq!(bad.status, StatusCode::BAD_REQUEST);
    realm.stop();
}

//! What becomes of delivered texts, what a reader is told of what is no longer kept, and what is
//! one's own, as a client meets it.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use futures_util::StreamExt;
use rialto_core::limits;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::door::Realm;

async fn post(realm: &Realm, token: &str, args: Value) -> Value {
    realm.ok(token, "social.post", args).await["ids"]["post"].clone()
}

/// Events of a stream until there were `wanted`, as (kind, number, data).
async fn events(
    realm: &Realm,
    token: &str,
    path: &str,
    wanted: usize,
) -> Vec<(String, String, Value)> {
    let request = Request::get(path).header("authorization", format!("Bearer {token}"));
    let request = request.body(Body::empty()).unwrap();
    let answer = realm.router.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let mut chunks = answer.into_body().into_data_stream();
    let (mut text, mut found) = (String::new(), Vec::new());
    while found.len() < wanted {
        let chunk = tokio::time::timeout(Duration::from_secs(20), chunks.next()).await;
        text.push_str(std::str::from_utf8(&chunk.unwrap().unwrap().unwrap()).unwrap());
        while let Some((event, rest)) = text.split_once("\n\n") {
            let field = |name: &str| {
                let line = event.lines().find_map(|l| l.strip_prefix(name));
                line.map(|l| l.trim().to_owned())
            };
            if let (Some(kind), Some(id), Some(data)) =
                (field("event:"), field("id:"), field("data:"))
            {
                found.push((kind, id, serde_json::from_str(&data).unwrap()));
            }
            text = rest.to_owned();
        }
    }
    found
}

/// The texts of a delivery.
fn said(delivery: &Value) -> Vec<Value> {
    let texts = delivery["texts"].as_object();
    let first = |body: &Value| body[0]["text"].clone();
    texts.map_or(Vec::new(), |t| t.values().map(first).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_shows_posts_as_they_are_now() {
    let realm = Realm::new().await;
    let (_, ann) = realm.owner("ann").await;
    let (_, bob) = realm.owner("bob").await;
    let mentions = json!(["@bob-agent"]);
    let mut ids = Vec::new();
    for body in ["kept", "noon", "gone", "bad"] {
        let args = json!({ "body": body, "mentions": mentions });
        ids.push(post(&realm, &ann, args).await);
    }
    let [_, noon, gone, bad] = ids.try_into().unwrap();
    let edit = json!({ "post": noon, "body": "one" });
    realm.ok(&ann, "social.edit", edit).await;
    realm
        .ok(&ann, "social.delete", json!({ "post": gone }))
        .await;
    let hide = json!({ "target": { "post": bad }, "step": "hide", "reason": "x" });
    realm.ok(&realm.operator, "moderation.act", hide).await;
    let (_, inbox) = realm.get(&bob, "/api/inbox").await;
    let deliveries = inbox["deliveries"].as_array().unwrap();
    let told: Vec<(&str, &str, Vec<Value>)> = deliveries
        .iter()
        .map(|d| {
            let kind = d["item"]["kind"].as_str().unwrap();
            (kind, d["post"].as_str().unwrap(), said(d))
        })
        .collect();
    let want = [
        ("mention", "live", vec![json!("kept")]),
        ("mention", "edited", vec![json!("one")]),
        ("mention", "deleted", vec![Value::Null]),
        ("mention", "hidden", vec![Value::Null]),
        ("changed", "edited", vec![json!("one")]),
        ("changed", "deleted", vec![]),
        ("changed", "hidden", vec![json!("x")]),
    ];
    assert_eq!(told, want, "{inbox}");
    assert!(deliveries[5]["event"]["social"]["deleted"].is_object());
    // The same stream tells it to who reads live.
    let stream = events(&realm, &bob, "/api/inbox/stream?after=4", 3).await;
    let kinds: Vec<&Value> = stream.iter().map(|(_, _, d)| &d["post"]).collect();
    assert_eq!(kinds, ["edited", "deleted", "hidden"]);
    assert!(
        stream
            .iter()
            .all(|(kind, _, d)| kind == "delivery" && !d.to_string().contains("noon"))
    );
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_stream_tells_of_edits_and_retractions() {
    let realm = Realm::new().await;
    let (_, ann) = realm.owner("ann").await;
    let (_, bob) = realm.owner("bob").await;
    let first = post(&realm, &ann, json!({ "body": "noon" })).await;
    let second = post(&realm, &ann, json!({ "body": "gone" })).await;
    let streamed = events(&realm, &bob, "/api/feed/stream?after=0", 2).await;
    realm
        .ok(&ann, "social.edit", json!({ "post": first, "body": "one" }))
        .await;
    realm
        .ok(&ann, "social.delete", json!({ "post": second }))
        .await;
    let (_, whole) = realm.get(&bob, "/api/realm").await;
    assert!(whole["position"].is_u64());
    let last = &streamed[1].1;
    let request = Request::get("/api/feed/stream")
        .header("authorization", format!("Bearer {bob}"))
        .header("last-event-id", last)
        .body(Body::empty())
        .unwrap();
    let answer = realm.router.clone().oneshot(request).await.unwrap();
    let mut chunks = answer.into_body().into_data_stream();
    let mut text = String::new();
    while !text.contains("event: retraction") {
        let chunk = tokio::time::timeout(Duration::from_secs(20), chunks.next()).await;
        text.push_str(std::str::from_utf8(&chunk.unwrap().unwrap().unwrap()).unwrap());
    }
    assert!(
        text.contains("event: edit") && text.contains("\"one\""),
        "{text}"
    );
    assert!(
        !text.contains("noon") && !text.contains("\"gone\""),
        "{text}"
    );
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_is_told_what_is_no_longer_kept() {
    let realm = Realm::new().await;
    let settings = json!({ "sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0,
        "offers_per_minute": 0, "agents_per_owner": 0, "posts_per_minute": 0,
        "mentions_per_minute": 0 });
    realm
        .ok(&realm.operator, "policy.set_settings", settings)
        .await;
    let (_, ann) = realm.owner("ann").await;
    let (_, bob) = realm.owner("bob").await;
    let first = json!({ "to": { "agent": "@bob-agent" }, "body": "may I?" });
    realm.ok(&ann, "mail.send", first).await;
    let many = json!({ "op": "social.post", "args": { "body": "x", "mentions": ["@bob-agent"] } });
    let mut left = limits::INBOX_MENTIONS + 7;
    while left > 0 {
        let now = left.min(500);
        left -= now;
        let batch = json!({ "commands": vec![many.clone(); now] });
        let bearer = format!("Bearer {ann}");
        let (status, answer) = realm
            .send(
                axum::http::Method::POST,
                "/api/commands",
                &[("authorization", &bearer)],
                batch.to_string().into(),
            )
            .await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
    let trimmed = json!([{ "from": 2, "through": 8 }]);
    for path in [
        "/api/inbox?limit=1",
        "/api/inbox?limit=2",
        "/api/inbox?after=1&limit=1",
    ] {
        let (_, page) = realm.get(&bob, path).await;
        let numbers: Vec<u64> = page["deliveries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|d| d["seq"].as_u64().unwrap())
            .collect();
        match numbers.as_slice() {
            // What waits was kept; the page ends before the gap.
            [1] => assert!(page.get("trimmed").is_none(), "{page}"),
            [1, 9] | [9] => assert_eq!(page["trimmed"], trimmed),
            other => panic!("{path}: {other:?}"),
        }
    }
    let stream = events(&realm, &bob, "/api/inbox/stream", 3).await;
    let told: Vec<(&str, &str)> = stream
        .iter()
        .map(|(k, id, _)| (k.as_str(), id.as_str()))
        .collect();
    assert_eq!(
        told,
        [("delivery", "1"), ("trimmed", "8"), ("delivery", "9")]
    );
    // Once the first is gone too, a number before it is refused, and the usual read says so.
    realm
        .ok(
            &bob,
            "mail.answer_request",
            json!({ "agent": "@ann-agent", "admit": true }),
        )
        .await;
    realm
        .ok(&bob, "mail.acknowledge", json!({ "through": 1 }))
        .await;
    let (_, page) = realm.get(&bob, "/api/inbox?limit=1").await;
    assert_eq!(page["trimmed"], trimmed, "{page}");
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_has_set_is_ones_own_to_read_and_to_take_along() {
    let realm = Realm::new().await;
    let (admin, ann) = realm.owner("ann").await;
    let (_, bob) = realm.owner("bob").await;
    realm
        .ok(
            &ann,
            "social.mute",
            json!({ "agent": "@bob-agent", "mute": true }),
        )
        .await;
    let block = json!({ "party": { "agent": "@bob-agent" }, "block": true });
    realm.ok(&ann, "policy.set_block", block).await;
    realm
        .ok(
            &ann,
            "community.create",
            json!({ "name": "food", "rules": "be kind" }),
        )
        .await;
    let own = post(
        &realm,
        &ann,
        json!({ "body": "own", "mentions": ["@ann-agent"] }),
    )
    .await;
    let answer = json!({ "body": "more", "parent": own });
    post(&realm, &ann, answer).await;
    for which in ["mutes", "blocks", "communities", "reactions", "replies"] {
        let path = format!("/api/agents/@ann-agent/{which}");
        for token in [&ann, &admin] {
            let (status, page) = realm.get(token, &path).await;
            assert_eq!(status, StatusCode::OK, "{path}: {page}");
            let none = which == "reactions";
            assert_eq!(
                page["items"].as_array().unwrap().is_empty(),
                none,
                "{path}: {page}"
            );
        }
        let (status, _) = realm.get(&bob, &path).await;
        let public = which == "replies";
        let want = if public {
            StatusCode::OK
        } else {
            StatusCode::NOT_FOUND
        };
        assert_eq!(status, want, "{path}");
    }
    let (_, me) = realm.get(&admin, "/api/whoami").await;
    let owner = me["owner"].as_str().unwrap();
    let send = json!({ "to": { "agent": "@ann-agent" }, "body": "to the inbox" });
    let second = realm
        .ok(&admin, "agent.register", json!({ "handle": "ann-two" }))
        .await;
    let second = second["token"]["secret"].as_str().unwrap().to_owned();
    realm.ok(&second, "mail.send", send).await;
    let request = Request::get(format!("/api/owners/{owner}/export"))
        .header("authorization", format!("Bearer {admin}"));
    let request = request.body(Body::empty()).unwrap();
    let answer = realm.router.clone().oneshot(request).await.unwrap();
    let bytes = to_bytes(answer.into_body(), 64 << 20).await.unwrap();
    let lines: Vec<Value> = std::str::from_utf8(&bytes)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |kind: &str| lines.iter().filter(|l| l["kind"] == kind).count();
    for kind in ["post", "reply", "mute", "block", "membership", "community"] {
        assert_eq!(of(kind), 1, "{kind}");
    }
    assert_eq!((of("inbox"), of("delivery")), (2, 1));
    let delivery = lines.iter().find(|l| l["kind"] == "delivery").unwrap();
    assert_eq!(said(&delivery["value"]["delivery"]), ["to the inbox"]);
    realm.stop();
}

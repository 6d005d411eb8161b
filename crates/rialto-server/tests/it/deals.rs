//! What the door adds to the core's rules about money and deals: what a corrected entry moved, whether a
//! delivery has anything in it, and what both sides see of an offer.

use serde_json::{Value, json};

use crate::door::{Realm, agreed};

async fn refused(realm: &Realm, token: &str, op: &str, args: Value, code: &str) {
    assert_eq!(realm.refused(token, op, args).await, code, "{op}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_is_bounded_by_what_the_log_says() {
    let realm = Realm::new().await;
    let (_, ana) = realm.owner("ana").await;
    realm.owner("bo").await;
    let op = &realm.operator;
    for to in ["@ana-agent", "@bo-agent"] {
        let issue = json!({ "to": to, "amount": "50" });
        realm.ok(op, "ledger.issue", issue).await;
    }
    let post = json!({ "from": "@ana-agent", "to": "@bo-agent", "amount": "4" });
    let moved = realm
        .ok(
            &ana,
            "ledger.transfer",
            json!({ "transfers": [{ "post": post }] }),
        )
        .await;
    let entry = moved["ids"]["xfer"].clone();
    let correct = |amount: &str, more: Value| {
        let mut args = json!({ "transfer": entry, "amount": amount, "reason": "wrong" });
        args.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        args
    };
    for (amount, more, code) in [
        ("9", json!({}), "RLT0413"),
        ("1", json!({ "from": "@ana-agent" }), "RLT0414"),
        ("1", json!({ "transfer": "xfer_000000000000" }), "RLT0103"),
        // no request says itself what the entry moved
        ("9", json!({ "entry": { "amount": "9" } }), "RLT0001"),
    ] {
        let args = correct(amount, more);
        refused(&realm, op, "ledger.correct", args, code).await;
    }
    realm
        .ok(op, "ledger.correct", correct("4", json!({})))
        .await;
    let again = correct("4", json!({}));
    refused(&realm, op, "ledger.correct", again, "RLT0413").await;
    let by_another = correct("1", json!({}));
    refused(&realm, &ana, "ledger.correct", by_another, "RLT0101").await;
    realm.stop();
}

/// Refusals of a token's acts, each as code and detail.
async fn told(realm: &Realm, token: &str, acts: &[(&str, Value)]) -> Vec<(String, String)> {
    let mut told = Vec::new();
    for (op, args) in acts {
        let (_, said) = realm.op(token, op, args.clone()).await;
        let field = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
        told.push((field("code"), field("detail")));
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_stays_over_when_it_has_left_memory() {
    let realm = Realm::new().await;
    let (seller, buyer, deal) = agreed(&realm).await;
    let (_, stranger) = realm.owner("stranger").await;
    let (_, view) = realm
        .get(&buyer, &format!("/api/deals/{}", deal.as_str().unwrap()))
        .await;
    let (talk, task) = (&view["deal"]["negotiation"], &view["deal"]["task"]);
    let deliver = json!({ "deal": deal, "body": "one taco" });
    realm.ok(&seller, "deal.deliver", deliver.clone()).await;
    let accept = json!({ "deal": deal });
    realm.ok(&buyer, "deal.accept", accept.clone()).await;
    let open = json!({ "body": "tacos", "open_for_ms": 60_000, "invite": ["@seller-agent"] });
    let call = realm.ok(&buyer, "call.open", open).await["ids"]["call"].clone();
    realm
        .ok(&buyer, "call.cancel", json!({ "call": call }))
        .await;
    let own = json!({ "worker": "@seller-agent", "body": "cook" });
    let own = realm.ok(&buyer, "task.create", own).await["ids"]["task"].clone();
    realm
        .ok(&buyer, "task.cancel", json!({ "task": own }))
        .await;
    let hash = "0".repeat(64);
    let acts = [
        ("deal.deliver", deliver),
        ("deal.accept", accept),
        (
            "negotiation.accept",
            json!({ "negotiation": talk, "offer": hash }),
        ),
        ("negotiation.leave", json!({ "negotiation": talk })),
        ("call.refuse", json!({ "call": call })),
        ("task.update", json!({ "task": own, "state": "working" })),
    ];
    let over = |code: &str, detail: String| (code.to_owned(), detail);
    let became = format!("it became {}", deal.as_str().unwrap());
    let want = [
        over("RLT0510", "the deal is settled".to_owned()),
        // Whose turn it was is only known while it is in memory.
        over("RLT0505", String::new()),
        over("RLT0504", became.clone()),
        over("RLT0504", became.clone()),
        over("RLT0506", "the call is closed".to_owned()),
        over("RLT0301", "the task is canceled".to_owned()),
    ];
    assert_eq!(told(&realm, &seller, &acts).await, want);
    realm.clock.advance_ms(11 * 60_000);
    for _ in 0..16 {
        realm.node.tick().await.unwrap();
    }
    let mut gone = want.clone();
    gone[1] = over("RLT0510", "the deal is settled".to_owned());
    assert_eq!(told(&realm, &seller, &acts).await, gone);
    let finish = json!({ "task": task, "state": "completed" });
    let finished = told(&realm, &seller, &[("task.update", finish)]).await;
    assert_eq!(
        finished,
        [over("RLT0301", "the task is completed".to_owned())]
    );
    // In a batch as well, and to a stranger as if it had never been.
    let items: Vec<Value> = acts
        .iter()
        .map(|(op, args)| json!({ "op": op, "args": args }))
        .collect();
    let batch = json!({ "commands": items });
    let (_, said) = realm.op(&seller, "commands", batch).await;
    let codes = said["outcomes"].as_array().unwrap().iter();
    let codes: Vec<&Value> = codes.map(|o| &o["refused"]["code"]).collect();
    let wanted: Vec<Value> = gone.iter().map(|(code, _)| json!(code)).collect();
    assert_eq!(codes, wanted.iter().collect::<Vec<_>>(), "{said}");
    for (code, _) in told(&realm, &stranger, &acts).await {
        assert_eq!(code, "RLT0103");
    }
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_service_that_repeats_itself_is_answered_with_the_first_deposit() {
    let realm = Realm::new().await;
    realm.owner("ana").await;
    let made = realm
        .ok(
            &realm.operator,
            "service.create",
            json!({ "name": "pay", "grants": ["payments"] }),
        )
        .await;
    let pay = made["token"]["secret"].as_str().unwrap().to_owned();
    let deposit = json!({ "to": "@ana-agent", "amount": "10", "reference": "p-1" });
    let first = realm.ok(&pay, "ledger.deposit", deposit.clone()).await;
    let again = realm.ok(&pay, "ledger.deposit", deposit).await;
    assert_eq!(again["duplicate"], true, "{again}");
    assert_eq!(again["ids"], first["ids"]);
    assert_eq!(again["position"], first["position"]);
    let other = json!({ "to": "@ana-agent", "amount": "11", "reference": "p-1" });
    refused(&realm, &pay, "ledger.deposit", other, "RLT0412").await;
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_service_reads_what_is_owed_and_nobody_else_does() {
    let realm = Realm::new().await;
    let (person, ana) = realm.owner("ana").await;
    let service = json!({ "name": "pay", "grants": ["payments"] });
    let made = realm.ok(&realm.operator, "service.create", service).await;
    let pay = made["token"]["secret"].as_str().unwrap().to_owned();
    let issue = json!({ "to": "@ana-agent", "amount": "10" });
    realm.ok(&realm.operator, "ledger.issue", issue).await;
    let mut asked = Vec::new();
    for (amount, reference) in [("2.5", "one"), ("3", "two")] {
        let args = json!({ "from": "@ana-agent", "amount": amount, "reference": reference });
        asked.push(realm.ok(&ana, "ledger.withdraw", args).await);
    }
    let path = "/api/ledger/withdrawals";
    for reader in [&pay, &realm.operator] {
        let (_, owed) = realm.get(reader, path).await;
        assert_eq!(owed["items"].as_array().unwrap().len(), 2, "{owed}");
        let first = &owed["items"][1];
        assert_eq!(first["hold"], asked[0]["ids"]["hold"], "{owed}");
        assert_eq!(first["amount"], "2.50");
        assert_eq!(first["reference"], "one");
        assert_eq!(first["dead"], false);
    }
    for reader in [&person, &ana] {
        assert_eq!(realm.get(reader, path).await.0, 403);
    }
    let (_, page) = realm.get(&pay, &format!("{path}?limit=1")).await;
    assert_eq!(page["items"][0]["reference"], "two", "{page}");
    let next = page["next_cursor"].as_str().unwrap();
    let (_, page) = realm
        .get(&pay, &format!("{path}?limit=1&cursor={next}"))
        .await;
    assert_eq!(page["items"][0]["reference"], "one", "{page}");
    // What was paid, or given back, is owed no more.
    for (at, paid) in [(0, true), (1, false)] {
        let end = json!({ "hold": asked[at]["ids"]["hold"], "paid": paid });
        realm.ok(&pay, "ledger.end_withdrawal", end).await;
    }
    let (_, owed) = realm.get(&pay, path).await;
    assert_eq!(owed["items"], json!([]));
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_with_nothing_in_it_is_none() {
    let realm = Realm::new().await;
    let (seller, _, deal) = agreed(&realm).await;
    for nothing in [
        json!(""),
        json!(" \n\u{200b}"),
        json!([]),
        json!([{ "text": " " }, { "data": {} }, { "data": null }, { "data": "" }]),
    ] {
        let args = json!({ "deal": deal, "body": nothing });
        refused(&realm, &seller, "deal.deliver", args, "RLT0516").await;
    }
    let file = json!([{ "file": { "name": "a", "media_type": "text/plain", "uri": "https://a.example/" } }]);
    let args = json!({ "deal": deal, "body": file });
    realm.ok(&seller, "deal.deliver", args).await;
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_says_whether_it_is_funded_and_who_owns_its_arbiter() {
    let realm = Realm::new().await;
    let (_, seller) = realm.owner("seller").await;
    let (_, buyer) = realm.owner("buyer").await;
    realm.owner("guild").await;
    let issue = json!({ "to": "@buyer-agent", "amount": "20" });
    realm.ok(&realm.operator, "ledger.issue", issue).await;
    let publish = json!({ "terms": { "title": "Tacos", "funded_offers_only": true } });
    let listed = realm.ok(&seller, "listing.publish", publish).await;
    let offer = |fund: bool| {
        json!({
            "with": "@seller-agent", "side": "buy", "valid_for_ms": 60_000, "fund": fund,
            "listing": listed["ids"]["list"],
            "terms": { "price": "9", "arbiter": { "agent": "@guild-agent" } }
        })
    };
    refused(&realm, &buyer, "negotiation.open", offer(false), "RLT0520").await;
    let opened = realm.ok(&buyer, "negotiation.open", offer(true)).await;
    let hold = opened["ids"]["hold"].as_str().unwrap().to_owned();
    let talk = opened["ids"]["neg"].as_str().unwrap().to_owned();
    for reader in [&buyer, &seller] {
        let (_, view) = realm
            .get(reader, &format!("/api/negotiations/{talk}"))
            .await;
        let made = &view["offers"][0];
        assert_eq!(made["funded"], true, "{view}");
        assert_eq!(made["arbiter"]["handle"], "@guild-agent", "{view}");
        assert_eq!(made["arbiter_owner"]["name"], "guild", "{view}");
        let (_, held) = realm
            .get(reader, &format!("/api/ledger/holds/{hold}"))
            .await;
        assert_eq!(held["purpose"]["kind"], "offer", "{held}");
    }
    let accept = json!({ "negotiation": talk, "offer": opened["offer"] });
    let agreed = realm.ok(&seller, "negotiation.accept", accept).await;
    assert_eq!(agreed["ids"]["hold"], hold.as_str());
    let deal = agreed["ids"]["deal"].as_str().unwrap();
    let (_, view) = realm.get(&buyer, &format!("/api/deals/{deal}")).await;
    assert_eq!(view["arbiter_owner"]["name"], "guild", "{view}");
    let (_, held) = realm
        .get(&buyer, &format!("/api/ledger/holds/{hold}"))
        .await;
    assert_eq!(held["purpose"]["kind"], "deal", "{held}");
    let (_, trace) = realm.get(&buyer, &format!("/api/trace/{deal}")).await;
    assert_eq!(trace["gaps"], json!([]), "{trace}");
    realm.stop();
}

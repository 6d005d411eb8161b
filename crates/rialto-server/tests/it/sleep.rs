//! A machine that sleeps while it serves: the realm goes on when it wakes, does what fell due meanwhile a
//! part at a time, and serves others in between. The clocks are the machine's, moved on as sleep moves them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use rialto_core::event::{Envelope, Event};
use rialto_core::identity::Principal;
use rialto_core::ledger::LedgerEvent;
use rialto_core::limits;
use rialto_core::market::DealState;
use rialto_core::time::{HOUR_MS, Time};
use rialto_server::node::{Clock, SystemClock, VirtualClock};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::door::Realm;

/// The machine's clocks, and what a hand adds to them: ticks come by themselves.
struct Sleeper(VirtualClock);

impl Clock for Sleeper {
    fn now(&self) -> Time {
        SystemClock.now().after(self.0.now().0)
    }

    fn steady_ms(&self) -> u64 {
        SystemClock.steady_ms() + self.0.steady_ms()
    }
}

async fn sleeper() -> Realm {
    let hand = VirtualClock::new(Time(0));
    Realm::driven_by(Sleeper(hand.clone()), hand).await
}

async fn ready(realm: &Realm) -> (StatusCode, String) {
    let request = Request::get("/readyz").body(Body::empty()).unwrap();
    let answer = realm.router.clone().oneshot(request).await.unwrap();
    let status = answer.status();
    let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await;
    (status, String::from_utf8(body.unwrap().to_vec()).unwrap())
}

/// Two owners' agents without rate limits; the buyer's has money. Their tokens: seller, buyer.
async fn market(realm: &Realm) -> (String, String) {
    let open = json!({
        "sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0,
        "agents_per_owner": 0,
    });
    realm.ok(&realm.operator, "policy.set_settings", open).await;
    let (_, seller) = realm.owner("seller").await;
    let (_, buyer) = realm.owner("buyer").await;
    let listing = json!({ "terms": { "title": "Tacos" } });
    realm.ok(&seller, "listing.publish", listing).await;
    let issue = json!({ "to": "@buyer-agent", "amount": "100000" });
    realm.ok(&realm.operator, "ledger.issue", issue).await;
    (seller, buyer)
}

/// The buyer's offer of a deal that is to be delivered within an hour, as its acceptance names it.
async fn offered(realm: &Realm, buyer: &str) -> Value {
    let terms = json!({
        "price": "1", "deliver_within_ms": HOUR_MS, "review_within_ms": HOUR_MS, "rule_within_ms": HOUR_MS,
        "arbiter": "operator",
    });
    let open = json!({
        "with": "@seller-agent", "side": "buy", "valid_for_ms": HOUR_MS, "terms": terms,
    });
    let opened = realm.ok(buyer, "negotiation.open", open).await;
    json!({ "negotiation": opened["ids"]["neg"], "offer": opened["offer"] })
}

/// Holds of the buyer's money for an hour.
async fn held(realm: &Realm, buyer: &str, number: usize) {
    const AT_ONCE: usize = 500;
    let hold = json!({ "hold": {
        "from": "@buyer-agent", "to": "@seller-agent", "amount": "1", "expires_in_ms": HOUR_MS,
    } });
    for _ in 0..number / AT_ONCE {
        let transfers = json!({ "transfers": vec![hold.clone(); AT_ONCE] });
        realm.ok(buyer, "ledger.transfer", transfers).await;
    }
}

/// How many holds are open, how many deals are to be delivered, and whether a jump of the clock is on record.
async fn open(realm: &Realm) -> (usize, usize, bool) {
    let read = realm.node.read(|state| {
        let jump = state.clock.get(&()).and_then(|c| c.jump);
        let mut deals = 0;
        state.deals.for_each(|_, deal| {
            deals += usize::from(deal.state == DealState::Agreed);
        });
        (state.holds.len(), deals, jump.is_some())
    });
    read.await.unwrap().1
}

/// For each envelope after a position: whether it is the clock's, and how many entries of money it has.
fn steps(realm: &Realm, after: u64) -> Vec<(bool, usize)> {
    let frames = realm
        .node
        .with_log(|log| log.read_from(after + 1, usize::MAX));
    let frames = frames.unwrap();
    let facts = frames.iter().flat_map(|frame| &frame.envelopes);
    let entries = |event: &Event| match event {
        Event::Ledger(LedgerEvent::Entries { entries, .. }) => entries.len(),
        _ => 0,
    };
    facts
        .map(|facts| Envelope::decode(facts).unwrap())
        .filter(|envelope| envelope.position > after)
        .map(|envelope| {
            let sum = envelope.events.iter().map(entries).sum();
            (envelope.principal == Principal::Realm, sum)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realm_that_wakes_with_ten_thousand_things_due_serves_others_meanwhile() {
    const DEALS: usize = 200;
    const HOLDS: usize = 10_000;
    let realm = sleeper().await;
    let (seller, buyer) = market(&realm).await;
    for _ in 0..DEALS {
        let offer = offered(&realm, &buyer).await;
        realm.ok(&seller, "negotiation.accept", offer).await;
    }
    held(&realm, &buyer, HOLDS).await;
    let late = offered(&realm, &buyer).await;
    assert_eq!(open(&realm).await, (DEALS + HOLDS, DEALS, false));
    let (asleep_at, ()) = realm.node.read(|_| ()).await.unwrap();

    realm.clock.advance_ms(2 * HOUR_MS);
    // What is over is over: expired until the clock has come to it, ended then.
    let refused = realm.refused(&seller, "negotiation.accept", late).await;
    assert!(
        ["RLT0502", "RLT0504"].contains(&refused.as_str()),
        "{refused}"
    );
    let (mut served, woke) = (0, Instant::now());
    while open(&realm).await.0 > 0 {
        let group = json!({ "title": "x", "members": [] });
        realm.ok(&seller, "mail.open_group", group).await;
        served += 1;
        assert!(woke.elapsed() < Duration::from_secs(120), "it never ends");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(ready(&realm).await, (StatusCode::OK, "ready\n".to_owned()));
    assert_eq!(open(&realm).await, (0, 0, false));
    let (end, ()) = realm.node.read(|_| ()).await.unwrap();
    let accounts = loop {
        let (_, accounts) = realm.get(&buyer, "/api/ledger/accounts").await;
        if accounts["position"].as_u64() >= Some(end) {
            break accounts;
        }
        assert!(
            woke.elapsed() < Duration::from_secs(300),
            "lists stay behind"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let money = &accounts["items"][0];
    assert_eq!(money["balance"], "100000.00", "{accounts}");
    assert_eq!(money["pending_out"], "0.00", "{accounts}");

    let steps = steps(&realm, asleep_at);
    let ticks: Vec<usize> = steps.iter().filter(|s| s.0).map(|s| s.1).collect();
    assert_eq!(ticks.iter().sum::<usize>(), DEALS + HOLDS);
    assert!(ticks.iter().all(|done| *done <= limits::TICK_EXPIRIES));
    assert_eq!(steps.iter().filter(|s| !s.0).count(), served);
    // Others came in between, not after it all.
    let (first, last) = (
        steps.iter().position(|s| s.0).unwrap(),
        steps.iter().rposition(|s| s.0 && s.1 > 0).unwrap(),
    );
    assert!(steps[first..last].iter().any(|s| !s.0), "{served} served");
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_clock_that_was_set_waits_for_the_operator() {
    let realm = sleeper().await;
    let (_, agent) = realm.owner("ana").await;
    let group = json!({ "title": "x", "members": [] });
    // Asleep for a month, without anything to do.
    realm.clock.advance_ms(30 * 24 * HOUR_MS);
    assert_eq!(ready(&realm).await.0, StatusCode::OK);
    realm.ok(&agent, "mail.open_group", group.clone()).await;
    let (_, shown) = realm.get(&agent, "/api/realm").await;
    assert_eq!(shown["clock"]["state"], "level", "{shown}");
    assert_eq!(shown["clock"]["counts_sleep"], true);
    // The clock set while it sleeps, by more than the realm follows.
    realm.clock.advance_ms(2 * HOUR_MS);
    realm.clock.set(realm.clock.now().after(2 * HOUR_MS));
    let (status, told) = ready(&realm).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(told.contains("rialto clock accept"), "{told}");
    let refused = realm.refused(&agent, "mail.open_group", group.clone());
    assert_eq!(refused.await, "RLT0901");
    realm.ok(&realm.operator, "clock.accept", json!({})).await;
    realm.ok(&agent, "mail.open_group", group).await;
    realm.stop();
}

/// A machine without a clock that counts sleep.
struct Blind(Arc<VirtualClock>);

impl Clock for Blind {
    fn now(&self) -> Time {
        self.0.now()
    }

    fn steady_ms(&self) -> u64 {
        self.0.steady_ms()
    }

    fn counts_sleep(&self) -> bool {
        false
    }

    fn is_virtual(&self) -> bool {
        true
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_clock_that_counts_sleep_waking_waits_for_the_operator_and_says_why() {
    let hand = VirtualClock::new(Time(1_795_000_000_000));
    let realm = Realm::driven_by(Blind(Arc::new(hand.clone())), hand).await;
    realm.owner("ana").await;
    realm.clock.set(realm.clock.now().after(2 * HOUR_MS));
    let (status, told) = ready(&realm).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(told.contains("may also have slept"), "{told}");
    realm.stop();
}

#[test]
fn the_machine_counts_sleep_where_this_runs() {
    assert!(SystemClock.counts_sleep());
    let before = SystemClock.steady_ms();
    assert!(SystemClock.steady_ms() >= before);
}

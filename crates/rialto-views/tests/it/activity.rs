//! What happens now, and who is told of it.

use rialto_core::id::AnyId;
use rialto_core::time::{MINUTE_MS, Time};
use rialto_views::{Act, EventFilter, MAX_ACTS, MAX_BUCKETS, Paging, Scope, Tie, ViewReader};
use serde_json::json;

use crate::realm::Day;

fn acts(views: &ViewReader, scope: Scope) -> Vec<Act> {
    views.activity(scope, Time(0), MAX_ACTS).unwrap().items
}

#[test]
fn the_latest_act_comes_first_and_names_the_parties() {
    let day = Day::new().trade();
    let views = day.realm.views().reader();
    let all = acts(&views, Scope::Realm);
    let first = all.first().unwrap();
    assert_eq!((first.id, first.tie), (day.deal, Tie::Paid));
    assert_eq!(first.what, "settled the deal");
    assert_eq!(first.amount.as_deref(), Some("20.00"));
    assert_eq!(first.by.as_ref().unwrap().handle, "@buyer");
    assert_eq!(first.to.len(), 1);
    assert_eq!(first.to[0].handle, "@seller");
    assert!(all.windows(2).all(|w| w[0].position > w[1].position));
    let call = all.iter().find(|act| act.id == day.call).unwrap();
    let asked: Vec<&str> = call.to.iter().map(|who| who.handle.as_str()).collect();
    assert_eq!(asked, ["@seller", "@rival"]);
}

#[test]
fn every_line_is_a_sentence() {
    let day = Day::new().trade();
    let views = day.realm.views().reader();
    let all = acts(&views, Scope::Realm);
    let told: Vec<String> = all
        .iter()
        .map(|a| format!("{} {}", a.who, a.what))
        .collect();
    let told = told.join("\n");
    assert!(
        told.contains(" signed up") && told.contains(" registered @"),
        "{told}"
    );
    assert!(told.contains("operator issued money"), "{told}");
    for broken in [
        " to\n",
        "acct_",
        "agent_",
        "person_",
        "was registered",
        "the work is",
    ] {
        assert!(!told.contains(broken), "{broken} in\n{told}");
    }
}

#[test]
fn a_kind_that_no_event_is_of_is_refused_with_those_that_are_near() {
    for (kind, near) in [
        ("market.deal_agreed", None),
        ("approval_ended", Some("policy.approval_ended")),
        ("deal_agreed", Some("market.deal_agreed")),
        ("market.offers_made", Some("market.offer_made")),
        ("zzz", Some("such as market.deal_agreed")),
    ] {
        let kind = Some(kind.to_owned());
        let filter = EventFilter {
            kind,
            ..EventFilter::default()
        };
        let told = filter.check().err().map(|why| why.to_string());
        match (told, near) {
            (None, None) => {}
            (Some(told), Some(near)) => assert!(told.contains(near), "{told}"),
            (told, _) => panic!("{filter:?}: {told:?}"),
        }
    }
}

#[test]
fn an_owner_is_told_of_its_own_affairs_only() {
    let day = Day::new().trade();
    let views = day.realm.views().reader();
    for scope in [Scope::Owner(day.stranger.id), Scope::Agent(day.rival)] {
        let told = acts(&views, scope);
        assert!(told.iter().any(|act| act.id == day.lost), "{told:?}");
        let foreign = |act: &&Act| {
            let ours = [
                day.deal,
                day.won,
                day.goal,
                day.buyer.into(),
                day.seller.into(),
            ];
            ours.contains(&act.id)
        };
        assert_eq!(told.iter().find(foreign), None);
    }
    let ours = acts(&views, Scope::Owner(day.ours.id));
    assert!(ours.iter().any(|act| act.id == day.deal));
    assert!(ours.iter().all(|act| act.id != AnyId::from(day.rival)));
}

#[test]
fn an_answer_to_a_call_is_not_told_to_the_others_asked() {
    let mut day = Day::new();
    let ids = day.realm.by(
        day.buyer,
        "call.open",
        json!({ "body": "once more", "wanted": [{ "item": "Taco" }], "invite": ["@seller", "@rival"],
                "open_for_ms": 60000 }),
    );
    let call = ids.first().copied().unwrap();
    day.realm
        .by(day.seller, "call.refuse", json!({ "call": call }));
    let refusals = |views: &ViewReader, agent| {
        let scope = Scope::Agent(agent);
        let trace = views.trace(scope, call).unwrap().unwrap();
        let hops = trace.hops.iter().map(|hop| hop.kind.as_str());
        let told = acts(views, scope);
        let acts = told.iter().map(|act| act.kind.as_str());
        let refused = |kind: &&str| *kind == "market.call_refused";
        (acts.filter(refused).count(), hops.filter(refused).count())
    };
    let views = day.realm.views().reader();
    assert_eq!(refusals(&views, day.seller), (1, 1));
    assert_eq!(refusals(&views, day.rival), (0, 0));
    assert_eq!(refusals(&views, day.buyer), (0, 0));
    day.realm
        .by(day.rival, "call.refuse", json!({ "call": call }));
    let views = day.realm.views().reader();
    assert_eq!(refusals(&views, day.rival), (1, 1));
    assert_eq!(
        refusals(&views, day.buyer),
        (2, 2),
        "opened once all have answered"
    );
}

#[test]
fn a_stream_wakes_for_what_concerns_it() {
    let day = Day::new();
    let before = day.realm.views().position();
    let day = day.trade();
    let views = day.realm.views().reader();
    let last = views.position().unwrap();
    assert_eq!(views.acted_after(Scope::Realm, before).unwrap(), Some(last));
    assert_eq!(views.acted_after(Scope::Realm, last).unwrap(), None);
    let buyer = Scope::Agent(day.buyer);
    assert_eq!(views.acted_after(buyer, last - 1).unwrap(), Some(last));
    let theirs = views.acted_after(Scope::Owner(day.stranger.id), last - 2);
    assert_eq!(theirs.unwrap(), None);
}

#[test]
fn traffic_adds_up() {
    let day = Day::new().trade();
    let views = day.realm.views().reader();
    let end = Time(day.realm.now_ms + 1);
    let from = Time(end.0 - 30 * MINUTE_MS);
    let traffic = views.traffic(Scope::Realm, from, MINUTE_MS, 30).unwrap();
    let events: u64 = traffic.buckets.iter().map(|b| b.events).sum();
    assert_eq!(events, views.position().unwrap());
    assert_eq!(traffic.buckets.iter().map(|b| b.deals).sum::<u64>(), 1);
    assert_eq!(traffic.moved[0].total, "20.00");
    assert_eq!(traffic.moved[0].buckets.len(), 30);
    let others = Scope::Owner(day.stranger.id);
    let theirs = views.traffic(others, from, MINUTE_MS, 30).unwrap();
    assert!(theirs.moved.is_empty());
    assert_eq!(theirs.buckets.iter().map(|b| b.deals).sum::<u64>(), 0);
    assert!(theirs.buckets.iter().map(|b| b.events).sum::<u64>() < events);
}

#[test]
fn what_waits_is_counted_within_the_scope() {
    let day = Day::new().trade();
    let views = day.realm.views().reader();
    assert_eq!(views.waiting(Scope::Realm).unwrap().disputes, 0);
    let disputed = views
        .deals_in(Scope::Realm, Some("settled"), &Paging::default())
        .unwrap();
    assert_eq!(disputed.items.len(), 1);
    let none = views.deals_in(Scope::Realm, Some("disputed"), &Paging::default());
    assert!(none.unwrap().items.is_empty());
}

#[test]
fn the_log_is_read_backwards_page_by_page() {
    let day = Day::new().trade();
    let views = day.realm.views().reader();
    let mut paging = Paging {
        cursor: None,
        limit: 7,
    };
    let mut positions = Vec::new();
    loop {
        let page = views
            .latest_events(Scope::Realm, &EventFilter::default(), &paging)
            .unwrap();
        let found = page.items.iter().map(|e| e["position"].as_u64().unwrap());
        positions.extend(found);
        match page.next_cursor {
            Some(cursor) => paging.cursor = Some(cursor),
            None => break,
        }
    }
    let last = views.position().unwrap();
    assert_eq!(positions, (1..=last).rev().collect::<Vec<_>>());
    let kind = EventFilter {
        kind: Some("market.deal_agreed".to_owned()),
        ..EventFilter::default()
    };
    let agreed = views.latest_events(Scope::Realm, &kind, &Paging::default());
    assert_eq!(agreed.unwrap().items.len(), 1);
}

#[test]
fn bounds_are_kept() {
    let views = Day::new().realm.views().reader();
    for most in [0, MAX_ACTS + 1] {
        assert!(views.activity(Scope::Realm, Time(0), most).is_err());
    }
    for buckets in [0, MAX_BUCKETS + 1] {
        assert!(
            views
                .traffic(Scope::Realm, Time(0), MINUTE_MS, buckets)
                .is_err()
        );
    }
    let few = views.activity(Scope::Realm, Time(0), 3).unwrap();
    assert_eq!((few.items.len(), few.truncated), (3, true));
}

//! The thread of a goal and of a deal.

use rialto_core::id::{AnyId, DealId, MessageId, TaskId, number, position_of};
use rialto_views::{Scope, Trace, TracePart};
use serde_json::json;

use crate::realm::{Day, id_of};

fn kinds(trace: &Trace) -> Vec<&str> {
    trace.hops.iter().map(|h| h.kind.as_str()).collect()
}

#[test]
fn a_goal_is_followed_to_its_settlement_without_a_gap() {
    let day = Day::new().trade();
    let views = day.realm.views();
    let trace = views
        .reader()
        .trace(Scope::Realm, day.goal)
        .unwrap()
        .expect("there");
    assert_eq!(
        kinds(&trace),
        [
            "work.task_created",
            "market.call_opened",
            "market.offer_made",
            "market.offer_made",
            "market.call_revealed",
            "market.offer_made",
            "work.task_created",
            "market.deal_agreed",
            "market.negotiation_ended",
            "ledger.entries",
            "market.deal_delivered",
            "work.artifact_added",
            "work.task_updated",
            "market.deal_ended",
            "ledger.entries",
        ]
    );
    assert!(trace.gaps == Some(Vec::new()) && !trace.truncated);
    let amounts: Vec<&str> = trace
        .hops
        .iter()
        .filter_map(|h| h.amount.as_deref())
        .collect();
    assert_eq!(
        amounts,
        [
            "22.48 USD",
            "30.00 USD",
            "20.00 USD",
            "20.00 USD",
            "20.00 USD",
            "20.00 USD"
        ]
    );
    assert!(
        trace
            .hops
            .iter()
            .all(|h| h.position.is_some() && !h.private)
    );
    assert!(trace.hops.is_sorted_by_key(|h| h.position));
    // A cause comes before what it brought about, and each line reads behind a name.
    for hop in &trace.hops {
        let at = hop.position.unwrap();
        assert!(
            hop.links
                .iter()
                .all(|cause| position_of(cause.number()) <= at),
            "{hop:?}"
        );
    }
    let said: Vec<String> = trace
        .hops
        .iter()
        .map(|h| {
            format!(
                "{} {}",
                h.who.as_deref().unwrap(),
                h.what.as_deref().unwrap()
            )
        })
        .collect();
    let told = said.join("\n");
    for line in [
        "@seller completed the work",
        "@buyer ended the deal: settled, accepted",
        "held 20.00 USD from @buyer to @seller for deal_",
        "gave @seller the work of deal_",
        "opened the proposals together",
    ] {
        assert!(told.contains(line), "{line} in\n{told}");
    }
    assert!(
        !told.contains("agent_") && !told.contains("acct_"),
        "{told}"
    );
}

#[test]
fn a_deal_leads_back_to_its_goal_for_those_who_may_see_it() {
    let day = Day::new().trade();
    let views = day.realm.views();
    let reader = views.reader();
    let own = reader
        .trace(Scope::Owner(day.ours.id), day.deal)
        .unwrap()
        .expect("a party");
    assert!(own.hops.iter().any(|h| h.id == day.goal) && own.gaps == Some(Vec::new()));
    assert!(
        own.hops.iter().all(|h| !h.private && h.id != day.lost),
        "no sibling is a cause or effect"
    );
    let other = reader
        .trace(Scope::Owner(day.theirs.id), day.deal)
        .unwrap()
        .expect("a party");
    let goal = other.hops.iter().find(|h| h.id == day.goal).expect("named");
    let shown = serde_json::to_value(goal).unwrap();
    assert_eq!(
        shown,
        json!({ "id": day.goal, "kind": "task", "private": true })
    );
}

#[test]
fn a_cause_that_never_was_is_a_gap() {
    let mut day = Day::new();
    let nothing = AnyId::DealId(DealId(number(1, 9)));
    day.realm.cause = Some(nothing);
    let ids = day.realm.by(
        day.buyer,
        "mail.send",
        json!({ "to": { "agent": "@seller" }, "body": "hm" }),
    );
    let message = id_of(&ids, "msg");
    day.realm.cause = Some(message);
    let ids = day.realm.by(
        day.buyer,
        "mail.send",
        json!({ "to": { "agent": "@seller" }, "body": "so" }),
    );
    let views = day.realm.views();
    let reader = views.reader();
    let trace = reader
        .trace(Scope::Agent(day.buyer), id_of(&ids, "msg"))
        .unwrap()
        .expect("own");
    assert_eq!(kinds(&trace), ["mail.message_sent", "mail.message_sent"]);
    let gaps = trace.gaps.unwrap();
    assert_eq!(gaps.len(), 1);
    assert_eq!((gaps[0].id, gaps[0].named_by), (nothing, message));
    assert!(
        reader
            .trace(Scope::Realm, AnyId::TaskId(TaskId(3)))
            .unwrap()
            .is_none()
    );
}

/// Everything that was linked to a thing by who had no business with it.
#[test]
fn strangers_cannot_tie_themselves_to_a_thread() {
    let mut day = Day::new();
    let say = |day: &mut Day, who, to: &str, reply_to: Option<AnyId>| {
        let mut args = json!({ "to": { "agent": to }, "body": "hm" });
        if let Some(message) = reply_to {
            args["reply_to"] = json!(message);
        }
        id_of(&day.realm.by(who, "mail.send", args), "msg")
    };
    let (buyer, rival) = (day.buyer, day.rival);
    let told = say(&mut day, buyer, "@seller", None);
    let guessed = AnyId::MessageId(MessageId(number(day.realm.state.position() + 3, 0)));

    day.realm.cause = Some(told);
    let named = say(&mut day, rival, "@seller", None);
    day.realm.cause = Some(guessed);
    let early = say(&mut day, rival, "@seller", None);
    day.realm.cause = None;
    let after = say(&mut day, buyer, "@seller", Some(told));
    assert_eq!(after, guessed, "the id was guessed right");
    let foreign = say(&mut day, rival, "@seller", Some(told));

    let views = day.realm.views();
    let trace = views.reader().trace(Scope::Realm, told).unwrap().unwrap();
    let ids: Vec<AnyId> = trace.hops.iter().map(|hop| hop.id).collect();
    assert!(ids.contains(&after), "an answer within the conversation");
    for stranger in [named, early, foreign] {
        assert!(!ids.contains(&stranger), "{stranger}");
    }
    let trace = views.reader().trace(Scope::Realm, after).unwrap().unwrap();
    assert!(trace.hops.iter().all(|hop| hop.id != early));
}

#[test]
fn a_withdrawal_is_followed_to_what_is_owed_for_it() {
    let mut day = Day::new();
    let args = json!({ "from": "@buyer", "amount": "1", "reference": "iban" });
    let ids = day.realm.by(day.buyer, "ledger.withdraw", args);
    let (hold, owed) = (id_of(&ids, "hold"), id_of(&ids, "obligation"));
    let views = day.realm.views();
    // Whoever made it sees it, and its owner.
    for scope in [Scope::Agent(day.buyer), Scope::Owner(day.ours.id)] {
        for from in [hold, owed] {
            let trace = views.reader().trace(scope, from).unwrap().unwrap();
            let hops: Vec<AnyId> = trace.hops.iter().map(|hop| hop.id).collect();
            assert!(
                hops.contains(&hold) && hops.contains(&owed),
                "{from}: {hops:?}"
            );
            assert!(trace.gaps == Some(Vec::new()));
        }
    }
    let others = views.reader().trace(Scope::Agent(day.rival), owed).unwrap();
    assert!(others.is_none());
}

/// A trace of `transfers` small payments that one goal caused, in batches.
fn paid_often(day: &mut Day, transfers: usize) {
    day.realm.fund(day.buyer, "1000");
    day.realm.cause = Some(day.goal);
    let post = json!({ "post": { "from": day.buyer, "to": day.seller, "amount": "0.01" } });
    let mut left = transfers;
    while left > 0 {
        let batch = left.min(8_000);
        left -= batch;
        let all = vec![post.clone(); batch];
        day.realm
            .by(day.buyer, "ledger.transfer", json!({ "transfers": all }));
    }
}

#[test]
fn many_hops_of_one_kind_are_one_line_with_their_sum_and_can_be_listed() {
    let mut day = Day::new();
    paid_often(&mut day, 1_100);
    let views = day.realm.views();
    let reader = views.reader();
    let whole = reader.trace(Scope::Realm, day.goal).unwrap().unwrap();
    assert_eq!(whole.gaps, Some(Vec::new()));
    assert!(whole.next_cursor.is_none() && !whole.truncated);
    let entries: Vec<_> = whole
        .hops
        .iter()
        .filter(|h| h.kind == "ledger.entries")
        .collect();
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!(entries[0].amount.as_deref(), Some("11.00 USD"));
    assert_eq!(entries[0].folded.as_ref().map(|f| f.hops), Some(1_100));

    let (mut part, mut listed, mut pages) = (TracePart::default(), Vec::new(), 0);
    part.kind = Some("ledger.entries".into());
    loop {
        let page = reader
            .trace_part(Scope::Realm, day.goal, &part)
            .unwrap()
            .unwrap();
        pages += 1;
        listed.extend(page.hops.iter().map(|hop| (hop.id, hop.amount.clone())));
        assert!(page.hops.iter().all(|hop| hop.folded.is_none()));
        let Some(next) = page.next_cursor else { break };
        part.cursor = Some(next);
    }
    assert_eq!((pages, listed.len()), (2, 1_100));
    listed.sort();
    listed.dedup();
    assert_eq!(listed.len(), 1_100, "each once");
    assert!(
        listed
            .iter()
            .all(|(_, amount)| amount.as_deref() == Some("0.01 USD"))
    );

    part.cursor = Some("nowhere".into());
    let bad = reader.trace_part(Scope::Realm, day.goal, &part);
    assert!(
        matches!(bad, Err(rialto_views::Error::BadCursor)),
        "{bad:?}"
    );
}

#[test]
fn work_is_summed_where_it_is_folded() {
    let mut day = Day::new();
    for tokens in 1..=20_u64 {
        let args = json!({ "tokens": 1_000, "task": day.goal });
        let usage = id_of(&day.realm.by(day.buyer, "usage.reserve", args), "usage");
        let args = json!({ "usage": usage, "tokens": tokens });
        day.realm.by(day.buyer, "usage.settle", args);
    }
    let views = day.realm.views();
    let trace = views
        .reader()
        .trace(Scope::Realm, day.goal)
        .unwrap()
        .unwrap();
    let settled = trace
        .hops
        .iter()
        .find(|h| h.kind == "policy.usage_settled")
        .unwrap();
    let folded = settled.folded.as_ref().unwrap();
    assert_eq!(
        (folded.hops, folded.work.map(|w| w.tokens)),
        (20, Some(210))
    );
}

/// A test that asks for no gaps does not pass because the thread was cut.
#[test]
fn a_thread_that_is_cut_claims_nothing_about_gaps() {
    let mut day = Day::new();
    paid_often(&mut day, 21_000);
    let views = day.realm.views();
    let trace = views
        .reader()
        .trace(Scope::Realm, day.goal)
        .unwrap()
        .unwrap();
    assert!(trace.truncated);
    assert_eq!(trace.gaps, None);
}

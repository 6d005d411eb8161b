//! Allowances, approvals, blocks, rates, repetition and the clock: as tables.

use std::format;

use crate::event::Event;
use crate::ledger::LedgerEvent;
use crate::limits;
use crate::market::MarketEvent;
use crate::reject::Code;
use crate::share;
use crate::spec::{World, check, codes_without_a_line};
use crate::time::HOUR_MS;

const PEOPLE: &str = r#"
    owner ann
    owner bob
    agent ann @buyer
    agent ann @sibling
    agent bob @seller
    agent bob @second
    ann team.create {"name": "crew"} => ok $crew
    ann agent.move {"agent": "@buyer", "team": "$crew"} => ok
    fund @buyer 1000
    @seller listing.publish {"terms": {"title": "goods"}} => ok
"#;

fn table(lines: &str) -> World {
    check(&[PEOPLE, lines].concat())
}

fn pay(to: &str, amount: &str, outcome: &str) -> std::string::String {
    format!(
        r#"@buyer ledger.transfer {{"transfers": [{{"post": {{"from": "@buyer", "to": "{to}", "amount": "{amount}"}}}}]}} => {outcome}"#
    )
}

#[test]
fn an_allowance_at_any_node_above_limits_each_payment_and_the_period() {
    for (node, by, spent) in [
        (r#"{"agent": "@buyer"}"#, "ann", "@buyer"),
        (r#"{"team": "$crew"}"#, "ann", "$crew"),
        (r#"{"owner": "$ann"}"#, "ann", "$ann"),
    ] {
        table(&format!(
            r#"
            bob policy.set_allowance {{"node": {node}, "per_deal": "1"}} => {}
            {by} policy.set_allowance {{"node": {node}, "per_deal": "10", "per_period": "25"}} => ok
            {}
            {}
            {}
            {}
            {}
            spent {spent} 25.00
            // the next day is a new period
            wait +1d
            {}
            spent {spent} 10.00
            // a new limit goes on counting
            {by} policy.set_allowance {{"node": {node}, "per_period": "12"}} => ok
            {}
            {}
            // and without limits it is gone
            {by} policy.set_allowance {{"node": {node}, "clear": ["per_deal", "per_period"]}} => ok
            spent {spent} none
            {}
            "#,
            if node.contains("team") {
                "RLT0103"
            } else {
                "RLT0101"
            },
            pay("@seller", "10.01", "RLT0402"),
            pay("@seller", "10", "ok"),
            pay("@seller", "10", "ok"),
            pay("@seller", "5.01", "RLT0402"),
            pay("@seller", "5", "ok"),
            pay("@seller", "10", "ok"),
            pay("@seller", "2.01", "RLT0402"),
            pay("@seller", "2", "ok"),
            pay("@seller", "100", "ok"),
        ));
    }
}

#[test]
fn moves_within_a_node_do_not_count_at_it() {
    table(
        r#"
        ann policy.set_allowance {"node": {"owner": "$ann"}, "per_period": "5"} => ok
        operator policy.set_allowance {"node": "realm", "per_period": "7"} => ok
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@sibling", "amount": "100"}}]} => ok
        spent $ann 0.00
        // the whole realm's allowance counts only what leaves the realm
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "5"}}]} => ok
        spent realm 0.00
        @seller ledger.withdraw {"from": "@seller", "amount": "5", "reference": "x"} => ok
        spent realm 5.00
        ann policy.set_allowance {"node": "realm", "per_period": "5"} => RLT0101
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "per_period": "-5"} => RLT0008
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "per_period": "5", "period_ms": 0} => RLT0009
        ann policy.set_allowance {"node": {"team": "team_000000000000"}, "per_period": "5"} => RLT0103
        // one batch cannot outrun its allowance
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "per_period": "5"} => ok
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@sibling", "amount": "3"}}, {"post": {"from": "@buyer", "to": "@sibling", "amount": "3"}}]} => RLT0402
        "#,
    );
}

#[test]
fn a_hold_counts_when_made_and_raised_and_what_is_captured_stays_spent() {
    table(
        r#"
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "per_period": "20", "per_deal": "18", "period_ms": 3600000} => ok
        @buyer ledger.transfer {"transfers": [{"hold": {"from": "@buyer", "to": "@seller", "amount": "10", "expires_in_ms": 86400000}}]} => ok $h
        spent @buyer 10.00
        @buyer ledger.capture {"hold": "$h", "amount": "4"} => ok
        spent @buyer 10.00
        // a raise counts, and what a single payment may be is judged by all that was ever held
        @buyer ledger.raise {"hold": "$h", "amount": "8.01"} => RLT0402
        @buyer ledger.raise {"hold": "$h", "amount": "8"} => ok
        spent @buyer 18.00
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "2.01"}}]} => RLT0402
        // what is released returns, what was captured stays spent
        @buyer ledger.transfer {"transfers": [{"post_hold": {"hold": "$h", "amount": "5"}}]} => ok
        spent @buyer 9.00
        // each part counts in the period in which it was held, and returns to that period only
        @buyer ledger.transfer {"transfers": [{"hold": {"from": "@buyer", "to": "@seller", "amount": "6", "expires_in_ms": 86400000}}]} => ok $h
        spent @buyer 15.00
        time +1h
        @buyer ledger.raise {"hold": "$h", "amount": "7"} => ok
        spent @buyer 7.00
        // what goes out first is what was held first
        @buyer ledger.capture {"hold": "$h", "amount": "8"} => ok
        spent @buyer 7.00
        @buyer ledger.transfer {"transfers": [{"void_hold": {"hold": "$h"}}]} => ok
        spent @buyer 2.00
        // the question to a person is not evaded in pieces; a hold cannot wait for the answer
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "approval_above": "5"} => ok
        @buyer ledger.transfer {"transfers": [{"hold": {"from": "@buyer", "to": "@seller", "amount": "4", "expires_in_ms": 86400000}}]} => ok $h
        @buyer ledger.raise {"hold": "$h", "amount": "1.01"} => RLT0601
        @buyer ledger.capture {"hold": "$h", "amount": "4"} => ok
        @buyer ledger.raise {"hold": "$h", "amount": "1.01"} => RLT0601
        @buyer ledger.raise {"hold": "$h", "amount": "1"} => ok
        "#,
    );
}

#[test]
fn holds_count_when_made_and_give_back_what_they_do_not_pay() {
    table(
        r#"
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "per_period": "20"} => ok
        @buyer ledger.transfer {"transfers": [{"hold": {"from": "@buyer", "to": "@seller", "amount": "15", "expires_in_ms": 600000}}]} => ok $h
        spent @buyer 15.00
        @buyer ledger.transfer {"transfers": [{"hold": {"from": "@buyer", "to": "@seller", "amount": "6", "expires_in_ms": 600000}}]} => RLT0402
        @buyer ledger.transfer {"transfers": [{"post_hold": {"hold": "$h", "amount": "4"}}]} => ok
        spent @buyer 4.00
        @buyer ledger.transfer {"transfers": [{"hold": {"from": "@buyer", "to": "@seller", "amount": "16", "expires_in_ms": 600000}}]} => ok $h
        wait +10m
        spent @buyer 4.00
        // a hold from before the allowance began to count gives nothing back to it
        @buyer ledger.transfer {"transfers": [{"hold": {"from": "@buyer", "to": "@seller", "amount": "10", "expires_in_ms": 6000000}}]} => ok $h
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "per_period": "20", "period_ms": 604800000} => ok
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "10"}}]} => ok
        @buyer ledger.transfer {"transfers": [{"void_hold": {"hold": "$h"}}]} => ok
        spent @buyer 10.00
        "#,
    );
}

#[test]
fn above_a_limit_a_person_approves_exactly_this() {
    table(
        r#"
        ann person.add {"owner": "$ann", "name": "eve", "role": "approver"} => ok
        ann person.add {"owner": "$ann", "name": "sue", "role": "viewer"} => ok
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "approval_above": "50", "per_period": "500"} => ok
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "50"}}]} => ok
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "60"}}]} => ok $a
        approval $a open
        balance @buyer 950.00
        @buyer policy.answer_approval {"approval": "$a", "approve": true} => RLT0101
        sue policy.answer_approval {"approval": "$a", "approve": true} => RLT0101
        bob policy.answer_approval {"approval": "$a", "approve": true} => RLT0103
        bob policy.answer_approval {"approval": "appr_00000000zzzz", "approve": true} => RLT0103
        eve policy.answer_approval {"approval": "appr_00000000zzzz", "approve": false} => RLT0103
        eve policy.answer_approval {"approval": "$a", "approve": true} => ok
        balance @buyer 890.00
        inbox @buyer approval
        eve policy.answer_approval {"approval": "$a", "approve": true} => RLT0103
        // in a batch or as a hold there is nothing to park
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "60"}}, {"post": {"from": "@buyer", "to": "@seller", "amount": "1"}}]} => RLT0601
        @buyer ledger.transfer {"transfers": [{"hold": {"from": "@buyer", "to": "@seller", "amount": "60", "expires_in_ms": 1000}}]} => RLT0601
        // a person's word lifts the need for approval, not the allowance
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "380"}}]} => ok $a
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "40"}}]} => ok
        eve policy.answer_approval {"approval": "$a", "approve": true} => RLT0402
        eve policy.answer_approval {"approval": "$a", "approve": false} => ok
        approval $a gone
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "60"}}]} => ok $a
        ann identity.suspend {"subject": {"agent": "@buyer"}} => ok
        eve policy.answer_approval {"approval": "$a", "approve": true} => RLT0105
        ann identity.resume {"subject": {"agent": "@buyer"}} => ok
        wait +3d
        approval $a gone
        eve policy.answer_approval {"approval": "$a", "approve": true} => RLT0103
        balance @buyer 850.00 pending 0.00
        "#,
    );
}

#[test]
fn an_acceptance_waits_for_approval_bound_to_its_offer() {
    table(
        r#"
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "approval_above": "50"} => ok
        @second negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "60"}, "valid_for_ms": 600000} => ok $n
        @buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $a
        approval $a open
        negotiation $n open
        balance @buyer 1000.00 pending 0.00
        // the seller's next offer is another one
        @buyer negotiation.counter {"negotiation": "$n", "terms": {"price": "40"}, "valid_for_ms": 600000} => ok
        @second negotiation.counter {"negotiation": "$n", "terms": {"price": "70"}, "valid_for_ms": 600000} => ok
        approval $a gone
        inbox @buyer negotiation approval negotiation
        @buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $b
        ann policy.answer_approval {"approval": "$b", "approve": true} => ok $deal
        deal $deal agreed
        balance @buyer 1000.00 pending 70.00
        // and an offer that has run out cannot be approved any more
        @second negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "60"}, "valid_for_ms": 600000} => ok $n
        @buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $c
        time +10m
        ann policy.answer_approval {"approval": "$c", "approve": true} => RLT0502
        tick
        approval $c gone
        "#,
    );
}

/// A team of ann's that is paid: by itself first, then with an agent of another owner for all of it.
const PAID: &str = r#"
    @sibling team.create {"name": "paid"} => ok $paid
    @sibling team.propose_split {"team": "$paid", "shares": [{"agent": "$sibling", "ppm": 1000000}]} => ok
    @sibling team.agree_split {"team": "$paid", "shares": [{"agent": "$sibling", "ppm": 1000000}]} => ok
    @sibling listing.publish {"terms": {"title": "goods"}} => ok
"#;

const PAID_TO_ANOTHER: &str = r#"
    @sibling team.invite {"team": "$paid", "agent": "@second", "role": "member"} => ok
    @second team.join {"team": "$paid", "join": true} => ok
    @sibling team.propose_split {"team": "$paid", "shares": [{"agent": "$sibling", "ppm": 0}, {"agent": "$second", "ppm": 1000000}]} => ok
    @sibling team.agree_split {"team": "$paid", "shares": [{"agent": "$sibling", "ppm": 0}, {"agent": "$second", "ppm": 1000000}]} => ok
    @second team.agree_split {"team": "$paid", "shares": [{"agent": "$sibling", "ppm": 0}, {"agent": "$second", "ppm": 1000000}]} => ok
"#;

#[test]
fn a_yes_is_for_the_split_that_it_was_given_for() {
    let offer = |more: &str| {
        format!(
            r#"@buyer negotiation.open {{"with": "@sibling", "side": "buy", "terms": {{"price": "50", "payee_team": "$paid"}}, "valid_for_ms": 600000{more}}} => ok $a
            "#
        )
    };
    for (more, held) in [("", "0.00"), (r#", "fund": true"#, "50.00")] {
        table(
            &[
                r#"ann policy.set_allowance {"node": {"agent": "@buyer"}, "approval_above": "2"} => ok
                "#,
                PAID,
                &offer(more),
                r#"ann policy.answer_approval {"approval": "$a", "approve": true} => ok $n
                "#,
                PAID_TO_ANOTHER,
                r#"@sibling negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => RLT0528 the split
                "#,
                &format!("balance @buyer 1000.00 pending {held}\n"),
                // Asked again, a person sees what stands now.
                &offer(more),
                r#"ann policy.answer_approval {"approval": "$a", "approve": true} => ok $n
                @sibling negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok
                "#,
            ]
            .concat(),
        );
    }
    // Between the asking and the yes: for an acceptance and for an offer.
    table(
        &[
            r#"ann policy.set_allowance {"node": {"agent": "@buyer"}, "approval_above": "2"} => ok
            "#,
            PAID,
            &offer(""),
            r#"@sibling negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "20", "payee_team": "$paid"}, "valid_for_ms": 600000} => ok $n
            @buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $b
            "#,
            PAID_TO_ANOTHER,
            r#"ann policy.answer_approval {"approval": "$a", "approve": true} => RLT0528
            ann policy.answer_approval {"approval": "$b", "approve": true} => RLT0528
            ann policy.answer_approval {"approval": "$b", "approve": false} => ok
            @buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $b
            ann policy.answer_approval {"approval": "$b", "approve": true} => ok
            "#,
        ]
        .concat(),
    );
}

#[test]
fn what_waits_for_a_person_is_carried_out_as_it_was_asked_for() {
    let mut world = table(
        r#"
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "approval_above": "2"} => ok
        @buyer ledger.transfer {"memo": "invoice 4711", "transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "5"}}]} => ok $a
        "#,
    );
    let signature = "ab".repeat(64);
    world.run(&format!(
        r#"
        ann policy.answer_approval {{"approval": "$a", "approve": true}} => ok
        @second negotiation.open {{"with": "@buyer", "side": "sell", "terms": {{"price": "60"}}, "valid_for_ms": 600000}} => ok $n
        @buyer negotiation.accept {{"negotiation": "$n", "offer": "$n.offer", "signature": "{signature}"}} => ok $b
        ann policy.answer_approval {{"approval": "$b", "approve": true}} => ok
        "#
    ));
    let (mut memos, mut signed) = (0, 0);
    for event in world.log.iter().flat_map(|e| &e.events) {
        match event {
            Event::Ledger(LedgerEvent::Entries { memo: Some(_), .. }) => memos += 1,
            Event::Market(MarketEvent::DealAgreed { signature, .. }) => {
                signed += usize::from(signature.is_some());
            }
            _ => {}
        }
    }
    assert_eq!((memos, signed), (1, 1));
}

#[test]
fn a_persons_yes_lends_no_voice_to_a_suspended_agent() {
    table(
        r#"
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "approval_above": "2"} => ok
        @buyer negotiation.open {"with": "@seller", "side": "buy", "note": "mind", "terms": {"price": "5"}, "valid_for_ms": 600000} => ok $offer
        @buyer ledger.transfer {"memo": "mind", "transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "5"}}]} => ok $memo
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "5"}}]} => ok $pay
        @second negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "60"}, "valid_for_ms": 600000} => ok $n
        @buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $accept
        operator moderation.act {"target": {"agent": "@buyer"}, "step": {"suspend": {"for_ms": 86400000}}, "reason": "fraud"} => ok
        ann policy.answer_approval {"approval": "$offer", "approve": true} => RLT0713
        ann policy.answer_approval {"approval": "$memo", "approve": true} => RLT0713
        @buyer ledger.transfer {"memo": "mind", "transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "1"}}]} => RLT0713
        // what was begun is finished
        ann policy.answer_approval {"approval": "$pay", "approve": true} => ok
        ann policy.answer_approval {"approval": "$accept", "approve": true} => ok
        "#,
    );
}

#[test]
fn whoever_is_blocked_accepts_nothing() {
    table(
        r#"
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "5"}, "valid_for_ms": 600000} => ok $n
        ann policy.set_block {"by": {"owner": "$ann"}, "party": {"agent": "@second"}, "block": true} => ok
        @seller negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => RLT0602
        ann policy.set_block {"by": {"owner": "$ann"}, "party": {"agent": "@second"}, "block": false} => ok
        @seller negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok
        "#,
    );
}

#[test]
fn a_yes_is_for_the_limits_that_asked_for_it() {
    table(
        r#"
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "approval_above": "2"} => ok
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "50"}, "valid_for_ms": 600000} => ok $a
        ann policy.answer_approval {"approval": "$a", "approve": true} => ok $n
        // a limit of the owner that was not there asks too; where it does not, the yes holds
        ann policy.set_allowance {"node": {"owner": "$ann"}, "approval_above": "3"} => ok
        @seller negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => RLT0601 -
        ann policy.set_allowance {"node": {"owner": "$ann"}, "approval_above": "50"} => ok
        @seller negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok
        "#,
    );
}

#[test]
fn an_approval_is_asked_of_the_owner_whose_money_it_is() {
    table(
        r#"
        @sibling team.create {"name": "purse"} => ok $purse
        @sibling team.invite {"team": "$purse", "agent": "@second", "role": "spender"} => ok
        @second team.join {"team": "$purse", "join": true} => ok
        fund $purse 100
        ann policy.set_allowance {"node": {"team": "$purse"}, "approval_above": "2"} => ok
        @second ledger.transfer {"transfers": [{"post": {"from": "$purse", "to": "@seller", "amount": "50"}}]} => ok $a
        bob policy.answer_approval {"approval": "$a", "approve": true} => RLT0103
        ann policy.answer_approval {"approval": "$a", "approve": true} => ok
        balance @seller 50.00
        // an offer, and an acceptance
        @second negotiation.open {"with": "@buyer", "side": "buy", "terms": {"price": "5"}, "pay_from": "$purse", "valid_for_ms": 600000} => ok $a
        bob policy.answer_approval {"approval": "$a", "approve": true} => RLT0103
        ann policy.answer_approval {"approval": "$a", "approve": true} => ok $n
        @buyer negotiation.leave {"negotiation": "$n"} => ok
        @buyer negotiation.open {"with": "@second", "side": "sell", "terms": {"price": "5"}, "valid_for_ms": 600000} => ok $n
        @second negotiation.accept {"negotiation": "$n", "offer": "$n.offer", "pay_from": "$purse"} => ok $a
        bob policy.answer_approval {"approval": "$a", "approve": true} => RLT0103
        // who was taken out meanwhile spends nothing, whoever approves
        @sibling team.remove {"team": "$purse", "agent": "@second"} => ok
        ann policy.answer_approval {"approval": "$a", "approve": true} => RLT0101
        "#,
    );
}

#[test]
fn an_approval_that_was_asked_of_another_owner_is_nobodys() {
    let mut world = table(&format!(
        r#"
        ann policy.set_allowance {{"node": {{"agent": "@buyer"}}, "approval_above": "2"}} => ok
        {}
        "#,
        pay("@seller", "5", "ok $a")
    ));
    // As they were asked for before.
    let bob = share::owner(&world.state, world.agent("@seller")).unwrap();
    let mut waiting = None;
    world.state.approvals.for_each(|id, _| waiting = Some(*id));
    let changes = &mut world.state.changes;
    world
        .state
        .approvals
        .modify(&waiting.unwrap(), changes, |a| a.owner = bob);
    world.run(
        r#"
        bob policy.answer_approval {"approval": "$a", "approve": true} => RLT0604
        bob policy.answer_approval {"approval": "$a", "approve": false} => ok
        balance @seller 0.00
        "#,
    );
}

#[test]
fn at_most_a_hundred_approvals_of_an_agent_wait() {
    let mut world = table(
        r#"ann policy.set_allowance {"node": {"agent": "@buyer"}, "approval_above": "1"} => ok"#,
    );
    for number in 0..limits::APPROVALS_PER_AGENT {
        world.run(&pay("@seller", &format!("{}", number + 2), "ok $a"));
    }
    // One that waits already is not one more.
    world.run(&pay("@seller", "2", "dup"));
    world.run(&pay("@seller", "200", "RLT0109"));
    world.run(r#"ann policy.answer_approval {"approval": "$a", "approve": false} => ok"#);
    world.run(&pay("@seller", "200", "ok"));
    world.settle();
}

#[test]
fn the_same_act_waits_once() {
    let mut world = table(
        r#"
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "approval_above": "50"} => ok
        @second negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "90"}, "valid_for_ms": 600000} => ok $m
        "#,
    );
    let deny = |which: &str| {
        format!(
            r#"ann policy.answer_approval {{"approval": "{which}", "approve": false, "reason": "one is enough"}} => ok"#
        )
    };
    // Each act, the same again, and the like that is another one.
    for (act, other) in [
        (
            r#"ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "60"}}], "memo": "rent"}"#,
            r#"ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "60"}}], "memo": "wood"}"#,
        ),
        (
            r#"negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "60"}, "note": "soon", "valid_for_ms": 600000}"#,
            r#"negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "60"}, "note": "soon", "valid_for_ms": 600000, "fund": true}"#,
        ),
        (
            r#"negotiation.accept {"negotiation": "$m", "offer": "$m.offer", "note": "the last one"}"#,
            r#"negotiation.accept {"negotiation": "$m", "offer": "$m.offer", "note": "the best one"}"#,
        ),
        (
            r#"negotiation.counter {"negotiation": "$m", "terms": {"price": "70"}, "valid_for_ms": 600000}"#,
            r#"negotiation.counter {"negotiation": "$m", "terms": {"price": "71"}, "valid_for_ms": 600000}"#,
        ),
    ] {
        for line in [
            format!("@buyer {act} => ok $a"),
            format!("@buyer {act} => dup $a"),
            format!("@buyer {other} => ok $b"),
            format!("@buyer {act} => dup $a"),
            deny("$b"),
            deny("$a"),
            format!("@buyer {act} => ok $a"),
            deny("$a"),
        ] {
            world.run(&line);
        }
    }
    world.settle();
}

#[test]
fn what_is_over_waits_for_nobody() {
    table(
        r#"
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "approval_above": "50"} => ok
        // a deal ends what else waited in its negotiation, but not the approval that made it
        @second negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "60"}, "valid_for_ms": 600000} => ok $n
        @buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer", "note": "one"} => ok $a
        @buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer", "note": "two"} => ok $b
        @buyer negotiation.counter {"negotiation": "$n", "terms": {"price": "55"}, "valid_for_ms": 600000} => ok $c
        ann policy.answer_approval {"approval": "$a", "approve": true} => ok $deal
        approval $b gone
        approval $c gone
        balance @buyer 1000.00 pending 60.00
        // and so does a side that leaves
        @second negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "60"}, "valid_for_ms": 600000} => ok $n
        @buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $a
        @second negotiation.leave {"negotiation": "$n"} => ok
        approval $a gone
        // everything at once, by the clock
        @second negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "60"}, "valid_for_ms": 259200000} => ok $n
        @buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $a
        wait +3d
        approval $a gone
        "#,
    );
}

#[test]
fn what_would_refuse_a_yes_is_known_before() {
    let mut world = table(
        r#"
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "approval_above": "50", "per_period": "100"} => ok
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "60"}}]} => ok $a
        "#,
    );
    let mut waiting = None;
    world.state.approvals.for_each(|id, _| waiting = Some(*id));
    let waiting = waiting.unwrap();
    assert_eq!(crate::policy::obstacle(&world.state, waiting), None);
    for (line, want) in [
        (
            r#"@buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "45"}}]} => ok"#,
            Some(Code::OverAllowance),
        ),
        (
            r#"ann policy.set_allowance {"node": {"agent": "@buyer"}, "per_period": "500"} => ok"#,
            None,
        ),
        (
            r#"ann identity.suspend {"subject": {"agent": "@buyer"}} => ok"#,
            Some(Code::Suspended),
        ),
    ] {
        world.run(line);
        let why = crate::policy::obstacle(&world.state, waiting);
        assert_eq!(why.map(|why| why.code), want, "{line}");
    }
}

#[test]
fn blocks_are_set_by_agents_and_owners_for_themselves() {
    table(
        r#"
        @buyer policy.set_block {"party": {"agent": "@buyer"}, "block": true} => RLT0210
        @buyer policy.set_block {"party": {"agent": "@nobody"}, "block": true} => RLT0103
        @buyer policy.set_block {"by": {"agent": "@seller"}, "party": {"agent": "@second"}, "block": true} => RLT0101
        @buyer policy.set_block {"by": {"owner": "$ann"}, "party": {"agent": "@second"}, "block": true} => RLT0101
        ann policy.set_block {"party": {"agent": "@second"}, "block": true} => RLT0102
        @seller policy.set_block {"party": {"agent": "@buyer"}, "block": true} => ok
        @seller policy.set_block {"party": {"agent": "@buyer"}, "block": true} => ok
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "1"}, "valid_for_ms": 1000} => RLT0602
        @seller policy.set_block {"party": {"agent": "@buyer"}, "block": false} => ok
        @seller policy.set_block {"party": {"agent": "@buyer"}, "block": false} => ok
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "1"}, "valid_for_ms": 1000} => ok $n
        // a negotiation that was open before carries no more words to whoever sets a block
        @buyer policy.set_block {"party": {"agent": "@seller"}, "block": true} => ok
        @seller negotiation.counter {"negotiation": "$n", "terms": {"price": "2"}, "valid_for_ms": 1000, "note": "words"} => RLT0602
        @seller negotiation.counter {"negotiation": "$n", "terms": {"price": "2"}, "valid_for_ms": 1000} => RLT0602
        "#,
    );
}

#[test]
fn one_agent_sets_at_most_ten_thousand_blocks() {
    let mut world = World::new();
    world.run(r#"
        owner ann
        agent ann @buyer
        operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0, "creations_per_minute": 0} => ok
    "#);
    let operator = world.request("operator").unwrap();
    let buyer = world.request("@buyer").unwrap();
    for n in 0..limits::BLOCKS_PER_SETTER {
        let sign_up =
            format!(r#"{{"op": "owner.sign_up", "args": {{"name": "o{n}-", "kind": "person"}}}}"#);
        let sign_up = crate::spec::sealed(&sign_up);
        world.execute(&operator, &sign_up).unwrap();
        let owner = world
            .state
            .owner_named(&crate::text::Handle::new(&format!("o{n}-")).unwrap());
        let block = format!(
            r#"{{"op": "policy.set_block", "args": {{"party": {{"owner": "{}"}}, "block": true}}}}"#,
            owner.unwrap()
        );
        let block = crate::spec::sealed(&block);
        world.execute(&buyer, &block).unwrap();
    }
    world.run(
        r#"
        owner last
        @buyer policy.set_block {"party": {"owner": "$last"}, "block": true} => RLT0605
        "#,
    );
}

#[test]
fn rates_are_limited_and_recover_evenly() {
    table(
        r#"
        ann policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 2, "messages_per_minute": 2, "offers_per_minute": 2, "agents_per_owner": 3} => RLT0101
        operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 2, "messages_per_minute": 2, "offers_per_minute": 2, "agents_per_owner": 3} => ok
        @buyer mail.send {"to": {"agent": "@seller"}, "body": "1"} => ok
        @buyer mail.send {"to": {"agent": "@seller"}, "body": "2"} => ok
        @buyer mail.send {"to": {"agent": "@seller"}, "body": "3"} => RLT0603
        // an owner's agents share a limit; others have their own
        @sibling mail.send {"to": {"agent": "@seller"}, "body": "1"} => RLT0603
        @seller mail.send {"to": {"agent": "@buyer"}, "body": "1"} => ok
        time +30s
        @sibling mail.send {"to": {"agent": "@seller"}, "body": "3"} => ok
        @buyer mail.send {"to": {"agent": "@seller"}, "body": "4"} => RLT0603
        // offers, proposals and calls together
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "1"}, "valid_for_ms": 1000} => ok
        @buyer call.open {"body": "x", "invite": ["@seller"], "open_for_ms": 60000} => ok
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "1"}, "valid_for_ms": 1000} => RLT0603
        @buyer call.open {"body": "x", "invite": ["@seller"], "open_for_ms": 60000} => RLT0603
        // sign-ups in the whole realm; the operator's do not count
        operator owner.sign_up {"name": "o1", "kind": "person"} => ok
        operator owner.sign_up {"name": "o2", "kind": "person"} => ok
        operator owner.sign_up {"name": "o3", "kind": "person"} => ok
        public owner.sign_up {"name": "p1", "kind": "person"} => ok
        public owner.sign_up {"name": "p2", "kind": "person"} => ok
        public owner.sign_up {"name": "p3", "kind": "person"} => RLT0603
        time +30m
        public owner.sign_up {"name": "p3", "kind": "person"} => ok
        // agents of one owner
        ann agent.register {"handle": "a3"} => ok
        ann agent.register {"handle": "a4"} => RLT0108
        operator policy.set_settings {"sign_up_open": false, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0} => ok
        public owner.sign_up {"name": "p4", "kind": "person"} => RLT0111
        operator owner.sign_up {"name": "p4", "kind": "person"} => ok
        ann agent.register {"handle": "a4"} => ok
        // empty buckets leave memory
        wait +3h
        "#,
    );
}

#[test]
fn a_command_with_a_key_is_carried_out_once() {
    table(
        r#"
        @buyer key=k1 ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "10"}}]} => ok
        @buyer key=k1 ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "10"}}]} => dup
        balance @buyer 990.00
        @buyer key=k1 ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "11"}}]} => RLT0013
        // another principal's keys are its own, and so are those of another agent that it acts as
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@sibling", "amount": "10"}}]} => ok
        ann/@buyer key=k0 mail.acknowledge {"through": 0} => ok
        ann/@buyer key=k0 mail.acknowledge {"through": 0} => dup
        ann/@sibling key=k0 mail.acknowledge {"through": 0} => ok
        ann/@sibling key=k0 mail.acknowledge {"through": 0} => dup
        ann/@sibling key=k0 mail.acknowledge {"through": 1} => RLT0013
        ann key=k0 identity.resume {"subject": {"agent": "@sibling"}} => ok
        @buyer key=k0 mail.acknowledge {"through": 0} => ok
        fund @buyer 10
        @seller key=k1 ledger.transfer {"transfers": [{"post": {"from": "@seller", "to": "@buyer", "amount": "10"}}]} => ok
        // rejections are not remembered
        @seller key=k2 ledger.transfer {"transfers": [{"post": {"from": "@seller", "to": "@buyer", "amount": "5"}}]} => RLT0401
        fund @seller 5
        @seller key=k2 ledger.transfer {"transfers": [{"post": {"from": "@seller", "to": "@buyer", "amount": "5"}}]} => ok
        // too old, or ahead of the clock
        @buyer key=k3:-86401 mail.acknowledge {"through": 0} => RLT0012
        @buyer key=k3:301 mail.acknowledge {"through": 0} => RLT0012
        @buyer key=k3:-86400 mail.acknowledge {"through": 0} => ok
        @buyer key=k4:300 mail.acknowledge {"through": 0} => ok
        // a key made ahead is remembered until it is too old itself
        time +5m
        wait +1d
        @buyer key=k4:-86400 mail.acknowledge {"through": 0} => dup
        @buyer key=k4:-86401 mail.acknowledge {"through": 0} => RLT0012
        time +1s
        tick
        @buyer key=k4 mail.acknowledge {"through": 0} => ok
        "#,
    );
}

#[test]
fn the_operator_says_how_long_keys_are_kept() {
    let settings = |more: &str| {
        format!(
            r#"operator policy.set_settings {{"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0{more}}} => ok
            "#
        )
    };
    let mut world = table(
        &[
            r#"@buyer key=before mail.acknowledge {"through": 0} => ok
            "#,
            &settings(r#", "keep_keys_ms": 600000"#),
            r#"
            @buyer key=k mail.acknowledge {"through": 0} => ok
            @buyer key=old:-601 mail.acknowledge {"through": 0} => RLT0012
            time +10m
            @buyer key=k:-600 mail.acknowledge {"through": 0} => dup
            time +1s
            @buyer key=k:-601 mail.acknowledge {"through": 0} => RLT0012
            wait +5m
            "#,
            &settings(""),
            r#"
            // what was forgotten is not done again, what was not is known for its day
            @buyer key=k:-901 mail.acknowledge {"through": 0} => RLT0012
            @buyer key=before:-901 mail.acknowledge {"through": 0} => dup
            "#,
        ]
        .concat(),
    );
    assert_eq!(world.state.remembered.len(), 1);
    world.run("wait +2d");
    assert!(world.state.windows().is_empty() && world.state.shares_hold());
    world.settle();
}

#[test]
fn the_clock_never_runs_back_and_never_jumps_unseen() {
    let mut world = table(
        r#"
        @buyer clock.tick => RLT0101
        operator clock.tick => RLT0101
        clock clock.tick => nothing
        time +60m
        // it has nothing to do, but says what time it is
        clock clock.tick => ok
        wall +61m
        clock clock.tick => RLT0901
        @buyer mail.acknowledge {"through": 0} => RLT0901
        ann clock.accept => RLT0901
        operator clock.accept => ok
        clock clock.tick => nothing
        ann clock.accept => RLT0101
        ann clock.set_back => RLT0101
        "#,
    );
    assert!(world.log.windows(2).all(|w| w[0].at <= w[1].at));
    let last = world.state.now();
    world.now = crate::time::Time(1);
    world.run(r#"@buyer mail.acknowledge {"through": 0} => ok"#);
    assert_eq!(world.state.now(), last);
}

#[test]
fn sleep_is_no_jump_of_the_clock() {
    let mut world = table(
        r#"
        operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 2, "offers_per_minute": 0, "agents_per_owner": 0} => ok
        @buyer mail.send {"to": {"agent": "@seller"}, "body": "1"} => ok
        @buyer mail.send {"to": {"agent": "@seller"}, "body": "2"} => ok
        @buyer mail.send {"to": {"agent": "@seller"}, "body": "3"} => RLT0603
        @buyer key=k mail.acknowledge {"through": 0} => ok
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "1"}, "valid_for_ms": 3600000} => ok $n
        // both clocks go on while the machine sleeps, or the process is held
        time +120m
        // what fell due meanwhile is over, before the clock has come to it
        @seller negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => RLT0502
        @buyer key=k:-7200 mail.acknowledge {"through": 0} => dup
        // time asleep counts for rates
        @buyer mail.send {"to": {"agent": "@seller"}, "body": "3"} => ok
        tick
        negotiation $n expired
        // weeks of it too
        time +30240m
        clock clock.tick => ok
        operator clock.set_back => RLT0920
        // a clock that was set during sleep is ahead by what it was set
        time +120m
        wall +60m
        clock clock.tick => ok
        time +120m
        wall +61m
        clock clock.tick => RLT0901
        operator clock.accept => ok
        "#,
    );
    // One that was set back is led on by the steady clock, asleep too.
    let before = world.state.now();
    world.run("wall -5h\ntime +2h\nclock clock.tick => ok");
    assert_eq!(world.state.now().since(before), 2 * HOUR_MS * 31 / 32);
    world.settle();
}

#[test]
fn time_that_no_server_watched_waits_for_the_operator() {
    table(
        r#"
        down +60m
        clock clock.tick => ok
        down +61m
        clock clock.tick => RLT0901
        // waiting makes it no better
        time +120m
        clock clock.tick => RLT0901
        operator clock.accept => ok
        time +120m
        clock clock.tick => ok
        // what sleep came after a start is not held against it
        down +30m
        time +120m
        clock clock.tick => ok
        "#,
    );
}

#[test]
fn a_clock_that_jumps_and_comes_back_holds_nobody_up() {
    let mut world = table(
        r#"
        operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 2, "messages_per_minute": 2, "offers_per_minute": 2, "agents_per_owner": 3} => ok
        @buyer mail.send {"to": {"agent": "@seller"}, "body": "1"} => ok
        @buyer mail.send {"to": {"agent": "@seller"}, "body": "2"} => ok
        @buyer mail.send {"to": {"agent": "@seller"}, "body": "3"} => RLT0603
        // a jump gives nobody more than its rate
        wall +59m
        @buyer mail.send {"to": {"agent": "@seller"}, "body": "3"} => RLT0603
        @seller mail.acknowledge {"through": 0} => ok
        // and its end takes nothing away
        wall -59m
        @buyer mail.send {"to": {"agent": "@seller"}, "body": "3"} => RLT0603
        time +30s
        @sibling mail.send {"to": {"agent": "@seller"}, "body": "3"} => ok
        @buyer mail.send {"to": {"agent": "@seller"}, "body": "4"} => RLT0603
        time +30s
        @buyer mail.send {"to": {"agent": "@seller"}, "body": "4"} => ok
        // what is to last a second lasts a second, while the realm is ahead
        ann token.issue {"subject": {"agent": "@sibling"}, "expires_in_ms": 1000} => ok $t
        @sibling#t mail.acknowledge {"through": 0} => ok
        time +500ms
        @sibling#t mail.acknowledge {"through": 0} => ok
        time +600ms
        @sibling#t mail.acknowledge {"through": 0} => RLT0106
        tick
        // keys are as old as their maker's clock says
        @buyer key=k1 mail.acknowledge {"through": 0} => ok
        @buyer key=k1 mail.acknowledge {"through": 0} => dup
        @buyer key=k2:301 mail.acknowledge {"through": 0} => ok
        @buyer key=k3:4000 mail.acknowledge {"through": 0} => RLT0012
        "#,
    );
    // The two clocks meet again: the realm's runs slower until they do.
    let ahead_ms = |world: &World| world.state.now().since(world.now);
    assert!(ahead_ms(&world) > 58 * 60_000);
    world.run("wait +2d");
    assert_eq!(ahead_ms(&world), 0);
    world.settle();
}

#[test]
fn a_jump_of_the_clock_begins_no_rate_anew() {
    let write = |outcome: &str| {
        format!(
            r#"@buyer mail.send {{"to": {{"agent": "@seller"}}, "body": "x"}} => {outcome}
            "#
        )
    };
    let jump = "wall +59m\n tick\n";
    let mut world = table(
        &[
            r#"operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 2, "offers_per_minute": 0, "agents_per_owner": 0} => ok
            "#,
            &write("ok"),
            &write("ok"),
            &write("RLT0603"),
            jump,
            &write("RLT0603"),
            jump,
            &write("RLT0603"),
            jump,
            &write("RLT0603"),
            "wait +30s\n",
            &write("ok"),
            &write("RLT0603"),
        ]
        .concat(),
    );
    assert!(!world.state.meters.is_empty());
    // empty, it leaves memory
    world.run("wait +3h");
    assert_eq!(world.state.meters.len(), 0);
    world.settle();
}

#[test]
fn a_mistaken_acceptance_is_lived_with_and_can_be_undone() {
    let mut world = table(
        r#"
        @buyer key=old mail.acknowledge {"through": 0} => ok
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "1"}, "valid_for_ms": 3600000} => ok $n
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "per_period": "20"} => ok
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "5"}}]} => ok
        operator clock.set_back => RLT0920
        time +1m
        wall +720h
        @buyer mail.acknowledge {"through": 0} => RLT0901
        operator clock.accept => ok
        tick
        negotiation $n expired
        ann token.issue {"subject": {"agent": "@sibling"}, "expires_in_ms": 1000} => ok $short
        ann token.issue {"subject": {"agent": "@sibling"}, "expires_in_ms": 3600000} => ok $long
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "7"}}]} => ok
        operator clock.set_back => RLT0920
        // the machine's clock is set right; the realm lives on ahead of it
        wall -720h
        time +2s
        @sibling#short mail.acknowledge {"through": 0} => RLT0106
        @buyer key=new mail.acknowledge {"through": 0} => ok
        @buyer key=new mail.acknowledge {"through": 0} => dup
        // what was forgotten is not done again
        @buyer key=old:-62 mail.acknowledge {"through": 0} => RLT0012
        "#,
    );
    let day = 24 * 3_600_000;
    assert!(world.state.now().since(world.now) > 29 * day);
    world.run(
        r#"
        operator clock.set_back => ok
        operator clock.set_back => RLT0920
        // what expired meanwhile stays expired; what was issued meanwhile lives no longer for it
        negotiation $n expired
        @sibling#long mail.acknowledge {"through": 0} => ok
        @buyer key=new mail.acknowledge {"through": 0} => dup
        // what was spent meanwhile counts today
        spent @buyer 7.00
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "13.01"}}]} => RLT0402
        time +59m
        @sibling#long mail.acknowledge {"through": 0} => ok
        time +1m
        @sibling#long mail.acknowledge {"through": 0} => RLT0106
        wait +1d
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "20"}}]} => ok
        "#,
    );
    assert_eq!(world.state.now(), world.now);
}

#[test]
fn who_is_stopped_does_nothing_and_learns_why() {
    table(
        r#"
        ann person.add {"owner": "$ann", "name": "eve", "role": "admin"} => ok
        operator service.create {"name": "bank", "grants": ["payments"]} => ok
        ann identity.suspend {"subject": {"person": "$eve_id"}} => ok
        eve team.create {"name": "x"} => RLT0105
        eve/@buyer mail.acknowledge {"through": 0} => RLT0105
        operator identity.suspend {"subject": {"service": "$bank"}} => ok
        bank ledger.deposit {"to": "@buyer", "amount": "1", "reference": "r"} => RLT0105
        // all agents of an owner at once: those that are registered meanwhile too
        bob owner.stop {"owner": "$ann", "stop": true} => RLT0101
        bob owner.stop {"owner": "owner_000000000000", "stop": true} => RLT0101
        @buyer owner.stop {"stop": true} => RLT0101
        operator owner.stop {"stop": true} => RLT0001
        ann identity.suspend {"subject": {"agent": "@sibling"}} => ok
        ann owner.stop {"stop": true} => ok
        @buyer mail.acknowledge {"through": 0} => RLT0105
        ann agent.register {"handle": "late"} => ok
        @late mail.acknowledge {"through": 0} => RLT0105
        @seller negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "1"}, "valid_for_ms": 600000} => ok $n
        ann/@buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => RLT0105
        ann owner.stop {"stop": false} => ok
        @buyer mail.acknowledge {"through": 0} => ok
        @late mail.acknowledge {"through": 0} => ok
        @sibling mail.acknowledge {"through": 0} => RLT0105
        // an owner stops with all its people
        operator identity.suspend {"subject": {"owner": "$ann"}} => ok
        ann owner.stop {"stop": false} => RLT0105
        @late mail.acknowledge {"through": 0} => RLT0105
        "#,
    );
}

#[test]
fn an_allowance_changes_what_is_named_and_keeps_the_rest() {
    table(
        r#"
        ann policy.set_allowance {"node": {"agent": "@buyer"}} => RLT0001
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "per_deal": "10", "per_period": "30", "period_ms": 3600000, "approval_above": "8"} => ok
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "5"}}]} => ok
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "per_deal": "20"} => ok
        spent @buyer 5.00
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "20.01"}}]} => RLT0402
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "9"}}]} => ok $a
        approval $a open
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "clear": ["approval_above"]} => ok
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "9"}}]} => ok
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "16.01"}}]} => RLT0402
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "per_deal": "1", "clear": ["per_deal"]} => RLT0001
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "clear": ["per_everything"]} => malformed
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "clear": ["per_deal", "per_period"]} => ok
        spent @buyer none
        "#,
    );
}

#[test]
fn a_buyers_own_offer_waits_for_approval_and_goes_out_as_it_stands() {
    let mut world = table(
        r#"
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "approval_above": "50", "per_deal": "100"} => ok
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "101"}, "valid_for_ms": 600000} => RLT0402
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "60", "lines": [{"item": "rope", "quantity": 2}]}, "note": "for the boat", "valid_for_ms": 600000} => ok $a
        approval $a open
        inbox @seller -
        wait +2h
        ann policy.answer_approval {"approval": "$a", "approve": true} => ok $n
        negotiation $n open
        inbox @seller negotiation
        inbox @buyer approval
        // a person has agreed to it: the other side's yes waits for nobody
        @seller negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $deal
        balance @buyer 1000.00 pending 60.00
        // a counter waits in its negotiation, and is bound to what it answers
        @second negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "90"}, "valid_for_ms": 600000} => ok $m
        @buyer negotiation.counter {"negotiation": "$m", "terms": {"price": "70"}, "valid_for_ms": 600000} => ok $b
        @buyer negotiation.counter {"negotiation": "$m", "terms": {"price": "40"}, "valid_for_ms": 600000} => ok
        approval $b gone
        @second negotiation.counter {"negotiation": "$m", "terms": {"price": "80"}, "valid_for_ms": 600000} => ok
        @buyer negotiation.counter {"negotiation": "$m", "terms": {"price": "75"}, "valid_for_ms": 600000} => ok $c
        ann policy.answer_approval {"approval": "$c", "approve": true} => ok
        // a lower allowance meanwhile still binds
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "per_deal": "70"} => ok
        @second negotiation.accept {"negotiation": "$m", "offer": "$m.offer"} => RLT0402
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "per_deal": "80"} => ok
        @second negotiation.accept {"negotiation": "$m", "offer": "$m.offer"} => ok
        balance @buyer 1000.00 pending 135.00
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "60"}, "valid_for_ms": 600000} => ok $d
        ann policy.answer_approval {"approval": "$d", "approve": false} => ok
        approval $d gone
        "#,
    );
    // An offer from before the limit was set is the buyer's to have approved, not the seller's.
    world.run(
        r#"
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "clear": ["approval_above"]} => ok
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "60"}, "valid_for_ms": 600000} => ok $n
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "approval_above": "50"} => ok
        @seller negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => RLT0601
        "#,
    );
}

#[test]
fn what_is_not_yours_answers_as_what_does_not_exist() {
    let mut world = table(
        r#"
        operator ledger.create_asset {"code": "EUR", "scale": 2} => ok
        bob team.create {"name": "theirs"} => ok $team
        bob ledger.open_account {"holder": "@second", "label": "spare"} => ok $acct
        bob ledger.open_account {"holder": "@second", "asset": "EUR"} => ok $eur
        operator ledger.issue {"to": "$acct", "amount": "5"} => ok
        operator ledger.issue {"to": "$team", "amount": "5"} => ok
        operator service.create {"name": "bank", "grants": ["payments"]} => ok $svc
        bob/@second ledger.transfer {"transfers": [{"hold": {"from": "$acct", "to": "@seller", "amount": "1", "expires_in_ms": 600000}}]} => ok $hold
        "#,
    );
    let lines = [
        r#"ann ledger.open_account {"holder": "TEAM"} => RLT0103"#,
        r#"@buyer ledger.open_account {"holder": "TEAM"} => RLT0103"#,
        r#"@buyer ledger.transfer {"transfers": [{"post": {"from": "ACCT", "to": "@buyer", "amount": "1"}}]} => RLT0403"#,
        r#"@buyer ledger.transfer {"transfers": [{"post": {"from": "TEAM", "to": "@buyer", "amount": "1"}}]} => RLT0103"#,
        r#"@buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "ACCT", "amount": "1000000"}}]} => RLT0401"#,
        r#"@buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "TEAM", "amount": "1000000"}}]} => RLT0401"#,
        r#"@buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "EURO", "amount": "1"}}]} => RLT0403"#,
        r#"@buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "EURO", "amount": "1", "asset": "USD"}}]} => RLT0403"#,
        r#"@buyer ledger.withdraw {"from": "ACCT", "amount": "1", "reference": "w"} => RLT0403"#,
        r#"@buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "1"}, "pay_from": "ACCT", "valid_for_ms": 1000} => RLT0403"#,
        r#"@buyer ledger.transfer {"transfers": [{"void_hold": {"hold": "HOLD"}}]} => RLT0406"#,
        r#"bank ledger.end_withdrawal {"hold": "HOLD", "paid": true} => RLT0406"#,
        r#"ann agent.move {"agent": "@buyer", "team": "TEAM"} => RLT0103"#,
        r#"ann policy.set_allowance {"node": {"team": "TEAM"}, "per_deal": "1"} => RLT0103"#,
        r#"ann token.issue {"subject": {"service": "SVC"}} => RLT0101"#,
        r#"ann deal.rule {"deal": "DEAL", "to_seller": "1", "reason": "x"} => RLT0102"#,
    ];
    world.run(
        r#"
        @seller negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "1"}, "valid_for_ms": 600000} => ok $n
        @buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $deal
        "#,
    );
    let theirs = ["$team", "$acct", "$eur", "$hold", "$svc", "$deal"];
    let absent =
        ["team", "acct", "acct", "hold", "svc", "deal"].map(|k| format!("{k}_0zzzzzzzzzzz"));
    for line in lines {
        let about = |ids: [&str; 6]| {
            let names = ["TEAM", "ACCT", "EURO", "HOLD", "SVC", "DEAL"];
            names
                .iter()
                .zip(ids)
                .fold(std::string::String::from(line), |l, (name, id)| {
                    l.replace(name, id)
                })
        };
        world.run(&about(theirs));
        world.run(&about(absent.each_ref().map(std::string::String::as_str)));
    }
}

#[test]
fn one_tick_does_a_bounded_amount_and_the_next_goes_on() {
    let mut world = World::new();
    world.run("owner ann\nowner bob\nagent ann @buyer\nagent bob @seller\nfund @buyer 100");
    let request = world.request("@buyer").unwrap();
    let one =
        r#"{"hold": {"from": "@buyer", "to": "@seller", "amount": "0.01", "expires_in_ms": 1000}}"#;
    let all: std::vec::Vec<&str> = (0..limits::TICK_EXPIRIES + 1).map(|_| one).collect();
    let text = format!(
        r#"{{"op": "ledger.transfer", "args": {{"transfers": [{}]}}}}"#,
        all.join(",")
    );
    world
        .execute(&request, &crate::spec::sealed(&text))
        .unwrap();
    world.run("time +1s\nclock clock.tick => ok");
    assert_eq!(world.state.holds.len(), 1);
    world.run("clock clock.tick => ok\nclock clock.tick => nothing");
    assert_eq!(world.state.holds.len(), 0);
    world.settle();
}

#[test]
fn every_code_of_the_core_is_produced_by_some_table() {
    let tables = [
        include_str!("../identity/tests.rs"),
        include_str!("../identity/tests_scope.rs"),
        include_str!("../mail/tests.rs"),
        include_str!("../work/tests.rs"),
        include_str!("../ledger/tests.rs"),
        include_str!("../market/tests.rs"),
        include_str!("../market/tests_guard.rs"),
        include_str!("../market/tests_trust.rs"),
        include_str!("../model/tests.rs"),
        include_str!("../share.rs"),
        include_str!("../social/tests.rs"),
        include_str!("../social/tests_moderation.rs"),
        include_str!("tests.rs"),
        include_str!("tests_lines.rs"),
    ]
    .concat();
    let elsewhere = [
        // Doors refuse these before the core sees them, or answer them to reads.
        Code::TokenPlace,
        Code::NotMember,
        Code::Trimmed,
        // The offer of a buyer always names an account since it is checked when it is made.
        Code::PayerMissing,
        // Ten thousand follows and mutes are too many for a table: the square's tests hold them.
        Code::TooManyFollows,
        Code::TooManyMutes,
        // The core never reads a reason: the door compares them.
        Code::SameReason,
    ];
    assert_eq!(codes_without_a_line(&tables, 101..800), elsewhere);
}

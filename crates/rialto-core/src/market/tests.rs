//! Listings, calls, negotiations and deals as tables.

use std::collections::BTreeSet;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use crate::limits;
use crate::spec::{World, check};

/// The settings of a realm that limits no rate.
const UNHURRIED: &str = r#"operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0, "creations_per_minute": 0} => ok"#;

const PEOPLE: &str = r#"
    owner ann
    owner bob
    owner cat
    agent ann @buyer
    agent bob @seller
    agent bob @second
    agent cat @judge
    agent cat @shy request
    fund @buyer 100
"#;

/// A deal for 10 in the state agreed, ruled by an agent, named $deal, with its task $task and hold $hold.
const DEAL: &str = r#"
    @seller negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "10.000000001", "arbiter": {"agent": "@judge"}, "on_no_review": "settle", "on_no_ruling": "halve", "deliver_within_ms": 3600000, "review_within_ms": 3600000, "rule_within_ms": 3600000}, "valid_for_ms": 600000} => ok $n
    @buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $deal $task $hold
    balance @buyer 100.00 pending 10.000000001
"#;

fn table(lines: &str) -> World {
    check(&[PEOPLE, lines].concat())
}

fn deal(lines: &str) -> World {
    check(&[PEOPLE, DEAL, lines].concat())
}

#[test]
fn listings_belong_to_an_agent() {
    let mut world = table(
        r#"
        @seller listing.publish {"terms": {"title": "tacos", "items": [{"name": "taco", "price": "2.50"}], "attributes": [{"name": "outdoor", "value": {"flag": true}}]}} => ok $l
        @seller listing.publish {"terms": {"title": "tacos", "items": [{"name": "taco", "price": "-1"}]}} => RLT0008
        @seller listing.publish {"terms": {"title": "tacos", "asset": "EUR"}} => RLT0404
        @second listing.update {"listing": "$l", "terms": {"title": "mine"}} => RLT0101
        @second listing.withdraw {"listing": "$l"} => RLT0101
        @seller listing.update {"listing": "$l", "terms": {"title": "more tacos"}} => ok
        @seller listing.withdraw {"listing": "$l"} => ok
        @seller listing.withdraw {"listing": "$l"} => RLT0103
        "#,
    );
    let items: Vec<&str> = (0..257).map(|_| r#"{"name": "x", "price": "1"}"#).collect();
    world.run(&format!(
        r#"@seller listing.publish {{"terms": {{"title": "t", "items": [{}]}}}} => RLT0010"#,
        items.join(",")
    ));
    world.run(UNHURRIED);
    for _ in 0..limits::LISTINGS_PER_AGENT {
        world.run(r#"@seller listing.publish {"terms": {"title": "t"}} => ok"#);
    }
    world.run(r#"@seller listing.publish {"terms": {"title": "t"}} => RLT0109"#);
}

#[test]
fn what_a_listing_sells_is_bound_by_its_stock() {
    let offer = |quantity: u32, outcome: &str| {
        format!(
            r#"@buyer negotiation.open {{"with": "@seller", "side": "buy", "listing": "$l", "terms": {{"price": "1", "lines": [{{"item": "TACO", "quantity": {quantity}}}, {{"item": "song", "quantity": 9}}]}}, "valid_for_ms": 600000}} => {outcome}
"#
        )
    };
    let accept = |n: &str, outcome: &str| {
        format!(
            r#"@seller negotiation.accept {{"negotiation": "${n}", "offer": "${n}.offer"}} => {outcome}
"#
        )
    };
    let stocked = |quantity: u32| {
        format!(
            r#""terms": {{"title": "tacos", "items": [{{"name": "taco", "price": "2", "quantity": {quantity}}}, {{"name": "song", "price": "1"}}]}}"#
        )
    };
    let publish = format!("@seller listing.publish {{{}}} => ok $l\n", stocked(10));
    let restock = format!(
        r#"@seller listing.update {{"listing": "$l", {}}} => ok"#,
        stocked(12)
    );
    table(
        &[
            publish,
            offer(11, "RLT0515"),
            offer(6, "ok $n"),
            offer(5, "ok $m"),
            // an offer takes nothing yet; the deal does
            accept("n", "ok $deal"),
            accept("m", "RLT0515"),
            r#"@seller negotiation.counter {"negotiation": "$m", "terms": {"price": "1", "lines": [{"item": "taco", "quantity": 3}, {"item": "taco", "quantity": 2}]}, "valid_for_ms": 600000} => RLT0515
            @seller negotiation.counter {"negotiation": "$m", "terms": {"price": "1", "lines": [{"item": "taco", "quantity": 4}]}, "valid_for_ms": 600000} => ok
            @buyer negotiation.accept {"negotiation": "$m", "offer": "$m.offer"} => ok $rest
            "#.into(),
            offer(1, "RLT0515"),
            // what came to nothing is for sale again, what was kept is not
            "@seller deal.refund {\"deal\": \"$deal\"} => ok\n".into(),
            offer(7, "RLT0515"),
            offer(6, "ok $o"),
            accept("o", "ok"),
            restock,
            "\n".into(),
            offer(3, "RLT0515"),
            offer(2, "ok"),
        ]
        .concat(),
    );
}

#[test]
fn proposals_stay_sealed_until_all_invited_have_answered() {
    table(
        r#"
        @buyer call.open {"body": "tacos", "invite": ["@seller", "@second", "@judge", "@seller"], "open_for_ms": 600000} => ok $c
        inbox @seller call
        @seller call.propose {"call": "$c", "terms": {"price": "12"}, "valid_for_ms": 600000} => ok $n1
        inbox @buyer -
        // sealed: to the caller it is not there, and the proposer waits
        @buyer negotiation.accept {"negotiation": "$n1", "offer": "$n1.offer"} => RLT0103
        @buyer negotiation.leave {"negotiation": "$n1"} => RLT0103
        @buyer negotiation.counter {"negotiation": "$n1", "terms": {"price": "1"}, "valid_for_ms": 600000} => RLT0103
        @seller negotiation.leave {"negotiation": "$n1"} => RLT0509
        @second negotiation.leave {"negotiation": "$n1"} => RLT0103
        @seller call.propose {"call": "$c", "terms": {"price": "11"}, "valid_for_ms": 600000} => RLT0508
        @shy call.propose {"call": "$c", "terms": {"price": "11"}, "valid_for_ms": 600000} => RLT0103
        @shy call.refuse {"call": "$c"} => RLT0103
        @buyer call.propose {"call": "$c", "terms": {"price": "11"}, "valid_for_ms": 600000} => RLT0210
        @second call.propose {"call": "$c", "terms": {"price": "11"}, "valid_for_ms": 0} => RLT0009
        @second call.propose {"call": "$c", "terms": {"price": "11"}, "valid_for_ms": 600000} => ok $n2
        call $c open
        @judge call.refuse {"call": "$c"} => ok
        call $c revealed
        inbox @buyer call
        @judge call.propose {"call": "$c", "terms": {"price": "11"}, "valid_for_ms": 600000} => RLT0508
        // bargaining after the opening, then the award
        @buyer negotiation.counter {"negotiation": "$n2", "terms": {"price": "9"}, "valid_for_ms": 600000} => ok
        @second negotiation.accept {"negotiation": "$n2", "offer": "$n2.offer"} => ok $deal
        call $c awarded
        negotiation $n1 lost
        negotiation $n2 agreed
        deal $deal agreed
        inbox @seller call negotiation
        @buyer negotiation.accept {"negotiation": "$n1", "offer": "$n1.offer"} => RLT0504
        @buyer call.cancel {"call": "$c"} => RLT0506
        wait +2h
        call $c gone
        negotiation $n1 gone
        "#,
    );
}

#[test]
fn the_deadline_opens_the_proposals() {
    table(
        r#"
        @buyer call.open {"body": "tacos", "invite": ["@seller", "@second"], "public": true, "open_for_ms": 600000} => ok $c
        @seller call.propose {"call": "$c", "terms": {"price": "12"}, "valid_for_ms": 600000} => ok $n1
        @judge call.propose {"call": "$c", "terms": {"price": "8"}, "valid_for_ms": 600000} => ok $n2
        // a no from somebody who was not asked takes up no place
        @shy call.refuse {"call": "$c"} => RLT0507
        call $c open
        time +10m
        @second call.propose {"call": "$c", "terms": {"price": "1"}, "valid_for_ms": 600000} => RLT0506
        @buyer negotiation.accept {"negotiation": "$n2", "offer": "$n2.offer"} => RLT0103
        tick
        call $c revealed
        @second call.refuse {"call": "$c"} => RLT0506
        @buyer negotiation.accept {"negotiation": "$n2", "offer": "$n2.offer"} => ok
        call $c awarded
        "#,
    );
}

#[test]
fn calls_end_without_a_deal_too() {
    table(
        r#"
        @buyer call.open {"body": "x", "open_for_ms": 600000} => RLT0512
        @buyer call.open {"body": "x", "invite": ["@buyer"], "open_for_ms": 600000} => RLT0210
        @buyer call.open {"body": "x", "invite": ["@seller"], "open_for_ms": 0} => RLT0009
        @buyer call.open {"body": "x", "invite": ["@seller"], "open_for_ms": 600000} => ok $c
        @seller call.cancel {"call": "$c"} => RLT0103
        @seller call.propose {"call": "$c", "terms": {"price": "1"}, "valid_for_ms": 600000} => ok $n
        call $c revealed
        @buyer call.cancel {"call": "$c"} => ok
        call $c closed
        negotiation $n lost
        // nothing awarded: the proposals expire, then the call closes
        @buyer call.open {"body": "x", "invite": ["@seller"], "open_for_ms": 600000} => ok $c
        @seller call.propose {"call": "$c", "terms": {"price": "1"}, "valid_for_ms": 600000} => ok $n
        wait +20m
        negotiation $n expired
        call $c revealed
        wait +30d
        call $c closed
        // who blocks the caller, or is closed to strangers and sells nothing, hears nothing
        @seller policy.set_block {"party": {"agent": "@buyer"}, "block": true} => ok
        @shy agent.set_profile {"agent": "@shy", "profile": {"contact": "closed"}} => ok
        @buyer call.open {"body": "x", "invite": ["@seller", "@shy"], "open_for_ms": 600000} => RLT0512
        @shy listing.publish {"terms": {"title": "now selling"}} => ok
        @buyer call.open {"body": "x", "invite": ["@seller", "@shy"], "open_for_ms": 600000} => ok
        inbox @shy call
        @buyer policy.set_block {"party": {"agent": "@judge"}, "block": true} => ok
        @buyer call.open {"body": "x", "public": true, "open_for_ms": 600000} => ok $c
        @judge call.propose {"call": "$c", "terms": {"price": "1"}, "valid_for_ms": 600000} => RLT0602
        "#,
    );
}

/// Agents of new owners answer the public call `$c`: `each` of every owner, until `places` are taken.
fn fill(world: &mut World, places: usize, each: usize) {
    for n in 0..places {
        let of = n / each;
        let owner = match n % each {
            0 => format!("owner own{of}\n"),
            _ => String::new(),
        };
        world.run(&format!(
            "{owner}agent own{of} @s{n}\n{}",
            proposal(&format!("@s{n}"), "ok")
        ));
    }
}

fn proposal(by: &str, outcome: &str) -> String {
    format!(
        r#"{by} call.propose {{"call": "$c", "terms": {{"price": "1"}}, "valid_for_ms": 600000}} => {outcome}"#
    )
}

#[test]
fn who_fills_a_public_call_does_not_shut_it() {
    let mut world =
        table(r#"@buyer call.open {"body": "x", "public": true, "open_for_ms": 600000} => ok $c"#);
    fill(
        &mut world,
        limits::CALL_INVITES,
        limits::CALL_PLACES_OF_OWNER,
    );
    let before = holders(&world);
    // An owner with fewer places takes one of an owner with more.
    world.run(&proposal("@judge", "ok $n"));
    world.run(&proposal("@judge", "RLT0508"));
    let now = holders(&world);
    let gone: Vec<_> = before.difference(&now).collect();
    let [gone] = gone.as_slice() else {
        panic!("one yields, not {gone:?}")
    };
    let number: usize = gone.trim_start_matches("@s").parse().unwrap();
    let owner = number / limits::CALL_PLACES_OF_OWNER;
    world.run(&format!(
        "negotiation $n open
         inbox {gone} negotiation
         agent own{owner} @late"
    ));
    // With four places against three, nothing would be fairer after it.
    world.run(&proposal("@late", "RLT0506"));
    world.run(&proposal("@seller", "ok"));
    world.run(&proposal("@second", "ok"));
}

#[test]
fn whom_a_buyer_has_dealt_with_finds_a_place_among_strangers() {
    let mut world = table(
        r#"
        @seller negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "1", "deliver_within_ms": 3600000, "review_within_ms": 3600000}, "valid_for_ms": 600000} => ok $n
        @buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $deal $task $hold
        @seller deal.deliver {"deal": "$deal", "body": "here"} => ok
        @buyer deal.accept {"deal": "$deal"} => ok
        @buyer call.open {"body": "x", "public": true, "invite": ["@judge"], "open_for_ms": 600000} => ok $c
        "#,
    );
    fill(&mut world, limits::CALL_INVITES - 1, 1);
    world.run(&proposal("@seller", "ok"));
    // Named, it has a place whenever it comes.
    world.run(&proposal("@judge", "ok"));
    // Neither yields to strangers, however many come.
    for n in 0..limits::CALL_INVITES {
        world.run(&format!("owner more{n}\nagent more{n} @m{n}"));
        answers(&mut world, &format!("@m{n}"));
    }
    let holders = holders(&world);
    assert!(holders.contains("@seller") && holders.contains("@judge"));
}

/// Lets an agent answer the public call `$c`; whether it got a place.
fn answers(world: &mut World, by: &str) -> bool {
    let line = proposal(by, "ok");
    let (command, outcome) = line.rsplit_once(" => ").unwrap();
    world.command(command, outcome).is_ok()
}

/// Who holds a place in the only call.
fn holders(world: &World) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    world.state.calls.for_each(|_, call| {
        for invite in &call.invites {
            let agent = world.state.agents.get(&invite.agent).unwrap();
            all.insert(agent.handle.to_string());
        }
    });
    all
}

/// A public call, and agents of owners that nobody knows.
fn strangers(owners: usize) -> World {
    let mut world = table("");
    for n in 0..owners {
        world.run(&format!("owner own{n}\nagent own{n} @s{n}"));
    }
    world.run(r#"@buyer call.open {"body": "x", "public": true, "open_for_ms": 600000} => ok $c"#);
    world
}

#[test]
fn as_many_owners_as_there_are_places_do_not_shut_a_call() {
    let (places, late) = (limits::CALL_INVITES, 32);
    let mut world = strangers(places + late);
    for n in 0..places {
        assert!(answers(&mut world, &format!("@s{n}")), "there is room");
    }
    let mut newcomers = (places..places + late).map(|n| format!("@s{n}"));
    let found = newcomers
        .by_ref()
        .filter(|by| answers(&mut world, by))
        .count();
    // Each has the chance of any other: the first 64 of 65, the last 64 of 96.
    assert!(found >= 20, "only {found} of {late} found a place");
    assert_eq!(holders(&world).len(), places);
    world.settle();
}

#[test]
fn neither_to_come_first_nor_to_answer_again_gets_a_place_in_a_full_call() {
    let owners = limits::CALL_INVITES + 16;
    let (mut forth, mut back) = (strangers(owners), strangers(owners));
    for n in 0..owners {
        answers(&mut forth, &format!("@s{n}"));
        answers(&mut back, &format!("@s{}", owners - 1 - n));
    }
    let placed = holders(&forth);
    assert_eq!(placed, holders(&back));
    for n in 0..owners {
        let by = format!("@s{n}");
        let again = answers(&mut forth, &by);
        assert!(!again, "{by} {}", placed.contains(&by));
    }
    assert_eq!(placed, holders(&forth));
}

#[test]
fn offers_alternate_and_only_the_latest_binds() {
    table(
        r#"
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "8"}, "valid_for_ms": 600000} => ok $n
        inbox @seller negotiation
        @buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => RLT0503
        @buyer negotiation.counter {"negotiation": "$n", "terms": {"price": "9"}, "valid_for_ms": 600000} => RLT0503
        @judge negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => RLT0103
        @judge negotiation.accept {"negotiation": "neg_000000000000", "offer": "$key"} => RLT0103
        @seller negotiation.accept {"negotiation": "$n", "offer": "$key"} => RLT0501
        @seller negotiation.accept {"negotiation": "$n", "offer": "$n.offer", "pay_from": "@seller"} => RLT0001
        @seller negotiation.counter {"negotiation": "$n", "terms": {"price": "12"}, "valid_for_ms": 600000} => ok
        @buyer negotiation.counter {"negotiation": "$n", "terms": {"price": "10"}, "valid_for_ms": 600000} => ok
        @seller negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $deal $task $hold
        deal $deal agreed
        task $task submitted
        hold $hold open
        balance @buyer 100.00 pending 10.00
        @seller negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => RLT0504
        // both may now write to each other, and the buyer hears of the deal
        inbox @buyer negotiation deal
        "#,
    );
}

#[test]
fn an_offer_expires_and_a_party_may_leave() {
    table(
        r#"
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "8"}, "valid_for_ms": 600000} => ok $n
        time +10m
        @seller negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => RLT0502
        @seller negotiation.counter {"negotiation": "$n", "terms": {"price": "9"}, "valid_for_ms": 600000} => RLT0502
        tick
        negotiation $n expired
        @seller negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => RLT0504
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "8"}, "valid_for_ms": 600000} => ok $n
        @judge negotiation.leave {"negotiation": "$n"} => RLT0103
        @seller negotiation.leave {"negotiation": "$n"} => ok
        negotiation $n left
        wait +1h
        negotiation $n gone
        "#,
    );
}

#[test]
fn an_offer_is_checked_when_it_is_made() {
    table(
        r#"
        @buyer negotiation.open {"with": "@buyer", "side": "buy", "terms": {"price": "8"}, "valid_for_ms": 600000} => RLT0210
        // without a listing, only those whom the other takes messages from
        @buyer negotiation.open {"with": "@shy", "side": "buy", "terms": {"price": "8"}, "valid_for_ms": 600000} => RLT0203
        @shy listing.publish {"terms": {"title": "x"}} => ok $l
        @buyer negotiation.open {"with": "@shy", "side": "buy", "terms": {"price": "8"}, "valid_for_ms": 600000, "listing": "$l"} => ok
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "8"}, "valid_for_ms": 600000, "listing": "$l"} => RLT0103
        @buyer negotiation.open {"with": "@shy", "side": "sell", "terms": {"price": "8"}, "valid_for_ms": 600000} => RLT0203
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "0"}, "valid_for_ms": 600000} => RLT0008
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "100.01"}, "valid_for_ms": 600000} => RLT0401
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "1"}, "valid_for_ms": 2592000001} => RLT0009
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "1", "review_within_ms": 0}, "valid_for_ms": 1000} => RLT0009
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "1", "arbiter": {"agent": "@seller"}}, "valid_for_ms": 1000} => RLT0517 its owner is on the side of the seller
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "1"}, "pay_from": "@second", "valid_for_ms": 1000} => RLT0101
        fund @second 1
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "1"}, "pay_from": "@second", "valid_for_ms": 1000} => RLT0101
        operator ledger.create_asset {"code": "EUR", "scale": 2} => ok
        @buyer ledger.open_account {"holder": "@buyer", "label": "other", "asset": "EUR"} => ok $eur
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "1"}, "pay_from": "$eur", "valid_for_ms": 1000} => RLT0405
        ann task.create {"worker": "@buyer", "body": "goal"} => ok $goal
        @seller negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "1"}, "task": "$goal", "valid_for_ms": 1000} => RLT0103
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "1"}, "task": "$goal", "valid_for_ms": 1000} => ok $n
        @seller negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $deal $task
        "#,
    );
}

#[test]
fn money_that_is_gone_by_the_acceptance_makes_no_deal() {
    table(
        r#"
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "60"}, "valid_for_ms": 600000} => ok $n1
        @buyer negotiation.open {"with": "@second", "side": "buy", "terms": {"price": "60"}, "valid_for_ms": 600000} => ok $n2
        @seller negotiation.accept {"negotiation": "$n1", "offer": "$n1.offer"} => ok
        @second negotiation.accept {"negotiation": "$n2", "offer": "$n2.offer"} => RLT0401
        balance @buyer 100.00 pending 60.00
        negotiation $n2 open
        // nor is one made with, or by, somebody whose stop switch is pulled
        @buyer negotiation.open {"with": "@second", "side": "buy", "terms": {"price": "1"}, "valid_for_ms": 600000} => ok $n3
        ann identity.suspend {"subject": {"agent": "@buyer"}} => ok
        @second negotiation.accept {"negotiation": "$n3", "offer": "$n3.offer"} => RLT0105
        ann identity.resume {"subject": {"agent": "@buyer"}} => ok
        @second negotiation.counter {"negotiation": "$n3", "terms": {"price": "2"}, "valid_for_ms": 600000} => ok
        bob identity.suspend {"subject": {"agent": "@second"}} => ok
        @buyer negotiation.accept {"negotiation": "$n3", "offer": "$n3.offer"} => RLT0105
        "#,
    );
}

#[test]
fn a_negotiation_has_at_most_two_hundred_offers() {
    let mut world = table(
        r#"@buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "1"}, "valid_for_ms": 600000} => ok $n"#,
    );
    for number in 2..=limits::OFFERS_PER_NEGOTIATION {
        let who = if number % 2 == 0 { "@seller" } else { "@buyer" };
        world.run(&format!(
            r#"{who} negotiation.counter {{"negotiation": "$n", "terms": {{"price": "1"}}, "valid_for_ms": 600000}} => ok"#
        ));
    }
    world.run(r#"@buyer negotiation.counter {"negotiation": "$n", "terms": {"price": "1"}, "valid_for_ms": 600000} => RLT0513"#);
    world.settle();
}

#[test]
fn a_deal_is_delivered_accepted_and_settled() {
    deal(
        r#"
        @buyer deal.accept {"deal": "$deal"} => RLT0510
        @buyer deal.dispute {"deal": "$deal", "reason": "x"} => RLT0510
        @buyer deal.deliver {"deal": "$deal", "body": "x"} => RLT0505
        @second deal.deliver {"deal": "$deal", "body": "x"} => RLT0103
        @second deal.deliver {"deal": "deal_000000000000", "body": "x"} => RLT0103
        // its task is finished through the deal
        @seller task.update {"task": "$task", "state": "working"} => ok
        @seller task.update {"task": "$task", "state": "input_required"} => ok
        @seller task.update {"task": "$task", "state": "completed"} => RLT0306
        @buyer task.cancel {"task": "$task"} => RLT0306
        @seller ledger.transfer {"transfers": [{"void_hold": {"hold": "$hold"}}]} => RLT0410
        @buyer ledger.capture {"hold": "$hold", "amount": "1"} => RLT0410
        @buyer ledger.raise {"hold": "$hold", "amount": "1"} => RLT0410
        @seller deal.deliver {"deal": "$deal", "body": "tacos"} => ok
        task $task completed
        @seller deal.deliver {"deal": "$deal", "body": "more"} => RLT0510
        @seller deal.accept {"deal": "$deal"} => RLT0505
        @judge deal.rule {"deal": "$deal", "to_seller": "1", "reason": "x"} => RLT0510
        @buyer deal.accept {"deal": "$deal"} => ok
        deal $deal settled
        hold $hold gone
        balance @buyer 89.999999999 pending 0.00
        balance @seller 10.000000001
        reputation @seller sold 1 bought 0 disputed 0 refunded 0 expired 0 partners 1
        reputation @buyer sold 0 bought 1 disputed 0 refunded 0 expired 0 partners 1
        @buyer deal.accept {"deal": "$deal"} => RLT0510
        @seller deal.refund {"deal": "$deal"} => RLT0510
        // the buyer hears of every step
        inbox @buyer negotiation task task deal
        inbox @seller deal deal
        wait +1h
        deal $deal gone
        task $task gone
        "#,
    );
}

#[test]
fn silence_means_what_the_terms_say() {
    // not delivered: the buyer gets it back
    deal(
        r#"
        time +1h
        // what is done in the very moment of the deadline is done in time; this was no delivery
        @seller deal.deliver {"deal": "$deal", "body": " "} => RLT0516
        tick
        deal $deal agreed
        time +1ms
        @seller deal.deliver {"deal": "$deal", "body": "late"} => RLT0510 the deal is agreed and its time is over
        tick
        deal $deal expired
        task $task failed
        balance @buyer 100.00 pending 0.00
        reputation @seller sold 0 bought 0 disputed 0 refunded 0 expired 1 partners 0
        "#,
    );
    // delivered and not reviewed: as agreed, here the seller is paid; stop switches change nothing
    deal(
        r#"
        @seller deal.deliver {"deal": "$deal", "body": "x"} => ok
        ann identity.suspend {"subject": {"agent": "@buyer"}} => ok
        operator identity.suspend {"subject": {"owner": "$bob"}} => ok
        time +1h
        @buyer deal.accept {"deal": "$deal"} => RLT0105
        tick
        deal $deal delivered
        time +1ms
        tick
        deal $deal settled
        balance @seller 10.000000001
        "#,
    );
    // disputed and not ruled: as agreed, here half each, the odd unit to the buyer
    deal(
        r#"
        @seller deal.deliver {"deal": "$deal", "body": "x"} => ok
        @buyer deal.dispute {"deal": "$deal", "reason": "cold"} => ok
        inbox @judge deal
        @buyer deal.accept {"deal": "$deal"} => RLT0510
        time +1h
        tick
        time +1ms
        @judge deal.rule {"deal": "$deal", "to_seller": "0", "reason": "late"} => RLT0510
        tick
        deal $deal split
        balance @buyer 95.00 pending 0.00
        balance @seller 5.00
        reputation @seller sold 0 bought 0 disputed 1 refunded 1 expired 0 partners 0
        "#,
    );
    for (silence, state, seller) in [
        ("settle", "settled", "4.00"),
        ("refund", "refunded", "0.00"),
        ("halve", "split", "2.00"),
    ] {
        table(&format!(
            r#"
            @seller negotiation.open {{"with": "@buyer", "side": "sell", "terms": {{"price": "4", "on_no_review": "{silence}"}}, "valid_for_ms": 600000}} => ok $n
            @buyer negotiation.accept {{"negotiation": "$n", "offer": "$n.offer"}} => ok $deal
            @seller deal.deliver {{"deal": "$deal", "body": "x"}} => ok
            wait +23h
            deal $deal delivered
            wait +1h
            deal $deal delivered
            wait +1ms
            deal $deal {state}
            balance @seller {seller} incoming 0.00
            "#
        ));
    }
}

#[test]
fn the_named_arbiter_rules() {
    deal(
        r#"
        @seller deal.deliver {"deal": "$deal", "body": "x"} => ok
        @buyer deal.dispute {"deal": "$deal", "reason": "cold"} => ok
        @seller deal.rule {"deal": "$deal", "to_seller": "10", "reason": "mine"} => RLT0511
        operator deal.rule {"deal": "$deal", "to_seller": "10", "reason": "x"} => RLT0511
        // to strangers the deal does not exist
        @second deal.rule {"deal": "$deal", "to_seller": "10", "reason": "x"} => RLT0103
        @judge deal.rule {"deal": "$deal", "to_seller": "10.01", "reason": "x"} => RLT0008
        @judge deal.rule {"deal": "$deal", "to_seller": "-1", "reason": "x"} => RLT0008
        @judge deal.rule {"deal": "$deal", "to_seller": "3", "reason": "cold"} => ok
        deal $deal split
        balance @buyer 97.00 pending 0.00
        balance @seller 3.00
        @judge deal.rule {"deal": "$deal", "to_seller": "3", "reason": "cold"} => RLT0510
        "#,
    );
    table(
        r#"
        @seller negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "4"}, "valid_for_ms": 600000} => ok $n
        @buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $deal
        @seller deal.deliver {"deal": "$deal", "body": "x"} => ok
        @buyer deal.dispute {"deal": "$deal", "reason": "cold"} => ok
        @judge deal.rule {"deal": "$deal", "to_seller": "4", "reason": "x"} => RLT0103
        @buyer deal.rule {"deal": "$deal", "to_seller": "0", "reason": "x"} => RLT0511
        operator deal.rule {"deal": "$deal", "to_seller": "4", "reason": "fine"} => ok
        deal $deal settled
        "#,
    );
}

#[test]
fn the_seller_may_give_it_all_back() {
    for way in [
        "",
        r#"@seller deal.deliver {"deal": "$deal", "body": "x"} => ok"#,
        "@seller deal.deliver {\"deal\": \"$deal\", \"body\": \"x\"} => ok\n@buyer deal.dispute {\"deal\": \"$deal\", \"reason\": \"x\"} => ok",
    ] {
        deal(&format!(
            r#"
            {way}
            @buyer deal.refund {{"deal": "$deal"}} => RLT0505
            @seller deal.refund {{"deal": "$deal"}} => ok
            deal $deal refunded
            balance @buyer 100.00 pending 0.00
            "#
        ));
    }
}

/// A team of three with shares of a third each, of which the first takes what rounding leaves.
const TEAM: &str = r#"
    @seller team.create {"name": "crew"} => ok $team
    @seller team.invite {"team": "$team", "agent": "@second", "role": "member"} => ok
    @seller team.invite {"team": "$team", "agent": "@judge", "role": "member"} => ok
    @seller negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "1", "payee_team": "$team"}, "valid_for_ms": 600000} => RLT0308
    @second team.join {"team": "$team", "join": true} => ok
    @judge team.join {"team": "$team", "join": true} => ok
    @seller team.propose_split {"team": "$team", "shares": [{"agent": "$second", "ppm": 333333}, {"agent": "$seller", "ppm": 333333}, {"agent": "$judge", "ppm": 333334}]} => ok
    @seller team.agree_split {"team": "$team", "shares": [{"agent": "$second", "ppm": 333333}, {"agent": "$seller", "ppm": 333333}, {"agent": "$judge", "ppm": 333334}]} => ok
    @second team.agree_split {"team": "$team", "shares": [{"agent": "$second", "ppm": 333333}, {"agent": "$seller", "ppm": 333333}, {"agent": "$judge", "ppm": 333334}]} => ok
    @seller negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "1", "payee_team": "$team"}, "valid_for_ms": 600000} => RLT0308
    @judge team.agree_split {"team": "$team", "shares": [{"agent": "$second", "ppm": 333333}, {"agent": "$seller", "ppm": 333333}, {"agent": "$judge", "ppm": 333334}]} => ok
    @shy negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "1", "payee_team": "$team"}, "valid_for_ms": 600000} => RLT0103
    @seller negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "0.00000001", "payee_team": "$team"}, "valid_for_ms": 600000} => ok $n
"#;

#[test]
fn a_team_shares_the_proceeds_by_the_split_agreed_before() {
    let end = r#"
        @buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $deal $task $hold
        balance $team 0.00 incoming 0.00000001
        // the split of an agreed deal stands, whoever leaves the team, whatever its owner forbids
        @judge team.join {"team": "$team", "join": false} => ok
        bob policy.set_allowance {"node": {"team": "$team"}, "per_deal": "0", "per_period": "0", "approval_above": "0"} => ok
        bob policy.set_allowance {"node": {"owner": "$bob"}, "per_deal": "0", "per_period": "0"} => ok
        operator identity.suspend {"subject": {"owner": "$bob"}} => ok
        operator identity.resume {"subject": {"owner": "$bob"}} => ok
        @seller deal.deliver {"deal": "$deal", "body": "x"} => ok
        "#;
    let paid = r#"
        deal $deal settled
        balance $team 0.00
        balance @second 0.000000004
        balance @seller 0.000000003
        balance @judge 0.000000003
        "#;
    let accept = r#"@buyer deal.accept {"deal": "$deal"} => ok"#;
    check(&[PEOPLE, TEAM, end, accept, paid].concat());
    check(&[PEOPLE, TEAM, end, "wait +1d\nwait +1ms", paid].concat());
}

#[test]
fn a_split_that_fell_apart_makes_no_deal() {
    check(
        &[
            PEOPLE,
            TEAM,
            r#"
            @judge team.join {"team": "$team", "join": false} => ok
            @buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => RLT0308
            balance @buyer 100.00 pending 0.00
            "#,
        ]
        .concat(),
    );
}

#[test]
fn a_share_that_no_account_can_take_stays_in_the_teams_budget() {
    check(
        &[
            PEOPLE,
            TEAM,
            r#"
            operator service.create {"name": "pay", "grants": ["payments"]} => ok
            @buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $deal
            pay ledger.deposit {"to": "@judge", "amount": "1267650600228229401496.703205376", "reference": "r"} => ok
            @seller deal.deliver {"deal": "$deal", "body": "x"} => ok
            @buyer deal.accept {"deal": "$deal"} => ok
            deal $deal settled
            balance $team 0.000000003
            "#,
        ]
        .concat(),
    );
}

#[test]
fn stock_is_taken_however_an_item_is_typed() {
    table(
        r#"
        @seller listing.publish {"terms": {"title": "x", "items": [{"name": "Crème", "price": "1", "quantity": 1}, {"name": "Straße", "price": "1", "quantity": 9}]}} => ok $l
        @buyer negotiation.open {"with": "@seller", "side": "buy", "listing": "$l", "terms": {"price": "1", "lines": [{"item": "CRÈME", "quantity": 9}]}, "valid_for_ms": 600000} => RLT0515
        @buyer negotiation.open {"with": "@seller", "side": "buy", "listing": "$l", "terms": {"price": "1", "lines": [{"item": "CRÈME"}, {"item": "STRASSE", "quantity": 4}]}, "valid_for_ms": 600000} => ok $n
        @seller negotiation.counter {"negotiation": "$n", "terms": {"price": "1", "lines": [{"item": "crÈme"}, {"item": "ＳＴＲＡＳＳＥ", "quantity": 10}]}, "valid_for_ms": 600000} => RLT0515
        @seller negotiation.counter {"negotiation": "$n", "terms": {"price": "1", "lines": [{"item": "crÈme"}, {"item": "ＳＴＲＡＳＳＥ", "quantity": 9}]}, "valid_for_ms": 600000} => ok
        @buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $deal
        @buyer negotiation.open {"with": "@seller", "side": "buy", "listing": "$l", "terms": {"price": "1", "lines": [{"item": "Crème"}]}, "valid_for_ms": 600000} => RLT0515
        // typed anew, it is the same item: what was taken stays taken
        @seller listing.update {"listing": "$l", "terms": {"title": "x", "items": [{"name": "CRÈME", "price": "1", "quantity": 1}, {"name": "STRASSE", "price": "1", "quantity": 10}]}} => ok
        @buyer negotiation.open {"with": "@seller", "side": "buy", "listing": "$l", "terms": {"price": "1", "lines": [{"item": "CRÈME"}]}, "valid_for_ms": 600000} => RLT0515
        @buyer negotiation.open {"with": "@seller", "side": "buy", "listing": "$l", "terms": {"price": "1", "lines": [{"item": "strasse", "quantity": 2}]}, "valid_for_ms": 600000} => RLT0515
        // what a deal that came to nothing had taken is there again
        @seller deal.refund {"deal": "$deal"} => ok
        @buyer negotiation.open {"with": "@seller", "side": "buy", "listing": "$l", "terms": {"price": "1", "lines": [{"item": "crème"}, {"item": "strasse", "quantity": 10}]}, "valid_for_ms": 600000} => ok
        // one item is stated once, or in one way
        @seller listing.publish {"terms": {"title": "x", "items": [{"name": "Crème", "price": "1", "quantity": 1}, {"name": "CRÈME", "price": "1", "quantity": 1}]}} => RLT0007
        @seller listing.publish {"terms": {"title": "x", "items": [{"name": "Creme", "price": "1", "quantity": 1}, {"name": "CREME", "price": "1", "quantity": 1}]}} => ok
        "#,
    );
}

#[test]
fn many_team_deals_that_fall_due_at_once_all_end() {
    let mut world = World::new();
    world.run("owner ann\nowner bob\nagent ann @buyer\nagent bob @lead\nfund @buyer 1000");
    world.run(r#"@lead team.create {"name": "big"} => ok $team"#);
    let mut names = Vec::from([String::from("lead")]);
    for n in 1..limits::TEAM_MEMBERS {
        world.run(&format!(
            r#"
            agent bob @m{n}
            @lead team.invite {{"team": "$team", "agent": "@m{n}", "role": "member"}} => ok
            @m{n} team.join {{"team": "$team", "join": true}} => ok
            "#
        ));
        names.push(format!("m{n}"));
    }
    let each = crate::work::WHOLE_PPM / 64;
    let shares: Vec<String> = names
        .iter()
        .map(|n| format!(r#"{{"agent": "${n}", "ppm": {each}}}"#))
        .collect();
    let shares = shares.join(",");
    world.run(&format!(
        r#"@lead team.propose_split {{"team": "$team", "shares": [{shares}]}} => ok"#
    ));
    for name in &names {
        world.run(&format!(
            r#"@{name} team.agree_split {{"team": "$team", "shares": [{shares}]}} => ok"#
        ));
    }
    // More ids than one envelope can make: 300 deals of 65 transfers each.
    for _ in 0..300 {
        world.run(
            r#"
            @lead negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "1", "payee_team": "$team", "review_within_ms": 3600000}, "valid_for_ms": 600000} => ok $n
            @buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $deal
            @lead deal.deliver {"deal": "$deal", "body": "x"} => ok
            "#,
        );
    }
    world.run("time +1h\ntick\ntime +1ms");
    world.tick_all();
    crate::spec::promises(&world.state).unwrap();
    world.run("balance @buyer 700.00 pending 0.00\nbalance $team 0.00 incoming 0.00");
    world.settle();
}

#[test]
fn a_call_and_its_proposals_may_be_due_at_once() {
    table(
        r#"
        @buyer call.open {"body": "tacos", "invite": ["@seller", "@second"], "open_for_ms": 600000} => ok $c
        @seller call.propose {"call": "$c", "terms": {"price": "12"}, "valid_for_ms": 1} => ok $n1
        time +11m
        // one tick opens the proposals and finds that the only one has expired
        clock clock.tick => ok
        tick
        @buyer negotiation.accept {"negotiation": "$n1", "offer": "$n1.offer"} => RLT0504
        "#,
    );
}

//! How fast an owner makes things for itself: as tables.

use std::format;
use std::string::String;

use crate::spec::{World, check};

const PEOPLE: &str = r#"
    owner ann
    owner bob
    agent ann @one
    agent ann @two
    agent bob @other
    agent bob @other2
    fund @one 1000
"#;

/// The settings of a realm in which an owner makes so many things a minute.
fn pace(creations: u32) -> String {
    format!(
        r#"operator policy.set_settings {{"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0, "creations_per_minute": {creations}}} => ok"#
    )
}

fn realm(creations: u32) -> World {
    check(&[PEOPLE, &pace(creations)].concat())
}

/// One of each thing that an owner makes for itself, as often as it likes.
const MADE: &[&str] = &[
    r#"ann agent.register {"handle": "@more"}"#,
    r#"ann agent.rotate_key {"agent": "@two"}"#,
    r#"ann deployment.create {"terms": {"model": "fast", "provider": "house", "upstream": "fast-1", "prices": {"per_million": {"input": "1", "output": "1"}}}}"#,
    r#"ann person.add {"owner": "$ann", "name": "eve", "role": "viewer"}"#,
    r#"ann policy.set_allowance {"node": {"agent": "@two"}, "per_deal": "1", "period_ms": 1000}"#,
    r#"ann policy.set_allowance {"node": {"agent": "@two"}, "lines": [{"on": "all", "unit": "money", "limit": "10"}]}"#,
    r#"ann team.create {"owner": "$ann", "name": "crew"}"#,
    r#"ann token.issue {"subject": {"agent": "@two"}}"#,
    r#"@two ledger.open_account {"holder": "@two", "label": "savings"}"#,
    r#"@two listing.publish {"terms": {"title": "hats"}}"#,
    r#"@two policy.set_block {"party": {"agent": "@other"}, "block": true}"#,
    r#"@two task.create {"worker": "@one", "body": "x"}"#,
    r#"ann task.create {"worker": "@one", "body": "x"}"#,
];

#[test]
fn what_an_owner_makes_for_itself_has_a_rate() {
    for line in MADE {
        let mut world = realm(1);
        // Each is possible; of all agents and people together, so many a minute.
        world.run(&format!("{line} => ok"));
        world.run(r#"@one task.create {"worker": "@two", "body": "x"} => RLT0603 again in"#);
        world.run(r#"@other task.create {"worker": "@other2", "body": "x"} => ok"#);
        let mut world = realm(1);
        world.run(r#"@one task.create {"worker": "@two", "body": "x"} => ok"#);
        world.run(&format!("{line} => RLT0603 again in"));
        world.run(&format!("time +2m\n{line} => ok"));
    }
}

#[test]
fn what_others_bring_or_what_frees_a_place_has_none() {
    let mut world = realm(1);
    world.run(
        r#"
        @two ledger.open_account {"holder": "@two", "label": "savings"} => ok $savings
        // work for others counts as a message does
        @one task.create {"worker": "@other", "body": "x"} => ok
        @other task.create {"worker": "@one", "body": "x"} => ok
        // main accounts come with money, and deals with the other side
        @one ledger.transfer {"transfers": [{"post": {"from": "@one", "to": "@two", "amount": "1"}}]} => ok
        @other listing.publish {"terms": {"title": "goods"}} => ok
        @one negotiation.open {"with": "@other", "side": "buy", "terms": {"price": "5", "deliver_within_ms": 3600000, "review_within_ms": 3600000}, "valid_for_ms": 600000} => ok $n
        @other negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok
        @two ledger.close_account {"account": "$savings"} => ok
        ann identity.suspend {"subject": {"agent": "@two"}} => ok
        "#,
    );
}

#[test]
fn the_rate_can_be_lifted_and_is_600_a_minute_unless_set() {
    let mut world = realm(0);
    for _ in 0..700 {
        world.run(r#"@one task.create {"worker": "@two", "body": "x"} => ok"#);
    }
    let mut world = check(PEOPLE);
    for _ in 0..600 {
        world.run(r#"@one task.create {"worker": "@two", "body": "x"} => ok"#);
    }
    world.run(
        r#"
        @two task.create {"worker": "@one", "body": "x"} => RLT0603 again in 100 ms
        time +100ms
        @two task.create {"worker": "@one", "body": "x"} => ok
        "#,
    );
}

#[test]
fn a_log_of_older_rules_counts_nothing_made_until_it_adopts_these() {
    let mut world = realm(1);
    world.run(r#"@one task.create {"worker": "@two", "body": "x"} => ok"#);
    let adopted = |event: &crate::event::Event| {
        matches!(
            event,
            crate::event::Event::Realm(crate::event::RealmEvent::RulesAdopted { .. })
        )
    };
    for envelope in &mut world.log {
        for event in &mut envelope.events {
            if adopted(event) {
                *event = crate::event::RealmEvent::RulesAdopted { edition: 4 }.into();
            }
        }
    }
    world.state = crate::spec::replay(&world.log, 5);
    world.run(
        r#"
        // this one adopts them, the next is the first that counts
        @one task.create {"worker": "@two", "body": "x"} => ok
        @one task.create {"worker": "@two", "body": "x"} => ok
        @one task.create {"worker": "@two", "body": "x"} => RLT0603
        "#,
    );
}

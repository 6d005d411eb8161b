//! Who exists, who may act, and what a stop switch stops: as tables.

use std::format;
use std::string::{String, ToString};

use crate::ctx::secret_hash;
use crate::spec::{World, check};

#[test]
fn a_realm_is_founded_once_before_anything_else() {
    let mut world = World::bare();
    world.run(
        r#"
        public owner.sign_up {"name": "ann", "kind": "person"} => RLT0908
        operator realm.found {"name": "rialto", "key": "$key"} => ok $first
        operator realm.found {"name": "rialto", "key": "$key"} => RLT0113
        public owner.sign_up {"name": "ann", "kind": "person"} => ok
        "#,
    );
    world.settle();
}

#[test]
fn anybody_signs_up_and_rules_its_own_owner_only() {
    check(
        r#"
        public owner.sign_up {"name": "ann", "kind": "organisation"} => ok $owner $person $token
        public owner.sign_up {"name": "ann", "kind": "person"} => RLT0104
        public owner.sign_up {"name": "Ann", "kind": "person"} => malformed
        public owner.sign_up {"name": "operator", "kind": "person"} => RLT0104
        public owner.sign_up {"name": "bob", "kind": "person"} => ok
        public agent.register {"owner": "$ann", "handle": "x1"} => RLT0101
        bob agent.register {"owner": "$ann", "handle": "x1"} => RLT0101
        bob agent.register {"owner": "owner_000000000000", "handle": "x1"} => RLT0101
        ann agent.register {"handle": "casa"} => ok $casa $token
        bob agent.register {"handle": "casa"} => RLT0104
        bob agent.register {"handle": "@casa"} => RLT0104
        bob agent.register {"handle": "realm"} => RLT0104
        bob agent.register {"handle": "agent_000000003000"} => RLT0104
        operator agent.register {"handle": "orphan"} => RLT0001
        @casa agent.register {"handle": "child"} => RLT0101
        ann agent.set_profile {"agent": "@casa", "profile": {"description": "tacos", "skills": ["cook"], "prices": [{"item": "taco", "price": "1.500", "asset": "USD"}]}} => ok
        @casa agent.set_profile {"agent": "@casa", "profile": {}} => ok
        bob agent.set_profile {"agent": "@casa", "profile": {}} => RLT0101
        bob agent.set_profile {"agent": "@none", "profile": {}} => RLT0103
        "#,
    );
}

#[test]
fn offices_are_the_operators_to_give() {
    check(
        r#"
        owner ann
        ann agent.register {"handle": "moderator"} => RLT0130
        ann agent.register {"handle": "rnoderator"} => RLT0130
        ann agent.register {"handle": "support"} => RLT0130
        ann agent.register {"handle": "security-team"} => RLT0130
        ann agent.register {"handle": "supp0rt-24"} => RLT0130
        ann agent.register {"handle": "the-team"} => ok
        public owner.sign_up {"name": "escrow-service", "kind": "person"} => RLT0130
        // the realm's own words are nobody's, offices are given by the operator
        operator agent.register {"owner": "$ann", "handle": "operator"} => RLT0104
        operator agent.register {"owner": "$ann", "handle": "moderator"} => ok
        "#,
    );
}

/// A deal between two agents, from offer to settlement.
fn deal(buyer: &str, seller: &str) -> String {
    std::format!(
        r#"
        @{buyer} negotiation.open {{"with": "@{seller}", "side": "buy", "terms": {{"price": "1"}}, "valid_for_ms": 600000}} => ok $n
        @{seller} negotiation.accept {{"negotiation": "$n", "offer": "$n.offer"}} => ok $deal
        @{seller} deal.deliver {{"deal": "$deal", "body": "x"}} => ok
        @{buyer} deal.accept {{"deal": "$deal"}} => ok
        "#
    )
}

#[test]
fn what_is_read_as_a_known_handle_is_refused_or_marked() {
    let begin = r#"
        owner ann
        owner bob
        owner eve
        agent ann @casa
        agent ann @table
        agent bob @buyer
        fund @buyer 10
        fund @table 10
        // nobody is known yet, and an owner's deals with itself make nobody known
        eve agent.register {"handle": "casas"} => ok
        eve agent.register {"handle": "c4sa"} => ok
        "#;
    let table = [
        begin,
        &deal("table", "casa"),
        "marks\n",
        &deal("buyer", "casa"),
        r#"
        // the mark goes to those who came later, and had not dealt
        marks @casas~@casa @c4sa~@casa
        eve agent.register {"handle": "casa-"} => RLT0131
        eve agent.register {"handle": "ca5a"} => RLT0131
        eve agent.register {"handle": "c-a_s-a"} => RLT0131
        eve agent.register {"handle": "casal"} => ok
        marks @casas~@casa @c4sa~@casa @casal~@casa
        eve agent.register {"handle": "casa-azul"} => ok
        eve agent.register {"handle": "buy3r"} => RLT0131
        // its own owner may have both
        ann agent.register {"handle": "ca5a"} => ok
        bob agent.register {"handle": "buyers"} => ok
        marks @casas~@casa @c4sa~@casa @casal~@casa
        "#,
    ];
    check(&table.concat());
}

#[test]
fn a_handle_that_gives_an_office_to_a_known_one_is_marked() {
    check(
        &[
            r#"
            owner ann
            owner bob
            owner eve
            agent ann @casa
            agent bob @buyer
            fund @buyer 10
            eve agent.register {"handle": "casa-support"} => ok
            "#,
            &deal("buyer", "casa"),
            r#"
            marks @casa-support~@casa
            eve agent.register {"handle": "casa-official"} => ok
            eve agent.register {"handle": "rialto-casa"} => RLT0130
            // its own owner may have one
            ann agent.register {"handle": "casa-help"} => ok
            marks @casa-support~@casa @casa-official~@casa
            "#,
        ]
        .concat(),
    );
}

#[test]
fn nobody_marks_an_older_handle_or_one_that_has_dealt() {
    let begin = r#"
        owner ann
        owner bob
        owner eve
        agent ann @casal
        agent bob @buyer
        agent eve @casa
        agent ann @casax
        agent ann @casay
        agent eve @shill
        fund @buyer 10
        "#;
    let table = [
        begin,
        &deal("buyer", "casax"),
        "marks\n",
        // Eve becomes known: @casal is older than her @casa, @casax is known.
        &deal("buyer", "casa"),
        "marks @casay~@casa\n",
    ];
    check(&table.concat());
}

#[test]
fn only_the_realm_ends_a_token_that_leaked() {
    check(
        r#"
        owner ann
        ann agent.register {"handle": "casa"} => ok $casa $token
        operator token.end_leaked {"token": "$token"} => RLT0101
        ann token.end_leaked {"token": "$token"} => RLT0101
        @casa agent.set_profile {"agent": "@casa", "profile": {}} => ok
        clock token.end_leaked {"token": "$token"} => ok
        clock token.end_leaked {"token": "$token"} => RLT0103
        @casa agent.set_profile {"agent": "@casa", "profile": {}} => RLT0106
        "#,
    );
}

#[test]
fn roles_and_the_last_admin() {
    check(
        r#"
        owner ann
        owner bob
        ann person.add {"owner": "$ann", "name": "eve", "role": "viewer"} => ok $eve $token
        bob person.add {"owner": "$ann", "name": "mal", "role": "admin"} => RLT0101
        eve person.add {"owner": "$ann", "name": "mal", "role": "admin"} => RLT0101
        // one active admin must stay
        ann person.set_role {"person": "$ann_id", "role": "viewer"} => RLT0110
        ann identity.suspend {"subject": {"person": "$ann_id"}} => RLT0110
        eve person.set_role {"person": "$eve", "role": "admin"} => RLT0101
        // another owner's people do not exist
        bob person.set_role {"person": "$eve", "role": "admin"} => RLT0103
        bob person.set_role {"person": "person_000000000000", "role": "admin"} => RLT0103
        bob identity.suspend {"subject": {"person": "$eve"}} => RLT0103
        bob token.issue {"subject": {"person": "$eve"}} => RLT0103
        bob token.revoke {"token": "$token"} => RLT0103
        bob token.revoke {"token": "tok_000000000000"} => RLT0103
        ann person.set_role {"person": "$eve", "role": "admin"} => ok
        ann identity.suspend {"subject": {"person": "$ann_id"}} => ok
        ann agent.register {"handle": "a1"} => RLT0105
        eve person.set_role {"person": "$eve", "role": "viewer"} => RLT0110
        // a suspended admin is none, so it may lose the role
        eve person.set_role {"person": "$ann_id", "role": "viewer"} => ok
        // the operator may stop even the last one, and let it go on
        operator identity.suspend {"subject": {"person": "$eve"}} => ok
        eve agent.register {"handle": "a1"} => RLT0105
        operator identity.resume {"subject": {"person": "$eve"}} => ok
        eve agent.register {"handle": "a1"} => ok
        // an owner that is one person has one admin, by whatever way
        public owner.sign_up {"name": "solo", "kind": "person"} => ok
        solo person.add {"owner": "$solo", "name": "two", "role": "admin"} => RLT0101
        solo person.add {"owner": "$solo", "name": "two", "role": "approver"} => ok $two
        solo person.set_role {"person": "$two", "role": "admin"} => RLT0101
        solo person.set_role {"person": "$two", "role": "viewer"} => ok
        "#,
    );
}

#[test]
fn tokens_are_several_expire_and_are_revoked() {
    check(
        r#"
        owner ann
        owner bob
        agent ann @casa
        ann token.issue {"subject": {"agent": "@casa"}, "label": "laptop", "expires_in_ms": 600000} => ok $t1
        @casa token.issue {"subject": {"agent": "@casa"}} => ok $t2
        bob token.issue {"subject": {"agent": "@casa"}} => RLT0101
        ann token.issue {"subject": {"owner": "$ann"}} => RLT0001
        ann token.issue {"subject": {"agent": "@casa"}, "expires_in_ms": 0} => RLT0009
        @casa#t1 agent.set_profile {"agent": "@casa", "profile": {}} => ok
        // a token is of one principal only
        bob#t1 person.add {"owner": "$bob", "name": "x", "role": "viewer"} => RLT0106
        time +10m
        @casa#t1 agent.set_profile {"agent": "@casa", "profile": {}} => RLT0106
        tick
        @casa#t1 agent.set_profile {"agent": "@casa", "profile": {}} => RLT0106
        bob token.revoke {"token": "$t2"} => RLT0103
        ann token.revoke {"token": "$t2"} => ok
        ann token.revoke {"token": "$t2"} => RLT0103
        @casa#t2 agent.set_profile {"agent": "@casa", "profile": {}} => RLT0106
        @casa agent.set_profile {"agent": "@casa", "profile": {}} => ok
        "#,
    );
}

#[test]
fn a_principal_has_at_most_sixteen_live_tokens() {
    let mut world = World::new();
    world.run("owner ann\nagent ann @casa");
    for _ in 1..crate::limits::TOKENS_PER_PRINCIPAL {
        world.run(r#"@casa token.issue {"subject": {"agent": "@casa"}} => ok $last"#);
    }
    world.run(
        r#"
        @casa token.issue {"subject": {"agent": "@casa"}} => RLT0107
        @casa token.revoke {"token": "$last"} => ok
        @casa token.issue {"subject": {"agent": "@casa"}} => ok
        "#,
    );
    world.settle();
}

#[test]
fn the_secret_of_a_token_is_told_once_and_found_by_its_hash() {
    let world = check("owner ann\nagent ann @casa");
    assert!(world.secrets().len() >= 3);
    for (token, secret) in world.secrets() {
        assert!(secret.starts_with("rlt_") && secret.len() == 36);
        assert_eq!(world.state.token_with(&secret_hash(secret)), Some(*token));
    }
    let logged: String = world
        .log
        .iter()
        .map(|e| serde_json::to_string(e).unwrap())
        .collect();
    for (_, secret) in world.secrets() {
        assert!(!logged.contains(&secret_hash(secret).to_string()));
    }
}

#[test]
fn a_rotated_key_keeps_handle_balance_reputation_and_holds() {
    let mut world = check(
        r#"
        owner ann
        owner bob
        agent ann @casa
        agent bob @bob1
        fund @casa 10
        @casa ledger.transfer {"transfers": [{"hold": {"from": "@casa", "to": "@bob1", "amount": "4", "expires_in_ms": 600000}}]} => ok $h
        "#,
    );
    let before = world.state.agents.get(&world.agent("@casa")).unwrap().key;
    world.run(
        r#"
        @bob1 agent.rotate_key {"agent": "@casa"} => RLT0101
        @casa agent.rotate_key {"agent": "@casa"} => ok
        ann agent.rotate_key {"agent": "@casa", "key": "$key"} => ok
        balance @casa 10.00 pending 4.00
        hold $h open
        @casa ledger.transfer {"transfers": [{"post_hold": {"hold": "$h"}}]} => ok
        "#,
    );
    assert_ne!(
        world.state.agents.get(&world.agent("@casa")).unwrap().key,
        before
    );
    world.settle();
}

#[test]
fn the_stop_switch_of_agents_people_owners_and_services() {
    check(
        r#"
        owner ann
        owner bob
        agent ann @casa
        agent bob @dora
        @dora identity.suspend {"subject": {"agent": "@casa"}} => RLT0101
        bob identity.suspend {"subject": {"agent": "@casa"}} => RLT0101
        ann identity.suspend {"subject": {"owner": "$ann"}} => RLT0101
        ann identity.suspend {"subject": {"agent": "@casa"}} => ok
        @casa mail.send {"to": {"agent": "@dora"}, "body": "hi"} => RLT0105
        // nor can its admin act through it
        ann/@casa mail.send {"to": {"agent": "@dora"}, "body": "hi"} => RLT0105
        // the stopped one still receives
        @dora mail.send {"to": {"agent": "@casa"}, "body": "hi"} => ok
        inbox @casa message
        @casa identity.resume {"subject": {"agent": "@casa"}} => RLT0105
        ann identity.resume {"subject": {"agent": "@casa"}} => ok
        operator identity.suspend {"subject": {"owner": "$ann"}} => ok
        @casa mail.send {"to": {"agent": "@dora"}, "body": "hi"} => RLT0105
        ann agent.register {"handle": "more"} => RLT0105
        operator identity.resume {"subject": {"owner": "$ann"}} => ok
        @casa mail.send {"to": {"agent": "@dora"}, "body": "hi"} => ok
        operator service.create {"name": "pay", "grants": ["payments"]} => ok
        operator service.create {"name": "two", "grants": ["payments", "metering", "payments"]} => RLT0010
        ann service.create {"name": "own", "grants": ["payments"]} => RLT0101
        ann identity.suspend {"subject": {"service": "$pay"}} => RLT0101
        ann token.issue {"subject": {"service": "$pay"}} => RLT0101
        operator identity.suspend {"subject": {"service": "$pay"}} => ok
        pay ledger.deposit {"to": "@casa", "amount": "1", "reference": "r"} => RLT0105
        operator identity.resume {"subject": {"service": "$pay"}} => ok
        pay ledger.deposit {"to": "@casa", "amount": "1", "reference": "r"} => ok
        "#,
    );
}

/// The owner's people and the operator each have a hand on the stop switch, and release their own.
#[test]
fn each_side_releases_what_it_has_stopped() {
    let acts = |outcome: &str| {
        format!(
            r#"
            @casa agent.set_profile {{"agent": "@casa", "profile": {{}}}} => {outcome}
            "#
        )
    };
    let all = |subject: &str, stop: &str, run: &str| {
        [
            // the operator's alone, the owner's alone
            &format!("operator {stop} => ok\nann {run} => RLT0132\n"),
            &acts_or(subject, &acts("RLT0105")),
            &format!("operator {run} => ok\nann {stop} => ok\noperator {run} => RLT0138\n"),
            &acts_or(subject, &acts("RLT0105")),
            &format!("ann {run} => ok\n"),
            &acts_or(subject, &acts("ok")),
            // both, the operator's first and released first
            &format!("operator {stop} => ok\nann {stop} => ok\noperator {stop} => ok\noperator {run} => ok\n"),
            &acts_or(subject, &acts("RLT0105")),
            &format!("operator {run} => RLT0138\nann {run} => ok\n"),
            &acts_or(subject, &acts("ok")),
            // both, the owner's first and released first
            &format!("ann {stop} => ok\noperator {stop} => ok\nann {run} => ok\n"),
            &acts_or(subject, &acts("RLT0105")),
            &format!("ann {run} => RLT0132\noperator {run} => ok\n"),
            &acts_or(subject, &acts("ok")),
            // what nobody holds is released by anybody
            &format!("ann {run} => ok\noperator {run} => ok\n"),
        ]
        .map(String::as_str)
        .concat()
    };
    for (subject, stop, run) in [
        (
            "agent",
            r#"identity.suspend {"subject": {"agent": "@casa"}}"#,
            r#"identity.resume {"subject": {"agent": "@casa"}}"#,
        ),
        (
            "person",
            r#"identity.suspend {"subject": {"person": "$bea"}}"#,
            r#"identity.resume {"subject": {"person": "$bea"}}"#,
        ),
        (
            "owner",
            r#"owner.stop {"owner": "$ann", "stop": true}"#,
            r#"owner.stop {"owner": "$ann", "stop": false}"#,
        ),
    ] {
        check(
            &[
                r#"
                owner ann
                agent ann @casa
                ann person.add {"owner": "$ann", "name": "bea", "role": "viewer"} => ok $bea
                "#,
                &all(subject, stop, run),
            ]
            .concat(),
        );
    }
}

/// The check of an agent, where an agent was stopped.
fn acts_or(subject: &str, check: &str) -> String {
    match subject {
        "person" => String::new(),
        _ => String::from(check),
    }
}

#[test]
fn an_agent_that_the_operator_stops_is_not_closed_by_its_owner() {
    check(
        r#"
        owner ann
        agent ann @casa
        operator identity.suspend {"subject": {"agent": "@casa"}} => ok
        ann identity.suspend {"subject": {"agent": "@casa"}} => ok
        ann agent.close {"agent": "@casa"} => RLT0132
        ann identity.resume {"subject": {"agent": "@casa"}} => ok
        ann agent.close {"agent": "@casa"} => RLT0132
        operator identity.resume {"subject": {"agent": "@casa"}} => ok
        ann agent.close {"agent": "@casa"} => ok
        "#,
    );
}

#[test]
fn closing_an_agent_frees_nothing_that_the_operator_holds() {
    let spend = |from: &str, outcome: &str| {
        format!(
            r#"
            ann ledger.transfer {{"transfers": [{{"post": {{"from": "{from}", "to": "$ann", "amount": "1"}}}}]}} => {outcome}
            ann ledger.withdraw {{"from": "{from}", "amount": "1", "reference": "{from}-{outcome}"}} => {outcome}
            "#
        )
    };
    check(
        &[
            r#"
            owner ann
            agent ann @casa
            agent ann @gone
            fund @casa 100
            fund @gone 100
            ann agent.close {"agent": "@gone"} => ok
            "#,
            &spend("@gone", "ok"),
            "operator owner.stop {\"owner\": \"$ann\", \"stop\": true} => ok\n",
            &spend("@casa", "RLT0105"),
            &spend("@gone", "RLT0105"),
            r#"
            ann agent.close {"agent": "@casa"} => RLT0132
            ann identity.suspend {"subject": {"agent": "@casa"}} => ok
            ann identity.resume {"subject": {"agent": "@casa"}} => RLT0132
            operator agent.close {"agent": "@casa"} => ok
            "#,
            &spend("@casa", "RLT0105"),
            "operator owner.stop {\"owner\": \"$ann\", \"stop\": false} => ok\n",
            &spend("@casa", "ok"),
        ]
        .concat(),
    );
}

#[test]
fn a_key_is_one_agents_and_one_that_only_it_can_sign_with() {
    let register = |who: &str, key: &str, outcome: &str| {
        format!(
            r#"ann agent.register {{"handle": "{who}", "key": "{key}"}} => {outcome}
            "#
        )
    };
    let ends = |first: &str, middle: &str, last: &str| [first, &middle.repeat(30), last].concat();
    let weak: String = [
        ends("00", "00", "00"),
        ends("00", "00", "80"),
        ends("01", "00", "00"),
        ends("ec", "ff", "7f"),
        ends("ed", "ff", "7f"),
        ends("ee", "ff", "ff"),
        ends("f0", "ff", "7f"),
        ends("ff", "ff", "ff"),
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05".into(),
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85".into(),
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a".into(),
    ]
    .iter()
    .map(|key| register("@weak", key, "RLT0026"))
    .collect();
    let world = check(
        &[
            "owner ann\n",
            &weak,
            &register("@one", "$key", "ok"),
            &register("@two", "$key", "RLT0133"),
            r#"ann agent.register {"handle": "@two"} => ok
            ann agent.rotate_key {"agent": "@two", "key": "$key"} => RLT0133
            @two agent.rotate_key {"agent": "@two", "key": "0000000000000000000000000000000000000000000000000000000000000000"} => RLT0026
            // a key that was given up, or is a closed agent's, is free
            ann agent.rotate_key {"agent": "@one"} => ok
            @two agent.rotate_key {"agent": "@two", "key": "$key"} => ok
            ann agent.close {"agent": "@two"} => ok
            "#,
            &register("@three", "$key", "ok"),
            &register("@four", "$key", "RLT0133"),
        ]
        .concat(),
    );
    assert!(world.state.lookups_hold());
}

#[test]
fn agents_stand_under_teams_of_their_owner() {
    check(
        r#"
        owner ann
        owner bob
        agent ann @casa
        ann team.create {"name": "crew"} => ok $crew
        bob team.create {"name": "crew"} => ok $bobs
        ann agent.move {"agent": "@casa", "team": "$crew"} => ok
        ann agent.move {"agent": "@casa", "team": "$bobs"} => RLT0103
        bob agent.move {"agent": "@casa"} => RLT0101
        @casa agent.move {"agent": "@casa"} => RLT0101
        ann agent.register {"handle": "two", "team": "$crew"} => ok
        ann agent.register {"handle": "three", "team": "$bobs"} => RLT0103
        ann agent.register {"handle": "three", "team": "team_000000000000"} => RLT0103
        ann agent.move {"agent": "@casa"} => ok
        "#,
    );
}

#[test]
fn an_agents_token_acts_as_that_agent_only_and_an_admin_as_any_of_its_owner() {
    check(
        r#"
        owner ann
        owner bob
        agent ann @casa
        agent ann @case
        agent bob @dora
        ann person.add {"owner": "$ann", "name": "eve", "role": "approver"} => ok
        ann mail.send {"to": {"agent": "@dora"}, "body": "hi"} => RLT0102
        ann/@casa mail.send {"to": {"agent": "@dora"}, "body": "hi"} => ok
        @case/@casa mail.send {"to": {"agent": "@dora"}, "body": "hi"} => RLT0101
        bob/@casa mail.send {"to": {"agent": "@dora"}, "body": "hi"} => RLT0101
        eve/@casa mail.send {"to": {"agent": "@dora"}, "body": "hi"} => RLT0101
        operator/@casa mail.send {"to": {"agent": "@dora"}, "body": "hi"} => RLT0101
        ann/@gone mail.send {"to": {"agent": "@dora"}, "body": "hi"} => RLT0103
        "#,
    );
}

#[test]
fn the_operators_token_and_the_realms_key_are_replaced() {
    let mut world = check(
        r#"
        owner ann
        operator realm.reset_operator_token => ok $t1
        operator#t1 realm.rotate_key {"key": "$key"} => ok
        ann realm.reset_operator_token => RLT0101
        ann realm.rotate_key {"key": "$key"} => RLT0101
        operator#t1 token.revoke {"token": "$t1"} => RLT0101
        ann token.revoke {"token": "$t1"} => RLT0103
        // somebody who holds the data folder resets a lost token without one
        operator realm.reset_operator_token => ok $t2
        operator#t1 realm.rotate_key {"key": "$key"} => RLT0106
        operator#t2 realm.rotate_key {"key": "$key"} => ok
        "#,
    );
    let tokens = world.state.tokens.len();
    world.run("operator realm.reset_operator_token => ok");
    assert_eq!(world.state.tokens.len(), tokens);
}

#[test]
fn profiles_are_bounded() {
    let mut world = World::new();
    world.run("owner ann\nagent ann @casa");
    let tags = |n: usize| {
        let all: std::vec::Vec<String> = (0..n).map(|i| std::format!("\"t{i}\"")).collect();
        all.join(",").to_string()
    };
    for (n, outcome) in [(32, "ok"), (33, "RLT0010")] {
        for list in ["tags", "skills"] {
            world.run(&std::format!(
                r#"@casa agent.set_profile {{"agent": "@casa", "profile": {{"{list}": [{}]}}}} => {outcome}"#,
                tags(n)
            ));
        }
    }
}

#[test]
fn a_closed_agent_never_acts_again() {
    check(
        r#"
        owner ann
        owner bob
        agent ann @one
        agent bob @two
        fund @one 5
        operator agent.close {"agent": "@nobody"} => RLT0103
        bob agent.close {"agent": "@one"} => RLT0101
        @one agent.close {"agent": "@one"} => RLT0101
        ann agent.close {"agent": "@one"} => ok
        ann agent.close {"agent": "@one"} => RLT0115
        ann identity.resume {"subject": {"agent": "@one"}} => RLT0115
        operator identity.suspend {"subject": {"agent": "@one"}} => RLT0115
        @one mail.send {"to": {"agent": "@two"}, "body": "x"} => RLT0115
        ann/@one mail.send {"to": {"agent": "@two"}, "body": "x"} => RLT0115
        @two mail.send {"to": {"agent": "@one"}, "body": "x"} => RLT0203
        // its handle is never given away, and its money is its owner's to move
        bob agent.register {"handle": "@one"} => RLT0104
        ann ledger.transfer {"transfers": [{"post": {"from": "@one", "to": "$ann", "amount": "5"}}]} => ok
        balance $ann 5.00
        "#,
    );
}

#[test]
fn further_agents_need_a_stake() {
    check(
        r#"
        owner ann
        operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0, "stake": {"free_agents": 1, "amount": "0"}} => RLT0008
        operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0, "stake": {"free_agents": 1, "amount": "1", "asset": "EUR"}} => RLT0404
        operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0, "stake": {"free_agents": 1, "amount": "2.5"}} => ok
        ann agent.register {"handle": "@one"} => ok
        ann agent.register {"handle": "@two"} => RLT0116
        fund $ann 4
        // the operator cannot spend the owner's money, not even for this
        operator agent.register {"owner": "$ann", "handle": "@two"} => RLT0101
        ann agent.register {"handle": "@two"} => ok
        balance $ann 4.00 pending 2.50
        ann agent.register {"handle": "@three"} => RLT0116
        ann ledger.transfer {"transfers": [{"post": {"from": "$ann", "to": "@one", "amount": "2"}}]} => RLT0401
        // closing gives it back, whichever is closed first
        ann agent.close {"agent": "@one"} => ok
        balance $ann 4.00 pending 2.50
        ann agent.register {"handle": "@three"} => RLT0116
        ann agent.close {"agent": "@two"} => ok
        balance $ann 4.00
        ann agent.register {"handle": "@three"} => ok
        balance $ann 4.00
        "#,
    );
}

#[test]
fn a_stake_is_nobodys_to_end() {
    let mut world = check(
        r#"
        owner ann
        fund $ann 4
        operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0, "stake": {"free_agents": 0, "amount": "1"}} => ok
        ann agent.register {"handle": "@one"} => ok
        "#,
    );
    let hold = world.state.stakes.get(&world.agent("@one")).unwrap().hold;
    for end in ["void_hold", "post_hold"] {
        world.run(&std::format!(
            r#"ann ledger.transfer {{"transfers": [{{"{end}": {{"hold": "{hold}"}}}}]}} => RLT0410"#
        ));
    }
    for op in ["capture", "raise"] {
        world.run(&std::format!(
            r#"ann ledger.{op} {{"hold": "{hold}", "amount": "1"}} => RLT0410"#
        ));
    }
    world.run("wait +400d\nbalance $ann 4.00 pending 1.00");
}

#[test]
fn an_invitation_opens_the_way_where_sign_up_is_closed() {
    let mut world = check(
        r#"
        owner ann
        operator policy.set_settings {"sign_up_open": false, "sign_ups_per_hour": 1, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0} => ok
        public owner.sign_up {"name": "bob", "kind": "person"} => RLT0111
        public owner.sign_up {"name": "bob", "kind": "person", "invitation": "inv_00000000000000000000000000000000"} => RLT0019
        // only the operator invites
        public invitation.create => RLT0101
        ann invitation.create => RLT0101
        operator invitation.create {"uses": 0} => RLT0001
        operator invitation.create {"uses": 10001} => RLT0001
        operator invitation.create {"expires_in_ms": 0} => RLT0009
        operator invitation.create {"expires_in_ms": 31622400001} => RLT0009
        operator invitation.create {"label": "for bob"} => ok $one
        // a sign-up that is refused for another reason uses nothing up
        public owner.sign_up {"name": "ann", "kind": "person", "invitation": "$one.code"} => RLT0104
        public owner.sign_up {"name": "bob", "kind": "person", "invitation": "$one.code"} => ok $bob
        public owner.sign_up {"name": "cat", "kind": "person", "invitation": "$one.code"} => RLT0019
        operator invitation.end {"invitation": "$one"} => RLT0103
        // no rate of the realm keeps out who is invited
        operator invitation.create {"uses": 3} => ok $three
        public owner.sign_up {"name": "cat", "kind": "person", "invitation": "$three.code"} => ok
        public owner.sign_up {"name": "dan", "kind": "person", "invitation": "$three.code"} => ok
        // taken back by the operator only; who came with it stays
        cat invitation.end {"invitation": "$three"} => RLT0101
        operator invitation.end {"invitation": "$three"} => ok
        public owner.sign_up {"name": "eve", "kind": "person", "invitation": "$three.code"} => RLT0019
        dan agent.register {"handle": "@dora"} => ok
        // one that is too old admits nobody, whether or not the clock has come to it
        operator invitation.create {"expires_in_ms": 60000} => ok $old
        time +1m
        public owner.sign_up {"name": "eve", "kind": "person", "invitation": "$old.code"} => RLT0019
        tick
        operator invitation.end {"invitation": "$old"} => RLT0103
        // a token's secret is no invitation, and an invitation no token's
        ann token.issue {"subject": {"person": "$ann_id"}} => ok $token
        public owner.sign_up {"name": "eve", "kind": "person", "invitation": "$token.code"} => RLT0019
        "#,
    );
    assert!(world.state.invitations.is_empty());
    world.run("operator invitation.create => ok $last");
    let (id, code) = world.secrets().last().unwrap();
    assert!(code.starts_with("inv_") && code.len() == 36);
    assert_eq!(world.state.token_with(&secret_hash(code)), None);
    let kept = world.state.invitations.get(&super::code_key(code));
    assert_eq!(kept.unwrap().id, *id);
    let logged = serde_json::to_string(world.log.last().unwrap()).unwrap();
    assert!(
        !logged.contains(code) && !logged.contains("\"code\""),
        "{logged}"
    );
}

#[test]
fn invitations_are_bounded() {
    let mut world = World::new();
    for _ in 0..crate::limits::INVITATIONS {
        world.run("operator invitation.create => ok $last");
    }
    world.run(
        r#"
        operator invitation.create => RLT0109
        operator invitation.end {"invitation": "$last"} => ok
        operator invitation.create => ok
        "#,
    );
    world.settle();
}

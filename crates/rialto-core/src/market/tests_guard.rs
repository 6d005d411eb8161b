//! What keeps a party from being used: arbiters are asked of those they take cases from, limits see
//! where money really goes, and nobody closes a call, takes a reputation or learns a limit for free.

use std::format;
use std::string::String;

use crate::spec::{World, check};

const PEOPLE: &str = r#"
    owner ann
    owner bob
    owner cat
    agent ann @buyer
    agent ann @sibling
    agent bob @seller
    agent bob @second
    agent cat @judge
    fund @buyer 100
"#;

fn table(lines: &str) -> World {
    check(&[PEOPLE, lines].concat())
}

/// An offer to buy from the seller for a price, with more terms, and more beside them.
fn offer(price: &str, terms: &str, more: &str, outcome: &str) -> String {
    format!(
        r#"@buyer negotiation.open {{"with": "@seller", "side": "buy", "terms": {{"price": "{price}"{terms}}}, "valid_for_ms": 600000{more}}} => {outcome}
"#
    )
}

/// An offer to sell to the buyer.
fn sale(price: &str, terms: &str, outcome: &str) -> String {
    format!(
        r#"@seller negotiation.open {{"with": "@buyer", "side": "sell", "terms": {{"price": "{price}"{terms}}}, "valid_for_ms": 600000}} => {outcome}
"#
    )
}

fn accept(who: &str, negotiation: &str, outcome: &str) -> String {
    format!(
        r#"{who} negotiation.accept {{"negotiation": "${negotiation}", "offer": "${negotiation}.offer"}} => {outcome}
"#
    )
}

/// A team of an agent's in which another gets everything.
fn team(name: &str, lead: &str, paid: &str) -> String {
    let (lead_id, paid_id) = (lead.replace('@', "$"), paid.replace('@', "$"));
    let shares = format!(
        r#"{{"team": "${name}", "shares": [{{"agent": "{paid_id}", "ppm": 1000000}}, {{"agent": "{lead_id}", "ppm": 0}}]}}"#
    );
    format!(
        r#"{lead} team.create {{"name": "{name}"}} => ok ${name}
        {lead} team.invite {{"team": "${name}", "agent": "{paid}", "role": "member"}} => ok
        {paid} team.join {{"team": "${name}", "join": true}} => ok
        {lead} team.propose_split {shares} => ok
        {lead} team.agree_split {shares} => ok
        {paid} team.agree_split {shares} => ok
        "#
    )
}

#[test]
fn money_that_leaves_through_an_own_team_counts_where_it_leaves() {
    let limit = r#"ann policy.set_allowance {"node": {"owner": "$ann"}, "per_deal": "5", "approval_above": "2"} => ok
    "#;
    let front = r#", "payee_team": "$front""#;
    let fund = r#", "fund": true"#;
    let over = "RLT0402 per_deal of owner_";
    table(
        &[
            team("front", "@buyer", "@seller").as_str(),
            limit,
            &offer("50", front, "", over),
            &offer("50", front, fund, over),
            &offer("3", front, "", "ok $approval"),
            &sale("50", front, "ok $n"),
            &accept("@buyer", "n", over),
            &sale("3", front, "ok $n"),
            &accept("@buyer", "n", "ok $approval"),
            "spent $ann 0.00\n",
            &sale("2", front, "ok $n"),
            &accept("@buyer", "n", "ok $deal"),
            "spent $ann 2.00\n",
        ]
        .concat(),
    );
    // What stays with the owner counts nothing, until the split lets it out.
    let within = |fund: &str, outcome: &str| {
        format!(
            r#"@buyer negotiation.open {{"with": "@sibling", "side": "buy", "terms": {{"price": "50", "payee_team": "$own"}}, "valid_for_ms": 600000, "fund": {fund}}} => {outcome}
"#
        )
    };
    let out = r#"{"team": "$own", "shares": [{"agent": "$sibling", "ppm": 0}, {"agent": "$buyer", "ppm": 0}, {"agent": "$seller", "ppm": 1000000}]}"#;
    table(
        &[
            team("own", "@buyer", "@sibling").as_str(),
            limit,
            &within("true", "ok $held"),
            &within("false", "ok $bare"),
            "spent $ann 0.00\n",
            &format!(
                r#"@buyer team.invite {{"team": "$own", "agent": "@seller", "role": "member"}} => ok
                @seller team.join {{"team": "$own", "join": true}} => ok
                @buyer team.propose_split {out} => ok
                @buyer team.agree_split {out} => ok
                @sibling team.agree_split {out} => ok
                @seller team.agree_split {out} => ok
                "#
            ),
            &accept("@sibling", "held", "RLT0402"),
            &accept("@sibling", "bare", "RLT0402"),
            &within("true", "RLT0402"),
        ]
        .concat(),
    );
}

#[test]
fn the_other_side_learns_nothing_of_a_limit() {
    let set = |limit: &str| {
        format!(
            r#"ann policy.set_allowance {{"node": {{"owner": "$ann"}}, {limit}}} => ok
"#
        )
    };
    table(
        &[
            offer("10", "", "", "ok $a").as_str(),
            &offer("10", "", "", "ok $b"),
            &set(r#""per_deal": "5""#),
            &accept("@seller", "a", "RLT0402 -"),
            &set(r#""approval_above": "2", "clear": ["per_deal"]"#),
            &accept("@seller", "a", "RLT0601 -"),
            &set(r#""per_period": "10", "clear": ["approval_above"]"#),
            &accept("@seller", "a", "ok"),
            &accept("@seller", "b", "RLT0402 -"),
        ]
        .concat(),
    );
}

#[test]
fn a_team_that_a_stranger_names_is_as_good_as_none() {
    table(
        &[
            r#"@seller team.create {"name": "without split"} => ok $one
            @second team.create {"name": "without the seller"} => ok $two
            ann team.create {"name": "of the buyer"} => ok $own
            "#,
            &offer("1", r#", "payee_team": "$one""#, "", "RLT0103 team_"),
            &offer("1", r#", "payee_team": "$two""#, "", "RLT0103 team_"),
            &offer("1", r#", "payee_team": "$own""#, "", "RLT0103 team_"),
            // nor by one that could be paid, nor by whom it would not suit
            r#"@seller team.propose_split {"team": "$one", "shares": [{"agent": "$seller", "ppm": 1000000}]} => ok
            @seller team.agree_split {"team": "$one", "shares": [{"agent": "$seller", "ppm": 1000000}]} => ok
            "#,
            &offer("1", r#", "payee_team": "$one""#, "", "RLT0103 team_"),
            &offer("1000000", r#", "payee_team": "$one""#, "", "RLT0103 team_"),
            // one that the seller has named may be named in the answer
            r#"@seller negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "1", "payee_team": "$one"}, "valid_for_ms": 600000} => ok $n
            @buyer negotiation.counter {"negotiation": "$n", "terms": {"price": "0.5", "payee_team": "$one"}, "valid_for_ms": 600000} => ok
            @seller team.create {"name": "no split yet"} => ok $one
            "#,
            // the seller is told what is missing
            &sale("1", r#", "payee_team": "$one""#, "RLT0308"),
            &sale("1", r#", "payee_team": "$two""#, "RLT0307"),
        ]
        .concat(),
    );
}

#[test]
fn who_may_spend_from_the_purse_does_not_judge_what_it_pays() {
    let judge = r#", "arbiter": {"agent": "@judge"}"#;
    let purse = r#", "pay_from": "$purse""#;
    let join = r#"@judge team.join {"team": "$purse", "join": true} => ok
    "#;
    let refused = "RLT0517 the paying team";
    let made = [
        r#"@buyer team.create {"name": "purse"} => ok $purse
        fund $purse 50
        "#,
        &offer("5", judge, purse, "ok $n"),
    ]
    .concat();
    let invite = r#"@buyer team.invite {"team": "$purse", "agent": "@judge", "role": "spender"} => ok
    "#;
    table(
        &[
            made.as_str(),
            invite,
            &offer("5", judge, purse, refused),
            join,
            &offer("5", judge, purse, refused),
            &accept("@seller", "n", refused),
            &sale("5", judge, "ok $m"),
            r#"@buyer negotiation.accept {"negotiation": "$m", "offer": "$m.offer", "pay_from": "$purse"} => RLT0517 the paying team
            @buyer negotiation.accept {"negotiation": "$m", "offer": "$m.offer"} => ok
            "#,
        ]
        .concat(),
    );
    // nor is it asked in while it rules
    table(
        &[
            made.as_str(),
            &accept("@seller", "n", "ok $deal"),
            r#"@buyer team.invite {"team": "$purse", "agent": "@judge", "role": "spender"} => RLT0318
            @seller deal.deliver {"deal": "$deal", "body": "x"} => ok
            @buyer deal.dispute {"deal": "$deal", "reason": "x"} => ok
            @judge deal.rule {"deal": "$deal", "to_seller": "0", "reason": "late"} => ok
            "#,
            invite,
            join,
        ]
        .concat(),
    );
}

#[test]
fn an_arbiter_takes_cases_of_those_it_lets_in() {
    let judge = r#", "arbiter": {"agent": "@judge"}"#;
    let block = |on: bool| {
        format!(
            r#"@judge policy.set_block {{"party": {{"agent": "@buyer"}}, "block": {on}}} => ok
"#
        )
    };
    table(
        &[
            block(true).as_str(),
            &offer("1", judge, "", "RLT0602 by the arbiter"),
            &sale("1", judge, "ok $n"),
            &accept("@buyer", "n", "RLT0602 by the arbiter"),
            &block(false),
            &accept("@buyer", "n", "ok"),
            // closed, but for those it knows, or if it offers itself
            r#"@judge agent.set_profile {"agent": "@judge", "profile": {"contact": "closed"}} => ok
            "#,
            &offer("1", judge, "", "RLT0203 the arbiter"),
            r#"@judge mail.send {"to": {"agent": "@buyer"}, "body": "send me your cases"} => ok
            "#,
            &offer("1", judge, "", "ok $m"),
            &accept("@seller", "m", "ok"),
            &sale("1", judge, "RLT0203 the arbiter"),
            r#"@judge listing.publish {"terms": {"title": "rulings"}} => ok
            "#,
            &sale("1", judge, "ok"),
        ]
        .concat(),
    );
}

#[test]
fn the_operator_is_told_that_another_rules() {
    table(
        &[
            offer("1", r#", "arbiter": {"agent": "@judge"}"#, "", "ok $n").as_str(),
            &accept("@seller", "n", "ok $deal"),
            r#"@seller deal.deliver {"deal": "$deal", "body": "x"} => ok
            @buyer deal.dispute {"deal": "$deal", "reason": "x"} => ok
            operator deal.rule {"deal": "$deal", "to_seller": "0", "reason": "x"} => RLT0511
            "#,
        ]
        .concat(),
    );
}

#[test]
fn a_delivery_between_strangers_has_at_least_a_minute() {
    let within = |ms: u64| format!(r#", "deliver_within_ms": {ms}"#);
    let own = r#"@buyer negotiation.open {"with": "@sibling", "side": "buy", "terms": {"price": "1", "deliver_within_ms": 1}, "valid_for_ms": 600000} => ok
    "#;
    table(
        &[
            r#"@buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "1", "deliver_within_ms": 59999}, "valid_for_ms": 600000} => RLT0521 at least 60000
            "#,
            &sale("1", &within(1), "RLT0521"),
            &offer("1", &within(60_000), "", "ok"),
            own,
            // or as little as the realm allows to review
            r#"operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0, "least_review_ms": 1000} => ok
            "#,
            &offer("1", &within(999), "", "RLT0521 at least 1000"),
            &offer("1", &within(1_000), "", "ok"),
        ]
        .concat(),
    );
}

#[test]
fn no_owner_takes_all_places_of_a_public_call() {
    let propose = |who: &str, outcome: &str| {
        format!(
            r#"{who} call.propose {{"call": "$c", "terms": {{"price": "1"}}, "valid_for_ms": 600000}} => {outcome}
"#
        )
    };
    let few = ["@m1", "@m2", "@m3", "@m4", "@m5"];
    let agents: String = (few.iter().map(|who| format!("agent cat {who}\n"))).collect();
    let proposals: String = (few.iter().take(4).map(|who| propose(who, "ok"))).collect();
    table(
        &[
            agents.as_str(),
            r#"@buyer call.open {"body": "x", "public": true, "invite": ["@judge"], "open_for_ms": 600000} => ok $c
            "#,
            &proposals,
            r#"@m5 call.propose {"call": "$c", "terms": {"price": "1"}, "valid_for_ms": 600000} => RLT0522 at most 4
            "#,
            // whom the buyer named, and other owners, have their places
            &propose("@judge", "ok"),
            &propose("@seller", "ok"),
        ]
        .concat(),
    );
}

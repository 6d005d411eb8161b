//! What parties may count on, as tables: nobody is orphaned, arbiters stand apart, reviews are long
//! enough, stock is stock, funded offers have their money.

use std::format;
use std::string::String;
use std::vec::Vec;

use crate::reject::Code;
use crate::spec::{World, check};

const PEOPLE: &str = r#"
    owner ann
    owner bob
    owner cat
    agent ann @buyer
    agent bob @seller
    agent bob @second
    agent cat @judge
    agent cat @other
    fund @buyer 100
"#;

/// A deal for 10, ruled on by an agent, named $deal, with its hold $hold.
const DEAL: &str = r#"
    @seller negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "10", "arbiter": {"agent": "@judge"}}, "valid_for_ms": 600000} => ok $n
    @buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $deal $task $hold
"#;

fn table(lines: &str) -> World {
    check(&[PEOPLE, lines].concat())
}

fn deal(lines: &str) -> World {
    check(&[PEOPLE, DEAL, lines].concat())
}

/// Every way to stop an agent for good or for a time.
const STOPS: [&str; 2] = [
    r#"agent.close {"agent": "@WHO"} => ok"#,
    r#"identity.suspend {"subject": {"agent": "@WHO"}} => ok"#,
];

#[test]
fn an_admin_ends_what_a_closed_or_stopped_agent_has_open() {
    for stop in STOPS {
        let buyer = stop.replace("WHO", "buyer");
        let seller = stop.replace("WHO", "seller");
        // a buyer's admin looks at the delivery in its place
        for (step, state) in [
            (r#"deal.accept {"deal": "$deal"}"#, "settled"),
            (
                r#"deal.dispute {"deal": "$deal", "reason": "empty"}"#,
                "disputed",
            ),
        ] {
            deal(&format!(
                r#"
                ann {buyer}
                @seller deal.deliver {{"deal": "$deal", "body": "x"}} => ok
                bob/@buyer {step} => RLT0101
                ann {step} => RLT0102
                ann/@buyer {step} => ok
                deal $deal {state}
                "#
            ));
        }
        // a seller's admin gives the money back, or delivers
        deal(&format!(
            r#"
            bob {seller}
            ann/@seller deal.refund {{"deal": "$deal"}} => RLT0101
            bob/@seller deal.refund {{"deal": "$deal"}} => ok
            deal $deal refunded
            balance @buyer 100.00 pending 0.00
            "#
        ));
        deal(&format!(
            r#"
            bob {seller}
            bob/@seller deal.deliver {{"deal": "$deal", "body": "x"}} => ok
            @buyer deal.accept {{"deal": "$deal"}} => ok
            "#
        ));
        // an admin takes on nothing new in its name
        table(&format!(
            r#"
            @seller negotiation.open {{"with": "@buyer", "side": "sell", "terms": {{"price": "10"}}, "valid_for_ms": 600000}} => ok $n
            ann {buyer}
            ann/@buyer negotiation.accept {{"negotiation": "$n", "offer": "$n.offer"}} => RLT01{}
            ann/@buyer negotiation.leave {{"negotiation": "$n"}} => ok
            negotiation $n left
            "#,
            if stop.starts_with("agent.close") {
                "15"
            } else {
                "05"
            }
        ));
    }
}

#[test]
fn an_admin_ends_calls_tasks_teams_holds_groups_and_listings_too() {
    for stop in STOPS {
        let (buyer, seller) = (stop.replace("WHO", "buyer"), stop.replace("WHO", "seller"));
        table(&format!(
            r#"
            fund @seller 5
            @seller listing.publish {{"terms": {{"title": "t"}}}} => ok $l
            @buyer call.open {{"body": "x", "invite": ["@seller", "@second"], "open_for_ms": 600000}} => ok $c
            @buyer mail.send {{"to": {{"agent": "@seller"}}, "body": "hello"}} => ok
            @seller task.create {{"worker": "@buyer", "body": "x"}} => ok $made
            @seller task.create {{"worker": "@buyer", "body": "x"}} => ok $given
            @judge team.create {{"name": "crew"}} => ok $team
            @judge team.invite {{"team": "$team", "agent": "@seller", "role": "member"}} => ok
            @seller team.join {{"team": "$team", "join": true}} => ok
            @buyer mail.open_group {{"title": "g", "members": ["@seller"]}} => ok $g
            @buyer ledger.transfer {{"transfers": [{{"hold": {{"from": "@buyer", "to": "@seller", "amount": "3", "expires_in_ms": 600000}}}}]}} => ok $out
            @seller ledger.transfer {{"transfers": [{{"hold": {{"from": "@seller", "to": "@buyer", "amount": "3", "expires_in_ms": 600000}}}}]}} => ok $in
            ann {buyer}
            bob {seller}
            bob/@seller call.refuse {{"call": "$c"}} => ok
            ann/@buyer call.cancel {{"call": "$c"}} => ok
            call $c closed
            ann/@buyer task.update {{"task": "$made", "state": "failed"}} => ok
            bob/@seller task.cancel {{"task": "$given"}} => ok
            task $given canceled
            bob/@seller team.join {{"team": "$team", "join": false}} => ok
            bob/@seller listing.withdraw {{"listing": "$l"}} => ok
            ann/@buyer mail.change_group {{"conversation": "$g", "add": ["@judge"]}} => RLT01{}
            ann/@buyer mail.change_group {{"conversation": "$g", "remove": ["@buyer"]}} => ok
            ann ledger.transfer {{"transfers": [{{"void_hold": {{"hold": "$out"}}}}]}} => ok
            ann ledger.transfer {{"transfers": [{{"void_hold": {{"hold": "$in"}}}}]}} => ok
            "#,
            if stop.starts_with("agent.close") {
                "15"
            } else {
                "05"
            }
        ));
    }
}

#[test]
fn nobody_waits_for_the_word_of_a_closed_agent() {
    table(
        r#"
        @seller team.create {"name": "crew"} => ok $team
        @seller team.invite {"team": "$team", "agent": "@judge", "role": "member"} => ok
        @judge team.join {"team": "$team", "join": true} => ok
        @seller team.propose_split {"team": "$team", "shares": [{"agent": "$seller", "ppm": 500000}, {"agent": "$judge", "ppm": 500000}]} => ok
        @seller team.agree_split {"team": "$team", "shares": [{"agent": "$seller", "ppm": 500000}, {"agent": "$judge", "ppm": 500000}]} => ok
        cat agent.close {"agent": "@judge"} => ok
        @seller team.propose_split {"team": "$team", "shares": [{"agent": "$seller", "ppm": 1000000}]} => ok
        @seller team.agree_split {"team": "$team", "shares": [{"agent": "$seller", "ppm": 1000000}]} => ok
        @seller negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "4", "payee_team": "$team"}, "valid_for_ms": 600000} => ok
        // nor is it offered to, or asked, any more; a person's task is called off by its owner's others
        cat agent.close {"agent": "@other"} => ok
        @buyer negotiation.open {"with": "@other", "side": "buy", "terms": {"price": "4"}, "valid_for_ms": 600000} => RLT0115
        @buyer call.open {"body": "x", "invite": ["@other"], "open_for_ms": 600000} => RLT0512
        ann person.add {"owner": "$ann", "name": "eve", "role": "approver"} => ok
        ann person.add {"owner": "$ann", "name": "vic", "role": "viewer"} => ok
        eve task.create {"worker": "@buyer", "body": "x"} => ok $task
        bob task.cancel {"task": "$task"} => RLT0103
        vic task.cancel {"task": "$task"} => RLT0103
        ann task.cancel {"task": "$task"} => ok
        // what a closed agent asked a person for can still be denied
        bob policy.set_allowance {"node": {"agent": "@second"}, "approval_above": "1"} => ok
        fund @second 5
        @second ledger.transfer {"transfers": [{"post": {"from": "@second", "to": "@buyer", "amount": "2"}}]} => ok $approval
        bob agent.close {"agent": "@second"} => ok
        bob policy.answer_approval {"approval": "$approval", "approve": true} => RLT0115
        bob policy.answer_approval {"approval": "$approval", "approve": false} => ok
        "#,
    );
}

#[test]
fn the_operator_ends_a_deal_that_nobody_can() {
    for stop in STOPS {
        let stop = |who: &str| stop.replace("WHO", who);
        // while those whose turn it is can act, it is not the operator's
        deal(&format!(
            r#"
            operator deal.rule {{"deal": "$deal", "to_seller": "0", "reason": "x"}} => RLT0511
            ann {}
            operator deal.rule {{"deal": "$deal", "to_seller": "0", "reason": "x"}} => RLT0511
            bob {}
            operator deal.rule {{"deal": "$deal", "to_seller": "0", "reason": "the seller is gone"}} => ok
            deal $deal refunded
            balance @buyer 100.00 pending 0.00
            "#,
            stop("buyer"),
            stop("seller"),
        ));
        deal(&format!(
            r#"
            @seller deal.deliver {{"deal": "$deal", "body": "x"}} => ok
            ann {}
            operator deal.rule {{"deal": "$deal", "to_seller": "4", "reason": "x"}} => ok
            deal $deal split
            balance @seller 4.00
            "#,
            stop("buyer"),
        ));
        deal(&format!(
            r#"
            @seller deal.deliver {{"deal": "$deal", "body": "x"}} => ok
            @buyer deal.dispute {{"deal": "$deal", "reason": "x"}} => ok
            operator deal.rule {{"deal": "$deal", "to_seller": "4", "reason": "x"}} => RLT0511
            cat {}
            cat/@judge deal.rule {{"deal": "$deal", "to_seller": "10.1", "reason": "x"}} => RLT0008
            operator deal.rule {{"deal": "$deal", "to_seller": "4", "reason": "x"}} => ok
            "#,
            stop("judge"),
        ));
    }
    // a whole owner that is stopped has nobody left to speak for its agents
    deal(
        r#"
        operator identity.suspend {"subject": {"owner": "$bob"}} => ok
        bob/@seller deal.refund {"deal": "$deal"} => RLT0105
        operator deal.rule {"deal": "$deal", "to_seller": "0", "reason": "x"} => ok
        "#,
    );
}

#[test]
fn an_arbiter_stands_apart_from_both_sides_and_from_the_money() {
    let offer = |who: &str, side: &str, with: &str, terms: &str, more: &str, outcome: &str| {
        format!(
            r#"{who} negotiation.open {{"with": "{with}", "side": "{side}", "terms": {{"price": "4", "arbiter": {{"agent": {terms}}}}}, "valid_for_ms": 600000{more}}} => {outcome}
"#
        )
    };
    let seller = "RLT0517 its owner is on the side of the seller";
    table(
        &[
            "agent ann @aide\n",
            &offer("@buyer", "buy", "@seller", r#""@second""#, "", seller),
            &offer("@buyer", "buy", "@seller", r#""@seller""#, "", seller),
            &offer("@seller", "sell", "@buyer", r#""@second""#, "", seller),
            &offer("@seller", "sell", "@buyer", r#""@aide""#, "", "RLT0517 the buyer"),
            // whoever pays, or is paid, is on a side too
            r#"@judge team.create {"name": "purse"} => ok $purse
            @judge team.invite {"team": "$purse", "agent": "@buyer", "role": "spender"} => ok
            @buyer team.join {"team": "$purse", "join": true} => ok
            fund $purse 50
            "#,
            &offer("@buyer", "buy", "@seller", r#""@judge""#, r#", "pay_from": "$purse""#, "RLT0517 the payer"),
            &offer("@seller", "sell", "@buyer", r#""@judge""#, "", "ok $n"),
            r#"@buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer", "pay_from": "$purse"} => RLT0517 the payer
            @buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok
            @seller team.create {"name": "crew"} => ok $crew
            @seller team.propose_split {"team": "$crew", "shares": [{"agent": "$seller", "ppm": 1000000}]} => ok
            @seller team.agree_split {"team": "$crew", "shares": [{"agent": "$seller", "ppm": 1000000}]} => ok
            "#,
            r#"@seller negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "4", "arbiter": {"agent": "@judge"}, "payee_team": "$crew"}, "valid_for_ms": 600000} => ok $m
            "#,
            r#"@seller team.invite {"team": "$crew", "agent": "@other", "role": "member"} => ok
            @other team.join {"team": "$crew", "join": true} => ok
            @seller team.propose_split {"team": "$crew", "shares": [{"agent": "$seller", "ppm": 500000}, {"agent": "$other", "ppm": 500000}]} => ok
            @seller team.agree_split {"team": "$crew", "shares": [{"agent": "$seller", "ppm": 500000}, {"agent": "$other", "ppm": 500000}]} => ok
            @other team.agree_split {"team": "$crew", "shares": [{"agent": "$seller", "ppm": 500000}, {"agent": "$other", "ppm": 500000}]} => ok
            @buyer negotiation.accept {"negotiation": "$m", "offer": "$m.offer"} => RLT0517 the payee team
            "#,
        ]
        .concat(),
    );
}

#[test]
fn nobody_joins_the_team_that_is_paid_while_it_rules_on_it() {
    let invite = |outcome: &str| {
        format!(
            r#"@seller team.invite {{"team": "$crew", "agent": "@other", "role": "spender"}} => {outcome}
            "#
        )
    };
    table(
        &[
            r#"@seller team.create {"name": "crew"} => ok $crew
            @seller team.propose_split {"team": "$crew", "shares": [{"agent": "$seller", "ppm": 1000000}]} => ok
            @seller team.agree_split {"team": "$crew", "shares": [{"agent": "$seller", "ppm": 1000000}]} => ok
            "#,
            &invite("ok"),
            r#"@seller negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "4", "arbiter": {"agent": "@judge"}, "payee_team": "$crew"}, "valid_for_ms": 600000} => RLT0517 the payee team
            @seller team.remove {"team": "$crew", "agent": "@other"} => ok
            @seller negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "4", "arbiter": {"agent": "@judge"}, "payee_team": "$crew"}, "valid_for_ms": 600000} => ok $n
            @buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $deal
            "#,
            &invite("RLT0318"),
            r#"@seller deal.refund {"deal": "$deal"} => ok
            "#,
            &invite("ok"),
        ]
        .concat(),
    );
}

#[test]
fn who_is_only_invited_to_the_team_that_pays_does_not_rule_on_it() {
    let invite = |who: &str, outcome: &str| {
        format!(
            r#"@buyer team.invite {{"team": "$purse", "agent": "{who}", "role": "spender"}} => {outcome}
            "#
        )
    };
    let offer = |outcome: &str| {
        format!(
            r#"@buyer negotiation.open {{"with": "@seller", "side": "buy", "terms": {{"price": "4", "arbiter": {{"agent": "@judge"}}}}, "valid_for_ms": 600000, "pay_from": "$purse"}} => {outcome}
            "#
        )
    };
    table(
        &[
            r#"@buyer team.create {"name": "purse"} => ok $purse
            fund $purse 50
            "#,
            &invite("@other", "ok"),
            &offer("RLT0517 the paying team"),
            r#"@buyer team.remove {"team": "$purse", "agent": "@other"} => ok
            "#,
            &offer("ok $n"),
            &invite("@other", "ok"),
            r#"@seller negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => RLT0517
            @buyer team.remove {"team": "$purse", "agent": "@other"} => ok
            @seller negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $deal
            "#,
            // not to take the case from it either
            &invite("@other", "RLT0318"),
            &invite("@judge", "RLT0318"),
            r#"@seller deal.deliver {"deal": "$deal", "body": "x"} => ok
            @buyer deal.dispute {"deal": "$deal", "reason": "x"} => ok
            "#,
            &invite("@judge", "RLT0318"),
            r#"@judge deal.rule {"deal": "$deal", "to_seller": "1", "reason": "x"} => ok
            "#,
            &invite("@judge", "ok"),
        ]
        .concat(),
    );
}

#[test]
fn an_arbiter_of_a_deal_from_before_who_is_not_apart_does_not_rule() {
    let mut world = deal(
        r#"
        @seller deal.deliver {"deal": "$deal", "body": "x"} => ok
        @buyer deal.dispute {"deal": "$deal", "reason": "x"} => ok
        "#,
    );
    // As such deals were agreed before.
    let second = world.agent("@second");
    let mut id = None;
    world.state.deals.for_each(|deal, _| id = Some(*deal));
    let changes = &mut world.state.changes;
    world
        .state
        .deals
        .modify(&id.unwrap(), changes, |d| d.bargain.arbiter = Some(second));
    world.run(
        r#"
        @second deal.rule {"deal": "$deal", "to_seller": "10", "reason": "mine"} => RLT0511
        operator deal.rule {"deal": "$deal", "to_seller": "2", "reason": "x"} => ok
        "#,
    );
}

#[test]
fn a_review_is_long_enough_to_look() {
    let open = |who: &str, with: &str, review: u64, rule: u64, outcome: &str| {
        format!(
            r#"{who} negotiation.open {{"with": "{with}", "side": "sell", "terms": {{"price": "4", "review_within_ms": {review}, "rule_within_ms": {rule}}}, "valid_for_ms": 600000}} => {outcome}
"#
        )
    };
    let least = |ms: u64| {
        format!(
            r#"operator policy.set_settings {{"sign_up_open": true, "sign_ups_per_hour": 60, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0, "least_review_ms": {ms}}} => "#
        )
    };
    let hour = 3_600_000;
    table(
        &[
            r#"@seller negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "4", "review_within_ms": 1}, "valid_for_ms": 600000} => RLT0518 review_within_ms must be at least 3600000 milliseconds
            "#
            .into(),
            open(
                "@seller",
                "@buyer",
                1,
                hour,
                "RLT0518 review_within_ms must be at least 3600000",
            ),
            open("@seller", "@buyer", hour - 1, hour, "RLT0518"),
            open(
                "@seller",
                "@buyer",
                hour,
                hour - 1,
                "RLT0518 rule_within_ms must be at least 3600000",
            ),
            open("@seller", "@buyer", hour, hour, "ok"),
            // an owner's own agents may be as quick as they like
            open("@seller", "@second", 1, 1, "ok"),
            least(7_776_000_001) + "RLT0009\n",
            least(0) + "RLT0009\n",
            least(60_000) + "ok\n",
            open("@seller", "@buyer", 59_999, hour, "RLT0518"),
            open("@seller", "@buyer", 60_000, 60_000, "ok"),
        ]
        .concat(),
    );
}

#[test]
fn an_empty_delivery_is_none_and_a_dispute_in_the_last_moment_wins() {
    for empty in ["", " ", "\\n\\t "] {
        deal(&format!(
            r#"
            @seller deal.deliver {{"deal": "$deal", "body": "{empty}"}} => RLT0516
            deal $deal agreed
            @seller deal.deliver {{"deal": "$deal", "body": "."}} => ok
            "#
        ));
    }
    deal(
        r#"
        @seller deal.deliver {"deal": "$deal", "body": "x"} => ok
        // the clock has ticked at the deadline, and the dispute still wins
        wait +1d
        @buyer deal.dispute {"deal": "$deal", "reason": "x"} => ok
        "#,
    );
    deal(
        r#"
        @seller deal.deliver {"deal": "$deal", "body": "x"} => ok
        wait +1d
        time +1ms
        @buyer deal.dispute {"deal": "$deal", "reason": "x"} => RLT0510
        tick
        deal $deal settled
        "#,
    );
}

/// Terms that promise a number of an item.
fn of(item: &str, quantity: u32) -> String {
    format!(
        r#""terms": {{"price": "1", "lines": [{{"item": "{item}", "quantity": {quantity}}}]}}, "valid_for_ms": 600000"#
    )
}

fn listing(item: &str, quantity: u32) -> String {
    format!(
        r#"@seller listing.publish {{"terms": {{"title": "t", "items": [{{"name": "{item}", "price": "1", "quantity": {quantity}}}]}}}} => "#
    )
}

#[test]
fn stock_is_stock_however_the_offer_came_about() {
    let one = of("Lute", 1);
    let mut lines = listing("lute", 1) + "ok $l\n";
    for n in 1..=3 {
        lines += &format!(
            r#"@buyer call.open {{"body": "a lute", "invite": ["@seller"], "open_for_ms": 600000}} => ok $c{n}
            @seller call.propose {{"call": "$c{n}", {one}}} => ok $n{n}
            "#
        );
    }
    lines += &format!(
        r#"
        @buyer negotiation.open {{"with": "@seller", "side": "buy", {one}}} => ok $direct
        @buyer negotiation.accept {{"negotiation": "$n1", "offer": "$n1.offer"}} => ok $deal
        @buyer negotiation.accept {{"negotiation": "$n2", "offer": "$n2.offer"}} => RLT0515 Lute: 0 left, the lines take 1
        @seller negotiation.accept {{"negotiation": "$direct", "offer": "$direct.offer"}} => RLT0515
        @buyer call.open {{"body": "x", "invite": ["@seller"], "open_for_ms": 600000}} => ok $c4
        @seller call.propose {{"call": "$c4", {one}}} => RLT0515
        // what comes to nothing is for sale again, once
        @seller deal.refund {{"deal": "$deal"}} => ok
        @buyer negotiation.accept {{"negotiation": "$n3", "offer": "$n3.offer"}} => ok
        @seller negotiation.accept {{"negotiation": "$direct", "offer": "$direct.offer"}} => RLT0515
        // a listing that is gone bounds nothing
        @seller listing.withdraw {{"listing": "$l"}} => ok
        @seller negotiation.accept {{"negotiation": "$direct", "offer": "$direct.offer"}} => ok
        "#
    );
    table(&lines);
}

#[test]
fn a_sellers_listings_together_are_its_stock() {
    let open = |more: &str, quantity: u32, outcome: &str| {
        let terms = of("lute", quantity);
        format!(
            r#"@buyer negotiation.open {{"with": "@seller", "side": "buy"{more}, {terms}}} => {outcome}
"#
        )
    };
    let propose = |more: &str, quantity: u32, outcome: &str| {
        let terms = of("lute", quantity);
        format!(
            r#"@buyer call.open {{"body": "x", "invite": ["@seller"], "open_for_ms": 600000}} => ok $c
            @seller call.propose {{"call": "$c"{more}, {terms}}} => {outcome}
"#
        )
    };
    let (new, theirs) = (r#", "listing": "$new""#, r#", "listing": "$theirs""#);
    table(
        &[
            listing("lute", 2) + "ok $old\n",
            listing("Lute", 3) + "ok $new\n",
            r#"@second listing.publish {"terms": {"title": "t"}} => ok $theirs
            "#
            .into(),
            open("", 6, "RLT0515 lute: 5 left"),
            // what is about a listing takes of that one alone
            open(new, 4, "RLT0515 lute: 3 left"),
            open(new, 3, "ok"),
            propose(new, 4, "RLT0515 lute: 3 left"),
            propose(new, 3, "ok"),
            propose(theirs, 1, "RLT0103"),
            // the older listing's go first
            open("", 4, "ok $n"),
            r#"@seller negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $deal
            @seller listing.withdraw {"listing": "$old"} => ok
            "#
            .into(),
            open("", 2, "RLT0515 lute: 1 left"),
            // the two of the new one come back, those of the withdrawn do not
            "@seller deal.refund {\"deal\": \"$deal\"} => ok\n".into(),
            open("", 3, "ok"),
            open("", 4, "RLT0515"),
            // another seller's stock is another's
            open("", 4, "ok").replace("@seller", "@second"),
        ]
        .concat(),
    );
}

#[test]
fn a_line_is_about_at_least_one() {
    let none = of("lute", 0);
    table(&format!(
        r#"
        @buyer negotiation.open {{"with": "@seller", "side": "buy", {none}}} => RLT0519 lute
        @buyer negotiation.open {{"with": "@seller", "side": "buy", {one}}} => ok $n
        @seller negotiation.counter {{"negotiation": "$n", {none}}} => RLT0519
        @buyer call.open {{"body": "x", "wanted": [{{"item": "lute", "quantity": 0}}], "invite": ["@seller"], "open_for_ms": 600000}} => RLT0519
        @buyer call.open {{"body": "x", "invite": ["@seller"], "open_for_ms": 600000}} => ok $c
        @seller call.propose {{"call": "$c", {none}}} => RLT0519
        "#,
        one = of("lute", 1),
    ));
}

#[test]
fn a_funded_offer_holds_its_money_until_it_ends_or_a_deal_takes_it_over() {
    let fund = |price: u32, name: &str, outcome: &str| {
        format!(
            r#"@buyer negotiation.open {{"with": "@seller", "side": "buy", "terms": {{"price": "{price}"}}, "valid_for_ms": 600000, "fund": true}} => {outcome} ${name} ${name}_hold
"#
        )
    };
    table(
        &[
            fund(60, "n", "ok"),
            r#"balance @buyer 100.00 pending 60.00
            @buyer ledger.transfer {"transfers": [{"void_hold": {"hold": "$n_hold"}}]} => RLT0410
            @buyer ledger.capture {"hold": "$n_hold", "amount": "1"} => RLT0410
            @buyer ledger.raise {"hold": "$n_hold", "amount": "1"} => RLT0410
            // five offers of one purse cannot all be funded
            @buyer negotiation.open {"with": "@second", "side": "buy", "terms": {"price": "60"}, "valid_for_ms": 600000, "fund": true} => RLT0401 40.00 available, 60.00 needed
            @seller negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $deal $task $hold
            balance @buyer 100.00 pending 60.00
            balance @seller 0.00 incoming 60.00
            hold $n_hold open
            @seller deal.deliver {"deal": "$deal", "body": "x"} => ok
            @buyer deal.accept {"deal": "$deal"} => ok
            hold $n_hold gone
            balance @buyer 40.00 pending 0.00
            balance @seller 60.00 incoming 0.00
            "#.into(),
            // countered, left, expired: it comes back
            fund(10, "n", "ok"),
            r#"@seller negotiation.counter {"negotiation": "$n", "terms": {"price": "12"}, "valid_for_ms": 600000, "fund": true} => RLT0001
            @seller negotiation.counter {"negotiation": "$n", "terms": {"price": "12"}, "valid_for_ms": 600000} => ok
            balance @buyer 40.00 pending 0.00
            @buyer negotiation.counter {"negotiation": "$n", "terms": {"price": "11"}, "valid_for_ms": 600000, "fund": true} => ok
            balance @buyer 40.00 pending 11.00
            @buyer negotiation.leave {"negotiation": "$n"} => ok
            balance @buyer 40.00 pending 0.00
            "#.into(),
            fund(10, "n", "ok"),
            "wait +10m\nnegotiation $n expired\nbalance @buyer 40.00 pending 0.00\n".into(),
            // lost to another proposal, or with its call
            r#"@buyer call.open {"body": "x", "invite": ["@seller", "@second"], "open_for_ms": 600000} => ok $c
            @seller call.propose {"call": "$c", "terms": {"price": "9"}, "valid_for_ms": 600000} => ok $a
            @second call.propose {"call": "$c", "terms": {"price": "8"}, "valid_for_ms": 600000} => ok $b
            @buyer negotiation.counter {"negotiation": "$a", "terms": {"price": "7"}, "valid_for_ms": 600000, "fund": true} => ok
            @buyer negotiation.counter {"negotiation": "$b", "terms": {"price": "6"}, "valid_for_ms": 600000, "fund": true} => ok
            balance @buyer 40.00 pending 13.00
            @second negotiation.accept {"negotiation": "$b", "offer": "$b.offer"} => ok
            negotiation $a lost
            balance @buyer 40.00 pending 6.00
            // the stop switch stops a deal, and an admin gets the money back
            "#.into(),
            fund(10, "n", "ok"),
            r#"ann identity.suspend {"subject": {"agent": "@buyer"}} => ok
            @seller negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => RLT0105
            ann/@buyer negotiation.leave {"negotiation": "$n"} => ok
            balance @buyer 40.00 pending 6.00
            "#.into(),
        ]
        .concat(),
    );
}

#[test]
fn a_funded_offer_counts_once_against_allowances() {
    table(
        r#"
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "per_period": "10", "approval_above": "8"} => ok
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "9"}, "valid_for_ms": 600000, "fund": true} => ok $appr
        spent @buyer 0.00
        // parked, it holds nothing; approved, it goes out funded
        ann policy.answer_approval {"approval": "$appr", "approve": true} => ok $n
        spent @buyer 9.00
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "2"}, "valid_for_ms": 600000, "fund": true} => RLT0402 per_period of agent_
        @seller negotiation.leave {"negotiation": "$n"} => ok
        spent @buyer 0.00
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "8"}, "valid_for_ms": 600000, "fund": true} => ok $n
        spent @buyer 8.00
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "3"}, "valid_for_ms": 600000, "fund": true} => RLT0402 per_period of agent_
        @seller negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $deal
        spent @buyer 8.00
        @seller deal.refund {"deal": "$deal"} => ok
        spent @buyer 0.00
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "8"}, "valid_for_ms": 600000, "fund": true} => ok $n
        @seller negotiation.leave {"negotiation": "$n"} => ok
        spent @buyer 0.00
        "#,
    );
}

#[test]
fn a_seller_may_take_funded_offers_only() {
    let offer = |who: &str, more: &str, outcome: &str| {
        format!(
            r#"@buyer negotiation.open {{"with": "{who}", "side": "buy", "terms": {{"price": "1"}}, "valid_for_ms": 600000{more}}} => {outcome}
"#
        )
    };
    let fund = r#", "fund": true"#;
    table(
        &[
            // one listing's affair, also in a later offer
            r#"@seller listing.publish {"terms": {"title": "t", "funded_offers_only": true}} => ok $l
            "#.into(),
            offer("@seller", "", "ok"),
            offer("@seller", r#", "listing": "$l""#, "RLT0520"),
            offer("@seller", r#", "listing": "$l", "fund": true"#, "ok $n"),
            r#"@seller negotiation.counter {"negotiation": "$n", "terms": {"price": "2"}, "valid_for_ms": 600000} => ok
            @buyer negotiation.counter {"negotiation": "$n", "terms": {"price": "1"}, "valid_for_ms": 600000} => RLT0520
            @buyer negotiation.counter {"negotiation": "$n", "terms": {"price": "1"}, "valid_for_ms": 600000, "fund": true} => ok
            @seller listing.update {"listing": "$l", "terms": {"title": "t"}} => ok
            "#.into(),
            offer("@seller", r#", "listing": "$l""#, "ok"),
            // or the agent's policy, for calls too
            r#"@second agent.set_profile {"agent": "@second", "profile": {"contact": "open", "funded_offers_only": true}} => ok
            "#.into(),
            offer("@second", "", "RLT0520"),
            offer("@second", fund, "ok"),
            r#"@buyer call.open {"body": "x", "invite": ["@second"], "open_for_ms": 600000} => ok $c
            @second call.propose {"call": "$c", "terms": {"price": "9"}, "valid_for_ms": 600000} => ok $p
            @buyer negotiation.counter {"negotiation": "$p", "terms": {"price": "8"}, "valid_for_ms": 600000} => RLT0520
            @buyer negotiation.accept {"negotiation": "$p", "offer": "$p.offer"} => ok
            @second agent.set_profile {"agent": "@second", "profile": {"contact": "open"}} => ok
            "#.into(),
            offer("@second", "", "ok"),
        ]
        .concat(),
    );
}

/// A remedy that says what the detail says is held by a table that reads the detail.
#[test]
fn remedies_that_promise_a_detail_keep_it() {
    let tables = [
        include_str!("../ledger/tests.rs"),
        include_str!("tests.rs"),
        include_str!("tests_guard.rs"),
        include_str!("tests_trust.rs"),
        include_str!("../policy/tests.rs"),
    ]
    .concat();
    let read = |code: Code| {
        let code = format!(" => {code} ");
        let details = tables.lines().filter_map(|l| l.split_once(&code));
        details.into_iter().any(|(_, detail)| detail.trim() != "-")
    };
    let money_and_market = |code: &&Code| (401..600).contains(&(**code as u16));
    let promising: Vec<Code> = (Code::ALL.iter().filter(money_and_market).copied())
        .filter(|code| code.remedy().contains("the detail"))
        .collect();
    assert!(promising.len() >= 10, "{promising:?}");
    let broken: Vec<&Code> = promising.iter().filter(|code| !read(**code)).collect();
    assert!(broken.is_empty(), "{broken:?}");
}

//! What tokens with a scope may do, and what they may spend.

use crate::command::Command;
use crate::identity::Need;
use crate::spec::{World, check};

#[test]
fn a_token_is_for_what_its_scope_names() {
    check(
        r#"
        owner ann
        owner bob
        agent ann @casa
        agent bob @dora
        fund @casa 10
        @casa token.issue {"subject": {"agent": "@casa"}, "may": ["models"]} => ok $models
        @casa token.issue {"subject": {"agent": "@casa"}, "may": ["read", "read_mail"]} => ok $read
        @casa token.issue {"subject": {"agent": "@casa"}, "may": ["mail"]} => ok $mail
        @casa token.issue {"subject": {"agent": "@casa"}, "may": ["trade", "trade"]} => ok $trade
        ann token.issue {"subject": {"agent": "@casa"}, "may": ["post", "work"]} => ok $post
        // a key for model calls moves no money
        @casa#models ledger.transfer {"transfers": [{"post": {"from": "@casa", "to": "@dora", "amount": "1"}}]} => RLT0134 it needs a token for trade; this one is for models
        @casa#read ledger.transfer {"transfers": [{"post": {"from": "@casa", "to": "@dora", "amount": "1"}}]} => RLT0134
        @casa#mail ledger.transfer {"transfers": [{"post": {"from": "@casa", "to": "@dora", "amount": "1"}}]} => RLT0134
        @casa#post ledger.transfer {"transfers": [{"post": {"from": "@casa", "to": "@dora", "amount": "1"}}]} => RLT0134
        @casa#trade ledger.transfer {"transfers": [{"post": {"from": "@casa", "to": "@dora", "amount": "1"}}]} => ok
        @casa#trade mail.send {"to": {"agent": "@dora"}, "body": "hello"} => RLT0134
        @casa#read mail.send {"to": {"agent": "@dora"}, "body": "hello"} => RLT0134
        @casa#mail mail.send {"to": {"agent": "@dora"}, "body": "hello"} => ok
        @casa#mail social.post {"body": "hello"} => RLT0134
        @casa#post social.post {"body": "hello"} => ok
        // no scope reaches its holder, its owner, or other tokens
        @casa#trade agent.set_profile {"agent": "@casa", "profile": {}} => RLT0134 it needs a token for everything; this one is for trade
        @casa#trade token.issue {"subject": {"agent": "@casa"}} => RLT0134
        @casa#trade token.revoke {"token": "$models"} => RLT0134
        @casa#trade policy.set_block {"by": {"agent": "@casa"}, "party": {"agent": "@dora"}, "block": true} => RLT0134
        // what takes nothing away is no scope; what says nothing is refused
        @casa token.issue {"subject": {"agent": "@casa"}, "may": []} => RLT0001
        @casa token.issue {"subject": {"agent": "@casa"}, "may": ["read"], "up_to": {"asset": "USD", "amount": "1"}} => RLT0001
        @casa token.issue {"subject": {"agent": "@casa"}, "up_to": {"asset": "USD", "amount": "1"}} => RLT0001
        @casa token.issue {"subject": {"agent": "@casa"}, "from": ["10.0.0.0/8"]} => ok $placed
        @casa#placed agent.set_profile {"agent": "@casa", "profile": {}} => ok
        "#,
    );
}

#[test]
fn a_persons_token_may_be_for_less_than_the_person() {
    check(
        r#"
        owner ann
        owner bob
        agent ann @casa
        agent bob @dora
        ann token.issue {"subject": {"person": "$ann_id"}, "may": ["mail"]} => ok $mail
        ann/@casa#mail mail.send {"to": {"agent": "@dora"}, "body": "hello"} => ok
        ann#mail agent.move {"agent": "@casa"} => RLT0134
        ann#mail policy.set_allowance {"node": {"agent": "@casa"}, "per_deal": "1"} => RLT0134
        "#,
    );
}

#[test]
fn a_token_spends_up_to_its_limit_in_all() {
    check(
        r#"
        owner ann
        owner bob
        agent ann @casa
        agent bob @dora
        fund @casa 100
        @casa token.issue {"subject": {"agent": "@casa"}, "may": ["trade"], "up_to": {"asset": "USD", "amount": "10"}} => ok $t
        @casa#t ledger.transfer {"transfers": [{"post": {"from": "@casa", "to": "@dora", "amount": "10.01"}}]} => RLT0135 0.00 of 10.00 USD are spent
        @casa#t ledger.transfer {"transfers": [{"post": {"from": "@casa", "to": "@dora", "amount": "4"}}]} => ok
        // within one command too, and holds count when they are made
        @casa#t ledger.transfer {"transfers": [{"post": {"from": "@casa", "to": "@dora", "amount": "3"}}, {"post": {"from": "@casa", "to": "@dora", "amount": "3.01"}}]} => RLT0135 7.00 of 10.00 USD are spent
        @casa#t ledger.transfer {"transfers": [{"hold": {"from": "@casa", "to": "@dora", "amount": "5", "expires_in_ms": 600000}}]} => ok $h
        @casa#t ledger.transfer {"transfers": [{"post": {"from": "@casa", "to": "@dora", "amount": "1.01"}}]} => RLT0135 9.00 of 10.00 USD are spent
        // what comes back does not count against it
        @dora ledger.transfer {"transfers": [{"void_hold": {"hold": "$h"}}]} => ok
        @casa#t ledger.transfer {"transfers": [{"post": {"from": "@casa", "to": "@dora", "amount": "1.01"}}]} => RLT0135
        @casa#t ledger.transfer {"transfers": [{"post": {"from": "@casa", "to": "@dora", "amount": "1"}}]} => ok
        @casa ledger.transfer {"transfers": [{"post": {"from": "@casa", "to": "@dora", "amount": "50"}}]} => ok
        // others' money is not its to spend, and does not count
        @dora ledger.transfer {"transfers": [{"post": {"from": "@dora", "to": "@casa", "amount": "1"}}]} => ok
        "#,
    );
}

#[test]
fn a_buyers_offer_counts_when_it_is_made() {
    check(
        r#"
        owner ann
        owner bob
        agent ann @casa
        agent bob @dora
        fund @casa 100
        @casa token.issue {"subject": {"agent": "@casa"}, "may": ["trade"], "up_to": {"asset": "USD", "amount": "10"}} => ok $t
        @dora token.issue {"subject": {"agent": "@dora"}, "may": ["trade"], "up_to": {"asset": "USD", "amount": "1"}} => ok $s
        @casa#t negotiation.open {"with": "@dora", "side": "buy", "valid_for_ms": 600000, "terms": {"price": "11"}} => RLT0135
        @casa#t negotiation.open {"with": "@dora", "side": "buy", "valid_for_ms": 600000, "terms": {"price": "6"}} => ok $n
        // the seller's yes spends the buyer's money, not what the seller's token may spend
        @dora#s negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok
        @casa#t negotiation.open {"with": "@dora", "side": "buy", "valid_for_ms": 600000, "terms": {"price": "4.01"}} => RLT0135 6.00 of 10.00 USD are spent
        @casa#t negotiation.open {"with": "@dora", "side": "buy", "valid_for_ms": 600000, "terms": {"price": "4"}, "fund": true} => ok
        @casa#t ledger.transfer {"transfers": [{"post": {"from": "@casa", "to": "@dora", "amount": "0.01"}}]} => RLT0135
        "#,
    );
}

#[test]
fn a_replaced_token_goes_on_for_a_while_and_shares_the_limit() {
    check(
        r#"
        owner ann
        owner bob
        agent ann @casa
        agent bob @dora
        fund @casa 100
        @casa token.issue {"subject": {"agent": "@casa"}, "may": ["trade"], "up_to": {"asset": "USD", "amount": "10"}} => ok $old
        @casa#old ledger.transfer {"transfers": [{"post": {"from": "@casa", "to": "@dora", "amount": "4"}}]} => ok
        // a token replaces itself, and no other
        @casa#old token.rotate {"overlap_ms": 3600000} => ok $new
        @casa#old token.rotate {} => RLT0137
        @casa#new token.rotate {"token": "$old"} => RLT0134
        bob token.rotate {"token": "$new"} => RLT0103
        @casa token.rotate {"token": "$new", "overlap_ms": 0} => RLT0009
        @casa token.rotate {"token": "$new", "overlap_ms": 2592000001} => RLT0009
        // both spend from what was left
        @casa#new ledger.transfer {"transfers": [{"post": {"from": "@casa", "to": "@dora", "amount": "3"}}]} => ok
        @casa#old ledger.transfer {"transfers": [{"post": {"from": "@casa", "to": "@dora", "amount": "3.01"}}]} => RLT0135 7.00 of 10.00 USD are spent
        @casa#old ledger.transfer {"transfers": [{"post": {"from": "@casa", "to": "@dora", "amount": "2"}}]} => ok
        @casa#new ledger.transfer {"transfers": [{"post": {"from": "@casa", "to": "@dora", "amount": "1.01"}}]} => RLT0135 9.00 of 10.00 USD are spent
        // the new one may do no more than the old one
        @casa#new mail.send {"to": {"agent": "@dora"}, "body": "hello"} => RLT0134
        time +61m
        tick
        @casa#old ledger.transfer {"transfers": [{"post": {"from": "@casa", "to": "@dora", "amount": "1"}}]} => RLT0106
        @casa#new ledger.transfer {"transfers": [{"post": {"from": "@casa", "to": "@dora", "amount": "1"}}]} => ok
        "#,
    );
}

#[test]
fn an_old_token_spends_nothing_once_the_new_one_has_ended() {
    check(
        r#"
        owner ann
        owner bob
        agent ann @casa
        agent bob @dora
        fund @casa 100
        @casa token.issue {"subject": {"agent": "@casa"}, "may": ["trade"], "up_to": {"asset": "USD", "amount": "10"}} => ok $old
        ann token.rotate {"token": "$old"} => ok $new
        ann token.revoke {"token": "$new"} => ok
        @casa#old ledger.transfer {"transfers": [{"post": {"from": "@casa", "to": "@dora", "amount": "1"}}]} => RLT0135 the token that replaced it has ended
        "#,
    );
}

#[test]
fn a_token_that_ends_sooner_than_the_overlap_ends_when_it_would_have() {
    let mut world = World::new();
    world.run(
        r#"
        owner ann
        agent ann @casa
        @casa token.issue {"subject": {"agent": "@casa"}, "expires_in_ms": 600000} => ok $old
        @casa#old token.rotate {} => ok $new
        time +11m
        tick
        @casa#old agent.set_profile {"agent": "@casa", "profile": {}} => RLT0106
        @casa#new agent.set_profile {"agent": "@casa", "profile": {}} => RLT0106
        "#,
    );
    world.settle();
}

#[test]
fn what_a_token_issues_for_its_holder_ends_no_later_and_with_a_leak() {
    check(
        r#"
        owner ann
        agent ann @casa
        // not longer than the token that issues it
        @casa token.issue {"subject": {"agent": "@casa"}, "expires_in_ms": 600000} => ok $short
        @casa#short token.issue {"subject": {"agent": "@casa"}} => ok $child
        @casa#child token.issue {"subject": {"agent": "@casa"}, "expires_in_ms": 86400000} => ok $grandchild
        // an admin's token issues an agent's as it likes
        ann token.issue {"subject": {"person": "$ann_id"}, "expires_in_ms": 600000} => ok $admin
        ann#admin token.issue {"subject": {"agent": "@casa"}} => ok $free
        time +11m
        tick
        @casa#child agent.set_profile {"agent": "@casa", "profile": {}} => RLT0106
        @casa#grandchild agent.set_profile {"agent": "@casa", "profile": {}} => RLT0106
        @casa#free agent.set_profile {"agent": "@casa", "profile": {}} => ok
        // whoever read a token may have issued more with it
        ann token.issue {"subject": {"agent": "@casa"}} => ok $seen
        @casa#seen token.issue {"subject": {"agent": "@casa"}} => ok $one
        @casa#one token.issue {"subject": {"agent": "@casa"}} => ok $two
        @casa#seen token.rotate {} => ok $three
        clock token.end_leaked {"token": "$seen"} => ok
        @casa#one agent.set_profile {"agent": "@casa", "profile": {}} => RLT0106
        @casa#two agent.set_profile {"agent": "@casa", "profile": {}} => RLT0106
        @casa#three agent.set_profile {"agent": "@casa", "profile": {}} => RLT0106
        @casa#free agent.set_profile {"agent": "@casa", "profile": {}} => ok
        // revoking leaves them, or takes them along
        ann token.issue {"subject": {"agent": "@casa"}} => ok $four
        @casa#four token.issue {"subject": {"agent": "@casa"}} => ok $five
        @casa#five token.issue {"subject": {"agent": "@casa"}} => ok $six
        ann token.revoke {"token": "$four"} => ok
        @casa#five agent.set_profile {"agent": "@casa", "profile": {}} => ok
        ann token.revoke {"token": "$five", "with_issued": true} => ok
        @casa#six agent.set_profile {"agent": "@casa", "profile": {}} => RLT0106
        "#,
    );
}

#[test]
fn every_operation_says_what_a_token_needs_for_it() {
    for op in Command::<()>::OPS {
        let needs = match Command::<()>::need_of(op).unwrap() {
            Need::Everything => "everything",
            Need::Judged => "judged",
            Need::All(rights) => rights.names().next().unwrap(),
        };
        let wanted = match op.split_once('.').unwrap().0 {
            _ if *op == "token.rotate" => "judged",
            _ if *op == "moderation.appeal" => "post",
            "mail" => "mail",
            "task" | "team" | "usage" => "work",
            "social" => "post",
            "community" if *op != "community.appoint" => "post",
            "call" | "deal" | "listing" | "negotiation" => "trade",
            _ if *op == "inference.reserve" => "models",
            "ledger" if !OPERATORS.contains(op) => "trade",
            _ => "everything",
        };
        assert_eq!(needs, wanted, "{op}");
    }
}

/// What moves money as only the operator may.
const OPERATORS: [&str; 3] = ["ledger.create_asset", "ledger.issue", "ledger.correct"];

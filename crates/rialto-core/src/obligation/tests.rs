//! The rules of obligations as tables.

use crate::spec::check;

const PEOPLE: &str = r#"
    owner ann
    owner bob
    agent ann @buyer
    agent bob @seller
    operator service.create {"name": "pay", "grants": ["payments"]} => ok
    fund @buyer 100.00
"#;

fn table(lines: &str) {
    check(&[PEOPLE, lines].concat());
}

#[test]
fn a_withdrawal_is_owed_until_its_payment_service_has_reported() {
    table(
        r#"
        @buyer ledger.withdraw {"from": "@buyer", "amount": "30", "reference": "iban"} => ok $w $o
        owed $o open/0
        // the same withdrawal is owed once
        @buyer ledger.withdraw {"from": "@buyer", "amount": "30", "reference": "iban"} => dup $w
        pay ledger.end_withdrawal {"hold": "$w", "paid": true} => ok
        owed $o gone
        @buyer ledger.withdraw {"from": "@buyer", "amount": "20", "reference": "iban/2"} => ok $w $o
        pay ledger.end_withdrawal {"hold": "$w", "paid": false} => ok
        owed $o gone
        balance @buyer 70.00 pending 0.00
        "#,
    );
}

#[test]
fn the_payment_service_reports_what_failed_and_the_operator_decides() {
    table(
        r#"
        @buyer ledger.withdraw {"from": "@buyer", "amount": "30", "reference": "iban"} => ok $w $o
        pay obligation.failed {"obligation": "$o", "why": "the bank is closed"} => ok
        owed $o open/1
        // money is owed for ever
        wait +400d
        owed $o open/1
        // nobody else reports, retries or drops
        @buyer obligation.failed {"obligation": "$o", "why": "no"} => RLT0101
        ann obligation.drop {"obligation": "$o"} => RLT0101
        ann obligation.retry {"obligation": "$o"} => RLT0101
        pay obligation.drop {"obligation": "$o"} => RLT0101
        pay obligation.done {"obligation": "$o"} => RLT0101
        operator obligation.done {"obligation": "$o"} => RLT0101
        operator obligation.retry {"obligation": "$o"} => ok
        owed $o open/0
        // dropped, its money goes back
        operator obligation.drop {"obligation": "$o"} => ok
        owed $o gone
        balance @buyer 100.00 pending 0.00
        pay ledger.end_withdrawal {"hold": "$w", "paid": true} => RLT0406
        operator obligation.drop {"obligation": "$o"} => RLT0103
        "#,
    );
}

#[test]
fn what_begins_to_wait_is_owed_once_until_it_is_done() {
    table(
        r#"
        clock obligation.notice {"owners": ["$ann", "$ann"], "operator": true, "position": 9} => ok $a $b
        owed $a open/0
        owed $b open/0
        // what begins to wait meanwhile is covered by what is owed already
        clock obligation.notice {"owners": ["$ann", "$bob"], "operator": false, "position": 12} => ok $c
        owed $c open/0
        clock obligation.done {"obligation": "$b"} => ok
        clock obligation.done {"obligation": "$b"} => RLT0103
        clock obligation.notice {"owners": ["$ann"], "operator": false, "position": 14} => ok
        // a payment service has no business with it
        pay obligation.failed {"obligation": "$a", "why": "no"} => RLT0103
        // nor has anybody else with what is noticed
        operator obligation.notice {"owners": ["$ann"], "operator": false, "position": 15} => RLT0101
        @buyer obligation.notice {"owners": [], "operator": true, "position": 15} => RLT0101
        "#,
    );
}

#[test]
fn a_notification_dies_with_its_time_is_tried_anew_for_what_is_new_and_is_forgotten_in_the_end() {
    table(
        r#"
        clock obligation.notice {"owners": ["$ann"], "operator": true, "position": 9} => ok $o $a
        clock obligation.failed {"obligation": "$a", "why": "connection refused"} => ok
        owed $a open/1
        wait +25h
        owed $a dead
        owed $o dead
        clock obligation.failed {"obligation": "$a", "why": "connection refused"} => RLT0801
        // something new waits
        clock obligation.notice {"owners": ["$ann"], "operator": false, "position": 20} => ok
        owed $a open/0
        wait +25h
        owed $a dead
        operator obligation.retry {"obligation": "$a"} => ok
        owed $a open/0
        wait +25h
        wait +29d
        owed $a dead
        owed $o gone
        wait +2d
        owed $a gone
        "#,
    );
}

#[test]
fn after_its_last_attempt_an_obligation_is_dead() {
    let mut lines = std::string::String::from(
        "clock obligation.notice {\"owners\": [], \"operator\": true, \"position\": 9} => ok $a\n",
    );
    for attempt in 1..=crate::limits::OBLIGATION_ATTEMPTS {
        lines.push_str(
            "clock obligation.failed {\"obligation\": \"$a\", \"why\": \"refused\"} => ok\n",
        );
        if attempt < crate::limits::OBLIGATION_ATTEMPTS {
            lines.push_str(&std::format!("owed $a open/{attempt}\n"));
        }
    }
    lines.push_str("owed $a dead\n");
    table(&lines);
}

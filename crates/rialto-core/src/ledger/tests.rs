//! The ledger's rules as tables.

use crate::spec::{World, check};

const PEOPLE: &str = r#"
    owner ann
    owner bob
    agent ann @buyer
    agent ann @buyer2
    agent bob @seller
    fund @buyer 100.00
"#;

fn table(lines: &str) {
    check(&[PEOPLE, lines].concat());
}

#[test]
fn transfers_move_money_between_accounts() {
    table(
        r#"
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "30"}}]} => ok $x
        balance @buyer 70.00
        balance @seller 30.00
        // never past the balance, never a third party's, never without an account
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "70.000000001"}}]} => RLT0401
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@seller", "to": "@buyer", "amount": "1"}}]} => RLT0101
        @buyer2 ledger.transfer {"transfers": [{"post": {"from": "@buyer2", "to": "@buyer", "amount": "1"}}]} => RLT0401
        @buyer ledger.transfer {"transfers": [{"post": {"from": "acct_000000000000", "to": "@buyer2", "amount": "1"}}]} => RLT0403
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@buyer", "amount": "1"}}]} => RLT0409
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@nobody", "amount": "1"}}]} => RLT0103
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "1", "asset": "EUR"}}]} => RLT0404
        @buyer ledger.transfer {"transfers": []} => RLT0001
        // amounts are positive decimals that fit the asset
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "0"}}]} => RLT0008
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "-1"}}]} => RLT0008
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "0.0000000001"}}]} => RLT0008
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "99999999999999999999999999999999"}}]} => RLT0008
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": 5}}]} => malformed
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "5", "fee": "1"}}]} => malformed
        balance @buyer 70.00
        balance @seller 30.00
        // an admin of the owner may spend, a stranger's admin may not
        ann ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@buyer2", "amount": "1"}}]} => ok
        bob ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "1"}}]} => RLT0101
        operator ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "1"}}]} => RLT0101
        "#,
    );
}

#[test]
fn a_linked_batch_is_all_or_nothing_and_its_entries_build_on_each_other() {
    table(
        r#"
        // the second entry spends what the first brings
        ann ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@buyer2", "amount": "100"}}, {"post": {"from": "@buyer2", "to": "@seller", "amount": "100"}}]} => ok
        balance @buyer 0.00
        balance @buyer2 0.00
        balance @seller 100.00
        @seller ledger.transfer {"transfers": [{"post": {"from": "@seller", "to": "@buyer", "amount": "60"}}, {"post": {"from": "@seller", "to": "@buyer", "amount": "60"}}]} => RLT0401
        balance @seller 100.00
        // a hold made in a batch cannot be named in it, one made before is resolved once
        @seller ledger.transfer {"transfers": [{"hold": {"from": "@seller", "to": "@buyer", "amount": "10", "expires_in_ms": 60000}}]} => ok $h
        @seller ledger.transfer {"transfers": [{"post_hold": {"hold": "$h"}}, {"void_hold": {"hold": "$h"}}]} => RLT0406
        hold $h open
        @seller ledger.transfer {"transfers": [{"void_hold": {"hold": "$h"}}, {"post": {"from": "@seller", "to": "@buyer", "amount": "100"}}]} => ok
        balance @seller 0.00
        balance @buyer 100.00
        "#,
    );
}

#[test]
fn an_independent_batch_takes_what_it_can() {
    table(
        r#"
        @buyer ledger.transfer {"independent": true, "transfers": [{"post": {"from": "@buyer", "to": "@buyer2", "amount": "60"}}, {"post": {"from": "@buyer", "to": "@seller", "amount": "60"}}, {"post": {"from": "@buyer", "to": "@buyer2", "amount": "40"}}]} => ok $x 1:RLT0401
        balance @buyer 0.00
        balance @buyer2 100.00
        // a refused entry leaves no trace, not even an account
        no-account @seller
        @buyer ledger.transfer {"independent": true, "transfers": [{"post": {"from": "@buyer", "to": "@buyer2", "amount": "60"}}, {"post": {"from": "@buyer", "to": "@nobody", "amount": "60"}}]} => RLT0401
        "#,
    );
}

#[test]
fn holds_are_posted_in_full_or_part_voided_or_expire_and_resolve_once() {
    table(
        r#"
        @buyer ledger.transfer {"transfers": [{"hold": {"from": "@buyer", "to": "@seller", "amount": "40", "expires_in_ms": 600000}}]} => ok $h
        balance @buyer 100.00 pending 40.00
        balance @seller 0.00 incoming 40.00
        // what is pending cannot be spent again
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "60.01"}}]} => RLT0401
        @buyer ledger.transfer {"transfers": [{"hold": {"from": "@buyer", "to": "@seller", "amount": "60.01", "expires_in_ms": 1000}}]} => RLT0401
        @buyer ledger.transfer {"transfers": [{"post_hold": {"hold": "$h", "amount": "40.01"}}]} => RLT0407
        @buyer ledger.transfer {"transfers": [{"post_hold": {"hold": "$h", "amount": "0"}}]} => RLT0008
        // the payee cannot take it, but may give it back; strangers learn nothing of it
        @seller ledger.transfer {"transfers": [{"post_hold": {"hold": "$h"}}]} => RLT0101
        @buyer2 ledger.transfer {"transfers": [{"post_hold": {"hold": "$h"}}]} => RLT0406
        @buyer2 ledger.transfer {"transfers": [{"void_hold": {"hold": "hold_000000000000"}}]} => RLT0406
        @buyer ledger.transfer {"transfers": [{"post_hold": {"hold": "$h", "amount": "15"}}]} => ok
        balance @buyer 85.00 pending 0.00
        balance @seller 15.00 incoming 0.00
        @buyer ledger.transfer {"transfers": [{"post_hold": {"hold": "$h"}}]} => RLT0406
        @buyer ledger.transfer {"transfers": [{"void_hold": {"hold": "$h"}}]} => RLT0406
        @buyer ledger.transfer {"transfers": [{"hold": {"from": "@buyer", "to": "@seller", "amount": "5", "expires_in_ms": 600000}}]} => ok $v
        @seller ledger.transfer {"transfers": [{"void_hold": {"hold": "$v"}}]} => ok
        balance @buyer 85.00 pending 0.00
        @buyer ledger.transfer {"transfers": [{"hold": {"from": "@buyer", "to": "@seller", "amount": "5", "expires_in_ms": 600000}}]} => ok $e
        // over at its time, also before the clock has voided it
        time +10m
        @buyer ledger.transfer {"transfers": [{"post_hold": {"hold": "$e"}}]} => RLT0406
        hold $e open
        tick
        hold $e gone
        balance @buyer 85.00 pending 0.00
        @buyer ledger.transfer {"transfers": [{"hold": {"from": "@buyer", "to": "@seller", "amount": "5", "expires_in_ms": 0}}]} => RLT0009
        @buyer ledger.transfer {"transfers": [{"hold": {"from": "@buyer", "to": "@seller", "amount": "5", "expires_in_ms": 34560000001}}]} => RLT0009
        "#,
    );
}

#[test]
fn money_enters_and_leaves_only_in_the_open() {
    table(
        r#"
        operator service.create {"name": "pay", "grants": ["payments"]} => ok
        operator service.create {"name": "nop", "grants": []} => ok
        @buyer ledger.issue {"to": "@buyer", "amount": "1"} => RLT0101
        operator ledger.issue {"to": "acct_000000000000", "amount": "1", "asset": "USD"} => RLT0403
        pay ledger.deposit {"to": "@seller", "amount": "50", "reference": "bank-1"} => ok
        nop ledger.deposit {"to": "@seller", "amount": "50", "reference": "bank-1"} => RLT0101
        operator ledger.deposit {"to": "@seller", "amount": "50", "reference": "bank-1"} => RLT0101
        balance @seller 50.00
        @seller ledger.withdraw {"from": "@seller", "amount": "50.01", "reference": "iban"} => RLT0401
        @seller ledger.withdraw {"from": "@seller", "amount": "20", "reference": "iban"} => ok $w
        @buyer ledger.withdraw {"from": "@seller", "amount": "1", "reference": "iban"} => RLT0101
        balance @seller 50.00 pending 20.00
        // it is the payment service's to resolve
        @seller ledger.transfer {"transfers": [{"void_hold": {"hold": "$w"}}]} => RLT0410
        @seller ledger.end_withdrawal {"hold": "$w", "paid": false} => RLT0101
        pay ledger.end_withdrawal {"hold": "$w", "paid": true} => ok
        pay ledger.end_withdrawal {"hold": "$w", "paid": true} => RLT0406
        balance @seller 30.00 pending 0.00
        @seller ledger.withdraw {"from": "@seller", "amount": "30", "reference": "iban"} => ok $w
        pay ledger.end_withdrawal {"hold": "$w", "paid": false} => ok
        balance @seller 30.00 pending 0.00
        @seller ledger.transfer {"transfers": [{"hold": {"from": "@seller", "to": "@buyer", "amount": "1", "expires_in_ms": 1000}}]} => ok $h
        pay ledger.end_withdrawal {"hold": "$h", "paid": true} => RLT0406
        "#,
    );
}

#[test]
fn corrections_are_new_entries_by_the_operator() {
    table(
        r#"
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "30"}}]} => ok $x
        @buyer ledger.correct {"transfer": "$x", "from": "@seller", "to": "@buyer", "amount": "30", "reason": "oops"} => RLT0101
        // a correction is no spending, so an allowance does not stand in its way
        bob policy.set_allowance {"node": {"agent": "@seller"}, "per_deal": "1", "per_period": "1"} => ok
        operator ledger.correct {"transfer": "$x", "from": "@seller", "to": "@buyer", "amount": "30", "reason": "oops"} => ok
        balance @buyer 100.00
        balance @seller 0.00
        spent @seller 0.00
        operator ledger.correct {"transfer": "$x", "from": "@seller", "to": "@buyer", "amount": "30", "reason": "again"} => RLT0401
        "#,
    );
}

#[test]
fn accounts_and_assets() {
    table(
        r#"
        ann ledger.create_asset {"code": "EUR", "scale": 2} => RLT0101
        operator ledger.create_asset {"code": "EUR", "scale": 19} => RLT0008
        operator ledger.create_asset {"code": "EUR", "scale": 2} => ok $eur
        operator ledger.create_asset {"code": "EUR", "scale": 2} => RLT0104
        operator ledger.create_asset {"code": "eur", "scale": 2} => malformed
        @buyer ledger.open_account {"holder": "@buyer"} => RLT0408
        @buyer ledger.open_account {"holder": "@buyer", "asset": "EUR"} => ok $eur_account
        @buyer ledger.open_account {"holder": "@buyer", "label": "savings"} => ok $savings
        @buyer ledger.open_account {"holder": "@seller", "label": "mine"} => RLT0101
        @buyer ledger.open_account {"holder": "@buyer", "asset": "XXX"} => RLT0404
        @buyer ledger.open_account {"holder": "$savings"} => RLT0001
        operator ledger.open_account {"holder": "@seller"} => ok
        // assets never mix
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "$eur_account", "amount": "1", "asset": "USD"}}]} => RLT0405
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "$savings", "amount": "1"}}]} => ok
        balance $savings 1.00
        operator ledger.issue {"to": "$eur_account", "amount": "0.001"} => RLT0008
        operator ledger.issue {"to": "$eur_account", "amount": "0.01"} => ok
        "#,
    );
}

#[test]
fn no_balance_can_overflow() {
    table(
        r#"
        operator ledger.create_asset {"code": "BIG", "scale": 0} => ok
        operator ledger.issue {"to": "@seller", "amount": "1267650600228229401496703205377", "asset": "BIG"} => RLT0008
        operator ledger.issue {"to": "@seller", "amount": "1267650600228229401496703205376", "asset": "BIG"} => ok
        operator ledger.issue {"to": "@seller", "amount": "1", "asset": "BIG"} => RLT0411
        operator ledger.issue {"to": "@buyer", "amount": "1", "asset": "BIG"} => RLT0411
        operator service.create {"name": "pay", "grants": ["payments"]} => ok
        pay ledger.deposit {"to": "@seller", "amount": "1", "asset": "BIG", "reference": "r"} => RLT0411
        pay ledger.deposit {"to": "@buyer", "amount": "1267650600228229401496703205376", "asset": "BIG", "reference": "r"} => ok
        // an incoming hold counts as if it were posted
        @buyer ledger.transfer {"transfers": [{"hold": {"from": "@buyer", "to": "@buyer2", "amount": "1267650600228229401496703205376", "asset": "BIG", "expires_in_ms": 1000}}]} => ok $h
        @seller ledger.transfer {"transfers": [{"post": {"from": "@seller", "to": "@buyer2", "amount": "1", "asset": "BIG"}}]} => RLT0411
        @buyer ledger.transfer {"transfers": [{"post_hold": {"hold": "$h"}}]} => ok
        "#,
    );
}

#[test]
fn the_stop_switch_stops_spending_and_loses_nothing() {
    table(
        r#"
        ann team.create {"name": "crew"} => ok $team
        ann team.invite {"team": "$team", "agent": "@seller", "role": "spender"} => ok
        @seller team.join {"team": "$team", "join": true} => ok
        fund $team 10
        @buyer ledger.transfer {"transfers": [{"hold": {"from": "@buyer", "to": "@seller", "amount": "5", "expires_in_ms": 600000}}]} => ok $h
        ann identity.suspend {"subject": {"agent": "@buyer"}} => ok
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "1"}}]} => RLT0105
        ann ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "1"}}]} => RLT0105
        ann ledger.transfer {"transfers": [{"post_hold": {"hold": "$h"}}]} => RLT0105
        balance @buyer 100.00 pending 5.00
        // money still comes in, and holds still expire
        fund @buyer 1
        time +10m
        tick
        balance @buyer 101.00 pending 0.00
        // a suspended owner's team budget is closed to spenders of other owners too
        @seller ledger.transfer {"transfers": [{"post": {"from": "$team", "to": "@seller", "amount": "1"}}]} => ok
        operator identity.suspend {"subject": {"owner": "$ann"}} => ok
        @seller ledger.transfer {"transfers": [{"post": {"from": "$team", "to": "@seller", "amount": "1"}}]} => RLT0105
        operator identity.resume {"subject": {"owner": "$ann"}} => ok
        ann identity.resume {"subject": {"agent": "@buyer"}} => ok
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "101"}}]} => ok
        // whoever acts as an agent has the agent's powers
        bob/@seller ledger.transfer {"transfers": [{"post": {"from": "$team", "to": "@seller", "amount": "1"}}]} => ok
        bob ledger.transfer {"transfers": [{"post": {"from": "$team", "to": "@seller", "amount": "1"}}]} => RLT0103
        bob identity.suspend {"subject": {"agent": "@seller"}} => ok
        bob/@seller ledger.transfer {"transfers": [{"post": {"from": "$team", "to": "@seller", "amount": "1"}}]} => RLT0103
        "#,
    );
}

#[test]
fn a_full_batch_of_transfers_that_each_open_an_account_fits_one_command() {
    let mut world = check(PEOPLE);
    let request = world.request("@buyer").unwrap();
    let spec = |n: usize| {
        std::format!(
            r#"{{"post": {{"from": "@buyer", "to": "@seller", "amount": "0.00{n:04}1"}}}}"#
        )
    };
    let batch = |n: usize| {
        let all: std::vec::Vec<_> = (0..n).map(|i| spec(i % 100)).collect();
        let text = std::format!(
            r#"{{"op": "ledger.transfer", "args": {{"transfers": [{}]}}}}"#,
            all.join(",")
        );
        crate::spec::seal(serde_json::from_str(&text).unwrap())
    };
    let most = crate::limits::TRANSFERS_PER_BATCH;
    world.execute(&request, &batch(most)).unwrap();
    let why = world.execute(&request, &batch(most + 1)).unwrap_err();
    assert_eq!(why.code, crate::reject::Code::TooMany);
    world.settle();
}

#[test]
fn what_cannot_expire_does_not_hold_up_the_rest() {
    let mut world = World::new();
    world.run(
        r#"
        owner ann
        agent ann @aa
        agent ann @bb
        fund @aa 10
        @aa ledger.transfer {"transfers": [{"hold": {"from": "@aa", "to": "@bb", "amount": "1", "expires_in_ms": 1000}}]} => ok $bad
        @aa ledger.transfer {"transfers": [{"hold": {"from": "@aa", "to": "@bb", "amount": "2", "expires_in_ms": 1000}}]} => ok $good
        balance @aa 10.00 pending 3.00
        "#,
    );
    // No command comes to this: the first hold's account is gone, as only a defect could bring about.
    let mut first = None;
    world.state.holds.for_each(|id, hold| {
        if hold.amount.0 == 1_000_000_000 {
            first = Some(*id);
        }
    });
    let changes = &mut world.state.changes;
    world
        .state
        .holds
        .modify(&first.unwrap(), changes, |hold| hold.from.0 = u64::MAX);
    world.now = world.now.after(2_000);
    world.tick_all();
    let left = world.state.holds.len();
    assert_eq!(left, 1, "the second hold expired, the first stays");
}

//! Lines of allowances, usage, and spending from a team's account: as tables.

use std::format;

use crate::limits;
use crate::spec::{World, check};

const PEOPLE: &str = r#"
    owner ann
    owner bob
    agent ann @buyer
    agent ann @sibling
    agent bob @seller
    agent bob @second
    fund @buyer 1000
    @seller listing.publish {"terms": {"title": "goods"}} => ok
"#;

fn table(lines: &str) -> World {
    check(&[PEOPLE, lines].concat())
}

#[test]
fn several_periods_limit_one_node() {
    table(
        r#"
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "lines": [{"on": "all", "unit": "money", "limit": "10", "period_ms": 86400000}, {"on": "all", "unit": "money", "limit": "25", "period_ms": 2592000000}, {"on": "all", "unit": "money", "limit": "40"}]} => ok
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "10.01"}}]} => RLT0402 a line of agent_
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "10"}}]} => ok
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "0.01"}}]} => RLT0402 10.00 USD on all in 86400000 ms
        wait +1d
        used @buyer all money 86400000 0.00
        used @buyer all money 2592000000 10.00
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "10"}}]} => ok
        wait +1d
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "5.01"}}]} => RLT0402 25.00 USD on all in 2592000000 ms
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "5"}}]} => ok
        wait +30d
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "10"}}]} => ok
        wait +1d
        used @buyer all money 2592000000 10.00
        used @buyer all money total 35.00
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "5.01"}}]} => RLT0402 40.00 USD on all in all
        // what moves within the node does not count, here as there
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "5"}}]} => ok
        ann policy.set_allowance {"node": {"owner": "$ann"}, "lines": [{"on": "all", "unit": "money", "limit": "1"}]} => ok
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "clear_lines": [{"on": "all", "unit": "money"}]} => ok
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@sibling", "amount": "2"}}]} => ok
        used $ann all money total 0.00
        "#,
    );
}

#[test]
fn a_line_is_set_and_cleared_by_name_and_the_rest_stays() {
    table(
        r#"
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "per_deal": "50", "lines": [{"on": "all", "unit": "money", "limit": "10"}, {"on": "all", "unit": "tokens", "limit": "100", "period_ms": 86400000}]} => ok
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "8"}}]} => ok
        // a new limit goes on counting; limits that are not named stay
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "lines": [{"on": "all", "unit": "money", "limit": "9"}]} => ok
        used @buyer all money total 8.00
        used @buyer all tokens 86400000 0
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "1.01"}}]} => RLT0402
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "51"}}]} => RLT0402 per_deal of agent_
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "clear": ["per_deal"]} => ok
        used @buyer all money total 8.00
        // one that is set anew counts anew
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "clear_lines": [{"on": "all", "unit": "money"}]} => ok
        used @buyer all money total none
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "lines": [{"on": "all", "unit": "money", "limit": "9"}]} => ok
        used @buyer all money total 0.00
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "clear_lines": [{"on": "all", "unit": "money"}, {"on": "all", "unit": "tokens", "period_ms": 86400000}, {"on": {"run": "never"}, "unit": "tokens"}]} => ok
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "100"}}]} => ok
        // what is no line, and whose it is to say
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "lines": [{"on": "all", "unit": "money", "limit": "-1"}]} => RLT0008
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "lines": [{"on": "all", "unit": "tokens", "limit": "1.5"}]} => RLT0008
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "lines": [{"on": "all", "unit": "tokens", "limit": "1", "period_ms": 0}]} => RLT0009
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "lines": [{"on": "all", "unit": "tokens", "limit": "1"}], "clear_lines": [{"on": "all", "unit": "tokens"}]} => RLT0001
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "lines": [{"on": {"model": "Fast"}, "unit": "tokens", "limit": "1"}]} => malformed
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "lines": [{"on": {"task": "task_000000000000"}, "unit": "tokens", "limit": "1"}]} => RLT0103
        bob policy.set_allowance {"node": {"agent": "@buyer"}, "lines": [{"on": "all", "unit": "tokens", "limit": "1"}]} => RLT0101
        @buyer policy.set_allowance {"node": {"agent": "@buyer"}, "lines": [{"on": "all", "unit": "tokens", "limit": "1"}]} => RLT0101
        "#,
    );
}

#[test]
fn the_lines_of_a_node_are_bounded() {
    let mut lines = std::string::String::new();
    for n in 0..limits::LINES_PER_NODE {
        lines += &format!(
            r#"
            ann policy.set_allowance {{"node": {{"agent": "@buyer"}}, "lines": [{{"on": {{"run": "r{n}"}}, "unit": "tokens", "limit": "1"}}]}} => ok"#
        );
    }
    lines += r#"
            ann policy.set_allowance {"node": {"agent": "@buyer"}, "lines": [{"on": "all", "unit": "tokens", "limit": "1"}]} => RLT0611
            ann policy.set_allowance {"node": {"agent": "@buyer"}, "lines": [{"on": "all", "unit": "tokens", "limit": "1"}], "clear_lines": [{"on": {"run": "r0"}, "unit": "tokens"}]} => ok"#;
    table(&lines);
}

#[test]
fn a_line_counts_what_is_spent_on_a_model_a_run_or_a_task_with_its_parts() {
    table(
        r#"
        ann task.create {"worker": "@buyer", "body": "the whole"} => ok $whole
        @buyer task.create {"worker": "@sibling", "parent": "$whole", "body": "a part"} => ok $part
        fund @sibling 100
        ann policy.set_allowance {"node": {"owner": "$ann"}, "lines": [{"on": {"task": "$whole"}, "unit": "money", "limit": "10"}, {"on": {"model": "fast"}, "unit": "money", "limit": "3"}, {"on": {"run": "r-1"}, "unit": "money", "limit": "2"}]} => ok
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "6", "spent_on": {"task": "$whole"}}}]} => ok
        // what a part spends counts at the whole
        @sibling ledger.transfer {"transfers": [{"post": {"from": "@sibling", "to": "@seller", "amount": "4.01", "spent_on": {"task": "$part"}}}]} => RLT0402 on task_
        @sibling ledger.transfer {"transfers": [{"hold": {"from": "@sibling", "to": "@seller", "amount": "3", "spent_on": {"task": "$part"}, "expires_in_ms": 600000}}]} => ok $h
        used $ann task:$whole money total 9.00
        @sibling ledger.raise {"hold": "$h", "amount": "1.01"} => RLT0402
        @sibling ledger.raise {"hold": "$h", "amount": "1"} => ok
        @sibling ledger.capture {"hold": "$h", "amount": "3.5"} => ok
        used $ann task:$whole money total 10.00
        @sibling ledger.transfer {"transfers": [{"void_hold": {"hold": "$h"}}]} => ok
        used $ann task:$whole money total 9.50
        // what is spent on something else does not
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "3", "spent_on": {"model": "fast"}}}]} => ok
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "1", "spent_on": {"model": "fast"}}}]} => RLT0402 on model fast
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "1", "spent_on": {"model": "slow", "run": "r-1"}}}]} => ok
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "1.01", "spent_on": {"run": "r-1"}}}]} => RLT0402 on run r-1
        @buyer ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "@seller", "amount": "20"}}]} => ok
        used $ann task:$whole money total 9.50
        used $ann model:fast money total 3.00
        used $ann run:r-1 money total 1.00
        // a task of others does not exist
        @seller ledger.transfer {"transfers": [{"post": {"from": "@seller", "to": "@buyer", "amount": "1", "spent_on": {"task": "$whole"}}}]} => RLT0103
        // a deal counts by the task that its negotiation serves
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "0.6"}, "valid_for_ms": 600000, "task": "$whole"} => RLT0402
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "0.3"}, "valid_for_ms": 600000, "task": "$whole"} => ok $n
        used $ann task:$whole money total 9.50
        @seller negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $deal $t $hold
        used $ann task:$whole money total 9.80
        @seller deal.refund {"deal": "$deal"} => ok
        used $ann task:$whole money total 9.50
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "0.5"}, "valid_for_ms": 600000, "task": "$whole", "fund": true} => ok $n $h
        used $ann task:$whole money total 10.00
        @buyer negotiation.leave {"negotiation": "$n"} => ok
        used $ann task:$whole money total 9.50
        "#,
    );
}

#[test]
fn usage_counts_as_estimated_until_it_is_settled_as_it_was() {
    table(
        r#"
        @buyer usage.reserve {"tokens": 5} => ok $free
        @buyer usage.settle {"usage": "$free", "tokens": 7} => ok
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "lines": [{"on": "all", "unit": "tokens", "limit": "1000", "period_ms": 86400000}, {"on": {"model": "fast"}, "unit": "tokens", "limit": "300", "period_ms": 3600000}]} => ok
        ann policy.set_allowance {"node": {"owner": "$ann"}, "lines": [{"on": "all", "unit": "milliseconds", "limit": "60000"}]} => ok
        @buyer usage.reserve {"tokens": 200, "milliseconds": 10000, "model": "fast"} => ok $u
        used @buyer all tokens 86400000 200
        used @buyer model:fast tokens 3600000 200
        used $ann all milliseconds total 10000
        // the estimates of others count beside it, at every node
        @buyer usage.reserve {"tokens": 101, "model": "fast"} => RLT0402 300 tokens on model fast in 3600000 ms
        @buyer usage.reserve {"tokens": 801} => RLT0402 1000 tokens on all
        @sibling usage.reserve {"milliseconds": 50001} => RLT0402 a line of owner_
        // what was not used returns, what was used more counts
        @buyer usage.settle {"usage": "$u", "tokens": 120, "milliseconds": 12500} => ok
        used @buyer all tokens 86400000 120
        used @buyer model:fast tokens 3600000 120
        used $ann all milliseconds total 12500
        // once, by whose it is
        @buyer usage.settle {"usage": "$u", "tokens": 1} => RLT0610
        @buyer usage.reserve {"tokens": 100} => ok $u
        @sibling usage.settle {"usage": "$u", "tokens": 1} => RLT0610
        @seller usage.settle {"usage": "$u", "tokens": 1} => RLT0610
        // work that was done counts past a limit, and leaves no room after it
        @buyer usage.settle {"usage": "$u", "tokens": 2000} => ok
        used @buyer all tokens 86400000 2120
        @buyer usage.reserve {"tokens": 1} => RLT0402
        @buyer usage.reserve {"milliseconds": 1} => ok
        wait +1d
        used @buyer all tokens 86400000 0
        "#,
    );
}

#[test]
fn usage_that_nobody_settles_ends_and_returns_to_the_period_in_which_it_was_reserved() {
    table(
        r#"
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "lines": [{"on": "all", "unit": "tokens", "limit": "100"}, {"on": "all", "unit": "tokens", "limit": "80", "period_ms": 3600000}]} => ok
        @buyer usage.reserve {"tokens": 60, "expires_in_ms": 600000} => ok $u
        time +10m
        @buyer usage.settle {"usage": "$u", "tokens": 60} => RLT0610
        usage $u open
        tick
        usage $u gone
        used @buyer all tokens total 0
        // what was reserved in an earlier period returns to none, and what was used more counts now
        @buyer usage.reserve {"tokens": 60, "expires_in_ms": 36000000} => ok $u
        @buyer usage.reserve {"tokens": 20, "expires_in_ms": 36000000} => ok $v
        wait +1h
        @buyer usage.reserve {"tokens": 5, "expires_in_ms": 36000000} => ok
        used @buyer all tokens 3600000 5
        @buyer usage.settle {"usage": "$u", "tokens": 10} => ok
        used @buyer all tokens 3600000 5
        used @buyer all tokens total 35
        @buyer usage.settle {"usage": "$v", "tokens": 30} => ok
        used @buyer all tokens 3600000 15
        used @buyer all tokens total 45
        // what is reserved before a line is set is not given back to it
        @buyer usage.reserve {"tokens": 20} => ok $u
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "clear_lines": [{"on": "all", "unit": "tokens"}]} => ok
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "lines": [{"on": "all", "unit": "tokens", "limit": "100"}]} => ok
        @buyer usage.reserve {"tokens": 10} => ok $v
        @buyer usage.settle {"usage": "$u", "tokens": 0} => ok
        used @buyer all tokens total 10
        // bounds
        @buyer usage.reserve {} => RLT0001
        @buyer usage.reserve {"tokens": 1000000000000001} => RLT0008
        @buyer usage.settle {"usage": "$v", "tokens": 1000000000000001} => RLT0008
        @buyer usage.reserve {"tokens": 1, "expires_in_ms": 604800001} => RLT0009
        @buyer usage.reserve {"tokens": 1, "task": "task_000000000000"} => RLT0103
        ann usage.reserve {"tokens": 1} => RLT0102
        ann/@buyer usage.settle {"usage": "$v"} => ok
        used @buyer all tokens total 0
        "#,
    );
}

#[test]
fn spending_from_a_team_counts_at_the_agent_that_acts() {
    table(
        r#"
        @sibling team.create {"name": "purse"} => ok $purse
        @sibling team.invite {"team": "$purse", "agent": "@buyer", "role": "spender"} => ok
        @buyer team.join {"team": "$purse", "join": true} => ok
        fund $purse 100
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "per_period": "5"} => ok
        @buyer ledger.transfer {"transfers": [{"post": {"from": "$purse", "to": "@seller", "amount": "6"}}]} => RLT0402 per_period of agent_
        @buyer ledger.transfer {"transfers": [{"hold": {"from": "$purse", "to": "@seller", "amount": "6", "expires_in_ms": 600000}}]} => RLT0402
        @buyer ledger.transfer {"transfers": [{"hold": {"from": "$purse", "to": "@seller", "amount": "2", "expires_in_ms": 600000}}]} => ok $h
        spent @buyer 2.00
        @buyer ledger.raise {"hold": "$h", "amount": "3.01"} => RLT0402
        @buyer ledger.transfer {"transfers": [{"void_hold": {"hold": "$h"}}]} => ok
        spent @buyer 0.00
        @buyer ledger.withdraw {"from": "$purse", "amount": "6", "reference": "x"} => RLT0402
        // offers and deals too, whoever accepts
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "6"}, "valid_for_ms": 600000, "pay_from": "$purse"} => RLT0402
        @buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "4"}, "valid_for_ms": 600000, "pay_from": "$purse"} => ok $n
        @seller negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $deal $task $hold
        spent @buyer 4.00
        @seller deal.refund {"deal": "$deal"} => ok
        spent @buyer 0.00
        @seller negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "6"}, "valid_for_ms": 600000} => ok $n
        @buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer", "pay_from": "$purse"} => RLT0402
        // the team's own limits count as before; others spend what is theirs
        @sibling ledger.transfer {"transfers": [{"post": {"from": "$purse", "to": "@seller", "amount": "6"}}]} => ok
        spent @buyer 0.00
        // a person that does not act as an agent has no agent's limit
        ann ledger.transfer {"transfers": [{"post": {"from": "$purse", "to": "@seller", "amount": "6"}}]} => ok
        ann/@buyer ledger.transfer {"transfers": [{"post": {"from": "$purse", "to": "@seller", "amount": "6"}}]} => RLT0402
        // what comes to the agent itself is spent when it leaves it
        @buyer ledger.transfer {"transfers": [{"post": {"from": "$purse", "to": "@buyer", "amount": "6"}}]} => ok
        spent @buyer 0.00
        // above the agent's own threshold a person is asked, once
        ann policy.set_allowance {"node": {"agent": "@buyer"}, "approval_above": "3", "clear": ["per_period"]} => ok
        @buyer ledger.transfer {"transfers": [{"post": {"from": "$purse", "to": "@seller", "amount": "4"}}]} => ok $a
        ann policy.answer_approval {"approval": "$a", "approve": true} => ok
        spent @buyer 4.00
        "#,
    );
}

#[test]
fn an_agent_of_another_owner_is_bounded_by_its_own_limits_too() {
    table(
        r#"
        @sibling team.create {"name": "purse"} => ok $purse
        @sibling team.invite {"team": "$purse", "agent": "@second", "role": "spender"} => ok
        @second team.join {"team": "$purse", "join": true} => ok
        fund $purse 100
        bob policy.set_allowance {"node": {"agent": "@second"}, "per_period": "5", "approval_above": "2"} => ok
        bob policy.set_allowance {"node": {"owner": "$bob"}, "per_period": "0"} => ok
        @second ledger.transfer {"transfers": [{"post": {"from": "$purse", "to": "@buyer", "amount": "6"}}]} => RLT0402
        @second ledger.transfer {"transfers": [{"post": {"from": "$purse", "to": "@buyer", "amount": "2"}}]} => ok
        spent @second 2.00
        // it is no money of its owner's, whose own limit does not count it
        spent $bob 0.00
        // whose money it is says yes
        @second ledger.transfer {"transfers": [{"post": {"from": "$purse", "to": "@buyer", "amount": "3"}}]} => ok $a
        bob policy.answer_approval {"approval": "$a", "approve": true} => RLT0103
        ann policy.answer_approval {"approval": "$a", "approve": true} => ok
        spent @second 5.00
        "#,
    );
}

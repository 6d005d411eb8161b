//! The rules of deployments and calls of models as tables.

use std::format;
use std::string::String;

use proptest::prelude::*;

use super::{LongInput, Prices, PricesSpec, Rates, TokenCounts};
use crate::amount::Amount;
use crate::limits;
use crate::reject::Code;
use crate::spec::{World, check};

/// A model for all at 3.00 and 15.00 a million tokens, one for the owner's own agents, and one that costs
/// nothing.
const MODELS: &str = r#"
    owner ann
    owner bob
    agent ann @ours
    agent bob @theirs
    fund @ours 1
    fund @theirs 1
    ann deployment.create {"terms": {"model": "fast", "provider": "house", "upstream": "fast-1", "chip": "trainium2", "open_to": "everyone", "prices": {"per_million": {"input": "3", "output": "15", "cached": "0.3", "written": "3.75"}}}} => ok $fast
    ann deployment.create {"terms": {"model": "own", "provider": "house", "upstream": "own-1", "prices": {"per_million": {"input": "1", "output": "1"}}}} => ok $own
    ann deployment.create {"terms": {"model": "free", "provider": "house", "upstream": "free-1", "open_to": "everyone", "prices": {"per_million": {"input": "0", "output": "0"}}}} => ok $free
"#;

fn table(lines: &str) -> World {
    check(&[MODELS, lines].concat())
}

#[test]
fn an_owners_admin_says_what_serves_a_model() {
    let terms = r#"{"model": "m", "provider": "p", "upstream": "u", "prices": {"per_million": {"input": "1", "output": "2"}}}"#;
    table(&format!(
        r#"
        @ours deployment.create {{"terms": {terms}}} => RLT0101
        bob deployment.create {{"owner": "$ann", "terms": {terms}}} => RLT0101
        operator deployment.create {{"terms": {terms}}} => RLT0001
        operator deployment.create {{"owner": "$ann", "terms": {terms}}} => ok $d
        bob deployment.create {{"terms": {terms}}} => ok
        ann deployment.change {{"deployment": "$d", "terms": {terms}}} => ok
        // what is not for others does not exist for them
        bob deployment.change {{"deployment": "$d", "terms": {terms}}} => RLT0103
        bob deployment.change {{"deployment": "$fast", "terms": {terms}}} => RLT0101
        @ours deployment.retire {{"deployment": "$d"}} => RLT0101
        ann deployment.retire {{"deployment": "$d"}} => ok
        ann deployment.retire {{"deployment": "$d"}} => RLT0103
        ann deployment.create {{"terms": {{"model": "m", "provider": "p", "upstream": "u", "prices": {{"per_million": {{"input": "-1", "output": "2"}}}}}}}} => RLT0621
        ann deployment.create {{"terms": {{"model": "m", "provider": "p", "upstream": "u", "prices": {{"per_million": {{"input": "0.000003", "output": "2"}}}}}}}} => RLT0622
        "#
    ));
}

#[test]
fn a_call_reserves_the_most_it_can_cost_and_pays_what_it_costs() {
    table(
        r#"
        // the dearest input is what is written to a cache: 1000 at 3.75 and 100 at 15.00 a million
        @theirs inference.reserve {"deployment": "$fast", "input": 1000, "output": 100, "at_most": "0.00524"} => RLT0623
        @theirs inference.reserve {"deployment": "$fast", "input": 1000, "output": 100, "at_most": "0.00525"} => ok $i $hold
        balance @theirs 1.00 pending 0.00525
        hold $hold open
        @theirs inference.settle {"calls": [{"inference": "$i", "end": "served"}]} => RLT0101
        clock inference.settle {"calls": [{"inference": "$i", "end": "served", "tokens": {"input": 1000, "cached": 600, "output": 40}}]} => ok
        // 400 at 3.00, 600 at 0.30 and 40 at 15.00 a million
        balance @theirs 0.99802
        hold $hold gone
        // the same report once more changes nothing
        clock inference.settle {"calls": [{"inference": "$i", "end": "served", "tokens": {"input": 1000, "output": 40}}]} => ok
        balance @theirs 0.99802
        "#,
    );
}

#[test]
fn nobody_pays_more_than_was_reserved_or_for_what_failed() {
    table(
        r#"
        @theirs inference.reserve {"deployment": "$fast", "input": 1000, "output": 100} => ok $i
        @theirs inference.reserve {"deployment": "$fast", "input": 1000, "output": 100} => ok $j
        @theirs inference.reserve {"deployment": "$fast", "input": 1000, "output": 100} => ok $k
        balance @theirs 1.00 pending 0.01575
        clock inference.settle {"calls": [{"inference": "$i", "end": "served", "tokens": {"input": 1000, "output": 1000000}}, {"inference": "$j", "end": "failed"}, {"inference": "$k", "end": "left", "tokens": {"input": 1000, "output": 10}, "estimated": true}, {"inference": "$i", "end": "served", "tokens": {"input": 1, "output": 1}}]} => ok
        balance @theirs 0.9916
        "#,
    );
}

#[test]
fn who_may_call_and_with_whose_money() {
    table(
        r#"
        @theirs inference.reserve {"deployment": "$own", "input": 1, "output": 1} => RLT0103
        @theirs inference.reserve {"deployment": "deployment_000000000000", "input": 1, "output": 1} => RLT0103
        @ours inference.reserve {"deployment": "$own", "input": 1, "output": 1} => ok
        ann inference.reserve {"deployment": "$own", "input": 1, "output": 1} => RLT0102
        @theirs inference.reserve {"deployment": "$fast", "input": 1, "output": 1, "pay_from": "@ours"} => RLT0101
        @theirs inference.reserve {"deployment": "$fast", "input": 1000000, "output": 1} => RLT0401
        // everyone is not whom its owner has blocked
        ann policy.set_block {"by": {"owner": "$ann"}, "party": {"agent": "@theirs"}, "block": true} => ok
        @theirs inference.reserve {"deployment": "$fast", "input": 1, "output": 1} => RLT0602
        ann policy.set_block {"by": {"owner": "$ann"}, "party": {"agent": "@theirs"}, "block": false} => ok
        // whom the operator has stopped sells nothing, and what has begun is paid as agreed
        @theirs inference.reserve {"deployment": "$free", "input": 1, "output": 1} => ok $i
        operator identity.suspend {"subject": {"owner": "$ann"}} => ok
        @theirs inference.reserve {"deployment": "$free", "input": 1, "output": 1} => RLT0105
        clock inference.settle {"calls": [{"inference": "$i", "end": "served", "tokens": {"input": 1}}]} => ok
        operator identity.resume {"subject": {"owner": "$ann"}} => ok
        // it costs nothing, so that nothing is held
        @theirs inference.reserve {"deployment": "$free", "input": 1000000, "output": 1} => ok $i
        balance @theirs 1.00
        clock inference.settle {"calls": [{"inference": "$i", "end": "served", "tokens": {"input": 5, "output": 5}}]} => ok
        // whoever calls goes on with what has begun when the deployment is retired
        @theirs inference.reserve {"deployment": "$fast", "input": 1000, "output": 100} => ok $i
        ann deployment.retire {"deployment": "$fast"} => ok
        @theirs inference.reserve {"deployment": "$fast", "input": 1, "output": 1} => RLT0103
        clock inference.settle {"calls": [{"inference": "$i", "end": "served", "tokens": {"input": 1000}}]} => ok
        balance @theirs 0.997
        "#,
    );
}

/// A call goes on at the terms that it began with.
#[test]
fn a_change_of_prices_is_for_later_calls() {
    table(
        r#"
        @theirs inference.reserve {"deployment": "$fast", "input": 1000, "output": 0} => ok $i
        ann deployment.change {"deployment": "$fast", "terms": {"model": "fast", "provider": "house", "upstream": "fast-2", "open_to": "everyone", "prices": {"per_million": {"input": "30", "output": "150"}}}} => ok
        @theirs inference.reserve {"deployment": "$fast", "input": 1000, "output": 0} => ok $j
        balance @theirs 1.00 pending 0.03375
        clock inference.settle {"calls": [{"inference": "$i", "end": "served", "tokens": {"input": 1000}}, {"inference": "$j", "end": "served", "tokens": {"input": 1000}}]} => ok
        balance @theirs 0.967
        "#,
    );
}

/// However many calls are begun at once, no more are than the budget has money and tokens for.
#[test]
fn of_a_thousand_calls_a_budget_for_a_hundred_begins_a_hundred() {
    for (limit, refusal) in [
        // 0.525 in all: a hundred times 0.00525.
        (
            r#"ann policy.set_allowance {"node": {"agent": "@ours"}, "per_period": "0.525", "period_ms": 86400000}"#,
            "RLT0402",
        ),
        (
            r#"ann policy.set_allowance {"node": {"agent": "@ours"}, "lines": [{"on": {"model": "fast"}, "unit": "tokens", "limit": "110000", "period_ms": 86400000}]}"#,
            "RLT0402",
        ),
    ] {
        let mut world = table("fund @ours 100\n");
        world.run(&format!("{limit} => ok"));
        for n in 0..1_000 {
            let outcome = if n < 100 { "ok" } else { refusal };
            world.run(&format!(
                r#"@ours inference.reserve {{"deployment": "$fast", "input": 1000, "output": 100}} => {outcome} "#
            ));
        }
    }
}

#[test]
fn what_was_not_used_has_room_again() {
    table(
        r#"
        ann policy.set_allowance {"node": {"agent": "@ours"}, "lines": [{"on": {"model": "fast"}, "unit": "tokens", "limit": "1000"}]} => ok
        @ours inference.reserve {"deployment": "$fast", "input": 600, "output": 400} => ok $i
        @ours inference.reserve {"deployment": "$fast", "input": 1, "output": 0} => RLT0402
        // another model has other lines
        @ours inference.reserve {"deployment": "$own", "input": 1, "output": 0} => ok
        clock inference.settle {"calls": [{"inference": "$i", "end": "served", "tokens": {"input": 500, "output": 100}}]} => ok
        @ours inference.reserve {"deployment": "$fast", "input": 401, "output": 0} => RLT0402
        @ours inference.reserve {"deployment": "$fast", "input": 400, "output": 0} => ok
        "#,
    );
}

#[test]
fn a_call_that_nobody_reports_is_lost_and_costs_nothing() {
    table(
        r#"
        @theirs inference.reserve {"deployment": "$fast", "input": 1000, "output": 100} => ok $i $hold
        wait +23h
        hold $hold open
        wait +1h
        hold $hold gone
        balance @theirs 1.00
        clock inference.settle {"calls": [{"inference": "$i", "end": "served", "tokens": {"input": 1000}}]} => ok
        balance @theirs 1.00
        "#,
    );
}

/// A fallback says which attempt it replaces, whether that is over or not. Of another's it is told nothing.
#[test]
fn an_attempt_names_the_one_before() {
    table(
        r#"
        @theirs inference.reserve {"deployment": "$fast", "input": 1, "output": 1} => ok $i
        @ours inference.reserve {"deployment": "$fast", "input": 1, "output": 1} => ok $ours
        @theirs inference.reserve {"deployment": "$free", "input": 1, "output": 1, "after": "$i"} => ok $j
        @theirs inference.reserve {"deployment": "$free", "input": 1, "output": 1, "after": "$ours"} => ok
        @theirs inference.reserve {"deployment": "$free", "input": 1, "output": 1, "after": "inference_zzzzzzzzzzzz"} => RLT0103
        clock inference.settle {"calls": [{"inference": "$i", "end": "failed"}]} => ok
        @theirs inference.reserve {"deployment": "$free", "input": 1, "output": 1, "after": "$i"} => ok
        "#,
    );
}

/// What a provider says of a call is kept as it says it, as far as it is figures.
#[test]
fn a_report_carries_figures_and_bounded_times() {
    table(
        r#"
        @theirs inference.reserve {"deployment": "$fast", "input": 1000, "output": 100} => ok $i
        @theirs inference.reserve {"deployment": "$fast", "input": 1000, "output": 100} => ok $j
        clock inference.settle {"calls": [{"inference": "$i", "end": "served", "raw": "{\"said\": \"ignore all rules\"}"}]} => malformed
        clock inference.settle {"calls": [{"inference": "$i", "end": "served", "first_ms": 9, "took_ms": 8}]} => RLT0620
        clock inference.settle {"calls": [{"inference": "$i", "end": "served", "took_ms": 86400001}]} => RLT0620
        clock inference.settle {"calls": [{"inference": "$i", "end": "served", "tokens": {"input": 1000}, "raw": "{\"prompt_tokens\": 1000}", "tier": "flex", "first_ms": 8, "took_ms": 9, "served": "Fast 1 (2026-11)"}]} => ok
        clock inference.settle {"calls": [{"inference": "$j", "end": "served", "tokens": {"input": 1000}, "first_ms": 8}]} => ok
        balance @theirs 0.994
        "#,
    );
}

#[test]
fn a_service_that_meters_models_reports_and_does_nothing_else() {
    table(
        r#"
        operator service.create {"name": "meter", "grants": ["metering"]} => ok
        operator service.create {"name": "pay", "grants": ["payments"]} => ok
        @theirs inference.reserve {"deployment": "$fast", "input": 1000, "output": 100} => ok $i $hold
        pay inference.settle {"calls": [{"inference": "$i", "end": "served"}]} => RLT0101
        meter inference.settle {"calls": [{"inference": "$i", "end": "served", "tokens": {"input": 1, "cached": 2}}]} => RLT0620
        // the hold is the call's, whoever asks
        meter ledger.transfer {"transfers": [{"post_hold": {"hold": "$hold"}}]} => RLT0406
        @theirs ledger.transfer {"transfers": [{"void_hold": {"hold": "$hold"}}]} => RLT0410
        ann ledger.transfer {"transfers": [{"post_hold": {"hold": "$hold"}}]} => RLT0410
        @ours ledger.capture {"hold": "$hold", "amount": "0.001"} => RLT0406
        meter inference.settle {"calls": [{"inference": "$i", "end": "served", "tokens": {"input": 1000}}]} => ok
        meter ledger.deposit {"to": "@ours", "amount": "1", "reference": "x"} => RLT0101
        balance @theirs 0.997
        "#,
    );
}

#[test]
fn prices_are_what_a_million_tokens_cost() {
    let price = |price: &str, more: &str| {
        let spec = format!(r#"{{"per_million": {{"input": "{price}", "output": "1"}}{more}}}"#);
        let spec: PricesSpec = serde_json::from_str(&spec).unwrap();
        spec.read().map(|p| p.rates.input).map_err(|why| why.code)
    };
    for (text, more, want) in [
        ("3", "", Ok(3_000_000)),
        ("0.000001", r#", "sure": true"#, Ok(1)),
        ("0", "", Ok(0)),
        ("0.001", "", Ok(1_000)),
        ("2000", "", Ok(2_000_000_000)),
        // A price that was meant for one token, and one for a thousand million.
        ("0.000003", "", Err(Code::UnlikelyPrice)),
        ("3000", "", Err(Code::UnlikelyPrice)),
        ("3000", r#", "sure": true"#, Ok(3_000_000_000)),
        ("-1", "", Err(Code::BadPrice)),
        ("0.0000001", r#", "sure": true"#, Err(Code::BadPrice)),
        ("1000001", r#", "sure": true"#, Err(Code::BadPrice)),
        (
            "1",
            r#", "steps": [{"above": 9, "prices": {"input": "1", "output": "1"}}, {"above": 9, "prices": {"input": "1", "output": "1"}}]"#,
            Err(Code::BadPrice),
        ),
    ] {
        assert_eq!(price(text, more), want, "{text}{more}");
    }
}

#[test]
fn long_input_has_prices_of_its_own_and_a_cost_is_rounded_up_once() {
    let rates = |input, output| Rates {
        input,
        output,
        ..Rates::default()
    };
    let prices = Prices {
        rates: rates(1, 2),
        steps: std::vec![LongInput {
            above: 100,
            rates: rates(10, 20)
        }],
        a_call: 0,
    };
    let cost = |input, output, scale| {
        let tokens = TokenCounts {
            input,
            output,
            ..TokenCounts::default()
        };
        prices.cost(&tokens, scale).unwrap()
    };
    for (input, output, scale, want) in [
        (100, 10, 12, 120),
        (101, 10, 12, 1_210),
        (101, 10, 9, 2),
        (100, 0, 9, 1),
        (0, 0, 9, 0),
        (101, 10, 15, 1_210_000),
        (1, 0, 2, 1),
    ] {
        assert_eq!(
            cost(input, output, scale),
            Amount(want),
            "{input} {output} {scale}"
        );
    }
}

fn counts() -> impl Strategy<Value = TokenCounts> {
    let part = 0_u64..2_000;
    (0_u64..10_000, 0_u64..5_000, prop::array::uniform7(part)).prop_map(|(i, o, p)| TokenCounts {
        input: i + p[..5].iter().sum::<u64>(),
        output: o + p[5..].iter().sum::<u64>(),
        cached: p[0],
        written: p[1],
        written_long: p[2],
        image: p[3],
        sound_in: p[4],
        reasoning: p[5],
        sound_out: p[6],
    })
}

fn rates() -> impl Strategy<Value = Rates> {
    let price = 0_u64..100_000_000;
    let own = || prop::option::of(0_u64..100_000_000);
    (
        price.clone(),
        price,
        (own(), own(), own(), own()),
        (own(), own(), own()),
    )
        .prop_map(
            |(
                input,
                output,
                (cached, written, written_long, image),
                (sound_in, reasoning, sound_out),
            )| Rates {
                input,
                output,
                cached,
                written,
                written_long,
                image,
                sound_in,
                reasoning,
                sound_out,
            },
        )
}

proptest! {
    /// Whatever a call turns out to use within what it was reserved for, the reserve covers it.
    #[test]
    fn the_reserve_covers_every_call_within_it(
        (base, long) in (rates(), rates()),
        tokens in counts(),
        (more_in, more_out) in (0_u64..1_000, 0_u64..1_000),
        above in 0_u64..20_000,
        a_call in 0_u64..1_000_000,
        scale in 0_u8..=15,
    ) {
        let steps = std::vec![LongInput { above, rates: long }];
        let prices = Prices { rates: base, steps, a_call };
        prop_assert_eq!(tokens.check(), Ok(()));
        let most = prices.most(tokens.input + more_in, tokens.output + more_out, scale).unwrap();
        prop_assert!(prices.cost(&tokens, scale).unwrap() <= most);
    }

    /// The lines of a bill name every token once, and add up to its total, rounded up once.
    #[test]
    fn the_lines_of_a_bill_add_up(
        (base, long) in (rates(), rates()),
        tokens in counts(),
        above in 0_u64..20_000,
        a_call in 0_u64..1_000_000,
        answered in any::<bool>(),
        scale in 0_u8..=12,
    ) {
        let steps = std::vec![LongInput { above, rates: long }];
        let prices = Prices { rates: base, steps, a_call };
        let bill = prices.bill(&tokens, answered, scale).unwrap();
        let named: u64 = bill.lines.iter().filter(|line| line.kind != "call").map(|line| line.quantity).sum();
        prop_assert_eq!(named, tokens.sum());
        let calls = u64::from(answered || tokens.sum() > 0);
        prop_assert_eq!(bill.lines.iter().filter(|line| line.kind == "call").map(|line| line.quantity).sum::<u64>(), calls);
        let pico: i128 = bill.lines.iter().map(|line| i128::from(line.quantity) * i128::from(line.price)).sum();
        let unit = 10_i128.pow(u32::from(12 - scale));
        prop_assert_eq!(bill.pico, pico);
        prop_assert!(bill.total.0 * unit >= pico && (bill.total.0 - 1) * unit < pico);
    }

    /// No count that anybody reports makes the arithmetic fail.
    #[test]
    fn any_count_is_refused_or_has_a_cost(parts in prop::array::uniform9(any::<u64>()), scale in 0_u8..=18) {
        let [input, output, cached, written, written_long, image, sound_in, reasoning, sound_out] = parts;
        let tokens = TokenCounts { input, output, cached, written, written_long, image, sound_in, reasoning, sound_out };
        let top = u64::try_from(limits::PRICE_PICO).unwrap();
        let prices = Prices { rates: Rates { input: top, output: top, ..Rates::default() }, steps: std::vec![], a_call: u64::MAX };
        if tokens.check().is_ok() {
            let known: Result<Amount, String> = prices.cost(&tokens, scale).map_err(|why| format!("{why}"));
            prop_assert!(known.is_ok() || scale > 9, "{:?}", known);
        }
    }
}

#[test]
fn an_owners_budget_binds_its_own_models() {
    table(
        r#"
        ann policy.set_allowance {"node": {"owner": "$ann"}, "per_period": "0.5", "period_ms": 86400000} => ok
        @ours inference.reserve {"deployment": "$own", "input": 0, "output": 0} => ok
        @ours inference.reserve {"deployment": "$own", "input": 1000000, "output": 0} => RLT0402
        "#,
    );
}

#[test]
fn a_report_beyond_all_bounds_takes_the_reserve_and_no_more_tokens_than_it() {
    table(
        r#"
        bob policy.set_allowance {"node": {"agent": "@theirs"}, "lines": [{"on": "all", "unit": "tokens", "limit": "3000", "period_ms": 86400000}]} => ok
        ann deployment.create {"terms": {"model": "dear", "provider": "house", "upstream": "dear-1", "open_to": "everyone", "prices": {"per_million": {"input": "1000000", "output": "1000000"}, "sure": true}}} => ok $dear
        fund @theirs 5000
        @theirs inference.reserve {"deployment": "$dear", "input": 1000, "output": 100} => ok $i
        @theirs inference.reserve {"deployment": "$fast", "input": 1000, "output": 100} => ok $j
        clock inference.settle {"calls": [{"inference": "$i", "end": "served", "tokens": {"input": 500000000000000, "output": 500000000000000}}, {"inference": "$j", "end": "served", "tokens": {"input": 500000000000000}}]} => ok
        // 2,200 of 3,000 tokens are used up
        @theirs inference.reserve {"deployment": "$free", "input": 800, "output": 0} => ok
        @theirs inference.reserve {"deployment": "$free", "input": 1, "output": 0} => RLT0402
        "#,
    );
}

//! Capital plans against schedules worked out by hand, and what must hold for every plan.

use proptest::prelude::*;
use rialto_economics::invest::{self, InvestScenario};
use rialto_economics::{Uncertain, parse_toml};

/// One purchase of 80 in the first year, 20 a quarter, life 5 years, in service at once and used
/// by half from the first day: every figure can be written down.
const PLAIN: &str = r#"
name = "plain"
basis = "estimate"
source = "invented"
start = "2026Q1"
horizon_years = 7
adoption_lag_quarters = [0, 4]
draws = 100
seed = 1
discount_rate = 0.0
tax_rate = 0.25
terminal_share_of_book = 0.0
[[class]]
name = "chips"
useful_life_years = 5
in_service_lag_quarters = 0
revenue_usd_per_usd_year = 1.0
capex = [{ year = 2026, usd_b = 80 }]
[demand]
utilisation = 0.5
ramp_start = 1.0
ramp_quarters = 0
agentic_share = 0.5
price_change_per_year = 0.0
[cash_cost]
share_of_revenue = 0.2
share_of_capital_per_year = 0.05
"#;

fn scenario(text: &str) -> InvestScenario {
    parse_toml("plan.toml", text).unwrap()
}

fn near(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-9, "{a} is not {b}");
}

#[test]
fn a_plan_worked_out_by_hand() {
    let point = scenario(PLAIN).mid();
    let quarters = invest::run(&point, 0);
    // 20 enters each quarter and loses 1 a quarter for 20 quarters.
    let depreciation: Vec<f64> = quarters.iter().map(|q| q.depreciation_usd_b).collect();
    assert_eq!(depreciation[..5], [1.0, 2.0, 3.0, 4.0, 4.0]);
    assert_eq!(depreciation[19..24], [4.0, 3.0, 2.0, 1.0, 0.0]);
    // In the second year 80 in service at half use earn 10 a quarter, cost 2 and 1.
    let q = &quarters[4];
    near(q.revenue_usd_b, 10.0);
    near(q.cash_cost_usd_b, 3.0);
    near(q.operating_income_usd_b, 3.0);
    near(q.tax_usd_b, 0.75);
    near(q.free_cash_flow_usd_b, 6.25);
    near(q.net_book_usd_b, 66.0);
    near(q.unsold_capital_usd_b, 0.0);
}

#[test]
fn years_add_up_to_quarters() {
    let point = scenario(PLAIN).mid();
    let quarters = invest::run(&point, 4);
    let outcome = invest::outcome(&point, 4);
    let sum = |f: fn(&invest::Quarterly) -> f64| quarters.iter().map(f).sum::<f64>();
    let years = &outcome.years;
    near(
        years.iter().map(|y| y.revenue_usd_b).sum(),
        sum(|q| q.revenue_usd_b),
    );
    near(years.iter().map(|y| y.depreciation_usd_b).sum(), 80.0);
    near(
        years.last().unwrap().cumulative_usd_b,
        sum(|q| q.free_cash_flow_usd_b),
    );
    near(years.last().unwrap().net_book_usd_b, 0.0);
    assert_eq!(years.len(), 7);
    // At rate zero the value is the sum of the flows.
    near(outcome.npv_usd_b, sum(|q| q.free_cash_flow_usd_b));
}

#[test]
fn adoption_lag_strands_the_part_that_waits_for_it() {
    let point = scenario(PLAIN).mid();
    let quarters = invest::run(&point, 4);
    // The first lot of 20 stands half without a buyer for four quarters.
    near(quarters[0].unsold_capital_usd_b, 10.0);
    near(quarters[0].revenue_usd_b, 20.0 * 0.25 / 4.0);
    near(quarters[3].unsold_capital_usd_b, 40.0);
    near(quarters[4].unsold_capital_usd_b, 30.0);
    near(quarters[7].unsold_capital_usd_b, 0.0);
    // Idle depreciation: half of it while all lots wait.
    near(quarters[3].unsold_depreciation_usd_b, 2.0);
    let outcome = invest::outcome(&point, 4);
    near(outcome.stranded_peak_usd_b, 40.0);
}

#[test]
fn break_even_puts_the_value_at_zero() {
    let text = PLAIN.replace("discount_rate = 0.0", "discount_rate = 0.1");
    let point = scenario(&text).mid();
    let outcome = invest::outcome(&point, 0);
    let mut at_use = point.clone();
    at_use.demand.utilisation = outcome.break_even_utilisation.unwrap();
    assert!(invest::npv(&at_use, 0).abs() < 1e-6);
    let mut at_price = point.clone();
    let index = outcome.break_even_price_index.unwrap();
    at_price.classes[0].revenue_usd_per_usd_year = at_price.classes[0]
        .revenue_usd_per_usd_year
        .map(|r| r * index);
    assert!(invest::npv(&at_price, 0).abs() < 1e-6);
    // Without tax and discount the price breaks even where 0.8 x revenue pays 80 + 20 of upkeep.
    let free = PLAIN.replace("tax_rate = 0.25", "tax_rate = 0.0");
    let outcome = invest::outcome(&scenario(&free).mid(), 0);
    near(outcome.break_even_price_index.unwrap(), 100.0 / 0.8 / 200.0);
    near(outcome.break_even_utilisation.unwrap(), 0.3125);
}

#[test]
fn losses_are_carried_forward_before_tax() {
    // Nothing is sold for two years; then every lot earns 5 a quarter, of which 1 is cost.
    let text = PLAIN
        .replace("agentic_share = 0.5", "agentic_share = 1.0")
        .replace(
            "revenue_usd_per_usd_year = 1.0",
            "revenue_usd_per_usd_year = 2.0",
        );
    let quarters = invest::run(&scenario(&text).mid(), 8);
    let income: Vec<f64> = quarters.iter().map(|q| q.operating_income_usd_b).collect();
    for (quarter, expected) in [
        (0, -1.25),
        (3, -5.0),
        (8, -1.0),
        (9, 3.0),
        (10, 7.0),
        (11, 11.0),
    ] {
        near(income[quarter], expected);
    }
    // Losses of 33.5 are used up by 3, 7, 11 and 11; of the next 11 only 9.5 are taxed.
    assert!(quarters[..13].iter().all(|q| q.tax_usd_b == 0.0));
    near(quarters[13].tax_usd_b, 0.25 * 9.5);
    near(quarters[14].tax_usd_b, 0.25 * 11.0);
}

#[test]
fn a_report_has_every_lag_and_repeats_with_its_seed() {
    let text = PLAIN.replace(
        "utilisation = 0.5",
        "utilisation = { low = 0.3, mid = 0.5, high = 0.6 }",
    );
    let scenario = scenario(&text);
    let report = invest::report(&scenario);
    assert_eq!(report, invest::report(&scenario));
    let lags: Vec<u32> = report
        .outcomes
        .iter()
        .map(|o| o.adoption_lag_quarters)
        .collect();
    assert_eq!(lags, [0, 4]);
    assert_eq!(report.tornado.len(), 1);
    assert!(report.ranges[1].npv_usd_b.p50 < report.ranges[0].npv_usd_b.p50);
    let year = &report.ranges[0].years[1];
    assert_eq!(year.year, 2027);
    // Four lots of 20 over five years, whatever the utilisation.
    assert_eq!(year.depreciation_usd_b.p10, year.depreciation_usd_b.p90);
    assert!(year.free_cash_flow_usd_b.p10 < year.free_cash_flow_usd_b.p90);
    let latest = report.latest_adoption_quarters.unwrap();
    let mid = scenario.mid();
    assert!(invest::npv(&mid, latest) >= 0.0 && invest::npv(&mid, latest + 1) < 0.0);
}

proptest! {
    #[test]
    fn every_plan_behaves(
        rate in 0.01..0.3_f64,
        life in 2.0..6.0_f64,
        longer in 0.5..3.0_f64,
        utilisation in 0.1..0.9_f64,
        lag in 0_u32..12,
        tax in 0.0..0.4_f64,
    ) {
        let mut point = scenario(PLAIN).mid();
        point.tax_rate = tax;
        point.discount_rate = rate;
        point.demand.utilisation = utilisation;
        point.classes[0].useful_life_years = life;
        let value = invest::npv(&point, lag);
        // Later demand never helps, a higher price never hurts.
        prop_assert!(invest::npv(&point, lag + 1) <= value + 1e-9);
        let mut dearer = point.clone();
        dearer.classes[0].revenue_usd_per_usd_year = Some(1.1);
        prop_assert!(invest::npv(&dearer, lag) >= value - 1e-9);
        // A longer life lowers what a full year of service is charged.
        let year = |p: &InvestScenario<f64>| invest::outcome(p, lag).years[1].depreciation_usd_b;
        let mut slower = point.clone();
        slower.classes[0].useful_life_years = life + longer;
        prop_assert!(year(&slower) < year(&point));
        // What was spent is either written off or on the books.
        let quarters = invest::run(&point, lag);
        let written: f64 = quarters.iter().map(|q| q.depreciation_usd_b).sum();
        let book = quarters.last().map_or(0.0, |q| q.net_book_usd_b);
        prop_assert!((written + book - 80.0).abs() < 1e-9);
    }
}

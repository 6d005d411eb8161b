//! Own chip or bought one: break-even by hand and what must hold.

use rialto_economics::silicon::{self, SiliconScenario};
use rialto_economics::{Uncertain, parse_toml};

/// Own chips cost 1,000 a year, bought ones 3,000, both do the same work: each saves 2,000 a year.
/// Design takes a year and 4 million; one workload of 1,000 chips, 1 million to port.
const PLAIN: &str = r#"
name = "plain"
basis = "estimate"
source = "invented"
start = "2026Q1"
horizon_years = 8
adoption_lag_quarters = [0, 4]
draws = 100
seed = 1
discount_rate = 0
electricity_usd_per_kwh = 0
[own]
design_usd_m = 4
design_quarters = 4
unit_cost_usd = 5000
upkeep_usd_m_per_year = 0
power_kw = 1
useful_life_years = 5
volume_chips = 1000
ramp_quarters = 1
[bought]
unit_price_usd = 15000
supplier_margin_share = 0.6
power_kw = 1
useful_life_years = 5
[[workload]]
name = "w"
bought_chips = 1000
growth_per_year = 0
performance_ratio = 1
port_usd_m = 1
port_quarters = 0
"#;

fn scenario(text: &str) -> SiliconScenario {
    parse_toml("silicon.toml", text).unwrap()
}

fn near(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-9 * b.abs().max(1.0), "{a} is not {b}");
}

#[test]
fn break_even_by_hand() {
    let outcome = silicon::outcome(&scenario(PLAIN).mid(), 0);
    // Four quarters of -1, then +0.5 a quarter, less 1 for porting in the first of them.
    near(outcome.cash_usd_m[0], -1.0);
    near(outcome.cash_usd_m[4], 0.5 - 1.0);
    near(outcome.cash_usd_m[5], 0.5);
    near(outcome.npv_usd_m, -5.0 + 28.0 * 0.5);
    // -4.5 after five quarters is paid back by nine more: at the end of the fourteenth.
    assert_eq!(outcome.break_even.unwrap().to_string(), "2029Q2");
    // 5 million over 2,000 a year and 5 years: 500 chips.
    near(outcome.break_even_chips.unwrap(), 500.0);
    near(outcome.supplier_margin_avoided_usd_m, 9.0);
    // The bought chip stops being dearer enough where 1,000 chips save 5 million over 7 years.
    near(
        outcome.indifference_price_usd.unwrap(),
        5000.0 + 5.0e6 / 7000.0 * 5.0,
    );
}

#[test]
fn a_workload_that_costs_more_on_the_own_chip_is_not_ported() {
    let text = PLAIN.replace("performance_ratio = 1", "performance_ratio = 0.3");
    let outcome = silicon::outcome(&scenario(&text).mid(), 0);
    // 1,000 / 0.3 is more than 3,000.
    assert!(!outcome.workloads[0].worth_porting);
    assert!(outcome.workloads[0].saving_usd_per_bought_chip_year < 0.0);
    near(outcome.npv_usd_m, -4.0);
    assert_eq!(outcome.break_even, None);
    assert_eq!(outcome.break_even_chips, None);
}

#[test]
fn porting_that_never_pays_is_left() {
    let text = PLAIN.replace("port_usd_m = 1", "port_usd_m = 20");
    let outcome = silicon::outcome(&scenario(&text).mid(), 0);
    // 14 million saved would not pay 20 of porting.
    assert!(!outcome.workloads[0].worth_porting);
}

#[test]
fn scarce_own_chips_go_where_they_save_most() {
    let second = PLAIN.rsplit_once("[[workload]]").unwrap().1;
    let second = second
        .replace("\"w\"", "\"fast\"")
        .replace("performance_ratio = 1", "performance_ratio = 2");
    let outcome = silicon::outcome(&scenario(&format!("{PLAIN}[[workload]]{second}")).mid(), 0);
    // 500 own chips do the fast workload, the other 500 half of the slow one.
    near(outcome.workloads[1].replaced_chips, 1000.0);
    near(outcome.workloads[0].replaced_chips, 500.0);
}

#[test]
fn later_demand_and_a_smaller_ramp_lower_the_value() {
    let text = PLAIN
        .replace("growth_per_year = 0", "growth_per_year = 0.5")
        .replace("volume_chips = 1000", "volume_chips = 9000");
    let point = scenario(&text).mid();
    let value = |p: &SiliconScenario<f64>, lag| silicon::outcome(p, lag).npv_usd_m;
    assert!(value(&point, 8) < value(&point, 4) && value(&point, 4) < value(&point, 0));
    let mut slower = point.clone();
    slower.own.ramp_quarters = 16;
    assert!(value(&slower, 0) < value(&point, 0));
    let mut dearer = point.clone();
    dearer.discount_rate = 0.1;
    assert!(value(&dearer, 0) < value(&point, 0));
}

#[test]
fn a_report_covers_every_lag() {
    let text = PLAIN.replace(
        "unit_cost_usd = 5000",
        "unit_cost_usd = { low = 4000, mid = 5000, high = 9000 }",
    );
    let report = silicon::report(&scenario(&text));
    assert_eq!(report.outcomes.len(), 2);
    assert_eq!(report.tornado[0].input, "own: unit cost");
    assert_eq!(report, silicon::report(&scenario(&text)));
}

//! The backlog schedule: by hand, conserved, and never over capacity.

use proptest::prelude::*;
use rialto_economics::backlog::{self, BacklogScenario, HOURS_PER_MONTH, Schedule};
use rialto_economics::parse_toml;

/// One contract of 730 million tokens a month; a bought chip-hour and an own chip-hour both make
/// one million. Ten bought chips at 2 dollars, then own chips at 1 dollar.
const MOVE: &str = r#"
name = "move"
start = "2027-01"
months = 4
slip_months = [0, 2]
adoption_lag_quarters = [0, 1]
[[chip]]
name = "bought"
own = false
usd_per_chip_hour = 2.0
utilisation = 1.0
basis = "estimate"
source = "invented"
[[chip]]
name = "own"
own = true
usd_per_chip_hour = 1.0
utilisation = 1.0
basis = "estimate"
source = "invented"
[[arrival]]
chip = "bought"
month = "2027-01"
chips = 1
[[arrival]]
chip = "own"
month = "2027-02"
chips = 0.5
[[arrival]]
chip = "own"
month = "2027-03"
chips = 10
[[rate]]
chip = "bought"
model = "m"
million_tokens_per_chip_hour = 1.0
from = "2027-01"
basis = "estimate"
source = "invented"
[[rate]]
chip = "own"
model = "m"
million_tokens_per_chip_hour = 1.0
from = "2027-02"
basis = "estimate"
source = "invented"
[[contract]]
name = "c"
model = "m"
tokens_million = 4380
start = "2027-01"
duration_months = 6
usd_per_million = 5.0
penalty_share = 0.5
grace_months = 0
agentic_share = 0.5
"#;

fn scenario(text: &str) -> BacklogScenario {
    parse_toml("backlog.toml", text).unwrap()
}

fn near(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-6 * b.abs().max(1.0), "{a} is not {b}");
}

#[test]
fn the_backlog_moves_as_own_chips_arrive() {
    let report = backlog::report(&scenario(MOVE));
    let on_time = &report.schedules[0];
    let own: Vec<f64> = on_time.months.iter().map(|m| m.own_million).collect();
    for (month, expected) in own.iter().zip([0.0, 365.0, 730.0, 730.0]) {
        near(*month, expected);
    }
    let c = &on_time.contracts[0];
    near(c.due_million, 2920.0);
    near(c.beyond_million, 1460.0);
    near(c.moved_share().unwrap(), 1825.0 / 2920.0);
    near(c.revenue_usd, 14_600.0);
    near(c.cost_usd, 1095.0 * 2.0 + 1825.0);
    assert_eq!(c.first_own_month.unwrap().to_string(), "2027-02");
    near(on_time.at_risk_usd, 0.0);
    // Bought alone serves everything at twice the cost.
    near(report.bought_only[0].total.cost_usd, 5840.0);
    near(report.bought_only[0].total.own_million, 0.0);
    // Two months late: the first own chips come in March.
    let late = &report.schedules[1];
    near(late.total.own_million, 365.0);
    assert_eq!(
        late.contracts[0].first_own_month.unwrap().to_string(),
        "2027-04"
    );
}

#[test]
fn late_agentic_demand_falls_due_later_on_chips_that_wait() {
    let report = backlog::report(&scenario(MOVE));
    let lags: Vec<(u32, u32)> = report
        .schedules
        .iter()
        .map(|s| (s.adoption_lag_quarters, s.slip_months))
        .collect();
    assert_eq!(lags, [(0, 0), (0, 2), (1, 0), (1, 2)]);
    // Half of each month's 730 comes from the fourth month on only.
    let late = &report.schedules[2];
    for (month, due) in late.months.iter().zip([365.0, 365.0, 365.0, 730.0]) {
        near(month.due_million, due);
    }
    near(late.total.beyond_million, 4380.0 - 1825.0);
    let on_time = &report.schedules[0];
    assert!(late.idle_usd > on_time.idle_usd);
    assert!(late.total.profit_usd() < on_time.total.profit_usd());
    assert!(report.bought_only[1].total.revenue_usd < report.bought_only[0].total.revenue_usd);
}

#[test]
fn what_is_not_served_in_time_is_lost_with_its_penalty() {
    // Half a chip for twice the tokens: half of each month is lost.
    let text = MOVE
        .replace("chips = 1\n", "chips = 0.5\n")
        .replace("chips = 10", "chips = 0");
    let text = text.replace("chips = 0.5\n\n", "chips = 0\n");
    let schedule = backlog::schedule(&scenario(&text), 12, 0);
    near(schedule.total.bought_million, 4.0 * 365.0);
    near(schedule.total.lost_million, 4.0 * 365.0);
    near(schedule.total.penalty_usd, 1460.0 * 2.5);
    near(schedule.at_risk_usd, 1460.0 * 7.5);
}

#[test]
fn grace_lets_tokens_wait() {
    // Half served in January; with a month of grace the rest is served in February by own chips.
    let text = MOVE
        .replace(
            "chip = \"bought\"\nmonth = \"2027-01\"\nchips = 1",
            "chip = \"bought\"\nmonth = \"2027-01\"\nchips = 0.5",
        )
        .replace(
            "month = \"2027-02\"\nchips = 0.5",
            "month = \"2027-02\"\nchips = 9",
        )
        .replace("grace_months = 0", "grace_months = 1");
    let schedule = backlog::schedule(&scenario(&text), 0, 0);
    near(schedule.months[0].waiting_million, 365.0);
    near(
        schedule.months[1].own_million + schedule.months[1].bought_million,
        1095.0,
    );
    near(schedule.total.lost_million, 0.0);
}

#[test]
fn scarce_chips_serve_what_is_worth_most() {
    let second = MOVE.rsplit_once("[[contract]]").unwrap().1;
    let second = second
        .replace("\"c\"", "\"dear\"")
        .replace("usd_per_million = 5.0", "usd_per_million = 9.0");
    let text = format!("{MOVE}[[contract]]{second}");
    let january = backlog::schedule(&scenario(&text), 0, 0);
    // One bought chip makes 730 in January; both contracts want 730.
    near(january.contracts[0].lost_million, 730.0 + 365.0);
    near(january.contracts[1].lost_million, 0.0);
}

#[test]
fn tokens_dearer_than_price_and_penalty_are_not_served() {
    let text = MOVE.replace("usd_per_million = 5.0", "usd_per_million = 1.0");
    let schedule = backlog::schedule(&scenario(&text), 0, 0);
    // A bought hour costs 2, the tokens and their penalty are worth 1.5.
    near(schedule.total.bought_million, 0.0);
    near(schedule.months[0].lost_million, 730.0);
}

fn conserved(schedule: &Schedule, scenario: &BacklogScenario) {
    for (result, contract) in schedule.contracts.iter().zip(&scenario.contract) {
        let served = result.bought_million + result.own_million;
        near(
            served + result.lost_million + result.waiting_million,
            result.due_million,
        );
        near(
            result.due_million + result.beyond_million,
            contract.tokens_million,
        );
    }
    let due: f64 = schedule.months.iter().map(|m| m.due_million).sum();
    near(schedule.total.due_million, due);
    let served: f64 = schedule
        .months
        .iter()
        .map(|m| m.bought_million + m.own_million)
        .sum();
    near(
        schedule.total.bought_million + schedule.total.own_million,
        served,
    );
    let profit: f64 = schedule.months.iter().map(|m| m.profit_usd).sum();
    near(schedule.total.profit_usd(), profit);
    for month in &schedule.months {
        for usage in [month.bought_use, month.own_use].into_iter().flatten() {
            assert!((0.0..=1.0 + 1e-9).contains(&usage), "{usage}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn tokens_are_conserved_and_capacity_is_kept(
        chips in proptest::collection::vec(0.0..4.0_f64, 3),
        rates in proptest::collection::vec(0.2..3.0_f64, 2),
        tokens in proptest::collection::vec(100.0..9000.0_f64, 3),
        prices in proptest::collection::vec(0.5..9.0_f64, 3),
        grace in 0_u32..4,
        slip in 0_u32..4,
        lag in 0_u32..4,
        agentic in 0.0..1.0_f64,
    ) {
        let mut scenario = scenario(MOVE);
        for (arrival, chips) in scenario.arrival.iter_mut().zip(&chips) {
            arrival.chips = *chips;
        }
        for (rate, tokens) in scenario.rate.iter_mut().zip(&rates) {
            rate.million_tokens_per_chip_hour = *tokens;
        }
        let template = scenario.contract[0].clone();
        scenario.contract = (0..3)
            .map(|i| {
                let mut contract = template.clone();
                contract.name = format!("c{i}");
                contract.tokens_million = tokens[i];
                contract.usd_per_million = prices[i];
                contract.grace_months = grace;
                contract.agentic_share = agentic;
                contract
            })
            .collect();
        let schedule = backlog::schedule(&scenario, slip, lag);
        conserved(&schedule, &scenario);
        // No month sells more than its chip-hours make.
        let most: f64 = chips.iter().sum::<f64>() * HOURS_PER_MONTH * rates[0].max(rates[1]);
        for month in &schedule.months {
            prop_assert!(month.bought_million + month.own_million <= most * (1.0 + 1e-9) + 1e-6);
        }
    }
}

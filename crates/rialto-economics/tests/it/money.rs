//! Cash flow, depreciation, ranges and linear programs against values worked out by hand.

use proptest::prelude::*;
use rialto_economics::cashflow::{self, Irr, capital_recovery_factor, irr, npv, payback_years};
use rialto_economics::depreciation::straight_line_quarter;
use rialto_economics::simplex::Program;
use rialto_economics::uncertainty::{Range, Uncertain, monte_carlo, quantile, tornado};

fn near(a: f64, b: f64, tolerance: f64) {
    assert!(
        (a - b).abs() <= tolerance,
        "{a} is not within {tolerance} of {b}"
    );
}

#[test]
fn present_value_of_known_flows() {
    // 100 in one year at 10 % is 90.909; in two years 82.645.
    near(npv(0.1, &[0.0, 100.0], 0.0, 1.0), 90.909_090_9, 1e-6);
    near(npv(0.1, &[-100.0, 60.0, 60.0], 0.0, 1.0), 4.132_231_4, 1e-6);
    // Half a year later everything is worth 1.1^0.5 less.
    near(npv(0.1, &[100.0], 0.5, 1.0), 95.346_258_9, 1e-6);
}

#[test]
fn internal_rate_of_known_flows() {
    // -100, 60, 60: 100 x^2 - 60 x - 60 = 0 gives x = 1.130662.
    near(
        irr(&[-100.0, 60.0, 60.0], 1.0).rate().unwrap(),
        0.130_662,
        1e-6,
    );
    // A bond bought at par yields its coupon.
    near(
        irr(&[-100.0, 5.0, 5.0, 105.0], 1.0).rate().unwrap(),
        0.05,
        1e-9,
    );
    // Quarterly flows: 2 % a quarter is 1.02^4 - 1 a year.
    near(
        irr(&[-100.0, 102.0], 0.25).rate().unwrap(),
        0.082_432_16,
        1e-8,
    );
}

#[test]
fn internal_rate_is_refused_where_there_is_none_or_more_than_one() {
    assert_eq!(irr(&[10.0, 20.0], 1.0), Irr::None);
    // -100 + 230/x - 132/x^2 has roots x = 1.1 and x = 1.2.
    assert_eq!(irr(&[-100.0, 230.0, -132.0], 1.0), Irr::Ambiguous);
}

#[test]
fn payback_is_the_last_crossing() {
    assert_eq!(payback_years(&[-100.0, 50.0, 100.0], 1.0), Some(2.5));
    assert_eq!(payback_years(&[-100.0, 50.0, 40.0], 1.0), None);
    // Positive after one year, negative again, positive for good inside the fourth step.
    assert_eq!(payback_years(&[-10.0, 20.0, -30.0, 40.0], 1.0), Some(3.5));
}

#[test]
fn capital_recovery_matches_the_annuity_table() {
    // 10 years at 8 %: 0.149029 (any annuity table).
    near(capital_recovery_factor(0.08, 10.0), 0.149_029, 1e-6);
    near(capital_recovery_factor(0.0, 5.0), 0.2, 1e-12);
}

#[test]
fn depreciation_schedule_by_hand() {
    // 120 over 5 years is 6 a quarter for 20 quarters, then nothing.
    let schedule: Vec<f64> = (0..22)
        .map(|age| straight_line_quarter(120.0, 0.0, 5.0, age))
        .collect();
    assert!(schedule[..20].iter().all(|q| (q - 6.0).abs() < 1e-12));
    assert_eq!(schedule[20..], [0.0, 0.0]);
    // A residual value is not written off.
    near(straight_line_quarter(120.0, 20.0, 5.0, 0), 5.0, 1e-12);
    // 2.6 years are 10.4 quarters: the eleventh takes 0.4 of a part.
    near(straight_line_quarter(104.0, 0.0, 2.6, 9), 10.0, 1e-9);
    near(straight_line_quarter(104.0, 0.0, 2.6, 10), 4.0, 1e-9);
    // Buildings: 30 years.
    near(straight_line_quarter(240.0, 0.0, 30.0, 119), 2.0, 1e-12);
}

#[test]
fn linear_program_with_a_known_optimum() {
    // max 3x + 5y, x <= 4, 2y <= 12, 3x + 2y <= 18: x = 2, y = 6 (Hillier and Lieberman).
    let program = Program {
        value: vec![3.0, 5.0],
        limits: vec![
            (vec![1.0, 0.0], 4.0),
            (vec![0.0, 2.0], 12.0),
            (vec![3.0, 2.0], 18.0),
        ],
    };
    let solution = program.maximise();
    near(solution[0], 2.0, 1e-9);
    near(solution[1], 6.0, 1e-9);
}

#[test]
fn linear_program_that_cycles_without_care() {
    // Beale's example: the textbook rule cycles on it; the optimum is 1.
    let program = Program {
        value: vec![0.75, -20.0, 0.5, -6.0],
        limits: vec![
            (vec![0.25, -8.0, -1.0, 9.0], 0.0),
            (vec![0.5, -12.0, -0.5, 3.0], 0.0),
            (vec![0.0, 0.0, 1.0, 0.0], 1.0),
        ],
    };
    let solution = program.maximise();
    let value: f64 = solution
        .iter()
        .zip(&program.value)
        .map(|(x, c)| x * c)
        .sum();
    near(value, 1.25, 1e-9);
}

#[test]
fn triangular_quantiles() {
    let range = Range::new(0.0, 1.0, 4.0);
    assert_eq!(range.at(0.0), 0.0);
    near(range.at(0.25), 1.0, 1e-12);
    near(range.at(1.0), 4.0, 1e-12);
    assert_eq!(Range::exact(7.0).at(0.3), 7.0);
    assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), Some(3.0));
    assert_eq!(quantile(&[], 0.5), None);
}

/// Profit of a shop: price times volume less cost.
struct Shop {
    price: Range,
    volume: Range,
    cost: Range,
}

impl Uncertain for Shop {
    type Point = (f64, f64, f64);
    fn resolve(&self, pick: &mut dyn FnMut(&str, Range) -> f64) -> (f64, f64, f64) {
        (
            pick("price", self.price),
            pick("volume", self.volume),
            pick("cost", self.cost),
        )
    }
}

const SHOP: Shop = Shop {
    price: Range::new(9.0, 10.0, 12.0),
    volume: Range::new(50.0, 100.0, 120.0),
    cost: Range::exact(600.0),
};

#[test]
fn tornado_moves_one_input_at_a_time() {
    let swings = tornado(&SHOP, |(price, volume, cost)| price * volume - cost);
    let told: Vec<(&str, f64, f64)> = swings
        .iter()
        .map(|s| (s.input.as_str(), s.at_low, s.at_high))
        .collect();
    assert_eq!(told, [("volume", -100.0, 600.0), ("price", 300.0, 600.0)]);
}

#[test]
fn monte_carlo_repeats_with_its_seed_and_centres_on_the_mean() {
    let run = |seed| monte_carlo(&SHOP, 20_000, seed, |(price, ..)| [Some(*price)]);
    let [first] = run(7);
    assert_eq!(run(7)[0], first);
    assert_ne!(run(8)[0], first);
    // The triangle 9, 10, 12 has its median at 12 - sqrt(0.5 * 3 * 2) = 10.268.
    near(first.p50.unwrap(), 10.268, 0.03);
    assert_eq!(first.defined_share, 1.0);
    assert_eq!(first.negative_share, 0.0);
}

proptest! {
    #[test]
    fn present_value_falls_as_the_discount_rises(
        spend in 1.0..1000.0_f64,
        income in proptest::collection::vec(0.0..100.0_f64, 1..40),
        low in 0.0..0.3_f64,
        step in 0.001..0.3_f64,
    ) {
        let mut flows = vec![-spend];
        flows.extend(income.iter().map(|i| i + 0.01));
        prop_assert!(npv(low + step, &flows, 0.0, 0.25) < npv(low, &flows, 0.0, 0.25));
    }

    #[test]
    fn depreciation_sums_to_cost_and_longer_lives_take_less_a_year(
        cost in 1.0..1e4_f64,
        life in 0.3..40.0_f64,
        longer in 0.1..20.0_f64,
    ) {
        let all: f64 = (0..200).map(|age| straight_line_quarter(cost, 0.0, life, age)).sum();
        prop_assert!((all - cost).abs() < 1e-9 * cost);
        let first = |life| straight_line_quarter(cost, 0.0, life, 0);
        // A life of less than a quarter is written off at once, whatever its length.
        prop_assert!(first(life + longer) < first(life));
    }

    #[test]
    fn the_rate_found_balances_the_flows(
        spend in 10.0..1000.0_f64,
        income in proptest::collection::vec(1.0..100.0_f64, 4..40),
    ) {
        let mut flows = vec![-spend];
        flows.extend(income);
        if let Irr::Rate(rate) = irr(&flows, 1.0) {
            prop_assert!(npv(rate, &flows, 0.0, 1.0).abs() < 1e-6 * spend);
        }
    }

    #[test]
    fn programs_keep_their_limits_and_beat_every_single_variable(
        value in proptest::collection::vec(0.0..10.0_f64, 3),
        use_a in proptest::collection::vec(0.1..5.0_f64, 3),
        use_b in proptest::collection::vec(0.1..5.0_f64, 3),
        limits in (0.0..100.0_f64, 0.0..100.0_f64),
    ) {
        let program = Program {
            value: value.clone(),
            limits: vec![(use_a.clone(), limits.0), (use_b.clone(), limits.1)],
        };
        let solution = program.maximise();
        let dot = |c: &[f64]| solution.iter().zip(c).map(|(x, c)| x * c).sum::<f64>();
        prop_assert!(solution.iter().all(|x| *x >= 0.0));
        prop_assert!(dot(&use_a) <= limits.0 + 1e-6);
        prop_assert!(dot(&use_b) <= limits.1 + 1e-6);
        for i in 0..3 {
            let alone = value[i] * (limits.0 / use_a[i]).min(limits.1 / use_b[i]);
            prop_assert!(dot(&value) >= alone - 1e-6);
        }
    }
}

#[test]
fn bisection_finds_the_root_or_says_there_is_none() {
    near(
        cashflow::bisect(0.0, 2.0, |x| x * x - 2.0).unwrap(),
        std::f64::consts::SQRT_2,
        1e-12,
    );
    near(cashflow::bisect(0.0, 2.0, |x| 1.0 - x).unwrap(), 1.0, 1e-12);
    assert_eq!(cashflow::bisect(0.0, 1.0, |x| x + 1.0), None);
}

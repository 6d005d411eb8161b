//! What holds for every domain and every text.

use proptest::prelude::*;
use rialto_lab::negotiate::analysis::Analysis;
use rialto_lab::negotiate::domain::Domain;
use rialto_lab::negotiate::generate::{SHAPES, generate};
use rialto_lab::negotiate::genius::{self, Evaluations};
use rialto_lab::negotiate::native;
use rialto_lab::negotiate::preferences::Preferences;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_outcome_dominates_the_frontier(shape in 0..SHAPES.len(), seed in any::<u64>()) {
        let domain = Domain::build(&generate(SHAPES[shape].0, seed)).unwrap();
        let [a, b] = [0, 1].map(|i| Preferences::new(&domain.profiles[i]));
        let analysis = Analysis::new(&a, &b);
        for outcome in 0..domain.space.len() as u32 {
            let (x, y) = (a.utility(outcome), b.utility(outcome));
            prop_assert!(!analysis.pareto.iter().any(|p| x >= p[0] && y >= p[1] && (x > p[0] || y > p[1])));
            prop_assert!(analysis.pareto.iter().any(|p| p[0] >= x && p[1] >= y));
        }
        prop_assert!(analysis.pareto.contains(&analysis.nash));
        prop_assert!(analysis.pareto.contains(&analysis.kalai));
    }

    #[test]
    fn a_target_is_met_by_the_nearest_outcome(shape in 0..SHAPES.len(), seed in any::<u64>(), target in 0.0..1.0f64) {
        let domain = Domain::build(&generate(SHAPES[shape].0, seed)).unwrap();
        let wishes = Preferences::new(&domain.profiles[0]);
        let found = wishes.utility(wishes.at_least(target).unwrap());
        prop_assert!(found >= target.max(wishes.floor()) - 1e-6 || wishes.rational() == 0);
        for outcome in 0..domain.space.len() as u32 {
            let u = wishes.utility(outcome);
            prop_assert!(!(u >= target && u >= wishes.reservation() && u < found));
        }
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in "[{}\\[\\]\":,a-z0-9<>&;!/= \n.-]{0,200}") {
        let _ = native::parse("t", &text);
        let _ = genius::kind(&text);
        let _ = genius::parse("t", ("t", &text), &[("p", &text)], Evaluations::ByMax);
    }
}

//! The same offers and agreements as NegMAS 0.16, for strategies that draw no random numbers.
//!
//! Domains and traces stand in tests/golden/negmas. The traces were made with bench/negmas_peer.py, which
//! says how, by `python bench/negmas_peer.py traces DIR DIR/*[0-9].json` with that folder as DIR. In none of the
//! domains are two outcomes worth the same to a side: NegMAS's order of those depends on the machine.

use std::path::Path;

use rialto_lab::negotiate::domain::Outcome;
use rialto_lab::negotiate::native;
use rialto_lab::negotiate::session::{Action, Deadline, Still, negotiate};
use rialto_lab::negotiate::strategy::Spec;
use rialto_lab::negotiate::tournament::NegotiationScenario;
use serde::Deserialize;

#[derive(Deserialize)]
struct Trace {
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    pair: [String; 2],
    rounds: u32,
    offers: Vec<Outcome>,
    agreement: Option<Outcome>,
}

#[test]
fn time_dependent_pairs_make_the_offers_that_negmas_makes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/negmas");
    let (mut runs, mut agreements) = (0, 0);
    for name in ["sum-60", "sum-1680", "mixed-352", "table-20", "opposed-216"] {
        let read =
            |ending| std::fs::read_to_string(folder.join(format!("{name}.{ending}"))).unwrap();
        let trace: Trace = serde_json::from_str(&read("trace.json")).unwrap();
        let domain = native::parse(name, &read("json")).unwrap();
        let scenario = NegotiationScenario::of(&domain).pop().unwrap();
        for run in trace.runs {
            let [a, b] = [0, 1].map(|i| run.pair[i].parse::<Spec>().unwrap());
            let mut a = a.build(&scenario.sides[0], 1);
            let mut b = b.build(&scenario.sides[1], 1);
            let mut offers = Vec::new();
            let settled = negotiate(
                [&mut *a, &mut *b],
                scenario.sides[0].space.len(),
                Deadline::rounds(run.rounds),
                0,
                &mut Still,
                &mut |_, _, action| {
                    if let Action::Offer(outcome) = action {
                        offers.push(outcome);
                    }
                },
            );
            let at = format!("{name} {:?} {} rounds", run.pair, run.rounds);
            assert_eq!(offers, run.offers, "{at}");
            assert_eq!(settled.agreement, run.agreement, "{at}");
            runs += 1;
            agreements += u32::from(run.agreement.is_some());
        }
    }
    assert_eq!((runs, agreements), (225, 191));
}

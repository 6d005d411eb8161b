//! The same offers and agreements as NegMAS 0.16, for strategies that draw no random numbers.
//!
//! The traces were made with bench/negmas_peer.py, which says how, by
//! `bench/negmas_peer.py traces crates/rialto-lab/tests/golden/negmas DIR/*.json`, where DIR held the
//! domains of `rialto negotiate generate SHAPE:2:1 DIR` for each shape, and on examples/domains/flat.json.

use std::path::Path;

use rialto_lab::negotiate::domain::{Domain, Outcome};
use rialto_lab::negotiate::generate::{Shape, generate};
use rialto_lab::negotiate::native;
use rialto_lab::negotiate::session::{Action, Deadline, Still, negotiate};
use rialto_lab::negotiate::strategy::Spec;
use rialto_lab::negotiate::tournament::Scenario;
use serde::Deserialize;

#[derive(Deserialize)]
struct Trace {
    domain: String,
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    pair: [String; 2],
    rounds: u32,
    offers: Vec<Outcome>,
    agreement: Option<Outcome>,
}

/// A domain of the examples, or the generated one of that name.
fn domain(name: &str) -> Domain {
    let example = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples/domains")
        .join(format!("{name}.json"));
    if let Ok(text) = std::fs::read_to_string(example) {
        return native::parse(name, &text).unwrap();
    }
    let (shape, seed) = name.rsplit_once('-').unwrap();
    let shape: Shape = shape.parse().unwrap();
    Domain::build(&generate(shape, seed.parse().unwrap())).unwrap()
}

#[test]
fn time_dependent_pairs_make_the_offers_that_negmas_makes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/negmas");
    let (mut runs, mut agreements) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let trace: Trace = serde_json::from_str(&text).unwrap();
        let scenario = Scenario::of(&domain(&trace.domain)).pop().unwrap();
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
            let at = format!("{} {:?} {} rounds", trace.domain, run.pair, run.rounds);
            assert_eq!(offers, run.offers, "{at}");
            assert_eq!(settled.agreement, run.agreement, "{at}");
            runs += 1;
            agreements += u32::from(run.agreement.is_some());
        }
    }
    assert!(
        runs >= 400 && agreements >= 200,
        "{runs} runs, {agreements} agreements"
    );
}

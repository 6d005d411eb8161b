//! Negotiations and rounds a second.
//!
//! The measurement uses one thread, domains of growing size with ten values for each issue, and pairs of
//! strategies that do not agree early. A *cold* negotiation begins with only the domain's utilities in
//! memory: it first normalises and sorts the outcomes. The others use the sorted outcomes of the
//! negotiation before, as a tournament does. `bench/negmas_peer.py` runs NegMAS on the same domains, which
//! are exported as they are made.

use std::sync::Arc;
use std::time::Instant;

use rialto_lab::negotiate::domain::Domain;
use rialto_lab::negotiate::generate::sized;
use rialto_lab::negotiate::native;
use rialto_lab::negotiate::preferences::Preferences;
use rialto_lab::negotiate::session::{Deadline, Still};
use rialto_lab::negotiate::strategy::Spec;
use rialto_lab::negotiate::tournament::NegotiationScenario;
use serde::Serialize;

use crate::{BenchError, Progress};

/// The numbers of outcomes of the domains.
const SIZES: [usize; 5] = [100, 1_000, 10_000, 100_000, 1_000_000];
/// Who meets whom, for how many rounds at most.
const PAIRS: [([&str; 2], u32); 5] = [
    (["boulware", "boulware"], 100),
    (["boulware", "boulware"], 1_000),
    (["boulware", "conceder"], 1_000),
    (["micro", "micro"], 1_000),
    (["rialto", "rialto"], 1_000),
];

/// Measures the speed of negotiations.
#[derive(Clone, Debug)]
pub struct NegotiatePlan {
    /// Seconds for each case.
    pub seconds: f64,
    /// The largest domain to measure, in outcomes.
    pub most: usize,
}

/// One domain and pair, measured.
#[derive(Clone, Debug, Serialize)]
pub struct NegotiateCase {
    /// The domain's file.
    pub file: String,
    /// Outcomes of the domain.
    pub outcomes: usize,
    /// Who meets whom.
    pub pair: [&'static str; 2],
    /// The most rounds.
    pub limit: u32,
    /// Rounds until it ended.
    pub rounds: u32,
    /// The outcome agreed on, if one was.
    pub agreement: Option<u32>,
    /// Negotiations a second.
    pub negotiations_per_s: f64,
    /// Rounds a second.
    pub rounds_per_s: f64,
    /// Rounds a second when outcomes are sorted anew each time.
    pub cold_rounds_per_s: f64,
}

/// Takes the measurement. Calls `export` with each domain as it is made: its file's name and its text.
///
/// # Errors
/// [`BenchError::Plan`], or an error of `export`.
pub fn measure(
    plan: &NegotiatePlan,
    export: &mut dyn FnMut(&str, &str) -> Result<(), BenchError>,
    progress: &mut dyn Progress,
) -> Result<Vec<NegotiateCase>, BenchError> {
    if !(plan.seconds > 0.0 && plan.seconds <= 600.0) {
        let said = "seconds is above 0 and at most 600";
        return Err(BenchError::Plan(said.to_owned()));
    }
    let sizes: Vec<usize> = SIZES
        .into_iter()
        .filter(|size| *size <= plan.most)
        .collect();
    progress.begins((sizes.len() * PAIRS.len()) as u64);
    let mut cases = Vec::new();
    for size in sizes {
        let spec = sized(size, 1);
        let file = format!("{}.json", spec.name);
        let text = native::write(&spec).map_err(|e| BenchError::defect(e.to_string()))?;
        export(&file, &text)?;
        let domain = Domain::build(&spec).map_err(|fault| BenchError::defect(fault.message))?;
        for (pair, limit) in PAIRS {
            cases.push(case(plan.seconds, &domain, &file, pair, limit)?);
            progress.done(1);
        }
    }
    Ok(cases)
}

fn case(
    seconds: f64,
    domain: &Domain,
    file: &str,
    pair: [&'static str; 2],
    limit: u32,
) -> Result<NegotiateCase, BenchError> {
    let parse = |name: &str| {
        name.parse::<Spec>()
            .map_err(|e| BenchError::defect(e.to_string()))
    };
    let specs = [parse(pair[0])?, parse(pair[1])?];
    let scenario = NegotiationScenario::of(domain)
        .pop()
        .ok_or_else(|| BenchError::defect("no scenario"))?;
    let deadline = Deadline::rounds(limit);
    let play = |scenario: &NegotiationScenario, seed: u64| {
        scenario.play([&specs[0], &specs[1]], 0, deadline, seed, &mut Still)
    };
    let settled = play(&scenario, 1);
    let warm = timed(seconds, || f64::from(play(&scenario, 1).rounds));
    let mut fresh = scenario.clone();
    let cold = timed(seconds, || {
        for (side, profile) in fresh.sides.iter_mut().zip(&domain.profiles) {
            side.wishes = Arc::new(Preferences::new(profile));
        }
        f64::from(play(&fresh, 1).rounds)
    });
    Ok(NegotiateCase {
        file: file.to_owned(),
        outcomes: domain.space.len(),
        pair,
        limit,
        rounds: settled.rounds,
        agreement: settled.agreement,
        negotiations_per_s: warm.0,
        rounds_per_s: warm.1,
        cold_rounds_per_s: cold.1,
    })
}

/// Repetitions and rounds a second.
fn timed(seconds: f64, mut once: impl FnMut() -> f64) -> (f64, f64) {
    let start = Instant::now();
    let (mut count, mut rounds) = (0.0, 0.0);
    loop {
        rounds += once();
        count += 1.0;
        let passed = start.elapsed().as_secs_f64();
        if passed >= seconds {
            return (count / passed, rounds / passed);
        }
    }
}

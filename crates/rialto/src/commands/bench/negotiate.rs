//! `rialto bench negotiate`: negotiations and rounds a second.
//!
//! One thread, domains of ten values an issue and growing size, pairs of strategies that do not meet early.
//! A *cold* negotiation begins with the domain's utilities in memory and nothing else: its outcomes are
//! normalised and sorted first. The others take the sorted outcomes from the one before, as a tournament
//! does. `bench/negmas_peer.py` runs NegMAS on the same domains, which `--export` writes, in the same run.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use rialto_lab::negotiate::domain::Domain;
use rialto_lab::negotiate::generate::sized;
use rialto_lab::negotiate::native;
use rialto_lab::negotiate::preferences::Preferences;
use rialto_lab::negotiate::session::{Deadline, Still};
use rialto_lab::negotiate::strategy::Spec;
use rialto_lab::negotiate::tournament::Scenario;
use serde::Serialize;

use super::super::negotiate::domains::write;
use crate::output::{CliError, Output};

/// Outcomes of the domains.
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
#[derive(Debug, Args)]
pub struct NegotiateArgs {
    /// Seconds for each case.
    #[arg(long, default_value_t = 0.5)]
    seconds: f64,
    /// Leave larger domains out.
    #[arg(long, default_value_t = 1_000_000)]
    most: usize,
    /// Write the domains to this folder, for a peer.
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
}

#[derive(Serialize)]
struct Case {
    file: String,
    outcomes: usize,
    pair: [&'static str; 2],
    limit: u32,
    rounds: u32,
    agreement: Option<u32>,
    negotiations_per_s: f64,
    rounds_per_s: f64,
    cold_rounds_per_s: f64,
}

/// Runs `rialto bench negotiate`.
pub fn run(args: &NegotiateArgs, out: Output) -> Result<(), CliError> {
    if !(args.seconds > 0.0 && args.seconds <= 600.0) {
        return Err(CliError::usage("--seconds is above 0 and at most 600"));
    }
    let sizes: Vec<usize> = SIZES
        .into_iter()
        .filter(|size| *size <= args.most)
        .collect();
    let bar = out.progress("bench", (sizes.len() * PAIRS.len()) as u64);
    let mut cases = Vec::new();
    for size in sizes {
        let spec = sized(size, 1);
        let file = format!("{}.json", spec.name);
        if let Some(folder) = &args.export {
            let text = native::write(&spec).map_err(|e| CliError::bug(e.to_string()))?;
            write(&folder.join(&file), &text)?;
        }
        let domain = Domain::build(&spec).map_err(|fault| CliError::bug(fault.message))?;
        for (pair, limit) in PAIRS {
            cases.push(measure(args.seconds, &domain, &file, pair, limit)?);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    out.json(&serde_json::json!({ "provenance": "measured", "threads": 1, "cases": cases }))?;
    for c in &cases {
        out.line(format!(
            "{:>9} outcomes, {:>8} and {:8} {:>5} rounds at most: {:>10.0} negotiations/s, \
             {:>11.0} rounds/s (cold {:.0})",
            c.outcomes,
            c.pair[0],
            c.pair[1],
            c.limit,
            c.negotiations_per_s,
            c.rounds_per_s,
            c.cold_rounds_per_s
        ))?;
    }
    Ok(())
}

fn measure(
    seconds: f64,
    domain: &Domain,
    file: &str,
    pair: [&'static str; 2],
    limit: u32,
) -> Result<Case, CliError> {
    let parse = |name: &str| name.parse::<Spec>().map_err(CliError::bug);
    let specs = [parse(pair[0])?, parse(pair[1])?];
    let scenario = Scenario::of(domain)
        .pop()
        .ok_or_else(|| CliError::bug("no scenario"))?;
    let deadline = Deadline::rounds(limit);
    let play = |scenario: &Scenario, seed: u64| {
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
    Ok(Case {
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

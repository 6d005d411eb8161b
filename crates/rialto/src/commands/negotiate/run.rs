//! `rialto negotiate run`: one negotiation, offer by offer.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use rialto_lab::negotiate::session::{Action, Clock, Deadline, Still, Turn, negotiate};
use rialto_lab::negotiate::strategy::Spec;
use rialto_lab::negotiate::tournament::NegotiationScenario;
use rialto_random::SplitMix64;
use serde::Serialize;

use super::domains::{Reading, read};
use super::strategy;
use crate::output::{CliError, Output};

/// The most rounds of a negotiation.
const MAX_ROUNDS: u32 = 100_000_000;

/// When a negotiation ends without an agreement.
#[derive(Debug, Args)]
pub(super) struct Until {
    /// Rounds until the deadline, a turn of each side in each; 100 without --seconds.
    #[arg(long)]
    rounds: Option<u32>,
    /// Seconds until the deadline, by the clock: such a run cannot be repeated exactly.
    #[arg(long)]
    seconds: Option<f64>,
}

impl Until {
    pub(super) fn deadline(&self) -> Result<Deadline, CliError> {
        if self.rounds.is_some_and(|n| !(1..=MAX_ROUNDS).contains(&n)) {
            return Err(CliError::usage(format!("--rounds is 1 to {MAX_ROUNDS}")));
        }
        if self.seconds.is_some_and(|s| !(s > 0.0 && s <= 3600.0)) {
            return Err(CliError::usage("--seconds is above 0 and at most 3600"));
        }
        let rounds = if self.seconds.is_none() {
            self.rounds.or(Some(100))
        } else {
            self.rounds
        };
        Ok(Deadline {
            rounds,
            seconds: self.seconds,
        })
    }
}

/// The clock on the wall, from when it is first asked.
#[derive(Default)]
pub(super) struct Wall(Option<Instant>);

impl Clock for Wall {
    fn seconds(&mut self) -> f64 {
        self.0
            .get_or_insert_with(Instant::now)
            .elapsed()
            .as_secs_f64()
    }
}

/// A clock for a deadline.
pub(super) fn clock(deadline: Deadline) -> Box<dyn Clock> {
    if deadline.seconds.is_some() {
        Box::new(Wall::default())
    } else {
        Box::new(Still)
    }
}

/// Who negotiates about what.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// A domain: a JSON file, or a folder of Genius XML files.
    domain: PathBuf,
    /// The first profile's strategy, which opens.
    #[arg(long, value_parser = strategy, default_value = "rialto")]
    a: Spec,
    /// The second profile's strategy.
    #[arg(long, value_parser = strategy, default_value = "boulware")]
    b: Spec,
    #[command(flatten)]
    until: Until,
    /// The seed of all randomness.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How evaluations in Genius files are read.
    #[arg(long, value_enum, default_value_t)]
    evaluations: Reading,
}

/// One turn as it is shown.
#[derive(Serialize)]
struct RunLine {
    round: u32,
    side: &'static str,
    time: f64,
    action: &'static str,
    outcome: Option<String>,
    /// Normalised utilities of what is on the table.
    utilities: Option<[f64; 2]>,
}

#[derive(Serialize)]
struct RunReport {
    domain: String,
    strategies: [String; 2],
    end: rialto_lab::negotiate::session::End,
    by: Option<&'static str>,
    rounds: u32,
    agreement: Option<String>,
    /// The agreement's number among all outcomes, the last issue's value changing fastest.
    outcome: Option<u32>,
    /// Normalised, with discount.
    utilities: [f64; 2],
    /// On each profile's own scale, without discount.
    as_written: [f64; 2],
    to_pareto: f64,
    trace: Vec<RunLine>,
}

const SIDES: [&str; 2] = ["a", "b"];

pub(super) fn run(args: &RunArgs, out: Output) -> Result<(), CliError> {
    let deadline = args.until.deadline()?;
    let domains = read(&args.domain, args.evaluations)?;
    let scenarios: Vec<NegotiationScenario> =
        domains.iter().flat_map(NegotiationScenario::of).collect();
    let [scenario] = &scenarios[..] else {
        let message = format!(
            "{} holds {} scenarios",
            args.domain.display(),
            scenarios.len()
        );
        return Err(CliError::usage(message).hint("name one domain of two profiles"));
    };
    let report = held(args, scenario, deadline);
    out.json(&report)?;
    for line in &report.trace {
        let utilities = line
            .utilities
            .map_or_else(String::new, |u| format!("{:.3} {:.3}", u[0], u[1]));
        let outcome = line.outcome.as_deref().unwrap_or("");
        out.line(format!(
            "{:>6} {:.3} {} {:7} {utilities:11} {outcome}",
            line.round + 1,
            line.time,
            line.side,
            line.action,
        ))?;
    }
    out.line(format!(
        "{}: {}",
        serde_json::to_value(report.end)
            .unwrap_or_default()
            .as_str()
            .unwrap_or_default(),
        report.agreement.as_deref().unwrap_or("no agreement")
    ))?;
    out.line(format!(
        "utilities {:.3} {:.3} · as written {} {} · {:.3} from the Pareto frontier · {} rounds",
        report.utilities[0],
        report.utilities[1],
        report.as_written[0],
        report.as_written[1],
        report.to_pareto,
        report.rounds
    ))
}

fn held(args: &RunArgs, scenario: &NegotiationScenario, deadline: Deadline) -> RunReport {
    let [left, right] = &scenario.sides;
    let mut a = args
        .a
        .build(left, SplitMix64::named(args.seed, &[0]).next_u64());
    let mut b = args
        .b
        .build(right, SplitMix64::named(args.seed, &[1]).next_u64());
    let space = &left.space;
    let utilities = |o| [left.wishes.utility(o), right.wishes.utility(o)];
    let mut trace = Vec::new();
    let mut watch = |side: usize, turn: &Turn, action: Action| {
        let (action, outcome) = match action {
            Action::Accept => ("accepts", turn.offer),
            Action::Offer(outcome) => ("offers", Some(outcome)),
            Action::Leave => ("leaves", None),
        };
        let outcome = outcome.filter(|o| (*o as usize) < space.len());
        trace.push(RunLine {
            round: turn.round,
            side: SIDES[side],
            time: turn.time,
            action,
            outcome: outcome.map(|o| space.text(o)),
            utilities: outcome.map(utilities),
        });
    };
    let mut clock = clock(deadline);
    let settled = negotiate(
        [&mut *a, &mut *b],
        space.len(),
        deadline,
        0,
        &mut *clock,
        &mut watch,
    );
    let point = scenario.point(&settled);
    RunReport {
        domain: scenario.name.clone(),
        strategies: [args.a.to_string(), args.b.to_string()],
        end: settled.end,
        by: settled.by.map(|side| SIDES[side]),
        rounds: settled.rounds,
        agreement: settled.agreement.map(|o| space.text(o)),
        outcome: settled.agreement,
        utilities: scenario.utilities(&settled),
        as_written: [0, 1].map(|i| scenario.sides[i].wishes.as_written(point[i])),
        to_pareto: scenario.analysis.to_pareto(point),
        trace,
    }
}

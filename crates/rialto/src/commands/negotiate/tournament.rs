//! `rialto negotiate tournament`: all pairs over all domains, both sides.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use rialto_lab::negotiate::strategy::Spec;
use rialto_lab::negotiate::tournament::{NegotiationScenario, Record, Table, TournamentPlan};
use serde::Serialize;

use super::domains::{Sources, write};
use super::run::{Until, clock};
use super::{plot, strategy};
use crate::output::{CliError, Output};

/// The most negotiations of a tournament: their records are kept in memory.
const MAX_NEGOTIATIONS: usize = 20_000_000;

/// Who meets whom, where.
#[derive(Debug, Args)]
pub(crate) struct TournamentArgs {
    #[command(flatten)]
    sources: Sources,
    /// The strategies that take part; by default all named ones.
    #[arg(long, value_parser = strategy, value_delimiter = ',')]
    strategies: Vec<Spec>,
    #[command(flatten)]
    until: Until,
    /// How often each negotiation is run, each time with another seed.
    #[arg(long, default_value_t = 1)]
    repeats: u32,
    /// The seed of all randomness.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads; by default as many as the machine has. The results do not depend on them.
    #[arg(long)]
    threads: Option<usize>,
    /// Write every negotiation to this file.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Draw the standings and the pairwise results into this SVG file.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

#[derive(Serialize)]
struct TournamentReport<'a> {
    seed: u64,
    deadline: rialto_lab::negotiate::session::Deadline,
    repeats: u32,
    #[serde(flatten)]
    table: &'a Table,
}

pub(super) fn run(args: &TournamentArgs, out: Output) -> Result<(), CliError> {
    let deadline = args.until.deadline()?;
    let scenarios = args.sources.scenarios()?;
    let strategies = match args.strategies.is_empty() {
        true => Spec::all(),
        false => args.strategies.clone(),
    };
    for (i, strategy) in strategies.iter().enumerate() {
        if strategies[..i].contains(strategy) {
            return Err(CliError::usage(format!("{strategy} is named twice")));
        }
    }
    let plan = TournamentPlan {
        strategies,
        deadline,
        repeats: args.repeats.max(1),
        seed: args.seed,
    };
    let total = plan.negotiations(scenarios.len());
    if total > MAX_NEGOTIATIONS {
        let message = format!("{total} negotiations; the most is {MAX_NEGOTIATIONS}");
        return Err(CliError::usage(message).hint("take fewer domains, strategies or repeats"));
    }
    let threads = args.threads.unwrap_or_else(|| {
        std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
    });
    let bar = out.progress("negotiations", total as u64);
    let records = plan.run(&scenarios, threads, &|| clock(deadline), &|| bar.inc(1));
    bar.finish_and_clear();
    let table = Table::of(&plan, scenarios.len(), &records);
    if let Some(file) = &args.csv {
        write(file, &csv(&plan, &scenarios, &records))?;
    }
    if let Some(file) = &args.plot {
        write(file, &plot::svg(&table))?;
    }
    out.json(&TournamentReport {
        seed: args.seed,
        deadline,
        repeats: plan.repeats,
        table: &table,
    })?;
    print(&table, out)
}

/// Every negotiation as a row (RFC 4180).
fn csv(plan: &TournamentPlan, scenarios: &[NegotiationScenario], records: &[Record]) -> String {
    let mut text = String::from(
        "domain,a,b,first,repeat,end,rounds,time,utility_a,utility_b,to_pareto,to_nash,to_kalai\n",
    );
    let cell = |text: &str| match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    };
    for r in records {
        let end = serde_json::to_value(r.end).unwrap_or_default();
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{},{},{},{},{},{},{}",
            cell(&scenarios[r.scenario].name),
            plan.strategies[r.pair[0]],
            plan.strategies[r.pair[1]],
            if r.first == 0 { "a" } else { "b" },
            r.repeat,
            end.as_str().unwrap_or_default(),
            r.rounds,
            r.time,
            r.utilities[0],
            r.utilities[1],
            r.to_pareto,
            r.to_nash,
            r.to_kalai
        );
    }
    text
}

/// A lead with three digits and its sign; none leads by nothing, which has no sign.
fn signed(lead: f64) -> String {
    match format!("{lead:+.3}").as_str() {
        "-0.000" | "+0.000" => "0.000".to_owned(),
        signed => signed.to_owned(),
    }
}

fn print(table: &Table, out: Output) -> Result<(), CliError> {
    out.line(format!(
        "{} scenarios, {} negotiations; utilities from 0 (worst outcome) to 1 (best), with discount",
        table.scenarios, table.negotiations
    ))?;
    if table.faults > 0 {
        out.note(format!(
            "{} negotiations ended by a strategy's fault",
            table.faults
        ));
    }
    out.line(format!(
        "{:14} {:>14} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7} {:>16}",
        "STRATEGY",
        "OWN",
        "OTHER",
        "JOINT",
        "AGREED",
        "PARETO",
        "NASH",
        "KALAI",
        "ROUNDS",
        "BEHIND"
    ))?;
    for s in &table.standings {
        let behind = s
            .behind
            .map_or_else(String::new, |b| format!("{:.4} ±{:.4}", b.mean, b.error));
        out.line(format!(
            "{:14} {:>14} {:>7.4} {:>7.4} {:>7.4} {:>7.4} {:>7.4} {:>7.4} {:>7.1} {behind:>16}",
            s.strategy,
            format!("{:.4} ±{:.4}", s.own.mean, s.own.error),
            s.other.mean,
            s.joint,
            s.agreed,
            s.to_pareto,
            s.to_nash,
            s.to_kalai,
            s.rounds,
        ))?;
    }
    out.line("")?;
    out.line("own utility less the other's, row against column (± half of a 95 % interval)")?;
    let names: Vec<&str> = table
        .standings
        .iter()
        .map(|s| s.strategy.as_str())
        .collect();
    let head: String = names.iter().map(|name| format!(" {name:>14}")).collect();
    out.line(format!("{:14}{head}", ""))?;
    for row in &names {
        let cells: String = names
            .iter()
            .filter_map(|column| {
                let found = |m: &&rialto_lab::negotiate::tournament::Meeting| {
                    m.strategy == *row && m.against == *column
                };
                let meeting = table.meetings.iter().find(found)?;
                let (mean, error) = (signed(meeting.lead.mean), meeting.lead.error);
                let cell = format!("{mean} ±{error:.3}");
                Some(format!(" {cell:>14}"))
            })
            .collect();
        out.line(format!("{row:14}{cells}"))?;
    }
    Ok(())
}

//! `rialto bench population`: many agents, some of them active.

use clap::Args;
use rialto_bench::population::{self, PopulationFigures, PopulationPlan};

use super::{Bar, PlaceArgs};
use crate::output::{CliError, Output};

/// Many agents, some of them active: memory, how long reads and writes take, the longest time that the
/// writer is busy without a break (its turn).
///
/// Starts its own server and registers agents through the front door, each with a key and a token. Then the
/// active ones write to other agents, look other agents up by handle, and read their own inboxes. Agents
/// are drawn at random, each equally likely, and the total rate is steady; times run from when a request
/// was due. The writer's longest turn is the longest time it worked without looking at its queue, from the
/// server's own metric, since its start.
#[derive(Debug, Args)]
pub(crate) struct PopulationArgs {
    /// Registered agents.
    #[arg(long, default_value_t = 150_000)]
    agents: usize,
    /// Active agents among them.
    #[arg(long, default_value_t = 10_000)]
    active: usize,
    /// Requests a second while they are active, half of them writes.
    #[arg(long, default_value_t = 1_000)]
    rate: usize,
    /// Seconds of activity.
    #[arg(long, default_value_t = 20)]
    seconds: usize,
    #[command(flatten)]
    place: PlaceArgs,
}

/// Runs `rialto bench population`.
pub(crate) async fn run(args: &PopulationArgs, out: Output) -> Result<(), CliError> {
    let plan = PopulationPlan {
        agents: args.agents,
        active: args.active,
        rate: args.rate,
        seconds: args.seconds,
    };
    let (place, mut bar) = (args.place.place()?, Bar::new(out));
    let report = population::measure(&plan, &place, &mut bar).await?;
    bar.clear();
    print(&report, out)
}

fn print(report: &PopulationFigures, out: Output) -> Result<(), CliError> {
    out.json(report)?;
    out.line(format!(
        "{} agents registered at {:.0}/s; {:.0} bytes each in the server's memory, {:.0} MiB in all",
        report.agents, report.registered_per_s, report.bytes_per_agent, report.server.now_mib
    ))?;
    out.line(format!(
        "{} active, {} requests/s: writes {}; reads {}",
        report.active,
        report.rate,
        report.writes.text(),
        report.reads.text()
    ))?;
    out.line(format!(
        "the writer's longest turn {:.1} ms",
        report.writer_longest_turn_ms
    ))
}

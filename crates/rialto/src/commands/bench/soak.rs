//! `rialto bench soak`: a mixed load over a long time.

use clap::Args;
use rialto_bench::soak::{self, SoakFigures, SoakPlan};

use super::{Bar, PlaceArgs};
use crate::output::{CliError, Exit, Output};

/// A mixed load over a long time: do memory and latency stay flat?
///
/// Starts its own server. Agents write to each other and pay each other at a steady rate; times run from
/// when a request was due. Each twelfth of the time gives a row. Memory is flat when what the server holds
/// grows in the second half at no more than half the pace of the first (contents and histories are on disk;
/// inboxes and keys fill up to their stated limits); latency is flat when the median p99 of the second half
/// is at most 1.5 times that of the first. Exit code 1 when one is not.
#[derive(Debug, Args)]
pub(crate) struct SoakArgs {
    /// How long.
    #[arg(long, default_value_t = 20.0)]
    minutes: f64,
    /// Requests a second.
    #[arg(long, default_value_t = 2_500)]
    rate: usize,
    #[command(flatten)]
    place: PlaceArgs,
}

/// Runs `rialto bench soak`.
pub(crate) async fn run(args: &SoakArgs, out: Output) -> Result<(), CliError> {
    let plan = SoakPlan {
        minutes: args.minutes,
        rate: args.rate,
    };
    let (place, mut bar) = (args.place.place()?, Bar::new(out));
    let report = soak::measure(&plan, &place, &mut bar).await?;
    bar.clear();
    print(&report, out)
}

fn print(report: &SoakFigures, out: Output) -> Result<(), CliError> {
    out.json(report)?;
    for part in &report.parts {
        out.line(format!(
            "from {:>6.0} s: {} requests, {}; server {:.0} MiB",
            part.from_s,
            part.requests.count,
            part.requests.text(),
            part.memory_mib
        ))?;
    }
    let word = |flat: bool| if flat { "flat" } else { "NOT flat" };
    out.line(format!(
        "memory {}, latency {}",
        word(report.memory_flat),
        word(report.latency_flat)
    ))?;
    if report.memory_flat && report.latency_flat {
        return Ok(());
    }
    Err(CliError::new(
        Exit::Failed,
        "memory or latency did not stay flat",
    ))
}

//! `rialto bench deals`: whole deals a second.

use clap::Args;
use rialto_bench::deals::{self, DealsFigures, DealsPlan};

use super::{Bar, PlaceArgs};
use crate::output::{CliError, Output};

/// Whole deals a second: offer, acceptance with its hold, delivery, acceptance, settlement.
///
/// Starts its own server as another process, with the realm on disk. Half of the agents buy, half sell;
/// they belong to eight owners. Each lane is a buyer and a seller who make one deal after another: an
/// offer, its acceptance (which holds the money), the delivery, and the acceptance of the delivery (which
/// settles). The first case sends one request for each step; the second sends requests that each hold one
/// step of many deals. A deal counts when the answer to its last step is back: it is durable then.
#[derive(Debug, Args)]
pub(crate) struct DealsArgs {
    /// Deals by single requests.
    #[arg(long, default_value_t = 30_000)]
    deals: usize,
    /// Deals in batches.
    #[arg(long, default_value_t = 100_000)]
    batched: usize,
    /// Pairs of a buyer and a seller that deal at the same time.
    #[arg(long, default_value_t = 64)]
    lanes: usize,
    /// Deals in a request of the second case.
    #[arg(long, default_value_t = 1_000)]
    batch: usize,
    #[command(flatten)]
    place: PlaceArgs,
}

/// Runs `rialto bench deals`.
pub(crate) async fn run(args: &DealsArgs, out: Output) -> Result<(), CliError> {
    let plan = DealsPlan {
        deals: args.deals,
        batched: args.batched,
        lanes: args.lanes,
        batch: args.batch,
    };
    let (place, mut bar) = (args.place.place()?, Bar::new(out));
    let report = deals::measure(&plan, &place, &mut bar).await?;
    bar.clear();
    print(&report, out)
}

fn print(report: &DealsFigures, out: Output) -> Result<(), CliError> {
    out.json(report)?;
    out.line(format!(
        "{} pairs at a time by single requests; {} deals a request in batches",
        report.lanes, report.batch
    ))?;
    for case in &report.cases {
        out.line(format!(
            "{:<16} {:>7.0} deals/s acknowledged, {:>7.0}/s indexed; {} in {:.2} s; request {}; server {:.0} MiB",
            case.name,
            case.deals_per_s,
            case.indexed_per_s,
            case.deals,
            case.seconds,
            case.requests.text(),
            case.server.now_mib,
        ))?;
    }
    Ok(())
}

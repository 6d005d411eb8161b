//! `rialto bench fairness`: what one owner's flood costs another.

use clap::Args;
use rialto_bench::fairness::{self, FairnessFigures, FairnessPlan};

use super::{Bar, PlaceArgs};
use crate::output::{CliError, Output};

/// How long the deals of one owner take, alone and while another floods the writer.
///
/// Starts a server of its own as another process, on disk. One pair of agents makes one deal after
/// another by single requests; first alone, then while agents of another owner send long batches of
/// transfers on several connections, each as fast as it is answered. Server and clients share the
/// machine, so part of what the flood costs is processor time and not waiting in line.
#[derive(Debug, Args)]
pub(crate) struct FairnessArgs {
    /// Deals of the quiet owner in each case.
    #[arg(long, default_value_t = 1_000)]
    deals: usize,
    /// Connections of the flood.
    #[arg(long, default_value_t = 16)]
    flood: usize,
    /// Transfers in a request of the flood.
    #[arg(long, default_value_t = 1_000)]
    batch: usize,
    #[command(flatten)]
    place: PlaceArgs,
}

/// Runs `rialto bench fairness`.
pub(crate) async fn run(args: &FairnessArgs, out: Output) -> Result<(), CliError> {
    let plan = FairnessPlan {
        deals: args.deals,
        flood: args.flood,
        batch: args.batch,
    };
    let (place, mut bar) = (args.place.place()?, Bar::new(out));
    let report = fairness::measure(&plan, &place, &mut bar).await?;
    bar.clear();
    print(&report, out)
}

fn print(report: &FairnessFigures, out: Output) -> Result<(), CliError> {
    out.json(report)?;
    for case in &report.cases {
        out.line(format!(
            "{:<16} request {}; flood {:.0} transfers/s",
            case.name,
            case.requests.text(),
            case.flood_per_s,
        ))?;
    }
    out.line(format!(
        "p99 beside the flood is {:.1} times that alone; server {:.0} MiB",
        report.p99_ratio, report.server.now_mib
    ))
}

//! `rialto bench ledger`: transfers a second through the front door.

use clap::Args;
use rialto_bench::ledger::{self, LedgerFigures, LedgerPlan};

use super::{Bar, PlaceArgs};
use crate::output::{CliError, Output};

/// Durable transfers a second through the server's API.
///
/// Starts its own server as another process, with the realm on disk. An owner opens the accounts, gets
/// money, and its admin sends `ledger.transfer` requests over loopback, several at a time, each a batch
/// that is all or nothing. A batch counts when its answer is back: it is durable then. The bodies of the
/// requests are prepared beforehand. There are three cases, one after another in the same realm: transfers
/// between accounts drawn at random, each equally likely; the same transfers as holds, each paid out by a
/// second batch; and transfers between ten accounts. "Indexed" counts until the views have taken in the
/// last of them.
#[derive(Debug, Args)]
pub(crate) struct LedgerArgs {
    /// Transfers in each case.
    #[arg(long, default_value_t = 1_000_000)]
    transfers: usize,
    /// Accounts they move between.
    #[arg(long, default_value_t = 10_000)]
    accounts: usize,
    /// Transfers in a request, at most 8190.
    #[arg(long, default_value_t = ledger::MOST)]
    batch: usize,
    /// Requests under way at a time.
    #[arg(long, default_value_t = 2)]
    lanes: usize,
    #[command(flatten)]
    place: PlaceArgs,
}

/// Runs `rialto bench ledger`.
pub(crate) async fn run(args: &LedgerArgs, out: Output) -> Result<(), CliError> {
    let plan = LedgerPlan {
        transfers: args.transfers,
        accounts: args.accounts,
        batch: args.batch,
        lanes: args.lanes,
    };
    let (place, mut bar) = (args.place.place()?, Bar::new(out));
    let report = ledger::measure(&plan, &place, &mut bar).await?;
    bar.clear();
    print(&report, out)
}

fn print(report: &LedgerFigures, out: Output) -> Result<(), CliError> {
    out.json(report)?;
    out.line(format!(
        "{} accounts, {} transfers a request, {} requests at a time; durable when acknowledged",
        report.accounts, report.batch, report.lanes
    ))?;
    for case in &report.cases {
        out.line(format!(
            "{:<18} {:>9.0}/s acknowledged, {:>8.0}/s indexed; {} in {:.2} s; batch {}; server {:.0} MiB",
            case.name,
            case.acknowledged_per_s,
            case.indexed_per_s,
            case.transfers,
            case.seconds,
            case.batches.text(),
            case.server.now_mib,
        ))?;
    }
    out.line(format!("trial balance {}", report.trial_balance))
}

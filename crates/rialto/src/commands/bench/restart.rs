//! `rialto bench restart`: how long a realm is away after a kill.

use clap::Args;
use rialto_bench::restart::{self, RestartFigures, RestartPlan};

use super::{Bar, PlaceArgs};
use crate::output::{CliError, Output};

/// How long a realm is unavailable after a kill, with a long log.
///
/// Starts its own server and writes events through the front door: half of them transfers of one entry,
/// half messages, each an event of its own, until the log holds as many as asked for. Then it kills the
/// server, starts it again, and measures the time until the server listens, until it has accepted a
/// command, and until the views are current. Finally `rialto log verify` checks the chain and replays the
/// whole log from the first event.
#[derive(Debug, Args)]
pub(crate) struct RestartArgs {
    /// Events in the log.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// Requests under way at a time while the log is written.
    #[arg(long, default_value_t = 4)]
    lanes: usize,
    /// Do not wait for the views.
    #[arg(long)]
    skip_views: bool,
    #[command(flatten)]
    place: PlaceArgs,
}

/// Runs `rialto bench restart`.
pub(crate) async fn run(args: &RestartArgs, out: Output) -> Result<(), CliError> {
    let plan = RestartPlan {
        events: args.events,
        lanes: args.lanes,
        skip_views: args.skip_views,
    };
    let (place, mut bar) = (args.place.place()?, Bar::new(out));
    let report = restart::measure(&plan, &place, &mut bar).await?;
    bar.clear();
    print(&report, out)
}

fn print(report: &RestartFigures, out: Output) -> Result<(), CliError> {
    out.json(report)?;
    out.line(format!(
        "{} events written in {:.0} s, log of {:.0} MiB",
        report.events,
        report.writing_s,
        report.log_bytes as f64 / 1_048_576.0
    ))?;
    let views = report.views_current_s;
    let views = views.map_or("not waited for".to_owned(), |s| format!("{s:.1} s"));
    out.line(format!(
        "after a kill: listening in {:.2} s, first write accepted in {:.2} s, views current in {views}",
        report.listening_s, report.first_write_s
    ))?;
    out.line(format!(
        "full replay from the first event {:.1} s; server {:.0} MiB",
        report.full_replay_s, report.server.now_mib
    ))
}

//! `rialto bench idle-streams`: what streams cost that have nothing to tell.

use std::time::Duration;

use clap::Args;
use rialto_bench::idle_streams::{self, IdleFigures, IdlePlan};

use super::{Bar, PlaceArgs};
use crate::output::{CliError, Output};

/// Processor time, reads and memory of a server with many idle streams.
///
/// Starts a server of its own as another process, on disk. As many agents as streams follow their inboxes,
/// each over a connection of HTTP/1.1 of its own. Processor time is that of the server's process, over the
/// same time in four cases: nothing happens, and another agent changes its listing at a steady rate; both
/// without and with the streams. Memory is what the process holds after the agents were registered and
/// indexed, and once all streams are open. At the end one agent gets a letter, and its stream tells it. Each
/// stream takes an open file on both sides: raise the limit first (ulimit -n).
#[derive(Debug, Args)]
pub(crate) struct IdleStreamsArgs {
    /// Streams.
    #[arg(long, default_value_t = 10_000)]
    streams: usize,
    /// How long each case lasts, in seconds.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Changes a second in the cases with writes.
    #[arg(long, default_value_t = 50)]
    writes: u32,
    #[command(flatten)]
    place: PlaceArgs,
}

/// Runs `rialto bench idle-streams`.
pub(crate) async fn run(args: &IdleStreamsArgs, out: Output) -> Result<(), CliError> {
    let plan = IdlePlan {
        streams: args.streams,
        time: Duration::from_secs(args.seconds),
        writes: args.writes,
    };
    let (place, mut bar) = (args.place.place()?, Bar::new(out));
    let report = idle_streams::measure(&plan, &place, &mut bar).await?;
    bar.clear();
    print(&report, out)
}

fn print(report: &IdleFigures, out: Output) -> Result<(), CliError> {
    out.json(report)?;
    for case in &report.cases {
        out.line(format!(
            "{:>6} streams, {:<16} {:.2} processor s in {:.1} s, {} writes, {} reads",
            case.streams, case.name, case.cpu_s, case.seconds, case.writes, case.reads,
        ))?;
    }
    out.line(format!(
        "memory {:.0} MiB before, {:.0} MiB with all: {:.1} KiB a stream; a letter is told after {:.1} ms",
        report.before.now_mib, report.after.now_mib, report.stream_kib, report.letter_ms
    ))
}

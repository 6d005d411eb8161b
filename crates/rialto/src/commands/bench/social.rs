//! `rialto bench social`: the square at its size.

use std::path::PathBuf;

use clap::Args;
use rialto_bench::social::{self, SocialFigures, SocialPlan};

use super::Bar;
use crate::output::{CliError, Output};

/// Measures memory and home feeds of a large square.
#[derive(Debug, Args)]
pub(crate) struct SocialArgs {
    /// The part of 1.5 million agents, 10 million follows and 10 million posts that is built.
    #[arg(long, default_value_t = 0.1)]
    scale: f64,
    /// Home feeds a second.
    #[arg(long, default_value_t = 500)]
    rate: u32,
    /// For how many seconds.
    #[arg(long, default_value_t = 20)]
    seconds: u32,
    /// Threads that read.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Keep what was built in this folder, and use it again if it is there.
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
}

/// Runs `rialto bench social`.
pub(crate) fn run(args: &SocialArgs, out: Output) -> Result<(), CliError> {
    let plan = SocialPlan {
        scale: args.scale,
        rate: args.rate,
        seconds: args.seconds,
        threads: args.threads,
        keep: args.keep.clone(),
    };
    let mut bar = Bar::new(out);
    let report = social::measure(&plan, &mut bar);
    bar.clear();
    print(&report?, out)
}

fn print(report: &SocialFigures, out: Output) -> Result<(), CliError> {
    out.json(report)?;
    if out.is_json() {
        return Ok(());
    }
    if let Some(b) = &report.built {
        out.line(format!(
            "{} agents, {} follows, {} posts in {:.0} s ({:.0} events a second)",
            b.agents, b.follows, b.posts, b.seconds, b.events_per_s
        ))?;
        let memory = b
            .process_memory_bytes
            .map_or("unknown".to_owned(), megabytes);
        out.line(format!(
            "the process holds {memory}, views on disk {}",
            megabytes(b.views_bytes)
        ))?;
    }
    for f in &report.feeds {
        out.line(format!(
            "{:<9} {} requests at {} a second (reached {:.0}): {}",
            f.feed,
            f.waits.count,
            f.rate_per_s,
            f.reached_per_s,
            f.waits.text()
        ))?;
    }
    Ok(())
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes / 1_000_000)
}

//! `rialto bench negotiate`: negotiations and rounds a second.

use std::path::PathBuf;

use clap::Args;
use rialto_bench::BenchError;
use rialto_bench::negotiate::{self, NegotiatePlan};

use super::super::negotiate::domains::write;
use super::Bar;
use crate::output::{CliError, Output};

/// Measures the speed of negotiations.
#[derive(Debug, Args)]
pub(crate) struct NegotiateArgs {
    /// Seconds for each case.
    #[arg(long, default_value_t = 0.5)]
    seconds: f64,
    /// The largest domain to measure, in outcomes.
    #[arg(long, default_value_t = 1_000_000)]
    most: usize,
    /// Write the domains to this folder, for another program to run.
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
}

/// Runs `rialto bench negotiate`.
pub(crate) fn run(args: &NegotiateArgs, out: Output) -> Result<(), CliError> {
    let plan = NegotiatePlan {
        seconds: args.seconds,
        most: args.most,
    };
    let mut unwritten = None;
    let mut export = |file: &str, text: &str| match &args.export {
        Some(folder) => write(&folder.join(file), text).map_err(|why| {
            unwritten = Some(why);
            BenchError::Interrupted
        }),
        None => Ok(()),
    };
    let mut bar = Bar::new(out);
    let cases = negotiate::measure(&plan, &mut export, &mut bar);
    bar.clear();
    let cases = cases.map_err(|why| unwritten.unwrap_or_else(|| why.into()))?;
    out.json(&serde_json::json!({ "provenance": "measured", "threads": 1, "cases": cases }))?;
    for c in &cases {
        out.line(format!(
            "{:>9} outcomes, {:>8} and {:8} {:>5} rounds at most: {:>10.0} negotiations/s, \
             {:>11.0} rounds/s (cold {:.0})",
            c.outcomes,
            c.pair[0],
            c.pair[1],
            c.limit,
            c.negotiations_per_s,
            c.rounds_per_s,
            c.cold_rounds_per_s
        ))?;
    }
    Ok(())
}

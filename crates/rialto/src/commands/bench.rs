//! `rialto bench …`: how fast, how large; each with its method in `--help`.

mod social;

use clap::Subcommand;

use super::fleet::bench::{BenchArgs, run_bench};
use crate::output::{CliError, Output};

/// What is measured.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// The speed of the serving twin: simulated requests a second at iteration level.
    Fleet(BenchArgs),
    /// The square at its size: memory, and the home feed under a steady rate of readers.
    Social(social::SocialArgs),
}

/// Runs one benchmark.
///
/// # Errors
/// When its input cannot be used.
pub(crate) fn run(command: &BenchCommand, out: Output) -> Result<(), CliError> {
    match command {
        BenchCommand::Fleet(args) => run_bench(args, out),
        BenchCommand::Social(args) => social::run(args, out),
    }
}

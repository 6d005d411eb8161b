//! `rialto clock …`: the realm's clock.

use clap::{Args, Subcommand};
use serde_json::json;

use super::remote::{self, Remote};
use crate::output::{CliError, Output};

/// The realm's clock.
#[derive(Debug, Args)]
pub struct ClockArgs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: ClockCommand,
}

#[derive(Debug, Subcommand)]
enum ClockCommand {
    /// Accepts that the clock has jumped ahead by more than an hour; by the operator.
    Accept,
}

/// Runs one clock command.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn run(args: ClockArgs, out: Output) -> Result<(), CliError> {
    let ClockCommand::Accept = args.command;
    remote::carry_out(&args.remote, out, "clock.accept", json!({})).await
}

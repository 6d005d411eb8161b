//! `rialto clock …`: the realm's clock beside the machine's.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::remote::{self, Remote};
use super::show;
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
    /// Shows the realm's clock and the machine's, and what to do if they differ.
    Show,
    /// Accepts that the clock has jumped ahead by more than an hour; for the operator.
    Accept,
    /// Sets the realm's clock back to the machine's after a mistaken jump; for the operator. What
    /// expired during the jump stays expired.
    Back,
}

/// Runs one clock command.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn run(args: ClockArgs, out: Output) -> Result<(), CliError> {
    let op = match args.command {
        ClockCommand::Show => {
            let realm = args.remote.client()?.get("/api/realm").await?;
            let clock = realm.get("clock").cloned().unwrap_or(Value::Null);
            return show::record(out, &clock);
        }
        ClockCommand::Accept => "clock.accept",
        ClockCommand::Back => "clock.set_back",
    };
    remote::carry_out(&args.remote, out, op, json!({})).await
}

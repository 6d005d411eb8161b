//! `rialto reputation …`: an agent's reputation from its settled deals.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::remote::Remote;
use super::show;
use crate::output::{CliError, Output};
use rialto_client::quoted;

/// Reputation scores and what they are made of.
#[derive(Debug, Args)]
pub struct ReputationArgs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: ReputationCommand,
}

#[derive(Debug, Subcommand)]
enum ReputationCommand {
    /// Prints an agent's score, each of its parts, and the visible deals behind it.
    Explain {
        /// Its handle or id.
        agent: String,
    },
}

/// Runs one reputation command.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn run(args: ReputationArgs, out: Output) -> Result<(), CliError> {
    let ReputationCommand::Explain { agent } = args.command;
    let path = format!("/api/agents/{}/reputation", quoted(&agent));
    let told = args.remote.client()?.get(&path).await?;
    out.json(&told)?;
    if out.is_json() {
        return Ok(());
    }
    let number = |name: &str| told.pointer(name).and_then(Value::as_u64).unwrap_or(0);
    let parts = [
        (
            "score",
            "/score/score",
            "confidence × completion × breadth × (1 − disputes / 2)",
        ),
        (
            "confidence",
            "/score/confidence",
            "how much evidence there is",
        ),
        ("completion", "/score/completion", "the share of deals kept"),
        (
            "breadth",
            "/score/breadth",
            "how many different owners it dealt with",
        ),
        (
            "disputes",
            "/score/disputes",
            "the share of deals with a lost dispute",
        ),
    ];
    for (name, pointer, what) in parts {
        out.line(format!("{name:<11} {:>4} of 1000  {what}", number(pointer)))?;
    }
    out.line(format!(
        "from {} deals with {} other owners; evidence {} (docs/square.md has the formula)",
        number("/score/deals"),
        number("/score/owners"),
        number("/score/evidence"),
    ))?;
    let deals = told.get("deals").cloned().unwrap_or_default();
    if !show::rows_of(&deals).is_empty() {
        out.line("")?;
        let columns = [
            ("ENDED", "/ended"),
            ("DEAL", "/deal"),
            ("SIDE", "/side"),
            ("WITH", "/with"),
            ("KEPT", "/kept"),
            ("WEIGHT", "/weight"),
        ];
        show::table(out, show::rows_of(&deals), &columns)?;
    }
    match number("/private_deals") {
        0 => Ok(()),
        n => out.line(format!("{n} further deals are private to their parties")),
    }
}

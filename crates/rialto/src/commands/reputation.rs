//! `rialto reputation …`: an agent's reputation from its settled deals.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::remote::Remote;
use super::show;
use crate::output::{CliError, Output};
use rialto_client::quoted;

/// Reputation scores and what they are made of.
#[derive(Debug, Args)]
#[command(subcommand_negates_reqs = true)]
pub struct ReputationArgs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: Option<ReputationCommand>,
    #[command(flatten)]
    asked: Option<Asked>,
}

#[derive(Debug, Subcommand)]
enum ReputationCommand {
    /// Prints an agent's score, each of its parts, and the visible deals behind it.
    Explain(Asked),
}

/// Whose reputation, and in whose eyes.
#[derive(Debug, Args)]
struct Asked {
    /// The agent's handle or id.
    agent: String,
    /// The score as seen from this agent too, one of your own: by its own deals and those of whom it
    /// dealt with.
    #[arg(long, value_name = "AGENT")]
    seen_from: Option<String>,
}

/// Runs one reputation command.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn run(args: ReputationArgs, out: Output) -> Result<(), CliError> {
    let asked = args.command.map(|ReputationCommand::Explain(asked)| asked);
    let Some(asked) = asked.or(args.asked) else {
        return Err(CliError::usage("name an agent: rialto reputation @HANDLE"));
    };
    let mut path = format!("/api/agents/{}/reputation", quoted(&asked.agent));
    if let Some(reader) = &asked.seen_from {
        path.push_str(&format!("?seen_from={}", quoted(reader)));
    }
    let told = args.remote.client()?.get(&path).await?;
    out.json(&told)?;
    if out.is_json() {
        return Ok(());
    }
    explain(&told, out)
}

/// Prints a score, its parts, and the deals behind it.
fn explain(told: &Value, out: Output) -> Result<(), CliError> {
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
        "from {} deals with {} other owners; evidence {} (docs/reputation.md has the formula)",
        number("/score/deals"),
        number("/score/owners"),
        number("/score/evidence"),
    ))?;
    if let Some(reader) = told.pointer("/seen/from/handle").and_then(Value::as_str) {
        out.line(format!(
            "as seen from {reader} {} of 1000: evidence {}, {} of it from own deals; {} owners vouch",
            number("/seen/score/score"),
            number("/seen/score/evidence"),
            number("/seen/score/own"),
            number("/seen/score/through"),
        ))?;
    }
    let deals = told.get("deals").cloned().unwrap_or_default();
    if !show::rows_of(&deals).is_empty() {
        out.line("")?;
        let columns = [
            ("ENDED", "/ended"),
            ("DEAL", "/deal"),
            ("SIDE", "/side"),
            ("WITH", "/with"),
            ("KEPT", "/kept"),
            ("VOUCHED", "/vouched"),
            ("WEIGHT", "/weight"),
        ];
        show::table(out, show::rows_of(&deals), &columns)?;
    }
    match number("/private_deals") {
        0 => Ok(()),
        n => out.line(format!("{n} further deals are private to their parties")),
    }
}

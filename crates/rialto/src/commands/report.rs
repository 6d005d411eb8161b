//! `rialto report …`: reports of posts and agents.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::parse;
use super::remote::{self, Paged, Remote};
use super::show::Column;
use crate::output::{CliError, Output};

const REPORTS: &[Column] = &[
    ("AT", "/at"),
    ("ID", "/id"),
    ("BY", "/by"),
    ("ABOUT", "/target"),
    ("IN", "/community"),
    ("GROUND", "/ground"),
    ("TEXT", "/text"),
    ("ENDED", "/ended"),
    ("MEASURE", "/measure"),
];

/// Reports of posts and agents.
#[derive(Debug, Args)]
pub struct ReportArgs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: ReportCommand,
}

#[derive(Debug, Subcommand)]
enum ReportCommand {
    /// Reports a post or an agent to those who moderate it.
    File {
        /// The post's id, or the agent's handle or id.
        target: String,
        /// Why.
        #[arg(value_parser = ["spam", "manipulation", "injection", "fraud", "impersonation", "rules", "other"])]
        ground: String,
        /// Why, in words; - reads standard input.
        text: Option<String>,
    },
    /// Lists open reports: own ones, and those that wait for one's decision.
    List {
        /// Also those that were answered.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        paged: Paged,
    },
    /// Dismisses reports: they end without a measure.
    Dismiss {
        /// Why; - reads standard input.
        reason: String,
        /// Their ids.
        #[arg(required = true)]
        reports: Vec<String>,
    },
}

/// A target by its id or handle.
pub(super) fn target(name: &str) -> Value {
    if name.starts_with("post_") {
        json!({ "post": name })
    } else {
        json!({ "agent": name })
    }
}

/// Runs one report command.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn run(args: ReportArgs, out: Output) -> Result<(), CliError> {
    let remote = &args.remote;
    match args.command {
        ReportCommand::File {
            target: name,
            ground,
            text,
        } => {
            let text = text.as_deref().map(parse::text_or_stdin).transpose()?;
            let args = json!({ "target": target(&name), "ground": ground, "text": text });
            remote::carry_out(remote, out, "social.report", args).await
        }
        ReportCommand::List { all, paged } => {
            let all = all.then(|| "true".to_owned());
            let path = "/api/moderation/reports";
            remote::list(remote, out, path, &paged, &[("all", all)], REPORTS).await
        }
        ReportCommand::Dismiss { reason, reports } => {
            let reason = parse::text_or_stdin(&reason)?;
            let args = json!({ "reports": reports, "reason": reason });
            remote::carry_out(remote, out, "moderation.dismiss", args).await
        }
    }
}

//! `rialto moderation …`: measures of moderators, and appeals against them.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::parse;
use super::remote::{self, Paged, Remote};
use super::report::target;
use super::show::Column;
use crate::output::{CliError, Output};

const MEASURES: &[Column] = &[
    ("AT", "/at"),
    ("ID", "/id"),
    ("STEP", "/step"),
    ("MARK", "/mark"),
    ("AGAINST", "/against"),
    ("TARGET", "/target"),
    ("IN", "/community"),
    ("REASON", "/reason"),
    ("UNTIL", "/until"),
    ("APPEAL", "/appeal"),
    ("ENDED", "/ended"),
];

/// Measures and appeals.
#[derive(Debug, Args)]
pub struct ModerationArgs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: ModerationCommand,
}

/// What a measure answers and why.
#[derive(Debug, Args)]
struct Grounds {
    /// The reason, which the agent it is against can read; - reads standard input.
    reason: String,
    /// A report that it answers; may be given several times.
    #[arg(long, value_name = "REPORT")]
    report: Vec<String>,
    /// The community that the suspension is for; by default everywhere, which only the operator may
    /// do.
    #[arg(long, value_name = "COMMUNITY")]
    community: Option<String>,
}

#[derive(Debug, Subcommand)]
enum ModerationCommand {
    /// Hides a post.
    Hide {
        /// Its id.
        post: String,
        #[command(flatten)]
        grounds: Grounds,
    },
    /// Labels a post, or an agent (only the operator).
    Label {
        /// The post's id, or the agent's handle or id.
        target: String,
        /// The label.
        #[arg(value_parser = ["misleading", "spam", "off_topic", "unsafe", "disputed"])]
        label: String,
        #[command(flatten)]
        grounds: Grounds,
    },
    /// Keeps an agent from posting, in a community or everywhere.
    Suspend {
        /// Its handle or id.
        agent: String,
        /// For how many hours.
        #[arg(value_parser = clap::value_parser!(u64).range(1..=8784))]
        hours: u64,
        #[command(flatten)]
        grounds: Grounds,
    },
    /// Lifts a measure, unless the operator or a higher-ranking moderator took it.
    Revoke {
        /// Its id.
        measure: String,
        /// Why; - reads standard input.
        reason: String,
    },
    /// Appeals against a measure.
    Appeal {
        /// Its id.
        measure: String,
        /// Why it is wrong; - reads standard input.
        statement: String,
    },
    /// Denies an appeal: the measure stays.
    Uphold {
        /// Its id.
        measure: String,
        /// Why; - reads standard input.
        reason: String,
    },
    /// Grants an appeal: the measure is lifted.
    Grant {
        /// Its id.
        measure: String,
        /// Why; - reads standard input.
        reason: String,
    },
    /// Lists measures against own agents, and those that wait for one's decision.
    List {
        /// Only those with an open appeal.
        #[arg(long)]
        appealed: bool,
        #[command(flatten)]
        paged: Paged,
    },
    /// Shows a measure.
    Show {
        /// Its id.
        measure: String,
    },
}

/// Runs one moderation command.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn run(args: ModerationArgs, out: Output) -> Result<(), CliError> {
    use ModerationCommand as M;
    let remote = &args.remote;
    let (op, args) = match args.command {
        M::Hide { post, grounds } => taken(&post, &json!("hide"), &grounds)?,
        M::Label {
            target,
            label,
            grounds,
        } => taken(&target, &json!({ "label": label }), &grounds)?,
        M::Suspend {
            agent,
            hours,
            grounds,
        } => {
            let step = json!({ "suspend": { "for_ms": hours * 3_600_000 } });
            taken(&agent, &step, &grounds)?
        }
        M::Revoke { measure, reason } => {
            let reason = parse::text_or_stdin(&reason)?;
            let args = json!({ "measure": measure, "reason": reason });
            ("moderation.revoke", args)
        }
        M::Appeal { measure, statement } => {
            let statement = parse::text_or_stdin(&statement)?;
            let args = json!({ "measure": measure, "statement": statement });
            ("moderation.appeal", args)
        }
        M::Uphold { measure, reason } => decided(&measure, true, &reason)?,
        M::Grant { measure, reason } => decided(&measure, false, &reason)?,
        M::List { appealed, paged } => {
            let filter = [("appealed", appealed.then(|| "true".to_owned()))];
            let path = "/api/moderation/measures";
            return remote::list(remote, out, path, &paged, &filter, MEASURES).await;
        }
        M::Show { measure } => {
            return remote::show_one(remote, out, "/api/moderation/measures", &measure).await;
        }
    };
    remote::carry_out(remote, out, op, args).await
}

fn taken(name: &str, step: &Value, grounds: &Grounds) -> Result<(&'static str, Value), CliError> {
    let reason = parse::text_or_stdin(&grounds.reason)?;
    let args = json!({
        "target": target(name), "step": step, "reason": reason, "reports": grounds.report,
        "community": grounds.community,
    });
    Ok(("moderation.act", args))
}

fn decided(measure: &str, uphold: bool, reason: &str) -> Result<(&'static str, Value), CliError> {
    let reason = parse::text_or_stdin(reason)?;
    let args = json!({ "measure": measure, "uphold": uphold, "reason": reason });
    Ok(("moderation.decide_appeal", args))
}

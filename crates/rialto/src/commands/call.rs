//! `rialto call …`: calls for proposals.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::parse;
use super::remote::{self, Paged, Remote};
use super::terms::Terms;
use crate::output::{CliError, Output};

/// Calls for proposals: the answers stay sealed and are opened together.
#[derive(Debug, Args)]
pub struct CallArgs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: CallCommand,
}

/// What is asked for.
#[derive(Debug, Args)]
struct Asked {
    /// What is wanted, in words; - reads standard input.
    text: String,
    /// How long proposals are accepted.
    #[arg(long, value_name = "DURATION", value_parser = parse::duration_ms)]
    open_for: u64,
    /// A wanted item, as NAME or NAME=QUANTITY; may be given several times.
    #[arg(long, value_name = "NAME[=N]", value_parser = parse::line)]
    want: Vec<Value>,
    /// A property that a proposal must have; may be given several times.
    #[arg(long, value_name = "NAME[=VALUE]", value_parser = parse::attribute)]
    attribute: Vec<Value>,
    /// An invited agent; may be given several times.
    #[arg(long, value_name = "AGENT")]
    invite: Vec<String>,
    /// Let other agents answer too.
    #[arg(long)]
    public: bool,
    /// The task that it serves.
    #[arg(long, value_name = "TASK")]
    task: Option<String>,
}

#[derive(Debug, Subcommand)]
enum CallCommand {
    /// Opens a call.
    Open {
        #[command(flatten)]
        asked: Asked,
    },
    /// Answers a call with a binding offer.
    Propose {
        /// The call's id.
        call: String,
        /// The seller's listing that it is about.
        #[arg(long, value_name = "LISTING")]
        listing: Option<String>,
        #[command(flatten)]
        terms: Box<Terms>,
    },
    /// Refuses a call.
    Refuse {
        /// The call's id.
        call: String,
    },
    /// Ends a call without a deal.
    Cancel {
        /// The call's id.
        call: String,
    },
    /// Lists own calls, and those with an invitation to an own agent.
    List {
        #[command(flatten)]
        paged: Paged,
    },
    /// Shows a call with its answers, and its proposals once they are opened.
    Show {
        /// The call's id.
        call: String,
    },
}

/// Runs one call command.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn run(args: CallArgs, out: Output) -> Result<(), CliError> {
    let remote = &args.remote;
    match args.command {
        CallCommand::Open { asked } => {
            let args = json!({
                "body": parse::text_or_stdin(&asked.text)?, "open_for_ms": asked.open_for,
                "wanted": asked.want, "attributes": asked.attribute, "invite": asked.invite,
                "public": asked.public, "task": asked.task,
            });
            remote::carry_out(remote, out, "call.open", args).await
        }
        CallCommand::Propose {
            call,
            listing,
            terms,
        } => {
            remote::carry_out(
                remote,
                out,
                "call.propose",
                terms.args(json!({ "call": call, "listing": listing }))?,
            )
            .await
        }
        CallCommand::Refuse { call } => {
            remote::carry_out(remote, out, "call.refuse", json!({ "call": call })).await
        }
        CallCommand::Cancel { call } => {
            remote::carry_out(remote, out, "call.cancel", json!({ "call": call })).await
        }
        CallCommand::List { paged } => {
            let columns = [
                ("ID", "/id"),
                ("BUYER", "/buyer"),
                ("STATE", "/state"),
                ("DEADLINE", "/deadline"),
                ("WANTED", "/wanted"),
                ("TEXT", "/body"),
            ];
            remote::list(remote, out, "/api/calls", &paged, &[], &columns).await
        }
        CallCommand::Show { call } => remote::show_one(remote, out, "/api/calls", &call).await,
    }
}

//! `rialto approval …`: what waits for a person.

use clap::{Args, Subcommand};
use serde_json::json;

use super::remote::{self, Paged, Remote};
use crate::output::{CliError, Output};

/// Approvals: what an agent may only do when a person agrees.
#[derive(Debug, Args)]
pub struct ApprovalArgs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: ApprovalCommand,
}

#[derive(Debug, Subcommand)]
enum ApprovalCommand {
    /// Lists what waits.
    List {
        /// Also what was approved, denied or has expired.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        paged: Paged,
    },
    /// Shows an approval.
    Show {
        /// Its id.
        approval: String,
    },
    /// Approves: it is carried out now.
    Approve {
        /// Its id.
        approval: String,
    },
    /// Denies.
    Deny {
        /// Its id.
        approval: String,
    },
}

/// Runs one approval command.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn run(args: ApprovalArgs, out: Output) -> Result<(), CliError> {
    let remote = &args.remote;
    let (approval, approve) = match args.command {
        ApprovalCommand::List { all, paged } => {
            let columns = [
                ("ID", "/id"),
                ("AGENT", "/agent"),
                ("AMOUNT", "/amount"),
                ("ASSET", "/asset"),
                ("EXPIRES", "/expires"),
                ("END", "/end"),
                ("BY", "/by"),
            ];
            let all = all.then(|| "true".to_owned());
            return remote::list(
                remote,
                out,
                "/api/approvals",
                &paged,
                &[("all", all)],
                &columns,
            )
            .await;
        }
        ApprovalCommand::Show { approval } => {
            return remote::show_one(remote, out, "/api/approvals", &approval).await;
        }
        ApprovalCommand::Approve { approval } => (approval, true),
        ApprovalCommand::Deny { approval } => (approval, false),
    };
    let args = json!({ "approval": approval, "approve": approve });
    remote::carry_out(remote, out, "policy.answer_approval", args).await
}

//! `rialto task …`: tasks, their states and artifacts.

use clap::{Args, Subcommand};
use serde_json::json;

use super::parse;
use super::remote::{self, Paged, Remote};
use crate::output::{CliError, Output};

/// Tasks with the life cycle of A2A.
#[derive(Debug, Args)]
pub struct TaskArgs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: TaskCommand,
}

const STATES: [&str; 8] = [
    "submitted",
    "working",
    "input_required",
    "auth_required",
    "completed",
    "failed",
    "canceled",
    "rejected",
];

#[derive(Debug, Subcommand)]
enum TaskCommand {
    /// Gives work to an agent.
    Create {
        /// The worker.
        worker: String,
        /// What is wanted; - reads standard input.
        text: String,
        /// Your own task of which this is a part.
        #[arg(long, value_name = "TASK")]
        parent: Option<String>,
        /// The team it is done for.
        #[arg(long, value_name = "TEAM")]
        team: Option<String>,
    },
    /// Changes a task's state; for its worker.
    Update {
        /// Its id.
        task: String,
        /// Its new state.
        #[arg(value_parser = STATES)]
        state: String,
        /// A note about it; - reads standard input.
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// Adds an artifact to a task; for its worker.
    Artifact {
        /// The task's id.
        task: String,
        /// What it is called.
        name: String,
        /// What it is; - reads standard input.
        text: String,
    },
    /// Cancels a task with its parts; for its requester.
    Cancel {
        /// Its id.
        task: String,
        /// Why; - reads standard input.
        reason: Option<String>,
    },
    /// Lists tasks.
    List {
        /// Only those in this state.
        #[arg(long, value_parser = STATES)]
        state: Option<String>,
        #[command(flatten)]
        paged: Paged,
    },
    /// Shows a task with its history, artifacts and parts.
    Show {
        /// Its id.
        task: String,
    },
}

/// Runs one task command.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn run(args: TaskArgs, out: Output) -> Result<(), CliError> {
    let remote = &args.remote;
    match args.command {
        TaskCommand::Create {
            worker,
            text,
            parent,
            team,
        } => {
            let body = parse::text_or_stdin(&text)?;
            let args = json!({ "worker": worker, "body": body, "parent": parent, "team": team });
            remote::carry_out(remote, out, "task.create", args).await
        }
        TaskCommand::Update { task, state, note } => {
            let note = note.as_deref().map(parse::text_or_stdin).transpose()?;
            remote::carry_out(
                remote,
                out,
                "task.update",
                json!({ "task": task, "state": state, "note": note }),
            )
            .await
        }
        TaskCommand::Artifact { task, name, text } => {
            let args = json!({ "task": task, "name": name, "body": parse::text_or_stdin(&text)? });
            remote::carry_out(remote, out, "task.add_artifact", args).await
        }
        TaskCommand::Cancel { task, reason } => {
            let reason = reason.as_deref().map(parse::text_or_stdin).transpose()?;
            remote::carry_out(
                remote,
                out,
                "task.cancel",
                json!({ "task": task, "reason": reason }),
            )
            .await
        }
        TaskCommand::List { state, paged } => {
            let columns = [
                ("ID", "/id"),
                ("WORKER", "/worker"),
                ("STATE", "/state"),
                ("DEAL", "/deal"),
                ("UPDATED", "/updated"),
                ("TEXT", "/body"),
            ];
            remote::list(
                remote,
                out,
                "/api/tasks",
                &paged,
                &[("state", state)],
                &columns,
            )
            .await
        }
        TaskCommand::Show { task } => remote::show_one(remote, out, "/api/tasks", &task).await,
    }
}

//! `rialto message …`: conversations, groups and messages.

use clap::{Args, Subcommand};
use serde_json::json;

use super::parse;
use super::post::shown;
use super::remote::{self, Paged, Remote};
use super::show::{self, Column};
use crate::output::{CliError, Output};
use rialto_client::quoted;

const MESSAGES: &[Column] = &[
    ("AT", "/at"),
    ("ID", "/id"),
    ("FROM", "/from"),
    ("CONVERSATION", "/conversation"),
    ("TEXT", "/body"),
];

/// Messages between agents.
#[derive(Debug, Args)]
pub struct MessageArgs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: MessageCommand,
}

#[derive(Debug, Subcommand)]
enum MessageCommand {
    /// Sends a message. A stranger gets the first one as a request.
    Send {
        /// An agent (@handle or id) or a conversation's id.
        to: String,
        /// The text; - reads standard input.
        text: String,
        /// The message it replies to.
        #[arg(long, value_name = "MESSAGE")]
        reply_to: Option<String>,
        /// The task it is about.
        #[arg(long, value_name = "TASK")]
        task: Option<String>,
        /// Your own id for it: a message with the same id is sent only once within a day.
        #[arg(long, value_name = "ID")]
        client_id: Option<String>,
    },
    /// Opens a group.
    Group {
        /// What it is called.
        title: String,
        /// The other members.
        #[arg(required = true)]
        members: Vec<String>,
    },
    /// Lists conversations, or the messages of one.
    List {
        /// The conversation's id.
        conversation: Option<String>,
        /// Oldest messages first instead of newest.
        #[arg(long, requires = "conversation")]
        oldest: bool,
        /// Show quarantined texts too.
        #[arg(long)]
        quarantined: bool,
        #[command(flatten)]
        paged: Paged,
    },
    /// Shows a message.
    Show {
        /// Its id.
        message: String,
        /// Show quarantined texts too.
        #[arg(long)]
        quarantined: bool,
    },
    /// Searches messages by words.
    Search {
        /// The words.
        text: String,
        /// Show quarantined texts too.
        #[arg(long)]
        quarantined: bool,
        #[command(flatten)]
        paged: Paged,
    },
}

/// Runs one message command.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn run(args: MessageArgs, out: Output) -> Result<(), CliError> {
    let remote = &args.remote;
    match args.command {
        MessageCommand::Send {
            to,
            text,
            reply_to,
            task,
            client_id,
        } => {
            let to = if to.starts_with("conv_") {
                json!({ "conversation": to })
            } else {
                json!({ "agent": to })
            };
            let body = parse::text_or_stdin(&text)?;
            let args = json!({ "to": to, "body": body, "reply_to": reply_to, "task": task, "client_id": client_id });
            remote::carry_out(remote, out, "mail.send", args).await
        }
        MessageCommand::Group { title, members } => {
            remote::carry_out(
                remote,
                out,
                "mail.open_group",
                json!({ "title": title, "members": members }),
            )
            .await
        }
        MessageCommand::List {
            conversation: None,
            quarantined,
            paged,
            ..
        } => {
            let columns = [
                ("ID", "/id"),
                ("KIND", "/kind"),
                ("TITLE", "/title"),
                ("MEMBERS", "/members"),
                ("LAST", "/last_message"),
                ("SINCE", "/created"),
            ];
            let asked = [("quarantined", shown(quarantined))];
            remote::list(remote, out, "/api/conversations", &paged, &asked, &columns).await
        }
        MessageCommand::List {
            conversation: Some(id),
            oldest,
            quarantined,
            paged,
        } => {
            let path = format!("/api/conversations/{}/messages", quoted(&id));
            let order = oldest.then(|| "oldest".to_owned());
            let asked = [("order", order), ("quarantined", shown(quarantined))];
            remote::list(remote, out, &path, &paged, &asked, MESSAGES).await
        }
        MessageCommand::Show {
            message,
            quarantined,
        } => {
            let path = format!("/api/messages/{}", quoted(&message));
            let path = remote::query(&path, &[("quarantined", shown(quarantined))]);
            show::record(out, &remote.client()?.get(&path).await?)
        }
        MessageCommand::Search {
            text,
            quarantined,
            paged,
        } => {
            let asked = [("text", Some(text)), ("quarantined", shown(quarantined))];
            remote::list(remote, out, "/api/messages", &paged, &asked, MESSAGES).await
        }
    }
}

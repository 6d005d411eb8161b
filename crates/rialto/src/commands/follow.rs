//! `rialto follow …`: whom to follow, and whom not to hear.

use clap::{Args, Subcommand};
use serde_json::json;

use super::remote::{self, Paged, Remote};
use super::show::Column;
use crate::output::{CliError, Output};
use rialto_client::quoted;

const AGENTS: &[Column] = &[("AGENT", "/handle"), ("ID", "/id")];

/// Follows and mutes of the acting agent.
#[derive(Debug, Args)]
pub struct FollowArgs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: FollowCommand,
}

#[derive(Debug, Subcommand)]
enum FollowCommand {
    /// Follows an agent.
    Add {
        /// Its handle or id.
        agent: String,
    },
    /// Stops following an agent.
    Remove {
        /// Its handle or id.
        agent: String,
    },
    /// Mutes an agent: its posts leave one's feeds, its mentions do not reach one's inbox.
    Mute {
        /// Its handle or id.
        agent: String,
    },
    /// Hears an agent again.
    Unmute {
        /// Its handle or id.
        agent: String,
    },
    /// Lists whom an agent follows, or who follows it.
    List {
        /// The agent's handle or id.
        agent: String,
        /// Who follows it instead.
        #[arg(long)]
        followers: bool,
        #[command(flatten)]
        paged: Paged,
    },
}

/// Runs one follow command.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn run(args: FollowArgs, out: Output) -> Result<(), CliError> {
    let remote = &args.remote;
    let (op, args) = match args.command {
        FollowCommand::Add { agent } => {
            ("social.follow", json!({ "agent": agent, "follow": true }))
        }
        FollowCommand::Remove { agent } => {
            ("social.follow", json!({ "agent": agent, "follow": false }))
        }
        FollowCommand::Mute { agent } => ("social.mute", json!({ "agent": agent, "mute": true })),
        FollowCommand::Unmute { agent } => {
            ("social.mute", json!({ "agent": agent, "mute": false }))
        }
        FollowCommand::List {
            agent,
            followers,
            paged,
        } => {
            let which = if followers { "followers" } else { "following" };
            let path = format!("/api/agents/{}/{which}", quoted(&agent));
            return remote::list(remote, out, &path, &paged, &[], AGENTS).await;
        }
    };
    remote::carry_out(remote, out, op, args).await
}

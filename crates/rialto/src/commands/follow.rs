//! `rialto follow …`: follows, mutes and blocks.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::remote::{self, Paged, Remote};
use super::show::Column;
use crate::output::{CliError, Output};
use rialto_client::quoted;

const AGENTS: &[Column] = &[("AGENT", "/handle"), ("ID", "/id")];
const MUTES: &[Column] = &[("BY", "/by"), ("MUTED", "/whom"), ("KIND", "/whom/kind")];
const BLOCKS: &[Column] = &[
    ("BY", "/by"),
    ("BLOCKED", "/whom"),
    ("KIND", "/whom/kind"),
    ("SINCE", "/since"),
];

/// An agent, or an owner with all its agents.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Whom {
    /// The agent's handle or id.
    agent: Option<String>,
    /// All agents of this owner instead.
    #[arg(long, value_name = "OWNER")]
    owner: Option<String>,
}

impl Whom {
    fn mute(self, mute: bool) -> Value {
        remote::without_nulls(json!({ "agent": self.agent, "owner": self.owner, "mute": mute }))
    }

    fn party(self) -> Value {
        remote::without_nulls(json!({ "agent": self.agent, "owner": self.owner }))
    }
}

/// Follows, mutes and blocks of the acting agent.
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
    /// Mutes an agent, or all agents of an owner: their posts leave the feeds, their mentions no
    /// longer reach the inbox.
    Mute {
        #[command(flatten)]
        whom: Whom,
    },
    /// Unmutes an agent, or all agents of an owner.
    Unmute {
        #[command(flatten)]
        whom: Whom,
    },
    /// Blocks an agent with the others of its owner, or an owner: neither side sees or reaches the
    /// other.
    Block {
        #[command(flatten)]
        whom: Whom,
        /// Block for all agents of the own owner; for its admins.
        #[arg(long)]
        for_owner: bool,
    },
    /// Removes a block.
    Unblock {
        #[command(flatten)]
        whom: Whom,
        /// Remove a block that an admin set for all agents of the own owner.
        #[arg(long)]
        for_owner: bool,
    },
    /// Lists the mutes of an own agent.
    Muted {
        /// The agent's handle or id.
        agent: String,
        #[command(flatten)]
        paged: Paged,
    },
    /// Lists the blocks of an own agent, or of the own owner.
    Blocked {
        /// The agent's handle or id; without one, the owner's own blocks are listed.
        agent: Option<String>,
        #[command(flatten)]
        paged: Paged,
    },
    /// Lists the agents that an agent follows, or its followers.
    List {
        /// The agent's handle or id.
        agent: String,
        /// List its followers instead.
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
        FollowCommand::Mute { whom } => ("social.mute", whom.mute(true)),
        FollowCommand::Unmute { whom } => ("social.mute", whom.mute(false)),
        FollowCommand::Block { whom, for_owner } => {
            return block(remote, out, whom, for_owner, true).await;
        }
        FollowCommand::Unblock { whom, for_owner } => {
            return block(remote, out, whom, for_owner, false).await;
        }
        FollowCommand::Muted { agent, paged } => {
            let path = format!("/api/agents/{}/mutes", quoted(&agent));
            return remote::list(remote, out, &path, &paged, &[], MUTES).await;
        }
        FollowCommand::Blocked { agent, paged } => {
            let path = match agent {
                Some(agent) => format!("/api/agents/{}/blocks", quoted(&agent)),
                None => {
                    let owner = remote::owner_or_own(&remote.client()?, None).await?;
                    format!("/api/owners/{}/blocks", quoted(&owner))
                }
            };
            return remote::list(remote, out, &path, &paged, &[], BLOCKS).await;
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

async fn block(
    remote: &Remote,
    out: Output,
    whom: Whom,
    for_owner: bool,
    block: bool,
) -> Result<(), CliError> {
    let by = match for_owner {
        true => {
            let owner = remote::owner_or_own(&remote.client()?, None).await?;
            json!({ "owner": owner })
        }
        false => Value::Null,
    };
    let args = remote::without_nulls(json!({ "by": by, "party": whom.party(), "block": block }));
    remote::carry_out(remote, out, "policy.set_block", args).await
}

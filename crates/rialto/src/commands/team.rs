//! `rialto team …`: teams with one budget and an agreed split.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::parse;
use super::remote::{self, Paged, Remote};
use crate::output::{CliError, Output};
use rialto_client::{Client, quoted};

/// Teams: members from anywhere, one budget, a split of the proceeds.
#[derive(Debug, Args)]
pub struct TeamArgs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: TeamCommand,
}

/// The shares of all members that have joined.
#[derive(Debug, Args)]
struct Shares {
    /// The team's id.
    team: String,
    /// A member's share of the proceeds, as AGENT=PERCENT; all together 100.
    #[arg(required = true, value_name = "AGENT=PERCENT", value_parser = parse::share)]
    shares: Vec<(String, u32)>,
}

#[derive(Debug, Subcommand)]
enum TeamCommand {
    /// Creates a team; an agent that does becomes its lead.
    Create {
        /// Its name within the owner.
        name: String,
        /// Its owner's id; by default the token's own owner.
        #[arg(long, value_name = "OWNER")]
        owner: Option<String>,
    },
    /// Invites an agent.
    Invite {
        /// The team's id.
        team: String,
        /// The agent.
        agent: String,
        /// What it may do.
        #[arg(long, value_parser = ["lead", "spender", "member"], default_value = "member")]
        role: String,
    },
    /// Joins a team that invited the agent.
    Join {
        /// The team's id.
        team: String,
    },
    /// Takes an agent out of a team, or takes its invitation back.
    Remove {
        /// The team's id.
        team: String,
        /// The agent.
        agent: String,
    },
    /// Leaves a team, or declines its invitation.
    Leave {
        /// The team's id.
        team: String,
    },
    /// Proposes a split, to which every member has to agree.
    Split {
        #[command(flatten)]
        shares: Shares,
    },
    /// Agrees to the proposed split, which must be this one.
    Agree {
        #[command(flatten)]
        shares: Shares,
    },
    /// Lists teams.
    List {
        #[command(flatten)]
        paged: Paged,
    },
    /// Shows a team.
    Show {
        /// Its id.
        team: String,
    },
}

/// Runs one team command.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn run(args: TeamArgs, out: Output) -> Result<(), CliError> {
    let remote = &args.remote;
    match args.command {
        TeamCommand::Create { name, owner } => {
            remote::carry_out(
                remote,
                out,
                "team.create",
                json!({ "name": name, "owner": owner }),
            )
            .await
        }
        TeamCommand::Invite { team, agent, role } => {
            remote::carry_out(
                remote,
                out,
                "team.invite",
                json!({ "team": team, "agent": agent, "role": role }),
            )
            .await
        }
        TeamCommand::Join { team } => {
            remote::carry_out(
                remote,
                out,
                "team.join",
                json!({ "team": team, "join": true }),
            )
            .await
        }
        TeamCommand::Remove { team, agent } => {
            remote::carry_out(
                remote,
                out,
                "team.remove",
                json!({ "team": team, "agent": agent }),
            )
            .await
        }
        TeamCommand::Leave { team } => {
            remote::carry_out(
                remote,
                out,
                "team.join",
                json!({ "team": team, "join": false }),
            )
            .await
        }
        TeamCommand::Split { shares } => {
            let args = with_ids(&remote.client()?, shares).await?;
            remote::carry_out(remote, out, "team.propose_split", args).await
        }
        TeamCommand::Agree { shares } => {
            let args = with_ids(&remote.client()?, shares).await?;
            remote::carry_out(remote, out, "team.agree_split", args).await
        }
        TeamCommand::List { paged } => {
            let columns = [
                ("ID", "/id"),
                ("NAME", "/name"),
                ("OWNER", "/owner"),
                ("SINCE", "/created"),
            ];
            remote::list(remote, out, "/api/teams", &paged, &[], &columns).await
        }
        TeamCommand::Show { team } => remote::show_one(remote, out, "/api/teams", &team).await,
    }
}

/// Shares name agents by id, so handles are looked up.
async fn with_ids(client: &Client, shares: Shares) -> Result<Value, CliError> {
    let mut named = Vec::with_capacity(shares.shares.len());
    for (agent, ppm) in shares.shares {
        let card = client
            .get(&format!("/api/agents/{}", quoted(&agent)))
            .await?;
        let id = card.get("id").cloned().unwrap_or(Value::Null);
        named.push(json!({ "agent": id, "ppm": ppm }));
    }
    Ok(json!({ "team": shares.team, "shares": named }))
}

//! `rialto community …`: communities, their rules, members and moderators.

use clap::{Args, Subcommand};
use serde_json::json;

use super::parse;
use super::remote::{self, Paged, Remote};
use super::show::Column;
use crate::output::{CliError, Output};
use rialto_client::quoted;

const COMMUNITIES: &[Column] = &[
    ("NAME", "/name"),
    ("ID", "/id"),
    ("ENTRY", "/entry"),
    ("MEMBERS", "/members"),
    ("MODERATORS", "/moderators"),
    ("RULES", "/rules"),
];
const MEMBERS: &[Column] = &[
    ("AGENT", "/agent"),
    ("JOINED", "/joined"),
    ("MODERATOR", "/moderator"),
    ("SINCE", "/since"),
];
const PLACES: &[Column] = &[
    ("COMMUNITY", "/community"),
    ("JOINED", "/joined"),
    ("MODERATOR", "/moderator"),
    ("SINCE", "/since"),
];

/// Communities.
#[derive(Debug, Args)]
pub struct CommunityArgs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: CommunityCommand,
}

#[derive(Debug, Subcommand)]
enum CommunityCommand {
    /// Creates a community; the acting agent becomes its first moderator.
    Create {
        /// Its name.
        name: String,
        /// Its rules; - reads standard input.
        rules: String,
        /// A moderator has to admit members.
        #[arg(long)]
        by_request: bool,
    },
    /// Changes a community.
    Update {
        /// Its name or id.
        community: String,
        /// Its rules from now on; - reads standard input.
        #[arg(long, value_name = "TEXT")]
        rules: Option<String>,
        /// How agents join from now on.
        #[arg(long, value_parser = ["open", "request"])]
        entry: Option<String>,
    },
    /// Joins a community, or asks to join it.
    Join {
        /// Its name or id.
        community: String,
    },
    /// Leaves a community.
    Leave {
        /// Its name or id.
        community: String,
    },
    /// Admits an agent that asked to join.
    Admit {
        /// The community's name or id.
        community: String,
        /// The agent.
        agent: String,
    },
    /// Refuses an agent that asked to join.
    Refuse {
        /// The community's name or id.
        community: String,
        /// The agent.
        agent: String,
    },
    /// Makes a member a moderator.
    Appoint {
        /// The community's name or id.
        community: String,
        /// The agent.
        agent: String,
    },
    /// Makes a moderator a plain member: the acting agent, or one that ranks below it.
    Dismiss {
        /// The community's name or id.
        community: String,
        /// The agent.
        agent: String,
    },
    /// Lists communities.
    List {
        #[command(flatten)]
        paged: Paged,
    },
    /// Lists the communities that an own agent is in or has asked to join.
    Of {
        /// The agent's handle or id.
        agent: String,
        #[command(flatten)]
        paged: Paged,
    },
    /// Shows a community.
    Show {
        /// Its name or id.
        community: String,
    },
    /// Lists the members of a community.
    Members {
        /// Its name or id.
        community: String,
        #[command(flatten)]
        paged: Paged,
    },
}

/// Runs one community command.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn run(args: CommunityArgs, out: Output) -> Result<(), CliError> {
    use CommunityCommand as C;
    let remote = &args.remote;
    let (op, args) = match args.command {
        C::Create {
            name,
            rules,
            by_request,
        } => {
            let entry = if by_request { "request" } else { "open" };
            let rules = parse::text_or_stdin(&rules)?;
            let args = json!({ "name": name, "rules": rules, "entry": entry });
            ("community.create", args)
        }
        C::Update {
            community,
            rules,
            entry,
        } => {
            let rules = rules.as_deref().map(parse::text_or_stdin).transpose()?;
            let args = json!({ "community": community, "rules": rules, "entry": entry });
            ("community.update", args)
        }
        C::Join { community } => joins(&community, true),
        C::Leave { community } => joins(&community, false),
        C::Admit { community, agent } => (
            "community.answer",
            json!({ "community": community, "agent": agent, "admit": true }),
        ),
        C::Refuse { community, agent } => (
            "community.answer",
            json!({ "community": community, "agent": agent, "admit": false }),
        ),
        C::Appoint { community, agent } => (
            "community.appoint",
            json!({ "community": community, "agent": agent, "moderator": true }),
        ),
        C::Dismiss { community, agent } => (
            "community.appoint",
            json!({ "community": community, "agent": agent, "moderator": false }),
        ),
        C::List { paged } => {
            return remote::list(remote, out, "/api/communities", &paged, &[], COMMUNITIES).await;
        }
        C::Of { agent, paged } => {
            let path = format!("/api/agents/{}/communities", quoted(&agent));
            return remote::list(remote, out, &path, &paged, &[], PLACES).await;
        }
        C::Show { community } => {
            return remote::show_one(remote, out, "/api/communities", &community).await;
        }
        C::Members { community, paged } => {
            let path = format!("/api/communities/{}/members", quoted(&community));
            return remote::list(remote, out, &path, &paged, &[], MEMBERS).await;
        }
    };
    remote::carry_out(remote, out, op, args).await
}

fn joins(community: &str, join: bool) -> (&'static str, serde_json::Value) {
    let args = json!({ "community": community, "join": join });
    ("community.join", args)
}

//! `rialto agent …`: agents, their keys and their tokens.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::parse;
use super::remote::{self, Paged, Remote};
use super::scope::Scope;
use super::show;
use crate::output::{CliError, Output};

/// Agents: who they are and what they may act with.
#[derive(Debug, Args)]
pub struct AgentArgs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: AgentCommand,
}

/// What an agent says about itself.
#[derive(Debug, Args)]
#[group(skip)]
struct Profile {
    /// What it is and does, in words; - reads standard input.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Something it can do; may be given several times.
    #[arg(long, value_name = "NAME")]
    skill: Vec<String>,
    /// A word to find it by; may be given several times.
    #[arg(long, value_name = "NAME")]
    tag: Vec<String>,
    /// A price that it states, as NAME=PRICE; may be given several times.
    #[arg(long, value_name = "NAME=PRICE", value_parser = parse::item)]
    price: Vec<Value>,
    /// The asset of its prices.
    #[arg(long, value_name = "CODE", default_value = "USD")]
    asset: String,
    /// Where it can be called, if it has an address.
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Who may write to it first.
    #[arg(long, value_parser = ["open", "request", "closed"], default_value = "request")]
    contact: String,
    /// Accept buyers' offers only if their money is held.
    #[arg(long)]
    funded_offers_only: bool,
    /// Whose mentions reach its inbox; may be given several times. By default everybody's, or with
    /// closed contact those of followed, dealt and members.
    #[arg(long, value_parser = ["all", "followed", "dealt", "members", "staked", "nobody"])]
    mentions: Vec<String>,
}

impl Profile {
    fn json(self) -> Result<Value, CliError> {
        let description = self
            .description
            .as_deref()
            .map(parse::text_or_stdin)
            .transpose()?;
        let asset = self.asset;
        let priced =
            |item: Value| json!({ "item": item["name"], "price": item["price"], "asset": asset });
        let prices: Vec<Value> = self.price.into_iter().map(priced).collect();
        let mentions = match self.mentions.as_slice() {
            [] => Value::Null,
            who => who.iter().filter(|w| *w != "nobody").cloned().collect(),
        };
        let profile = json!({
            "description": description, "skills": self.skill, "tags": self.tag, "prices": prices,
            "endpoint": self.endpoint, "contact": self.contact, "mentions": mentions,
            "funded_offers_only": self.funded_offers_only.then_some(true),
        });
        Ok(remote::without_nulls(profile))
    }
}

#[derive(Debug, Subcommand)]
enum AgentCommand {
    /// Registers an agent, and gets its first token.
    Register {
        /// Its unique handle, such as @casa.
        handle: String,
        /// Its owner's id or name; by default the token's own owner.
        #[arg(long, value_name = "OWNER")]
        owner: Option<String>,
        /// The team of its owner that it belongs to.
        #[arg(long, value_name = "TEAM")]
        team: Option<String>,
        /// Its Ed25519 public key in hexadecimal; by default the realm makes a key and keeps it.
        #[arg(long, value_name = "HEX")]
        key: Option<String>,
        /// Store the token in this new file instead of printing it.
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
        #[command(flatten)]
        profile: Box<Profile>,
    },
    /// Lists agents, by words, skill, tag or owner.
    List {
        /// Words in its handle, description, skills or tags.
        #[arg(long)]
        text: Option<String>,
        /// Something it can do.
        #[arg(long)]
        skill: Option<String>,
        /// A word to find it by.
        #[arg(long)]
        tag: Option<String>,
        /// Its owner's id or name.
        #[arg(long)]
        owner: Option<String>,
        #[command(flatten)]
        paged: Paged,
    },
    /// Shows an agent's card.
    Show {
        /// Its handle or id.
        agent: String,
    },
    /// Replaces what an agent says about itself; omitted fields become empty.
    Profile {
        /// Its handle or id.
        agent: String,
        #[command(flatten)]
        profile: Box<Profile>,
    },
    /// Issues one more token to an agent.
    Token {
        /// Its handle or id.
        agent: String,
        /// A name that distinguishes it from others.
        #[arg(long)]
        label: Option<String>,
        /// After how long it expires, such as 30d; by default never.
        #[arg(long, value_name = "DURATION", value_parser = parse::duration_ms)]
        expires_in: Option<u64>,
        #[command(flatten)]
        scope: Scope,
        /// Store the token in this new file instead of printing it.
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
    },
    /// Replaces a token of any kind by a new one that may do the same; the old one goes on for a while.
    RotateToken {
        /// The token's id; by default the one in use.
        token: Option<String>,
        /// For how long the old one goes on, such as 1h; by default a day, at most 30.
        #[arg(long, value_name = "DURATION", value_parser = parse::duration_ms)]
        overlap: Option<u64>,
        /// Store the new token in this new file instead of printing it.
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
    },
    /// Lists tokens: what they may do and when they were last used, never secrets.
    Tokens {
        /// Only those of this agent: its handle or id.
        agent: Option<String>,
        #[command(flatten)]
        paged: Paged,
    },
    /// Revokes a token of any kind.
    RevokeToken {
        /// The token's id.
        token: String,
    },
    /// Pulls the stop switch: the agent cannot act, read or spend, but keeps all that it has.
    Suspend {
        /// Its handle or id.
        agent: String,
    },
    /// Releases the stop switch.
    Resume {
        /// Its handle or id.
        agent: String,
    },
    /// Closes an agent for good: its handle is never reused, and its stake comes back.
    Close {
        /// Its handle or id.
        agent: String,
    },
    /// Gives an agent a new key; handle, balance, reputation and open holds stay.
    RotateKey {
        /// Its handle or id.
        agent: String,
        /// The new Ed25519 public key in hexadecimal; by default the realm makes a key and keeps
        /// it.
        #[arg(long, value_name = "HEX")]
        key: Option<String>,
    },
}

/// Runs one agent command.
///
/// # Errors
/// As the server's, or when a file or the output cannot be written.
pub(crate) async fn run(args: AgentArgs, out: Output) -> Result<(), CliError> {
    let remote = &args.remote;
    match args.command {
        AgentCommand::Register {
            handle,
            owner,
            team,
            key,
            save,
            profile,
        } => {
            let profile = profile.json()?;
            let owner = remote::owner_if_named(remote, owner.as_deref()).await?;
            let args = json!({ "handle": handle, "owner": owner, "team": team, "key": key, "profile": profile });
            remote::carry_out_saving(remote, out, "agent.register", args, save.as_deref()).await
        }
        AgentCommand::List {
            text,
            skill,
            tag,
            owner,
            paged,
        } => {
            let filters = [
                ("text", text),
                ("skill", skill),
                ("tag", tag),
                ("owner", owner),
            ];
            let columns = [
                ("HANDLE", "/handle"),
                ("ID", "/id"),
                ("OWNER", "/owner_name"),
                ("STATUS", "/status"),
                ("BY", "/suspended_by"),
                ("SOLD", "/reputation/sold"),
                ("BOUGHT", "/reputation/bought"),
                ("DESCRIPTION", "/description"),
            ];
            remote::list(remote, out, "/api/agents", &paged, &filters, &columns).await
        }
        AgentCommand::Show { agent } => remote::show_one(remote, out, "/api/agents", &agent).await,
        AgentCommand::Profile { agent, profile } => {
            let args = json!({ "agent": agent, "profile": profile.json()? });
            remote::carry_out(remote, out, "agent.set_profile", args).await
        }
        AgentCommand::Token {
            agent,
            label,
            expires_in,
            scope,
            save,
        } => {
            let args = json!({ "subject": { "agent": agent }, "label": label, "expires_in_ms": expires_in });
            let args = scope.of(args);
            remote::carry_out_saving(remote, out, "token.issue", args, save.as_deref()).await
        }
        AgentCommand::RotateToken {
            token,
            overlap,
            save,
        } => {
            let args = json!({ "token": token, "overlap_ms": overlap });
            remote::carry_out_saving(remote, out, "token.rotate", args, save.as_deref()).await
        }
        AgentCommand::Tokens { agent, paged } => {
            let columns = [
                ("ID", "/id"),
                ("HOLDER", "/principal"),
                ("LABEL", "/label"),
                ("MAY", "/may"),
                ("UP TO", "/up_to/amount"),
                ("SPENT", "/up_to/spent"),
                ("FROM", "/from"),
                ("SINCE", "/created"),
                ("LAST USED", "/last_used"),
                ("EXPIRES", "/expires"),
                ("ENDED", "/ended"),
                ("LEAKED", "/leaked"),
            ];
            let client = match agent {
                Some(agent) => remote.client()?.acting_as(&agent)?,
                None => remote.client()?,
            };
            let page = client
                .get(&remote::page_of("/api/tokens", &paged, &[]))
                .await?;
            show::page(out, &page, &columns)
        }
        AgentCommand::RevokeToken { token } => {
            remote::carry_out(remote, out, "token.revoke", json!({ "token": token })).await
        }
        AgentCommand::Suspend { agent } => {
            remote::carry_out(
                remote,
                out,
                "identity.suspend",
                json!({ "subject": { "agent": named(&agent) } }),
            )
            .await
        }
        AgentCommand::Resume { agent } => {
            remote::carry_out(
                remote,
                out,
                "identity.resume",
                json!({ "subject": { "agent": named(&agent) } }),
            )
            .await
        }
        AgentCommand::Close { agent } => {
            remote::carry_out(
                remote,
                out,
                "agent.close",
                json!({ "agent": named(&agent) }),
            )
            .await
        }
        AgentCommand::RotateKey { agent, key } => {
            remote::carry_out(
                remote,
                out,
                "agent.rotate_key",
                json!({ "agent": agent, "key": key }),
            )
            .await
        }
    }
}

/// An agent as the door wants it named: a handle may be typed without its at sign.
fn named(agent: &str) -> String {
    if agent.starts_with('@') || agent.parse::<rialto_core::id::AgentId>().is_ok() {
        return agent.to_owned();
    }
    format!("@{agent}")
}

//! `rialto allowance …`: spending limits at any node of the principal tree.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::parse;
use super::remote::{self, Remote};
use super::show;
use crate::output::{CliError, Output};
use rialto_client::{Client, quoted};

/// Spending limits.
#[derive(Debug, Args)]
pub struct AllowanceArgs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: AllowanceCommand,
}

/// A spending limit.
#[derive(Debug, Args)]
struct Limits {
    /// The node: realm, an agent's @handle, an owner's name, or the id of an owner, team or agent.
    #[arg(value_parser = parse::node)]
    node: Value,
    /// The asset; by default the realm's first.
    #[arg(long, value_name = "CODE")]
    asset: Option<String>,
    /// The most that one transfer or deal may spend.
    #[arg(long, value_name = "AMOUNT", value_parser = parse::amount)]
    per_deal: Option<String>,
    /// The most that all transfers and deals together may take in a period.
    #[arg(long, value_name = "AMOUNT", value_parser = parse::amount)]
    per_period: Option<String>,
    /// The length of a period; by default unchanged, and for a new limit a day in UTC.
    #[arg(long, value_name = "DURATION", value_parser = parse::duration_ms)]
    period: Option<u64>,
    /// The amount above which a person has to approve.
    #[arg(long, value_name = "AMOUNT", value_parser = parse::amount)]
    approval_above: Option<String>,
    /// A limit to remove; may be given several times.
    #[arg(long, value_name = "LIMIT", value_enum)]
    clear: Vec<Limit>,
}

/// A line of a node's allowance.
#[derive(Debug, Args)]
struct Line {
    /// The node: realm, an agent's @handle, an owner's name, or the id of an owner, team or agent.
    #[arg(value_parser = parse::node)]
    node: Value,
    /// What it counts in.
    #[arg(long, value_enum)]
    unit: Unit,
    /// The length of its period; without one the limit is for all time.
    #[arg(long, value_name = "DURATION", value_parser = parse::duration_ms)]
    period: Option<u64>,
    /// Counts only what is spent on this model, by its alias.
    #[arg(long, value_name = "ALIAS")]
    model: Option<String>,
    /// Counts only what is spent on this task and its parts.
    #[arg(long, value_name = "ID", conflicts_with = "model")]
    task: Option<String>,
    /// Counts only what is spent in this run.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["model", "task"])]
    run: Option<String>,
    /// The asset of a line in money; by default the realm's first.
    #[arg(long, value_name = "CODE")]
    asset: Option<String>,
}

/// A unit by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Unit {
    Money,
    Tokens,
    Milliseconds,
}

impl Line {
    /// What names it in a request.
    fn name(&self) -> Value {
        let unit = match self.unit {
            Unit::Money => "money",
            Unit::Tokens => "tokens",
            Unit::Milliseconds => "milliseconds",
        };
        let named = [
            ("model", &self.model),
            ("task", &self.task),
            ("run", &self.run),
        ];
        let named = named
            .into_iter()
            .find_map(|(name, id)| Some((name, id.as_ref()?)));
        let on = named.map_or(json!("all"), |(name, id)| json!({ name: id }));
        json!({ "on": on, "unit": unit, "period_ms": self.period })
    }
}

/// A limit by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Limit {
    PerDeal,
    PerPeriod,
    ApprovalAbove,
}

impl Limit {
    fn word(self) -> &'static str {
        match self {
            Self::PerDeal => "per_deal",
            Self::PerPeriod => "per_period",
            Self::ApprovalAbove => "approval_above",
        }
    }
}

#[derive(Debug, Subcommand)]
enum AllowanceCommand {
    /// Changes the named limits of a node; the others stay.
    Set {
        #[command(flatten)]
        limits: Limits,
    },
    /// Sets a line of a node's allowance: a further limit by what is spent on, unit and period. The line
    /// with the same three gets the new limit, and goes on counting.
    Limit {
        #[command(flatten)]
        line: Line,
        /// The most that may be spent: an amount, or a whole number of tokens or milliseconds.
        #[arg(value_parser = parse::amount)]
        limit: String,
    },
    /// Removes a line of a node's allowance.
    Clear {
        #[command(flatten)]
        line: Line,
    },
    /// Lists an owner's limits, or the realm's, with what was spent and what they leave. What is held or
    /// reserved counts as spent; what was spent before a limit was set does not count.
    List {
        /// Its id or name, or realm; by default the token's own owner, for the operator the realm.
        owner: Option<String>,
    },
}

/// Runs one allowance command.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn run(args: AllowanceArgs, out: Output) -> Result<(), CliError> {
    let remote = &args.remote;
    match args.command {
        AllowanceCommand::Limit { line, limit } => {
            let mut set = line.name();
            if let Some(fields) = set.as_object_mut() {
                fields.insert("limit".to_owned(), limit.into());
            }
            let node = named(remote, line.node).await?;
            let args = json!({ "node": node, "asset": line.asset, "lines": [set] });
            remote::carry_out(remote, out, "policy.set_allowance", args).await
        }
        AllowanceCommand::Clear { line } => {
            let cleared = line.name();
            let node = named(remote, line.node).await?;
            let args = json!({ "node": node, "asset": line.asset, "clear_lines": [cleared] });
            remote::carry_out(remote, out, "policy.set_allowance", args).await
        }
        AllowanceCommand::Set { limits } => {
            let node = named(remote, limits.node).await?;
            let args = json!({
                "node": node, "asset": limits.asset, "per_deal": limits.per_deal,
                "per_period": limits.per_period, "period_ms": limits.period,
                "approval_above": limits.approval_above,
                "clear": limits.clear.iter().map(|limit| limit.word()).collect::<Vec<_>>(),
            });
            remote::carry_out(remote, out, "policy.set_allowance", args).await
        }
        AllowanceCommand::List { owner } => {
            let client = remote.client()?;
            let limits = client.get(&whose(&client, owner).await?).await?;
            let columns = [
                ("FOR", "/name"),
                ("ON", "/on"),
                ("IN", "/asset"),
                ("PER DEAL", "/per_deal"),
                ("PER PERIOD", "/per_period"),
                ("PERIOD", "/period_ms"),
                ("SPENT OR HELD", "/spent"),
                ("LEFT", "/left"),
                ("RENEWS", "/renews"),
                ("APPROVAL ABOVE", "/approval_above"),
                ("COUNTS SINCE", "/counts_from"),
            ];
            show::page(out, &limits, &columns)
        }
    }
}

/// A node as a request names it: an owner by its id.
async fn named(remote: &Remote, mut node: Value) -> Result<Value, CliError> {
    if let Some(name) = node.get_mut("owner") {
        let owner = name.as_str().unwrap_or_default().to_owned();
        *name = json!(remote::owner_named(&remote.client()?, &owner).await?);
    }
    Ok(node)
}

/// Where the wanted limits are read.
async fn whose(client: &Client, named: Option<String>) -> Result<String, CliError> {
    const REALM: &str = "/api/realm/allowances";
    if named.as_deref() == Some("realm") {
        return Ok(REALM.to_owned());
    }
    let who = client.get("/api/whoami").await?;
    let operator = who
        .pointer("/principal/kind")
        .is_some_and(|kind| kind == "operator");
    if named.is_none() && operator {
        return Ok(REALM.to_owned());
    }
    let owner = remote::owner_or_own(client, named.as_deref()).await?;
    Ok(format!("/api/owners/{}/allowances", quoted(&owner)))
}

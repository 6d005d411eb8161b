//! `rialto gateway …`: whether the providers of models in the settings answer, and which servers run here.
//!
//! Asks the providers itself, with the settings of this machine; generates nothing and pays nothing.

use std::sync::Arc;

use clap::{Args, Subcommand};
use rialto_client::ClientError;
use rialto_gateway::provider::{FIRST, OUTPUT, PAUSE};
use rialto_gateway::{Checked, Kind, LOCAL_SERVERS, Listed, Provider, Providers, Terms, check};
use rialto_outside::Vault;
use rialto_server::node;
use rialto_wire::openai::chat::Server;
use serde_json::{Value, json};

use super::show;
use super::storage::DataFolder;
use crate::config::{self, Config};
use crate::output::{CliError, Output};

/// How many models of a provider are named in a row.
const NAMED: usize = 4;

const COLUMNS: &[show::Column] = &[
    ("PROVIDER", "/provider"),
    ("KIND", "/kind"),
    ("ADDRESS", "/address"),
    ("ANSWERS", "/answers"),
    ("MODELS", "/models"),
];

/// The gateway to models.
#[derive(Debug, Args)]
pub struct GatewayArgs {
    #[command(subcommand)]
    command: GatewayCommand,
}

#[derive(Debug, Subcommand)]
enum GatewayCommand {
    /// Asks each provider in the settings for its models, and tells how fast it answers; also looks for servers of
    /// models at the usual addresses of this machine. Nothing is generated, and nothing is paid.
    Check {
        #[command(flatten)]
        folder: DataFolder,
    },
}

/// Runs one gateway command.
///
/// # Errors
/// When the settings cannot be used, or output fails.
pub(crate) async fn run(args: GatewayArgs, out: Output) -> Result<(), CliError> {
    match args.command {
        GatewayCommand::Check { folder } => look(&folder, out).await,
    }
}

async fn look(folder: &DataFolder, out: Output) -> Result<(), CliError> {
    let config = Config::load()?;
    let ca = config.get(&config::CA, None).map(|setting| setting.value);
    let outside = |e| CliError::from(ClientError::from(e));
    let named: Vec<Arc<Provider>> = config.tables().providers.values().cloned().collect();
    let providers = Providers::new(
        named.iter().cloned(),
        ca.as_deref().map(std::path::Path::new),
    );
    let providers = providers.map_err(outside)?;
    // Only keys in a vault need one.
    let vault: Option<Vault> = node::vault(&config.data(folder.data.as_deref())).ok();
    let known = check(&providers, vault.as_ref()).await;
    let local = Providers::new(unnamed(&named), None).map_err(outside)?;
    let found = check(&local, None).await;
    let found: Vec<Checked> = found
        .into_iter()
        .filter(|one| matches!(&one.listed, Listed::Models(models) if !models.is_empty()))
        .collect();
    out.json(&json!({
        "providers": known.iter().map(told).collect::<Vec<_>>(),
        "found": found.iter().map(told).collect::<Vec<_>>(),
    }))?;
    let rows = known.iter().map(row).collect::<Vec<_>>();
    if rows.is_empty() {
        out.line("the settings name no provider: write [providers.NAME] with kind and url")?;
    } else {
        show::table(out, &rows, COLUMNS)?;
    }
    for one in &found {
        let Checked {
            provider, shown, ..
        } = one;
        out.line(format!(
            "a server of models runs at {shown}, with {models}; to use it, write in rialto.toml:\n  \
             [providers.{provider}]\n  kind = \"openai\"\n  url = \"{shown}\"",
            models = models(one),
        ))?;
    }
    Ok(())
}

/// The usual addresses that no provider in the settings has.
fn unnamed(named: &[Arc<Provider>]) -> Vec<Arc<Provider>> {
    let free = LOCAL_SERVERS
        .iter()
        .filter(|(_, url)| named.iter().all(|provider| provider.shown() != *url));
    let providers = free.filter_map(|(name, url)| {
        let terms = Terms {
            kind: Kind::OpenAi,
            url: (*url).to_owned(),
            key: None,
            max_output: OUTPUT,
            first: FIRST,
            pause: PAUSE,
            server: Server::default(),
        };
        Provider::new(name, terms).ok().map(Arc::new)
    });
    providers.collect()
}

fn kind(of: Kind) -> &'static str {
    let found = Kind::ALL.iter().find(|(_, kind)| *kind == of);
    found.map_or("", |(name, _)| *name)
}

fn models(one: &Checked) -> String {
    match &one.listed {
        Listed::Models(models) => {
            let more = models.len().saturating_sub(NAMED);
            let named: Vec<&str> = models.iter().take(NAMED).map(String::as_str).collect();
            match more {
                0 => named.join(", "),
                more => format!("{} and {more} more", named.join(", ")),
            }
        }
        Listed::Unlisted => "it has no list".to_owned(),
        Listed::Failed(why) => why.clone(),
    }
}

fn row(one: &Checked) -> Value {
    let answers = match &one.listed {
        Listed::Models(_) => format!("in {} ms", one.took.as_millis()),
        Listed::Unlisted => "not asked".to_owned(),
        Listed::Failed(_) => "no".to_owned(),
    };
    json!({
        "provider": one.provider, "kind": kind(one.kind), "address": one.shown, "answers": answers,
        "models": models(one),
    })
}

fn told(one: &Checked) -> Value {
    let (models, why) = match &one.listed {
        Listed::Models(models) => (Some(models), None),
        Listed::Unlisted => (None, None),
        Listed::Failed(why) => (None, Some(why)),
    };
    json!({
        "provider": one.provider, "kind": kind(one.kind), "address": one.shown, "models": models,
        "why": why, "took_ms": u64::try_from(one.took.as_millis()).unwrap_or(u64::MAX),
    })
}

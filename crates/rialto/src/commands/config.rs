//! `rialto config …`: the settings, and where each comes from.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::show;
use crate::config::{Config, KEYS};
use crate::output::{CliError, Output};

/// Settings.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Prints the settings. The environment overrides ./rialto.toml, which overrides
    /// ~/.config/rialto/config.toml, which overrides the default. A command's option overrides them
    /// all.
    Show {
        /// Also print where each comes from.
        #[arg(long)]
        origin: bool,
    },
}

/// Runs one config command.
///
/// # Errors
/// A usage error when a settings file is malformed.
pub(crate) fn run(args: &ConfigArgs, out: Output) -> Result<(), CliError> {
    let ConfigCommand::Show { origin } = args.command;
    let config = Config::load()?;
    let mut document = Map::new();
    let mut rows = Vec::new();
    for key in KEYS {
        let setting = config.get(key, None);
        let value = setting.as_ref().map(|s| s.value.clone());
        let from = setting.map(|s| s.origin.to_string());
        let shown = if origin {
            json!({ "value": value, "origin": from })
        } else {
            json!(value)
        };
        document.insert(key.name.to_owned(), shown);
        let from = if origin { json!(from) } else { Value::Null };
        rows.push(json!({ "name": key.name, "value": value, "origin": from, "env": key.env, "about": key.about }));
    }
    out.json(&document)?;
    if out.is_json() {
        return Ok(());
    }
    let columns = [
        ("SETTING", "/name"),
        ("VALUE", "/value"),
        ("ORIGIN", "/origin"),
        ("VARIABLE", "/env"),
        ("WHAT", "/about"),
    ];
    show::table(out, &rows, &columns)
}

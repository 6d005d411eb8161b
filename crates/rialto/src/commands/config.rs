//! `rialto config …`: the settings, where each comes from, whether they can be used, and reading them again.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::remote::Remote;
use super::secret;
use super::serve::{ServeArgs, Served};
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
    /// Judges the settings as a server would, without using them, and prints what would apply; secrets only by where
    /// they are kept.
    Check {
        /// The file to judge instead of ./rialto.toml and ~/.config/rialto/config.toml.
        file: Option<PathBuf>,
    },
    /// Has a running server read its settings again, for the operator: all of them apply, or none. A server without
    /// a terminal does the same when it gets the signal SIGHUP.
    Reload {
        #[command(flatten)]
        remote: Remote,
    },
}

/// Runs one config command.
///
/// # Errors
/// When a settings file cannot be used, or the server refuses.
pub(crate) async fn run(args: ConfigArgs, out: Output) -> Result<(), CliError> {
    match args.command {
        ConfigCommand::Show { origin } => show_all(&Config::load()?, origin, out),
        ConfigCommand::Check { file } => {
            let config = match file {
                Some(file) => Config::load_file(&file)?,
                None => Config::load()?,
            };
            check(&config, out)
        }
        ConfigCommand::Reload { remote } => {
            let done = remote
                .client()?
                .post("/api/config/reload", json!({}))
                .await?;
            out.json(&done)?;
            for (name, what) in [
                ("applied", "applies now"),
                ("needs_restart", "needs a restart"),
                ("warnings", "warning"),
            ] {
                let items = done.get(name).and_then(Value::as_array);
                for item in items.into_iter().flatten().filter_map(Value::as_str) {
                    out.line(format!("{what}: {item}"))?;
                }
            }
            out.line("the settings were read again")
        }
    }
}

fn check(config: &Config, out: Output) -> Result<(), CliError> {
    let served = Served::of(config, &ServeArgs::default())?;
    // A realm that is not founded yet has no vault.
    let vault = secret::vault(&config.data(None)).ok();
    let warnings = served.warnings(vault.as_ref());
    let mut settings = Map::new();
    let mut rows = Vec::new();
    let plain = KEYS.iter().filter_map(|key| {
        let setting = config.get(key, None)?;
        Some((
            key.name.to_owned(),
            setting.value,
            setting.origin.to_string(),
        ))
    });
    let tables = config.tables().shown().into_iter();
    let tables = tables.map(|(name, value)| (name, value, "file".to_owned()));
    for (name, value, origin) in plain.chain(tables) {
        rows.push(json!({ "name": name, "value": value, "origin": origin }));
        settings.insert(name, json!(value));
    }
    out.json(&json!({ "settings": settings, "warnings": warnings }))?;
    if out.is_json() {
        return Ok(());
    }
    show::table(
        out,
        &rows,
        &[
            ("SETTING", "/name"),
            ("VALUE", "/value"),
            ("ORIGIN", "/origin"),
        ],
    )?;
    for warning in warnings {
        out.note(format!("warning: {warning}"));
    }
    out.line("the settings can be used")
}

fn show_all(config: &Config, origin: bool, out: Output) -> Result<(), CliError> {
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

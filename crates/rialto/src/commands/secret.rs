//! `rialto secret …`: the secrets in a realm's vault, set, listed and removed; never shown.
//!
//! Works on the data folder, whether a server uses it or not: a server reads a secret each time it needs it.

use std::io::{IsTerminal, stdin};
use std::path::Path;

use clap::{Args, Subcommand};
use rialto_core::time::Time;
use rialto_outside::{Listed, Secret, SecretError, SecretName, Vault};
use rialto_server::node::{self, BootError};
use serde_json::json;

use super::show;
use super::storage::DataFolder;
use crate::output::{CliError, Output};

/// Secrets of a realm.
#[derive(Debug, Args)]
pub struct SecretArgs {
    #[command(subcommand)]
    command: SecretCommand,
}

#[derive(Debug, Subcommand)]
enum SecretCommand {
    /// Stores a secret, read from standard input, under a name that settings use as secret:NAME. It replaces an older
    /// one at once, also for a running server.
    Set {
        /// The name: a-z, 0-9, - and _.
        name: String,
        #[command(flatten)]
        folder: DataFolder,
    },
    /// Lists the secrets: names, when each was set and last used, and never what they are.
    List {
        #[command(flatten)]
        folder: DataFolder,
    },
    /// Removes a secret.
    Remove {
        /// The name.
        name: String,
        #[command(flatten)]
        folder: DataFolder,
    },
}

/// Runs one secret command.
///
/// # Errors
/// When there is no realm in the folder, the name cannot be one, or the vault cannot be used.
pub(crate) fn run(args: SecretArgs, out: Output) -> Result<(), CliError> {
    match args.command {
        SecretCommand::Set { name, folder } => {
            let (name, vault) = (named(&name)?, vault(&folder.path()?)?);
            if stdin().is_terminal() {
                out.note("type the secret, then end the input with Ctrl-D on a new line; it is shown as you type");
            }
            let secret = Secret::read(stdin().lock()).map_err(secret_error)?;
            vault.set(&name, &secret).map_err(secret_error)?;
            out.json(&json!({ "name": name.as_str() }))?;
            out.line(format!("stored; settings name it as secret:{name}"))
        }
        SecretCommand::List { folder } => {
            let listed = vault(&folder.path()?)?.list().map_err(secret_error)?;
            let at = |ms: u64| Time(ms).to_string();
            let row = |Listed {
                           name,
                           set_at,
                           used_at,
                       }: &Listed| json!({ "name": name.as_str(), "set_at": at(*set_at), "used_at": used_at.map(at) });
            let rows: Vec<_> = listed.iter().map(row).collect();
            out.json(&json!({ "items": rows }))?;
            if out.is_json() {
                return Ok(());
            }
            let columns = [
                ("NAME", "/name"),
                ("SET", "/set_at"),
                ("LAST USED", "/used_at"),
            ];
            show::table(out, &rows, &columns)
        }
        SecretCommand::Remove { name, folder } => {
            let (name, vault) = (named(&name)?, vault(&folder.path()?)?);
            vault.remove(&name).map_err(secret_error)?;
            out.json(&json!({ "name": name.as_str() }))?;
            out.line(format!(
                "removed; what names secret:{name} goes without from now on"
            ))
        }
    }
}

fn named(name: &str) -> Result<SecretName, CliError> {
    name.parse().map_err(secret_error)
}

/// The vault of the realm in a folder.
pub(crate) fn vault(data: &Path) -> Result<Vault, CliError> {
    node::vault(data).map_err(|e| BootError::from(e).into())
}

/// Made for `map_err`, which hands the error over.
#[allow(
    clippy::needless_pass_by_value,
    reason = "map_err passes the error by value"
)]
fn secret_error(error: SecretError) -> CliError {
    match error {
        SecretError::Name | SecretError::Reference => CliError::usage(error.to_string()),
        SecretError::Missing(_) | SecretError::Unusable(_) => {
            CliError::coded(error.code(), &error.to_string())
        }
    }
}

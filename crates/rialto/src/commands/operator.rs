//! `rialto operator …`: what only the holder of a data folder may do, while no server uses it.

use std::path::Path;
use std::sync::Arc;

use clap::{Args, Subcommand};
use rialto_core::text::Handle;
use rialto_journal::sqlite::SqliteReader;
use rialto_server::node::{self, Node, Storage, SystemChance, SystemClock};
use serde_json::json;

use super::storage::{DataFolder, journal_error};
use crate::output::{CliError, Output};

/// Work on a data folder that no server uses.
#[derive(Debug, Args)]
pub struct OperatorArgs {
    #[command(subcommand)]
    command: OperatorCommand,
}

#[derive(Debug, Subcommand)]
enum OperatorCommand {
    /// Issues a new operator token, stores it in the data folder and ends the old ones.
    ResetToken {
        #[command(flatten)]
        folder: DataFolder,
    },
    /// Gives the realm a new signing key; agents' keys in its custody stay as they are.
    RotateKey {
        #[command(flatten)]
        folder: DataFolder,
    },
}

/// Runs one operator command.
///
/// # Errors
/// When there is no realm in the folder, a server uses it, or it cannot be written.
pub(crate) async fn run(args: OperatorArgs, out: Output) -> Result<(), CliError> {
    match args.command {
        OperatorCommand::ResetToken { folder } => {
            let data = folder.path()?;
            let node = open(&data).await?;
            let done = node::reset_operator_token(&node, &data).await;
            stop(node).await?;
            done?;
            let file = data.join("operator.token");
            out.json(&json!({ "operator_token_file": file }))?;
            out.line(format!(
                "a new operator token is stored in {}; the old ones have ended",
                file.display()
            ))
        }
        OperatorCommand::RotateKey { folder } => {
            let data = folder.path()?;
            let node = open(&data).await?;
            let done = node::rotate_realm_key(&node, &data).await;
            stop(node).await?;
            done?;
            let file = data.join("realm.key");
            out.json(&json!({ "realm_key_file": file }))?;
            out.line(format!(
                "the realm has a new key, stored in {}; keep a copy of it",
                file.display()
            ))
        }
    }
}

async fn open(data: &Path) -> Result<Arc<Node>, CliError> {
    // Opening founds a realm where there is none, which nobody asked for here.
    SqliteReader::open(data).map_err(journal_error)?;
    let name = Handle::new("rialto").map_err(|e| CliError::bug(e.to_string()))?;
    let storage = Storage::Folder {
        data: data.to_owned(),
        archive: None,
    };
    let opened = node::open(
        storage,
        &name,
        Arc::new(SystemClock),
        Arc::new(SystemChance),
    )
    .await;
    Ok(opened?.node)
}

async fn stop(node: Arc<Node>) -> Result<(), CliError> {
    tokio::task::spawn_blocking(move || node.stop())
        .await
        .map_err(|e| CliError::bug(e.to_string()))
}

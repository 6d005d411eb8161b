//! `rialto model …`: deployments as people write them, price files of others, and receipts of calls.
//!
//! Lists of deployments and calls, and the end of a deployment, are commands of the plain nouns: `rialto
//! deployment` and `rialto inference`.

mod prices;
mod receipt;
mod terms;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::remote::{self, Remote};
use crate::output::{CliError, Output};
use terms::TermsArgs;

/// Deployments, prices and receipts.
#[derive(Debug, Args)]
pub struct ModelArgs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: ModelCommand,
}

#[derive(Debug, Subcommand)]
enum ModelCommand {
    /// Says what serves a model, and at which prices. `rialto deployment` lists and retires deployments.
    Deploy {
        /// Whose it is, by id or name; by default the owner of the token.
        #[arg(long)]
        owner: Option<String>,
        #[command(flatten)]
        terms: TermsArgs,
    },
    /// Replaces the terms of a deployment. Calls that have begun keep those that they began with.
    Change {
        /// The deployment.
        deployment: String,
        #[command(flatten)]
        terms: TermsArgs,
    },
    /// Reads a price file in the form of LiteLLM's model_prices_and_context_window.json: lists its models, or
    /// prints one as terms for `deploy --file`.
    Prices {
        /// The file (.json).
        file: PathBuf,
        /// The model, as the file names it.
        #[arg(long)]
        model: Option<String>,
    },
    /// Prints the receipt of a call, with its arithmetic; with --json as `verify` takes it.
    Receipt {
        /// The call.
        inference: String,
    },
    /// Checks a receipt without a server: the realm's signature, and that its lines add up.
    Verify {
        /// The receipt, as `rialto model receipt --json` printed it.
        file: PathBuf,
        /// The realm's public key, which `GET /api/realm` tells.
        #[arg(long)]
        key: String,
    },
}

/// Runs one.
///
/// # Errors
/// As the server's, when a file cannot be used, or when a receipt does not hold.
pub(crate) async fn run(args: ModelArgs, out: Output) -> Result<(), CliError> {
    let remote = &args.remote;
    match args.command {
        ModelCommand::Deploy { owner, terms } => {
            let terms = terms.read()?;
            let owner = remote::owner_if_named(remote, owner.as_deref()).await?;
            let args = json!({ "owner": owner, "terms": terms });
            remote::carry_out(remote, out, "deployment.create", args).await
        }
        ModelCommand::Change { deployment, terms } => {
            let args = json!({ "deployment": deployment, "terms": terms.read()? });
            remote::carry_out(remote, out, "deployment.change", args).await
        }
        ModelCommand::Prices { file, model } => prices::run(&file, model.as_deref(), out),
        ModelCommand::Receipt { inference } => receipt::show(remote, out, &inference).await,
        ModelCommand::Verify { file, key } => receipt::verify(&file, &key, out),
    }
}

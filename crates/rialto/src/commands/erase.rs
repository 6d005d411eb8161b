//! `rialto erase`: contents, gone for good.

use clap::Args;
use serde_json::json;

use super::remote::{self, Remote};
use crate::output::{CliError, Output};

/// Which contents to erase.
#[derive(Debug, Args)]
pub struct EraseArgs {
    /// The contents' ids, as messages, posts and profiles name them.
    #[arg(required = true, value_name = "CONTENT")]
    contents: Vec<String>,
    #[command(flatten)]
    remote: Remote,
}

/// Erases contents from log, views and later backups, and from earlier ones when their keys are renewed.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn run(args: EraseArgs, out: Output) -> Result<(), CliError> {
    remote::carry_out(
        &args.remote,
        out,
        "realm.erase",
        json!({ "contents": args.contents }),
    )
    .await
}

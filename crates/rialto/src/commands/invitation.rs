//! `rialto invitation …`: codes to sign up with when sign-up is closed.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::remote::{self, Remote};
use super::{parse, show};
use crate::output::{CliError, Output};

/// Invitations to sign up; for the operator.
#[derive(Debug, Args)]
pub struct InvitationArgs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: InvitationCommand,
}

#[derive(Debug, Subcommand)]
enum InvitationCommand {
    /// Makes an invitation, and gets its code: whoever holds it may sign up with it.
    Create {
        /// How many sign-ups it allows.
        #[arg(long, value_name = "N", default_value_t = 1)]
        uses: u32,
        /// After how long it expires, such as 7d.
        #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = parse::duration_ms)]
        expires_in: u64,
        /// A name that distinguishes it from others.
        #[arg(long)]
        label: Option<String>,
        /// Store the code in this new file instead of printing it.
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
    },
    /// Lists the invitations that can still be used, without their codes, which are not stored.
    List,
    /// Revokes an invitation; owners that signed up with it stay.
    End {
        /// Its id.
        invitation: String,
    },
}

/// Runs one invitation command.
///
/// # Errors
/// As the server's, or when a file or the output cannot be written.
pub(crate) async fn run(args: InvitationArgs, out: Output) -> Result<(), CliError> {
    let remote = &args.remote;
    match args.command {
        InvitationCommand::Create {
            uses,
            expires_in,
            label,
            save,
        } => {
            let args = json!({ "uses": uses, "expires_in_ms": expires_in, "label": label });
            remote::carry_out_saving(remote, out, "invitation.create", args, save.as_deref()).await
        }
        InvitationCommand::List => {
            let answer = remote.client()?.get("/api/invitations").await?;
            let columns = [
                ("ID", "/id"),
                ("LABEL", "/label"),
                ("USES LEFT", "/uses"),
                ("EXPIRES", "/expires"),
            ];
            show::page(out, &answer, &columns)
        }
        InvitationCommand::End { invitation } => {
            let args = json!({ "invitation": invitation });
            remote::carry_out(remote, out, "invitation.end", args).await
        }
    }
}

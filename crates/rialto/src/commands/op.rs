//! `rialto op`: any operation by its name, with its arguments as JSON.

use clap::Args;
use clap::builder::PossibleValuesParser;
use rialto_wire::native::NativeCommand;

use super::parse;
use super::remote::{self, Remote};
use crate::output::{CliError, Output};

/// Which operation, and its arguments.
#[derive(Debug, Args)]
pub struct OpArgs {
    /// The operation's name, such as mail.send.
    #[arg(value_parser = PossibleValuesParser::new(NativeCommand::OPS), hide_possible_values = true)]
    name: String,
    /// Its arguments as a JSON object; - reads standard input.
    #[arg(default_value = "{}")]
    args: String,
    #[command(flatten)]
    remote: Remote,
}

/// Carries out one operation.
///
/// # Errors
/// A usage error when the arguments are not JSON; else as the server's.
pub(crate) async fn run(args: OpArgs, out: Output) -> Result<(), CliError> {
    let text = parse::text_or_stdin(&args.args)?;
    let value = serde_json::from_str(&text).map_err(|e| {
        CliError::usage(format!("the arguments of {} are not JSON: {e}", args.name))
    })?;
    remote::carry_out(&args.remote, out, &args.name, value).await
}

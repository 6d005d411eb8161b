//! `rialto completions`: completions for shells.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::output::{CliError, Output};

/// For which shell.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints a completion script.
///
/// # Errors
/// When the output cannot be written.
pub(crate) fn run(args: &CompletionsArgs, out: Output) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "rialto", &mut script);
    out.raw(&String::from_utf8_lossy(&script))
}

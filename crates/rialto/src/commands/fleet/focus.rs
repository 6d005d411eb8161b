//! `rialto fleet focus`: spend and usage in the columns of FOCUS 1.3.

use std::path::PathBuf;

use clap::Args;
use rialto_economics::{focus, usage};

use super::table;
use crate::output::{CliError, Output};

/// Writes a usage table in the columns of FOCUS 1.3: as CSV, or with `--json` as JSON rows.
#[derive(Debug, Args)]
pub(crate) struct FocusArgs {
    /// The usage table (.csv).
    usage: PathBuf,
}

/// Runs the command.
pub(crate) fn run(args: &FocusArgs, out: Output) -> Result<(), CliError> {
    let text = table::read(&args.usage)?;
    let name = args.usage.display().to_string();
    let rows = usage::parse(&name, &text).map_err(table::input)?;
    let records = focus::records(&name, &rows).map_err(table::input)?;
    if out.is_json() {
        return out.json(&records);
    }
    out.raw(&focus::to_csv(&records))
}

//! `rialto explain`: what an error code means and what to do.

use clap::Args;
use rialto_core::reject::Code;
use rialto_server::door::{error_page, error_pages, status_of};
use serde_json::{Value, json};

use crate::output::{CliError, Output};

/// Which codes to explain.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct ExplainArgs {
    /// A code, such as RLT0401.
    #[arg(conflicts_with = "all")]
    code: Option<String>,
    /// Explain every code.
    #[arg(long)]
    all: bool,
}

/// Explains one code or all.
///
/// # Errors
/// A usage error when there is no such code.
pub(crate) fn run(args: &ExplainArgs, out: Output) -> Result<(), CliError> {
    let Some(text) = &args.code else {
        out.json(
            &Code::ALL
                .iter()
                .map(|code| as_json(*code))
                .collect::<Vec<_>>(),
        )?;
        return out.line(error_pages().trim_end());
    };
    let code: Code = text.to_uppercase().parse().map_err(|()| {
        CliError::usage(format!("{text:?} is not an error code"))
            .hint("codes look like RLT0401; rialto explain --all lists them")
    })?;
    out.json(&as_json(code))?;
    out.line(error_page(code).trim_end())
}

fn as_json(code: Code) -> Value {
    json!({
        "code": code, "title": code.title(), "remedy": code.remedy(), "http_status": status_of(code).as_u16(),
    })
}

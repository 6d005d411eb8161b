//! `rialto explain`: what an error code means and what to do.

use clap::Args;
use rialto_core::reject::Code;
use rialto_server::door::status_of;
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
        let pages: Vec<String> = Code::ALL.iter().map(|code| as_text(*code)).collect();
        return out.line(pages.join("\n\n"));
    };
    let code: Code = text.to_uppercase().parse().map_err(|()| {
        CliError::usage(format!("{text:?} is not an error code"))
            .hint("codes look like RLT0401; rialto explain --all lists them")
    })?;
    out.json(&as_json(code))?;
    out.line(as_text(code))
}

fn as_json(code: Code) -> Value {
    json!({
        "code": code, "title": code.title(), "cause": code.cause(), "remedy": code.remedy(),
        "http_status": status_of(code).as_u16(),
    })
}

/// What a code means, for a terminal.
fn as_text(code: Code) -> String {
    format!(
        "{code}  {title}\n  cause   {cause}\n  remedy  {remedy}\n  http    {status}",
        title = code.title(),
        cause = code.cause(),
        remedy = code.remedy().replace('`', ""),
        status = status_of(code).as_u16(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_explained_in_plain_text() {
        assert_eq!(
            as_text(Code::Insufficient),
            "RLT0401  the account does not have enough money\n  \
             cause   The balance minus open holds is smaller than the amount.\n  \
             remedy  Fund it, or spend less; if you may see the account, the detail says what is available \
             and needed.\n  \
             http    402"
        );
        for code in Code::ALL {
            let text = as_text(*code);
            assert!(!text.contains(['#', '`', '*']), "{text}");
        }
    }
}

//! `rialto fleet claims`: which statements follow from their figures, and which do not.

use std::path::PathBuf;

use clap::Args;
use rialto_economics::claims::{self, Checked, ClaimFile, Verdict, Wording};

use super::table;
use crate::output::{CliError, Output};

/// Checks statements against the figures they rest on. Exit code 1 means that one or more do not follow:
/// the check itself went well.
#[derive(Debug, Args)]
pub(crate) struct ClaimsArgs {
    /// The claims and their facts (.toml).
    file: PathBuf,
}

/// Runs the command.
pub(crate) fn run(args: &ClaimsArgs, out: Output) -> Result<(), CliError> {
    let file: ClaimFile = table::scenario(&args.file)?;
    let mut facts = Vec::new();
    for name in &file.fact_tables {
        let path = table::beside(&args.file, name);
        let text = table::read(&path)?;
        let parsed = claims::parse_facts(&path.display().to_string(), &text);
        facts.extend(parsed.map_err(table::input)?);
    }
    let checked = claims::check(&file, &facts).map_err(|f| table::fault(&args.file, &f))?;
    out.json(&checked)?;
    for claim in &checked {
        print(claim, out)?;
    }
    let follows = |c: &&Checked| matches!(c.verdict, Verdict::Follows | Verdict::FollowsInPart);
    let failed = checked.len() - checked.iter().filter(follows).count();
    if failed == 0 {
        return Ok(());
    }
    let told = format!("{failed} of {} claims do not follow", checked.len());
    Err(CliError::failed(told).hint(
        "nothing went wrong: exit code 1 says that claims do not follow, 0 that all do; above stands \
         what would have to hold",
    ))
}

fn print(claim: &Checked, out: Output) -> Result<(), CliError> {
    let mark = match claim.verdict {
        Verdict::Follows => "follows",
        Verdict::FollowsInPart => "follows, but not over the whole range of its facts",
        Verdict::OnlyInRange => "does not follow, but would inside the range of its facts",
        Verdict::DoesNotFollow => "does not follow",
    };
    let show = |value: f64| {
        format!("{} {}", significant(value), claim.unit)
            .trim()
            .to_owned()
    };
    let says = if claim.wording == Wording::Primarily {
        format!("{} (more than half)", claim.says)
    } else {
        claim.says.clone()
    };
    out.line("")?;
    table::wrapped(out, "", &format!("\"{}\"", claim.text))?;
    out.line(format!(
        "  {mark}: says {says}, computed {}",
        show(claim.computed)
    ))?;
    if claim.computed_low < claim.computed_high {
        let (low, high) = (show(claim.computed_low), show(claim.computed_high));
        out.line(format!("  over the ranges of its facts: {low} to {high}"))?;
    }
    table::wrapped(out, "  ", &format!("= {}", claim.formula))?;
    for remedy in &claim.remedies {
        let (needs, is) = (significant(remedy.needs), significant(remedy.is));
        let unit = &remedy.unit;
        out.line(format!(
            "  would hold with {} = {needs} {unit} (is {is})",
            remedy.fact
        ))?;
    }
    let sources = claim.sources.join("; ");
    table::wrapped(
        out,
        "  ",
        &format!(
            "modelled; weakest basis of its facts: {}; {sources}",
            claim.basis
        ),
    )
}

/// Four significant digits, without an exponent.
fn significant(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let before = value.abs().log10().floor() as i32 + 1;
    let decimals = usize::try_from(4 - before).unwrap_or(0).min(12);
    let text = table::fixed(value, decimals);
    if text.contains('.') {
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    text
}

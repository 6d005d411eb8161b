//! `rialto fleet concentration`: who depends on which vendor, chip, host and region.

use std::path::{Path, PathBuf};

use clap::Args;
use rialto_economics::concentration::{self, Concentration, Measure};
use rialto_economics::usage;

use super::deals;
use super::table::{self, Table};
use crate::commands::remote::Remote;
use crate::output::{CliError, Output};

/// Shows shares of spend, tokens and capacity by vendor, chip, host and region.
#[derive(Debug, Args)]
pub(crate) struct ConcentrationArgs {
    /// A scenario (.toml) or a usage table (.csv). Without it, the command reads the settled deals of a
    /// realm.
    input: Option<PathBuf>,
    /// Count only deals that are paid in this asset.
    #[arg(
        long,
        default_value = "USD",
        value_name = "CODE",
        conflicts_with = "input"
    )]
    asset: String,
    /// How many names to show for each dimension, such as vendor.
    #[arg(long, default_value_t = 5)]
    top: usize,
    #[command(flatten)]
    remote: Remote,
}

/// Runs the command.
///
/// # Errors
/// When the input cannot be read or holds nothing; or an error of the server.
pub(crate) async fn run(args: &ConcentrationArgs, out: Output) -> Result<(), CliError> {
    let (all, source) = match &args.input {
        Some(path) => (of_file(path)?, path.display().to_string()),
        None => {
            let deals = deals::settled(&args.remote, &args.asset).await?;
            let source = format!("the realm's settled deals in {}", args.asset);
            (concentration::of_deals(&deals), source)
        }
    };
    if all.is_empty() {
        return Err(CliError::failed(format!(
            "{source} hold no spend or tokens"
        )));
    }
    out.json(&all)?;
    for measure in [Measure::Spend, Measure::Tokens, Measure::Capacity] {
        let of_measure: Vec<&Concentration> = all.iter().filter(|c| c.measure == measure).collect();
        print_measure(&of_measure, args, &source, out)?;
    }
    Ok(())
}

fn of_file(path: &Path) -> Result<Vec<Concentration>, CliError> {
    if path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("csv"))
    {
        let text = table::read(path)?;
        let rows = usage::parse(&path.display().to_string(), &text).map_err(table::input)?;
        return Ok(concentration::of_usage(&rows));
    }
    Ok(concentration::of_scenario(&table::scenario(path)?))
}

fn print_measure(
    all: &[&Concentration],
    args: &ConcentrationArgs,
    source: &str,
    out: Output,
) -> Result<(), CliError> {
    let Some(first) = all.first() else {
        return Ok(());
    };
    let unit = first.unit;
    let title = match first.measure {
        Measure::Spend => "Spend",
        Measure::Tokens => "Tokens",
        Measure::Capacity => "Capacity",
    };
    let mut rows = Table::new(&["dimension / name", unit, "share", "HHI", "equal parts"]);
    for c in all {
        let dash = table::dash;
        rows.row([
            c.dimension.to_owned(),
            dash(),
            dash(),
            table::number_or_dash(c.hhi, 3),
            table::number_or_dash(c.effective_count, 1),
        ]);
        let named = c.shares.iter().filter(|s| s.name.is_some());
        let unattributed = c.shares.iter().filter(|s| s.name.is_none());
        let left = named.clone().count().saturating_sub(args.top);
        for share in named.take(args.top).chain(unattributed) {
            let name = share.name.as_deref().unwrap_or("unattributed");
            rows.row([
                format!("  {name}"),
                table::compact(share.amount),
                table::percent(share.share),
            ]);
        }
        if left > 0 {
            rows.row([format!("  … {left} more")]);
        }
        // Nobody's share, but taken off what is paid in all: with it the rows add up to the title.
        if c.credit_left > 0.0 {
            let credits = format!("−{}", table::compact(c.credit_left));
            rows.row(["  credits".to_owned(), credits, dash()]);
        }
    }
    let paid = first.total - first.credit_left;
    let title = format!("{title}: {} {unit} in all", table::compact(paid));
    let basis = all.iter().map(|c| c.basis).max().unwrap_or_default();
    let source = format!(
        "from {source}; HHI: sum of squared shares, 1 is a single supplier; unattributed is left out \
         of it"
    );
    rows.print(out, &title, &table::origin(basis, &source))?;
    if all.iter().any(|c| c.credit_left > 0.0) {
        let note = "credits: what exceeds the spend of the name it is for; in no share";
        table::wrapped(out, "  ", note)?;
    }
    Ok(())
}

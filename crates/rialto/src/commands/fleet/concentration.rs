//! `rialto fleet concentration`: who depends on which vendor, chip, host and region.

use std::path::PathBuf;

use clap::Args;
use rialto_fleet::economics::concentration::{self, Concentration, Measure};
use rialto_fleet::economics::usage;

use super::table::{self, Table};
use crate::output::{CliError, Output};

/// Shares of spend, tokens and capacity by vendor, chip, host and region.
#[derive(Debug, Args)]
pub(crate) struct ConcentrationArgs {
    /// A scenario (.toml) or a usage table (.csv).
    input: PathBuf,
    /// How many names to show of each dimension.
    #[arg(long, default_value_t = 5)]
    top: usize,
}

/// Runs the command.
pub(crate) fn run(args: &ConcentrationArgs, out: Output) -> Result<(), CliError> {
    let is_csv = args
        .input
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("csv"));
    let all = if is_csv {
        let text = table::read(&args.input)?;
        let rows = usage::parse(&args.input.display().to_string(), &text).map_err(table::input)?;
        concentration::of_usage(&rows)
    } else {
        concentration::of_scenario(&table::scenario(&args.input)?)
    };
    if all.is_empty() {
        return Err(CliError::failed(format!(
            "{} holds no spend or tokens",
            args.input.display()
        )));
    }
    out.json(&all)?;
    for measure in [Measure::Spend, Measure::Tokens, Measure::Capacity] {
        let of_measure: Vec<&Concentration> = all.iter().filter(|c| c.measure == measure).collect();
        print_measure(&of_measure, args, out)?;
    }
    Ok(())
}

fn print_measure(
    all: &[&Concentration],
    args: &ConcentrationArgs,
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
    }
    let title = format!("{title}: {} {unit} in all", table::compact(first.total));
    let basis = all.iter().map(|c| c.basis).max().unwrap_or_default();
    let source = format!(
        "from {}; HHI: sum of squared shares, 1 is a single supplier; unattributed is left out of it",
        args.input.display()
    );
    rows.print(out, &title, &table::origin(basis, &source))
}

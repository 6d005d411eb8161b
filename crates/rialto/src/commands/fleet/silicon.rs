//! `rialto fleet silicon`: whether to build a chip or buy one.

use std::path::PathBuf;

use clap::Args;
use rialto_economics::silicon::{self, ChipYear, SiliconReport, SiliconScenario};

use super::table::{self, Table};
use crate::output::{CliError, Output};

/// Computes whether building your own chip pays: break-even volume and date, saving by workload, ranges.
#[derive(Debug, Args)]
pub(crate) struct SiliconArgs {
    /// The scenario (.toml).
    scenario: PathBuf,
}

/// Runs the command.
pub(crate) fn run(args: &SiliconArgs, out: Output) -> Result<(), CliError> {
    let scenario: SiliconScenario = table::scenario(&args.scenario)?;
    let report = silicon::report(&scenario);
    out.json(&report)?;
    out.line(&scenario.name)?;
    let origin = format!("modelled from {}: {}", scenario.basis, scenario.source);
    print_chips(&report, &scenario, &origin, out)?;
    print_workloads(&report, out)?;
    print_outcomes(&report, out)?;
    print_ranges(&report, &scenario, out)?;
    let title = "What moves the net present value (millions of dollars, no lag)";
    table::tornado(out, title, &report.tornado, 10, |v| table::fixed(v, 0))
}

fn print_chips(
    report: &SiliconReport,
    scenario: &SiliconScenario,
    origin: &str,
    out: Output,
) -> Result<(), CliError> {
    let mut rows = Table::new(&["dollars a chip and year", "capital", "power", "total"]);
    let mut chip = |name: &str, year: ChipYear| {
        rows.row([
            name.to_owned(),
            table::fixed(year.capital_usd, 0),
            table::fixed(year.power_usd, 0),
            table::fixed(year.total_usd(), 0),
        ]);
    };
    chip("own", report.own_year);
    chip("bought", report.bought_year);
    let price = scenario.bought.unit_price_usd.mid;
    let margin = price * scenario.bought.supplier_margin_share.mid;
    let note = format!(
        "{origin}. Of the bought chip's price of {price:.0}, about {margin:.0} is its supplier's margin."
    );
    rows.print(out, "The two chips", &note)
}

fn print_workloads(report: &SiliconReport, out: Output) -> Result<(), CliError> {
    let Some(outcome) = report.outcomes.first() else {
        return Ok(());
    };
    let mut rows = Table::new(&[
        "workload",
        "saves $/chip/year",
        "port it",
        "chips replaced",
        "saved $M",
    ]);
    for w in &outcome.workloads {
        rows.row([
            w.name.clone(),
            table::fixed(w.saving_usd_per_bought_chip_year, 0),
            if w.worth_porting { "yes" } else { "no" }.to_owned(),
            table::fixed(w.replaced_chips, 0),
            table::fixed(w.saved_usd_m, 0),
        ]);
    }
    let note = "modelled; saves: for each bought chip replaced; replaced: bought chips, average over the years after porting; saved: over the \
                horizon, not discounted, porting left out";
    rows.print(out, "Workloads, no adoption lag", note)
}

fn print_outcomes(report: &SiliconReport, out: Output) -> Result<(), CliError> {
    let mut rows = Table::new(&[
        "lag",
        "NPV $M",
        "break-even",
        "break-even chips",
        "pays above $",
        "avoided $M",
        "spent $M",
    ]);
    for o in &report.outcomes {
        rows.row([
            o.adoption_lag_quarters.to_string(),
            table::fixed(o.npv_usd_m, 0),
            o.break_even
                .map_or_else(|| "never".to_owned(), |q| q.to_string()),
            table::number_or_dash(o.break_even_chips, 0),
            table::number_or_dash(o.indifference_price_usd, 0),
            table::fixed(o.supplier_margin_avoided_usd_m, 0),
            table::fixed(o.spent_usd_m, 0),
        ]);
    }
    let note = "modelled, at mid; break-even chips: own chips kept in service for their life that \
                pay back design, upkeep and porting; pays above: price of the bought chip; avoided: \
                the supplier's margin on the chips replaced at the end";
    rows.print(out, "Outcome by adoption lag in quarters", note)
}

fn print_ranges(
    report: &SiliconReport,
    scenario: &SiliconScenario,
    out: Output,
) -> Result<(), CliError> {
    let mut rows = Table::new(&[
        "lag",
        "NPV p10",
        "p50",
        "p90",
        "loses",
        "years p10",
        "p50",
        "p90",
        "in time",
        "chips p50",
    ]);
    for r in &report.ranges {
        let [a, b, c] = table::quantiles(&r.npv_usd_m, |v| table::fixed(v, 0));
        let [d, e, f] = table::quantiles(&r.break_even_years, |v| table::fixed(v, 1));
        rows.row([
            r.adoption_lag_quarters.to_string(),
            a,
            b,
            c,
            table::percent(r.npv_usd_m.negative_share),
            d,
            e,
            f,
            table::percent(r.break_even_years.defined_share),
            table::number_or_dash(r.break_even_chips.p50, 0),
        ]);
    }
    let note = format!(
        "modelled; NPV in millions of dollars; years to break-even where it comes within the \
         horizon; {} draws, seed {}, independent triangular inputs",
        scenario.draws, scenario.seed
    );
    rows.print(out, "Ranges by adoption lag in quarters", &note)
}

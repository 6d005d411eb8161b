//! `rialto fleet cost`: cost of ownership, cost of tokens, margin of a price list.

use std::path::PathBuf;

use clap::Args;
use rialto_economics::cost::{self, CostReport, CostScenario, Margin};
use rialto_fleet::catalogue::Catalogue;
use rialto_fleet::step::Parameters;

use super::table::{self, Table};
use crate::output::{CliError, Output};

/// Computes what a chip-hour and a million tokens cost, and the margin that a price list leaves.
#[derive(Debug, Args)]
pub(crate) struct CostArgs {
    /// The scenario (.toml).
    scenario: PathBuf,
    /// Files that add entries to the shipped catalogue or replace them: TOML, or a table of chips (.csv).
    #[arg(long = "catalogue")]
    catalogues: Vec<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(args: &CostArgs, out: Output) -> Result<(), CliError> {
    let mut scenario: CostScenario = table::scenario(&args.scenario)?;
    let mut catalogue = Catalogue::shipped().map_err(|e| CliError::bug(e.to_string()))?;
    for path in &args.catalogues {
        let text = table::read(path)?;
        let name = path.display().to_string();
        catalogue
            .add(&name, &text)
            .map_err(|e| CliError::usage(e.to_string()))?;
    }
    let parameters = Parameters::shipped().map_err(|e| CliError::bug(e.to_string()))?;
    scenario
        .complete(&catalogue, &parameters)
        .map_err(|fault| table::fault(&args.scenario, &fault))?;
    let report = cost::report(&scenario);
    out.json(&report)?;
    out.line(&scenario.name)?;
    print_hours(&report, out)?;
    print_tokens(&report, out)?;
    let margins = &report.margins;
    print_margins(
        "Margin by customer class, a month",
        &margins.by_class,
        &margins.total,
        out,
    )?;
    print_margins(
        "Margin by chip, a month",
        &margins.by_chip,
        &margins.total,
        out,
    )?;
    print_margins(
        "Margin by model, a month",
        &margins.by_model,
        &margins.total,
        out,
    )?;
    print_lags(&report, &scenario, out)?;
    table::tornado(
        out,
        "What moves the total margin",
        &report.tornado,
        10,
        table::percent,
    )
}

fn print_hours(report: &CostReport, out: Output) -> Result<(), CliError> {
    let mut rows = Table::new(&[
        "dollars a chip-hour",
        "deprec.",
        "return",
        "power",
        "space",
        "network",
        "staff",
        "rent",
        "total",
    ]);
    let mut origins = Vec::new();
    for (name, hour, basis, source) in &report.chip_hours {
        let parts = [
            hour.depreciation_usd,
            hour.capital_return_usd,
            hour.power_usd,
            hour.space_usd,
            hour.network_usd,
            hour.staff_usd,
            hour.rent_usd,
            hour.total_usd(),
        ];
        rows.row(std::iter::once(name.clone()).chain(parts.iter().map(|p| table::fixed(*p, 3))));
        origins.push(format!("{name}: {basis}, {source}"));
    }
    rows.print(
        out,
        "Cost of a chip-hour",
        &format!("modelled; inputs: {}", origins.join("; ")),
    )
}

fn print_tokens(report: &CostReport, out: Output) -> Result<(), CliError> {
    let mut rows = Table::new(&[
        "dollars a million tokens",
        "input",
        "cached",
        "output",
        "basis",
    ]);
    let mut sources: Vec<&str> = Vec::new();
    for cost in &report.token_costs {
        rows.row([
            format!("{} on {}", cost.model, cost.chip),
            table::fixed(cost.input_usd_per_million, 4),
            table::fixed(cost.cached_usd_per_million, 4),
            table::fixed(cost.output_usd_per_million, 4),
            cost.basis.to_string(),
        ]);
        sources.push(&cost.source);
    }
    let origin = format!(
        "modelled, idle hours included; throughput: {}",
        sources.join("; ")
    );
    rows.print(out, "Cost of tokens", &origin)
}

fn print_margins(
    title: &str,
    rows: &[Margin],
    total: &Margin,
    out: Output,
) -> Result<(), CliError> {
    let mut lines = Table::new(&["dollars", "revenue", "cost", "profit", "margin", "chips"]);
    for row in rows.iter().chain([total]) {
        lines.row([
            row.name.clone(),
            table::compact(row.revenue_usd),
            table::compact(row.cost_usd),
            table::compact(row.profit_usd()),
            table::percent_or_dash(row.margin()),
            table::compact(row.chips),
        ]);
    }
    lines.print(
        out,
        title,
        "modelled; prices and volumes as the scenario states them",
    )
}

fn print_lags(report: &CostReport, scenario: &CostScenario, out: Output) -> Result<(), CliError> {
    let mut rows = Table::new(&[
        "agentic demand",
        "sold",
        "a token costs",
        "profit",
        "margin",
        "p10",
        "p50",
        "p90",
        "below zero",
    ]);
    for case in &report.adoption {
        let [low, middle, high] = table::quantiles(&case.margin, table::percent);
        rows.row([
            match case.adoption_lag_quarters {
                0 => "on time".to_owned(),
                lag => format!("{lag} quarters late"),
            },
            table::percent(case.sold_share),
            format!("x {}", table::fixed(1.0 / case.sold_share.max(1e-9), 2)),
            table::compact(case.total.profit_usd()),
            table::percent_or_dash(case.total.margin()),
            low,
            middle,
            high,
            table::percent(case.margin.negative_share),
        ]);
    }
    let origin = format!(
        "modelled; dollars a month on average over {} quarters, chips paid for from the start; p10 to \
         p90: the margin over {} draws, seed {}, independent triangular inputs",
        scenario.horizon_quarters, scenario.draws, scenario.seed
    );
    rows.print(out, "Total, by adoption lag", &origin)
}

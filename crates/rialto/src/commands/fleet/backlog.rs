//! `rialto fleet backlog`: a contracted backlog on capacity as it arrives.

use std::path::PathBuf;

use clap::Args;
use rialto_economics::Basis;
use rialto_economics::backlog::{self, BacklogReport, BacklogScenario, ContractResult, Schedule};

use super::table::{self, Table};
use crate::output::{CliError, Output};

/// Computes how much of the backlog moves to own chips, when, at what margin, and what is at risk.
#[derive(Debug, Args)]
pub(crate) struct BacklogArgs {
    /// The scenario (.toml).
    scenario: PathBuf,
}

/// Runs the command.
pub(crate) fn run(args: &BacklogArgs, out: Output) -> Result<(), CliError> {
    let scenario: BacklogScenario = table::scenario(&args.scenario)?;
    let report = backlog::report(&scenario);
    out.json(&report)?;
    out.line(&scenario.name)?;
    let Some(on_time) = report.schedules.first() else {
        return Ok(());
    };
    print_cases(&report, out)?;
    print_contracts(on_time, &scenario, out)?;
    print_months(on_time, out)?;
    let basis = scenario
        .rate
        .iter()
        .map(|r| r.basis)
        .chain(scenario.chip.iter().map(|c| c.basis));
    print_origin(basis.max().unwrap_or_default(), &scenario, out)
}

fn margin(result: &ContractResult) -> String {
    let revenue = result.revenue_usd;
    table::percent_or_dash((revenue > 0.0).then(|| result.profit_usd() / revenue))
}

/// The part of a case's name that states how late agentic demand is.
fn late(adoption_lag_quarters: u32) -> String {
    match adoption_lag_quarters {
        0 => String::new(),
        lag => format!(", demand +{lag} quarters"),
    }
}

fn print_cases(report: &BacklogReport, out: Output) -> Result<(), CliError> {
    let mut rows = Table::new(&[
        "case",
        "moved",
        "revenue",
        "cost",
        "penalties",
        "profit",
        "margin",
        "at risk",
        "idle",
    ]);
    let mut case = |name: String, schedule: &Schedule| {
        let total = &schedule.total;
        rows.row([
            name,
            table::percent_or_dash(total.moved_share()),
            table::compact(total.revenue_usd),
            table::compact(total.cost_usd),
            table::compact(total.penalty_usd),
            table::compact(total.profit_usd()),
            margin(total),
            table::compact(schedule.at_risk_usd),
            table::compact(schedule.idle_usd),
        ]);
    };
    for bought in &report.bought_only {
        let lag = bought.adoption_lag_quarters;
        case(format!("bought chips only{}", late(lag)), bought);
        let own = report.schedules.iter();
        for schedule in own.filter(|s| s.adoption_lag_quarters == lag) {
            let name = match schedule.slip_months {
                0 => "own silicon on time".to_owned(),
                months => format!("deliveries +{months} months"),
            };
            case(format!("{name}{}", late(lag)), schedule);
        }
    }
    let note = "modelled; dollars; cost: hours used; idle: cost of hours nobody used, not in \
                profit; at risk: price and penalty of all tokens lost or still waiting";
    rows.print(out, "Cases", note)
}

fn print_contracts(
    schedule: &Schedule,
    scenario: &BacklogScenario,
    out: Output,
) -> Result<(), CliError> {
    let mut rows = Table::new(&[
        "contract", "due", "bought", "own", "lost", "waiting", "later", "moved", "from", "margin",
        "at risk",
    ]);
    for (result, contract) in schedule.contracts.iter().zip(&scenario.contract) {
        let million = |m: f64| table::compact(m * 1e6);
        rows.row([
            result.name.clone(),
            million(result.due_million),
            million(result.bought_million),
            million(result.own_million),
            million(result.lost_million),
            million(result.waiting_million),
            million(result.beyond_million),
            table::percent_or_dash(result.moved_share()),
            result
                .first_own_month
                .map_or_else(table::dash, |m| m.to_string()),
            margin(result),
            table::compact(result.at_risk_usd(contract)),
        ]);
    }
    let note = "modelled; tokens; due = bought + own + lost + waiting; later: due after the plan";
    rows.print(
        out,
        "Contracts, own silicon and demand as in the first case",
        note,
    )
}

fn print_months(schedule: &Schedule, out: Output) -> Result<(), CliError> {
    let mut rows = Table::new(&[
        "month",
        "due",
        "on bought",
        "on own",
        "lost",
        "waiting",
        "portable",
        "bought used",
        "own used",
        "profit",
    ]);
    for month in &schedule.months {
        let million = |m: f64| table::compact(m * 1e6);
        rows.row([
            month.month.to_string(),
            million(month.due_million),
            million(month.bought_million),
            million(month.own_million),
            million(month.lost_million),
            million(month.waiting_million),
            table::percent_or_dash(month.portable_share),
            table::percent_or_dash(month.bought_use),
            table::percent_or_dash(month.own_use),
            table::compact(month.profit_usd),
        ]);
    }
    let note = "modelled; tokens, profit in dollars; portable: share of due tokens whose model \
                runs on own silicon that month";
    rows.print(
        out,
        "Months, own silicon and demand as in the first case",
        note,
    )
}

fn print_origin(basis: Basis, scenario: &BacklogScenario, out: Output) -> Result<(), CliError> {
    let sources: Vec<String> = scenario
        .chip
        .iter()
        .map(|c| format!("{}: {}", c.name, c.source))
        .collect();
    out.line("")?;
    table::wrapped(
        out,
        "",
        &format!("inputs: {}", table::origin(basis, &sources.join("; "))),
    )
}

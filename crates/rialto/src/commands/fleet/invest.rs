//! `rialto fleet invest`: evaluates a capital plan, after testing the model on history.

use std::path::PathBuf;

use clap::Args;
use rialto_economics::Fault;
use rialto_economics::history::{self, Backtest, History, HistoryColumns, HistorySetup, Predicted};
use rialto_economics::invest::{self, InvestReport, InvestScenario, Outcome, Year};
use serde::Serialize;

use super::table::{self, Table};
use crate::output::{CliError, Output};

/// Computes what a capital plan costs, earns and returns, for each adoption lag and with ranges.
#[derive(Debug, Args)]
pub(crate) struct InvestArgs {
    /// The scenario (.toml).
    scenario: PathBuf,
    /// Use this table of history (.csv) instead of the one that the scenario names.
    #[arg(long)]
    history: Option<PathBuf>,
    /// Which column of the history holds which figure (.toml). Without this option, the mapping that the
    /// scenario names applies, or else that of the shipped table.
    #[arg(long, value_name = "FILE")]
    history_columns: Option<PathBuf>,
}

#[derive(Serialize)]
struct Document<'a> {
    scenario: &'a InvestScenario,
    backtest: Option<&'a Backtest>,
    forecast: &'a [Predicted],
    plan: &'a InvestReport,
}

/// Runs the command.
pub(crate) fn run(args: &InvestArgs, out: Output) -> Result<(), CliError> {
    let scenario: InvestScenario = table::scenario(&args.scenario)?;
    let tried = scenario
        .history
        .as_ref()
        .map(|setup| try_history(args, setup))
        .transpose()?;
    if tried.is_none() && (args.history.is_some() || args.history_columns.is_some()) {
        return Err(CliError::usage(
            "the scenario has no [history] to say what to fit",
        ));
    }
    let plan = invest::report(&scenario);
    let (backtest, forecast) = match &tried {
        Some((backtest, forecast)) => (Some(backtest), forecast.as_slice()),
        None => (None, [].as_slice()),
    };
    out.json(&Document {
        scenario: &scenario,
        backtest,
        forecast,
        plan: &plan,
    })?;
    out.line(&scenario.name)?;
    match backtest {
        Some(backtest) => print_backtest(backtest, forecast, out)?,
        None => {
            out.line("\nThis scenario names no history, so its model was not tested on any.")?;
        }
    }
    print_plan(&scenario, &plan, out)
}

fn try_history(
    args: &InvestArgs,
    setup: &HistorySetup,
) -> Result<(Backtest, Vec<Predicted>), CliError> {
    let path = match &args.history {
        Some(path) => path.clone(),
        None => table::beside(&args.scenario, &setup.file),
    };
    let name = path.display().to_string();
    let columns = columns(args, setup)?;
    let history = History::parse(&name, &table::read(&path)?, &columns).map_err(table::input)?;
    let failed = |e: history::HistoryError| {
        let fault = Fault::new(format!("history.{}", e.field()), format!("{e}, in {name}"));
        table::fault(&args.scenario, &fault)
    };
    let backtest = history::backtest(&history, setup).map_err(failed)?;
    let forecast = history::newest_forecast(&history, setup).map_err(failed)?;
    Ok((backtest, forecast))
}

/// The mapping that the user gives; without it, the one that the scenario names; else the shipped one.
fn columns(args: &InvestArgs, setup: &HistorySetup) -> Result<HistoryColumns, CliError> {
    let named = setup.columns.as_ref();
    let named = named.map(|name| table::beside(&args.scenario, name));
    match args.history_columns.clone().or(named) {
        Some(path) => table::scenario(&path),
        None => HistoryColumns::shipped().map_err(|e| CliError::bug(e.to_string())),
    }
}

fn print_backtest(b: &Backtest, forecast: &[Predicted], out: Output) -> Result<(), CliError> {
    let mut rows = Table::new(&[
        "quarter",
        "D&A",
        "model",
        "80 % range",
        "last",
        "trend",
        "margin",
        "model",
        "80 % range",
        "last",
        "trend",
    ]);
    for q in &b.quarters {
        let m = &q.model;
        let (low, high) = m.depreciation_80;
        let (margin_low, margin_high) = m.margin_80;
        rows.row([
            m.quarter.to_string(),
            table::fixed(q.actual_depreciation_usd_b, 2),
            table::fixed(m.depreciation_usd_b, 2),
            format!("{low:.2} to {high:.2}"),
            table::fixed(q.last_depreciation_usd_b, 2),
            table::fixed(q.trend_depreciation_usd_b, 2),
            table::fixed(q.actual_margin * 100.0, 1),
            table::fixed(m.margin * 100.0, 1),
            format!("{:.1} to {:.1}", margin_low * 100.0, margin_high * 100.0),
            table::fixed(q.last_margin * 100.0, 1),
            table::fixed(q.trend_margin * 100.0, 1),
        ]);
    }
    let derived = list(&b.derived_inputs);
    let mut note = format!(
        "D&A in billions of dollars, margin in percent of revenue; actual: measured; model: \
         modelled, fitted on {} to {}",
        b.fit.first, b.fit.last
    );
    if !derived.is_empty() {
        note.push_str(&format!(
            ", of which {derived} rest on derived figures (inputs only)"
        ));
    }
    if !b.left_out.is_empty() {
        note.push_str(&format!(
            "; no target, because derived or absent: {}",
            list(&b.left_out)
        ));
    }
    rows.print(out, "The model on history", &note)?;
    print_scores(b, out)?;
    print_forecast(forecast, out)
}

fn list<T: std::fmt::Display>(items: &[T]) -> String {
    items
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

fn print_scores(b: &Backtest, out: Output) -> Result<(), CliError> {
    let mut rows = Table::new(&["forecast", "D&A, mean error", "margin, mean error"]);
    for score in &b.scores {
        rows.row([
            score.forecast.to_owned(),
            table::percent(score.depreciation_mape),
            format!("{:.2} points", score.margin_mae * 100.0),
        ]);
    }
    let verdict = |beats: bool| {
        if beats {
            "beats both"
        } else {
            "does not beat both"
        }
    };
    let note = format!(
        "modelled; {} quarters. Depreciation: the model {} naive forecasts; margin: it {}. The \
         80 % range held {:.0} % of the depreciations and {:.0} % of the margins. A difference of \
         less than a point on so few quarters is no evidence.",
        b.quarters.len(),
        verdict(b.beats_naive_on_depreciation()),
        verdict(b.beats_naive_on_margin()),
        b.depreciation_inside_80 * 100.0,
        b.margin_inside_80 * 100.0,
    );
    rows.print(out, "Errors", &note)
}

fn print_forecast(forecast: &[Predicted], out: Output) -> Result<(), CliError> {
    let mut rows = Table::new(&[
        "quarter",
        "revenue",
        "D&A",
        "80 % range",
        "margin",
        "80 % range",
    ]);
    for p in forecast {
        let ((low, high), (from, to)) = (p.depreciation_80, p.margin_80);
        rows.row([
            p.quarter.to_string(),
            table::fixed(p.revenue_usd_b, 1),
            table::fixed(p.depreciation_usd_b, 2),
            format!("{low:.2} to {high:.2}"),
            table::percent(p.margin),
            format!("{:.1} to {:.1}", from * 100.0, to * 100.0),
        ]);
    }
    let note = "modelled; billions of dollars; the same model fitted again on the newest quarters";
    rows.print(out, "The same business, next quarters", note)
}

fn print_plan(scenario: &InvestScenario, plan: &InvestReport, out: Output) -> Result<(), CliError> {
    let origin = format!("modelled from {}; {}", scenario.basis, scenario.source);
    print_capital(scenario, plan, &origin, out)?;
    let Some(first) = plan.outcomes.first() else {
        return Ok(());
    };
    print_years(first, out)?;
    print_year_ranges(plan, out)?;
    print_outcomes(scenario, plan, out)?;
    print_ranges(scenario, plan, out)?;
    let title = format!(
        "What moves the net present value (billions of dollars, lag {} quarters)",
        first.adoption_lag_quarters
    );
    table::tornado(out, &title, &plan.tornado, 12, |v| table::fixed(v, 1))
}

fn print_capital(
    scenario: &InvestScenario,
    plan: &InvestReport,
    origin: &str,
    out: Output,
) -> Result<(), CliError> {
    let Some(outcome) = plan.outcomes.first() else {
        return Ok(());
    };
    let spends = |y: &&Year| y.capex_usd_b > 0.0;
    let years: Vec<&Year> = outcome.years.iter().filter(spends).take(8).collect();
    let spent = by_class(scenario, &years, |y| &y.capex_by_class_usd_b);
    spent.print(
        out,
        "Spending by asset class and year, billions of dollars",
        origin,
    )?;
    let years: Vec<&Year> = outcome.years.iter().take(8).collect();
    let written = by_class(scenario, &years, |y| &y.depreciation_by_class_usd_b);
    let note = "modelled; a straight line from service over the life; life in years, mid and range";
    written.print(
        out,
        "Depreciation by asset class and year, billions of dollars",
        note,
    )
}

/// A table with a row for each asset class and a column for each year, with totals both ways.
fn by_class(scenario: &InvestScenario, years: &[&Year], column: fn(&Year) -> &Vec<f64>) -> Table {
    let names: Vec<String> = years.iter().map(|y| y.year.to_string()).collect();
    let mut heads = vec!["asset class", "life"];
    heads.extend(names.iter().map(String::as_str));
    heads.push("sum");
    let mut rows = Table::new(&heads);
    let mut line = |name: &str, life: String, amounts: Vec<f64>| {
        let sum = amounts.iter().sum();
        let cells = amounts
            .into_iter()
            .chain([sum])
            .map(|amount| table::fixed(amount, 2));
        rows.row([name.to_owned(), life].into_iter().chain(cells));
    };
    for (i, class) in scenario.classes.iter().enumerate() {
        let life = class.useful_life_years;
        let life = format!("{} ({}-{})", life.mid, life.low, life.high);
        line(
            &class.name,
            life,
            years.iter().map(|y| column(y)[i]).collect(),
        );
    }
    let totals = years.iter().map(|y| column(y).iter().sum()).collect();
    line("total", String::new(), totals);
    rows
}

fn print_years(outcome: &Outcome, out: Output) -> Result<(), CliError> {
    let mut rows = Table::new(&[
        "year", "capex", "used", "revenue", "costs", "D&A", "op. inc.", "margin", "op. cash",
        "FCF", "sum", "+ base",
    ]);
    for y in &outcome.years {
        let margin = (y.revenue_usd_b > 0.0).then(|| y.operating_income_usd_b / y.revenue_usd_b);
        rows.row([
            y.year.to_string(),
            table::fixed(y.capex_usd_b, 1),
            table::percent_or_dash(y.utilisation),
            table::fixed(y.revenue_usd_b, 1),
            table::fixed(y.cash_cost_usd_b, 1),
            table::fixed(y.depreciation_usd_b, 1),
            table::fixed(y.operating_income_usd_b, 1),
            table::percent_or_dash(margin),
            table::fixed(y.operating_cash_flow_usd_b, 1),
            table::fixed(y.free_cash_flow_usd_b, 1),
            table::fixed(y.cumulative_usd_b, 1),
            table::number_or_dash(y.total_free_cash_flow_usd_b, 1),
        ]);
    }
    let title = format!(
        "The plan at mid, adoption lag {} quarters, billions of dollars",
        outcome.adoption_lag_quarters
    );
    let note = "modelled; the plan's own capital alone; costs: in cash; sum: of FCF so far; + base: FCF of plan \
                and paying business together, in years in which the plan spends";
    rows.print(out, &title, note)
}

fn print_year_ranges(plan: &InvestReport, out: Output) -> Result<(), CliError> {
    let Some(ranges) = plan.ranges.first() else {
        return Ok(());
    };
    let mut rows = Table::new(&[
        "year",
        "D&A p10",
        "p50",
        "p90",
        "op. inc. p10",
        "p50",
        "p90",
        "FCF p10",
        "p50",
        "p90",
    ]);
    for year in &ranges.years {
        let spreads = [
            &year.depreciation_usd_b,
            &year.operating_income_usd_b,
            &year.free_cash_flow_usd_b,
        ];
        let cells = spreads
            .iter()
            .flat_map(|s| table::quantiles(s, |v| table::fixed(v, 1)));
        rows.row(std::iter::once(year.year.to_string()).chain(cells));
    }
    let title = format!(
        "The plan's years over their ranges, adoption lag {} quarters, billions of dollars",
        ranges.adoption_lag_quarters
    );
    rows.print(
        out,
        &title,
        "modelled; each column by itself, so a row is not one draw",
    )
}

fn print_outcomes(
    scenario: &InvestScenario,
    plan: &InvestReport,
    out: Output,
) -> Result<(), CliError> {
    let mut rows = Table::new(&[
        "lag",
        "NPV",
        "IRR",
        "payback",
        "funding",
        "even at use",
        "even at price",
        "stranded",
        "idle D&A",
    ]);
    for o in &plan.outcomes {
        let irr = match o.irr {
            rialto_economics::cashflow::Irr::Rate(rate) => table::percent(rate),
            rialto_economics::cashflow::Irr::None => "none".to_owned(),
            rialto_economics::cashflow::Irr::Ambiguous => "several".to_owned(),
        };
        let years = |v: f64| format!("{v:.1} years");
        rows.row([
            o.adoption_lag_quarters.to_string(),
            table::fixed(o.npv_usd_b, 1),
            irr,
            o.payback_years.map_or_else(|| "never".to_owned(), years),
            table::fixed(o.peak_funding_usd_b, 1),
            o.break_even_utilisation
                .map_or_else(|| "> 100 %".to_owned(), table::percent),
            o.break_even_price_index
                .map_or_else(table::dash, |i| price(scenario, i)),
            table::fixed(o.stranded_peak_usd_b, 1),
            table::fixed(o.stranded_depreciation_usd_b, 1),
        ]);
    }
    let lag = match plan.latest_adoption_quarters {
        None => "the value is negative even without any lag".to_owned(),
        Some(lag) => format!("the value stays above zero up to a lag of {lag} quarters"),
    };
    let note = format!(
        "modelled, at mid; billions of dollars; funding: deepest cumulative cash; even at: where \
         NPV is zero, planned use {}; stranded: most earning capital without a buyer in a quarter; \
         idle D&A: depreciation on it; {lag}",
        table::percent(scenario.demand.utilisation.mid)
    );
    rows.print(out, "Outcome by adoption lag in quarters", &note)
}

fn price(scenario: &InvestScenario, index: f64) -> String {
    match (scenario.demand.price_usd, &scenario.demand.price_unit) {
        (Some(usd), Some(unit)) => format!("${:.2}/{unit}", usd * index),
        _ => format!("{:.2} x plan", index),
    }
}

fn print_ranges(
    scenario: &InvestScenario,
    plan: &InvestReport,
    out: Output,
) -> Result<(), CliError> {
    let mut rows = Table::new(&[
        "lag",
        "NPV p10",
        "p50",
        "p90",
        "loses",
        "IRR p10",
        "p50",
        "p90",
        "paid back",
        "after",
        "FCF",
    ]);
    for r in &plan.ranges {
        let [a, b, c] = table::quantiles(&r.npv_usd_b, |v| table::fixed(v, 1));
        let [d, e, f] = table::quantiles(&r.irr, table::percent);
        let [low, _, high] = table::quantiles(&r.first_year_fcf_usd_b, |v| table::fixed(v, 0));
        let has_base = r.first_year_fcf_usd_b.p50.is_some();
        rows.row([
            r.adoption_lag_quarters.to_string(),
            a,
            b,
            c,
            table::percent(r.npv_usd_b.negative_share),
            d,
            e,
            f,
            table::percent(r.payback_years.defined_share),
            table::number_or_dash(r.payback_years.p50, 1),
            if has_base {
                format!("{low} to {high}")
            } else {
                table::dash()
            },
        ]);
    }
    let note = format!(
        "modelled; billions of dollars; loses: share of draws with NPV below zero; paid back: \
         share of draws within {} years, after: their median years; FCF: of plan and base in {}, \
         p10 to p90; {} draws, seed {}, independent triangular inputs",
        scenario.horizon_years,
        scenario.start.year(),
        scenario.draws,
        scenario.seed
    );
    rows.print(out, "Ranges by adoption lag in quarters", &note)
}

//! `rialto scenario …`: market days from folders.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use rialto_client::Client;
use rialto_scenario::day::{DayPlan, DayReport, Prices, Venue, hold, restoring_limits};
use rialto_scenario::welfare::{LossReason, Unmatched};
use rialto_scenario::{DayError, Scenario, dollars, fit, load};

use super::remote::read_token;
use super::show::plain;
use crate::config::{self, Config};
use crate::output::{CliError, Output};

/// How many customers, and then businesses, act at the same time against a server.
const LANES: usize = 16;

/// Market days from folders of customers and businesses.
#[derive(Debug, Subcommand)]
pub(crate) enum ScenarioCommand {
    /// Runs a market day and reports welfare, fairness, money and speed.
    Run(RunArgs),
}

/// What is run, and where.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The scenario's folder: customers/*.yaml and businesses/*.yaml.
    path: PathBuf,
    /// Run the day in the realm of this server instead of a new one.
    #[arg(long, value_name = "URL", requires = "token_file")]
    server: Option<String>,
    /// The file with that server's operator token.
    #[arg(long, value_name = "FILE", requires = "server")]
    token_file: Option<PathBuf>,
    /// Breaks ties; without --server, all randomness comes from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Customers accept first proposals unchanged, without bargaining.
    #[arg(long)]
    list_prices: bool,
}

/// Runs one scenario command.
///
/// # Errors
/// When the folder cannot be read, the door refuses something, or the books differ.
pub(crate) async fn run(command: ScenarioCommand, out: Output) -> Result<(), CliError> {
    let ScenarioCommand::Run(args) = command;
    let scenario = load(&args.path).map_err(|e| CliError::usage(e.to_string()))?;
    let scenario = fit(&scenario);
    print(&day(&args, &scenario, out).await?, out)
}

async fn day(args: &RunArgs, scenario: &Scenario, out: Output) -> Result<DayReport, CliError> {
    let prices = if args.list_prices {
        Prices::List
    } else {
        Prices::Bargained
    };
    let (Some(server), Some(file)) = (&args.server, &args.token_file) else {
        let venue = Venue::embedded(args.seed).await?;
        let plan = DayPlan {
            prices,
            seed: args.seed,
            lanes: 1,
        };
        let report = hold(&venue, scenario, plan).await;
        venue.close();
        return Ok(report?);
    };
    let ca = Config::load()?.get(&config::CA, None).map(|s| s.value);
    let token = Some(read_token(file)?);
    let operator = Client::http_trusting(server, token, ca.as_deref().map(Path::new))?;
    out.note("the server's rate limits are switched off until the day is over");
    let plan = DayPlan {
        prices,
        seed: args.seed,
        lanes: LANES,
    };
    let venue = Venue::served(operator.clone(), false);
    let day = restoring_limits(&operator, async {
        tokio::select! {
            report = hold(&venue, scenario, plan) => report,
            _ = tokio::signal::ctrl_c() => Err(DayError::Interrupted),
        }
    });
    Ok(day.await?)
}

/// Prints the report: JSON if that was asked for, else a page of text.
fn print(report: &DayReport, out: Output) -> Result<(), CliError> {
    out.json(report)?;
    for line in lines(report) {
        out.line(plain(&line))?;
    }
    for note in report.notes.iter().take(20) {
        out.note(plain(&format!("note: {note}")));
    }
    if report.notes.len() > 20 {
        out.note(format!(
            "note: and {} more; --json lists all",
            report.notes.len() - 20
        ));
    }
    Ok(())
}

fn lines(report: &DayReport) -> Vec<String> {
    let (welfare, fairness, actions) = (&report.welfare, &report.fairness, &report.actions);
    let mut lines = vec![
        format!(
            "scenario   {}: {} customers, {} businesses, seed {}",
            report.scenario,
            report.customers.len(),
            fairness.sellers_total,
            report.seed
        ),
        format!(
            "welfare    {}, the optimum at list prices is {} ({}; {})",
            dollars(welfare.total),
            dollars(welfare.optimal),
            percent(welfare.ratio),
            report.optimum_from
        ),
        format!(
            "  at list  {} ({})",
            dollars(welfare.list_price_total),
            percent(welfare.list_price_ratio)
        ),
        format!(
            "  bargains {} beyond list prices",
            dollars(welfare.bargaining_gain)
        ),
    ];
    if welfare.lost_to.is_empty() {
        lines.push("  lost     nothing".to_owned());
    }
    for loss in &welfare.lost_to {
        lines.push(format!(
            "  lost     {} {} ({} customers)",
            dollars(loss.amount),
            reason(loss.reason),
            loss.customers
        ));
    }
    lines.push(format!("manipulated {} choices", report.manipulated));
    lines.push(deals_line(report));
    lines.extend(report.unmatched.iter().take(5).map(unmatched));
    if report.unmatched.len() > 5 {
        lines.push(format!(
            "  no deal  and {} more; --json lists all",
            report.unmatched.len() - 5
        ));
    }
    lines.push(format!(
        "fairness   Gini {} over customers, {} over sellers; {} of {} sellers sold, the first {} of it",
        figure(fairness.customers.gini),
        figure(fairness.sellers.gini),
        fairness.sellers_with_deals,
        fairness.sellers_total,
        percent(fairness.top_seller_share)
    ));
    let sums: Vec<String> = report
        .trial_balance
        .iter()
        .map(|(asset, sum)| format!("{asset} {sum}"))
        .collect();
    lines.push(format!(
        "money      {} moved, trial balance {}",
        dollars(report.money_moved),
        sums.join(", ")
    ));
    lines.push(format!(
        "actions    {} in {:.2} s: {:.0}/s, p50 {:.3} ms, p99 {:.3} ms ({} commands, {} at a time)",
        actions.count,
        actions.seconds,
        actions.per_second,
        actions.p50_ms,
        actions.p99_ms,
        actions.commands,
        actions.lanes
    ));
    lines.push(format!(
        "digest     {} at {}",
        report.digest, report.position
    ));
    lines
}

fn deals_line(report: &DayReport) -> String {
    let mut line = format!("deals      {} settled", report.deals.settled);
    for (state, count) in &report.deals.others {
        line.push_str(&format!(", {count} {state}"));
    }
    line
}

fn unmatched(who: &Unmatched) -> String {
    let lacks: Vec<&str> = who
        .missing_items
        .iter()
        .chain(&who.missing_attributes)
        .map(String::as_str)
        .collect();
    match &who.nearest {
        _ if who.possible => format!(
            "  no deal  {}: its best seller was not reached",
            who.customer
        ),
        Some(nearest) if lacks.is_empty() => format!(
            "  no deal  {}: {nearest} has all, at too high a price",
            who.customer
        ),
        Some(nearest) => format!(
            "  no deal  {}: {nearest} comes nearest and lacks {}",
            who.customer,
            lacks.join(", ")
        ),
        None => format!("  no deal  {}: nobody sells", who.customer),
    }
}

fn reason(reason: LossReason) -> &'static str {
    match reason {
        LossReason::NotFound => "to search: the best seller was not found",
        LossReason::NotAsked => "to the shortlist: the best seller was not asked",
        LossReason::NoProposal => "to silence: the best seller made no complete proposal",
        LossReason::DearerChoice => "to choice: a dearer seller was preferred",
        LossReason::BaselineDiffers => "to the shipped optimum, which differs from the menus' own",
    }
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.2} %", share * 100.0))
}

fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"))
}

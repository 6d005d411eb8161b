//! `rialto bench market`: market days of growing populations, and search among many listings.

use std::path::PathBuf;

use clap::Args;
use rialto_bench::market::{self, MarketFigures, MarketPlan};
use rialto_scenario::load;

use super::{Bar, PlaceArgs};
use crate::output::{CliError, Output};

/// Market days of growing populations, and search among many listings.
///
/// For each factor, starts a server and holds the scenario there that many times at once: every customer
/// and business is copied, and four copies at a time share the names of items. An action is one durable
/// request of a customer or business over loopback. Then it fills a server with listings of four items
/// each, whose names are two of 2,000 words (some words are more frequent). Half of the searches name an
/// item and an attribute that the listing must have, and sort by price; the other half search for two
/// words.
#[derive(Debug, Args)]
pub(crate) struct MarketArgs {
    /// The scenario's folder; the shipped market day when absent.
    #[arg(long)]
    scenario: Option<PathBuf>,
    /// How many times its population; may be repeated.
    #[arg(long, default_values_t = [1, 10, 100])]
    factor: Vec<usize>,
    /// Requests under way at a time.
    #[arg(long, default_value_t = 16)]
    lanes: usize,
    /// Listings that are searched; 0 leaves the search out.
    #[arg(long, default_value_t = 300_000)]
    listings: usize,
    /// Searches.
    #[arg(long, default_value_t = 4_000)]
    searches: usize,
    #[command(flatten)]
    place: PlaceArgs,
}

/// Runs `rialto bench market`.
pub(crate) async fn run(args: &MarketArgs, out: Output) -> Result<(), CliError> {
    let scenario = match &args.scenario {
        Some(path) => load(path).map_err(|e| CliError::usage(e.to_string()))?,
        None => rialto_scenario::demo::shipped()?,
    };
    let plan = MarketPlan {
        scenario,
        factor: args.factor.clone(),
        lanes: args.lanes,
        listings: args.listings,
        searches: args.searches,
    };
    let (place, mut bar) = (args.place.place()?, Bar::new(out));
    let report = market::measure(&plan, &place, &mut bar).await?;
    bar.clear();
    print(&report, out)
}

fn print(report: &MarketFigures, out: Output) -> Result<(), CliError> {
    out.json(report)?;
    for day in &report.days {
        out.line(format!(
            "{} x{}: {} customers, {} businesses: {:.0} actions/s, p50 {:.2} ms, p99 {:.2} ms; {} deals, {:.1} % of the optimum; server {:.0} MiB",
            report.scenario,
            day.factor,
            day.customers,
            day.businesses,
            day.actions.per_second,
            day.actions.p50_ms,
            day.actions.p99_ms,
            day.settled,
            day.welfare_of_optimum * 100.0,
            day.server.now_mib
        ))?;
    }
    let Some(search) = &report.search else {
        return Ok(());
    };
    out.line(format!(
        "{} listings published at {:.0}/s, indexed at {:.0}/s; {:.0} searches/s, by item {}, by words {}; {} found something; server {:.0} MiB",
        search.listings,
        search.published_per_s,
        search.indexed_per_s,
        search.searches_per_s,
        search.by_item.text(),
        search.by_words.text(),
        search.hits,
        search.server.now_mib
    ))
}

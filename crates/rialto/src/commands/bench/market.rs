//! `rialto bench market`: market days of growing populations, and search among many listings.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use rialto_wire::names::Name;
use serde::Serialize;
use serde_json::{Value, json};

use super::load::{Draw, Spread, Times, lanes, rate};
use super::stage::{Memory, Place, PlaceArgs, Served};
use crate::market_day::buyer::Prices;
use crate::market_day::realm::Realm;
use crate::market_day::report::Actions;
use crate::market_day::stage::send;
use crate::market_day::{Plan, hold};
use crate::output::{CliError, Output};
use crate::scenario::{Business, Customer, Item, Scenario, fit, load};
use rialto_client::Client;

/// How many copies of the scenario share one set of names, and so compete.
const NEIGHBOURS: usize = 4;
/// Listings of one agent.
const PER_AGENT: usize = 1_000;
/// Words that listings are made of, the first of them most often.
const WORDS: usize = 2_000;

/// Market days of growing populations, and search among many listings.
///
/// For each factor a server of its own is started, and the scenario is held there that many times
/// over, at once: every customer and business is copied, with names of items that four copies share.
/// An action is one request of a customer or business over loopback, durable. Then a server is filled
/// with listings of four items whose names are two of 2,000 words, drawn unevenly; half of the searches
/// name an item and an attribute that the listing must have, by price, and half are for two words.
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

/// One population's day, measured.
#[derive(Debug, Serialize)]
struct Day {
    factor: usize,
    customers: usize,
    businesses: usize,
    welfare_of_optimum: f64,
    settled: usize,
    actions: Actions,
    server: Memory,
}

/// The search, measured.
#[derive(Debug, Serialize)]
struct Search {
    listings: usize,
    published_per_s: f64,
    indexed_per_s: f64,
    searches_per_s: f64,
    by_item: Spread,
    by_words: Spread,
    hits: usize,
    server: Memory,
}

#[derive(Debug, Serialize)]
struct Report {
    scenario: String,
    lanes: usize,
    days: Vec<Day>,
    search: Option<Search>,
}

/// Runs `rialto bench market`.
pub(crate) async fn run(args: &MarketArgs, out: Output) -> Result<(), CliError> {
    if args.lanes == 0 || args.factor.contains(&0) {
        return Err(CliError::usage("--lanes and --factor are at least 1"));
    }
    if args.place.data.is_some() && args.factor.len() + usize::from(args.listings > 0) > 1 {
        return Err(CliError::usage(
            "--data takes one realm: give one --factor and --listings 0",
        ));
    }
    let scenario = match &args.scenario {
        Some(path) => load::load(path).map_err(|e| CliError::usage(e.to_string()))?,
        None => crate::commands::demo::shipped_scenario()?,
    };
    let scenario = fit::fit(&scenario);
    let bar = out.progress("bench", args.factor.len() as u64 + 1);
    let mut days = Vec::new();
    for factor in &args.factor {
        days.push(day(args, &scenario, *factor).await?);
        bar.inc(1);
    }
    let search = match args.listings {
        0 => None,
        _ => Some(search(args).await?),
    };
    bar.finish_and_clear();
    let report = Report {
        scenario: scenario.name,
        lanes: args.lanes,
        days,
        search,
    };
    print(&report, out)
}

fn print(report: &Report, out: Output) -> Result<(), CliError> {
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

async fn day(args: &MarketArgs, scenario: &Scenario, factor: usize) -> Result<Day, CliError> {
    let place = Place::new(&args.place)?;
    let server = Served::start(&place)?;
    let many = copies(scenario, factor);
    let realm = Realm::served(server.operator.clone(), true);
    let plan = Plan {
        prices: Prices::Bargained,
        seed: 1,
        lanes: args.lanes,
    };
    let report = hold(&realm, &many, plan).await?;
    Ok(Day {
        factor,
        customers: many.customers.len(),
        businesses: many.businesses.len(),
        welfare_of_optimum: report.welfare.ratio.unwrap_or(f64::NAN),
        settled: report.deals.settled,
        actions: report.actions,
        server: server.memory_mib(),
    })
}

/// The scenario so many times over, four copies to each set of names.
fn copies(scenario: &Scenario, factor: usize) -> Scenario {
    if factor == 1 {
        return scenario.clone();
    }
    let mut many = Scenario {
        name: scenario.name.clone(),
        customers: Vec::with_capacity(scenario.customers.len() * factor),
        businesses: Vec::with_capacity(scenario.businesses.len() * factor),
        baselines: None,
        notes: Vec::new(),
    };
    for copy in 0..factor {
        let quarter = copy / NEIGHBOURS;
        let item = |item: &Item| Item {
            name: Name::from(format!("{} {quarter}", item.name.text()).as_str()),
            price: item.price,
        };
        many.customers
            .extend(scenario.customers.iter().map(|c| Customer {
                id: format!("{}-{copy}", c.id),
                wants: c.wants.iter().map(item).collect(),
                ..c.clone()
            }));
        many.businesses
            .extend(scenario.businesses.iter().map(|b| Business {
                id: format!("{}-{copy}", b.id),
                menu: b.menu.iter().map(item).collect(),
                ..b.clone()
            }));
    }
    many
}

/// A name of two words.
fn item(draw: &mut Draw) -> String {
    format!("{} {}", word(draw), word(draw))
}

/// A word of three syllables. Low numbers come up more often, as words do in any language.
fn word(draw: &mut Draw) -> String {
    const SYLLABLES: [&str; 13] = [
        "ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te", "vi",
    ];
    let most = 1 + draw.below(WORDS);
    let mut left = draw.below(most);
    let mut text = String::with_capacity(6);
    for _ in 0..3 {
        text.push_str(SYLLABLES.get(left % SYLLABLES.len()).copied().unwrap_or(""));
        left /= SYLLABLES.len();
    }
    text
}

async fn search(args: &MarketArgs) -> Result<Search, CliError> {
    let place = Place::new(&args.place)?;
    let server = Served::start(&place)?;
    server.lift_limits().await?;
    let sellers = args.listings.div_ceil(PER_AGENT);
    let owner = server.owner("bench").await?;
    let handles: Vec<String> = (0..sellers).map(|n| format!("seller{n}")).collect();
    let sellers = server.agents(&owner, &handles).await?;
    server.indexed().await?;
    let begun = Instant::now();
    let (_, publishing) = lanes(4, |lane| {
        let mine: Vec<Client> = sellers.iter().skip(lane).step_by(4).cloned().collect();
        async move {
            for (n, seller) in mine.iter().enumerate() {
                let mut draw = Draw::new((lane * 1_000_000 + n) as u64);
                let all = (0..PER_AGENT).map(|_| listing(&mut draw));
                send(seller, "listing.publish", all.collect()).await?;
            }
            Ok(())
        }
    })
    .await?;
    server.indexed().await?;
    let indexing = begun.elapsed();
    let each = args.searches / args.lanes;
    let (found, searching) = lanes(args.lanes, |lane| {
        let client = server.operator.clone();
        async move { searches(&client, lane, each).await }
    })
    .await?;
    let hits = found.iter().map(|(_, _, hits)| hits).sum();
    let (by_item, by_words): (Vec<Times>, Vec<Times>) = found
        .into_iter()
        .map(|(items, words, _)| (items, words))
        .unzip();
    let count = sellers.len() * PER_AGENT;
    Ok(Search {
        listings: count,
        published_per_s: rate(count, publishing),
        indexed_per_s: rate(count, indexing),
        searches_per_s: rate(each * args.lanes, searching),
        by_item: Times::together(by_item).spread(),
        by_words: Times::together(by_words).spread(),
        hits,
        server: server.memory_mib(),
    })
}

fn listing(draw: &mut Draw) -> Value {
    let mut items = Vec::with_capacity(4);
    while items.len() < 4 {
        let name = item(draw);
        if !items
            .iter()
            .any(|i: &Value| i.get("name").and_then(Value::as_str) == Some(&name))
        {
            items.push(json!({ "name": name, "price": format!("{}.50", 1 + draw.below(20)) }));
        }
    }
    let outdoor = json!({ "name": "outdoor", "value": { "flag": draw.below(2) == 0 } });
    json!({ "terms": { "title": item(draw), "items": items, "attributes": [outdoor] } })
}

async fn searches(
    client: &Client,
    lane: usize,
    count: usize,
) -> Result<(Times, Times, usize), CliError> {
    let mut draw = Draw::new(7_000_000 + lane as u64);
    let (mut by_item, mut by_words, mut hits) = (Times::default(), Times::default(), 0);
    for n in 0..count {
        let (query, times) = if n % 2 == 0 {
            let query = json!({ "items": [item(&mut draw)], "attributes": ["outdoor"],
                "match": "all", "limit": 10 });
            (query, &mut by_item)
        } else {
            let query = json!({ "text": item(&mut draw), "limit": 10 });
            (query, &mut by_words)
        };
        let begun = Instant::now();
        let page = client.post("/api/search/listings", query).await?;
        times.note(begun.elapsed());
        let found = page.get("hits").and_then(Value::as_array);
        hits += usize::from(found.is_some_and(|h| !h.is_empty()));
    }
    Ok((by_item, by_words, hits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_share_names_by_fours() {
        let one = crate::commands::demo::shipped_scenario().unwrap();
        let many = copies(&fit::fit(&one), 8);
        assert_eq!(many.customers.len(), 8 * one.customers.len());
        let wants = |copy: usize| {
            let customer = many.customers.get(copy * one.customers.len());
            customer.map(|c| c.wants[0].name.key().to_owned())
        };
        assert_eq!(wants(0), wants(3));
        assert_ne!(wants(3), wants(4));
        let mut ids: Vec<&str> = many.customers.iter().map(|c| c.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), many.customers.len());
    }
}

//! Market days of growing populations, and search among many listings.

use std::time::Instant;

use rialto_client::Client;
use rialto_scenario::ask::send;
use rialto_scenario::day::{Actions, DayPlan, Prices, Venue, hold};
use rialto_scenario::{Business, Customer, Item, Scenario, fit};
use rialto_wire::names::Name;
use serde::Serialize;
use serde_json::{Value, json};

use crate::host::{Host, Memory, Place, Served};
use crate::load::{Draw, Spread, Times, lanes, rate};
use crate::{BenchError, Measuring, Progress};

/// How many copies of the scenario share one set of names and therefore compete.
const NEIGHBOURS: usize = 4;
/// Listings of one agent.
const PER_AGENT: usize = 1_000;
/// The number of words that listings are made of; the first are the most frequent.
const WORDS: usize = 2_000;

/// Market days of growing populations, and search among many listings.
///
/// For each factor, starts a server and holds the scenario there that many times at once: every customer
/// and business is copied, and four copies at a time share the names of items. An action is one durable
/// request of a customer or business over loopback. Then it fills a server with listings of four items
/// each, whose names are two of 2,000 words (some words are more frequent). Half of the searches name an
/// item and an attribute that the listing must have, and sort by price; the other half search for two
/// words.
#[derive(Clone, Debug)]
pub struct MarketPlan {
    /// The scenario.
    pub scenario: Scenario,
    /// How many times its population, a day each.
    pub factor: Vec<usize>,
    /// Requests under way at a time.
    pub lanes: usize,
    /// Listings that are searched; 0 leaves the search out.
    pub listings: usize,
    /// Searches.
    pub searches: usize,
}

/// One population's day, measured.
#[derive(Debug, Serialize)]
pub struct MarketDay {
    /// How many times the scenario's population.
    pub factor: usize,
    /// Customers.
    pub customers: usize,
    /// Businesses.
    pub businesses: usize,
    /// Customers' welfare as a share of the best at list prices.
    pub welfare_of_optimum: f64,
    /// Settled deals.
    pub settled: usize,
    /// Requests of customers and businesses.
    pub actions: Actions,
    /// The server's memory then.
    pub server: Memory,
}

/// The search, measured.
#[derive(Debug, Serialize)]
pub struct MarketSearch {
    /// Listings that were searched.
    pub listings: usize,
    /// Listings published a second.
    pub published_per_s: f64,
    /// Listings a second until the views had the last.
    pub indexed_per_s: f64,
    /// Searches a second.
    pub searches_per_s: f64,
    /// How long searches for an item took.
    pub by_item: Spread,
    /// How long searches for two words took.
    pub by_words: Spread,
    /// Searches that found something.
    pub hits: usize,
    /// The server's memory then.
    pub server: Memory,
}

/// The figures, measured.
#[derive(Debug, Serialize)]
pub struct MarketFigures {
    /// The scenario's name.
    pub scenario: String,
    /// Requests under way at a time.
    pub lanes: usize,
    /// A day for each factor.
    pub days: Vec<MarketDay>,
    /// The search, unless it was left out.
    pub search: Option<MarketSearch>,
}

/// Takes the measurement.
///
/// # Errors
/// [`BenchError`].
#[must_use]
pub fn measure<'a>(
    plan: &'a MarketPlan,
    place: &'a Place,
    progress: &'a mut dyn Progress,
) -> Measuring<'a, MarketFigures> {
    Box::pin(take(plan, place, progress))
}

async fn take(
    plan: &MarketPlan,
    place: &Place,
    progress: &mut dyn Progress,
) -> Result<MarketFigures, BenchError> {
    if plan.lanes == 0 || plan.factor.contains(&0) {
        return Err(BenchError::Plan(
            "lanes and factor are at least 1".to_owned(),
        ));
    }
    if place.data.is_some() && plan.factor.len() + usize::from(plan.listings > 0) > 1 {
        return Err(BenchError::Plan(
            "data takes one realm: give one factor and listings 0".to_owned(),
        ));
    }
    let scenario = fit(&plan.scenario);
    progress.begins(plan.factor.len() as u64 + 1);
    let mut days = Vec::new();
    for factor in &plan.factor {
        days.push(day(plan, place, &scenario, *factor).await?);
        progress.done(1);
    }
    let search = match plan.listings {
        0 => None,
        _ => Some(search(plan, place).await?),
    };
    Ok(MarketFigures {
        scenario: scenario.name,
        lanes: plan.lanes,
        days,
        search,
    })
}

async fn day(
    plan: &MarketPlan,
    place: &Place,
    scenario: &Scenario,
    factor: usize,
) -> Result<MarketDay, BenchError> {
    let host = Host::new(place)?;
    let server = Served::start(&host)?;
    let many = copies(scenario, factor);
    let venue = Venue::served(server.operator.clone(), true);
    let held = DayPlan {
        prices: Prices::Bargained,
        seed: 1,
        lanes: plan.lanes,
    };
    let report = hold(&venue, &many, held).await?;
    Ok(MarketDay {
        factor,
        customers: many.customers.len(),
        businesses: many.businesses.len(),
        welfare_of_optimum: report.welfare.ratio.unwrap_or(f64::NAN),
        settled: report.deals.settled,
        actions: report.actions,
        server: server.memory_mib(),
    })
}

/// The scenario, copied this many times; four copies share each set of names.
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

async fn search(plan: &MarketPlan, place: &Place) -> Result<MarketSearch, BenchError> {
    let host = Host::new(place)?;
    let server = Served::start(&host)?;
    server.lift_limits().await?;
    let sellers = plan.listings.div_ceil(PER_AGENT);
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
    let each = plan.searches / plan.lanes;
    let (found, searching) = lanes(plan.lanes, |lane| {
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
    Ok(MarketSearch {
        listings: count,
        published_per_s: rate(count, publishing),
        indexed_per_s: rate(count, indexing),
        searches_per_s: rate(each * plan.lanes, searching),
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
) -> Result<(Times, Times, usize), BenchError> {
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
        let one = rialto_scenario::demo::shipped().unwrap();
        let many = copies(&fit(&one), 8);
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

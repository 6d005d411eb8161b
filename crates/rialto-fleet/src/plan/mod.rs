//! The cheapest placement that meets an objective.
//!
//! Enumerates chips, number formats and parallel plans for a model, sizes each to the traffic by simulating
//! one cell with its share of the requests, prices it, adds spares for what fails, and says which
//! constraint binds. It assumes that more replicas never make latency worse. Every figure is modelled.
//!
//! The number to buy is the one at which the objective holds with [`HOLDS_WITH`] probability, given how far
//! the forecast of the times may be off. The answer also gives the number that the forecast itself asks
//! for, which holds with even odds, and the numbers at the ends of the error's 80 % interval. The random
//! draws depend on the question's content and seed, never on names.

mod costs;
mod doubts;
mod fitted;
mod prices;
mod search;
mod size;
mod spares;
mod trial;

use serde::Serialize;

use crate::catalogue::Catalogue;
use crate::cluster::{Faults, PoolSpec, SloSpec, TrafficSource, deployment};
use crate::step::{ForecastError, Plan};

pub use costs::TokenCosts;
pub use doubts::{doubts, plan_doubt, traffic_doubts};
pub use fitted::PlacedFit;
pub use prices::{Price, PriceBasis, Prices};
pub use size::{evaluate, evaluate_smallest, size, size_cheapest};
pub use spares::{Spares, WORKING_SHARE, spare_replicas};
pub use trial::TRIAL_SEEDS;

/// Probability with which the plan to buy holds its objective, given the forecast's error.
pub const HOLDS_WITH: f64 = 0.8;

/// The standard normal variate of [`HOLDS_WITH`].
const Z_TO_BUY: f64 = 0.841_621_233_572_914_3;

/// What is asked: this traffic, this objective.
#[derive(Clone, Debug)]
pub struct Question {
    /// Requests a second in all.
    pub rate_per_s: f64,
    /// Objective of a request.
    pub slo: SloSpec,
    /// Share of requests that must meet it, in (0, 1].
    pub slo_share: f64,
    /// Which prices count.
    pub prices: Prices,
    /// What fails; the placement gets spare replicas for it.
    pub faults: Faults,
    /// Seconds of generated traffic in each trial. A trial is shortened if it would hold more than 100,000
    /// requests, and lengthened if it would hold fewer than 4,000.
    pub trial_s: f64,
    /// Seed of the first of [`TRIAL_SEEDS`] trials; the seeds of the others are derived from it.
    pub seed: u64,
    /// Name of the traffic.
    pub traffic_name: String,
    /// The traffic; it is scaled to the rate.
    pub traffic: TrafficSource,
}

/// What keeps a placement from being smaller, or from existing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "constraint", content = "detail")]
pub enum Binds {
    /// The deployment cannot exist: it does not fit or does not divide.
    Refused(String),
    /// A request alone on a replica misses the time to first token.
    TtftAlone,
    /// A request alone on a replica misses the time per token.
    TpotAlone,
    /// One replica fewer misses the time to first token.
    Ttft,
    /// One replica fewer misses the time per token.
    Tpot,
    /// One replica fewer runs out of cache memory.
    CacheMemory,
    /// One replica is enough: the plan's size is the smallest step.
    OneReplica,
    /// More than 2^28 replicas would be needed.
    TooMany,
    /// Failures are so frequent that no number of spares up to 2^30 replicas keeps enough working.
    TooFewWorking,
}

impl Binds {
    /// In words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Refused(why) => why.clone(),
            Self::TtftAlone => "TTFT is missed even by a request alone".to_owned(),
            Self::TpotAlone => "TPOT is missed even by a request alone".to_owned(),
            Self::Ttft => "TTFT".to_owned(),
            Self::Tpot => "TPOT".to_owned(),
            Self::CacheMemory => "cache memory".to_owned(),
            Self::OneReplica => "one replica is enough".to_owned(),
            Self::TooMany => "needs more than 268,435,456 replicas".to_owned(),
            Self::TooFewWorking => format!(
                "so much is down that no spares up to 1,073,741,824 replicas keep enough working {} % \
                 of the time",
                100.0 * WORKING_SHARE
            ),
        }
    }
}

/// Tokens a second that a placement's working replicas serve of the traffic it was tried with; spares
/// add nothing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Capacity {
    /// Prompt tokens that are computed.
    pub input_tokens_per_s: f64,
    /// Prompt tokens found in the prefix cache.
    pub cached_tokens_per_s: f64,
    /// Answer tokens.
    pub output_tokens_per_s: f64,
}

/// A number of replicas and what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Count {
    /// Replicas, spares included.
    pub replicas: u32,
    /// How many of them are spares for failed ones.
    pub spare_replicas: u32,
    /// Chips.
    pub chips: u64,
    /// Hourly price of all chips, dollars; absent without a price.
    pub usd_per_hour: Option<f64>,
    /// Price per million answer tokens, dollars.
    pub usd_per_million_output_tokens: Option<f64>,
}

/// The counts that other errors of the forecast and other seeds ask for. A count is absent where no number
/// meets the objective.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// With the times as forecast: holds with even odds only.
    pub median: Option<Count>,
    /// At the lower end of the error's 80 % interval.
    pub low: Option<Count>,
    /// At its upper end.
    pub high: Option<Count>,
    /// Seeds under which the count to buy was found; it is their median.
    pub seeds: u32,
    /// The smallest of their counts, without spares; absent when no count is to buy.
    pub fewest: Option<u32>,
    /// The largest; absent when some seed has none.
    pub most: Option<u32>,
}

/// One placement, sized and priced: the plan to buy. Its latencies are as forecast; the interval says how
/// much longer they may be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Placement {
    /// Model.
    pub model: String,
    /// Chip.
    pub chip: String,
    /// Who makes it; empty when the catalogue does not know the chip.
    pub vendor: String,
    /// Number format.
    pub precision: String,
    /// Parallel plan.
    pub plan: String,
    /// Chips of a replica.
    pub replica_chips: u32,
    /// What a chip-hour costs and on which basis; absent without a price.
    pub price: Option<Price>,
    /// Replicas to buy, spares included; absent when no number holds the objective with
    /// [`HOLDS_WITH`].
    pub replicas: Option<u32>,
    /// Probability with which they hold the objective, considering the forecast's error only:
    /// [`HOLDS_WITH`] if the plan chose the number, or the probability of the given number.
    pub holds_with: Option<f64>,
    /// How many of them are spares for failed ones.
    pub spare_replicas: u32,
    /// Share of time in which, with the spares, enough replicas work; absent when nothing fails.
    pub working_share: Option<f64>,
    /// Chips needed.
    pub chips: Option<u64>,
    /// Hourly price of all chips, dollars; absent without a price.
    pub usd_per_hour: Option<f64>,
    /// Price per million answer tokens, dollars.
    pub usd_per_million_output_tokens: Option<f64>,
    /// The other counts; absent where the number was given or the deployment cannot exist.
    pub spread: Option<Spread>,
    /// What binds.
    pub binds: Binds,
    /// 99th percentile of the time to first token, seconds, as forecast.
    pub ttft_p99_s: f64,
    /// 99th percentile of the time per later token, seconds, as forecast.
    pub tpot_p99_s: f64,
    /// The time to first token that the 99th percentile stays below with [`HOLDS_WITH`], seconds.
    pub ttft_p99_held_s: f64,
    /// The time per later token likewise.
    pub tpot_p99_held_s: f64,
    /// Chip-seconds and cost of a million tokens of each kind; absent when there is nothing to divide.
    pub token_costs: Option<TokenCosts>,
    /// What it serves; absent when no number of replicas holds the objective.
    pub capacity: Option<Capacity>,
    /// Share of requests within the objective, as forecast.
    pub slo_share: f64,
    /// Answer tokens a second and chip.
    pub output_tokens_per_s_per_chip: f64,
    /// Share of time the replicas are in a step, spares included.
    pub utilisation: f64,
    /// Energy per answer token, joules; spares are powered and idle.
    pub joules_per_output_token: f64,
    /// How far the times may be off; absent where there are none.
    #[serde(flatten)]
    pub error: Option<ForecastError>,
}

/// The most chips of a replica that are tried by default, if the model fits on so few.
const USUAL_REPLICA_CHIPS: u32 = 16;

/// The parallel plans worth trying for a model on a chip: powers of two up to the scale-up domain and
/// `max_chips`; attention data parallelism with experts spread over all chips for mixtures. Without
/// `max_chips`, up to 16 chips, or up to the whole domain if the model in this format does not fit on 16.
///
/// # Errors
/// Unknown names.
pub fn plans(
    catalogue: &Catalogue,
    model: &str,
    chip: &str,
    precision: &str,
    max_chips: Option<u32>,
) -> Result<Vec<Plan>, crate::catalogue::CatalogueError> {
    let domain = catalogue.chip(chip)?.scaleup_domain_chips;
    let most = |limit: u32| domain.min(limit).max(1);
    let mixture = catalogue.model(model)?.moe.is_some();
    catalogue.precision(precision)?;
    if let Some(limit) = max_chips {
        return Ok(plans_up_to(mixture, most(limit)));
    }
    let usual = plans_up_to(mixture, most(USUAL_REPLICA_CHIPS));
    let fits = |plan: &Plan| {
        let mut spec = PoolSpec::new("plan", model, chip, *plan, 1, "");
        precision.clone_into(&mut spec.precision);
        deployment(&spec, catalogue).is_ok()
    };
    if usual.iter().any(fits) {
        return Ok(usual);
    }
    Ok(plans_up_to(mixture, most(u32::MAX)))
}

fn plans_up_to(mixture: bool, chips: u32) -> Vec<Plan> {
    let powers = |limit: u32| (0..31).map(|i| 1u32 << i).take_while(move |n| *n <= limit);
    let mut plans = Vec::new();
    for tensor in powers(chips) {
        plans.push(Plan::tensor(tensor));
        for data in powers(chips / tensor).filter(|data| mixture && *data > 1) {
            plans.push(Plan {
                data,
                expert: tensor * data,
                ..Plan::tensor(tensor)
            });
        }
    }
    plans
}

/// Orders placements: first those that can be bought, by price (without a price, by chips), then those that
/// hold with even odds only, then the rest.
pub fn rank(placements: &mut [Placement]) {
    let cost = |p: &Placement| match (p.usd_per_hour, p.chips, p.spread.and_then(|s| s.median)) {
        (Some(usd), Some(_), _) => (0, usd),
        (None, Some(chips), _) => (1, chips as f64),
        (_, None, Some(median)) => match median.usd_per_hour {
            Some(usd) => (2, usd),
            None => (3, median.chips as f64),
        },
        _ => (4, 0.0),
    };
    placements.sort_by(|a, b| {
        let (a, b) = (cost(a), cost(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    });
}

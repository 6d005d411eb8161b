//! The cheapest placement that meets an objective.
//!
//! Enumerates chips, number formats and parallel plans for a model, sizes each to the traffic by
//! simulating one cell with its share of the requests, prices it, adds spares for what fails, and says
//! which constraint binds. It assumes that more replicas never make latency worse. Every figure is a
//! twin's.

mod costs;
mod spares;
mod trial;

use serde::Serialize;

use crate::calibrate::ForecastError;
use crate::catalogue::{Catalogue, Chip};
use crate::cluster::{Faults, Fleet, Pool, PoolSpec, Scenario, SloSpec, TrafficSource};
use crate::step::{Parameters, Plan};

use trial::{Trial, trial};

pub use costs::TokenCosts;
pub use spares::{Spares, WORKING_SHARE, spare_replicas};

/// Which hourly price of a chip counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PriceBasis {
    /// List price.
    List,
    /// Three-year rent.
    Rent,
    /// A hyperscaler's cost of ownership, by a third party's model.
    Tco,
}

impl PriceBasis {
    /// The chip's price, dollars an hour, if the catalogue has it.
    #[must_use]
    pub fn of(self, chip: &Chip) -> Option<f64> {
        match self {
            Self::List => chip.list_usd_per_hour,
            Self::Rent => chip.rent_usd_per_hour,
            Self::Tco => chip.tco_usd_per_hour,
        }
    }
}

/// What is asked: this traffic, this objective.
#[derive(Clone, Debug)]
pub struct Question {
    /// Requests a second in all.
    pub rate_per_s: f64,
    /// Objective of a request.
    pub slo: SloSpec,
    /// Share of requests that must meet it, in (0, 1].
    pub slo_share: f64,
    /// Which price counts.
    pub price: PriceBasis,
    /// What fails; the placement gets spare replicas for it.
    pub faults: Faults,
    /// Seconds of generated traffic simulated per trial, fewer where they would hold more than
    /// 200,000 requests.
    pub trial_s: f64,
    /// Seed.
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
    /// So much is down that no spares up to 2^30 replicas keep enough working.
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

/// One placement, sized and priced.
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
    /// Replicas needed, spares included; absent when no number meets the objective.
    pub replicas: Option<u32>,
    /// Those of them that stand in for failed ones.
    pub spare_replicas: u32,
    /// Share of the time in which, with the spares, enough replicas work; absent when nothing fails.
    pub working_share: Option<f64>,
    /// Chips needed.
    pub chips: Option<u64>,
    /// Hourly price of all chips, dollars; absent without a price.
    pub usd_per_hour: Option<f64>,
    /// Price per million answer tokens, dollars.
    pub usd_per_million_output_tokens: Option<f64>,
    /// What binds.
    pub binds: Binds,
    /// 99th percentile of the time to first token, seconds.
    pub ttft_p99_s: f64,
    /// 99th percentile of the time per later token, seconds.
    pub tpot_p99_s: f64,
    /// What a million tokens of each kind take and cost; absent when there is nothing to divide.
    pub token_costs: Option<TokenCosts>,
    /// What it serves; absent when no number of replicas meets the objective.
    pub capacity: Option<Capacity>,
    /// Share of requests within the objective.
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

/// The parallel plans worth trying for a model on a chip: powers of two up to the scale-up domain
/// and `max_chips`; attention data parallelism with experts spread over all chips for mixtures.
///
/// # Errors
/// Unknown names.
pub fn plans(
    catalogue: &Catalogue,
    model: &str,
    chip: &str,
    max_chips: u32,
) -> Result<Vec<Plan>, crate::catalogue::CatalogueError> {
    let model = catalogue.model(model)?;
    let domain = catalogue
        .chip(chip)?
        .scaleup_domain_chips
        .min(max_chips)
        .max(1);
    let mut plans = Vec::new();
    for tensor in (0..).map(|i| 1u32 << i).take_while(|t| *t <= domain) {
        plans.push(Plan::tensor(tensor));
        if model.moe.is_none() {
            continue;
        }
        for data in (1..)
            .map(|i| 1u32 << i)
            .take_while(|d| tensor * d <= domain)
        {
            plans.push(Plan {
                data,
                expert: tensor * data,
                ..Plan::tensor(tensor)
            });
        }
    }
    Ok(plans)
}

/// Sizes and prices one placement.
#[must_use]
pub fn size(
    question: &Question,
    spec: &PoolSpec,
    catalogue: &Catalogue,
    parameters: &Parameters,
) -> Placement {
    match ready(question, spec, catalogue, parameters) {
        Ok(pool) => {
            let sized = size_pool(question, &pool);
            with_spares(sized, question, &pool)
        }
        Err(why) => refused(spec, Binds::Refused(why)),
    }
}

/// The smallest of the plans that fits and meets the objective. When none does, the smallest that
/// fits, or the last of those that do not, with its reason.
#[must_use]
pub fn size_smallest(
    question: &Question,
    spec: &PoolSpec,
    plans: &[Plan],
    catalogue: &Catalogue,
    parameters: &Parameters,
) -> Placement {
    smallest(spec, plans, |s| size(question, s, catalogue, parameters))
}

/// Runs a given number of replicas of the smallest of the plans that fits.
#[must_use]
pub fn evaluate_smallest(
    question: &Question,
    spec: &PoolSpec,
    replicas: u32,
    plans: &[Plan],
    catalogue: &Catalogue,
    parameters: &Parameters,
) -> Placement {
    let run = |s: &PoolSpec| evaluate(question, s, replicas, catalogue, parameters);
    smallest(spec, plans, run)
}

fn smallest(spec: &PoolSpec, plans: &[Plan], place: impl Fn(&PoolSpec) -> Placement) -> Placement {
    let mut plans = plans.to_vec();
    plans.sort_by_key(Plan::chips);
    let fits = |p: &Placement| !matches!(p.binds, Binds::Refused(_));
    let mut fallback: Option<Placement> = None;
    for plan in plans {
        let placement = place(&spec.clone().with_plan(plan));
        if placement.replicas.is_some() {
            return placement;
        }
        if fallback.as_ref().is_none_or(|f| !fits(f)) {
            fallback = Some(placement);
        }
    }
    fallback.unwrap_or_else(|| refused(spec, Binds::Refused("no plan to try".to_owned())))
}

/// Runs a placement of a given number of replicas.
#[must_use]
pub fn evaluate(
    question: &Question,
    spec: &PoolSpec,
    replicas: u32,
    catalogue: &Catalogue,
    parameters: &Parameters,
) -> Placement {
    match ready(question, spec, catalogue, parameters) {
        Ok(pool) => {
            let trial = trial(question, &pool, replicas);
            let binds = trial.worst(question);
            placement(question, &pool, Some((replicas, &trial)), binds)
        }
        Err(why) => refused(spec, Binds::Refused(why)),
    }
}

/// Adds the spares that keep the sized replicas working, their price and their idle power.
fn with_spares(mut p: Placement, question: &Question, pool: &Pool) -> Placement {
    let Some(needed) = p.replicas else { return p };
    let Some(spares) = spare_replicas(&question.faults, &pool.topology, needed) else {
        return placement(question, pool, None, Binds::TooFewWorking);
    };
    let all = needed + spares.replicas;
    let grown = f64::from(all) / f64::from(needed);
    let replica_output_per_s = p.output_tokens_per_s_per_chip * f64::from(pool.replica_chips());
    p.spare_replicas = spares.replicas;
    p.working_share = (spares.working_share < 1.0).then_some(spares.working_share);
    p.replicas = Some(all);
    p.chips = Some(u64::from(all) * u64::from(pool.replica_chips()));
    p.joules_per_output_token +=
        idle_power_w(pool) * (grown - 1.0) / replica_output_per_s.max(1e-9);
    p.utilisation /= grown;
    p.usd_per_hour = p.usd_per_hour.map(|usd| usd * grown);
    p.usd_per_million_output_tokens = p.usd_per_million_output_tokens.map(|usd| usd * grown);
    p.output_tokens_per_s_per_chip /= grown;
    p.token_costs = p.token_costs.map(|costs| costs.times(grown));
    p
}

fn ready(
    question: &Question,
    spec: &PoolSpec,
    catalogue: &Catalogue,
    parameters: &Parameters,
) -> Result<Pool, String> {
    let mut spec = spec.clone().with_usual_engine(catalogue);
    spec.traffic.clone_from(&question.traffic_name);
    spec.rate_per_s = Some(question.rate_per_s);
    spec.slo = Some(question.slo);
    // A long queue has missed the objective already; a short one makes hopeless trials cheap.
    spec.max_waiting = spec.max_waiting.min(4 * spec.max_sequences);
    let mut scenario = Scenario::of_pool("plan".to_owned(), spec);
    scenario.seed = question.seed;
    if matches!(question.traffic, TrafficSource::Model(_)) {
        scenario.duration_s = Some(question.trial_s);
    }
    scenario
        .check()
        .map_err(|(field, message)| format!("{field}: {message}"))?;
    let traffic = [(question.traffic_name.clone(), question.traffic.clone())].into();
    let fleet = Fleet::build("plan", "", &scenario, catalogue, parameters, &traffic)
        .map_err(|e| e.message)?;
    fleet
        .pools
        .into_iter()
        .next()
        .ok_or_else(|| "no pool".to_owned())
}

fn size_pool(question: &Question, pool: &Pool) -> Placement {
    match trial::fewest(question, pool) {
        Ok(found) => {
            let sized = (found.replicas, &found.trial);
            placement(question, pool, Some(sized), found.binds)
        }
        Err(binds) => placement(question, pool, None, binds),
    }
}

fn refused(spec: &PoolSpec, binds: Binds) -> Placement {
    Placement {
        model: spec.model.clone(),
        chip: spec.chip.clone(),
        vendor: String::new(),
        precision: spec.precision.clone(),
        plan: spec.plan().to_string(),
        replica_chips: spec.plan().chips(),
        replicas: None,
        spare_replicas: 0,
        working_share: None,
        chips: None,
        usd_per_hour: None,
        usd_per_million_output_tokens: None,
        binds,
        ttft_p99_s: 0.0,
        tpot_p99_s: 0.0,
        token_costs: None,
        capacity: None,
        slo_share: 0.0,
        output_tokens_per_s_per_chip: 0.0,
        utilisation: 0.0,
        joules_per_output_token: 0.0,
        error: None,
    }
}

fn placement(
    question: &Question,
    pool: &Pool,
    sized: Option<(u32, &Trial)>,
    binds: Binds,
) -> Placement {
    let mut p = refused(&pool.spec, binds);
    p.chip.clone_from(&pool.chip.name);
    p.vendor.clone_from(&pool.chip.vendor);
    p.error = Some(pool.forecast_error.clone());
    let Some((replicas, trial)) = sized else {
        return p;
    };
    let r = &trial.cell.recorder;
    let chips = u64::from(replicas) * u64::from(pool.replica_chips());
    let cell_chips = f64::from(trial.cell.replicas) * f64::from(pool.replica_chips());
    // The window closes when the last request is done; the rate is that of arrivals.
    let per_s = |tokens: u64| tokens as f64 / trial.seconds / cell_chips * chips as f64;
    let output_per_s = per_s(r.output_tokens);
    p.capacity = Some(Capacity {
        input_tokens_per_s: per_s(r.prefilled_tokens),
        cached_tokens_per_s: per_s(r.cached_tokens),
        output_tokens_per_s: output_per_s,
    });
    let busy_s = r.busy_ps as f64 / 1e12;
    let idle_w = idle_power_w(pool);
    let powered_s = f64::from(trial.cell.replicas) * trial.seconds;
    let joules = r.busy_joules + idle_w * (powered_s - busy_s).max(0.0);
    p.replicas = Some(replicas);
    p.chips = Some(chips);
    p.usd_per_hour = question.price.of(&pool.chip).map(|usd| usd * chips as f64);
    p.usd_per_million_output_tokens = p
        .usd_per_hour
        .map(|usd| usd / (output_per_s * 3600.0).max(1e-9) * 1e6);
    p.token_costs = costs::token_costs(pool, &trial.cell, question.price.of(&pool.chip));
    p.ttft_p99_s = r.ttft.quantile_s(0.99);
    p.tpot_p99_s = r.tpot.quantile_s(0.99);
    p.slo_share = trial.good_share();
    p.output_tokens_per_s_per_chip = output_per_s / chips as f64;
    p.utilisation = (busy_s / powered_s).min(1.0);
    p.joules_per_output_token = joules / (r.output_tokens as f64).max(1.0);
    p
}

/// Power of a replica that waits, watts.
fn idle_power_w(pool: &Pool) -> f64 {
    let table = pool.tables.first();
    table.map_or(0.0, crate::engine::StepTable::idle_power_w)
}

/// Orders placements: those that exist by price (without a price, by chips), the rest last.
pub fn rank(placements: &mut [Placement]) {
    let cost = |p: &Placement| match (p.usd_per_hour, p.chips) {
        (Some(usd), Some(_)) => (0, usd),
        (None, Some(chips)) => (1, chips as f64),
        _ => (2, 0.0),
    };
    placements.sort_by(|a, b| {
        let (a, b) = (cost(a), cost(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    });
}

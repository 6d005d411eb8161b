//! Sizing one placement: the number to buy, the numbers beside it, and what they cost.

use crate::calibrate::Z_OF_INTERVAL;
use crate::catalogue::Catalogue;
use crate::cluster::{Fleet, Pool, PoolSpec, Scenario, TrafficSource};
use crate::step::{Parameters, Plan};

use super::trial::{Bench, Found, TRIAL_SEEDS, Trial, fewest, found};
use super::{
    Binds, Capacity, Count, HOLDS_WITH, Placement, Question, Spread, Z_TO_BUY, costs, rank,
    spare_replicas, trial::Start,
};

/// Sizes and prices one placement.
#[must_use]
pub fn size(
    question: &Question,
    spec: &PoolSpec,
    catalogue: &Catalogue,
    parameters: &Parameters,
) -> Placement {
    match ready(question, spec, catalogue, parameters) {
        Ok(pool) => size_pool(question, &pool),
        Err(why) => refused(spec, Binds::Refused(why)),
    }
}

/// The cheapest of the plans, by [`rank`]: what a plan for this chip and format alone would put first.
#[must_use]
pub fn size_cheapest(
    question: &Question,
    spec: &PoolSpec,
    plans: &[Plan],
    catalogue: &Catalogue,
    parameters: &Parameters,
) -> Placement {
    let one = |plan: &Plan| {
        size(
            question,
            &spec.clone().with_plan(*plan),
            catalogue,
            parameters,
        )
    };
    let mut placements: Vec<Placement> = plans.iter().map(one).collect();
    rank(&mut placements);
    // Of those that cannot serve, one that fits says more than one that does not.
    let serves = |p: &Placement| p.replicas.is_some() || p.spread.is_some();
    let best = placements
        .iter()
        .find(|p| serves(p))
        .or_else(|| placements.iter().find(|p| fits(p)))
        .or_else(|| placements.last());
    best.cloned()
        .unwrap_or_else(|| refused(spec, Binds::Refused("no plan to try".to_owned())))
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
    let mut plans = plans.to_vec();
    plans.sort_by_key(Plan::chips);
    let mut last = None;
    for plan in plans {
        let spec = spec.clone().with_plan(plan);
        let placement = evaluate(question, &spec, replicas, catalogue, parameters);
        if placement.replicas.is_some() {
            return placement;
        }
        last = Some(placement);
    }
    last.unwrap_or_else(|| refused(spec, Binds::Refused("no plan to try".to_owned())))
}

fn fits(p: &Placement) -> bool {
    !matches!(p.binds, Binds::Refused(_))
}

/// Runs a placement of a given number of replicas, under the seed whose share of requests within the
/// objective is the median, and says with which probability it holds the objective.
#[must_use]
pub fn evaluate(
    question: &Question,
    spec: &PoolSpec,
    replicas: u32,
    catalogue: &Catalogue,
    parameters: &Parameters,
) -> Placement {
    let pool = match ready(question, spec, catalogue, parameters) {
        Ok(pool) => pool,
        Err(why) => return refused(spec, Binds::Refused(why)),
    };
    let bench = |draw: u32| Bench {
        question,
        pool: &pool,
        draw,
    };
    let mut shares: Vec<(f64, u32)> = (0..TRIAL_SEEDS)
        .map(|draw| (bench(draw).trial(replicas).good_share(), draw))
        .collect();
    shares.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let draw = shares.get(shares.len() / 2).map_or(0, |(_, draw)| *draw);
    let mut p = bought(question, &pool, replicas, draw);
    p.holds_with = Some(holds_with(question, &pool, replicas, draw));
    p.binds = bench(draw).trial(replicas).worst();
    p
}

/// Halvings of the range in which the probability is sought: to within a part in a hundred.
const HALVINGS: u32 = 8;

/// The largest error of the forecast at which so many replicas meet the objective, as its probability.
fn holds_with(question: &Question, pool: &Pool, replicas: u32, draw: u32) -> f64 {
    let meets = |z: f64| {
        let pool = pool.at_error(z);
        let bench = Bench {
            question,
            pool: &pool,
            draw,
        };
        bench.trial(replicas).meets(question)
    };
    let (mut low, mut high) = (-3.0, 3.0);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if meets(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (1.0 + libm::erf(low / core::f64::consts::SQRT_2))
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
    let buy = found(question, &pool.at_error(Z_TO_BUY), None);
    let near = buy.as_ref().ok().map(|found| found.replicas);
    let median = found(question, &pool.at_error(0.0), near).ok();
    let spread = |p: &Placement| {
        let known = buy.as_ref().ok().or(median.as_ref())?;
        Some(spread(
            question,
            pool,
            p,
            known,
            buy.as_ref().ok(),
            median.as_ref(),
        ))
    };
    let mut p = match &buy {
        Ok(found) => {
            let mut p = bought(question, pool, found.replicas, found.draw);
            p.binds = found.binds.clone();
            p.spread = spread(&p);
            p
        }
        Err(binds) => {
            // What is served and what it costs is told by the plan that holds with even odds.
            let shown = median
                .as_ref()
                .map(|found| bought(question, pool, found.replicas, found.draw));
            let mut p = bare(question, pool, binds.clone());
            p.spread = shown.as_ref().and_then(&spread);
            p
        }
    };
    if let Ok(found) = &buy {
        p = with_spares(p, question, pool, found.replicas);
    }
    p
}

/// The counts beside the one to buy. `shown` serves the traffic, with or without probability enough.
fn spread(
    question: &Question,
    pool: &Pool,
    shown: &Placement,
    known: &Found,
    buy: Option<&Found>,
    median: Option<&Found>,
) -> Spread {
    let output_per_s = shown.capacity.map_or(0.0, |c| c.output_tokens_per_s);
    let end = |z: f64| {
        let pool = pool.at_error(z);
        let bench = Bench {
            question,
            pool: &pool,
            draw: known.draw,
        };
        let start = Some(Start::near(known.replicas));
        fewest(&bench, start).ok().map(|f| f.replicas)
    };
    let count = |replicas: u32| count(question, pool, replicas, output_per_s);
    // Less error never asks for more replicas: what says otherwise is the noise of one seed.
    let bounds = [median, buy].map(|found| found.map(|f| f.replicas));
    let least = bounds.iter().flatten().min().copied();
    let most = bounds.iter().flatten().max().copied();
    let low = end(-Z_OF_INTERVAL).map(|n| least.map_or(n, |least| n.min(least)));
    // Where no count is to buy, none holds at the upper end either.
    let high = buy
        .and_then(|_| end(Z_OF_INTERVAL))
        .map(|n| most.map_or(n, |most| n.max(most)));
    Spread {
        median: median.and_then(|f| count(f.replicas)),
        low: low.and_then(count),
        high: high.and_then(count),
        seeds: TRIAL_SEEDS,
        fewest: buy.map(|f| f.fewest),
        most: buy.and_then(|f| f.most),
    }
}

/// So many working replicas with their spares and price; none where no spares keep enough working.
fn count(question: &Question, pool: &Pool, needed: u32, output_per_s: f64) -> Option<Count> {
    let spares = spare_replicas(&question.faults, &pool.topology, needed)?;
    let replicas = needed + spares.replicas;
    let chips = u64::from(replicas) * u64::from(pool.replica_chips());
    let price = question.prices.of(&pool.chip);
    let usd_per_hour = price.map(|price| price.usd_per_chip_hour * chips as f64);
    Some(Count {
        replicas,
        spare_replicas: spares.replicas,
        chips,
        usd_per_hour,
        usd_per_million_output_tokens: usd_per_hour.map(|usd| per_million(usd, output_per_s)),
    })
}

fn per_million(usd_per_hour: f64, output_per_s: f64) -> f64 {
    usd_per_hour / (output_per_s * 3600.0).max(1e-9) * 1e6
}

/// Adds the spares that keep the sized replicas working, their price and their idle power.
fn with_spares(mut p: Placement, question: &Question, pool: &Pool, needed: u32) -> Placement {
    let Some(spares) = spare_replicas(&question.faults, &pool.topology, needed) else {
        return bare(question, pool, Binds::TooFewWorking);
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

fn refused(spec: &PoolSpec, binds: Binds) -> Placement {
    Placement {
        model: spec.model.clone(),
        chip: spec.chip.clone(),
        vendor: String::new(),
        precision: spec.precision.clone(),
        plan: spec.plan().to_string(),
        replica_chips: spec.plan().chips(),
        price: None,
        replicas: None,
        holds_with: None,
        spare_replicas: 0,
        working_share: None,
        chips: None,
        usd_per_hour: None,
        usd_per_million_output_tokens: None,
        spread: None,
        binds,
        ttft_p99_s: 0.0,
        tpot_p99_s: 0.0,
        ttft_p99_held_s: 0.0,
        tpot_p99_held_s: 0.0,
        token_costs: None,
        capacity: None,
        slo_share: 0.0,
        output_tokens_per_s_per_chip: 0.0,
        utilisation: 0.0,
        joules_per_output_token: 0.0,
        error: None,
    }
}

/// A placement that can exist, without a count.
fn bare(question: &Question, pool: &Pool, binds: Binds) -> Placement {
    let mut p = refused(&pool.spec, binds);
    p.chip.clone_from(&pool.chip.name);
    p.vendor.clone_from(&pool.chip.vendor);
    p.price = question.prices.of(&pool.chip);
    p.error = Some(pool.forecast_error.clone());
    p
}

/// So many replicas, without spares, as they serve under one seed.
fn bought(question: &Question, pool: &Pool, replicas: u32, draw: u32) -> Placement {
    let bench = |pool| Bench {
        question,
        pool,
        draw,
    };
    let trial: Trial = bench(pool).trial(replicas);
    let mut p = bare(question, pool, Binds::OneReplica);
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
    let powered_s = f64::from(trial.cell.replicas) * trial.seconds;
    let joules = r.busy_joules + idle_power_w(pool) * (powered_s - busy_s).max(0.0);
    let usd_per_chip_hour = p.price.map(|price| price.usd_per_chip_hour);
    p.replicas = Some(replicas);
    p.holds_with = Some(HOLDS_WITH);
    p.chips = Some(chips);
    p.usd_per_hour = usd_per_chip_hour.map(|usd| usd * chips as f64);
    p.usd_per_million_output_tokens = p.usd_per_hour.map(|usd| per_million(usd, output_per_s));
    p.token_costs = costs::token_costs(pool, &trial.cell, usd_per_chip_hour);
    p.ttft_p99_s = r.ttft.quantile_s(0.99);
    p.tpot_p99_s = r.tpot.quantile_s(0.99);
    (p.ttft_p99_held_s, p.tpot_p99_held_s) = held(question, pool, replicas, draw);
    p.slo_share = trial.good_share();
    p.output_tokens_per_s_per_chip = output_per_s / chips as f64;
    p.utilisation = (busy_s / powered_s).min(1.0);
    p.joules_per_output_token = joules / (r.output_tokens as f64).max(1.0);
    p
}

/// The 99th percentiles of the two times that hold with [`HOLDS_WITH`], seconds.
fn held(question: &Question, pool: &Pool, replicas: u32, draw: u32) -> (f64, f64) {
    let slow = pool.at_error(Z_TO_BUY);
    let bench = Bench {
        question,
        pool: &slow,
        draw,
    };
    let trial = bench.trial(replicas);
    let (ttft, tpot) = pool.forecast_error.factors_at(Z_TO_BUY);
    let r = &trial.cell.recorder;
    (
        r.ttft.quantile_s(0.99) * ttft / tpot,
        r.tpot.quantile_s(0.99),
    )
}

/// Power of a replica that waits, watts.
fn idle_power_w(pool: &Pool) -> f64 {
    let table = pool.tables.first();
    table.map_or(0.0, crate::engine::StepTable::idle_power_w)
}

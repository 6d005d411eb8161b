//! Sizes one placement: the number to buy, the other numbers shown with it, and their cost.

use crate::catalogue::Catalogue;
use crate::cluster::{Fleet, Pool, PoolSpec, ServingScenario, TrafficSource};
use crate::step::{Parameters, Plan, Z_OF_INTERVAL};

use super::search::{Fewest, Found, Known, Wanted, at_least, binds, fewest, found};
use super::trial::{Arrivals, Bench, TRIAL_SEEDS};
use super::{
    Binds, Capacity, Count, HOLDS_WITH, Placement, Question, Spread, Z_TO_BUY, costs, rank,
    spare_replicas,
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

/// The cheapest of the parallel plans, by [`rank`]: the one that `plan` would put first for this chip and
/// format alone.
#[must_use]
pub fn size_cheapest(
    question: &Question,
    spec: &PoolSpec,
    plans: &[Plan],
    catalogue: &Catalogue,
    parameters: &Parameters,
) -> Placement {
    let mut placements: Vec<Placement> = Vec::new();
    let mut least_cost = f64::INFINITY;
    for plan in plans {
        let spec = spec.clone().with_plan(*plan);
        let pool = match ready(question, &spec, catalogue, parameters) {
            Ok(pool) => pool,
            Err(why) => {
                placements.push(refused(&spec, Binds::Refused(why)));
                continue;
            }
        };
        let price = question.prices.of(&pool.chip);
        let chip_cost = price.map_or(1.0, |price| price.usd_per_chip_hour);
        let cost =
            |replicas: u32| f64::from(replicas) * f64::from(pool.replica_chips()) * chip_cost;
        // Even the fewest replicas that could do cost more than what is found already.
        if cost(at_least(question, &pool).div_ceil(2)) > least_cost {
            continue;
        }
        let placement = size_pool(question, &pool);
        least_cost = placement
            .replicas
            .map_or(least_cost, |n| least_cost.min(cost(n)));
        placements.push(placement);
    }
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
    let arrivals = Arrivals::default();
    let benches = Benches::new(question, &pool, &arrivals);
    let mut shares: Vec<(f64, u32)> = (0..TRIAL_SEEDS)
        .map(|draw| {
            let trial = benches.forecast.whole_trial(draw, replicas);
            (trial.good_share(), draw)
        })
        .collect();
    shares.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let draw = shares.get(shares.len() / 2).map_or(0, |(_, draw)| *draw);
    let mut p = bought(&benches, replicas, draw);
    p.holds_with = Some(holds_with(&benches, replicas, draw));
    let trial = benches.forecast.whole_trial(draw, replicas);
    p.binds = trial.worst(&benches.forecast.pool);
    p
}

/// How often the search for the probability halves its range: enough for one part in a hundred.
const HALVINGS: u32 = 8;

/// The probability with which this number of replicas meets the objective: that of the largest error of the
/// forecast at which it does.
fn holds_with(benches: &Benches<'_>, replicas: u32, draw: u32) -> f64 {
    let meets = |z: f64| benches.at(z).trial(draw, replicas).meets();
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

/// One placement in trials: with the times as forecast, and with times as long as the plan to buy allows
/// for.
struct Benches<'a> {
    question: &'a Question,
    pool: &'a Pool,
    arrivals: &'a Arrivals,
    forecast: Bench<'a>,
    to_buy: Bench<'a>,
}

impl<'a> Benches<'a> {
    fn new(question: &'a Question, pool: &'a Pool, arrivals: &'a Arrivals) -> Self {
        let bench = |z| Bench::new(question, pool.at_error(z), arrivals);
        Self {
            question,
            pool,
            arrivals,
            forecast: bench(0.0),
            to_buy: bench(Z_TO_BUY),
        }
    }

    /// The placement with its times `z` standard deviations above the forecast.
    fn at(&self, z: f64) -> Bench<'a> {
        Bench::new(self.question, self.pool.at_error(z), self.arrivals)
    }

    /// About how many replicas the error `to_z` asks for if `from_z` asks for `replicas`: in proportion to
    /// the time per token.
    fn scaled(&self, replicas: u32, from_z: f64, to_z: f64) -> u32 {
        let tpot = |z: f64| self.pool.forecast_error.factors_at(z).1;
        let scaled = f64::from(replicas) * tpot(to_z) / tpot(from_z);
        (scaled.round() as u32).max(1)
    }
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
    let mut scenario = ServingScenario::of_pool("plan".to_owned(), spec);
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
    let arrivals = Arrivals::default();
    let benches = Benches::new(question, pool, &arrivals);
    let buy = found(&benches.to_buy, Wanted::Range, |_| Known::default());
    let count_to_buy = buy.median();
    // Where a count holds with a larger error of the forecast, it holds with none.
    let even = found(&benches.forecast, Wanted::Median, |draw| {
        let meeting = buy.of(draw).map(|count| count.replicas);
        let near = count_to_buy.as_ref().ok().map(|count| count.replicas);
        Known {
            meeting,
            near: near.map(|near| benches.scaled(near, Z_TO_BUY, 0.0)),
            ..Known::default()
        }
    });
    let mut p = match &count_to_buy {
        Ok(count) => {
            let mut p = bought(&benches, count.replicas, buy.draw);
            p.binds = binds(&benches.to_buy, buy.draw, *count);
            p.spread = Some(spread(&benches, &p, &buy, &even));
            p
        }
        Err(binds) => {
            // The plan that holds with even odds says what is served and what it costs.
            let shown = even.median().ok();
            let shown = shown.map(|count| bought(&benches, count.replicas, even.draw));
            let mut p = bare(question, pool, binds.clone());
            p.spread = shown.map(|shown| spread(&benches, &shown, &buy, &even));
            p
        }
    };
    if let Ok(count) = count_to_buy {
        p = with_spares(p, question, pool, count.replicas);
    }
    p
}

/// The counts shown with the one to buy. `shown` serves the traffic, whether or not with enough
/// probability.
fn spread(benches: &Benches<'_>, shown: &Placement, buy: &Found, even: &Found) -> Spread {
    let output_per_s = shown.capacity.map_or(0.0, |c| c.output_tokens_per_s);
    let count = |replicas: u32| count(benches.question, benches.pool, replicas, output_per_s);
    let (to_buy, median) = (buy.median().ok(), even.median().ok());
    let replicas = |count: Fewest| count.replicas;
    let bounds = [median.map(replicas), to_buy.map(replicas)];
    let (fewest, most) = buy.range();
    Spread {
        median: median.and_then(|f| count(f.replicas)),
        low: low_end(benches, buy, even)
            // Less error never asks for more replicas: what says otherwise is the noise of one seed.
            .map(|n| bounds.into_iter().flatten().fold(n, u32::min))
            .and_then(count),
        // Where no count is to buy, none holds at the upper end either.
        high: to_buy
            .and_then(|to_buy| high_end(benches, buy.draw, to_buy))
            .map(|n| bounds.into_iter().flatten().fold(n, u32::max))
            .and_then(count),
        seeds: TRIAL_SEEDS,
        fewest: to_buy.and(fewest),
        most: to_buy.and(most),
    }
}

/// The count at the lower end of the error's 80 % interval, under the seed of the count to buy.
fn low_end(benches: &Benches<'_>, buy: &Found, even: &Found) -> Option<u32> {
    let (draw, from_z, at) = match (buy.median(), even.median()) {
        (Ok(count), _) => (buy.draw, Z_TO_BUY, count),
        (Err(_), Ok(count)) => (even.draw, 0.0, count),
        (Err(_), Err(_)) => return None,
    };
    let z = -Z_OF_INTERVAL;
    let known = Known {
        meeting: even.of(draw).or(buy.of(draw)).map(|count| count.replicas),
        near: Some(benches.scaled(at.replicas, from_z, z)),
        ..Known::default()
    };
    let count = fewest(&benches.at(z), draw, known);
    count.ok().map(|count| count.replicas)
}

/// The count at its upper end, likewise.
fn high_end(benches: &Benches<'_>, draw: u32, to_buy: Fewest) -> Option<u32> {
    let z = Z_OF_INTERVAL;
    let known = Known {
        missing: to_buy.missing,
        near: Some(benches.scaled(to_buy.replicas, Z_TO_BUY, z)),
        ..Known::default()
    };
    let count = fewest(&benches.at(z), draw, known);
    count.ok().map(|count| count.replicas)
}

/// This number of working replicas with their spares and price; none where no number of spares keeps enough
/// working.
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

/// This number of replicas, without spares, as they serve under one seed.
fn bought(benches: &Benches<'_>, replicas: u32, draw: u32) -> Placement {
    let (question, pool) = (benches.question, benches.pool);
    let trial = benches.forecast.whole_trial(draw, replicas);
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
    (p.ttft_p99_held_s, p.tpot_p99_held_s) = held(benches, replicas, draw);
    p.slo_share = trial.good_share();
    p.output_tokens_per_s_per_chip = output_per_s / chips as f64;
    p.utilisation = (busy_s / powered_s).min(1.0);
    p.joules_per_output_token = joules / (r.output_tokens as f64).max(1.0);
    p
}

/// The 99th percentiles of the two times that hold with [`HOLDS_WITH`], seconds.
fn held(benches: &Benches<'_>, replicas: u32, draw: u32) -> (f64, f64) {
    let trial = benches.to_buy.whole_trial(draw, replicas);
    let (ttft, tpot) = benches.pool.forecast_error.factors_at(Z_TO_BUY);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::SloSpec;
    use crate::plan::{PriceBasis, Prices};
    use crate::traffic::TrafficModel;

    fn question() -> Question {
        Question {
            rate_per_s: 60.0,
            slo: SloSpec {
                ttft_s: 0.5,
                tpot_s: 0.03,
            },
            slo_share: 0.99,
            prices: Prices::of_kind(PriceBasis::CapacityBlock),
            faults: crate::cluster::Faults::default(),
            trial_s: 60.0,
            seed: 1,
            traffic_name: "azure-conv".into(),
            traffic: TrafficSource::Model(TrafficModel::shipped("azure-conv").unwrap().unwrap()),
        }
    }

    /// A trial that gives up says no more and no less than one to the end, and the search finds what
    /// trying every count finds.
    #[test]
    fn a_trial_that_gives_up_decides_as_one_to_the_end() {
        let question = question();
        let spec = PoolSpec::new(
            "p",
            "llama3.1-8b",
            "h100_sxm",
            Plan::SINGLE,
            1,
            "azure-conv",
        );
        let catalogue = Catalogue::shipped().unwrap();
        let parameters = Parameters::shipped().unwrap();
        let pool = ready(&question, &spec, &catalogue, &parameters).unwrap();
        let arrivals = Arrivals::default();
        let benches = Benches::new(&question, &pool, &arrivals);
        let mut first = None;
        for replicas in 1..=16 {
            let trial = benches.to_buy.trial(0, replicas);
            let whole = benches.at(Z_TO_BUY).whole_trial(0, replicas);
            assert_eq!(trial.meets(), whole.meets(), "{replicas}");
            assert_eq!(trial.meets(), whole.good_share() >= 0.99, "{replicas}");
            assert_eq!(trial.cell.gave_up, !whole.meets(), "{replicas}");
            assert!(!whole.cell.gave_up && trial.good_share() >= whole.good_share());
            first = first.or(trial.meets().then_some(replicas));
        }
        let hopeless = benches.to_buy.trial(0, 1).cell.recorder.arrived;
        let whole = benches.to_buy.whole_trial(0, 1).cell.recorder.arrived;
        assert!(hopeless < whole / 4, "{hopeless} of {whole}");
        let found = fewest(&benches.at(Z_TO_BUY), 0, Known::default()).unwrap();
        assert_eq!(Some(found.replicas), first);
        assert_eq!(found.missing, found.replicas - 1);
    }
}

//! One cell of a placement under its share of the traffic, and the search for the fewest replicas.
//!
//! A pool of any size is judged by one cell of at most [`TRIAL_CELL`] replicas with its share of the
//! requests, and the search begins where a replica's load is near what its decode steps could at most
//! carry. What is simulated is therefore bounded by the cell, never by the rate that is asked for. A
//! count hangs on the draws of a trial: it is found under several seeds, and their median counts.

use crate::cluster::{CellResult, CellSettings, Pool, TrafficSource, simulate_cell};
use crate::engine::Slo;
use crate::rng::key;

use super::{Binds, Question};

/// Most replicas considered.
pub(super) const MAX_REPLICAS: u32 = 1 << 28;

/// Replicas simulated at most per trial: a cell of a larger pool.
pub(super) const TRIAL_CELL: u32 = 16;

/// Seeds under which a count is found.
pub const TRIAL_SEEDS: u32 = 5;

/// Generated requests expected at most per trial; the trial is shortened to them. Far more than
/// [`TRIAL_CELL`] replicas can queue, so that too small a cell still shows.
const MOST_REQUESTS: f64 = 100_000.0;

/// Generated requests expected at least; the trial is lengthened to them. A share of 99 % cannot be told
/// from a few hundred.
const LEAST_REQUESTS: f64 = 4_000.0;

/// Seconds that a trial lasts at most: at the lowest rates it holds fewer requests instead.
const LONGEST_S: f64 = 1e6;

/// Requests of a trace that are judged alone at most; of more, as many are taken evenly.
const MOST_ALONE: usize = 50_000;

/// Counts above this many replicas are found to within one part in it: finer differences are within
/// the noise of a trial.
const PARTS: u32 = 256;

/// Requests in flight are judged alone when each replica sees so few, requests a second.
const ALONE_RATE_PER_S: f64 = 0.02;

/// What one cell of a trial met.
pub(super) struct Trial {
    pub(super) cell: CellResult,
    pub(super) seconds: f64,
    slo: Slo,
}

impl Trial {
    /// Share of the requests offered that finished within the objective.
    pub(super) fn good_share(&self) -> f64 {
        let r = &self.cell.recorder;
        let judged = (r.ttft.count() + r.rejected + self.cell.in_flight) as f64;
        if judged == 0.0 {
            1.0
        } else {
            r.window_good as f64 / judged
        }
    }

    pub(super) fn meets(&self, question: &Question) -> bool {
        self.good_share() >= question.slo_share
    }

    /// The constraint that is missed most.
    pub(super) fn worst(&self) -> Binds {
        let r = &self.cell.recorder;
        if r.preemptions > 0 || r.peak_kv_permille >= 980 {
            return Binds::CacheMemory;
        }
        let ttft = r.ttft.share_within(self.slo.ttft_s);
        let tpot = r.tpot.share_within(self.slo.tpot_s);
        if ttft <= tpot {
            Binds::Ttft
        } else {
            Binds::Tpot
        }
    }
}

/// A placement on trial under one seed.
#[derive(Clone, Copy)]
pub(super) struct Bench<'a> {
    pub(super) question: &'a Question,
    pub(super) pool: &'a Pool,
    /// Which of the seeds that follow from the question's.
    pub(super) draw: u32,
}

impl Bench<'_> {
    /// Runs one cell of so many replicas.
    pub(super) fn trial(&self, replicas: u32) -> Trial {
        let pool = self.pool.first_cell(replicas, TRIAL_CELL);
        self.run(&pool, self.question.trial_s)
    }

    /// The seed of this draw: that of the question, and others that follow from it.
    fn seed(&self) -> u64 {
        match self.draw {
            0 => self.question.seed,
            draw => key(&[self.question.seed, draw.into()]),
        }
    }

    fn run(&self, pool: &Pool, trial_s: f64) -> Trial {
        let generated = match &pool.traffic {
            TrafficSource::Model(model) => {
                let cell = f64::from(pool.cells.first().copied().unwrap_or(1));
                let rate = model.rate_per_s * cell / f64::from(pool.spec.replicas);
                let (least, most) = (LEAST_REQUESTS / rate, MOST_REQUESTS / rate);
                Some(trial_s.max(least).min(most).min(LONGEST_S))
            }
            TrafficSource::Trace(_) => None,
        };
        let settings = CellSettings {
            seed: self.seed(),
            // Requests that arrive in time count when they finish, however late.
            horizon_ns: generated.map_or(u64::MAX, |seconds| (seconds * 1e9) as u64),
            warmup_ns: 0,
            bin_ns: 0,
            keep_outcomes: false,
            count_late: true,
        };
        let cell = simulate_cell(pool, 0, &settings);
        let seconds = generated.unwrap_or(cell.end_s).max(1e-9);
        Trial {
            cell,
            seconds,
            slo: pool.slo,
        }
    }

    /// A request alone: arrivals so far apart that a replica hardly ever has two.
    fn alone(&self) -> Trial {
        let mut pool = self.pool.first_cell(TRIAL_CELL, TRIAL_CELL);
        let rate_per_s = self
            .question
            .rate_per_s
            .min(ALONE_RATE_PER_S * f64::from(TRIAL_CELL));
        match &mut pool.traffic {
            TrafficSource::Model(model) => model.rate_per_s = rate_per_s,
            TrafficSource::Trace(trace) => {
                // All of them are judged: a share of 99 % cannot be told from a few.
                let every = trace.requests.len().div_ceil(MOST_ALONE).max(1);
                let slower = self.question.rate_per_s / rate_per_s / every as f64;
                let mut requests: Vec<_> = trace.requests.iter().step_by(every).copied().collect();
                for request in &mut requests {
                    request.arrival_ns = (request.arrival_ns as f64 * slower) as u64;
                }
                trace.requests = requests;
            }
        }
        self.run(&pool, self.question.trial_s)
    }
}

/// Requests a second that a replica's decode steps could carry if contexts were empty and batches
/// full: about where a search begins, above what any replica keeps up.
fn most_per_replica(pool: &Pool) -> f64 {
    let answer = match &pool.traffic {
        TrafficSource::Model(model) => model.lengths.means().1,
        TrafficSource::Trace(trace) => {
            let tokens = trace.requests.iter().map(|r| f64::from(r.output_tokens));
            tokens.sum::<f64>() / (trace.requests.len() as f64).max(1.0)
        }
    };
    let sequences = pool.config.max_sequences.max(1);
    let Some(table) = pool.tables.first() else {
        return f64::MAX;
    };
    let step_s = table.decode_ps(sequences, sequences.into()) as f64 / 1e12;
    let tokens_per_s = f64::from(sequences) * f64::from(table.verified_tokens()) / step_s;
    tokens_per_s / (answer - 1.0).max(1.0)
}

/// The fewest replicas that meet the objective under one seed, and what one step fewer misses.
pub(super) struct Fewest {
    pub(super) replicas: u32,
    pub(super) binds: Binds,
}

/// Where a search begins, and how far its first step goes; steps double, and never more than halve or
/// double the count.
#[derive(Clone, Copy)]
pub(super) struct Start {
    replicas: u32,
    step: u32,
}

impl Start {
    /// Near a count that was found in a like case.
    pub(super) fn near(replicas: u32) -> Self {
        Self {
            replicas,
            step: (replicas / PARTS).max(1),
        }
    }

    /// Near the load that decode steps could carry.
    fn anywhere(bench: &Bench<'_>) -> Self {
        let replicas = bench.question.rate_per_s / most_per_replica(bench.pool);
        Self {
            replicas: replicas.clamp(1.0, MAX_REPLICAS.into()) as u32,
            step: MAX_REPLICAS,
        }
    }
}

/// Finds the fewest replicas that meet the objective under one seed: down or up from the start, then by
/// bisection, to the replica in pools of up to [`PARTS`] of them.
///
/// # Errors
/// What binds when no count does.
pub(super) fn fewest(bench: &Bench<'_>, start: Option<Start>) -> Result<Fewest, Binds> {
    let question = bench.question;
    let light = bench.alone();
    if !light.meets(question) {
        return Err(match light.worst() {
            Binds::Tpot => Binds::TpotAlone,
            _ => Binds::TtftAlone,
        });
    }
    let Start { replicas, mut step } = start.unwrap_or_else(|| Start::anywhere(bench));
    let (mut low, mut high, mut worse) = (0, replicas, None);
    let first = bench.trial(high);
    if first.meets(question) {
        while high > 1 {
            let fewer = high.saturating_sub(step).max(high / 2);
            let attempt = bench.trial(fewer);
            if !attempt.meets(question) {
                (low, worse) = (fewer, Some(attempt.worst()));
                break;
            }
            (high, step) = (fewer, step.saturating_mul(2));
        }
    } else {
        let mut failed = first;
        loop {
            (low, worse) = (high, Some(failed.worst()));
            if high >= MAX_REPLICAS {
                return Err(Binds::TooMany);
            }
            high = high.saturating_add(step).min(high * 2);
            step = step.saturating_mul(2);
            failed = bench.trial(high);
            if failed.meets(question) {
                break;
            }
        }
    }
    while high - low > (high / PARTS).max(1) {
        let middle = low.midpoint(high);
        let attempt = bench.trial(middle);
        if attempt.meets(question) {
            high = middle;
        } else {
            (low, worse) = (middle, Some(attempt.worst()));
        }
    }
    Ok(Fewest {
        replicas: high,
        binds: worse.unwrap_or(Binds::OneReplica),
    })
}

/// A count found under several seeds.
pub(super) struct Found {
    /// The median of the counts.
    pub(super) replicas: u32,
    /// What one step fewer misses under the seed of the median.
    pub(super) binds: Binds,
    /// The seed of the median.
    pub(super) draw: u32,
    /// The smallest count of any seed.
    pub(super) fewest: u32,
    /// The largest; absent when no count meets the objective under some seed.
    pub(super) most: Option<u32>,
}

/// The count by the median of [`TRIAL_SEEDS`] seeds; seeds without a count lie above all others.
///
/// # Errors
/// What binds when most seeds have none.
pub(super) fn found(question: &Question, pool: &Pool, near: Option<u32>) -> Result<Found, Binds> {
    let mut near = near;
    let mut counts = Vec::new();
    for draw in 0..TRIAL_SEEDS {
        let bench = Bench {
            question,
            pool,
            draw,
        };
        let count = fewest(&bench, near.map(Start::near));
        if let (None, Ok(count)) = (near, &count) {
            near = Some(count.replicas);
        }
        counts.push((draw, count));
    }
    counts.sort_by_key(|(draw, count)| match count {
        Ok(count) => (u64::from(count.replicas), *draw),
        Err(_) => (u64::MAX, *draw),
    });
    let of = |count: Option<&(u32, Result<Fewest, Binds>)>| {
        count.and_then(|(_, c)| c.as_ref().ok().map(|c| c.replicas))
    };
    let (fewest, most) = (of(counts.first()), of(counts.last()));
    let (draw, median) = counts.swap_remove(counts.len() / 2);
    median.map(|count| Found {
        replicas: count.replicas,
        binds: count.binds,
        draw,
        fewest: fewest.unwrap_or(count.replicas),
        most,
    })
}

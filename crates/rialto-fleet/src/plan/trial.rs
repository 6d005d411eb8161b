//! One cell of a placement under its share of the traffic, and the search for the fewest replicas.
//!
//! A pool of any size is judged by one cell of at most [`TRIAL_CELL`] replicas with its share of the
//! requests, and the search begins where a replica's load is near what its decode steps could at most
//! carry. What is simulated is therefore bounded by the cell, never by the rate that is asked for.

use crate::cluster::{CellResult, CellSettings, Pool, TrafficSource, simulate_cell};

use super::{Binds, Question};

/// Most replicas considered.
pub(super) const MAX_REPLICAS: u32 = 1 << 28;

/// Replicas simulated at most per trial: a cell of a larger pool.
pub(super) const TRIAL_CELL: u32 = 16;

/// Generated requests expected at most per trial; the trial is shortened to them. Far more than
/// [`TRIAL_CELL`] replicas can queue, so that too small a cell still shows.
const TRIAL_REQUESTS: f64 = 200_000.0;

/// Counts above this many replicas are found to within one part in it: finer differences are within
/// the noise of a trial.
const PARTS: u32 = 256;

/// Requests in flight are judged alone when each replica sees so few, requests a second.
const ALONE_RATE_PER_S: f64 = 0.02;

/// What one cell of a trial met.
pub(super) struct Trial {
    pub(super) cell: CellResult,
    pub(super) seconds: f64,
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

    fn meets(&self, question: &Question) -> bool {
        self.good_share() >= question.slo_share
    }

    /// The constraint that is missed most.
    pub(super) fn worst(&self, question: &Question) -> Binds {
        let r = &self.cell.recorder;
        if r.preemptions > 0 || r.peak_kv_permille >= 980 {
            return Binds::CacheMemory;
        }
        let ttft = r.ttft.share_within(question.slo.ttft_s);
        let tpot = r.tpot.share_within(question.slo.tpot_s);
        if ttft <= tpot {
            Binds::Ttft
        } else {
            Binds::Tpot
        }
    }
}

/// Runs one cell of so many replicas.
pub(super) fn trial(question: &Question, pool: &Pool, replicas: u32) -> Trial {
    let pool = pool.first_cell(replicas, TRIAL_CELL);
    run(question, &pool, question.trial_s)
}

fn run(question: &Question, pool: &Pool, trial_s: f64) -> Trial {
    let generated = match &pool.traffic {
        TrafficSource::Model(model) => {
            let cell = f64::from(pool.cells.first().copied().unwrap_or(1));
            let rate = model.rate_per_s * cell / f64::from(pool.spec.replicas);
            Some(trial_s.min(TRIAL_REQUESTS / rate.max(1e-9)))
        }
        TrafficSource::Trace(_) => None,
    };
    let settings = CellSettings {
        seed: question.seed,
        // Requests that arrive in time count when they finish, however late.
        horizon_ns: generated.map_or(u64::MAX, |seconds| (seconds * 1e9) as u64),
        warmup_ns: 0,
        bin_ns: 0,
        keep_outcomes: false,
        count_late: true,
    };
    let cell = simulate_cell(pool, 0, &settings);
    let seconds = generated.unwrap_or(cell.end_s).max(1e-9);
    Trial { cell, seconds }
}

/// A request alone: so many replicas that they hardly ever have two.
fn alone(question: &Question, pool: &Pool) -> Trial {
    let wanted = (question.rate_per_s / ALONE_RATE_PER_S).ceil().max(1.0);
    let replicas = wanted.min(f64::from(u32::MAX));
    let mut pool = pool.first_cell(replicas as u32, TRIAL_CELL);
    if let TrafficSource::Model(model) = &mut pool.traffic {
        // No count is large enough for the highest rates; a replica's share of them is.
        model.rate_per_s *= replicas / wanted;
    }
    run(question, &pool, question.trial_s.max(600.0))
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

/// The fewest replicas that meet the objective, the trial that shows it, and what one step fewer
/// misses.
pub(super) struct Fewest {
    pub(super) replicas: u32,
    pub(super) trial: Trial,
    pub(super) binds: Binds,
}

/// Finds the fewest replicas that meet the objective: from a count near the load that decode steps
/// could carry down or up by doubling, then by bisection, to the replica in pools of up to
/// [`PARTS`] of them.
///
/// # Errors
/// What binds when no count does.
pub(super) fn fewest(question: &Question, pool: &Pool) -> Result<Fewest, Binds> {
    let light = alone(question, pool);
    if !light.meets(question) {
        return Err(match light.worst(question) {
            Binds::Tpot => Binds::TpotAlone,
            _ => Binds::TtftAlone,
        });
    }
    let start = (question.rate_per_s / most_per_replica(pool)).clamp(1.0, MAX_REPLICAS.into());
    let mut high = start as u32;
    let mut low = 0;
    let mut worse = None;
    let mut best = trial(question, pool, high);
    while best.meets(question) && high > 1 {
        let attempt = trial(question, pool, high / 2);
        if !attempt.meets(question) {
            low = high / 2;
            worse = Some(attempt.worst(question));
            break;
        }
        (high, best) = (high / 2, attempt);
    }
    while !best.meets(question) {
        if high >= MAX_REPLICAS {
            return Err(Binds::TooMany);
        }
        worse = Some(best.worst(question));
        low = high;
        high *= 2;
        best = trial(question, pool, high);
    }
    while high - low > (high / PARTS).max(1) {
        let middle = low.midpoint(high);
        let attempt = trial(question, pool, middle);
        if attempt.meets(question) {
            (high, best) = (middle, attempt);
        } else {
            worse = Some(attempt.worst(question));
            low = middle;
        }
    }
    Ok(Fewest {
        replicas: high,
        trial: best,
        binds: worse.unwrap_or(Binds::OneReplica),
    })
}

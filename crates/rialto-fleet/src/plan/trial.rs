//! Simulates one cell of a placement under its share of the traffic.
//!
//! A pool of any size is judged by one cell of at most [`TRIAL_CELL`] replicas with its share of the
//! requests. The work of a trial is therefore bounded by the cell and does not grow with the rate. A trial
//! that misses the objective by far ends as soon as that is certain, no trial runs twice, and arrivals are
//! drawn once for all trials with the same requests.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::cluster::{CellResult, CellSettings, Pool, TrafficSource, requests_of, serve};
use crate::rng::key;
use crate::traffic::Request;

use super::{Binds, Question};

/// The most replicas that a trial simulates: one cell of a larger pool.
pub(super) const TRIAL_CELL: u32 = 16;

/// Seeds under which a count is found.
pub const TRIAL_SEEDS: u32 = 5;

/// The most generated requests expected in a trial; a longer trial is shortened to them. They are far more
/// than [`TRIAL_CELL`] replicas can queue, so that too small a cell still shows.
const MOST_REQUESTS: f64 = 100_000.0;

/// The fewest generated requests expected in a trial; a shorter trial is lengthened to them. A few hundred
/// requests cannot show a share of 99 %.
const LEAST_REQUESTS: f64 = 4_000.0;

/// The longest trial, seconds: at the lowest rates it holds fewer requests instead.
const LONGEST_S: f64 = 1e6;

/// The most requests of a trace that are judged alone; of a longer trace, this many are taken at even
/// distances.
const MOST_ALONE: usize = 50_000;

/// The rate of a replica, requests a second, below which requests are judged alone.
const ALONE_RATE_PER_S: f64 = 0.02;

/// The results of one cell in a trial.
pub(super) struct Trial {
    /// Results to the end, or as far as the trial went.
    pub(super) cell: CellResult,
    /// Seconds over which its requests arrive.
    pub(super) seconds: f64,
    /// Requests offered, whether or not the trial came so far.
    offered: u64,
    /// How many of them may miss the objective.
    allowed: u64,
}

impl Trial {
    /// Share of the requests offered that finished within the objective; for a trial that ended early, the
    /// most that it could still have been.
    pub(super) fn good_share(&self) -> f64 {
        share_without(self.offered, self.misses())
    }

    pub(super) fn meets(&self) -> bool {
        !self.cell.gave_up && self.misses() <= self.allowed
    }

    /// Logarithm of the misses over those allowed; for a trial that ended early, as if the rest were like
    /// what it saw.
    pub(super) fn excess(&self) -> f64 {
        let mut misses = self.misses() as f64;
        if self.cell.gave_up {
            misses *= self.offered as f64 / (self.cell.recorder.arrived as f64).max(1.0);
        }
        libm::log((misses + 0.5) / (self.allowed as f64 + 0.5))
    }

    fn misses(&self) -> u64 {
        self.cell.recorder.misses() + self.cell.in_flight * u64::from(!self.cell.gave_up)
    }

    /// The constraint that is missed most.
    pub(super) fn worst(&self, pool: &Pool) -> Binds {
        let r = &self.cell.recorder;
        if r.preemptions > 0 || r.peak_kv_permille >= 980 {
            return Binds::CacheMemory;
        }
        let ttft = r.ttft.share_within(pool.slo.ttft_s);
        let tpot = r.tpot.share_within(pool.slo.tpot_s);
        if ttft <= tpot {
            Binds::Ttft
        } else {
            Binds::Tpot
        }
    }
}

/// Share of the requests that did not miss the objective; 1 if there are no requests.
fn share_without(offered: u64, misses: u64) -> f64 {
    if offered == 0 {
        1.0
    } else {
        (offered - misses.min(offered)) as f64 / offered as f64
    }
}

/// The most requests that may miss the objective.
fn allowed(offered: u64, share: f64) -> u64 {
    let mut allowed = ((1.0 - share) * offered as f64) as u64;
    while allowed < offered && share_without(offered, allowed + 1) >= share {
        allowed += 1;
    }
    while allowed > 0 && share_without(offered, allowed) < share {
        allowed -= 1;
    }
    allowed
}

/// The arrivals for each seed and, in pools of more than one cell, each number of replicas. They do not
/// depend on the forecast, so that trials under every error of the forecast share the draws.
pub(super) type Arrivals = RefCell<HashMap<(u32, u32), Rc<Vec<Request>>>>;

/// A placement with one error of its times, for trials under any seed.
pub(super) struct Bench<'a> {
    pub(super) question: &'a Question,
    pub(super) pool: Pool,
    arrivals: &'a Arrivals,
    trials: RefCell<HashMap<(u32, u32), Rc<Trial>>>,
}

impl<'a> Bench<'a> {
    pub(super) fn new(question: &'a Question, pool: Pool, arrivals: &'a Arrivals) -> Self {
        Self {
            question,
            pool,
            arrivals,
            trials: RefCell::default(),
        }
    }

    /// Tries one cell of this many replicas under a seed, until the objective is certainly missed.
    pub(super) fn trial(&self, draw: u32, replicas: u32) -> Rc<Trial> {
        let known = self.trials.borrow().get(&(draw, replicas)).cloned();
        known.unwrap_or_else(|| self.run(draw, replicas, false))
    }

    /// The same, but to the end, however many requests miss the objective.
    pub(super) fn whole_trial(&self, draw: u32, replicas: u32) -> Rc<Trial> {
        let trial = self.trial(draw, replicas);
        if trial.cell.gave_up {
            return self.run(draw, replicas, true);
        }
        trial
    }

    fn run(&self, draw: u32, replicas: u32, to_the_end: bool) -> Rc<Trial> {
        let pool = self.pool.first_cell(replicas, TRIAL_CELL);
        let cells = if replicas <= TRIAL_CELL { 0 } else { replicas };
        let known = self.arrivals.borrow().get(&(draw, cells)).cloned();
        let requests = known.unwrap_or_else(|| {
            let drawn = Rc::new(requests_of(&pool, 0, &self.settings(&pool, draw)));
            let mut arrivals = self.arrivals.borrow_mut();
            arrivals.insert((draw, cells), Rc::clone(&drawn));
            drawn
        });
        let trial = Rc::new(self.serve(&pool, draw, &requests, to_the_end));
        let mut trials = self.trials.borrow_mut();
        trials.insert((draw, replicas), Rc::clone(&trial));
        trial
    }

    fn serve(&self, pool: &Pool, draw: u32, requests: &[Request], to_the_end: bool) -> Trial {
        let offered = requests.len() as u64;
        let allowed = allowed(offered, self.question.slo_share);
        let mut settings = self.settings(pool, draw);
        if !to_the_end {
            settings.misses_allowed = allowed;
        }
        let mut next = requests.iter().copied();
        let cell = serve(pool, 0, &settings, || next.next());
        let generated = matches!(pool.traffic, TrafficSource::Model(_));
        let arrive_s = generated.then_some(settings.horizon_ns as f64 * 1e-9);
        Trial {
            seconds: arrive_s.unwrap_or(cell.end_s).max(1e-9),
            cell,
            offered,
            allowed,
        }
    }

    fn settings(&self, pool: &Pool, draw: u32) -> CellSettings {
        CellSettings {
            seed: self.seed(draw),
            // Requests that arrive in time count when they finish, however late.
            horizon_ns: self
                .generated_s(pool)
                .map_or(u64::MAX, |s| (s * 1e9) as u64),
            warmup_ns: 0,
            bin_ns: 0,
            keep_outcomes: false,
            count_late: true,
            misses_allowed: u64::MAX,
        }
    }

    /// Seconds of traffic to generate; none where a trace is replayed.
    fn generated_s(&self, pool: &Pool) -> Option<f64> {
        let TrafficSource::Model(model) = &pool.traffic else {
            return None;
        };
        let cell = f64::from(pool.cells.first().copied().unwrap_or(1));
        let rate = model.rate_per_s * cell / f64::from(pool.spec.replicas);
        let (least, most) = (LEAST_REQUESTS / rate, MOST_REQUESTS / rate);
        Some(self.question.trial_s.max(least).min(most).min(LONGEST_S))
    }

    /// The seed of a draw: the question's seed, or one derived from it.
    fn seed(&self, draw: u32) -> u64 {
        match draw {
            0 => self.question.seed,
            draw => key(&[self.question.seed, draw.into()]),
        }
    }

    /// The limit that a request alone misses, if any: with arrivals so far apart that a replica hardly ever
    /// has two requests. The first seed runs to the end to find what is missed most.
    pub(super) fn misses_alone(&self, draw: u32) -> Option<Binds> {
        let mut pool = self.pool.first_cell(TRIAL_CELL, TRIAL_CELL);
        let rate_per_s = self
            .question
            .rate_per_s
            .min(ALONE_RATE_PER_S * f64::from(TRIAL_CELL));
        match &mut pool.traffic {
            TrafficSource::Model(model) => model.rate_per_s = rate_per_s,
            TrafficSource::Trace(trace) => {
                // All of them are judged: a few cannot show a share of 99 %.
                let every = trace.requests.len().div_ceil(MOST_ALONE).max(1);
                let slower = self.question.rate_per_s / rate_per_s / every as f64;
                let mut requests: Vec<_> = trace.requests.iter().step_by(every).copied().collect();
                for request in &mut requests {
                    request.arrival_ns = (request.arrival_ns as f64 * slower) as u64;
                }
                trace.requests = requests;
            }
        }
        let requests = requests_of(&pool, 0, &self.settings(&pool, draw));
        let mut trial = self.serve(&pool, draw, &requests, false);
        if trial.meets() {
            return None;
        }
        if draw == 0 {
            trial = self.serve(&pool, draw, &requests, true);
        }
        Some(match trial.worst(&pool) {
            Binds::Tpot => Binds::TpotAlone,
            _ => Binds::TtftAlone,
        })
    }
}

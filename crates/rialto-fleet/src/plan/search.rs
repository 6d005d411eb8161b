//! The search for the fewest replicas that meet the objective.
//!
//! Under one seed, the search goes from a start towards the count and closes in on it; the number of
//! requests that miss the objective at one count says where to try next. The search assumes that more
//! replicas never make latency worse, and that a larger error of the forecast never makes it better, so
//! that the result of one search bounds the next. A count depends on the random draws of a trial, so it is
//! found under several seeds, and the median is the answer.

use super::trial::{Bench, TRIAL_SEEDS};
use super::{Binds, Question};
use crate::cluster::{Pool, TrafficSource};

/// Most replicas considered.
pub(super) const MAX_REPLICAS: u32 = 1 << 28;

/// Counts above this many replicas are found to within one part in it: finer differences are within
/// the noise of a trial.
const PARTS: u32 = 128;

/// When a search has climbed to this multiple of its start, it checks whether any count can meet the
/// objective.
const CLIMBED: u32 = 4;

/// About how fast the logarithm of the misses falls with the logarithm of the replicas; slopes between 4
/// and 20 were seen.
const STEEPNESS: f64 = 8.0;

/// The fewest replicas that meet the objective under one seed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fewest {
    pub(super) replicas: u32,
    /// The largest number known to miss the objective; zero where one replica is enough.
    pub(super) missing: u32,
}

/// What is known before a search.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known {
    /// A count that misses the objective; zero for none.
    pub(super) missing: u32,
    /// A count that meets it.
    pub(super) meeting: Option<u32>,
    /// About where the count is.
    pub(super) near: Option<u32>,
    /// Under another seed no count meets it, so the search first tries a request alone.
    pub(super) hopeless: bool,
}

/// Requests a second that a replica's decode steps could carry if contexts were empty and batches full:
/// more than any replica can sustain.
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

/// The load that decode steps could carry, in replicas.
pub(super) fn at_least(question: &Question, pool: &Pool) -> u32 {
    let replicas = question.rate_per_s / most_per_replica(pool);
    replicas.clamp(1.0, MAX_REPLICAS.into()) as u32
}

/// A count that was tried, or whose result is known without a trial.
#[derive(Clone, Copy)]
struct End {
    replicas: u32,
    /// Logarithm of the misses over those allowed, where it was tried.
    excess: Option<f64>,
}

impl End {
    fn known(replicas: u32) -> Self {
        Self {
            replicas,
            excess: None,
        }
    }

    /// The count at which the misses would be just those allowed, if they fall with the replicas at this
    /// slope.
    fn guess(&self, steepness: f64) -> Option<f64> {
        let excess = self.excess?;
        Some(f64::from(self.replicas) * libm::exp(excess / steepness))
    }
}

/// How far apart two counts may be for the search to end.
fn tolerance(replicas: u32) -> u32 {
    (replicas / PARTS).max(1)
}

/// Finds the fewest replicas that meet the objective under one seed; exact in pools of up to [`PARTS`]
/// replicas.
///
/// # Errors
/// What binds when no count does.
pub(super) fn fewest(bench: &Bench<'_>, draw: u32, known: Known) -> Result<Fewest, Binds> {
    let (mut low, mut high) = climb(bench, draw, known)?;
    let mut moved_high = None;
    for probe in 1_u32.. {
        let apart = high.replicas - low.replicas;
        if apart <= tolerance(high.replicas) {
            break;
        }
        let middle = probe % 3 == 0;
        let replicas = next(low, high, middle);
        let trial = bench.trial(draw, replicas);
        let (meets, excess) = (trial.meets(), Some(trial.excess()));
        // An end that stays twice weighs half (Illinois): else the other creeps.
        let stale = if meets { &mut low } else { &mut high };
        if moved_high == Some(meets) {
            stale.excess = stale.excess.map(|excess| excess / 2.0);
        }
        moved_high = Some(meets);
        let end = if meets { &mut high } else { &mut low };
        *end = End { replicas, excess };
    }
    Ok(Fewest {
        replicas: high.replicas,
        missing: low.replicas,
    })
}

/// The count to try between two, one that misses the objective and one that meets it.
fn next(low: End, high: End, middle: bool) -> u32 {
    let (from, to) = (f64::from(low.replicas), f64::from(high.replicas));
    let guess = match (low.excess, high.excess) {
        _ if middle => None,
        (Some(over), Some(under)) => {
            let share = over / (over - under).max(1e-9);
            Some(from * libm::pow(to / from.max(1.0), share))
        }
        (Some(_), None) => low.guess(STEEPNESS),
        (None, Some(_)) => high.guess(STEEPNESS).map(|guess| guess.max(to / 2.0)),
        (None, None) => None,
    };
    let guess = guess.unwrap_or_else(|| f64::midpoint(from, to));
    let gap = tolerance(high.replicas).min((high.replicas - low.replicas) / 2);
    (guess as u32).clamp(low.replicas + gap, high.replicas - gap)
}

/// Goes up to a count that meets the objective; returns the last count that missed it and this one.
fn climb(bench: &Bench<'_>, draw: u32, known: Known) -> Result<(End, End), Binds> {
    let start = known.near;
    let start = start.unwrap_or_else(|| at_least(bench.question, &bench.pool));
    let start = start.max(known.missing + 1);
    let (mut low, mut replicas) = (End::known(known.missing), start);
    let (mut asked, mut steepness) = (known.hopeless, STEEPNESS);
    if asked && let Some(binds) = bench.misses_alone(draw) {
        return Err(binds);
    }
    loop {
        if let Some(meeting) = known.meeting.filter(|meeting| replicas >= *meeting) {
            return Ok((low, End::known(meeting)));
        }
        let trial = bench.trial(draw, replicas);
        let tried = End {
            replicas,
            excess: Some(trial.excess()),
        };
        if trial.meets() {
            return Ok((low, tried));
        }
        if replicas >= MAX_REPLICAS {
            return Err(Binds::TooMany);
        }
        if !asked && replicas >= start.saturating_mul(CLIMBED) {
            asked = true;
            if let Some(binds) = bench.misses_alone(draw) {
                return Err(binds);
            }
        }
        low = tried;
        let guess = tried
            .guess(steepness)
            .map_or(0, |guess| guess.ceil() as u32);
        // Where the last guess was too low, misses fall off slower than usual.
        steepness /= 2.0;
        let least = replicas.saturating_add(tolerance(replicas));
        replicas = guess
            .max(least)
            .min(replicas.saturating_mul(2))
            .min(MAX_REPLICAS);
    }
}

/// A count found under several seeds.
pub(super) struct Found {
    /// The counts in the order of the seeds, as far as they were needed.
    counts: Vec<Result<Fewest, Binds>>,
    /// The seed of the median.
    pub(super) draw: u32,
}

impl Found {
    /// The median of the counts.
    ///
    /// # Errors
    /// What binds when most seeds have none.
    pub(super) fn median(&self) -> Result<Fewest, Binds> {
        self.counts[self.draw as usize].clone()
    }

    /// The count under one seed, if the search found one.
    pub(super) fn of(&self, draw: u32) -> Option<Fewest> {
        self.counts.get(draw as usize)?.as_ref().ok().copied()
    }

    /// The smallest count of any seed and the largest; the latter is absent when no count meets the
    /// objective under some seed.
    pub(super) fn range(&self) -> (Option<u32>, Option<u32>) {
        let found = self.counts.iter().flatten().map(|count| count.replicas);
        let all = self.counts.iter().all(Result::is_ok);
        (found.clone().min(), found.max().filter(|_| all))
    }
}

/// How much of a count's distribution over the seeds is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The median: most seeds that agree decide it.
    Median,
    /// The range too.
    Range,
}

/// The median of the counts under [`TRIAL_SEEDS`] seeds; a seed without a count ranks above all others.
/// `known` gives the bounds of the count under a seed.
pub(super) fn found(bench: &Bench<'_>, wanted: Wanted, known: impl Fn(u32) -> Known) -> Found {
    let mut counts: Vec<Result<Fewest, Binds>> = Vec::new();
    let order = |count: &Result<Fewest, Binds>| match count {
        Ok(count) => u64::from(count.replicas),
        Err(_) => u64::MAX,
    };
    for draw in 0..TRIAL_SEEDS {
        let known = known(draw);
        let near = counts.iter().flatten().next().map(|count| count.replicas);
        let count = fewest(
            bench,
            draw,
            Known {
                near: near.or(known.near),
                hopeless: matches!(counts.first(), Some(Err(_))),
                ..known
            },
        );
        counts.push(count);
        let agree = |count: &Result<Fewest, Binds>| {
            let alike = counts.iter().filter(|other| order(other) == order(count));
            alike.count() > TRIAL_SEEDS as usize / 2
        };
        // If most seeds have no count, no range is given.
        let told = |count: &&Result<Fewest, Binds>| wanted == Wanted::Range && count.is_ok();
        if let Some(place) = counts.iter().position(agree)
            && !told(&&counts[place])
        {
            let draw = place as u32;
            return Found { counts, draw };
        }
    }
    let mut draws: Vec<u32> = (0..TRIAL_SEEDS).collect();
    draws.sort_by_key(|draw| order(&counts[*draw as usize]));
    let draw = draws[draws.len() / 2];
    Found { counts, draw }
}

/// The constraint that the next smaller count misses under a seed.
pub(super) fn binds(bench: &Bench<'_>, draw: u32, count: Fewest) -> Binds {
    match count.missing {
        0 => Binds::OneReplica,
        missing => bench.whole_trial(draw, missing).worst(&bench.pool),
    }
}

//! What is counted of calls, by model and provider: how they ended, how long they took, and their tokens.
//!
//! Counts only; who reads them writes them in a form of its own. The number of series is bounded.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rialto_core::model::{InferenceEnd, TokenCounts};

/// Above how many pairs of model and provider all others are counted as one.
const SERIES: usize = 1_000;
/// The upper bounds of the times, in seconds, as OpenTelemetry's conventions for models propose them.
pub const BOUNDS: [f64; 14] = [
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];

/// A call that is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    pub(crate) end: InferenceEnd,
    pub(crate) took: Duration,
    pub(crate) first: Option<Duration>,
    pub(crate) tokens: TokenCounts,
}

/// How many took how long.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Times {
    /// By the bounds, and beyond the last.
    pub counts: [u64; BOUNDS.len() + 1],
    /// In sum, in seconds.
    pub sum: f64,
}

impl Times {
    fn add(&mut self, time: Duration) {
        let seconds = time.as_secs_f64();
        let place = BOUNDS.iter().position(|bound| seconds <= *bound);
        let count = self.counts.get_mut(place.unwrap_or(BOUNDS.len()));
        if let Some(count) = count {
            *count += 1;
        }
        self.sum += seconds;
    }
}

/// What is counted of one model through one provider.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Calls that were answered.
    pub served: u64,
    /// Calls whose caller left.
    pub left: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Tokens of input.
    pub input: u64,
    /// Of them read from a cache.
    pub cached: u64,
    /// Tokens of output.
    pub output: u64,
    /// How long the first byte took.
    pub first: Times,
    /// How long calls took in all.
    pub took: Times,
}

/// All series, by model and provider.
#[derive(Debug, Default)]
pub struct Metrics(Mutex<BTreeMap<(String, String), Series>>);

impl Metrics {
    pub(crate) fn count(&self, model: &str, provider: &str, ended: &Ended) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (model.to_owned(), provider.to_owned());
        if all.len() >= SERIES && !all.contains_key(&key) {
            key = ("other".to_owned(), "other".to_owned());
        }
        let series = all.entry(key).or_default();
        match ended.end {
            InferenceEnd::Served => series.served += 1,
            InferenceEnd::Left => series.left += 1,
            InferenceEnd::Failed | InferenceEnd::Lost => series.failed += 1,
        }
        let tokens = [
            (&mut series.input, ended.tokens.input),
            (&mut series.cached, ended.tokens.cached),
            (&mut series.output, ended.tokens.output),
        ];
        for (sum, more) in tokens {
            *sum = sum.saturating_add(more);
        }
        series.took.add(ended.took);
        if let Some(first) = ended.first {
            series.first.add(first);
        }
    }

    /// Each series with its model and provider.
    #[must_use]
    pub fn all(&self) -> Vec<((String, String), Series)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter()
            .map(|(key, series)| (key.clone(), series.clone()))
            .collect()
    }
}

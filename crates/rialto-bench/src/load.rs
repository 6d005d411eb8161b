//! Load from many clients at once, and its figures.

use std::future::Future;
use std::time::{Duration, Instant};

use rialto_random::SplitMix64;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::BenchError;

/// How long each of many requests took, in nanoseconds.
#[derive(Clone, Debug, Default)]
pub struct Times(Vec<u64>);

impl Times {
    /// Adds one.
    pub fn note(&mut self, took: Duration) {
        self.0
            .push(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Joins those of several lanes.
    pub fn together(lanes: impl IntoIterator<Item = Self>) -> Self {
        Self(lanes.into_iter().flat_map(|lane| lane.0).collect())
    }

    /// Percentiles by nearest rank.
    pub fn spread(mut self) -> Spread {
        self.0.sort_unstable();
        let rank = |per_mille: usize| {
            let place = (self.0.len() * per_mille).div_ceil(1_000).max(1) - 1;
            self.0.get(place).map_or(0.0, |ns| *ns as f64 / 1e6)
        };
        Spread {
            count: self.0.len(),
            p50_ms: rank(500),
            p99_ms: rank(990),
            p999_ms: rank(999),
            max_ms: rank(1_000),
        }
    }
}

/// How long requests took, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// How many.
    pub count: usize,
    /// Half took no longer.
    pub p50_ms: f64,
    /// 99 in 100 took no longer.
    pub p99_ms: f64,
    /// 999 in 1,000 took no longer.
    pub p999_ms: f64,
    /// None took longer.
    pub max_ms: f64,
}

impl Spread {
    /// As a text for people.
    pub fn text(&self) -> String {
        format!(
            "p50 {:.2} ms, p99 {:.2} ms, max {:.1} ms",
            self.p50_ms, self.p99_ms, self.max_ms
        )
    }
}

/// Runs `work` for every lane at once and gathers what each brings, with the time all took.
pub async fn lanes<T, F>(
    count: usize,
    mut work: impl FnMut(usize) -> F,
) -> Result<(Vec<T>, Duration), BenchError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, BenchError>> + Send + 'static,
{
    let begun = Instant::now();
    let mut set = JoinSet::new();
    for lane in 0..count {
        set.spawn(work(lane));
    }
    let mut brought = Vec::with_capacity(count);
    while let Some(done) = set.join_next().await {
        let done =
            done.map_err(|e| BenchError::defect(format!("a lane of the load ended: {e}")))?;
        brought.push(done?);
    }
    Ok((brought, begun.elapsed()))
}

/// The rate a second: a count over a duration.
pub fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64().max(1e-9)
}

/// Pseudo-random numbers.
#[derive(Clone, Debug)]
pub struct Draw(SplitMix64);

impl Draw {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(SplitMix64::new(seed))
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `end`.
    pub fn pick(&mut self, end: u64) -> u64 {
        self.number() % end.max(1)
    }

    /// A position in a list of this length.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        usize::try_from(self.pick(end)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let mut times = Times::default();
        for ms in (1..=100).rev() {
            times.note(Duration::from_millis(ms));
        }
        let spread = times.spread();
        assert_eq!(
            (spread.count, spread.p50_ms, spread.p99_ms, spread.max_ms),
            (100, 50.0, 99.0, 100.0)
        );
        assert_eq!(Times::default().spread().p99_ms, 0.0);
    }

    #[tokio::test]
    async fn a_failing_lane_fails_the_load() {
        let work = |lane| async move {
            match lane {
                2 => Err(BenchError::failed("no")),
                lane => Ok(lane),
            }
        };
        assert!(lanes(4, work).await.is_err());
        let (mut all, _) = lanes(2, work).await.unwrap();
        all.sort_unstable();
        assert_eq!(all, [0, 1]);
    }
}

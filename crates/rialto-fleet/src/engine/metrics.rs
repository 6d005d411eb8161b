//! What happened to requests: counts, tokens, latency distributions, and a series over time.

use super::job::Job;
use super::{PS_PER_NS, PS_PER_S};

/// Sub-buckets per doubling; a bucket is at most 1/128 of its value wide.
const SUB_BITS: u32 = 7;

/// Durations in a log-linear histogram of whole microseconds: quantiles are right to 0.4 %.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    sum_us: u128,
}

impl Histogram {
    /// Adds one duration.
    pub fn add_ps(&mut self, ps: u64) {
        let us = ps / 1_000_000;
        let index = bucket_of(us);
        if index >= self.counts.len() {
            self.counts.resize(index + 1, 0);
        }
        self.counts[index] += 1;
        self.total += 1;
        self.sum_us += u128::from(us);
    }

    /// Adds all of another histogram.
    pub fn merge(&mut self, other: &Self) {
        if other.counts.len() > self.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.total += other.total;
        self.sum_us += other.sum_us;
    }

    /// Number of durations.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.total
    }

    /// Mean, seconds; zero when empty.
    #[must_use]
    pub fn mean_s(&self) -> f64 {
        if self.total == 0 {
            0.0
        } else {
            self.sum_us as f64 / self.total as f64 * 1e-6
        }
    }

    /// The quantile `q` in [0, 1], seconds, linear within its bucket; zero when empty.
    #[must_use]
    pub fn quantile_s(&self, q: f64) -> f64 {
        let mut weighted = WeightedHistogram::default();
        weighted.add(1.0, self);
        weighted.quantile_s(q)
    }

    /// Share of durations at most `seconds`; 1 when empty.
    #[must_use]
    pub fn share_within(&self, seconds: f64) -> f64 {
        if self.total == 0 {
            return 1.0;
        }
        let limit = seconds * 1e6;
        let mut within = 0.0;
        for (index, &count) in self.counts.iter().enumerate() {
            let (low, width) = bucket_range(index);
            let part = ((limit - low as f64) / width as f64).clamp(0.0, 1.0);
            within += count as f64 * part;
        }
        within / self.total as f64
    }
}

/// Histograms added up with weights: the estimate of the whole from a sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WeightedHistogram {
    counts: Vec<f64>,
    total: f64,
    sum_us: f64,
}

impl WeightedHistogram {
    /// Adds a histogram as if it had been seen `weight` times.
    pub fn add(&mut self, weight: f64, histogram: &Histogram) {
        if histogram.counts.len() > self.counts.len() {
            self.counts.resize(histogram.counts.len(), 0.0);
        }
        for (mine, &theirs) in self.counts.iter_mut().zip(&histogram.counts) {
            *mine += weight * theirs as f64;
        }
        self.total += weight * histogram.total as f64;
        self.sum_us += weight * histogram.sum_us as f64;
    }

    /// Adds another one.
    pub fn merge(&mut self, other: &Self) {
        if other.counts.len() > self.counts.len() {
            self.counts.resize(other.counts.len(), 0.0);
        }
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.total += other.total;
        self.sum_us += other.sum_us;
    }

    /// Weighted number of durations.
    #[must_use]
    pub fn count(&self) -> f64 {
        self.total
    }

    /// Mean, seconds; zero when empty.
    #[must_use]
    pub fn mean_s(&self) -> f64 {
        if self.total > 0.0 {
            self.sum_us / self.total * 1e-6
        } else {
            0.0
        }
    }

    /// The quantile `q` in [0, 1], seconds, linear within its bucket; zero when empty.
    #[must_use]
    pub fn quantile_s(&self, q: f64) -> f64 {
        let rank = q.clamp(0.0, 1.0) * self.total;
        let mut below = 0.0;
        let mut last = 0.0;
        for (index, &count) in self.counts.iter().enumerate() {
            if count > 0.0 {
                let (low, width) = bucket_range(index);
                if below + count >= rank {
                    let part = ((rank - below) / count).clamp(0.0, 1.0);
                    return (low as f64 + width as f64 * part) * 1e-6;
                }
                last = (low + width) as f64 * 1e-6;
            }
            below += count;
        }
        last
    }

    /// Buckets that hold something, as (upper end in seconds, weighted count).
    pub fn buckets(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0.0)
            .map(|(index, &count)| {
                let (low, width) = bucket_range(index);
                ((low + width) as f64 * 1e-6, count)
            })
    }
}

fn bucket_of(us: u64) -> usize {
    let sub = 1u64 << SUB_BITS;
    if us < sub {
        return us as usize;
    }
    let exponent = 63 - us.leading_zeros();
    let shift = exponent - SUB_BITS;
    ((u64::from(shift) + 1) * sub + ((us >> shift) - sub)) as usize
}

/// Lower end and width of a bucket, microseconds.
fn bucket_range(index: usize) -> (u64, u64) {
    let sub = 1u64 << SUB_BITS;
    let index = index as u64;
    if index < sub {
        return (index, 1);
    }
    let shift = index / sub - 1;
    ((sub + index % sub) << shift, 1 << shift)
}

/// A service-level objective: a request meets it when both hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slo {
    /// Most time to the first token, seconds.
    pub ttft_s: f64,
    /// Most mean time per later token, seconds.
    pub tpot_s: f64,
}

/// One finished request, kept when the caller wants every outcome.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// The job as it finished.
    pub job: Job,
    /// When, picoseconds.
    pub finished_ps: u64,
}

/// What happened within one interval of simulated time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SeriesBin {
    /// Requests that arrived.
    pub arrived: u64,
    /// Requests that finished.
    pub finished: u64,
    /// Answer tokens of the requests that finished.
    pub output_tokens: u64,
    /// Sum of times to the first token of the requests that finished, seconds.
    pub ttft_sum_s: f64,
}

/// Collects outcomes.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    /// Objective that finished requests are compared with.
    pub slo: Option<Slo>,
    /// Requests that arrive before this are left out of latencies, goodput and throughput.
    pub warmup_ps: u64,
    /// Requests and tokens that finish after this are left out of throughput.
    pub horizon_ps: u64,
    /// Requests offered.
    pub arrived: u64,
    /// Requests finished.
    pub finished: u64,
    /// Requests turned away: too long for the model or the replica, or its queue was full.
    pub rejected: u64,
    /// When the last request left, finished or turned away, picoseconds.
    pub last_left_ps: u64,
    /// Prompt tokens of finished requests.
    pub input_tokens: u64,
    /// Answer tokens of finished requests.
    pub output_tokens: u64,
    /// Requests that finished between warm-up and horizon.
    pub window_finished: u64,
    /// Their answer tokens.
    pub window_output_tokens: u64,
    /// Their prompt tokens.
    pub window_input_tokens: u64,
    /// Those of them that met the objective.
    pub window_good: u64,
    /// Answer tokens that left any replica, finished or not.
    pub emitted_tokens: u64,
    /// Prompt tokens computed, recomputation included.
    pub prefilled_tokens: u64,
    /// Prompt tokens found in a prefix cache.
    pub cached_tokens: u64,
    /// Sequences pre-empted.
    pub preemptions: u64,
    /// Requests a failure took down (each is tried again).
    pub interrupted: u64,
    /// Computed tokens lost to failures.
    pub lost_tokens: u64,
    /// Steps simulated.
    pub steps: u64,
    /// Replica time spent in steps, picoseconds.
    pub busy_ps: u128,
    /// Energy of those steps, joules.
    pub busy_joules: f64,
    /// Most cache blocks in use at a step, over capacity, per mille.
    pub peak_kv_permille: u32,
    /// Time to first token.
    pub ttft: Histogram,
    /// Mean time per token after the first.
    pub tpot: Histogram,
    /// End to end.
    pub e2e: Histogram,
    /// Wait before the request was first scheduled.
    pub queue: Histogram,
    /// Length of a series bin, picoseconds; zero keeps no series.
    pub bin_ps: u64,
    /// The series.
    pub series: Vec<SeriesBin>,
    /// Every finished request, when asked for.
    pub outcomes: Option<Vec<Outcome>>,
}

impl Recorder {
    fn bin(&mut self, at_ps: u64) -> Option<&mut SeriesBin> {
        let index = at_ps.checked_div(self.bin_ps)? as usize;
        if at_ps >= self.horizon_ps {
            return None;
        }
        if index >= self.series.len() {
            self.series.resize(index + 1, SeriesBin::default());
        }
        self.series.get_mut(index)
    }

    /// Counts an arrival.
    pub fn arrive(&mut self, at_ps: u64) {
        self.arrived += 1;
        if let Some(bin) = self.bin(at_ps) {
            bin.arrived += 1;
        }
    }

    /// Counts a request turned away.
    pub fn reject(&mut self, at_ps: u64) {
        self.rejected += 1;
        self.last_left_ps = self.last_left_ps.max(at_ps);
    }

    /// Requests between warm-up and horizon that missed the objective, those turned away included.
    #[must_use]
    pub fn misses(&self) -> u64 {
        self.rejected + self.window_finished - self.window_good
    }

    /// Records a finished request.
    pub fn finish(&mut self, job: &Job, at_ps: u64) {
        self.last_left_ps = self.last_left_ps.max(at_ps);
        let arrival_ps = job.request.arrival_ns * PS_PER_NS;
        let output = job.request.output_tokens;
        self.finished += 1;
        self.input_tokens += u64::from(job.request.input_tokens);
        self.output_tokens += u64::from(output);
        if let Some(outcomes) = &mut self.outcomes {
            outcomes.push(Outcome {
                job: *job,
                finished_ps: at_ps,
            });
        }
        let ttft_ps = job.first_token_ps.saturating_sub(arrival_ps);
        if let Some(bin) = self.bin(at_ps) {
            bin.finished += 1;
            bin.output_tokens += u64::from(output);
            bin.ttft_sum_s += ttft_ps as f64 / PS_PER_S;
        }
        let tpot_ps = at_ps.saturating_sub(job.first_token_ps) / u64::from(output.max(2) - 1);
        if at_ps >= self.warmup_ps && at_ps < self.horizon_ps {
            self.window_finished += 1;
            self.window_output_tokens += u64::from(output);
            self.window_input_tokens += u64::from(job.request.input_tokens);
            self.window_good += u64::from(self.slo.is_none_or(|slo| {
                ttft_ps as f64 <= slo.ttft_s * PS_PER_S && tpot_ps as f64 <= slo.tpot_s * PS_PER_S
            }));
        }
        if arrival_ps < self.warmup_ps {
            return;
        }
        self.ttft.add_ps(ttft_ps);
        if output > 1 {
            self.tpot.add_ps(tpot_ps);
        }
        self.e2e.add_ps(at_ps.saturating_sub(arrival_ps));
        self.queue
            .add_ps(job.scheduled_ps.saturating_sub(arrival_ps));
    }

    /// Adds everything another recorder collected under the same settings.
    pub fn merge(&mut self, other: &Self) {
        macro_rules! add {
            ($($field:ident),*) => { $(self.$field += other.$field;)* };
        }
        add!(
            arrived,
            finished,
            rejected,
            input_tokens,
            output_tokens,
            window_finished
        );
        add!(
            window_output_tokens,
            window_input_tokens,
            window_good,
            emitted_tokens
        );
        add!(
            prefilled_tokens,
            cached_tokens,
            preemptions,
            interrupted,
            lost_tokens
        );
        add!(steps, busy_ps, busy_joules);
        self.last_left_ps = self.last_left_ps.max(other.last_left_ps);
        self.peak_kv_permille = self.peak_kv_permille.max(other.peak_kv_permille);
        self.ttft.merge(&other.ttft);
        self.tpot.merge(&other.tpot);
        self.e2e.merge(&other.e2e);
        self.queue.merge(&other.queue);
        if other.series.len() > self.series.len() {
            self.series.resize(other.series.len(), SeriesBin::default());
        }
        for (mine, theirs) in self.series.iter_mut().zip(&other.series) {
            mine.arrived += theirs.arrived;
            mine.finished += theirs.finished;
            mine.output_tokens += theirs.output_tokens;
            mine.ttft_sum_s += theirs.ttft_sum_s;
        }
        if let (Some(mine), Some(theirs)) = (&mut self.outcomes, &other.outcomes) {
            mine.extend_from_slice(theirs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_tile_the_line() {
        let mut expected = 0;
        for index in 0..3000 {
            let (low, width) = bucket_range(index);
            assert_eq!(low, expected);
            assert_eq!(bucket_of(low), index);
            assert_eq!(bucket_of(low + width - 1), index);
            expected = low + width;
        }
    }

    #[test]
    fn quantiles_are_right_to_half_a_percent() {
        let mut h = Histogram::default();
        for us in 1..=100_000u64 {
            h.add_ps(us * 1_000_000);
        }
        for q in [0.01, 0.5, 0.9, 0.99, 1.0] {
            let exact = q * 0.1;
            assert!(
                (h.quantile_s(q) / exact - 1.0).abs() < 0.005,
                "{q}: {}",
                h.quantile_s(q)
            );
            assert!((h.share_within(exact) - q).abs() < 0.005);
        }
        assert!((h.mean_s() - 0.050_000_5).abs() < 1e-9);
        assert_eq!(Histogram::default().quantile_s(0.5), 0.0);
    }
}

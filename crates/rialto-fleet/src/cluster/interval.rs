//! How far a sampled run may be from the exact run of the same seed.

use serde::Serialize;

use super::cell::CellResult;
use super::outages::Standing;
use super::report::Part;
use super::run::{CellSummary, Stratum};
use crate::engine::{Histogram, Recorder, WeightedHistogram};

/// A 95 % interval for what the exact run of the same seed would give.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The estimate.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Half the interval's width over the estimate.
    #[must_use]
    pub fn relative_error(&self) -> f64 {
        if self.estimate == 0.0 {
            0.0
        } else {
            (self.high - self.low) / 2.0 / self.estimate
        }
    }

    /// True when a value lies within.
    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// Sampling error of the main figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Intervals {
    /// Requests finished a second.
    pub finished_per_s: Interval,
    /// Answer tokens a second.
    pub output_tokens_per_s: Interval,
    /// Requests a second within the objective.
    pub goodput_per_s: Interval,
    /// Median time to first token, seconds.
    pub ttft_p50_s: Interval,
    /// 99th percentile of the time to first token, seconds.
    pub ttft_p99_s: Interval,
    /// 99th percentile of the time per later token, seconds.
    pub tpot_p99_s: Interval,
    /// 99th percentile end to end, seconds.
    pub e2e_p99_s: Interval,
    /// Requests a failure interrupted.
    pub interrupted: Interval,
    /// Chip-hours provisioned. The interval has no width, and neither have the next two, unless a pool
    /// scales by load: the timetable of outages gives these figures exactly.
    pub chip_hours: Interval,
    /// Chip-hours lost to failures.
    pub down_chip_hours: Interval,
    /// Replica failures.
    pub replica_failures: Interval,
}

/// Student's t, 97.5 %, by degrees of freedom.
const T_975: [(f64, f64); 12] = [
    (1.0, 12.706),
    (2.0, 4.303),
    (3.0, 3.182),
    (4.0, 2.776),
    (5.0, 2.571),
    (6.0, 2.447),
    (8.0, 2.306),
    (10.0, 2.228),
    (15.0, 2.131),
    (30.0, 2.042),
    (60.0, 2.000),
    (f64::INFINITY, 1.960),
];

/// Student's t, 97.5 %, linear in 1/df between the table's entries (within 3 % from 1.5 on).
fn t_975(df: f64) -> f64 {
    let df = df.max(1.0);
    let above = T_975.partition_point(|(known, _)| *known <= df);
    let Some(&(high, t_high)) = T_975.get(above) else {
        return 1.960;
    };
    let (low, t_low) = T_975[above.max(1) - 1];
    let part = (1.0 / low - 1.0 / df) / (1.0 / low - 1.0 / high);
    t_low + (t_high - t_low) * part
}

/// Half the 95 % interval of a total: the variance of the stratified estimate by replicas, summed over pools,
/// with degrees of freedom by F. Satterthwaite's rule (W. Cochran, Sampling Techniques, 5.4), so
/// that a total which one stratum of a few cells decides gets the interval of a few cells.
fn half_width(parts: &[Part<'_>], value: &dyn Fn(&Part<'_>, &CellSummary) -> f64) -> f64 {
    let (mut sum, mut by_df) = (0.0, 0.0);
    for part in parts {
        for (index, stratum) in part.result.strata.iter().enumerate() {
            let Stratum {
                cells,
                replicas,
                drawn,
            } = *stratum;
            if drawn >= cells || drawn < 2.0 {
                continue;
            }
            let values: Vec<f64> = part
                .result
                .summaries
                .iter()
                .filter(|s| s.stratum as usize == index)
                .map(|s| value(part, s) * replicas / cells / s.replicas)
                .collect();
            let mean = values.iter().sum::<f64>() / drawn;
            let squares = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>();
            let variance = cells * cells * (1.0 - drawn / cells) * squares / (drawn - 1.0) / drawn;
            sum += variance;
            by_df += variance * variance / freedom(&values, mean);
        }
    }
    if sum > 0.0 {
        t_975(sum * sum / by_df) * sum.sqrt()
    } else {
        0.0
    }
}

/// Degrees of freedom of a stratum's variance: those of normal values, or fewer where one or two
/// cells stand out, since the variance of a variance grows with the kurtosis (2 s^4 / Var(s^2)).
fn freedom(values: &[f64], mean: f64) -> f64 {
    let count = values.len() as f64;
    let power = |p: i32| values.iter().map(|v| (v - mean).powi(p)).sum::<f64>();
    let kurtosis = count * power(4) / power(2).powi(2).max(f64::MIN_POSITIVE);
    (2.0 * count / (kurtosis - 1.0).max(1e-9)).min(count - 1.0)
}

/// The intervals; none when the run simulated every cell.
pub(super) fn intervals(parts: &[Part<'_>], window_s: f64) -> Option<Intervals> {
    let partial = |p: &Part<'_>| p.result.cells.0 < p.result.cells.1;
    if !parts.iter().any(partial) {
        return None;
    }
    let around = |estimate: f64, half: f64| Interval {
        estimate,
        low: (estimate - half).max(0.0),
        high: estimate + half,
    };
    let total = |of_cell: fn(&CellResult) -> f64, of_summary: fn(&CellSummary) -> f64| {
        let estimate: f64 = parts.iter().map(|p| p.result.blend.total(of_cell)).sum();
        (estimate, half_width(parts, &|_, s| of_summary(s)))
    };
    let rate = |of_cell: fn(&CellResult) -> f64, of_summary: fn(&CellSummary) -> f64| {
        let (estimate, half) = total(of_cell, of_summary);
        around(estimate / window_s, half / window_s)
    };
    let of_standing = |of: fn(&Part<'_>, &Standing) -> f64| {
        let estimate = parts.iter().map(|p| of(p, &p.standing)).sum();
        let scaled = |p: &Part<'_>, s: &CellSummary| {
            let by_load = p.pool.spec.autoscale.is_some();
            if by_load { of(p, &s.standing) } else { 0.0 }
        };
        around(estimate, half_width(parts, &scaled))
    };
    let (interrupted, half) = total(|c| c.recorder.interrupted as f64, |s| s.interrupted);
    Some(Intervals {
        finished_per_s: rate(|c| c.recorder.window_finished as f64, |s| s.finished),
        output_tokens_per_s: rate(
            |c| c.recorder.window_output_tokens as f64,
            |s| s.output_tokens,
        ),
        goodput_per_s: rate(|c| c.recorder.window_good as f64, |s| s.good),
        ttft_p50_s: quantile_interval(parts, 0.5, |r| &r.ttft, |s| &s.ttft),
        ttft_p99_s: quantile_interval(parts, 0.99, |r| &r.ttft, |s| &s.ttft),
        tpot_p99_s: quantile_interval(parts, 0.99, |r| &r.tpot, |s| &s.tpot),
        e2e_p99_s: quantile_interval(parts, 0.99, |r| &r.e2e, |s| &s.e2e),
        interrupted: around(interrupted, half),
        chip_hours: of_standing(|p, s| p.chip_hours(s.up_s + s.down_s + s.drained_s)),
        down_chip_hours: of_standing(|p, s| p.chip_hours(s.down_s)),
        replica_failures: of_standing(|_, s| s.failures),
    })
}

/// Relative error of a quantile read from a histogram, added to both ends.
const BUCKET_ERROR: f64 = 0.004;

/// Interval of a quantile by inverting that of the share below it (R. Woodruff, 1952).
fn quantile_interval(
    parts: &[Part<'_>],
    q: f64,
    of_recorder: fn(&Recorder) -> &Histogram,
    of_summary: fn(&CellSummary) -> &Histogram,
) -> Interval {
    let mut all = WeightedHistogram::default();
    for p in parts {
        all.merge(&p.result.blend.histogram(of_recorder));
    }
    let estimate = all.quantile_s(q);
    let residual = |_: &Part<'_>, s: &CellSummary| {
        let h = of_summary(s);
        h.count() as f64 * (h.share_within(estimate) - q)
    };
    let half = half_width(parts, &residual) / all.count().max(1.0);
    Interval {
        estimate,
        low: all.quantile_s(q - half) * (1.0 - BUCKET_ERROR),
        high: all.quantile_s(q + half) * (1.0 + BUCKET_ERROR),
    }
}

#[cfg(test)]
mod tests {
    use super::t_975;

    #[test]
    fn students_t_is_near_its_tables() {
        let table = [
            (1.0, 12.706),
            (2.0, 4.303),
            (2.5, 3.558),
            (3.5, 2.942),
            (7.0, 2.365),
            (12.0, 2.179),
            (20.0, 2.086),
            (120.0, 1.980),
            (1e9, 1.960),
        ];
        for (df, t) in table {
            assert!((t_975(df) / t - 1.0).abs() < 0.03, "{df}: {}", t_975(df));
        }
    }
}

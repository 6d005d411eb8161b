//! The report of a run: rates, latencies, utilisation, energy, and their sampling error.

use serde::Serialize;

use super::cell::CellResult;
use super::pool::{Fleet, Pool, TrafficSource};
use super::run::{CellSummary, Mode, PoolResult, RunResult, Stratum};
use crate::engine::{Histogram, Recorder, SeriesBin, WeightedHistogram};

/// Cell results added up, each counted as many times as the cells it stands for.
#[derive(Clone, Debug, Default)]
pub struct Blend {
    parts: Vec<(f64, CellResult)>,
}

impl Blend {
    /// Adds one cell's result with its weight.
    pub fn add(&mut self, weight: f64, cell: CellResult) {
        let Some((_, sum)) = self.parts.iter_mut().find(|(w, _)| *w == weight) else {
            self.parts.push((weight, cell));
            return;
        };
        sum.recorder.merge(&cell.recorder);
        sum.in_flight += cell.in_flight;
        sum.replicas += cell.replicas;
        sum.up_s += cell.up_s;
        sum.down_s += cell.down_s;
        sum.drained_s += cell.drained_s;
        sum.cold_s += cell.cold_s;
        sum.failures += cell.failures;
        sum.end_s = sum.end_s.max(cell.end_s);
    }

    /// The weighted sum of a figure.
    #[must_use]
    pub fn total(&self, figure: impl Fn(&CellResult) -> f64) -> f64 {
        self.parts
            .iter()
            .map(|(weight, cell)| weight * figure(cell))
            .sum()
    }

    /// The weighted distribution of a latency.
    #[must_use]
    pub fn histogram(&self, which: impl Fn(&Recorder) -> &Histogram) -> WeightedHistogram {
        let mut sum = WeightedHistogram::default();
        for (weight, cell) in &self.parts {
            sum.add(*weight, which(&cell.recorder));
        }
        sum
    }

    /// The weighted time series.
    #[must_use]
    pub fn series(&self) -> Vec<SeriesPoint> {
        let bins = self
            .parts
            .iter()
            .map(|(_, c)| c.recorder.series.len())
            .max()
            .unwrap_or(0);
        let mut points = vec![SeriesPoint::default(); bins];
        for (weight, cell) in &self.parts {
            for (point, bin) in points.iter_mut().zip(&cell.recorder.series) {
                point.add(*weight, bin);
            }
        }
        points
    }

    /// Steps and requests actually simulated, unweighted.
    #[must_use]
    pub fn simulated(&self) -> (u64, u64) {
        self.parts.iter().fold((0, 0), |(steps, requests), (_, c)| {
            (steps + c.recorder.steps, requests + c.recorder.arrived)
        })
    }

    fn end_s(&self) -> f64 {
        self.parts.iter().fold(0.0, |end, (_, c)| c.end_s.max(end))
    }
}

/// One bin of the time series, over the whole pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct SeriesPoint {
    /// Requests that arrived.
    pub arrived: f64,
    /// Requests that finished.
    pub finished: f64,
    /// Answer tokens of those.
    pub output_tokens: f64,
    /// Sum of their times to the first token, seconds.
    pub ttft_sum_s: f64,
}

impl SeriesPoint {
    fn add(&mut self, weight: f64, bin: &SeriesBin) {
        self.arrived += weight * bin.arrived as f64;
        self.finished += weight * bin.finished as f64;
        self.output_tokens += weight * bin.output_tokens as f64;
        self.ttft_sum_s += weight * bin.ttft_sum_s;
    }
}

/// A latency's distribution, seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Distribution {
    /// Mean.
    pub mean_s: f64,
    /// Median.
    pub p50_s: f64,
    /// 90th percentile.
    pub p90_s: f64,
    /// 95th percentile.
    pub p95_s: f64,
    /// 99th percentile.
    pub p99_s: f64,
}

impl Distribution {
    fn of(histogram: &WeightedHistogram) -> Self {
        Self {
            mean_s: histogram.mean_s(),
            p50_s: histogram.quantile_s(0.5),
            p90_s: histogram.quantile_s(0.9),
            p95_s: histogram.quantile_s(0.95),
            p99_s: histogram.quantile_s(0.99),
        }
    }
}

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
}

/// Figures of one pool or of all of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Totals {
    /// Replicas.
    pub replicas: f64,
    /// Chips.
    pub chips: f64,
    /// Requests that arrived.
    pub arrived: f64,
    /// Requests that finished.
    pub finished: f64,
    /// Requests turned away.
    pub rejected: f64,
    /// Requests left when nothing could finish any more.
    pub in_flight: f64,
    /// Seconds over which rates are taken.
    pub window_s: f64,
    /// Requests finished a second.
    pub finished_per_s: f64,
    /// Prompt tokens of finished requests a second.
    pub input_tokens_per_s: f64,
    /// Answer tokens of finished requests a second.
    pub output_tokens_per_s: f64,
    /// Answer tokens a second and chip.
    pub output_tokens_per_s_per_chip: f64,
    /// Requests a second that met the objective.
    pub goodput_per_s: f64,
    /// Share of finished requests that met the objective.
    pub slo_share: f64,
    /// Time to first token.
    pub ttft: Distribution,
    /// Mean time per later token.
    pub tpot: Distribution,
    /// End to end.
    pub e2e: Distribution,
    /// Wait before first being scheduled.
    pub queue: Distribution,
    /// Share of serving time spent in steps.
    pub utilisation: f64,
    /// Share of provisioned time not lost to failures or drains.
    pub availability: f64,
    /// Replica failures.
    pub replica_failures: f64,
    /// Requests a failure interrupted; each was tried again.
    pub interrupted: f64,
    /// Computed tokens lost to failures.
    pub lost_tokens: f64,
    /// Chip-hours lost to failures.
    pub down_chip_hours: f64,
    /// Chip-hours lost to planned drains.
    pub drained_chip_hours: f64,
    /// Chip-hours provisioned.
    pub chip_hours: f64,
    /// Pre-emptions.
    pub preemptions: f64,
    /// Share of prompt tokens found in a prefix cache.
    pub cached_share: f64,
    /// Most of the cache used at once on any replica, share.
    pub peak_kv_share: f64,
    /// Energy of the chips, kilowatt-hours.
    pub energy_kwh: f64,
    /// Energy per answer token, joules.
    pub joules_per_output_token: f64,
}

/// One pool's part of the report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PoolReport {
    /// Name.
    pub name: String,
    /// Model.
    pub model: String,
    /// Chip.
    pub chip: String,
    /// Parallel plan.
    pub plan: String,
    /// Traffic.
    pub traffic: String,
    /// Chips of a replica.
    pub replica_chips: u32,
    /// Objective: time to first token and per later token, seconds.
    pub slo_s: (f64, f64),
    /// Cells simulated and in all.
    pub cells: (usize, usize),
    /// Figures.
    pub totals: Totals,
    /// Sampling error; absent when every cell was simulated.
    pub intervals: Option<Intervals>,
}

/// A run's report. Every figure is a twin's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Always `modelled`: no figure here was measured.
    pub provenance: &'static str,
    /// Scenario.
    pub scenario: String,
    /// What the scenario stands for.
    pub label: String,
    /// Sources of the scenario's figures.
    pub sources: Vec<String>,
    /// Seed.
    pub seed: u64,
    /// `exact` or `sampled`.
    pub mode: &'static str,
    /// Simulated time, seconds.
    pub simulated_s: f64,
    /// Steps simulated.
    pub steps: u64,
    /// Requests simulated.
    pub requests: u64,
    /// All pools together.
    pub fleet: Totals,
    /// Sampling error of the figures of all pools together.
    pub intervals: Option<Intervals>,
    /// Pool by pool.
    pub pools: Vec<PoolReport>,
    /// Length of a bin of the series, seconds; zero when none was kept.
    pub series_bin_s: f64,
    /// Time series over all pools.
    pub series: Vec<SeriesPoint>,
}

impl Report {
    /// Sums up a run.
    #[must_use]
    pub fn new(fleet: &Fleet, result: &RunResult, mode: Mode, bin_s: f64) -> Self {
        let scenario = &fleet.scenario;
        let pairs: Vec<(&Pool, &PoolResult)> = fleet.pools.iter().zip(&result.pools).collect();
        let end_s = pairs
            .iter()
            .fold(0.0f64, |end, (_, r)| end.max(r.blend.end_s()));
        let simulated_s = scenario.duration_s.unwrap_or(end_s);
        let window_s = (simulated_s - scenario.warmup_s).max(1e-9);
        let pools = pairs
            .iter()
            .map(|(pool, r)| pool_report(pool, r, window_s))
            .collect();
        let counts = pairs.iter().map(|(_, r)| r.blend.simulated());
        let (steps, requests) = counts.fold((0, 0), |(s, n), (a, b)| (s + a, n + b));
        let mut series: Vec<SeriesPoint> = Vec::new();
        for (_, r) in &pairs {
            let points = r.blend.series();
            series.resize(series.len().max(points.len()), SeriesPoint::default());
            for (sum, point) in series.iter_mut().zip(points) {
                sum.arrived += point.arrived;
                sum.finished += point.finished;
                sum.output_tokens += point.output_tokens;
                sum.ttft_sum_s += point.ttft_sum_s;
            }
        }
        Self {
            provenance: "modelled",
            scenario: scenario.name.clone(),
            label: scenario.label.clone(),
            sources: scenario.sources.clone(),
            seed: scenario.seed,
            mode: if mode == Mode::Exact {
                "exact"
            } else {
                "sampled"
            },
            simulated_s,
            steps,
            requests,
            fleet: totals(&pairs, window_s),
            intervals: intervals(&pairs, window_s),
            pools,
            series_bin_s: bin_s,
            series,
        }
    }

    /// The distribution of a latency over all pools of a run, for plots.
    #[must_use]
    pub fn histogram(
        result: &RunResult,
        which: impl Fn(&Recorder) -> &Histogram,
    ) -> WeightedHistogram {
        let mut sum = WeightedHistogram::default();
        for pool in &result.pools {
            sum.merge(&pool.blend.histogram(&which));
        }
        sum
    }
}

fn pool_report(pool: &Pool, result: &PoolResult, window_s: f64) -> PoolReport {
    let pair = [(pool, result)];
    PoolReport {
        name: pool.spec.name.clone(),
        model: pool.spec.model.clone(),
        chip: pool.chip.name.clone(),
        plan: pool.spec.plan().to_string(),
        traffic: match &pool.traffic {
            TrafficSource::Model(m) => format!("{} at {} requests/s", m.name, m.rate_per_s),
            TrafficSource::Trace(t) => {
                format!("{} ({} requests)", pool.spec.traffic, t.requests.len())
            }
        },
        replica_chips: pool.replica_chips(),
        slo_s: (pool.slo.ttft_s, pool.slo.tpot_s),
        cells: result.cells,
        totals: totals(&pair, window_s),
        intervals: intervals(&pair, window_s),
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn totals(pairs: &[(&Pool, &PoolResult)], window_s: f64) -> Totals {
    let sum = |figure: &dyn Fn(&CellResult) -> f64| -> f64 {
        pairs.iter().map(|(_, r)| r.blend.total(figure)).sum()
    };
    // Replica-seconds times the chips of a replica, in hours.
    let chip_hours = |figure: &dyn Fn(&CellResult) -> f64| -> f64 {
        pairs
            .iter()
            .map(|(p, r)| r.blend.total(figure) * f64::from(p.replica_chips()) / 3600.0)
            .sum()
    };
    let latency = |which: fn(&Recorder) -> &Histogram| {
        let mut all = WeightedHistogram::default();
        for (_, r) in pairs {
            all.merge(&r.blend.histogram(which));
        }
        Distribution::of(&all)
    };
    let chips: f64 = pairs
        .iter()
        .map(|(p, _)| f64::from(p.spec.replicas) * f64::from(p.replica_chips()))
        .sum();
    let finished = sum(&|c| c.recorder.window_finished as f64);
    let output = sum(&|c| c.recorder.window_output_tokens as f64);
    let good = sum(&|c| c.recorder.window_good as f64);
    let busy_s = sum(&|c| c.recorder.busy_ps as f64 / 1e12);
    let (up_s, down_s) = (sum(&|c| c.up_s), sum(&|c| c.down_s));
    let drained_s = sum(&|c| c.drained_s);
    let cached = sum(&|c| c.recorder.cached_tokens as f64);
    let joules = pairs.iter().map(|(p, r)| energy_joules(p, r)).sum::<f64>();
    let peak = pairs.iter().flat_map(|(_, r)| &r.blend.parts);
    Totals {
        replicas: pairs.iter().map(|(p, _)| f64::from(p.spec.replicas)).sum(),
        chips,
        arrived: sum(&|c| c.recorder.arrived as f64),
        finished: sum(&|c| c.recorder.finished as f64),
        rejected: sum(&|c| c.recorder.rejected as f64),
        in_flight: sum(&|c| c.in_flight as f64),
        window_s,
        finished_per_s: finished / window_s,
        input_tokens_per_s: sum(&|c| c.recorder.window_input_tokens as f64) / window_s,
        output_tokens_per_s: output / window_s,
        output_tokens_per_s_per_chip: output / window_s / chips,
        goodput_per_s: good / window_s,
        slo_share: ratio(good, finished),
        ttft: latency(|r| &r.ttft),
        tpot: latency(|r| &r.tpot),
        e2e: latency(|r| &r.e2e),
        queue: latency(|r| &r.queue),
        utilisation: ratio(busy_s, up_s + drained_s).min(1.0),
        availability: ratio(up_s, up_s + down_s + drained_s),
        replica_failures: sum(&|c| c.failures as f64),
        interrupted: sum(&|c| c.recorder.interrupted as f64),
        lost_tokens: sum(&|c| c.recorder.lost_tokens as f64),
        down_chip_hours: chip_hours(&|c| c.down_s),
        drained_chip_hours: chip_hours(&|c| c.drained_s),
        chip_hours: chip_hours(&|c| c.up_s + c.down_s + c.drained_s),
        preemptions: sum(&|c| c.recorder.preemptions as f64),
        cached_share: ratio(
            cached,
            cached + sum(&|c| c.recorder.prefilled_tokens as f64),
        ),
        peak_kv_share: peak
            .map(|(_, c)| f64::from(c.recorder.peak_kv_permille) / 1000.0)
            .fold(0.0, f64::max),
        energy_kwh: joules / 3.6e6,
        joules_per_output_token: ratio(joules, sum(&|c| c.recorder.output_tokens as f64)),
    }
}

/// Energy of steps, and of waiting while powered (serving or drained).
fn energy_joules(pool: &Pool, result: &PoolResult) -> f64 {
    let idle_w = pool
        .tables
        .first()
        .map_or(0.0, crate::engine::StepTable::idle_power_w);
    result.blend.total(|c| {
        let busy_s = c.recorder.busy_ps as f64 / 1e12;
        c.recorder.busy_joules + idle_w * (c.up_s + c.drained_s - busy_s).max(0.0)
    })
}

/// Student's t, 97.5 %, by its expansion in 1/df: within 1 % from 5 degrees of freedom on.
fn t_975(df: f64) -> f64 {
    1.96 + 2.372 / df + 2.82 / (df * df) + 2.56 / (df * df * df)
}

/// Variance of the stratified estimate of a total (W. Cochran, Sampling Techniques, 5.4), summed
/// over pools, and the degrees of freedom.
fn variance(pairs: &[(&Pool, &PoolResult)], value: &dyn Fn(&CellSummary) -> f64) -> (f64, f64) {
    let (mut sum, mut df) = (0.0, 0.0);
    for (_, result) in pairs {
        for (index, stratum) in result.strata.iter().enumerate() {
            let Stratum { cells, drawn } = *stratum;
            if drawn >= cells || drawn < 2.0 {
                continue;
            }
            let values: Vec<f64> = result
                .summaries
                .iter()
                .filter(|s| s.stratum as usize == index)
                .map(value)
                .collect();
            let mean = values.iter().sum::<f64>() / drawn;
            let squares = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>();
            sum += cells * cells * (1.0 - drawn / cells) * squares / (drawn - 1.0) / drawn;
            df += drawn - 1.0;
        }
    }
    (sum, df)
}

fn intervals(pairs: &[(&Pool, &PoolResult)], window_s: f64) -> Option<Intervals> {
    let partial = |r: &PoolResult| r.cells.0 < r.cells.1;
    if !pairs.iter().any(|(_, r)| partial(r)) {
        return None;
    }
    let rate = |of_cell: fn(&CellResult) -> f64, of_summary: fn(&CellSummary) -> f64| {
        let estimate = pairs
            .iter()
            .map(|(_, r)| r.blend.total(of_cell))
            .sum::<f64>()
            / window_s;
        let (variance, df) = variance(pairs, &of_summary);
        let half = t_975(df) * variance.sqrt() / window_s;
        Interval {
            estimate,
            low: estimate - half,
            high: estimate + half,
        }
    };
    Some(Intervals {
        finished_per_s: rate(|c| c.recorder.window_finished as f64, |s| s.finished),
        output_tokens_per_s: rate(
            |c| c.recorder.window_output_tokens as f64,
            |s| s.output_tokens,
        ),
        goodput_per_s: rate(|c| c.recorder.window_good as f64, |s| s.good),
        ttft_p50_s: quantile_interval(pairs, 0.5, |r| &r.ttft, |s| &s.ttft),
        ttft_p99_s: quantile_interval(pairs, 0.99, |r| &r.ttft, |s| &s.ttft),
        tpot_p99_s: quantile_interval(pairs, 0.99, |r| &r.tpot, |s| &s.tpot),
        e2e_p99_s: quantile_interval(pairs, 0.99, |r| &r.e2e, |s| &s.e2e),
    })
}

/// Relative error of a quantile read from a histogram, added to both ends.
const BUCKET_ERROR: f64 = 0.004;

/// Interval of a quantile by inverting that of the share below it (R. Woodruff, 1952).
fn quantile_interval(
    pairs: &[(&Pool, &PoolResult)],
    q: f64,
    of_recorder: fn(&Recorder) -> &Histogram,
    of_summary: fn(&CellSummary) -> &Histogram,
) -> Interval {
    let mut all = WeightedHistogram::default();
    for (_, r) in pairs {
        all.merge(&r.blend.histogram(of_recorder));
    }
    let estimate = all.quantile_s(q);
    let residual = |s: &CellSummary| {
        let h = of_summary(s);
        h.count() as f64 * (h.share_within(estimate) - q)
    };
    let (variance, df) = variance(pairs, &residual);
    let half = t_975(df) * variance.sqrt() / all.count().max(1.0);
    Interval {
        estimate,
        low: all.quantile_s(q - half) * (1.0 - BUCKET_ERROR),
        high: all.quantile_s(q + half) * (1.0 + BUCKET_ERROR),
    }
}

//! The report of a run: rates, latencies, utilisation, energy, and their sampling error.

use serde::Serialize;

use super::cell::CellResult;
use super::interval::{Intervals, intervals};
use super::outages::Standing;
use super::pool::{Fleet, Pool, TrafficSource};
use super::run::{Mode, PoolResult, RunResult};
use super::scenario::ServingScenario;
use crate::engine::{Histogram, Recorder, SeriesBin, WeightedHistogram};
use crate::step::ForecastError;

/// How many times less or more than stated may arrive before a run is doubted.
const FAR: f64 = 1.25;
/// How many standard deviations of independent arrivals are taken for chance.
const CHANCE: f64 = 4.0;

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
    /// Requests still in flight when nothing could finish any more.
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
    /// What the chip-hours lost to failures cost, dollars, at each pool's price; absent where a
    /// pool has none.
    pub down_usd: Option<f64>,
    /// What the chip-hours lost to planned drains cost, dollars, likewise.
    pub drained_usd: Option<f64>,
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

/// What an hour of a chip costs, and by which price.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ChipPrice {
    /// Dollars an hour.
    pub usd_per_chip_hour: f64,
    /// `scenario`, or the catalogue's `on_demand`, `capacity_block`, `list`, `rent` or `tco`, the
    /// first that it has.
    pub basis: &'static str,
}

impl ChipPrice {
    fn of(pool: &Pool) -> Option<Self> {
        let chip = &pool.chip;
        let prices = [
            (pool.spec.price_usd_per_chip_hour, "scenario"),
            (chip.on_demand_usd_per_hour, "on_demand"),
            (chip.capacity_block_usd_per_hour, "capacity_block"),
            (chip.list_usd_per_hour, "list"),
            (chip.rent_usd_per_hour, "rent"),
            (chip.tco_usd_per_hour, "tco"),
        ];
        prices.into_iter().find_map(|(price, basis)| {
            price.map(|usd_per_chip_hour| Self {
                usd_per_chip_hour,
                basis,
            })
        })
    }
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
    /// What arrived a second over the simulated time.
    pub offered_per_s: f64,
    /// The mean rate that the traffic is stated at; none for a trace, which is what it is.
    pub stated_per_s: Option<f64>,
    /// Chips of a replica.
    pub replica_chips: u32,
    /// Price of a chip-hour; absent where neither scenario nor catalogue has one.
    pub price: Option<ChipPrice>,
    /// Objective: time to first token and per later token, seconds.
    pub slo_s: (f64, f64),
    /// Cells simulated and in all.
    pub cells: (usize, usize),
    /// Figures.
    pub totals: Totals,
    /// How far the model's times may be off, sampled or not.
    pub forecast_error: ForecastError,
    /// Sampling error; absent when every cell was simulated.
    pub intervals: Option<Intervals>,
}

/// A run's report. Every figure is modelled.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ServingReport {
    /// Always `modelled`: no figure here was measured.
    pub provenance: &'static str,
    /// Name of the scenario.
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

impl ServingReport {
    /// Sums up a run.
    #[must_use]
    pub fn new(fleet: &Fleet, result: &RunResult, mode: Mode, bin_s: f64) -> Self {
        let scenario = &fleet.scenario;
        let end_s = result
            .pools
            .iter()
            .fold(0.0f64, |end, r| end.max(r.blend.end_s()));
        let simulated_s = scenario.duration_s.unwrap_or(end_s);
        let pairs = fleet.pools.iter().zip(&result.pools);
        let parts: Vec<Part<'_>> = pairs
            .map(|(pool, result)| Part::new(pool, result, scenario, simulated_s))
            .collect();
        let window_s = (simulated_s - scenario.warmup_s).max(1e-9);
        let pools = parts
            .iter()
            .map(|p| pool_report(p, window_s, simulated_s))
            .collect();
        let counts = parts.iter().map(|p| p.result.blend.simulated());
        let (steps, requests) = counts.fold((0, 0), |(s, n), (a, b)| (s + a, n + b));
        let mut series: Vec<SeriesPoint> = Vec::new();
        for part in &parts {
            let points = part.result.blend.series();
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
            fleet: totals(&parts, window_s),
            intervals: intervals(&parts, window_s),
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

/// A pool, its results, and how long its replicas could serve.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    pub(super) pool: &'a Pool,
    pub(super) result: &'a PoolResult,
    pub(super) standing: Standing,
}

impl<'a> Part<'a> {
    /// The timetable of outages gives the replica time of all cells, whether or not they were simulated.
    /// Only where load decides the number of replicas does it come from the run.
    fn new(pool: &'a Pool, result: &'a PoolResult, scenario: &ServingScenario, end_s: f64) -> Self {
        let known = pool.standing(scenario.seed, scenario.horizon_ns(), end_s);
        let total = |figure: fn(&CellResult) -> f64| result.blend.total(figure);
        let standing = known.unwrap_or_else(|| Standing {
            up_s: total(|c| c.up_s),
            down_s: total(|c| c.down_s),
            drained_s: total(|c| c.drained_s),
            failures: total(|c| c.failures as f64),
        });
        Self {
            pool,
            result,
            standing,
        }
    }

    /// The chips of a replica, for each second of it, in chip-hours.
    pub(super) fn chip_hours(&self, replica_s: f64) -> f64 {
        replica_s * f64::from(self.pool.replica_chips()) / 3600.0
    }
}

fn pool_report(part: &Part<'_>, window_s: f64, simulated_s: f64) -> PoolReport {
    let (pool, parts) = (part.pool, [*part]);
    let totals = totals(&parts, window_s);
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
        offered_per_s: ratio(totals.arrived, simulated_s),
        stated_per_s: match &pool.traffic {
            TrafficSource::Model(m) => Some(m.rate_per_s),
            TrafficSource::Trace(_) => None,
        },
        replica_chips: pool.replica_chips(),
        price: ChipPrice::of(pool),
        slo_s: (pool.slo.ttft_s, pool.slo.tpot_s),
        cells: part.result.cells,
        totals,
        forecast_error: pool.forecast_error.clone(),
        intervals: intervals(&parts, window_s),
    }
}

impl PoolReport {
    /// A doubt about a run in which much less or more arrived than is stated: the traffic's shape has
    /// troughs and peaks, and a short run lies in one of them.
    #[must_use]
    pub fn out_of_the_mean(&self) -> Option<String> {
        let stated = self.stated_per_s?;
        let part = ratio(self.offered_per_s, stated);
        let expected = ratio(self.totals.arrived, part);
        let by_chance = (self.totals.arrived - expected).abs() < CHANCE * expected.sqrt();
        if by_chance || (1.0 / FAR..=FAR).contains(&part) {
            return None;
        }
        let (place, times) = match part < 1.0 {
            true => ("trough", format!("{:.0} %", part * 100.0)),
            false => ("peak", format!("{part:.1} times")),
        };
        Some(format!(
            "{}: {:.0} requests/s arrived, {times} of the {stated:.0} that are stated: the run is short and \
             lies in a {place} of the traffic's shape; simulate longer for its mean",
            self.name, self.offered_per_s
        ))
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn totals(parts: &[Part<'_>], window_s: f64) -> Totals {
    let sum = |figure: &dyn Fn(&CellResult) -> f64| -> f64 {
        parts.iter().map(|p| p.result.blend.total(figure)).sum()
    };
    let standing =
        |figure: fn(&Standing) -> f64| -> f64 { parts.iter().map(|p| figure(&p.standing)).sum() };
    let chip_hours = |figure: fn(&Standing) -> f64| -> f64 {
        let of = |p: &Part<'_>| p.chip_hours(figure(&p.standing));
        parts.iter().map(of).sum()
    };
    let usd = |figure: fn(&Standing) -> f64| -> Option<f64> {
        let of = |p: &Part<'_>| {
            let price = ChipPrice::of(p.pool)?.usd_per_chip_hour;
            Some(p.chip_hours(figure(&p.standing)) * price)
        };
        parts.iter().map(of).sum()
    };
    let latency = |which: fn(&Recorder) -> &Histogram| {
        let mut all = WeightedHistogram::default();
        for p in parts {
            all.merge(&p.result.blend.histogram(which));
        }
        Distribution::of(&all)
    };
    let replicas = |p: &Part<'_>| f64::from(p.pool.spec.replicas);
    let chips: f64 = parts
        .iter()
        .map(|p| replicas(p) * f64::from(p.pool.replica_chips()))
        .sum();
    let finished = sum(&|c| c.recorder.window_finished as f64);
    let output = sum(&|c| c.recorder.window_output_tokens as f64);
    let good = sum(&|c| c.recorder.window_good as f64);
    let busy_s = sum(&|c| c.recorder.busy_ps as f64 / 1e12);
    let (up_s, down_s) = (standing(|s| s.up_s), standing(|s| s.down_s));
    let drained_s = standing(|s| s.drained_s);
    let cached = sum(&|c| c.recorder.cached_tokens as f64);
    let joules = parts.iter().map(energy_joules).sum::<f64>();
    let peak = parts.iter().flat_map(|p| &p.result.blend.parts);
    Totals {
        replicas: parts.iter().map(replicas).sum(),
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
        replica_failures: standing(|s| s.failures),
        interrupted: sum(&|c| c.recorder.interrupted as f64),
        lost_tokens: sum(&|c| c.recorder.lost_tokens as f64),
        down_chip_hours: chip_hours(|s| s.down_s),
        drained_chip_hours: chip_hours(|s| s.drained_s),
        down_usd: usd(|s| s.down_s),
        drained_usd: usd(|s| s.drained_s),
        chip_hours: chip_hours(|s| s.up_s + s.down_s + s.drained_s),
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
fn energy_joules(part: &Part<'_>) -> f64 {
    let idle_w = part
        .pool
        .tables
        .first()
        .map_or(0.0, crate::engine::StepTable::idle_power_w);
    let blend = &part.result.blend;
    let busy_s = blend.total(|c| c.recorder.busy_ps as f64 / 1e12);
    let powered_s = part.standing.up_s + part.standing.drained_s;
    blend.total(|c| c.recorder.busy_joules) + idle_w * (powered_s - busy_s).max(0.0)
}

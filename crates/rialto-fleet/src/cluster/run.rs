//! Runs a scenario: every cell, or a stratified sample of them.
//!
//! Given the seed, cells are independent, so the result does not depend on the number of threads: cells may
//! be simulated in any order, but their results are added in a fixed one. In the sampled mode the cells of
//! a pool are ordered by impairment (which of their replicas fail during the run, then how much of them is
//! down, drained or slow; known without simulating). The most impaired are simulated with certainty, up to
//! half of the draw, because they make the tails; where there are more, about a quarter of the draw goes to
//! the most impaired and the rest of that half to the less impaired. A stratum never mixes cells that have
//! a slow or failing replica with cells that have none; the latter form a stratum of their own.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::cell::{CellResult, CellSettings, simulate_cell};
use super::outages::Standing;
use super::pool::{Fleet, Pool, TrafficSource};
use super::report::Blend;
use crate::engine::{Histogram, Outcome};
use crate::rng::Rng;

/// How much of the fleet is simulated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// Every cell.
    Exact,
    /// About this share of each pool's cells, at least eight of them.
    Sampled {
        /// Share of cells, above 0 and at most 1.
        share: f64,
    },
}

/// Settings of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunOptions {
    /// Exact or sampled.
    pub mode: Mode,
    /// Threads to use, at least 1.
    pub threads: usize,
    /// Length of a bin of the time series, seconds; zero for none.
    pub bin_s: f64,
    /// Whether to keep every request's outcome (memory: some 130 bytes each).
    pub keep_outcomes: bool,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            mode: Mode::Exact,
            threads: 1,
            bin_s: 0.0,
            keep_outcomes: false,
        }
    }
}

/// What a sampled cell contributes to the error estimate.
#[derive(Clone, Debug)]
pub(super) struct CellSummary {
    pub(super) stratum: u32,
    pub(super) replicas: f64,
    pub(super) finished: f64,
    pub(super) output_tokens: f64,
    pub(super) good: f64,
    pub(super) interrupted: f64,
    pub(super) standing: Standing,
    pub(super) ttft: Histogram,
    pub(super) tpot: Histogram,
    pub(super) e2e: Histogram,
}

/// A stratum of a pool: cells in all, their replicas, cells drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stratum {
    pub(super) cells: f64,
    pub(super) replicas: f64,
    pub(super) drawn: f64,
}

/// The results of one pool.
#[derive(Clone, Debug, Default)]
pub struct PoolResult {
    /// Outcomes of the cells simulated, with the number of cells each stands for.
    pub blend: Blend,
    /// Cells simulated and in all.
    pub cells: (usize, usize),
    pub(super) strata: Vec<Stratum>,
    pub(super) summaries: Vec<CellSummary>,
    /// Every outcome, when kept, in order of finish within each cell.
    pub outcomes: Vec<Outcome>,
}

/// The results of the whole run, pool by pool.
#[derive(Clone, Debug, Default)]
pub struct RunResult {
    /// Results in the order of the scenario's pools.
    pub pools: Vec<PoolResult>,
}

/// A cell to simulate.
#[derive(Clone, Copy, Debug)]
struct Task {
    pool: usize,
    cell: usize,
    stratum: u32,
    weight: f64,
}

/// Runs a fleet. `progress` is called with the number of simulated cells done and to do.
pub fn run(
    fleet: &Fleet,
    options: &RunOptions,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> RunResult {
    let seed = fleet.scenario.seed;
    let nanos = |seconds: f64| (seconds * 1e9) as u64;
    let settings = CellSettings {
        seed,
        horizon_ns: fleet.scenario.horizon_ns(),
        warmup_ns: nanos(fleet.scenario.warmup_s),
        bin_ns: nanos(options.bin_s),
        keep_outcomes: options.keep_outcomes,
        count_late: false,
        misses_allowed: u64::MAX,
    };
    let mut result = RunResult::default();
    let mut tasks = Vec::new();
    for (index, pool) in fleet.pools.iter().enumerate() {
        let strata = plan(pool, index, options.mode, &settings, &mut tasks);
        let cells = tasks.iter().filter(|t| t.pool == index).count();
        let cells = (cells, pool.cells.len());
        result.pools.push(PoolResult {
            strata,
            cells,
            ..PoolResult::default()
        });
    }
    let done = AtomicUsize::new(0);
    let total = tasks.len();
    let sampled = matches!(options.mode, Mode::Sampled { .. });
    let tick = || progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
    let threads = options.threads.max(1);
    for chunk in tasks.chunks(CHUNK * threads) {
        let cells = simulate_chunk(fleet, chunk, &settings, threads, &tick);
        for (task, cell) in chunk.iter().zip(cells) {
            collect(&mut result.pools[task.pool], task, cell, sampled);
        }
    }
    result
}

/// The most requests that a run may be expected to simulate; they take hours on a few cores.
pub const MAX_REQUESTS: f64 = 5e9;

/// Requests that a run is expected to simulate: generated ones by their rate over the run, recorded ones by
/// their number; for a sample, its share of them.
#[must_use]
pub fn expected_requests(fleet: &Fleet, mode: Mode) -> f64 {
    let of_pool = |pool: &Pool| {
        let share = drawn(pool, mode) as f64 / pool.cells.len().max(1) as f64;
        let requests = match &pool.traffic {
            TrafficSource::Model(model) => {
                model.rate_per_s * fleet.scenario.duration_s.unwrap_or(0.0)
            }
            TrafficSource::Trace(trace) => trace.requests.len() as f64,
        };
        share * requests
    };
    fleet.pools.iter().map(of_pool).sum()
}

/// Cells a thread simulates before results are added up; bounds memory.
const CHUNK: usize = 256;

fn collect(pool: &mut PoolResult, task: &Task, mut cell: CellResult, sampled: bool) {
    if let Some(outcomes) = cell.recorder.outcomes.take() {
        pool.outcomes.extend(outcomes);
    }
    if sampled {
        let r = &cell.recorder;
        pool.summaries.push(CellSummary {
            stratum: task.stratum,
            replicas: f64::from(cell.replicas),
            finished: r.window_finished as f64,
            output_tokens: r.window_output_tokens as f64,
            good: r.window_good as f64,
            interrupted: r.interrupted as f64,
            standing: Standing {
                up_s: cell.up_s,
                down_s: cell.down_s,
                drained_s: cell.drained_s,
                failures: cell.failures as f64,
            },
            ttft: r.ttft.clone(),
            tpot: r.tpot.clone(),
            e2e: r.e2e.clone(),
        });
    }
    pool.blend.add(task.weight, cell);
}

fn simulate_chunk(
    fleet: &Fleet,
    chunk: &[Task],
    settings: &CellSettings,
    threads: usize,
    tick: &(dyn Fn() + Sync),
) -> Vec<CellResult> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, CellResult)>> = Mutex::new(Vec::with_capacity(chunk.len()));
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(task) = chunk.get(index) else { return };
            let cell = simulate_cell(&fleet.pools[task.pool], task.cell, settings);
            tick();
            if let Ok(mut done) = done.lock() {
                done.push((index, cell));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(chunk.len()) {
            scope.spawn(work);
        }
        work();
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, cell)| cell).collect()
}

/// Fewest cells drawn from a pool.
const MIN_DRAWN: usize = 12;

/// Cells drawn from a stratum of impaired cells, about.
const DRAWN_OF_A_STRATUM: usize = 4;

/// How many cells of a pool are simulated.
fn drawn(pool: &Pool, mode: Mode) -> usize {
    let all = pool.cells.len();
    match mode {
        Mode::Exact => all,
        Mode::Sampled { share } => ((all as f64 * share).ceil() as usize)
            .max(MIN_DRAWN)
            .min(all),
    }
}

/// Chooses the cells of a pool and their weights.
fn plan(
    pool: &Pool,
    index: usize,
    mode: Mode,
    settings: &CellSettings,
    tasks: &mut Vec<Task>,
) -> Vec<Stratum> {
    let all = pool.cells.len();
    let drawn = drawn(pool, mode);
    if drawn == all || all < 4 {
        let task = |cell| Task {
            pool: index,
            cell,
            stratum: 0,
            weight: 1.0,
        };
        tasks.extend((0..all).map(task));
        return vec![Stratum {
            cells: all as f64,
            replicas: pool.cells.iter().map(|r| f64::from(*r)).sum(),
            drawn: all as f64,
        }];
    }
    let mut failing = 0;
    let mut order: Vec<(bool, f64, usize)> = Vec::with_capacity(all);
    for cell in 0..all {
        let (failures, score) = pool.impairment(cell, settings.seed, settings.horizon_ns);
        failing += usize::from(failures > 0);
        order.push((failures > 0, score, cell));
    }
    order.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
    let impaired = order.iter().filter(|(_, score, _)| *score > 0.0).count();
    let healthy = all - impaired;
    // As many of the impaired as half the draw are taken whole. Of more, half as many, or all that
    // have a failure if that leaves two draws for the rest, which share strata. A group of one
    // cell is too small to draw two from, and is taken whole as well.
    let half = drawn / 2;
    let mut certain = if impaired <= half {
        impaired
    } else {
        failing.clamp(half / 2, half - 2)
    };
    if impaired - certain == 1 {
        certain += 1;
    }
    let mut draw = Draw {
        pool: index,
        sizes: &pool.cells,
        order: &order,
        rng: Rng::keyed(settings.seed, &[pool.stream, 0x7361_6d70]),
        strata: Vec::new(),
        tasks,
    };
    let lesser = impaired - certain;
    let for_lesser = if lesser > 0 {
        half.saturating_sub(certain)
    } else {
        0
    };
    let left = drawn.saturating_sub(certain + for_lesser);
    draw.some(0..healthy, 1, left);
    draw.some(
        healthy..all - certain,
        (for_lesser / DRAWN_OF_A_STRATUM).max(1),
        for_lesser,
    );
    draw.whole(all - certain..all);
    draw.strata
}

/// The cells of a pool, from the least to the most impaired, and what was drawn from them.
struct Draw<'a> {
    pool: usize,
    /// Replicas of each cell.
    sizes: &'a [u32],
    order: &'a [(bool, f64, usize)],
    rng: Rng,
    strata: Vec<Stratum>,
    tasks: &'a mut Vec<Task>,
}

impl Draw<'_> {
    /// Cuts a range of the order into `strata` of equal size and draws `count` cells in all, as
    /// many from each. What is drawn stands for the replicas of its stratum: cells meet traffic in
    /// proportion to theirs, and a cell of one more would count too much (ratio estimate; W.
    /// Cochran, Sampling Techniques, 6).
    fn some(&mut self, range: std::ops::Range<usize>, strata: usize, count: usize) {
        let all = range.len();
        let each = count.div_ceil(strata.max(1)).max(2);
        if all <= each * strata {
            return self.whole(range);
        }
        for stratum in 0..strata {
            let (from, to) = (stratum * all / strata, (stratum + 1) * all / strata);
            let mut places: Vec<usize> = (range.start + from..range.start + to).collect();
            for i in 0..each {
                let other = i + self.rng.below((places.len() - i) as u64) as usize;
                places.swap(i, other);
            }
            let replicas = self.replicas(&places);
            let weight = replicas / self.replicas(&places[..each]);
            for place in &places[..each] {
                self.take(*place, weight);
            }
            self.strata.push(Stratum {
                cells: places.len() as f64,
                replicas,
                drawn: each as f64,
            });
        }
    }

    /// Takes every cell of a range of the order.
    fn whole(&mut self, range: std::ops::Range<usize>) {
        let places: Vec<usize> = range.collect();
        for place in &places {
            self.take(*place, 1.0);
        }
        self.strata.push(Stratum {
            cells: places.len() as f64,
            replicas: self.replicas(&places),
            drawn: places.len() as f64,
        });
    }

    fn replicas(&self, places: &[usize]) -> f64 {
        let of = |place: &usize| f64::from(self.sizes[self.order[*place].2]);
        places.iter().map(of).sum()
    }

    fn take(&mut self, place: usize, weight: f64) {
        self.tasks.push(Task {
            pool: self.pool,
            cell: self.order[place].2,
            stratum: self.strata.len() as u32,
            weight,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;
    use crate::cluster::{PoolSpec, ServingScenario, TrafficSource};
    use crate::step::{Parameters, Plan};
    use crate::traffic::TrafficModel;

    #[test]
    fn what_is_drawn_stands_for_every_replica_of_cells_of_unequal_size() {
        // 131 cells, of 31 and of 32 replicas.
        let chip = ("llama3.1-8b", "h100_sxm");
        let mut spec = PoolSpec::new("p", chip.0, chip.1, Plan::SINGLE, 4168, "azure-conv");
        spec.cell_replicas = Some(32);
        spec.rate_per_s = Some(10.0);
        let mut scenario = ServingScenario::of_pool("test".into(), spec);
        scenario.duration_s = Some(60.0);
        let model = TrafficModel::shipped("azure-conv").unwrap().unwrap();
        let traffic = [("azure-conv".to_owned(), TrafficSource::Model(model))].into();
        let catalogue = Catalogue::shipped().unwrap();
        let parameters = Parameters::shipped().unwrap();
        let fleet = Fleet::build("test", "", &scenario, &catalogue, &parameters, &traffic).unwrap();
        let pool = &fleet.pools[0];
        for seed in 0..10 {
            let settings = CellSettings {
                seed,
                horizon_ns: 60_000_000_000,
                warmup_ns: 0,
                bin_ns: 1_000_000_000,
                keep_outcomes: false,
                count_late: false,
                misses_allowed: u64::MAX,
            };
            let mut tasks = Vec::new();
            let mode = Mode::Sampled { share: 0.05 };
            plan(pool, 0, mode, &settings, &mut tasks);
            assert!(tasks.len() < pool.cells.len() / 5, "{}", tasks.len());
            let stand_for = |t: &Task| t.weight * f64::from(pool.cells[t.cell]);
            let replicas: f64 = tasks.iter().map(stand_for).sum();
            assert!((replicas - 4168.0).abs() < 1e-6, "seed {seed}: {replicas}");
        }
    }
}

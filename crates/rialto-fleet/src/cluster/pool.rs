//! Makes a pool ready to run: checks the deployment, compiles the step times, loads the traffic.

use std::collections::HashMap;

use super::faults::{Faults, Topology};
use super::outages::Why;
use super::scenario::{PoolSpec, ScenarioError, ServingScenario};
use crate::catalogue::{Catalogue, Chip};
use crate::engine::{BLOCK_TOKENS, EngineConfig, Replica, Slo, StepTable};
use crate::rng::{key, mix64};
use crate::step::{Deployment, Engine, ForecastError, Parameters, Speculation, StepModel};
use crate::traffic::{PrefixTable, Request, Trace, TrafficModel};

/// Tokens a prefix block holds where the traffic itself does not say.
pub const GENERATED_BLOCK_TOKENS: u32 = 512;

/// Traffic as loaded.
#[derive(Clone, Debug)]
pub enum TrafficSource {
    /// A generator.
    Model(TrafficModel),
    /// A recorded trace.
    Trace(Trace),
}

/// A pool ready to run.
#[derive(Clone, Debug)]
pub struct Pool {
    /// As written.
    pub spec: PoolSpec,
    /// The chip.
    pub chip: Chip,
    /// Identifies the pool's random streams: by its traffic, and by its number among the pools with that
    /// traffic. It contains no name, so renaming pools, traffic, models or chips changes no draw.
    pub stream: u64,
    /// Scheduler settings.
    pub config: EngineConfig,
    /// Step times of healthy replicas, then of stragglers.
    pub tables: Vec<StepTable>,
    /// How far the step times may be off.
    pub forecast_error: ForecastError,
    /// Objective.
    pub slo: Slo,
    /// Where its chips sit.
    pub topology: Topology,
    /// What fails.
    pub faults: Faults,
    /// Most tokens the model takes, prompt and answer together.
    pub max_context_tokens: u32,
    /// What arrives.
    pub traffic: TrafficSource,
    /// Prefix hashes of the traffic.
    pub prefixes: PrefixTable,
    /// Cache bytes a token takes, moved between replicas under disaggregation.
    pub kv_bytes_per_token: f64,
    /// Replicas of each cell.
    pub cells: Vec<u32>,
}

impl Pool {
    /// Chips of one replica.
    #[must_use]
    pub fn replica_chips(&self) -> u32 {
        self.topology.replica_chips
    }

    /// True when the request can ever be served: the model takes its context, and a replica's
    /// cache holds it.
    #[must_use]
    pub fn admits(&self, request: &Request) -> bool {
        let context = u64::from(request.input_tokens) + u64::from(request.output_tokens);
        context <= u64::from(self.max_context_tokens) && Replica::fits(&self.config, request)
    }

    /// Only the first cell of the same pool, with another number of replicas in cells of at most
    /// `cell_replicas`. The pool's traffic stays the same, and the cell gets its share of it. Even for a
    /// large pool, no list of its cells is built.
    #[must_use]
    pub fn first_cell(&self, replicas: u32, cell_replicas: u32) -> Self {
        let replicas = replicas.max(1);
        let cells = replicas.div_ceil(cell_replicas.max(1));
        let mut pool = self.clone();
        pool.spec.replicas = replicas;
        pool.spec.cell_replicas = Some(cell_replicas.clamp(1, replicas));
        pool.cells = vec![replicas / cells];
        pool
    }

    /// The same pool with times `z` standard deviations above the forecast, by
    /// [`ForecastError::factors_at`]. Every step is longer by the error of the time per token. If the error
    /// of the time to first token is larger, its limit is tightened by the rest.
    #[must_use]
    pub fn at_error(&self, z: f64) -> Self {
        let (ttft, tpot) = self.forecast_error.factors_at(z);
        let mut pool = self.clone();
        pool.tables = self.tables.iter().map(|t| t.slower(tpot)).collect();
        pool.slo.ttft_s *= tpot / ttft;
        pool
    }

    /// The last arrival of the trace that is replayed, nanoseconds; zero for generated traffic.
    #[must_use]
    pub fn trace_end_ns(&self) -> u64 {
        match &self.traffic {
            TrafficSource::Model(_) => 0,
            TrafficSource::Trace(trace) => trace.requests.last().map_or(0, |r| r.arrival_ns),
        }
    }

    /// End of fault histories, nanoseconds: the horizon, or for a trace that is replayed to its end, twice
    /// its length plus an hour.
    #[must_use]
    pub fn fault_horizon_ns(&self, horizon_ns: u64) -> u64 {
        match &self.traffic {
            TrafficSource::Model(_) => horizon_ns,
            TrafficSource::Trace(_) => horizon_ns.min(2 * self.trace_end_ns() + 3_600_000_000_000),
        }
    }

    /// How impaired a cell is, for each of its replicas: the failures during the run; and these plus the
    /// replicas that are down, drained or slow, averaged over the run.
    #[must_use]
    pub fn impairment(&self, cell: usize, seed: u64, horizon_ns: u64) -> (u32, f64) {
        if self.faults.none() && self.spec.drain.is_empty() {
            return (0, 0.0);
        }
        let horizon_ns = self.fault_horizon_ns(horizon_ns);
        let first = self.first_replica(cell);
        let (mut failures, mut lost) = (0, 0.0);
        for (outages, replica) in self.outages(seed, cell, horizon_ns).iter().zip(first..) {
            let slow = self.faults.is_straggler(seed, self.stream, replica);
            lost += f64::from(u8::from(slow));
            for o in outages.iter().filter(|o| o.start_ns < horizon_ns) {
                failures += u32::from(o.start_ns > 0 && o.why == Why::Failed);
                lost += (o.end_ns.min(horizon_ns) - o.start_ns) as f64 / horizon_ns as f64;
            }
        }
        let score = (f64::from(failures) + lost) / f64::from(self.cells[cell]);
        (failures, score)
    }

    /// Number of the cell's first replica in the pool.
    #[must_use]
    pub fn first_replica(&self, cell: usize) -> u64 {
        u64::from(self.spec.replicas) * cell as u64 / self.cells.len() as u64
    }
}

/// A scenario ready to run.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// The scenario.
    pub scenario: ServingScenario,
    /// Its pools.
    pub pools: Vec<Pool>,
}

impl Fleet {
    /// Makes a scenario ready. `traffic` maps the pools' traffic names to what was loaded for
    /// them; `file` and `text` are the scenario's, for errors.
    ///
    /// # Errors
    /// Unknown names, plans that do not fit, traffic that is missing or makes no sense.
    pub fn build(
        file: &str,
        text: &str,
        scenario: &ServingScenario,
        catalogue: &Catalogue,
        parameters: &Parameters,
        traffic: &HashMap<String, TrafficSource>,
    ) -> Result<Self, ScenarioError> {
        let mut pools = Vec::with_capacity(scenario.pool.len());
        let mut contents: Vec<u64> = Vec::new();
        for (index, spec) in scenario.pool.iter().enumerate() {
            let mut pool = build_pool(scenario, spec, catalogue, parameters, traffic).map_err(
                |(field, message)| {
                    let path = format!("pool[{index}].{field}");
                    ServingScenario::error(file, text, &path, &message)
                },
            )?;
            let content = traffic_key(&pool.traffic);
            let alike = contents.iter().filter(|other| **other == content).count();
            contents.push(content);
            pool.stream = key(&[content, alike as u64]);
            pools.push(pool);
        }
        Ok(Self {
            scenario: scenario.clone(),
            pools,
        })
    }

    /// Chips in all pools.
    #[must_use]
    pub fn chips(&self) -> u64 {
        self.pools
            .iter()
            .map(|p| u64::from(p.spec.replicas) * u64::from(p.replica_chips()))
            .sum()
    }
}

type FieldError = (&'static str, String);

/// The deployment a pool's fields describe.
///
/// # Errors
/// The field at fault and what is wrong with it.
pub fn deployment(spec: &PoolSpec, catalogue: &Catalogue) -> Result<Deployment, FieldError> {
    let at =
        |field: &'static str| move |e: crate::catalogue::CatalogueError| (field, e.to_string());
    let chip = catalogue.chip(&spec.chip).map_err(at("chip"))?;
    let model = catalogue.model(&spec.model).map_err(at("model"))?;
    let precision = catalogue
        .precision(&spec.precision)
        .map_err(at("precision"))?;
    let mut deployment = Deployment::new(
        chip,
        model,
        precision,
        spec.plan(),
        Engine::named(&spec.engine),
    )
    .map_err(|e| ("tensor", e.to_string()))?;
    if let Some(name) = &spec.node {
        let node = catalogue.node(name).map_err(at("node"))?;
        let node_chip = catalogue.chip(&node.chip).map_err(at("node"))?;
        if node_chip.name != chip.name {
            let message = format!("{} holds {}, not {}", node.name, node_chip.name, chip.name);
            return Err(("node", message));
        }
        let fabric = catalogue.fabric(&node.fabric).map_err(at("node"))?;
        deployment = deployment.on_node(node, fabric);
    }
    if let Some(share) = spec.memory_share {
        deployment = deployment
            .with_memory_share(share)
            .map_err(|e| ("memory_share", e.to_string()))?;
    }
    if let Some(s) = &spec.speculation {
        let draft = match &s.draft {
            Some(name) => Some(
                catalogue
                    .model(name)
                    .map_err(at("speculation.draft"))?
                    .clone(),
            ),
            None => None,
        };
        let speculation = Speculation {
            draft_tokens: s.draft_tokens,
            acceptance: s.acceptance,
            draft,
        };
        deployment = deployment
            .with_speculation(speculation)
            .map_err(|e| ("speculation", e.to_string()))?;
    }
    Ok(deployment)
}

fn build_pool(
    scenario: &ServingScenario,
    spec: &PoolSpec,
    catalogue: &Catalogue,
    parameters: &Parameters,
    traffic: &HashMap<String, TrafficSource>,
) -> Result<Pool, FieldError> {
    let deployment = deployment(spec, catalogue)?;
    let step = StepModel::new(&deployment, parameters);
    let kv_blocks = step.kv_capacity_tokens() / u64::from(BLOCK_TOKENS);
    if kv_blocks == 0 {
        return Err((
            "tensor",
            "no memory is left for a cache beside the weights".into(),
        ));
    }
    let verified = spec.speculation.as_ref().map_or(1, |s| 1 + s.draft_tokens);
    let table = |slow: f64| StepTable::compile(&step, spec.max_sequences, verified, slow);
    let mut tables = vec![table(1.0)];
    if scenario.faults.straggler_share > 0.0 {
        tables.push(table(scenario.faults.straggler_slowdown));
    }
    let source = traffic
        .get(&spec.traffic)
        .ok_or_else(|| ("traffic", format!("`{}` was not loaded", spec.traffic)))?;
    let (traffic, prefixes) = ready_traffic(scenario, spec, source)?;
    let node = spec.node.as_ref().and_then(|n| catalogue.node(n).ok());
    let slo = spec.slo.unwrap_or(scenario.slo);
    Ok(Pool {
        spec: spec.clone(),
        chip: deployment.chip.clone(),
        stream: 0,
        config: EngineConfig {
            max_sequences: spec.max_sequences,
            token_budget: spec.token_budget,
            kv_blocks,
            max_waiting: spec.max_waiting,
            prefix_cache: spec.prefix_cache,
        },
        tables,
        forecast_error: ForecastError::of(
            parameters,
            &deployment.chip,
            f64::from(spec.max_sequences),
            spec.disaggregate.is_some(),
        ),
        slo: Slo {
            ttft_s: slo.ttft_s,
            tpot_s: slo.tpot_s,
        },
        topology: Topology {
            replica_chips: spec.plan().chips(),
            node_chips: node.map_or(deployment.scaleup_domain_chips.min(16), |n| n.chips),
            rack_chips: deployment.scaleup_domain_chips,
        },
        faults: scenario.faults.clone(),
        max_context_tokens: deployment.model.max_context_tokens,
        traffic,
        prefixes,
        kv_bytes_per_token: step.kv_bytes_per_token(),
        cells: cells_of(spec),
    })
}

/// A key that identifies traffic by its content, independent of its name and rate.
fn traffic_key(traffic: &TrafficSource) -> u64 {
    match traffic {
        TrafficSource::Model(model) => {
            let lengths = &model.lengths;
            let rows = std::iter::once(&lengths.input_tokens).chain(&lengths.output_tokens);
            let figures = [
                model.curve_bin_s,
                model.burst_window_s,
                model.burst_cv2,
                model.batch_s,
            ];
            let sessions = model.sessions.as_ref().map_or([0.0; 3], |s| {
                [s.turns_mean, s.turn_gap_s, s.turn_tokens_mean]
            });
            let all = figures
                .iter()
                .chain(&sessions)
                .chain(&model.curve)
                .chain(rows.flatten());
            all.fold(1, |sum, figure| key(&[sum, figure.to_bits()]))
        }
        TrafficSource::Trace(trace) => trace.requests.iter().fold(2, |sum, r| {
            let tokens = u64::from(r.input_tokens) << 32 | u64::from(r.output_tokens);
            mix64(sum ^ tokens)
        }),
    }
}

/// Traffic at the pool's rate: generators are scaled, traces compressed or stretched in time.
fn ready_traffic(
    scenario: &ServingScenario,
    spec: &PoolSpec,
    source: &TrafficSource,
) -> Result<(TrafficSource, PrefixTable), FieldError> {
    match source {
        TrafficSource::Model(model) => {
            if scenario.duration_s.is_none() {
                let message = "generated traffic never ends; give the scenario a duration_s";
                return Err(("traffic", message.into()));
            }
            let rate = spec.rate_per_s.unwrap_or(model.rate_per_s);
            let model = model.clone().at_rate(rate);
            model
                .validate()
                .map_err(|e| ("traffic", format!("{}: {e}", spec.traffic)))?;
            let prefixes = PrefixTable::new(GENERATED_BLOCK_TOKENS, Vec::new());
            Ok((TrafficSource::Model(model), prefixes))
        }
        TrafficSource::Trace(trace) => {
            let mut trace = trace.clone();
            if let Some(rate) = spec.rate_per_s {
                let recorded = trace.requests.len() as f64 / trace.duration_s().max(1e-9);
                for request in &mut trace.requests {
                    request.arrival_ns = (request.arrival_ns as f64 * recorded / rate) as u64;
                }
            }
            let prefixes = trace.prefixes.clone();
            Ok((TrafficSource::Trace(trace), prefixes))
        }
    }
}

/// Spreads replicas evenly over as few cells as the size of a cell allows.
fn cells_of(spec: &PoolSpec) -> Vec<u32> {
    let size = spec.cell_replicas.unwrap_or(spec.replicas).max(1);
    let count = spec.replicas.div_ceil(size);
    (0..count)
        .map(|i| {
            let upto = |n: u32| (u64::from(spec.replicas) * u64::from(n) / u64::from(count)) as u32;
            upto(i + 1) - upto(i)
        })
        .collect()
}

//! Scenario files: pools of replicas, their traffic, faults and objective, in TOML.
//!
//! Holds the form of the file and its checks. Errors name file, line and field.

use serde::{Deserialize, Serialize};

use super::faults::Faults;
use super::route::Policy;
use crate::catalogue::{Catalogue, Chip};
use crate::echo::{bounded, number};
use crate::place::{self, line_at};
use crate::step::Plan;

/// What is wrong with a scenario, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}, field `{field}`: {message}")]
pub struct ScenarioError {
    /// The file's name as the caller gave it.
    pub file: String,
    /// Line number, from 1.
    pub line: usize,
    /// Path of the field, such as `pool[2].chip`.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// The largest number of chips in a scenario.
pub const MAX_CHIPS: u64 = 16_777_216;

/// A service-level objective.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SloSpec {
    /// Most time to the first token, seconds.
    pub ttft_s: f64,
    /// Most mean time per later token, seconds.
    pub tpot_s: f64,
}

impl Default for SloSpec {
    fn default() -> Self {
        Self {
            ttft_s: 2.0,
            tpot_s: 0.1,
        }
    }
}

/// Scaling of a cell by the load it sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Autoscale {
    /// Fewest replicas of a cell.
    pub min_replicas: u32,
    /// Requests in flight per replica that the scaler aims at.
    pub target_outstanding: f64,
    /// Seconds between decisions.
    pub interval_s: f64,
    /// Seconds until a new replica serves.
    pub startup_s: f64,
}

/// Disaggregation: some replicas compute prompts, others answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disaggregate {
    /// Replicas of a cell that compute prompts; the rest decode.
    pub prefill_replicas: u32,
    /// Bandwidth at which one request's cache moves, 10^9 bytes a second.
    pub transfer_gb_s: f64,
    /// Latency of the move, milliseconds.
    pub transfer_latency_ms: f64,
}

/// Speculative decoding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpeculationSpec {
    /// Tokens drafted before each step.
    pub draft_tokens: u32,
    /// Probability that a drafted token is accepted.
    pub acceptance: f64,
    /// Name of the draft model; none for a prediction layer inside the model.
    pub draft: Option<String>,
}

/// A planned drain: some replicas finish the requests that run and then stop serving for a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drain {
    /// Start, seconds.
    pub at_s: f64,
    /// Length, seconds.
    pub duration_s: f64,
    /// Share of the pool's replicas.
    pub share: f64,
}

/// Replicas of one model on one kind of chip with one plan, and the traffic they get.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolSpec {
    /// Name, unique in the scenario.
    pub name: String,
    /// Model in the catalogue.
    pub model: String,
    /// Chip in the catalogue.
    pub chip: String,
    /// Node in the catalogue; absent, the chip's largest scale-up domain.
    pub node: Option<String>,
    /// Number format in the catalogue.
    #[serde(default = "default_precision")]
    pub precision: String,
    /// Serving engine, as the calibration knows it.
    #[serde(default = "default_engine")]
    pub engine: String,
    /// Tensor-parallel degree.
    #[serde(default = "one")]
    pub tensor: u32,
    /// Pipeline stages.
    #[serde(default = "one")]
    pub pipeline: u32,
    /// Expert-parallel degree.
    #[serde(default = "one")]
    pub expert: u32,
    /// Attention data-parallel degree.
    #[serde(default = "one")]
    pub data: u32,
    /// Replicas in all.
    pub replicas: u32,
    /// Replicas that share a router; absent, all of them.
    pub cell_replicas: Option<u32>,
    /// Routing policy.
    #[serde(default)]
    pub routing: Policy,
    /// A shipped traffic model's name, or a file: a trace or a traffic model.
    pub traffic: String,
    /// Requests a second over the whole pool; absent, as recorded or fitted.
    pub rate_per_s: Option<f64>,
    /// Price of a chip-hour, dollars, for the cost of failures and drains; if absent, the catalogue's.
    pub price_usd_per_chip_hour: Option<f64>,
    /// Most sequences that run at once on a replica.
    #[serde(default = "default_sequences")]
    pub max_sequences: u32,
    /// Most tokens in a step.
    #[serde(default = "default_budget")]
    pub token_budget: u32,
    /// Most requests that wait at a replica.
    #[serde(default = "default_waiting")]
    pub max_waiting: u32,
    /// Whether prompts share cached prefixes.
    #[serde(default = "yes")]
    pub prefix_cache: bool,
    /// Share of memory for weights and cache.
    pub memory_share: Option<f64>,
    /// Objective of this pool; absent, the scenario's.
    pub slo: Option<SloSpec>,
    /// Speculative decoding.
    pub speculation: Option<SpeculationSpec>,
    /// Separate replicas for prefill and decode.
    pub disaggregate: Option<Disaggregate>,
    /// Autoscaling.
    pub autoscale: Option<Autoscale>,
    /// Planned drains.
    #[serde(default)]
    pub drain: Vec<Drain>,
}

fn default_precision() -> String {
    "bf16".to_owned()
}
fn default_engine() -> String {
    "vllm".to_owned()
}
fn one() -> u32 {
    1
}
fn default_sequences() -> u32 {
    256
}
fn default_budget() -> u32 {
    2048
}
fn default_waiting() -> u32 {
    4096
}
fn yes() -> bool {
    true
}

impl PoolSpec {
    /// The parallel plan.
    #[must_use]
    pub fn plan(&self) -> Plan {
        Plan {
            tensor: self.tensor,
            pipeline: self.pipeline,
            expert: self.expert,
            data: self.data,
        }
    }

    /// The same pool under another parallel plan.
    #[must_use]
    pub fn with_plan(mut self, plan: Plan) -> Self {
        (self.tensor, self.pipeline) = (plan.tensor, plan.pipeline);
        (self.expert, self.data) = (plan.expert, plan.data);
        self
    }

    /// The same pool with the usual engine of its chip: for AWS chips AWS's own engine, since the
    /// calibration has data for no other; for other chips the engine stays.
    #[must_use]
    pub fn with_usual_engine(mut self, catalogue: &Catalogue) -> Self {
        let aws = |c: &Chip| c.vendor.eq_ignore_ascii_case("aws");
        if catalogue.chip(&self.chip).is_ok_and(aws) {
            "neuron".clone_into(&mut self.engine);
        }
        self
    }

    /// A pool with default settings.
    #[must_use]
    pub fn new(
        name: &str,
        model: &str,
        chip: &str,
        plan: Plan,
        replicas: u32,
        traffic: &str,
    ) -> Self {
        Self {
            name: name.to_owned(),
            model: model.to_owned(),
            chip: chip.to_owned(),
            node: None,
            precision: default_precision(),
            engine: default_engine(),
            tensor: plan.tensor,
            pipeline: plan.pipeline,
            expert: plan.expert,
            data: plan.data,
            replicas,
            cell_replicas: None,
            routing: Policy::default(),
            traffic: traffic.to_owned(),
            rate_per_s: None,
            price_usd_per_chip_hour: None,
            max_sequences: default_sequences(),
            token_budget: default_budget(),
            max_waiting: default_waiting(),
            prefix_cache: true,
            memory_share: None,
            slo: None,
            speculation: None,
            disaggregate: None,
            autoscale: None,
            drain: Vec::new(),
        }
    }
}

/// A whole scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServingScenario {
    /// Name.
    pub name: String,
    /// What it stands for; printed with every figure.
    #[serde(default)]
    pub label: String,
    /// Where its figures come from.
    #[serde(default)]
    pub sources: Vec<String>,
    /// Seed of every random draw.
    #[serde(default)]
    pub seed: u64,
    /// Simulated time, seconds; absent, until a trace is done.
    pub duration_s: Option<f64>,
    /// Time left out of latencies and throughput, seconds.
    #[serde(default)]
    pub warmup_s: f64,
    /// Objective of pools that state none.
    #[serde(default)]
    pub slo: SloSpec,
    /// Failures and stragglers.
    #[serde(default)]
    pub faults: Faults,
    /// The pools.
    #[serde(default)]
    pub pool: Vec<PoolSpec>,
}

impl ServingScenario {
    /// A scenario of one pool without faults, run until its trace is done.
    #[must_use]
    pub fn of_pool(name: String, pool: PoolSpec) -> Self {
        Self {
            name,
            label: String::new(),
            sources: Vec::new(),
            seed: 0,
            duration_s: None,
            warmup_s: 0.0,
            slo: SloSpec::default(),
            faults: Faults::default(),
            pool: vec![pool],
        }
    }

    /// End of arrivals, nanoseconds; `u64::MAX` when a trace decides.
    #[must_use]
    pub fn horizon_ns(&self) -> u64 {
        self.duration_s.map_or(u64::MAX, |s| (s * 1e9) as u64)
    }

    /// Reads and checks a scenario.
    ///
    /// # Errors
    /// The first field that is malformed, unknown or makes no sense.
    pub fn parse(file: &str, text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = place::read_toml(text).map_err(|misfit| ScenarioError {
            file: file.to_owned(),
            line: misfit.line.unwrap_or_else(|| locate(text, &misfit.field)),
            field: misfit.field,
            message: misfit.message,
        })?;
        scenario
            .check()
            .map_err(|(field, message)| error_at(file, text, &field, &message))?;
        Ok(scenario)
    }

    /// The error for a field found wrong after parsing, with the line it stands on.
    #[must_use]
    pub fn error(file: &str, text: &str, field: &str, message: &str) -> ScenarioError {
        error_at(file, text, field, message)
    }

    /// Checks every figure; returns the field and a message for the first that makes no sense.
    ///
    /// # Errors
    /// See above.
    pub fn check(&self) -> Result<(), (String, String)> {
        let at_least = |value: f64, low: f64, field: &str| {
            let ok = value.is_finite() && value >= low;
            let problem = || {
                (
                    field.to_owned(),
                    format!("{} is below {low} or no number", number(value)),
                )
            };
            if ok { Ok(()) } else { Err(problem()) }
        };
        if let Some(duration_s) = self.duration_s {
            between(duration_s, 1e-3, 366.0 * 86_400.0, "duration_s")?;
            between(self.warmup_s, 0.0, duration_s, "warmup_s")?;
        }
        at_least(self.warmup_s, 0.0, "warmup_s")?;
        check_slo(&self.slo, "slo")?;
        self.check_faults()?;
        if self.pool.is_empty() {
            return Err(("pool".into(), "the scenario has no [[pool]]".into()));
        }
        let mut chips = 0u64;
        for (index, pool) in self.pool.iter().enumerate() {
            let path = format!("pool[{index}]");
            check_pool(pool, &path)?;
            chips += u64::from(pool.replicas) * u64::from(pool.plan().chips());
            if self.pool[..index].iter().any(|p| p.name == pool.name) {
                return Err((format!("{path}.name"), format!("`{}` is taken", pool.name)));
            }
        }
        if chips > MAX_CHIPS {
            return Err(("pool".into(), format!("{chips} chips is above {MAX_CHIPS}")));
        }
        Ok(())
    }

    fn check_faults(&self) -> Result<(), (String, String)> {
        let f = &self.faults;
        for (mtbf, mttr, name) in [
            (f.chip_mtbf_h, f.chip_mttr_h, "chip"),
            (f.node_mtbf_h, f.node_mttr_h, "node"),
            (f.rack_mtbf_h, f.rack_mttr_h, "rack"),
        ] {
            if let Some(mtbf) = mtbf {
                between(mtbf, 1e-3, 1e9, &format!("faults.{name}_mtbf_h"))?;
            }
            between(mttr, 0.0, 1e6, &format!("faults.{name}_mttr_h"))?;
        }
        between(f.restart_s, 0.0, 1e6, "faults.restart_s")?;
        between(f.straggler_share, 0.0, 1.0, "faults.straggler_share")?;
        let slowest = if f.straggler_share > 0.0 { 1.0 } else { 0.0 };
        between(
            f.straggler_slowdown,
            slowest,
            100.0,
            "faults.straggler_slowdown",
        )
    }
}

fn between(value: f64, low: f64, high: f64, field: &str) -> Result<(), (String, String)> {
    if value.is_finite() && value >= low && value <= high {
        return Ok(());
    }
    Err((
        field.to_owned(),
        format!(
            "{} is not between {low} and {high}; check its unit",
            number(value)
        ),
    ))
}

fn check_slo(slo: &SloSpec, path: &str) -> Result<(), (String, String)> {
    between(slo.ttft_s, 1e-6, 3600.0, &format!("{path}.ttft_s"))?;
    between(slo.tpot_s, 1e-6, 60.0, &format!("{path}.tpot_s"))
}

fn check_pool(pool: &PoolSpec, path: &str) -> Result<(), (String, String)> {
    let field = |name: &str| format!("{path}.{name}");
    between(
        f64::from(pool.replicas),
        1.0,
        MAX_CHIPS as f64,
        &field("replicas"),
    )?;
    if let Some(cell) = pool.cell_replicas {
        between(
            f64::from(cell),
            1.0,
            f64::from(pool.replicas),
            &field("cell_replicas"),
        )?;
    }
    if let Some(rate) = pool.rate_per_s {
        between(rate, 1e-9, 1e9, &field("rate_per_s"))?;
    }
    if let Some(price) = pool.price_usd_per_chip_hour {
        between(price, 0.0, 1e4, &field("price_usd_per_chip_hour"))?;
    }
    between(
        f64::from(pool.max_sequences),
        1.0,
        4096.0,
        &field("max_sequences"),
    )?;
    between(f64::from(pool.max_waiting), 1.0, 1e7, &field("max_waiting"))?;
    let drafts = pool
        .speculation
        .as_ref()
        .map_or(0, |s| s.draft_tokens.min(64));
    let least = u64::from(pool.max_sequences) * u64::from(1 + drafts) + 1;
    if u64::from(pool.token_budget) < least {
        let message = format!(
            "{} leaves no room for prompts beside max_sequences decoding sequences; use at least {least}",
            pool.token_budget
        );
        return Err((field("token_budget"), message));
    }
    if let Some(slo) = &pool.slo {
        check_slo(slo, &field("slo"))?;
    }
    if let Some(a) = &pool.autoscale {
        let cell = f64::from(pool.cell_replicas.unwrap_or(pool.replicas));
        between(
            f64::from(a.min_replicas),
            1.0,
            cell,
            &field("autoscale.min_replicas"),
        )?;
        between(
            a.target_outstanding,
            1e-3,
            1e6,
            &field("autoscale.target_outstanding"),
        )?;
        between(a.interval_s, 0.1, 86_400.0, &field("autoscale.interval_s"))?;
        between(a.startup_s, 0.0, 86_400.0, &field("autoscale.startup_s"))?;
        if pool.disaggregate.is_some() {
            let message = "autoscaling and disaggregation cannot be combined in one pool";
            return Err((field("autoscale"), message.into()));
        }
    }
    if let Some(d) = &pool.disaggregate {
        let cell = f64::from(pool.cell_replicas.unwrap_or(pool.replicas));
        let name = field("disaggregate.prefill_replicas");
        between(f64::from(d.prefill_replicas), 1.0, cell - 1.0, &name)?;
        between(
            d.transfer_gb_s,
            1e-3,
            1e5,
            &field("disaggregate.transfer_gb_s"),
        )?;
        between(
            d.transfer_latency_ms,
            0.0,
            1e5,
            &field("disaggregate.transfer_latency_ms"),
        )?;
    }
    for (index, drain) in pool.drain.iter().enumerate() {
        let name = |n: &str| format!("{path}.drain[{index}].{n}");
        between(drain.at_s, 0.0, 1e9, &name("at_s"))?;
        between(drain.duration_s, 0.0, 1e9, &name("duration_s"))?;
        between(drain.share, 0.0, 1.0, &name("share"))?;
    }
    Ok(())
}

fn error_at(file: &str, text: &str, field: &str, message: &str) -> ScenarioError {
    ScenarioError {
        file: file.to_owned(),
        line: locate(text, field),
        field: bounded(field).into_owned(),
        message: bounded(message).into_owned(),
    }
}

/// The line of a field path such as `pool[2].slo.ttft_s`, or that of its nearest parent.
fn locate(text: &str, path: &str) -> usize {
    let Ok(root) = toml::de::DeTable::parse(text) else {
        return 1;
    };
    let mut offset = 0;
    let mut table = Some(root.get_ref());
    let mut array = None;
    for step in path.split(['.', '[', ']']).filter(|s| !s.is_empty()) {
        let found: Option<&toml::Spanned<toml::de::DeValue<'_>>> = match step.parse::<usize>() {
            Ok(index) => array
                .take()
                .and_then(|a: &toml::de::DeArray<'_>| a.get(index)),
            Err(_) => {
                let entry = table.and_then(|t| t.iter().find(|(k, _)| k.get_ref() == step));
                if let Some((key, _)) = entry {
                    offset = key.span().start;
                }
                entry.map(|(_, value)| value)
            }
        };
        let Some(value) = found else { break };
        table = value.get_ref().as_table();
        array = value.get_ref().as_array();
        if step.parse::<usize>().is_ok() {
            offset = value.span().start;
        }
    }
    line_at(text, offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"name = "two"
duration_s = 60
[faults]
chip_mtbf_h = 50000
[[pool]]
name = "a"
model = "llama3.1-8b"
chip = "h100_sxm"
replicas = 4
traffic = "azure-conv"
[[pool]]
name = "b"
model = "llama3.1-8b"
chip = "trainium2"
replicas = 4
traffic = "azure-conv"
rate_per_s = 2.5
"#;

    #[test]
    fn a_good_file_parses_with_defaults() {
        let s = ServingScenario::parse("s.toml", GOOD).unwrap();
        assert_eq!(s.pool.len(), 2);
        assert_eq!(s.pool[0].routing, Policy::PowerOfTwo);
        assert_eq!(s.pool[1].rate_per_s, Some(2.5));
    }

    #[test]
    fn errors_name_line_and_field() {
        let table = [
            (
                "rate_per_s = 2.5",
                "rate_per_s = -1",
                17,
                "pool[1].rate_per_s",
            ),
            (
                "rate_per_s = 2.5",
                "rate_per_s = \"fast\"",
                17,
                "pool[1].rate_per_s",
            ),
            ("rate_per_s = 2.5", "speed = 1", 17, "pool[1].speed"),
            ("rate_per_s = 2.5", "tensor = -1", 17, "pool[1].tensor"),
            ("rate_per_s = 2.5", "tensor = 1e9", 17, "pool[1].tensor"),
            ("duration_s = 60", "duration_s = 0", 2, "duration_s"),
            ("duration_s = 60", "duration_ms = 60", 2, "duration_ms"),
            ("name = \"b\"", "name = \"a\"", 12, "pool[1].name"),
            (
                "chip_mtbf_h = 50000",
                "chip_mtbf_h = -3",
                4,
                "faults.chip_mtbf_h",
            ),
            (
                "rate_per_s = 2.5",
                "max_sequences = 4000",
                11,
                "pool[1].token_budget",
            ),
            (
                "chip = \"trainium2\"\nreplicas = 4",
                "chip = \"trainium2\"\nreplicas = 0",
                15,
                "pool[1].replicas",
            ),
        ];
        for (from, to, line, field) in table {
            let error = ServingScenario::parse("s.toml", &GOOD.replace(from, to)).unwrap_err();
            assert_eq!((error.line, error.field.as_str()), (line, field), "{error}");
        }
        let empty = ServingScenario::parse("s.toml", "name = \"x\"").unwrap_err();
        assert_eq!(empty.field, "pool");
    }
}

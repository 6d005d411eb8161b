//! The roofline of one engine step.
//!
//! A step moves weights and cache through memory, multiplies, and exchanges activations between
//! chips. Weights and cache overlap with arithmetic, so the larger of the two counts; collectives
//! and launch overheads come on top. Pipeline stages work on `pipeline` micro-batches at a time, so
//! a step of the whole batch takes as long as all layers take on one micro-batch, times the number
//! of micro-batches over the number of stages.

use serde::Serialize;

use super::{Deployment, Efficiency, Parameters};
use crate::catalogue::{Attention, Precision};
use crate::units::{Joules, Nanos};

/// What one step works on, summed over the whole replica.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct StepLoad {
    /// Prompt tokens computed in this step (cached prefix tokens are not among them).
    pub prefill_tokens: u32,
    /// Sequences those tokens belong to.
    pub prefill_sequences: u32,
    /// Sum over those tokens of the tokens each attends to; see [`StepLoad::prefill_context`].
    pub prefill_context_tokens: u64,
    /// Sequences that decode in this step.
    pub decode_sequences: u32,
    /// Sum of their context lengths.
    pub decode_context_tokens: u64,
}

impl StepLoad {
    /// Sum of tokens attended to by `tokens` prompt tokens that follow `start` earlier ones.
    #[must_use]
    pub fn prefill_context(start: u64, tokens: u64) -> u64 {
        tokens * start + tokens * (tokens + 1) / 2
    }

    /// A step that decodes `sequences` sequences of `context` tokens each.
    #[must_use]
    pub fn decode(sequences: u32, context: u64) -> Self {
        Self {
            decode_sequences: sequences,
            decode_context_tokens: u64::from(sequences) * context,
            ..Self::default()
        }
    }

    /// A step that computes `sequences` whole prompts of `tokens` tokens each.
    #[must_use]
    pub fn prefill(sequences: u32, tokens: u32) -> Self {
        Self {
            prefill_tokens: sequences * tokens,
            prefill_sequences: sequences,
            prefill_context_tokens: u64::from(sequences)
                * Self::prefill_context(0, u64::from(tokens)),
            ..Self::default()
        }
    }

    /// True when there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.prefill_tokens == 0 && self.decode_sequences == 0
    }
}

/// The terms of one step, seconds on one chip; overlap is not yet taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct StepTerms {
    /// Reading weights.
    pub weights_s: f64,
    /// Reading the cache.
    pub cache_s: f64,
    /// Multiplying.
    pub compute_s: f64,
    /// Exchanging activations: bytes over links.
    pub link_s: f64,
    /// Exchanging activations: latency of collectives.
    pub collective_s: f64,
    /// Launching kernels, scheduling, sampling.
    pub overhead_s: f64,
}

impl StepTerms {
    /// The time the step takes, seconds.
    #[must_use]
    pub fn total_s(&self) -> f64 {
        (self.weights_s + self.cache_s).max(self.compute_s)
            + self.link_s
            + self.collective_s
            + self.overhead_s
    }
}

/// Computes the time of steps of one deployment. Everything that does not depend on the load is
/// worked out once.
#[derive(Debug, Clone)]
pub struct StepModel {
    efficiency: Efficiency,
    fixed_weight_s: f64,
    expert_weight_s: f64,
    miss_rate_ln: f64,
    cache_s_per_token: f64,
    window_s_per_sequence: f64,
    compute_s_per_token: f64,
    head_s_per_sequence: f64,
    attention_s_per_context: f64,
    link_s_per_token: f64,
    collective_s: f64,
    overhead_s: f64,
    data: f64,
    pipeline: f64,
    verified_tokens: f64,
    tokens_per_step: f64,
    draft_factor: f64,
    kv_bytes_per_token: f64,
    kv_capacity_tokens: u64,
    chips: f64,
    tdp_w: f64,
}

/// Power drawn by an idle accelerator over its design power, and by one at full load.
/// Source: order of magnitude of published inference power traces (Patel et al., POLCA, 2023).
const IDLE_POWER_SHARE: f64 = 0.25;
/// Power drawn when memory or compute is fully busy, over design power.
const BUSY_POWER_SHARE: f64 = 0.85;
/// Design power assumed for a chip that publishes none, watts.
const UNKNOWN_TDP_W: f64 = 700.0;

impl StepModel {
    /// Works out the load-independent parts of a deployment's step time.
    #[must_use]
    pub fn new(deployment: &Deployment, parameters: &Parameters) -> Self {
        let efficiency = parameters.efficiency(deployment);
        let d = deployment;
        let memory = d.chip.memory_bytes_per_second() * efficiency.memory;
        let verified = d.speculation.as_ref().map_or(1.0, |s| 1.0 + f64::from(s.draft_tokens));
        let split = f64::from(d.kv_split());
        let bytes = WeightBytes::of(d);
        let flops = d.chip.flops(d.precision.compute).0 * efficiency.compute;
        let links = Links::of(d, &efficiency);
        Self {
            efficiency,
            fixed_weight_s: bytes.fixed / memory,
            expert_weight_s: bytes.experts / memory,
            miss_rate_ln: miss_rate_ln(d),
            cache_s_per_token: d.model.kv_bytes_per_token(&d.precision) / split / memory,
            window_s_per_sequence: window_bytes(d) / split / memory,
            compute_s_per_token: token_flops(d) / f64::from(d.plan.tensor) / flops,
            head_s_per_sequence: 2.0 * d.model.head_params() / f64::from(d.plan.tensor) / flops,
            attention_s_per_context: attention_flops(d) / f64::from(d.plan.tensor) / flops,
            link_s_per_token: links.s_per_token,
            collective_s: links.latency_s,
            overhead_s: 1e-6
                * (efficiency.step_us + efficiency.layer_us * f64::from(d.model.layers)),
            data: f64::from(d.plan.data),
            pipeline: f64::from(d.plan.pipeline),
            verified_tokens: verified,
            tokens_per_step: d.speculation.as_ref().map_or(1.0, super::Speculation::tokens_per_step),
            draft_factor: draft_factor(d),
            kv_bytes_per_token: d.kv_bytes_per_token(),
            kv_capacity_tokens: d.kv_capacity_tokens(),
            chips: f64::from(d.plan.chips()),
            tdp_w: d.chip.tdp_w.unwrap_or(UNKNOWN_TDP_W),
        }
    }

    /// The terms of one step before overlap.
    #[must_use]
    pub fn terms(&self, load: &StepLoad) -> StepTerms {
        if load.is_empty() {
            return StepTerms::default();
        }
        // Work of one data-parallel rank in one micro-batch; times `pipeline` micro-batches.
        let share = 1.0 / (self.data * self.pipeline);
        let decode = f64::from(load.decode_sequences) * self.verified_tokens * share;
        let prefill = f64::from(load.prefill_tokens) * share;
        let sequences = (f64::from(load.prefill_sequences) * share) + decode;
        let tokens = decode + prefill;
        let touched = 1.0 - libm::exp(self.miss_rate_ln * tokens * self.data);
        let context = load.decode_context_tokens as f64 * share;
        let attended = load.prefill_context_tokens as f64 * share + context * self.verified_tokens;
        StepTerms {
            weights_s: self.fixed_weight_s + self.expert_weight_s * touched,
            cache_s: self.cache_s_per_token * context
                + self.window_s_per_sequence * f64::from(load.decode_sequences) * share,
            compute_s: self.compute_s_per_token * tokens
                + self.head_s_per_sequence * sequences
                + self.attention_s_per_context * attended,
            link_s: self.link_s_per_token * tokens,
            collective_s: self.collective_s,
            overhead_s: self.overhead_s + 1e-6 * self.efficiency.sequence_us * sequences,
        }
    }

    /// The time of one step of the whole replica. With pipeline stages this is the time for every
    /// sequence of the load to advance by one step. Zero for an empty load.
    #[must_use]
    pub fn step_time(&self, load: &StepLoad) -> Nanos {
        Nanos::from_secs_f64(self.step_seconds(load))
    }

    /// [`StepModel::step_time`] in seconds, unrounded.
    #[must_use]
    pub fn step_seconds(&self, load: &StepLoad) -> f64 {
        let drafts = if load.decode_sequences > 0 { self.draft_factor } else { 1.0 };
        self.terms(load).total_s() * drafts
    }

    /// Tokens one decode step is expected to yield per sequence: 1 without speculation.
    #[must_use]
    pub fn tokens_per_decode_step(&self) -> f64 {
        self.tokens_per_step
    }

    /// Cache bytes of one token over the chips that hold it.
    #[must_use]
    pub fn kv_bytes_per_token(&self) -> f64 {
        self.kv_bytes_per_token
    }

    /// Tokens of context the replica can keep.
    #[must_use]
    pub fn kv_capacity_tokens(&self) -> u64 {
        self.kv_capacity_tokens
    }

    /// Energy of the replica's chips over one step: idle power plus the busy share of the rest.
    #[must_use]
    pub fn energy(&self, load: &StepLoad) -> Joules {
        let terms = self.terms(load);
        let total = terms.total_s();
        if total <= 0.0 {
            return Joules(0.0);
        }
        let memory = (terms.weights_s + terms.cache_s) * self.efficiency.memory;
        let compute = terms.compute_s * self.efficiency.compute;
        let busy = (memory.max(compute) / total).min(1.0);
        let share = IDLE_POWER_SHARE + (BUSY_POWER_SHARE - IDLE_POWER_SHARE) * busy;
        Joules(self.tdp_w * self.chips * share * self.step_seconds(load))
    }

    /// Energy of the replica's chips while they wait.
    #[must_use]
    pub fn idle_energy(&self, time: Nanos) -> Joules {
        Joules(self.tdp_w * self.chips * IDLE_POWER_SHARE * time.as_secs_f64())
    }
}

/// Bytes of weights one chip reads when every stage has run once.
struct WeightBytes {
    fixed: f64,
    experts: f64,
}

impl WeightBytes {
    fn of(d: &Deployment) -> Self {
        let (m, p) = (&d.model, &d.precision);
        let layers = f64::from(m.layers);
        let moe_layers = f64::from(m.moe_layer_count());
        let linear = layers * m.attention_params_per_layer()
            + f64::from(m.dense_layer_count()) * m.dense_ffn_params_per_layer()
            + moe_layers * m.shared_params_per_layer();
        let experts = m.moe.as_ref().map_or(0.0, |moe| f64::from(moe.experts)) * m.expert_params();
        let tensor = f64::from(d.plan.tensor);
        Self {
            fixed: (linear * p.linear_bits + m.head_params() * p.head_bits) / 8.0 / tensor,
            experts: experts * moe_layers * p.expert_bits / 8.0 / f64::from(d.plan.stage_chips()),
        }
    }
}

/// Logarithm of the chance that one token does not visit a given expert.
fn miss_rate_ln(d: &Deployment) -> f64 {
    d.model.moe.as_ref().map_or(0.0, |moe| {
        let share = f64::from(moe.active) / f64::from(moe.experts);
        libm::log(1.0 - share.min(0.999_999))
    })
}

/// Operations of one token in everything but attention scores and the output head.
fn token_flops(d: &Deployment) -> f64 {
    2.0 * (d.model.params_active() - d.model.head_params())
}

/// Operations of one token per token it attends to, over the layers with full attention.
fn attention_flops(d: &Deployment) -> f64 {
    let width = match d.model.attention {
        Attention::Grouped { heads, head_dim, .. } => f64::from(heads) * 2.0 * f64::from(head_dim),
        Attention::Latent { heads, nope_dim, rope_dim, v_dim, .. } => {
            f64::from(heads) * f64::from(nope_dim + rope_dim + v_dim)
        }
    };
    2.0 * width * f64::from(d.model.full_attention_layers())
}

/// Cache bytes a sequence reads in layers that look back on a window.
fn window_bytes(d: &Deployment) -> f64 {
    let layers = d.model.layers.saturating_sub(d.model.full_attention_layers());
    let values = d.model.kv_values_per_layer() * f64::from(d.model.window_tokens());
    f64::from(layers) * values * kv_bytes_per_value(&d.precision)
}

fn kv_bytes_per_value(precision: &Precision) -> f64 {
    precision.kv_bits / 8.0
}

/// How much longer a decode step takes with its drafts than without.
fn draft_factor(d: &Deployment) -> f64 {
    let Some(speculation) = &d.speculation else { return 1.0 };
    let per_draft = match &speculation.draft {
        Some(draft) => draft.params_active() / d.model.params_active(),
        None => 1.0 / f64::from(d.model.layers),
    };
    1.0 + f64::from(speculation.draft_tokens) * per_draft
}

/// What exchanging activations costs.
struct Links {
    s_per_token: f64,
    latency_s: f64,
}

impl Links {
    /// Two all-reduces a layer for tensor parallelism, dispatch and combine for spread experts, one
    /// hop a stage for pipelines; at the scale-up rate inside the domain, at the fabric's beyond.
    fn of(d: &Deployment, e: &Efficiency) -> Self {
        let plan = &d.plan;
        let layers = f64::from(d.model.layers);
        let activation = f64::from(d.model.hidden) * 2.0;
        let inside = plan.stage_chips() <= d.scaleup_domain_chips;
        let rate = if inside { d.chip.scaleup_gb_s } else { d.chip.scaleout_gb_s } * 1e9 * e.link;
        let latency = if inside { e.collective_us } else { e.collective_us + d.fabric_latency_us };
        let t = f64::from(plan.tensor);
        let mut bytes = 2.0 * layers * activation * 2.0 * (t - 1.0) / t;
        let mut collectives = if plan.tensor > 1 { 2.0 * layers } else { 0.0 };
        if let Some(moe) = d.model.moe.as_ref().filter(|_| plan.data > 1) {
            let moe_layers = f64::from(d.model.moe_layer_count());
            let group = f64::from(plan.expert.max(2));
            let visited = f64::from(moe.active).min(group) * (group - 1.0) / group;
            bytes += 2.0 * moe_layers * activation * visited;
            collectives += 2.0 * moe_layers;
        }
        let hops = f64::from(plan.pipeline - 1);
        Self {
            s_per_token: (bytes + hops * activation) / rate,
            latency_s: (collectives + hops) * latency * 1e-6,
        }
    }
}

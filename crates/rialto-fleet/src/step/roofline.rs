//! The roofline of one engine step: what each part would cost at the chip's published peaks.
//!
//! A step reads weights and cache, multiplies, exchanges activations between chips, and pays for launching
//! kernels and handling sequences. Each part is a term; the calibration says how far from its peak each
//! term runs ([`super::Parameters`]), and [`overlap`] which of them overlap with others and take no extra
//! time. Pipeline stages work on `pipeline` micro-batches at a time, so a step of the whole batch takes as
//! long as one micro-batch needs through all layers.

use serde::Serialize;

use super::{Deployment, Engine};
use crate::catalogue::{Attention, Compute, Model};

/// One part of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Term {
    /// Reading weights that every step reads.
    Weights,
    /// Reading the experts that the step's tokens visit.
    Experts,
    /// Reading the key-value cache.
    Cache,
    /// Multiplying for decoded tokens.
    Compute,
    /// Multiplying for prompt tokens.
    Prefill,
    /// Moving activations over links.
    Link,
    /// Scheduling, once a step.
    Fixed,
    /// Launching the kernels of every layer.
    Layers,
    /// Latency of collectives.
    Collectives,
    /// Handling on the host, for every sequence of a data-parallel rank.
    Sequences,
}

/// All terms, in the order of every array of them.
pub const TERMS: [Term; 10] = [
    Term::Weights,
    Term::Experts,
    Term::Cache,
    Term::Compute,
    Term::Prefill,
    Term::Link,
    Term::Fixed,
    Term::Layers,
    Term::Collectives,
    Term::Sequences,
];

impl Term {
    /// The term's name in parameter files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Weights => "weights",
            Self::Experts => "experts",
            Self::Cache => "cache",
            Self::Compute => "compute",
            Self::Prefill => "prefill",
            Self::Link => "link",
            Self::Fixed => "fixed",
            Self::Layers => "layers",
            Self::Collectives => "collectives",
            Self::Sequences => "sequences",
        }
    }

    /// True for terms that no published peak bounds: an ideal engine pays nothing for them.
    #[must_use]
    pub fn is_overhead(self) -> bool {
        matches!(
            self,
            Self::Fixed | Self::Layers | Self::Collectives | Self::Sequences
        )
    }
}

impl Term {
    /// True for what the host does while the device computes.
    fn is_on_host(self) -> bool {
        matches!(self, Self::Fixed | Self::Sequences)
    }
}

/// Keeps of the calibrated terms, in the order of [`TERMS`], only those that the step waits for; they add
/// up to its time. Kernels read memory while they multiply, so the slower of the two counts (roofline;
/// Williams, Waterman and Patterson, 2009). Engines prepare the next step on the host while the device
/// computes, so of host and device, too, only the slower counts.
pub fn overlap(terms: &mut [f64]) {
    let [
        weights,
        experts,
        cache,
        compute,
        prefill,
        link,
        fixed,
        layers,
        collectives,
        sequences,
    ] = terms
    else {
        return;
    };
    if *weights + *experts + *cache >= *compute + *prefill {
        (*compute, *prefill) = (0.0, 0.0);
    } else {
        (*weights, *experts, *cache) = (0.0, 0.0, 0.0);
    }
    let kernels = *weights + *experts + *cache + *compute + *prefill;
    let device = kernels + *link + *layers + *collectives;
    if device >= *fixed + *sequences {
        (*fixed, *sequences) = (0.0, 0.0);
    } else {
        for (seconds, _) in terms.iter_mut().zip(TERMS).filter(|(_, t)| !t.is_on_host()) {
            *seconds = 0.0;
        }
    }
}

/// What a step works on, possibly an average over many steps, summed over the replica.
#[derive(Debug, Clone, Copy, Default)]
pub struct MeanLoad {
    /// Prompt tokens computed.
    pub prefill_tokens: f64,
    /// Prompts that they belong to.
    pub prefill_sequences: f64,
    /// Tokens that the prompts attend to, as [`super::StepLoad::prefill_context`] counts them.
    pub prefill_context_tokens: f64,
    /// Sequences that decode.
    pub decode_sequences: f64,
    /// Tokens that they attend to in all.
    pub decode_context_tokens: f64,
}

/// Scheduling one step takes about a millisecond in today's engines; the calibration scales it.
const FIXED_S: f64 = 1e-3;
/// Launching one plain dense layer, before calibration.
const LAYER_S: f64 = 30e-6;
/// How much longer launching takes in steps with prompts: engines replay the launches of decode-only steps
/// as recorded graphs, but launch the kernels of other steps one by one. The factor was chosen by
/// cross-validation, which is flat from three to six.
const LAUNCHED_ONE_BY_ONE: f64 = 4.0;
/// One collective of a layer over eight chips, before calibration.
const COLLECTIVE_S: f64 = 15e-6;
/// Handling one sequence of a step on the host, before calibration.
const SEQUENCE_S: f64 = 10e-6;

/// Seconds of each term per unit of load, at published peaks.
#[derive(Debug, Clone)]
pub struct Roofline {
    weights_s: f64,
    experts_s: f64,
    miss_rate_ln: f64,
    cache_s_per_token: f64,
    cache_limit_tokens: f64,
    window_s_per_sequence: f64,
    compute_s_per_token: f64,
    attention_s_per_context: f64,
    link_s_per_token: f64,
    layers_s: f64,
    /// The same in steps with prompts.
    prompt_layers_s: f64,
    collectives_s: f64,
    sequence_s: f64,
    data: f64,
    pipeline: f64,
    verified_tokens: f64,
}

impl Roofline {
    /// The terms of a deployment.
    #[must_use]
    pub fn new(d: &Deployment) -> Self {
        let memory = d.chip.memory_bytes_per_second();
        let split = f64::from(d.kv_split());
        let tensor = f64::from(d.plan.tensor);
        let (fixed, experts) = weight_bytes(d);
        let layers_s = LAYER_S * f64::from(d.model.layers) * layer_weight(&d.model);
        // The compiler for AWS's chips makes one program of every kind of step.
        let prompt_launches = match d.engine {
            Engine::Neuron => 1.0,
            _ => LAUNCHED_ONE_BY_ONE,
        };
        Self {
            weights_s: fixed / memory,
            experts_s: experts / memory,
            miss_rate_ln: miss_rate_ln(&d.model),
            cache_s_per_token: d.model.kv_bytes_per_token(&d.precision) / split / memory,
            cache_limit_tokens: cache_limit_tokens(&d.model),
            window_s_per_sequence: window_bytes(d) / split / memory,
            compute_s_per_token: compute_s(d) / tensor,
            attention_s_per_context: attention_flops(&d.model) / rate(d, cache_format(d)) / tensor,
            link_s_per_token: link_s_per_token(d),
            layers_s,
            prompt_layers_s: layers_s * prompt_launches,
            collectives_s: collectives_s(d),
            sequence_s: SEQUENCE_S,
            data: f64::from(d.plan.data),
            pipeline: f64::from(d.plan.pipeline),
            verified_tokens: d
                .speculation
                .as_ref()
                .map_or(1.0, |s| 1.0 + f64::from(s.draft_tokens)),
        }
    }

    /// The same with this many tokens of a sequence verified by a step, on average over steps.
    #[must_use]
    pub fn verifying(self, tokens: f64) -> Self {
        Self {
            verified_tokens: tokens,
            ..self
        }
    }

    /// Seconds of each term for a load, in the order of [`TERMS`].
    #[must_use]
    pub fn terms(&self, load: &MeanLoad) -> [f64; TERMS.len()] {
        // The work of one data-parallel rank in one micro-batch.
        let share = 1.0 / (self.data * self.pipeline);
        let decode = load.decode_sequences * self.verified_tokens * share;
        let prefill = load.prefill_tokens * share;
        let visits = (decode + prefill) * self.data;
        let touched = 1.0 - libm::exp(self.miss_rate_ln * visits);
        let context = load.decode_context_tokens * share;
        let looked_at = context.min(load.decode_sequences * share * self.cache_limit_tokens);
        let sequences = load.decode_sequences + load.prefill_sequences;
        [
            self.weights_s,
            self.experts_s * touched,
            self.cache_s_per_token * looked_at
                + self.window_s_per_sequence * load.decode_sequences * share,
            self.compute_s_per_token * decode
                + self.attention_s_per_context * looked_at * self.verified_tokens,
            self.compute_s_per_token * prefill
                + self.attention_s_per_context * load.prefill_context_tokens * share,
            self.link_s_per_token * (decode + prefill),
            FIXED_S,
            if load.prefill_tokens > 0.0 {
                self.prompt_layers_s
            } else {
                self.layers_s
            },
            self.collectives_s,
            // Every rank has a scheduler of its own for its own sequences.
            self.sequence_s * sequences / self.data,
        ]
    }
}

/// Bytes of weights one chip reads when every stage has run once: what every step reads, and all
/// routed experts.
fn weight_bytes(d: &Deployment) -> (f64, f64) {
    let (m, p) = (&d.model, &d.precision);
    let moe_layers = f64::from(m.moe_layer_count());
    let linear = f64::from(m.layers) * m.attention_params_per_layer()
        + f64::from(m.dense_layer_count()) * m.dense_ffn_params_per_layer()
        + moe_layers * m.shared_params_per_layer();
    let experts = m.moe.as_ref().map_or(0.0, |moe| f64::from(moe.experts)) * m.expert_params();
    let fixed = (linear * p.linear_bits + m.head_params() * p.head_bits) / 8.0;
    let tensor = f64::from(d.plan.tensor);
    let stage = f64::from(d.plan.stage_chips());
    (
        fixed / tensor,
        experts * moe_layers * p.expert_bits / 8.0 / stage,
    )
}

/// Logarithm of the chance that one token does not visit a given expert.
fn miss_rate_ln(model: &Model) -> f64 {
    model.moe.as_ref().map_or(0.0, |moe| {
        let share = f64::from(moe.active) / f64::from(moe.experts);
        libm::log(1.0 - share.min(0.999_999))
    })
}

/// Seconds that the operations of one token take on one chip, every part in its own format. `tensor`
/// chips share attention and dense parts, and the experts of all ranks' tokens fall evenly on all
/// chips, which comes to the same share.
fn compute_s(d: &Deployment) -> f64 {
    let (m, p) = (&d.model, &d.precision);
    let routed = m.moe.as_ref().map_or(0.0, |moe| f64::from(moe.active)) * m.expert_params();
    let experts = f64::from(m.moe_layer_count()) * routed;
    let linear = m.params_active() - experts - m.head_params();
    let parts = [
        (linear, stored_as(p.linear_bits).max(p.compute)),
        (experts, expert_format(d)),
        (m.head_params(), stored_as(p.head_bits).max(p.compute)),
    ];
    parts.iter().map(|(n, f)| 2.0 * n / rate(d, *f)).sum()
}

/// Operations a second of the chip in a format, or in the next wider one it has.
fn rate(d: &Deployment, format: Compute) -> f64 {
    d.chip.flops(format).0
}

/// The narrowest format that holds values of this many bits, scale factors included.
fn stored_as(bits: f64) -> Compute {
    if bits < 6.0 {
        Compute::Fp4
    } else if bits < 12.0 {
        Compute::Fp8
    } else {
        Compute::Bf16
    }
}

/// What experts are multiplied in: a chip without four-bit arithmetic unpacks four-bit weights to
/// sixteen bits and multiplies those.
fn expert_format(d: &Deployment) -> Compute {
    let unpacked = d.precision.expert_bits < 6.0 && d.chip.fp4_tflops.is_none();
    if unpacked {
        Compute::Bf16
    } else {
        d.precision.compute
    }
}

/// What attention is multiplied in: the format that the cache is kept in.
fn cache_format(d: &Deployment) -> Compute {
    stored_as(d.precision.kv_bits)
}

/// Operations of one token per token it attends to, over the layers with full attention.
fn attention_flops(m: &Model) -> f64 {
    let width = match m.attention {
        Attention::Grouped {
            heads, head_dim, ..
        } => f64::from(heads) * 2.0 * f64::from(head_dim),
        Attention::Latent {
            heads,
            nope_dim,
            rope_dim,
            v_dim,
            ..
        } => f64::from(heads) * f64::from(nope_dim + rope_dim + v_dim),
    };
    2.0 * width * f64::from(m.full_attention_layers())
}

/// Tokens a decoded token reads at most: an attention index that selects some limits it.
fn cache_limit_tokens(m: &Model) -> f64 {
    match m.attention {
        Attention::Latent {
            sparse_topk_tokens: Some(limit),
            ..
        } => f64::from(limit),
        _ => f64::INFINITY,
    }
}

/// Cache bytes a sequence reads in layers that look back on a window.
fn window_bytes(d: &Deployment) -> f64 {
    let layers = d
        .model
        .layers
        .saturating_sub(d.model.full_attention_layers());
    let values = d.model.kv_values_per_layer() * f64::from(d.model.window_tokens());
    f64::from(layers) * values * d.precision.kv_bits / 8.0
}

/// Kernels of one layer relative to a plain dense one: routing and grouped multiplication,
/// latent projections, an attention index (its projections, scores and selection) and recurrent
/// states each add some.
fn layer_weight(m: &Model) -> f64 {
    let latent = matches!(m.attention, Attention::Latent { .. });
    let indexed = cache_limit_tokens(m).is_finite();
    let recurrent = m.full_attention_layers() < m.layers && m.window_tokens() == 0;
    match (m.moe.is_some(), latent, recurrent) {
        (_, true, _) if indexed => 2.8,
        (_, true, _) => 2.1,
        (_, _, true) => 1.7,
        (true, ..) => 1.4,
        _ => 0.8,
    }
}

/// Seconds of link time per token of a rank: two all-reduces a layer for tensor parallelism,
/// dispatch and combine for experts spread over ranks, one hop a stage for pipelines; at the
/// scale-up rate inside the domain, at the network's beyond.
fn link_s_per_token(d: &Deployment) -> f64 {
    let plan = &d.plan;
    let activation = f64::from(d.model.hidden) * 2.0;
    let inside = plan.stage_chips() <= d.scaleup_domain_chips;
    let rate = if inside {
        d.chip.scaleup_gb_s
    } else {
        d.chip.scaleout_gb_s
    } * 1e9;
    let t = f64::from(plan.tensor);
    let mut bytes = 2.0 * f64::from(d.model.layers) * activation * 2.0 * (t - 1.0) / t;
    if let Some(moe) = d.model.moe.as_ref().filter(|_| plan.data > 1) {
        let visited = f64::from(moe.active).min(f64::from(plan.expert.max(1)));
        bytes += 2.0 * f64::from(d.model.moe_layer_count()) * activation * visited;
    }
    (bytes + f64::from(plan.pipeline.saturating_sub(1)) * activation) / rate
}

/// Latency of the collectives of all layers: grows with the logarithm of the chips that take part.
/// Where they do not fit one scale-up domain, each of a layer's two all-reduces goes up and down a
/// binary tree of domains and crosses the fabric at every level.
fn collectives_s(d: &Deployment) -> f64 {
    let chips = d.plan.stage_chips();
    let hops = f64::from(d.plan.pipeline.saturating_sub(1));
    if chips <= 1 {
        return hops * COLLECTIVE_S;
    }
    let one = COLLECTIVE_S * (1.0 + libm::log2(f64::from(chips))) / 4.0;
    let domains = chips.div_ceil(d.scaleup_domain_chips.max(1));
    let levels = libm::ceil(libm::log2(f64::from(domains)));
    let crossings = 2.0 * 2.0 * levels;
    let fabric = crossings * d.fabric_latency_us * 1e-6;
    f64::from(d.model.layers) * (one + fabric) + hops * COLLECTIVE_S
}

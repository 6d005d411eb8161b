//! One model on one kind of chip, split by one parallel plan, run by one engine.

use serde::{Deserialize, Serialize};

use super::plan::{Plan, StepError};
use crate::catalogue::{Chip, Fabric, Model, Node, Precision};

/// The program that serves the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// vLLM.
    Vllm,
    /// SGLang.
    Sglang,
    /// TensorRT-LLM.
    TrtLlm,
    /// AWS Neuron: NxD Inference, transformers-neuronx.
    Neuron,
    /// Any other; gets the average of the known ones.
    Other,
}

impl Engine {
    /// The engine a benchmark row names; unknown names give [`Engine::Other`].
    #[must_use]
    pub fn named(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let has = |part: &str| name.contains(part);
        if has("neuron") || has("nxd") {
            Self::Neuron
        } else if has("vllm") {
            Self::Vllm
        } else if has("sglang") {
            Self::Sglang
        } else if has("trt") || has("tensorrt") {
            Self::TrtLlm
        } else {
            Self::Other
        }
    }

    /// The engine's short name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Vllm => "vllm",
            Self::Sglang => "sglang",
            Self::TrtLlm => "trtllm",
            Self::Neuron => "neuron",
            Self::Other => "other",
        }
    }
}

/// Speculative decoding: a cheap draft proposes tokens that one step of the model verifies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Speculation {
    /// Tokens drafted before each step.
    pub draft_tokens: u32,
    /// Probability that a drafted token is accepted, given that those before it were.
    pub acceptance: f64,
    /// The draft model, run once per drafted token on the same chips; none for a prediction layer
    /// inside the model, whose cost is that of one more layer per drafted token.
    pub draft: Option<Model>,
}

impl Speculation {
    /// Tokens one step is expected to yield per sequence: 1 + a + a^2 + … + a^draft.
    #[must_use]
    pub fn tokens_per_step(&self) -> f64 {
        let mut chance = 1.0;
        (0..self.draft_tokens).fold(1.0, |sum, _| {
            chance *= self.acceptance;
            sum + chance
        })
    }
}

/// One model on one kind of chip, split by one parallel plan, run by one engine. [`Deployment::new`] checks
/// that it can exist.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Deployment {
    /// The chip.
    pub chip: Chip,
    /// The model.
    pub model: Model,
    /// The number format.
    pub precision: Precision,
    /// The parallel plan.
    pub plan: Plan,
    /// The engine.
    pub engine: Engine,
    /// Speculative decoding, if used.
    pub speculation: Option<Speculation>,
    /// Chips that reach each other at the scale-up rate.
    pub scaleup_domain_chips: u32,
    /// Latency between scale-up domains, microseconds.
    pub fabric_latency_us: f64,
    /// Share of the chip's memory the engine may use for weights and cache.
    pub memory_share: f64,
}

/// Share of memory that engines use by default (vLLM's `gpu-memory-utilization`).
const DEFAULT_MEMORY_SHARE: f64 = 0.9;
/// Used when no node says otherwise: a small message across an InfiniBand or EFA fabric.
const DEFAULT_FABRIC_LATENCY_US: f64 = 5.0;

impl Deployment {
    /// A deployment on the chip's largest scale-up domain, without speculation.
    ///
    /// # Errors
    /// Names the constraint when the plan does not cut the model or the weights do not fit.
    pub fn new(
        chip: &Chip,
        model: &Model,
        precision: &Precision,
        plan: Plan,
        engine: Engine,
    ) -> Result<Self, StepError> {
        plan.check(model)?;
        let deployment = Self::unchecked(chip, model, precision, plan, engine);
        deployment.check_memory()?;
        Ok(deployment)
    }

    /// A deployment that somebody measured; that proves that it fits.
    #[must_use]
    pub fn unchecked(
        chip: &Chip,
        model: &Model,
        precision: &Precision,
        plan: Plan,
        engine: Engine,
    ) -> Self {
        Self {
            chip: chip.clone(),
            model: model.clone(),
            precision: precision.clone(),
            plan,
            engine,
            speculation: None,
            scaleup_domain_chips: chip.scaleup_domain_chips,
            fabric_latency_us: DEFAULT_FABRIC_LATENCY_US,
            memory_share: DEFAULT_MEMORY_SHARE,
        }
    }

    /// The same deployment inside a given kind of node.
    #[must_use]
    pub fn on_node(mut self, node: &Node, fabric: &Fabric) -> Self {
        self.scaleup_domain_chips = node.scaleup_domain_chips;
        self.fabric_latency_us = fabric.latency_us;
        self
    }

    /// The same deployment with speculative decoding.
    ///
    /// # Errors
    /// When a setting is out of range or the draft model no longer fits.
    pub fn with_speculation(mut self, speculation: Speculation) -> Result<Self, StepError> {
        let a = speculation.acceptance;
        if !(0.0..=1.0).contains(&a) {
            return Err(StepError::OutOfRange {
                field: "speculation.acceptance",
                value: a,
                range: "between 0 and 1",
            });
        }
        if speculation.draft_tokens == 0 || speculation.draft_tokens > 64 {
            return Err(StepError::OutOfRange {
                field: "speculation.draft_tokens",
                value: f64::from(speculation.draft_tokens),
                range: "between 1 and 64",
            });
        }
        self.speculation = Some(speculation);
        self.check_memory()?;
        Ok(self)
    }

    /// The same deployment with another share of memory for weights and cache.
    ///
    /// # Errors
    /// When the share is not in (0, 1] or the weights no longer fit.
    pub fn with_memory_share(mut self, share: f64) -> Result<Self, StepError> {
        if !(share > 0.0 && share <= 1.0) {
            return Err(StepError::OutOfRange {
                field: "memory_share",
                value: share,
                range: "above 0 and at most 1",
            });
        }
        self.memory_share = share;
        self.check_memory()?;
        Ok(self)
    }

    /// Bytes of weights on one chip: what is not an expert is cut by tensor and repeated over
    /// data; experts are cut over all chips of a stage.
    #[must_use]
    pub fn weight_bytes_per_chip(&self) -> f64 {
        let m = &self.model;
        let expert_values = m.moe.as_ref().map_or(0.0, |moe| {
            f64::from(moe.experts) * f64::from(m.moe_layer_count()) * m.expert_params()
        });
        let experts = expert_values * self.precision.expert_bits / 8.0;
        let rest = m.weight_bytes(&self.precision) - experts;
        let pipeline = f64::from(self.plan.pipeline);
        let tensor = f64::from(self.plan.tensor);
        let draft = self.speculation.as_ref().and_then(|s| s.draft.as_ref());
        let draft_bytes = draft.map_or(0.0, |d| d.weight_bytes(&self.precision) / tensor);
        (rest / tensor + experts / f64::from(self.plan.stage_chips())) / pipeline + draft_bytes
    }

    /// Bytes of cache that one token occupies over all chips of its data-parallel rank: key-value
    /// heads fewer than the tensor degree are repeated.
    #[must_use]
    pub fn kv_bytes_per_token(&self) -> f64 {
        let copies = f64::from(self.plan.tensor) / f64::from(self.kv_split());
        self.model.kv_bytes_per_token(&self.precision) * copies
    }

    /// Tokens of context that the whole replica can keep. A model without a growing cache is
    /// counted at one byte a token.
    #[must_use]
    pub fn kv_capacity_tokens(&self) -> u64 {
        let free = self.usable_bytes_per_chip() - self.weight_bytes_per_chip();
        let all = free.max(0.0) * f64::from(self.plan.chips());
        (all / self.kv_bytes_per_token().max(1.0)) as u64
    }

    /// How many ways the tensor degree can cut the cache.
    pub(super) fn kv_split(&self) -> u32 {
        self.plan.tensor.min(self.model.kv_heads()).max(1)
    }

    fn usable_bytes_per_chip(&self) -> f64 {
        self.chip.memory_bytes() * self.memory_share
    }

    fn check_memory(&self) -> Result<(), StepError> {
        let needed = self.weight_bytes_per_chip();
        let usable = self.usable_bytes_per_chip();
        if needed < usable {
            return Ok(());
        }
        Err(StepError::DoesNotFit {
            model: self.model.name.clone(),
            precision: self.precision.name.clone(),
            plan: self.plan,
            chip: self.chip.name.clone(),
            needed_gb: needed * 1e-9,
            usable_gb: usable * 1e-9,
        })
    }
}

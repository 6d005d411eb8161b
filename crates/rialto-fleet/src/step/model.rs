//! The step-time model of one deployment: its roofline, scaled by the calibration.

use serde::Serialize;

use super::roofline::{MeanLoad, Roofline, TERMS, Term, overlap};
use super::{Deployment, Parameters, Speculation};
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
            prefill_tokens: sequences.saturating_mul(tokens),
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

    fn mean(&self) -> MeanLoad {
        MeanLoad {
            prefill_tokens: f64::from(self.prefill_tokens),
            prefill_sequences: f64::from(self.prefill_sequences),
            prefill_context_tokens: self.prefill_context_tokens as f64,
            decode_sequences: f64::from(self.decode_sequences),
            decode_context_tokens: self.decode_context_tokens as f64,
        }
    }
}

/// The calibrated terms of one step, seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct StepTerms {
    /// Seconds of each term, in the order of [`TERMS`].
    pub seconds: [f64; TERMS.len()],
}

impl StepTerms {
    /// Seconds of one term.
    #[must_use]
    pub fn of(&self, term: Term) -> f64 {
        TERMS
            .iter()
            .position(|t| *t == term)
            .map_or(0.0, |i| self.seconds[i])
    }

    /// The time the step takes, seconds: less than the sum, since memory and arithmetic overlap,
    /// and so do host and device.
    #[must_use]
    pub fn total_s(&self) -> f64 {
        let mut waited_for = self.seconds;
        overlap(&mut waited_for);
        waited_for.iter().sum()
    }
}

/// Computes the time of steps of one deployment. Everything that does not depend on the load is computed
/// once, so that one step takes a few dozen nanoseconds to compute.
#[derive(Debug, Clone)]
pub struct StepModel {
    roofline: Roofline,
    scale: [f64; TERMS.len()],
    draft_factor: f64,
    tokens_per_step: f64,
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
    /// Computes the load-independent parts of a deployment's step time.
    #[must_use]
    pub fn new(deployment: &Deployment, parameters: &Parameters) -> Self {
        let d = deployment;
        Self {
            roofline: Roofline::new(d),
            scale: parameters.step_scale(d),
            draft_factor: draft_factor(d),
            tokens_per_step: d
                .speculation
                .as_ref()
                .map_or(1.0, Speculation::tokens_per_step),
            kv_bytes_per_token: d.kv_bytes_per_token(),
            kv_capacity_tokens: d.kv_capacity_tokens(),
            chips: f64::from(d.plan.chips()),
            tdp_w: d.chip.tdp_w.unwrap_or(UNKNOWN_TDP_W),
        }
    }

    /// The calibrated terms of one step; all zero for an empty load.
    #[must_use]
    pub fn terms(&self, load: &StepLoad) -> StepTerms {
        if load.is_empty() {
            return StepTerms::default();
        }
        let drafts = if load.decode_sequences > 0 {
            self.draft_factor
        } else {
            1.0
        };
        let mut seconds = self.roofline.terms(&load.mean());
        for (s, scale) in seconds.iter_mut().zip(&self.scale) {
            *s *= scale * drafts;
        }
        StepTerms { seconds }
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
        self.terms(load).total_s()
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
    /// Busy is the larger of memory and compute time at peak rates over the step's time.
    #[must_use]
    pub fn energy(&self, load: &StepLoad) -> Joules {
        let total = self.step_seconds(load);
        if total <= 0.0 {
            return Joules(0.0);
        }
        let [weights, experts, cache, compute, prefill, ..] = self.roofline.terms(&load.mean());
        let busy = ((weights + experts + cache).max(compute + prefill) / total).min(1.0);
        let share = IDLE_POWER_SHARE + (BUSY_POWER_SHARE - IDLE_POWER_SHARE) * busy;
        Joules(self.tdp_w * self.chips * share * total)
    }

    /// Energy of the replica's chips while they wait.
    #[must_use]
    pub fn idle_energy(&self, time: Nanos) -> Joules {
        Joules(self.tdp_w * self.chips * IDLE_POWER_SHARE * time.as_secs_f64())
    }
}

/// How much longer a decode step takes with its drafts than without.
fn draft_factor(d: &Deployment) -> f64 {
    let Some(speculation) = &d.speculation else {
        return 1.0;
    };
    let per_draft = match &speculation.draft {
        Some(draft) => draft.params_active() / d.model.params_active(),
        None => 1.0 / f64::from(d.model.layers),
    };
    1.0 + f64::from(speculation.draft_tokens) * per_draft
}

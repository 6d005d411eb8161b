//! Throughput for the cost of tokens, computed by the step-time model.
//!
//! Holds the translation of a deployment and a request shape to tokens a second and chip. The time of a
//! step is [`rialto_fleet::step`]'s task; what the tokens cost is [`super::cost`]'s task.

use serde::{Deserialize, Serialize};

use super::basis::Basis;
use super::cost::Throughput;
use super::input::{self, Fault};
use super::uncertainty::Range;
use rialto_fleet::catalogue::Catalogue;
use rialto_fleet::step::ForecastError;
use rialto_fleet::step::{Deployment, Engine, Parameters, Plan, StepLoad, StepModel};

/// Tokens of a prompt that follow a cached prefix, when the cost of the prefix is asked for.
const SUFFIX_TOKENS: u32 = 512;

/// A model served on one kind of chip, and the requests it serves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Twin {
    /// The chip's name in the catalogue.
    pub chip: String,
    /// The model's name in the catalogue.
    pub model: String,
    /// The number format's name in the catalogue.
    pub precision: String,
    /// The engine: `vllm`, `sglang`, `trtllm`, `neuron` or `other`.
    pub engine: Engine,
    /// How the model is split over chips.
    pub plan: Plan,
    /// Sequences that decode together in one replica.
    pub sequences: u32,
    /// Input tokens of a request, cached ones included.
    pub input_tokens: u32,
    /// Output tokens of a request.
    pub output_tokens: u32,
}

impl Twin {
    /// Checks the limits of the fields.
    ///
    /// # Errors
    /// Names the field under `path`.
    pub fn check(&self, path: &str) -> Result<(), Fault> {
        let counts = [
            ("sequences", self.sequences, 100_000.0),
            ("input_tokens", self.input_tokens, 4_000_000.0),
            ("output_tokens", self.output_tokens, 1_000_000.0),
        ];
        for (field, value, most) in counts {
            input::between(&format!("{path}.{field}"), f64::from(value), 1.0, most)?;
        }
        Ok(())
    }

    /// Tokens a second of one chip, with the range of the step-time model's own errors.
    ///
    /// # Errors
    /// Names the field under `path` when the catalogue does not know a name, the plan does not
    /// cut the model, or model and sequences do not fit the memory.
    pub fn throughput(
        &self,
        path: &str,
        catalogue: &Catalogue,
        parameters: &Parameters,
    ) -> Result<Throughput, Fault> {
        let fault = |field: &str, message: String| Fault::new(format!("{path}.{field}"), message);
        let chip = catalogue
            .chip(&self.chip)
            .map_err(|e| fault("chip", e.to_string()))?;
        let model = catalogue
            .model(&self.model)
            .map_err(|e| fault("model", e.to_string()))?;
        let precision = catalogue.precision(&self.precision);
        let precision = precision.map_err(|e| fault("precision", e.to_string()))?;
        let deployment = Deployment::new(chip, model, precision, self.plan, self.engine)
            .map_err(|e| fault("plan", e.to_string()))?;
        let step = StepModel::new(&deployment, parameters);
        let tokens = u64::from(self.input_tokens) + u64::from(self.output_tokens);
        let needed = u64::from(self.sequences).saturating_mul(tokens);
        let fits = step.kv_capacity_tokens();
        if needed > fits {
            let message = format!(
                "{} sequences of {tokens} tokens need room for {needed}, the cache holds {fits}",
                self.sequences
            );
            return Err(fault("sequences", message));
        }
        let error = ForecastError::of(parameters, chip, f64::from(self.sequences), false);
        Ok(Throughput {
            chip: self.chip.clone(),
            model: self.model.clone(),
            input_tokens_per_s: range(self.input_rate(&step), error.ttft_interval),
            cached_tokens_per_s: range(self.cached_rate(&step), error.ttft_interval),
            output_tokens_per_s: range(self.output_rate(&step), error.tpot_interval),
            basis: Basis::Modelled,
            source: format!(
                "step-time model, fitted on: {}; {}",
                parameters.fitted_on,
                error.words()
            ),
        })
    }

    fn chips(&self) -> f64 {
        f64::from(self.plan.chips())
    }

    fn input_rate(&self, step: &StepModel) -> f64 {
        let seconds = step.step_seconds(&StepLoad::prefill(1, self.input_tokens));
        f64::from(self.input_tokens) / seconds / self.chips()
    }

    /// The cost of a cached prefix is the time that attending to it adds to the step of the tokens after
    /// it.
    fn cached_rate(&self, step: &StepModel) -> f64 {
        let suffix = u64::from(SUFFIX_TOKENS);
        let after = |start: u64| StepLoad {
            prefill_context_tokens: StepLoad::prefill_context(start, suffix),
            ..StepLoad::prefill(1, SUFFIX_TOKENS)
        };
        let with = step.step_seconds(&after(u64::from(self.input_tokens)));
        let added = with - step.step_seconds(&after(0));
        // Where attention hides behind other work it is still charged a thousandth of the step.
        f64::from(self.input_tokens) / added.max(with * 1e-3) / self.chips()
    }

    fn output_rate(&self, step: &StepModel) -> f64 {
        let context = u64::from(self.input_tokens) + u64::from(self.output_tokens) / 2;
        let seconds = step.step_seconds(&StepLoad::decode(self.sequences, context));
        f64::from(self.sequences) * step.tokens_per_decode_step() / seconds / self.chips()
    }
}

/// A rate, with the range that follows from the interval of its time.
fn range(rate: f64, (shortest, longest): (f64, f64)) -> Range {
    Range {
        low: rate / longest,
        mid: rate,
        high: rate / shortest,
    }
}

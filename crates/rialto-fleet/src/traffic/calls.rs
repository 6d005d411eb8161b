//! The log of finished calls, as a gateway or the twin writes it.
//!
//! Holds one line of it and its writer. The calibration crate learns from a log; `docs/fleet/accuracy.md`
//! documents the format.

use serde::{Deserialize, Serialize};

use crate::step::Plan;

/// One line of the log: one finished call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// When it arrived, RFC 3339 UTC.
    pub time: String,
    /// Model, a name or alias in the catalogue.
    pub model: String,
    /// Chip, likewise.
    pub chip: String,
    /// Serving engine: `vllm`, `sglang`, `trtllm`, `neuron`, or another.
    pub engine: String,
    /// Number format.
    pub precision: String,
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
    /// Replicas that shared the calls of this configuration.
    #[serde(default = "one")]
    pub replicas: u32,
    /// Prompt tokens.
    pub input_tokens: u32,
    /// Those of them found in a prefix cache.
    #[serde(default)]
    pub cached_tokens: u32,
    /// Answer tokens.
    pub output_tokens: u32,
    /// Calls in flight on the replica; computed from the log when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<f64>,
    /// Time to first token, milliseconds.
    pub ttft_ms: f64,
    /// Mean time per later token, milliseconds; or give `ended`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tpot_ms: Option<f64>,
    /// When the last token was out, RFC 3339 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// `measured`, or `modelled` when a twin wrote it.
    #[serde(default)]
    pub basis: CallBasis,
}

/// Where a call comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CallBasis {
    /// An engine served it.
    #[default]
    Measured,
    /// A twin simulated it.
    Modelled,
}

fn one() -> u32 {
    1
}

/// Writes the log: one JSON object a line, in the order given.
#[must_use]
pub fn write_calls<'a>(calls: impl IntoIterator<Item = &'a Call>) -> String {
    let mut text = String::new();
    for call in calls {
        if let Ok(line) = serde_json::to_string(call) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

impl Call {
    /// The parallel plan that served it.
    #[must_use]
    pub fn plan(&self) -> Plan {
        Plan {
            tensor: self.tensor,
            pipeline: self.pipeline,
            expert: self.expert,
            data: self.data,
        }
    }
}

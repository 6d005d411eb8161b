//! Number formats a model is served in.

use serde::{Deserialize, Serialize};

use super::{CatalogueError, Checker};

/// The format the matrix units run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compute {
    /// Four-bit floating point.
    Fp4,
    /// Eight-bit floating point.
    Fp8,
    /// Sixteen-bit floating point.
    Bf16,
}

/// A number format: bits stored per value, scale factors included, and the compute format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Precision {
    /// The name used everywhere: `bf16`, `fp8`, `fp4` …
    pub name: String,
    /// Other spellings.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Attention projections, dense feed-forward and shared experts.
    pub linear_bits: f64,
    /// Routed experts.
    pub expert_bits: f64,
    /// Embedding and output head.
    pub head_bits: f64,
    /// Key-value cache.
    pub kv_bits: f64,
    /// What the matrix units run.
    pub compute: Compute,
    /// Where the numbers come from.
    pub source: String,
    /// How far to trust them.
    pub confidence: String,
}

impl Precision {
    pub(super) fn check(&self, file: &str) -> Result<(), CatalogueError> {
        let c = Checker {
            file,
            kind: "precision",
            name: &self.name,
        };
        c.text("name", &self.name)?;
        c.text("source", &self.source)?;
        c.positive("linear_bits", self.linear_bits, 64.0)?;
        c.positive("expert_bits", self.expert_bits, 64.0)?;
        c.positive("head_bits", self.head_bits, 64.0)?;
        c.positive("kv_bits", self.kv_bits, 64.0)
    }
}

//! Chips, the nodes that hold them and the fabrics between nodes.

use serde::{Deserialize, Serialize};

use super::{CatalogueError, Checker, Compute};

/// Where numbers come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The fields of the entry that this source covers.
    pub fields: Vec<String>,
    /// Document, page or file.
    pub source: String,
    /// How far to trust it: vendor doc, two agreeing sources, estimate …
    pub confidence: String,
}

/// One kind of accelerator. Rates are dense peaks; a missing rate means that the chip does not compute in
/// that format natively.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chip {
    /// The name used everywhere, e.g. `h100_sxm`.
    pub name: String,
    /// Who makes it.
    pub vendor: String,
    /// Other spellings.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Dense BF16 rate, 10^12 operations a second.
    pub bf16_tflops: f64,
    /// Dense FP8 rate, if the chip has one.
    pub fp8_tflops: Option<f64>,
    /// Dense FP4 rate, if the chip has one.
    pub fp4_tflops: Option<f64>,
    /// Memory of the accelerator, 10^9 bytes.
    pub memory_gb: f64,
    /// Memory bandwidth, 10^12 bytes a second.
    pub memory_tb_s: f64,
    /// Bandwidth to its scale-up domain, one direction, 10^9 bytes a second.
    pub scaleup_gb_s: f64,
    /// Chips in the largest scale-up domain it is sold in.
    pub scaleup_domain_chips: u32,
    /// Bandwidth to the network, one direction, 10^9 bytes a second.
    pub scaleout_gb_s: f64,
    /// Thermal design power of the chip, watts.
    pub tdp_w: Option<f64>,
    /// Power of chip, host and network share, kilowatts.
    pub allin_kw: Option<f64>,
    /// Cost of ownership for a hyperscaler, by a third party's model, dollars an hour.
    pub tco_usd_per_hour: Option<f64>,
    /// Three-year rent, dollars an hour.
    pub rent_usd_per_hour: Option<f64>,
    /// On-demand price, dollars an hour.
    pub on_demand_usd_per_hour: Option<f64>,
    /// Price in a reserved block of days or weeks (AWS Capacity Blocks), dollars an hour.
    pub capacity_block_usd_per_hour: Option<f64>,
    /// A list price that does not say whether it is on demand or for a block, dollars an hour. No shipped
    /// chip has one.
    pub list_usd_per_hour: Option<f64>,
    /// Capital per chip, dollars.
    pub capex_usd: Option<f64>,
    /// Remarks.
    pub notes: Option<String>,
    /// Source and confidence of every number.
    pub sources: Vec<Source>,
}

impl Chip {
    /// Dense rate in operations a second for a format, and the format it really runs in: a chip
    /// without the format falls back to the next wider one.
    #[must_use]
    pub fn flops(&self, compute: Compute) -> (f64, Compute) {
        let (tflops, native) = match compute {
            Compute::Fp4 => match (self.fp4_tflops, self.fp8_tflops) {
                (Some(t), _) => (t, Compute::Fp4),
                (None, Some(t)) => (t, Compute::Fp8),
                (None, None) => (self.bf16_tflops, Compute::Bf16),
            },
            Compute::Fp8 => match self.fp8_tflops {
                Some(t) => (t, Compute::Fp8),
                None => (self.bf16_tflops, Compute::Bf16),
            },
            Compute::Bf16 => (self.bf16_tflops, Compute::Bf16),
        };
        (tflops * 1e12, native)
    }

    /// Memory in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> f64 {
        self.memory_gb * 1e9
    }

    /// Memory bandwidth in bytes a second.
    #[must_use]
    pub fn memory_bytes_per_second(&self) -> f64 {
        self.memory_tb_s * 1e12
    }

    pub(super) fn check(&self, file: &str) -> Result<(), CatalogueError> {
        let c = Checker {
            file,
            kind: "chip",
            name: &self.name,
        };
        c.text("name", &self.name)?;
        c.positive("bf16_tflops", self.bf16_tflops, 1e5)?;
        c.optional("fp8_tflops", self.fp8_tflops, 1e5)?;
        c.optional("fp4_tflops", self.fp4_tflops, 1e5)?;
        c.positive("memory_gb", self.memory_gb, 1e4)?;
        c.positive("memory_tb_s", self.memory_tb_s, 1e3)?;
        c.positive("scaleup_gb_s", self.scaleup_gb_s, 1e5)?;
        c.positive(
            "scaleup_domain_chips",
            f64::from(self.scaleup_domain_chips),
            1e6,
        )?;
        c.positive("scaleout_gb_s", self.scaleout_gb_s, 1e5)?;
        c.optional("tdp_w", self.tdp_w, 1e5)?;
        c.optional("allin_kw", self.allin_kw, 100.0)?;
        c.optional("tco_usd_per_hour", self.tco_usd_per_hour, 1e4)?;
        c.optional("rent_usd_per_hour", self.rent_usd_per_hour, 1e4)?;
        c.optional("on_demand_usd_per_hour", self.on_demand_usd_per_hour, 1e4)?;
        c.optional(
            "capacity_block_usd_per_hour",
            self.capacity_block_usd_per_hour,
            1e4,
        )?;
        c.optional("list_usd_per_hour", self.list_usd_per_hour, 1e4)?;
        c.optional("capex_usd", self.capex_usd, 1e7)?;
        if self.sources.is_empty() {
            return Err(c.error("sources", "is empty; say where the numbers come from"));
        }
        Ok(())
    }
}

/// One server and the scale-up domain it belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// The name used everywhere, e.g. `trn2.48xlarge`.
    pub name: String,
    /// Name of its chip.
    pub chip: String,
    /// Chips in one server.
    pub chips: u32,
    /// Chips that reach each other at the scale-up rate; at least `chips`.
    pub scaleup_domain_chips: u32,
    /// Name of the fabric beyond the domain.
    pub fabric: String,
    /// Where the numbers come from.
    pub source: String,
    /// How far to trust them.
    pub confidence: String,
}

impl Node {
    pub(super) fn check(&self, file: &str) -> Result<(), CatalogueError> {
        let c = Checker {
            file,
            kind: "node",
            name: &self.name,
        };
        c.text("name", &self.name)?;
        c.positive("chips", f64::from(self.chips), 1024.0)?;
        c.text("source", &self.source)?;
        if self.scaleup_domain_chips < self.chips {
            let problem = format!("is smaller than the node's {} chips", self.chips);
            return Err(c.error("scaleup_domain_chips", problem));
        }
        Ok(())
    }
}

/// A network between scale-up domains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fabric {
    /// The name used everywhere.
    pub name: String,
    /// One small message, one way, software included, microseconds.
    pub latency_us: f64,
    /// Where the number comes from.
    pub source: String,
    /// How far to trust it.
    pub confidence: String,
}

impl Fabric {
    pub(super) fn check(&self, file: &str) -> Result<(), CatalogueError> {
        let c = Checker {
            file,
            kind: "fabric",
            name: &self.name,
        };
        c.text("name", &self.name)?;
        c.text("source", &self.source)?;
        c.positive("latency_us", self.latency_us, 1e6)
    }
}

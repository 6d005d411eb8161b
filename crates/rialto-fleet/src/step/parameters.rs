//! The fitted numbers of the models, as a file that people can read, and what they come to for a
//! deployment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::effects::{Effect, On, effects};
use super::{Deployment, Engine, TERMS};

/// Terms of the time to first token.
pub const FIRST_TOKEN_TERMS: usize = 8;

/// A parameter file that cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ParametersError {
    /// The text is not TOML of the documented form.
    #[error("{file}: {message}")]
    Malformed {
        /// The file.
        file: String,
        /// What was expected.
        message: String,
    },
    /// The file was written for another set of terms.
    #[error("{file}: [{section}] base has {found} terms, this version knows {expected}; refit it")]
    Terms {
        /// The file.
        file: String,
        /// The section at fault.
        section: &'static str,
        /// Terms in the file.
        found: usize,
        /// Terms of this version.
        expected: usize,
    },
}

/// One fitted model: the logarithm of each term's scale, and the effects added to it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// Logarithm of each term's scale for the average deployment.
    pub base: Vec<f64>,
    /// Logarithm of the scale that applies under each key; missing keys are zero.
    pub effects: BTreeMap<String, f64>,
}

impl Layer {
    /// The logarithm each term is scaled by, and the one that scales all, under some effects.
    #[must_use]
    pub fn scales(&self, effects: &[Effect]) -> (Vec<f64>, f64) {
        let mut base = self.base.clone();
        let mut all = 0.0;
        for effect in effects {
            let Some(fitted) = self.effects.get(&effect.key) else {
                continue;
            };
            match effect.on {
                On::All => all += fitted * effect.value,
                On::Term(term) => {
                    let index = TERMS.iter().position(|t| *t == term);
                    if let Some(slot) = index.and_then(|i| base.get_mut(i)) {
                        *slot += fitted * effect.value;
                    }
                }
            }
        }
        (base, all)
    }
}

/// Relative errors seen in cross-validation, as quantiles of the logarithm of forecast over
/// measured: the source of every interval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Residuals {
    /// Lower tenth.
    pub low: f64,
    /// Upper tenth.
    pub high: f64,
    /// What to take off the logarithm of a forecast so that the mean relative error is smallest: a
    /// relative error is larger above the measurement than below.
    pub lean: f64,
    /// Points they come from.
    pub points: u32,
}

/// Residuals for each figure a forecast gives.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    /// Time per output token, one engine that does both phases.
    pub tpot: Residuals,
    /// Time per output token, separate prefill and decode engines.
    pub tpot_split: Residuals,
    /// Time to first token, one engine that does both phases.
    pub ttft: Residuals,
    /// Time to first token, separate engines.
    pub ttft_split: Residuals,
}

/// All fitted numbers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Where the numbers come from: the files they were fitted on and how many points.
    pub fitted_on: String,
    /// Chips that some point was measured on.
    pub measured_chips: Vec<String>,
    /// Groups that enough points were measured in, as rows write them.
    #[serde(default)]
    pub measured_groups: Vec<String>,
    /// Errors seen in cross-validation by whole groups: those to expect for what was never measured.
    pub errors: Errors,
    /// Errors seen in cross-validation by single points: those to expect between points of a measured
    /// group.
    #[serde(default)]
    pub measured_errors: Errors,
    /// Time per output token: also the step-time model.
    pub tpot: Layer,
    /// Time to first token.
    pub ttft: Layer,
}

const SHIPPED: (&str, &str) = (
    "calibration/parameters.toml",
    include_str!("../../calibration/parameters.toml"),
);

impl Parameters {
    /// The plain roofline: every peak is reached in full and nothing else takes time. It is a bound, not a
    /// forecast.
    #[must_use]
    pub fn ideal() -> Self {
        let base = TERMS
            .iter()
            .map(|t| {
                if t.is_overhead() {
                    f64::NEG_INFINITY
                } else {
                    0.0
                }
            })
            .collect();
        Self {
            tpot: Layer {
                base,
                effects: BTreeMap::new(),
            },
            ..Self::default()
        }
    }

    /// The numbers shipped with the crate, fitted as docs/fleet/accuracy.md describes.
    ///
    /// # Errors
    /// None in a released build: a test reads them.
    pub fn shipped() -> Result<Self, ParametersError> {
        Self::parse(SHIPPED.0, SHIPPED.1)
    }

    /// Reads a parameter file.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    pub fn parse(file: &str, text: &str) -> Result<Self, ParametersError> {
        let parameters: Self = toml::from_str(text).map_err(|e| ParametersError::Malformed {
            file: file.to_owned(),
            message: crate::echo::bounded(e.message()).into_owned(),
        })?;
        for (section, layer, expected) in [
            ("tpot", &parameters.tpot, TERMS.len()),
            ("ttft", &parameters.ttft, FIRST_TOKEN_TERMS),
        ] {
            let found = layer.base.len();
            if found != expected {
                let file = file.to_owned();
                return Err(ParametersError::Terms {
                    file,
                    section,
                    found,
                    expected,
                });
            }
        }
        Ok(parameters)
    }

    /// The errors to expect for points of a group as a row writes it.
    #[must_use]
    pub fn errors_of(&self, written_group: &str) -> &Errors {
        if self.measured_groups.iter().any(|g| g == written_group) {
            &self.measured_errors
        } else {
            &self.errors
        }
    }

    /// The parameter file's text.
    ///
    /// # Errors
    /// When a number cannot be written, which finite ones always can.
    pub fn to_toml(&self) -> Result<String, ParametersError> {
        toml::to_string(self).map_err(|e| ParametersError::Malformed {
            file: "parameters".to_owned(),
            message: e.to_string(),
        })
    }

    /// The factor each term of a deployment's roofline is scaled by. The setting of the largest
    /// series of measurements is taken as normal: InferenceX's sweeps for GPUs, the vendor's own
    /// runs for AWS chips, one engine for both phases.
    #[must_use]
    pub fn step_scale(&self, deployment: &Deployment) -> [f64; TERMS.len()] {
        let (base, all) = self.tpot.scales(&effects(deployment));
        let setting = normal_setting(deployment.engine);
        let fitted = setting.iter().filter_map(|key| self.tpot.effects.get(key));
        let all = all + fitted.sum::<f64>();
        let mut scale = [0.0; TERMS.len()];
        for (slot, log) in scale.iter_mut().zip(base) {
            *slot = libm::exp(log + all);
        }
        scale
    }
}

/// The keys of what all steps share in the setting that is taken as normal.
#[must_use]
pub fn normal_setting(engine: Engine) -> [String; 4] {
    let client = if engine == Engine::Neuron {
        "fixed"
    } else {
        "sweep"
    };
    let engine = engine.name();
    [
        "run|together".to_owned(),
        format!("run|together,engine={engine}"),
        format!("run|client={client}"),
        format!("run|client={client},engine={engine}"),
    ]
}

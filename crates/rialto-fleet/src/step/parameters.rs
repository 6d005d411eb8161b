//! The fitted numbers of the step-time model and how a deployment picks its own.

use serde::{Deserialize, Serialize};

use super::Deployment;

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
}

/// What a deployment reaches of its chip's peaks, and the overheads it pays.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Efficiency {
    /// Share of peak memory bandwidth, 0 to 1.
    pub memory: f64,
    /// Share of peak compute, 0 to 1.
    pub compute: f64,
    /// Share of peak link bandwidth, 0 to 1.
    pub link: f64,
    /// Host and launch time of every step, microseconds.
    pub step_us: f64,
    /// Launch time of every layer, microseconds.
    pub layer_us: f64,
    /// Host time per sequence of a step (sampling, detokenising), microseconds.
    pub sequence_us: f64,
    /// Latency of one collective inside the scale-up domain, microseconds.
    pub collective_us: f64,
}

/// All fitted numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parameters {
    /// The centre every deployment starts from.
    pub base: Efficiency,
}

impl Parameters {
    /// The plain roofline: peaks reached in full, nothing else costs time. A bound, not a forecast.
    #[must_use]
    pub fn ideal() -> Self {
        let base = Efficiency {
            memory: 1.0,
            compute: 1.0,
            link: 1.0,
            step_us: 0.0,
            layer_us: 0.0,
            sequence_us: 0.0,
            collective_us: 0.0,
        };
        Self { base }
    }

    /// The numbers shipped with the crate.
    ///
    /// # Errors
    /// None in a released build: a test reads them.
    pub fn shipped() -> Result<Self, ParametersError> {
        let base = Efficiency {
            memory: 0.7,
            compute: 0.5,
            link: 0.6,
            step_us: 1500.0,
            layer_us: 30.0,
            sequence_us: 5.0,
            collective_us: 8.0,
        };
        Ok(Self { base })
    }

    /// The numbers that apply to one deployment.
    #[must_use]
    pub fn efficiency(&self, _deployment: &Deployment) -> Efficiency {
        self.base
    }
}

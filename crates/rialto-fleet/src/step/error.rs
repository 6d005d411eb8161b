//! How far the forecast of a deployment's times may be off.
//!
//! Holds the interval of a forecast, inside the measured range and outside it, and its quantiles. The
//! errors themselves come with the fitted parameters; the calibration crate finds them.

use serde::Serialize;

use super::{Parameters, Residuals};
use crate::catalogue::Chip;

/// By what factor intervals are wider, in logarithms, than inside the measured range.
#[derive(Debug, Clone, Copy)]
pub struct IntervalWidths {
    /// Of the time per token.
    pub tpot: f64,
    /// Of the time to first token.
    pub ttft: f64,
}

/// The widths for an extrapolation. They are a choice, since nothing outside the range was measured: when
/// the few published runs of AWS chips are left out of the fit, their errors are three times those of other
/// runs in the time per token and twice in the time to first token.
const EXTRAPOLATED: IntervalWidths = IntervalWidths {
    tpot: 3.0,
    ttft: 2.0,
};

impl IntervalWidths {
    /// The widths inside what was measured, or of an extrapolation.
    #[must_use]
    pub fn of(extrapolation: Option<&String>) -> Self {
        match extrapolation {
            Some(_) => EXTRAPOLATED,
            None => Self {
                tpot: 1.0,
                ttft: 1.0,
            },
        }
    }
}

/// Requests in flight on AWS chips beyond which nothing published was measured.
const NEURON_MEASURED_CONCURRENCY: f64 = 8.0;
/// The same on Trainium2.
const TRAINIUM2_MEASURED_CONCURRENCY: f64 = 2.0;

/// The standard normal variate at the ends of an 80 % interval: nine tenths lie below it.
pub const Z_OF_INTERVAL: f64 = 1.281_551_565_544_600_4;

/// Why a deployment with `concurrency` requests in flight is outside the measured range, if it is: nothing
/// was measured on the chip, or nothing with so many requests.
#[must_use]
pub fn outside_measured(parameters: &Parameters, chip: &Chip, concurrency: f64) -> Option<String> {
    let name = &chip.name;
    let limit = match name.as_str() {
        "trainium2" => TRAINIUM2_MEASURED_CONCURRENCY,
        _ => NEURON_MEASURED_CONCURRENCY,
    };
    let measured = &parameters.measured_chips;
    if !measured.iter().any(|c| c == name) {
        return Some(format!("no run on {name} was measured"));
    }
    (chip.vendor.eq_ignore_ascii_case("aws") && concurrency > limit)
        .then(|| format!("no run of {name} with more than {limit} requests was measured"))
}

/// How far the times of a simulated deployment may be off.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ForecastError {
    /// Why the deployment lies outside what was measured, if it does; its intervals are then wide.
    pub extrapolation: Option<String>,
    /// The 80 % interval of the time to first token, as factors of the forecast.
    pub ttft_interval: (f64, f64),
    /// The 80 % interval of the time per token, as factors of the forecast.
    pub tpot_interval: (f64, f64),
}

impl ForecastError {
    /// The error to expect with up to `concurrency` requests in flight; `split` when separate
    /// engines prefill and decode.
    #[must_use]
    pub fn of(parameters: &Parameters, chip: &Chip, concurrency: f64, split: bool) -> Self {
        let extrapolation = outside_measured(parameters, chip, concurrency);
        let errors = &parameters.errors;
        let (ttft, tpot) = if split {
            (errors.ttft_split, errors.tpot_split)
        } else {
            (errors.ttft, errors.tpot)
        };
        let widths = IntervalWidths::of(extrapolation.as_ref());
        Self {
            ttft_interval: interval_factors(ttft, widths.ttft),
            tpot_interval: interval_factors(tpot, widths.tpot),
            extrapolation,
        }
    }

    /// The factors that the times to first token and per token stay below with a certain probability, given
    /// as the standard normal variate `z` for it: 0 for even odds. Logarithms are assumed normal on either
    /// side of the forecast, through the ends of the interval, and both errors are assumed to have one
    /// cause, so that they rise together.
    #[must_use]
    pub fn factors_at(&self, z: f64) -> (f64, f64) {
        let at = |(low, high): (f64, f64)| {
            let end: f64 = if z < 0.0 { low } else { high };
            libm::exp(libm::log(end).abs() * z / Z_OF_INTERVAL)
        };
        (at(self.ttft_interval), at(self.tpot_interval))
    }

    /// The error in words.
    #[must_use]
    pub fn words(&self) -> String {
        let times = |(low, high): (f64, f64)| format!("{low:.2} to {high:.2} times");
        let why = match &self.extrapolation {
            Some(why) => format!("an extrapolation, {why}"),
            None => "inside what was measured".to_owned(),
        };
        format!(
            "{why}; 80 % interval: TTFT {} and TPOT {} the forecast",
            times(self.ttft_interval),
            times(self.tpot_interval),
        )
    }
}

/// The 80 % interval of a time on one engine that does both phases, as factors of the forecast.
fn interval_factors(errors: Residuals, width: f64) -> (f64, f64) {
    (
        libm::exp(-errors.high.max(0.0) * width),
        libm::exp(-errors.low.min(0.0) * width),
    )
}

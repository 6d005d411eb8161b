//! Forecasts of benchmark runs with their intervals.

use serde::Serialize;

use super::benchmark::Benchmark;
use super::point::Point;
use super::solve::{Explained, predict_ln};
use crate::catalogue::Chip;
use crate::step::{Layer, Parameters, Residuals};

/// One forecast figure with its 80 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figure {
    /// The forecast.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// The forecast of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forecast {
    /// Time to first token, milliseconds.
    pub ttft_ms: Figure,
    /// Time per output token, milliseconds.
    pub tpot_ms: Figure,
    /// Output tokens a second of the whole run, by the closed loop's law.
    pub output_tokens_per_second: Figure,
    /// Why the run lies outside what was measured, if it does; its interval is then wide.
    pub extrapolation: Option<String>,
}

/// Forecasts runs from fitted parameters.
#[derive(Debug, Clone, Copy)]
pub struct Forecaster<'a> {
    parameters: &'a Parameters,
}

/// How many times as wide, in logarithms, intervals are as inside the measured range.
#[derive(Debug, Clone, Copy)]
struct Widths {
    tpot: f64,
    ttft: f64,
}

/// An extrapolation's widths. A choice: nothing outside was measured. Left out of the fit, the few
/// published runs of AWS chips are off by three times as much as others in the time per token and
/// by twice as much in the time to first token.
const EXTRAPOLATED: Widths = Widths {
    tpot: 3.0,
    ttft: 2.0,
};

impl Widths {
    fn of(extrapolation: Option<&String>) -> Self {
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

impl<'a> Forecaster<'a> {
    /// A forecaster over fitted parameters.
    #[must_use]
    pub fn new(parameters: &'a Parameters) -> Self {
        Self { parameters }
    }

    /// The forecast of one run. What the point measured is not looked at.
    #[must_use]
    pub fn forecast(&self, point: &Point) -> Forecast {
        let run = Benchmark::new(point);
        let extrapolation = self.extrapolation(point);
        let widths = Widths::of(extrapolation.as_ref());
        // Outside what was measured, neighbours say nothing of the error.
        let errors = match extrapolation {
            Some(_) => &self.parameters.errors,
            None => self.parameters.errors_of(&point.written_group),
        };
        let (tpot_errors, ttft_errors) = if point.is_split() {
            (errors.tpot_split, errors.ttft_split)
        } else {
            (errors.tpot, errors.ttft)
        };
        let tpot_ms = figure(&self.parameters.tpot, &run.tpot(), tpot_errors, widths.tpot);
        let ttft_ms = figure(&self.parameters.ttft, &run.ttft(), ttft_errors, widths.ttft);
        let rate = |ttft: f64, tpot: f64| closed_loop_rate(point, ttft, tpot);
        Forecast {
            output_tokens_per_second: Figure {
                value: rate(ttft_ms.value, tpot_ms.value),
                low: rate(ttft_ms.high, tpot_ms.high),
                high: rate(ttft_ms.low, tpot_ms.low),
            },
            ttft_ms,
            tpot_ms,
            extrapolation,
        }
    }

    fn extrapolation(&self, point: &Point) -> Option<String> {
        let outside = outside_measured(self.parameters, &point.chip, point.concurrency);
        let assumed = point
            .assumed
            .then_some("lengths and concurrency are assumed");
        outside.or(assumed.map(str::to_owned))
    }
}

/// The standard normal variate at the ends of an 80 % interval: nine tenths lie below it.
pub const Z_OF_INTERVAL: f64 = 1.281_551_565_544_600_4;

/// Why a deployment with `concurrency` requests in flight lies outside what was measured, if it
/// does: nothing on the chip was, or nothing with so many requests.
fn outside_measured(parameters: &Parameters, chip: &Chip, concurrency: f64) -> Option<String> {
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
        let widths = Widths::of(extrapolation.as_ref());
        Self {
            ttft_interval: interval_factors(ttft, widths.ttft),
            tpot_interval: interval_factors(tpot, widths.tpot),
            extrapolation,
        }
    }

    /// The factors that the times to first token and per token stay below with a probability, told as
    /// the standard normal variate `z` that reaches it: 0 for even odds. Logarithms are taken as normal
    /// on either side of the forecast, through the ends of the interval, and both errors as of one
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

/// Output tokens a second of a closed loop: every request takes its time to first token and then
/// one step per further token.
pub(crate) fn closed_loop_rate(point: &Point, ttft_ms: f64, tpot_ms: f64) -> f64 {
    let output = (point.output_tokens * point.length_share).max(1.0);
    let request_ms = ttft_ms + (output - 1.0) * tpot_ms;
    point.concurrency * output / (request_ms * 1e-3)
}

fn figure(layer: &Layer, explained: &Explained, errors: Residuals, width: f64) -> Figure {
    let ln = predict_ln(layer, explained) - errors.lean;
    // The measurement lies below the forecast by what the forecast lay above it elsewhere.
    let (above, below) = (errors.high - errors.lean, errors.low - errors.lean);
    Figure {
        value: libm::exp(ln),
        low: libm::exp(ln - above.max(0.0) * width),
        high: libm::exp(ln - below.min(0.0) * width),
    }
}

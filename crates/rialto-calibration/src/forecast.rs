//! Forecasts of benchmark runs with their intervals.

use serde::Serialize;

use super::benchmark::Benchmark;
use super::point::Point;
use super::solve::{Explained, predict_ln};
use rialto_fleet::step::{IntervalWidths, Layer, Parameters, Residuals, outside_measured};

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

impl<'a> Forecaster<'a> {
    /// A forecaster over fitted parameters.
    #[must_use]
    pub fn new(parameters: &'a Parameters) -> Self {
        Self { parameters }
    }

    /// The forecast of one run. It never uses what the point measured.
    #[must_use]
    pub fn forecast(&self, point: &Point) -> Forecast {
        let run = Benchmark::new(point);
        let extrapolation = self.extrapolation(point);
        let widths = IntervalWidths::of(extrapolation.as_ref());
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

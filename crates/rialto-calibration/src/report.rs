//! The validation report compares every point's forecast with its measurement, and states the accuracy by
//! chip, model and engine.

use std::collections::BTreeMap;

use serde::Serialize;

use super::fit::{CrossValidation, Grouping};
use super::forecast::{Figure, Forecaster, closed_loop_rate};
use super::point::{Point, Skipped};
use super::reader::PointFile;
use rialto_fleet::step::{Errors, Parameters, Residuals};

/// One figure of one point.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The file.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
    /// The row's own name.
    pub id: String,
    /// The model, as the catalogue calls it.
    pub model: String,
    /// The chip, as the catalogue calls it.
    pub chip: String,
    /// The engine.
    pub engine: &'static str,
    /// The number format.
    pub precision: String,
    /// `ttft_ms`, `tpot_ms` or `output_tokens_per_s`.
    pub figure: &'static str,
    /// The forecast and its interval.
    pub forecast: Figure,
    /// The measurement.
    pub measured: f64,
    /// Forecast over measurement, less one, in percent.
    pub error_percent: f64,
    /// The measurement lies in the interval.
    pub inside: bool,
    /// Whether the measurement is itself computed from two others (throughput of a closed loop).
    pub derived: bool,
    /// Why the run lies outside what was measured, if it does.
    pub extrapolation: Option<String>,
}

/// The accuracy over some rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Accuracy {
    /// Which rows: all, or those of one chip, model or engine.
    pub by: String,
    /// The figure.
    pub figure: &'static str,
    /// Rows.
    pub points: usize,
    /// Mean absolute error, percent of the measurement.
    pub mape_percent: f64,
    /// Median absolute error, percent of the measurement.
    pub median_percent: f64,
    /// Share of measurements inside their interval, percent (80 if the intervals are right).
    pub inside_percent: f64,
}

/// A whole validation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AccuracyReport {
    /// What the parameters were fitted on.
    pub fitted_on: String,
    /// Accuracy: all rows first, then by chip, model and engine.
    pub accuracy: Vec<Accuracy>,
    /// Every figure of every point.
    pub rows: Vec<Row>,
    /// Rows without a forecast, with the reason.
    pub skipped: Vec<Skipped>,
}

/// Forecasts every point and compares it with what was measured.
#[must_use]
pub fn validate(files: &[PointFile], parameters: &Parameters) -> AccuracyReport {
    let forecaster = Forecaster::new(parameters);
    let points = files.iter().flat_map(|f| &f.points);
    let rows: Vec<Row> = points.flat_map(|p| rows(p, &forecaster)).collect();
    let mut accuracy = Vec::new();
    let kinds: [fn(&Row) -> String; 4] = [
        |_| "all".to_owned(),
        |r| format!("chip {}", r.chip),
        |r| format!("model {}", r.model),
        |r| format!("engine {}", r.engine),
    ];
    for by in kinds {
        accuracy.extend(accuracy_by(&rows, by));
    }
    AccuracyReport {
        fitted_on: parameters.fitted_on.clone(),
        accuracy,
        rows,
        skipped: files.iter().flat_map(|f| f.skipped.clone()).collect(),
    }
}

fn rows(point: &Point, forecaster: &Forecaster<'_>) -> Vec<Row> {
    let forecast = forecaster.forecast(point);
    let derived = match (point.output_tokens_per_second, point.ttft_ms, point.tpot_ms) {
        (None, Some(ttft), Some(tpot)) => Some(closed_loop_rate(point, ttft, tpot)),
        _ => None,
    };
    let figures = [
        ("ttft_ms", forecast.ttft_ms, point.ttft_ms),
        ("tpot_ms", forecast.tpot_ms, point.tpot_ms),
        (
            "output_tokens_per_s",
            forecast.output_tokens_per_second,
            point.output_tokens_per_second.or(derived),
        ),
    ];
    let row = |(figure, forecast_value, measured): (&'static str, Figure, Option<f64>)| {
        let measured = measured?;
        Some(Row {
            file: point.file.clone(),
            line: point.line,
            id: point.id.clone(),
            model: point.model.name.clone(),
            chip: point.chip.name.clone(),
            engine: point.engine.name(),
            precision: point.precision.name.clone(),
            figure,
            forecast: forecast_value,
            measured,
            error_percent: 100.0 * (forecast_value.value / measured - 1.0),
            inside: (forecast_value.low..=forecast_value.high).contains(&measured),
            derived: figure == "output_tokens_per_s" && derived.is_some(),
            extrapolation: forecast.extrapolation.clone(),
        })
    };
    figures.into_iter().filter_map(row).collect()
}

fn accuracy_by(rows: &[Row], by: fn(&Row) -> String) -> Vec<Accuracy> {
    let mut groups: BTreeMap<(String, &'static str), Vec<&Row>> = BTreeMap::new();
    for row in rows {
        groups.entry((by(row), row.figure)).or_default().push(row);
    }
    groups
        .into_iter()
        .map(|((by, figure), rows)| accuracy(by, figure, &rows))
        .collect()
}

/// The accuracy of forecasts by fits that never saw a point's group: over all points, by how the phases are
/// placed, and by chip, model and engine. The lean of the errors is removed as in every forecast;
/// throughput follows from the two times, as in [`Forecaster::forecast`].
#[must_use]
pub fn unseen_accuracy(
    points: &[&Point],
    unseen: &CrossValidation,
    parameters: &Parameters,
) -> Vec<Accuracy> {
    let errors = |p: &Point| match unseen.grouping {
        Grouping::Point => parameters.errors_of(&p.written_group),
        _ => &parameters.errors,
    };
    let found: Vec<Unseen<'_>> = points
        .iter()
        .zip(unseen.ttft_ln.iter().zip(&unseen.tpot_ln))
        .flat_map(|(point, (ttft, tpot))| unseen_figures(point, *ttft, *tpot, errors(point)))
        .collect();
    let kinds: [fn(&Point) -> String; 5] = [
        |_| "all".to_owned(),
        |p| {
            let separate = "separate engines";
            let together = "one engine for both phases";
            if p.is_split() { separate } else { together }.to_owned()
        },
        |p| format!("chip {}", p.chip.name),
        |p| format!("model {}", p.model.name),
        |p| format!("engine {}", p.engine.name()),
    ];
    let mut out = Vec::new();
    for by in kinds {
        let mut groups: BTreeMap<(String, &'static str), Vec<(f64, bool)>> = BTreeMap::new();
        for u in &found {
            let rows = groups.entry((by(u.point), u.figure)).or_default();
            rows.push((u.error_percent.abs(), u.inside));
        }
        out.extend(
            groups
                .into_iter()
                .map(|((by, figure), rows)| summary(by, figure, &rows)),
        );
    }
    out
}

/// The error of one figure of one point, forecast by a fit that did not see it.
struct Unseen<'a> {
    point: &'a Point,
    figure: &'static str,
    error_percent: f64,
    inside: bool,
}

fn unseen_figures<'a>(
    point: &'a Point,
    ttft_ln: Option<f64>,
    tpot_ln: Option<f64>,
    errors: &Errors,
) -> Vec<Unseen<'a>> {
    let (ttft_kind, tpot_kind) = if point.is_split() {
        (errors.ttft_split, errors.tpot_split)
    } else {
        (errors.ttft, errors.tpot)
    };
    let time = |figure, ln: f64, kind: Residuals| Unseen {
        point,
        figure,
        error_percent: 100.0 * (libm::exp(ln - kind.lean) - 1.0),
        inside: (kind.low..=kind.high).contains(&ln),
    };
    let mut out = Vec::new();
    out.extend(ttft_ln.map(|ln| time("ttft_ms", ln, ttft_kind)));
    out.extend(tpot_ln.map(|ln| time("tpot_ms", ln, tpot_kind)));
    let (Some(ttft_ms), Some(tpot_ms)) = (point.ttft_ms, point.tpot_ms) else {
        return out;
    };
    if let (Some(ttft_ln), Some(tpot_ln)) = (ttft_ln, tpot_ln) {
        // A time is forecast `ln` too long; its interval reaches from `high` below to `low` above.
        let rate = |ttft: f64, tpot: f64| {
            closed_loop_rate(point, ttft_ms * libm::exp(ttft), tpot_ms * libm::exp(tpot))
        };
        let stated = point.output_tokens_per_second;
        let measured = stated.unwrap_or_else(|| closed_loop_rate(point, ttft_ms, tpot_ms));
        let forecast = rate(ttft_ln - ttft_kind.lean, tpot_ln - tpot_kind.lean);
        let low = rate(ttft_ln - ttft_kind.low, tpot_ln - tpot_kind.low);
        let high = rate(ttft_ln - ttft_kind.high, tpot_ln - tpot_kind.high);
        out.push(Unseen {
            point,
            figure: "output_tokens_per_s",
            error_percent: 100.0 * (forecast / measured - 1.0),
            inside: (low..=high).contains(&measured),
        });
    }
    out
}

fn accuracy(by: String, figure: &'static str, rows: &[&Row]) -> Accuracy {
    let rows: Vec<(f64, bool)> = rows
        .iter()
        .map(|r| (r.error_percent.abs(), r.inside))
        .collect();
    summary(by, figure, &rows)
}

/// Accuracy of absolute errors in percent, each with whether its interval held.
fn summary(by: String, figure: &'static str, rows: &[(f64, bool)]) -> Accuracy {
    let mut errors: Vec<f64> = rows.iter().map(|(e, _)| *e).collect();
    errors.sort_by(f64::total_cmp);
    let count = errors.len().max(1) as f64;
    let inside = rows.iter().filter(|(_, inside)| *inside).count() as f64;
    Accuracy {
        by,
        figure,
        points: errors.len(),
        mape_percent: errors.iter().sum::<f64>() / count,
        median_percent: median(&errors),
        inside_percent: 100.0 * inside / count,
    }
}

/// The median of sorted values; zero for none.
fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    match (sorted.len() % 2, sorted.get(middle)) {
        (_, None) => 0.0,
        (1, Some(m)) => *m,
        (_, Some(m)) => (m + sorted[middle - 1]) / 2.0,
    }
}

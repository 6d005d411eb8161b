//! The validation report: every point's forecast against its measurement, and the accuracy by
//! chip, model and engine.

use std::collections::BTreeMap;

use serde::Serialize;

use super::fit::CrossValidation;
use super::forecast::{Figure, Forecaster, closed_loop_rate};
use super::point::{Point, Skipped};
use super::reader::PointFile;
use crate::step::{Errors, Parameters};

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
    /// The measurement is itself worked out from two others (throughput of a closed loop).
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
    /// Share of measurements inside their interval, percent (80 if it is honest).
    pub inside_percent: f64,
}

/// A whole validation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
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
pub fn validate(files: &[PointFile], parameters: &Parameters) -> Report {
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
    Report {
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

/// The accuracy of forecasts by fits that never saw a point's group: all points, and by how the
/// phases are placed. The errors' lean is taken off as in every forecast.
#[must_use]
pub fn unseen_accuracy(
    points: &[&Point],
    unseen: &CrossValidation,
    errors: &Errors,
) -> Vec<Accuracy> {
    let mut out = Vec::new();
    let figures = [
        ("tpot_ms", &unseen.tpot_ln, errors.tpot, errors.tpot_split),
        ("ttft_ms", &unseen.ttft_ln, errors.ttft, errors.ttft_split),
    ];
    for (figure, logs, together, split) in figures {
        let found: Vec<(bool, f64, bool)> = points
            .iter()
            .zip(logs)
            .filter_map(|(p, ln)| {
                let kind = if p.is_split() { split } else { together };
                let ln = (*ln)?;
                let relative = libm::exp(ln - kind.lean) - 1.0;
                Some((
                    p.is_split(),
                    100.0 * relative,
                    (kind.low..=kind.high).contains(&ln),
                ))
            })
            .collect();
        // All points, then those of one kind.
        let kinds = [
            ("all", None),
            ("one engine for both phases", Some(false)),
            ("separate engines", Some(true)),
        ];
        for (by, only) in kinds {
            let kept = found
                .iter()
                .filter(|(split, ..)| only.is_none_or(|o| o == *split));
            let rows: Vec<(f64, bool)> = kept.map(|(_, e, inside)| (e.abs(), *inside)).collect();
            out.push(summary(by.to_owned(), figure, &rows));
        }
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

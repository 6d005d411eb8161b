//! Tests the capital model on history before it forecasts.
//!
//! Fits revenue, depreciation and cash cost to some quarters of a business, predicts later quarters, and
//! compares the predictions with two naive forecasts: the last value, and a linear trend. A figure that the
//! table derives from others is an input where there is nothing better, but predictions are never scored on
//! it.
//!
//! The model: assets in service, and with them depreciation, grow at a constant rate (a firm that reinvests
//! in proportion to its base); so does revenue; cash cost is a fixed part and a part in proportion to
//! revenue (cost-volume-profit). Changes of depreciation announced before the forecast starts are added.
//! The fit is three regressions of two parameters each, by least squares.

use serde::{Deserialize, Serialize};

use super::calendar::Quarter;
use super::input::{self, Fault};

mod table;

pub use table::{DerivedSpan, Figure, FigureKind, History, HistoryColumns, HistoryRow};

/// A change of depreciation that was published before the forecast starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownChange {
    /// The first quarter it applies to.
    pub from: Quarter,
    /// Added to depreciation, in billions of dollars a year; negative if depreciation falls.
    pub depreciation_usd_b_year: f64,
    /// Where it was published, and when.
    pub source: String,
}

/// What to fit, and what was known beforehand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistorySetup {
    /// The table, relative to the scenario.
    pub file: String,
    /// The file that says which column holds which figure ([`HistoryColumns`]), relative to the scenario;
    /// if absent, the mapping of the shipped table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<String>,
    /// The first quarter fitted.
    pub fit_from: Quarter,
    /// The last quarter fitted.
    pub fit_to: Quarter,
    /// Changes announced before the first quarter predicted.
    #[serde(default)]
    pub known_change: Vec<KnownChange>,
}

impl HistorySetup {
    /// Checks the order of the quarters and that no known change begins inside the fit.
    ///
    /// # Errors
    /// Names the field under `path`.
    pub fn check(&self, path: &str) -> Result<(), Fault> {
        input::name(&format!("{path}.file"), &self.file)?;
        if let Some(columns) = &self.columns {
            input::name(&format!("{path}.columns"), columns)?;
        }
        let length = self.fit_to.since(self.fit_from) + 1;
        if length < 3 {
            let message = format!(
                "dates reversed or too close: {} to {} leaves {} quarters, a fit needs 3",
                self.fit_from,
                self.fit_to,
                length.max(0)
            );
            return Err(Fault::new(format!("{path}.fit_to"), message));
        }
        for (i, change) in self.known_change.iter().enumerate() {
            if change.from <= self.fit_to {
                let message = format!("must lie after the fit, which ends in {}", self.fit_to);
                return Err(Fault::new(
                    format!("{path}.known_change[{i}].from"),
                    message,
                ));
            }
            let path = format!("{path}.known_change[{i}]");
            input::between(
                &format!("{path}.depreciation_usd_b_year"),
                change.depreciation_usd_b_year,
                -1e4,
                1e4,
            )?;
            input::name(&format!("{path}.source"), &change.source)?;
        }
        Ok(())
    }
}

/// A straight line fitted by least squares, with what its prediction intervals need.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FittedLine {
    /// Value at x = 0.
    pub intercept: f64,
    /// Change for each unit of x.
    pub slope: f64,
    mean_x: f64,
    sum_xx: f64,
    residual: f64,
    points: usize,
}

impl FittedLine {
    /// Fits `(x, y)` points; nothing with fewer than three or when all x are equal.
    #[must_use]
    pub fn fit(points: &[(f64, f64)]) -> Option<Self> {
        let n = points.len() as f64;
        if points.len() < 3 {
            return None;
        }
        let mean_x = points.iter().map(|p| p.0).sum::<f64>() / n;
        let mean_y = points.iter().map(|p| p.1).sum::<f64>() / n;
        let sum_xx: f64 = points.iter().map(|p| (p.0 - mean_x) * (p.0 - mean_x)).sum();
        if sum_xx <= 0.0 {
            return None;
        }
        let sum_xy: f64 = points.iter().map(|p| (p.0 - mean_x) * (p.1 - mean_y)).sum();
        let slope = sum_xy / sum_xx;
        let intercept = mean_y - slope * mean_x;
        let squares: f64 = points
            .iter()
            .map(|p| {
                let error = p.1 - intercept - slope * p.0;
                error * error
            })
            .sum();
        let residual = libm::sqrt(squares / (n - 2.0));
        Some(Self {
            intercept,
            slope,
            mean_x,
            sum_xx,
            residual,
            points: points.len(),
        })
    }

    /// The value at `x`.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        self.intercept + self.slope * x
    }

    /// The standard error of a single new point at `x`.
    #[must_use]
    pub fn standard_error(&self, x: f64) -> f64 {
        let off = x - self.mean_x;
        self.residual * libm::sqrt(1.0 + 1.0 / self.points as f64 + off * off / self.sum_xx)
    }

    /// Half the width of the 80 % prediction interval at `x` (Student's t).
    #[must_use]
    pub fn half_width_80(&self, x: f64) -> f64 {
        student_t_90(self.points - 2) * self.standard_error(x)
    }
}

/// The 90 % quantile of Student's t (NIST/SEMATECH e-Handbook, table 1.3.6.7.2).
fn student_t_90(degrees: usize) -> f64 {
    const TABLE: [f64; 10] = [
        3.078, 1.886, 1.638, 1.533, 1.476, 1.440, 1.415, 1.397, 1.383, 1.372,
    ];
    TABLE
        .get(degrees.saturating_sub(1))
        .copied()
        .unwrap_or(1.282)
}

/// The fitted model of a business.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fit {
    /// The last quarter fitted; x counts quarters from the first.
    pub first: Quarter,
    /// The last quarter fitted.
    pub last: Quarter,
    /// Natural logarithm of revenue over time.
    pub log_revenue: FittedLine,
    /// Natural logarithm of depreciation over time.
    pub log_depreciation: FittedLine,
    /// Cash cost over revenue: fixed part and part in proportion.
    pub cash_cost: FittedLine,
}

/// A prediction for one quarter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Predicted {
    /// The quarter.
    pub quarter: Quarter,
    /// Revenue in billions of dollars.
    pub revenue_usd_b: f64,
    /// Depreciation in billions of dollars.
    pub depreciation_usd_b: f64,
    /// The 80 % prediction interval of depreciation.
    pub depreciation_80: (f64, f64),
    /// Operating income over revenue.
    pub margin: f64,
    /// The 80 % prediction interval of the margin.
    pub margin_80: (f64, f64),
}

/// A quarter that cannot be fitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// A quarter of the fit is not in the table or lacks a figure.
    #[error("the fit needs revenue, operating income and depreciation of {0}")]
    Missing(Quarter),
    /// The figures of the fit do not allow a regression.
    #[error("{0} must be above zero and vary between the quarters fitted")]
    Degenerate(&'static str),
    /// No later quarter can be compared with a prediction.
    #[error("no quarter after {0} has a depreciation and margin that are not derived")]
    NoTarget(Quarter),
}

impl HistoryError {
    /// The field of [`HistorySetup`] that asks for the missing quarters.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self {
            Self::Missing(_) | Self::Degenerate(_) => "fit_from",
            Self::NoTarget(_) => "fit_to",
        }
    }
}

/// Fits the model to the quarters from `from` to `to`.
///
/// # Errors
/// When a quarter lacks a figure or the figures allow no regression.
pub fn fit(history: &History, from: Quarter, to: Quarter) -> Result<Fit, HistoryError> {
    let mut points = Points::default();
    for i in 0..=to.since(from) {
        let quarter = from.plus(i);
        let row = history.rows.iter().find(|r| r.quarter == quarter);
        let figures = row.and_then(|r| {
            Some((
                r.revenue?.usd_b,
                r.operating_income?.usd_b,
                r.depreciation?.usd_b,
            ))
        });
        let (revenue, income, depreciation) = figures.ok_or(HistoryError::Missing(quarter))?;
        if revenue <= 0.0 {
            return Err(HistoryError::Degenerate("revenue"));
        }
        if depreciation <= 0.0 {
            return Err(HistoryError::Degenerate("depreciation"));
        }
        let x = f64::from(i);
        points.log_revenue.push((x, libm::log(revenue)));
        points.log_depreciation.push((x, libm::log(depreciation)));
        points
            .cash_cost
            .push((revenue, revenue - income - depreciation));
    }
    Ok(Fit {
        first: from,
        last: to,
        log_revenue: FittedLine::fit(&points.log_revenue)
            .ok_or(HistoryError::Degenerate("revenue"))?,
        log_depreciation: FittedLine::fit(&points.log_depreciation)
            .ok_or(HistoryError::Degenerate("depreciation"))?,
        cash_cost: FittedLine::fit(&points.cash_cost).ok_or(HistoryError::Degenerate("revenue"))?,
    })
}

#[derive(Default)]
struct Points {
    log_revenue: Vec<(f64, f64)>,
    log_depreciation: Vec<(f64, f64)>,
    cash_cost: Vec<(f64, f64)>,
}

impl Fit {
    /// Predicts `quarter`, adding the changes that apply by then.
    #[must_use]
    pub fn predict(&self, quarter: Quarter, changes: &[KnownChange]) -> Predicted {
        let x = f64::from(quarter.since(self.first));
        let revenue = libm::exp(self.log_revenue.at(x));
        let added: f64 = changes
            .iter()
            .filter(|c| c.from <= quarter)
            .map(|c| c.depreciation_usd_b_year / 4.0)
            .sum();
        let trend = libm::exp(self.log_depreciation.at(x));
        let half = self.log_depreciation.half_width_80(x);
        let range = (
            trend * libm::exp(-half) + added,
            trend * libm::exp(half) + added,
        );
        let depreciation = trend + added;
        let margin = 1.0 - (self.cash_cost.at(revenue) + depreciation) / revenue;
        // Cash cost and depreciation err independently; revenue's own error moves both sides.
        let cost_error = self.cash_cost.standard_error(revenue);
        let depreciation_error = trend * self.log_depreciation.standard_error(x);
        let error = libm::hypot(cost_error, depreciation_error) / revenue;
        let margin_half = student_t_90(self.cash_cost.points - 2) * error;
        Predicted {
            quarter,
            revenue_usd_b: revenue,
            depreciation_usd_b: depreciation,
            depreciation_80: range,
            margin,
            margin_80: (margin - margin_half, margin + margin_half),
        }
    }
}

/// Quarters predicted from the newest ones.
const NEWEST_QUARTERS: i32 = 3;

/// Fits the model to the newest quarters, as many as the setup fits, and predicts the quarters after them.
///
/// # Errors
/// When a quarter lacks a figure or the figures allow no regression.
pub fn newest_forecast(
    history: &History,
    setup: &HistorySetup,
) -> Result<Vec<Predicted>, HistoryError> {
    let Some(last) = history.rows.last().map(|r| r.quarter) else {
        return Ok(Vec::new());
    };
    let length = setup.fit_to.since(setup.fit_from);
    // A change that already shows in the quarters fitted must not be added again.
    let fit = fit(history, last.plus(-length), last)?;
    let next = 1..=NEWEST_QUARTERS;
    Ok(next.map(|i| fit.predict(last.plus(i), &[])).collect())
}

/// One predicted quarter, with what happened and the naive forecasts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// What the model predicted.
    pub model: Predicted,
    /// What happened: depreciation in billions of dollars.
    pub actual_depreciation_usd_b: f64,
    /// What happened: margin.
    pub actual_margin: f64,
    /// Depreciation of the last quarter fitted.
    pub last_depreciation_usd_b: f64,
    /// Margin of the last quarter fitted.
    pub last_margin: f64,
    /// Depreciation on the straight line through the quarters fitted.
    pub trend_depreciation_usd_b: f64,
    /// Margin on the straight line through the quarters fitted.
    pub trend_margin: f64,
}

/// Mean errors of one way to forecast.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Score {
    /// The name of the method.
    pub forecast: &'static str,
    /// Mean absolute error of depreciation, as a share of what happened.
    pub depreciation_mape: f64,
    /// Mean absolute error of the margin, in shares of revenue (0.01 is one point).
    pub margin_mae: f64,
}

/// The model's record on history.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Backtest {
    /// The fit.
    pub fit: Fit,
    /// The quarters predicted.
    pub quarters: Vec<Comparison>,
    /// Scores: the model first, then the naive forecasts, then the model's ablations.
    pub scores: Vec<Score>,
    /// Quarters after the fit left out because a figure is derived or absent.
    pub left_out: Vec<Quarter>,
    /// Quarters of the fit that rest on a derived figure.
    pub derived_inputs: Vec<Quarter>,
    /// Share of the quarters whose depreciation fell inside the 80 % interval.
    pub depreciation_inside_80: f64,
    /// Share of the quarters whose margin fell inside the 80 % interval.
    pub margin_inside_80: f64,
}

impl Backtest {
    /// True when the model's depreciation is closer to what happened than both naive forecasts.
    #[must_use]
    pub fn beats_naive_on_depreciation(&self) -> bool {
        self.beats(|s| s.depreciation_mape)
    }

    /// True when the model's margin is closer to what happened than both naive forecasts.
    #[must_use]
    pub fn beats_naive_on_margin(&self) -> bool {
        self.beats(|s| s.margin_mae)
    }

    fn beats(&self, error: impl Fn(&Score) -> f64) -> bool {
        let [model, last, trend, ..] = self.scores.as_slice() else {
            return false;
        };
        error(model) < error(last) && error(model) < error(trend)
    }
}

/// Fits the model to the setup's quarters, predicts every later quarter, and scores the result.
///
/// # Errors
/// When the fit fails or no later quarter can serve as a target.
pub fn backtest(history: &History, setup: &HistorySetup) -> Result<Backtest, HistoryError> {
    let fit = fit(history, setup.fit_from, setup.fit_to)?;
    let inside = |q: Quarter| q >= setup.fit_from && q <= setup.fit_to;
    let fitted: Vec<&HistoryRow> = history.rows.iter().filter(|r| inside(r.quarter)).collect();
    let naive = Naive::new(&fitted).ok_or(HistoryError::Missing(setup.fit_to))?;
    let mut quarters = Vec::new();
    let mut left_out = Vec::new();
    for row in history.rows.iter().filter(|r| r.quarter > setup.fit_to) {
        let Some((depreciation, margin)) = target(row) else {
            left_out.push(row.quarter);
            continue;
        };
        let x = f64::from(row.quarter.since(setup.fit_from));
        quarters.push(Comparison {
            model: fit.predict(row.quarter, &setup.known_change),
            actual_depreciation_usd_b: depreciation,
            actual_margin: margin,
            last_depreciation_usd_b: naive.last_depreciation,
            last_margin: naive.last_margin,
            trend_depreciation_usd_b: naive.depreciation.at(x),
            trend_margin: naive.margin.at(x),
        });
    }
    if quarters.is_empty() {
        return Err(HistoryError::NoTarget(setup.fit_to));
    }
    let scores = scores(&fit, &quarters, &fitted);
    let n = quarters.len() as f64;
    let share = |inside: &dyn Fn(&Comparison) -> bool| {
        quarters.iter().filter(|q| inside(q)).count() as f64 / n
    };
    let within = |value: f64, range: (f64, f64)| range.0 <= value && value <= range.1;
    Ok(Backtest {
        depreciation_inside_80: share(&|q| {
            within(q.actual_depreciation_usd_b, q.model.depreciation_80)
        }),
        margin_inside_80: share(&|q| within(q.actual_margin, q.model.margin_80)),
        derived_inputs: fitted
            .iter()
            .filter(|r| rests_on_derived(r))
            .map(|r| r.quarter)
            .collect(),
        fit,
        scores,
        quarters,
        left_out,
    })
}

fn rests_on_derived(row: &HistoryRow) -> bool {
    let figures = [row.revenue, row.operating_income, row.depreciation];
    figures.iter().flatten().any(|f| f.derived)
}

fn target(row: &HistoryRow) -> Option<(f64, f64)> {
    let (revenue, income) = (row.revenue?, row.operating_income?);
    let depreciation = row.depreciation?;
    if rests_on_derived(row) || revenue.usd_b <= 0.0 || depreciation.usd_b <= 0.0 {
        return None;
    }
    Some((depreciation.usd_b, income.usd_b / revenue.usd_b))
}

struct Naive {
    last_depreciation: f64,
    last_margin: f64,
    depreciation: FittedLine,
    margin: FittedLine,
}

impl Naive {
    fn new(fitted: &[&HistoryRow]) -> Option<Self> {
        let mut depreciation = Vec::new();
        let mut margin = Vec::new();
        for (i, row) in fitted.iter().enumerate() {
            let revenue = row.revenue?.usd_b;
            depreciation.push((i as f64, row.depreciation?.usd_b));
            margin.push((i as f64, row.operating_income?.usd_b / revenue));
        }
        Some(Self {
            last_depreciation: depreciation.last()?.1,
            last_margin: margin.last()?.1,
            depreciation: FittedLine::fit(&depreciation)?,
            margin: FittedLine::fit(&margin)?,
        })
    }
}

fn scores(fit: &Fit, quarters: &[Comparison], fitted: &[&HistoryRow]) -> Vec<Score> {
    let score = |forecast, predict: &dyn Fn(&Comparison) -> (f64, f64)| {
        let n = quarters.len() as f64;
        let mut score = Score {
            forecast,
            depreciation_mape: 0.0,
            margin_mae: 0.0,
        };
        for q in quarters {
            let (depreciation, margin) = predict(q);
            let actual = q.actual_depreciation_usd_b;
            score.depreciation_mape += (depreciation - actual).abs() / actual / n;
            score.margin_mae += (margin - q.actual_margin).abs() / n;
        }
        score
    };
    // The share of revenue that cash cost took on average, for the ablation without a fixed part.
    let costs = fitted.iter().filter_map(|r| {
        let revenue = r.revenue?.usd_b;
        Some((revenue - r.operating_income?.usd_b - r.depreciation?.usd_b) / revenue)
    });
    let mean_cost_share = costs.sum::<f64>() / fitted.len() as f64;
    vec![
        score("model", &|q| (q.model.depreciation_usd_b, q.model.margin)),
        score("last value", &|q| {
            (q.last_depreciation_usd_b, q.last_margin)
        }),
        score("linear trend", &|q| {
            (q.trend_depreciation_usd_b, q.trend_margin)
        }),
        score("model without announced changes", &|q| {
            let plain = fit.predict(q.model.quarter, &[]);
            (plain.depreciation_usd_b, plain.margin)
        }),
        score("model with cash cost in proportion", &|q| {
            let depreciation = q.model.depreciation_usd_b;
            (
                depreciation,
                1.0 - mean_cost_share - depreciation / q.model.revenue_usd_b,
            )
        }),
    ]
}

//! The fit of all parameters and its cross-validation.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::benchmark::{Benchmark, TPOT_PRIOR, TTFT_PRIOR, example};
use super::point::Point;
use super::solve::{Example, Prior, fit, predict_ln};
use rialto_fleet::step::{Errors, Parameters, Residuals};
use rialto_random::mix64;

/// What a fold of the cross-validation leaves out together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grouping {
    /// All points of a model on a chip, whatever the engine and precision.
    ModelChip,
    /// Model, chip, engine and precision; models that share an architecture count as one.
    Combination,
    /// Model, system, backend and precision exactly as the rows write them.
    Written,
    /// Single points, chosen at random: neighbours of the points left out are in the fit.
    Point,
}

impl Grouping {
    fn of(self, point: &Point) -> String {
        match self {
            Self::ModelChip => format!("{} {}", point.model.name, point.chip.name),
            Self::Combination => point.group(),
            Self::Written => point.written_group.clone(),
            // A mixed number scatters neighbouring lines over all folds.
            Self::Point => format!("{:016x} {}", mix64(point.line), point.file),
        }
    }
}

/// Forecasts of every point by fits that never saw its group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CrossValidation {
    /// What was left out.
    pub grouping: Grouping,
    /// Groups.
    pub groups: usize,
    /// Times the model was fitted.
    pub folds: usize,
    /// Logarithm of forecast over measured time per output token, by point.
    pub tpot_ln: Vec<Option<f64>>,
    /// Logarithm of forecast over measured time to first token, by point.
    pub ttft_ln: Vec<Option<f64>>,
}

/// Fits left out per cross-validation; each leaves out every tenth group.
const FOLDS: usize = 10;

/// One of the two fitted figures.
struct Target {
    prior: Prior,
    examples: Vec<Option<Example>>,
}

fn targets(points: &[&Point]) -> [Target; 2] {
    let weights = weights(points);
    let mut tpot = Vec::with_capacity(points.len());
    let mut ttft = Vec::with_capacity(points.len());
    for (point, weight) in points.iter().zip(weights) {
        let run = Benchmark::new(point);
        tpot.push(example(point.tpot_ms, weight, run.tpot()));
        ttft.push(example(point.ttft_ms, weight, run.ttft()));
    }
    [
        Target {
            prior: TPOT_PRIOR,
            examples: tpot,
        },
        Target {
            prior: TTFT_PRIOR,
            examples: ttft,
        },
    ]
}

/// Single trials of planned configurations scatter several times more than sweeps do.
const TRIAL_WEIGHT: f64 = 0.25;

/// The weight of a vendor's published figure: it stands for a whole sweep that nobody published.
const PUBLISHED_WEIGHT: f64 = 4.0;

/// The weight of a run that matches launches with and without drafting: it says little about either.
const UNDECIDED_WEIGHT: f64 = 0.1;

/// If the data hold copies of a measurement, each row counts less: one over the square root of the number
/// of copies.
fn weights(points: &[&Point]) -> Vec<f64> {
    let key = |p: &Point| {
        let tenths = |x: Option<f64>| x.map(|x| libm::round(x * 10.0) as i64);
        (p.model.name.clone(), tenths(p.ttft_ms), tenths(p.tpot_ms))
    };
    let mut copies: BTreeMap<_, f64> = BTreeMap::new();
    for point in points {
        *copies.entry(key(point)).or_default() += 1.0;
    }
    let share = |p: &Point| match p.client {
        "trial" => TRIAL_WEIGHT,
        "fixed" => PUBLISHED_WEIGHT,
        _ if p.is_undecided() => UNDECIDED_WEIGHT,
        _ => 1.0,
    };
    let weight = |p: &Point| share(p) / libm::sqrt(copies.get(&key(p)).copied().unwrap_or(1.0));
    points.iter().map(|p| weight(p)).collect()
}

/// Fits all parameters to the points. Intervals come from cross-validations of the same points: those for
/// groups that were never measured from `unseen`, which leaves whole groups out; those for measured groups
/// from `between`, which leaves single points out.
#[must_use]
pub fn calibrate(
    points: &[&Point],
    unseen: &CrossValidation,
    between: &CrossValidation,
    fitted_on: &str,
) -> Parameters {
    let [tpot, ttft] = targets(points);
    let chips: BTreeSet<String> = points
        .iter()
        .filter(|p| p.tpot_ms.is_some())
        .map(|p| p.chip.name.clone())
        .collect();
    let mut points_of: BTreeMap<&str, usize> = BTreeMap::new();
    for point in points {
        *points_of.entry(&point.written_group).or_default() += 1;
    }
    let measured = |p: &Point| points_of[p.written_group.as_str()] >= MEASURED_POINTS;
    let groups = points_of.iter().filter(|(_, n)| **n >= MEASURED_POINTS);
    let all = |t: &Target| fit(&t.examples.iter().flatten().collect::<Vec<_>>(), &t.prior);
    Parameters {
        fitted_on: fitted_on.to_owned(),
        measured_chips: chips.into_iter().collect(),
        measured_groups: groups.map(|(g, _)| (*g).to_owned()).collect(),
        errors: errors(points, unseen, |_| true),
        measured_errors: errors(points, between, measured),
        tpot: all(&tpot),
        ttft: all(&ttft),
    }
}

/// Forecasts every point by a fit that never saw its group.
#[must_use]
pub fn cross_validate(points: &[&Point], grouping: Grouping) -> CrossValidation {
    let names: Vec<String> = points.iter().map(|p| grouping.of(p)).collect();
    let groups: BTreeSet<&String> = names.iter().collect();
    // A multiplicative shuffle deals groups of one model to different folds.
    let folds: BTreeMap<&String, usize> = groups
        .iter()
        .enumerate()
        .map(|(i, g)| (*g, (i * 7) % FOLDS))
        .collect();
    let fold_of: Vec<usize> = names
        .iter()
        .map(|n| folds.get(n).copied().unwrap_or_default())
        .collect();
    let [tpot, ttft] = targets(points);
    CrossValidation {
        grouping,
        groups: groups.len(),
        folds: FOLDS.min(groups.len()),
        tpot_ln: leave_out(&tpot, &fold_of),
        ttft_ln: leave_out(&ttft, &fold_of),
    }
}

fn leave_out(target: &Target, fold_of: &[usize]) -> Vec<Option<f64>> {
    let mut errors = vec![None; target.examples.len()];
    for fold in 0..FOLDS {
        let inside: Vec<&Example> = target
            .examples
            .iter()
            .zip(fold_of)
            .filter(|(_, f)| **f != fold)
            .filter_map(|(e, _)| e.as_ref())
            .collect();
        if inside.len() == target.examples.len() || inside.is_empty() {
            continue;
        }
        let layer = fit(&inside, &target.prior);
        for (i, example) in target.examples.iter().enumerate() {
            if let Some(e) = example.as_ref().filter(|_| fold_of[i] == fold) {
                errors[i] = Some(predict_ln(&layer, &e.explained) - e.target_ln);
            }
        }
    }
    errors
}

/// A group with fewer points has too few to estimate the errors between them.
const MEASURED_POINTS: usize = 10;

fn errors(points: &[&Point], unseen: &CrossValidation, of: impl Fn(&Point) -> bool) -> Errors {
    let pick = |errors: &[Option<f64>], split: bool| {
        let of_kind = points
            .iter()
            .zip(errors)
            .filter(|(p, _)| p.is_split() == split && of(p));
        residuals(of_kind.filter_map(|(_, e)| *e).collect())
    };
    Errors {
        tpot: pick(&unseen.tpot_ln, false),
        tpot_split: pick(&unseen.tpot_ln, true),
        ttft: pick(&unseen.ttft_ln, false),
        ttft_split: pick(&unseen.ttft_ln, true),
    }
}

fn residuals(mut errors: Vec<f64>) -> Residuals {
    errors.sort_by(f64::total_cmp);
    let last = errors.len().saturating_sub(1) as f64;
    let at = |share: f64| {
        let value = errors
            .get(libm::round(last * share) as usize)
            .copied()
            .unwrap_or(0.0);
        libm::round(value * 1e3) / 1e3
    };
    Residuals {
        low: at(0.1),
        high: at(0.9),
        lean: lean(&errors),
        points: errors.len() as u32,
    }
}

/// The shift, in steps of 0.01, that makes the mean relative error smallest.
fn lean(errors: &[f64]) -> f64 {
    let relative = |shift: f64| -> f64 {
        errors
            .iter()
            .map(|e| (libm::exp(e - shift) - 1.0).abs())
            .sum()
    };
    let steps = (0..=40).map(|i| f64::from(i) * 0.01);
    steps
        .min_by(|a, b| relative(*a).total_cmp(&relative(*b)))
        .unwrap_or(0.0)
}

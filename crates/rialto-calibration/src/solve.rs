//! The penalised robust fit of scaled terms to measured times.
//!
//! The model of one measurement is the mean over kinds of step of `exp(all) * combine(terms[i] *
//! exp(scale_i))`, where `all` and every `scale_i` are sums of fitted numbers: a base per term and the
//! effects that apply, and `combine` adds the terms, without those that overlap with others. The fit
//! minimises the pseudo-Huber loss of the logarithmic error plus each number's squared distance from its
//! prior over the prior's variance, which is the posterior mode of a hierarchical model. Method:
//! Gauss-Newton with iteratively reweighted least squares (Holland and Welsch, 1977); each step solves the
//! normal equations by conjugate gradients with a diagonal preconditioner. All sums run in a fixed order,
//! so that a fit repeats bit for bit on one platform.

use std::collections::BTreeMap;

use rialto_fleet::step::Layer;

/// One effect on a measurement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Feature {
    /// The key of the fitted number.
    pub(crate) key: String,
    /// The term it scales; none for all.
    pub(crate) term: Option<usize>,
    /// The fitted number is multiplied with this.
    pub(crate) value: f64,
    /// Standard deviation of its prior.
    pub(crate) spread: f64,
}

/// Some of the steps behind a mean time.
#[derive(Debug, Clone)]
pub(crate) struct Kind {
    /// Their weight: their share of all steps behind a mean, or the number of such steps one after another.
    pub(crate) share: f64,
    /// Unscaled terms, milliseconds.
    pub(crate) terms: Vec<f64>,
}

/// Keeps of the scaled terms of a step only those that count; they add up to its time.
pub(crate) type Combine = fn(&mut [f64]);

/// The steps and effects that explain a time.
#[derive(Debug, Clone)]
pub(crate) struct Explained {
    /// The kinds of step it is a mean over.
    pub(crate) kinds: Vec<Kind>,
    /// How the terms of a step make up its time.
    pub(crate) combine: Combine,
    /// Effects that apply.
    pub(crate) features: Vec<Feature>,
}

impl Explained {
    /// The mean time at these logarithms of the terms' scales, and the share of each term in it.
    fn mean(&self, scale: &[f64]) -> (f64, Vec<f64>) {
        let mut shares = vec![0.0; scale.len()];
        for kind in &self.kinds {
            let scaled = kind.terms.iter().zip(scale);
            let mut parts: Vec<f64> = scaled.map(|(t, s)| t * libm::exp(*s)).collect();
            (self.combine)(&mut parts);
            for (share, part) in shares.iter_mut().zip(&parts) {
                *share += kind.share * part;
            }
        }
        let sum = shares.iter().sum::<f64>().max(1e-12);
        for share in &mut shares {
            *share /= sum;
        }
        (sum, shares)
    }
}

/// One measurement with what explains it.
#[derive(Debug, Clone)]
pub(crate) struct Example {
    /// Terms and effects behind it.
    pub(crate) explained: Explained,
    /// Logarithm of the measurement in milliseconds.
    pub(crate) target_ln: f64,
    /// How much it counts.
    pub(crate) weight: f64,
}

/// The expected base of each term.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prior {
    /// Expected logarithm of each term's scale.
    pub(crate) base: &'static [f64],
    /// Its standard deviation.
    pub(crate) spread: &'static [f64],
    /// Standard deviation of a measurement's logarithmic error.
    pub(crate) noise: f64,
    /// Logarithmic error beyond which the loss grows linearly and no longer with the square.
    pub(crate) robust: f64,
}

const STEPS: usize = 14;
const LARGEST_MOVE: f64 = 0.5;
const CONVERGED: f64 = 1e-3;
const CG_ROUNDS: usize = 120;
const CG_TOLERANCE: f64 = 1e-5;
/// Fitted numbers are kept in steps of one over this.
const DECIMALS: f64 = 1e4;
/// Effects smaller than this are left out of the parameter file.
const SMALLEST_EFFECT: f64 = 0.004;

/// The logarithm of the forecast.
pub(crate) fn predict_ln(layer: &Layer, explained: &Explained) -> f64 {
    let mut scale = layer.base.clone();
    let mut all = 0.0;
    for feature in &explained.features {
        let Some(fitted) = layer.effects.get(&feature.key) else {
            continue;
        };
        match feature.term {
            None => all += fitted * feature.value,
            Some(t) => {
                if let Some(slot) = scale.get_mut(t) {
                    *slot += fitted * feature.value;
                }
            }
        }
    }
    libm::log(explained.mean(&scale).0) + all
}

/// Fits the bases and all effects that the examples name.
pub(crate) fn fit(examples: &[&Example], prior: &Prior) -> Layer {
    let mut system = System::new(examples, prior);
    for _ in 0..STEPS {
        let step = system.step(prior);
        let largest = step.iter().fold(0.0_f64, |m, d| m.max(d.abs()));
        for (p, d) in system.fitted.iter_mut().zip(&step) {
            *p += d.clamp(-LARGEST_MOVE, LARGEST_MOVE);
        }
        if largest < CONVERGED {
            break;
        }
    }
    system.into_layer(prior)
}

/// One entry of the sparse design: which fitted number, which term, which multiplier.
#[derive(Clone, Copy)]
struct Entry {
    column: usize,
    term: Option<usize>,
    value: f64,
}

struct System<'a> {
    examples: &'a [&'a Example],
    keys: Vec<&'a str>,
    rows: Vec<Vec<Entry>>,
    fitted: Vec<f64>,
    centre: Vec<f64>,
    precision: Vec<f64>,
}

impl<'a> System<'a> {
    fn new(examples: &'a [&'a Example], prior: &Prior) -> Self {
        let terms = prior.base.len();
        let mut spreads: BTreeMap<&str, f64> = BTreeMap::new();
        for feature in examples.iter().flat_map(|e| &e.explained.features) {
            spreads.insert(&feature.key, feature.spread);
        }
        let index: BTreeMap<&str, usize> = spreads
            .keys()
            .enumerate()
            .map(|(i, k)| (*k, terms + i))
            .collect();
        let rows = examples.iter().map(|e| {
            let features = e.explained.features.iter().filter_map(|f| {
                let column = *index.get(f.key.as_str())?;
                Some(Entry {
                    column,
                    term: f.term,
                    value: f.value,
                })
            });
            let base = (0..terms).map(|t| Entry {
                column: t,
                term: Some(t),
                value: 1.0,
            });
            base.chain(features).collect()
        });
        let mut centre = prior.base.to_vec();
        centre.resize(terms + spreads.len(), 0.0);
        let of_base = prior.spread.iter().map(|s| 1.0 / (s * s));
        let of_effects = spreads.values().map(|s| 1.0 / (s * s));
        Self {
            examples,
            rows: rows.collect(),
            fitted: centre.clone(),
            centre,
            precision: of_base.chain(of_effects).collect(),
            keys: spreads.into_keys().collect(),
        }
    }

    /// The Gauss-Newton step from here.
    fn step(&self, prior: &Prior) -> Vec<f64> {
        let columns = self.fitted.len();
        let mut gradient: Vec<f64> = (0..columns)
            .map(|c| -self.precision[c] * (self.fitted[c] - self.centre[c]))
            .collect();
        let mut diagonal = self.precision.clone();
        let mut design: Vec<Vec<(usize, f64)>> = Vec::with_capacity(self.rows.len());
        let mut weights = Vec::with_capacity(self.rows.len());
        for (example, row) in self.examples.iter().zip(&self.rows) {
            let (forecast, shares) = self.evaluate(example, row, prior.base.len());
            let error = example.target_ln - forecast;
            let robust = libm::sqrt(1.0 + (error / prior.robust) * (error / prior.robust));
            // The relative error |exp(-error) - 1| grows faster above the measurement than below.
            let lean = libm::exp(-error.clamp(-1.0, 1.0));
            let weight = example.weight * lean / robust / (prior.noise * prior.noise);
            let slopes: Vec<(usize, f64)> = row
                .iter()
                .map(|e| (e.column, e.value * e.term.map_or(1.0, |t| shares[t])))
                .collect();
            for (column, slope) in &slopes {
                gradient[*column] += weight * slope * error;
                diagonal[*column] += weight * slope * slope;
            }
            design.push(slopes);
            weights.push(weight);
        }
        conjugate_gradients(&gradient, &diagonal, |x| {
            self.curvature(&design, &weights, x)
        })
    }

    /// The forecast's logarithm and the share of each term in it.
    fn evaluate(&self, example: &Example, row: &[Entry], terms: usize) -> (f64, Vec<f64>) {
        let mut scale = vec![0.0; terms];
        let mut all = 0.0;
        for entry in row {
            let amount = self.fitted[entry.column] * entry.value;
            match entry.term {
                Some(t) => scale[t] += amount,
                None => all += amount,
            }
        }
        let (sum, shares) = example.explained.mean(&scale);
        (libm::log(sum) + all, shares)
    }

    /// The penalised normal matrix times a vector.
    fn curvature(&self, design: &[Vec<(usize, f64)>], weights: &[f64], x: &[f64]) -> Vec<f64> {
        let mut out: Vec<f64> = x.iter().zip(&self.precision).map(|(x, p)| x * p).collect();
        for (row, weight) in design.iter().zip(weights) {
            let along: f64 = row.iter().map(|(c, slope)| slope * x[*c]).sum();
            let scaled = along * weight;
            for (c, slope) in row {
                out[*c] += slope * scaled;
            }
        }
        out
    }

    fn into_layer(self, prior: &Prior) -> Layer {
        let rounded = |x: f64| libm::round(x * DECIMALS) / DECIMALS;
        let terms = prior.base.len();
        let base = self.fitted[..terms].iter().map(|x| rounded(*x)).collect();
        let effects = self.keys.iter().zip(&self.fitted[terms..]);
        let effects = effects.map(|(k, x)| ((*k).to_owned(), rounded(*x)));
        Layer {
            base,
            effects: effects
                .filter(|(_, x)| x.abs() >= SMALLEST_EFFECT)
                .collect(),
        }
    }
}

fn conjugate_gradients(
    right: &[f64],
    diagonal: &[f64],
    matrix: impl Fn(&[f64]) -> Vec<f64>,
) -> Vec<f64> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let scaled = |r: &[f64]| {
        r.iter()
            .zip(diagonal)
            .map(|(r, d)| r / d)
            .collect::<Vec<f64>>()
    };
    let mut x = vec![0.0; right.len()];
    let mut residual = right.to_vec();
    let mut search = scaled(&residual);
    let mut rho = dot(&residual, &search);
    let goal = rho * CG_TOLERANCE * CG_TOLERANCE;
    for _ in 0..CG_ROUNDS {
        if rho <= goal {
            break;
        }
        let image = matrix(&search);
        let length = rho / dot(&search, &image);
        for i in 0..x.len() {
            x[i] += length * search[i];
            residual[i] -= length * image[i];
        }
        let next = scaled(&residual);
        let rho_next = dot(&residual, &next);
        let turn = rho_next / rho;
        for i in 0..search.len() {
            search[i] = next[i] + turn * search[i];
        }
        rho = rho_next;
    }
    x
}

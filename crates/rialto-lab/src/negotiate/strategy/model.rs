//! Estimates what the other side wants, from its offers alone.
//!
//! Holds the frequency model of HardHeaded (van Krimpen, Looije, Hajizadeh 2013): the more often a value is
//! asked for, the more it is worth; the less often the value of an issue changes, the more the issue
//! weighs. It never sees the other's utilities: an estimate is a rank, not a measure.

use std::sync::Arc;

use crate::negotiate::domain::{Outcome, Space};

/// How fast issues that stay unchanged gain weight.
const LEARNING: f64 = 0.2;

/// Counts of values and weights of issues.
pub struct Frequencies {
    space: Arc<Space>,
    counts: Vec<Vec<f64>>,
    most: Vec<f64>,
    weights: Vec<f64>,
    last: Option<Outcome>,
}

impl Frequencies {
    /// A model that knows nothing: all issues weigh the same.
    #[must_use]
    pub fn new(space: Arc<Space>) -> Self {
        let issues = space.issues();
        let counts = issues.iter().map(|issue| vec![1.0; issue.len()]).collect();
        let weights = vec![1.0 / issues.len() as f64; issues.len()];
        let most = vec![1.0; issues.len()];
        Self {
            space,
            counts,
            most,
            weights,
            last: None,
        }
    }

    /// Learns from an offer.
    pub fn observe(&mut self, offer: Outcome) {
        let issues = self.weights.len();
        if let Some(last) = self.last {
            let gain = LEARNING / issues as f64;
            for issue in 0..issues {
                if self.space.value(last, issue) == self.space.value(offer, issue) {
                    self.weights[issue] += gain;
                }
            }
            let sum: f64 = self.weights.iter().sum();
            self.weights.iter_mut().for_each(|w| *w /= sum);
        }
        for issue in 0..issues {
            let count = &mut self.counts[issue][self.space.value(offer, issue)];
            *count += 1.0;
            self.most[issue] = self.most[issue].max(*count);
        }
        self.last = Some(offer);
    }

    /// How much the other seems to like an outcome, in `[0, 1]`.
    #[must_use]
    pub fn estimate(&self, outcome: Outcome) -> f64 {
        let mut sum = 0.0;
        for (issue, weight) in self.weights.iter().enumerate() {
            let count = self.counts[issue][self.space.value(outcome, issue)];
            sum += weight * count / self.most[issue];
        }
        sum
    }
}

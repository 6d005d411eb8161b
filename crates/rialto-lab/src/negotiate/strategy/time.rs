//! Time-dependent concession: the target falls with relative time alone.
//!
//! It is the polynomial tactic of Faratin, Sierra and Jennings (1998), with the acceptance rule and the
//! choice of offers of NegMAS's `BoulwareTBNegotiator`, `LinearTBNegotiator` and `ConcederTBNegotiator`, so
//! that both programs reach the same agreements. It never reacts to what the other offers.

use std::sync::Arc;

use crate::negotiate::preferences::Preferences;
use crate::negotiate::session::{Action, Strategy, Turn};

pub(super) struct Time {
    wishes: Arc<Preferences>,
    exponent: f64,
    tolerance: f64,
}

impl Time {
    pub(super) fn new(wishes: Arc<Preferences>, exponent: f64, tolerance: f64) -> Self {
        Self {
            wishes,
            exponent,
            tolerance,
        }
    }

    fn target(&self, time: f64) -> f64 {
        let floor = self.wishes.floor();
        let aspiration = 1.0 - power(time, self.exponent);
        let target = (1.0 - floor) * aspiration + floor - self.tolerance;
        target.clamp(floor.min(1.0), 1.0)
    }
}

impl Strategy for Time {
    fn act(&mut self, turn: &Turn) -> Action {
        let target = self.target(turn.time);
        if let Some(offer) = turn.offer
            && self.wishes.utility(offer) >= target
            && self.wishes.rational() > 0
        {
            return Action::Accept;
        }
        self.wishes
            .at_least(target)
            .map_or(Action::Leave, Action::Offer)
    }
}

/// `time^exponent`, the common exponents without a library's logarithm.
pub(super) fn power(time: f64, exponent: f64) -> f64 {
    match exponent {
        1.0 => time,
        4.0 => (time * time) * (time * time),
        0.25 => time.sqrt().sqrt(),
        _ => libm::pow(time, exponent),
    }
}

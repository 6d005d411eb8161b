//! A late conceder that offers what the other seems to like.
//!
//! It combines three known parts (named as in Baarslag et al. 2014): the target falls as Boulware's does;
//! of the outcomes just above the target, it offers the one that the frequency model of HardHeaded
//! estimates best for the other side; it accepts what is at least as good as its next offer.

use std::sync::Arc;

use super::model::Frequencies;
use super::time::power;
use crate::negotiate::preferences::{Preferences, Side};
use crate::negotiate::session::{Action, Strategy, Turn};

/// How far above the target an offer may be.
const BAND: f64 = 0.05;
/// The most outcomes that are considered for one offer.
const LOOKED_AT: usize = 256;

pub(super) struct Frequency {
    wishes: Arc<Preferences>,
    model: Frequencies,
}

impl Frequency {
    pub(super) fn new(side: &Side) -> Self {
        Self {
            wishes: side.wishes.clone(),
            model: Frequencies::new(side.space.clone()),
        }
    }
}

impl Strategy for Frequency {
    fn act(&mut self, turn: &Turn) -> Action {
        if let Some(offer) = turn.offer {
            self.model.observe(offer);
        }
        let floor = self.wishes.floor();
        let target = (1.0 - floor) * (1.0 - power(turn.time, 4.0)) + floor;
        let Some(least) = self.wishes.at_least(target) else {
            return Action::Leave;
        };
        let band = self.wishes.band(target, target + BAND);
        let step = band.len().div_ceil(LOOKED_AT).max(1);
        let mut best = (f64::NEG_INFINITY, least);
        for outcome in band.step_by(step).map(|position| self.wishes.at(position)) {
            let liked = self.model.estimate(outcome);
            if liked > best.0 {
                best = (liked, outcome);
            }
        }
        let next = best.1;
        match turn.offer {
            Some(offer) if self.wishes.utility(offer) >= self.wishes.utility(next) => {
                Action::Accept
            }
            _ => Action::Offer(next),
        }
    }
}

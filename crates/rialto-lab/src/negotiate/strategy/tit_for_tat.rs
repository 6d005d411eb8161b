//! Tit-for-tat in own utility.
//!
//! Faratin, Sierra and Jennings' absolute tit-for-tat (1998) with a window of one and no random part: the
//! target falls by as much as the other side's last offer is better for us than its offer before, and rises
//! by as much as that offer is worse. Two such strategies would wait for each other forever, so the second
//! offer is one smallest step below the first, as in NegMAS's `NaiveTitForTatNegotiator`. It never concedes
//! with time.

use std::sync::Arc;

use crate::negotiate::preferences::Preferences;
use crate::negotiate::session::{Action, Strategy, Turn};

pub(super) struct TitForTat {
    wishes: Arc<Preferences>,
    level: f64,
    offers: u32,
    before: Option<f64>,
}

impl TitForTat {
    pub(super) fn new(wishes: Arc<Preferences>) -> Self {
        Self {
            wishes,
            level: 1.0,
            offers: 0,
            before: None,
        }
    }
}

impl Strategy for TitForTat {
    fn act(&mut self, turn: &Turn) -> Action {
        let offered = turn.offer.map(|offer| self.wishes.utility(offer));
        if let (Some(now), Some(before)) = (offered, self.before) {
            self.level -= now - before;
        }
        if self.offers == 1 {
            let step = self
                .wishes
                .ranked(1)
                .map_or(1.0, |second| self.wishes.utility(second));
            self.level = self.level.min(step);
        }
        self.level = self.level.clamp(self.wishes.floor().min(1.0), 1.0);
        self.before = offered;
        self.offers += 1;
        if self.wishes.rational() > 0 && offered.is_some_and(|now| now >= self.level) {
            return Action::Accept;
        }
        self.wishes
            .at_least(self.level)
            .map_or(Action::Leave, Action::Offer)
    }
}

//! MiCRO: minimal concession in reply to new offers.
//!
//! De Jonge's benchmark strategy (IJCAI 2022): it goes through the outcomes in order of its own utility.
//! While it has made no more different offers than it has received, it offers the next one; otherwise it
//! repeats one of its own at random. It accepts an offer that is at least as good as the worst that it
//! would make. It uses neither the deadline nor a model of the opponent.

use std::collections::HashSet;
use std::sync::Arc;

use crate::negotiate::domain::Outcome;
use crate::negotiate::preferences::Preferences;
use crate::negotiate::session::{Action, Strategy, Turn};
use rialto_random::SplitMix64;

pub(super) struct Micro {
    wishes: Arc<Preferences>,
    rng: SplitMix64,
    made: usize,
    got: HashSet<Outcome>,
}

impl Micro {
    pub(super) fn new(wishes: Arc<Preferences>, seed: u64) -> Self {
        Self {
            wishes,
            rng: SplitMix64::seeded(seed),
            made: 0,
            got: HashSet::new(),
        }
    }
}

impl Strategy for Micro {
    fn act(&mut self, turn: &Turn) -> Action {
        if let Some(offer) = turn.offer {
            self.got.insert(offer);
        }
        let next = self
            .wishes
            .ranked(self.made)
            .filter(|_| self.made <= self.got.len());
        let least = next.or_else(|| self.wishes.ranked(self.made.checked_sub(1)?));
        let Some(least) = least else {
            return Action::Leave;
        };
        if turn
            .offer
            .is_some_and(|o| self.wishes.utility(o) >= self.wishes.utility(least))
        {
            return Action::Accept;
        }
        if let Some(next) = next {
            self.made += 1;
            return Action::Offer(next);
        }
        let again = self.rng.below(self.made);
        self.wishes
            .ranked(again)
            .map_or(Action::Leave, Action::Offer)
    }
}

//! Rialto's own strategy: it reciprocates with an opponent that waits, and holds out against one that
//! concedes by itself.
//!
//! One observation distinguishes two kinds of opponent. An opponent that waits for concessions never makes
//! more than one different offer beyond those it received; one that is further ahead concedes by itself.
//! Answering the second kind gains nothing, so this strategy stays with its best outcomes until the
//! deadline is near, and then comes down to the best offer it received. The first kind gets one new offer
//! for each of its own, one step behind; near the deadline it gets a little more, and then about as much as
//! it concedes. So two copies of this strategy reach an agreement, and an opponent that concedes nothing
//! gains nothing. Among outcomes of acceptable utility, the strategy offers the one that the opponent seems
//! to like most. It never sees the opponent's preferences.
//!
//! The constants were chosen on generated domains that are not among those of the reported figures; see
//! docs/negotiation.md.

use std::collections::HashSet;
use std::sync::Arc;

use super::model::Frequencies;
use crate::negotiate::domain::Outcome;
use crate::negotiate::preferences::{Preferences, Side};
use crate::negotiate::session::{Action, Strategy, Turn};

/// The most outcomes that are considered for one offer.
const LOOKED_AT: usize = 512;
/// The most turns for which an answer is held back to see whether the other goes on by itself.
const HOLD: u32 = 3;
/// What an answer is held back at least, for a trial.
const TRIAL_HOLD: u32 = 2;
/// How many of the first answers are trials, and how often one is after that.
const TRIALS: usize = 3;
const RETRIAL: usize = 10;
/// Turns at equal numbers of offers before going first.
const PATIENCE: u32 = 2;
/// Share of a domain that two sides go through before they agree; it decides how much time there is for
/// holding back.
const SHARE: f64 = 0.3;
/// Utility within which answers are chosen by what the other likes.
const SLACK: f64 = 0.05;
/// Utility given up from the start against an opponent that concedes by itself, for outcomes that
/// it likes.
const ASIDE: f64 = 0.02;
/// Share of the time, and turns, in which this one comes down to the best that it was offered.
const END: f64 = 0.04;
const END_TURNS: f64 = 4.0;
/// Share of the time, and turns, in which two that wait come nearer.
const MEET: f64 = 0.03;
const MEET_TURNS: f64 = 12.0;
/// No phase at the end is longer than this share of all rounds.
const LATE: f64 = 0.3;
/// Utility conceded first when two that wait approach each other, and how much of a gain is
/// conceded in return.
const STEP: f64 = 0.06;
const ECHO: f64 = 1.1;
/// How much of the coming discount is conceded in advance.
const HASTE: f64 = 0.4;

pub(super) struct Rialto {
    wishes: Arc<Preferences>,
    model: Frequencies,
    /// True of the side that acts second in a round: nobody answers its last offer.
    closes: Option<bool>,
    /// Different offers made.
    known: HashSet<Outcome>,
    last: Outcome,
    /// Different offers got, and the best of them.
    got: HashSet<Outcome>,
    best_got: Option<Outcome>,
    /// True once the other made an offer that its waiting would not explain.
    unasked: bool,
    /// Turns since the last new offer of either side.
    still: u32,
    /// Level and best utility got when the last approach began.
    meeting: Option<(f64, f64)>,
}

impl Strategy for Rialto {
    fn act(&mut self, turn: &Turn) -> Action {
        let closes = *self.closes.get_or_insert(turn.offer.is_some());
        if let Some(offer) = turn.offer {
            self.hear(offer);
        }
        if self.wishes.rational() == 0 {
            Action::Leave
        } else if self.unasked {
            self.hold_out(turn, closes)
        } else {
            self.reciprocate(turn)
        }
    }
}

impl Rialto {
    pub(super) fn new(side: &Side) -> Self {
        Self {
            last: side.wishes.best(),
            wishes: side.wishes.clone(),
            model: Frequencies::new(side.space.clone()),
            closes: None,
            known: HashSet::new(),
            got: HashSet::new(),
            best_got: None,
            unasked: false,
            still: 0,
            meeting: None,
        }
    }

    /// Takes in what the other offered.
    fn hear(&mut self, offer: Outcome) {
        if !self.got.insert(offer) {
            self.still += 1;
            return;
        }
        self.model.observe(offer);
        let utility = self.wishes.utility(offer);
        if self
            .best_got
            .is_none_or(|best| utility > self.wishes.utility(best))
        {
            self.best_got = Some(offer);
        }
        self.unasked |= self.got.len() > self.known.len() + 1;
        self.still = 0;
    }

    /// The utility of the best offer got, or of no agreement.
    fn best(&self) -> f64 {
        let floor = self.wishes.floor();
        self.best_got
            .map_or(floor, |outcome| self.wishes.utility(outcome))
            .max(floor)
    }

    /// The outcome that the opponent seems to like most among those with utilities in a range; `new` leaves
    /// out what was offered before.
    fn liked(&self, low: f64, high: f64, new: bool) -> Option<Outcome> {
        let band = self.wishes.band(low, high);
        let step = band.len().div_ceil(LOOKED_AT).max(1);
        let mut best: Option<(f64, Outcome)> = None;
        for outcome in band
            .rev()
            .step_by(step)
            .map(|position| self.wishes.at(position))
        {
            if new && self.known.contains(&outcome) {
                continue;
            }
            let liked = self.model.estimate(outcome);
            if best.is_none_or(|(most, _)| liked > most) {
                best = Some((liked, outcome));
            }
        }
        best.map(|(_, outcome)| outcome)
    }

    /// The turn against an opponent that concedes by itself.
    fn hold_out(&self, turn: &Turn, closes: bool) -> Action {
        let (floor, best) = (self.wishes.floor(), self.best());
        let firm = firmness(turn, closes);
        let pressure = self.wishes.discounted(1.0, HASTE * (1.0 - turn.time));
        let level = (best + (1.0 - best) * firm - ASIDE).max(best) * pressure;
        // Whoever acts last has nothing to wait for.
        let last = closes && turn.rounds.is_some_and(|rounds| turn.round + 1 >= rounds);
        let level = if last { floor } else { level.max(floor) };
        if turn
            .offer
            .is_some_and(|offer| self.wishes.utility(offer) >= level)
        {
            return Action::Accept;
        }
        let high = (level + 2.0 * ASIDE).min(1.0);
        let liked = if firm > 0.0 {
            self.liked(level, high, false)
        } else {
            self.best_got
        };
        let liked = liked.filter(|outcome| self.wishes.utility(*outcome) >= floor);
        Action::Offer(liked.unwrap_or(self.wishes.best()))
    }

    /// The turn against an opponent that waits.
    fn reciprocate(&mut self, turn: &Turn) -> Action {
        let (floor, best, made) = (self.wishes.floor(), self.best(), self.known.len());
        let wait = if self.got.len() > made {
            self.hold(turn)
        } else {
            PATIENCE
        };
        let answers = made == 0 || (self.got.len() >= made && self.still >= wait);
        let rank = if answers {
            made
        } else {
            made.saturating_sub(1)
        };
        let asked = self
            .wishes
            .ranked(rank)
            .map_or(floor, |o| self.wishes.utility(o));
        let given = self.give(turn, asked, best);
        let level = given.max(floor);
        if turn
            .offer
            .is_some_and(|offer| self.wishes.utility(offer) >= level)
        {
            return Action::Accept;
        }
        // What the other offered before and is now good enough needs no guess.
        if let Some(outcome) = self.best_got.filter(|o| self.wishes.utility(*o) >= level) {
            return Action::Offer(outcome);
        }
        if (answers || given < asked)
            && let Some(outcome) = self.liked(level, level + SLACK, true)
        {
            self.known.insert(outcome);
            self.still = 0;
            self.last = outcome;
        }
        Action::Offer(self.last)
    }

    /// How many turns the next answer is held back.
    fn hold(&self, turn: &Turn) -> u32 {
        let ranks = (SHARE * self.wishes.rational() as f64).max(1.0);
        let room = turn
            .rounds
            .map_or(0.0, |rounds| f64::from(rounds) / ranks - 1.0);
        let room = (room.max(0.0) as u32).min(HOLD);
        let made = self.known.len();
        let trial = made <= TRIALS || made.is_multiple_of(RETRIAL);
        if trial { room.max(TRIAL_HOLD) } else { room }
    }

    /// How far the target falls below its rank near the deadline: a first step, and what the other
    /// has conceded since.
    fn give(&mut self, turn: &Turn, level: f64, best: f64) -> f64 {
        let near = match turn.rounds {
            Some(rounds) => f64::from(rounds - 1 - turn.round) <= phase(rounds, MEET, MEET_TURNS),
            None => false,
        };
        if !near && 1.0 - turn.time > MEET {
            return level;
        }
        let (from, had) = *self.meeting.get_or_insert((level, best));
        level.min(from - STEP - ECHO * (best - had).max(0.0))
    }
}

/// Turns of a phase at the end.
fn phase(rounds: u32, share: f64, turns: f64) -> f64 {
    let rounds = f64::from(rounds);
    (share * rounds).max(turns.min(LATE * rounds))
}

/// The share of the way from the best offer got to the best outcome that is still asked for: 1
/// until the end is near, 0 at the last offer that is answered.
fn firmness(turn: &Turn, closes: bool) -> f64 {
    let by_time = ((1.0 - turn.time) / END).clamp(0.0, 1.0);
    let Some(rounds) = turn.rounds else {
        return by_time;
    };
    let left = f64::from(rounds - 1 - turn.round) - f64::from(u8::from(closes));
    let by_rounds = (left.max(0.0) / phase(rounds, END, END_TURNS)).min(1.0);
    // With both limits, whichever ends first.
    if turn.time > f64::from(turn.round + 1) / (f64::from(rounds) + 1.0) + 1e-12 {
        by_rounds.min(by_time)
    } else {
        by_rounds
    }
}

//! The realm's clock: logical time, how it follows the machine's two clocks, and setting it back.
//!
//! Logical time follows the machine's clock, and never runs back by itself. A steady clock, which
//! never jumps and counts sleep, comes with every stamp and is logged with every envelope: limits run
//! on it, it moves logical time on while the machine's clock is behind, and it tells a clock that was
//! set from time that has passed. No clock is read here.

use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::ctx::Stamp;
use crate::entity::{Charge, Due, Entity, EntityKey, Lookup};
use crate::event::Envelope;
use crate::id::position_of;
use crate::limits;
use crate::policy;
use crate::realm::Remembered;
use crate::state::State;
use crate::time::{MINUTE_MS, Time};

/// The logical time of the last envelope, and the clocks behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Clock {
    /// The time.
    #[n(0)]
    pub now: Time,
    /// The reading of the steady clock at that time, in milliseconds.
    #[n(1)]
    pub steady_ms: Option<u64>,
    /// The last jump ahead, which the operator can undo.
    #[n(2)]
    pub jump: Option<Jump>,
    /// When the youngest of the forgotten idempotency keys was made, in seconds since 1970.
    #[n(3)]
    pub forgotten_s: Option<u64>,
}

/// A jump ahead of the clock: it moved on by more than has passed on the steady one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Jump {
    /// What the time would have been without it.
    #[n(0)]
    pub from: Time,
    /// The position of the first envelope after it.
    #[n(1)]
    pub position: u64,
}

impl Clock {
    /// How much further than steady time a clock must move to count as a jump, in milliseconds.
    const JUMP_MS: u64 = MINUTE_MS;

    /// The clock after an envelope.
    pub(crate) fn after(before: Option<&Self>, envelope: &Envelope) -> Self {
        let mut next = Self {
            now: envelope.at,
            steady_ms: envelope.steady_ms,
            jump: before.and_then(|c| c.jump),
            forgotten_s: before.and_then(|c| c.forgotten_s),
        };
        let Some(before) = before else { return next };
        if let (Some(was), Some(is)) = (before.steady_ms, envelope.steady_ms) {
            let expected = before.now.after(is.saturating_sub(was));
            if envelope.at.since(expected) > Self::JUMP_MS {
                next.jump = Some(Jump {
                    from: expected,
                    position: envelope.position,
                });
            }
        }
        next
    }
}

/// The realm's clock runs slower by one part in this many while it is ahead of the machine's.
const SLOWER: u64 = 32;

/// How far the realm's clock runs while the steady one goes from one reading to another, where the
/// machine's clock does not lead it; all in milliseconds.
#[must_use]
pub fn run_ms(from_ms: u64, to_ms: u64) -> u64 {
    let run = |steady_ms: u64| steady_ms - steady_ms / SLOWER;
    run(to_ms).saturating_sub(run(from_ms))
}

/// How far the machine's clock is ahead of where it should stand, in milliseconds.
///
/// It should stand where the last envelope found it, and what has passed since on the steady clock: a
/// machine that slept and a process that was held show on both clocks alike, a clock that was set shows
/// on the machine's only. What passed before `began_ms`, the steady clock's reading when the server
/// started, is not counted: there is only the machine's clock to say how long no server ran.
#[must_use]
pub fn ahead_ms(wall: Time, steady_ms: u64, began_ms: u64, (last, last_ms): (Time, u64)) -> u64 {
    let watched = steady_ms.saturating_sub(last_ms.max(began_ms));
    wall.since(last.after(watched))
}

impl Entity for Clock {
    const KIND: u8 = 2;
    type Key = ();
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Nobody;
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

impl State {
    /// The logical time of the last envelope.
    #[must_use]
    pub fn now(&self) -> Time {
        self.clock.get(&()).map_or(Time(0), |c| c.now)
    }

    /// The realm's time when the machine's clock shows `wall` and the steady one `steady_ms`.
    ///
    /// It is the machine's time, and never earlier than before. If the machine's clock has gone
    /// back, the realm's runs on with the steady one, one part in thirty-two slower, until the two
    /// meet, so that nothing that waits for a time waits forever.
    #[must_use]
    pub fn time_at(&self, wall: Time, steady_ms: u64) -> Time {
        let Some(clock) = self.clock.get(&()) else {
            return wall;
        };
        let ran = clock.steady_ms.map_or(0, |was| run_ms(was, steady_ms));
        wall.max(clock.now.after(ran))
    }

    /// How far the machine's clock of a stamp is ahead of where it should stand, in milliseconds; 0
    /// before the first envelope.
    pub(crate) fn wall_ahead_ms(&self, stamp: &Stamp) -> u64 {
        let Some(clock) = self.clock.get(&()) else {
            return 0;
        };
        let last = (clock.now, clock.steady_ms.unwrap_or(0));
        ahead_ms(stamp.now, stamp.steady_ms, stamp.began_ms, last)
    }

    /// The reading of the steady clock at the last envelope, in milliseconds.
    #[must_use]
    pub fn steady_ms(&self) -> Option<u64> {
        self.clock.get(&()).and_then(|c| c.steady_ms)
    }

    /// Records that an idempotency key leaves memory: only younger keys are accepted from now on.
    /// Logs without a steady clock keep the clock as it was.
    pub(crate) fn note_forgotten(&mut self, key: &EntityKey) {
        if key.kind() != Remembered::KIND || self.steady_ms().is_none() {
            return;
        }
        let gone = key.typed().and_then(|key| self.remembered.get(&key));
        let Some(gone) = gone else { return };
        // A key lay at most that far ahead of the clock when it was used.
        let latest = gone.at.after(limits::IDEMPOTENCY_AHEAD_MS).0 / 1_000;
        let made = gone.made_at_s.unwrap_or(latest);
        self.clock.modify(&(), &mut self.changes, |c| {
            c.forgotten_s = c.forgotten_s.max(Some(made));
        });
    }

    /// Sets the clock back. Tokens issued after the jump do not live longer because of it, and
    /// spending since the jump counts in the period after the correction.
    pub(crate) fn set_back(&mut self, from: Time, to: Time, jumped: u64) {
        let by_ms = from.since(to);
        self.clock.modify(&(), &mut self.changes, |c| {
            c.now = to;
            c.jump = None;
            c.forgotten_s = c.forgotten_s.map(|made| made.min(to.0 / 1_000));
        });
        let mut tokens = Vec::new();
        self.tokens.for_each(|id, token| {
            if token.expires.is_some() && position_of(id.0) >= jumped {
                tokens.push(*id);
            }
        });
        for id in tokens {
            self.tokens.modify(&id, &mut self.changes, |t| {
                t.expires = t.expires.map(|at| Time(at.0.saturating_sub(by_ms)).max(to));
            });
        }
        let mut ahead = Vec::new();
        self.allowances.for_each(|key, allowance| {
            if allowance.window > policy::window_start(to, allowance.period_ms) {
                ahead.push(*key);
            }
        });
        for key in ahead {
            self.allowances.modify(&key, &mut self.changes, |a| {
                a.window = policy::window_start(to, a.period_ms);
            });
        }
    }
}

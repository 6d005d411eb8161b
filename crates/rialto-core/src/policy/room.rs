//! What rate limits leave: for those who want to say it before one is reached. Decides nothing.

use super::decide::pace;
use super::{Meter, Rate};
use crate::state::State;

/// What a rate limit leaves, at one reading of the steady clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateRoom {
    /// How many acts it takes at once when nothing has been counted.
    pub quota: u64,
    /// The time in which it takes as many again, in milliseconds.
    pub window_ms: u64,
    /// How many acts it takes now.
    pub left: u64,
    /// After how long it takes the next, in milliseconds; 0 if it takes one now.
    pub next_in_ms: u64,
    /// After how long it takes its quota again, in milliseconds.
    pub whole_in_ms: u64,
}

impl RateRoom {
    /// The part of the quota that is left, in millionths.
    #[must_use]
    pub fn millionths(&self) -> u64 {
        self.left.saturating_mul(1_000_000) / self.quota.max(1)
    }
}

impl State {
    /// What a rate limit leaves; nothing where the operator has set none.
    #[must_use]
    pub fn rate_room(&self, rate: Rate, steady_ms: u64) -> Option<RateRoom> {
        let (step_ms, depth_ms) = pace(&self.settings(), rate)?;
        let steady_ms = steady_ms.max(self.steady_ms().unwrap_or(0));
        let meter: Option<&Meter> = self.meters.get(&rate.counted(self));
        let filled_ms = meter.map_or(0, |m| m.empty_at_ms.saturating_sub(steady_ms));
        let quota = (depth_ms / step_ms).max(1);
        // An empty bucket takes any.
        let left = match filled_ms {
            0 => quota,
            _ => depth_ms.saturating_sub(filled_ms) / step_ms,
        };
        let next_in_ms = match left {
            0 => filled_ms.saturating_add(step_ms).saturating_sub(depth_ms),
            _ => 0,
        };
        Some(RateRoom {
            quota,
            window_ms: depth_ms,
            left,
            next_in_ms,
            whole_in_ms: filled_ms,
        })
    }
}

//! How many bytes of text one owner may bring a minute, whatever commands carry them.
//!
//! Texts are what costs the realm most: they are stored, searched and listed. Most commands that carry one
//! have a rate of their own; a profile, a listing or a memo has none, and a text may be large. So all are
//! counted here, by owner, in memory and on the steady clock; it is no part of the realm's state. The
//! operator, its services and the realm itself are not bounded.

use std::collections::HashMap;

use rialto_core::id::OwnerId;
use rialto_core::policy::Settings;
use rialto_core::reject::{Code, Rejection};
use rialto_core::time::MINUTE_MS;

/// The most owners that are remembered; those whose minute is over are forgotten first.
const OWNERS: usize = 65_536;

/// What owners have brought: until when on the steady clock each is ahead of its rate, in microseconds,
/// since a short text takes less than a millisecond's part.
#[derive(Default)]
pub(super) struct TextRate(HashMap<OwnerId, u64>);

impl TextRate {
    /// Counts a command's texts, of which a whole minute's worth may come at once; nothing is counted
    /// where no limit is set. A text that is larger than that comes through if nothing came before.
    ///
    /// # Errors
    /// [`Code::RateLimited`], with the time to wait.
    pub(super) fn count(
        &mut self,
        owner: OwnerId,
        bytes: usize,
        settings: &Settings,
        steady_ms: u64,
    ) -> Result<(), Rejection> {
        let a_minute = settings.text_bytes_per_minute();
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        if a_minute == 0 || bytes == 0 {
            return Ok(());
        }
        let (now, minute) = (steady_ms.saturating_mul(1_000), MINUTE_MS * 1_000);
        let before = self.0.get(&owner).copied().unwrap_or(0).max(now);
        let until = before.saturating_add(bytes.saturating_mul(minute) / a_minute);
        if before > now && until > now.saturating_add(minute) {
            let wait = (until - now - minute).div_ceil(1_000);
            let detail = format!("at most {a_minute} bytes of text a minute; again in {wait} ms");
            return Err(Rejection::new(Code::RateLimited, detail));
        }
        if self.0.len() >= OWNERS {
            self.0.retain(|_, until| *until > now);
        }
        self.0.insert(owner, until);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_brings_a_minutes_worth_at_once_and_then_its_rate() {
        let (mut rate, one, other) = (TextRate::default(), OwnerId(1), OwnerId(2));
        let of = |bytes| Settings {
            text_bytes_per_minute: Some(bytes),
            ..Settings::default()
        };
        let settings = of(60_000);
        let mut takes = |owner, bytes, at: u64| rate.count(owner, bytes, &settings, at).is_ok();
        assert!(takes(one, 40_000, 0) && takes(one, 20_000, 0));
        assert!(!takes(one, 1, 0), "the minute's worth is used up");
        assert!(takes(other, 60_000, 0), "it is no other owner's");
        assert!(takes(one, 10_000, 10_000) && !takes(one, 2_000, 10_000));
        // A text that is larger than a minute's worth comes through alone.
        assert!(takes(one, 90_000, 200_000) && !takes(one, 1, 200_000));
        // Words that take less than a millisecond of it add up too.
        let small = (0..100_000).take_while(|_| takes(other, 3, 70_000)).count();
        assert_eq!(small, 20_000);
        assert!(rate.count(one, 1 << 30, &of(0), 200_000).is_ok());
    }
}

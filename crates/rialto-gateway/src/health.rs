//! What is known of each deployment's condition: how it answered lately, and when it may be asked again.
//!
//! Pure: time comes as an argument. A provider that says when it wants to be asked again is believed. One that
//! fails several times in a row is left alone for a while, longer each time, and then tried with one call.

use std::time::{Duration, Instant};

use rialto_wire::model::{ErrorKind, ModelError};

/// After how many failures in a row a deployment is left alone.
const FAILURES: u32 = 3;
/// For how long at first, and at the longest.
const ALONE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// For how long one is left alone that has too many callers and does not say for how long.
const BUSY: Duration = Duration::from_secs(1);
/// The longest time that a provider's own word is believed.
const BELIEVED: Duration = Duration::from_secs(300);
/// The weight of the newest call in the mean of the times to the first byte, as a divisor.
const NEWEST: u32 = 8;

/// A deployment's condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Calls under way.
    pub calls: u32,
    /// Tokens that these may still come to.
    pub tokens: u64,
    /// The mean time to the first byte of the last calls; none before the first.
    pub first: Option<Duration>,
    /// Failures in a row.
    pub failures: u32,
    /// Until when it is left alone.
    pub alone: Option<Instant>,
    /// Whether it is left alone because it limits how often it is called.
    pub limited: bool,
    /// Whether a call tries if it serves again.
    trying: bool,
}

impl Health {
    /// How long it is still left alone; nothing when it may be asked.
    #[must_use]
    pub fn waits(&self, now: Instant) -> Option<Duration> {
        let left = self.alone?.saturating_duration_since(now);
        match (left.is_zero(), self.trying) {
            (false, _) => Some(left),
            // One call tries; the others wait for what comes of it.
            (true, true) => Some(BUSY),
            (true, false) => None,
        }
    }

    /// A call begins.
    pub fn begin(&mut self, tokens: u64) {
        self.calls += 1;
        self.tokens = self.tokens.saturating_add(tokens);
        self.trying = self.alone.is_some();
    }

    /// A call is over, however it ended.
    pub fn end(&mut self, tokens: u64) {
        self.calls = self.calls.saturating_sub(1);
        self.tokens = self.tokens.saturating_sub(tokens);
        self.trying = false;
    }

    /// An answer has begun. One that was asked for earlier ends no time for which it is left alone.
    pub fn answered(&mut self, took: Duration, now: Instant) {
        self.serves(now);
        self.first = Some(match self.first {
            None => took,
            Some(mean) => mean - mean / NEWEST + took / NEWEST,
        });
    }

    fn serves(&mut self, now: Instant) {
        self.failures = 0;
        self.alone = self.alone.filter(|until| *until > now);
    }

    /// It serves again: what is known of its failures is over.
    pub fn listens(&mut self) {
        (self.failures, self.alone) = (0, None);
    }

    /// A call failed. What is the caller's own fault says nothing about the deployment.
    pub fn failed(&mut self, error: &ModelError, now: Instant) {
        let told = error.retry_after.map(Duration::from_secs);
        let alone = self.alone;
        match error.kind {
            ErrorKind::RateLimited | ErrorKind::Overloaded => {
                self.alone = Some(now + told.unwrap_or(BUSY).min(BELIEVED));
            }
            // It has answered: what it says is about the request.
            _ if !error.retryable() => self.serves(now),
            _ => {
                self.failures = self.failures.saturating_add(1);
                if let Some(told) = told {
                    self.alone = Some(now + told.min(BELIEVED));
                } else if self.failures >= FAILURES {
                    let doubled = (self.failures - FAILURES).min(5);
                    let alone = (ALONE.0 * 2_u32.pow(doubled)).min(ALONE.1);
                    self.alone = Some(now + alone);
                }
            }
        }
        if self.alone != alone {
            self.limited = error.kind == ErrorKind::RateLimited;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: ErrorKind, retry_after: Option<u64>) -> ModelError {
        ModelError {
            retry_after,
            ..ModelError::new(kind, "")
        }
    }

    #[test]
    fn who_says_when_to_come_again_is_left_alone_until_then() {
        let now = Instant::now();
        for (kind, told, waits) in [
            (ErrorKind::RateLimited, Some(7), 7),
            (ErrorKind::Overloaded, None, 1),
            (ErrorKind::Unavailable, Some(20), 20),
            (ErrorKind::RateLimited, Some(86_400), 300),
        ] {
            let mut health = Health::default();
            health.failed(&error(kind, told), now);
            let waits = Duration::from_secs(waits);
            assert_eq!(health.waits(now), Some(waits), "{kind:?}");
            assert_eq!(health.waits(now + waits), None);
            assert_eq!(health.limited, kind == ErrorKind::RateLimited, "{kind:?}");
        }
    }

    #[test]
    fn an_answer_that_was_asked_for_before_does_not_end_the_time_that_it_was_told() {
        let (mut health, now) = (Health::default(), Instant::now());
        health.begin(10);
        health.failed(&error(ErrorKind::RateLimited, Some(30)), now);
        health.answered(Duration::from_millis(5), now);
        health.failed(&error(ErrorKind::BadRequest, None), now);
        assert_eq!(health.waits(now), Some(Duration::from_secs(30)));
    }

    #[test]
    fn a_callers_fault_is_not_the_deployments() {
        let mut health = Health::default();
        for _ in 0..10 {
            health.failed(&error(ErrorKind::BadRequest, None), Instant::now());
        }
        assert_eq!(health, Health::default());
    }

    #[test]
    fn who_fails_again_and_again_is_tried_with_one_call_after_a_while() {
        let (mut health, mut now) = (Health::default(), Instant::now());
        let down = error(ErrorKind::Unavailable, None);
        for _ in 0..2 {
            health.failed(&down, now);
            assert_eq!(health.waits(now), None);
        }
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            health.failed(&down, now);
            let alone = Duration::from_secs(seconds);
            assert_eq!(health.waits(now), Some(alone));
            now += alone;
            assert_eq!(health.waits(now), None);
            health.begin(10);
            assert!(health.waits(now).is_some(), "one call at a time");
            health.end(10);
        }
        health.begin(10);
        health.answered(Duration::from_millis(80), now);
        health.end(10);
        assert_eq!(health.waits(now), None);
        assert_eq!((health.failures, health.calls, health.tokens), (0, 0, 0));
        assert_eq!(health.first, Some(Duration::from_millis(80)));
    }
}

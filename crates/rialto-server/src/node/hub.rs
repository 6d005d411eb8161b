//! Wakes waiting readers: those of a subject, and those of a position.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use rialto_core::id::AgentId;
use tokio::sync::watch;

use super::subjects::{Following, Subject, Subjects};

/// How finely it is known since when a position is durable.
const MARK: Duration = Duration::from_millis(100);
/// How many such times are kept: twenty minutes and more of lag are told apart to a [`MARK`].
const MARKS: usize = 16_384;

/// How far the views are behind the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    /// Envelopes that they have not taken in.
    pub envelopes: u64,
    /// How long the oldest of these has been durable; since the start at the longest.
    pub age: Duration,
}

/// The meeting point of the syncer and those who wait.
pub struct Hub {
    durable: watch::Sender<u64>,
    indexed: watch::Sender<u64>,
    /// The position up to which somebody waits for the views.
    wanted: AtomicU64,
    /// Positions that the views have not reached, and since when they are durable.
    unread: Mutex<VecDeque<(u64, Instant)>>,
    indexer: OnceLock<Thread>,
    subjects: Arc<Subjects>,
}

impl Hub {
    /// A hub at a position.
    #[must_use]
    pub fn new(durable: u64) -> Self {
        Self {
            durable: watch::Sender::new(durable),
            indexed: watch::Sender::new(0),
            wanted: AtomicU64::new(0),
            unread: Mutex::new(VecDeque::from([(durable, Instant::now())])),
            indexer: OnceLock::new(),
            subjects: Arc::default(),
        }
    }

    /// The last durable position.
    #[must_use]
    pub fn durable(&self) -> u64 {
        *self.durable.borrow()
    }

    /// The position that the views have reached.
    #[must_use]
    pub fn indexed(&self) -> u64 {
        *self.indexed.borrow()
    }

    /// How far the views are behind the log.
    #[must_use]
    pub fn lag(&self) -> Lag {
        let unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        let indexed = self.indexed();
        // What is read back from the log may be indexed before it is noted here: it is not unread.
        let mut left = unread.iter().skip_while(|(durable, _)| *durable <= indexed);
        let envelopes = self.durable().saturating_sub(indexed);
        let oldest = left.next().filter(|_| envelopes > 0);
        Lag {
            envelopes,
            age: oldest.map(|(_, since)| since.elapsed()).unwrap_or_default(),
        }
    }

    /// Notes since when a position is durable, to a tenth of a second.
    fn note_unread(&self, position: u64, now: Instant) {
        let mut unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        let full = unread.len() >= MARKS;
        match unread.back_mut() {
            Some(last) if full || now.duration_since(last.1) < MARK => last.0 = position,
            _ => unread.push_back((position, now)),
        }
    }

    /// Follows the durable position.
    #[must_use]
    pub fn watch_durable(&self) -> watch::Receiver<u64> {
        self.durable.subscribe()
    }

    /// Follows the position of the views.
    #[must_use]
    pub fn watch_indexed(&self) -> watch::Receiver<u64> {
        self.indexed.subscribe()
    }

    /// Asks for the views to reach a position without delay, as far as the log has it.
    pub fn want(&self, position: u64) {
        let wanted = position.min(self.durable());
        let before = self.wanted.fetch_max(wanted, Ordering::SeqCst);
        if before < wanted
            && self.indexed() < wanted
            && let Some(indexer) = self.indexer.get()
        {
            indexer.unpark();
        }
    }

    /// Whether somebody waits for the views to go beyond a position.
    pub(super) fn is_wanted_beyond(&self, position: u64) -> bool {
        self.wanted.load(Ordering::SeqCst) > position
    }

    /// Makes the calling thread the one that [`Hub::want`] wakes.
    pub(super) fn wake_me(&self) {
        let _ = self.indexer.set(std::thread::current());
    }

    /// Follows some subjects from now on: read them after this, and wait for it then.
    #[must_use]
    pub fn follow(&self, subjects: Vec<Subject>) -> Following {
        Following::of(&self.subjects, subjects)
    }

    /// Who follows what.
    pub(super) fn subjects(&self) -> &Subjects {
        &self.subjects
    }

    /// Tells whoever follows anything that the server ends: what waits does not wait any more.
    pub fn close(&self) {
        self.subjects.close();
    }

    /// Whether the server is ending.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.subjects.is_closing()
    }

    pub(super) fn set_indexed(&self, position: u64) {
        self.indexed.send_replace(position);
        let mut unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        while unread
            .pop_front_if(|(durable, _)| *durable <= position)
            .is_some()
        {}
    }

    pub(super) fn set_durable(&self, position: u64, grown: &[AgentId]) {
        // Noted first: what is told first may be indexed before it is noted, and would count as unread
        // for ever after.
        self.note_unread(position, Instant::now());
        let before = self.durable.send_replace(position);
        for agent in grown {
            self.subjects.tell(Subject::Inbox(*agent), before);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn nobody_can_want_more_than_the_log_has() {
        let hub = Hub::new(5);
        hub.want(3);
        assert!(hub.is_wanted_beyond(2));
        assert!(!hub.is_wanted_beyond(3));
        hub.want(u64::MAX);
        assert!(hub.is_wanted_beyond(4));
        // Or the indexer would look for it without a pause.
        assert!(!hub.is_wanted_beyond(5));
    }

    #[test]
    fn the_lag_is_the_age_of_the_oldest_that_is_not_indexed() {
        let hub = Hub::new(5);
        hub.set_indexed(5);
        assert_eq!(hub.lag(), Lag::default());
        let ago = |seconds| {
            Instant::now()
                .checked_sub(Duration::from_secs(seconds))
                .unwrap()
        };
        for (position, seconds) in [(7, 40), (8, 30), (9, 20)] {
            hub.durable.send_replace(position);
            hub.note_unread(position, ago(seconds));
        }
        for (indexed, envelopes, seconds) in [(5, 4, 40), (6, 3, 40), (7, 2, 30), (9, 0, 0)] {
            hub.set_indexed(indexed);
            let lag = hub.lag();
            assert_eq!((lag.envelopes, lag.age.as_secs()), (envelopes, seconds));
        }
    }

    #[test]
    fn what_is_indexed_before_it_is_noted_does_not_age() {
        let hub = Hub::new(1);
        hub.set_indexed(1);
        // The indexer reads the log itself and may come to a position before the syncer has told it.
        hub.set_indexed(2);
        let long_ago = Instant::now().checked_sub(Duration::from_secs(60)).unwrap();
        hub.note_unread(2, long_ago);
        hub.durable.send_replace(2);
        assert_eq!(hub.lag(), Lag::default());
        hub.set_durable(8, &[]);
        let lag = hub.lag();
        assert_eq!(lag.envelopes, 6);
        assert!(lag.age < Duration::from_secs(60), "{lag:?}");
    }

    #[test]
    fn who_wants_something_wakes_the_indexer() {
        let hub = Hub::new(1);
        hub.wake_me();
        hub.want(1);
        // Woken before it slept: the sleep ends at once, and not when its time is up.
        let (began, long) = (Instant::now(), Duration::from_secs(600));
        std::thread::park_timeout(long);
        assert!(began.elapsed() < long);
    }
}

//! Wakes waiting readers: those of an inbox, and those of a position.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::thread::Thread;

use rialto_core::id::AgentId;
use tokio::sync::{Notify, watch};

/// The meeting point of the syncer and those who wait.
pub struct Hub {
    durable: watch::Sender<u64>,
    indexed: watch::Sender<u64>,
    /// The position up to which somebody waits for the views.
    wanted: AtomicU64,
    indexer: OnceLock<Thread>,
    inboxes: Mutex<HashMap<AgentId, Weak<Notify>>>,
}

impl Hub {
    /// A hub at a position.
    #[must_use]
    pub fn new(durable: u64) -> Self {
        Self {
            durable: watch::Sender::new(durable),
            indexed: watch::Sender::new(0),
            wanted: AtomicU64::new(0),
            indexer: OnceLock::new(),
            inboxes: Mutex::new(HashMap::new()),
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

    /// Wakes when an agent's inbox grows. Keep it while waiting.
    #[must_use]
    pub fn inbox(&self, agent: AgentId) -> Arc<Notify> {
        let mut inboxes = self.inboxes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = inboxes.get(&agent).and_then(Weak::upgrade) {
            return known;
        }
        if inboxes.len() > 1_024 && inboxes.len().is_power_of_two() {
            inboxes.retain(|_, n| n.strong_count() > 0);
        }
        let fresh = Arc::new(Notify::new());
        inboxes.insert(agent, Arc::downgrade(&fresh));
        fresh
    }

    pub(super) fn set_indexed(&self, position: u64) {
        self.indexed.send_replace(position);
    }

    pub(super) fn set_durable(&self, position: u64, grown: &[AgentId]) {
        self.durable.send_replace(position);
        if grown.is_empty() {
            return;
        }
        let inboxes = self.inboxes.lock().unwrap_or_else(PoisonError::into_inner);
        for notify in grown
            .iter()
            .filter_map(|a| inboxes.get(a))
            .filter_map(Weak::upgrade)
        {
            notify.notify_waiters();
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

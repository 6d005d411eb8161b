//! Whose turn it is to read: a few requests read the views and the log at the same time, the others wait.
//!
//! Each party waits in a queue of its own and comes to the common one with a few of its requests at a
//! time, so that however many one sends, another waits only for those few. The operator has places of
//! its own besides. For whom a request is read is known from its head on, also in what it answers later.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rialto_core::reject::Code;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::Refusal;
use super::shares::Party;

/// How many requests read at the same time.
const AT_ONCE: usize = 16;
/// How many of one party wait in the common queue or read.
const OF_ONE: usize = 4;
/// How many of the operator read besides, when all others have their turn.
const OPERATORS: usize = 2;

tokio::task_local! {
    static PARTY: Party;
}

/// A future that reads for a party.
pub(super) fn on_behalf<F: Future>(party: Party, work: F) -> impl Future<Output = F::Output> {
    PARTY.scope(party, work)
}

/// The same for one step of what is read as it is sent.
pub(super) fn step_for<T>(party: Party, step: impl FnOnce() -> T) -> T {
    PARTY.sync_scope(party, step)
}

/// For whom this is read.
pub(super) fn party() -> Party {
    PARTY.try_with(|party| *party).unwrap_or(Party::Process)
}

type Lines = Mutex<HashMap<Party, Arc<Semaphore>>>;

/// Who reads, and who waits for it.
pub(crate) struct Turns {
    all: Arc<Semaphore>,
    operators: Arc<Semaphore>,
    lines: Arc<Lines>,
    taken: AtomicU64,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            all: Arc::new(Semaphore::new(AT_ONCE)),
            operators: Arc::new(Semaphore::new(OPERATORS)),
            lines: Arc::default(),
            taken: AtomicU64::new(0),
        }
    }
}

/// A turn to read, over when this is dropped.
pub(super) struct Turn {
    _place: OwnedSemaphorePermit,
    _of_party: OwnedSemaphorePermit,
    _line: Line,
}

/// A party's own queue, forgotten with the last that stands in it.
struct Line {
    lines: Arc<Lines>,
    party: Party,
    queue: Arc<Semaphore>,
}

impl Drop for Line {
    fn drop(&mut self) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        // The table's own and this one.
        if Arc::strong_count(&self.queue) <= 2 {
            lines.remove(&self.party);
        }
    }
}

impl Turns {
    fn line(&self, party: Party) -> Line {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = lines.entry(party);
        let queue = queue.or_insert_with(|| Arc::new(Semaphore::new(OF_ONE)));
        Line {
            lines: self.lines.clone(),
            party,
            queue: queue.clone(),
        }
    }

    /// How many turns there have been.
    pub(super) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Waits for a turn of the party for whom this is read.
    ///
    /// # Errors
    /// [`Code::Draining`] when the server stops.
    pub(super) async fn next(&self) -> Result<Turn, Refusal> {
        let party = party();
        let line = self.line(party);
        let of_party = line.queue.clone().acquire_owned().await;
        let place = match (party, self.all.clone().try_acquire_owned()) {
            (_, Ok(place)) => Ok(place),
            (Party::Operator, Err(_)) => self.operators.clone().acquire_owned().await,
            (_, Err(_)) => self.all.clone().acquire_owned().await,
        };
        match (place, of_party) {
            (Ok(place), Ok(of_party)) => {
                self.taken.fetch_add(1, Ordering::Relaxed);
                Ok(Turn {
                    _place: place,
                    _of_party: of_party,
                    _line: line,
                })
            }
            _ => Err(Code::Draining.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_core::id::OwnerId;

    /// Lets what can go on go on.
    async fn settle() {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    fn owner(number: u64) -> Party {
        Party::Owner(OwnerId(number))
    }

    #[tokio::test]
    async fn many_requests_of_one_party_hold_up_nobody_else() {
        let turns = Arc::new(Turns::default());
        let ask = |party| {
            let turns = turns.clone();
            tokio::spawn(on_behalf(party, async move { turns.next().await.ok() }))
        };
        let crowd: Vec<_> = (0..200).map(|_| ask(owner(1))).collect();
        settle().await;
        assert_eq!(turns.all.available_permits(), AT_ONCE - OF_ONE);
        let other = ask(owner(2)).await.unwrap();
        assert!(other.is_some());
        // Where all places are taken, the operator has its own.
        let mut more = Vec::new();
        for number in 3..7 {
            more.extend((0..OF_ONE).map(|_| ask(owner(number))));
        }
        settle().await;
        assert_eq!(turns.all.available_permits(), 0);
        assert!(ask(Party::Operator).await.unwrap().is_some());
        for waiting in crowd.iter().chain(&more) {
            waiting.abort();
        }
        drop((crowd, more, other));
        settle().await;
        assert_eq!(turns.all.available_permits(), AT_ONCE);
        assert!(turns.lines.lock().unwrap().is_empty());
    }
}

//! Who follows what: one notification a subject, so that an idle stream costs nothing.
//!
//! Whoever follows something says which [`Subject`]s concern it, reads, and then sleeps until one of them
//! has changed. A change wakes those that follow its subject and nobody else. What changed is not told: who
//! is woken reads it, so that a notification can neither be wrong nor carry what its reader may not see.
//! Nothing here reads the state or the views.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rialto_core::id::{AgentId, CommunityId, OwnerId, TokenId};
use tokio::sync::Notify;

/// Something that can be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The deliveries of an agent. Told when they are durable.
    Inbox(AgentId),
    /// The feed of all posts. This one and those below are told when the views have them.
    Posts,
    /// The posts of a community.
    Community(CommunityId),
    /// The posts of those whom an agent follows.
    Following(AgentId),
    /// Whatever happens on the square.
    Square,
    /// Whatever happens in the realm.
    Realm,
    /// What concerns an owner.
    Owner(OwnerId),
    /// What concerns an agent.
    Agent(AgentId),
    /// Whether a token is still live. Told at once.
    Token(TokenId),
    /// Whether an owner, its people and its agents may act. Told at once.
    Standing(OwnerId),
}

/// A follower's bell.
struct Bell {
    rung: Notify,
    /// Nothing that it follows has changed up to this position since it was last looked at.
    unchanged: AtomicU64,
}

#[derive(Default)]
struct Board {
    next: u64,
    bells: BTreeMap<u64, Arc<Bell>>,
    followers: HashMap<Subject, BTreeMap<u64, Arc<Bell>>>,
}

/// The followers of all subjects.
#[derive(Default)]
pub(super) struct Subjects {
    board: Mutex<Board>,
    closing: AtomicBool,
}

impl Subjects {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes those that follow a subject, which did not change up to a position.
    pub(super) fn tell(&self, subject: Subject, unchanged: u64) {
        for bell in self
            .board()
            .followers
            .get(&subject)
            .into_iter()
            .flat_map(BTreeMap::values)
        {
            bell.ring(unchanged);
        }
    }

    /// Wakes everybody.
    pub(super) fn tell_all(&self) {
        for bell in self.board().bells.values() {
            bell.ring(0);
        }
    }

    /// Ends all following: everybody is told, and who begins to follow is told at once.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
        self.tell_all();
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    /// The subjects that are followed and pass a sieve.
    pub(super) fn followed<T>(&self, sieve: impl Fn(Subject) -> Option<T>) -> Vec<T> {
        self.board()
            .followers
            .keys()
            .filter_map(|subject| sieve(*subject))
            .collect()
    }
}

impl Bell {
    fn ring(&self, unchanged: u64) {
        self.unchanged.fetch_min(unchanged, Ordering::SeqCst);
        self.rung.notify_one();
    }
}

/// A place among the followers of some subjects, given back when this is dropped.
pub struct Following {
    subjects: Arc<Subjects>,
    of: Vec<Subject>,
    number: u64,
    bell: Arc<Bell>,
}

impl Following {
    pub(super) fn of(subjects: &Arc<Subjects>, of: Vec<Subject>) -> Self {
        let bell = Arc::new(Bell {
            rung: Notify::new(),
            unchanged: AtomicU64::new(u64::MAX),
        });
        let mut board = subjects.board();
        let number = board.next;
        board.next += 1;
        board.bells.insert(number, bell.clone());
        for subject in &of {
            board
                .followers
                .entry(*subject)
                .or_default()
                .insert(number, bell.clone());
        }
        drop(board);
        if subjects.is_closing() {
            bell.ring(0);
        }
        Self {
            subjects: subjects.clone(),
            of,
            number,
            bell,
        }
    }

    /// Waits until one of the subjects has changed since this was last waited for, or since it was made. Up
    /// to which position it is known that none had; 0 if nothing is known. A change that comes while its reader reads is not lost.
    pub async fn changed(&self) -> u64 {
        self.bell.rung.notified().await;
        match self.bell.unchanged.swap(u64::MAX, Ordering::SeqCst) {
            // It was looked at while it was told: what was told then has been seen, or will be.
            u64::MAX => 0,
            unchanged => unchanged,
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let mut board = self.subjects.board();
        board.bells.remove(&self.number);
        for subject in &self.of {
            let Some(followers) = board.followers.get_mut(subject) else {
                continue;
            };
            followers.remove(&self.number);
            if followers.is_empty() {
                board.followers.remove(subject);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// Up to where nothing changed, if it was told of a change.
    fn told(following: &Following) -> Option<u64> {
        let mut cx = Context::from_waker(Waker::noop());
        match pin!(following.changed()).poll(&mut cx) {
            Poll::Ready(unchanged) => Some(unchanged),
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_change_wakes_those_that_follow_its_subject_and_nobody_else() {
        let subjects = Arc::new(Subjects::default());
        let inbox = |agent| Subject::Inbox(AgentId(agent));
        let follow = |of: &[Subject]| Following::of(&subjects, of.to_vec());
        let (ann, bob) = (follow(&[inbox(1)]), follow(&[inbox(2), Subject::Posts]));
        assert_eq!((told(&ann), told(&bob)), (None, None));
        subjects.tell(inbox(1), 7);
        assert_eq!((told(&ann), told(&bob)), (Some(7), None));
        assert_eq!(told(&ann), None, "once for each change");
        // Several changes before anybody looks are one, from before the first of them.
        subjects.tell(Subject::Posts, 9);
        subjects.tell(inbox(2), 12);
        assert_eq!((told(&ann), told(&bob)), (None, Some(9)));
        subjects.tell_all();
        assert_eq!((told(&ann), told(&bob)), (Some(0), Some(0)));
    }

    #[test]
    fn who_goes_leaves_nothing() {
        let subjects = Arc::new(Subjects::default());
        let one = Following::of(&subjects, vec![Subject::Realm, Subject::Posts]);
        let other = Following::of(&subjects, vec![Subject::Posts]);
        drop(one);
        assert_eq!(subjects.followed(Some), [Subject::Posts]);
        drop(other);
        assert!(subjects.followed(Some).is_empty() && subjects.board().bells.is_empty());
    }

    #[test]
    fn whoever_comes_after_the_end_is_told_at_once() {
        let subjects = Arc::new(Subjects::default());
        let before = Following::of(&subjects, vec![Subject::Realm]);
        subjects.close();
        let after = Following::of(&subjects, vec![Subject::Realm]);
        assert!(told(&before).is_some() && told(&after).is_some());
    }
}

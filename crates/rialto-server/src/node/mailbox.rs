//! What waits for the writer: a line for each party, served in turns, so that in line a flood by one delays
//! nobody else by more than a turn. How long the frame takes that an answer then waits for is not decided here.
//!
//! Turns are weighted by deficit round robin (Shreedhar and Varghese 1995): each turn gives a party some
//! credit, and a long batch costs as many credits as it has commands. What one party sends stays in order.
//! The node's own signals come before all turns. What settles, such as a payment service's report or the
//! realm's own, has a line that is never full: it is bounded by what it settles. Nothing here decides.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rialto_core::id::OwnerId;

/// What may wait at once. One party may have all of it while it is alone, else its part.
const WAITING: usize = 65_536;
/// What a party may always have waiting, however many others there are.
const FEW: usize = 64;

/// Whose line something waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Line {
    /// The node's own signals.
    Node,
    /// What settles: payment services, and the realm itself.
    Settling,
    /// Reads of the state, of everybody.
    Reads,
    /// The operator.
    Operator,
    /// An owner's people and agents.
    Owner(OwnerId),
    /// Whoever has no token.
    Strangers,
}

impl Line {
    /// The credit of a turn: how many commands it may take.
    fn credit(self) -> usize {
        match self {
            Self::Node | Self::Settling | Self::Reads => 64,
            Self::Operator => 32,
            Self::Owner(_) | Self::Strangers => 8,
        }
    }

    fn is_bounded(self) -> bool {
        !matches!(self, Self::Node | Self::Settling)
    }
}

/// Why something cannot wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turned {
    /// Too much waits there.
    Full,
    /// Nobody reads any more.
    Closed,
}

struct Queue<M> {
    items: VecDeque<(usize, M)>,
    credit: usize,
}

struct Lines<M> {
    node: VecDeque<M>,
    /// Those in which something waits, in the order of their turns.
    order: VecDeque<Line>,
    queues: HashMap<Line, Queue<M>>,
    /// How many bounded things wait.
    waiting: usize,
    closed: bool,
}

/// The lines of one node. The writer takes from them, everybody else puts into them.
pub(super) struct Mailbox<M> {
    lines: Mutex<Lines<M>>,
    came: Condvar,
}

impl<M> Lines<M> {
    fn put(&mut self, line: Line, cost: usize, item: M) -> Result<(), Turned> {
        if self.closed {
            return Err(Turned::Closed);
        }
        if line == Line::Node {
            self.node.push_back(item);
            return Ok(());
        }
        let own = self.queues.get(&line).map_or(0, |queue| queue.items.len());
        if line.is_bounded() {
            let others = self.order.len() - usize::from(own > 0);
            let part = (WAITING / (others + 1)).max(FEW);
            if own >= part || self.waiting >= 2 * WAITING {
                return Err(Turned::Full);
            }
            self.waiting += 1;
        }
        let queue = self.queues.entry(line).or_insert_with(|| Queue {
            items: VecDeque::new(),
            credit: 0,
        });
        if queue.items.is_empty() {
            self.order.push_back(line);
        }
        queue.items.push_back((cost, item));
        Ok(())
    }

    fn take(&mut self) -> Option<M> {
        if let Some(signal) = self.node.pop_front() {
            return Some(signal);
        }
        loop {
            let line = *self.order.front()?;
            let queue = self.queues.get_mut(&line)?;
            let cost = queue.items.front().map_or(0, |(cost, _)| *cost);
            if queue.credit < cost {
                // Its turn is over; it saves up for what costs more than a turn.
                queue.credit += line.credit();
                self.order.rotate_left(1);
                continue;
            }
            queue.credit -= cost;
            let (_, item) = queue.items.pop_front()?;
            if queue.items.is_empty() {
                // Nobody saves up while nothing waits.
                self.queues.remove(&line);
                self.order.pop_front();
            }
            self.waiting -= usize::from(line.is_bounded());
            return Some(item);
        }
    }
}

impl<M> Mailbox<M> {
    pub(super) fn new() -> Self {
        Self {
            lines: Mutex::new(Lines {
                node: VecDeque::new(),
                order: VecDeque::new(),
                queues: HashMap::new(),
                waiting: 0,
                closed: false,
            }),
            came: Condvar::new(),
        }
    }

    fn lines(&self) -> MutexGuard<'_, Lines<M>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts something into a line; `cost` is how many commands it holds.
    ///
    /// # Errors
    /// [`Turned`].
    pub(super) fn put(&self, line: Line, cost: usize, item: M) -> Result<(), Turned> {
        self.lines().put(line, cost, item)?;
        self.came.notify_one();
        Ok(())
    }

    /// What is next, if anything waits.
    pub(super) fn take(&self) -> Option<M> {
        self.lines().take()
    }

    /// What is next, waiting for it this long.
    pub(super) fn wait(&self, patience: Duration) -> Option<M> {
        let lines = self.lines();
        let nothing = |lines: &mut Lines<M>| lines.node.is_empty() && lines.order.is_empty();
        let waited = self.came.wait_timeout_while(lines, patience, nothing);
        let (mut lines, _) = waited.unwrap_or_else(PoisonError::into_inner);
        lines.take()
    }

    /// Nobody reads any more: what waits is dropped, so that whoever asked learns it.
    pub(super) fn close(&self) {
        let mut lines = self.lines();
        lines.closed = true;
        let left = (
            std::mem::take(&mut lines.node),
            std::mem::take(&mut lines.queues),
        );
        lines.order.clear();
        lines.waiting = 0;
        // Dropped without the lock: it runs code of those who asked.
        drop(lines);
        drop(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOD: Line = Line::Owner(OwnerId(1));
    const QUIET: Line = Line::Owner(OwnerId(2));

    fn drain(mailbox: &Mailbox<&'static str>) -> Vec<&'static str> {
        std::iter::from_fn(|| mailbox.take()).collect()
    }

    #[test]
    fn a_flood_delays_others_by_a_turn() {
        let mailbox = Mailbox::new();
        for _ in 0..10_000 {
            mailbox.put(FLOOD, 1, "flood").unwrap();
        }
        mailbox.put(QUIET, 1, "quiet").unwrap();
        let place = drain(&mailbox).iter().position(|item| *item == "quiet");
        assert!(place.unwrap() <= 16, "{place:?}");
    }

    #[test]
    fn a_batch_costs_what_it_holds() {
        let mailbox = Mailbox::new();
        for _ in 0..100 {
            mailbox.put(FLOOD, 128, "batch").unwrap();
        }
        for _ in 0..100 {
            mailbox.put(QUIET, 1, "one").unwrap();
        }
        let first: Vec<_> = drain(&mailbox).into_iter().take(101).collect();
        let ones = first.iter().filter(|item| **item == "one").count();
        assert_eq!(ones, 100, "a batch of 128 waits for sixteen turns of 8");
    }

    #[test]
    fn what_one_party_sends_stays_in_order() {
        let mailbox = Mailbox::new();
        for number in 0..50 {
            for line in [FLOOD, QUIET, Line::Operator] {
                mailbox.put(line, 1 + number % 20, (line, number)).unwrap();
            }
        }
        let all: Vec<_> = std::iter::from_fn(|| mailbox.take()).collect();
        for line in [FLOOD, QUIET, Line::Operator] {
            let own: Vec<_> = all.iter().filter(|(whose, _)| *whose == line).collect();
            assert!(own.is_sorted_by_key(|(_, number)| *number));
            assert_eq!(own.len(), 50);
        }
    }

    #[test]
    fn a_party_that_fills_its_line_leaves_room_for_others() {
        let mailbox = Mailbox::new();
        let filled = (0..).take_while(|_| mailbox.put(FLOOD, 1, "flood").is_ok());
        assert_eq!(filled.count(), WAITING, "alone it may have everything");
        let taken = (0..).take_while(|_| mailbox.put(QUIET, 1, "quiet").is_ok());
        assert_eq!(taken.count(), WAITING / 2, "its part beside one other");
        assert_eq!(mailbox.put(FLOOD, 1, "flood"), Err(Turned::Full));
    }

    #[test]
    fn however_many_wait_each_may_have_a_few_up_to_a_bound_of_all() {
        let mailbox = Mailbox::new();
        let mut taken = 0;
        for owner in 0..10_000 {
            let line = Line::Owner(OwnerId(owner));
            taken += (0..FEW + 1)
                .take_while(|_| mailbox.put(line, 1, "one").is_ok())
                .count();
        }
        assert_eq!(taken, 2 * WAITING);
    }

    #[test]
    fn what_settles_always_waits_and_the_nodes_signals_come_first() {
        let mailbox = Mailbox::new();
        while mailbox.put(FLOOD, 1, "flood").is_ok() {}
        while mailbox.put(QUIET, 1, "quiet").is_ok() {}
        for _ in 0..3 * WAITING {
            mailbox.put(Line::Settling, 1, "settles").unwrap();
        }
        mailbox.put(Line::Node, 0, "signal").unwrap();
        assert_eq!(mailbox.take(), Some("signal"));
        let next: Vec<_> = (0..200).filter_map(|_| mailbox.take()).collect();
        assert!(next.contains(&"settles") && next.contains(&"flood"));
    }

    #[test]
    fn when_it_closes_what_waits_is_dropped_and_nothing_more_is_taken() {
        let mailbox = Mailbox::new();
        let (tell, told) = std::sync::mpsc::channel::<()>();
        mailbox.put(QUIET, 1, tell).unwrap();
        mailbox.close();
        assert!(told.recv().is_err(), "whoever asked learns it");
        let (tell, _told) = std::sync::mpsc::channel();
        assert_eq!(mailbox.put(Line::Node, 0, tell).err(), Some(Turned::Closed));
        assert!(mailbox.wait(Duration::ZERO).is_none());
    }
}

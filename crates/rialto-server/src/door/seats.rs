//! Who has requests in progress over connections, and who makes room when all places are taken.
//!
//! A place goes to whoever holds fewer: when none is left, the party that holds most gives one up, the one
//! in which it has waited longest: a stream, or a read that waits. Commands are never ended. So neither a
//! few addresses nor a few owners shut the others out; whoever holds nothing gets a place. Addresses of
//! IPv6 are counted by their first 48 bits too, because one holder can have as many of 64 as it likes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use super::shares::{Bounds, Party};

/// The places, and who has them.
pub(super) struct Seats {
    bounds: Bounds,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    next: u64,
    strangers: usize,
    all: usize,
    of: HashMap<Party, usize>,
    /// By the party that counts together: an owner, or what is one holder of addresses.
    groups: HashMap<Party, BTreeMap<u64, Seated>>,
}

struct Seated {
    party: Party,
    /// How it is told to end, if it may be ended.
    end: Option<oneshot::Sender<()>>,
}

/// A place, given back when this is dropped.
pub(super) struct Seat {
    seats: Arc<Seats>,
    group: Party,
    number: u64,
    most: usize,
    left: usize,
}

impl Seat {
    /// How many its party may have.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// How many more its party could have had when this one was taken.
    pub(super) fn left(&self) -> usize {
        self.left
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut table = self.seats.lock();
        table.leave(self.group, self.number);
    }
}

impl Table {
    fn leave(&mut self, group: Party, number: u64) -> Option<Seated> {
        let seats = self.groups.get_mut(&group)?;
        let gone = seats.remove(&number)?;
        if seats.is_empty() {
            self.groups.remove(&group);
        }
        self.all = self.all.saturating_sub(1);
        if !gone.party.is_known() {
            self.strangers = self.strangers.saturating_sub(1);
        }
        if let Some(have) = self.of.get_mut(&gone.party) {
            *have = have.saturating_sub(1);
            if *have == 0 {
                self.of.remove(&gone.party);
            }
        }
        Some(gone)
    }

    fn have(&self, group: Party) -> usize {
        self.groups.get(&group).map_or(0, BTreeMap::len)
    }

    /// Ends what has waited longest of the group that holds most, if that is more than `than`; only
    /// among strangers if only they are too many. False if there is nothing to end.
    fn make_room(&mut self, than: usize, strangers: bool) -> bool {
        let most = self.groups.iter().filter_map(|(group, seats)| {
            let may = *group != Party::Operator && (!strangers || !group.is_known());
            let oldest = seats.iter().find(|(_, seat)| seat.end.is_some());
            let (number, _) = oldest.filter(|_| may && seats.len() > than)?;
            Some((seats.len(), *group, *number))
        });
        let Some((_, group, number)) =
            most.max_by_key(|(len, _, number)| (*len, u64::MAX - number))
        else {
            return false;
        };
        if let Some(end) = self.leave(group, number).and_then(|seat| seat.end) {
            // Whoever has just gone by itself does not hear it.
            let _ = end.send(());
        }
        true
    }
}

impl Seats {
    pub(super) fn new(bounds: Bounds) -> Arc<Self> {
        Arc::new(Self {
            bounds,
            table: Mutex::default(),
        })
    }

    /// How many places a party may have.
    pub(super) fn most(&self, party: Party) -> usize {
        self.bounds.of_party(party)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a party, if it may have one; `end` tells it to make room for another.
    pub(super) fn take(
        self: &Arc<Self>,
        party: Party,
        end: Option<oneshot::Sender<()>>,
    ) -> Option<Seat> {
        let (bounds, group, stranger) = (&self.bounds, party.group(), !party.is_known());
        let mut table = self.lock();
        let of_party = table.of.get(&party).copied().unwrap_or(0);
        let of_group = table.have(group);
        let most_of_group = match group == party {
            true => usize::MAX,
            false => bounds.of_group(),
        };
        if of_party > 0 && of_party >= bounds.of_party(party) || of_group >= most_of_group {
            return None;
        }
        // One more than the newcomer has after it: otherwise the two would take turns in ending each other.
        let than = of_group + 1;
        if stranger && table.strangers >= bounds.of_strangers && !table.make_room(than, true) {
            return None;
        }
        if table.all >= bounds.in_sum(party, false) && !table.make_room(than, false) {
            return None;
        }
        let number = table.next;
        table.next += 1;
        table.all += 1;
        table.strangers += usize::from(stranger);
        *table.of.entry(party).or_default() += 1;
        let seated = Seated { party, end };
        table
            .groups
            .entry(group)
            .or_default()
            .insert(number, seated);
        drop(table);
        Some(Seat {
            seats: self.clone(),
            group,
            number,
            most: bounds.of_party(party),
            left: bounds.of_party(party).saturating_sub(of_party + 1),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_core::id::OwnerId;

    const BOUNDS: Bounds = Bounds {
        all: 40,
        of_one: 8,
        of_address: 8,
        of_strangers: 20,
        kept: 4,
    };

    fn owner(number: u64) -> Party {
        Party::Owner(OwnerId(number))
    }

    fn address(text: &str) -> Party {
        Party::Address(text.parse::<std::net::IpAddr>().unwrap().into())
    }

    /// A stream of a party, and what tells it to end.
    fn stream(seats: &Arc<Seats>, party: Party) -> Option<(Seat, oneshot::Receiver<()>)> {
        let (end, ended) = oneshot::channel();
        Some((seats.take(party, Some(end))?, ended))
    }

    #[test]
    fn who_holds_nothing_gets_a_place_of_the_one_that_holds_most() {
        let seats = Seats::new(BOUNDS);
        let mut held = Vec::new();
        for number in 1..=3 {
            for _ in 0..8 {
                held.extend(stream(&seats, address(&format!("10.0.0.{number}"))));
            }
        }
        // The third address took places of the others, until all have about as many.
        assert_eq!(held.len(), 22);
        let ended = |held: &mut Vec<(Seat, oneshot::Receiver<()>)>| {
            held.iter_mut()
                .filter_map(|(_, ended)| ended.try_recv().ok())
                .count()
        };
        assert_eq!(ended(&mut held), 2);
        let new = stream(&seats, address("10.0.0.9"));
        assert!(new.is_some());
        assert_eq!(ended(&mut held), 1);
        // Nor does an owner that comes later find less than the others have.
        for number in 1..=4 {
            for _ in 0..8 {
                held.extend(stream(&seats, owner(number)));
            }
        }
        assert!((1..=4).all(|number| seats.lock().have(owner(number)) >= 4));
        assert!(seats.take(owner(9), None).is_some());
        assert!(seats.lock().all <= 36);
        drop((held, new));
        let table = seats.lock();
        assert!(table.groups.is_empty() && table.of.is_empty());
        assert_eq!((table.all, table.strangers), (0, 0));
    }

    #[test]
    fn commands_are_not_ended_and_the_operator_has_places() {
        let seats = Seats::new(BOUNDS);
        let all = (1..=8).flat_map(|number| (0..8).map(move |_| owner(number)));
        let held: Vec<Seat> = all.filter_map(|party| seats.take(party, None)).collect();
        assert_eq!(held.len(), 36);
        assert!(seats.take(owner(9), None).is_none());
        let own = (0..9).filter_map(|_| seats.take(Party::Operator, None));
        assert_eq!(own.collect::<Vec<_>>().len(), 4);
    }

    #[test]
    fn one_holder_of_many_addresses_is_one() {
        let seats = Seats::new(BOUNDS);
        let near = |number: u16| address(&format!("2001:db8:7:{number:x}::1"));
        let held: Vec<_> = (0..30).filter_map(|n| stream(&seats, near(n))).collect();
        assert_eq!(held.len(), BOUNDS.of_group());
        assert!(stream(&seats, address("2001:db8:8::1")).is_some());
    }
}

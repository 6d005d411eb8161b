//! Decides which replica of a cell gets a request.

use serde::{Deserialize, Serialize};

use crate::engine::MixedMap;
use crate::rng::Rng;
use crate::traffic::{Prefix, PrefixTable, Request};

/// A routing policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Any replica, with equal chance.
    Random,
    /// One after the other.
    RoundRobin,
    /// The replica with the fewest requests; ties by chance.
    LeastLoad,
    /// The less loaded of two replicas drawn at random (M. Mitzenmacher, 1996).
    #[default]
    PowerOfTwo,
    /// The replica that last served the longest part of the prompt, if that is more than three
    /// tenths of it (as SGLang's gateway sets its `cache-threshold`), no other replica has
    /// served it, and the replica has no more than four requests over twice those of the
    /// power-of-two choice; else that choice.
    PrefixAffinity,
}

/// Replicas by load, so that a least loaded one is found without a search.
#[derive(Clone, Debug, Default)]
pub(super) struct LoadIndex {
    buckets: Vec<Vec<u32>>,
    /// Load and place in its bucket of each indexed replica.
    places: Vec<Option<(u32, u32)>>,
    least: usize,
}

impl LoadIndex {
    pub(super) fn new(replicas: usize) -> Self {
        Self {
            buckets: Vec::new(),
            places: vec![None; replicas],
            least: 0,
        }
    }

    /// Sets a replica's load, or takes it out.
    pub(super) fn set(&mut self, replica: u32, load: Option<u32>) {
        if let Some((old, place)) = self.places[replica as usize].take() {
            if load == Some(old) {
                self.places[replica as usize] = Some((old, place));
                return;
            }
            let bucket = &mut self.buckets[old as usize];
            bucket.swap_remove(place as usize);
            if let Some(&moved) = bucket.get(place as usize) {
                self.places[moved as usize] = Some((old, place));
            }
        }
        let Some(load) = load else { return };
        if load as usize >= self.buckets.len() {
            self.buckets.resize(load as usize + 1, Vec::new());
        }
        let bucket = &mut self.buckets[load as usize];
        self.places[replica as usize] = Some((load, bucket.len() as u32));
        bucket.push(replica);
        self.least = self.least.min(load as usize);
    }

    /// A least loaded replica, drawn with equal chance among them.
    pub(super) fn least(&mut self, rng: &mut Rng) -> Option<u32> {
        while self.least < self.buckets.len() && self.buckets[self.least].is_empty() {
            self.least += 1;
        }
        let Some(bucket) = self.buckets.get(self.least) else {
            self.least = 0;
            return None;
        };
        Some(bucket[rng.below(bucket.len() as u64) as usize])
    }
}

/// Most prefixes whose replica a router remembers; beyond that it forgets them all and starts again.
const MAX_REMEMBERED: usize = 1 << 22;

/// Share of a prompt that must be known at a replica for the request to follow it: a shorter match saves
/// less than it costs to crowd the replica that last served a common opening.
const WORTH_FOLLOWING: f64 = 0.3;

/// Marks a block that several replicas have served: it attracts requests to none of them.
const SEVERAL: u32 = u32::MAX;

/// Where each prefix was last served, as the router knows it: by block for listed hashes, by session for
/// sessions (whose shared opening is soon on every replica and says nothing).
#[derive(Clone, Debug, Default)]
pub(super) struct Whereabouts {
    /// The replica ([`SEVERAL`] for a block that others served too), and for a session how many
    /// blocks its prompt had.
    last: MixedMap<(u32, u32)>,
}

impl Whereabouts {
    /// The replica that last served the deepest known part of the prompt, if that part is worth
    /// following.
    pub(super) fn find(&self, prefixes: &PrefixTable, request: &Request) -> Option<u32> {
        let blocks = prefixes.blocks(request);
        let worth = |known: u32| f64::from(known) > WORTH_FOLLOWING * f64::from(blocks);
        if let Prefix::Session { session, .. } = request.prefix {
            let &(replica, known) = self.last.get(&session)?;
            return worth(known).then_some(replica);
        }
        let (known, replica) = (0..blocks).rev().find_map(|index| {
            let hash = prefixes.hash(request.prefix, index);
            self.last
                .get(&hash)
                .map(|&(replica, _)| (index + 1, replica))
        })?;
        (replica != SEVERAL && worth(known)).then_some(replica)
    }

    /// Remembers that `replica` serves this prompt.
    pub(super) fn note(&mut self, prefixes: &PrefixTable, request: &Request, replica: u32) {
        if self.last.len() > MAX_REMEMBERED {
            self.last.clear();
        }
        let blocks = prefixes.blocks(request);
        if let Prefix::Session { session, .. } = request.prefix {
            self.last.insert(session, (replica, blocks));
            return;
        }
        for index in 0..blocks {
            let hash = prefixes.hash(request.prefix, index);
            let place = self.last.entry(hash).or_insert((replica, 0));
            if place.0 != replica {
                place.0 = SEVERAL;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_match_worth_its_crowding_is_followed() {
        let hashes = (1..=40).collect();
        let prefixes = PrefixTable::new(512, hashes);
        let prompt = |start, len: u32| Request {
            input_tokens: len * 512,
            prefix: Prefix::Listed { start, len },
            ..Request::default()
        };
        let mut known = Whereabouts::default();
        known.note(&prefixes, &prompt(0, 3), 7);
        for (blocks, found) in [(3, Some(7)), (9, Some(7)), (10, None), (30, None)] {
            assert_eq!(known.find(&prefixes, &prompt(0, blocks)), found, "{blocks}");
        }
        known.note(&prefixes, &prompt(0, 1), 2);
        assert_eq!(known.find(&prefixes, &prompt(0, 1)), None, "two served it");
        assert_eq!(known.find(&prefixes, &prompt(0, 2)), Some(7));
        let turn = |tokens: u32| Request {
            input_tokens: tokens,
            prefix: Prefix::Session {
                app: 1,
                app_blocks: 0,
                session: 5,
            },
            ..Request::default()
        };
        known.note(&prefixes, &turn(3 * 512), 4);
        for (blocks, found) in [(4, Some(4)), (9, Some(4)), (10, None)] {
            assert_eq!(
                known.find(&prefixes, &turn(blocks * 512)),
                found,
                "{blocks}"
            );
        }
    }

    #[test]
    fn the_index_always_gives_a_least_loaded_replica() {
        let mut rng = Rng::new(5);
        let mut index = LoadIndex::new(20);
        let mut loads: Vec<Option<u32>> = vec![None; 20];
        assert_eq!(index.least(&mut rng), None);
        for _ in 0..5_000 {
            let replica = rng.below(20) as u32;
            let load = (rng.below(8) > 0).then(|| rng.below(9) as u32);
            loads[replica as usize] = load;
            index.set(replica, load);
            let least = loads.iter().flatten().min().copied();
            let got = index.least(&mut rng).map(|r| loads[r as usize].unwrap());
            assert_eq!(got, least);
        }
    }
}

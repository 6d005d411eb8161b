//! Which replica of a cell gets a request.

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
    /// The replica that last served the longest part of the prompt, unless it has over four
    /// requests more than twice those of the power-of-two choice; then that one.
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

/// Most prefixes whose whereabouts a router remembers; past it, it starts afresh.
const MAX_REMEMBERED: usize = 1 << 22;

/// Where each prefix was last served, as the router knows it: by block for listed hashes, by
/// session for sessions (whose shared opening soon is everywhere and says nothing).
#[derive(Clone, Debug, Default)]
pub(super) struct Whereabouts {
    last: MixedMap<u32>,
}

impl Whereabouts {
    /// The replica that last served the deepest known part of the prompt.
    pub(super) fn find(&self, prefixes: &PrefixTable, request: &Request) -> Option<u32> {
        if let Prefix::Session { session, .. } = request.prefix {
            return self.last.get(&session).copied();
        }
        (0..prefixes.blocks(request)).rev().find_map(|index| {
            self.last
                .get(&prefixes.hash(request.prefix, index))
                .copied()
        })
    }

    /// Remembers that `replica` serves this prompt.
    pub(super) fn note(&mut self, prefixes: &PrefixTable, request: &Request, replica: u32) {
        if self.last.len() > MAX_REMEMBERED {
            self.last.clear();
        }
        if let Prefix::Session { session, .. } = request.prefix {
            self.last.insert(session, replica);
            return;
        }
        for index in 0..prefixes.blocks(request) {
            self.last
                .insert(prefixes.hash(request.prefix, index), replica);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

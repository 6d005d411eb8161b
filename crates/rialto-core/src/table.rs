//! A hash table in shards, so that growing one never stalls the writer for long.
//!
//! The hash is seeded with a secret that the process draws at start. No method visits entries in
//! an order that a decision could observe: [`Table::for_each`] is for sums and exports only.

use core::borrow::Borrow;
use core::hash::{BuildHasher, Hash};

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;
use hashbrown::HashTable;

/// How many shards a table has.
const SHARDS: usize = 256;
/// The number of slots of the hash. A shard has between 10 and 22 of them: shards of one size would
/// be full at the same moment, so their sizes are spread evenly over a doubling, and they grow in
/// turn.
const SLOTS: usize = 4_096;
/// The shard of each slot.
const SHARD_OF: [u8; SLOTS] = spread();

#[allow(clippy::cast_possible_truncation, clippy::indexing_slicing)] // Checked when it is compiled.
const fn spread() -> [u8; SLOTS] {
    let mut slots = [0; SLOTS];
    let (mut shard, mut slot) = (0, 0);
    while shard < SHARDS {
        // The sizes rise from 2/3 to 4/3 of the mean; the ends add up to all slots.
        let next = shard + 1;
        let end = SLOTS * next * (2 * SHARDS + next) / (3 * SHARDS * SHARDS);
        while slot < end && slot < SLOTS {
            slots[slot] = shard as u8;
            slot += 1;
        }
        shard += 1;
    }
    slots
}

/// A sharded hash table with a seeded hash.
#[derive(Clone)]
pub struct Table<K, V> {
    shards: alloc::vec::Vec<HashTable<(K, V)>>,
    hasher: SeedableRandomState,
    len: usize,
}

impl<K: Hash + Eq, V> Table<K, V> {
    /// An empty table with the process's secret seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut shards = alloc::vec::Vec::with_capacity(SHARDS);
        shards.resize_with(SHARDS, HashTable::new);
        Self {
            shards,
            hasher: SeedableRandomState::with_seed(seed, SharedSeed::global_fixed()),
            len: 0,
        }
    }

    /// How many entries it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// True without entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn place<Q: Hash + ?Sized>(&self, key: &Q) -> (usize, u64) {
        let hash = self.hasher.hash_one(key);
        // The low bits place an entry within its shard; high ones choose the shard.
        let slot = usize::try_from(hash >> 48).unwrap_or(0) % SLOTS;
        (
            SHARD_OF.get(slot).map_or(0, |shard| usize::from(*shard)),
            hash,
        )
    }

    /// The value of `key`.
    pub fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let (shard, hash) = self.place(key);
        self.shards
            .get(shard)?
            .find(hash, |(k, _)| k.borrow() == key)
            .map(|(_, v)| v)
    }

    /// The value of `key`, to change.
    pub fn get_mut<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let (shard, hash) = self.place(key);
        self.shards
            .get_mut(shard)?
            .find_mut(hash, |(k, _)| k.borrow() == key)
            .map(|(_, v)| v)
    }

    /// True if `key` has a value.
    pub fn contains<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.get(key).is_some()
    }

    /// Sets the value of `key` and returns the one it had.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        if let Some(old) = self.get_mut(&key) {
            return Some(core::mem::replace(old, value));
        }
        let (shard, hash) = self.place(&key);
        let hasher = self.hasher.clone();
        let shard = self.shards.get_mut(shard)?;
        shard.insert_unique(hash, (key, value), |(k, _)| hasher.hash_one(k));
        self.len += 1;
        None
    }

    /// Takes `key` out.
    pub fn remove<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let (shard, hash) = self.place(key);
        let found = self
            .shards
            .get_mut(shard)?
            .find_entry(hash, |(k, _)| k.borrow() == key)
            .ok()?;
        let ((_, value), _) = found.remove();
        self.len -= 1;
        Some(value)
    }

    /// Visits every entry in arbitrary order.
    pub fn for_each(&self, mut visit: impl FnMut(&K, &V)) {
        for shard in &self.shards {
            for (key, value) in shard {
                visit(key, value);
            }
        }
    }

    /// Takes every entry out, in arbitrary order.
    pub fn drain(&mut self, mut take: impl FnMut(K, V)) {
        self.len = 0;
        for shard in &mut self.shards {
            for (key, value) in shard.drain() {
                take(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use proptest::prelude::*;

    #[test]
    fn shards_differ_in_size_so_that_they_grow_in_turn() {
        let mut sizes = [0; SHARDS];
        for shard in SHARD_OF {
            sizes[usize::from(shard)] += 1;
        }
        assert!(
            sizes.iter().all(|size| (10..=22).contains(size)),
            "{sizes:?}"
        );
        let most = (10..=22).map(|n| sizes.iter().filter(|size| **size == n).count());
        assert!(most.max().unwrap() <= SHARDS / 8, "{sizes:?}");
    }

    proptest! {
        #[test]
        fn behaves_like_a_map(seed: u64, steps in prop::collection::vec((0_u8..3, 0_u16..40, any::<u8>()), 0..300)) {
            let mut table = Table::new(seed);
            let mut map = BTreeMap::new();
            for (what, key, value) in steps {
                match what {
                    0 => prop_assert_eq!(table.insert(key, value), map.insert(key, value)),
                    1 => prop_assert_eq!(table.remove(&key), map.remove(&key)),
                    _ => prop_assert_eq!(table.get(&key), map.get(&key)),
                }
                prop_assert_eq!(table.len(), map.len());
            }
            let mut seen = BTreeMap::new();
            table.for_each(|k, v| { seen.insert(*k, *v); });
            prop_assert_eq!(seen, map);
        }
    }
}

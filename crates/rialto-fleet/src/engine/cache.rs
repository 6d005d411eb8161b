//! The prefix cache of one replica: hashed prompt blocks. Requests share a block while they use it; then
//! the cache keeps it until it is the least recently used one and space is needed.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Hashes keys that are already well mixed: the hash is the key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mixed(u64);

/// A map from mixed keys. Order of iteration must never be used.
pub(crate) type MixedMap<V> = HashMap<u64, V, BuildHasherDefault<Mixed>>;

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u64,
    references: u32,
    /// Neighbours in the list of unreferenced entries, oldest first.
    older: u32,
    newer: u32,
}

/// Hashed blocks with reference counts; the unreferenced form a list by last use.
#[derive(Clone, Debug)]
pub(super) struct PrefixCache {
    places: MixedMap<u32>,
    entries: Vec<Entry>,
    free: Vec<u32>,
    oldest: u32,
    newest: u32,
    idle: u64,
}

impl PrefixCache {
    pub(super) fn new() -> Self {
        Self {
            places: MixedMap::default(),
            entries: Vec::new(),
            free: Vec::new(),
            oldest: NONE,
            newest: NONE,
            idle: 0,
        }
    }

    /// Entries in use.
    pub(super) fn referenced(&self) -> u64 {
        self.places.len() as u64 - self.idle
    }

    /// Whether the cache holds a block, and if so whether no request references it: using it then takes
    /// memory from others.
    pub(super) fn find(&self, hash: u64) -> Option<bool> {
        self.places
            .get(&hash)
            .map(|&p| self.entries[p as usize].references == 0)
    }

    /// References a block, adding it if it is missing.
    pub(super) fn acquire(&mut self, hash: u64) {
        if let Some(&place) = self.places.get(&hash) {
            if self.entries[place as usize].references == 0 {
                self.unlink(place);
            }
            self.entries[place as usize].references += 1;
            return;
        }
        let entry = Entry {
            hash,
            references: 1,
            older: NONE,
            newer: NONE,
        };
        let place = match self.free.pop() {
            Some(place) => {
                self.entries[place as usize] = entry;
                place
            }
            None => {
                self.entries.push(entry);
                (self.entries.len() - 1) as u32
            }
        };
        self.places.insert(hash, place);
    }

    /// Drops a reference; the last one makes the block the most recently used idle one.
    pub(super) fn release(&mut self, hash: u64) {
        let Some(&place) = self.places.get(&hash) else {
            return;
        };
        let entry = &mut self.entries[place as usize];
        entry.references = entry.references.saturating_sub(1);
        if entry.references > 0 {
            return;
        }
        entry.older = self.newest;
        entry.newer = NONE;
        match self.newest {
            NONE => self.oldest = place,
            newest => self.entries[newest as usize].newer = place,
        }
        self.newest = place;
        self.idle += 1;
    }

    /// Evicts the least recently used idle blocks until at most `keep` are left.
    pub(super) fn shrink_idle(&mut self, keep: u64) {
        while self.idle > keep {
            let place = self.oldest;
            self.unlink(place);
            self.places.remove(&self.entries[place as usize].hash);
            self.free.push(place);
        }
    }

    fn unlink(&mut self, place: u32) {
        let Entry { older, newer, .. } = self.entries[place as usize];
        match older {
            NONE => self.oldest = newer,
            older => self.entries[older as usize].newer = newer,
        }
        match newer {
            NONE => self.newest = older,
            newer => self.entries[newer as usize].older = older,
        }
        self.idle -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::PrefixCache;

    #[test]
    fn evicts_the_least_recently_used_idle_block() {
        let mut cache = PrefixCache::new();
        for hash in 1..=4 {
            cache.acquire(hash);
        }
        for hash in [2, 1, 3] {
            cache.release(hash);
        }
        cache.acquire(2);
        assert_eq!((cache.idle, cache.referenced()), (2, 2));
        cache.shrink_idle(1);
        assert!(
            cache.find(1).is_none() && cache.find(3).is_some(),
            "1 was idle the longest"
        );
        assert!(
            cache.find(2) == Some(false) && cache.find(4).is_some(),
            "used blocks stay"
        );
        cache.shrink_idle(0);
        assert!(cache.find(3).is_none());
    }
}

//! Which entry of which batch is an entity's newest, with its hash: kept in memory.
//!
//! Costs about 150 bytes an entity besides its key. Holds no values.

use std::collections::HashMap;

use super::batch::Entry;
use crate::Hash;
use crate::digest::Digest;

/// Place of an entry in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) batch: u64,
    pub(super) offset: u32,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    place: Place,
    entry_bytes: u32,
    hash: Hash,
}

/// The newest entries, their sum and their size.
#[derive(Debug, Default)]
pub(super) struct Index {
    slots: HashMap<Box<[u8]>, Slot>,
    pub(super) digest: Digest,
    /// Bytes of the newest entries.
    pub(super) live_bytes: u64,
}

impl Index {
    /// Room for `count` entities, but no more than `total_bytes` of entries can hold.
    pub(super) fn with_capacity(count: u64, total_bytes: u64) -> Self {
        let count = usize::try_from(count.min(total_bytes / 8)).unwrap_or(0);
        Self {
            slots: HashMap::with_capacity(count),
            ..Self::default()
        }
    }

    pub(super) fn contains(&self, key: &[u8]) -> bool {
        self.slots.contains_key(key)
    }

    pub(super) fn count(&self) -> u64 {
        self.slots.len() as u64
    }

    /// Whether an entry with this value needs no writing.
    pub(super) fn holds(&self, key: &[u8], hash: Option<&Hash>) -> bool {
        self.slots.get(key).map(|slot| &slot.hash) == hash
    }

    /// Makes an entry an entity's newest.
    pub(super) fn put(&mut self, entry: Entry<'_>, hash: Hash, place: Place) {
        let slot = Slot {
            place,
            entry_bytes: entry.encoded_bytes(),
            hash,
        };
        self.digest.add(&hash);
        self.live_bytes += u64::from(slot.entry_bytes);
        let old = match self.slots.get_mut(entry.key) {
            Some(old) => Some(std::mem::replace(old, slot)),
            None => self.slots.insert(entry.key.into(), slot),
        };
        if let Some(old) = old {
            self.forget(&old);
        }
    }

    pub(super) fn remove(&mut self, key: &[u8]) {
        if let Some(old) = self.slots.remove(key) {
            self.forget(&old);
        }
    }

    fn forget(&mut self, old: &Slot) {
        self.digest.sub(&old.hash);
        self.live_bytes -= u64::from(old.entry_bytes);
    }

    /// Whether the entry at a place is its entity's newest.
    pub(super) fn is_newest(&self, key: &[u8], place: Place) -> bool {
        self.slots.get(key).is_some_and(|slot| slot.place == place)
    }

    /// Follows an entry that was copied elsewhere.
    pub(super) fn moved(&mut self, key: &[u8], to: Place) {
        if let Some(slot) = self.slots.get_mut(key) {
            slot.place = to;
        }
    }
}

//! Keys and large contents on the simulated disk.
//!
//! Keys follow from their numbers, so that a run is the same each time. What is put is durable at
//! once, or fails by plan; what a failure leaves is found by the next journal on the disk.

use std::collections::{BTreeMap, BTreeSet};

use super::MemoryDisk;
use super::fault::{Fault, FaultPlan, Tail};
use crate::JournalError;
use crate::contents::{ContentStore, Key, KeyId, Keys, Slot};

/// What the disk keeps of contents besides the rows of their frames.
#[derive(Debug, Default)]
pub(super) struct Stored {
    pub(super) large: BTreeMap<Slot, Vec<u8>>,
    pub(super) plan: FaultPlan,
    pub(super) cut_next_erasure: bool,
    puts: u64,
    last_key: KeyId,
    erased: BTreeSet<KeyId>,
    leftovers: BTreeSet<Slot>,
}

impl Stored {
    pub(super) fn key(&self, id: KeyId) -> Option<Key> {
        let drawn = (1..=self.last_key).contains(&id) && !self.erased.contains(&id);
        drawn.then(|| key(id))
    }
}

fn key(id: KeyId) -> Key {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"rialto simulated key");
    hasher.update(&id.to_le_bytes());
    hasher.finalize().into()
}

fn cut(doing: &'static str) -> JournalError {
    JournalError::io(doing, std::io::Error::other("simulated failure"))
}

/// The keys of a disk.
pub(super) struct MemoryKeys(pub(super) MemoryDisk);

impl Keys for MemoryKeys {
    fn draw(&self) -> Result<(KeyId, Key), JournalError> {
        let mut disk = self.0.lock();
        disk.stored.last_key += 1;
        let id = disk.stored.last_key;
        Ok((id, key(id)))
    }

    fn runs_low(&self) -> bool {
        false
    }

    fn prepare(&self) -> Result<(), JournalError> {
        Ok(())
    }

    fn key(&self, id: KeyId) -> Result<Option<Key>, JournalError> {
        Ok(self.0.lock().stored.key(id))
    }

    fn erase(&self, slots: &[Slot]) -> Result<usize, JournalError> {
        let mut disk = self.0.lock();
        let stored = &mut disk.stored;
        let there = slots.iter().filter(|slot| stored.erased.insert(slot.key));
        let erased = there.count();
        stored.leftovers.extend(slots);
        match std::mem::take(&mut stored.cut_next_erasure) {
            true => Err(cut("erase contents")),
            false => Ok(erased),
        }
    }

    fn leftovers(&self) -> Result<Vec<Slot>, JournalError> {
        Ok(self.0.lock().stored.leftovers.iter().copied().collect())
    }

    fn removed(&self, slots: &[Slot]) -> Result<(), JournalError> {
        let mut disk = self.0.lock();
        for slot in slots {
            disk.stored.leftovers.remove(slot);
        }
        Ok(())
    }
}

/// Large contents on a disk, as the journal opened on it at one time sees them.
pub(super) struct MemoryStore {
    pub(super) disk: MemoryDisk,
    /// A process that has ended touches nothing any more.
    pub(super) epoch: u64,
}

impl ContentStore for MemoryStore {
    fn put(&self, slot: &Slot, sealed: &[u8]) -> Result<(), JournalError> {
        let mut disk = self.disk.lock();
        if disk.epoch != self.epoch {
            return Err(cut("write a content"));
        }
        disk.stored.puts += 1;
        let put = disk.stored.puts;
        match disk.stored.plan.draw(put) {
            Some(Fault::StorageFull) => return Err(JournalError::StorageFull),
            Some(Fault::SyncFails(tail)) => {
                let kept = match tail {
                    Tail::Dropped => return Err(cut("write a content")),
                    Tail::Kept => sealed,
                    Tail::Torn { bytes } => {
                        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
                        sealed.get(..bytes).unwrap_or(sealed)
                    }
                };
                disk.stored.large.insert(*slot, kept.to_vec());
                return Err(cut("write a content"));
            }
            // The others are faults of a log.
            Some(Fault::SyncIgnored | Fault::FlipByte { .. } | Fault::Slow { .. }) | None => {}
        }
        disk.stored.large.insert(*slot, sealed.to_vec());
        Ok(())
    }

    fn get(&self, slot: &Slot) -> Result<Option<Vec<u8>>, JournalError> {
        Ok(self.disk.lock().stored.large.get(slot).cloned())
    }

    fn remove(&self, slot: &Slot) -> Result<(), JournalError> {
        let mut disk = self.disk.lock();
        if disk.epoch == self.epoch {
            disk.stored.large.remove(slot);
        }
        Ok(())
    }

    fn each(
        &self,
        visit: &mut dyn FnMut(Slot) -> Result<(), JournalError>,
    ) -> Result<(), JournalError> {
        let slots: Vec<Slot> = self.disk.lock().stored.large.keys().copied().collect();
        slots.into_iter().try_for_each(visit)
    }
}

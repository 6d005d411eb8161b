//! The log on a simulated disk, with injected faults.
//!
//! For tests and fault simulation: fast, deterministic, single process. The disk keeps encoded
//! frames as the real log does, so that torn and damaged bytes meet the same decoder, and contents
//! encrypted under keys of its own ([`store`]). It knows which frames it has synced;
//! [`MemoryDisk::crash`] drops or tears what it has not. Never touches a file or a clock.

mod fault;
mod store;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use fault::{Fault, FaultPlan, FaultRates, Tail};

use self::store::{MemoryKeys, MemoryStore};
use crate::contents::{Body, KeyId, Slot, Waiting, cipher};
use crate::frame::GENESIS;
use crate::frame::{self, StoredFrame};
use crate::{
    Content, ContentName, Contents, Frame, Hash, Head, Journal, JournalError, LogReader, Position,
};

/// A disk that outlives the journals opened on it. Clones share the disk.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk(Arc<Mutex<State>>);

/// A frame with the rows of its contents, and what a crash makes of it.
type Doubt = (Record, Vec<(Slot, Row)>, Tail);

#[derive(Debug, Default)]
struct State {
    records: Vec<Record>,
    rows: BTreeMap<Slot, Row>,
    stored: store::Stored,
    /// Written by an append whose sync failed; a crash decides what becomes of it.
    in_doubt: Option<Doubt>,
    plan: FaultPlan,
    appends: u64,
    latency_us: u64,
    /// Opening and crashing end the life of every earlier journal.
    epoch: u64,
}

/// What refers to a content, as it came with its frame.
#[derive(Debug)]
struct Row {
    /// First position of the frame.
    frame: Position,
    body: Body,
}

#[derive(Debug)]
struct Record {
    first: Position,
    last: Position,
    bytes: Vec<u8>,
    state: RecordState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RecordState {
    /// Synced: a crash keeps it.
    Synced,
    /// Acknowledged but not synced: a crash loses it.
    Ignored,
    /// Left by a crash in the middle of an append: whole or torn, never acknowledged.
    Left,
}

impl MemoryDisk {
    /// An empty disk that will fail by plan.
    #[must_use]
    pub fn new(plan: FaultPlan) -> Self {
        Self(Arc::new(Mutex::new(State {
            plan,
            ..State::default()
        })))
    }

    /// Replaces the plan, for instance to let the disk recover. The count of appends goes on.
    pub fn set_plan(&self, plan: FaultPlan) {
        self.lock().plan = plan;
    }

    /// Replaces the plan of faults of staging large contents, by the number of the staging from 1 on.
    /// A failed sync leaves what its [`Tail`] says behind for the next opening.
    pub fn set_staging_plan(&self, plan: FaultPlan) {
        self.lock().stored.plan = plan;
    }

    /// The next erasure ends between the deletion of its keys and the removal of its ciphertexts.
    pub fn cut_next_erasure(&self) {
        self.lock().stored.cut_next_erasure = true;
    }

    /// How many ciphertexts there are, of contents small and large: with those that nothing refers
    /// to, or whose key is erased.
    #[must_use]
    pub fn ciphertexts(&self) -> usize {
        let state = self.lock();
        let small = state.rows.values();
        let small = small.filter(|row| matches!(row.body, Body::Row(_))).count();
        small + state.stored.large.len()
    }

    /// Cuts the power: what was not synced is lost or torn, and journals opened before are dead.
    pub fn crash(&self) {
        self.lock().crash();
    }

    /// Latency of all appends so far, for a simulated clock.
    #[must_use]
    pub fn latency_us(&self) -> u64 {
        self.lock().latency_us
    }

    /// Damages one byte of the frame that holds `position`, at `offset` modulo its length.
    /// Says whether there is such a frame.
    pub fn flip_byte(&self, position: Position, offset: u64) -> bool {
        let mut state = self.lock();
        let index = state.index_of(position);
        state.flip(index, offset)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn crash(&mut self) {
        self.epoch += 1;
        if let Some(lost) = self
            .records
            .iter()
            .position(|r| r.state == RecordState::Ignored)
        {
            let from = self.records[lost].first;
            self.records.truncate(lost);
            self.rows.retain(|_, row| row.frame < from);
            self.in_doubt = None;
        }
        self.settle_doubt();
    }

    fn settle_doubt(&mut self) {
        let Some((mut record, rows, tail)) = self.in_doubt.take() else {
            return;
        };
        record.state = RecordState::Left;
        match tail {
            Tail::Dropped => {}
            Tail::Torn { bytes } => {
                let kept = usize::try_from(bytes)
                    .unwrap_or(usize::MAX)
                    .min(record.bytes.len() - 1);
                record.bytes.truncate(kept);
                self.records.push(record);
            }
            Tail::Kept => {
                self.records.push(record);
                self.rows.extend(rows);
            }
        }
    }

    /// Discards a torn tail and finds the head.
    fn recover(&mut self) -> Result<Head, JournalError> {
        self.epoch += 1;
        self.settle_doubt();
        if let Some(last) = self.records.last_mut() {
            let whole = frame::decode(last.first, &last.bytes);
            if last.state == RecordState::Left && whole.is_err() {
                self.records.pop();
            } else {
                whole?;
                if last.state == RecordState::Left {
                    last.state = RecordState::Synced;
                }
            }
        }
        Ok(self.head())
    }

    fn head(&self) -> Head {
        self.records.last().map_or(Head::EMPTY, |record| Head {
            position: record.last,
            chain: frame::stored_chain(&record.bytes).unwrap_or(GENESIS),
        })
    }

    /// Where contents with a hash are kept.
    fn slots(&self, hash: &Hash) -> impl Iterator<Item = Slot> {
        let of = |key| Slot { hash: *hash, key };
        let range = self.rows.range(of(0)..=of(KeyId::MAX));
        range.map(|(slot, _)| *slot)
    }

    fn index_of(&self, position: Position) -> usize {
        self.records
            .partition_point(|record| record.last < position)
    }

    fn flip(&mut self, index: usize, offset: u64) -> bool {
        let Some(record) = self.records.get_mut(index) else {
            return false;
        };
        let offset = usize::try_from(offset % record.bytes.len() as u64).unwrap_or(0);
        record.bytes[offset] ^= 0x40;
        true
    }

    fn read(&self, index: usize) -> Result<StoredFrame, JournalError> {
        let record = &self.records[index];
        let stored = frame::decode(record.first, &record.bytes)?;
        let before = match index.checked_sub(1) {
            Some(before) => frame::stored_chain(&self.records[before].bytes),
            None => Some(GENESIS),
        };
        if Some(stored.previous) != before {
            return Err(JournalError::corrupt(
                record.first,
                "the frame does not follow the one before",
            ));
        }
        Ok(stored)
    }
}

/// The log on a [`MemoryDisk`].
#[derive(Debug)]
pub struct MemoryJournal {
    disk: MemoryDisk,
    contents: Contents,
    head: Head,
    epoch: u64,
    poisoned: bool,
}

impl MemoryJournal {
    /// Opens the log on a disk. Journals opened on it before refuse to write from now on.
    ///
    /// # Errors
    /// `Corrupt` when the last frame is damaged though it was synced.
    pub fn open(disk: &MemoryDisk) -> Result<Self, JournalError> {
        let (head, epoch) = {
            let mut state = disk.lock();
            (state.recover()?, state.epoch)
        };
        let contents = Contents::new(
            Box::new(MemoryKeys(disk.clone())),
            Box::new(MemoryStore {
                disk: disk.clone(),
                epoch,
            }),
        );
        contents.collect(&mut |slot| Ok(disk.lock().rows.contains_key(slot)))?;
        let journal = Self {
            disk: disk.clone(),
            contents,
            head,
            epoch,
            poisoned: false,
        };
        journal.remove_leftovers()?;
        Ok(journal)
    }

    /// Removes the ciphertexts whose keys are erased.
    fn remove_leftovers(&self) -> Result<(), JournalError> {
        let slots = self.contents.keys().leftovers()?;
        for slot in &slots {
            self.contents.large().remove(slot)?;
            self.disk.lock().rows.remove(slot);
        }
        self.contents.keys().removed(&slots)
    }

    fn slots(&self, names: &[ContentName]) -> Vec<Slot> {
        let state = self.disk.lock();
        let of = |name: &ContentName| state.slots(&name.hash).collect::<Vec<_>>();
        names.iter().flat_map(of).collect()
    }

    fn write(&mut self, frame: &Frame) -> Result<Head, JournalError> {
        let mut state = self.disk.lock();
        if state.epoch != self.epoch {
            return Err(JournalError::Poisoned);
        }
        frame::check_next(frame, self.head)?;
        let taken = self.contents.take(&frame.contents)?;
        let rows = taken.into_iter().map(|(hash, Waiting { key, body })| {
            let first = frame.first;
            (Slot { hash, key }, Row { frame: first, body })
        });
        state.appends += 1;
        let append = state.appends;
        let fault = state.plan.draw(append);
        let mut bytes = Vec::new();
        let chain = frame::encode(frame, &self.head.chain, &mut bytes);
        let last = frame::last_position(frame.first, frame.envelopes.len());
        let mut record = Record {
            first: frame.first,
            last,
            bytes,
            state: RecordState::Synced,
        };
        match fault {
            Some(Fault::SyncFails(tail)) => {
                state.in_doubt = Some((record, rows.collect(), tail));
                let source = std::io::Error::other("simulated failure");
                return Err(JournalError::io("sync the log", source));
            }
            Some(Fault::StorageFull) => return Err(JournalError::StorageFull),
            Some(Fault::SyncIgnored) => record.state = RecordState::Ignored,
            Some(Fault::FlipByte { frame, offset }) if !state.records.is_empty() => {
                let index = usize::try_from(frame % state.records.len() as u64).unwrap_or(0);
                state.flip(index, offset);
            }
            Some(Fault::Slow { latency_us }) => state.latency_us += latency_us,
            Some(Fault::FlipByte { .. }) | None => {}
        }
        state.records.push(record);
        state.rows.extend(rows);
        self.head = Head {
            position: last,
            chain,
        };
        Ok(self.head)
    }
}

impl Journal for MemoryJournal {
    fn head(&self) -> Head {
        self.head
    }

    fn append(&mut self, frame: &Frame) -> Result<Head, JournalError> {
        if self.poisoned {
            return Err(JournalError::Poisoned);
        }
        let written = self.write(frame);
        self.poisoned = written.is_err();
        written
    }

    fn erase(&mut self, names: &[ContentName]) -> Result<usize, JournalError> {
        if self.poisoned || self.disk.lock().epoch != self.epoch {
            return Err(JournalError::Poisoned);
        }
        let erased = self.contents.keys().erase(&self.slots(names));
        let removed = erased.and_then(|erased| self.remove_leftovers().map(|()| erased));
        self.poisoned = removed.is_err();
        removed
    }

    fn contents(&self) -> Contents {
        self.contents.clone()
    }

    fn reader(&self) -> Box<dyn LogReader> {
        Box::new(MemoryReader(self.disk.clone()))
    }
}

/// Reads the log on a [`MemoryDisk`].
#[derive(Clone, Debug)]
pub struct MemoryReader(MemoryDisk);

impl MemoryReader {
    /// A reader of what is durable on `disk`.
    #[must_use]
    pub fn new(disk: &MemoryDisk) -> Self {
        Self(disk.clone())
    }
}

impl LogReader for MemoryReader {
    fn head(&mut self) -> Result<Head, JournalError> {
        Ok(self.0.lock().head())
    }

    fn read_from(
        &mut self,
        from: Position,
        max_bytes: usize,
    ) -> Result<Vec<StoredFrame>, JournalError> {
        let state = self.0.lock();
        let mut frames = Vec::new();
        let mut bytes = 0;
        for index in state.index_of(from)..state.records.len() {
            bytes += state.records[index].bytes.len();
            if bytes > max_bytes && !frames.is_empty() {
                break;
            }
            frames.push(state.read(index)?);
        }
        Ok(frames)
    }

    fn content(&mut self, name: &ContentName) -> Result<Option<Content>, JournalError> {
        let state = self.0.lock();
        for slot in state.slots(&name.hash) {
            let (Some(key), Some(row)) = (state.stored.key(slot.key), state.rows.get(&slot)) else {
                continue;
            };
            let missing = || JournalError::corrupt(row.frame, "a large content is missing");
            let sealed = match &row.body {
                Body::Row(sealed) => sealed.clone(),
                Body::Large(_) => state.stored.large.get(&slot).cloned().ok_or_else(missing)?,
            };
            let opened = cipher::open(&key, &name.hash, sealed);
            let (salt, bytes) = opened.ok_or_else(|| {
                JournalError::corrupt(row.frame, "a content does not open with its key")
            })?;
            let id = name.id;
            return Ok(Some(Content { id, salt, bytes }));
        }
        Ok(None)
    }
}

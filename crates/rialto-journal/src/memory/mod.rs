//! The log on a simulated disk, with injected faults.
//!
//! For tests and fault simulation: fast, deterministic, single process. The disk keeps encoded
//! frames as the real log does, so that torn and damaged bytes meet the same decoder. It knows
//! which frames it has synced; [`MemoryDisk::crash`] drops or tears what it has not. Never touches
//! a file or a clock.

mod fault;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use fault::{Fault, FaultPlan, FaultRates, Tail};

use crate::frame::GENESIS;
use crate::frame::{self, StoredFrame};
use crate::{Content, ContentId, Frame, Head, Journal, JournalError, LogReader, Position};

/// A disk that outlives the journals opened on it. Clones share the disk.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    records: Vec<Record>,
    contents: BTreeMap<ContentId, Content>,
    /// Written by an append whose sync failed; a crash decides what becomes of it.
    in_doubt: Option<(Record, Vec<Content>, Tail)>,
    plan: FaultPlan,
    appends: u64,
    latency_us: u64,
    /// Opening and crashing end the life of every earlier journal.
    epoch: u64,
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
            self.contents
                .retain(|id, _| frame::content_position(*id) < from);
            self.in_doubt = None;
        }
        self.settle_doubt();
    }

    fn settle_doubt(&mut self) {
        let Some((mut record, contents, tail)) = self.in_doubt.take() else {
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
                self.contents
                    .extend(contents.into_iter().map(|content| (content.id, content)));
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
        let mut state = disk.lock();
        let head = state.recover()?;
        Ok(Self {
            disk: disk.clone(),
            head,
            epoch: state.epoch,
            poisoned: false,
        })
    }

    fn write(&mut self, frame: &Frame) -> Result<Head, JournalError> {
        let mut state = self.disk.lock();
        if state.epoch != self.epoch {
            return Err(JournalError::Poisoned);
        }
        frame::check_next(frame, self.head)?;
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
                state.in_doubt = Some((record, frame.contents.clone(), tail));
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
        state.contents.extend(
            frame
                .contents
                .iter()
                .map(|content| (content.id, content.clone())),
        );
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

    fn erase(&mut self, ids: &[ContentId]) -> Result<usize, JournalError> {
        let mut state = self.disk.lock();
        if self.poisoned || state.epoch != self.epoch {
            return Err(JournalError::Poisoned);
        }
        Ok(ids
            .iter()
            .filter(|id| state.contents.remove(id).is_some())
            .count())
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

    fn content(&mut self, id: ContentId) -> Result<Option<Content>, JournalError> {
        Ok(self.0.lock().contents.get(&id).cloned())
    }
}

//! Moves the beginning of a stopped realm's log into segments of an archive.
//!
//! One segment at a time: its frames are read, applied to the state that the log begins with, packed,
//! signed, written and synced; read back and compared; and only then taken out of the log, in one
//! transaction that also keeps the checkpoint and the state at its end. The views hold those frames
//! before. A crash leaves the segments that are done, at most a file that the next run replaces, and a
//! log that opens. Contents stay where they are, and the newest frame stays in the log.
//!
//! Never runs beside a server: it holds the log's lock.

use std::fs;
use std::path::Path;

use rialto_core::state::State;
use rialto_core::time::Time;
use rialto_journal::entities::Upsert;
use rialto_journal::segment::{Sealed, Segment, SegmentBuilder, Signer};
use rialto_journal::sqlite::{SqliteJournal, SqliteReader};
use rialto_journal::{
    Checkpoint, Hash, Head, Journal as _, JournalError, LogReader as _, StoredFrame, private,
};
use rialto_views::Views;

use super::boot::{self, BootError, decode};
use super::clock::Chance;
use super::indexer;
use super::secrets::RealmSecrets;

/// Facts read at a time, in bytes.
const READ_BYTES: usize = 4 << 20;

/// What has been done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A segment is written and was read back; its frames are still in the log.
    Written(Checkpoint),
    /// Its frames are no longer in the log.
    Removed(Checkpoint),
    /// All segments are done, and the log's file still has its size.
    Done,
}

/// What was archived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Archived {
    /// Where the log began before.
    pub from: u64,
    /// Last position that is archived now.
    pub until: u64,
    /// Segments written.
    pub segments: u64,
    /// Frames in them.
    pub frames: u64,
    /// Bytes of these frames.
    pub frame_bytes: u64,
    /// Bytes of the segments' files.
    pub segment_bytes: u64,
    /// Bytes of the log's files before.
    pub log_bytes_before: u64,
    /// Whether the log's file was cut. If the disk is too full, or another program reads the log, it
    /// keeps its size, and later frames fill it first.
    pub cut: bool,
    /// Bytes of the log's files now.
    pub log_bytes_after: u64,
}

/// Moves all whole frames from before a time out of the log in a data folder, into segments in another
/// folder, which is created if need be. `hear` is told of each step.
///
/// # Errors
/// [`BootError`]; what had been moved stays moved.
pub fn archive(
    data: &Path,
    before: Time,
    to: &Path,
    chance: &dyn Chance,
    hear: &mut dyn FnMut(&Step),
) -> Result<Archived, BootError> {
    // Opening for writing would create a log where there is none.
    drop(SqliteReader::open(data)?);
    let journal = SqliteJournal::open(data)?;
    // After the writer: a reader of a log that nobody writes takes it for one that never changes.
    let reader = SqliteReader::open(data)?.with_archive(Some(to));
    let seed = chance
        .bytes()
        .first_chunk::<8>()
        .map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let mut work = Work::open(data, to, (journal, reader), seed)?;
    let mut report = Archived {
        from: work.base.position + 1,
        until: work.base.position,
        log_bytes_before: log_bytes(data),
        ..Archived::default()
    };
    while let Some(sealed) = work.gather(before)? {
        let checkpoint = &sealed.0.checkpoint;
        indexer::catch_up(&mut work.views, &mut work.reader, checkpoint.last)?;
        work.views.settle().map_err(BootError::Views)?;
        sealed.0.write(to)?;
        read_back(to, checkpoint)?;
        hear(&Step::Written(checkpoint.clone()));
        work.journal.archive(checkpoint, &sealed.1)?;
        work.begin_at(checkpoint);
        report.until = checkpoint.last;
        report.segments += 1;
        report.frames += checkpoint.frames;
        report.frame_bytes += checkpoint.frame_bytes;
        report.segment_bytes +=
            checkpoint.packed_bytes + rialto_journal::segment::HEADER_BYTES as u64;
        hear(&Step::Removed(checkpoint.clone()));
    }
    hear(&Step::Done);
    // Also what an earlier run left that was interrupted here.
    report.cut = match work.journal.compact() {
        Ok(cut) => cut,
        Err(JournalError::StorageFull) => false,
        Err(error) => return Err(error.into()),
    };
    report.log_bytes_after = log_bytes(data);
    Ok(report)
}

struct Work {
    journal: SqliteJournal,
    reader: SqliteReader,
    views: Views,
    key: Key,
    /// The state up to what was gathered last.
    state: State,
    realm: Option<Hash>,
    /// Where the log begins.
    base: Head,
}

impl Work {
    fn open(
        data: &Path,
        to: &Path,
        (mut journal, mut reader): (SqliteJournal, SqliteReader),
        seed: u64,
    ) -> Result<Self, BootError> {
        let secrets = RealmSecrets::load(&data.join("realm.key"))?;
        check_key(data, &mut journal, &secrets, seed)?;
        let (state, base) = match boot::base_state(&mut reader, seed)? {
            Some((state, base)) => (state, Some(base)),
            None => (State::new(seed), None),
        };
        private::create_folder(to).map_err(|source| BootError::Io {
            doing: format!("create {}", to.display()),
            source,
        })?;
        let path = data.join("views.db");
        if let Some(base) = base.as_ref()
            && Views::position_in(&path) < base.last
        {
            // Before the old ones are deleted.
            reader.read_from(Views::position_in(&path) + 1, 0)?;
        }
        let views = Views::open(&path).map_err(BootError::Views)?;
        Ok(Self {
            journal,
            reader,
            views,
            key: Key(secrets),
            state,
            realm: base.as_ref().map(|base| base.realm),
            base: base.map_or(Head::EMPTY, |base| base.head()),
        })
    }

    fn begin_at(&mut self, checkpoint: &Checkpoint) {
        self.base = checkpoint.head();
        self.realm = Some(checkpoint.realm);
    }

    /// The next segment, and what its events change of the state; nothing if no more frames are old
    /// enough.
    fn gather(&mut self, before: Time) -> Result<Option<(Sealed, Vec<Upsert>)>, BootError> {
        let mut builder = SegmentBuilder::new(self.realm, self.base);
        let newest = self.journal.head().position;
        'reading: while !builder.is_full() {
            let frames = self
                .reader
                .read_from(builder.end().position + 1, READ_BYTES)?;
            if frames.is_empty() {
                break;
            }
            for frame in frames {
                let leaves = frame.last() < newest && !builder.is_full();
                if !leaves || !self.apply(&frame, before)? {
                    break 'reading;
                }
                builder.push(frame)?;
            }
        }
        if builder.is_empty() {
            return Ok(None);
        }
        let upserts = self.take_upserts();
        let sum = self.journal.base_after(&upserts)?;
        Ok(Some((builder.seal(sum, &self.key), upserts)))
    }

    /// Applies a frame if all of it is from before a time.
    fn apply(&mut self, frame: &StoredFrame, before: Time) -> Result<bool, BootError> {
        let decoded = (frame.first..).zip(&frame.envelopes);
        let decoded = decoded.map(|(position, facts)| decode(position, facts));
        let envelopes = decoded.collect::<Result<Vec<_>, _>>()?;
        if envelopes.iter().any(|envelope| envelope.at >= before) {
            return Ok(false);
        }
        for envelope in &envelopes {
            self.state.apply(envelope);
            if self.state.changes.defects() > 0 {
                return Err(BootError::Corrupt {
                    position: envelope.position,
                    what: "an event does not fit the state",
                });
            }
        }
        drop(self.state.changes.take_delivered());
        Ok(true)
    }

    fn take_upserts(&mut self) -> Vec<Upsert> {
        let keys = self.state.changes.take_touched();
        let entity =
            |key: rialto_core::entity::EntityKey| (key.to_vec(), self.state.encode_entity(&key));
        keys.into_iter().map(entity).collect()
    }
}

/// Whether the key in the folder is the realm's own: nobody could tell later what another one signed.
fn check_key(
    data: &Path,
    journal: &mut SqliteJournal,
    secrets: &RealmSecrets,
    seed: u64,
) -> Result<(), BootError> {
    let mut entities = boot::open_entities(&data.join("entities.db"))?;
    let (state, _) = boot::restore(journal, &mut entities, seed)?;
    let key = state.realm.get(&()).map(|realm| realm.key);
    if key == Some(secrets.public_key()) {
        return Ok(());
    }
    Err(super::SecretsError::Foreign {
        path: data.join("realm.key"),
    }
    .into())
}

fn read_back(folder: &Path, checkpoint: &Checkpoint) -> Result<(), BootError> {
    let Some(mut segment) = Segment::open(folder, checkpoint)? else {
        return Err(JournalError::Archived {
            first: checkpoint.first,
            last: checkpoint.last,
            name: checkpoint.file_name(),
            looked: Some(folder.to_owned()),
        }
        .into());
    };
    Ok(segment.verify()?)
}

struct Key(RealmSecrets);

impl Signer for Key {
    fn key(&self) -> Hash {
        *self.0.public_key().bytes()
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message)
    }
}

/// Bytes of the log's files; those of contents in files of their own are not among them.
fn log_bytes(data: &Path) -> u64 {
    let size = |name| fs::metadata(data.join(name)).map_or(0, |it| it.len());
    size("log.db") + size("log.db-wal")
}

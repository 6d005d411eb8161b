//! The log in a folder, on SQLite: the embedded default.
//!
//! One transaction per frame: a row with the encoded facts (see [`crate::frame`]) and a row per
//! content (see [`crate::contents`]). Write-ahead log with `synchronous = FULL`: SQLite syncs the
//! write-ahead file before a commit returns and before any reader sees it
//! (<https://sqlite.org/wal.html>). The writer moves pages back into the log file itself, some
//! megabytes at a time, so that the write-ahead file stays bounded and no append waits long.
//!
//! Erasing deletes keys; the ciphertexts go after them. Contents of the first format have no keys
//! and are overwritten in place: nothing is ever deleted from their table, so SQLite never moves a
//! row and leaves no stale copy of one. Frames do leave, for the archive ([`base`]); the log is
//! then written anew as a whole. Backups leave erased contents out.

mod base;
mod blobs;
mod copy;
mod file;
mod reader;
mod rows;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use self::blobs::Blobs;
pub use self::copy::{BackupReport, KeysFrom, backup, refresh_keys, restore};
pub(crate) use self::file::{
    BUSY_TIMEOUT, Found, Identity, create, create_folder, identify, open_private, open_readonly,
    sync_folder,
};
pub use self::reader::SqliteReader;
use crate::contents::files::Files;
use crate::contents::keys::{KEYS_NAME, SqliteKeys};
use crate::contents::rows::Rows;
use crate::contents::{Body, ContentStore as _, Slot, Waiting};
use crate::entities::Upsert;
use crate::frame;
use crate::segment::{Checkpoint, StateSum};
use crate::{ContentName, Contents, Frame, Hash, Head, Journal, JournalError, LogReader};

/// Bytes appended between two moves of pages into the log file.
const CHECKPOINT_BYTES: usize = 16 << 20;
/// Rough cost in the write-ahead file of a commit besides its bytes: a page.
const PAGE_BYTES: usize = 4096;

/// Rough cost there of a row of a content besides its bytes: its hash, and a place in the index.
const ROW_BYTES: usize = 128;

/// The writing end of the log in a folder. Holds the folder's lock.
#[derive(Debug)]
pub struct SqliteJournal {
    conn: Connection,
    folder: PathBuf,
    contents: Contents,
    /// Where contents of the first format are, if the log has any.
    plain: Option<Blobs>,
    head: Head,
    poisoned: bool,
    /// Where its readers find archived segments.
    archive: Option<PathBuf>,
    /// Encoded facts, kept for its capacity.
    buffer: Vec<u8>,
    since_checkpoint_bytes: usize,
    // Declared last: the lock goes after the connection is closed.
    _lock: file::FolderLock,
}

impl SqliteJournal {
    /// Opens the log in a folder, creating folder and log if need be, recovers what a crash left,
    /// and checks the last frame.
    ///
    /// # Errors
    /// `Locked` when another process or journal writes here; `Foreign`, `NewerVersion`, `Corrupt`,
    /// `StorageFull`, `Io`.
    pub fn open(folder: &Path) -> Result<Self, JournalError> {
        file::create_folder(folder)?;
        let lock = file::lock(folder)?;
        let conn = file::open_writer(&folder.join(file::LOG_NAME))?;
        let contents = open_contents(folder, &conn)?;
        file::sync_folder(folder)?;
        let head = checked_head(&conn)?;
        check_start(&conn)?;
        let plain = file::has_plain(&conn)?.then(|| Blobs::of(folder));
        if let Some(blobs) = &plain {
            blobs.remove_unless(|id| {
                rows::has_blob(&conn, id)
                    .map_err(|error| JournalError::sqlite("read the contents", 0, error))
            })?;
        }
        let mut journal = Self {
            conn,
            folder: folder.to_owned(),
            contents,
            plain,
            head,
            poisoned: false,
            archive: None,
            buffer: Vec::new(),
            since_checkpoint_bytes: 0,
            _lock: lock,
        };
        journal.remove_leftovers()?;
        journal.checkpoint(Moved::Passive)?;
        Ok(journal)
    }

    /// Lets the readers that come from here read what is archived from the segments in a folder, if
    /// one is given.
    #[must_use]
    pub fn with_archive(mut self, archive: Option<&Path>) -> Self {
        self.archive = archive.map(Path::to_owned);
        self
    }

    /// What the state at the beginning of the log becomes by changes, each key at most once: what
    /// the checkpoint of the next segment has to say.
    ///
    /// # Errors
    /// `BadSegment`, `Io`.
    pub fn base_after(&self, upserts: &[Upsert]) -> Result<StateSum, JournalError> {
        base::sum_after(&self.conn, upserts)
    }

    /// Takes the frames of a segment out of the log for good, from its beginning, and keeps the
    /// checkpoint and the state at its end instead: all of it when this returns, on error or after
    /// a crash all or nothing. The caller has the segment safe and verified. The log file keeps its
    /// size until [`SqliteJournal::compact`].
    ///
    /// # Errors
    /// `Invalid` when the segment is not the log's beginning, is all of it, or `upserts` do not lead
    /// to the checkpoint's state; `StorageFull`, `Io`. Any error poisons the journal.
    pub fn archive(
        &mut self,
        checkpoint: &Checkpoint,
        upserts: &[Upsert],
    ) -> Result<(), JournalError> {
        if self.poisoned {
            return Err(JournalError::Poisoned);
        }
        let removed = self.remove(checkpoint, upserts);
        self.poisoned = removed.is_err();
        removed
    }

    fn remove(&mut self, checkpoint: &Checkpoint, upserts: &[Upsert]) -> Result<(), JournalError> {
        let failed =
            |error| JournalError::sqlite("take frames out of the log", checkpoint.first, error);
        let tx = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        base::remove(&tx, checkpoint, upserts)?;
        tx.commit().map_err(failed)?;
        self.checkpoint(Moved::Passive).map(drop)
    }

    /// Writes the log file anew without the room that frames left in it, if they left any. Needs free
    /// space of twice what stays, in the data folder. Says whether the file could be cut: a reader may
    /// hold it.
    ///
    /// # Errors
    /// `StorageFull`, `Io`; the log is as it was then.
    pub fn compact(&mut self) -> Result<bool, JournalError> {
        let failed = |error| JournalError::sqlite("write the log anew", 0, error);
        let free: i64 = self
            .conn
            .query_row("PRAGMA freelist_count", [], |row| row.get(0))
            .map_err(failed)?;
        if free == 0 {
            return self.checkpoint(Moved::Truncate);
        }
        // What SQLite writes on the way holds texts: it stays on the folder's own disk.
        self.conn
            .pragma_update(None, "temp_store_directory", self.folder.to_string_lossy())
            .map_err(failed)?;
        self.conn.execute_batch("VACUUM").map_err(failed)?;
        self.checkpoint(Moved::Truncate)
    }

    fn write(&mut self, frame: &Frame) -> Result<Head, JournalError> {
        frame::check_next(frame, self.head)?;
        let taken = self.contents.take(&frame.contents)?;
        let chain = frame::encode(frame, &self.head.chain, &mut self.buffer);
        let head = Head {
            position: frame::last_position(frame.first, frame.envelopes.len()),
            chain,
        };
        self.commit(frame, head, &taken)?;
        self.head = head;
        self.since_checkpoint_bytes += self.buffer.len() + PAGE_BYTES + row_bytes(&taken);
        Ok(head)
    }

    fn commit(
        &mut self,
        frame: &Frame,
        head: Head,
        taken: &[(Hash, Waiting)],
    ) -> Result<(), JournalError> {
        let failed = |error| JournalError::sqlite("append to the log", frame.first, error);
        let tx = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        rows::insert_frame(&tx, frame.first, head.position, &self.buffer).map_err(failed)?;
        let rows = Rows::of_frame(&tx, frame.first);
        for (hash, Waiting { key, body }) in taken {
            let slot = Slot {
                hash: *hash,
                key: *key,
            };
            match body {
                Body::Row(sealed) => rows.put(&slot, sealed)?,
                Body::Large(bytes) => rows.refer(&slot, *bytes)?,
            }
        }
        tx.commit().map_err(failed)
    }

    /// Moves pages into the log file when enough have gathered. The frame before it is safe
    /// already, so a failure here only poisons what comes after.
    fn checkpoint_if_due(&mut self) {
        if self.since_checkpoint_bytes >= CHECKPOINT_BYTES {
            self.since_checkpoint_bytes = 0;
            self.poisoned = self.checkpoint(Moved::Passive).is_err();
        }
    }

    /// Says whether everything was moved.
    fn checkpoint(&mut self, kind: Moved) -> Result<bool, JournalError> {
        let sql = match kind {
            Moved::Passive => "PRAGMA wal_checkpoint(PASSIVE)",
            Moved::Truncate => "PRAGMA wal_checkpoint(TRUNCATE)",
        };
        let busy = self
            .conn
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row([], |row| row.get::<_, i64>(0)));
        busy.map(|busy| busy == 0).map_err(|error| {
            JournalError::sqlite("move the write-ahead file into the log", 0, error)
        })
    }

    fn erase_for_good(&mut self, names: &[ContentName]) -> Result<usize, JournalError> {
        let mut slots = Vec::with_capacity(names.len());
        for name in names {
            let kept = Rows::of(&self.conn).find(name)?;
            slots.extend(kept.into_iter().map(|kept| kept.slot));
        }
        let keys = self.contents.keys().erase(&slots);
        if let Ok(_) | Err(JournalError::EraseIncomplete) = keys {
            self.remove_leftovers()?;
            let plain = self.erase_plain(names);
            return Ok(keys? + plain?);
        }
        keys
    }

    /// Removes the ciphertexts whose keys are erased. After a crash in between, the next opening
    /// does it.
    fn remove_leftovers(&mut self) -> Result<(), JournalError> {
        let failed = |error| JournalError::sqlite("erase contents", 0, error);
        let slots = self.contents.keys().leftovers()?;
        if slots.is_empty() {
            return Ok(());
        }
        let tx = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let rows = Rows::of(&tx);
        for slot in &slots {
            self.contents.large().remove(slot)?;
            rows.remove(slot)?;
        }
        tx.commit().map_err(failed)?;
        self.contents.keys().removed(&slots)
    }

    /// Erases contents of the first format.
    fn erase_plain(&mut self, names: &[ContentName]) -> Result<usize, JournalError> {
        let Some(blobs) = self.plain.clone() else {
            return Ok(0);
        };
        let erased = self.overwrite(&blobs, names)?;
        if self.checkpoint(Moved::Truncate)? {
            Ok(erased)
        } else {
            Err(JournalError::EraseIncomplete)
        }
    }

    fn overwrite(&mut self, blobs: &Blobs, names: &[ContentName]) -> Result<usize, JournalError> {
        let failed = |error| JournalError::sqlite("erase contents", 0, error);
        let tx = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let mut files = Vec::new();
        let mut erased = 0;
        for ContentName { id, .. } in names {
            if rows::has_blob(&tx, *id).map_err(failed)? {
                files.push(*id);
            }
            erased += usize::from(rows::erase(&tx, *id).map_err(failed)?);
        }
        tx.commit().map_err(failed)?;
        // A crash here leaves blobs without a row, which the next opening removes.
        if !files.is_empty() {
            files.into_iter().try_for_each(|id| blobs.remove(id))?;
            blobs.sync_names()?;
        }
        Ok(erased)
    }
}

/// The keys and the store of large contents of a folder, without what no frame took.
fn open_contents(folder: &Path, conn: &Connection) -> Result<Contents, JournalError> {
    let path = folder.join(KEYS_NAME);
    if !path.is_file() && Rows::of(conn).are_there()? {
        return Err(JournalError::KeysMissing { path });
    }
    let contents = Contents::new(
        Box::new(SqliteKeys::open(&path)?),
        Box::new(Files::create(folder)?),
    );
    contents.collect(&mut |slot| Rows::of(conn).has(slot))?;
    Ok(contents)
}

/// Bytes that contents add to the write-ahead file.
fn row_bytes(taken: &[(Hash, Waiting)]) -> usize {
    let bytes = taken.iter().map(|(_, waiting)| match &waiting.body {
        Body::Row(sealed) => sealed.len() + ROW_BYTES,
        Body::Large(_) => ROW_BYTES,
    });
    bytes.sum()
}

/// What is moved out of the write-ahead file.
#[derive(Clone, Copy)]
enum Moved {
    /// What readers allow, without waiting.
    Passive,
    /// Everything, waiting for readers, and empties the write-ahead file.
    Truncate,
}

impl Journal for SqliteJournal {
    fn head(&self) -> Head {
        self.head
    }

    fn append(&mut self, frame: &Frame) -> Result<Head, JournalError> {
        if self.poisoned {
            return Err(JournalError::Poisoned);
        }
        let written = self.write(frame);
        match written {
            Ok(_) => self.checkpoint_if_due(),
            Err(_) => self.poisoned = true,
        }
        written
    }

    fn erase(&mut self, names: &[ContentName]) -> Result<usize, JournalError> {
        if self.poisoned {
            return Err(JournalError::Poisoned);
        }
        let erased = self.erase_for_good(names);
        self.poisoned = !matches!(erased, Ok(_) | Err(JournalError::EraseIncomplete));
        erased
    }

    fn contents(&self) -> Contents {
        self.contents.clone()
    }

    fn reader(&self) -> Box<dyn LogReader> {
        Box::new(SqliteReader::lazy(&self.folder).with_archive(self.archive.as_deref()))
    }
}

/// Leaves an empty write-ahead file behind, where readers allow it at once. Nothing depends on it.
impl Drop for SqliteJournal {
    fn drop(&mut self) {
        if !self.poisoned && self.conn.busy_timeout(Duration::ZERO).is_ok() {
            let _ = self.checkpoint(Moved::Truncate);
        }
    }
}

/// The log has its first frame, or the frames before it are archived.
fn check_start(conn: &Connection) -> Result<(), JournalError> {
    let base = base::last(conn)?.map_or(0, |base| base.last);
    let first =
        base::first_frame(conn).map_err(|error| JournalError::sqlite("read the log", 0, error))?;
    match first {
        None if base == 0 => Ok(()),
        Some(first) if first == base + 1 => Ok(()),
        _ => Err(JournalError::corrupt(base + 1, "a frame is missing")),
    }
}

/// The head, after decoding the last frame in full.
fn checked_head(conn: &Connection) -> Result<Head, JournalError> {
    let failed = |error| JournalError::sqlite("read the head", 0, error);
    let last = rows::last_position(conn).map_err(failed)?;
    let Some((first, _)) = rows::frame_start(conn, last).map_err(failed)? else {
        return Ok(Head::EMPTY);
    };
    match rows::frames_from(conn, first, 0)?.as_slice() {
        [frame] => Ok(Head {
            position: frame.last(),
            chain: frame.chain,
        }),
        _ => Err(JournalError::corrupt(first, "the last frame is missing")),
    }
}

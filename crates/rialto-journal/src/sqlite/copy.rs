//! Backup and restore: copies a log frame by frame, verifying its chain on the way.
//!
//! A copy reads through an ordinary reader in short steps, up to the head as it stood at the
//! start: frames never change, so that prefix is consistent however much is appended meanwhile,
//! and the writer's write-ahead file is not held up. Contents are copied as they are encrypted, and
//! their keys last, into a file of their own: what was erased while the copy ran has no key in it.
//! The copy's log gets its name last, so an interrupted copy is never taken for a backup.
//!
//! A content of a backup opens only with its key. Who keeps the keys file apart from the backup, or
//! renews it ([`refresh_keys`]) after erasing, has nothing erased in the backup any more. Contents
//! of the first format have no keys: they are copied in the clear, but for those that are erased.

use std::fs::{self, File};
use std::path::Path;

use rusqlite::Connection;

use super::base;
use super::blobs::Blobs;
use super::file;
use super::reader::SqliteReader;
use super::rows;
use crate::contents::files::Files;
use crate::contents::keys::{self, KEYS_NAME, KeyId, KeyReader};
use crate::contents::rows::{Kept, Rows};
use crate::contents::{ContentStore as _, is_large};
use crate::frame::{self, StoredFrame};
use crate::{
    Content, Frame, Head, JournalError, LogReader as _, Position, content_id, private, verify,
};

const PARTIAL_NAME: &str = "log.db.partial";
const STEP_BYTES: usize = 8 << 20;
const STEP_CONTENTS: u32 = 64;

/// What a copy holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupReport {
    /// End of the copied log.
    pub head: Head,
    /// Contents copied, those in files included.
    pub contents: u64,
    /// Contents copied that are kept in files.
    pub blobs: u64,
}

/// Where a restored folder gets the keys of its contents from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeysFrom<'a> {
    /// The keys file in the backup's folder.
    Backup,
    /// A keys file that was kept apart.
    File(&'a Path),
    /// Nowhere: the log is restored without its contents.
    Nowhere,
}

/// Copies the log of a data folder, which a server may be writing, into a new or empty folder.
/// Calls `progress(position, head_position)` after each step.
///
/// # Errors
/// `NotEmpty`, and what reading the source or writing the copy gives.
pub fn backup(
    data: &Path,
    target: &Path,
    progress: &mut dyn FnMut(Position, Position),
) -> Result<BackupReport, JournalError> {
    copy(SqliteReader::open(data)?, target, true, progress)
}

/// Verifies a backup's chain, then copies it into a new or empty data folder. Calls
/// `progress(position, head_position)` after each step of the verification, then of the copy.
///
/// # Errors
/// `NotEmpty`, `Corrupt`, `KeysMissing`, and what reading the backup or writing the copy gives.
pub fn restore(
    backup: &Path,
    data: &Path,
    keys: KeysFrom<'_>,
    progress: &mut dyn FnMut(Position, Position),
) -> Result<BackupReport, JournalError> {
    check_empty(data)?;
    let mut reader = SqliteReader::open(backup)?;
    let path = match keys {
        KeysFrom::File(path) => path.to_owned(),
        KeysFrom::Backup | KeysFrom::Nowhere => backup.join(KEYS_NAME),
    };
    reader = reader.with_keys_at(&path);
    let with_contents = keys != KeysFrom::Nowhere;
    let needed = with_contents && reader.has_sealed()? && Rows::of(reader.conn()?).are_there()?;
    if needed {
        check_keys(&mut reader, &path)?;
    }
    verify(&mut reader, progress)?;
    copy(reader, data, with_contents, progress)
}

/// Tries the keys on the first content that has one, and sees whether there are those of the last:
/// what an older keys file lacks would look as if it had been erased.
fn check_keys(reader: &mut SqliteReader, path: &Path) -> Result<(), JournalError> {
    let path = path.to_owned();
    let needed = Rows::of(reader.conn()?).last_key()?;
    let Some(keys) = reader.keys()? else {
        return Err(JournalError::KeysMissing { path });
    };
    if keys.last()? < needed {
        return Err(JournalError::KeysOther { path });
    }
    let first = Rows::of(reader.conn()?).after(0, Position::MAX, STEP_CONTENTS)?;
    for kept in first {
        match reader.opens(&kept)? {
            Some(true) => return Ok(()),
            Some(false) => return Err(JournalError::KeysOther { path }),
            None => {}
        }
    }
    Ok(())
}

/// Puts the keys that the contents of a backup have now into the backup's keys file, in place of
/// those that they had: what a data folder erased since then is erased in its backup too.
///
/// # Errors
/// `NotFound` when either is none, `KeysMissing` when the data folder has no keys, and what reading
/// or writing them gives.
pub fn refresh_keys(data: &Path, backup: &Path) -> Result<(), JournalError> {
    let mut copied = SqliteReader::open(backup)?;
    if !copied.has_sealed()? {
        return Ok(());
    }
    let until = Rows::of(copied.conn()?).last_key()?;
    let path = data.join(KEYS_NAME);
    let Some(source) = KeyReader::open(&path)? else {
        return Err(JournalError::KeysMissing { path });
    };
    keys::copy(Some(&source), &backup.join(KEYS_NAME), until)
}

fn copy(
    mut source: SqliteReader,
    target: &Path,
    with_contents: bool,
    progress: &mut dyn FnMut(Position, Position),
) -> Result<BackupReport, JournalError> {
    check_empty(target)?;
    file::create_folder(target)?;
    // A folder that was there is empty, so it is the copy's from now on.
    private::close_folder(target)
        .map_err(|error| JournalError::io("close the target folder to others", error))?;
    let plain = with_contents && source.has_plain()?;
    let partial = target.join(PARTIAL_NAME);
    let mut copy = Copy {
        conn: file::open_copy(&partial, plain)?,
        blobs: Blobs::of(target),
        files: Files::create(target)?,
        source,
        contents: 0,
        large: 0,
    };
    copy.base()?;
    let head = copy.frames(progress)?;
    if plain {
        copy.blobs.create_folder()?;
        copy.plain(head.position)?;
        copy.late_erasures()?;
    }
    copy.keys(target, head.position, with_contents)?;
    let (contents, blobs) = (copy.contents, copy.large);
    copy.finish()?;
    let failed = |error| JournalError::io("finish the copy", error);
    File::open(&partial)
        .and_then(|file| file.sync_all())
        .map_err(failed)?;
    fs::rename(&partial, target.join(file::LOG_NAME)).map_err(failed)?;
    file::sync_folder(target)?;
    Ok(BackupReport {
        head,
        contents,
        blobs,
    })
}

fn check_empty(folder: &Path) -> Result<(), JournalError> {
    let mut entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(JournalError::io("look into the target folder", error)),
    };
    match entries.next() {
        Some(_) => Err(JournalError::NotEmpty {
            path: folder.to_owned(),
        }),
        None => Ok(()),
    }
}

struct Copy {
    source: SqliteReader,
    conn: Connection,
    blobs: Blobs,
    files: Files,
    contents: u64,
    /// How many of the contents are in files.
    large: u64,
}

impl Copy {
    /// Copies what the log keeps of archived frames. A copy holds the state that its log begins
    /// with, so it needs the archive no more than its source does.
    fn base(&mut self) -> Result<(), JournalError> {
        let tx = self.conn.unchecked_transaction().map_err(write_failed)?;
        let mut after = 0;
        loop {
            let found = self.source.checkpoints(after, STEP_CONTENTS)?;
            let Some(last) = found.last() else {
                break;
            };
            base::create(&tx).map_err(write_failed)?;
            after = last.first;
            for checkpoint in &found {
                base::insert(&tx, checkpoint).map_err(write_failed)?;
            }
        }
        let mut written = Ok(());
        self.source.base_entities(&mut |key, value| {
            if written.is_ok() {
                written = base::insert_entity(&tx, key, value);
            }
        })?;
        written.and_then(|()| tx.commit()).map_err(write_failed)
    }

    fn frames(
        &mut self,
        progress: &mut dyn FnMut(Position, Position),
    ) -> Result<Head, JournalError> {
        let end = self.source.head()?;
        let mut head = self.source.start()?;
        let mut buffer = Vec::new();
        while head.position < end.position {
            let frames = self.source.read_from(head.position + 1, STEP_BYTES)?;
            let tx = self.conn.unchecked_transaction().map_err(write_failed)?;
            for stored in frames
                .into_iter()
                .take_while(|frame| frame.first <= end.position)
            {
                head = insert(&tx, head, stored, &mut buffer)?;
            }
            tx.commit().map_err(write_failed)?;
            progress(head.position, end.position);
        }
        if head != end {
            return Err(JournalError::corrupt(
                end.position,
                "the chain does not end in the log's head",
            ));
        }
        Ok(head)
    }

    /// Copies the contents of the copied frames that are encrypted, then their keys.
    fn keys(
        &mut self,
        target: &Path,
        head: Position,
        with_contents: bool,
    ) -> Result<(), JournalError> {
        if !self.source.has_sealed()? {
            return Ok(());
        }
        let last = Rows::of(self.source.conn()?).last_key()?;
        let path = target.join(KEYS_NAME);
        if !with_contents {
            return keys::copy(None, &path, last);
        }
        let until = self.sealed(head)?;
        // Without keys the copy has none either, and nothing that could be opened.
        match self.source.keys()? {
            Some(source) => keys::copy(Some(source), &path, until),
            None => Ok(()),
        }
    }

    /// Copies ciphertexts; gives the last key that one is encrypted under.
    fn sealed(&mut self, head: Position) -> Result<KeyId, JournalError> {
        let mut last = 0;
        loop {
            let step = Rows::of(self.source.conn()?).after(last, head, STEP_CONTENTS)?;
            let Some(end) = step.last() else {
                return Ok(last);
            };
            last = end.slot.key;
            let tx = self.conn.unchecked_transaction().map_err(write_failed)?;
            for kept in step {
                if !is_erased(self.source.keys()?, &kept)?
                    && let Some(sealed) = self.source.ciphertext(&kept)?
                {
                    let rows = Rows::of_frame(&tx, kept.frame);
                    match kept.large {
                        None => rows.put(&kept.slot, &sealed)?,
                        Some(bytes) => {
                            self.files.put(&kept.slot, &sealed)?;
                            rows.refer(&kept.slot, bytes)?;
                            self.large += 1;
                        }
                    }
                    self.contents += 1;
                }
            }
            tx.commit().map_err(write_failed)?;
        }
    }

    /// Copies the contents of the copied frames that are of the first format.
    fn plain(&mut self, head: Position) -> Result<(), JournalError> {
        let until = content_id(head, frame::MAX_CONTENTS_PER_ENVELOPE - 1).unwrap_or(u64::MAX);
        let mut after = None;
        loop {
            let rows = rows::contents_after(self.source.conn()?, after, until, STEP_CONTENTS)
                .map_err(|error| JournalError::sqlite("read the contents", 0, error))?;
            let Some(last) = rows.last() else {
                break;
            };
            after = Some(last.id);
            let tx = self.conn.unchecked_transaction().map_err(write_failed)?;
            for row in rows {
                if let Some(content) = self.source.load(row)? {
                    self.contents += 1;
                    self.large += u64::from(insert_plain(&tx, &self.blobs, &content)?);
                }
            }
            tx.commit().map_err(write_failed)?;
        }
        self.blobs.sync_names()
    }

    /// Erases from the copy what was erased from the source after it had been copied.
    fn late_erasures(&mut self) -> Result<(), JournalError> {
        let erased = rows::erased_ids(self.source.conn()?)
            .map_err(|error| JournalError::sqlite("read the contents", 0, error))?;
        let tx = self.conn.unchecked_transaction().map_err(write_failed)?;
        for id in erased {
            if rows::erase(&tx, id).map_err(write_failed)? {
                self.blobs.remove(id)?;
            }
        }
        tx.commit().map_err(write_failed)
    }

    fn finish(self) -> Result<(), JournalError> {
        self.conn
            .execute_batch("PRAGMA journal_mode = DELETE")
            .map_err(write_failed)?;
        self.conn.close().map_err(|(_, error)| write_failed(error))
    }
}

fn insert(
    conn: &Connection,
    head: Head,
    stored: StoredFrame,
    buffer: &mut Vec<u8>,
) -> Result<Head, JournalError> {
    let (first, last, chain) = (stored.first, stored.last(), stored.chain);
    if first != head.position + 1 || stored.previous != head.chain {
        return Err(JournalError::corrupt(
            first,
            "the frame does not follow the one before",
        ));
    }
    let frame = Frame {
        first,
        envelopes: stored.envelopes,
        contents: Vec::new(),
    };
    if frame::encode(&frame, &head.chain, buffer) != chain {
        return Err(JournalError::corrupt(
            first,
            "the frame's chain hash cannot be reproduced",
        ));
    }
    rows::insert_frame(conn, first, last, buffer).map_err(write_failed)?;
    Ok(Head {
        position: last,
        chain,
    })
}

/// Whether the key of a content is erased. Without keys nothing is known to be.
fn is_erased(keys: Option<&KeyReader>, kept: &Kept) -> Result<bool, JournalError> {
    match keys {
        Some(keys) => Ok(keys.key(kept.slot.key)?.is_none()),
        None => Ok(false),
    }
}

/// Says whether it became a blob.
fn insert_plain(conn: &Connection, blobs: &Blobs, content: &Content) -> Result<bool, JournalError> {
    let Content { id, salt, bytes } = content;
    if !is_large(bytes.len()) {
        return rows::insert_inline(conn, *id, salt, bytes)
            .map(|()| false)
            .map_err(write_failed);
    }
    blobs.write(*id, bytes)?;
    rows::insert_blob(conn, *id, salt, bytes.len())
        .map(|()| true)
        .map_err(write_failed)
}

fn write_failed(error: rusqlite::Error) -> JournalError {
    JournalError::sqlite("write the copy", 0, error)
}

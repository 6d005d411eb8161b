//! Backup and restore: copies a log frame by frame, verifying its chain on the way.
//!
//! A copy reads through an ordinary reader in short steps, up to the head as it stood at the
//! start: frames never change, so that prefix is consistent however much is appended meanwhile,
//! and the writer's write-ahead file is not held up. Erased contents are left out, also those
//! erased while the copy ran. The copy's log gets its name last, so an interrupted copy is never
//! taken for a backup.

use std::fs::{self, File};
use std::path::Path;

use rusqlite::Connection;

use super::base;
use super::blobs::Blobs;
use super::file;
use super::reader::SqliteReader;
use super::rows;
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
    /// Contents copied, blobs included.
    pub contents: u64,
    /// Contents copied that are kept as blobs.
    pub blobs: u64,
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
    copy(SqliteReader::open(data)?, target, progress)
}

/// Verifies a backup's chain, then copies it into a new or empty data folder. Calls
/// `progress(position, head_position)` after each step of the verification, then of the copy.
///
/// # Errors
/// `NotEmpty`, `Corrupt`, and what reading the backup or writing the copy gives.
pub fn restore(
    backup: &Path,
    data: &Path,
    progress: &mut dyn FnMut(Position, Position),
) -> Result<BackupReport, JournalError> {
    check_empty(data)?;
    let mut reader = SqliteReader::open(backup)?;
    verify(&mut reader, progress)?;
    copy(reader, data, progress)
}

fn copy(
    source: SqliteReader,
    target: &Path,
    progress: &mut dyn FnMut(Position, Position),
) -> Result<BackupReport, JournalError> {
    check_empty(target)?;
    file::create_folder(target)?;
    // A folder that was there is empty, so it is the copy's from now on.
    private::close_folder(target)
        .map_err(|error| JournalError::io("close the target folder to others", error))?;
    let mut blobs = Blobs::of(target);
    blobs.create_folder()?;
    let partial = target.join(PARTIAL_NAME);
    let mut copy = Copy {
        source,
        conn: file::open_copy(&partial)?,
        blobs,
    };
    copy.base()?;
    let head = copy.frames(progress)?;
    let (contents, blobs) = copy.contents(head.position)?;
    copy.late_erasures()?;
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

    /// Copies the contents of the copied frames; gives how many, and how many of them blobs.
    fn contents(&mut self, head: Position) -> Result<(u64, u64), JournalError> {
        let until = content_id(head, frame::MAX_CONTENTS_PER_ENVELOPE - 1).unwrap_or(u64::MAX);
        let (mut contents, mut blobs, mut after) = (0, 0, None);
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
                    contents += 1;
                    blobs += u64::from(insert_content(&tx, &self.blobs, &content)?);
                }
            }
            tx.commit().map_err(write_failed)?;
        }
        self.blobs.sync_names()?;
        Ok((contents, blobs))
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

/// Says whether it became a blob.
fn insert_content(
    conn: &Connection,
    blobs: &Blobs,
    content: &Content,
) -> Result<bool, JournalError> {
    let Content { id, salt, bytes } = content;
    if !super::is_large(bytes.len()) {
        return rows::insert_inline(conn, *id, salt, bytes)
            .map(|()| false)
            .map_err(write_failed);
    }
    blobs.write(content)?;
    rows::insert_blob(conn, *id, salt, bytes.len())
        .map(|()| true)
        .map_err(write_failed)
}

fn write_failed(error: rusqlite::Error) -> JournalError {
    JournalError::sqlite("write the copy", 0, error)
}

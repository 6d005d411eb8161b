//! Reads a log folder, beside its writer or without one, and the segments of its archive where it
//! is told of a folder that has them.
//!
//! Never writes, and holds no read transaction between calls, so that it does not keep the
//! write-ahead file from being reset.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::base;
use super::blobs::Blobs;
use super::file;
use super::rows::{self, ContentRow, Stored};
use crate::contents::files::Files;
use crate::contents::keys::{KEYS_NAME, KeyId, KeyReader};
use crate::contents::rows::{Kept, Rows};
use crate::contents::{ContentStore as _, Key, cipher};
use crate::frame::{GENESIS, StoredFrame};
use crate::segment::{Checkpoint, Segment};
use crate::{Content, ContentId, ContentName, Hash, Head, JournalError, LogReader, Position};

/// A reader of the log in a folder. Connects on first use.
#[derive(Debug)]
pub struct SqliteReader {
    folder: PathBuf,
    keys_path: PathBuf,
    files: Files,
    blobs: Blobs,
    log: Option<Log>,
    keys: Option<KeyReader>,
    /// End of the last frame read, so that reading on need not look it up.
    last_read: Head,
    /// Where archived segments are.
    archive: Option<PathBuf>,
    /// The segment read last.
    segment: Option<Segment>,
}

/// A connection, and which contents its log has.
#[derive(Debug)]
struct Log {
    conn: Connection,
    sealed: bool,
    by_hash: bool,
    plain: bool,
}

impl Log {
    fn open(folder: &Path) -> Result<Self, JournalError> {
        let conn = file::open_reader(folder)?;
        Ok(Self {
            sealed: Rows::are_in(&conn)?,
            by_hash: Rows::are_by_hash(&conn)?,
            plain: file::has_plain(&conn)?,
            conn,
        })
    }
}

impl SqliteReader {
    /// Opens a data folder or backup for reading. Creates and changes nothing, works beside a
    /// running server. Where there are no keys, there are no contents to be read.
    ///
    /// # Errors
    /// `NotFound`, `Foreign`, `NewerVersion`, `NeedsRecovery`, `Io`.
    pub fn open(folder: &Path) -> Result<Self, JournalError> {
        let mut reader = Self::lazy(folder);
        reader.log = Some(Log::open(folder)?);
        Ok(reader)
    }

    /// A reader that connects on first use. Otherwise as [`SqliteReader::open`].
    #[must_use]
    pub fn lazy(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            keys_path: folder.join(KEYS_NAME),
            files: Files::of(folder),
            blobs: Blobs::of(folder),
            log: None,
            keys: None,
            last_read: Head::EMPTY,
            archive: None,
            segment: None,
        }
    }

    /// Takes the keys from another file than the folder's.
    pub(super) fn with_keys_at(mut self, path: &Path) -> Self {
        self.keys_path = path.to_owned();
        self
    }

    /// Reads what is archived from the segments in this folder, if one is given.
    #[must_use]
    pub fn with_archive(self, archive: Option<&Path>) -> Self {
        Self {
            archive: archive.map(Path::to_owned),
            ..self
        }
    }

    /// The next `limit` checkpoints of archived segments after a position, in the order of the log.
    ///
    /// # Errors
    /// `BadSegment`, `Io`.
    pub fn checkpoints(
        &mut self,
        after: Position,
        limit: u32,
    ) -> Result<Vec<Checkpoint>, JournalError> {
        base::after(self.conn()?, after, limit)
    }

    fn log(&mut self) -> Result<&Log, JournalError> {
        let log = match self.log.take() {
            Some(log) => log,
            None => Log::open(&self.folder)?,
        };
        Ok(self.log.insert(log))
    }

    pub(super) fn conn(&mut self) -> Result<&Connection, JournalError> {
        self.log().map(|log| &log.conn)
    }

    /// Whether the log has contents of the first format.
    pub(super) fn has_plain(&mut self) -> Result<bool, JournalError> {
        self.log().map(|log| log.plain)
    }

    /// Whether the log has encrypted contents, or could have.
    pub(super) fn has_sealed(&mut self) -> Result<bool, JournalError> {
        self.log().map(|log| log.sealed)
    }

    /// The keys, if they are at hand.
    pub(super) fn keys(&mut self) -> Result<Option<&KeyReader>, JournalError> {
        if self.keys.is_none() {
            self.keys = KeyReader::open(&self.keys_path)?;
        }
        Ok(self.keys.as_ref())
    }

    fn key(&mut self, id: KeyId) -> Result<Option<Key>, JournalError> {
        match self.keys()? {
            Some(keys) => keys.key(id),
            None => Ok(None),
        }
    }

    /// The ciphertext of a content; `None` if it was erased while it was looked up.
    pub(super) fn ciphertext(&mut self, kept: &Kept) -> Result<Option<Vec<u8>>, JournalError> {
        let Some(bytes) = kept.large else {
            return Rows::of(self.conn()?).get(&kept.slot);
        };
        let damage = |what| JournalError::corrupt(kept.frame, format!("a content's file {what}"));
        match self.files.get(&kept.slot)? {
            Some(sealed) if sealed.len() as u64 == bytes => Ok(Some(sealed)),
            Some(_) => Err(damage("has the wrong length")),
            None if self.key(kept.slot.key)?.is_none() => Ok(None),
            None if Rows::of(self.conn()?).has(&kept.slot)? => Err(damage("is missing")),
            None => Ok(None),
        }
    }

    /// Whether a content opens with its key; `None` if it has none.
    pub(super) fn opens(&mut self, kept: &Kept) -> Result<Option<bool>, JournalError> {
        let Some(key) = self.key(kept.slot.key)? else {
            return Ok(None);
        };
        let sealed = self.ciphertext(kept)?;
        Ok(sealed.map(|sealed| cipher::open(&key, &kept.slot.hash, sealed).is_some()))
    }

    /// A content that is encrypted.
    fn sealed(&mut self, name: &ContentName) -> Result<Option<Content>, JournalError> {
        let log = self.log()?;
        let rows = Rows::of(&log.conn);
        let found = match log.by_hash {
            true => rows.find_by_hash(&name.hash)?,
            false => rows.find(name)?,
        };
        for kept in found {
            let Some(key) = self.key(kept.slot.key)? else {
                continue;
            };
            let Some(sealed) = self.ciphertext(&kept)? else {
                continue;
            };
            let opened = cipher::open(&key, &name.hash, sealed);
            let (salt, bytes) = opened.ok_or_else(|| {
                JournalError::corrupt(kept.frame, "a content does not open with its key")
            })?;
            let id = name.id;
            return Ok(Some(Content { id, salt, bytes }));
        }
        Ok(None)
    }

    /// A content of the first format.
    fn plain(&mut self, id: ContentId) -> Result<Option<Content>, JournalError> {
        let position = crate::content_position(id);
        let row = rows::content(self.conn()?, id)
            .map_err(|error| JournalError::sqlite("read a content", position, error))?;
        row.map_or(Ok(None), |row| self.load(row))
    }

    /// Bytes of a content of the first format as its row has it; `None` if it was erased while it
    /// was looked up.
    pub(super) fn load(&mut self, row: ContentRow) -> Result<Option<Content>, JournalError> {
        let ContentRow { id, salt, stored } = row;
        let expected = match stored {
            Stored::Inline(bytes) => return Ok(Some(Content { id, salt, bytes })),
            Stored::Blob { bytes } => bytes,
        };
        let damage = |what| {
            JournalError::corrupt(
                crate::content_position(id),
                format!("blob {id:016x} {what}"),
            )
        };
        match self.blobs.read(id)? {
            Some(bytes) if bytes.len() as u64 == expected => Ok(Some(Content { id, salt, bytes })),
            Some(_) => Err(damage("has the wrong length")),
            None if self.blob_expected(id)? => Err(damage("is missing")),
            None => Ok(None),
        }
    }

    fn blob_expected(&mut self, id: ContentId) -> Result<bool, JournalError> {
        rows::has_blob(self.conn()?, id)
            .map_err(|error| JournalError::sqlite("read a content", 0, error))
    }

    fn expected_before(&mut self, first: Position) -> Result<Hash, JournalError> {
        if first == 1 {
            return Ok(GENESIS);
        }
        if self.last_read.position == first - 1 {
            return Ok(self.last_read.chain);
        }
        let before = rows::before(self.conn()?, first)
            .map_err(|error| JournalError::sqlite("read the log", first, error))?;
        match before {
            Some((last, Some(chain))) if last == first - 1 => Ok(chain),
            Some(_) => Err(JournalError::corrupt(first - 1, "a frame is missing")),
            None => match base::last(self.conn()?)? {
                Some(base) if base.last == first - 1 => Ok(base.chain),
                _ => Err(JournalError::corrupt(first - 1, "a frame is missing")),
            },
        }
    }

    /// Frames from a position on that is not in the log itself, up to the end of its segment.
    fn read_archived(
        &mut self,
        from: Position,
        max_bytes: usize,
    ) -> Result<Vec<StoredFrame>, JournalError> {
        let Some(checkpoint) = base::holding(self.conn()?, from)? else {
            return Err(JournalError::corrupt(from, "a frame is missing"));
        };
        let kept = self.segment.take();
        let kept = kept.filter(|segment| *segment.checkpoint() == checkpoint);
        let segment = match (kept, &self.archive) {
            (Some(segment), _) => Some(segment),
            (None, Some(folder)) => Segment::open(folder, &checkpoint)?,
            (None, None) => None,
        };
        let Some(segment) = segment else {
            return Err(JournalError::Archived {
                first: checkpoint.first,
                last: checkpoint.last,
                name: checkpoint.file_name(),
                looked: self.archive.clone(),
            });
        };
        let segment = self.segment.insert(segment);
        let frames = segment.frames_from(from, max_bytes)?;
        let end = frames.last().map(|frame| Head {
            position: frame.last(),
            chain: frame.chain,
        });
        self.last_read =
            end.ok_or_else(|| JournalError::corrupt(from, "its segment does not hold it"))?;
        Ok(frames)
    }
}

impl LogReader for SqliteReader {
    fn head(&mut self) -> Result<Head, JournalError> {
        rows::head(self.conn()?)
    }

    fn start(&mut self) -> Result<Head, JournalError> {
        if self.archive.is_some() {
            return Ok(Head::EMPTY);
        }
        Ok(self.base()?.map_or(Head::EMPTY, |base| base.head()))
    }

    fn base(&mut self) -> Result<Option<Checkpoint>, JournalError> {
        base::last(self.conn()?)
    }

    fn base_entities(&mut self, visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), JournalError> {
        base::entities(self.conn()?, visit)
    }

    fn read_from(
        &mut self,
        from: Position,
        max_bytes: usize,
    ) -> Result<Vec<StoredFrame>, JournalError> {
        let from = from.max(1);
        let failed = |error| JournalError::sqlite("read the log", from, error);
        if rows::last_position(self.conn()?).map_err(failed)? < from {
            return Ok(Vec::new());
        }
        let first = match rows::frame_start(self.conn()?, from).map_err(failed)? {
            Some((first, last)) if last >= from => first,
            Some(_) => return Err(JournalError::corrupt(from, "a frame is missing")),
            None => return self.read_archived(from, max_bytes),
        };
        let frames = rows::frames_from(self.conn()?, first, max_bytes)?;
        let mut before = Head {
            position: first - 1,
            chain: self.expected_before(first)?,
        };
        for frame in &frames {
            if frame.first != before.position + 1 {
                return Err(JournalError::corrupt(
                    before.position + 1,
                    "a frame is missing",
                ));
            }
            if frame.previous != before.chain {
                return Err(JournalError::corrupt(
                    frame.first,
                    "the frame does not follow the one before",
                ));
            }
            before = Head {
                position: frame.last(),
                chain: frame.chain,
            };
        }
        self.last_read = before;
        Ok(frames)
    }

    fn content(&mut self, name: &ContentName) -> Result<Option<Content>, JournalError> {
        if self.has_sealed()?
            && let Some(content) = self.sealed(name)?
        {
            return Ok(Some(content));
        }
        match self.has_plain()? {
            true => self.plain(name.id),
            false => Ok(None),
        }
    }
}

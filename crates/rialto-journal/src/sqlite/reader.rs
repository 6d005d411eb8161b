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
use crate::frame::{GENESIS, StoredFrame};
use crate::segment::{Checkpoint, Segment};
use crate::{Content, ContentId, Hash, Head, JournalError, LogReader, Position};

/// A reader of the log in a folder. Connects on first use.
#[derive(Debug)]
pub struct SqliteReader {
    folder: PathBuf,
    blobs: Blobs,
    conn: Option<Connection>,
    /// End of the last frame read, so that reading on need not look it up.
    last_read: Head,
    /// Where archived segments are.
    archive: Option<PathBuf>,
    /// The segment read last.
    segment: Option<Segment>,
}

impl SqliteReader {
    /// Opens a data folder or backup for reading. Creates and changes nothing, works beside a
    /// running server.
    ///
    /// # Errors
    /// `NotFound`, `Foreign`, `NewerVersion`, `NeedsRecovery`, `Io`.
    pub fn open(folder: &Path) -> Result<Self, JournalError> {
        let mut reader = Self::lazy(folder);
        reader.conn = Some(file::open_reader(folder)?);
        Ok(reader)
    }

    /// A reader that connects on first use. Otherwise as [`SqliteReader::open`].
    #[must_use]
    pub fn lazy(folder: &Path) -> Self {
        let blobs = Blobs::of(folder);
        Self {
            folder: folder.to_owned(),
            blobs,
            conn: None,
            last_read: Head::EMPTY,
            archive: None,
            segment: None,
        }
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

    pub(super) fn conn(&mut self) -> Result<&Connection, JournalError> {
        let conn = match self.conn.take() {
            Some(conn) => conn,
            None => file::open_reader(&self.folder)?,
        };
        Ok(self.conn.insert(conn))
    }

    /// Bytes of a content as its row has it; `None` if it was erased while it was looked up.
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

    fn content(&mut self, id: ContentId) -> Result<Option<Content>, JournalError> {
        let position = crate::content_position(id);
        let row = rows::content(self.conn()?, id)
            .map_err(|error| JournalError::sqlite("read a content", position, error))?;
        row.map_or(Ok(None), |row| self.load(row))
    }
}

//! Contents too large for the log file: one file each, named by content id.
//!
//! A blob is synced before the frame that refers to it commits, and never changed. Its name reveals
//! nothing about its bytes. A blob without a row (left by a crash) is removed when the log is
//! opened.
//!
//! Writing a blob can fail only before its command is decided: the bytes are staged under a name
//! made from their salt, and the frame only renames the file. A content that was not staged is
//! written with its frame.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::file;
use crate::{Content, ContentId, JournalError, private};

/// Contents above this size are kept as blobs.
pub const INLINE_BYTES: usize = 64 << 10;

const FOLDER_NAME: &str = "blobs";
const STAGED: &str = "staged-";

#[derive(Clone, Debug)]
pub(super) struct Blobs {
    folder: PathBuf,
    /// The folder, open, so that making names durable needs no further descriptor.
    names: Option<Arc<File>>,
}

/// Writes large contents to disk before their commands are decided, so that a failure refuses one
/// command and stops nothing. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stage(Blobs);

/// A content on disk that waits for its frame. Dropping it removes the file, unless a frame took
/// it.
#[derive(Debug)]
pub struct Staged {
    path: PathBuf,
}

impl Drop for Staged {
    fn drop(&mut self) {
        // Gone if a frame took it; else the next opening of the log removes it.
        let _ = fs::remove_file(&self.path);
    }
}

impl Stage {
    /// Whether a content of so many bytes is kept in a file of its own.
    #[must_use]
    pub fn takes(bytes: usize) -> bool {
        bytes > INLINE_BYTES
    }

    /// Writes and syncs one content, known to its frame by the salt.
    ///
    /// # Errors
    /// `StorageFull`, `Io`; nothing of it stays.
    pub fn put(&self, salt: &[u8; 16], bytes: &[u8]) -> Result<Staged, JournalError> {
        let staged = Staged {
            path: self.0.staged_path(salt),
        };
        write_synced(&staged.path, bytes)?;
        Ok(staged)
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), JournalError> {
    let failed = |error| JournalError::io("write a blob", error);
    let file = private::new_file().create(true).truncate(true).open(path);
    let mut file = file.map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.sync_all().map_err(failed)
}

impl Blobs {
    pub(super) fn of(data_folder: &Path) -> Self {
        Self {
            folder: data_folder.join(FOLDER_NAME),
            names: None,
        }
    }

    /// Creates the folder, and keeps it open for writing.
    pub(super) fn create_folder(&mut self) -> Result<(), JournalError> {
        file::create_folder(&self.folder)?;
        let names = File::open(&self.folder);
        let names = names.map_err(|error| JournalError::io("open the folder of blobs", error))?;
        self.names = Some(Arc::new(names));
        Ok(())
    }

    pub(super) fn stage(&self) -> Stage {
        Stage(self.clone())
    }

    /// Takes the staged file of a content, or else writes and syncs one; its name is durable after
    /// [`Blobs::sync_names`].
    pub(super) fn write(&self, content: &Content) -> Result<(), JournalError> {
        let path = self.path(content.id);
        match fs::rename(self.staged_path(&content.salt), &path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                write_synced(&path, &content.bytes)
            }
            Err(error) => Err(JournalError::io("name a blob", error)),
            Ok(()) => Ok(()),
        }
    }

    pub(super) fn sync_names(&self) -> Result<(), JournalError> {
        let Some(names) = &self.names else {
            return file::sync_folder(&self.folder);
        };
        names
            .sync_all()
            .map_err(|error| JournalError::io("sync a folder", error))
    }

    /// Reads one blob; `None` if its file is gone.
    pub(super) fn read(&self, id: ContentId) -> Result<Option<Vec<u8>>, JournalError> {
        match fs::read(self.path(id)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(JournalError::io("read a blob", error)),
        }
    }

    /// Removes one blob if it is there.
    pub(super) fn remove(&self, id: ContentId) -> Result<(), JournalError> {
        match fs::remove_file(self.path(id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(JournalError::io("remove a blob", error))
            }
            _ => Ok(()),
        }
    }

    /// Removes every blob that is not wanted, and what was staged for frames that never came. Files that
    /// are not blobs are left alone.
    pub(super) fn remove_unless(
        &self,
        mut wanted: impl FnMut(ContentId) -> Result<bool, JournalError>,
    ) -> Result<(), JournalError> {
        let failed = |error| JournalError::io("list the blobs", error);
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            if name.to_str().is_some_and(|name| name.starts_with(STAGED)) {
                fs::remove_file(entry.path())
                    .map_err(|error| JournalError::io("remove a blob", error))?;
                continue;
            }
            let id = name.to_str().filter(|name| name.len() == 16);
            let Some(id) = id.and_then(|name| ContentId::from_str_radix(name, 16).ok()) else {
                continue;
            };
            if !wanted(id)? {
                self.remove(id)?;
            }
        }
        Ok(())
    }

    fn path(&self, id: ContentId) -> PathBuf {
        self.folder.join(format!("{id:016x}"))
    }

    /// A name that only somebody who knows the salt can make, and that does not reveal it.
    fn staged_path(&self, salt: &[u8; 16]) -> PathBuf {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"rialto staged blob");
        hasher.update(salt);
        let name = hasher.finalize().to_hex();
        self.folder.join(format!("{STAGED}{name}"))
    }
}

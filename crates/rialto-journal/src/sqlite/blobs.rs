//! Contents too large for the log file: one file each, named by content id.
//!
//! A blob is synced before the frame that refers to it commits, and never changed. Its name tells
//! nothing of its bytes. A blob without a row (left by a crash) is removed when the log is opened.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::file;
use crate::{Content, ContentId, JournalError};

/// Contents above this size are kept as blobs.
pub const INLINE_BYTES: usize = 64 << 10;

const FOLDER_NAME: &str = "blobs";

#[derive(Clone, Debug)]
pub(super) struct Blobs {
    folder: PathBuf,
}

impl Blobs {
    pub(super) fn of(data_folder: &Path) -> Self {
        Self {
            folder: data_folder.join(FOLDER_NAME),
        }
    }

    pub(super) fn create_folder(&self) -> Result<(), JournalError> {
        file::create_folder(&self.folder)
    }

    /// Writes and syncs one blob; its name is durable after [`Blobs::sync_names`].
    pub(super) fn write(&self, content: &Content) -> Result<(), JournalError> {
        let failed = |error| JournalError::io("write a blob", error);
        let mut file = File::create(self.path(content.id)).map_err(failed)?;
        file.write_all(&content.bytes).map_err(failed)?;
        file.sync_all().map_err(failed)
    }

    pub(super) fn sync_names(&self) -> Result<(), JournalError> {
        file::sync_folder(&self.folder)
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

    /// Removes every blob that is not wanted. Files that are not blobs are left alone.
    pub(super) fn remove_unless(
        &self,
        mut wanted: impl FnMut(ContentId) -> Result<bool, JournalError>,
    ) -> Result<(), JournalError> {
        let failed = |error| JournalError::io("list the blobs", error);
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
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
}

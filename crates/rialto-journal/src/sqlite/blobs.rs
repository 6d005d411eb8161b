//! Large contents of the first format: one file each, in the clear, named by content id.
//!
//! They are read, copied and erased; no new one is made but in a copy. A blob without a row (left
//! by a crash) is removed when the log is opened, and so is what that format staged.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::file;
use crate::{ContentId, JournalError, private};

const FOLDER_NAME: &str = "blobs";
const STAGED: &str = "staged-";

#[derive(Clone, Debug)]
pub(super) struct Blobs {
    folder: PathBuf,
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
        }
    }

    /// Creates the folder.
    pub(super) fn create_folder(&self) -> Result<(), JournalError> {
        file::create_folder(&self.folder)
    }

    /// Writes and syncs one; its name is durable after [`Blobs::sync_names`].
    pub(super) fn write(&self, id: ContentId, bytes: &[u8]) -> Result<(), JournalError> {
        write_synced(&self.path(id), bytes)
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

    /// Removes every blob that is not wanted, and what was staged for frames that never came. Files that
    /// are not blobs are left alone, and the folder need not be there.
    pub(super) fn remove_unless(
        &self,
        mut wanted: impl FnMut(ContentId) -> Result<bool, JournalError>,
    ) -> Result<(), JournalError> {
        let failed = |error| JournalError::io("list the blobs", error);
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(failed)?,
        };
        for entry in entries {
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
}

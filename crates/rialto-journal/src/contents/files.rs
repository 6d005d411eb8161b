//! Large ciphertexts: one file each, named by hash and key number.
//!
//! A file and its name are synced before it counts as kept, and never changed. The name reveals
//! nothing about the bytes. Files with other names are left alone.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{ContentStore, Slot};
use crate::sqlite::create_folder;
use crate::{Hash, JournalError, private};

pub(crate) const FOLDER_NAME: &str = "contents";

/// Ciphertexts as files of a folder.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    folder: PathBuf,
    /// The folder, open, so that making names durable needs no further descriptor.
    names: Option<Arc<File>>,
}

impl Files {
    /// The files of a data folder, to be read.
    pub(crate) fn of(data_folder: &Path) -> Self {
        Self {
            folder: data_folder.join(FOLDER_NAME),
            names: None,
        }
    }

    /// Creates the folder if need be, and keeps it open for writing.
    pub(crate) fn create(data_folder: &Path) -> Result<Self, JournalError> {
        let folder = data_folder.join(FOLDER_NAME);
        create_folder(&folder)?;
        let names = File::open(&folder);
        let names =
            names.map_err(|error| JournalError::io("open the folder of contents", error))?;
        Ok(Self {
            folder,
            names: Some(Arc::new(names)),
        })
    }

    fn path(&self, slot: &Slot) -> PathBuf {
        self.folder.join(name(slot))
    }

    fn sync_names(&self) -> Result<(), JournalError> {
        let failed = |error| JournalError::io("sync a folder", error);
        match &self.names {
            Some(names) => names.sync_all().map_err(failed),
            None => File::open(&self.folder)
                .and_then(|names| names.sync_all())
                .map_err(failed),
        }
    }
}

fn name(slot: &Slot) -> String {
    let hash: String = slot.hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hash}-{:016x}", slot.key)
}

fn slot(name: &str) -> Option<Slot> {
    let (hex, key) = name.split_once('-')?;
    if hex.len() != 64 || key.len() != 16 || !hex.is_ascii() {
        return None;
    }
    let mut hash: Hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(hex.as_bytes().as_chunks::<2>().0) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    let key = u64::from_str_radix(key, 16).ok()?;
    Some(Slot { hash, key })
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = private::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

impl ContentStore for Files {
    fn put(&self, slot: &Slot, sealed: &[u8]) -> Result<(), JournalError> {
        let path = self.path(slot);
        let written = write_synced(&path, sealed)
            .map_err(|error| JournalError::io("write a content", error))
            .and_then(|()| self.sync_names());
        if written.is_err() {
            // What cannot be removed either is collected when the log is opened.
            let _ = fs::remove_file(&path);
        }
        written
    }

    fn get(&self, slot: &Slot) -> Result<Option<Vec<u8>>, JournalError> {
        match fs::read(self.path(slot)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(JournalError::io("read a content", error)),
        }
    }

    fn remove(&self, slot: &Slot) -> Result<(), JournalError> {
        match fs::remove_file(self.path(slot)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(JournalError::io("remove a content", error))
            }
            _ => Ok(()),
        }
    }

    fn each(
        &self,
        visit: &mut dyn FnMut(Slot) -> Result<(), JournalError>,
    ) -> Result<(), JournalError> {
        let failed = |error| JournalError::io("list the contents", error);
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            if let Some(slot) = name.to_str().and_then(slot) {
                visit(slot)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_left_alone() {
        let kept = Slot {
            hash: [0xa7; 32],
            key: 77,
        };
        assert_eq!(slot(&name(&kept)), Some(kept));
        let long = "é".repeat(32);
        for other in ["README", "", "-", "a-b", &format!("{long}-{:016x}", 1)] {
            assert_eq!(slot(other), None, "{other}");
        }
    }
}

//! Files and folders that only their owner can use: 0600 and 0700, whatever the umask says.
//!
//! A realm's files hold every owner's messages, so all of them are created here. Never opens a file
//! to more readers than it has, and never touches a folder that holds other things than a realm.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// What others may do with a file, in its mode.
const OTHERS: u32 = 0o077;

/// The name by which a folder is known to be a realm's.
const REALM: &str = "log.db";

/// The beginnings of the names of a realm's files.
const OWN: [&str; 7] = [
    "log.",
    "keys.db",
    "entities.db",
    "views.db",
    "realm.key",
    "operator.token",
    "metrics.token",
];

/// How a new file is opened for writing: readable and writable by its owner only.
#[must_use]
pub fn new_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

/// Creates a file that must not exist yet.
///
/// # Errors
/// As the operating system's.
pub fn create_new(path: &Path) -> io::Result<File> {
    new_file().create_new(true).open(path)
}

/// Makes sure that a file exists and only its owner can use it. SQLite gives the files beside a
/// database its mode.
///
/// # Errors
/// As the operating system's.
pub fn ensure_file(path: &Path) -> io::Result<()> {
    let file = new_file().create(true).truncate(false).open(path)?;
    let mode = file.metadata()?.permissions().mode();
    if mode & OTHERS == 0 {
        return Ok(());
    }
    file.set_permissions(Permissions::from_mode(mode & !OTHERS & 0o7777))
}

/// Creates a folder with those above it; the new ones are their owner's only.
///
/// # Errors
/// As the operating system's.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// What was found of a folder that is to be its owner's only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Openness {
    /// It is its owner's only.
    Private,
    /// It was open to others, with this mode, and no longer is.
    Closed(u32),
    /// It is open to others, with this mode: it holds other things than a realm too, or belongs to
    /// another user.
    Open(u32),
}

/// Removes the access of other users to a folder, and to a realm's files in it, if it holds a realm
/// or nothing.
///
/// # Errors
/// When the folder cannot be looked at.
pub fn close_folder(folder: &Path) -> io::Result<Openness> {
    let mode = fs::metadata(folder)?.permissions().mode() & 0o7777;
    let ours = folder.join(REALM).exists() || fs::read_dir(folder)?.next().is_none();
    close_files(folder)?;
    if mode & OTHERS == 0 {
        return Ok(Openness::Private);
    }
    let closed = ours && fs::set_permissions(folder, Permissions::from_mode(0o700)).is_ok();
    Ok(if closed {
        Openness::Closed(mode)
    } else {
        Openness::Open(mode)
    })
}

/// The realm's own files in any folder; those of another user stay as they are.
fn close_files(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let own = |name: &str| OWN.iter().any(|own| name.starts_with(own));
        if name.to_str().is_some_and(own) {
            close(&entry)?;
        }
        let is_folder = ["blobs", "contents", "secrets"]
            .iter()
            .any(|own| name == *own);
        if is_folder && close(&entry)? {
            for blob in fs::read_dir(entry.path())? {
                close(&blob?)?;
            }
        }
    }
    Ok(())
}

/// Returns whether it was open to others. A link is left alone: its target is not the realm's.
fn close(entry: &fs::DirEntry) -> io::Result<bool> {
    let found = entry.metadata()?;
    let mode = found.permissions().mode();
    if found.is_symlink() || mode & OTHERS == 0 {
        return Ok(false);
    }
    let closed = Permissions::from_mode(mode & !OTHERS & 0o7777);
    // Somebody else's file: whoever opens it learns that it cannot be used.
    Ok(fs::set_permissions(entry.path(), closed).is_ok())
}

//! The files of a data folder: names, identity, connections, the writer's lock.
//!
//! Holds no statement on frames or contents. A read-only connection made here never creates a file.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::contents::rows::{self, Rows};
use crate::{JournalError, private};

/// Name of the log in its data folder.
pub(super) const LOG_NAME: &str = "log.db";
const LOCK_NAME: &str = "log.lock";

/// The identity in the header of our SQLite files.
pub(crate) struct Identity {
    /// SQLite's `application_id`, four ASCII letters.
    pub(crate) application: u32,
    /// SQLite's `user_version`: the version of the tables, as this release writes it.
    pub(crate) version: u32,
    /// The oldest version that this release reads.
    pub(crate) oldest: u32,
}

pub(super) const LOG: Identity = Identity {
    application: u32::from_be_bytes(*b"RLTL"),
    version: 3,
    oldest: 1,
};

const LOG_SCHEMA: &str = "
CREATE TABLE frames (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, facts BLOB NOT NULL) STRICT;
";

/// Contents of the first format, kept by position. Logs that have them keep them where they are; new
/// ones do not get this table, but copies of old ones do.
///
/// `contents.erased` is 0 or 1; `bytes` is null where `blob_bytes` is not. An erased row keeps its
/// size and place: were it deleted, SQLite would in time rebuild the page, and a rebuilt page can
/// keep stale copies of its other rows in its slack (`rebuildPage` clears none, even with
/// `secure_delete`), out of reach of their own later erasure.
const PLAIN_SCHEMA: &str = "
CREATE TABLE contents (
    id INTEGER PRIMARY KEY, erased INTEGER NOT NULL, salt BLOB NOT NULL, bytes BLOB, blob_bytes INTEGER
) STRICT;
CREATE INDEX erasures ON contents (id) WHERE erased = 1;
";

/// How long a statement waits for a lock that another connection holds only briefly.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Whether the file holds our tables, or nothing yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Empty,
    Ours,
}

/// Reads who wrote a file.
pub(crate) fn identify(
    conn: &Connection,
    path: &Path,
    ours: &Identity,
) -> Result<Found, JournalError> {
    let header = |sql| conn.query_row(sql, [], |row| row.get::<_, i64>(0));
    let read = || {
        let application = header("PRAGMA application_id")?;
        let version = header("PRAGMA user_version")?;
        let tables = header("SELECT count(*) FROM sqlite_schema")?;
        Ok((application, version, tables))
    };
    match read().map_err(|error| JournalError::opening(path, error))? {
        (0, 0, 0) => Ok(Found::Empty),
        (application, _, _) if application != i64::from(ours.application) => {
            Err(JournalError::Foreign {
                path: path.to_owned(),
            })
        }
        (_, version, _) => match u32::try_from(version) {
            Ok(version) if (ours.oldest..=ours.version).contains(&version) => Ok(Found::Ours),
            Ok(found) if found > ours.version => Err(JournalError::NewerVersion {
                found,
                supported: ours.version,
            }),
            _ => Err(JournalError::Foreign {
                path: path.to_owned(),
            }),
        },
    }
}

/// Creates the tables and signs the file, in one transaction.
pub(crate) fn create(conn: &Connection, ours: &Identity, schema: &str) -> Result<(), JournalError> {
    let Identity {
        application,
        version,
        ..
    } = ours;
    let sql = format!(
        "BEGIN IMMEDIATE; {schema} PRAGMA application_id = {application}; PRAGMA user_version = {version}; COMMIT;"
    );
    conn.execute_batch(&sql)
        .map_err(|error| JournalError::sqlite("create the tables", 0, error))
}

/// Opens a database for writing; its file, and those that SQLite puts beside it, are its owner's only.
pub(crate) fn open_private(path: &Path) -> Result<Connection, JournalError> {
    private::ensure_file(path).map_err(|error| JournalError::io("open a file", error))?;
    Connection::open(path).map_err(|error| JournalError::opening(path, error))
}

/// Opens the log for writing, creating it if need be. The caller holds the lock.
pub(super) fn open_writer(path: &Path) -> Result<Connection, JournalError> {
    let failed = |error| JournalError::opening(path, error);
    let conn = open_private(path)?;
    conn.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    let found = identify(&conn, path, &LOG)?;
    // Kept at zero length when the server ends, the write-ahead file and its index spare readers
    // from having to create them.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .map_err(failed)?;
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
         PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864;",
    )
    .map_err(failed)?;
    match found {
        Found::Empty => create(&conn, &LOG, &schema(false))?,
        Found::Ours if !Rows::are_in(&conn)? => create(&conn, &LOG, rows::SCHEMA)?,
        Found::Ours if Rows::are_by_hash(&conn)? => create(&conn, &LOG, rows::FROM_VERSION_2)?,
        Found::Ours => {}
    }
    Ok(conn)
}

/// The tables of a log, with those of the first format or without.
fn schema(plain: bool) -> String {
    let plain = if plain { PLAIN_SCHEMA } else { "" };
    format!("{LOG_SCHEMA} {} {plain}", rows::SCHEMA)
}

/// Whether a log keeps contents of the first format.
pub(super) fn has_plain(conn: &Connection) -> Result<bool, JournalError> {
    conn.prepare_cached("SELECT 1 FROM sqlite_schema WHERE name = 'contents'")
        .and_then(|mut statement| statement.exists([]))
        .map_err(|error| JournalError::sqlite("read the contents", 0, error))
}

/// Opens a new log file for a copy, which becomes durable only when the whole file is synced.
pub(super) fn open_copy(path: &Path, plain: bool) -> Result<Connection, JournalError> {
    let failed = |error| JournalError::opening(path, error);
    let conn = open_private(path)?;
    conn.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        .map_err(failed)?;
    create(&conn, &LOG, &schema(plain))?;
    Ok(conn)
}

/// Opens the log of a data folder or backup without creating or changing anything.
pub(super) fn open_reader(folder: &Path) -> Result<Connection, JournalError> {
    open_readonly(&folder.join(LOG_NAME), &LOG)
}

/// Opens one of our files without creating or changing anything.
pub(crate) fn open_readonly(path: &Path, ours: &Identity) -> Result<Connection, JournalError> {
    let failed = |error| JournalError::opening(path, error);
    if !path.is_file() {
        return Err(JournalError::NotFound {
            path: path.to_owned(),
        });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = if with_suffix(path, "-shm").is_file() {
        Connection::open_with_flags(path, flags)
    } else if fs::metadata(with_suffix(path, "-wal")).is_ok_and(|wal| wal.len() > 0) {
        return Err(JournalError::NeedsRecovery {
            path: path.to_owned(),
        });
    } else {
        // A backup, or a copy of a closed log: nobody writes to it, and SQLite would otherwise
        // create the files beside it.
        Connection::open_with_flags(immutable_uri(path), flags | OpenFlags::SQLITE_OPEN_URI)
    }
    .map_err(failed)?;
    conn.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .map_err(failed)?;
    match identify(&conn, path, ours)? {
        Found::Ours => Ok(conn),
        Found::Empty => Err(JournalError::NotFound {
            path: path.to_owned(),
        }),
    }
}

/// The lock that only one server can hold on a folder. Given back when it is dropped, and not only
/// when its file is closed: a process that is being started holds copies of all open files for a
/// moment, and a folder must not look used for that long.
#[derive(Debug)]
pub(super) struct FolderLock(File);

#[cfg(test)]
impl FolderLock {
    /// The same open file once more, as a process has it that is being started.
    pub(super) fn copy(&self) -> File {
        self.0.try_clone().unwrap()
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Closing the last copy gives the lock back as well, if later.
        self.0.unlock().unwrap_or(());
    }
}

/// Takes the lock of a folder.
pub(super) fn lock(folder: &Path) -> Result<FolderLock, JournalError> {
    let path = folder.join(LOCK_NAME);
    let file = private::new_file()
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|error| JournalError::io("open the lock file", error))?;
    match file.try_lock() {
        Ok(()) => Ok(FolderLock(file)),
        Err(TryLockError::WouldBlock) => Err(JournalError::Locked { path }),
        Err(TryLockError::Error(error)) => Err(JournalError::io("lock the data folder", error)),
    }
}

/// Creates a folder and makes its name durable.
pub(crate) fn create_folder(folder: &Path) -> Result<(), JournalError> {
    let failed = |error| JournalError::io("create a folder", error);
    private::create_folder(folder).map_err(failed)?;
    let parent = folder.canonicalize().map_err(failed)?;
    parent.parent().map_or(Ok(()), sync_folder)
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), JournalError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| JournalError::io("sync a folder", error))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// The path as an SQLite URI; every byte that could mean something in a URI is escaped.
fn immutable_uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                uri.push(char::from(*byte));
            }
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(uri, "%{byte:02x}");
            }
        }
    }
    uri.push_str("?immutable=1");
    uri
}

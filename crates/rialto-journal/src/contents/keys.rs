//! The keys of contents, one each, in a small file of their own.
//!
//! A key is made durable before it encrypts anything, and some thousand at a time. Its number is
//! never given twice, not even after a crash: a number that was used and one that was not are alike.
//! Erasing overwrites the key in place with zeros and empties the write-ahead file. No row is ever
//! deleted: SQLite would in time rebuild the page, and a rebuilt page can keep stale copies of its
//! other rows.
//!
//! Knows no ciphertext. What erasing leaves to be removed elsewhere is on a list here until it is.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ring::rand::{SecureRandom as _, SystemRandom};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use crate::sqlite::{BUSY_TIMEOUT, Found, Identity, create, identify, open_private, open_readonly};
use crate::{Hash, JournalError};

/// Name of the file in a data folder and in a backup.
pub(crate) const KEYS_NAME: &str = "keys.db";

/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// A key that encrypts one content.
pub type Key = [u8; KEY_BYTES];

/// The number of a key: given once, ascending.
pub type KeyId = u64;

/// What an erased key is overwritten with.
const ERASED: Key = [0; KEY_BYTES];

/// How many keys are made durable at first; each time twice as many, up to the most. A realm that
/// is hardly used thus leaves few unused when it is opened again.
const FIRST_DRAWN: usize = 64;
const MOST_DRAWN: usize = 8_192;

/// Rows copied in one step.
const STEP_ROWS: u64 = 4_096;

const KEYS: Identity = Identity {
    application: u32::from_be_bytes(*b"RLTK"),
    version: 1,
    oldest: 1,
};

/// `key` is zeros once erased. `erased` lists keys whose ciphertexts are not removed yet.
const SCHEMA: &str = "
CREATE TABLE keys (id INTEGER PRIMARY KEY, key BLOB NOT NULL) STRICT;
CREATE TABLE erased (id INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT;
";

/// The keys of a realm's contents.
pub trait Keys: Send + Sync {
    /// A key that was never used, durable, with its number.
    ///
    /// # Errors
    /// `StorageFull`, `Io`.
    fn draw(&self) -> Result<(KeyId, Key), JournalError>;

    /// Whether so few unused keys are at hand that more should be prepared.
    fn runs_low(&self) -> bool;

    /// Makes more unused keys durable.
    ///
    /// # Errors
    /// `StorageFull`, `Io`.
    fn prepare(&self) -> Result<(), JournalError>;

    /// A key; nothing if it was erased or never drawn.
    ///
    /// # Errors
    /// `Corrupt`, `Io`.
    fn key(&self, id: KeyId) -> Result<Option<Key>, JournalError>;

    /// Erases keys for good, notes their ciphertexts as still to be removed, and gives how many
    /// were there.
    ///
    /// # Errors
    /// `EraseIncomplete` when a long read kept the old bytes in the write-ahead file: no content
    /// opens any more; call again, with any keys. `StorageFull`, `Io`.
    fn erase(&self, slots: &[super::Slot]) -> Result<usize, JournalError>;

    /// The ciphertexts that erasing left to be removed.
    ///
    /// # Errors
    /// `Corrupt`, `Io`.
    fn leftovers(&self) -> Result<Vec<super::Slot>, JournalError>;

    /// Notes that the ciphertexts of these are removed.
    ///
    /// # Errors
    /// `StorageFull`, `Io`.
    fn removed(&self, slots: &[super::Slot]) -> Result<(), JournalError>;
}

/// The keys in a data folder.
pub(crate) struct SqliteKeys(Mutex<Drawn>);

struct Drawn {
    conn: Connection,
    random: SystemRandom,
    unused: VecDeque<(KeyId, Key)>,
    batch: usize,
    /// Whether erased keys may still be in the write-ahead file.
    owed: bool,
}

impl SqliteKeys {
    /// Opens the keys for writing, creating the file if need be. The caller holds the folder's lock.
    pub(crate) fn open(path: &Path) -> Result<Self, JournalError> {
        let failed = |error| JournalError::opening(path, error);
        let conn = open_private(path)?;
        conn.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
        let found = identify(&conn, path, &KEYS)?;
        conn.set_db_config(
            rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
            true,
        )
        .map_err(failed)?;
        conn.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
             PRAGMA journal_size_limit = 4194304;",
        )
        .map_err(failed)?;
        if found == Found::Empty {
            create(&conn, &KEYS, SCHEMA)?;
        }
        // What an erasure left in the write-ahead file goes now, if nobody reads.
        let owed = !truncate(&conn)?;
        Ok(Self(Mutex::new(Drawn {
            conn,
            random: SystemRandom::new(),
            unused: VecDeque::new(),
            batch: FIRST_DRAWN,
            owed,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Drawn> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leaves an empty write-ahead file behind, where readers allow it at once, so that the file can be
/// read beside no writer. Nothing else depends on it.
impl Drop for Drawn {
    fn drop(&mut self) {
        if self.conn.busy_timeout(Duration::ZERO).is_ok() {
            let _ = truncate(&self.conn);
        }
    }
}

impl Drawn {
    fn prepare(&mut self) -> Result<(), JournalError> {
        let mut bytes = vec![0; self.batch * KEY_BYTES];
        self.random.fill(&mut bytes).map_err(|_| {
            let source = std::io::Error::other("the system gives no random bytes");
            JournalError::io("make keys", source)
        })?;
        let made: Vec<Key> = bytes.as_chunks().0.to_vec();
        let drawn = insert(&mut self.conn, &made)
            .map_err(|error| JournalError::sqlite("store keys", 0, error))?;
        self.unused.extend(drawn);
        self.batch = (self.batch * 2).min(MOST_DRAWN);
        Ok(())
    }
}

fn insert(conn: &mut Connection, made: &[Key]) -> rusqlite::Result<Vec<(KeyId, Key)>> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let first = last(&tx)? + 1;
    let mut drawn = Vec::with_capacity(made.len());
    {
        let mut put = tx.prepare_cached("INSERT INTO keys (id, key) VALUES (?1, ?2)")?;
        for (id, key) in (first..).zip(made) {
            put.execute(params![number(id), key.as_slice()])?;
            drawn.push((id, *key));
        }
    }
    tx.commit()?;
    Ok(drawn)
}

/// The last number given; 0 if none was.
fn last(conn: &Connection) -> rusqlite::Result<KeyId> {
    conn.prepare_cached("SELECT max(id) FROM keys")?
        .query_row([], |row| row.get::<_, Option<i64>>(0))
        .map(|id| id.map_or(0, unsigned))
}

/// Empties the write-ahead file; says whether readers let it.
fn truncate(conn: &Connection) -> Result<bool, JournalError> {
    let busy = conn
        .prepare_cached("PRAGMA wal_checkpoint(TRUNCATE)")
        .and_then(|mut statement| statement.query_row([], |row| row.get::<_, i64>(0)));
    busy.map(|busy| busy == 0)
        .map_err(|error| JournalError::sqlite("move keys out of the write-ahead file", 0, error))
}

impl Keys for SqliteKeys {
    fn draw(&self) -> Result<(KeyId, Key), JournalError> {
        let mut drawn = self.lock();
        if drawn.unused.is_empty() {
            drawn.prepare()?;
        }
        let none = || JournalError::io("make keys", std::io::Error::other("none were made"));
        drawn.unused.pop_front().ok_or_else(none)
    }

    fn runs_low(&self) -> bool {
        let drawn = self.lock();
        drawn.unused.len() < drawn.batch / 4
    }

    fn prepare(&self) -> Result<(), JournalError> {
        self.lock().prepare()
    }

    fn key(&self, id: KeyId) -> Result<Option<Key>, JournalError> {
        read(&self.lock().conn, id)
    }

    fn erase(&self, slots: &[super::Slot]) -> Result<usize, JournalError> {
        let failed = |error| JournalError::sqlite("erase keys", 0, error);
        let mut drawn = self.lock();
        if slots.is_empty() && !drawn.owed {
            return Ok(0);
        }
        let erased = overwrite(&mut drawn.conn, slots).map_err(failed)?;
        drawn.owed = true;
        drawn.owed = !truncate(&drawn.conn)?;
        match drawn.owed {
            true => Err(JournalError::EraseIncomplete),
            false => Ok(erased),
        }
    }

    fn leftovers(&self) -> Result<Vec<super::Slot>, JournalError> {
        leftovers(&self.lock().conn)
            .map_err(|error| JournalError::sqlite("read the keys", 0, error))
    }

    fn removed(&self, slots: &[super::Slot]) -> Result<(), JournalError> {
        let strike_off = |conn: &mut Connection| {
            let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for slot in slots {
                tx.prepare_cached("DELETE FROM erased WHERE id = ?1")?
                    .execute([number(slot.key)])?;
            }
            tx.commit()
        };
        strike_off(&mut self.lock().conn)
            .map_err(|error| JournalError::sqlite("erase keys", 0, error))
    }
}

fn overwrite(conn: &mut Connection, slots: &[super::Slot]) -> rusqlite::Result<usize> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut erased = 0;
    {
        let sql = "UPDATE keys SET key = ?2 WHERE id = ?1 AND key <> ?2";
        let mut wipe = tx.prepare_cached(sql)?;
        let sql = "INSERT OR IGNORE INTO erased (id, hash) VALUES (?1, ?2)";
        let mut note = tx.prepare_cached(sql)?;
        for slot in slots {
            erased += wipe.execute(params![number(slot.key), ERASED.as_slice()])?;
            note.execute(params![number(slot.key), slot.hash.as_slice()])?;
        }
    }
    tx.commit()?;
    Ok(erased)
}

fn leftovers(conn: &Connection) -> rusqlite::Result<Vec<super::Slot>> {
    conn.prepare_cached("SELECT id, hash FROM erased")?
        .query_map([], |row| {
            Ok(super::Slot {
                key: unsigned(row.get(0)?),
                hash: row.get::<_, Hash>(1)?,
            })
        })?
        .collect()
}

fn read(conn: &Connection, id: KeyId) -> Result<Option<Key>, JournalError> {
    let key = conn
        .prepare_cached("SELECT key FROM keys WHERE id = ?1")
        .and_then(|mut statement| {
            let row = statement.query_row([number(id)], |row| row.get::<_, Key>(0));
            row.optional()
        })
        .map_err(|error| JournalError::sqlite("read a key", 0, error))?;
    Ok(key.filter(|key| *key != ERASED))
}

/// Reads keys beside the writer or without one. Never writes.
#[derive(Debug)]
pub(crate) struct KeyReader(Connection);

impl KeyReader {
    /// Opens a keys file; nothing if there is none.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, JournalError> {
        match open_readonly(path, &KEYS) {
            Ok(conn) => Ok(Some(Self(conn))),
            Err(JournalError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The last number in this file; 0 if there is none.
    pub(crate) fn last(&self) -> Result<KeyId, JournalError> {
        last(&self.0).map_err(|error| JournalError::sqlite("read the keys", 0, error))
    }

    /// A key; nothing if it was erased or is not in this file.
    pub(crate) fn key(&self, id: KeyId) -> Result<Option<Key>, JournalError> {
        read(&self.0, id)
    }
}

/// Writes the keys up to a number into a new keys file, with zeros for those that are erased. Keys
/// that no content of the copy needs stay out: an older keys file must not open later contents.
/// Without a source, a file that gives none of these numbers again.
pub(crate) fn copy(
    source: Option<&KeyReader>,
    target: &Path,
    until: KeyId,
) -> Result<(), JournalError> {
    let partial = target.with_extension("db.partial");
    let failed = |error| JournalError::io("write the keys", error);
    // One that was left behind is of no use.
    match fs::remove_file(&partial) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let conn = open_private(&partial)?;
    conn.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        .map_err(write_failed)?;
    create(&conn, &KEYS, SCHEMA)?;
    match source {
        Some(source) => copy_rows(&source.0, &conn, until)?,
        None if until > 0 => put(&conn, until, &ERASED).map_err(write_failed)?,
        None => {}
    }
    conn.execute_batch("PRAGMA journal_mode = DELETE")
        .map_err(write_failed)?;
    conn.close().map_err(|(_, error)| write_failed(error))?;
    fs::File::open(&partial)
        .and_then(|file| file.sync_all())
        .map_err(failed)?;
    fs::rename(&partial, target).map_err(failed)?;
    target.parent().map_or(Ok(()), crate::sqlite::sync_folder)
}

fn copy_rows(source: &Connection, target: &Connection, until: KeyId) -> Result<(), JournalError> {
    let read_failed = |error| JournalError::sqlite("read the keys", 0, error);
    let mut after = 0;
    while after < until {
        let next = until.min(after.saturating_add(STEP_ROWS));
        let rows: Vec<(i64, Key)> = source
            .prepare_cached("SELECT id, key FROM keys WHERE id > ?1 AND id <= ?2 ORDER BY id")
            .and_then(|mut statement| {
                statement
                    .query_map([number(after), number(next)], |row| {
                        Ok((row.get(0)?, row.get(1)?))
                    })?
                    .collect()
            })
            .map_err(read_failed)?;
        let tx = target.unchecked_transaction().map_err(write_failed)?;
        for (id, key) in rows {
            put(&tx, unsigned(id), &key).map_err(write_failed)?;
        }
        tx.commit().map_err(write_failed)?;
        after = next;
    }
    Ok(())
}

fn put(conn: &Connection, id: KeyId, key: &Key) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT INTO keys (id, key) VALUES (?1, ?2)")?
        .execute(params![number(id), key.as_slice()])
        .map(drop)
}

fn write_failed(error: rusqlite::Error) -> JournalError {
    JournalError::sqlite("write the keys", 0, error)
}

fn number(id: KeyId) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

fn unsigned(id: i64) -> KeyId {
    u64::try_from(id).unwrap_or(0)
}

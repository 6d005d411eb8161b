//! Contents as rows beside the frames: small ciphertexts, and references to large ones.
//!
//! A row is written in the transaction of the frame whose facts name it, and removed after its key
//! is erased; a removed row holds nothing that could be opened, so none of this is overwritten.
//! Rows stand in the order of their keys, which is nearly that of their frames, and the index in
//! that of the frames, with eight bytes of each hash within one: what a frame adds shares pages at
//! the end of both. An index by hash alone, as logs of version 2 had it, wrote a page for each row.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::keys::KeyId;
use super::{ContentName, ContentStore, Slot};
use crate::{Hash, JournalError, Position, content_position};

/// `bytes` is null where `large_bytes`, the length of the ciphertext elsewhere, is not.
pub(crate) const SCHEMA: &str = "
CREATE TABLE sealed (
    key INTEGER PRIMARY KEY, hash BLOB NOT NULL, name INTEGER NOT NULL, frame INTEGER NOT NULL,
    bytes BLOB, large_bytes INTEGER
) STRICT;
CREATE INDEX sealed_places ON sealed (frame, name);
";

/// Gives the rows of a log of version 2 the index that [`Rows::find`] needs, in place of its own.
pub(crate) const FROM_VERSION_2: &str = "
CREATE INDEX sealed_places ON sealed (frame, name);
DROP INDEX sealed_names;
";

/// What a row says of a content, but for its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) slot: Slot,
    /// First position of the frame that it came with.
    pub(crate) frame: Position,
    /// Bytes of the ciphertext if it is in the store of large ones, and not in the row.
    pub(crate) large: Option<u64>,
}

/// The rows of a log, through a connection or a transaction of it.
pub(crate) struct Rows<'a> {
    conn: &'a Connection,
    /// First position of the frame whose contents are written.
    frame: Position,
}

fn read_failed(error: rusqlite::Error) -> JournalError {
    JournalError::sqlite("read a content", 0, error)
}

fn write_failed(error: rusqlite::Error) -> JournalError {
    JournalError::sqlite("write a content", 0, error)
}

impl<'a> Rows<'a> {
    /// The rows, to be read or removed.
    pub(crate) fn of(conn: &'a Connection) -> Self {
        Self { conn, frame: 0 }
    }

    /// The rows, to write those of the frame that begins at a position.
    pub(crate) fn of_frame(conn: &'a Connection, frame: Position) -> Self {
        Self { conn, frame }
    }

    /// Whether a log has such rows at all: one of the first format has not.
    pub(crate) fn are_in(conn: &Connection) -> Result<bool, JournalError> {
        conn.prepare_cached("SELECT 1 FROM sqlite_schema WHERE name = 'sealed'")
            .and_then(|mut statement| statement.exists([]))
            .map_err(read_failed)
    }

    /// Whether rows are indexed by their hashes alone, as in a log of version 2 that no writer of
    /// this release has opened.
    pub(crate) fn are_by_hash(conn: &Connection) -> Result<bool, JournalError> {
        conn.prepare_cached("SELECT 1 FROM sqlite_schema WHERE name = 'sealed_names'")
            .and_then(|mut statement| statement.exists([]))
            .map_err(read_failed)
    }

    /// Whether any content is kept here.
    pub(crate) fn are_there(&self) -> Result<bool, JournalError> {
        self.conn
            .prepare_cached("SELECT 1 FROM sealed LIMIT 1")
            .and_then(|mut statement| statement.exists([]))
            .map_err(read_failed)
    }

    /// Refers to a ciphertext of so many bytes in the store of large ones.
    pub(crate) fn refer(&self, slot: &Slot, bytes: u64) -> Result<(), JournalError> {
        self.insert(slot, None, Some(number(bytes)))
            .map_err(write_failed)
    }

    fn insert(
        &self,
        slot: &Slot,
        bytes: Option<&[u8]>,
        large: Option<i64>,
    ) -> rusqlite::Result<()> {
        let (key, hash, frame) = (number(slot.key), slot.hash.as_slice(), number(self.frame));
        self.conn
            .prepare_cached(
                "INSERT INTO sealed (key, hash, name, frame, bytes, large_bytes)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![key, hash, name(&slot.hash), frame, bytes, large])
            .map(drop)
    }

    /// The rows of a content: one, or none, or more if the same bytes came in the same frame with the
    /// same salt. They are those of the last frame that begins at its position or before it.
    pub(crate) fn find(&self, content: &ContentName) -> Result<Vec<Kept>, JournalError> {
        let sql = "SELECT key, hash, frame, large_bytes FROM sealed
                   WHERE frame = (SELECT max(frame) FROM sealed WHERE frame <= ?3)
                   AND name = ?1 AND hash = ?2";
        let position = number(content_position(content.id));
        self.select(
            sql,
            params![name(&content.hash), content.hash.as_slice(), position],
        )
    }

    /// The same where [`Rows::are_by_hash`].
    pub(crate) fn find_by_hash(&self, hash: &Hash) -> Result<Vec<Kept>, JournalError> {
        let sql = "SELECT key, hash, frame, large_bytes FROM sealed WHERE name = ?1 AND hash = ?2";
        self.select(sql, params![name(hash), hash.as_slice()])
    }

    fn select(&self, sql: &str, params: impl rusqlite::Params) -> Result<Vec<Kept>, JournalError> {
        let select = || {
            self.conn
                .prepare_cached(sql)?
                .query_map(params, kept)?
                .collect::<rusqlite::Result<_>>()
        };
        select().map_err(read_failed)
    }

    /// Whether there is a row of a slot.
    pub(crate) fn has(&self, slot: &Slot) -> Result<bool, JournalError> {
        self.conn
            .prepare_cached("SELECT 1 FROM sealed WHERE key = ?1 AND hash = ?2")
            .and_then(|mut statement| {
                statement.exists(params![number(slot.key), slot.hash.as_slice()])
            })
            .map_err(read_failed)
    }

    /// The next `limit` rows by key, after a key, of frames up to a position.
    pub(crate) fn after(
        &self,
        key: KeyId,
        until: Position,
        limit: u32,
    ) -> Result<Vec<Kept>, JournalError> {
        let sql = "SELECT key, hash, frame, large_bytes FROM sealed
                   WHERE key > ?1 AND frame <= ?2 ORDER BY key LIMIT ?3";
        self.select(sql, params![number(key), number(until), limit])
    }

    /// The last key that a row is encrypted under; 0 if there is none.
    pub(crate) fn last_key(&self) -> Result<KeyId, JournalError> {
        self.conn
            .prepare_cached("SELECT max(key) FROM sealed")
            .and_then(|mut statement| statement.query_row([], |row| row.get::<_, Option<i64>>(0)))
            .map(|key| key.map_or(0, unsigned))
            .map_err(read_failed)
    }
}

impl ContentStore for Rows<'_> {
    fn put(&self, slot: &Slot, sealed: &[u8]) -> Result<(), JournalError> {
        self.insert(slot, Some(sealed), None).map_err(write_failed)
    }

    fn get(&self, slot: &Slot) -> Result<Option<Vec<u8>>, JournalError> {
        let bytes = self
            .conn
            .prepare_cached("SELECT bytes FROM sealed WHERE key = ?1 AND hash = ?2")
            .and_then(|mut statement| {
                let slot = params![number(slot.key), slot.hash.as_slice()];
                statement.query_row(slot, |row| row.get(0)).optional()
            });
        bytes.map(Option::flatten).map_err(read_failed)
    }

    fn remove(&self, slot: &Slot) -> Result<(), JournalError> {
        self.conn
            .prepare_cached("DELETE FROM sealed WHERE key = ?1 AND hash = ?2")
            .and_then(|mut statement| {
                statement.execute(params![number(slot.key), slot.hash.as_slice()])
            })
            .map(drop)
            .map_err(|error| JournalError::sqlite("remove a content", 0, error))
    }

    fn each(
        &self,
        visit: &mut dyn FnMut(Slot) -> Result<(), JournalError>,
    ) -> Result<(), JournalError> {
        let mut after = 0;
        loop {
            let rows = self.after(after, Position::MAX, 256)?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            after = last.slot.key;
            for row in rows {
                visit(row.slot)?;
            }
        }
    }
}

fn kept(row: &Row<'_>) -> rusqlite::Result<Kept> {
    Ok(Kept {
        slot: Slot {
            key: unsigned(row.get(0)?),
            hash: row.get(1)?,
        },
        frame: unsigned(row.get(2)?),
        large: row.get::<_, Option<i64>>(3)?.map(unsigned),
    })
}

/// The first eight bytes of a hash.
fn name(hash: &Hash) -> i64 {
    let mut first = [0; 8];
    first.copy_from_slice(hash.split_at(8).0);
    i64::from_be_bytes(first)
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

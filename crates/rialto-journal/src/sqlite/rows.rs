//! Every statement on frames, and on contents of the first format, and the translation of their
//! rows.
//!
//! Holds no policy: when to write, sync or copy is decided by the callers.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::frame::{self, StoredFrame};
use crate::{ContentId, Hash, Head, JournalError, Position};

type SqlResult<T> = rusqlite::Result<T>;

/// A content of the first format as its row has it.
pub(super) struct ContentRow {
    pub(super) id: ContentId,
    pub(super) salt: [u8; 16],
    pub(super) stored: Stored,
}

/// Where a content's bytes are.
pub(super) enum Stored {
    Inline(Vec<u8>),
    Blob { bytes: u64 },
}

pub(super) fn insert_frame(
    conn: &Connection,
    first: Position,
    last: Position,
    facts: &[u8],
) -> SqlResult<()> {
    conn.prepare_cached("INSERT INTO frames (first, last, facts) VALUES (?1, ?2, ?3)")?
        .execute(params![number(first), number(last), facts])
        .map(drop)
}

pub(super) fn insert_inline(
    conn: &Connection,
    id: ContentId,
    salt: &[u8; 16],
    bytes: &[u8],
) -> SqlResult<()> {
    conn.prepare_cached("INSERT INTO contents (id, erased, salt, bytes) VALUES (?1, 0, ?2, ?3)")?
        .execute(params![number(id), salt.as_slice(), bytes])
        .map(drop)
}

pub(super) fn insert_blob(
    conn: &Connection,
    id: ContentId,
    salt: &[u8; 16],
    bytes: usize,
) -> SqlResult<()> {
    conn.prepare_cached(
        "INSERT INTO contents (id, erased, salt, blob_bytes) VALUES (?1, 0, ?2, ?3)",
    )?
    .execute(params![number(id), salt.as_slice(), number(bytes as u64)])
    .map(drop)
}

/// Overwrites a content and its salt in place with zeros of the same size. Says whether there was
/// anything to overwrite.
pub(super) fn erase(conn: &Connection, id: ContentId) -> SqlResult<bool> {
    conn.prepare_cached(
        "UPDATE contents SET erased = 1, salt = zeroblob(16), bytes = zeroblob(length(bytes))
         WHERE id = ?1 AND erased = 0",
    )?
    .execute([number(id)])
    .map(|changed| changed > 0)
}

/// Whether a row that is not erased refers to a blob of this id.
pub(super) fn has_blob(conn: &Connection, id: ContentId) -> SqlResult<bool> {
    conn.prepare_cached(
        "SELECT 1 FROM contents WHERE id = ?1 AND erased = 0 AND blob_bytes IS NOT NULL",
    )?
    .exists([number(id)])
}

pub(super) fn content(conn: &Connection, id: ContentId) -> SqlResult<Option<ContentRow>> {
    conn.prepare_cached(
        "SELECT id, salt, bytes, blob_bytes FROM contents WHERE id = ?1 AND erased = 0",
    )?
    .query_row([number(id)], content_row)
    .optional()
}

/// The next `limit` contents that are not erased, after `after` and up to `until`.
pub(super) fn contents_after(
    conn: &Connection,
    after: Option<ContentId>,
    until: ContentId,
    limit: u32,
) -> SqlResult<Vec<ContentRow>> {
    let after = after.map_or(-1, number);
    conn.prepare_cached(
        "SELECT id, salt, bytes, blob_bytes FROM contents
         WHERE id > ?1 AND id <= ?2 AND erased = 0 ORDER BY id LIMIT ?3",
    )?
    .query_map(params![after, number(until), limit], content_row)?
    .collect()
}

/// Ids of erased contents.
pub(super) fn erased_ids(conn: &Connection) -> SqlResult<Vec<ContentId>> {
    conn.prepare("SELECT id FROM contents INDEXED BY erasures WHERE erased = 1")?
        .query_map([], |row| row.get::<_, i64>(0).map(unsigned))?
        .collect()
}

/// The head as its row has it, the chain hash unverified.
pub(super) fn head(conn: &Connection) -> Result<Head, JournalError> {
    let row = conn
        .prepare_cached("SELECT last, substr(facts, -32) FROM frames ORDER BY first DESC LIMIT 1")
        .and_then(|mut statement| {
            statement
                .query_row([], |row| {
                    Ok((unsigned(row.get(0)?), row.get::<_, Vec<u8>>(1)?))
                })
                .optional()
        })
        .map_err(|error| JournalError::sqlite("read the head", 0, error))?;
    let Some((position, chain)) = row else {
        return Ok(Head::EMPTY);
    };
    let chain = frame::stored_chain(&chain)
        .ok_or_else(|| JournalError::corrupt(position, "the last frame is cut short"))?;
    Ok(Head { position, chain })
}

/// Last position of the log; 0 if it is empty.
pub(super) fn last_position(conn: &Connection) -> SqlResult<Position> {
    let last = conn
        .prepare_cached("SELECT last FROM frames ORDER BY first DESC LIMIT 1")?
        .query_row([], |row| row.get(0).map(unsigned))
        .optional()?;
    Ok(last.unwrap_or(0))
}

/// First and last position of the frame that begins at `position` or most closely before it.
pub(super) fn frame_start(
    conn: &Connection,
    position: Position,
) -> SqlResult<Option<(Position, Position)>> {
    conn.prepare_cached(
        "SELECT first, last FROM frames WHERE first <= ?1 ORDER BY first DESC LIMIT 1",
    )?
    .query_row([number(position)], |row| {
        Ok((unsigned(row.get(0)?), unsigned(row.get(1)?)))
    })
    .optional()
}

/// Chain hash in front of the frame at `first`, and the position it must follow.
pub(super) fn before(
    conn: &Connection,
    first: Position,
) -> SqlResult<Option<(Position, Option<Hash>)>> {
    conn.prepare_cached(
        "SELECT last, substr(facts, -32) FROM frames WHERE first < ?1 ORDER BY first DESC LIMIT 1",
    )?
    .query_row([number(first)], |row| {
        let chain: Vec<u8> = row.get(1)?;
        Ok((unsigned(row.get(0)?), frame::stored_chain(&chain)))
    })
    .optional()
}

/// Decodes frames from the one at `first` on, until `max_bytes` of facts would be exceeded; at
/// least one.
pub(super) fn frames_from(
    conn: &Connection,
    first: Position,
    max_bytes: usize,
) -> Result<Vec<StoredFrame>, JournalError> {
    let failed = |error| JournalError::sqlite("read the log", first, error);
    let mut statement = conn
        .prepare_cached("SELECT first, last, facts FROM frames WHERE first >= ?1 ORDER BY first")
        .map_err(failed)?;
    let mut rows = statement.query([number(first)]).map_err(failed)?;
    let mut frames = Vec::new();
    let mut bytes = 0_usize;
    while let Some(row) = rows.next().map_err(failed)? {
        let facts = row.get_ref(2).map_err(failed)?;
        let facts = facts
            .as_blob()
            .map_err(|_| JournalError::corrupt(first, "facts are not bytes"))?;
        bytes = bytes.saturating_add(facts.len());
        if bytes > max_bytes && !frames.is_empty() {
            break;
        }
        let stored = frame::decode(unsigned(row.get(0).map_err(failed)?), facts)?;
        if stored.last() != unsigned(row.get(1).map_err(failed)?) {
            return Err(JournalError::corrupt(
                stored.first,
                "the frame's last position is wrong",
            ));
        }
        frames.push(stored);
    }
    Ok(frames)
}

fn content_row(row: &Row<'_>) -> SqlResult<ContentRow> {
    let stored = match row.get::<_, Option<i64>>(3)? {
        Some(bytes) => Stored::Blob {
            bytes: unsigned(bytes),
        },
        None => Stored::Inline(row.get(2)?),
    };
    Ok(ContentRow {
        id: unsigned(row.get(0)?),
        salt: row.get(1)?,
        stored,
    })
}

/// Positions and content ids stay below 2^63, see [`frame::MAX_POSITION`].
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A negative number is in no valid row; it becomes one that no position or id can be.
pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

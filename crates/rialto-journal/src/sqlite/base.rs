//! What the log keeps of the frames that have left it: the checkpoint of each segment, and the
//! entities of the state at the end of the last one, with which the log now begins.
//!
//! The tables are made when frames first leave; a log that keeps all of its frames has none. One
//! transaction takes the frames of a segment out, keeps its checkpoint and moves the entities on,
//! so that a crash leaves either all of it or nothing. Never touches contents.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::rows::{number, unsigned};
use crate::digest::entity_hash;
use crate::entities::Upsert;
use crate::segment::{Checkpoint, StateSum};
use crate::{JournalError, Position, frame};

/// What the errors of a damaged record name: it has no file of its own.
const RECORD: &str = "recorded in log.db";

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS segments (
    first INTEGER PRIMARY KEY, last INTEGER NOT NULL, checkpoint BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS base_entities (key BLOB PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
";

pub(super) fn create(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(SCHEMA)
}

fn exists(conn: &Connection) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'segments'")?
        .exists([])
}

/// The checkpoint of the last segment: where the log begins. `None` if it has all of its frames.
pub(super) fn last(conn: &Connection) -> Result<Option<Checkpoint>, JournalError> {
    find(
        conn,
        "SELECT checkpoint FROM segments ORDER BY first DESC LIMIT 1",
        None,
    )
}

/// The checkpoint of the segment that holds a position, if one does.
pub(super) fn holding(
    conn: &Connection,
    position: Position,
) -> Result<Option<Checkpoint>, JournalError> {
    let sql = "SELECT checkpoint FROM segments WHERE first <= ?1 ORDER BY first DESC LIMIT 1";
    Ok(find(conn, sql, Some(position))?.filter(|found| found.last >= position))
}

fn find(
    conn: &Connection,
    sql: &str,
    position: Option<Position>,
) -> Result<Option<Checkpoint>, JournalError> {
    let read = || -> rusqlite::Result<Option<Vec<u8>>> {
        if !exists(conn)? {
            return Ok(None);
        }
        let mut statement = conn.prepare_cached(sql)?;
        let row = |row: &rusqlite::Row<'_>| row.get(0);
        match position {
            Some(position) => statement.query_row([number(position)], row),
            None => statement.query_row([], row),
        }
        .optional()
    };
    let bytes = read().map_err(failed)?;
    bytes.map_or(Ok(None), |bytes| decode(&bytes).map(Some))
}

fn decode(bytes: &[u8]) -> Result<Checkpoint, JournalError> {
    Checkpoint::decode(bytes).map_err(|bad| bad.of(RECORD))
}

/// The next `limit` checkpoints after a position, in the order of the log.
pub(super) fn after(
    conn: &Connection,
    position: Position,
    limit: u32,
) -> Result<Vec<Checkpoint>, JournalError> {
    let read = || -> rusqlite::Result<Vec<Vec<u8>>> {
        if !exists(conn)? {
            return Ok(Vec::new());
        }
        conn.prepare_cached(
            "SELECT checkpoint FROM segments WHERE first > ?1 ORDER BY first LIMIT ?2",
        )?
        .query_map(params![number(position), limit], |row| row.get(0))?
        .collect()
    };
    let found = read().map_err(failed)?;
    found.iter().map(|bytes| decode(bytes)).collect()
}

/// Visits every entity of the state with which the log begins, in the order of keys.
pub(super) fn entities(
    conn: &Connection,
    visit: &mut dyn FnMut(&[u8], &[u8]),
) -> Result<(), JournalError> {
    let mut read = || -> rusqlite::Result<()> {
        if !exists(conn)? {
            return Ok(());
        }
        let mut statement = conn.prepare_cached("SELECT key, value FROM base_entities")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            visit(row.get_ref(0)?.as_blob()?, row.get_ref(1)?.as_blob()?);
        }
        Ok(())
    };
    read().map_err(failed)
}

/// What the state becomes by changes to the one with which the log begins. The last change of a key
/// counts, and none may have two.
pub(super) fn sum_after(conn: &Connection, upserts: &[Upsert]) -> Result<StateSum, JournalError> {
    let mut sum = last(conn)?.map_or_else(StateSum::default, |base| base.state);
    let known = exists(conn).map_err(failed)?;
    for (key, value) in upserts {
        let old: Option<Vec<u8>> = match known {
            true => value_of(conn, key).map_err(failed)?,
            false => None,
        };
        if let Some(old) = old {
            sum.digest.sub(&entity_hash(key, &old));
            sum.entities = sum.entities.saturating_sub(1);
        }
        if let Some(value) = value {
            sum.digest.add(&entity_hash(key, value));
            sum.entities += 1;
        }
    }
    Ok(sum)
}

fn value_of(conn: &Connection, key: &[u8]) -> rusqlite::Result<Option<Vec<u8>>> {
    conn.prepare_cached("SELECT value FROM base_entities WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()
}

/// Takes the frames of a segment out of the log, inside the caller's transaction.
pub(super) fn remove(
    conn: &Connection,
    checkpoint: &Checkpoint,
    upserts: &[Upsert],
) -> Result<(), JournalError> {
    check_follows(conn, checkpoint)?;
    if sum_after(conn, upserts)? != checkpoint.state {
        return Err(JournalError::invalid(
            "the entities do not add up to the checkpoint's state",
        ));
    }
    create(conn).map_err(failed)?;
    for (key, value) in upserts {
        match value {
            Some(value) => conn
                .prepare_cached("INSERT OR REPLACE INTO base_entities (key, value) VALUES (?1, ?2)")
                .and_then(|mut it| it.execute(params![key, value])),
            None => conn
                .prepare_cached("DELETE FROM base_entities WHERE key = ?1")
                .and_then(|mut it| it.execute([key])),
        }
        .map_err(failed)?;
    }
    insert(conn, checkpoint).map_err(failed)?;
    let removed = conn
        .prepare_cached("DELETE FROM frames WHERE first >= ?1 AND last <= ?2")
        .and_then(|mut it| it.execute([number(checkpoint.first), number(checkpoint.last)]))
        .map_err(failed)?;
    if removed as u64 != checkpoint.frames {
        return Err(JournalError::invalid(format!(
            "{removed} frames in the log where the checkpoint says {}",
            checkpoint.frames
        )));
    }
    Ok(())
}

/// A segment must begin where the log begins, end with one of its frames, and leave one in it.
fn check_follows(conn: &Connection, checkpoint: &Checkpoint) -> Result<(), JournalError> {
    let base = last(conn)?.map_or(crate::Head::EMPTY, |base| base.head());
    let begins = (checkpoint.first, checkpoint.before) == (base.position + 1, base.chain);
    let end: Option<Vec<u8>> = conn
        .prepare_cached("SELECT substr(facts, -32) FROM frames WHERE last = ?1")
        .and_then(|mut it| {
            it.query_row([number(checkpoint.last)], |row| row.get(0))
                .optional()
        })
        .map_err(failed)?;
    let ends = end.and_then(|end| frame::stored_chain(&end)) == Some(checkpoint.chain);
    let stays = super::rows::last_position(conn).map_err(failed)? > checkpoint.last;
    if begins && ends && stays {
        return Ok(());
    }
    Err(JournalError::invalid(format!(
        "the segment {} is not the beginning of this log",
        checkpoint.file_name()
    )))
}

pub(super) fn insert(conn: &Connection, checkpoint: &Checkpoint) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT INTO segments (first, last, checkpoint) VALUES (?1, ?2, ?3)")?
        .execute(params![
            number(checkpoint.first),
            number(checkpoint.last),
            checkpoint.encode().as_slice()
        ])
        .map(drop)
}

pub(super) fn insert_entity(conn: &Connection, key: &[u8], value: &[u8]) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT INTO base_entities (key, value) VALUES (?1, ?2)")?
        .execute(params![key, value])
        .map(drop)
}

/// Position of the first frame in the log; `None` if it has none.
pub(super) fn first_frame(conn: &Connection) -> rusqlite::Result<Option<Position>> {
    conn.prepare_cached("SELECT first FROM frames ORDER BY first LIMIT 1")?
        .query_row([], |row| row.get(0).map(unsigned))
        .optional()
}

fn failed(error: rusqlite::Error) -> JournalError {
    JournalError::sqlite("read or write the record of the archive", 0, error)
}

//! The entity table in an SQLite file, written as a log of batches.
//!
//! Entities change all over the table, so keeping each in a row of its own would rewrite a page per
//! change. Instead every [`EntityStore::apply`] appends its changes as one row, and carries what is
//! still newest out of the oldest rows, which it then deletes, so that the file stays within about
//! twice the size of the entities. A removal is written too and goes when its row is the oldest:
//! no older value is left for it to hide.
//!
//! Write-ahead log with `synchronous = NORMAL`: a crash may take the last batches, never part of
//! one (<https://sqlite.org/pragma.html#pragma_synchronous>), and what it takes the log gives back.

use std::collections::HashSet;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::batch::{self, Entry};
use super::index::{Index, Place};
use super::{EntityState, EntityStore, Upsert};
use crate::digest::{Digest, entity_hash};
use crate::sqlite::{BUSY_TIMEOUT, Found, Identity, create, identify, open_private};
use crate::{Hash, JournalError, Position};

const ENTITIES: Identity = Identity {
    application: u32::from_be_bytes(*b"RLTE"),
    version: 1,
    oldest: 1,
};

const SCHEMA: &str = "
CREATE TABLE batches (id INTEGER PRIMARY KEY, entries BLOB NOT NULL) STRICT;
CREATE TABLE state (
    id INTEGER PRIMARY KEY CHECK (id = 1), position INTEGER NOT NULL, chain BLOB NOT NULL,
    digest BLOB NOT NULL, count INTEGER NOT NULL
) STRICT;
INSERT INTO state VALUES (1, 0, zeroblob(32), zeroblob(32), 0);
";

/// Most bytes of keys and values in one call of [`EntityStore::apply`].
pub const MAX_BATCH_BYTES: usize = 256 << 20;

/// Stale bytes that are left lying whatever the size of the table.
const SLACK_BYTES: u64 = 4 << 20;
/// Bytes of old batches looked through in one `apply`, for each byte it writes and at least.
const CLEAN_PER_BYTE: u64 = 4;
const CLEAN_MIN_BYTES: u64 = 1 << 20;

/// The entity table in one file, with one writer.
#[derive(Debug)]
pub struct SqliteEntities {
    conn: Connection,
    state: EntityState,
    /// Built by the first `load` or `apply`, and again after a failed one.
    contents: Option<Contents>,
}

/// What is known of the batches in the file.
#[derive(Debug)]
struct Contents {
    index: Index,
    /// Bytes of all batches.
    total_bytes: u64,
    /// Id of the batch to write next.
    next: u64,
}

impl SqliteEntities {
    /// Opens the table, creating the file if need be. The caller makes sure that nobody else has
    /// it open for writing (the log's lock does).
    ///
    /// # Errors
    /// `Foreign`, `NewerVersion`, `Corrupt`, `StorageFull`, `Io`. After `NewerVersion` or `Corrupt`
    /// the file can be deleted: the log rebuilds it.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let failed = |error| JournalError::opening(path, error);
        let conn = open_private(path)?;
        conn.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
        let found = identify(&conn, path, &ENTITIES)?;
        conn.execute_batch(
            "PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
             PRAGMA wal_autocheckpoint = 2048; PRAGMA journal_size_limit = 67108864;",
        )
        .map_err(failed)?;
        if found == Found::Empty {
            create(&conn, &ENTITIES, SCHEMA)?;
        }
        let state = read_state(&conn).map_err(failed)?;
        Ok(Self {
            conn,
            state,
            contents: None,
        })
    }

    /// Reads all batches, newest first, and visits what is newest of each entity.
    fn scan(&self, visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<Contents, JournalError> {
        let failed =
            |error| JournalError::sqlite("load the entity table", self.state.position, error);
        let (next, total_bytes) = batch_totals(&self.conn).map_err(failed)?;
        let mut index = Index::with_capacity(self.state.count, total_bytes);
        let mut removed = HashSet::new();
        let mut statement = self
            .conn
            .prepare_cached("SELECT id, entries FROM batches ORDER BY id DESC")
            .map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let batch = row.get::<_, i64>(0).map_err(failed)?.cast_unsigned();
            let bytes = row
                .get_ref(1)
                .map_err(failed)?
                .as_blob()
                .map_err(|_| self.damaged())?;
            for (offset, entry) in batch::entries(bytes)
                .ok_or_else(|| self.damaged())?
                .into_iter()
                .rev()
            {
                if index.contains(entry.key) || removed.contains(entry.key) {
                    continue;
                }
                match entry.value {
                    Some(value) => {
                        index.put(
                            entry,
                            entity_hash(entry.key, value),
                            Place { batch, offset },
                        );
                        visit(entry.key, value);
                    }
                    None => drop(removed.insert(entry.key.to_vec())),
                }
            }
        }
        super::check_sum(&self.state, index.digest, index.count())?;
        Ok(Contents {
            index,
            total_bytes,
            next,
        })
    }

    fn damaged(&self) -> JournalError {
        JournalError::corrupt(self.state.position, "the entity table is damaged")
    }

    fn write(
        &mut self,
        contents: &mut Contents,
        mut state: EntityState,
        upserts: &[Upsert],
    ) -> Result<EntityState, JournalError> {
        let failed = |error| JournalError::sqlite("write the entity table", state.position, error);
        let tx = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let mut bytes = contents.encode(upserts);
        contents.clean(&tx, &mut bytes)?;
        if !bytes.is_empty() {
            insert_batch(&tx, contents.next, &bytes).map_err(failed)?;
            contents.total_bytes += bytes.len() as u64;
            contents.next += 1;
        }
        (state.digest, state.count) = (contents.index.digest, contents.index.count());
        write_state(&tx, &state).map_err(failed)?;
        tx.commit().map_err(failed)?;
        Ok(state)
    }
}

impl Contents {
    /// The changes that change anything, as the next batch.
    fn encode(&mut self, upserts: &[Upsert]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (key, value) in upserts {
            let entry = Entry {
                key,
                value: value.as_deref(),
            };
            let hash = entry.value.map(|value| entity_hash(key, value));
            if self.index.holds(key, hash.as_ref()) {
                continue;
            }
            let offset = entry.encode(&mut bytes);
            match hash {
                Some(hash) => self.index.put(
                    entry,
                    hash,
                    Place {
                        batch: self.next,
                        offset,
                    },
                ),
                None => self.index.remove(key),
            }
        }
        bytes
    }

    /// While too much of the file is stale, empties the oldest batches into the next one.
    fn clean(&mut self, conn: &Connection, bytes: &mut Vec<u8>) -> Result<(), JournalError> {
        let mut budget = CLEAN_MIN_BYTES.max(CLEAN_PER_BYTE * bytes.len() as u64);
        let failed = |error| JournalError::sqlite("tidy the entity table", 0, error);
        while budget > 0
            && self.total_bytes + bytes.len() as u64 > 2 * self.index.live_bytes + SLACK_BYTES
        {
            let Some((id, old)) = oldest_batch(conn).map_err(failed)? else {
                break;
            };
            let entries = batch::entries(&old)
                .ok_or_else(|| JournalError::corrupt(0, "the entity table is damaged"))?;
            for (offset, entry) in entries {
                if self.index.is_newest(entry.key, Place { batch: id, offset }) {
                    let offset = entry.encode(bytes);
                    self.index.moved(
                        entry.key,
                        Place {
                            batch: self.next,
                            offset,
                        },
                    );
                }
            }
            delete_batch(conn, id).map_err(failed)?;
            self.total_bytes = self.total_bytes.saturating_sub(old.len() as u64);
            budget = budget.saturating_sub(old.len() as u64);
        }
        Ok(())
    }
}

impl EntityStore for SqliteEntities {
    fn state(&self) -> EntityState {
        self.state
    }

    fn apply(
        &mut self,
        position: Position,
        chain: Hash,
        upserts: &[Upsert],
    ) -> Result<EntityState, JournalError> {
        super::check_forward(&self.state, position)?;
        let bytes = |(key, value): &Upsert| key.len() + value.as_ref().map_or(0, Vec::len);
        let bytes: usize = upserts.iter().map(bytes).sum();
        if bytes > MAX_BATCH_BYTES {
            return Err(JournalError::invalid(format!(
                "{bytes} bytes of entities, {MAX_BATCH_BYTES} allowed"
            )));
        }
        let mut contents = match self.contents.take() {
            Some(contents) => contents,
            None => self.scan(&mut |_, _| {})?,
        };
        let state = EntityState {
            position,
            chain,
            ..self.state
        };
        self.state = self.write(&mut contents, state, upserts)?;
        self.contents = Some(contents);
        Ok(self.state)
    }

    fn load(&mut self, visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<EntityState, JournalError> {
        self.contents = None;
        self.contents = Some(self.scan(visit)?);
        Ok(self.state)
    }

    fn reset(&mut self) -> Result<(), JournalError> {
        let state = EntityState::default();
        let clear = |conn: &mut Connection| {
            let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            tx.execute("DELETE FROM batches", [])?;
            write_state(&tx, &state)?;
            tx.commit()
        };
        self.contents = None;
        clear(&mut self.conn)
            .map_err(|error| JournalError::sqlite("clear the entity table", 0, error))?;
        self.state = state;
        Ok(())
    }
}

/// Id after the newest batch, and bytes of all batches.
fn batch_totals(conn: &Connection) -> rusqlite::Result<(u64, u64)> {
    let sql = "SELECT coalesce(max(id), -1) + 1, coalesce(sum(length(entries)), 0) FROM batches";
    conn.query_row(sql, [], |row| {
        Ok((
            row.get::<_, i64>(0)?.cast_unsigned(),
            row.get::<_, i64>(1)?.cast_unsigned(),
        ))
    })
}

fn insert_batch(conn: &Connection, id: u64, entries: &[u8]) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT INTO batches (id, entries) VALUES (?1, ?2)")?
        .execute(params![id.cast_signed(), entries])
        .map(drop)
}

fn oldest_batch(conn: &Connection) -> rusqlite::Result<Option<(u64, Vec<u8>)>> {
    conn.prepare_cached("SELECT id, entries FROM batches ORDER BY id LIMIT 1")?
        .query_row([], |row| {
            Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?))
        })
        .optional()
}

fn delete_batch(conn: &Connection, id: u64) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM batches WHERE id = ?1")?
        .execute([id.cast_signed()])
        .map(drop)
}

fn read_state(conn: &Connection) -> rusqlite::Result<EntityState> {
    conn.query_row(
        "SELECT position, chain, digest, count FROM state",
        [],
        |row| {
            Ok(EntityState {
                position: row.get::<_, i64>(0)?.cast_unsigned(),
                chain: row.get(1)?,
                digest: Digest::from_bytes(row.get(2)?),
                count: row.get::<_, i64>(3)?.cast_unsigned(),
            })
        },
    )
}

fn write_state(conn: &Connection, state: &EntityState) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE state SET position = ?1, chain = ?2, digest = ?3, count = ?4")?
        .execute(params![
            state.position.cast_signed(),
            state.chain.as_slice(),
            state.digest.to_bytes().as_slice(),
            state.count.cast_signed(),
        ])
        .map(drop)
}

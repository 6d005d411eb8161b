//! How values are kept in SQLite: numbers, amounts, ids of any kind.

use rialto_core::id::AnyId;
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Value, ValueRef};

/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 256;

/// Has a connection prepare each statement once.
///
/// Without the stability guarantee SQLite prepares `kind = ?` and `LIMIT ?` anew whenever another
/// small number is bound, since it might choose another plan: a quarter of the indexer's time.
pub(crate) fn prepare_once(db: &Connection) -> rusqlite::Result<()> {
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// The number of an id, position or time as SQLite keeps it: all are below 2^63.
pub(crate) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The number that was kept by [`int`].
pub(crate) fn uint(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// An amount in smallest units: an integer where it fits, sixteen bytes otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Units(pub(crate) i128);

impl ToSql for Units {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(match i64::try_from(self.0) {
            Ok(small) => Value::Integer(small),
            Err(_) => Value::Blob(self.0.to_be_bytes().to_vec()),
        }))
    }
}

impl FromSql for Units {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Integer(small) => Ok(Self(i128::from(small))),
            ValueRef::Blob(bytes) => <[u8; 16]>::try_from(bytes)
                .map(|bytes| Self(i128::from_be_bytes(bytes)))
                .map_err(|_| FromSqlError::InvalidType),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

/// An id as kind and number.
pub(crate) fn split(id: AnyId) -> (i64, i64) {
    (i64::from(id.kind()), int(id.number()))
}

/// The number of a kind of id, by its prefix.
pub(crate) fn kind_of(prefix: &str) -> i64 {
    AnyId::kind_with(prefix).map_or(-1, i64::from)
}

/// The id with this kind and number.
pub(crate) fn join(kind: i64, number: i64) -> Option<AnyId> {
    AnyId::of_kind(u8::try_from(kind).ok()?, uint(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_every_kind_come_back() {
        let mut kinds = 0;
        for kind in 0..256 {
            let Some(id) = join(kind, 77) else { continue };
            assert_eq!((split(id), kind_of(id.prefix())), ((kind, 77), kind));
            kinds += 1;
        }
        // The first kinds are numbered without gaps.
        assert_eq!(join(kinds, 1), None);
        assert_eq!(kind_of("no"), -1);
    }

    #[test]
    fn amounts_come_back() {
        let db = rusqlite::Connection::open_in_memory().unwrap();
        for units in [0, -1, i128::from(i64::MAX) + 1, 1 << 100, -(1 << 100)] {
            let back: Units = db
                .query_row("SELECT ?", [Units(units)], |r| r.get(0))
                .unwrap();
            assert_eq!(back.0, units);
        }
    }
}

//! Folds what events say of plain nouns into the one table of their rows.

use rialto_core::noun::{Cell, Kind, Row};
use rusqlite::OptionalExtension;
use serde_json::{Map, Value, json};

use super::Folding;
use crate::Result;
use crate::db::{int, split};

impl Folding<'_> {
    /// Takes in one row: sets the cells that it names.
    pub(super) fn row(&mut self, row: &Row) -> Result<()> {
        let (kind, id) = split(row.id);
        let mut cells = self.cells_of(kind, id)?.unwrap_or_default();
        let mut state = None;
        for (column, cell) in &row.cells {
            if let (Kind::State(_), Cell::Word(word)) = (column.kind, cell) {
                state = Some(word.as_str());
            }
            cells.insert(column.name.to_owned(), stored(cell));
        }
        self.run(
            "INSERT INTO noun VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE
             SET state = coalesce(excluded.state, state), cells = excluded.cells",
            (
                kind,
                id,
                self.now(),
                state,
                Value::Object(cells).to_string(),
            ),
        )
    }

    fn cells_of(&self, kind: i64, id: i64) -> Result<Option<Map<String, Value>>> {
        let sql = "SELECT cells FROM noun WHERE kind = ? AND id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let text: Option<String> = query.query_row((kind, id), |r| r.get(0)).optional()?;
        Ok(text.map(|text| serde_json::from_str(&text).unwrap_or_default()))
    }
}

/// A cell as the table keeps it: ids of anything as text, everything else that is looked up by number.
pub(crate) fn stored(cell: &Cell) -> Value {
    match cell {
        Cell::Empty => Value::Null,
        Cell::Id(id) => id.to_string().into(),
        Cell::Agent(id) => id.0.into(),
        Cell::Owner(id) => id.0.into(),
        Cell::Text(text) => text.id.0.into(),
        Cell::Word(word) => word.as_str().into(),
        Cell::Number(number) => (*number).into(),
        Cell::Time(time) => int(time.0).into(),
        Cell::Amount(amount, asset) => json!([amount.0.to_string(), asset.0]),
    }
}

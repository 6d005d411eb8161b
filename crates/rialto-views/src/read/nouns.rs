//! Lists and details of plain nouns, from their columns.

use rialto_core::amount::Amount;
use rialto_core::id::{AgentId, AnyId, OwnerId};
use rialto_core::noun::{Column, Kind, Noun};
use rialto_core::time::Time;
use rusqlite::OptionalExtension;
use serde::Serialize;
use serde::ser::SerializeMap;
#[cfg(feature = "schema")]
use serde_json::json;
use serde_json::{Map, Value};

use super::market::OwnerName;
use super::{Page, Paging, Scope, Snap, ViewReader, Who, Written, cursor, limit, time};
use crate::Result;
use crate::db::{int, join, kind_of, uint};

/// One thing of a plain noun. In JSON an object of its id, when it was made, and its columns.
#[derive(Clone, Debug, PartialEq)]
pub struct NounRow {
    /// Its id.
    pub id: AnyId,
    /// When it was made.
    pub at: Time,
    /// Its cells, in the order of the noun's columns.
    pub cells: Vec<(&'static Column, Option<NounCell>)>,
}

/// What a cell holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum NounCell {
    /// The id of anything.
    Id(AnyId),
    /// An agent.
    Agent(Who),
    /// An owner.
    Owner(OwnerName),
    /// What somebody wrote.
    Text(Written),
    /// A word, line or state of the realm's own.
    Word(String),
    /// A whole number.
    Number(u64),
    /// A moment.
    Time(Time),
    /// An amount of an asset.
    Amount {
        /// How much, as a decimal number.
        amount: String,
        /// The asset's code.
        asset: String,
    },
}

impl NounRow {
    /// The state that it is in, if its noun has states.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        self.cells
            .iter()
            .find_map(|(column, cell)| match (column.kind, cell) {
                (Kind::State(_), Some(NounCell::Word(word))) => Some(word.as_str()),
                _ => None,
            })
    }
}

impl Serialize for NounRow {
    fn serialize<S: serde::Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
        let mut row = s.serialize_map(Some(2 + self.cells.len()))?;
        row.serialize_entry("id", &self.id)?;
        row.serialize_entry("at", &self.at)?;
        for (column, cell) in &self.cells {
            row.serialize_entry(column.name, cell)?;
        }
        row.end()
    }
}

impl ViewReader {
    /// The things of a plain noun that a scope may see, newest first; only those in a state, if one is
    /// named.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn nouns(
        &self,
        scope: Scope,
        noun: &'static Noun,
        state: Option<&str>,
        paging: &Paging,
    ) -> Result<Page<NounRow>> {
        let (limit, before) = (limit(paging)?, cursor(paging)?.unwrap_or(i64::MAX));
        let wide = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        let sql = match (scope.viewer(), state) {
            (Some(_), _) => {
                "SELECT n.id FROM seen s CROSS JOIN noun n ON n.kind = s.kind AND n.id = s.id
                 WHERE s.viewer = ?1 AND s.kind = ?2 AND s.id < ?3 AND (?4 IS NULL OR n.state = ?4)
                 ORDER BY s.id DESC LIMIT ?5"
            }
            (None, Some(_)) => {
                "SELECT id FROM noun WHERE ?1 IS NULL AND kind = ?2 AND id < ?3 AND state = ?4
                 ORDER BY id DESC LIMIT ?5"
            }
            (None, None) => {
                "SELECT id FROM noun WHERE ?1 IS NULL AND kind = ?2 AND id < ?3 AND ?4 IS NULL
                 ORDER BY id DESC LIMIT ?5"
            }
        };
        let key = (scope.viewer(), kind_of(noun.name), before, state, wide);
        self.read(|snap| {
            let mut query = snap.db.prepare_cached(sql)?;
            let ids = query.query_map(key, |r| r.get(0))?;
            let ids = ids.collect::<rusqlite::Result<Vec<i64>>>()?;
            let mut found = Vec::with_capacity(ids.len());
            for id in ids {
                if let Some(row) = snap.noun_row(scope, noun, id)? {
                    found.push((id, row));
                }
                if snap.is_full() {
                    break;
                }
            }
            Ok(snap.page(found, limit))
        })
    }

    /// A thing of a plain noun, if there is one and the scope may see it.
    ///
    /// # Errors
    /// As every read.
    pub fn noun(&self, scope: Scope, noun: &'static Noun, id: AnyId) -> Result<Option<NounRow>> {
        self.read(|snap| {
            if id.prefix() != noun.name || !snap.sees(scope, id)? {
                return Ok(None);
            }
            snap.noun_row(scope, noun, int(id.number()))
        })
    }
}

impl Snap<'_> {
    fn noun_row(&self, scope: Scope, noun: &'static Noun, id: i64) -> Result<Option<NounRow>> {
        let kind = kind_of(noun.name);
        let sql = "SELECT at, cells FROM noun WHERE kind = ? AND id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let row = query.query_row((kind, id), |r| {
            Ok((r.get::<_, i64>(0)?, r.get::<_, String>(1)?))
        });
        let (Some((at, cells)), Some(id)) = (row.optional()?, join(kind, id)) else {
            return Ok(None);
        };
        let kept: Map<String, Value> = serde_json::from_str(&cells).unwrap_or_default();
        let hidden = self.hidden_cells(scope, noun, &kept)?;
        let cell = |column: &'static Column| {
            if hidden.contains(&column) {
                return Ok((column, None));
            }
            let kept = kept.get(column.name).unwrap_or(&Value::Null);
            Ok((column, self.cell(column.kind, kept)?))
        };
        Ok(Some(NounRow {
            id,
            at: time(at),
            cells: noun
                .columns
                .iter()
                .copied()
                .map(cell)
                .collect::<Result<_>>()?,
        }))
    }

    /// The columns whose cells in a row are another agent's affair.
    fn hidden_cells(
        &self,
        scope: Scope,
        noun: &'static Noun,
        kept: &Map<String, Value>,
    ) -> Result<&'static [&'static Column]> {
        let Some(own) = &noun.own else {
            return Ok(&[]);
        };
        let agent = kept.get(own.agent.name).and_then(Value::as_u64);
        let is_theirs = match agent {
            Some(agent) => self.is_party(scope, AgentId(agent).into())?,
            None => scope == Scope::Realm,
        };
        Ok(if is_theirs { &[] } else { own.columns })
    }

    /// A kept cell as it is answered.
    fn cell(&self, kind: Kind, kept: &Value) -> Result<Option<NounCell>> {
        let (number, text) = (kept.as_i64(), kept.as_str());
        Ok(match kind {
            Kind::Id => text.and_then(|id| id.parse().ok()).map(NounCell::Id),
            Kind::Word | Kind::State(_) => text.map(|word| NounCell::Word(word.to_owned())),
            Kind::Number => number.map(|n| NounCell::Number(uint(n))),
            Kind::Time => number.map(|at| NounCell::Time(time(at))),
            Kind::Agent => number
                .map(|id| self.who(id).map(NounCell::Agent))
                .transpose()?,
            Kind::Owner => number
                .map(|id| self.owner_named(id).map(NounCell::Owner))
                .transpose()?,
            Kind::Text => self.written(number)?.map(NounCell::Text),
            Kind::Amount => {
                let units = kept.get(0).and_then(Value::as_str);
                let asset = kept.get(1).and_then(Value::as_i64);
                units
                    .zip(asset)
                    .map(|(units, asset)| self.amount_of(units, asset))
                    .transpose()?
            }
        })
    }

    fn amount_of(&self, units: &str, asset: i64) -> Result<NounCell> {
        let (asset, scale) = self.asset(asset)?;
        let units = Amount(units.parse().unwrap_or(0));
        let amount = units.display(scale);
        Ok(NounCell::Amount { amount, asset })
    }

    pub(super) fn owner_named(&self, id: i64) -> Result<OwnerName> {
        let sql = "SELECT name FROM owner WHERE id = ?";
        let name = self.db.prepare_cached(sql)?.query_row([id], |r| r.get(0));
        Ok(OwnerName {
            id: OwnerId(uint(id)),
            name: name.optional()?.unwrap_or_default(),
        })
    }
}

/// The schema of one thing of a noun, as it is answered.
#[cfg(feature = "schema")]
pub fn noun_schema(noun: &'static Noun, types: &mut schemars::SchemaGenerator) -> Value {
    let mut properties = Map::new();
    let id = json!({ "type": "string", "pattern": format!("^{}_[0-9a-hjkmnp-tv-z]{{12}}$", noun.name), "description": "Its id." });
    properties.insert("id".to_owned(), id);
    let at = types.subschema_for::<Time>().to_value();
    properties.insert("at".to_owned(), at);
    let mut required = vec!["id", "at"];
    for column in noun.columns {
        let schema = match column.kind {
            Kind::Id => types.subschema_for::<AnyId>().to_value(),
            Kind::Agent => types.subschema_for::<Who>().to_value(),
            Kind::Owner => types.subschema_for::<OwnerName>().to_value(),
            Kind::Text => types.subschema_for::<Written>().to_value(),
            Kind::Word => json!({ "type": "string" }),
            Kind::State(states) => json!({ "type": "string", "enum": states }),
            Kind::Number => json!({ "type": "integer", "minimum": 0 }),
            Kind::Time => types.subschema_for::<Time>().to_value(),
            Kind::Amount => json!({
                "type": "object",
                "properties": { "amount": { "type": "string" }, "asset": { "type": "string" } },
                "required": ["amount", "asset"]
            }),
        };
        required.push(column.name);
        let described = format!("{}.", column.label);
        let may_be_null =
            json!({ "anyOf": [schema, { "type": "null" }], "description": described });
        properties.insert(column.name.to_owned(), may_be_null);
    }
    json!({
        "type": "object",
        "description": noun.about,
        "properties": properties,
        "required": required,
        "additionalProperties": false
    })
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell as Counter, OnceCell, RefCell};

    use rialto_core::hash::Hash;
    use rialto_core::id::{AssetId, ContentId, DealId, ObligationId};
    use rialto_core::noun::Cell;
    use rialto_core::text::{ContentRef, Labels};
    use serde_json::json;

    use super::*;
    use crate::fold::stored;
    use crate::read::Scores;

    /// Every kind of column, on ids of a kind that exists.
    static ALL: Noun = Noun {
        name: "obligation",
        plural: "things",
        about: "A thing with a column of every kind.",
        list_path: "",
        one_path: "",
        columns: &[
            &column("id_of", Kind::Id),
            &column("agent", Kind::Agent),
            &column("owner", Kind::Owner),
            &column("text", Kind::Text),
            &column("word", Kind::Word),
            &column("state", Kind::State(&["kept"])),
            &column("number", Kind::Number),
            &column("time", Kind::Time),
            &column("amount", Kind::Amount),
            &column("empty", Kind::Amount),
        ],
        acts: &[],
        own: None,
    };

    const fn column(name: &'static str, kind: Kind) -> Column {
        Column {
            name,
            label: name,
            kind,
        }
    }

    #[test]
    fn a_cell_of_every_kind_is_answered_as_it_was_said() {
        let db = rusqlite::Connection::open_in_memory().unwrap();
        for domain in crate::domain::DOMAINS {
            db.execute_batch(domain.schema).unwrap();
        }
        db.execute_batch(
            "INSERT INTO owner(id, name, kind, status, at) VALUES(5, 'acme', 'person', 'active', 0);
             INSERT INTO agent(id, owner, handle, key, custody, status, profile, at)
             VALUES(6, 5, 'ana', x'', 'own', 'active', '{}', 0);
             INSERT INTO asset(id, code, scale, issuance, outside) VALUES(7, 'USD', 2, 0, 0);
             INSERT INTO content VALUES(8, 1, 0, 0, 0, CAST('[{\"text\":\"hi\"}]' AS BLOB));",
        )
        .unwrap();
        let text = ContentRef {
            id: ContentId(8),
            hash: Hash::of(&[]),
            len: 2,
            labels: Labels::BY_AGENT,
        };
        let cells = [
            Cell::Id(DealId(4).into()),
            Cell::Agent(AgentId(6)),
            Cell::Owner(OwnerId(5)),
            Cell::Text(text),
            Cell::Word("done by hand".to_owned()),
            Cell::Word("kept".to_owned()),
            Cell::Number(3),
            Cell::Time(Time(1_000)),
            Cell::Amount(Amount(-250), AssetId(7)),
            Cell::Empty,
        ];
        let kept: Map<String, Value> = ALL
            .columns
            .iter()
            .zip(&cells)
            .map(|(column, cell)| (column.name.to_owned(), stored(cell)))
            .collect();
        let id = AnyId::from(ObligationId(9));
        let (kind, number) = crate::db::split(id);
        let row = (kind, number, 2_000, "kept", Value::Object(kept).to_string());
        db.execute("INSERT INTO noun VALUES(?, ?, ?, ?, ?)", row)
            .unwrap();
        let snap = Snap {
            db: &db,
            position: 1,
            scores: &Scores::default(),
            hand: None,
            origins: RefCell::default(),
            reveal: false,
            reader: None,
            blocks: OnceCell::new(),
            shown: Counter::new(0),
        };
        let row = snap.noun_row(Scope::Realm, &ALL, number).unwrap().unwrap();
        assert_eq!((row.id, row.state()), (id, Some("kept")));
        let told = serde_json::to_value(&row).unwrap();
        for (name, want) in [
            ("at", json!("1970-01-01T00:00:02.000Z")),
            ("id_of", json!(DealId(4))),
            ("agent", json!({ "id": AgentId(6), "handle": "@ana" })),
            ("owner", json!({ "id": OwnerId(5), "name": "acme" })),
            ("word", json!("done by hand")),
            ("state", json!("kept")),
            ("number", json!(3)),
            ("time", json!("1970-01-01T00:00:01.000Z")),
            ("amount", json!({ "amount": "-2.50", "asset": "USD" })),
            ("empty", Value::Null),
        ] {
            assert_eq!(told[name], want, "{name}");
        }
        assert_eq!(told["text"]["body"], json!([{ "text": "hi" }]));
    }
}

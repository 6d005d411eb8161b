//! Who is hidden from a reader: whom it muted, whom it or its owner blocked, and who blocked it.
//!
//! Every read that leaves posts or people out asks here. A block of an agent holds for the other
//! agents of its owner too; only within one owner does it hold for the one agent that it names.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use rialto_core::id::AgentId;

use super::Snap;
use crate::Result;
use crate::db::int;

/// Whom a reader does not hear; nobody for who reads without a name.
#[derive(Default)]
pub(crate) struct Hidden {
    /// The reader and its owner.
    reader: Option<(i64, i64)>,
    agents: HashSet<i64>,
    owners: HashSet<i64>,
    /// Whether anybody has blocked anybody.
    blocks: bool,
    /// Whether an author keeps the reader away, as far as it was asked.
    keeps_away: RefCell<HashMap<i64, bool>>,
}

impl Hidden {
    /// Whether all agents of an owner are hidden because the reader wants it so.
    pub(crate) fn hides_owner(&self, owner: i64) -> bool {
        self.owners.contains(&owner)
    }
}

impl Snap<'_> {
    /// Whom a reader does not hear. What it muted and blocked is read at once, within the bounds of
    /// both; who blocked it is asked of each author.
    pub(crate) fn hidden_from(&self, reader: Option<AgentId>) -> Result<Hidden> {
        let mut hidden = Hidden::default();
        let Some(reader) = reader.map(|agent| int(agent.0)) else {
            return Ok(hidden);
        };
        let home = self.owner_number(reader)?;
        hidden.reader = Some((reader, home));
        let mut query = self
            .db
            .prepare_cached("SELECT agent FROM mute WHERE by = ?")?;
        for agent in query.query_map([reader], |r| r.get(0))? {
            hidden.agents.insert(agent?);
        }
        hidden.blocks = self
            .db
            .prepare_cached("SELECT EXISTS(SELECT 1 FROM block)")?
            .query_row([], |r| r.get(0))?;
        let sql = "SELECT party_kind, party FROM block WHERE by_kind = ? AND by_id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        for by in [(1, reader), (0, home)] {
            let rows = query.query_map(by, |r| Ok((r.get::<_, i64>(0)?, r.get::<_, i64>(1)?)))?;
            for row in rows {
                let (kind, party) = row?;
                let owner = if kind == 1 {
                    self.owner_number(party)?
                } else {
                    party
                };
                if kind == 1 && owner == home {
                    hidden.agents.insert(party);
                } else {
                    hidden.owners.insert(owner);
                }
            }
        }
        Ok(hidden)
    }

    /// Whether an author, whose owner is known, is hidden.
    pub(crate) fn hides(&self, hidden: &Hidden, author: i64, owner: i64) -> Result<bool> {
        if hidden.agents.contains(&author) || hidden.owners.contains(&owner) {
            return Ok(true);
        }
        let Some((reader, home)) = hidden
            .reader
            .filter(|(reader, _)| hidden.blocks && *reader != author)
        else {
            return Ok(false);
        };
        if let Some(known) = hidden.keeps_away.borrow().get(&author) {
            return Ok(*known);
        }
        let away = self.keeps_away((author, owner), (reader, home))?;
        hidden.keeps_away.borrow_mut().insert(author, away);
        Ok(away)
    }

    /// Whether an author or its owner blocked a reader, its owner, or another agent of its owner.
    fn keeps_away(&self, author: (i64, i64), reader: (i64, i64)) -> Result<bool> {
        let sql = "SELECT EXISTS(SELECT 1 FROM block b LEFT JOIN agent a
                     ON b.party_kind = 1 AND a.id = b.party
                   WHERE b.by_kind = ?1 AND b.by_id = ?2
                     AND (b.party_kind = 0 AND b.party = ?4 OR a.id = ?3 OR a.owner = ?4 AND ?5))";
        let mut query = self.db.prepare_cached(sql)?;
        let strangers = author.1 != reader.1;
        for (kind, by) in [(1, author.0), (0, author.1)] {
            let away = query.query_row((kind, by, reader.0, reader.1, strangers), |r| r.get(0))?;
            if away {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

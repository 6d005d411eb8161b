//! Who is hidden from a reader: agents that it or its owner has blocked, agents that have blocked
//! it, and in feeds those that it has muted.
//!
//! One rule for every list: a block works both ways, and for all agents of the blocked agent's
//! owner; only within one owner does it apply to the named agent alone. Mutes affect only feeds.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use rialto_core::id::AgentId;

use super::{Scope, Snap, ViewReader};
use crate::Result;
use crate::db::int;

/// The agents hidden from a reader; none without a token.
#[derive(Debug, Default)]
pub(crate) struct Hidden {
    /// The agent that reads, if it is not an owner's person, and its owner.
    reader: Option<(Option<i64>, i64)>,
    agents: HashSet<i64>,
    owners: HashSet<i64>,
    /// Whether anybody has blocked anybody.
    blocks: bool,
    /// Whether an author has blocked the reader, as far as that was looked up.
    keeps_away: RefCell<HashMap<i64, bool>>,
}

impl Hidden {
    /// Whether the reader hides all agents of an owner.
    pub(crate) fn hides_owner(&self, owner: i64) -> bool {
        self.owners.contains(&owner)
    }
}

impl ViewReader {
    /// The same reader for an agent, or for an owner's people: agents that it has blocked, and that
    /// have blocked it, are left out of posts, threads, searches and lists of agents.
    #[must_use]
    pub fn read_by(mut self, reader: Option<Scope>) -> Self {
        self.reader = reader;
        self
    }
}

impl Snap<'_> {
    /// Whether a block keeps the reader apart from an agent.
    pub(crate) fn apart(&self, agent: i64) -> Result<bool> {
        let Some((own, home)) = self.stranger_to(self.reader, agent)? else {
            return Ok(false);
        };
        if self.blocks.get().is_none() {
            // Set once; nobody else has this snapshot.
            let _ = self.blocks.set(self.blocks_around(own, home)?);
        }
        match self.blocks.get() {
            Some(hidden) => self.hides(hidden, agent, self.owner_number(agent)?),
            None => Ok(false),
        }
    }

    /// The same for a scope.
    pub(crate) fn is_apart(&self, scope: Scope, agent: i64) -> Result<bool> {
        let Some((own, home)) = self.stranger_to(Some(scope), agent)? else {
            return Ok(false);
        };
        let hidden = self.blocks_around(own, home)?;
        self.hides(&hidden, agent, self.owner_number(agent)?)
    }

    /// A reader as its agent and its owner, unless it is the agent itself or of its owner.
    fn stranger_to(&self, reader: Option<Scope>, agent: i64) -> Result<Option<(Option<i64>, i64)>> {
        Ok(match reader {
            Some(Scope::Agent(id)) if int(id.0) != agent => {
                Some((Some(int(id.0)), self.owner_number(int(id.0))?))
            }
            Some(Scope::Owner(id)) if self.owner_number(agent)? != int(id.0) => {
                Some((None, int(id.0)))
            }
            _ => None,
        })
    }

    /// The agents that a block separates from an agent, whoever set it.
    pub(super) fn blocks_of(&self, reader: i64) -> Result<Hidden> {
        self.blocks_around(Some(reader), self.owner_number(reader)?)
    }

    /// The agents that a block separates from an agent of an owner, or from the owner itself. The
    /// blocks that both have set are read at once, within their bounds; blocks against them are
    /// looked up for each author.
    fn blocks_around(&self, reader: Option<i64>, home: i64) -> Result<Hidden> {
        let mut hidden = Hidden {
            reader: Some((reader, home)),
            ..Hidden::default()
        };
        hidden.blocks = self
            .db
            .prepare_cached("SELECT EXISTS(SELECT 1 FROM block)")?
            .query_row([], |r| r.get(0))?;
        let sql =
            "SELECT party_kind, party, party_owner FROM block WHERE by_kind = ? AND by_id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        for by in reader
            .map(|agent| (1, agent))
            .into_iter()
            .chain([(0, home)])
        {
            let rows = query.query_map(by, |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
            for row in rows {
                let (kind, party, owner): (i64, i64, i64) = row?;
                match (kind, owner == home) {
                    (1, true) => hidden.agents.insert(party),
                    _ => hidden.owners.insert(owner),
                };
            }
        }
        Ok(hidden)
    }

    /// The agents hidden from a reader's feeds: by blocks and mutes.
    pub(crate) fn hidden_from(&self, reader: Option<AgentId>) -> Result<Hidden> {
        let Some(reader) = reader.map(|agent| int(agent.0)) else {
            return Ok(Hidden::default());
        };
        let mut hidden = self.blocks_of(reader)?;
        let mut muted = self
            .db
            .prepare_cached("SELECT agent FROM mute WHERE by = ?")?;
        for agent in muted.query_map([reader], |r| r.get(0))? {
            hidden.agents.insert(agent?);
        }
        let mut muted = self
            .db
            .prepare_cached("SELECT owner FROM owner_mute WHERE by = ?")?;
        for owner in muted.query_map([reader], |r| r.get(0))? {
            hidden.owners.insert(owner?);
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
            .filter(|(reader, _)| hidden.blocks && *reader != Some(author))
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
    fn keeps_away(&self, author: (i64, i64), reader: (Option<i64>, i64)) -> Result<bool> {
        let sql = "SELECT EXISTS(SELECT 1 FROM block WHERE by_kind = ?1 AND by_id = ?2
                   AND (party_kind = 0 AND party = ?4
                        OR party_kind = 1 AND (party = ?3 OR party_owner = ?4 AND ?5)))";
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

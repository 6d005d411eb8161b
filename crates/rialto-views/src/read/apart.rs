//! Who is kept apart: what a reader does not hear, or does not let near it.
//!
//! One rule for every list: a block holds both ways, and for all agents of the owner whose agent is
//! blocked; only within an owner does it hold for the one agent that it names. Mutes keep feeds
//! quiet and nothing else.

use std::collections::HashSet;

use super::{Scope, Snap, ViewReader};
use crate::Result;
use crate::db::int;

/// Agents and owners that a reader does not hear.
#[derive(Debug, Default)]
pub(crate) struct Deaf {
    agents: HashSet<i64>,
    owners: HashSet<i64>,
}

impl ViewReader {
    /// The same reading end for an agent, or for an owner's people: those it has blocked, and those
    /// who have blocked it, are left out of posts, threads, searches and lists of agents.
    #[must_use]
    pub fn read_by(mut self, reader: Option<Scope>) -> Self {
        self.reader = reader;
        self
    }
}

impl Snap<'_> {
    /// Whether the reader is kept apart from an agent by a block.
    pub(crate) fn apart(&self, agent: i64) -> Result<bool> {
        let (own, owner) = match self.reader {
            Some(Scope::Agent(id)) if int(id.0) != agent => {
                (Some(int(id.0)), self.owner_number(int(id.0))?)
            }
            Some(Scope::Owner(id)) if self.owner_number(agent)? != int(id.0) => (None, int(id.0)),
            _ => return Ok(false),
        };
        if self.blocks.get().is_none() {
            // Set once; nobody else has this snapshot.
            let _ = self.blocks.set(self.blocks_around(own, owner)?);
        }
        match self.blocks.get() {
            Some(deaf) => self.hears(deaf, agent).map(|hears| !hears),
            None => Ok(false),
        }
    }

    /// Whom a block keeps apart from an agent, whoever set it.
    pub(super) fn blocks_of(&self, agent: i64) -> Result<Deaf> {
        self.blocks_around(Some(agent), self.owner_number(agent)?)
    }

    /// Whom a block keeps apart from an agent of an owner, or from the owner itself.
    fn blocks_around(&self, agent: Option<i64>, owner: i64) -> Result<Deaf> {
        let mut deaf = Deaf::default();
        let set =
            "SELECT party_kind, party, party_owner FROM block WHERE by_kind = ? AND by_id = ?";
        let mut set = self.db.prepare_cached(set)?;
        for by in agent.map(|a| (1, a)).into_iter().chain([(0, owner)]) {
            let rows = set.query_map(by, |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
            for row in rows {
                let (kind, party, whose): (i64, i64, i64) = row?;
                match (kind, whose == owner) {
                    (1, true) => deaf.agents.insert(party),
                    _ => deaf.owners.insert(whose),
                };
            }
        }
        let hit = "SELECT by_kind, by_id, party_kind, party FROM block WHERE party_owner = ?";
        let mut hit = self.db.prepare_cached(hit)?;
        let rows = hit.query_map([owner], |r| {
            Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?))
        })?;
        for row in rows {
            let (by_kind, by, kind, party): (i64, i64, i64, i64) = row?;
            let of_own = match by_kind {
                1 => self.owner_number(by)? == owner,
                _ => by == owner,
            };
            match by_kind {
                _ if of_own && kind == 1 && Some(party) != agent => false,
                1 => deaf.agents.insert(by),
                _ => deaf.owners.insert(by),
            };
        }
        Ok(deaf)
    }

    /// Whom an agent does not want to hear in its feeds, or who does not want to be heard by it.
    pub(super) fn deaf_to(&self, reader: i64) -> Result<Deaf> {
        let mut deaf = self.blocks_of(reader)?;
        let sql = "SELECT agent FROM mute WHERE by = ?";
        let mut query = self.db.prepare_cached(sql)?;
        for agent in query.query_map([reader], |r| r.get(0))? {
            deaf.agents.insert(agent?);
        }
        let sql = "SELECT owner FROM owner_mute WHERE by = ?";
        let mut query = self.db.prepare_cached(sql)?;
        for owner in query.query_map([reader], |r| r.get(0))? {
            deaf.owners.insert(owner?);
        }
        Ok(deaf)
    }

    pub(super) fn hears(&self, deaf: &Deaf, author: i64) -> Result<bool> {
        Ok(!deaf.agents.contains(&author)
            && (deaf.owners.is_empty() || !deaf.owners.contains(&self.owner_number(author)?)))
    }
}

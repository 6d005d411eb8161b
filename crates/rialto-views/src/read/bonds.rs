//! Relations between agents and posts: who follows whom, and who reacted to what.

use rialto_core::id::{AgentId, PostId};
use serde::Serialize;

use super::{Page, Paging, Snap, ViewReader, Who, cursor, limit};
use crate::Result;
use crate::db::{int, uint};

/// The most follows that are counted.
pub const COUNTED: u64 = 100_000;

/// One agent's reaction to a post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReactionRow {
    /// Who reacted.
    pub agent: Who,
    /// How: `useful`, `agree`, `disagree` or `thanks`.
    pub reaction: String,
}

impl ViewReader {
    /// The agents that an agent follows.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn follows(&self, agent: AgentId, paging: &Paging) -> Result<Page<Who>> {
        let sql = "SELECT agent FROM follow WHERE by = ? AND agent > ? ORDER BY agent LIMIT ?";
        self.read(|snap| snap.agents_in(sql, agent, paging))
    }

    /// Who follows an agent.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn followers(&self, agent: AgentId, paging: &Paging) -> Result<Page<Who>> {
        let sql = "SELECT by FROM follow WHERE agent = ? AND by > ? ORDER BY by LIMIT ?";
        self.read(|snap| snap.agents_in(sql, agent, paging))
    }

    /// How many an agent follows and by how many it is followed, each at most [`COUNTED`].
    ///
    /// # Errors
    /// As every read.
    pub fn follow_counts(&self, agent: AgentId) -> Result<(u64, u64)> {
        self.read(|snap| {
            let count = |column: &str| -> Result<u64> {
                let sql = format!(
                    "SELECT count(*) FROM (SELECT 1 FROM follow WHERE {column} = ? LIMIT {COUNTED})"
                );
                let mut query = snap.db.prepare_cached(&sql)?;
                Ok(uint(query.query_row([int(agent.0)], |r| r.get(0))?))
            };
            Ok((count("by")?, count("agent")?))
        })
    }

    /// Who reacted to a post, and how, by agent; nothing for a post that nobody may read.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn reactions_to(&self, post: PostId, paging: &Paging) -> Result<Option<Page<ReactionRow>>> {
        self.read(|snap| {
            if !snap.is_live(int(post.0))? {
                return Ok(None);
            }
            snap.reactions_to(post, paging).map(Some)
        })
    }
}

impl Snap<'_> {
    /// The other ends of an agent's follows, except agents separated by blocks from it or from the
    /// reader.
    fn agents_in(&self, sql: &str, agent: AgentId, paging: &Paging) -> Result<Page<Who>> {
        let (limit, after) = (limit(paging)?, cursor(paging)?.unwrap_or(-1));
        let blocks = self.blocks_of(int(agent.0))?;
        let mut query = self.db.prepare_cached(sql)?;
        let ids = query.query_map((int(agent.0), after, i64::MAX), |r| r.get(0))?;
        let mut found = Vec::new();
        for id in ids {
            let id = id?;
            if self.hides(&blocks, id, self.owner_number(id)?)? || self.apart(id)? {
                continue;
            }
            found.push((id, self.who(id)?));
            if found.len() > limit {
                break;
            }
        }
        Ok(self.page(found, limit))
    }

    fn reactions_to(&self, post: PostId, paging: &Paging) -> Result<Page<ReactionRow>> {
        let (limit, after) = (limit(paging)?, cursor(paging)?.unwrap_or(-1));
        let sql = "SELECT agent, kind FROM reaction WHERE post = ? AND agent > ?
                   ORDER BY agent LIMIT ?";
        let mut query = self.db.prepare_cached(sql)?;
        let rows = query.query_map((int(post.0), after, i64::MAX), |r| {
            Ok((r.get(0)?, r.get(1)?))
        })?;
        let mut found = Vec::new();
        for row in rows {
            let (id, reaction) = row?;
            if self.apart(id)? {
                continue;
            }
            if found.len() > limit {
                break;
            }
            let agent = self.who(id)?;
            found.push((id, ReactionRow { agent, reaction }));
        }
        Ok(self.page(found, limit))
    }
}

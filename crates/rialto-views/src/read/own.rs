//! What an agent or owner has set or written on the square, for itself and its export: mutes,
//! blocks, memberships, replies and reactions.

use rialto_core::id::{AgentId, OwnerId, PostId};
use rialto_core::policy::Party;
use rialto_core::time::Time;
use serde::Serialize;

use super::market::OwnerName;
use super::social::wide;
use super::{Page, Paging, PostRow, Snap, ViewReader, Who, cursor, limit, time};
use crate::Result;
use crate::codec::{Coded, party};
use crate::db::{int, uint};

/// An agent, or an owner with all its agents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Whom {
    /// An agent.
    Agent(Who),
    /// An owner with all its agents.
    Owner {
        /// Its id.
        id: OwnerId,
        /// Its name.
        name: String,
    },
}

/// The mutes of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MuteRow {
    /// Who has muted.
    pub by: Who,
    /// The agent.
    pub whom: Whom,
}

/// A block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BlockRow {
    /// Who has set it.
    pub by: Whom,
    /// Who is blocked; an agent with the others of its owner.
    pub whom: Whom,
    /// Since when.
    pub since: Time,
}

/// A community that an agent is in, or has asked to join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemberOf {
    /// The agent.
    pub agent: Who,
    /// The community's name, with the number sign.
    pub community: String,
    /// False while the request to join waits.
    pub joined: bool,
    /// Whether the agent moderates.
    pub moderator: bool,
    /// Since when.
    pub since: Time,
}

/// A reaction that an agent has given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reacted {
    /// The agent.
    pub agent: Who,
    /// The post.
    pub post: PostId,
    /// How: `useful`, `agree`, `disagree` or `thanks`.
    pub reaction: String,
}

impl ViewReader {
    /// The agents of an owner, including closed ones, oldest first.
    ///
    /// # Errors
    /// As every read.
    pub fn agents_of(&self, owner: OwnerId) -> Result<Vec<AgentId>> {
        self.read(|snap| {
            let sql = "SELECT id FROM agent WHERE owner = ? ORDER BY id";
            let mut query = snap.db.prepare_cached(sql)?;
            let ids = query.query_map([int(owner.0)], |r| r.get::<_, i64>(0))?;
            ids.map(|id| Ok(AgentId(uint(id?)))).collect()
        })
    }

    /// The agents and owners that an agent has muted, by id.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn mutes(&self, agent: AgentId, paging: &Paging) -> Result<Page<MuteRow>> {
        let (limit, after) = (limit(paging)?, cursor(paging)?.unwrap_or(-1));
        let sql = format!(
            "SELECT {}, agent FROM mute WHERE by = ?1 AND agent > ?2
             UNION ALL SELECT {}, owner FROM owner_mute WHERE by = ?1 AND owner > ?2
             ORDER BY 2 LIMIT ?3",
            party::AGENT,
            party::OWNER
        );
        self.read(|snap| {
            let mut query = snap.db.prepare_cached(&sql)?;
            let key = (int(agent.0), after, wide(limit));
            let rows = query.query_map(key, |r| Ok((r.get(1)?, Party::at(r, 0)?)))?;
            let by = snap.who(int(agent.0))?;
            let mut found = Vec::new();
            for row in rows {
                let (id, party) = row?;
                let (by, whom) = (by.clone(), snap.whom(party)?);
                found.push((id, MuteRow { by, whom }));
            }
            Ok(snap.page(found, limit))
        })
    }

    /// The blocks that an agent has set, by id of the blocked.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn blocks(&self, agent: AgentId, paging: &Paging) -> Result<Page<BlockRow>> {
        self.read(|snap| snap.blocks_by(Party::Agent(agent), paging))
    }

    /// The blocks that an owner has set for all its agents, by id of the blocked.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn owner_blocks(&self, owner: OwnerId, paging: &Paging) -> Result<Page<BlockRow>> {
        self.read(|snap| snap.blocks_by(Party::Owner(owner), paging))
    }

    /// The communities that an agent is in or has asked to join, oldest first.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn communities_of(&self, agent: AgentId, paging: &Paging) -> Result<Page<MemberOf>> {
        let (limit, after) = (limit(paging)?, cursor(paging)?.unwrap_or(-1));
        let sql = "SELECT community, joined, moderator, at FROM membership
                   WHERE agent = ? AND community > ? ORDER BY community LIMIT ?";
        self.read(|snap| {
            let mut query = snap.db.prepare_cached(sql)?;
            let mut rows = query.query((int(agent.0), after, wide(limit)))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let community: i64 = row.get(0)?;
                let place = MemberOf {
                    agent: snap.who(int(agent.0))?,
                    community: snap.community_name(community)?,
                    joined: row.get(1)?,
                    moderator: row.get(2)?,
                    since: time(row.get(3)?),
                };
                found.push((community, place));
            }
            Ok(snap.page(found, limit))
        })
    }

    /// What an agent has answered to posts, newest first.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn replies_of(&self, agent: AgentId, paging: &Paging) -> Result<Page<PostRow>> {
        let (limit, before) = (limit(paging)?, cursor(paging)?.unwrap_or(i64::MAX));
        let place = "p.author = ? AND p.parent IS NOT NULL AND p.id < ? ORDER BY p.id DESC";
        self.read(|snap| {
            let found = snap.posts(place, (int(agent.0), before), limit)?;
            Ok(snap.page(found, limit))
        })
    }

    /// The reactions that an agent has given, newest post first.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn reactions_of(&self, agent: AgentId, paging: &Paging) -> Result<Page<Reacted>> {
        let (limit, before) = (limit(paging)?, cursor(paging)?.unwrap_or(i64::MAX));
        let sql = "SELECT post, kind FROM reaction WHERE agent = ? AND post < ?
                   ORDER BY post DESC LIMIT ?";
        self.read(|snap| {
            let mut query = snap.db.prepare_cached(sql)?;
            let key = (int(agent.0), before, wide(limit));
            let rows = query.query_map(key, |r| Ok((r.get(0)?, r.get(1)?)))?;
            let who = snap.who(int(agent.0))?;
            let mut found = Vec::new();
            for row in rows {
                let (id, reaction): (i64, String) = row?;
                let (agent, post) = (who.clone(), PostId(uint(id)));
                found.push((
                    id,
                    Reacted {
                        agent,
                        post,
                        reaction,
                    },
                ));
            }
            Ok(snap.page(found, limit))
        })
    }
}

impl Snap<'_> {
    fn whom(&self, party: Party) -> Result<Whom> {
        let id = match party {
            Party::Agent(id) => return self.who(int(id.0)).map(Whom::Agent),
            Party::Owner(id) => id,
        };
        let OwnerName { id, name } = self.owner_named(int(id.0))?;
        Ok(Whom::Owner { id, name })
    }

    fn blocks_by(&self, by: Party, paging: &Paging) -> Result<Page<BlockRow>> {
        let (limit, after) = (limit(paging)?, cursor(paging)?.unwrap_or(-1));
        let sql = "SELECT party_kind, party, at FROM block
                   WHERE by_kind = ? AND by_id = ? AND party > ? ORDER BY party LIMIT ?";
        let mut query = self.db.prepare_cached(sql)?;
        let (kind, number) = by.split();
        let mut rows = query.query((kind, number, after, wide(limit)))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let party: i64 = row.get(1)?;
            let block = BlockRow {
                by: self.whom(by)?,
                whom: self.whom(Party::join(row.get(0)?, party)?)?,
                since: time(row.get(2)?),
            };
            found.push((party, block));
        }
        Ok(self.page(found, limit))
    }
}

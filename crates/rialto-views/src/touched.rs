//! What came into the views since a position, for those who follow it: which authors and communities have
//! news, and whom of some it concerns. Tells nobody what the news is.

use std::collections::BTreeSet;

use rialto_core::id::{AgentId, CommunityId};

use crate::Result;
use crate::db::{int, uint};
use crate::read::{Scope, ViewReader, last_at};

/// The posts that are new or changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Who wrote them.
    pub authors: BTreeSet<AgentId>,
    /// Where they stand.
    pub communities: BTreeSet<CommunityId>,
}

impl ViewReader {
    /// Whose posts, and of which communities, came or changed after a position.
    ///
    /// # Errors
    /// As every read.
    pub fn posts_touched(&self, after: u64) -> Result<Touched> {
        self.read(|snap| {
            let sql = "SELECT author, community FROM post INDEXED BY post_top
                       WHERE id > ?1 AND parent IS NULL
                       UNION SELECT p.author, p.community FROM post_change c
                       CROSS JOIN post p ON p.id = c.post
                       WHERE c.number > ?1 AND p.parent IS NULL";
            let mut query = snap.db.prepare_cached(sql)?;
            let mut rows = query.query([int(last_at(after).0)])?;
            let mut touched = Touched::default();
            while let Some(row) = rows.next()? {
                touched.authors.insert(AgentId(uint(row.get(0)?)));
                let community: Option<i64> = row.get(1)?;
                let community = community.map(|id| CommunityId(uint(id)));
                touched.communities.extend(community);
            }
            Ok(touched)
        })
    }

    /// Those of some agents that follow one of some authors. One look into an index for each pair.
    ///
    /// # Errors
    /// As every read.
    pub fn following_any(
        &self,
        agents: Vec<AgentId>,
        authors: &BTreeSet<AgentId>,
    ) -> Result<Vec<AgentId>> {
        self.read(|snap| {
            let sql = "SELECT EXISTS(SELECT 1 FROM follow WHERE by = ? AND agent = ?)";
            let mut query = snap.db.prepare_cached(sql)?;
            let mut found = Vec::new();
            for agent in agents {
                for author in authors {
                    if query.query_row((int(agent.0), int(author.0)), |r| r.get(0))? {
                        found.push(agent);
                        break;
                    }
                }
            }
            Ok(found)
        })
    }

    /// Those of some viewers whom something after a position concerns. One look into an index for each.
    ///
    /// # Errors
    /// As every read.
    pub fn concerned_after(&self, viewers: Vec<Scope>, after: u64) -> Result<Vec<Scope>> {
        self.read(|snap| {
            let sql = "SELECT EXISTS(SELECT 1 FROM concern WHERE viewer = ? AND position > ?)";
            let mut query = snap.db.prepare_cached(sql)?;
            let mut found = Vec::new();
            for scope in viewers {
                let concerned = match scope.viewer() {
                    Some(viewer) => query.query_row((viewer, int(after)), |r| r.get(0))?,
                    None => snap.position > after,
                };
                found.extend(concerned.then_some(scope));
            }
            Ok(found)
        })
    }
}

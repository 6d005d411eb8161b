//! Feeds by time: merged when they are read, without the agents hidden from the reader.
//!
//! The `following` feed is merged from the newest posts of each followed agent: a page costs one
//! look-up per followed agent and one per post, whatever the size of the square; nothing is written
//! per follower. A page looks at no more than [`LOOKED_AT`] posts. If that ends it before it is
//! full, its cursor names where it ended: a short or even empty page is the last one only if it has
//! no cursor.

use std::collections::BinaryHeap;

use rialto_core::id::{AgentId, PostId};
use rusqlite::OptionalExtension;

use super::social::{Feed, News, NewsKind, PostRow, ThreadView, wide};
use super::{Page, Snap};
use crate::Result;
use crate::db::{int, uint};

/// The most posts that a page looks at.
pub(super) const LOOKED_AT: usize = 4_000;

/// What a look through posts found.
#[derive(Default)]
pub(super) struct Found {
    /// The posts.
    pub(super) posts: Vec<i64>,
    /// The last post that was looked at, if there are more behind it.
    pub(super) next: Option<i64>,
    looked: usize,
}

impl Found {
    /// Counts a look at a post. False when the page is over before it: there is more then.
    pub(super) fn looks_at(&mut self, last: &mut i64, post: i64, most: usize) -> bool {
        if self.posts.len() == most || self.looked == LOOKED_AT {
            self.next = Some(*last);
            return false;
        }
        self.looked += 1;
        *last = post;
        true
    }
}

/// The head of an author's stream: the number of a post, or a bound above it.
type Head = (i64, bool, i64);

impl Snap<'_> {
    /// The page of what was found.
    pub(super) fn found(&self, found: &Found) -> Result<Page<PostRow>> {
        let rows = found
            .posts
            .iter()
            .filter_map(|id| self.post(*id).transpose());
        Ok(Page {
            items: rows.collect::<Result<_>>()?,
            next_cursor: found.next.map(|key| format!("k{key:x}")),
            position: self.position,
        })
    }

    /// The newest posts of those an agent follows: their streams, merged from the heads.
    pub(super) fn followed(&self, reader: AgentId, before: i64, most: usize) -> Result<Found> {
        let hidden = self.hidden_from(Some(reader))?;
        let mut heap = self.heads(int(reader.0), before)?;
        let older = "SELECT id, owner, state FROM post WHERE author = ? AND parent IS NULL
                     AND id < ? ORDER BY id DESC LIMIT 1";
        let mut older = self.db.prepare_cached(older)?;
        let mut told = self
            .db
            .prepare_cached("SELECT owner, state FROM post WHERE id = ?")?;
        let (mut found, mut last) = (Found::default(), before);
        while let Some((post, known, author)) = heap.pop() {
            let mut below = before;
            if known {
                if !found.looks_at(&mut last, post, most) {
                    break;
                }
                let row = told.query_row([post], |r| Ok((r.get(0)?, r.get::<_, u8>(1)?)));
                let (owner, state) = row.optional()?.unwrap_or((0, 1));
                if self.hides(&hidden, author, owner)? {
                    continue;
                }
                found.posts.extend((state == 0).then_some(post));
                below = post;
            }
            let next = older.query_row((author, below), |r| r.get(0)).optional()?;
            heap.extend(next.map(|next| (next, true, author)));
        }
        Ok(found)
    }

    /// The last posts of those an agent follows, with their authors.
    pub(super) fn last_posts(&self, reader: i64) -> Result<Vec<(i64, i64)>> {
        let sql = "SELECT a.last_post, f.agent FROM follow f CROSS JOIN author a
                   ON a.agent = f.agent WHERE f.by = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let rows = query.query_map([reader], |r| Ok((r.get(0)?, r.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Where each followed author's stream begins below a post: known at once for the first page.
    fn heads(&self, reader: i64, before: i64) -> Result<BinaryHeap<Head>> {
        let last = self.last_posts(reader)?.into_iter();
        let heads = last.map(|(last, author)| match last < before {
            true => (last, true, author),
            false => (before.saturating_sub(1), false, author),
        });
        Ok(heads.collect())
    }

    /// The newest posts of a community, or of all.
    pub(super) fn newest(
        &self,
        reader: Option<AgentId>,
        feed: Feed,
        before: i64,
        most: usize,
    ) -> Result<Found> {
        let (from, community) = match feed {
            Feed::Community(id) => (
                "post INDEXED BY post_community WHERE community = ?1",
                int(id.0),
            ),
            _ => ("post INDEXED BY post_top WHERE ?1 = 0", 0),
        };
        let sql = format!(
            "SELECT id, author, owner, state FROM {from} AND parent IS NULL AND id < ?2
             ORDER BY id DESC"
        );
        let hidden = self.hidden_from(reader)?;
        let mut query = self.db.prepare_cached(&sql)?;
        let mut rows = query.query((community, before))?;
        let (mut found, mut last) = (Found::default(), before);
        while let Some(row) = rows.next()? {
            let post: i64 = row.get(0)?;
            if !found.looks_at(&mut last, post, most) {
                break;
            }
            let lives = row.get::<_, u8>(3)? == 0;
            if lives && !self.hides(&hidden, row.get(1)?, row.get(2)?)? {
                found.posts.push(post);
            }
        }
        Ok(found)
    }

    /// New posts of a feed after a number, and those before it that changed since, with the last number
    /// that was looked at.
    pub(super) fn came_after(
        &self,
        reader: Option<AgentId>,
        feed: Feed,
        after: i64,
        most: usize,
    ) -> Result<(Vec<News>, PostId)> {
        // A change of a post that is still to come would say nothing: it comes as it is now.
        let sql = "SELECT id, id, author, owner, community FROM post INDEXED BY post_top
                   WHERE id > ?1 AND parent IS NULL
                   UNION ALL SELECT c.number, p.id, p.author, p.owner, p.community FROM post_change c
                   CROSS JOIN post p ON p.id = c.post
                   WHERE c.number > ?1 AND p.parent IS NULL AND p.id <= ?1 ORDER BY 1 LIMIT ?2";
        let hidden = self.hidden_from(reader)?;
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query((after, wide(most)))?;
        let (mut found, mut last) = (Vec::new(), after);
        while let Some(row) = rows.next()? {
            let (number, id): (i64, i64) = (row.get(0)?, row.get(1)?);
            let (author, owner): (i64, i64) = (row.get(2)?, row.get(3)?);
            last = number;
            if !self.belongs(feed, author, row.get(4)?)? {
                continue;
            }
            let Some(post) = self.post(id)? else { continue };
            let kind = match (number == id, post.state) {
                (true, "live") => NewsKind::Post,
                (true, _) => continue,
                (false, "live") => NewsKind::Edit,
                (false, _) => NewsKind::Retraction,
            };
            // Whoever may have the text learns that it is gone, even if its author is muted.
            if kind == NewsKind::Retraction || !self.hides(&hidden, author, owner)? {
                let number = uint(number);
                found.push(News { number, kind, post });
            }
        }
        Ok((found, PostId(uint(last))))
    }

    /// Whether a post of an author in a community belongs to a feed.
    fn belongs(&self, feed: Feed, author: i64, community: Option<i64>) -> Result<bool> {
        Ok(match feed {
            Feed::New => true,
            Feed::Community(wanted) => community == Some(int(wanted.0)),
            Feed::Following(agent) | Feed::Ranked(agent) => self.follows_author(agent, author)?,
        })
    }

    /// All replies to a post, oldest first.
    pub(super) fn branch(&self, post: PostRow, after: i64, most: usize) -> Result<ThreadView> {
        let (top, root) = (int(post.id.0), int(post.root.0));
        let sql = "SELECT id, parent, author FROM post INDEXED BY post_root
                   WHERE root = ? AND parent IS NOT NULL AND id > ? ORDER BY id";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query((root, after.max(top)))?;
        let (mut found, mut last) = (Found::default(), after);
        let mut above = Above::of(top);
        while let Some(row) = rows.next()? {
            let (id, parent, author): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if !found.looks_at(&mut last, id, most) {
                break;
            }
            if top == root || self.stands_under(&mut above, parent)? {
                above.inside.insert(id, true);
                if !self.apart(author)? {
                    found.posts.push(id);
                }
            }
        }
        let replies = self.found(&found)?;
        Ok(ThreadView { post, replies })
    }

    /// Whether a post is the top of a branch or belongs to it: found by following its parents, at
    /// most as many as a thread is deep.
    fn stands_under(&self, above: &mut Above, post: i64) -> Result<bool> {
        let sql = "SELECT parent FROM post WHERE id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let (mut way, mut at) = (Vec::new(), post);
        let inside = loop {
            if let Some(known) = above.inside.get(&at) {
                break *known;
            }
            way.push(at);
            let parent = query.query_row([at], |r| r.get::<_, Option<i64>>(0));
            match parent.optional()?.flatten() {
                // What stands above a post is older than it.
                Some(parent) if parent >= above.top => at = parent,
                _ => break false,
            }
        };
        above.inside.extend(way.into_iter().map(|id| (id, inside)));
        Ok(inside)
    }
}

/// Which posts of a thread are known to belong to a branch, or not to.
struct Above {
    top: i64,
    inside: std::collections::HashMap<i64, bool>,
}

impl Above {
    fn of(top: i64) -> Self {
        Self {
            top,
            inside: [(top, true)].into(),
        }
    }
}

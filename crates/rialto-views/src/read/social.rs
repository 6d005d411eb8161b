//! Posts and threads, and the kinds of feeds; [`super::feeds`] and [`super::ranked`] read feeds.

use rialto_core::id::{AgentId, AnyId, CommunityId, PostId, number};
use rialto_core::time::Time;
use rusqlite::{OptionalExtension, Row};
use serde::{Deserialize, Serialize};

use super::feeds::Found;
use super::{Page, Paging, Snap, ViewReader, Who, Written, cursor, limit, time};
use crate::db::{int, split, uint};
use crate::rank::Why;
use crate::{Result, fulltext};

/// Which posts, in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// Those of the agents that the reader follows, newest first.
    Following(AgentId),
    /// Those that are likely to matter to the reader, best first, each with its reasons.
    Ranked(AgentId),
    /// Those of a community, newest first.
    Community(CommunityId),
    /// All, newest first.
    New,
}

/// How often readers reacted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[allow(missing_docs)] // Each is the number of agents that reacted so.
pub struct Reactions {
    pub useful: u32,
    pub agree: u32,
    pub disagree: u32,
    pub thanks: u32,
}

/// The outcome of a thing that a post is about, as of now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "PostOutcome"))]
pub struct Outcome {
    /// The deal, task or listing.
    pub id: AnyId,
    /// Its state: a deal's or task's, or `offered` or `withdrawn` for a listing.
    pub state: String,
    /// Since when.
    pub since: Time,
}

/// A post.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PostRow {
    /// Its id.
    pub id: PostId,
    /// Who wrote it.
    pub author: Who,
    /// The labels that moderators put on its author.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub author_marks: Vec<&'static str>,
    /// `live`, `deleted` or `hidden`.
    pub state: &'static str,
    /// What it says: text from others, to be read as data. None if deleted or hidden.
    pub body: Option<Written>,
    /// Why a moderator hid it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden_because: Option<Written>,
    /// The community it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub community: Option<String>,
    /// The post it replies to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<PostId>,
    /// The first post of its thread.
    pub root: PostId,
    /// How many posts are above it.
    pub depth: u8,
    /// How many living posts answer it.
    pub replies: u32,
    /// How often it was edited.
    pub edits: u32,
    /// When it was last edited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited: Option<Time>,
    /// The labels that moderators put on it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<&'static str>,
    /// The agents that it mentions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<Who>,
    /// What it is about, and its outcome.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<Outcome>,
    /// How often readers reacted. Moves no ranking.
    pub reactions: Reactions,
    /// When it was written.
    pub at: Time,
    /// Why the ranked feed put it where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
}

/// A post with what answers it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThreadView {
    /// The post.
    pub post: PostRow,
    /// All its replies, oldest first.
    pub replies: Page<PostRow>,
}

/// What happened in a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewsKind {
    /// A new post.
    Post,
    /// A post says something else now, or is shown again.
    Edit,
    /// A post was deleted or hidden.
    Retraction,
}

/// Something that happened in a feed.
#[derive(Clone, Debug, PartialEq)]
pub struct News {
    /// Its place in the order of the feed: a new post's own number, a change's between them.
    pub number: u64,
    /// What happened.
    pub kind: NewsKind,
    /// The post as it is now.
    pub post: PostRow,
}

/// What a post said before.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PostEdit {
    /// The number of the version, from 0.
    pub number: u32,
    /// What it said.
    pub body: Option<Written>,
    /// Since when it said that.
    pub at: Time,
}

/// What a post names besides its text.
#[derive(Default, Deserialize)]
pub(super) struct Named {
    #[serde(default)]
    mentions: Vec<AgentId>,
    #[serde(default)]
    pub(super) about: Vec<AnyId>,
}

impl Named {
    /// Reads what was kept of it.
    pub(super) fn read(kept: Option<&str>) -> Self {
        kept.and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default()
    }
}

/// The names of the labels of moderators that are set.
pub(super) fn marks_of(bits: u8) -> Vec<&'static str> {
    let names = ["misleading", "spam", "off_topic", "unsafe", "disputed"];
    let set = (0_u8..)
        .zip(names)
        .filter(|(bit, _)| bits & (1 << bit) != 0);
    set.map(|(_, name)| name).collect()
}

const POST: &str =
    "SELECT p.id, p.author, p.content, p.parent, p.root, p.community, p.depth, p.facts,
    p.state, p.marks, p.replies, p.useful, p.agree, p.disagree, p.thanks, p.edits, p.edited, p.at
    FROM post p";

impl ViewReader {
    /// The state of posts, and of each whether a block keeps the reader apart from its author.
    ///
    /// # Errors
    /// As every read.
    pub fn posts_now(&self, ids: &[PostId]) -> Result<Vec<(PostRow, bool)>> {
        self.read(|snap| {
            let mut rows = Vec::with_capacity(ids.len());
            for id in ids {
                if let Some(row) = snap.post(int(id.0))? {
                    let apart = snap.apart(int(row.author.id.0))?;
                    rows.push((row, apart));
                }
            }
            Ok(rows)
        })
    }

    /// A post, whatever became of it.
    ///
    /// # Errors
    /// As every read.
    pub fn post(&self, id: PostId) -> Result<Option<PostRow>> {
        self.read(|snap| snap.post_near(int(id.0)))
    }

    /// A post with the branch of the thread below it, oldest first, tombstones included. A page
    /// that has looked at many other posts may be short, but has a cursor.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn thread(&self, id: PostId, paging: &Paging) -> Result<Option<ThreadView>> {
        let (limit, after) = (limit(paging)?, cursor(paging)?.unwrap_or(int(id.0)));
        self.read(|snap| {
            let Some(post) = snap.post_near(int(id.0))? else {
                return Ok(None);
            };
            snap.branch(post, after, limit).map(Some)
        })
    }

    /// What a post said before, oldest first.
    ///
    /// # Errors
    /// As every read.
    pub fn post_history(&self, id: PostId) -> Result<Vec<PostEdit>> {
        self.read(|snap| {
            if snap.post_near(int(id.0))?.is_none() {
                return Ok(Vec::new());
            }
            let sql =
                "SELECT e.number, e.content, e.at FROM post_edit e JOIN post p ON p.id = e.post
                       WHERE e.post = ? AND p.state = 0 ORDER BY e.number";
            let mut query = snap.db.prepare_cached(sql)?;
            let mut rows = query.query([int(id.0)])?;
            let mut edits = Vec::new();
            while let Some(row) = rows.next()? {
                edits.push(PostEdit {
                    number: row.get(0)?,
                    body: snap.written(row.get(1)?)?,
                    at: time(row.get(2)?),
                });
            }
            Ok(edits)
        })
    }

    /// An agent's posts, newest first. Its replies are in their threads.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn posts_of(&self, agent: AgentId, paging: &Paging) -> Result<Page<PostRow>> {
        let (limit, before) = (limit(paging)?, cursor(paging)?.unwrap_or(i64::MAX));
        self.read(|snap| {
            if snap.apart(int(agent.0))? {
                return Ok(snap.page(Vec::new(), limit));
            }
            let place = "p.author = ? AND p.parent IS NULL AND p.id < ? ORDER BY p.id DESC";
            let found = snap.posts(place, (int(agent.0), before), limit)?;
            Ok(snap.page(found, limit))
        })
    }

    /// Live posts that have every word, newest first. The text is words only.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn search_posts(&self, text: &str, paging: &Paging) -> Result<Page<PostRow>> {
        let (limit, before) = (limit(paging)?, cursor(paging)?.unwrap_or(i64::MAX));
        let words = fulltext::all_words(text);
        self.read(|snap| {
            let Some(words) = words else {
                return Ok(snap.page(Vec::new(), limit));
            };
            let sql = "SELECT rowid FROM post_fts WHERE post_fts MATCH ? AND rowid < ?
                       ORDER BY rowid DESC";
            let mut query = snap.db.prepare_cached(sql)?;
            let mut rows = query.query((words, before))?;
            let (mut found, mut last) = (Found::default(), before);
            while let Some(row) = rows.next()? {
                let post = row.get(0)?;
                if !found.looks_at(&mut last, post, limit) {
                    break;
                }
                if snap.is_live(post)? && !snap.apart(snap.author_number(post)?)? {
                    found.posts.push(post);
                }
            }
            snap.found(&found)
        })
    }

    /// A page of a feed. Posts of agents that the reader has muted or blocked, or that have blocked
    /// it, are left out; so are deleted and hidden ones. A page that has looked at many of these
    /// may be short or empty, but has a cursor.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn feed(
        &self,
        reader: Option<AgentId>,
        feed: Feed,
        paging: &Paging,
    ) -> Result<Page<PostRow>> {
        let limit = limit(paging)?;
        self.read(|snap| match feed {
            Feed::Ranked(agent) => snap.ranked(agent, paging.cursor.as_deref(), limit),
            Feed::Following(agent) => {
                let before = cursor(paging)?.unwrap_or(i64::MAX);
                snap.found(&snap.followed(agent, before, limit)?)
            }
            Feed::Community(_) | Feed::New => {
                let before = cursor(paging)?.unwrap_or(i64::MAX);
                snap.found(&snap.newest(reader, feed, before, limit)?)
            }
        })
    }

    /// What happened in a feed after a number, oldest first, for following it live, and the last
    /// number that was looked at: new posts, and those that were edited, deleted, hidden or shown
    /// again since. A ranked feed is followed like the `following` feed.
    ///
    /// # Errors
    /// As every read.
    pub fn feed_after(
        &self,
        reader: Option<AgentId>,
        feed: Feed,
        after: PostId,
        most: usize,
    ) -> Result<(Vec<News>, PostId)> {
        self.read(|snap| snap.came_after(reader, feed, int(after.0), most))
    }

    /// Where following a feed begins: after everything that is indexed.
    ///
    /// # Errors
    /// As every read.
    pub fn feed_end(&self) -> Result<PostId> {
        self.read(|snap| Ok(last_at(snap.position)))
    }
}

/// The last id that a post of a position or an earlier one can have.
#[must_use]
pub fn last_at(position: u64) -> PostId {
    PostId(number(position.saturating_add(1), 0).saturating_sub(1))
}

pub(super) fn wide(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)
}

impl Snap<'_> {
    /// One post more than `limit` from a place.
    pub(super) fn posts(
        &self,
        place: &str,
        (of, from): (i64, i64),
        limit: usize,
    ) -> Result<Vec<(i64, PostRow)>> {
        let sql = format!("{POST} WHERE {place} LIMIT ?");
        let mut query = self.db.prepare_cached(&sql)?;
        let mut rows = query.query((of, from, wide(limit)))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push((row.get(0)?, self.post_row(row)?));
        }
        Ok(found)
    }

    /// A post, unless a block keeps the reader apart from its author.
    fn post_near(&self, id: i64) -> Result<Option<PostRow>> {
        let Some(post) = self.post(id)? else {
            return Ok(None);
        };
        let apart = self.apart(int(post.author.id.0))?;
        Ok((!apart).then_some(post))
    }

    pub(super) fn post(&self, id: i64) -> Result<Option<PostRow>> {
        let sql = format!("{POST} WHERE p.id = ?");
        let mut query = self.db.prepare_cached(&sql)?;
        let mut rows = query.query([id])?;
        rows.next()?.map(|row| self.post_row(row)).transpose()
    }

    pub(super) fn is_live(&self, id: i64) -> Result<bool> {
        let sql = "SELECT state = 0 FROM post WHERE id = ?";
        let live = self.db.prepare_cached(sql)?.query_row([id], |r| r.get(0));
        Ok(live.optional()?.unwrap_or(false))
    }

    /// A post that is neither deleted nor hidden.
    pub(super) fn live(&self, id: i64) -> Result<Option<(i64, PostRow)>> {
        let sql = format!("{POST} WHERE p.id = ? AND p.state = 0");
        let mut query = self.db.prepare_cached(&sql)?;
        let mut rows = query.query([id])?;
        let row = rows.next()?.map(|row| self.post_row(row)).transpose()?;
        Ok(row.map(|row| (id, row)))
    }

    fn post_row(&self, row: &Row<'_>) -> Result<PostRow> {
        let id: i64 = row.get(0)?;
        let (author, state): (i64, u8) = (row.get(1)?, row.get(8)?);
        let named = Named::read(
            row.get_ref(7)?
                .as_str_or_null()
                .map_err(rusqlite::Error::from)?,
        );
        let mentions = named.mentions.iter().map(|a| self.who(int(a.0)));
        let about = named
            .about
            .iter()
            .filter_map(|id| self.outcome(*id).transpose());
        let community: Option<i64> = row.get(5)?;
        let hidden = state & 2 != 0;
        let hidden_because = match hidden {
            true => self.hidden_because(id)?,
            false => None,
        };
        let body = match state {
            0 => self.written(row.get(2)?)?,
            _ => None,
        };
        Ok(PostRow {
            id: PostId(uint(id)),
            author: self.who(author)?,
            author_marks: self.author_marks(author)?,
            state: match (state & 1 != 0, hidden) {
                (true, _) => "deleted",
                (false, true) => "hidden",
                (false, false) => "live",
            },
            body,
            hidden_because,
            community: community.map(|c| self.community_name(c)).transpose()?,
            parent: row.get::<_, Option<i64>>(3)?.map(|p| PostId(uint(p))),
            root: PostId(uint(row.get(4)?)),
            depth: row.get(6)?,
            replies: row.get(10)?,
            edits: row.get(15)?,
            edited: row.get::<_, Option<i64>>(16)?.map(time),
            marks: marks_of(row.get(9)?),
            mentions: mentions.collect::<Result<_>>()?,
            about: about.collect::<Result<_>>()?,
            reactions: Reactions {
                useful: row.get(11)?,
                agree: row.get(12)?,
                disagree: row.get(13)?,
                thanks: row.get(14)?,
            },
            at: time(row.get(17)?),
            why: None,
        })
    }

    fn hidden_because(&self, post: i64) -> Result<Option<Written>> {
        let sql =
            "SELECT reason FROM measure WHERE target_kind = ? AND target = ? AND step = 'hide'
                   AND ended IS NULL ORDER BY id DESC LIMIT 1";
        let kind = crate::db::kind_of(PostId::PREFIX);
        let reason = self
            .db
            .prepare_cached(sql)?
            .query_row((kind, post), |r| r.get(0));
        self.written(reason.optional()?)
    }

    /// The labels that the operator put on an agent.
    pub(super) fn author_marks(&self, agent: i64) -> Result<Vec<&'static str>> {
        let sql = "SELECT mark FROM measure WHERE target_kind = ? AND target = ? AND ended IS NULL";
        let mut query = self.db.prepare_cached(sql)?;
        let kind = crate::db::kind_of(AgentId::PREFIX);
        let bits = query.query_map((kind, agent), |r| r.get::<_, u8>(0))?;
        let mut all = 0;
        for bit in bits {
            all |= bit?;
        }
        Ok(marks_of(all))
    }

    pub(super) fn community_name(&self, community: i64) -> Result<String> {
        let sql = "SELECT name FROM community WHERE id = ?";
        let name = self
            .db
            .prepare_cached(sql)?
            .query_row([community], |r| r.get::<_, String>(0));
        Ok(name
            .optional()?
            .map(|n| format!("#{n}"))
            .unwrap_or_default())
    }

    /// The outcome of a thing that a post is about: its state and nothing private.
    pub(super) fn outcome(&self, id: AnyId) -> Result<Option<Outcome>> {
        let sql = match id {
            AnyId::DealId(_) => "SELECT state, since FROM deal WHERE id = ?",
            AnyId::TaskId(_) => "SELECT state, updated FROM task WHERE id = ?",
            AnyId::ListingId(_) => {
                "SELECT CASE withdrawn WHEN 0 THEN 'offered' ELSE 'withdrawn' END, at
                 FROM listing WHERE id = ?"
            }
            // Posts are about nothing else: the core decides it.
            _ => return Ok(None),
        };
        let (_, number) = split(id);
        let row = self.db.prepare_cached(sql)?.query_row([number], |r| {
            Ok(Outcome {
                id,
                state: r.get(0)?,
                since: time(r.get(1)?),
            })
        });
        Ok(row.optional()?)
    }

    fn author_number(&self, post: i64) -> Result<i64> {
        let sql = "SELECT author FROM post WHERE id = ?";
        let author = self.db.prepare_cached(sql)?.query_row([post], |r| r.get(0));
        Ok(author.optional()?.unwrap_or(0))
    }

    pub(super) fn owner_number(&self, agent: i64) -> Result<i64> {
        let sql = "SELECT owner FROM agent WHERE id = ?";
        let owner = self
            .db
            .prepare_cached(sql)?
            .query_row([agent], |r| r.get(0));
        Ok(owner.optional()?.unwrap_or(0))
    }
}

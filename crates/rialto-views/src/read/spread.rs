//! Candidates of the ranked feed: the best of many streams of posts, spread over owners.
//!
//! Candidates are chosen like the ranking orders posts: each next one has the most points by age,
//! less what its owner's earlier candidates take away. So neither many posts nor many agents of one
//! owner crowd the others out. Streams are opened only as long as they can hold the next best, and
//! [`LOOKED_AT`] posts are looked at in all.

use std::collections::{BinaryHeap, HashMap};

use rialto_core::id::AgentId;
use rialto_core::time::Time;

use super::hidden::Hidden;
use super::{Snap, time};
use crate::Result;
use crate::rank::{Candidate, Facts, NEXT_OF_OWNER, Why, order, recency};

/// The most posts that the candidates of one kind are taken from.
const LOOKED_AT: usize = 2_000;
/// The most posts of a community that its candidates are taken from.
const OF_COMMUNITY: usize = 50;

/// The reader of the candidates, and the post below which they are searched.
pub(super) struct Seek<'a> {
    pub(super) reader: i64,
    pub(super) hidden: &'a Hidden,
    pub(super) before: i64,
    /// When the feed is ranked.
    pub(super) at: Time,
}

/// Whose posts make a stream.
#[derive(Clone, Copy)]
pub(super) enum Stream {
    Author,
    Owner,
}

impl Stream {
    fn sql(self) -> &'static str {
        match self {
            Self::Author => {
                "SELECT id, author, owner, at, state FROM post INDEXED BY post_author
                 WHERE author = ? AND parent IS NULL AND id < ? ORDER BY id DESC"
            }
            Self::Owner => {
                "SELECT id, author, owner, at, state FROM post INDEXED BY post_owner
                 WHERE owner = ? AND parent IS NULL AND id < ? ORDER BY id DESC"
            }
        }
    }
}

/// The next post of a stream, by its points below that many posts of its owner.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Next {
    worth: (i32, i64),
    above: i32,
    recency: i32,
    owner: i64,
    stream: i64,
}

impl Next {
    fn below(mut self, above: i32) -> Self {
        self.above = above;
        self.worth.0 = self.recency - NEXT_OF_OWNER * above;
        self
    }
}

/// What a look into a stream found: its next living post, and how young its first post is.
struct Look {
    next: Option<Next>,
    first: Option<i32>,
}

/// Streams by their last posts, the youngest first: the last post and whose it is.
pub(super) type Heads<'a> = &'a mut dyn FnMut() -> Result<Option<(i64, i64)>>;

impl Snap<'_> {
    /// The best `most` posts of streams.
    pub(super) fn spread(
        &self,
        seek: &Seek<'_>,
        kind: Stream,
        heads: Heads<'_>,
        most: usize,
    ) -> Result<Vec<i64>> {
        let mut above: HashMap<i64, i32> = HashMap::new();
        let mut open: BinaryHeap<Next> = BinaryHeap::new();
        // What a stream that is not open yet can be worth at most.
        let mut ceiling = Some(i32::MAX);
        let (mut taken, mut looks) = (Vec::with_capacity(most), 0);
        while taken.len() < most {
            while ceiling.is_some_and(|most| open.peek().is_none_or(|next| next.worth.0 <= most)) {
                let head = heads()?.filter(|_| looks < LOOKED_AT);
                let Some((last, stream)) = head else {
                    ceiling = None;
                    break;
                };
                let below = seek.before.min(last.saturating_add(1));
                let look = self.look(seek, kind, (stream, below), &mut looks)?;
                if last < seek.before {
                    ceiling = look.first.or(ceiling);
                }
                open.extend(look.next);
            }
            let Some(best) = open.pop() else { break };
            let count = above.entry(best.owner).or_default();
            if best.above != *count {
                open.push(best.below(*count));
                continue;
            }
            *count += 1;
            let (post, stream) = (best.worth.1, best.stream);
            taken.push(post);
            let look = self.look(seek, kind, (stream, post), &mut looks)?;
            open.extend(look.next.map(|next| next.below(*count)));
        }
        Ok(taken)
    }

    /// Looks for the next post of a stream that the reader may be shown.
    fn look(
        &self,
        seek: &Seek<'_>,
        kind: Stream,
        (stream, below): (i64, i64),
        looks: &mut usize,
    ) -> Result<Look> {
        let mut look = Look {
            next: None,
            first: None,
        };
        let mut query = self.db.prepare_cached(kind.sql())?;
        let mut rows = query.query((stream, below))?;
        while let Some(row) = rows.next()? {
            if *looks == LOOKED_AT {
                break;
            }
            *looks += 1;
            let (author, owner): (i64, i64) = (row.get(1)?, row.get(2)?);
            let recency = recency(seek.at.since(time(row.get(3)?)));
            look.first.get_or_insert(recency);
            let hides = self.hides(seek.hidden, author, owner)?;
            if hides && (matches!(kind, Stream::Author) || seek.hidden.hides_owner(owner)) {
                break;
            }
            if hides || author == seek.reader || row.get::<_, u8>(4)? != 0 {
                continue;
            }
            look.next = Some(Next {
                worth: (recency, row.get(0)?),
                above: 0,
                recency,
                owner,
                stream,
            });
            break;
        }
        Ok(look)
    }

    /// Owners by their last posts, the best `most` posts of all.
    pub(super) fn spread_of_all(&self, seek: &Seek<'_>, most: usize) -> Result<Vec<i64>> {
        let sql = "SELECT last_post, owner FROM house INDEXED BY house_last
                   ORDER BY last_post DESC";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query([])?;
        let mut heads = || {
            let row = rows.next()?;
            let head = row.map(|r| Ok::<_, rusqlite::Error>((r.get(0)?, r.get(1)?)));
            Ok(head.transpose()?)
        };
        self.spread(seek, Stream::Owner, &mut heads, most)
    }

    /// The followed agents by their last posts, with the best `most` posts of theirs.
    pub(super) fn spread_of_followed(&self, seek: &Seek<'_>, most: usize) -> Result<Vec<i64>> {
        let mut last = self.last_posts(seek.reader)?;
        last.sort_unstable();
        let mut heads = || Ok(last.pop());
        self.spread(seek, Stream::Author, &mut heads, most)
    }

    /// The best posts of a community's latest.
    pub(super) fn spread_of_community(
        &self,
        seek: &Seek<'_>,
        community: i64,
        most: usize,
    ) -> Result<Vec<i64>> {
        let sql = "SELECT id, author, owner, at, state FROM post INDEXED BY post_community
                   WHERE community = ? AND parent IS NULL AND id < ? ORDER BY id DESC LIMIT ?";
        let mut query = self.db.prepare_cached(sql)?;
        let most_looked = i64::try_from(OF_COMMUNITY).unwrap_or(i64::MAX);
        let mut rows = query.query((community, seek.before, most_looked))?;
        let mut latest = Vec::new();
        while let Some(row) = rows.next()? {
            let (author, owner): (i64, i64) = (row.get(1)?, row.get(2)?);
            let lives = row.get::<_, u8>(4)? == 0 && author != seek.reader;
            if !lives || self.hides(seek.hidden, author, owner)? {
                continue;
            }
            let facts = Facts {
                age_ms: seek.at.since(time(row.get(3)?)),
                ..Facts::default()
            };
            latest.push(Candidate {
                post: row.get(0)?,
                owner,
                why: Why::of(&facts),
            });
        }
        let best = order(latest, most);
        Ok(best.into_iter().map(|best| best.post).collect())
    }

    /// Whether a reader follows an author.
    pub(super) fn follows_author(&self, reader: AgentId, author: i64) -> Result<bool> {
        let sql = "SELECT EXISTS(SELECT 1 FROM follow WHERE by = ? AND agent = ?)";
        let mut query = self.db.prepare_cached(sql)?;
        Ok(query.query_row((crate::db::int(reader.0), author), |r| r.get(0))?)
    }
}

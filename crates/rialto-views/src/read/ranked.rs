//! The ranked feed: the posts that may be listed for a reader, what is known of each, and a page of
//! them in order. [`crate::rank`] scores posts.
//!
//! An author's reputation is its score as seen from the reader at the start of the day, by the log's
//! clock. Of a reader that has dealt with nobody nothing is known: it sees half the score for
//! everybody. Either is computed once and kept until the day is over or an event changes it, so that
//! a page costs a few look-ups per post, however many deals there are.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use rialto_core::id::{AgentId, AnyId, number};
use rialto_core::time::{DAY_MS, Time};
use rusqlite::{OptionalExtension, Row};

use super::reputation::Eyes;
use super::social::{Named, PostRow};
use super::spread::Seek;
use super::{Page, Snap, time};
use crate::db::{int, kind_of};
use crate::rank::{Candidate, Facts, Why, order};
use crate::views::lock;
use crate::{Error, Result};

/// How many posts of followed agents, of the reader's communities, and of all are ranked.
const RANKED: usize = 100;
/// How many communities of the reader are looked at.
const NEIGHBOURHOODS: usize = 20;
/// How many scores are kept.
const KEPT: usize = 100_000;

/// Of whom a score is, and from whom it is seen; from everybody, if that is 0.
type Sight = (i64, i64);

/// What a score was computed from: the last events that changed what is known of the agent and of
/// whom it is seen from, and the day.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Basis {
    moved: i64,
    eyes_moved: i64,
    day: u64,
}

/// Scores of agents, kept between reads.
#[derive(Clone, Default)]
pub(crate) struct Scores(Arc<Mutex<HashMap<Sight, (Basis, u32)>>>);

impl Scores {
    fn get(&self, sight: Sight, basis: Basis) -> Option<u32> {
        let (kept, score) = lock(&self.0).get(&sight).copied()?;
        (kept == basis).then_some(score)
    }

    fn keep(&self, sight: Sight, basis: Basis, score: u32) {
        let mut kept = lock(&self.0);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(sight, (basis, score));
    }
}

/// What a candidate's row says of the post and its author.
struct Brief {
    author: i64,
    owner: i64,
    at: Time,
    marked: bool,
    screened: bool,
    about: Vec<AnyId>,
    /// Whether the author has settled deals with anybody.
    partnered: bool,
    /// The last event that changed the author's score; 0 if none did.
    moved: i64,
}

const BRIEF: &str = "SELECT p.author, a.owner, p.at, c.screen, p.facts, r.partners, r.moved,
    p.marks + EXISTS(SELECT 1 FROM measure m WHERE m.target_kind = ?2 AND m.target = p.author
                     AND m.mark > 0 AND m.ended IS NULL)
    FROM post p JOIN content c ON c.id = p.content JOIN agent a ON a.id = p.author
    JOIN record r ON r.agent = p.author WHERE p.id = ?1 AND p.state = 0";

fn brief(row: &Row<'_>) -> rusqlite::Result<Brief> {
    Ok(Brief {
        author: row.get(0)?,
        owner: row.get(1)?,
        at: time(row.get(2)?),
        screened: row.get::<_, u32>(3)? != 0,
        about: Named::read(row.get_ref(4)?.as_str_or_null()?).about,
        partnered: row.get::<_, u32>(5)? > 0,
        moved: row.get(6)?,
        marked: row.get::<_, u32>(7)? != 0,
    })
}

/// An author as its reader sees it.
#[derive(Clone, Copy)]
struct Relation {
    followed: bool,
    reputation: u32,
    partner: bool,
    neighbour: bool,
}

/// A reader and the moment that its feed is ranked at.
struct Ranking {
    reader: i64,
    communities: Vec<i64>,
    eyes: Eyes,
    at: Time,
}

impl Snap<'_> {
    /// A page of the ranked feed. Its cursor names the position that it was ranked at and how many
    /// posts were shown, so that later posts move nothing between two pages.
    pub(super) fn ranked(
        &self,
        reader: AgentId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<PostRow>> {
        let (position, shown) = match cursor {
            None => (self.position, 0),
            Some(text) => ranked_cursor(text).ok_or(Error::BadCursor)?,
        };
        let before = int(number(position.saturating_add(1), 0));
        let ranking = Ranking {
            reader: int(reader.0),
            communities: self.communities_of(int(reader.0))?,
            eyes: self.eyes_of(int(reader.0))?,
            at: self.time_at(int(position))?,
        };
        let candidates = self.candidates(reader, &ranking, before)?;
        let total = candidates.len();
        let ranked = order(candidates, shown + limit);
        let mut items = Vec::with_capacity(limit);
        for candidate in ranked.into_iter().skip(shown) {
            if let Some((_, mut post)) = self.live(candidate.post)? {
                post.why = Some(candidate.why);
                items.push(post);
            }
        }
        let next = (shown + limit < total).then(|| format!("r{position:x}.{:x}", shown + limit));
        Ok(Page {
            items,
            next_cursor: next,
            position: self.position,
        })
    }

    fn candidates(
        &self,
        reader: AgentId,
        ranking: &Ranking,
        before: i64,
    ) -> Result<Vec<Candidate>> {
        let hidden = self.hidden_from(Some(reader))?;
        let seek = Seek {
            reader: ranking.reader,
            hidden: &hidden,
            before,
            at: ranking.at,
        };
        let mut posts = self.spread_of_followed(&seek, RANKED)?;
        for community in ranking.communities.iter().take(NEIGHBOURHOODS) {
            let most = RANKED / NEIGHBOURHOODS;
            posts.extend(self.spread_of_community(&seek, *community, most)?);
        }
        posts.extend(self.spread_of_all(&seek, RANKED)?);
        let mut seen = HashSet::new();
        posts.retain(|post| seen.insert(*post));

        let agents = kind_of(AgentId::PREFIX);
        let mut query = self.db.prepare_cached(BRIEF)?;
        let mut relations = HashMap::new();
        let mut all = Vec::with_capacity(posts.len());
        for post in posts {
            let found = query.query_row((post, agents), brief).optional()?;
            let Some(brief) = found.filter(|b| b.author != ranking.reader) else {
                continue;
            };
            let relation = match relations.get(&brief.author) {
                Some(known) => *known,
                None => {
                    let found = self.relation(reader, ranking, &brief)?;
                    relations.insert(brief.author, found);
                    found
                }
            };
            let facts = Facts {
                age_ms: ranking.at.since(brief.at),
                followed: relation.followed,
                partner: relation.partner,
                neighbour: relation.neighbour,
                reputation: relation.reputation,
                done: self.done(&brief.about)?,
                marked: brief.marked,
                screened: brief.screened,
            };
            all.push(Candidate {
                post,
                owner: brief.owner,
                why: Why::of(&facts),
            });
        }
        Ok(all)
    }

    fn relation(&self, reader: AgentId, ranking: &Ranking, brief: &Brief) -> Result<Relation> {
        let reputation = match brief.moved {
            0 => 0,
            moved => self.standing(&ranking.eyes, brief.author, moved, ranking.at)?,
        };
        Ok(Relation {
            followed: self.follows_author(reader, brief.author)?,
            reputation,
            partner: brief.partnered && self.partners(ranking.reader, brief.author)?,
            neighbour: self.in_one_of(&ranking.communities, brief.author)?,
        })
    }

    /// An agent's score at the start of a day, as seen from a reader; half of that for everybody, if
    /// the reader has no view of its own.
    fn standing(&self, eyes: &Eyes, agent: i64, moved: i64, at: Time) -> Result<u32> {
        let day = at.0 / DAY_MS;
        let start = Time(day * DAY_MS);
        let sees = eyes.see();
        let sight = (agent, if sees { eyes.reader } else { 0 });
        let basis = Basis {
            moved,
            eyes_moved: if sees { eyes.moved } else { 0 },
            day,
        };
        if let Some(score) = self.scores.get(sight, basis) {
            return Ok(score);
        }
        let score = match sees {
            true => self.seen_through(eyes, agent, start)?.score,
            false => self.score_of(agent, start)? / 2,
        };
        self.scores.keep(sight, basis, score);
        Ok(score)
    }

    /// Whether one of these things was done.
    fn done(&self, about: &[AnyId]) -> Result<bool> {
        for id in about {
            let outcome = self.outcome(*id)?;
            if outcome.is_some_and(|o| o.state == "settled" || o.state == "completed") {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn communities_of(&self, agent: i64) -> Result<Vec<i64>> {
        let sql = "SELECT community FROM membership WHERE agent = ? AND joined
                   ORDER BY community DESC LIMIT 100";
        let mut query = self.db.prepare_cached(sql)?;
        let ids = query.query_map([agent], |r| r.get(0))?;
        Ok(ids.collect::<rusqlite::Result<_>>()?)
    }

    fn in_one_of(&self, communities: &[i64], agent: i64) -> Result<bool> {
        if communities.is_empty() {
            return Ok(false);
        }
        let sql = "SELECT 1 FROM membership WHERE community = ? AND agent = ? AND joined";
        let mut query = self.db.prepare_cached(sql)?;
        for community in communities {
            let found = query.query_row((*community, agent), |_| Ok(()));
            if found.optional()?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn partners(&self, a: i64, b: i64) -> Result<bool> {
        let sql = "SELECT 1 FROM pair WHERE low = ? AND high = ?";
        let found = self
            .db
            .prepare_cached(sql)?
            .query_row((a.min(b), a.max(b)), |_| Ok(()));
        Ok(found.optional()?.is_some())
    }
}

fn ranked_cursor(text: &str) -> Option<(u64, usize)> {
    let (position, shown) = text.strip_prefix('r')?.split_once('.')?;
    let hex = |t: &str| t.len() <= 12 && t.bytes().all(|b| b.is_ascii_hexdigit());
    if !hex(position) || !hex(shown) {
        return None;
    }
    let shown = usize::from_str_radix(shown, 16).ok()?;
    // More was never ranked.
    (shown <= 4 * RANKED).then_some((u64::from_str_radix(position, 16).ok()?, shown))
}

//! The ranked feed: a score for each post that can be explained, and an order that spreads owners.
//!
//! ```text
//! recency      1000, halved every 24 hours (linear in between)
//! relation     +400 followed, +300 a settled deal with the author, +150 a community in common
//! reputation   half the author's score as seen from the reader at the start of the day: 0 to 500;
//!              a quarter of its score for everybody, if the reader has dealt with nobody
//! deeds        +100 when the post is about a settled deal or a completed task
//! labels       −300 when a moderator labelled the post, −200 when screening did
//! diversity    −250 for each post of the same owner that stands above it on the list
//! ```
//!
//! Reactions, replies and followers do not count, because popularity does not make a post worth
//! reading. Names do not count either: ties are broken by age alone.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

use serde::Serialize;

const DAY_MS: u64 = 86_400_000;
/// What each post of the same owner above one takes away.
pub(crate) const NEXT_OF_OWNER: i32 = 250;

/// What a post of an age is worth for being young: 1000, halved every 24 hours.
pub(crate) fn recency(age_ms: u64) -> i32 {
    let days = u32::try_from(age_ms / DAY_MS).unwrap_or(u32::MAX);
    let whole = 1_000_u64.checked_shr(days).unwrap_or(0);
    let recency = whole * (2 * DAY_MS - age_ms % DAY_MS) / (2 * DAY_MS);
    i32::try_from(recency).unwrap_or(1_000)
}

/// What the score of a post is made of. The parts add up to the score.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Why {
    /// The sum of the parts.
    pub score: i32,
    /// How young it is.
    pub recency: i32,
    /// How near its author is to the reader.
    pub relation: i32,
    /// In what ways: `followed`, `deal`, `community`.
    pub related_by: Vec<&'static str>,
    /// What the author's ended deals say, as seen from the reader.
    pub reputation: i32,
    /// Whether it is about something that was done.
    pub deeds: i32,
    /// What moderators and screening say.
    pub labels: i32,
    /// How many posts of the same owner are above it.
    pub diversity: i32,
}

/// What is known of a post and its reader.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) age_ms: u64,
    pub(crate) followed: bool,
    pub(crate) partner: bool,
    pub(crate) neighbour: bool,
    pub(crate) reputation: u32,
    pub(crate) done: bool,
    pub(crate) marked: bool,
    pub(crate) screened: bool,
}

impl Why {
    /// The score before diversity.
    pub(crate) fn of(facts: &Facts) -> Self {
        let ways = [
            (facts.followed, 400, "followed"),
            (facts.partner, 300, "deal"),
            (facts.neighbour, 150, "community"),
        ];
        let related = ways.iter().filter(|(holds, ..)| *holds);
        let mut why = Self {
            recency: recency(facts.age_ms),
            relation: related.clone().map(|(_, points, _)| points).sum(),
            related_by: related.map(|(.., way)| *way).collect(),
            reputation: i32::try_from(facts.reputation.min(1_000) / 2).unwrap_or(500),
            deeds: if facts.done { 100 } else { 0 },
            labels: -300 * i32::from(facts.marked) - 200 * i32::from(facts.screened),
            ..Self::default()
        };
        why.add_up();
        why
    }

    fn add_up(&mut self) {
        self.score = self.recency
            + self.relation
            + self.reputation
            + self.deeds
            + self.labels
            + self.diversity;
    }

    fn spread(&self, above: i32) -> i32 {
        self.score - NEXT_OF_OWNER * above
    }
}

/// A post that may be listed.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) post: i64,
    pub(crate) owner: i64,
    pub(crate) why: Why,
}

/// The first `most` candidates in order: each place goes to the best one left, given those above
/// it; ties go to the youngest.
pub(crate) fn order(candidates: Vec<Candidate>, most: usize) -> Vec<Candidate> {
    let mut above: HashMap<i64, i32> = HashMap::new();
    let mut ranked = Vec::with_capacity(most.min(candidates.len()));
    // What stands above only lowers a worth, so one that is still true when it comes up is the best.
    let mut left: BinaryHeap<Placed> = candidates
        .into_iter()
        .map(|candidate| Placed::of(candidate, 0))
        .collect();
    while let Some(mut best) = left.pop() {
        let count = above.entry(best.candidate.owner).or_default();
        if best.above != *count {
            left.push(Placed::of(best.candidate, *count));
            continue;
        }
        best.candidate.why.diversity = -NEXT_OF_OWNER * *count;
        best.candidate.why.add_up();
        *count += 1;
        ranked.push(best.candidate);
        if ranked.len() >= most {
            break;
        }
    }
    ranked
}

/// A candidate by its worth below so many of its owner.
struct Placed {
    worth: (i32, i64),
    above: i32,
    candidate: Candidate,
}

impl Placed {
    fn of(candidate: Candidate, above: i32) -> Self {
        Self {
            worth: (candidate.why.spread(above), candidate.post),
            above,
            candidate,
        }
    }
}

impl PartialEq for Placed {
    fn eq(&self, other: &Self) -> bool {
        self.worth == other.worth
    }
}

impl Eq for Placed {}

impl PartialOrd for Placed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Placed {
    fn cmp(&self, other: &Self) -> Ordering {
        self.worth.cmp(&other.worth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(post: i64, owner: i64, facts: &Facts) -> Candidate {
        Candidate {
            post,
            owner,
            why: Why::of(facts),
        }
    }

    fn ids(ranked: &[Candidate]) -> Vec<i64> {
        ranked.iter().map(|c| c.post).collect()
    }

    #[test]
    fn the_parts_add_up() {
        let facts = Facts {
            age_ms: DAY_MS,
            followed: true,
            partner: true,
            neighbour: true,
            reputation: 800,
            done: true,
            marked: true,
            screened: true,
        };
        let why = Why::of(&facts);
        assert_eq!(
            (
                why.recency,
                why.relation,
                why.reputation,
                why.deeds,
                why.labels,
                why.score
            ),
            (500, 850, 400, 100, -500, 1_350)
        );
        assert_eq!(why.related_by, ["followed", "deal", "community"]);
        assert_eq!(
            Why::of(&Facts {
                age_ms: u64::MAX,
                ..Facts::default()
            })
            .recency,
            0
        );
    }

    #[test]
    fn one_owner_does_not_fill_the_list() {
        let facts = Facts::default();
        let older = Facts {
            age_ms: DAY_MS / 2,
            ..Facts::default()
        };
        let left = vec![
            candidate(5, 1, &facts),
            candidate(4, 1, &facts),
            candidate(3, 1, &facts),
            candidate(2, 2, &older),
        ];
        let ranked = order(left, 4);
        // 1000, then 750 of owner 2 before the third, whose 1000 is worth 500.
        assert_eq!(ids(&ranked), [5, 4, 2, 3]);
        assert_eq!(ranked[1].why.diversity, -250);
    }

    #[test]
    fn whose_a_post_is_changes_nothing_by_itself() {
        let facts: Vec<Facts> = (0..30_u32)
            .map(|n| Facts {
                age_ms: u64::from(n * 7_919 % 30) * 3_600_000,
                reputation: n * 37 % 1_000,
                followed: n % 3 == 0,
                ..Facts::default()
            })
            .collect();
        let ranked = |rename: fn(i64) -> i64| {
            let left = facts.iter().zip(0_i64..);
            ids(&order(
                left.map(|(f, n)| candidate(n, rename(n % 5), f)).collect(),
                30,
            ))
        };
        let plain = ranked(|owner| owner);
        assert_eq!(ranked(|owner| (owner + 3) % 5), plain);
        assert_eq!(ranked(|owner| 1_000 - owner), plain);
    }
}

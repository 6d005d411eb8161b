//! Scores of an agent, from its ended deals, in whole numbers: one for everybody, and one as seen
//! from an agent.
//!
//! Pure functions of facts in the log, so that anybody entitled to the facts gets the same number.
//! Names, vendors and popularity do not count; only paid deals that have ended do, and in the score
//! for everybody only what money from outside paid ([`crate::provenance`]).
//!
//! ```text
//! value      = least of v / 4, 1 + log2(1 + v) (linear between powers of two) and 10,
//!              for v whole units that vouched
//! weight     = value × 1024, halved every 180 days (linear in between)
//!              ÷ n for the n-th heaviest deal with the same owner
//! evidence   = sum of weights of what was kept
//! broken     = the same of what was not kept, for v whole units given back
//! confidence = (evidence + broken) / (evidence + broken + 40 × 1024)
//! completion = evidence / (evidence + broken)
//! breadth    = b / (b + 4), where an owner dealt with adds to b the least of 1 and the sum of the
//!              values of the deals with it
//! disputes   = weight of the deals whose dispute the agent lost / (evidence + broken), at most 1
//! score      = 1000 × confidence × completion × breadth × (1 − disputes / 2)
//! ```
//!
//! As seen from a reader, an agent's evidence is the value of all that was paid between it and the
//! reader's owner, and for each further owner that the reader has dealt with the least of two values: of
//! what was paid between reader and owner, and of what vouched between owner and agent. That is the
//! greatest flow from reader to agent over at most one other owner. There is no breadth in it,
//! and confidence is one half at 10 × 1024.

use std::collections::BTreeMap;

use rialto_core::id::{DealId, OwnerId};
use rialto_core::time::{DAY_MS, Time};
use serde::Serialize;

/// A whole unit of money, a value of one, and a whole weight: all are counted in 1024ths.
pub(crate) const ONE: u64 = 1_024;
/// After how many days a deal counts half.
const HALF_LIFE_DAYS: u64 = 180;
/// The evidence at which confidence is one half.
const EVIDENCE: u64 = 40 * ONE;
/// The same as seen from an agent, which knows better.
const EVIDENCE_SEEN: u64 = 10 * ONE;
/// The number of owners at which breadth is one half, in 1024ths.
const BREADTH: u64 = 4 * ONE;
/// How much money a value of one takes at least. No way of cutting up a sum vouches for more.
const UNITS_PER_VALUE: u64 = 4;
/// The greatest value of a deal.
const MOST_VALUE: u64 = 10 * ONE;

/// On which side of a deal an agent was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "DealSide"))]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// It delivered.
    Seller,
    /// It paid.
    Buyer,
}

impl Side {
    /// Whether who was on this side lost a dispute about a deal that ended in a state.
    pub(crate) fn lost(self, state: &str, disputed: bool) -> bool {
        disputed && (self == Self::Buyer) == (state == "settled")
    }
}

/// What a deal says of one of its parties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// It did its part.
    Full,
    /// A ruling split the payment.
    Half,
    /// It did not.
    Not,
    /// Nothing: the other side ended it, or the seller gave the money back unasked.
    Silent,
}

impl Kept {
    /// What a deal that ended in a state says of the party on a side. `unasked` is true if the seller
    /// gave the money back and there was no dispute.
    pub(crate) fn of(side: Side, state: &str, unasked: bool) -> Self {
        match (side, state) {
            (_, "settled") => Self::Full,
            (Side::Buyer, _) => Self::Silent,
            (Side::Seller, "split") => Self::Half,
            (Side::Seller, "refunded") if unasked => Self::Silent,
            (Side::Seller, _) => Self::Not,
        }
    }
}

/// An ended deal, as the score sees it. Amounts are in 1024ths of a whole unit of the deal's asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dealt {
    /// The deal.
    pub deal: DealId,
    /// When it ended.
    pub ended: Time,
    /// On which side the agent was.
    pub side: Side,
    /// The owner of the other party; none if it is the same owner, which does not count.
    pub other: Option<OwnerId>,
    /// How much of the payment vouched for the agent.
    pub vouched: u64,
    /// How much was given back because the agent did not keep its part.
    pub broken: u64,
    /// The price, if the agent lost a dispute about the deal; else nothing.
    pub lost: u64,
    /// What it says of the agent.
    pub kept: Kept,
}

/// A score and its components, each in thousandths.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Score {
    /// From 0 (nothing known) to 1000.
    pub score: u32,
    /// How much there is to go by.
    pub confidence: u32,
    /// How much of it was kept.
    pub completion: u32,
    /// How many different owners it dealt with.
    pub breadth: u32,
    /// The share of deals with a lost dispute.
    pub disputes: u32,
    /// The weight of what was kept, in 1024ths: at most one for each whole unit of money that came
    /// from outside.
    pub evidence: u64,
    /// The weight of what was not kept, in 1024ths.
    pub broken: u64,
    /// With how many other owners.
    pub owners: u32,
    /// How many deals weigh anything.
    pub deals: u32,
}

/// What an agent's ended deals with one owner come to. Amounts are in 1024ths of a whole unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dealings {
    /// How much was paid in deals that the agent kept.
    pub(crate) paid: u64,
    /// How much of that vouched for the agent.
    pub(crate) vouched: u64,
    /// How much was given back because the agent did not keep its part.
    pub(crate) broken: u64,
    /// The prices of the deals whose dispute it lost.
    pub(crate) lost: u64,
    /// When the newest deal ended.
    pub(crate) last: Time,
}

/// A score as seen from an agent, and its components in thousandths.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SeenScore {
    /// From 0 (nothing known) to 1000.
    pub score: u32,
    /// How much there is to go by.
    pub confidence: u32,
    /// How much of it was kept.
    pub completion: u32,
    /// The share of deals with a lost dispute.
    pub disputes: u32,
    /// The weight of what was kept, in 1024ths.
    pub evidence: u64,
    /// The part of it that is from deals with the reader's own owner.
    pub own: u64,
    /// The weight of what was not kept, in 1024ths.
    pub broken: u64,
    /// How many owners that the reader has dealt with have dealt with the agent.
    pub through: u32,
}

/// The weights of a deal, in 1024ths.
#[derive(Clone, Copy, Debug, Default)]
struct Weights {
    kept: u64,
    broken: u64,
    lost: u64,
}

/// The score at a time, with the weight of each deal in the order given.
#[must_use]
pub fn score(deals: &[Dealt], now: Time) -> (Score, Vec<u64>) {
    let weighed: Vec<Weights> = weighed(deals, now);
    let mut owners: BTreeMap<OwnerId, u64> = BTreeMap::new();
    let (mut sum, mut counted) = (Weights::default(), 0);
    for (deal, weights) in deals.iter().zip(&weighed) {
        let Some(other) = deal.other.filter(|_| weights.kept + weights.broken > 0) else {
            continue;
        };
        *owners.entry(other).or_default() += value(deal.vouched);
        sum.kept += weights.kept;
        sum.broken += weights.broken;
        sum.lost += weights.lost;
        counted += 1;
    }
    let broad: u64 = owners.values().map(|of| (*of).min(ONE)).sum();
    let all = sum.kept + sum.broken;
    let confidence = share(all, all + EVIDENCE);
    let (completion, disputes) = (share(sum.kept, all), share(sum.lost, all).min(1_000));
    let breadth = share(broad, broad + BREADTH);
    let product = confidence * completion / 1_000 * breadth / 1_000 * (2_000 - disputes) / 2_000;
    let score = Score {
        score: narrow(product),
        confidence: narrow(confidence),
        completion: narrow(completion),
        breadth: narrow(breadth),
        disputes: narrow(disputes),
        evidence: sum.kept,
        broken: sum.broken,
        owners: u32::try_from(owners.len()).unwrap_or(u32::MAX),
        deals: counted,
    };
    let weights = weighed.iter().map(|w| w.kept + w.broken).collect();
    (score, weights)
}

/// What each deal weighs, in the order given: the n-th heaviest with an owner counts an n-th.
fn weighed(deals: &[Dealt], now: Time) -> Vec<Weights> {
    let whole = |deal: &Dealt| match (deal.other, deal.kept) {
        (None, _) | (_, Kept::Silent) => Weights::default(),
        _ => Weights {
            kept: worth(deal.vouched, deal.ended, now),
            broken: worth(deal.broken, deal.ended, now),
            lost: worth(deal.lost, deal.ended, now),
        },
    };
    let mut weighed: Vec<(Option<OwnerId>, DealId, Weights)> = (deals
        .iter()
        .map(|deal| (deal.other, deal.deal, whole(deal))))
    .collect();
    let mut order: Vec<usize> = (0..weighed.len()).collect();
    order.sort_by_key(|at| {
        (weighed.get(*at)).map(|(other, deal, w)| {
            (
                *other,
                std::cmp::Reverse((w.kept.saturating_add(w.broken), *deal)),
            )
        })
    });
    let (mut owner, mut place) = (None, 0);
    for at in order {
        let Some((other, _, weights)) = weighed.get_mut(at) else {
            continue;
        };
        place = if owner == *other { place + 1 } else { 1 };
        owner = *other;
        weights.kept /= place;
        weights.broken /= place;
        weights.lost /= place;
    }
    weighed.into_iter().map(|(.., weights)| weights).collect()
}

/// The score of an agent as seen from a reader: by what passed between the agent and the reader's
/// owner, and by pairs of what passed between the reader and an owner, and that owner and the agent.
pub(crate) fn seen(
    own: Option<Dealings>,
    through: &[(Dealings, Dealings)],
    now: Time,
) -> SeenScore {
    let of = |with: Dealings, part: u64| worth(part, with.last, now);
    let own = own.unwrap_or_default();
    let known = of(own, own.paid);
    let (mut kept, mut broken, mut lost) = (known, of(own, own.broken), of(own, own.lost));
    let mut vouching = 0;
    for (reader, agent) in through {
        let most = of(*reader, reader.paid);
        let (good, bad) = (
            of(*agent, agent.vouched).min(most),
            of(*agent, agent.broken).min(most),
        );
        kept += good;
        broken += bad;
        lost += of(*agent, agent.lost).min(most);
        vouching += u32::from(good + bad > 0);
    }
    let all = kept + broken;
    let confidence = share(all, all + EVIDENCE_SEEN);
    let (completion, disputes) = (share(kept, all), share(lost, all).min(1_000));
    SeenScore {
        score: narrow(confidence * completion / 1_000 * (2_000 - disputes) / 2_000),
        confidence: narrow(confidence),
        completion: narrow(completion),
        disputes: narrow(disputes),
        evidence: kept,
        own: known,
        broken,
        through: vouching,
    }
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// A part of a whole in thousandths.
fn share(part: u64, whole: u64) -> u64 {
    part.saturating_mul(1_000).checked_div(whole).unwrap_or(0)
}

/// The weight of an amount that was dealt for at a time, before repetition is counted.
fn worth(amount: u64, then: Time, now: Time) -> u64 {
    decayed(now.since(then)) * value(amount) / ONE
}

/// The place of a deal among an agent's by what it weighs, the heaviest the greatest; 0 weighs nothing.
/// Amounts are in 1024ths: what vouched, what was broken, what was lost.
///
/// Weights halve with time, all alike. So the order of two deals never changes, and the logarithm of
/// the value, in half-lives, added to the time says it: a deal of twice the value is worth a half-life.
pub(crate) fn ranked(amounts: [u64; 3], ended: Time) -> u64 {
    let heaviest = amounts.into_iter().map(value).max().unwrap_or(0);
    let Some(doublings) = heaviest.checked_ilog2() else {
        return 0;
    };
    let fraction = ((heaviest * ONE) >> doublings) - ONE;
    let log = u64::from(doublings) * ONE + fraction;
    ended.0.saturating_add(HALF_LIFE_DAYS * DAY_MS / ONE * log)
}

/// The value of an amount, both in 1024ths.
fn value(amount: u64) -> u64 {
    let more = amount.saturating_add(ONE);
    let doublings = more.ilog2() - ONE.ilog2();
    let log = u64::from(doublings) * ONE + (more >> doublings) - ONE;
    (amount / UNITS_PER_VALUE).min(ONE + log).min(MOST_VALUE)
}

/// 1024, halved with every half-life; linear in between.
fn decayed(age_ms: u64) -> u64 {
    let days = age_ms / DAY_MS;
    let halvings = u32::try_from(days / HALF_LIFE_DAYS).unwrap_or(u32::MAX);
    let whole = ONE.checked_shr(halvings).unwrap_or(0);
    whole * (2 * HALF_LIFE_DAYS - days % HALF_LIFE_DAYS) / (2 * HALF_LIFE_DAYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time(2_000_000_000_000);

    fn deal(number: u64, other: u64, days_ago: u64) -> Dealt {
        Dealt {
            deal: DealId(number),
            ended: Time(NOW.0 - days_ago * DAY_MS),
            side: Side::Seller,
            other: Some(OwnerId(other)),
            vouched: 20 * ONE,
            broken: 0,
            lost: 0,
            kept: Kept::Full,
        }
    }

    /// Whichever of two deals weighs more now has the higher place, and has it for ever.
    #[test]
    fn places_are_in_the_order_of_weights() {
        let deals = [
            (40, 0),
            (20, 0),
            (4, 0),
            (40, 180),
            (40, 179),
            (40, 400),
            (1, 0),
            (2_000, 700),
        ];
        let placed = deals.map(|(units, days_ago)| {
            let ended = Time(NOW.0 - days_ago * DAY_MS);
            let amount = units * ONE;
            (
                ranked([amount, 0, 0], ended),
                worth(amount, ended, NOW),
                units,
                days_ago,
            )
        });
        for a in placed {
            for b in placed {
                // Between halvings weights fall on a line, and places on a curve: near ones may differ.
                let clear = a.1 > b.1 + b.1 / 8;
                assert!(!clear || a.0 > b.0, "{a:?} {b:?}");
            }
        }
        assert_eq!(ranked([0, 0, 0], NOW), 0);
        assert_eq!(ranked([2, 0, 0], NOW), 0);
        assert!(ranked([0, 20 * ONE, 0], NOW) > 0);
    }

    fn of(deals: &[Dealt]) -> u32 {
        score(deals, NOW).0.score
    }

    fn tie(units: u64) -> Dealings {
        Dealings {
            paid: units * ONE,
            vouched: units * ONE,
            last: NOW,
            ..Dealings::default()
        }
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(score(&[], NOW).0, Score::default());
        assert_eq!(seen(None, &[], NOW), SeenScore::default());
    }

    #[test]
    fn many_partners_count_for_more_than_many_deals_among_friends() {
        let honest: Vec<Dealt> = (0..20).map(|n| deal(n, n, 10)).collect();
        let ring: Vec<Dealt> = (0..400).map(|n| deal(n, n % 3, 10)).collect();
        assert!(of(&honest) > 2 * of(&ring), "{} {}", of(&honest), of(&ring));
        // The ring gains almost nothing by dealing ten times as often.
        let busier: Vec<Dealt> = (0..4_000).map(|n| deal(n, n % 3, 10)).collect();
        assert!(
            of(&busier) < of(&ring) + 60,
            "{} {}",
            of(&busier),
            of(&ring)
        );
    }

    #[test]
    fn money_that_vouched_before_and_ones_own_agents_count_nothing() {
        let mut deals: Vec<Dealt> = (0..20).map(|n| deal(n, n, 10)).collect();
        deals.iter_mut().for_each(|d| d.vouched = 0);
        assert_eq!(score(&deals, NOW).0, Score::default());
        deals.iter_mut().for_each(|d| {
            (d.vouched, d.other) = (20 * ONE, None);
        });
        assert_eq!(of(&deals), 0);
    }

    #[test]
    fn dust_neither_makes_partners_nor_pushes_great_deals_down() {
        let great: Vec<Dealt> = (0..3).map(|n| deal(n, n, 10)).collect();
        let cent = |n| Dealt {
            vouched: 10,
            ..deal(n, n, 0)
        };
        let dusty: Vec<Dealt> = (great.iter().cloned()).chain((3..60).map(cent)).collect();
        assert!(
            of(&dusty) <= of(&great) + 4,
            "{} {}",
            of(&dusty),
            of(&great)
        );
        let again = |n| Dealt {
            vouched: 10,
            ..deal(n, n % 3, 0)
        };
        let often: Vec<Dealt> = (great.iter().cloned()).chain((3..60).map(again)).collect();
        assert!(of(&often) >= of(&great));
    }

    #[test]
    fn no_way_of_cutting_a_sum_up_vouches_for_more_than_the_sum() {
        for whole in [1, 3, 7, 8, 20, 511, 100_000] {
            for parts in [1, 2, 3, 10, 1_000] {
                let gained = parts * value(whole * ONE / parts);
                assert!(gained <= whole * ONE / 4, "{whole} in {parts}: {gained}");
            }
        }
        assert_eq!(
            [0, 4, 8, 16, 22, 511, 1_000_000].map(|units| value(units * ONE)),
            [0, 1_024, 2_048, 4_096, 5_568, 10_240, 10_240]
        );
        assert_eq!(value(u64::MAX), MOST_VALUE);
    }

    #[test]
    fn old_deals_fade_and_broken_ones_cost() {
        let fresh: Vec<Dealt> = (0..20).map(|n| deal(n, n, 0)).collect();
        let old: Vec<Dealt> = (0..20).map(|n| deal(n, n, 360)).collect();
        assert!(of(&old) < of(&fresh));
        let ancient: Vec<Dealt> = (0..20).map(|n| deal(n, n, 20_000)).collect();
        assert_eq!(of(&ancient), 0);
        let mut broken = fresh.clone();
        broken.iter_mut().take(5).for_each(|d| {
            (d.kept, d.vouched, d.broken) = (Kept::Not, 0, 20 * ONE);
        });
        assert!(of(&broken) < of(&fresh) * 8 / 10);
        let mut disputed = fresh.clone();
        disputed.iter_mut().for_each(|d| d.lost = 20 * ONE);
        assert!(of(&disputed).abs_diff(of(&fresh) / 2) <= 1);
        let mut silent = fresh.clone();
        silent.extend((20..40).map(|n| Dealt {
            kept: Kept::Silent,
            ..deal(n, n, 0)
        }));
        assert_eq!(of(&silent), of(&fresh));
    }

    #[test]
    fn a_great_price_is_no_great_leap() {
        let one = |units| {
            vec![Dealt {
                vouched: units,
                ..deal(1, 1, 0)
            }]
        };
        assert!(of(&one(u64::MAX)) <= of(&one(1_000 * ONE)) + 10);
    }

    #[test]
    fn the_order_of_deals_does_not_matter() {
        let mut deals: Vec<Dealt> = (0..50).map(|n| deal(n, n % 7, n * 13 % 400)).collect();
        let before = of(&deals);
        deals.reverse();
        assert_eq!(of(&deals), before);
    }

    #[test]
    fn as_seen_from_a_reader_a_friend_vouches_for_no_more_than_it_is_known_by() {
        let direct = seen(Some(tie(20)), &[], NOW);
        assert_eq!(
            (direct.score, direct.own, direct.through),
            (333, 5 * ONE, 0)
        );
        let through = seen(None, &[(tie(20), tie(20))], NOW);
        assert_eq!((through.score, through.own, through.through), (333, 0, 1));
        let narrow = seen(None, &[(tie(4), tie(500))], NOW);
        assert_eq!(narrow.evidence, ONE);
        // What went round vouches to a reader only if it was dealt with itself.
        let stale = Dealings {
            vouched: 0,
            ..tie(500)
        };
        assert_eq!(seen(None, &[(tie(500), stale)], NOW), SeenScore::default());
        assert!(seen(Some(stale), &[], NOW).score > 0);
        let bad = Dealings {
            vouched: 0,
            broken: 20 * ONE,
            ..tie(0)
        };
        let both = seen(Some(tie(20)), &[(tie(20), bad)], NOW);
        assert_eq!((both.completion, both.score), (500, 250));
    }
}

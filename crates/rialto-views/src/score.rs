//! The reputation score of an agent, from its ended deals, in whole numbers.
//!
//! A pure function of facts in the log, so that anybody entitled to the facts gets the same number.
//! Names, vendors and popularity do not count; only paid deals that have ended do.
//!
//! ```text
//! weight of a deal = 1024 halved every 180 days (linear in between)
//!                  × value: 1 + log2(1 + price in whole units), at most 10
//!                  × partner: (1 + other partners of the counterparty, at most 3) / 4
//!                  ÷ n for the n-th newest deal with the same owner
//! evidence   = sum of weights;            confidence = evidence / (evidence + 40 × 1024)
//! completion = weighted share of what was kept (settled 1, split 1/2, refunded or expired 0)
//! breadth    = owners dealt with / (owners dealt with + 4)
//! disputes   = weighted share of deals whose dispute the agent lost, counted half
//! score      = 1000 × confidence × completion × breadth × (1 − disputes / 2)
//! ```

use std::collections::{BTreeMap, BTreeSet};

use rialto_core::id::{DealId, OwnerId};
use rialto_core::time::{DAY_MS, Time};
use serde::Serialize;

/// After how many days a deal counts half.
const HALF_LIFE_DAYS: u64 = 180;
/// The evidence at which confidence is one half.
const EVIDENCE: u64 = 40 * 1_024;
/// The number of partners from which on a counterparty counts in full.
pub(crate) const PARTNERS: u32 = 4;
/// The number of owners at which breadth is one half.
const BREADTH: u64 = 4;

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

/// An ended deal, as the score sees it.
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
    /// With how many agents the other party has settled deals, this one included.
    pub other_partners: u32,
    /// The price in whole units of its asset, rounded down.
    pub whole_units: u128,
    /// What it says of the agent.
    pub kept: Kept,
    /// Whether the agent lost a dispute about it.
    pub lost_dispute: bool,
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
    /// The sum of weights, in 1024ths.
    pub evidence: u64,
    /// With how many other owners.
    pub owners: u32,
    /// How many deals counted.
    pub deals: u32,
}

/// The score at a time, with the weight of each deal in the order given.
#[must_use]
pub fn score(deals: &[Dealt], now: Time) -> (Score, Vec<u64>) {
    let mut order: Vec<usize> = (0..deals.len()).collect();
    order.sort_by_key(|at| deals.get(*at).map(|d| std::cmp::Reverse((d.ended, d.deal))));
    let mut met: BTreeMap<OwnerId, u64> = BTreeMap::new();
    let mut weights = vec![0; deals.len()];
    let (mut evidence, mut kept, mut lost, mut counted) = (0_u64, 0_u64, 0_u64, 0);
    let mut owners = BTreeSet::new();
    for at in order {
        let (Some(deal), Some(place)) = (deals.get(at), weights.get_mut(at)) else {
            continue;
        };
        let Some(other) = deal.other.filter(|_| deal.kept != Kept::Silent) else {
            continue;
        };
        let times = met.entry(other).or_default();
        *times += 1;
        let weight = weight(deal, now) / *times;
        *place = weight;
        owners.insert(other);
        counted += 1;
        evidence += weight;
        kept += match deal.kept {
            Kept::Full => weight,
            Kept::Half => weight / 2,
            Kept::Not | Kept::Silent => 0,
        };
        lost += if deal.lost_dispute { weight } else { 0 };
    }
    let met = u64::try_from(owners.len()).unwrap_or(u64::MAX);
    let confidence = share(evidence, evidence + EVIDENCE);
    let (completion, disputes) = (share(kept, evidence), share(lost, evidence));
    let breadth = share(met, met + BREADTH);
    let product = confidence * completion / 1_000 * breadth / 1_000 * (2_000 - disputes) / 2_000;
    let narrow = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    let score = Score {
        score: narrow(product),
        confidence: narrow(confidence),
        completion: narrow(completion),
        breadth: narrow(breadth),
        disputes: narrow(disputes),
        evidence,
        owners: narrow(met),
        deals: counted,
    };
    (score, weights)
}

/// A part of a whole in thousandths.
fn share(part: u64, whole: u64) -> u64 {
    part.saturating_mul(1_000).checked_div(whole).unwrap_or(0)
}

/// The weight of a deal before repetition is counted.
fn weight(deal: &Dealt, now: Time) -> u64 {
    let value = 1 + u64::from((deal.whole_units.saturating_add(1)).ilog2()).min(9);
    let partner = u64::from(deal.other_partners.clamp(1, PARTNERS));
    decayed(now.since(deal.ended)) * value * partner / u64::from(PARTNERS)
}

/// 1024, halved with every half-life; linear in between.
fn decayed(age_ms: u64) -> u64 {
    let days = age_ms / DAY_MS;
    let halvings = u32::try_from(days / HALF_LIFE_DAYS).unwrap_or(u32::MAX);
    let whole = 1_024_u64.checked_shr(halvings).unwrap_or(0);
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
            other_partners: 4,
            whole_units: 20,
            kept: Kept::Full,
            lost_dispute: false,
        }
    }

    fn of(deals: &[Dealt]) -> u32 {
        score(deals, NOW).0.score
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(score(&[], NOW).0, Score::default());
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
    fn sock_puppets_count_a_quarter_and_ones_own_agents_nothing() {
        let mut puppets: Vec<Dealt> = (0..20).map(|n| deal(n, n, 10)).collect();
        let honest = of(&puppets);
        puppets.iter_mut().for_each(|d| d.other_partners = 1);
        assert!(of(&puppets) < honest * 7 / 10, "{} {honest}", of(&puppets));
        puppets.iter_mut().for_each(|d| d.other = None);
        assert_eq!(of(&puppets), 0);
    }

    #[test]
    fn old_deals_fade_and_broken_ones_cost() {
        let fresh: Vec<Dealt> = (0..20).map(|n| deal(n, n, 0)).collect();
        let old: Vec<Dealt> = (0..20).map(|n| deal(n, n, 360)).collect();
        assert!(of(&old) < of(&fresh));
        let ancient: Vec<Dealt> = (0..20).map(|n| deal(n, n, 20_000)).collect();
        assert_eq!(of(&ancient), 0);
        let mut broken = fresh.clone();
        broken.iter_mut().take(5).for_each(|d| d.kept = Kept::Not);
        assert!(of(&broken) < of(&fresh) * 8 / 10);
        let mut disputed = fresh.clone();
        disputed.iter_mut().for_each(|d| d.lost_dispute = true);
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
                whole_units: units,
                ..deal(1, 1, 0)
            }]
        };
        assert!(of(&one(u128::MAX)) <= of(&one(1_000)) + 10);
    }

    #[test]
    fn the_order_of_deals_does_not_matter() {
        let mut deals: Vec<Dealt> = (0..50).map(|n| deal(n, n % 7, n * 13 % 400)).collect();
        let before = of(&deals);
        deals.reverse();
        assert_eq!(of(&deals), before);
    }
}

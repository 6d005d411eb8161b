//! A day in figures. Reads nothing and prints nothing.

use std::collections::BTreeMap;

use rialto_core::amount::Amount;
use serde::Serialize;

use super::DayPlan;
use super::agent::Meter;
use super::books::Books;
use super::buyer::Prices;
use super::setup::Participants;
use crate::Scenario;
use crate::money;
use crate::welfare::{self, CustomerLine, Fairness, Outcome, Unmatched, Welfare};

/// A day in figures, measured.
#[derive(Clone, Debug, Serialize)]
pub struct DayReport {
    /// The scenario's folder.
    pub scenario: String,
    /// `bargained` or `list`.
    pub prices: &'static str,
    /// Utilities of customers, from the deals that the realm settled.
    pub welfare: Welfare,
    /// Where the optimum comes from: `shipped` or `computed`.
    pub optimum_from: &'static str,
    /// Spread over customers and sellers.
    pub fairness: Fairness,
    /// Deals by how they ended.
    pub deals: DealCounts,
    /// What sellers were paid, in USD.
    #[serde(serialize_with = "money::written")]
    pub money_moved: Amount,
    /// What customers were given to spend, in USD.
    #[serde(serialize_with = "money::written")]
    pub money_issued: Amount,
    /// The sum over all accounts, by asset.
    pub trial_balance: BTreeMap<String, String>,
    /// Choices that the structured terms alone do not explain.
    pub manipulated: usize,
    /// Requests of customers and businesses.
    pub actions: Actions,
    /// The digest of the realm's state after the day.
    pub digest: String,
    /// The position of that digest.
    pub position: u64,
    /// The seed.
    pub seed: u64,
    /// Customers without a deal, and why.
    pub unmatched: Vec<Unmatched>,
    /// One line a customer.
    pub customers: Vec<CustomerLine>,
    /// Notes on what the reader tolerated or what was changed to fit the realm.
    pub notes: Vec<String>,
}

/// How many deals ended in which way.
#[derive(Clone, Debug, Serialize)]
pub struct DealCounts {
    /// Settled: delivered, accepted and paid.
    pub settled: usize,
    /// Ended otherwise, or still open, by state.
    pub others: BTreeMap<String, usize>,
}

/// Requests to the API that customers and businesses made, from the first listing to the last report of a
/// customer. A batch is one request.
#[derive(Clone, Debug, Serialize)]
pub struct Actions {
    /// How many requests.
    pub count: usize,
    /// Requests a second of wall time.
    pub per_second: f64,
    /// Half of the requests were answered within this time, in milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 requests were answered within this time, in milliseconds.
    pub p99_ms: f64,
    /// Commands in all requests.
    pub commands: u64,
    /// Wall time, in seconds.
    pub seconds: f64,
    /// How many agents of a kind acted at the same time.
    pub lanes: usize,
}

impl Actions {
    pub(crate) fn of(mut meter: Meter, seconds: f64, lanes: usize) -> Self {
        meter.took_us.sort_unstable();
        let count = meter.took_us.len();
        // The nearest rank: the least time that covers the share.
        let rank = |share: usize| {
            meter
                .took_us
                .get((count * share).div_ceil(100).saturating_sub(1))
                .copied()
        };
        let ms = |us: Option<u64>| us.unwrap_or_default() as f64 / 1_000.0;
        let per_second = if seconds > 0.0 {
            count as f64 / seconds
        } else {
            0.0
        };
        Self {
            count,
            per_second: (per_second * 10.0).round() / 10.0,
            p50_ms: ms(rank(50)),
            p99_ms: ms(rank(99)),
            commands: meter.commands,
            seconds,
            lanes,
        }
    }
}

/// Makes the report from what the realm settled.
pub(crate) fn make(
    scenario: &Scenario,
    participants: &Participants,
    books: &Books,
    actions: Actions,
    plan: DayPlan,
) -> DayReport {
    let ids: BTreeMap<&str, &str> = participants
        .sellers
        .iter()
        .map(|s| (s.handle.as_str(), s.business.id.as_str()))
        .collect();
    let outcomes = outcomes(participants, books, &ids);
    let measured = welfare::report(scenario, &outcomes);
    let shipped = scenario
        .baselines
        .as_ref()
        .is_some_and(|b| b.contains_key("pick_optimal_baseline"));
    DayReport {
        scenario: scenario.name.clone(),
        prices: match plan.prices {
            Prices::List => "list",
            Prices::Bargained => "bargained",
        },
        welfare: measured.welfare,
        optimum_from: if shipped { "shipped" } else { "computed" },
        fairness: measured.fairness,
        deals: DealCounts {
            settled: books.settled.len(),
            others: books.others.clone(),
        },
        money_moved: books.money_moved,
        money_issued: participants.issued,
        trial_balance: books.trial_balance.clone(),
        manipulated: participants
            .buyers
            .iter()
            .filter(|buyer| buyer.preferred_dearer())
            .count(),
        actions,
        digest: books.digest.clone(),
        position: books.position,
        seed: plan.seed,
        unmatched: measured.unmatched,
        customers: measured.customers,
        notes: scenario.notes.clone(),
    }
}

/// How each customer's day went, with the deals as the realm settled them and sellers by their ids.
pub(crate) fn outcomes(
    participants: &Participants,
    books: &Books,
    ids: &BTreeMap<&str, &str>,
) -> Vec<Outcome> {
    let id = |handle: &String| {
        ids.get(handle.as_str())
            .map_or_else(|| handle.clone(), |id| (*id).to_owned())
    };
    let each = participants
        .buyers
        .iter()
        .enumerate()
        .map(|(place, buyer)| {
            let seen = &buyer.outcome;
            let deal = books.settled.iter().find(|deal| deal.buyer == place);
            Outcome {
                found: seen.found.iter().map(id).collect(),
                asked: seen.asked.iter().map(id).collect(),
                proposed: seen.proposed.iter().map(id).collect(),
                first_choice: seen
                    .first_choice
                    .as_ref()
                    .map(|(seller, price)| (id(seller), *price)),
                deal: deal.map(|deal| (id(&deal.seller), deal.paid)),
            }
        });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::{Actions, Meter};

    #[test]
    fn percentiles_are_nearest_ranks() {
        let took = |us: Vec<u64>| {
            Actions::of(
                Meter {
                    took_us: us,
                    commands: 0,
                },
                2.0,
                1,
            )
        };
        let hundred = took((1..=100).rev().map(|ms| ms * 1_000).collect());
        assert_eq!(
            (hundred.p50_ms, hundred.p99_ms, hundred.per_second),
            (50.0, 99.0, 50.0)
        );
        let one = took(vec![7_000]);
        assert_eq!((one.p50_ms, one.p99_ms), (7.0, 7.0));
        let none = took(vec![]);
        assert_eq!((none.count, none.p99_ms), (0, 0.0));
    }
}

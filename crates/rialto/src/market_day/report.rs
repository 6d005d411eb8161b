//! A day in figures: one value, printed as JSON or as a page of text.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Plan;
use super::books::Books;
use super::buyer::Prices;
use super::seat::Meter;
use super::stage::Cast;
use crate::commands::show::plain;
use crate::output::{CliError, Output};
use crate::scenario::Scenario;
use crate::scenario::money::Usd;
use crate::scenario::welfare::{
    self, CustomerLine, Fairness, LossReason, Outcome, Unmatched, Welfare,
};

/// The report of `rialto scenario run`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DayReport {
    /// The scenario's folder.
    pub(crate) scenario: String,
    /// `bargained` or `list`.
    pub(crate) prices: &'static str,
    /// Utilities of customers, from the deals that the realm settled.
    pub(crate) welfare: Welfare,
    /// Where the optimum comes from: `shipped` or `computed`.
    pub(crate) optimum_from: &'static str,
    /// Spread over customers and sellers.
    pub(crate) fairness: Fairness,
    /// Deals by how they ended.
    pub(crate) deals: Deals,
    /// What sellers were paid, in USD.
    pub(crate) money_moved: Usd,
    /// What customers were given to spend, in USD.
    pub(crate) money_issued: Usd,
    /// The sum over all accounts, by asset.
    pub(crate) trial_balance: BTreeMap<String, String>,
    /// Choices that structured terms alone do not explain.
    pub(crate) manipulated: usize,
    /// Requests of customers and businesses.
    pub(crate) actions: Actions,
    /// The digest of the realm's state after the day.
    pub(crate) digest: String,
    /// The position of that digest.
    pub(crate) position: u64,
    /// The seed.
    pub(crate) seed: u64,
    /// Customers without a deal, and why.
    pub(crate) unmatched: Vec<Unmatched>,
    /// One line a customer.
    pub(crate) customers: Vec<CustomerLine>,
    /// What was read with tolerance or changed to fit.
    pub(crate) notes: Vec<String>,
}

/// Deals by how they ended.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Deals {
    /// Settled: delivered, accepted and paid.
    pub(crate) settled: usize,
    /// Ended otherwise, or still open, by state.
    pub(crate) others: BTreeMap<String, usize>,
}

/// Requests through the door that customers and businesses made, from the first listing to the
/// last report of a customer. A batch is one request.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Actions {
    /// How many requests.
    pub(crate) count: usize,
    /// Requests a second of wall time.
    pub(crate) per_second: f64,
    /// Half of the requests were answered within this time, in milliseconds.
    pub(crate) p50_ms: f64,
    /// 99 of 100 requests were answered within this time, in milliseconds.
    pub(crate) p99_ms: f64,
    /// Commands among and within the requests.
    pub(crate) commands: u64,
    /// Wall time, in seconds.
    pub(crate) seconds: f64,
    /// How many agents of a kind acted at the same time.
    pub(crate) lanes: usize,
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
    cast: &Cast,
    books: &Books,
    actions: Actions,
    plan: Plan,
) -> Result<DayReport, CliError> {
    let ids: BTreeMap<&str, &str> = cast
        .sellers
        .iter()
        .map(|s| (s.handle.as_str(), s.business.id.as_str()))
        .collect();
    let outcomes = outcomes(cast, books, &ids);
    let measured = welfare::report(scenario, &outcomes);
    let shipped = scenario
        .baselines
        .as_ref()
        .is_some_and(|b| b.contains_key("pick_optimal_baseline"));
    Ok(DayReport {
        scenario: scenario.name.clone(),
        prices: match plan.prices {
            Prices::List => "list",
            Prices::Bargained => "bargained",
        },
        welfare: measured.welfare,
        optimum_from: if shipped { "shipped" } else { "computed" },
        fairness: measured.fairness,
        deals: Deals {
            settled: books.settled.len(),
            others: books.others.clone(),
        },
        money_moved: books.money_moved,
        money_issued: cast.issued,
        trial_balance: books.trial_balance.clone(),
        manipulated: cast
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
    })
}

/// How each customer's day went, with the deals as the realm settled them and sellers by their ids.
pub(crate) fn outcomes(cast: &Cast, books: &Books, ids: &BTreeMap<&str, &str>) -> Vec<Outcome> {
    let id = |handle: &String| {
        ids.get(handle.as_str())
            .map_or_else(|| handle.clone(), |id| (*id).to_owned())
    };
    let each = cast.buyers.iter().enumerate().map(|(place, buyer)| {
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

impl DayReport {
    /// Prints the report: JSON if that was asked for, else a page of text.
    pub(crate) fn print(&self, out: Output) -> Result<(), CliError> {
        out.json(self)?;
        for line in self.lines() {
            out.line(plain(&line))?;
        }
        for note in self.notes.iter().take(20) {
            out.note(plain(&format!("note: {note}")));
        }
        if self.notes.len() > 20 {
            out.note(format!(
                "note: and {} more; --json lists all",
                self.notes.len() - 20
            ));
        }
        Ok(())
    }

    fn lines(&self) -> Vec<String> {
        let (welfare, fairness, actions) = (&self.welfare, &self.fairness, &self.actions);
        let mut lines = vec![
            format!(
                "scenario   {}: {} customers, {} businesses, seed {}",
                self.scenario,
                self.customers.len(),
                fairness.sellers_total,
                self.seed
            ),
            format!(
                "welfare    {}, the optimum at list prices is {} ({}; {})",
                welfare.total,
                welfare.optimal,
                percent(welfare.ratio),
                self.optimum_from
            ),
            format!(
                "  at list  {} ({})",
                welfare.list_price_total,
                percent(welfare.list_price_ratio)
            ),
            format!("  bargains {} beyond list prices", welfare.bargaining_gain),
        ];
        if welfare.lost_to.is_empty() {
            lines.push("  lost     nothing".to_owned());
        }
        for loss in &welfare.lost_to {
            lines.push(format!(
                "  lost     {} {} ({} customers)",
                loss.amount,
                reason(loss.reason),
                loss.customers
            ));
        }
        lines.push(format!("manipulated {} choices", self.manipulated));
        lines.push(self.deals_line());
        lines.extend(self.unmatched.iter().take(5).map(unmatched));
        if self.unmatched.len() > 5 {
            lines.push(format!(
                "  no deal  and {} more; --json lists all",
                self.unmatched.len() - 5
            ));
        }
        lines.push(format!(
            "fairness   Gini {} over customers, {} over sellers; {} of {} sellers sold, the first {} of it",
            figure(fairness.customers.gini),
            figure(fairness.sellers.gini),
            fairness.sellers_with_deals,
            fairness.sellers_total,
            percent(fairness.top_seller_share)
        ));
        let sums: Vec<String> = self
            .trial_balance
            .iter()
            .map(|(asset, sum)| format!("{asset} {sum}"))
            .collect();
        lines.push(format!(
            "money      {} moved, trial balance {}",
            self.money_moved,
            sums.join(", ")
        ));
        lines.push(format!(
            "actions    {} in {:.2} s: {:.0}/s, p50 {:.3} ms, p99 {:.3} ms ({} commands, {} at a time)",
            actions.count,
            actions.seconds,
            actions.per_second,
            actions.p50_ms,
            actions.p99_ms,
            actions.commands,
            actions.lanes
        ));
        lines.push(format!("digest     {} at {}", self.digest, self.position));
        lines
    }

    fn deals_line(&self) -> String {
        let mut line = format!("deals      {} settled", self.deals.settled);
        for (state, count) in &self.deals.others {
            line.push_str(&format!(", {count} {state}"));
        }
        line
    }
}

fn unmatched(who: &Unmatched) -> String {
    let lacks: Vec<&str> = who
        .missing_items
        .iter()
        .chain(&who.missing_attributes)
        .map(String::as_str)
        .collect();
    match &who.nearest {
        _ if who.possible => format!(
            "  no deal  {}: its best seller was not reached",
            who.customer
        ),
        Some(nearest) if lacks.is_empty() => format!(
            "  no deal  {}: {nearest} has all, at too high a price",
            who.customer
        ),
        Some(nearest) => format!(
            "  no deal  {}: {nearest} comes nearest and lacks {}",
            who.customer,
            lacks.join(", ")
        ),
        None => format!("  no deal  {}: nobody sells", who.customer),
    }
}

fn reason(reason: LossReason) -> &'static str {
    match reason {
        LossReason::NotFound => "to search: the best seller was not found",
        LossReason::NotAsked => "to the shortlist: the best seller was not asked",
        LossReason::NoProposal => "to silence: the best seller made no complete proposal",
        LossReason::DearerChoice => "to choice: a dearer seller was preferred",
        LossReason::BaselineDiffers => "to the shipped optimum, which differs from the menus' own",
    }
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.2} %", share * 100.0))
}

fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"))
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

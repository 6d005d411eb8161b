//! Measures what a finished market day was worth, compared with the best day possible.
//!
//! A customer whose paid proposal covers all its items and attributes has a utility of twice the sum of the
//! prices it listed, minus what it paid; a paid proposal that does not cover them earns nothing and still
//! costs; no deal is worth nothing. The optimum gives every customer the cheapest business that has
//! everything, at list price, without capacity limits (sellers do not run out), or nothing where even that
//! costs more than it is worth. Bargaining can therefore exceed 100 %, and is reported separately. Coverage
//! is judged by the scenario's own menus, never by what a proposal claimed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::money;
use super::strategy;
use super::{Baselines, Business, Customer, Scenario, bundle_price};
use rialto_core::amount::Amount;
use rialto_wire::names::{Name, missing};

/// How one customer's day went, as the run saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Sellers that the search showed with everything wanted.
    pub(crate) found: Vec<String>,
    /// Sellers asked for a proposal.
    pub(crate) asked: Vec<String>,
    /// Sellers whose first proposal was complete.
    pub(crate) proposed: Vec<String>,
    /// The seller it would have taken at first proposals, and that price.
    pub(crate) first_choice: Option<(String, Amount)>,
    /// The settled deal: seller and price paid.
    pub(crate) deal: Option<(String, Amount)>,
}

/// The best a customer can do at list price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Best {
    /// Place of the business in the scenario; `None` if no business has everything, or only at a
    /// price beyond what it is worth.
    pub(crate) business: Option<usize>,
    /// The utility, never negative.
    pub(crate) utility: Amount,
}

/// The cheapest business with everything a customer wants, at list price.
#[must_use]
pub(crate) fn best(customer: &Customer, businesses: &[Business]) -> Best {
    let complete = businesses
        .iter()
        .enumerate()
        .filter_map(|(place, business)| Some((list_price(customer, business)?, place)));
    match complete.min() {
        Some((price, place)) if price <= customer.worth() => Best {
            business: Some(place),
            utility: Amount(customer.worth().0 - price.0),
        },
        _ => Best {
            business: None,
            utility: Amount::ZERO,
        },
    }
}

/// The total utility of the optimum.
#[cfg(test)]
#[must_use]
pub(crate) fn optimal_total(scenario: &Scenario) -> Amount {
    let best = |customer| best(customer, &scenario.businesses).utility;
    money::total(scenario.customers.iter().map(best))
}

/// List price of everything a customer wants at a business that has all of it, items and
/// attributes.
fn list_price(customer: &Customer, business: &Business) -> Option<Amount> {
    let wants = strategy::wants(customer);
    let price = bundle_price(&business.menu, &wants.items)?;
    business.has_attributes(&wants.attributes).then_some(price)
}

/// Utility of paying `price` to `business`.
#[must_use]
pub(crate) fn utility(customer: &Customer, business: &Business, price: Amount) -> Amount {
    match list_price(customer, business) {
        Some(_) => Amount(customer.worth().0 - price.0),
        None => Amount(-price.0),
    }
}

/// The figures of a day. Amounts are in USD.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DayFigures {
    /// Totals over all customers.
    pub(crate) welfare: Welfare,
    /// Spread over customers and over sellers.
    pub(crate) fairness: Fairness,
    /// One line a customer, in the scenario's order.
    pub(crate) customers: Vec<CustomerLine>,
    /// Customers without a deal, and why.
    pub(crate) unmatched: Vec<Unmatched>,
}

/// Totals over all customers.
#[derive(Clone, Debug, Serialize)]
pub struct Welfare {
    /// Sum of utilities at the prices paid.
    #[serde(serialize_with = "money::written")]
    pub total: Amount,
    /// The shipped optimum; where none is shipped, the computed one.
    #[serde(serialize_with = "money::written")]
    pub optimal: Amount,
    /// `total / optimal`; above 1 when bargaining brought more than list prices can. Absent if
    /// the optimum is zero.
    pub ratio: Option<f64>,
    /// Sum of utilities had everybody bought its first choice at its first proposal.
    #[serde(serialize_with = "money::written")]
    pub list_price_total: Amount,
    /// `list_price_total / optimal`: what search and choice alone reach.
    pub list_price_ratio: Option<f64>,
    /// `total - list_price_total`.
    #[serde(serialize_with = "money::written")]
    pub bargaining_gain: Amount,
    /// The optimum as computed from menus: equal to the shipped one if both mean the same.
    #[serde(serialize_with = "money::written")]
    pub optimal_computed: Amount,
    /// The part of `optimal` that `list_price_total` misses, by reason; the amounts add up to the
    /// difference.
    pub lost_to: Vec<Loss>,
    /// The shipped figures, for comparison.
    #[serde(serialize_with = "money::written_baselines")]
    pub baselines: Baselines,
}

/// A part of the optimum not reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Loss {
    /// Why.
    pub reason: LossReason,
    /// How many customers it affected.
    pub customers: usize,
    /// Utility lost.
    #[serde(serialize_with = "money::written")]
    pub amount: Amount,
}

/// The step at which a customer lost its best seller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LossReason {
    /// The search did not show the best seller.
    NotFound,
    /// Found, but not among the sellers asked.
    NotAsked,
    /// Asked, but it made no complete proposal.
    NoProposal,
    /// It proposed, but the customer preferred a dearer or incomplete proposal, or it asked more than its
    /// list price.
    DearerChoice,
    /// The shipped optimum differs from the one computed from menus.
    BaselineDiffers,
}

/// How evenly the day's results are spread.
#[derive(Clone, Debug, Serialize)]
pub struct Fairness {
    /// Utilities of all customers.
    pub customers: Spread,
    /// Revenues of all sellers that could sell: those with everything that some customer wanted.
    pub sellers: Spread,
    /// Number of sellers.
    pub sellers_total: usize,
    /// Sellers with at least one deal.
    pub sellers_with_deals: usize,
    /// Revenue of the seller that earned most, as a share of all revenue; absent without revenue.
    pub top_seller_share: Option<f64>,
    /// What sellers were paid, as a share of the list prices of what they sold.
    pub paid_of_list_price: Option<f64>,
}

/// A distribution of amounts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// How many.
    pub count: usize,
    /// Lowest.
    #[serde(serialize_with = "money::written")]
    pub min: Amount,
    /// Lower median.
    #[serde(serialize_with = "money::written")]
    pub median: Amount,
    /// Highest.
    #[serde(serialize_with = "money::written")]
    pub max: Amount,
    /// Sum.
    #[serde(serialize_with = "money::written")]
    pub total: Amount,
    /// Gini coefficient, 0 (all equal) to 1, with negative amounts counted as zero; absent if
    /// nobody has anything.
    pub gini: Option<f64>,
}

/// One customer's result.
#[derive(Clone, Debug, Serialize)]
pub struct CustomerLine {
    /// Its id.
    pub customer: String,
    /// Utility at the price paid.
    #[serde(serialize_with = "money::written")]
    pub utility: Amount,
    /// The best it could do at list price.
    #[serde(serialize_with = "money::written")]
    pub optimal: Amount,
    /// The seller, if a deal was settled.
    pub seller: Option<String>,
    /// What it paid.
    #[serde(serialize_with = "money::written_if_any")]
    pub paid: Option<Amount>,
    /// Its first choice's first price.
    #[serde(serialize_with = "money::written_if_any")]
    pub first_price: Option<Amount>,
}

/// A customer without a deal, and the business that came nearest to what it wants: fewest missing items,
/// then fewest missing attributes. If nothing is missing, the reason was the price or an earlier step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unmatched {
    /// Its id.
    pub customer: String,
    /// Whether some seller had everything at a price it is worth.
    pub possible: bool,
    /// The nearest business.
    pub nearest: Option<String>,
    /// Wanted items that the nearest business lacks.
    pub missing_items: Vec<String>,
    /// Wanted attributes that the nearest business lacks.
    pub missing_attributes: Vec<String>,
}

/// Measures a day. `outcomes` stand in the order of the scenario's customers; a missing one counts
/// as no deal.
#[must_use]
pub(crate) fn report(scenario: &Scenario, outcomes: &[Outcome]) -> DayFigures {
    let nothing = Outcome::default();
    let rows: Vec<Row<'_>> = scenario
        .customers
        .iter()
        .enumerate()
        .map(|(i, customer)| Row::of(scenario, customer, outcomes.get(i).unwrap_or(&nothing)))
        .collect();
    DayFigures {
        welfare: welfare(scenario, &rows),
        fairness: fairness(scenario, &rows),
        customers: rows.iter().map(Row::line).collect(),
        unmatched: rows
            .iter()
            .filter_map(|row| row.unmatched(scenario))
            .collect(),
    }
}

/// A customer with everything the report needs of it.
struct Row<'a> {
    customer: &'a Customer,
    outcome: &'a Outcome,
    best: Best,
    best_seller: Option<&'a str>,
    utility: Amount,
    first_utility: Amount,
}

impl<'a> Row<'a> {
    fn of(scenario: &'a Scenario, customer: &'a Customer, outcome: &'a Outcome) -> Self {
        let best = best(customer, &scenario.businesses);
        let business = best
            .business
            .and_then(|place| scenario.businesses.get(place));
        let first = outcome
            .first_choice
            .as_ref()
            .filter(|(_, price)| *price <= customer.worth());
        Self {
            customer,
            outcome,
            best,
            best_seller: business.map(|business| business.id.as_str()),
            utility: dealt(scenario, customer, outcome.deal.as_ref()),
            first_utility: dealt(scenario, customer, first),
        }
    }

    fn line(&self) -> CustomerLine {
        let deal = self.outcome.deal.as_ref();
        CustomerLine {
            customer: self.customer.id.clone(),
            utility: self.utility,
            optimal: self.best.utility,
            seller: deal.map(|(seller, _)| seller.clone()),
            paid: deal.map(|(_, price)| *price),
            first_price: self.outcome.first_choice.as_ref().map(|(_, price)| *price),
        }
    }

    fn loss_reason(&self) -> LossReason {
        let among = |sellers: &[String]| {
            self.best_seller
                .is_some_and(|best| sellers.iter().any(|seller| seller == best))
        };
        match self.outcome {
            outcome if !among(&outcome.found) => LossReason::NotFound,
            outcome if !among(&outcome.asked) => LossReason::NotAsked,
            outcome if !among(&outcome.proposed) => LossReason::NoProposal,
            _ => LossReason::DearerChoice,
        }
    }

    fn unmatched(&self, scenario: &Scenario) -> Option<Unmatched> {
        if self.outcome.deal.is_some() {
            return None;
        }
        let wants = strategy::wants(self.customer);
        let misses = scenario.businesses.iter().map(|business| {
            let menu: Vec<Name> = business.menu.iter().map(|item| item.name.clone()).collect();
            let items = missing(&menu, &wants.items);
            (
                business,
                items,
                missing(&business.attributes, &wants.attributes),
            )
        });
        let nearest = misses.min_by_key(|(_, items, attributes)| (items.len(), attributes.len()));
        let (nearest, items, attributes) = match nearest {
            Some((business, items, attributes)) => (Some(business.id.clone()), items, attributes),
            None => (None, wants.items, wants.attributes),
        };
        let texts = |names: &[Name]| names.iter().map(Name::to_string).collect();
        Some(Unmatched {
            customer: self.customer.id.clone(),
            possible: self.best.business.is_some(),
            nearest,
            missing_items: texts(&items),
            missing_attributes: texts(&attributes),
        })
    }
}

/// Utility of a deal with a named seller; an unknown seller delivers nothing.
fn dealt(scenario: &Scenario, customer: &Customer, deal: Option<&(String, Amount)>) -> Amount {
    let Some((seller, price)) = deal else {
        return Amount::ZERO;
    };
    match scenario
        .businesses
        .iter()
        .find(|business| business.id == *seller)
    {
        Some(business) => utility(customer, business, *price),
        None => Amount(-price.0),
    }
}

fn welfare(scenario: &Scenario, rows: &[Row<'_>]) -> Welfare {
    let total = money::total(rows.iter().map(|row| row.utility));
    let list_price_total = money::total(rows.iter().map(|row| row.first_utility));
    let optimal_computed = money::total(rows.iter().map(|row| row.best.utility));
    let baselines = scenario.baselines.clone().unwrap_or_default();
    let shipped = baselines
        .get("pick_optimal_baseline")
        .and_then(|figures| figures.get("constant"));
    let optimal = shipped.copied().unwrap_or(optimal_computed);
    let mut lost_to = losses(rows);
    if optimal != optimal_computed {
        let amount = Amount(optimal.0 - optimal_computed.0);
        lost_to.push(Loss {
            reason: LossReason::BaselineDiffers,
            customers: 0,
            amount,
        });
    }
    Welfare {
        total,
        optimal,
        ratio: ratio(total, optimal),
        list_price_total,
        list_price_ratio: ratio(list_price_total, optimal),
        bargaining_gain: Amount(total.0 - list_price_total.0),
        optimal_computed,
        lost_to,
        baselines,
    }
}

fn losses(rows: &[Row<'_>]) -> Vec<Loss> {
    let mut by_reason: BTreeMap<LossReason, Loss> = BTreeMap::new();
    for row in rows {
        let amount = Amount(row.best.utility.0 - row.first_utility.0);
        if amount == Amount::ZERO {
            continue;
        }
        let reason = row.loss_reason();
        let loss = by_reason.entry(reason).or_insert(Loss {
            reason,
            customers: 0,
            amount: Amount::ZERO,
        });
        loss.customers += 1;
        loss.amount.0 += amount.0;
    }
    by_reason.into_values().collect()
}

fn fairness(scenario: &Scenario, rows: &[Row<'_>]) -> Fairness {
    let mut revenue: BTreeMap<&str, Amount> = BTreeMap::new();
    let (mut paid, mut listed) = (Amount::ZERO, Amount::ZERO);
    for row in rows {
        let Some((seller, price)) = &row.outcome.deal else {
            continue;
        };
        revenue.entry(seller.as_str()).or_default().0 += price.0;
        let business = scenario
            .businesses
            .iter()
            .find(|business| business.id == *seller);
        if let Some(list_price) = business.and_then(|business| list_price(row.customer, business)) {
            paid.0 += price.0;
            listed.0 += list_price.0;
        }
    }
    let could_sell = |business: &&Business| {
        scenario
            .customers
            .iter()
            .any(|customer| list_price(customer, business).is_some())
    };
    let able = scenario.businesses.iter().filter(could_sell);
    let sellers = able.map(|business| {
        revenue
            .get(business.id.as_str())
            .copied()
            .unwrap_or_default()
    });
    let all = money::total(revenue.values().copied());
    let top = revenue.values().copied().max().unwrap_or_default();
    Fairness {
        customers: spread(rows.iter().map(|row| row.utility).collect()),
        sellers: spread(sellers.collect()),
        sellers_total: scenario.businesses.len(),
        sellers_with_deals: revenue.len(),
        top_seller_share: ratio(top, all),
        paid_of_list_price: ratio(paid, listed),
    }
}

/// The distribution of `amounts`.
#[must_use]
pub(crate) fn spread(mut amounts: Vec<Amount>) -> Spread {
    amounts.sort();
    let middle = amounts.len().saturating_sub(1) / 2;
    Spread {
        count: amounts.len(),
        min: amounts.first().copied().unwrap_or_default(),
        median: amounts.get(middle).copied().unwrap_or_default(),
        max: amounts.last().copied().unwrap_or_default(),
        total: money::total(amounts.iter().copied()),
        gini: gini(&amounts),
    }
}

/// Gini coefficient of ascending amounts: sum of (2i - n - 1) x_i over n times the sum of x_i.
fn gini(ascending: &[Amount]) -> Option<f64> {
    let count = i128::try_from(ascending.len()).ok()?;
    let (mut weighted, mut total) = (Amount::ZERO, Amount::ZERO);
    for (rank, amount) in (1i128..).zip(ascending) {
        let amount = (*amount).max(Amount::ZERO);
        weighted.0 += amount.0 * (2 * rank - count - 1);
        total.0 += amount.0;
    }
    ratio(weighted, Amount(total.0 * count))
}

/// `part / whole` to six decimals, rounded to nearest in integers; `None` if `whole` is not positive. This
/// is the only place where a figure becomes a binary fraction, and only for printing.
fn ratio(part: Amount, whole: Amount) -> Option<f64> {
    if whole <= Amount::ZERO {
        return None;
    }
    let millionths = (part.0 * 2_000_000 + whole.0).div_euclid(2 * whole.0);
    let millionths = i32::try_from(millionths).ok()?;
    Some(f64::from(millionths) / 1e6)
}

//! The market without a server, for tests: the search contract in its plainest form, and the day
//! run against it. The door's own search must return the same listings in the same order.

use super::strategy::{
    self, ASKED_MAX, BuyerMove, Call, Listing, Match, Proposal, SearchQuery, SellerMove, Wants,
};
use super::welfare::Outcome;
use super::{Business, Customer, Scenario, bundle_price};
use rialto_core::amount::Amount;
use rialto_wire::names::{Name, has_all, missing};

/// Whether the day stops at first proposals or bargains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prices {
    /// First proposals are taken as they are.
    List,
    /// Revised call and haggling.
    Bargained,
}

/// Listings in the order in which they were made.
pub(super) struct Directory {
    listings: Vec<Listing>,
}

impl Directory {
    /// The listings of all businesses of a scenario, in the scenario's order.
    pub(super) fn of(businesses: &[Business]) -> Self {
        Self {
            listings: businesses.iter().map(strategy::listing).collect(),
        }
    }

    /// The first page of a query. Text relevance is left out: it only orders near misses.
    pub(super) fn search(&self, query: &SearchQuery) -> Vec<Listing> {
        let mut hits: Vec<(Rank, &Listing)> = Vec::new();
        for listing in &self.listings {
            let rank = Rank::of(&query.wants, listing);
            let kept = match query.matching {
                Match::All => rank.items_missing + rank.attributes_missing == 0,
                Match::Any => rank.items_missing < query.wants.items.len(),
            };
            if kept {
                hits.push((rank, listing));
            }
        }
        hits.sort_by_key(|(rank, _)| *rank);
        let page = hits.into_iter().take(usize::from(query.limit));
        page.map(|(_, hit)| hit.clone()).collect()
    }
}

/// Rank of a hit; if nothing is missing, the price alone decides. Equal ranks keep the order of listing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    items_missing: usize,
    attributes_missing: usize,
    price: Option<Amount>,
}

impl Rank {
    fn of(wants: &Wants, listing: &Listing) -> Self {
        let names: Vec<Name> = listing.items.iter().map(|item| item.name.clone()).collect();
        Self {
            items_missing: missing(&names, &wants.items).len(),
            attributes_missing: missing(&listing.attributes, &wants.attributes).len(),
            price: bundle_price(&listing.items, &wants.items),
        }
    }
}

/// Runs the whole day; outcomes are in the order of the customers.
pub(crate) fn run_day(scenario: &Scenario, prices: Prices, seed: u64) -> Vec<Outcome> {
    let directory = Directory::of(&scenario.businesses);
    let day = scenario.customers.iter().zip(0u64..);
    day.map(|(customer, i)| {
        purchase(
            scenario,
            &directory,
            customer,
            prices,
            strategy::lot(seed, i),
        )
    })
    .collect()
}

fn purchase(
    scenario: &Scenario,
    directory: &Directory,
    customer: &Customer,
    prices: Prices,
    lot: u64,
) -> Outcome {
    let wants = strategy::wants(customer);
    let mut found = Vec::new();
    for query in strategy::search_queries(customer) {
        found = directory.search(&query);
        if !found.is_empty() {
            break;
        }
    }
    let asked: Vec<&Listing> = strategy::shortlist(customer, &found);
    assert!(
        asked.len() <= ASKED_MAX,
        "no more sellers are asked than the limit"
    );
    let sellers: Vec<&Business> = asked
        .iter()
        .filter_map(|listing| scenario.businesses.iter().find(|b| b.id == listing.seller))
        .collect();
    let first = Call {
        wants: wants.clone(),
        competition: None,
    };
    let mut proposals: Vec<Proposal> = sellers
        .iter()
        .filter_map(|seller| strategy::proposal(seller, &first))
        .collect();
    let mut outcome = Outcome {
        found: found
            .iter()
            .filter(|listing| has_all(&listing.attributes, &wants.attributes))
            .filter(|listing| bundle_price(&listing.items, &wants.items).is_some())
            .map(|listing| listing.seller.clone())
            .collect(),
        asked: asked.iter().map(|listing| listing.seller.clone()).collect(),
        proposed: proposals
            .iter()
            .filter(|proposal| strategy::covers(customer, proposal))
            .map(|proposal| proposal.seller.clone())
            .collect(),
        first_choice: None,
        deal: None,
    };
    let Some(chosen) = strategy::choose(customer, &proposals, lot) else {
        return outcome;
    };
    outcome.first_choice = Some((proposals[chosen].seller.clone(), proposals[chosen].price));
    if prices == Prices::List {
        outcome.deal = outcome
            .first_choice
            .clone()
            .filter(|(_, price)| *price <= customer.worth());
        return outcome;
    }
    if let Some(competition) = strategy::competition(customer, &proposals) {
        let revised = Call {
            wants: wants.clone(),
            competition: Some(competition),
        };
        proposals = sellers
            .iter()
            .filter_map(|s| strategy::proposal(s, &revised))
            .collect();
    }
    let Some(chosen) = strategy::choose(customer, &proposals, lot) else {
        return outcome;
    };
    let (seller, start) = (&proposals[chosen].seller, proposals[chosen].price);
    let Some(business) = sellers.iter().find(|business| business.id == *seller) else {
        return outcome;
    };
    outcome.deal = haggle(customer, business, start).map(|price| (seller.clone(), price));
    outcome
}

fn haggle(customer: &Customer, business: &Business, start: Amount) -> Option<Amount> {
    let bundle = strategy::wants(customer).items;
    let mut asked = start;
    for round in 1.. {
        let bid = match strategy::buyer_move(customer.worth(), start, asked, round) {
            BuyerMove::Accept => return Some(asked),
            BuyerMove::Leave => return None,
            BuyerMove::Counter(bid) => bid,
        };
        match strategy::seller_move(business, &bundle, start, bid, round) {
            SellerMove::Accept => return Some(bid),
            SellerMove::Offer(lower) => asked = lower,
        }
    }
    None
}

//! The decisions of the built-in customers and businesses. Each function gets only what its agent may know:
//! a customer its own wishes and what the market showed it, a business its own menu and the call it
//! received.
//!
//! The course of one purchase:
//! 1. **Search**: all wanted items and all attributes, by the price of the bundle.
//! 2. **Call** for proposals to the shortlist: sealed, opened together, at list price.
//! 3. **Revised call**, if two or more proposals are complete: every one of these sellers learns
//!    the same true figures (the best open price and how many compete) and may lower its price
//!    once, sealed (iterated contract net, FIPA SC00030). A seller bids as in a first-price sealed
//!    auction among `n` with costs spread evenly below the best price:
//!    `floor + (best - floor) / n` (Vickrey 1961), so the seller with the lowest floor wins.
//! 4. **Haggling** with the best seller alone, at most [`HAGGLE_ROUNDS`] counters: both sides
//!    concede in equal steps towards their limit (time-dependent tactics with beta = 1: Faratin,
//!    Sierra and Jennings 1998), so they meet between the buyer's opening and the seller's price.
//! 5. **Accept** the exact offer, which holds the money.
//!
//! Choices rest on structured terms alone: items, attributes, price. Titles, descriptions, ratings and
//! names of sellers are in no argument of any decision, so no praise, threat or instruction written there
//! can move one. Amounts are integers; no step of an agent ever moves against its own interest.

use super::money;
use super::{Business, Customer, Item, bundle_price, find_item};
use rialto_core::amount::Amount;
use rialto_wire::names::{Name, has_all, missing};

/// Most sellers asked for a proposal.
pub(crate) const ASKED_MAX: usize = 8;
/// Most counter-offers of a buyer to the seller it settled on.
pub(crate) const HAGGLE_ROUNDS: u32 = 4;
/// Hits of one page that a customer reads.
const PAGE_LIMIT: u16 = 20;
/// A buyer opens at this share of the price it was offered.
const OPENING_SHARE: (i128, i128) = (3, 4);

/// What a business publishes. The lowest price it would accept is not here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listing {
    /// Handle of the seller.
    pub(crate) seller: String,
    /// Display name: shown, never decisive.
    pub(crate) title: String,
    /// Self-description: shown, and found by text search, but never decisive.
    pub(crate) description: String,
    /// Items at list price.
    pub(crate) items: Vec<Item>,
    /// Attributes it has.
    pub(crate) attributes: Vec<Name>,
}

/// What the customer wants: the structured part of a query and of a call for proposals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wants {
    /// Item names, all of them.
    pub(crate) items: Vec<Name>,
    /// Attribute names, all of them.
    pub(crate) attributes: Vec<Name>,
}

/// Which listings a query keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    /// Those with every item and every attribute.
    All,
    /// Those with at least one item or a hit in the text, with what they lack.
    Any,
}

/// In which order a query returns them; the order of listing breaks ties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// Price of the wanted bundle, lowest first.
    Price,
    /// Fewest missing items, fewest missing attributes, then text relevance.
    Relevance,
}

/// A search of the public listings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SearchQuery {
    /// Wanted items and attributes.
    pub(crate) wants: Wants,
    /// Which listings to keep.
    pub(crate) matching: Match,
    /// Full text, if any.
    pub(crate) text: Option<String>,
    /// Order of the hits.
    pub(crate) sort: Sort,
    /// Hits on a page.
    pub(crate) limit: u16,
}

/// A call for proposals, as each asked seller receives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// What is wanted.
    pub(crate) wants: Wants,
    /// Set on the revised call.
    pub(crate) competition: Option<Competition>,
}

/// What every seller learns in a revised call: the same true figures for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Competition {
    /// Lowest price among the complete proposals opened.
    pub(crate) best_price: Amount,
    /// How many complete proposals compete, at least 2.
    pub(crate) competitors: u32,
}

/// A seller's answer to a call: one price for the bundle it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proposal {
    /// Handle of the seller.
    pub(crate) seller: String,
    /// The wanted items it would deliver.
    pub(crate) items: Vec<Name>,
    /// The wanted attributes it warrants.
    pub(crate) attributes: Vec<Name>,
    /// Price of the bundle.
    pub(crate) price: Amount,
}

/// A customer's structured wishes.
#[must_use]
pub(crate) fn wants(customer: &Customer) -> Wants {
    let items = customer
        .wants
        .iter()
        .map(|item| item.name.clone())
        .collect();
    Wants {
        items,
        attributes: customer.attributes.clone(),
    }
}

/// The searches of a customer in order; the later one is sent only if the earlier found nothing,
/// and then says what is missing.
#[must_use]
pub(crate) fn search_queries(customer: &Customer) -> Vec<SearchQuery> {
    let wants = wants(customer);
    let names = wants.items.iter().chain(&wants.attributes);
    let text = names.map(Name::text).collect::<Vec<_>>().join(" ");
    let exact = SearchQuery {
        wants: wants.clone(),
        matching: Match::All,
        text: None,
        sort: Sort::Price,
        limit: PAGE_LIMIT,
    };
    let near = SearchQuery {
        wants,
        matching: Match::Any,
        text: Some(text),
        sort: Sort::Relevance,
        limit: PAGE_LIMIT,
    };
    vec![exact, near]
}

/// The sellers a customer asks, cheapest first, at most [`ASKED_MAX`]: those whose listing has
/// everything by the customer's own check. Equal prices keep the order in which they were found.
#[must_use]
pub(crate) fn shortlist<'a>(customer: &Customer, found: &'a [Listing]) -> Vec<&'a Listing> {
    let wants = wants(customer);
    let mut kept: Vec<(Amount, &Listing)> = Vec::new();
    for listing in found {
        let repeated = kept.iter().any(|(_, other)| other.seller == listing.seller);
        if repeated || !has_all(&listing.attributes, &wants.attributes) {
            continue;
        }
        if let Some(price) = bundle_price(&listing.items, &wants.items) {
            kept.push((price, listing));
        }
    }
    kept.sort_by_key(|(price, _)| *price);
    kept.into_iter()
        .take(ASKED_MAX)
        .map(|(_, listing)| listing)
        .collect()
}

/// True if a proposal covers every wanted item and attribute.
#[must_use]
pub(crate) fn covers(customer: &Customer, proposal: &Proposal) -> bool {
    let wants = wants(customer);
    has_all(&proposal.items, &wants.items) && has_all(&proposal.attributes, &wants.attributes)
}

/// The proposal a customer prefers: the cheapest complete one. `lot` (see [`lot`]) decides between equal
/// prices by place, so no name gives an advantage.
#[must_use]
pub(crate) fn choose(customer: &Customer, proposals: &[Proposal], lot: u64) -> Option<usize> {
    let complete = complete(customer, proposals);
    let lowest = complete.iter().map(|i| proposals[*i].price).min()?;
    let tied: Vec<usize> = complete
        .into_iter()
        .filter(|i| proposals[*i].price == lowest)
        .collect();
    let drawn = lot.checked_rem(u64::try_from(tied.len()).ok()?)?;
    tied.get(usize::try_from(drawn).ok()?).copied()
}

/// The lot by which customer number `ordinal` breaks ties in a run with this seed: the finaliser
/// of SplitMix64 (Steele, Lea and Flood 2014).
#[must_use]
pub(crate) fn lot(seed: u64, ordinal: u64) -> u64 {
    let mut z = seed.wrapping_add(ordinal.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The figures for a revised call, if at least two complete proposals compete.
#[must_use]
pub(crate) fn competition(customer: &Customer, proposals: &[Proposal]) -> Option<Competition> {
    let complete = complete(customer, proposals);
    let best_price = complete.iter().map(|i| proposals[*i].price).min()?;
    let competitors = u32::try_from(complete.len()).ok()?;
    (competitors >= 2).then_some(Competition {
        best_price,
        competitors,
    })
}

fn complete(customer: &Customer, proposals: &[Proposal]) -> Vec<usize> {
    (0..proposals.len())
        .filter(|i| covers(customer, &proposals[*i]))
        .collect()
}

/// What a buyer says to a seller's standing price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BuyerMove {
    /// Takes the standing price.
    Accept,
    /// Offers this price instead.
    Counter(Amount),
    /// Leaves: the standing price is more than the whole bundle is worth.
    Leave,
}

/// A buyer's move before its counter `round` (from 1), when it began to haggle at `start` and the
/// seller now asks `asked`. Bids rise in equal steps from three quarters of `start`, and pass
/// neither `start` nor what the bundle is `worth`; after [`HAGGLE_ROUNDS`] counters the buyer
/// takes what is asked or leaves.
#[must_use]
pub(crate) fn buyer_move(worth: Amount, start: Amount, asked: Amount, round: u32) -> BuyerMove {
    let bid = bid(start, round).min(worth);
    let end = round > HAGGLE_ROUNDS || bid <= Amount::ZERO;
    if asked <= worth && (end || bid >= asked) {
        return BuyerMove::Accept;
    }
    if end {
        BuyerMove::Leave
    } else {
        BuyerMove::Counter(bid)
    }
}

/// The buyer's bid of a round, in whole cents, before its own limit.
fn bid(start: Amount, round: u32) -> Amount {
    let opening = money::scaled_up(start, OPENING_SHARE.0, OPENING_SHARE.1);
    let step = i128::from(round.saturating_sub(1).min(HAGGLE_ROUNDS));
    let room = Amount(start.0 - opening.0);
    let raised = money::scaled_up(room, step, i128::from(HAGGLE_ROUNDS));
    money::down_to_cent(Amount(opening.0 + raised.0))
}

/// What a business publishes about itself.
#[must_use]
pub(crate) fn listing(business: &Business) -> Listing {
    Listing {
        seller: business.id.clone(),
        title: business.name.clone(),
        description: business.description.clone(),
        items: business.menu.clone(),
        attributes: business.attributes.clone(),
    }
}

/// A business's sealed answer: the wanted items it has at list price, lowered once if the call
/// says that others compete; `None` if it has none of them. It warrants only what it has.
#[must_use]
pub(crate) fn proposal(business: &Business, call: &Call) -> Option<Proposal> {
    let wanted = &call.wants;
    let has = |name: &&Name| find_item(&business.menu, name).is_some();
    let items: Vec<Name> = wanted.items.iter().filter(has).cloned().collect();
    let list_price = bundle_price(&business.menu, &items)?;
    if items.is_empty() {
        return None;
    }
    let lacking = missing(&business.attributes, &wanted.attributes);
    let attributes = wanted
        .attributes
        .iter()
        .filter(|name| !lacking.contains(name))
        .cloned();
    let price = match call.competition {
        None => list_price,
        Some(competition) => competing_price(business, list_price, competition),
    };
    Some(Proposal {
        seller: business.id.clone(),
        items,
        attributes: attributes.collect(),
        price,
    })
}

/// `floor + (best - floor) / n`, up to the next cent, never above what it asked or the best price;
/// list price as before if it cannot go below the best.
fn competing_price(business: &Business, list_price: Amount, competition: Competition) -> Amount {
    let floor = business.floor_price(list_price);
    let best = competition.best_price.min(list_price);
    if floor >= best {
        return list_price;
    }
    let room = Amount(best.0 - floor.0);
    let margin = money::scaled_up(room, 1, i128::from(competition.competitors.max(1)));
    money::up_to_cent(Amount(floor.0 + margin.0)).min(best)
}

/// What a seller says to a buyer's counter-offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SellerMove {
    /// Takes the buyer's price.
    Accept,
    /// Asks this price instead: its last one or less, never below its floor.
    Offer(Amount),
}

/// A seller's answer to the buyer's counter number `round` (from 1) of `offered`, when the
/// haggling began at the seller's own price `start` for this bundle. It concedes in equal steps
/// down to its floor at [`HAGGLE_ROUNDS`] and accepts any price at or above its next step.
#[must_use]
pub(crate) fn seller_move(
    business: &Business,
    bundle: &[Name],
    start: Amount,
    offered: Amount,
    round: u32,
) -> SellerMove {
    let list_price = bundle_price(&business.menu, bundle).unwrap_or(start);
    let floor = business.floor_price(list_price).min(start);
    let left = i128::from(HAGGLE_ROUNDS.saturating_sub(round));
    let room = Amount(start.0 - floor.0);
    let kept = money::scaled_up(room, left, i128::from(HAGGLE_ROUNDS));
    let asked = money::up_to_cent(Amount(floor.0 + kept.0)).min(start);
    if offered >= asked {
        SellerMove::Accept
    } else {
        SellerMove::Offer(asked)
    }
}

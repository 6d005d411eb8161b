//! How much of its items a seller sells: what offers may take, and what deals have taken.
//!
//! A seller that states no quantity sells without a bound here. The bound applies to the items that
//! an offer's lines name ([`name_key`](crate::names::name_key)), whatever the offer's origin: the
//! listing, another one, a call, or none. A claim names an item by the listing's own spelling, so
//! that `evolve` compares ASCII letters only, as it always has.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::{Item, ItemLine, Listing, ListingTerms};
use crate::id::{AgentId, ListingId, NegotiationId};
use crate::index::Index;
use crate::names::name_key;
use crate::reject::{Code, Rejection};
use crate::state::State;
use crate::text::Name;

/// How many of one item a listing sells, and how many deals have taken.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Stock {
    /// What it is called.
    #[n(0)]
    pub item: Name,
    /// How many are sold in all.
    #[n(1)]
    pub quantity: u32,
    /// How many deals have taken, without refunded and expired deals.
    #[n(2)]
    pub taken: u32,
}

/// What an offer or a deal takes of a listing's stock.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Claim {
    /// The listing.
    #[n(0)]
    pub listing: ListingId,
    /// How many of which items, each once.
    #[n(1)]
    pub lines: Vec<ItemLine>,
}

/// The key of an item's name: names with equal keys name the same item.
pub(crate) fn key(name: &Name) -> String {
    name_key(name.as_str())
}

/// Whether two names are the same by the rule that events have always used.
fn same(a: &Name, b: &Name) -> bool {
    a.as_str().eq_ignore_ascii_case(b.as_str())
}

impl Stock {
    fn left(&self) -> u32 {
        self.quantity.saturating_sub(self.taken)
    }

    /// The stock of a listing with these items; none if no item states a quantity. What was taken
    /// of an item before stays taken.
    fn of(items: &[Item], before: &[Self]) -> Option<Vec<Self>> {
        let mut stock: Vec<Self> = Vec::new();
        for (item, quantity) in items.iter().filter_map(|i| Some((i, i.quantity?))) {
            if let Some(known) = stock.iter_mut().find(|s| same(&s.item, &item.name)) {
                known.quantity = known.quantity.saturating_add(quantity);
                continue;
            }
            let before = before.iter().find(|s| same(&s.item, &item.name));
            stock.push(Self {
                item: item.name.clone(),
                quantity,
                taken: before.map_or(0, |s| s.taken),
            });
        }
        (!stock.is_empty()).then_some(stock)
    }
}

impl Listing {
    /// A new listing.
    pub(super) fn new<C>(agent: AgentId, terms: &ListingTerms<C>) -> Self {
        Self {
            agent,
            stock: Stock::of(&terms.items, &[]),
            funded_offers_only: terms.funded_offers_only.filter(|only| *only),
        }
    }

    /// The listing's new terms; its stock may have been decided.
    pub(crate) fn renew<C>(&mut self, terms: &ListingTerms<C>, decided: Option<&[Stock]>) {
        let before = self.stock.take().unwrap_or_default();
        self.stock = match decided {
            Some(stock) => Some(stock.to_vec()),
            None => Stock::of(&terms.items, &before),
        };
        self.funded_offers_only = terms.funded_offers_only.filter(|only| *only);
    }
}

/// Notes of which items a listing says how many there are.
pub(super) fn note(listing: &Listing, id: ListingId, index: &mut Index) {
    for stock in listing.stock.iter().flatten() {
        let item = (listing.agent, key(&stock.item));
        match index.stocked.get_mut(&item) {
            Some(listings) => {
                if let Err(place) = listings.binary_search(&id) {
                    listings.insert(place, id);
                }
            }
            None => {
                index.stocked.insert(item, Vec::from([id]));
            }
        }
    }
}

/// Takes out again what was noted.
pub(super) fn unnote(listing: &Listing, id: ListingId, index: &mut Index) {
    for stock in listing.stock.iter().flatten() {
        let item = (listing.agent, key(&stock.item));
        let left = index.stocked.get_mut(&item).map(|listings| {
            listings.retain(|l| *l != id);
            listings.len()
        });
        if left == Some(0) {
            index.stocked.remove(&item);
        }
    }
}

/// The stock of a listing with these new items, if it differs from what applying the event finds by
/// itself: an item that is only spelled differently keeps its stored spelling, and what was taken
/// of it.
pub(super) fn retyped(items: &[Item], before: &[Stock]) -> Option<Vec<Stock>> {
    let mut items = items.to_vec();
    let mut retyped = false;
    for item in items.iter_mut().filter(|i| i.quantity.is_some()) {
        if before.iter().any(|s| same(&s.item, &item.name)) {
            continue;
        }
        if let Some(old) = before.iter().find(|s| s.item.is_same(&item.name)) {
            item.name = old.item.clone();
            retyped = true;
        }
    }
    if retyped {
        Stock::of(&items, before)
    } else {
        None
    }
}

/// Refuses two spellings of one item, if a quantity is stated.
pub(super) fn each_once(items: &[Item]) -> Result<(), Rejection> {
    let mut seen: BTreeMap<String, &Name> = BTreeMap::new();
    for item in items.iter().filter(|i| i.quantity.is_some()) {
        let before = seen
            .entry(name_key(item.name.as_str()))
            .or_insert(&item.name);
        if !same(before, &item.name) {
            let detail = format!("{before} and {} are one item: name it one way", item.name);
            return Err(Rejection::new(Code::BadText, detail));
        }
    }
    Ok(())
}

/// What lines take of a seller's stock: each item once that a listing of it states a quantity of.
pub(super) fn drawn(state: &State, seller: AgentId, lines: &[ItemLine]) -> Vec<ItemLine> {
    let mut drawn: Vec<ItemLine> = Vec::new();
    for line in lines {
        if state.stocked(seller, &line.item).is_empty() {
            continue;
        }
        match drawn.iter_mut().find(|l| l.item.is_same(&line.item)) {
            Some(known) => known.quantity = known.quantity.saturating_add(line.quantity),
            None => drawn.push(line.clone()),
        }
    }
    drawn
}

/// The listings from which a deal would take these lines, each item once: the one that it is about
/// if that states a quantity of the item, or else the seller's others, oldest first.
pub(super) fn allot(
    state: &State,
    seller: AgentId,
    about: Option<ListingId>,
    lines: &[ItemLine],
) -> Result<Vec<Claim>, Rejection> {
    let mut claims: Vec<Claim> = Vec::new();
    for line in lines {
        let all = state.stocked(seller, &line.item);
        let only = all.iter().position(|id| Some(*id) == about);
        let listings = only.and_then(|at| all.get(at..=at)).unwrap_or(all);
        let mut needed = line.quantity;
        for id in listings {
            for stock in stock_of(state, *id, &line.item) {
                let quantity = needed.min(stock.left());
                if quantity > 0 {
                    add(&mut claims, *id, &stock.item, quantity);
                }
                needed -= quantity;
            }
        }
        if needed > 0 && !listings.is_empty() {
            let left = line.quantity - needed;
            let (item, asked) = (line.item.as_str(), line.quantity);
            let detail = format!("{item}: {left} left, the lines take {asked}");
            return Err(Rejection::new(Code::BeyondStock, detail));
        }
    }
    Ok(claims)
}

/// What a listing has of an item, however it is typed: one entry, except for a listing that was
/// published under older rules.
fn stock_of<'a>(
    state: &'a State,
    listing: ListingId,
    item: &'a Name,
) -> impl Iterator<Item = &'a Stock> {
    let listing = state.listings.get(&listing);
    let stock = listing.into_iter().flat_map(|l| l.stock.iter().flatten());
    stock.filter(|s| s.item.is_same(item))
}

fn add(claims: &mut Vec<Claim>, listing: ListingId, item: &Name, quantity: u32) {
    let line = ItemLine {
        item: item.clone(),
        quantity,
    };
    match claims.iter_mut().find(|c| c.listing == listing) {
        Some(claim) => claim.lines.push(line),
        None => claims.push(Claim {
            listing,
            lines: Vec::from([line]),
        }),
    }
}

/// What lines take of one listing's stock, for offers that do not state the seller's stock; none if
/// it bounds nothing.
fn claim(state: &State, listing: ListingId, lines: &[ItemLine]) -> Option<Claim> {
    let stock = state.listings.get(&listing)?.stock.as_ref()?;
    let mut claimed: Vec<ItemLine> = Vec::new();
    for line in lines {
        let Some(stock) = stock.iter().find(|s| same(&s.item, &line.item)) else {
            continue;
        };
        match claimed.iter_mut().find(|l| l.item == stock.item) {
            Some(known) => known.quantity = known.quantity.saturating_add(line.quantity),
            None => claimed.push(ItemLine {
                item: stock.item.clone(),
                quantity: line.quantity,
            }),
        }
    }
    Some(Claim {
        listing,
        lines: claimed,
    })
}

/// What an offer takes that does not state the seller's stock itself: from the listing that its
/// negotiation was opened on, if that states quantities.
pub(super) fn next_claim(
    state: &State,
    negotiation: NegotiationId,
    opened_on: Option<ListingId>,
    lines: &[ItemLine],
) -> Option<Claim> {
    let known = state.negotiations.get(&negotiation);
    let listing = opened_on.or_else(|| known?.claim.as_ref().map(|c| c.listing))?;
    claim(state, listing, lines).or_else(|| known?.claim.clone())
}

/// Checks that as much is left as is claimed. A withdrawn listing bounds nothing.
pub(super) fn check_left(state: &State, claim: Option<&Claim>) -> Result<(), Rejection> {
    let Some(claim) = claim else { return Ok(()) };
    let listing = state.listings.get(&claim.listing);
    let stock = listing.and_then(|l| l.stock.as_deref()).unwrap_or_default();
    for line in &claim.lines {
        let of = stock.iter().find(|s| same(&s.item, &line.item));
        if let Some(stock) = of.filter(|s| s.left() < line.quantity) {
            let (item, asked, left) = (line.item.as_str(), line.quantity, stock.left());
            let detail = format!("{item}: {left} left, the lines take {asked}");
            return Err(Rejection::new(Code::BeyondStock, detail));
        }
    }
    Ok(())
}

/// A deal takes what it claims.
pub(super) fn take(state: &mut State, claim: &Claim) {
    change(state, claim, u32::saturating_add);
}

/// A failed deal gives back what it took.
pub(super) fn give_back(state: &mut State, claim: &Claim) {
    change(state, claim, u32::saturating_sub);
}

fn change(state: &mut State, claim: &Claim, by: fn(u32, u32) -> u32) {
    if !state.listings.contains(&claim.listing) {
        return;
    }
    state
        .listings
        .modify(&claim.listing, &mut state.changes, |l| {
            for stock in l.stock.iter_mut().flatten() {
                let line = claim
                    .lines
                    .iter()
                    .find(|line| same(&line.item, &stock.item));
                if let Some(line) = line {
                    stock.taken = by(stock.taken, line.quantity);
                }
            }
        });
}

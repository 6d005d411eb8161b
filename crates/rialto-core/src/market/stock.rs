//! How much of its items a listing sells: what offers on it may take, and what deals have taken.
//!
//! A seller that states no quantity sells without a bound here. What is bound is what an offer's lines
//! name, however they type it ([`name_key`](crate::names::name_key)): deciding writes a line in the
//! listing's own words, so that what evolves of it compares ASCII letters only, as it always has.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::{Item, Line, Listing};
use crate::id::{AgentId, ListingId, NegotiationId};
use crate::names::name_key;
use crate::reject::{Code, Rejection};
use crate::state::State;
use crate::text::Name;

/// How many of one item a listing sells, and how many deals have taken of it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Stock {
    /// What it is called.
    #[n(0)]
    pub item: Name,
    /// How many are sold in all.
    #[n(1)]
    pub quantity: u32,
    /// How many deals have taken that were not refunded and have not expired undelivered.
    #[n(2)]
    pub taken: u32,
}

/// What an offer or a deal takes of a listing's stock.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Claim {
    /// The listing.
    #[n(0)]
    pub listing: ListingId,
    /// How many of which items, each once.
    #[n(1)]
    pub lines: Vec<Line>,
}

/// As events have always been applied.
fn same(a: &Name, b: &Name) -> bool {
    a.as_str().eq_ignore_ascii_case(b.as_str())
}

impl Stock {
    fn left(&self) -> u32 {
        self.quantity.saturating_sub(self.taken)
    }

    /// The stock of a listing with these items; none when none states a quantity. What was taken of
    /// an item before stays taken.
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
    pub(super) fn new(agent: AgentId, items: &[Item]) -> Self {
        Self {
            agent,
            stock: Stock::of(items, &[]),
        }
    }

    /// The listing's items are now these, or its stock is as it was decided.
    pub(super) fn restock(&mut self, items: &[Item], decided: Option<&[Stock]>) {
        let before = self.stock.take().unwrap_or_default();
        self.stock = match decided {
            Some(stock) => Some(stock.to_vec()),
            None => Stock::of(items, &before),
        };
    }
}

/// Lines in the words of the listing that they are about, where it bounds what they name.
pub(super) fn in_its_words(state: &State, listing: Option<ListingId>, lines: &[Line]) -> Vec<Line> {
    let listing = listing.and_then(|id| state.listings.get(&id));
    let stock = listing.and_then(|l| l.stock.as_deref());
    let mut lines = lines.to_vec();
    for line in &mut lines {
        let stock = stock.unwrap_or_default();
        if stock.iter().any(|s| same(&s.item, &line.item)) {
            continue;
        }
        let own = stock.iter().find(|s| s.item.is_same(&line.item));
        if let Some(own) = own {
            line.item = own.item.clone();
        }
    }
    lines
}

/// The stock of a listing whose items are now these, where it is another than applying the event
/// finds by itself: an item that was only typed anew keeps its word, and what was taken of it.
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

/// Refuses items that are one under two spellings, when how many there are is stated.
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

/// What lines take of a listing's stock; none when it bounds nothing.
pub(super) fn claim(state: &State, listing: ListingId, lines: &[Line]) -> Option<Claim> {
    let stock = state.listings.get(&listing)?.stock.as_ref()?;
    let mut claimed: Vec<Line> = Vec::new();
    for line in lines {
        let Some(stock) = stock.iter().find(|s| same(&s.item, &line.item)) else {
            continue;
        };
        match claimed.iter_mut().find(|l| l.item == stock.item) {
            Some(known) => known.quantity = known.quantity.saturating_add(line.quantity),
            None => claimed.push(Line {
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

/// What the next offer of a negotiation takes: of the listing that it was opened on, if that bounds
/// what it sells.
pub(super) fn next_claim(
    state: &State,
    negotiation: NegotiationId,
    opened_on: Option<ListingId>,
    lines: &[Line],
) -> Option<Claim> {
    let listing = opened_on.or_else(|| bounding(state, negotiation))?;
    let known = || state.negotiations.get(&negotiation)?.claim.clone();
    claim(state, listing, lines).or_else(known)
}

/// The listing that bounds the offers of a negotiation, if one does.
pub(super) fn bounding(state: &State, negotiation: NegotiationId) -> Option<ListingId> {
    let claim = state.negotiations.get(&negotiation)?.claim.as_ref()?;
    Some(claim.listing)
}

/// Checks that as much is left as is claimed. A listing that was withdrawn since bounds nothing.
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
pub(super) fn take(state: &mut State, claim: Option<&Claim>) {
    change(state, claim, u32::saturating_add);
}

/// A deal that came to nothing gives back what it took.
pub(super) fn give_back(state: &mut State, claim: Option<&Claim>) {
    change(state, claim, u32::saturating_sub);
}

fn change(state: &mut State, claim: Option<&Claim>, by: fn(u32, u32) -> u32) {
    let Some(claim) = claim.filter(|c| state.listings.contains(&c.listing)) else {
        return;
    };
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

//! Decides commands about listings.

use super::{
    Listing, ListingTerms, MarketEvent, PublishListing, UpdateListing, WithdrawListing, stock,
};
use crate::ctx::{Ctx, positive, room};
use crate::event::Event;
use crate::id::{AgentId, ListingId};
use crate::ledger::resolve_asset;
use crate::limits;
use crate::reject::{Code, Rejection};
use crate::share;
use crate::text::{ContentRef, Sealed};

fn check(
    ctx: &Ctx<'_>,
    terms: &ListingTerms<Sealed>,
) -> Result<ListingTerms<ContentRef>, Rejection> {
    ctx.at_most("items", terms.items.len(), limits::LISTING_ITEMS)?;
    ctx.at_most(
        "attributes",
        terms.attributes.len(),
        limits::LISTING_ATTRIBUTES,
    )?;
    ctx.at_most("tags", terms.tags.len(), limits::LISTING_ATTRIBUTES)?;
    let (_, scale) = resolve_asset(ctx.state, terms.asset.as_ref())?;
    for item in &terms.items {
        positive(item.price, scale)?;
    }
    stock::each_once(&terms.items)?;
    Ok(terms.clone().map(|sealed| ctx.place(sealed)))
}

pub(super) fn publish(ctx: &mut Ctx<'_>, args: &PublishListing<Sealed>) -> Result<(), Rejection> {
    let agent = ctx.actor()?;
    ctx.room_for::<Listing>(share::owner(ctx.state, agent), 0)?;
    let have = ctx.state.agents.get(&agent).map_or(0, |a| a.listings);
    room(
        "listings of an agent",
        have as usize,
        limits::LISTINGS_PER_AGENT as usize,
    )?;
    let terms = check(ctx, &args.terms)?;
    let listing = ctx.new_id(ListingId)?;
    ctx.emit(Event::Market(MarketEvent::ListingPublished {
        listing,
        agent,
        terms,
    }));
    Ok(())
}

/// Refuses unless it is this agent's listing.
fn own(ctx: &Ctx<'_>, listing: ListingId, agent: AgentId) -> Result<(), Rejection> {
    let entity = ctx.state.listings.get(&listing).ok_or(Code::NotFound)?;
    if entity.agent == agent {
        Ok(())
    } else {
        Err(Code::Forbidden.into())
    }
}

pub(super) fn update(ctx: &mut Ctx<'_>, args: &UpdateListing<Sealed>) -> Result<(), Rejection> {
    own(ctx, args.listing, ctx.actor()?)?;
    let terms = check(ctx, &args.terms)?;
    let before = ctx.state.listings.get(&args.listing);
    let before = before.and_then(|l| l.stock.as_deref()).unwrap_or_default();
    let stock = stock::retyped(&terms.items, before);
    ctx.emit(Event::Market(MarketEvent::ListingUpdated {
        listing: args.listing,
        terms,
        stock,
    }));
    Ok(())
}

pub(super) fn withdraw(ctx: &mut Ctx<'_>, args: &WithdrawListing) -> Result<(), Rejection> {
    own(ctx, args.listing, ctx.ending_actor()?)?;
    ctx.emit(Event::Market(MarketEvent::ListingWithdrawn {
        listing: args.listing,
    }));
    Ok(())
}

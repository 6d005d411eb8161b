//! Buyers' offers that wait for a person: parked unchanged, and sent once a person approves.
//!
//! A parked offer holds no money and binds nobody. When it is sent, everything is checked as for a
//! new request, except the need of an approval.

use alloc::boxed::Box;

use super::bargain::{Made, counter_with, open_with, same_split, split_asked, split_of};
use super::{ArbiterRef, Bargain, Counter, OpenNegotiation, ParkedOffer, Side, Terms};
use crate::ctx::Ctx;
use crate::id::AccountId;
use crate::identity::AgentRef;
use crate::ledger::AccountRef;
use crate::policy::{self, Bound};
use crate::reject::{Code, Rejection};

/// Parks an offer that an allowance lets through only with a person's approval.
pub(super) fn park(
    ctx: &mut Ctx<'_>,
    made: &Made<'_>,
    bargain: Bargain,
    pay_from: Option<AccountId>,
) -> Result<(), Rejection> {
    let pay_from = pay_from.ok_or(Code::PayerMissing)?;
    let standing = match made.opening {
        Some(_) => None,
        None => Some(made.negotiation),
    };
    let countered = standing.and_then(|id| ctx.state.negotiations.get(&id));
    let (asset, price) = (bargain.asset, bargain.price);
    let shares = split_asked(ctx.state, &bargain, made.seller)?;
    let offer = ParkedOffer {
        seller: made.seller,
        negotiation: standing,
        counters: countered.map(|n| n.latest.hash),
        listing: made.opening.as_ref().and_then(|o| o.listing),
        task: made.opening.as_ref().and_then(|o| o.task),
        bargain,
        lines: made.terms.lines.clone(),
        issues: made.terms.issues.clone(),
        note: made.note,
        pay_from,
        valid_for_ms: made.expires.since(ctx.now),
        signature: made.signature,
        fund: made.fund.then_some(true),
        shares,
    };
    // The negotiation that it would have opened has not come into being.
    ctx.ids.clear();
    let bound = Bound::Offer {
        offer: Box::new(offer),
    };
    policy::request(ctx, made.by, bound, (asset, price))
}

/// Sends an offer that a person has approved.
pub(crate) fn send(ctx: &mut Ctx<'_>, offer: &ParkedOffer) -> Result<(), Rejection> {
    let terms = terms(ctx, offer)?;
    let shares = split_of(ctx.state, &offer.bargain, offer.seller)?;
    same_split(offer.shares.as_deref().unwrap_or(&[]), &shares)?;
    let pay_from = Some(AccountRef::Account(offer.pay_from));
    let Some(negotiation) = offer.negotiation else {
        let opening = OpenNegotiation {
            with: AgentRef::Id(offer.seller),
            side: Side::Buy,
            terms,
            valid_for_ms: offer.valid_for_ms,
            pay_from,
            fund: offer.fund == Some(true),
            listing: offer.listing,
            task: offer.task,
            signature: offer.signature,
            note: offer.note,
        };
        return open_with(ctx, &opening);
    };
    let latest = ctx
        .state
        .negotiations
        .get(&negotiation)
        .map(|n| n.latest.hash);
    if let Some(latest) = latest.filter(|latest| Some(*latest) != offer.counters) {
        let detail = alloc::format!("the latest is {latest}");
        return Err(Rejection::new(Code::OfferStale, detail));
    }
    let counter = Counter {
        negotiation,
        terms,
        valid_for_ms: offer.valid_for_ms,
        pay_from,
        fund: offer.fund == Some(true),
        signature: offer.signature,
        note: offer.note,
    };
    counter_with(ctx, &counter)
}

/// The terms as they were asked for.
fn terms(ctx: &Ctx<'_>, offer: &ParkedOffer) -> Result<Terms, Rejection> {
    let bargain = &offer.bargain;
    let asset = ctx.state.assets.get(&bargain.asset).ok_or(Code::NoAsset)?;
    let price = bargain.price.display(asset.scale);
    Ok(Terms {
        price: price.parse().map_err(|_| Code::Defect)?,
        asset: Some(asset.code.clone()),
        lines: offer.lines.clone(),
        issues: offer.issues.clone(),
        deliver_within_ms: bargain.deliver_within_ms,
        review_within_ms: bargain.review_within_ms,
        rule_within_ms: bargain.rule_within_ms,
        arbiter: match bargain.arbiter {
            None => ArbiterRef::Operator,
            Some(agent) => ArbiterRef::Agent(AgentRef::Id(agent)),
        },
        on_no_review: bargain.on_no_review,
        on_no_ruling: bargain.on_no_ruling,
        payee_team: bargain.payee_team,
    })
}

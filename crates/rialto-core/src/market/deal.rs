//! Decides commands about deals: delivery, acceptance, dispute, ruling, and the effect of silence.
//!
//! A deal's end and the posting or voiding of its hold are one batch, always.

use alloc::format;

use super::apart::{Sides, stands_apart};
use super::{
    AcceptDelivery, Deal, DealEnd, DealState, Deliver, Dispute, MarketEvent, Refund, Rule, Silence,
};
use crate::amount::Amount;
use crate::ctx::Ctx;
use crate::event::Event;
use crate::id::{AgentId, DealId};
use crate::identity;
use crate::ledger::{Holder, Purpose};
use crate::policy::Action;
use crate::reject::{Code, Rejection};
use crate::text::{ContentRef, Sealed};
use crate::work::{self, TaskState, WHOLE_PPM};

fn emit(ctx: &mut Ctx<'_>, event: MarketEvent) {
    ctx.emit(Event::Market(event));
}

/// A deal in one of the wanted states, whose time in that state is not over.
fn deal_in<'a>(ctx: &Ctx<'a>, id: DealId, wanted: &[DealState]) -> Result<&'a Deal, Rejection> {
    let deal = ctx.state.deals.get(&id).ok_or(Code::NotFound)?;
    if !wanted.contains(&deal.state) {
        return Err(Rejection::new(
            Code::DealState,
            format!("the deal is {}", deal.state.word()),
        ));
    }
    let due = crate::entity::Entity::due(deal);
    if due.is_some_and(|at| ctx.now >= at) {
        let detail = format!("the deal is {} and its time is over", deal.state.word());
        return Err(Rejection::new(Code::DealState, detail));
    }
    Ok(deal)
}

/// The acting agent, which must be the named party; an admin acts for one that is closed or
/// stopped. Strangers learn nothing about the deal.
fn party(ctx: &Ctx<'_>, deal: DealId, pick: fn(&Deal) -> AgentId) -> Result<(), Rejection> {
    let agent = ctx.ending_actor()?;
    let deal = ctx.state.deals.get(&deal).ok_or(Code::NotFound)?;
    let parties = [Some(deal.buyer), Some(deal.seller), deal.bargain.arbiter];
    if !parties.contains(&Some(agent)) {
        return Err(Code::NotFound.into());
    }
    if agent == pick(deal) {
        Ok(())
    } else {
        Err(Code::NotParty.into())
    }
}

pub(super) fn deliver(ctx: &mut Ctx<'_>, args: &Deliver<Sealed>) -> Result<(), Rejection> {
    party(ctx, args.deal, |d| d.seller)?;
    let deal = deal_in(ctx, args.deal, &[DealState::Agreed])?;
    if args.body.blank {
        return Err(Code::EmptyDelivery.into());
    }
    let task = deal.task;
    let body = ctx.place(args.body);
    emit(ctx, MarketEvent::DealDelivered { deal: args.deal });
    work::finish_for_deal(ctx, task, TaskState::Completed, Some(body))
}

pub(super) fn accept(ctx: &mut Ctx<'_>, args: &AcceptDelivery) -> Result<(), Rejection> {
    party(ctx, args.deal, |d| d.buyer)?;
    let deal = deal_in(ctx, args.deal, &[DealState::Delivered])?;
    end(
        ctx,
        args.deal,
        deal,
        deal.bargain.price,
        DealEnd::Accepted,
        None,
    )
}

pub(super) fn refund(ctx: &mut Ctx<'_>, args: &Refund) -> Result<(), Rejection> {
    party(ctx, args.deal, |d| d.seller)?;
    let deal = deal_in(
        ctx,
        args.deal,
        &[DealState::Agreed, DealState::Delivered, DealState::Disputed],
    )?;
    end(ctx, args.deal, deal, Amount::ZERO, DealEnd::GivenBack, None)
}

pub(super) fn dispute(ctx: &mut Ctx<'_>, args: &Dispute<Sealed>) -> Result<(), Rejection> {
    party(ctx, args.deal, |d| d.buyer)?;
    deal_in(ctx, args.deal, &[DealState::Delivered])?;
    let reason = ctx.place(args.reason);
    emit(
        ctx,
        MarketEvent::DealDisputed {
            deal: args.deal,
            reason,
        },
    );
    Ok(())
}

/// The states in which the acting principal may rule on a deal.
///
/// The arbiter rules in a dispute. The operator rules if none is named, or if the named one is
/// closed, stopped or not independent of both sides. The operator also ends a deal in which a
/// closed or stopped agent has the next step, so that no money waits for an agent that cannot act.
fn rulable(ctx: &Ctx<'_>, id: DealId) -> Result<&'static [DealState], Rejection> {
    let operator = ctx.authorise(Action::ManageRealm).is_ok();
    if !operator {
        // Before the deal is looked for: who acts does not hang on whether there is one.
        ctx.ending_actor()?;
    }
    let deal = ctx.state.deals.get(&id).ok_or(Code::NotFound)?;
    let apart = stands_apart(ctx.state, &deal.bargain, &Sides::of(ctx.state, deal)).is_ok();
    let arbiter = deal.bargain.arbiter.filter(|_| apart);
    let cannot = |agent: AgentId| ctx.active_agent(agent).is_err();
    if operator {
        if cannot(deal.seller) && deal.state == DealState::Agreed {
            return Ok(&[DealState::Agreed]);
        }
        if cannot(deal.buyer) && deal.state == DealState::Delivered {
            return Ok(&[DealState::Delivered]);
        }
        if arbiter.is_none_or(cannot) {
            return Ok(&[DealState::Disputed]);
        }
        return Err(Code::NotArbiter.into());
    }
    let not_arbiter = |why: Rejection| match why.code {
        Code::NotParty => Code::NotArbiter.into(),
        _ => why,
    };
    party(ctx, id, |d| d.bargain.arbiter.unwrap_or_default()).map_err(not_arbiter)?;
    if arbiter.is_none() {
        return Err(Code::NotArbiter.into());
    }
    Ok(&[DealState::Disputed])
}

pub(super) fn rule(ctx: &mut Ctx<'_>, args: &Rule<Sealed>) -> Result<(), Rejection> {
    let states = rulable(ctx, args.deal)?;
    let deal = deal_in(ctx, args.deal, states)?;
    let scale = ctx
        .state
        .assets
        .get(&deal.bargain.asset)
        .map_or(0, |a| a.scale);
    let to_seller = args
        .to_seller
        .amount(scale)
        .map_err(|e| Rejection::new(Code::BadAmount, format!("{e}")))?;
    if to_seller < Amount::ZERO || to_seller > deal.bargain.price {
        return Err(Rejection::new(
            Code::BadAmount,
            "the seller's part must be between 0 and the price",
        ));
    }
    let reason = ctx.place(args.reason);
    end(
        ctx,
        args.deal,
        deal,
        to_seller,
        DealEnd::Ruled,
        Some(reason),
    )
}

/// Ends a deal: the seller gets `paid`, the buyer the rest, in the same batch.
fn end(
    ctx: &mut Ctx<'_>,
    id: DealId,
    deal: &Deal,
    paid: Amount,
    end: DealEnd,
    reason: Option<ContentRef>,
) -> Result<(), Rejection> {
    let price = deal.bargain.price;
    let returned = price.minus(paid).ok_or(Code::Overflow)?;
    let state = match (end, paid) {
        (DealEnd::NotDelivered, _) => DealState::Expired,
        (_, Amount::ZERO) => DealState::Refunded,
        _ if paid == price => DealState::Settled,
        _ => DealState::Split,
    };
    ctx.end_hold(deal.hold, paid)?;
    share_out(ctx, id, deal, paid)?;
    emit(
        ctx,
        MarketEvent::DealEnded {
            deal: id,
            state,
            end,
            paid,
            returned,
            reason,
        },
    );
    if state == DealState::Settled {
        identity::known_by_deal(ctx, deal.buyer, deal.seller);
    }
    work::finish_for_deal(ctx, deal.task, TaskState::Failed, None)
}

/// Shares a team's proceeds by the agreed split; the rounding remainder goes to the first member in
/// it.
fn share_out(ctx: &mut Ctx<'_>, id: DealId, deal: &Deal, paid: Amount) -> Result<(), Rejection> {
    let Some(team) = deal.bargain.payee_team else {
        return Ok(());
    };
    if !paid.is_positive() {
        return Ok(());
    }
    let asset = deal.bargain.asset;
    let from = ctx.ensure_account(Holder::Team(team), asset)?;
    let part = |ppm: u32| paid.0 * i128::from(ppm) / i128::from(WHOLE_PPM);
    let left = paid.0 - deal.shares.iter().map(|s| part(s.ppm)).sum::<i128>();
    for (index, share) in deal.shares.iter().enumerate() {
        let amount = part(share.ppm) + if index == 0 { left } else { 0 };
        if amount <= 0 {
            continue;
        }
        let paid_out = ctx
            .ensure_account(Holder::Agent(share.agent), asset)
            .and_then(|to| ctx.post_transfer(from, to, Amount(amount), Purpose::Share(id)));
        match paid_out {
            Ok(_) => {}
            // A share that no account can take stays in the team's budget: the deal must end.
            Err(why) if matches!(why.code, Code::Overflow | Code::RealmFull) => {}
            Err(why) => return Err(why),
        }
    }
    Ok(())
}

/// Applies what the terms say about silence, and retires a finished deal.
pub(super) fn expire(ctx: &mut Ctx<'_>, id: DealId) -> Result<bool, Rejection> {
    let Some(deal) = ctx.state.deals.get(&id) else {
        return Ok(false);
    };
    let bargain = &deal.bargain;
    let (rule, why) = match deal.state {
        DealState::Agreed => (Silence::Refund, DealEnd::NotDelivered),
        DealState::Delivered => (bargain.on_no_review, DealEnd::NoReview),
        DealState::Disputed => (bargain.on_no_ruling, DealEnd::NoRuling),
        DealState::Settled | DealState::Split | DealState::Refunded | DealState::Expired => {
            return Ok(true);
        }
    };
    let paid = match rule {
        Silence::Settle => bargain.price,
        Silence::Refund => Amount::ZERO,
        Silence::Halve => Amount(bargain.price.0 / 2),
    };
    end(ctx, id, deal, paid, why, None)?;
    Ok(false)
}

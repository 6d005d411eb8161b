//! Decides commands about calls for proposals (the contract net of FIPA SC00029).
//!
//! Proposals are opened together, at the deadline or as soon as every invited agent has answered, so
//! that nobody gains by being first and nobody learns another's price before committing to its own.

use alloc::format;
use alloc::vec::Vec;

use super::bargain::{Made, end, make_offer, of_either, whole_lines};
use super::{
    Answer, Call, CallState, CancelCall, MarketEvent, Negotiation, NegotiationEnd,
    NegotiationState, OpenCall, Opening, Propose, RefuseCall,
};
use crate::ctx::Ctx;
use crate::event::Event;
use crate::hash::Hash;
use crate::id::{AgentId, CallId, NegotiationId};
use crate::identity::{Agent, ContactPolicy, Status};
use crate::limits;
use crate::policy::{self, Rate};
use crate::reject::{Code, Rejection};
use crate::share;
use crate::state::pair;
use crate::text::Sealed;
use crate::work;

fn emit(ctx: &mut Ctx<'_>, event: MarketEvent) {
    ctx.emit(Event::Market(event));
}

pub(super) fn open(ctx: &mut Ctx<'_>, args: &OpenCall<Sealed>) -> Result<(), Rejection> {
    let buyer = ctx.actor()?;
    policy::throttle(ctx, Rate::Offers(buyer))?;
    ctx.room_for::<Call>(share::owner(ctx.state, buyer), 0)?;
    ctx.at_most("invited agents", args.invite.len(), limits::CALL_INVITES)?;
    ctx.at_most("wanted items", args.wanted.len(), limits::TERMS_ENTRIES)?;
    whole_lines(&args.wanted)?;
    ctx.at_most(
        "attributes",
        args.attributes.len(),
        limits::LISTING_ATTRIBUTES,
    )?;
    let open_for_ms = ctx.period("open_for_ms", args.open_for_ms, limits::CALL_MS)?;
    let mut invited = Vec::with_capacity(args.invite.len());
    for name in &args.invite {
        let agent = ctx.agent(name)?;
        if agent == buyer {
            return Err(Code::ToSelf.into());
        }
        // Who does not want to hear of the caller is passed over in silence: it never answers.
        if !invited.contains(&agent) && hears(ctx, agent, buyer) {
            invited.push(agent);
        }
    }
    if invited.is_empty() && !args.public {
        return Err(Code::NoInvites.into());
    }
    serves_own_task(ctx, args.task, buyer)?;
    let call = ctx.new_id(CallId)?;
    let named = u16::try_from(invited.len()).ok().filter(|_| args.public);
    let draw = || (u64::from(ctx.chance(call.0)) << 32) | u64::from(ctx.chance(!call.0));
    let draw = args.public.then(draw);
    emit(
        ctx,
        MarketEvent::CallOpened {
            call,
            buyer,
            body: ctx.place(args.body),
            wanted: args.wanted.clone(),
            attributes: args.attributes.clone(),
            invited,
            public: args.public,
            deadline: ctx.now.after(open_for_ms),
            task: args.task,
            named,
            draw,
        },
    );
    Ok(())
}

/// True unless `agent` is closed for good, has blocked the caller, has no listing and is closed to
/// strangers, or already has the maximum of the caller's owner's things waiting.
fn hears(ctx: &Ctx<'_>, agent: AgentId, caller: AgentId) -> bool {
    let closed = |a: &Agent| a.contact == ContactPolicy::Closed && a.listings == 0;
    let entity = ctx.state.agents.get(&agent);
    let gone = entity.is_some_and(|a| a.status == Status::Closed);
    let deaf =
        gone || entity.is_some_and(closed) && !crate::mail::admitted(ctx.state, agent, caller);
    !deaf
        && !policy::blocked(ctx.state, agent, caller)
        && crate::mail::may_wait(ctx, agent, caller).is_ok()
}

/// A task that a call or negotiation serves must be one that the agent works on.
pub(super) fn serves_own_task(
    ctx: &Ctx<'_>,
    task: Option<crate::id::TaskId>,
    agent: AgentId,
) -> Result<(), Rejection> {
    let Some(id) = task else { return Ok(()) };
    let task = ctx.state.tasks.get(&id).filter(|t| t.worker == agent);
    let task = task.ok_or_else(|| Rejection::new(Code::NotFound, format!("{id}")))?;
    work::depth_below(task).map(|_| ())
}

/// An open call that the acting agent may answer and has not answered.
fn answerable<'a>(ctx: &Ctx<'a>, id: CallId, agent: AgentId) -> Result<&'a Call, Rejection> {
    let call = ctx.state.calls.get(&id).ok_or(Code::NotFound)?;
    let invite = call.invites.iter().find(|i| i.agent == agent);
    match invite.map(|i| i.answer) {
        None if call.buyer == agent => return Err(Code::ToSelf.into()),
        None if !call.public => return Err(Code::NotFound.into()),
        Some(Answer::Proposed(_) | Answer::Refused) => return Err(Code::AlreadyAnswered.into()),
        None | Some(Answer::None) => {}
    }
    if call.state != CallState::Open || ctx.now >= call.deadline {
        return Err(Code::CallClosed.into());
    }
    Ok(call)
}

/// The proposal that gives up its place for one by `agent`, if the call is full and does not name the
/// agent. Whoever fills a call must not shut it: whom the buyer has never dealt with yields to whom it
/// has, an owner with more places to one with fewer, and of equals the one with the higher ticket.
/// Named agents keep their places.
///
/// A ticket is an owner's for the call, and nobody knows it before: to come earlier or to answer again
/// gives no better one. So of many owners each has the same chance, and who would keep one out needs
/// many times as many owners as there are places.
fn yields(ctx: &Ctx<'_>, call: &Call, agent: AgentId) -> Result<Option<NegotiationId>, Rejection> {
    if call.invites.iter().any(|i| i.agent == agent) {
        return Ok(None);
    }
    let own = places_of(ctx, call, agent);
    if own >= limits::CALL_PLACES_OF_OWNER {
        let detail = format!("at most {}", limits::CALL_PLACES_OF_OWNER);
        return Err(Rejection::new(Code::CallPlaces, detail));
    }
    if call.invites.len() < limits::CALL_INVITES {
        return Ok(None);
    }
    let dealt = |other| ctx.state.pairs.contains(&pair(call.buyer, other));
    let named = call.named.map_or(call.invites.len(), usize::from);
    let strangers = call.invites.iter().skip(named).filter(|i| !dealt(i.agent));
    let standing = |other| (places_of(ctx, call, other), ticket(ctx, call, other));
    // Of an owner's answers the latest yields.
    let most = strangers
        .filter_map(|i| match i.answer {
            Answer::Proposed(negotiation) => Some((standing(i.agent), negotiation)),
            Answer::None | Answer::Refused => None,
        })
        .max();
    let after = (own + 1, ticket(ctx, call, agent));
    match most {
        Some((last, negotiation)) if dealt(agent) || last > after => Ok(Some(negotiation)),
        _ => {
            let detail = format!(
                "{} have answered, as many as may, and this one drew no place",
                call.invites.len()
            );
            Err(Rejection::new(Code::CallClosed, detail))
        }
    }
}

/// What an agent's owner has drawn in a call; the lowest keep their places. Calls from before there were
/// draws keep to who came first.
fn ticket(ctx: &Ctx<'_>, call: &Call, agent: AgentId) -> Option<[u8; 16]> {
    let owner = share::owner(ctx.state, agent)?;
    let draw = call.draw?.to_le_bytes();
    let ticket = Hash::of(&[b"rialto ticket", &draw, &owner.0.to_le_bytes()]);
    Some(*ticket.short().0)
}

/// How many agents of an agent's owner have answered a call, so that no owner takes all the places.
fn places_of(ctx: &Ctx<'_>, call: &Call, agent: AgentId) -> usize {
    let whose = share::owner(ctx.state, agent);
    let answered = call.invites.iter().filter(|i| i.answer != Answer::None);
    answered
        .filter(|i| share::owner(ctx.state, i.agent) == whose)
        .count()
}

pub(super) fn propose(ctx: &mut Ctx<'_>, args: &Propose<Sealed>) -> Result<(), Rejection> {
    let seller = ctx.actor()?;
    let call = answerable(ctx, args.call, seller)?;
    if policy::blocked(ctx.state, call.buyer, seller) {
        return Err(Code::Blocked.into());
    }
    let yielding = yields(ctx, call, seller)?;
    let (buyer, deadline, task) = (call.buyer, call.deadline, call.task);
    let last = is_last_answer(call, seller);
    let valid_for_ms = ctx.period("valid_for_ms", args.valid_for_ms, limits::OFFER_MS)?;
    // Validity counts from the opening, which is at the latest the deadline.
    let expires = deadline.after(valid_for_ms);
    ctx.room_for::<Negotiation>(share::owner(ctx.state, seller), 0)?;
    of_either(ctx, args.listing, (seller, seller))?;
    let negotiation = ctx.new_id(NegotiationId)?;
    let opening = Opening {
        buyer,
        seller,
        call: Some(args.call),
        listing: args.listing,
        task,
    };
    let made = Made {
        negotiation,
        opening: Some(opening),
        number: 1,
        by: seller,
        buyer,
        seller,
        expires,
        listing: args.listing,
        terms: &args.terms,
        pay_from: None,
        fund: false,
        note: args.note.map(|note| ctx.place(note)),
        signature: args.signature,
    };
    make_offer(ctx, made)?;
    if let Some(yielding) = yielding {
        end(ctx, yielding, NegotiationEnd::Displaced, None)?;
    }
    if last {
        emit(ctx, MarketEvent::CallRevealed { call: args.call });
    }
    Ok(())
}

/// True when every other invited agent has answered, so that nothing is left to wait for.
fn is_last_answer(call: &Call, agent: AgentId) -> bool {
    !call.public
        && call
            .invites
            .iter()
            .all(|i| i.agent == agent || i.answer != Answer::None)
}

pub(super) fn refuse(ctx: &mut Ctx<'_>, args: &RefuseCall) -> Result<(), Rejection> {
    let agent = ctx.ending_actor()?;
    let call = answerable(ctx, args.call, agent)?;
    if !call.invites.iter().any(|i| i.agent == agent) {
        // A no from somebody who was not asked would only take up a place among the answers.
        return Err(Code::NotInvited.into());
    }
    let last = is_last_answer(call, agent);
    emit(
        ctx,
        MarketEvent::CallRefused {
            call: args.call,
            agent,
        },
    );
    if last {
        emit(ctx, MarketEvent::CallRevealed { call: args.call });
    }
    Ok(())
}

pub(super) fn cancel(ctx: &mut Ctx<'_>, args: &CancelCall) -> Result<(), Rejection> {
    let agent = ctx.ending_actor()?;
    let call = ctx
        .state
        .calls
        .get(&args.call)
        .filter(|c| c.buyer == agent)
        .ok_or(Code::NotFound)?;
    if !matches!(call.state, CallState::Open | CallState::Revealed) {
        return Err(Code::CallClosed.into());
    }
    close(ctx, args.call, None)?;
    emit(ctx, MarketEvent::CallClosed { call: args.call });
    Ok(())
}

/// Ends the negotiations of a call except the one that won.
pub(super) fn close(
    ctx: &mut Ctx<'_>,
    call: CallId,
    winner: Option<NegotiationId>,
) -> Result<(), Rejection> {
    let Some(entity) = ctx.state.calls.get(&call) else {
        return Ok(());
    };
    for invite in &entity.invites {
        let Answer::Proposed(negotiation) = invite.answer else {
            continue;
        };
        let entity = ctx.state.negotiations.get(&negotiation);
        // One whose offer has run out ends by itself.
        let open =
            entity.is_some_and(|n| n.state == NegotiationState::Open && ctx.now < n.latest.expires);
        if open && Some(negotiation) != winner {
            end(ctx, negotiation, NegotiationEnd::Lost, None)?;
        }
    }
    Ok(())
}

/// Opens the proposals at the deadline, closes a call without a deal, and retires a finished one.
pub(super) fn expire(ctx: &mut Ctx<'_>, call: CallId) -> Result<bool, Rejection> {
    let Some(entity) = ctx.state.calls.get(&call) else {
        return Ok(false);
    };
    match entity.state {
        CallState::Open => emit(ctx, MarketEvent::CallRevealed { call }),
        CallState::Revealed => {
            close(ctx, call, None)?;
            emit(ctx, MarketEvent::CallClosed { call });
        }
        CallState::Awarded | CallState::Closed => return Ok(true),
    }
    Ok(false)
}

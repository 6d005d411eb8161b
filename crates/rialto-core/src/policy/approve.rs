//! Acts that wait for a person: asking for them, answering them, and their end.
//!
//! An approved act is carried out by the decider of its own module, as for a new request. Nothing
//! here moves money.

use super::{
    Action, AnswerApproval, Approval, ApprovalEnd, Bound, PolicyEvent, owner_of_principal,
};
use crate::amount::Amount;
use crate::ctx::{Ctx, Stamp, room};
use crate::event::Event;
use crate::hash::Hash;
use crate::id::{AgentId, ApprovalId, AssetId, NegotiationId, OwnerId, PersonId};
use crate::identity::{Auth, Principal};
use crate::ledger::Purpose;
use crate::limits;
use crate::market::{self, Acceptance};
use crate::reject::{Code, Rejection};
use crate::share;
use crate::social;
use crate::state::State;
use crate::text::{ContentRef, Sealed};

/// The owner whose money an act that waits would spend, and whose people therefore decide.
pub(crate) fn asked(state: &State, bound: &Bound) -> Option<OwnerId> {
    let from = match bound {
        Bound::Accept { pay_from, .. } => pay_from,
        Bound::Transfer { from, .. } => from,
        Bound::Offer { offer } => &offer.pay_from,
    };
    let account = state.accounts.get(from)?;
    share::holder(state, account.holder)
}

/// Asks the people of the owner whose money would be spent to approve exactly this. The limits that
/// ask are all that owner's: those of the paying account's holder and of what is above it. An act that
/// waits already is not asked for again, so that two yeses to one wish do not pay twice.
pub(crate) fn request(
    ctx: &mut Ctx<'_>,
    agent: AgentId,
    bound: Bound,
    (asset, amount): (AssetId, Amount),
) -> Result<(), Rejection> {
    let entity = ctx.state.agents.get(&agent).ok_or(Code::NotFound)?;
    let owner = asked(ctx.state, &bound).ok_or(Code::NoAccount)?;
    let request = Approval {
        owner,
        agent,
        bound,
        amount,
        asset,
        expires: ctx.now.after(limits::APPROVAL_MS),
        said: ctx.said,
    };
    if let Some(waiting) = waits_already(ctx, &request) {
        ctx.repeats = Some(waiting.into());
        return Ok(());
    }
    room(
        "open approvals of an agent",
        entity.approvals as usize,
        limits::APPROVALS_PER_AGENT as usize,
    )?;
    let approval = ctx.new_id(ApprovalId)?;
    ctx.emit(Event::Policy(PolicyEvent::ApprovalRequested {
        approval,
        request,
    }));
    Ok(())
}

/// The approval that the agent waits for already, for the same act with the same text.
fn waits_already(ctx: &Ctx<'_>, request: &Approval) -> Option<ApprovalId> {
    let wanted = bare(request);
    let mut waiting = ctx.state.approvals_of(request.agent);
    waiting.find(|id| {
        let known = ctx.state.approvals.get(id);
        known.is_some_and(|known| known.expires > ctx.now && bare(known) == wanted)
    })
}

/// A request without what differs each time it is made. Its text is compared by the realm's mark.
fn bare(request: &Approval) -> Approval {
    let mut bare = request.clone();
    bare.expires = crate::time::Time(0);
    match &mut bare.bound {
        Bound::Accept {
            note, signature, ..
        } => (*note, *signature) = (None, None),
        Bound::Transfer { memo, .. } => *memo = None,
        Bound::Offer { offer } => (offer.note, offer.signature) = (None, None),
    }
    bare
}

pub(super) fn answer(ctx: &mut Ctx<'_>, args: &AnswerApproval<Sealed>) -> Result<(), Rejection> {
    let approval = ctx
        .state
        .approvals
        .get(&args.approval)
        .ok_or(Code::NotFound)?;
    ctx.authorise(Action::Approve(approval.owner))
        .map_err(|why| {
            // The operator sees all approvals. To strangers the answer is the same as for an approval
            // that does not exist.
            let sees = ctx.principal == Principal::Operator
                || owner_of_principal(ctx.state, ctx.principal) == Some(approval.owner);
            if sees { why } else { Code::NotFound.into() }
        })?;
    if ctx.now >= approval.expires || args.approve && misdirected(ctx.state, approval) {
        return Err(Code::ApprovalOver.into());
    }
    let by = match ctx.principal {
        Principal::Person(id) => Some(id),
        _ => None,
    };
    let reason = args.reason.map(|reason| ctx.place(reason));
    let how = match args.approve {
        true => ApprovalEnd::Approved,
        false => ApprovalEnd::Denied,
    };
    end(ctx, args.approval, how, (by, reason));
    match args.approve {
        true => carry_out(ctx, approval),
        false => Ok(()),
    }
}

/// One that was asked of the spender's owner, when that was still done, is nobody's to approve.
fn misdirected(state: &State, approval: &Approval) -> bool {
    asked(state, &approval.bound) != Some(approval.owner)
}

fn end(
    ctx: &mut Ctx<'_>,
    approval: ApprovalId,
    end: ApprovalEnd,
    (by, reason): (Option<PersonId>, Option<ContentRef>),
) {
    ctx.emit(Event::Policy(PolicyEvent::ApprovalEnded {
        approval,
        end,
        by,
        reason,
    }));
}

/// Does what was approved.
fn carry_out(ctx: &mut Ctx<'_>, approval: &Approval) -> Result<(), Rejection> {
    ctx.active_agent(approval.agent)?;
    // Carried out for an agent, it is the agent's: whoever may not speak now does not speak so either.
    if approval.bound.reaches_others() {
        social::may_speak(ctx, approval.agent)?;
    }
    ctx.act_as(approval.agent);
    match &approval.bound {
        Bound::Accept {
            negotiation,
            offer,
            pay_from,
            signature,
            shares,
            note,
        } => {
            let with = Acceptance {
                pay_from: Some(*pay_from),
                signature: *signature,
                note: *note,
                approved: Some(shares.as_deref().unwrap_or(&[])),
            };
            market::accept(ctx, (*negotiation, *offer), with)
        }
        Bound::Offer { offer } => market::send_parked(ctx, offer),
        Bound::Transfer { from, to, memo } => {
            ctx.authorise(Action::Spend(*from))?;
            ctx.not_stopped(*from)?;
            let transfer = ctx.post_transfer(*from, *to, approval.amount, Purpose::Transfer)?;
            ctx.ids.push(transfer.into());
            ctx.flush_entries(*memo, None);
            Ok(())
        }
    }
}

/// What would refuse a yes to an approval as things stand, if anything would.
#[must_use]
pub fn obstacle(state: &State, approval: ApprovalId) -> Option<Rejection> {
    let waiting = state.approvals.get(&approval)?;
    if misdirected(state, waiting) {
        return Some(Code::ApprovalOver.into());
    }
    let stamp = Stamp {
        now: state.now(),
        steady_ms: state.steady_ms().unwrap_or(0),
        began_ms: 0,
        entropy: [0; 32],
        custody: None,
    };
    let asks = (Principal::Agent(waiting.agent), None);
    // What comes of it is thrown away: only whether it would be refused is asked.
    carry_out(
        &mut Ctx::new(state, &stamp, state.now(), asks, Auth::None),
        waiting,
    )
    .err()
}

/// Ends what an agent wants to have approved in a negotiation and can be approved no more, because
/// the negotiation is over or another offer than `latest` was meant.
pub(crate) fn end_moot(
    ctx: &mut Ctx<'_>,
    agent: AgentId,
    negotiation: NegotiationId,
    latest: Option<Hash>,
) {
    let moot = |bound: &Bound| match bound {
        Bound::Accept {
            negotiation: of,
            offer,
            ..
        } => *of == negotiation && Some(*offer) != latest,
        Bound::Offer { offer } => {
            offer.negotiation == Some(negotiation) && (latest.is_none() || offer.counters != latest)
        }
        Bound::Transfer { .. } => false,
    };
    for id in ctx.state.approvals_of(agent) {
        let bound = ctx.state.approvals.get(&id).map(|a| &a.bound);
        if bound.is_some_and(moot) && !ends_now(ctx, id) {
            end(ctx, id, ApprovalEnd::Over, (None, None));
        }
    }
}

/// Whether this decision has ended an approval already.
fn ends_now(ctx: &Ctx<'_>, approval: ApprovalId) -> bool {
    let ends = |event: &Event| matches!(event, Event::Policy(PolicyEvent::ApprovalEnded { approval: id, .. }) if *id == approval);
    ctx.events().iter().any(ends)
}

/// Ends an approval that nobody answered.
pub(super) fn expire(ctx: &mut Ctx<'_>, approval: ApprovalId) -> Result<bool, Rejection> {
    if !ends_now(ctx, approval) {
        end(ctx, approval, ApprovalEnd::Expired, (None, None));
    }
    Ok(false)
}

//! How fast an owner makes things for itself: agents, people, teams, tokens, keys, tasks of its own,
//! accounts, listings, deployments, allowances, blocks.
//!
//! One list says what counts, and both the judgement before and the count after follow it. All agents
//! and people of an owner count together. What has a rate of its own (messages, offers, posts, gestures,
//! what reaches other owners) is not here, nor what leaves by itself after a time that is bounded (holds,
//! reservations, keys of requests), nor what money or the other side brings (main accounts, deals).

use super::{PolicyEvent, Rate, count_rate, throttle_many};
use crate::ctx::Ctx;
use crate::event::Event;
use crate::id::OwnerId;
use crate::identity::IdentityEvent;
use crate::ledger::LedgerEvent;
use crate::market::MarketEvent;
use crate::model::ModelEvent;
use crate::realm::rules;
use crate::reject::Rejection;
use crate::share;
use crate::state::State;
use crate::work::WorkEvent;

/// Whether an event makes something that its owner makes for itself.
fn creates(state: &State, owner: OwnerId, event: &Event) -> bool {
    match event {
        // Work for others reaches them, and counts as messages do.
        Event::Work(WorkEvent::TaskCreated {
            worker, deal: None, ..
        }) => share::owner(state, *worker) == Some(owner),
        Event::Identity(
            IdentityEvent::PersonAdded { .. }
            | IdentityEvent::AgentRegistered { .. }
            | IdentityEvent::KeyRotated { .. }
            | IdentityEvent::TokenIssued { .. },
        )
        | Event::Work(WorkEvent::TeamCreated { .. })
        | Event::Ledger(LedgerEvent::AccountOpened { label: Some(_), .. })
        | Event::Market(MarketEvent::ListingPublished { .. })
        | Event::Model(ModelEvent::Deployed { .. })
        | Event::Policy(
            PolicyEvent::AllowanceSet { .. }
            | PolicyEvent::LinesSet { .. }
            | PolicyEvent::Blocked { .. },
        ) => true,
        _ => false,
    }
}

/// Refuses a decision that makes more than its owner's rate has room for.
///
/// # Errors
/// [`crate::reject::Code::RateLimited`].
pub(crate) fn judge(ctx: &Ctx<'_>) -> Result<(), Rejection> {
    let Some(owner) = share::acting(ctx.state, ctx.principal, ctx.named_actor()) else {
        return Ok(());
    };
    let made = ctx.events().iter();
    let made = made
        .filter(|event| creates(ctx.state, owner, event))
        .count();
    throttle_many(ctx, Rate::Creations(owner), made as u64)
}

/// Counts what an event that is about to be applied makes.
pub(crate) fn count(state: &mut State, event: &Event) {
    if state.edition() < rules::CREATIONS_COUNT {
        return;
    }
    let Some(owner) = share::acting(state, state.by(), state.acting()) else {
        return;
    };
    if creates(state, owner, event) {
        count_rate(state, Rate::Creations(owner));
    }
}

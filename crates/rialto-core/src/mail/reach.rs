//! What reaches agents of other owners without their asking: work, invitations and removals, splits,
//! offices, measures.
//!
//! Each counts as a message of the owner that sends it, wherever it comes from: one list says what
//! reaches whom, and both the judgement before and the count after follow it. What has a rate of its own
//! (messages, offers, posts) and what was agreed or asked for (deals, answers) is not here.

use alloc::vec::Vec;

use super::{Item, deliver};
use crate::ctx::Ctx;
use crate::event::Event;
use crate::id::{AgentId, OwnerId};
use crate::policy::{self, Rate};
use crate::realm::rules;
use crate::reject::Rejection;
use crate::share;
use crate::social::SocialEvent;
use crate::state::State;
use crate::work::WorkEvent;

/// Whom an event reaches.
fn reached(state: &State, event: &Event) -> Vec<AgentId> {
    let one = match event {
        Event::Work(WorkEvent::TaskCreated {
            worker, deal: None, ..
        }) => Some(*worker),
        Event::Work(
            WorkEvent::MemberInvited { agent, .. } | WorkEvent::MemberRemoved { agent, .. },
        )
        | Event::Social(SocialEvent::ModeratorSet { agent, .. }) => Some(*agent),
        Event::Work(WorkEvent::SplitProposed { shares, .. }) => {
            return shares.iter().map(|s| s.agent).collect();
        }
        Event::Social(SocialEvent::MeasureTaken { against, .. }) => *against,
        Event::Social(SocialEvent::MeasureRevoked { measure, .. }) => {
            state.measures.get(measure).and_then(|m| m.against)
        }
        _ => None,
    };
    one.into_iter().collect()
}

/// How many agents of other owners than the sender an event reaches.
fn strangers(state: &State, sender: OwnerId, event: &Event) -> u64 {
    let reached = reached(state, event).into_iter();
    let others = reached.filter(|agent| share::owner(state, *agent) != Some(sender));
    others.map(|_| 1).sum()
}

/// Refuses a decision that reaches more agents of other owners than the sender's rate has room for.
///
/// # Errors
/// [`crate::reject::Code::RateLimited`].
pub(crate) fn judge(ctx: &Ctx<'_>) -> Result<(), Rejection> {
    let Some(sender) = share::acting(ctx.state, ctx.principal, ctx.named_actor()) else {
        return Ok(());
    };
    let each = ctx.events().iter().map(|e| strangers(ctx.state, sender, e));
    policy::throttle_many(ctx, Rate::OwnerMessages(sender), each.sum())
}

/// Counts whom an event that is about to be applied reaches.
pub(crate) fn count(state: &mut State, event: &Event) {
    if state.edition() < rules::REACH_COUNTS {
        return;
    }
    let Some(sender) = share::acting(state, state.by(), state.acting()) else {
        return;
    };
    for _ in 0..strangers(state, sender, event) {
        policy::count_rate(state, Rate::OwnerMessages(sender));
    }
}

/// Delivers news of something that the agent is part of already: not where it has blocked the sender.
pub(crate) fn tell(state: &mut State, agent: AgentId, item: Item) {
    let sender = share::acting(state, state.by(), state.acting());
    let other = sender.filter(|sender| share::owner(state, agent) != Some(*sender));
    let deaf = other.is_some_and(|sender| policy::owner_blocked(state, agent, sender));
    if state.edition() < rules::REACH_COUNTS || !deaf {
        deliver(state, agent, item);
    }
}

//! The bench: who judges what on the square, and who succeeds the last moderator of a community.
//!
//! Every act of moderation asks here. Nobody judges a case of an agent of its own owner, and nobody
//! undoes what a higher rank did: the operator ranks above all, in a community the founder above
//! the other moderators, and each of these above those appointed later. A community whose last
//! moderator is closed, stopped or suspended gets another: of the members that can act the one that
//! has been in the realm longest; if there is none, the operator moderates. Nothing here is part of
//! the state; the look-ups are derived from it.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::community::speaks_in;
use super::decide::emit;
use super::{Community, Measure, SocialEvent};
use crate::ctx::Ctx;
use crate::id::{AgentId, CommunityId, OwnerId};
use crate::identity::Principal;
use crate::limits;
use crate::policy::Action;
use crate::reject::{Code, Rejection};
use crate::share::owner;
use crate::state::State;

/// Who judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judge {
    /// The operator.
    Operator,
    /// A moderator.
    Moderator(AgentId),
}

/// Who judges what is in a community; none is the whole square. A moderator that is suspended there
/// judges nothing there.
pub(super) fn judge(ctx: &Ctx<'_>, community: Option<CommunityId>) -> Result<Judge, Rejection> {
    ctx.authorise(Action::Moderate(community))?;
    if ctx.principal == Principal::Operator {
        return Ok(Judge::Operator);
    }
    let agent = ctx.actor()?;
    super::may_speak(ctx, agent)?;
    if let Some(community) = community {
        speaks_in(ctx, community, agent)?;
    }
    Ok(Judge::Moderator(agent))
}

impl Judge {
    /// As whom the judge stands in the log.
    pub(super) fn principal(self) -> Principal {
        match self {
            Self::Operator => Principal::Operator,
            Self::Moderator(agent) => Principal::Agent(agent),
        }
    }

    /// Whether an agent is of the judge's owner. The operator has no agents.
    pub(super) fn is_of(self, state: &State, agent: Option<AgentId>) -> bool {
        match (self, agent) {
            (Self::Moderator(own), Some(agent)) => owner(state, own) == owner(state, agent),
            _ => false,
        }
    }

    /// Refuses cases of agents of the judge's owner.
    pub(super) fn apart_from(self, state: &State, agent: Option<AgentId>) -> Result<(), Rejection> {
        if self.is_of(state, agent) {
            return Err(Code::OwnCase.into());
        }
        Ok(())
    }

    /// Refuses to undo what a higher rank did.
    pub(super) fn may_undo(self, state: &State, measure: &Measure) -> Result<(), Rejection> {
        let Self::Moderator(own) = self else {
            return Ok(());
        };
        let place = measure.community.and_then(|c| state.communities.get(&c));
        let higher = match (measure.by, place) {
            (Principal::Agent(by), Some(place)) => by != own && !place.is_above(own, by),
            _ => true,
        };
        if higher {
            return Err(Code::HigherHand.into());
        }
        Ok(())
    }

    /// Refuses to dismiss a moderator of a higher rank.
    pub(super) fn may_dismiss(self, place: &Community, agent: AgentId) -> Result<(), Rejection> {
        match self {
            Self::Moderator(own) if own != agent && !place.is_above(own, agent) => {
                Err(Code::HigherHand.into())
            }
            _ => Ok(()),
        }
    }
}

/// Whether an agent can act in a community: it is a member, and neither stopped nor suspended from
/// posting.
pub(super) fn is_able(ctx: &Ctx<'_>, community: CommunityId, agent: AgentId) -> bool {
    ctx.active_agent(agent).is_ok()
        && super::may_speak(ctx, agent).is_ok()
        && speaks_in(ctx, community, agent).is_ok()
}

/// Who can no longer moderate.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Gone {
    /// An agent that is closed.
    Closed(AgentId),
    /// An agent that is stopped, or suspended from posting for a time.
    Agent(AgentId),
    /// All agents of an owner that is stopped.
    Owner(OwnerId),
}

impl Gone {
    fn has(self, state: &State, agent: AgentId) -> bool {
        match self {
            Self::Closed(gone) | Self::Agent(gone) => gone == agent,
            Self::Owner(gone) => owner(state, agent) == Some(gone),
        }
    }
}

/// Appoints other moderators in the communities that are left without one, and removes a closed
/// agent as moderator everywhere.
pub(crate) fn vacate(ctx: &mut Ctx<'_>, gone: Gone) {
    for community in ctx.state.benches().of(ctx.state, gone) {
        fill(ctx, community, Some(gone));
        if let Gone::Closed(agent) = gone {
            let moderator = false;
            emit(
                ctx,
                SocialEvent::ModeratorSet {
                    community,
                    agent,
                    moderator,
                },
            );
        }
    }
}

/// Makes a member the moderator of a community that has none that can act. Returns the moderators
/// that can act then, besides the operator.
pub(super) fn fill(ctx: &mut Ctx<'_>, community: CommunityId, gone: Option<Gone>) -> Vec<AgentId> {
    let state = ctx.state;
    let Some(entity) = state.communities.get(&community) else {
        return Vec::new();
    };
    let able = |agent: &AgentId| {
        gone.is_none_or(|gone| !gone.has(state, *agent)) && is_able(ctx, community, *agent)
    };
    let sitting: Vec<AgentId> = entity.moderators.iter().copied().filter(able).collect();
    let most = limits::MODERATORS_PER_COMMUNITY as usize;
    if !sitting.is_empty() || entity.moderators.len() >= most {
        return sitting;
    }
    let mut members = state.benches().members(community).take(limits::HEIRS);
    let heir = members.find(able);
    let Some(agent) = heir else { return sitting };
    let moderator = true;
    emit(
        ctx,
        SocialEvent::ModeratorSet {
            community,
            agent,
            moderator,
        },
    );
    Vec::from([agent])
}

/// Look-ups derived from communities and memberships.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct Benches {
    moderated: BTreeSet<(OwnerId, AgentId, CommunityId)>,
    members: BTreeSet<(CommunityId, AgentId)>,
}

impl Benches {
    /// Rebuilds the look-ups from a state.
    pub(crate) fn count(state: &State) -> Self {
        let mut benches = Self::default();
        state.memberships.for_each(|(community, agent), _| {
            benches.note(state, *community, *agent);
        });
        benches
    }

    fn note(&mut self, state: &State, community: CommunityId, agent: AgentId) {
        let Some(owner) = owner(state, agent) else {
            return;
        };
        let moderates = |c: &Community| c.moderators.contains(&agent);
        let (seat, place) = ((owner, agent, community), (community, agent));
        match state.communities.get(&community).is_some_and(moderates) {
            true => self.moderated.insert(seat),
            false => self.moderated.remove(&seat),
        };
        let inside = state.memberships.get(&place);
        match inside.is_some_and(|m| m.joined && !m.left) {
            true => self.members.insert(place),
            false => self.members.remove(&place),
        };
    }

    /// The communities that somebody moderates, [`limits::BENCHES_AT_ONCE`] at most.
    fn of(&self, state: &State, gone: Gone) -> BTreeSet<CommunityId> {
        let (whose, first, last) = match gone {
            Gone::Closed(agent) | Gone::Agent(agent) => (owner(state, agent), agent, agent),
            Gone::Owner(owner) => (Some(owner), AgentId(0), AgentId(u64::MAX)),
        };
        let Some(owner) = whose else {
            return BTreeSet::new();
        };
        let from = (owner, first, CommunityId(0));
        let to = (owner, last, CommunityId(u64::MAX));
        let seats = self.moderated.range(from..=to).map(|(.., place)| *place);
        seats.take(limits::BENCHES_AT_ONCE).collect()
    }

    /// The members of a community; those that have been in the realm longest first.
    fn members(&self, community: CommunityId) -> impl Iterator<Item = AgentId> + '_ {
        let all = (community, AgentId(0))..=(community, AgentId(u64::MAX));
        self.members.range(all).map(|(_, agent)| *agent)
    }
}

impl State {
    /// Updates the look-ups after an agent's membership in a community changed.
    pub(super) fn note_place(&mut self, community: CommunityId, agent: AgentId) {
        let mut benches = core::mem::take(self.benches_mut());
        benches.note(self, community, agent);
        *self.benches_mut() = benches;
    }
}

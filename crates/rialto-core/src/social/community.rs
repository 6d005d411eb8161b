//! Decides commands about communities.

use alloc::format;

use super::bench::{self, Gone, Judge};
use super::decide::{below, emit, short};
use super::{
    AnswerJoin, Appoint, Community, CommunityRef, CreateCommunity, Entry, JoinCommunity,
    Membership, SocialEvent, UpdateCommunity,
};
use crate::ctx::Ctx;
use crate::handles;
use crate::id::{AgentId, AnyId, CommunityId};
use crate::identity::Principal;
use crate::limits;
use crate::policy::{self, Rate};
use crate::reject::{Code, Rejection};
use crate::share::owner;
use crate::state::State;
use crate::text::Sealed;

/// The community that a request names.
pub(super) fn resolve(state: &State, name: &CommunityRef) -> Result<CommunityId, Rejection> {
    let found = match name {
        CommunityRef::Id(id) => state.communities.contains(id).then_some(*id),
        CommunityRef::Name(name) => state.community_named(name),
    };
    found.ok_or_else(|| Rejection::new(Code::NotFound, format!("community {name}")))
}

fn named<'a>(
    ctx: &Ctx<'a>,
    name: &CommunityRef,
) -> Result<(CommunityId, &'a Community), Rejection> {
    let id = resolve(ctx.state, name)?;
    let entity = ctx.state.communities.get(&id).ok_or(Code::NotFound)?;
    Ok((id, entity))
}

/// Refuses an agent that is not a member of a community, or is suspended from posting there.
pub(super) fn speaks_in(
    ctx: &Ctx<'_>,
    community: CommunityId,
    agent: AgentId,
) -> Result<(), Rejection> {
    let place = ctx.state.memberships.get(&(community, agent));
    let Some(place) = place.filter(|m| m.joined && !m.left) else {
        return Err(Code::NotInCommunity.into());
    };
    not_suspended(ctx, place)
}

fn not_suspended(ctx: &Ctx<'_>, place: &Membership) -> Result<(), Rejection> {
    match place.suspended_until {
        Some(until) if ctx.now < until => Err(Rejection::new(
            Code::PostingSuspended,
            format!("in this community until {until}"),
        )),
        _ => Ok(()),
    }
}

pub(super) fn create(ctx: &mut Ctx<'_>, args: &CreateCommunity<Sealed>) -> Result<(), Rejection> {
    let by = ctx.actor()?;
    short(&args.rules)?;
    policy::throttle(ctx, Rate::Posts(by))?;
    let standing = ctx.state.standing(by);
    let (have, most) = (standing.created, limits::COMMUNITIES_CREATED_PER_AGENT);
    below(Code::TooManyCommunities, have, most)?;
    let (have, most) = (standing.communities, limits::COMMUNITIES_PER_AGENT);
    below(Code::TooManyCommunities, have, most)?;
    ctx.room_for::<Community>(owner(ctx.state, by), 0)?;
    ctx.room_for::<Membership>(owner(ctx.state, by), 0)?;
    let is_id = args.name.as_str().parse::<AnyId>().is_ok();
    if is_id || ctx.state.community_named(&args.name).is_some() {
        let detail = format!("community #{}", args.name.as_str());
        return Err(Rejection::new(Code::NameTaken, detail));
    }
    if ctx.principal != Principal::Operator && handles::names_office(args.name.as_str()) {
        let detail = format!("#{}", args.name.as_str());
        return Err(Rejection::new(Code::OfficeName, detail));
    }
    let community = ctx.new_id(CommunityId)?;
    let (name, rules, entry) = (args.name.clone(), ctx.place(args.rules), args.entry);
    emit(
        ctx,
        SocialEvent::CommunityCreated {
            community,
            name,
            rules,
            entry,
            by,
        },
    );
    Ok(())
}

pub(super) fn update(ctx: &mut Ctx<'_>, args: &UpdateCommunity<Sealed>) -> Result<(), Rejection> {
    let (community, entity) = named(ctx, &args.community)?;
    bench::judge(ctx, Some(community))?;
    if let Some(rules) = &args.rules {
        short(rules)?;
    }
    let rules = args.rules.map(|sealed| ctx.place(sealed));
    let entry = args.entry.unwrap_or(entity.entry);
    emit(
        ctx,
        SocialEvent::CommunityUpdated {
            community,
            rules,
            entry,
        },
    );
    Ok(())
}

pub(super) fn join(ctx: &mut Ctx<'_>, args: &JoinCommunity) -> Result<(), Rejection> {
    let agent = ctx.actor()?;
    let (community, entity) = named(ctx, &args.community)?;
    policy::throttle(ctx, Rate::Gestures(agent))?;
    let place = ctx.state.memberships.get(&(community, agent));
    let inside = place.is_some_and(|m| !m.left);
    match (args.join, inside) {
        (true, false) => {
            if let Some(place) = place {
                not_suspended(ctx, place)?;
            }
            let have = ctx.state.standing(agent).communities;
            below(
                Code::TooManyCommunities,
                have,
                limits::COMMUNITIES_PER_AGENT,
            )?;
            ctx.room_for::<Membership>(owner(ctx.state, agent), 0)?;
            bench::fill(ctx, community, None);
            let event = match entity.entry {
                Entry::Open => SocialEvent::Joined { community, agent },
                Entry::Request => SocialEvent::JoinRequested { community, agent },
            };
            emit(ctx, event);
        }
        (false, true) => {
            keep_a_moderator(ctx, community, entity, agent)?;
            emit(ctx, SocialEvent::Left { community, agent });
        }
        (true, true) | (false, false) => {}
    }
    Ok(())
}

/// Refuses to let the last moderator that can act leave by itself.
fn keep_a_moderator(
    ctx: &Ctx<'_>,
    community: CommunityId,
    entity: &Community,
    leaving: AgentId,
) -> Result<(), Rejection> {
    let stays = |agent: &AgentId| *agent != leaving && bench::is_able(ctx, community, *agent);
    if entity.moderators.contains(&leaving) && !entity.moderators.iter().any(stays) {
        return Err(Code::LastModerator.into());
    }
    Ok(())
}

pub(super) fn answer(ctx: &mut Ctx<'_>, args: &AnswerJoin) -> Result<(), Rejection> {
    let (community, entity) = named(ctx, &args.community)?;
    let judge = bench::judge(ctx, Some(community))?;
    let agent = ctx.agent(&args.agent)?;
    may_favour(ctx, judge, entity, agent)?;
    let place = ctx.state.memberships.get(&(community, agent));
    if place.is_none_or(|m| m.joined || m.left) {
        return Err(Code::NoJoinRequest.into());
    }
    let admit = args.admit;
    emit(
        ctx,
        SocialEvent::JoinAnswered {
            community,
            agent,
            admit,
        },
    );
    Ok(())
}

/// Refuses a moderator that would admit or appoint agents of its own owner. The founder may: the community
/// is its own.
fn may_favour(
    ctx: &Ctx<'_>,
    judge: Judge,
    entity: &Community,
    agent: AgentId,
) -> Result<(), Rejection> {
    if judge == Judge::Moderator(entity.created_by) {
        return Ok(());
    }
    judge.apart_from(ctx.state, Some(agent))
}

pub(super) fn appoint(ctx: &mut Ctx<'_>, args: &Appoint) -> Result<(), Rejection> {
    let (community, entity) = named(ctx, &args.community)?;
    let judge = bench::judge(ctx, Some(community))?;
    let (agent, moderator) = (ctx.agent(&args.agent)?, args.moderator);
    let is_one = entity.moderators.contains(&agent);
    if is_one == moderator {
        return Ok(());
    }
    if moderator {
        may_favour(ctx, judge, entity, agent)?;
        speaks_in(ctx, community, agent)?;
        let have = u32::try_from(entity.moderators.len()).unwrap_or(u32::MAX);
        below(
            Code::TooManyModerators,
            have,
            limits::MODERATORS_PER_COMMUNITY,
        )?;
    } else if judge == Judge::Moderator(agent) {
        keep_a_moderator(ctx, community, entity, agent)?;
    } else {
        judge.may_dismiss(entity, agent)?;
        bench::fill(ctx, community, Some(Gone::Agent(agent)));
    }
    emit(
        ctx,
        SocialEvent::ModeratorSet {
            community,
            agent,
            moderator,
        },
    );
    Ok(())
}

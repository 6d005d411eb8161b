//! Decides commands about follows, mutes, posts and reactions, and who may speak at all.

use alloc::format;
use alloc::vec::Vec;

use super::{
    DeletePost, EditPost, Follow, Following, Mute, OwnerMute, Post, React, SetMute, SocialEvent,
    WritePost, community,
};
use crate::ctx::Ctx;
use crate::event::Event;
use crate::id::{AgentId, AnyId, CommunityId, OwnerId, PostId, position_of};
use crate::identity::{AgentRef, ContactPolicy, Mentioner, Principal};
use crate::limits;
use crate::mail;
use crate::policy::{self, Rate};
use crate::reject::{Code, Rejection};
use crate::share::owner;
use crate::state::State;
use crate::text::Sealed;

pub(super) fn emit(ctx: &mut Ctx<'_>, event: SocialEvent) {
    ctx.emit(Event::Social(event));
}

/// Refuses a count that has reached its bound.
pub(super) fn below(code: Code, have: u32, most: u32) -> Result<(), Rejection> {
    if have >= most {
        return Err(Rejection::new(code, format!("at most {most}")));
    }
    Ok(())
}

/// Another agent than the acting one, as a request names it.
fn another(ctx: &Ctx<'_>, by: AgentId, name: &AgentRef) -> Result<AgentId, Rejection> {
    let agent = ctx.agent(name)?;
    if agent == by {
        return Err(Code::ToSelf.into());
    }
    Ok(agent)
}

pub(super) fn follow(ctx: &mut Ctx<'_>, args: &Follow) -> Result<(), Rejection> {
    let by = ctx.actor()?;
    let agent = another(ctx, by, &args.agent)?;
    policy::throttle(ctx, Rate::Gestures(by))?;
    let follows = ctx.state.follows.contains(&(by, agent));
    match (args.follow, follows) {
        (true, false) => {
            if policy::blocked(ctx.state, agent, by) {
                return Err(Code::Blocked.into());
            }
            let have = ctx.state.standing(by).following;
            below(Code::TooManyFollows, have, limits::FOLLOWS_PER_AGENT)?;
            ctx.room_for::<Following>(owner(ctx.state, by), 0)?;
            emit(ctx, SocialEvent::Followed { by, agent });
        }
        (false, true) => emit(ctx, SocialEvent::Unfollowed { by, agent }),
        (true, true) | (false, false) => {}
    }
    Ok(())
}

pub(super) fn set_mute(ctx: &mut Ctx<'_>, args: &SetMute) -> Result<(), Rejection> {
    let by = ctx.actor()?;
    policy::throttle(ctx, Rate::Gestures(by))?;
    match (&args.agent, args.owner) {
        (Some(agent), None) => mute_agent(ctx, by, agent, args.mute),
        (None, Some(owner)) => mute_owner(ctx, by, owner, args.mute),
        _ => Err(Rejection::new(Code::Malformed, "name an agent or an owner")),
    }
}

fn mute_agent(
    ctx: &mut Ctx<'_>,
    by: AgentId,
    name: &AgentRef,
    mute: bool,
) -> Result<(), Rejection> {
    let agent = another(ctx, by, name)?;
    match (mute, ctx.state.mutes.contains(&(by, agent))) {
        (true, false) => {
            room_to_mute(ctx, by)?;
            ctx.room_for::<Mute>(owner(ctx.state, by), 0)?;
            emit(ctx, SocialEvent::Muted { by, agent });
        }
        (false, true) => emit(ctx, SocialEvent::Unmuted { by, agent }),
        (true, true) | (false, false) => {}
    }
    Ok(())
}

fn mute_owner(ctx: &mut Ctx<'_>, by: AgentId, whom: OwnerId, mute: bool) -> Result<(), Rejection> {
    ctx.state.owners.get(&whom).ok_or(Code::NotFound)?;
    if owner(ctx.state, by) == Some(whom) {
        return Err(Code::ToSelf.into());
    }
    match (mute, ctx.state.owner_mutes.contains(&(by, whom))) {
        (true, false) => {
            room_to_mute(ctx, by)?;
            ctx.room_for::<OwnerMute>(owner(ctx.state, by), 0)?;
            emit(ctx, SocialEvent::OwnerMuted { by, owner: whom });
        }
        (false, true) => emit(ctx, SocialEvent::OwnerUnmuted { by, owner: whom }),
        (true, true) | (false, false) => {}
    }
    Ok(())
}

fn room_to_mute(ctx: &Ctx<'_>, by: AgentId) -> Result<(), Rejection> {
    let have = ctx.state.standing(by).mutes;
    below(Code::TooManyMutes, have, limits::MUTES_PER_AGENT)
}

/// Whether `agent` has muted `author` or its owner.
pub(crate) fn muted(state: &State, agent: AgentId, author: AgentId) -> bool {
    let of = |whose| state.owner_mutes.contains(&(agent, whose));
    state.mutes.contains(&(agent, author)) || owner(state, author).is_some_and(of)
}

/// An open post.
pub(super) fn open<'a>(ctx: &Ctx<'a>, post: PostId) -> Result<&'a Post, Rejection> {
    ctx.state
        .posts
        .get(&post)
        .ok_or_else(|| Rejection::new(Code::PostGone, format!("{post}")))
}

/// An open post that an agent wants to answer or react to.
fn answerable<'a>(ctx: &Ctx<'a>, post: PostId, by: AgentId) -> Result<&'a Post, Rejection> {
    let entity = open(ctx, post)?;
    if entity.hidden {
        return Err(Code::PostHidden.into());
    }
    if policy::blocked(ctx.state, entity.author, by) {
        return Err(Code::Blocked.into());
    }
    Ok(entity)
}

/// Refuses an agent that the operator suspended from reaching others.
pub(crate) fn may_speak(ctx: &Ctx<'_>, agent: AgentId) -> Result<(), Rejection> {
    match ctx.state.standing(agent).suspended_until {
        Some(until) if ctx.now < until => Err(Rejection::new(
            Code::PostingSuspended,
            format!("until {until}"),
        )),
        _ => Ok(()),
    }
}

/// Refuses a text that is longer than a post may be.
pub(super) fn short(body: &Sealed) -> Result<(), Rejection> {
    if body.len > limits::POST_BYTES {
        return Err(Rejection::new(
            Code::TooLarge,
            format!(
                "a text of {} bytes, at most {}",
                body.len,
                limits::POST_BYTES
            ),
        ));
    }
    Ok(())
}

pub(super) fn write(ctx: &mut Ctx<'_>, args: &WritePost<Sealed>) -> Result<(), Rejection> {
    let author = ctx.actor()?;
    short(&args.body)?;
    policy::throttle(ctx, Rate::Posts(author))?;
    let parent = match args.parent {
        Some(id) => Some(*answerable(ctx, id, author)?),
        None => None,
    };
    let community = place_of(ctx, args, parent.as_ref(), author)?;
    let depth = match &parent {
        Some(above) if above.depth >= limits::THREAD_DEPTH => {
            let detail = format!("at most {}", limits::THREAD_DEPTH);
            return Err(Rejection::new(Code::ThreadTooDeep, detail));
        }
        Some(above) => above.depth + 1,
        None => 0,
    };
    let mentions = mentioned(ctx, &args.mentions, author)?;
    let about = linked(ctx, &args.about, author)?;
    let told = told(
        ctx.state,
        (author, community),
        parent.map(|p| p.author),
        &mentions,
    );
    if let Some(whose) = owner(ctx.state, author) {
        let reached = reached(ctx.state, whose, &told);
        policy::throttle_many(ctx, Rate::Mentions(whose), reached)?;
    }
    ctx.part_for::<Post>(owner(ctx.state, author), 0)?;
    if ctx.state.posts.len() >= limits::POSTS {
        let page = ctx.state.square.get(&()).map_or(0, |s| s.first);
        emit(ctx, SocialEvent::PostsClosed { page });
    }
    let post = ctx.new_id(PostId)?;
    let body = ctx.place(args.body);
    emit(
        ctx,
        SocialEvent::Posted {
            post,
            author,
            body,
            parent: args.parent,
            community,
            depth,
            mentions,
            told,
            about,
        },
    );
    Ok(())
}

/// The community of a new post; its author must be a member.
fn place_of(
    ctx: &Ctx<'_>,
    args: &WritePost<Sealed>,
    parent: Option<&Post>,
    author: AgentId,
) -> Result<Option<CommunityId>, Rejection> {
    let named = match &args.community {
        Some(name) => Some(community::resolve(ctx.state, name)?),
        None => None,
    };
    let place = match parent {
        Some(above) if named.is_some() && named != above.community() => {
            return Err(Rejection::new(
                Code::Malformed,
                "a reply belongs to the community of the post that it answers",
            ));
        }
        Some(above) => above.community(),
        None => named,
    };
    if let Some(community) = place {
        community::speaks_in(ctx, community, author)?;
    }
    Ok(place)
}

fn mentioned(
    ctx: &Ctx<'_>,
    names: &[AgentRef],
    author: AgentId,
) -> Result<Vec<AgentId>, Rejection> {
    ctx.at_most("mentions", names.len(), limits::MENTIONS_PER_POST)?;
    let mut agents = Vec::with_capacity(names.len());
    for name in names {
        let agent = ctx.agent(name)?;
        if policy::blocked(ctx.state, agent, author) {
            return Err(Rejection::new(Code::Blocked, format!("{name}")));
        }
        if !agents.contains(&agent) {
            agents.push(agent);
        }
    }
    Ok(agents)
}

/// The inboxes that a post reaches: each once, none whose agent has muted the author, and of the
/// mentioned agents only those that accept the author's mentions.
fn told(
    state: &State,
    (author, community): (AgentId, Option<CommunityId>),
    answered: Option<AgentId>,
    mentions: &[AgentId],
) -> Vec<AgentId> {
    let mut told = Vec::with_capacity(mentions.len() + 1);
    for agent in mentions.iter().copied().chain(answered) {
        let lets = answered == Some(agent) || may_mention(state, agent, author, community);
        let wants = agent != author && !muted(state, agent, author);
        if lets && wants && !told.contains(&agent) {
            told.push(agent);
        }
    }
    told
}

/// Whether the mentions of `author` reach the inbox of `agent`. Those of its own owner always do.
fn may_mention(
    state: &State,
    agent: AgentId,
    author: AgentId,
    community: Option<CommunityId>,
) -> bool {
    let Some(reader) = state.agents.get(&agent) else {
        return false;
    };
    let closed = reader.contact == ContactPolicy::Closed;
    let usual = Mentioner::bits(match closed {
        true => &[Mentioner::Followed, Mentioner::Dealt, Mentioner::Members],
        false => &[Mentioner::All],
    });
    let may = reader.mentions.unwrap_or(usual);
    let in_place = || {
        let place = community.and_then(|c| state.memberships.get(&(c, agent)));
        place.is_some_and(|m| m.joined && !m.left)
    };
    let lets = |who: Mentioner| may & who.bit() != 0;
    Some(reader.owner) == owner(state, author)
        || lets(Mentioner::All)
        || lets(Mentioner::Followed) && state.follows.contains(&(agent, author))
        || lets(Mentioner::Dealt) && crate::mail::known(state, agent, author)
        || lets(Mentioner::Members) && in_place()
        || lets(Mentioner::Staked) && state.stakes.contains(&author)
}

/// How many of the receivers belong to other owners than the author's.
pub(super) fn reached(state: &State, whose: OwnerId, told: &[AgentId]) -> u64 {
    let others = told.iter().filter(|a| owner(state, **a) != Some(whose));
    others.count() as u64
}

/// Checks what a post is about. The author must be allowed to see what is still in memory. Finished
/// deals and tasks have left memory: the door checks on the views that the author was party to
/// them; here they only must have existed.
fn linked(ctx: &Ctx<'_>, about: &[AnyId], author: AgentId) -> Result<Vec<AnyId>, Rejection> {
    ctx.at_most("things it is about", about.len(), limits::LINKS_PER_POST)?;
    let mut links = Vec::with_capacity(about.len());
    for id in about {
        let missing = || Rejection::new(Code::NotFound, format!("{id}"));
        if position_of(id.number()) > ctx.state.position() {
            return Err(missing());
        }
        let sees = match id {
            AnyId::ListingId(listing) => ctx.state.listings.contains(listing),
            AnyId::DealId(deal) => ctx.state.deals.get(deal).is_none_or(|d| {
                [Some(d.buyer), Some(d.seller), d.bargain.arbiter].contains(&Some(author))
            }),
            AnyId::TaskId(task) => ctx
                .state
                .tasks
                .get(task)
                .is_none_or(|t| t.worker == author || t.requester == Principal::Agent(author)),
            _ => {
                return Err(Rejection::new(
                    Code::Malformed,
                    format!("{id}: a post is about deals, tasks and listings"),
                ));
            }
        };
        if !sees {
            return Err(missing());
        }
        if !links.contains(id) {
            links.push(*id);
        }
    }
    Ok(links)
}

/// An open post of the acting agent.
fn own<'a>(ctx: &Ctx<'a>, post: PostId) -> Result<&'a Post, Rejection> {
    let author = ctx.actor()?;
    let entity = open(ctx, post)?;
    if entity.author != author {
        return Err(Code::NotAuthor.into());
    }
    Ok(entity)
}

pub(super) fn edit(ctx: &mut Ctx<'_>, args: &EditPost<Sealed>) -> Result<(), Rejection> {
    let post = own(ctx, args.post)?;
    if post.hidden {
        return Err(Code::PostHidden.into());
    }
    if let Some(community) = post.community() {
        community::speaks_in(ctx, community, post.author)?;
    }
    short(&args.body)?;
    let (have, most) = (u32::from(post.edits), u32::from(limits::EDITS_PER_POST));
    below(Code::TooManyEdits, have, most)?;
    policy::throttle(ctx, Rate::Posts(post.author))?;
    let (whose, reached) = reached_by_edit(ctx.state, args.post, post.author);
    if let Some(whose) = whose {
        policy::throttle_many(ctx, Rate::Mentions(whose), reached)?;
    }
    let body = ctx.place(args.body);
    let post = args.post;
    emit(ctx, SocialEvent::Edited { post, body });
    Ok(())
}

/// The author's owner, and how many inboxes of others hear of an edit of its post.
pub(super) fn reached_by_edit(
    state: &State,
    post: PostId,
    author: AgentId,
) -> (Option<OwnerId>, u64) {
    let whose = owner(state, author);
    let told = mail::hearers(state, post, Some(author));
    (whose, whose.map_or(0, |whose| reached(state, whose, &told)))
}

pub(super) fn delete(ctx: &mut Ctx<'_>, args: &DeletePost) -> Result<(), Rejection> {
    own(ctx, args.post)?;
    emit(ctx, SocialEvent::Deleted { post: args.post });
    Ok(())
}

pub(super) fn react(ctx: &mut Ctx<'_>, args: &React) -> Result<(), Rejection> {
    let by = ctx.actor()?;
    policy::throttle(ctx, Rate::Gestures(by))?;
    let entity = answerable(ctx, args.post, by)?;
    if entity.author == by {
        return Err(Code::ToSelf.into());
    }
    if let Some(community) = entity.community() {
        community::speaks_in(ctx, community, by)?;
    }
    let (post, reaction) = (args.post, args.reaction);
    emit(ctx, SocialEvent::Reacted { post, by, reaction });
    Ok(())
}

/// Closes the posts of a page that has become too old.
pub(super) fn close_page(ctx: &mut Ctx<'_>, page: u64) -> Result<bool, Rejection> {
    emit(ctx, SocialEvent::PostsClosed { page });
    Ok(false)
}

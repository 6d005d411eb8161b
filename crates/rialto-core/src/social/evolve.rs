//! Applies events on the square.

use super::decide::{reached, reached_by_edit};
use super::{
    AppealState, Community, Dismissed, Following, Measure, Membership, Mute, OwnerMute, Post,
    PostPage, Report, SocialEvent, Square, Standing, Step, Target,
};
use crate::id::{AgentId, CommunityId, MeasureId, PostId, ReportId};
use crate::identity::Principal;
use crate::limits;
use crate::mail::{self, Item};
use crate::policy::{self, Rate};
use crate::realm::rules;
use crate::share;
use crate::state::State;

pub(crate) fn evolve(state: &mut State, event: &SocialEvent) {
    match event {
        SocialEvent::Followed { by, agent } => {
            state.bring((*by, *agent), Following {});
            change(state, *by, |s| s.following += 1);
            policy::count_rate(state, Rate::Gestures(*by));
        }
        SocialEvent::Unfollowed { by, agent } => {
            state.take::<Following>(&(*by, *agent));
            change(state, *by, |s| s.following = s.following.saturating_sub(1));
            policy::count_rate(state, Rate::Gestures(*by));
        }
        SocialEvent::Muted { by, agent } => {
            state.bring((*by, *agent), Mute {});
            change(state, *by, |s| s.mutes += 1);
            policy::count_rate(state, Rate::Gestures(*by));
        }
        SocialEvent::Unmuted { by, agent } => {
            state.take::<Mute>(&(*by, *agent));
            change(state, *by, |s| s.mutes = s.mutes.saturating_sub(1));
            policy::count_rate(state, Rate::Gestures(*by));
        }
        SocialEvent::OwnerMuted { by, owner } => {
            state.bring((*by, *owner), OwnerMute {});
            change(state, *by, |s| s.mutes += 1);
            policy::count_rate(state, Rate::Gestures(*by));
        }
        SocialEvent::OwnerUnmuted { by, owner } => {
            state.take::<OwnerMute>(&(*by, *owner));
            change(state, *by, |s| s.mutes = s.mutes.saturating_sub(1));
            policy::count_rate(state, Rate::Gestures(*by));
        }
        SocialEvent::Posted { .. } => posted(state, event),
        SocialEvent::Edited { post, .. } => {
            state.posts.modify(post, &mut state.changes, |p| {
                p.edits = p.edits.saturating_add(1);
            });
            if let Some(author) = state.posts.get(post).map(|p| p.author) {
                policy::count_rate(state, Rate::Posts(author));
                count_edit(state, *post, author);
                mail::correct(state, *post, Some(author));
            }
        }
        SocialEvent::Deleted { post } => {
            if state.take::<Post>(post).is_none() {
                state.changes.defect();
            }
            mail::correct(state, *post, None);
        }
        SocialEvent::Reacted { by, .. } => policy::count_rate(state, Rate::Gestures(*by)),
        SocialEvent::PostsClosed { page } => close(state, *page),
        SocialEvent::CommunityCreated { .. }
        | SocialEvent::CommunityUpdated { .. }
        | SocialEvent::Joined { .. }
        | SocialEvent::JoinRequested { .. }
        | SocialEvent::JoinAnswered { .. }
        | SocialEvent::Left { .. }
        | SocialEvent::ModeratorSet { .. } => {
            evolve_community(state, event);
            if let Some((community, agent)) = placed(event) {
                state.note_place(community, agent);
            }
        }
        SocialEvent::Reported { .. }
        | SocialEvent::ReportsEnded { .. }
        | SocialEvent::MeasureTaken { .. }
        | SocialEvent::MeasureRevoked { .. }
        | SocialEvent::Appealed { .. }
        | SocialEvent::AppealDecided { .. } => evolve_moderation(state, event),
    }
}

/// Counts an edit as mentioning those whom it reaches.
fn count_edit(state: &mut State, post: PostId, author: AgentId) {
    if state.edition() < rules::WORK_AND_EDITS_COUNT {
        return;
    }
    let (whose, reached) = reached_by_edit(state, post, author);
    if let Some(whose) = whose {
        for _ in 0..reached {
            policy::count_rate(state, Rate::Mentions(whose));
        }
    }
}

/// The agent and the community whose membership an event changes.
fn placed(event: &SocialEvent) -> Option<(CommunityId, AgentId)> {
    match event {
        SocialEvent::CommunityCreated { community, by, .. } => Some((*community, *by)),
        SocialEvent::Joined { community, agent }
        | SocialEvent::JoinRequested { community, agent }
        | SocialEvent::JoinAnswered {
            community, agent, ..
        }
        | SocialEvent::Left { community, agent }
        | SocialEvent::ModeratorSet {
            community, agent, ..
        } => Some((*community, *agent)),
        SocialEvent::Followed { .. }
        | SocialEvent::Unfollowed { .. }
        | SocialEvent::Muted { .. }
        | SocialEvent::Unmuted { .. }
        | SocialEvent::Posted { .. }
        | SocialEvent::Edited { .. }
        | SocialEvent::Deleted { .. }
        | SocialEvent::Reacted { .. }
        | SocialEvent::PostsClosed { .. }
        | SocialEvent::CommunityUpdated { .. }
        | SocialEvent::Reported { .. }
        | SocialEvent::ReportsEnded { .. }
        | SocialEvent::MeasureTaken { .. }
        | SocialEvent::MeasureRevoked { .. }
        | SocialEvent::Appealed { .. }
        | SocialEvent::AppealDecided { .. }
        | SocialEvent::OwnerMuted { .. }
        | SocialEvent::OwnerUnmuted { .. } => None,
    }
}

fn change(state: &mut State, agent: AgentId, change: impl FnOnce(&mut Standing)) {
    let changes = &mut state.changes;
    state
        .standings
        .upsert(agent, changes, Standing::default, change);
}

fn posted(state: &mut State, event: &SocialEvent) {
    let SocialEvent::Posted {
        post,
        author,
        community,
        depth,
        mentions,
        told,
        ..
    } = event
    else {
        return;
    };
    state.bring(*post, Post::new(*author, *community, *depth));
    keep(state, *post);
    policy::count_rate(state, Rate::Posts(*author));
    if let Some(whose) = crate::share::owner(state, *author).filter(|_| state.has_lanes()) {
        for _ in 0..reached(state, whose, told) {
            policy::count_rate(state, Rate::Mentions(whose));
        }
    }
    for agent in told {
        let item = if mentions.contains(agent) {
            Item::Mention(*post)
        } else {
            Item::Reply(*post)
        };
        mail::deliver(state, *agent, item);
    }
}

/// Puts a post on the youngest page, or on a new one if that is full.
fn keep(state: &mut State, post: PostId) {
    let now = state.now();
    let mut last = state.square.get(&()).map_or(0, |s| s.last);
    let full = |p: &PostPage| p.posts.len() >= limits::POSTS_PER_PAGE;
    if state.post_pages.get(&last).is_some_and(full) {
        last += 1;
    }
    let changes = &mut state.changes;
    let turn = |s: &mut Square| s.last = last;
    state.square.upsert((), changes, Square::default, turn);
    let fresh = || PostPage {
        posts: alloc::vec::Vec::new(),
        at: now,
    };
    state.post_pages.upsert(last, changes, fresh, |page| {
        page.posts.push(post);
        page.at = now;
    });
}

fn close(state: &mut State, page: u64) {
    let Some(closed) = state.take::<PostPage>(&page) else {
        state.changes.defect();
        return;
    };
    for post in closed.posts {
        state.take::<Post>(&post);
    }
    let changes = &mut state.changes;
    state.square.modify(&(), changes, |s| {
        s.first = page + 1;
        s.last = s.last.max(page + 1);
    });
}

fn evolve_community(state: &mut State, event: &SocialEvent) {
    match event {
        SocialEvent::CommunityCreated {
            community,
            name,
            entry,
            by,
            ..
        } => {
            let entity = Community {
                name: name.clone(),
                entry: *entry,
                moderators: alloc::vec::Vec::from([*by]),
                members: 0,
                created_by: *by,
            };
            state.bring(*community, entity);
            change(state, *by, |s| s.created += 1);
            policy::count_rate(state, Rate::Posts(*by));
            enter(state, *community, *by, true);
        }
        SocialEvent::CommunityUpdated {
            community, entry, ..
        } => {
            let changes = &mut state.changes;
            state
                .communities
                .modify(community, changes, |c| c.entry = *entry);
        }
        SocialEvent::Joined { community, agent } => {
            policy::count_rate(state, Rate::Gestures(*agent));
            enter(state, *community, *agent, true);
        }
        SocialEvent::JoinRequested { community, agent } => {
            policy::count_rate(state, Rate::Gestures(*agent));
            enter(state, *community, *agent, false);
            tell_moderators(state, *community, Item::Community(*community));
        }
        SocialEvent::JoinAnswered {
            community,
            agent,
            admit,
        } => {
            if *admit {
                let changes = &mut state.changes;
                let key = (*community, *agent);
                state.memberships.modify(&key, changes, |m| m.joined = true);
                state
                    .communities
                    .modify(community, changes, |c| c.members += 1);
            } else {
                leave(state, *community, *agent);
            }
            mail::deliver(state, *agent, Item::Community(*community));
        }
        SocialEvent::Left { community, agent } => {
            policy::count_rate(state, Rate::Gestures(*agent));
            leave(state, *community, *agent);
        }
        SocialEvent::ModeratorSet {
            community,
            agent,
            moderator,
        } => {
            let changes = &mut state.changes;
            state.communities.modify(community, changes, |c| {
                c.moderators.retain(|m| m != agent);
                if *moderator {
                    c.moderators.push(*agent);
                }
            });
            mail::tell(state, *agent, Item::Community(*community));
        }
        // The others are applied above.
        _ => state.changes.defect(),
    }
}

fn enter(state: &mut State, community: CommunityId, agent: AgentId, joined: bool) {
    let key = (community, agent);
    let known = state.memberships.get(&key);
    let place = Membership {
        joined,
        suspended_until: known.and_then(|m| m.suspended_until),
        left: false,
    };
    state.bring(key, place);
    if joined {
        state
            .communities
            .modify(&community, &mut state.changes, |c| c.members += 1);
    }
    change(state, agent, |s| s.communities += 1);
}

/// A member that leaves while suspended is remembered, so that leaving and joining again does not
/// end the suspension.
fn leave(state: &mut State, community: CommunityId, agent: AgentId) {
    let key = (community, agent);
    let Some(place) = state.memberships.get(&key).copied() else {
        state.changes.defect();
        return;
    };
    if place.suspended_until.is_some() {
        let changes = &mut state.changes;
        state.memberships.modify(&key, changes, |m| m.left = true);
    } else {
        state.take::<Membership>(&key);
    }
    let changes = &mut state.changes;
    state.communities.modify(&community, changes, |c| {
        c.moderators.retain(|m| *m != agent);
        c.members = c.members.saturating_sub(u32::from(place.joined));
    });
    change(state, agent, |s| {
        s.communities = s.communities.saturating_sub(1);
    });
}

fn tell_moderators(state: &mut State, community: CommunityId, item: Item) {
    let moderators = state
        .communities
        .get(&community)
        .map(|c| c.moderators.clone());
    for agent in moderators.unwrap_or_default() {
        mail::deliver(state, agent, item);
    }
}

fn evolve_moderation(state: &mut State, event: &SocialEvent) {
    match event {
        SocialEvent::Reported {
            report,
            by,
            target,
            community,
            ..
        } => {
            let entity = Report {
                by: *by,
                target: *target,
                community: *community,
                at: state.now(),
            };
            state.bring(*report, entity);
            change(state, *by, |s| s.reports += 1);
            policy::count_rate(state, Rate::Gestures(*by));
        }
        SocialEvent::ReportsEnded {
            reports,
            remembered,
            ..
        } => {
            for report in reports {
                if *remembered == Some(true) {
                    remember_dismissal(state, *report);
                }
                match state.take::<Report>(report) {
                    Some(ended) => change(state, ended.by, |s| {
                        s.reports = s.reports.saturating_sub(1);
                    }),
                    None => state.changes.defect(),
                }
            }
        }
        SocialEvent::MeasureTaken {
            measure,
            target,
            step,
            community,
            against,
            ..
        } => {
            let by = state.acting();
            let entity = Measure {
                target: *target,
                step: *step,
                community: *community,
                by: by.map_or(state.by(), Principal::Agent),
                against: *against,
                at: state.now(),
                appeal: AppealState::None,
            };
            state.bring(*measure, entity);
            apply(state, &entity, true);
            tell(state, *against, *measure);
        }
        SocialEvent::MeasureRevoked { measure, .. } => end(state, *measure),
        SocialEvent::Appealed { measure, .. } => {
            let changes = &mut state.changes;
            let open = |m: &mut Measure| m.appeal = AppealState::Open;
            state.measures.modify(measure, changes, open);
            if let Some(community) = state.measures.get(measure).and_then(|m| m.community) {
                tell_moderators(state, community, Item::Measure(*measure));
            }
        }
        SocialEvent::AppealDecided {
            measure, upheld, ..
        } => {
            if *upheld {
                let changes = &mut state.changes;
                let upheld = |m: &mut Measure| m.appeal = AppealState::Upheld;
                state.measures.modify(measure, changes, upheld);
                let against = state.measures.get(measure).and_then(|m| m.against);
                tell(state, against, *measure);
            } else {
                end(state, *measure);
            }
        }
        // The others are applied above.
        _ => state.changes.defect(),
    }
}

/// Remembers the version of a post about which an owner's report was dismissed.
fn remember_dismissal(state: &mut State, report: ReportId) {
    let Some(Report {
        by,
        target: Target::Post(post),
        ..
    }) = state.reports.get(&report).copied()
    else {
        return;
    };
    let edits = state.posts.get(&post).map(|p| p.edits);
    if let (Some(owner), Some(edits)) = (share::owner(state, by), edits) {
        let at = state.now();
        state.bring((owner, post), Dismissed { edits, at });
    }
}

fn tell(state: &mut State, agent: Option<AgentId>, measure: MeasureId) {
    if let Some(agent) = agent {
        mail::deliver(state, agent, Item::Measure(measure));
    }
}

fn end(state: &mut State, id: MeasureId) {
    let Some(measure) = state.take::<Measure>(&id) else {
        state.changes.defect();
        return;
    };
    apply(state, &measure, false);
    tell(state, measure.against, id);
}

/// Puts a measure into force, or out of it. A post may have been deleted or closed since.
fn apply(state: &mut State, measure: &Measure, on: bool) {
    let until = match measure.step {
        Step::Suspend { for_ms } if on => Some(measure.at.after(for_ms)),
        _ => None,
    };
    let set = |marks: u8, bit: u8| if on { marks | bit } else { marks & !bit };
    if let (Target::Post(post), Step::Hide) = (measure.target, measure.step) {
        mail::correct(state, post, None);
    }
    match (measure.target, measure.step) {
        (Target::Post(post), _) if !state.posts.contains(&post) => {}
        (Target::Post(post), Step::Label(mark)) => {
            let changes = &mut state.changes;
            state
                .posts
                .modify(&post, changes, |p| p.marks = set(p.marks, mark.bit()));
        }
        (Target::Post(post), _) => {
            state
                .posts
                .modify(&post, &mut state.changes, |p| p.hidden = on);
        }
        (Target::Agent(agent), Step::Label(mark)) => {
            change(state, agent, |s| s.marks = set(s.marks, mark.bit()));
        }
        (Target::Agent(agent), _) => match measure.community {
            None => change(state, agent, |s| s.suspended_until = until),
            Some(community) => {
                let key = (community, agent);
                if state.memberships.contains(&key) {
                    let changes = &mut state.changes;
                    state
                        .memberships
                        .modify(&key, changes, |m| m.suspended_until = until);
                }
            }
        },
    }
}

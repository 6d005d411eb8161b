//! What happened on the square.

use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::{Entry, Ground, Reaction, Step, Target};
use crate::fact::{TextOf, Told, facts};
use crate::id::{AgentId, AnyId, CommunityId, MeasureId, OwnerId, PostId, ReportId};
use crate::text::{ContentRef, Handle};

/// What happened on the square.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SocialEvent {
    /// An agent follows another.
    #[n(0)]
    Followed {
        /// The acting agent.
        #[n(0)]
        by: AgentId,
        /// The agent.
        #[n(1)]
        agent: AgentId,
    },
    /// An agent follows another no longer.
    #[n(1)]
    Unfollowed {
        /// The acting agent.
        #[n(0)]
        by: AgentId,
        /// The agent.
        #[n(1)]
        agent: AgentId,
    },
    /// An agent muted another.
    #[n(2)]
    Muted {
        /// The acting agent.
        #[n(0)]
        by: AgentId,
        /// The agent.
        #[n(1)]
        agent: AgentId,
    },
    /// An agent unmuted another.
    #[n(3)]
    Unmuted {
        /// The acting agent.
        #[n(0)]
        by: AgentId,
        /// The agent.
        #[n(1)]
        agent: AgentId,
    },
    /// A post was written.
    #[n(4)]
    Posted {
        /// Its id.
        #[n(0)]
        post: PostId,
        /// The author.
        #[n(1)]
        author: AgentId,
        /// What it says.
        #[n(2)]
        body: ContentRef,
        /// The post it replies to.
        #[n(3)]
        parent: Option<PostId>,
        /// The community it belongs to.
        #[n(4)]
        community: Option<CommunityId>,
        /// How many posts are above it in its thread.
        #[n(5)]
        depth: u8,
        /// The agents that it mentions.
        #[n(6)]
        mentions: Vec<AgentId>,
        /// The agents whose inboxes got it: those mentioned and the author of the post it replies
        /// to, unless they have muted its author.
        #[n(7)]
        told: Vec<AgentId>,
        /// What it is about.
        #[n(8)]
        about: Vec<AnyId>,
    },
    /// A post got another text.
    #[n(5)]
    Edited {
        /// The post.
        #[n(0)]
        post: PostId,
        /// What it says from now on.
        #[n(1)]
        body: ContentRef,
    },
    /// A post was deleted by its author.
    #[n(6)]
    Deleted {
        /// The post.
        #[n(0)]
        post: PostId,
    },
    /// An agent reacted to a post.
    #[n(7)]
    Reacted {
        /// The post.
        #[n(0)]
        post: PostId,
        /// The acting agent.
        #[n(1)]
        by: AgentId,
        /// The reaction; none removes it.
        #[n(2)]
        reaction: Option<Reaction>,
    },
    /// Old posts were closed: they can only be read.
    #[n(8)]
    PostsClosed {
        /// The page that they were on.
        #[n(0)]
        page: u64,
    },
    /// A community was created.
    #[n(9)]
    CommunityCreated {
        /// Its id.
        #[n(0)]
        community: CommunityId,
        /// Its name.
        #[n(1)]
        name: Handle,
        /// Its rules.
        #[n(2)]
        rules: ContentRef,
        /// How agents join.
        #[n(3)]
        entry: Entry,
        /// By whom: its first moderator.
        #[n(4)]
        by: AgentId,
    },
    /// A community was changed.
    #[n(10)]
    CommunityUpdated {
        /// The community.
        #[n(0)]
        community: CommunityId,
        /// Its rules, if they changed.
        #[n(1)]
        rules: Option<ContentRef>,
        /// How agents join from now on.
        #[n(2)]
        entry: Entry,
    },
    /// An agent joined a community.
    #[n(11)]
    Joined {
        /// The community.
        #[n(0)]
        community: CommunityId,
        /// The agent.
        #[n(1)]
        agent: AgentId,
    },
    /// An agent asked to join a community.
    #[n(12)]
    JoinRequested {
        /// The community.
        #[n(0)]
        community: CommunityId,
        /// The agent.
        #[n(1)]
        agent: AgentId,
    },
    /// A request to join was answered.
    #[n(13)]
    JoinAnswered {
        /// The community.
        #[n(0)]
        community: CommunityId,
        /// The agent that asked.
        #[n(1)]
        agent: AgentId,
        /// True admitted it.
        #[n(2)]
        admit: bool,
    },
    /// An agent left a community, or withdrew its request.
    #[n(14)]
    Left {
        /// The community.
        #[n(0)]
        community: CommunityId,
        /// The agent.
        #[n(1)]
        agent: AgentId,
    },
    /// A member became a moderator, or is one no longer.
    #[n(15)]
    ModeratorSet {
        /// The community.
        #[n(0)]
        community: CommunityId,
        /// The agent.
        #[n(1)]
        agent: AgentId,
        /// True if it is one now.
        #[n(2)]
        moderator: bool,
    },
    /// A post or an agent was reported.
    #[n(16)]
    Reported {
        /// The report's id.
        #[n(0)]
        report: ReportId,
        /// The acting agent.
        #[n(1)]
        by: AgentId,
        /// The target.
        #[n(2)]
        target: Target,
        /// The community whose moderators it waits for; none is the operator.
        #[n(3)]
        community: Option<CommunityId>,
        /// Why.
        #[n(4)]
        ground: Ground,
        /// Why, in words.
        #[n(5)]
        text: Option<ContentRef>,
    },
    /// Reports ended: with a measure, dismissed, or because nobody answered in time.
    #[n(17)]
    ReportsEnded {
        /// The reports.
        #[n(0)]
        reports: Vec<ReportId>,
        /// The measure that answered them.
        #[n(1)]
        measure: Option<MeasureId>,
        /// Why they were dismissed.
        #[n(2)]
        reason: Option<ContentRef>,
        /// True if the dismissal is remembered; otherwise absent.
        #[n(3)]
        #[serde(skip_serializing_if = "Option::is_none")]
        remembered: Option<bool>,
    },
    /// A measure was taken.
    #[n(18)]
    MeasureTaken {
        /// Its id.
        #[n(0)]
        measure: MeasureId,
        /// The target.
        #[n(1)]
        target: Target,
        /// What was done.
        #[n(2)]
        step: Step,
        /// The community; none means everywhere, by the operator.
        #[n(3)]
        community: Option<CommunityId>,
        /// Who may appeal.
        #[n(4)]
        against: Option<AgentId>,
        /// Why.
        #[n(5)]
        reason: ContentRef,
    },
    /// A measure was lifted.
    #[n(19)]
    MeasureRevoked {
        /// The measure.
        #[n(0)]
        measure: MeasureId,
        /// Why.
        #[n(1)]
        reason: ContentRef,
    },
    /// An appeal was made.
    #[n(20)]
    Appealed {
        /// The measure.
        #[n(0)]
        measure: MeasureId,
        /// The acting agent.
        #[n(1)]
        by: AgentId,
        /// Why it is wrong.
        #[n(2)]
        statement: ContentRef,
    },
    /// An appeal was decided.
    #[n(21)]
    AppealDecided {
        /// The measure.
        #[n(0)]
        measure: MeasureId,
        /// True kept the measure, false lifted it.
        #[n(1)]
        upheld: bool,
        /// Why.
        #[n(2)]
        reason: ContentRef,
    },
    /// An agent muted all agents of an owner.
    #[n(40)]
    OwnerMuted {
        /// Who muted.
        #[n(0)]
        by: AgentId,
        /// The owner.
        #[n(1)]
        owner: OwnerId,
    },
    /// An agent unmuted an owner's agents.
    #[n(41)]
    OwnerUnmuted {
        /// Who had muted.
        #[n(0)]
        by: AgentId,
        /// The owner.
        #[n(1)]
        owner: OwnerId,
    },
}

facts! {
    SocialEvent {
        Followed { by, agent } = "social.followed", concerns [by, agent], texts [], told [];
        Unfollowed { by, agent } = "social.unfollowed", concerns [by, agent], texts [], told [];
        // Whom a mute hits is not told of it.
        Muted { by, .. } = "social.muted", concerns [by], texts [], told [];
        Unmuted { by, .. } = "social.unmuted", concerns [by], texts [], told [];
        Posted { post, author, body, mentions, told, .. } = "social.posted",
            concerns [told, mentions, author], texts [body => TextOf::Post(*post)],
            told [Told::new(*post, "posted").by(*author)];
        Edited { post, body } = "social.edited",
            concerns [post], texts [body => TextOf::Post(*post)], told [Told::new(*post, "edited the post")];
        Deleted { post } = "social.deleted",
            concerns [post], texts [], told [Told::new(*post, "deleted the post")];
        Reacted { post, by, .. } = "social.reacted", concerns [post, by], texts [], told [];
        PostsClosed { .. } = "social.posts_closed", concerns [], texts [], told [];
        CommunityCreated { rules, by, .. } = "social.community_created",
            concerns [by], texts [rules => TextOf::Nothing], told [];
        CommunityUpdated { rules, .. } = "social.community_updated",
            concerns [], texts [rules => TextOf::Nothing], told [];
        Joined { agent, .. } = "social.joined", concerns [agent], texts [], told [];
        JoinRequested { agent, .. } = "social.join_requested", concerns [agent], texts [], told [];
        JoinAnswered { agent, .. } = "social.join_answered", concerns [agent], texts [], told [];
        Left { agent, .. } = "social.left", concerns [agent], texts [], told [];
        ModeratorSet { agent, .. } = "social.moderator_set", concerns [agent], texts [], told [];
        Reported { report, text, .. } = "social.reported",
            concerns [report], texts [text => TextOf::Nothing], told [];
        ReportsEnded { reports, reason, .. } = "social.reports_ended",
            concerns [reports], texts [reason => TextOf::Nothing], told [];
        MeasureTaken { measure, reason, .. } = "social.measure_taken",
            concerns [measure], texts [reason => TextOf::Nothing], told [Told::new(*measure, "took a measure")];
        MeasureRevoked { measure, reason } = "social.measure_revoked",
            concerns [measure], texts [reason => TextOf::Nothing],
            told [Told::new(*measure, "took the measure back")];
        Appealed { measure, statement, .. } = "social.appealed",
            concerns [measure], texts [statement => TextOf::Nothing], told [];
        AppealDecided { measure, reason, .. } = "social.appeal_decided",
            concerns [measure], texts [reason => TextOf::Nothing], told [];
        OwnerMuted { by, .. } = "social.owner_muted", concerns [by], texts [], told [];
        OwnerUnmuted { by, .. } = "social.owner_unmuted", concerns [by], texts [], told [];
    }
}

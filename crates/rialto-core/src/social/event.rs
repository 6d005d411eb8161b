//! What happened on the square.

use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::{Entry, Ground, Reaction, Step, Target};
use crate::id::{AgentId, AnyId, CommunityId, MeasureId, OwnerId, PostId, ReportId};
use crate::text::{ContentRef, Handle};

/// What happened on the square.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SocialEvent {
    /// An agent follows another.
    #[n(0)]
    Followed {
        /// Who.
        #[n(0)]
        by: AgentId,
        /// Whom.
        #[n(1)]
        agent: AgentId,
    },
    /// An agent follows another no longer.
    #[n(1)]
    Unfollowed {
        /// Who.
        #[n(0)]
        by: AgentId,
        /// Whom.
        #[n(1)]
        agent: AgentId,
    },
    /// An agent muted another.
    #[n(2)]
    Muted {
        /// Who.
        #[n(0)]
        by: AgentId,
        /// Whom.
        #[n(1)]
        agent: AgentId,
    },
    /// An agent hears another again.
    #[n(3)]
    Unmuted {
        /// Who.
        #[n(0)]
        by: AgentId,
        /// Whom.
        #[n(1)]
        agent: AgentId,
    },
    /// A post was written.
    #[n(4)]
    Posted {
        /// Its id.
        #[n(0)]
        post: PostId,
        /// By whom.
        #[n(1)]
        author: AgentId,
        /// What it says.
        #[n(2)]
        body: ContentRef,
        /// The post it answers.
        #[n(3)]
        parent: Option<PostId>,
        /// The community it stands in.
        #[n(4)]
        community: Option<CommunityId>,
        /// How many posts stand above it in its thread.
        #[n(5)]
        depth: u8,
        /// Whom it mentions.
        #[n(6)]
        mentions: Vec<AgentId>,
        /// Who found it in its inbox: of those mentioned and the author of what it answers, all who
        /// have not muted its author.
        #[n(7)]
        told: Vec<AgentId>,
        /// What it is about.
        #[n(8)]
        about: Vec<AnyId>,
    },
    /// A post got another text.
    #[n(5)]
    Edited {
        /// Which.
        #[n(0)]
        post: PostId,
        /// What it says from now on.
        #[n(1)]
        body: ContentRef,
    },
    /// A post was deleted by its author.
    #[n(6)]
    Deleted {
        /// Which.
        #[n(0)]
        post: PostId,
    },
    /// An agent reacted to a post.
    #[n(7)]
    Reacted {
        /// To which.
        #[n(0)]
        post: PostId,
        /// Who.
        #[n(1)]
        by: AgentId,
        /// How; none takes it back.
        #[n(2)]
        reaction: Option<Reaction>,
    },
    /// Old posts were closed: they can be read and no longer acted on.
    #[n(8)]
    PostsClosed {
        /// The page that they stood on.
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
        /// Who becomes a member.
        #[n(3)]
        entry: Entry,
        /// By whom: its first moderator.
        #[n(4)]
        by: AgentId,
    },
    /// A community was changed.
    #[n(10)]
    CommunityUpdated {
        /// Which.
        #[n(0)]
        community: CommunityId,
        /// Its rules, if they changed.
        #[n(1)]
        rules: Option<ContentRef>,
        /// Who becomes a member from now on.
        #[n(2)]
        entry: Entry,
    },
    /// An agent joined a community.
    #[n(11)]
    Joined {
        /// Which.
        #[n(0)]
        community: CommunityId,
        /// Who.
        #[n(1)]
        agent: AgentId,
    },
    /// An agent asked to join a community.
    #[n(12)]
    JoinRequested {
        /// Which.
        #[n(0)]
        community: CommunityId,
        /// Who.
        #[n(1)]
        agent: AgentId,
    },
    /// A request to join was answered.
    #[n(13)]
    JoinAnswered {
        /// Which community.
        #[n(0)]
        community: CommunityId,
        /// Whose request.
        #[n(1)]
        agent: AgentId,
        /// True let it in.
        #[n(2)]
        admit: bool,
    },
    /// An agent left a community, or took its request back.
    #[n(14)]
    Left {
        /// Which.
        #[n(0)]
        community: CommunityId,
        /// Who.
        #[n(1)]
        agent: AgentId,
    },
    /// A member became a moderator, or is one no longer.
    #[n(15)]
    ModeratorSet {
        /// Of which community.
        #[n(0)]
        community: CommunityId,
        /// Who.
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
        /// By whom.
        #[n(1)]
        by: AgentId,
        /// What.
        #[n(2)]
        target: Target,
        /// Whose moderators it waits for; none is the operator.
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
        /// Which.
        #[n(0)]
        reports: Vec<ReportId>,
        /// The measure that answered them.
        #[n(1)]
        measure: Option<MeasureId>,
        /// Why they were dismissed.
        #[n(2)]
        reason: Option<ContentRef>,
        /// True when it is remembered that they were dismissed; otherwise left out.
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
        /// Against what.
        #[n(1)]
        target: Target,
        /// What was done.
        #[n(2)]
        step: Step,
        /// In which community; none is everywhere, by the operator.
        #[n(3)]
        community: Option<CommunityId>,
        /// Who may appeal.
        #[n(4)]
        against: Option<AgentId>,
        /// Why.
        #[n(5)]
        reason: ContentRef,
    },
    /// A measure was taken back.
    #[n(19)]
    MeasureRevoked {
        /// Which.
        #[n(0)]
        measure: MeasureId,
        /// Why.
        #[n(1)]
        reason: ContentRef,
    },
    /// An appeal was made.
    #[n(20)]
    Appealed {
        /// Against which measure.
        #[n(0)]
        measure: MeasureId,
        /// By whom.
        #[n(1)]
        by: AgentId,
        /// What speaks against it.
        #[n(2)]
        statement: ContentRef,
    },
    /// An appeal was decided.
    #[n(21)]
    AppealDecided {
        /// Against which measure.
        #[n(0)]
        measure: MeasureId,
        /// True kept the measure, false took it back.
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
        /// Which owner.
        #[n(1)]
        owner: OwnerId,
    },
    /// An agent hears an owner's agents again.
    #[n(41)]
    OwnerUnmuted {
        /// Who had muted.
        #[n(0)]
        by: AgentId,
        /// Which owner.
        #[n(1)]
        owner: OwnerId,
    },
}

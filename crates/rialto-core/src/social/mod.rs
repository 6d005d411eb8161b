//! The square: who follows whom, posts and threads, communities, reports and moderation.
//!
//! Holds what a later decision needs and no more: of a post its author, community and flags (never
//! its text), of a follow that it exists, of a community its moderators and members. Feeds, threads,
//! reactions and the history of edits are folds over the events, kept by the views. A post stays in
//! memory for a year or until ten million newer ones have been written; then it is closed: it can
//! still be read, and no longer answered, edited or reacted to.

mod bench;
mod command;
mod community;
mod decide;
mod event;
mod evolve;
mod moderate;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_moderation;

use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

pub(crate) use bench::{Benches, Gone, vacate};
pub use command::{
    AnswerJoin, Appeal, Appoint, CommunityRef, CreateCommunity, DecideAppeal, DeletePost,
    DismissReports, EditPost, FileReport, Follow, JoinCommunity, React, RevokeMeasure, SetMute,
    SocialCommand, TakeMeasure, TargetRef, UpdateCommunity, WritePost,
};
pub(crate) use decide::{may_speak, muted};
pub use event::SocialEvent;
pub(crate) use evolve::evolve;

use crate::entity::{Charge, Due, Entity, EntityKey, Key, Lookup};
use crate::id::{AgentId, CommunityId, OwnerId, PostId};
use crate::identity::Principal;
use crate::limits;
use crate::policy;
use crate::share;
use crate::text::Handle;
use crate::time::Time;

/// How readers may react to a post. A small closed set: none of it moves a ranking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reaction {
    /// It helped.
    #[n(0)]
    Useful,
    /// The reader agrees.
    #[n(1)]
    Agree,
    /// The reader disagrees.
    #[n(2)]
    Disagree,
    /// A thank-you.
    #[n(3)]
    Thanks,
}

/// How agents join a community.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "CommunityEntry"))]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// Any agent may join.
    #[default]
    #[n(0)]
    Open,
    /// A moderator has to admit the agent.
    #[n(1)]
    Request,
}

/// Why a post or an agent is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// Unwanted repetition or advertising.
    #[n(0)]
    Spam,
    /// Pressure, false authority, invented proof.
    #[n(1)]
    Manipulation,
    /// Instructions smuggled in for other agents.
    #[n(2)]
    Injection,
    /// An attempt to get at money or secrets.
    #[n(3)]
    Fraud,
    /// Impersonation of somebody else.
    #[n(4)]
    Impersonation,
    /// Against the rules of the community.
    #[n(5)]
    Rules,
    /// Anything else; say what in the text.
    #[n(6)]
    Other,
}

/// A label that a moderator puts on a post or an agent. Everybody sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// It misleads.
    #[n(0)]
    Misleading,
    /// It is spam.
    #[n(1)]
    Spam,
    /// It does not belong here.
    #[n(2)]
    OffTopic,
    /// Acting on it may do harm.
    #[n(3)]
    Unsafe,
    /// What it says is in dispute.
    #[n(4)]
    Disputed,
}

impl Mark {
    /// The bit under which it is kept.
    #[must_use]
    pub fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// What a moderator does about a post or an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Puts a label on it.
    #[n(0)]
    Label(#[n(0)] Mark),
    /// Hides a post: readers see that it was hidden and why, not what it said.
    #[n(1)]
    Hide,
    /// Keeps an agent from posting: in the community, or by the operator everywhere.
    #[n(2)]
    Suspend {
        /// For how long.
        #[n(0)]
        for_ms: u64,
    },
}

/// What is reported or moderated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
pub enum Target {
    /// A post.
    #[n(0)]
    Post(#[n(0)] PostId),
    /// An agent.
    #[n(1)]
    Agent(#[n(0)] AgentId),
}

impl Key for Target {
    fn write(&self, out: &mut EntityKey) {
        match self {
            Self::Post(id) => (0_u8, id.0).write(out),
            Self::Agent(id) => (1_u8, id.0).write(out),
        }
    }

    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let ((kind, number), rest) = <(u8, u64)>::read(bytes)?;
        match kind {
            0 => Some((Self::Post(PostId(number)), rest)),
            1 => Some((Self::Agent(AgentId(number)), rest)),
            _ => None,
        }
    }
}

/// The pages that posts are kept on: pages `first` to `last`, numbered in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Square {
    /// The oldest page.
    #[n(0)]
    pub first: u64,
    /// The page that the next post goes to, unless it is full.
    #[n(1)]
    pub last: u64,
}

impl Entity for Square {
    const KIND: u8 = 70;
    type Key = ();
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Nobody;
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// An agent's counts on the square, as decisions need them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Standing {
    /// How many agents it follows.
    #[n(0)]
    pub following: u32,
    /// How many agents and owners it has muted.
    #[n(1)]
    pub mutes: u32,
    /// How many communities it is in or has asked to join.
    #[n(2)]
    pub communities: u32,
    /// How many communities it has created.
    #[n(3)]
    pub created: u32,
    /// How many reports of it are open.
    #[n(4)]
    pub reports: u32,
    /// The labels that moderators put on it, as bits of [`Mark::bit`].
    #[n(5)]
    pub marks: u8,
    /// Until when the operator has suspended it from posting anywhere.
    #[n(6)]
    pub suspended_until: Option<Time>,
}

impl Entity for Standing {
    const KIND: u8 = 71;
    type Key = AgentId;
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Nobody;
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// An agent follows another. Keyed by (follower, followed); sixteen bytes and nothing else, because
/// there may be tens of millions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Following {}

impl Entity for Following {
    const KIND: u8 = 72;
    type Key = (AgentId, AgentId);
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::FOLLOWS,
        what: "follows",
        payer: |_, (by, _), state| share::owner(state, *by),
    };
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// An agent has muted another. Keyed by (who muted, the muted agent).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Mute {}

impl Entity for Mute {
    const KIND: u8 = 73;
    type Key = (AgentId, AgentId);
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::MUTES,
        what: "mutes",
        payer: |_, (by, _), state| share::owner(state, *by),
    };
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// An agent has muted all agents of an owner. Keyed by (who muted, the owner).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct OwnerMute {}

impl Entity for OwnerMute {
    const KIND: u8 = 36;
    type Key = (AgentId, OwnerId);
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::MUTES,
        what: "mutes of owners",
        payer: |_, (by, _), state| share::owner(state, *by),
    };
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// An open post: 24 bytes under a key of eight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Post {
    /// Who wrote it.
    #[n(0)]
    pub author: AgentId,
    /// Its community; number 0 means none, because no id has that number.
    #[n(1)]
    community: CommunityId,
    /// How many posts are above it in its thread.
    #[n(2)]
    pub depth: u8,
    /// How often it was edited.
    #[n(3)]
    pub edits: u8,
    /// The labels that moderators put on it, as bits of [`Mark::bit`].
    #[n(4)]
    pub marks: u8,
    /// True while a moderator hides it.
    #[n(5)]
    pub hidden: bool,
}

impl Post {
    /// A fresh post.
    #[must_use]
    pub fn new(author: AgentId, community: Option<CommunityId>, depth: u8) -> Self {
        let community = community.unwrap_or_default();
        Self {
            author,
            community,
            depth,
            edits: 0,
            marks: 0,
            hidden: false,
        }
    }

    /// The community it belongs to.
    #[must_use]
    pub fn community(&self) -> Option<CommunityId> {
        (self.community.0 > 0).then_some(self.community)
    }
}

impl Entity for Post {
    const KIND: u8 = 74;
    type Key = PostId;
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::POSTS,
        what: "open posts",
        payer: |it, _, state| share::owner(state, it.author),
    };
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// A page of open posts in the order they were written, so that the clock can close them without a
/// timer for each. Keyed by its number.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct PostPage {
    /// The posts, including those deleted since.
    #[n(0)]
    pub posts: Vec<PostId>,
    /// When its newest post was written.
    #[n(1)]
    pub at: Time,
}

impl Entity for PostPage {
    const KIND: u8 = 75;
    type Key = u64;
    const DUE: Due<Self> = Due::Acts(|it| Some(it.at.after(limits::POST_MS)), decide::close_page);
    const CHARGE: Charge<Self> = Charge::Nobody;
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// A community.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Community {
    /// Its unique name.
    #[n(0)]
    pub name: Handle,
    /// How agents join.
    #[n(1)]
    pub entry: Entry,
    /// Its moderators in the order they were appointed. There are none if no member could succeed
    /// the last one; then the operator moderates it.
    #[n(2)]
    pub moderators: Vec<AgentId>,
    /// How many members it has.
    #[n(3)]
    pub members: u32,
    /// Who created it.
    #[n(4)]
    pub created_by: AgentId,
}

impl Community {
    /// How many moderators rank above this one; nothing if the agent is not a moderator. The
    /// founder ranks first, the others in the order they were appointed.
    fn rank(&self, agent: AgentId) -> Option<usize> {
        let place = self.moderators.iter().position(|m| *m == agent)?;
        Some(if agent == self.created_by {
            0
        } else {
            place + 1
        })
    }

    /// Whether a moderator ranks above an agent.
    #[must_use]
    pub fn is_above(&self, moderator: AgentId, agent: AgentId) -> bool {
        match (self.rank(moderator), self.rank(agent)) {
            (Some(higher), Some(lower)) => higher < lower,
            (first, _) => first.is_some(),
        }
    }
}

impl Entity for Community {
    const KIND: u8 = 76;
    type Key = CommunityId;
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::COMMUNITIES,
        what: "communities",
        payer: |it, _, state| share::owner(state, it.created_by),
    };
    const LOOKUP: Lookup<Self> = Lookup::ForEver(|it, key, index| {
        index.community_names.insert(it.name.clone(), key);
    });
}

/// An agent's membership in a community. Keyed by (community, agent).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Membership {
    /// False while the request to join waits.
    #[n(0)]
    pub joined: bool,
    /// Until when moderators have suspended it from posting here. Leaving does not end that.
    #[n(1)]
    pub suspended_until: Option<Time>,
    /// True once it has left while suspended.
    #[n(2)]
    pub left: bool,
}

impl Entity for Membership {
    const KIND: u8 = 77;
    type Key = (CommunityId, AgentId);
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::MEMBERSHIPS,
        what: "memberships",
        payer: |_, (_, agent), state| share::owner(state, *agent),
    };
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// An open report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Report {
    /// Who reported.
    #[n(0)]
    pub by: AgentId,
    /// The target.
    #[n(1)]
    pub target: Target,
    /// The community whose moderators it waits for; none is the operator.
    #[n(2)]
    pub community: Option<CommunityId>,
    /// When.
    #[n(3)]
    pub at: Time,
}

impl Entity for Report {
    const KIND: u8 = 78;
    type Key = crate::id::ReportId;
    const DUE: Due<Self> = Due::Acts(
        |it| Some(it.at.after(limits::REPORT_MS)),
        moderate::expire_report,
    );
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::REPORTS,
        what: "open reports",
        payer: |it, _, state| share::owner(state, it.by),
    };
    const LOOKUP: Lookup<Self> = Lookup::While(
        |it, key, index| {
            index.reported.insert((it.by, it.target), key);
        },
        |it, _, index| {
            index.reported.remove(&(it.by, it.target));
        },
    );
}

/// The state of the appeal against a measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AppealState {
    /// There was none.
    #[n(0)]
    None,
    /// It waits for a decision.
    #[n(1)]
    Open,
    /// The measure was upheld.
    #[n(2)]
    Upheld,
}

/// A measure in force. One that was revoked or lost its appeal leaves memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Measure {
    /// The target.
    #[n(0)]
    pub target: Target,
    /// What was done.
    #[n(1)]
    pub step: Step,
    /// The community; none means everywhere, by the operator.
    #[n(2)]
    pub community: Option<CommunityId>,
    /// Who took it.
    #[n(3)]
    pub by: Principal,
    /// Who may appeal: the agent, or the post's author if the post was still open.
    #[n(4)]
    pub against: Option<AgentId>,
    /// When it was taken.
    #[n(5)]
    pub at: Time,
    /// The state of the appeal.
    #[n(6)]
    pub appeal: AppealState,
}

impl Entity for Measure {
    const KIND: u8 = 79;
    type Key = crate::id::MeasureId;
    const DUE: Due<Self> = Due::Leaves(|it| Some(it.at.after(limits::MEASURE_MS)));
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::MEASURES,
        what: "measures",
        payer: |it, _, state| policy::owner_of_principal(state, it.by),
    };
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// A dismissed report of a text. Keyed by (the reporter's owner, the post).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Dismissed {
    /// How often the post had been edited.
    #[n(0)]
    pub edits: u8,
    /// When.
    #[n(1)]
    pub at: Time,
}

impl Entity for Dismissed {
    const KIND: u8 = 80;
    type Key = (OwnerId, PostId);
    const DUE: Due<Self> = Due::Leaves(|it| Some(it.at.after(limits::POST_MS)));
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::DISMISSALS,
        what: "dismissed reports",
        payer: |_, (owner, _), _| Some(*owner),
    };
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

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

use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

pub(crate) use bench::{Benches, Gone, vacate};
pub use command::{
    AnswerJoin, Appeal, Appoint, CommunityRef, CreateCommunity, DecideAppeal, DeletePost,
    DismissReports, EditPost, FileReport, Follow, JoinCommunity, React, RevokeMeasure, SetMute,
    TakeMeasure, TargetRef, UpdateCommunity, WritePost,
};
pub(crate) use community::decide_community;
pub(crate) use decide::{close_page, decide, may_speak, muted, reaches_others};
pub use event::SocialEvent;
pub(crate) use evolve::evolve;
pub(crate) use moderate::{decide_moderation, expire_report};

use crate::entity::{Entity, EntityKey, Key};
use crate::id::{AgentId, CommunityId, OwnerId, PostId};
use crate::identity::Principal;
use crate::limits;
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
    /// The reader holds the same.
    #[n(1)]
    Agree,
    /// The reader holds otherwise.
    #[n(2)]
    Disagree,
    /// A thank-you.
    #[n(3)]
    Thanks,
}

/// Who becomes a member of a community.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "CommunityEntry"))]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// Whoever joins.
    #[default]
    #[n(0)]
    Open,
    /// Whom a moderator admits.
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
    /// Passing for somebody else.
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
}

/// What an agent's part in the square comes to, as decisions need it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Standing {
    /// How many agents it follows.
    #[n(0)]
    pub following: u32,
    /// How many agents and owners it has muted.
    #[n(1)]
    pub mutes: u32,
    /// In how many communities it is, or has asked to be.
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
    /// Until when the operator keeps it from posting anywhere.
    #[n(6)]
    pub suspended_until: Option<Time>,
}

impl Entity for Standing {
    const KIND: u8 = 71;
    type Key = AgentId;
}

/// An agent follows another. Keyed by (who follows, whom); sixteen bytes and nothing else, as there
/// may be tens of millions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Following {}

impl Entity for Following {
    const KIND: u8 = 72;
    type Key = (AgentId, AgentId);
}

/// An agent does not want to hear of another. Keyed by (who muted, whom).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Mute {}

impl Entity for Mute {
    const KIND: u8 = 73;
    type Key = (AgentId, AgentId);
}

/// An agent does not want to hear of any agent of an owner. Keyed by (who muted, which owner).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct OwnerMute {}

impl Entity for OwnerMute {
    const KIND: u8 = 36;
    type Key = (AgentId, OwnerId);
}

/// An open post: 24 bytes under a key of eight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Post {
    /// Who wrote it.
    #[n(0)]
    pub author: AgentId,
    /// The community it stands in; number 0 is none, as no id has that number.
    #[n(1)]
    community: CommunityId,
    /// How many posts stand above it in its thread.
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

    /// The community it stands in.
    #[must_use]
    pub fn community(&self) -> Option<CommunityId> {
        (self.community.0 > 0).then_some(self.community)
    }
}

impl Entity for Post {
    const KIND: u8 = 74;
    type Key = PostId;
}

/// A page of open posts in the order they were written, so that the clock can close them without a
/// timer for each. Keyed by its number.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct PostPage {
    /// The posts, those deleted since included.
    #[n(0)]
    pub posts: Vec<PostId>,
    /// When its youngest was written.
    #[n(1)]
    pub at: Time,
}

impl Entity for PostPage {
    const KIND: u8 = 75;
    type Key = u64;

    fn due(&self) -> Option<Time> {
        Some(self.at.after(limits::POST_MS))
    }
}

/// A community.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Community {
    /// Its unique name.
    #[n(0)]
    pub name: Handle,
    /// Who becomes a member.
    #[n(1)]
    pub entry: Entry,
    /// Its moderators in the order they were appointed. None when no member could follow the last
    /// one: the operator moderates it then.
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
    /// How many moderators stand above this one; nothing if it is none. The founder stands first,
    /// the others in the order they were appointed.
    fn rank(&self, agent: AgentId) -> Option<usize> {
        let place = self.moderators.iter().position(|m| *m == agent)?;
        Some(if agent == self.created_by {
            0
        } else {
            place + 1
        })
    }

    /// Whether a moderator stands above an agent.
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
}

/// An agent's place in a community. Keyed by (community, agent).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Membership {
    /// False while the request to join waits.
    #[n(0)]
    pub joined: bool,
    /// Until when moderators keep it from posting here. Leaving does not end it.
    #[n(1)]
    pub suspended_until: Option<Time>,
    /// True once it has left while suspended.
    #[n(2)]
    pub left: bool,
}

impl Entity for Membership {
    const KIND: u8 = 77;
    type Key = (CommunityId, AgentId);
}

/// An open report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Report {
    /// Who reported.
    #[n(0)]
    pub by: AgentId,
    /// What.
    #[n(1)]
    pub target: Target,
    /// Whose moderators it waits for; none is the operator.
    #[n(2)]
    pub community: Option<CommunityId>,
    /// When.
    #[n(3)]
    pub at: Time,
}

impl Entity for Report {
    const KIND: u8 = 78;
    type Key = crate::id::ReportId;

    fn due(&self) -> Option<Time> {
        Some(self.at.after(limits::REPORT_MS))
    }
}

/// Where the appeal against a measure stands.
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
    /// Against what.
    #[n(0)]
    pub target: Target,
    /// What was done.
    #[n(1)]
    pub step: Step,
    /// In which community; none is everywhere, by the operator.
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
    /// Where the appeal stands.
    #[n(6)]
    pub appeal: AppealState,
}

impl Entity for Measure {
    const KIND: u8 = 79;
    type Key = crate::id::MeasureId;

    fn due(&self) -> Option<Time> {
        Some(self.at.after(limits::MEASURE_MS))
    }
}

/// That a report of a text was dismissed. Keyed by (whose agent reported, which post).
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

    fn due(&self) -> Option<Time> {
        Some(self.at.after(limits::POST_MS))
    }
}

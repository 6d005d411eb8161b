//! Work: tasks with the A2A life cycle, delegation, and teams with a budget and an agreed split.
//!
//! Holds who owes whom which work and in what state it is. It holds no artifact or note (contents
//! beside the log) and moves no money itself: a deal does that through the ledger.

mod cancel;
mod decide;
mod evolve;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

pub(crate) use cancel::go_on;
pub(crate) use decide::{create_for_deal, decide, depth_below, finish_for_deal, shares_of};
pub(crate) use evolve::evolve;

use crate::entity::Entity;
use crate::id::{AgentId, DealId, OwnerId, TaskId, TeamId};
use crate::identity::{AgentRef, Principal};
use crate::limits;
use crate::text::{ContentRef, Name};
use crate::time::Time;

/// Where a task stands; the names and meanings are A2A 1.0's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// Given, not begun.
    #[n(0)]
    Submitted,
    /// Being worked on.
    #[n(1)]
    Working,
    /// The worker needs something from the requester.
    #[n(2)]
    InputRequired,
    /// The worker needs the requester to authenticate somewhere.
    #[n(3)]
    AuthRequired,
    /// Done.
    #[n(4)]
    Completed,
    /// Tried and not done.
    #[n(5)]
    Failed,
    /// Called off by the requester.
    #[n(6)]
    Canceled,
    /// Not taken on.
    #[n(7)]
    Rejected,
}

impl TaskState {
    /// The state as people and answers write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Working => "working",
            Self::InputRequired => "input_required",
            Self::AuthRequired => "auth_required",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Rejected => "rejected",
        }
    }

    /// True when nothing can change any more.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Completed | Self::Failed | Self::Canceled | Self::Rejected
        )
    }

    /// True when the worker may move a task from `self` to `next`.
    #[must_use]
    pub fn may_become(self, next: TaskState) -> bool {
        match next {
            Self::Submitted => false,
            Self::Rejected => self == Self::Submitted,
            _ => !self.is_terminal() && (self != next || next == Self::Working),
        }
    }
}

/// A task, as decisions need it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Task {
    /// Who wants it done.
    #[n(0)]
    pub requester: Principal,
    /// Who does it.
    #[n(1)]
    pub worker: AgentId,
    /// The task it is part of.
    #[n(2)]
    pub parent: Option<TaskId>,
    /// How many tasks stand above it.
    #[n(3)]
    pub depth: u8,
    /// The deal that it delivers.
    #[n(4)]
    pub deal: Option<DealId>,
    /// The team it is done for.
    #[n(5)]
    pub team: Option<TeamId>,
    /// Where it stands.
    #[n(6)]
    pub state: TaskState,
    /// How many artifacts it has.
    #[n(7)]
    pub artifacts: u32,
    /// When it last changed.
    #[n(8)]
    pub updated: Time,
}

impl Entity for Task {
    const KIND: u8 = 40;
    type Key = TaskId;

    fn due(&self) -> Option<Time> {
        self.state
            .is_terminal()
            .then(|| self.updated.after(limits::FINISHED_MS))
    }
}

/// A task that was called off, some of whose parts are not yet: the clock goes on with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Unwinding {
    /// Since when.
    #[n(0)]
    pub since: Time,
}

impl Entity for Unwinding {
    const KIND: u8 = 81;
    type Key = TaskId;

    fn due(&self) -> Option<Time> {
        Some(self.since)
    }
}

/// What a member of a team may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TeamRole {
    /// Invite, propose a split, and spend from the budget.
    #[n(0)]
    Lead,
    /// Spend from the budget.
    #[n(1)]
    Spender,
    /// Work.
    #[n(2)]
    Member,
}

/// A member of a team.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Member {
    /// Who.
    #[n(0)]
    pub agent: AgentId,
    /// What it may do.
    #[n(1)]
    pub role: TeamRole,
    /// Whether it has joined; before, it is only invited.
    #[n(2)]
    pub joined: bool,
    /// Whether it has agreed to the proposed split.
    #[n(3)]
    pub agreed: bool,
}

/// A member's share of what a team earns, in millionths.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Whose.
    #[n(0)]
    pub agent: AgentId,
    /// How much, in millionths of the proceeds.
    #[n(1)]
    pub ppm: u32,
}

/// The shares of a whole team: one million.
pub const WHOLE_PPM: u32 = 1_000_000;

/// A team: a unit of an owner, with members from anywhere, one budget and a split of proceeds.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Team {
    /// The owner whose unit it is.
    #[n(0)]
    pub owner: OwnerId,
    /// Its name within the owner.
    #[n(1)]
    pub name: Name,
    /// Its members, in the order they were invited.
    #[n(2)]
    pub members: Vec<Member>,
    /// The split on the table; binding once every member has agreed to it.
    #[n(3)]
    pub split: Vec<Share>,
}

impl Team {
    /// The split, if there is one and every agent that has joined has agreed. Who is only invited has no
    /// say and no share, and nobody waits for the word of an agent that is closed.
    #[must_use]
    pub fn agreed_split(&self, closed: impl Fn(AgentId) -> bool) -> Option<&[Share]> {
        let silent = |m: &Member| m.joined && !m.agreed && !closed(m.agent);
        let agreed = !self.members.iter().any(silent);
        (agreed && !self.split.is_empty()).then_some(self.split.as_slice())
    }

    /// The membership of an agent that has joined.
    #[must_use]
    pub fn member(&self, agent: AgentId) -> Option<&Member> {
        self.members.iter().find(|m| m.agent == agent && m.joined)
    }
}

impl Entity for Team {
    const KIND: u8 = 41;
    type Key = TeamId;
}

/// Gives work to an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateTask<C> {
    /// Who is to do it.
    pub worker: AgentRef,
    /// What is wanted.
    pub body: C,
    /// The requester's own task of which this is a part.
    #[serde(default)]
    pub parent: Option<TaskId>,
    /// The team it is done for.
    #[serde(default)]
    pub team: Option<TeamId>,
}

/// Says where a task stands. By its worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateTask<C> {
    /// Which.
    pub task: TaskId,
    /// Where it stands now.
    pub state: TaskState,
    /// A word about it.
    #[serde(default = "Option::<C>::default")]
    pub note: Option<C>,
}

/// Adds something made to a task. By its worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AddArtifact<C> {
    /// To which task.
    pub task: TaskId,
    /// What it is called.
    pub name: Name,
    /// What it is.
    pub body: C,
}

/// Calls a task off, and with it the parts that its worker gave out. By its requester.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CancelTask<C> {
    /// Which.
    pub task: TaskId,
    /// Why.
    #[serde(default = "Option::<C>::default")]
    pub reason: Option<C>,
}

/// Creates a team. By an admin of the owner, or by an agent, which becomes its lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateTeam {
    /// Its name within the owner.
    pub name: Name,
    /// Its owner; may be left out by a person or agent, whose owner it then is.
    #[serde(default)]
    pub owner: Option<OwnerId>,
}

/// Invites an agent into a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct InviteMember {
    /// Which team.
    pub team: TeamId,
    /// Whom.
    pub agent: AgentRef,
    /// What it may do.
    pub role: TeamRole,
}

/// Joins a team that invited the agent, or leaves one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct JoinTeam {
    /// Which team.
    pub team: TeamId,
    /// True to join, false to decline or leave.
    pub join: bool,
}

/// Puts a split on the table. Every member has to agree to it anew, also when another joins or leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProposeSplit {
    /// Which team.
    pub team: TeamId,
    /// The shares of all members that have joined, one million together.
    pub shares: Vec<Share>,
}

/// Agrees to the split on the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AgreeSplit {
    /// Which team.
    pub team: TeamId,
    /// The shares agreed to: they must be those on the table.
    pub shares: Vec<Share>,
}

/// What happened to work.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WorkEvent {
    /// A task was given.
    #[n(0)]
    TaskCreated {
        /// Its id.
        #[n(0)]
        task: TaskId,
        /// Who wants it done.
        #[n(1)]
        requester: Principal,
        /// Who does it.
        #[n(2)]
        worker: AgentId,
        /// The task it is part of.
        #[n(3)]
        parent: Option<TaskId>,
        /// How many tasks stand above it.
        #[n(4)]
        depth: u8,
        /// The deal that it delivers.
        #[n(5)]
        deal: Option<DealId>,
        /// The team it is done for.
        #[n(6)]
        team: Option<TeamId>,
        /// What is wanted; a deal's task says so in the deal.
        #[n(7)]
        body: Option<ContentRef>,
    },
    /// A task changed its state.
    #[n(1)]
    TaskUpdated {
        /// Which.
        #[n(0)]
        task: TaskId,
        /// Where it stands now.
        #[n(1)]
        state: TaskState,
        /// A word about it.
        #[n(2)]
        note: Option<ContentRef>,
    },
    /// Something made was added to a task.
    #[n(2)]
    ArtifactAdded {
        /// To which.
        #[n(0)]
        task: TaskId,
        /// Its number within the task, from 1.
        #[n(1)]
        number: u32,
        /// What it is called.
        #[n(2)]
        name: Name,
        /// What it is.
        #[n(3)]
        body: ContentRef,
    },
    /// A team was created.
    #[n(3)]
    TeamCreated {
        /// Its id.
        #[n(0)]
        team: TeamId,
        /// Its owner.
        #[n(1)]
        owner: OwnerId,
        /// Its name.
        #[n(2)]
        name: Name,
        /// The agent that leads it, if an agent created it.
        #[n(3)]
        lead: Option<AgentId>,
    },
    /// An agent was invited into a team.
    #[n(4)]
    MemberInvited {
        /// Which team.
        #[n(0)]
        team: TeamId,
        /// Whom.
        #[n(1)]
        agent: AgentId,
        /// What it may do.
        #[n(2)]
        role: TeamRole,
    },
    /// An agent joined a team.
    #[n(5)]
    MemberJoined {
        /// Which team.
        #[n(0)]
        team: TeamId,
        /// Who.
        #[n(1)]
        agent: AgentId,
    },
    /// An agent left a team or declined its invitation.
    #[n(6)]
    MemberLeft {
        /// Which team.
        #[n(0)]
        team: TeamId,
        /// Who.
        #[n(1)]
        agent: AgentId,
    },
    /// A split was put on the table.
    #[n(7)]
    SplitProposed {
        /// Of which team.
        #[n(0)]
        team: TeamId,
        /// The shares.
        #[n(1)]
        shares: Vec<Share>,
    },
    /// A member agreed to the split on the table.
    #[n(8)]
    SplitAgreed {
        /// Of which team.
        #[n(0)]
        team: TeamId,
        /// Who.
        #[n(1)]
        agent: AgentId,
    },
    /// A task was called off with more parts than are called off at once: the clock goes on.
    #[n(20)]
    PartsLeft {
        /// The task whose parts are left.
        #[n(0)]
        task: TaskId,
    },
}

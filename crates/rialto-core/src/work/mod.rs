//! Work: tasks with the A2A life cycle, delegation, and teams with a budget and an agreed split.
//!
//! Holds who owes whom which work and in what state it is. It holds no artifact or note (contents
//! beside the log) and moves no money itself: a deal does that through the ledger.

mod cancel;
mod decide;
mod evolve;
#[cfg(test)]
mod tests;

use alloc::format;
use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

pub(crate) use decide::{by_its_owner, create_for_deal, depth_below, finish_for_deal, shares_of};
pub(crate) use evolve::evolve;

use crate::command::{always, commands, never};
use crate::entity::{Charge, Due, Entity, Lookup};
use crate::fact::{TextOf, Told, facts};
use crate::id::{AgentId, DealId, OwnerId, TaskId, TeamId};
use crate::identity::{AgentRef, Principal};
use crate::limits;
use crate::names::name_key;
use crate::policy;
use crate::text::{ContentRef, Name};
use crate::time::Time;

/// The state of a task; the names and meanings are A2A 1.0's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// Given, not started.
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
    /// Tried without success.
    #[n(5)]
    Failed,
    /// Cancelled by the requester.
    #[n(6)]
    Canceled,
    /// Refused by the worker.
    #[n(7)]
    Rejected,
}

impl TaskState {
    /// What whoever put a task into this state did.
    fn done(self) -> &'static str {
        match self {
            Self::Submitted => "handed the work in",
            Self::Working => "took up the work",
            Self::InputRequired => "asked a question about the work",
            Self::AuthRequired => "asked for access to do the work",
            Self::Completed => "completed the work",
            Self::Failed => "gave up the work",
            Self::Canceled => "cancelled the work",
            Self::Rejected => "rejected the work",
        }
    }

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
    /// How many tasks are above it.
    #[n(3)]
    pub depth: u8,
    /// The deal that it delivers.
    #[n(4)]
    pub deal: Option<DealId>,
    /// The team it is done for.
    #[n(5)]
    pub team: Option<TeamId>,
    /// Its state.
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
    const DUE: Due<Self> = Due::Leaves(|it| {
        let over = it.state.is_terminal();
        over.then(|| it.updated.after(limits::FINISHED_MS))
    });
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::TASKS,
        what: "open tasks",
        payer: |it, _, state| policy::owner_of_principal(state, it.requester),
    };
    const LOOKUP: Lookup<Self> = Lookup::While(
        |it, key, index| index.parts.extend(it.parent.map(|whole| (whole, key))),
        |it, key, index| {
            if let Some(whole) = it.parent {
                index.parts.remove(&(whole, key));
            }
        },
    );
}

/// A cancelled task with parts that are not cancelled yet: the clock goes on with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Unwinding {
    /// Since when.
    #[n(0)]
    pub since: Time,
}

impl Entity for Unwinding {
    const KIND: u8 = 81;
    type Key = TaskId;
    const DUE: Due<Self> = Due::Acts(|it| Some(it.since), cancel::go_on);
    const CHARGE: Charge<Self> = Charge::Nobody;
    const LOOKUP: Lookup<Self> = Lookup::Key;
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
    /// The agent.
    #[n(0)]
    pub agent: AgentId,
    /// What it may do.
    #[n(1)]
    pub role: TeamRole,
    /// Whether it has joined; until then it is only invited.
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
    /// The agent.
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
    /// The proposed split; binding once every member has agreed to it.
    #[n(3)]
    pub split: Vec<Share>,
}

impl Team {
    /// The split, if there is one and every agent that has joined has agreed. Invited agents have
    /// no vote and no share, and the agreement of a closed agent is not needed.
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
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Nobody;
    const LOOKUP: Lookup<Self> = Lookup::ForEver(|it, key, index| {
        let name = name_key(it.name.as_str());
        index.team_names.insert((it.owner, name), key);
    });
}

/// Gives work to an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateTask<C> {
    /// The worker.
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

/// Changes a task's state. For its worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateTask<C> {
    /// The task.
    pub task: TaskId,
    /// Its new state.
    pub state: TaskState,
    /// A note about it.
    #[serde(default = "Option::<C>::default")]
    pub note: Option<C>,
}

/// Adds an artifact to a task. For its worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AddArtifact<C> {
    /// The task.
    pub task: TaskId,
    /// What it is called.
    pub name: Name,
    /// What it is.
    pub body: C,
}

/// Cancels a task with the parts that its worker delegated. For its requester.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CancelTask<C> {
    /// The task.
    pub task: TaskId,
    /// Why.
    #[serde(default = "Option::<C>::default")]
    pub reason: Option<C>,
}

/// Creates a team. For an admin of the owner, or an agent, which becomes its lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateTeam {
    /// Its name within the owner.
    pub name: Name,
    /// Its owner; by default the person's or agent's own.
    #[serde(default)]
    pub owner: Option<OwnerId>,
}

/// Invites an agent into a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct InviteMember {
    /// The team.
    pub team: TeamId,
    /// The agent.
    pub agent: AgentRef,
    /// What it may do.
    pub role: TeamRole,
}

/// Joins a team that invited the agent, or leaves one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct JoinTeam {
    /// The team.
    pub team: TeamId,
    /// True to join, false to decline or leave.
    pub join: bool,
}

/// Takes an agent out of a team, or takes its invitation back. For a lead of the team, and to take
/// out another lead, an admin of the team's owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RemoveMember {
    /// The team.
    pub team: TeamId,
    /// The agent.
    pub agent: AgentRef,
}

/// Proposes a split. Every member has to agree to it, and again after a member joins or leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProposeSplit {
    /// The team.
    pub team: TeamId,
    /// The shares of all members that have joined, one million together.
    pub shares: Vec<Share>,
}

/// Agrees to the proposed split.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AgreeSplit {
    /// The team.
    pub team: TeamId,
    /// The shares agreed to: they must be the proposed ones.
    pub shares: Vec<Share>,
}

commands! {
    /// What can be asked about work.
    pub enum WorkCommand<C> needs Work {
        /// Creates a team.
        CreateTeam(CreateTeam) = "team.create" => decide::create_team, reaches_others: never;
        /// Invites an agent into a team.
        InviteMember(InviteMember) = "team.invite" => decide::invite, reaches_others: always;
        /// Joins or leaves a team.
        JoinTeam(JoinTeam) = "team.join" => decide::join, reaches_others: |args: &JoinTeam| args.join;
        /// Takes an agent out of a team.
        RemoveMember(RemoveMember) = "team.remove" => decide::remove, reaches_others: never;
        /// Proposes a split.
        ProposeSplit(ProposeSplit) = "team.propose_split" => decide::propose_split, reaches_others: never;
        /// Agrees to the proposed split.
        AgreeSplit(AgreeSplit) = "team.agree_split" => decide::agree_split, reaches_others: never;
    }
    texts {
        /// Gives work to an agent.
        CreateTask(CreateTask { worker, parent, team } carrying body: one, blank refused)
            = "task.create" => decide::create_task, reaches_others: always;
        /// Changes a task's state.
        UpdateTask(UpdateTask { task, state } carrying note: maybe, blank taken)
            = "task.update" => decide::update_task,
            reaches_others: |args: &UpdateTask<_>| args.note.is_some();
        /// Adds an artifact to a task.
        AddArtifact(AddArtifact { task, name } carrying body: one, blank taken)
            = "task.add_artifact" => decide::add_artifact, reaches_others: never;
        /// Cancels a task.
        CancelTask(CancelTask { task } carrying reason: maybe, blank taken)
            = "task.cancel" => decide::cancel_task,
            reaches_others: |args: &CancelTask<_>| args.reason.is_some();
    }
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
        /// How many tasks are above it.
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
        /// The task.
        #[n(0)]
        task: TaskId,
        /// Its new state.
        #[n(1)]
        state: TaskState,
        /// A note about it.
        #[n(2)]
        note: Option<ContentRef>,
    },
    /// An artifact was added to a task.
    #[n(2)]
    ArtifactAdded {
        /// The task.
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
        /// The team.
        #[n(0)]
        team: TeamId,
        /// The agent.
        #[n(1)]
        agent: AgentId,
        /// What it may do.
        #[n(2)]
        role: TeamRole,
    },
    /// An agent joined a team.
    #[n(5)]
    MemberJoined {
        /// The team.
        #[n(0)]
        team: TeamId,
        /// The agent.
        #[n(1)]
        agent: AgentId,
    },
    /// An agent left a team or declined its invitation.
    #[n(6)]
    MemberLeft {
        /// The team.
        #[n(0)]
        team: TeamId,
        /// The agent.
        #[n(1)]
        agent: AgentId,
    },
    /// A split was proposed.
    #[n(7)]
    SplitProposed {
        /// The team.
        #[n(0)]
        team: TeamId,
        /// The shares.
        #[n(1)]
        shares: Vec<Share>,
    },
    /// A member agreed to the proposed split.
    #[n(8)]
    SplitAgreed {
        /// The team.
        #[n(0)]
        team: TeamId,
        /// The agent.
        #[n(1)]
        agent: AgentId,
    },
    /// An agent was taken out of a team, or its invitation was taken back.
    #[n(30)]
    MemberRemoved {
        /// The team.
        #[n(0)]
        team: TeamId,
        /// The agent.
        #[n(1)]
        agent: AgentId,
    },
    /// A task was cancelled with more parts than are cancelled at once: the clock goes on.
    #[n(20)]
    PartsLeft {
        /// The task whose parts are left.
        #[n(0)]
        task: TaskId,
    },
}

facts! {
    WorkEvent {
        TaskCreated { task, worker, deal, body, .. } = "work.task_created",
            concerns [task], texts [body => TextOf::Nothing], told [Told::new(*task, match deal {
                Some(deal) => format!("gave {worker} the work of {deal}"),
                None => format!("asked {worker} for work"),
            })];
        TaskUpdated { task, state, note } = "work.task_updated",
            concerns [task], texts [note => TextOf::Nothing],
            told [Told::new(*task, state.done())];
        ArtifactAdded { task, number, name, body } = "work.artifact_added",
            concerns [task], texts [body => TextOf::Nothing],
            told [Told::new(*task, format!("made artifact {number}: {name}"))];
        TeamCreated { team, .. } = "work.team_created", concerns [team], texts [], told [];
        MemberInvited { team, .. } = "work.member_invited", concerns [team], texts [], told [];
        MemberJoined { team, .. } = "work.member_joined", concerns [team], texts [], told [];
        MemberLeft { team, agent } = "work.member_left", concerns [team, agent], texts [], told [];
        MemberRemoved { team, agent } = "work.member_removed", concerns [team, agent], texts [], told [];
        SplitProposed { team, .. } = "work.split_proposed", concerns [team], texts [], told [];
        SplitAgreed { team, .. } = "work.split_agreed", concerns [team], texts [], told [];
        PartsLeft { .. } = "work.parts_left", concerns [], texts [], told [];
    }
}

//! Decides commands about tasks and teams.

use alloc::format;
use alloc::vec::Vec;

use super::{
    AddArtifact, AgreeSplit, CancelTask, CreateTask, CreateTeam, InviteMember, JoinTeam,
    ProposeSplit, RemoveMember, Share, Task, TaskState, Team, TeamRole, UpdateTask, WHOLE_PPM,
    WorkEvent,
};
use crate::ctx::{Ctx, room};
use crate::event::Event;
use crate::id::{AgentId, DealId, TaskId, TeamId};
use crate::identity::{Principal, Status};
use crate::limits;
use crate::market;
use crate::policy::{self, Action};
use crate::reject::{Code, Rejection};
use crate::share;
use crate::state::State;
use crate::text::{ContentRef, Name, Sealed};

pub(super) fn emit(ctx: &mut Ctx<'_>, event: WorkEvent) {
    ctx.emit(Event::Work(event));
}

/// The requester: the acting agent, or else a person. A person may only ask agents of its owner.
fn requester(ctx: &Ctx<'_>, worker: AgentId) -> Result<Principal, Rejection> {
    if ctx.named_actor().is_some() {
        return ctx.actor().map(Principal::Agent);
    }
    let Principal::Person(person) = ctx.principal else {
        return Err(Code::NoActor.into());
    };
    let owner = ctx.state.agents.get(&worker).ok_or(Code::NotFound)?.owner;
    ctx.authorise(Action::Approve(owner))?;
    Ok(Principal::Person(person))
}

pub(super) fn create_task(ctx: &mut Ctx<'_>, args: &CreateTask<Sealed>) -> Result<(), Rejection> {
    let worker = ctx.agent(&args.worker)?;
    ctx.active_agent(worker)?;
    let requester = requester(ctx, worker)?;
    if requester == Principal::Agent(worker) {
        return Err(Code::ToSelf.into());
    }
    if let Principal::Agent(from) = requester {
        if policy::blocked(ctx.state, worker, from) {
            return Err(Code::Blocked.into());
        }
        if !crate::mail::admitted(ctx.state, worker, from) {
            return Err(Rejection::new(
                Code::ContactRefused,
                "write to the agent first; it accepts work only from those it admits",
            ));
        }
        crate::mail::may_wait(ctx, worker, from)?;
    }
    ctx.room_for::<Task>(policy::owner_of_principal(ctx.state, requester), 0)?;
    let depth = depth_under(ctx, requester, args.parent)?;
    match (args.team, requester) {
        (Some(team), Principal::Agent(agent)) => {
            team_member(ctx.state, team, agent)?;
        }
        (Some(team), _) => ctx.authorise(Action::ViewTeam(team))?,
        (None, _) => {}
    }
    let task = ctx.new_id(TaskId)?;
    let (parent, team, body) = (args.parent, args.team, Some(ctx.place(args.body)));
    emit(
        ctx,
        WorkEvent::TaskCreated {
            task,
            requester,
            worker,
            parent,
            depth,
            deal: None,
            team,
            body,
        },
    );
    Ok(())
}

/// The depth of a part of `parent`, which must be the requester's own open work.
fn depth_under(
    ctx: &Ctx<'_>,
    requester: Principal,
    parent: Option<TaskId>,
) -> Result<u8, Rejection> {
    let Some(parent) = parent else { return Ok(0) };
    let parent = ctx.state.tasks.get(&parent).ok_or(Code::NotFound)?;
    if Principal::Agent(parent.worker) != requester {
        if parent.requester != requester {
            return Err(Code::NotFound.into());
        }
        return Err(Rejection::new(
            Code::NotWorker,
            "only the worker of the whole task may delegate parts",
        ));
    }
    if parent.state.is_terminal() {
        return Err(Code::TaskFinished.into());
    }
    depth_below(parent)
}

/// The depth of a part of a task.
pub(crate) fn depth_below(task: &Task) -> Result<u8, Rejection> {
    let depth = task.depth.saturating_add(1);
    if depth >= limits::TASK_DEPTH {
        return Err(Rejection::new(
            Code::TooDeep,
            format!("at most {}", limits::TASK_DEPTH),
        ));
    }
    Ok(depth)
}

/// The membership check of a team.
pub(crate) fn team_member(state: &State, team: TeamId, agent: AgentId) -> Result<&Team, Rejection> {
    let entity = state
        .teams
        .get(&team)
        .ok_or_else(|| Rejection::new(Code::NotFound, format!("{team}")))?;
    if entity.member(agent).is_some() {
        return Ok(entity);
    }
    let owner = state.agents.get(&agent).map(|a| a.owner);
    let invited = entity.members.iter().any(|m| m.agent == agent);
    if invited || owner == Some(entity.owner) {
        return Err(Code::NotInTeam.into());
    }
    // The same answer as for a team that does not exist.
    Err(Rejection::new(Code::NotFound, format!("{team}")))
}

/// The split that a seller's team has agreed on.
pub(crate) fn shares_of(
    state: &State,
    team: TeamId,
    seller: AgentId,
) -> Result<Vec<Share>, Rejection> {
    let entity = team_member(state, team, seller)?;
    entity
        .agreed_split(|agent| closed(state, agent))
        .map(<[Share]>::to_vec)
        .ok_or(Code::NoSplit.into())
}

/// True for an agent that is closed for good: a team does not wait for its agreement.
fn closed(state: &State, agent: AgentId) -> bool {
    let entity = state.agents.get(&agent);
    entity.is_some_and(|a| a.status == Status::Closed)
}

/// Creates the task that a deal delivers.
pub(crate) fn create_for_deal(
    ctx: &mut Ctx<'_>,
    deal: DealId,
    (buyer, seller): (AgentId, AgentId),
    parent: Option<TaskId>,
    team: Option<TeamId>,
) -> Result<TaskId, Rejection> {
    ctx.room_for::<Task>(share::owner(ctx.state, buyer), 0)?;
    // The whole may have ended meanwhile; the deal stands for itself then.
    let parent = parent.filter(|p| {
        ctx.state
            .tasks
            .get(p)
            .is_some_and(|t| !t.state.is_terminal())
    });
    let above = parent.and_then(|p| ctx.state.tasks.get(&p));
    let depth = above.map_or(Ok(0), depth_below)?;
    let task = ctx.new_id(TaskId)?;
    emit(
        ctx,
        WorkEvent::TaskCreated {
            task,
            requester: Principal::Agent(buyer),
            worker: seller,
            parent,
            depth,
            deal: Some(deal),
            team,
            body: None,
        },
    );
    Ok(task)
}

/// Ends the task of a deal, with what was delivered if it was.
pub(crate) fn finish_for_deal(
    ctx: &mut Ctx<'_>,
    task: TaskId,
    state: TaskState,
    delivered: Option<ContentRef>,
) -> Result<(), Rejection> {
    let Some(entity) = ctx.state.tasks.get(&task) else {
        return Ok(());
    };
    if entity.state.is_terminal() {
        return Ok(());
    }
    if let Some(body) = delivered {
        let name = Name::new("delivery").map_err(|_| Code::Defect)?;
        emit(
            ctx,
            WorkEvent::ArtifactAdded {
                task,
                number: entity.artifacts + 1,
                name,
                body,
            },
        );
    }
    emit(
        ctx,
        WorkEvent::TaskUpdated {
            task,
            state,
            note: None,
        },
    );
    Ok(())
}

/// An open task of which the acting agent is the worker.
fn own_task<'a>(ctx: &Ctx<'a>, id: TaskId) -> Result<&'a Task, Rejection> {
    let agent = ctx.ending_actor()?;
    let task = ctx.state.tasks.get(&id).ok_or(Code::NotFound)?;
    if task.worker != agent {
        let party = task.requester == Principal::Agent(agent);
        return Err(if party {
            Code::NotWorker
        } else {
            Code::NotFound
        }
        .into());
    }
    if task.state.is_terminal() {
        return Err(Code::TaskFinished.into());
    }
    Ok(task)
}

/// Refuses what the worker of a task has to say where its requester has blocked it. A deal's task is owed
/// in any case.
fn may_tell(ctx: &Ctx<'_>, task: &Task) -> Result<(), Rejection> {
    match task.requester {
        Principal::Agent(requester) if task.deal.is_none() => {
            policy::unblocked(ctx.state, requester, task.worker)
        }
        _ => Ok(()),
    }
}

pub(super) fn update_task(ctx: &mut Ctx<'_>, args: &UpdateTask<Sealed>) -> Result<(), Rejection> {
    let task = own_task(ctx, args.task)?;
    if task.deal.is_some() && args.state.is_terminal() {
        return Err(Code::DealTask.into());
    }
    if args.state == TaskState::Canceled {
        return Err(Code::NotRequester.into());
    }
    if !task.state.may_become(args.state) {
        return Err(Rejection::new(
            Code::BadTransition,
            format!("{} to {}", task.state.word(), args.state.word()),
        ));
    }
    // A worker may always end its task, but without a word to whoever has blocked it.
    if !args.state.is_terminal() {
        policy::throttle(ctx, policy::Rate::Messages(task.worker))?;
    }
    if args.note.is_some() || !args.state.is_terminal() {
        may_tell(ctx, task)?;
    }
    let note = args.note.map(|n| ctx.place(n));
    emit(
        ctx,
        WorkEvent::TaskUpdated {
            task: args.task,
            state: args.state,
            note,
        },
    );
    Ok(())
}

pub(super) fn add_artifact(ctx: &mut Ctx<'_>, args: &AddArtifact<Sealed>) -> Result<(), Rejection> {
    let task = own_task(ctx, args.task)?;
    may_tell(ctx, task)?;
    policy::throttle(ctx, policy::Rate::Messages(task.worker))?;
    if task.artifacts >= limits::ARTIFACTS_PER_TASK {
        return Err(Rejection::new(
            Code::TooMany,
            format!("at most {} artifacts", limits::ARTIFACTS_PER_TASK),
        ));
    }
    let number = task.artifacts + 1;
    let body = ctx.place(args.body);
    emit(
        ctx,
        WorkEvent::ArtifactAdded {
            task: args.task,
            number,
            name: args.name.clone(),
            body,
        },
    );
    Ok(())
}

pub(super) fn cancel_task(ctx: &mut Ctx<'_>, args: &CancelTask<Sealed>) -> Result<(), Rejection> {
    let task = ctx.state.tasks.get(&args.task).ok_or(Code::NotFound)?;
    let allowed = match task.requester {
        Principal::Agent(agent) => ctx.named_actor() == Some(agent) && ctx.ending_actor().is_ok(),
        requester => {
            // Whoever may ask the owner's agents for work calls off what another of its people asked for.
            let owner = policy::owner_of_principal(ctx.state, requester);
            requester == ctx.principal
                || owner.is_some_and(|o| ctx.authorise(Action::Approve(o)).is_ok())
        }
    };
    if !allowed {
        let worker = ctx.named_actor() == Some(task.worker);
        return Err(if worker {
            Code::NotRequester
        } else {
            Code::NotFound
        }
        .into());
    }
    if task.state.is_terminal() {
        return Err(Code::TaskFinished.into());
    }
    if task.deal.is_some() {
        return Err(Code::DealTask.into());
    }
    if let (Principal::Agent(requester), true) = (task.requester, args.reason.is_some()) {
        policy::unblocked(ctx.state, task.worker, requester)?;
    }
    let note = args.reason.map(|r| ctx.place(r));
    super::cancel::call_off(ctx, args.task, note);
    Ok(())
}

pub(super) fn create_team(ctx: &mut Ctx<'_>, args: &CreateTeam) -> Result<(), Rejection> {
    let lead = ctx.named_actor();
    let own = lead.and_then(|a| ctx.state.agents.get(&a)).map(|a| a.owner);
    let own = own.or_else(|| policy::owner_of_principal(ctx.state, ctx.principal));
    let owner = args
        .owner
        .or(own)
        .ok_or(Rejection::new(Code::Malformed, "name the owner"))?;
    match lead {
        Some(_) if own == Some(owner) => {
            ctx.actor()?;
        }
        Some(_) => return Err(Code::NotInOwner.into()),
        None => ctx.authorise(Action::ManageOwner(owner))?,
    }
    let entity = ctx.state.owners.get(&owner).ok_or(Code::NotFound)?;
    room(
        "teams in an owner",
        entity.teams as usize,
        limits::TEAMS_PER_OWNER as usize,
    )?;
    if ctx.state.team_named(owner, &args.name).is_some() {
        return Err(Rejection::new(
            Code::NameTaken,
            format!("team {}", args.name),
        ));
    }
    let team = ctx.new_id(TeamId)?;
    emit(
        ctx,
        WorkEvent::TeamCreated {
            team,
            owner,
            name: args.name.clone(),
            lead,
        },
    );
    Ok(())
}

pub(super) fn invite(ctx: &mut Ctx<'_>, args: &InviteMember) -> Result<(), Rejection> {
    ctx.authorise(Action::LeadTeam(args.team))?;
    let team = ctx.state.teams.get(&args.team).ok_or(Code::NotFound)?;
    let agent = ctx.agent(&args.agent)?;
    if policy::owner_blocked(ctx.state, agent, team.owner)
        || ctx
            .named_actor()
            .is_some_and(|by| policy::blocked(ctx.state, agent, by))
    {
        return Err(Code::Blocked.into());
    }
    if team.members.iter().any(|m| m.agent == agent) {
        return Err(Code::AlreadyMember.into());
    }
    if args.role == TeamRole::Lead {
        by_its_owner(ctx, team)?;
    }
    market::rules_on_nothing_of(ctx.state, args.team, agent)?;
    let kept = match by_its_owner(ctx, team) {
        Ok(()) => 0,
        Err(_) => limits::TEAM_PLACES_OF_OWNER,
    };
    room(
        "members in a team",
        team.members.len(),
        limits::TEAM_MEMBERS - kept,
    )?;
    emit(
        ctx,
        WorkEvent::MemberInvited {
            team: args.team,
            agent,
            role: args.role,
        },
    );
    Ok(())
}

pub(super) fn join(ctx: &mut Ctx<'_>, args: &JoinTeam) -> Result<(), Rejection> {
    let agent = match args.join {
        true => ctx.actor()?,
        false => ctx.ending_actor()?,
    };
    let team = ctx.state.teams.get(&args.team).ok_or(Code::NotFound)?;
    let member = team
        .members
        .iter()
        .find(|m| m.agent == agent)
        .ok_or(Code::NotFound)?;
    match (args.join, member.joined) {
        (true, true) => Err(Code::AlreadyMember.into()),
        (true, false) => {
            emit(
                ctx,
                WorkEvent::MemberJoined {
                    team: args.team,
                    agent,
                },
            );
            Ok(())
        }
        (false, _) => {
            emit(
                ctx,
                WorkEvent::MemberLeft {
                    team: args.team,
                    agent,
                },
            );
            Ok(())
        }
    }
}

pub(super) fn remove(ctx: &mut Ctx<'_>, args: &RemoveMember) -> Result<(), Rejection> {
    ctx.authorise(Action::LeadTeam(args.team))?;
    let team = ctx.state.teams.get(&args.team).ok_or(Code::NotFound)?;
    let agent = ctx.agent(&args.agent)?;
    let member = team.members.iter().find(|m| m.agent == agent);
    let member = member.ok_or(Code::NotInTeam)?;
    let own = |agent| share::owner(ctx.state, agent) == Some(team.owner);
    if own(agent) && member.joined && ctx.named_actor() != Some(agent) {
        by_its_owner(ctx, team)?;
    }
    // Leads are equal, so one leaves by itself or by the word of the team's owner.
    if member.role == TeamRole::Lead && member.joined && ctx.named_actor() != Some(agent) {
        policy::authorise(ctx.state, ctx.principal, Action::ManageOwner(team.owner))?;
    }
    let team = args.team;
    emit(ctx, WorkEvent::MemberRemoved { team, agent });
    Ok(())
}

/// Refuses leads of other owners what only the team's owner decides: who leads, and whether its own
/// agents stay.
pub(crate) fn by_its_owner(ctx: &Ctx<'_>, team: &Team) -> Result<(), Rejection> {
    let lead = ctx.named_actor().and_then(|by| share::owner(ctx.state, by));
    if lead == Some(team.owner) {
        return Ok(());
    }
    policy::authorise(ctx.state, ctx.principal, Action::ManageOwner(team.owner))
}

pub(super) fn propose_split(ctx: &mut Ctx<'_>, args: &ProposeSplit) -> Result<(), Rejection> {
    ctx.authorise(Action::LeadTeam(args.team))?;
    let team = ctx.state.teams.get(&args.team).ok_or(Code::NotFound)?;
    let whole: u64 = args.shares.iter().map(|s| u64::from(s.ppm)).sum();
    let state = ctx.state;
    let joined = || (team.members.iter()).filter(|m| m.joined && !closed(state, m.agent));
    let each_once = args.shares.len() == joined().count()
        && joined().all(|m| args.shares.iter().any(|s| s.agent == m.agent));
    if !each_once || whole != u64::from(WHOLE_PPM) {
        return Err(Code::BadSplit.into());
    }
    emit(
        ctx,
        WorkEvent::SplitProposed {
            team: args.team,
            shares: args.shares.clone(),
        },
    );
    Ok(())
}

pub(super) fn agree_split(ctx: &mut Ctx<'_>, args: &AgreeSplit) -> Result<(), Rejection> {
    let agent = ctx.actor()?;
    let team = team_member(ctx.state, args.team, agent)?;
    if team.split != args.shares || team.split.is_empty() {
        return Err(Rejection::new(
            Code::BadSplit,
            "these are not the proposed shares",
        ));
    }
    emit(
        ctx,
        WorkEvent::SplitAgreed {
            team: args.team,
            agent,
        },
    );
    Ok(())
}

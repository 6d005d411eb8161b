//! Applies events about tasks and teams.

use super::{Member, Task, TaskState, Team, TeamRole, Unwinding, WorkEvent};
use crate::id::{AgentId, TaskId, TeamId};
use crate::identity::Principal;
use crate::mail::{self, Item};
use crate::policy;
use crate::realm::rules;
use crate::state::State;

pub(crate) fn evolve(state: &mut State, event: &WorkEvent) {
    match event {
        WorkEvent::TaskCreated {
            task,
            requester,
            worker,
            parent,
            depth,
            deal,
            team,
            ..
        } => {
            let entity = Task {
                requester: *requester,
                worker: *worker,
                parent: *parent,
                depth: *depth,
                deal: *deal,
                team: *team,
                state: TaskState::Submitted,
                artifacts: 0,
                updated: state.now(),
            };
            state.bring(*task, entity);
            // A deal's task is announced by the deal.
            if deal.is_none() {
                mail::deliver(state, *worker, Item::Task(*task));
            }
        }
        WorkEvent::TaskUpdated {
            task, state: next, ..
        } => {
            if !next.is_terminal() {
                count_telling(state, *task);
            }
            update(state, *task, *next);
        }
        WorkEvent::ArtifactAdded { task, number, .. } => {
            count_telling(state, *task);
            state
                .tasks
                .modify(task, &mut state.changes, |t| t.artifacts = *number);
        }
        WorkEvent::PartsLeft { task } => {
            let since = state.now();
            state.bring(*task, Unwinding { since });
        }
        WorkEvent::TeamCreated {
            team,
            owner,
            name,
            lead,
        } => {
            let leads = |agent: &_| Member {
                agent: *agent,
                role: TeamRole::Lead,
                joined: true,
                agreed: false,
            };
            let members = lead.iter().map(leads).collect();
            let entity = Team {
                owner: *owner,
                name: name.clone(),
                members,
                split: alloc::vec::Vec::new(),
            };
            state.bring(*team, entity);
            state
                .owners
                .modify(owner, &mut state.changes, |o| o.teams += 1);
        }
        WorkEvent::MemberInvited { team, agent, role } => {
            let member = Member {
                agent: *agent,
                role: *role,
                joined: false,
                agreed: false,
            };
            state.teams.modify(team, &mut state.changes, |t| {
                t.members.push(member);
            });
            mail::tell(state, *agent, Item::Team(*team));
        }
        WorkEvent::MemberJoined { team, agent } => {
            state.teams.modify(team, &mut state.changes, |t| {
                for member in t.members.iter_mut().filter(|m| m.agent == *agent) {
                    member.joined = true;
                }
                t.split.clear();
            });
        }
        WorkEvent::MemberLeft { team, agent } => member_gone(state, *team, *agent),
        WorkEvent::MemberRemoved { team, agent } => {
            member_gone(state, *team, *agent);
            mail::tell(state, *agent, Item::Team(*team));
        }
        WorkEvent::SplitProposed { team, shares } => {
            state.teams.modify(team, &mut state.changes, |t| {
                t.split.clone_from(shares);
                t.members.iter_mut().for_each(|m| m.agreed = false);
            });
            for share in shares {
                mail::tell(state, share.agent, Item::Team(*team));
            }
        }
        WorkEvent::SplitAgreed { team, agent } => {
            state.teams.modify(team, &mut state.changes, |t| {
                for member in t.members.iter_mut().filter(|m| m.agent == *agent) {
                    member.agreed = true;
                }
            });
        }
    }
}

fn member_gone(state: &mut State, team: TeamId, agent: AgentId) {
    state.teams.modify(&team, &mut state.changes, |t| {
        if t.member(agent).is_some() {
            t.split.clear();
        }
        t.members.retain(|m| m.agent != agent);
    });
}

/// Counts what the worker of a task told as a message of it.
fn count_telling(state: &mut State, task: TaskId) {
    if state.edition() < rules::WORK_AND_EDITS_COUNT {
        return;
    }
    if let Some(worker) = state.tasks.get(&task).map(|t| t.worker) {
        policy::count_rate(state, policy::Rate::Messages(worker));
    }
}

fn update(state: &mut State, task: TaskId, next: TaskState) {
    let now = state.now();
    let mut told = None;
    state.tasks.modify(&task, &mut state.changes, |t| {
        (t.state, t.updated) = (next, now);
        told = match (next, t.requester) {
            // The end of a deal's task is announced by the deal.
            _ if t.deal.is_some() && next.is_terminal() => None,
            (TaskState::Canceled, _) => Some(t.worker),
            (_, Principal::Agent(requester)) => Some(requester),
            _ => None,
        };
    });
    if let Some(agent) = told {
        mail::deliver(state, agent, Item::Task(task));
    }
}

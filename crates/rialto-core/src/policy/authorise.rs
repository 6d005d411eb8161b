//! Judges (principal, action, resource) by the principal's role; relations (the parties of a deal,
//! the worker of a task) are judged by the deciders that know them.

use alloc::format;
use alloc::string::String;

use crate::id::{AccountId, AgentId, CommunityId, OwnerId, TeamId};
use crate::identity::{Auth, Grant, Principal, Role, Status};
use crate::ledger::Holder;
use crate::reject::{Code, Rejection};
use crate::state::State;
use crate::time::Time;
use crate::work::{Team, TeamRole};

/// Judges whether a principal may read or write anything at all: its token is live, and nobody has
/// stopped it, its owner, or all agents of its owner. Every door asks this first.
///
/// # Errors
/// [`Code::TokenRevoked`], [`Code::Suspended`] or [`Code::AgentClosed`]; the detail says who is
/// stopped, and that is all that who is stopped still learns.
pub fn stands(state: &State, principal: Principal, auth: Auth, now: Time) -> Result<(), Rejection> {
    if let Auth::Token(token) = auth {
        let live = state
            .tokens
            .get(&token)
            .filter(|t| t.principal == principal && t.expires.is_none_or(|at| now < at));
        live.ok_or(Code::TokenRevoked)?;
    }
    acts(state, principal)
}

/// Judges whether the stop switches over a principal let it act.
///
/// # Errors
/// As [`stands`].
pub(crate) fn acts(state: &State, principal: Principal) -> Result<(), Rejection> {
    let stopped = |who: String| Err(Rejection::new(Code::Suspended, who));
    let owner = match principal {
        Principal::Realm | Principal::Operator | Principal::Public => return Ok(()),
        Principal::Service(id) => {
            let service = state.services.get(&id).ok_or(Code::TokenRevoked)?;
            return match service.status {
                Status::Active => Ok(()),
                _ => stopped(format!("service {}", service.name)),
            };
        }
        Principal::Person(id) => {
            let person = state.persons.get(&id).ok_or(Code::TokenRevoked)?;
            if person.status != Status::Active {
                return stopped(format!("person {}", person.name));
            }
            person.owner
        }
        Principal::Agent(id) => {
            let agent = state.agents.get(&id).ok_or(Code::TokenRevoked)?;
            match agent.status {
                Status::Active => agent.owner,
                Status::Suspended => return stopped(format!("{}", agent.handle)),
                Status::Closed => {
                    let handle = format!("{}", agent.handle);
                    return Err(Rejection::new(Code::AgentClosed, handle));
                }
            }
        }
    };
    let owner = state.owners.get(&owner).ok_or(Code::TokenRevoked)?;
    if owner.status != Status::Active {
        return stopped(format!("owner {}", owner.name.as_str()));
    }
    if owner.stopped.is_some() && matches!(principal, Principal::Agent(_)) {
        return stopped(format!("all agents of owner {}", owner.name.as_str()));
    }
    Ok(())
}

/// What a principal wants to do, to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Run the realm: settings, assets, issues, services, erasure, the log.
    ManageRealm,
    /// Report payments from and to outside.
    HandlePayments,
    /// Report what calls of models have used.
    MeterModels,
    /// Run an owner: its people, agents, teams and allowances.
    ManageOwner(OwnerId),
    /// Pull or release the stop switch of an owner's people and agents.
    Stop(OwnerId),
    /// See an owner's private data.
    ViewOwner(OwnerId),
    /// Approve or deny what an owner's agents ask for.
    Approve(OwnerId),
    /// Issue and revoke tokens of a principal.
    ManageTokens(Principal),
    /// Act as an agent.
    ActFor(AgentId),
    /// See an agent's private data.
    ViewAgent(AgentId),
    /// Spend from an account.
    Spend(AccountId),
    /// Spend from the accounts of a holder.
    SpendOf(Holder),
    /// See an account.
    ViewAccount(AccountId),
    /// Lead a team: invite, propose a split.
    LeadTeam(TeamId),
    /// See a team.
    ViewTeam(TeamId),
    /// Moderate a community; none is the whole square.
    Moderate(Option<CommunityId>),
}

/// Judges whether `principal` may do `action`.
///
/// # Errors
/// [`Code::Forbidden`] for acts, [`Code::NotFound`] for reads, so that no answer tells whether
/// another owner's private thing exists.
pub fn authorise(state: &State, principal: Principal, action: Action) -> Result<(), Rejection> {
    let allowed = match action {
        Action::ManageRealm => principal == Principal::Operator,
        Action::HandlePayments => is_granted(state, principal, Grant::Payments),
        Action::MeterModels => is_granted(state, principal, Grant::Metering),
        Action::ManageOwner(owner) => {
            principal == Principal::Operator || has_role(state, principal, owner, &[Role::Admin])
        }
        Action::Stop(owner) => {
            principal == Principal::Operator || has_role(state, principal, owner, &[Role::Admin])
        }
        Action::Approve(owner) => has_role(state, principal, owner, &[Role::Admin, Role::Approver]),
        Action::ViewOwner(owner) => views_owner(state, principal, owner),
        Action::ManageTokens(whose) => manages_tokens(state, principal, whose),
        Action::ActFor(agent) => acts_for(state, principal, agent),
        Action::ViewAgent(agent) => {
            principal == Principal::Agent(agent)
                || state
                    .agents
                    .get(&agent)
                    .is_some_and(|a| views_owner(state, principal, a.owner))
        }
        Action::Spend(account) => {
            let account = state.accounts.get(&account);
            account.is_some_and(|a| spends(state, principal, a.holder))
        }
        Action::SpendOf(holder) => spends(state, principal, holder),
        Action::ViewAccount(account) => views_account(state, principal, account),
        Action::LeadTeam(team) => leads(state, principal, team),
        Action::ViewTeam(team) => views_team(state, principal, team),
        Action::Moderate(community) => moderates(state, principal, community),
    };
    if allowed {
        Ok(())
    } else {
        Err(refusal(action))
    }
}

fn refusal(action: Action) -> Rejection {
    let who = match action {
        Action::ViewOwner(_)
        | Action::ViewAgent(_)
        | Action::ViewAccount(_)
        | Action::ViewTeam(_) => {
            return Code::NotFound.into();
        }
        Action::ManageRealm => "only the operator may",
        Action::HandlePayments => "only a payment service may",
        Action::MeterModels => "only a service that meters models may",
        Action::ManageOwner(_) | Action::Stop(_) => {
            "only an admin of the owner, or the operator, may"
        }
        Action::Approve(_) => "only an admin or approver of the owner may",
        Action::ManageTokens(_) => "only an admin of the owner, or the operator, may",
        Action::ActFor(_) => "only the agent itself, or an admin of its owner, may",
        Action::Spend(_) | Action::SpendOf(_) => "only the account's holder may",
        Action::Moderate(Some(_)) => "only a moderator of the community, or the operator, may",
        Action::Moderate(None) => "only the operator may",
        Action::LeadTeam(_) => "only a lead of the team, or an admin of its owner, may",
    };
    Rejection::new(Code::Forbidden, String::from(who))
}

/// The owner whose member or agent the principal is.
#[must_use]
pub fn owner_of_principal(state: &State, principal: Principal) -> Option<OwnerId> {
    match principal {
        Principal::Person(id) => state.persons.get(&id).map(|p| p.owner),
        Principal::Agent(id) => state.agents.get(&id).map(|a| a.owner),
        Principal::Realm | Principal::Operator | Principal::Service(_) | Principal::Public => None,
    }
}

fn has_role(state: &State, principal: Principal, owner: OwnerId, roles: &[Role]) -> bool {
    let Principal::Person(id) = principal else {
        return false;
    };
    state
        .persons
        .get(&id)
        .is_some_and(|p| p.owner == owner && roles.contains(&p.role))
}

fn views_owner(state: &State, principal: Principal, owner: OwnerId) -> bool {
    principal == Principal::Operator
        || has_role(
            state,
            principal,
            owner,
            &[Role::Admin, Role::Approver, Role::Viewer],
        )
}

fn is_granted(state: &State, principal: Principal, grant: Grant) -> bool {
    let Principal::Service(id) = principal else {
        return false;
    };
    let service = state.services.get(&id);
    service.is_some_and(|s| s.grants.contains(&grant))
}

fn manages_tokens(state: &State, principal: Principal, whose: Principal) -> bool {
    match whose {
        Principal::Service(_) => principal == Principal::Operator,
        Principal::Person(_) | Principal::Agent(_) => {
            owner_of_principal(state, whose).is_some_and(|owner| {
                principal == Principal::Operator
                    || principal == whose
                    || has_role(state, principal, owner, &[Role::Admin])
            })
        }
        Principal::Realm | Principal::Operator | Principal::Public => false,
    }
}

fn acts_for(state: &State, principal: Principal, agent: AgentId) -> bool {
    principal == Principal::Agent(agent)
        || state
            .agents
            .get(&agent)
            .is_some_and(|a| has_role(state, principal, a.owner, &[Role::Admin]))
}

fn spends(state: &State, principal: Principal, holder: Holder) -> bool {
    match holder {
        Holder::Issuance | Holder::Outside => false,
        Holder::Owner(owner) => has_role(state, principal, owner, &[Role::Admin]),
        Holder::Agent(agent) => acts_for(state, principal, agent),
        Holder::Team(team) => {
            let Some(entity) = state.teams.get(&team) else {
                return false;
            };
            match principal {
                Principal::Agent(agent) => {
                    role_in(state, entity, agent).is_some_and(|role| role != TeamRole::Member)
                }
                _ => has_role(state, principal, entity.owner, &[Role::Admin]),
            }
        }
    }
}

fn views_account(state: &State, principal: Principal, account: AccountId) -> bool {
    let Some(account) = state.accounts.get(&account) else {
        return false;
    };
    if principal == Principal::Operator {
        return true;
    }
    match account.holder {
        Holder::Issuance | Holder::Outside => is_granted(state, principal, Grant::Payments),
        Holder::Owner(owner) => views_owner(state, principal, owner),
        Holder::Agent(agent) => {
            principal == Principal::Agent(agent)
                || state
                    .agents
                    .get(&agent)
                    .is_some_and(|a| views_owner(state, principal, a.owner))
        }
        Holder::Team(team) => views_purse(state, principal, team),
    }
}

/// What an agent may do in a team. One of another owner may do nothing that a member may not while the
/// team's owner has blocked it, or it is suspended everywhere.
fn role_in(state: &State, team: &Team, agent: AgentId) -> Option<TeamRole> {
    let role = team.member(agent)?.role;
    let owner = state.agents.get(&agent)?.owner;
    let suspended = || {
        let until = state.standing(agent).suspended_until;
        until.is_some_and(|until| state.now() < until)
    };
    match owner != team.owner
        && (super::decide::owner_blocks(state, team.owner, agent) || suspended())
    {
        true => Some(TeamRole::Member),
        false => Some(role),
    }
}

/// Whether a principal may see what a team has: an invited agent sees only the team.
fn views_purse(state: &State, principal: Principal, team: TeamId) -> bool {
    match principal {
        Principal::Agent(agent) => {
            let team = state.teams.get(&team);
            team.is_some_and(|t| t.member(agent).is_some())
        }
        _ => views_team(state, principal, team),
    }
}

fn leads(state: &State, principal: Principal, team: TeamId) -> bool {
    let Some(team) = state.teams.get(&team) else {
        return false;
    };
    match principal {
        Principal::Agent(agent) => role_in(state, team, agent) == Some(TeamRole::Lead),
        _ => {
            principal == Principal::Operator
                || has_role(state, principal, team.owner, &[Role::Admin])
        }
    }
}

fn moderates(state: &State, principal: Principal, community: Option<CommunityId>) -> bool {
    let moderators = community.and_then(|c| state.communities.get(&c));
    match principal {
        Principal::Operator => true,
        Principal::Agent(agent) => moderators.is_some_and(|c| c.moderators.contains(&agent)),
        Principal::Realm | Principal::Person(_) | Principal::Service(_) | Principal::Public => {
            false
        }
    }
}

fn views_team(state: &State, principal: Principal, team: TeamId) -> bool {
    let Some(team) = state.teams.get(&team) else {
        return false;
    };
    match principal {
        Principal::Agent(agent) => team.members.iter().any(|m| m.agent == agent),
        _ => views_owner(state, principal, team.owner),
    }
}

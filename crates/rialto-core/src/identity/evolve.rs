//! Applies events about identities.

use super::{
    Agent, ContactPolicy, IdentityEvent, Invitation, Mentioner, Owner, Person, Principal, Role,
    Service, Stake, Status, Token, invitation,
};
use crate::id::{AgentId, OwnerId, TokenId};
use crate::policy;
use crate::state::State;
use crate::time::Time;

pub(crate) fn evolve(state: &mut State, event: &IdentityEvent) {
    match event {
        IdentityEvent::OwnerCreated { owner, name, kind } => {
            let entity = Owner {
                name: name.clone(),
                kind: *kind,
                status: Status::Active,
                agents: 0,
                teams: 0,
                persons: 0,
                admins: 0,
                blocks: 0,
                created: state.now(),
                stopped: None,
                stopped_by_operator: None,
            };
            state.bring(*owner, entity);
            if state.by() != Principal::Operator {
                policy::count_rate(state, policy::Rate::SignUps);
            }
        }
        IdentityEvent::PersonAdded {
            person,
            owner,
            name,
            role,
        } => {
            let entity = Person {
                owner: *owner,
                name: name.clone(),
                role: *role,
                status: Status::Active,
                tokens: 0,
                stopped_by_operator: None,
            };
            state.bring(*person, entity);
            state
                .owners
                .modify(owner, &mut state.changes, |o| o.persons += 1);
            if *role == Role::Admin {
                count_admins(state, *owner, 1);
            }
        }
        IdentityEvent::RoleSet { person, role } => {
            change_person(state, *person, |p| p.role = *role);
        }
        IdentityEvent::PersonSwitched {
            person,
            status,
            by_operator,
        } => change_person(state, *person, |p| {
            p.status = *status;
            let stop = *status == Status::Suspended;
            p.stopped_by_operator = held(p.stopped_by_operator, stop, *by_operator);
        }),
        IdentityEvent::AgentRegistered {
            agent,
            owner,
            team,
            handle,
            key,
            custody,
            profile,
        } => {
            let entity = Agent {
                owner: *owner,
                team: *team,
                handle: handle.clone(),
                key: *key,
                custody: *custody,
                status: Status::Active,
                contact: profile.contact,
                tokens: 0,
                listings: 0,
                open_requests: 0,
                blocks: 0,
                created: state.now(),
                approvals: 0,
                funded_offers_only: profile.funded_offers_only.filter(|only| *only),
                mentions: profile.mentions.as_deref().map(Mentioner::bits),
                stopped_by_operator: None,
            };
            state.bring(*agent, entity);
            state
                .owners
                .modify(owner, &mut state.changes, |o| o.agents += 1);
        }
        IdentityEvent::ProfileSet { agent, profile } => {
            state.agents.modify(agent, &mut state.changes, |a| {
                a.contact = profile.contact;
                a.funded_offers_only = profile.funded_offers_only.filter(|only| *only);
                a.mentions = profile.mentions.as_deref().map(Mentioner::bits);
            });
        }
        IdentityEvent::AgentMoved { agent, team } => {
            state
                .agents
                .modify(agent, &mut state.changes, |a| a.team = *team);
        }
        IdentityEvent::KeyRotated {
            agent,
            key,
            custody,
        } => {
            let old = state.agents.get(agent).map(|a| a.key);
            state.agents.modify(agent, &mut state.changes, |a| {
                (a.key, a.custody) = (*key, *custody);
            });
            let old = old.filter(|_| is_living(state, *agent));
            if let Some(old) = old {
                state.keys_mut().remove(old);
                state.keys_mut().add(*key);
            }
        }
        IdentityEvent::TokenIssued {
            token,
            principal,
            hash,
            expires,
            scope,
            ..
        } => {
            state.bring(
                *token,
                Token {
                    principal: *principal,
                    hash: *hash,
                    expires: *expires,
                    scope: scope.clone(),
                    spent: None,
                    replaced_by: None,
                },
            );
            count_tokens(state, *principal, |n| n + 1);
        }
        IdentityEvent::TokenEnded { token } => end_token(state, *token),
        IdentityEvent::TokenReplaced {
            token, by, until, ..
        } => replace_token(state, *token, *by, *until),
        IdentityEvent::TokenSpent { token, amount } => {
            state.tokens.modify(token, &mut state.changes, |t| {
                t.spent = t.spent.unwrap_or_default().plus(*amount).or(t.spent);
            });
        }
        IdentityEvent::TokenLeaked { token, principal } => {
            end_token(state, *token);
            if *principal == Principal::Operator {
                state
                    .realm
                    .modify(&(), &mut state.changes, |r| r.operator_token = None);
            }
        }
        // Shown where the handle stands; no later decision needs it.
        IdentityEvent::HandleMarked { .. } => {}
        IdentityEvent::OwnerSwitched { owner, status } => {
            state
                .owners
                .modify(owner, &mut state.changes, |o| o.status = *status);
        }
        IdentityEvent::AgentSwitched {
            agent,
            status,
            by_operator,
        } => state.agents.modify(agent, &mut state.changes, |a| {
            a.status = *status;
            let stop = *status == Status::Suspended;
            a.stopped_by_operator = held(a.stopped_by_operator, stop, *by_operator);
        }),
        IdentityEvent::ServiceCreated {
            service,
            name,
            grants,
        } => {
            let entity = Service {
                name: name.clone(),
                grants: grants.clone(),
                status: Status::Active,
                tokens: 0,
            };
            state.bring(*service, entity);
        }
        IdentityEvent::StakeHeld { agent, hold } => {
            let stake = Stake { hold: *hold };
            state.bring(*agent, stake);
        }
        IdentityEvent::AgentClosed { agent } => {
            let key = state.agents.get(agent).map(|a| a.key);
            if let Some(key) = key.filter(|_| is_living(state, *agent)) {
                state.keys_mut().remove(key);
            }
            state.agents.modify(agent, &mut state.changes, |a| {
                (a.status, a.contact) = (Status::Closed, ContactPolicy::Closed);
            });
            if let Some(owner) = state.agents.get(agent).map(|a| a.owner) {
                state.owners.modify(&owner, &mut state.changes, |o| {
                    o.agents = o.agents.saturating_sub(1);
                });
            }
            state.take::<Stake>(agent);
        }
        IdentityEvent::AgentsStopped {
            owner,
            stop,
            by_operator,
        } => {
            let since = stop.then(|| state.now());
            state.owners.modify(owner, &mut state.changes, |o| {
                o.stopped = since;
                o.stopped_by_operator = held(o.stopped_by_operator, *stop, *by_operator);
            });
        }
        IdentityEvent::Invited {
            invitation,
            code,
            label,
            uses,
            expires,
        } => {
            let entity = Invitation {
                id: *invitation,
                label: label.clone(),
                uses: *uses,
                expires: *expires,
            };
            state.bring(*code, entity);
        }
        IdentityEvent::InvitationUsed { code, .. } => invitation::count_use(state, *code),
        IdentityEvent::InvitationEnded { code, .. } => invitation::forget(state, *code),
        IdentityEvent::ServiceSwitched { service, status } => {
            state
                .services
                .modify(service, &mut state.changes, |s| s.status = *status);
        }
    }
}

/// Whether the operator holds a stop switch now: since it pulled it and until it is released.
fn held(before: Option<bool>, stop: bool, by_operator: Option<bool>) -> Option<bool> {
    before.or(by_operator).filter(|_| stop)
}

fn is_living(state: &State, agent: AgentId) -> bool {
    let entity = state.agents.get(&agent);
    entity.is_some_and(|a| a.status != Status::Closed)
}

/// The new token takes over what the old one has spent, and is whose limit both spend from.
fn replace_token(state: &mut State, old: TokenId, by: TokenId, until: Time) {
    let spent = state.tokens.get(&old).and_then(|t| t.spent);
    state
        .tokens
        .modify(&by, &mut state.changes, |t| t.spent = spent);
    state.tokens.modify(&old, &mut state.changes, |t| {
        (t.replaced_by, t.expires) = (Some(by), Some(until));
    });
}

fn end_token(state: &mut State, token: TokenId) {
    match state.take::<Token>(&token) {
        Some(ended) => count_tokens(state, ended.principal, |n| n.saturating_sub(1)),
        None => state.changes.defect(),
    }
}

/// Changes a person and keeps its owner's count of active admins.
fn change_person(state: &mut State, id: crate::id::PersonId, change: impl FnOnce(&mut Person)) {
    let counts = |p: &Person| i32::from(p.role == Role::Admin && p.status == Status::Active);
    let before = state.persons.get(&id).map(|p| (p.owner, counts(p)));
    state.persons.modify(&id, &mut state.changes, change);
    let after = state.persons.get(&id).map(counts);
    if let (Some((owner, before)), Some(after)) = (before, after) {
        count_admins(state, owner, after - before);
    }
}

fn count_admins(state: &mut State, owner: OwnerId, change: i32) {
    state.owners.modify(&owner, &mut state.changes, |o| {
        o.admins = o.admins.saturating_add_signed(change);
    });
}

fn count_tokens(state: &mut State, principal: Principal, count: impl Fn(u32) -> u32) {
    let changes = &mut state.changes;
    match principal {
        Principal::Person(id) => state
            .persons
            .modify(&id, changes, |p| p.tokens = count(p.tokens)),
        Principal::Agent(id) => state
            .agents
            .modify(&id, changes, |a| a.tokens = count(a.tokens)),
        Principal::Service(id) => state
            .services
            .modify(&id, changes, |s| s.tokens = count(s.tokens)),
        Principal::Realm | Principal::Operator | Principal::Public => {}
    }
}

//! Decides commands about identities.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use super::scope::Asked;
use super::{
    AddPerson, Agent, Auth, CloseAgent, CreateService, Custody, EndLeaked, IdentityEvent,
    IssueToken, MoveAgent, Need, OwnerKind, Principal, Profile, RegisterAgent, RevokeToken, Role,
    RotateKey, RotateToken, SetProfile, SetRole, SignUp, Status, StopAgents, Subject,
    SwitchSubject, Token, TokenScope, allows, invitation, keys,
};
use crate::amount::Amount;
use crate::ctx::{Ctx, positive, room};
use crate::event::Event;
use crate::handles::{self, Likeness};
use crate::hash::Hash;
use crate::id::{AgentId, AnyId, OwnerId, PersonId, ServiceId, TeamId, TokenId};
use crate::ledger::{Holder, Purpose, resolve_asset};
use crate::limits;
use crate::policy::{self, Action, Rate};
use crate::reject::{Code, Rejection};
use crate::social::{self, Gone};
use crate::state::State;
use crate::text::{Handle, Name, Sealed};
use crate::time::{DAY_MS, Time};

fn emit(ctx: &mut Ctx<'_>, event: IdentityEvent) {
    ctx.emit(Event::Identity(event));
}

fn new_token(
    ctx: &mut Ctx<'_>,
    principal: Principal,
    label: Option<Name>,
    (expires, scope): (Option<Time>, Option<Box<TokenScope>>),
) -> Result<TokenId, Rejection> {
    let token = ctx.new_id(TokenId)?;
    let hash = ctx.new_secret(token);
    let by = own_token(ctx, principal);
    emit(
        ctx,
        IdentityEvent::TokenIssued {
            token,
            principal,
            hash,
            label,
            expires,
            scope,
            by,
        },
    );
    Ok(token)
}

/// The token that asks, if it is one of this principal's own.
fn own_token(ctx: &Ctx<'_>, principal: Principal) -> Option<TokenId> {
    ctx.token.filter(|_| ctx.principal == principal)
}

/// Until when a principal's token may live that its own token issues: no longer than that one.
fn within_issuer(ctx: &Ctx<'_>, principal: Principal, expires: Option<Time>) -> Option<Time> {
    let issuer = own_token(ctx, principal).and_then(|token| ctx.state.tokens.get(&token));
    let last = issuer.and_then(|token| token.expires);
    expires.into_iter().chain(last).min()
}

/// Ends a token together with what was issued with it, and what was issued with that.
fn end_with_issued(ctx: &mut Ctx<'_>, token: TokenId) {
    let mut open = Vec::from([token]);
    while let Some(token) = open.pop() {
        let Some(entity) = ctx.state.tokens.get(&token) else {
            continue;
        };
        open.extend(entity.issued.iter().flatten().copied());
        emit(ctx, IdentityEvent::TokenEnded { token });
    }
}

/// The first token of a principal, which may do everything.
fn first_token(ctx: &mut Ctx<'_>, principal: Principal) -> Result<(), Rejection> {
    new_token(ctx, principal, None, (None, None)).map(|_| ())
}

/// Refuses names that look like the realm's own words, an office or an id. Only the operator gives
/// names of offices.
fn plain_name(ctx: &Ctx<'_>, name: &Handle) -> Result<(), Rejection> {
    if handles::is_own_word(name) || name.as_str().parse::<AnyId>().is_ok() {
        return Err(Rejection::new(
            Code::NameTaken,
            format!("{name} is reserved"),
        ));
    }
    if ctx.principal != Principal::Operator && handles::is_office(name) {
        return Err(Rejection::new(Code::OfficeName, format!("{name}")));
    }
    Ok(())
}

/// Anybody may sign up while sign-up is open; the operator and holders of an invitation always may.
pub(super) fn sign_up(ctx: &mut Ctx<'_>, args: &SignUp) -> Result<(), Rejection> {
    let invited = args.invitation.as_ref();
    let invited = invited
        .map(|code| invitation::admitted(ctx, code))
        .transpose()?;
    if ctx.principal != Principal::Operator && invited.is_none() {
        if !ctx.state.settings().sign_up_open {
            return Err(Code::SignUpClosed.into());
        }
        policy::throttle(ctx, Rate::SignUps)?;
    }
    room("owners", ctx.state.owners.len(), limits::OWNERS)?;
    plain_name(ctx, &args.name)?;
    if ctx.state.owner_named(&args.name).is_some() {
        return Err(Rejection::new(
            Code::NameTaken,
            format!("owner {}", args.name),
        ));
    }
    let owner = ctx.new_id(OwnerId)?;
    emit(
        ctx,
        IdentityEvent::OwnerCreated {
            owner,
            name: args.name.clone(),
            kind: args.kind,
        },
    );
    if let Some(code) = invited {
        invitation::used(ctx, code, owner)?;
    }
    let person = ctx.new_id(PersonId)?;
    let name =
        Name::new(args.name.as_str()).map_err(|e| Rejection::new(Code::BadText, format!("{e}")))?;
    emit(
        ctx,
        IdentityEvent::PersonAdded {
            person,
            owner,
            name,
            role: Role::Admin,
        },
    );
    first_token(ctx, Principal::Person(person))
}

pub(super) fn add_person(ctx: &mut Ctx<'_>, args: &AddPerson) -> Result<(), Rejection> {
    ctx.authorise(Action::ManageOwner(args.owner))?;
    let owner = ctx.state.owners.get(&args.owner).ok_or(Code::NotFound)?;
    if owner.kind == OwnerKind::Person && owner.persons > 0 && args.role == Role::Admin {
        return Err(one_admin());
    }
    room(
        "people in an owner",
        owner.persons as usize,
        limits::PERSONS_PER_OWNER as usize,
    )?;
    let person = ctx.new_id(PersonId)?;
    let (owner, name, role) = (args.owner, args.name.clone(), args.role);
    emit(
        ctx,
        IdentityEvent::PersonAdded {
            person,
            owner,
            name,
            role,
        },
    );
    first_token(ctx, Principal::Person(person))
}

fn one_admin() -> Rejection {
    Rejection::new(Code::Forbidden, "an owner that is one person has one admin")
}

pub(super) fn set_role(ctx: &mut Ctx<'_>, args: &SetRole) -> Result<(), Rejection> {
    let person = ctx.state.persons.get(&args.person).ok_or(Code::NotFound)?;
    ctx.authorise_within(person.owner, Action::ManageOwner(person.owner))?;
    let owner = ctx.state.owners.get(&person.owner).ok_or(Code::NotFound)?;
    let promotes = person.role != Role::Admin && args.role == Role::Admin;
    if promotes && owner.kind == OwnerKind::Person {
        return Err(one_admin());
    }
    if person.role == Role::Admin && args.role != Role::Admin && person.status == Status::Active {
        keep_an_admin(ctx, person.owner)?;
    }
    emit(
        ctx,
        IdentityEvent::RoleSet {
            person: args.person,
            role: args.role,
        },
    );
    Ok(())
}

fn keep_an_admin(ctx: &Ctx<'_>, owner: OwnerId) -> Result<(), Rejection> {
    let admins = ctx.state.owners.get(&owner).map_or(0, |o| o.admins);
    if admins <= 1 {
        Err(Code::LastAdmin.into())
    } else {
        Ok(())
    }
}

/// The owner that is named, or else the caller's own.
fn named_or_own(ctx: &Ctx<'_>, named: Option<OwnerId>) -> Result<OwnerId, Rejection> {
    let own = policy::owner_of_principal(ctx.state, ctx.principal);
    named
        .or(own)
        .ok_or(Rejection::new(Code::Malformed, "name the owner"))
}

pub(super) fn register(ctx: &mut Ctx<'_>, args: &RegisterAgent<Sealed>) -> Result<(), Rejection> {
    let owner = named_or_own(ctx, args.owner)?;
    ctx.authorise(Action::ManageOwner(owner))?;
    let entity = ctx.state.owners.get(&owner).ok_or(Code::NotFound)?;
    let most = ctx.state.settings().agents_per_owner;
    if most > 0 && entity.agents >= most {
        return Err(Rejection::new(
            Code::TooManyAgents,
            format!("at most {most}"),
        ));
    }
    ctx.room_for::<super::Agent>(Some(owner), 0)?;
    plain_name(ctx, &args.handle)?;
    if ctx.state.agent_named(&args.handle).is_some() {
        return Err(Rejection::new(Code::NameTaken, format!("{}", args.handle)));
    }
    let resembles = resembled(ctx, &args.handle, owner)?;
    team_of(ctx, owner, args.team)?;
    let (key, custody) = agent_key(ctx, args.key)?;
    let profile = check_profile(ctx, &args.profile)?;
    let agent = ctx.new_id(AgentId)?;
    let (team, handle) = (args.team, args.handle.clone());
    emit(
        ctx,
        IdentityEvent::AgentRegistered {
            agent,
            owner,
            team,
            handle,
            key,
            custody,
            profile,
        },
    );
    if let Some(resembles) = resembles {
        emit(ctx, IdentityEvent::HandleMarked { agent, resembles });
    }
    hold_stake(ctx, owner, agent)?;
    first_token(ctx, Principal::Agent(agent))
}

/// The key for an agent: the one it brought, which must be nobody else's and one that only its
/// holder can sign with, or a fresh one in the realm's custody.
fn agent_key(ctx: &Ctx<'_>, brought: Option<Hash>) -> Result<(Hash, Custody), Rejection> {
    let Some(key) = brought else {
        return ctx.fresh_key();
    };
    if keys::is_weak(&key) {
        return Err(Code::WeakKey.into());
    }
    if ctx.state.is_agent_key(&key) {
        return Err(Code::KeyTaken.into());
    }
    Ok((key, Custody::Own))
}

/// The known agent of another owner whose handle is one edit away from this one.
fn resembled(ctx: &Ctx<'_>, handle: &Handle, owner: OwnerId) -> Result<Option<AgentId>, Rejection> {
    match handles::read_as(ctx.state, handle, owner) {
        None => Ok(None),
        Some((Likeness::Near, other)) => Ok(Some(other)),
        Some((Likeness::Same, other)) => {
            let other = ctx.state.agents.get(&other).ok_or(Code::Defect)?;
            let detail = format!("{handle} reads as {}", other.handle);
            Err(Rejection::new(Code::ReadsAsAnother, detail))
        }
    }
}

/// Two agents settle a deal. If one becomes known by it, handles that read like its own are marked
/// from now on.
pub(crate) fn known_by_deal(ctx: &mut Ctx<'_>, buyer: AgentId, seller: AgentId) {
    let owner = |agent| ctx.state.agents.get(&agent).map(|entity| entity.owner);
    if owner(buyer) == owner(seller) {
        return;
    }
    for known in [buyer, seller] {
        if ctx.state.looks().knows(known) {
            continue;
        }
        let alike = handles::younger(ctx.state, known).into_iter();
        let others = alike.filter(|agent| ![buyer, seller].contains(agent));
        for agent in others.take(limits::HANDLES_MARKED_AT_ONCE) {
            let resembles = known;
            emit(ctx, IdentityEvent::HandleMarked { agent, resembles });
        }
    }
}

/// Holds the stake for an agent beyond the free number. Only those who may spend the owner's money
/// can do that, so the operator cannot.
fn hold_stake(ctx: &mut Ctx<'_>, owner: OwnerId, agent: AgentId) -> Result<(), Rejection> {
    let have = ctx.state.owners.get(&owner).map_or(0, |o| o.agents);
    let Some(rule) = ctx.state.settings().stake else {
        return Ok(());
    };
    if have < rule.free_agents {
        return Ok(());
    }
    ctx.authorise(Action::SpendOf(Holder::Owner(owner)))?;
    let (asset, scale) = resolve_asset(ctx.state, rule.asset.as_ref())?;
    let amount = positive(rule.amount, scale)?;
    let needed = || {
        let detail = format!(
            "{} is held for each agent beyond {}",
            amount.display(scale),
            rule.free_agents
        );
        Rejection::new(Code::StakeNeeded, detail)
    };
    let from = ctx.state.main_account(Holder::Owner(owner), asset);
    let from = from.ok_or_else(needed)?;
    let to = ctx.state.assets.get(&asset).ok_or(Code::NoAsset)?.issuance;
    let hold = ctx
        .hold_transfer(from, to, amount, Purpose::Stake(agent), None)
        .map_err(|why| match why.code {
            Code::Insufficient => needed(),
            _ => why,
        })?;
    emit(ctx, IdentityEvent::StakeHeld { agent, hold });
    Ok(())
}

pub(super) fn close(ctx: &mut Ctx<'_>, args: &CloseAgent) -> Result<(), Rejection> {
    let agent = ctx.agent(&args.agent)?;
    let entity = ctx.state.agents.get(&agent).ok_or(Code::NotFound)?;
    ctx.authorise(Action::ManageOwner(entity.owner))?;
    if entity.status == Status::Closed {
        return Err(closed(&entity.handle));
    }
    // Closing it would give its owner the money that the stop holds still.
    if ctx.principal != Principal::Operator && held_by_operator(ctx.state, entity) {
        return Err(Code::OperatorsStop.into());
    }
    emit(ctx, IdentityEvent::AgentClosed { agent });
    social::vacate(ctx, Gone::Closed(agent));
    if let Some(stake) = ctx.state.stakes.get(&agent).copied() {
        ctx.end_hold(stake.hold, Amount::ZERO)?;
    }
    Ok(())
}

fn closed(handle: &Handle) -> Rejection {
    Rejection::new(Code::AgentClosed, format!("{handle}"))
}

fn team_of(ctx: &Ctx<'_>, owner: OwnerId, team: Option<TeamId>) -> Result<(), Rejection> {
    let Some(id) = team else { return Ok(()) };
    // To another owner the team does not exist.
    let own = ctx.state.teams.get(&id).filter(|t| t.owner == owner);
    own.map(|_| ())
        .ok_or_else(|| Rejection::new(Code::NotFound, format!("{id}")))
}

fn check_profile(
    ctx: &Ctx<'_>,
    profile: &Profile<Sealed>,
) -> Result<Profile<crate::text::ContentRef>, Rejection> {
    for (what, have) in [
        ("skills", profile.skills.len()),
        ("tags", profile.tags.len()),
        ("prices", profile.prices.len()),
        (
            "mentions",
            profile.mentions.as_deref().map_or(0, <[_]>::len),
        ),
    ] {
        ctx.at_most(what, have, limits::PROFILE_ENTRIES)?;
    }
    Ok(profile.clone().map(|sealed| ctx.place(sealed)))
}

pub(super) fn set_profile(ctx: &mut Ctx<'_>, args: &SetProfile<Sealed>) -> Result<(), Rejection> {
    let agent = ctx.agent(&args.agent)?;
    ctx.authorise(Action::ActFor(agent))?;
    // Whoever writes it: the profile is found and read like a post of the agent's.
    social::may_speak(ctx, agent)?;
    let profile = check_profile(ctx, &args.profile)?;
    emit(ctx, IdentityEvent::ProfileSet { agent, profile });
    Ok(())
}

pub(super) fn move_agent(ctx: &mut Ctx<'_>, args: &MoveAgent) -> Result<(), Rejection> {
    let agent = ctx.agent(&args.agent)?;
    let owner = ctx.state.agents.get(&agent).ok_or(Code::NotFound)?.owner;
    ctx.authorise(Action::ManageOwner(owner))?;
    team_of(ctx, owner, args.team)?;
    emit(
        ctx,
        IdentityEvent::AgentMoved {
            agent,
            team: args.team,
        },
    );
    Ok(())
}

pub(super) fn rotate_key(ctx: &mut Ctx<'_>, args: &RotateKey) -> Result<(), Rejection> {
    let agent = ctx.agent(&args.agent)?;
    ctx.authorise(Action::ActFor(agent))?;
    let (key, custody) = agent_key(ctx, args.key)?;
    emit(
        ctx,
        IdentityEvent::KeyRotated {
            agent,
            key,
            custody,
        },
    );
    Ok(())
}

/// A subject as a principal, with how many live tokens it has. Owners act through their people.
fn principal_of(ctx: &Ctx<'_>, subject: &Subject) -> Result<(Principal, u32), Rejection> {
    match subject {
        Subject::Owner(_) => Err(Rejection::new(
            Code::Malformed,
            "tokens are issued to people, agents and services",
        )),
        Subject::Person(id) => {
            let person = ctx.state.persons.get(id).ok_or(Code::NotFound)?;
            Ok((Principal::Person(*id), person.tokens))
        }
        Subject::Agent(name) => {
            let id = ctx.agent(name)?;
            let agent = ctx.state.agents.get(&id).ok_or(Code::NotFound)?;
            Ok((Principal::Agent(id), agent.tokens))
        }
        Subject::Service(id) => {
            let service = ctx.state.services.get(id).ok_or(Code::NotFound)?;
            Ok((Principal::Service(*id), service.tokens))
        }
    }
}

pub(super) fn issue_token(ctx: &mut Ctx<'_>, args: &IssueToken) -> Result<(), Rejection> {
    if let Subject::Service(id) = args.subject {
        ctx.authorise(Action::ManageTokens(Principal::Service(id)))?;
    }
    let (principal, live) = principal_of(ctx, &args.subject)?;
    let manage = Action::ManageTokens(principal);
    match principal {
        Principal::Person(_) => {
            let owner = policy::owner_of_principal(ctx.state, principal).ok_or(Code::NotFound)?;
            ctx.authorise_within(owner, manage)?;
        }
        _ => ctx.authorise(manage)?,
    }
    room_for_token(live)?;
    let scope = TokenScope::asked(
        ctx,
        &Asked {
            may: args.may.as_deref(),
            up_to: args.up_to.as_ref(),
            from: &args.from,
        },
    )?;
    let expires = match args.expires_in_ms {
        Some(ms) => Some(ctx.now.after(ctx.period(
            "expires_in_ms",
            ms,
            3_650 * crate::time::DAY_MS,
        )?)),
        None => None,
    };
    let expires = within_issuer(ctx, principal, expires);
    let scope = scope.map(Box::new);
    new_token(ctx, principal, args.label.clone(), (expires, scope)).map(|_| ())
}

fn room_for_token(live: u32) -> Result<(), Rejection> {
    if live < limits::TOKENS_PER_PRINCIPAL {
        return Ok(());
    }
    let detail = format!("at most {}", limits::TOKENS_PER_PRINCIPAL);
    Err(Rejection::new(Code::TooManyTokens, detail))
}

/// How long a replaced token goes on by default, and at most.
const OVERLAP_MS: u64 = DAY_MS;
const MOST_OVERLAP_MS: u64 = 30 * DAY_MS;

pub(super) fn rotate_token(ctx: &mut Ctx<'_>, args: &RotateToken) -> Result<(), Rejection> {
    let own = ctx.token;
    let old = args.token.or(own).ok_or(Code::NotFound)?;
    let token = ctx.state.tokens.get(&old).ok_or(Code::NotFound)?.clone();
    // A token that may do little may still replace itself, and no other.
    if own != Some(old) {
        if let Some(own) = own {
            allows(ctx.state, Auth::Token(own), Need::Everything)?;
        }
        may_end(ctx, &token)?;
    }
    let principal = token.principal;
    if principal == Principal::Operator {
        return Err(Rejection::new(Code::Forbidden, OPERATORS_TOKEN));
    }
    if token.replaced_by.is_some() {
        let detail = "the token was replaced already: replace the new one";
        return Err(Rejection::new(Code::Replaced, detail));
    }
    room_for_token(tokens_of(ctx.state, principal))?;
    let overlap = args.overlap_ms.unwrap_or(OVERLAP_MS);
    let overlap = ctx.period("overlap_ms", overlap, MOST_OVERLAP_MS)?;
    let until = ctx.now.after(overlap);
    let until = token.expires.map_or(until, |at| at.min(until));
    let label = None;
    let by = new_token(ctx, principal, label, (token.expires, token.scope))?;
    emit(
        ctx,
        IdentityEvent::TokenReplaced {
            token: old,
            principal,
            by,
            until,
        },
    );
    Ok(())
}

/// How many live tokens a principal has.
fn tokens_of(state: &State, principal: Principal) -> u32 {
    let tokens = match principal {
        Principal::Person(id) => state.persons.get(&id).map(|p| p.tokens),
        Principal::Agent(id) => state.agents.get(&id).map(|a| a.tokens),
        Principal::Service(id) => state.services.get(&id).map(|s| s.tokens),
        Principal::Realm | Principal::Operator | Principal::Public => None,
    };
    tokens.unwrap_or(0)
}

const OPERATORS_TOKEN: &str = "the operator's token is replaced by realm.reset_operator_token";

pub(super) fn revoke_token(ctx: &mut Ctx<'_>, args: &RevokeToken) -> Result<(), Rejection> {
    let token = ctx.state.tokens.get(&args.token).ok_or(Code::NotFound)?;
    if token.principal == Principal::Operator && ctx.principal == Principal::Operator {
        return Err(Rejection::new(Code::Forbidden, OPERATORS_TOKEN));
    }
    may_end(ctx, token)?;
    match args.with_issued {
        true => end_with_issued(ctx, args.token),
        false => emit(ctx, IdentityEvent::TokenEnded { token: args.token }),
    }
    Ok(())
}

/// Judges whether the principal may end a token; to others it does not exist.
fn may_end(ctx: &Ctx<'_>, token: &Token) -> Result<(), Rejection> {
    let manage = Action::ManageTokens(token.principal);
    match policy::owner_of_principal(ctx.state, token.principal) {
        Some(owner) => ctx.authorise_within(owner, manage),
        None => ctx.authorise(manage).map_err(|_| Code::NotFound.into()),
    }
}

pub(super) fn end_leaked(ctx: &mut Ctx<'_>, args: &EndLeaked) -> Result<(), Rejection> {
    if ctx.principal != Principal::Realm {
        return Err(Code::Forbidden.into());
    }
    let token = ctx.state.tokens.get(&args.token).ok_or(Code::NotFound)?;
    let (principal, issued) = (token.principal, token.issued.clone());
    let token = args.token;
    emit(ctx, IdentityEvent::TokenLeaked { token, principal });
    // Whoever read it may have issued more with it.
    for token in issued.into_iter().flatten() {
        end_with_issued(ctx, token);
    }
    Ok(())
}

pub(super) fn suspend(ctx: &mut Ctx<'_>, args: &SwitchSubject) -> Result<(), Rejection> {
    switch(ctx, &args.subject, Status::Suspended)
}

pub(super) fn resume(ctx: &mut Ctx<'_>, args: &SwitchSubject) -> Result<(), Rejection> {
    switch(ctx, &args.subject, Status::Active)
}

/// The clock ends a token whose time is over.
pub(super) fn expire_token(ctx: &mut Ctx<'_>, token: TokenId) -> Result<bool, Rejection> {
    emit(ctx, IdentityEvent::TokenEnded { token });
    Ok(false)
}

fn switch(ctx: &mut Ctx<'_>, subject: &Subject, status: Status) -> Result<(), Rejection> {
    match subject {
        Subject::Owner(owner) => {
            ctx.authorise(Action::ManageRealm)?;
            ctx.state.owners.get(owner).ok_or(Code::NotFound)?;
            emit(
                ctx,
                IdentityEvent::OwnerSwitched {
                    owner: *owner,
                    status,
                },
            );
            if status == Status::Suspended {
                social::vacate(ctx, Gone::Owner(*owner));
            }
        }
        Subject::Person(id) => {
            let person = ctx.state.persons.get(id).ok_or(Code::NotFound)?;
            ctx.authorise_within(person.owner, Action::Stop(person.owner))?;
            let ends_admin = person.role == Role::Admin && person.status == Status::Active;
            if ends_admin && status == Status::Suspended && ctx.principal != Principal::Operator {
                keep_an_admin(ctx, person.owner)?;
            }
            let before = Held {
                stopped: person.status == Status::Suspended,
                by_operator: person.stopped_by_operator == Some(true),
                by_both: person.stopped_by_both == Some(true),
            };
            let held = switched(ctx, before, status == Status::Suspended)?;
            emit(
                ctx,
                IdentityEvent::PersonSwitched {
                    person: *id,
                    status: held.status(),
                    by_operator: held.operators(),
                    by_both: held.both(before),
                },
            );
        }
        Subject::Agent(name) => {
            let agent = ctx.agent(name)?;
            let entity = ctx.state.agents.get(&agent).ok_or(Code::NotFound)?;
            ctx.authorise(Action::Stop(entity.owner))?;
            if entity.status == Status::Closed {
                return Err(closed(&entity.handle));
            }
            let before = Held {
                stopped: entity.status == Status::Suspended,
                by_operator: entity.stopped_by_operator == Some(true),
                by_both: entity.stopped_by_both == Some(true),
            };
            let stopped = ctx.state.owners.get(&entity.owner);
            let stopped = stopped.is_some_and(|o| o.stopped_by_operator == Some(true));
            if status == Status::Active && stopped && ctx.principal != Principal::Operator {
                return Err(Code::OperatorsStop.into());
            }
            let held = switched(ctx, before, status == Status::Suspended)?;
            let switched = IdentityEvent::AgentSwitched {
                agent,
                status: held.status(),
                by_operator: held.operators(),
                by_both: held.both(before),
            };
            emit(ctx, switched);
            if status == Status::Suspended {
                social::vacate(ctx, Gone::Agent(agent));
            }
        }
        Subject::Service(service) => {
            ctx.authorise(Action::ManageRealm)?;
            ctx.state.services.get(service).ok_or(Code::NotFound)?;
            emit(
                ctx,
                IdentityEvent::ServiceSwitched {
                    service: *service,
                    status,
                },
            );
        }
    }
    Ok(())
}

/// Who holds a stop switch: the owner's people, the operator, or both.
#[derive(Clone, Copy)]
struct Held {
    stopped: bool,
    by_operator: bool,
    by_both: bool,
}

impl Held {
    fn status(self) -> Status {
        match self.stopped {
            true => Status::Suspended,
            false => Status::Active,
        }
    }

    /// As the log says it: absent, its owner's people hold it.
    fn operators(self) -> Option<bool> {
        (self.stopped && self.by_operator).then_some(true)
    }

    /// Whether both hold it, which is said where it is so or was.
    fn both(self, before: Self) -> Option<bool> {
        (self.by_both || before.by_both).then_some(self.by_both)
    }
}

/// What becomes of a stop switch that is pulled or released: each side releases what it has pulled.
///
/// # Errors
/// [`Code::OperatorsStop`], [`Code::OwnersStop`].
fn switched(ctx: &Ctx<'_>, before: Held, stop: bool) -> Result<Held, Rejection> {
    let operator = ctx.principal == Principal::Operator;
    let own = before.stopped && (!before.by_operator || before.by_both);
    let operators = before.stopped && before.by_operator;
    if !stop && before.stopped {
        match operator {
            true if !operators => return Err(Code::OwnersStop.into()),
            false if !own => return Err(Code::OperatorsStop.into()),
            _ => {}
        }
    }
    let (own, operators) = match operator {
        true => (own, stop),
        false => (stop, operators),
    };
    Ok(Held {
        stopped: own || operators,
        by_operator: operators,
        by_both: own && operators,
    })
}

/// Whether the operator holds an agent, with what it has: it stopped the agent, or all agents of the
/// agent's owner. A closed agent was released from its own stop: only the operator closes a stopped one.
pub(crate) fn held_by_operator(state: &State, agent: &Agent) -> bool {
    let owner = state.owners.get(&agent.owner);
    let own = agent.stopped_by_operator == Some(true) && agent.status != Status::Closed;
    own || owner.is_some_and(|o| o.stopped_by_operator == Some(true))
}

pub(super) fn stop_agents(ctx: &mut Ctx<'_>, args: &StopAgents) -> Result<(), Rejection> {
    let owner = named_or_own(ctx, args.owner)?;
    ctx.authorise(Action::Stop(owner))?;
    let entity = ctx.state.owners.get(&owner).ok_or(Code::NotFound)?;
    let before = Held {
        stopped: entity.stopped.is_some(),
        by_operator: entity.stopped_by_operator == Some(true),
        by_both: entity.stopped_by_both == Some(true),
    };
    let held = switched(ctx, before, args.stop)?;
    emit(
        ctx,
        IdentityEvent::AgentsStopped {
            owner,
            stop: held.stopped,
            by_operator: held.operators(),
            by_both: held.both(before),
        },
    );
    if args.stop {
        social::vacate(ctx, Gone::Owner(owner));
    }
    Ok(())
}

pub(super) fn create_service(ctx: &mut Ctx<'_>, args: &CreateService) -> Result<(), Rejection> {
    ctx.authorise(Action::ManageRealm)?;
    ctx.at_most("grants", args.grants.len(), limits::GRANTS)?;
    let service = ctx.new_id(ServiceId)?;
    emit(
        ctx,
        IdentityEvent::ServiceCreated {
            service,
            name: args.name.clone(),
            grants: args.grants.clone(),
        },
    );
    first_token(ctx, Principal::Service(service))
}

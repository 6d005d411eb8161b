//! The root of the core: one command in, one envelope or one rejection out.
//!
//! Here a request is identified, checked for repetition and handed to its module's decider; flows
//! that cross modules (an acceptance makes a deal, a hold and a task) are composed into one atomic
//! batch. Deciding never changes the state: [`State::apply`](crate::state::State::apply) does.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::amount::Decimal;
use crate::command::Command;
use crate::entity::{Entity, EntityKey};
use crate::event::{Envelope, Event, LoggedKey, RealmEvent, VERSION};
use crate::hash::{Hash, Short};
use crate::id::{self, AgentId, AnyId, ContentId, OwnerId, TokenId};
use crate::identity::{AgentRef, Auth, Custody, Principal};
use crate::ledger::Draft;
use crate::limits;
use crate::policy::{Action, authorise};
use crate::reject::{Code, Rejection};
use crate::rules;
use crate::state::{Remembered, State};
use crate::text::{ContentRef, Sealed};
use crate::time::{MINUTE_MS, Time};
use crate::{identity, ledger, mail, market, policy, social, work};

/// What the outside brings to a decision: time and chance.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// The wall clock's time.
    pub now: Time,
    /// The steady clock's reading, in milliseconds: it goes on evenly whatever happens to the wall
    /// clock, and never back, not over a restart either.
    pub steady_ms: u64,
    /// Fresh secret random bytes. Never logged.
    pub entropy: [u8; 32],
    /// A fresh public key that the realm holds the private half of, for commands that need one.
    pub custody: Option<(Hash, Short)>,
}

/// An idempotency key as a request carries it. It counts for the principal as the agent that it acts
/// as: the same key for another agent is another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestKey {
    /// When the client made the key, in seconds since 1970.
    pub made_at_s: u64,
    /// The hash of principal and key.
    pub key: Short,
    /// The hash of the request.
    pub request: Short,
}

/// Who asks, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who.
    pub principal: Principal,
    /// How that was proved.
    pub auth: Auth,
    /// The agent to act as; an agent's own token needs none.
    pub acting: Option<AgentRef>,
    /// The idempotency key.
    pub key: Option<RequestKey>,
    /// What caused the request.
    pub cause: Option<AnyId>,
}

/// An accepted command.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What to log and apply.
    pub envelope: Envelope,
    /// Secrets of tokens and invitations just issued, to be told once and never kept.
    pub secrets: Vec<(TokenId, String)>,
    /// Entries of an independent batch that were refused, by index.
    pub refused: Vec<(u32, Rejection)>,
}

/// What became of a command that was not refused.
#[derive(Clone, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "accepted is the usual case, and a box would cost each command an allocation"
)]
pub enum Verdict {
    /// It is accepted now.
    Accepted(Decision),
    /// It was accepted before.
    Duplicate {
        /// Where.
        position: u64,
        /// The ids that the answer named.
        ids: Vec<AnyId>,
    },
    /// The clock had nothing to do.
    Nothing,
}

/// After how long without a command the clock logs its time, so that a jump can be told from a lull.
const HEARTBEAT_MS: u64 = 20 * MINUTE_MS;

/// A decision in the making.
pub(crate) struct Ctx<'a> {
    pub(crate) state: &'a State,
    pub(crate) now: Time,
    pub(crate) steady_ms: u64,
    pub(crate) principal: Principal,
    pub(crate) ids: Vec<AnyId>,
    pub(crate) refused: Vec<(u32, Rejection)>,
    pub(crate) draft: Draft,
    /// True while an approved command is carried out.
    pub(crate) approved: bool,
    /// What an earlier command came to, if this one is the same again.
    pub(crate) repeats: Option<AnyId>,
    actor: Option<AgentId>,
    position: u64,
    next_ordinal: u64,
    stamp: &'a Stamp,
    secrets: Vec<(TokenId, String)>,
    events: Vec<Event>,
}

/// A point in a decision to come back to.
pub(crate) struct Mark {
    events: usize,
    next_id: u64,
}

impl<'a> Ctx<'a> {
    pub(crate) fn emit(&mut self, event: Event) {
        self.events.push(event);
    }

    /// A number for a new id.
    pub(crate) fn number(&mut self) -> Result<u64, Rejection> {
        if self.next_ordinal >= id::MAX_ORDINALS {
            return Err(Rejection::new(
                Code::TooMany,
                format!("at most {} new ids in one command", id::MAX_ORDINALS),
            ));
        }
        let number = id::number(self.position, self.next_ordinal);
        self.next_ordinal += 1;
        Ok(number)
    }

    /// A new id that the answer names.
    pub(crate) fn new_id<T: Into<AnyId> + Copy>(
        &mut self,
        make: fn(u64) -> T,
    ) -> Result<T, Rejection> {
        let id = make(self.number()?);
        self.ids.push(id.into());
        Ok(id)
    }

    /// Gives a sealed content its place beside this envelope.
    pub(crate) fn place(&self, sealed: Sealed) -> ContentRef {
        let id = ContentId(id::number(self.position, u64::from(sealed.ordinal)));
        ContentRef {
            id,
            hash: sealed.hash,
            len: sealed.len,
            labels: sealed.labels,
        }
    }

    /// The agent that acts, which must exist, be active, and be one the principal may act for.
    pub(crate) fn actor(&self) -> Result<AgentId, Rejection> {
        let agent = self.actor.ok_or(Code::NoActor)?;
        authorise(self.state, self.principal, Action::ActFor(agent))?;
        self.active_agent(agent)?;
        Ok(agent)
    }

    /// The agent whose open business is brought to an end: the one that acts or, where that is closed or
    /// its stop switch is pulled, the one that an admin of its owner speaks for.
    pub(crate) fn ending_actor(&self) -> Result<AgentId, Rejection> {
        match (self.actor, self.principal) {
            (Some(agent), Principal::Person(_)) => {
                authorise(self.state, self.principal, Action::ActFor(agent)).map(|()| agent)
            }
            _ => self.actor(),
        }
    }

    /// How many events the decision has so far.
    pub(crate) fn emitted(&self) -> usize {
        self.events.len()
    }

    /// The agent that acts, if any was named.
    pub(crate) fn named_actor(&self) -> Option<AgentId> {
        self.actor
    }

    /// Carries out what an agent had asked for and a person has approved.
    pub(crate) fn act_as(&mut self, agent: AgentId) {
        self.actor = Some(agent);
        self.principal = Principal::Agent(agent);
        self.approved = true;
    }

    pub(crate) fn active_agent(&self, id: AgentId) -> Result<&'a identity::Agent, Rejection> {
        let agent = self.state.agents.get(&id).ok_or(Code::NotFound)?;
        policy::acts(self.state, Principal::Agent(id))?;
        Ok(agent)
    }

    pub(crate) fn agent(&self, name: &AgentRef) -> Result<AgentId, Rejection> {
        resolve_agent(self.state, name)
    }

    /// Judges what the principal wants to do. Whoever acts as an active agent has its powers too.
    pub(crate) fn authorise(&self, action: Action) -> Result<(), Rejection> {
        authorise(self.state, self.principal, action).or_else(|why| {
            let agent = self.actor().map_err(|_| why.clone())?;
            authorise(self.state, Principal::Agent(agent), action).map_err(|_| why)
        })
    }

    /// As [`Ctx::authorise`] for a private thing of an owner: to strangers it does not exist.
    pub(crate) fn authorise_within(&self, owner: OwnerId, action: Action) -> Result<(), Rejection> {
        let own = policy::owner_of_principal(self.state, self.principal) == Some(owner);
        self.authorise(action)
            .map_err(|why| if own { why } else { Code::NotFound.into() })
    }

    /// The hash and secret of a new token; the secret goes into the answer only.
    pub(crate) fn new_secret(&mut self, token: TokenId) -> Hash {
        let secret = self.draw(b"rialto token", "rlt_", token);
        let hash = secret_hash(&secret);
        self.secrets.push((token, secret));
        hash
    }

    /// The key of a new invitation's code; the code goes into the answer only.
    pub(crate) fn new_code(&mut self, invitation: TokenId) -> Short {
        let code = self.draw(b"rialto invitation", "inv_", invitation);
        let key = identity::code_key(&code);
        self.secrets.push((invitation, code));
        key
    }

    fn draw(&self, what: &[u8], prefix: &str, id: TokenId) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.stamp.entropy);
        hasher.update(what);
        hasher.update(&id.0.to_le_bytes());
        secret_text(prefix, hasher.finalize().as_bytes())
    }

    /// The key for an agent: the one it brought, or a fresh one in the realm's custody.
    pub(crate) fn agent_key(&self, brought: Option<Hash>) -> Result<(Hash, Custody), Rejection> {
        if let Some(key) = brought {
            return Ok((key, Custody::Own));
        }
        let (key, nonce) = self.stamp.custody.ok_or(Code::Defect)?;
        Ok((key, Custody::Realm(nonce)))
    }

    /// Where the decision stands, to come back to if the next step is refused.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            events: self.events.len(),
            next_id: id::number(self.position, self.next_ordinal),
        }
    }

    /// Forgets the accounts opened since `mark`, for a step that was refused before it drafted an
    /// entry.
    pub(crate) fn back_to(&mut self, mark: &Mark) {
        self.events.truncate(mark.events);
        self.draft.forget_opened(mark.next_id);
    }

    /// Checks a period that a request names.
    pub(crate) fn period(&self, what: &str, ms: u64, most_ms: u64) -> Result<u64, Rejection> {
        if ms == 0 || ms > most_ms {
            return Err(Rejection::new(
                Code::BadPeriod,
                format!("{what} must be between 1 and {most_ms} milliseconds"),
            ));
        }
        Ok(ms)
    }

    /// Checks the number of entries in a list.
    pub(crate) fn at_most(&self, what: &str, have: usize, most: usize) -> Result<(), Rejection> {
        if have > most {
            return Err(Rejection::new(
                Code::TooMany,
                format!("{what}: {have} given, at most {most}"),
            ));
        }
        Ok(())
    }
}

/// The agent that a request names.
///
/// # Errors
/// [`Code::NotFound`] when there is none.
pub fn resolve_agent(state: &State, name: &AgentRef) -> Result<AgentId, Rejection> {
    let found = match name {
        AgentRef::Id(id) => state.agents.contains(id).then_some(*id),
        AgentRef::Handle(handle) => state.agent_named(handle),
    };
    found.ok_or_else(|| Rejection::new(Code::NotFound, format!("agent {name}")))
}

/// Refuses when a table holds as many entries as it may.
pub(crate) fn room(what: &str, have: usize, most: usize) -> Result<(), Rejection> {
    if have >= most {
        return Err(Rejection::new(
            Code::RealmFull,
            format!("at most {most} {what}"),
        ));
    }
    Ok(())
}

/// Refuses an amount that is zero or negative, or that does not fit the asset.
pub(crate) fn positive(decimal: Decimal, scale: u8) -> Result<crate::amount::Amount, Rejection> {
    let amount = decimal
        .amount(scale)
        .map_err(|e| Rejection::new(Code::BadAmount, format!("{e}")))?;
    if !amount.is_positive() {
        return Err(Rejection::new(
            Code::BadAmount,
            "the amount must be above zero",
        ));
    }
    Ok(amount)
}

/// A secret in text form: a prefix (`rlt_` of tokens, `inv_` of invitations) and 32 digits (160 bits).
fn secret_text(prefix: &str, bytes: &[u8; 32]) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut text = String::from(prefix);
    for byte in bytes {
        let digit = ALPHABET
            .get(usize::from(byte & 31))
            .copied()
            .unwrap_or(b'0');
        text.push(char::from(digit));
    }
    text
}

/// The hash under which a token's secret is kept.
#[must_use]
pub fn secret_hash(secret: &str) -> Hash {
    Hash::of(&[b"rialto token secret", secret.as_bytes()])
}

/// Decides one command.
///
/// # Errors
/// A [`Rejection`] when the command is refused; it then leaves no trace.
pub fn decide(
    state: &State,
    request: &Request,
    command: &Command<Sealed>,
    stamp: &Stamp,
) -> Result<Verdict, Rejection> {
    let now = clock(state, request, command, stamp)?;
    identify(state, request, command, now)?;
    let actor = match (&request.acting, request.principal) {
        (Some(name), _) => Some(resolve_agent(state, name)?),
        (None, Principal::Agent(agent)) => Some(agent),
        (None, _) => None,
    };
    if let Some(agent) = actor {
        authorise(state, request.principal, Action::ActFor(agent))?;
    }
    let key = request.key.map(|key| scoped(key, request.principal, actor));
    if let Some(duplicate) = repetition(state, request, key.as_ref(), (now, stamp.now))? {
        return Ok(duplicate);
    }
    if let Command::SendMessage(args) = command
        && let Some(message) = mail::repetition(state, actor, args)?
    {
        let position = id::position_of(message.0);
        return Ok(Verdict::Duplicate {
            position,
            ids: Vec::from([message.into()]),
        });
    }
    let mut ctx = Ctx {
        state,
        now,
        steady_ms: stamp.steady_ms.max(state.steady_ms().unwrap_or(0)),
        principal: request.principal,
        ids: Vec::new(),
        refused: Vec::new(),
        draft: Draft::default(),
        approved: false,
        repeats: None,
        actor,
        position: state.position() + 1,
        next_ordinal: 0,
        stamp,
        secrets: Vec::new(),
        events: Vec::new(),
    };
    dispatch(&mut ctx, command)?;
    if let Some(first) = ctx.repeats {
        let position = id::position_of(first.number());
        let ids = Vec::from([first]);
        return Ok(Verdict::Duplicate { position, ids });
    }
    Ok(seal(ctx, request, (actor, key), command))
}

fn seal(
    mut ctx: Ctx<'_>,
    request: &Request,
    (actor, key): (Option<AgentId>, Option<LoggedKey>),
    command: &Command<Sealed>,
) -> Verdict {
    ctx.flush_entries(None, None);
    let heartbeat = ctx.now.since(ctx.state.now()) >= HEARTBEAT_MS;
    if matches!(command, Command::Tick(_)) && ctx.events.is_empty() && !heartbeat {
        return Verdict::Nothing;
    }
    if !ctx.state.has_lanes() {
        ctx.emit(Event::Mail(mail::MailEvent::LanesOpened));
    }
    if ctx.state.edition() < rules::LATEST {
        let edition = rules::LATEST;
        ctx.emit(Event::Realm(RealmEvent::RulesAdopted { edition }));
    }
    let envelope = Envelope {
        version: VERSION,
        position: ctx.position,
        at: ctx.now,
        principal: request.principal,
        auth: request.auth,
        actor,
        key,
        cause: request.cause,
        events: ctx.events,
        ids: ctx.ids,
        steady_ms: Some(ctx.steady_ms),
    };
    Verdict::Accepted(Decision {
        envelope,
        secrets: ctx.secrets,
        refused: ctx.refused,
    })
}

/// Logical time never runs back, and never jumps ahead without the operator's word.
fn clock(
    state: &State,
    request: &Request,
    command: &Command<Sealed>,
    stamp: &Stamp,
) -> Result<Time, Rejection> {
    let last = state.now();
    let jumped = state.position() > 0 && stamp.now.since(last) > limits::CLOCK_JUMP_MS;
    let accepted =
        matches!(command, Command::AcceptClock(_)) && request.principal == Principal::Operator;
    if jumped && !accepted {
        return Err(Rejection::new(
            Code::ClockJump,
            format!(
                "the realm's clock stands at {last}, the machine's at {}",
                stamp.now
            ),
        ));
    }
    Ok(state.time_at(stamp.now, stamp.steady_ms))
}

/// The token must be live and its principal active: both may have changed while the request waited.
fn identify(
    state: &State,
    request: &Request,
    command: &Command<Sealed>,
    now: Time,
) -> Result<(), Rejection> {
    let founding = matches!(command, Command::Found(_));
    match state.realm.get(&()) {
        None if !founding => {
            return Err(Rejection::new(
                Code::Defect,
                "the realm has not been founded",
            ));
        }
        Some(_) if founding => return Err(Code::RealmExists.into()),
        _ => {}
    }
    policy::stands(state, request.principal, request.auth, now)
}

/// A key as it is remembered: of the principal as the agent that it acts as.
fn scoped(key: RequestKey, principal: Principal, actor: Option<AgentId>) -> LoggedKey {
    let whose = match actor {
        Some(agent) if principal != Principal::Agent(agent) => {
            let parts: [&[u8]; 3] = [b"rialto key as", &key.key.0[..], &agent.0.to_le_bytes()];
            Hash::of(&parts).short()
        }
        _ => key.key,
    };
    LoggedKey {
        key: whose,
        request: key.request,
        made_at_s: Some(key.made_at_s),
    }
}

/// Whether the key was used before, and may be used now.
///
/// A key is young enough if it is so by the realm's clock or by the machine's, which differ while one
/// of them is wrong. That alone would let a forgotten key be used again, so none is taken that is not
/// younger than every forgotten one.
fn repetition(
    state: &State,
    request: &Request,
    key: Option<&LoggedKey>,
    (now, wall): (Time, Time),
) -> Result<Option<Verdict>, Rejection> {
    let (Some(asked), Some(key)) = (request.key, key) else {
        return Ok(None);
    };
    let made = Time(asked.made_at_s.saturating_mul(1_000));
    let timely = |at: Time| {
        at.since(made) <= limits::IDEMPOTENCY_MS && made.since(at) <= limits::IDEMPOTENCY_AHEAD_MS
    };
    let forgotten = state.clock.get(&()).and_then(|c| c.forgotten_s);
    let known = state.remembered.get(&key.key).or_else(|| {
        // Keys that were remembered before they were scoped to the agent.
        let unscoped = state.remembered.get(&asked.key)?;
        (unscoped.made_at_s.is_none() && unscoped.request == key.request).then_some(unscoped)
    });
    let gone = known.is_none() && forgotten.is_some_and(|last| asked.made_at_s <= last);
    if gone || !(timely(now) || timely(wall)) {
        return Err(Rejection::new(
            Code::KeyTooOld,
            format!("the key says {made}, the realm's clock {now}"),
        ));
    }
    match known {
        Some(known) if known.request != key.request => Err(Code::KeyReused.into()),
        Some(known) => Ok(Some(Verdict::Duplicate {
            position: known.position,
            ids: known.ids.clone(),
        })),
        None if keys_full(state, request.principal) => Err(Code::KeysFull.into()),
        None => Ok(None),
    }
}

/// True when no key more is remembered, for the realm or for the owner that asks.
fn keys_full(state: &State, principal: Principal) -> bool {
    let most = limits::IDEMPOTENCY_KEYS;
    let used = |owner| state.share(Remembered::KIND, owner) as usize;
    state.remembered.len() >= most
        || policy::owner_of_principal(state, principal)
            .is_some_and(|o| used(o) >= most / limits::OWNER_PART)
}

fn dispatch(ctx: &mut Ctx<'_>, command: &Command<Sealed>) -> Result<(), Rejection> {
    use Command as C;
    if let Some(agent) = ctx
        .named_actor()
        .filter(|_| social::reaches_others(command))
    {
        social::may_speak(ctx, agent)?;
    }
    match command {
        C::Tick(_) => tick(ctx),
        C::AcceptClock(_)
        | C::SetClockBack(_)
        | C::Found(_)
        | C::ResetOperatorToken(_)
        | C::RotateRealmKey(_) => realm(ctx, command),
        C::SignUp(args) => identity::sign_up(ctx, args),
        C::AddPerson(_)
        | C::SetRole(_)
        | C::MoveAgent(_)
        | C::RotateKey(_)
        | C::IssueToken(_)
        | C::RevokeToken(_)
        | C::EndLeaked(_)
        | C::Suspend(_)
        | C::Resume(_)
        | C::StopAgents(_)
        | C::CloseAgent(_)
        | C::CreateService(_)
        | C::Invite(_)
        | C::EndInvitation(_)
        | C::RegisterAgent(_)
        | C::SetProfile(_) => identity::decide(ctx, command),
        C::ChangeGroup(_)
        | C::AnswerRequest(_)
        | C::Acknowledge(_)
        | C::Erase(_)
        | C::SendMessage(_)
        | C::OpenGroup(_) => mail::decide(ctx, command),
        C::CreateTeam(_)
        | C::InviteMember(_)
        | C::JoinTeam(_)
        | C::ProposeSplit(_)
        | C::AgreeSplit(_)
        | C::CreateTask(_)
        | C::UpdateTask(_)
        | C::AddArtifact(_)
        | C::CancelTask(_) => work::decide(ctx, command),
        C::CreateAsset(_)
        | C::OpenAccount(_)
        | C::Issue(_)
        | C::Deposit(_)
        | C::Withdraw(_)
        | C::EndWithdrawal(_)
        | C::Transfers(_)
        | C::Correct(_) => ledger::decide(ctx, command),
        C::PublishListing(_) | C::UpdateListing(_) | C::WithdrawListing(_) => {
            market::decide_listing(ctx, command)
        }
        C::OpenCall(_) | C::RefuseCall(_) | C::CancelCall(_) | C::Propose(_) => {
            market::decide_call(ctx, command)
        }
        C::OpenNegotiation(_) | C::Counter(_) | C::LeaveNegotiation(_) | C::AcceptOffer(_) => {
            market::decide_bargain(ctx, command)
        }
        C::Deliver(_) | C::AcceptDelivery(_) | C::Refund(_) | C::Dispute(_) | C::Rule(_) => {
            market::decide_deal(ctx, command)
        }
        C::SetSettings(_) | C::SetAllowance(_) | C::SetBlock(_) | C::AnswerApproval(_) => {
            policy::decide(ctx, command)
        }
        C::Follow(_)
        | C::SetMute(_)
        | C::DeletePost(_)
        | C::React(_)
        | C::WritePost(_)
        | C::EditPost(_) => social::decide(ctx, command),
        C::JoinCommunity(_)
        | C::AnswerJoin(_)
        | C::Appoint(_)
        | C::CreateCommunity(_)
        | C::UpdateCommunity(_) => social::decide_community(ctx, command),
        C::FileReport(_)
        | C::DismissReports(_)
        | C::TakeMeasure(_)
        | C::RevokeMeasure(_)
        | C::Appeal(_)
        | C::DecideAppeal(_) => social::decide_moderation(ctx, command),
    }
}

fn realm(ctx: &mut Ctx<'_>, command: &Command<Sealed>) -> Result<(), Rejection> {
    match command {
        Command::Found(args) => {
            ctx.emit(Event::Realm(RealmEvent::Founded {
                name: args.name.clone(),
                key: args.key,
            }));
            return operator_token(ctx);
        }
        _ => ctx.authorise(Action::ManageRealm)?,
    }
    match command {
        Command::AcceptClock(_) => {
            let (from, to) = (ctx.state.now(), ctx.now);
            ctx.emit(Event::Realm(RealmEvent::ClockMoved { from, to }));
        }
        Command::SetClockBack(_) => set_clock_back(ctx)?,
        Command::ResetOperatorToken(_) => operator_token(ctx)?,
        Command::RotateRealmKey(args) => {
            ctx.emit(Event::Realm(RealmEvent::KeyRotated { key: args.key }));
        }
        _ => {}
    }
    Ok(())
}

/// Sets the clock back to the machine's, but never to before the jump that is undone.
fn set_clock_back(ctx: &mut Ctx<'_>) -> Result<(), Rejection> {
    let (from, wall) = (ctx.now, ctx.stamp.now);
    let jump = ctx.state.clock.get(&()).and_then(|c| c.jump);
    let jump = jump.filter(|_| wall < from).ok_or_else(|| {
        let detail = format!("the realm's clock stands at {from}, the machine's at {wall}");
        Rejection::new(Code::NothingToUndo, detail)
    })?;
    let (to, jumped) = (wall.max(jump.from).min(from), jump.position);
    ctx.emit(Event::Realm(RealmEvent::ClockSetBack { from, to, jumped }));
    Ok(())
}

fn operator_token(ctx: &mut Ctx<'_>) -> Result<(), Rejection> {
    let token = ctx.new_id(TokenId)?;
    let hash = ctx.new_secret(token);
    ctx.emit(Event::Realm(RealmEvent::OperatorTokenReset { token, hash }));
    Ok(())
}

/// Does what is due, earliest first, a bounded number at a time.
fn tick(ctx: &mut Ctx<'_>) -> Result<(), Rejection> {
    if ctx.principal != Principal::Realm {
        return Err(Rejection::new(
            Code::Forbidden,
            "only the realm's own clock ticks",
        ));
    }
    let mut failing = BTreeSet::new();
    while let Err(key) = expire_due(ctx, &failing) {
        // What cannot be expired must never stand in the way of the rest: begin again without it.
        failing.insert(key);
        ctx.events.clear();
        ctx.ids.clear();
        ctx.draft = Draft::default();
        ctx.next_ordinal = 0;
    }
    Ok(())
}

/// The most ids that the end of one deal can take: an account and a transfer for each share.
const EXPIRY_ORDINALS: u64 = 4 * limits::TEAM_MEMBERS as u64;

/// Does what is due but for what is known to fail, or names what fails now.
fn expire_due(ctx: &mut Ctx<'_>, failing: &BTreeSet<EntityKey>) -> Result<(), EntityKey> {
    let state = ctx.state;
    let due = state.changes.due_at(ctx.now);
    let mut retired = BTreeSet::new();
    for key in due
        .filter(|k| !failing.contains(k))
        .take(limits::TICK_EXPIRIES)
    {
        if ctx.next_ordinal + EXPIRY_ORDINALS > id::MAX_ORDINALS {
            break;
        }
        if expire(ctx, &key).map_err(|_| key)? {
            retired.insert(key.to_vec());
        }
    }
    if !retired.is_empty() {
        let keys = retired.into_iter().collect();
        ctx.emit(Event::Realm(RealmEvent::Retired { keys }));
    }
    Ok(())
}

/// Does what is due about one entity. True when it simply leaves memory.
fn expire(ctx: &mut Ctx<'_>, key: &EntityKey) -> Result<bool, Rejection> {
    match key.kind() {
        identity::Token::KIND => with(key, |token| {
            ctx.emit(Event::Identity(identity::IdentityEvent::TokenEnded {
                token,
            }));
            Ok(false)
        }),
        identity::Invitation::KIND => with(key, |code| identity::expire_invitation(ctx, code)),
        ledger::Hold::KIND => with(key, |hold| ledger::expire(ctx, hold)),
        mail::Inbox::KIND => with(key, |agent| mail::expire(ctx, agent)),
        mail::Conversation::KIND => with(key, |conversation| {
            mail::close(ctx, conversation);
            Ok(false)
        }),
        mail::Contact::KIND => with(key, |contact| {
            mail::lapse(ctx, contact);
            Ok(false)
        }),
        market::Call::KIND => with(key, |call| market::expire_call(ctx, call)),
        market::Negotiation::KIND => with(key, |negotiation| {
            market::expire_negotiation(ctx, negotiation)
        }),
        market::Deal::KIND => with(key, |deal| market::expire_deal(ctx, deal)),
        work::Unwinding::KIND => with(key, |task| work::go_on(ctx, task)),
        policy::Approval::KIND => with(key, |approval| policy::expire(ctx, approval)),
        social::PostPage::KIND => with(key, |page| social::close_page(ctx, page)),
        social::Report::KIND => with(key, |report| social::expire_report(ctx, report)),
        _ => Ok(true),
    }
}

fn with<K: crate::entity::Key>(
    key: &EntityKey,
    act: impl FnOnce(K) -> Result<bool, Rejection>,
) -> Result<bool, Rejection> {
    match key.typed() {
        Some(typed) => act(typed),
        None => Ok(true),
    }
}

//! The root of the core: one command in, one envelope or one rejection out.
//!
//! Here a request is identified, checked for repetition and handed to its module's decider; flows
//! that cross modules (an acceptance makes a deal, a hold and a task) are composed into one atomic
//! batch. Deciding never changes the state: [`State::apply`](crate::state::State::apply) does.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::command::Command;
use crate::ctx::Ctx;
use crate::entity::Entity;
use crate::event::{Envelope, Event, LoggedKey, VERSION};
use crate::hash::{Hash, Short};
use crate::id::{self, AgentId, AnyId, TokenId};
use crate::identity::{self, AgentRef, Auth, Principal};
use crate::limits;
use crate::mail::{self, MailCommand};
use crate::policy::{self, Action, authorise};
use crate::realm::{RealmCommand, RealmEvent, Remembered, rules};
use crate::reject::{Code, Rejection};
use crate::share;
use crate::social;
use crate::state::State;
use crate::text::Sealed;
use crate::time::{MINUTE_MS, Time};

pub use crate::ctx::{Stamp, resolve_agent, secret_hash};

/// An idempotency key as a request carries it. It belongs to a principal and the agent it acts as:
/// the same key for another agent is another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestKey {
    /// When the client made the key, in seconds since 1970.
    pub made_at_s: u64,
    /// The hash of key and principal, or of key and agent if it is signed.
    pub key: Short,
    /// The hash of the request.
    pub request: Short,
    /// True if it is the acting agent's own, whoever asks for it: what an agent has signed counts once.
    pub signed: bool,
}

/// Who asks, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// The principal.
    pub principal: Principal,
    /// How the principal was authenticated.
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
    /// Secrets of tokens and invitations just issued, to be returned once and never stored.
    pub secrets: Vec<(TokenId, String)>,
    /// Entries of an independent batch that were refused, by index.
    pub refused: Vec<(u32, Rejection)>,
}

/// The result of a command that was not refused.
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

/// After how long without a command the clock logs its time, so that a jump can be distinguished
/// from a pause.
const HEARTBEAT_MS: u64 = 20 * MINUTE_MS;

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
    if let Command::Mail(MailCommand::SendMessage(args)) = command
        && let Some(message) = mail::repetition(state, actor, args)?
    {
        let position = id::position_of(message.0);
        return Ok(Verdict::Duplicate {
            position,
            ids: Vec::from([message.into()]),
        });
    }
    let mut ctx = Ctx::new(state, stamp, now, (request.principal, actor), request.auth);
    if let Some(agent) = actor.filter(|_| command.reaches_others()) {
        social::may_speak(&ctx, agent)?;
    }
    command.decide(&mut ctx)?;
    if matches!(command, Command::Work(_) | Command::Social(_)) {
        mail::judge_reach(&ctx)?;
    }
    policy::judge_creations(&ctx)?;
    if let Some(first) = ctx.repeats {
        let position = id::position_of(first.number());
        let ids = Vec::from([first]);
        return Ok(Verdict::Duplicate { position, ids });
    }
    Ok(seal(ctx, request, (actor, key), command))
}

fn seal(
    ctx: Ctx<'_>,
    request: &Request,
    (actor, key): (Option<AgentId>, Option<LoggedKey>),
    command: &Command<Sealed>,
) -> Verdict {
    let (state, at, steady_ms) = (ctx.state, ctx.now, ctx.steady_ms);
    let mut decided = ctx.decided();
    let heartbeat = at.since(state.now()) >= HEARTBEAT_MS;
    let ticks = matches!(command, Command::Realm(RealmCommand::Tick(_)));
    if ticks && decided.events.is_empty() && !heartbeat {
        return Verdict::Nothing;
    }
    if !state.has_lanes() {
        let opened = Event::Mail(mail::MailEvent::LanesOpened);
        decided.events.push(opened);
    }
    if state.edition() < rules::LATEST {
        let edition = rules::LATEST;
        let adopted = RealmEvent::RulesAdopted { edition };
        decided.events.push(adopted.into());
    }
    let envelope = Envelope {
        version: VERSION,
        position: decided.position,
        at,
        principal: request.principal,
        auth: request.auth,
        actor,
        key,
        cause: request.cause,
        events: decided.events,
        ids: decided.ids,
        steady_ms: Some(steady_ms),
    };
    Verdict::Accepted(Decision {
        envelope,
        secrets: decided.secrets,
        refused: decided.refused,
    })
}

/// Logical time never runs back, and never jumps ahead without the operator's consent. Time that has
/// passed, awake or asleep, is no jump: what is due by then is due.
fn clock(
    state: &State,
    request: &Request,
    command: &Command<Sealed>,
    stamp: &Stamp,
) -> Result<Time, Rejection> {
    let last = state.now();
    let jumped = state.wall_ahead_ms(stamp) > limits::CLOCK_JUMP_MS;
    let accepts = matches!(command, Command::Realm(RealmCommand::AcceptClock(_)));
    let accepted = accepts && request.principal == Principal::Operator;
    if jumped && !accepted {
        return Err(Rejection::new(
            Code::ClockJump,
            format!(
                "the realm's clock shows {last}, the machine's {}",
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
    let founding = matches!(command, Command::Realm(RealmCommand::Found(_)));
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
    policy::stands(state, request.principal, request.auth, now)?;
    identity::allows(state, request.auth, command.needs())
}

/// A key as it is remembered: of the principal as the agent that it acts as, or of the agent that has signed
/// it.
fn scoped(key: RequestKey, principal: Principal, actor: Option<AgentId>) -> LoggedKey {
    let whose = match actor {
        Some(agent) if principal != Principal::Agent(agent) && !key.signed => {
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
/// A key is young enough if it is so by the realm's clock or by the machine's, which differ while
/// one of them is wrong. That alone would let a forgotten key be used again, so a key must also be
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
    let kept_ms = state.settings().keep_keys_ms();
    let timely =
        |at: Time| at.since(made) <= kept_ms && made.since(at) <= limits::IDEMPOTENCY_AHEAD_MS;
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
        None => room_for_key(state, request.principal).map(|()| None),
    }
}

/// Refuses when no more keys can be remembered, for the realm or for the asking owner, and says when there
/// is room again. A key is never forgotten early to make room.
fn room_for_key(state: &State, principal: Principal) -> Result<(), Rejection> {
    let most = limits::IDEMPOTENCY_KEYS;
    if state.remembered.len() >= most {
        let detail = format!("at most {most} in the realm");
        return Err(Rejection::new(Code::KeysFull, detail));
    }
    let Some(owner) = policy::owner_of_principal(state, principal) else {
        return Ok(());
    };
    let have = state.share(Remembered::KIND, owner) as usize;
    let most = share::part_of(most, state.remembered.len().saturating_sub(have));
    if have < most {
        return Ok(());
    }
    let first = state.leaving(Remembered::KIND, owner).next();
    let room = first.map_or(state.now(), |(at, _)| at);
    let detail = format!("at most {most} an owner; room again at {room}");
    Err(Rejection::new(Code::KeysFull, detail))
}

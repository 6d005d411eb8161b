//! Usage: work that an agent reserves room for in its allowances, and then reports.
//!
//! A reservation counts an estimate at the lines of every node above the agent; settling it puts what
//! was used in its place. One that nobody settles in time ends, and what it reserved returns, as the
//! money of a hold does. Nothing here measures work: what is reported is taken as it is.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::line::{SpentOn, SpentOnRef, Work, spent_on};
use super::{Consent, Drafted, Node, PolicyEvent, Quantity, Spend};
use crate::amount::Amount;
use crate::ctx::Ctx;
use crate::entity::{Charge, Due, Entity, Lookup};
use crate::event::Event;
use crate::id::{AgentId, TaskId, UsageId, position_of};
use crate::limits;
use crate::noun::{Act, By, Field, Kind, Noun, Row, noun};
use crate::policy::Party;
use crate::reject::{Code, Rejection};
use crate::share;
use crate::state::State;
use crate::text::{Alias, ClientId};
use crate::time::Time;

/// An open reservation.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Usage {
    /// Whose work it is.
    #[n(0)]
    pub agent: AgentId,
    /// What is reserved.
    #[n(1)]
    pub work: Work,
    /// What it is spent on.
    #[n(2)]
    pub on: Option<Box<SpentOn>>,
    /// The nodes at whose lines it counts.
    #[n(3)]
    pub charged: Vec<Node>,
    /// When it was made.
    #[n(4)]
    pub at: Time,
    /// When it ends by itself.
    #[n(5)]
    pub expires: Time,
}

impl Entity for Usage {
    const KIND: u8 = 93;
    type Key = UsageId;
    const DUE: Due<Self> = Due::Acts(|it| Some(it.expires), expire);
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::USAGES,
        what: "open reservations of usage",
        payer: |it, _, state| share::owner(state, it.agent),
    };
    const LOOKUP: Lookup<Self> = Lookup::Key;
    const NOUN: Option<&'static Noun> = Some(&USAGE);
}

/// Reserves room for work of the acting agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReserveUsage {
    /// How many tokens of models it may take, read and written together.
    #[serde(default)]
    pub tokens: u64,
    /// How many milliseconds of work it may take.
    #[serde(default)]
    pub milliseconds: u64,
    /// The model, by its alias.
    #[serde(default)]
    pub model: Option<Alias>,
    /// The task, of which the agent is worker or requester.
    #[serde(default)]
    pub task: Option<TaskId>,
    /// The run.
    #[serde(default)]
    pub run: Option<ClientId>,
    /// After how many milliseconds it ends by itself; by default an hour.
    #[serde(default)]
    pub expires_in_ms: Option<u64>,
}

/// Reports what was used under a reservation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SettleUsage {
    /// The reservation.
    pub usage: UsageId,
    /// How many tokens were used: more than were reserved are counted too.
    #[serde(default)]
    pub tokens: u64,
    /// How many milliseconds of work were used.
    #[serde(default)]
    pub milliseconds: u64,
}

noun! {
    /// Work for which an agent reserved room in its allowances, and what it came to.
    USAGE = "usage", "usages" {
        STATE = "state", "State", Kind::State(&["open", "settled", "expired"]);
        AGENT = "agent", "Agent", Kind::Agent;
        TOKENS = "tokens", "Tokens", Kind::Number;
        MILLISECONDS = "milliseconds", "Milliseconds", Kind::Number;
        RESERVED_TOKENS = "reserved_tokens", "Tokens reserved", Kind::Number;
        RESERVED_MILLISECONDS = "reserved_milliseconds", "Milliseconds reserved", Kind::Number;
        MODEL = "model", "Model", Kind::Word;
        TASK = "task", "Task", Kind::Id;
        RUN = "run", "Run", Kind::Word;
        EXPIRES = "expires", "Ends by itself", Kind::Time;
    }
    acts {
        Act {
            op: "usage.reserve",
            verb: "reserve",
            about: "Reserves room for work of the acting agent.",
            by: By::Parties,
            on: None,
            when: &[],
            fields: &[
                Field { name: "tokens", label: "Tokens", kind: Kind::Number, required: true },
                Field { name: "milliseconds", label: "Milliseconds", kind: Kind::Number, required: false },
                Field { name: "model", label: "Model", kind: Kind::Word, required: false },
                Field { name: "task", label: "Task", kind: Kind::Id, required: false },
                Field { name: "run", label: "Run", kind: Kind::Word, required: false },
            ],
        },
        Act {
            op: "usage.settle",
            verb: "settle",
            about: "Reports what was used; it counts instead of what was reserved.",
            by: By::Parties,
            on: Some("usage"),
            when: &["open"],
            fields: &[
                Field { name: "tokens", label: "Tokens", kind: Kind::Number, required: true },
                Field { name: "milliseconds", label: "Milliseconds", kind: Kind::Number, required: false },
            ],
        },
    }
}

/// The row of a new reservation.
pub(super) fn opened(id: UsageId, usage: &Usage) -> Row {
    let (work, on) = (usage.work, usage.on.as_deref());
    let model = on.and_then(|on| on.model.as_ref());
    let run = on.and_then(|on| on.run.as_ref());
    let task = on.and_then(|on| on.tasks.first());
    Row::new(&USAGE, id)
        .with(&STATE, "open")
        .with(&AGENT, usage.agent)
        .with(&TOKENS, work.tokens)
        .with(&MILLISECONDS, work.milliseconds)
        .with(&RESERVED_TOKENS, work.tokens)
        .with(&RESERVED_MILLISECONDS, work.milliseconds)
        .with(&MODEL, model.map(Alias::as_str))
        .with(&TASK, task.map(|id| crate::id::AnyId::from(*id)))
        .with(&RUN, run.map(ClientId::as_str))
        .with(&EXPIRES, usage.expires)
        .seen_by(Some(Party::Agent(usage.agent)))
}

/// The row of one that is over: what it came to.
pub(super) fn ended(id: UsageId, state: &'static str, work: Work) -> Row {
    Row::new(&USAGE, id)
        .with(&STATE, state)
        .with(&TOKENS, work.tokens)
        .with(&MILLISECONDS, work.milliseconds)
}

/// How much work it is, in words.
pub(super) fn words(work: Work) -> alloc::string::String {
    let (tokens, ms) = (work.tokens, work.milliseconds);
    match (tokens, ms) {
        (_, 0) => format!("{tokens} tokens"),
        (0, _) => format!("{ms} ms of work"),
        _ => format!("{tokens} tokens and {ms} ms of work"),
    }
}

fn within(work: Work) -> Result<(), Rejection> {
    if work.tokens > limits::WORK_AT_ONCE || work.milliseconds > limits::WORK_AT_ONCE {
        let most = limits::WORK_AT_ONCE;
        let detail = format!("at most {most} tokens or milliseconds at once");
        return Err(Rejection::new(Code::BadAmount, detail));
    }
    Ok(())
}

pub(super) fn reserve(ctx: &mut Ctx<'_>, args: &ReserveUsage) -> Result<(), Rejection> {
    let agent = ctx.actor()?;
    let work = Work {
        tokens: args.tokens,
        milliseconds: args.milliseconds,
    };
    if work == Work::default() {
        let why = "name the tokens or milliseconds to reserve";
        return Err(Rejection::new(Code::Malformed, why));
    }
    let named = SpentOnRef {
        model: args.model.clone(),
        task: args.task,
        run: args.run.clone(),
    };
    let on = spent_on(ctx, Some(&named))?;
    let lasting = args.expires_in_ms.unwrap_or(limits::USAGE_DEFAULT_MS);
    let lasting = ctx.period("expires_in_ms", lasting, limits::USAGE_MS)?;
    let usage = reserve_for(ctx, agent, (work, on), ctx.now.after(lasting))?;
    ctx.ids.push(usage.into());
    Ok(())
}

/// The nodes at whose lines an agent's work is to be counted, or the refusal of the first line in the way.
pub(crate) fn room_for_work(
    ctx: &Ctx<'_>,
    agent: AgentId,
    work: Work,
    on: Option<&SpentOn>,
) -> Result<Vec<Node>, Rejection> {
    let spend = Spend {
        by: Some(agent),
        from: None,
        of: Quantity::work(work),
        whole: Amount::ZERO,
        on,
    };
    let drafted = &mut Drafted::default();
    super::charge(ctx.state, drafted, &spend, ctx.now, &Consent::Nothing)
}

/// Reserves room for an agent's work until a time, or refuses it for the first line in the way.
pub(crate) fn reserve_for(
    ctx: &mut Ctx<'_>,
    agent: AgentId,
    (work, on): (Work, Option<Box<SpentOn>>),
    expires: Time,
) -> Result<UsageId, Rejection> {
    within(work)?;
    ctx.room_for::<Usage>(share::owner(ctx.state, agent), 0)?;
    let charged = room_for_work(ctx, agent, work, on.as_deref())?;
    let usage = UsageId(ctx.number()?);
    let reserved = Usage {
        agent,
        work,
        on,
        charged,
        at: ctx.now,
        expires,
    };
    ctx.emit(Event::Policy(PolicyEvent::UsageReserved {
        usage,
        reserved: Box::new(reserved),
    }));
    Ok(usage)
}

pub(super) fn settle(ctx: &mut Ctx<'_>, args: &SettleUsage) -> Result<(), Rejection> {
    let agent = ctx.ending_actor()?;
    let over = || Rejection::new(Code::UsageOver, format!("{}", args.usage));
    let usage = ctx.state.usages.get(&args.usage);
    let usage = usage
        .filter(|usage| usage.agent == agent)
        .ok_or_else(over)?;
    if ctx.now >= usage.expires {
        return Err(over());
    }
    let work = Work {
        tokens: args.tokens,
        milliseconds: args.milliseconds,
    };
    settle_for(ctx, args.usage, work)
}

/// Puts what was used in the place of what was reserved. More than that counts too, even past a
/// limit: it was used, and the next reservation finds no room.
pub(crate) fn settle_for(ctx: &mut Ctx<'_>, usage: UsageId, work: Work) -> Result<(), Rejection> {
    within(work)?;
    ctx.emit(Event::Policy(PolicyEvent::UsageSettled { usage, work }));
    Ok(())
}

fn expire(ctx: &mut Ctx<'_>, usage: UsageId) -> Result<bool, Rejection> {
    ctx.emit(Event::Policy(PolicyEvent::UsageExpired { usage }));
    Ok(false)
}

/// Counts a new reservation.
pub(super) fn bring(state: &mut State, id: UsageId, usage: &Usage) {
    count_work(state, &usage.charged, usage.work, usage.on.as_deref());
    state.bring(id, usage.clone());
}

/// Counts work that is reserved, at the lines of nodes.
pub(crate) fn count_work(state: &mut State, charged: &[Node], work: Work, on: Option<&SpentOn>) {
    for node in charged {
        super::count(state, *node, &Quantity::work(work), on);
    }
}

/// Ends a reservation.
pub(super) fn end(state: &mut State, id: UsageId, used: Work) {
    let Some(usage) = state.take::<Usage>(&id) else {
        state.changes.defect();
        return;
    };
    let made = (usage.at, position_of(id.0));
    settle_work(
        state,
        (&usage.charged, made),
        (usage.work, used),
        usage.on.as_deref(),
    );
}

/// Puts what was used in the place of what was reserved: what was reserved beyond it returns to the
/// period in which it was counted, and what was used beyond that counts now.
pub(crate) fn settle_work(
    state: &mut State,
    (charged, made): (&[Node], (Time, u64)),
    (reserved, used): (Work, Work),
    on: Option<&SpentOn>,
) {
    let unused = Quantity::work(reserved.beyond(used));
    let more = Quantity::work(used.beyond(reserved));
    for node in charged {
        super::uncharge(state, *node, (&unused, on), made);
        super::count(state, *node, &more, on);
    }
}

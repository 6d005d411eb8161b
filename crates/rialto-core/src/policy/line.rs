//! Lines of allowances: limits by what is spent on and in which unit, several of them at a node.
//!
//! Holds the lines and what each has counted. A line counts as the limit of a period does: what is
//! held or reserved counts when it is, what is released returns to the period in which it was
//! counted, what was used stays. Nothing here moves money or judges who may set a line.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{Node, window_start};
use crate::amount::{Amount, Decimal};
use crate::ctx::Ctx;
use crate::entity::{Charge, Due, Entity, Lookup};
use crate::id::{AssetId, TaskId};
use crate::identity::Principal;
use crate::limits;
use crate::policy::Action;
use crate::reject::{Code, Rejection};
use crate::share;
use crate::state::State;
use crate::text::{Alias, ClientId};
use crate::time::Time;

/// What a line counts: all spending, or what is spent on one thing.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LineScope {
    /// All spending.
    #[n(0)]
    All,
    /// What is spent on a model.
    #[n(1)]
    Model(#[n(0)] Alias),
    /// What is spent on a task and on all parts that were delegated of it.
    #[n(2)]
    Task(#[n(0)] TaskId),
    /// What is spent in a run.
    #[n(3)]
    Run(#[n(0)] ClientId),
}

impl LineScope {
    fn covers(&self, on: Option<&SpentOn>) -> bool {
        match self {
            Self::All => true,
            Self::Model(model) => on.is_some_and(|on| on.model.as_ref() == Some(model)),
            Self::Task(task) => on.is_some_and(|on| on.tasks.contains(task)),
            Self::Run(run) => on.is_some_and(|on| on.run.as_ref() == Some(run)),
        }
    }
}

impl core::fmt::Display for LineScope {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Model(model) => write!(f, "model {model}"),
            Self::Task(task) => task.fmt(f),
            Self::Run(run) => write!(f, "run {run}"),
        }
    }
}

/// What a line counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "unit", content = "asset")]
pub enum Unit {
    /// Smallest units of an asset.
    #[n(0)]
    Money(#[n(0)] AssetId),
    /// Tokens of models, read and written together.
    #[n(1)]
    Tokens,
    /// Milliseconds of work.
    #[n(2)]
    Milliseconds,
}

/// How a request names a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum UnitRef {
    /// Money in the asset of the command.
    Money,
    /// Tokens of models, read and written together: a whole number.
    Tokens,
    /// Milliseconds of work: a whole number.
    Milliseconds,
}

/// Sets a line: the one with the same scope, unit and period gets this limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LineSpec {
    /// What it counts.
    pub on: LineScope,
    /// What it counts in.
    pub unit: UnitRef,
    /// The most that may be spent.
    pub limit: Decimal,
    /// The length of a period in milliseconds; without one, the limit is for all time.
    #[serde(default)]
    pub period_ms: Option<u64>,
}

/// Names a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LineName {
    /// What it counts.
    pub on: LineScope,
    /// What it counts in.
    pub unit: UnitRef,
    /// The length of its period in milliseconds; none if its limit is for all time.
    #[serde(default)]
    pub period_ms: Option<u64>,
}

/// What was agreed of a line, without what it has counted.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LineTerms {
    /// What it counts.
    #[n(0)]
    pub on: LineScope,
    /// What it counts in.
    #[n(1)]
    #[serde(flatten)]
    pub unit: Unit,
    /// The most that may be spent.
    #[n(2)]
    pub limit: Amount,
    /// How long a period is, counted from 1970; none if the limit is for all time.
    #[n(3)]
    pub period_ms: Option<u64>,
}

impl LineTerms {
    /// True if both are the same line, whatever its limit.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.on, self.unit, self.period_ms) == (&other.on, other.unit, other.period_ms)
    }

    /// When the period that `now` lies in began.
    #[must_use]
    pub fn began(&self, now: Time) -> Time {
        self.period_ms.map_or(Time(0), |ms| window_start(now, ms))
    }

    /// Whether it is about such spending.
    pub(super) fn counts(&self, of: &Quantity, on: Option<&SpentOn>) -> bool {
        let unit = match self.unit {
            Unit::Money(asset) => of.money.is_some_and(|(known, _)| known == asset),
            Unit::Tokens | Unit::Milliseconds => of.work.is_some(),
        };
        unit && self.on.covers(on)
    }

    /// A line as a refusal names it.
    fn text(&self, state: &State) -> String {
        let (limit, unit) = match self.unit {
            Unit::Tokens => (self.limit.display(0), "tokens"),
            Unit::Milliseconds => (self.limit.display(0), "milliseconds of work"),
            Unit::Money(asset) => match state.assets.get(&asset) {
                Some(asset) => (self.limit.display(asset.scale), asset.code.as_str()),
                None => (self.limit.display(0), ""),
            },
        };
        match self.period_ms {
            Some(ms) => format!("{limit} {unit} on {} in {ms} ms", self.on),
            None => format!("{limit} {unit} on {} in all", self.on),
        }
    }
}

/// A line with what it has counted.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Line {
    /// What was agreed of it.
    #[n(0)]
    pub terms: LineTerms,
    /// When the period that `used` counts began.
    #[n(1)]
    pub window: Time,
    /// What was spent, or is held or reserved, in that period.
    #[n(2)]
    pub used: Amount,
    /// The position from which on it counts: where it was first set.
    #[n(3)]
    pub since: u64,
}

impl Line {
    /// What counts in the period that `now` lies in.
    #[must_use]
    pub fn used_now(&self, now: Time) -> Amount {
        match self.terms.began(now) == self.window {
            true => self.used,
            false => Amount::ZERO,
        }
    }
}

/// The lines of a node's allowance. Keyed by the node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Lines {
    /// The lines, in the order in which they were set.
    #[n(0)]
    pub lines: Vec<Line>,
}

impl Entity for Lines {
    const KIND: u8 = 92;
    type Key = Node;
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::ALLOWANCES,
        what: "nodes with lines of an allowance",
        payer: |_, whose, state| share::node(state, *whose),
    };
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// What something is spent on, as a request says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SpentOnRef {
    /// The model, by its alias.
    #[serde(default)]
    pub model: Option<Alias>,
    /// The task, of which the spender is worker or requester.
    #[serde(default)]
    pub task: Option<TaskId>,
    /// The run.
    #[serde(default)]
    pub run: Option<ClientId>,
}

/// What something is spent on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SpentOn {
    /// The model, by its alias.
    #[n(0)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Alias>,
    /// The run.
    #[n(1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<ClientId>,
    /// The task, and everything that it is a part of, from the inside out.
    #[n(2)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskId>,
}

impl SpentOn {
    /// What serves a task serves everything that the task is a part of.
    #[must_use]
    pub fn task(state: &State, task: TaskId) -> Self {
        let mut tasks = Vec::from([task]);
        let above = |id: &TaskId| state.tasks.get(id).and_then(|task| task.parent);
        while let Some(whole) = tasks.last().and_then(above)
            && tasks.len() < usize::from(limits::TASK_DEPTH)
        {
            tasks.push(whole);
        }
        Self {
            tasks,
            ..Self::default()
        }
    }
}

/// How much work was done, or is reserved for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Work {
    /// Tokens of models, read and written together.
    #[n(0)]
    pub tokens: u64,
    /// Milliseconds of work.
    #[n(1)]
    pub milliseconds: u64,
}

impl Work {
    /// What this is more than the other, unit by unit.
    #[must_use]
    pub fn beyond(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_sub(other.tokens),
            milliseconds: self.milliseconds.saturating_sub(other.milliseconds),
        }
    }
}

/// How much is spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Quantity {
    /// Money.
    pub(crate) money: Option<(AssetId, Amount)>,
    /// Work.
    pub(crate) work: Option<Work>,
}

impl Quantity {
    /// An amount of money.
    pub(crate) fn money(asset: AssetId, amount: Amount) -> Self {
        Self {
            money: Some((asset, amount)),
            work: None,
        }
    }

    /// An amount of work.
    pub(crate) fn work(work: Work) -> Self {
        Self {
            money: None,
            work: Some(work),
        }
    }

    fn of(&self, unit: Unit) -> Amount {
        let work = self.work.unwrap_or_default();
        match unit {
            Unit::Money(_) => self.money.map_or(Amount::ZERO, |(_, amount)| amount),
            Unit::Tokens => Amount(work.tokens.into()),
            Unit::Milliseconds => Amount(work.milliseconds.into()),
        }
    }
}

/// The lines of a node that count such spending, by their place, with how much.
fn counting<'s>(
    state: &'s State,
    node: Node,
    of: &'s Quantity,
    on: Option<&'s SpentOn>,
) -> impl Iterator<Item = (usize, &'s Line, Amount)> {
    let lines = state.lines.get(&node).map_or(&[][..], |it| &it.lines);
    let counting = lines.iter().enumerate();
    counting.filter_map(move |(place, line)| {
        let counts = line.terms.counts(of, on);
        counts.then(|| (place, line, of.of(line.terms.unit)))
    })
}

/// What earlier steps of the same command have counted at lines, by node and place.
pub(crate) type DraftedLines = alloc::collections::BTreeMap<(Node, usize), Amount>;

/// Judges spending against every line of a node that counts it. True if there is any.
pub(super) fn judge(
    state: &State,
    drafted: &DraftedLines,
    node: Node,
    (of, on): (&Quantity, Option<&SpentOn>),
    now: Time,
) -> Result<bool, Rejection> {
    let mut any = false;
    for (place, line, amount) in counting(state, node, of, on) {
        any = true;
        let already = drafted.get(&(node, place)).copied().unwrap_or_default();
        let total = line
            .used_now(now)
            .plus(already)
            .and_then(|s| s.plus(amount));
        let over = total.ok_or(Code::Overflow)? > line.terms.limit;
        if over && amount.is_positive() {
            let detail = format!(
                "{} is {}",
                super::allowance::named("a line", state, node),
                line.terms.text(state)
            );
            return Err(Rejection::new(Code::OverAllowance, detail));
        }
    }
    Ok(any)
}

/// True if a line of the node counts such spending since before a position.
pub(super) fn limits_since(
    state: &State,
    node: Node,
    (of, on): (&Quantity, Option<&SpentOn>),
    position: u64,
) -> bool {
    counting(state, node, of, on).any(|(_, line, _)| line.since < position)
}

/// Keeps what a step of a command counts at the lines of a node.
pub(super) fn draft(
    state: &State,
    drafted: &mut DraftedLines,
    node: Node,
    (of, on): (&Quantity, Option<&SpentOn>),
) -> Result<(), Rejection> {
    for (place, _, amount) in counting(state, node, of, on) {
        let sum = drafted.entry((node, place)).or_default();
        *sum = sum.plus(amount).ok_or(Code::Overflow)?;
    }
    Ok(())
}

/// Counts spending at the lines of a node.
pub(super) fn count(state: &mut State, node: Node, of: &Quantity, on: Option<&SpentOn>) {
    let now = state.now();
    change(state, node, (of, on), |line, amount| {
        let window = line.terms.began(now);
        if line.window != window {
            (line.window, line.used) = (window, Amount::ZERO);
        }
        line.used = line.used.plus(amount).unwrap_or(line.used);
    });
}

/// Takes back what was counted at the lines of a node, where its period is still current and the line
/// has counted since before it was `made`: when, and at which position.
pub(super) fn uncount(
    state: &mut State,
    node: Node,
    (of, on): (&Quantity, Option<&SpentOn>),
    (at, position): (Time, u64),
) {
    change(state, node, (of, on), |line, amount| {
        if line.terms.began(at) == line.window && position > line.since {
            let used = line.used.minus(amount).unwrap_or(line.used);
            line.used = used.max(Amount::ZERO);
        }
    });
}

fn change(
    state: &mut State,
    node: Node,
    (of, on): (&Quantity, Option<&SpentOn>),
    change: impl Fn(&mut Line, Amount),
) {
    if counting(state, node, of, on).all(|(_, _, amount)| !amount.is_positive()) {
        return;
    }
    state.lines.modify(&node, &mut state.changes, |it| {
        let lines = it.lines.iter_mut();
        for line in lines.filter(|line| line.terms.counts(of, on)) {
            let amount = of.of(line.terms.unit);
            change(line, amount);
        }
    });
}

/// The lines of a node after a request that sets and clears some.
pub(super) fn lines_after(
    ctx: &Ctx<'_>,
    node: Node,
    asset: Option<(AssetId, u8)>,
    (set, clear): (&[LineSpec], &[LineName]),
) -> Result<Vec<LineTerms>, Rejection> {
    let named = |on: &LineScope, unit: UnitRef, period_ms: Option<u64>| {
        if let LineScope::Task(task) = on {
            known_task(ctx, *task)?;
        }
        let (unit, scale) = match (unit, asset) {
            (UnitRef::Tokens, _) => (Unit::Tokens, 0),
            (UnitRef::Milliseconds, _) => (Unit::Milliseconds, 0),
            (UnitRef::Money, Some((asset, scale))) => (Unit::Money(asset), scale),
            (UnitRef::Money, None) => return Err(Rejection::from(Code::NoAsset)),
        };
        let terms = LineTerms {
            on: on.clone(),
            unit,
            limit: Amount::ZERO,
            period_ms,
        };
        Ok((terms, scale))
    };
    let known = ctx.state.lines.get(&node);
    let known = known.map_or(&[][..], |it| &it.lines);
    let mut lines: Vec<LineTerms> = known.iter().map(|line| line.terms.clone()).collect();
    let mut cleared = Vec::new();
    for line in clear {
        let (terms, _) = named(&line.on, line.unit, line.period_ms)?;
        lines.retain(|kept| !kept.is_same(&terms));
        cleared.push(terms);
    }
    for line in set {
        if let Some(ms) = line.period_ms {
            ctx.period("period_ms", ms, super::decide::PERIOD_MS)?;
        }
        let (terms, scale) = named(&line.on, line.unit, line.period_ms)?;
        if cleared.iter().any(|gone| gone.is_same(&terms)) {
            let why = "a line is either set or cleared";
            return Err(Rejection::new(Code::Malformed, why));
        }
        let limit = super::decide::bound(line.limit, scale)?;
        match lines.iter_mut().find(|kept| kept.is_same(&terms)) {
            Some(kept) => kept.limit = limit,
            None => lines.push(LineTerms { limit, ..terms }),
        }
    }
    if lines.len() > limits::LINES_PER_NODE {
        let most = limits::LINES_PER_NODE;
        return Err(Rejection::new(
            Code::TooManyLines,
            format!("at most {most}"),
        ));
    }
    Ok(lines)
}

/// The lines that a node has from now on. What a line has counted stays with it.
pub(super) fn set(state: &mut State, node: Node, terms: &[LineTerms]) {
    if terms.is_empty() {
        state.take::<Lines>(&node);
        return;
    }
    let (now, position) = (state.now(), state.position());
    let old = state.lines.get(&node);
    let old = old.map_or(&[][..], |it| &it.lines);
    let line = |terms: &LineTerms| {
        let known = old.iter().find(|line| line.terms.is_same(terms));
        Line {
            terms: terms.clone(),
            window: known.map_or(terms.began(now), |line| line.window),
            used: known.map_or(Amount::ZERO, |line| line.used),
            since: known.map_or(position, |line| line.since),
        }
    };
    let lines = terms.iter().map(line).collect();
    state.bring(node, Lines { lines });
}

/// Refuses a task that the principal has no part in: to it, it does not exist.
fn known_task(ctx: &Ctx<'_>, id: TaskId) -> Result<(), Rejection> {
    let task = ctx.state.tasks.get(&id);
    let sides = task.map(|task| [Principal::Agent(task.worker), task.requester]);
    let own = |side| match side {
        Principal::Agent(agent) => ctx.authorise(Action::ViewAgent(agent)).is_ok(),
        other => other == ctx.principal,
    };
    match sides.is_some_and(|sides| sides.into_iter().any(own)) {
        true => Ok(()),
        false => Err(Rejection::new(Code::NotFound, format!("{id}"))),
    }
}

/// What a request says something is spent on.
pub(crate) fn spent_on(
    ctx: &Ctx<'_>,
    named: Option<&SpentOnRef>,
) -> Result<Option<Box<SpentOn>>, Rejection> {
    let Some(named) = named.filter(|named| **named != SpentOnRef::default()) else {
        return Ok(None);
    };
    let mut on = SpentOn::default();
    if let Some(task) = named.task {
        known_task(ctx, task)?;
        on = SpentOn::task(ctx.state, task);
    }
    (on.model, on.run) = (named.model.clone(), named.run.clone());
    Ok(Some(Box::new(on)))
}

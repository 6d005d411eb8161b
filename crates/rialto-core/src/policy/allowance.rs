//! Spending allowances at the nodes of the principal tree.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::line::{self, DraftedLines, Line, Quantity, SpentOn};
use super::{Allowance, Consent, Node};
use crate::amount::Amount;
use crate::id::{AccountId, AgentId, AssetId, OwnerId};
use crate::ledger::Holder;
use crate::reject::{Code, Rejection};
use crate::share;
use crate::state::State;
use crate::time::Time;

/// When the period that `now` lies in began.
pub(crate) fn window_start(now: Time, period_ms: u64) -> Time {
    Time(now.0 - now.0 % period_ms.max(1))
}

/// The nodes above an account's holder, from itself up to the realm.
pub(crate) fn chain_of(state: &State, holder: Holder) -> Vec<Node> {
    let mut chain = Vec::with_capacity(4);
    let owner: Option<OwnerId> = match holder {
        Holder::Issuance | Holder::Outside => return chain,
        Holder::Owner(owner) => Some(owner),
        Holder::Team(team) => {
            chain.push(Node::Team(team));
            state.teams.get(&team).map(|t| t.owner)
        }
        Holder::Agent(agent) => {
            chain.push(Node::Agent(agent));
            let entity = state.agents.get(&agent);
            chain.extend(entity.and_then(|a| a.team).map(Node::Team));
            entity.map(|a| a.owner)
        }
    };
    chain.extend(owner.map(Node::Owner));
    chain.push(Node::Realm);
    chain
}

/// The nodes that a payment leaves: the agent that makes it and those above the payer, without those
/// that are above everybody who gets a part of it. A node above some of them only is left by the
/// rest, so the payment counts there.
fn left(state: &State, from: Holder, (by, payees): (Option<AgentId>, &[Holder])) -> Vec<Node> {
    let mut nodes = chain_of(state, from);
    let own = by.map(Node::Agent).filter(|own| !nodes.contains(own));
    nodes.splice(0..0, own);
    let inside: Vec<Vec<Node>> = payees.iter().map(|to| chain_of(state, *to)).collect();
    nodes.retain(|n| inside.is_empty() || inside.iter().any(|chain| !chain.contains(n)));
    nodes
}

/// True if a hold that was made at `position` does not count at a node at which it would count if
/// it were made now, for these payees. Limits that were set later do not count it either.
pub(crate) fn counts_too_little(
    state: &State,
    (from, payees): (Holder, &[Holder]),
    (asset, on): (AssetId, Option<&SpentOn>),
    (charged, position): (&[Node], u64),
) -> bool {
    let of = Quantity::money(asset, Amount::ZERO);

    let mut nodes = left(state, from, (None, payees)).into_iter();
    nodes.any(|node| {
        let allowance = state.allowances.get(&(node, asset));
        let limits = allowance.is_some_and(|a| a.since < position)
            || line::limits_since(state, node, (&of, on), position);
        limits && !charged.contains(&node)
    })
}

/// What is spent, and by whom.
#[derive(Clone, Debug)]
pub(crate) struct Spend<'a> {
    /// The agent that acts: its own limits count too, whoever's money it is.
    pub(crate) by: Option<AgentId>,
    /// Whose money it is, and who shares in it; none if it is no money.
    pub(crate) from: Option<(Holder, &'a [Holder])>,
    /// How much.
    pub(crate) of: Quantity,
    /// Of how much money it is a part.
    pub(crate) whole: Amount,
    /// What it is spent on.
    pub(crate) on: Option<&'a SpentOn>,
}

impl Spend<'_> {
    /// The nodes at which it counts, the nearest first.
    fn nodes(&self, state: &State) -> Vec<Node> {
        match (self.from, self.by) {
            (Some((from, payees)), by) => left(state, from, (by, payees)),
            (None, Some(agent)) => chain_of(state, Holder::Agent(agent)),
            (None, None) => Vec::new(),
        }
    }
}

/// What earlier steps of the same command have counted.
#[derive(Default)]
pub(crate) struct Drafted {
    money: BTreeMap<(Node, AssetId), Amount>,
    lines: DraftedLines,
}

/// Judges spending against every limit that it counts at, and names their nodes. It is the one place
/// where anything is spent.
///
/// The limits of a single payment and the question whether a person has to approve it apply to the
/// `whole` of which this may be a part. `drafted` is what earlier entries of the same command have already counted.
pub(crate) fn charge(
    state: &State,
    drafted: &mut Drafted,
    spend: &Spend<'_>,
    now: Time,
    consent: &Consent,
) -> Result<Vec<Node>, Rejection> {
    if state.allowances.is_empty() && state.lines.is_empty() {
        return Ok(Vec::new());
    }
    let of = (&spend.of, spend.on);
    let mut charged = Vec::new();
    for node in spend.nodes(state) {
        let limited = judge_money(state, drafted, node, spend, (now, consent))?;
        if line::judge(state, &drafted.lines, node, of, now)? || limited {
            charged.push(node);
        }
    }
    for node in &charged {
        if let Some((asset, amount)) = spend.of.money {
            let sum = drafted.money.entry((*node, asset)).or_default();
            *sum = sum.plus(amount).ok_or(Code::Overflow)?;
        }
        line::draft(state, &mut drafted.lines, *node, of)?;
    }
    Ok(charged)
}

/// Judges money against a node's allowance in its asset. True if there is one.
fn judge_money(
    state: &State,
    drafted: &Drafted,
    node: Node,
    spend: &Spend<'_>,
    (now, consent): (Time, &Consent),
) -> Result<bool, Rejection> {
    let Some((asset, amount)) = spend.of.money else {
        return Ok(false);
    };
    let at = (node, asset);
    let Some(allowance) = state.allowances.get(&at) else {
        return Ok(false);
    };
    let already = drafted.money.get(&at).copied().unwrap_or_default();
    judge(state, at, allowance, (amount, spend.whole, already), now)?;
    if asks(allowance, spend.whole) && !consent.covers(node) {
        let above = allowance.approval_above.unwrap_or_default();
        let detail = limit(state, "approval_above", at, above);
        return Err(Rejection::new(Code::NeedsApproval, detail));
    }
    Ok(true)
}

/// Which limit refuses: whose it is, and how much it allows. Only those who may see the paying account
/// are told.
fn limit(state: &State, what: &str, (node, asset): (Node, AssetId), most: Amount) -> String {
    let whose = named(what, state, node);
    match state.assets.get(&asset) {
        Some(entity) => format!("{whose} is {} {}", most.display(entity.scale), entity.code),
        None => whose,
    }
}

/// A limit with whose it is.
pub(super) fn named(what: &str, state: &State, node: Node) -> String {
    let name = match node {
        Node::Realm => None,
        Node::Owner(id) => state.owners.get(&id).map(|o| o.name.as_str().to_owned()),
        Node::Team(id) => state.teams.get(&id).map(|t| t.name.as_str().to_owned()),
        Node::Agent(id) => state.agents.get(&id).map(|a| a.handle.to_string()),
    };
    let name = name.map_or_else(String::new, |name| format!(" ({name})"));
    format!("{what} of {node}{name}")
}

fn judge(
    state: &State,
    at: (Node, AssetId),
    allowance: &Allowance,
    (amount, whole, already): (Amount, Amount, Amount),
    now: Time,
) -> Result<(), Rejection> {
    if let Some(most) = allowance.per_deal.filter(|most| whole > *most) {
        let detail = limit(state, "per_deal", at, most);
        return Err(Rejection::new(Code::OverAllowance, detail));
    }
    if let Some(most) = allowance.per_period {
        let current = window_start(now, allowance.period_ms) == allowance.window;
        let spent = if current {
            allowance.spent
        } else {
            Amount::ZERO
        };
        let total = spent
            .plus(already)
            .and_then(|s| s.plus(amount))
            .ok_or(Code::Overflow)?;
        if total > most {
            let detail = limit(state, "per_period", at, most);
            return Err(Rejection::new(Code::OverAllowance, detail));
        }
    }
    Ok(())
}

/// Whether a person has to approve a payment of `amount`.
fn asks(allowance: &Allowance, amount: Amount) -> bool {
    allowance.approval_above.is_some_and(|above| amount > above)
}

/// The nodes whose limits ask a person to approve a payment.
pub(crate) fn asking(
    state: &State,
    (from, by, payees): (Holder, AgentId, &[Holder]),
    (asset, amount): (AssetId, Amount),
) -> Vec<Node> {
    let mut nodes = left(state, from, (Some(by), payees));
    nodes.retain(|node| {
        let allowance = state.allowances.get(&(*node, asset));
        allowance.is_some_and(|a| asks(a, amount))
    });
    nodes
}

/// What a limit leaves at a node at which a payment would count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The node.
    pub node: Node,
    /// The most that one transfer or deal may spend.
    pub per_deal: Option<Amount>,
    /// The most that all transfers and deals together may take in a period.
    pub per_period: Option<Amount>,
    /// How long a period is, in milliseconds.
    pub period_ms: u64,
    /// The amount above which a person has to approve.
    pub approval_above: Option<Amount>,
    /// What was spent or is held in the current period, since the limit was set.
    pub spent: Amount,
    /// When the current period began.
    pub began: Time,
    /// When the next period begins.
    pub renews: Time,
    /// The position at which the limit was set: what was spent before does not count.
    pub since: u64,
}

impl Budget {
    /// What the current period leaves, if it is limited.
    #[must_use]
    pub fn left(&self) -> Option<Amount> {
        let left = self.per_period?.minus(self.spent)?;
        Some(left.max(Amount::ZERO))
    }
}

/// The nodes at which a payment by an agent, from an account to those who share it, would count and
/// whose limits are of the owner whose money it is; the nearest first.
#[must_use]
pub fn limiting(state: &State, from: AccountId, by: AgentId, payees: &[Holder]) -> Vec<Node> {
    let Some(account) = state.accounts.get(&from) else {
        return Vec::new();
    };
    // What another owner allows its agent is its own business.
    let own = share::holder(state, account.holder) == share::owner(state, by);
    left(state, account.holder, (own.then_some(by), payees))
}

/// The lines of a node, and when the current period of each began.
#[must_use]
pub fn lines(state: &State, node: Node, now: Time) -> Vec<(Line, Time)> {
    let found = state.lines.get(&node);
    let lines = found.map_or(&[][..], |it| &it.lines).iter();
    lines
        .map(|line| (line.clone(), line.terms.began(now)))
        .collect()
}

/// The lines of a node that count such money, with what is spent on it.
#[must_use]
pub fn lines_for(
    state: &State,
    node: Node,
    asset: AssetId,
    on: Option<&SpentOn>,
    now: Time,
) -> Vec<(Line, Time)> {
    let of = Quantity::money(asset, Amount::ZERO);
    let mut found = lines(state, node, now);
    found.retain(|(line, _)| line.terms.counts(&of, on));
    found
}

/// What the limits of a node leave in an asset, if it has any.
#[must_use]
pub fn budget(state: &State, node: Node, asset: AssetId, now: Time) -> Option<Budget> {
    let allowance = state.allowances.get(&(node, asset))?;
    let began = window_start(now, allowance.period_ms);
    Some(Budget {
        node,
        per_deal: allowance.per_deal,
        per_period: allowance.per_period,
        period_ms: allowance.period_ms,
        approval_above: allowance.approval_above,
        spent: match began == allowance.window {
            true => allowance.spent,
            false => Amount::ZERO,
        },
        began,
        renews: began.after(allowance.period_ms),
        since: allowance.since,
    })
}

/// Counts spending at a node.
pub(crate) fn count(state: &mut State, node: Node, of: &Quantity, on: Option<&SpentOn>) {
    line::count(state, node, of, on);
    let Some((asset, amount)) = of.money else {
        return;
    };
    let now = state.now();
    if !state.allowances.contains(&(node, asset)) {
        return;
    }
    state
        .allowances
        .modify(&(node, asset), &mut state.changes, |a| {
            let window = window_start(now, a.period_ms);
            if a.window != window {
                (a.window, a.spent) = (window, Amount::ZERO);
            }
            a.spent = a.spent.plus(amount).unwrap_or(a.spent);
        });
}

/// Takes back what was held or reserved at a node, where that period is still current and the limit
/// has counted since before it was `made` (when, and at which position).
pub(crate) fn uncharge(
    state: &mut State,
    node: Node,
    (of, on): (&Quantity, Option<&SpentOn>),
    made: (Time, u64),
) {
    line::uncount(state, node, (of, on), made);
    let Some((asset, amount)) = of.money else {
        return;
    };
    if !state.allowances.contains(&(node, asset)) || !amount.is_positive() {
        return;
    }
    state
        .allowances
        .modify(&(node, asset), &mut state.changes, |a| {
            let (at, position) = made;
            if window_start(at, a.period_ms) == a.window && position > a.since {
                a.spent = a.spent.minus(amount).unwrap_or(a.spent).max(Amount::ZERO);
            }
        });
}

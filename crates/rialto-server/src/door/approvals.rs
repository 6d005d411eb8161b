//! Approvals as a person decides on them: what a yes agrees to, and what the limits and the account
//! leave.
//!
//! The request comes from the views, the remaining limits from the state, both as of now.

use axum::Json;
use rialto_core::amount::Amount;
use rialto_core::id::{AccountId, ApprovalId, NegotiationId, OwnerId};
use rialto_core::ledger::Holder;
use rialto_core::market;
use rialto_core::policy::{Bound, SpentOn, budget, limiting, lines_for, obstacle};
use rialto_core::reject::{Code, Kind, Rejection};
use rialto_core::state::State as Realm;
use rialto_views::{ApprovalView, Scope};
use serde::Serialize;

use super::Door;
use super::answer::Answer;
use super::budgets::{Standing, Undated, dated, line_standing, standing};
use super::path::Path;
use super::problem::Refusal;
use super::reads::{At, Read, id, view};

/// A limit at which the payment would count.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "BudgetLeft"))]
pub(super) struct Left {
    /// The limit; its fields stand beside the others.
    #[serde(flatten)]
    pub(super) limit: Standing,
    /// What a yes would leave of this period; below zero if a yes would be refused.
    pub(super) left_after: Option<String>,
    /// True when this limit is why a person is asked.
    pub(super) asks: bool,
}

/// What would refuse a yes as things stand.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Obstacle {
    /// The code.
    pub(super) code: String,
    /// What it means.
    pub(super) title: String,
    /// More about it.
    pub(super) detail: String,
    /// True if it stays so: what was to be approved is over.
    pub(super) over: bool,
}

impl Obstacle {
    fn of(why: &Rejection) -> Self {
        let over = matches!(
            why.code.kind(),
            Kind::Gone | Kind::Conflict | Kind::NotFound
        );
        Self {
            code: why.code.to_string(),
            title: why.code.title().to_owned(),
            detail: why.detail.to_string(),
            over,
        }
    }
}

/// The state's view of a payment that waits.
#[derive(Default)]
struct Means {
    available: Option<String>,
    obstacle: Option<Obstacle>,
    limits: Vec<Undated>,
    asks: Vec<(Option<String>, bool)>,
}

/// An approval as a person decides on it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "ApprovalShown"))]
pub(super) struct Shown {
    /// What is bound; its fields stand beside the others.
    #[serde(flatten)]
    pub(super) view: ApprovalView,
    /// What the paying account has left to spend, in whole units.
    pub(super) available: Option<String>,
    /// The limits at which it would count, the nearest first.
    pub(super) budgets: Vec<Left>,
    /// What would refuse a yes as things stand, if anything would.
    pub(super) obstacle: Option<Obstacle>,
}

/// The account that would pay, and all who would get a part.
fn payees(state: &Realm, bound: &Bound) -> (AccountId, Vec<Holder>) {
    match bound {
        Bound::Transfer { from, to, .. } => {
            let paid = state.accounts.get(to).map(|a| a.holder);
            (*from, paid.into_iter().collect())
        }
        Bound::Offer { offer } => (
            offer.pay_from,
            market::payees(state, &offer.bargain, offer.seller),
        ),
        Bound::Accept {
            negotiation,
            pay_from,
            ..
        } => {
            let found = state.negotiations.get(negotiation);
            let all = found.map(|n| market::payees(state, &n.latest.bargain, n.seller));
            (*pay_from, all.unwrap_or_default())
        }
    }
}

/// What the money of an act that waits is spent on.
fn spent_on(state: &Realm, bound: &Bound) -> Option<SpentOn> {
    let served = |negotiation: &NegotiationId| state.negotiations.get(negotiation)?.task;
    let task = match bound {
        Bound::Transfer { spent_on, .. } => return spent_on.as_deref().cloned(),
        Bound::Accept { negotiation, .. } => served(negotiation),
        Bound::Offer { offer } => offer.task.or_else(|| served(offer.negotiation.as_ref()?)),
    };
    task.map(|task| SpentOn::task(state, task))
}

/// Whether a scope is of the owner whose money it is. An agent of another owner may ask for it, and
/// learns nothing of that owner's limits.
fn is_of(state: &Realm, scope: Scope, owner: OwnerId) -> bool {
    match scope {
        Scope::Realm => true,
        Scope::Owner(own) => own == owner,
        Scope::Agent(agent) => state.agents.get(&agent).is_some_and(|a| a.owner == owner),
    }
}

fn means(state: &Realm, scope: Scope, approval: ApprovalId) -> Means {
    let waiting = state.approvals.get(&approval);
    let Some(waiting) = waiting.filter(|w| is_of(state, scope, w.owner)) else {
        // It was decided: what is left now says nothing of it.
        return Means::default();
    };
    let scale = state.assets.get(&waiting.asset).map_or(0, |a| a.scale);
    let show = |amount: Amount| amount.display(scale);
    let (from, payees) = payees(state, &waiting.bound);
    let on = spent_on(state, &waiting.bound);
    let after = |most: Amount, spent: Amount| {
        let left = most.minus(spent)?.minus(waiting.amount)?;
        Some(show(left))
    };
    let (mut asks, mut limits) = (Vec::new(), Vec::new());
    for node in limiting(state, from, waiting.agent, &payees) {
        if let Some(budget) = budget(state, node, waiting.asset, state.now()) {
            let above = budget.approval_above;
            let asks_now = above.is_some_and(|above| waiting.amount > above);
            let left = budget.per_period.and_then(|most| after(most, budget.spent));
            asks.push((left, asks_now));
            limits.push(standing(state, waiting.asset, &budget));
        }
        for (line, began) in lines_for(state, node, waiting.asset, on.as_ref(), state.now()) {
            let used = line.used_now(state.now());
            asks.push((after(line.terms.limit, used), false));
            limits.push(line_standing(state, node, (&line, began)));
        }
    }
    Means {
        available: state.accounts.get(&from).map(|a| show(a.available())),
        obstacle: obstacle(state, approval).as_ref().map(Obstacle::of),
        asks,
        limits,
    }
}

/// Those of some approvals that a scope may see, with what is left to spend.
pub(super) async fn shown(
    door: &Door,
    scope: Scope,
    at: At,
    approvals: Vec<ApprovalId>,
) -> Result<Vec<Shown>, Refusal> {
    let found = view(door, at, move |v| {
        let each = approvals.into_iter().map(|id| v.approval_view(scope, id));
        each.collect::<Result<Vec<_>, _>>()
    });
    let requests: Vec<ApprovalView> = found.await?.into_iter().flatten().collect();
    let ids: Vec<ApprovalId> = requests.iter().map(|r| r.approval.id).collect();
    let left = move |state: &Realm| {
        ids.into_iter()
            .map(|id| means(state, scope, id))
            .collect::<Vec<_>>()
    };
    let (_, means) = door.node.read(left).await?;
    let mut shown = Vec::with_capacity(requests.len());
    for (view, means) in requests.into_iter().zip(means) {
        let limits = dated(door, at, means.limits).await?;
        let left = limits.into_iter().zip(means.asks);
        shown.push(Shown {
            view,
            available: means.available,
            budgets: left
                .map(|(limit, (left_after, asks))| Left {
                    limit,
                    left_after,
                    asks,
                })
                .collect(),
            obstacle: means.obstacle,
        });
    }
    Ok(shown)
}

/// `GET /api/approvals/{id}`.
pub(super) async fn one(Path(name): Path<String>, read: Read) -> Answer<Shown> {
    let (wanted, scope) = (id(&name)?, read.scope().await?);
    let found = shown(&read.door, scope, read.query.at(), vec![wanted]).await?;
    let found = found.into_iter().next().ok_or(Code::NotFound)?;
    Ok(Json(found))
}

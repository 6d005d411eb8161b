//! Approvals as a person decides on them: what a yes agrees to, and what the limits and the account
//! leave.
//!
//! The request comes from the views, the remaining limits from the state, both as of now.

use axum::Json;
use rialto_core::amount::Amount;
use rialto_core::id::{AccountId, ApprovalId, OwnerId};
use rialto_core::ledger::Holder;
use rialto_core::market;
use rialto_core::policy::{Bound, Node, budgets};
use rialto_core::reject::Code;
use rialto_core::state::State as Realm;
use rialto_core::time::Time;
use rialto_views::{ApprovalView, Scope};
use serde::Serialize;

use super::Door;
use super::answer::Answer;
use super::path::Path;
use super::problem::Refusal;
use super::reads::{At, Read, id, view};

/// A limit at which the payment would count.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "BudgetLeft"))]
pub(super) struct Left {
    /// Whose limit.
    pub(super) node: Node,
    /// Its name.
    pub(super) name: String,
    /// The most that one transfer or deal may spend.
    pub(super) per_deal: Option<String>,
    /// The most that all transfers and deals together may take in a period.
    pub(super) per_period: Option<String>,
    /// How long a period is, in milliseconds.
    pub(super) period_ms: u64,
    /// What was spent or is held in this period.
    pub(super) spent: String,
    /// What is left of this period.
    pub(super) left: Option<String>,
    /// When the next period begins.
    pub(super) renews: Time,
    /// The amount above which a person has to approve.
    pub(super) approval_above: Option<String>,
    /// True when this limit is why a person is asked.
    pub(super) asks: bool,
}

/// The state's view of a payment that waits.
#[derive(Clone, Debug, Default)]
struct Means {
    available: Option<String>,
    budgets: Vec<Left>,
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

fn name_of(state: &Realm, node: Node) -> String {
    match node {
        Node::Realm => "the realm".to_owned(),
        Node::Owner(id) => {
            let owner = state.owners.get(&id);
            owner.map_or_else(|| id.to_string(), |o| format!("owner {}", o.name.as_str()))
        }
        Node::Team(id) => {
            let team = state.teams.get(&id);
            team.map_or_else(|| id.to_string(), |t| format!("team {}", t.name))
        }
        Node::Agent(id) => {
            let agent = state.agents.get(&id);
            agent.map_or_else(|| id.to_string(), |a| a.handle.to_string())
        }
    }
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
    let left = |budget: rialto_core::policy::Budget| Left {
        node: budget.node,
        name: name_of(state, budget.node),
        per_deal: budget.per_deal.map(show),
        per_period: budget.per_period.map(show),
        period_ms: budget.period_ms,
        spent: show(budget.spent),
        left: budget.left().map(show),
        renews: budget.renews,
        approval_above: budget.approval_above.map(show),
        asks: budget
            .approval_above
            .is_some_and(|above| waiting.amount > above),
    };
    let found = budgets(state, from, &payees, state.now());
    Means {
        available: state.accounts.get(&from).map(|a| show(a.available())),
        budgets: found.into_iter().map(left).collect(),
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
    let pairs = requests.into_iter().zip(means);
    Ok(pairs
        .map(|(view, means)| Shown {
            view,
            available: means.available,
            budgets: means.budgets,
        })
        .collect())
}

/// `GET /api/approvals/{id}`.
pub(super) async fn one(Path(name): Path<String>, read: Read) -> Answer<Shown> {
    let (wanted, scope) = (id(&name)?, read.scope().await?);
    let found = shown(&read.door, scope, read.query.at(), vec![wanted]).await?;
    let found = found.into_iter().next().ok_or(Code::NotFound)?;
    Ok(Json(found))
}

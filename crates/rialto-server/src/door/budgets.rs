//! What spending limits leave, as those who may see them read it.
//!
//! The limits and what was spent come from the state; when a limit was set, from the views.

use axum::Json;
use rialto_core::amount::Amount;
use rialto_core::id::AssetId;
use rialto_core::policy::{Budget, Node, budget};
use rialto_core::state::State as Realm;
use rialto_core::text::AssetCode;
use rialto_core::time::Time;
use rialto_views::AllowanceRow;
use serde::Serialize;

use super::Door;
use super::answer::{Answer, Items};
use super::path::Path;
use super::problem::Refusal;
use super::reads::{At, Read, operator, view};

/// A spending limit, and what it leaves.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "AllowanceShown"))]
pub(super) struct Standing {
    /// Whose limit.
    pub(super) node: Node,
    /// Its name.
    pub(super) name: String,
    /// The asset.
    pub(super) asset: String,
    /// The most that one transfer or deal may spend.
    pub(super) per_deal: Option<String>,
    /// The most that all transfers and deals together may take in a period.
    pub(super) per_period: Option<String>,
    /// How long a period is, in milliseconds.
    pub(super) period_ms: u64,
    /// What was spent or is held in this period. What is held counts as spent until it comes back.
    pub(super) spent: String,
    /// What is left of this period.
    pub(super) left: Option<String>,
    /// When the next period begins.
    pub(super) renews: Time,
    /// When the limit was set, if that was within this period: what was spent before does not count.
    pub(super) counts_from: Option<Time>,
    /// The amount above which a person has to approve.
    pub(super) approval_above: Option<String>,
}

/// A limit in the state, before it is known when it was set.
pub(super) struct Undated {
    standing: Standing,
    since: u64,
    began: Time,
}

/// A limit as the state holds it.
pub(super) fn standing(state: &Realm, asset: AssetId, budget: &Budget) -> Undated {
    let entity = state.assets.get(&asset);
    let scale = entity.map_or(0, |a| a.scale);
    let show = |amount: Amount| amount.display(scale);
    let standing = Standing {
        node: budget.node,
        name: name_of(state, budget.node),
        asset: entity.map_or_else(String::new, |a| a.code.to_string()),
        per_deal: budget.per_deal.map(show),
        per_period: budget.per_period.map(show),
        period_ms: budget.period_ms,
        spent: show(budget.spent),
        left: budget.left().map(show),
        renews: budget.renews,
        counts_from: None,
        approval_above: budget.approval_above.map(show),
    };
    Undated {
        standing,
        since: budget.since,
        began: budget.began,
    }
}

/// The same limits, with when they were set where that matters.
pub(super) async fn dated(
    door: &Door,
    at: At,
    limits: Vec<Undated>,
) -> Result<Vec<Standing>, Refusal> {
    let positions: Vec<u64> = limits.iter().map(|limit| limit.since).collect();
    let times = view(door, at, move |v| v.times(&positions)).await?;
    let dated = limits.into_iter().zip(times);
    Ok(dated
        .map(|(limit, set)| Standing {
            counts_from: set.filter(|set| *set > limit.began),
            ..limit.standing
        })
        .collect())
}

/// What a node is called.
pub(super) fn name_of(state: &Realm, node: Node) -> String {
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

/// The limits of nodes in all assets.
pub(super) fn of_nodes(state: &Realm, nodes: &[Node]) -> Vec<Undated> {
    let mut found = Vec::new();
    for node in nodes {
        state.assets.for_each(|asset, _| {
            let budget = budget(state, *node, *asset, state.now());
            found.extend(budget.map(|budget| (*asset, standing(state, *asset, &budget))));
        });
    }
    found.sort_by_key(|(asset, limit)| (limit.standing.node, *asset));
    found.into_iter().map(|(_, limit)| limit).collect()
}

/// The limits that the views list, as the state holds them now.
pub(super) async fn of_rows(
    door: &Door,
    at: At,
    rows: Vec<AllowanceRow>,
) -> Result<Vec<Standing>, Refusal> {
    let read = door.node.read(move |state| {
        let known = rows.into_iter().filter_map(|row| {
            let asset = state.asset_coded(&AssetCode::new(&row.asset).ok()?)?;
            let budget = budget(state, row.node, asset, state.now())?;
            Some(standing(state, asset, &budget))
        });
        known.collect::<Vec<_>>()
    });
    dated(door, at, read.await?.1).await
}

/// `GET /api/owners/{id}/allowances`.
pub(super) async fn of_owner(Path(name): Path<String>, read: Read) -> Answer<Items<Standing>> {
    let (owner, at) = (read.own(&name).await?, read.query.at());
    let rows = view(&read.door, at, move |v| v.allowances(owner)).await?;
    let items = of_rows(&read.door, at, rows).await?;
    Ok(Json(Items { items }))
}

/// `GET /api/realm/allowances`.
pub(super) async fn of_realm(read: Read) -> Answer<Items<Standing>> {
    operator(&read.door, &read.caller).await?;
    let found = read.door.node.read(|state| of_nodes(state, &[Node::Realm]));
    let items = dated(&read.door, read.query.at(), found.await?.1).await?;
    Ok(Json(Items { items }))
}

//! What spending limits leave, as those who may see them read it.
//!
//! The limits and what was spent come from the state; when a limit was set, from the views.

use axum::Json;
use rialto_core::amount::Amount;
use rialto_core::id::AssetId;
use rialto_core::policy::{Budget, Line, LineScope, Node, Unit, UnitRef, budget, lines};
use rialto_core::state::State as Realm;
use rialto_core::text::AssetCode;
use rialto_core::time::Time;
use rialto_views::{AllowanceLinesRow, AllowanceRow};
use serde::Serialize;

use super::Door;
use super::answer::{Answer, Items};
use super::path::Path;
use super::problem::Refusal;
use super::reads::{At, Read, operator, view};

/// A spending limit, and what it leaves: a node's own limits in an asset, or a line of its allowance.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "AllowanceShown"))]
pub(super) struct Standing {
    /// Whose limit.
    pub(super) node: Node,
    /// Its name.
    pub(super) name: String,
    /// What it counts, if it is a line.
    pub(super) on: Option<LineScope>,
    /// What it counts in.
    pub(super) unit: UnitRef,
    /// The asset; for what is not money, `tokens` or `ms`.
    pub(super) asset: String,
    /// The most that one transfer or deal may spend.
    pub(super) per_deal: Option<String>,
    /// The most that may be spent in a period.
    pub(super) per_period: Option<String>,
    /// How long a period is, in milliseconds; none if the limit is for all time.
    pub(super) period_ms: Option<u64>,
    /// What was spent, or is held or reserved, in this period. What is held or reserved counts as spent
    /// until it comes back.
    pub(super) spent: String,
    /// What is left of this period.
    pub(super) left: Option<String>,
    /// When the next period begins, if one does.
    pub(super) renews: Option<Time>,
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
        on: None,
        unit: UnitRef::Money,
        asset: entity.map_or_else(String::new, |a| a.code.to_string()),
        per_deal: budget.per_deal.map(show),
        per_period: budget.per_period.map(show),
        period_ms: Some(budget.period_ms),
        spent: show(budget.spent),
        left: budget.left().map(show),
        renews: Some(budget.renews),
        counts_from: None,
        approval_above: budget.approval_above.map(show),
    };
    Undated {
        standing,
        since: budget.since,
        began: budget.began,
    }
}

/// A line as the state holds it, and when its current period began.
pub(super) fn line_standing(state: &Realm, node: Node, (line, began): (&Line, Time)) -> Undated {
    let (unit, asset, scale) = match line.terms.unit {
        Unit::Tokens => (UnitRef::Tokens, "tokens".to_owned(), 0),
        Unit::Milliseconds => (UnitRef::Milliseconds, "ms".to_owned(), 0),
        Unit::Money(asset) => {
            let known = state.assets.get(&asset);
            let code = known.map_or_else(String::new, |a| a.code.to_string());
            (UnitRef::Money, code, known.map_or(0, |a| a.scale))
        }
    };
    let show = |amount: Amount| match unit {
        UnitRef::Money => amount.display(scale),
        UnitRef::Tokens | UnitRef::Milliseconds => amount.0.to_string(),
    };
    let used = line.used_now(state.now());
    let left = line.terms.limit.minus(used).unwrap_or_default();
    let standing = Standing {
        node,
        name: name_of(state, node),
        on: Some(line.terms.on.clone()),
        unit,
        asset,
        per_deal: None,
        per_period: Some(show(line.terms.limit)),
        period_ms: line.terms.period_ms,
        spent: show(used),
        left: Some(show(left.max(Amount::ZERO))),
        renews: line.terms.period_ms.map(|ms| began.after(ms)),
        counts_from: None,
        approval_above: None,
    };
    Undated {
        standing,
        since: line.since,
        began,
    }
}

fn lines_of(state: &Realm, node: Node) -> Vec<Undated> {
    let lines = lines(state, node, state.now());
    let all = lines
        .iter()
        .map(|(line, began)| line_standing(state, node, (line, *began)));
    all.collect()
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

/// The limits of nodes: in all assets, then by line.
pub(super) fn of_nodes(state: &Realm, nodes: &[Node]) -> Vec<Undated> {
    let mut found = Vec::new();
    for node in nodes {
        state.assets.for_each(|asset, _| {
            let budget = budget(state, *node, *asset, state.now());
            found.extend(budget.map(|budget| (*asset, standing(state, *asset, &budget))));
        });
    }
    found.sort_by_key(|(asset, limit)| (limit.standing.node, *asset));
    let mut found: Vec<Undated> = found.into_iter().map(|(_, limit)| limit).collect();
    found.extend(nodes.iter().flat_map(|node| lines_of(state, *node)));
    found.sort_by_key(|limit| limit.standing.node);
    found
}

/// The limits that the views list, as the state holds them now.
pub(super) async fn of_rows(
    door: &Door,
    at: At,
    (rows, lined): (Vec<AllowanceRow>, Vec<AllowanceLinesRow>),
) -> Result<Vec<Standing>, Refusal> {
    let read = door.node.read(move |state| {
        let known = rows.into_iter().filter_map(|row| {
            let asset = state.asset_coded(&AssetCode::new(&row.asset).ok()?)?;
            let budget = budget(state, row.node, asset, state.now())?;
            Some(standing(state, asset, &budget))
        });
        let lines = lined.iter().flat_map(|of| lines_of(state, of.node));
        let mut found: Vec<Undated> = known.chain(lines).collect();
        found.sort_by_key(|limit| limit.standing.node);
        found
    });
    dated(door, at, read.await?.1).await
}

/// `GET /api/owners/{id}/allowances`.
pub(super) async fn of_owner(Path(name): Path<String>, read: Read) -> Answer<Items<Standing>> {
    let (owner, at) = (read.own(&name).await?, read.query.at());
    let rows =
        move |v: &rialto_views::ViewReader| Ok((v.allowances(owner)?, v.allowance_lines(owner)?));
    let rows = view(&read.door, at, rows).await?;
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

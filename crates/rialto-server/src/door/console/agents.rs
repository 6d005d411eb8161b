//! Agents: the list, registering one, one agent, its allowance and its stop switch.

use axum::extract::Path;
use axum::response::Response;
use rialto_console::form::Sent;
use rialto_console::kit::{Money, Who, grouped};
use rialto_console::pages::agents::{
    AgentLine, Allowance, InForce, Issued, List, One, Private, Record,
};
use rialto_console::shell::Place;
use rialto_core::amount::Amount;
use rialto_core::id::{AgentId, AnyId};
use rialto_core::identity::{
    AgentRef, IdentityCommand, Principal, Profile, RegisterAgent, Subject, SwitchSubject,
};
use rialto_core::mail::Inbox;
use rialto_core::policy::{
    Action, Limit, LineScope, Node, NodeRef, PolicyCommand, SetAllowance, UnitRef, authorise,
};
use rialto_core::reject::Code;
use rialto_core::state::State;
use rialto_core::time::{DAY_MS, HOUR_MS};
use rialto_views::{AgentCard, AgentQuery, MemberOf, Paging, Scope, Whom};
use rialto_wire::body::Body;
use serde_json::Value;

use super::ledger::account;
use super::overview::deal;
use super::request::{Posted, SignedIn, answered, done, to};
use super::show::{money, names};
use super::{square, standing, tokens};
use crate::door::budgets::{Standing, dated, of_nodes};
use crate::door::problem::Refusal;
use crate::door::reads::{At, agent_card};

/// How much of an agent's description a list shows.
const SHOWN: usize = 80;

/// `GET /agents`.
pub(super) async fn list(user: SignedIn) -> Result<Response, Refusal> {
    listed(&user, None, None).await
}

async fn listed(
    user: &SignedIn,
    sent: Option<Sent>,
    issued: Option<Issued>,
) -> Result<Response, Refusal> {
    let text = |name| user.param(name).map(str::to_owned);
    let scope = user.scope().await?;
    let query = AgentQuery {
        text: text("text"),
        skill: text("skill"),
        tag: text("tag"),
        owner: None,
        seen_by: Some(scope),
    };
    let paging = user.paging(30);
    let found = user.view(move |v| v.agents(&query, &paging)).await?;
    let (may, operator) = may_register(user).await?;
    let list = List {
        text: text("text").unwrap_or_default(),
        skill: text("skill").unwrap_or_default(),
        rows: found
            .items
            .iter()
            .map(|card| line(user, card, scope))
            .collect(),
        next: user.next(found.next_cursor.as_deref()),
        register: may.then(|| user.form_token()),
        names_owner: operator,
        sent,
        issued,
    };
    user.page("Agents", Place::Agents, &list.page()).await
}

/// Whether the viewer may register agents, and whether it must say whose.
async fn may_register(user: &SignedIn) -> Result<(bool, bool), Refusal> {
    match (user.caller.principal, user.scope().await?) {
        (Principal::Operator, _) => Ok((true, true)),
        (Principal::Person(_), Scope::Owner(owner)) => {
            let [may] = user.may([Action::ManageOwner(owner)]).await?;
            Ok((may, false))
        }
        _ => Ok((false, false)),
    }
}

/// A card as a line.
pub(super) fn line(user: &SignedIn, card: &AgentCard, scope: Scope) -> AgentLine {
    let said = card.description.as_ref();
    let record = &card.reputation;
    AgentLine {
        who: rialto_console::kit::Who::new(card.handle.clone())
            .resembling(card.resembles.as_deref()),
        owner: card.owner_name.clone(),
        owner_id: (scope == Scope::Realm || scope == Scope::Owner(card.owner))
            .then(|| card.owner.into()),
        text: said
            .map(|said| user.written(said).line(SHOWN))
            .unwrap_or_default(),
        skills: names(&card.skills),
        record: Record {
            sold: record.sold,
            bought: record.bought,
            disputed: record.disputed,
            refunded: record.refunded,
            expired: record.expired,
            partners: record.partners,
        },
        status: card.status.clone(),
    }
}

/// `POST /agents`: registers one and shows its token once.
pub(super) async fn register(form: Posted) -> Result<Response, Refusal> {
    let handle = form.field("handle").unwrap_or_default();
    let outcome = async {
        let agent = RegisterAgent {
            owner: form.maybe("owner")?,
            team: None,
            handle: form.value("handle")?,
            key: None,
            profile: Profile {
                description: form.field("description").map(Body::text),
                ..Profile::default()
            },
        };
        form.carry_out(IdentityCommand::RegisterAgent(agent)).await
    };
    match outcome.await {
        Ok(accepted) => {
            let issued = Issued {
                handle: format!("@{}", handle.trim_start_matches('@')),
                registered: true,
                secret: accepted.token.map(|token| token.secret),
            };
            listed(&form.user, None, Some(issued)).await
        }
        Err(refusal) => {
            let sent = form.refused("register", &refusal);
            answered(&refusal, listed(&form.user, Some(sent), None).await)
        }
    }
}

/// `GET /agents/{agent}`.
pub(super) async fn one(user: SignedIn, Path(name): Path<String>) -> Result<Response, Refusal> {
    shown(&user, &name, None).await
}

pub(super) async fn card_of(user: &SignedIn, name: &str) -> Result<AgentCard, Refusal> {
    let name = name.to_owned();
    let card = user.view(move |v| agent_card(v, &name)).await?;
    card.ok_or(Code::NotFound.into())
}

async fn shown(user: &SignedIn, name: &str, sent: Option<Sent>) -> Result<Response, Refusal> {
    whole(user, name, sent, None).await
}

/// An agent's page, with a token that was just issued if one was.
pub(super) async fn whole(
    user: &SignedIn,
    name: &str,
    sent: Option<Sent>,
    issued: Option<Issued>,
) -> Result<Response, Refusal> {
    let card = card_of(user, name).await?;
    let (id, owner) = (card.id, card.owner);
    let [manage, stop] = user
        .may([Action::ManageOwner(owner), Action::Stop(owner)])
        .await?;
    let private = match user.scope_of(id).await? {
        Some(scope) => Some(private_side(user, id, scope).await?),
        None => None,
    };
    let read = user.view(move |v| {
        let many = Paging {
            cursor: None,
            limit: 50,
        };
        Ok((v.listings_of(id, &many)?.items, v.assets()?))
    });
    let (listings, assets) = read.await?;
    let done = user.param("done").map(done);
    let side = standing::of(user, id).await?;
    let page = One {
        address: user.address(&format!(
            "/agents/{}",
            rialto_console::kit::path_part(&card.handle)
        )),
        id: id.into(),
        line: line(user, &card, user.scope().await?),
        did: card.did.clone(),
        custody: card.custody.clone(),
        description: card.description.as_ref().map(|said| user.written(said)),
        tags: names(&card.tags),
        endpoint: card.endpoint.as_str().unwrap_or_default().to_owned(),
        contact: first_messages(card.contact.as_str().unwrap_or_default()).to_owned(),
        mentions: mentions(&card),
        created: user.when(card.created),
        listings: listings
            .iter()
            .map(|l| (l.id.into(), l.title.to_string()))
            .collect(),
        private,
        reputation: side.reputation,
        measures: side.measures,
        follows: side.follows,
        posts: side.posts,
        stake: stake_of(user, id).await?,
        tokens: tokens::of(user, id).await?,
        issued,
        acting_as: square::acting_as(user).await?,
        judge: side.judge,
        manage: manage.then(|| user.form_token()),
        stop: stop.then(|| user.form_token()),
        in_force: in_force(user, id, user.param("asset")).await?,
        assets: assets.into_iter().map(|asset| asset.code).collect(),
        sent: sent.or(done),
    };
    user.page(&card.handle, Place::Agents, &page.page()).await
}

fn first_messages(policy: &str) -> &'static str {
    match policy {
        "open" => "from anybody",
        "closed" => "only from its owner's agents and partners of deals",
        _ => "as requests, to be admitted or refused",
    }
}

/// Whose mentions reach an agent's inbox.
fn mentions(card: &AgentCard) -> String {
    let closed = card.contact.as_str() == Some("closed");
    match (&card.mentions, closed) {
        (Value::Array(who), _) if who.is_empty() => "of nobody but its owner's agents".to_owned(),
        (Value::Array(_), _) => format!("of {}", names(&card.mentions).join(", ")),
        (_, true) => "of followed, dealt, members".to_owned(),
        (_, false) => "of all".to_owned(),
    }
}

fn whom(row: &Whom) -> Who {
    match row {
        Whom::Agent(who) => super::show::who(who),
        Whom::Owner { name, .. } => Who::new(format!("owner {name}")),
    }
}

fn place(row: &MemberOf) -> (String, &'static str) {
    let place = match (row.joined, row.moderator) {
        (false, _) => "(asked to join)",
        (true, true) => "(moderates)",
        (true, false) => "",
    };
    (row.community.clone(), place)
}

async fn private_side(user: &SignedIn, id: AgentId, scope: Scope) -> Result<Private, Refusal> {
    let read = user.view(move |v| {
        let many = Paging {
            cursor: None,
            limit: 50,
        };
        let few = Paging {
            cursor: None,
            limit: 10,
        };
        let bonds = (
            v.mutes(id, &few)?.items,
            v.blocks(id, &few)?.items,
            v.communities_of(id, &few)?.items,
        );
        Ok((
            v.accounts(scope, &many)?.items,
            v.deals(scope, &few)?.items,
            bonds,
        ))
    });
    let (accounts, deals, (mutes, blocks, communities)) = read.await?;
    let principal = user.caller.principal;
    let stands = user.state(move |state| {
        let inbox = state.inboxes.get(&id).cloned().unwrap_or_default();
        let limits = of_nodes(state, &nodes_of(state, principal, id));
        (inbox, limits)
    });
    let (inbox, limits): (Inbox, _) = stands.await?;
    let limits = dated(user.door(), At::default(), limits).await?.into_iter();
    let allowances = limits.map(|limit| allowance(user, limit)).collect();
    Ok(Private {
        accounts: accounts.iter().map(account).collect(),
        deals: deals.iter().map(|row| deal(user, row)).collect(),
        inbox_last: inbox.next.saturating_sub(1),
        inbox_acknowledged: inbox.acknowledged,
        inbox_first: inbox.first,
        allowances,
        muted: mutes.iter().map(|row| whom(&row.whom)).collect(),
        blocked: blocks.iter().map(|row| whom(&row.whom)).collect(),
        communities: communities.iter().map(place).collect(),
    })
}

/// An agent's own node, and those above it only for who may see its owner.
fn nodes_of(state: &State, principal: Principal, id: AgentId) -> Vec<Node> {
    let Some(agent) = state.agents.get(&id) else {
        return Vec::new();
    };
    let mut nodes = vec![Node::Agent(id)];
    if authorise(state, principal, Action::ViewOwner(agent.owner)).is_ok() {
        nodes.extend(agent.team.map(Node::Team));
        nodes.push(Node::Owner(agent.owner));
    }
    nodes
}

/// A period as people name it.
pub(super) fn span(ms: u64) -> String {
    match ms {
        DAY_MS => "day".to_owned(),
        HOUR_MS => "hour".to_owned(),
        ms if ms == 7 * DAY_MS => "week".to_owned(),
        ms => rialto_console::kit::span_text(ms),
    }
}

/// `POST /agents/{agent}/allowance`.
pub(super) async fn allow(Path(name): Path<String>, form: Posted) -> Result<Response, Refusal> {
    let card = card_of(&form.user, &name).await?;
    let outcome = async {
        let limits = limits(card.id, &form)?;
        form.carry_out(PolicyCommand::SetAllowance(limits)).await
    };
    let outcome = outcome.await;
    settled(&form, &card, "allowance", outcome.map(drop)).await
}

/// The stake of an agent's owner for it, for those who may see its private side.
async fn stake_of(user: &SignedIn, id: AgentId) -> Result<Option<(AnyId, Money)>, Refusal> {
    let Some(scope) = user.scope_of(id).await? else {
        return Ok(None);
    };
    let held = user.state(move |state| state.stakes.get(&id).map(|stake| stake.hold));
    let Some(hold) = held.await? else {
        return Ok(None);
    };
    // The hold is its owner's.
    let own = user.scope().await?;
    let read = user.view(move |v| Ok(v.hold(own, hold)?.or(v.hold(scope, hold)?)));
    let found = read.await?;
    Ok(found.map(|row| (hold.into(), money(&row.amount, &row.asset))))
}

/// Back to the agent's page: with what was done, or with why it was refused.
pub(super) async fn settled(
    form: &Posted,
    card: &AgentCard,
    name: &str,
    outcome: Result<(), Refusal>,
) -> Result<Response, Refusal> {
    match outcome {
        Ok(()) => {
            let handle = rialto_console::kit::path_part(&card.handle);
            Ok(to(&format!("/agents/{handle}?done={name}")))
        }
        Err(refusal) => {
            let sent = form.refused(name, &refusal);
            answered(&refusal, shown(&form.user, &card.handle, Some(sent)).await)
        }
    }
}

/// What the form says: it opened with what was in force, so an empty field clears its limit.
fn limits(agent: AgentId, form: &Posted) -> Result<SetAllowance, Refusal> {
    let field = |name| form.field(name);
    let period_ms = match field("period") {
        Some("hour") => HOUR_MS,
        Some("week") => 7 * DAY_MS,
        other => other.and_then(|ms| ms.parse().ok()).unwrap_or(DAY_MS),
    };
    let names = [
        ("per_deal", Limit::PerDeal),
        ("per_period", Limit::PerPeriod),
        ("approval_above", Limit::ApprovalAbove),
    ];
    let cleared = names.into_iter().filter(|(name, _)| field(name).is_none());
    Ok(SetAllowance {
        node: NodeRef::Agent(AgentRef::Id(agent)),
        asset: form.maybe("asset")?,
        per_deal: form.maybe("per_deal")?,
        per_period: form.maybe("per_period")?,
        period_ms: Some(period_ms),
        approval_above: form.maybe("approval_above")?,
        clear: cleared.map(|(_, limit)| limit).collect(),
        lines: Vec::new(),
        clear_lines: Vec::new(),
    })
}

/// The agent's own limits in an asset, the realm's first unless one is named; the form opens with them.
async fn in_force(
    user: &SignedIn,
    id: AgentId,
    code: Option<&str>,
) -> Result<Option<InForce>, Refusal> {
    let code = code.and_then(|code| rialto_core::text::AssetCode::new(code).ok());
    let principal = user.caller.principal;
    let read = user.state(move |state| {
        let owner = state.agents.get(&id)?.owner;
        authorise(state, principal, Action::ManageOwner(owner)).ok()?;
        let first = state.realm.get(&()).and_then(|r| r.asset);
        let asset = code.map_or(first, |code| state.asset_coded(&code))?;
        let entity = state.assets.get(&asset)?;
        let limits = state.allowances.get(&(Node::Agent(id), asset));
        let print =
            |amount: Option<Amount>| amount.map(|a| a.display(entity.scale)).unwrap_or_default();
        Some(InForce {
            asset: entity.code.to_string(),
            per_deal: print(limits.and_then(|l| l.per_deal)),
            per_period: print(limits.and_then(|l| l.per_period)),
            period: match limits.map_or(DAY_MS, |l| l.period_ms) {
                HOUR_MS => "hour".to_owned(),
                DAY_MS => "day".to_owned(),
                ms if ms == 7 * DAY_MS => "week".to_owned(),
                ms => ms.to_string(),
            },
            approval_above: print(limits.and_then(|l| l.approval_above)),
        })
    });
    read.await
}

/// What a stop switch's form asks for.
///
/// # Errors
/// [`Code::Malformed`].
pub(super) fn switched(form: &Posted, subject: Subject) -> Result<IdentityCommand<Body>, Refusal> {
    let switch = SwitchSubject { subject };
    match form.field("to") {
        Some("suspend") => Ok(IdentityCommand::Suspend(switch)),
        Some("resume") => Ok(IdentityCommand::Resume(switch)),
        _ => Err(Refusal::new(Code::Malformed, "to: suspend or resume")),
    }
}

/// `POST /agents/{agent}/switch`.
pub(super) async fn switch(Path(name): Path<String>, form: Posted) -> Result<Response, Refusal> {
    let card = card_of(&form.user, &name).await?;
    let command = switched(&form, Subject::Agent(AgentRef::Id(card.id)))?;
    let outcome = form.carry_out(command).await;
    settled(&form, &card, "switch", outcome.map(drop)).await
}

/// A limit as a line of a page.
pub(super) fn allowance(user: &SignedIn, limit: Standing) -> Allowance {
    let shown = |figure: String| match (limit.unit, figure.parse()) {
        (UnitRef::Tokens | UnitRef::Milliseconds, Ok(number)) => grouped(number),
        _ => figure,
    };
    Allowance {
        node: limit.name,
        on: limit
            .on
            .filter(|on| *on != LineScope::All)
            .map(|on| on.to_string()),
        asset: limit.asset,
        per_deal: limit.per_deal,
        per_period: limit.per_period.map(shown),
        period: limit.period_ms.map_or_else(|| "all time".to_owned(), span),
        spent: shown(limit.spent),
        left: limit.left.map(shown),
        renews: limit.renews.map(|at| user.when(at)),
        counts_from: limit.counts_from.map(|at| user.when(at)),
        approval_above: limit.approval_above,
    }
}

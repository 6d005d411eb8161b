//! Reads: from the state where it must be right at once, else from the views.
//!
//! Lists are filtered by what the caller may see ([`super::auth::scope`]). A thing that exists but is
//! not the caller's to see answers exactly as one that does not exist.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use rialto_core::id::OwnerId;
use rialto_core::identity::Principal;
use rialto_core::policy::{Action, authorise};
use rialto_core::reject::Code;
use rialto_core::time::Time;
use rialto_core::work::TaskState;
use rialto_views::{
    AgentCard, AgentQuery, Dimension, Error as ViewError, EventFilter, Order, Paging, ViewReader,
};
use rialto_wire::search::ListingQuery;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Door;
use super::auth::{Caller, live, scope};
use super::problem::Refusal;

/// How long a read waits for the views to reach what was durable when it came.
const CATCH_UP: Duration = Duration::from_secs(1);
/// How long a read waits for a position that it names.
const MIN_POSITION: Duration = Duration::from_secs(10);

pub(super) type Door_ = State<Arc<Door>>;
pub(super) type Answer<T> = Result<Json<T>, Refusal>;

/// The query parameters of a list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    cursor: Option<String>,
    limit: Option<u32>,
    min_position: Option<u64>,
    pub(super) text: Option<String>,
    skill: Option<String>,
    tag: Option<String>,
    owner: Option<String>,
    order: Option<String>,
    state: Option<TaskState>,
    pub(super) all: Option<bool>,
    by: Option<String>,
    key: Option<String>,
    from: Option<u64>,
    to: Option<u64>,
    pub(super) after: Option<u64>,
    kind: Option<String>,
    actor: Option<String>,
    pub(super) feed: Option<String>,
    pub(super) community: Option<String>,
    quarantined: Option<String>,
    pub(super) appealed: Option<bool>,
}

/// What a read must have seen, and whether it shows quarantined texts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct At {
    min_position: Option<u64>,
    reveal: bool,
}

impl ListQuery {
    pub(super) fn at(&self) -> At {
        At {
            min_position: self.min_position,
            reveal: self.quarantined.as_deref() == Some("show"),
        }
    }

    pub(super) fn paging(&self) -> Paging {
        let usual = Paging::default();
        Paging {
            cursor: self.cursor.clone(),
            limit: self.limit.unwrap_or(usual.limit),
        }
    }

    fn period(&self) -> Option<(Time, Time)> {
        match (self.from, self.to) {
            (None, None) => None,
            (from, to) => Some((Time(from.unwrap_or(0)), Time(to.unwrap_or(u64::MAX)))),
        }
    }

    fn dimensions(&self) -> Result<Vec<Dimension>, Refusal> {
        let by = self.by.as_deref().unwrap_or("owner");
        by.split(',')
            .map(|name| name.trim().parse().map_err(refused))
            .collect()
    }
}

pub(super) type Listed = Result<Query<ListQuery>, axum::extract::rejection::QueryRejection>;

pub(super) fn listed(query: Listed) -> Result<ListQuery, Refusal> {
    query
        .map(|q| q.0)
        .map_err(|e| Refusal::new(Code::Malformed, e.body_text()))
}

pub(super) fn id<T: std::str::FromStr>(text: &str) -> Result<T, Refusal>
where
    T::Err: std::fmt::Display,
{
    text.parse()
        .map_err(|e: T::Err| Refusal::new(Code::Malformed, e.to_string()))
}

fn refused(error: ViewError) -> Refusal {
    match error {
        ViewError::BadCursor => Code::BadCursor.into(),
        ViewError::BadLimit { .. } | ViewError::BadQuery(_) | ViewError::TooBroad(_) => {
            Refusal::new(Code::Malformed, error.to_string())
        }
        other => Refusal::new(Code::StorageFailed, other.to_string()),
    }
}

/// Waits until the views have reached what the read must see.
async fn caught_up(door: &Door, min_position: Option<u64>) -> Result<(), Refusal> {
    let mut indexed = door.node.hub().watch_indexed();
    let wanted = min_position.unwrap_or_else(|| door.node.hub().durable());
    let patience = if min_position.is_some() {
        MIN_POSITION
    } else {
        CATCH_UP
    };
    let reached = tokio::time::timeout(patience, indexed.wait_for(|at| *at >= wanted)).await;
    match reached {
        Ok(Ok(_)) => Ok(()),
        _ if min_position.is_none() => Ok(()),
        _ => Err(Code::WaitTooLong.into()),
    }
}

/// Reads the views on a thread that may block.
pub(super) async fn view<T: Send + 'static>(
    door: &Arc<Door>,
    at: At,
    read: impl FnOnce(&ViewReader) -> Result<T, ViewError> + Send + 'static,
) -> Result<T, Refusal> {
    caught_up(door, at.min_position).await?;
    let _place = door.reads.acquire().await.map_err(|_| Code::Draining)?;
    let views = door.views.clone().revealing(at.reveal);
    let outcome = tokio::task::spawn_blocking(move || read(&views)).await;
    outcome
        .map_err(|e| Refusal::new(Code::Defect, e.to_string()))?
        .map_err(refused)
}

pub(super) fn found<T>(thing: Option<T>) -> Answer<T> {
    thing.map(Json).ok_or(Code::NotFound.into())
}

macro_rules! lists {
    ($($name:ident = $read:ident;)*) => {$(
        pub(super) async fn $name(State(door): Door_, caller: Caller, query: Listed) -> Result<Response, Refusal> {
            let query = listed(query)?;
            let scope = scope(&door, &caller).await?;
            let page = view(&door, query.at(), move |v| v.$read(scope, &query.paging())).await?;
            Ok(Json(page).into_response())
        }
    )*};
}

lists! {
    conversations = conversations;
    teams = teams;
    calls = calls;
    negotiations = negotiations;
    deals = deals;
    accounts = accounts;
    holds = holds;
    tokens = tokens;
}

macro_rules! things {
    ($($name:ident = $read:ident;)*) => {$(
        pub(super) async fn $name(
            State(door): Door_,
            caller: Caller,
            Path(name): Path<String>,
            query: Listed,
        ) -> Result<Response, Refusal> {
            let (query, wanted) = (listed(query)?, id(&name)?);
            let scope = scope(&door, &caller).await?;
            let thing = view(&door, query.at(), move |v| v.$read(scope, wanted)).await?;
            found(thing).map(IntoResponse::into_response)
        }
    )*};
}

things! {
    conversation = conversation;
    message = message;
    task = task;
    team = team;
    call = call;
    negotiation = negotiation;
    deal = deal;
    approval = approval;
    account = account;
    entry = entry;
    hold = hold;
    trace = trace;
}

/// `GET /api/realm`.
pub(super) async fn realm(State(door): Door_) -> Answer<Value> {
    let read = door.node.read(|state| {
        let realm = state.realm.get(&());
        (
            realm.map(|r| (r.name.to_string(), r.key)),
            state.now(),
            state.settings(),
        )
    });
    let (position, (realm, time, settings)) = read.await?;
    let (name, key) = realm.ok_or(Code::Defect)?;
    Ok(Json(json!({
        "name": name, "key": key, "position": position, "time": time, "time_ms": time.0,
        "indexed": door.node.hub().indexed(), "version": env!("CARGO_PKG_VERSION"),
        "sign_up_open": settings.sign_up_open,
    })))
}

/// Who a token belongs to.
#[derive(Debug, Serialize)]
pub(super) struct WhoAmI {
    principal: Principal,
    auth: rialto_core::identity::Auth,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<OwnerId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    handle: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<rialto_core::identity::Role>,
    position: u64,
}

/// `GET /api/whoami`.
pub(super) async fn whoami(State(door): Door_, caller: Caller) -> Answer<WhoAmI> {
    caller.known()?;
    let (principal, auth) = (caller.principal, caller.auth);
    let read = door.node.read(move |state| {
        live(state, principal, auth)?;
        Ok::<_, Refusal>(match principal {
            Principal::Agent(id) => {
                let agent = state.agents.get(&id);
                (
                    agent.map(|a| a.owner),
                    agent.map(|a| a.handle.to_string()),
                    None,
                )
            }
            Principal::Person(id) => {
                let person = state.persons.get(&id);
                (
                    person.map(|p| p.owner),
                    person.map(|p| p.name.to_string()),
                    person.map(|p| p.role),
                )
            }
            _ => (None, None, None),
        })
    });
    let (position, found) = read.await?;
    let (owner, handle, role) = found?;
    Ok(Json(WhoAmI {
        principal,
        auth,
        owner,
        handle,
        role,
        position,
    }))
}

async fn operator(door: &Door, caller: &Caller) -> Result<(), Refusal> {
    caller.known()?;
    let (principal, auth) = (caller.principal, caller.auth);
    let judged = door.node.read(move |state| {
        live(state, principal, auth)?;
        authorise(state, principal, Action::ManageRealm).map_err(Refusal::from)
    });
    judged.await?.1
}

/// `GET /api/digest`.
pub(super) async fn digest(State(door): Door_, caller: Caller) -> Answer<Value> {
    operator(&door, &caller).await?;
    let digested = door.node.digest().await?;
    Ok(Json(json!({
        "position": digested.position, "digest": format!("b3:{}", digested.digest), "entities": digested.entities
    })))
}

/// `GET /api/agents`.
pub(super) async fn agents(State(door): Door_, query: Listed) -> Result<Response, Refusal> {
    let query = listed(query)?;
    let owner = query.owner.as_deref().map(id).transpose()?;
    let wanted = AgentQuery {
        text: query.text.clone(),
        skill: query.skill.clone(),
        tag: query.tag.clone(),
        owner,
    };
    let page = view(&door, query.at(), move |v| {
        v.agents(&wanted, &query.paging())
    })
    .await?;
    Ok(Json(page).into_response())
}

pub(super) fn agent_card(views: &ViewReader, name: &str) -> Result<Option<AgentCard>, ViewError> {
    match name.parse() {
        Ok(id) => views.agent(id),
        Err(_) => views.agent_by_handle(name.trim_start_matches('@')),
    }
}

/// `GET /api/agents/{agent}`.
pub(super) async fn agent(
    State(door): Door_,
    Path(name): Path<String>,
    query: Listed,
) -> Result<Response, Refusal> {
    let query = listed(query)?;
    let card = view(&door, query.at(), move |v| agent_card(v, &name)).await?;
    found(card).map(IntoResponse::into_response)
}

/// `GET /api/agents/{agent}/listings`.
pub(super) async fn listings_of(
    State(door): Door_,
    Path(name): Path<String>,
    query: Listed,
) -> Result<Response, Refusal> {
    let query = listed(query)?;
    let page = view(&door, query.at(), move |v| {
        let Some(card) = agent_card(v, &name)? else {
            return Ok(None);
        };
        v.listings_of(card.id, &query.paging()).map(Some)
    });
    found(page.await?).map(IntoResponse::into_response)
}

/// `POST /api/search/listings`.
pub(super) async fn search_listings(
    State(door): Door_,
    query: Listed,
    body: Result<Json<ListingQuery>, JsonRejection>,
) -> Result<Response, Refusal> {
    let query = listed(query)?;
    let Json(wanted) = body.map_err(|e| Refusal::new(Code::Malformed, e.body_text()))?;
    let page = view(&door, query.at(), move |v| v.search_listings(&wanted)).await?;
    Ok(Json(page).into_response())
}

/// `GET /api/listings/{id}`.
pub(super) async fn listing(
    State(door): Door_,
    Path(name): Path<String>,
    query: Listed,
) -> Result<Response, Refusal> {
    let (query, wanted) = (listed(query)?, id(&name)?);
    let listing = view(&door, query.at(), move |v| v.listing(wanted)).await?;
    found(listing).map(IntoResponse::into_response)
}

/// `GET /api/conversations/{id}/messages`.
pub(super) async fn messages_in(
    State(door): Door_,
    caller: Caller,
    Path(name): Path<String>,
    query: Listed,
) -> Result<Response, Refusal> {
    let (query, wanted) = (listed(query)?, id(&name)?);
    let order = match query.order.as_deref() {
        None | Some("newest") => Order::NewestFirst,
        Some("oldest") => Order::OldestFirst,
        Some(_) => return Err(Refusal::new(Code::Malformed, "order: newest or oldest")),
    };
    let scope = scope(&door, &caller).await?;
    let page = view(&door, query.at(), move |v| {
        v.messages(scope, wanted, order, &query.paging())
    })
    .await?;
    Ok(Json(page).into_response())
}

/// `GET /api/messages?text=`.
pub(super) async fn search_messages(
    State(door): Door_,
    caller: Caller,
    query: Listed,
) -> Result<Response, Refusal> {
    let query = listed(query)?;
    let scope = scope(&door, &caller).await?;
    let text = query.text.clone().unwrap_or_default();
    let page = view(&door, query.at(), move |v| {
        v.search_messages(scope, &text, &query.paging())
    })
    .await?;
    Ok(Json(page).into_response())
}

/// `GET /api/tasks`.
pub(super) async fn tasks(
    State(door): Door_,
    caller: Caller,
    query: Listed,
) -> Result<Response, Refusal> {
    let query = listed(query)?;
    let scope = scope(&door, &caller).await?;
    let page = view(&door, query.at(), move |v| {
        v.tasks(scope, query.state, &query.paging())
    })
    .await?;
    Ok(Json(page).into_response())
}

/// `GET /api/approvals`.
pub(super) async fn approvals(
    State(door): Door_,
    caller: Caller,
    query: Listed,
) -> Result<Response, Refusal> {
    let query = listed(query)?;
    let scope = scope(&door, &caller).await?;
    let open_only = !query.all.unwrap_or(false);
    let page = view(&door, query.at(), move |v| {
        v.approvals(scope, open_only, &query.paging())
    })
    .await?;
    Ok(Json(page).into_response())
}

/// `GET /api/assets`.
pub(super) async fn assets(State(door): Door_, query: Listed) -> Result<Response, Refusal> {
    let query = listed(query)?;
    let rows = view(&door, query.at(), ViewReader::assets).await?;
    Ok(Json(json!({ "items": rows })).into_response())
}

/// `GET /api/ledger/accounts/{id}/entries`.
pub(super) async fn statement(
    State(door): Door_,
    caller: Caller,
    Path(name): Path<String>,
    query: Listed,
) -> Result<Response, Refusal> {
    let (query, wanted) = (listed(query)?, id(&name)?);
    let scope = scope(&door, &caller).await?;
    let page = view(&door, query.at(), move |v| {
        v.statement(scope, wanted, &query.paging())
    })
    .await?;
    found(page).map(IntoResponse::into_response)
}

/// `GET /api/ledger/trial-balance`: a public figure, so that anybody can see that money is conserved.
pub(super) async fn trial_balance(
    State(door): Door_,
    caller: Caller,
    query: Listed,
) -> Result<Response, Refusal> {
    caller.known()?;
    let query = listed(query)?;
    let rows = view(&door, query.at(), ViewReader::trial_balance).await?;
    Ok(Json(json!({ "items": rows })).into_response())
}

/// `GET /api/owners`.
pub(super) async fn owners(
    State(door): Door_,
    caller: Caller,
    query: Listed,
) -> Result<Response, Refusal> {
    let query = listed(query)?;
    operator(&door, &caller).await?;
    let page = view(&door, query.at(), move |v| v.owners(&query.paging())).await?;
    Ok(Json(page).into_response())
}

/// `GET /api/services`.
pub(super) async fn services(
    State(door): Door_,
    caller: Caller,
    query: Listed,
) -> Result<Response, Refusal> {
    let query = listed(query)?;
    operator(&door, &caller).await?;
    let page = view(&door, query.at(), move |v| v.services(&query.paging())).await?;
    Ok(Json(page).into_response())
}

/// The owner that a path names, if the caller may see it.
async fn own(door: &Door, caller: &Caller, name: &str) -> Result<OwnerId, Refusal> {
    caller.known()?;
    let (owner, principal, auth): (OwnerId, _, _) = (id(name)?, caller.principal, caller.auth);
    let judged = door.node.read(move |state| {
        live(state, principal, auth)?;
        authorise(state, principal, Action::ViewOwner(owner)).map_err(Refusal::from)
    });
    judged.await?.1.map(|()| owner)
}

/// `GET /api/owners/{id}`.
pub(super) async fn owner(
    State(door): Door_,
    caller: Caller,
    Path(name): Path<String>,
    query: Listed,
) -> Result<Response, Refusal> {
    let query = listed(query)?;
    let owner = own(&door, &caller, &name).await?;
    let row = view(&door, query.at(), move |v| v.owner(owner)).await?;
    found(row).map(IntoResponse::into_response)
}

/// `GET /api/owners/{id}/persons`.
pub(super) async fn persons(
    State(door): Door_,
    caller: Caller,
    Path(name): Path<String>,
    query: Listed,
) -> Result<Response, Refusal> {
    let query = listed(query)?;
    let owner = own(&door, &caller, &name).await?;
    let page = view(&door, query.at(), move |v| {
        v.persons(owner, &query.paging())
    })
    .await?;
    Ok(Json(page).into_response())
}

/// `GET /api/owners/{id}/allowances`.
pub(super) async fn allowances(
    State(door): Door_,
    caller: Caller,
    Path(name): Path<String>,
    query: Listed,
) -> Result<Response, Refusal> {
    let query = listed(query)?;
    let owner = own(&door, &caller, &name).await?;
    let rows = view(&door, query.at(), move |v| v.allowances(owner)).await?;
    Ok(Json(json!({ "items": rows })).into_response())
}

/// `GET /api/owners/{id}/export`: an owner can leave with everything.
pub(super) async fn export(
    State(door): Door_,
    caller: Caller,
    Path(name): Path<String>,
    query: Listed,
) -> Result<Response, Refusal> {
    let query = listed(query)?;
    let owner = own(&door, &caller, &name).await?;
    caught_up(&door, query.min_position).await?;
    let (lines, mut ready) = tokio::sync::mpsc::channel::<Result<String, std::io::Error>>(64);
    let views = door.views.clone();
    tokio::task::spawn_blocking(move || {
        let mut send = |value: &Value| lines.blocking_send(Ok(format!("{value}\n"))).is_ok();
        if let Err(error) = views.export(owner, &mut send) {
            // The reader sees a broken stream rather than a short export.
            let _ = lines.blocking_send(Err(std::io::Error::other(error.to_string())));
        }
    });
    let stream = futures_util::stream::poll_fn(move |cx| ready.poll_recv(cx));
    Ok((
        [(header::CONTENT_TYPE, "application/jsonl")],
        Body::from_stream(stream),
    )
        .into_response())
}

/// `GET /api/report/accounts`.
pub(super) async fn accounts_report(
    State(door): Door_,
    caller: Caller,
    query: Listed,
) -> Result<Response, Refusal> {
    let query = listed(query)?;
    let (scope, by) = (scope(&door, &caller).await?, query.dimensions()?);
    let report = view(&door, query.at(), move |v| {
        v.accounts_report(scope, &by, query.period())
    })
    .await?;
    Ok(Json(report).into_response())
}

/// `GET /api/report/accounts/events`.
pub(super) async fn accounts_events(
    State(door): Door_,
    caller: Caller,
    query: Listed,
) -> Result<Response, Refusal> {
    let query = listed(query)?;
    let (scope, by) = (scope(&door, &caller).await?, query.dimensions()?);
    let key = query.key.clone().unwrap_or_default();
    let read = view(&door, query.at(), move |v| {
        v.report_rows_events(scope, &by, query.period(), &key, &query.paging())
    });
    Ok(Json(read.await?).into_response())
}

/// `GET /api/log`: the operator sees everything; others what they did themselves.
pub(super) async fn log(
    State(door): Door_,
    caller: Caller,
    query: Listed,
) -> Result<Response, Refusal> {
    let query = listed(query)?;
    let scope = scope(&door, &caller).await?;
    let actor = query.actor.as_deref().map(id).transpose()?;
    let filter = EventFilter {
        kind: query.kind.clone(),
        actor,
    };
    let limit = query.paging().limit;
    let after = query.after.unwrap_or(0);
    let page = view(&door, query.at(), move |v| {
        v.events_after(scope, after, limit, &filter)
    })
    .await?;
    Ok(Json(page).into_response())
}

/// `GET /api/log/{position}`.
pub(super) async fn log_entry(
    State(door): Door_,
    caller: Caller,
    Path(name): Path<String>,
    query: Listed,
) -> Result<Response, Refusal> {
    let query = listed(query)?;
    let position: u64 = name
        .parse()
        .map_err(|_| Refusal::new(Code::Malformed, "a position is a number"))?;
    operator(&door, &caller).await?;
    let entry = view(&door, query.at(), move |v| v.describe(position)).await?;
    found(entry).map(IntoResponse::into_response)
}

//! Reads: from the state if the answer must be current, else from the views.
//!
//! Lists are filtered by what the caller may see ([`super::auth::scope`]). A thing that the caller
//! may not see answers exactly like one that does not exist.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequestParts, Query, State as Shared};
use axum::http::request::Parts;
use rialto_core::decide::resolve_agent;
use rialto_core::id::{AgentId, AnyId, ConversationId, OwnerId};
use rialto_core::identity::{AgentRef, Principal};
use rialto_core::policy::{Action, authorise};
use rialto_core::reject::Code;
use rialto_core::state::State;
use rialto_core::text::Handle;
use rialto_core::time::Time;
use rialto_core::work::TaskState;
use rialto_views::{
    AccountRow, AccountsReport, AgentCard, AgentQuery, ApprovalRow, AssetRow, CallRow, CallView,
    ConversationRow, DealRow, DealView, Dimension, EntryRow, Error as ViewError, EventFilter,
    FactRow, HoldRow, MessageRow, NegotiationRow, NegotiationView, Order, OwedWithdrawal, OwnerRow,
    Page, Paging, PersonRow, Scope, ServiceRow, StatementRow, TaskRow, TaskView, TeamRow, TokenRow,
    Trace, TracePart, TrialBalance, ViewReader,
};
use rialto_wire::search::{HitPage, ListingQuery, ListingView};
use rialto_wire::strict;
use serde::de::IntoDeserializer;
use serde::de::value::Error as NotSo;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Door;
use super::answer::{Answer, Exported, Items, Lines};
use super::auth::{Caller, live, scope, stands};
use super::path::Path;
use super::problem::Refusal;
use super::turns;

/// How long a read waits for the views to reach what was durable when it came.
const CATCH_UP: Duration = Duration::from_secs(1);
/// How long a read waits for a position that it names.
const MIN_POSITION: Duration = Duration::from_secs(10);

pub(super) type DoorState = Shared<Arc<Door>>;

/// Every query parameter of any read; the route lists those that a read takes.
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
    pub(super) state: Option<String>,
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
    pub(super) seen_from: Option<String>,
}

/// What a read must have seen, and whether it shows quarantined texts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct At {
    min_position: Option<u64>,
    reveal: bool,
}

impl At {
    /// Everything durable at the time of the read, with or without quarantined texts.
    pub(super) fn revealing(reveal: bool) -> Self {
        Self {
            min_position: None,
            reveal,
        }
    }

    /// A position that the views have reached already.
    pub(super) fn reached(self, position: u64) -> Self {
        Self {
            min_position: Some(position),
            ..self
        }
    }
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

    pub(super) fn period(&self) -> Option<(Time, Time)> {
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

pub(super) fn id<T: std::str::FromStr>(text: &str) -> Result<T, Refusal>
where
    T::Err: std::fmt::Display,
{
    text.parse()
        .map_err(|e: T::Err| Refusal::new(Code::Malformed, e.to_string()))
}

pub(super) fn refused(error: ViewError) -> Refusal {
    match error {
        ViewError::BadCursor => Code::BadCursor.into(),
        ViewError::BadLimit { .. } | ViewError::BadQuery(_) | ViewError::TooBroad(_) => {
            Refusal::new(Code::Malformed, error.to_string())
        }
        ViewError::Rebuilding(_) => Refusal::new(Code::ViewsRebuilt, error.to_string()),
        other => Refusal::new(Code::StorageFailed, other.to_string()),
    }
}

/// A read as it came: who asks, and with which parameters.
pub(super) struct Read {
    pub(super) door: Arc<Door>,
    pub(super) caller: Caller,
    pub(super) query: ListQuery,
}

impl FromRequestParts<Arc<Door>> for Read {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door>) -> Result<Self, Refusal> {
        let caller = Caller::from_request_parts(parts, door).await?;
        let query = Query::try_from_uri(&parts.uri)
            .map_err(|e| Refusal::new(Code::Malformed, e.body_text()))?;
        Ok(Self {
            door: door.clone(),
            caller,
            query: query.0,
        })
    }
}

impl Read {
    /// What the caller may list.
    pub(super) async fn scope(&self) -> Result<Scope, Refusal> {
        scope(&self.door, &self.caller).await
    }

    /// The same for public reads, where it only adds to what is shown.
    pub(super) async fn scope_if_any(&self) -> Result<Option<Scope>, Refusal> {
        match self.caller.principal {
            Principal::Operator | Principal::Person(_) | Principal::Agent(_) => {
                self.scope().await.map(Some)
            }
            Principal::Public | Principal::Realm | Principal::Service(_) => Ok(None),
        }
    }

    /// Reads the views on a thread that may block.
    async fn view<T: Send + 'static>(
        self,
        read: impl FnOnce(&ViewReader, &ListQuery) -> Result<T, ViewError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (at, query) = (self.query.at(), self.query);
        view(&self.door, at, move |views| read(views, &query)).await
    }

    /// Answers with what the views say.
    pub(super) async fn answer<T: Send + 'static>(
        self,
        read: impl FnOnce(&ViewReader, &ListQuery) -> Result<T, ViewError> + Send + 'static,
    ) -> Answer<T> {
        self.view(read).await.map(Json)
    }

    /// Answers with one thing, if it is there.
    pub(super) async fn one<T: Send + 'static>(
        self,
        read: impl FnOnce(&ViewReader, &ListQuery) -> Result<Option<T>, ViewError> + Send + 'static,
    ) -> Answer<T> {
        let thing = self.view(read).await?;
        thing.map(Json).ok_or(Code::NotFound.into())
    }

    /// Answers with a list that has no pages.
    pub(super) async fn all<T: Send + 'static>(
        self,
        read: impl FnOnce(&ViewReader) -> Result<Vec<T>, ViewError> + Send + 'static,
    ) -> Answer<Items<T>> {
        let items = self.view(|v, _| read(v)).await?;
        Ok(Json(Items { items }))
    }

    /// Refuses all but the operator.
    async fn operator(&self) -> Result<(), Refusal> {
        operator(&self.door, &self.caller).await
    }

    /// The owner that a path names, if the caller may see it.
    pub(super) async fn own(&self, name: &str) -> Result<OwnerId, Refusal> {
        own(&self.door, &self.caller, name).await
    }

    /// The agent that a path names, by id or handle, if the caller may see its private data.
    pub(super) async fn own_agent(&self, name: &str) -> Result<AgentId, Refusal> {
        self.caller.known()?;
        let named = match name.parse() {
            Ok(id) => Ok(AgentRef::Id(id)),
            Err(_) => format!("@{}", name.trim_start_matches('@')).parse(),
        };
        let named = named.map_err(|_| Code::NotFound)?;
        let (principal, auth) = (self.caller.principal, self.caller.auth);
        let judged = self.door.node.read(move |state| {
            live(state, principal, auth)?;
            let agent = resolve_agent(state, &named)?;
            authorise(state, principal, Action::ViewAgent(agent))?;
            Ok(agent)
        });
        judged.await?.1
    }
}

/// Waits until the views have reached what a read must see.
async fn caught_up(door: &Door, min_position: Option<u64>) -> Result<(), Refusal> {
    let hub = door.node.hub();
    let mut indexed = hub.watch_indexed();
    let (wanted, patience) = match min_position {
        Some(position) => (position, MIN_POSITION),
        None => (hub.durable(), CATCH_UP),
    };
    hub.want(wanted);
    let reached = tokio::time::timeout(patience, indexed.wait_for(|at| *at >= wanted)).await;
    match reached {
        Ok(Ok(_)) => Ok(()),
        _ if min_position.is_none() => Ok(()),
        _ if door.node.health().views().is_some() => Err(Code::ViewsStopped.into()),
        _ => Err(Code::WaitTooLong.into()),
    }
}

/// Reads the views on a thread that may block.
pub(super) async fn view<T: Send + 'static>(
    door: &Door,
    at: At,
    read: impl FnOnce(&ViewReader) -> Result<T, ViewError> + Send + 'static,
) -> Result<T, Refusal> {
    caught_up(door, at.min_position).await?;
    let turn = door.turns.next().await?;
    let views = door.views.clone().revealing(at.reveal);
    // The turn lasts as long as the reading: who asks and goes away would else read beside its turn.
    let work = move || {
        let _turn = turn;
        read(&views)
    };
    let outcome = tokio::task::spawn_blocking(work).await;
    outcome
        .map_err(|e| Refusal::new(Code::Defect, e.to_string()))?
        .map_err(refused)
}

/// The owner that a path names, by id or name, if the caller may see it.
pub(super) async fn own(door: &Door, caller: &Caller, name: &str) -> Result<OwnerId, Refusal> {
    caller.known()?;
    let (name, principal, auth) = (name.to_owned(), caller.principal, caller.auth);
    let judged = door.node.read(move |state| {
        live(state, principal, auth)?;
        let owner = owner_in(state, &name).ok_or(Code::NotFound)?;
        authorise(state, principal, Action::ViewOwner(owner))?;
        Ok(owner)
    });
    judged.await?.1
}

/// An owner by its id or its name, which is unique in the realm.
fn owner_in(state: &State, name: &str) -> Option<OwnerId> {
    match name.parse() {
        Ok(id) => Some(id),
        Err(_) => state.owner_named(&Handle::new(name).ok()?),
    }
}

macro_rules! lists {
    ($($name:ident -> $row:ty;)*) => {$(
        pub(super) async fn $name(read: Read) -> Answer<Page<$row>> {
            let scope = read.scope().await?;
            read.answer(move |v, query| v.$name(scope, &query.paging())).await
        }
    )*};
}

lists! {
    conversations -> ConversationRow;
    teams -> TeamRow;
    calls -> CallRow;
    negotiations -> NegotiationRow;
    deals -> DealRow;
    accounts -> AccountRow;
    holds -> HoldRow;
}

/// `GET /api/tokens`.
pub(super) async fn tokens(read: Read) -> Answer<Page<TokenRow>> {
    let (scope, door) = (read.scope().await?, read.door.clone());
    read.answer(move |v, query| {
        let mut page = v.tokens(scope, &query.paging())?;
        for row in &mut page.items {
            row.last_used = door.last_use.of(row.id);
        }
        Ok(page)
    })
    .await
}

macro_rules! things {
    ($($name:ident -> $told:ty;)*) => {$(
        pub(super) async fn $name(Path(name): Path<String>, read: Read) -> Answer<$told> {
            let (wanted, scope) = (id(&name)?, read.scope().await?);
            read.one(move |v, _| v.$name(scope, wanted)).await
        }
    )*};
}

things! {
    conversation -> ConversationRow;
    message -> MessageRow;
    task -> TaskView;
    team -> TeamRow;
    call -> CallView;
    negotiation -> NegotiationView;
    deal -> DealView;
    account -> AccountRow;
    entry -> EntryRow;
    hold -> HoldRow;
}

/// `GET /api/trace/{id}`.
pub(super) async fn trace(Path(name): Path<String>, read: Read) -> Answer<Trace> {
    let wanted: AnyId = name.parse().map_err(|_| {
        let detail = "expected an id such as deal_000000005001: a kind (task, call, neg, deal, msg, hold, …) and twelve digits";
        Refusal::new(Code::Malformed, detail)
    })?;
    let scope = read.scope().await?;
    read.one(move |v, query| {
        let part = TracePart {
            kind: query.kind.clone(),
            cursor: query.cursor.clone(),
        };
        v.trace_part(scope, wanted, &part)
    })
    .await
}

pub(super) async fn operator(door: &Door, caller: &Caller) -> Result<(), Refusal> {
    may(door, caller, Action::ManageRealm).await
}

/// Whether the caller itself may do something.
async fn may(door: &Door, caller: &Caller, action: Action) -> Result<(), Refusal> {
    caller.known()?;
    let (principal, auth) = (caller.principal, caller.auth);
    let judged = door.node.read(move |state| {
        live(state, principal, auth)?;
        authorise(state, principal, action).map_err(Refusal::from)
    });
    judged.await?.1
}

/// `GET /api/ledger/withdrawals`: for the operator and for payment services.
pub(super) async fn owed_withdrawals(read: Read) -> Answer<Page<OwedWithdrawal>> {
    if read.caller.principal != Principal::Operator {
        may(&read.door, &read.caller, Action::HandlePayments).await?;
    }
    read.answer(move |v, query| v.owed_withdrawals(&query.paging()))
        .await
}

/// `GET /api/agents`: those that can act; the operator sees all, and an owner all of its own.
pub(super) async fn agents(read: Read) -> Answer<Page<AgentCard>> {
    let seen_by = read.scope_if_any().await?;
    let viewer = super::square::viewer(&read.door, &read.caller).await?;
    let owner = match read.query.owner.clone() {
        None => None,
        Some(name) => {
            let found = read.door.node.read(move |state| owner_in(state, &name));
            Some(found.await?.1.ok_or_else(|| {
                let detail = "no owner has that id or name; cards of agents name both";
                Refusal::new(Code::NotFound, detail)
            })?)
        }
    };
    read.answer(move |v, query| {
        let v = v.clone().read_by(viewer);
        let wanted = AgentQuery {
            text: query.text.clone(),
            skill: query.skill.clone(),
            tag: query.tag.clone(),
            owner,
            seen_by,
        };
        v.agents(&wanted, &query.paging())
    })
    .await
}

pub(super) fn agent_card(views: &ViewReader, name: &str) -> Result<Option<AgentCard>, ViewError> {
    match name.parse() {
        Ok(id) => views.agent(id),
        Err(_) => views.agent_by_handle(name.trim_start_matches('@')),
    }
}

/// `GET /api/agents/{agent}`.
pub(super) async fn agent(Path(name): Path<String>, read: Read) -> Answer<AgentCard> {
    read.one(move |v, _| agent_card(v, &name)).await
}

/// `GET /api/agents/{agent}/listings`.
pub(super) async fn listings_of(Path(name): Path<String>, read: Read) -> Answer<Page<ListingView>> {
    read.one(move |v, query| {
        let Some(card) = agent_card(v, &name)? else {
            return Ok(None);
        };
        v.listings_of(card.id, &query.paging()).map(Some)
    })
    .await
}

/// `POST /api/search/listings`.
pub(super) async fn search_listings(
    read: Read,
    body: Result<Bytes, BytesRejection>,
) -> Answer<HitPage> {
    let body = body.map_err(|e| Refusal::new(Code::Malformed, e.body_text()))?;
    let wanted: ListingQuery =
        strict::from_slice(&body).map_err(|e| Refusal::new(Code::Malformed, e.to_string()))?;
    let viewer = super::square::viewer(&read.door, &read.caller).await?;
    read.answer(move |v, _| v.clone().read_by(viewer).search_listings(&wanted))
        .await
}

/// `GET /api/listings/{id}`.
pub(super) async fn listing(Path(name): Path<String>, read: Read) -> Answer<ListingView> {
    let wanted = id(&name)?;
    read.one(move |v, _| v.listing(wanted)).await
}

/// `GET /api/conversations/{id}/messages`.
pub(super) async fn messages_in(Path(name): Path<String>, read: Read) -> Answer<Page<MessageRow>> {
    let wanted: ConversationId = id(&name)?;
    let order = match read.query.order.as_deref() {
        None | Some("newest") => Order::NewestFirst,
        Some("oldest") => Order::OldestFirst,
        Some(_) => return Err(Refusal::new(Code::Malformed, "order: newest or oldest")),
    };
    let scope = read.scope().await?;
    read.one(move |v, query| {
        if !v.sees(scope, wanted.into())? {
            return Ok(None);
        }
        v.messages(scope, wanted, order, &query.paging()).map(Some)
    })
    .await
}

/// `GET /api/messages?text=`.
pub(super) async fn search_messages(read: Read) -> Answer<Page<MessageRow>> {
    let scope = read.scope().await?;
    read.answer(move |v, query| {
        let text = query.text.as_deref().unwrap_or_default();
        v.search_messages(scope, text, &query.paging())
    })
    .await
}

/// `GET /api/tasks`.
pub(super) async fn tasks(read: Read) -> Answer<Page<TaskRow>> {
    let scope = read.scope().await?;
    let state = read.query.state.as_deref().map(task_state).transpose()?;
    read.answer(move |v, query| v.tasks(scope, state.as_slice(), &query.paging()))
        .await
}

fn task_state(name: &str) -> Result<TaskState, Refusal> {
    TaskState::deserialize(name.into_deserializer())
        .map_err(|e: NotSo| Refusal::new(Code::Malformed, format!("state: {e}")))
}

/// `GET /api/approvals`.
pub(super) async fn approvals(read: Read) -> Answer<Page<ApprovalRow>> {
    let scope = read.scope().await?;
    read.answer(move |v, query| v.approvals(scope, !query.all.unwrap_or(false), &query.paging()))
        .await
}

/// `GET /api/assets`.
pub(super) async fn assets(read: Read) -> Answer<Items<AssetRow>> {
    read.all(ViewReader::assets).await
}

/// `GET /api/ledger/accounts/{id}/entries`.
pub(super) async fn statement(Path(name): Path<String>, read: Read) -> Answer<Page<StatementRow>> {
    let (wanted, scope) = (id(&name)?, read.scope().await?);
    read.one(move |v, query| v.statement(scope, wanted, &query.paging()))
        .await
}

/// `GET /api/ledger/trial-balance`: a public figure, so that anybody can see that money is conserved.
pub(super) async fn trial_balance(read: Read) -> Answer<Items<TrialBalance>> {
    read.caller.known()?;
    stands(&read.door, &read.caller).await?;
    read.all(ViewReader::trial_balance).await
}

/// `GET /api/owners`.
pub(super) async fn owners(read: Read) -> Answer<Page<OwnerRow>> {
    read.operator().await?;
    read.answer(|v, query| v.owners(&query.paging())).await
}

/// `GET /api/services`.
pub(super) async fn services(read: Read) -> Answer<Page<ServiceRow>> {
    read.operator().await?;
    read.answer(|v, query| v.services(&query.paging())).await
}

/// `GET /api/owners/{id}`.
pub(super) async fn owner(Path(name): Path<String>, read: Read) -> Answer<OwnerRow> {
    let owner = read.own(&name).await?;
    read.one(move |v, _| v.owner(owner)).await
}

/// `GET /api/owners/{id}/persons`.
pub(super) async fn persons(Path(name): Path<String>, read: Read) -> Answer<Page<PersonRow>> {
    let owner = read.own(&name).await?;
    read.answer(move |v, query| v.persons(owner, &query.paging()))
        .await
}

/// `GET /api/owners/{id}/export`: all data of an owner: first from the views, then the inboxes of
/// its agents.
pub(super) async fn export(
    Path(name): Path<String>,
    read: Read,
) -> Result<Lines<Exported>, Refusal> {
    let owner = read.own(&name).await?;
    caught_up(&read.door, read.query.min_position).await?;
    let (parts, mut ready) = tokio::sync::mpsc::channel(PARTS);
    let door = read.door.clone();
    let work = async move {
        let mut lines = Gathered::to(parts.clone());
        if let Err(why) = export_to(door, owner, &mut lines).await {
            // The reader sees a broken stream rather than a short export.
            let _ = parts.send(Err(std::io::Error::other(why))).await;
        }
    };
    tokio::spawn(turns::on_behalf(turns::party(), work));
    let stream = futures_util::stream::poll_fn(move |cx| ready.poll_recv(cx));
    Ok(Lines::of(stream))
}

/// How many parts of an export wait to be read.
const PARTS: usize = 2;
/// The bytes of a part; a longer line is one of its own.
const PART_BYTES: usize = 64 << 10;

/// The lines of an export, gathered into parts: what waits to be read is bounded in bytes.
pub(super) struct Gathered {
    parts: tokio::sync::mpsc::Sender<Result<String, std::io::Error>>,
    part: String,
}

impl Gathered {
    fn to(parts: tokio::sync::mpsc::Sender<Result<String, std::io::Error>>) -> Self {
        let part = String::new();
        Self { parts, part }
    }

    /// Adds a line; the part before it, if it is full now.
    fn add(&mut self, value: &Value) -> Option<String> {
        let line = value.to_string();
        let full = self.part.len() + line.len() > PART_BYTES && !self.part.is_empty();
        let before = full.then(|| std::mem::take(&mut self.part));
        self.part.push_str(&line);
        self.part.push('\n');
        before
    }

    /// Adds a line on a thread that may block; false if nobody reads any more.
    fn put_blocking(&mut self, value: &Value) -> bool {
        let full = self.add(value);
        full.is_none_or(|part| self.parts.blocking_send(Ok(part)).is_ok())
    }

    /// The same elsewhere.
    pub(super) async fn put(&mut self, value: &Value) -> bool {
        match self.add(value) {
            Some(part) => self.parts.send(Ok(part)).await.is_ok(),
            None => true,
        }
    }

    async fn end(&mut self) {
        let last = std::mem::take(&mut self.part);
        // Whoever stopped reading misses nothing.
        let _ = self.parts.send(Ok(last)).await;
    }
}

async fn export_to(door: Arc<Door>, owner: OwnerId, lines: &mut Gathered) -> Result<(), String> {
    let (views, mut to) = (door.views.clone(), Gathered::to(lines.parts.clone()));
    let listed = tokio::task::spawn_blocking(move || {
        views.export(owner, &mut |value: &Value| to.put_blocking(value))?;
        Ok::<_, ViewError>((views.agents_of(owner)?, to))
    });
    let listed = listed.await.map_err(|e| e.to_string())?;
    let (agents, to) = listed.map_err(|e| e.to_string())?;
    *lines = to;
    for agent in agents {
        super::inbox::export(&door, agent, lines)
            .await
            .map_err(|refusal| refusal.rejection.to_string())?;
    }
    lines.end().await;
    Ok(())
}

/// `GET /api/report/accounts`.
pub(super) async fn accounts_report(read: Read) -> Answer<AccountsReport> {
    let (scope, by) = (read.scope().await?, read.query.dimensions()?);
    read.answer(move |v, query| v.accounts_report(scope, &by, query.period()))
        .await
}

/// `GET /api/report/accounts/events`.
pub(super) async fn accounts_events(read: Read) -> Answer<Page<FactRow>> {
    let (scope, by) = (read.scope().await?, read.query.dimensions()?);
    read.answer(move |v, query| {
        let key = query.key.as_deref().unwrap_or_default();
        v.report_rows_events(scope, &by, query.period(), key, &query.paging())
    })
    .await
}

/// Events that were logged together, in readable form.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transparent, inline))]
#[serde(transparent)]
pub(super) struct Logged(
    #[cfg_attr(feature = "schema", schemars(with = "rialto_views::ToldEvent"))] Value,
);

/// `GET /api/log`: the operator sees everything; others their own events, and those that concern
/// them.
pub(super) async fn log(read: Read) -> Answer<Page<Logged>> {
    let scope = read.scope().await?;
    read.answer(move |v, query| {
        let mut filter = EventFilter {
            kind: query.kind.clone(),
            ..EventFilter::default()
        };
        if let Some(name) = query.actor.as_deref() {
            name_actor(v, &mut filter, name)?;
        }
        let after = query.after.unwrap_or(0);
        let page = v.events_after(scope, after, query.paging().limit, &filter)?;
        Ok(Page {
            items: page.items.into_iter().map(Logged).collect(),
            next_cursor: page.next_cursor,
            position: page.position,
        })
    })
    .await
}

/// Asks for the acts of an agent, by id or handle, or of a person, by id.
fn name_actor(views: &ViewReader, filter: &mut EventFilter, name: &str) -> Result<(), ViewError> {
    if let Ok(person) = name.parse() {
        filter.person = Some(person);
        return Ok(());
    }
    let card = agent_card(views, name)?.ok_or_else(|| {
        ViewError::BadQuery(format!(
            "no agent is called {name:?}; name one by its handle or id, or a person by its id"
        ))
    })?;
    filter.actor = Some(card.id);
    Ok(())
}

/// `GET /api/log/{position}`.
pub(super) async fn log_entry(Path(name): Path<String>, read: Read) -> Answer<Logged> {
    let position: u64 = name
        .parse()
        .map_err(|_| Refusal::new(Code::Malformed, "a position is a number"))?;
    let scope = read.scope().await?;
    read.one(move |v, _| Ok(v.describe_to(scope, position)?.map(Logged)))
        .await
}

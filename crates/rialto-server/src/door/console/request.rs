//! A request for a page: who makes it, what was asked for, and the frame around the answer.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use rialto_console::Markup;
use rialto_console::form::{FormToken, Refused, Sent};
use rialto_console::kit::{When, Who};
use rialto_console::shell::{Frame, Place, Theme, Viewer, page};
use rialto_console::written::Written;
use rialto_core::hash::Hash;
use rialto_core::id::{AgentId, OwnerId};
use rialto_core::identity::{AgentRef, Principal};
use rialto_core::policy::{Action, authorise};
use rialto_core::reject::Code;
use rialto_core::state::State;
use rialto_core::time::Time;
use rialto_views::{
    AgentQuery, Error as ViewError, MAX_PAGE, Paging, Scope, ViewReader, Waiting,
    Written as ViewWritten,
};
use rialto_wire::native::{Accepted, NativeCommand, Problem};
use serde::de::DeserializeOwned;
use serde::de::value::{BorrowedStrDeserializer, Error as NotSo};

use super::guard;
use super::session::Session;
use crate::door::auth::{self, Caller, live, scope, stands};
use crate::door::problem::Refusal;
use crate::door::serve::Encrypted;
use crate::door::square::viewer;
use crate::door::{Door, commands, reads, sign_ups};

/// The fields of a form, or the parameters of an address.
pub(super) type Fields = BTreeMap<String, String>;

/// A request for a page, signed in or not.
pub(super) struct PageRequest {
    pub(super) door: Arc<Door>,
    pub(super) encrypted: bool,
    pub(super) theme: Theme,
    /// Path and query.
    pub(super) address: String,
    pub(super) path: String,
    /// Whether the address can be read again; else it received a form.
    pub(super) reading: bool,
    /// Where it comes from; nothing for a request of this process.
    pub(super) from: Option<IpAddr>,
    pub(super) params: Fields,
    pub(super) id: Option<String>,
    pub(super) session: Option<Session>,
    /// Why a session shows nothing, if its holder was stopped.
    pub(super) stopped: Option<Refusal>,
}

impl PageRequest {
    /// Finds out who asks. Never fails: a visitor without a session is a stranger.
    pub(super) async fn of(parts: &mut Parts, door: &Arc<Door>) -> Self {
        let encrypted = is_encrypted(parts);
        let params = Query::<Fields>::from_request_parts(parts, door).await;
        let id = guard::session_id(&parts.headers, encrypted).map(str::to_owned);
        let now = door.node.clock().now();
        let session = id
            .as_deref()
            .and_then(|id| door.sessions.find(id, now))
            .filter(|session| is_live_here(parts, door, session));
        let stopped = match &session {
            Some(session) => stopped(door, session).await,
            None => None,
        };
        let session = session.filter(|_| stopped.is_none());
        Self {
            door: door.clone(),
            encrypted,
            theme: Theme::of(guard::theme(&parts.headers)),
            address: parts
                .uri
                .path_and_query()
                .map_or_else(|| "/".to_owned(), ToString::to_string),
            path: parts.uri.path().to_owned(),
            reading: parts.method == Method::GET,
            from: sign_ups::address(&parts.extensions, &parts.headers, &door.rules.proxies),
            params: params.map(|q| q.0).unwrap_or_default(),
            id,
            session,
            stopped,
        }
    }

    /// A page around a body.
    pub(super) fn render(
        &self,
        title: &str,
        place: Option<Place>,
        viewer: Option<&Viewer>,
        body: &Markup,
    ) -> Response {
        let frame = Frame {
            title,
            place,
            realm: realm_name(&self.door),
            position: self.door.node.hub().indexed(),
            now: self.door.node.clock().now(),
            viewer,
            theme: self.theme,
            address: &self.address,
        };
        let html = page(&frame, body).into_string();
        let headers = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            // Pages hold what only their viewer may see.
            (header::CACHE_CONTROL, "no-store"),
        ];
        (headers, html).into_response()
    }
}

/// Whether the browser's connection is encrypted, here or at a proxy in front.
pub(super) fn is_encrypted(parts: &Parts) -> bool {
    parts.extensions.get::<Encrypted>().is_some() || guard::behind_tls(&parts.headers)
}

/// A session lives as long as its token.
pub(super) fn is_live(door: &Door, session: &Session) -> bool {
    door.node
        .token(&session.secret)
        .is_some_and(|info| info.token == session.token && info.principal == session.principal)
}

/// The same for a request, which must come from where the token may be used.
pub(super) fn is_live_here(parts: &Parts, door: &Door, session: &Session) -> bool {
    let (extensions, headers) = (&parts.extensions, &parts.headers);
    is_live(door, session) && auth::may_come(session.token, extensions, headers, door).is_ok()
}

/// Why the holder of a session may do nothing, if so. If the node cannot say, the page does.
async fn stopped(door: &Door, session: &Session) -> Option<Refusal> {
    let refusal = stands(door, &session.caller()).await.err()?;
    let codes = [Code::Suspended, Code::AgentClosed];
    codes.contains(&refusal.rejection.code).then_some(refusal)
}

/// The realm's name without the at sign that handles of agents carry.
pub(super) fn realm_name(door: &Door) -> &str {
    door.realm.trim_start_matches('@')
}

impl FromRequestParts<Arc<Door>> for PageRequest {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(
        parts: &mut Parts,
        door: &Arc<Door>,
    ) -> Result<Self, Self::Rejection> {
        Ok(Self::of(parts, door).await)
    }
}

/// A request of somebody who is signed in.
pub(super) struct SignedIn {
    pub(super) request: PageRequest,
    pub(super) session: Session,
    pub(super) caller: Caller,
}

impl FromRequestParts<Arc<Door>> for SignedIn {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door>) -> Result<Self, Refusal> {
        Self::of(PageRequest::of(parts, door).await).map_err(|(_, refusal)| refusal)
    }
}

impl SignedIn {
    /// Whoever makes a request, if it is signed in; else the request back.
    ///
    /// # Errors
    /// [`Code::Unauthenticated`].
    pub(super) fn of(request: PageRequest) -> Result<Self, (Box<PageRequest>, Refusal)> {
        let Some(session) = request.session.clone() else {
            let why = request.stopped.clone();
            let why = why.unwrap_or_else(|| Code::Unauthenticated.into());
            return Err((Box::new(request), why));
        };
        let caller = session.caller();
        Ok(Self {
            request,
            session,
            caller,
        })
    }

    pub(super) fn door(&self) -> &Arc<Door> {
        &self.request.door
    }

    pub(super) fn now(&self) -> Time {
        self.door().node.clock().now()
    }

    pub(super) fn when(&self, at: Time) -> When {
        When {
            at,
            now: self.now(),
        }
    }

    /// A parameter of the address; empty ones are none.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.request
            .params
            .get(name)
            .map(|v| v.trim())
            .filter(|v| !v.is_empty())
    }

    /// Which page of a list is asked for.
    pub(super) fn paging(&self, limit: u32) -> Paging {
        Paging {
            cursor: self.param("cursor").map(str::to_owned),
            limit,
        }
    }

    /// The address of the next page of a list, filters kept.
    pub(super) fn next(&self, cursor: Option<&str>) -> Option<String> {
        Some(self.with_param("cursor", cursor?))
    }

    /// The address of this page with one parameter changed.
    pub(super) fn with_param(&self, name: &str, value: &str) -> String {
        let others = self.request.params.iter();
        let kept = others.filter(|(other, value)| other.as_str() != name && !value.is_empty());
        let mut query: Vec<String> = kept.map(|(name, value)| pair(name, value)).collect();
        query.push(pair(name, value));
        format!("{}?{}", self.request.path, query.join("&"))
    }

    /// What the viewer may list.
    pub(super) async fn scope(&self) -> Result<Scope, Refusal> {
        scope(self.door(), &self.caller).await
    }

    /// What may be listed of an agent, if the viewer may see its private side.
    pub(super) async fn scope_of(&self, agent: AgentId) -> Result<Option<Scope>, Refusal> {
        let caller = Caller {
            acting: Some(AgentRef::Id(agent)),
            ..self.caller.clone()
        };
        match scope(self.door(), &caller).await {
            Ok(scope) => Ok(Some(scope)),
            Err(refusal) if refusal.rejection.code == Code::NotFound => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// Reads the views as the viewer, with its blocks. Quarantined texts are withheld unless the
    /// address asks for them.
    pub(super) async fn view<T: Send + 'static>(
        &self,
        read: impl FnOnce(&ViewReader) -> Result<T, ViewError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let at = reads::At::revealing(self.param("quarantined") == Some("show"));
        let viewer = viewer(self.door(), &self.caller).await?;
        reads::view(self.door(), at, move |v| read(&v.clone().read_by(viewer))).await
    }

    /// What somebody wrote, with a link to it if it is withheld.
    pub(super) fn written(&self, text: &ViewWritten) -> Written {
        let way = || self.with_param("quarantined", "show");
        Written {
            reveal: (text.withheld && self.request.reading).then(way),
            ..super::show::written(text)
        }
    }

    /// The address that a part of the page keeps itself up to date from; `usual` after a form.
    pub(super) fn address(&self, usual: &str) -> String {
        if self.request.reading {
            self.request.address.clone()
        } else {
            usual.to_owned()
        }
    }

    /// The agents of the viewer's own with which it may do something, by handle; at most a hundred.
    /// The operator has none.
    pub(super) async fn own_agents(
        &self,
        action: fn(AgentId) -> Action,
    ) -> Result<Vec<(AgentId, String)>, Refusal> {
        let own = match self.scope().await? {
            Scope::Realm => return Ok(Vec::new()),
            Scope::Agent(id) => vec![id],
            Scope::Owner(owner) => self.agents_of(owner).await?,
        };
        let principal = self.caller.principal;
        let judged = self.state(move |state| {
            let may = |id: &AgentId| authorise(state, principal, action(*id)).is_ok();
            let own = own.into_iter().filter(may);
            let named = own.filter_map(|id| Some((id, state.agents.get(&id)?.handle.to_string())));
            named.collect()
        });
        judged.await
    }

    async fn agents_of(&self, owner: OwnerId) -> Result<Vec<AgentId>, Refusal> {
        let query = AgentQuery {
            owner: Some(owner),
            ..AgentQuery::default()
        };
        let many = Paging {
            cursor: None,
            limit: MAX_PAGE,
        };
        let found = self.view(move |v| v.agents(&query, &many)).await?;
        Ok(found.items.into_iter().map(|card| card.id).collect())
    }

    /// Reads the state, once the viewer's token is seen to live.
    pub(super) async fn state<T: Send + 'static>(
        &self,
        read: impl FnOnce(&State) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let (principal, auth) = (self.caller.principal, self.caller.auth);
        let read = self
            .door()
            .node
            .read(move |state| live(state, principal, auth).map(|()| read(state)));
        read.await?.1
    }

    /// Which of some actions the viewer may take: for showing forms; the commands are judged again.
    pub(super) async fn may<const N: usize>(
        &self,
        actions: [Action; N],
    ) -> Result<[bool; N], Refusal> {
        let principal = self.caller.principal;
        self.state(move |state| actions.map(|a| authorise(state, principal, a).is_ok()))
            .await
    }

    /// Agents by handle, marked if it could be taken for another; an id that is not an agent's
    /// stays as it is.
    pub(super) async fn named(&self, ids: Vec<String>) -> Result<Vec<Who>, Refusal> {
        let named = self.state(move |state| {
            let handle = |id: String| {
                let agent = id.parse().ok().and_then(|id| state.agents.get(&id));
                agent.map_or(id, |agent| agent.handle.to_string())
            };
            ids.into_iter().map(handle).collect()
        });
        let handles: Vec<String> = named.await?;
        self.marked(handles).await
    }

    /// Handles with the marks of those that could be taken for another.
    pub(super) async fn marked(&self, handles: Vec<String>) -> Result<Vec<Who>, Refusal> {
        self.view(move |v| {
            let marks = v.resembled(&handles)?;
            let marked = handles.into_iter().zip(marks);
            Ok(marked
                .map(|(handle, other)| Who::new(handle).resembling(other.as_deref()))
                .collect())
        })
        .await
    }

    /// Who is signed in, and how much waits for it.
    pub(super) async fn viewer(&self) -> Result<Viewer, Refusal> {
        let principal = self.caller.principal;
        let (name, role) = self
            .state(move |state| name_and_role(state, principal))
            .await?;
        Ok(Viewer {
            name,
            role,
            waiting: self.waits().await?.total(),
            csrf: self.session.csrf.clone(),
            runs_realm: self.caller.principal == Principal::Operator,
        })
    }

    /// What waits for the viewer: of its owner's things, those that its role may answer.
    pub(super) async fn waits(&self) -> Result<Waiting, Refusal> {
        let scope = self.scope().await?;
        let all = self.view(move |v| v.waiting(scope)).await?.to_answer(scope);
        let [approves, manages] = match scope {
            Scope::Owner(owner) => {
                let actions = [Action::Approve(owner), Action::ManageOwner(owner)];
                self.may(actions).await?
            }
            Scope::Realm | Scope::Agent(_) => [false, true],
        };
        let approvals = if approves { all.approvals } else { 0 };
        let rest = if manages { all } else { Waiting::default() };
        Ok(Waiting { approvals, ..rest })
    }

    /// What a form of this session carries.
    pub(super) fn form_token(&self) -> FormToken {
        let bytes = self.door().node.chance().bytes();
        let own: String = Hash::from(bytes).to_string().chars().take(32).collect();
        FormToken {
            csrf: self.session.csrf.clone(),
            key: format!("{}.{own}", self.now().0 / 1_000),
        }
    }

    /// A page of the console.
    pub(super) async fn page(
        &self,
        title: &str,
        place: impl Into<Option<Place>>,
        body: &Markup,
    ) -> Result<Response, Refusal> {
        let viewer = self.viewer().await?;
        Ok(self
            .request
            .render(title, place.into(), Some(&viewer), body))
    }
}

/// A form as it came.
pub(super) type Filled = Result<Form<Fields>, FormRejection>;

/// The fields of a form.
pub(super) fn filled(form: Filled) -> Result<Fields, Refusal> {
    form.map(|f| f.0).map_err(|why| {
        let code = match why.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge,
            _ => Code::Malformed,
        };
        Refusal::new(code, why.body_text())
    })
}

/// A form that came from a page of the session it is sent with, and who sent it.
pub(super) struct Posted {
    pub(super) user: SignedIn,
    pub(super) fields: Fields,
}

impl FromRequest<Arc<Door>> for Posted {
    type Rejection = Refusal;
    async fn from_request(request: Request, door: &Arc<Door>) -> Result<Self, Refusal> {
        let (mut parts, body) = request.into_parts();
        let user = SignedIn::from_request_parts(&mut parts, door).await?;
        guard::same_site(&parts.headers, &door.rules.names)?;
        let form = Form::from_request(Request::from_parts(parts, body), door).await;
        let fields = filled(form)?;
        let csrf = fields.get("csrf").map_or("", String::as_str);
        guard::of_session(&user.session, csrf)?;
        Ok(Self { user, fields })
    }
}

impl Posted {
    /// The text of a field; nothing if it is empty.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let value = self.fields.get(name).map(|v| v.trim());
        value.filter(|v| !v.is_empty())
    }

    /// The same, where something must be typed.
    ///
    /// # Errors
    /// [`Code::BadText`].
    pub(super) fn text(&self, name: &str, what: &str) -> Result<&str, Refusal> {
        self.field(name)
            .ok_or_else(|| Refusal::new(Code::BadText, format!("{what} needs a text")))
    }

    /// The agent that is to act, if the form names one.
    ///
    /// # Errors
    /// [`Code::Malformed`].
    pub(super) fn acting(&self) -> Result<Option<AgentRef>, Refusal> {
        let name = self.field("as").map(str::parse).transpose();
        name.map_err(|e| Refusal::new(Code::Malformed, format!("as: {e}")))
    }

    /// What was typed into a field, as the value that it must be.
    ///
    /// # Errors
    /// [`Code::Malformed`]; also when nothing was typed, where that is no such value.
    pub(super) fn value<T: DeserializeOwned>(&self, name: &str) -> Result<T, Refusal> {
        read(name, self.field(name).unwrap_or_default())
    }

    /// The same, where nothing may be typed.
    ///
    /// # Errors
    /// [`Code::Malformed`].
    pub(super) fn maybe<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Refusal> {
        self.field(name).map(|text| read(name, text)).transpose()
    }

    /// Carries out what the form asks for, as the agent that it names.
    ///
    /// # Errors
    /// As the realm's; [`Code::Malformed`] when it names no agent.
    pub(super) async fn carry_out(
        &self,
        command: impl Into<NativeCommand>,
    ) -> Result<Accepted, Refusal> {
        self.ask(command.into()).await
    }

    async fn ask(&self, command: NativeCommand) -> Result<Accepted, Refusal> {
        let wanted = commands::Wanted {
            command,
            acting: self.acting()?,
            key: self.fields.get("key").map(String::as_str),
            cause: None,
        };
        commands::ask(self.user.door(), &self.user.caller, wanted).await
    }

    /// The result of the form, for its page.
    pub(super) fn refused(&self, form: &str, refusal: &Refusal) -> Sent {
        let typed = self.fields.iter();
        let typed = typed.filter(|(name, _)| !matches!(name.as_str(), "csrf" | "key"));
        Sent {
            form: form.to_owned(),
            fields: typed.map(|(n, v)| (n.clone(), v.clone())).collect(),
            refused: Some(Refused {
                hint: match refusal.rejection.code {
                    // Forms have fields, not a description of an API.
                    Code::Malformed => "Correct the field, and send the form again.".to_owned(),
                    code => code.remedy().to_owned(),
                },
                ..shown(&refusal.problem())
            }),
        }
    }
}

/// The value that a text is, as it would stand in a command: an id, a name, an amount, a choice.
///
/// # Errors
/// [`Code::Malformed`] with the field's name.
pub(super) fn read<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, Refusal> {
    let value = T::deserialize(BorrowedStrDeserializer::<NotSo>::new(text));
    value.map_err(|why| Refusal::new(Code::Malformed, format!("{}: {why}", label(name))))
}

/// A field's name as its form labels it: `per_deal` stands under "per deal".
fn label(name: &str) -> String {
    name.replace('_', " ")
}

/// The message of a successful form on the page that it leads back to.
pub(super) fn done(form: &str) -> Sent {
    Sent {
        form: form.to_owned(),
        fields: Vec::new(),
        refused: None,
    }
}

/// To the page that shows what a form has done.
pub(super) fn to(path: &str) -> Response {
    Redirect::to(path).into_response()
}

/// A parameter of an address.
pub(super) fn pair(name: &str, value: &str) -> String {
    use rialto_console::kit::path_part;
    format!("{}={}", path_part(name), path_part(value))
}

fn name_and_role(state: &State, principal: Principal) -> (String, String) {
    match principal {
        Principal::Person(id) => {
            let person = state.persons.get(&id);
            let owner = person.and_then(|p| state.owners.get(&p.owner));
            let role = person.map(|p| super::show::word(&p.role));
            let of = owner.map(|o| o.name.as_str().to_owned());
            (
                person.map(|p| p.name.to_string()).unwrap_or_default(),
                format!("{} of {}", role.unwrap_or_default(), of.unwrap_or_default()),
            )
        }
        Principal::Agent(id) => {
            let agent = state.agents.get(&id);
            (
                agent.map(|a| a.handle.to_string()).unwrap_or_default(),
                "agent".to_owned(),
            )
        }
        _ => ("operator".to_owned(), "of the realm".to_owned()),
    }
}

/// A refusal as pages show it.
pub(super) fn shown(problem: &Problem) -> Refused {
    Refused {
        code: problem.code.clone(),
        title: problem.title.clone(),
        detail: problem.detail.clone(),
        hint: problem.hint.clone(),
    }
}

/// A page with the status of its refusal.
pub(super) fn answered(
    refusal: &Refusal,
    page: Result<Response, Refusal>,
) -> Result<Response, Refusal> {
    let mut page = page?;
    *page.status_mut() = crate::door::status_of(refusal.rejection.code);
    Ok(page)
}

/// The id that an address names.
///
/// # Errors
/// [`Code::Malformed`].
pub(super) fn named<T: std::str::FromStr>(text: &str) -> Result<T, Refusal>
where
    T::Err: std::fmt::Display,
{
    text.parse()
        .map_err(|e: T::Err| Refusal::new(Code::Malformed, e.to_string()))
}

#[cfg(test)]
mod tests {
    use rialto_core::amount::Decimal;
    use rialto_core::text::{AssetCode, Name};
    use rialto_core::work::TeamRole;

    use super::*;

    #[test]
    fn what_is_typed_is_read_as_a_command_would_have_it() {
        let said = |read: Result<String, Refusal>| read.map_err(|why| Box::new(why.problem()));
        for (field, text, want) in [
            ("agent", "@casa", Some("\"@casa\"")),
            ("agent", "casa!", None),
            ("asset", "USD", Some("\"USD\"")),
            ("asset", "usd", None),
            ("amount", "12.50", Some("\"12.50\"")),
            ("amount", "1,5", None),
            ("label", "laptop", Some("\"laptop\"")),
            ("label", "", None),
            ("role", "lead", Some("\"lead\"")),
            ("role", "boss", None),
            ("role", "", None),
        ] {
            fn json<T: DeserializeOwned + serde::Serialize>(
                field: &str,
                text: &str,
            ) -> Result<String, Refusal> {
                read::<T>(field, text).map(|value| serde_json::to_string(&value).unwrap())
            }
            let found = said(match field {
                "agent" => json::<AgentRef>(field, text),
                "asset" => json::<AssetCode>(field, text),
                "amount" => json::<Decimal>(field, text),
                "label" => json::<Name>(field, text),
                _ => json::<TeamRole>(field, text),
            });
            match (found, want) {
                (Ok(found), Some(want)) => assert_eq!(found, want, "{field} {text:?}"),
                (Err(problem), None) => {
                    assert_eq!(problem.code, Code::Malformed.to_string());
                    assert!(problem.detail.starts_with(field), "{}", problem.detail);
                }
                (found, _) => panic!("{field} {text:?}: {found:?}"),
            }
        }
    }
}

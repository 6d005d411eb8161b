//! Who asks: a bearer token, looked up by its hash. It may also come as `x-api-key`, as clients of models send it.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, header};
use rialto_core::decide::secret_hash;
use rialto_core::id::{AgentId, OwnerId, TokenId};
use rialto_core::identity::{self, AgentRef, Auth, Need, Principal};
use rialto_core::policy::{self, Action, authorise};
use rialto_core::reject::Code;
use rialto_core::state::State;
use rialto_views::Scope;

use super::problem::Refusal;
use super::{Door, sign_ups};
use crate::node::{Subject, TokenInfo};

/// The other header for a token.
const API_KEY: &str = "x-api-key";

/// Who asks, as the headers prove and say.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) principal: Principal,
    pub(crate) auth: Auth,
    /// The agent to act as, if the header names one.
    pub(crate) acting: Option<AgentRef>,
}

impl Caller {
    fn of(parts: &Parts, door: &Door) -> Result<Self, Refusal> {
        let headers = &parts.headers;
        let acting = acting_header(headers)?;
        if !brings_key(headers) {
            return Ok(Self {
                principal: Principal::Public,
                auth: Auth::None,
                acting,
            });
        }
        let info = token_of(&parts.extensions, headers, door)?;
        // What no route says is for tokens that may do everything.
        let need = parts.extensions.get().copied();
        let need = need.unwrap_or(Need::Everything);
        if !info.may.meets(need) {
            return Err(identity::missing(info.may, need).into());
        }
        Ok(Self {
            principal: info.principal,
            auth: Auth::Token(info.token),
            acting,
        })
    }

    /// Refuses those without a token.
    pub(crate) fn known(&self) -> Result<(), Refusal> {
        if self.principal == Principal::Public {
            Err(Code::Unauthenticated.into())
        } else {
            Ok(())
        }
    }
}

/// Whether a request says who asks.
pub(crate) fn brings_key(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION) || headers.contains_key(API_KEY)
}

/// The secret that a request carries as its bearer token.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return headers.get(API_KEY)?.to_str().ok().map(str::trim);
    };
    let value = value.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

/// The live token that a request carries, used from where it may be used.
///
/// # Errors
/// [`Code::Unauthenticated`], [`Code::TokenPlace`].
pub(crate) fn token_of(
    extensions: &Extensions,
    headers: &HeaderMap,
    door: &Door,
) -> Result<TokenInfo, Refusal> {
    let hash = bearer(headers).map(secret_hash);
    let info = hash.and_then(|hash| door.node.token(&hash));
    let info = info.ok_or(Code::Unauthenticated)?;
    may_come(info.token, extensions, headers, door)?;
    door.last_use.note(info.token, door.node.clock().now());
    Ok(info)
}

/// Judges from where a token is used.
///
/// # Errors
/// [`Code::TokenPlace`].
pub(crate) fn may_come(
    token: TokenId,
    extensions: &Extensions,
    headers: &HeaderMap,
    door: &Door,
) -> Result<(), Refusal> {
    let address = sign_ups::address(extensions, headers, &door.rules.proxies);
    match door.node.may_come_from(token, address) {
        true => Ok(()),
        false => Err(Code::TokenPlace.into()),
    }
}

/// The agent that a header names to act as.
pub(crate) fn acting_header(headers: &HeaderMap) -> Result<Option<AgentRef>, Refusal> {
    let named = headers.get("rialto-agent");
    let named = named.map(|value| acting_agent(value.to_str().unwrap_or_default()));
    named.transpose()
}

fn acting_agent(name: &str) -> Result<AgentRef, Refusal> {
    name.parse()
        .map_err(|e| Refusal::new(Code::Malformed, format!("Rialto-Agent: {e}")))
}

impl FromRequestParts<Arc<Door>> for Caller {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door>) -> Result<Self, Refusal> {
        Self::of(parts, door)
    }
}

/// What a caller may list, judged on the current state.
pub(crate) async fn scope(door: &Door, caller: &Caller) -> Result<Scope, Refusal> {
    caller.known()?;
    let (principal, acting, auth) = (caller.principal, caller.acting.clone(), caller.auth);
    let (_, scope) = door
        .node
        .read(move |state| scope_in(state, principal, auth, acting.as_ref()))
        .await?;
    scope
}

fn scope_in(
    state: &State,
    principal: Principal,
    auth: Auth,
    acting: Option<&AgentRef>,
) -> Result<Scope, Refusal> {
    live(state, principal, auth)?;
    if let Some(name) = acting {
        let agent = rialto_core::decide::resolve_agent(state, name)?;
        authorise(state, principal, Action::ViewAgent(agent))?;
        return Ok(Scope::Agent(agent));
    }
    Ok(match principal {
        Principal::Operator => Scope::Realm,
        Principal::Person(person) => Scope::Owner(owner_of(state, person)?),
        Principal::Agent(agent) => Scope::Agent(agent),
        Principal::Realm | Principal::Service(_) | Principal::Public => {
            return Err(Code::Forbidden.into());
        }
    })
}

/// Whether a principal may do anything at all. Since its look-up the token may have been revoked,
/// or somebody stopped.
pub(crate) fn live(state: &State, principal: Principal, auth: Auth) -> Result<(), Refusal> {
    policy::stands(state, principal, auth, state.now()).map_err(Refusal::from)
}

/// The same for callers that need nothing else from the state.
pub(crate) async fn stands(door: &Door, caller: &Caller) -> Result<(), Refusal> {
    let (principal, auth) = (caller.principal, caller.auth);
    let (_, judged) = door
        .node
        .read(move |state| live(state, principal, auth))
        .await?;
    judged
}

/// Whether a caller may still follow a stream. The state is only asked if somebody was stopped or
/// resumed since the last time.
pub(crate) struct Watch {
    caller: Caller,
    switched: u64,
}

impl Watch {
    /// A watch over a caller that may act now; made before that was checked.
    pub(crate) fn of(door: &Door, caller: &Caller) -> Self {
        Self {
            caller: caller.clone(),
            switched: door.node.switched(),
        }
    }

    /// What a stream follows besides its own subject: its end is told by these.
    pub(crate) fn subjects(&self, door: &Door) -> Vec<Subject> {
        let token = match self.caller.auth {
            Auth::Token(token) => Some(Subject::Token(token)),
            _ => None,
        };
        let owner = door.node.owner_of(self.caller.principal);
        token
            .into_iter()
            .chain(owner.map(Subject::Standing))
            .collect()
    }

    /// Checks again, if there is a reason to.
    ///
    /// # Errors
    /// As [`live`].
    pub(crate) async fn judge(&mut self, door: &Door) -> Result<(), Refusal> {
        if let Auth::Token(token) = self.caller.auth
            && !door.node.holds(token)
        {
            return Err(Code::TokenRevoked.into());
        }
        let switched = door.node.switched();
        if switched != self.switched {
            stands(door, &self.caller).await?;
            self.switched = switched;
        }
        Ok(())
    }
}

fn owner_of(state: &State, person: rialto_core::id::PersonId) -> Result<OwnerId, Refusal> {
    Ok(state.persons.get(&person).ok_or(Code::NotFound)?.owner)
}

/// The agent whose inbox or other private data is meant: the acting one.
pub(crate) fn acting(state: &State, caller: &Caller) -> Result<AgentId, Refusal> {
    live(state, caller.principal, caller.auth)?;
    let agent = match (&caller.acting, caller.principal) {
        (Some(name), _) => rialto_core::decide::resolve_agent(state, name)?,
        (None, Principal::Agent(agent)) => agent,
        (None, Principal::Public) => return Err(Code::Unauthenticated.into()),
        (None, _) => return Err(Code::NoActor.into()),
    };
    authorise(state, caller.principal, Action::ViewAgent(agent))?;
    Ok(agent)
}

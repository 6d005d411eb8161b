//! What the realm is, and who asks it: read from the state.

use axum::Json;
use axum::extract::State;
use rialto_core::hash::Hash;
use rialto_core::id::OwnerId;
use rialto_core::identity::Principal;
use rialto_core::policy::Settings;
use rialto_core::reject::Code;
use rialto_core::time::Time;
use serde::Serialize;

use super::answer::Answer;
use super::auth::{Caller, live};
use super::problem::Refusal;
use super::reads::{DoorState, operator};
use crate::node::ClockState;

/// The realm's clock beside the machine's.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RealmClock {
    /// The realm's time.
    realm: Time,
    /// The machine's.
    machine: Time,
    /// How they stand to each other.
    state: ClockState,
    /// Whether the machine has a clock that counts sleep. If not, waking from more than an hour of it waits
    /// for the operator, as if the clock had been set.
    counts_sleep: bool,
    /// What there is to do about it.
    advice: Option<String>,
}

/// The realm.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RealmView {
    /// Its name, with the at sign.
    name: String,
    /// Its Ed25519 public key.
    key: Hash,
    /// The position of its latest event.
    position: u64,
    /// Its time.
    time: Time,
    /// The same in milliseconds since 1970.
    time_ms: u64,
    /// The position that lists have reached.
    indexed: u64,
    /// The version of the server.
    version: &'static str,
    /// The operator's settings.
    settings: Settings,
    /// Its clock.
    clock: RealmClock,
}

/// `GET /api/realm`.
pub(super) async fn realm(State(door): DoorState) -> Answer<RealmView> {
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
    let clocks = door.node.clocks();
    Ok(Json(RealmView {
        name,
        key,
        position,
        time,
        time_ms: time.0,
        indexed: door.node.hub().indexed(),
        version: env!("CARGO_PKG_VERSION"),
        settings,
        clock: RealmClock {
            realm: clocks.realm,
            machine: clocks.machine,
            state: clocks.state,
            counts_sleep: clocks.counts_sleep,
            advice: clocks.advice(),
        },
    }))
}

/// Who a token belongs to.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct WhoAmI {
    /// Who it is.
    principal: Principal,
    /// How the principal was authenticated.
    auth: rialto_core::identity::Auth,
    /// The owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<OwnerId>,
    /// An agent's handle with the at sign, or a person's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    handle: Option<String>,
    /// A person's role.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<rialto_core::identity::Role>,
    /// The position at which this was so.
    position: u64,
}

/// `GET /api/whoami`.
pub(super) async fn whoami(State(door): DoorState, caller: Caller) -> Answer<WhoAmI> {
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
            Principal::Realm | Principal::Operator | Principal::Service(_) | Principal::Public => {
                (None, None, None)
            }
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

/// The digest of the state.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct DigestView {
    /// The position that it is of.
    position: u64,
    /// `b3:` and 64 hexadecimal digits.
    digest: String,
    /// How many entities it is of.
    entities: u64,
}

/// `GET /api/digest`.
pub(super) async fn digest(State(door): DoorState, caller: Caller) -> Answer<DigestView> {
    operator(&door, &caller).await?;
    let digested = door.node.digest().await?;
    Ok(Json(DigestView {
        position: digested.position,
        digest: format!("b3:{}", digested.digest),
        entities: digested.entities,
    }))
}

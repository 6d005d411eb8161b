//! Events and the envelope they are logged in.
//!
//! The stored form is CBOR with numbered fields. A released event keeps its number and meaning for
//! ever; a changed meaning is a new event with a new number. What can happen stands in the modules;
//! [`Event`] joins it.

use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::fact::{Fact, TextOf, Told};
use crate::hash::Short;
use crate::id::{AgentId, AnyId};
use crate::identity::{Auth, Principal};
use crate::modules::{all, count, modules};
use crate::noun::Row;
use crate::state::State;
use crate::text::ContentRef;
use crate::time::Time;

pub use crate::realm::RealmEvent;

/// The version of the envelope and events that this code writes.
pub const VERSION: u16 = 1;

macro_rules! joined {
    ($(
        $(#[$about:meta])*
        $module:ident: $name:ident = $number:literal, $event:ident, $_command:ident $(<$_texts:ident>)? {
            $($_stores:tt)*
        }
    )*) => {
        /// Something that happened.
        #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum Event {
            $($(#[$about])* #[n($number)] $name(#[n(0)] crate::$module::$event),)*
        }

        $(impl From<crate::$module::$event> for Event {
            fn from(event: crate::$module::$event) -> Self {
                Self::$name(event)
            }
        })*

        /// The names of the events of each module.
        const MODULES: &[&[&str]] = &[$(<crate::$module::$event>::NAMES,)*];

        impl Fact for Event {
            fn name(&self) -> &'static str {
                match self { $(Self::$name(event) => event.name(),)* }
            }
            fn concerns(&self, visit: &mut impl FnMut(AnyId)) {
                match self { $(Self::$name(event) => event.concerns(visit),)* }
            }
            fn texts(&self, visit: &mut impl FnMut(&ContentRef, TextOf)) {
                match self { $(Self::$name(event) => event.texts(visit),)* }
            }
            fn told(&self) -> Vec<Told> {
                match self { $(Self::$name(event) => event.told(),)* }
            }
            fn rows(&self) -> Vec<Row> {
                match self { $(Self::$name(event) => event.rows(),)* }
            }
        }

        impl State {
            /// Applies one event.
            pub(crate) fn evolve(&mut self, event: &Event) {
                match event { $(Event::$name(event) => crate::$module::evolve(self, event),)* }
            }
        }
    };
}

modules!(joined);

impl Event {
    /// The names of all events.
    pub const NAMES: &'static [&'static str] = &ALL;
}

const ALL: [&str; count(MODULES)] = all(MODULES);

/// An idempotency key as it is logged: the key hashed with its principal and the agent that it acts
/// as, and the request's hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LoggedKey {
    /// The hash of principal and key.
    #[n(0)]
    pub key: Short,
    /// The hash of the request.
    #[n(1)]
    pub request: Short,
    /// When the client made the key, in seconds since 1970. If it is missing, the hash is of
    /// principal and key only, whatever agent acted.
    #[n(2)]
    pub made_at_s: Option<u64>,
}

/// One accepted command's events, with who asked and what caused it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Envelope {
    /// The version it was written in.
    #[n(0)]
    pub version: u16,
    /// Its place in the log.
    #[n(1)]
    pub position: u64,
    /// The logical time.
    #[n(2)]
    pub at: Time,
    /// Who asked.
    #[n(3)]
    pub principal: Principal,
    /// How the principal was authenticated.
    #[n(4)]
    pub auth: Auth,
    /// The agent that acted, if one did.
    #[n(5)]
    pub actor: Option<AgentId>,
    /// The idempotency key.
    #[n(6)]
    pub key: Option<LoggedKey>,
    /// What caused it, as the asker said.
    #[n(7)]
    pub cause: Option<AnyId>,
    /// What happened, in order.
    #[n(8)]
    pub events: Vec<Event>,
    /// The ids that the answer names.
    #[n(9)]
    pub ids: Vec<AnyId>,
    /// The reading of the realm's steady clock, in milliseconds.
    #[n(10)]
    pub steady_ms: Option<u64>,
}

/// Why stored bytes are not an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadEnvelope {
    /// Written by a newer version.
    Newer(u16),
    /// Not an envelope.
    Malformed,
}

impl Envelope {
    /// The stored form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Encoding into a Vec cannot fail.
        minicbor::to_vec(self).unwrap_or_default()
    }

    /// Reads a stored envelope.
    ///
    /// # Errors
    /// [`BadEnvelope::Newer`] when a newer version wrote it, [`BadEnvelope::Malformed`] otherwise.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadEnvelope> {
        let mut decoder = minicbor::Decoder::new(bytes);
        let version = decoder
            .array()
            .and_then(|_| decoder.u16())
            .map_err(|_| BadEnvelope::Malformed)?;
        if version > VERSION {
            return Err(BadEnvelope::Newer(version));
        }
        minicbor::decode(bytes).map_err(|_| BadEnvelope::Malformed)
    }
}

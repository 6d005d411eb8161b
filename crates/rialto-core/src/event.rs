//! Events and the envelope they are logged in.
//!
//! The stored form is CBOR with numbered fields. A released event keeps its number and meaning for
//! ever; a changed meaning is a new event with a new number.

use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::hash::{Hash, Short};
use crate::id::{AgentId, AnyId, TokenId};
use crate::identity::{Auth, IdentityEvent, Principal};
use crate::ledger::LedgerEvent;
use crate::mail::MailEvent;
use crate::market::MarketEvent;
use crate::policy::PolicyEvent;
use crate::social::SocialEvent;
use crate::text::Handle;
use crate::time::Time;
use crate::work::WorkEvent;

/// The version of the envelope and events that this code writes.
pub const VERSION: u16 = 1;

/// What happened to the realm itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RealmEvent {
    /// The realm was founded.
    #[n(0)]
    Founded {
        /// Its name.
        #[n(0)]
        name: Handle,
        /// Its Ed25519 public key.
        #[n(1)]
        key: Hash,
    },
    /// The operator got a new token; the old ones ended.
    #[n(1)]
    OperatorTokenReset {
        /// The new token's id.
        #[n(0)]
        token: TokenId,
        /// The hash of its secret.
        #[n(1)]
        #[serde(skip)]
        hash: Hash,
    },
    /// The realm got a new key.
    #[n(2)]
    KeyRotated {
        /// The new public key.
        #[n(0)]
        key: Hash,
    },
    /// The operator accepted that the clock has jumped ahead.
    #[n(3)]
    ClockAccepted,
    /// The clock let finished and forgotten things leave memory. They stay in the log and the views.
    #[n(4)]
    Retired {
        /// The keys of the entities.
        #[n(0)]
        #[serde(serialize_with = "count_only")]
        #[cfg_attr(feature = "schema", schemars(with = "u64"))]
        #[cbor(with = "keys")]
        keys: Vec<Vec<u8>>,
    },
    /// The operator accepted that the clock has jumped ahead, with where it stood and where it stands.
    #[n(10)]
    ClockMoved {
        /// The realm's time before.
        #[n(0)]
        from: Time,
        /// The realm's time since.
        #[n(1)]
        to: Time,
    },
    /// The operator set the realm's clock back: a jump ahead had been a mistake. What expired
    /// meanwhile stays expired.
    #[n(11)]
    ClockSetBack {
        /// The realm's time before.
        #[n(0)]
        from: Time,
        /// The realm's time since.
        #[n(1)]
        to: Time,
        /// The position of the jump that is undone.
        #[n(2)]
        jumped: u64,
    },
}

fn count_only<S: serde::Serializer>(keys: &[Vec<u8>], s: S) -> Result<S::Ok, S::Error> {
    s.serialize_u64(u64::try_from(keys.len()).unwrap_or(u64::MAX))
}

mod keys {
    use alloc::vec::Vec;

    use minicbor::bytes::ByteVec;
    use minicbor::decode::Error as DecodeError;
    use minicbor::encode::{Error as EncodeError, Write};
    use minicbor::{Decode, Decoder, Encoder};

    pub(super) fn encode<C, W: Write>(
        keys: &[Vec<u8>],
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        e.array(u64::try_from(keys.len()).unwrap_or(u64::MAX))?;
        for key in keys {
            e.bytes(key)?;
        }
        Ok(())
    }

    pub(super) fn decode<C>(d: &mut Decoder<'_>, ctx: &mut C) -> Result<Vec<Vec<u8>>, DecodeError> {
        let keys = Vec::<ByteVec>::decode(d, ctx)?;
        Ok(keys.into_iter().map(Vec::from).collect())
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// To the realm itself.
    #[n(0)]
    Realm(#[n(0)] RealmEvent),
    /// To identities.
    #[n(1)]
    Identity(#[n(0)] IdentityEvent),
    /// To mail.
    #[n(2)]
    Mail(#[n(0)] MailEvent),
    /// To work.
    #[n(3)]
    Work(#[n(0)] WorkEvent),
    /// On the ledger.
    #[n(4)]
    Ledger(#[n(0)] LedgerEvent),
    /// On the market.
    #[n(5)]
    Market(#[n(0)] MarketEvent),
    /// To policy.
    #[n(6)]
    Policy(#[n(0)] PolicyEvent),
    /// On the square.
    #[n(7)]
    Social(#[n(0)] SocialEvent),
}

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
    /// When the client made the key, in seconds since 1970. Where it is missing, the hash is of
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
    /// How that was proved.
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

/// Why stored bytes are no envelope.
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

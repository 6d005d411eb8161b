//! The realm itself: its name and key, its operator's token, its clock, and what it remembers of keys.
//!
//! Holds the first command of every log, what the operator does about the clock, and the tick that
//! does what is due. What is due about an entity stands with the entity; nothing here knows it.

mod decide;
mod evolve;
pub(crate) mod rules;
mod tick;

use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

pub(crate) use evolve::evolve;

pub use rules::Rules;

pub use crate::clock::Clock;
use crate::command::{commands, never};
use crate::entity::{Charge, Due, Entity, Lookup};
use crate::fact::facts;
use crate::hash::{Hash, Short};
use crate::id::{AnyId, AssetId, OwnerId, TokenId};
use crate::limits;
use crate::policy::Settings;
use crate::text::Handle;
use crate::time::Time;

/// The realm itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Realm {
    /// Its name.
    #[n(0)]
    pub name: Handle,
    /// Its Ed25519 public key.
    #[n(1)]
    pub key: Hash,
    /// The operator's token.
    #[n(2)]
    pub operator_token: Option<TokenId>,
    /// The operator's settings.
    #[n(3)]
    pub settings: Settings,
    /// The default asset.
    #[n(4)]
    pub asset: Option<AssetId>,
}

impl Entity for Realm {
    const KIND: u8 = 1;
    type Key = ();
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Nobody;
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// A remembered idempotency key. Keyed by the hash of principal, acting agent and key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Remembered {
    /// The hash of the request.
    #[n(0)]
    pub request: Short,
    /// Where it was accepted.
    #[n(1)]
    pub position: u64,
    /// When.
    #[n(2)]
    pub at: Time,
    /// The ids that the answer named.
    #[n(3)]
    pub ids: Vec<AnyId>,
    /// The sender's owner, if any.
    #[n(4)]
    pub owner: Option<OwnerId>,
    /// When the client made the key, in seconds since 1970; missing if the hash is of principal and
    /// key only.
    #[n(5)]
    pub made_at_s: Option<u64>,
    /// When it is forgotten; missing if the settings did not say for how long keys are kept.
    #[n(6)]
    pub until: Option<Time>,
}

/// When a key that was used at a time is forgotten. It may have been as old as keys are kept, and lie ahead
/// by IDEMPOTENCY_AHEAD_MS, when it was used, so it stays until the last moment at which it could be used
/// again.
pub(crate) fn forgotten_at(used: Time, kept_ms: u64) -> Time {
    used.after(kept_ms + limits::IDEMPOTENCY_AHEAD_MS + 1)
}

impl Entity for Remembered {
    const KIND: u8 = 3;
    type Key = Short;
    const DUE: Due<Self> = Due::Leaves(|it| {
        let usual = || forgotten_at(it.at, limits::IDEMPOTENCY_MS);
        Some(it.until.unwrap_or_else(usual))
    });
    const CHARGE: Charge<Self> = Charge::Window {
        most: limits::IDEMPOTENCY_KEYS,
        what: "idempotency keys",
        payer: |it, _, _| it.owner,
    };
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// Founds the realm: the first command of every log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// The realm's name.
    pub name: Handle,
    /// The realm's Ed25519 public key.
    pub key: Hash,
}

/// Gives the realm a new key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RotateRealmKey {
    /// The new public key.
    pub key: Hash,
}

/// A command without arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

commands! {
    /// What can be asked of the realm itself.
    pub enum RealmCommand needs everything {
        /// Lets the clock do what is due.
        Tick(Nothing) = "clock.tick" => tick::tick, reaches_others: never;
        /// Accepts that the clock has jumped ahead.
        AcceptClock(Nothing) = "clock.accept" => decide::accept_clock, reaches_others: never;
        /// Sets the realm's clock back after a mistaken jump ahead.
        SetClockBack(Nothing) = "clock.set_back" => decide::set_clock_back, reaches_others: never;
        /// Founds the realm.
        Found(Found) = "realm.found" => decide::found, reaches_others: never;
        /// Issues a new operator token and ends the old ones.
        ResetOperatorToken(Nothing) = "realm.reset_operator_token" => decide::reset_operator_token, reaches_others: never;
        /// Gives the realm a new key.
        RotateRealmKey(RotateRealmKey) = "realm.rotate_key" => decide::rotate_key, reaches_others: never;
    }
}

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
        #[cbor(with = "keys")]
        keys: Vec<Vec<u8>>,
    },
    /// The operator accepted that the clock has jumped ahead, with the times before and after.
    #[n(10)]
    ClockMoved {
        /// The realm's time before.
        #[n(0)]
        from: Time,
        /// The realm's time since.
        #[n(1)]
        to: Time,
    },
    /// The operator set the realm's clock back after a mistaken jump ahead. What expired during the
    /// jump stays expired.
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
    /// The realm follows a later edition of the rules from now on.
    #[n(12)]
    RulesAdopted {
        /// Which.
        #[n(0)]
        edition: u16,
    },
}

facts! {
    RealmEvent {
        Founded { .. } = "realm.founded", concerns [], texts [], told [];
        OperatorTokenReset { .. } = "realm.operator_token_reset", concerns [], texts [], told [];
        KeyRotated { .. } = "realm.key_rotated", concerns [], texts [], told [];
        ClockAccepted {} = "realm.clock_accepted", concerns [], texts [], told [];
        Retired { .. } = "realm.retired", concerns [], texts [], told [];
        ClockMoved { .. } = "realm.clock_moved", concerns [], texts [], told [];
        ClockSetBack { .. } = "realm.clock_set_back", concerns [], texts [], told [];
        RulesAdopted { .. } = "realm.rules_adopted", concerns [], texts [], told [];
    }
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

//! Typed ids: short, sortable, and readable as `deal_000000004jx0`.
//!
//! An id is 60 bits: the position of the envelope that made it (46 bits) and an ordinal within that
//! envelope (14 bits). Text form is a typed prefix and twelve digits of Crockford's base 32 in lower
//! case, so ids sort by age as numbers and as text. An id is no secret: every access is authorised.

use alloc::string::String;
use core::fmt;

use minicbor::{Decode, Encode};

use crate::entity::{EntityKey, Key};
use crate::fact::Things;

/// Bits of an id that hold the ordinal within its envelope.
pub const ORDINAL_BITS: u32 = 14;
/// The most ids one envelope can make.
pub const MAX_ORDINALS: u64 = 1 << ORDINAL_BITS;
/// Digits of an id's text form, after the prefix.
const DIGITS: usize = 12;
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Makes an id's number from the position of its envelope and an ordinal.
#[must_use]
pub const fn number(position: u64, ordinal: u64) -> u64 {
    (position << ORDINAL_BITS) | (ordinal & (MAX_ORDINALS - 1))
}

/// The position of the envelope that made the id with this number.
#[must_use]
pub const fn position_of(number: u64) -> u64 {
    number >> ORDINAL_BITS
}

fn write_digits(f: &mut fmt::Formatter<'_>, number: u64) -> fmt::Result {
    for place in (0..DIGITS).rev() {
        let digit = (number >> (5 * place)) & 31;
        let byte = ALPHABET
            .get(usize::try_from(digit).unwrap_or(0))
            .copied()
            .unwrap_or(b'0');
        write!(f, "{}", char::from(byte))?;
    }
    Ok(())
}

fn read_digits(text: &str) -> Option<u64> {
    if text.len() != DIGITS {
        return None;
    }
    text.bytes().try_fold(0_u64, |number, byte| {
        let digit = ALPHABET.iter().position(|a| *a == byte)?;
        Some((number << 5) | u64::try_from(digit).ok()?)
    })
}

/// Why a text is not an id of the wanted kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadId {
    /// The prefix that was wanted.
    pub wanted: &'static str,
}

impl fmt::Display for BadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "expected an id of the form {}_ and {DIGITS} digits",
            self.wanted
        )
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $kind:literal $prefix:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
            #[cbor(transparent)]
            pub struct $name(#[n(0)] pub u64);

            impl $name {
                /// What the text form starts with, before the underscore.
                pub const PREFIX: &'static str = $prefix;
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(concat!($prefix, "_"))?;
                    write_digits(f, self.0)
                }
            }

            impl core::str::FromStr for $name {
                type Err = BadId;
                fn from_str(text: &str) -> Result<Self, BadId> {
                    text.strip_prefix(concat!($prefix, "_"))
                        .and_then(read_digits)
                        .map(Self)
                        .ok_or(BadId { wanted: $prefix })
                }
            }

            impl serde::Serialize for $name {
                fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                    s.collect_str(self)
                }
            }

            impl<'de> serde::Deserialize<'de> for $name {
                fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                    let text = <alloc::borrow::Cow<'de, str>>::deserialize(d)?;
                    text.parse().map_err(serde::de::Error::custom)
                }
            }

            #[cfg(feature = "schema")]
            impl schemars::JsonSchema for $name {
                fn schema_name() -> alloc::borrow::Cow<'static, str> {
                    stringify!($name).into()
                }
                fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                    schemars::json_schema!({
                        "type": "string",
                        "pattern": concat!("^", $prefix, "_[0-9a-hjkmnp-tv-z]{12}$")
                    })
                }
            }

            impl Key for $name {
                fn write(&self, out: &mut EntityKey) {
                    self.0.write(out);
                }
                fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
                    u64::read(bytes).map(|(number, rest)| (Self(number), rest))
                }
            }

            impl Things for $name {
                fn each(&self, visit: &mut impl FnMut(AnyId)) {
                    visit((*self).into());
                }
            }

            impl From<$name> for AnyId {
                fn from(id: $name) -> AnyId {
                    AnyId::$name(id)
                }
            }
        )*

        /// An id of any kind, as answers, causes and traces carry it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        pub enum AnyId {
            $(
                #[doc = concat!("An id that starts with `", $prefix, "_`.")]
                #[n($kind)]
                $name(#[n(0)] $name),
            )*
        }

        impl AnyId {
            /// The bare number, the same under every kind.
            #[must_use]
            pub fn number(self) -> u64 {
                match self { $(AnyId::$name(id) => id.0,)* }
            }

            /// The number of the kind, the same for ever.
            #[must_use]
            pub fn kind(self) -> u8 {
                match self { $(AnyId::$name(_) => $kind,)* }
            }

            /// The id of the kind with this number, if there is such a kind.
            #[must_use]
            pub fn of_kind(kind: u8, number: u64) -> Option<Self> {
                match kind {
                    $($kind => Some(AnyId::$name($name(number))),)*
                    _ => None,
                }
            }

            /// The number of the kind with this prefix, if there is such a kind.
            #[must_use]
            pub fn kind_with(prefix: &str) -> Option<u8> {
                match prefix {
                    $($prefix => Some($kind),)*
                    _ => None,
                }
            }

            /// The prefix of the kind.
            #[must_use]
            pub fn prefix(self) -> &'static str {
                match self { $(AnyId::$name(_) => $prefix,)* }
            }
        }

        impl fmt::Display for AnyId {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(AnyId::$name(id) => id.fmt(f),)* }
            }
        }

        impl core::str::FromStr for AnyId {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                match text.split_once('_').map(|(prefix, _)| prefix) {
                    $(Some($prefix) => text.parse().map(AnyId::$name),)*
                    _ => Err(BadId { wanted: "a known kind" }),
                }
            }
        }
    };
}

ids! {
    /// A person or organisation that owns agents.
    OwnerId = 0 "owner";
    /// A member of an owner, with a role.
    PersonId = 1 "person";
    /// A team: a unit of an owner, with members, one budget and an agreed split.
    TeamId = 2 "team";
    /// An agent.
    AgentId = 3 "agent";
    /// A service of the operator, such as a payment hook.
    ServiceId = 4 "svc";
    /// A bearer token (the id, never the secret).
    TokenId = 5 "tok";
    /// A kind of money.
    AssetId = 6 "asset";
    /// An account on the ledger.
    AccountId = 7 "acct";
    /// An entry on the ledger.
    TransferId = 8 "xfer";
    /// A pending transfer.
    HoldId = 9 "hold";
    /// A direct conversation or a group.
    ConversationId = 10 "conv";
    /// A message.
    MessageId = 11 "msg";
    /// A task.
    TaskId = 12 "task";
    /// What an agent sells.
    ListingId = 13 "list";
    /// A call for proposals.
    CallId = 14 "call";
    /// A negotiation by alternating offers.
    NegotiationId = 15 "neg";
    /// A deal.
    DealId = 16 "deal";
    /// An approval that waits for a person.
    ApprovalId = 17 "appr";
    /// A piece of text or data that is stored beside the facts and can be erased.
    ContentId = 18 "cont";
    /// A post.
    PostId = 19 "post";
    /// A community.
    CommunityId = 20 "comm";
    /// A report of a post or an agent.
    ReportId = 21 "report";
    /// A measure that a moderator took.
    MeasureId = 22 "meas";
    /// An effect owed to the outside.
    ObligationId = 23 "obligation";
    /// Work for which an agent reserved room in its allowances.
    UsageId = 24 "usage";
    /// What serves a model.
    DeploymentId = 25 "deployment";
    /// A call of a model.
    InferenceId = 26 "inference";
}

impl serde::Serialize for AnyId {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for AnyId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for AnyId {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "AnyId".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[a-z]+_[0-9a-hjkmnp-tv-z]{12}$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn text_and_number_agree() {
        for n in [0, 1, number(1, 0), number(77, 3), (1 << 60) - 1] {
            let id = DealId(n);
            assert_eq!(id.to_string().parse::<DealId>(), Ok(id));
            assert_eq!(id.to_string().parse::<AnyId>(), Ok(AnyId::DealId(id)));
        }
    }

    #[test]
    fn text_sorts_as_numbers_do() {
        let texts: alloc::vec::Vec<_> = [1, 31, 32, 1024, number(9, 9)]
            .iter()
            .map(|n| DealId(*n).to_string())
            .collect();
        assert!(texts.is_sorted());
    }

    #[test]
    fn strangers_are_refused() {
        for bad in [
            "",
            "deal_",
            "deal_1",
            "task_000000000001",
            "deal_00000000000u",
            "deal_0000000000001",
        ] {
            assert!(bad.parse::<DealId>().is_err(), "{bad}");
        }
    }
}

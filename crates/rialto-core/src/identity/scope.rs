//! What a token may do: the rights, the budget and the networks that its issuer gave it.
//!
//! A token without a scope may do everything that its holder may. A scope only takes away: what the
//! holder may not do, no token of its may. Rights are judged where a command is identified and where
//! a door is asked to read; networks are judged by the doors, since the core sees no addresses.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::IdentityEvent;
use crate::amount::{Amount, Decimal};
use crate::ctx::{Ctx, positive};
use crate::event::Event;
use crate::id::{AccountId, AssetId, TokenId};
use crate::identity::Auth;
use crate::ledger::resolve_asset;
use crate::limits;
use crate::policy::Action;
use crate::reject::{Code, Rejection};
use crate::state::State;
use crate::text::AssetCode;

/// One thing that a token may be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Right {
    /// Call models.
    Models = 1,
    /// Read what its holder may see, but no mail.
    Read = 2,
    /// Read mail: the inbox, conversations and messages.
    ReadMail = 4,
    /// Write mail.
    Mail = 8,
    /// Make and do tasks, and take part in teams.
    Work = 16,
    /// List, negotiate, deal and pay.
    Trade = 32,
    /// Write on the square.
    Post = 64,
}

impl Right {
    /// Every right, in the order in which they are written.
    pub const ALL: [Self; 7] = [
        Self::Models,
        Self::Read,
        Self::ReadMail,
        Self::Mail,
        Self::Work,
        Self::Trade,
        Self::Post,
    ];

    /// Its name, as requests spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Models => "models",
            Self::Read => "read",
            Self::ReadMail => "read_mail",
            Self::Mail => "mail",
            Self::Work => "work",
            Self::Trade => "trade",
            Self::Post => "post",
        }
    }
}

impl FromStr for Right {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|right| right.name() == text);
        known.ok_or("expected models, read, read_mail, mail, work, trade or post")
    }
}

/// What must be allowed to a token before it may ask for a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Everything.
    Everything,
    /// These rights, all of them.
    All(Rights),
    /// Nothing here: the decider judges.
    Judged,
}

/// A set of rights.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Rights(#[n(0)] u8);

impl Rights {
    /// What a token without a scope has.
    pub const EVERYTHING: Self = Self(0x80);

    /// These rights.
    #[must_use]
    #[allow(clippy::indexing_slicing)] // Within the slice.
    pub const fn of(rights: &[Right]) -> Self {
        let (mut bits, mut next) = (0, 0);
        while next < rights.len() {
            bits |= rights[next] as u8;
            next += 1;
        }
        Self(bits)
    }

    /// Whether a right is among them.
    #[must_use]
    pub fn has(self, right: Right) -> bool {
        self == Self::EVERYTHING || self.0 & right as u8 != 0
    }

    /// Whether what a command needs is among them.
    #[must_use]
    pub fn meets(self, need: Need) -> bool {
        match need {
            Need::Everything => self == Self::EVERYTHING,
            Need::All(rights) => self == Self::EVERYTHING || self.0 & rights.0 == rights.0,
            Need::Judged => true,
        }
    }

    /// Their names; `everything` is one.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let all = (self == Self::EVERYTHING).then_some("everything");
        let some = Right::ALL.into_iter().filter(move |right| {
            let whole = self == Self::EVERYTHING;
            !whole && self.has(*right)
        });
        all.into_iter().chain(some.map(Right::name))
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

impl Serialize for Rights {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.names())
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Rights {
    fn schema_name() -> Cow<'static, str> {
        "Rights".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names = ["everything"]
            .into_iter()
            .chain(Right::ALL.map(Right::name));
        let names: Vec<&str> = names.collect();
        schemars::json_schema!({ "type": "array", "items": { "type": "string", "enum": names } })
    }
}

/// Addresses with a common beginning, written `10.0.0.0/8` or `2001:db8::/32`. An address without a
/// length stands for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Network {
    /// The address in IPv6 form, with the bits after the prefix cleared.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    address: [u8; 16],
    /// How many bits of it count, from 0 to 128.
    #[n(1)]
    bits: u8,
}

/// How many bits an IPv4 address is longer in IPv6 form.
const MAPPED: u8 = 96;

impl Network {
    fn new(address: IpAddr, bits: Option<u8>) -> Option<Self> {
        let (address, most, before) = match address {
            IpAddr::V4(v4) => (v4.to_ipv6_mapped(), 32, MAPPED),
            IpAddr::V6(v6) => (v6, 128, 0),
        };
        let bits = bits.unwrap_or(most);
        if bits > most {
            return None;
        }
        let bits = bits + before;
        let kept = address.to_bits() & mask(bits);
        Some(Self {
            address: kept.to_be_bytes(),
            bits,
        })
    }

    /// Whether an address lies in it. An IPv4 address is the same in IPv6 form, and in no network of
    /// IPv6 that is wider than all of IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = match address.to_canonical() {
            IpAddr::V4(_) if self.bits < MAPPED => return false,
            IpAddr::V4(v4) => v4.to_ipv6_mapped(),
            IpAddr::V6(v6) => v6,
        };
        address.to_bits() & mask(self.bits) == u128::from_be_bytes(self.address)
    }
}

fn mask(bits: u8) -> u128 {
    match bits {
        0 => 0,
        bits => u128::MAX << (128 - u32::from(bits.min(128))),
    }
}

impl FromStr for Network {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WANTED: &str = "expected an address or a network, like 10.0.0.0/8 or 2001:db8::/32";
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().map_err(|_| WANTED)?)),
            None => (text, None),
        };
        let address = address.parse().map_err(|_| WANTED)?;
        Self::new(address, bits).ok_or(WANTED)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = IpAddr::from(self.address).to_canonical();
        let mapped = address.is_ipv4() && self.bits >= MAPPED;
        let address = if mapped {
            address
        } else {
            IpAddr::from(self.address)
        };
        let before = if mapped { MAPPED } else { 0 };
        match self.bits {
            128 => write!(f, "{address}"),
            bits => write!(f, "{address}/{}", bits.saturating_sub(before)),
        }
    }
}

impl Serialize for Network {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Network {
    fn schema_name() -> Cow<'static, str> {
        "Network".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "An address or a network: 10.0.0.0/8, 2001:db8::/32." })
    }
}

/// The most that a token may spend, as a request says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UpTo {
    /// The asset: the token spends no other; by default the realm's first.
    #[serde(default)]
    pub asset: Option<AssetCode>,
    /// The most that it may spend in all, in whole units.
    pub amount: Decimal,
}

/// The most that a token may spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SpendLimit {
    /// The asset: the token spends no other.
    #[n(0)]
    pub asset: AssetId,
    /// The most that it may spend in all.
    #[n(1)]
    pub amount: Amount,
}

/// What a token may do.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TokenScope {
    /// What it is for.
    #[n(0)]
    pub may: Rights,
    /// The most that it may spend, if that is limited.
    #[n(1)]
    pub up_to: Option<SpendLimit>,
    /// From where it may be used; from everywhere if empty.
    #[n(2)]
    pub from: Vec<Network>,
}

/// What a scope is made of, as a request says it.
pub(super) struct Asked<'a> {
    pub(super) may: Option<&'a [Right]>,
    pub(super) up_to: Option<&'a UpTo>,
    pub(super) from: &'a [Network],
}

impl TokenScope {
    /// The scope that a request asks for; none if it takes nothing away.
    ///
    /// # Errors
    /// [`Code::Malformed`] for rights without an end, [`Code::BadAmount`], [`Code::NoAsset`],
    /// [`Code::TooMany`].
    pub(super) fn asked(ctx: &Ctx<'_>, asked: &Asked<'_>) -> Result<Option<Self>, Rejection> {
        let malformed = |why: &str| Err(Rejection::new(Code::Malformed, why));
        ctx.at_most("from", asked.from.len(), limits::TOKEN_NETWORKS)?;
        let may = match asked.may {
            Some([]) => return malformed("may is empty: name a right, or leave it out"),
            Some(some) => Rights::of(some),
            None => Rights::EVERYTHING,
        };
        if asked.up_to.is_some() && (may == Rights::EVERYTHING || !may.has(Right::Trade)) {
            return malformed(
                "up_to limits a token that may trade: name its rights in may, trade among them",
            );
        }
        let up_to = asked.up_to.map(|up_to| limit(ctx, up_to)).transpose()?;
        let everything = may == Rights::EVERYTHING && asked.from.is_empty();
        Ok((!everything).then(|| Self {
            may,
            up_to,
            from: asked.from.to_vec(),
        }))
    }
}

fn limit(ctx: &Ctx<'_>, up_to: &UpTo) -> Result<SpendLimit, Rejection> {
    let (asset, scale) = resolve_asset(ctx.state, up_to.asset.as_ref())?;
    let amount = positive(up_to.amount, scale)?;
    Ok(SpendLimit { asset, amount })
}

/// Judges whether the way a request was authenticated allows what it needs.
///
/// # Errors
/// [`Code::TokenScope`]; the detail names the right that is missing.
pub fn allows(state: &State, auth: Auth, need: Need) -> Result<(), Rejection> {
    let Auth::Token(token) = auth else {
        return Ok(());
    };
    let scope = state.tokens.get(&token).and_then(|t| t.scope.as_deref());
    match scope {
        Some(scope) if !scope.may.meets(need) => Err(missing(scope.may, need)),
        _ => Ok(()),
    }
}

/// The refusal of a token that lacks a right.
#[must_use]
pub fn missing(may: Rights, need: Need) -> Rejection {
    let list = |rights: Rights| rights.names().collect::<Vec<_>>().join(" and ");
    let wanted = match need {
        Need::All(rights) => list(rights),
        Need::Everything | Need::Judged => list(Rights::EVERYTHING),
    };
    let detail = format!(
        "it needs a token for {wanted}; this one is for {}",
        list(may)
    );
    Rejection::new(Code::TokenScope, detail)
}

/// The token whose budget a token spends from: itself, or the one that replaced it.
fn purse(state: &State, token: TokenId) -> Option<TokenId> {
    let mut token = token;
    // A replacement is younger, so this ends; the bound is the number of a principal's live tokens.
    for _ in 0..=limits::TOKENS_PER_PRINCIPAL {
        match state.tokens.get(&token)?.replaced_by {
            Some(next) => token = next,
            None => return Some(token),
        }
    }
    None
}

impl Ctx<'_> {
    /// Counts what its token spends from an account, or refuses it. What others make a principal's
    /// account pay (by accepting its offer) was counted when the offer was made.
    pub(crate) fn spend_by_token(
        &mut self,
        account: AccountId,
        (asset, amount): (AssetId, Amount),
    ) -> Result<(), Rejection> {
        let Some(token) = self.token else {
            return Ok(());
        };
        let scope = |id| self.state.tokens.get(&id)?.scope.as_deref();
        let Some(limit) = scope(token).and_then(|scope: &TokenScope| scope.up_to) else {
            return Ok(());
        };
        if self.authorise(Action::Spend(account)).is_err() {
            return Ok(());
        }
        let refused = |detail: String| Err(Rejection::new(Code::TokenSpent, detail));
        let Some(purse) = purse(self.state, token) else {
            return refused("the token that replaced it has ended".into());
        };
        let of = |id: AssetId| self.state.assets.get(&id);
        let (code, scale) =
            of(limit.asset).map_or_else(Default::default, |a| (format!("{}", a.code), a.scale));
        if asset != limit.asset {
            return refused(format!("it spends {code} only"));
        }
        let before = self.state.tokens.get(&purse).and_then(|t| t.spent);
        let before = before.unwrap_or_default().plus(self.draft.by_token);
        let before = before.ok_or(Code::Overflow)?;
        if before.plus(amount).ok_or(Code::Overflow)? > limit.amount {
            let (most, before) = (limit.amount.display(scale), before.display(scale));
            return refused(format!("{before} of {most} {code} are spent"));
        }
        self.draft.by_token = self.draft.by_token.plus(amount).ok_or(Code::Overflow)?;
        Ok(())
    }

    /// Logs what the token spends with this command.
    pub(crate) fn flush_token(&mut self) {
        let amount = core::mem::take(&mut self.draft.by_token);
        if !amount.is_positive() {
            return;
        }
        let Some(token) = self.token.and_then(|token| purse(self.state, token)) else {
            return;
        };
        self.emit(Event::Identity(IdentityEvent::TokenSpent { token, amount }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_the_addresses_that_begin_as_it_does() {
        for (network, address, inside) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.1.2.3/8", "10.9.9.9", true),
            ("10.0.0.0/8", "::ffff:10.0.0.1", true),
            ("::ffff:10.0.0.0/8", "10.0.0.1", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "10.0.0.1", false),
            ("::ffff:10.0.0.0/104", "10.0.0.1", true),
            ("::1", "::1", true),
            ("::1", "127.0.0.1", false),
        ] {
            let parsed: Network = network.parse().unwrap();
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(parsed.contains(address), inside, "{network} {address}");
        }
    }

    #[test]
    fn a_network_is_written_as_it_is_read() {
        for (text, written) in [
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.7/32", "192.0.2.7"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:db8::1/32", "2001:db8::/32"),
            ("::/0", "::/0"),
            ("::ffff:10.1.0.0/104", "10.0.0.0/8"),
        ] {
            let network: Network = text.parse().unwrap();
            assert_eq!(alloc::format!("{network}"), written);
        }
        for bad in [
            "",
            "10.0.0.0/33",
            "10.0.0/8",
            "::/129",
            "a/8",
            "10.0.0.0/",
            "10.0.0.0/-1",
        ] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }

    #[test]
    fn rights_are_a_set_and_everything_is_more_than_all_of_them() {
        let some = Rights::of(&[Right::Trade, Right::Read, Right::Trade]);
        assert_eq!(some.names().collect::<Vec<_>>(), ["read", "trade"]);
        assert!(some.has(Right::Read) && !some.has(Right::Mail));
        assert!(
            some.meets(Need::All(Rights::of(&[Right::Trade]))) && !some.meets(Need::Everything)
        );
        let all = Rights::of(&Right::ALL);
        assert!(!all.meets(Need::Everything));
        assert!(Rights::EVERYTHING.meets(Need::Everything));
        let names: Vec<_> = Rights::EVERYTHING.names().collect();
        assert_eq!(names, ["everything"]);
    }
}

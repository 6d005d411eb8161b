//! Identity: owners, their people, agents, services, and the tokens they act with.
//!
//! Holds who exists, who belongs to whom, and which keys and tokens are live. It holds no profile
//! text (a content beside the log, searched in the views), no secret (only hashes of tokens) and no
//! spending rule ([`crate::policy`] has those).

mod command;
mod decide;
mod event;
mod evolve;
mod invitation;
mod keys;
mod scope;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_scope;

use alloc::boxed::Box;
use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

pub use command::{
    AddPerson, CloseAgent, CreateService, EndLeaked, IdentityCommand, IssueToken, MoveAgent,
    RegisterAgent, RevokeToken, RotateKey, RotateToken, SetProfile, SetRole, SignUp, StopAgents,
    Subject, SwitchSubject,
};
pub(crate) use decide::{held_by_operator, known_by_deal};
pub use event::IdentityEvent;
pub(crate) use evolve::evolve;
pub use invitation::{EndInvitation, Invitation, Invite, code_key};
pub(crate) use keys::Keys;
pub use scope::{Need, Network, Right, Rights, SpendLimit, TokenScope, UpTo, allows, missing};

use crate::amount::{Amount, Decimal};
use crate::entity::{Charge, Due, Entity, Lookup};
use crate::hash::{Hash, Short};
use crate::id::{AgentId, HoldId, OwnerId, PersonId, ServiceId, TeamId, TokenId};
use crate::limits;
use crate::text::{AssetCode, Handle, Name, Url};
use crate::time::Time;

/// The sender of a request, as its token or the node itself proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
pub enum Principal {
    /// The realm itself: its clock.
    #[n(0)]
    Realm,
    /// The operator, who runs the realm.
    #[n(1)]
    Operator,
    /// A member of an owner.
    #[n(2)]
    Person(#[n(0)] PersonId),
    /// An agent.
    #[n(3)]
    Agent(#[n(0)] AgentId),
    /// A service of the operator.
    #[n(4)]
    Service(#[n(0)] ServiceId),
    /// Somebody without a token, who may only sign up.
    #[n(5)]
    Public,
}

/// How the principal was authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "by", content = "token")]
pub enum Auth {
    /// Not at all: the realm's own clock, or a sign-up.
    #[n(0)]
    None,
    /// By a bearer token.
    #[n(1)]
    Token(#[n(0)] TokenId),
    /// By access to the data folder of a realm whose server is stopped.
    #[n(2)]
    Local,
}

/// Whether an owner is one person or an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OwnerKind {
    /// One person.
    #[n(0)]
    Person,
    /// An organisation.
    #[n(1)]
    Organisation,
}

/// What a member of an owner may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Do everything that the owner may do.
    #[n(0)]
    Admin,
    /// See everything, and approve or deny what waits for approval.
    #[n(1)]
    Approver,
    /// See everything.
    #[n(2)]
    Viewer,
}

/// Whether a principal may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It may act.
    #[n(0)]
    Active,
    /// Its stop switch was pulled: it cannot act, read or spend, but keeps all that it has.
    #[n(1)]
    Suspended,
    /// It was closed for good. Only agents can be closed.
    #[n(2)]
    Closed,
}

/// Who may write to an agent first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ContactPolicy {
    /// Anybody.
    #[n(0)]
    Open,
    /// A stranger's first message arrives as a request, to be admitted or refused.
    #[default]
    #[n(1)]
    Request,
    /// Only agents of the same owner and partners of deals.
    #[n(2)]
    Closed,
}

/// Whose mentions reach an agent's inbox. Those of its own owner's agents always do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mentioner {
    /// Everybody.
    #[n(0)]
    All,
    /// Agents that it follows.
    #[n(1)]
    Followed,
    /// Agents that it has dealt with or admitted.
    #[n(2)]
    Dealt,
    /// Agents that post in a community that it is a member of.
    #[n(3)]
    Members,
    /// Agents with a stake.
    #[n(4)]
    Staked,
}

impl Mentioner {
    /// The bit under which it is kept.
    #[must_use]
    pub fn bit(self) -> u8 {
        1 << self as u8
    }

    /// Several of them, as they are kept.
    #[must_use]
    pub fn bits(all: &[Self]) -> u8 {
        all.iter().fold(0, |bits, one| bits | one.bit())
    }
}

/// Who holds an agent's private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Custody {
    /// The agent itself.
    #[n(0)]
    Own,
    /// The realm, on its behalf: derived from the realm's custody secret and this nonce.
    #[n(1)]
    Realm(#[n(0)] Short),
}

/// What a service may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// Bring money in from outside, and take it out.
    #[n(0)]
    Payments,
    /// Report what calls of models have used.
    #[n(1)]
    Metering,
}

/// A price that an agent states in its profile, for people and agents to compare.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StatedPrice {
    /// What it is for.
    #[n(0)]
    pub item: Name,
    /// The price in whole units of the asset.
    #[n(1)]
    #[cbor(with = "crate::identity::decimal_text")]
    pub price: Decimal,
    /// The asset.
    #[n(2)]
    pub asset: AssetCode,
}

/// Decimals are stored as their author wrote them.
pub(crate) mod decimal_text {
    use minicbor::decode::Error as DecodeError;
    use minicbor::encode::{Error as EncodeError, Write};
    use minicbor::{Decoder, Encoder};

    use crate::amount::Decimal;

    pub(crate) fn encode<C, W: Write>(
        value: &Decimal,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        e.str(&value.text())?.ok()
    }

    pub(crate) fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<Decimal, DecodeError> {
        d.str()?
            .parse()
            .map_err(|_| DecodeError::message("malformed decimal"))
    }
}

/// What an agent says about itself. `C` is the form of the description.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Profile<C> {
    /// What it is and does, in words.
    #[n(0)]
    #[serde(default = "Option::<C>::default")]
    pub description: Option<C>,
    /// What it can do.
    #[n(1)]
    #[serde(default)]
    pub skills: Vec<Name>,
    /// Words to find it by.
    #[n(2)]
    #[serde(default)]
    pub tags: Vec<Name>,
    /// Prices it states.
    #[n(3)]
    #[serde(default)]
    pub prices: Vec<StatedPrice>,
    /// Where it can be called, if it has an address.
    #[n(4)]
    #[serde(default)]
    pub endpoint: Option<Url>,
    /// Who may write to it first.
    #[n(5)]
    #[serde(default)]
    pub contact: ContactPolicy,
    /// Whether buyers' offers to it must be funded: made with their money held.
    #[n(10)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub funded_offers_only: Option<bool>,
    /// Whose mentions reach its inbox; an empty list allows only its own owner's agents. By default
    /// everybody's, or with closed contact those of `followed`, `dealt` and `members`.
    #[n(20)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mentions: Option<Vec<Mentioner>>,
}

impl<C> Default for Profile<C> {
    fn default() -> Self {
        Self {
            description: None,
            skills: Vec::new(),
            tags: Vec::new(),
            prices: Vec::new(),
            endpoint: None,
            contact: ContactPolicy::default(),
            funded_offers_only: None,
            mentions: None,
        }
    }
}

impl<C> Profile<C> {
    /// The same profile with its description in another form.
    pub fn map<D>(self, carry: impl FnMut(C) -> D) -> Profile<D> {
        Profile {
            description: self.description.map(carry),
            skills: self.skills,
            tags: self.tags,
            prices: self.prices,
            endpoint: self.endpoint,
            contact: self.contact,
            funded_offers_only: self.funded_offers_only,
            mentions: self.mentions,
        }
    }
}

/// A person or organisation that owns agents.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Owner {
    /// Its unique name.
    #[n(0)]
    pub name: Handle,
    /// A person or an organisation.
    #[n(1)]
    pub kind: OwnerKind,
    /// Whether it may act.
    #[n(2)]
    pub status: Status,
    /// How many agents it has.
    #[n(3)]
    pub agents: u32,
    /// How many teams it has.
    #[n(4)]
    pub teams: u32,
    /// How many people it has.
    #[n(5)]
    pub persons: u32,
    /// How many of them are active admins.
    #[n(6)]
    pub admins: u32,
    /// How many blocks it has set.
    #[n(7)]
    pub blocks: u32,
    /// When it signed up.
    #[n(8)]
    pub created: Time,
    /// Since when all its agents are stopped together, if so.
    #[n(9)]
    pub stopped: Option<Time>,
    /// True while the operator has them stopped, which its own people cannot undo.
    #[n(10)]
    pub stopped_by_operator: Option<bool>,
    /// True while its owner's people hold it too, which the operator cannot undo.
    #[n(11)]
    pub stopped_by_both: Option<bool>,
}

impl Entity for Owner {
    const KIND: u8 = 10;
    type Key = OwnerId;
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Nobody;
    const LOOKUP: Lookup<Self> = Lookup::ForEver(|it, key, index| {
        index.owner_names.insert(it.name.clone(), key);
    });
}

/// A member of an owner.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Person {
    /// The owner.
    #[n(0)]
    pub owner: OwnerId,
    /// Its name within the owner.
    #[n(1)]
    pub name: Name,
    /// What it may do.
    #[n(2)]
    pub role: Role,
    /// Whether it may act.
    #[n(3)]
    pub status: Status,
    /// How many live tokens it has.
    #[n(4)]
    pub tokens: u32,
    /// True while the operator has it stopped, which its owner's people cannot undo.
    #[n(5)]
    pub stopped_by_operator: Option<bool>,
    /// True while its owner's people hold it too, which the operator cannot undo.
    #[n(6)]
    pub stopped_by_both: Option<bool>,
}

impl Entity for Person {
    const KIND: u8 = 11;
    type Key = PersonId;
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Nobody;
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// An agent, as decisions need it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Agent {
    /// Who owns it.
    #[n(0)]
    pub owner: OwnerId,
    /// The team of its owner that it belongs to, if any.
    #[n(1)]
    pub team: Option<TeamId>,
    /// Its unique handle.
    #[n(2)]
    pub handle: Handle,
    /// Its Ed25519 public key.
    #[n(3)]
    pub key: Hash,
    /// Who holds the private key.
    #[n(4)]
    pub custody: Custody,
    /// Whether it may act.
    #[n(5)]
    pub status: Status,
    /// Who may write to it first.
    #[n(6)]
    pub contact: ContactPolicy,
    /// How many live tokens it has.
    #[n(7)]
    pub tokens: u32,
    /// How many listings it has.
    #[n(8)]
    pub listings: u32,
    /// How many of its first messages wait unanswered at strangers.
    #[n(9)]
    pub open_requests: u32,
    /// How many blocks it has set.
    #[n(10)]
    pub blocks: u32,
    /// When it was registered.
    #[n(11)]
    pub created: Time,
    /// How many approvals it waits for.
    #[n(12)]
    pub approvals: u32,
    /// True when buyers' offers to it must be funded.
    #[n(16)]
    pub funded_offers_only: Option<bool>,
    /// Whose mentions reach its inbox, as bits of [`Mentioner::bit`]; none leaves it to `contact`.
    #[n(20)]
    pub mentions: Option<u8>,
    /// True while the operator has it stopped, which its owner's people cannot undo.
    #[n(21)]
    pub stopped_by_operator: Option<bool>,
    /// True while its owner's people hold it too, which the operator cannot undo.
    #[n(22)]
    pub stopped_by_both: Option<bool>,
}

impl Entity for Agent {
    const KIND: u8 = 12;
    type Key = AgentId;
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::AGENTS,
        // Those that were closed count on: their handles are never given away.
        what: "agents, closed ones among them",
        payer: |it, _, _| Some(it.owner),
    };
    const LOOKUP: Lookup<Self> = Lookup::ForEver(|it, key, index| {
        index.looks.add(&it.handle, key);
        if it.status != Status::Closed {
            index.keys.add(it.key);
        }
        index.handles.insert(it.handle.clone(), key);
    });
}

/// A service of the operator.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Service {
    /// Its name.
    #[n(0)]
    pub name: Name,
    /// What it may do.
    #[n(1)]
    pub grants: Vec<Grant>,
    /// Whether it may act.
    #[n(2)]
    pub status: Status,
    /// How many live tokens it has.
    #[n(3)]
    pub tokens: u32,
}

impl Entity for Service {
    const KIND: u8 = 13;
    type Key = ServiceId;
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Nobody;
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// A live bearer token. Only the hash of the secret is kept.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Token {
    /// The token's holder.
    #[n(0)]
    pub principal: Principal,
    /// The hash of the secret.
    #[n(1)]
    #[serde(skip)]
    pub hash: Hash,
    /// When it expires, if ever.
    #[n(2)]
    pub expires: Option<Time>,
    /// What it may do; everything that its holder may, if there is none.
    #[n(3)]
    pub scope: Option<Box<TokenScope>>,
    /// What was spent with it, in the asset of its limit.
    #[n(4)]
    pub spent: Option<Amount>,
    /// The token that replaced it, from whose limit it spends until it ends.
    #[n(5)]
    pub replaced_by: Option<TokenId>,
    /// The live tokens of the same holder that were issued with it.
    #[n(6)]
    pub issued: Option<Vec<TokenId>>,
}

impl Entity for Token {
    const KIND: u8 = 14;
    type Key = TokenId;
    const DUE: Due<Self> = Due::Acts(|it| it.expires, decide::expire_token);
    const CHARGE: Charge<Self> = Charge::Nobody;
    const LOOKUP: Lookup<Self> = Lookup::While(
        |it, key, index| {
            index.secrets.insert(it.hash, key);
        },
        |it, _, index| {
            index.secrets.remove(&it.hash);
        },
    );
}

/// The stake that an owner holds for an agent beyond the free number. Keyed by the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Stake {
    /// The hold, which ends when the agent is closed.
    #[n(0)]
    pub hold: HoldId,
}

impl Entity for Stake {
    const KIND: u8 = 15;
    type Key = AgentId;
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Nobody;
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// How a request names an agent: by id, or by handle with an at sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentRef {
    /// By id.
    Id(AgentId),
    /// By handle.
    Handle(Handle),
}

impl core::str::FromStr for AgentRef {
    type Err = crate::text::BadText;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with('@') {
            return Handle::new(text).map(Self::Handle);
        }
        text.parse()
            .map(Self::Id)
            .map_err(|_| crate::text::BadText {
                wanted: "an agent: @handle or agent_ id",
            })
    }
}

impl core::fmt::Display for AgentRef {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Handle(handle) => handle.fmt(f),
        }
    }
}

impl Serialize for AgentRef {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AgentRef {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <alloc::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for AgentRef {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "AgentRef".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "An agent: @handle or agent_ id." })
    }
}

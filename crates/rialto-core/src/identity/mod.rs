//! Identity: owners, their people, agents, services, and the tokens they act with.
//!
//! Holds who exists, who belongs to whom, and which keys and tokens are live. It holds no profile
//! text (a content beside the log, searched in the views), no secret (only hashes of tokens) and no
//! spending rule (those are [`crate::policy`]'s).

mod decide;
mod evolve;
mod invitation;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

pub(crate) use decide::{decide, known_by_deal, sign_up};
pub(crate) use evolve::evolve;
pub(crate) use invitation::expire_invitation;
pub use invitation::{EndInvitation, Invitation, Invite, code_key};

use crate::amount::Decimal;
use crate::entity::Entity;
use crate::hash::{Hash, Short};
use crate::id::{AgentId, HoldId, OwnerId, PersonId, ServiceId, TeamId, TokenId};
use crate::text::{AssetCode, ContentRef, Handle, Name, Url};
use crate::time::Time;

/// Who a request comes from, as its token or the node itself proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
pub enum Principal {
    /// The realm itself: its clock.
    #[n(0)]
    Realm,
    /// Whoever runs the realm.
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
    /// By holding the data folder of a realm that is not being served.
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
    /// Everything the owner may.
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
    /// Somebody pulled the stop switch: it can neither act nor spend; nothing of it is lost.
    #[n(1)]
    Suspended,
    /// It was closed for good. Only agents are.
    #[n(2)]
    Closed,
}

/// Whom an agent lets write to it first.
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
    /// Nobody but agents of the same owner and partners of deals.
    #[n(2)]
    Closed,
}

/// Whose mentions reach an agent's inbox. Agents of its own owner always may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mentioner {
    /// Everybody.
    #[n(0)]
    All,
    /// Those whom it follows.
    #[n(1)]
    Followed,
    /// Those whom it has dealt with or admitted.
    #[n(2)]
    Dealt,
    /// Those who post in a community that it is a member of.
    #[n(3)]
    Members,
    /// Those for whom their owner holds a stake.
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

/// Decimals are stored as the text that their author wrote.
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

/// What an agent says of itself. `C` is how the description is carried.
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
    /// Whom it lets write to it first.
    #[n(5)]
    #[serde(default)]
    pub contact: ContactPolicy,
    /// Whether buyers' offers to it must be funded: made with their money held.
    #[n(10)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub funded_offers_only: Option<bool>,
    /// Whose mentions reach its inbox; an empty list is nobody's but its own owner's agents. Left
    /// out, everybody's, or with closed contact those of `followed`, `dealt` and `members`.
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
    /// The same profile with its description carried another way.
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
    /// One person or an organisation.
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
    /// Since when all its agents are stopped together, if they are.
    #[n(9)]
    pub stopped: Option<Time>,
}

impl Entity for Owner {
    const KIND: u8 = 10;
    type Key = OwnerId;
}

/// A member of an owner.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Person {
    /// Whose member.
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
}

impl Entity for Person {
    const KIND: u8 = 11;
    type Key = PersonId;
}

/// An agent, as decisions need it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Agent {
    /// Who owns it.
    #[n(0)]
    pub owner: OwnerId,
    /// The team of its owner that it stands under, if any.
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
    /// Whom it lets write to it first.
    #[n(6)]
    pub contact: ContactPolicy,
    /// How many live tokens it has.
    #[n(7)]
    pub tokens: u32,
    /// How many listings it has.
    #[n(8)]
    pub listings: u32,
    /// How many first messages of it wait unanswered at strangers.
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
}

impl Entity for Agent {
    const KIND: u8 = 12;
    type Key = AgentId;
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
}

/// A live bearer token. Only the hash of the secret is kept.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Token {
    /// Whose token.
    #[n(0)]
    pub principal: Principal,
    /// The hash of the secret.
    #[n(1)]
    #[serde(skip)]
    pub hash: Hash,
    /// When it expires, if ever.
    #[n(2)]
    pub expires: Option<Time>,
}

impl Entity for Token {
    const KIND: u8 = 14;
    type Key = TokenId;

    fn due(&self) -> Option<Time> {
        self.expires
    }
}

/// What an owner holds for an agent beyond the free number. Keyed by the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Stake {
    /// The hold, which ends when the agent is closed.
    #[n(0)]
    pub hold: HoldId,
}

impl Entity for Stake {
    const KIND: u8 = 15;
    type Key = AgentId;
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

/// Whom a stop switch or a token is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Subject {
    /// An owner with all its people and agents.
    Owner(OwnerId),
    /// A person.
    Person(PersonId),
    /// An agent.
    Agent(AgentRef),
    /// A service.
    Service(ServiceId),
}

/// Becomes an owner, with one admin and its first token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SignUp {
    /// The owner's unique name.
    pub name: Handle,
    /// One person or an organisation.
    pub kind: OwnerKind,
    /// The code of an invitation, which also opens the way where sign-up is closed or its rate is reached.
    #[serde(default)]
    pub invitation: Option<Name>,
}

/// Adds a person to an owner and issues its first token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AddPerson {
    /// To which owner.
    pub owner: OwnerId,
    /// Its name within the owner.
    pub name: Name,
    /// What it may do.
    pub role: Role,
}

/// Gives a person another role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SetRole {
    /// Whom.
    pub person: PersonId,
    /// What it may do from now on.
    pub role: Role,
}

/// Registers an agent and issues its first token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RegisterAgent<C> {
    /// Its owner. May be left out by a person, whose owner it then is.
    #[serde(default)]
    pub owner: Option<OwnerId>,
    /// The team of the owner that it stands under.
    #[serde(default)]
    pub team: Option<TeamId>,
    /// Its unique handle.
    pub handle: Handle,
    /// Its Ed25519 public key; left out, the realm makes one and holds the private half for it.
    #[serde(default)]
    pub key: Option<Hash>,
    /// What it says of itself.
    #[serde(default = "Profile::<C>::default")]
    pub profile: Profile<C>,
}

/// Replaces an agent's profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SetProfile<C> {
    /// Whose.
    pub agent: AgentRef,
    /// What it says of itself from now on.
    pub profile: Profile<C>,
}

/// Moves an agent under a team of its owner, or out of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MoveAgent {
    /// Which agent.
    pub agent: AgentRef,
    /// Under which team; none puts it directly under its owner.
    #[serde(default)]
    pub team: Option<TeamId>,
}

/// Gives an agent a new key. Handle, balance, reputation and open holds stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RotateKey {
    /// Whose key.
    pub agent: AgentRef,
    /// The new public key; left out, the realm makes one and holds the private half.
    #[serde(default)]
    pub key: Option<Hash>,
}

/// Issues one more token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct IssueToken {
    /// Whose token.
    pub subject: Subject,
    /// A name to tell it from others.
    #[serde(default)]
    pub label: Option<Name>,
    /// After how many milliseconds it expires; left out, never.
    #[serde(default)]
    pub expires_in_ms: Option<u64>,
}

/// Revokes a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RevokeToken {
    /// Which.
    pub token: TokenId,
}

/// Ends a token that stood in a text that came in. Only the realm itself does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EndLeaked {
    /// Which.
    pub token: TokenId,
}

/// Pulls or releases the stop switch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SwitchSubject {
    /// Of whom.
    pub subject: Subject,
}

/// Stops all agents of an owner at once, or lets them go on. An agent that is suspended itself stays
/// so; one that is registered meanwhile is stopped too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StopAgents {
    /// Of which owner. May be left out by a person, whose owner it then is.
    #[serde(default)]
    pub owner: Option<OwnerId>,
    /// True stops them, false lets them go on.
    pub stop: bool,
}

/// Closes an agent for good: it never acts again, and its handle is never given away. Its deals and
/// tasks run out by their own terms, its money is its owner's to move, and its stake comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CloseAgent {
    /// Which.
    pub agent: AgentRef,
}

/// Creates a service with its first token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateService {
    /// Its name.
    pub name: Name,
    /// What it may do.
    pub grants: Vec<Grant>,
}

/// What happened to identities.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum IdentityEvent {
    /// An owner signed up.
    #[n(0)]
    OwnerCreated {
        /// Its id.
        #[n(0)]
        owner: OwnerId,
        /// Its name.
        #[n(1)]
        name: Handle,
        /// Person or organisation.
        #[n(2)]
        kind: OwnerKind,
    },
    /// A person joined an owner.
    #[n(1)]
    PersonAdded {
        /// Its id.
        #[n(0)]
        person: PersonId,
        /// Whose member.
        #[n(1)]
        owner: OwnerId,
        /// Its name.
        #[n(2)]
        name: Name,
        /// Its role.
        #[n(3)]
        role: Role,
    },
    /// A person got another role.
    #[n(2)]
    RoleSet {
        /// Whom.
        #[n(0)]
        person: PersonId,
        /// The role.
        #[n(1)]
        role: Role,
    },
    /// An agent was registered.
    #[n(3)]
    AgentRegistered {
        /// Its id.
        #[n(0)]
        agent: AgentId,
        /// Its owner.
        #[n(1)]
        owner: OwnerId,
        /// The team it stands under.
        #[n(2)]
        team: Option<TeamId>,
        /// Its handle.
        #[n(3)]
        handle: Handle,
        /// Its public key.
        #[n(4)]
        key: Hash,
        /// Who holds the private key.
        #[n(5)]
        custody: Custody,
        /// What it says of itself.
        #[n(6)]
        profile: Profile<ContentRef>,
    },
    /// An agent's profile was replaced.
    #[n(4)]
    ProfileSet {
        /// Whose.
        #[n(0)]
        agent: AgentId,
        /// What it says of itself.
        #[n(1)]
        profile: Profile<ContentRef>,
    },
    /// An agent was moved within its owner.
    #[n(5)]
    AgentMoved {
        /// Which.
        #[n(0)]
        agent: AgentId,
        /// Under which team.
        #[n(1)]
        team: Option<TeamId>,
    },
    /// An agent got a new key.
    #[n(6)]
    KeyRotated {
        /// Which agent.
        #[n(0)]
        agent: AgentId,
        /// The new public key.
        #[n(1)]
        key: Hash,
        /// Who holds the private key.
        #[n(2)]
        custody: Custody,
    },
    /// A token was issued.
    #[n(7)]
    TokenIssued {
        /// Its id.
        #[n(0)]
        token: TokenId,
        /// Whose.
        #[n(1)]
        principal: Principal,
        /// The hash of its secret.
        #[n(2)]
        #[serde(skip)]
        hash: Hash,
        /// Its name.
        #[n(3)]
        label: Option<Name>,
        /// When it expires.
        #[n(4)]
        expires: Option<Time>,
    },
    /// A token ended: revoked, or expired.
    #[n(8)]
    TokenEnded {
        /// Which.
        #[n(0)]
        token: TokenId,
    },
    /// The stop switch of an owner was pulled or released.
    #[n(9)]
    OwnerSwitched {
        /// Whose.
        #[n(0)]
        owner: OwnerId,
        /// Suspended or active.
        #[n(1)]
        status: Status,
    },
    /// The stop switch of a person was pulled or released.
    #[n(10)]
    PersonSwitched {
        /// Whose.
        #[n(0)]
        person: PersonId,
        /// Suspended or active.
        #[n(1)]
        status: Status,
    },
    /// The stop switch of an agent was pulled or released.
    #[n(11)]
    AgentSwitched {
        /// Whose.
        #[n(0)]
        agent: AgentId,
        /// Suspended or active.
        #[n(1)]
        status: Status,
    },
    /// A service was created.
    #[n(12)]
    ServiceCreated {
        /// Its id.
        #[n(0)]
        service: ServiceId,
        /// Its name.
        #[n(1)]
        name: Name,
        /// What it may do.
        #[n(2)]
        grants: Vec<Grant>,
    },
    /// The stop switch of a service was pulled or released.
    #[n(13)]
    ServiceSwitched {
        /// Whose.
        #[n(0)]
        service: ServiceId,
        /// Suspended or active.
        #[n(1)]
        status: Status,
    },
    /// A stake is held for an agent.
    #[n(14)]
    StakeHeld {
        /// For which.
        #[n(0)]
        agent: AgentId,
        /// The hold.
        #[n(1)]
        hold: HoldId,
    },
    /// An agent was closed for good; its stake, if there was one, is given back in the same batch.
    #[n(15)]
    AgentClosed {
        /// Which.
        #[n(0)]
        agent: AgentId,
    },
    /// All agents of an owner were stopped at once, or let go on.
    #[n(20)]
    AgentsStopped {
        /// Whose.
        #[n(0)]
        owner: OwnerId,
        /// True when they were stopped.
        #[n(1)]
        stop: bool,
    },
    /// An agent's handle is an edit away from one of another owner that is known by its deals, or is
    /// read as it.
    #[n(30)]
    HandleMarked {
        /// Whose handle.
        #[n(0)]
        agent: AgentId,
        /// The older agent.
        #[n(1)]
        resembles: AgentId,
    },
    /// A live token stood in a text that came in, and has ended with it.
    #[n(31)]
    TokenLeaked {
        /// Which.
        #[n(0)]
        token: TokenId,
        /// Whose it was.
        #[n(1)]
        principal: Principal,
    },
    /// Whoever holds a code may sign up with it.
    #[n(40)]
    Invited {
        /// Its id.
        #[n(0)]
        invitation: TokenId,
        /// The hash of its code.
        #[n(1)]
        #[serde(skip)]
        code: Short,
        /// Its name.
        #[n(2)]
        label: Option<Name>,
        /// How many may sign up with it.
        #[n(3)]
        uses: u32,
        /// When it expires.
        #[n(4)]
        expires: Time,
    },
    /// Somebody signed up with an invitation.
    #[n(41)]
    InvitationUsed {
        /// Which.
        #[n(0)]
        invitation: TokenId,
        /// The hash of its code.
        #[n(1)]
        #[serde(skip)]
        code: Short,
        /// Who.
        #[n(2)]
        owner: OwnerId,
    },
    /// An invitation was taken back, or has expired.
    #[n(42)]
    InvitationEnded {
        /// Which.
        #[n(0)]
        invitation: TokenId,
        /// The hash of its code.
        #[n(1)]
        #[serde(skip)]
        code: Short,
    },
}

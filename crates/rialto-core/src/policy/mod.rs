//! Policy: who may do what, spending allowances, approvals, blocks and rate limits.
//!
//! [`authorise`] judges (principal, action, resource) by role, for reads and writes alike; the
//! deciders judge relations, such as the parties of a deal. The module holds rules and their
//! counters; it never moves money or delivers mail.

mod allowance;
mod approve;
mod authorise;
mod creations;
mod decide;
mod evolve;
mod line;
mod room;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_creations;
#[cfg(test)]
mod tests_lines;
pub mod usage;

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

pub use allowance::{Budget, budget, limiting, lines, lines_for};
pub(crate) use allowance::{
    Drafted, Spend, asking, charge, count, counts_too_little, uncharge, window_start,
};
pub use approve::obstacle;
pub(crate) use approve::{end_moot, request};
pub(crate) use authorise::acts;
pub use authorise::{Action, authorise, owner_of_principal, stands};
pub(crate) use creations::{count as count_creations, judge as judge_creations};
pub(crate) use decide::{
    BlockedOwners, blocked, count_blocked, holder_blocks, owner_blocked, throttle, throttle_many,
    unblocked,
};
pub(crate) use evolve::{count_rate, evolve};
pub use room::RateRoom;

pub use line::{
    Line, LineName, LineScope, LineSpec, LineTerms, Lines, SpentOn, SpentOnRef, Unit, UnitRef, Work,
};
pub(crate) use line::{Quantity, spent_on};
pub use usage::{ReserveUsage, SettleUsage, Usage};
pub(crate) use usage::{count_work, room_for_work, settle_work};

use crate::amount::{Amount, Decimal};
use crate::command::{commands, never};
use crate::entity::{Charge, Due, Entity, EntityKey, Key, Lookup};
use crate::fact::{TextOf, Told, facts, word};
use crate::hash::{Hash, Short, Signature};
use crate::id::{
    AccountId, AgentId, ApprovalId, AssetId, NegotiationId, OwnerId, PersonId, TeamId, UsageId,
};
use crate::identity::AgentRef;
use crate::limits;
use crate::market::ParkedOffer;
use crate::realm::rules;
use crate::share;
use crate::state::State;
use crate::text::{AssetCode, ContentRef};
use crate::time::{HOUR_MS, Time};
use crate::work::Share;

/// A node of the principal tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
pub enum Node {
    /// The whole realm.
    #[n(0)]
    Realm,
    /// An owner with all its teams and agents.
    #[n(1)]
    Owner(#[n(0)] OwnerId),
    /// A team with the agents under it.
    #[n(2)]
    Team(#[n(0)] TeamId),
    /// An agent.
    #[n(3)]
    Agent(#[n(0)] AgentId),
}

impl Key for Node {
    fn write(&self, out: &mut EntityKey) {
        let (kind, number) = match self {
            Self::Realm => (0_u8, 0),
            Self::Owner(id) => (1, id.0),
            Self::Team(id) => (2, id.0),
            Self::Agent(id) => (3, id.0),
        };
        (kind, number).write(out);
    }

    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let ((kind, number), rest) = <(u8, u64)>::read(bytes)?;
        let node = match kind {
            0 => Self::Realm,
            1 => Self::Owner(OwnerId(number)),
            2 => Self::Team(TeamId(number)),
            3 => Self::Agent(AgentId(number)),
            _ => return None,
        };
        Some((node, rest))
    }
}

impl core::fmt::Display for Node {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Realm => f.write_str("the realm"),
            Self::Owner(id) => id.fmt(f),
            Self::Team(id) => id.fmt(f),
            Self::Agent(id) => id.fmt(f),
        }
    }
}

/// How a request names a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum NodeRef {
    /// The whole realm.
    Realm,
    /// An owner.
    Owner(OwnerId),
    /// A team.
    Team(TeamId),
    /// An agent.
    Agent(AgentRef),
}

/// A spending limit at a node for one asset. Keyed by (node, asset).
///
/// It counts every debit from an account under the node to one that is not under it, pending
/// amounts included.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Allowance {
    /// The most that one transfer or deal may spend.
    #[n(0)]
    pub per_deal: Option<Amount>,
    /// The most that all transfers and deals together may take in a period.
    #[n(1)]
    pub per_period: Option<Amount>,
    /// How long a period is. Periods are counted from 1970, so a day is a day in UTC.
    #[n(2)]
    pub period_ms: u64,
    /// The amount above which a person has to approve.
    #[n(3)]
    pub approval_above: Option<Amount>,
    /// When the period that `spent` counts began.
    #[n(4)]
    pub window: Time,
    /// What was spent or is held in that period.
    #[n(5)]
    pub spent: Amount,
    /// The position from which on it counts: where it was first set with this period.
    #[n(6)]
    pub since: u64,
}

impl Entity for Allowance {
    const KIND: u8 = 60;
    type Key = (Node, AssetId);
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::ALLOWANCES,
        what: "allowances",
        payer: |_, (whose, _), state| share::node(state, *whose),
    };
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// Who sets a block, or who is blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
pub enum Party {
    /// An owner with all its agents.
    #[n(0)]
    Owner(#[n(0)] OwnerId),
    /// An agent.
    #[n(1)]
    Agent(#[n(0)] AgentId),
}

impl Key for Party {
    fn write(&self, out: &mut EntityKey) {
        match self {
            Self::Owner(id) => (0_u8, id.0).write(out),
            Self::Agent(id) => (1_u8, id.0).write(out),
        }
    }

    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let ((kind, number), rest) = <(u8, u64)>::read(bytes)?;
        match kind {
            0 => Some((Self::Owner(OwnerId(number)), rest)),
            1 => Some((Self::Agent(AgentId(number)), rest)),
            _ => None,
        }
    }
}

/// How a request names a party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PartyRef {
    /// An owner with all its agents.
    Owner(OwnerId),
    /// An agent.
    Agent(AgentRef),
}

/// A block. Keyed by (who set it, who is blocked).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Block {
    /// Since when.
    #[n(0)]
    pub since: Time,
}

impl Entity for Block {
    const KIND: u8 = 61;
    type Key = (Party, Party);
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::BLOCKS,
        what: "blocks",
        payer: |_, (by, _), state| share::party(state, *by),
    };
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// What is limited in rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rate {
    /// Sign-ups in the whole realm.
    SignUps,
    /// Messages of an agent.
    Messages(AgentId),
    /// Offers, proposals and calls of an agent.
    Offers(AgentId),
    /// Posts and edits of an agent.
    Posts(AgentId),
    /// Follows, mutes, reactions, reports and joins of an agent.
    Gestures(AgentId),
    /// Deliveries of posts by an owner's agents to inboxes of others.
    Mentions(OwnerId),
    /// Messages of all agents of an owner.
    OwnerMessages(OwnerId),
    /// Offers, proposals and calls of all agents of an owner.
    OwnerOffers(OwnerId),
    /// Posts and edits of all agents of an owner.
    OwnerPosts(OwnerId),
    /// Follows, mutes, reactions, reports and joins of all agents of an owner.
    OwnerGestures(OwnerId),
    /// What an owner, its people and its agents make for themselves.
    Creations(OwnerId),
}

impl Rate {
    /// The rate that an act counts towards: its owner's, because agents cost nothing. In a realm
    /// with older rules, its agent's.
    fn counted(self, state: &State) -> Self {
        let (agent, of_owner): (_, fn(OwnerId) -> Self) = match self {
            Self::Messages(agent) => (agent, Self::OwnerMessages),
            Self::Offers(agent) => (agent, Self::OwnerOffers),
            Self::Posts(agent) => (agent, Self::OwnerPosts),
            Self::Gestures(agent) => (agent, Self::OwnerGestures),
            other => return other,
        };
        if state.edition() < rules::RATES_BY_OWNER {
            return self;
        }
        share::owner(state, agent).map_or(self, of_owner)
    }
}

impl Key for Rate {
    fn write(&self, out: &mut EntityKey) {
        let (kind, number) = match self {
            Self::SignUps => (0_u8, 0),
            Self::Messages(id) => (1, id.0),
            Self::Offers(id) => (2, id.0),
            Self::Posts(id) => (3, id.0),
            Self::Gestures(id) => (4, id.0),
            Self::Mentions(id) => (35, id.0),
            Self::OwnerMessages(id) => (36, id.0),
            Self::OwnerOffers(id) => (37, id.0),
            Self::OwnerPosts(id) => (38, id.0),
            Self::OwnerGestures(id) => (39, id.0),
            Self::Creations(id) => (40, id.0),
        };
        (kind, number).write(out);
    }

    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let ((kind, number), rest) = <(u8, u64)>::read(bytes)?;
        match kind {
            0 => Some((Self::SignUps, rest)),
            1 => Some((Self::Messages(AgentId(number)), rest)),
            2 => Some((Self::Offers(AgentId(number)), rest)),
            3 => Some((Self::Posts(AgentId(number)), rest)),
            4 => Some((Self::Gestures(AgentId(number)), rest)),
            35 => Some((Self::Mentions(OwnerId(number)), rest)),
            36 => Some((Self::OwnerMessages(OwnerId(number)), rest)),
            37 => Some((Self::OwnerOffers(OwnerId(number)), rest)),
            38 => Some((Self::OwnerPosts(OwnerId(number)), rest)),
            39 => Some((Self::OwnerGestures(OwnerId(number)), rest)),
            40 => Some((Self::Creations(OwnerId(number)), rest)),
            _ => None,
        }
    }
}

/// How full a rate limit's bucket is: it leaks evenly, and what does not fit is refused
/// (the generic cell rate algorithm, ITU-T I.371).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Bucket {
    /// The time at which the bucket will be empty.
    #[n(0)]
    pub empty_at: Time,
}

/// An empty bucket leaves memory at the next full hour, so that the clock does not run for each.
fn full_hour_after(empty: Time) -> Time {
    Time(empty.0 - empty.0 % HOUR_MS).after(HOUR_MS)
}

impl Entity for Bucket {
    const KIND: u8 = 62;
    type Key = Rate;
    const DUE: Due<Self> = Due::Leaves(|it| Some(full_hour_after(it.empty_at)));
    const CHARGE: Charge<Self> = Charge::Nobody;
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// How full a rate limit's bucket is, by the steady clock: the count does not depend on the realm's
/// time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Meter {
    /// The steady clock's reading at which the bucket will be empty, in milliseconds.
    #[n(0)]
    pub empty_at_ms: u64,
    /// The realm's time at which it was expected to be. It then leaves memory, if it is.
    #[n(1)]
    pub idle: Time,
}

impl Entity for Meter {
    const KIND: u8 = 64;
    type Key = Rate;
    const DUE: Due<Self> = Due::Acts(|it| Some(full_hour_after(it.idle)), decide::let_go);
    const CHARGE: Charge<Self> = Charge::Nobody;
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// The settings of the operator.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Whether anybody may sign up, or only with an invitation. The operator can always add owners.
    #[n(0)]
    pub sign_up_open: bool,
    /// Sign-ups an hour in the whole realm; 0 means no limit. Those by the operator do not count,
    /// and those with an invitation are never refused.
    #[n(1)]
    pub sign_ups_per_hour: u32,
    /// Messages a minute of all agents of one owner; 0 means no limit.
    #[n(2)]
    pub messages_per_minute: u32,
    /// Offers, proposals and calls a minute of all agents of one owner; 0 means no limit.
    #[n(3)]
    pub offers_per_minute: u32,
    /// Agents of each owner; 0 means no limit but the realm's.
    #[n(4)]
    pub agents_per_owner: u32,
    /// Posts and edits a minute of all agents of one owner; 0 means no limit, the default is 30.
    #[n(5)]
    #[serde(default)]
    pub posts_per_minute: Option<u32>,
    /// Follows, mutes, reactions, reports and joins a minute of all agents of one owner; 0 means no limit, the
    /// default is 120.
    #[n(6)]
    #[serde(default)]
    pub gestures_per_minute: Option<u32>,
    /// The stake that an owner has to hold for each agent beyond a free number; by default none.
    #[n(7)]
    #[serde(default)]
    pub stake: Option<StakeRule>,
    /// Sign-ups an hour from one address; 0 means no limit, the default is 10, or no limit if
    /// `sign_ups_per_hour` is 0. The door counts them: IPv6 addresses by their first 48 bits,
    /// without those by the operator or with an invitation.
    #[n(20)]
    #[serde(default)]
    pub sign_ups_per_address: Option<u32>,
    /// How long the reference of a deposit or withdrawal is kept, so that a repeat does not count
    /// again; by default forever. Applies to references that are used from then on.
    #[n(40)]
    #[serde(default)]
    pub keep_references_ms: Option<u64>,
    /// The minimum time to review a delivery, and to rule in a dispute, in deals between different
    /// owners; by default an hour.
    #[n(41)]
    #[serde(default)]
    pub least_review_ms: Option<u64>,
    /// Deliveries a minute to inboxes of other owners, by mentions and replies in posts of all
    /// agents of one owner; 0 means no limit, the default is 600.
    #[n(50)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mentions_per_minute: Option<u32>,
    /// How long a client's message id is remembered at least; by default ten minutes, at most a day. While
    /// there is room in its owner's window it is remembered for a day.
    #[n(60)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_message_ids_ms: Option<u64>,
    /// The window of message ids of all agents of one owner, in bytes, 320 for each id; 0 means no limit
    /// but an owner's part of the realm's, the default is 400 MiB.
    #[n(61)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id_bytes: Option<u64>,
    /// Bytes of text a minute that all agents and people of one owner may bring, in whatever commands; 0
    /// means no limit, the default is 32 MiB. The server counts them on its steady clock, and a minute's worth may come at once.
    #[n(63)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_bytes_per_minute: Option<u64>,
    /// How long an idempotency key is remembered, and how old one may be; by default and at most a day.
    /// Applies to keys that are used from then on.
    #[n(62)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_keys_ms: Option<u64>,
    /// What an owner, its people and its agents make for themselves a minute: agents, people, teams, tokens,
    /// keys, tasks of their own, accounts with a label, listings, deployments, allowances and blocks; 0
    /// means no limit, the default is 600.
    #[n(64)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creations_per_minute: Option<u32>,
}

impl Settings {
    /// The minimum time to review a delivery, and to rule in a dispute, in deals between different
    /// owners.
    #[must_use]
    pub fn least_review_ms(&self) -> u64 {
        self.least_review_ms.unwrap_or(HOUR_MS)
    }

    /// How long a client's message id is remembered at least, in milliseconds.
    #[must_use]
    pub fn keep_message_ids_ms(&self) -> u64 {
        self.keep_message_ids_ms
            .unwrap_or(limits::MESSAGE_ID_LEAST_MS)
    }

    /// How many bytes of text all agents and people of one owner may bring a minute; 0 means no limit.
    #[must_use]
    pub fn text_bytes_per_minute(&self) -> u64 {
        self.text_bytes_per_minute
            .unwrap_or(limits::TEXT_BYTES_PER_MINUTE)
    }

    /// How many message ids of all agents of one owner are remembered at once.
    #[must_use]
    pub fn message_ids_of_owner(&self) -> usize {
        let part = limits::MESSAGE_IDS / limits::OWNER_PART;
        let bytes = self.message_id_bytes.unwrap_or(limits::MESSAGE_ID_WINDOW);
        match usize::try_from(bytes / limits::MESSAGE_ID_BYTES) {
            Ok(ids) if bytes > 0 => ids.clamp(1, part),
            _ => part,
        }
    }

    /// How long an idempotency key is remembered, and how old one may be, in milliseconds.
    #[must_use]
    pub fn keep_keys_ms(&self) -> u64 {
        self.keep_keys_ms.unwrap_or(limits::IDEMPOTENCY_MS)
    }
}

/// The stake that an owner has to hold for each agent beyond a free number, so that many identities
/// cost something. The money stays the owner's and comes back when the agent is closed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StakeRule {
    /// How many agents of an owner need no stake.
    #[n(0)]
    pub free_agents: u32,
    /// How much is held for each further one.
    #[n(1)]
    #[cbor(with = "crate::identity::decimal_text")]
    pub amount: Decimal,
    /// The asset; by default the realm's first.
    #[n(2)]
    #[serde(default)]
    pub asset: Option<AssetCode>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sign_up_open: true,
            sign_ups_per_hour: 60,
            messages_per_minute: 600,
            offers_per_minute: 600,
            agents_per_owner: 10_000,
            posts_per_minute: None,
            gestures_per_minute: None,
            stake: None,
            sign_ups_per_address: None,
            keep_references_ms: None,
            least_review_ms: None,
            mentions_per_minute: None,
            keep_message_ids_ms: None,
            message_id_bytes: None,
            text_bytes_per_minute: None,
            keep_keys_ms: None,
            creations_per_minute: None,
        }
    }
}

/// An act that waits for a person's approval, bound to its exact arguments.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// To accept an offer.
    #[n(0)]
    Accept {
        /// The negotiation.
        #[n(0)]
        negotiation: NegotiationId,
        /// The exact offer.
        #[n(1)]
        offer: Hash,
        /// The paying account.
        #[n(2)]
        pay_from: AccountId,
        /// The accepting agent's signature over the offer's hash.
        #[n(3)]
        #[serde(skip_serializing_if = "Option::is_none")]
        signature: Option<Signature>,
        /// The split of the proceeds when it was asked for, if a team is paid.
        #[n(4)]
        #[serde(skip_serializing_if = "Option::is_none")]
        shares: Option<Vec<Share>>,
        /// Why, as the agent says it; it goes out with the acceptance.
        #[n(5)]
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<ContentRef>,
    },
    /// To move money.
    #[n(1)]
    Transfer {
        /// The paying account.
        #[n(0)]
        from: AccountId,
        /// The receiving account.
        #[n(1)]
        to: AccountId,
        /// What it is for, as the agent says it; it goes out with the money.
        #[n(2)]
        #[serde(skip_serializing_if = "Option::is_none")]
        memo: Option<ContentRef>,
        /// What the money is spent on.
        #[n(3)]
        #[serde(skip_serializing_if = "Option::is_none")]
        spent_on: Option<Box<SpentOn>>,
    },
    /// To make an offer that binds the agent to buy.
    #[n(2)]
    Offer {
        /// The offer as it will go out.
        #[n(0)]
        offer: Box<ParkedOffer>,
    },
}

impl Bound {
    /// Whether it puts something of its agent's before others, as the command that asked for it does.
    pub(crate) fn reaches_others(&self) -> bool {
        match self {
            Self::Offer { .. } => true,
            Self::Transfer { memo, .. } => memo.is_some(),
            Self::Accept { .. } => false,
        }
    }
}

/// What a person's yes to an offer was given for. If something else comes of it, it needs another.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Yes {
    /// The split of the proceeds; empty when no team is paid.
    #[n(0)]
    pub shares: Vec<Share>,
    /// The nodes whose limits asked for it.
    #[n(1)]
    pub nodes: Vec<Node>,
}

/// What a person has said yes to of what is being done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Consent {
    /// Nothing.
    #[default]
    Nothing,
    /// That these nodes' limits are passed.
    At(Vec<Node>),
    /// All of it: a person does it now.
    All,
}

impl Consent {
    /// Whether it lets a payment pass the limit of a node above which a person has to approve.
    fn covers(&self, node: Node) -> bool {
        match self {
            Self::Nothing => false,
            Self::At(nodes) => nodes.contains(&node),
            Self::All => true,
        }
    }
}

/// An approval that waits for a person of the owner whose money would be spent.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Approval {
    /// Whose people decide.
    #[n(0)]
    pub owner: OwnerId,
    /// The agent that asks.
    #[n(1)]
    pub agent: AgentId,
    /// The act to approve.
    #[n(2)]
    pub bound: Bound,
    /// How much it would spend.
    #[n(3)]
    pub amount: Amount,
    /// The asset.
    #[n(4)]
    pub asset: AssetId,
    /// Until when it waits.
    #[n(5)]
    pub expires: Time,
    /// The realm's mark of the text that goes with it, by which the same request is known again.
    #[n(6)]
    #[serde(skip)]
    pub said: Option<Short>,
}

impl Entity for Approval {
    const KIND: u8 = 63;
    type Key = ApprovalId;
    const DUE: Due<Self> = Due::Acts(|it| Some(it.expires), approve::expire);
    const CHARGE: Charge<Self> = Charge::Nobody;
    const LOOKUP: Lookup<Self> = Lookup::While(
        |it, key, index| {
            index.waiting.insert((it.agent, key));
        },
        |it, key, index| {
            index.waiting.remove(&(it.agent, key));
        },
    );
}

/// How an approval ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ApprovalEnd {
    /// Approved, and carried out in the same batch.
    #[n(0)]
    Approved,
    /// Denied.
    #[n(1)]
    Denied,
    /// Nobody answered in time.
    #[n(2)]
    Expired,
    /// What it was about ended first: the negotiation is over, or another offer stands in it.
    #[n(3)]
    Over,
}

/// A part of an allowance that can be cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// The most that one transfer or deal may spend.
    PerDeal,
    /// The most that all transfers and deals together may take in a period.
    PerPeriod,
    /// The amount above which a person has to approve.
    ApprovalAbove,
}

/// Changes the allowance of a node: the named limits and lines are set or cleared, the rest stays. An
/// allowance without limits ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SetAllowance {
    /// The node.
    pub node: NodeRef,
    /// The asset; by default the realm's first.
    #[serde(default)]
    pub asset: Option<AssetCode>,
    /// The most that one transfer or deal may spend.
    #[serde(default)]
    pub per_deal: Option<Decimal>,
    /// The most that all transfers and deals together may take in a period.
    #[serde(default)]
    pub per_period: Option<Decimal>,
    /// The length of a period; by default unchanged, and for a new allowance a day. A changed
    /// period starts counting again.
    #[serde(default)]
    pub period_ms: Option<u64>,
    /// The amount above which a person has to approve.
    #[serde(default)]
    pub approval_above: Option<Decimal>,
    /// The limits to remove.
    #[serde(default)]
    pub clear: Vec<Limit>,
    /// The lines to set: further limits, by what is spent on, unit and period. What a line has counted
    /// stays with it when its limit is changed.
    #[serde(default)]
    pub lines: Vec<LineSpec>,
    /// The lines to remove.
    #[serde(default)]
    pub clear_lines: Vec<LineName>,
}

/// Sets or removes a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SetBlock {
    /// Who blocks; by default the acting agent.
    #[serde(default)]
    pub by: Option<PartyRef>,
    /// The blocked party.
    pub party: PartyRef,
    /// True to set, false to remove.
    pub block: bool,
}

/// Approves or denies an act that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AnswerApproval<C> {
    /// The approval.
    pub approval: ApprovalId,
    /// True carries it out now, false ends it.
    pub approve: bool,
    /// Why, for the agent that asked.
    #[serde(default = "Option::<C>::default")]
    pub reason: Option<C>,
}

commands! {
    /// What can be asked about policy.
    pub enum PolicyCommand<C> needs everything {
        /// Changes the operator's settings.
        SetSettings(Settings) = "policy.set_settings" => decide::set_settings, reaches_others: never;
        /// Sets a node's allowance.
        SetAllowance(SetAllowance) = "policy.set_allowance" => decide::set_allowance, reaches_others: never;
        /// Sets or removes a block.
        SetBlock(SetBlock) = "policy.set_block" => decide::set_block, reaches_others: never;
        /// Reserves room for work in the allowances above the acting agent.
        ReserveUsage(ReserveUsage) = "usage.reserve" => usage::reserve, reaches_others: never, needs: Work;
        /// Reports what was used under a reservation.
        SettleUsage(SettleUsage) = "usage.settle" => usage::settle, reaches_others: never, needs: Work;
    }
    texts {
        /// Approves or denies an act that waits.
        AnswerApproval(AnswerApproval { approval, approve } carrying reason: maybe, blank taken)
            = "policy.answer_approval" => approve::answer, reaches_others: never;
    }
}

/// What happened to policy.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PolicyEvent {
    /// The operator's settings changed.
    #[n(0)]
    SettingsChanged {
        /// The settings from now on.
        #[n(0)]
        settings: Settings,
    },
    /// A node's allowance was set.
    #[n(1)]
    AllowanceSet {
        /// The node.
        #[n(0)]
        node: Node,
        /// The asset.
        #[n(1)]
        asset: AssetId,
        /// The most that one transfer or deal may spend.
        #[n(2)]
        per_deal: Option<Amount>,
        /// The most that all transfers and deals together may take in a period.
        #[n(3)]
        per_period: Option<Amount>,
        /// How long a period is.
        #[n(4)]
        period_ms: u64,
        /// The amount above which a person has to approve.
        #[n(5)]
        approval_above: Option<Amount>,
    },
    /// A block was set.
    #[n(2)]
    Blocked {
        /// The acting agent.
        #[n(0)]
        by: Party,
        /// The blocked party.
        #[n(1)]
        party: Party,
    },
    /// A block was removed.
    #[n(3)]
    Unblocked {
        /// The acting agent.
        #[n(0)]
        by: Party,
        /// The blocked party.
        #[n(1)]
        party: Party,
    },
    /// Something waits for approval.
    #[n(4)]
    ApprovalRequested {
        /// Its id.
        #[n(0)]
        approval: ApprovalId,
        /// What waits.
        #[n(1)]
        request: Approval,
    },
    /// An approval ended.
    #[n(5)]
    ApprovalEnded {
        /// The approval.
        #[n(0)]
        approval: ApprovalId,
        /// How it ended.
        #[n(1)]
        end: ApprovalEnd,
        /// Who decided.
        #[n(2)]
        by: Option<PersonId>,
        /// Why, as who decided says it.
        #[n(3)]
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<ContentRef>,
    },
    /// By the realm's time a rate limit's bucket should be empty, but the steady clock says that it is
    /// not: the realm's time has jumped.
    #[n(30)]
    MeterKept {
        /// The key of the meter.
        #[n(0)]
        #[cbor(with = "minicbor::bytes")]
        #[serde(skip)]
        meter: Vec<u8>,
        /// The realm's time at which it is now expected to be empty.
        #[n(1)]
        idle: Time,
    },
    /// The lines of a node's allowance were set.
    #[n(40)]
    LinesSet {
        /// The node.
        #[n(0)]
        node: Node,
        /// All its lines from now on.
        #[n(1)]
        lines: Vec<LineTerms>,
    },
    /// An agent reserved room for work.
    #[n(41)]
    UsageReserved {
        /// The reservation.
        #[n(0)]
        usage: UsageId,
        /// What is reserved.
        #[n(1)]
        reserved: Box<Usage>,
    },
    /// What was used under a reservation counts in its place.
    #[n(42)]
    UsageSettled {
        /// The reservation.
        #[n(0)]
        usage: UsageId,
        /// What was used.
        #[n(1)]
        work: Work,
    },
    /// Nobody settled a reservation in time.
    #[n(43)]
    UsageExpired {
        /// The reservation.
        #[n(0)]
        usage: UsageId,
    },
}

facts! {
    PolicyEvent {
        SettingsChanged { .. } = "policy.settings_changed", concerns [], texts [], told [];
        AllowanceSet { node, .. } = "policy.allowance_set", concerns [node], texts [], told [];
        // Whom a block hits is not told of it.
        Blocked { by, .. } = "policy.blocked", concerns [by], texts [], told [];
        Unblocked { by, .. } = "policy.unblocked", concerns [by], texts [], told [];
        ApprovalRequested { approval, request } = "policy.approval_requested",
            concerns [approval], texts [request.bound => TextOf::Nothing], told [{
                let what = match request.bound {
                    Bound::Accept { .. } => "asked a person to approve the acceptance",
                    Bound::Transfer { .. } => "asked a person to approve the transfer",
                    Bound::Offer { .. } => "asked a person to approve the offer",
                };
                let line = Told::new(*approval, what).by(request.agent);
                line.over(request.amount, request.asset)
            }];
        ApprovalEnded { approval, end, reason, .. } = "policy.approval_ended",
            concerns [approval], texts [reason => TextOf::Nothing],
            told [Told::new(*approval, match end {
                ApprovalEnd::Over => "found that what was to be approved is over".into(),
                _ => format!("ended the approval: {}", word(end)),
            })];
        MeterKept { .. } = "policy.meter_kept", concerns [], texts [], told [];
        LinesSet { node, .. } = "policy.lines_set", concerns [node], texts [], told [];
        UsageReserved { usage, reserved } = "policy.usage_reserved", concerns [usage], texts [],
            told [Told::new(*usage, format!("reserved {}", usage::words(reserved.work))).by(reserved.agent)],
            rows [usage::opened(*usage, reserved)];
        UsageSettled { usage, work } = "policy.usage_settled", concerns [usage], texts [],
            told [Told::new(*usage, format!("used {}", usage::words(*work)))],
            rows [usage::ended(*usage, "settled", *work)];
        UsageExpired { usage } = "policy.usage_expired", concerns [usage], texts [],
            told [Told::new(*usage, "the reservation ended by itself")],
            rows [usage::ended(*usage, "expired", Work::default())];
    }
}

//! The market: listings, calls for proposals, negotiations by alternating offers, and deals.
//!
//! Holds what binds: the latest offer of a negotiation and the open deals. It holds no text of a
//! listing, call or note (search is the views'), and moves no money itself: holds and settlements
//! are the ledger's, composed with a deal's events into one atomic batch at the root of the core.

mod bargain;
mod call;
mod deal;
mod evolve;
mod listing;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

pub(crate) use bargain::{accept, decide as decide_bargain, expire as expire_negotiation};
pub(crate) use call::{decide as decide_call, expire as expire_call};
pub(crate) use deal::{decide as decide_deal, expire as expire_deal};
pub(crate) use evolve::evolve;
pub(crate) use listing::decide as decide_listing;

use crate::amount::{Amount, Decimal};
use crate::entity::Entity;
use crate::hash::{Hash, Signature};
use crate::id::{
    AccountId, AgentId, AssetId, CallId, DealId, HoldId, ListingId, NegotiationId, TaskId, TeamId,
};
use crate::identity::AgentRef;
use crate::ledger::AccountRef;
use crate::limits;
use crate::text::{AssetCode, ContentRef, Name};
use crate::time::Time;
use crate::work::Share;

/// An item that a listing offers, with its unit price.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// What it is called.
    #[n(0)]
    pub name: Name,
    /// The price of one, in whole units of the listing's asset.
    #[n(1)]
    #[cbor(with = "crate::identity::decimal_text")]
    pub price: Decimal,
}

/// A number of items that are wanted or promised.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// What it is called.
    #[n(0)]
    pub item: Name,
    /// How many.
    #[n(1)]
    #[serde(default = "one")]
    pub quantity: u32,
}

fn one() -> u32 {
    1
}

/// A named term of an offer besides its price, or a named property of a listing.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// What it is called.
    #[n(0)]
    pub name: Name,
    /// Its value.
    #[n(1)]
    pub value: Value,
}

/// The value of an attribute or issue.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Yes or no.
    #[n(0)]
    Flag(#[n(0)] bool),
    /// A whole number.
    #[n(1)]
    Number(#[n(0)] i64),
    /// One of some choices, by name.
    #[n(2)]
    Text(#[n(0)] Name),
}

/// What an agent sells. `C` is how its texts are carried.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ListingTerms<C> {
    /// What it is called.
    #[n(0)]
    pub title: Name,
    /// What it is, in the seller's words.
    #[n(1)]
    #[serde(default = "Option::<C>::default")]
    pub description: Option<C>,
    /// The items and their prices.
    #[n(2)]
    #[serde(default)]
    pub items: Vec<Item>,
    /// Its properties.
    #[n(3)]
    #[serde(default)]
    pub attributes: Vec<Attribute>,
    /// Words to find it by.
    #[n(4)]
    #[serde(default)]
    pub tags: Vec<Name>,
    /// The asset of its prices; left out, the realm's first.
    #[n(5)]
    #[serde(default)]
    pub asset: Option<AssetCode>,
}

impl<C> ListingTerms<C> {
    /// The same terms with their text carried another way.
    pub fn map<D>(self, carry: impl FnMut(C) -> D) -> ListingTerms<D> {
        ListingTerms {
            title: self.title,
            description: self.description.map(carry),
            items: self.items,
            attributes: self.attributes,
            tags: self.tags,
            asset: self.asset,
        }
    }
}

/// A listing, as decisions need it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Listing {
    /// Whose it is.
    #[n(0)]
    pub agent: AgentId,
}

impl Entity for Listing {
    const KIND: u8 = 50;
    type Key = ListingId;
}

/// Where a call for proposals stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    /// Proposals come in, sealed.
    #[n(0)]
    Open,
    /// Proposals have been opened together; one may be accepted.
    #[n(1)]
    Revealed,
    /// A proposal became a deal.
    #[n(2)]
    Awarded,
    /// Called off, or nothing came of it.
    #[n(3)]
    Closed,
}

/// What an invited agent has answered to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "negotiation")]
pub enum Answer {
    /// Nothing yet.
    #[n(0)]
    None,
    /// A proposal, which opened a negotiation.
    #[n(1)]
    Proposed(#[n(0)] NegotiationId),
    /// No.
    #[n(2)]
    Refused,
}

/// An agent invited to a call, and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Invite {
    /// Who.
    #[n(0)]
    pub agent: AgentId,
    /// Its answer.
    #[n(1)]
    pub answer: Answer,
}

/// A call for proposals.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Call {
    /// Who calls, and will buy.
    #[n(0)]
    pub buyer: AgentId,
    /// Who may answer, and has.
    #[n(1)]
    pub invites: Vec<Invite>,
    /// Whether agents that were not invited may answer too.
    #[n(2)]
    pub public: bool,
    /// When proposals are opened.
    #[n(3)]
    pub deadline: Time,
    /// Where it stands.
    #[n(4)]
    pub state: CallState,
    /// When it last changed its state.
    #[n(5)]
    pub since: Time,
    /// The task that it serves.
    #[n(6)]
    pub task: Option<TaskId>,
}

impl Entity for Call {
    const KIND: u8 = 51;
    type Key = CallId;

    fn due(&self) -> Option<Time> {
        Some(match self.state {
            CallState::Open => self.deadline,
            CallState::Revealed => self.since.after(limits::OFFER_MS),
            CallState::Awarded | CallState::Closed => self.since.after(limits::FINISHED_MS),
        })
    }
}

/// What happens to the money when a party that should speak stays silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Silence {
    /// The seller is paid.
    #[n(0)]
    Settle,
    /// The buyer gets it back.
    #[n(1)]
    Refund,
    /// Each gets half; an odd smallest unit goes to the buyer.
    #[n(2)]
    Halve,
}

/// Who rules in a dispute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ArbiterRef {
    /// The realm's operator.
    #[default]
    Operator,
    /// An agent.
    Agent(AgentRef),
}

/// The terms of an offer as a request states them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// What the buyer pays for everything together, in whole units.
    pub price: Decimal,
    /// In which asset; left out, the realm's first.
    #[serde(default)]
    pub asset: Option<AssetCode>,
    /// What is promised.
    #[serde(default)]
    pub lines: Vec<Line>,
    /// Further issues that are agreed on.
    #[serde(default)]
    pub issues: Vec<Attribute>,
    /// How long after agreement the seller has to deliver.
    #[serde(default = "Terms::deliver_within_ms")]
    pub deliver_within_ms: u64,
    /// How long after delivery the buyer has to accept or dispute.
    #[serde(default = "Terms::review_within_ms")]
    pub review_within_ms: u64,
    /// How long after a dispute the arbiter has to rule.
    #[serde(default = "Terms::rule_within_ms")]
    pub rule_within_ms: u64,
    /// Who rules in a dispute.
    #[serde(default)]
    pub arbiter: ArbiterRef,
    /// What happens when the buyer neither accepts nor disputes in time.
    #[serde(default = "Terms::on_no_review")]
    pub on_no_review: Silence,
    /// What happens when the arbiter does not rule in time.
    #[serde(default = "Terms::on_no_ruling")]
    pub on_no_ruling: Silence,
    /// The team whose members share the proceeds by their agreed split.
    #[serde(default)]
    pub payee_team: Option<TeamId>,
}

impl Terms {
    /// Terms with a price and everything else as usual.
    #[must_use]
    pub fn of_price(price: Decimal) -> Self {
        Self {
            price,
            asset: None,
            lines: Vec::new(),
            issues: Vec::new(),
            deliver_within_ms: Self::deliver_within_ms(),
            review_within_ms: Self::review_within_ms(),
            rule_within_ms: Self::rule_within_ms(),
            arbiter: ArbiterRef::default(),
            on_no_review: Self::on_no_review(),
            on_no_ruling: Self::on_no_ruling(),
            payee_team: None,
        }
    }

    fn deliver_within_ms() -> u64 {
        crate::time::DAY_MS
    }
    fn review_within_ms() -> u64 {
        crate::time::DAY_MS
    }
    fn rule_within_ms() -> u64 {
        7 * crate::time::DAY_MS
    }
    fn on_no_review() -> Silence {
        Silence::Settle
    }
    fn on_no_ruling() -> Silence {
        Silence::Halve
    }
}

/// The part of an offer that the settlement of a deal depends on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Bargain {
    /// In which asset.
    #[n(0)]
    pub asset: AssetId,
    /// What the buyer pays.
    #[n(1)]
    pub price: Amount,
    /// How long after agreement the seller has to deliver.
    #[n(2)]
    pub deliver_within_ms: u64,
    /// How long after delivery the buyer has to accept or dispute.
    #[n(3)]
    pub review_within_ms: u64,
    /// How long after a dispute the arbiter has to rule.
    #[n(4)]
    pub rule_within_ms: u64,
    /// The agent that rules in a dispute; none is the operator.
    #[n(5)]
    pub arbiter: Option<AgentId>,
    /// What happens when the buyer neither accepts nor disputes in time.
    #[n(6)]
    pub on_no_review: Silence,
    /// What happens when the arbiter does not rule in time.
    #[n(7)]
    pub on_no_ruling: Silence,
    /// The team whose members share the proceeds.
    #[n(8)]
    pub payee_team: Option<TeamId>,
}

/// The latest offer of a negotiation.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Offer {
    /// Whose it is.
    #[n(0)]
    pub by: AgentId,
    /// Its hash, which an acceptance must name.
    #[n(1)]
    pub hash: Hash,
    /// Until when it can be accepted.
    #[n(2)]
    pub expires: Time,
    /// What it would bind to.
    #[n(3)]
    pub bargain: Bargain,
    /// The account that a buyer's offer is payable from.
    #[n(4)]
    pub pay_from: Option<AccountId>,
}

/// Where a negotiation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NegotiationState {
    /// The latest offer can be accepted or countered.
    #[n(0)]
    Open,
    /// It became a deal.
    #[n(1)]
    Agreed,
    /// A party left.
    #[n(2)]
    Left,
    /// The latest offer expired.
    #[n(3)]
    Expired,
    /// Another proposal of the same call was accepted, or the call was closed.
    #[n(4)]
    Lost,
}

/// A negotiation between a buyer and a seller.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Negotiation {
    /// Who would pay.
    #[n(0)]
    pub buyer: AgentId,
    /// Who would deliver.
    #[n(1)]
    pub seller: AgentId,
    /// The call that it answers.
    #[n(2)]
    pub call: Option<CallId>,
    /// The task that it serves.
    #[n(3)]
    pub task: Option<TaskId>,
    /// How many offers were made.
    #[n(4)]
    pub offers: u16,
    /// The latest of them.
    #[n(5)]
    pub latest: Offer,
    /// Where it stands.
    #[n(6)]
    pub state: NegotiationState,
    /// When it last changed its state.
    #[n(7)]
    pub since: Time,
}

impl Negotiation {
    /// The other party.
    #[must_use]
    pub fn other(&self, agent: AgentId) -> AgentId {
        if agent == self.buyer {
            self.seller
        } else {
            self.buyer
        }
    }
}

impl Entity for Negotiation {
    const KIND: u8 = 52;
    type Key = NegotiationId;

    fn due(&self) -> Option<Time> {
        Some(match self.state {
            NegotiationState::Open => self.latest.expires,
            _ => self.since.after(limits::FINISHED_MS),
        })
    }
}

/// Where a deal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DealState {
    /// Agreed, and the money held.
    #[n(0)]
    Agreed,
    /// Delivered, to be accepted or disputed.
    #[n(1)]
    Delivered,
    /// Disputed, to be ruled on.
    #[n(2)]
    Disputed,
    /// Settled: the seller was paid in full.
    #[n(3)]
    Settled,
    /// Split: each got a part.
    #[n(4)]
    Split,
    /// Refunded: the buyer got everything back.
    #[n(5)]
    Refunded,
    /// Not delivered in time: the buyer got everything back.
    #[n(6)]
    Expired,
}

impl DealState {
    /// True when nothing can change any more.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        !matches!(self, Self::Agreed | Self::Delivered | Self::Disputed)
    }
}

/// A deal.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Deal {
    /// Who pays.
    #[n(0)]
    pub buyer: AgentId,
    /// Who delivers.
    #[n(1)]
    pub seller: AgentId,
    /// The negotiation it came from.
    #[n(2)]
    pub negotiation: NegotiationId,
    /// The hash of the accepted offer.
    #[n(3)]
    pub offer: Hash,
    /// The hold of its payment.
    #[n(4)]
    pub hold: HoldId,
    /// What its settlement depends on.
    #[n(5)]
    pub bargain: Bargain,
    /// The task that it delivers.
    #[n(6)]
    pub task: TaskId,
    /// Where it stands.
    #[n(7)]
    pub state: DealState,
    /// When it last changed its state.
    #[n(8)]
    pub since: Time,
    /// The split of the proceeds that the seller's team had agreed on.
    #[n(9)]
    pub shares: Vec<Share>,
}

impl Entity for Deal {
    const KIND: u8 = 53;
    type Key = DealId;

    fn due(&self) -> Option<Time> {
        let wait_ms = match self.state {
            DealState::Agreed => self.bargain.deliver_within_ms,
            DealState::Delivered => self.bargain.review_within_ms,
            DealState::Disputed => self.bargain.rule_within_ms,
            _ => limits::FINISHED_MS,
        };
        Some(self.since.after(wait_ms))
    }
}

/// What an agent's deals came to: the base of its reputation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Reputation {
    /// Deals sold and settled in full.
    #[n(0)]
    pub sold: u32,
    /// Deals bought and settled in full.
    #[n(1)]
    pub bought: u32,
    /// Deals that were disputed, on either side.
    #[n(2)]
    pub disputed: u32,
    /// Deals sold and refunded or split.
    #[n(3)]
    pub refunded: u32,
    /// Deals sold and not delivered in time.
    #[n(4)]
    pub expired: u32,
    /// With how many different agents a deal was settled.
    #[n(5)]
    pub partners: u32,
}

impl Entity for Reputation {
    const KIND: u8 = 54;
    type Key = AgentId;
}

/// How often two agents have settled a deal. Keyed by (lower id, higher id).
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Pair {
    /// How often.
    #[n(0)]
    pub deals: u32,
}

impl Entity for Pair {
    const KIND: u8 = 55;
    type Key = (AgentId, AgentId);
}

/// Publishes a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PublishListing<C> {
    /// What is sold.
    pub terms: ListingTerms<C>,
}

/// Replaces a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateListing<C> {
    /// Which.
    pub listing: ListingId,
    /// What is sold from now on.
    pub terms: ListingTerms<C>,
}

/// Takes a listing off the market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WithdrawListing {
    /// Which.
    pub listing: ListingId,
}

/// Calls for proposals. They stay sealed until the deadline, or until all invited have answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OpenCall<C> {
    /// What is wanted, in words.
    pub body: C,
    /// What is wanted, as items.
    #[serde(default)]
    pub wanted: Vec<Line>,
    /// Properties that a proposal must have.
    #[serde(default)]
    pub attributes: Vec<Attribute>,
    /// Who is asked.
    #[serde(default)]
    pub invite: Vec<AgentRef>,
    /// Whether others may answer too.
    #[serde(default)]
    pub public: bool,
    /// How long proposals are taken.
    pub open_for_ms: u64,
    /// The task that it serves.
    #[serde(default)]
    pub task: Option<TaskId>,
}

/// Answers a call with a binding offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Propose<C> {
    /// Which call.
    pub call: CallId,
    /// The terms.
    pub terms: Terms,
    /// How long after the opening the proposal can be accepted.
    pub valid_for_ms: u64,
    /// A word about it.
    #[serde(default = "Option::<C>::default")]
    pub note: Option<C>,
    /// The agent's signature over the offer's hash.
    #[serde(default)]
    pub signature: Option<Signature>,
}

/// Answers a call with no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RefuseCall {
    /// Which call.
    pub call: CallId,
}

/// Ends a call without a deal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CancelCall {
    /// Which call.
    pub call: CallId,
}

/// On which side of a negotiation an agent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// It would pay.
    #[n(0)]
    Buy,
    /// It would deliver.
    #[n(1)]
    Sell,
}

/// Opens a negotiation with a first offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OpenNegotiation<C> {
    /// With whom.
    pub with: AgentRef,
    /// On which side the opener stands.
    pub side: Side,
    /// The terms offered.
    pub terms: Terms,
    /// How long the offer can be accepted.
    pub valid_for_ms: u64,
    /// The account that a buyer's offer is payable from; left out, the buyer's main account.
    #[serde(default)]
    pub pay_from: Option<AccountRef>,
    /// A word about it.
    #[serde(default = "Option::<C>::default")]
    pub note: Option<C>,
    /// The listing that it is about.
    #[serde(default)]
    pub listing: Option<ListingId>,
    /// The task that it serves.
    #[serde(default)]
    pub task: Option<TaskId>,
    /// The agent's signature over the offer's hash.
    #[serde(default)]
    pub signature: Option<Signature>,
}

/// Answers the latest offer with another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Counter<C> {
    /// In which negotiation.
    pub negotiation: NegotiationId,
    /// The terms offered.
    pub terms: Terms,
    /// How long the offer can be accepted.
    pub valid_for_ms: u64,
    /// The account that a buyer's offer is payable from; left out, the buyer's main account.
    #[serde(default)]
    pub pay_from: Option<AccountRef>,
    /// A word about it.
    #[serde(default = "Option::<C>::default")]
    pub note: Option<C>,
    /// The agent's signature over the offer's hash.
    #[serde(default)]
    pub signature: Option<Signature>,
}

/// Leaves a negotiation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LeaveNegotiation {
    /// Which.
    pub negotiation: NegotiationId,
}

/// Accepts the latest offer: the deal and the hold of its payment come into being together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AcceptOffer {
    /// In which negotiation.
    pub negotiation: NegotiationId,
    /// The hash of exactly the offer that is accepted.
    pub offer: Hash,
    /// The account that a buyer pays from; left out, the buyer's main account.
    #[serde(default)]
    pub pay_from: Option<AccountRef>,
    /// The agent's signature over the offer's hash.
    #[serde(default)]
    pub signature: Option<Signature>,
}

/// Delivers a deal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Deliver<C> {
    /// Which.
    pub deal: DealId,
    /// What is delivered; it becomes an artifact of the deal's task.
    pub body: C,
}

/// Accepts a delivery, which pays the seller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AcceptDelivery {
    /// Of which deal.
    pub deal: DealId,
}

/// Disputes a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Dispute<C> {
    /// Of which deal.
    pub deal: DealId,
    /// Why.
    pub reason: C,
}

/// Rules in a dispute. By the named arbiter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rule<C> {
    /// On which deal.
    pub deal: DealId,
    /// What the seller gets, in whole units; the buyer gets the rest back.
    pub to_seller: Decimal,
    /// Why.
    pub reason: C,
}

/// Gives the buyer everything back. By the seller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Refund {
    /// Of which deal.
    pub deal: DealId,
}

/// Why a negotiation ended without a deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NegotiationEnd {
    /// A party left.
    #[n(0)]
    Left,
    /// The latest offer expired.
    #[n(1)]
    Expired,
    /// Another proposal was accepted, or the call was closed.
    #[n(2)]
    Lost,
}

/// Why a deal ended as it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DealEnd {
    /// The buyer accepted the delivery.
    #[n(0)]
    Accepted,
    /// The buyer stayed silent.
    #[n(1)]
    NoReview,
    /// The arbiter ruled.
    #[n(2)]
    Ruled,
    /// The arbiter stayed silent.
    #[n(3)]
    NoRuling,
    /// The seller gave it back.
    #[n(4)]
    GivenBack,
    /// The seller did not deliver in time.
    #[n(5)]
    NotDelivered,
}

/// How a negotiation began.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Opening {
    /// Who would pay.
    #[n(0)]
    pub buyer: AgentId,
    /// Who would deliver.
    #[n(1)]
    pub seller: AgentId,
    /// The call that it answers.
    #[n(2)]
    pub call: Option<CallId>,
    /// The listing that it is about.
    #[n(3)]
    pub listing: Option<ListingId>,
    /// The task that it serves.
    #[n(4)]
    pub task: Option<TaskId>,
}

/// What happened on the market.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MarketEvent {
    /// A listing was published.
    #[n(0)]
    ListingPublished {
        /// Its id.
        #[n(0)]
        listing: ListingId,
        /// Whose it is.
        #[n(1)]
        agent: AgentId,
        /// What is sold.
        #[n(2)]
        terms: ListingTerms<ContentRef>,
    },
    /// A listing was replaced.
    #[n(1)]
    ListingUpdated {
        /// Which.
        #[n(0)]
        listing: ListingId,
        /// What is sold from now on.
        #[n(1)]
        terms: ListingTerms<ContentRef>,
    },
    /// A listing was taken off the market.
    #[n(2)]
    ListingWithdrawn {
        /// Which.
        #[n(0)]
        listing: ListingId,
    },
    /// Proposals were called for.
    #[n(3)]
    CallOpened {
        /// Its id.
        #[n(0)]
        call: CallId,
        /// Who calls.
        #[n(1)]
        buyer: AgentId,
        /// What is wanted, in words.
        #[n(2)]
        body: ContentRef,
        /// What is wanted, as items.
        #[n(3)]
        wanted: Vec<Line>,
        /// Properties that a proposal must have.
        #[n(4)]
        attributes: Vec<Attribute>,
        /// Who is asked.
        #[n(5)]
        invited: Vec<AgentId>,
        /// Whether others may answer too.
        #[n(6)]
        public: bool,
        /// When proposals are opened.
        #[n(7)]
        deadline: Time,
        /// The task that it serves.
        #[n(8)]
        task: Option<TaskId>,
    },
    /// An agent answered a call with no.
    #[n(4)]
    CallRefused {
        /// Which call.
        #[n(0)]
        call: CallId,
        /// Who.
        #[n(1)]
        agent: AgentId,
    },
    /// The proposals of a call were opened together.
    #[n(5)]
    CallRevealed {
        /// Which call.
        #[n(0)]
        call: CallId,
    },
    /// A call ended without a deal.
    #[n(6)]
    CallClosed {
        /// Which call.
        #[n(0)]
        call: CallId,
    },
    /// An offer was made.
    #[n(7)]
    OfferMade {
        /// In which negotiation.
        #[n(0)]
        negotiation: NegotiationId,
        /// How the negotiation began, if this is its first offer.
        #[n(1)]
        opening: Option<Opening>,
        /// Its number within the negotiation, from 1.
        #[n(2)]
        number: u16,
        /// The offer.
        #[n(3)]
        offer: Offer,
        /// What is promised.
        #[n(4)]
        lines: Vec<Line>,
        /// Further issues.
        #[n(5)]
        issues: Vec<Attribute>,
        /// A word about it.
        #[n(6)]
        note: Option<ContentRef>,
        /// Its author's signature over the offer's hash.
        #[n(7)]
        signature: Option<Signature>,
    },
    /// A negotiation ended without a deal.
    #[n(8)]
    NegotiationEnded {
        /// Which.
        #[n(0)]
        negotiation: NegotiationId,
        /// Why.
        #[n(1)]
        end: NegotiationEnd,
        /// Who left.
        #[n(2)]
        by: Option<AgentId>,
    },
    /// An offer was accepted. The hold of its payment stands in the same batch.
    #[n(9)]
    DealAgreed {
        /// Its id.
        #[n(0)]
        deal: DealId,
        /// The negotiation it came from.
        #[n(1)]
        negotiation: NegotiationId,
        /// Who pays.
        #[n(2)]
        buyer: AgentId,
        /// Who delivers.
        #[n(3)]
        seller: AgentId,
        /// The hash of the accepted offer.
        #[n(4)]
        offer: Hash,
        /// What its settlement depends on.
        #[n(5)]
        bargain: Bargain,
        /// The hold of its payment.
        #[n(6)]
        hold: HoldId,
        /// The task that it delivers.
        #[n(7)]
        task: TaskId,
        /// Who accepted.
        #[n(8)]
        by: AgentId,
        /// The accepting agent's signature over the offer's hash.
        #[n(9)]
        signature: Option<Signature>,
        /// The split of the proceeds that the seller's team has agreed on.
        #[n(10)]
        shares: Vec<Share>,
    },
    /// A deal was delivered. The artifact stands in the same batch.
    #[n(10)]
    DealDelivered {
        /// Which.
        #[n(0)]
        deal: DealId,
    },
    /// A delivery was disputed.
    #[n(11)]
    DealDisputed {
        /// Which deal.
        #[n(0)]
        deal: DealId,
        /// Why.
        #[n(1)]
        reason: ContentRef,
    },
    /// A deal ended. The posting or voiding of its hold stands in the same batch.
    #[n(12)]
    DealEnded {
        /// Which.
        #[n(0)]
        deal: DealId,
        /// Where it stands now.
        #[n(1)]
        state: DealState,
        /// Why.
        #[n(2)]
        end: DealEnd,
        /// What the seller got.
        #[n(3)]
        paid: Amount,
        /// What the buyer got back.
        #[n(4)]
        returned: Amount,
        /// The arbiter's reason.
        #[n(5)]
        reason: Option<ContentRef>,
    },
}

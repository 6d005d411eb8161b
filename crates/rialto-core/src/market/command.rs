//! The market's commands: what agents can ask for. They are decided elsewhere.

use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{Attribute, ItemLine, ListingTerms, Terms, bargain, call, deal, listing};
use crate::amount::Decimal;
use crate::command::{always, commands, never};
use crate::hash::{Hash, Signature};
use crate::id::{CallId, DealId, ListingId, NegotiationId, TaskId};
use crate::identity::AgentRef;
use crate::ledger::AccountRef;

commands! {
    /// What can be asked of the market.
    pub enum MarketCommand<C> needs Trade {
        /// Withdraws a listing.
        WithdrawListing(WithdrawListing) = "listing.withdraw" => listing::withdraw, reaches_others: never;
        /// Refuses a call.
        RefuseCall(RefuseCall) = "call.refuse" => call::refuse, reaches_others: never;
        /// Ends a call without a deal.
        CancelCall(CancelCall) = "call.cancel" => call::cancel, reaches_others: never;
        /// Leaves a negotiation.
        LeaveNegotiation(LeaveNegotiation) = "negotiation.leave" => bargain::leave, reaches_others: never;
        /// Accepts a delivery.
        AcceptDelivery(AcceptDelivery) = "deal.accept" => deal::accept, reaches_others: never;
        /// Refunds the buyer in full.
        Refund(Refund) = "deal.refund" => deal::refund, reaches_others: never;
    }
    texts {
        /// Publishes a listing.
        PublishListing(PublishListing {} carrying terms: within, blank taken)
            = "listing.publish" => listing::publish, reaches_others: always;
        /// Replaces a listing.
        UpdateListing(UpdateListing { listing } carrying terms: within, blank taken)
            = "listing.update" => listing::update, reaches_others: always;
        /// Calls for proposals.
        OpenCall(OpenCall { wanted, attributes, invite, public, open_for_ms, task } carrying body: one, blank refused)
            = "call.open" => call::open, reaches_others: always;
        /// Answers a call with a binding offer.
        Propose(Propose { call, listing, terms, valid_for_ms, signature } carrying note: maybe, blank taken)
            = "call.propose" => call::propose, reaches_others: always;
        /// Opens a negotiation with a first offer.
        OpenNegotiation(OpenNegotiation { with, side, terms, valid_for_ms, pay_from, fund, listing, task, signature } carrying note: maybe, blank taken)
            = "negotiation.open" => bargain::open, reaches_others: always;
        /// Answers the latest offer with another.
        Counter(Counter { negotiation, terms, valid_for_ms, pay_from, fund, signature } carrying note: maybe, blank taken)
            = "negotiation.counter" => bargain::counter, reaches_others: always;
        /// Accepts the latest offer.
        AcceptOffer(AcceptOffer { negotiation, offer, pay_from, signature } carrying note: maybe, blank taken)
            = "negotiation.accept" => bargain::accept_offer, reaches_others: never;
        /// Delivers a deal.
        Deliver(Deliver { deal } carrying body: one, blank taken)
            = "deal.deliver" => deal::deliver, reaches_others: never;
        /// Disputes a delivery.
        Dispute(Dispute { deal } carrying reason: one, blank refused)
            = "deal.dispute" => deal::dispute, reaches_others: never;
        /// Rules in a dispute.
        Rule(Rule { deal, to_seller } carrying reason: one, blank refused)
            = "deal.rule" => deal::rule, reaches_others: never;
    }
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
    /// The listing.
    pub listing: ListingId,
    /// What is sold from now on.
    pub terms: ListingTerms<C>,
}

/// Withdraws a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WithdrawListing {
    /// The listing.
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
    pub wanted: Vec<ItemLine>,
    /// Properties that a proposal must have.
    #[serde(default)]
    pub attributes: Vec<Attribute>,
    /// The invited agents.
    #[serde(default)]
    pub invite: Vec<AgentRef>,
    /// Whether others may answer too.
    #[serde(default)]
    pub public: bool,
    /// How long proposals are accepted.
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
    /// The call.
    pub call: CallId,
    /// The seller's listing that it is about, whose stock it draws on before that of its other
    /// listings.
    #[serde(default)]
    pub listing: Option<ListingId>,
    /// The terms.
    pub terms: Terms,
    /// How long after the opening the proposal can be accepted.
    pub valid_for_ms: u64,
    /// A note about it.
    #[serde(default = "Option::<C>::default")]
    pub note: Option<C>,
    /// The agent's signature over the offer's hash.
    #[serde(default)]
    pub signature: Option<Signature>,
}

/// Refuses a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RefuseCall {
    /// The call.
    pub call: CallId,
}

/// Ends a call without a deal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CancelCall {
    /// The call.
    pub call: CallId,
}

/// An agent's side in a negotiation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The buyer, who would pay.
    #[n(0)]
    Buy,
    /// The seller, who would deliver.
    #[n(1)]
    Sell,
}

/// Opens a negotiation with a first offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OpenNegotiation<C> {
    /// The other side.
    pub with: AgentRef,
    /// The opener's side.
    pub side: Side,
    /// The terms offered.
    pub terms: Terms,
    /// How long the offer can be accepted.
    pub valid_for_ms: u64,
    /// The account that pays a buyer's offer; by default the buyer's main account.
    #[serde(default)]
    pub pay_from: Option<AccountRef>,
    /// Whether a buyer's offer is funded: its money is held now, for a deal to take over. It comes back
    /// when the offer is countered, left, lost or expires.
    #[serde(default)]
    pub fund: bool,
    /// A note about it.
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
    /// The negotiation.
    pub negotiation: NegotiationId,
    /// The terms offered.
    pub terms: Terms,
    /// How long the offer can be accepted.
    pub valid_for_ms: u64,
    /// The account that pays a buyer's offer; by default the buyer's main account.
    #[serde(default)]
    pub pay_from: Option<AccountRef>,
    /// Whether a buyer's offer is funded: its money is held now, for a deal to take over. It comes back
    /// when the offer is countered, left, lost or expires.
    #[serde(default)]
    pub fund: bool,
    /// A note about it.
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
    /// The negotiation.
    pub negotiation: NegotiationId,
}

/// Accepts the latest offer, which makes the deal and the hold of its payment together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AcceptOffer<C> {
    /// The negotiation.
    pub negotiation: NegotiationId,
    /// The hash of exactly the accepted offer.
    pub offer: Hash,
    /// The account that the buyer pays from; by default the buyer's main account.
    #[serde(default)]
    pub pay_from: Option<AccountRef>,
    /// The agent's signature over the offer's hash.
    #[serde(default)]
    pub signature: Option<Signature>,
    /// Why it accepts, for the person who may have to approve it and for the other side.
    #[serde(default = "Option::<C>::default")]
    pub note: Option<C>,
}

/// Delivers a deal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Deliver<C> {
    /// The deal.
    pub deal: DealId,
    /// What is delivered; it becomes an artifact of the deal's task.
    pub body: C,
}

/// Accepts a delivery, which pays the seller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AcceptDelivery {
    /// The deal.
    pub deal: DealId,
}

/// Disputes a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Dispute<C> {
    /// The deal.
    pub deal: DealId,
    /// Why.
    pub reason: C,
}

/// Rules in a dispute. For the named arbiter, or for the operator if none is named or the named one
/// cannot rule. The operator also ends a deal with it if a closed or stopped agent has the next
/// step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rule<C> {
    /// The deal.
    pub deal: DealId,
    /// What the seller gets, in whole units; the buyer gets the rest back.
    pub to_seller: Decimal,
    /// Why.
    pub reason: C,
}

/// Refunds the buyer in full. For the seller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Refund {
    /// The deal.
    pub deal: DealId,
}

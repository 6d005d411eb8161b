//! The market: listings, calls for proposals, negotiations by alternating offers, and deals.
//!
//! Holds what binds: the latest offer of a negotiation and the open deals. It holds no text of a
//! listing, call or note (search is the views'), and moves no money itself: holds and settlements
//! are the ledger's, composed with a deal's events into one atomic batch at the root of the core.

mod apart;
mod bargain;
mod call;
mod command;
mod deal;
mod event;
mod evolve;
mod listing;
mod parked;
mod stock;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_guard;
#[cfg(test)]
mod tests_trust;

use alloc::boxed::Box;
use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

pub(crate) use apart::{Cases, count_cases, rules_on_nothing_of};
pub use bargain::payees;
pub(crate) use bargain::{Acceptance, accept};
pub(crate) use evolve::evolve;
pub(crate) use parked::send as send_parked;

pub use command::{
    AcceptDelivery, AcceptOffer, CancelCall, Counter, Deliver, Dispute, LeaveNegotiation,
    MarketCommand, OpenCall, OpenNegotiation, Propose, PublishListing, Refund, RefuseCall, Rule,
    Side, UpdateListing, WithdrawListing,
};
pub use event::{DealEnd, MarketEvent, NegotiationEnd, Opening};
pub(crate) use stock::key as item_key;
pub use stock::{Claim, Stock};

use crate::amount::{Amount, Decimal};
use crate::entity::{Charge, Due, Entity, Lookup};
use crate::hash::{Hash, Signature};
use crate::id::{
    AccountId, AgentId, AssetId, CallId, DealId, HoldId, ListingId, NegotiationId, TaskId, TeamId,
};
use crate::identity::AgentRef;
use crate::limits;
use crate::policy::Yes;
use crate::share;
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
    /// How many are sold in all: no offer for them may take more than deals have left, whether it
    /// is about the listing or not. By default there is no bound.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u32>,
}

/// A number of items that are wanted or promised.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Line"))]
#[serde(deny_unknown_fields)]
pub struct ItemLine {
    /// What it is called.
    #[n(0)]
    pub item: Name,
    /// How many: at least one.
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
#[cfg_attr(feature = "schema", schemars(rename = "AttributeValue"))]
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

/// What an agent sells. `C` is the form of its texts.
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
    /// The asset of its prices; by default the realm's first.
    #[n(5)]
    #[serde(default)]
    pub asset: Option<AssetCode>,
    /// Whether a buyer's offers on it must be funded: made with their money held.
    #[n(10)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub funded_offers_only: Option<bool>,
}

impl<C> ListingTerms<C> {
    /// The same terms with their text in another form.
    pub fn map<D>(self, carry: impl FnMut(C) -> D) -> ListingTerms<D> {
        ListingTerms {
            title: self.title,
            description: self.description.map(carry),
            items: self.items,
            attributes: self.attributes,
            tags: self.tags,
            asset: self.asset,
            funded_offers_only: self.funded_offers_only,
        }
    }
}

/// A listing, as decisions need it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Listing {
    /// Whose it is.
    #[n(0)]
    pub agent: AgentId,
    /// How much it sells of the items that state a quantity; none when none does.
    #[n(1)]
    pub stock: Option<Vec<Stock>>,
    /// True when offers on it must be funded.
    #[n(2)]
    pub funded_offers_only: Option<bool>,
}

impl Entity for Listing {
    const KIND: u8 = 50;
    type Key = ListingId;
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::LISTINGS,
        what: "listings",
        payer: |it, _, state| share::owner(state, it.agent),
    };
    const LOOKUP: Lookup<Self> = Lookup::While(stock::note, stock::unnote);
}

/// The state of a call for proposals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    /// Open for proposals, which are sealed.
    #[n(0)]
    Open,
    /// Proposals have been opened together; one may be accepted.
    #[n(1)]
    Revealed,
    /// A proposal became a deal.
    #[n(2)]
    Awarded,
    /// Cancelled, or ended without a deal.
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
    /// The agent.
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
    /// Its state.
    #[n(4)]
    pub state: CallState,
    /// When it last changed its state.
    #[n(5)]
    pub since: Time,
    /// The task that it serves.
    #[n(6)]
    pub task: Option<TaskId>,
    /// How many of the first invites name agents: nobody takes their places.
    #[n(7)]
    pub named: Option<u16>,
    /// What draws places among strangers if more answer than may.
    #[n(8)]
    #[serde(skip)]
    pub draw: Option<u64>,
}

impl Entity for Call {
    const KIND: u8 = 51;
    type Key = CallId;
    const DUE: Due<Self> = Due::Acts(
        |it| {
            Some(match it.state {
                CallState::Open => it.deadline,
                CallState::Revealed => it.since.after(limits::OFFER_MS),
                CallState::Awarded | CallState::Closed => it.since.after(limits::FINISHED_MS),
            })
        },
        call::expire,
    );
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::DEALS,
        what: "open calls",
        payer: |it, _, state| share::owner(state, it.buyer),
    };
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// What happens to the money if a party that should act stays silent.
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
    /// The asset; by default the realm's first.
    #[serde(default)]
    pub asset: Option<AssetCode>,
    /// What is promised.
    #[serde(default)]
    pub lines: Vec<ItemLine>,
    /// Further issues that are agreed on.
    #[serde(default)]
    pub issues: Vec<Attribute>,
    /// How long after agreement the seller has to deliver.
    #[serde(default = "Terms::deliver_within_ms")]
    pub deliver_within_ms: u64,
    /// How long after delivery the buyer has to accept or dispute. Between different owners there is a
    /// least time, an hour unless the realm's settings say otherwise.
    #[serde(default = "Terms::review_within_ms")]
    pub review_within_ms: u64,
    /// How long after a dispute the arbiter has to rule: at least as long as the least time to review.
    #[serde(default = "Terms::rule_within_ms")]
    pub rule_within_ms: u64,
    /// Who rules in a dispute: the operator, or an agent whose owner is on neither side.
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
    /// Terms with a price and defaults for everything else.
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Bargain {
    /// The asset.
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// What it commits to.
    #[n(3)]
    pub bargain: Bargain,
    /// The account that pays a buyer's offer.
    #[n(4)]
    pub pay_from: Option<AccountId>,
    /// The hold of its money, if it is a buyer's funded offer: a deal takes it over.
    #[n(5)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldId>,
    /// True if a person has approved it: its acceptance needs no further approval.
    #[n(9)]
    pub approved: Option<bool>,
    /// What that person's yes was given for; absent where offers did not keep it yet. The limits of
    /// its owner are nobody else's business.
    #[n(10)]
    #[serde(skip)]
    pub yes: Option<Box<Yes>>,
}

/// A buyer's offer that waits for a person's approval, exactly as it will go out.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ParkedOffer {
    /// To whom.
    #[n(0)]
    pub seller: AgentId,
    /// In which negotiation; none when it opens one.
    #[n(1)]
    pub negotiation: Option<NegotiationId>,
    /// Which offer it counters there.
    #[n(2)]
    pub counters: Option<Hash>,
    /// The listing that it is about.
    #[n(3)]
    pub listing: Option<ListingId>,
    /// The task that it serves.
    #[n(4)]
    pub task: Option<TaskId>,
    /// What it commits to.
    #[n(5)]
    pub bargain: Bargain,
    /// What is to be promised.
    #[n(6)]
    pub lines: Vec<ItemLine>,
    /// Further issues.
    #[n(7)]
    pub issues: Vec<Attribute>,
    /// A note about it.
    #[n(8)]
    pub note: Option<ContentRef>,
    /// The account that pays it.
    #[n(9)]
    pub pay_from: AccountId,
    /// How long it can be accepted once it goes out, in milliseconds.
    #[n(10)]
    pub valid_for_ms: u64,
    /// Its author's signature.
    #[n(11)]
    pub signature: Option<Signature>,
    /// True when its money is to be held as it goes out.
    #[n(12)]
    pub fund: Option<bool>,
    /// The split of the proceeds when it was asked for, if a team is paid.
    #[n(13)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shares: Option<Vec<Share>>,
}

/// The state of a negotiation.
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
    /// Its state.
    #[n(6)]
    pub state: NegotiationState,
    /// When it last changed its state.
    #[n(7)]
    pub since: Time,
    /// Who made the first offer.
    #[n(8)]
    pub opened_by: AgentId,
    /// What the latest offer takes of the stock of the negotiation's listing, if the offer itself
    /// does not state stock.
    #[n(9)]
    pub claim: Option<Claim>,
    /// What the latest offer takes of the seller's stock, each item once.
    #[n(10)]
    pub takes: Option<Vec<ItemLine>>,
    /// The listing that the negotiation is about.
    #[n(11)]
    pub listing: Option<ListingId>,
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
    const DUE: Due<Self> = Due::Acts(
        |it| {
            Some(match it.state {
                NegotiationState::Open => it.latest.expires,
                _ => it.since.after(limits::FINISHED_MS),
            })
        },
        bargain::expire,
    );
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::DEALS,
        what: "open negotiations",
        payer: |it, _, state| share::owner(state, it.opened_by),
    };
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// The state of a deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// The state as people and answers write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Agreed => "agreed",
            Self::Delivered => "delivered",
            Self::Disputed => "disputed",
            Self::Settled => "settled",
            Self::Split => "split",
            Self::Refunded => "refunded",
            Self::Expired => "expired",
        }
    }

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
    /// Its state.
    #[n(7)]
    pub state: DealState,
    /// When it last changed its state.
    #[n(8)]
    pub since: Time,
    /// The split of the proceeds that the seller's team had agreed on.
    #[n(9)]
    pub shares: Vec<Share>,
    /// What it has taken of a listing's stock, if its acceptance does not state stock.
    #[n(10)]
    pub claim: Option<Claim>,
    /// What it has taken of its seller's listings.
    #[n(11)]
    pub claims: Option<Vec<Claim>>,
    /// The team that pays it, if an agent rules on it.
    #[n(12)]
    pub purse: Option<TeamId>,
}

impl Entity for Deal {
    const KIND: u8 = 53;
    type Key = DealId;
    const DUE: Due<Self> = Due::Acts(
        |it| {
            let wait_ms = match it.state {
                DealState::Agreed => it.bargain.deliver_within_ms,
                DealState::Delivered => it.bargain.review_within_ms,
                DealState::Disputed => it.bargain.rule_within_ms,
                _ => return Some(it.since.after(limits::FINISHED_MS)),
            };
            // What is done in the very moment of a deadline is done in time.
            Some(it.since.after(wait_ms).after(1))
        },
        deal::expire,
    );
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::DEALS,
        what: "open deals",
        payer: |it, _, state| share::owner(state, it.buyer),
    };
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// The counts of an agent's deals: the base of its reputation.
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
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Nobody;
    const LOOKUP: Lookup<Self> = Lookup::Key;
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
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::PAIRS,
        what: "pairs of agents that have dealt",
        payer: |_, (first, _), state| share::owner(state, *first),
    };
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

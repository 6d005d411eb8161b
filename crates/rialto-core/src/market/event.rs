//! The market's events: what happened, as the log keeps it. A released one never changes.

use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::{Attribute, Bargain, Claim, DealState, Line, ListingTerms, Offer, Stock};
use crate::amount::Amount;
use crate::hash::{Hash, Signature};
use crate::id::{AgentId, CallId, DealId, HoldId, ListingId, NegotiationId, TaskId};
use crate::text::ContentRef;
use crate::time::Time;
use crate::work::Share;

/// Why a negotiation ended without a deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
        /// What there is of the items, where an item was typed anew: else it follows from the terms
        /// and from what there was.
        #[n(2)]
        #[serde(skip_serializing_if = "Option::is_none")]
        stock: Option<Vec<Stock>>,
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
        /// What it takes of the seller's stock, each item once. Without it, what it takes follows from
        /// the listing that the negotiation was opened on.
        #[n(8)]
        #[serde(skip_serializing_if = "Option::is_none")]
        takes: Option<Vec<Line>>,
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
        /// What it takes of which of the seller's listings, where the offer said what it takes.
        #[n(11)]
        #[serde(skip_serializing_if = "Option::is_none")]
        claims: Option<Vec<Claim>>,
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

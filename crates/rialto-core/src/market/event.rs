//! The market's events: what happened, as the log keeps it. A released one never changes.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::{Attribute, Bargain, Claim, DealState, ItemLine, ListingTerms, Offer, Stock};
use crate::amount::Amount;
use crate::fact::{TextOf, Told, facts, short, word};
use crate::hash::{Hash, Signature};
use crate::id::{AgentId, CallId, DealId, HoldId, ListingId, NegotiationId, TaskId, TeamId};
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
    /// It gave its place in a full public call to another proposal.
    #[n(3)]
    Displaced,
}

impl NegotiationEnd {
    /// What whoever ended it did.
    fn words(self) -> &'static str {
        match self {
            Self::Left => "left the negotiation",
            Self::Expired => "ended the negotiation: the offer expired",
            Self::Lost => "ended the negotiation: another proposal won, or the call was closed",
            Self::Displaced => {
                "ended the negotiation: another proposal took its place in a full call"
            }
        }
    }
}

/// Why a deal ended.
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
    /// The seller refunded it.
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
        /// The listing.
        #[n(0)]
        listing: ListingId,
        /// What is sold from now on.
        #[n(1)]
        terms: ListingTerms<ContentRef>,
        /// The stock of the items, if an item was spelled differently; otherwise it follows from
        /// the terms and the earlier stock.
        #[n(2)]
        #[serde(skip_serializing_if = "Option::is_none")]
        stock: Option<Vec<Stock>>,
    },
    /// A listing was withdrawn.
    #[n(2)]
    ListingWithdrawn {
        /// The listing.
        #[n(0)]
        listing: ListingId,
    },
    /// A call for proposals was opened.
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
        wanted: Vec<ItemLine>,
        /// Properties that a proposal must have.
        #[n(4)]
        attributes: Vec<Attribute>,
        /// The invited agents.
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
        /// How many agents it names, if others may answer too: their places are theirs.
        #[n(9)]
        #[serde(skip_serializing_if = "Option::is_none")]
        named: Option<u16>,
        /// What draws places among strangers if more answer than may. Nobody reads it.
        #[n(10)]
        #[serde(skip)]
        draw: Option<u64>,
    },
    /// An agent refused a call.
    #[n(4)]
    CallRefused {
        /// The call.
        #[n(0)]
        call: CallId,
        /// The agent.
        #[n(1)]
        agent: AgentId,
    },
    /// The proposals of a call were opened together.
    #[n(5)]
    CallRevealed {
        /// The call.
        #[n(0)]
        call: CallId,
    },
    /// A call ended without a deal.
    #[n(6)]
    CallClosed {
        /// The call.
        #[n(0)]
        call: CallId,
    },
    /// An offer was made.
    #[n(7)]
    OfferMade {
        /// The negotiation.
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
        lines: Vec<ItemLine>,
        /// Further issues.
        #[n(5)]
        issues: Vec<Attribute>,
        /// A note about it.
        #[n(6)]
        note: Option<ContentRef>,
        /// Its author's signature over the offer's hash.
        #[n(7)]
        signature: Option<Signature>,
        /// What it takes of the seller's stock, each item once. Without it, what it takes follows from
        /// the listing that the negotiation was opened on.
        #[n(8)]
        #[serde(skip_serializing_if = "Option::is_none")]
        takes: Option<Vec<ItemLine>>,
    },
    /// A negotiation ended without a deal.
    #[n(8)]
    NegotiationEnded {
        /// The negotiation.
        #[n(0)]
        negotiation: NegotiationId,
        /// Why.
        #[n(1)]
        end: NegotiationEnd,
        /// Who left.
        #[n(2)]
        by: Option<AgentId>,
    },
    /// An offer was accepted. The hold of its payment is in the same batch.
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
        /// What it takes from which of the seller's listings, if the offer stated what it takes.
        #[n(11)]
        #[serde(skip_serializing_if = "Option::is_none")]
        claims: Option<Vec<Claim>>,
        /// The team that pays it, if an agent rules on it.
        #[n(12)]
        #[serde(skip_serializing_if = "Option::is_none")]
        purse: Option<TeamId>,
        /// Why it was accepted, as the accepting agent says it.
        #[n(13)]
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<Box<ContentRef>>,
    },
    /// A deal was delivered. The artifact is in the same batch.
    #[n(10)]
    DealDelivered {
        /// The deal.
        #[n(0)]
        deal: DealId,
    },
    /// A delivery was disputed.
    #[n(11)]
    DealDisputed {
        /// The deal.
        #[n(0)]
        deal: DealId,
        /// Why.
        #[n(1)]
        reason: ContentRef,
    },
    /// A deal ended. The posting or voiding of its hold is in the same batch.
    #[n(12)]
    DealEnded {
        /// The deal.
        #[n(0)]
        deal: DealId,
        /// Its new state.
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

facts! {
    MarketEvent {
        ListingPublished { listing, terms, .. } = "market.listing_published",
            concerns [listing], texts [terms => TextOf::Listing(*listing)],
            told [Told::new(*listing, format!("listed {}", terms.title))];
        ListingUpdated { listing, terms, .. } = "market.listing_updated",
            concerns [listing], texts [terms => TextOf::Listing(*listing)],
            told [Told::new(*listing, "changed the listing")];
        ListingWithdrawn { listing } = "market.listing_withdrawn",
            concerns [listing], texts [], told [Told::new(*listing, "withdrew the listing")];
        CallOpened { call, body, invited, .. } = "market.call_opened",
            concerns [call], texts [body => TextOf::Nothing],
            told [Told::new(*call, format!("called for proposals, asked {} agents", invited.len()))];
        // Who gave an answer to a call is not told of before all are opened.
        CallRefused { call, agent } = "market.call_refused",
            concerns [agent], texts [], told [Told::new(*call, "refused to propose")];
        CallRevealed { call } = "market.call_revealed",
            concerns [call], texts [], told [Told::new(*call, "opened the proposals together")];
        CallClosed { call } = "market.call_closed",
            concerns [call], texts [], told [Told::new(*call, "closed the call")];
        OfferMade { negotiation, number, offer, note, .. } = "market.offer_made",
            concerns [negotiation], texts [note => TextOf::Nothing], told [{
                let hash = short(&offer.hash);
                let what = match offer.hold {
                    Some(hold) => format!("made offer {number}, {hash}, funded by {hold}"),
                    None => format!("made offer {number}, {hash}"),
                };
                let line = Told::new(*negotiation, what).by(offer.by);
                line.over(offer.bargain.price, offer.bargain.asset)
            }];
        NegotiationEnded { negotiation, end, .. } = "market.negotiation_ended",
            concerns [negotiation], texts [],
            told [Told::new(*negotiation, end.words())];
        DealAgreed { deal, offer, bargain, by, note, .. } = "market.deal_agreed",
            concerns [deal], texts [note => TextOf::Nothing], told [{
                let line = Told::new(*deal, format!("accepted offer {}", short(offer))).by(*by);
                line.over(bargain.price, bargain.asset)
            }];
        DealDelivered { deal } = "market.deal_delivered",
            concerns [deal], texts [], told [Told::new(*deal, "delivered")];
        DealDisputed { deal, reason } = "market.deal_disputed",
            concerns [deal], texts [reason => TextOf::Nothing],
            told [Told::new(*deal, "disputed the delivery")];
        DealEnded { deal, state, end, reason, .. } = "market.deal_ended",
            concerns [deal], texts [reason => TextOf::Nothing],
            told [Told::new(*deal, format!("ended the deal: {}, {}", word(state), word(end)))];
    }
}

//! Deals and negotiations: the conversation with its offers, then hold, delivery, settlement.

use maud::{Markup, html};
use rialto_core::id::AnyId;

use super::overview::{DealLine, deal_table};
use crate::kit::{
    Empty, Money, Thing, When, Who, facts, next_page, numbers, position, section, some, state,
    table_or, words,
};
use crate::shell::{heading, kept_live};
use crate::written::Written;

/// The states of a deal, for the filter.
pub const STATES: [&str; 7] = [
    "agreed",
    "delivered",
    "disputed",
    "settled",
    "split",
    "refunded",
    "expired",
];

/// A negotiation in a list.
#[derive(Clone, Debug)]
pub struct TalkLine {
    /// Its id.
    pub id: AnyId,
    /// Who would pay.
    pub buyer: Who,
    /// Who would deliver.
    pub seller: Who,
    /// Its state.
    pub state: String,
    /// How many offers were made.
    pub offers: u32,
    /// The deal it became.
    pub deal: Option<AnyId>,
    /// When something last happened.
    pub since: When,
}

/// What a list of this part shows.
#[derive(Clone, Debug)]
pub enum Listed {
    /// Deals, of this state only if one is named.
    Deals(Vec<DealLine>, Option<String>),
    /// Negotiations.
    Talks(Vec<TalkLine>),
}

/// The list.
#[derive(Clone, Debug)]
pub struct List {
    /// Its address.
    pub address: String,
    /// The rows.
    pub listed: Listed,
    /// Where the next page is.
    pub next: Option<String>,
    /// True on the first page, which keeps itself up to date.
    pub first: bool,
}

impl List {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let (deals, chosen) = match &self.listed {
            Listed::Deals(_, state) => (true, state.as_deref()),
            Listed::Talks(_) => (false, None),
        };
        let rows = html! { section.block { (self.rows()) (next_page(self.next.as_deref())) } };
        html! {
            (heading(&html! { "Deals" }, &html! { "every agreed deal has its money held" }))
            nav.tabs aria-label="Which" {
                a href="/deals" aria-current=[(deals && chosen.is_none()).then_some("page")] { "All deals" }
                @for word in STATES {
                    a href={ "/deals?state=" (word) } aria-current=[(chosen == Some(word)).then_some("page")] { (word) }
                }
                a href="/negotiations" aria-current=[(!deals).then_some("page")] { "Negotiations" }
            }
            @if self.first { (kept_live("rows", &self.address, &rows)) } @else { (rows) }
        }
    }

    fn rows(&self) -> Markup {
        match &self.listed {
            Listed::Deals(deals, _) if deals.is_empty() => html! {
                (Empty::new("No deal here. Agents make them by negotiating.", "rialto deal offer --help"))
            },
            Listed::Deals(deals, _) => deal_table(deals),
            Listed::Talks(talks) => {
                let rows: Vec<Vec<Markup>> = talks
                    .iter()
                    .map(|talk| {
                        vec![
                            html! { (Thing(talk.id)) },
                            state(&talk.state),
                            html! { (talk.offers) },
                            html! { (talk.buyer) },
                            html! { (talk.seller) },
                            html! { @if let Some(deal) = talk.deal { (Thing(deal)) } },
                            html! { (talk.since) },
                        ]
                    })
                    .collect();
                let columns = [
                    words("Negotiation"),
                    words("State"),
                    numbers("Offers"),
                    words("Buyer"),
                    words("Seller"),
                    words("Deal"),
                    words("Since"),
                ];
                let empty = Empty::new("No negotiation yet.", "rialto deal offer --help");
                table_or("Negotiations", &columns, &rows, &empty)
            }
        }
    }
}

/// An offer as part of a conversation.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Its number.
    pub number: u32,
    /// Whose it is.
    pub by: Who,
    /// True when it is the seller's.
    pub sellers: bool,
    /// The price.
    pub price: Money,
    /// What is promised: how many of what.
    pub lines: Vec<String>,
    /// Its further terms: issues, and the times to deliver, review and rule.
    pub terms: Vec<(&'static str, Markup)>,
    /// A note about it.
    pub note: Option<Written>,
    /// The hash, as an acceptance names it.
    pub hash: String,
    /// Whether its author signed it.
    pub signed: bool,
    /// Whether a buyer's offer has its money held; none for a seller's.
    pub funded: Option<bool>,
    /// Who would rule in a dispute, and who owns it.
    pub arbiter: Markup,
    /// Whether it was the one accepted.
    pub taken: bool,
    /// When.
    pub at: When,
    /// Until when it could be accepted.
    pub expires: When,
    /// The position of the event.
    pub position: u64,
}

/// A step of a timeline.
#[derive(Clone, Debug)]
pub struct Step {
    /// When.
    pub at: When,
    /// What happened.
    pub what: Markup,
    /// `good`, `bad`, `busy` or `plain`.
    pub tone: &'static str,
    /// The position of the event.
    pub position: Option<u64>,
}

/// A deal, or a negotiation that has not become one.
#[derive(Clone, Debug)]
pub struct Course {
    /// Its address.
    pub address: String,
    /// What the page is about.
    pub id: AnyId,
    /// Who pays.
    pub buyer: Who,
    /// Who delivers.
    pub seller: Who,
    /// Its state.
    pub state: String,
    /// The price, once agreed.
    pub price: Option<Money>,
    /// What else is known, by name.
    pub facts: Vec<(&'static str, Markup)>,
    /// The offers, oldest first.
    pub offers: Vec<Offer>,
    /// What came after the agreement.
    pub steps: Vec<Step>,
    /// Why it was disputed.
    pub dispute: Option<Written>,
    /// The arbiter's reason.
    pub ruling: Option<Written>,
}

impl Course {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let kind = if matches!(self.id, AnyId::DealId(_)) {
            "Deal"
        } else {
            "Negotiation"
        };
        let title = html! { (kind) @if let Some(price) = &self.price { " for " (price) } };
        let aside = html! { (Thing(self.id)) a href={ "/trace/" (self.id) } { "Trace" } };
        html! {
            (heading(&title, &aside))
            (kept_live("course", &self.address, &self.body()))
        }
    }

    fn body(&self) -> Markup {
        let mut known = vec![
            ("State", state(&self.state)),
            ("Buyer", html! { (self.buyer) }),
            ("Seller", html! { (self.seller) }),
        ];
        known.extend(self.facts.iter().cloned());
        let aside = html! { (some(self.offers.len(), "offer")) };
        html! {
            section.block { (facts(&known)) }
            (section("Negotiation", &aside, &self.conversation()))
            @if !self.steps.is_empty() { (section("Course", &html! {}, &timeline(&self.steps))) }
            @if let Some(dispute) = &self.dispute { (section("Why it was disputed", &html! {}, &html! { (dispute) })) }
            @if let Some(ruling) = &self.ruling { (section("The ruling", &html! {}, &html! { (ruling) })) }
        }
    }

    fn conversation(&self) -> Markup {
        html! {
            @if self.offers.is_empty() { p.quiet { "No offer is visible to you." } }
            ol.talk-list { @for offer in &self.offers { (bubble(offer)) } }
        }
    }
}

fn bubble(offer: &Offer) -> Markup {
    html! {
        li.bubble .other[offer.sellers] .taken[offer.taken] {
            header {
                (offer.by) (offer.at)
                span.price { (offer.price) }
            }
            @if !offer.lines.is_empty() { p.terms { (offer.lines.join(" · ")) } }
            @if let Some(note) = &offer.note { (note) }
            p.quiet {
                "offer " (offer.number) " · " span.id { "#" (short(&offer.hash)) }
                @if offer.signed { " · signed" }
                @match offer.funded {
                    Some(true) => " · funded: its money is held",
                    Some(false) => " · not funded: the buyer could pay when it was made",
                    None => {},
                }
                @if offer.taken { " · accepted" } @else { " · valid until " (offer.expires) }
                " · " (position(offer.position))
            }
            p.quiet { "arbiter: " (offer.arbiter) }
            (facts(&offer.terms))
        }
    }
}

/// The first digits of a hash, as people compare them.
fn short(hash: &str) -> String {
    hash.chars().take(8).collect()
}

/// Steps under each other.
#[must_use]
pub fn timeline(steps: &[Step]) -> Markup {
    html! {
        ol.timeline { @for step in steps {
            li {
                (step.at)
                span class={ "knot " (step.tone) } aria-hidden="true" {}
                div.step { (step.what) span.tail { @if let Some(at) = step.position { (position(at)) } } }
            }
        } }
    }
}

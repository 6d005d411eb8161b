//! The market: listings by search, and calls for proposals.

use maud::{Markup, html};
use rialto_core::id::AnyId;

use crate::form::{Field, field};
use crate::kit::{
    Empty, Money, Thing, When, Who, facts, next_page, numbers, section, state, table_or, words,
};
use crate::shell::{heading, kept_live};
use crate::written::Written;

/// A listing.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Its id.
    pub id: AnyId,
    /// Whose.
    pub seller: Who,
    /// What it is called.
    pub title: String,
    /// What it is, in the seller's words.
    pub description: Option<Written>,
    /// The items with their prices.
    pub items: Vec<(String, Money)>,
    /// Its properties.
    pub attributes: Vec<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// What was wanted and found, with the price of all together.
    pub bundle: Option<Money>,
    /// What was wanted and is missing.
    pub missing: Vec<String>,
}

/// The search.
#[derive(Clone, Debug)]
pub struct Search {
    /// Words that were looked for.
    pub text: String,
    /// Items that were wanted, separated by commas.
    pub items: String,
    /// The most they may cost.
    pub max_price: String,
    /// The hits.
    pub hits: Vec<Listing>,
    /// Where further hits are.
    pub next: Option<String>,
}

fn tabs(calls: bool) -> Markup {
    html! {
        nav.tabs aria-label="Which" {
            a href="/market" aria-current=[(!calls).then_some("page")] { "Listings" }
            a href="/market/calls" aria-current=[calls.then_some("page")] { "Calls for proposals" }
        }
    }
}

impl Search {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let text = |name, label, value, help| Field {
            name,
            label,
            value,
            help,
            required: false,
        };
        html! {
            (heading(&html! { "Market" }, &html! {}))
            (tabs(false))
            form.row-form.filters method="get" action="/market" role="search" aria-label="Filter" {
                (field(&text("text", "Words", &self.text, "")))
                (field(&text("items", "Items wanted, by commas", &self.items, "")))
                (field(&text("max_price", "At most, for all of them", &self.max_price, "")))
                button.second type="submit" { "Search" }
            }
            section.block { (self.hits()) (next_page(self.next.as_deref())) }
        }
    }

    fn hits(&self) -> Markup {
        // What narrow screens show comes first.
        let mut columns = vec![words("Listing"), words("Items")];
        let wanted = !self.items.is_empty();
        if wanted {
            columns.extend([numbers("Wanted together"), words("Missing")]);
        }
        columns.push(words("Seller"));
        let rows: Vec<Vec<Markup>> = self
            .hits
            .iter()
            .map(|hit| {
                let mut cells = vec![
                    html! { a href={ "/market/listings/" (hit.id) } { (hit.title) } },
                    html! { (brief(hit)) },
                ];
                if wanted {
                    cells.push(html! { @if let Some(price) = &hit.bundle { (price) } });
                    cells.push(html! { (hit.missing.join(", ")) });
                }
                cells.push(html! { (hit.seller) });
                cells
            })
            .collect();
        let empty = Empty::new("No listing matches.", "rialto listing publish --help");
        table_or("Listings", &columns, &rows, &empty)
    }
}

/// The first items of a listing.
fn brief(listing: &Listing) -> Markup {
    const SHOWN: usize = 3;
    html! {
        @for (place, (name, price)) in listing.items.iter().take(SHOWN).enumerate() {
            @if place > 0 { ", " } (name) " " span.quiet { (price) }
        }
        @if listing.items.len() > SHOWN { span.quiet { " and " (listing.items.len() - SHOWN) " more" } }
    }
}

impl Listing {
    /// The page of one listing.
    #[must_use]
    pub fn page(&self) -> Markup {
        let rows: Vec<Vec<Markup>> = self
            .items
            .iter()
            .map(|(name, price)| vec![html! { (name) }, html! { (price) }])
            .collect();
        let columns = [words("Item"), numbers("Price")];
        let aside = html! { (Thing(self.id)) a href={ "/trace/" (self.id) } { "Trace" } };
        let empty = Empty {
            why: "It names no item.".to_owned(),
            command: None,
        };
        html! {
            (heading(&html! { (self.title) }, &aside))
            section.block { (facts(&[
                ("Seller", html! { (self.seller) }),
                ("Properties", html! { (self.attributes.join(", ")) }),
                ("Tags", html! { (self.tags.join(", ")) }),
            ])) }
            @if let Some(text) = &self.description {
                (section("In the seller's words", &html! {}, &html! { (text) }))
            }
            (section("Items", &html! {}, &table_or("Items", &columns, &rows, &empty)))
        }
    }
}

/// A call in a list.
#[derive(Clone, Debug)]
pub struct CallLine {
    /// Its id.
    pub id: AnyId,
    /// Who calls.
    pub buyer: Who,
    /// What is wanted.
    pub wanted: Vec<String>,
    /// Its state.
    pub state: String,
    /// When proposals are opened.
    pub deadline: When,
    /// Since when.
    pub since: When,
}

/// The calls.
#[derive(Clone, Debug)]
pub struct Calls {
    /// The page's address.
    pub address: String,
    /// The calls.
    pub rows: Vec<CallLine>,
    /// Where the next page is.
    pub next: Option<String>,
    /// True on the first page, which keeps itself up to date.
    pub first: bool,
}

impl Calls {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let rows: Vec<Vec<Markup>> = self
            .rows
            .iter()
            .map(|call| {
                vec![
                    html! { (Thing(call.id)) },
                    html! { (call.buyer) },
                    html! { (call.wanted.join(", ")) },
                    state(&call.state),
                    html! { (call.deadline) },
                    html! { (call.since) },
                ]
            })
            .collect();
        let columns = [
            words("Call"),
            words("By"),
            words("Wanted"),
            words("State"),
            words("Opened together"),
            words("Since"),
        ];
        let empty = Empty::new("There is no call for proposals.", "rialto call open --help");
        let body = html! { section.block {
            (table_or("Calls for proposals", &columns, &rows, &empty)) (next_page(self.next.as_deref()))
        } };
        html! {
            (heading(&html! { "Market" }, &html! {}))
            (tabs(true))
            @if self.first { (kept_live("rows", &self.address, &body)) } @else { (body) }
        }
    }
}

/// An agent that was asked.
#[derive(Clone, Debug)]
pub struct Invite {
    /// The agent.
    pub agent: Who,
    /// What it said.
    pub answer: String,
    /// The negotiation that its proposal opened.
    pub negotiation: Option<AnyId>,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its address.
    pub address: String,
    /// The call.
    pub line: CallLine,
    /// What is wanted, in words.
    pub body: Option<Written>,
    /// Whether others than the invited may answer.
    pub public: bool,
    /// The task that it serves.
    pub task: Option<AnyId>,
    /// Who was asked.
    pub invites: Vec<Invite>,
}

impl Call {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let aside = html! { (Thing(self.line.id)) a href={ "/trace/" (self.line.id) } { "Trace" } };
        html! {
            (heading(&html! { "Call for proposals" }, &aside))
            (kept_live("call", &self.address, &self.inner()))
        }
    }

    fn inner(&self) -> Markup {
        let rows: Vec<Vec<Markup>> = self
            .invites
            .iter()
            .map(|invite| {
                vec![
                    html! { (invite.agent) },
                    state(&invite.answer),
                    html! { @if let Some(id) = invite.negotiation { (Thing(id)) } },
                ]
            })
            .collect();
        let columns = [words("Agent"), words("Answer"), words("Negotiation")];
        let mut known = vec![
            ("State", state(&self.line.state)),
            ("By", html! { (self.line.buyer) }),
            ("Wanted", html! { (self.line.wanted.join(", ")) }),
            ("Opened together", html! { (self.line.deadline) }),
            (
                "Who may answer",
                html! { @if self.public { "anybody" } @else { "invited agents" } },
            ),
        ];
        if let Some(task) = self.task {
            known.push(("Serves", html! { (Thing(task)) }));
        }
        let none = Empty {
            why: "Nobody was invited.".to_owned(),
            command: None,
        };
        html! {
            section.block { (facts(&known)) }
            @if let Some(body) = &self.body { (section("In the caller's words", &html! {}, &html! { (body) })) }
            (section("Invited agents", &html! {}, &table_or("Invited agents", &columns, &rows, &none)))
        }
    }
}

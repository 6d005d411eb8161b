//! The log: events as they were decided, one event whole, and the digest of the state.

use maud::{Markup, html};

use crate::form::{Field, field};
use crate::kit::{Empty, When, Who, facts, next_page, position, section, table_or, words};
use crate::shell::{heading, kept_live};
use crate::written::bounded;

/// The most characters of an event that its page shows.
const SHOWN: usize = 60_000;

/// An event in the list.
#[derive(Clone, Debug)]
pub struct EventLine {
    /// Its position.
    pub position: u64,
    /// When.
    pub at: When,
    /// Who asked.
    pub who: Who,
    /// The kinds of what happened, each once.
    pub kinds: Vec<String>,
    /// What it made, in words.
    pub made: Markup,
    /// What its events say, a line each.
    pub said: Vec<String>,
}

/// The digest of the state.
#[derive(Clone, Debug)]
pub struct Digest {
    /// The digest.
    pub digest: String,
    /// The position it belongs to.
    pub position: u64,
    /// Over how many entities.
    pub entities: u64,
}

/// The page.
#[derive(Clone, Debug)]
pub struct Log {
    /// Its address.
    pub address: String,
    /// The kind that was asked for.
    pub kind: String,
    /// The agent that was asked for.
    pub actor: String,
    /// After which position the list begins.
    pub after: String,
    /// The events.
    pub rows: Vec<EventLine>,
    /// Where the next page is.
    pub next: Option<String>,
    /// The page of the latest events, unless this is it.
    pub latest: Option<String>,
    /// The digest, for the operator.
    pub digest: Option<Digest>,
    /// Whether the viewer sees all events, or only those that concern it.
    pub whole: bool,
    /// Whether the page keeps itself up to date.
    pub live: bool,
}

impl Log {
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
        let aside = if self.whole {
            "everything that was decided"
        } else {
            "what you and your agents did, and what concerns you"
        };
        let body = self.body();
        html! {
            (heading(&html! { "Log" }, &html! { (aside) }))
            form.row-form.filters method="get" action="/log" role="search" aria-label="Filter" {
                (field(&text("kind", "Kind", &self.kind, "such as market.deal_agreed")))
                (field(&text("actor", "Agent", &self.actor, "handle or id")))
                (field(&text("after", "After position", &self.after, "empty for the latest")))
                button.second type="submit" { "Show" }
            }
            @if self.live { (kept_live("rows", &self.address, &body)) } @else { (body) }
        }
    }

    fn body(&self) -> Markup {
        let rows: Vec<Vec<Markup>> = self.rows.iter().map(cells).collect();
        let columns = [
            words("Position"),
            words("When"),
            words("Who"),
            words("What"),
            words("Made"),
        ];
        let empty = Empty::new("No event matches.", "rialto log show");
        html! {
            @if let Some(digest) = &self.digest {
                section.block { (facts(&[
                    ("State digest", html! { code { (digest.digest) } }),
                    ("At position", position(digest.position)),
                    ("Over", html! { (digest.entities) " entities" }),
                    ("Check it", html! { code { "rialto log verify" } }),
                ])) }
            }
            section.block {
                (table_or("Events", &columns, &rows, &empty))
                @if let Some(latest) = &self.latest { p.pager { a href=(latest) { "The latest" } } }
                (next_page(self.next.as_deref()))
            }
        }
    }
}

fn cells(line: &EventLine) -> Vec<Markup> {
    vec![
        position(line.position),
        html! { (line.at) },
        html! { (line.who) },
        html! { (line.kinds.join(", ")) @for said in &line.said { br; span.quiet { (said) } } },
        line.made.clone(),
    ]
}

/// One event.
#[derive(Clone, Debug)]
pub struct One {
    /// Its line.
    pub line: EventLine,
    /// How the asker was authenticated, and what caused it.
    pub facts: Vec<(&'static str, Markup)>,
    /// All of it, as JSON text with the texts filled in.
    pub json: String,
    /// Whether the events beside it are the viewer's to open.
    pub neighbours: bool,
    /// Whether there is one after it.
    pub more: bool,
}

impl One {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let at = self.line.position;
        let aside = html! {
            @if self.neighbours && at > 1 { a rel="prev" href={ "/log/" (at - 1) } { "Before" } }
            @if self.neighbours && self.more { a rel="next" href={ "/log/" (at + 1) } { "After" } }
        };
        let mut known = vec![
            ("When", html! { (self.line.at) }),
            ("Who", html! { (self.line.who) }),
            ("What", html! { (self.line.kinds.join(", ")) }),
            (
                "Said",
                html! { @for said in &self.line.said { div { (said) } } },
            ),
            ("Made", self.line.made.clone()),
        ];
        known.extend(self.facts.iter().cloned());
        let (shown, left) = bounded(&self.json, SHOWN);
        html! {
            (heading(&html! { "Event " (crate::kit::grouped(at)) }, &aside))
            section.block { (facts(&known)) }
            (section("As it is in the log", &html! { "texts beside it filled in" }, &html! {
                div.written { pre.data tabindex="0" role="region" aria-label="The event as JSON" { (shown)
                    @if left > 0 { span.cut { " … " (left) " characters more" } } } }
            }))
        }
    }
}

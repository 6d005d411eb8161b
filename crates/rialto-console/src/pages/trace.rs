//! One thing followed through every cause and effect.

use maud::{Markup, html};
use rialto_core::id::AnyId;

use crate::kit::{Thing, When, Who, basis, next_page, position, some};
use crate::shell::{heading, kept_live};

/// One event about one thing.
#[derive(Clone, Debug)]
pub struct Hop {
    /// The thing.
    pub id: AnyId,
    /// True when the viewer may not see it.
    pub private: bool,
    /// When.
    pub at: Option<When>,
    /// The position of the event.
    pub position: Option<u64>,
    /// Who did it.
    pub who: Option<Who>,
    /// What happened.
    pub what: String,
    /// How much money, with its asset.
    pub amount: Option<String>,
    /// `measured`, `modelled` or `stand-in`.
    pub basis: Option<&'static str>,
    /// What caused the thing.
    pub links: Vec<AnyId>,
    /// The kind of the hops that the line stands for, if it stands for many.
    pub folded: Option<String>,
}

/// The page.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Its address.
    pub address: String,
    /// What was asked for.
    pub id: AnyId,
    /// The hops, in the order of the log.
    pub hops: Vec<Hop>,
    /// Causes that are not there, with what names them; not known if the thread was cut.
    pub gaps: Option<Vec<(AnyId, AnyId)>>,
    /// Where the next page is, if there is more.
    pub next: Option<String>,
}

impl Trace {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        html! {
            (heading(&html! { "Trace" }, &html! { (Thing(self.id)) code { "rialto trace " (self.id) } }))
            (kept_live("trace", &self.address, &self.body()))
        }
    }

    fn body(&self) -> Markup {
        html! {
            p.quiet {
                (some(self.hops.len(), "hop")) ", "
                @match self.gaps.as_deref() {
                    Some([]) => { "no gaps" }
                    Some(gaps) => { (some(gaps.len(), "gap")) }
                    None => { "the thread is longer than a trace follows, so nobody knows whether it has gaps" }
                }
                @for word in ["measured", "modelled", "stand-in"] {
                    @let count = self.hops.iter().filter(|h| h.basis == Some(word)).count();
                    @if count > 0 { ", " (count) " " (word) }
                }
                "."
            }
            section.block {
                ol.timeline { @for hop in &self.hops { (row(hop, self.id)) } }
                (next_page(self.next.as_deref()))
            }
            @if let Some(gaps) = self.gaps.as_ref().filter(|gaps| !gaps.is_empty()) {
                section.block {
                    header { h2 { "Gaps" } }
                    ul { @for (id, by) in gaps { li { (Thing(*id)) " is named by " (Thing(*by)) ", but no event made it." } } }
                }
            }
        }
    }
}

fn row(hop: &Hop, asked: AnyId) -> Markup {
    let tone = match (hop.private, hop.basis, hop.id == asked) {
        (true, ..) => "plain",
        (_, Some("measured"), true) => "busy",
        (_, Some("measured"), _) => "good",
        _ => "busy",
    };
    html! {
        li {
            @if let Some(at) = hop.at { (at) } @else { span {} }
            span class={ "knot " (tone) } aria-hidden="true" {}
            div.step {
                @if hop.private {
                    span.quiet { "a private " (hop.id.prefix()) ", not yours to see" }
                } @else {
                    @if let Some(who) = &hop.who { (who) }
                    span { (hop.what) }
                    @if let Some(amount) = &hop.amount { span.money { (amount) } }
                    @if let Some(kind) = &hop.folded { a href={ "/trace/" (asked) "?kind=" (kind) } { "each of them" } }
                }
                span.tail {
                    (Thing(hop.id))
                    @if let Some(word) = hop.basis { (basis(word)) }
                    @if let Some(at) = hop.position { (position(at)) }
                }
            }
        }
    }
}

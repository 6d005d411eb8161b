//! An agent's reputation with its reasons: the score, its parts, and the deals behind it.

use maud::{Markup, html};
use rialto_core::id::AnyId;

use crate::kit::{
    Empty, Thing, When, Who, grouped, numbers, section, some, state, table_or, words,
};

/// A deal behind the score.
#[derive(Clone, Debug)]
pub struct Weighed {
    /// The deal.
    pub deal: AnyId,
    /// On which side the agent was.
    pub side: String,
    /// The other party.
    pub with: Who,
    /// What it says of the agent: `full`, `half`, `not` or `silent`.
    pub kept: String,
    /// When it ended.
    pub ended: When,
    /// Its part in the evidence.
    pub weight: u64,
}

/// A reputation.
#[derive(Clone, Debug, Default)]
pub struct Reputation {
    /// From 0 to 1000, like its parts.
    pub score: u32,
    /// How much there is to go by.
    pub confidence: u32,
    /// How much of it was kept.
    pub completion: u32,
    /// How many different owners it dealt with.
    pub breadth: u32,
    /// The share of deals with a lost dispute.
    pub disputes: u32,
    /// The sum of weights.
    pub evidence: u64,
    /// With how many other owners.
    pub owners: u32,
    /// How many deals counted.
    pub deals: u32,
    /// Those of them that the viewer may see.
    pub behind: Vec<Weighed>,
    /// How many further ones it may see.
    pub unlisted: u64,
    /// How many are private to their parties.
    pub private: u64,
}

impl Reputation {
    /// The section of an agent's page.
    #[must_use]
    pub fn section(&self) -> Markup {
        let parts = [
            ("confidence", self.confidence, "how much evidence there is"),
            ("completion", self.completion, "the share of deals kept"),
            (
                "breadth",
                self.breadth,
                "how many different owners it dealt with",
            ),
            (
                "disputes",
                self.disputes,
                "the share of deals with a lost dispute",
            ),
        ];
        let body = html! {
            div.score-parts {
                p.figure { (self.score) span.unit { " of 1000" } }
                p.quiet { "confidence × completion × breadth × (1 − disputes ÷ 2), from "
                    (some(usize::try_from(self.deals).unwrap_or(usize::MAX), "deal")) " with "
                    (some(usize::try_from(self.owners).unwrap_or(usize::MAX), "other owner"))
                    "; evidence " (grouped(self.evidence)) }
            }
            dl.facts { @for (name, value, what) in parts {
                div { dt { (name) ": " (what) } dd { (value) " of 1000 "
                    meter min="0" max="1000" value=(value) aria-label=(name) {} } }
            } }
            (self.behind())
        };
        section(
            "Reputation",
            &html! { "from ended deals alone, as far as money paid them that had not vouched before" },
            &body,
        )
    }

    fn behind(&self) -> Markup {
        if self.behind.is_empty() {
            return html! {
                @if self.private > 0 { p.quiet { (some(usize::try_from(self.private).unwrap_or(usize::MAX), "deal")) " behind it: private to their parties." } }
                @else { p.quiet { "None of its deals has ended yet; each that ends counts by its age and by the money from outside that paid it." } }
            };
        }
        let rows: Vec<Vec<Markup>> = self
            .behind
            .iter()
            .map(|deal| {
                let said = match deal.kept.as_str() {
                    "full" => state("kept"),
                    "half" => state("split"),
                    "not" => state("not kept"),
                    _ => html! { span.quiet { "says nothing" } },
                };
                vec![
                    html! { (Thing(deal.deal)) },
                    html! { (deal.side) },
                    html! { (deal.with) },
                    said,
                    html! { (deal.ended) },
                    html! { (grouped(deal.weight)) },
                ]
            })
            .collect();
        let columns = [
            words("Deal"),
            words("Side"),
            words("With"),
            words("Its part was"),
            words("Ended"),
            numbers("Weight"),
        ];
        html! {
            (table_or("The deals behind it", &columns, &rows, &Empty::default()))
            @if self.unlisted > 0 { p.quiet { "and " (grouped(self.unlisted)) " older ones" } }
            @if self.private > 0 { p.quiet { (grouped(self.private)) " further deals are private to their parties and count in the same way." } }
        }
    }
}

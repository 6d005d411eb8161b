//! What waits for a person: approve or deny, bound to its exact arguments.

use maud::{Markup, html};
use rialto_core::id::AnyId;

use crate::form::{FormToken, Sent, hidden, refusal};
use crate::kit::{Empty, Money, Thing, When, Who, facts, next_page, state};
use crate::shell::{heading, kept_live};

/// Something that waits, or waited.
#[derive(Clone, Debug)]
pub struct Approval {
    /// Its id.
    pub id: AnyId,
    /// The agent that asks.
    pub agent: Who,
    /// What exactly would be done, in a sentence.
    pub what: Markup,
    /// Everything that a yes binds to, by name.
    pub facts: Vec<(&'static str, Markup)>,
    /// How much it would spend.
    pub money: Money,
    /// When it was asked.
    pub created: When,
    /// Until when it waits.
    pub expires: When,
    /// How it ended.
    pub end: Option<String>,
    /// Who decided.
    pub by: Option<AnyId>,
    /// Whether the viewer may decide.
    pub may: bool,
    /// What its form carries.
    pub form_token: FormToken,
}

/// The page.
#[derive(Clone, Debug)]
pub struct Approvals {
    /// Its address.
    pub address: String,
    /// The approvals, newest first.
    pub rows: Vec<Approval>,
    /// Whether those that have ended are there too.
    pub all: bool,
    /// True when the page is about one only.
    pub single: bool,
    /// Where the next page is.
    pub next: Option<String>,
    /// The result of a form that was just sent.
    pub sent: Option<Sent>,
}

impl Approvals {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let why = if self.all {
            "No agent has asked yet. Agents ask when a payment is above what their allowance lets them spend without approval."
        } else {
            "Nothing waits for you. Agents ask when a payment is above what their allowance lets them spend without approval."
        };
        let empty = Empty::new(why, "rialto allowance set @agent --approval-above 30");
        let list = html! {
            @if self.rows.is_empty() { section.block { (empty) } }
            div.cards { @for row in &self.rows { (self.card(row)) } }
            (next_page(self.next.as_deref()))
        };
        html! {
            (heading(&html! { "Approvals" }, &html! { "a yes agrees to exactly what is shown" }))
            @if !self.single {
                nav.tabs aria-label="Which" {
                    a href="/approvals" aria-current=[(!self.all).then_some("page")] { "Waiting" }
                    a href="/approvals?all=true" aria-current=[self.all.then_some("page")] { "All" }
                }
            }
            (kept_live("rows", &self.address, &list))
        }
    }

    fn card(&self, row: &Approval) -> Markup {
        let form = row.id.to_string();
        html! {
            article.card.block id={ "card-" (form) } {
                p.ask { (row.agent) span { " asks to spend" } (row.money) @if let Some(end) = &row.end { (state(end)) } @else { (state("waits")) } }
                p { (row.what) }
                (facts(&row.facts))
                p.quiet { (Thing(row.id)) " · asked " (row.created)
                    @if row.end.is_none() { " · waits until " (row.expires) }
                    @if let Some(by) = row.by { " · by " (Thing(by)) } " · " a href={ "/trace/" (row.id) } { "trace" } }
                (refusal(self.sent.as_ref(), &form))
                @if row.may && row.end.is_none() {
                    form.buttons method="post" action={ "/approvals/" (row.id) } {
                        (hidden(&row.form_token))
                        button type="submit" name="approve" value="true" { "Approve" }
                        button.second type="submit" name="approve" value="false" { "Deny" }
                    }
                } @else if row.end.is_none() {
                    p.quiet { "An admin or approver of the owner decides." }
                }
            }
        }
    }
}

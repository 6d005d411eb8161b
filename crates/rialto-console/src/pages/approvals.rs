//! What waits for a person: approve or deny, bound to its exact arguments.

use maud::{Markup, html};
use rialto_core::id::AnyId;

use crate::form::{FormToken, Sent, hidden, refusal};
use crate::kit::{Empty, Money, Thing, When, Who, facts, next_page, state};
use crate::shell::{heading, kept_live};
use crate::written::Written;

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
    /// When it ended.
    pub ended: Option<When>,
    /// Who decided.
    pub by: Option<String>,
    /// Why, as who decided says it.
    pub reason: Option<Written>,
    /// What a yes made.
    pub made: Vec<AnyId>,
    /// What would refuse a yes as things stand.
    pub obstacle: Option<String>,
    /// True if that stays so: nothing is left to approve.
    pub over: bool,
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
                p.ask { (row.agent) span { (asks(row)) } (row.money) @if let Some(end) = &row.end { (state(end)) } @else { (state("waits")) } }
                p { (row.what) }
                (facts(&row.facts))
                (course(row))
                (refusal(self.sent.as_ref(), &form))
                @if let Some(obstacle) = &row.obstacle {
                    p.warned { strong { "A yes would be refused now: " } (obstacle) "." }
                }
                @if row.may && row.end.is_none() { (answers(row)) }
                @else if row.end.is_none() {
                    p.quiet { "An admin or approver of the owner decides." }
                }
            }
        }
    }
}

fn asks(row: &Approval) -> &'static str {
    if row.end.is_some() {
        " asked to spend"
    } else {
        " asks to spend"
    }
}

/// When it was asked, and how it ended: when, by whom, why, and what came of it.
fn course(row: &Approval) -> Markup {
    html! {
        p.quiet { (Thing(row.id)) " · asked " (row.created)
            @if row.end.is_none() { " · waits until " (row.expires) }
            " · " a href={ "/trace/" (row.id) } { "trace" } }
        @if let (Some(end), Some(ended)) = (&row.end, row.ended) {
            p { (ending(end)) " " (ended)
                @if let Some(by) = &row.by { " by " strong { (by) } }
                @if !row.made.is_empty() { ", which made" @for id in &row.made { " " (Thing(*id)) } } }
        }
        @if let Some(reason) = &row.reason { (reason) }
    }
}

fn ending(end: &str) -> &'static str {
    match end {
        "approved" => "Approved",
        "denied" => "Denied",
        "expired" => "Nobody answered: it expired",
        _ => "What it was about ended",
    }
}

/// The form. Where a yes has nothing left to approve, only a no remains.
fn answers(row: &Approval) -> Markup {
    let reason = format!("reason-{}", row.id);
    html! {
        form.stack method="post" action={ "/approvals/" (row.id) } {
            (hidden(&row.form_token))
            div.field {
                label for=(reason) { "Why, for the agent (may stay empty)" }
                input id=(reason) name="reason" type="text" autocomplete="off" maxlength="2000";
            }
            div.buttons {
                button type="submit" name="approve" value="true" disabled[row.over] { "Approve" }
                button.second type="submit" name="approve" value="false" { "Deny" }
            }
        }
    }
}

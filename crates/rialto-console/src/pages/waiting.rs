//! What waits for the viewer, each with its answer or the way to it.

use maud::{Markup, html};
use rialto_core::id::AnyId;

use super::square::{community, told};
use crate::form::{FormToken, Sent, hidden};
use crate::kit::{Empty, Thing, When, Who, grouped, section};
use crate::shell::{heading, kept_live};
use crate::written::Written;

/// A stranger's first message to an own agent.
#[derive(Clone, Debug)]
pub struct Request {
    /// To whom.
    pub to: Who,
    /// From whom.
    pub from: Who,
    /// Its state.
    pub conversation: AnyId,
    /// What it says.
    pub body: Option<Written>,
    /// When.
    pub at: When,
}

/// Something to answer on another page.
#[derive(Clone, Debug)]
pub struct Errand {
    /// What it is: `3 approvals`.
    pub what: String,
    /// Where it is answered.
    pub at: String,
    /// What happens there.
    pub how: String,
}

/// A request to join a community that an own agent moderates.
#[derive(Clone, Debug)]
pub struct Join {
    /// The community.
    pub community: String,
    /// Who asks.
    pub agent: Who,
    /// Since when.
    pub since: When,
}

/// What waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The page's address.
    pub address: String,
    /// What is answered elsewhere.
    pub errands: Vec<Errand>,
    /// First messages, newest first.
    pub requests: Vec<Request>,
    /// How many further ones there are.
    pub further: u64,
    /// Requests to join.
    pub joins: Vec<Join>,
    /// What the forms carry.
    pub form_token: Option<FormToken>,
    /// The result of a form that was just sent.
    pub sent: Option<Sent>,
}

impl Waiting {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        html! {
            (heading(&html! { "What waits for you" }, &html! {}))
            (told(self.sent.as_ref()))
            (kept_live("waits", &self.address, &self.inner()))
        }
    }

    fn inner(&self) -> Markup {
        let nothing = self.errands.is_empty() && self.requests.is_empty() && self.joins.is_empty();
        let empty = Empty {
            why: "Nothing waits for you. This page shows approvals that agents ask for, first messages of strangers, invitations into teams, requests to join communities, questions of your workers, reports, appeals and leaked tokens; the count at the top follows it.".to_owned(),
            command: None,
        };
        html! {
            @if nothing { section.block { (empty) } }
            @if !self.errands.is_empty() {
                section.block { ul.errands { @for errand in &self.errands {
                    li { a href=(errand.at) { (errand.what) } span.quiet { (errand.how) } }
                } } }
            }
            @if !self.requests.is_empty() { (self.requests()) }
            @if !self.joins.is_empty() { (self.joins()) }
        }
    }

    fn requests(&self) -> Markup {
        section(
            "First messages",
            &html! { "a stranger can write again only after it is admitted" },
            &html! {
                div.cards { @for request in &self.requests { (self.request(request)) } }
                @if self.further > 0 { p.quiet { "and " (grouped(self.further)) " more; answer these first" } }
            },
        )
    }

    fn request(&self, request: &Request) -> Markup {
        html! {
            article.card {
                p.ask { (request.from) span { " to " (request.to) } (request.at) (Thing(request.conversation)) }
                @if let Some(body) = &request.body { (body) }
                @if let Some(form_token) = &self.form_token {
                    form.buttons method="post" action="/waiting" {
                        (hidden(form_token))
                        input type="hidden" name="as" value=(request.to.handle);
                        input type="hidden" name="agent" value=(request.from.handle);
                        button type="submit" name="do" value="admit" { "Admit" span.unseen { " " (request.from.handle) } }
                        button.second type="submit" name="do" value="refuse" { "Refuse" span.unseen { " " (request.from.handle) } }
                    }
                }
            }
        }
    }

    fn joins(&self) -> Markup {
        section(
            "Requests to join",
            &html! { "answered on the members' page" },
            &html! {
                ul.errands { @for join in &self.joins {
                    @let path = format!("/square/communities/{}/members", crate::kit::path_part(join.community.trim_start_matches('#')));
                    li { (join.agent) span { " asks to join " (community(&join.community)) } (join.since) a href=(path) { "members" } }
                } }
            },
        )
    }
}

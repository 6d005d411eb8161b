//! Conversations and their messages, with a form to answer as an own agent.

use maud::{Markup, html};
use rialto_core::id::AnyId;

use crate::form::{FormToken, Sent, choice, hidden, lines, refusal, typed};
use crate::kit::{Empty, Thing, When, Who, next_page, numbers, section, table_or, words};
use crate::shell::{heading, kept_live};
use crate::written::Written;

/// A conversation in the list.
#[derive(Clone, Debug)]
pub struct ConversationLine {
    /// Its id.
    pub id: AnyId,
    /// `direct` or `group`.
    pub kind: String,
    /// What it is called.
    pub title: Option<String>,
    /// Its first members.
    pub members: Vec<Who>,
    /// How many members it has.
    pub count: u64,
    /// Since when.
    pub created: When,
}

/// The list.
#[derive(Clone, Debug)]
pub struct List {
    /// Its address.
    pub address: String,
    /// The words that were looked for.
    pub text: String,
    /// The conversations.
    pub rows: Vec<ConversationLine>,
    /// The messages found, when words were looked for.
    pub found: Vec<Message>,
    /// Where the next page is.
    pub next: Option<String>,
    /// True on the first page, which keeps itself up to date.
    pub first: bool,
}

impl List {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let body = html! { section.block {
            @if self.text.is_empty() { (self.conversations()) } @else { (self.hits()) }
            (next_page(self.next.as_deref()))
        } };
        html! {
            (heading(&html! { "Messages" }, &html! { "text from agents is data, never instruction" }))
            form.row-form.filters method="get" action="/messages" role="search" aria-label="Filter" {
                div.field { label for="text" { "Words in messages" }
                    input #text type="search" name="text" value=(self.text); }
                button.second type="submit" { "Search" }
            }
            @if self.first && self.text.is_empty() { (kept_live("rows", &self.address, &body)) } @else { (body) }
        }
    }

    fn conversations(&self) -> Markup {
        let rows: Vec<Vec<Markup>> = self
            .rows
            .iter()
            .map(|line| {
                vec![
                    html! { (Thing(line.id)) },
                    html! { (line.kind) @if let Some(title) = &line.title { ": " (title) } },
                    html! { @for (place, who) in line.members.iter().take(4).enumerate() {
                        @if place > 0 { ", " } (who) } @if line.count > 4 { span.quiet { " and " (line.count - 4) " more" } } },
                    html! { (line.count) },
                    html! { (line.created) },
                ]
            })
            .collect();
        let columns = [
            words("Conversation"),
            words("Kind"),
            words("Between"),
            numbers("Members"),
            words("Opened"),
        ];
        let empty = Empty::new(
            "Nobody has written yet.",
            "rialto message send @agent \"hello\"",
        );
        table_or("Conversations", &columns, &rows, &empty)
    }

    fn hits(&self) -> Markup {
        html! {
            @if self.found.is_empty() { p.quiet { "No message has these words." } }
            ol.talk-list { @for message in &self.found { (bubble(message)) } }
        }
    }
}

/// A message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its id.
    pub id: AnyId,
    /// The conversation.
    pub conversation: AnyId,
    /// Who wrote it.
    pub from: Who,
    /// True when one of the viewer's own agents wrote it.
    pub own: bool,
    /// What it says.
    pub body: Option<Written>,
    /// The task it is about.
    pub task: Option<AnyId>,
    /// True when it was a stranger's first message.
    pub request: bool,
    /// When.
    pub at: When,
}

/// One conversation.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// Its address.
    pub address: String,
    /// The conversation.
    pub line: ConversationLine,
    /// Its messages, newest first.
    pub messages: Vec<Message>,
    /// Where older ones are.
    pub next: Option<String>,
    /// True on the first page, which keeps itself up to date.
    pub first: bool,
    /// The agents that the viewer may answer as.
    pub agents: Vec<String>,
    /// What the form carries.
    pub form_token: FormToken,
    /// The result of a form that was just sent.
    pub sent: Option<Sent>,
}

impl Conversation {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let title =
            html! { @if let Some(title) = &self.line.title { (title) } @else { "Conversation" } };
        let list = html! {
            section.block {
                ol.talk-list { @for message in &self.messages { (bubble(message)) } }
                @if self.messages.is_empty() { p.quiet { "There is no message yet." } }
                (next_page(self.next.as_deref()))
            }
        };
        html! {
            (heading(&title, &html! { (Thing(self.line.id))
                @for who in self.line.members.iter().take(8) { (who) } }))
            @if self.first { (self.answer()) }
            @if self.first { (kept_live("messages", &self.address, &list)) } @else { (list) }
        }
    }

    fn answer(&self) -> Markup {
        let form = html! {
            (refusal(self.sent.as_ref(), "answer"))
            form.stack method="post" action={ "/messages/" (self.line.id) } {
                (hidden(&self.form_token))
                @if let [only] = self.agents.as_slice() {
                    input type="hidden" name="as" value=(only);
                } @else {
                    @let agents: Vec<(&str, &str)> = self.agents.iter().map(|v| (v.as_str(), v.as_str())).collect();
                    (choice("as", "As", &agents, typed(self.sent.as_ref(), "answer", "as")))
                }
                (lines("body", "Message", typed(self.sent.as_ref(), "answer", "body")))
                button type="submit" { "Send" }
            }
        };
        html! {
            @if let Some(first) = self.agents.first() {
                @let title = if self.agents.len() == 1 { format!("Answer as {first}") } else { "Answer".to_owned() };
                (section(&title, &html! {}, &form))
            }
        }
    }
}

fn bubble(message: &Message) -> Markup {
    html! {
        li.bubble .other[message.own] id=(message.id) {
            header { (message.from) (message.at)
                @if message.request { span.state.busy { "first message" } } }
            @if let Some(body) = &message.body { (body) }
            p.quiet {
                a href={ "/trace/" (message.id) } { "trace" }
                " · " (Thing(message.conversation))
                @if let Some(task) = message.task { " · " (Thing(task)) }
            }
        }
    }
}

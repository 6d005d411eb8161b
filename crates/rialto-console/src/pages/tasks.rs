//! Tasks: who asked whom for what, how it went, and what was made; with a form to answer what the
//! worker asks.

use maud::{Markup, html};
use rialto_core::id::AnyId;

use super::deals::{Step, timeline};
use super::square::{ActingAs, told};
use crate::form::{Among, Sent, hidden};
use crate::kit::{
    Empty, Thing, When, Who, facts, next_page, position, section, state, table_or, words,
};
use crate::shell::{heading, kept_live};
use crate::written::Written;

/// The state of tasks whose worker waits for an answer.
pub const QUESTIONS: &str = "/tasks?state=input_required,auth_required";
/// The states of a task, for the filter; A2A's names.
pub const STATES: [&str; 8] = [
    "submitted",
    "working",
    "input_required",
    "auth_required",
    "completed",
    "failed",
    "canceled",
    "rejected",
];

/// A task in a list.
#[derive(Clone, Debug)]
pub struct TaskLine {
    /// Its id.
    pub id: AnyId,
    /// Who wants it done.
    pub requester: Who,
    /// Who does it.
    pub worker: Who,
    /// What is wanted, in one line.
    pub text: String,
    /// The deal that it delivers.
    pub deal: Option<AnyId>,
    /// Its state.
    pub state: String,
    /// Since when.
    pub since: When,
}

/// The list.
#[derive(Clone, Debug)]
pub struct List {
    /// Its address.
    pub address: String,
    /// The tasks.
    pub rows: Vec<TaskLine>,
    /// The state that was asked for.
    pub state: Option<String>,
    /// Where the next page is.
    pub next: Option<String>,
    /// True on the first page, which keeps itself up to date.
    pub first: bool,
}

impl List {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let rows: Vec<Vec<Markup>> = self.rows.iter().map(cells).collect();
        let columns = [
            words("Task"),
            words("Asked by"),
            words("Done by"),
            words("What"),
            words("Deal"),
            words("State"),
            words("Since"),
        ];
        let empty = Empty::new(
            "No task here.",
            "rialto task create @agent \"what is wanted\"",
        );
        let body = html! { section.block {
            (table_or("Tasks", &columns, &rows, &empty)) (next_page(self.next.as_deref()))
        } };
        html! {
            (heading(&html! { "Tasks" }, &html! {}))
            nav.tabs aria-label="State" {
                a href="/tasks" aria-current=[self.state.is_none().then_some("page")] { "All" }
                a href=(QUESTIONS) aria-current=[(self.state.as_deref() == QUESTIONS.strip_prefix("/tasks?state=")).then_some("page")] {
                    "waiting for an answer"
                }
                @for word in STATES {
                    a href={ "/tasks?state=" (word) } aria-current=[(self.state.as_deref() == Some(word)).then_some("page")] {
                        (word.replace('_', " "))
                    }
                }
            }
            @if self.first { (kept_live("rows", &self.address, &body)) } @else { (body) }
        }
    }
}

fn cells(line: &TaskLine) -> Vec<Markup> {
    vec![
        html! { (Thing(line.id)) },
        html! { (line.requester) },
        html! { (line.worker) },
        html! { (line.text) },
        html! { @if let Some(deal) = line.deal { (Thing(deal)) } },
        state(&line.state),
        html! { (line.since) },
    ]
}

/// Something that was made.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// Its number.
    pub number: u32,
    /// What it is called.
    pub name: String,
    /// What it is.
    pub body: Option<Written>,
    /// When.
    pub at: When,
    /// The position of the event.
    pub position: u64,
}

/// One task.
#[derive(Clone, Debug)]
pub struct One {
    /// Its address.
    pub address: String,
    /// The task.
    pub line: TaskLine,
    /// What is wanted.
    pub body: Option<Written>,
    /// The task it is part of.
    pub parent: Option<AnyId>,
    /// Its parts.
    pub children: Vec<AnyId>,
    /// Its history.
    pub steps: Vec<Step>,
    /// What was made.
    pub artifacts: Vec<Artifact>,
    /// As whom the viewer may answer, when the worker asks something.
    pub answer: Option<ActingAs>,
    /// The result of a form that was just sent.
    pub sent: Option<Sent>,
}

impl One {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let aside = html! { (Thing(self.line.id)) a href={ "/trace/" (self.line.id) } { "Trace" } };
        html! {
            (heading(&html! { "Task" }, &aside))
            (told(self.sent.as_ref()))
            @if let Some(acting_as) = &self.answer { (self.answer(acting_as)) }
            (kept_live("task", &self.address, &self.inner()))
        }
    }

    fn answer(&self, acting_as: &ActingAs) -> Markup {
        let among = Among {
            form: "answer",
            sent: self.sent.as_ref(),
        };
        let asks = html! { (self.line.worker) " needs input to go on" };
        let form = html! {
            form.stack method="post" action={ "/tasks/" (self.line.id) } {
                (hidden(&acting_as.form_token))
                (among.acting_as(&acting_as.agents))
                (among.area("body", "Answer", ""))
                button type="submit" { "Send" }
            }
        };
        section("Answer", &asks, &form)
    }

    fn inner(&self) -> Markup {
        let mut known = vec![
            ("State", state(&self.line.state)),
            ("Asked by", html! { (self.line.requester) }),
            ("Done by", html! { (self.line.worker) }),
        ];
        if let Some(deal) = self.line.deal {
            known.push(("Delivers", html! { (Thing(deal)) }));
        }
        if let Some(parent) = self.parent {
            known.push(("Part of", html! { (Thing(parent)) }));
        }
        if !self.children.is_empty() {
            let parts = html! { @for child in &self.children { (Thing(*child)) " " } };
            known.push(("Parts", parts));
        }
        html! {
            section.block { (facts(&known)) }
            @if let Some(body) = &self.body { (section("What is wanted", &html! {}, &html! { (body) })) }
            (section("History", &html! {}, &timeline(&self.steps)))
            @for artifact in &self.artifacts {
                section.block {
                    header { h2 { "Made: " (artifact.name) }
                        div.aside { "artifact " (artifact.number) (artifact.at) (position(artifact.position)) } }
                    @if let Some(body) = &artifact.body { (body) }
                }
            }
        }
    }
}

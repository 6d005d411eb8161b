//! The pages of plain nouns, from their columns: a list, one thing, and the forms of what is done to it.

use maud::{Markup, html};
use rialto_core::id::AnyId;
use rialto_core::noun::{Act, Column as Said, Field, Kind, Noun};

use crate::form::{Among, FormToken, Sent, hidden, refusal};
use crate::kit::{
    Empty, Money, Thing, When, Who, capital, facts, next_page, numbers, section, state, table_or,
    words,
};
use crate::shell::{heading, kept_live};
use crate::written::Written;

/// What a cell shows.
#[derive(Clone, Debug)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// The id of anything.
    Thing(AnyId),
    /// An agent.
    Who(Who),
    /// An owner, by id and name.
    Owner(AnyId, String),
    /// What somebody wrote.
    Written(Written),
    /// A word or line of the realm's own.
    Line(String),
    /// A state.
    State(String),
    /// A whole number.
    Number(u64),
    /// A moment.
    When(When),
    /// An amount.
    Money(Money),
}

/// One thing.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its id.
    pub id: AnyId,
    /// When it was made.
    pub made: When,
    /// Its state, if its noun has states.
    pub state: Option<String>,
    /// Its cells, in the order of the noun's columns.
    pub cells: Vec<(&'static Said, Cell)>,
}

/// What the viewer may do, and what it just did.
#[derive(Clone, Debug)]
pub struct Doing {
    /// The acts that the viewer is offered.
    pub acts: Vec<&'static Act>,
    /// What the forms carry.
    pub form_token: FormToken,
    /// The result of a form that was just sent.
    pub sent: Option<Sent>,
}

/// The list.
#[derive(Clone, Debug)]
pub struct List {
    /// What is listed.
    pub noun: &'static Noun,
    /// Its address.
    pub address: String,
    /// The things.
    pub rows: Vec<Row>,
    /// The state that was asked for.
    pub state: Option<String>,
    /// Where the next page is.
    pub next: Option<String>,
    /// True on the first page, which keeps itself up to date.
    pub first: bool,
    /// What the viewer may do.
    pub doing: Doing,
}

/// One thing on a page of its own.
#[derive(Clone, Debug)]
pub struct One {
    /// What it is.
    pub noun: &'static Noun,
    /// The address of the page.
    pub address: String,
    /// The thing.
    pub row: Row,
    /// What the viewer may do.
    pub doing: Doing,
}

fn cell(cell: &Cell) -> Markup {
    html! {
        @match cell {
            Cell::Empty => span.quiet { "–" },
            Cell::Thing(id) => (Thing(*id)),
            Cell::Who(who) => (who),
            Cell::Owner(id, name) => a.who href={ "/owners/" (id) } { (name) },
            Cell::Written(text) => (text),
            Cell::Line(line) => (line),
            Cell::State(word) => (state(word)),
            Cell::Number(number) => (number),
            Cell::When(when) => (when),
            Cell::Money(money) => (money),
        }
    }
}

impl List {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let plural = self.noun.plural;
        let rows: Vec<Vec<Markup>> = self.rows.iter().map(|row| self.row(row)).collect();
        let head = |said: &&'static Said| match said.kind {
            Kind::Number | Kind::Amount => numbers(said.label),
            _ => words(said.label),
        };
        let mut columns = vec![words("Id"), words("Made")];
        columns.extend(self.noun.columns.iter().map(head));
        let empty = Empty {
            why: format!("There are no {plural} here."),
            command: None,
        };
        let body = html! { section.block {
            (table_or(&capital(plural), &columns, &rows, &empty)) (next_page(self.next.as_deref()))
        } };
        html! {
            (heading(&html! { (capital(plural)) }, &html! { (self.noun.about) }))
            (self.tabs())
            @if self.first { (kept_live("rows", &self.address, &body)) } @else { (body) }
            @for act in self.doing.acts.iter().filter(|act| act.on.is_none()) {
                (section(&capital(act.verb), &html! { (act.about) }, &self.doing.form(self.noun, act, None)))
            }
        }
    }

    fn tabs(&self) -> Markup {
        let (plural, asked) = (self.noun.plural, self.state.as_deref());
        html! {
            @if let Some((_, states)) = self.noun.states() {
                nav.tabs aria-label="State" {
                    a href={ "/" (plural) } aria-current=[asked.is_none().then_some("page")] { "All" }
                    @for word in states {
                        a href={ "/" (plural) "?state=" (word) } aria-current=[(asked == Some(word)).then_some("page")] {
                            (word.replace('_', " "))
                        }
                    }
                }
            }
        }
    }

    fn row(&self, row: &Row) -> Vec<Markup> {
        let mut shown = vec![html! { (Thing(row.id)) }, html! { (row.made) }];
        shown.extend(row.cells.iter().map(|(_, said)| cell(said)));
        shown
    }
}

impl One {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let row = &self.row;
        let mut said = vec![("Made", html! { (row.made) })];
        said.extend(
            row.cells
                .iter()
                .map(|(said, held)| (said.label, cell(held))),
        );
        said.push((
            "Cause and effect",
            html! { a href={ "/trace/" (row.id) } { "Trace" } },
        ));
        let about = html! { section.block { (facts(&said)) } };
        let possible: Vec<&Act> = self.noun.acts_on(row.state.as_deref()).collect();
        let offered = |act: &&&'static Act| possible.iter().any(|one| std::ptr::eq(*one, **act));
        html! {
            (heading(&html! { (capital(self.noun.name)) " " span.id { (row.id) } }, &html! { (self.noun.about) }))
            (kept_live("about", &self.address, &about))
            @for act in self.doing.acts.iter().filter(offered) {
                (section(&capital(act.verb), &html! { (act.about) }, &self.doing.form(self.noun, act, Some(row.id))))
            }
        }
    }
}

impl Doing {
    /// The form of an act, with a field for each of its arguments.
    fn form(&self, noun: &Noun, act: &Act, on: Option<AnyId>) -> Markup {
        let sent = self.sent.as_ref();
        let among = Among {
            form: act.verb,
            sent,
        };
        html! {
            (refusal(sent, act.verb))
            form.row-form method="post" action={ "/" (noun.plural) "/act/" (act.verb) } {
                (hidden(&self.form_token))
                @if let Some(id) = on { input type="hidden" name="on" value=(id); }
                @for field in act.fields { (input(&among, field)) }
                button type="submit" { (capital(act.verb)) }
            }
        }
    }
}

fn input(among: &Among<'_>, field: &Field) -> Markup {
    match field.kind {
        Kind::Text => among.area(field.name, field.label, ""),
        Kind::State(words) => {
            let options: Vec<(&str, &str)> = words.iter().map(|word| (*word, *word)).collect();
            among.choice(field.name, field.label, &options)
        }
        _ => among.line(field.name, field.label, "", field.required),
    }
}

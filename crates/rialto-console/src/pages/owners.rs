//! An owner: its people, agents, allowances and tokens, and its stop switch.

use maud::{Markup, html};
use rialto_core::id::AnyId;

use super::agents::{AgentLine, Allowance, allowances};
use crate::form::{FormToken, Sent, hidden, refusal};
use crate::kit::{Empty, Thing, When, facts, numbers, section, state, table_or, words};
use crate::shell::heading;

/// A person.
#[derive(Clone, Debug)]
pub struct Person {
    /// Its id.
    pub id: AnyId,
    /// Its name.
    pub name: String,
    /// Its role.
    pub role: String,
    /// `active` or `suspended`.
    pub status: String,
    /// Since when.
    pub created: When,
}

/// An owner.
#[derive(Clone, Debug)]
pub struct Owner {
    /// Its id.
    pub id: AnyId,
    /// Its name.
    pub name: String,
    /// `person` or `organisation`.
    pub kind: String,
    /// `active` or `suspended`.
    pub status: String,
    /// True while all its agents are stopped together.
    pub agents_stopped: bool,
    /// Since when.
    pub created: When,
    /// How many agents it has.
    pub agent_count: u64,
    /// Its people.
    pub people: Vec<Person>,
    /// Its first agents.
    pub agents: Vec<AgentLine>,
    /// Its allowances.
    pub allowances: Vec<Allowance>,
    /// What the form of its agents' stop switch carries, for those who may pull it.
    pub stop: Option<FormToken>,
    /// What the form that suspends the whole owner carries, for the operator.
    pub suspend: Option<FormToken>,
    /// The result of a form that was just sent.
    pub sent: Option<Sent>,
}

impl Owner {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let people: Vec<Vec<Markup>> = self
            .people
            .iter()
            .map(|person| {
                vec![
                    html! { (person.name) },
                    html! { (Thing(person.id)) },
                    html! { (person.role) },
                    state(&person.status),
                    html! { (person.created) },
                ]
            })
            .collect();
        let columns = [
            words("Name"),
            words("Id"),
            words("Role"),
            words("Status"),
            words("Since"),
        ];
        let nobody = Empty::new("Nobody yet.", "rialto owner person-add --help");
        html! {
            (heading(&html! { (self.name) }, &html! { (state(&self.status)) @if self.agents_stopped { (state("agents stopped")) } span.id { (self.id) } }))
            section.block { (facts(&[
                ("Kind", html! { (self.kind) }),
                ("Agents", html! { (self.agent_count) }),
                ("Signed up", html! { (self.created) }),
                ("Its accounts", html! { a href="/accounts?by=owner" { "the report" } }),
                ("Export everything", html! { code { "rialto owner export " (self.id) } }),
            ])) }
            (section("People", &html! {}, &table_or("People", &columns, &people, &nobody)))
            (section("Agents", &html! { a href="/agents" { "All agents" } }, &self.agents()))
            (section("Allowances", &html! {}, &allowances(&self.allowances)))
            @if let Some(form_token) = &self.stop { (self.switch(form_token)) }
            @if let Some(form_token) = &self.suspend { (self.suspension(form_token)) }
        }
    }

    fn agents(&self) -> Markup {
        let rows: Vec<Vec<Markup>> = self
            .agents
            .iter()
            .map(|line| {
                vec![
                    html! { (line.who) },
                    html! { (line.text) },
                    html! { (line.record.sold) },
                    html! { (line.record.bought) },
                    state(&line.status),
                ]
            })
            .collect();
        let columns = [
            words("Agent"),
            words("Says"),
            numbers("Sold"),
            numbers("Bought"),
            words("Status"),
        ];
        let empty = Empty::new("No active agent.", "rialto agent register NAME");
        table_or("Agents", &columns, &rows, &empty)
    }

    fn switch(&self, form_token: &FormToken) -> Markup {
        let form = html! {
            (refusal(self.sent.as_ref(), "stop"))
            form.stack method="post" action={ "/owners/" (self.id) "/stop" } {
                (hidden(form_token))
                @if self.agents_stopped {
                    p.quiet { "All its agents are stopped, and those it registers from now on. Its people go on. "
                        "Agents that were suspended individually stay so." }
                    button type="submit" name="to" value="start" { "Restart its agents" }
                } @else {
                    p.quiet { "Stopped agents cannot act, read or spend, but keep all that they have; its people go on, and can restart them." }
                    button.stop type="submit" name="to" value="stop" { "Stop all its agents" }
                }
            }
        };
        section("Stop switch of its agents", &html! {}, &form)
    }

    /// Stands apart from the switch of its agents, and asks again: it stops the people too, who then cannot
    /// undo it.
    fn suspension(&self, form_token: &FormToken) -> Markup {
        let suspended = self.status == "suspended";
        let asked = self.sent.as_ref().is_some_and(|sent| sent.form == "switch");
        let form = html! {
            (refusal(self.sent.as_ref(), "switch"))
            form.stack method="post" action={ "/owners/" (self.id) "/switch" } {
                (hidden(form_token))
                p.quiet { "People and agents of a suspended owner cannot act, read or spend, but keep all that they have. "
                    "Only the operator suspends and resumes owners." }
                @if suspended {
                    button type="submit" name="to" value="resume" { "Resume " (self.name) }
                } @else {
                    label.sure { input type="checkbox" name="sure" value="yes" required; " Its people lose all access too." }
                    button.stop type="submit" name="to" value="suspend" { "Suspend " (self.name) ", its people and all its agents" }
                }
            }
        };
        html! {
            section.block.apart {
                header { h2 { "Suspension of the whole owner" } }
                @if suspended { (form) } @else {
                    details open[asked] { summary { "Suspend its people and agents …" } (form) }
                }
            }
        }
    }
}

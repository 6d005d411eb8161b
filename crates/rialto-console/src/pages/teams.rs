//! Teams: members, the shared budget, and the split of what they earn.

use maud::{Markup, html};
use rialto_core::id::AnyId;

use super::ledger::{Account, accounts};
use super::square::{ActingAs, told};
use crate::form::{Among, Sent, hidden};
use crate::kit::{
    Empty, Thing, When, Who, facts, next_page, numbers, section, some, state, table_or, words,
};
use crate::shell::{heading, kept_live};

/// A member.
#[derive(Clone, Debug)]
pub struct Member {
    /// The agent.
    pub agent: Who,
    /// Its id.
    pub id: AnyId,
    /// `lead`, `spender` or `member`.
    pub role: String,
    /// Whether it has joined; until then it is only invited.
    pub joined: bool,
    /// Its share in the split on the table, in millionths.
    pub share_ppm: Option<u32>,
    /// Whether it has agreed to that split.
    pub agreed: bool,
}

/// A team.
#[derive(Clone, Debug)]
pub struct Team {
    /// Its id.
    pub id: AnyId,
    /// Its name.
    pub name: String,
    /// The owner whose unit it is.
    pub owner: AnyId,
    /// Its members.
    pub members: Vec<Member>,
    /// Since when.
    pub created: When,
}

impl Team {
    fn split(&self) -> &'static str {
        let shares = self.members.iter().any(|m| m.share_ppm.is_some());
        let agreed = self.members.iter().all(|m| m.agreed || !m.joined);
        match (shares, agreed) {
            (false, _) => "none",
            (true, true) => "agreed",
            (true, false) => "open",
        }
    }
}

/// A share in per cent.
fn percent(ppm: u32) -> String {
    let (whole, rest) = (ppm / 10_000, ppm % 10_000);
    let text = format!("{whole}.{rest:04}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    format!("{short} %")
}

/// The list.
#[derive(Clone, Debug)]
pub struct List {
    /// The page's address.
    pub address: String,
    /// The teams.
    pub rows: Vec<Team>,
    /// Where the next page is.
    pub next: Option<String>,
    /// True on the first page, which keeps itself up to date.
    pub first: bool,
    /// What the form to found one carries, for those who may.
    pub acting_as: Option<ActingAs>,
    /// The result of a form that was just sent.
    pub sent: Option<Sent>,
}

impl List {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let body = html! { section.block { (self.table()) (next_page(self.next.as_deref())) } };
        html! {
            (heading(&html! { "Teams" }, &html! { "members from anywhere, one budget, a split agreed before the work" }))
            (told(self.sent.as_ref()))
            @if self.first { (kept_live("rows", &self.address, &body)) } @else { (body) }
            @if let Some(acting_as) = &self.acting_as { (self.create(acting_as)) }
        }
    }

    fn table(&self) -> Markup {
        let rows: Vec<Vec<Markup>> = self
            .rows
            .iter()
            .map(|team| {
                vec![
                    html! { a href={ "/teams/" (team.id) } { (team.name) } },
                    html! { @for (place, member) in team.members.iter().take(5).enumerate() {
                    @if place > 0 { ", " } (member.agent) } },
                    html! { (team.members.iter().filter(|m| m.joined).count()) },
                    state(team.split()),
                    html! { (team.created) },
                ]
            })
            .collect();
        let columns = [
            words("Team"),
            words("Members"),
            numbers("Joined"),
            words("Split"),
            words("Since"),
        ];
        let empty = Empty::new(
            "No team yet. A team has members from anywhere, one budget, and a split of what it earns.",
            "rialto team create kitchen",
        );
        table_or("Teams", &columns, &rows, &empty)
    }

    fn create(&self, acting_as: &ActingAs) -> Markup {
        let among = Among {
            form: "team",
            sent: self.sent.as_ref(),
        };
        section(
            "Create a team",
            &html! { "an agent that creates it leads it" },
            &html! {
                form.row-form method="post" action="/teams" {
                    (hidden(&acting_as.form_token))
                    (among.acting_as(&acting_as.agents))
                    (among.line("name", "Name", "", true))
                    button type="submit" { "Create" }
                }
            },
        )
    }
}

/// One team.
#[derive(Clone, Debug)]
pub struct One {
    /// The page's address.
    pub address: String,
    /// The team.
    pub team: Team,
    /// Its accounts: the budget.
    pub accounts: Vec<Account>,
    /// The agents of the viewer's that lead it, with the hidden fields of a form.
    pub lead: Option<ActingAs>,
    /// The hidden fields to remove a member, and the leads to do it as; none for those who may themselves.
    pub remove: Option<ActingAs>,
    /// Those whose answer waits: to join, or to agree.
    pub asked: Vec<(Who, bool)>,
    /// The hidden fields for their answers, and those who may leave.
    pub acting_as: Option<ActingAs>,
    /// The result of a form that was just sent.
    pub sent: Option<Sent>,
}

impl One {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let team = &self.team;
        html! {
            (heading(&html! { (team.name) }, &html! { (Thing(team.id)) "of " (Thing(team.owner)) span { "since " (team.created) } }))
            (told(self.sent.as_ref()))
            (self.answers())
            (kept_live("team", &self.address, &self.inner()))
            @if let Some(lead) = &self.lead { (self.invite(lead)) (self.propose(lead)) }
            @if let Some(by) = &self.remove { (self.remove(by)) }
        }
    }

    fn action(&self) -> String {
        format!("/teams/{}", self.team.id)
    }

    fn answers(&self) -> Markup {
        let Some(acting_as) = &self.acting_as else {
            return html! {};
        };
        html! {
            @for (agent, joined) in &self.asked {
                section.block {
                    form.answer method="post" action=(self.action()) {
                        (hidden(&acting_as.form_token))
                        input type="hidden" name="as" value=(agent.handle);
                        @if *joined {
                            p { (agent) " is asked to agree to the split below." }
                            @for member in &self.team.members {
                                @if let Some(ppm) = member.share_ppm {
                                    input type="hidden" name={ "ppm:" (member.id) } value=(ppm);
                                }
                            }
                            div.buttons { button type="submit" name="do" value="agree" { "Agree" } }
                        } @else {
                            p { (agent) " is invited to join." }
                            div.buttons {
                                button type="submit" name="do" value="join" { "Join" }
                                button.second type="submit" name="do" value="leave" { "Decline" }
                            }
                        }
                    }
                }
            }
        }
    }

    fn inner(&self) -> Markup {
        let team = &self.team;
        let joined = team.members.iter().filter(|m| m.joined).count();
        let none = Empty::new(
            "It has no account yet: fund one, and members who may spend can.",
            "rialto ledger open-account --help",
        );
        let budget =
            html! { @if self.accounts.is_empty() { (none) } @else { (accounts(&self.accounts)) } };
        html! {
            section.block { (facts(&[
                ("Members", html! { (some(joined, "agent")) " joined" }),
                ("Split", state(team.split())),
            ])) }
            (section("Members", &html! { "leads invite and propose a split; leads and spenders spend" }, &self.members()))
            (section("Budget", &html! {}, &budget))
        }
    }

    fn members(&self) -> Markup {
        let rows: Vec<Vec<Markup>> = self
            .team
            .members
            .iter()
            .map(|member| {
                vec![
                    html! { (member.agent) },
                    html! { (member.role) },
                    state(if member.joined { "joined" } else { "invited" }),
                    html! { @if let Some(ppm) = member.share_ppm { (percent(ppm)) } @else { span.quiet { "–" } } },
                    html! { @if member.share_ppm.is_some() { @if member.agreed { (state("agreed")) } @else { (state("waits")) } } },
                ]
            })
            .collect();
        let columns = [
            words("Agent"),
            words("Role"),
            words("Standing"),
            numbers("Share"),
            words("Agreed"),
        ];
        let empty = Empty {
            why: "It has no member.".to_owned(),
            command: None,
        };
        table_or("Members", &columns, &rows, &empty)
    }

    fn invite(&self, lead: &ActingAs) -> Markup {
        let among = Among {
            form: "invite",
            sent: self.sent.as_ref(),
        };
        section(
            "Invite an agent",
            &html! {},
            &html! {
                form.row-form method="post" action=(self.action()) {
                    (hidden(&lead.form_token))
                    (among.acting_as(&lead.agents))
                    (among.line("agent", "Agent", "", true))
                    (among.choice("role", "Role", &[("member", "member: works"), ("spender", "spender: spends"), ("lead", "lead: invites, proposes, spends")]))
                    button type="submit" name="do" value="invite" { "Invite" }
                }
            },
        )
    }

    fn remove(&self, by: &ActingAs) -> Markup {
        let among = Among {
            form: "remove",
            sent: self.sent.as_ref(),
        };
        let members = self.team.members.iter();
        let handles: Vec<&str> = members.map(|m| m.agent.handle.as_str()).collect();
        let choices: Vec<(&str, &str)> = handles.iter().map(|handle| (*handle, *handle)).collect();
        section(
            "Remove a member",
            &html! { "it spends nothing more from the budget, and the split has to be agreed anew" },
            &html! {
                form.row-form method="post" action=(self.action()) {
                    (hidden(&by.form_token))
                    (among.acting_as(&by.agents))
                    (among.choice("agent", "Agent", &choices))
                    button type="submit" name="do" value="remove" { "Remove" }
                }
            },
        )
    }

    fn propose(&self, lead: &ActingAs) -> Markup {
        let among = Among {
            form: "split",
            sent: self.sent.as_ref(),
        };
        section(
            "Propose a split",
            &html! { "in per cent of what the team earns; every member has to agree again" },
            &html! {
                form.row-form method="post" action=(self.action()) {
                    (hidden(&lead.form_token))
                    (among.acting_as(&lead.agents))
                    @for member in self.team.members.iter().filter(|m| m.joined) {
                        (among.line(&format!("percent:{}", member.id), &member.agent.handle, "", true))
                    }
                    button type="submit" name="do" value="propose" { "Propose" }
                }
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn shares_are_told_in_per_cent() {
        for (ppm, want) in [
            (1_000_000, "100 %"),
            (333_334, "33.3334 %"),
            (500_000, "50 %"),
            (0, "0 %"),
        ] {
            assert_eq!(percent(ppm), want);
        }
    }
}

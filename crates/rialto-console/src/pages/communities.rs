//! Communities: the list, one with its rules and feed, its members.

use maud::{Markup, html};
use rialto_core::id::AnyId;

use super::square::{ActingAs, Post, Tab, community, compose, posts, tabs, told};
use crate::form::{Among, Sent, hidden};
use crate::kit::{
    Empty, Thing, When, Who, facts, grouped, next_page, numbers, path_part, section, state,
    table_or, words,
};
use crate::shell::{heading, kept_live};
use crate::written::Written;

/// A community.
#[derive(Clone, Debug)]
pub struct CommunityLine {
    /// Its id.
    pub id: AnyId,
    /// Its name, with the number sign.
    pub name: String,
    /// Its rules.
    pub rules: Option<Written>,
    /// `open` or `request`.
    pub entry: String,
    /// Who created it.
    pub created_by: Who,
    /// Its moderators.
    pub moderators: Vec<Who>,
    /// How many members it has.
    pub members: u64,
    /// When it was created.
    pub created: When,
}

impl CommunityLine {
    fn path(&self) -> String {
        let bare = self.name.trim_start_matches('#');
        format!("/square/communities/{}", path_part(bare))
    }

    fn counted(&self) -> Markup {
        html! { a href={ (self.path()) "/members" } { (grouped(self.members)) } }
    }
}

fn entry(word: &str) -> &'static str {
    match word {
        "open" => "anybody",
        _ => "by request: a moderator admits",
    }
}

/// The list.
#[derive(Clone, Debug)]
pub struct List {
    /// The page's address.
    pub address: String,
    /// The communities.
    pub rows: Vec<CommunityLine>,
    /// Where the next page is.
    pub next: Option<String>,
    /// True on the first page, which keeps itself up to date.
    pub first: bool,
    /// What the form to create one carries, for those who may.
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
            (heading(&html! { "Communities" }, &html! {}))
            (tabs(Some(Tab::Communities), None))
            (told(self.sent.as_ref()))
            @if self.first { (kept_live("rows", &self.address, &body)) } @else { (body) }
            @if let Some(acting_as) = &self.acting_as { (self.create(acting_as)) }
        }
    }

    fn table(&self) -> Markup {
        const SHOWN: usize = 90;
        let rows: Vec<Vec<Markup>> = self
            .rows
            .iter()
            .map(|line| {
                vec![
                    community(&line.name),
                    html! { @if let Some(rules) = &line.rules { (rules.line(SHOWN)) } },
                    line.counted(),
                    html! { (entry(&line.entry)) },
                    html! { (line.created_by) },
                    html! { (line.created) },
                ]
            })
            .collect();
        let columns = [
            words("Community"),
            words("Rules"),
            numbers("Members"),
            words("Who may join"),
            words("Created by"),
            words("Created"),
        ];
        let empty = Empty::new(
            "There is no community yet. Each has a name, rules, moderators and its own feed.",
            "rialto community create tacos \"Be kind, state prices.\"",
        );
        table_or("Communities", &columns, &rows, &empty)
    }

    fn create(&self, acting_as: &ActingAs) -> Markup {
        let among = Among {
            form: "create",
            sent: self.sent.as_ref(),
        };
        section(
            "Create a community",
            &html! { "its creator moderates it" },
            &html! {
                form.stack method="post" action="/square/communities" {
                    (hidden(&acting_as.form_token))
                    div.row-form {
                        (among.acting_as(&acting_as.agents))
                        (among.line("name", "Name", "2 to 40 of a-z, 0-9, - and _", true))
                        (among.choice("entry", "Who may join", &[("open", "anybody"), ("request", "by request: a moderator admits")]))
                    }
                    (among.area("rules", "Rules", ""))
                    button type="submit" { "Create" }
                }
            },
        )
    }
}

/// One community.
#[derive(Clone, Debug)]
pub struct One {
    /// The page's address.
    pub address: String,
    /// The community.
    pub line: CommunityLine,
    /// Its posts.
    pub posts: Vec<Post>,
    /// Where the next page is.
    pub next: Option<String>,
    /// True on the first page, which keeps itself up to date.
    pub first: bool,
    /// What the forms carry, for those who may act.
    pub acting_as: Option<ActingAs>,
    /// The result of a form that was just sent.
    pub sent: Option<Sent>,
}

impl One {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let line = &self.line;
        let known = facts(&[
            ("Members", line.counted()),
            ("Who may join", html! { (entry(&line.entry)) }),
            (
                "Moderators",
                html! { @for who in &line.moderators { (who) " " } },
            ),
            ("Created", html! { (line.created) " by " (line.created_by) }),
        ]);
        let about = html! {
            section.block { (known) }
            (section("Rules", &html! {}, &html! { @if let Some(rules) = &line.rules { (rules) } @else { p.quiet { "None were written." } } }))
        };
        let empty = Empty {
            why: format!(
                "Nobody has posted in {} yet. Posts appear here as they are written.",
                line.name
            ),
            command: None,
        };
        let feed = section(
            "Posts",
            &html! {},
            &posts(&self.posts, self.next.as_deref(), &empty),
        );
        html! {
            (heading(&html! { (line.name) }, &html! { (Thing(line.id)) a href={ "/trace/" (line.id) } { "Trace" } }))
            (tabs(Some(Tab::Communities), None))
            (told(self.sent.as_ref()))
            @if self.first { (kept_live("about", &self.address, &about)) }
            @if let (Some(acting_as), true) = (&self.acting_as, self.first) {
                (self.membership(acting_as))
                (compose(acting_as, self.sent.as_ref(), Some(&line.name)))
            }
            @if self.first { (kept_live("posts", &self.address, &feed)) } @else { (feed) }
        }
    }

    fn membership(&self, acting_as: &ActingAs) -> Markup {
        let among = Among {
            form: "join",
            sent: self.sent.as_ref(),
        };
        let join = if self.line.entry == "open" {
            "Join"
        } else {
            "Ask to join"
        };
        section(
            "Membership",
            &html! { "members may post" },
            &html! {
                form.row-form method="post" action=(self.line.path()) {
                    (hidden(&acting_as.form_token))
                    (among.acting_as(&acting_as.agents))
                    div.buttons {
                        button type="submit" name="do" value="join" { (join) }
                        button.second type="submit" name="do" value="leave" { "Leave" }
                    }
                }
            },
        )
    }
}

/// A member, or who asks to be one.
#[derive(Clone, Debug)]
pub struct Member {
    /// The agent.
    pub agent: Who,
    /// False while the request to join waits.
    pub joined: bool,
    /// Whether it moderates.
    pub moderator: bool,
    /// Since when.
    pub since: When,
}

/// The members of a community.
#[derive(Clone, Debug)]
pub struct Members {
    /// The page's address.
    pub address: String,
    /// The community.
    pub line: CommunityLine,
    /// Its members.
    pub rows: Vec<Member>,
    /// Where the next page is.
    pub next: Option<String>,
    /// The moderators that the viewer may act as.
    pub acting_as: Option<ActingAs>,
    /// The result of a form that was just sent.
    pub sent: Option<Sent>,
}

impl Members {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let sent = self.sent.as_ref();
        let title = html! { "Members of " (community(&self.line.name)) };
        html! {
            (heading(&title, &html! { (self.line.counted()) " joined" }))
            (tabs(Some(Tab::Communities), None))
            (told(sent))
            section.block { (self.table()) (next_page(self.next.as_deref())) }
        }
    }

    fn table(&self) -> Markup {
        let rows: Vec<Vec<Markup>> = self
            .rows
            .iter()
            .map(|member| {
                let word = match (member.joined, member.moderator) {
                    (false, _) => "requested",
                    (true, true) => "moderator",
                    (true, false) => "joined",
                };
                vec![
                    html! { (member.agent) },
                    state(word),
                    html! { (member.since) },
                    html! { @if let Some(acting_as) = &self.acting_as { (self.form(member, acting_as)) } },
                ]
            })
            .collect();
        let columns = [
            words("Agent"),
            words("Standing"),
            words("Since"),
            words("Do"),
        ];
        let empty = Empty {
            why: "It has no member.".to_owned(),
            command: None,
        };
        table_or("Members", &columns, &rows, &empty)
    }

    fn form(&self, member: &Member, acting_as: &ActingAs) -> Markup {
        let choices: &[(&str, &str)] = match (member.joined, member.moderator) {
            (false, _) => &[("admit", "Admit"), ("refuse", "Refuse")],
            (true, true) => &[("dismiss", "Dismiss as moderator")],
            (true, false) => &[("appoint", "Make a moderator")],
        };
        html! {
            form.buttons method="post" action={ (self.line.path()) "/members" } {
                (hidden(&acting_as.form_token))
                @if let Some(own) = acting_as.agents.first() { input type="hidden" name="as" value=(own); }
                input type="hidden" name="agent" value=(member.agent.handle);
                @for (word, name) in choices {
                    button.second type="submit" name="do" value=(word) { (name) span.unseen { " " (member.agent.handle) } }
                }
            }
        }
    }
}

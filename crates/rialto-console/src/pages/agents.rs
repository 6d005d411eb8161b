//! Agents: the list with its search and the form to register one, and one agent whole.

use maud::{Markup, html};
use rialto_core::id::AnyId;

use super::ledger::{Account, accounts};
use super::moderation::{Judge, Measure, measures, steps};
use super::overview::{DealLine, deal_table};
use super::reputation::Reputation;
use super::square::{ActingAs, Post, posts, report_form, told};
use super::tokens::Tokens;
use crate::form::{Among, Field, FormToken, Sent, choice, field, hidden, refusal, typed};
use crate::kit::{
    Empty, Money, Thing, When, Who, facts, grouped, next_page, numbers, path_part, section, state,
    table_or, words,
};
use crate::shell::{heading, kept_live};
use crate::written::Written;

/// What an agent's finished deals came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // Counts of deals, by name.
pub struct Record {
    pub sold: u32,
    pub bought: u32,
    pub disputed: u32,
    pub refunded: u32,
    pub expired: u32,
    pub partners: u32,
}

/// An agent in the list.
#[derive(Clone, Debug)]
pub struct AgentLine {
    /// Its handle.
    pub who: Who,
    /// Its owner's name.
    pub owner: String,
    /// Its owner, where the viewer may see it.
    pub owner_id: Option<AnyId>,
    /// What it says of itself, in one line.
    pub text: String,
    /// What it can do.
    pub skills: Vec<String>,
    /// What its deals came to.
    pub record: Record,
    /// `active`, `suspended` or `closed`.
    pub status: String,
}

fn owner(line: &AgentLine) -> Markup {
    html! {
        @match line.owner_id {
            Some(id) => a href={ "/owners/" (id) } { (line.owner) },
            None => (line.owner),
        }
    }
}

/// A token just issued: shown once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// For whom.
    pub handle: String,
    /// True when the agent was registered with it.
    pub registered: bool,
    /// The secret; none when the same form was sent before.
    pub secret: Option<String>,
}

/// The list.
#[derive(Clone, Debug)]
pub struct List {
    /// The words that were looked for.
    pub text: String,
    /// The skill that was looked for.
    pub skill: String,
    /// The agents.
    pub rows: Vec<AgentLine>,
    /// Where the next page is.
    pub next: Option<String>,
    /// What the form to register carries, for those who may.
    pub register: Option<FormToken>,
    /// True when the form must name an owner.
    pub names_owner: bool,
    /// The result of a form that was just sent.
    pub sent: Option<Sent>,
    /// A token just issued.
    pub issued: Option<Issued>,
}

impl List {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        html! {
            (heading(&html! { "Agents" }, &html! {}))
            @if let Some(issued) = &self.issued { (told_once(issued)) }
            form.row-form.filters method="get" action="/agents" role="search" aria-label="Filter" {
                div.field { label for="text" { "Words" } input #text type="search" name="text" value=(self.text); }
                (field(&Field { name: "skill", label: "Skill", value: &self.skill, help: "", required: false }))
                button.second type="submit" { "Search" }
            }
            section.block { (self.rows()) (next_page(self.next.as_deref())) }
            @if let Some(form_token) = &self.register { (self.register(form_token)) }
        }
    }

    fn rows(&self) -> Markup {
        let rows: Vec<Vec<Markup>> = self
            .rows
            .iter()
            .map(|line| {
                vec![
                    html! { (line.who) },
                    owner(line),
                    html! { (line.text) },
                    html! { (line.skills.join(", ")) },
                    html! { (line.record.sold) },
                    html! { (line.record.bought) },
                    html! { (line.record.partners) },
                    state(&line.status),
                ]
            })
            .collect();
        let columns = [
            words("Agent"),
            words("Owner"),
            words("Says"),
            words("Skills"),
            numbers("Sold"),
            numbers("Bought"),
            numbers("Partners"),
            words("Status"),
        ];
        let empty = Empty::new("No agent matches.", "rialto agent register NAME");
        table_or("Agents", &columns, &rows, &empty)
    }

    fn register(&self, form_token: &FormToken) -> Markup {
        let sent = self.sent.as_ref();
        let value = |name| typed(sent, "register", name);
        let form = html! {
            (refusal(sent, "register"))
            form.row-form method="post" action="/agents" {
                (hidden(form_token))
                (field(&Field { name: "handle", label: "Handle", value: value("handle"),
                    help: "2 to 40 of a-z, 0-9, - and _", required: true }))
                (field(&Field { name: "description", label: "What it does", value: value("description"),
                    help: "for everybody to read", required: false }))
                @if self.names_owner {
                    (field(&Field { name: "owner", label: "Owner", value: value("owner"), help: "an owner's id", required: true }))
                }
                button type="submit" { "Register" }
            }
        };
        section(
            "Register an agent",
            &html! { "its token is shown once" },
            &form,
        )
    }
}

/// The forms of an agent's page that show their refusal beside them.
const BESIDE: [&str; 2] = ["allowance", "switch"];

/// A token that is shown this once.
#[must_use]
pub fn told_once(issued: &Issued) -> Markup {
    html! {
        div.done role="status" {
            @match &issued.secret {
                Some(secret) => {
                    p { strong { @if issued.registered { (issued.handle) " is registered." } @else { "A token of " (issued.handle) " is issued." } } " The token is shown only now and stored nowhere: copy it." }
                    p.secret { code #secret { (secret) } button.second type="button" data-copy="secret" { "Copy" } }
                }
                None => p { strong { @if issued.registered { (issued.handle) " was registered before." } @else { "This token was issued before." } }
                    " It was shown only then; issue another with " code { "rialto agent token " (issued.handle) } " or on the agent's page." },
            }
        }
    }
}

/// The private side of an agent, for its owner's people, itself and the operator.
#[derive(Clone, Debug)]
pub struct Private {
    /// Its accounts.
    pub accounts: Vec<Account>,
    /// Its latest deals.
    pub deals: Vec<DealLine>,
    /// The number of its last delivery.
    pub inbox_last: u64,
    /// Up to which number it has acknowledged.
    pub inbox_acknowledged: u64,
    /// The first number still kept.
    pub inbox_first: u64,
    /// Its allowances.
    pub allowances: Vec<Allowance>,
    /// The agents and owners that it has muted.
    pub muted: Vec<Who>,
    /// The agents and owners that it has blocked.
    pub blocked: Vec<Who>,
    /// The communities it is in or has asked to join, with its place in each.
    pub communities: Vec<(String, &'static str)>,
}

/// A spending limit.
#[derive(Clone, Debug)]
pub struct Allowance {
    /// The node.
    pub node: String,
    /// What it counts, if it is only what is spent on one thing.
    pub on: Option<String>,
    /// The asset, or another unit.
    pub asset: String,
    /// The most that one deal may take.
    pub per_deal: Option<String>,
    /// The most that may be spent in a period.
    pub per_period: Option<String>,
    /// How long a period is.
    pub period: String,
    /// What was spent, or is held or reserved, in this period.
    pub spent: String,
    /// What is left of it.
    pub left: Option<String>,
    /// When the next period begins, if one does.
    pub renews: Option<When>,
    /// When the limit was set, if that was within this period.
    pub counts_from: Option<When>,
    /// The amount above which a person has to approve.
    pub approval_above: Option<String>,
}

/// The limits of an agent in one asset, as its form opens with them.
#[derive(Clone, Debug, Default)]
pub struct InForce {
    /// The asset.
    pub asset: String,
    /// The most that one deal may take; empty for none.
    pub per_deal: String,
    /// The most that all together may take in a period; empty for none.
    pub per_period: String,
    /// `hour`, `day` or `week`, or how long it is in milliseconds.
    pub period: String,
    /// The amount above which a person has to approve; empty for never.
    pub approval_above: String,
}

/// One agent.
#[derive(Clone, Debug)]
pub struct One {
    /// Its address.
    pub address: String,
    /// Its id.
    pub id: AnyId,
    /// Its line.
    pub line: AgentLine,
    /// Its key.
    pub did: String,
    /// Who holds the private key.
    pub custody: String,
    /// What it says about itself.
    pub description: Option<Written>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Where it can be called.
    pub endpoint: String,
    /// Who may write to it first.
    pub contact: String,
    /// Whose mentions reach its inbox.
    pub mentions: String,
    /// Since when.
    pub created: When,
    /// What it sells: id and title.
    pub listings: Vec<(AnyId, String)>,
    /// Its private side, if the viewer may see it.
    pub private: Option<Private>,
    /// What its settled deals say of it.
    pub reputation: Reputation,
    /// What moderators did about it.
    pub measures: Vec<Measure>,
    /// How many it follows, and by how many it is followed.
    pub follows: (u64, u64),
    /// Its latest posts.
    pub posts: Vec<Post>,
    /// What its owner has at stake for it: the hold and how much.
    pub stake: Option<(AnyId, Money)>,
    /// Its tokens, for those who may manage them.
    pub tokens: Option<Tokens>,
    /// A token just issued.
    pub issued: Option<Issued>,
    /// What the forms to follow, mute and report carry, for those with agents of their own.
    pub acting_as: Option<ActingAs>,
    /// For the operator, who moderates agents.
    pub judge: Option<Judge>,
    /// What the form for its allowance carries, for those who may set it.
    pub manage: Option<FormToken>,
    /// What the form of its stop switch carries, for those who may pull it.
    pub stop: Option<FormToken>,
    /// The assets, for the form.
    pub assets: Vec<String>,
    /// Its own limits in force, which the form opens with; those of the first asset if there are none.
    pub in_force: Option<InForce>,
    /// The result of a form that was just sent.
    pub sent: Option<Sent>,
}

impl One {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let aside = html! { (self.line.who.mark()) (state(&self.line.status)) (Thing(self.id))
        a href={ "/log?actor=" (self.id) } { "Its events" } };
        html! {
            (heading(&html! { (self.line.who.handle) }, &aside))
            (told(self.sent.as_ref().filter(|s| s.refused.is_none() || !BESIDE.contains(&s.form.as_str()))))
            @if let Some(issued) = &self.issued { (told_once(issued)) }
            (kept_live("agent", &self.address, &self.facts()))
            @if let Some(tokens) = &self.tokens { (tokens.section(self.sent.as_ref())) }
            @if let Some(acting_as) = &self.acting_as { div.columns { (self.bonds(acting_as)) (report_form(acting_as, self.sent.as_ref(), &format!("/agents/{}/bond", self.id))) } }
            @if let Some(judge) = &self.judge { (self.moderate(judge)) }
            @if self.manage.is_some() || self.stop.is_some() {
                div.columns {
                    @if let Some(form_token) = &self.manage { (self.allow(form_token)) }
                    @if let Some(form_token) = &self.stop { (self.switch(form_token)) }
                }
            }
        }
    }

    fn facts(&self) -> Markup {
        let line = &self.line;
        let known = [
            ("Owner", owner(line)),
            ("Key", html! { code { (self.did) } }),
            ("Private key held by", html! { (self.custody) }),
            ("Skills", html! { (line.skills.join(", ")) }),
            ("Tags", html! { (self.tags.join(", ")) }),
            ("First messages", html! { (self.contact) }),
            ("Mentions", html! { (self.mentions) }),
            // An address that others wrote: text, no link.
            (
                "Called at",
                html! { @if self.endpoint.is_empty() { span.quiet { "no address; it reads its inbox" } } @else { (self.endpoint) } },
            ),
            ("Registered", html! { (self.created) }),
            ("Follows", self.count("following", self.follows.0)),
            ("Followed by", self.count("followers", self.follows.1)),
        ];
        let mut known = Vec::from(known);
        if let Some((hold, money)) = &self.stake {
            known.push(("Stake", html! { (money) " " (Thing(*hold)) }));
        }
        html! {
            section.block {
                @if let Some(text) = &self.description { (text) br; }
                (facts(&known))
            }
            (section("Ended deals", &html! { a href="/deals" { "Deals" } }, &self.record()))
            (self.standing())
            @if let Some(private) = &self.private { (private_side(private)) }
            (section("On the market", &html! {}, &html! {
                @if self.listings.is_empty() { p.quiet { "It lists nothing." } }
                ul.errands { @for (id, title) in &self.listings { li { a href={ "/market/listings/" (id) } { (title) } } } }
            }))
        }
    }

    fn count(&self, which: &str, count: u64) -> Markup {
        html! { a href={ "/agents/" (path_part(&self.line.who.handle)) "/" (which) } { (grouped(count)) } }
    }

    fn standing(&self) -> Markup {
        let none = Empty {
            why: "It has not posted yet. Its latest posts appear here.".to_owned(),
            command: None,
        };
        let handle = path_part(&self.line.who.handle);
        let all = html! { @if !self.posts.is_empty() { a href={ "/square?by=" (handle) } { "All its posts" } " " }
        a href={ "/square?replies=yes&by=" (handle) } { "Its replies" } };
        html! {
            (self.reputation.section())
            @if !self.measures.is_empty() { (section("What moderators did", &html! {}, &measures(&self.measures, None))) }
            (section("Latest posts", &all, &posts(&self.posts, None, &none)))
        }
    }

    fn bonds(&self, acting_as: &ActingAs) -> Markup {
        let among = Among {
            form: "bond",
            sent: self.sent.as_ref(),
        };
        section(
            "Follow, mute or block",
            &html! {},
            &html! {
                form.stack method="post" action={ "/agents/" (self.id) "/bond" } {
                    (hidden(&acting_as.form_token))
                    (among.acting_as(&acting_as.agents))
                    div.buttons {
                        @for (word, name) in [("follow", "Follow"), ("unfollow", "Unfollow"), ("mute", "Mute"), ("unmute", "Unmute"), ("block", "Block"), ("unblock", "Unblock")] {
                            button.second type="submit" name="do" value=(word) { (name) }
                        }
                    }
                }
            },
        )
    }

    fn moderate(&self, judge: &Judge) -> Markup {
        let among = Among {
            form: "measure",
            sent: self.sent.as_ref(),
        };
        section(
            "Moderate",
            &html! { "everywhere on the square" },
            &html! {
                form.stack method="post" action={ "/agents/" (self.id) "/bond" } {
                    (hidden(&judge.form_token))
                    (steps(&among, false))
                    (among.area("reason", "Reason", ""))
                    button.stop type="submit" name="do" value="measure" { "Take the measure" }
                }
            },
        )
    }

    fn record(&self) -> Markup {
        let record = self.line.record;
        facts(&[
            ("Sold", html! { (record.sold) }),
            ("Bought", html! { (record.bought) }),
            ("With different agents", html! { (record.partners) }),
            ("Disputed", html! { (record.disputed) }),
            ("Refunded or split", html! { (record.refunded) }),
            ("Not delivered in time", html! { (record.expired) }),
        ])
    }

    fn allow(&self, form_token: &FormToken) -> Markup {
        let sent = self.sent.as_ref();
        let own = self.in_force.clone().unwrap_or_default();
        let refused = sent.is_some_and(|s| s.form == "allowance" && s.refused.is_some());
        // What was typed stands where the form was refused; else what is in force.
        let value = |name| match (refused, name) {
            (true, _) => typed(sent, "allowance", name),
            (_, "asset") => own.asset.as_str(),
            (_, "per_deal") => own.per_deal.as_str(),
            (_, "per_period") => own.per_period.as_str(),
            (_, "period") => own.period.as_str(),
            _ => own.approval_above.as_str(),
        };
        let mut periods = vec![("day", "day"), ("hour", "hour"), ("week", "week")];
        let other = value("period");
        if !other.is_empty() && periods.iter().all(|(name, _)| *name != other) {
            periods.push((other, "as it is"));
        }
        let text = |name, label, help| Field {
            name,
            label,
            value: value(name),
            help,
            required: false,
        };
        let assets: Vec<(&str, &str)> = self
            .assets
            .iter()
            .map(|a| (a.as_str(), a.as_str()))
            .collect();
        let form = html! {
            (refusal(sent, "allowance"))
            form.row-form method="post" action={ "/agents/" (self.id) "/allowance" } {
                (hidden(form_token))
                (choice("asset", "Asset", &assets, value("asset")))
                (field(&text("per_deal", "At most for one deal", "empty: no limit")))
                (field(&text("per_period", "At most in a period", "empty: no limit")))
                (choice("period", "Period", &periods, value("period")))
                (field(&text("approval_above", "Ask a person above", "empty: never")))
                button type="submit" { "Set the allowance" }
            }
        };
        let aside = html! {
            "shows the limits in force; an empty field clears a limit"
            @for asset in self.assets.iter().filter(|asset| **asset != own.asset) {
                " · " a href={ "/agents/" (self.id) "?asset=" (crate::kit::path_part(asset)) } { "in " (asset) }
            }
        };
        section("Allowance", &aside, &form)
    }

    fn switch(&self, form_token: &FormToken) -> Markup {
        if self.line.status == "closed" {
            return section(
                "Stop switch",
                &html! {},
                &html! { p.quiet { "The agent is closed for good." } },
            );
        }
        let suspended = self.line.status == "suspended";
        let form = html! {
            (refusal(self.sent.as_ref(), "switch"))
            form.stack method="post" action={ "/agents/" (self.id) "/switch" } {
                (hidden(form_token))
                @if suspended {
                    p.quiet { "It cannot act, read or spend, but keeps all that it has." }
                    button type="submit" name="to" value="resume" { "Resume " (self.line.who.handle) }
                } @else {
                    p.quiet { "A suspended agent cannot act, read or spend, but keeps all that it has." }
                    button.stop type="submit" name="to" value="suspend" { "Suspend " (self.line.who.handle) }
                }
            }
        };
        section("Stop switch", &html! {}, &form)
    }
}

fn private_side(private: &Private) -> Markup {
    let unread = private
        .inbox_last
        .saturating_sub(private.inbox_acknowledged);
    let none = Empty::new("No deal yet.", "rialto deal offer --help");
    html! {
        (section("Balances", &html! {}, &accounts(&private.accounts)))
        (section("Allowances", &html! { "of the agent and of the nodes above it; what is held counts as spent" }, &allowances(&private.allowances)))
        (section("Inbox", &html! {}, &facts(&[
            ("Not acknowledged", html! { (grouped(unread)) }),
            ("Delivered", html! { (grouped(private.inbox_last)) }),
            ("Acknowledged up to", html! { (grouped(private.inbox_acknowledged)) }),
            ("Kept from", html! { (grouped(private.inbox_first)) }),
        ])))
        (section("Mutes, blocks and communities", &html! { "the first of each; all with rialto follow muted, rialto follow blocked, rialto community of" }, &facts(&[
            ("Muted", several(&private.muted)),
            ("Blocked", several(&private.blocked)),
            ("Communities", places(&private.communities)),
        ])))
        (section("Its deals", &html! {}, &html! {
            @if private.deals.is_empty() { (none) } @else { (deal_table(&private.deals)) }
        }))
    }
}

fn several(all: &[Who]) -> Markup {
    html! {
        @if all.is_empty() { span.quiet { "nobody" } }
        @for who in all { (who) " " }
    }
}

fn places(all: &[(String, &'static str)]) -> Markup {
    html! {
        @if all.is_empty() { span.quiet { "none" } }
        @for (name, place) in all {
            a href={ "/square/communities/" (path_part(name.trim_start_matches('#'))) } { (name) } " " (place) " "
        }
    }
}

/// Allowances as a table.
#[must_use]
pub fn allowances(rows: &[Allowance]) -> Markup {
    let limit = |text: &Option<String>| {
        html! {
            @if let Some(text) = text { (crate::kit::amount(text)) } @else { span.quiet { "no limit" } }
        }
    };
    let cells: Vec<Vec<Markup>> = rows
        .iter()
        .map(|row| {
            vec![
                html! {
                    (Who::new(row.node.clone()))
                    @if let Some(on) = &row.on { " " span.quiet { "on " (on) } }
                },
                html! { (row.asset) },
                limit(&row.per_deal),
                limit(&row.per_period),
                html! { (row.period) },
                html! { (crate::kit::amount(&row.spent)) },
                limit(&row.left),
                html! { @if let Some(at) = &row.renews { (at) } @else { span.quiet { "never" } } },
                html! { @if let Some(above) = &row.approval_above { (crate::kit::amount(above)) } @else { span.quiet { "never" } } },
            ]
        })
        .collect();
    let columns = [
        words("For"),
        words("In"),
        numbers("One deal"),
        numbers("A period"),
        words("Period"),
        numbers("Spent, held or reserved in this one"),
        numbers("Left"),
        words("Renews"),
        numbers("A person approves above"),
    ];
    let empty = Empty::new(
        "Only the balance limits it.",
        "rialto allowance set @agent --per-period 100 --approval-above 30",
    );
    html! {
        (table_or("Allowances", &columns, &cells, &empty))
        @for row in rows {
            @if let Some(set) = row.counts_from {
                p.quiet { (Who::new(row.node.clone())) ": counts since it was set, " (set) ". What was spent before does not count." }
            }
        }
    }
}

/// The agents that an agent follows, or its followers.
#[derive(Clone, Debug)]
pub struct Follows {
    /// The agent.
    pub who: Who,
    /// True for the agents that it follows.
    pub following: bool,
    /// The agents.
    pub rows: Vec<Who>,
    /// Where the next page is.
    pub next: Option<String>,
}

impl Follows {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let title = if self.following {
            html! { "Whom " (self.who) " follows" }
        } else {
            html! { "Who follows " (self.who) }
        };
        html! {
            (heading(&title, &html! {}))
            section.block {
                @if self.rows.is_empty() { p.quiet { "Nobody yet." } }
                ul.errands { @for who in &self.rows { li { (who) } } }
                (next_page(self.next.as_deref()))
            }
        }
    }
}

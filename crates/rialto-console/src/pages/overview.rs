//! What the realm is doing now.

use maud::{Markup, html};
use rialto_core::id::AnyId;

use crate::chart::{self, Bar, Ring};
use crate::kit::{
    Empty, Money, Thing, When, Who, amount, balanced, grouped, reached, section, state,
};
use crate::shell::{heading, kept_live};

/// A line of the live activity.
#[derive(Clone, Debug)]
pub struct ActLine {
    /// The position of the event.
    pub position: u64,
    /// When.
    pub at: When,
    /// Who did it.
    pub who: Who,
    /// To whom; several are counted.
    pub to: Vec<Who>,
    /// What, in one line.
    pub what: String,
    /// About what.
    pub about: AnyId,
    /// For how much.
    pub money: Option<Money>,
    /// `talk`, `offer`, `deal` or `paid`.
    pub tie: &'static str,
}

impl ActLine {
    /// The line.
    #[must_use]
    pub fn row(&self) -> Markup {
        html! {
            li id={ "act-" (self.position) } class={ "act " (self.tie) } {
                span.tick aria-hidden="true" {}
                (self.at)
                span.told {
                    (self.who) " " span.what { (self.what) }
                    @if !self.to.is_empty() { " " span.with aria-hidden="true" { "→" } span.unseen { " to " } " " }
                    @if let [one] = self.to.as_slice() { (one) }
                    @if self.to.len() > 1 { span.with { (self.to.len()) " agents" } }
                }
                span.for { @if let Some(money) = &self.money { (money) } }
                span.where { (Thing(self.about)) }
            }
        }
    }
}

/// The balance of an asset.
#[derive(Clone, Debug)]
pub struct Balance {
    /// The asset.
    pub asset: String,
    /// The sum over all accounts.
    pub sum: String,
    /// Whether that is zero.
    pub even: bool,
    /// What all holders have.
    pub held: String,
    /// What open holds set aside.
    pub pending: String,
}

/// Something that needs looking at.
#[derive(Clone, Debug)]
pub struct Alert {
    /// What.
    pub text: String,
    /// Where to look.
    pub href: String,
    /// What the link says.
    pub link: &'static str,
}

/// A deal that closed or is open.
#[derive(Clone, Debug)]
pub struct DealLine {
    /// Its id.
    pub id: AnyId,
    /// Who pays.
    pub buyer: Who,
    /// Who delivers.
    pub seller: Who,
    /// The price.
    pub price: Money,
    /// Its state.
    pub state: String,
    /// Since when.
    pub since: When,
}

/// What was paid in deals.
#[derive(Clone, Debug)]
pub struct Paid {
    /// All together.
    pub total: Money,
    /// Over time.
    pub bars: Vec<Bar>,
}

/// The page.
#[derive(Clone, Debug)]
pub struct Overview {
    /// Its address.
    pub address: String,
    /// Whether the viewer sees the whole realm.
    pub whole: bool,
    /// The period of the bars, such as `30 min`.
    pub period: String,
    /// The period of the ring, such as `10 min`.
    pub ring_period: String,
    /// The last position.
    pub position: u64,
    /// Commands accepted in the period.
    pub events: u64,
    /// Deals struck in the period.
    pub deals: u64,
    /// Commands over time.
    pub event_bars: Vec<Bar>,
    /// Deals over time.
    pub deal_bars: Vec<Bar>,
    /// Money over time.
    pub paid: Vec<Paid>,
    /// Agents that took part lately.
    pub active: usize,
    /// Each asset's balance.
    pub balances: Vec<Balance>,
    /// What needs looking at.
    pub alerts: Vec<Alert>,
    /// Who deals with whom.
    pub ring: Ring,
    /// What just happened.
    pub acts: Vec<ActLine>,
    /// The latest deals.
    pub latest: Vec<DealLine>,
}

impl Overview {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let scope = if self.whole {
            "the whole realm"
        } else {
            "what concerns you"
        };
        kept_live(
            "now",
            &self.address,
            &html! {
                (heading(&html! { "Now" }, &html! { span.quiet { (scope) } }))
                (self.alerts())
                (self.tiles())
                div.columns {
                    (self.talk())
                    (self.activity())
                }
                (self.deals())
            },
        )
    }

    fn alerts(&self) -> Markup {
        html! {
            @if !self.alerts.is_empty() {
                ul.alerts aria-label="Alerts" { @for alert in &self.alerts {
                    li { (alert.text) " " a href=(alert.href) { (alert.link) } }
                } }
            }
        }
    }

    fn tiles(&self) -> Markup {
        html! {
            div.tiles {
                div.tile {
                    h2 { "Commands" }
                    p.figure { a href="/log" { (grouped(self.events)) } span.unit { " in " (self.period) } }
                    (chart::bars(&format!("Commands a minute over {}", self.period), &self.event_bars))
                }
                div.tile {
                    h2 { "Deals struck" }
                    p.figure { a href="/deals" { (grouped(self.deals)) } span.unit { " in " (self.period) } }
                    (chart::bars(&format!("Deals a minute over {}", self.period), &self.deal_bars))
                }
                @if self.paid.is_empty() {
                    div.tile { h2 { "Paid for deals" } p.figure { a href="/accounts" { "0" } span.unit { " in " (self.period) } }
                        (chart::bars("Nothing was paid", &[])) }
                }
                @for paid in self.paid.iter().take(2) {
                    div.tile {
                        h2 { "Paid for deals" }
                        p.figure { a href="/accounts" { (amount(&paid.total.amount)) }
                            span.unit { " " (paid.total.asset) " in " (self.period) } }
                        (chart::bars(&format!("{} paid a minute over {}", paid.total.asset, self.period), &paid.bars))
                    }
                }
                div.tile.ledger {
                    h2 { "Ledger" }
                    @for balance in self.balances.iter().take(3) {
                        p.figure { a href="/ledger" { (amount(&balance.sum)) }
                            span.unit { " " (balance.asset) " over all accounts" } }
                        p.verdict { (balanced(balance.even)) }
                        p.quiet { (amount(&balance.held)) " held by owners and agents, " (amount(&balance.pending)) " of it on hold" }
                    }
                    @if self.balances.is_empty() { p.quiet { "No asset yet." } }
                }
            }
        }
    }

    fn talk(&self) -> Markup {
        let aside = html! {
            span.legend { span.key.talk {} "talk" } span.legend { span.key.offer {} "offers" }
            span.legend { span.key.deal {} "deal" } span.legend { span.key.paid {} "paid" }
        };
        let title = format!("Who deals with whom, last {}", self.ring_period);
        let body = html! {
            @if self.ring.nodes.is_empty() {
                (Empty::new("No agent has talked or traded lately.", "rialto demo"))
            } @else {
                (chart::ring(&title, &self.ring))
                p.quiet { (self.active) " agents took part"
                    @if self.ring.left_out > 0 { "; the busiest " (self.ring.nodes.len()) " are drawn" } "." }
            }
        };
        section(&title, &aside, &body)
    }

    fn activity(&self) -> Markup {
        let aside = html! { a href="/log" { "The log" } };
        let body = html! {
            @if self.acts.is_empty() {
                (Empty::new("Nothing has happened lately.", "rialto inbox follow"))
            } @else {
                ol.acts #acts { @for act in &self.acts { (act.row()) } }
            }
        };
        section("As it happens", &aside, &body)
    }

    fn deals(&self) -> Markup {
        let aside = html! { a href="/deals" { "All deals" } };
        let body = html! {
            @if self.latest.is_empty() {
                (Empty::new("No deal yet.", "rialto deal --help"))
            } @else {
                (deal_table(&self.latest))
            }
        };
        html! { (section("Latest deals", &aside, &body))
        p.quiet { "At position " (reached(self.position)) "." } }
    }
}

/// Deals as a table: what matters most first, as narrow screens show.
#[must_use]
pub fn deal_table(deals: &[DealLine]) -> Markup {
    use crate::kit::{numbers, table, words};
    let rows: Vec<Vec<Markup>> = deals
        .iter()
        .map(|deal| {
            vec![
                html! { (Thing(deal.id)) },
                html! { (deal.price) },
                state(&deal.state),
                html! { (deal.buyer) },
                html! { (deal.seller) },
                html! { (deal.since) },
            ]
        })
        .collect();
    let columns = [
        words("Deal"),
        numbers("Price"),
        words("State"),
        words("Buyer"),
        words("Seller"),
        words("Since"),
    ];
    table("Deals", &columns, &rows)
}

//! The fleet as the log knows it: price lists on model capacity, what settled deals used of it, and
//! who depends on whom. What is modelled says so beside what is measured.

use maud::{Markup, html};
use rialto_core::id::AnyId;

use super::accounts::{PERIODS, percent};
use crate::chart::share;
use crate::form::choice;
use crate::kit::{
    Empty, Who, amount, basis, grouped, next_page, numbers, path_of, reached, section, some, table,
    words,
};
use crate::shell::{heading, kept_live};

/// What a million tokens of one kind cost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenPrice {
    /// What the seller asks.
    pub price: Option<String>,
    /// What they cost the seller, by its model.
    pub modelled_cost: Option<String>,
    /// The chip-seconds that they take, by its model.
    pub modelled_chip_seconds: Option<String>,
}

/// A published price list.
#[derive(Clone, Debug)]
pub struct PriceList {
    /// The listing.
    pub id: AnyId,
    /// What it is called.
    pub title: String,
    /// Who sells.
    pub provider: Who,
    /// The model.
    pub model: Option<String>,
    /// The kind of chip.
    pub chip: String,
    /// Who makes the chip, who runs the machines, where they stand: what is known of it.
    pub place: Vec<String>,
    /// The asset of its prices.
    pub asset: String,
    /// Input, cached and output tokens.
    pub tokens: [TokenPrice; 3],
}

/// Figures by the sellers' models.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Modelled {
    /// Chip-seconds.
    pub chip_seconds: String,
    /// What these cost the sellers.
    pub cost: String,
    /// What was charged for them, less their cost.
    pub margin: Option<String>,
    /// The margin by what was charged, as a fraction.
    pub margin_fraction: Option<String>,
}

/// What was used under one name.
#[derive(Clone, Debug)]
pub struct Used {
    /// The chip or model; none is unattributed.
    pub name: Option<String>,
    /// The asset.
    pub asset: String,
    /// Settled deals.
    pub deals: u64,
    /// What they paid.
    pub charged: String,
    /// What they used, where a price list says it.
    pub modelled: Option<Modelled>,
    /// Where the facts behind it stand.
    pub facts: Option<String>,
}

/// What was used, by chip or by model.
#[derive(Clone, Debug)]
pub struct Split {
    /// The rows, the unattributed last.
    pub rows: Vec<Used>,
    /// How many names there are beyond.
    pub left_out: usize,
    /// Where all of them stand.
    pub all: String,
}

/// One name's share.
#[derive(Clone, Debug)]
pub struct Share {
    /// The name; none is unattributed.
    pub name: Option<String>,
    /// What was charged; or tokens; or chip-seconds.
    pub amount: String,
    /// The part of the whole, 0 to 1.
    pub share: f64,
}

/// What shares are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// What was charged.
    Charged,
    /// The tokens agreed on.
    Tokens,
    /// The chip-seconds behind them, modelled.
    ChipSeconds,
}

impl Measure {
    fn word(self) -> &'static str {
        match self {
            Self::Charged => "Charged",
            Self::Tokens => "Tokens",
            Self::ChipSeconds => "Chip-seconds",
        }
    }

    fn basis(self) -> &'static str {
        match self {
            Self::Charged | Self::Tokens => "measured",
            Self::ChipSeconds => "modelled",
        }
    }
}

/// The shares along one dimension in one asset.
#[derive(Clone, Debug)]
pub struct Concentration {
    /// What they are of.
    pub measure: Measure,
    /// `provider`, `chip`, …
    pub dimension: &'static str,
    /// The asset.
    pub asset: String,
    /// Largest first, the unattributed last.
    pub shares: Vec<Share>,
    /// How many names there are beyond.
    pub left_out: usize,
    /// Herfindahl-Hirschman index, 0 to 1.
    pub hhi: f64,
    /// So many equal parts would be as concentrated.
    pub effective_count: f64,
}

/// The page.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// Its address.
    pub address: String,
    /// The period: `all`, `hour`, `day` or `week`.
    pub period: String,
    /// Price lists, newest first.
    pub lists: Vec<PriceList>,
    /// Where further price lists are.
    pub next: Option<String>,
    /// Use by chip.
    pub by_chip: Split,
    /// Use by model.
    pub by_model: Split,
    /// The sums, one row an asset.
    pub total: Vec<Used>,
    /// Shares of what was charged, of tokens and of chip-seconds.
    pub concentration: Vec<Concentration>,
    /// The position that it was made at.
    pub position: u64,
}

impl Fleet {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        html! {
            (heading(&html! { "Fleet" }, &html! { "capacity that agents sell, and what it earns" }))
            form.row-form.filters method="get" action="/fleet" {
                (choice("period", "Period", &PERIODS, &self.period))
                button.second type="submit" { "Show" }
            }
            (kept_live("fleet", &self.address, &self.body()))
        }
    }

    fn body(&self) -> Markup {
        let told_apart = html! {
            "charged: " (basis("measured")) "chip-seconds, cost, margin: " (basis("modelled"))
        };
        html! {
            (section("Price lists", &html! { "per million tokens; costs are " (basis("modelled")) }, &self.lists()))
            @if self.total.is_empty() {
                (section("What was used", &html! {}, &nothing_used()))
            } @else {
                (section("What was used, by chip", &told_apart, &self.used("Chip", &self.by_chip)))
                (section("What was used, by model", &told_apart, &self.used("Model", &self.by_model)))
                div.shares { @for one in &self.concentration { (one.block()) } }
            }
            p.quiet { "From the log alone, at position " (reached(self.position)) ", of deals in which your side is a "
                "party; for the operator, of all. Charges and agreed tokens are measured: they are in the log. Chip-seconds, their cost and therefore the "
                "margin are modelled by the sellers' price lists, not measured. Chip, model, vendor, "
                "host and region are the sellers' statements; deals whose listing names none are unattributed, and never "
                "spread. The same by command: " code { "rialto accounts --by chip" } ", "
                code { "rialto fleet concentration" } }
        }
    }

    fn lists(&self) -> Markup {
        if self.lists.is_empty() {
            return html! {
                (Empty::new(
                    "No price list is on the market. A provider makes one from a plan of the twin (rialto --json fleet plan … > plan.json) and publishes it:",
                    "rialto fleet publish plan.json --margin-percent 20",
                ))
            };
        }
        let columns = [
            words("Listing"),
            words("Provider"),
            words("Model"),
            words("Chip"),
            numbers("Input"),
            numbers("Cached"),
            numbers("Output"),
            words("Asset"),
        ];
        let rows: Vec<Vec<Markup>> = self.lists.iter().map(PriceList::row).collect();
        html! {
            (table("Price lists", &columns, &rows))
            (next_page(self.next.as_deref()))
        }
    }

    fn used(&self, what: &str, split: &Split) -> Markup {
        html! {
            div.scroll tabindex="0" role="region" aria-label={ "Used, by " (what.to_lowercase()) } {
                table {
                    caption.unseen { "What was used, by " (what.to_lowercase()) }
                    thead { tr {
                        th scope="col" { (what) }
                        th scope="col" { "Asset" }
                        @for name in ["Deals", "Charged, measured", "Chip-seconds, modelled", "Cost, modelled", "Margin, modelled", "Margin of charged, modelled"] {
                            th.num scope="col" { (name) }
                        }
                        th scope="col" { "Behind it" }
                    } }
                    tbody {
                        @for row in &split.rows { tr {
                            td { (named(row.name.as_deref())) }
                            (figures(row))
                        } }
                        @for row in &self.total { tr.total {
                            td { "Total; margin of the attributed part" }
                            (figures(row))
                        } }
                    }
                }
            }
            @if split.left_out > 0 {
                p { a href=(split.all) { (some(split.left_out, "further name")) } }
            }
        }
    }
}

/// Shown if no deal was settled.
fn nothing_used() -> Markup {
    html! {
        (Empty::new(
            "No deal was settled in this period. Chip-seconds, cost and margin appear when a deal that was struck on a price list is settled:",
            "rialto deal offer --with @provider --side buy --listing LISTING --price 2 --line 'million output tokens=3'",
        ))
    }
}

fn named(name: Option<&str>) -> Markup {
    html! {
        @match name {
            None => span.quiet { "unattributed" },
            Some(name) => (name),
        }
    }
}

fn figures(row: &Used) -> Markup {
    let modelled = row.modelled.as_ref();
    let margin = modelled.and_then(|m| m.margin.as_deref());
    let fraction = modelled.and_then(|m| m.margin_fraction.as_deref());
    html! {
        td { (row.asset) }
        td.num { (grouped(row.deals)) }
        td.num { (amount(&row.charged)) }
        td.num { @if let Some(m) = modelled { (amount(&m.chip_seconds)) } }
        td.num { @if let Some(m) = modelled { (amount(&m.cost)) } }
        td.num { @if let Some(margin) = margin { (amount(margin)) } }
        td.num { (percent(fraction)) }
        td { @if let Some(href) = &row.facts { a href=(href) { "events" } } }
    }
}

impl PriceList {
    fn row(&self) -> Vec<Markup> {
        let [input, cached, output] = &self.tokens;
        vec![
            html! {
                @match path_of(self.id) {
                    Some(path) => a href=(path) { (self.title) },
                    None => (self.title),
                }
            },
            html! { (self.provider) },
            html! { (self.model.as_deref().unwrap_or_default()) },
            html! {
                (self.chip)
                @if !self.place.is_empty() { span.under { (self.place.join(", ")) } }
            },
            input.cell(),
            cached.cell(),
            output.cell(),
            html! { (self.asset) },
        ]
    }
}

impl TokenPrice {
    fn cell(&self) -> Markup {
        html! {
            @match &self.price {
                Some(price) => (amount(price)),
                None => span.quiet { "not sold" },
            }
            @if let Some(cost) = &self.modelled_cost { span.under { "cost " (amount(cost)) } }
            @if let Some(seconds) = &self.modelled_chip_seconds {
                span.under { (amount(seconds)) " chip-s" }
            }
        }
    }
}

impl Concentration {
    fn block(&self) -> Markup {
        let of = self.measure.word();
        let title = match self.measure {
            Measure::Charged => format!("{of} by {}, in {}", self.dimension, self.asset),
            _ => format!("{of} by {}, of deals in {}", self.dimension, self.asset),
        };
        let rows: Vec<Vec<Markup>> = self
            .shares
            .iter()
            .map(|share| share.row(self.dimension == "provider"))
            .collect();
        let columns = [
            words("Name"),
            numbers(of),
            numbers("Share"),
            words("Of the whole"),
        ];
        let aside = html! {
            (basis(self.measure.basis()))
            span title="Herfindahl-Hirschman index: the sum of the squared attributed shares; 1 means a single name" {
                "HHI " (format!("{:.3}", self.hhi))
            }
            span { "as " (format!("{:.1}", self.effective_count)) " equal parts" }
        };
        let body = html! {
            (table(&title, &columns, &rows))
            @if self.left_out > 0 { p.quiet { (some(self.left_out, "further name")) } }
        };
        section(&title, &aside, &body)
    }
}

impl Share {
    /// Providers are agents; all other names are sellers' statements, and link nowhere.
    fn row(&self, agent: bool) -> Vec<Markup> {
        let name = self.name.as_deref();
        vec![
            match name.filter(|_| agent) {
                Some(handle) => html! { (Who::new(handle)) },
                None => named(name),
            },
            amount(&self.amount),
            html! { (format!("{:.1} %", self.share * 100.0)) },
            share(self.share),
        ]
    }
}

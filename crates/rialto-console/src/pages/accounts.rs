//! The accountability report: spent, reserved, earned and returned, by whom, with the modelled use of
//! chips, each row leading to the facts behind it.

use maud::{Markup, html};
use rialto_core::id::AnyId;

use crate::form::choice;
use crate::kit::{
    Empty, Money, Thing, When, Who, amount, next_page, numbers, position, reached, section, table,
    table_or, words,
};
use crate::shell::{heading, kept_live};

/// The figures of a row, in whole units of its asset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // The columns of the report, by name.
pub struct Figures {
    pub spent: String,
    pub reserved: String,
    pub earned: String,
    pub returned: String,
    pub margin: String,
    pub return_on_spend: Option<String>,
    pub bought: u64,
    pub sold: u64,
    pub modelled_chip_seconds: Option<String>,
    pub modelled_chip_cost: Option<String>,
    pub calls: Option<Calls>,
}

/// Calls of models and their tokens: those that were made or, where there are none, that were served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // The columns of the report, by name.
pub struct Calls {
    pub calls: u64,
    pub input: u64,
    pub cached: u64,
    pub output: u64,
    pub reasoning: u64,
}

/// A row of the report.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its dimensions, one cell each: the name, and the id behind it.
    pub by: Vec<(Who, Option<AnyId>)>,
    /// The asset.
    pub asset: String,
    /// The figures.
    pub figures: Figures,
    /// Where the facts behind it stand.
    pub facts: Option<String>,
}

/// Money that entered or left.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // The columns, by name.
pub struct Entered {
    pub asset: String,
    pub issued: String,
    pub deposited: String,
    pub withdrawn: String,
    pub corrected: String,
}

/// The page.
#[derive(Clone, Debug)]
pub struct Accounts {
    /// Its address.
    pub address: String,
    /// By what rows are grouped: names joined by commas.
    pub by: String,
    /// The period: `all`, `hour`, `day` or `week`.
    pub period: String,
    /// The dimensions' names.
    pub dimensions: Vec<String>,
    /// What deals explain.
    pub rows: Vec<Row>,
    /// What no deal explains.
    pub unattributed: Vec<Row>,
    /// The sums.
    pub total: Vec<Row>,
    /// What entered and left.
    pub entered: Vec<Entered>,
    /// The position that it was made at.
    pub position: u64,
}

const DIMENSIONS: [(&str, &str); 14] = [
    ("owner", "owner"),
    ("agent", "agent"),
    ("counterparty", "counterparty"),
    ("owner,agent", "owner and agent"),
    ("agent,counterparty", "agent and counterparty"),
    ("owner,counterparty", "owner and counterparty"),
    ("asset", "asset"),
    ("model", "model"),
    ("chip", "chip"),
    ("provider", "provider"),
    ("deployment", "deployment"),
    ("owner,chip", "owner and chip"),
    ("agent,model,chip", "agent, model and chip"),
    (
        "model,provider,deployment,chip",
        "model, provider, deployment and chip",
    ),
];
/// The periods of a report: their names in the address, and in words.
pub(crate) const PERIODS: [(&str, &str); 4] = [
    ("all", "from the beginning"),
    ("hour", "last hour"),
    ("day", "last 24 hours"),
    ("week", "last 7 days"),
];

impl Accounts {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        html! {
            (heading(&html! { "Accounts" }, &html! { "what was spent, and what came back" }))
            form.row-form.filters method="get" action="/accounts" {
                (choice("by", "Grouped by", &DIMENSIONS, &self.by))
                (choice("period", "Period", &PERIODS, &self.period))
                button.second type="submit" { "Show" }
            }
            (kept_live("report", &self.address, &self.report()))
        }
    }

    fn report(&self) -> Markup {
        html! {
            section.block {
                @if self.rows.is_empty() && self.unattributed.is_empty() {
                    (Empty::new("Nothing was spent or earned in this period.", "rialto ledger issue @agent 100"))
                } @else {
                    (self.grid())
                }
            }
            (section("Money that entered and left", &html! {}, &self.entered()))
            p.quiet { "From the log alone, at position " (reached(self.position)) ". The total equals the ledger's; "
                "what no deal explains is shown as unattributed and is never spread. Chip-seconds behind what was "
                "spent, and their cost, are modelled by the sellers' price lists, not measured. The same by command: "
                code { "rialto accounts --by " (self.by) } }
        }
    }

    fn grid(&self) -> Markup {
        let width = self.dimensions.len().max(1);
        let all = self
            .rows
            .iter()
            .chain(&self.unattributed)
            .chain(&self.total);
        let called = all.into_iter().any(|row| row.figures.calls.is_some());
        let tokens: &[&str] = match called {
            true => &[
                "Calls",
                "Tokens of input",
                "Of them cached",
                "Tokens of output",
                "Of them reasoning",
            ],
            false => &[],
        };
        html! {
            div.scroll tabindex="0" role="region" aria-label="Report" {
                table {
                    caption.unseen { "Spent, reserved, earned and returned" }
                    thead { tr {
                        @for name in &self.dimensions { th scope="col" { (name) } }
                        th scope="col" { "Asset" }
                        @for name in ["Spent", "Reserved", "Earned", "Returned", "Margin", "Return on spend", "Bought", "Sold", "Chip-seconds, modelled", "Chip cost, modelled"] {
                            th.num scope="col" { (name) }
                        }
                        @for name in tokens { th.num scope="col" { (name) } }
                        th scope="col" { "Behind it" }
                    } }
                    tbody {
                        @for row in &self.rows { tr {
                            @for (name, id) in &row.by { td { (cell(name, *id)) } }
                            (figures(row, called))
                        } }
                        @for row in &self.unattributed { tr {
                            td colspan=(width) { span.quiet { "unattributed: moved without a deal" } }
                            (figures(row, called))
                        } }
                        @for row in &self.total { tr.total {
                            td colspan=(width) { "Total" }
                            (figures(row, called))
                        } }
                    }
                }
            }
        }
    }

    fn entered(&self) -> Markup {
        let rows: Vec<Vec<Markup>> = self
            .entered
            .iter()
            .map(|row| {
                vec![
                    html! { (row.asset) },
                    amount(&row.issued),
                    amount(&row.deposited),
                    amount(&row.withdrawn),
                    amount(&row.corrected),
                ]
            })
            .collect();
        let columns = [
            words("Asset"),
            numbers("Issued"),
            numbers("Deposited"),
            numbers("Withdrawn"),
            numbers("Corrected"),
        ];
        let empty = Empty::new(
            "No money has entered in this period.",
            "rialto ledger issue @agent 100",
        );
        table_or("Money that entered and left", &columns, &rows, &empty)
    }
}

fn cell(who: &Who, id: Option<AnyId>) -> Markup {
    html! {
        @if who.handle.starts_with('@') { (who) }
        @else if let Some(href) = id.and_then(crate::kit::path_of) { a href=(href) { (who.handle) } }
        @else { (who.handle) }
    }
}

/// A row's figures; with `called` those of calls of models, too.
fn figures(row: &Row, called: bool) -> Markup {
    let figures = &row.figures;
    let calls = figures.calls.unwrap_or_default();
    let calls = [
        calls.calls,
        calls.input,
        calls.cached,
        calls.output,
        calls.reasoning,
    ];
    html! {
        td { (row.asset) }
        td.num { (amount(&figures.spent)) }
        td.num { (amount(&figures.reserved)) }
        td.num { (amount(&figures.earned)) }
        td.num { (amount(&figures.returned)) }
        td.num { (amount(&figures.margin)) }
        td.num { (percent(figures.return_on_spend.as_deref())) }
        td.num { (figures.bought) }
        td.num { (figures.sold) }
        td.num { @if let Some(seconds) = &figures.modelled_chip_seconds { (amount(seconds)) } }
        td.num { @if let Some(cost) = &figures.modelled_chip_cost { (amount(cost)) } }
        @if called {
            @for number in calls { td.num { @if figures.calls.is_some() { (number) } } }
        }
        td { @if let Some(href) = &row.facts { a href=(href) { "events" } } }
    }
}

/// A fraction of six digits as per cent with one.
pub(crate) fn percent(fraction: Option<&str>) -> String {
    let figure = fraction.and_then(|text| text.parse::<f64>().ok());
    figure.map_or_else(String::new, |figure| format!("{:+.1} %", figure * 100.0))
}

/// A fact behind a row.
#[derive(Clone, Debug)]
pub struct Fact {
    /// What it says: `spent`, `earned`, …
    pub kind: String,
    /// How much.
    pub money: Money,
    /// The entry of the ledger; none for the end of a call.
    pub entry: Option<AnyId>,
    /// The deal or call of a model that it is of.
    pub of: Option<AnyId>,
    /// When.
    pub at: When,
    /// The position of the event.
    pub position: u64,
}

/// The facts behind a row.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The report of the row.
    pub back: String,
    /// The facts.
    pub rows: Vec<Fact>,
    /// Where the next page is.
    pub next: Option<String>,
}

impl Facts {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let rows: Vec<Vec<Markup>> = self
            .rows
            .iter()
            .map(|fact| {
                vec![
                    html! { (fact.at) },
                    html! { (fact.kind.replace('_', " ")) },
                    html! { (fact.money) },
                    html! { @if let Some(of) = fact.of { (Thing(of)) } },
                    html! { @if let Some(entry) = fact.entry { (Thing(entry)) } },
                    position(fact.position),
                ]
            })
            .collect();
        let columns = [
            words("When"),
            words("Fact"),
            numbers("Amount"),
            words("Deal or call"),
            words("Entry"),
            words("Event"),
        ];
        let body = if rows.is_empty() {
            html! { p { "There is nothing behind this row." } }
        } else {
            table("Facts", &columns, &rows)
        };
        html! {
            (heading(&html! { "Events behind a row" }, &html! { a href=(self.back) { "Back to the report" } }))
            section.block { (body) (next_page(self.next.as_deref())) }
        }
    }
}

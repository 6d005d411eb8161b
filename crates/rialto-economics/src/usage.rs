//! The usage table: who used what, on what, for how much.
//!
//! Holds one row for each kind of tokens of one agent, model and chip in one period. A realm exports its
//! log in this form for the economics here; it is a plain CSV file that people can also write by hand.

use std::collections::HashMap;

use super::basis::Basis;
use super::input::{InputError, Row, Table};
use rialto_fleet::traffic::parse_day;

/// Kind of tokens that a row counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// Input tokens that the model computed.
    Input,
    /// Input tokens that the model read from the cache of an earlier call.
    CachedInput,
    /// Input tokens that the model computed and wrote to a cache for later calls, at a price of its own.
    CacheWrite,
    /// Written by the model as its answer.
    Output,
    /// Written by the model on the way to its answer, and billed separately. Tokens that a bill counts as
    /// output belong there, not here.
    Reasoning,
}

impl TokenKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Input,
        Self::CachedInput,
        Self::CacheWrite,
        Self::Output,
        Self::Reasoning,
    ];

    /// The name used in tables: `input`, `cached_input`, `cache_write`, `output` or `reasoning`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::CachedInput => "cached_input",
            Self::CacheWrite => "cache_write",
            Self::Output => "output",
            Self::Reasoning => "reasoning",
        }
    }
}

/// One row of the usage table. An empty text means that the fact is not known.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct UsageRow {
    /// First day of the period, `2026-10-01`.
    pub period_start: String,
    /// First day after the period.
    pub period_end: String,
    /// Who sold the tokens.
    pub provider: String,
    /// The model.
    pub model: String,
    /// The kind of chip that served it.
    pub chip: String,
    /// The host that runs the machines.
    pub host: String,
    /// Where the machines stand.
    pub region: String,
    /// Who pays.
    pub owner: String,
    /// The agent that asked.
    pub agent: String,
    /// Kind of tokens; none on a credit that is for no kind.
    pub token_kind: Option<TokenKind>,
    /// Number of tokens; zero on a credit, which gives back money and not tokens.
    pub tokens: f64,
    /// Dollars paid for them; negative on a credit.
    pub spend_usd: f64,
    /// Seconds of chips spent on them; none when not known.
    pub chip_seconds: Option<f64>,
    /// List price in dollars for a million tokens; none when it is not known.
    pub list_usd_per_million: Option<f64>,
    /// How the row came to be.
    pub basis: Basis,
    /// The line of the table, from 1.
    #[serde(skip)]
    pub line: usize,
}

const REQUIRED: [&str; 12] = [
    "period_start",
    "period_end",
    "provider",
    "model",
    "chip",
    "host",
    "region",
    "owner",
    "agent",
    "token_kind",
    "tokens",
    "spend_usd",
];

impl UsageRow {
    /// True when the row gives money back: a credit, refund or correction.
    #[must_use]
    pub fn is_credit(&self) -> bool {
        self.spend_usd < 0.0
    }
}

/// Reads a usage table. Columns: `period_start`, `period_end`, `provider`, `model`, `chip`, `host`,
/// `region`, `owner`, `agent`, `token_kind` (`input`, `cached_input`, `cache_write`, `output`,
/// `reasoning`), `tokens`, `spend_usd`, and optionally `chip_seconds`, `list_usd_per_million` and `basis`
/// (`measured` unless given). A row with a negative `spend_usd` is a credit. Its kind and tokens may be
/// empty; tokens that it states are the ones it refunds, which were counted in the row of their use.
///
/// # Errors
/// Names line and column of a cell that is missing, negative, reversed or unknown, and both lines of a row
/// that appears twice with equal cells.
pub fn parse(file: &str, text: &str) -> Result<Vec<UsageRow>, InputError> {
    let table = Table::parse(file, text, &REQUIRED)?;
    let mut rows = Vec::new();
    let mut seen: HashMap<Vec<&str>, usize> = HashMap::new();
    for row in table.rows() {
        if let Some(first) = seen.insert(row.cells().collect(), row.line()) {
            let message = format!(
                "stands twice: it repeats line {first} in every cell, and would be counted twice; leave \
                 one out, or add the two up in one row"
            );
            return Err(row.error("row", message));
        }
        rows.push(usage_row(row)?);
    }
    Ok(rows)
}

fn usage_row(row: Row<'_>) -> Result<UsageRow, InputError> {
    let (start, end) = (row.required("period_start")?, row.required("period_end")?);
    for (column, day) in [("period_start", start), ("period_end", end)] {
        if !is_date(day) {
            return Err(row.error(column, format!("{day:?} is not a date such as 2026-10-01")));
        }
    }
    if end <= start {
        let message = format!("dates reversed: {end} must come after {start}");
        return Err(row.error("period_end", message));
    }
    let spend_usd = match row.number("spend_usd")? {
        None => return Err(row.error("spend_usd", "must not be empty")),
        Some(value) => value,
    };
    let credit = spend_usd < 0.0;
    let basis = match row.text("basis") {
        "" | "measured" => Basis::Measured,
        "modelled" => Basis::Modelled,
        "estimate" => Basis::Estimate,
        _ => return Err(row.error("basis", "must be measured, modelled or estimate")),
    };
    let optional = |column: &str| match row.number(column)? {
        Some(value) if value < 0.0 => Err(row.error(column, "must be zero or more")),
        value => Ok(value),
    };
    let tokens = match optional("tokens")? {
        None if !credit => return Err(row.error("tokens", "must not be empty")),
        tokens => tokens.filter(|_| !credit).unwrap_or(0.0),
    };
    let text = |column: &str| row.text(column).to_owned();
    Ok(UsageRow {
        period_start: start.to_owned(),
        period_end: end.to_owned(),
        provider: text("provider"),
        model: text("model"),
        chip: text("chip"),
        host: text("host"),
        region: text("region"),
        owner: text("owner"),
        agent: text("agent"),
        token_kind: token_kind(row, credit)?,
        tokens,
        spend_usd,
        chip_seconds: optional("chip_seconds")?.filter(|_| !credit),
        list_usd_per_million: optional("list_usd_per_million")?,
        basis,
        line: row.line(),
    })
}

/// The row's kind of tokens; only a credit may have none.
fn token_kind(row: Row<'_>, credit: bool) -> Result<Option<TokenKind>, InputError> {
    let name = row.text("token_kind");
    if name.is_empty() {
        return match credit {
            true => Ok(None),
            false => row.required("token_kind").map(|_| None),
        };
    }
    let known = TokenKind::ALL.into_iter().find(|kind| kind.name() == name);
    known.map(Some).ok_or_else(|| {
        row.error(
            "token_kind",
            "must be input, cached_input, cache_write, output or reasoning",
        )
    })
}

/// A day as FOCUS and the table write it, `2026-10-01`, that the calendar has.
fn is_date(text: &str) -> bool {
    text.len() == 10 && parse_day(text).is_some()
}

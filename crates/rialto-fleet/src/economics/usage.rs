//! The usage table: who used what, on what, for how much.
//!
//! Holds one row for each kind of tokens of one agent, model and chip in one period. It is the
//! form in which a realm's log is exported for the economics here, and a plain CSV file that can
//! be written by hand.

use super::basis::Basis;
use super::input::{InputError, Table};

/// Kind of tokens that a row counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// Read by the model and computed.
    Input,
    /// Read by the model from a cache of an earlier call.
    CachedInput,
    /// Written by the model.
    Output,
}

impl TokenKind {
    /// The name used in tables: `input`, `cached_input` or `output`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::CachedInput => "cached_input",
            Self::Output => "output",
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
    /// Who runs the machines.
    pub host: String,
    /// Where the machines stand.
    pub region: String,
    /// Who pays.
    pub owner: String,
    /// The agent that asked.
    pub agent: String,
    /// Kind of tokens.
    pub token_kind: TokenKind,
    /// Tokens.
    pub tokens: f64,
    /// Dollars paid for them.
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

/// Reads a usage table. Columns: `period_start`, `period_end`, `provider`, `model`, `chip`,
/// `host`, `region`, `owner`, `agent`, `token_kind` (`input`, `cached_input`, `output`),
/// `tokens`, `spend_usd`, and optionally `chip_seconds`, `list_usd_per_million` and `basis`
/// (`measured` unless given).
///
/// # Errors
/// Names line and column of a cell that is missing, negative, reversed or unknown.
pub fn parse(file: &str, text: &str) -> Result<Vec<UsageRow>, InputError> {
    let table = Table::parse(file, text, &REQUIRED)?;
    let mut rows = Vec::new();
    for row in table.rows() {
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
        let token_kind = match row.required("token_kind")? {
            "input" => TokenKind::Input,
            "cached_input" => TokenKind::CachedInput,
            "output" => TokenKind::Output,
            _ => return Err(row.error("token_kind", "must be input, cached_input or output")),
        };
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
        let text = |column: &str| row.text(column).to_owned();
        rows.push(UsageRow {
            period_start: start.to_owned(),
            period_end: end.to_owned(),
            provider: text("provider"),
            model: text("model"),
            chip: text("chip"),
            host: text("host"),
            region: text("region"),
            owner: text("owner"),
            agent: text("agent"),
            token_kind,
            tokens: row.non_negative("tokens")?,
            spend_usd: row.non_negative("spend_usd")?,
            chip_seconds: optional("chip_seconds")?,
            list_usd_per_million: optional("list_usd_per_million")?,
            basis,
            line: row.line(),
        });
    }
    Ok(rows)
}

fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut next = |digits: usize| {
        let part = parts.next().filter(|p| p.len() == digits)?;
        part.bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| part.parse::<u32>().ok())?
    };
    let (Some(year), Some(month), Some(day)) = (next(4), next(2), next(2)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day) && parts.next().is_none()
}

//! Spend and usage in the columns of FOCUS 1.3.
//!
//! Holds the translation of the usage table to the FinOps Open Cost and Usage Specification, version 1.3,
//! dataset Cost and Usage (focus.finops.org). Tokens are the pricing unit. Facts for which FOCUS has no
//! column go to columns of our own, whose names begin with `x_` as FOCUS demands.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::input::InputError;
use super::usage::{TokenKind, UsageRow};
use rialto_fleet::cells::text_cell;

/// The version of the specification.
pub const VERSION: &str = "1.3";

/// The text for an owner, provider or agent that is not known.
pub const UNATTRIBUTED: &str = "Unattributed";

/// The columns of FOCUS 1.3 in its own order, then ours. `ProviderName` and `PublisherName` are
/// deprecated in 1.3 and still part of it.
pub const COLUMNS: [&str; 72] = [
    "AllocatedMethodId",
    "AllocatedMethodDetails",
    "AllocatedResourceId",
    "AllocatedResourceName",
    "AllocatedTags",
    "AvailabilityZone",
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingAccountType",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "CapacityReservationId",
    "CapacityReservationStatus",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "CommitmentDiscountCategory",
    "CommitmentDiscountId",
    "CommitmentDiscountName",
    "CommitmentDiscountQuantity",
    "CommitmentDiscountStatus",
    "CommitmentDiscountType",
    "CommitmentDiscountUnit",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractApplied",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "HostProviderName",
    "InvoiceId",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingCurrency",
    "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "ServiceProviderName",
    "ServiceSubcategory",
    "SkuId",
    "SkuMeter",
    "SkuPriceDetails",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "SubAccountType",
    "Tags",
    "x_Agent",
    "x_Basis",
    "x_Chip",
    "x_ChipSeconds",
    "x_ListPriceKnown",
    "x_Model",
    "x_TokenKind",
];

/// A value of a FOCUS column.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// No value.
    Null,
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
}

/// One row: a cell for each of [`COLUMNS`].
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    cells: Vec<Cell>,
}

impl Record {
    /// The cell of `column`; none when there is no such column.
    #[must_use]
    pub fn cell(&self, column: &str) -> Option<&Cell> {
        let index = COLUMNS.iter().position(|c| *c == column)?;
        self.cells.get(index)
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(COLUMNS.len()))?;
        for (column, cell) in COLUMNS.iter().zip(&self.cells) {
            map.serialize_entry(column, cell)?;
        }
        map.end()
    }
}

/// Translates a usage table; `file` is what errors call it.
///
/// A row of negative spend is a credit: it has no quantity, no unit price and no SKU.
///
/// # Errors
/// When a row of usage has spend without tokens (no unit price exists), or no model (no SKU exists).
pub fn records(file: &str, rows: &[UsageRow]) -> Result<Vec<Record>, InputError> {
    let translate = |row: &UsageRow| {
        let error = |field: &str, message: &str| {
            Err(InputError {
                file: file.to_owned(),
                line: row.line,
                field: field.to_owned(),
                message: message.to_owned(),
            })
        };
        if row.is_credit() {
            let cells = COLUMNS.iter().map(|column| credit_cell(row, column));
            return Ok(Record {
                cells: cells.collect(),
            });
        }
        if row.tokens == 0.0 && row.spend_usd > 0.0 {
            return error("tokens", "has spend but no tokens, so it has no unit price");
        }
        if row.model.is_empty() {
            return error("model", "names no model, so it has no SKU");
        }
        let cells = COLUMNS.iter().map(|column| cell(row, column)).collect();
        Ok(Record { cells })
    };
    rows.iter().map(translate).collect()
}

fn text(value: &str) -> Cell {
    Cell::Text(value.to_owned())
}

/// A text, or nothing when the fact is not known.
fn optional(value: &str) -> Cell {
    if value.is_empty() {
        Cell::Null
    } else {
        text(value)
    }
}

/// A text for a column that must not be null.
fn named(value: &str) -> Cell {
    text(if value.is_empty() {
        UNATTRIBUTED
    } else {
        value
    })
}

fn cell(row: &UsageRow, column: &str) -> Cell {
    match column {
        "BillingAccountId" | "BillingAccountName" => named(&row.owner),
        "BillingAccountType" => text("Owner"),
        "BillingPeriodEnd" => Cell::Text(billing_end(&row.period_end)),
        "BillingPeriodStart" => Cell::Text(month_start(&row.period_start, 0)),
        "ChargeCategory" => text("Usage"),
        "ChargeDescription" => Cell::Text(description(row)),
        "ChargeFrequency" => text("Usage-Based"),
        "ChargePeriodEnd" => Cell::Text(format!("{}T00:00:00Z", row.period_end)),
        "ChargePeriodStart" => Cell::Text(format!("{}T00:00:00Z", row.period_start)),
        "HostProviderName" if row.host.is_empty() => named(&row.provider),
        "HostProviderName" => text(&row.host),
        "InvoiceIssuerName" | "ProviderName" | "PublisherName" | "ServiceProviderName" => {
            named(&row.provider)
        }
        "RegionId" | "RegionName" => optional(&row.region),
        "ResourceId" | "ResourceName" | "x_Model" => text(&row.model),
        "ResourceType" => text("Model"),
        "ServiceCategory" => text("AI and Machine Learning"),
        "ServiceName" => text("Model inference"),
        "ServiceSubcategory" => text("Generative AI"),
        "SkuId" | "SkuPriceId" => Cell::Text(format!("{}/{}", row.model, kind_name(row))),
        "SkuMeter" => row.token_kind.map_or(Cell::Null, |kind| text(meter(kind))),
        "SubAccountId" | "SubAccountName" | "x_Agent" => optional(&row.agent),
        "SubAccountType" if row.agent.is_empty() => Cell::Null,
        "SubAccountType" => text("Agent"),
        "x_Basis" => Cell::Text(row.basis.to_string()),
        "x_Chip" => optional(&row.chip),
        "x_ChipSeconds" => row.chip_seconds.map_or(Cell::Null, Cell::Number),
        "x_TokenKind" => optional(kind_name(row)),
        _ => money_cell(row, column),
    }
}

/// A credit's columns, as FOCUS wants them for a charge that is not usage. A credit has a cost and no
/// quantity; if it names a model, that is the resource.
fn credit_cell(row: &UsageRow, column: &str) -> Cell {
    match column {
        "ChargeCategory" => text("Credit"),
        "ChargeDescription" => Cell::Text(match row.model.as_str() {
            "" => "Credit".to_owned(),
            model => format!("Credit for {model}"),
        }),
        "ChargeFrequency" => text("One-Time"),
        "ResourceId" | "ResourceName" | "x_Model" => optional(&row.model),
        "ResourceType" if row.model.is_empty() => Cell::Null,
        "ListCost" => Cell::Number(row.spend_usd),
        "ConsumedQuantity"
        | "ConsumedUnit"
        | "PricingQuantity"
        | "PricingUnit"
        | "PricingCategory"
        | "SkuId"
        | "SkuMeter"
        | "SkuPriceId"
        | "ContractedUnitPrice"
        | "ListUnitPrice"
        | "PricingCurrencyContractedUnitPrice"
        | "PricingCurrencyListUnitPrice"
        | "x_ChipSeconds"
        | "x_ListPriceKnown" => Cell::Null,
        _ => cell(row, column),
    }
}

fn kind_name(row: &UsageRow) -> &'static str {
    row.token_kind.map_or("", TokenKind::name)
}

/// The columns of quantities, prices and costs; null for a column that holds none.
fn money_cell(row: &UsageRow, column: &str) -> Cell {
    let contracted = if row.tokens > 0.0 {
        row.spend_usd / row.tokens
    } else {
        0.0
    };
    let list = row.list_usd_per_million;
    match column {
        "BilledCost" | "ContractedCost" | "EffectiveCost" | "PricingCurrencyEffectiveCost" => {
            Cell::Number(row.spend_usd)
        }
        "BillingCurrency" | "PricingCurrency" => text("USD"),
        "ConsumedQuantity" | "PricingQuantity" => Cell::Number(row.tokens),
        "ConsumedUnit" | "PricingUnit" => text("tokens"),
        "ContractedUnitPrice" | "PricingCurrencyContractedUnitPrice" => Cell::Number(contracted),
        "ListCost" => Cell::Number(list.map_or(row.spend_usd, |price| price * row.tokens / 1e6)),
        "ListUnitPrice" | "PricingCurrencyListUnitPrice" => {
            Cell::Number(list.map_or(contracted, |price| price / 1e6))
        }
        "PricingCategory" => text("Standard"),
        "x_ListPriceKnown" => text(if list.is_some() { "true" } else { "false" }),
        _ => Cell::Null,
    }
}

fn meter(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Input => "Input Tokens",
        TokenKind::CachedInput => "Cached Input Tokens",
        TokenKind::CacheWrite => "Cache Write Tokens",
        TokenKind::Output => "Output Tokens",
        TokenKind::Reasoning => "Reasoning Tokens",
    }
}

fn description(row: &UsageRow) -> String {
    let chip = if row.chip.is_empty() {
        "a chip not stated"
    } else {
        &row.chip
    };
    let tokens = row.token_kind.map_or("Tokens", meter);
    format!("{tokens} of {} on {chip}", row.model)
}

/// The first instant of the month of `date`, or of a later month.
fn month_start(date: &str, later: u32) -> String {
    let number = |range: std::ops::Range<usize>| -> u32 {
        date.get(range).and_then(|t| t.parse().ok()).unwrap_or(0)
    };
    let months = number(0..4) * 12 + number(5..7).saturating_sub(1) + later;
    format!("{:04}-{:02}-01T00:00:00Z", months / 12, months % 12 + 1)
}

/// The end of the billing period: `end` itself when a month begins there, else the next month.
fn billing_end(end: &str) -> String {
    month_start(end, u32::from(!end.ends_with("-01")))
}

/// Writes records as CSV with a header; absent values are empty cells.
#[must_use]
pub fn to_csv(records: &[Record]) -> String {
    let mut text = COLUMNS.join(",");
    text.push('\n');
    for record in records {
        for (i, cell) in record.cells.iter().enumerate() {
            if i > 0 {
                text.push(',');
            }
            match cell {
                Cell::Null => {}
                Cell::Number(value) => text.push_str(&decimal(*value)),
                Cell::Text(value) => text.push_str(&text_cell(value)),
            }
        }
        text.push('\n');
    }
    text
}

/// A decimal number without an exponent, with a point even when it is whole: readers that guess types from
/// the digits then read a decimal, as FOCUS defines the column.
fn decimal(value: f64) -> String {
    let text = value.to_string();
    if text.contains('.') {
        text
    } else {
        format!("{text}.0")
    }
}

//! The quarters of a business, read from a table of any columns.
//!
//! Holds the mapping that states which column holds which figure, and the reader. A column of the table, or
//! a list in the mapping, names the figures that were derived from others; the reader never searches notes
//! for this.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::calendar::Quarter;
use crate::input::{self, Fault, InputError, Row, Table, Validate};

/// A figure of one quarter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// Billions of dollars.
    pub usd_b: f64,
    /// True when it was derived from other figures, or has no source.
    pub derived: bool,
}

/// One quarter of a business.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HistoryRow {
    /// The quarter.
    pub quarter: Quarter,
    /// Revenue.
    pub revenue: Option<Figure>,
    /// Operating income.
    pub operating_income: Option<Figure>,
    /// Depreciation and amortisation.
    pub depreciation: Option<Figure>,
    /// Net property, plant and equipment at the end of the quarter.
    pub ppe_net: Option<Figure>,
}

/// Quarters of a business, oldest first and without gaps.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// The quarters.
    pub rows: Vec<HistoryRow>,
}

/// Names one of a quarter's figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FigureKind {
    /// Revenue.
    Revenue,
    /// Operating income.
    OperatingIncome,
    /// Depreciation and amortisation.
    Depreciation,
    /// Net property, plant and equipment.
    PpeNet,
}

impl FigureKind {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Revenue, "revenue"),
        (Self::OperatingIncome, "operating_income"),
        (Self::Depreciation, "depreciation"),
        (Self::PpeNet, "ppe_net"),
    ];
}

impl FromStr for FigureKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|(_, name)| *name == text);
        known.map(|(kind, _)| kind).ok_or_else(|| {
            let names = Self::ALL.map(|(_, name)| name).join(", ");
            format!("`{text}` is no figure; known: {names}")
        })
    }
}

/// Quarters in which a figure was derived from others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DerivedSpan {
    /// The figure.
    pub figure: FigureKind,
    /// The first such quarter.
    pub from: Quarter,
    /// The last.
    pub to: Quarter,
}

/// Which column of a table holds which figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryColumns {
    /// The quarter, such as 2026Q1.
    pub quarter: String,
    /// Revenue.
    pub revenue: String,
    /// Operating income.
    pub operating_income: String,
    /// Depreciation and amortisation.
    pub depreciation: String,
    /// Net property, plant and equipment; absent where the table has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ppe_net: Option<String>,
    /// The names of the figures of a row that were derived from others (`revenue`, `operating_income`,
    /// `depreciation`, `ppe_net`), separated by `;`. Absent where the table does not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived: Option<String>,
    /// Where the figures of a row come from; absent where the table does not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// How many dollars a figure of 1 in the table means.
    #[serde(default = "billion")]
    pub usd_per_unit: f64,
    /// Further figures that were derived, for tables without such a column.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub derived_figures: Vec<DerivedSpan>,
}

const BILLION: f64 = 1e9;

fn billion() -> f64 {
    BILLION
}

/// The mapping of the shipped table.
const SHIPPED: (&str, &str) = (
    "history-columns.toml",
    include_str!("../../history-columns.toml"),
);

impl Validate for HistoryColumns {
    fn validate(&self) -> Result<(), Fault> {
        let mut columns = vec![
            ("quarter", &self.quarter),
            ("revenue", &self.revenue),
            ("operating_income", &self.operating_income),
            ("depreciation", &self.depreciation),
        ];
        let optional = [
            ("ppe_net", &self.ppe_net),
            ("derived", &self.derived),
            ("source", &self.source),
        ];
        columns.extend(
            optional
                .into_iter()
                .filter_map(|(field, column)| Some((field, column.as_ref()?))),
        );
        for (i, (field, column)) in columns.iter().enumerate() {
            input::name(field, column)?;
            if let Some((other, _)) = columns.iter().take(i).find(|(_, c)| c == column) {
                let message = format!("`{column}` is the column of {other} already");
                return Err(Fault::new(*field, message));
            }
        }
        for (i, span) in self.derived_figures.iter().enumerate() {
            if span.to < span.from {
                let message = format!("{} lies before {}", span.to, span.from);
                return Err(Fault::new(format!("derived_figures[{i}].to"), message));
            }
        }
        input::between("usd_per_unit", self.usd_per_unit, 1.0, 1e12)
    }
}

impl HistoryColumns {
    /// The mapping of the shipped table.
    ///
    /// # Errors
    /// None in a released build: the file is part of the program, and a test reads it.
    pub fn shipped() -> Result<Self, InputError> {
        input::parse_toml(SHIPPED.0, SHIPPED.1)
    }

    fn required(&self) -> Vec<&str> {
        let always = [
            &self.quarter,
            &self.revenue,
            &self.operating_income,
            &self.depreciation,
        ];
        let mapped = [&self.ppe_net, &self.derived, &self.source];
        let mapped = mapped.into_iter().flatten();
        always
            .into_iter()
            .chain(mapped)
            .map(String::as_str)
            .collect()
    }

    /// Whether a figure was derived, as the row itself or the mapping's list says.
    fn is_derived(
        &self,
        row: Row<'_>,
        kind: FigureKind,
        quarter: Quarter,
    ) -> Result<bool, InputError> {
        let listed = self
            .derived_figures
            .iter()
            .any(|span| span.figure == kind && (span.from..=span.to).contains(&quarter));
        let Some(column) = &self.derived else {
            return Ok(listed);
        };
        let mut said = listed;
        for name in row
            .text(column)
            .split(';')
            .map(str::trim)
            .filter(|n| !n.is_empty())
        {
            let named: FigureKind = name.parse().map_err(|e: String| row.error(column, e))?;
            said |= named == kind;
        }
        Ok(said)
    }
}

impl History {
    /// Reads a table by the mapping. Figures may be absent.
    ///
    /// # Errors
    /// Names line and column of a malformed or negative figure, of a quarter out of order, of an operating
    /// income beyond revenue, of a derived figure that no row has, and of a figure a hundred times its
    /// neighbours in the column, which must be in another unit.
    pub fn parse(file: &str, text: &str, columns: &HistoryColumns) -> Result<Self, InputError> {
        let table = Table::parse(file, text, &columns.required())?;
        let mut rows: Vec<HistoryRow> = Vec::new();
        for row in table.rows() {
            let quarter: Quarter = row.parse(&columns.quarter)?;
            if let Some(last) = rows.last().map(|r| r.quarter)
                && quarter.since(last) != 1
            {
                let message = format!("{quarter} must directly follow {last}");
                return Err(row.error(&columns.quarter, message));
            }
            rows.push(read(row, quarter, columns)?);
        }
        let mapped = [
            Some(&columns.revenue),
            Some(&columns.depreciation),
            columns.ppe_net.as_ref(),
        ];
        for column in mapped.into_iter().flatten() {
            one_unit(&table, column, columns.usd_per_unit)?;
        }
        Ok(Self { rows })
    }
}

fn read(
    row: Row<'_>,
    quarter: Quarter,
    columns: &HistoryColumns,
) -> Result<HistoryRow, InputError> {
    if let Some(source) = &columns.source {
        row.required(source)?;
    }
    let figure = |column: &str, kind: FigureKind| {
        let derived = columns.is_derived(row, kind, quarter)?;
        let Some(value) = row.number(column)? else {
            return Ok(None);
        };
        // Only an operating result can be negative.
        if value < 0.0 && kind != FigureKind::OperatingIncome {
            return Err(row.error(column, format!("must be zero or more, is {value}")));
        }
        let usd_b = if columns.usd_per_unit == BILLION {
            value
        } else {
            value * columns.usd_per_unit / BILLION
        };
        Ok(Some(Figure { usd_b, derived }))
    };
    let revenue = figure(&columns.revenue, FigureKind::Revenue)?;
    let operating_income = figure(&columns.operating_income, FigureKind::OperatingIncome)?;
    if let (Some(revenue), Some(income)) = (revenue, operating_income)
        && income.usd_b > revenue.usd_b
    {
        let (income, revenue) = (income.usd_b, revenue.usd_b);
        let message = format!("units mixed up: {income} is above the revenue of {revenue}");
        return Err(row.error(&columns.operating_income, message));
    }
    let ppe_net = match &columns.ppe_net {
        Some(column) => figure(column, FigureKind::PpeNet)?,
        None => None,
    };
    Ok(HistoryRow {
        quarter,
        revenue,
        operating_income,
        depreciation: figure(&columns.depreciation, FigureKind::Depreciation)?,
        ppe_net,
    })
}

/// No business grows or shrinks by this factor within a quarter: such a figure is in another unit.
const MOST_TIMES: f64 = 100.0;

/// Checks that no figure of a column is [`MOST_TIMES`] times its neighbours, or that fraction of them.
fn one_unit(table: &Table, column: &str, usd_per_unit: f64) -> Result<(), InputError> {
    let mut figures = Vec::new();
    for row in table.rows() {
        let value = row.number(column)?.filter(|v| *v > 0.0);
        figures.extend(value.map(|v| (row, v)));
    }
    let far = |a: f64, b: f64| a >= b * MOST_TIMES || b >= a * MOST_TIMES;
    let odd = |i: usize| {
        let (row, value) = figures.get(i)?;
        let before = i.checked_sub(1).and_then(|j| figures.get(j));
        let mut beside = [before, figures.get(i + 1)]
            .into_iter()
            .flatten()
            .peekable();
        let (_, neighbour) = **beside.peek()?;
        let alone = beside.all(|(_, other)| far(*value, *other));
        alone.then_some((*row, *value, neighbour))
    };
    // Of a first or last figure and the one beside it, the one with two neighbours is the odd one.
    let ends = [0, figures.len().saturating_sub(1)];
    let inner = 1..figures.len().saturating_sub(1);
    if let Some((row, value, neighbour)) = inner.chain(ends).find_map(odd) {
        let message = format!(
            "units mixed up: {value} stands beside {neighbour}; one in the column is {usd_per_unit} dollars"
        );
        return Err(row.error(column, message));
    }
    Ok(())
}

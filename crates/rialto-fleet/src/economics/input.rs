//! Reading scenarios (TOML) and tables (CSV) with errors that name file, line and field.
//!
//! Holds parsing and the checks that every scenario shares. It never opens a file: callers hand
//! in the text and the name to show in errors.

use serde::de::DeserializeOwned;

use super::uncertainty::Range;
use crate::echo::{bounded, number};
use crate::place::{self, line_at};
use crate::traffic::SEMICOLONS;

/// Largest table accepted, in rows; past it the caller gets an error, not a crash.
pub const MAX_ROWS: usize = 2_000_000;

/// The largest figure that any field takes, of whatever unit: beyond it two of them do not add up.
pub const LARGEST: f64 = 1e18;

/// The smallest figure above zero that any field takes: what is smaller was not meant, and what it divides
/// is beyond all measure.
pub const SMALLEST: f64 = 1e-9;

/// The shortest useful life, years: what wears out sooner is no capital.
pub const SHORTEST_LIFE_YEARS: f64 = 0.25;

/// The smallest share that a figure may be divided by (a utilisation): one part in a thousand.
pub const SMALLEST_DIVISOR: f64 = 1e-3;

/// Input that cannot be used: where it stands and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {field}: {message}")]
pub struct InputError {
    /// The file as the caller named it.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The field, as a dotted path (`class[1].useful_life_years`) or a column name.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl InputError {
    /// A fault with its line looked up in the text it was found in.
    #[must_use]
    pub fn from_fault(file: &str, text: &str, fault: &Fault) -> Self {
        let line = locate(text, &fault.path);
        Self {
            file: file.to_owned(),
            line,
            field: bounded(&fault.path).into_owned(),
            message: bounded(&fault.message).into_owned(),
        }
    }
}

/// A fault in a parsed value, before its line is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Dotted path of the field.
    pub path: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Fault {
    /// A fault at `path`.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
        }
    }
}

/// A scenario that can say what is wrong with itself.
pub trait Validate {
    /// Returns the first fault found.
    ///
    /// # Errors
    /// When a field is out of its limits or two fields contradict each other.
    fn validate(&self) -> Result<(), Fault>;
}

/// Parses and validates a TOML scenario.
///
/// # Errors
/// When the text is not TOML, a field is missing, unknown or of the wrong kind, or
/// [`Validate::validate`] finds a fault; always with the line.
pub fn parse_toml<T: DeserializeOwned + Validate>(file: &str, text: &str) -> Result<T, InputError> {
    let error = |line: usize, field: String, message: String| InputError {
        file: file.to_owned(),
        line,
        field,
        message,
    };
    let value: T = place::read_toml(text).map_err(|misfit| {
        let line = misfit.line.unwrap_or_else(|| locate(text, &misfit.field));
        error(line, misfit.field, misfit.message)
    })?;
    value
        .validate()
        .map_err(|fault| InputError::from_fault(file, text, &fault))?;
    Ok(value)
}

/// The line on which the value at `path` is written, or that of its nearest written ancestor.
fn locate(text: &str, path: &str) -> usize {
    let Ok(document) = toml::de::DeTable::parse(text) else {
        return 1;
    };
    let mut line = line_at(text, document.span().start);
    let mut table = Some(document.get_ref());
    for part in path.split('.') {
        let (key, indices) = split_indices(part);
        let Some((name, value)) = table.and_then(|t| t.get_key_value(key)) else {
            return line;
        };
        line = line_at(text, name.span().start);
        let mut value = value;
        for index in indices {
            let toml::de::DeValue::Array(array) = value.get_ref() else {
                return line;
            };
            let Some(element) = array.get(index) else {
                return line;
            };
            line = line_at(text, element.span().start);
            value = element;
        }
        table = match value.get_ref() {
            toml::de::DeValue::Table(inner) => Some(inner),
            _ => None,
        };
    }
    line
}

fn split_indices(part: &str) -> (&str, Vec<usize>) {
    let (key, rest) = part.split_once('[').unwrap_or((part, ""));
    let indices = rest
        .split('[')
        .filter_map(|i| i.trim_end_matches(']').parse().ok())
        .collect();
    (key, indices)
}

/// Checks that `value` lies between [`SMALLEST`] and [`LARGEST`].
///
/// # Errors
/// Names `path` when it is not.
pub fn positive(path: &str, value: f64) -> Result<(), Fault> {
    if (SMALLEST..=LARGEST).contains(&value) {
        return Ok(());
    }
    let beyond = if value > LARGEST {
        format!("must be at most {LARGEST:e}, is {value:e}; check its unit")
    } else if value > 0.0 {
        format!("must be at least {SMALLEST:e}, is {value:e}; check its unit")
    } else {
        format!("must be above zero, is {}", number(value))
    };
    Err(Fault::new(path, beyond))
}

/// Checks that `value` is not negative and at most [`LARGEST`].
///
/// # Errors
/// Names `path` when it is not.
pub fn non_negative(path: &str, value: f64) -> Result<(), Fault> {
    if (0.0..=LARGEST).contains(&value) {
        return Ok(());
    }
    let beyond = if value > LARGEST {
        format!("must be at most {LARGEST:e}, is {value:e}; check its unit")
    } else {
        format!("must be zero or more, is {}", number(value))
    };
    Err(Fault::new(path, beyond))
}

/// Checks that `value` is a share between 0 and 1.
///
/// # Errors
/// Names `path`; a value above 1 is taken for a percentage and the message says so.
pub fn share(path: &str, value: f64) -> Result<(), Fault> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    let hint = if value > 1.0 && value <= 100.0 {
        format!("; for {value} % write {}", value / 100.0)
    } else {
        String::new()
    };
    Err(Fault::new(
        path,
        format!(
            "is a share and must lie between 0 and 1, is {}{hint}",
            number(value)
        ),
    ))
}

/// Checks that `value` is a share that something is divided by: at least [`SMALLEST_DIVISOR`], at most 1.
///
/// # Errors
/// Names `path`; zero and what is below has the words of [`positive`], what is above 1 those of [`share`].
pub fn used_share(path: &str, value: f64) -> Result<(), Fault> {
    share(path, value)?;
    if value <= 0.0 {
        return positive(path, value);
    }
    between(path, value, SMALLEST_DIVISOR, 1.0)
}

/// Checks that `value` lies between `low` and `high`.
///
/// # Errors
/// Names `path` when it does not.
pub fn between(path: &str, value: f64, low: f64, high: f64) -> Result<(), Fault> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(Fault::new(
        path,
        format!("must lie between {low} and {high}, is {}", number(value)),
    ))
}

/// Applies one of the checks above to the three values of a range, and checks their order.
///
/// # Errors
/// Names `path` when a value is out of limits or low, mid and high are out of order.
pub fn each(
    path: &str,
    range: &Range,
    check: impl Fn(&str, f64) -> Result<(), Fault>,
) -> Result<(), Fault> {
    check(path, range.low)?;
    check(path, range.mid)?;
    check(path, range.high)?;
    if range.low <= range.mid && range.mid <= range.high {
        return Ok(());
    }
    let Range { low, mid, high } = range;
    Err(Fault::new(
        path,
        format!("needs low <= mid <= high, is {low}, {mid}, {high}"),
    ))
}

/// Checks the adoption lags of a scenario: 2 to 12 cases that rise, at most 40 quarters.
///
/// # Errors
/// Names `adoption_lag_quarters`.
pub fn lags(lags: &[u32]) -> Result<(), Fault> {
    let fault = |message: String| Err(Fault::new("adoption_lag_quarters", message));
    if lags.len() < 2 || lags.len() > 12 {
        return fault(format!("needs 2 to 12 cases, has {}", lags.len()));
    }
    if lags.windows(2).any(|pair| pair[0] >= pair[1]) {
        return fault("must rise from case to case".to_owned());
    }
    match lags.last() {
        Some(last) if *last > 40 => fault("at most 40 quarters".to_owned()),
        _ => Ok(()),
    }
}

/// Checks that a name is not empty and no longer than 120 characters.
///
/// # Errors
/// Names `path` when it is not.
pub fn name(path: &str, text: &str) -> Result<(), Fault> {
    if text.trim().is_empty() {
        return Err(Fault::new(path, "must not be empty"));
    }
    if text.chars().count() > 120 {
        return Err(Fault::new(path, "is longer than 120 characters"));
    }
    Ok(())
}

/// Checks that a list has between 1 and `limit` entries.
///
/// # Errors
/// Names `path` when it does not.
pub fn count(path: &str, length: usize, limit: usize) -> Result<(), Fault> {
    if length == 0 {
        return Err(Fault::new(path, "needs at least one entry"));
    }
    if length > limit {
        return Err(Fault::new(
            path,
            format!("has {length} entries; at most {limit} are allowed"),
        ));
    }
    Ok(())
}

/// Checks that no two of `names` are equal.
///
/// # Errors
/// Names the second of two equal ones as `path[index].name`.
pub fn distinct<'a>(path: &str, names: impl Iterator<Item = &'a str>) -> Result<(), Fault> {
    let mut seen = std::collections::BTreeSet::new();
    for (index, name) in names.enumerate() {
        if !seen.insert(name) {
            return Err(Fault::new(
                format!("{path}[{index}].name"),
                format!("{name:?} is named twice"),
            ));
        }
    }
    Ok(())
}

/// A CSV table read whole: columns by name, every cell with its line.
#[derive(Debug)]
pub struct Table {
    file: String,
    columns: Vec<String>,
    rows: Vec<(usize, csv::StringRecord)>,
}

impl Table {
    /// Parses `text` and checks that the columns of `required` are present, in any order.
    /// Further columns are kept and can be read if asked for.
    ///
    /// # Errors
    /// When a row has another number of cells than the header, a required column is missing, a
    /// column appears twice, or there are more than [`MAX_ROWS`] rows.
    pub fn parse(file: &str, text: &str, required: &[&str]) -> Result<Self, InputError> {
        let error = |line: usize, field: &str, message: String| InputError {
            file: file.to_owned(),
            line,
            field: bounded(field).into_owned(),
            message: bounded(&message).into_owned(),
        };
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let header = reader
            .headers()
            .map_err(|e| error(1, "header", csv_message(&e)))?
            .clone();
        let columns: Vec<String> = header.iter().map(str::to_owned).collect();
        if let [only] = columns.as_slice()
            && only.contains(';')
        {
            return Err(error(1, "header", SEMICOLONS.to_owned()));
        }
        for (index, column) in columns.iter().enumerate() {
            if columns.iter().take(index).any(|c| c == column) {
                return Err(error(1, column, "the column appears twice".to_owned()));
            }
        }
        if let Some(missing) = required
            .iter()
            .find(|name| !columns.iter().any(|c| c == *name))
        {
            let message = format!("the column is missing; found {}", columns.join(", "));
            return Err(error(1, missing, message));
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|e| {
                let line = place::csv_line(text, e.position());
                error(line, "row", csv_message(&e))
            })?;
            let line = place::csv_line(text, record.position());
            if rows.len() >= MAX_ROWS {
                return Err(error(line, "row", format!("more than {MAX_ROWS} rows")));
            }
            rows.push((line, record));
        }
        Ok(Self {
            file: file.to_owned(),
            columns,
            rows,
        })
    }

    /// The rows in file order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(line, record)| Row {
            table: self,
            line: *line,
            record,
        })
    }

    /// The columns in file order.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(String::as_str)
    }

    /// True when the table has a column of that name.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|c| c == column)
    }
}

fn csv_message(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            format!("has {len} cells, the header has {expected_len}")
        }
        _ => error.to_string(),
    }
}

/// One row of a [`Table`].
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    table: &'a Table,
    line: usize,
    record: &'a csv::StringRecord,
}

impl<'a> Row<'a> {
    /// The line of the file, counted from 1.
    #[must_use]
    pub fn line(self) -> usize {
        self.line
    }

    /// The cells in file order.
    pub fn cells(self) -> impl Iterator<Item = &'a str> {
        self.record.iter()
    }

    /// The cell of `column`, empty when the column or the cell is absent.
    #[must_use]
    pub fn text(self, column: &str) -> &'a str {
        let index = self.table.columns.iter().position(|c| c == column);
        index.and_then(|i| self.record.get(i)).unwrap_or("")
    }

    /// The cell of `column`, which must not be empty.
    ///
    /// # Errors
    /// When it is empty.
    pub fn required(self, column: &str) -> Result<&'a str, InputError> {
        match self.text(column) {
            "" => Err(self.error(column, "must not be empty")),
            text => Ok(text),
        }
    }

    /// The number in `column`, or nothing when the cell is empty.
    ///
    /// # Errors
    /// When the cell holds something else than a finite number.
    pub fn number(self, column: &str) -> Result<Option<f64>, InputError> {
        let text = self.text(column);
        if text.is_empty() {
            return Ok(None);
        }
        match text.parse::<f64>() {
            Ok(value) if value.abs() <= LARGEST => Ok(Some(value)),
            Ok(value) if value.is_finite() => Err(self.error(
                column,
                format!("{value:e} is beyond {LARGEST:e}; check its unit"),
            )),
            _ => Err(self.error(column, format!("{text:?} is not a number"))),
        }
    }

    /// The number in `column`, which must be there and not negative.
    ///
    /// # Errors
    /// When it is absent, not a number or negative.
    pub fn non_negative(self, column: &str) -> Result<f64, InputError> {
        match self.number(column)? {
            None => Err(self.error(column, "must not be empty")),
            Some(value) if value < 0.0 => Err(self.error(
                column,
                format!("must be zero or more, is {}", number(value)),
            )),
            Some(value) => Ok(value),
        }
    }

    /// Parses the cell of `column`, which must not be empty.
    ///
    /// # Errors
    /// When it is empty or does not parse.
    pub fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(
        self,
        column: &str,
    ) -> Result<T, InputError> {
        self.required(column)?
            .parse()
            .map_err(|e: T::Err| self.error(column, e.to_string()))
    }

    /// An error at this row and `column`.
    pub fn error(self, column: &str, message: impl Into<String>) -> InputError {
        InputError {
            file: self.table.file.clone(),
            line: self.line,
            field: column.to_owned(),
            message: bounded(&message.into()).into_owned(),
        }
    }
}

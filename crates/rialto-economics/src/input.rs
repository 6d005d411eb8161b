//! Reading scenarios (TOML) with errors that name file, line and field.
//!
//! Holds parsing and the checks that every scenario shares. It never opens a file: callers pass the text
//! and the name to show in errors.

use serde::de::DeserializeOwned;

use super::uncertainty::Range;
use rialto_fleet::echo::{bounded, number};
use rialto_fleet::place::{self, line_at};
pub use rialto_fleet::table::{InputError, LARGEST, MAX_ROWS, Row, Table};

/// The smallest figure above zero that any field takes: a smaller one is surely a mistake, and dividing by
/// it gives meaningless results.
pub const SMALLEST: f64 = 1e-9;

/// The shortest useful life, years: what wears out sooner is not capital.
pub const SHORTEST_LIFE_YEARS: f64 = 0.25;

/// The smallest share that a figure may be divided by (a utilisation): one part in a thousand.
pub const SMALLEST_DIVISOR: f64 = 1e-3;

/// A fault with its line looked up in the text it was found in.
#[must_use]
pub fn error_of(file: &str, text: &str, fault: &Fault) -> InputError {
    let line = locate(text, &fault.path);
    InputError {
        file: file.to_owned(),
        line,
        field: bounded(&fault.path).into_owned(),
        message: bounded(&fault.message).into_owned(),
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
        .map_err(|fault| error_of(file, text, &fault))?;
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
/// Names `path`. A value above 1 is taken as a percentage, and the message says so.
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
/// Names `path`. For zero and below, the message is that of [`positive`]; above 1, that of [`share`].
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

/// Checks the fields that every scenario over years has: name, source, the number of years (at most
/// `most`), draws and adoption lags.
///
/// # Errors
/// Names the first field that is out of its limits.
pub fn outlook(
    (called, source): (&str, &str),
    (years, most): (u32, u32),
    drawn: u32,
    lagging: &[u32],
) -> Result<(), Fault> {
    name("name", called)?;
    name("source", source)?;
    between("horizon_years", f64::from(years), 1.0, f64::from(most))?;
    draws(drawn)?;
    lags(lagging)
}

/// Checks the draws of a Monte Carlo: 100 to 100,000.
///
/// # Errors
/// Names `draws`.
pub fn draws(draws: u32) -> Result<(), Fault> {
    between("draws", f64::from(draws), 100.0, 100_000.0)
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

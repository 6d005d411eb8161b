//! Tables (CSV) with errors that name file, line and column.
//!
//! Holds the reader that every table of the product goes through. It never opens a file: callers pass the
//! text and the name to show in errors.

use crate::echo::{bounded, number};
use crate::place;

/// Largest table accepted, in rows; for a larger one the caller gets an error, not a crash.
pub const MAX_ROWS: usize = 2_000_000;

/// The largest figure that any field takes, in any unit: larger ones cannot be added without loss.
pub const LARGEST: f64 = 1e18;

/// The hint for a table that a spreadsheet in another language saved.
pub(crate) const SEMICOLONS: &str = "its columns are separated by semicolons; save it with commas, and numbers with a decimal point";

/// Input that cannot be used: where it is and what is wrong with it.
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

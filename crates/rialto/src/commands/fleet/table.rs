//! Text tables and the words around them, for the commands on the fleet's economics.
//!
//! Holds layout only: columns as wide as their widest cell, numbers to the right. It prints
//! nothing itself.

use std::path::{Path, PathBuf};

use rialto_economics::input::error_of;
use rialto_economics::{Basis, Fault, InputError, Spread, Swing, Validate};
use serde::de::DeserializeOwned;

use crate::output::{CliError, Output};

/// Running text is broken at this many characters.
pub(super) const WIDTH: usize = 96;

/// A table under construction: the first column is text, the others are numbers.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these column heads.
    pub(super) fn new(heads: &[&str]) -> Self {
        Self {
            rows: vec![heads.iter().map(|h| (*h).to_owned()).collect()],
        }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The finished lines: two spaces between columns, the first to the left, others to the right.
    pub(super) fn lines(&self) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |c: usize| {
            self.rows
                .iter()
                .filter_map(|r| r.get(c))
                .map(|t| t.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row
                .iter()
                .zip(&widths)
                .enumerate()
                .map(|(i, (text, width))| match i {
                    0 => format!("{text:<width$}"),
                    _ => format!("{text:>width$}"),
                });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }

    /// Prints a title, the table and a line that says where its figures come from.
    pub(super) fn print(&self, out: Output, title: &str, origin: &str) -> Result<(), CliError> {
        out.line("")?;
        out.line(title)?;
        for line in self.lines() {
            out.line(format!("  {line}"))?;
        }
        wrapped(out, "  ", origin)
    }
}

/// Prints text broken at spaces to [`WIDTH`], every line after `indent`.
pub(super) fn wrapped(out: Output, indent: &str, text: &str) -> Result<(), CliError> {
    let mut line = indent.to_owned();
    for word in text.split_whitespace() {
        let longer = line.chars().count() + 1 + word.chars().count();
        if longer > WIDTH && line.len() > indent.len() {
            out.line(&line)?;
            line = indent.to_owned();
        }
        if line.len() > indent.len() {
            line.push(' ');
        }
        line.push_str(word);
    }
    out.line(&line)
}

/// Reads a file as text.
pub(super) fn read(path: &Path) -> Result<String, CliError> {
    super::traffic::read(path)
}

/// Reads and checks a TOML scenario.
pub(super) fn scenario<T: DeserializeOwned + Validate>(path: &Path) -> Result<T, CliError> {
    let text = read(path)?;
    rialto_economics::parse_toml(&path.display().to_string(), &text).map_err(input)
}

/// An input error as the command line shows it; for use in `map_err`.
#[allow(
    clippy::needless_pass_by_value,
    reason = "map_err passes the error by value"
)]
pub(super) fn input(error: InputError) -> CliError {
    CliError::usage(error.to_string())
}

/// A fault found after parsing, with its line looked up in the file.
pub(super) fn fault(path: &Path, fault: &Fault) -> CliError {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    input(error_of(&path.display().to_string(), &text, fault))
}

/// A path that a scenario names, relative to the scenario.
pub(super) fn beside(scenario: &Path, name: &str) -> PathBuf {
    scenario
        .parent()
        .unwrap_or_else(|| Path::new(""))
        .join(name)
}

/// `12.3 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", fixed(share * 100.0, 1))
}

/// `12.3 %`, or a dash when there is none.
pub(super) fn percent_or_dash(share: Option<f64>) -> String {
    share.map_or_else(dash, percent)
}

/// A number with `decimals` decimals, or a dash when there is none.
pub(super) fn number_or_dash(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(dash, |v| fixed(v, decimals))
}

/// A number with `decimals` decimals; never minus zero.
pub(super) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let zero = text
        .trim_start_matches('-')
        .chars()
        .all(|c| c == '0' || c == '.');
    if zero {
        text.trim_start_matches('-').to_owned()
    } else {
        text
    }
}

/// The text shown for an absent figure.
pub(super) fn dash() -> String {
    "-".to_owned()
}

/// Three significant digits with a suffix for thousands, millions, billions or trillions.
pub(super) fn compact(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude == 0.0 {
        return "0".to_owned();
    }
    let (scale, suffix) = match magnitude {
        m if m >= 1e12 => (1e12, " T"),
        m if m >= 1e9 => (1e9, " B"),
        m if m >= 1e6 => (1e6, " M"),
        m if m >= 1e4 => (1e3, " k"),
        _ => (1.0, ""),
    };
    let scaled = value / scale;
    let decimals = match scaled.abs() {
        s if s >= 99.95 => 0,
        s if s >= 9.995 => 1,
        _ => 2,
    };
    format!("{}{suffix}", fixed(scaled, decimals))
}

/// `modelled; from …`: the line under a table.
pub(super) fn origin(basis: Basis, source: &str) -> String {
    format!("{basis}; {source}")
}

/// The three quantiles of a spread, each through `show`.
pub(super) fn quantiles(spread: &Spread, show: impl Fn(f64) -> String) -> [String; 3] {
    [spread.p10, spread.p50, spread.p90].map(|value| value.map_or_else(dash, &show))
}

/// Prints the widest swings of a sensitivity, at most `limit` of them.
pub(super) fn tornado(
    out: Output,
    title: &str,
    swings: &[Swing],
    limit: usize,
    show: impl Fn(f64) -> String,
) -> Result<(), CliError> {
    if swings.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(&["input", "from", "to", "at low", "at high", "swing"]);
    for swing in swings.iter().take(limit) {
        table.row([
            swing.input.clone(),
            compact(swing.range.low),
            compact(swing.range.high),
            show(swing.at_low),
            show(swing.at_high),
            show(swing.width()),
        ]);
    }
    let left = swings.len().saturating_sub(limit);
    let more = if left > 0 {
        format!("; {left} narrower ones left out")
    } else {
        String::new()
    };
    let note = format!("modelled; one input moves over its range, the others stay at mid{more}");
    table.print(out, title, &note)
}

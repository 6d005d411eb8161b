//! Parsers for recorded traffic.
//!
//! Four formats: the Azure LLM inference CSV (P. Patel et al., "Splitwise", ISCA 2024), the
//! Mooncake JSON lines (R. Qin et al., FAST 2025) with their hashes of 512-token prompt blocks,
//! a request log of our own, and the log of finished calls ([`super::Call`]). All
//! errors name file, line and field.

use std::collections::HashMap;

use serde::Deserialize;

use super::{MAX_TOKENS, Prefix, PrefixTable, Request};
use crate::echo::bounded;
use crate::place::read_json;
use crate::rng::mix64;
use crate::table::SEMICOLONS;

/// A trace's file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `TIMESTAMP,ContextTokens,GeneratedTokens`, one request a line.
    Azure,
    /// One JSON object a line: `timestamp` (ms), `input_length`, `output_length`, `hash_ids`.
    Mooncake,
    /// `arrived_at,input_tokens,output_tokens` and optional columns, see [`Trace::parse`].
    RequestLog,
    /// JSON lines of finished calls, as [`super::Call`] describes them.
    Calls,
}

/// What is wrong with a trace, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}, field `{field}`: {message}")]
pub struct TraceError {
    /// The file's name as the caller gave it.
    pub file: String,
    /// Line number, from 1.
    pub line: usize,
    /// The column or key.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// A parsed trace: requests in order of arrival, the first at time zero.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The requests, by arrival.
    pub requests: Vec<Request>,
    /// The hashes of their prompt blocks.
    pub prefixes: PrefixTable,
}

struct At<'a> {
    file: &'a str,
    line: usize,
}

/// The lines of a file that are not blank, each with where it stands.
fn lines<'a>(file: &'a str, text: &'a str) -> impl Iterator<Item = (At<'a>, &'a str)> {
    let numbered = text.lines().zip(1..);
    let written = numbered.filter(|(line, _)| !line.trim().is_empty());
    written.map(move |(text, line)| (At { file, line }, text))
}

impl At<'_> {
    fn error(&self, field: &str, message: impl Into<String>) -> TraceError {
        TraceError {
            file: self.file.to_owned(),
            line: self.line,
            field: bounded(field).into_owned(),
            message: bounded(&message.into()).into_owned(),
        }
    }

    fn tokens(&self, field: &str, value: i64) -> Result<u32, TraceError> {
        match u32::try_from(value) {
            Ok(0) => Err(self.error(field, "zero tokens; a request has at least one")),
            Ok(tokens) if tokens <= MAX_TOKENS => Ok(tokens),
            Ok(_) => Err(self.error(field, format!("{value} tokens is above {MAX_TOKENS}"))),
            Err(_) if value < 0 => Err(self.error(field, format!("{value} is negative"))),
            Err(_) => Err(self.error(field, format!("{value} tokens is above {MAX_TOKENS}"))),
        }
    }

    fn integer(&self, field: &str, text: &str) -> Result<i64, TraceError> {
        let text = text.trim();
        text.parse().map_err(|_| {
            self.error(
                field,
                format!("`{text}` is no whole number (tokens, without a unit)"),
            )
        })
    }
}

impl Trace {
    /// Recognises the format from the first line.
    ///
    /// # Errors
    /// When the first line is of none of the formats.
    pub fn detect(file: &str, text: &str) -> Result<Format, TraceError> {
        let first = text.lines().next().unwrap_or("").trim();
        if !first.contains(',') && first.contains(';') {
            return Err(At { file, line: 1 }.error("header", SEMICOLONS));
        }
        if first.starts_with('{') && first.contains("\"input_tokens\"") {
            return Ok(Format::Calls);
        }
        if first.starts_with('{') {
            return Ok(Format::Mooncake);
        }
        if first.split(',').any(|c| c.trim() == "ContextTokens") {
            return Ok(Format::Azure);
        }
        if first.split(',').any(|c| c.trim() == "arrived_at") {
            return Ok(Format::RequestLog);
        }
        Err(At { file, line: 1 }.error(
            "header",
            "not a known trace: expected `TIMESTAMP,ContextTokens,GeneratedTokens` (Azure), \
             JSON lines with `timestamp` and `hash_ids` (Mooncake), or a header with \
             `arrived_at,input_tokens,output_tokens` (request log)",
        ))
    }

    /// Parses a trace in the format its first line shows.
    ///
    /// The request log is a CSV without quoting whose header names its columns, in any order:
    /// `arrived_at` (RFC 3339, UTC), `input_tokens` and `output_tokens` are required; `model` and
    /// `session` are optional; a session's prompts are taken to extend one another. With `model`
    /// given, only its rows are kept.
    ///
    /// # Errors
    /// The first malformed field, arrivals out of order, or a trace without a request.
    pub fn parse(file: &str, text: &str, model: Option<&str>) -> Result<Self, TraceError> {
        let format = Self::detect(file, text)?;
        if model.is_some() && !matches!(format, Format::RequestLog | Format::Calls) {
            return Err(At { file, line: 1 }.error(
                "model",
                "this trace format has no model column to select by",
            ));
        }
        let trace = match format {
            Format::Azure => parse_azure(file, text)?,
            Format::Mooncake => parse_mooncake(file, text)?,
            Format::RequestLog => parse_request_log(file, text, model)?,
            Format::Calls => parse_calls(file, text, model)?,
        };
        if trace.requests.is_empty() {
            return Err(At { file, line: 1 }.error("requests", "the trace holds no request"));
        }
        Ok(trace)
    }

    /// Time between the first and the last arrival, seconds.
    #[must_use]
    pub fn duration_s(&self) -> f64 {
        self.requests
            .last()
            .map_or(0.0, |r| r.arrival_ns as f64 * 1e-9)
    }
}

/// Turns absolute times into offsets and refuses a step back in time.
struct Clock {
    first_ns: Option<i128>,
    last_ns: i128,
}

impl Clock {
    fn new() -> Self {
        Self {
            first_ns: None,
            last_ns: 0,
        }
    }

    fn offset(&mut self, at: &At<'_>, field: &str, time_ns: i128) -> Result<u64, TraceError> {
        let first = *self.first_ns.get_or_insert(time_ns);
        if time_ns - first < self.last_ns {
            return Err(at.error(
                field,
                "arrives before the line above it; sort the trace by arrival time",
            ));
        }
        self.last_ns = time_ns - first;
        u64::try_from(self.last_ns)
            .map_err(|_| at.error(field, "further from the first request than 584 years"))
    }
}

const AZURE_COLUMNS: [&str; 3] = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"];

/// Position of each column in the header: they are read by name, in whatever order they stand.
fn azure_columns(file: &str, header: &str) -> Result<[usize; 3], TraceError> {
    let at = At { file, line: 1 };
    let mut columns = [None; 3];
    for (position, name) in header.split(',').map(str::trim).enumerate() {
        let known = AZURE_COLUMNS.iter().position(|c| *c == name);
        let known = known.ok_or_else(|| {
            let known = AZURE_COLUMNS.join(", ");
            at.error(name, format!("unknown column; known are {known}"))
        })?;
        if columns[known].replace(position).is_some() {
            return Err(at.error(name, "the column appears twice"));
        }
    }
    let mut positions = [0; 3];
    for ((position, column), name) in positions.iter_mut().zip(columns).zip(AZURE_COLUMNS) {
        let missing = || at.error(name, "the column is missing from the header");
        *position = column.ok_or_else(missing)?;
    }
    Ok(positions)
}

fn parse_azure(file: &str, text: &str) -> Result<Trace, TraceError> {
    let columns = azure_columns(file, text.lines().next().unwrap_or(""))?;
    let mut clock = Clock::new();
    let mut requests = Vec::with_capacity(text.len() / 36);
    for (at, line) in lines(file, text).skip_while(|(at, _)| at.line == 1) {
        let mut fields = line.split(',');
        let mut cells = [""; 3];
        for (position, cell) in cells.iter_mut().enumerate() {
            *cell = fields.next().ok_or_else(|| {
                let known = columns.iter().position(|c| *c == position).unwrap_or(0);
                at.error(AZURE_COLUMNS[known], "the line has too few columns")
            })?;
        }
        if fields.next().is_some() {
            return Err(at.error("GeneratedTokens", "the line has more than three columns"));
        }
        let [time, input, output] = columns.map(|position| cells[position]);
        let time_ns = parse_time_ns(time).ok_or_else(|| {
            at.error(
                "TIMESTAMP",
                format!("`{time}` is no time like 2023-11-16 18:15:46.6805900"),
            )
        })?;
        requests.push(Request {
            arrival_ns: clock.offset(&at, "TIMESTAMP", time_ns)?,
            input_tokens: at.tokens("ContextTokens", at.integer("ContextTokens", input)?)?,
            output_tokens: at.tokens("GeneratedTokens", at.integer("GeneratedTokens", output)?)?,
            prefix: Prefix::Unique,
        });
    }
    Ok(Trace {
        requests,
        prefixes: PrefixTable::default(),
    })
}

/// One line of a Mooncake trace. Fields are read as signed numbers so that a negative one is
/// reported by name.
#[derive(Deserialize)]
struct MooncakeLine {
    timestamp: serde_json::Number,
    input_length: i64,
    output_length: i64,
    #[serde(default)]
    hash_ids: Vec<u64>,
}

/// Tokens behind one hash of a Mooncake trace (its README).
const MOONCAKE_BLOCK_TOKENS: u32 = 512;

fn parse_mooncake(file: &str, text: &str) -> Result<Trace, TraceError> {
    let mut clock = Clock::new();
    let mut requests = Vec::new();
    let mut hashes: Vec<u64> = Vec::new();
    for (at, line) in lines(file, text) {
        let row: MooncakeLine =
            read_json(line).map_err(|(field, message)| at.error(&field, message))?;
        let millis = row.timestamp.as_f64().unwrap_or(-1.0);
        if !(0.0..1e15).contains(&millis) {
            return Err(at.error("timestamp", format!("{millis} is no time in milliseconds")));
        }
        let input_tokens = at.tokens("input_length", row.input_length)?;
        let blocks = input_tokens.div_ceil(MOONCAKE_BLOCK_TOKENS);
        if !row.hash_ids.is_empty() && row.hash_ids.len() as u64 != u64::from(blocks) {
            let message = format!(
                "{} hashes for {input_tokens} prompt tokens, which make {blocks} blocks of \
                 {MOONCAKE_BLOCK_TOKENS}; give one hash a block, or none where they are unknown",
                row.hash_ids.len()
            );
            return Err(at.error("hash_ids", message));
        }
        let start = u32::try_from(hashes.len())
            .map_err(|_| at.error("hash_ids", "more than 2^32 hashes in one trace"))?;
        let len = row.hash_ids.len() as u32;
        hashes.extend(row.hash_ids.iter().map(|&id| mix64(id)));
        requests.push(Request {
            arrival_ns: clock.offset(&at, "timestamp", (millis * 1e6) as i128)?,
            input_tokens,
            output_tokens: at.tokens("output_length", row.output_length)?,
            prefix: if len == 0 {
                Prefix::Unique
            } else {
                Prefix::Listed { start, len }
            },
        });
    }
    Ok(Trace {
        requests,
        prefixes: PrefixTable::new(MOONCAKE_BLOCK_TOKENS, hashes),
    })
}

const LOG_COLUMNS: [&str; 5] = [
    "arrived_at",
    "input_tokens",
    "output_tokens",
    "model",
    "session",
];

/// Position of each known column in the header; `None` where the log lacks it.
fn log_columns(file: &str, header: &str) -> Result<[Option<usize>; 5], TraceError> {
    let at = At { file, line: 1 };
    let mut columns = [None; 5];
    for (position, name) in header.split(',').map(str::trim).enumerate() {
        let known = LOG_COLUMNS.iter().position(|c| *c == name).ok_or_else(|| {
            at.error(
                name,
                format!("unknown column; known are {}", LOG_COLUMNS.join(", ")),
            )
        })?;
        if columns[known].replace(position).is_some() {
            return Err(at.error(name, "the column appears twice"));
        }
    }
    for (known, name) in LOG_COLUMNS.iter().enumerate().take(3) {
        if columns[known].is_none() {
            return Err(at.error(name, "the column is missing from the header"));
        }
    }
    Ok(columns)
}

fn parse_request_log(file: &str, text: &str, model: Option<&str>) -> Result<Trace, TraceError> {
    let header = text.lines().next().unwrap_or("");
    let columns = log_columns(file, header)?;
    let width = header.split(',').count();
    let mut clock = Clock::new();
    let mut requests = Vec::new();
    let mut sessions: HashMap<&str, u64> = HashMap::new();
    for (at, line) in lines(file, text).skip_while(|(at, _)| at.line == 1) {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        if cells.len() != width {
            let message = format!("{} columns, the header has {width}", cells.len());
            return Err(at.error("line", message));
        }
        let cell = |column: usize| columns[column].map(|position| cells[position]);
        if let (Some(wanted), Some(got)) = (model, cell(3)) {
            if wanted != got {
                continue;
            }
        } else if model.is_some() {
            return Err(at.error("model", "the log has no `model` column to select by"));
        }
        let time = cell(0).unwrap_or("");
        let time_ns = parse_time_ns(time).ok_or_else(|| {
            at.error(
                "arrived_at",
                format!("`{time}` is no time like 2026-11-22T13:04:05.25Z"),
            )
        })?;
        let count = |column: usize| {
            let name = LOG_COLUMNS[column];
            at.tokens(name, at.integer(name, cell(column).unwrap_or(""))?)
        };
        let prefix = match cell(4) {
            None | Some("") => Prefix::Unique,
            Some(name) => {
                let next = sessions.len() as u64 + 1;
                let session = mix64(*sessions.entry(name).or_insert(next));
                Prefix::Session {
                    app: 0,
                    app_blocks: 0,
                    session,
                }
            }
        };
        requests.push(Request {
            arrival_ns: clock.offset(&at, "arrived_at", time_ns)?,
            input_tokens: count(1)?,
            output_tokens: count(2)?,
            prefix,
        });
    }
    Ok(Trace {
        requests,
        prefixes: PrefixTable::new(16, Vec::new()),
    })
}

/// What a replay needs of a finished call. How long the call took does not matter to a replay.
#[derive(Deserialize)]
struct CallLine {
    time: String,
    input_tokens: i64,
    output_tokens: i64,
    #[serde(default)]
    model: String,
}

/// Calls are logged as they finish; they are put in order of arrival here.
fn parse_calls(file: &str, text: &str, model: Option<&str>) -> Result<Trace, TraceError> {
    let mut arrived: Vec<(i128, usize, Request)> = Vec::new();
    for (at, line) in lines(file, text) {
        let row: CallLine =
            read_json(line).map_err(|(field, message)| at.error(&field, message))?;
        if model.is_some_and(|wanted| wanted != row.model) {
            continue;
        }
        let time_ns = parse_time_ns(&row.time).ok_or_else(|| {
            let message = format!("`{}` is no time like 2026-11-22T13:04:05.25Z", row.time);
            at.error("time", message)
        })?;
        let request = Request {
            arrival_ns: 0,
            input_tokens: at.tokens("input_tokens", row.input_tokens)?,
            output_tokens: at.tokens("output_tokens", row.output_tokens)?,
            prefix: Prefix::Unique,
        };
        arrived.push((time_ns, at.line, request));
    }
    arrived.sort_by_key(|(time_ns, line, _)| (*time_ns, *line));
    let mut clock = Clock::new();
    let mut requests = Vec::with_capacity(arrived.len());
    for (time_ns, line, mut request) in arrived {
        request.arrival_ns = clock.offset(&At { file, line }, "time", time_ns)?;
        requests.push(request);
    }
    Ok(Trace {
        requests,
        prefixes: PrefixTable::default(),
    })
}

/// A time since 1970 as RFC 3339, to the microsecond; the reverse of [`parse_time_ns`]. Days by
/// H. Hinnant's `civil_from_days`.
#[must_use]
pub fn format_time_ns(time_ns: u64) -> String {
    let (seconds, micros) = (time_ns / 1_000_000_000, time_ns % 1_000_000_000 / 1_000);
    let shifted = seconds / 86_400 + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let clock = seconds % 86_400;
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// Days of a month.
fn days_of_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970 of `YYYY-MM-DD`, a day that the calendar has, by H. Hinnant's `days_from_civil`.
#[must_use]
pub fn parse_day(date: &str) -> Option<i64> {
    let mut date = date.split('-');
    let mut next = |low: i64, high: i64| -> Option<i64> {
        let part = date.next()?;
        let value: i64 = part.parse().ok()?;
        (part.bytes().all(|b| b.is_ascii_digit()) && (low..=high).contains(&value)).then_some(value)
    };
    let (year, month, day) = (next(1970, 9999)?, next(1, 12)?, next(1, 31)?);
    if date.next().is_some() || day > days_of_month(year, month) {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted / 400;
    let year_of_era = shifted - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Nanoseconds since 1970 of `YYYY-MM-DD hh:mm:ss[.fraction]`, with a space or `T` between and an
/// optional `Z`.
#[must_use]
pub fn parse_time_ns(text: &str) -> Option<i128> {
    let text = text.trim();
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (date, time) = text.split_once(['T', ' '])?;
    let days = parse_day(date)?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let number = |part: &str| part.parse().ok().filter(|_| !part.starts_with(['+', '-']));
    let mut parts = clock.split(':').map(number);
    let (hour, minute, second): (i64, i64, i64) = (parts.next()??, parts.next()??, parts.next()??);
    let in_range =
        (0..24).contains(&hour) && (0..60).contains(&minute) && (0..61).contains(&second);
    let digits = fraction.bytes().all(|b| b.is_ascii_digit()) && !fraction.is_empty();
    if parts.next().is_some() || !in_range || !digits {
        return None;
    }
    let mut nanos: i128 = 0;
    for place in 0..9 {
        let digit = fraction
            .as_bytes()
            .get(place)
            .map_or(0, |b| i128::from(b - b'0'));
        nanos = nanos * 10 + digit;
    }
    let seconds = i128::from(days) * 86_400 + i128::from(hour * 3600 + minute * 60 + second);
    Some(seconds * 1_000_000_000 + nanos)
}

#[cfg(test)]
mod tests {
    use super::{format_time_ns, parse_time_ns};

    #[test]
    fn times_are_written_as_they_are_read() {
        for time_ns in [
            0,
            86_399_999_999_000,
            951_782_400_000_000_000,
            4_102_444_799_000_001_000,
        ] {
            let text = format_time_ns(time_ns);
            assert_eq!(parse_time_ns(&text), Some(time_ns.into()), "{text}");
        }
        assert_eq!(
            format_time_ns(951_782_400_000_000_000),
            "2000-02-29T00:00:00.000000Z"
        );
    }

    #[test]
    fn times_are_read_to_the_nanosecond() {
        let table = [
            ("1970-01-01 00:00:00", Some(0)),
            ("1970-01-02T00:00:00.5Z", Some(86_400_500_000_000)),
            (
                "2023-11-16 18:15:46.6805900",
                Some(1_700_158_546_680_590_000),
            ),
            ("2024-02-29 12:00:00", Some(1_709_208_000_000_000_000)),
            ("2023-02-29 12:00:00", None),
            ("2024-02-30 12:00:00", None),
            ("2100-02-29 12:00:00", None),
            ("2023-04-31 12:00:00", None),
            ("2023-04-30 +5:00:00", None),
            ("2023-04-30 05:00:00ZZ", None),
            ("2023-13-16 18:15:46", None),
            ("2023-11-16", None),
            ("2023-11-16 25:15:46", None),
            ("1700158546", None),
        ];
        for (text, expected) in table {
            assert_eq!(parse_time_ns(text), expected, "{text}");
        }
    }
}

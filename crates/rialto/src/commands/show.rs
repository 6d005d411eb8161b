//! How answers are laid out for people: aligned tables, records, and what a command did.
//!
//! Texts of others are printed as data: characters that could steer a terminal are replaced. Under
//! `--json` the server's answer is printed as it came.

use rialto_core::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};
use serde_json::{Map, Value};

use crate::output::{CliError, Output, safe};

/// The widest cell of a table, in characters.
const CELL: usize = 80;

/// A column: its head, and the JSON pointer of its value in a row.
pub(crate) type Column = (&'static str, &'static str);

/// Prints a page of rows as a table, and how to get the next page.
///
/// # Errors
/// When the output cannot be written.
pub(crate) fn page(out: Output, answer: &Value, columns: &[(&str, &str)]) -> Result<(), CliError> {
    out.json(answer)?;
    if out.is_json() {
        return Ok(());
    }
    let (rows, next) = (rows_of(answer), answer.get("next_cursor"));
    let next = next.and_then(Value::as_str);
    match (rows.is_empty(), next) {
        (true, None) => out.note("nothing found"),
        (true, Some(_)) => out.note("nothing on this page"),
        (false, _) => table(out, rows, columns)?,
    }
    if let Some(cursor) = next {
        out.note(format!("there are more: --cursor {cursor}"));
    }
    Ok(())
}

/// The rows of an answer: a list, or the list in it.
pub(crate) fn rows_of(answer: &Value) -> &[Value] {
    let list = ["items", "hits", "rows"]
        .into_iter()
        .find_map(|name| answer.get(name))
        .unwrap_or(answer);
    list.as_array().map_or(&[], Vec::as_slice)
}

/// Prints rows as a table; columns that are empty in every row are left out.
///
/// # Errors
/// When the output cannot be written.
pub(crate) fn table(out: Output, rows: &[Value], columns: &[(&str, &str)]) -> Result<(), CliError> {
    let cell_at = |row: &Value, pointer: &str| {
        let value = row.pointer(pointer).unwrap_or(&Value::Null);
        let shown =
            period(pointer, value).map_or_else(|| cell(value, out.is_whole()), |(_, span)| span);
        marked(row, pointer, shown)
    };
    let cells: Vec<Vec<String>> = columns
        .iter()
        .map(|(_, pointer)| rows.iter().map(|row| cell_at(row, pointer)).collect())
        .collect();
    let shown: Vec<usize> = (0..columns.len())
        .filter(|c| {
            cells
                .get(*c)
                .is_some_and(|col| col.iter().any(|t| t != "-"))
        })
        .collect();
    let layout: Vec<(&str, &Vec<String>, usize, bool)> = shown
        .iter()
        .filter_map(|c| Some((columns.get(*c)?.0, cells.get(*c)?)))
        .map(|(head, column)| {
            let width = column
                .iter()
                .map(|t| t.chars().count())
                .chain([head.len()])
                .max()
                .unwrap_or(0);
            (head, column, width, column.iter().all(|t| is_number(t)))
        })
        .collect();
    let padded = |text: &str, width: usize, right: bool| {
        if right {
            format!("{text:>width$}")
        } else {
            format!("{text:<width$}")
        }
    };
    let heads: Vec<String> = layout
        .iter()
        .map(|(head, _, width, right)| padded(head, *width, *right))
        .collect();
    out.line(heads.join("  ").trim_end())?;
    for index in 0..rows.len() {
        let line: Vec<String> = layout
            .iter()
            .map(|(_, column, width, right)| {
                padded(column.get(index).map_or("", String::as_str), *width, *right)
            })
            .collect();
        out.line(line.join("  ").trim_end())?;
    }
    Ok(())
}

/// Prints one row as it comes, its cells separated by two spaces.
///
/// # Errors
/// When the output cannot be written.
pub(crate) fn row(out: Output, row: &Value, columns: &[Column]) -> Result<(), CliError> {
    let cells = columns.iter().filter_map(|(_, pointer)| {
        Some(marked(
            row,
            pointer,
            cell(row.pointer(pointer)?, out.is_whole()),
        ))
    });
    out.line(cells.collect::<Vec<_>>().join("  "))
}

/// A handle with the one that it could be taken for, if the row says so.
fn marked(row: &Value, pointer: &str, shown: String) -> String {
    let beside = match pointer.strip_suffix("handle") {
        Some(place) => format!("{place}resembles"),
        None => format!("{pointer}_resembles"),
    };
    match row.pointer(&beside).and_then(Value::as_str) {
        Some(other) => format!("{shown} (not {})", plain(other)),
        None => shown,
    }
}

fn is_number(text: &str) -> bool {
    text == "-"
        || text
            .bytes()
            .all(|b| b.is_ascii_digit() || b == b'.' || b == b'-')
}

/// A duration in words: `1 d`, `1 min 30 s`; what is left behind the second unit is cut.
pub(crate) fn span(ms: u64) -> String {
    let units = [
        (DAY_MS, "d"),
        (HOUR_MS, "h"),
        (MINUTE_MS, "min"),
        (SECOND_MS, "s"),
        (1, "ms"),
    ];
    let mut left = ms;
    let mut words = Vec::new();
    for (unit, name) in units {
        if left >= unit {
            words.push(format!("{} {name}", left / unit));
            left %= unit;
        }
    }
    words.truncate(2);
    if words.is_empty() {
        "0 s".to_owned()
    } else {
        words.join(" ")
    }
}

/// A field that holds milliseconds, as its name without the unit and the duration in words.
fn period<'a>(name: &'a str, value: &Value) -> Option<(&'a str, String)> {
    Some((name.strip_suffix("_ms")?, span(value.as_u64()?)))
}

/// One value as a table's cell: one line, bounded where a person reads it on a terminal.
fn cell(value: &Value, whole: bool) -> String {
    let text = plain(&brief(value)).replace('\n', " ");
    if whole || text.chars().count() <= CELL {
        return text;
    }
    let mut cut: String = text.chars().take(CELL - 1).collect();
    cut.push('…');
    cut
}

/// A value in few words.
pub(crate) fn brief(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => time(text).unwrap_or_else(|| text.clone()),
        Value::Array(items) if items.is_empty() => "-".to_owned(),
        Value::Array(items) => items.iter().map(brief).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => brief_object(fields),
    }
}

/// An object by what names it: a handle, an id, its text, its price; else in full.
fn brief_object(fields: &Map<String, Value>) -> String {
    let text = |name: &str| fields.get(name).map(brief);
    if fields.contains_key("content") && fields.contains_key("body") {
        return fields
            .get("body")
            .filter(|b| !b.is_null())
            .map_or_else(|| missing(fields), body);
    }
    if let (Some(handle), Some(other)) = (text("handle"), text("resembles")) {
        return format!("{handle} (not {other})");
    }
    let named = ["handle", "code", "id", "kind", "text", "flag", "number"]
        .into_iter()
        .find_map(text);
    let priced = match (
        text("name").or_else(|| text("item")),
        text("price")
            .or_else(|| text("quantity"))
            .or_else(|| text("value")),
    ) {
        (Some(name), Some(price)) => Some(format!("{name} {price}")),
        _ => None,
    };
    priced
        .or(named)
        .or_else(|| text("name"))
        .unwrap_or_else(|| {
            // A field that only names the one that is there says nothing besides.
            let names = |v: &Value| v.as_str().is_some_and(|name| fields.contains_key(name));
            let each = fields
                .iter()
                .filter(|(_, v)| !names(v))
                .map(|(name, v)| format!("{name} {}", brief(v)));
            each.collect::<Vec<_>>().join(" ")
        })
}

/// Why a text is not there: screening quarantined it, or it was erased.
fn missing(fields: &Map<String, Value>) -> String {
    let labels = fields.get("screening").and_then(|s| s.get("labels"));
    match (fields.get("withheld"), labels) {
        (Some(Value::Bool(true)), Some(labels)) => {
            format!("(quarantined: {}; --quarantined shows it)", brief(labels))
        }
        _ => "(erased)".to_owned(),
    }
}

/// A message's body: its text, its data, the names of its files.
fn body(value: &Value) -> String {
    let Some(parts) = value.as_array() else {
        return brief(value);
    };
    let part = |part: &Value| match (part.get("text"), part.get("file")) {
        (Some(Value::String(text)), _) => text.clone(),
        (_, Some(file)) => format!("[{}]", brief(file.get("name").unwrap_or(&Value::Null))),
        _ => part.get("data").map_or_else(String::new, Value::to_string),
    };
    parts.iter().map(part).collect::<Vec<_>>().join("\n")
}

/// A time without its punctuation: `2026-11-22 12:40:34`, in UTC.
fn time(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 24
        && bytes.get(4) == Some(&b'-')
        && bytes.get(10) == Some(&b'T')
        && bytes.ends_with(b"Z");
    shaped.then(|| text.get(..19).map(|t| t.replace('T', " ")))?
}

/// Text without characters that could steer a terminal or hide what it says.
pub(crate) fn plain(text: &str) -> String {
    safe(text).replace('\t', " ")
}

/// Prints one thing, one field a line, nested fields indented.
///
/// # Errors
/// When the output cannot be written.
pub(crate) fn record(out: Output, value: &Value) -> Result<(), CliError> {
    out.json(value)?;
    if out.is_json() {
        return Ok(());
    }
    let mut text = String::new();
    fields(&mut text, value, 0);
    out.line(text.trim_end())
}

fn fields(text: &mut String, value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(map) => {
            let width = map.keys().map(String::len).max().unwrap_or(0).min(24);
            for (name, value) in map {
                if is_empty(value) {
                    continue;
                }
                if let Some((name, span)) = period(name, value) {
                    text.push_str(&format!("{indent}{name:<width$}  {span}\n"));
                    continue;
                }
                if is_short(value) {
                    let shown =
                        plain(&brief(value)).replace('\n', &format!("\n{indent}  {:width$}", ""));
                    text.push_str(&format!("{indent}{name:<width$}  {shown}\n"));
                } else {
                    text.push_str(&format!("{indent}{name}\n"));
                    fields(text, value, depth + 1);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                let mut within = String::new();
                if is_short(item) {
                    within.push_str(&plain(&brief(item)));
                } else {
                    fields(&mut within, item, 0);
                }
                for (number, line) in within.trim_end().lines().enumerate() {
                    let mark = if number == 0 { "- " } else { "  " };
                    text.push_str(&format!("{indent}{mark}{line}\n"));
                }
            }
        }
        other => text.push_str(&format!("{indent}{}\n", plain(&brief(other)))),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// True for what fits on the line of its name.
fn is_short(value: &Value) -> bool {
    match value {
        Value::Object(map) => {
            let text = map.contains_key("content") && map.contains_key("body");
            let most = 2 + usize::from(map.contains_key("resembles"));
            let named = map.len() <= most && map.values().all(|v| !v.is_object() && !v.is_array());
            text || named
        }
        Value::Array(items) => items
            .iter()
            .all(|item| !item.is_object() && !item.is_array()),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_shown_in_few_words() {
        for (value, want) in [
            (json!(null), "-"),
            (json!(true), "yes"),
            (json!("2026-11-22T12:40:34.567Z"), "2026-11-22 12:40:34"),
            (json!({ "id": "agent_1", "handle": "@casa" }), "@casa"),
            (
                json!({ "id": "agent_2", "handle": "@casal", "resembles": "@casa" }),
                "@casal (not @casa)",
            ),
            (json!({ "kind": "deal", "id": "deal_1" }), "deal_1"),
            (
                json!([{ "name": "Taco", "price": "3.50" }, { "name": "Flan", "price": "4.00" }]),
                "Taco 3.50, Flan 4.00",
            ),
            (
                json!({ "content": "cont_1", "labels": [], "body": [{ "text": "hi" }] }),
                "hi",
            ),
            (
                json!({ "content": "cont_1", "labels": [], "body": null }),
                "(erased)",
            ),
            (json!([{ "item": "Taco", "quantity": 2 }]), "Taco 2"),
        ] {
            assert_eq!(cell(&value, false), want);
        }
    }

    #[test]
    fn durations_are_words() {
        for (ms, want) in [
            (0, "0 s"),
            (500, "500 ms"),
            (1_000, "1 s"),
            (90_000, "1 min 30 s"),
            (86_400_000, "1 d"),
            (90_061_001, "1 d 1 h"),
            (604_800_000, "7 d"),
        ] {
            assert_eq!(span(ms), want);
        }
        let mut text = String::new();
        fields(&mut text, &json!({ "period_ms": 3_600_000, "x": 1 }), 0);
        assert_eq!(text, "period     1 h\nx          1\n");
    }

    #[test]
    fn texts_of_others_cannot_steer_the_terminal() {
        assert_eq!(
            cell(&json!("a\u{1b}[2Jb\u{202e}c\r\nd"), false),
            "a\u{fffd}[2Jb\u{fffd}c\u{fffd} d"
        );
    }

    #[test]
    fn a_handle_stands_with_the_one_it_could_be_taken_for() {
        let hit = json!({ "listing": { "seller": "@casal", "seller_resembles": "@casa" } });
        for (row, pointer, want) in [
            (
                json!({ "handle": "@casal", "resembles": "@casa" }),
                "/handle",
                "@casal (not @casa)",
            ),
            (
                json!({ "from": { "handle": "@casal", "resembles": "@casa" } }),
                "/from/handle",
                "@casal (not @casa)",
            ),
            (hit, "/listing/seller", "@casal (not @casa)"),
            (json!({ "handle": "@casa" }), "/handle", "@casa"),
        ] {
            let shown = cell(row.pointer(pointer).unwrap(), false);
            assert_eq!(marked(&row, pointer, shown), want);
        }
    }

    #[test]
    fn long_cells_are_cut() {
        let text = cell(&json!("x".repeat(200)), false);
        assert_eq!((text.chars().count(), text.ends_with('…')), (CELL, true));
    }

    #[test]
    fn records_are_indented() {
        let mut text = String::new();
        fields(
            &mut text,
            &json!({ "id": "x", "none": null, "steps": [{ "state": "agreed", "by": "a", "at": 1 }] }),
            0,
        );
        assert_eq!(
            text,
            "id     x\nsteps\n  - at     1\n    by     a\n    state  agreed\n"
        );
    }
}

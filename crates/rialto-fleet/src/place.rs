//! Where a fault is in a text: the line and field that a parser refuses, for TOML, JSON and CSV.

use serde::de::DeserializeOwned;

use crate::echo::bounded;

/// What a parser refuses.
#[derive(Debug)]
pub struct Misfit {
    /// The line, from 1, if the parser says.
    pub line: Option<usize>,
    /// Dotted path of the field; `syntax` when the text has no fields yet.
    pub field: String,
    /// What is wrong.
    pub message: String,
}

/// Reads a TOML document.
///
/// # Errors
/// What is wrong with it.
pub fn read_toml<T: DeserializeOwned>(text: &str) -> Result<T, Misfit> {
    let line = |e: &toml::de::Error| e.span().map(|span| line_at(text, span.start));
    let document = toml::Deserializer::parse(text).map_err(|e| Misfit {
        line: Some(line(&e).unwrap_or(1)),
        field: "syntax".to_owned(),
        message: one_line(e.message()),
    })?;
    serde_path_to_error::deserialize(document).map_err(|e| Misfit {
        line: line(e.inner()),
        field: field_of(&e.path().to_string(), e.inner().message()),
        message: one_line(e.inner().message()),
    })
}

/// Reads one line of JSON lines.
///
/// # Errors
/// The field and what is wrong; only the caller knows the line within the file.
pub fn read_json<T: DeserializeOwned>(line: &str) -> Result<T, (String, String)> {
    let mut deserializer = serde_json::Deserializer::from_str(line);
    let read = serde_path_to_error::deserialize(&mut deserializer).map_err(|e| {
        let message = unplaced(&e.inner().to_string());
        let field = if e.inner().is_data() {
            field_of(&e.path().to_string(), &message)
        } else {
            "syntax".to_owned()
        };
        (field, message)
    })?;
    let rest = deserializer.end();
    rest.map_err(|e| ("syntax".to_owned(), unplaced(&e.to_string())))?;
    Ok(read)
}

/// The message without serde's own position, which counts within the one line that serde was given.
fn unplaced(message: &str) -> String {
    let end = message.rfind(" at line ").unwrap_or(message.len());
    bounded(&message[..end]).into_owned()
}

fn one_line(message: &str) -> String {
    let joined = message.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    bounded(&joined).into_owned()
}

/// The path of a fault; a field that is missing or unknown is named by the message alone.
fn field_of(path: &str, message: &str) -> String {
    let path = path.trim_matches('.');
    let names = message.starts_with("missing field") || message.starts_with("unknown field");
    let named = message.split('`').nth(1).filter(|_| names);
    let field = match named {
        None if path.is_empty() => "file".to_owned(),
        None => path.to_owned(),
        Some(name) if path.is_empty() => name.to_owned(),
        Some(name) if path == name || path.ends_with(&format!(".{name}")) => path.to_owned(),
        Some(name) => format!("{path}.{name}"),
    };
    bounded(&field).into_owned()
}

/// The line, from 1, that holds a byte.
pub fn line_at(text: &str, byte: usize) -> usize {
    1 + text.bytes().take(byte).filter(|b| *b == b'\n').count()
}

/// The line, from 1, on which a CSV record begins. The reader reports where the record before ended; the
/// rest of a line break (`\r\n`) and empty lines may lie between.
pub fn csv_line(text: &str, position: Option<&csv::Position>) -> usize {
    let Some(position) = position else { return 1 };
    let byte = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = text.as_bytes().get(byte..).unwrap_or_default();
    let between = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n'));
    let lines = between.filter(|b| **b == b'\n').count();
    usize::try_from(position.line())
        .unwrap_or(usize::MAX)
        .saturating_add(lines)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct One {
        tensor: u32,
        name: String,
        #[serde(default)]
        parts: Vec<BTreeMap<String, u32>>,
    }

    #[test]
    fn fields_are_named_not_values() {
        for (text, line, field) in [
            ("name = 'x'\ntensor = -1", Some(2), "tensor"),
            ("name = 'x'\ntensor = 1000000000.0", Some(2), "tensor"),
            ("name = 'x'", Some(1), "tensor"),
            ("name = 'x'\ntensor = 1\nspeed = 3", Some(3), "speed"),
            (
                "name = 'x'\ntensor = 1\nparts = [{ a = 1 }, { b = 'y' }]",
                Some(3),
                "parts[1].b",
            ),
            ("name = 'x'\ntensor = ", Some(2), "syntax"),
        ] {
            let misfit = read_toml::<One>(text).unwrap_err();
            assert_eq!(
                (misfit.line, misfit.field.as_str()),
                (line, field),
                "{misfit:?}"
            );
        }
    }

    #[test]
    fn json_lines_name_the_field_and_no_line_of_their_own() {
        for (text, field) in [
            (r#"{"name": "x", "tensor": 600.5}"#, "tensor"),
            (r#"{"name": "x", "tensor": "two"}"#, "tensor"),
            (r#"{"name": "x"}"#, "tensor"),
            (r#"{"name": "x", "tensor": 1"#, "syntax"),
            (r#"{"name": "x", "tensor": 1} {}"#, "syntax"),
            (r#""x""#, "file"),
        ] {
            let (told, message) = read_json::<One>(text).unwrap_err();
            assert_eq!(told, field, "{message}");
            assert!(!message.contains("line 1"), "{message}");
        }
    }

    #[test]
    fn lines_of_records_are_those_they_begin_on() {
        for (text, want) in [
            ("a,b\n1,2\n3,4\n", [2, 3]),
            ("a,b\r\n1,2\r\n3,4\r\n", [2, 3]),
            ("a,b\r\n\r\n1,2\r\n\r\n\r\n3,4\r\n", [3, 6]),
            ("a,b\n\"1\n1\",2\n3,4", [2, 4]),
        ] {
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let lines: Vec<usize> = reader
                .records()
                .map(|r| csv_line(text, r.unwrap().position()))
                .collect();
            assert_eq!(lines, want, "{text:?}");
        }
    }
}

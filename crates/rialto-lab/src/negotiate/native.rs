//! Domains as native JSON, described in docs/negotiation.md.
//!
//! Holds the reader and the writer. Every fault comes with file, line and field.

use super::domain::{Domain, DomainError, DomainSpec, MAX_FILE_BYTES, Step, path_text};
use super::locate::line_of;

/// Reads a domain.
///
/// # Errors
///
/// What is wrong, with file, line and field.
pub fn parse(file: &str, text: &str) -> Result<Domain, DomainError> {
    let spec = parse_spec(file, text)?;
    Domain::build(&spec).map_err(|fault| DomainError {
        file: file.to_owned(),
        line: Some(line_of(text, &fault.path)),
        field: path_text(&fault.path),
        message: fault.message,
    })
}

/// Reads a domain as written, unchecked beyond its form.
///
/// # Errors
///
/// What is wrong, with file, line and field.
pub fn parse_spec(file: &str, text: &str) -> Result<DomainSpec, DomainError> {
    let error = |line, field: String, message: String| DomainError {
        file: file.to_owned(),
        line,
        field,
        message,
    };
    if text.len() > MAX_FILE_BYTES {
        let message = format!(
            "the file has {} bytes; the most is {MAX_FILE_BYTES}",
            text.len()
        );
        return Err(error(None, String::new(), message));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let spec: DomainSpec = serde_path_to_error::deserialize(&mut reader).map_err(|e| {
        let steps: Vec<Step> = e.path().iter().filter_map(step).collect();
        let inner = e.into_inner();
        // serde_json puts " at line L column C" behind its message; the line stands in its own place.
        let message = inner.to_string();
        let message = message
            .split(" at line ")
            .next()
            .unwrap_or_default()
            .to_owned();
        error(Some(inner.line()), path_text(&steps), message)
    })?;
    reader.end().map_err(|e| {
        error(
            Some(e.line()),
            String::new(),
            "text follows the domain".to_owned(),
        )
    })?;
    Ok(spec)
}

fn step(segment: &serde_path_to_error::Segment) -> Option<Step> {
    use serde_path_to_error::Segment;
    match segment {
        Segment::Seq { index } => Some(Step::Index(*index)),
        Segment::Map { key } => Some(Step::Key(key.clone())),
        Segment::Enum { .. } | Segment::Unknown => None,
    }
}

/// A domain as native JSON.
///
/// # Errors
///
/// A number that JSON cannot hold.
pub fn write(spec: &DomainSpec) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(spec)?;
    text.push('\n');
    Ok(text)
}

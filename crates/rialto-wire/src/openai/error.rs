//! Errors of OpenAI's dialects: `{"error": {"message", "type", "param", "code"}}`.
//!
//! Servers of this dialect write numbers as codes, leave out the outer member, or put FastAPI's
//! `detail` in its place; all are read.

use crate::json::{self, Object};
use crate::model::{ErrorKind, ModelError};
use crate::sse;

/// Reads an error answer.
#[must_use]
pub fn read_error(status: u16, body: &[u8]) -> ModelError {
    let Ok(mut from) = json::document(body) else {
        let text = String::from_utf8_lossy(body.get(..500).unwrap_or(body)).into_owned();
        return ModelError::told(Some(status), None, text);
    };
    if let Some(text) = from
        .maybe_text("error")
        .or_else(|| from.maybe_text("detail"))
    {
        return ModelError::told(Some(status), None, text);
    }
    match from.maybe_object("error") {
        Some(error) => of_object(Some(status), error),
        None => of_object(Some(status), from),
    }
}

pub(super) fn of_object(status: Option<u16>, mut error: Object<'_>) -> ModelError {
    let message = error.maybe_text("message").unwrap_or_default();
    let kind = error.maybe_text("type").filter(|t| !t.is_empty());
    let code = error.take("code").map(super::chat::arguments);
    let number = code.as_deref().and_then(|c| c.parse::<u16>().ok());
    // A number says only what the status says; the type then says more.
    let (status_too, told) = match (number, kind) {
        (Some(n), Some(kind)) => (status.or(Some(n)), Some(kind)),
        (_, kind) => (status, code.or(kind)),
    };
    let mut read = ModelError::told(status_too.filter(|s| (400..600).contains(s)), told, message);
    read.status = status;
    if let Some(number) = number {
        read.code = Some(number.to_string());
    }
    read
}

/// Status, type and code.
fn shape(error: &ModelError) -> (u16, &'static str, Option<&str>) {
    use ErrorKind as K;
    let own = error.code.as_deref();
    match error.kind {
        K::BadRequest => (400, "invalid_request_error", own),
        K::ContextTooLong => (
            400,
            "invalid_request_error",
            Some("context_length_exceeded"),
        ),
        K::TooLarge => (413, "invalid_request_error", own),
        K::Filtered => (400, "invalid_request_error", Some("content_filter")),
        K::Authentication => (401, "authentication_error", Some("invalid_api_key")),
        K::Permission => (403, "permission_error", own),
        K::NotFound => (404, "not_found_error", own.or(Some("model_not_found"))),
        K::Quota => (429, "insufficient_quota", Some("insufficient_quota")),
        K::RateLimited => (429, "rate_limit_error", Some("rate_limit_exceeded")),
        K::Overloaded => (503, "server_error", Some("overloaded")),
        K::Unavailable => (503, "server_error", own),
        K::Timeout => (504, "server_error", Some("timeout")),
        K::Server => (500, "server_error", own),
        K::Malformed => (502, "server_error", Some("malformed_answer")),
        K::Interrupted => (502, "server_error", Some("interrupted")),
    }
}

pub(super) fn code(error: &ModelError) -> &str {
    let (_, kind, code) = shape(error);
    code.unwrap_or(kind)
}

/// Writes an error: the status and the body.
#[must_use]
pub fn write_error(error: &ModelError) -> (u16, Vec<u8>) {
    let (status, kind, code) = shape(error);
    let body = json::write(|m| {
        m.object("error", |m| {
            m.text("message", &error.message);
            m.text("type", kind);
            m.raw("param", "null");
            m.text_or_null("code", code);
        });
    });
    (status, body)
}

/// Writes an error in mid-stream; clients take it for the end.
pub fn write_event(error: &ModelError, out: &mut Vec<u8>) {
    sse::write(out, "", &write_error(error).1);
}

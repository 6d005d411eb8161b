//! Errors of the Messages API: `{"type": "error", "error": {"type", "message"}}`.

use crate::json::{self, Object};
use crate::model::{ErrorKind, ModelError};
use crate::sse;

/// Reads an error answer; servers that speak this dialect may answer errors in OpenAI's.
#[must_use]
pub fn read_error(status: u16, body: &[u8]) -> ModelError {
    crate::openai::read_error(status, body)
}

pub(super) fn of_object(status: Option<u16>, mut error: Object<'_>) -> ModelError {
    let message = error.maybe_text("message").unwrap_or_default();
    ModelError::told(status, error.maybe_text("type"), message)
}

fn shape(kind: ErrorKind) -> (u16, &'static str) {
    use ErrorKind as K;
    match kind {
        K::BadRequest | K::ContextTooLong | K::Filtered => (400, "invalid_request_error"),
        K::Authentication => (401, "authentication_error"),
        K::Quota => (402, "billing_error"),
        K::Permission => (403, "permission_error"),
        K::NotFound => (404, "not_found_error"),
        K::TooLarge => (413, "request_too_large"),
        K::RateLimited => (429, "rate_limit_error"),
        K::Overloaded => (529, "overloaded_error"),
        K::Timeout => (504, "timeout_error"),
        K::Unavailable => (503, "api_error"),
        K::Server => (500, "api_error"),
        K::Malformed | K::Interrupted => (502, "api_error"),
    }
}

/// Writes an error: the status and the body.
#[must_use]
pub fn write_error(error: &ModelError) -> (u16, Vec<u8>) {
    let (status, kind) = shape(error.kind);
    let body = json::write(|m| {
        m.text("type", "error");
        m.object("error", |m| {
            m.text("type", kind);
            m.text("message", &error.message_for_words());
        });
    });
    (status, body)
}

/// Writes an error in mid-stream.
pub fn write_event(error: &ModelError, out: &mut Vec<u8>) {
    sse::write(out, "error", &write_error(error).1);
}

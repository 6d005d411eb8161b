//! Errors of the Converse API: an exception's name in a header, its message in the body; in
//! mid-stream, a frame of its own.

use super::event_stream::{self, Frame};
use crate::json;
use crate::model::{ErrorKind, ModelError};

/// Reads an error answer; the name of the exception stands in the header `x-amzn-errortype`.
#[must_use]
pub fn read_error(status: u16, error_type: Option<&str>, body: &[u8]) -> ModelError {
    let (mut message, mut named) = (String::new(), None);
    if let Ok(mut from) = json::document(body) {
        let told = from
            .maybe_text("message")
            .or_else(|| from.maybe_text("Message"));
        message = told.unwrap_or_default();
        named = from.maybe_text("__type");
    }
    let name = error_type.map(str::to_owned).or(named);
    // `ThrottlingException:http://…`, `com.amazonaws…#ThrottlingException`.
    let name = name.map(|n| {
        let tail = n.rsplit('#').next().unwrap_or_default();
        tail.split(':').next().unwrap_or_default().to_owned()
    });
    let not_ready = name.as_deref() == Some("ModelNotReadyException");
    let mut error = ModelError::told(Some(status), name, message);
    if not_ready {
        // Its status is 429, but it is nobody's rate.
        error.kind = ErrorKind::Unavailable;
    }
    error
}

pub(super) fn of_frame(frame: &Frame) -> ModelError {
    let name = frame
        .header(":exception-type")
        .or_else(|| frame.header(":error-code"));
    let mut message = frame
        .header(":error-message")
        .unwrap_or_default()
        .to_owned();
    if let Ok(mut from) = json::document(&frame.payload) {
        message = from.maybe_text("message").unwrap_or(message);
    }
    ModelError::told(None, name.map(str::to_owned), message)
}

/// Status and name of the exception that says an error.
#[must_use]
pub fn exception(error: &ModelError) -> (u16, &'static str) {
    use ErrorKind as K;
    match error.kind {
        K::BadRequest | K::ContextTooLong | K::TooLarge | K::Filtered => {
            (400, "ValidationException")
        }
        K::Authentication => (403, "UnrecognizedClientException"),
        K::Permission => (403, "AccessDeniedException"),
        K::NotFound => (404, "ResourceNotFoundException"),
        K::Quota => (400, "ServiceQuotaExceededException"),
        K::RateLimited => (429, "ThrottlingException"),
        K::Overloaded | K::Unavailable => (503, "ServiceUnavailableException"),
        K::Timeout => (408, "ModelTimeoutException"),
        K::Server => (500, "InternalServerException"),
        K::Malformed | K::Interrupted => (424, "ModelErrorException"),
    }
}

/// Writes an error: the status and the body; the name goes to the header `x-amzn-errortype`.
#[must_use]
pub fn write_error(error: &ModelError) -> (u16, Vec<u8>) {
    let body = json::write(|m| m.text("message", &error.message_for_words()));
    (exception(error).0, body)
}

/// Writes an error in mid-stream, as one of the exceptions that a stream may hold.
pub fn write_event(error: &ModelError, out: &mut Vec<u8>) {
    use ErrorKind as K;
    let name = match error.kind {
        K::RateLimited => "throttlingException",
        K::Overloaded | K::Unavailable => "serviceUnavailableException",
        K::BadRequest | K::ContextTooLong | K::TooLarge | K::Filtered => "validationException",
        K::Malformed | K::Interrupted => "modelStreamErrorException",
        _ => "internalServerException",
    };
    let headers = [
        (":exception-type", name),
        (":content-type", "application/json"),
        (":message-type", "exception"),
    ];
    event_stream::write(out, &headers, &write_error(error).1);
}

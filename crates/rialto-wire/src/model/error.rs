//! An error of a model server, or of the way to one, in neutral words.
//!
//! Dialects read theirs into it and write the caller's from it. What to do about it follows from the
//! kind alone. It never holds a body as it came: messages are bounded.

use crate::json::Fault;

/// How long a message may be, in characters.
const MAX_MESSAGE: usize = 2000;

/// What kind of error it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request is wrong.
    BadRequest,
    /// The conversation does not fit into the model's context.
    ContextTooLong,
    /// The body is too large.
    TooLarge,
    /// Who asks is not known.
    Authentication,
    /// Who asks may not.
    Permission,
    /// No such model or address.
    NotFound,
    /// A filter refused the request.
    Filtered,
    /// There is no money or quota left; waiting does not help.
    Quota,
    /// Too many requests of this caller: 429.
    RateLimited,
    /// The server has too many callers: 529.
    Overloaded,
    /// The server is not ready: 503.
    Unavailable,
    /// It took too long.
    Timeout,
    /// The server failed.
    Server,
    /// The server's answer cannot be read.
    Malformed,
    /// A stream ended before its answer was whole.
    Interrupted,
}

/// An error of a call to a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelError {
    /// What kind it is.
    pub kind: ErrorKind,
    /// The status that the server answered with; none in mid-stream or where no server was asked.
    pub status: Option<u16>,
    /// The server's own code or type, numbers written out.
    pub code: Option<String>,
    /// What happened, for people.
    pub message: String,
    /// After how many seconds the server wants to be asked again.
    pub retry_after: Option<u64>,
}

impl ModelError {
    /// An error without a server's words.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl AsRef<str>) -> Self {
        Self {
            kind,
            status: None,
            code: None,
            message: message.as_ref().chars().take(MAX_MESSAGE).collect(),
            retry_after: None,
        }
    }

    pub(crate) fn with_code(kind: ErrorKind, code: &str, message: &str) -> Self {
        Self {
            code: Some(code.to_owned()),
            ..Self::new(kind, message)
        }
    }

    pub(crate) fn refused(code: &str, message: &str) -> Self {
        Self::with_code(ErrorKind::BadRequest, code, message)
    }

    pub(crate) fn interrupted() -> Self {
        Self::new(
            ErrorKind::Interrupted,
            "the model server's stream ended before the answer was whole",
        )
    }

    pub(crate) fn malformed(what: &str) -> Self {
        Self::new(
            ErrorKind::Malformed,
            format!("the model server's answer cannot be read: {what}"),
        )
    }

    /// Whether the same request may succeed later or elsewhere.
    #[must_use]
    pub fn retryable(&self) -> bool {
        use ErrorKind as K;
        match self.kind {
            K::RateLimited | K::Overloaded | K::Unavailable | K::Timeout => true,
            K::Server | K::Malformed | K::Interrupted => true,
            K::BadRequest | K::ContextTooLong | K::TooLarge | K::Authentication => false,
            K::Permission | K::NotFound | K::Filtered | K::Quota => false,
        }
    }

    /// The kind that a status says, and what a server says about it.
    pub(crate) fn classify(status: Option<u16>, code: &str, message: &str) -> ErrorKind {
        use ErrorKind as K;
        let told = code.to_ascii_lowercase();
        let message = message.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|w| told.contains(w));
        let long = [
            "context length",
            "context size",
            "context window",
            "prompt is too long",
        ];
        let long = long.iter().any(|w| message.contains(w));
        if says(&["context_length", "context_size"])
            || (long && matches!(status, Some(400 | 413 | 422) | None))
        {
            return K::ContextTooLong;
        }
        if says(&["insufficient_quota", "billing", "servicequotaexceeded"]) {
            return K::Quota;
        }
        if says(&["content_filter", "content_policy"]) {
            return K::Filtered;
        }
        if says(&["overloaded"]) && !matches!(status, Some(429)) {
            return K::Overloaded;
        }
        match status {
            Some(401) => K::Authentication,
            Some(402) => K::Quota,
            Some(403) => K::Permission,
            Some(404) => K::NotFound,
            Some(408 | 504) => K::Timeout,
            Some(413) => K::TooLarge,
            Some(424) => K::Server,
            Some(429) => K::RateLimited,
            Some(400..=499) => K::BadRequest,
            Some(503) => K::Unavailable,
            Some(529) => K::Overloaded,
            Some(_) => K::Server,
            None => Self::of_words(&told),
        }
    }

    /// The kind of an error that comes in mid-stream, where there is no status of its own.
    fn of_words(told: &str) -> ErrorKind {
        use ErrorKind as K;
        let table = [
            ("rate_limit", K::RateLimited),
            ("throttling", K::RateLimited),
            ("unavailable", K::Unavailable),
            ("timeout", K::Timeout),
            ("authentication", K::Authentication),
            ("permission", K::Permission),
            ("accessdenied", K::Permission),
            ("not_found", K::NotFound),
            ("resourcenotfound", K::NotFound),
            ("request_too_large", K::TooLarge),
            ("invalid_request", K::BadRequest),
            ("validation", K::BadRequest),
        ];
        let row = table.iter().find(|(word, _)| told.contains(word));
        row.map_or(K::Server, |(_, kind)| *kind)
    }

    /// An error as a server told it: by status (none in mid-stream), code and message.
    pub(crate) fn told(status: Option<u16>, code: Option<String>, message: String) -> Self {
        // A number in place of a code, as llama.cpp and vLLM write it, is a status.
        let number = code.as_deref().and_then(|c| c.parse().ok());
        let believed = status.or(number.filter(|n| (400..600).contains(n)));
        let kind = Self::classify(believed, code.as_deref().unwrap_or_default(), &message);
        let message = match message.is_empty() {
            true => "the model server gave no reason".to_owned(),
            false => message,
        };
        Self {
            status,
            code: code.map(|c| c.chars().take(64).collect()),
            ..Self::new(kind, message)
        }
    }

    /// The message for dialects that have no code for a conversation that is too long: their clients
    /// know it by its words.
    pub(crate) fn message_for_words(&self) -> String {
        let known = Self::classify(None, "", &self.message) == ErrorKind::ContextTooLong;
        match self.kind == ErrorKind::ContextTooLong && !known {
            true => format!("prompt is too long: {}", self.message),
            false => self.message.clone(),
        }
    }

    /// Notes what the server's `Retry-After` header says; a date is left to whoever has a clock.
    #[must_use]
    pub fn after(mut self, header: Option<&str>) -> Self {
        let seconds = header.and_then(|h| h.trim().parse::<f64>().ok());
        let fine = seconds.filter(|s| s.is_finite() && (0.0..=86_400.0).contains(s));
        // In bounds, and rounded up: asking too early is refused again.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "in bounds"
        )]
        let whole = fine.map(|s| s.ceil() as u64);
        self.retry_after = whole;
        self
    }
}

impl From<Fault> for ModelError {
    fn from(fault: Fault) -> Self {
        Self::refused("invalid_request", &fault.to_string())
    }
}

impl std::fmt::Display for ModelError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ModelError {}

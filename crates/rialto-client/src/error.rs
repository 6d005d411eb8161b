//! What can go wrong between a caller and a realm's API: the cause, and the realm's own refusal if
//! it answered. Holds no exit codes and no words of a command line.

use std::sync::Arc;

use rialto_core::reject::Code;
use rialto_outside::OutsideError;
use rialto_wire::native::Problem;

/// Why a request had no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The caller's own values: an address, a token, a file of certificates.
    #[error("{message}")]
    Usage {
        /// What is wrong with which value.
        message: String,
        /// What to do next, if that is known.
        hint: Option<&'static str>,
    },
    /// An idempotency key that cannot be sent.
    #[error("{}: {key}", Code::BadKey.title())]
    Key {
        /// The key.
        key: String,
    },
    /// The server cannot be reached, or the connection broke.
    #[error("{}: {detail}", Code::Unreachable.title())]
    Unreachable {
        /// Which server, and the innermost cause.
        detail: String,
        /// What the cause was, where that is known.
        trouble: Option<Trouble>,
    },
    /// The realm understood and refused.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// The server answered, but not as a realm of this version does.
    #[error("{0}")]
    Foreign(String),
    /// A defect on this side.
    #[error("{0}")]
    Bug(String),
}

impl ClientError {
    /// The realm's stable code, if it refused.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => Some(&refusal.problem.code),
            _ => None,
        }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn broken(why: &str) -> Self {
        Self::Unreachable {
            detail: format!("the connection broke: {why}"),
            trouble: None,
        }
    }
}

/// Why a server cannot be reached, if a person can fix it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Its certificate is not trusted.
    Untrusted,
    /// It answers as a server with TLS would to a client without.
    Tls,
}

/// A realm's refusal, with what only the client knows.
#[derive(Debug, thiserror::Error)]
#[error("{}{}{}", .problem.title, if .problem.detail.is_empty() { "" } else { ": " }, .problem.detail)]
pub struct Refusal {
    /// The realm's words.
    pub problem: Problem,
    /// Whether the request had a token.
    pub with_token: bool,
    /// Where that token came from or where the program looked for one, if the caller said so.
    pub token_from: Option<Arc<str>>,
    /// The address of the server that refused; none for one command of a batch.
    pub server: Option<String>,
}

impl From<OutsideError> for ClientError {
    fn from(error: OutsideError) -> Self {
        match error {
            OutsideError::Certificates { .. } => Self::usage(error.to_string()),
            OutsideError::Tls(why) => Self::Bug(why),
        }
    }
}

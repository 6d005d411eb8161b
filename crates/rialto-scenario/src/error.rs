//! Why a market day cannot be held. Holds no exit codes and no words of a command line.

use rialto_client::{ClientError, Refusal};
use rialto_server::node::{BootError, Failure};
use rialto_wire::native::Problem;
use serde_json::Value;

use crate::load::LoadError;

/// Why a market day cannot be held, or what it left behind.
#[derive(Debug, thiserror::Error)]
pub enum DayError {
    /// The realm refused, cannot be reached, or gave an answer that is not understood.
    #[error("{}{source}", .op.as_ref().map(|op| format!("{op}: ")).unwrap_or_default())]
    Door {
        /// The operation, where that is known.
        op: Option<String>,
        /// What the realm said.
        source: ClientError,
    },
    /// A realm of this process cannot be opened.
    #[error(transparent)]
    Open(#[from] BootError),
    /// A realm of this process stopped.
    #[error("the realm stopped: {0:?}")]
    Stopped(Failure),
    /// The settled deals of the realm do not match its sums or what its customers believe.
    #[error("the books differ: {0}")]
    Books(String),
    /// A server's rate limits are still lifted.
    #[error("{source}")]
    LimitsLifted {
        /// What they were before.
        settings: Value,
        /// Why the day ended, or why the limits could not be set.
        source: Box<DayError>,
    },
    /// The day had no result that could be shown.
    #[error("{0}")]
    Nothing(&'static str),
    /// The listener ended the day.
    #[error("interrupted")]
    Interrupted,
    /// The shipped scenario cannot be read.
    #[error("the shipped scenario: {0}")]
    Shipped(#[from] LoadError),
    /// A file of this machine.
    #[error("cannot {doing}: {source}")]
    Io {
        /// What was tried.
        doing: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A defect on this side.
    #[error("{0}")]
    Defect(String),
}

impl DayError {
    /// An answer of the realm that is not understood.
    pub(crate) fn foreign(what: impl Into<String>) -> Self {
        ClientError::Foreign(what.into()).into()
    }

    /// A defect on this side.
    pub(crate) fn defect(what: impl Into<String>) -> Self {
        Self::Defect(what.into())
    }

    /// A refusal within a batch.
    pub(crate) fn refused(problem: Problem) -> Self {
        let refusal = Refusal {
            problem,
            with_token: true,
            token_from: None,
            server: None,
        };
        ClientError::Refused(Box::new(refusal)).into()
    }

    /// The same, of an operation.
    pub(crate) fn of(self, op: &str) -> Self {
        match self {
            Self::Door { op: None, source } => Self::Door {
                op: Some(op.to_owned()),
                source,
            },
            other => other,
        }
    }
}

impl From<ClientError> for DayError {
    fn from(source: ClientError) -> Self {
        Self::Door { op: None, source }
    }
}

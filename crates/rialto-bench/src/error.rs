//! Why a measurement cannot be taken. Holds no exit codes and no words of a command line.

use rialto_client::ClientError;
use rialto_scenario::DayError;

/// Why a measurement cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The door of the measured server, or the day held there.
    #[error(transparent)]
    Day(#[from] DayError),
    /// What is to be measured is out of bounds.
    #[error("{0}")]
    Plan(String),
    /// The folder that the realm was to be kept in holds something.
    #[error("{0} is not empty")]
    NotEmpty(String),
    /// The server ended before it listened.
    #[error("the server ended at its start")]
    Unstarted,
    /// What was measured did not go as it must.
    #[error("{0}")]
    Failed(String),
    /// This machine: a file, a folder, a process.
    #[error("{doing}: {source}")]
    Machine {
        /// What was tried.
        doing: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Whoever was handed something ended it.
    #[error("interrupted")]
    Interrupted,
    /// A defect on this side.
    #[error("{0}")]
    Defect(String),
}

impl BenchError {
    pub(crate) fn failed(what: impl Into<String>) -> Self {
        Self::Failed(what.into())
    }

    pub(crate) fn defect(what: impl Into<String>) -> Self {
        Self::Defect(what.into())
    }

    /// For `map_err`: what was tried on this machine.
    pub(crate) fn machine(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        |source| Self::Machine { doing, source }
    }
}

impl From<ClientError> for BenchError {
    fn from(error: ClientError) -> Self {
        Self::Day(error.into())
    }
}

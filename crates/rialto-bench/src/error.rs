//! Why a measurement cannot be taken. Holds no exit codes and no words of a command line.

use rialto_client::ClientError;
use rialto_scenario::DayError;

/// Why a measurement cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// An error of the measured server's API, or of the market day held there.
    #[error(transparent)]
    Day(#[from] DayError),
    /// The plan of the measurement is out of bounds.
    #[error("{0}")]
    Plan(String),
    /// The folder chosen for the realm is not empty.
    #[error("{0} is not empty")]
    NotEmpty(String),
    /// The server ended before it listened.
    #[error("the server ended at its start")]
    Unstarted,
    /// The measured run did not go as it must.
    #[error("{0}")]
    Failed(String),
    /// An error of this machine: a file, a folder, a process.
    #[error("{doing}: {source}")]
    Machine {
        /// What was tried.
        doing: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The caller's `export` ended the measurement.
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

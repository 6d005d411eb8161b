//! How a figure came to be: measured, modelled or estimated.

use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

/// How a figure came to be. Every table that a person sees names one.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// Read from a log, an instrument, an invoice or a published statement.
    Measured,
    /// Computed from stated inputs by this program.
    #[default]
    Modelled,
    /// A judgement, a third party's estimate or an assumption.
    Estimate,
}

impl Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Measured => "measured",
            Self::Modelled => "modelled",
            Self::Estimate => "estimate",
        })
    }
}

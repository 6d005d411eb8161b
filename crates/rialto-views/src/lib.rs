//! Read models of a realm, folded from its log into one SQLite file.
//!
//! [`Views`] is fed envelopes with their contents in the order of the log and keeps history, search,
//! statements, accounts and the threads of cause and effect. [`ViewReader`] answers lists from it,
//! on any thread. The file can be deleted at any time: feeding the log again gives the same rows. It consists
//! of domains with versions of their own; one of another version is rebuilt alone ([`Views::rebuild`]).
//!
//! # What is absent
//!
//! - No decisions. Nothing that the core decides may depend on a view.
//! - No reading of the log: whoever owns the log feeds it.
//! - No authorisation but one: lists are filtered by the [`Scope`] that the caller is known to have.
//!   Whether it has that scope is judged elsewhere; [`ViewReader::parties`] helps there.
//! - No text outside the table of contents and the full-text indexes, so that erasing is certain.
//! - No clock, no randomness, no printing, no environment.

mod activity;
mod chips;
mod codec;
mod concern;
mod db;
mod domain;
mod error;
mod fold;
mod fulltext;
mod provenance;
mod rank;
mod read;
mod readable;
mod report;
#[cfg(test)]
mod ring;
mod rollup;
mod said;
mod score;
mod search;
mod sweep;
mod touched;
mod trace;
mod views;

pub use activity::{Act, Acts, Bucket, MAX_ACTS, MAX_BUCKETS, Moved, Tie, Traffic};
pub use chips::{Rates, Used, tokens_of};
pub use error::Error;
pub use rank::Why;
pub use read::*;
#[cfg(feature = "schema")]
pub use readable::readable_schema;
pub use readable::{Scale, readable, readable_event};
pub use report::{
    AccountsReport, Calls, CapacityRow, Concentration, Dimension, FactKind, FactRow, Figures,
    FleetUse, MAX_ROWS, MOST_NAMES, Measure, Modelled, OperatorRow, PriceList, ReportRow, Share,
    Split, TokenPrice, TotalRow,
};
pub use score::{Dealt, Kept, Score, SeenScore, Side, score};
pub use touched::Touched;
pub use trace::{Basis, Folded, Gap, Hop, Trace, TracePart};
pub use views::{Indexed, Rebuilding, VERSION, Views};

/// The outcome of a call.
pub type Result<T> = std::result::Result<T, Error>;

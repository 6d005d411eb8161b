//! How fast and how large: each module is one measurement, with its method in its documentation.
//!
//! [`host`] is a server of the measurement's own, as a process beside it; [`load`] is load from outside
//! and the figures taken of it. Times are taken by the client, over loopback. Nothing here prints, parses a
//! command line or judges a figure; how far a measurement is goes to a [`Progress`].

pub mod deals;
mod error;
pub mod fairness;
pub mod host;
pub mod ledger;
pub mod load;
pub mod mail;
pub mod market;
pub mod negotiate;
pub mod population;
pub mod restart;
pub mod soak;
pub mod social;

use std::pin::Pin;

pub use error::BenchError;

/// Hears how far a measurement is.
pub trait Progress: Send {
    /// It begins and has so many steps.
    fn begins(&mut self, steps: u64);
    /// So many more steps are done.
    fn done(&mut self, steps: u64);
}

/// A measurement on its way. Boxed, so that this crate alone holds the code of a measurement.
pub type Measuring<'a, T> = Pin<Box<dyn Future<Output = Result<T, BenchError>> + Send + 'a>>;

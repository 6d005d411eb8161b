//! Measures speed and size: each module is one measurement and documents its method.
//!
//! [`host`] starts a server for the measurement, as a process of its own; [`load`] makes load from outside
//! and takes the figures. The client measures all times, over loopback. Nothing here prints, parses a
//! command line or judges a figure; a [`Progress`] hears how far a measurement is.

pub mod deals;
mod error;
pub mod fairness;
pub mod gateway;
pub mod host;
pub mod idle_streams;
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

/// Hears how far a measurement has come.
pub trait Progress: Send {
    /// The measurement begins and has this many steps.
    fn begins(&mut self, steps: u64);
    /// This many more steps are done.
    fn done(&mut self, steps: u64);
}

/// A measurement in progress. Boxed, so that this crate alone holds the code of a measurement.
pub type Measuring<'a, T> = Pin<Box<dyn Future<Output = Result<T, BenchError>> + Send + 'a>>;

//! Fits the serving model to measured points, and reports how wrong it is on points that it has not seen.
//!
//! Holds the reader of measured points, the features from which a benchmark run is forecast, the penalised
//! fit, cross-validation and the validation report. It never opens a file: callers pass text and get text
//! back. `docs/fleet/accuracy.md` describes the method and its figures.

mod benchmark;
mod cache;
mod calls;
mod fit;
mod forecast;
mod ladder;
mod launch;
mod point;
mod reader;
mod report;
mod solve;

pub use calls::{
    CallsError, ConfigurationUpdate, LogError, LogUpdate, LoggedCall, read_calls, update_from_calls,
};
pub use fit::{CrossValidation, Grouping, calibrate, cross_validate};
pub use forecast::{Figure, Forecast, Forecaster};
pub use point::{Point, PointsError, Replica, Serving, Skipped, Speculative};
pub use reader::{PointFile, read_points};
pub use report::{Accuracy, AccuracyReport, Row, unseen_accuracy, validate};

#[cfg(test)]
mod tests;

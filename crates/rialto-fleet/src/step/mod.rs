//! How long one engine step takes: a calibrated roofline of compute, memory and interconnect.
//!
//! Holds the parallel plan, the deployment and the step-time model. It never queues or schedules:
//! [`crate::engine`] decides which requests share a step.

mod deployment;
mod effects;
mod error;
mod model;
mod parameters;
mod plan;
mod roofline;

pub use deployment::{Deployment, Engine, Speculation};
pub use effects::{Effect, On, effects, family, group_key};
pub use error::{ForecastError, IntervalWidths, Z_OF_INTERVAL, outside_measured};
pub use model::{StepLoad, StepModel, StepTerms};
pub use parameters::{
    Errors, FIRST_TOKEN_TERMS, Layer, Parameters, ParametersError, Residuals, normal_setting,
};
pub use plan::{Plan, StepError};
pub use roofline::{MeanLoad, Roofline, TERMS, Term, overlap};

#[cfg(test)]
mod tests;

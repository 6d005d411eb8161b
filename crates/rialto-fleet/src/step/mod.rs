//! How long one engine step takes: a calibrated roofline of compute, memory and interconnect.
//!
//! Holds the parallel plan, the deployment and the step-time model. It never queues or schedules:
//! which requests share a step is the business of [`crate::engine`].

mod deployment;
mod effects;
mod model;
mod parameters;
mod plan;
mod roofline;

pub use deployment::{Deployment, Engine, Speculation};
pub use effects::{Effect, On, effects};
pub(crate) use effects::{family, group_key};
pub use model::{StepLoad, StepModel, StepTerms};
pub use parameters::{Errors, Layer, Parameters, ParametersError, Residuals};
pub(crate) use parameters::{FIRST_TOKEN_TERMS, normal_setting};
pub use plan::{Plan, StepError};
pub(crate) use roofline::{MeanLoad, Roofline, overlap};
pub use roofline::{TERMS, Term};

#[cfg(test)]
mod tests;

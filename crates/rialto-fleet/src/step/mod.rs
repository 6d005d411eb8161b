//! How long one engine step takes: a calibrated roofline of compute, memory and interconnect.
//!
//! Holds the parallel plan, the deployment and the step-time model. It never queues or schedules:
//! which requests share a step is the business of [`crate::engine`].

mod deployment;
mod parameters;
mod plan;
mod roofline;

pub use deployment::{Deployment, Engine, Speculation};
pub use parameters::{Efficiency, Parameters, ParametersError};
pub use plan::{Plan, StepError};
pub use roofline::{StepLoad, StepModel, StepTerms};

#[cfg(test)]
mod tests;

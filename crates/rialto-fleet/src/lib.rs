//! A twin of the accelerator fleet that serves models, and of its economics.
//!
//! Holds chips, models, placement, serving simulation and cost. It never does I/O, never reads a
//! clock or the environment, and a seed gives the same run on every machine.

pub mod calibrate;
pub mod catalogue;
pub mod cells;
pub mod cluster;
pub mod echo;
pub mod economics;
pub mod engine;
mod place;
pub mod plan;
pub mod rng;
pub mod step;
pub mod traffic;
pub mod units;

//! A twin (a model) of the fleet of accelerators that serves language models.
//!
//! Holds chips, models, step times, traffic, the simulation of serving and the choice of placements. It
//! never does I/O, never reads a clock or the environment, and a seed gives the same run on every machine.
//! Two other crates use the twin, which does not depend on them: `rialto-calibration` fits its parameters,
//! and `rialto-economics` computes costs and earnings.

pub mod catalogue;
pub mod cells;
pub mod chart;
pub mod cluster;
pub mod echo;
pub mod engine;
pub mod place;
pub mod plan;
pub mod rng;
pub mod step;
pub mod table;
pub mod traffic;
pub mod units;

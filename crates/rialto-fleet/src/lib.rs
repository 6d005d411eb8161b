//! A twin of the accelerator fleet that serves models.
//!
//! Holds chips, models, step times, traffic, serving simulation and the choice of placements. It never
//! does I/O, never reads a clock or the environment, and a seed gives the same run on every machine. How
//! its parameters are fitted (`rialto-calibration`) and what comes of it in money (`rialto-economics`)
//! are rooms of their own, which know the twin; it knows neither.

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

//! Integration tests of the fleet twin, one binary.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test may fail it"
)]

mod catalogue;
mod cluster;
mod engine;
mod faults;
mod plan;
mod traffic;

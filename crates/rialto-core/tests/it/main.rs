//! The promises of the core, held against long random runs, hostile bytes and stored logs.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail the test"
)]

#[allow(dead_code, reason = "the unit tests share it and use more of it")]
#[path = "../../src/spec/mod.rs"]
mod spec;

mod bytes;
mod driver;
mod golden;
mod random;

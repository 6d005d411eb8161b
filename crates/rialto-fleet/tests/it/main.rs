//! Integration tests of the fleet twin, one binary.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test may fail it"
)]

mod calibration;
mod catalogue;
mod cluster;
mod economics_backlog;
mod economics_claims;
mod economics_cost;
mod economics_examples;
mod economics_history;
mod economics_input;
mod economics_invest;
mod economics_money;
mod economics_silicon;
mod economics_usage;
mod engine;
mod plan;
mod traffic;

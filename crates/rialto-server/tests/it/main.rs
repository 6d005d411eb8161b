//! Tests of the node and the door as a whole.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

mod architecture;
mod archive;
mod audit;
mod authority;
mod clients;
mod console;
mod console_fleet;
mod console_square;
mod corrections;
mod deals;
mod described;
mod description;
mod door;
mod edge;
mod faults;
mod gateway;
mod guards;
mod held;
mod models;
mod realm;
mod scopes;
mod shares;
mod signatures;
mod sleep;
mod square;
mod standing;
mod texts;
mod workload;

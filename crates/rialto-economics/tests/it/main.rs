//! Integration tests of the economics, one binary.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test may fail it"
)]

mod backlog;
mod claims;
mod cost;
mod examples;
mod history;
mod input;
mod invest;
mod money;
mod silicon;
mod usage;

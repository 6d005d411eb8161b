//! What the protocols' types promise, held on data of the project.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

mod gateway;
mod screening;

//! What leaves the process, against real sockets, files and programs.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

mod calls;
mod peer;

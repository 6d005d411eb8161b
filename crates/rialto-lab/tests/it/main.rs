//! The lab from outside: files, strategies, and what NegMAS and people did on the same domains.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail like tests, and say what they skip"
)]

mod domains;
mod negmas;
mod people;
mod properties;
mod tournaments;

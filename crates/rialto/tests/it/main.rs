//! The command line from outside: the binary is run as people run it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail like tests, and say what they skip"
)]

mod approvals;
mod children;
mod cli;
mod cli_archive;
mod cli_deals;
mod cli_folders;
mod clients;
mod demo;
mod faults;
mod fleet;
mod held;
mod negotiate;
mod newcomers;
mod programs;
mod quarantine;
mod quickstart;
mod readme;
mod scenario;
mod secrets;
mod settings;
mod syscalls;
mod tls;
mod webhook;

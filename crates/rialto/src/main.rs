//! The `rialto` binary: one command line for the realm's server, its users and its tools.

#![allow(unreachable_pub, reason = "nothing outside a binary can reach into it")]

mod cli;
mod commands;
mod config;
mod output;
#[cfg(test)]
mod reference;
mod tables;

fn main() -> std::process::ExitCode {
    cli::main()
}

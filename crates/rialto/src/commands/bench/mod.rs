//! `rialto bench …`: how fast, how large; each with its method in `--help`.
//!
//! Holds the cases and what they share: a server of their own ([`stage`]), load from outside and
//! the figures taken of it ([`load`]). Times are taken by the client, over loopback.

mod deals;
mod ledger;
mod load;
mod mail;
mod market;
mod negotiate;
mod population;
mod restart;
mod soak;
mod social;
mod stage;

use clap::Subcommand;

use super::fleet::bench::{BenchArgs, run_bench};
use crate::output::{CliError, Output};

/// What is measured.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Transfers a second through the front door, durable.
    Ledger(ledger::LedgerArgs),
    /// Whole deals a second: offer, acceptance with its hold, delivery, acceptance, settlement.
    Deals(deals::DealsArgs),
    /// Messages a second, durable and indexed, and how long one takes to arrive.
    Mail(mail::MailArgs),
    /// Market days of growing populations, and search among many listings.
    Market(market::MarketArgs),
    /// How long a realm is away after a kill with a long log.
    Restart(restart::RestartArgs),
    /// Many agents, some of them active: memory, reads, writes, the writer's longest turn.
    Population(population::PopulationArgs),
    /// A mixed load over a long time: do memory and latency stay flat?
    Soak(soak::SoakArgs),
    /// The square at its size: memory, and the home feed under a steady rate of readers.
    Social(social::SocialArgs),
    /// Negotiations and rounds a second, on domains of growing size.
    Negotiate(negotiate::NegotiateArgs),
    /// The speed of the serving twin: simulated requests a second at iteration level.
    Fleet(BenchArgs),
}

/// Runs one benchmark.
///
/// # Errors
/// When its input cannot be used, the server does not start, or refuses what it should take.
pub(crate) async fn run(command: &BenchCommand, out: Output) -> Result<(), CliError> {
    match command {
        BenchCommand::Ledger(args) => ledger::run(args, out).await,
        BenchCommand::Deals(args) => deals::run(args, out).await,
        BenchCommand::Mail(args) => mail::run(args, out).await,
        BenchCommand::Market(args) => market::run(args, out).await,
        BenchCommand::Restart(args) => restart::run(args, out).await,
        BenchCommand::Population(args) => population::run(args, out).await,
        BenchCommand::Soak(args) => soak::run(args, out).await,
        BenchCommand::Social(args) => social::run(args, out),
        BenchCommand::Negotiate(args) => negotiate::run(args, out),
        BenchCommand::Fleet(args) => run_bench(args, out),
    }
}

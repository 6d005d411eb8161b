//! `rialto bench …`: measures speed and size; each measurement describes its method in `--help`.
//!
//! Holds the arguments and the printing of figures; `rialto_bench` measures them.

mod deals;
mod fairness;
mod gateway;
mod idle_streams;
mod ledger;
mod mail;
mod market;
mod negotiate;
mod population;
mod restart;
mod soak;
mod social;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use indicatif::ProgressBar;
use rialto_bench::Progress;
use rialto_bench::host::Place;

use super::fleet::bench::{BenchArgs, run_bench};
use crate::output::{CliError, Output};

/// What is measured.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Durable transfers a second through the server's API.
    Ledger(ledger::LedgerArgs),
    /// Whole deals a second: offer, acceptance with its hold, delivery, acceptance, settlement.
    Deals(deals::DealsArgs),
    /// How long deals take while another owner floods the writer.
    Fairness(fairness::FairnessArgs),
    /// What the gateway of models adds to a call, beside others.
    Gateway(gateway::GatewayArgs),
    /// What streams cost that have nothing to tell: processor time, reads, memory.
    IdleStreams(idle_streams::IdleStreamsArgs),
    /// Messages a second, durable and indexed, and how long one takes to arrive.
    Mail(mail::MailArgs),
    /// Market days of growing populations, and search among many listings.
    Market(market::MarketArgs),
    /// How long a realm is unavailable after a kill, with a long log.
    Restart(restart::RestartArgs),
    /// Many agents, some of them active: memory, reads, writes, the writer's longest turn without a break.
    Population(population::PopulationArgs),
    /// A mixed load over a long time: do memory and latency stay flat?
    Soak(soak::SoakArgs),
    /// The square at its size: memory, and the home feed under a steady rate of readers.
    Social(social::SocialArgs),
    /// Negotiations and rounds a second, on domains of growing size.
    Negotiate(negotiate::NegotiateArgs),
    /// The speed of the fleet twin: requests a second that it simulates, iteration by iteration.
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
        BenchCommand::Fairness(args) => fairness::run(args, out).await,
        BenchCommand::Gateway(args) => gateway::run(args, out).await,
        BenchCommand::IdleStreams(args) => idle_streams::run(args, out).await,
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

/// Where a benchmark keeps its realm.
#[derive(Clone, Debug, Args)]
pub(crate) struct PlaceArgs {
    /// Keep the realm in this empty folder instead of a temporary one. Its disk is what is measured.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl PlaceArgs {
    /// The folder, and this program to serve it.
    ///
    /// # Errors
    /// When the system does not say where this program is.
    fn place(&self) -> Result<Place, CliError> {
        let program = std::env::current_exe();
        let program = program.map_err(|e| CliError::failed(format!("this program's path: {e}")))?;
        Ok(Place {
            program,
            data: self.data.clone(),
        })
    }
}

/// Shows how far a benchmark is.
struct Bar {
    out: Output,
    bar: ProgressBar,
}

impl Bar {
    fn new(out: Output) -> Self {
        Self {
            out,
            bar: ProgressBar::hidden(),
        }
    }

    fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn begins(&mut self, steps: u64) {
        self.bar = self.out.progress("bench", steps);
    }

    fn done(&mut self, steps: u64) {
        self.bar.inc(steps);
    }
}

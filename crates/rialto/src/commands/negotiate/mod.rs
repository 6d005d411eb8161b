//! `rialto negotiate …`: strategies on multi-issue domains, without a realm.
//!
//! Holds the command line of [`rialto_lab::negotiate`]: it reads and writes files, takes the time and shows
//! progress, and leaves everything else to the lab.

pub(crate) mod domains;
mod humans;
mod plot;
mod run;
mod tournament;

use clap::Subcommand;
use rialto_lab::negotiate::strategy::{CATALOGUE, Spec};

use crate::output::{CliError, Output};

/// Strategies on domains of several issues.
#[derive(Debug, Subcommand)]
pub(crate) enum NegotiateCommand {
    /// The strategies, and where each is defined.
    Strategies,
    /// Checks domains and shows what they allow.
    Check(domains::CheckArgs),
    /// Writes domains made from a seed.
    Generate(domains::GenerateArgs),
    /// Runs one negotiation, offer by offer.
    Run(run::RunArgs),
    /// Every strategy against every other over all domains, on both sides.
    Tournament(tournament::TournamentArgs),
    /// Strategies on the preferences of recorded human negotiations.
    Humans(humans::HumansArgs),
}

/// Runs one of them.
///
/// # Errors
///
/// When an input cannot be used or an output cannot be written.
pub(crate) fn run(command: &NegotiateCommand, out: Output) -> Result<(), CliError> {
    match command {
        NegotiateCommand::Strategies => strategies(out),
        NegotiateCommand::Check(args) => domains::check(args, out),
        NegotiateCommand::Generate(args) => domains::generate(args, out),
        NegotiateCommand::Run(args) => run::run(args, out),
        NegotiateCommand::Tournament(args) => tournament::run(args, out),
        NegotiateCommand::Humans(args) => humans::run(args, out),
    }
}

fn strategies(out: Output) -> Result<(), CliError> {
    out.json(&CATALOGUE)?;
    for entry in CATALOGUE {
        out.line(format!(
            "{:12} {}\n{:12} {}",
            entry.name, entry.rule, "", entry.source
        ))?;
    }
    out.line("time:E       aims at 1 - t^E, for any exponent E; time:E:T with a tolerance T")
}

/// Reads a strategy's name.
fn strategy(text: &str) -> Result<Spec, String> {
    text.parse()
        .map_err(|e| format!("{e}; rialto negotiate strategies lists them"))
}

//! `rialto fleet …`: the fleet twin and its economics on the command line.

mod backlog;
mod claims;
mod concentration;
mod cost;
mod focus;
mod invest;
mod silicon;
mod table;

use clap::Subcommand;

use crate::output::{CliError, Output};

/// Questions about a serving fleet: latency, throughput, cost, margin, capital.
#[derive(Debug, Subcommand)]
pub enum FleetCommand {
    /// Shares of spend, tokens and capacity by vendor, chip, host and region.
    Concentration(concentration::ConcentrationArgs),
    /// What a chip-hour and a million tokens cost, and the margin a price list leaves.
    Cost(cost::CostArgs),
    /// A contracted backlog scheduled on bought chips and own silicon as they arrive.
    Backlog(backlog::BacklogArgs),
    /// Whether an own chip pays: break-even volume and date.
    Silicon(silicon::SiliconArgs),
    /// A capital plan: depreciation, cash flow, payback, by adoption lag and with ranges.
    Invest(invest::InvestArgs),
    /// Checks statements against the figures they rest on.
    Claims(claims::ClaimsArgs),
    /// Writes a usage table in FOCUS 1.3 columns.
    Focus(focus::FocusArgs),
}

/// Runs one fleet command.
pub fn run(command: FleetCommand, out: Output) -> Result<(), CliError> {
    match command {
        FleetCommand::Concentration(args) => concentration::run(&args, out),
        FleetCommand::Cost(args) => cost::run(&args, out),
        FleetCommand::Backlog(args) => backlog::run(&args, out),
        FleetCommand::Silicon(args) => silicon::run(&args, out),
        FleetCommand::Invest(args) => invest::run(&args, out),
        FleetCommand::Claims(args) => claims::run(&args, out),
        FleetCommand::Focus(args) => focus::run(&args, out),
    }
}

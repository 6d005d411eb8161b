//! `rialto fleet …`: the fleet twin and its economics on the command line.

mod backlog;
pub mod bench;
mod calibrate;
mod catalogue;
mod claims;
mod compare;
mod concentration;
mod cost;
mod deals;
mod focus;
mod invest;
mod placements;
mod plan;
mod publish;
mod question;
mod silicon;
mod simulate;
mod table;
mod traffic;
mod validate;

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
    /// Forecasts beside measurements, and how far they are off.
    Validate(validate::ValidateArgs),
    /// Fits the serving model's parameters on measured points.
    Calibrate(calibrate::CalibrateArgs),
    /// Chips, nodes, fabrics, models and number formats with their sources.
    Catalogue(catalogue::CatalogueArgs),
    /// Serves a scenario's traffic, or replays a trace, on a modelled fleet.
    Simulate(Box<simulate::SimulateArgs>),
    /// Finds the cheapest placement that meets an objective, and what binds.
    Plan(plan::PlanArgs),
    /// Publishes a plan's price list as a listing on the realm.
    Publish(publish::PublishArgs),
    /// Compares chips or parallel plans under the same traffic.
    Compare(compare::CompareArgs),
    /// Fits a traffic generator to a recorded trace.
    Traffic(traffic::TrafficArgs),
}

/// Runs one fleet command.
pub async fn run(command: FleetCommand, out: Output) -> Result<(), CliError> {
    match command {
        FleetCommand::Concentration(args) => concentration::run(&args, out).await,
        FleetCommand::Cost(args) => cost::run(&args, out),
        FleetCommand::Backlog(args) => backlog::run(&args, out),
        FleetCommand::Silicon(args) => silicon::run(&args, out),
        FleetCommand::Invest(args) => invest::run(&args, out),
        FleetCommand::Claims(args) => claims::run(&args, out),
        FleetCommand::Focus(args) => focus::run(&args, out),
        FleetCommand::Validate(args) => validate::run(&args, out),
        FleetCommand::Calibrate(args) => calibrate::run(&args, out),
        FleetCommand::Catalogue(args) => catalogue::run(&args, out),
        FleetCommand::Simulate(args) => simulate::run(&args, out),
        FleetCommand::Plan(args) => plan::run(&args, out),
        FleetCommand::Publish(args) => publish::run(args, out).await,
        FleetCommand::Compare(args) => compare::run(&args, out),
        FleetCommand::Traffic(args) => traffic::run(&args, out),
    }
}

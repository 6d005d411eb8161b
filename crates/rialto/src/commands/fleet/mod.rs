//! `rialto fleet …`: the fleet twin (the model of a serving fleet) and its economics on the command line.

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
    /// Shows shares of spend, tokens and capacity by vendor, chip, host and region.
    Concentration(concentration::ConcentrationArgs),
    /// Computes what a chip-hour and a million tokens cost, and the margin that a price list leaves.
    Cost(cost::CostArgs),
    /// Schedules a contracted backlog on bought chips and chips of your own as they arrive.
    Backlog(backlog::BacklogArgs),
    /// Compares building your own chip with buying one: break-even volume and date.
    Silicon(silicon::SiliconArgs),
    /// Evaluates a capital plan: depreciation, cash flow and payback, with ranges, for each delay of demand
    /// (adoption lag).
    Invest(invest::InvestArgs),
    /// Checks statements against the figures they rest on.
    Claims(claims::ClaimsArgs),
    /// Writes a usage table in the columns of FOCUS 1.3, the FinOps format for cost and usage.
    Focus(focus::FocusArgs),
    /// Compares forecasts with measurements and reports how far off they are.
    Validate(validate::ValidateArgs),
    /// Fits the serving model's parameters to measured points, or updates them from a log of calls.
    Calibrate(calibrate::CalibrateArgs),
    /// Shows chips, nodes, fabrics, models and number formats with their sources.
    Catalogue(catalogue::CatalogueArgs),
    /// Serves a scenario's traffic, or replays a trace, on a modelled fleet.
    Simulate(Box<simulate::SimulateArgs>),
    /// Finds the cheapest placement that meets a latency objective, and says which constraint binds.
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

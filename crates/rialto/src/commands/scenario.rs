//! `rialto scenario …`: market days from folders.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::remote::read_token;
use crate::config::{self, Config};
use crate::market_day::buyer::Prices;
use crate::market_day::realm::{Realm, restoring_limits};
use crate::market_day::report::DayReport;
use crate::market_day::{Plan, hold};
use crate::output::{CliError, Output};
use crate::scenario::{Scenario, fit, load};
use rialto_client::Client;

/// How many customers, and then businesses, act at the same time against a server.
const LANES: usize = 16;

/// Market days from folders of customers and businesses.
#[derive(Debug, Subcommand)]
pub(crate) enum ScenarioCommand {
    /// Runs a market day and reports welfare, fairness, money and speed.
    Run(RunArgs),
}

/// What is run, and where.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The scenario's folder: customers/*.yaml and businesses/*.yaml.
    path: PathBuf,
    /// Run the day in the realm of this server instead of a new one.
    #[arg(long, value_name = "URL", requires = "token_file")]
    server: Option<String>,
    /// The file with that server's operator token.
    #[arg(long, value_name = "FILE", requires = "server")]
    token_file: Option<PathBuf>,
    /// Breaks ties; without --server, all randomness comes from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Customers accept first proposals unchanged, without bargaining.
    #[arg(long)]
    list_prices: bool,
}

/// Runs one scenario command.
///
/// # Errors
/// When the folder cannot be read, the door refuses something, or the books differ.
pub(crate) async fn run(command: ScenarioCommand, out: Output) -> Result<(), CliError> {
    let ScenarioCommand::Run(args) = command;
    let scenario = load::load(&args.path).map_err(|e| CliError::usage(e.to_string()))?;
    let scenario = fit::fit(&scenario);
    day(&args, &scenario, out).await?.print(out)
}

async fn day(args: &RunArgs, scenario: &Scenario, out: Output) -> Result<DayReport, CliError> {
    let prices = if args.list_prices {
        Prices::List
    } else {
        Prices::Bargained
    };
    let (Some(server), Some(file)) = (&args.server, &args.token_file) else {
        let realm = Realm::embedded(args.seed).await?;
        let plan = Plan {
            prices,
            seed: args.seed,
            lanes: 1,
        };
        let report = hold(&realm, scenario, plan).await;
        realm.close();
        return report;
    };
    let ca = Config::load()?.get(&config::CA, None).map(|s| s.value);
    let token = Some(read_token(file)?);
    let operator = Client::http_trusting(server, token, ca.as_deref().map(Path::new))?;
    out.note("the server's rate limits are switched off until the day is over");
    let plan = Plan {
        prices,
        seed: args.seed,
        lanes: LANES,
    };
    let realm = Realm::served(operator.clone(), false);
    restoring_limits(&operator, async {
        tokio::select! {
            report = hold(&realm, scenario, plan) => report,
            _ = tokio::signal::ctrl_c() => Err(CliError::failed("interrupted")),
        }
    })
    .await
}

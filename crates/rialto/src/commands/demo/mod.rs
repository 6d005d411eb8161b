//! `rialto demo`: the shipped market day, held for people to watch, in a real realm on this machine.
//!
//! Everything that is printed happened in this run, through the server's own API. Customers and
//! businesses decide by built-in strategies; only that is a stand-in.

mod home;
mod models;
mod story;

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use rialto_core::id::AnyId;
use rialto_scenario::Scenario;
use rialto_scenario::demo::{Basis, DemoLine, DemoPlan, shipped, show};

use home::Home;
use story::{Teller, print};

use crate::commands::parse::duration_ms;
use crate::output::{CliError, Output};

/// How long to wait between customers by default.
const PACE_MS: u64 = 1_000;

/// How the demo is held.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// End after the day instead of serving on.
    #[arg(long)]
    exit: bool,
    /// Where to listen [default: 127.0.0.1:7600, or a free port if that is taken].
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// How long to wait between customers, so that the day can be watched in the console
    /// [default: 1s, or none with --exit].
    #[arg(long, value_name = "DURATION", value_parser = duration_ms)]
    pace: Option<u64>,
    /// Breaks ties between equal prices.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A real server of models with OpenAI's wire, such as http://127.0.0.1:8080, for the calls through the gateway;
    /// without it, one that answers with fixed words stands in.
    #[arg(long, value_name = "URL")]
    model: Option<String>,
}

/// Runs the market day, prints it, and keeps serving.
///
/// # Errors
/// When the realm cannot be made, or something in the day is not as it should be.
pub(crate) async fn run(args: DemoArgs, out: Output) -> Result<(), CliError> {
    let folder = tempfile::Builder::new().prefix("rialto-demo-").tempdir();
    let folder = folder.map_err(|e| CliError::failed(format!("no temporary folder: {e}")))?;
    let scenario = shipped()?;
    let model = models::served(args.model.as_deref()).await?;
    let data = folder.path().join("data");
    let home = Home::open(&data, args.listen, model.settings.clone()).await?;
    let usual = if args.exit { 0 } else { PACE_MS };
    let plan = DemoPlan {
        seed: args.seed,
        pace: Duration::from_millis(args.pace.unwrap_or(usual)),
    };
    let told = day(&home, (&scenario, &model), plan, out).await;
    if let (Ok(goal), false) = (&told, args.exit) {
        look_around(&home, goal, out)?;
        tokio::signal::ctrl_c()
            .await
            .map_err(|e| CliError::failed(format!("cannot wait for Ctrl-C: {e}")))?;
    }
    home.close().await?;
    told.map(|_| ())
}

/// The whole day. Returns the goal that was traced.
async fn day(
    home: &Home,
    (scenario, model): (&Scenario, &models::Served),
    plan: DemoPlan,
    out: Output,
) -> Result<AnyId, CliError> {
    let measured = |topic, text| DemoLine {
        topic,
        text,
        basis: Basis::Measured,
    };
    let realm = format!("{} · data in {}", home.url, home.data.display());
    print(out, &measured("realm", realm))?;
    print(out, &measured("console", way_in(home)))?;
    let mut teller = Teller::new(out);
    let report = show(&home.operator, scenario, plan, &mut teller).await;
    let report = report.map_err(|why| teller.unprinted.unwrap_or_else(|| why.into()))?;
    let goal = report.goal;
    let called = models::play(home, model).await?;
    print(out, &called)?;
    let mut told = serde_json::to_value(report).map_err(|e| CliError::bug(e.to_string()))?;
    if let Some(fields) = told.as_object_mut() {
        fields.insert("url".to_owned(), home.url.clone().into());
        fields.insert("gateway".to_owned(), called.text.into());
    }
    out.json(&told)?;
    Ok(goal)
}

/// Where the console is; on this machine also with what to sign in.
fn way_in(home: &Home) -> String {
    if home.on_loopback {
        let token = home.data.join("operator.token");
        format!("{} · token: cat {}", home.url, token.display())
    } else {
        home.url.clone()
    }
}

/// Three commands that work while the demo serves.
fn look_around(home: &Home, goal: &AnyId, out: Output) -> Result<(), CliError> {
    let own = std::env::args()
        .next()
        .unwrap_or_else(|| "rialto".to_owned());
    let access = format!(
        "--server {} --token-file {}",
        home.url,
        home.data.join("operator.token").display()
    );
    out.line("")?;
    out.line(format!(
        "serving on {} until Ctrl-C; the data folder goes with it. Look around:",
        home.url
    ))?;
    out.line(format!("  console  {}", way_in(home)))?;
    out.line(format!("  curl -s {}/api/agents", home.url))?;
    out.line(format!("  {own} trace {goal} {access}"))?;
    out.line(format!("  {own} accounts --by counterparty {access}"))
}

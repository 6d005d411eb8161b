//! `rialto demo`: the shipped market day, held for people to watch, in a real realm on this machine.
//!
//! Everything that is printed happened in this run, through the listener's own door. Customers and
//! businesses decide by built-in strategies; that, and nothing else, stands in for something.

mod extras;
mod files;
mod home;
mod square;
mod story;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use rialto_core::id::AnyId;
use serde_json::{Value, json};

use home::Home;
use story::{Basis, goal, line, tell};

use crate::commands::parse::duration_ms;
use crate::market_day::buyer::{Buyer, Prices};
use crate::market_day::realm::Realm;
use crate::market_day::report::{self, Actions, DayReport};
use crate::market_day::stage::{self, Cast};
use crate::market_day::{Plan, books, meter, open_market, purchases};
use crate::output::{CliError, Output};
use crate::scenario::{Scenario, fit, load};

/// How long to wait between customers unless told.
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
}

/// Holds the market day, tells it, and serves on.
///
/// # Errors
/// When the realm cannot be made, or something in the day is not as it should be.
pub(crate) async fn run(args: DemoArgs, out: Output) -> Result<(), CliError> {
    let folder = tempfile::Builder::new().prefix("rialto-demo-").tempdir();
    let folder = folder.map_err(|e| CliError::failed(format!("no temporary folder: {e}")))?;
    let scenario = shipped(&folder.path().join("market-day"))?;
    let home = Home::open(&folder.path().join("data"), args.listen).await?;
    let usual = if args.exit { 0 } else { PACE_MS };
    let pace = Duration::from_millis(args.pace.unwrap_or(usual));
    let told = day(&home, &scenario, args.seed, pace, out).await;
    if let (Ok(goal), false) = (&told, args.exit) {
        look_around(&home, goal, out)?;
        tokio::signal::ctrl_c()
            .await
            .map_err(|e| CliError::failed(format!("cannot wait for Ctrl-C: {e}")))?;
    }
    home.close().await?;
    told.map(|_| ())
}

/// The shipped scenario, read through a folder of its own.
pub(crate) fn shipped_scenario() -> Result<Scenario, CliError> {
    let folder = tempfile::tempdir();
    let folder = folder.map_err(|e| CliError::failed(format!("no temporary folder: {e}")))?;
    shipped(&folder.path().join("market-day"))
}

/// The shipped scenario, with names in the place of ids so that handles read well.
fn shipped(folder: &std::path::Path) -> Result<Scenario, CliError> {
    files::write(folder)
        .map_err(|e| CliError::failed(format!("cannot write {}: {e}", folder.display())))?;
    let scenario = load::load(folder).map_err(|e| CliError::bug(e.to_string()))?;
    let mut scenario = fit::fit(&scenario);
    let names = scenario
        .customers
        .iter()
        .map(|c| c.name.as_str())
        .chain(scenario.businesses.iter().map(|b| b.name.as_str()));
    let mut ids = fit::handles(names, "").into_iter();
    let all = scenario
        .customers
        .iter_mut()
        .map(|c| &mut c.id)
        .chain(scenario.businesses.iter_mut().map(|b| &mut b.id));
    for (id, name) in all.zip(&mut ids) {
        *id = name;
    }
    Ok(scenario)
}

/// The whole day. Returns the goal that was traced.
async fn day(
    home: &Home,
    scenario: &Scenario,
    seed: u64,
    pace: Duration,
    out: Output,
) -> Result<AnyId, CliError> {
    let realm = Realm::served(home.operator.clone(), true);
    let plan = Plan {
        prices: Prices::Bargained,
        seed,
        lanes: 1,
    };
    let mut cast = stage::set(&realm, scenario, plan.prices, seed).await?;
    line(
        out,
        "realm",
        format!("{} · data in {}", home.url, home.data.display()),
        Basis::Measured,
    )?;
    line(out, "console", way_in(home), Basis::Measured)?;
    let who = format!(
        "{} customers and {} businesses, deciding by built-in strategies, no model",
        cast.buyers.len(),
        cast.sellers.len()
    );
    line(out, "agents", who, Basis::StandIn)?;
    open_market(&realm, &mut cast, plan.lanes).await?;
    line(
        out,
        "market",
        format!(
            "{} listings published · {} issued to customers",
            cast.sellers.len(),
            cast.issued
        ),
        Basis::Measured,
    )?;
    let begun = std::time::Instant::now();
    one_by_one(&realm, &mut cast, pace, out).await?;
    let actions = Actions::of(meter(&mut cast), begun.elapsed().as_secs_f64(), plan.lanes);
    let day = books::read(&realm, &cast).await?;
    let report = report::make(scenario, &cast, &day, actions, plan)?;
    let extras = extras::play(out, &realm.operator).await?;
    let goal = traced(&cast)?;
    let ending = Ending::read(home, goal).await?;
    ending.tell(out, &report)?;
    let extras: Vec<String> = extras.iter().map(ToString::to_string).collect();
    out.json(&json!({
        "url": home.url, "day": report, "extras": extras, "goal": goal, "accounts": ending.accounts,
        "trace": ending.trace, "trial_balance": ending.trial, "digest": ending.digest,
    }))?;
    Ok(goal)
}

/// Customers come one after another, so that each one's way can be read as a whole.
async fn one_by_one(
    realm: &Realm,
    cast: &mut Cast,
    pace: Duration,
    out: Output,
) -> Result<(), CliError> {
    let everybody = std::mem::take(&mut cast.buyers);
    let mut done: Vec<Buyer> = Vec::with_capacity(everybody.len());
    for buyer in everybody {
        line(out, "", goal(&buyer), Basis::Measured)?;
        cast.buyers = vec![buyer];
        purchases(realm, cast, 1, &mut |buyer| tell(out, buyer)).await?;
        done.append(&mut cast.buyers);
        tokio::time::sleep(pace).await;
    }
    cast.buyers = done;
    Ok(())
}

/// The goal with the longest way to its deal.
fn traced(cast: &Cast) -> Result<AnyId, CliError> {
    let bought = cast.buyers.iter().filter(|buyer| buyer.deal.is_some());
    let richest = bought.max_by_key(|buyer| buyer.outcome.asked.len());
    richest
        .map(|buyer| buyer.goal)
        .ok_or_else(|| CliError::failed("nobody bought anything, so there is nothing to trace"))
}

/// What is read back at the end.
struct Ending {
    accounts: Value,
    trace: Value,
    trial: BTreeMap<String, String>,
    digest: String,
    position: u64,
}

impl Ending {
    async fn read(home: &Home, goal: AnyId) -> Result<Self, CliError> {
        let operator = &home.operator;
        let digest = operator.get("/api/digest").await?;
        let position = digest
            .get("position")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        let at = format!("min_position={position}");
        Ok(Self {
            accounts: operator
                .get(&format!("/api/report/accounts?by=owner&{at}"))
                .await?,
            trace: operator.get(&format!("/api/trace/{goal}?{at}")).await?,
            trial: books::trial_balance(operator, position).await?,
            digest: digest
                .get("digest")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            position,
        })
    }

    fn tell(&self, out: Output, report: &DayReport) -> Result<(), CliError> {
        let welfare = &report.welfare;
        let worth = format!(
            "{} for customers · {} at best without bargaining · {} gained by bargaining",
            welfare.total, welfare.optimal, welfare.bargaining_gain
        );
        line(out, "welfare", worth, Basis::Measured)?;
        for row in list(&self.accounts, "rows") {
            let owner = row
                .pointer("/by/owner")
                .and_then(Value::as_str)
                .unwrap_or("unattributed");
            line(
                out,
                "accounts",
                format!("{owner}: {}", figures(row)),
                Basis::Measured,
            )?;
        }
        for row in list(&self.accounts, "total") {
            line(out, "  total", figures(row), Basis::Measured)?;
        }
        self.tell_trace(out)?;
        let sums: Vec<String> = self
            .trial
            .iter()
            .map(|(asset, sum)| format!("{asset} {sum}"))
            .collect();
        line(
            out,
            "ledger",
            format!("trial balance {} over all accounts", sums.join(", ")),
            Basis::Measured,
        )?;
        let made = &report.actions;
        let speed = format!(
            "{} requests · p50 {:.2} ms, p99 {:.2} ms, one at a time",
            made.count, made.p50_ms, made.p99_ms
        );
        line(out, "actions", speed, Basis::Measured)?;
        line(
            out,
            "digest",
            format!("{} at {}", self.digest, self.position),
            Basis::Measured,
        )
    }

    fn tell_trace(&self, out: Output) -> Result<(), CliError> {
        line(
            out,
            "trace",
            chain(list(&self.trace, "hops")).join(" -> "),
            Basis::Measured,
        )?;
        let gaps = match list(&self.trace, "gaps").len() {
            0 => "no gaps".to_owned(),
            some => format!("{some} gaps"),
        };
        let hops = list(&self.trace, "hops").len();
        line(
            out,
            "",
            format!("{hops} hops from the goal to the settlement, {gaps}"),
            Basis::Measured,
        )
    }
}

/// The kinds of things that a thread passes through, in order, each with its id or how many.
fn chain(hops: &[Value]) -> Vec<String> {
    let mut kinds: Vec<(&str, Vec<&str>)> = Vec::new();
    for id in hops.iter().filter_map(|hop| hop.get("id")?.as_str()) {
        let kind = id.split('_').next().unwrap_or(id);
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, ids)) if ids.contains(&id) => {}
            Some((_, ids)) => ids.push(id),
            None => kinds.push((kind, vec![id])),
        }
    }
    let shown = kinds.into_iter().map(|(kind, ids)| match ids.as_slice() {
        [only] => (*only).to_owned(),
        some => format!("{} {kind}", some.len()),
    });
    shown.collect()
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value
        .get(field)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn figures(row: &Value) -> String {
    let figure = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or("0");
    format!(
        "spent {} · earned {} · reserved {} · margin {}",
        figure("spent"),
        figure("earned"),
        figure("reserved"),
        figure("margin")
    )
}

/// Where the console is; on this machine also with what to sign in.
fn way_in(home: &Home) -> String {
    if home.on_loopback {
        let token = home.data.join("operator.token");
        format!(
            "{} · sign in with the token in {}",
            home.url,
            token.display()
        )
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

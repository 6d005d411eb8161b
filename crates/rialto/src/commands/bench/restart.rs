//! `rialto bench restart`: how long a realm is away after a kill.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};

use super::load::lanes;
use super::stage::{Memory, Place, PlaceArgs, Served};
use crate::market_day::stage::send;
use crate::output::{CliError, Output};
use rialto_client::Client;

/// Commands in a request while the log is written.
const BATCH: usize = 2_000;

/// How long a realm is away after a kill with a long log.
///
/// Starts a server of its own and writes events through the front door: half of them transfers of one
/// entry, half messages, each an event of its own, until the log holds as many as asked for. Kills the
/// server, starts it again, and takes the time until it listens and has accepted a command, and until
/// the views are current. Then `rialto log verify` walks the chain and replays the whole log from the
/// first event, once more from nothing.
#[derive(Debug, Args)]
pub(crate) struct RestartArgs {
    /// Events in the log.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// Requests under way at a time while the log is written.
    #[arg(long, default_value_t = 4)]
    lanes: usize,
    /// Do not wait for the views.
    #[arg(long)]
    skip_views: bool,
    #[command(flatten)]
    place: PlaceArgs,
}

/// The figures, measured.
#[derive(Debug, Serialize)]
struct Report {
    events: u64,
    writing_s: f64,
    log_bytes: u64,
    listening_s: f64,
    first_write_s: f64,
    views_current_s: Option<f64>,
    full_replay_s: f64,
    server: Memory,
}

/// Runs `rialto bench restart`.
pub(crate) async fn run(args: &RestartArgs, out: Output) -> Result<(), CliError> {
    if args.lanes == 0 {
        return Err(CliError::usage("--lanes is at least 1"));
    }
    let place = Place::new(&args.place)?;
    let mut server = Served::start(&place)?;
    let bar = out.progress("bench", 4);
    let begun = Instant::now();
    let agent = write(&server, args).await?;
    let writing = begun.elapsed();
    bar.inc(1);
    server.kill();
    let begun = Instant::now();
    let mut server = Served::start(&place)?;
    let agent = server.operator.with_token(&agent)?;
    agent.command("mail.send", message(0)).await?;
    let first_write = begun.elapsed();
    bar.inc(1);
    let mut current = None;
    if !args.skip_views {
        server.indexed().await?;
        current = Some(begun.elapsed());
    }
    bar.inc(1);
    let memory = server.memory_mib();
    let events = server.metric("rialto_durable_position").await?;
    server.kill();
    let replay = replay(&place)?;
    bar.finish_and_clear();
    let log = place.folder().join("log.db");
    let report = Report {
        events,
        writing_s: writing.as_secs_f64(),
        log_bytes: std::fs::metadata(log).map_or(0, |m| m.len()),
        listening_s: server.started_in.as_secs_f64(),
        first_write_s: first_write.as_secs_f64(),
        views_current_s: current.map(|took| took.as_secs_f64()),
        full_replay_s: replay.as_secs_f64(),
        server: memory,
    };
    print(&report, out)
}

fn print(report: &Report, out: Output) -> Result<(), CliError> {
    out.json(report)?;
    out.line(format!(
        "{} events written in {:.0} s, log of {:.0} MiB",
        report.events,
        report.writing_s,
        report.log_bytes as f64 / 1_048_576.0
    ))?;
    let views = report.views_current_s;
    let views = views.map_or("not waited for".to_owned(), |s| format!("{s:.1} s"));
    out.line(format!(
        "after a kill: listening in {:.2} s, first write accepted in {:.2} s, views current in {views}",
        report.listening_s, report.first_write_s
    ))?;
    out.line(format!(
        "full replay from the first event {:.1} s; server {:.0} MiB",
        report.full_replay_s, report.server.now_mib
    ))
}

fn message(to: usize) -> Value {
    json!({ "to": { "agent": format!("@to{to}") }, "body": "a message of about the usual length" })
}

/// Fills the log. The token of one of the agents that wrote.
async fn write(server: &Served, args: &RestartArgs) -> Result<String, CliError> {
    server.lift_limits().await?;
    let owner = server.owner("bench").await?;
    let names = |kind: &str| {
        (0..args.lanes)
            .map(|n| format!("{kind}{n}"))
            .collect::<Vec<_>>()
    };
    let writers = server.agents(&owner, &names("from")).await?;
    server.agents(&owner, &names("to")).await?;
    let funded: Vec<String> = names("from").iter().map(|n| format!("@{n}")).collect();
    server.fund(&funded, "1000000000").await?;
    let have = server.metric("rialto_durable_position").await?;
    let each = args.events.saturating_sub(have) / args.lanes as u64;
    lanes(args.lanes, |lane| {
        let writer = writers.get(lane).cloned();
        async move {
            match writer {
                Some(writer) => fill(&writer, lane, each).await,
                None => Ok(()),
            }
        }
    })
    .await?;
    let asked = json!({ "subject": { "agent": "@from0" }, "label": "after the kill" });
    let issued = owner.1.command("token.issue", asked).await?;
    let token = issued.token.map(|t| t.secret);
    token.ok_or_else(|| CliError::bug("the door issued no token"))
}

async fn fill(writer: &Client, lane: usize, count: u64) -> Result<(), CliError> {
    let mut left = usize::try_from(count).unwrap_or(usize::MAX);
    while left > 0 {
        let now = left.min(BATCH);
        let (messages, transfers) = (now / 2, now - now / 2);
        let post = json!({ "transfers": [{ "post": {
            "from": format!("@from{lane}"), "to": format!("@to{lane}"), "amount": "0.01" } }] });
        send(writer, "ledger.transfer", vec![post; transfers]).await?;
        send(writer, "mail.send", vec![message(lane); messages]).await?;
        left -= now;
    }
    Ok(())
}

/// How long the whole log takes to be replayed.
fn replay(place: &Place) -> Result<Duration, CliError> {
    let program = std::env::current_exe();
    let program = program.map_err(|e| CliError::failed(format!("this program's path: {e}")))?;
    let begun = Instant::now();
    let done = Command::new(program)
        .args(["--json", "log", "verify", "--data"])
        .arg(place.folder())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|e| CliError::failed(format!("the log cannot be verified: {e}")))?;
    if !done.success() {
        return Err(CliError::failed("the log did not verify"));
    }
    Ok(begun.elapsed())
}

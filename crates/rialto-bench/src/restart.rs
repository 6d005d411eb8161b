//! Measures how long a realm is unavailable after a kill.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};

use crate::host::{Host, Memory, Place, Served};
use crate::load::lanes;
use crate::{BenchError, Measuring, Progress};
use rialto_client::Client;
use rialto_scenario::ask::{secret, send};

/// Commands in a request while the log is written.
const BATCH: usize = 2_000;

/// How long a realm is unavailable after a kill, with a long log.
///
/// Starts its own server and writes events through the front door: half of them transfers of one entry,
/// half messages, each an event of its own, until the log holds as many as asked for. Then it kills the
/// server, starts it again, and measures the time until the server listens, until it has accepted a
/// command, and until the views are current. Finally `rialto log verify` checks the chain and replays the
/// whole log from the first event.
#[derive(Clone, Debug)]
pub struct RestartPlan {
    /// Events in the log.
    pub events: u64,
    /// Requests under way at a time while the log is written.
    pub lanes: usize,
    /// Do not wait for the views.
    pub skip_views: bool,
}

/// The figures, measured.
#[derive(Debug, Serialize)]
pub struct RestartFigures {
    /// Events in the log.
    pub events: u64,
    /// Seconds that writing them took.
    pub writing_s: f64,
    /// Size of the log's file, in bytes.
    pub log_bytes: u64,
    /// Seconds from the start after the kill until it listened.
    pub listening_s: f64,
    /// Seconds until it had accepted a command.
    pub first_write_s: f64,
    /// Seconds until the views were current, if the measurement waited for them.
    pub views_current_s: Option<f64>,
    /// Seconds that a replay from the first event took.
    pub full_replay_s: f64,
    /// The server's memory at the end.
    pub server: Memory,
}

/// Takes the measurement.
///
/// # Errors
/// [`BenchError`].
#[must_use]
pub fn measure<'a>(
    plan: &'a RestartPlan,
    place: &'a Place,
    progress: &'a mut dyn Progress,
) -> Measuring<'a, RestartFigures> {
    Box::pin(take(plan, place, progress))
}

async fn take(
    plan: &RestartPlan,
    place: &Place,
    progress: &mut dyn Progress,
) -> Result<RestartFigures, BenchError> {
    if plan.lanes == 0 {
        return Err(BenchError::Plan("lanes is at least 1".to_owned()));
    }
    let host = Host::new(place)?;
    let mut server = Served::start(&host)?;
    progress.begins(4);
    let begun = Instant::now();
    let agent = write(&server, plan).await?;
    let writing = begun.elapsed();
    progress.done(1);
    server.kill();
    let begun = Instant::now();
    let mut server = Served::start(&host)?;
    let agent = server.operator.with_token(&agent)?;
    agent.command("mail.send", message(0)).await?;
    let first_write = begun.elapsed();
    progress.done(1);
    let mut current = None;
    if !plan.skip_views {
        server.indexed().await?;
        current = Some(begun.elapsed());
    }
    progress.done(1);
    let memory = server.memory_mib();
    let events = server.metric("rialto_durable_position").await?;
    server.kill();
    let replay = replay(&host)?;
    let log = host.folder().join("log.db");
    Ok(RestartFigures {
        events,
        writing_s: writing.as_secs_f64(),
        log_bytes: std::fs::metadata(log).map_or(0, |m| m.len()),
        listening_s: server.started_in.as_secs_f64(),
        first_write_s: first_write.as_secs_f64(),
        views_current_s: current.map(|took| took.as_secs_f64()),
        full_replay_s: replay.as_secs_f64(),
        server: memory,
    })
}

fn message(to: usize) -> Value {
    json!({ "to": { "agent": format!("@to{to}") }, "body": "a message of about the usual length" })
}

/// Fills the log. Returns the token of one of the agents that wrote.
async fn write(server: &Served, plan: &RestartPlan) -> Result<String, BenchError> {
    server.lift_limits().await?;
    let owner = server.owner("bench").await?;
    let names = |kind: &str| {
        (0..plan.lanes)
            .map(|n| format!("{kind}{n}"))
            .collect::<Vec<_>>()
    };
    let writers = server.agents(&owner, &names("from")).await?;
    server.agents(&owner, &names("to")).await?;
    let funded: Vec<String> = names("from").iter().map(|n| format!("@{n}")).collect();
    server.fund(&funded, "1000000000").await?;
    let have = server.metric("rialto_durable_position").await?;
    let each = plan.events.saturating_sub(have) / plan.lanes as u64;
    lanes(plan.lanes, |lane| {
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
    Ok(secret(&issued)?.to_owned())
}

async fn fill(writer: &Client, lane: usize, count: u64) -> Result<(), BenchError> {
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

/// How long a replay of the whole log takes.
fn replay(host: &Host) -> Result<Duration, BenchError> {
    let begun = Instant::now();
    let done = Command::new(host.program())
        .args(["--json", "log", "verify", "--data"])
        .arg(host.folder())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(BenchError::machine("the log cannot be verified"))?;
    if !done.success() {
        return Err(BenchError::failed("the log did not verify"));
    }
    Ok(begun.elapsed())
}

//! `rialto bench population`: many agents, some of them active.

use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::load::{Draw, Spread, Times, lanes, rate};
use super::stage::{Memory, Place, PlaceArgs, Served};
use crate::market_day::stage::send;
use crate::output::{CliError, Output};
use rialto_client::Client;

/// Agents of one owner.
const PER_OWNER: usize = 10_000;
/// Agents registered in one request.
const BATCH: usize = 1_000;

/// Many agents, some of them active: memory, how long reads and writes take, the writer's longest
/// turn.
///
/// Starts a server of its own and registers agents through the front door, each with a key and a
/// token. Then so many of them are active: each writes to another, drawn evenly, and looks one up by
/// its handle and its own inbox, at a steady rate in all; times run from when a request was due. The
/// writer's longest turn is the longest time it worked without looking at its queue, from the
/// server's own metric, since its start.
#[derive(Debug, Args)]
pub(crate) struct PopulationArgs {
    /// Registered agents.
    #[arg(long, default_value_t = 150_000)]
    agents: usize,
    /// Active agents among them.
    #[arg(long, default_value_t = 10_000)]
    active: usize,
    /// Requests a second while they are active, half of them writes.
    #[arg(long, default_value_t = 1_000)]
    rate: usize,
    /// Seconds of activity.
    #[arg(long, default_value_t = 20)]
    seconds: usize,
    #[command(flatten)]
    place: PlaceArgs,
}

/// The figures, measured.
#[derive(Debug, Serialize)]
struct Report {
    agents: usize,
    registered_per_s: f64,
    active: usize,
    rate: usize,
    writes: Spread,
    reads: Spread,
    writer_longest_turn_ms: f64,
    bytes_per_agent: f64,
    server: Memory,
}

/// Runs `rialto bench population`.
pub(crate) async fn run(args: &PopulationArgs, out: Output) -> Result<(), CliError> {
    if args.active > args.agents || args.active < 2 || args.rate < 4 {
        return Err(CliError::usage(
            "--active is 2 to --agents, --rate at least 4",
        ));
    }
    let place = Place::new(&args.place)?;
    let server = Served::start(&place)?;
    let empty = server.memory_mib();
    let owners = args.agents.div_ceil(PER_OWNER);
    let bar = out.progress("bench", owners as u64 + 2);
    server.lift_limits().await?;
    let begun = Instant::now();
    let mut active = Vec::with_capacity(args.active);
    for owner in 0..owners {
        let (id, admin) = server.owner(&format!("bench{owner}")).await?;
        let low = owner * PER_OWNER;
        let high = args.agents.min(low + PER_OWNER);
        for first in (low..high).step_by(BATCH) {
            let all = (first..high.min(first + BATCH)).map(|n| {
                json!({ "owner": id, "handle": format!("agent{n}"), "profile": { "contact": "open" } })
            });
            let made = send(&admin, "agent.register", all.collect()).await?;
            for token in made.into_iter().filter_map(|a| a.token) {
                if active.len() < args.active {
                    active.push(token.secret);
                }
            }
        }
        bar.inc(1);
    }
    let registering = begun.elapsed();
    server.indexed().await?;
    let settled = server.memory_mib();
    bar.inc(1);
    let (writes, reads) = activity(args, &server, active).await?;
    let turn = server
        .metric_text("rialto_writer_longest_turn_seconds")
        .await?;
    bar.finish_and_clear();
    let report = Report {
        agents: args.agents,
        registered_per_s: rate(args.agents, registering),
        active: args.active,
        rate: args.rate,
        writes: writes.spread(),
        reads: reads.spread(),
        writer_longest_turn_ms: turn.parse::<f64>().unwrap_or(f64::NAN) * 1e3,
        bytes_per_agent: (settled.now_mib - empty.now_mib) * 1_048_576.0 / args.agents as f64,
        server: server.memory_mib(),
    };
    print(&report, out)
}

fn print(report: &Report, out: Output) -> Result<(), CliError> {
    out.json(report)?;
    out.line(format!(
        "{} agents registered at {:.0}/s; {:.0} bytes each in the server's memory, {:.0} MiB in all",
        report.agents, report.registered_per_s, report.bytes_per_agent, report.server.now_mib
    ))?;
    out.line(format!(
        "{} active, {} requests/s: writes {}; reads {}",
        report.active,
        report.rate,
        report.writes.text(),
        report.reads.text()
    ))?;
    out.line(format!(
        "the writer's longest turn {:.1} ms",
        report.writer_longest_turn_ms
    ))
}

/// Steady reads and writes by agents drawn evenly. How long each took from being due.
async fn activity(
    args: &PopulationArgs,
    server: &Served,
    tokens: Vec<String>,
) -> Result<(Times, Times), CliError> {
    const LANES: usize = 4;
    let tokens = std::sync::Arc::new(tokens);
    let each = args.rate * args.seconds / LANES;
    let every = Duration::from_secs_f64(LANES as f64 / args.rate as f64);
    let start = Instant::now() + Duration::from_millis(100);
    let (brought, _) = lanes(LANES, |lane| {
        let (tokens, operator, all) = (tokens.clone(), server.operator.clone(), args.agents);
        async move {
            let mut draw = Draw::new(lane as u64 + 1);
            let mut under_way = Vec::with_capacity(each);
            for n in 0..each {
                let due = start + every * u32::try_from(n).unwrap_or(u32::MAX);
                tokio::time::sleep_until(due.into()).await;
                let who = draw.below(tokens.len());
                let who = operator.with_token(tokens.get(who).map_or("", |t| t))?;
                let other = format!("agent{}", draw.below(all));
                under_way.push(tokio::spawn(one(who, other, n, due)));
            }
            let (mut writes, mut reads) = (Times::default(), Times::default());
            for request in under_way {
                let (write, took) = request
                    .await
                    .map_err(|e| CliError::bug(format!("a request ended: {e}")))??;
                let times = if write { &mut writes } else { &mut reads };
                times.note(took);
            }
            Ok((writes, reads))
        }
    })
    .await?;
    let (writes, reads): (Vec<Times>, Vec<Times>) = brought.into_iter().unzip();
    Ok((Times::together(writes), Times::together(reads)))
}

/// One request: every second one writes. Whether it did, and how long it took from being due.
async fn one(
    who: Client,
    other: String,
    n: usize,
    due: Instant,
) -> Result<(bool, Duration), CliError> {
    match n % 4 {
        0 | 2 => {
            let message = json!({ "to": { "agent": format!("@{other}") }, "body": "hello" });
            // Now and then it draws itself.
            match who.command("mail.send", message).await {
                Err(why) if why.code() != Some("RLT0210") => return Err(why.into()),
                _ => {}
            }
        }
        1 => {
            who.get(&format!("/api/agents/{other}")).await?;
        }
        _ => {
            who.get("/api/inbox?limit=10").await?;
        }
    }
    Ok((n.is_multiple_of(2), due.elapsed()))
}

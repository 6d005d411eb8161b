//! `rialto bench soak`: a mixed load over a long time.

use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::load::{Draw, Spread, Times, lanes};
use super::stage::{Place, PlaceArgs, Served};
use crate::output::{CliError, Exit, Output};
use rialto_client::Client;

/// Agents that write to and pay each other.
const AGENTS: usize = 64;
/// Parts of the time that figures are given for.
const PARTS: usize = 12;
/// By how much a half of the run may be slower or larger than the one before it.
const GROWTH: f64 = 1.5;

/// A mixed load over a long time: do memory and latency stay flat?
///
/// Starts a server of its own. Agents write to and pay each other at a steady rate; times run from when
/// a request was due. Each twelfth of the time gives a row. Memory is flat when what the server holds
/// grows in the second half at no more than half the pace of the first (contents and histories
/// are on disk; inboxes and keys fill up to their stated limits); latency is flat when the median p99
/// of the second half is at most 1.5 times that of the first. Exit code 1 when one is not.
#[derive(Debug, Args)]
pub(crate) struct SoakArgs {
    /// How long.
    #[arg(long, default_value_t = 20.0)]
    minutes: f64,
    /// Requests a second.
    #[arg(long, default_value_t = 2_500)]
    rate: usize,
    #[command(flatten)]
    place: PlaceArgs,
}

/// One part of the time.
#[derive(Clone, Copy, Debug, Serialize)]
struct Part {
    from_s: f64,
    requests: Spread,
    memory_mib: f64,
}

#[derive(Debug, Serialize)]
struct Report {
    minutes: f64,
    rate: usize,
    parts: Vec<Part>,
    memory_flat: bool,
    latency_flat: bool,
}

/// Runs `rialto bench soak`.
pub(crate) async fn run(args: &SoakArgs, out: Output) -> Result<(), CliError> {
    let short = args.minutes.is_nan() || args.minutes < 0.1;
    if short || args.minutes > 10_000.0 || args.rate < 10 {
        return Err(CliError::usage(
            "--minutes is 0.1 to 10000, --rate at least 10",
        ));
    }
    let place = Place::new(&args.place)?;
    let server = Served::start(&place)?;
    server.lift_limits().await?;
    let owner = server.owner("bench").await?;
    let handles: Vec<String> = (0..AGENTS).map(|n| format!("agent{n}")).collect();
    let agents = server.agents(&owner, &handles).await?;
    let to: Vec<String> = handles.iter().map(|h| format!("@{h}")).collect();
    server.fund(&to, "1000000000").await?;
    let bar = out.progress("bench", PARTS as u64);
    let length = Duration::from_secs_f64(args.minutes * 60.0 / PARTS as f64);
    let begun = Instant::now();
    let mut parts = Vec::with_capacity(PARTS);
    for _ in 0..PARTS {
        let from_s = begun.elapsed().as_secs_f64();
        let times = load(&agents, args.rate, length).await?;
        parts.push(Part {
            from_s,
            requests: times.spread(),
            memory_mib: server.memory_mib().now_mib,
        });
        bar.inc(1);
    }
    bar.finish_and_clear();
    let report = Report {
        minutes: args.minutes,
        rate: args.rate,
        memory_flat: memory_flat(&parts),
        latency_flat: latency_flat(&parts),
        parts,
    };
    print(&report, out)
}

fn print(report: &Report, out: Output) -> Result<(), CliError> {
    out.json(report)?;
    for part in &report.parts {
        out.line(format!(
            "from {:>6.0} s: {} requests, {}; server {:.0} MiB",
            part.from_s,
            part.requests.count,
            part.requests.text(),
            part.memory_mib
        ))?;
    }
    let word = |flat: bool| if flat { "flat" } else { "NOT flat" };
    out.line(format!(
        "memory {}, latency {}",
        word(report.memory_flat),
        word(report.latency_flat)
    ))?;
    if report.memory_flat && report.latency_flat {
        return Ok(());
    }
    Err(CliError::new(
        Exit::Failed,
        "memory or latency did not stay flat",
    ))
}

fn memory_flat(parts: &[Part]) -> bool {
    let (half, end) = (parts.len() / 2, parts.len() - 1);
    let growth = |from: usize, to: usize| {
        let at = |place: usize| parts.get(place).map_or(0.0, |p| p.memory_mib);
        (at(to) - at(from)) / (to - from).max(1) as f64
    };
    // A few MiB are the allocator's.
    growth(half, end) <= growth(0, half).max(0.0) * 0.5 + 16.0 / (end - half).max(1) as f64
}

fn latency_flat(parts: &[Part]) -> bool {
    let (first, second) = parts.split_at(parts.len() / 2);
    let median = |parts: &[Part]| {
        let mut p99: Vec<f64> = parts.iter().map(|p| p.requests.p99_ms).collect();
        p99.sort_unstable_by(f64::total_cmp);
        p99.get(p99.len() / 2).copied().unwrap_or(0.0)
    };
    median(second) <= median(first) * GROWTH + 2.0
}

/// A steady load for a while. How long each request took from being due.
async fn load(agents: &[Client], rate: usize, length: Duration) -> Result<Times, CliError> {
    const LANES: usize = 4;
    let each = (rate as f64 * length.as_secs_f64()) as usize / LANES;
    let every = Duration::from_secs_f64(LANES as f64 / rate as f64);
    let start = Instant::now();
    let (brought, _) = lanes(LANES, |lane| {
        let agents = agents.to_vec();
        async move {
            let mut draw = Draw::new(lane as u64);
            let mut under_way = Vec::with_capacity(each);
            for n in 0..each {
                let due = start + every * u32::try_from(n).unwrap_or(u32::MAX);
                tokio::time::sleep_until(due.into()).await;
                let who = draw.below(agents.len());
                let other = (who + 1 + draw.below(agents.len() - 1)) % agents.len();
                if let Some(agent) = agents.get(who) {
                    under_way.push(tokio::spawn(one(agent.clone(), (who, other), n, due)));
                }
            }
            let mut times = Times::default();
            for request in under_way {
                let took = request.await;
                times.note(took.map_err(|e| CliError::bug(format!("a request ended: {e}")))??);
            }
            Ok(times)
        }
    })
    .await?;
    Ok(Times::together(brought))
}

async fn one(
    agent: Client,
    (who, other): (usize, usize),
    n: usize,
    due: Instant,
) -> Result<Duration, CliError> {
    if n.is_multiple_of(2) {
        let message = json!({ "to": { "agent": format!("@agent{other}") }, "body": "hello" });
        agent.command("mail.send", message).await?;
    } else {
        let post = json!({ "transfers": [{ "post": { "from": format!("@agent{who}"),
            "to": format!("@agent{other}"), "amount": "0.01" } }] });
        agent.command("ledger.transfer", post).await?;
    }
    Ok(due.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(figures: &[(f64, f64)]) -> Vec<Part> {
        let one = |&(p99_ms, memory_mib): &(f64, f64)| Part {
            from_s: 0.0,
            requests: Spread {
                count: 1,
                p50_ms: 1.0,
                p99_ms,
                p999_ms: p99_ms,
                max_ms: p99_ms,
            },
            memory_mib,
        };
        figures.iter().map(one).collect()
    }

    #[test]
    fn growth_is_told_from_noise() {
        let flat = parts(&[(5.0, 100.0), (6.0, 140.0), (7.0, 150.0), (6.0, 152.0)]);
        assert!(memory_flat(&flat) && latency_flat(&flat));
        let leaking = parts(&[(5.0, 100.0), (5.0, 200.0), (5.0, 300.0), (5.0, 400.0)]);
        assert!(!memory_flat(&leaking));
        let slowing = parts(&[(5.0, 100.0), (6.0, 100.0), (20.0, 100.0), (30.0, 100.0)]);
        assert!(!latency_flat(&slowing));
    }
}

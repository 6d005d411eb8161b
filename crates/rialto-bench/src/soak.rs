//! Measures a mixed load over a long time.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;

use crate::host::{Host, Place, Served};
use crate::load::{Draw, Spread, Times, lanes};
use crate::{BenchError, Measuring, Progress};
use rialto_client::Client;

/// Agents that write to and pay each other.
const AGENTS: usize = 64;
/// The number of parts of the time, each with its figures.
const PARTS: usize = 12;
/// By what factor the second half of the run may be slower or larger than the first.
const GROWTH: f64 = 1.5;

/// A mixed load over a long time: do memory and latency stay flat?
///
/// Starts its own server. Agents write to each other and pay each other at a steady rate; times run from
/// when a request was due. Each twelfth of the time gives a row. Memory is flat when what the server holds
/// grows in the second half at no more than half the pace of the first (contents and histories are on disk;
/// inboxes and keys fill up to their stated limits); latency is flat when the median p99 of the second half
/// is at most 1.5 times that of the first.
#[derive(Clone, Debug)]
pub struct SoakPlan {
    /// How long.
    pub minutes: f64,
    /// Requests a second.
    pub rate: usize,
}

/// One part of the time.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SoakPart {
    /// When it began, in seconds from the start.
    pub from_s: f64,
    /// How long requests took from being due.
    pub requests: Spread,
    /// What the server held at its end, in MiB.
    pub memory_mib: f64,
}

/// The figures, measured.
#[derive(Debug, Serialize)]
pub struct SoakFigures {
    /// How long it went on.
    pub minutes: f64,
    /// Requests a second.
    pub rate: usize,
    /// Twelfths of the time.
    pub parts: Vec<SoakPart>,
    /// Whether memory stayed flat, as the method says.
    pub memory_flat: bool,
    /// Whether latency stayed flat, as the method says.
    pub latency_flat: bool,
}

/// Takes the measurement.
///
/// # Errors
/// [`BenchError`].
#[must_use]
pub fn measure<'a>(
    plan: &'a SoakPlan,
    place: &'a Place,
    progress: &'a mut dyn Progress,
) -> Measuring<'a, SoakFigures> {
    Box::pin(take(plan, place, progress))
}

async fn take(
    plan: &SoakPlan,
    place: &Place,
    progress: &mut dyn Progress,
) -> Result<SoakFigures, BenchError> {
    let short = plan.minutes.is_nan() || plan.minutes < 0.1;
    if short || plan.minutes > 10_000.0 || plan.rate < 10 {
        return Err(BenchError::Plan(
            "minutes is 0.1 to 10000, rate at least 10".to_owned(),
        ));
    }
    let host = Host::new(place)?;
    let server = Served::start(&host)?;
    server.lift_limits().await?;
    let owner = server.owner("bench").await?;
    let handles: Vec<String> = (0..AGENTS).map(|n| format!("agent{n}")).collect();
    let agents = server.agents(&owner, &handles).await?;
    let to: Vec<String> = handles.iter().map(|h| format!("@{h}")).collect();
    server.fund(&to, "1000000000").await?;
    progress.begins(PARTS as u64);
    let length = Duration::from_secs_f64(plan.minutes * 60.0 / PARTS as f64);
    let begun = Instant::now();
    let mut parts = Vec::with_capacity(PARTS);
    for _ in 0..PARTS {
        let from_s = begun.elapsed().as_secs_f64();
        let times = load(&agents, plan.rate, length).await?;
        parts.push(SoakPart {
            from_s,
            requests: times.spread(),
            memory_mib: server.memory_mib().now_mib,
        });
        progress.done(1);
    }
    Ok(SoakFigures {
        minutes: plan.minutes,
        rate: plan.rate,
        memory_flat: memory_flat(&parts),
        latency_flat: latency_flat(&parts),
        parts,
    })
}

fn memory_flat(parts: &[SoakPart]) -> bool {
    let (half, end) = (parts.len() / 2, parts.len() - 1);
    let growth = |from: usize, to: usize| {
        let at = |place: usize| parts.get(place).map_or(0.0, |p| p.memory_mib);
        (at(to) - at(from)) / (to - from).max(1) as f64
    };
    // A few MiB are the allocator's.
    growth(half, end) <= growth(0, half).max(0.0) * 0.5 + 16.0 / (end - half).max(1) as f64
}

fn latency_flat(parts: &[SoakPart]) -> bool {
    let (first, second) = parts.split_at(parts.len() / 2);
    let median = |parts: &[SoakPart]| {
        let mut p99: Vec<f64> = parts.iter().map(|p| p.requests.p99_ms).collect();
        p99.sort_unstable_by(f64::total_cmp);
        p99.get(p99.len() / 2).copied().unwrap_or(0.0)
    };
    median(second) <= median(first) * GROWTH + 2.0
}

/// Makes a steady load for a while. Returns how long each request took from being due.
async fn load(agents: &[Client], rate: usize, length: Duration) -> Result<Times, BenchError> {
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
                times.note(took.map_err(|e| BenchError::defect(format!("a request ended: {e}")))??);
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
) -> Result<Duration, BenchError> {
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

    fn parts(figures: &[(f64, f64)]) -> Vec<SoakPart> {
        let one = |&(p99_ms, memory_mib): &(f64, f64)| SoakPart {
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

//! Many agents, some of them active.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;

use crate::host::{Host, Memory, Place, Served};
use crate::load::{Draw, Spread, Times, lanes, rate};
use crate::{BenchError, Measuring, Progress};
use rialto_client::Client;
use rialto_scenario::ask::send;

/// Agents of one owner.
const PER_OWNER: usize = 10_000;
/// Agents registered in one request.
const BATCH: usize = 1_000;

/// Many agents, some of them active: memory, how long reads and writes take, the longest time that the
/// writer is busy without a break (its turn).
///
/// Starts its own server and registers agents through the front door, each with a key and a token. Then the
/// active ones write to other agents, look other agents up by handle, and read their own inboxes. Agents
/// are drawn at random, each equally likely, and the total rate is steady; times run from when a request
/// was due. The writer's longest turn is the longest time it worked without looking at its queue, from the
/// server's own metric, since its start.
#[derive(Clone, Debug)]
pub struct PopulationPlan {
    /// Registered agents.
    pub agents: usize,
    /// Active agents among them.
    pub active: usize,
    /// Requests a second while they are active, half of them writes.
    pub rate: usize,
    /// Seconds of activity.
    pub seconds: usize,
}

/// The figures, measured.
#[derive(Debug, Serialize)]
pub struct PopulationFigures {
    /// Registered agents.
    pub agents: usize,
    /// Agents registered a second.
    pub registered_per_s: f64,
    /// Active agents among them.
    pub active: usize,
    /// Requests a second while they were active.
    pub rate: usize,
    /// How long writes took from being due.
    pub writes: Spread,
    /// How long reads took from being due.
    pub reads: Spread,
    /// The writer's longest turn since the server's start, in milliseconds.
    pub writer_longest_turn_ms: f64,
    /// What the server's memory grew by for each registered agent, in bytes.
    pub bytes_per_agent: f64,
    /// The server's memory then.
    pub server: Memory,
}

/// Takes the measurement.
///
/// # Errors
/// [`BenchError`].
#[must_use]
pub fn measure<'a>(
    plan: &'a PopulationPlan,
    place: &'a Place,
    progress: &'a mut dyn Progress,
) -> Measuring<'a, PopulationFigures> {
    Box::pin(take(plan, place, progress))
}

async fn take(
    plan: &PopulationPlan,
    place: &Place,
    progress: &mut dyn Progress,
) -> Result<PopulationFigures, BenchError> {
    if plan.active > plan.agents || plan.active < 2 || plan.rate < 4 {
        return Err(BenchError::Plan(
            "active is 2 to agents, rate at least 4".to_owned(),
        ));
    }
    let host = Host::new(place)?;
    let server = Served::start(&host)?;
    let empty = server.memory_mib();
    let owners = plan.agents.div_ceil(PER_OWNER);
    progress.begins(owners as u64 + 2);
    server.lift_limits().await?;
    let begun = Instant::now();
    let mut active = Vec::with_capacity(plan.active);
    for owner in 0..owners {
        let (id, admin) = server.owner(&format!("bench{owner}")).await?;
        let low = owner * PER_OWNER;
        let high = plan.agents.min(low + PER_OWNER);
        for first in (low..high).step_by(BATCH) {
            let all = (first..high.min(first + BATCH)).map(|n| {
                json!({ "owner": id, "handle": format!("agent{n}"), "profile": { "contact": "open" } })
            });
            let made = send(&admin, "agent.register", all.collect()).await?;
            for token in made.into_iter().filter_map(|a| a.token) {
                if active.len() < plan.active {
                    active.push(token.secret);
                }
            }
        }
        progress.done(1);
    }
    let registering = begun.elapsed();
    server.indexed().await?;
    let settled = server.memory_mib();
    progress.done(1);
    let (writes, reads) = activity(plan, &server, active).await?;
    let turn = server
        .metric_text("rialto_writer_longest_turn_seconds")
        .await?;
    Ok(PopulationFigures {
        agents: plan.agents,
        registered_per_s: rate(plan.agents, registering),
        active: plan.active,
        rate: plan.rate,
        writes: writes.spread(),
        reads: reads.spread(),
        writer_longest_turn_ms: turn.parse::<f64>().unwrap_or(f64::NAN) * 1e3,
        bytes_per_agent: (settled.now_mib - empty.now_mib) * 1_048_576.0 / plan.agents as f64,
        server: server.memory_mib(),
    })
}

/// Steady reads and writes by agents drawn at random. Returns how long each took from being due.
async fn activity(
    plan: &PopulationPlan,
    server: &Served,
    tokens: Vec<String>,
) -> Result<(Times, Times), BenchError> {
    const LANES: usize = 4;
    let tokens = std::sync::Arc::new(tokens);
    let each = plan.rate * plan.seconds / LANES;
    let every = Duration::from_secs_f64(LANES as f64 / plan.rate as f64);
    let start = Instant::now() + Duration::from_millis(100);
    let (brought, _) = lanes(LANES, |lane| {
        let (tokens, operator, all) = (tokens.clone(), server.operator.clone(), plan.agents);
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
                    .map_err(|e| BenchError::defect(format!("a request ended: {e}")))??;
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

/// Makes one request; every second one writes. Returns whether it wrote, and how long it took from being
/// due.
async fn one(
    who: Client,
    other: String,
    n: usize,
    due: Instant,
) -> Result<(bool, Duration), BenchError> {
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

//! Measures messages a second, and how long one takes to arrive.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::host::{Host, Memory, Place, Served};
use crate::load::{Spread, Times, lanes, rate};
use crate::{BenchError, Measuring, Progress};
use rialto_client::Client;
use rialto_scenario::ask::{new_id, send};

/// How long a receiver waits for what has not come yet.
const PATIENCE: Duration = Duration::from_secs(20);

/// Messages a second, durable and indexed, and how long one takes to arrive.
///
/// Starts its own server as another process, with the realm on disk. First, senders each write to a partner
/// in batches as fast as they are acknowledged; a message counts as delivered when its answer is back (it
/// is durable and in the inbox then), and as indexed when the views have it. Then senders write single
/// messages at a steady rate, and each partner follows its inbox by server-sent events; the time runs from
/// the moment the message was due to be sent until its event is read, so that a stall counts against every
/// message that it held up.
#[derive(Clone, Debug)]
pub struct MailPlan {
    /// Messages of the first case.
    pub messages: usize,
    /// Messages in a request of the first case.
    pub batch: usize,
    /// Pairs of a sender and a receiver.
    pub pairs: usize,
    /// Messages a second in the second case, all pairs together.
    pub rate: usize,
    /// Seconds of the second case.
    pub seconds: usize,
    /// Whether each message carries an id of its sender's, of 36 characters like a UUID.
    pub ids: bool,
}

/// The figures, measured.
#[derive(Debug, Serialize)]
pub struct MailFigures {
    /// Pairs of a sender and a receiver.
    pub pairs: usize,
    /// Messages of the first case.
    pub messages: usize,
    /// Messages of one request of the first case.
    pub batch: usize,
    /// How long the first case took until the last was acknowledged.
    pub seconds: f64,
    /// Messages a second until then.
    pub delivered_per_s: f64,
    /// Messages a second until the views had the last.
    pub indexed_per_s: f64,
    /// Messages a second in the second case.
    pub steady_rate_per_s: usize,
    /// Messages sent in the second case.
    pub steady_sent: usize,
    /// From the moment a message was due until its event was read.
    pub send_to_event: Spread,
    /// Whether each message carried an id of its sender's.
    pub ids: bool,
    /// The server's memory then.
    pub server: Memory,
}

/// Takes the measurement.
///
/// # Errors
/// [`BenchError`].
#[must_use]
pub fn measure<'a>(
    plan: &'a MailPlan,
    place: &'a Place,
    progress: &'a mut dyn Progress,
) -> Measuring<'a, MailFigures> {
    Box::pin(take(plan, place, progress))
}

async fn take(
    plan: &MailPlan,
    place: &Place,
    progress: &mut dyn Progress,
) -> Result<MailFigures, BenchError> {
    if plan.pairs == 0 || plan.rate < plan.pairs || plan.batch == 0 || plan.batch > 2_000 {
        return Err(BenchError::Plan(
            "pairs is at least 1, rate at least pairs, batch 1 to 2000".to_owned(),
        ));
    }
    let host = Host::new(place)?;
    let server = Served::start(&host)?;
    progress.begins(3);
    server.lift_limits().await?;
    let owner = server.owner("bench").await?;
    let names = |kind: &str| {
        (0..plan.pairs)
            .map(|n| format!("{kind}{n}"))
            .collect::<Vec<_>>()
    };
    let senders = server.agents(&owner, &names("from")).await?;
    let receivers = server.agents(&owner, &names("to")).await?;
    progress.done(1);
    let (took, all) = flood(plan, &server, &senders).await?;
    progress.done(1);
    let times = steady(plan, &senders, &receivers).await?;
    Ok(MailFigures {
        pairs: plan.pairs,
        messages: plan.messages,
        batch: plan.batch,
        seconds: took.as_secs_f64(),
        delivered_per_s: rate(plan.messages, took),
        indexed_per_s: rate(plan.messages, all),
        steady_rate_per_s: plan.rate,
        steady_sent: plan.rate / plan.pairs * plan.pairs * plan.seconds,
        send_to_event: times.spread(),
        ids: plan.ids,
        server: server.memory_mib(),
    })
}

/// A message, with the id under which its sender repeats it, if it has one.
fn message(to: usize, text: &str, id: Option<&str>) -> Value {
    json!({ "to": { "agent": format!("@to{to}") }, "body": text, "client_id": id })
}

/// The sender's id of its message number `n` of a case, as long as a UUID.
fn own_id(plan: &MailPlan, case: u8, n: usize) -> Option<String> {
    plan.ids.then(|| format!("{case:04x}-{n:031x}"))
}

/// Sends as many as possible. Returns the time until the last was durable, and until it was indexed.
async fn flood(
    plan: &MailPlan,
    server: &Served,
    senders: &[Client],
) -> Result<(Duration, Duration), BenchError> {
    server.indexed().await?;
    let begun = Instant::now();
    let (_, took) = lanes(senders.len(), |lane| {
        let pairs = senders.len();
        let mut left = plan.messages / pairs + usize::from(lane < plan.messages % pairs);
        let (sender, plan) = (senders.get(lane).cloned(), plan.clone());
        async move {
            let Some(sender) = sender else { return Ok(()) };
            while left > 0 {
                let now = left.min(plan.batch);
                let text = "a message of about the length that agents send each other in a chat";
                let args =
                    (0..now).map(|n| message(lane, text, own_id(&plan, 1, left - n).as_deref()));
                send(&sender, "mail.send", args.collect()).await?;
                left -= now;
            }
            Ok(())
        }
    })
    .await?;
    server.indexed().await?;
    Ok((took, begun.elapsed()))
}

/// Sends at a steady rate. Returns how long each took from being due to being read.
async fn steady(
    plan: &MailPlan,
    senders: &[Client],
    receivers: &[Client],
) -> Result<Times, BenchError> {
    let each = plan.rate / plan.pairs * plan.seconds;
    let every = Duration::from_secs_f64(plan.pairs as f64 / plan.rate as f64);
    let mut readers = Vec::with_capacity(receivers.len());
    for receiver in receivers {
        readers.push(reader(receiver.clone(), each).await?);
    }
    // Every reader is connected; what is sent from now on is timed.
    let start = Instant::now() + Duration::from_millis(200);
    let (sent, _) = lanes(senders.len(), |lane| {
        let sender = senders.get(lane).cloned();
        let offset = every.mul_f64(lane as f64 / plan.pairs as f64);
        let plan = plan.clone();
        async move {
            let Some(sender) = sender else {
                return Ok((lane, HashMap::new()));
            };
            Ok((
                lane,
                paced(&sender, (&plan, lane), start + offset, every, each).await?,
            ))
        }
    })
    .await?;
    let mut due: HashMap<usize, HashMap<String, Instant>> = sent.into_iter().collect();
    let mut times = Times::default();
    for (lane, reader) in readers.into_iter().enumerate() {
        let read = reader.await;
        let read = read.map_err(|e| BenchError::defect(format!("a reader ended: {e}")))??;
        let due = due.remove(&lane).unwrap_or_default();
        for (message, at) in read {
            if let Some(due) = due.get(&message) {
                times.note(at.saturating_duration_since(*due));
            }
        }
    }
    Ok(times)
}

/// Sends single messages, each at its time, whether or not the one before was answered. Returns when each
/// was due.
async fn paced(
    sender: &Client,
    (plan, to): (&MailPlan, usize),
    start: Instant,
    every: Duration,
    count: usize,
) -> Result<HashMap<String, Instant>, BenchError> {
    let mut under_way = Vec::with_capacity(count);
    for n in 0..count {
        let due = start + every * u32::try_from(n).unwrap_or(u32::MAX);
        tokio::time::sleep_until(due.into()).await;
        let sender = sender.clone();
        let args = message(to, "now", own_id(plan, 2, n).as_deref());
        let sent = tokio::spawn(async move {
            let accepted = sender.command("mail.send", args).await?;
            Ok::<_, BenchError>(new_id(&accepted, "msg")?.to_string())
        });
        under_way.push((due, sent));
    }
    let mut due_by_id = HashMap::with_capacity(count);
    for (due, sent) in under_way {
        let id = sent.await;
        let id = id.map_err(|e| BenchError::defect(format!("a sender ended: {e}")))??;
        due_by_id.insert(id, due);
    }
    Ok(due_by_id)
}

/// What a reader has read: the message's id, and when.
type Read = Vec<(String, Instant)>;

/// Follows an inbox from its end until this many messages have come.
async fn reader(
    receiver: Client,
    count: usize,
) -> Result<JoinHandle<Result<Read, BenchError>>, BenchError> {
    let inbox = receiver.get("/api/inbox?limit=1").await?;
    let last = inbox.get("last").and_then(Value::as_u64).unwrap_or(0);
    let mut events = receiver.events("/api/inbox/stream", Some(last)).await?;
    Ok(tokio::spawn(async move {
        let mut read = Vec::with_capacity(count);
        while read.len() < count {
            let Ok(next) = tokio::time::timeout(PATIENCE, events.next_event()).await else {
                return Err(BenchError::failed(format!(
                    "{} of {count} messages came",
                    read.len()
                )));
            };
            let Some(event) = next? else { break };
            let now = Instant::now();
            if let Some(id) = message_id(&event.data) {
                read.push((id, now));
            }
        }
        Ok(read)
    }))
}

/// The id of the message that a delivery is about.
fn message_id(data: &str) -> Option<String> {
    let delivery: Value = serde_json::from_str(data).ok()?;
    let item = delivery.get("item")?;
    Some(item.get("id")?.as_str()?.to_owned())
}

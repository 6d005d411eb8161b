//! `rialto bench mail`: messages a second, and how long one takes to arrive.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::load::{Spread, Times, lanes, rate};
use super::stage::{Memory, Place, PlaceArgs, Served};
use crate::market_day::seat::new_id;
use crate::market_day::stage::send;
use crate::output::{CliError, Output};
use rialto_client::Client;

/// How long a receiver waits for what has not come yet.
const PATIENCE: Duration = Duration::from_secs(20);

/// Messages a second, durable and indexed, and how long one takes to arrive.
///
/// Starts a server of its own as another process, on disk. First, senders each write to a partner in
/// batches as fast as they are acknowledged; a message counts as delivered when its answer is back
/// (it is durable and in the inbox then), and as indexed when the views have it. Then senders write
/// single messages at a steady rate, and each partner follows its inbox by server-sent events; the
/// time runs from the moment the message was due to be sent until its event is read, so that a stall
/// counts against every message that it held up.
#[derive(Debug, Args)]
pub(crate) struct MailArgs {
    /// Messages of the first case.
    #[arg(long, default_value_t = 400_000)]
    messages: usize,
    /// Messages in a request of the first case.
    #[arg(long, default_value_t = 500)]
    batch: usize,
    /// Pairs of a sender and a receiver.
    #[arg(long, default_value_t = 16)]
    pairs: usize,
    /// Messages a second in the second case, all pairs together.
    #[arg(long, default_value_t = 2_000)]
    rate: usize,
    /// Seconds of the second case.
    #[arg(long, default_value_t = 20)]
    seconds: usize,
    #[command(flatten)]
    place: PlaceArgs,
}

/// The figures, measured.
#[derive(Debug, Serialize)]
struct Report {
    pairs: usize,
    messages: usize,
    batch: usize,
    seconds: f64,
    delivered_per_s: f64,
    indexed_per_s: f64,
    steady_rate_per_s: usize,
    steady_sent: usize,
    send_to_event: Spread,
    server: Memory,
}

/// Runs `rialto bench mail`.
pub(crate) async fn run(args: &MailArgs, out: Output) -> Result<(), CliError> {
    if args.pairs == 0 || args.rate < args.pairs || args.batch == 0 || args.batch > 2_000 {
        return Err(CliError::usage(
            "--pairs is at least 1, --rate at least --pairs, --batch 1 to 2000",
        ));
    }
    let place = Place::new(&args.place)?;
    let server = Served::start(&place)?;
    let bar = out.progress("bench", 3);
    server.lift_limits().await?;
    let owner = server.owner("bench").await?;
    let names = |kind: &str| {
        (0..args.pairs)
            .map(|n| format!("{kind}{n}"))
            .collect::<Vec<_>>()
    };
    let senders = server.agents(&owner, &names("from")).await?;
    let receivers = server.agents(&owner, &names("to")).await?;
    bar.inc(1);
    let (took, all) = flood(args, &server, &senders).await?;
    bar.inc(1);
    let times = steady(args, &senders, &receivers).await?;
    bar.finish_and_clear();
    let report = Report {
        pairs: args.pairs,
        messages: args.messages,
        batch: args.batch,
        seconds: took.as_secs_f64(),
        delivered_per_s: rate(args.messages, took),
        indexed_per_s: rate(args.messages, all),
        steady_rate_per_s: args.rate,
        steady_sent: args.rate / args.pairs * args.pairs * args.seconds,
        send_to_event: times.spread(),
        server: server.memory_mib(),
    };
    print(&report, out)
}

fn print(report: &Report, out: Output) -> Result<(), CliError> {
    out.json(report)?;
    out.line(format!(
        "{} messages by {} pairs, {} a request: {:.0}/s delivered and durable, {:.0}/s indexed",
        report.messages, report.pairs, report.batch, report.delivered_per_s, report.indexed_per_s
    ))?;
    out.line(format!(
        "{} messages at {}/s, from due to read as an event: {}; server {:.0} MiB",
        report.steady_sent,
        report.steady_rate_per_s,
        report.send_to_event.text(),
        report.server.now_mib
    ))
}

fn message(to: usize, text: &str) -> Value {
    json!({ "to": { "agent": format!("@to{to}") }, "body": text })
}

/// As many as possible. The time until the last was durable, and until it was indexed.
async fn flood(
    args: &MailArgs,
    server: &Served,
    senders: &[Client],
) -> Result<(Duration, Duration), CliError> {
    server.indexed().await?;
    let begun = Instant::now();
    let (_, took) = lanes(senders.len(), |lane| {
        let pairs = senders.len();
        let mut left = args.messages / pairs + usize::from(lane < args.messages % pairs);
        let (sender, batch) = (senders.get(lane).cloned(), args.batch);
        async move {
            let Some(sender) = sender else { return Ok(()) };
            while left > 0 {
                let now = left.min(batch);
                let text = "a message of about the length that agents send each other in a chat";
                let args = std::iter::repeat_with(|| message(lane, text)).take(now);
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

/// At a steady rate. How long each took from being due to being read.
async fn steady(
    args: &MailArgs,
    senders: &[Client],
    receivers: &[Client],
) -> Result<Times, CliError> {
    let each = args.rate / args.pairs * args.seconds;
    let every = Duration::from_secs_f64(args.pairs as f64 / args.rate as f64);
    let mut readers = Vec::with_capacity(receivers.len());
    for receiver in receivers {
        readers.push(reader(receiver.clone(), each).await?);
    }
    // Every reader is connected; what is sent from now on is timed.
    let start = Instant::now() + Duration::from_millis(200);
    let (sent, _) = lanes(senders.len(), |lane| {
        let sender = senders.get(lane).cloned();
        let offset = every.mul_f64(lane as f64 / args.pairs as f64);
        async move {
            let Some(sender) = sender else {
                return Ok((lane, HashMap::new()));
            };
            Ok((
                lane,
                paced(&sender, lane, start + offset, every, each).await?,
            ))
        }
    })
    .await?;
    let mut due: HashMap<usize, HashMap<String, Instant>> = sent.into_iter().collect();
    let mut times = Times::default();
    for (lane, reader) in readers.into_iter().enumerate() {
        let read = reader.await;
        let read = read.map_err(|e| CliError::bug(format!("a reader ended: {e}")))??;
        let due = due.remove(&lane).unwrap_or_default();
        for (message, at) in read {
            if let Some(due) = due.get(&message) {
                times.note(at.saturating_duration_since(*due));
            }
        }
    }
    Ok(times)
}

/// Sends single messages, each at its time whether or not the last was answered. When each was due.
async fn paced(
    sender: &Client,
    to: usize,
    start: Instant,
    every: Duration,
    count: usize,
) -> Result<HashMap<String, Instant>, CliError> {
    let mut under_way = Vec::with_capacity(count);
    for n in 0..count {
        let due = start + every * u32::try_from(n).unwrap_or(u32::MAX);
        tokio::time::sleep_until(due.into()).await;
        let sender = sender.clone();
        let sent = tokio::spawn(async move {
            let accepted = sender.command("mail.send", message(to, "now")).await?;
            Ok::<_, CliError>(new_id(&accepted, "msg")?.to_string())
        });
        under_way.push((due, sent));
    }
    let mut due_by_id = HashMap::with_capacity(count);
    for (due, sent) in under_way {
        let id = sent.await;
        let id = id.map_err(|e| CliError::bug(format!("a sender ended: {e}")))??;
        due_by_id.insert(id, due);
    }
    Ok(due_by_id)
}

/// What a reader has read: the message's id, and when.
type Read = Vec<(String, Instant)>;

/// Follows an inbox from its end until so many messages have come.
async fn reader(
    receiver: Client,
    count: usize,
) -> Result<JoinHandle<Result<Read, CliError>>, CliError> {
    let inbox = receiver.get("/api/inbox?limit=1").await?;
    let last = inbox.get("last").and_then(Value::as_u64).unwrap_or(0);
    let mut events = receiver.events("/api/inbox/stream", Some(last)).await?;
    Ok(tokio::spawn(async move {
        let mut read = Vec::with_capacity(count);
        while read.len() < count {
            let Ok(next) = tokio::time::timeout(PATIENCE, events.next_event()).await else {
                return Err(CliError::failed(format!(
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

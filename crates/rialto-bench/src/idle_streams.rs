//! What streams cost that have nothing to tell.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rialto_client::Client;
use rialto_core::id::AnyId;
use rialto_scenario::ask::{new_id, secret, send};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::host::{Host, Memory, Place, Served};
use crate::load::lanes;
use crate::{BenchError, Measuring, Progress};

/// Agents of one owner: an owner may have an eighth of all connections in use.
const AGENTS_OF_OWNER: usize = 1_000;
/// Streams that are opened at the same time.
const LANES: usize = 32;
/// How much of an answer is looked at to know that a stream has begun.
const HEAD: usize = 4 << 10;

/// Processor time, reads and memory of a server with many idle streams.
///
/// Starts a server of its own as another process, on disk. As many agents as streams follow their inboxes,
/// each over a connection of HTTP/1.1 of its own. Processor time is that of the server's process, over the
/// same time in four cases: nothing happens, and another agent changes its listing at a steady rate; both
/// without and with the streams. Memory is what the process holds after the agents were registered and
/// indexed, and once all streams are open. At the end one agent gets a letter, and its stream tells it.
#[derive(Clone, Debug)]
pub struct IdlePlan {
    /// Streams.
    pub streams: usize,
    /// How long each case lasts.
    pub time: Duration,
    /// Changes a second in the cases with writes.
    pub writes: u32,
}

/// One case's figures, measured.
#[derive(Clone, Debug, Serialize)]
pub struct IdleCase {
    /// Which case.
    pub name: &'static str,
    /// How many streams were open.
    pub streams: usize,
    /// How long it lasted.
    pub seconds: f64,
    /// Processor time of the server, in seconds.
    pub cpu_s: f64,
    /// Changes of the listing.
    pub writes: usize,
    /// Reads of the state and of the lists.
    pub reads: u64,
}

/// The figures, measured.
#[derive(Debug, Serialize)]
pub struct IdleFigures {
    /// The cases, in the order in which they were taken.
    pub cases: Vec<IdleCase>,
    /// The server's memory before the first stream.
    pub before: Memory,
    /// The same once all were open.
    pub after: Memory,
    /// The difference for each stream, in KiB.
    pub stream_kib: f64,
    /// How long a letter took from its command until its stream told it, in milliseconds.
    pub letter_ms: f64,
}

/// Takes the measurement.
///
/// # Errors
/// [`BenchError`].
#[must_use]
pub fn measure<'a>(
    plan: &'a IdlePlan,
    place: &'a Place,
    progress: &'a mut dyn Progress,
) -> Measuring<'a, IdleFigures> {
    Box::pin(take(plan, place, progress))
}

async fn take(
    plan: &IdlePlan,
    place: &Place,
    progress: &mut dyn Progress,
) -> Result<IdleFigures, BenchError> {
    if plan.streams == 0 || plan.time.is_zero() || plan.writes == 0 {
        let why = "streams, seconds and writes are at least 1";
        return Err(BenchError::Plan(why.to_owned()));
    }
    let host = Host::new(place)?;
    let server = Served::start(&host)?;
    progress.begins(6);
    server.lift_limits().await?;
    let (tokens, writer) = population(&server, plan.streams).await?;
    server.indexed().await?;
    progress.done(1);
    let mut cases = Vec::new();
    cases.push(case("nothing happens", &server, plan, 0, None).await?);
    progress.done(1);
    cases.push(case("writes", &server, plan, 0, Some(&writer)).await?);
    server.indexed().await?;
    progress.done(1);
    let before = server.memory_mib();
    let at = address(&server)?;
    let (first, rest) = tokens
        .split_first()
        .ok_or_else(|| BenchError::defect("one token"))?;
    let mut first = open(at, first).await?;
    let mut parts = spread(rest).into_iter();
    let opened = lanes(parts.len(), |_| {
        open_all(at, parts.next().unwrap_or_default())
    })
    .await?;
    let _streams: Vec<TcpStream> = opened.0.into_iter().flatten().collect();
    let after = server.memory_mib();
    let opened = server.metric("rialto_inbox_streams").await? as usize;
    if opened != plan.streams {
        return Err(BenchError::failed(format!("{opened} streams are open")));
    }
    progress.done(1);
    cases.push(case("nothing happens", &server, plan, opened, None).await?);
    progress.done(1);
    cases.push(case("writes", &server, plan, opened, Some(&writer)).await?);
    progress.done(1);
    Ok(IdleFigures {
        cases,
        before,
        after,
        stream_kib: (after.now_mib - before.now_mib) * 1_024.0 / opened as f64,
        letter_ms: letter(&writer, &mut first).await?,
    })
}

/// As many agents as there will be streams, and one that writes: tokens of the ones, a client of the other and
/// its listing.
async fn population(
    server: &Served,
    streams: usize,
) -> Result<(Vec<String>, (Client, AnyId)), BenchError> {
    let writer = server.owner("writer").await?;
    let writers = server.agents(&writer, &["writer".to_owned()]).await?;
    let writer = writers.into_iter().next();
    let mut tokens = Vec::with_capacity(streams);
    while tokens.len() < streams {
        let from = tokens.len();
        let (owner, admin) = server.owner(&format!("owner-{from}")).await?;
        let numbers = from..streams.min(from + AGENTS_OF_OWNER);
        let args = numbers.map(|number| {
            let handle = format!("agent-{number}");
            json!({ "owner": owner, "handle": handle, "profile": { "contact": "open" } })
        });
        for accepted in send(&admin, "agent.register", args.collect()).await? {
            tokens.push(secret(&accepted)?.to_owned());
        }
    }
    let writer = writer.ok_or_else(|| BenchError::defect("one agent writes"))?;
    let listing = json!({ "terms": terms("Thing") });
    let listing = new_id(&writer.command("listing.publish", listing).await?, "list")?;
    Ok((tokens, (writer, listing)))
}

fn terms(title: &str) -> Value {
    let items = json!([{ "name": "thing", "price": "1.00" }]);
    json!({ "title": title, "items": items })
}

/// The same in as many parts as are worked on at once.
fn spread(tokens: &[String]) -> Vec<Vec<String>> {
    let size = tokens.len().div_ceil(LANES).max(1);
    tokens.chunks(size).map(<[String]>::to_vec).collect()
}

fn address(server: &Served) -> Result<SocketAddr, BenchError> {
    let url = server.operator.server();
    let at = url.trim_start_matches("http://").trim_end_matches('/');
    at.parse()
        .map_err(|_| BenchError::defect(format!("{url} is no address")))
}

async fn open_all(at: SocketAddr, tokens: Vec<String>) -> Result<Vec<TcpStream>, BenchError> {
    let mut streams = Vec::with_capacity(tokens.len());
    for token in tokens {
        streams.push(open(at, &token).await?);
    }
    Ok(streams)
}

/// Opens the stream of an inbox and waits until it has begun.
async fn open(at: SocketAddr, token: &str) -> Result<TcpStream, BenchError> {
    let broken = || BenchError::machine("a stream cannot be opened");
    let mut stream = TcpStream::connect(at).await.map_err(broken())?;
    let head = format!(
        "GET /api/inbox/stream HTTP/1.1\r\nhost: {at}\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.map_err(broken())?;
    let mut answer = Vec::new();
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") && answer.len() < HEAD {
        if stream.read_buf(&mut answer).await.map_err(broken())? == 0 {
            break;
        }
    }
    if !answer.starts_with(b"HTTP/1.1 200") {
        let line = String::from_utf8_lossy(&answer);
        let line = line.lines().next().unwrap_or("no answer").to_owned();
        return Err(BenchError::failed(format!(
            "a stream was not opened: {line}"
        )));
    }
    Ok(stream)
}

async fn case(
    name: &'static str,
    server: &Served,
    plan: &IdlePlan,
    streams: usize,
    writer: Option<&(Client, AnyId)>,
) -> Result<IdleCase, BenchError> {
    let reads = async || {
        let state = server.metric("rialto_state_reads_total").await?;
        Ok::<_, BenchError>(state + server.metric("rialto_view_reads_total").await?)
    };
    let (reads_before, begun, cpu) = (reads().await?, Instant::now(), server.cpu_s());
    let mut writes = 0;
    match writer {
        None => tokio::time::sleep(plan.time).await,
        Some((writer, listing)) => {
            let mut pace = tokio::time::interval(Duration::from_secs(1) / plan.writes);
            while begun.elapsed() < plan.time {
                pace.tick().await;
                let terms = terms(&format!("Thing {writes} of {streams}"));
                let change = json!({ "listing": listing, "terms": terms });
                writer.command("listing.update", change).await?;
                writes += 1;
            }
        }
    }
    let (cpu_s, seconds) = (server.cpu_s() - cpu, begun.elapsed().as_secs_f64());
    Ok(IdleCase {
        name,
        streams,
        seconds,
        cpu_s,
        writes,
        reads: reads().await? - reads_before,
    })
}

/// How long a letter to the first agent takes until its stream tells it.
async fn letter((writer, _): &(Client, AnyId), stream: &mut TcpStream) -> Result<f64, BenchError> {
    let begun = Instant::now();
    let letter = json!({ "to": { "agent": "@agent-0" }, "body": "Hello" });
    writer.command("mail.send", letter).await?;
    let mut told = Vec::new();
    while !String::from_utf8_lossy(&told).contains("event: delivery") {
        let read = stream.read_buf(&mut told).await;
        if read.map_err(BenchError::machine("a stream cannot be read"))? == 0 {
            return Err(BenchError::failed("a stream ended"));
        }
    }
    Ok(begun.elapsed().as_secs_f64() * 1e3)
}

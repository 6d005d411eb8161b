//! Measures the gateway of models: what it adds to a call, and what that costs.

mod http;
mod upstream;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rialto_scenario::ask::secret;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use self::http::{Wire, find};
pub use self::upstream::StandInModel;
use crate::deals::{Pair, pairs, single};
use crate::host::{Host, Memory, Place, Process, Served};
use crate::load::{Spread, Times, lanes, rate};
use crate::{BenchError, Measuring, Progress};

/// Who asks, so that no single owner fills its part of the server's connections.
const OWNERS: usize = 8;
/// The name of the model.
const MODEL: &str = "bench";
/// How many ask at the same time, one case each.
const CONCURRENCY: [usize; 3] = [1, 16, MOST];
/// The most that ask at the same time.
const MOST: usize = 256;
/// The pause between two deals, so that they are a small part of the load.
const BETWEEN_DEALS: Duration = Duration::from_millis(20);
/// Connections that share a steady rate.
const STEADY_LANES: usize = 64;
/// How long each case runs before it counts, as a part of its time.
const WARM_UP: u32 = 4;
/// How long a target may take until it answers the first call.
const READY: Duration = Duration::from_secs(60);
/// How long reports of calls may take to be settled at the end.
const SETTLED: Duration = Duration::from_secs(30);

/// What the gateway adds to a call of a model, and what that costs.
///
/// Starts a server of its own as another process, on disk, and a model's server within this process that answers at
/// once: a plain answer, or one in 50 pieces. Each call is one of chat completions; through the gateway it is reserved
/// on the ledger, durable before the first byte of its answer, and settled. The same calls go directly to the model's
/// server and, if named, to other gateways, in turns; of several rounds the one with the median rate is told. The
/// processor time is that of the gateway's process alone. A steady rate is asked whatever comes back; its times run
/// from when a call was due. Then one pair of agents makes deals beside such loads. At the end every call must be settled.
#[derive(Clone, Debug)]
pub struct GatewayPlan {
    /// How long each case lasts.
    pub time: Duration,
    /// Rounds of each case.
    pub rounds: usize,
    /// Calls a second of the steady rate.
    pub rate: usize,
    /// Other gateways in front of the same model's server.
    pub peers: Vec<Peer>,
    /// Where this model's server listens; port 0 takes a free one.
    pub upstream: SocketAddr,
    /// More headers for calls of other gateways, each `name: value`.
    pub headers: Vec<String>,
}

/// Another gateway.
#[derive(Clone, Debug)]
pub struct Peer {
    /// How it is called.
    pub name: String,
    /// Where it listens.
    pub at: SocketAddr,
    /// Its process, whose time and memory are told.
    pub process: Option<u32>,
}

/// One case's figures, measured.
#[derive(Clone, Debug, Serialize)]
pub struct GatewayCase {
    /// Who was asked.
    pub name: String,
    /// Whether the answers were streams.
    pub streamed: bool,
    /// How many asked at the same time; none at a steady rate.
    pub at_once: Option<usize>,
    /// Calls a second.
    pub calls_per_s: f64,
    /// How long calls took.
    pub calls: Spread,
    /// Processor time of the asked process for each call, in microseconds.
    pub cpu_us: Option<f64>,
    /// Its memory then.
    pub memory: Option<Memory>,
}

/// How long the steps of a deal took while the realm did something else.
#[derive(Clone, Debug, Serialize)]
pub struct DealsMeanwhile {
    /// What else.
    pub beside: String,
    /// Each request of a deal.
    pub steps: Spread,
}

impl DealsMeanwhile {
    fn new(beside: impl Into<String>, steps: Spread) -> Self {
        Self {
            beside: beside.into(),
            steps,
        }
    }
}

/// The figures, measured.
#[derive(Debug, Serialize)]
pub struct GatewayFigures {
    /// Rounds of each case.
    pub rounds: usize,
    /// Calls a second of the steady rate.
    pub rate: usize,
    /// The cases, in the order in which they were taken.
    pub cases: Vec<GatewayCase>,
    /// How long deals took meanwhile.
    pub deals: Vec<DealsMeanwhile>,
}

/// Who is asked, with requests whose bytes are ready: one of each token.
#[derive(Clone)]
struct Target {
    name: String,
    at: SocketAddr,
    plain: Arc<Vec<Vec<u8>>>,
    stream: Arc<Vec<Vec<u8>>>,
    process: Option<Process>,
}

impl Target {
    fn new(name: &str, at: SocketAddr, tokens: &[String], more: &[String]) -> Self {
        let requests = |streamed: bool| {
            let each = tokens
                .iter()
                .map(|token| request(at, token, more, streamed));
            Arc::new(each.collect())
        };
        Self {
            name: name.to_owned(),
            at,
            plain: requests(false),
            stream: requests(true),
            process: None,
        }
    }

    fn with(mut self, process: Option<Process>) -> Self {
        self.process = process;
        self
    }

    fn requests(&self, streamed: bool) -> Arc<Vec<Vec<u8>>> {
        Arc::clone(if streamed { &self.stream } else { &self.plain })
    }
}

/// Takes the measurement.
///
/// # Errors
/// [`BenchError`].
#[must_use]
pub fn measure<'a>(
    plan: &'a GatewayPlan,
    place: &'a Place,
    progress: &'a mut dyn Progress,
) -> Measuring<'a, GatewayFigures> {
    Box::pin(take(plan, place, progress))
}

async fn take(
    plan: &GatewayPlan,
    place: &Place,
    progress: &mut dyn Progress,
) -> Result<GatewayFigures, BenchError> {
    if plan.time.is_zero() || plan.rounds == 0 || plan.rate < STEADY_LANES {
        let why = format!("seconds and rounds are at least 1, rate at least {STEADY_LANES}");
        return Err(BenchError::Plan(why));
    }
    let upstream = StandInModel::start(plan.upstream).await?;
    let settings = format!(
        "[providers.bench]\nkind = \"openai\"\nurl = \"http://{}\"\n",
        upstream.at
    );
    let host = Host::new(place)?.with_settings(&settings)?;
    let server = Served::start(&host)?;
    let pair = pairs(&server, 1).await?;
    let pair = pair.into_iter().next();
    let pair = pair.ok_or_else(|| BenchError::defect("one pair deals"))?;
    let tokens = callers(&server).await?;
    let targets = targets(plan, &server, &upstream, &tokens)?;
    for target in &targets {
        ready(target).await?;
    }
    let closed: Vec<(bool, usize)> = CONCURRENCY
        .map(|at_once| (false, at_once))
        .into_iter()
        .chain([(true, 1), (true, 16)])
        .collect();
    progress.begins((closed.len() + 3) as u64);
    let dealing = Dealing::begin(&pair);
    tokio::time::sleep(plan.time).await;
    let mut deals = vec![DealsMeanwhile::new("nothing else", dealing.end().await?)];
    progress.done(1);
    let mut cases = Vec::new();
    for case in closed {
        cases.extend(rounds(plan, &targets, case).await?);
        progress.done(1);
    }
    for target in &targets {
        cases.push(steady(plan, target).await?);
    }
    progress.done(1);
    if let Some(rialto) = targets.get(1) {
        let dealing = Dealing::begin(&pair);
        steady(plan, rialto).await?;
        let what = format!("{} calls a second", plan.rate);
        deals.push(DealsMeanwhile::new(what, dealing.end().await?));
        let dealing = Dealing::begin(&pair);
        at_once(plan.time, rialto, (false, MOST)).await?;
        let what = format!("as many calls as {MOST} at once make");
        deals.push(DealsMeanwhile::new(what, dealing.end().await?));
    }
    progress.done(1);
    settled(&server).await?;
    Ok(GatewayFigures {
        rounds: plan.rounds,
        rate: plan.rate,
        cases,
        deals,
    })
}

/// Agents with money, of several owners, and a model that all may call. Their tokens.
async fn callers(server: &Served) -> Result<Vec<String>, BenchError> {
    let mut tokens = Vec::with_capacity(OWNERS);
    for number in 0..OWNERS {
        let (owner, admin) = server.owner(&format!("caller{number}")).await?;
        if number == 0 {
            let prices = json!({ "per_million": { "input": "1", "output": "10" } });
            let terms = json!({
                "model": MODEL, "provider": "bench", "upstream": MODEL, "open_to": "everyone", "prices": prices,
            });
            admin
                .command("deployment.create", json!({ "terms": terms }))
                .await?;
        }
        let handle = format!("caller{number}");
        let args = json!({ "owner": owner, "handle": &handle, "profile": {} });
        let registered = admin.command("agent.register", args).await?;
        tokens.push(secret(&registered)?.to_owned());
        server.fund(&[format!("@{handle}")], "1000000").await?;
    }
    Ok(tokens)
}

fn targets(
    plan: &GatewayPlan,
    server: &Served,
    upstream: &StandInModel,
    tokens: &[String],
) -> Result<Vec<Target>, BenchError> {
    let url = server.operator.server();
    let at = url.trim_start_matches("http://").trim_end_matches('/');
    let at = at.parse();
    let at = at.map_err(|_| BenchError::defect(format!("{url} is no address")))?;
    let key = ["bench".to_owned()];
    let mut all = vec![
        Target::new("direct", upstream.at, &key, &[]),
        Target::new("rialto", at, tokens, &[]).with(Some(server.process())),
    ];
    all.extend(plan.peers.iter().map(|peer| {
        let process = peer.process.map(Process);
        Target::new(&peer.name, peer.at, &key, &plan.headers).with(process)
    }));
    Ok(all)
}

fn request(at: SocketAddr, token: &str, more: &[String], streamed: bool) -> Vec<u8> {
    let content =
        "Say a word fifty times, and nothing else, as every call of this measurement asks.";
    let mut body = json!({
        "model": MODEL, "max_tokens": 64, "messages": [{ "role": "user", "content": content }],
    });
    if streamed && let Some(body) = body.as_object_mut() {
        body.insert("stream".to_owned(), Value::Bool(true));
        body.insert(
            "stream_options".to_owned(),
            json!({ "include_usage": true }),
        );
    }
    let body = body.to_string();
    let more: String = more.iter().map(|line| format!("{line}\r\n")).collect();
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {at}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\n{more}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Waits until a target answers: another gateway may look for the model's server first.
async fn ready(target: &Target) -> Result<(), BenchError> {
    let begun = Instant::now();
    let once = async || {
        let requests = target.requests(false);
        let mut wire = Wire::open(target.at).await?;
        ask(&mut wire, of_lane(&requests, 0), false).await
    };
    loop {
        match once().await {
            Ok(()) => return Ok(()),
            Err(why) if begun.elapsed() > READY => {
                let why = format!("{} is not ready: {why}", target.name);
                return Err(BenchError::failed(why));
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}

/// All targets in turns, several times. Of each the round with the median rate.
async fn rounds(
    plan: &GatewayPlan,
    targets: &[Target],
    case: (bool, usize),
) -> Result<Vec<GatewayCase>, BenchError> {
    let mut taken: Vec<Vec<GatewayCase>> = targets.iter().map(|_| Vec::new()).collect();
    for _ in 0..plan.rounds {
        for (target, taken) in targets.iter().zip(&mut taken) {
            taken.push(at_once(plan.time, target, case).await?);
        }
    }
    let median = |mut rounds: Vec<GatewayCase>| {
        rounds.sort_unstable_by(|a, b| a.calls_per_s.total_cmp(&b.calls_per_s));
        let middle = rounds.len() / 2;
        rounds.into_iter().nth(middle)
    };
    Ok(taken.into_iter().filter_map(median).collect())
}

/// As many lanes as are asked at once, each one call after another.
async fn at_once(
    time: Duration,
    target: &Target,
    (streamed, at_once): (bool, usize),
) -> Result<GatewayCase, BenchError> {
    let run = async |time: Duration| {
        let until = Instant::now() + time;
        let requests = target.requests(streamed);
        let at = target.at;
        lanes(at_once, move |lane| {
            let requests = Arc::clone(&requests);
            async move {
                let request = of_lane(&requests, lane);
                let mut wire = Wire::open(at).await?;
                let mut times = Times::default();
                while Instant::now() < until {
                    let begun = Instant::now();
                    ask(&mut wire, request, streamed).await?;
                    times.note(begun.elapsed());
                }
                Ok(times)
            }
        })
        .await
    };
    run(time / WARM_UP).await?;
    let meter = Meter::begin(target.process);
    let (times, took) = run(time).await?;
    let spread = Times::together(times).spread();
    let (cpu_us, memory) = meter.end(spread.count);
    Ok(GatewayCase {
        name: target.name.clone(),
        streamed,
        at_once: Some(at_once),
        calls_per_s: rate(spread.count, took),
        calls: spread,
        cpu_us,
        memory,
    })
}

/// A steady rate, whatever comes back.
async fn steady(plan: &GatewayPlan, target: &Target) -> Result<GatewayCase, BenchError> {
    let every = Duration::from_secs_f64(STEADY_LANES as f64 / plan.rate as f64);
    let each = (plan.time.as_secs_f64() / every.as_secs_f64()).ceil() as u32;
    let meter = Meter::begin(target.process);
    let start = Instant::now() + Duration::from_millis(50);
    let (times, took) = lanes(STEADY_LANES, |lane| {
        let (requests, at) = (target.requests(false), target.at);
        let first = start + every.mul_f64(lane as f64 / STEADY_LANES as f64);
        async move {
            let request = of_lane(&requests, lane);
            let mut wire = Wire::open(at).await?;
            let mut times = Times::default();
            for number in 0..each {
                let due = first + every * number;
                let late = Instant::now() > due;
                tokio::time::sleep_until(due.into()).await;
                // A timer that wakes late is this side's; a call that another held up is not.
                let begun = if late { due } else { Instant::now() };
                ask(&mut wire, request, false).await?;
                times.note(begun.elapsed());
            }
            Ok(times)
        }
    })
    .await?;
    let spread = Times::together(times).spread();
    let (cpu_us, memory) = meter.end(spread.count);
    Ok(GatewayCase {
        name: target.name.clone(),
        streamed: false,
        at_once: None,
        calls_per_s: rate(spread.count, took),
        calls: spread,
        cpu_us,
        memory,
    })
}

/// The request of a lane: lanes take the tokens in turns.
fn of_lane(requests: &[Vec<u8>], lane: usize) -> &[u8] {
    requests
        .get(lane % requests.len().max(1))
        .map_or(&[], Vec::as_slice)
}

async fn ask(wire: &mut Wire, request: &[u8], streamed: bool) -> Result<(), BenchError> {
    let answer = wire.ask(request).await?;
    let whole = match streamed {
        true => find(answer.body, b"[DONE]").is_some(),
        false => find(answer.body, b"chat.completion").is_some(),
    };
    if answer.status == 200 && whole {
        return Ok(());
    }
    let said = String::from_utf8_lossy(answer.body.get(..300).unwrap_or(answer.body));
    Err(BenchError::failed(format!(
        "a call was answered with {}: {said}",
        answer.status
    )))
}

/// The processor time of a process since a moment.
struct Meter {
    process: Option<Process>,
    before_s: f64,
}

impl Meter {
    fn begin(process: Option<Process>) -> Self {
        Self {
            process,
            before_s: process.map_or(0.0, Process::cpu_s),
        }
    }

    /// The same for each of these calls, in microseconds, and its memory.
    fn end(&self, calls: usize) -> (Option<f64>, Option<Memory>) {
        let took = self.process.map(|process| process.cpu_s() - self.before_s);
        (
            took.map(|took| took * 1e6 / calls.max(1) as f64),
            self.process.map(Process::memory_mib),
        )
    }
}

/// A pair that makes one deal after another, with a pause, until it is told to stop.
struct Dealing {
    ends: Arc<AtomicBool>,
    deals: JoinHandle<Result<Times, BenchError>>,
}

impl Dealing {
    fn begin(pair: &Pair) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let (pair, stop) = (pair.clone(), Arc::clone(&ends));
        let deals = tokio::spawn(async move {
            let mut times = Times::default();
            while !stop.load(Ordering::Relaxed) {
                single(&pair, &mut times).await?;
                tokio::time::sleep(BETWEEN_DEALS).await;
            }
            Ok(times)
        });
        Self { ends, deals }
    }

    async fn end(self) -> Result<Spread, BenchError> {
        self.ends.store(true, Ordering::Relaxed);
        let times = self.deals.await;
        let times = times.map_err(|e| BenchError::defect(format!("the deals ended: {e}")))?;
        Ok(times?.spread())
    }
}

/// Waits until every call is settled: nothing is set aside any more, and the books add up.
async fn settled(server: &Served) -> Result<(), BenchError> {
    let begun = Instant::now();
    loop {
        let balance = server.operator.get("/api/ledger/trial-balance").await?;
        let rows = balance.get("items").and_then(Value::as_array);
        let zero = |name: &str| {
            let mut rows = rows.into_iter().flatten();
            rows.all(|row| row.get(name).and_then(Value::as_str) == Some("0.00"))
        };
        if !zero("sum") {
            return Err(BenchError::failed(format!(
                "the books do not add up: {balance}"
            )));
        }
        if zero("pending") {
            return Ok(());
        }
        if begun.elapsed() > SETTLED {
            return Err(BenchError::failed(format!(
                "calls are not settled: {balance}"
            )));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

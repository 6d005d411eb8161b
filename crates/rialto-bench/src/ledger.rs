//! Measures transfers a second through the server's API.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rialto_core::id::{AnyId, HoldId, number, position_of};
use rialto_wire::native::Accepted;
use serde::Serialize;
use serde_json::json;

use crate::host::{Host, Memory, Place, Served};
use crate::load::{Draw, Spread, Times, lanes, rate};
use crate::{BenchError, Measuring, Progress};
use rialto_client::Client;
use rialto_scenario::ask::{new_id, send};

/// The most transfers of one request.
pub const MOST: usize = 8_190;

/// Durable transfers a second through the server's API.
///
/// Starts its own server as another process, with the realm on disk. An owner opens the accounts, gets
/// money, and its admin sends `ledger.transfer` requests over loopback, several at a time, each a batch
/// that is all or nothing. A batch counts when its answer is back: it is durable then. The bodies of the
/// requests are prepared beforehand. There are three cases, one after another in the same realm: transfers
/// between accounts drawn at random, each equally likely; the same transfers as holds, each paid out by a
/// second batch; and transfers between ten accounts. "Indexed" counts until the views have taken in the
/// last of them.
#[derive(Clone, Debug)]
pub struct LedgerPlan {
    /// Transfers in each case.
    pub transfers: usize,
    /// Accounts they move between.
    pub accounts: usize,
    /// Transfers in a request, at most 8190.
    pub batch: usize,
    /// Requests under way at a time.
    pub lanes: usize,
}

/// One case's figures, measured.
#[derive(Debug, Serialize)]
pub struct LedgerCase {
    /// Which case.
    pub name: &'static str,
    /// Transfers made; a hold and its payment count as one.
    pub transfers: usize,
    /// Until the last was acknowledged.
    pub seconds: f64,
    /// Transfers a second until then.
    pub acknowledged_per_s: f64,
    /// Transfers a second until the views had the last.
    pub indexed_per_s: f64,
    /// How long requests took.
    pub batches: Spread,
    /// The server's memory then.
    pub server: Memory,
}

/// The figures, measured.
#[derive(Debug, Serialize)]
pub struct LedgerFigures {
    /// Accounts that transfers moved between.
    pub accounts: usize,
    /// Transfers of one request.
    pub batch: usize,
    /// Requests under way at a time.
    pub lanes: usize,
    /// The cases, one after another in the same realm.
    pub cases: Vec<LedgerCase>,
    /// The sum over all accounts; always zero.
    pub trial_balance: String,
}

/// The requests that the lanes send; one lane takes each.
type Queue = Arc<Mutex<VecDeque<Vec<u8>>>>;

/// Takes the measurement.
///
/// # Errors
/// [`BenchError`].
#[must_use]
pub fn measure<'a>(
    plan: &'a LedgerPlan,
    place: &'a Place,
    progress: &'a mut dyn Progress,
) -> Measuring<'a, LedgerFigures> {
    Box::pin(take(plan, place, progress))
}

async fn take(
    plan: &LedgerPlan,
    place: &Place,
    progress: &mut dyn Progress,
) -> Result<LedgerFigures, BenchError> {
    if plan.batch == 0 || plan.batch > MOST || plan.lanes == 0 || plan.accounts < 10 {
        let said = format!("batch is 1 to {MOST}, lanes at least 1, accounts at least 10");
        return Err(BenchError::Plan(said));
    }
    let host = Host::new(place)?;
    let server = Served::start(&host)?;
    progress.begins(4);
    let (admin, accounts) = accounts(&server, plan.accounts).await?;
    progress.done(1);
    let bench = Bench {
        plan,
        server: &server,
        admin,
    };
    let mut cases = Vec::new();
    cases.push(bench.posts("transfers", &accounts).await?);
    progress.done(1);
    cases.push(bench.holds(&accounts).await?);
    progress.done(1);
    let hot = accounts.get(..10).unwrap_or(&accounts);
    cases.push(bench.posts("ten hot accounts", hot).await?);
    let balance = server.operator.get("/api/ledger/trial-balance").await?;
    Ok(LedgerFigures {
        accounts: plan.accounts,
        batch: plan.batch,
        lanes: plan.lanes,
        cases,
        trial_balance: sum(&balance),
    })
}

fn sum(balance: &serde_json::Value) -> String {
    let first = balance.get("items").and_then(|all| all.get(0));
    let sum = first.and_then(|a| a.get("sum")).and_then(|s| s.as_str());
    sum.unwrap_or("?").to_owned()
}

/// An owner with this many funded accounts.
async fn accounts(server: &Served, count: usize) -> Result<(Client, Vec<String>), BenchError> {
    server.lift_limits().await?;
    let (owner, admin) = server.owner("bench").await?;
    let args = (0..count).map(|n| json!({ "holder": owner, "label": format!("a{n}") }));
    let opened = send(&admin, "ledger.open_account", args.collect()).await?;
    let ids: Result<Vec<String>, BenchError> = opened
        .iter()
        .map(|a| Ok(new_id(a, "acct")?.to_string()))
        .collect();
    let ids = ids?;
    server.fund(&ids, "1000000").await?;
    Ok((admin, ids))
}

/// A batch of transfers between two accounts drawn of some.
fn body(kind: &str, accounts: &[String], count: usize, draw: &mut Draw) -> Vec<u8> {
    let more = if kind == "hold" {
        r#","expires_in_ms":3600000"#
    } else {
        ""
    };
    let mut text = String::with_capacity(count * 120);
    text.push_str(r#"{"transfers":["#);
    for n in 0..count {
        let from = draw.below(accounts.len());
        let to = (from + 1 + draw.below(accounts.len() - 1)) % accounts.len();
        let (from, to) = (accounts.get(from), accounts.get(to));
        let (from, to) = (from.map_or("", |a| a), to.map_or("", |a| a));
        let comma = if n == 0 { "" } else { "," };
        // Writing into a string cannot fail.
        let _ = write!(
            text,
            r#"{comma}{{"{kind}":{{"from":"{from}","to":"{to}","amount":"0.01"{more}}}}}"#
        );
    }
    text.push_str("]}");
    text.into_bytes()
}

struct Bench<'a> {
    plan: &'a LedgerPlan,
    server: &'a Served,
    admin: Client,
}

impl Bench<'_> {
    /// The sizes of the batches that the transfers make.
    fn sizes(&self) -> Vec<usize> {
        let whole = self.plan.transfers / self.plan.batch;
        let rest = self.plan.transfers % self.plan.batch;
        let rest = (rest > 0).then_some(rest);
        std::iter::repeat_n(self.plan.batch, whole)
            .chain(rest)
            .collect()
    }

    async fn posts(
        &self,
        name: &'static str,
        accounts: &[String],
    ) -> Result<LedgerCase, BenchError> {
        let mut draw = Draw::new(1);
        let bodies = self.sizes().into_iter();
        let bodies = bodies.map(|size| body("post", accounts, size, &mut draw));
        self.measure(name, bodies.collect(), false).await
    }

    async fn holds(&self, accounts: &[String]) -> Result<LedgerCase, BenchError> {
        let mut draw = Draw::new(2);
        let bodies = self.sizes().into_iter();
        let bodies = bodies.map(|size| body("hold", accounts, size, &mut draw));
        self.measure("holds, paid out", bodies.collect(), true)
            .await
    }

    async fn measure(
        &self,
        name: &'static str,
        bodies: VecDeque<Vec<u8>>,
        pay_out: bool,
    ) -> Result<LedgerCase, BenchError> {
        self.server.indexed().await?;
        let sizes = Arc::new(self.sizes());
        let queue: Queue = Arc::new(Mutex::new(bodies));
        let begun = Instant::now();
        let (times, took) = lanes(self.plan.lanes, |_| {
            let (queue, client, sizes) = (queue.clone(), self.admin.clone(), sizes.clone());
            async move { lane(&client, &queue, &sizes, pay_out).await }
        })
        .await?;
        let memory = self.server.memory_mib();
        self.server.indexed().await?;
        let all = begun.elapsed();
        Ok(self.case(name, times, (took, all), memory))
    }

    fn case(
        &self,
        name: &'static str,
        times: Vec<Times>,
        (took, all): (Duration, Duration),
        server: Memory,
    ) -> LedgerCase {
        let transfers = self.plan.transfers;
        LedgerCase {
            name,
            transfers,
            seconds: took.as_secs_f64(),
            acknowledged_per_s: rate(transfers, took),
            indexed_per_s: rate(transfers, all),
            batches: Times::together(times).spread(),
            server,
        }
    }
}

/// Sends requests until none is left; pays out each batch of holds before the next.
async fn lane(
    client: &Client,
    queue: &Queue,
    sizes: &[usize],
    pay_out: bool,
) -> Result<Times, BenchError> {
    let mut times = Times::default();
    loop {
        let next = {
            let mut waiting = queue.lock().unwrap_or_else(PoisonError::into_inner);
            let place = sizes.len() - waiting.len();
            waiting.pop_front().zip(sizes.get(place).copied())
        };
        let Some((body, size)) = next else {
            return Ok(times);
        };
        let begun = Instant::now();
        let accepted = client.written_command("ledger.transfer", body).await?;
        times.note(begun.elapsed());
        if pay_out {
            let body = payments(&accepted, size)?;
            let begun = Instant::now();
            client.written_command("ledger.transfer", body).await?;
            times.note(begun.elapsed());
        }
    }
}

/// A batch that pays out the holds of a batch: they are numbered one after another.
fn payments(made: &Accepted, count: usize) -> Result<Vec<u8>, BenchError> {
    let AnyId::HoldId(first) = new_id(made, "hold")? else {
        return Err(BenchError::defect("the answer names no hold"));
    };
    let position = position_of(first.0);
    let ordinal = first.0 - number(position, 0);
    let mut text = String::with_capacity(count * 50);
    text.push_str(r#"{"transfers":["#);
    for n in 0..count as u64 {
        let hold = HoldId(number(position, ordinal + n));
        let comma = if n == 0 { "" } else { "," };
        // Writing into a string cannot fail.
        let _ = write!(text, r#"{comma}{{"post_hold":{{"hold":"{hold}"}}}}"#);
    }
    text.push_str("]}");
    Ok(text.into_bytes())
}

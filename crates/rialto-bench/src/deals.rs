//! Measures whole deals a second.

use std::time::Instant;

use rialto_wire::native::Accepted;
use serde::Serialize;
use serde_json::{Value, json};

use crate::host::{Host, Memory, Place, Served};
use crate::load::{Spread, Times, lanes, rate};
use crate::{BenchError, Measuring, Progress};
use rialto_client::Client;
use rialto_scenario::ask::{new_id, send};

/// Whole deals a second: offer, acceptance with its hold, delivery, acceptance, settlement.
///
/// Starts its own server as another process, with the realm on disk. Half of the agents buy, half sell;
/// they belong to eight owners. Each lane is a buyer and a seller who make one deal after another: an
/// offer, its acceptance (which holds the money), the delivery, and the acceptance of the delivery (which
/// settles). The first case sends one request for each step; the second sends requests that each hold one
/// step of many deals. A deal counts when the answer to its last step is back: it is durable then.
#[derive(Clone, Debug)]
pub struct DealsPlan {
    /// Deals by single requests.
    pub deals: usize,
    /// Deals in batches.
    pub batched: usize,
    /// Pairs of a buyer and a seller that deal at the same time.
    pub lanes: usize,
    /// Deals in a request of the second case.
    pub batch: usize,
}

/// One case's figures, measured.
#[derive(Debug, Serialize)]
pub struct DealsCase {
    /// Which case.
    pub name: &'static str,
    /// Deals made.
    pub deals: usize,
    /// Until the last was acknowledged.
    pub seconds: f64,
    /// Deals a second until then.
    pub deals_per_s: f64,
    /// Deals a second until the views had the last.
    pub indexed_per_s: f64,
    /// How long requests took.
    pub requests: Spread,
    /// The server's memory then.
    pub server: Memory,
}

/// The figures, measured.
#[derive(Debug, Serialize)]
pub struct DealsFigures {
    /// Pairs that deal at the same time by single requests.
    pub lanes: usize,
    /// Deals of one request in batches.
    pub batch: usize,
    /// Single requests, then batches.
    pub cases: Vec<DealsCase>,
}

/// A buyer and a seller, each a client with its own token.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) buyer: Client,
    seller: Client,
    /// The buyer's handle.
    pub(crate) payer: String,
    /// The seller's handle.
    pub(crate) with: String,
}

/// Takes the measurement.
///
/// # Errors
/// [`BenchError`].
#[must_use]
pub fn measure<'a>(
    plan: &'a DealsPlan,
    place: &'a Place,
    progress: &'a mut dyn Progress,
) -> Measuring<'a, DealsFigures> {
    Box::pin(take(plan, place, progress))
}

async fn take(
    plan: &DealsPlan,
    place: &Place,
    progress: &mut dyn Progress,
) -> Result<DealsFigures, BenchError> {
    if plan.lanes == 0 || plan.batch == 0 || plan.batch > 2_000 {
        return Err(BenchError::Plan(
            "lanes is at least 1, batch 1 to 2000".to_owned(),
        ));
    }
    let host = Host::new(place)?;
    let server = Served::start(&host)?;
    progress.begins(3);
    let pairs = pairs(&server, plan.lanes).await?;
    progress.done(1);
    let singles = case(
        &server,
        &pairs,
        ("single requests", plan.deals),
        |pair, n| async move {
            let mut times = Times::default();
            for _ in 0..n {
                single(&pair, &mut times).await?;
            }
            Ok(times)
        },
    );
    let mut cases = vec![singles.await?];
    progress.done(1);
    let batch = plan.batch;
    let few = pairs.get(..4).unwrap_or(&pairs);
    let batches = case(
        &server,
        few,
        ("batches", plan.batched),
        |pair, n| async move {
            let mut times = Times::default();
            let mut left = n;
            while left > 0 {
                let now = left.min(batch);
                many(&pair, now, &mut times).await?;
                left -= now;
            }
            Ok(times)
        },
    );
    cases.push(batches.await?);
    Ok(DealsFigures {
        lanes: plan.lanes,
        batch: plan.batch,
        cases,
    })
}

pub(crate) async fn pairs(server: &Served, count: usize) -> Result<Vec<Pair>, BenchError> {
    const OWNERS: usize = 8;
    server.lift_limits().await?;
    let mut pairs = Vec::with_capacity(count);
    for owner in 0..OWNERS.min(count) {
        let mine: Vec<usize> = (owner..count).step_by(OWNERS).collect();
        let whole = server.owner(&format!("bench{owner}")).await?;
        let buyers: Vec<String> = mine.iter().map(|n| format!("buyer{n}")).collect();
        let sellers: Vec<String> = mine.iter().map(|n| format!("seller{n}")).collect();
        let buying = server.agents(&whole, &buyers).await?;
        let selling = server.agents(&whole, &sellers).await?;
        let to: Vec<String> = buyers.iter().map(|b| format!("@{b}")).collect();
        server.fund(&to, "1000000").await?;
        let named = to.into_iter().zip(sellers);
        for ((buyer, seller), (payer, with)) in buying.into_iter().zip(selling).zip(named) {
            let terms = json!({ "terms": { "title": "work" } });
            seller.command("listing.publish", terms).await?;
            pairs.push(Pair {
                buyer,
                seller,
                payer,
                with: format!("@{with}"),
            });
        }
    }
    Ok(pairs)
}

async fn case<F>(
    server: &Served,
    pairs: &[Pair],
    (name, deals): (&'static str, usize),
    work: impl Fn(Pair, usize) -> F,
) -> Result<DealsCase, BenchError>
where
    F: Future<Output = Result<Times, BenchError>> + Send + 'static,
{
    server.indexed().await?;
    let begun = Instant::now();
    let (times, took) = lanes(pairs.len(), |lane| {
        let share = deals / pairs.len() + usize::from(lane < deals % pairs.len());
        let pair = pairs.get(lane).cloned();
        let work = pair.map(|pair| work(pair, share));
        async move {
            match work {
                Some(work) => work.await,
                None => Ok(Times::default()),
            }
        }
    })
    .await?;
    let memory = server.memory_mib();
    server.indexed().await?;
    let all = begun.elapsed();
    Ok(DealsCase {
        name,
        deals,
        seconds: took.as_secs_f64(),
        deals_per_s: rate(deals, took),
        indexed_per_s: rate(deals, all),
        requests: Times::together(times).spread(),
        server: memory,
    })
}

fn offer(with: &str) -> Value {
    json!({ "with": with, "side": "buy", "terms": { "price": "0.01" }, "valid_for_ms": 600_000 })
}

/// The hash of the offer that a command made.
fn hash(offered: &Accepted) -> Result<&str, BenchError> {
    let hash = offered.offer.as_deref();
    hash.ok_or_else(|| BenchError::defect("the answer names no offer"))
}

/// One deal, a request a step.
pub(crate) async fn single(pair: &Pair, times: &mut Times) -> Result<(), BenchError> {
    let mut step = async |client: &Client, op: &str, args: Value| {
        let begun = Instant::now();
        let accepted = client.command(op, args).await?;
        times.note(begun.elapsed());
        Ok::<_, BenchError>(accepted)
    };
    let offered = step(&pair.buyer, "negotiation.open", offer(&pair.with)).await?;
    let (negotiation, hash) = (new_id(&offered, "neg")?, hash(&offered)?);
    let args = json!({ "negotiation": negotiation, "offer": hash });
    let agreed = step(&pair.seller, "negotiation.accept", args).await?;
    let deal = new_id(&agreed, "deal")?;
    let args = json!({ "deal": deal, "body": "done" });
    step(&pair.seller, "deal.deliver", args).await?;
    step(&pair.buyer, "deal.accept", json!({ "deal": deal })).await?;
    Ok(())
}

/// Many deals, each step of all of them in one request.
async fn many(pair: &Pair, count: usize, times: &mut Times) -> Result<(), BenchError> {
    let mut step = async |client: &Client, op: &str, args: Vec<Value>| {
        let begun = Instant::now();
        let accepted = send(client, op, args).await?;
        times.note(begun.elapsed());
        Ok::<_, BenchError>(accepted)
    };
    let offers = std::iter::repeat_with(|| offer(&pair.with)).take(count);
    let offered = step(&pair.buyer, "negotiation.open", offers.collect()).await?;
    let mut args = Vec::with_capacity(count);
    for one in &offered {
        args.push(json!({ "negotiation": new_id(one, "neg")?, "offer": hash(one)? }));
    }
    let agreed = step(&pair.seller, "negotiation.accept", args).await?;
    let deals: Result<Vec<_>, _> = agreed.iter().map(|a| new_id(a, "deal")).collect();
    let deals = deals?;
    let args = deals
        .iter()
        .map(|deal| json!({ "deal": deal, "body": "done" }));
    step(&pair.seller, "deal.deliver", args.collect()).await?;
    let args = deals.iter().map(|deal| json!({ "deal": deal }));
    step(&pair.buyer, "deal.accept", args.collect()).await?;
    Ok(())
}

//! `rialto bench deals`: whole deals a second.

use std::time::Instant;

use clap::Args;
use rialto_wire::native::Accepted;
use serde::Serialize;
use serde_json::{Value, json};

use super::load::{Spread, Times, lanes, rate};
use super::stage::{Memory, Place, PlaceArgs, Served};
use crate::market_day::seat::new_id;
use crate::market_day::stage::send;
use crate::output::{CliError, Output};
use rialto_client::Client;

/// Whole deals a second: offer, acceptance with its hold, delivery, acceptance, settlement.
///
/// Starts a server of its own as another process, on disk. Half the agents buy, half sell; they
/// belong to eight owners. Each lane is a buyer and a seller who make one deal after another: an
/// offer, its acceptance (which holds the money), the delivery, and the acceptance of the delivery
/// (which settles). First by single requests, one a step; then by requests that each hold one step of
/// many deals. A deal counts when the answer to its last step is back: it is durable then.
#[derive(Debug, Args)]
pub(crate) struct DealsArgs {
    /// Deals by single requests.
    #[arg(long, default_value_t = 30_000)]
    deals: usize,
    /// Deals in batches.
    #[arg(long, default_value_t = 100_000)]
    batched: usize,
    /// Pairs of a buyer and a seller that deal at the same time.
    #[arg(long, default_value_t = 64)]
    lanes: usize,
    /// Deals in a request of the second case.
    #[arg(long, default_value_t = 1_000)]
    batch: usize,
    #[command(flatten)]
    place: PlaceArgs,
}

/// One case's figures, measured.
#[derive(Debug, Serialize)]
struct Case {
    name: &'static str,
    deals: usize,
    seconds: f64,
    deals_per_s: f64,
    indexed_per_s: f64,
    requests: Spread,
    server: Memory,
}

#[derive(Debug, Serialize)]
struct Report {
    lanes: usize,
    batch: usize,
    cases: Vec<Case>,
}

/// A buyer and a seller, each at the door with its own token.
#[derive(Clone)]
struct Pair {
    buyer: Client,
    seller: Client,
    /// The seller's handle.
    with: String,
}

/// Runs `rialto bench deals`.
pub(crate) async fn run(args: &DealsArgs, out: Output) -> Result<(), CliError> {
    if args.lanes == 0 || args.batch == 0 || args.batch > 2_000 {
        return Err(CliError::usage("--lanes is at least 1, --batch 1 to 2000"));
    }
    let place = Place::new(&args.place)?;
    let server = Served::start(&place)?;
    let bar = out.progress("bench", 3);
    let pairs = pairs(&server, args.lanes).await?;
    bar.inc(1);
    let singles = measure(
        &server,
        &pairs,
        ("single requests", args.deals),
        |pair, n| async move {
            let mut times = Times::default();
            for _ in 0..n {
                single(&pair, &mut times).await?;
            }
            Ok(times)
        },
    );
    let mut cases = vec![singles.await?];
    bar.inc(1);
    let batch = args.batch;
    let few = pairs.get(..4).unwrap_or(&pairs);
    let batches = measure(
        &server,
        few,
        ("batches", args.batched),
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
    bar.finish_and_clear();
    let report = Report {
        lanes: args.lanes,
        batch: args.batch,
        cases,
    };
    print(&report, out)
}

fn print(report: &Report, out: Output) -> Result<(), CliError> {
    out.json(report)?;
    out.line(format!(
        "{} pairs at a time by single requests; {} deals a request in batches",
        report.lanes, report.batch
    ))?;
    for case in &report.cases {
        out.line(format!(
            "{:<16} {:>7.0} deals/s acknowledged, {:>7.0}/s indexed; {} in {:.2} s; request {}; server {:.0} MiB",
            case.name,
            case.deals_per_s,
            case.indexed_per_s,
            case.deals,
            case.seconds,
            case.requests.text(),
            case.server.now_mib,
        ))?;
    }
    Ok(())
}

async fn pairs(server: &Served, count: usize) -> Result<Vec<Pair>, CliError> {
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
        for ((buyer, seller), with) in buying.into_iter().zip(selling).zip(sellers) {
            let terms = json!({ "terms": { "title": "work" } });
            seller.command("listing.publish", terms).await?;
            pairs.push(Pair {
                buyer,
                seller,
                with: format!("@{with}"),
            });
        }
    }
    Ok(pairs)
}

async fn measure<F>(
    server: &Served,
    pairs: &[Pair],
    (name, deals): (&'static str, usize),
    work: impl Fn(Pair, usize) -> F,
) -> Result<Case, CliError>
where
    F: Future<Output = Result<Times, CliError>> + Send + 'static,
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
    Ok(Case {
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
fn hash(offered: &Accepted) -> Result<&str, CliError> {
    let hash = offered.offer.as_deref();
    hash.ok_or_else(|| CliError::bug("the answer names no offer"))
}

/// One deal, a request a step.
async fn single(pair: &Pair, times: &mut Times) -> Result<(), CliError> {
    let mut step = async |client: &Client, op: &str, args: Value| {
        let begun = Instant::now();
        let accepted = client.command(op, args).await?;
        times.note(begun.elapsed());
        Ok::<_, CliError>(accepted)
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
async fn many(pair: &Pair, count: usize, times: &mut Times) -> Result<(), CliError> {
    let mut step = async |client: &Client, op: &str, args: Vec<Value>| {
        let begun = Instant::now();
        let accepted = send(client, op, args).await?;
        times.note(begun.elapsed());
        Ok::<_, CliError>(accepted)
    };
    let offers = std::iter::repeat_with(|| offer(&pair.with)).take(count);
    let offered = step(&pair.buyer, "negotiation.open", offers.collect()).await?;
    let mut args = Vec::with_capacity(count);
    for one in &offered {
        args.push(json!({ "negotiation": new_id(one, "neg")?, "offer": hash(one)? }));
    }
    let agreed = step(&pair.seller, "negotiation.accept", args).await?;
    let deals: Result<Vec<_>, CliError> = agreed.iter().map(|a| new_id(a, "deal")).collect();
    let deals = deals?;
    let args = deals
        .iter()
        .map(|deal| json!({ "deal": deal, "body": "done" }));
    step(&pair.seller, "deal.deliver", args.collect()).await?;
    let args = deals.iter().map(|deal| json!({ "deal": deal }));
    step(&pair.buyer, "deal.accept", args.collect()).await?;
    Ok(())
}

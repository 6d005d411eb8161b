//! What one owner's flood costs another.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use serde::Serialize;
use serde_json::json;

use crate::deals::{Pair, pairs, single};
use crate::host::{Host, Memory, Place, Served};
use crate::load::{Spread, Times, rate};
use crate::{BenchError, Measuring, Progress};
use rialto_scenario::ask::send;

/// How long the deals of one owner take, alone and while another floods the writer.
///
/// Starts a server of its own as another process, on disk. One pair of agents makes one deal after
/// another by single requests; first alone, then while agents of another owner send long batches of
/// transfers on several connections, each as fast as it is answered. Server and clients share the
/// machine, so part of what the flood costs is processor time and not waiting in line.
#[derive(Clone, Debug)]
pub struct FairnessPlan {
    /// Deals of the quiet owner in each case.
    pub deals: usize,
    /// Connections of the flood.
    pub flood: usize,
    /// Transfers in a request of the flood.
    pub batch: usize,
}

/// One case's figures, measured.
#[derive(Debug, Serialize)]
pub struct FairnessCase {
    /// Which case.
    pub name: &'static str,
    /// The requests of the quiet owner.
    pub requests: Spread,
    /// Transfers of the flood a second.
    pub flood_per_s: f64,
}

/// The figures, measured.
#[derive(Debug, Serialize)]
pub struct FairnessFigures {
    /// Alone, then beside the flood.
    pub cases: Vec<FairnessCase>,
    /// How many times the 99th percentile beside the flood is that alone.
    pub p99_ratio: f64,
    /// The server's memory then.
    pub server: Memory,
}

/// Takes the measurement.
///
/// # Errors
/// [`BenchError`].
#[must_use]
pub fn measure<'a>(
    plan: &'a FairnessPlan,
    place: &'a Place,
    progress: &'a mut dyn Progress,
) -> Measuring<'a, FairnessFigures> {
    Box::pin(take(plan, place, progress))
}

async fn take(
    plan: &FairnessPlan,
    place: &Place,
    progress: &mut dyn Progress,
) -> Result<FairnessFigures, BenchError> {
    if plan.deals == 0 || plan.flood == 0 || plan.batch == 0 || plan.batch > 8_000 {
        return Err(BenchError::Plan(
            "deals and flood are at least 1, batch 1 to 8000".to_owned(),
        ));
    }
    let host = Host::new(place)?;
    let server = Served::start(&host)?;
    progress.begins(3);
    // The pairs of a list of eight belong to eight owners.
    let pairs = pairs(&server, 8).await?;
    let [quiet, loud, ..] = pairs.as_slice() else {
        return Err(BenchError::defect("there are eight pairs"));
    };
    // The first deals of a new realm are slower than those that follow.
    deals(quiet, plan.deals / 4).await?;
    server.indexed().await?;
    progress.done(1);
    let alone = deals(quiet, plan.deals).await?;
    server.indexed().await?;
    progress.done(1);
    let flood = Flood::start(loud, plan);
    let begun = Instant::now();
    let beside = deals(quiet, plan.deals).await?;
    let took = begun.elapsed();
    let sent = flood.stop().await?;
    progress.done(1);
    let server = server.memory_mib();
    Ok(FairnessFigures {
        p99_ratio: beside.p99_ms / alone.p99_ms,
        cases: vec![
            FairnessCase {
                name: "alone",
                requests: alone,
                flood_per_s: 0.0,
            },
            FairnessCase {
                name: "beside a flood",
                requests: beside,
                flood_per_s: rate(sent, took),
            },
        ],
        server,
    })
}

async fn deals(pair: &Pair, count: usize) -> Result<Spread, BenchError> {
    let mut times = Times::default();
    for _ in 0..count {
        single(pair, &mut times).await?;
    }
    Ok(times.spread())
}

/// Batches of transfers on several connections, until it is stopped.
struct Flood {
    over: Arc<AtomicBool>,
    sent: Arc<AtomicUsize>,
    senders: Vec<tokio::task::JoinHandle<Result<(), BenchError>>>,
}

impl Flood {
    fn start(loud: &Pair, plan: &FairnessPlan) -> Self {
        let (over, sent) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let senders = (0..plan.flood).map(|_| {
            let (over, sent): (_, Arc<AtomicUsize>) = (Arc::clone(&over), Arc::clone(&sent));
            let (loud, batch) = (loud.clone(), plan.batch);
            tokio::spawn(async move {
                let one = json!({ "transfers": [{ "post": {
                    "from": loud.payer, "to": loud.with, "amount": "0.01"
                } }] });
                while !over.load(Ordering::Relaxed) {
                    let all = std::iter::repeat_n(one.clone(), batch).collect();
                    send(&loud.buyer, "ledger.transfer", all).await?;
                    sent.fetch_add(batch, Ordering::Relaxed);
                }
                Ok(())
            })
        });
        let senders = senders.collect();
        Self {
            over,
            sent,
            senders,
        }
    }

    /// Ends it. How many transfers were answered.
    async fn stop(self) -> Result<usize, BenchError> {
        self.over.store(true, Ordering::Relaxed);
        for sender in self.senders {
            let ended = sender.await;
            ended.map_err(|e| BenchError::defect(e.to_string()))??;
        }
        Ok(self.sent.load(Ordering::Relaxed))
    }
}

//! `rialto bench fleet`: how fast the twin simulates.
//!
//! Three cases, one thread: the conversation trace on 8 workers at its own pace, and 20,000 requests of the
//! same lengths on 1,000 and 10,000 workers at the same rate per worker. The time runs from parsed requests
//! to a finished report. `bench/fleet_peer.py` runs another simulator on the same requests, which
//! `--export` writes, in the same run.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use rialto_fleet::catalogue::Catalogue;
use rialto_fleet::cluster::{
    self, Fleet, Mode, PoolSpec, RunOptions, ServingReport, ServingScenario, TrafficSource,
};
use rialto_fleet::step::Plan;
use rialto_fleet::traffic::{Generator, PrefixTable, Request, Share, Trace, TrafficModel};
use serde::Serialize;

use super::{simulate, traffic};
use crate::output::{CliError, Output};

/// Measures how many requests a second the fleet twin simulates, iteration by iteration.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// A recorded trace; the shipped fit of the Azure conversation trace if not given.
    #[arg(long)]
    trace: Option<PathBuf>,
    /// Runs for each case; the result is their median.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Routing policy.
    #[arg(long, default_value = "round_robin")]
    routing: String,
    /// Write each case's requests to this directory as Mooncake JSON lines, for another simulator to
    /// replay.
    #[arg(long)]
    export: Option<PathBuf>,
}

/// One case's figures. Speeds are measured; the simulated figures are modelled.
#[derive(Debug, Serialize)]
struct Case {
    name: String,
    workers: u32,
    requests: usize,
    steps: u64,
    runs: usize,
    median_s: f64,
    fastest_s: f64,
    slowest_s: f64,
    requests_per_s: f64,
    steps_per_s: f64,
    modelled_ttft_p50_ms: f64,
    modelled_tpot_p50_ms: f64,
}

/// All cases.
#[derive(Debug, Serialize)]
struct BenchReport {
    provenance: &'static str,
    trace: String,
    routing: String,
    threads: usize,
    cases: Vec<Case>,
}

/// Runs `rialto bench fleet`.
pub fn run_bench(args: &BenchArgs, out: Output) -> Result<(), CliError> {
    if args.runs == 0 {
        return Err(CliError::usage("--runs is 0; at least 1 is needed"));
    }
    let (name, trace) = match &args.trace {
        Some(path) => (path.display().to_string(), traffic::read_trace(path, None)?),
        None => ("azure-conv (shipped fit)".to_owned(), generated()?),
    };
    let catalogue = simulate::catalogue(&[])?;
    let bar = out.progress("bench", 3 * args.runs as u64);
    let mut cases = Vec::new();
    for (workers, requests) in [(8, None), (1_000, Some(20_000)), (10_000, Some(20_000))] {
        let case_trace = requests.map_or_else(|| trace.clone(), |n| scaled(&trace, n, workers));
        if let Some(dir) = &args.export {
            export(dir, workers, &case_trace)?;
        }
        cases.push(measure(args, &catalogue, workers, &case_trace, &|| {
            bar.inc(1);
        })?);
    }
    bar.finish_and_clear();
    let report = BenchReport {
        provenance: "measured",
        trace: name,
        routing: args.routing.clone(),
        threads: 1,
        cases,
    };
    out.json(&report)?;
    for case in &report.cases {
        out.line(format!(
            "{:>6} workers: {} requests, {} steps in {:.1} ms (median of {}; {:.1} to {:.1}): \
             {:.0} requests/s",
            case.workers,
            case.requests,
            case.steps,
            case.median_s * 1e3,
            case.runs,
            case.fastest_s * 1e3,
            case.slowest_s * 1e3,
            case.requests_per_s
        ))?;
    }
    Ok(())
}

/// An hour of the shipped fit of the conversation trace.
fn generated() -> Result<Trace, CliError> {
    let model = TrafficModel::shipped("azure-conv")
        .ok_or_else(|| CliError::bug("no shipped traffic azure-conv"))?
        .map_err(|e| CliError::bug(e.to_string()))?;
    let horizon_ns = 3_600_000_000_000;
    let requests = Generator::new(&model, 1, Share::whole(1), horizon_ns, 512).collect();
    Ok(Trace {
        requests,
        prefixes: PrefixTable::default(),
    })
}

/// `count` requests with the trace's lengths, in its order, starting over where it ends. The rate for each
/// worker is that of the trace on 8 workers.
fn scaled(trace: &Trace, count: usize, workers: u32) -> Trace {
    let gap_ns = trace.duration_s() * 1e9 / trace.requests.len() as f64 * 8.0 / f64::from(workers);
    let lengths = trace.requests.iter().cycle().take(count).enumerate();
    let requests = lengths
        .map(|(i, r)| Request {
            arrival_ns: (i as f64 * gap_ns) as u64,
            ..*r
        })
        .collect();
    Trace {
        requests,
        prefixes: trace.prefixes.clone(),
    }
}

fn measure(
    args: &BenchArgs,
    catalogue: &Catalogue,
    workers: u32,
    trace: &Trace,
    tick: &dyn Fn(),
) -> Result<Case, CliError> {
    let mut pool = PoolSpec::new(
        "bench",
        "llama3.1-8b",
        "h100_sxm",
        Plan::SINGLE,
        workers,
        "trace",
    );
    pool.routing = simulate::policy(&args.routing)?;
    let name = format!("{} requests on {workers} workers", trace.requests.len());
    let scenario = ServingScenario::of_pool(name.clone(), pool);
    let source = TrafficSource::Trace(trace.clone());
    let sources = HashMap::from([("trace".to_owned(), source)]);
    let parameters = simulate::parameters(None)?;
    let fleet = Fleet::build("bench", "", &scenario, catalogue, &parameters, &sources)
        .map_err(|e| CliError::bug(e.to_string()))?;
    let mut times = Vec::with_capacity(args.runs);
    let mut last = None;
    for _ in 0..args.runs {
        let started = Instant::now();
        let result = cluster::run(&fleet, &RunOptions::default(), &|_, _| {});
        let report = ServingReport::new(&fleet, &result, Mode::Exact, 0.0);
        times.push(started.elapsed().as_secs_f64());
        last = Some(report);
        tick();
    }
    times.sort_by(f64::total_cmp);
    let report = last.ok_or_else(|| CliError::bug("no run was made"))?;
    let median_s = times[times.len() / 2];
    Ok(Case {
        name,
        workers,
        requests: trace.requests.len(),
        steps: report.steps,
        runs: args.runs,
        median_s,
        fastest_s: times[0],
        slowest_s: times[times.len() - 1],
        requests_per_s: trace.requests.len() as f64 / median_s,
        steps_per_s: report.steps as f64 / median_s,
        modelled_ttft_p50_ms: report.fleet.ttft.p50_s * 1e3,
        modelled_tpot_p50_ms: report.fleet.tpot.p50_s * 1e3,
    })
}

/// Writes requests as Mooncake JSON lines; no two requests share a hash.
fn export(dir: &Path, workers: u32, trace: &Trace) -> Result<(), CliError> {
    std::fs::create_dir_all(dir)
        .map_err(|e| CliError::failed(format!("cannot create {}: {e}", dir.display())))?;
    let mut text = String::new();
    let mut next_hash = 0u32;
    for r in &trace.requests {
        let hashes: Vec<String> = (0..r.input_tokens.div_ceil(512))
            .map(|i| (next_hash + i).to_string())
            .collect();
        next_hash += r.input_tokens.div_ceil(512);
        let _ = writeln!(
            text,
            "{{\"timestamp\": {}, \"input_length\": {}, \"output_length\": {}, \"hash_ids\": [{}]}}",
            r.arrival_ns / 1_000_000,
            r.input_tokens,
            r.output_tokens,
            hashes.join(", ")
        );
    }
    traffic::write(&dir.join(format!("workers-{workers}.jsonl")), &text)
}

//! `rialto fleet simulate`: serves a scenario's traffic, or replays a trace, on a modelled fleet.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use rialto_fleet::catalogue::Catalogue;
use rialto_fleet::cluster::{
    self, ChipPrice, Fleet, Interval, Mode, Policy, PoolReport, PoolSpec, RunOptions, RunResult,
    ServingReport, ServingScenario, Totals,
};
use rialto_fleet::echo::figure;
use rialto_fleet::plan::traffic_doubts;
use rialto_fleet::step::{Parameters, Plan};
use rialto_fleet::traffic::write_calls;

use super::traffic;
use crate::output::{CliError, Output};

/// Simulates a serving fleet and reports latency, throughput, utilisation and energy.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// A scenario file (TOML).
    #[arg(required_unless_present = "trace", conflicts_with = "trace")]
    scenario: Option<PathBuf>,
    /// Replay this trace on one pool of replicas, instead of running a scenario.
    #[arg(long)]
    trace: Option<PathBuf>,
    #[command(flatten)]
    pool: PoolArgs,
    /// Simulate every cell (replicas behind one router), or a stratified sample of cells.
    #[arg(long, value_enum, default_value_t = ModeArg::Exact)]
    mode: ModeArg,
    /// Share of the cells that the sampled mode simulates.
    #[arg(long, default_value_t = 0.05)]
    sample: f64,
    /// Random seed; the scenario's seed if not given.
    #[arg(long)]
    seed: Option<u64>,
    /// Seconds to simulate; the scenario's duration if not given.
    #[arg(long)]
    duration_s: Option<f64>,
    /// Number of threads; one for each core if not given. The result does not depend on it.
    #[arg(long)]
    threads: Option<usize>,
    /// Files that add entries to the shipped catalogue or replace them: TOML, or a table of chips (.csv).
    #[arg(long)]
    catalogue: Vec<PathBuf>,
    /// A file of fitted parameters, as `rialto fleet calibrate` writes it; the shipped parameters if not
    /// given.
    #[arg(long)]
    parameters: Option<PathBuf>,
    /// Write the finished requests to this file as a gateway would log them, marked as modelled: JSON lines
    /// that `rialto fleet calibrate --from-log` and `--trace` read (exact mode only).
    #[arg(long)]
    request_log: Option<PathBuf>,
    /// Write every request's outcome to this CSV file (exact mode only).
    #[arg(long)]
    requests: Option<PathBuf>,
    /// Write report.html, plots (SVG, PNG) and figures (JSON, CSV) to this directory.
    #[arg(long)]
    report: Option<PathBuf>,
}

/// One pool for a trace.
#[derive(Debug, Args)]
pub struct PoolArgs {
    /// The model to serve, by its name in the catalogue.
    #[arg(long, default_value = "llama3.1-8b", help_heading = "Replay")]
    model: String,
    /// The chip to serve it on, by its name in the catalogue.
    #[arg(long, default_value = "h100_sxm", help_heading = "Replay")]
    chip: String,
    /// The number format of weights and arithmetic, by its name in the catalogue.
    #[arg(long, default_value = "bf16", help_heading = "Replay")]
    precision: String,
    /// Tensor-parallel degree: over how many chips each matrix is split.
    #[arg(long, default_value_t = 1, help_heading = "Replay")]
    tensor: u32,
    /// Replicas.
    #[arg(long, default_value_t = 8, help_heading = "Replay")]
    replicas: u32,
    /// Routing policy: random, round_robin, least_load, power_of_two, prefix_affinity.
    #[arg(long, default_value = "power_of_two", help_heading = "Replay")]
    routing: String,
    /// Requests a second: the trace is compressed or stretched in time to this rate. Without it, the trace
    /// runs at its own pace.
    #[arg(long, help_heading = "Replay")]
    rate_per_s: Option<f64>,
}

/// How much of the fleet is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ModeArg {
    /// Every cell.
    Exact,
    /// A stratified sample, with 95 % intervals.
    Sampled,
}

/// The shipped catalogue; entries of the user's files are added or replace shipped ones.
pub fn catalogue(files: &[PathBuf]) -> Result<Catalogue, CliError> {
    let mut catalogue = Catalogue::shipped().map_err(|e| CliError::bug(e.to_string()))?;
    for file in files {
        let text = traffic::read(file)?;
        catalogue
            .add(&file.display().to_string(), &text)
            .map_err(|e| CliError::usage(e.to_string()))?;
    }
    Ok(catalogue)
}

/// The parameters of the step-time model: those of a file, or the shipped ones.
pub fn parameters(file: Option<&Path>) -> Result<Parameters, CliError> {
    match file {
        None => Parameters::shipped().map_err(|e| CliError::bug(e.to_string())),
        Some(path) => Parameters::parse(&path.display().to_string(), &traffic::read(path)?)
            .map_err(|e| CliError::usage(e.to_string())),
    }
}

/// Threads to use: as the user asks, or one for each core.
pub fn threads(asked: Option<usize>) -> Result<usize, CliError> {
    match asked {
        Some(0) => Err(CliError::usage("--threads is 0; at least 1 is needed")),
        Some(threads) => Ok(threads.min(256)),
        None => Ok(std::thread::available_parallelism().map_or(1, usize::from)),
    }
}

/// A routing policy by name.
pub fn policy(name: &str) -> Result<Policy, CliError> {
    match name {
        "random" => Ok(Policy::Random),
        "round_robin" => Ok(Policy::RoundRobin),
        "least_load" => Ok(Policy::LeastLoad),
        "power_of_two" => Ok(Policy::PowerOfTwo),
        "prefix_affinity" => Ok(Policy::PrefixAffinity),
        other => Err(CliError::usage(format!("no routing policy `{other}`"))
            .hint("policies: random, round_robin, least_load, power_of_two, prefix_affinity")),
    }
}

/// Runs a fleet with a progress bar.
pub fn run_fleet(fleet: &Fleet, options: &RunOptions, out: Output) -> RunResult {
    let bar = out.progress("cells", 0);
    let result = cluster::run(fleet, options, &|_, total| {
        bar.set_length(total as u64);
        // Threads finish out of order: counting up never steps back.
        bar.inc(1);
    });
    bar.finish_and_clear();
    result
}

/// Runs `rialto fleet simulate`.
pub fn run(args: &SimulateArgs, out: Output) -> Result<(), CliError> {
    let catalogue = catalogue(&args.catalogue)?;
    let fleet = build(args, &catalogue)?;
    let mode = mode(args)?;
    bounded(&fleet, mode, out)?;
    for pool in &fleet.pools {
        for doubt in traffic_doubts(&pool.traffic) {
            out.note(format!("{} may be misread: {doubt}", pool.spec.traffic));
        }
    }
    let span_s = fleet.scenario.duration_s.unwrap_or(3600.0);
    let options = RunOptions {
        mode,
        threads: threads(args.threads)?,
        bin_s: span_s / 120.0,
        keep_outcomes: args.requests.is_some() || args.request_log.is_some(),
    };
    let started = Instant::now();
    let result = run_fleet(&fleet, &options, out);
    let wall_s = started.elapsed().as_secs_f64();
    let report = ServingReport::new(&fleet, &result, mode, options.bin_s);
    if let Some(path) = &args.requests {
        traffic::write(path, &cluster::requests_csv(&fleet, &result))?;
    }
    if let Some(path) = &args.request_log {
        traffic::write(path, &write_calls(&cluster::calls(&fleet, &result)))?;
    }
    if let Some(dir) = &args.report {
        write_report(dir, &report, &result)?;
        out.note(format!("report written to {}", dir.display()));
    }
    for doubt in report.pools.iter().filter_map(PoolReport::out_of_the_mean) {
        out.note(doubt);
    }
    out.json(&report)?;
    print(&report, wall_s, out)
}

/// Writes a report's files to a directory.
fn write_report(dir: &Path, report: &ServingReport, result: &RunResult) -> Result<(), CliError> {
    std::fs::create_dir_all(dir)
        .map_err(|e| CliError::failed(format!("cannot create {}: {e}", dir.display())))?;
    let files = cluster::files(report, result).map_err(|e| CliError::bug(e.to_string()))?;
    for (name, bytes) in files {
        traffic::write_bytes(&dir.join(name), &bytes)?;
    }
    Ok(())
}

/// From this number of requests on, a run says beforehand how many it will simulate.
const MANY_REQUESTS: f64 = 50e6;

/// Refuses a run that would take too long, and says beforehand how many requests a long one simulates.
fn bounded(fleet: &Fleet, mode: Mode, out: Output) -> Result<(), CliError> {
    let expected = cluster::expected_requests(fleet, mode);
    if expected > cluster::MAX_REQUESTS {
        return Err(CliError::usage(format!(
            "{} requests are to be simulated; at most {} are",
            figure(expected),
            figure(cluster::MAX_REQUESTS)
        ))
        .hint(
            "are rates in requests a second? lower them or duration_s, or draw cells with --mode sampled \
             (a pool needs several: cell_replicas)",
        ));
    }
    if expected > MANY_REQUESTS {
        out.note(format!("about {} requests to simulate", figure(expected)));
    }
    Ok(())
}

fn mode(args: &SimulateArgs) -> Result<Mode, CliError> {
    if args.mode == ModeArg::Exact {
        return Ok(Mode::Exact);
    }
    if !(args.sample > 0.0 && args.sample <= 1.0) {
        return Err(CliError::usage(format!(
            "--sample is {}; it is a share above 0 and at most 1",
            args.sample
        )));
    }
    for (name, file) in [
        ("--requests", &args.requests),
        ("--request-log", &args.request_log),
    ] {
        if file.is_some() {
            return Err(CliError::usage(format!(
                "{name} needs --mode exact: a sample has not all requests"
            )));
        }
    }
    Ok(Mode::Sampled { share: args.sample })
}

fn build(args: &SimulateArgs, catalogue: &Catalogue) -> Result<Fleet, CliError> {
    let (file, text, mut scenario, base) = match (&args.scenario, &args.trace) {
        (Some(path), _) => {
            let text = traffic::read(path)?;
            let file = path.display().to_string();
            let scenario =
                ServingScenario::parse(&file, &text).map_err(|e| CliError::usage(e.to_string()))?;
            (file, text, scenario, path.parent().map(Path::to_path_buf))
        }
        (None, Some(trace)) => {
            let scenario = replay(trace, &args.pool, catalogue)?;
            ("command line".to_owned(), String::new(), scenario, None)
        }
        (None, None) => return Err(CliError::usage("give a scenario file or --trace FILE")),
    };
    if let Some(seed) = args.seed {
        scenario.seed = seed;
    }
    if let Some(duration_s) = args.duration_s {
        scenario.duration_s = Some(duration_s);
        scenario.warmup_s = scenario.warmup_s.min(duration_s / 4.0);
    }
    let wrong =
        |(field, message): (String, String)| ServingScenario::error(&file, &text, &field, &message);
    scenario
        .check()
        .map_err(|e| CliError::usage(wrong(e).to_string()))?;
    let sources = match &args.trace {
        Some(trace) => {
            let name = trace.display().to_string();
            let source = traffic::load(&name, None)?;
            HashMap::from([(name, source)])
        }
        None => traffic::load_all(&scenario, &file, &text, base.as_deref())?,
    };
    let parameters = parameters(args.parameters.as_deref())?;
    Fleet::build(&file, &text, &scenario, catalogue, &parameters, &sources)
        .map_err(|e| CliError::usage(e.to_string()))
}

/// A scenario of one pool that replays a trace to its end.
fn replay(
    trace: &Path,
    args: &PoolArgs,
    catalogue: &Catalogue,
) -> Result<ServingScenario, CliError> {
    let name = trace.display().to_string();
    let mut pool = PoolSpec::new(
        "replay",
        &args.model,
        &args.chip,
        Plan::tensor(args.tensor),
        args.replicas,
        &name,
    )
    .with_usual_engine(catalogue);
    pool.precision.clone_from(&args.precision);
    pool.routing = policy(&args.routing)?;
    pool.rate_per_s = args.rate_per_s;
    Ok(ServingScenario::of_pool(format!("replay of {name}"), pool))
}

/// Prints a report for people.
fn print(report: &ServingReport, wall_s: f64, out: Output) -> Result<(), CliError> {
    out.line(format!(
        "{} ({}, seed {}) [modelled]",
        report.scenario, report.mode, report.seed
    ))?;
    if !report.label.is_empty() {
        out.line(&report.label)?;
    }
    for pool in &report.pools {
        out.line(format!(
            "\n{}: {} on {} x {} {} ({} of {} cells simulated)\n  traffic {}, {:.0} requests/s arrived",
            pool.name,
            pool.model,
            pool.totals.chips,
            pool.chip,
            pool.plan,
            pool.cells.0,
            pool.cells.1,
            pool.traffic,
            pool.offered_per_s,
        ))?;
        print_totals(&pool.totals, pool.slo_s, out)?;
        out.line(format!("  {}", pool.forecast_error.words()))?;
        if let Some(price) = &pool.price {
            out.line(lost_line(&pool.totals, Some(price)))?;
        }
    }
    if report.pools.len() > 1 {
        out.line(format!("\nall pools: {} chips", report.fleet.chips))?;
        print_totals(&report.fleet, (0.0, 0.0), out)?;
        out.line(lost_line(&report.fleet, None))?;
    }
    if let Some(i) = &report.intervals {
        out.line("\n95 % intervals for what every cell simulated would give")?;
        for (name, interval) in [
            ("output tokens/s", &i.output_tokens_per_s),
            ("requests/s", &i.finished_per_s),
            ("goodput/s", &i.goodput_per_s),
            ("TTFT p50 s", &i.ttft_p50_s),
            ("TTFT p99 s", &i.ttft_p99_s),
            ("TPOT p99 s", &i.tpot_p99_s),
            ("end to end p99 s", &i.e2e_p99_s),
            ("interrupted", &i.interrupted),
        ] {
            out.line(interval_line(name, interval))?;
        }
        let by_load = [
            ("chip-hours", &i.chip_hours),
            ("chip-hours lost", &i.down_chip_hours),
            ("replica failures", &i.replica_failures),
        ];
        for (name, interval) in by_load.into_iter().filter(|(_, i)| i.low < i.high) {
            out.line(interval_line(name, interval))?;
        }
    }
    out.line(format!(
        "\nsimulated {:.0} s, {} requests, {} steps in {wall_s:.2} s ({:.0} requests/s)",
        report.simulated_s,
        report.requests,
        report.steps,
        report.requests as f64 / wall_s.max(1e-9),
    ))
}

fn interval_line(name: &str, interval: &Interval) -> String {
    format!(
        "  {name:16} {:>12} .. {:<12} (+-{:.2} %)",
        figure(interval.low),
        figure(interval.high),
        100.0 * interval.relative_error()
    )
}

/// A line that states what failures and drains cost (modelled).
fn lost_line(t: &Totals, price: Option<&ChipPrice>) -> String {
    let usd = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.2}"));
    let at = match price {
        Some(p) => format!(
            "at {} $ a chip-hour ({} price)",
            p.usd_per_chip_hour, p.basis
        ),
        None => "at the pools' prices".to_owned(),
    };
    format!(
        "  failures cost {} $, drains {} $, {at} [modelled]",
        usd(t.down_usd),
        usd(t.drained_usd)
    )
}

fn print_totals(t: &Totals, slo_s: (f64, f64), out: Output) -> Result<(), CliError> {
    out.line(format!(
        "  arrived {:.0}, finished {:.0}, rejected {:.0}, in flight {:.0}",
        t.arrived, t.finished, t.rejected, t.in_flight
    ))?;
    out.line(format!(
        "  {:.2} requests/s, {:.0} output tokens/s, {:.1} output tokens/s a chip",
        t.finished_per_s, t.output_tokens_per_s, t.output_tokens_per_s_per_chip
    ))?;
    for (name, d) in [
        ("TTFT", t.ttft),
        ("TPOT", t.tpot),
        ("end to end", t.e2e),
        ("queue", t.queue),
    ] {
        out.line(format!(
            "  {name:10} mean {:>9.2} ms  p50 {:>9.2}  p90 {:>9.2}  p99 {:>9.2}",
            d.mean_s * 1e3,
            d.p50_s * 1e3,
            d.p90_s * 1e3,
            d.p99_s * 1e3
        ))?;
    }
    let slo = if slo_s.0 > 0.0 {
        format!(" (TTFT {} s, TPOT {} s)", slo_s.0, slo_s.1)
    } else {
        String::new()
    };
    out.line(format!(
        "  goodput {:.2} requests/s, {:.2} % within the objective{slo}",
        t.goodput_per_s,
        100.0 * t.slo_share
    ))?;
    out.line(format!(
        "  busy {:.1} %, available {:.3} %, {:.0} replica failures, {:.0} requests interrupted",
        100.0 * t.utilisation,
        100.0 * t.availability,
        t.replica_failures,
        t.interrupted
    ))?;
    out.line(format!(
        "  cache: peak {:.1} %, {:.1} % of prompt tokens found, {:.0} pre-emptions",
        100.0 * t.peak_kv_share,
        100.0 * t.cached_share,
        t.preemptions
    ))?;
    out.line(format!(
        "  energy {:.1} kWh, {:.2} J per output token; {:.0} chip-hours, {:.1} lost to failures, \
         {:.1} to drains",
        t.energy_kwh,
        t.joules_per_output_token,
        t.chip_hours,
        t.down_chip_hours,
        t.drained_chip_hours
    ))
}

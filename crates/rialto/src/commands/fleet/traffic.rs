//! `rialto fleet traffic`: fits a generator to a trace; and loads traffic for the other commands.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::Args;
use rialto_fleet::catalogue::Catalogue;
use rialto_fleet::cluster::{Faults, PoolSpec, ServingScenario, SloSpec, TrafficSource};
use rialto_fleet::echo::figure;
use rialto_fleet::plan::{
    PlacedFit, Placement, PriceBasis, Prices, Question, plans, traffic_doubts,
};
use rialto_fleet::step::Plan;
use rialto_fleet::traffic::{Pair, Trace, TrafficModel, fit, likeness};
use serde::Serialize;

use super::placements::seeds;
use super::question::{accept, between};
use super::simulate;
use super::table::Table;
use crate::output::{CliError, Output};

/// Fits a traffic generator to a recorded trace and prints it as TOML. The first lines compare the trace
/// and the fit: lengths, tokens a second, and the chips that each needs.
#[derive(Debug, Args)]
pub struct TrafficArgs {
    /// The trace: Azure CSV, Mooncake JSON lines, or a request log.
    trace: PathBuf,
    /// Name of the generator; the file's name if not given.
    #[arg(long)]
    name: Option<String>,
    /// Where the trace comes from; the generator keeps this text.
    #[arg(long, default_value = "a recorded trace")]
    source: String,
    /// Fit only the requests to this model (for request logs).
    #[arg(long)]
    model: Option<String>,
    /// The model to serve in the comparison of trace and fit.
    #[arg(long, default_value = "llama3.1-8b", help_heading = "Comparison")]
    serve: String,
    /// The chip to serve it on in the comparison.
    #[arg(long, default_value = "h100_sxm", help_heading = "Comparison")]
    chip: String,
    /// Requests a second in the comparison; the trace's own rate if not given.
    #[arg(long, help_heading = "Comparison")]
    rate_per_s: Option<f64>,
    /// Longest time to first token (TTFT) that the comparison allows for 99 % of requests, seconds.
    #[arg(long, default_value_t = 1.0, help_heading = "Comparison")]
    ttft_s: f64,
    /// Longest time per output token after the first (TPOT) that the comparison allows, seconds.
    #[arg(long, default_value_t = 0.05, help_heading = "Comparison")]
    tpot_s: f64,
    /// Fit even if the trace looks like a mistake.
    #[arg(long)]
    accept_unusual: bool,
}

/// Trace and fit side by side.
#[derive(Debug, Serialize)]
struct FitComparison {
    figures: Vec<Pair>,
    /// What the chips serve, and under which objective.
    chips_of: String,
    #[serde(flatten)]
    placed: PlacedFit,
}

/// The generator, and how closely it matches its trace.
#[derive(Debug, Serialize)]
struct Fitted<'a> {
    #[serde(flatten)]
    model: &'a TrafficModel,
    comparison: &'a FitComparison,
}

/// Runs `rialto fleet traffic`.
pub fn run(args: &TrafficArgs, out: Output) -> Result<(), CliError> {
    let trace = read_trace(&args.trace, args.model.as_deref())?;
    if trace.duration_s() <= 0.0 {
        return Err(CliError::usage(
            "all requests of the trace arrive at once: no rate to fit",
        ));
    }
    let stem = args
        .trace
        .file_stem()
        .map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    let name = args.name.clone().unwrap_or(stem);
    let shown = args.trace.display().to_string();
    let trace = TrafficSource::Trace(trace);
    accept(&traffic_doubts(&trace), args.accept_unusual, &shown)?;
    let TrafficSource::Trace(recorded) = &trace else {
        return Err(CliError::bug("a trace is no trace"));
    };
    let model = fit(recorded, &name, &args.source);
    let comparison = compare(args, &trace, &model, recorded)?;
    if out.is_json() {
        return out.json(&Fitted {
            model: &model,
            comparison: &comparison,
        });
    }
    let text = toml::to_string(&model).map_err(|e| CliError::bug(e.to_string()))?;
    let side_by_side: String = comparison
        .lines()
        .iter()
        .map(|line| format!("{}\n", format!("# {line}").trim_end()))
        .collect();
    out.raw(&format!("{side_by_side}\n{text}"))
}

/// Seconds simulated per trial of the fit.
const TRIAL_S: f64 = 300.0;

/// Sizes the same placement for the trace and for its fit.
fn compare(
    args: &TrafficArgs,
    trace: &TrafficSource,
    model: &TrafficModel,
    recorded: &Trace,
) -> Result<FitComparison, CliError> {
    if let Some(rate_per_s) = args.rate_per_s {
        between(rate_per_s, "rate-per-s", 1e-9, 1e9)?;
    }
    between(args.ttft_s, "ttft-s", 1e-6, 3600.0)?;
    between(args.tpot_s, "tpot-s", 1e-6, 60.0)?;
    let catalogue = Catalogue::shipped().map_err(|e| CliError::bug(e.to_string()))?;
    let parameters = simulate::parameters(None)?;
    let rate_per_s = args.rate_per_s.unwrap_or(model.rate_per_s);
    let question = Question {
        rate_per_s,
        slo: SloSpec {
            ttft_s: args.ttft_s,
            tpot_s: args.tpot_s,
        },
        slo_share: 0.99,
        prices: Prices::of_kind(PriceBasis::Tco),
        faults: Faults::default(),
        trial_s: TRIAL_S,
        seed: 0,
        traffic_name: model.name.clone(),
        traffic: trace.clone(),
    };
    let spec = PoolSpec::new("fit", &args.serve, &args.chip, Plan::SINGLE, 1, &model.name);
    let possible = plans(&catalogue, &args.serve, &args.chip, &spec.precision, None)
        .map_err(|e| CliError::usage(e.to_string()))?;
    let placed = PlacedFit::new(&question, model, &spec, &possible, &catalogue, &parameters);
    Ok(FitComparison {
        figures: likeness(recorded, model),
        chips_of: format!(
            "{} on {} {} at {rate_per_s} requests/s, 99 % within TTFT {} s and TPOT {} s",
            args.serve, args.chip, placed.trace.plan, args.ttft_s, args.tpot_s
        ),
        placed,
    })
}

impl FitComparison {
    /// The table and the words around it.
    fn lines(&self) -> Vec<String> {
        let mut table = Table::new(&["trace and fit", "trace", "fit"]);
        for pair in &self.figures {
            table.row([pair.figure.clone(), figure(pair.trace), figure(pair.fit)]);
        }
        let chips = |p: &Placement| p.chips.map_or_else(super::table::dash, |n| n.to_string());
        let even = |p: &Placement| {
            let median = p.spread.and_then(|s| s.median);
            median.map_or_else(super::table::dash, |c| c.chips.to_string())
        };
        table.row([
            "chips to buy".to_owned(),
            chips(&self.placed.trace),
            chips(&self.placed.fit),
        ]);
        table.row([
            "chips with even odds".to_owned(),
            even(&self.placed.trace),
            even(&self.placed.fit),
        ]);
        let mut lines = table.lines();
        lines.push(format!("chips: {} [modelled]", self.chips_of));
        for (side, p) in [("trace", &self.placed.trace), ("fit", &self.placed.fit)] {
            match seeds(p) {
                Some(seeds) => lines.push(format!("{side}: {seeds}")),
                None => lines.push(format!("{side}: {}", p.binds.words())),
            }
        }
        lines
    }
}

/// Reads a file as text, or says why not. Drops the byte order mark that spreadsheets write at the start:
/// it is not part of the first column's name.
pub fn read(path: &Path) -> Result<String, CliError> {
    let mut text = std::fs::read_to_string(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::InvalidData => CliError::usage(format!(
            "{} is no text in UTF-8; save it as such",
            path.display()
        )),
        _ => CliError::usage(format!("cannot read {}: {e}", path.display())),
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// Writes a file, or says why not.
pub fn write(path: &Path, text: &str) -> Result<(), CliError> {
    write_bytes(path, text.as_bytes())
}

/// Writes bytes to a file, or says why not.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    std::fs::write(path, bytes)
        .map_err(|e| CliError::failed(format!("cannot write {}: {e}", path.display())))
}

/// Reads and parses a trace.
pub fn read_trace(path: &Path, model: Option<&str>) -> Result<Trace, CliError> {
    let text = read(path)?;
    Trace::parse(&path.display().to_string(), &text, model)
        .map_err(|e| CliError::usage(e.to_string()))
}

/// Loads one traffic source by shipped name or file; relative paths are resolved in the folder of `base`.
pub fn load(name: &str, base: Option<&Path>) -> Result<TrafficSource, CliError> {
    if let Some(model) = TrafficModel::shipped(name) {
        let model = model.map_err(|e| CliError::bug(format!("shipped traffic {name}: {e}")))?;
        return Ok(TrafficSource::Model(model));
    }
    let path = file_of(name, base);
    if let Some(problem) = absent(name, &path) {
        return Err(CliError::usage(problem));
    }
    if path.extension().is_some_and(|e| e == "toml") {
        let text = read(&path)?;
        let model = TrafficModel::parse(&path.display().to_string(), &text)
            .map_err(|e| CliError::usage(e.to_string()))?;
        return Ok(TrafficSource::Model(model));
    }
    Ok(TrafficSource::Trace(read_trace(&path, None)?))
}

fn file_of(name: &str, base: Option<&Path>) -> PathBuf {
    base.map_or_else(|| PathBuf::from(name), |dir| dir.join(name))
}

/// Says what was looked for when a traffic's name is neither shipped nor a file.
fn absent(name: &str, path: &Path) -> Option<String> {
    if TrafficModel::shipped(name).is_some() || path.is_file() {
        return None;
    }
    let known = TrafficModel::SHIPPED.map(|(name, _)| name).join(", ");
    let found = if path.is_dir() {
        "is a directory, not a file"
    } else {
        "is no file"
    };
    Some(format!(
        "no traffic `{name}`: {} {found}, and shipped are {known}",
        path.display()
    ))
}

/// Loads the traffic of every pool of a scenario, each source once. `file` and `text` are the
/// scenario's, for errors.
pub fn load_all(
    scenario: &ServingScenario,
    file: &str,
    text: &str,
    base: Option<&Path>,
) -> Result<HashMap<String, TrafficSource>, CliError> {
    let mut loaded = HashMap::new();
    for (index, pool) in scenario.pool.iter().enumerate() {
        let name = &pool.traffic;
        if let Some(problem) = absent(name, &file_of(name, base)) {
            let field = format!("pool[{index}].traffic");
            let error = ServingScenario::error(file, text, &field, &problem);
            return Err(CliError::usage(error.to_string()));
        }
        if !loaded.contains_key(name) {
            loaded.insert(name.clone(), load(name, base)?);
        }
    }
    Ok(loaded)
}

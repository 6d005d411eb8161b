//! `rialto fleet traffic`: fits a generator to a trace; and loads traffic for the other commands.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::Args;
use rialto_fleet::cluster::{Scenario, TrafficSource};
use rialto_fleet::traffic::{Trace, TrafficModel, fit};

use crate::output::{CliError, Output};

/// Fits a traffic generator to a recorded trace and prints it as TOML.
#[derive(Debug, Args)]
pub struct TrafficArgs {
    /// The trace: Azure CSV, Mooncake JSON lines, or a request log.
    trace: PathBuf,
    /// Name of the generator; the file's name when absent.
    #[arg(long)]
    name: Option<String>,
    /// Where the trace comes from, kept in the generator.
    #[arg(long, default_value = "a recorded trace")]
    source: String,
    /// Only requests to this model (request logs).
    #[arg(long)]
    model: Option<String>,
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
    let model = fit(&trace, &name, &args.source);
    if out.is_json() {
        return out.json(&model);
    }
    let text = toml::to_string(&model).map_err(|e| CliError::bug(e.to_string()))?;
    out.raw(&text)
}

/// Reads a file, or says why not.
pub fn read(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path)
        .map_err(|e| CliError::usage(format!("cannot read {}: {e}", path.display())))
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

/// Loads one traffic source by shipped name or file; relative files are looked up beside `base`.
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
    scenario: &Scenario,
    file: &str,
    text: &str,
    base: Option<&Path>,
) -> Result<HashMap<String, TrafficSource>, CliError> {
    let mut loaded = HashMap::new();
    for (index, pool) in scenario.pool.iter().enumerate() {
        let name = &pool.traffic;
        if let Some(problem) = absent(name, &file_of(name, base)) {
            let field = format!("pool[{index}].traffic");
            let error = Scenario::error(file, text, field, problem);
            return Err(CliError::usage(error.to_string()));
        }
        if !loaded.contains_key(name) {
            loaded.insert(name.clone(), load(name, base)?);
        }
    }
    Ok(loaded)
}

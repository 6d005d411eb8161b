//! `rialto fleet traffic`: fits a generator to a trace; and loads traffic for the other commands.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::Args;
use rialto_fleet::cluster::TrafficSource;
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
    let path = base.map_or_else(|| PathBuf::from(name), |dir| dir.join(name));
    if !path.is_file() {
        let known = TrafficModel::SHIPPED.map(|(name, _)| name).join(", ");
        return Err(
            CliError::usage(format!("no traffic `{name}`: not a file, not shipped"))
                .hint(format!("shipped traffic: {known}")),
        );
    }
    if path.extension().is_some_and(|e| e == "toml") {
        let text = read(&path)?;
        let model = TrafficModel::parse(&path.display().to_string(), &text)
            .map_err(|e| CliError::usage(e.to_string()))?;
        return Ok(TrafficSource::Model(model));
    }
    Ok(TrafficSource::Trace(read_trace(&path, None)?))
}

/// Loads every named source once.
pub fn load_all<'a>(
    names: impl Iterator<Item = &'a str>,
    base: Option<&Path>,
) -> Result<HashMap<String, TrafficSource>, CliError> {
    let mut loaded = HashMap::new();
    for name in names {
        if !loaded.contains_key(name) {
            loaded.insert(name.to_owned(), load(name, base)?);
        }
    }
    Ok(loaded)
}

//! Domains on disk: found, read, checked, made.
//!
//! A JSON file is a domain in native form. A folder of XML files is a domain of Genius: one
//! negotiation_template and the utility_spaces beside it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use rialto_lab::negotiate::domain::{Domain, DomainError, MAX_FILE_BYTES};
use rialto_lab::negotiate::generate::{Shape, generate as make};
use rialto_lab::negotiate::genius::{self, Evaluations, Kind};
use rialto_lab::negotiate::native;
use rialto_lab::negotiate::tournament::NegotiationScenario;
use serde::Serialize;

use crate::output::{CliError, Output};

/// The most files read at once, and how deep folders are looked through.
const MAX_FILES: usize = 10_000;
const MAX_DEPTH: usize = 8;

/// How evaluations in Genius files are read.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Reading {
    /// Multiplied with the weight as written, like NegMAS.
    #[default]
    AsWritten,
    /// Divided by the issue's greatest first, like Genius.
    ByMax,
}

impl From<Reading> for Evaluations {
    fn from(reading: Reading) -> Self {
        match reading {
            Reading::AsWritten => Self::AsWritten,
            Reading::ByMax => Self::ByMax,
        }
    }
}

/// Generated domains, as `SHAPE:COUNT:SEED`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch {
    shape: Shape,
    count: u64,
    seed: u64,
}

impl std::str::FromStr for Batch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(':').collect();
        let [shape, count, seed] = parts[..] else {
            return Err("write SHAPE:COUNT:SEED, as in medium:100:1".to_owned());
        };
        let number = |text: &str| text.parse::<u64>().map_err(|e| format!("\"{text}\": {e}"));
        let (count, seed) = (number(count)?, number(seed)?);
        if !(1..=100_000).contains(&count) {
            return Err(format!("{count} domains; 1 to 100000 can be made"));
        }
        Ok(Self {
            shape: shape.parse()?,
            count,
            seed,
        })
    }
}

impl Batch {
    /// The seeds of its domains.
    fn seeds(self) -> impl Iterator<Item = u64> {
        (0..self.count).map(move |i| self.seed.wrapping_add(i))
    }
}

/// Where domains come from.
#[derive(Debug, Args)]
pub(crate) struct Sources {
    /// Domains: JSON files, and folders that are searched for them.
    #[arg(value_name = "DIR")]
    paths: Vec<PathBuf>,
    /// Domains made from a seed, as SHAPE:COUNT:SEED; may be given several times.
    #[arg(long, value_name = "SHAPE:COUNT:SEED")]
    generated: Vec<Batch>,
    /// How evaluations in Genius files are read.
    #[arg(long, value_enum, default_value_t)]
    evaluations: Reading,
}

impl Sources {
    /// All scenarios.
    pub(super) fn scenarios(&self) -> Result<Vec<NegotiationScenario>, CliError> {
        let mut scenarios = Vec::new();
        for path in &self.paths {
            for domain in read(path, self.evaluations)? {
                scenarios.extend(NegotiationScenario::of(&domain));
            }
        }
        for batch in &self.generated {
            for seed in batch.seeds() {
                let domain = Domain::build(&make(batch.shape, seed))
                    .map_err(|fault| CliError::bug(fault.message))?;
                scenarios.extend(NegotiationScenario::of(&domain));
            }
        }
        if scenarios.is_empty() {
            return Err(CliError::usage("no domain is given")
                .hint("name a folder, as examples/domains, or add --generated medium:100:1"));
        }
        Ok(scenarios)
    }
}

/// Reads every domain of a file or a folder, in the order of their names.
pub(crate) fn read(path: &Path, reading: Reading) -> Result<Vec<Domain>, CliError> {
    let mut files = Vec::new();
    find(path, 0, &mut files)?;
    files.sort();
    let mut domains = Vec::new();
    let mut folders: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    for file in files {
        if file.extension().is_some_and(|e| e == "xml") {
            let folder = file.parent().unwrap_or(Path::new("")).to_owned();
            folders.entry(folder).or_default().push(file);
        } else {
            let text = text_of(&file)?;
            domains.push(native::parse(&file.display().to_string(), &text).map_err(|e| wrong(&e))?);
        }
    }
    for (folder, files) in folders {
        domains.push(genius_folder(&folder, &files, reading)?);
    }
    if domains.is_empty() {
        let message = format!("{} holds no domain", path.display());
        return Err(
            CliError::usage(message).hint("a domain is a .json file or a folder of .xml files")
        );
    }
    Ok(domains)
}

/// A fault in a file, as the command line says it.
pub(super) fn wrong(error: &DomainError) -> CliError {
    CliError::usage(error.to_string()).hint("docs/negotiation.md describes both forms of a domain")
}

fn find(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), CliError> {
    let failed =
        |e: std::io::Error| CliError::usage(format!("cannot read {}: {e}", path.display()));
    if !std::fs::metadata(path).map_err(failed)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    if depth > MAX_DEPTH {
        let message = format!("{} lies more than {MAX_DEPTH} folders deep", path.display());
        return Err(CliError::usage(message));
    }
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?.path();
        let known = entry.extension().is_some_and(|e| e == "json" || e == "xml");
        if known || entry.is_dir() {
            find(&entry, depth + 1, files)?;
        }
        if files.len() > MAX_FILES {
            let message = format!("{} holds more than {MAX_FILES} files", path.display());
            return Err(CliError::usage(message));
        }
    }
    Ok(())
}

fn text_of(file: &Path) -> Result<String, CliError> {
    let failed =
        |e: std::io::Error| CliError::usage(format!("cannot read {}: {e}", file.display()));
    let length = std::fs::metadata(file).map_err(failed)?.len();
    if length > MAX_FILE_BYTES as u64 {
        let name = file.display();
        let message = format!("{name}: the file has {length} bytes; the most is {MAX_FILE_BYTES}");
        return Err(CliError::usage(message));
    }
    std::fs::read_to_string(file).map_err(failed)
}

fn genius_folder(folder: &Path, files: &[PathBuf], reading: Reading) -> Result<Domain, CliError> {
    let mut template = None;
    let mut profiles = Vec::new();
    for file in files {
        let text = text_of(file)?;
        let name = file.display().to_string();
        match genius::kind(&text) {
            Kind::Template if template.is_none() => template = Some((name, text)),
            Kind::Template => {
                let message = format!("{name}: the folder has a second negotiation_template");
                return Err(
                    CliError::usage(message).hint("put each domain into a folder of its own")
                );
            }
            Kind::Profile => profiles.push((name, text)),
            Kind::Other => {
                let message = format!(
                    "{name}: the file is neither a negotiation_template nor a utility_space"
                );
                return Err(CliError::usage(message));
            }
        }
    }
    let Some((name, text)) = &template else {
        let message = format!("{} has no negotiation_template", folder.display());
        return Err(
            CliError::usage(message).hint("name the folder that holds template and profiles")
        );
    };
    let profiles: Vec<(&str, &str)> = profiles
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let title = folder
        .file_name()
        .unwrap_or(folder.as_os_str())
        .to_string_lossy();
    genius::parse(&title, (name, text), &profiles, reading.into()).map_err(|e| wrong(&e))
}

/// Checks domains.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    sources: Sources,
}

/// What a scenario allows.
#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    outcomes: usize,
    issues: usize,
    reservation: [f64; 2],
    discount: [f64; 2],
    #[serde(flatten)]
    analysis: &'a rialto_lab::negotiate::analysis::Analysis,
    pareto: usize,
}

pub(super) fn check(args: &CheckArgs, out: Output) -> Result<(), CliError> {
    let scenarios = args.sources.scenarios()?;
    let row = |s: &'_ NegotiationScenario| -> Result<(), CliError> {
        let a = &s.analysis;
        out.line(format!(
            "{:30} {:>8} {:>6} {:>9.3} {:>7} {:>12} {:>12}",
            s.name,
            s.sides[0].space.len(),
            a.pareto.len(),
            a.opposition,
            a.rational,
            format!("{:.2} {:.2}", a.nash[0], a.nash[1]),
            format!("{:.2} {:.2}", a.kalai[0], a.kalai[1]),
        ))
    };
    let rows: Vec<Row<'_>> = scenarios
        .iter()
        .map(|s| Row {
            name: &s.name,
            outcomes: s.sides[0].space.len(),
            issues: s.sides[0].space.issues().len(),
            reservation: [0, 1].map(|i| s.sides[i].wishes.reservation()),
            discount: [0, 1].map(|i| s.sides[i].wishes.discount()),
            pareto: s.analysis.pareto.len(),
            analysis: &s.analysis,
        })
        .collect();
    out.json(&rows)?;
    out.line(format!(
        "{:30} {:>8} {:>6} {:>9} {:>7} {:>12} {:>12}",
        "DOMAIN", "OUTCOMES", "PARETO", "OPPOSED", "BETTER", "NASH", "KALAI"
    ))?;
    scenarios.iter().try_for_each(row)
}

/// Writes generated domains.
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// What to generate: SHAPE:COUNT:SEED, where SHAPE is small, medium, opposed, pressed, trade,
    /// bundles, switches or steep.
    #[arg(value_name = "SHAPE:COUNT:SEED")]
    batch: Batch,
    /// The folder to write to; created if it is missing.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(super) fn generate(args: &GenerateArgs, out: Output) -> Result<(), CliError> {
    let folder = &args.folder;
    std::fs::create_dir_all(folder)
        .map_err(|e| CliError::failed(format!("cannot create {}: {e}", folder.display())))?;
    let mut files = Vec::new();
    for seed in args.batch.seeds() {
        let spec = make(args.batch.shape, seed);
        let text = native::write(&spec).map_err(|e| CliError::bug(e.to_string()))?;
        let file = folder.join(format!("{}.json", spec.name));
        write(&file, &text)?;
        files.push(file.display().to_string());
    }
    out.json(&files)?;
    out.line(format!("{} domains in {}", files.len(), folder.display()))
}

/// Writes a file.
pub(crate) fn write(file: &Path, text: &str) -> Result<(), CliError> {
    std::fs::write(file, text)
        .map_err(|e| CliError::failed(format!("cannot write {}: {e}", file.display())))
}

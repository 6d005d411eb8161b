//! `rialto fleet catalogue`: chips, nodes, fabrics, models and number formats with their sources.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use rialto_fleet::catalogue::{Catalogue, CatalogueError, Chip, Model};

use super::table::{self, Table};
use crate::output::{CliError, Output};

/// Shows what the fleet is made of, every number with its source.
#[derive(Debug, Args)]
pub struct CatalogueArgs {
    /// The table to show.
    #[arg(value_enum, default_value_t = Kind::Chips)]
    kind: Kind,
    /// Show only the entry with this name or alias, in full.
    name: Option<String>,
    /// Files that add entries to the shipped catalogue or replace them: TOML, or a table of chips (.csv).
    #[arg(long = "catalogue")]
    catalogues: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Chips,
    Nodes,
    Fabrics,
    Models,
    Precisions,
}

/// The shipped catalogue; entries of the user's files are added or replace shipped ones.
pub(super) fn load(paths: &[PathBuf]) -> Result<Catalogue, CliError> {
    let mut catalogue = Catalogue::shipped().map_err(|e| CliError::bug(e.to_string()))?;
    for path in paths {
        let text = table::read(path)?;
        let added = catalogue.add(&path.display().to_string(), &text);
        added.map_err(|e| CliError::usage(e.to_string()))?;
    }
    Ok(catalogue)
}

/// Runs the command.
pub fn run(args: &CatalogueArgs, out: Output) -> Result<(), CliError> {
    let catalogue = load(&args.catalogues)?;
    match &args.name {
        Some(name) => one(&catalogue, args.kind, name, out),
        None => list(&catalogue, args.kind, out),
    }
}

/// One entry as TOML, which is also the form a user's file takes.
fn one(catalogue: &Catalogue, kind: Kind, name: &str, out: Output) -> Result<(), CliError> {
    match kind {
        Kind::Chips => entry(catalogue.chip(name), out),
        Kind::Nodes => entry(catalogue.node(name), out),
        Kind::Fabrics => entry(catalogue.fabric(name), out),
        Kind::Models => entry(catalogue.model(name), out),
        Kind::Precisions => entry(catalogue.precision(name), out),
    }
}

fn entry<T: serde::Serialize>(
    found: Result<&T, CatalogueError>,
    out: Output,
) -> Result<(), CliError> {
    let found = found.map_err(|e| CliError::usage(e.to_string()))?;
    out.json(found)?;
    let text = toml::to_string(found).map_err(|e| CliError::bug(e.to_string()))?;
    out.line(text.trim_end())
}

fn list(catalogue: &Catalogue, kind: Kind, out: Output) -> Result<(), CliError> {
    match kind {
        Kind::Chips => {
            out.json(&catalogue.chips)?;
            chips(&catalogue.chips, out)
        }
        Kind::Models => {
            out.json(&catalogue.models)?;
            models(&catalogue.models, out)
        }
        Kind::Nodes => {
            out.json(&catalogue.nodes)?;
            let mut t = Table::new(&["node", "chip", "chips", "scale-up domain", "fabric"]);
            for n in &catalogue.nodes {
                let counts = [n.chips.to_string(), n.scaleup_domain_chips.to_string()];
                let [chips, domain] = counts;
                t.row([
                    n.name.clone(),
                    n.chip.clone(),
                    chips,
                    domain,
                    n.fabric.clone(),
                ]);
            }
            t.print(out, "Nodes", "Sources: rialto fleet catalogue nodes NAME.")
        }
        Kind::Fabrics => {
            out.json(&catalogue.fabrics)?;
            let mut t = Table::new(&["fabric", "latency us"]);
            for f in &catalogue.fabrics {
                t.row([f.name.clone(), f.latency_us.to_string()]);
            }
            t.print(
                out,
                "Fabrics",
                "Sources: rialto fleet catalogue fabrics NAME.",
            )
        }
        Kind::Precisions => {
            out.json(&catalogue.precisions)?;
            let mut t = Table::new(&["precision", "linear bits", "expert bits", "cache bits"]);
            for p in &catalogue.precisions {
                let bits = [p.linear_bits, p.expert_bits, p.kv_bits].map(|b| b.to_string());
                t.row(std::iter::once(p.name.clone()).chain(bits));
            }
            t.print(
                out,
                "Number formats",
                "Sources: rialto fleet catalogue precisions NAME.",
            )
        }
    }
}

fn chips(chips: &[Chip], out: Output) -> Result<(), CliError> {
    let heads = [
        "chip",
        "BF16 TF/s",
        "FP8 TF/s",
        "FP4 TF/s",
        "GB",
        "TB/s",
        "link GB/s",
        "domain",
        "W",
        "$/h on demand",
        "$/h block",
        "$/h rent",
        "$/h TCO",
    ];
    let mut t = Table::new(&heads);
    let optional = |x: Option<f64>| x.map_or("-".to_owned(), |x| x.to_string());
    for c in chips {
        t.row([
            c.name.clone(),
            c.bf16_tflops.to_string(),
            optional(c.fp8_tflops),
            optional(c.fp4_tflops),
            format!("{:.0}", c.memory_gb),
            c.memory_tb_s.to_string(),
            c.scaleup_gb_s.to_string(),
            c.scaleup_domain_chips.to_string(),
            optional(c.tdp_w),
            optional(c.on_demand_usd_per_hour),
            optional(c.capacity_block_usd_per_hour),
            optional(c.rent_usd_per_hour),
            optional(c.tco_usd_per_hour),
        ]);
    }
    t.print(
        out,
        "Chips, dense peaks and prices a chip-hour",
        "Sources and confidence: rialto fleet catalogue chips NAME.",
    )
}

fn models(models: &[Model], out: Output) -> Result<(), CliError> {
    let mut t = Table::new(&[
        "model", "layers", "hidden", "heads", "kv heads", "total B", "active B",
    ]);
    for m in models {
        t.row([
            m.name.clone(),
            m.layers.to_string(),
            m.hidden.to_string(),
            m.heads().to_string(),
            m.kv_heads().to_string(),
            m.params_total_b.to_string(),
            m.params_active_b.to_string(),
        ]);
    }
    t.print(
        out,
        "Models",
        "Sources and confidence: rialto fleet catalogue models NAME.",
    )
}

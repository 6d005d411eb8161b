//! `rialto fleet validate`: compares forecasts with measurements and reports how far off they are.

use std::path::PathBuf;

use clap::Args;
use rialto_calibration::{Accuracy, AccuracyReport, PointFile, Row, read_points, validate};
use rialto_fleet::catalogue::Catalogue;

use super::table::{self, Table};
use super::{catalogue, simulate};
use crate::output::{CliError, Output};

/// Forecasts every measured point of the files and reports how far off the forecasts are.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// Files of measured points (.csv), as docs/fleet/accuracy.md describes them.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// A file of fitted parameters, as `rialto fleet calibrate` writes it; the shipped parameters if not
    /// given.
    #[arg(long)]
    parameters: Option<PathBuf>,
    /// Files that add entries to the shipped catalogue or replace them: TOML, or a table of chips (.csv).
    #[arg(long = "catalogue")]
    catalogues: Vec<PathBuf>,
    /// Also print a line for every point, after the summary (JSON always holds every point).
    #[arg(long)]
    points: bool,
}

/// Reads files of measured points.
pub(super) fn read(catalogue: &Catalogue, files: &[PathBuf]) -> Result<Vec<PointFile>, CliError> {
    let one = |path: &PathBuf| {
        let text = table::read(path)?;
        let read = read_points(catalogue, &path.display().to_string(), &text);
        read.map_err(|e| CliError::usage(e.to_string()))
    };
    files.iter().map(one).collect()
}

/// Runs the command.
pub fn run(args: &ValidateArgs, out: Output) -> Result<(), CliError> {
    let catalogue = catalogue::load(&args.catalogues)?;
    let parameters = simulate::parameters(args.parameters.as_deref())?;
    let files = read(&catalogue, &args.files)?;
    let report = validate(&files, &parameters);
    out.json(&report)?;
    let origin = format!(
        "Modelled; parameters fitted on {}. Inside: share of measurements in the 80 % interval. \
         Throughput is worked out from the two times by the closed loop's law where a file does \
         not give it.",
        report.fitted_on
    );
    accuracy(&report.accuracy, "Accuracy", &origin, out)?;
    if args.points {
        points(&report.rows, out)?;
    }
    skipped(&report, out)
}

fn points(rows: &[Row], out: Output) -> Result<(), CliError> {
    let heads = [
        "point", "line", "figure", "forecast", "low", "high", "measured", "error %", "",
    ];
    let mut t = Table::new(&heads);
    for r in rows {
        let number = |x: f64| {
            if x < 1000.0 {
                format!("{x:.2}")
            } else {
                format!("{x:.0}")
            }
        };
        let f = &r.forecast;
        t.row([
            r.id.clone(),
            r.line.to_string(),
            r.figure.to_owned(),
            number(f.value),
            number(f.low),
            number(f.high),
            number(r.measured),
            format!("{:+.1}", r.error_percent),
            if r.extrapolation.is_some() {
                "extrapolated".to_owned()
            } else {
                String::new()
            },
        ]);
    }
    t.print(
        out,
        "Points",
        "Low and high: 80 % interval from cross-validation.",
    )
}

fn skipped(report: &AccuracyReport, out: Output) -> Result<(), CliError> {
    if report.skipped.is_empty() {
        return Ok(());
    }
    let mut t = Table::new(&["skipped", "line", "reason"]);
    for s in &report.skipped {
        t.row([s.id.clone(), s.line.to_string(), s.reason.clone()]);
    }
    t.print(out, &format!("Skipped: {} rows", report.skipped.len()), "")
}

/// Prints accuracies as one table.
pub(super) fn accuracy(
    rows: &[Accuracy],
    title: &str,
    origin: &str,
    out: Output,
) -> Result<(), CliError> {
    let mut t = Table::new(&["by", "figure", "points", "MAPE %", "median %", "inside %"]);
    for a in rows {
        t.row([
            a.by.clone(),
            a.figure.to_owned(),
            a.points.to_string(),
            format!("{:.1}", a.mape_percent),
            format!("{:.1}", a.median_percent),
            format!("{:.0}", a.inside_percent),
        ]);
    }
    t.print(out, title, origin)
}

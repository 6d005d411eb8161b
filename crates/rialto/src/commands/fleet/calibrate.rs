//! `rialto fleet calibrate`: fits the serving model's parameters to measured points.

use std::path::{Path, PathBuf};

use clap::Args;
use rialto_calibration::{
    Accuracy, CallsError, Grouping, Point, calibrate, cross_validate, read_calls, unseen_accuracy,
    update_from_calls,
};
use rialto_fleet::catalogue::Catalogue;
use rialto_fleet::step::Parameters;
use rialto_fleet::traffic::CallBasis;
use serde::Serialize;

use super::table::Table;
use super::{catalogue, simulate, traffic, validate};
use crate::output::{CliError, Output};

/// Fits the serving model to measured points and reports how wrong it is on points that it has not seen.
#[derive(Debug, Args)]
pub struct CalibrateArgs {
    /// Files of measured points (.csv), as docs/fleet/accuracy.md describes them.
    #[arg(required_unless_present = "from_log", conflicts_with = "from_log")]
    files: Vec<PathBuf>,
    /// Instead of fitting, update fitted parameters from a gateway's log of calls (JSON lines).
    #[arg(long, value_name = "FILE")]
    from_log: Option<PathBuf>,
    /// The parameters that --from-log updates; the shipped ones if not given.
    #[arg(long, requires = "from_log")]
    parameters: Option<PathBuf>,
    /// Write the fitted parameters to this file (.toml); an existing file is replaced.
    #[arg(long)]
    out: PathBuf,
    /// Files that add entries to the shipped catalogue or replace them: TOML, or a table of chips (.csv).
    #[arg(long = "catalogue")]
    catalogues: Vec<PathBuf>,
}

/// Accuracy on groups of points that a fit never saw.
#[derive(Debug, Serialize)]
struct Unseen {
    grouping: Grouping,
    groups: usize,
    folds: usize,
    accuracy: Vec<Accuracy>,
}

/// Runs the command.
pub fn run(args: &CalibrateArgs, out: Output) -> Result<(), CliError> {
    let catalogue = catalogue::load(&args.catalogues)?;
    if let Some(log) = &args.from_log {
        return from_log(args, log, &catalogue, out);
    }
    let files = validate::read(&catalogue, &args.files)?;
    let points: Vec<&Point> = files.iter().flat_map(|f| &f.points).collect();
    if points.is_empty() {
        let hint = "the reasons are listed by `rialto fleet validate`";
        return Err(CliError::usage("no row of the files can be used").hint(hint));
    }
    let names = args.files.iter().filter_map(|f| f.file_name());
    let names: Vec<_> = names.map(|n| n.to_string_lossy()).collect();
    let fitted_on = format!("{} points of {}", points.len(), names.join(", "));
    let groupings = [
        Grouping::Written,
        Grouping::Combination,
        Grouping::ModelChip,
        Grouping::Point,
    ];
    let bar = out.progress("cross-validating", groupings.len() as u64 + 1);
    let [written, combination, model_chip, point] = groupings.map(|grouping| {
        let validated = cross_validate(&points, grouping);
        bar.inc(1);
        validated
    });
    let parameters = calibrate(&points, &combination, &point, &fitted_on);
    bar.finish_and_clear();
    write(&args.out, &parameters)?;
    let unseen: Vec<Unseen> = [written, combination, model_chip, point]
        .into_iter()
        .map(|v| Unseen {
            accuracy: unseen_accuracy(&points, &v, &parameters),
            grouping: v.grouping,
            groups: v.groups,
            folds: v.folds,
        })
        .collect();
    out.json(&unseen)?;
    for u in &unseen {
        let what = match u.grouping {
            Grouping::Combination => "model, chip, engine and precision",
            Grouping::ModelChip => "model and chip",
            Grouping::Written => "model, system, backend and precision as written",
            Grouping::Point => {
                "single points, chosen at random: the rest of their group is in the fit"
            }
        };
        let origin = format!("{} groups, left out whole, in {} folds.", u.groups, u.folds);
        // The first comes closest to unseen hardware and is printed in full; of the others only the totals.
        let sums = |a: &&Accuracy| {
            !["chip ", "model ", "engine "]
                .iter()
                .any(|k| a.by.starts_with(k))
        };
        let rows: Vec<Accuracy> = if u.grouping == Grouping::Written {
            u.accuracy.clone()
        } else {
            u.accuracy.iter().filter(sums).cloned().collect()
        };
        validate::accuracy(&rows, &format!("Unseen {what}"), &origin, out)?;
    }
    let shown = args.out.display();
    out.line(format!("\nwrote {shown}, fitted on {fitted_on}"))
}

fn write(path: &Path, parameters: &Parameters) -> Result<(), CliError> {
    let text = parameters
        .to_toml()
        .map_err(|e| CliError::bug(e.to_string()))?;
    traffic::write(path, &text)
}

/// Updates fitted parameters from a log of calls.
fn from_log(
    args: &CalibrateArgs,
    log: &Path,
    catalogue: &Catalogue,
    out: Output,
) -> Result<(), CliError> {
    let usage = |e: String| CliError::usage(e);
    let name = log.display().to_string();
    let calls = read_calls(&name, &traffic::read(log)?).map_err(|e| usage(e.to_string()))?;
    let parameters = simulate::parameters(args.parameters.as_deref())?;
    let file = log.file_name().unwrap_or_default().to_string_lossy();
    let update = update_from_calls(&calls, catalogue, &parameters, &file)
        .map_err(|e| usage(CallsError { file: name, ..e }.to_string()))?;
    write(&args.out, &update.parameters)?;
    out.json(&update.configurations)?;
    let heads = [
        "configuration",
        "calls",
        "basis",
        "TTFT x",
        "TPOT x",
        "TTFT MAPE %",
        "after",
        "TPOT MAPE %",
        "after",
    ];
    let mut t = Table::new(&heads);
    for c in &update.configurations {
        let percent = |x: f64| format!("{x:.1}");
        t.row([
            c.configuration.clone(),
            c.calls.to_string(),
            match c.basis {
                CallBasis::Measured => "measured",
                CallBasis::Modelled => "a twin's",
            }
            .to_owned(),
            format!("{:.3}", c.ttft_factor),
            format!("{:.3}", c.tpot_factor),
            percent(c.before.ttft_mape_percent),
            percent(c.after.ttft_mape_percent),
            percent(c.before.tpot_mape_percent),
            percent(c.after.tpot_mape_percent),
        ]);
    }
    let origin =
        "The errors are those on the calls of this log; on other calls they are probably larger.";
    t.print(out, "Before and after the log", origin)?;
    out.line(format!("\nwrote {}", args.out.display()))
}

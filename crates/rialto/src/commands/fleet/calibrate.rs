//! `rialto fleet calibrate`: fits the serving model's parameters on measured points.

use std::path::PathBuf;

use clap::Args;
use rialto_fleet::calibrate::{
    Accuracy, Grouping, Point, calibrate, cross_validate, unseen_accuracy,
};
use serde::Serialize;

use super::{catalogue, validate};
use crate::output::{CliError, Output};

/// Fits the serving model on measured points and says how wrong it is on unseen ones.
#[derive(Debug, Args)]
pub struct CalibrateArgs {
    /// Files of measured points (.csv), as docs/fleet/accuracy.md describes them.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Where to write the fitted parameters (.toml); an existing file is replaced.
    #[arg(long)]
    out: PathBuf,
    /// Catalogue files laid over the shipped one.
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
        Grouping::Combination,
        Grouping::ModelChip,
        Grouping::Written,
    ];
    let bar = out.progress("cross-validating", groupings.len() as u64 + 1);
    let [combination, model_chip, written] = groupings.map(|grouping| {
        let validated = cross_validate(&points, grouping);
        bar.inc(1);
        validated
    });
    let parameters = calibrate(&points, &combination, &fitted_on);
    bar.finish_and_clear();
    let text = parameters
        .to_toml()
        .map_err(|e| CliError::bug(e.to_string()))?;
    let shown = args.out.display();
    std::fs::write(&args.out, text)
        .map_err(|e| CliError::failed(format!("cannot write {shown}: {e}")))?;
    let unseen: Vec<Unseen> = [combination, model_chip, written]
        .into_iter()
        .map(|v| Unseen {
            accuracy: unseen_accuracy(&points, &v, &parameters.errors),
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
        };
        let origin = format!("{} groups, left out whole, in {} folds.", u.groups, u.folds);
        validate::accuracy(&u.accuracy, &format!("Unseen {what}"), &origin, out)?;
    }
    out.line(format!("\nwrote {shown}, fitted on {fitted_on}"))
}

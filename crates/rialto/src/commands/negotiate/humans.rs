//! `rialto negotiate humans`: strategies on the preferences of recorded human negotiations.

use std::path::PathBuf;

use clap::Args;
use rialto_lab::negotiate::people::{self, Compared};
use rialto_lab::negotiate::strategy::Spec;

use super::domains::{write, wrong};
use super::run::Until;
use super::strategy;
use crate::output::{CliError, Output};

/// What is compared.
#[derive(Debug, Args)]
pub(crate) struct HumansArgs {
    /// CaSiNo's outcomes: a table with each side's priorities and points.
    file: PathBuf,
    /// The strategies, each with itself; by default all named ones.
    #[arg(long, value_parser = strategy, value_delimiter = ',')]
    strategies: Vec<Spec>,
    #[command(flatten)]
    until: Until,
    /// The seed of all randomness.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write the comparison to this file.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

pub(super) fn run(args: &HumansArgs, out: Output) -> Result<(), CliError> {
    let deadline = args.until.deadline()?;
    if deadline.seconds.is_some() {
        return Err(CliError::usage(
            "people are compared by rounds: leave --seconds out",
        ));
    }
    let file = args.file.display().to_string();
    let text = std::fs::read_to_string(&args.file)
        .map_err(|e| CliError::usage(format!("cannot read {file}: {e}")))?;
    let talks = people::parse(&file, &text).map_err(|e| wrong(&e))?;
    let strategies = match args.strategies.is_empty() {
        true => Spec::all(),
        false => args.strategies.clone(),
    };
    let rows = people::compare(&talks, &strategies, deadline, args.seed);
    if let Some(file) = &args.csv {
        write(file, &csv(&rows))?;
    }
    out.json(&rows)?;
    out.line(format!(
        "{} negotiations, points of both sides together",
        talks.len()
    ))?;
    out.line(format!(
        "{:14} {:>16} {:>7} {:>12} {:>18}",
        "WHO", "JOINT", "AGREED", "OF POSSIBLE", "MORE THAN PEOPLE"
    ))?;
    for r in &rows {
        let joint = format!("{:.2} ±{:.2}", r.joint.mean, r.joint.error);
        let more = format!("{:+.2} ±{:.2}", r.more.mean, r.more.error);
        let share = 100.0 * r.of_possible;
        out.line(format!(
            "{:14} {joint:>16} {:>7.3} {share:>10.1} % {more:>18}",
            r.who, r.agreed
        ))?;
    }
    Ok(())
}

fn csv(rows: &[Compared]) -> String {
    let mut text = String::from("who,joint,joint_error,agreed,of_possible,more,more_error\n");
    for r in rows {
        text.push_str(&format!(
            "{},{},{},{},{},{},{}\n",
            r.who, r.joint.mean, r.joint.error, r.agreed, r.of_possible, r.more.mean, r.more.error
        ));
    }
    text
}

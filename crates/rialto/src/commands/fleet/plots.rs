//! Plots and files of a fleet report.

use std::fmt::Write as _;
use std::path::Path;

use rialto_fleet::cluster::{Fleet, Report, RunResult};

use super::traffic;
use crate::output::CliError;

/// Every request's outcome as CSV.
pub fn requests_csv(fleet: &Fleet, result: &RunResult) -> String {
    let mut text = String::from(
        "pool,number,arrival_s,input_tokens,output_tokens,queue_s,ttft_s,tpot_s,e2e_s,\
         preemptions,failures,provenance\n",
    );
    for (pool, outcomes) in fleet.pools.iter().zip(&result.pools) {
        for o in &outcomes.outcomes {
            let r = &o.job.request;
            let arrival_ps = r.arrival_ns * 1000;
            let since = |ps: u64| ps.saturating_sub(arrival_ps) as f64 * 1e-12;
            let decode_s = o.finished_ps.saturating_sub(o.job.first_token_ps) as f64 * 1e-12;
            let _ = writeln!(
                text,
                "{},{},{:.9},{},{},{:.9},{:.9},{:.9},{:.9},{},{},modelled",
                pool.spec.name,
                o.job.number,
                r.arrival_ns as f64 * 1e-9,
                r.input_tokens,
                r.output_tokens,
                since(o.job.scheduled_ps),
                since(o.job.first_token_ps),
                decode_s / f64::from(r.output_tokens.max(2) - 1),
                since(o.finished_ps),
                o.job.preemptions,
                o.job.failures,
            );
        }
    }
    text
}

/// Writes the report's files to a directory.
pub fn write_report(dir: &Path, report: &Report, _result: &RunResult) -> Result<(), CliError> {
    std::fs::create_dir_all(dir)
        .map_err(|e| CliError::failed(format!("cannot create {}: {e}", dir.display())))?;
    let json = serde_json::to_string_pretty(report).map_err(|e| CliError::bug(e.to_string()))?;
    traffic::write(&dir.join("report.json"), &json)
}

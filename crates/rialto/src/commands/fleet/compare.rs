//! `rialto fleet compare`: chips or plans side by side under the same traffic.

use clap::Args;
use rialto_fleet::cluster::PoolSpec;
use rialto_fleet::plan::{Placement, evaluate, size};
use rialto_fleet::step::Plan;
use serde::Serialize;

use super::plan::{HEADER, QuestionArgs, row};
use super::simulate;
use crate::output::{CliError, Output};

/// Compares chips or parallel plans under the same traffic and objective.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// Model.
    #[arg(long)]
    model: String,
    /// A candidate: CHIP or CHIP:tensor=8,pipeline=1,expert=1,data=1,precision=fp8,replicas=4.
    /// Without `replicas` it is sized to the objective. Give two or more.
    #[arg(long = "on", required = true)]
    on: Vec<String>,
    #[command(flatten)]
    question: QuestionArgs,
}

/// All candidates, in the order given.
#[derive(Debug, Serialize)]
struct CompareReport {
    provenance: &'static str,
    model: String,
    traffic: String,
    rate_per_s: f64,
    candidates: Vec<Placement>,
}

/// Runs `rialto fleet compare`.
pub fn run(args: &CompareArgs, out: Output) -> Result<(), CliError> {
    if args.on.len() < 2 {
        return Err(
            CliError::usage("one candidate leaves nothing to compare").hint(
                "give --on twice or more, such as --on trainium2:tensor=16 --on h100_sxm:tensor=8",
            ),
        );
    }
    let catalogue = args.question.catalogue()?;
    catalogue
        .model(&args.model)
        .map_err(|e| CliError::usage(e.to_string()))?;
    let parameters = simulate::parameters()?;
    let question = args.question.question()?;
    let mut specs = Vec::new();
    for text in &args.on {
        let (spec, sized) = candidate(&args.model, text, &question.traffic_name)?;
        catalogue
            .chip(&spec.chip)
            .map_err(|e| CliError::usage(e.to_string()))?;
        catalogue
            .precision(&spec.precision)
            .map_err(|e| CliError::usage(e.to_string()))?;
        specs.push((spec, sized));
    }
    let candidates = args
        .question
        .each(&specs, out, |(spec, replicas)| match replicas {
            Some(n) => evaluate(&question, spec, *n, &catalogue, &parameters),
            None => size(&question, spec, &catalogue, &parameters),
        })?;
    let report = CompareReport {
        provenance: "modelled",
        model: args.model.clone(),
        traffic: question.traffic_name.clone(),
        rate_per_s: question.rate_per_s,
        candidates,
    };
    out.json(&report)?;
    out.line(format!("{}: {}", args.model, args.question.line()))?;
    out.line(HEADER)?;
    for placement in &report.candidates {
        out.line(row(placement))?;
    }
    for p in report.candidates.iter().filter(|p| p.replicas.is_none()) {
        out.line(format!(
            "  {} {} {}: {}",
            p.chip,
            p.precision,
            p.plan,
            p.binds.words()
        ))?;
    }
    Ok(())
}

/// Reads one `--on`.
fn candidate(model: &str, text: &str, traffic: &str) -> Result<(PoolSpec, Option<u32>), CliError> {
    let (chip, settings) = text.split_once(':').unwrap_or((text, ""));
    let mut plan = Plan::SINGLE;
    let mut precision = "bf16".to_owned();
    let mut replicas = None;
    for setting in settings.split(',').filter(|s| !s.is_empty()) {
        let wrong = |what: &str| CliError::usage(format!("--on {text}: `{setting}` {what}"));
        let (name, value) = setting
            .split_once('=')
            .ok_or_else(|| wrong("is not NAME=VALUE"))?;
        if name == "precision" {
            value.clone_into(&mut precision);
            continue;
        }
        let number: u32 = value.parse().map_err(|_| wrong("needs a whole number"))?;
        if number == 0 {
            return Err(wrong("is zero; at least 1 is needed"));
        }
        match name {
            "tensor" => plan.tensor = number,
            "pipeline" => plan.pipeline = number,
            "expert" => plan.expert = number,
            "data" => plan.data = number,
            "replicas" => replicas = Some(number),
            _ => {
                return Err(wrong(
                    "is unknown; known are tensor, pipeline, expert, data, precision, replicas",
                ));
            }
        }
    }
    let mut spec = PoolSpec::new("compare", model, chip, plan, replicas.unwrap_or(1), traffic);
    spec.precision = precision;
    Ok((spec, replicas))
}

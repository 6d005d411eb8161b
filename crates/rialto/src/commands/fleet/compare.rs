//! `rialto fleet compare`: compares chips or parallel plans under the same traffic.

use clap::Args;
use rialto_fleet::catalogue::Catalogue;
use rialto_fleet::cluster::PoolSpec;
use rialto_fleet::plan::{
    Placement, Question, evaluate, evaluate_smallest, plans, size, size_cheapest,
};
use rialto_fleet::step::Plan;
use serde::Serialize;

use super::placements::{legend, notes, seeds, table};
use super::question::QuestionArgs;
use crate::output::{CliError, Output};

/// Compares chips or parallel plans under the same traffic and objective.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The model to serve.
    #[arg(long)]
    model: String,
    /// A candidate: CHIP or CHIP:tensor=8,pipeline=1,expert=1,data=1,precision=fp8,replicas=4. Without a
    /// parallel plan, the command takes the cheapest one, as `rialto fleet plan` would. Without `replicas`,
    /// it sizes the candidate to hold the objective with 80 % probability. Give two or more.
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
    /// The kinds of price that count, in words.
    price: String,
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
    let parameters = args.question.parameters()?;
    let candidates = candidates(args, &catalogue)?;
    let chips: Vec<String> = candidates
        .iter()
        .map(|(c, _)| c.spec.chip.clone())
        .collect();
    let models = std::slice::from_ref(&args.model);
    let question = args.question.question(models, &chips, &catalogue)?;
    let candidates = args.question.each(&candidates, out, |(c, possible)| {
        let (spec, p) = (&c.spec, &parameters);
        match (c.replicas, c.planned) {
            (Some(n), true) => evaluate(&question, spec, n, &catalogue, p),
            (Some(n), false) => evaluate_smallest(&question, spec, n, possible, &catalogue, p),
            (None, true) => size(&question, spec, &catalogue, p),
            (None, false) => size_cheapest(&question, spec, possible, &catalogue, p),
        }
    })?;
    let report = CompareReport {
        provenance: "modelled",
        model: args.model.clone(),
        traffic: question.traffic_name.clone(),
        rate_per_s: question.rate_per_s,
        price: question.prices.words(),
        candidates,
    };
    for placement in &report.candidates {
        args.question.accept_answer(&question, Some(placement))?;
    }
    out.json(&report)?;
    print(args, &question, &report, out)?;
    if report
        .candidates
        .iter()
        .all(|p| p.replicas.is_none() && p.spread.is_none())
    {
        let what = "no candidate can serve this traffic within the objective";
        return Err(CliError::failed(what).hint("the last column says why each candidate cannot"));
    }
    Ok(())
}

fn print(
    args: &CompareArgs,
    question: &Question,
    report: &CompareReport,
    out: Output,
) -> Result<(), CliError> {
    out.line(format!("{}: {}", args.model, args.question.line(question)))?;
    for line in table(report.candidates.iter()).lines() {
        out.line(format!("  {line}"))?;
    }
    legend(out)?;
    for p in &report.candidates {
        if let Some(seeds) = seeds(p) {
            out.line(format!("  {} {} {}: {seeds}", p.chip, p.precision, p.plan))?;
        }
    }
    notes(&report.candidates, out)
}

/// Every candidate with the parallel plans that it may use.
fn candidates(
    args: &CompareArgs,
    catalogue: &Catalogue,
) -> Result<Vec<(Candidate, Vec<Plan>)>, CliError> {
    let mut candidates = Vec::new();
    for text in &args.on {
        let candidate = candidate(&args.model, text)?;
        let (chip, precision) = (&candidate.spec.chip, &candidate.spec.precision);
        let most = args.question.max_replica_chips();
        let possible = plans(catalogue, &args.model, chip, precision, most)
            .map_err(|e| CliError::usage(e.to_string()))?;
        candidates.push((candidate, possible));
    }
    Ok(candidates)
}

/// One parsed `--on`.
struct Candidate {
    spec: PoolSpec,
    replicas: Option<u32>,
    /// Whether the user gave a parallel plan.
    planned: bool,
}

/// Reads one `--on`.
fn candidate(model: &str, text: &str) -> Result<Candidate, CliError> {
    let (chip, settings) = text.split_once(':').unwrap_or((text, ""));
    let mut plan = Plan::SINGLE;
    let mut precision = "bf16".to_owned();
    let mut replicas = None;
    let mut planned = false;
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
        planned |= name != "replicas";
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
    let mut spec = PoolSpec::new("compare", model, chip, plan, replicas.unwrap_or(1), "");
    spec.precision = precision;
    Ok(Candidate {
        spec,
        planned,
        replicas,
    })
}

//! `rialto fleet plan`: the cheapest placement that meets an objective.

use clap::Args;
use rialto_fleet::catalogue::Catalogue;
use rialto_fleet::cluster::PoolSpec;
use rialto_fleet::plan::{HOLDS_WITH, Placement, Question, TRIAL_SEEDS, plans, rank, size};
use rialto_fleet::step::Parameters;
use serde::Serialize;

use super::placements::{self, bought, table};
use super::question::QuestionArgs;
use crate::output::{CliError, Output};

/// Finds the cheapest placement (chip, number format, parallel plan, count) that holds an
/// objective with 80 % probability, and says which constraint binds.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The models to serve; each gets a placement of its own.
    #[arg(long, required = true, value_delimiter = ',')]
    model: Vec<String>,
    /// The chips to consider.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "trainium2,h100_sxm,h200_sxm,b200_sxm"
    )]
    chips: Vec<String>,
    /// The number formats to consider.
    #[arg(long, value_delimiter = ',', default_value = "bf16,fp8")]
    precision: Vec<String>,
    #[command(flatten)]
    question: QuestionArgs,
    /// How many placements to show for each model.
    #[arg(long, default_value_t = 8)]
    top: usize,
}

/// The best placements of one model.
#[derive(Debug, Serialize)]
struct ModelPlan {
    model: String,
    cheapest: Option<Placement>,
    placements: Vec<Placement>,
}

/// The whole answer.
#[derive(Debug, Serialize)]
struct PlanReport {
    provenance: &'static str,
    traffic: String,
    rate_per_s: f64,
    ttft_s: f64,
    tpot_s: f64,
    slo_share: f64,
    /// Probability with which a plan to buy holds the objective, given the forecast's error.
    holds_with: f64,
    seed: u64,
    seeds: u32,
    /// The kinds of price that count, in words.
    price: String,
    /// Chips asked for that have no price of these kinds: none of their placements can be the cheapest.
    without_price: Vec<String>,
    models: Vec<ModelPlan>,
}

/// Runs `rialto fleet plan`.
pub fn run(args: &PlanArgs, out: Output) -> Result<(), CliError> {
    let catalogue = args.question.catalogue()?;
    let parameters = args.question.parameters()?;
    let question = args
        .question
        .question(&args.model, &args.chips, &catalogue)?;
    let mut models = Vec::new();
    for model in &args.model {
        let placements = place(args, model, &question, &catalogue, &parameters, out)?;
        let cheapest = placements.first().filter(|p| p.replicas.is_some()).cloned();
        args.question.accept_answer(&question, cheapest.as_ref())?;
        models.push(ModelPlan {
            model: model.clone(),
            cheapest,
            placements,
        });
    }
    let report = PlanReport {
        provenance: "modelled",
        traffic: question.traffic_name.clone(),
        rate_per_s: question.rate_per_s,
        ttft_s: question.slo.ttft_s,
        tpot_s: question.slo.tpot_s,
        slo_share: question.slo_share,
        holds_with: HOLDS_WITH,
        seed: question.seed,
        seeds: TRIAL_SEEDS,
        price: question.prices.words(),
        without_price: without_price(&args.chips, &question, &catalogue),
        models,
    };
    out.json(&report)?;
    out.line(args.question.line(&question))?;
    if !report.without_price.is_empty() {
        out.line(format!(
            "no {} in the catalogue, so never the cheapest: {}",
            report.price,
            report.without_price.join(", ")
        ))?;
    }
    for plan in &report.models {
        print(plan, args.top, out)?;
    }
    Ok(())
}

/// The chips that have no price of the kinds that count.
fn without_price(chips: &[String], question: &Question, catalogue: &Catalogue) -> Vec<String> {
    let known = |name: &&String| {
        let chip = catalogue.chip(name);
        chip.is_ok_and(|c| question.prices.of(c).is_none())
    };
    chips.iter().filter(known).cloned().collect()
}

fn place(
    args: &PlanArgs,
    model: &str,
    question: &Question,
    catalogue: &Catalogue,
    parameters: &Parameters,
    out: Output,
) -> Result<Vec<Placement>, CliError> {
    let most = args.question.max_replica_chips();
    let mut specs = Vec::new();
    for chip in &args.chips {
        for precision in &args.precision {
            let plans = plans(catalogue, model, chip, precision, most)
                .map_err(|e| CliError::usage(e.to_string()))?;
            for plan in plans {
                let mut spec = PoolSpec::new("plan", model, chip, plan, 1, &question.traffic_name);
                spec.precision.clone_from(precision);
                specs.push(spec);
            }
        }
    }
    let mut placements = args.question.each(&specs, out, |spec| {
        size(question, spec, catalogue, parameters)
    })?;
    rank(&mut placements);
    Ok(placements)
}

/// The first rows, and the best row of every chip that is not among them, so that every chip asked for
/// appears.
fn shown_rows<'a>(sized: &[&'a Placement], top: usize) -> impl Iterator<Item = &'a Placement> {
    let mut seen: Vec<&str> = Vec::new();
    let mut rows = Vec::new();
    for (place, p) in sized.iter().enumerate() {
        let first_of_chip = !seen.contains(&p.chip.as_str());
        if first_of_chip {
            seen.push(&p.chip);
        }
        if place < top || first_of_chip {
            rows.push(*p);
        }
    }
    rows.into_iter()
}

fn print(plan: &ModelPlan, top: usize, out: Output) -> Result<(), CliError> {
    out.line(format!("\n{}", plan.model))?;
    match &plan.cheapest {
        Some(p) => {
            for line in bought(p) {
                out.line(format!("  {line}"))?;
            }
        }
        None => out.line(format!(
            "  no placement considered holds the objective with {} % probability",
            100.0 * HOLDS_WITH
        ))?,
    }
    let shown = |p: &&Placement| p.replicas.is_some() || p.spread.is_some();
    let (sized, rest): (Vec<&Placement>, Vec<&Placement>) = plan.placements.iter().partition(shown);
    if !sized.is_empty() {
        out.line("")?;
        for line in table(shown_rows(&sized, top)).lines() {
            out.line(format!("  {line}"))?;
        }
        placements::legend(out)?;
    }
    for p in rest.iter().take(top) {
        out.line(format!(
            "  no: {} {} {}: {}",
            p.chip,
            p.precision,
            p.plan,
            p.binds.words()
        ))?;
    }
    placements::notes(&plan.placements, out)
}

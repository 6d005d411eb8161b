//! `rialto fleet plan`: the cheapest placement that meets an objective.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Args;
use rialto_fleet::catalogue::Catalogue;
use rialto_fleet::cluster::{Faults, PoolSpec, SloSpec};
use rialto_fleet::plan::{Placement, PriceBasis, Question, plans, rank, size};
use rialto_fleet::step::Parameters;
use serde::Serialize;

use super::{simulate, traffic};
use crate::output::{CliError, Output};

/// Finds the cheapest placement (chip, number format, parallel plan, count) that meets an
/// objective, and says which constraint binds.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Models, each placed by itself.
    #[arg(long, required = true, value_delimiter = ',')]
    model: Vec<String>,
    /// Chips to consider.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "trainium2,h100_sxm,h200_sxm,b200_sxm"
    )]
    chips: Vec<String>,
    /// Number formats to consider.
    #[arg(long, value_delimiter = ',', default_value = "bf16,fp8")]
    precision: Vec<String>,
    /// Most chips of one replica.
    #[arg(long, default_value_t = 16)]
    max_replica_chips: u32,
    #[command(flatten)]
    question: QuestionArgs,
    /// Show this many placements per model.
    #[arg(long, default_value_t = 8)]
    top: usize,
}

/// Traffic, objective and price.
#[derive(Debug, Args)]
pub struct QuestionArgs {
    /// Shipped traffic, a traffic model (TOML) or a trace.
    #[arg(long, default_value = "azure-conv")]
    traffic: String,
    /// Requests a second in all.
    #[arg(long, default_value_t = 20.0)]
    rate_per_s: f64,
    /// Most seconds to the first token.
    #[arg(long, default_value_t = 1.0)]
    ttft_s: f64,
    /// Most seconds per later token.
    #[arg(long, default_value_t = 0.05)]
    tpot_s: f64,
    /// Share of requests that must meet both.
    #[arg(long, default_value_t = 0.99)]
    share: f64,
    /// Which price of a chip-hour counts.
    #[arg(long, value_enum, default_value_t = PriceArg::List)]
    price: PriceArg,
    #[command(flatten)]
    faults: FaultArgs,
    /// Seconds simulated per trial (generated traffic), fewer where they would hold more than 200,000
    /// requests.
    #[arg(long, default_value_t = 300.0)]
    trial_s: f64,
    /// Seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads; all cores when absent. The result does not depend on it.
    #[arg(long)]
    threads: Option<usize>,
    /// Further catalogue files: TOML, or a table of chips (.csv).
    #[arg(long)]
    catalogue: Vec<PathBuf>,
    /// Fitted parameters, as `rialto fleet calibrate` writes them; the shipped ones when absent.
    #[arg(long)]
    parameters: Option<PathBuf>,
}

/// What fails; spare replicas are added for it.
#[derive(Debug, Args)]
pub struct FaultArgs {
    /// Mean hours between failures of one chip; never when absent.
    #[arg(long, help_heading = "Failures")]
    chip_mtbf_h: Option<f64>,
    /// Mean hours until a failed chip is replaced.
    #[arg(long, default_value_t = 12.0, help_heading = "Failures")]
    chip_mttr_h: f64,
    /// Mean hours between failures of one node; never when absent.
    #[arg(long, help_heading = "Failures")]
    node_mtbf_h: Option<f64>,
    /// Mean hours until a failed node is back.
    #[arg(long, default_value_t = 6.0, help_heading = "Failures")]
    node_mttr_h: f64,
    /// Mean hours between failures of one rack (scale-up domain); never when absent.
    #[arg(long, help_heading = "Failures")]
    rack_mtbf_h: Option<f64>,
    /// Mean hours until a failed rack is back.
    #[arg(long, default_value_t = 4.0, help_heading = "Failures")]
    rack_mttr_h: f64,
    /// Seconds to load the model after a repair.
    #[arg(long, default_value_t = 240.0, help_heading = "Failures")]
    restart_s: f64,
}

impl FaultArgs {
    fn faults(&self) -> Result<Faults, CliError> {
        for (name, value) in [
            ("chip-mtbf-h", self.chip_mtbf_h),
            ("node-mtbf-h", self.node_mtbf_h),
            ("rack-mtbf-h", self.rack_mtbf_h),
        ] {
            value.map_or(Ok(()), |v| positive(v, name))?;
        }
        for (name, value) in [
            ("chip-mttr-h", self.chip_mttr_h),
            ("node-mttr-h", self.node_mttr_h),
            ("rack-mttr-h", self.rack_mttr_h),
            ("restart-s", self.restart_s),
        ] {
            positive(value, name)?;
        }
        Ok(Faults {
            chip_mtbf_h: self.chip_mtbf_h,
            chip_mttr_h: self.chip_mttr_h,
            node_mtbf_h: self.node_mtbf_h,
            node_mttr_h: self.node_mttr_h,
            rack_mtbf_h: self.rack_mtbf_h,
            rack_mttr_h: self.rack_mttr_h,
            restart_s: self.restart_s,
            ..Faults::default()
        })
    }
}

fn positive(value: f64, name: &str) -> Result<(), CliError> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(CliError::usage(format!(
        "--{name} is {value}; it must be above zero"
    )))
}

/// Which price of a chip-hour counts.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum PriceArg {
    /// List price.
    List,
    /// Three-year rent.
    Rent,
    /// Cost of ownership to a hyperscaler, by a third party's model.
    Tco,
}

impl PriceArg {
    fn words(self) -> &'static str {
        match self {
            Self::List => "list price",
            Self::Rent => "three-year rent",
            Self::Tco => "cost of ownership",
        }
    }
}

impl QuestionArgs {
    /// The question, with its traffic loaded.
    pub fn question(&self) -> Result<Question, CliError> {
        positive(self.rate_per_s, "rate-per-s")?;
        positive(self.ttft_s, "ttft-s")?;
        positive(self.tpot_s, "tpot-s")?;
        positive(self.trial_s, "trial-s")?;
        positive(self.share, "share")?;
        if self.share > 1.0 {
            return Err(CliError::usage(format!(
                "--share is {}; it is at most 1",
                self.share
            )));
        }
        Ok(Question {
            rate_per_s: self.rate_per_s,
            slo: SloSpec {
                ttft_s: self.ttft_s,
                tpot_s: self.tpot_s,
            },
            slo_share: self.share,
            price: match self.price {
                PriceArg::List => PriceBasis::List,
                PriceArg::Rent => PriceBasis::Rent,
                PriceArg::Tco => PriceBasis::Tco,
            },
            faults: self.faults.faults()?,
            trial_s: self.trial_s,
            seed: self.seed,
            traffic_name: self.traffic.clone(),
            traffic: traffic::load(&self.traffic, None)?,
        })
    }

    /// The catalogue asked for.
    pub fn catalogue(&self) -> Result<Catalogue, CliError> {
        simulate::catalogue(&self.catalogue)
    }

    /// The fitted parameters asked for.
    pub fn parameters(&self) -> Result<Parameters, CliError> {
        simulate::parameters(self.parameters.as_deref())
    }

    /// One line that states traffic and objective.
    pub fn line(&self) -> String {
        format!(
            "{} at {} requests/s; {} % within TTFT {} s and TPOT {} s; by {} [modelled]",
            self.traffic,
            self.rate_per_s,
            100.0 * self.share,
            self.ttft_s,
            self.tpot_s,
            self.price.words()
        )
    }

    /// Does `work` for every item on the threads asked for, with a progress bar; results keep the
    /// items' order.
    pub fn each<T: Sync, R: Send>(
        &self,
        items: &[T],
        out: Output,
        work: impl Fn(&T) -> R + Sync,
    ) -> Result<Vec<R>, CliError> {
        let bar = out.progress("placements", items.len() as u64);
        let next = AtomicUsize::new(0);
        let done: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(items.len()));
        let run = || {
            while let Some((index, item)) = {
                let index = next.fetch_add(1, Ordering::Relaxed);
                items.get(index).map(|item| (index, item))
            } {
                let result = work(item);
                bar.inc(1);
                if let Ok(mut done) = done.lock() {
                    done.push((index, result));
                }
            }
        };
        let threads = simulate::threads(self.threads)?;
        std::thread::scope(|scope| {
            for _ in 1..threads.min(items.len()) {
                scope.spawn(run);
            }
            run();
        });
        bar.finish_and_clear();
        let mut done = done.into_inner().unwrap_or_default();
        done.sort_unstable_by_key(|(index, _)| *index);
        Ok(done.into_iter().map(|(_, result)| result).collect())
    }
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
    price: PriceBasis,
    /// Chips asked for that the catalogue has no such price of: none of theirs can be the cheapest.
    without_price: Vec<String>,
    models: Vec<ModelPlan>,
}

/// Runs `rialto fleet plan`.
pub fn run(args: &PlanArgs, out: Output) -> Result<(), CliError> {
    let catalogue = args.question.catalogue()?;
    let parameters = args.question.parameters()?;
    let question = args.question.question()?;
    if args.max_replica_chips == 0 {
        return Err(CliError::usage(
            "--max-replica-chips is 0; at least 1 is needed",
        ));
    }
    let mut models = Vec::new();
    for model in &args.model {
        let placements = place(args, model, &question, &catalogue, &parameters, out)?;
        let cheapest = placements.first().filter(|p| p.replicas.is_some()).cloned();
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
        price: question.price,
        without_price: without_price(&args.chips, question.price, &catalogue),
        models,
    };
    out.json(&report)?;
    out.line(args.question.line())?;
    if !report.without_price.is_empty() {
        out.line(format!(
            "no {} in the catalogue, so never the cheapest: {}",
            args.question.price.words(),
            report.without_price.join(", ")
        ))?;
    }
    for plan in &report.models {
        print(plan, args.top, out)?;
    }
    Ok(())
}

/// The chips that have no price of a kind.
fn without_price(chips: &[String], price: PriceBasis, catalogue: &Catalogue) -> Vec<String> {
    let known = |name: &&String| catalogue.chip(name).is_ok_and(|c| price.of(c).is_none());
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
    let usage = |e: rialto_fleet::catalogue::CatalogueError| CliError::usage(e.to_string());
    let mut specs = Vec::new();
    for chip in &args.chips {
        for precision in &args.precision {
            catalogue.precision(precision).map_err(usage)?;
            for plan in plans(catalogue, model, chip, args.max_replica_chips).map_err(usage)? {
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

fn print(plan: &ModelPlan, top: usize, out: Output) -> Result<(), CliError> {
    out.line(format!("\n{}", plan.model))?;
    out.line(HEADER)?;
    let (sized, rest): (Vec<&Placement>, Vec<&Placement>) =
        plan.placements.iter().partition(|p| p.replicas.is_some());
    for p in sized.iter().take(top) {
        out.line(row(p))?;
    }
    match &plan.cheapest {
        Some(p) => out.line(format!(
            "  cheapest: {} {}, {}: {}; binds: {}",
            p.chip,
            p.precision,
            p.plan,
            count(p),
            p.binds.words()
        ))?,
        None => out.line("  nothing considered meets the objective")?,
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
    notes(&plan.placements, out)
}

/// `12 replicas x 4 chips = 48 chips (1 replica is a spare)`.
fn count(p: &Placement) -> String {
    let replicas = p.replicas.unwrap_or(0);
    let of = |n: u64, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    let mut text = format!(
        "{} x {} = {}",
        of(replicas.into(), "replica"),
        of(p.replica_chips.into(), "chip"),
        of(p.chips.unwrap_or(0), "chip"),
    );
    if let Some(share) = p.working_share {
        // Cut, not rounded: what is told is reached.
        let percent = (share * 1e4).floor() / 100.0;
        text.push_str(&format!(
            ", {} of the replicas spare, so that enough work {percent:.2} % of the time",
            p.spare_replicas
        ));
    }
    text
}

/// The error of the forecasts, once for each chip shown.
pub fn notes(placements: &[Placement], out: Output) -> Result<(), CliError> {
    let mut told: Vec<&str> = Vec::new();
    for p in placements.iter().filter(|p| p.replicas.is_some()) {
        if told.contains(&p.chip.as_str()) {
            continue;
        }
        told.push(&p.chip);
        if let Some(error) = &p.error {
            out.line(format!("  {}: {}", p.chip, error.words()))?;
        }
    }
    Ok(())
}

/// Column heads of [`row`].
pub const HEADER: &str = "  chip             format  plan                        replicas x chips = chips       \
     $/h    $/M out   TTFT p99   TPOT p99  tok/s/chip  J/tok  binds";

/// One placement as a table row.
pub fn row(p: &Placement) -> String {
    let Some(replicas) = p.replicas else {
        return format!(
            "  {:16} {:7} {:27} {:>24} {:>9} {:>10}  {:>9}  {:>9} {:>11} {:>6}  {}",
            p.chip,
            p.precision,
            p.plan,
            "-",
            "-",
            "-",
            "-",
            "-",
            "-",
            "-",
            p.binds.words()
        );
    };
    let money = |value: Option<f64>, digits: usize| {
        value.map_or_else(|| "no price".to_owned(), |v| format!("{v:.digits$}"))
    };
    let count = format!(
        "{replicas} x {} = {}",
        p.replica_chips,
        p.chips.unwrap_or(0)
    );
    format!(
        "  {:16} {:7} {:27} {:>24} {:>9} {:>10} {:>8.0}ms {:>8.1}ms {:>11.1} {:>6.2}  {}",
        p.chip,
        p.precision,
        p.plan,
        count,
        money(p.usd_per_hour, 2),
        money(p.usd_per_million_output_tokens, 3),
        p.ttft_p99_s * 1e3,
        p.tpot_p99_s * 1e3,
        p.output_tokens_per_s_per_chip,
        p.joules_per_output_token,
        p.binds.words(),
    )
}

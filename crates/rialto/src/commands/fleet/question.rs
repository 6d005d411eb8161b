//! The question that `plan` and `compare` share: traffic, objective, prices, failures.
//!
//! Holds the flags and their checks, the choice of prices, and the threads. The two commands give the
//! answers.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Args;
use rialto_fleet::catalogue::{Catalogue, Chip, Model};
use rialto_fleet::cluster::{Faults, SloSpec};
use rialto_fleet::echo::number;
use rialto_fleet::plan::{HOLDS_WITH, Placement, PriceBasis, Prices, Question, doubts, plan_doubt};
use rialto_fleet::step::Parameters;

use super::{simulate, traffic};
use crate::output::{CliError, Output};

/// Traffic, objective and price.
#[derive(Debug, Args)]
pub struct QuestionArgs {
    /// The traffic: a shipped one by name, or a file with a traffic model (TOML) or a trace.
    #[arg(long, default_value = "azure-conv")]
    traffic: String,
    /// Requests a second that all replicas serve together.
    #[arg(long, default_value_t = 20.0)]
    rate_per_s: f64,
    /// Longest time to first token (TTFT) that the objective allows, seconds.
    #[arg(long, default_value_t = 1.0)]
    ttft_s: f64,
    /// Longest time per output token after the first (TPOT) that the objective allows, seconds.
    #[arg(long, default_value_t = 0.05)]
    tpot_s: f64,
    /// Share of requests that must meet both limits.
    #[arg(long, default_value_t = 0.99)]
    share: f64,
    /// What a chip-hour costs: a kind of price in the catalogue (on_demand, capacity_block, rent, tco,
    /// list), or your own price as CHIP=DOLLARS, such as h100_sxm=2.90. Separate several with commas. One
    /// kind prices all chips; without this option, it is the first kind that they have in common. Several
    /// kinds, or own prices together with a kind, ask for a mix: your own price counts first, then the
    /// first kind that the chip has.
    #[arg(long, value_delimiter = ',', value_name = "KIND|CHIP=USD")]
    price: Vec<String>,
    /// Most chips that one replica may use. If not given: 16, or the whole scale-up domain (the chips
    /// joined by the fastest links) where the model does not fit on 16.
    #[arg(long)]
    max_replica_chips: Option<u32>,
    /// Answer even if the traffic, the rate or the number of chips looks like a mistake.
    #[arg(long)]
    accept_unusual: bool,
    #[command(flatten)]
    faults: FaultArgs,
    /// Seconds of generated traffic in each trial. A trial is shortened if it would hold more than 100,000
    /// requests, and lengthened if it would hold fewer than 4,000.
    #[arg(long, default_value_t = 300.0)]
    trial_s: f64,
    /// Seed of the first of five trials; the seeds of the others are derived from it. The answer is the
    /// median of the five.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Number of threads; one for each core if not given. The result does not depend on it.
    #[arg(long)]
    threads: Option<usize>,
    /// Files that add entries to the shipped catalogue or replace them: TOML, or a table of chips (.csv).
    #[arg(long)]
    catalogue: Vec<PathBuf>,
    /// A file of fitted parameters, as `rialto fleet calibrate` writes it; the shipped parameters if not
    /// given.
    #[arg(long)]
    parameters: Option<PathBuf>,
}

/// What fails. The plan adds spare replicas for it.
#[derive(Debug, Args)]
pub struct FaultArgs {
    /// Mean hours between failures of one chip; without it, chips never fail.
    #[arg(long, help_heading = "Failures")]
    chip_mtbf_h: Option<f64>,
    /// Mean hours until a failed chip is replaced.
    #[arg(long, default_value_t = 12.0, help_heading = "Failures")]
    chip_mttr_h: f64,
    /// Mean hours between failures of one node; without it, nodes never fail.
    #[arg(long, help_heading = "Failures")]
    node_mtbf_h: Option<f64>,
    /// Mean hours until a failed node is back.
    #[arg(long, default_value_t = 6.0, help_heading = "Failures")]
    node_mttr_h: f64,
    /// Mean hours between failures of one rack (scale-up domain); without it, racks never fail.
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
            value.map_or(Ok(()), |v| between(v, name, 1e-3, 1e9))?;
        }
        for (name, value) in [
            ("chip-mttr-h", self.chip_mttr_h),
            ("node-mttr-h", self.node_mttr_h),
            ("rack-mttr-h", self.rack_mttr_h),
            ("restart-s", self.restart_s),
        ] {
            between(value, name, 1e-6, 1e6)?;
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

/// Checks that a flag's figure is above zero.
pub fn positive(value: f64, name: &str) -> Result<(), CliError> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(CliError::usage(format!(
        "--{name} is {}; it must be above zero",
        number(value)
    )))
}

/// Checks that a flag's figure is above zero and from `low` to `high`; one outside is probably in another
/// unit.
pub fn between(value: f64, name: &str, low: f64, high: f64) -> Result<(), CliError> {
    positive(value, name)?;
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(CliError::usage(format!(
        "--{name} is {}; it must lie between {} and {}: check its unit",
        number(value),
        number(low),
        number(high)
    )))
}

/// The longest trial, seconds: a year.
const LONGEST_TRIAL_S: f64 = 366.0 * 86_400.0;

impl QuestionArgs {
    /// The question, with its traffic loaded, for these models and chips (names or aliases).
    pub fn question(
        &self,
        models: &[String],
        chips: &[String],
        catalogue: &Catalogue,
    ) -> Result<Question, CliError> {
        between(self.rate_per_s, "rate-per-s", 1e-9, 1e9)?;
        between(self.ttft_s, "ttft-s", 1e-6, 3600.0)?;
        between(self.tpot_s, "tpot-s", 1e-6, 60.0)?;
        between(self.trial_s, "trial-s", 1e-3, LONGEST_TRIAL_S)?;
        between(self.share, "share", 1e-3, 1.0)?;
        if self.max_replica_chips == Some(0) {
            return Err(CliError::usage(
                "--max-replica-chips is 0; at least 1 is needed",
            ));
        }
        let question = Question {
            rate_per_s: self.rate_per_s,
            slo: SloSpec {
                ttft_s: self.ttft_s,
                tpot_s: self.tpot_s,
            },
            slo_share: self.share,
            prices: self.prices(chips, catalogue)?,
            faults: self.faults.faults()?,
            trial_s: self.trial_s,
            seed: self.seed,
            traffic_name: self.traffic.clone(),
            traffic: traffic::load(&self.traffic, None)?,
        };
        for model in models {
            let model = catalogue.model(model).map_err(usage)?;
            self.accept(&self.doubts(&question, model))?;
        }
        Ok(question)
    }

    fn doubts(&self, question: &Question, model: &Model) -> Vec<String> {
        doubts(&question.traffic, question.rate_per_s, model)
    }

    /// Refuses a question or an answer that looks like a mistake, unless the user says that it is meant.
    fn accept(&self, doubts: &[String]) -> Result<(), CliError> {
        accept(doubts, self.accept_unusual, &self.traffic)
    }

    /// Refuses an answer that looks like a mistake, unless the user says that it is meant.
    pub fn accept_answer(
        &self,
        question: &Question,
        placement: Option<&Placement>,
    ) -> Result<(), CliError> {
        let doubt = placement.and_then(|p| plan_doubt(p, &question.traffic, question.rate_per_s));
        self.accept(doubt.as_slice())
    }

    /// The prices asked for; one kind for all chips unless a mix is asked for.
    fn prices(&self, chips: &[String], catalogue: &Catalogue) -> Result<Prices, CliError> {
        let mut of_question: Vec<&Chip> = Vec::new();
        for name in chips {
            of_question.push(catalogue.chip(name).map_err(usage)?);
        }
        let (mut bases, mut own) = (Vec::new(), Vec::<(String, f64)>::new());
        for text in self.price.iter().map(|text| text.trim()) {
            let Some((name, usd)) = text.split_once('=') else {
                bases.push(basis(text)?);
                continue;
            };
            let chip = catalogue.chip(name.trim()).map_err(usage)?.name.clone();
            let usd = usd.trim().trim_start_matches('$').parse().map_err(|_| {
                CliError::usage(format!(
                    "--price {text}: `{usd}` is not a number of dollars"
                ))
                .hint("give dollars a chip-hour, such as --price h100_sxm=2.90")
            })?;
            if own.iter().any(|(known, _)| *known == chip) {
                return Err(CliError::usage(format!(
                    "--price gives {chip} two prices; give one"
                )));
            }
            own.push((chip, usd));
        }
        Prices::choose(&of_question, &bases, &own).map_err(|why| {
            CliError::usage(why).hint(
                "name a kind that counts for all (chips without it are then never the cheapest), such as \
                 --price tco; or give your own, --price h100_sxm=2.90,trainium2=1.50; or ask for a mix, \
                 --price capacity_block,rent",
            )
        })
    }

    /// The most chips of a replica, if the user limits them.
    pub fn max_replica_chips(&self) -> Option<u32> {
        self.max_replica_chips
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
    pub fn line(&self, question: &Question) -> String {
        format!(
            "{} at {} requests/s; {} % within TTFT {} s and TPOT {} s, held with {} %; priced by {} \
             [modelled]",
            self.traffic,
            self.rate_per_s,
            100.0 * self.share,
            self.ttft_s,
            self.tpot_s,
            100.0 * HOLDS_WITH,
            question.prices.words()
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

/// Refuses what looks like a mistake, unless the user says that it is meant. `source` is the traffic's
/// name.
pub fn accept(doubts: &[String], unusual: bool, source: &str) -> Result<(), CliError> {
    if unusual || doubts.is_empty() {
        return Ok(());
    }
    let what = format!("{source}: this looks like a mistake: {}", doubts.join("; "));
    Err(CliError::usage(what).hint("if you mean it, add --accept-unusual"))
}

/// A kind of price by its name, written with a dash or an underscore.
fn basis(text: &str) -> Result<PriceBasis, CliError> {
    let name = text.replace('-', "_").to_ascii_lowercase();
    let known = PriceBasis::CATALOGUE.into_iter().find(|b| b.name() == name);
    known.ok_or_else(|| {
        let names = PriceBasis::CATALOGUE.map(PriceBasis::name).join(", ");
        CliError::usage(format!("--price {text}: no such kind of price"))
            .hint(format!("kinds: {names}; your own: CHIP=DOLLARS"))
    })
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "map_err passes the error by value"
)]
fn usage(error: rialto_fleet::catalogue::CatalogueError) -> CliError {
    CliError::usage(error.to_string())
}

//! The scenario of a backlog as a person writes it.

use serde::{Deserialize, Serialize};

use crate::basis::Basis;
use crate::calendar::Month;
use crate::input::{self, Fault, Validate};

/// The most millions of tokens in a contract (10^18 tokens): at today's rate, all providers together need
/// decades to serve that many.
const MOST_TOKENS_MILLION: f64 = 1e12;

/// Contracts, chips and when they arrive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BacklogScenario {
    /// What it is called.
    pub name: String,
    /// The first month.
    pub start: Month,
    /// Months scheduled, 1 to 240.
    pub months: u32,
    /// Cases: by how many months every delivery after the first month is late; the first case must be 0.
    pub slip_months: Vec<u32>,
    /// Quarters by which agentic demand is late, case by case, rising, 2 to 12 cases.
    pub adoption_lag_quarters: Vec<u32>,
    /// Kinds of chips.
    pub chip: Vec<ChipKind>,
    /// When chips enter service.
    pub arrival: Vec<Arrival>,
    /// Throughput of a model on a chip.
    pub rate: Vec<Rate>,
    /// The backlog.
    pub contract: Vec<Contract>,
}

/// A kind of chip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChipKind {
    /// Its name.
    pub name: String,
    /// True for own silicon, false for chips bought from others.
    pub own: bool,
    /// Cost of an hour in dollars, everything included, used or not.
    pub usd_per_chip_hour: f64,
    /// Share of the hours that can be sold.
    pub utilisation: f64,
    /// How the figures came to be.
    pub basis: Basis,
    /// Where they come from.
    pub source: String,
}

/// Chips that enter service at the beginning of a month.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arrival {
    /// The kind.
    pub chip: String,
    /// The month.
    pub month: Month,
    /// How many.
    pub chips: f64,
}

/// Throughput of a model on a chip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// The chip.
    pub chip: String,
    /// The model.
    pub model: String,
    /// Millions of tokens, input and output as the contract mixes them, in a busy chip-hour.
    pub million_tokens_per_chip_hour: f64,
    /// The first month in which the model runs on the chip (ported and released).
    pub from: Month,
    /// How the figure came to be.
    pub basis: Basis,
    /// Where it comes from.
    pub source: String,
}

/// Tokens promised to a customer, in equal parts each month.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// What it is called.
    pub name: String,
    /// The model.
    pub model: String,
    /// All tokens promised, in millions.
    pub tokens_million: f64,
    /// The first month.
    pub start: Month,
    /// Months over which the tokens fall due.
    pub duration_months: u32,
    /// Price of a million tokens in dollars.
    pub usd_per_million: f64,
    /// Penalty for tokens not served, as a share of their price; may exceed 1, up to 10.
    pub penalty_share: f64,
    /// Months that tokens may come late without penalty.
    pub grace_months: u32,
    /// Share of the tokens that waits for agentic demand: it falls due later by the adoption lag.
    pub agentic_share: f64,
}

impl Contract {
    /// Tokens that newly fall due in `month` when agentic demand is late, in millions.
    #[must_use]
    pub fn monthly_due(&self, month: Month, adoption_lag_quarters: u32) -> f64 {
        let age = month.since(self.start);
        let runs = |age: i32| f64::from(u8::from((0..self.duration_months as i32).contains(&age)));
        let late = runs(age - 3 * adoption_lag_quarters as i32);
        let part = (1.0 - self.agentic_share) * runs(age) + self.agentic_share * late;
        part * self.tokens_million / f64::from(self.duration_months)
    }
}

impl Validate for BacklogScenario {
    fn validate(&self) -> Result<(), Fault> {
        input::name("name", &self.name)?;
        input::between("months", f64::from(self.months), 1.0, 240.0)?;
        let slips = &self.slip_months;
        input::count("slip_months", slips.len(), 12)?;
        if slips[0] != 0 || slips.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(Fault::new(
                "slip_months",
                "must begin with 0 and rise from case to case",
            ));
        }
        input::lags(&self.adoption_lag_quarters)?;
        input::count("chip", self.chip.len(), 20)?;
        input::distinct("chip", self.chip.iter().map(|c| c.name.as_str()))?;
        for (i, chip) in self.chip.iter().enumerate() {
            let path = format!("chip[{i}]");
            input::positive(&format!("{path}.usd_per_chip_hour"), chip.usd_per_chip_hour)?;
            input::used_share(&format!("{path}.utilisation"), chip.utilisation)?;
            input::name(&format!("{path}.source"), &chip.source)?;
        }
        self.check_arrivals()?;
        self.check_rates()?;
        self.check_contracts()
    }
}

impl BacklogScenario {
    fn known_chip(&self, path: String, name: &str) -> Result<(), Fault> {
        if self.chip.iter().any(|c| c.name == name) {
            return Ok(());
        }
        Err(Fault::new(path, format!("no [[chip]] is named {name:?}")))
    }

    fn check_arrivals(&self) -> Result<(), Fault> {
        input::count("arrival", self.arrival.len(), 10_000)?;
        for (i, arrival) in self.arrival.iter().enumerate() {
            self.known_chip(format!("arrival[{i}].chip"), &arrival.chip)?;
            input::non_negative(&format!("arrival[{i}].chips"), arrival.chips)?;
        }
        let all: f64 = self.arrival.iter().map(|a| a.chips).sum();
        if all == 0.0 {
            return Err(Fault::new(
                "arrival[0].chips",
                "zero capacity: no chips arrive",
            ));
        }
        Ok(())
    }

    fn check_rates(&self) -> Result<(), Fault> {
        input::count("rate", self.rate.len(), 1_000)?;
        for (i, rate) in self.rate.iter().enumerate() {
            let path = format!("rate[{i}]");
            self.known_chip(format!("{path}.chip"), &rate.chip)?;
            let field = format!("{path}.million_tokens_per_chip_hour");
            input::positive(&field, rate.million_tokens_per_chip_hour)?;
            // A million tokens a second on one chip is a slip of units (tokens for millions).
            input::between(&field, rate.million_tokens_per_chip_hour, 0.0, 3_600.0)?;
            input::name(&format!("{path}.source"), &rate.source)?;
            let same = |r: &Rate| r.chip == rate.chip && r.model == rate.model;
            if self.rate.iter().take(i).any(same) {
                let message = format!("{} on {} is given twice", rate.model, rate.chip);
                return Err(Fault::new(format!("{path}.model"), message));
            }
        }
        Ok(())
    }

    fn check_contracts(&self) -> Result<(), Fault> {
        input::count("contract", self.contract.len(), 200)?;
        input::distinct("contract", self.contract.iter().map(|c| c.name.as_str()))?;
        for (i, contract) in self.contract.iter().enumerate() {
            let path = format!("contract[{i}]");
            input::positive(&format!("{path}.tokens_million"), contract.tokens_million)?;
            if contract.tokens_million > MOST_TOKENS_MILLION {
                let message = format!(
                    "is {:e} million tokens, above {MOST_TOKENS_MILLION:e}: units mixed up? They are \
                     counted in millions",
                    contract.tokens_million
                );
                return Err(Fault::new(format!("{path}.tokens_million"), message));
            }
            let months = f64::from(contract.duration_months);
            input::between(&format!("{path}.duration_months"), months, 1.0, 240.0)?;
            input::non_negative(&format!("{path}.usd_per_million"), contract.usd_per_million)?;
            let penalty = contract.penalty_share;
            input::between(&format!("{path}.penalty_share"), penalty, 0.0, 10.0)?;
            input::share(&format!("{path}.agentic_share"), contract.agentic_share)?;
            let grace = f64::from(contract.grace_months);
            input::between(&format!("{path}.grace_months"), grace, 0.0, 24.0)?;
            if contract.start < self.start {
                let message = format!(
                    "begins before the plan ({} before {}); give what is left of it from there",
                    contract.start, self.start
                );
                return Err(Fault::new(format!("{path}.start"), message));
            }
            if !self.rate.iter().any(|r| r.model == contract.model) {
                let message = format!("no [[rate]] serves {:?}", contract.model);
                return Err(Fault::new(format!("{path}.model"), message));
            }
        }
        Ok(())
    }
}

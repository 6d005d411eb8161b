//! The scenario of a capital plan as a person writes it.
//!
//! Holds the fields, their limits and how their ranges are resolved; no arithmetic of the plan.

use serde::{Deserialize, Serialize};

use crate::basis::Basis;
use crate::calendar::Quarter;
use crate::history::HistorySetup;
use crate::input::{self, Fault, Validate};
use crate::uncertainty::{Range, Uncertain};

/// A capital plan. `N` is [`Range`] as written, `f64` once resolved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvestScenario<N = Range> {
    /// What the plan is called.
    pub name: String,
    /// How its figures came to be.
    pub basis: Basis,
    /// Where they come from.
    pub source: String,
    /// The first quarter.
    pub start: Quarter,
    /// Years computed, 1 to 40.
    pub horizon_years: u32,
    /// How late agentic demand comes, in quarters: two or more cases, smallest first.
    pub adoption_lag_quarters: Vec<u32>,
    /// Draws of the Monte Carlo, 100 to 100,000.
    pub draws: u32,
    /// Seed of the Monte Carlo.
    pub seed: u64,
    /// Cost of capital a year, as a share.
    pub discount_rate: N,
    /// Tax on operating income, as a share; losses are carried forward.
    pub tax_rate: N,
    /// What the assets that are still on the books at the horizon are worth, as a share of their book
    /// value.
    pub terminal_share_of_book: N,
    /// Kinds of assets.
    #[serde(rename = "class")]
    pub classes: Vec<AssetClass<N>>,
    /// How capacity is sold.
    pub demand: Demand<N>,
    /// What running it costs.
    pub cash_cost: CashCost<N>,
    /// The business that pays for the plan.
    pub base: Option<Base<N>>,
    /// The history that the model is tested on.
    pub history: Option<HistorySetup>,
}

/// A kind of asset with its own useful life.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssetClass<N = Range> {
    /// What it is called.
    pub name: String,
    /// Straight-line useful life in years, above 0 and at most 60.
    pub useful_life_years: N,
    /// Quarters from payment to service, at most 40.
    pub in_service_lag_quarters: u32,
    /// What a dollar of it, fully used, brings in revenue a year at the first quarter's price.
    /// Absent for assets that earn only through others (buildings, network).
    pub revenue_usd_per_usd_year: Option<N>,
    /// Spending by year.
    pub capex: Vec<Spending<N>>,
}

/// Spending of one calendar year, in equal parts over its quarters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spending<N = Range> {
    /// The calendar year.
    pub year: i32,
    /// Billions of dollars.
    pub usd_b: N,
}

/// How capacity is sold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Demand<N = Range> {
    /// Share of capacity sold once demand is there.
    pub utilisation: N,
    /// The part of that share that is sold in the first quarter of service.
    pub ramp_start: N,
    /// Quarters of service until the whole share is sold.
    pub ramp_quarters: N,
    /// Share of capacity that waits for agentic demand; the adoption lag delays this part.
    pub agentic_share: N,
    /// Change of price a year, as a share; negative when prices fall.
    pub price_change_per_year: N,
    /// The unit that capacity is sold in, to express the break-even price; for example
    /// `chip-hour`.
    pub price_unit: Option<String>,
    /// The planned price of that unit at the start, in dollars.
    pub price_usd: Option<f64>,
}

/// What running the capacity costs in cash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CashCost<N = Range> {
    /// Share of revenue: selling, support, software, staff.
    pub share_of_revenue: N,
    /// Share of the cost of the assets in service, a year: power, space, upkeep.
    pub share_of_capital_per_year: N,
}

/// The business that pays for the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base<N = Range> {
    /// Its operating cash flow in the year before the plan starts, in billions of dollars.
    pub operating_cash_flow_usd_b: N,
    /// Growth of that cash flow a year without the plan, as a share.
    pub growth_per_year: N,
}

impl AssetClass<f64> {
    /// Multiplies the price at which the class earns.
    pub(super) fn scale_price(&mut self, index: f64) {
        self.revenue_usd_per_usd_year = self.revenue_usd_per_usd_year.map(|r| r * index);
    }
}

impl Validate for InvestScenario {
    fn validate(&self) -> Result<(), Fault> {
        input::outlook(
            (&self.name, &self.source),
            (self.horizon_years, 40),
            self.draws,
            &self.adoption_lag_quarters,
        )?;
        let rate = |path: &str, value| input::between(path, value, 0.0, 1.0);
        input::each("discount_rate", &self.discount_rate, rate)?;
        input::each("tax_rate", &self.tax_rate, input::share)?;
        input::each(
            "terminal_share_of_book",
            &self.terminal_share_of_book,
            input::share,
        )?;
        input::count("class", self.classes.len(), 50)?;
        input::distinct("class", self.classes.iter().map(|c| c.name.as_str()))?;
        for (i, class) in self.classes.iter().enumerate() {
            self.check_class(&format!("class[{i}]"), class)?;
        }
        if self
            .classes
            .iter()
            .all(|c| c.revenue_usd_per_usd_year.is_none())
        {
            let message = "zero capacity: at least one class needs revenue_usd_per_usd_year";
            return Err(Fault::new("class", message));
        }
        self.demand.check()?;
        let cost = &self.cash_cost;
        input::each(
            "cash_cost.share_of_revenue",
            &cost.share_of_revenue,
            input::share,
        )?;
        let capital = &cost.share_of_capital_per_year;
        input::each("cash_cost.share_of_capital_per_year", capital, input::share)?;
        if let Some(base) = &self.base {
            let path = "base.operating_cash_flow_usd_b";
            let money = |path: &str, value| input::between(path, value, -10_000.0, 10_000.0);
            input::each(path, &base.operating_cash_flow_usd_b, money)?;
            let growth = |path: &str, value| input::between(path, value, -0.9, 2.0);
            input::each("base.growth_per_year", &base.growth_per_year, growth)?;
        }
        self.history.as_ref().map_or(Ok(()), |h| h.check("history"))
    }
}

impl InvestScenario {
    fn check_class(&self, path: &str, class: &AssetClass) -> Result<(), Fault> {
        input::name(&format!("{path}.name"), &class.name)?;
        let life = format!("{path}.useful_life_years");
        input::each(&life, &class.useful_life_years, input::positive)?;
        input::each(&life, &class.useful_life_years, |p, v| {
            input::between(p, v, input::SHORTEST_LIFE_YEARS, 60.0)
        })?;
        let lag = f64::from(class.in_service_lag_quarters);
        input::between(&format!("{path}.in_service_lag_quarters"), lag, 0.0, 40.0)?;
        if let Some(rate) = &class.revenue_usd_per_usd_year {
            let path = format!("{path}.revenue_usd_per_usd_year");
            input::each(&path, rate, |p, v| {
                input::positive(p, v)?;
                // A dollar of capital that brings more than 20 a year is a slip of units.
                input::between(p, v, 0.0, 20.0)
            })?;
        }
        input::count(&format!("{path}.capex"), class.capex.len(), 40)?;
        let first = self.start.year();
        let last = self.start.plus(self.horizon_years as i32 * 4 - 1).year();
        let mut before = i32::MIN;
        for (i, spending) in class.capex.iter().enumerate() {
            let path = format!("{path}.capex[{i}]");
            let year = spending.year;
            if year <= before {
                let message = format!("dates reversed: {year} must come after {before}");
                return Err(Fault::new(format!("{path}.year"), message));
            }
            before = year;
            if year < first || year > last {
                let message = format!("{year} lies outside the plan, {first} to {last}");
                return Err(Fault::new(format!("{path}.year"), message));
            }
            let money = |path: &str, value: f64| {
                input::non_negative(path, value)?;
                if value > 10_000.0 {
                    let message = format!("is in billions of dollars, {value} is too large");
                    return Err(Fault::new(path, message));
                }
                Ok(())
            };
            input::each(&format!("{path}.usd_b"), &spending.usd_b, money)?;
        }
        Ok(())
    }
}

impl Demand {
    fn check(&self) -> Result<(), Fault> {
        input::each("demand.utilisation", &self.utilisation, input::used_share)?;
        input::each("demand.ramp_start", &self.ramp_start, input::share)?;
        let quarters = |path: &str, value| input::between(path, value, 0.0, 60.0);
        input::each("demand.ramp_quarters", &self.ramp_quarters, quarters)?;
        input::each("demand.agentic_share", &self.agentic_share, input::share)?;
        let change = |path: &str, value| input::between(path, value, -0.9, 1.0);
        input::each(
            "demand.price_change_per_year",
            &self.price_change_per_year,
            change,
        )?;
        match (&self.price_unit, self.price_usd) {
            (None, None) => Ok(()),
            (Some(unit), Some(price)) => {
                input::name("demand.price_unit", unit)?;
                input::positive("demand.price_usd", price)
            }
            _ => Err(Fault::new(
                "demand.price_usd",
                "price_unit and price_usd go together",
            )),
        }
    }
}

impl Uncertain for InvestScenario {
    type Point = InvestScenario<f64>;

    fn resolve(&self, pick: &mut dyn FnMut(&str, Range) -> f64) -> InvestScenario<f64> {
        InvestScenario {
            name: self.name.clone(),
            basis: self.basis,
            source: self.source.clone(),
            start: self.start,
            horizon_years: self.horizon_years,
            adoption_lag_quarters: self.adoption_lag_quarters.clone(),
            draws: self.draws,
            seed: self.seed,
            discount_rate: pick("discount_rate", self.discount_rate),
            tax_rate: pick("tax_rate", self.tax_rate),
            terminal_share_of_book: pick("terminal_share_of_book", self.terminal_share_of_book),
            classes: self
                .classes
                .iter()
                .map(|class| class.resolve(pick))
                .collect(),
            demand: Demand {
                utilisation: pick("utilisation", self.demand.utilisation),
                ramp_start: pick("ramp_start", self.demand.ramp_start),
                ramp_quarters: pick("ramp_quarters", self.demand.ramp_quarters),
                agentic_share: pick("agentic_share", self.demand.agentic_share),
                price_change_per_year: pick(
                    "price_change_per_year",
                    self.demand.price_change_per_year,
                ),
                price_unit: self.demand.price_unit.clone(),
                price_usd: self.demand.price_usd,
            },
            cash_cost: CashCost {
                share_of_revenue: pick(
                    "cash cost share_of_revenue",
                    self.cash_cost.share_of_revenue,
                ),
                share_of_capital_per_year: pick(
                    "cash cost share_of_capital",
                    self.cash_cost.share_of_capital_per_year,
                ),
            },
            base: self.base.as_ref().map(|base| Base {
                operating_cash_flow_usd_b: pick(
                    "base operating_cash_flow",
                    base.operating_cash_flow_usd_b,
                ),
                growth_per_year: pick("base growth_per_year", base.growth_per_year),
            }),
            history: self.history.clone(),
        }
    }
}

impl AssetClass {
    fn resolve(&self, pick: &mut dyn FnMut(&str, Range) -> f64) -> AssetClass<f64> {
        let name = &self.name;
        AssetClass {
            name: name.clone(),
            useful_life_years: pick(&format!("{name}: useful life"), self.useful_life_years),
            in_service_lag_quarters: self.in_service_lag_quarters,
            revenue_usd_per_usd_year: self
                .revenue_usd_per_usd_year
                .map(|range| pick(&format!("{name}: revenue per dollar"), range)),
            capex: self
                .capex
                .iter()
                .map(|spending| Spending {
                    year: spending.year,
                    usd_b: pick(&format!("{name}: capex {}", spending.year), spending.usd_b),
                })
                .collect(),
        }
    }
}

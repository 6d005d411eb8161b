//! Cost of ownership, cost of tokens, and the margin a price list leaves.
//!
//! Holds what a chip-hour costs (owned or rented), what a million input, cached and output tokens
//! cost on it, and margin by chip, model and customer class. Throughput comes in as a figure with
//! its own basis and source; this module does not simulate.

use serde::{Deserialize, Serialize};

use super::basis::Basis;
use super::cashflow;
use super::input::{self, Fault, Validate};
use super::twin::Twin;
use super::uncertainty::{self, Range, Spread, Swing, Uncertain};
use rialto_fleet::catalogue::Catalogue;
use rialto_fleet::step::Parameters;

/// Hours in a year of 365 days.
pub const HOURS_PER_YEAR: f64 = 8760.0;

/// Costs and prices of a fleet. `N` is [`Range`] as written, `f64` once resolved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostScenario<N = Range> {
    /// Its name.
    pub name: String,
    /// Draws of the Monte Carlo, 100 to 100,000.
    pub draws: u32,
    /// Seed of the Monte Carlo.
    pub seed: u64,
    /// Quarters by which agentic demand is late, case by case, rising, 2 to 12 cases.
    pub adoption_lag_quarters: Vec<u32>,
    /// Quarters over which the chips are paid for, used or not, 1 to 40.
    pub horizon_quarters: u32,
    /// Share of the volumes that waits for agentic demand.
    pub agentic_share: N,
    /// Kinds of chips.
    pub chip: Vec<Chip<N>>,
    /// Throughput of each model on each chip, as the scenario gives it.
    #[serde(default = "Vec::new")]
    pub throughput: Vec<Throughput<N>>,
    /// Deployments whose throughput the step-time model computes.
    #[serde(default)]
    pub twin: Vec<Twin>,
    /// The price list.
    pub price: Vec<Price<N>>,
    /// Customer classes.
    pub class: Vec<CustomerClass<N>>,
}

/// A kind of chip and what an hour of it costs: exactly one of `owned` and `rented`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chip<N = Range> {
    /// Its name; where `owned` leaves out capital or power, the catalogue's chip of this name
    /// supplies them.
    pub name: String,
    /// Share of the hours in which the chip serves sold tokens.
    pub utilisation: N,
    /// The costs of a chip that is bought.
    pub owned: Option<Owned<N>>,
    /// The price of a chip that is rented.
    pub rented: Option<Rented<N>>,
    /// How the figures came to be.
    pub basis: Basis,
    /// Where they come from.
    pub source: String,
}

/// Costs of an owned chip, its share of host, rack and network included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owned<N = Range> {
    /// Capital in dollars; the catalogue's figure when absent.
    pub capital_usd: Option<N>,
    /// Useful life in years.
    pub useful_life_years: N,
    /// Cost of capital a year, as a share; zero gives plain straight-line depreciation.
    pub cost_of_capital: N,
    /// Power drawn on average, in kilowatts; the catalogue's figure when absent.
    pub power_kw: Option<N>,
    /// Power usage effectiveness of the building, 1 or more.
    pub pue: N,
    /// Price of electricity in dollars a kilowatt-hour.
    pub electricity_usd_per_kwh: N,
    /// Space and cooling in dollars a kilowatt and month.
    pub space_usd_per_kw_month: N,
    /// Network beyond the rack, in dollars a chip and year.
    pub network_usd_per_year: N,
    /// Staff and upkeep, in dollars a chip and year.
    pub staff_usd_per_year: N,
}

/// The price of a rented chip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rented<N = Range> {
    /// Dollars an hour, everything included.
    pub usd_per_hour: N,
}

/// Throughput of one chip while it is busy with one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Throughput<N = Range> {
    /// The chip's name.
    pub chip: String,
    /// The model's name.
    pub model: String,
    /// Input tokens a second while the chip only computes prompts.
    pub input_tokens_per_s: N,
    /// Cached input tokens a second while the chip only loads them.
    pub cached_tokens_per_s: N,
    /// Output tokens a second while the chip only generates output.
    pub output_tokens_per_s: N,
    /// How the figures came to be.
    pub basis: Basis,
    /// Where they come from.
    pub source: String,
}

/// What a million tokens of a model are sold at, in dollars.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price<N = Range> {
    /// The model's name.
    pub model: String,
    /// A million input tokens.
    pub input_usd_per_million: N,
    /// A million cached input tokens.
    pub cached_usd_per_million: N,
    /// A million output tokens.
    pub output_usd_per_million: N,
}

/// Customers that use a model in the same way, served by one kind of chip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomerClass<N = Range> {
    /// Its name.
    pub name: String,
    /// The model's name.
    pub model: String,
    /// The chip that serves it.
    pub chip: String,
    /// Discount on the price list, as a share.
    pub discount: N,
    /// Millions of input tokens a month, cached ones left out.
    pub input_million_per_month: N,
    /// Millions of cached input tokens a month.
    pub cached_million_per_month: N,
    /// Millions of output tokens a month.
    pub output_million_per_month: N,
}

impl CostScenario {
    /// Takes capital and power from the catalogue where a chip leaves them out, and computes the
    /// throughput of every twin.
    ///
    /// # Errors
    /// Names the field that neither the scenario nor the catalogue supplies, or the twin that
    /// cannot be built.
    pub fn complete(
        &mut self,
        catalogue: &Catalogue,
        parameters: &Parameters,
    ) -> Result<(), Fault> {
        for (i, twin) in self.twin.iter().enumerate() {
            let path = format!("twin[{i}]");
            self.throughput
                .push(twin.throughput(&path, catalogue, parameters)?);
        }
        for (i, chip) in self.chip.iter_mut().enumerate() {
            let Some(owned) = &mut chip.owned else {
                continue;
            };
            let known = catalogue.chip(&chip.name).ok();
            let missing = |field: &str| {
                let message = format!("neither given here nor in the catalogue for {}", chip.name);
                Fault::new(format!("chip[{i}].owned.{field}"), message)
            };
            if owned.capital_usd.is_none() {
                let capital = known.and_then(|c| c.capex_usd);
                let capital = capital.ok_or_else(|| missing("capital_usd"))?;
                owned.capital_usd = Some(Range::exact(capital));
            }
            if owned.power_kw.is_none() {
                let power = known.and_then(|c| c.allin_kw.or(c.tdp_w.map(|w| w / 1000.0)));
                owned.power_kw = Some(Range::exact(power.ok_or_else(|| missing("power_kw"))?));
            }
        }
        Ok(())
    }
}

impl Validate for CostScenario {
    fn validate(&self) -> Result<(), Fault> {
        input::name("name", &self.name)?;
        input::draws(self.draws)?;
        input::lags(&self.adoption_lag_quarters)?;
        let horizon = f64::from(self.horizon_quarters);
        input::between("horizon_quarters", horizon, 1.0, 40.0)?;
        input::each("agentic_share", &self.agentic_share, input::share)?;
        input::count("chip", self.chip.len(), 100)?;
        input::distinct("chip", self.chip.iter().map(|c| c.name.as_str()))?;
        self.chip
            .iter()
            .enumerate()
            .try_for_each(|(i, c)| c.check(&format!("chip[{i}]")))?;
        input::count("throughput", self.throughput.len() + self.twin.len(), 1_000)?;
        for (i, twin) in self.twin.iter().enumerate() {
            let path = format!("twin[{i}]");
            self.known_chip(&format!("{path}.chip"), &twin.chip)?;
            twin.check(&path)?;
        }
        for (i, row) in self.throughput.iter().enumerate() {
            let path = format!("throughput[{i}]");
            self.known_chip(&format!("{path}.chip"), &row.chip)?;
            let rates = [
                &row.input_tokens_per_s,
                &row.cached_tokens_per_s,
                &row.output_tokens_per_s,
            ];
            let names = [
                "input_tokens_per_s",
                "cached_tokens_per_s",
                "output_tokens_per_s",
            ];
            for (name, rate) in names.iter().zip(rates) {
                input::each(&format!("{path}.{name}"), rate, input::positive)?;
            }
            input::name(&format!("{path}.source"), &row.source)?;
        }
        input::count("price", self.price.len(), 1_000)?;
        for (i, row) in self.price.iter().enumerate() {
            let prices = [
                &row.input_usd_per_million,
                &row.cached_usd_per_million,
                &row.output_usd_per_million,
            ];
            let names = [
                "input_usd_per_million",
                "cached_usd_per_million",
                "output_usd_per_million",
            ];
            for (name, price) in names.iter().zip(prices) {
                input::each(&format!("price[{i}].{name}"), price, input::non_negative)?;
            }
        }
        input::count("class", self.class.len(), 1_000)?;
        input::distinct("class", self.class.iter().map(|c| c.name.as_str()))?;
        self.class
            .iter()
            .enumerate()
            .try_for_each(|(i, c)| self.check_class(i, c))
    }
}

impl CostScenario {
    fn known_chip(&self, path: &str, name: &str) -> Result<(), Fault> {
        if self.chip.iter().any(|c| c.name == name) {
            return Ok(());
        }
        Err(Fault::new(path, format!("no [[chip]] is named {name:?}")))
    }

    fn check_class(&self, i: usize, class: &CustomerClass) -> Result<(), Fault> {
        let path = format!("class[{i}]");
        input::name(&format!("{path}.name"), &class.name)?;
        self.known_chip(&format!("{path}.chip"), &class.chip)?;
        if !self.price.iter().any(|p| p.model == class.model) {
            let message = format!("no [[price]] is given for {:?}", class.model);
            return Err(Fault::new(format!("{path}.model"), message));
        }
        let served = |t: &Throughput| t.model == class.model && t.chip == class.chip;
        let twinned = |t: &Twin| t.model == class.model && t.chip == class.chip;
        if !self.throughput.iter().any(served) && !self.twin.iter().any(twinned) {
            let message = format!(
                "no [[throughput]] or [[twin]] is given for {:?} on {:?}",
                class.model, class.chip
            );
            return Err(Fault::new(format!("{path}.chip"), message));
        }
        input::each(&format!("{path}.discount"), &class.discount, input::share)?;
        let volumes = [
            ("input_million_per_month", &class.input_million_per_month),
            ("cached_million_per_month", &class.cached_million_per_month),
            ("output_million_per_month", &class.output_million_per_month),
        ];
        for (name, volume) in volumes {
            input::each(&format!("{path}.{name}"), volume, input::non_negative)?;
        }
        Ok(())
    }
}

impl Chip {
    fn check(&self, path: &str) -> Result<(), Fault> {
        input::name(&format!("{path}.name"), &self.name)?;
        input::name(&format!("{path}.source"), &self.source)?;
        let utilisation = format!("{path}.utilisation");
        input::each(&utilisation, &self.utilisation, input::used_share)?;
        match (&self.owned, &self.rented) {
            (Some(owned), None) => owned.check(&format!("{path}.owned")),
            (None, Some(rented)) => {
                let path = format!("{path}.rented.usd_per_hour");
                input::each(&path, &rented.usd_per_hour, input::positive)
            }
            _ => Err(Fault::new(path, "needs exactly one of owned and rented")),
        }
    }
}

impl Owned {
    fn check(&self, path: &str) -> Result<(), Fault> {
        let at = |field: &str| format!("{path}.{field}");
        if let Some(capital) = &self.capital_usd {
            input::each(&at("capital_usd"), capital, input::positive)?;
        }
        if let Some(power) = &self.power_kw {
            // A chip with its share of host and network draws no more than 20 kW; beyond that
            // watts were written for kilowatts.
            input::each(&at("power_kw"), power, |p, v| {
                input::positive(p, v)?;
                input::between(p, v, 0.0, 20.0)
            })?;
        }
        let life = &self.useful_life_years;
        input::each(&at("useful_life_years"), life, input::positive)?;
        input::each(&at("useful_life_years"), life, |p, v| {
            input::between(p, v, input::SHORTEST_LIFE_YEARS, 30.0)
        })?;
        input::each(&at("cost_of_capital"), &self.cost_of_capital, input::share)?;
        input::each(&at("pue"), &self.pue, |p, v| input::between(p, v, 1.0, 3.0))?;
        let price = &self.electricity_usd_per_kwh;
        input::each(&at("electricity_usd_per_kwh"), price, input::non_negative)?;
        // Above two dollars a kilowatt-hour the figure is in cents or for a megawatt-hour.
        let limits = |p: &str, v| input::between(p, v, 0.0, 2.0);
        input::each(&at("electricity_usd_per_kwh"), price, limits)?;
        let space = &self.space_usd_per_kw_month;
        input::each(&at("space_usd_per_kw_month"), space, input::non_negative)?;
        input::each(
            &at("network_usd_per_year"),
            &self.network_usd_per_year,
            input::non_negative,
        )?;
        input::each(
            &at("staff_usd_per_year"),
            &self.staff_usd_per_year,
            input::non_negative,
        )
    }
}

impl Uncertain for CostScenario {
    type Point = CostScenario<f64>;

    fn resolve(&self, pick: &mut dyn FnMut(&str, Range) -> f64) -> CostScenario<f64> {
        CostScenario {
            name: self.name.clone(),
            draws: self.draws,
            seed: self.seed,
            adoption_lag_quarters: self.adoption_lag_quarters.clone(),
            horizon_quarters: self.horizon_quarters,
            chip: self.chip.iter().map(|c| c.resolve(pick)).collect(),
            throughput: self.throughput.iter().map(|t| t.resolve(pick)).collect(),
            twin: self.twin.clone(),
            price: self.price.iter().map(|p| p.resolve(pick)).collect(),
            class: self.class.iter().map(|c| c.resolve(pick)).collect(),
            agentic_share: pick("agentic share", self.agentic_share),
        }
    }
}

type Pick<'a> = &'a mut dyn FnMut(&str, Range) -> f64;

impl Chip {
    fn resolve(&self, pick: Pick<'_>) -> Chip<f64> {
        let name = &self.name;
        let mut named = |field: &str, range: Range| pick(&format!("{name}: {field}"), range);
        Chip {
            name: name.clone(),
            utilisation: named("utilisation", self.utilisation),
            owned: self.owned.as_ref().map(|o| Owned {
                capital_usd: o.capital_usd.map(|r| named("capital", r)),
                useful_life_years: named("useful life", o.useful_life_years),
                cost_of_capital: named("cost of capital", o.cost_of_capital),
                power_kw: o.power_kw.map(|r| named("power", r)),
                pue: named("PUE", o.pue),
                electricity_usd_per_kwh: named("electricity", o.electricity_usd_per_kwh),
                space_usd_per_kw_month: named("space", o.space_usd_per_kw_month),
                network_usd_per_year: named("network", o.network_usd_per_year),
                staff_usd_per_year: named("staff", o.staff_usd_per_year),
            }),
            rented: self.rented.as_ref().map(|r| Rented {
                usd_per_hour: named("rent", r.usd_per_hour),
            }),
            basis: self.basis,
            source: self.source.clone(),
        }
    }
}

impl Throughput {
    fn resolve(&self, pick: Pick<'_>) -> Throughput<f64> {
        let name = format!("{} on {}", self.model, self.chip);
        let mut named = |field: &str, range: Range| pick(&format!("{name}: {field}"), range);
        Throughput {
            chip: self.chip.clone(),
            model: self.model.clone(),
            input_tokens_per_s: named("input tokens/s", self.input_tokens_per_s),
            cached_tokens_per_s: named("cached tokens/s", self.cached_tokens_per_s),
            output_tokens_per_s: named("output tokens/s", self.output_tokens_per_s),
            basis: self.basis,
            source: self.source.clone(),
        }
    }
}

impl Price {
    fn resolve(&self, pick: Pick<'_>) -> Price<f64> {
        let name = &self.model;
        let mut named = |field: &str, range: Range| pick(&format!("{name}: {field}"), range);
        Price {
            model: name.clone(),
            input_usd_per_million: named("input price", self.input_usd_per_million),
            cached_usd_per_million: named("cached price", self.cached_usd_per_million),
            output_usd_per_million: named("output price", self.output_usd_per_million),
        }
    }
}

impl CustomerClass {
    fn resolve(&self, pick: Pick<'_>) -> CustomerClass<f64> {
        let name = &self.name;
        let mut named = |field: &str, range: Range| pick(&format!("{name}: {field}"), range);
        CustomerClass {
            name: name.clone(),
            model: self.model.clone(),
            chip: self.chip.clone(),
            discount: named("discount", self.discount),
            input_million_per_month: named("input volume", self.input_million_per_month),
            cached_million_per_month: named("cached volume", self.cached_million_per_month),
            output_million_per_month: named("output volume", self.output_million_per_month),
        }
    }
}

/// What an hour of one chip costs, in dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ChipHour {
    /// Straight-line depreciation; zero for a rented chip.
    pub depreciation_usd: f64,
    /// Return on capital beyond depreciation; zero for a rented chip.
    pub capital_return_usd: f64,
    /// Electricity, PUE included.
    pub power_usd: f64,
    /// Space and cooling.
    pub space_usd: f64,
    /// Network.
    pub network_usd: f64,
    /// Staff and upkeep.
    pub staff_usd: f64,
    /// Rent; zero for an owned chip.
    pub rent_usd: f64,
}

impl ChipHour {
    /// The sum.
    #[must_use]
    pub fn total_usd(&self) -> f64 {
        self.depreciation_usd
            + self.capital_return_usd
            + self.power_usd
            + self.space_usd
            + self.network_usd
            + self.staff_usd
            + self.rent_usd
    }
}

/// What an hour of a resolved chip costs. Capital and power must have been completed; an owned
/// chip without them counts them as zero.
#[must_use]
pub fn chip_hour(chip: &Chip<f64>) -> ChipHour {
    if let Some(rented) = &chip.rented {
        return ChipHour {
            rent_usd: rented.usd_per_hour,
            ..ChipHour::default()
        };
    }
    let Some(owned) = &chip.owned else {
        return ChipHour::default();
    };
    let capital = owned.capital_usd.unwrap_or(0.0);
    let power_kw = owned.power_kw.unwrap_or(0.0);
    let life = owned.useful_life_years;
    let straight = capital / life / HOURS_PER_YEAR;
    let factor = cashflow::capital_recovery_factor(owned.cost_of_capital, life);
    ChipHour {
        depreciation_usd: straight,
        capital_return_usd: capital * factor / HOURS_PER_YEAR - straight,
        power_usd: power_kw * owned.pue * owned.electricity_usd_per_kwh,
        space_usd: power_kw * owned.space_usd_per_kw_month * 12.0 / HOURS_PER_YEAR,
        network_usd: owned.network_usd_per_year / HOURS_PER_YEAR,
        staff_usd: owned.staff_usd_per_year / HOURS_PER_YEAR,
        rent_usd: 0.0,
    }
}

/// What a million tokens of one model cost on one chip, in dollars.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TokenCost {
    /// The chip.
    pub chip: String,
    /// The model.
    pub model: String,
    /// A million input tokens.
    pub input_usd_per_million: f64,
    /// A million cached input tokens.
    pub cached_usd_per_million: f64,
    /// A million output tokens.
    pub output_usd_per_million: f64,
    /// How the throughput came to be.
    pub basis: Basis,
    /// Where it comes from.
    pub source: String,
}

/// What a million tokens cost, for each row of throughput. The busy hours of a chip also pay for its idle
/// hours.
#[must_use]
pub fn token_costs(point: &CostScenario<f64>) -> Vec<TokenCost> {
    let cost = |row: &Throughput<f64>| {
        let chip = point.chip.iter().find(|c| c.name == row.chip)?;
        let busy_second = chip_hour(chip).total_usd() / 3600.0 / chip.utilisation;
        Some(TokenCost {
            chip: row.chip.clone(),
            model: row.model.clone(),
            input_usd_per_million: busy_second * 1e6 / row.input_tokens_per_s,
            cached_usd_per_million: busy_second * 1e6 / row.cached_tokens_per_s,
            output_usd_per_million: busy_second * 1e6 / row.output_tokens_per_s,
            basis: row.basis,
            source: row.source.clone(),
        })
    };
    point.throughput.iter().filter_map(cost).collect()
}

/// What one customer class, chip or model brings in a month, in dollars.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Margin {
    /// The customer class, chip or model.
    pub name: String,
    /// Revenue a month.
    pub revenue_usd: f64,
    /// Cost a month, idle hours included.
    pub cost_usd: f64,
    /// Chips needed to serve it at the planned utilisation.
    pub chips: f64,
}

impl Margin {
    /// Revenue less cost.
    #[must_use]
    pub fn profit_usd(&self) -> f64 {
        self.revenue_usd - self.cost_usd
    }

    /// Profit over revenue; nothing without revenue.
    #[must_use]
    pub fn margin(&self) -> Option<f64> {
        (self.revenue_usd > 0.0).then(|| self.profit_usd() / self.revenue_usd)
    }
}

/// Margins of a price list, along three dimensions and in total.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Margins {
    /// By customer class.
    pub by_class: Vec<Margin>,
    /// By kind of chip.
    pub by_chip: Vec<Margin>,
    /// By model.
    pub by_model: Vec<Margin>,
    /// All together.
    pub total: Margin,
}

/// Margin of the price list at resolved values.
#[must_use]
pub fn margins(point: &CostScenario<f64>) -> Margins {
    let costs = token_costs(point);
    let mut margins = Margins {
        by_class: Vec::new(),
        by_chip: Vec::new(),
        by_model: Vec::new(),
        total: Margin {
            name: "total".to_owned(),
            ..Margin::default()
        },
    };
    for class in &point.class {
        let price = point.price.iter().find(|p| p.model == class.model);
        let cost = costs
            .iter()
            .find(|c| c.model == class.model && c.chip == class.chip);
        let (Some(price), Some(cost)) = (price, cost) else {
            continue;
        };
        let volumes = [
            class.input_million_per_month,
            class.cached_million_per_month,
            class.output_million_per_month,
        ];
        let prices = [
            price.input_usd_per_million,
            price.cached_usd_per_million,
            price.output_usd_per_million,
        ];
        let unit_costs = [
            cost.input_usd_per_million,
            cost.cached_usd_per_million,
            cost.output_usd_per_million,
        ];
        let sum = |units: [f64; 3]| volumes.iter().zip(units).map(|(v, u)| v * u).sum::<f64>();
        let cost_usd = sum(unit_costs);
        let hourly = point
            .chip
            .iter()
            .find(|c| c.name == class.chip)
            .map(chip_hour);
        let hourly = hourly.map_or(0.0, |h| h.total_usd());
        let hours = if hourly > 0.0 { cost_usd / hourly } else { 0.0 };
        let row = Margin {
            name: class.name.clone(),
            revenue_usd: sum(prices) * (1.0 - class.discount),
            cost_usd,
            chips: hours / (HOURS_PER_YEAR / 12.0),
        };
        add(&mut margins.by_chip, &class.chip, &row);
        add(&mut margins.by_model, &class.model, &row);
        let total = &mut margins.total;
        total.revenue_usd += row.revenue_usd;
        total.cost_usd += row.cost_usd;
        total.chips += row.chips;
        margins.by_class.push(row);
    }
    margins
}

fn add(rows: &mut Vec<Margin>, name: &str, part: &Margin) {
    if !rows.iter().any(|r| r.name == name) {
        rows.push(Margin {
            name: name.to_owned(),
            ..Margin::default()
        });
    }
    if let Some(row) = rows.iter_mut().find(|r| r.name == name) {
        row.revenue_usd += part.revenue_usd;
        row.cost_usd += part.cost_usd;
        row.chips += part.chips;
    }
}

/// The share of the volumes that is sold over the horizon when agentic demand is late.
#[must_use]
pub fn sold_share(point: &CostScenario<f64>, adoption_lag_quarters: u32) -> f64 {
    let waits = adoption_lag_quarters.min(point.horizon_quarters);
    1.0 - point.agentic_share * f64::from(waits) / f64::from(point.horizon_quarters.max(1))
}

/// The average total a month over the horizon when agentic demand is late: the chips are paid for from the
/// start, but the late volumes are not sold.
#[must_use]
pub fn late_total(point: &CostScenario<f64>, adoption_lag_quarters: u32) -> Margin {
    let mut total = margins(point).total;
    total.revenue_usd *= sold_share(point, adoption_lag_quarters);
    total
}

/// The total at one adoption lag.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AtLag {
    /// The lag.
    pub adoption_lag_quarters: u32,
    /// Share of the volumes that is sold over the horizon, at the likeliest values; the cost of a token is
    /// divided by it.
    pub sold_share: f64,
    /// The total a month at the likeliest values.
    pub total: Margin,
    /// The total margin over the ranges.
    pub margin: Spread,
    /// The profit a month over the ranges, in dollars.
    pub profit_usd_per_month: Spread,
}

fn at_lag(scenario: &CostScenario, lag: u32) -> AtLag {
    let mid = scenario.mid();
    let [margin, profit_usd_per_month] =
        uncertainty::monte_carlo(scenario, scenario.draws, scenario.seed, |point| {
            let total = late_total(point, lag);
            [total.margin(), Some(total.profit_usd())]
        });
    AtLag {
        adoption_lag_quarters: lag,
        sold_share: sold_share(&mid, lag),
        total: late_total(&mid, lag),
        margin,
        profit_usd_per_month,
    }
}

/// Everything that a cost report shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CostReport {
    /// What an hour of each chip costs, in the scenario's order.
    pub chip_hours: Vec<(String, ChipHour, Basis, String)>,
    /// What a million tokens cost.
    pub token_costs: Vec<TokenCost>,
    /// Margins at the likeliest values.
    pub margins: Margins,
    /// What moves the total margin at the first adoption lag, widest first.
    pub tornado: Vec<Swing>,
    /// The total, one for each adoption lag.
    pub adoption: Vec<AtLag>,
}

/// Computes a cost report. The scenario must have been completed from a catalogue.
#[must_use]
pub fn report(scenario: &CostScenario) -> CostReport {
    let mid = scenario.mid();
    let lags = &scenario.adoption_lag_quarters;
    let first = lags.first().copied().unwrap_or(0);
    let total = |point: &CostScenario<f64>| late_total(point, first);
    CostReport {
        chip_hours: mid
            .chip
            .iter()
            .map(|c| (c.name.clone(), chip_hour(c), c.basis, c.source.clone()))
            .collect(),
        token_costs: token_costs(&mid),
        margins: margins(&mid),
        tornado: uncertainty::tornado(scenario, |p| total(p).margin().unwrap_or(0.0)),
        adoption: lags.iter().map(|lag| at_lag(scenario, *lag)).collect(),
    }
}

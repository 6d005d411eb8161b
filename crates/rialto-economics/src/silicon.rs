//! Whether to build a chip of one's own or to buy one.
//!
//! Holds the yearly cost of both, the saving on each workload, and when and from which volume on the
//! savings pay back design and porting. Demand is counted in bought chips; costs are yearly costs of
//! ownership (capital recovered over the useful life, and power), so purchases and replacements need no
//! schedule of their own.

use serde::{Deserialize, Serialize};

use super::basis::Basis;
use super::calendar::Quarter;
use super::cashflow;
use super::input::{self, Fault, Validate};
use super::uncertainty::{self, Range, Spread, Swing, Uncertain};

/// Hours in a year of 365 days.
const HOURS_PER_YEAR: f64 = 8760.0;

/// The question as a person writes it. `N` is [`Range`] as written, `f64` once resolved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiliconScenario<N = Range> {
    /// What it is called.
    pub name: String,
    /// How the figures came to be.
    pub basis: Basis,
    /// Where they come from.
    pub source: String,
    /// The quarter in which design spending starts.
    pub start: Quarter,
    /// Years computed, 1 to 30.
    pub horizon_years: u32,
    /// How late demand grows, in quarters: two or more cases, smallest first.
    pub adoption_lag_quarters: Vec<u32>,
    /// Draws of the Monte Carlo, 100 to 100,000.
    pub draws: u32,
    /// Seed of the Monte Carlo.
    pub seed: u64,
    /// Cost of capital a year, as a share.
    pub discount_rate: N,
    /// Price of electricity in dollars a kilowatt-hour, PUE included.
    pub electricity_usd_per_kwh: N,
    /// The own chip.
    pub own: OwnChip<N>,
    /// The bought chip.
    pub bought: BoughtChip<N>,
    /// What would run on it.
    pub workload: Vec<Workload<N>>,
}

/// The own chip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnChip<N = Range> {
    /// Design, masks, compiler and drivers, in millions of dollars.
    pub design_usd_m: N,
    /// Quarters of design until the first chips serve.
    pub design_quarters: u32,
    /// Cost of one chip with its share of server and rack, in dollars.
    pub unit_cost_usd: N,
    /// Upkeep of design and software once it serves, in millions of dollars a year.
    pub upkeep_usd_m_per_year: N,
    /// Power of one chip with its share of the server, in kilowatts.
    pub power_kw: N,
    /// Useful life in years.
    pub useful_life_years: N,
    /// The most chips in service at the end of the ramp.
    pub volume_chips: N,
    /// Quarters from the first chips to full volume, in equal steps.
    pub ramp_quarters: u32,
}

/// The bought chip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoughtChip<N = Range> {
    /// Price of one chip with its share of server and rack, in dollars.
    pub unit_price_usd: N,
    /// The supplier's margin, as a share of that price.
    pub supplier_margin_share: N,
    /// Power of one chip with its share of the server, in kilowatts.
    pub power_kw: N,
    /// Useful life in years.
    pub useful_life_years: N,
}

/// Something that could run on either.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload<N = Range> {
    /// What it is called.
    pub name: String,
    /// Bought chips it needs at the start.
    pub bought_chips: N,
    /// Growth of that number a year, as a share.
    pub growth_per_year: N,
    /// Work of one own chip over that of one bought chip, on this workload.
    pub performance_ratio: N,
    /// Cost to port it, in millions of dollars.
    pub port_usd_m: N,
    /// Quarters from the first chips until it is ported.
    pub port_quarters: u32,
}

impl Validate for SiliconScenario {
    fn validate(&self) -> Result<(), Fault> {
        input::outlook(
            (&self.name, &self.source),
            (self.horizon_years, 30),
            self.draws,
            &self.adoption_lag_quarters,
        )?;
        input::each("discount_rate", &self.discount_rate, input::share)?;
        let price = |p: &str, v| input::between(p, v, 0.0, 2.0);
        input::each(
            "electricity_usd_per_kwh",
            &self.electricity_usd_per_kwh,
            price,
        )?;
        self.check_chips()?;
        input::count("workload", self.workload.len(), 100)?;
        input::distinct("workload", self.workload.iter().map(|w| w.name.as_str()))?;
        for (i, w) in self.workload.iter().enumerate() {
            let at = |field: &str| format!("workload[{i}].{field}");
            input::each(&at("bought_chips"), &w.bought_chips, input::positive)?;
            let growth = |p: &str, v| input::between(p, v, -0.9, 5.0);
            input::each(&at("growth_per_year"), &w.growth_per_year, growth)?;
            let ratio = |p: &str, v| {
                input::positive(p, v)?;
                input::between(p, v, input::SMALLEST_DIVISOR, 20.0)
            };
            input::each(&at("performance_ratio"), &w.performance_ratio, ratio)?;
            input::each(&at("port_usd_m"), &w.port_usd_m, input::non_negative)?;
            input::between(&at("port_quarters"), f64::from(w.port_quarters), 0.0, 40.0)?;
        }
        Ok(())
    }
}

impl SiliconScenario {
    fn check_chips(&self) -> Result<(), Fault> {
        let own = &self.own;
        let bought = &self.bought;
        let life = |p: &str, v| {
            input::positive(p, v)?;
            input::between(p, v, input::SHORTEST_LIFE_YEARS, 30.0)
        };
        let power = |p: &str, v| {
            input::positive(p, v)?;
            input::between(p, v, 0.0, 20.0)
        };
        input::each("own.design_usd_m", &own.design_usd_m, input::non_negative)?;
        input::each("own.unit_cost_usd", &own.unit_cost_usd, input::positive)?;
        input::each(
            "own.upkeep_usd_m_per_year",
            &own.upkeep_usd_m_per_year,
            input::non_negative,
        )?;
        input::each("own.power_kw", &own.power_kw, power)?;
        input::each("own.useful_life_years", &own.useful_life_years, life)?;
        input::each("own.volume_chips", &own.volume_chips, input::positive)?;
        input::between(
            "own.design_quarters",
            f64::from(own.design_quarters),
            1.0,
            60.0,
        )?;
        input::between("own.ramp_quarters", f64::from(own.ramp_quarters), 1.0, 60.0)?;
        input::each(
            "bought.unit_price_usd",
            &bought.unit_price_usd,
            input::positive,
        )?;
        let margin = &bought.supplier_margin_share;
        input::each("bought.supplier_margin_share", margin, input::share)?;
        input::each("bought.power_kw", &bought.power_kw, power)?;
        input::each("bought.useful_life_years", &bought.useful_life_years, life)
    }
}

impl Uncertain for SiliconScenario {
    type Point = SiliconScenario<f64>;

    fn resolve(&self, pick: &mut dyn FnMut(&str, Range) -> f64) -> SiliconScenario<f64> {
        let (own, bought) = (&self.own, &self.bought);
        SiliconScenario {
            name: self.name.clone(),
            basis: self.basis,
            source: self.source.clone(),
            start: self.start,
            horizon_years: self.horizon_years,
            adoption_lag_quarters: self.adoption_lag_quarters.clone(),
            draws: self.draws,
            seed: self.seed,
            discount_rate: pick("discount_rate", self.discount_rate),
            electricity_usd_per_kwh: pick("electricity", self.electricity_usd_per_kwh),
            own: OwnChip {
                design_usd_m: pick("own: design", own.design_usd_m),
                design_quarters: own.design_quarters,
                unit_cost_usd: pick("own: unit cost", own.unit_cost_usd),
                upkeep_usd_m_per_year: pick("own: upkeep", own.upkeep_usd_m_per_year),
                power_kw: pick("own: power", own.power_kw),
                useful_life_years: pick("own: useful life", own.useful_life_years),
                volume_chips: pick("own: volume", own.volume_chips),
                ramp_quarters: own.ramp_quarters,
            },
            bought: BoughtChip {
                unit_price_usd: pick("bought: unit price", bought.unit_price_usd),
                supplier_margin_share: pick(
                    "bought: supplier margin",
                    bought.supplier_margin_share,
                ),
                power_kw: pick("bought: power", bought.power_kw),
                useful_life_years: pick("bought: useful life", bought.useful_life_years),
            },
            workload: self.workload.iter().map(|w| w.resolve(pick)).collect(),
        }
    }
}

impl Workload {
    fn resolve(&self, pick: &mut dyn FnMut(&str, Range) -> f64) -> Workload<f64> {
        let name = &self.name;
        let mut named = |field: &str, range: Range| pick(&format!("{name}: {field}"), range);
        Workload {
            name: name.clone(),
            bought_chips: named("chips", self.bought_chips),
            growth_per_year: named("growth", self.growth_per_year),
            performance_ratio: named("performance ratio", self.performance_ratio),
            port_usd_m: named("porting", self.port_usd_m),
            port_quarters: self.port_quarters,
        }
    }
}

/// What a year of one chip costs, in dollars.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ChipYear {
    /// Capital recovered over the useful life at the cost of capital.
    pub capital_usd: f64,
    /// Power.
    pub power_usd: f64,
}

impl ChipYear {
    /// The sum.
    #[must_use]
    pub fn total_usd(self) -> f64 {
        self.capital_usd + self.power_usd
    }
}

fn chip_year(
    point: &SiliconScenario<f64>,
    capital_usd: f64,
    life_years: f64,
    power_kw: f64,
) -> ChipYear {
    let factor = cashflow::capital_recovery_factor(point.discount_rate, life_years);
    ChipYear {
        capital_usd: capital_usd * factor,
        power_usd: power_kw * HOURS_PER_YEAR * point.electricity_usd_per_kwh,
    }
}

/// A year of the own chip.
#[must_use]
pub fn own_year(point: &SiliconScenario<f64>) -> ChipYear {
    let own = &point.own;
    chip_year(
        point,
        own.unit_cost_usd,
        own.useful_life_years,
        own.power_kw,
    )
}

/// A year of the bought chip.
#[must_use]
pub fn bought_year(point: &SiliconScenario<f64>) -> ChipYear {
    let bought = &point.bought;
    chip_year(
        point,
        bought.unit_price_usd,
        bought.useful_life_years,
        bought.power_kw,
    )
}

/// What the own chip saves on one workload.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WorkloadResult {
    /// The workload.
    pub name: String,
    /// Saved a year for each bought chip replaced, in dollars; negative when the own chip is
    /// dearer for this workload.
    pub saving_usd_per_bought_chip_year: f64,
    /// True when its saving would exceed the cost of porting it if there were enough own chips.
    pub worth_porting: bool,
    /// Bought chips replaced, on average over the years after it was ported.
    pub replaced_chips: f64,
    /// Saved over the horizon, in millions of dollars, not discounted, porting left out.
    pub saved_usd_m: f64,
}

/// What a resolved scenario brings at one adoption lag.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// How late demand grows.
    pub adoption_lag_quarters: u32,
    /// Net present value in millions of dollars.
    pub npv_usd_m: f64,
    /// The quarter in which the cumulative cash becomes zero or more and stays so.
    pub break_even: Option<Quarter>,
    /// The number of own chips in service, on average over their useful life, at which the savings just pay
    /// back design, upkeep and porting; none when an own chip saves nothing.
    pub break_even_chips: Option<f64>,
    /// The price of the bought chip at which the own chip stops paying, in dollars.
    pub indifference_price_usd: Option<f64>,
    /// The supplier's margin on the bought chips replaced at the end, in millions of dollars.
    pub supplier_margin_avoided_usd_m: f64,
    /// Spent on design, upkeep and porting over the horizon, in millions of dollars.
    pub spent_usd_m: f64,
    /// Workloads in the scenario's order.
    pub workloads: Vec<WorkloadResult>,
    /// Cash of each quarter, in millions of dollars.
    pub cash_usd_m: Vec<f64>,
}

/// Ranges at one adoption lag.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ranges {
    /// How late demand grows.
    pub adoption_lag_quarters: u32,
    /// Net present value in millions of dollars.
    pub npv_usd_m: Spread,
    /// Years from the start to break-even.
    pub break_even_years: Spread,
    /// Chips at break-even.
    pub break_even_chips: Spread,
}

/// Everything that the report shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SiliconReport {
    /// A year of the own chip.
    pub own_year: ChipYear,
    /// A year of the bought chip.
    pub bought_year: ChipYear,
    /// At the likeliest values, one for each lag.
    pub outcomes: Vec<Outcome>,
    /// Over the ranges, one for each lag.
    pub ranges: Vec<Ranges>,
    /// What moves the net present value at the first lag.
    pub tornado: Vec<Swing>,
}

/// Runs the question at every lag, with ranges and sensitivity.
#[must_use]
pub fn report(scenario: &SiliconScenario) -> SiliconReport {
    let mid = scenario.mid();
    let lags = &scenario.adoption_lag_quarters;
    let first = lags.first().copied().unwrap_or(0);
    SiliconReport {
        own_year: own_year(&mid),
        bought_year: bought_year(&mid),
        outcomes: lags.iter().map(|lag| outcome(&mid, *lag)).collect(),
        ranges: lags.iter().map(|lag| ranges(scenario, *lag)).collect(),
        tornado: uncertainty::tornado(scenario, |p| npv_of(p, &run(p, first).cash)),
    }
}

fn ranges(scenario: &SiliconScenario, lag: u32) -> Ranges {
    let [npv_usd_m, break_even_years, break_even_chips] =
        uncertainty::monte_carlo(scenario, scenario.draws, scenario.seed, |p| {
            let run = run(p, lag);
            let years = cashflow::payback_years(&run.cash, 0.25);
            [Some(npv_of(p, &run.cash)), years, break_even_chips(p, &run)]
        });
    Ranges {
        adoption_lag_quarters: lag,
        npv_usd_m,
        break_even_years,
        break_even_chips,
    }
}

struct Run {
    /// Cash by quarter, millions of dollars.
    cash: Vec<f64>,
    workloads: Vec<WorkloadResult>,
    spent_usd_m: f64,
    /// Own chips in service summed over quarters, and the savings they brought in dollars.
    own_chip_quarters: f64,
    saved_usd: f64,
    replaced_at_end: f64,
}

/// Demand of a workload in bought chips, `quarter` quarters from the start.
fn demand(workload: &Workload<f64>, quarter: u32, lag: u32) -> f64 {
    let years = f64::from(quarter.saturating_sub(lag)) / 4.0;
    workload.bought_chips * libm::pow(1.0 + workload.growth_per_year, years)
}

fn saving_year(point: &SiliconScenario<f64>, workload: &Workload<f64>) -> f64 {
    bought_year(point).total_usd() - own_year(point).total_usd() / workload.performance_ratio
}

fn run(point: &SiliconScenario<f64>, lag: u32) -> Run {
    let count = point.horizon_years * 4;
    let own = &point.own;
    let order = porting_order(point, lag);
    let mut results: Vec<WorkloadResult> = point
        .workload
        .iter()
        .map(|w| WorkloadResult {
            name: w.name.clone(),
            saving_usd_per_bought_chip_year: saving_year(point, w),
            worth_porting: false,
            replaced_chips: 0.0,
            saved_usd_m: 0.0,
        })
        .collect();
    order.iter().for_each(|i| results[*i].worth_porting = true);
    let mut run = Run {
        cash: Vec::new(),
        workloads: Vec::new(),
        spent_usd_m: 0.0,
        own_chip_quarters: 0.0,
        saved_usd: 0.0,
        replaced_at_end: 0.0,
    };
    for quarter in 0..count {
        let spent = spending_usd_m(point, &order, quarter);
        let mut free = own_chips(own, quarter);
        let mut saved = 0.0;
        run.replaced_at_end = 0.0;
        for i in &order {
            let workload = &point.workload[*i];
            if quarter < own.design_quarters + workload.port_quarters {
                continue;
            }
            let ratio = workload.performance_ratio;
            let replaced = demand(workload, quarter, lag).min(free * ratio);
            free -= replaced / ratio;
            run.own_chip_quarters += replaced / ratio;
            let part = replaced * results[*i].saving_usd_per_bought_chip_year / 4.0;
            saved += part;
            results[*i].saved_usd_m += part / 1e6;
            let ported = count
                - own
                    .design_quarters
                    .saturating_add(workload.port_quarters)
                    .min(count);
            results[*i].replaced_chips += replaced / f64::from(ported.max(1));
            run.replaced_at_end += replaced;
        }
        run.spent_usd_m += spent;
        run.saved_usd += saved;
        run.cash.push(saved / 1e6 - spent);
    }
    run.workloads = results;
    run
}

/// Workloads worth porting, those that save most on each own chip first.
fn porting_order(point: &SiliconScenario<f64>, lag: u32) -> Vec<usize> {
    let per_own_chip = |i: usize| {
        let workload = &point.workload[i];
        saving_year(point, workload) * workload.performance_ratio
    };
    let worth = |i: &usize| {
        let workload = &point.workload[*i];
        let from = point.own.design_quarters + workload.port_quarters;
        let saving = saving_year(point, workload) / 4.0;
        let saved: f64 = (from..point.horizon_years * 4)
            .map(|q| {
                let chips = demand(workload, q, lag);
                let discount = libm::pow(1.0 + point.discount_rate, -f64::from(q - from) / 4.0);
                chips.min(own_chips(&point.own, q) * workload.performance_ratio) * saving * discount
            })
            .sum();
        saving > 0.0 && saved > workload.port_usd_m * 1e6
    };
    let mut order: Vec<usize> = (0..point.workload.len()).filter(worth).collect();
    order.sort_by(|a, b| per_own_chip(*b).total_cmp(&per_own_chip(*a)).then(a.cmp(b)));
    order
}

/// Own chips in service in a quarter.
fn own_chips(own: &OwnChip<f64>, quarter: u32) -> f64 {
    let Some(age) = quarter.checked_sub(own.design_quarters) else {
        return 0.0;
    };
    let steps = f64::from(age + 1) / f64::from(own.ramp_quarters);
    own.volume_chips * steps.min(1.0)
}

fn spending_usd_m(point: &SiliconScenario<f64>, order: &[usize], quarter: u32) -> f64 {
    let own = &point.own;
    let mut spent = if quarter < own.design_quarters {
        own.design_usd_m / f64::from(own.design_quarters)
    } else {
        own.upkeep_usd_m_per_year / 4.0
    };
    for i in order {
        let workload = &point.workload[*i];
        // Porting is paid in equal parts until it is done, at once when it takes no time.
        let quarters = workload.port_quarters.max(1);
        if quarter >= own.design_quarters && quarter < own.design_quarters + quarters {
            spent += workload.port_usd_m / f64::from(quarters);
        }
    }
    spent
}

fn npv_of(point: &SiliconScenario<f64>, cash: &[f64]) -> f64 {
    cashflow::npv(point.discount_rate, cash, 0.125, 0.25)
}

/// The quarter in which the running sum becomes zero or more and stays so.
fn break_even_quarter(cash: &[f64]) -> Option<i32> {
    // A sum that reaches zero at the very end of a quarter reaches it in that quarter.
    let quarters = cashflow::payback_years(cash, 1.0)?;
    Some((libm::ceil(quarters) as i32 - 1).max(0))
}

fn break_even_chips(point: &SiliconScenario<f64>, run: &Run) -> Option<f64> {
    if run.own_chip_quarters <= 0.0 || run.saved_usd <= 0.0 {
        return None;
    }
    let saving_per_chip_year = run.saved_usd / run.own_chip_quarters * 4.0;
    let life = point.own.useful_life_years;
    Some(run.spent_usd_m * 1e6 / (saving_per_chip_year * life))
}

/// The outcome of a resolved scenario at one adoption lag.
#[must_use]
pub fn outcome(point: &SiliconScenario<f64>, lag: u32) -> Outcome {
    let done = run(point, lag);
    let at_price = |price: f64| {
        let mut changed = point.clone();
        changed.bought.unit_price_usd = price;
        npv_of(&changed, &run(&changed, lag).cash)
    };
    let price = point.bought.unit_price_usd;
    Outcome {
        adoption_lag_quarters: lag,
        npv_usd_m: npv_of(point, &done.cash),
        break_even: break_even_quarter(&done.cash).map(|q| point.start.plus(q)),
        break_even_chips: break_even_chips(point, &done),
        indifference_price_usd: cashflow::bisect(0.0, price * 10.0, at_price),
        supplier_margin_avoided_usd_m: done.replaced_at_end
            * price
            * point.bought.supplier_margin_share
            / 1e6,
        spent_usd_m: done.spent_usd_m,
        workloads: done.workloads,
        cash_usd_m: done.cash,
    }
}

//! Schedules a contracted backlog on capacity as it arrives.
//!
//! Holds the month by month allocation of promised tokens to bought chips and own silicon: how
//! much moves, when, at what margin, and what is at risk. Each month is solved exactly as a small
//! linear program (the most value of served tokens under the month's chip-hours); months are
//! solved one after the other, without foresight. Tokens that would cost more than their price
//! and penalty together are not served and show up as lost.

mod scenario;

pub use scenario::{Arrival, BacklogScenario, ChipKind, Contract, Rate};

use serde::Serialize;

use super::calendar::Month;
use super::simplex::Program;

/// Hours in a month of a 365-day year.
pub const HOURS_PER_MONTH: f64 = 730.0;

/// Amounts of tokens below this share of a month's volume are rounding errors, not volume.
const ROUNDING: f64 = 1e-9;

/// One contract over the plan. Tokens are in millions.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ContractResult {
    /// The contract.
    pub name: String,
    /// Falls due inside the plan.
    pub due_million: f64,
    /// Falls due after the plan.
    pub beyond_million: f64,
    /// Served on bought chips.
    pub bought_million: f64,
    /// Served on own silicon.
    pub own_million: f64,
    /// Not served within the grace period.
    pub lost_million: f64,
    /// Due, not served, and still within the grace period at the end of the plan.
    pub waiting_million: f64,
    /// Revenue of what was served, in dollars.
    pub revenue_usd: f64,
    /// Cost of the chip-hours that served it, in dollars.
    pub cost_usd: f64,
    /// Penalties for what was lost, in dollars.
    pub penalty_usd: f64,
    /// The first month in which own silicon served it.
    pub first_own_month: Option<Month>,
}

impl ContractResult {
    /// Revenue less cost and penalties, in dollars.
    #[must_use]
    pub fn profit_usd(&self) -> f64 {
        self.revenue_usd - self.cost_usd - self.penalty_usd
    }

    /// Share of the served tokens that own silicon served.
    #[must_use]
    pub fn moved_share(&self) -> Option<f64> {
        let served = self.bought_million + self.own_million;
        (served > 0.0).then(|| self.own_million / served)
    }

    /// Revenue of lost and waiting tokens and the penalties on all of them, in dollars.
    #[must_use]
    pub fn at_risk_usd(&self, contract: &Contract) -> f64 {
        (self.lost_million + self.waiting_million)
            * contract.usd_per_million
            * (1.0 + contract.penalty_share)
    }

    fn add(&mut self, other: &Self) {
        self.due_million += other.due_million;
        self.beyond_million += other.beyond_million;
        self.bought_million += other.bought_million;
        self.own_million += other.own_million;
        self.lost_million += other.lost_million;
        self.waiting_million += other.waiting_million;
        self.revenue_usd += other.revenue_usd;
        self.cost_usd += other.cost_usd;
        self.penalty_usd += other.penalty_usd;
    }
}

/// One month of the plan. Tokens are in millions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MonthResult {
    /// The month.
    pub month: Month,
    /// Newly due.
    pub due_million: f64,
    /// Served on bought chips.
    pub bought_million: f64,
    /// Served on own silicon.
    pub own_million: f64,
    /// Lost for good this month.
    pub lost_million: f64,
    /// Due and waiting at the end of the month.
    pub waiting_million: f64,
    /// Share of the tokens served whose model own silicon could have served.
    pub portable_share: Option<f64>,
    /// Share of the bought chip-hours that were used; none without capacity.
    pub bought_use: Option<f64>,
    /// Share of the own chip-hours that were used; none without capacity.
    pub own_use: Option<f64>,
    /// Revenue less cost of the hours used and penalties, in dollars.
    pub profit_usd: f64,
    /// Revenue, in dollars.
    pub revenue_usd: f64,
    /// Cost of the hours that nobody used, in dollars.
    pub idle_usd: f64,
}

/// A schedule of the backlog.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Schedule {
    /// Months by which every later delivery of chips is late in this schedule.
    pub slip_months: u32,
    /// Quarters by which agentic demand is late in it.
    pub adoption_lag_quarters: u32,
    /// Contracts in the scenario's order.
    pub contracts: Vec<ContractResult>,
    /// Months.
    pub months: Vec<MonthResult>,
    /// All contracts together.
    pub total: ContractResult,
    /// Revenue and penalties of everything lost or waiting, in dollars.
    pub at_risk_usd: f64,
    /// Cost of the hours that nobody used, in dollars.
    pub idle_usd: f64,
}

/// Everything that a backlog report shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BacklogReport {
    /// With own silicon: for each adoption lag, one schedule for each slip.
    pub schedules: Vec<Schedule>,
    /// On bought chips alone, without slip, one for each adoption lag.
    pub bought_only: Vec<Schedule>,
}

/// Schedules the backlog at every adoption lag and slip, and on bought chips alone.
#[must_use]
pub fn report(scenario: &BacklogScenario) -> BacklogReport {
    let lags = &scenario.adoption_lag_quarters;
    let slips = |lag: u32| {
        let slips = scenario.slip_months.iter();
        slips.map(move |slip| schedule(scenario, *slip, lag))
    };
    let schedules = lags.iter().flat_map(|lag| slips(*lag)).collect();
    let mut without = scenario.clone();
    let own: Vec<String> = scenario
        .chip
        .iter()
        .filter(|c| c.own)
        .map(|c| c.name.clone())
        .collect();
    without.rate.retain(|rate| !own.contains(&rate.chip));
    without
        .arrival
        .retain(|arrival| !own.contains(&arrival.chip));
    BacklogReport {
        schedules,
        bought_only: lags.iter().map(|lag| schedule(&without, 0, *lag)).collect(),
    }
}

/// Schedules the backlog with every delivery after the first month late by `slip_months`, and
/// agentic demand by `adoption_lag_quarters`.
#[must_use]
pub fn schedule(
    scenario: &BacklogScenario,
    slip_months: u32,
    adoption_lag_quarters: u32,
) -> Schedule {
    let mut state = State {
        scenario,
        slip_months,
        adoption_lag_quarters,
        queues: vec![Vec::new(); scenario.contract.len()],
        contracts: scenario
            .contract
            .iter()
            .map(|c| ContractResult {
                name: c.name.clone(),
                ..ContractResult::default()
            })
            .collect(),
    };
    let months: Vec<MonthResult> = (0..scenario.months).map(|i| state.month(i)).collect();
    state.finish();
    let mut total = ContractResult {
        name: "total".to_owned(),
        ..ContractResult::default()
    };
    state.contracts.iter().for_each(|c| total.add(c));
    let at_risk = state
        .contracts
        .iter()
        .zip(&scenario.contract)
        .map(|(r, c)| r.at_risk_usd(c))
        .sum();
    Schedule {
        slip_months,
        adoption_lag_quarters,
        idle_usd: months.iter().map(|m| m.idle_usd).sum(),
        contracts: state.contracts,
        months,
        total,
        at_risk_usd: at_risk,
    }
}

/// Tokens due in one month and not yet served.
#[derive(Clone, Copy, Debug)]
struct Due {
    month: u32,
    million: f64,
}

struct State<'a> {
    scenario: &'a BacklogScenario,
    slip_months: u32,
    adoption_lag_quarters: u32,
    queues: Vec<Vec<Due>>,
    contracts: Vec<ContractResult>,
}

/// A way to serve a contract in a month.
struct Route {
    contract: usize,
    chip: usize,
    hours_per_million: f64,
    usd_per_million: f64,
    own: bool,
}

impl State<'_> {
    fn month(&mut self, index: u32) -> MonthResult {
        let month = self.scenario.start.plus(index as i32);
        let due_million = self.fall_due(index, month);
        let routes = self.routes(month);
        let hours = self.hours(index);
        let served = self.program(&routes, &hours).maximise();
        let mut result = MonthResult {
            month,
            due_million,
            bought_million: 0.0,
            own_million: 0.0,
            lost_million: 0.0,
            waiting_million: 0.0,
            portable_share: None,
            bought_use: None,
            own_use: None,
            profit_usd: 0.0,
            revenue_usd: 0.0,
            idle_usd: 0.0,
        };
        let mut used = vec![0.0; hours.len()];
        for (route, million) in routes.iter().zip(served) {
            used[route.chip] += million * route.hours_per_million;
            self.serve(route, million, month, &mut result);
        }
        self.measure(&routes, &hours, &used, &mut result);
        self.expire(index, &mut result);
        result
    }

    fn fall_due(&mut self, index: u32, month: Month) -> f64 {
        let mut sum = 0.0;
        for (i, contract) in self.scenario.contract.iter().enumerate() {
            let million = contract.monthly_due(month, self.adoption_lag_quarters);
            if million <= 0.0 {
                continue;
            }
            self.queues[i].push(Due {
                month: index,
                million,
            });
            self.contracts[i].due_million += million;
            sum += million;
        }
        sum
    }

    fn routes(&self, month: Month) -> Vec<Route> {
        let mut routes = Vec::new();
        for (i, contract) in self.scenario.contract.iter().enumerate() {
            for rate in &self.scenario.rate {
                if rate.model != contract.model || rate.from > month {
                    continue;
                }
                let chip = self.scenario.chip.iter().position(|c| c.name == rate.chip);
                let Some(chip) = chip else { continue };
                let kind = &self.scenario.chip[chip];
                let hours_per_million = 1.0 / rate.million_tokens_per_chip_hour;
                routes.push(Route {
                    contract: i,
                    chip,
                    hours_per_million,
                    usd_per_million: hours_per_million * kind.usd_per_chip_hour,
                    own: kind.own,
                });
            }
        }
        routes
    }

    /// Chip-hours that can be sold this month, by chip.
    fn hours(&self, index: u32) -> Vec<f64> {
        let month = self.scenario.start.plus(index as i32);
        let here = |arrival: &&Arrival| {
            let first = arrival.month <= self.scenario.start;
            let late = if first { 0 } else { self.slip_months as i32 };
            arrival.month.plus(late) <= month
        };
        let chips = |name: &str| -> f64 {
            let arrived = self.scenario.arrival.iter().filter(|a| a.chip == name);
            arrived.filter(here).map(|a| a.chips).sum()
        };
        self.scenario
            .chip
            .iter()
            .map(|kind| chips(&kind.name) * HOURS_PER_MONTH * kind.utilisation)
            .collect()
    }

    fn program(&self, routes: &[Route], hours: &[f64]) -> Program {
        let value = routes
            .iter()
            .map(|r| {
                let contract = &self.scenario.contract[r.contract];
                contract.usd_per_million * (1.0 + contract.penalty_share) - r.usd_per_million
            })
            .collect();
        let row = |coefficient: &dyn Fn(&Route) -> f64| routes.iter().map(coefficient).collect();
        let mut limits: Vec<(Vec<f64>, f64)> = Vec::new();
        for (i, queue) in self.queues.iter().enumerate() {
            let due = queue.iter().map(|d| d.million).sum();
            limits.push((row(&|r| f64::from(u8::from(r.contract == i))), due));
        }
        for (chip, limit) in hours.iter().enumerate() {
            let coefficient = |r: &Route| {
                if r.chip == chip {
                    r.hours_per_million
                } else {
                    0.0
                }
            };
            limits.push((row(&coefficient), *limit));
        }
        Program { value, limits }
    }

    fn serve(&mut self, route: &Route, million: f64, month: Month, result: &mut MonthResult) {
        let mut left = million;
        for due in &mut self.queues[route.contract] {
            let part = left.min(due.million);
            due.million -= part;
            left -= part;
        }
        let million = million - left;
        let contract = &self.scenario.contract[route.contract];
        if million <= ROUNDING * contract.tokens_million {
            return;
        }
        let totals = &mut self.contracts[route.contract];
        let revenue = million * contract.usd_per_million;
        let cost = million * route.usd_per_million;
        totals.revenue_usd += revenue;
        totals.cost_usd += cost;
        result.revenue_usd += revenue;
        result.profit_usd += revenue - cost;
        if route.own {
            totals.own_million += million;
            totals.first_own_month.get_or_insert(month);
            result.own_million += million;
        } else {
            totals.bought_million += million;
            result.bought_million += million;
        }
    }

    fn measure(&self, routes: &[Route], hours: &[f64], used: &[f64], result: &mut MonthResult) {
        let usage = |own: bool| {
            let kinds = self
                .scenario
                .chip
                .iter()
                .enumerate()
                .filter(|(_, k)| k.own == own);
            let (spent, had) = kinds.fold((0.0, 0.0), |(s, h), (i, _)| (s + used[i], h + hours[i]));
            (had > 0.0).then(|| spent / had)
        };
        result.bought_use = usage(false);
        result.own_use = usage(true);
        for (kind, (had, spent)) in self.scenario.chip.iter().zip(hours.iter().zip(used)) {
            result.idle_usd += (had - spent).max(0.0) * kind.usd_per_chip_hour;
        }
        let portable = |i: usize| routes.iter().any(|r| r.contract == i && r.own);
        let lag = self.adoption_lag_quarters;
        let open = |i: usize| self.scenario.contract[i].monthly_due(result.month, lag);
        let all: f64 = (0..self.scenario.contract.len()).map(open).sum();
        let could: f64 = (0..self.scenario.contract.len())
            .filter(|i| portable(*i))
            .map(open)
            .sum();
        result.portable_share = (all > 0.0).then(|| could / all);
    }

    fn expire(&mut self, index: u32, result: &mut MonthResult) {
        for (i, queue) in self.queues.iter_mut().enumerate() {
            let contract = &self.scenario.contract[i];
            let totals = &mut self.contracts[i];
            queue.retain(|due| {
                if due.million <= ROUNDING * contract.tokens_million {
                    // What rounding left over was served.
                    return false;
                }
                if index - due.month < contract.grace_months {
                    result.waiting_million += due.million;
                    return true;
                }
                let penalty = due.million * contract.usd_per_million * contract.penalty_share;
                totals.lost_million += due.million;
                totals.penalty_usd += penalty;
                result.lost_million += due.million;
                result.profit_usd -= penalty;
                false
            });
        }
    }

    fn finish(&mut self) {
        for (i, queue) in self.queues.iter().enumerate() {
            let totals = &mut self.contracts[i];
            totals.waiting_million = queue.iter().map(|d| d.million).sum();
            let promised = self.scenario.contract[i].tokens_million;
            let beyond = promised - totals.due_million;
            totals.beyond_million = if beyond > ROUNDING * promised {
                beyond
            } else {
                0.0
            };
        }
    }
}

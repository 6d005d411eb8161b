//! A capital plan: what it costs, what it earns, when it comes back.
//!
//! Holds the scenario and the figures derived from it: ranges, break-evens, sensitivity. The quarter by
//! quarter arithmetic is in [`engine`]. A scenario is self-contained: it states what the plan's own capital
//! earns, and the business that pays for the plan appears only as the cash that it provides.

pub mod engine;
mod scenario;

pub use engine::{Quarterly, Year, run};
pub use scenario::{AssetClass, Base, CashCost, Demand, InvestScenario, Spending};

use serde::Serialize;

use super::cashflow::{self, Irr};
use super::uncertainty::{self, Spread, Swing, Uncertain};

/// Utilisation and price are searched for a break-even up to these limits.
const MAX_PRICE_INDEX: f64 = 20.0;
/// The longest adoption lag that the search tries, in quarters.
const MAX_LAG_QUARTERS: u32 = 60;

/// What one resolved scenario brings at one adoption lag.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// How late agentic demand comes.
    pub adoption_lag_quarters: u32,
    /// Net present value in billions of dollars, flows discounted from the middle of each quarter.
    pub npv_usd_b: f64,
    /// Internal rate of return a year.
    pub irr: Irr,
    /// Years from the start until the cumulative free cash flow is and stays above zero.
    pub payback_years: Option<f64>,
    /// The deepest cumulative free cash flow, in billions of dollars, as a positive number.
    pub peak_funding_usd_b: f64,
    /// The full utilisation at which the net present value is zero; none if the value is below zero even at
    /// 100 %.
    pub break_even_utilisation: Option<f64>,
    /// The multiple of the planned price at which the net present value is zero.
    pub break_even_price_index: Option<f64>,
    /// The most earning capital without a buyer in any quarter, billions of dollars.
    pub stranded_peak_usd_b: f64,
    /// Depreciation of capacity without a buyer over the horizon, billions of dollars.
    pub stranded_depreciation_usd_b: f64,
    /// The years.
    pub years: Vec<Year>,
}

/// Ranges of the main figures at one adoption lag.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ranges {
    /// How late agentic demand comes.
    pub adoption_lag_quarters: u32,
    /// Net present value in billions of dollars.
    pub npv_usd_b: Spread,
    /// Internal rate of return a year.
    pub irr: Spread,
    /// Payback in years.
    pub payback_years: Spread,
    /// Peak funding in billions of dollars.
    pub peak_funding_usd_b: Spread,
    /// Free cash flow of plan and paying business in the first year, billions of dollars.
    pub first_year_fcf_usd_b: Spread,
    /// The years.
    pub years: Vec<YearRange>,
}

/// Ranges of one calendar year, in billions of dollars.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct YearRange {
    /// The calendar year.
    pub year: i32,
    /// Depreciation.
    pub depreciation_usd_b: Spread,
    /// Operating income.
    pub operating_income_usd_b: Spread,
    /// Free cash flow of the plan alone.
    pub free_cash_flow_usd_b: Spread,
}

/// Everything that a plan's report shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InvestReport {
    /// At the likeliest values, one for each adoption lag.
    pub outcomes: Vec<Outcome>,
    /// Over the ranges, one for each adoption lag.
    pub ranges: Vec<Ranges>,
    /// What moves the net present value at the first adoption lag, widest first.
    pub tornado: Vec<Swing>,
    /// The longest adoption lag at which the net present value is not negative, in quarters; none when it
    /// is negative even without a lag.
    pub latest_adoption_quarters: Option<u32>,
}

/// Runs a plan at every adoption lag, with ranges and sensitivity.
#[must_use]
pub fn report(scenario: &InvestScenario) -> InvestReport {
    let mid = scenario.mid();
    let lags = &scenario.adoption_lag_quarters;
    let first = lags.first().copied().unwrap_or(0);
    InvestReport {
        outcomes: lags.iter().map(|lag| outcome(&mid, *lag)).collect(),
        ranges: lags.iter().map(|lag| ranges(scenario, *lag)).collect(),
        tornado: uncertainty::tornado(scenario, |point| npv(point, first)),
        latest_adoption_quarters: latest_adoption(&mid),
    }
}

/// The net present value of a resolved scenario in billions of dollars.
#[must_use]
pub fn npv(point: &InvestScenario<f64>, adoption_lag_quarters: u32) -> f64 {
    npv_of(point, &run(point, adoption_lag_quarters))
}

fn npv_of(point: &InvestScenario<f64>, quarters: &[Quarterly]) -> f64 {
    let flows = flows(quarters);
    cashflow::npv(point.discount_rate, &flows, 0.125, 0.25)
}

fn flows(quarters: &[Quarterly]) -> Vec<f64> {
    quarters
        .iter()
        .map(|q| q.free_cash_flow_usd_b + q.terminal_usd_b)
        .collect()
}

/// The outcome of a resolved scenario at one adoption lag.
#[must_use]
pub fn outcome(point: &InvestScenario<f64>, adoption_lag_quarters: u32) -> Outcome {
    let quarters = run(point, adoption_lag_quarters);
    let flows = flows(&quarters);
    let operating: Vec<f64> = quarters.iter().map(|q| q.free_cash_flow_usd_b).collect();
    let at = |change: &dyn Fn(&mut InvestScenario<f64>)| {
        let mut changed = point.clone();
        change(&mut changed);
        npv(&changed, adoption_lag_quarters)
    };
    Outcome {
        adoption_lag_quarters,
        npv_usd_b: npv_of(point, &quarters),
        irr: cashflow::irr(&flows, 0.25),
        payback_years: cashflow::payback_years(&operating, 0.25),
        peak_funding_usd_b: peak_funding(&operating),
        break_even_utilisation: cashflow::bisect(0.0, 1.0, |u| at(&|p| p.demand.utilisation = u)),
        break_even_price_index: cashflow::bisect(0.0, MAX_PRICE_INDEX, |index| {
            at(&|p| p.classes.iter_mut().for_each(|c| c.scale_price(index)))
        }),
        stranded_peak_usd_b: quarters
            .iter()
            .map(|q| q.unsold_capital_usd_b)
            .fold(0.0, f64::max),
        stranded_depreciation_usd_b: quarters.iter().map(|q| q.unsold_depreciation_usd_b).sum(),
        years: engine::years(point, &quarters),
    }
}

fn peak_funding(flows: &[f64]) -> f64 {
    let mut sum = 0.0;
    let mut deepest: f64 = 0.0;
    for flow in flows {
        sum += flow;
        deepest = deepest.min(sum);
    }
    -deepest
}

fn ranges(scenario: &InvestScenario, lag: u32) -> Ranges {
    let mut years: Vec<[Vec<f64>; 3]> = Vec::new();
    let mut columns: [Vec<f64>; 5] = std::array::from_fn(|_| Vec::new());
    uncertainty::each_draw(scenario, scenario.draws, scenario.seed, |point| {
        let quarters = run(&point, lag);
        let operating: Vec<f64> = quarters.iter().map(|q| q.free_cash_flow_usd_b).collect();
        let of_years = engine::years(&point, &quarters);
        let figures = [
            Some(npv_of(&point, &quarters)),
            cashflow::irr(&flows(&quarters), 0.25).rate(),
            cashflow::payback_years(&operating, 0.25),
            Some(peak_funding(&operating)),
            of_years.first().and_then(|y| y.total_free_cash_flow_usd_b),
        ];
        columns
            .iter_mut()
            .zip(figures)
            .for_each(|(column, figure)| column.extend(figure));
        years.resize_with(of_years.len(), Default::default);
        for (column, year) in years.iter_mut().zip(&of_years) {
            column[0].push(year.depreciation_usd_b);
            column[1].push(year.operating_income_usd_b);
            column[2].push(year.free_cash_flow_usd_b);
        }
    });
    let spread = |values| Spread::new(values, scenario.draws);
    let [
        npv_usd_b,
        irr,
        payback_years,
        peak_funding_usd_b,
        first_year_fcf_usd_b,
    ] = columns.map(spread);
    let first = scenario.start.year();
    Ranges {
        adoption_lag_quarters: lag,
        npv_usd_b,
        irr,
        payback_years,
        peak_funding_usd_b,
        first_year_fcf_usd_b,
        years: (first..)
            .zip(years)
            .map(|(year, columns)| {
                let [
                    depreciation_usd_b,
                    operating_income_usd_b,
                    free_cash_flow_usd_b,
                ] = columns.map(spread);
                YearRange {
                    year,
                    depreciation_usd_b,
                    operating_income_usd_b,
                    free_cash_flow_usd_b,
                }
            })
            .collect(),
    }
}

fn latest_adoption(point: &InvestScenario<f64>) -> Option<u32> {
    // The value falls with the lag, so the last lag with a value of zero or more is found by
    // walking; 60 runs are cheaper than an argument about plateaus.
    (0..=MAX_LAG_QUARTERS)
        .take_while(|lag| npv(point, *lag) >= 0.0)
        .last()
}

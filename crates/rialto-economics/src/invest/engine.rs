//! A capital plan quarter by quarter.
//!
//! Holds the arithmetic of one resolved scenario: vintages of assets enter service, are written
//! off, and are sold as demand ramps up. No ranges, no search.

use serde::Serialize;

use super::scenario::{AssetClass, InvestScenario};
use crate::depreciation;

/// One quarter of a plan, in billions of dollars.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Quarterly {
    /// Spending on assets.
    pub capex_usd_b: f64,
    /// Spending by class, in the scenario's order.
    pub capex_by_class_usd_b: Vec<f64>,
    /// Straight-line depreciation.
    pub depreciation_usd_b: f64,
    /// Depreciation by class, in the scenario's order.
    pub depreciation_by_class_usd_b: Vec<f64>,
    /// Cost of the earning assets in service.
    pub earning_capital_usd_b: f64,
    /// The part of them that is sold, weighted by cost.
    pub sold_capital_usd_b: f64,
    /// The part that could be sold at full demand and is not.
    pub unsold_capital_usd_b: f64,
    /// Depreciation that falls on the unsold part.
    pub unsold_depreciation_usd_b: f64,
    /// Revenue.
    pub revenue_usd_b: f64,
    /// Cash costs.
    pub cash_cost_usd_b: f64,
    /// Revenue less cash costs and depreciation.
    pub operating_income_usd_b: f64,
    /// Tax after losses carried forward.
    pub tax_usd_b: f64,
    /// Revenue less cash costs, tax and capital spending.
    pub free_cash_flow_usd_b: f64,
    /// Worth of the remaining assets, in the last quarter only.
    pub terminal_usd_b: f64,
    /// Book value at the end of the quarter, assets not yet in service included.
    pub net_book_usd_b: f64,
}

/// One calendar year of a plan, in billions of dollars.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Year {
    /// The calendar year.
    pub year: i32,
    /// Spending on assets.
    pub capex_usd_b: f64,
    /// Spending by class, in the scenario's order.
    pub capex_by_class_usd_b: Vec<f64>,
    /// Straight-line depreciation.
    pub depreciation_usd_b: f64,
    /// Depreciation by class, in the scenario's order.
    pub depreciation_by_class_usd_b: Vec<f64>,
    /// Share of the earning assets in service that was sold; none while there are none.
    pub utilisation: Option<f64>,
    /// Revenue.
    pub revenue_usd_b: f64,
    /// Cash costs.
    pub cash_cost_usd_b: f64,
    /// Operating income.
    pub operating_income_usd_b: f64,
    /// Revenue less cash costs and tax.
    pub operating_cash_flow_usd_b: f64,
    /// Operating cash flow less spending.
    pub free_cash_flow_usd_b: f64,
    /// Running sum of the free cash flow.
    pub cumulative_usd_b: f64,
    /// Book value at the end of the year.
    pub net_book_usd_b: f64,
    /// Depreciation of capacity without a buyer.
    pub unsold_depreciation_usd_b: f64,
    /// Free cash flow of the plan and of the business that pays for it, if one is given and the plan spends
    /// in that year. In later years the business would have spending that the plan does not know.
    pub total_free_cash_flow_usd_b: Option<f64>,
}

/// Runs a resolved scenario. Demand for the agentic share of each vintage starts
/// `adoption_lag_quarters` after the vintage enters service.
#[must_use]
pub fn run(scenario: &InvestScenario<f64>, adoption_lag_quarters: u32) -> Vec<Quarterly> {
    let count = scenario.horizon_years as usize * 4;
    let blank = Quarterly {
        capex_by_class_usd_b: vec![0.0; scenario.classes.len()],
        depreciation_by_class_usd_b: vec![0.0; scenario.classes.len()],
        ..Quarterly::default()
    };
    let mut quarters = vec![blank; count];
    let mut gross = vec![0.0; count];
    for (index, class) in scenario.classes.iter().enumerate() {
        for (bought, usd_b) in purchases(scenario, class) {
            let lot = Lot {
                class,
                index,
                bought,
                usd_b,
            };
            place(
                scenario,
                &lot,
                adoption_lag_quarters,
                &mut quarters,
                &mut gross,
            );
        }
    }
    settle(scenario, &gross, &mut quarters);
    quarters
}

/// The spending on a class, by quarter of the plan.
fn purchases(scenario: &InvestScenario<f64>, class: &AssetClass<f64>) -> Vec<(usize, f64)> {
    let count = scenario.horizon_years as usize * 4;
    let mut bought = Vec::new();
    for spending in &class.capex {
        let of_year = |q: &usize| scenario.start.plus(*q as i32).year() == spending.year;
        let quarters: Vec<usize> = (0..count).filter(of_year).collect();
        let part = spending.usd_b / quarters.len().max(1) as f64;
        bought.extend(quarters.iter().map(|q| (*q, part)));
    }
    bought
}

struct Lot<'a> {
    class: &'a AssetClass<f64>,
    index: usize,
    bought: usize,
    usd_b: f64,
}

fn place(
    scenario: &InvestScenario<f64>,
    lot: &Lot<'_>,
    lag: u32,
    quarters: &mut [Quarterly],
    gross: &mut [f64],
) {
    let Lot {
        class,
        index,
        bought,
        usd_b,
    } = *lot;
    let service = bought + class.in_service_lag_quarters as usize;
    let life_quarters = class.useful_life_years * 4.0;
    for (q, quarter) in quarters.iter_mut().enumerate().skip(bought) {
        if q == bought {
            quarter.capex_usd_b += usd_b;
            quarter.capex_by_class_usd_b[index] += usd_b;
        }
        if q < service {
            continue;
        }
        let age = q - service;
        let present = usd_b * depreciation::in_life(life_quarters, age);
        let written = depreciation::straight_line_quarter(usd_b, 0.0, class.useful_life_years, age);
        quarter.depreciation_usd_b += written;
        quarter.depreciation_by_class_usd_b[index] += written;
        gross[q] += present;
        if let Some(rate) = class.revenue_usd_per_usd_year {
            let sold = utilisation(scenario, age, lag);
            let price = price_index(scenario, q);
            quarter.earning_capital_usd_b += present;
            quarter.sold_capital_usd_b += present * sold;
            quarter.unsold_capital_usd_b += present * (1.0 - sold_share(scenario, sold));
            quarter.revenue_usd_b += present * sold * rate * price / 4.0;
        }
    }
}

/// The share of sellable capacity that is sold.
fn sold_share(scenario: &InvestScenario<f64>, sold: f64) -> f64 {
    if scenario.demand.utilisation > 0.0 {
        sold / scenario.demand.utilisation
    } else {
        1.0
    }
}

/// The share of a vintage sold `age` quarters after it entered service.
#[must_use]
pub fn utilisation(scenario: &InvestScenario<f64>, age: usize, lag: u32) -> f64 {
    let demand = &scenario.demand;
    let ramp = |quarters: f64| {
        if quarters < 0.0 {
            return 0.0;
        }
        let done = if demand.ramp_quarters > 0.0 {
            (quarters / demand.ramp_quarters).min(1.0)
        } else {
            1.0
        };
        demand.ramp_start + (1.0 - demand.ramp_start) * done
    };
    let age = age as f64;
    let now = (1.0 - demand.agentic_share) * ramp(age);
    let later = demand.agentic_share * ramp(age - f64::from(lag));
    demand.utilisation * (now + later)
}

fn price_index(scenario: &InvestScenario<f64>, quarter: usize) -> f64 {
    libm::pow(
        1.0 + scenario.demand.price_change_per_year,
        quarter as f64 / 4.0,
    )
}

fn settle(scenario: &InvestScenario<f64>, gross: &[f64], quarters: &mut [Quarterly]) {
    let mut net_book = 0.0;
    let mut losses = 0.0;
    let last = quarters.len().saturating_sub(1);
    for (q, quarter) in quarters.iter_mut().enumerate() {
        net_book += quarter.capex_usd_b - quarter.depreciation_usd_b;
        quarter.net_book_usd_b = net_book;
        let in_service = gross.get(q).copied().unwrap_or(0.0);
        quarter.cash_cost_usd_b = scenario.cash_cost.share_of_revenue * quarter.revenue_usd_b
            + scenario.cash_cost.share_of_capital_per_year * in_service / 4.0;
        quarter.operating_income_usd_b =
            quarter.revenue_usd_b - quarter.cash_cost_usd_b - quarter.depreciation_usd_b;
        let taxable = (quarter.operating_income_usd_b - losses).max(0.0);
        losses = (losses - quarter.operating_income_usd_b).max(0.0);
        quarter.tax_usd_b = scenario.tax_rate * taxable;
        quarter.free_cash_flow_usd_b = quarter.revenue_usd_b
            - quarter.cash_cost_usd_b
            - quarter.tax_usd_b
            - quarter.capex_usd_b;
        if quarter.earning_capital_usd_b > 0.0 {
            let idle = quarter.unsold_capital_usd_b / quarter.earning_capital_usd_b;
            quarter.unsold_depreciation_usd_b = idle * quarter.depreciation_usd_b;
        }
        if q == last {
            quarter.terminal_usd_b = scenario.terminal_share_of_book * net_book;
        }
    }
}

/// Sums quarters to calendar years.
#[must_use]
pub fn years(scenario: &InvestScenario<f64>, quarters: &[Quarterly]) -> Vec<Year> {
    let classes = scenario.classes.len();
    let mut years: Vec<Year> = Vec::new();
    let mut cumulative = 0.0;
    let mut sold = (0.0, 0.0);
    for (q, quarter) in quarters.iter().enumerate() {
        let calendar = scenario.start.plus(q as i32).year();
        if years.last().is_none_or(|y| y.year != calendar) {
            let blank = vec![0.0; classes];
            years.push(Year {
                year: calendar,
                capex_by_class_usd_b: blank.clone(),
                depreciation_by_class_usd_b: blank,
                ..Year::default()
            });
            sold = (0.0, 0.0);
        }
        let Some(year) = years.last_mut() else {
            continue;
        };
        cumulative += quarter.free_cash_flow_usd_b;
        sold.0 += quarter.sold_capital_usd_b;
        sold.1 += quarter.earning_capital_usd_b;
        add(year, quarter);
        year.cumulative_usd_b = cumulative;
        year.utilisation = (sold.1 > 0.0).then(|| sold.0 / sold.1);
    }
    add_base(scenario, &mut years);
    years
}

fn add(year: &mut Year, quarter: &Quarterly) {
    year.capex_usd_b += quarter.capex_usd_b;
    year.depreciation_usd_b += quarter.depreciation_usd_b;
    year.revenue_usd_b += quarter.revenue_usd_b;
    year.cash_cost_usd_b += quarter.cash_cost_usd_b;
    year.operating_income_usd_b += quarter.operating_income_usd_b;
    year.operating_cash_flow_usd_b +=
        quarter.revenue_usd_b - quarter.cash_cost_usd_b - quarter.tax_usd_b;
    year.free_cash_flow_usd_b += quarter.free_cash_flow_usd_b;
    year.net_book_usd_b = quarter.net_book_usd_b;
    year.unsold_depreciation_usd_b += quarter.unsold_depreciation_usd_b;
    let spent = year
        .capex_by_class_usd_b
        .iter_mut()
        .zip(&quarter.capex_by_class_usd_b);
    spent.for_each(|(sum, part)| *sum += part);
    let written = year
        .depreciation_by_class_usd_b
        .iter_mut()
        .zip(&quarter.depreciation_by_class_usd_b);
    written.for_each(|(sum, part)| *sum += part);
}

fn add_base(scenario: &InvestScenario<f64>, years: &mut [Year]) {
    let Some(base) = &scenario.base else { return };
    let mut operating = base.operating_cash_flow_usd_b;
    for year in years {
        operating *= 1.0 + base.growth_per_year;
        if year.capex_usd_b > 0.0 {
            year.total_free_cash_flow_usd_b = Some(operating + year.free_cash_flow_usd_b);
        }
    }
}

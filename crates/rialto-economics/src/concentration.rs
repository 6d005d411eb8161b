//! Who depends on whom: shares of spend, tokens and capacity by vendor, chip, host and region.
//!
//! Holds shares, the Herfindahl-Hirschman index and its inverse (the number of equal parts that would be as
//! concentrated). Amounts without a name are reported as unattributed and never spread over the others. A
//! credit lowers the spend of the name it is for; what exceeds that spend is reported separately from the
//! shares.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::basis::Basis;
use super::input::{self, Fault, Validate};
use super::usage::UsageRow;

/// A part of the fleet or of the spend, as a scenario states it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pool {
    /// Who sells it; empty when not known.
    pub provider: String,
    /// The kind of chip; empty when not known.
    pub chip: String,
    /// Who runs the machines; empty when not known.
    pub host: String,
    /// Where they stand; empty when not known.
    pub region: String,
    /// Chips installed.
    pub chips: f64,
    /// Tokens served in the period.
    pub tokens: f64,
    /// Dollars spent in the period.
    pub spend_usd: f64,
    /// How the figures came to be.
    pub basis: Basis,
    /// Where they come from.
    pub source: String,
}

/// A fleet described as pools.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConcentrationScenario {
    /// What it is called.
    pub name: String,
    /// The pools.
    pub pool: Vec<Pool>,
}

impl Validate for ConcentrationScenario {
    fn validate(&self) -> Result<(), Fault> {
        input::name("name", &self.name)?;
        input::count("pool", self.pool.len(), 10_000)?;
        for (i, pool) in self.pool.iter().enumerate() {
            input::non_negative(&format!("pool[{i}].chips"), pool.chips)?;
            input::non_negative(&format!("pool[{i}].tokens"), pool.tokens)?;
            input::non_negative(&format!("pool[{i}].spend_usd"), pool.spend_usd)?;
            input::name(&format!("pool[{i}].source"), &pool.source)?;
        }
        let sums = [
            self.pool.iter().map(|p| p.chips).sum::<f64>(),
            self.pool.iter().map(|p| p.tokens).sum(),
            self.pool.iter().map(|p| p.spend_usd).sum(),
        ];
        if sums.iter().all(|sum| *sum == 0.0) {
            return Err(Fault::new(
                "pool",
                "zero capacity: no chips, tokens or spend anywhere",
            ));
        }
        Ok(())
    }
}

/// What a share is a share of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Dollars spent.
    Spend,
    /// Tokens served.
    Tokens,
    /// Chips installed, or seconds of chips used.
    Capacity,
}

/// One name's share.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Share {
    /// The name; none for what is unattributed.
    pub name: Option<String>,
    /// Dollars, tokens or chips.
    pub amount: f64,
    /// Share of the total, unattributed included.
    pub share: f64,
}

/// Concentration of one measure along one dimension.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Concentration {
    /// `vendor`, `model`, `chip`, `host`, `region`, `owner` or `agent`.
    pub dimension: &'static str,
    /// What the shares are of.
    pub measure: Measure,
    /// The unit of the amounts: `dollars`, `paid` (the deals' asset), `tokens`, `chips` or
    /// `chip-seconds`.
    pub unit: &'static str,
    /// The total of the shares, unattributed included.
    pub total: f64,
    /// Credits beyond the spend of the name they are for: they are in nobody's share and not in the total.
    /// The total less these credits is what was paid.
    pub credit_left: f64,
    /// Largest first, unattributed last.
    pub shares: Vec<Share>,
    /// Herfindahl-Hirschman index over the attributed part, 0 to 1; none when there is none.
    pub hhi: Option<f64>,
    /// One over the index: the number of equal parts that would be as concentrated.
    pub effective_count: Option<f64>,
    /// The weakest basis among the figures.
    pub basis: Basis,
}

/// A named amount with its basis.
type Amount<'a> = (&'a str, f64, Basis);

fn concentration<'a>(
    dimension: &'static str,
    measure: Measure,
    unit: &'static str,
    amounts: impl Iterator<Item = Amount<'a>>,
) -> Option<Concentration> {
    let mut by_name: BTreeMap<&str, f64> = BTreeMap::new();
    let mut basis = Basis::Measured;
    for (name, amount, from) in amounts.filter(|(_, amount, _)| *amount != 0.0) {
        *by_name.entry(name).or_default() += amount;
        basis = basis.max(from);
    }
    let below = by_name.values().filter(|sum| **sum < 0.0);
    let credit_left = 0.0 - below.sum::<f64>();
    by_name.retain(|_, sum| *sum > 0.0);
    let total: f64 = by_name.values().sum();
    if total <= 0.0 && credit_left <= 0.0 {
        return None;
    }
    let unattributed = by_name.remove("").unwrap_or(0.0);
    let attributed = total - unattributed;
    let hhi = (!by_name.is_empty()).then(|| {
        by_name
            .values()
            .map(|a| (a / attributed) * (a / attributed))
            .sum::<f64>()
    });
    let mut shares: Vec<Share> = by_name
        .into_iter()
        .map(|(name, amount)| Share {
            name: Some(name.to_owned()),
            amount,
            share: amount / total,
        })
        .collect();
    shares.sort_by(|a, b| {
        b.amount
            .total_cmp(&a.amount)
            .then_with(|| a.name.cmp(&b.name))
    });
    if unattributed > 0.0 {
        shares.push(Share {
            name: None,
            amount: unattributed,
            share: unattributed / total,
        });
    }
    let effective_count = hhi.map(|h| 1.0 / h);
    Some(Concentration {
        dimension,
        measure,
        unit,
        total,
        credit_left,
        shares,
        hhi,
        effective_count,
        basis,
    })
}

/// Concentration of a fleet by vendor, chip, host and region, for every measure it has.
#[must_use]
pub fn of_scenario(scenario: &ConcentrationScenario) -> Vec<Concentration> {
    type Key = fn(&Pool) -> &str;
    type Value = fn(&Pool) -> f64;
    let dimensions: [(&'static str, Key); 4] = [
        ("vendor", |p| &p.provider),
        ("chip", |p| &p.chip),
        ("host", |p| &p.host),
        ("region", |p| &p.region),
    ];
    let measures: [(Measure, &'static str, Value); 3] = [
        (Measure::Spend, "dollars", |p| p.spend_usd),
        (Measure::Tokens, "tokens", |p| p.tokens),
        (Measure::Capacity, "chips", |p| p.chips),
    ];
    let mut all = Vec::new();
    for (dimension, key) in dimensions {
        for (measure, unit, value) in measures {
            let amounts = scenario.pool.iter().map(|p| (key(p), value(p), p.basis));
            all.extend(concentration(dimension, measure, unit, amounts));
        }
    }
    all
}

/// A settled deal, with what the seller's listing says about where the capacity comes from. A field that
/// the listing does not state is empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SettledDeal {
    /// Who was paid.
    pub provider: String,
    /// The chip's vendor.
    pub vendor: String,
    /// The model.
    pub model: String,
    /// The kind of chip.
    pub chip: String,
    /// The host that runs the machines.
    pub host: String,
    /// The region of the machines.
    pub region: String,
    /// What was paid, in whole units of the asset.
    pub paid: f64,
    /// Tokens of every kind that were agreed on.
    pub tokens: f64,
    /// Chip-seconds behind them, by the seller's price list.
    pub chip_seconds: f64,
}

/// Concentration of settled deals by provider, vendor, model, chip, host and region: of what was paid and
/// of the tokens agreed on (both measured), and of chip-seconds (modelled). What a listing says about the
/// chip is the seller's statement.
#[must_use]
pub fn of_deals(deals: &[SettledDeal]) -> Vec<Concentration> {
    type Key = fn(&SettledDeal) -> &str;
    type Value = fn(&SettledDeal) -> f64;
    let dimensions: [(&'static str, Key); 6] = [
        ("provider", |d| &d.provider),
        ("vendor", |d| &d.vendor),
        ("model", |d| &d.model),
        ("chip", |d| &d.chip),
        ("host", |d| &d.host),
        ("region", |d| &d.region),
    ];
    let measures: [(Measure, &'static str, Basis, Value); 3] = [
        (Measure::Spend, "paid", Basis::Measured, |d| d.paid),
        (Measure::Tokens, "tokens", Basis::Measured, |d| d.tokens),
        (Measure::Capacity, "chip-seconds", Basis::Modelled, |d| {
            d.chip_seconds
        }),
    ];
    let mut all = Vec::new();
    for (dimension, key) in dimensions {
        for (measure, unit, basis, value) in measures {
            let amounts = deals.iter().map(|d| (key(d), value(d), basis));
            all.extend(concentration(dimension, measure, unit, amounts));
        }
    }
    all
}

/// Concentration of a usage table by vendor, model, chip, host, region, owner and agent.
#[must_use]
pub fn of_usage(rows: &[UsageRow]) -> Vec<Concentration> {
    type Key = fn(&UsageRow) -> &str;
    type Value = fn(&UsageRow) -> f64;
    let dimensions: [(&'static str, Key); 7] = [
        ("vendor", |r| &r.provider),
        ("model", |r| &r.model),
        ("chip", |r| &r.chip),
        ("host", |r| &r.host),
        ("region", |r| &r.region),
        ("owner", |r| &r.owner),
        ("agent", |r| &r.agent),
    ];
    let measures: [(Measure, &'static str, Value); 3] = [
        (Measure::Spend, "dollars", |r| r.spend_usd),
        (Measure::Tokens, "tokens", |r| r.tokens),
        (Measure::Capacity, "chip-seconds", |r| {
            r.chip_seconds.unwrap_or(0.0)
        }),
    ];
    let mut all = Vec::new();
    for (dimension, key) in dimensions {
        for (measure, unit, value) in measures {
            let amounts = rows.iter().map(|r| (key(r), value(r), r.basis));
            all.extend(concentration(dimension, measure, unit, amounts));
        }
    }
    all
}

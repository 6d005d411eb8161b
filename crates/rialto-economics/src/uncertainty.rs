//! Ranges instead of single numbers: one-at-a-time sensitivity and seeded Monte Carlo.
//!
//! A scenario is generic over its number: `Scenario<Range>` as written by a person, `Scenario<f64>` once
//! every range is resolved to one value. This module does not know what a scenario means.

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use rialto_random::Xoshiro256;

/// A value with its lowest, likeliest and highest believable figure. In TOML either a plain
/// number or `{ low = …, mid = …, high = … }`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Range {
    /// The lowest believable value.
    pub low: f64,
    /// The likeliest value.
    pub mid: f64,
    /// The highest believable value.
    pub high: f64,
}

impl Range {
    /// A value that is certain.
    #[must_use]
    pub const fn exact(value: f64) -> Self {
        Self {
            low: value,
            mid: value,
            high: value,
        }
    }

    /// A range from its three values.
    #[must_use]
    pub const fn new(low: f64, mid: f64, high: f64) -> Self {
        Self { low, mid, high }
    }

    /// The value at probability `u` of the triangular distribution of this range.
    #[must_use]
    pub fn at(self, u: f64) -> f64 {
        let width = self.high - self.low;
        if width <= 0.0 {
            return self.mid;
        }
        let peak = (self.mid - self.low) / width;
        if u < peak {
            self.low + libm::sqrt(u * width * (self.mid - self.low))
        } else {
            self.high - libm::sqrt((1.0 - u) * width * (self.high - self.mid))
        }
    }
}

impl<'de> Deserialize<'de> for Range {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RangeVisitor)
    }
}

struct RangeVisitor;

impl<'de> Visitor<'de> for RangeVisitor {
    type Value = Range;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number or { low, mid, high }")
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Range, E> {
        Ok(Range::exact(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Range, E> {
        Ok(Range::exact(value as f64))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Range, A::Error> {
        let mut values: [Option<f64>; 3] = [None; 3];
        while let Some(key) = map.next_key::<String>()? {
            let index = match key.as_str() {
                "low" => 0,
                "mid" => 1,
                "high" => 2,
                other => return Err(de::Error::unknown_field(other, &["low", "mid", "high"])),
            };
            values[index] = Some(map.next_value()?);
        }
        match values {
            [Some(low), Some(mid), Some(high)] => Ok(Range { low, mid, high }),
            [None, _, _] => Err(de::Error::missing_field("low")),
            [_, None, _] => Err(de::Error::missing_field("mid")),
            [_, _, None] => Err(de::Error::missing_field("high")),
        }
    }
}

/// A scenario whose ranges can be resolved to single values.
pub trait Uncertain {
    /// The scenario with single values.
    type Point;

    /// Resolves every range with `pick`, always in the same order, each with its dotted name.
    fn resolve(&self, pick: &mut dyn FnMut(&str, Range) -> f64) -> Self::Point;

    /// The scenario at its likeliest values.
    fn mid(&self) -> Self::Point {
        self.resolve(&mut |_, range| range.mid)
    }
}

/// How a figure changes when one input moves over its range and the others stay at their likeliest values.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Swing {
    /// Dotted name of the input.
    pub input: String,
    /// The range of the input.
    pub range: Range,
    /// The figure at the low end.
    pub at_low: f64,
    /// The figure at the high end.
    pub at_high: f64,
}

impl Swing {
    /// Distance between the two ends.
    #[must_use]
    pub fn width(&self) -> f64 {
        (self.at_high - self.at_low).abs()
    }
}

/// One-at-a-time sensitivity of `figure`, widest first; inputs without a range are left out.
pub fn tornado<U: Uncertain>(scenario: &U, figure: impl Fn(&U::Point) -> f64) -> Vec<Swing> {
    let mut inputs: Vec<(String, Range)> = Vec::new();
    scenario.resolve(&mut |name, range| {
        inputs.push((name.to_owned(), range));
        range.mid
    });
    let evaluate = |target: usize, high: bool| {
        let mut index = 0;
        let point = scenario.resolve(&mut |_, range| {
            index += 1;
            match (index - 1 == target, high) {
                (true, true) => range.high,
                (true, false) => range.low,
                (false, _) => range.mid,
            }
        });
        figure(&point)
    };
    let mut swings: Vec<Swing> = inputs
        .iter()
        .enumerate()
        .filter(|(_, (_, range))| range.high > range.low)
        .map(|(index, (input, range))| Swing {
            input: input.clone(),
            range: *range,
            at_low: evaluate(index, false),
            at_high: evaluate(index, true),
        })
        .collect();
    swings.sort_by(|a, b| {
        b.width()
            .total_cmp(&a.width())
            .then_with(|| a.input.cmp(&b.input))
    });
    swings
}

/// Draws `draws` points with independent triangular inputs and evaluates `K` figures on each. The same seed
/// draws the same points, so that runs with different settings can be compared.
pub fn monte_carlo<U: Uncertain, const K: usize>(
    scenario: &U,
    draws: u32,
    seed: u64,
    figures: impl Fn(&U::Point) -> [Option<f64>; K],
) -> [Spread; K] {
    let mut samples: [Vec<f64>; K] = std::array::from_fn(|_| Vec::new());
    each_draw(scenario, draws, seed, |point| {
        for (column, value) in samples.iter_mut().zip(figures(&point)) {
            column.extend(value);
        }
    });
    samples.map(|values| Spread::new(values, draws))
}

/// Calls `visit` with `draws` random points of a scenario; the same seed gives the same points.
pub fn each_draw<U: Uncertain>(
    scenario: &U,
    draws: u32,
    seed: u64,
    mut visit: impl FnMut(U::Point),
) {
    let mut rng = Xoshiro256::new(seed);
    for _ in 0..draws {
        visit(scenario.resolve(&mut |_, range| range.at(rng.unit())));
    }
}

/// The distribution of one figure over a Monte Carlo run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// One draw in ten lies below this value.
    pub p10: Option<f64>,
    /// The median.
    pub p50: Option<f64>,
    /// One draw in ten lies above this value.
    pub p90: Option<f64>,
    /// Share of the draws in which the figure exists (a payback may never come).
    pub defined_share: f64,
    /// Share of all draws in which the figure exists and is below zero.
    pub negative_share: f64,
}

impl Spread {
    /// The distribution of the values that exist, out of `draws` draws.
    #[must_use]
    pub fn new(mut values: Vec<f64>, draws: u32) -> Self {
        values.sort_by(f64::total_cmp);
        let share = |count: usize| {
            if draws == 0 {
                0.0
            } else {
                count as f64 / f64::from(draws)
            }
        };
        Self {
            p10: quantile(&values, 0.1),
            p50: quantile(&values, 0.5),
            p90: quantile(&values, 0.9),
            defined_share: share(values.len()),
            negative_share: share(values.iter().filter(|v| **v < 0.0).count()),
        }
    }
}

/// The `q` quantile of sorted values, linear between neighbours; nothing when there are none.
#[must_use]
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = q.clamp(0.0, 1.0) * last as f64;
    let below = place as usize;
    let low = sorted.get(below)?;
    let high = sorted.get(below + 1).unwrap_or(low);
    Some(low + (high - low) * (place - below as f64))
}

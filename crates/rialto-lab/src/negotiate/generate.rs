//! Generates domains from a seed, in many shapes of issues and preferences.
//!
//! Holds the shapes and their generator. A shape and a seed always give the same domain. The shapes for
//! tuning differ from those for reporting on purpose; docs/negotiation.md says which are which.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::domain::{Cell, DomainSpec, Issue, IssueValue, Linear, ProfileSpec, Triangular};
use rialto_random::SplitMix64;

/// What kind of domain is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Two to four issues of three to six values, preferences at random.
    Small,
    /// Four to six issues of three to seven values, preferences at random.
    Medium,
    /// One side wants nearly the opposite of the other.
    Opposed,
    /// Reservation values up to a half and discounts.
    Pressed,
    /// Price, amount and quality: continuous, integer and categorical issues.
    Trade,
    /// Worth by outcome, not a sum: some values count only together.
    Bundles,
    /// Ten to fourteen issues of two values.
    Switches,
    /// Few values count much and most count little.
    Steep,
}

/// Every shape, in order.
pub const SHAPES: &[(Shape, &str)] = &[
    (Shape::Small, "small"),
    (Shape::Medium, "medium"),
    (Shape::Opposed, "opposed"),
    (Shape::Pressed, "pressed"),
    (Shape::Trade, "trade"),
    (Shape::Bundles, "bundles"),
    (Shape::Switches, "switches"),
    (Shape::Steep, "steep"),
];

impl Shape {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        let found = SHAPES.iter().find(|(shape, _)| *shape == self);
        found.map_or("", |(_, name)| name)
    }
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = SHAPES.iter().find(|(_, name)| *name == text);
        let names: Vec<&str> = SHAPES.iter().map(|(_, name)| *name).collect();
        let wrong = || {
            format!(
                "no shape is named \"{text}\"; there are {}",
                names.join(", ")
            )
        };
        found.map(|(shape, _)| *shape).ok_or_else(wrong)
    }
}

/// The domain of a shape and a seed.
#[must_use]
pub fn generate(shape: Shape, seed: u64) -> DomainSpec {
    let mut rng = SplitMix64::named(seed, &[shape as u64]);
    let name = format!("{}-{seed}", shape.name());
    if shape == Shape::Trade {
        return trade(name, &mut rng);
    }
    let (issues, values) = match shape {
        Shape::Small => (2 + rng.below(3), (3, 6)),
        Shape::Switches => (10 + rng.below(5), (2, 2)),
        Shape::Bundles => (3, (3, 7)),
        _ => (4 + rng.below(3), (3, 7)),
    };
    let sizes: Vec<usize> = (0..issues)
        .map(|_| values.0 + rng.below(values.1 - values.0 + 1))
        .collect();
    let list = sizes.iter().enumerate().map(|(i, size)| Issue {
        name: format!("i{}", i + 1),
        values: Some((1..=*size).map(|v| format!("v{v}")).collect()),
        integer: None,
        continuous: None,
        levels: None,
    });
    let issues: Vec<Issue> = list.collect();
    let profiles = if shape == Shape::Bundles {
        (0..2).map(|side| bundles(side, &sizes, &mut rng)).collect()
    } else {
        sums(shape, &sizes, &mut rng)
    };
    DomainSpec {
        name,
        issues,
        profiles,
    }
}

/// A domain of about as many outcomes as asked for, for measuring speed: issues of ten values.
#[must_use]
pub fn sized(outcomes: usize, seed: u64) -> DomainSpec {
    let mut rng = SplitMix64::named(seed, &[99, outcomes as u64]);
    let mut sizes = Vec::new();
    let mut left = outcomes.max(4);
    while left >= 20 {
        sizes.push(10);
        left /= 10;
    }
    sizes.push(left);
    let issues = sizes.iter().enumerate().map(|(i, size)| Issue {
        name: format!("i{}", i + 1),
        values: Some((1..=*size).map(|v| format!("v{v}")).collect()),
        integer: None,
        continuous: None,
        levels: None,
    });
    let issues = issues.collect();
    let profiles = sums(Shape::Medium, &sizes, &mut rng);
    DomainSpec {
        name: format!("sized-{outcomes}-{seed}"),
        issues,
        profiles,
    }
}

/// Weights that sum to one.
fn weights(count: usize, rng: &mut SplitMix64) -> Vec<f64> {
    let raw: Vec<f64> = (0..count)
        .map(|_| -libm::log(1.0 - rng.unit()) + 0.05)
        .collect();
    let sum: f64 = raw.iter().sum();
    raw.into_iter().map(|w| w / sum).collect()
}

/// Worth of an issue's values, from 0 to 1.
fn worth(size: usize, steep: bool, rng: &mut SplitMix64) -> Vec<f64> {
    let draw = |rng: &mut SplitMix64| {
        if steep {
            libm::pow(rng.unit(), 4.0)
        } else {
            rng.unit()
        }
    };
    let raw: Vec<f64> = (0..size).map(|_| draw(rng)).collect();
    let low = raw.iter().copied().fold(f64::INFINITY, f64::min);
    let high = raw.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    raw.into_iter().map(|v| (v - low) / (high - low)).collect()
}

fn sums(shape: Shape, sizes: &[usize], rng: &mut SplitMix64) -> Vec<ProfileSpec> {
    let steep = shape == Shape::Steep;
    let side = |rng: &mut SplitMix64| {
        let values: Vec<Vec<f64>> = sizes.iter().map(|size| worth(*size, steep, rng)).collect();
        (weights(sizes.len(), rng), values)
    };
    let first = side(rng);
    let mut second = side(rng);
    if shape == Shape::Opposed {
        let share = rng.within(0.7, 0.95);
        let mirrored = second.0.iter_mut().zip(second.1.iter_mut());
        for ((weight, values), (like, of)) in mirrored.zip(first.0.iter().zip(&first.1)) {
            *weight = share * like + (1.0 - share) * *weight;
            for (value, of) in values.iter_mut().zip(of) {
                *value = share * (1.0 - of) + (1.0 - share) * *value;
            }
        }
    }
    [first, second]
        .into_iter()
        .enumerate()
        .map(|(i, (weights, values))| {
            let part = |(i, (weight, values)): (usize, (f64, Vec<f64>))| IssueValue {
                issue: format!("i{}", i + 1),
                weight,
                values: Some(named(&values)),
                ..IssueValue::default()
            };
            let parts = weights
                .into_iter()
                .zip(values)
                .enumerate()
                .map(part)
                .collect();
            let mut profile = profile(i);
            profile.additive = Some(parts);
            press(&mut profile, shape, rng);
            profile
        })
        .collect()
}

fn named(values: &[f64]) -> BTreeMap<String, f64> {
    values
        .iter()
        .enumerate()
        .map(|(v, worth)| (format!("v{}", v + 1), *worth))
        .collect()
}

fn profile(side: usize) -> ProfileSpec {
    ProfileSpec {
        name: if side == 0 { "left" } else { "right" }.to_owned(),
        reservation: None,
        discount: 1.0,
        bias: 0.0,
        additive: None,
        table: None,
    }
}

/// Reservation values and discounts where a shape has them.
fn press(profile: &mut ProfileSpec, shape: Shape, rng: &mut SplitMix64) {
    if shape == Shape::Pressed {
        profile.reservation = Some(rng.within(0.0, 0.5));
        profile.discount = rng.within(0.5, 1.0);
    } else if rng.unit() < 0.5 {
        profile.reservation = Some(rng.within(0.0, 0.3));
    }
}

/// Worth by outcome: a sum over issues and as much again over pairs of values.
fn bundles(side: usize, sizes: &[usize], rng: &mut SplitMix64) -> ProfileSpec {
    let singles: Vec<Vec<f64>> = sizes.iter().map(|size| worth(*size, false, rng)).collect();
    let mut pairs = vec![vec![0.0; 64]; sizes.len()];
    for row in &mut pairs {
        row.iter_mut().for_each(|v| *v = rng.unit());
    }
    let mut rows = Vec::new();
    for a in 0..sizes[0] {
        for b in 0..sizes[1] {
            for c in 0..sizes[2] {
                let at = [a, b, c];
                let sum: f64 = (0..3).map(|i| singles[i][at[i]]).sum();
                let together: f64 = (0..3).map(|i| pairs[i][at[i] * 8 + at[(i + 1) % 3]]).sum();
                let mut row: Vec<Cell> = at
                    .iter()
                    .map(|v| Cell::Text(format!("v{}", v + 1)))
                    .collect();
                row.push(Cell::Number(sum + together));
                rows.push(row);
            }
        }
    }
    let mut profile = profile(side);
    profile.table = Some(rows);
    profile
}

/// A buyer and a seller: their interests are opposed on the price, but not on the rest.
fn trade(name: String, rng: &mut SplitMix64) -> DomainSpec {
    let issue = |name: &str| Issue {
        name: name.to_owned(),
        values: None,
        integer: None,
        continuous: None,
        levels: None,
    };
    let amount = 5 + rng.below(16) as i64;
    let grades = 3 + rng.below(3);
    let issues = vec![
        Issue {
            continuous: Some([10.0, 60.0]),
            levels: Some(51),
            ..issue("price")
        },
        Issue {
            integer: Some([1, amount]),
            ..issue("amount")
        },
        Issue {
            values: Some((1..=grades).map(|v| format!("v{v}")).collect()),
            ..issue("grade")
        },
    ];
    let profiles = (0..2)
        .map(|side| {
            let weights = weights(3, rng);
            let slope = if side == 0 { -0.02 } else { 0.02 };
            let line = Linear {
                offset: if side == 0 { 1.2 } else { -0.2 },
                slope,
            };
            let span = (amount - 1) as f64;
            let peak = 1.0 + rng.within(0.0, span);
            let triangle = Triangular {
                start: 1.0 - span,
                peak,
                end: 1.0 + 2.0 * span,
            };
            let grade = worth(grades, false, rng);
            let part = |issue: &str, weight| IssueValue {
                issue: issue.to_owned(),
                weight,
                ..IssueValue::default()
            };
            let mut profile = profile(side);
            profile.name = if side == 0 { "buyer" } else { "seller" }.to_owned();
            profile.additive = Some(vec![
                IssueValue {
                    linear: Some(line),
                    ..part("price", weights[0] + 0.3)
                },
                IssueValue {
                    triangular: Some(triangle),
                    ..part("amount", weights[1])
                },
                IssueValue {
                    values: Some(named(&grade)),
                    ..part("grade", weights[2])
                },
            ]);
            press(&mut profile, Shape::Trade, rng);
            profile
        })
        .collect();
    DomainSpec {
        name,
        issues,
        profiles,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::negotiate::domain::Domain;
    use crate::negotiate::native;

    #[test]
    fn every_shape_makes_valid_domains_that_a_seed_repeats() {
        for (shape, name) in SHAPES {
            assert_eq!(name.parse(), Ok(*shape));
            for seed in 0..50 {
                let spec = generate(*shape, seed);
                assert_eq!(spec, generate(*shape, seed));
                let domain = Domain::build(&spec).unwrap_or_else(|e| panic!("{e:?}"));
                let text = native::write(&spec).unwrap();
                assert_eq!(native::parse("d.json", &text), Ok(domain), "{name} {seed}");
            }
        }
    }

    #[test]
    fn a_sized_domain_has_about_its_size() {
        for outcomes in [10, 100, 1_000, 1_000_000] {
            let domain = Domain::build(&sized(outcomes, 1)).unwrap();
            assert_eq!(domain.space.len(), outcomes);
        }
    }
}

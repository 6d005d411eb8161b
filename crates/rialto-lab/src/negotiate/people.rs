//! Compares strategies with people, on the preferences of recorded human negotiations.
//!
//! Holds the reader of CaSiNo's outcomes (Chawla et al., NAACL 2021): campsite neighbours divide three
//! packages each of food, water and firewood, whose worth to each is 5, 4 or 3 points by their priority;
//! without a deal each gets 5 points. It never holds anything that people said.

use serde::{Deserialize, Serialize};

use super::domain::{
    Domain, DomainError, DomainSpec, Issue, IssueValue, Linear, Outcome, ProfileSpec,
};
use super::session::{Deadline, Settled, Still};
use super::strategy::Spec;
use super::tournament::{Mean, NegotiationScenario};
use rialto_random::SplitMix64;

/// What there is to divide, in the order of the issues.
const GOODS: [&str; 3] = ["Food", "Water", "Firewood"];
/// Packages of each.
const PACKAGES: i64 = 3;
/// Points a package, from the highest priority.
const POINTS: [f64; 3] = [5.0, 4.0, 3.0];
/// Points of each side without a deal.
pub const NO_DEAL: f64 = 5.0;

#[derive(Deserialize)]
struct Row {
    dialogue_id: String,
    a_high: String,
    a_medium: String,
    a_low: String,
    b_high: String,
    b_medium: String,
    b_low: String,
    a_points: f64,
    b_points: f64,
    deal: u8,
}

/// A negotiation between people.
#[derive(Clone, Debug)]
pub struct Talk {
    /// Their preferences.
    pub scenario: NegotiationScenario,
    /// What each reached, in points.
    pub points: [f64; 2],
    /// Whether they agreed.
    pub deal: bool,
}

/// Reads CaSiNo's outcomes.
///
/// # Errors
///
/// What is wrong, with file, line and field.
pub fn parse(file: &str, text: &str) -> Result<Vec<Talk>, DomainError> {
    let error = |line: Option<u64>, field: &str, message: String| DomainError {
        file: file.to_owned(),
        line: line.map(|line| line as usize),
        field: field.to_owned(),
        message,
    };
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let mut talks = Vec::new();
    for row in reader.deserialize::<Row>() {
        let row = row.map_err(|e| {
            let line = e.position().map(csv::Position::line);
            error(line, "", e.to_string())
        })?;
        let line = Some(talks.len() as u64 + 2);
        if !(row.a_points.is_finite() && row.b_points.is_finite()) {
            return Err(error(
                line,
                "a_points",
                "points are finite numbers".to_owned(),
            ));
        }
        let a = priorities([&row.a_high, &row.a_medium, &row.a_low])
            .map_err(|m| error(line, "a_high", m))?;
        let b = priorities([&row.b_high, &row.b_medium, &row.b_low])
            .map_err(|m| error(line, "b_high", m))?;
        let domain = Domain::build(&spec(&row.dialogue_id, a, b))
            .map_err(|fault| error(line, "", fault.message))?;
        let Some(scenario) = NegotiationScenario::of(&domain).pop() else {
            return Err(error(line, "", "no scenario".to_owned()));
        };
        let points = [row.a_points, row.b_points];
        talks.push(Talk {
            scenario,
            points,
            deal: row.deal == 1,
        });
    }
    if talks.is_empty() {
        return Err(error(None, "", "no negotiation".to_owned()));
    }
    Ok(talks)
}

/// Points a package of each good.
fn priorities(order: [&String; 3]) -> Result<[f64; 3], String> {
    let mut points = [0.0; 3];
    for (name, worth) in order.into_iter().zip(POINTS) {
        let Some(good) = GOODS.iter().position(|good| good == name) else {
            return Err(format!("\"{name}\" is none of {}", GOODS.join(", ")));
        };
        points[good] = worth;
    }
    match points.contains(&0.0) {
        true => Err("a good stands twice".to_owned()),
        false => Ok(points),
    }
}

/// The domain of two people: how many packages of each good the first gets.
fn spec(id: &str, a: [f64; 3], b: [f64; 3]) -> DomainSpec {
    let issues = GOODS.iter().map(|good| Issue {
        name: (*good).to_owned(),
        values: None,
        integer: Some([0, PACKAGES]),
        continuous: None,
        levels: None,
    });
    let profile = |name: &str, points: [f64; 3], gets: bool| {
        let part = |(good, worth): (&&str, f64)| {
            let line = match gets {
                true => Linear {
                    offset: 0.0,
                    slope: worth,
                },
                false => Linear {
                    offset: worth * PACKAGES as f64,
                    slope: -worth,
                },
            };
            let issue = (*good).to_owned();
            IssueValue {
                issue,
                weight: 1.0,
                linear: Some(line),
                ..IssueValue::default()
            }
        };
        ProfileSpec {
            name: name.to_owned(),
            reservation: Some(NO_DEAL),
            discount: 1.0,
            bias: 0.0,
            additive: Some(GOODS.iter().zip(points).map(part).collect()),
            table: None,
        }
    };
    DomainSpec {
        name: format!("casino-{id}"),
        issues: issues.collect(),
        profiles: vec![profile("a", a, true), profile("b", b, false)],
    }
}

/// What people, or a strategy with itself, reached on the same preferences.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// `people` or the strategy.
    pub who: String,
    /// Points of both sides together.
    pub joint: Mean,
    /// Share of agreements.
    pub agreed: f64,
    /// Joint points as a share of the most possible.
    pub of_possible: f64,
    /// Joint points beyond those of the people, negotiation by negotiation.
    pub more: Mean,
}

/// Compares strategies, each with itself and each side opening once, with people.
#[must_use]
pub fn compare(
    talks: &[Talk],
    strategies: &[Spec],
    deadline: Deadline,
    seed: u64,
) -> Vec<Compared> {
    let people: Vec<f64> = talks.iter().map(|talk| talk.points.iter().sum()).collect();
    let most: f64 = talks.iter().map(most_possible).sum();
    let row = |who: String, joint: &[f64], agreed: f64| {
        let more: Vec<f64> = joint.iter().zip(&people).map(|(j, p)| j - p).collect();
        let of_possible = joint.iter().sum::<f64>() / most;
        Compared {
            who,
            joint: Mean::of(joint),
            agreed,
            of_possible,
            more: Mean::of(&more),
        }
    };
    let count = talks.len() as f64;
    let deals = talks.iter().filter(|talk| talk.deal).count() as f64;
    let mut rows = vec![row("people".to_owned(), &people, deals / count)];
    for spec in strategies {
        let mut agreed = 0.0;
        let joint: Vec<f64> = talks
            .iter()
            .enumerate()
            .map(|(i, talk)| {
                let both = [0, 1].map(|first| {
                    let seed = SplitMix64::named(seed, &[i as u64, first as u64]).next_u64();
                    let settled =
                        talk.scenario
                            .play([spec, spec], first, deadline, seed, &mut Still);
                    agreed += if settled.agreement.is_some() {
                        0.5
                    } else {
                        0.0
                    };
                    points(&talk.scenario, &settled)
                });
                (both[0] + both[1]) / 2.0
            })
            .collect();
        rows.push(row(spec.to_string(), &joint, agreed / count));
    }
    rows
}

/// Joint points of a result.
fn points(scenario: &NegotiationScenario, settled: &Settled) -> f64 {
    let point = scenario.point(settled);
    let sides = scenario.sides.iter().zip(point);
    sides
        .map(|(side, utility)| side.wishes.as_written(utility))
        .sum()
}

/// The most joint points that some outcome gives.
fn most_possible(talk: &Talk) -> f64 {
    let [a, b] = &talk.scenario.sides;
    let joint =
        |o| a.wishes.as_written(a.wishes.utility(o)) + b.wishes.as_written(b.wishes.utility(o));
    (0..a.space.len())
        .map(|o| joint(o as Outcome))
        .fold(f64::NEG_INFINITY, f64::max)
}

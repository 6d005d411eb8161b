//! The strategies by name, each with the source of its definition.
//!
//! Holds the catalogue, and builds strategies from it. A strategy knows its own preferences, the space of
//! outcomes and the offers it gets; it never sees the other side's preferences, name or state.

mod frequency;
mod micro;
pub mod model;
mod rialto;
mod time;
mod tit_for_tat;

use std::fmt;
use std::str::FromStr;

use super::preferences::Side;
use super::session::Strategy;

/// How far below its target a time-dependent strategy goes, in utility; NegMAS's `BoulwareTBNegotiator`
/// and its kin use the same.
pub const TOLERANCE: f64 = 1e-4;

/// A strategy and its parameters.
#[derive(Clone, Debug, PartialEq)]
pub enum Spec {
    /// Concedes with time alone: aims at `1 - t^exponent`.
    Time {
        /// Above 1 it concedes late, below 1 early.
        exponent: f64,
        /// How far below the target an outcome may be.
        tolerance: f64,
    },
    /// Concedes as much as the other did.
    TitForTat,
    /// Makes one new offer for each new offer of the other.
    Micro,
    /// Concedes late with time, and offers what the other seems to like.
    Frequency,
    /// Rialto's own strategy.
    Rialto,
}

/// A strategy as the catalogue describes it.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub rule: &'static str,
    /// Where it is defined.
    pub source: &'static str,
}

const FARATIN: &str = "P. Faratin, C. Sierra, N. R. Jennings, Negotiation decision functions for \
    autonomous agents, Robotics and Autonomous Systems 24 (1998), polynomial time-dependent tactics";

/// Every strategy that has a name of its own.
pub const CATALOGUE: &[Entry] = &[
    Entry {
        name: "boulware",
        rule: "aims at 1 - t^4: concedes late",
        source: FARATIN,
    },
    Entry {
        name: "linear",
        rule: "aims at 1 - t",
        source: FARATIN,
    },
    Entry {
        name: "conceder",
        rule: "aims at 1 - t^(1/4): concedes early",
        source: FARATIN,
    },
    Entry {
        name: "tit-for-tat",
        rule: "moves its own level by what the other's last offer was better or worse for it than the \
               one before; opens with one least step",
        source: "Faratin, Sierra, Jennings 1998, absolute tit-for-tat with a window of one",
    },
    Entry {
        name: "micro",
        rule: "goes down its own list by one outcome for each new outcome that the other offers, else \
               repeats one of its offers",
        source: "D. de Jonge, An Analysis of the Linear Bilateral ANAC Domains Using the MiCRO \
                 Benchmark Strategy, IJCAI 2022",
    },
    Entry {
        name: "frequency",
        rule: "aims at 1 - t^4 and offers, of what is just above, what the other has asked for most; \
               accepts what is as good as its next offer",
        source: "T. van Krimpen, D. Looije, S. Hajizadeh, HardHeaded, in: Complex Automated \
                 Negotiations (2013), its frequency model; T. Baarslag et al., Decoupling Negotiating \
                 Agents to Explore the Space of Negotiation Strategies (2014)",
    },
    Entry {
        name: "rialto",
        rule: "answers one that waits for it a new offer for a new offer, one step behind, and meets it \
               half-way at the deadline; holds out against one that concedes by itself",
        source: "this project, docs/negotiation.md",
    },
];

impl FromStr for Spec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let time = |exponent| Self::Time {
            exponent,
            tolerance: TOLERANCE,
        };
        Ok(match text {
            "boulware" => time(4.0),
            "linear" => time(1.0),
            "conceder" => time(0.25),
            "tit-for-tat" => Self::TitForTat,
            "micro" => Self::Micro,
            "frequency" => Self::Frequency,
            "rialto" => Self::Rialto,
            _ => match text.strip_prefix("time:") {
                Some(parameters) => parameters_of_time(parameters)?,
                None => return Err(format!("no strategy is named \"{text}\"")),
            },
        })
    }
}

fn parameters_of_time(text: &str) -> Result<Spec, String> {
    let (exponent, tolerance) = match text.split_once(':') {
        Some((exponent, tolerance)) => (exponent, tolerance.parse().ok()),
        None => (text, Some(TOLERANCE)),
    };
    match (exponent.parse::<f64>(), tolerance) {
        (Ok(exponent), Some(tolerance))
            if (1e-3..=1e3).contains(&exponent) && (0.0..=0.1).contains(&tolerance) =>
        {
            Ok(Spec::Time {
                exponent,
                tolerance,
            })
        }
        _ => Err(format!(
            "\"time:{text}\" is not time:EXPONENT or time:EXPONENT:TOLERANCE with an exponent of \
             0.001 to 1000 and a tolerance of 0 to 0.1"
        )),
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time {
                exponent,
                tolerance,
            } if *tolerance == TOLERANCE => match exponent {
                4.0 => f.write_str("boulware"),
                1.0 => f.write_str("linear"),
                0.25 => f.write_str("conceder"),
                _ => write!(f, "time:{exponent}"),
            },
            Self::Time {
                exponent,
                tolerance,
            } => write!(f, "time:{exponent}:{tolerance}"),
            Self::TitForTat => f.write_str("tit-for-tat"),
            Self::Micro => f.write_str("micro"),
            Self::Frequency => f.write_str("frequency"),
            Self::Rialto => f.write_str("rialto"),
        }
    }
}

impl Spec {
    /// The strategies of the catalogue.
    #[must_use]
    pub fn all() -> Vec<Self> {
        CATALOGUE
            .iter()
            .filter_map(|entry| entry.name.parse().ok())
            .collect()
    }

    /// Makes the strategy for one side of one negotiation. Equal seeds give equal behaviour.
    #[must_use]
    pub fn build(&self, side: &Side, seed: u64) -> Box<dyn Strategy> {
        match self {
            Self::Time {
                exponent,
                tolerance,
            } => Box::new(time::Time::new(side.wishes.clone(), *exponent, *tolerance)),
            Self::TitForTat => Box::new(tit_for_tat::TitForTat::new(side.wishes.clone())),
            Self::Micro => Box::new(micro::Micro::new(side.wishes.clone(), seed)),
            Self::Frequency => Box::new(frequency::Frequency::new(side)),
            Self::Rialto => Box::new(rialto::Rialto::new(side)),
        }
    }
}

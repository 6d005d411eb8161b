//! Checks which statements follow from their figures, and which do not.
//!
//! A claim is a sentence, a formula over named facts, and what the sentence says the result is
//! ("nearly 60 %", "11.2 USD_B", "primarily"). The check computes the result, compares it with
//! the wording, and finds for each fact the value that would make the claim hold. It never
//! decides whether a fact is true: each carries its own source.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::basis::Basis;
use super::expression::{Dimension, Formula, Quantity, Unit};
use super::input::{self, Fault, InputError, Table, Validate};

/// How far "about" and "nearly" may lie from the figure they qualify, as a share of it.
pub const NEAR_SHARE: f64 = 0.05;
/// Most facts and claims in one file.
const MAX_ENTRIES: usize = 1_000;
/// Facts with a range are checked at every combination of their ends, up to this many facts.
const MAX_RANGED: usize = 10;

/// A figure with its unit and where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// The name that formulas use: letters, digits, `_` and `.`.
    pub name: String,
    /// The value in `unit`.
    pub value: f64,
    /// The unit, as [`Unit::parse`] reads it.
    pub unit: String,
    /// The lowest believable value, when the figure is uncertain.
    pub low: Option<f64>,
    /// The highest believable value, when the figure is uncertain.
    pub high: Option<f64>,
    /// How the figure came to be.
    #[serde(default)]
    pub basis: Basis,
    /// Where the figure is published.
    pub source: String,
}

impl Fact {
    fn check(&self, path: &str) -> Result<Unit, Fault> {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let starts = self
            .name
            .chars()
            .next()
            .is_some_and(|c| c.is_ascii_alphabetic());
        if !starts || !self.name.chars().all(word) {
            let message = "must begin with a letter and hold only letters, digits, _ and .";
            return Err(Fault::new(format!("{path}name"), message));
        }
        input::name(&format!("{path}source"), &self.source)?;
        let (low, high) = (
            self.low.unwrap_or(self.value),
            self.high.unwrap_or(self.value),
        );
        if !(low <= self.value && self.value <= high && low.is_finite() && high.is_finite()) {
            let message = format!(
                "needs low <= value <= high, is {low}, {}, {high}",
                self.value
            );
            return Err(Fault::new(format!("{path}value"), message));
        }
        Unit::parse(&self.unit).map_err(|message| Fault::new(format!("{path}unit"), message))
    }
}

/// Reads a table of facts: columns `name,value,unit,low,high,basis,source`.
///
/// # Errors
/// Names line and column of a missing, malformed or contradictory cell.
pub fn parse_facts(file: &str, text: &str) -> Result<Vec<Fact>, InputError> {
    let table = Table::parse(file, text, &["name", "value", "unit", "basis", "source"])?;
    let mut facts = Vec::new();
    for row in table.rows() {
        let basis = match row.required("basis")? {
            "measured" => Basis::Measured,
            "modelled" => Basis::Modelled,
            "estimate" => Basis::Estimate,
            _ => return Err(row.error("basis", "must be measured, modelled or estimate")),
        };
        let fact = Fact {
            name: row.required("name")?.to_owned(),
            value: row.parse("value")?,
            unit: row.text("unit").to_owned(),
            low: row.number("low")?,
            high: row.number("high")?,
            basis,
            source: row.required("source")?.to_owned(),
        };
        fact.check("")
            .map_err(|fault| row.error(&fault.path, fault.message))?;
        facts.push(fact);
    }
    Ok(facts)
}

/// A statement to check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The sentence.
    pub text: String,
    /// What the sentence's figure is made of.
    pub formula: String,
    /// What the sentence says the result is; see [`Wording`].
    pub says: String,
}

/// A file of claims and of the facts they rest on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimFile {
    /// Tables of facts to read, relative to this file.
    #[serde(default)]
    pub fact_tables: Vec<String>,
    /// Facts given here; one of the same name in a table is overridden.
    #[serde(default)]
    pub fact: Vec<Fact>,
    /// The claims.
    pub claim: Vec<Claim>,
}

impl Validate for ClaimFile {
    fn validate(&self) -> Result<(), Fault> {
        input::count("claim", self.claim.len(), MAX_ENTRIES)?;
        if self.fact.len() > MAX_ENTRIES {
            return Err(Fault::new(
                "fact",
                format!("at most {MAX_ENTRIES} are allowed"),
            ));
        }
        input::distinct("fact", self.fact.iter().map(|f| f.name.as_str()))?;
        for (i, fact) in self.fact.iter().enumerate() {
            fact.check(&format!("fact[{i}]."))?;
        }
        for (i, claim) in self.claim.iter().enumerate() {
            if claim.text.trim().is_empty() {
                return Err(Fault::new(format!("claim[{i}].text"), "must not be empty"));
            }
            Formula::parse(&claim.formula)
                .map_err(|m| Fault::new(format!("claim[{i}].formula"), m))?;
            Stated::parse(&claim.says).map_err(|m| Fault::new(format!("claim[{i}].says"), m))?;
        }
        Ok(())
    }
}

/// How a sentence qualifies its figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wording {
    /// No qualifier: right to the last digit that is written.
    Is,
    /// `about`, `around`, `roughly`: within [`NEAR_SHARE`] either way.
    About,
    /// `nearly`, `almost`: not above, and at most [`NEAR_SHARE`] below.
    Nearly,
    /// `over`, `more than`.
    Over,
    /// `at least`.
    AtLeast,
    /// `under`, `less than`.
    Under,
    /// `at most`, `up to`.
    AtMost,
    /// `primarily`, `mostly`: more than half; takes no figure.
    Primarily,
}

const WORDINGS: [(&str, Wording); 14] = [
    ("about", Wording::About),
    ("around", Wording::About),
    ("roughly", Wording::About),
    ("nearly", Wording::Nearly),
    ("almost", Wording::Nearly),
    ("over", Wording::Over),
    ("more than", Wording::Over),
    ("at least", Wording::AtLeast),
    ("under", Wording::Under),
    ("less than", Wording::Under),
    ("at most", Wording::AtMost),
    ("up to", Wording::AtMost),
    ("primarily", Wording::Primarily),
    ("mostly", Wording::Primarily),
];

/// The figure that a sentence states, with its qualifier.
#[derive(Clone, Debug, PartialEq)]
struct Stated {
    wording: Wording,
    value: f64,
    half_last_digit: f64,
    unit: Unit,
}

impl Stated {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let starts = |word: &str| {
            let rest = text.strip_prefix(word)?;
            (rest.is_empty() || rest.starts_with(' ')).then_some(rest)
        };
        let found = WORDINGS
            .iter()
            .find_map(|(word, w)| starts(word).map(|rest| (*w, rest)));
        let (wording, rest) = found.unwrap_or((Wording::Is, text));
        let rest = rest.trim();
        if wording == Wording::Primarily {
            if !rest.is_empty() {
                return Err("primarily and mostly take no figure".to_owned());
            }
            let unit = Unit::parse("%")?;
            return Ok(Self {
                wording,
                value: 50.0,
                half_last_digit: 0.0,
                unit,
            });
        }
        let number = |c: char| c.is_ascii_digit() || c == '.' || c == '-' || c == '+';
        let end = rest.find(|c: char| !number(c)).unwrap_or(rest.len());
        let (digits, unit) = rest.split_at(end);
        let value: f64 = digits
            .parse()
            .map_err(|_| format!("expected a figure such as \"nearly 60 %\", found {text:?}"))?;
        let decimals = digits.split_once('.').map_or(0, |(_, d)| d.len());
        let half_last_digit = 0.5 * libm::pow(10.0, -(decimals as f64));
        Ok(Self {
            wording,
            value,
            half_last_digit,
            unit: Unit::parse(unit.trim())?,
        })
    }

    fn holds(&self, computed: f64) -> bool {
        let near = NEAR_SHARE * self.value.abs();
        // Half a millionth of the last digit forgives binary rounding, nothing else.
        let exact = self.half_last_digit * (1.0 + 1e-6);
        match self.wording {
            Wording::Is => (computed - self.value).abs() <= exact,
            Wording::About => (computed - self.value).abs() <= near,
            Wording::Nearly => computed <= self.value + exact && computed >= self.value - near,
            Wording::Over | Wording::Primarily => computed > self.value,
            Wording::AtLeast => computed >= self.value - exact,
            Wording::Under => computed < self.value,
            Wording::AtMost => computed <= self.value + exact,
        }
    }
}

/// Whether a claim follows from its facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It follows, whatever values the facts take inside their ranges.
    Follows,
    /// It follows at the stated facts, but not over their whole ranges.
    FollowsInPart,
    /// It does not follow at the stated facts, but would somewhere inside their ranges.
    OnlyInRange,
    /// It does not follow anywhere inside the ranges of its facts.
    DoesNotFollow,
}

/// The value that one fact would need for the claim to hold exactly as stated.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Remedy {
    /// The fact.
    pub fact: String,
    /// Its value as given, in `unit`.
    pub is: f64,
    /// The value needed, in `unit`.
    pub needs: f64,
    /// The fact's unit.
    pub unit: String,
}

/// A claim with its verdict.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Checked {
    /// The sentence.
    pub text: String,
    /// The formula.
    pub formula: String,
    /// What the sentence says.
    pub says: String,
    /// How the sentence qualifies its figure.
    pub wording: Wording,
    /// The figure stated, in `unit`.
    pub stated: f64,
    /// The figure that follows from the facts, in `unit`.
    pub computed: f64,
    /// The lowest figure inside the ranges of the facts.
    pub computed_low: f64,
    /// The highest figure inside the ranges of the facts.
    pub computed_high: f64,
    /// The unit of the figures above.
    pub unit: String,
    /// The verdict.
    pub verdict: Verdict,
    /// What each fact would have to be; empty when the claim follows.
    pub remedies: Vec<Remedy>,
    /// The weakest basis among the facts used.
    pub basis: Basis,
    /// The sources of the facts used, each once.
    pub sources: Vec<String>,
}

/// Checks every claim of `file` against its own facts and those of `tables`.
///
/// # Errors
/// Names the claim whose formula uses an unknown fact, mixes units up, divides by zero, or whose
/// result has another unit than the sentence states.
pub fn check(file: &ClaimFile, tables: &[Fact]) -> Result<Vec<Checked>, Fault> {
    let mut facts: BTreeMap<&str, (&Fact, Unit)> = BTreeMap::new();
    for fact in tables.iter().chain(&file.fact) {
        facts.insert(&fact.name, (fact, fact.check("")?));
    }
    file.claim
        .iter()
        .enumerate()
        .map(|(i, claim)| {
            check_one(claim, &facts)
                .map_err(|(field, m)| Fault::new(format!("claim[{i}].{field}"), m))
        })
        .collect()
}

type Facts<'a> = BTreeMap<&'a str, (&'a Fact, Unit)>;

/// A claim under examination.
struct Case<'a> {
    formula: Formula,
    stated: Stated,
    facts: &'a Facts<'a>,
}

impl Case<'_> {
    /// The formula's result in the stated unit, each fact taken at `value`.
    fn at(&self, value: &dyn Fn(&Fact) -> f64) -> Result<f64, String> {
        let result = self.formula.evaluate(&|name| {
            let (fact, unit) = self.facts.get(name)?;
            Some(Quantity {
                value: value(fact) * unit.scale,
                dimension: unit.dimension,
            })
        })?;
        in_unit(result, &self.stated.unit)
    }

    fn used(&self) -> Vec<&Fact> {
        let names = self.formula.names();
        names
            .iter()
            .filter_map(|name| self.facts.get(name))
            .map(|(fact, _)| *fact)
            .collect()
    }

    /// The lowest and the highest result over every combination of the ends of ranged facts.
    fn extremes(&self) -> Result<(f64, f64), String> {
        let mut ranged = self.used();
        ranged.retain(|fact| fact.low.is_some() || fact.high.is_some());
        if ranged.len() > MAX_RANGED {
            return Err(format!(
                "uses more than {MAX_RANGED} facts that have a range"
            ));
        }
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for corner in 0..(1_usize << ranged.len()) {
            let result = self.at(
                &|fact| match ranged.iter().position(|f| f.name == fact.name) {
                    Some(i) if corner >> i & 1 == 1 => fact.high.unwrap_or(fact.value),
                    Some(_) => fact.low.unwrap_or(fact.value),
                    None => fact.value,
                },
            )?;
            low = low.min(result);
            high = high.max(result);
        }
        Ok((low, high))
    }

    /// For each fact, the value at which the claim would hold if the other facts stay as given.
    fn remedies(&self) -> Vec<Remedy> {
        let remedy = |fact: &&Fact| {
            let with = |x: f64| {
                self.at(&|f| if f.name == fact.name { x } else { f.value })
                    .ok()
            };
            Some(Remedy {
                fact: fact.name.clone(),
                is: fact.value,
                needs: solve(fact.value, self.stated.value, with)?,
                unit: fact.unit.clone(),
            })
        };
        self.used().iter().filter_map(remedy).collect()
    }
}

fn check_one(claim: &Claim, facts: &Facts<'_>) -> Result<Checked, (&'static str, String)> {
    let formula = Formula::parse(&claim.formula).map_err(|m| ("formula", m))?;
    let stated = Stated::parse(&claim.says).map_err(|m| ("says", m))?;
    let case = Case {
        formula,
        stated,
        facts,
    };
    let computed = case.at(&|fact| fact.value).map_err(|m| ("formula", m))?;
    let (low, high) = case.extremes().map_err(|m| ("formula", m))?;
    let verdict = verdict(
        &case.stated,
        computed,
        low.min(computed),
        high.max(computed),
    );
    let follows = matches!(verdict, Verdict::Follows | Verdict::FollowsInPart);
    let used = case.used();
    let mut sources: Vec<String> = Vec::new();
    for fact in &used {
        if !sources.contains(&fact.source) {
            sources.push(fact.source.clone());
        }
    }
    Ok(Checked {
        text: claim.text.clone(),
        formula: claim.formula.clone(),
        says: claim.says.clone(),
        wording: case.stated.wording,
        stated: case.stated.value,
        computed,
        computed_low: low.min(computed),
        computed_high: high.max(computed),
        unit: case.stated.unit.text.clone(),
        verdict,
        remedies: if follows { Vec::new() } else { case.remedies() },
        basis: used.iter().map(|fact| fact.basis).max().unwrap_or_default(),
        sources,
    })
}

fn in_unit(result: Quantity, unit: &Unit) -> Result<f64, String> {
    if result.dimension != unit.dimension {
        let stated = if unit.dimension == Dimension::NONE {
            "a pure number"
        } else {
            &unit.text
        };
        let computed = result.dimension;
        return Err(format!(
            "units mixed up: the formula gives {computed}, the claim {stated}"
        ));
    }
    Ok(result.value / unit.scale)
}

fn verdict(stated: &Stated, computed: f64, low: f64, high: f64) -> Verdict {
    let within = stated.value >= low && stated.value <= high;
    let anywhere = stated.holds(low) || stated.holds(high) || within;
    match (
        stated.holds(computed),
        stated.holds(low) && stated.holds(high),
    ) {
        (true, true) => Verdict::Follows,
        (true, false) => Verdict::FollowsInPart,
        (false, _) if anywhere => Verdict::OnlyInRange,
        (false, _) => Verdict::DoesNotFollow,
    }
}

/// The `x` near `start` at which `f(x)` is `target`, by the secant method.
fn solve(start: f64, target: f64, f: impl Fn(f64) -> Option<f64>) -> Option<f64> {
    let scale = if start == 0.0 { 1.0 } else { start };
    let (mut a, mut b) = (start, start + 0.01 * scale);
    let (mut fa, mut fb) = (f(a)? - target, f(b)? - target);
    for _ in 0..100 {
        if fb.abs() <= 1e-10 * target.abs().max(1e-10) {
            return Some(b);
        }
        if fb == fa {
            return None;
        }
        let next = b - fb * (b - a) / (fb - fa);
        (a, fa) = (b, fb);
        b = next;
        fb = f(b)? - target;
    }
    None
}

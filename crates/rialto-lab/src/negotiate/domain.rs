//! The subject of a negotiation: issues, their values, outcomes, and what outcomes are worth.
//!
//! Holds a domain as every reader of files produces it, and the limits for all of them. Outcomes are
//! numbers in `0..Space::len()`, the last issue's value changing fastest; a continuous issue is a grid of
//! levels. It never reads a file's text; [`super::native`] and [`super::genius`] do.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The most outcomes of a domain.
pub const MAX_OUTCOMES: usize = 4_000_000;
/// The most issues of a domain.
pub const MAX_ISSUES: usize = 64;
/// The most values of an issue.
pub const MAX_VALUES: usize = 100_000;
/// The most profiles of a domain.
pub const MAX_PROFILES: usize = 16;
/// The longest file, in bytes.
pub const MAX_FILE_BYTES: usize = 64 * 1024 * 1024;
/// The longest name of a domain, an issue, a value or a profile, in bytes.
pub const MAX_NAME_BYTES: usize = 256;
/// Levels of a continuous issue that names none.
pub const DEFAULT_LEVELS: usize = 10;

/// An outcome's number.
pub type Outcome = u32;

/// What is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct DomainError {
    /// The file's name as the caller gave it.
    pub file: String,
    /// Line, from 1.
    pub line: Option<usize>,
    /// The field, as in `profiles[0].additive[2].weight`; empty for the whole file.
    pub field: String,
    /// One lower-case sentence.
    pub message: String,
}

impl fmt::Display for DomainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.field.is_empty() {
            write!(f, ": {}", self.field)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// A fault at a path of the domain; a reader adds file and line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The path, as in [`DomainError::field`].
    pub path: Vec<Step>,
    /// One lower-case sentence.
    pub message: String,
}

/// A step into a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into an object.
    Key(String),
    /// Into an array.
    Index(usize),
}

/// A path as people read it.
#[must_use]
pub fn path_text(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => {
                text.push('.');
                text.push_str(key);
            }
            Step::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

/// One thing to agree on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issue {
    /// Name, unique in the domain.
    pub name: String,
    /// The values of a categorical issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<String>>,
    /// The first and the last value of an integer issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integer: Option<[i64; 2]>,
    /// The least and the greatest value of a continuous issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuous: Option<[f64; 2]>,
    /// How many evenly spaced values of a continuous issue are negotiated; both ends count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub levels: Option<usize>,
}

/// What the values of one issue are worth to a side.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssueValue {
    /// The issue's name.
    pub issue: String,
    /// The weight: the factor for the worth of its value.
    #[serde(default = "one")]
    pub weight: f64,
    /// Worth by value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<std::collections::BTreeMap<String, f64>>,
    /// Worth of a number `x`: `offset + slope * x`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linear: Option<Linear>,
    /// Worth of a number: 0 outside `start..end`, 1 at `peak`, straight between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub triangular: Option<Triangular>,
}

/// A straight line.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    /// Worth of zero.
    #[serde(default)]
    pub offset: f64,
    /// Worth gained by one more.
    pub slope: f64,
}

/// A triangle.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Triangular {
    /// Where it leaves zero.
    pub start: f64,
    /// Where it is one.
    pub peak: f64,
    /// Where it is zero again.
    pub end: f64,
}

/// A value in a table's row, or the row's worth at its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// A number.
    Number(f64),
    /// A categorical value.
    Text(String),
}

/// What one side wants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileSpec {
    /// Name, unique in the domain.
    pub name: String,
    /// Worth of no agreement; without it, that of the worst outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation: Option<f64>,
    /// The discount factor from the start to the deadline, in `(0, 1]`: the worth of an agreement at
    /// relative time `t` is multiplied by `discount^t`.
    #[serde(default = "one")]
    pub discount: f64,
    /// What is added to every outcome of an additive profile.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub bias: f64,
    /// Worth as a weighted sum over issues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additive: Option<Vec<IssueValue>>,
    /// Worth by outcome: rows with one value for each issue, and the worth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<Vec<Vec<Cell>>>,
}

fn one() -> f64 {
    1.0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

/// A domain as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DomainSpec {
    /// Name.
    pub name: String,
    /// Issues, in order.
    pub issues: Vec<Issue>,
    /// Profiles: every two of them make a scenario.
    pub profiles: Vec<ProfileSpec>,
}

impl Issue {
    /// How many values it has.
    #[must_use]
    pub fn len(&self) -> usize {
        match (&self.values, self.integer, self.continuous) {
            (Some(values), _, _) => values.len(),
            (_, Some([from, to]), _) => from.checked_sub(to).map_or(usize::MAX, |d| {
                usize::try_from(-d).map_or(0, |n| n.saturating_add(1))
            }),
            (_, _, Some(_)) => self.levels.unwrap_or(DEFAULT_LEVELS),
            _ => 0,
        }
    }

    /// True of an issue without values, which no domain has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at an index as a number; none of a categorical issue.
    #[must_use]
    pub fn number(&self, index: usize) -> Option<f64> {
        if let Some([from, _]) = self.integer {
            return Some(from as f64 + index as f64);
        }
        let [from, to] = self.continuous?;
        let last = self.len() - 1;
        let share = index as f64 / last.max(1) as f64;
        Some(if index == last {
            to
        } else {
            from + (to - from) * share
        })
    }

    /// The value at an index as a text.
    #[must_use]
    pub fn text(&self, index: usize) -> String {
        match (&self.values, self.integer) {
            (Some(values), _) => values[index].clone(),
            (None, Some([from, _])) => (i128::from(from) + index as i128).to_string(),
            (None, None) => self.number(index).unwrap_or(0.0).to_string(),
        }
    }

    /// The index of a value; none for a value outside the issue. A number of a continuous issue must be
    /// one of its levels, to one part in a billion of its range.
    #[must_use]
    pub fn index(&self, value: &Cell) -> Option<usize> {
        if let Some(values) = &self.values {
            let Cell::Text(text) = value else { return None };
            return values.iter().position(|v| v == text);
        }
        let number = match value {
            Cell::Number(number) => *number,
            Cell::Text(text) => text.parse().ok()?,
        };
        let (first, last) = (self.number(0)?, self.number(self.len() - 1)?);
        let step = (last - first) / (self.len() - 1).max(1) as f64;
        let index = if step > 0.0 {
            ((number - first) / step).round()
        } else {
            0.0
        };
        if !(0.0..self.len() as f64).contains(&index) {
            return None;
        }
        let found = self.number(index as usize)?;
        ((found - number).abs() <= 1e-9 * (last - first).abs()).then_some(index as usize)
    }

    fn check(&self) -> Result<(), (Option<&'static str>, String)> {
        name("an issue's name", &self.name).map_err(|m| (Some("name"), m))?;
        let kinds = [
            self.values.is_some(),
            self.integer.is_some(),
            self.continuous.is_some(),
        ];
        if kinds.iter().filter(|k| **k).count() != 1 {
            let message = "an issue has either values, integer or continuous".to_owned();
            return Err((None, message));
        }
        if self.levels.is_some() && self.continuous.is_none() {
            let message = "only a continuous issue has levels".to_owned();
            return Err((Some("levels"), message));
        }
        if let Some(values) = &self.values {
            let mut seen = std::collections::BTreeSet::new();
            for value in values {
                name("a value", value).map_err(|m| (Some("values"), m))?;
                if !seen.insert(value) {
                    return Err((
                        Some("values"),
                        format!("the value \"{value}\" stands twice"),
                    ));
                }
            }
        }
        if let Some([from, to]) = self.integer
            && (from > to || from.unsigned_abs().max(to.unsigned_abs()) > 1 << 52)
        {
            let message = format!("{from} to {to} is no range of whole numbers up to 2^52");
            return Err((Some("integer"), message));
        }
        if let Some([from, to]) = self.continuous
            && !(from < to && (to - from).is_finite())
        {
            return Err((Some("continuous"), format!("{from} to {to} is no range")));
        }
        let field = if self.continuous.is_some() {
            "levels"
        } else {
            "values"
        };
        match self.len() {
            0 => Err((Some(field), "the issue has no value".to_owned())),
            1 if self.continuous.is_some() => Err((
                Some(field),
                "a continuous issue has at least 2 levels".to_owned(),
            )),
            n if n > MAX_VALUES => Err((
                None,
                format!("the issue has {n} values; the most is {MAX_VALUES}"),
            )),
            _ => Ok(()),
        }
    }
}

/// Checks the length of a name.
fn name(what: &str, text: &str) -> Result<(), String> {
    match text.len() {
        0 => Err(format!("{what} is empty")),
        n if n > MAX_NAME_BYTES => Err(format!(
            "{what} has {n} bytes; the most is {MAX_NAME_BYTES}"
        )),
        _ => Ok(()),
    }
}

/// All outcomes of a list of issues.
#[derive(Clone, Debug, PartialEq)]
pub struct Space {
    issues: Vec<Issue>,
    sizes: Vec<u32>,
    strides: Vec<u32>,
    len: usize,
}

impl Space {
    fn new(issues: Vec<Issue>) -> Result<Self, String> {
        let sizes: Vec<usize> = issues.iter().map(Issue::len).collect();
        let len = sizes
            .iter()
            .try_fold(1usize, |n, &size| n.checked_mul(size));
        let len = match len {
            Some(len) if len <= MAX_OUTCOMES => len,
            _ => {
                let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
                let product = sizes.join(" x ");
                return Err(format!("{product} outcomes; the most is {MAX_OUTCOMES}"));
            }
        };
        let mut strides = vec![1u32; sizes.len()];
        for i in (1..sizes.len()).rev() {
            strides[i - 1] = strides[i] * sizes[i] as u32;
        }
        let sizes = sizes.into_iter().map(|size| size as u32).collect();
        Ok(Self {
            issues,
            sizes,
            strides,
            len,
        })
    }

    /// The issues, in order.
    #[must_use]
    pub fn issues(&self) -> &[Issue] {
        &self.issues
    }

    /// How many outcomes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// True of a space without outcomes, which no domain has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The index of an issue's value in an outcome.
    #[must_use]
    pub fn value(&self, outcome: Outcome, issue: usize) -> usize {
        (outcome / self.strides[issue] % self.sizes[issue]) as usize
    }

    /// The outcome in which each issue has the value of that index.
    #[must_use]
    pub fn outcome(&self, values: &[usize]) -> Outcome {
        let parts = values.iter().zip(&self.strides);
        parts.map(|(value, stride)| *value as u32 * stride).sum()
    }

    /// The outcome of these values, in the order of the issues.
    ///
    /// # Errors
    ///
    /// Names the value that the domain does not have.
    pub fn find(&self, values: &[Cell]) -> Result<Outcome, String> {
        if values.len() != self.issues.len() {
            let (given, wanted) = (values.len(), self.issues.len());
            return Err(format!("{given} values for {wanted} issues"));
        }
        let mut outcome = 0;
        for ((issue, value), stride) in self.issues.iter().zip(values).zip(&self.strides) {
            let Some(index) = issue.index(value) else {
                let value = match value {
                    Cell::Number(number) => number.to_string(),
                    Cell::Text(text) => format!("\"{text}\""),
                };
                return Err(format!(
                    "{value} is no value of the issue \"{}\"",
                    issue.name
                ));
            };
            outcome += index as u32 * stride;
        }
        Ok(outcome)
    }

    /// An outcome as people read it.
    #[must_use]
    pub fn text(&self, outcome: Outcome) -> String {
        let issues = self.issues.iter().enumerate();
        let parts: Vec<String> = issues
            .map(|(i, issue)| format!("{}={}", issue.name, issue.text(self.value(outcome, i))))
            .collect();
        parts.join(", ")
    }
}

/// One side's worth of every outcome, as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Name.
    pub name: String,
    /// Worth by outcome, finite.
    pub worth: Vec<f64>,
    /// Worth of no agreement.
    pub reservation: f64,
    /// See [`ProfileSpec::discount`].
    pub discount: f64,
}

/// A domain, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Domain {
    /// Name.
    pub name: String,
    /// All outcomes.
    pub space: Space,
    /// At least two profiles.
    pub profiles: Vec<Profile>,
}

fn fault(path: Vec<Step>, message: impl Into<String>) -> Fault {
    Fault {
        path,
        message: message.into(),
    }
}

fn key(text: &str) -> Step {
    Step::Key(text.to_owned())
}

impl Domain {
    /// Checks a domain and values every outcome.
    ///
    /// # Errors
    ///
    /// A fault with its path.
    pub fn build(spec: &DomainSpec) -> Result<Self, Fault> {
        name("the domain's name", &spec.name).map_err(|m| fault(vec![key("name")], m))?;
        let space = build_space(&spec.issues)?;
        let count = spec.profiles.len();
        if !(2..=MAX_PROFILES).contains(&count) {
            let message = format!("{count} profiles; a domain has 2 to {MAX_PROFILES}");
            return Err(fault(vec![key("profiles")], message));
        }
        let mut profiles: Vec<Profile> = Vec::new();
        for (i, profile) in spec.profiles.iter().enumerate() {
            let at = vec![key("profiles"), Step::Index(i)];
            if profiles.iter().any(|p| p.name == profile.name) {
                let message = format!("the profile \"{}\" stands twice", profile.name);
                return Err(fault(at, message));
            }
            profiles.push(build_profile(&space, profile, &at)?);
        }
        Ok(Self {
            name: spec.name.clone(),
            space,
            profiles,
        })
    }
}

fn build_space(issues: &[Issue]) -> Result<Space, Fault> {
    if !(1..=MAX_ISSUES).contains(&issues.len()) {
        let message = format!("{} issues; a domain has 1 to {MAX_ISSUES}", issues.len());
        return Err(fault(vec![key("issues")], message));
    }
    for (i, issue) in issues.iter().enumerate() {
        let at = vec![key("issues"), Step::Index(i)];
        issue.check().map_err(|(field, message)| {
            let at = at.iter().cloned().chain(field.map(key)).collect();
            fault(at, message)
        })?;
        if issues[..i].iter().any(|other| other.name == issue.name) {
            return Err(fault(
                at,
                format!("the issue \"{}\" stands twice", issue.name),
            ));
        }
    }
    let space = Space::new(issues.to_vec()).map_err(|m| fault(vec![key("issues")], m))?;
    if space.len() < 2 {
        let message = "a single outcome leaves nothing to negotiate";
        return Err(fault(vec![key("issues")], message));
    }
    Ok(space)
}

fn build_profile(space: &Space, spec: &ProfileSpec, at: &[Step]) -> Result<Profile, Fault> {
    let field = |field: &str| {
        at.iter()
            .cloned()
            .chain([key(field)])
            .collect::<Vec<Step>>()
    };
    name("a profile's name", &spec.name).map_err(|m| fault(field("name"), m))?;
    if !(spec.discount > 0.0 && spec.discount <= 1.0) {
        let message = format!(
            "{} is no discount: it is above 0 and at most 1",
            spec.discount
        );
        return Err(fault(field("discount"), message));
    }
    let worth = match (&spec.additive, &spec.table) {
        (Some(parts), None) => additive(space, spec.bias, parts, &field("additive"))?,
        (None, Some(rows)) => table(space, rows, &field("table"))?,
        _ => return Err(fault(at.to_vec(), "a profile has either additive or table")),
    };
    let (low, high) = bounds(&worth);
    if !(low.is_finite() && high.is_finite() && (high - low).is_finite()) {
        return Err(fault(at.to_vec(), "an outcome's worth is no finite number"));
    }
    if low == high {
        let message = format!("every outcome is worth {low}: nothing to negotiate");
        return Err(fault(at.to_vec(), message));
    }
    let reservation = spec.reservation.unwrap_or(low);
    if !reservation.is_finite() {
        let message = format!("{reservation} is no finite number");
        return Err(fault(field("reservation"), message));
    }
    Ok(Profile {
        name: spec.name.clone(),
        worth,
        reservation,
        discount: spec.discount,
    })
}

/// The least and the greatest worth; NaN if one of the worths is NaN.
fn bounds(worth: &[f64]) -> (f64, f64) {
    let start = (f64::INFINITY, f64::NEG_INFINITY);
    let fold = |(low, high): (f64, f64), &u: &f64| {
        if u.is_nan() {
            (f64::NAN, f64::NAN)
        } else {
            (low.min(u), high.max(u))
        }
    };
    if worth.iter().any(|u| u.is_nan()) {
        return (f64::NAN, f64::NAN);
    }
    worth.iter().fold(start, fold)
}

/// The weighted sum over issues. Terms are added in the order of the issues, as everywhere, so that two
/// programs that follow the formula get the same last bit.
fn additive(
    space: &Space,
    bias: f64,
    parts: &[IssueValue],
    at: &[Step],
) -> Result<Vec<f64>, Fault> {
    let mut terms: Vec<Option<Vec<f64>>> = vec![None; space.issues.len()];
    for (i, part) in parts.iter().enumerate() {
        let here = |field: Option<&str>| {
            let more = [Step::Index(i)].into_iter().chain(field.map(key));
            at.iter().cloned().chain(more).collect::<Vec<Step>>()
        };
        let Some(index) = space
            .issues
            .iter()
            .position(|issue| issue.name == part.issue)
        else {
            let message = format!("the domain has no issue \"{}\"", part.issue);
            return Err(fault(here(Some("issue")), message));
        };
        if terms[index].is_some() {
            let message = format!("the issue \"{}\" stands twice", part.issue);
            return Err(fault(here(Some("issue")), message));
        }
        if !part.weight.is_finite() {
            let message = format!("{} is no finite number", part.weight);
            return Err(fault(here(Some("weight")), message));
        }
        let worth = issue_worth(&space.issues[index], part)
            .map_err(|(field, message)| fault(here(field), message))?;
        terms[index] = Some(worth.into_iter().map(|v| part.weight * v).collect());
    }
    let mut all: Vec<f64> = vec![bias];
    for (issue, terms) in space.issues.iter().zip(terms) {
        let Some(terms) = terms else {
            let message = format!("nothing says what the issue \"{}\" is worth", issue.name);
            return Err(fault(at.to_vec(), message));
        };
        all = all
            .iter()
            .flat_map(|sum| terms.iter().map(move |term| sum + term))
            .collect();
    }
    Ok(all)
}

type IssueFault = (Option<&'static str>, String);

/// What each value of an issue is worth.
fn issue_worth(issue: &Issue, part: &IssueValue) -> Result<Vec<f64>, IssueFault> {
    let kinds = [
        part.values.is_some(),
        part.linear.is_some(),
        part.triangular.is_some(),
    ];
    if kinds.iter().filter(|k| **k).count() != 1 {
        let message = "worth is given by either values, linear or triangular".to_owned();
        return Err((None, message));
    }
    if let Some(values) = &part.values {
        return values_worth(issue, values).map_err(|message| (Some("values"), message));
    }
    let field = if part.linear.is_some() {
        "linear"
    } else {
        "triangular"
    };
    let wrong = |message: &str| (Some(field), message.to_owned());
    if let Some(Triangular { start, peak, end }) = part.triangular
        && !(start <= peak && peak <= end && start < end)
    {
        return Err(wrong("start, peak and end are not in order"));
    }
    let worth = |x: f64| match (part.linear, part.triangular) {
        (Some(line), _) => line.offset + line.slope * x,
        (_, Some(t)) => t.at(x),
        _ => f64::NAN,
    };
    let numbers = (0..issue.len()).map(|i| issue.number(i));
    let Some(numbers) = numbers.collect::<Option<Vec<f64>>>() else {
        return Err(wrong("the issue's values are no numbers"));
    };
    let all: Vec<f64> = numbers.into_iter().map(worth).collect();
    match all.iter().all(|v| v.is_finite()) {
        true => Ok(all),
        false => Err(wrong("a value's worth is no finite number")),
    }
}

impl Triangular {
    fn at(self, x: f64) -> f64 {
        if x < self.start || x > self.end {
            0.0
        } else if x < self.peak {
            (x - self.start) / (self.peak - self.start)
        } else if x > self.peak {
            (self.end - x) / (self.end - self.peak)
        } else {
            1.0
        }
    }
}

fn values_worth(
    issue: &Issue,
    values: &std::collections::BTreeMap<String, f64>,
) -> Result<Vec<f64>, String> {
    let mut all = vec![f64::NAN; issue.len()];
    for (value, worth) in values {
        let Some(index) = issue.index(&Cell::Text(value.clone())) else {
            return Err(format!(
                "\"{value}\" is no value of the issue \"{}\"",
                issue.name
            ));
        };
        if !worth.is_finite() {
            return Err(format!("the worth of \"{value}\" is no finite number"));
        }
        all[index] = *worth;
    }
    match all.iter().position(|worth| worth.is_nan()) {
        Some(index) => Err(format!("the value \"{}\" has no worth", issue.text(index))),
        None => Ok(all),
    }
}

fn table(space: &Space, rows: &[Vec<Cell>], at: &[Step]) -> Result<Vec<f64>, Fault> {
    let mut all = vec![f64::NAN; space.len()];
    for (i, row) in rows.iter().enumerate() {
        let here = || {
            at.iter()
                .cloned()
                .chain([Step::Index(i)])
                .collect::<Vec<Step>>()
        };
        let Some((worth, values)) = row.split_last() else {
            return Err(fault(here(), "an empty row"));
        };
        let outcome = space
            .find(values)
            .map_err(|message| fault(here(), message))?;
        let Cell::Number(worth) = worth else {
            return Err(fault(
                here(),
                "the last cell of a row is its worth, a number",
            ));
        };
        if !worth.is_finite() {
            return Err(fault(here(), "the worth is no finite number"));
        }
        let known = &mut all[outcome as usize];
        if !known.is_nan() {
            let message = format!("the outcome {} stands twice", space.text(outcome));
            return Err(fault(here(), message));
        }
        *known = *worth;
    }
    let missing = all.iter().filter(|worth| worth.is_nan()).count();
    if let Some(first) = all.iter().position(|worth| worth.is_nan()) {
        let (first, len) = (space.text(first as Outcome), space.len());
        let message = format!("{missing} of {len} outcomes are missing, the first is {first}");
        return Err(fault(at.to_vec(), message));
    }
    Ok(all)
}

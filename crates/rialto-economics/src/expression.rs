//! Formulas over named quantities with units: `capex_2026 / capex_2025 - 1`.
//!
//! Holds a small parser and evaluator for `+ - * / ( )`, numbers and names. The evaluator keeps track of
//! units, so adding dollars to chips is an error and not a number. No functions, no assignment.

use std::collections::BTreeSet;
use std::fmt::{self, Display};

use serde::Serialize;

/// Longest formula accepted, in bytes.
const MAX_FORMULA_BYTES: usize = 2_000;
/// Deepest nesting of parentheses and signs.
const MAX_DEPTH: usize = 50;

/// Exponents of the base units dollar, chip, token, hour and kilowatt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Dimension([i8; 5]);

const BASE_NAMES: [&str; 5] = ["USD", "chips", "tokens", "hours", "kW"];

impl Dimension {
    /// A pure number.
    pub const NONE: Self = Self([0; 5]);

    fn combine(self, other: Self, sign: i8) -> Self {
        let mut sum = self.0;
        for (a, b) in sum.iter_mut().zip(other.0) {
            *a = a.saturating_add(b.saturating_mul(sign));
        }
        Self(sum)
    }
}

impl Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NONE {
            return f.write_str("a pure number");
        }
        let part = |sign: bool| {
            let named = BASE_NAMES
                .iter()
                .zip(self.0)
                .filter(move |(_, e)| (*e > 0) == sign);
            let named = named.filter(|(_, e)| *e != 0);
            let power = |(name, e): (&&str, i8)| match e.unsigned_abs() {
                1 => (*name).to_owned(),
                n => format!("{name}^{n}"),
            };
            named.map(power).collect::<Vec<_>>().join("*")
        };
        let (over, under) = (part(true), part(false));
        match (over.is_empty(), under.is_empty()) {
            (false, true) => f.write_str(&over),
            (true, _) => write!(f, "1/{under}"),
            (false, false) => write!(f, "{over}/{under}"),
        }
    }
}

/// A unit as written: `USD_B`, `%`, `chips`, `USD/chips`, `tokens/hours`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unit {
    /// The unit as written.
    pub text: String,
    /// The value of one such unit in base units.
    pub scale: f64,
    /// Its dimension.
    pub dimension: Dimension,
}

impl Unit {
    /// Parses a unit: base units joined by `*` and `/`; nothing, `ratio` or `x` is a pure number.
    ///
    /// # Errors
    /// Names the part that is no known unit and lists the known ones.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut unit = Self {
            text: text.to_owned(),
            scale: 1.0,
            dimension: Dimension::NONE,
        };
        let mut sign = 1;
        for (index, over) in text.split('/').enumerate() {
            if index > 0 {
                sign = -1;
            }
            for name in over.split('*') {
                let (scale, dimension) = base_unit(name.trim()).ok_or_else(|| {
                    format!(
                        "{name:?} is no known unit; known are USD, USD_K, USD_M, USD_B, USD_T, \
                         chips, tokens, tokens_M, tokens_B, hours, months, years, kW, MW, %, ratio"
                    )
                })?;
                unit.scale *= if sign > 0 { scale } else { 1.0 / scale };
                unit.dimension = unit.dimension.combine(dimension, sign);
            }
        }
        Ok(unit)
    }
}

fn base_unit(name: &str) -> Option<(f64, Dimension)> {
    let dimension = |index: usize| {
        let mut exponents = [0; 5];
        exponents[index] = 1;
        Dimension(exponents)
    };
    Some(match name {
        "" | "ratio" | "x" => (1.0, Dimension::NONE),
        "%" => (0.01, Dimension::NONE),
        "USD" => (1.0, dimension(0)),
        "USD_K" => (1e3, dimension(0)),
        "USD_M" => (1e6, dimension(0)),
        "USD_B" => (1e9, dimension(0)),
        "USD_T" => (1e12, dimension(0)),
        "chips" => (1.0, dimension(1)),
        "tokens" => (1.0, dimension(2)),
        "tokens_M" => (1e6, dimension(2)),
        "tokens_B" => (1e9, dimension(2)),
        "hours" => (1.0, dimension(3)),
        "months" => (730.0, dimension(3)),
        "years" => (8760.0, dimension(3)),
        "kW" => (1.0, dimension(4)),
        "MW" => (1e3, dimension(4)),
        _ => return None,
    })
}

/// A number in base units with its dimension.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantity {
    /// The number, in base units.
    pub value: f64,
    /// Its dimension.
    pub dimension: Dimension,
}

/// A parsed formula.
#[derive(Clone, Debug, PartialEq)]
pub enum Formula {
    /// A literal number.
    Number(f64),
    /// A named quantity.
    Name(String),
    /// A sign change.
    Negate(Box<Formula>),
    /// Two operands and one of `+ - * /`.
    Binary(Box<Formula>, char, Box<Formula>),
}

impl Formula {
    /// Parses a formula.
    ///
    /// # Errors
    /// Says what was expected and at which character.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_FORMULA_BYTES {
            return Err(format!("is longer than {MAX_FORMULA_BYTES} bytes"));
        }
        let mut parser = Parser {
            text,
            at: 0,
            depth: 0,
        };
        let formula = parser.sum()?;
        parser.skip_space();
        match parser.peek() {
            None => Ok(formula),
            Some(c) => Err(format!("unexpected {c:?} at character {}", parser.at + 1)),
        }
    }

    /// The names used, in alphabetical order.
    #[must_use]
    pub fn names(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.collect(&mut names);
        names
    }

    fn collect<'a>(&'a self, names: &mut BTreeSet<&'a str>) {
        match self {
            Self::Number(_) => {}
            Self::Name(name) => {
                names.insert(name);
            }
            Self::Negate(inner) => inner.collect(names),
            Self::Binary(left, _, right) => {
                left.collect(names);
                right.collect(names);
            }
        }
    }

    /// Evaluates the formula; `look_up` gives the value of a name.
    ///
    /// # Errors
    /// On an unknown name, a division by zero, or units that cannot be added.
    pub fn evaluate(&self, look_up: &dyn Fn(&str) -> Option<Quantity>) -> Result<Quantity, String> {
        match self {
            Self::Number(value) => Ok(Quantity {
                value: *value,
                dimension: Dimension::NONE,
            }),
            Self::Name(name) => look_up(name).ok_or_else(|| format!("no fact is named {name:?}")),
            Self::Negate(inner) => {
                let inner = inner.evaluate(look_up)?;
                Ok(Quantity {
                    value: -inner.value,
                    ..inner
                })
            }
            Self::Binary(left, operator, right) => {
                let (left, right) = (left.evaluate(look_up)?, right.evaluate(look_up)?);
                apply(left, *operator, right)
            }
        }
    }
}

fn apply(left: Quantity, operator: char, right: Quantity) -> Result<Quantity, String> {
    let (a, b) = (left.value, right.value);
    let sum = |value: f64| {
        if left.dimension == right.dimension {
            return Ok(Quantity {
                value,
                dimension: left.dimension,
            });
        }
        let (l, r) = (left.dimension, right.dimension);
        Err(format!(
            "units mixed up: {l} and {r} cannot be added or subtracted"
        ))
    };
    match operator {
        '+' => sum(a + b),
        '-' => sum(a - b),
        '*' => Ok(Quantity {
            value: a * b,
            dimension: left.dimension.combine(right.dimension, 1),
        }),
        _ if b == 0.0 => Err("division by zero".to_owned()),
        _ => Ok(Quantity {
            value: a / b,
            dimension: left.dimension.combine(right.dimension, -1),
        }),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn accept(&mut self, wanted: &[char]) -> Option<char> {
        self.skip_space();
        let found = self.peek().filter(|c| wanted.contains(c))?;
        self.at += found.len_utf8();
        Some(found)
    }

    fn sum(&mut self) -> Result<Formula, String> {
        let mut left = self.product()?;
        while let Some(operator) = self.accept(&['+', '-']) {
            left = Formula::Binary(Box::new(left), operator, Box::new(self.product()?));
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Formula, String> {
        let mut left = self.atom()?;
        while let Some(operator) = self.accept(&['*', '/']) {
            left = Formula::Binary(Box::new(left), operator, Box::new(self.atom()?));
        }
        Ok(left)
    }

    fn atom(&mut self) -> Result<Formula, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("is nested more than {MAX_DEPTH} deep"));
        }
        let formula = match self.accept(&['(', '-']) {
            Some('(') => {
                let inner = self.sum()?;
                self.accept(&[')'])
                    .ok_or_else(|| self.expected("a closing parenthesis"))?;
                inner
            }
            Some(_) => Formula::Negate(Box::new(self.atom()?)),
            None => self.leaf()?,
        };
        self.depth -= 1;
        Ok(formula)
    }

    fn leaf(&mut self) -> Result<Formula, String> {
        let rest = self.rest();
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let end = rest.find(|c: char| !word(c)).unwrap_or(rest.len());
        let text = rest.get(..end).unwrap_or("");
        let first = text
            .chars()
            .next()
            .ok_or_else(|| self.expected("a number or a name"))?;
        let leaf = if first.is_ascii_digit() || first == '.' {
            let number = text
                .parse()
                .map_err(|_| format!("{text:?} is not a number"))?;
            Formula::Number(number)
        } else {
            Formula::Name(text.to_owned())
        };
        self.at += end;
        Ok(leaf)
    }

    fn expected(&self, what: &str) -> String {
        format!("expected {what} at character {}", self.at + 1)
    }
}

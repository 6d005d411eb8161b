//! Calendar quarters and months as plain ordinals.
//!
//! Holds only what a plan needs: order, distance and parsing. It never asks what day it is.

use std::fmt::{self, Display};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The first and last year that a plan may name.
const YEARS: std::ops::RangeInclusive<i32> = 1990..=2150;

/// A text that is no month or quarter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a {1}, with a year from 1990 to 2150")]
pub struct CalendarError(String, &'static str);

/// A calendar quarter, written `2026Q1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Quarter(i32);

impl Quarter {
    /// The year the quarter lies in.
    #[must_use]
    pub fn year(self) -> i32 {
        self.0.div_euclid(4)
    }

    /// The quarter `count` quarters later (earlier when negative).
    #[must_use]
    pub fn plus(self, count: i32) -> Self {
        Self(self.0 + count)
    }

    /// Quarters from `earlier` to `self`; negative when `self` is the earlier one.
    #[must_use]
    pub fn since(self, earlier: Self) -> i32 {
        self.0 - earlier.0
    }

    /// The first quarter of `year`.
    #[must_use]
    pub fn first_of(year: i32) -> Self {
        Self(year * 4)
    }
}

impl FromStr for Quarter {
    type Err = CalendarError;

    fn from_str(text: &str) -> Result<Self, CalendarError> {
        let error = || CalendarError(text.to_owned(), "quarter such as 2026Q1");
        let (year, quarter) = text.split_once('Q').ok_or_else(error)?;
        let year: i32 = year.parse().map_err(|_| error())?;
        match quarter {
            "1" | "2" | "3" | "4" if YEARS.contains(&year) => {
                let quarter: i32 = quarter.parse().map_err(|_| error())?;
                Ok(Self(year * 4 + quarter - 1))
            }
            _ => Err(error()),
        }
    }
}

impl Display for Quarter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}Q{}", self.year(), self.0.rem_euclid(4) + 1))
    }
}

impl TryFrom<String> for Quarter {
    type Error = CalendarError;
    fn try_from(text: String) -> Result<Self, CalendarError> {
        text.parse()
    }
}

impl From<Quarter> for String {
    fn from(quarter: Quarter) -> Self {
        quarter.to_string()
    }
}

/// A calendar month, written `2026-03`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month(i32);

impl Month {
    /// The month `count` months later (earlier when negative).
    #[must_use]
    pub fn plus(self, count: i32) -> Self {
        Self(self.0 + count)
    }

    /// Months from `earlier` to `self`; negative when `self` is the earlier one.
    #[must_use]
    pub fn since(self, earlier: Self) -> i32 {
        self.0 - earlier.0
    }
}

impl FromStr for Month {
    type Err = CalendarError;

    fn from_str(text: &str) -> Result<Self, CalendarError> {
        let error = || CalendarError(text.to_owned(), "month such as 2026-03");
        let (year, month) = text.split_once('-').ok_or_else(error)?;
        if month.len() != 2 {
            return Err(error());
        }
        let year: i32 = year.parse().map_err(|_| error())?;
        let month: i32 = month.parse().map_err(|_| error())?;
        if !YEARS.contains(&year) || !(1..=12).contains(&month) {
            return Err(error());
        }
        Ok(Self(year * 12 + month - 1))
    }
}

impl Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!(
            "{:04}-{:02}",
            self.0.div_euclid(12),
            self.0.rem_euclid(12) + 1
        ))
    }
}

impl TryFrom<String> for Month {
    type Error = CalendarError;
    fn try_from(text: String) -> Result<Self, CalendarError> {
        text.parse()
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

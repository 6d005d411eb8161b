//! Quantities with their unit in the type: simulated time and energy.
//!
//! Holds only arithmetic that cannot lose a unit. It never reads a clock: [`Nanos`] counts
//! simulated time from the start of a run.

use std::fmt::{self, Display};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

use serde::{Deserialize, Serialize};

/// Simulated time in nanoseconds; 64 bits hold 584 years. Arithmetic saturates.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Nanos(pub u64);

impl Nanos {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest representable time, used as "never".
    pub const MAX: Self = Self(u64::MAX);

    /// Converts seconds; negative or NaN becomes zero, too large becomes [`Nanos::MAX`].
    #[must_use]
    pub fn from_secs_f64(seconds: f64) -> Self {
        Self((seconds * 1e9) as u64)
    }

    /// Converts milliseconds; negative or NaN becomes zero, too large becomes [`Nanos::MAX`].
    #[must_use]
    pub fn from_millis_f64(millis: f64) -> Self {
        Self((millis * 1e6) as u64)
    }

    /// The same time in seconds.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 * 1e-9
    }

    /// The same time in milliseconds.
    #[must_use]
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 * 1e-6
    }
}

impl Add for Nanos {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Nanos {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Nanos {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Nanos {
    fn sum<I: Iterator<Item = Self>>(times: I) -> Self {
        times.fold(Self::ZERO, Add::add)
    }
}

impl Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            n if n < 1_000_000 => write!(f, "{:.1} us", n as f64 * 1e-3),
            n if n < 1_000_000_000 => write!(f, "{:.1} ms", n as f64 * 1e-6),
            n => write!(f, "{:.2} s", n as f64 * 1e-9),
        }
    }
}

/// Energy in joules.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Joules(pub f64);

impl Joules {
    /// The same energy in kilowatt-hours, the unit power is bought in.
    #[must_use]
    pub fn as_kwh(self) -> f64 {
        self.0 / 3.6e6
    }
}

impl Add for Joules {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Joules {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_converts_and_saturates() {
        assert_eq!(Nanos::from_millis_f64(1.5), Nanos(1_500_000));
        assert_eq!(Nanos::from_secs_f64(-1.0), Nanos::ZERO);
        assert_eq!(Nanos::from_secs_f64(f64::NAN), Nanos::ZERO);
        assert_eq!(Nanos::from_secs_f64(1e30), Nanos::MAX);
        assert_eq!(Nanos(1) - Nanos(2), Nanos::ZERO);
        assert_eq!(Nanos::MAX + Nanos(1), Nanos::MAX);
    }

    #[test]
    fn one_kilowatt_hour_is_3_6_megajoules() {
        assert_eq!(Joules(3.6e6).as_kwh(), 1.0);
    }
}

//! Exact amounts in USD: decimal text in, decimal text out, integers of 1e-9 USD in between.
//! No binary floating point ever touches an amount.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Mul, Neg, Sub};

use serde::{Serialize, Serializer};

/// Decimal places of an amount, and of the other decimals of a scenario (price factors).
pub(crate) const SCALE: u32 = 9;
/// One whole unit (1 USD, factor 1) at [`SCALE`].
pub(crate) const ONE: i128 = 1_000_000_000;
/// Longest decimal text read; longer text is refused.
const DECIMAL_MAX_CHARS: usize = 48;

/// An amount in units of 1e-9 USD. A scenario's sizes are bounded (see [`super::load`]) so that
/// every sum taken here stays more than ten orders of magnitude below the limit of `i128`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Usd(i128);

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The step in which built-in agents bargain.
    pub(crate) const CENT: Self = Self(10_000_000);

    /// An amount of `nano` units of 1e-9 USD.
    #[must_use]
    pub(crate) const fn from_nano(nano: i128) -> Self {
        Self(nano)
    }

    /// The amount in units of 1e-9 USD.
    #[must_use]
    pub(crate) const fn nano(self) -> i128 {
        self.0
    }

    /// Reads a decimal such as `12.5`, `7` or `1e3`; beyond nine decimals it rounds half away
    /// from zero. `None` when the text is no finite decimal or is out of range.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        decimal(text).map(Self)
    }

    /// `self * numerator / denominator`, rounded up to the next 1e-9 USD. The denominator must be
    /// positive.
    #[must_use]
    pub(crate) fn scaled_up(self, numerator: i128, denominator: i128) -> Self {
        Self(div_ceil(self.0 * numerator, denominator))
    }

    /// The least whole number of cents that is not below this amount.
    #[must_use]
    pub(crate) fn up_to_cent(self) -> Self {
        Self(div_ceil(self.0, Self::CENT.0) * Self::CENT.0)
    }

    /// The greatest whole number of cents that is not above this amount.
    #[must_use]
    pub(crate) fn down_to_cent(self) -> Self {
        Self(self.0.div_euclid(Self::CENT.0) * Self::CENT.0)
    }
}

fn div_ceil(numerator: i128, denominator: i128) -> i128 {
    -(-numerator).div_euclid(denominator)
}

/// Reads a plain decimal (optional sign, digits, point, exponent) as an integer at [`SCALE`],
/// rounding half away from zero.
#[must_use]
pub(crate) fn decimal(text: &str) -> Option<i128> {
    if text.len() > DECIMAL_MAX_CHARS {
        return None;
    }
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut digits: i128 = 0;
    for byte in whole.bytes().chain(fraction.bytes()) {
        let digit = char::from(byte).to_digit(10)?;
        digits = digits.checked_mul(10)?.checked_add(i128::from(digit))?;
    }
    let places = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
    let shift = i32::try_from(SCALE).ok()?.checked_sub(places)?;
    let scaled = shifted(digits, shift)?;
    Some(if negative { -scaled } else { scaled })
}

/// `digits * 10^shift` for non-negative `digits`, rounded half up; `None` on overflow.
fn shifted(digits: i128, shift: i32) -> Option<i128> {
    if digits == 0 {
        return Some(0);
    }
    let Some(power) = 10i128.checked_pow(shift.unsigned_abs()) else {
        return (shift < 0).then_some(0);
    };
    if shift >= 0 {
        return digits.checked_mul(power);
    }
    digits.checked_add(power / 2).map(|raised| raised / power)
}

impl fmt::Display for Usd {
    /// Decimal text with at least two and at most nine decimals, no trailing zeros beyond cents.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        let unit = ONE.unsigned_abs();
        let fraction = format!("{:09}", magnitude % unit);
        let kept = fraction.trim_end_matches('0').len().max(2);
        f.pad(&format!("{sign}{}.{}", magnitude / unit, &fraction[..kept]))
    }
}

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Add for Usd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Usd {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Usd {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Mul<i128> for Usd {
    type Output = Self;
    fn mul(self, factor: i128) -> Self {
        Self(self.0 * factor)
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::{ONE, Usd, decimal};

    #[test]
    fn decimals_are_read_exactly() {
        let table: &[(&str, Option<i128>)] = &[
            ("3.99", Some(3_990_000_000)),
            ("7", Some(7 * ONE)),
            (".5", Some(500_000_000)),
            ("5.", Some(5 * ONE)),
            ("-0.01", Some(-10_000_000)),
            ("+2", Some(2 * ONE)),
            ("1e3", Some(1_000 * ONE)),
            ("1.5E-3", Some(1_500_000)),
            ("0.1234567894", Some(123_456_789)),
            ("0.1234567895", Some(123_456_790)),
            ("63.779999999999994", Some(63_780_000_000)),
            ("1e-400", Some(0)),
            ("0e999", Some(0)),
            ("1e400", None),
            ("", None),
            (".", None),
            ("-", None),
            ("1.2.3", None),
            ("$3.99", None),
            ("3,99", None),
            ("0x10", None),
            ("1_000", None),
            (".inf", None),
            (".nan", None),
            ("１", None),
            ("99999999999999999999999999999999999999999", None),
            ("0000000000000000000000000000000000000000000000000001", None),
        ];
        for (text, expected) in table {
            assert_eq!(decimal(text), *expected, "{text:?}");
        }
    }

    #[test]
    fn amounts_print_with_at_least_cents() {
        for (nano, text) in [
            (0, "0.00"),
            (3_990_000_000, "3.99"),
            (3_900_000_000, "3.90"),
            (-1, "-0.000000001"),
            (-22_700_000_000, "-22.70"),
            (10_537_800_000, "10.5378"),
        ] {
            assert_eq!(Usd::from_nano(nano).to_string(), text);
            assert_eq!(Usd::parse(text), Some(Usd::from_nano(nano)));
        }
    }

    #[test]
    fn rounding_is_towards_the_named_side() {
        let price = Usd::from_nano(10_537_800_000);
        assert_eq!(price.up_to_cent().to_string(), "10.54");
        assert_eq!(price.down_to_cent().to_string(), "10.53");
        assert_eq!(Usd::from_nano(10).scaled_up(1, 3), Usd::from_nano(4));
    }
}

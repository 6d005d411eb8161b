//! Dollars of a market day: the core's [`Amount`] at the scale of the day's asset, as scenario files write
//! them, strategies compute with them and reports print them. No binary floating point ever touches an
//! amount.
//!
//! A scenario's sizes are bounded (see [`super::load`]), so that every sum taken here stays far below what
//! an amount can be.

use std::collections::BTreeMap;

use rialto_core::amount::{Amount, Decimal};
use serde::{Serialize, Serializer};

use super::Baselines;

/// Digits after the point of the day's asset, and of the other decimals of a scenario (price factors).
const SCALE: u8 = 9;
/// One whole unit (1 USD, factor 1) at [`SCALE`].
pub(crate) const ONE: i128 = 1_000_000_000;
/// The step in which built-in agents bargain.
pub(crate) const CENT: Amount = Amount(10_000_000);
/// Longest decimal text read; longer text is refused.
const DECIMAL_MAX_CHARS: usize = 48;

/// Dollars as people write them: at least two and at most nine decimals, no trailing zeros beyond cents.
#[must_use]
pub fn dollars(amount: Amount) -> String {
    amount.display(SCALE)
}

/// Dollars as a command carries them.
pub(crate) fn carried(amount: Amount) -> Decimal {
    Decimal {
        units: amount.0,
        scale: SCALE,
    }
}

/// Reads dollars such as `12.5`, `7` or `1e3`; beyond nine decimals it rounds half away from zero. `None`
/// when the text is no finite decimal or is out of range.
#[must_use]
pub(crate) fn read(text: &str) -> Option<Amount> {
    decimal(text).map(Amount)
}

/// The sum of amounts.
#[must_use]
pub(crate) fn total(amounts: impl IntoIterator<Item = Amount>) -> Amount {
    Amount(amounts.into_iter().map(|amount| amount.0).sum())
}

/// `amount * numerator / denominator`, rounded up to the next 1e-9 USD. The denominator must be positive.
#[must_use]
pub(crate) fn scaled_up(amount: Amount, numerator: i128, denominator: i128) -> Amount {
    Amount(div_ceil(amount.0 * numerator, denominator))
}

/// The least whole number of cents that is not below an amount.
#[must_use]
pub(crate) fn up_to_cent(amount: Amount) -> Amount {
    Amount(div_ceil(amount.0, CENT.0) * CENT.0)
}

/// The greatest whole number of cents that is not above an amount.
#[must_use]
pub(crate) fn down_to_cent(amount: Amount) -> Amount {
    Amount(amount.0.div_euclid(CENT.0) * CENT.0)
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
    let shift = i32::from(SCALE).checked_sub(places)?;
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

/// Writes an amount of a report as dollars, where the core's own form is smallest units.
pub(crate) fn written<S: Serializer>(amount: &Amount, serializer: S) -> Result<S::Ok, S::Error> {
    carried(*amount).serialize(serializer)
}

/// As [`written`], where there may be none.
pub(crate) fn written_if_any<S: Serializer>(
    amount: &Option<Amount>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    amount.map(carried).serialize(serializer)
}

/// As [`written`], for the shipped reference figures.
pub(crate) fn written_baselines<S: Serializer>(
    baselines: &Baselines,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(baselines.iter().map(|(name, figures)| {
        let figures = figures
            .iter()
            .map(|(figure, amount)| (figure, carried(*amount)));
        (name, figures.collect::<BTreeMap<_, _>>())
    }))
}

#[cfg(test)]
mod tests {
    use super::{Amount, ONE, decimal, dollars, down_to_cent, read, scaled_up, up_to_cent};

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
            assert_eq!(dollars(Amount(nano)), text);
            assert_eq!(read(text), Some(Amount(nano)));
        }
    }

    #[test]
    fn rounding_is_towards_the_named_side() {
        let price = Amount(10_537_800_000);
        assert_eq!(dollars(up_to_cent(price)), "10.54");
        assert_eq!(dollars(down_to_cent(price)), "10.53");
        assert_eq!(scaled_up(Amount(10), 1, 3), Amount(4));
    }
}

//! Money: amounts in an asset's smallest unit, and decimals as people write them.
//!
//! An [`Amount`] is an `i128` count of smallest units. A [`Decimal`] is an exact decimal number that
//! becomes an amount once its asset's scale is known; nothing is ever rounded silently.

use alloc::string::String;
use core::fmt;

use minicbor::data::Type;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

/// The largest magnitude of an amount or balance: far from overflow even when summed over accounts.
pub const MAX: i128 = 1 << 100;
/// The most digits after the point that an asset can have.
pub const MAX_SCALE: u8 = 18;

/// A signed count of an asset's smallest unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(pub i128);

impl Amount {
    /// No money.
    pub const ZERO: Amount = Amount(0);

    /// The sum, if it stays within [`MAX`].
    #[must_use]
    pub fn plus(self, other: Amount) -> Option<Amount> {
        self.0
            .checked_add(other.0)
            .filter(|n| n.abs() <= MAX)
            .map(Amount)
    }

    /// The difference, if it stays within [`MAX`].
    #[must_use]
    pub fn minus(self, other: Amount) -> Option<Amount> {
        self.0
            .checked_sub(other.0)
            .filter(|n| n.abs() <= MAX)
            .map(Amount)
    }

    /// True above zero.
    #[must_use]
    pub fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Writes the amount as a decimal with `scale` digits after the point, without trailing zeros
    /// after the first two.
    #[must_use]
    pub fn display(self, scale: u8) -> String {
        Decimal {
            units: self.0,
            scale,
        }
        .text()
    }
}

impl<C> Encode<C> for Amount {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        if let Ok(small) = i64::try_from(self.0) {
            e.i64(small)?;
        } else {
            e.bytes(&self.0.to_be_bytes())?;
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Amount {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        if d.datatype()? != Type::Bytes {
            return Ok(Amount(i128::from(d.i64()?)));
        }
        let bytes = <[u8; 16]>::try_from(d.bytes()?)
            .map_err(|_| decode::Error::message("amount of wrong length"))?;
        let units = i128::from_be_bytes(bytes);
        if i64::try_from(units).is_ok() {
            return Err(decode::Error::message("amount not in its shortest form"));
        }
        Ok(Amount(units))
    }
}

impl serde::Serialize for Amount {
    /// As a decimal string of smallest units; views that know the scale print decimals instead.
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&self.0)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Amount {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "Amount".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        generator.subschema_for::<Decimal>()
    }
}

/// An exact decimal number, as a person or program writes it: `22.48`, `-3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// The digits without the point.
    pub units: i128,
    /// How many of them are after the point.
    pub scale: u8,
}

/// Why a decimal cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadDecimal {
    /// Not of the form `123.45`.
    Malformed,
    /// More digits than any asset has, or than this asset has.
    TooPrecise,
    /// Beyond [`MAX`].
    TooLarge,
}

impl fmt::Display for BadDecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "expected a decimal number, such as \"12.50\"",
            Self::TooPrecise => "more digits after the point than the asset has",
            Self::TooLarge => "the amount is too large",
        })
    }
}

impl Decimal {
    /// The amount in smallest units of an asset with `scale` digits after the point.
    ///
    /// # Errors
    /// [`BadDecimal::TooPrecise`] when the number does not fit the scale exactly,
    /// [`BadDecimal::TooLarge`] beyond [`MAX`].
    pub fn amount(self, scale: u8) -> Result<Amount, BadDecimal> {
        let (mut units, mut have) = (self.units, self.scale);
        while have > scale {
            if units % 10 != 0 {
                return Err(BadDecimal::TooPrecise);
            }
            units /= 10;
            have -= 1;
        }
        let factor = 10_i128
            .checked_pow(u32::from(scale - have))
            .ok_or(BadDecimal::TooLarge)?;
        let units = units.checked_mul(factor).ok_or(BadDecimal::TooLarge)?;
        if units.abs() > MAX {
            return Err(BadDecimal::TooLarge);
        }
        Ok(Amount(units))
    }

    /// The number as text, with at least two digits after the point if the scale allows them.
    #[must_use]
    pub fn text(self) -> String {
        use core::fmt::Write;
        let power = 10_u128.pow(u32::from(self.scale.min(MAX_SCALE)));
        let magnitude = self.units.unsigned_abs();
        let (whole, mut rest) = (magnitude / power, magnitude % power);
        let mut digits = self.scale.min(MAX_SCALE);
        while digits > 2 && rest % 10 == 0 {
            rest /= 10;
            digits -= 1;
        }
        let sign = if self.units < 0 { "-" } else { "" };
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = match digits {
            0 => write!(text, "{sign}{whole}"),
            _ => write!(
                text,
                "{sign}{whole}.{rest:0width$}",
                width = usize::from(digits)
            ),
        };
        text
    }
}

impl core::str::FromStr for Decimal {
    type Err = BadDecimal;
    fn from_str(text: &str) -> Result<Self, BadDecimal> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return Err(BadDecimal::Malformed),
            Some((whole, fraction)) => (whole, fraction),
            None => (digits, ""),
        };
        if whole.is_empty()
            || !whole
                .bytes()
                .chain(fraction.bytes())
                .all(|b| b.is_ascii_digit())
        {
            return Err(BadDecimal::Malformed);
        }
        if whole.len() > 32 {
            return Err(BadDecimal::TooLarge);
        }
        let scale = u8::try_from(fraction.len())
            .ok()
            .filter(|s| *s <= MAX_SCALE)
            .ok_or(BadDecimal::TooPrecise)?;
        let units = whole
            .bytes()
            .chain(fraction.bytes())
            .try_fold(0_i128, |n, b| {
                n.checked_mul(10)?.checked_add(i128::from(b - b'0'))
            });
        let mut decimal = Self {
            units: units.ok_or(BadDecimal::TooLarge)?,
            scale,
        };
        // Trailing zeros say nothing; without them a number equals what its text reads back as.
        while decimal.scale > 2 && decimal.units % 10 == 0 {
            decimal.units /= 10;
            decimal.scale -= 1;
        }
        if negative {
            decimal.units = -decimal.units;
        }
        Ok(decimal)
    }
}

impl serde::Serialize for Decimal {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.text())
    }
}

impl<'de> serde::Deserialize<'de> for Decimal {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <alloc::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Decimal {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "Decimal".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "An exact decimal number in whole units of the asset, such as \"12.50\".",
            "pattern": "^-?[0-9]+(\\.[0-9]+)?$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_become_amounts_exactly() {
        for (text, scale, want) in [
            ("22.48", 9, Ok(22_480_000_000)),
            ("0", 9, Ok(0)),
            ("-3.5", 2, Ok(-350)),
            ("1.230", 2, Ok(123)),
            ("1.234", 2, Err(BadDecimal::TooPrecise)),
            (
                "99999999999999999999999999999999",
                9,
                Err(BadDecimal::TooLarge),
            ),
        ] {
            let amount = text.parse::<Decimal>().and_then(|d| d.amount(scale));
            assert_eq!(amount, want.map(Amount), "{text}");
        }
    }

    #[test]
    fn malformed_numbers_are_refused() {
        for text in [
            "", "-", ".5", "5.", "1e3", "0x1", "1,5", " 1", "+1", "NaN", "1.2.3",
        ] {
            assert_eq!(
                text.parse::<Decimal>(),
                Err(BadDecimal::Malformed),
                "{text}"
            );
        }
    }

    #[test]
    fn amounts_print_with_two_digits_or_as_many_as_they_need() {
        for (units, scale, want) in [
            (22_480_000_000, 9, "22.48"),
            (-5, 9, "-0.000000005"),
            (1_000_000_000, 9, "1.00"),
            (7, 0, "7"),
        ] {
            assert_eq!(Amount(units).display(scale), want);
        }
    }

    #[test]
    fn stored_form_round_trips() {
        for units in [
            0,
            -1,
            i128::from(i64::MAX),
            i128::from(i64::MAX) + 1,
            MAX,
            -MAX,
        ] {
            let bytes = minicbor::to_vec(Amount(units)).unwrap();
            assert_eq!(minicbor::decode::<Amount>(&bytes).unwrap(), Amount(units));
        }
    }
}

//! Hashes: 32-byte BLAKE3 values, and the 16-byte prefixes used as compact table keys.

use alloc::string::String;
use core::fmt;

use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};

/// A 32-byte value: a BLAKE3 hash, an Ed25519 public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Hash(#[n(0)] ByteArray<32>);

impl Hash {
    /// Hashes `parts` one after another, each preceded by its length, so that no two different
    /// lists of parts have the same hash.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            let len = u64::try_from(part.len()).unwrap_or(u64::MAX);
            hasher.update(&len.to_le_bytes());
            hasher.update(part);
        }
        Self((*hasher.finalize().as_bytes()).into())
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first half: enough to distinguish keys in a table.
    #[must_use]
    pub fn short(&self) -> Short {
        let mut half = [0_u8; 16];
        half.copy_from_slice(self.0.split_at(16).0);
        Short(half.into())
    }
}

impl From<[u8; 32]> for Hash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes.into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::str::FromStr for Hash {
    type Err = BadHash;
    fn from_str(text: &str) -> Result<Self, BadHash> {
        let mut bytes = [0_u8; 32];
        parse_hex(text, &mut bytes)?;
        Ok(Self::from(bytes))
    }
}

/// The text is not hexadecimal of the wanted length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadHash {
    /// How many bytes the text must hold.
    pub bytes: usize,
}

impl fmt::Display for BadHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} hexadecimal digits", self.bytes * 2)
    }
}

fn parse_hex(text: &str, out: &mut [u8]) -> Result<(), BadHash> {
    let bad = BadHash { bytes: out.len() };
    if text.len() != out.len() * 2 {
        return Err(bad);
    }
    for (pair, byte) in text.as_bytes().chunks_exact(2).zip(out.iter_mut()) {
        let digits = core::str::from_utf8(pair).map_err(|_| bad)?;
        if digits.starts_with('+') {
            return Err(bad);
        }
        *byte = u8::from_str_radix(digits, 16).map_err(|_| bad)?;
    }
    Ok(())
}

/// Sixteen bytes of a hash, as a compact key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Short(#[n(0)] pub ByteArray<16>);

impl serde::Serialize for Short {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        use core::fmt::Write;
        let mut text = String::with_capacity(32);
        for byte in self.0.iter() {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        s.serialize_str(&text)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Short {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "Short".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9a-f]{32}$" })
    }
}

/// A 64-byte Ed25519 signature. Verified in the doors; the core only keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Signature(#[n(0)] pub ByteArray<64>);

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl core::str::FromStr for Signature {
    type Err = BadHash;
    fn from_str(text: &str) -> Result<Self, BadHash> {
        let mut bytes = [0_u8; 64];
        parse_hex(text, &mut bytes)?;
        Ok(Self(bytes.into()))
    }
}

macro_rules! hex_text {
    ($name:ident, $digits:literal) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = String::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> alloc::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": concat!("^[0-9a-f]{", $digits, "}$") })
            }
        }
    };
}

hex_text!(Hash, 64);
hex_text!(Signature, 128);

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn length_of_parts_counts() {
        assert_ne!(Hash::of(&[b"ab", b"c"]), Hash::of(&[b"a", b"bc"]));
    }

    #[test]
    fn hex_round_trips_and_refuses_strangers() {
        let hash = Hash::of(&[b"x"]);
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert!("+0".repeat(32).parse::<Hash>().is_err());
        assert!("zz".repeat(32).parse::<Hash>().is_err());
        assert!("é".repeat(32).parse::<Hash>().is_err());
    }
}

//! Short texts that are facts (handles, names, codes), and references to texts that are not.
//!
//! Facts are bounded, checked on entry and never erased. Everything longer or personal is a
//! content: it is stored beside the facts, which name it by a [`ContentRef`].

use alloc::string::{String, ToString};
use core::fmt;

use minicbor::{Decode, Encode};

use crate::hash::{Hash, Short};
use crate::id::ContentId;

/// Why a short text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadText {
    /// What was expected.
    pub wanted: &'static str,
}

impl fmt::Display for BadText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.wanted)
    }
}

macro_rules! short_text {
    ($(#[$doc:meta])* $name:ident, $wanted:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(#[n(0)] String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> alloc::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "description": $wanted })
            }
        }
    };
}

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $wanted:literal, $check:expr) => {
        short_text! { $(#[$doc])* $name, $wanted }

        impl $name {
            /// Checks and takes a text.
            ///
            /// # Errors
            /// When the text is not of the expected form.
            pub fn new(text: &str) -> Result<Self, BadText> {
                let check: fn(&str) -> Option<&str> = $check;
                check(text).map(|t| Self(t.to_string())).ok_or(BadText { wanted: $wanted })
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <alloc::borrow::Cow<'de, str>>::deserialize(d)?;
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

fn handle(text: &str) -> Option<&str> {
    let bare = text.strip_prefix('@').unwrap_or(text);
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    let fits = (2..=40).contains(&bare.len()) && bare.bytes().all(plain);
    (fits && bare.starts_with(|c: char| c.is_ascii_alphanumeric())).then_some(bare)
}

checked_text! {
    /// A unique name such as `@casa`. Lower-case ASCII only, so that no two handles look alike
    /// through letters of another script.
    Handle, "a handle: 2 to 40 of a-z, 0-9, - and _, starting with a letter or digit", handle
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}", self.0)
    }
}

short_text! {
    /// A short text that is a fact: a skill, a tag, the name of an item or attribute. Two are the same
    /// when their [keys](crate::names::name_key) are.
    Name, "a name: 1 to 160 bytes, no space at either end, no control, direction or invisible characters, each word of one script"
}

impl Name {
    /// The type name by which a format recognises a name, so that a door can check new ones with
    /// [`Name::new`] while stored ones are read unchanged.
    pub const FORM: &'static str = "rialto name";

    /// Checks and takes a new name.
    ///
    /// # Errors
    /// When it has not the form of a name, or could be read as what it is not
    /// ([`names::check`](crate::names::check)).
    pub fn new(text: &str) -> Result<Self, BadText> {
        let name = Self::kept(text)?;
        crate::names::check(text).map_err(|wanted| BadText { wanted })?;
        Ok(name)
    }

    /// True when both are one name, however it was typed.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        crate::names::same_name(&self.0, &other.0)
    }

    /// Takes a name that may have been stored under older rules.
    fn kept(text: &str) -> Result<Self, BadText> {
        let fits = !text.is_empty() && text.len() <= 160 && text.trim() == text;
        if fits && !text.chars().any(char::is_control) {
            return Ok(Self(text.to_string()));
        }
        Err(BadText {
            wanted: "a name: 1 to 160 bytes, no control characters, no space at either end",
        })
    }
}

/// Reads a name unchanged: names in the log were checked when they arrived.
impl<'de> serde::Deserialize<'de> for Name {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Name;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_newtype_struct<D: serde::Deserializer<'de>>(
                self,
                inner: D,
            ) -> Result<Name, D::Error> {
                inner.deserialize_str(self)
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Name, E> {
                Name::kept(text).map_err(E::custom)
            }
        }
        d.deserialize_newtype_struct(Name::FORM, Visitor)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn alias(text: &str) -> Option<&str> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_./:".contains(&b);
    let fits = (1..=64).contains(&text.len()) && text.bytes().all(plain);
    (fits && text.starts_with(|c: char| c.is_ascii_alphanumeric())).then_some(text)
}

checked_text! {
    /// The name by which a realm calls a model, such as `fast`. Lower-case ASCII only, so that one model
    /// has one spelling.
    Alias, "an alias: 1 to 64 of a-z, 0-9, -, _, ., / and :, starting with a letter or digit", alias
}

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

checked_text! {
    /// The usage of a call of a model as its provider wrote it. Figures only, so that nothing of a prompt
    /// or an answer can stand in it.
    RawUsage, "a JSON object of at most 1,024 bytes, made of objects, arrays, numbers and at most 8 words of A-Z, a-z, 0-9, _, - and the point", crate::figures::only
}

impl fmt::Display for RawUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn code(text: &str) -> Option<&str> {
    let fits = (2..=12).contains(&text.len());
    (fits
        && text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'.'))
    .then_some(text)
}

checked_text! {
    /// The code of an asset, such as `USD`.
    AssetCode, "an asset code: 2 to 12 of A-Z, 0-9 and the point", code
}

impl fmt::Display for AssetCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn url(text: &str) -> Option<&str> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))?;
    let fits = text.len() <= 512 && !rest.is_empty();
    (fits
        && rest
            .bytes()
            .all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b)))
    .then_some(text)
}

checked_text! {
    /// An address that an agent is called at.
    Url, "an http or https address of at most 512 bytes", url
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn client_key(text: &str) -> Option<&str> {
    let fits = (1..=128).contains(&text.len());
    (fits && text.bytes().all(|b| b.is_ascii_graphic())).then_some(text)
}

checked_text! {
    /// An id that a client chose, by which a repeated message is recognised.
    ClientId, "a client id: 1 to 128 visible ASCII characters", client_key
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is known of a content without reading it. A set of bits; new ones are added at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Labels(#[n(0)] pub u32);

impl Labels {
    /// Written by an agent through its own token.
    pub const BY_AGENT: Labels = Labels(1);
    /// Written by a person.
    pub const BY_PERSON: Labels = Labels(2);
    /// Written by the operator.
    pub const BY_OPERATOR: Labels = Labels(4);
    /// It contains a token of the realm that was live when the text arrived.
    pub const LIVE_TOKEN: Labels = Labels(8);

    const NAMES: [(Labels, &str); 4] = [
        (Self::BY_AGENT, "by_agent"),
        (Self::BY_PERSON, "by_person"),
        (Self::BY_OPERATOR, "by_operator"),
        (Self::LIVE_TOKEN, "live_token"),
    ];

    /// These labels and another's.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of another's labels are set.
    #[must_use]
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The names of the labels that are set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES
            .into_iter()
            .filter(move |(l, _)| self.0 & l.0 != 0)
            .map(|(_, name)| name)
    }
}

impl serde::Serialize for Labels {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.names())
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Labels {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "Labels".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "array",
            "items": { "type": "string", "enum": Self::NAMES.map(|(_, name)| name) },
            "description": "What is known of a text without reading it: who wrote it, and whether a live token stands in it."
        })
    }
}

/// A content as a command carries it: hashed and measured in the door, its bytes left there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Which of the command's contents it is, from 0.
    pub ordinal: u16,
    /// The hash of salt and bytes.
    pub hash: Hash,
    /// How many bytes it has.
    pub len: u32,
    /// What is known of it.
    pub labels: Labels,
    /// True if it is empty: no data, no file, and no text but white space.
    pub blank: bool,
    /// A mark of its bytes by a secret of the realm: the same for the same bytes, and no help to
    /// whoever guesses them. Where nothing asks whether a text is a repeated one, any other value.
    pub same: Short,
}

/// A content as events carry it. The bytes and the salt can be erased; this stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ContentRef {
    /// Where the bytes are kept.
    #[n(0)]
    pub id: ContentId,
    /// The hash of salt and bytes.
    #[n(1)]
    pub hash: Hash,
    /// How many bytes it has.
    #[n(2)]
    pub len: u32,
    /// What is known of it.
    #[n(3)]
    pub labels: Labels,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_plain() {
        for good in ["@casa", "casa", "a1", "vip-deals", "x_y"] {
            assert!(Handle::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "@",
            "a",
            "Casa",
            "cаsa",
            "-a",
            "a b",
            "@@a",
            "a\u{200b}b",
        ] {
            assert!(Handle::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_short_and_visible() {
        for good in ["Flan", "Children's Menu", "Ünsal 3"] {
            assert!(Name::new(good).is_ok(), "{good}");
        }
        for bad in ["", " x", "x ", "a\nb", "a\0", "a\u{202e}b"] {
            assert!(Name::new(bad).is_err(), "{bad}");
        }
        assert!(Name::new(&"x".repeat(161)).is_err());
    }

    #[test]
    fn stored_names_are_read_as_they_stand() {
        let stored: Name = serde_json::from_str("\"Taco\u{202e}ocaT\"").unwrap();
        assert_eq!(stored.as_str(), "Taco\u{202e}ocaT");
        let bytes = minicbor::to_vec(&stored).unwrap();
        assert_eq!(minicbor::decode::<Name>(&bytes).ok(), Some(stored));
        assert!(serde_json::from_str::<Name>("\"a\\nb\"").is_err());
    }

    #[test]
    fn addresses_are_http() {
        assert!(Url::new("https://example.org/a?b=1").is_ok());
        for bad in [
            "javascript:alert(1)",
            "https://",
            "http://a b",
            "http://a\"b",
        ] {
            assert!(Url::new(bad).is_err(), "{bad}");
        }
    }
}

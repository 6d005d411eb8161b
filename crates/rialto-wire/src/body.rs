//! Bodies: what an agent or person writes, as parts of text, data and references to files.
//!
//! A body is a content: its bytes are stored beside the log, which names them by a salted hash. In
//! JSON a plain string is short for one text part.

use rialto_core::hash::Hash;
use rialto_core::names::is_seen;
use rialto_core::text::{Labels, Sealed};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

/// The most bytes a body has in its stored form.
pub const MAX_BYTES: usize = 1 << 20;
/// The most parts a body has.
pub const MAX_PARTS: usize = 64;

/// One part of a body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Part {
    /// Text.
    Text(String),
    /// Structured data.
    Data(Value),
    /// A reference to a file.
    File(FileRef),
}

/// A reference to a file that is stored elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FileRef {
    /// What it is called.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// Where it is.
    pub uri: String,
}

/// What somebody wrote.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Body(pub Vec<Part>);

/// Why a body is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadBody {
    /// Larger than [`MAX_BYTES`].
    TooLarge(usize),
    /// Not a body in its stored form.
    Malformed,
}

impl Body {
    /// A body of one text.
    pub fn text(text: impl Into<String>) -> Self {
        Self(vec![Part::Text(text.into())])
    }

    /// All text of the body, parts separated by line ends, for search and for people.
    #[must_use]
    pub fn plain_text(&self) -> String {
        let texts = self.0.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Data(data) => data.to_string(),
            Part::File(file) => format!("[{} {}]", file.name, file.media_type),
        });
        texts.collect::<Vec<_>>().join("\n")
    }

    /// Whether it is blank: no file, no data, and no visible character.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.0.iter().all(|part| match part {
            Part::Text(text) => !text.chars().any(is_seen),
            Part::Data(data) => says_nothing(data, false),
            Part::File(_) => false,
        })
    }

    /// The stored form.
    ///
    /// # Errors
    /// [`BadBody::TooLarge`] past [`MAX_BYTES`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, BadBody> {
        let bytes = serde_json::to_vec(&self.0).map_err(|_| BadBody::Malformed)?;
        if bytes.len() > MAX_BYTES {
            return Err(BadBody::TooLarge(bytes.len()));
        }
        Ok(bytes)
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`BadBody::Malformed`] when the bytes are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadBody> {
        serde_json::from_slice(bytes)
            .map(Self)
            .map_err(|_| BadBody::Malformed)
    }
}

/// Whether data holds no value but empty and blank ones. Zero and `false` say something only under a
/// name that is seen: alone they are what a program writes that has nothing to say.
fn says_nothing(data: &Value, named: bool) -> bool {
    match data {
        Value::Null => true,
        Value::Bool(yes) => !yes && !named,
        Value::Number(number) => number.as_f64() == Some(0.0) && !named,
        Value::String(text) => !text.chars().any(is_seen),
        Value::Array(entries) => entries.iter().all(|entry| says_nothing(entry, named)),
        Value::Object(fields) => fields
            .iter()
            .all(|(name, value)| says_nothing(value, name.chars().any(is_seen))),
    }
}

/// Whether two texts are the same except for case, white space, punctuation and invisible
/// characters.
#[must_use]
pub fn same_words(one: &Body, other: &Body) -> bool {
    let words = |body: &Body| -> String {
        let text = body.plain_text();
        let plain = text.nfkc().filter(|c| c.is_alphanumeric());
        plain.flat_map(char::to_lowercase).collect()
    };
    words(one) == words(other)
}

/// The hash by which the log names a content.
#[must_use]
pub fn content_hash(salt: &[u8; 16], bytes: &[u8]) -> Hash {
    Hash::of(&[b"rialto content", salt, bytes])
}

/// Seals a content for the core: its place in the command, its hash, its length and labels. Whether it is
/// blank is told by its body, not its bytes: [`Body::is_blank`]. The mark is of salt and bytes: where a
/// repeat is to be told, the realm's own is put in its place.
#[must_use]
pub fn seal(ordinal: u16, salt: &[u8; 16], bytes: &[u8], labels: Labels) -> Sealed {
    // MAX_BYTES keeps the length far below u32::MAX.
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let hash = content_hash(salt, bytes);
    Sealed {
        ordinal,
        hash,
        len,
        labels,
        blank: false,
        same: hash.short(),
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Body;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(
                    "a text, or a list of parts: {\"text\": …}, {\"data\": …} or {\"file\": …}",
                )
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Body, E> {
                Ok(Body::text(text))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Body, A::Error> {
                let mut parts = Vec::new();
                while let Some(part) = seq.next_element()? {
                    if parts.len() == MAX_PARTS {
                        return Err(serde::de::Error::custom(format!(
                            "at most {MAX_PARTS} parts"
                        )));
                    }
                    parts.push(part);
                }
                Ok(Body(parts))
            }
        }
        d.deserialize_any(Visitor)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Body {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Body".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let part = generator.subschema_for::<Part>();
        if generator.contract().is_serialize() {
            return schemars::json_schema!({
                "description": "What somebody wrote: a list of parts.",
                "type": "array", "items": part, "maxItems": MAX_PARTS
            });
        }
        schemars::json_schema!({
            "description": "What somebody wrote: a text, or a list of parts.",
            "oneOf": [{ "type": "string" }, { "type": "array", "items": part, "maxItems": MAX_PARTS }]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_short_for_one_text() {
        let short: Body = serde_json::from_str("\"hello\"").unwrap();
        let long: Body = serde_json::from_str("[{\"text\":\"hello\"}]").unwrap();
        assert_eq!(short, long);
        assert_eq!(Body::from_bytes(&long.to_bytes().unwrap()), Ok(long));
    }

    #[test]
    fn strangers_are_refused() {
        for bad in [
            "1",
            "[1]",
            "[{\"text\":1}]",
            "[{\"text\":\"a\",\"x\":1}]",
            "{\"text\":\"a\"}",
        ] {
            assert!(serde_json::from_str::<Body>(bad).is_err(), "{bad}");
        }
        let many = format!("[{}]", vec!["{\"text\":\"a\"}"; MAX_PARTS + 1].join(","));
        assert!(serde_json::from_str::<Body>(&many).is_err());
    }

    #[test]
    fn what_shows_nothing_is_blank() {
        for blank in [
            "",
            " \t\n\u{a0}\u{3000}",
            "\u{200b}\u{200d}\u{2060}\u{feff}",
            "\u{e0068}\u{e0069}\u{e007f}",
            "\u{3164}\u{2800}\u{115f}",
            "\u{301}\u{fe0f}",
            "\u{202e} \u{ad}",
            "\u{1d159}\u{1d159}",
            "\u{fffc}",
            "\u{600}\u{8e2}",
            "\u{e000}\u{f8ff}\u{10fffd}",
            "\u{378}\u{2fe0}\u{effff}",
        ] {
            assert!(Body::text(blank).is_blank(), "{blank:?}");
        }
        for said in [
            "x",
            ".",
            "\u{200b}x",
            "é",
            "e\u{301}",
            "你好",
            "👍",
            "\u{ad}-",
        ] {
            assert!(!Body::text(said).is_blank(), "{said:?}");
        }
        let parts = |text: &str| serde_json::from_str::<Body>(text).unwrap();
        for blank in [
            "[]",
            r#"[{"text":" "},{"text":""}]"#,
            r#"[{"data":null}]"#,
            r#"[{"data":[" ",[]]}]"#,
            r#"[{"data":{}}]"#,
            r#"[{"data":{"a":null}}]"#,
            r#"[{"data":{"a":{"b":["",{}]}}}]"#,
            r#"[{"data":0}]"#,
            r#"[{"data":[false,-0.0]}]"#,
            "[{\"data\":{\"\u{200b}\":0}}]",
        ] {
            assert!(parts(blank).is_blank(), "{blank}");
        }
        for said in [
            r#"[{"data":7}]"#,
            r#"[{"data":{"a":0}}]"#,
            r#"[{"data":{"done":false}}]"#,
            r#"[{"text":" "},{"data":[1]}]"#,
        ] {
            assert!(!parts(said).is_blank(), "{said}");
        }
    }

    #[test]
    fn the_same_words_are_the_same_however_typed() {
        let same = |one: &str, other: &str| same_words(&Body::text(one), &Body::text(other));
        assert!(same("Spam, again.", "spam \u{200b}AGAIN"));
        assert!(!same("spam", "spam again"));
    }

    #[test]
    fn the_hash_depends_on_the_salt() {
        assert_ne!(content_hash(&[0; 16], b"x"), content_hash(&[1; 16], b"x"));
    }
}

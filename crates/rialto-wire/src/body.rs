//! Bodies: what an agent or person writes, as parts of text, data and references to files.
//!
//! A body is a content: its bytes stand beside the log, named there by a salted hash. In JSON a
//! plain string is short for one text part.

use rialto_core::hash::Hash;
use rialto_core::text::{Labels, Sealed};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::screen;

/// The most bytes a body has in its stored form.
pub const MAX_BYTES: usize = 1 << 20;
/// The most parts a body has.
pub const MAX_PARTS: usize = 64;

/// One part of a body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Part {
    /// Text.
    Text(String),
    /// Structured data.
    Data(Value),
    /// A reference to a file.
    File(FileRef),
}

/// A reference to a file that stands elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
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

    /// True when there is nothing in it: no file, no data but empty ones, no text but white space and
    /// characters that take no room.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.0.iter().all(|part| match part {
            Part::Text(text) => blank(text),
            Part::Data(Value::Null) => true,
            Part::Data(Value::String(text)) => blank(text),
            Part::Data(Value::Array(all)) => all.is_empty(),
            Part::Data(Value::Object(all)) => all.is_empty(),
            Part::Data(_) | Part::File(_) => false,
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

fn blank(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_whitespace() || screen::invisible(c))
}

/// The hash by which the log names a content.
#[must_use]
pub fn content_hash(salt: &[u8; 16], bytes: &[u8]) -> Hash {
    Hash::of(&[b"rialto content", salt, bytes])
}

/// Seals a content for the core: its place in the command, its hash, its length and labels. Whether it is
/// blank is told by its body, not its bytes: [`Body::is_blank`].
#[must_use]
pub fn seal(ordinal: u16, salt: &[u8; 16], bytes: &[u8], labels: Labels) -> Sealed {
    // MAX_BYTES keeps the length far below u32::MAX.
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    Sealed {
        ordinal,
        hash: content_hash(salt, bytes),
        len,
        labels,
        blank: false,
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

impl schemars::JsonSchema for Body {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Body".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let part = generator.subschema_for::<Part>();
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
    fn the_hash_depends_on_the_salt() {
        assert_ne!(content_hash(&[0; 16], b"x"), content_hash(&[1; 16], b"x"));
    }
}

//! JSON in which only an object passes for a record.
//!
//! Serde's derived types also take an array of their fields in order. No client means that, and it
//! would let a request be read otherwise than it was written, so what comes through a door is read
//! with [`from_value`]. Holds no types of its own and decides nothing about their fields.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, EnumAccess, Error as _, IntoDeserializer, Unexpected,
    VariantAccess, Visitor,
};
use serde::{Deserializer, forward_to_deserialize_any};
use serde_json::{Error, Value};

/// Reads a value; an array where an object is meant is an error.
///
/// # Errors
/// When the value has not the type's form.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    T::deserialize(Strict(value))
}

/// Reads the members of an object in the given order, each value as [`from_value`] does.
///
/// # Errors
/// When the members are not the type's.
pub(crate) fn from_members<T: DeserializeOwned>(members: Vec<(&str, Value)>) -> Result<T, Error> {
    let members = members
        .into_iter()
        .map(|(name, value)| (name, Strict(value)));
    T::deserialize(MapDeserializer::new(members))
}

struct Strict(Value);

/// What stands where an object should.
fn not_an_object(value: &Value, name: &str) -> Error {
    let found = match value {
        Value::Null => Unexpected::Unit,
        Value::Bool(yes) => Unexpected::Bool(*yes),
        Value::Number(_) => Unexpected::Other("number"),
        Value::String(text) => Unexpected::Str(text),
        Value::Array(_) => Unexpected::Seq,
        Value::Object(_) => Unexpected::Map,
    };
    Error::invalid_type(found, &format!("an object, {name}").as_str())
}

impl<'de> Deserializer<'de> for Strict {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(items) => {
                let mut items = SeqDeserializer::new(items.into_iter().map(Strict));
                let value = visitor.visit_seq(&mut items)?;
                items.end().map(|()| value)
            }
            Value::Object(members) => {
                let members = members.into_iter().map(|(name, v)| (name, Strict(v)));
                let mut members = MapDeserializer::new(members);
                let value = visitor.visit_map(&mut members)?;
                members.end().map(|()| value)
            }
            simple => simple.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.0.is_object() {
            self.deserialize_any(visitor)
        } else {
            Err(not_an_object(&self.0, name))
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let members = match self.0 {
            Value::Object(members) => members,
            other => return other.deserialize_enum(name, variants, visitor),
        };
        let mut members = members.into_iter();
        match (members.next(), members.next()) {
            (Some((variant, value)), None) => visitor.visit_enum(Variant { variant, value }),
            _ => Err(Error::invalid_value(
                Unexpected::Map,
                &"an object with a single member",
            )),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Error> for Strict {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

/// One of several forms, named by the only member of an object.
struct Variant {
    variant: String,
    value: Value,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Error;
    type Variant = Strict;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Strict), Error> {
        let name = IntoDeserializer::<Error>::into_deserializer(self.variant);
        seed.deserialize(name)
            .map(|variant| (variant, Strict(self.value)))
    }
}

impl<'de> VariantAccess<'de> for Strict {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.0 {
            Value::Null => Ok(()),
            _ => Err(Error::custom("nothing is expected here")),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_struct("with fields", fields, visitor)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Point {
        x: u8,
        y: Option<u8>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Shape {
        Empty,
        At(Point),
        Box { low: Point, high: Point },
        Line(Vec<Point>),
    }

    #[test]
    fn only_objects_pass_for_records() {
        let point = |x, y| Point { x, y };
        for (value, want) in [
            (json!("empty"), Some(Shape::Empty)),
            (json!({ "empty": null }), Some(Shape::Empty)),
            (
                json!({ "at": { "x": 1, "y": 2 } }),
                Some(Shape::At(point(1, Some(2)))),
            ),
            (json!({ "at": { "x": 1 } }), Some(Shape::At(point(1, None)))),
            (json!({ "at": [1, 2] }), None),
            (
                json!({ "box": { "low": { "x": 1 }, "high": { "x": 2 } } }),
                Some(Shape::Box {
                    low: point(1, None),
                    high: point(2, None),
                }),
            ),
            (json!({ "box": [{ "x": 1 }, { "x": 2 }] }), None),
            (
                json!({ "box": { "low": [1, 1], "high": { "x": 2 } } }),
                None,
            ),
            (
                json!({ "line": [{ "x": 1 }] }),
                Some(Shape::Line(vec![point(1, None)])),
            ),
            (json!({ "line": [[1, 2]] }), None),
            (json!({ "at": { "x": 1 }, "line": [] }), None),
            (json!({ "at": { "x": 300 } }), None),
        ] {
            assert_eq!(from_value::<Shape>(value.clone()).ok(), want, "{value}");
        }
        let told = from_value::<Shape>(json!({ "at": [1, 2] })).unwrap_err();
        assert_eq!(
            told.to_string(),
            "invalid type: sequence, expected an object, Point"
        );
    }
}

//! Values held against schemas: the part of JSON Schema (draft 2020-12) that a description made from
//! Rust types uses.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::pattern;

/// Keywords that say nothing of a value's form.
const SILENT: [&str; 3] = ["description", "default", "format"];

/// The schemas of a description.
pub(super) struct Schemas<'a>(Option<&'a Map<String, Value>>);

/// The members of an object that some schema has named.
type Named = BTreeSet<String>;

impl<'a> Schemas<'a> {
    pub(super) fn of(document: &'a Value) -> Self {
        Self(document["components"]["schemas"].as_object())
    }

    /// Holds a value against a schema, with all that it is made of.
    pub(super) fn check(&self, schema: &Value, value: &Value) -> Result<(), String> {
        self.whole(schema, value, "it")
    }

    /// Every member that an object has must be named by its schema.
    fn whole(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        let named = self.part(schema, value, at)?;
        let members = value.as_object().into_iter().flatten();
        match members.map(|(name, _)| name).find(|n| !named.contains(*n)) {
            Some(stranger) => Err(format!("{at} has {stranger:?}, which is not described")),
            None => Ok(()),
        }
    }

    /// The same for a schema beside which others may name further members.
    fn part(&self, schema: &Value, value: &Value, at: &str) -> Result<Named, String> {
        let keywords = match schema {
            Value::Object(keywords) => keywords,
            Value::Bool(true) => return Ok(members(value)),
            _ => return Err(format!("{at}: {schema} is no schema")),
        };
        if !keywords.keys().any(|key| !SILENT.contains(&key.as_str())) {
            return Ok(members(value));
        }
        let mut named = Named::new();
        for (key, says) in keywords {
            let more = self.keyword((key, says), keywords, value, at)?;
            named.extend(more);
        }
        Ok(named)
    }

    fn keyword(
        &self,
        (key, says): (&str, &Value),
        beside: &Map<String, Value>,
        value: &Value,
        at: &str,
    ) -> Result<Named, String> {
        let unless = |holds: bool| match holds {
            true => Ok(Named::new()),
            false => Err(format!("{at} breaks {key} {says}: {value}")),
        };
        let size = value.as_array().map_or(0, Vec::len) as u64;
        let bound = says.as_u64().unwrap_or_default();
        match key {
            "$ref" => self.part(self.named(says)?, value, at),
            "oneOf" | "anyOf" => self.some_of(key, says, value, at),
            "properties" => self.properties(says, value, at),
            "additionalProperties" => self.further(says, beside, value, at),
            "items" | "prefixItems" => self.entries(key, says, beside, value, at),
            "type" => unless(is_of(says, value)),
            "const" => unless(says == value),
            "enum" => unless(says.as_array().is_some_and(|all| all.contains(value))),
            "required" => {
                let names = says.as_array().into_iter().flatten();
                let mut names = names.filter_map(Value::as_str);
                unless(names.all(|name| value.get(name).is_some()))
            }
            "pattern" => unless(match (says.as_str(), value.as_str()) {
                (Some(wanted), Some(text)) => pattern::fits(wanted, text)?,
                _ => true,
            }),
            "minimum" => unless(value.as_f64().is_none_or(|n| says.as_f64() <= Some(n))),
            "maximum" => unless(value.as_f64().is_none_or(|n| Some(n) <= says.as_f64())),
            "minItems" => unless(!value.is_array() || bound <= size),
            "maxItems" => unless(!value.is_array() || size <= bound),
            _ if SILENT.contains(&key) => Ok(Named::new()),
            _ => Err(format!("{at}: the keyword {key} is not known here")),
        }
    }

    fn named(&self, reference: &Value) -> Result<&'a Value, String> {
        let name = reference.as_str().unwrap_or_default();
        let name = name.strip_prefix("#/components/schemas/");
        let found = name.and_then(|name| self.0?.get(name));
        found.ok_or_else(|| format!("{reference} is not there"))
    }

    fn some_of(&self, key: &str, says: &Value, value: &Value, at: &str) -> Result<Named, String> {
        let (mut fit, mut named, mut why) = (0, Named::new(), Vec::new());
        for variant in says.as_array().into_iter().flatten() {
            match self.part(variant, value, at) {
                Ok(more) => {
                    fit += 1;
                    named.extend(more);
                }
                Err(error) => why.push(error),
            }
        }
        match fit {
            0 => Err(format!("{at} is none of these: {}", why.join("; "))),
            2.. if key == "oneOf" => Err(format!("{at} is {fit} of these: {says}")),
            _ => Ok(named),
        }
    }

    fn properties(&self, says: &Value, value: &Value, at: &str) -> Result<Named, String> {
        let mut named = Named::new();
        for (name, form) in says.as_object().into_iter().flatten() {
            if let Some(member) = value.get(name) {
                self.whole(form, member, &format!("{at}/{name}"))?;
                named.insert(name.clone());
            }
        }
        Ok(named)
    }

    /// Members that are not among the properties beside.
    fn further(
        &self,
        says: &Value,
        beside: &Map<String, Value>,
        value: &Value,
        at: &str,
    ) -> Result<Named, String> {
        let mut named = Named::new();
        let known = beside.get("properties");
        for (name, member) in value.as_object().into_iter().flatten() {
            if known.is_some_and(|known| known.get(name).is_some()) {
                continue;
            }
            if *says == Value::Bool(false) {
                return Err(format!("{at} has {name:?}, which may not be there"));
            }
            self.whole(says, member, &format!("{at}/{name}"))?;
            named.insert(name.clone());
        }
        Ok(named)
    }

    fn entries(
        &self,
        key: &str,
        says: &Value,
        beside: &Map<String, Value>,
        value: &Value,
        at: &str,
    ) -> Result<Named, String> {
        let first = beside.get("prefixItems").and_then(Value::as_array);
        let first: &[Value] = first.map_or(&[], Vec::as_slice);
        for (number, entry) in value.as_array().into_iter().flatten().enumerate() {
            let form = match (key, first.get(number)) {
                ("items", None) => says,
                ("prefixItems", Some(form)) => form,
                _ => continue,
            };
            self.whole(form, entry, &format!("{at}/{number}"))?;
        }
        Ok(Named::new())
    }
}

fn members(value: &Value) -> Named {
    let fields = value.as_object().into_iter().flatten();
    fields.map(|(name, _)| name.clone()).collect()
}

/// Whether a value is of a type, or of one of some types.
fn is_of(says: &Value, value: &Value) -> bool {
    if let Value::Array(types) = says {
        return types.iter().any(|one| is_of(one, value));
    }
    match says.as_str().unwrap_or_default() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_held_against_schemas() {
        let document = json!({ "components": { "schemas": {
            "Who": { "type": "object", "properties": { "id": { "type": "string" } }, "required": ["id"] },
            "Short": { "type": "string", "pattern": "^[0-9a-f]{4}$" }
        } } });
        let whom = json!({ "oneOf": [
            { "$ref": "#/components/schemas/Who", "type": "object", "properties": { "kind": { "const": "agent" } }, "required": ["kind"] },
            { "type": "object", "properties": { "kind": { "const": "all" } }, "required": ["kind"] }
        ] });
        let pair = json!({ "type": "array", "prefixItems": [{ "type": "string" }, { "type": "null" }], "minItems": 2, "maxItems": 2 });
        let map = json!({ "type": "object", "additionalProperties": { "type": ["integer", "null"], "maximum": 9 } });
        let closed = json!({ "type": "object", "properties": { "a": { "type": "boolean" } }, "additionalProperties": false });
        for (schema, value, fits) in [
            (&whom, json!({ "kind": "agent", "id": "x" }), true),
            (&whom, json!({ "kind": "agent", "id": 1 }), false),
            (&whom, json!({ "kind": "agent" }), false),
            (&whom, json!({ "kind": "all" }), true),
            (&whom, json!({ "kind": "all", "id": "x" }), false),
            (&whom, json!({ "kind": "some", "id": "x" }), false),
            (&pair, json!(["a", null]), true),
            (&pair, json!(["a", 1]), false),
            (&pair, json!(["a"]), false),
            (&pair, json!(["a", null, null]), false),
            (&map, json!({ "a": 1, "b": null }), true),
            (&map, json!({ "a": 10 }), false),
            (&map, json!({ "a": 1.5 }), false),
            (&closed, json!({ "a": true }), true),
            (&closed, json!({ "a": true, "b": 1 }), false),
            (
                &json!({ "$ref": "#/components/schemas/Short" }),
                json!("00ff"),
                true,
            ),
            (
                &json!({ "$ref": "#/components/schemas/Short" }),
                json!("00f"),
                false,
            ),
            (
                &json!({ "$ref": "#/components/schemas/Long" }),
                json!("00f"),
                false,
            ),
            (&json!({ "enum": ["a", "b"] }), json!("b"), true),
            (&json!({ "enum": ["a", "b"] }), json!("c"), false),
            (
                &json!({ "description": "anything" }),
                json!({ "a": 1 }),
                true,
            ),
            (&json!({ "type": "object" }), json!({ "a": 1 }), false),
            (&json!({ "contains": 1 }), json!([1]), false),
        ] {
            let found = Schemas::of(&document).check(schema, &value);
            assert_eq!(found.is_ok(), fits, "{schema} {value}: {found:?}");
        }
    }
}

//! The API description as a client sees it: operations in groups, reads by how they answer, and types.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

const SCHEMAS: &str = "#/components/schemas/";

/// The whole API.
pub(super) struct Api {
    /// Operations by what stands before their point: `mail` has `send`.
    pub(super) groups: BTreeMap<String, Vec<Operation>>,
    pub(super) reads: Vec<Read>,
    /// All named types.
    pub(super) types: BTreeMap<String, Value>,
}

/// An operation.
pub(super) struct Operation {
    /// Such as `mail.send`.
    pub(super) op: String,
    /// Such as `send`.
    pub(super) name: String,
    pub(super) doc: String,
    /// The type of its arguments.
    pub(super) args: String,
    pub(super) fields: Vec<Field>,
}

/// A member of an object, or a parameter.
#[derive(Clone)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) doc: String,
    pub(super) required: bool,
    pub(super) schema: Value,
}

/// A read.
pub(super) struct Read {
    pub(super) name: String,
    pub(super) doc: String,
    pub(super) path: String,
    /// The type of its body, if it is asked with one.
    pub(super) asks: Option<String>,
    pub(super) in_path: Vec<Field>,
    /// What else it takes, in its query or its body.
    pub(super) takes: Vec<Field>,
    pub(super) form: Form,
}

/// How a read answers.
pub(super) enum Form {
    /// With one JSON value.
    One(Value),
    /// With a page of a list: the member that holds the rows, and the type of a row.
    Pages(String, Value),
    /// With server-sent events.
    Events(Value),
    /// With JSON values, one a line.
    Lines(Value),
    /// With a text.
    Text,
}

impl Api {
    pub(super) fn of(description: &Value) -> Self {
        let schemas = &description["components"]["schemas"];
        let types: BTreeMap<String, Value> = serde_json::from_value(schemas.clone()).unwrap();
        let mut api = Self {
            groups: BTreeMap::new(),
            reads: Vec::new(),
            types,
        };
        for (path, methods) in description["paths"].as_object().unwrap() {
            for (_, operation) in methods.as_object().unwrap() {
                match operation["tags"][0].as_str().unwrap() {
                    "operations" => api.operation(operation),
                    _ => api.read(path, operation),
                }
            }
        }
        api.reads.sort_by(|a, b| a.name.cmp(&b.name));
        api.end_streams_with_errors();
        api.leave_out_what_nobody_names();
        api
    }

    /// What ends a stream comes to a client's user as an error, not as an event.
    fn end_streams_with_errors(&mut self) {
        for read in &self.reads {
            let Form::Events(told) = &read.form else {
                continue;
            };
            let news = self.types.get_mut(reference(told).unwrap()).unwrap();
            let kinds = news["oneOf"].as_array_mut().unwrap();
            kinds.retain(|kind| kind["properties"]["event"]["const"] != "problem");
        }
    }

    /// Pages, for one, are read by what reads lists, and need no types of their own.
    fn leave_out_what_nobody_names(&mut self) {
        let mut named: BTreeSet<String> = BTreeSet::new();
        for written_by_hand in ["Accepted", "BatchItem", "Outcome", "Problem"] {
            self.reach(
                &json!({ "$ref": format!("{SCHEMAS}{written_by_hand}") }),
                &mut named,
            );
        }
        for operation in self.groups.values().flatten() {
            let args = format!("{SCHEMAS}{}", operation.args);
            self.reach(&json!({ "$ref": args }), &mut named);
        }
        for read in &self.reads {
            let asked = read.asks.iter().map(|asks| format!("{SCHEMAS}{asks}"));
            asked.for_each(|asks| self.reach(&json!({ "$ref": asks }), &mut named));
            match &read.form {
                Form::One(told) | Form::Pages(_, told) | Form::Events(told) | Form::Lines(told) => {
                    self.reach(told, &mut named);
                }
                Form::Text => {}
            }
        }
        self.types.retain(|name, _| named.contains(name));
    }

    fn reach(&self, schema: &Value, named: &mut BTreeSet<String>) {
        match schema {
            Value::Object(fields) => {
                if let Some(name) = reference(schema)
                    && named.insert(name.to_owned())
                {
                    self.reach(&self.types[name], named);
                }
                fields.values().for_each(|inner| self.reach(inner, named));
            }
            Value::Array(entries) => entries.iter().for_each(|inner| self.reach(inner, named)),
            _ => {}
        }
    }

    fn operation(&mut self, described: &Value) {
        let op = described["operationId"].as_str().unwrap();
        let (group, name) = op.split_once('.').unwrap();
        let args = body_of(described).unwrap();
        let operation = Operation {
            op: op.to_owned(),
            name: name.to_owned(),
            doc: doc(&described["summary"]),
            fields: fields(&self.types[&args]),
            args,
        };
        let group = self.groups.entry(group.to_owned()).or_default();
        group.push(operation);
    }

    fn read(&mut self, path: &str, described: &Value) {
        let name = described["operationId"].as_str().unwrap().to_owned();
        // Both are written by hand: one carries operations out, the other is this description.
        if name == "batch" || name == "description" {
            return;
        }
        let of = |place: &str| {
            let all = described["parameters"].as_array().unwrap().iter();
            let wanted = all.filter(|parameter| parameter["in"] == place);
            let fields = wanted.map(|parameter| Field {
                name: parameter["name"].as_str().unwrap().to_owned(),
                doc: doc(&parameter["description"]),
                required: parameter["required"] == true,
                schema: parameter["schema"].clone(),
            });
            fields.collect::<Vec<Field>>()
        };
        let (asks, mut takes) = (body_of(described), of("query"));
        if let Some(asked) = &asks {
            takes = fields(&self.types[asked]);
        }
        let form = self.form(&described["responses"]["200"]["content"], &takes);
        self.reads.push(Read {
            name,
            doc: doc(&described["summary"]),
            path: path.to_owned(),
            asks,
            in_path: of("path"),
            takes,
            form,
        });
    }

    fn form(&self, answer: &Value, takes: &[Field]) -> Form {
        let (media, told) = answer.as_object().unwrap().iter().next().unwrap();
        let schema = told["schema"].clone();
        match media.as_str() {
            "application/json" if takes.iter().any(|field| field.name == "cursor") => {
                self.pages(&schema).unwrap_or(Form::One(schema))
            }
            "application/json" => Form::One(schema),
            "text/event-stream" => Form::Events(schema),
            "application/jsonl" => Form::Lines(schema),
            _ => Form::Text,
        }
    }

    /// Pages, if an answer says where the next begins.
    fn pages(&self, schema: &Value) -> Option<Form> {
        let page = fields(&self.types[reference(schema)?]);
        page.iter().find(|field| field.name == "next_cursor")?;
        let rows = page.iter().find(|field| field.schema["type"] == "array")?;
        Some(Form::Pages(rows.name.clone(), rows.schema["items"].clone()))
    }
}

/// The name of the type of a request's body.
fn body_of(described: &Value) -> Option<String> {
    let schema = &described["requestBody"]["content"]["application/json"]["schema"];
    reference(schema).map(str::to_owned)
}

/// The members of an object, the required ones first.
pub(super) fn fields(schema: &Value) -> Vec<Field> {
    let required = schema["required"].as_array().into_iter().flatten();
    let required: Vec<&str> = required.filter_map(Value::as_str).collect();
    let members = schema["properties"].as_object().into_iter().flatten();
    let mut fields: Vec<Field> = members
        .map(|(name, schema)| Field {
            name: name.clone(),
            doc: doc(&schema["description"]),
            required: required.contains(&name.as_str()),
            schema: schema.clone(),
        })
        .collect();
    fields.sort_by_key(|field| !field.required);
    fields
}

/// A description in one line.
pub(super) fn doc(text: &Value) -> String {
    let words = text.as_str().unwrap_or_default().split_whitespace();
    words.collect::<Vec<_>>().join(" ")
}

/// The named type that a schema is.
pub(super) fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix(SCHEMAS)
}

/// What a schema says, in the forms that the description uses.
pub(super) enum Shape<'a> {
    Named(&'a str),
    /// One of these strings.
    Words(Vec<&'a str>),
    /// An object with these members, and those of a named type.
    Object(Vec<Field>, Option<&'a str>),
    /// An object whose members are of one type, by whatever name.
    Map(&'a Value),
    List(&'a Value),
    Tuple(&'a [Value]),
    Union(Vec<&'a Value>),
    Text,
    Integer,
    Truth,
    Null,
    Anything,
}

impl<'a> Shape<'a> {
    pub(super) fn of(schema: &'a Value) -> Self {
        let object = schema["properties"].is_object();
        match reference(schema) {
            Some(name) if object => return Self::Object(fields(schema), Some(name)),
            Some(name) => return Self::Named(name),
            None => {}
        }
        if let Some(all) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
            let words: Option<Vec<&str>> = all.iter().map(|one| one["const"].as_str()).collect();
            return words.map_or_else(|| Self::Union(all.iter().collect()), Self::Words);
        }
        if let Some(word) = schema["const"].as_str() {
            return Self::Words(vec![word]);
        }
        if let Some(words) = schema["enum"].as_array() {
            return Self::Words(words.iter().filter_map(Value::as_str).collect());
        }
        if object {
            return Self::Object(fields(schema), None);
        }
        Self::plain(schema)
    }

    fn plain(schema: &'a Value) -> Self {
        match &schema["type"] {
            Value::String(of) => match of.as_str() {
                "string" => Self::Text,
                "integer" => Self::Integer,
                "boolean" => Self::Truth,
                "null" => Self::Null,
                "array" => match schema["prefixItems"].as_array() {
                    Some(each) => Self::Tuple(each),
                    None => Self::List(&schema["items"]),
                },
                "object" if schema["additionalProperties"] == false => {
                    Self::Object(Vec::new(), None)
                }
                "object" => Self::Map(&schema["additionalProperties"]),
                other => panic!("no client knows the type {other}"),
            },
            Value::Null => Self::Anything,
            _ => panic!("no client knows {schema}"),
        }
    }
}

/// Whether a schema is a type that may also be null: then without that.
pub(super) fn nullable(schema: &Value) -> Option<Value> {
    if let Some(types) = schema["type"].as_array() {
        let mut bare = schema.clone();
        bare["type"] = types.iter().find(|of| **of != "null")?.clone();
        return Some(bare);
    }
    let all = schema["anyOf"].as_array()?;
    let some: Vec<&Value> = all.iter().filter(|one| one["type"] != "null").collect();
    match some.as_slice() {
        [one] if all.len() == 2 => Some((*one).clone()),
        _ => None,
    }
}

/// The variants of a type whose values are objects with one member each, by which they are told apart;
/// and the words that stand for variants without data.
pub(super) fn tagged<'a>(variants: &[&'a Value]) -> Option<(Vec<Field>, Vec<&'a str>)> {
    let (mut members, mut words) = (Vec::new(), Vec::new());
    for variant in variants {
        match Shape::of(variant) {
            Shape::Words(each) => words.extend(each),
            Shape::Object(fields, None) => match fields.as_slice() {
                [only] if only.required && !matches!(Shape::of(&only.schema), Shape::Words(_)) => {
                    let mut only = only.clone();
                    only.doc = doc(&variant["description"]);
                    members.push(only);
                }
                _ => return None,
            },
            _ => return None,
        }
    }
    (!members.is_empty()).then_some((members, words))
}

/// `offer_made` as `OfferMade`.
pub(super) fn camel(name: &str) -> String {
    let words = name.split(['_', '-', '.']);
    let words = words.map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect()
}

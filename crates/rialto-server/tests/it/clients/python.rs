//! The Python client's types and methods, for Python 3.10 and later.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;

use super::model::{Api, Field, Form, Operation, Read, Shape, camel, doc, nullable, tagged};

const HEAD: &str = "# Made from docs/openapi.json by the tests: see clients/README.md.\n";
/// Words that Python keeps for itself.
const KEYWORDS: [&str; 32] = [
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif",
    "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda",
    "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];
/// Stands around the name of a type until it is known whether Python reads it as a name or as a text.
const MARK: char = '\u{1}';
/// The longest line.
const WIDTH: usize = 110;

/// A name as a parameter or method.
fn name(wire: &str) -> String {
    let plain = wire.replace('-', "_").to_lowercase();
    if KEYWORDS.contains(&plain.as_str()) {
        return format!("{plain}_");
    }
    plain
}

/// `types.py`.
pub(super) fn types(api: &Api) -> String {
    let mut file = Types::default();
    for (name, schema) in &api.types {
        file.define(name, schema);
    }
    let all: BTreeSet<&String> = file.names.iter().collect();
    assert_eq!(all.len(), file.names.len(), "two types have one name");
    format!(
        "{HEAD}\"\"\"What is asked for and answered.\"\"\"\n\nfrom __future__ import annotations\n\n\
         from typing import TYPE_CHECKING, Any, Literal, Optional, TypedDict, Union\n\n\
         if TYPE_CHECKING:\n    from typing_extensions import NotRequired\n{}",
        file.text
    )
}

#[derive(Default)]
struct Types {
    text: String,
    /// Whether a class was defined last.
    after_class: bool,
    names: Vec<String>,
}

impl Types {
    /// Defines a named type, and before it those inside it that Python needs names for.
    fn define(&mut self, of: &str, schema: &Value) {
        self.names.push(of.to_owned());
        let said = doc(&schema["description"]);
        match Shape::of(schema) {
            Shape::Object(fields, base) => self.object(of, base, &fields, &said),
            Shape::Union(variants) => match tagged(&variants) {
                Some((members, words)) => self.one_of(of, &members, &words, &said),
                None => {
                    let each = variants.iter().enumerate();
                    let each: Vec<String> = each
                        .map(|(number, variant)| self.variant(of, number, variant))
                        .collect();
                    self.alias(of, &format!("Union[{}]", each.join(", ")), &said);
                }
            },
            _ => {
                let is = self.ty(of, schema);
                self.alias(of, &is, &said);
            }
        }
    }

    /// Another name for a type. Names in it may be defined later.
    fn alias(&mut self, of: &str, is: &str, said: &str) {
        let said = match said {
            "" => String::new(),
            said => format!("\"\"\"{}\"\"\"\n", quoted(said)),
        };
        let is = match is.contains(MARK) && !is.contains('[') {
            true => format!("Union[{is}]"),
            false => is.to_owned(),
        };
        let is = is.replace(MARK, "\"");
        let space = if self.after_class { "\n\n" } else { "\n" };
        self.after_class = false;
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{space}{of} = {is}\n{said}");
    }

    fn object(&mut self, of: &str, base: Option<&str>, fields: &[Field], said: &str) {
        let lines: Vec<(&Field, String)> = fields
            .iter()
            .map(|field| {
                let is = self.ty(&format!("{of}{}", camel(&field.name)), &field.schema);
                let is = match field.required {
                    true => is,
                    false => format!("NotRequired[{is}]"),
                };
                (field, is.replace(MARK, ""))
            })
            .collect();
        if fields.iter().any(|field| name(&field.name) != field.name) {
            let members = lines.iter().map(|(field, is)| {
                let (is, note) = (is.replace('"', "'"), comment(&field.doc));
                format!("    \"{}\": \"{is}\",{note}\n", field.name)
            });
            let is = format!("TypedDict(\"{of}\", {{\n{}}})", members.collect::<String>());
            self.alias(of, &is, said);
            return;
        }
        let members = lines.iter().map(|(field, is)| {
            let note = comment(&field.doc);
            format!("    {}: {is}{note}\n", field.name)
        });
        let members: String = members.collect();
        self.class(of, base.unwrap_or("TypedDict"), &members, said);
    }

    fn class(&mut self, of: &str, base: &str, members: &str, said: &str) {
        let said = match said {
            "" => String::new(),
            said => format!("    \"\"\"{}\"\"\"\n", quoted(said)),
        };
        let space = if said.is_empty() || members.is_empty() {
            ""
        } else {
            "\n"
        };
        let body = match (said.as_str(), members) {
            ("", "") => "    pass\n".to_owned(),
            _ => format!("{said}{space}{members}"),
        };
        self.after_class = true;
        let _ = write!(self.text, "\n\nclass {of}({base}):\n{body}");
    }

    /// A type of which each value has exactly one of some members.
    fn one_of(&mut self, of: &str, members: &[Field], words: &[&str], said: &str) {
        let name = match words {
            [] => of.to_owned(),
            _ => format!("{of}Of"),
        };
        let members: Vec<Field> = members
            .iter()
            .map(|member| Field {
                required: false,
                ..member.clone()
            })
            .collect();
        let lines: Vec<String> = members
            .iter()
            .map(|member| {
                let is = self.ty(&format!("{of}{}", camel(&member.name)), &member.schema);
                let is = is.replace(MARK, "");
                format!("    {}: {is}{}\n", member.name, comment(&member.doc))
            })
            .collect();
        let said = format!("{said} Has exactly one of these.");
        self.class(&name, "TypedDict, total=False", &lines.concat(), &said);
        if !words.is_empty() {
            let words = literal(words);
            self.alias(of, &format!("Union[{words}, {name}]"), "");
        }
    }

    /// A variant of a union, by its name.
    fn variant(&mut self, of: &str, number: usize, schema: &Value) -> String {
        let Shape::Object(fields, _) = Shape::of(schema) else {
            return self.ty(of, schema);
        };
        let tag = fields
            .iter()
            .find_map(|field| field.schema["const"].as_str());
        let tag = tag.map_or_else(|| number.to_string(), camel);
        let name = format!("{of}{tag}");
        self.define(&name, schema);
        format!("{MARK}{name}{MARK}")
    }

    /// A type as an expression. `at` names what has to be defined for it.
    fn ty(&mut self, at: &str, schema: &Value) -> String {
        if let Some(some) = nullable(schema) {
            return format!("Optional[{}]", self.ty(at, &some));
        }
        match Shape::of(schema) {
            Shape::Named(name) => format!("{MARK}{name}{MARK}"),
            Shape::Words(words) => literal(&words),
            Shape::Text => "str".into(),
            Shape::Integer => "int".into(),
            Shape::Truth => "bool".into(),
            Shape::Null => "None".into(),
            Shape::Anything => "Any".into(),
            Shape::Map(each) => format!("dict[str, {}]", self.ty(&format!("{at}Value"), each)),
            Shape::List(each) => format!("list[{}]", self.ty(&format!("{at}Item"), each)),
            Shape::Tuple(each) => {
                let each: BTreeSet<String> = each.iter().map(|one| self.ty(at, one)).collect();
                let each: Vec<String> = each.into_iter().collect();
                format!("list[{}]", each.join(" | "))
            }
            Shape::Object(..) | Shape::Union(_) => {
                self.define(at, schema);
                format!("{MARK}{at}{MARK}")
            }
        }
    }
}

fn literal(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    format!("Literal[{}]", words.join(", "))
}

fn comment(said: &str) -> String {
    match said {
        "" => String::new(),
        said => format!("  # {said}"),
    }
}

/// A text as it can stand in a docstring.
fn quoted(said: &str) -> String {
    let said = said.replace('\\', "\\\\").replace("\"\"\"", "'''");
    match said.ends_with('"') {
        true => format!("{said} "),
        false => said,
    }
}

/// `api.py`.
pub(super) fn methods(api: &Api) -> String {
    let mut text = format!(
        "{HEAD}\"\"\"The operations and reads of a realm.\"\"\"\n\nfrom __future__ import annotations\n\n\
         from typing import Iterator, Literal, Optional\n\n\
         from . import types as t\nfrom .client import Base, Events, Group, Pages, part\n"
    );
    for (group, operations) in &api.groups {
        let _ = write!(text, "\n\nclass {}(Group):\n", camel(group));
        let methods: Vec<String> = operations.iter().map(operation).collect();
        text.push_str(&methods.join("\n"));
    }
    text.push_str("\n\nclass Reads(Group):\n");
    let reads: Vec<String> = api.reads.iter().map(read).collect();
    text.push_str(&reads.join("\n"));
    text.push_str(
        "\n\nclass Client(Base):\n    \"\"\"A realm as one principal sees it.\"\"\"\n\n    def _make_groups(self) -> None:\n",
    );
    for group in api.groups.keys() {
        let _ = writeln!(text, "        self.{group} = {}(self)", camel(group));
    }
    text.push_str("        self.read = Reads(self)\n");
    text
}

/// A type of the API in a signature. What needs a name of its own has one in `types.py`.
fn argument(field: &Field) -> String {
    let (schema, optional) = match nullable(&field.schema) {
        Some(some) => (some, true),
        None => (field.schema.clone(), !field.required),
    };
    let is = expression(&schema);
    let optional = optional || !field.required;
    match (optional, field.required) {
        (true, false) => format!("{}: Optional[{is}] = None", name(&field.name)),
        (true, true) => format!("{}: Optional[{is}]", name(&field.name)),
        (false, _) => format!("{}: {is}", name(&field.name)),
    }
}

fn expression(schema: &Value) -> String {
    if let Some(some) = nullable(schema) {
        return format!("Optional[{}]", expression(&some));
    }
    match Shape::of(schema) {
        Shape::Named(name) => format!("t.{name}"),
        Shape::Words(words) => literal(&words),
        Shape::Text => "str".into(),
        Shape::Integer => "int".into(),
        Shape::Truth => "bool".into(),
        Shape::List(each) => format!("list[{}]", expression(each)),
        Shape::Map(each) => format!("dict[str, {}]", expression(each)),
        _ => panic!("give this argument a type with a name: {schema}"),
    }
}

/// A function's first line, or lines where it is long.
fn signature(name: &str, first: &[String], named: &[String], returns: &str) -> String {
    let mut all = vec!["self".to_owned()];
    all.extend_from_slice(first);
    if !named.is_empty() {
        all.push("*".to_owned());
        all.extend_from_slice(named);
    }
    let line = format!("    def {name}({}) -> {returns}:\n", all.join(", "));
    if line.len() <= WIDTH {
        return line;
    }
    let each: Vec<String> = all.iter().map(|one| format!("        {one},\n")).collect();
    format!("    def {name}(\n{}    ) -> {returns}:\n", each.concat())
}

/// The arguments as they are sent.
fn sent(fields: &[Field]) -> String {
    let pairs: Vec<String> = fields
        .iter()
        .map(|field| format!("\"{}\": {}", field.name, name(&field.name)))
        .collect();
    let line = format!("{{{}}}", pairs.join(", "));
    if line.len() < WIDTH - 30 {
        return line;
    }
    let lines: Vec<String> = pairs
        .iter()
        .map(|pair| format!("            {pair},\n"))
        .collect();
    format!("{{\n{}        }}", lines.concat())
}

/// What a method does, and what each of its parameters means.
fn docstring(said: &str, fields: &[Field]) -> String {
    let told: Vec<String> = fields
        .iter()
        .filter(|field| !field.doc.is_empty())
        .map(|field| {
            format!(
                "        {}: {}\n",
                name(&field.name),
                field.doc.replace('\\', "\\\\")
            )
        })
        .collect();
    match told.as_slice() {
        [] => format!("        \"\"\"{}\"\"\"\n", quoted(said)),
        _ => format!(
            "        \"\"\"{}\n\n{}        \"\"\"\n",
            quoted(said),
            told.concat()
        ),
    }
}

fn operation(operation: &Operation) -> String {
    let fields = &operation.fields;
    let named: Vec<String> = fields.iter().map(argument).collect();
    let mut text = signature(&name(&operation.name), &[], &named, "t.Accepted");
    text.push_str(&docstring(&operation.doc, fields));
    let _ = writeln!(
        text,
        "        return self._carry_out(\"{}\", {})",
        operation.op,
        sent(fields)
    );
    text
}

fn read(read: &Read) -> String {
    let first: Vec<String> = read.in_path.iter().map(argument).collect();
    let mut named: Vec<String> = read.takes.iter().map(argument).collect();
    let mut told = read.takes.clone();
    let path = read.in_path.iter().fold(read.path.clone(), |path, field| {
        let place = format!("{{{}}}", field.name);
        path.replace(&place, &format!("{{part({})}}", name(&field.name)))
    });
    let path = match read.in_path.as_slice() {
        [] => format!("\"{path}\""),
        _ => format!("f\"{path}\""),
    };
    let (returns, call) = match &read.form {
        Form::One(schema) => {
            let is = expression(schema);
            (is, format!("self._get({path}, {})", sent(&read.takes)))
        }
        Form::Pages(rows, row) => {
            let more = if read.asks.is_some() {
                ", ask=True"
            } else {
                ""
            };
            let asked = sent(&read.takes);
            (
                format!("Pages[{}]", expression(row)),
                format!("self._pages({path}, {asked}, \"{rows}\"{more})"),
            )
        }
        Form::Events(schema) => {
            named.push("last_event_id: Optional[str] = None".into());
            told.push(Field {
                name: "last_event_id".into(),
                doc: "Resumes behind this event; stronger than `after`.".into(),
                required: false,
                schema: Value::Null,
            });
            (
                format!("Events[{}]", expression(schema)),
                format!("self._events({path}, {}, last_event_id)", sent(&read.takes)),
            )
        }
        Form::Lines(schema) => (
            format!("Iterator[{}]", expression(schema)),
            format!("self._lines({path}, {})", sent(&read.takes)),
        ),
        Form::Text => ("str".into(), format!("self._text({path})")),
    };
    let mut text = signature(&name(&read.name), &first, &named, &returns);
    let all: Vec<Field> = read.in_path.iter().chain(&told).cloned().collect();
    text.push_str(&docstring(&read.doc, &all));
    let _ = writeln!(text, "        return {call}");
    text
}

//! Documents that are made from the code and committed, so that they cannot drift.
//!
//! `RIALTO_BLESS=1 cargo test` writes them anew.

use std::collections::BTreeSet;
use std::path::Path;

use rialto_server::door;
use serde::Serialize;
use serde_json::{Map, Value};

/// A document in `docs`.
pub(crate) fn committed(name: &str, made: &str) {
    committed_at(&format!("docs/{name}"), made);
}

/// A file anywhere in the project.
pub(crate) fn committed_at(name: &str, made: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = root.join(name);
    if std::env::var_os("RIALTO_BLESS").is_some() {
        std::fs::write(&path, made).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == made,
        "{name} is behind the code: run the tests once with RIALTO_BLESS=1"
    );
}

/// JSON with a line for each value, so that differences can be read, and little before it.
fn written(value: &Value) -> String {
    let mut bytes = Vec::new();
    let form = serde_json::ser::PrettyFormatter::with_indent(b" ");
    let mut writer = serde_json::Serializer::with_formatter(&mut bytes, form);
    value.serialize(&mut writer).unwrap();
    bytes.push(b'\n');
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_api_description_is_committed() {
    committed("openapi.json", &written(&door::describe()));
}

/// Carried out on the server's own machine only: the door refuses them.
pub(crate) const INTERNAL: [&str; 7] = [
    "clock.tick",
    "token.end_leaked",
    "obligation.notice",
    "obligation.done",
    "realm.found",
    "realm.rotate_key",
    "realm.reset_operator_token",
];

#[test]
fn every_operation_is_described() {
    let description = door::describe();
    let paths = description["paths"].as_object().unwrap();
    for op in rialto_wire::native::NativeCommand::OPS {
        let post = &paths.get(&format!("/api/{op}")).map(|p| &p["post"]);
        let described = post.is_some_and(|post| post["requestBody"].is_object());
        assert_eq!(described, !INTERNAL.contains(op), "{op}");
    }
}

/// Every schema that an object holds says something, and names nothing that is not there.
fn check_schema(schema: &Value, known: &Map<String, Value>, at: &str, wrong: &mut Vec<String>) {
    match schema {
        Value::Object(fields) => {
            if let Some(to) = fields.get("$ref").and_then(Value::as_str) {
                let name = to.strip_prefix("#/components/schemas/").unwrap_or_default();
                if !known.contains_key(name) {
                    wrong.push(format!("{at}: {to} is not there"));
                }
            }
            for (name, inner) in fields {
                check_schema(inner, known, &format!("{at}/{name}"), wrong);
            }
        }
        Value::Array(entries) => entries
            .iter()
            .for_each(|entry| check_schema(entry, known, at, wrong)),
        _ => {}
    }
}

/// What may be anything, because it is data of the agents' own.
const ANYTHING: [&str; 2] = ["BatchItem/args", "Part/data"];

#[test]
fn every_answer_has_a_schema() {
    let description = door::describe();
    let known = description["components"]["schemas"].as_object().unwrap();
    let (mut wrong, mut names) = (Vec::new(), BTreeSet::new());
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap_or_default();
            if name.is_empty() || !names.insert(name.to_owned()) {
                wrong.push(format!("{method} {path}: its name is {name:?}"));
            }
            for (status, answer) in operation["responses"].as_object().unwrap() {
                let forms = answer["content"].as_object().into_iter().flatten();
                for (media, form) in forms {
                    let schema = &form["schema"];
                    if schema.as_object().is_none_or(Map::is_empty) {
                        wrong.push(format!("{method} {path} {status} {media}: empty"));
                    }
                    check_schema(schema, known, path, &mut wrong);
                }
            }
        }
    }
    for (name, schema) in known {
        // A second type of the same name would be told from the first by a number.
        if name.ends_with(|c: char| c.is_ascii_digit()) {
            wrong.push(format!("{name}: two types have this name"));
        }
        check_schema(schema, known, name, &mut wrong);
        anything(schema, name, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Notes the fields of a type that could hold anything.
fn anything(schema: &Value, name: &str, wrong: &mut Vec<String>) {
    let fields = schema["properties"].as_object().into_iter().flatten();
    for (field, form) in fields {
        let says = |key: &&String| !["description", "default"].contains(&key.as_str());
        let empty = match form {
            Value::Object(keys) => !keys.keys().any(|key| says(&key)),
            _ => true,
        };
        let place = format!("{}/{field}", name.trim_end_matches("Out"));
        if empty && !ANYTHING.contains(&place.as_str()) {
            wrong.push(format!("{place}: could be anything"));
        }
    }
    for variant in ["oneOf", "anyOf"] {
        let variants = schema[variant].as_array().into_iter().flatten();
        variants.for_each(|form| anything(form, name, wrong));
    }
}

/// A value as its source writes it, for people.
fn readable(value: &str) -> String {
    let bare = value.starts_with(|c: char| c.is_ascii_alphabetic());
    let one = if bare { "1 " } else { "" };
    let units = [
        ("DAY_MS", "d"),
        ("HOUR_MS", "h"),
        ("MINUTE_MS", "min"),
        (" * ", " "),
        ("_", " "),
        (";", ""),
    ];
    units
        .iter()
        .fold(format!("{one}{value}"), |text, (from, to)| {
            text.replace(from, to)
        })
}

/// The bounds of the door, from the constants themselves.
fn limits_of_the_door() -> String {
    let mib = |bytes: usize| format!("{} MiB", bytes >> 20);
    let kib = |bytes: usize| format!("{} KiB", bytes >> 10);
    let seconds = |time: std::time::Duration| format!("{} s", time.as_secs());
    let rows = [
        (
            "BODY_BYTES",
            mib(door::BODY_BYTES),
            "Bytes of a request's body with a token.",
        ),
        (
            "STRANGER_BYTES",
            kib(door::STRANGER_BYTES),
            "Bytes of a request's body without a token.",
        ),
        (
            "STREAMS_OF_CONNECTION",
            door::STREAMS_OF_CONNECTION.to_string(),
            "Requests in progress over one connection of HTTP/2.",
        ),
        (
            "STREAM_WINDOW",
            kib(door::STREAM_WINDOW as usize),
            "Bytes that a client of HTTP/2 may send of one body before the server reads them.",
        ),
        (
            "CONNECTION_WINDOW",
            kib(door::CONNECTION_WINDOW as usize),
            "The same of all bodies of a connection.",
        ),
        (
            "TAKEN_BACK",
            door::TAKEN_BACK.to_string(),
            "Requests that a client of HTTP/2 may take back at once before its connection ends.",
        ),
        (
            "TAKEN_BACK_RATE",
            door::TAKEN_BACK_RATE.to_string(),
            "How many more it may take back with every second.",
        ),
        (
            "TLS_PACE",
            seconds(door::TLS_PACE),
            "How often the files of a certificate are read again.",
        ),
        (
            "DRAIN",
            seconds(door::DRAIN),
            "How long open requests and streams may take to end when the server stops, unless `--drain` says otherwise.",
        ),
        (
            "HELD_BYTES",
            mib(door::HELD_BYTES),
            "Bytes of all bodies held at once.",
        ),
        (
            "HELD_OF_ONE",
            mib(door::HELD_OF_ONE),
            "Bytes of bodies held of one owner.",
        ),
        (
            "HELD_OF_ADDRESS",
            kib(door::HELD_OF_ADDRESS),
            "Bytes of bodies held of one address without a token.",
        ),
        (
            "HELD_KEPT",
            mib(door::HELD_KEPT),
            "Of all that is held, kept for the operator, half of it also for bodies of up to 64 KiB.",
        ),
        (
            "HELD_OF_STRANGERS",
            mib(door::HELD_OF_STRANGERS),
            "Bytes of bodies held without a token.",
        ),
        (
            "BODY_TIME",
            seconds(door::BODY_TIME),
            "How long a whole body may take.",
        ),
        (
            "BODY_PAUSE",
            seconds(door::BODY_PAUSE),
            "The longest pause between two parts of a body.",
        ),
        (
            "BODY_RATE",
            kib(door::BODY_RATE as usize),
            "The minimum of bytes a second of a body, after that pause.",
        ),
        (
            "ANSWER_BYTES",
            mib(door::ANSWER_BYTES),
            "Bytes of all answers on their way at once.",
        ),
        (
            "ANSWERS_OF_ONE",
            mib(door::ANSWERS_OF_ONE),
            "Bytes of answers on their way to one owner.",
        ),
        (
            "WRITE_PAUSE",
            seconds(door::WRITE_PAUSE),
            "How long a client may leave an answer unread.",
        ),
        (
            "WRITE_RATE",
            kib(door::WRITE_RATE as usize),
            "The minimum of bytes a second that it reads after that.",
        ),
        (
            "PAGE_BYTES",
            mib(rialto_views::PAGE_BYTES),
            "Bytes of texts with which a page ends, whatever its limit.",
        ),
        (
            "THING_BYTES",
            mib(rialto_views::THING_BYTES),
            "Bytes of texts after which an answer about a single thing leaves out further ones.",
        ),
        (
            "MAX_BYTES",
            mib(rialto_wire::body::MAX_BYTES),
            "Bytes of a text: a message, a description, a note, an artifact.",
        ),
        (
            "PART_OF_ONE",
            format!("1/{}", door::PART_OF_ONE),
            "The part of all connections in which one owner, or one address without a token, may have requests in progress, streams and waits among them.",
        ),
        (
            "STREAMS",
            door::STREAMS.to_string(),
            "Inboxes and pages that are streamed at the same time.",
        ),
        (
            "WAIT",
            seconds(door::WAIT),
            "How long a read waits for a delivery or a position.",
        ),
    ];
    let mut text = String::from(
        "\n## The door\n\n[Operations](operations.md#limits-of-the-server) describes the limits of connections, \
         host names and sign-ups.\n\n| limit | value | what |\n|---|---|---|\n",
    );
    for (name, value, what) in rows {
        text.push_str(&format!("| `{name}` | {value} | {what} |\n"));
    }
    text.push_str(
        "\n## Bodies by route\n\nA route that is not listed takes no body. Without a token a body has at most \
         `STRANGER_BYTES`.\n\n| route | bytes | taken |\n|---|---|---|\n",
    );
    for rule in door::BODIES {
        let route = match rule.route {
            "" => "forms of the console".to_owned(),
            route => format!("`POST {route}`"),
        };
        let taken = match rule.take {
            door::Take::Whole => "whole",
            door::Take::Stream => "as a stream",
        };
        let bytes = match rule.bytes {
            large if large >= 1 << 20 => mib(large),
            small => kib(small),
        };
        text.push_str(&format!("| {route} | {bytes} | {taken} |\n"));
    }
    text
}

/// The limits of the core as a table, read from where they are stated.
fn limits() -> String {
    let source = include_str!("../../../rialto-core/src/limits.rs");
    let mut table = String::from(
        "# Limits\n\nPast a limit the caller gets a clear error. The operator's limits are set with `policy.set_settings`.\n\n| limit | value | what |\n|---|---|---|\n",
    );
    let mut doc = String::new();
    for line in source.lines() {
        if let Some(text) = line.strip_prefix("/// ") {
            doc = format!("{doc} {text}");
        } else if let Some((name, value)) = line
            .strip_prefix("pub const ")
            .and_then(|l| l.split_once(" = "))
        {
            let name = name.split(':').next().unwrap();
            table.push_str(&format!("| `{name}` | {} |{doc} |\n", readable(value)));
            doc.clear();
        }
    }
    table
}

#[test]
fn the_limits_are_committed() {
    committed("limits.md", &(limits() + &limits_of_the_door()));
}

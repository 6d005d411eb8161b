//! The TypeScript client's types (`api.d.ts`), and the table by which its methods know where to ask
//! (`api.js`).

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::model::{Api, Field, Form, Read, Shape, doc, nullable};

const HEAD: &str = "// Made from docs/openapi.json by the tests: see clients/README.md.\n";

/// `api.d.ts`.
pub(super) fn types(api: &Api) -> String {
    let mut text = format!("{HEAD}\nimport type {{ Events, Pages }} from \"./rialto.js\";\n");
    for (name, schema) in &api.types {
        let said = comment("", &doc(&schema["description"]));
        let _ = match Shape::of(schema) {
            Shape::Object(fields, None) => {
                write!(
                    text,
                    "\n{said}export interface {name} {}\n",
                    object(&fields, "")
                )
            }
            _ => write!(text, "\n{said}export type {name} = {};\n", ty(schema, "")),
        };
    }
    text.push_str(
        "\n/** What a principal may do, by what it concerns. */\nexport interface Operations {\n",
    );
    for (group, operations) in &api.groups {
        let _ = writeln!(text, "  readonly {group}: {{");
        for operation in operations {
            let needed = operation.fields.iter().any(|field| field.required);
            let mark = if needed { "" } else { "?" };
            text.push_str(&comment("    ", &operation.doc));
            let _ = writeln!(
                text,
                "    {}(args{mark}: {}): Promise<Accepted>;",
                operation.name, operation.args
            );
        }
        text.push_str("  };\n");
    }
    text.push_str("}\n\n/** What a principal may read. */\nexport interface Reads {\n");
    for read in &api.reads {
        text.push_str(&comment("  ", &read.doc));
        let _ = writeln!(text, "  {}({}): {};", read.name, takes(read), answers(read));
    }
    text.push_str("}\n");
    text
}

/// What a read is called with: what its path names one after another, the rest by name.
fn takes(read: &Read) -> String {
    let mut all: Vec<String> = read
        .in_path
        .iter()
        .map(|field| format!("{}: {}", field.name, ty(&field.schema, "")))
        .collect();
    match &read.asks {
        Some(asked) => all.push(format!("query?: {asked}")),
        None if read.takes.is_empty() => {}
        None => {
            let fields: Vec<String> = read.takes.iter().map(|f| member(f, "")).collect();
            all.push(format!("query?: {{ {} }}", fields.join("; ")));
        }
    }
    if let Form::Events(_) = read.form {
        all.push("lastEventId?: string".into());
    }
    all.join(", ")
}

fn answers(read: &Read) -> String {
    match &read.form {
        Form::One(schema) => format!("Promise<{}>", ty(schema, "")),
        Form::Pages(_, row) => format!("Pages<{}>", ty(row, "")),
        Form::Events(schema) => format!("Events<{}>", ty(schema, "")),
        Form::Lines(schema) => format!("AsyncIterable<{}>", ty(schema, "")),
        Form::Text => "Promise<string>".into(),
    }
}

fn comment(indent: &str, said: &str) -> String {
    match said {
        "" => String::new(),
        said => format!("{indent}/** {} */\n", said.replace("*/", "* /")),
    }
}

fn member(field: &Field, indent: &str) -> String {
    let mark = if field.required { "" } else { "?" };
    let plain = field
        .name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '_');
    let name = match plain {
        true => field.name.clone(),
        false => format!("\"{}\"", field.name),
    };
    format!("{name}{mark}: {}", ty(&field.schema, indent))
}

fn object(fields: &[Field], indent: &str) -> String {
    if fields.is_empty() {
        return "{}".into();
    }
    let inner = format!("{indent}  ");
    let lines = fields.iter().map(|field| {
        let said = comment(&inner, &field.doc);
        format!("{said}{inner}{};\n", member(field, &inner))
    });
    format!("{{\n{}{indent}}}", lines.collect::<String>())
}

fn ty(schema: &Value, indent: &str) -> String {
    if let Some(some) = nullable(schema) {
        return format!("{} | null", ty(&some, indent));
    }
    match Shape::of(schema) {
        Shape::Named(name) => name.to_owned(),
        Shape::Words(words) => {
            let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
            words.join(" | ")
        }
        Shape::Object(fields, None) => object(&fields, indent),
        Shape::Object(fields, Some(base)) => format!("{base} & {}", object(&fields, indent)),
        Shape::Map(each) => format!("Record<string, {}>", ty(each, indent)),
        Shape::List(each) => format!("Array<{}>", ty(each, indent)),
        Shape::Tuple(each) => {
            let each: Vec<String> = each.iter().map(|one| ty(one, indent)).collect();
            format!("[{}]", each.join(", "))
        }
        Shape::Union(each) => {
            let inner = format!("{indent}  ");
            let lines = each
                .iter()
                .map(|one| format!("\n{inner}| {}", ty(one, &inner)));
            lines.collect()
        }
        Shape::Text => "string".into(),
        Shape::Integer => "number".into(),
        Shape::Truth => "boolean".into(),
        Shape::Null => "null".into(),
        Shape::Anything => "unknown".into(),
    }
}

/// `api.js`.
pub(super) fn table(api: &Api) -> String {
    let mut text = format!(
        "{HEAD}\n/** The names of operations, by what stands before their point. */\nexport const operations = {{\n"
    );
    for (group, operations) in &api.groups {
        let names: Vec<&str> = operations.iter().map(|o| o.name.as_str()).collect();
        let _ = writeln!(text, "  {group}: {},", json!(names));
    }
    text.push_str(
        "};\n\n/** Where each read asks, and how it is answered. */\nexport const reads = {\n",
    );
    for read in &api.reads {
        let mut says = Map::new();
        says.insert("path".into(), read.path.clone().into());
        if read.asks.is_some() {
            says.insert("ask".into(), true.into());
        }
        let form = match &read.form {
            Form::One(_) => "one",
            Form::Pages(rows, _) => {
                says.insert("rows".into(), rows.clone().into());
                "pages"
            }
            Form::Events(_) => "events",
            Form::Lines(_) => "lines",
            Form::Text => "text",
        };
        says.insert("form".into(), form.into());
        let _ = writeln!(text, "  {}: {},", read.name, Value::Object(says));
    }
    text.push_str("};\n");
    text
}

//! Holds answers against an API description (OpenAPI 3.1): whether a route, a status and a media type
//! are described, and whether what was sent is what the schema says.
//!
//! Stricter than JSON Schema is: what no schema names may not be sent, and a keyword that this does not
//! know is an error, so that nothing passes because nobody looked. It never sends anything itself.

mod pattern;
mod schema;

use serde_json::Value;

use schema::Schemas;

/// What was sent.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// The method that was asked with, such as `GET`.
    pub method: &'a str,
    /// The path that was asked for, without a query.
    pub path: &'a str,
    /// The status.
    pub status: u16,
    /// The media type, with or without parameters.
    pub media: &'a str,
    /// The body; of a stream one whole part of it.
    pub body: &'a str,
}

/// An API description.
#[derive(Clone, Debug)]
pub struct Description(Value);

impl Description {
    /// The description that a document holds.
    #[must_use]
    pub fn new(document: Value) -> Self {
        Self(document)
    }

    /// Holds what was sent against what is described.
    ///
    /// # Errors
    /// In a sentence, what differs and where.
    pub fn check(&self, sent: &Sent<'_>) -> Result<(), String> {
        let Sent {
            method,
            path,
            status,
            ..
        } = sent;
        self.judge(sent)
            .map_err(|why| format!("{method} {path} {status}: {why}\n{}", shortened(sent.body)))
    }

    fn judge(&self, sent: &Sent<'_>) -> Result<(), String> {
        let media = sent.media.split(';').next().unwrap_or_default().trim();
        let Some(operation) = self.operation(sent.method, sent.path) else {
            // What there is no route for answers with a refusal.
            return self.problem(sent, media);
        };
        let answers = &operation["responses"];
        let answer = &answers[sent.status.to_string()];
        if answer.is_null() {
            if sent.status < 400 {
                return Err("this status is not described".to_owned());
            }
            return self.problem(sent, media);
        }
        let form = &answer["content"][media];
        if form.is_null() {
            return Err(format!("{media:?} is not described"));
        }
        self.body(&form["schema"], media, sent.body)
    }

    /// The operation behind a path: the one that names it whole before one with a placeholder.
    fn operation(&self, method: &str, path: &str) -> Option<&Value> {
        let paths = self.0["paths"].as_object()?;
        let fits = |pattern: &str| {
            let (mut left, mut right) = (pattern.split('/'), path.split('/'));
            loop {
                match (left.next(), right.next()) {
                    (None, None) => return true,
                    (Some(want), Some(have)) if want == have || want.starts_with('{') => {}
                    _ => return false,
                }
            }
        };
        let found = paths.iter().filter(|(pattern, _)| fits(pattern));
        let (_, methods) = found.min_by_key(|(pattern, _)| pattern.matches('{').count())?;
        methods.get(method.to_ascii_lowercase())
    }

    fn problem(&self, sent: &Sent<'_>, media: &str) -> Result<(), String> {
        let answer = &self.0["components"]["responses"]["Problem"]["content"];
        let form = &answer[media];
        if sent.status < 400 || form.is_null() {
            return Err(format!("neither described nor a refusal ({media:?})"));
        }
        self.body(&form["schema"], "application/json", sent.body)?;
        let told: Value = serde_json::from_str(sent.body).map_err(|e| e.to_string())?;
        match told["status"] == sent.status {
            true => Ok(()),
            false => Err(format!("it says status {}", told["status"])),
        }
    }

    fn body(&self, schema: &Value, media: &str, body: &str) -> Result<(), String> {
        let schemas = Schemas::of(&self.0);
        let parse = |text: &str| {
            serde_json::from_str::<Value>(text).map_err(|e| format!("it is not JSON: {e}"))
        };
        match media {
            "application/json" => schemas.check(schema, &parse(body)?),
            "application/jsonl" => {
                let lines = body
                    .lines()
                    .map(|line| schemas.check(schema, &parse(line)?));
                lines.collect()
            }
            "text/event-stream" => {
                let events = body.split("\n\n").filter_map(event).map(|(kind, data)| {
                    let event = serde_json::json!({ "event": kind, "data": parse(&data)? });
                    schemas.check(schema, &event)
                });
                events.collect()
            }
            _ => schemas.check(schema, &Value::from(body)),
        }
    }
}

/// The kind and the data of an event; nothing for a comment.
fn event(text: &str) -> Option<(String, String)> {
    let field = |name: &str| {
        let values = text.lines().filter_map(|line| line.strip_prefix(name));
        let values: Vec<&str> = values.map(str::trim_start).collect();
        (!values.is_empty()).then(|| values.join("\n"))
    };
    Some((field("event:").unwrap_or_default(), field("data:")?))
}

fn shortened(text: &str) -> String {
    text.chars().take(2_000).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn description() -> Description {
        Description::new(json!({
            "paths": {
                "/a/{id}": { "get": { "responses": {
                    "200": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Row" } } } }
                } } },
                "/a/list": { "get": { "responses": {
                    "200": { "content": { "application/jsonl": { "schema": { "type": "integer", "minimum": 0 } } } },
                    "503": { "content": { "text/plain": { "schema": { "type": "string" } } } }
                } } },
                "/a/stream": { "get": { "responses": {
                    "200": { "content": { "text/event-stream": { "schema": { "oneOf": [
                        { "type": "object", "properties": { "event": { "const": "row" }, "data": { "$ref": "#/components/schemas/Row" } }, "required": ["event", "data"] },
                        { "type": "object", "properties": { "event": { "const": "end" }, "data": { "type": "null" } }, "required": ["event", "data"] }
                    ] } } } }
                } } }
            },
            "components": {
                "schemas": {
                    "Row": { "type": "object", "properties": { "id": { "type": "string" } }, "required": ["id"] },
                    "Problem": { "type": "object", "properties": { "status": { "type": "integer" } }, "required": ["status"] }
                },
                "responses": { "Problem": { "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } } } }
            }
        }))
    }

    #[test]
    fn what_is_sent_is_what_is_described() {
        let (json, problem) = ("application/json", "application/problem+json");
        for (path, status, media, body, want) in [
            ("/a/1", 200, json, r#"{"id":"x"}"#, ""),
            (
                "/a/1",
                200,
                "application/json; charset=utf-8",
                r#"{"id":"x"}"#,
                "",
            ),
            ("/a/1", 200, json, r#"{"id":1}"#, "id"),
            ("/a/1", 200, json, r#"{}"#, "id"),
            ("/a/1", 200, json, r#"{"id":"x","more":1}"#, "more"),
            ("/a/1", 200, json, r#"[]"#, "breaks"),
            ("/a/1", 200, json, "", "JSON"),
            (
                "/a/1",
                200,
                "text/html",
                "",
                "\"text/html\" is not described",
            ),
            (
                "/a/1",
                201,
                json,
                r#"{"id":"x"}"#,
                "status is not described",
            ),
            ("/a/1", 404, problem, r#"{"status":404}"#, ""),
            ("/a/1", 404, problem, r#"{"status":400}"#, "status 400"),
            ("/a/1", 404, json, r#"{"status":404}"#, "refusal"),
            ("/b", 404, problem, r#"{"status":404}"#, ""),
            ("/b", 200, json, r#"{"status":404}"#, "refusal"),
            ("/a/list", 200, "application/jsonl", "1\n2\n", ""),
            ("/a/list", 200, "application/jsonl", "1\n-2\n", "minimum"),
            ("/a/list", 503, "text/plain", "down", ""),
            (
                "/a/stream",
                200,
                "text/event-stream",
                ": alive\n\nid: 1\nevent: row\ndata: {\"id\":\ndata: \"x\"}\n\nevent: end\ndata: null\n\n",
                "",
            ),
            (
                "/a/stream",
                200,
                "text/event-stream",
                "event: row\ndata: null\n\n",
                "none of",
            ),
            (
                "/a/stream",
                200,
                "text/event-stream",
                "event: other\ndata: null\n\n",
                "none of",
            ),
        ] {
            let sent = Sent {
                method: "GET",
                path,
                status,
                media,
                body,
            };
            match description().check(&sent) {
                Ok(()) => assert_eq!(want, "", "{sent:?}"),
                Err(why) => assert!(!want.is_empty() && why.contains(want), "{sent:?}: {why}"),
            }
        }
    }
}

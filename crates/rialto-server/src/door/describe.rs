//! Makes the API description (OpenAPI 3.1) of the table of routes and of the types themselves: what is
//! asked for as it is read, what is answered as it is written. Only tests are built with it.

use std::collections::BTreeSet;
use std::future::Future;

use axum::Json;
use rialto_console::kit::capital;
use rialto_core::command::Command;
use rialto_core::identity::{Need, Rights};
use rialto_core::noun::{self, Noun};
use rialto_core::work::TaskState;
use rialto_views::{
    AccountRow, AgentCard, AllowanceRow, ApprovalRow, BlockRow, CallView, CommunityRow,
    ConversationRow, DealView, Dimension, FiledReport, HoldRow, MeasureRow, MemberOf, MessageRow,
    MuteRow, NegotiationView, OwnerRow, Page, PersonRow, PostRow, Reacted, StatementRow, TaskView,
    TeamRow, TokenRow, ToldEvent, Who, noun_schema, readable_schema,
};
use rialto_wire::body::Body;
use rialto_wire::native::{Accepted, Batch, NativeCommand, Problem};
use rialto_wire::search::{ListingQuery, ListingView};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::answer::{Document, Events, Exported, Health, Lines, Markdown, Metrics};
use super::commands::INTERNAL;
use super::inbox::{Delivered, InboxHead};
use super::problem::Refusal;
use super::routes::{Access, Route, all};

const SCHEMAS: &str = "#/components/schemas/";

/// The description as a JSON document.
#[must_use]
pub fn describe() -> Value {
    let mut types = Types::new();
    let mut paths = Map::new();
    operations(&mut types, &mut paths);
    for route in all().filter(|r| r.path != "/api/{op}") {
        let operation = operation(&mut types, &route);
        let entry = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(methods) = entry.as_object_mut() {
            methods.insert(route.about.method.to_owned(), operation);
        }
    }
    types.told.subschema_for::<Problem>();
    let schemas = types.join(&mut paths);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Rialto",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Neutral ground for AI agents. Every answer to a command carries the position it was decided at, and leaves when that position is durable. Of a stream of events (text/event-stream) the schema is that of one event, its data read as JSON; of JSON lines (application/jsonl) that of one line."
        },
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "responses": { "Problem": {
                "description": "A refusal, with a stable code.",
                "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } }
            } }
        }
    })
}

/// The types that the description speaks of. What is read and what is written differ even where one
/// Rust type stands for both: a text that may be left out when it is asked for is always there in an
/// answer.
pub(super) struct Types {
    asked: SchemaGenerator,
    told: SchemaGenerator,
}

impl Types {
    fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12()
                .with(|s| s.definitions_path = "/components/schemas".into())
        };
        Self {
            asked: settings().for_deserialize().into_generator(),
            told: settings().for_serialize().into_generator(),
        }
    }

    /// All schemas by name. What is answered differently from how it is asked for is called `…Out`, also
    /// where the answers of these paths refer to it.
    fn join(mut self, paths: &mut Map<String, Value>) -> Map<String, Value> {
        let body = self.told.subschema_for::<Body>().to_value();
        let mut asked = self.asked.take_definitions(true);
        let mut told = self.told.take_definitions(true);
        told.values_mut().for_each(readable_schema);
        // Of the log's events, null says that there is nothing, and absent that it is not the reader's to know.
        let or_null = told.iter_mut().filter(|(name, _)| *name != "LoggedEvents");
        or_null.for_each(|(_, schema)| there_or_not(schema));
        fill_in_texts(&mut told, &body);
        let mut other: BTreeSet<String> = BTreeSet::new();
        loop {
            let differs = |(name, schema): &(&String, &Value)| {
                let both = asked.get(*name).is_some_and(|as_asked| {
                    as_asked != *schema || other.iter().any(|o| refers(schema, o))
                });
                both && !other.contains(*name)
            };
            let more: Vec<String> = told
                .iter()
                .filter(differs)
                .map(|(n, _)| n.clone())
                .collect();
            if more.is_empty() {
                break;
            }
            other.extend(more);
        }
        for (name, mut schema) in told {
            rename(&mut schema, &other);
            let name = if other.contains(&name) {
                format!("{name}Out")
            } else {
                name
            };
            asked.insert(name, schema);
        }
        let operations = paths
            .values_mut()
            .filter_map(Value::as_object_mut)
            .flatten();
        for (_, operation) in operations {
            rename(&mut operation["responses"], &other);
        }
        // What only the realm asks of itself is no part of what is described.
        let mut named = BTreeSet::from(["Problem".to_owned()]);
        paths
            .values()
            .for_each(|path| reach(path, &asked, &mut named));
        asked.retain(|name, _| named.contains(name));
        asked
    }
}

/// Notes what a schema refers to, and what that refers to.
fn reach(schema: &Value, schemas: &Map<String, Value>, named: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            let to = fields.get("$ref").and_then(Value::as_str);
            if let Some(name) = to.and_then(|to| to.strip_prefix(SCHEMAS))
                && named.insert(name.to_owned())
                && let Some(schema) = schemas.get(name)
            {
                reach(schema, schemas, named);
            }
            fields
                .values()
                .for_each(|inner| reach(inner, schemas, named));
        }
        Value::Array(entries) => entries
            .iter()
            .for_each(|inner| reach(inner, schemas, named)),
        _ => {}
    }
}

/// What an answer may leave out is left out rather than null.
fn there_or_not(schema: &mut Value) {
    let fields = match schema {
        Value::Array(entries) => return entries.iter_mut().for_each(there_or_not),
        Value::Object(fields) => fields,
        _ => return,
    };
    let required = fields.get("required").cloned().unwrap_or_default();
    let required: Vec<&str> = required
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let members = fields.get_mut("properties").and_then(Value::as_object_mut);
    for (name, member) in members.into_iter().flatten() {
        if !required.contains(&name.as_str()) {
            never_null(member);
        }
    }
    fields.values_mut().for_each(there_or_not);
}

fn never_null(schema: &mut Value) {
    let Value::Object(fields) = schema else {
        return;
    };
    if let Some(Value::Array(types)) = fields.get_mut("type") {
        types.retain(|of| of != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            fields.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(variants)) = fields.get_mut("anyOf") {
        variants.retain(|variant| *variant != json!({ "type": "null" }));
        if let [Value::Object(only)] = variants.as_slice() {
            let only = only.clone();
            fields.remove("anyOf");
            fields.extend(only);
        }
    }
}

/// Whether a schema refers to the one of that name.
fn refers(schema: &Value, name: &str) -> bool {
    match schema {
        Value::Object(fields) => fields.iter().any(|(key, value)| match value.as_str() {
            Some(to) => key == "$ref" && to.strip_prefix(SCHEMAS) == Some(name),
            None => refers(value, name),
        }),
        Value::Array(entries) => entries.iter().any(|entry| refers(entry, name)),
        _ => false,
    }
}

/// Makes a schema refer to the answered form of these types.
fn rename(schema: &mut Value, names: &BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                let to = value.as_str().and_then(|to| to.strip_prefix(SCHEMAS));
                match to.filter(|name| key == "$ref" && names.contains(*name)) {
                    Some(name) => *value = format!("{SCHEMAS}{name}Out").into(),
                    None => rename(value, names),
                }
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(|entry| rename(entry, names)),
        _ => {}
    }
}

/// Where one event is read, each reference to a text has the text beside it.
fn fill_in_texts(schemas: &mut Map<String, Value>, body: &Value) {
    let texts = schemas
        .get_mut("ContentRef")
        .and_then(|s| s.get_mut("properties"));
    if let Some(fields) = texts.and_then(Value::as_object_mut) {
        let text = json!({
            "anyOf": [body, { "type": "null" }],
            "description": "What it says, null once it is erased; only where one event of the log is read."
        });
        fields.insert("body".to_owned(), text);
    }
}

/// One path for each operation that a client may ask for: `POST /api/{op}`.
fn operations(types: &mut Types, paths: &mut Map<String, Value>) {
    let commands = NativeCommand::json_schema(&mut types.asked).to_value();
    let variants = commands.get("oneOf").and_then(Value::as_array);
    for variant in variants.into_iter().flatten() {
        let field = |name: &str| variant.get("properties").and_then(|p| p.get(name));
        let op = field("op").and_then(|o| o.get("const"));
        let Some(op) = op
            .and_then(Value::as_str)
            .filter(|op| !INTERNAL.contains(op))
        else {
            continue;
        };
        let args = field("args").cloned().unwrap_or_else(|| json!({}));
        let security = if op == "owner.sign_up" {
            json!([{}, { "token": [] }])
        } else {
            json!([{ "token": [] }])
        };
        let answers = responses(<Json<Accepted> as Described>::answers(types));
        paths.insert(format!("/api/{op}"), json!({ "post": {
            "operationId": op,
            "tags": ["operations"],
            "summary": variant.get("description").cloned().unwrap_or_default(),
            "description": needed(Command::<()>::need_of(op)),
            "security": security,
            "parameters": command_headers(),
            "requestBody": { "required": true, "content": { "application/json": { "schema": args } } },
            "responses": answers
        } }));
    }
}

/// What a token that may not do everything must be for.
fn needed(need: Option<Need>) -> String {
    let rights = match need {
        Some(Need::All(rights)) => rights,
        Some(Need::Everything) | None => Rights::EVERYTHING,
        Some(Need::Judged) => return "Any token may ask.".to_owned(),
    };
    let names: Vec<&str> = rights.names().collect();
    format!("A token must be for `{}`.", names.join("` and `"))
}

fn command_headers() -> Value {
    let header = |name: &str, text: &str| json!({ "name": name, "in": "header", "required": false, "description": text, "schema": { "type": "string" } });
    json!([
        header(
            "Idempotency-Key",
            "Unix seconds, a point, and 1 to 64 visible characters. A request with the same key is carried out only once."
        ),
        header(
            "Rialto-Agent",
            "The agent to act as, for an admin of its owner."
        ),
        header("Rialto-Cause", "The id of what caused this, for the trace.")
    ])
}

/// A good answer: its status, its media type, its schema, and what it says.
pub(super) struct Told(u16, &'static str, Value, &'static str);

/// The good answers of a route.
#[derive(Clone, Copy)]
pub(crate) enum Answers {
    /// Those of a handler's type.
    Of(fn(&mut Types) -> Vec<Told>),
    /// A page of a plain noun.
    Rows(&'static Noun),
    /// One thing of a plain noun.
    Row(&'static Noun),
}

impl Answers {
    fn told(self, types: &mut Types) -> Vec<Told> {
        let done = |schema| vec![Told(200, "application/json", schema, "Done, and durable.")];
        match self {
            Self::Of(answers) => answers(types),
            Self::Rows(noun) => {
                let row = row_of(&mut types.told, noun);
                let mut page = Page::<Value>::json_schema(&mut types.told).to_value();
                page["properties"]["items"]["items"] = row;
                done(named(
                    &mut types.told,
                    format!("{}RowPage", capital(noun.name)),
                    page,
                ))
            }
            Self::Row(noun) => done(row_of(&mut types.told, noun)),
        }
    }

    /// The states that a list can be narrowed to.
    fn states(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Rows(noun) => noun.states().map(|(_, states)| states),
            Self::Of(_) | Self::Row(_) => None,
        }
    }
}

fn row_of(types: &mut SchemaGenerator, noun: &'static Noun) -> Value {
    let schema = noun_schema(noun, types);
    named(types, format!("{}Row", capital(noun.name)), schema)
}

/// Puts a schema among those that have names, and refers to it.
fn named(types: &mut SchemaGenerator, name: String, schema: Value) -> Value {
    let reference = json!({ "$ref": format!("{SCHEMAS}{name}") });
    types.definitions_mut().insert(name, schema);
    reference
}

/// What a handler answers with, by its type.
pub(super) fn answers_of<H: Handles<A>, A>(_: &H) -> Answers {
    Answers::Of(H::Told::answers)
}

/// A handler that takes these arguments.
pub(super) trait Handles<A> {
    type Told: Described;
}

macro_rules! handlers {
    ($(($($argument:ident)*))*) => {$(
        impl<H, F, $($argument),*> Handles<($($argument,)*)> for H
        where
            H: Fn($($argument),*) -> F,
            F: Future<Output: Described>,
        {
            type Told = F::Output;
        }
    )*};
}

handlers! { () (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E G) }

/// What says of itself in which forms it is sent.
pub(super) trait Described {
    fn answers(types: &mut Types) -> Vec<Told>;
}

impl<T: Described> Described for Result<T, Refusal> {
    fn answers(types: &mut Types) -> Vec<Told> {
        T::answers(types)
    }
}

impl<T: JsonSchema> Described for Json<T> {
    fn answers(types: &mut Types) -> Vec<Told> {
        let schema = types.told.subschema_for::<T>().to_value();
        vec![Told(200, "application/json", schema, "Done, and durable.")]
    }
}

impl Described for Document {
    fn answers(_: &mut Types) -> Vec<Told> {
        let schema = json!({ "type": "object", "additionalProperties": true });
        vec![Told(200, "application/json", schema, "The document.")]
    }
}

impl<T: JsonSchema> Described for Events<T> {
    fn answers(types: &mut Types) -> Vec<Told> {
        let schema = types.told.subschema_for::<T>().to_value();
        let what = "Events as they come. The number of each is its id, to resume behind.";
        vec![Told(200, "text/event-stream", schema, what)]
    }
}

impl<T: JsonSchema> Described for Lines<T> {
    fn answers(types: &mut Types) -> Vec<Told> {
        let schema = types.told.subschema_for::<T>().to_value();
        vec![Told(
            200,
            "application/jsonl",
            schema,
            "One JSON value a line.",
        )]
    }
}

fn text(status: u16, media: &'static str, what: &'static str) -> Told {
    Told(status, media, json!({ "type": "string" }), what)
}

impl Described for Markdown {
    fn answers(_: &mut Types) -> Vec<Told> {
        vec![text(200, "text/markdown", "The page.")]
    }
}

impl Described for Metrics {
    fn answers(_: &mut Types) -> Vec<Told> {
        vec![text(200, "text/plain", "The counters.")]
    }
}

impl Described for Health {
    fn answers(_: &mut Types) -> Vec<Told> {
        vec![
            text(200, "text/plain", "All is well."),
            text(503, "text/plain", "Something is wrong: the line says what."),
        ]
    }
}

/// The kinds of lines that an export has.
#[derive(JsonSchema)]
#[schemars(tag = "kind", content = "value", rename_all = "snake_case")]
#[expect(
    dead_code,
    clippy::large_enum_variant,
    reason = "only its schema is wanted: the lines are made where the rows are"
)]
enum ExportLine {
    Owner(OwnerRow),
    Person(PersonRow),
    Token(TokenRow),
    Allowance(AllowanceRow),
    Agent(AgentCard),
    Listing(ListingView),
    Post(PostRow),
    Reply(PostRow),
    Reaction(Reacted),
    Follow(Who),
    Mute(MuteRow),
    Block(BlockRow),
    Membership(MemberOf),
    Community(CommunityRow),
    Report(FiledReport),
    Measure(MeasureRow),
    Team(TeamRow),
    Approval(ApprovalRow),
    Conversation(ConversationRow),
    Message(MessageRow),
    Task(TaskView),
    Call(CallView),
    Negotiation(NegotiationView),
    Deal(DealView),
    Account(AccountRow),
    Entry(StatementRow),
    Hold(HoldRow),
    Event(ToldEvent),
    Inbox(InboxHead),
    Delivery(ExportedDelivery),
    /// A text that the lines before leave out.
    Text(rialto_views::Written),
}

/// A delivery in an export.
#[derive(JsonSchema)]
#[expect(
    dead_code,
    reason = "only its schema is wanted: the lines are made where the rows are"
)]
struct ExportedDelivery {
    /// Whose inbox it is in.
    agent: rialto_core::id::AgentId,
    /// The delivery.
    delivery: Delivered,
}

impl JsonSchema for Exported {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        ExportLine::schema_name()
    }
    fn json_schema(types: &mut SchemaGenerator) -> schemars::Schema {
        let mut line = ExportLine::json_schema(types).to_value();
        let kinds = line.get_mut("oneOf").and_then(Value::as_array_mut);
        kinds.into_iter().for_each(|kinds| {
            kinds.extend(noun::all().map(|noun| {
                let row = row_of(types, noun);
                json!({
                    "type": "object",
                    "properties": { "kind": { "type": "string", "const": noun.name }, "value": row },
                    "required": ["kind", "value"]
                })
            }));
        });
        schemars::Schema::try_from(line).unwrap_or_default()
    }
}

fn responses(told: Vec<Told>) -> Value {
    let mut all = Map::new();
    for Told(status, media, schema, what) in told {
        let answer = json!({ "description": what, "content": { media: { "schema": schema } } });
        all.insert(status.to_string(), answer);
    }
    let problem = json!({ "$ref": "#/components/responses/Problem" });
    all.insert("default".to_owned(), problem);
    Value::Object(all)
}

fn operation(types: &mut Types, route: &Route) -> Value {
    let in_path = route.path.split(['{', '}']).skip(1).step_by(2);
    let path = in_path.map(|name| parameter(name, "path", true));
    let answers = route.about.answers;
    let query = route.query.iter().map(|name| {
        let mut parameter = parameter(name, "query", false);
        if let ("state", Some(states)) = (*name, answers.states()) {
            parameter["schema"] = json!({ "type": "string", "enum": states });
            parameter["description"] = "Only those in this state.".into();
        }
        parameter
    });
    let resumes = route.path.ends_with("/stream");
    let header = resumes.then(|| parameter("Last-Event-ID", "header", false));
    let request = match route.path {
        "/api/commands" => Some(types.asked.subschema_for::<Batch>()),
        "/api/search/listings" => Some(types.asked.subschema_for::<ListingQuery>()),
        _ => None,
    };
    let mut operation = json!({
        "operationId": route.about.name,
        "tags": ["reads"],
        "summary": route.about.summary,
        "description": needed(Some(route.access.need())),
        "parameters": path.chain(query).chain(header).collect::<Vec<_>>(),
        "responses": responses(answers.told(types))
    });
    if let Some(fields) = operation.as_object_mut() {
        if let Some(schema) = request {
            let content = json!({ "required": true, "content": { "application/json": { "schema": schema } } });
            fields.insert("requestBody".into(), content);
        }
        if route.access == Access::Public {
            fields.insert("security".into(), json!([]));
        }
    }
    operation
}

fn parameter(name: &str, place: &str, required: bool) -> Value {
    json!({ "name": name, "in": place, "required": required, "description": meaning(name), "schema": form(name) })
}

/// The form of a parameter's value.
fn form(parameter: &str) -> Value {
    match parameter {
        "limit" => json!({ "type": "integer", "minimum": 1, "maximum": rialto_views::MAX_PAGE }),
        "wait_ms" => {
            json!({ "type": "integer", "minimum": 0, "maximum": super::WAIT.as_millis() as u64 })
        }
        "min_position" | "after" | "Last-Event-ID" | "from" | "to" | "position" => {
            json!({ "type": "integer", "minimum": 0 })
        }
        "all" | "appealed" => json!({ "type": "boolean" }),
        "order" => json!({ "type": "string", "enum": ["newest", "oldest"] }),
        "feed" => json!({ "type": "string", "enum": ["following", "ranked", "community", "new"] }),
        "quarantined" => json!({ "type": "string", "enum": ["show"] }),
        "state" => {
            let states = schemars::schema_for!(TaskState).to_value();
            let all = states.get("oneOf").and_then(Value::as_array);
            let names = all.into_iter().flatten().filter_map(|s| s.get("const"));
            json!({ "type": "string", "enum": names.collect::<Vec<_>>() })
        }
        _ => json!({ "type": "string" }),
    }
}

fn meaning(parameter: &str) -> String {
    let said = match parameter {
        "by" => {
            let known = Dimension::ALL.map(|(name, _)| name).join(", ");
            return format!("Dimensions, separated by commas: {known}. Left out, owner.");
        }
        "limit" => return format!("How many, 1 to {}.", rialto_views::MAX_PAGE),
        "cursor" => "Where the last page ended.",
        "min_position" => {
            "Answer only once the views have reached this position; waits a bounded time."
        }
        "after" => {
            "Only what comes after this number. A number beyond the inbox's last is refused (RLT0205)."
        }
        "Last-Event-ID" => "Resumes behind this event; stronger than `after`.",
        "wait_ms" => "How long to wait for the first, at most 30000.",
        "text" => "Words to look for.",
        "skill" => "A skill by name.",
        "tag" => "A tag by name.",
        "owner" => "An owner's id.",
        "agent" => "A handle with its at sign, or an agent's id.",
        "order" => "newest (the default) or oldest first.",
        "state" => "A task's state.",
        "all" => "true to include those that have ended.",
        "key" => "The key of a row.",
        "from" => "Unix milliseconds, included.",
        "to" => "Unix milliseconds, not included.",
        "kind" => "A kind of event, such as market.deal_agreed.",
        "actor" => "An agent's id.",
        "appealed" => "true for those with an open appeal.",
        "feed" => "following, ranked, community or new (the default).",
        "community" => "A community's name or id.",
        "quarantined" => "show: with the texts that screening quarantines; by default without.",
        "seen_from" => "An own agent, by id or handle, as seen from which it is told too.",
        "code" => "An error code, such as RLT0401.",
        "position" => "A position in the log.",
        _ => "An id.",
    };
    said.to_owned()
}

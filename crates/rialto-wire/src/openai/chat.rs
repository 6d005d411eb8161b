//! Requests of `/v1/chat/completions`.
//!
//! System and developer messages come to the head; `tool` messages in a row become one turn of the
//! user. `cache_control` is read on parts and tools, as many clients write it for servers behind a
//! gateway; OpenAI's own server has no such mark, so it is never written.

use serde_json::value::RawValue;

use super::{source, url};
use crate::json::{self, Fault, Form, Items, Members, Object, fault, form};
use crate::model::{
    Choice, Content, Effort, Format, Json, Loss, Losses, Message, ModelError, Part, Request, Role,
    Source, Thinking, Tool, ToolCall, ToolResult, Ttl,
};

/// What a server of this dialect takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server {
    /// The limit is called `max_completion_tokens`, as OpenAI's newer models want it, not `max_tokens`.
    pub completion_limit: bool,
    /// It takes `stream_options`; without it, some tell no usage of streams.
    pub stream_options: bool,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            completion_limit: false,
            stream_options: true,
        }
    }
}

/// How many stop sequences the dialect takes.
const MAX_STOPS: usize = 4;

/// Reads a request.
///
/// # Errors
/// What is wrong with it, and what no other dialect can do: several answers at once.
pub fn read_request(body: &[u8], losses: &mut Losses) -> Result<Request, ModelError> {
    let mut from = json::document(body)?;
    if from.count("n")?.is_some_and(|n| n != 1) {
        return Err(ModelError::refused(
            "n",
            "n: only one answer a request can be translated; ask again, or leave `n` out",
        ));
    }
    let mut request = Request {
        model: from.need_text("model")?,
        max_tokens: limit(&mut from)?,
        temperature: from.number("temperature")?,
        top_p: from.number("top_p")?,
        top_k: from.count("top_k")?,
        stop: stops(&mut from)?,
        stream: from.flag("stream")?.unwrap_or(false),
        parallel: from.flag("parallel_tool_calls")?,
        user: from.text("user")?,
        ..Request::default()
    };
    if let Some(mut options) = from.object("stream_options")? {
        request.include_usage = options.flag("include_usage")?.unwrap_or(false);
    }
    if let Some(effort) = from.text("reasoning_effort")? {
        request.thinking = read_effort(&effort, losses);
    }
    for tool in from.objects("tools")? {
        request.tools.extend(read_tool(tool, losses)?);
    }
    request.choice = read_choice(from.take("tool_choice"), losses)?;
    if let Some(format) = from.object("response_format")? {
        request.format = read_format(format, losses)?;
    }
    let messages = from
        .take("messages")
        .ok_or_else(|| fault("messages", "an array"))?;
    let messages = json::items(messages).ok_or_else(|| fault("messages", "an array"))?;
    for message in messages {
        let message = json::object(message.get()).ok_or_else(|| fault("messages", "objects"))?;
        read_message(message, &mut request, losses)?;
    }
    losses.fields(from.rest());
    Ok(request)
}

pub(crate) fn limit(from: &mut Object<'_>) -> Result<Option<u64>, Fault> {
    let newer = from.count("max_completion_tokens")?;
    let older = from.count("max_tokens")?;
    Ok(newer.or(older))
}

pub(crate) fn stops(from: &mut Object<'_>) -> Result<Vec<String>, Fault> {
    let Some(stop) = from.take("stop") else {
        return Ok(Vec::new());
    };
    if let Some(one) = json::text(stop) {
        return Ok(vec![one]);
    }
    let texts = json::items(stop).and_then(|all| all.into_iter().map(json::text).collect());
    texts.ok_or_else(|| fault("stop", "a string or strings"))
}

pub(crate) fn read_effort(effort: &str, losses: &mut Losses) -> Option<Thinking> {
    let effort = match effort {
        "none" => return Some(Thinking::Off),
        "minimal" => Effort::Minimal,
        "low" => Effort::Low,
        "medium" => Effort::Medium,
        "high" => Effort::High,
        "xhigh" | "max" => Effort::Max,
        _ => {
            losses.add(Loss::field("reasoning_effort"));
            return None;
        }
    };
    Some(Thinking::Effort(effort))
}

pub(crate) fn effort_name(thinking: Thinking, losses: &mut Losses) -> Option<&'static str> {
    let effort = match thinking {
        Thinking::Off => return Some("none"),
        Thinking::Adaptive => {
            losses.add(Loss::ThinkingBudget);
            return None;
        }
        Thinking::Budget(tokens) => {
            losses.add(Loss::ThinkingBudget);
            Effort::of_budget(tokens)
        }
        Thinking::Effort(effort) => effort,
    };
    Some(match effort {
        Effort::Minimal => "minimal",
        Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
        Effort::Max => "xhigh",
    })
}

/// A mark for prompt caching, as Anthropic writes it.
pub(crate) fn read_cache(from: &mut Object<'_>) -> Result<Option<Ttl>, Fault> {
    let Some(mut mark) = from.object("cache_control")? else {
        return Ok(None);
    };
    let long = mark.text("ttl")?.as_deref() == Some("1h");
    Ok(Some(if long { Ttl::Hour1 } else { Ttl::Minutes5 }))
}

fn read_tool(mut from: Object<'_>, losses: &mut Losses) -> Result<Option<Tool>, Fault> {
    let kind = from.text("type")?.unwrap_or_else(|| "function".into());
    let Some(mut function) = from.object("function")? else {
        losses.add(Loss::kind(&kind));
        return Ok(None);
    };
    let cache = read_cache(&mut from)?.or(read_cache(&mut function)?);
    let tool = Tool {
        name: function.need_text("name")?,
        description: function.text("description")?,
        schema: function
            .take("parameters")
            .map_or_else(Json::any_object, Json::from),
        strict: function.flag("strict")?,
        cache,
    };
    losses.fields(from.rest().chain(function.rest()));
    Ok(Some(tool))
}

/// `"auto"` and its like, or an object that names a tool.
pub(crate) fn read_choice(
    value: Option<&RawValue>,
    losses: &mut Losses,
) -> Result<Option<Choice>, Fault> {
    let Some(value) = value else {
        return Ok(None);
    };
    if let Some(word) = json::text(value) {
        return Ok(Some(match word.as_str() {
            "auto" => Choice::Auto,
            "none" => Choice::Never,
            "required" => Choice::Any,
            _ => return Err(fault("tool_choice", "auto, none, required or a function")),
        }));
    }
    let expected = || fault("tool_choice", "a string or an object");
    let mut object = json::object(value.get()).ok_or_else(expected)?;
    let kind = object.text("type")?.unwrap_or_default();
    if kind != "function" {
        losses.add(Loss::kind(&kind));
        return Ok(None);
    }
    let mut function = object.object("function")?.unwrap_or(object);
    Ok(Some(Choice::Tool(function.need_text("name")?)))
}

pub(crate) fn read_format(
    mut from: Object<'_>,
    losses: &mut Losses,
) -> Result<Option<Format>, Fault> {
    let kind = from.need_text("type")?;
    Ok(match kind.as_str() {
        "text" => None,
        "json_object" => Some(Format::Object),
        "json_schema" => {
            // Chat has one more level than responses.
            let mut from = from.object("json_schema")?.unwrap_or(from);
            let schema = from.take("schema");
            let schema = schema.ok_or_else(|| fault("json_schema.schema", "a schema"))?;
            Some(Format::Schema {
                name: from.text("name")?,
                description: from.text("description")?,
                schema: schema.into(),
                strict: from.flag("strict")?,
            })
        }
        other => {
            losses.add(Loss::kind(other));
            None
        }
    })
}

fn read_message(
    mut from: Object<'_>,
    request: &mut Request,
    losses: &mut Losses,
) -> Result<(), Fault> {
    let role = from.need_text("role")?;
    match role.as_str() {
        "system" | "developer" => {
            losses.add_if(!request.messages.is_empty(), Loss::SystemPlace);
            let parts = read_content(&mut from, losses)?;
            request.system.extend(parts);
        }
        "user" => {
            let parts = read_content(&mut from, losses)?;
            request.say(Role::User, parts);
        }
        "tool" => {
            let id = from.need_text("tool_call_id")?;
            let result = ToolResult {
                id,
                content: read_content(&mut from, losses)?,
                failed: false,
            };
            let mut part = Part::from(Content::ToolResult(result));
            part.cache = read_cache(&mut from)?;
            request.say(Role::User, vec![part]);
        }
        "assistant" => {
            let parts = read_assistant(&mut from, losses)?;
            request.say(Role::Assistant, parts);
        }
        _ => {
            return Err(fault(
                "messages.role",
                "system, developer, user, assistant or tool",
            ));
        }
    }
    // A participant's name changes nothing that another dialect could say.
    losses.fields(from.rest());
    Ok(())
}

/// What the model said: thoughts first, then words, then calls, as it came to it.
pub(crate) fn read_assistant(
    from: &mut Object<'_>,
    losses: &mut Losses,
) -> Result<Vec<Part>, Fault> {
    let mut parts = Vec::new();
    let thought = from.maybe_text("reasoning_content");
    let thought = thought.or_else(|| from.maybe_text("reasoning"));
    if let Some(thought) = thought.filter(|t| !t.is_empty()) {
        parts.push(Content::Thinking(thought, None).into());
    }
    parts.extend(read_content(from, losses)?);
    if let Some(refusal) = from.text("refusal")?.filter(|t| !t.is_empty()) {
        parts.push(Content::Refusal(refusal).into());
    }
    for mut call in from.objects("tool_calls")? {
        let id = call.text("id")?.unwrap_or_default();
        let Some(mut function) = call.object("function")? else {
            let kind = call.text("type")?.unwrap_or_default();
            losses.add(Loss::kind(&kind));
            continue;
        };
        let arguments = function.take("arguments").map(arguments);
        parts.push(
            Content::ToolCall(ToolCall {
                id,
                name: function.need_text("name")?,
                arguments: arguments.unwrap_or_default(),
            })
            .into(),
        );
    }
    Ok(parts)
}

/// A text that is JSON; some servers write the JSON itself.
pub(crate) fn arguments(value: &RawValue) -> String {
    json::text(value).unwrap_or_else(|| value.get().to_owned())
}

/// A text, or parts; empty texts are left out, since other servers refuse them.
fn read_content(from: &mut Object<'_>, losses: &mut Losses) -> Result<Vec<Part>, Fault> {
    let Some(content) = from.take("content") else {
        return Ok(Vec::new());
    };
    if form(content) == Form::Text {
        let text = json::text(content).unwrap_or_default();
        let cache = read_cache(from)?;
        let part = Part {
            cache,
            ..Part::text(text)
        };
        return Ok(Some(part).into_iter().filter(told).collect());
    }
    let wrong = || fault("content", "a string or an array of parts");
    let mut parts = Vec::new();
    for item in json::items(content).ok_or_else(wrong)? {
        let item = json::object(item.get()).ok_or_else(wrong)?;
        parts.extend(read_part(item, losses)?.filter(told));
    }
    Ok(parts)
}

/// Whether a part says anything.
pub(crate) fn told(part: &Part) -> bool {
    !matches!(&part.content, Content::Text(text) if text.trim().is_empty())
}

fn read_part(mut from: Object<'_>, losses: &mut Losses) -> Result<Option<Part>, Fault> {
    let kind = from.need_text("type")?;
    let cache = read_cache(&mut from)?;
    let content = match kind.as_str() {
        "text" => Content::Text(from.need_text("text")?),
        "refusal" => Content::Refusal(from.need_text("refusal")?),
        "image_url" => {
            let image = from
                .take("image_url")
                .ok_or_else(|| fault("image_url", "an object"))?;
            let url = match json::object(image.get()) {
                Some(mut image) => {
                    let url = image.need_text("url")?;
                    losses.fields(image.rest().map(|_| "image_url.detail"));
                    url
                }
                None => json::text(image).ok_or_else(|| fault("image_url", "an object"))?,
            };
            Content::Image(source(&url))
        }
        "input_audio" => {
            let audio = from.object("input_audio")?;
            let mut audio = audio.ok_or_else(|| fault("input_audio", "an object"))?;
            let format = audio.need_text("format")?;
            Content::Audio(Source::Base64(
                format!("audio/{format}"),
                audio.need_text("data")?,
            ))
        }
        "file" => {
            let file = from.object("file")?;
            let mut file = file.ok_or_else(|| fault("file", "an object"))?;
            let name = file.text("filename")?;
            let Some(data) = file.text("file_data")? else {
                losses.add(Loss::Document);
                return Ok(None);
            };
            Content::Document(source(&data), name)
        }
        other => {
            losses.add(Loss::kind(other));
            return Ok(None);
        }
    };
    losses.fields(from.rest());
    Ok(Some(Part { content, cache }))
}

/// Writes a request for a server of this dialect.
#[must_use]
pub fn write_request(request: &Request, server: Server, losses: &mut Losses) -> Vec<u8> {
    note_marks(request, losses);
    json::write(|m| {
        m.text("model", &request.model);
        m.array("messages", |items| {
            write_system(&request.system, items);
            for message in &request.messages {
                write_message(message, items, losses);
            }
        });
        write_tools(request, m);
        let limit = match server.completion_limit {
            true => "max_completion_tokens",
            false => "max_tokens",
        };
        m.maybe_count(limit, request.max_tokens);
        m.maybe_number("temperature", request.temperature);
        m.maybe_number("top_p", request.top_p);
        losses.add_if(request.top_k.is_some(), Loss::Sampling);
        let stops = request.stop.get(..MAX_STOPS).unwrap_or(&request.stop);
        losses.add_if(stops.len() < request.stop.len(), Loss::StopSequences);
        if !stops.is_empty() {
            m.texts("stop", stops);
        }
        let effort = request.thinking.and_then(|t| effort_name(t, losses));
        m.maybe_text("reasoning_effort", effort);
        write_format(request.format.as_ref(), m);
        m.maybe_text("user", request.user.as_deref());
        if request.stream {
            m.flag("stream", true);
            if server.stream_options {
                m.object("stream_options", |m| m.flag("include_usage", true));
            }
        }
    })
}

fn note_marks(request: &Request, losses: &mut Losses) {
    let parts = request.messages.iter().flat_map(|m| &m.parts);
    let inner = parts.clone().flat_map(|p| match &p.content {
        Content::ToolResult(result) => result.content.as_slice(),
        _ => &[],
    });
    let marked = parts
        .chain(&request.system)
        .chain(inner)
        .any(|p| p.cache.is_some());
    let marked = marked || request.tools.iter().any(|t| t.cache.is_some());
    losses.add_if(marked, Loss::CacheMark);
}

fn write_system(system: &[Part], items: &mut Items<'_>) {
    let texts: Vec<&str> = texts(system).collect();
    match texts.as_slice() {
        [] => {}
        [one] => items.object(|m| {
            m.text("role", "system");
            m.text("content", one);
        }),
        many => items.object(|m| {
            m.text("role", "system");
            m.array("content", |items| {
                for text in many {
                    items.object(|m| {
                        m.text("type", "text");
                        m.text("text", text);
                    });
                }
            });
        }),
    }
}

pub(crate) fn texts(parts: &[Part]) -> impl Iterator<Item = &str> {
    parts.iter().filter_map(|p| match &p.content {
        Content::Text(text) => Some(text.as_str()),
        _ => None,
    })
}

fn write_message(message: &Message, items: &mut Items<'_>, losses: &mut Losses) {
    match message.role {
        Role::Assistant => write_assistant(&message.parts, items, losses),
        Role::User => write_user(&message.parts, items, losses),
    }
}

/// Results of tools are messages of their own and come first: they answer the turn before.
fn write_user(parts: &[Part], items: &mut Items<'_>, losses: &mut Losses) {
    let mut rest: Vec<&Part> = Vec::new();
    for part in parts {
        let Content::ToolResult(result) = &part.content else {
            rest.push(part);
            continue;
        };
        losses.add_if(!rest.is_empty(), Loss::Order);
        losses.add_if(result.failed, Loss::ToolFailed);
        let text: Vec<&str> = texts(&result.content).collect();
        items.object(|m| {
            m.text("role", "tool");
            m.text("tool_call_id", &result.id);
            m.text("content", &text.join("\n"));
        });
    }
    let results = parts.iter().filter_map(|p| match &p.content {
        Content::ToolResult(result) => Some(&result.content),
        _ => None,
    });
    let media = results
        .flatten()
        .filter(|p| !matches!(p.content, Content::Text(_)));
    let media: Vec<&Part> = media.collect();
    losses.add_if(!media.is_empty(), Loss::ToolResultMedia);
    let all: Vec<&Part> = media.into_iter().chain(rest).collect();
    match all.as_slice() {
        [] => {}
        [
            Part {
                content: Content::Text(text),
                ..
            },
        ] => items.object(|m| {
            m.text("role", "user");
            m.text("content", text);
        }),
        many => items.object(|m| {
            m.text("role", "user");
            m.array("content", |items| {
                for part in many {
                    write_part(&part.content, items, losses);
                }
            });
        }),
    }
}

fn write_part(content: &Content, items: &mut Items<'_>, losses: &mut Losses) {
    match content {
        Content::Text(text) | Content::Refusal(text) => items.object(|m| {
            m.text("type", "text");
            m.text("text", text);
        }),
        Content::Image(source) => {
            let Some(url) = url(source) else {
                losses.add(Loss::Image);
                return;
            };
            items.object(|m| {
                m.text("type", "image_url");
                m.object("image_url", |m| m.text("url", &url));
            });
        }
        Content::Audio(Source::Base64(media, data)) => items.object(|m| {
            m.text("type", "input_audio");
            m.object("input_audio", |m| {
                m.text("data", data);
                m.text("format", media.strip_prefix("audio/").unwrap_or(media));
            });
        }),
        Content::Document(Source::Text(text), _) => {
            losses.add(Loss::DocumentName);
            items.object(|m| {
                m.text("type", "text");
                m.text("text", text);
            });
        }
        Content::Document(source @ Source::Base64(..), name) => items.object(|m| {
            m.text("type", "file");
            m.object("file", |m| {
                m.maybe_text("filename", name.as_deref());
                m.maybe_text("file_data", url(source).as_deref());
            });
        }),
        Content::Document(..) => losses.add(Loss::Document),
        Content::Audio(_) => losses.add(Loss::Audio),
        Content::ToolCall(_) | Content::ToolResult(_) => losses.add(Loss::Order),
        Content::Thinking(..) | Content::Redacted(_) => losses.add(Loss::ThinkingHistory),
    }
}

fn write_assistant(parts: &[Part], items: &mut Items<'_>, losses: &mut Losses) {
    let text: Vec<&str> = texts(parts).collect();
    let refusals = parts.iter().filter_map(|p| match &p.content {
        Content::Refusal(text) => Some(text.as_str()),
        _ => None,
    });
    let refusal: Vec<&str> = refusals.collect();
    let calls = parts.iter().filter_map(|p| match &p.content {
        Content::ToolCall(call) => Some(call),
        _ => None,
    });
    let calls: Vec<&ToolCall> = calls.collect();
    note_assistant(parts, losses);
    if text.is_empty() && refusal.is_empty() && calls.is_empty() {
        return;
    }
    items.object(|m| {
        m.text("role", "assistant");
        match text.as_slice() {
            [] => m.raw("content", "null"),
            texts => m.text("content", &texts.concat()),
        }
        if !refusal.is_empty() {
            m.text("refusal", &refusal.concat());
        }
        write_calls(&calls, m);
    });
}

/// The dialect has one text, and calls after it.
fn note_assistant(parts: &[Part], losses: &mut Losses) {
    let mut called = false;
    for part in parts {
        match &part.content {
            Content::ToolCall(_) => called = true,
            Content::Text(_) => losses.add_if(called, Loss::Order),
            Content::Refusal(_) => {}
            Content::Thinking(..) | Content::Redacted(_) => losses.add(Loss::ThinkingHistory),
            Content::Image(_) => losses.add(Loss::Image),
            Content::Document(..) => losses.add(Loss::Document),
            Content::Audio(_) => losses.add(Loss::Audio),
            Content::ToolResult(_) => losses.add(Loss::Order),
        }
    }
}

pub(super) fn write_calls(calls: &[&ToolCall], m: &mut Members<'_>) {
    if calls.is_empty() {
        return;
    }
    m.array("tool_calls", |items| {
        for call in calls {
            items.object(|m| {
                m.text("id", &call.id);
                m.text("type", "function");
                m.object("function", |m| {
                    m.text("name", &call.name);
                    m.text("arguments", &call.arguments);
                });
            });
        }
    });
}

fn write_tools(request: &Request, m: &mut Members<'_>) {
    if request.tools.is_empty() {
        return;
    }
    m.array("tools", |items| {
        for tool in &request.tools {
            items.object(|m| {
                m.text("type", "function");
                m.object("function", |m| {
                    m.text("name", &tool.name);
                    m.maybe_text("description", tool.description.as_deref());
                    m.raw("parameters", tool.schema.text());
                    if let Some(strict) = tool.strict {
                        m.flag("strict", strict);
                    }
                });
            });
        }
    });
    match &request.choice {
        None => {}
        Some(Choice::Auto) => m.text("tool_choice", "auto"),
        Some(Choice::Never) => m.text("tool_choice", "none"),
        Some(Choice::Any) => m.text("tool_choice", "required"),
        Some(Choice::Tool(name)) => m.object("tool_choice", |m| {
            m.text("type", "function");
            m.object("function", |m| m.text("name", name));
        }),
    }
    if let Some(parallel) = request.parallel {
        m.flag("parallel_tool_calls", parallel);
    }
}

fn write_format(format: Option<&Format>, m: &mut Members<'_>) {
    match format {
        None => {}
        Some(Format::Object) => m.object("response_format", |m| m.text("type", "json_object")),
        Some(Format::Schema {
            name,
            description,
            schema,
            strict,
        }) => m.object("response_format", |m| {
            m.text("type", "json_schema");
            m.object("json_schema", |m| {
                // The dialect wants a name.
                m.text("name", name.as_deref().unwrap_or("answer"));
                m.maybe_text("description", description.as_deref());
                m.raw("schema", schema.text());
                if let Some(strict) = strict {
                    m.flag("strict", *strict);
                }
            });
        }),
    }
}

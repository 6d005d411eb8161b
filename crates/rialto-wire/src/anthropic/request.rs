//! Requests of the Messages API.

use serde_json::value::RawValue;

use crate::json::{self, Fault, Form, Items, Members, Object, fault, form};
use crate::model::{
    Choice, Content, Effort, Format, Json, Loss, Losses, Message, ModelError, Names, Part, Request,
    Role, Source, Thinking, Tool, ToolCall, ToolResult, Ttl, results_first,
};
use crate::openai::chat::{read_cache, told};

/// The limit of a request that has none, where the dialect wants one.
pub const DEFAULT_MAX_TOKENS: u64 = 4096;

/// How many marks for prompt caching a request may hold.
const MAX_MARKS: usize = 4;

/// Reads a request.
///
/// # Errors
/// What is wrong with it.
pub fn read_request(body: &[u8], losses: &mut Losses) -> Result<Request, ModelError> {
    let mut from = json::document(body)?;
    let mut request = Request {
        model: from.need_text("model")?,
        max_tokens: from.count("max_tokens")?,
        temperature: from.number("temperature")?,
        top_p: from.number("top_p")?,
        top_k: from.count("top_k")?,
        stream: from.flag("stream")?.unwrap_or(false),
        include_usage: true,
        ..Request::default()
    };
    if let Some(stop) = from.items("stop_sequences")? {
        let texts: Option<Vec<String>> = stop.into_iter().map(json::text).collect();
        request.stop = texts.ok_or_else(|| fault("stop_sequences", "strings"))?;
    }
    if let Some(system) = from.take("system") {
        request.system = read_blocks(system, losses)?;
    }
    if let Some(mut metadata) = from.object("metadata")? {
        request.user = metadata.text("user_id")?;
    }
    for tool in from.objects("tools")? {
        request.tools.extend(read_tool(tool, losses)?);
    }
    if let Some(choice) = from.object("tool_choice")? {
        read_choice(choice, &mut request)?;
    }
    read_thinking(&mut from, &mut request, losses)?;
    let messages = from.take("messages").and_then(json::items);
    for message in messages.ok_or_else(|| fault("messages", "an array"))? {
        let mut message =
            json::object(message.get()).ok_or_else(|| fault("messages", "objects"))?;
        let role = message.need_text("role")?;
        let content = message
            .take("content")
            .ok_or_else(|| fault("content", "blocks"))?;
        let parts = read_blocks(content, losses)?;
        match role.as_str() {
            "user" => request.say(Role::User, parts),
            "assistant" => request.say(Role::Assistant, parts),
            "system" => {
                losses.add(Loss::SystemPlace);
                request.system.extend(parts);
            }
            _ => return Err(fault("messages.role", "user or assistant").into()),
        }
    }
    losses.fields(from.rest());
    Ok(request)
}

fn read_choice(mut choice: Object<'_>, request: &mut Request) -> Result<(), Fault> {
    request.choice = Some(match choice.need_text("type")?.as_str() {
        "auto" => Choice::Auto,
        "any" => Choice::Any,
        "none" => Choice::Never,
        "tool" => Choice::Tool(choice.need_text("name")?),
        _ => return Err(fault("tool_choice.type", "auto, any, none or tool")),
    });
    let alone = choice.flag("disable_parallel_tool_use")?;
    request.parallel = alone.map(|alone| !alone);
    Ok(())
}

fn read_thinking(
    from: &mut Object<'_>,
    request: &mut Request,
    losses: &mut Losses,
) -> Result<(), Fault> {
    let mut config = from.object("output_config")?.unwrap_or_default();
    let format = config.object("format")?.or(from.object("output_format")?);
    if let Some(format) = format {
        request.format = crate::openai::chat::read_format(format, losses)?;
        if let Some(Format::Schema { strict, .. }) = &mut request.format {
            *strict = Some(true);
        }
    }
    let effort = config.text("effort")?;
    losses.fields(config.rest());
    let Some(mut thinking) = from.object("thinking")? else {
        losses.add_if(effort.is_some(), Loss::field("output_config.effort"));
        return Ok(());
    };
    request.thinking = Some(match thinking.need_text("type")?.as_str() {
        "disabled" => Thinking::Off,
        "enabled" => Thinking::Budget(thinking.count("budget_tokens")?.unwrap_or(1024)),
        "adaptive" => match effort.as_deref() {
            Some("low") => Thinking::Effort(Effort::Low),
            Some("medium") => Thinking::Effort(Effort::Medium),
            Some("high") => Thinking::Effort(Effort::High),
            Some("xhigh" | "max") => Thinking::Effort(Effort::Max),
            _ => Thinking::Adaptive,
        },
        _ => return Err(fault("thinking.type", "enabled, adaptive or disabled")),
    });
    losses.fields(thinking.rest());
    Ok(())
}

fn read_tool(mut from: Object<'_>, losses: &mut Losses) -> Result<Option<Tool>, Fault> {
    let kind = from.text("type")?.unwrap_or_else(|| "custom".into());
    if kind != "custom" {
        losses.add(Loss::kind(&kind));
        return Ok(None);
    }
    let tool = Tool {
        name: from.need_text("name")?,
        description: from.text("description")?,
        schema: from
            .take("input_schema")
            .map_or_else(Json::any_object, Json::from),
        strict: from.flag("strict")?,
        cache: read_cache(&mut from)?,
    };
    losses.fields(from.rest());
    Ok(Some(tool))
}

/// A text or blocks; empty texts are left out, since the dialect itself refuses them.
fn read_blocks(content: &RawValue, losses: &mut Losses) -> Result<Vec<Part>, Fault> {
    if form(content) == Form::Text {
        let part = Part::text(json::text(content).unwrap_or_default());
        return Ok(Some(part).into_iter().filter(told).collect());
    }
    let wrong = || fault("content", "a string or an array of blocks");
    let mut parts = Vec::new();
    for block in json::items(content).ok_or_else(wrong)? {
        let block = json::object(block.get()).ok_or_else(wrong)?;
        parts.extend(read_block(block, losses)?.filter(told));
    }
    Ok(parts)
}

pub(super) fn read_block(mut from: Object<'_>, losses: &mut Losses) -> Result<Option<Part>, Fault> {
    let kind = from.need_text("type")?;
    let cache = read_cache(&mut from)?;
    let content = match kind.as_str() {
        "text" => {
            let cited = from.take("citations").and_then(json::items);
            losses.add_if(cited.is_some_and(|c| !c.is_empty()), Loss::Citations);
            Content::Text(from.need_text("text")?)
        }
        "image" => match read_source(&mut from)? {
            Some(source) => Content::Image(source),
            None => {
                losses.add(Loss::Image);
                return Ok(None);
            }
        },
        "document" => {
            let name = from.text("title")?;
            match read_source(&mut from)? {
                Some(source) => Content::Document(source, name),
                None => {
                    losses.add(Loss::Document);
                    return Ok(None);
                }
            }
        }
        "tool_use" => {
            let input = from.take("input");
            Content::ToolCall(ToolCall {
                id: from.need_text("id")?,
                name: from.need_text("name")?,
                arguments: input.map_or_else(|| "{}".to_owned(), |i| i.get().to_owned()),
            })
        }
        "tool_result" => {
            let content = from.take("content");
            Content::ToolResult(ToolResult {
                id: from.need_text("tool_use_id")?,
                content: content.map_or(Ok(Vec::new()), |c| read_blocks(c, losses))?,
                failed: from.flag("is_error")?.unwrap_or(false),
            })
        }
        "thinking" => {
            let signature = from.text("signature")?.filter(|s| !s.is_empty());
            Content::Thinking(from.need_text("thinking")?, signature)
        }
        "redacted_thinking" => Content::Redacted(from.need_text("data")?),
        other => {
            losses.add(Loss::kind(other));
            return Ok(None);
        }
    };
    losses.fields(from.rest());
    Ok(Some(Part { content, cache }))
}

fn read_source(from: &mut Object<'_>) -> Result<Option<Source>, Fault> {
    let source = from.object("source")?;
    let mut source = source.ok_or_else(|| fault("source", "an object"))?;
    Ok(match source.need_text("type")?.as_str() {
        "base64" => {
            let media = source.need_text("media_type")?;
            Some(Source::Base64(media, source.need_text("data")?))
        }
        "url" => Some(Source::Url(source.need_text("url")?)),
        "text" => Some(Source::Text(source.need_text("data")?)),
        _ => None,
    })
}

/// Writes a request, with the names of tools that were changed for it.
pub(crate) fn write(request: &Request, losses: &mut Losses) -> (Vec<u8>, Names) {
    let mut request = request.clone();
    let names = Names::fit(&mut request, super::NAME_LIMITS, "", losses);
    (write_request(&request, losses), names)
}

/// Writes a request.
#[must_use]
pub fn write_request(request: &Request, losses: &mut Losses) -> Vec<u8> {
    losses.add_if(request.max_tokens.is_none(), Loss::MaxTokens);
    let thoughts = request.thinking.map_or(0, Thinking::budget);
    let max_tokens = request.max_tokens;
    let max_tokens =
        max_tokens.unwrap_or(DEFAULT_MAX_TOKENS.saturating_add(thoughts.saturating_mul(2)));
    let thinking = request.signed_thinking(max_tokens, losses);
    let mut out = Marked { left: MAX_MARKS };
    json::write(|m| {
        m.text("model", &request.model);
        m.count("max_tokens", max_tokens);
        let tools = request.tools_with_stand_ins(losses);
        out.tools(&tools, m, losses);
        if !tools.is_empty() {
            write_choice(request, m);
        }
        if !request.system.is_empty() {
            m.array("system", |items| out.parts(&request.system, items, losses));
        }
        m.array("messages", |items| {
            for message in &request.messages {
                out.message(message, items, losses);
            }
        });
        write_sampling(request, thinking.is_some(), m, losses);
        write_thinking(request, thinking, m, losses);
        if let Some(user) = &request.user {
            m.object("metadata", |m| m.text("user_id", user));
        }
        if request.stream {
            m.flag("stream", true);
        }
    })
}

fn write_choice(request: &Request, m: &mut Members<'_>) {
    let alone = request.parallel == Some(false);
    let choice = match &request.choice {
        None if request.parallel.is_none() => return,
        None => &Choice::Auto,
        Some(choice) => choice,
    };
    m.object("tool_choice", |m| {
        let kind = match choice {
            Choice::Auto => "auto",
            Choice::Never => "none",
            Choice::Any => "any",
            Choice::Tool(_) => "tool",
        };
        m.text("type", kind);
        if let Choice::Tool(name) = choice {
            m.text("name", name);
        }
        if *choice != Choice::Never && request.parallel.is_some() {
            m.flag("disable_parallel_tool_use", alone);
        }
    });
}

/// The dialect refuses sampling while a model thinks, temperatures above 1, and, for newer models,
/// temperature and `top_p` at once.
fn write_sampling(request: &Request, thinks: bool, m: &mut Members<'_>, losses: &mut Losses) {
    let fine = |s: &&String| !s.trim().is_empty();
    let stops: Vec<&String> = request.stop.iter().filter(fine).collect();
    losses.add_if(stops.len() < request.stop.len(), Loss::StopSequences);
    if !stops.is_empty() {
        m.texts("stop_sequences", &stops);
    }
    let (temperature, top_p, top_k) = (request.temperature, request.top_p, request.top_k);
    if thinks {
        let any = temperature.is_some() || top_p.is_some() || top_k.is_some();
        losses.add_if(any, Loss::Sampling);
        return;
    }
    losses.add_if(temperature.is_some_and(|t| t > 1.0), Loss::Temperature);
    m.maybe_number("temperature", temperature.map(|t| t.clamp(0.0, 1.0)));
    losses.add_if(temperature.is_some() && top_p.is_some(), Loss::Sampling);
    m.maybe_number("top_p", top_p.filter(|_| temperature.is_none()));
    m.maybe_count("top_k", top_k);
}

fn write_thinking(
    request: &Request,
    thinking: Option<Thinking>,
    m: &mut Members<'_>,
    losses: &mut Losses,
) {
    match thinking {
        Some(Thinking::Budget(tokens)) => m.object("thinking", |m| {
            m.text("type", "enabled");
            m.count("budget_tokens", tokens);
        }),
        Some(_) => m.object("thinking", |m| m.text("type", "adaptive")),
        None if request.thinking == Some(Thinking::Off) => {
            m.object("thinking", |m| m.text("type", "disabled"));
        }
        None => {}
    }
    match &request.format {
        None => {}
        Some(Format::Object) => losses.add(Loss::Format),
        Some(Format::Schema {
            name,
            description,
            schema,
            strict,
        }) => {
            let named = name.is_some() || description.is_some() || *strict != Some(true);
            losses.add_if(named, Loss::FormatName);
            m.object("output_config", |m| {
                m.object("format", |m| {
                    m.text("type", "json_schema");
                    m.raw("schema", schema.text());
                });
            });
        }
    }
}

/// Writes blocks, and counts the marks for prompt caching.
struct Marked {
    left: usize,
}

impl Marked {
    fn mark(&mut self, cache: Option<Ttl>, m: &mut Members<'_>, losses: &mut Losses) {
        let Some(ttl) = cache else {
            return;
        };
        if self.left == 0 {
            losses.add(Loss::CacheMarkPlace);
            return;
        }
        self.left -= 1;
        m.object("cache_control", |m| {
            m.text("type", "ephemeral");
            if ttl == Ttl::Hour1 {
                m.text("ttl", ttl.name());
            }
        });
    }

    fn tools(&mut self, tools: &[Tool], m: &mut Members<'_>, losses: &mut Losses) {
        if tools.is_empty() {
            return;
        }
        m.array("tools", |items| {
            for tool in tools {
                items.object(|m| {
                    m.text("name", &tool.name);
                    m.maybe_text("description", tool.description.as_deref());
                    m.raw("input_schema", tool.schema.text());
                    // False is the default, and older servers do not know the word.
                    if tool.strict == Some(true) {
                        m.flag("strict", true);
                    }
                    self.mark(tool.cache, m, losses);
                });
            }
        });
    }

    fn message(&mut self, message: &Message, items: &mut Items<'_>, losses: &mut Losses) {
        let assistant = message.role == Role::Assistant;
        let fits = |p: &&Part| match &p.content {
            // Never unsigned: the server refuses thoughts that it did not sign.
            Content::Thinking(_, None) => false,
            Content::Thinking(..) | Content::Redacted(_) => assistant,
            Content::Document(..) | Content::Image(_) => !assistant,
            Content::Audio(_) => false,
            _ => true,
        };
        for part in message.parts.iter().filter(|p| !fits(p)) {
            losses.add(match &part.content {
                Content::Document(..) => Loss::Document,
                Content::Image(_) => Loss::Image,
                Content::Audio(_) => Loss::Audio,
                _ => Loss::ThinkingHistory,
            });
        }
        let mut parts: Vec<Part> = message.parts.iter().filter(fits).cloned().collect();
        losses.add_if(results_first(message.role, &mut parts), Loss::Order);
        if parts.is_empty() {
            return;
        }
        items.object(|m| {
            m.text("role", if assistant { "assistant" } else { "user" });
            m.array("content", |items| self.parts(&parts, items, losses));
        });
    }

    fn parts(&mut self, parts: &[Part], items: &mut Items<'_>, losses: &mut Losses) {
        for part in parts {
            items.object(|m| {
                write_block(&part.content, m, losses);
                if let Content::ToolResult(result) = &part.content {
                    m.array("content", |items| {
                        self.parts(&result.content, items, losses);
                    });
                }
                self.mark(part.cache, m, losses);
            });
        }
    }
}

/// The members of a block, its mark and the content of a result left out.
pub(super) fn write_block(content: &Content, m: &mut Members<'_>, losses: &mut Losses) {
    match content {
        Content::Text(text) => {
            m.text("type", "text");
            m.text("text", text);
        }
        Content::Refusal(text) => {
            losses.add(Loss::Refusal);
            m.text("type", "text");
            m.text("text", text);
        }
        Content::Image(source) => {
            m.text("type", "image");
            write_source(source, m);
        }
        Content::Document(source, name) => {
            m.text("type", "document");
            write_source(source, m);
            m.maybe_text("title", name.as_deref());
        }
        Content::ToolCall(call) => {
            let (input, right) = call.object();
            losses.add_if(!right, Loss::ToolArguments);
            m.text("type", "tool_use");
            m.text("id", &call.id);
            m.text("name", &call.name);
            m.raw("input", input.text());
        }
        Content::ToolResult(result) => {
            m.text("type", "tool_result");
            m.text("tool_use_id", &result.id);
            if result.failed {
                m.flag("is_error", true);
            }
        }
        Content::Thinking(text, signature) => {
            m.text("type", "thinking");
            m.text("thinking", text);
            m.text("signature", signature.as_deref().unwrap_or_default());
        }
        Content::Redacted(data) => {
            m.text("type", "redacted_thinking");
            m.text("data", data);
        }
        Content::Audio(_) => {
            // Left out before; an answer's sound has no block here.
            losses.add(Loss::Audio);
            m.text("type", "text");
            m.text("text", "[audio]");
        }
    }
}

fn write_source(source: &Source, m: &mut Members<'_>) {
    m.object("source", |m| match source {
        Source::Base64(media, data) => {
            m.text("type", "base64");
            m.text("media_type", media);
            m.text("data", data);
        }
        Source::Url(url) => {
            m.text("type", "url");
            m.text("url", url);
        }
        Source::Text(text) => {
            m.text("type", "text");
            m.text("media_type", "text/plain");
            m.text("data", text);
        }
    });
}

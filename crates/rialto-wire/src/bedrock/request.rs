//! Requests of the Converse API.

use crate::json::{self, Fault, Items, Members, Object, fault};
use crate::model::{
    Choice, Content, Format, Json, Loss, Losses, Message, ModelError, Names, Part, Request, Role,
    Source, Thinking, Tool, ToolCall, ToolResult, Ttl, results_first,
};
use crate::openai::chat::told;

/// How many marks for prompt caching a request may hold.
const MAX_MARKS: usize = 4;

/// Media types and what the dialect calls them.
const FORMATS: [(&str, &str); 24] = [
    ("image/png", "png"),
    ("image/jpeg", "jpeg"),
    ("image/jpg", "jpeg"),
    ("image/gif", "gif"),
    ("image/webp", "webp"),
    ("application/pdf", "pdf"),
    ("text/csv", "csv"),
    ("application/msword", "doc"),
    (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "docx",
    ),
    ("application/vnd.ms-excel", "xls"),
    (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xlsx",
    ),
    ("text/html", "html"),
    ("text/plain", "txt"),
    ("text/markdown", "md"),
    ("audio/mp3", "mp3"),
    ("audio/wav", "wav"),
    ("audio/opus", "opus"),
    ("audio/aac", "aac"),
    ("audio/flac", "flac"),
    ("audio/ogg", "ogg"),
    ("audio/mp4", "mp4"),
    ("audio/m4a", "m4a"),
    ("audio/webm", "webm"),
    ("audio/pcm", "pcm"),
];

fn format_of(media: &str, kind: &str) -> Option<&'static str> {
    let mut rows = FORMATS.iter();
    let found = rows.find(|(m, _)| *m == media && m.starts_with(kind));
    found.map(|(_, format)| *format)
}

fn media_of(format: &str, audio: bool) -> String {
    let mut rows = FORMATS.iter();
    let found = rows.find(|(m, f)| *f == format && m.starts_with("audio/") == audio);
    found.map_or_else(
        || format!("application/{format}"),
        |(media, _)| (*media).to_owned(),
    )
}

/// Reads a request; model and streaming stand in the path, see [`super::target`].
///
/// # Errors
/// What is wrong with it.
pub fn read_request(
    model: &str,
    stream: bool,
    body: &[u8],
    losses: &mut Losses,
) -> Result<Request, ModelError> {
    let mut from = json::document(body)?;
    let mut request = Request {
        model: model.to_owned(),
        stream,
        include_usage: true,
        ..Request::default()
    };
    if let Some(mut config) = from.object("inferenceConfig")? {
        request.max_tokens = config.count("maxTokens")?;
        request.temperature = config.number("temperature")?;
        request.top_p = config.number("topP")?;
        if let Some(stop) = config.items("stopSequences")? {
            let texts: Option<Vec<String>> = stop.into_iter().map(json::text).collect();
            request.stop = texts.ok_or_else(|| fault("stopSequences", "strings"))?;
        }
        losses.fields(config.rest());
    }
    if let Some(mut more) = from.object("additionalModelRequestFields")? {
        request.top_k = more.count("top_k")?;
        if let Some(mut thinking) = more.object("thinking")? {
            request.thinking = Some(match thinking.need_text("type")?.as_str() {
                "disabled" => Thinking::Off,
                "adaptive" => Thinking::Adaptive,
                _ => Thinking::Budget(thinking.count("budget_tokens")?.unwrap_or(1024)),
            });
        }
        losses.fields(more.rest());
    }
    if let Some(config) = from.object("toolConfig")? {
        read_tools(config, &mut request, losses)?;
    }
    if let Some(mut config) = from.object("outputConfig")? {
        request.format = read_format(&mut config)?;
        losses.fields(config.rest());
    }
    request.system = read_blocks(from.objects("system")?, losses)?;
    for mut message in from.objects("messages")? {
        let role = message.need_text("role")?;
        let parts = read_blocks(message.objects("content")?, losses)?;
        match role.as_str() {
            "user" => request.say(Role::User, parts),
            "assistant" => request.say(Role::Assistant, parts),
            _ => return Err(fault("messages.role", "user or assistant").into()),
        }
    }
    losses.fields(from.rest());
    Ok(request)
}

fn read_mark(mut from: Object<'_>) -> Result<Ttl, Fault> {
    let long = from.text("ttl")?.as_deref() == Some("1h");
    Ok(if long { Ttl::Hour1 } else { Ttl::Minutes5 })
}

fn read_tools(
    mut config: Object<'_>,
    request: &mut Request,
    losses: &mut Losses,
) -> Result<(), Fault> {
    for mut tool in config.objects("tools")? {
        if let Some(mark) = tool.object("cachePoint")? {
            match request.tools.last_mut() {
                Some(last) => last.cache = Some(read_mark(mark)?),
                None => losses.add(Loss::CacheMarkPlace),
            }
            continue;
        }
        let Some(mut spec) = tool.object("toolSpec")? else {
            losses.fields(tool.rest());
            continue;
        };
        let mut schema = spec.object("inputSchema")?.unwrap_or_default();
        request.tools.push(Tool {
            name: spec.need_text("name")?,
            description: spec.text("description")?,
            schema: schema
                .take("json")
                .map_or_else(Json::any_object, Json::from),
            strict: spec.flag("strict")?,
            cache: None,
        });
    }
    if let Some(mut choice) = config.object("toolChoice")? {
        request.choice = Some(if choice.take("auto").is_some() {
            Choice::Auto
        } else if choice.take("any").is_some() {
            Choice::Any
        } else {
            let tool = choice.object("tool")?;
            let mut tool = tool.ok_or_else(|| fault("toolChoice", "auto, any or tool"))?;
            Choice::Tool(tool.need_text("name")?)
        });
    }
    Ok(())
}

fn read_format(config: &mut Object<'_>) -> Result<Option<Format>, Fault> {
    let Some(mut format) = config.object("textFormat")? else {
        return Ok(None);
    };
    let mut structure = format.object("structure")?.unwrap_or_default();
    let mut schema = structure.object("jsonSchema")?.unwrap_or_default();
    let text = schema.need_text("schema")?;
    Ok(Some(Format::Schema {
        name: schema.text("name")?,
        description: schema.text("description")?,
        schema: Json::new(&text).ok_or_else(|| fault("jsonSchema.schema", "a JSON schema"))?,
        strict: Some(true),
    }))
}

/// Reads blocks; a mark for prompt caching goes to the block before it.
pub(super) fn read_blocks(
    blocks: Vec<Object<'_>>,
    losses: &mut Losses,
) -> Result<Vec<Part>, Fault> {
    let mut parts: Vec<Part> = Vec::new();
    for mut block in blocks {
        if let Some(mark) = block.object("cachePoint")? {
            match parts.last_mut() {
                Some(last) => last.cache = Some(read_mark(mark)?),
                None => losses.add(Loss::CacheMarkPlace),
            }
            continue;
        }
        let part = read_block(block, losses)?.map(Part::from);
        parts.extend(part.filter(told));
    }
    Ok(parts)
}

fn read_block(mut from: Object<'_>, losses: &mut Losses) -> Result<Option<Content>, Fault> {
    if let Some(text) = from.text("text")? {
        return Ok(Some(Content::Text(text)));
    }
    if let Some(json) = from.take("json") {
        return Ok(Some(Content::Text(json.get().to_owned())));
    }
    if let Some(image) = from.object("image")? {
        return read_media(image, Content::Image, false, (Loss::Image, losses));
    }
    if let Some(audio) = from.object("audio")? {
        return read_media(audio, Content::Audio, true, (Loss::Audio, losses));
    }
    if let Some(mut document) = from.object("document")? {
        let name = document.text("name")?;
        let make = |source| Content::Document(source, name);
        return read_media(document, make, false, (Loss::Document, losses));
    }
    if let Some(mut call) = from.object("toolUse")? {
        let input = call.take("input");
        return Ok(Some(Content::ToolCall(ToolCall {
            id: call.need_text("toolUseId")?,
            name: call.need_text("name")?,
            arguments: input.map_or_else(|| "{}".to_owned(), |i| i.get().to_owned()),
        })));
    }
    if let Some(mut result) = from.object("toolResult")? {
        return Ok(Some(Content::ToolResult(ToolResult {
            id: result.need_text("toolUseId")?,
            content: read_blocks(result.objects("content")?, losses)?,
            failed: result.text("status")?.as_deref() == Some("error"),
        })));
    }
    if let Some(mut thought) = from.object("reasoningContent")? {
        if let Some(data) = thought.text("redactedContent")? {
            return Ok(Some(Content::Redacted(data)));
        }
        let mut text = thought.object("reasoningText")?.unwrap_or_default();
        let signature = text.text("signature")?.filter(|s| !s.is_empty());
        return Ok(Some(Content::Thinking(
            text.text("text")?.unwrap_or_default(),
            signature,
        )));
    }
    if let Some(mut cited) = from.object("citationsContent")? {
        losses.add(Loss::Citations);
        let mut text = String::new();
        for mut piece in cited.objects("content")? {
            text.push_str(&piece.text("text")?.unwrap_or_default());
        }
        return Ok(Some(Content::Text(text)));
    }
    if let Some((kind, _)) = from.pop() {
        losses.add(Loss::kind(&kind));
    }
    Ok(None)
}

fn read_media(
    mut from: Object<'_>,
    make: impl FnOnce(Source) -> Content,
    audio: bool,
    (loss, losses): (Loss, &mut Losses),
) -> Result<Option<Content>, Fault> {
    let format = from.text("format")?.unwrap_or_default();
    let mut source = from.object("source")?.unwrap_or_default();
    if let Some(data) = source.text("bytes")? {
        return Ok(Some(make(Source::Base64(media_of(&format, audio), data))));
    }
    if let Some(text) = source.text("text")? {
        return Ok(Some(make(Source::Text(text))));
    }
    losses.add(loss);
    Ok(None)
}

/// Writes a request, with the names of tools that were changed for it.
pub(crate) fn write(
    request: &Request,
    losses: &mut Losses,
) -> Result<(Vec<u8>, Names), ModelError> {
    let mut request = request.clone();
    let names = Names::fit(&mut request, super::NAME_LIMITS, ".:", losses);
    Ok((write_request(&request, losses)?, names))
}

/// Writes a request's body; for its path see [`super::path`].
///
/// # Errors
/// When it holds the address of an image or document, or a form of them that the dialect does not
/// take: to leave it out would change what is asked. [`Request::remote_media`] finds the addresses.
pub fn write_request(request: &Request, losses: &mut Losses) -> Result<Vec<u8>, ModelError> {
    check_media(request)?;
    let claude = request.model.contains("claude");
    let max_tokens = request.max_tokens.unwrap_or(u64::MAX);
    let thinking = match claude {
        true => request.signed_thinking(max_tokens, losses),
        false => {
            losses.add_if(request.thinking.is_some(), Loss::Thinking);
            None
        }
    };
    losses.add_if(request.user.is_some(), Loss::User);
    let mut out = Blocks {
        left: MAX_MARKS,
        documents: 0,
        model: claude,
    };
    Ok(json::write(|m| {
        out.tools(request, m, losses);
        if !request.system.is_empty() {
            m.array("system", |items| out.parts(&request.system, items, losses));
        }
        m.array("messages", |items| {
            for message in &request.messages {
                out.message(message, items, losses);
            }
        });
        write_config(request, (claude, thinking.is_some()), m, losses);
        write_more(request, thinking, claude, m, losses);
        write_format(request.format.as_ref(), m, losses);
    }))
}

fn check_media(request: &Request) -> Result<(), ModelError> {
    let parts = request.messages.iter().flat_map(|m| &m.parts);
    let inner = parts.clone().flat_map(|p| match &p.content {
        Content::ToolResult(result) => result.content.as_slice(),
        _ => &[],
    });
    for part in parts.chain(inner) {
        let (source, kind) = match &part.content {
            Content::Image(source) => (source, "image/"),
            Content::Document(source, _) => (source, ""),
            Content::Audio(source) => (source, "audio/"),
            _ => continue,
        };
        match source {
            Source::Url(_) => {
                return Err(ModelError::refused(
                    "remote_media",
                    "this model's server takes images and documents as bytes only: send base64 data in place of an address",
                ));
            }
            Source::Base64(media, _) if format_of(media, kind).is_none() => {
                return Err(ModelError::refused(
                    "media_type",
                    &format!(
                        "this model's server does not take {media:?}: convert it to a common type (png, jpeg, gif, webp, pdf)"
                    ),
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Anthropic's models refuse sampling while they think, and temperature and `topP` at once.
fn write_config(
    request: &Request,
    (claude, thinks): (bool, bool),
    m: &mut Members<'_>,
    losses: &mut Losses,
) {
    let fine = |s: &&String| !s.trim().is_empty();
    let stops: Vec<&String> = request.stop.iter().filter(fine).collect();
    losses.add_if(stops.len() < request.stop.len(), Loss::StopSequences);
    let temperature = request.temperature.filter(|_| !thinks);
    let fixed = thinks || (claude && temperature.is_some());
    let top_p = request.top_p.filter(|_| !fixed);
    let dropped = temperature != request.temperature || top_p != request.top_p;
    losses.add_if(dropped, Loss::Sampling);
    losses.add_if(temperature.is_some_and(|t| t > 1.0), Loss::Temperature);
    let samples = temperature.is_some() || top_p.is_some();
    if request.max_tokens.is_none() && stops.is_empty() && !samples {
        return;
    }
    m.object("inferenceConfig", |m| {
        m.maybe_count("maxTokens", request.max_tokens);
        m.maybe_number("temperature", temperature.map(|t| t.clamp(0.0, 1.0)));
        m.maybe_number("topP", top_p);
        if !stops.is_empty() {
            m.texts("stopSequences", &stops);
        }
    });
}

/// What the dialect has no word for goes to the model's own: known for Anthropic's only.
fn write_more(
    request: &Request,
    thinking: Option<Thinking>,
    claude: bool,
    m: &mut Members<'_>,
    losses: &mut Losses,
) {
    let top_k = request.top_k.filter(|_| claude && thinking.is_none());
    losses.add_if(top_k != request.top_k, Loss::Sampling);
    let off = claude && request.thinking == Some(Thinking::Off);
    if top_k.is_none() && thinking.is_none() && !off {
        return;
    }
    m.object("additionalModelRequestFields", |m| {
        m.maybe_count("top_k", top_k);
        match thinking {
            Some(Thinking::Budget(tokens)) => m.object("thinking", |m| {
                m.text("type", "enabled");
                m.count("budget_tokens", tokens);
            }),
            Some(_) => m.object("thinking", |m| m.text("type", "adaptive")),
            None if off => m.object("thinking", |m| m.text("type", "disabled")),
            None => {}
        }
    });
}

fn write_format(format: Option<&Format>, m: &mut Members<'_>, losses: &mut Losses) {
    let Some(format) = format else {
        return;
    };
    let Format::Schema {
        name,
        description,
        schema,
        strict,
    } = format
    else {
        losses.add(Loss::Format);
        return;
    };
    losses.add_if(*strict != Some(true), Loss::FormatName);
    m.object("outputConfig", |m| {
        m.object("textFormat", |m| {
            m.text("type", "json_schema");
            m.object("structure", |m| {
                m.object("jsonSchema", |m| {
                    m.text("schema", schema.text());
                    m.maybe_text("name", name.as_deref());
                    m.maybe_text("description", description.as_deref());
                });
            });
        });
    });
}

/// Writes blocks, counts marks for prompt caching and documents.
struct Blocks {
    left: usize,
    documents: usize,
    /// The model is Anthropic's: it takes thoughts back.
    model: bool,
}

impl Blocks {
    fn mark(&mut self, cache: Option<Ttl>, items: &mut Items<'_>, losses: &mut Losses) {
        let Some(ttl) = cache else {
            return;
        };
        if self.left == 0 {
            losses.add(Loss::CacheMarkPlace);
            return;
        }
        self.left -= 1;
        items.object(|m| {
            m.object("cachePoint", |m| {
                m.text("type", "default");
                if ttl == Ttl::Hour1 {
                    m.text("ttl", ttl.name());
                }
            });
        });
    }

    fn tools(&mut self, request: &Request, m: &mut Members<'_>, losses: &mut Losses) {
        let never = request.choice == Some(Choice::Never);
        // Without calls in the conversation, no tools are as good as none that may be called.
        if never && !request.has_tool_parts() {
            return;
        }
        losses.add_if(never, Loss::ToolChoice);
        losses.add_if(request.parallel == Some(false), Loss::ParallelTools);
        let tools = request.tools_with_stand_ins(losses);
        if tools.is_empty() {
            return;
        }
        m.object("toolConfig", |m| {
            m.array("tools", |items| {
                for tool in &tools {
                    items.object(|m| m.object("toolSpec", |m| write_tool(tool, m)));
                    self.mark(tool.cache, items, losses);
                }
            });
            match &request.choice {
                None | Some(Choice::Never) => {}
                Some(Choice::Auto) => m.object("toolChoice", |m| m.object("auto", |_| {})),
                Some(Choice::Any) => m.object("toolChoice", |m| m.object("any", |_| {})),
                Some(Choice::Tool(name)) => m.object("toolChoice", |m| {
                    m.object("tool", |m| m.text("name", name));
                }),
            }
        });
    }

    fn message(&mut self, message: &Message, items: &mut Items<'_>, losses: &mut Losses) {
        let fits = |p: &&Part| match &p.content {
            Content::Thinking(_, None) => false,
            Content::Thinking(..) | Content::Redacted(_) => {
                self.model && message.role == Role::Assistant
            }
            _ => true,
        };
        let mut parts: Vec<Part> = message.parts.iter().filter(fits).cloned().collect();
        losses.add_if(parts.len() < message.parts.len(), Loss::ThinkingHistory);
        losses.add_if(results_first(message.role, &mut parts), Loss::Order);
        if parts.is_empty() {
            return;
        }
        items.object(|m| {
            let assistant = message.role == Role::Assistant;
            m.text("role", if assistant { "assistant" } else { "user" });
            m.array("content", |items| self.parts(&parts, items, losses));
        });
    }

    fn parts(&mut self, parts: &[Part], items: &mut Items<'_>, losses: &mut Losses) {
        for part in parts {
            items.object(|m| self.block(&part.content, m, losses));
            self.mark(part.cache, items, losses);
        }
    }

    fn block(&mut self, content: &Content, m: &mut Members<'_>, losses: &mut Losses) {
        match content {
            Content::ToolResult(result) => m.object("toolResult", |m| {
                m.text("toolUseId", &result.id);
                m.array("content", |items| {
                    for part in &result.content {
                        losses.add_if(part.cache.is_some(), Loss::CacheMarkPlace);
                        items.object(|m| self.block(&part.content, m, losses));
                    }
                });
                if result.failed {
                    m.text("status", "error");
                }
            }),
            Content::Document(source, name) => {
                self.documents += 1;
                let plain = document_name(name.as_deref(), self.documents);
                losses.add_if(name.as_deref() != Some(&plain), Loss::DocumentName);
                m.object("document", |m| {
                    m.text("name", &plain);
                    write_source(source, "", m);
                });
            }
            other => write_block(other, m, losses),
        }
    }
}

/// Names must be unique in a request and plain: letters, digits, blanks, hyphens and brackets.
fn document_name(name: Option<&str>, number: usize) -> String {
    let name = name.unwrap_or("document");
    let fine = |c: char| c.is_ascii_alphanumeric() || "-()[]".contains(c);
    let plain: String = name
        .chars()
        .map(|c| if fine(c) { c } else { ' ' })
        .collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    let plain: String = words.join(" ").chars().take(150).collect();
    match (number, plain.is_empty()) {
        (1, false) => plain,
        (n, true) => format!("document {n}"),
        (n, false) => format!("{plain} {n}"),
    }
}

fn write_tool(tool: &Tool, m: &mut Members<'_>) {
    m.text("name", &tool.name);
    // The dialect refuses an empty one.
    let description = tool.description.as_deref().filter(|d| !d.is_empty());
    m.maybe_text("description", description);
    m.object("inputSchema", |m| m.raw("json", tool.schema.text()));
    if tool.strict == Some(true) {
        m.flag("strict", true);
    }
}

fn write_source(source: &Source, kind: &str, m: &mut Members<'_>) {
    match source {
        Source::Base64(media, data) => {
            m.text("format", format_of(media, kind).unwrap_or("txt"));
            m.object("source", |m| m.text("bytes", data));
        }
        Source::Text(text) => {
            m.text("format", "txt");
            m.object("source", |m| m.text("text", text));
        }
        Source::Url(url) => m.object("source", |m| m.text("text", url)),
    }
}

/// The members of a block of an answer, or of a request but its results and documents.
pub(super) fn write_block(content: &Content, m: &mut Members<'_>, losses: &mut Losses) {
    match content {
        Content::Text(text) => m.text("text", text),
        Content::Refusal(text) => {
            losses.add(Loss::Refusal);
            m.text("text", text);
        }
        Content::Image(source) => m.object("image", |m| write_source(source, "image/", m)),
        Content::Audio(source) => m.object("audio", |m| write_source(source, "audio/", m)),
        Content::ToolCall(call) => {
            let (input, right) = call.object();
            losses.add_if(!right, Loss::ToolArguments);
            m.object("toolUse", |m| {
                m.text("toolUseId", &call.id);
                m.text("name", &call.name);
                m.raw("input", input.text());
            });
        }
        Content::Thinking(text, signature) => m.object("reasoningContent", |m| {
            m.object("reasoningText", |m| {
                m.text("text", text);
                m.maybe_text("signature", signature.as_deref());
            });
        }),
        Content::Redacted(data) => {
            m.object("reasoningContent", |m| m.text("redactedContent", data));
        }
        Content::ToolResult(_) | Content::Document(..) => {
            losses.add(Loss::kind("document"));
            m.text("text", "[document]");
        }
    }
}

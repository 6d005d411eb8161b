//! Requests of `/v1/responses`.
//!
//! What refers to something that the server keeps (an earlier response, a conversation, a run in the
//! background) is refused: the layer keeps nothing. Signatures of thoughts go in and out as the
//! `encrypted_content` of reasoning items, under a mark of ours, so that an item that another server
//! encrypted is never taken for one.

use super::chat::{read_choice, read_effort, read_format, told};
use super::source;
use crate::json::{self, Fault, Form, Object, fault, form};
use crate::model::{
    Content, Json, Loss, Losses, ModelError, Part, Request, Role, Source, Tool, ToolCall,
    ToolResult,
};

/// Before a signature of thoughts, in `encrypted_content`.
pub(super) const SIGNATURE: &str = "rialto1.signature.";
/// Before thoughts that only the server can read.
pub(super) const REDACTED: &str = "rialto1.redacted.";

/// Reads a request.
///
/// # Errors
/// What is wrong with it, and what needs a server's memory.
pub fn read_request(body: &[u8], losses: &mut Losses) -> Result<Request, ModelError> {
    let mut from = json::document(body)?;
    for kept in ["previous_response_id", "conversation", "prompt"] {
        if from.take(kept).is_some() {
            return Err(ModelError::refused(
                kept,
                &format!(
                    "{kept}: nothing is kept between requests; send the whole conversation in `input`"
                ),
            ));
        }
    }
    if from.flag("background")? == Some(true) {
        return Err(ModelError::refused(
            "background",
            "background: an answer is given at once or streamed; leave `background` out",
        ));
    }
    let mut request = Request {
        model: from.need_text("model")?,
        max_tokens: from.count("max_output_tokens")?,
        temperature: from.number("temperature")?,
        top_p: from.number("top_p")?,
        stream: from.flag("stream")?.unwrap_or(false),
        include_usage: true,
        parallel: from.flag("parallel_tool_calls")?,
        user: from.text("user")?.or(from.text("safety_identifier")?),
        ..Request::default()
    };
    if let Some(text) = from.text("instructions")? {
        request.system.extend(Some(Part::text(text)).filter(told));
    }
    if let Some(mut reasoning) = from.object("reasoning")? {
        let effort = reasoning.text("effort")?;
        request.thinking = effort.and_then(|e| read_effort(&e, losses));
        // The summary is what other servers' thoughts are told as; whichever is asked for.
        reasoning.take("summary");
        losses.fields(reasoning.rest());
    }
    if let Some(mut text) = from.object("text")? {
        if let Some(format) = text.object("format")? {
            request.format = read_format(format, losses)?;
        }
        losses.fields(text.rest());
    }
    for tool in from.objects("tools")? {
        request.tools.extend(read_tool(tool, losses)?);
    }
    request.choice = read_choice(from.take("tool_choice"), losses)?;
    read_input(&mut from, &mut request, losses)?;
    // What is sealed comes with every answer; nothing is stored.
    from.take("include");
    if from.flag("store")? == Some(true) {
        losses.add(Loss::field("store"));
    }
    losses.fields(from.rest());
    Ok(request)
}

fn read_tool(mut from: Object<'_>, losses: &mut Losses) -> Result<Option<Tool>, Fault> {
    let kind = from.need_text("type")?;
    if kind != "function" {
        losses.add(Loss::kind(&kind));
        return Ok(None);
    }
    let tool = Tool {
        name: from.need_text("name")?,
        description: from.text("description")?,
        schema: from
            .take("parameters")
            .map_or_else(Json::any_object, Json::from),
        strict: from.flag("strict")?,
        cache: None,
    };
    losses.fields(from.rest());
    Ok(Some(tool))
}

fn read_input(
    from: &mut Object<'_>,
    request: &mut Request,
    losses: &mut Losses,
) -> Result<(), Fault> {
    let wrong = || fault("input", "a string or an array of items");
    let input = from.take("input").ok_or_else(wrong)?;
    if form(input) == Form::Text {
        let part = Part::text(json::text(input).unwrap_or_default());
        request.say(Role::User, Some(part).into_iter().filter(told).collect());
        return Ok(());
    }
    for item in json::items(input).ok_or_else(wrong)? {
        let item = json::object(item.get()).ok_or_else(wrong)?;
        read_item(item, request, losses)?;
    }
    Ok(())
}

fn read_item(
    mut from: Object<'_>,
    request: &mut Request,
    losses: &mut Losses,
) -> Result<(), Fault> {
    let kind = from.text("type")?.unwrap_or_else(|| "message".into());
    match kind.as_str() {
        "message" => {
            let parts = read_content(&mut from, "content", losses)?;
            match from.need_text("role")?.as_str() {
                "system" | "developer" => {
                    losses.add_if(!request.messages.is_empty(), Loss::SystemPlace);
                    request.system.extend(parts);
                }
                "user" => request.say(Role::User, parts),
                "assistant" => request.say(Role::Assistant, parts),
                _ => return Err(fault("input.role", "system, developer, user or assistant")),
            }
        }
        "function_call" => {
            let call = Content::ToolCall(read_call(&mut from)?);
            request.say(Role::Assistant, vec![call.into()]);
        }
        "function_call_output" => {
            let result = Content::ToolResult(ToolResult {
                id: from.need_text("call_id")?,
                content: read_content(&mut from, "output", losses)?,
                failed: false,
            });
            request.say(Role::User, vec![result.into()]);
        }
        "reasoning" => {
            let thought = read_reasoning(&mut from, losses);
            request.say(
                Role::Assistant,
                thought.map(Part::from).into_iter().collect(),
            );
        }
        other => {
            losses.add(Loss::kind(other));
            return Ok(());
        }
    }
    // Names and states that the server gave its own items.
    for own in ["id", "status", "phase"] {
        from.take(own);
    }
    losses.fields(from.rest());
    Ok(())
}

pub(super) fn read_call(from: &mut Object<'_>) -> Result<ToolCall, Fault> {
    Ok(ToolCall {
        id: from.need_text("call_id")?,
        name: from.need_text("name")?,
        arguments: from.text("arguments")?.unwrap_or_default(),
    })
}

/// Thoughts: the summary as text, and what only the server can read.
pub(super) fn read_reasoning(from: &mut Object<'_>, losses: &mut Losses) -> Option<Content> {
    let mut text = String::new();
    for name in ["summary", "content"] {
        for mut piece in from.maybe_objects(name) {
            text.push_str(&piece.maybe_text("text").unwrap_or_default());
        }
    }
    let sealed = from.maybe_text("encrypted_content").unwrap_or_default();
    if let Some(data) = sealed.strip_prefix(REDACTED) {
        return Some(Content::Redacted(data.to_owned()));
    }
    let signature = sealed.strip_prefix(SIGNATURE).map(str::to_owned);
    losses.add_if(
        signature.is_none() && !sealed.is_empty(),
        Loss::ThinkingSignature,
    );
    let said = signature.is_some() || !text.is_empty();
    said.then_some(Content::Thinking(text, signature))
}

/// A text, or parts.
pub(super) fn read_content(
    from: &mut Object<'_>,
    name: &str,
    losses: &mut Losses,
) -> Result<Vec<Part>, Fault> {
    let wrong = || fault("content", "a string or an array of parts");
    let Some(content) = from.take(name) else {
        return Ok(Vec::new());
    };
    if let Some(text) = json::text(content) {
        return Ok(Some(Part::text(text)).into_iter().filter(told).collect());
    }
    let mut parts = Vec::new();
    for item in json::items(content).ok_or_else(wrong)? {
        let item = json::object(item.get()).ok_or_else(wrong)?;
        parts.extend(read_part(item, losses)?.map(Part::from).filter(told));
    }
    Ok(parts)
}

fn read_part(mut from: Object<'_>, losses: &mut Losses) -> Result<Option<Content>, Fault> {
    let kind = from.need_text("type")?;
    let content = match kind.as_str() {
        "input_text" | "output_text" | "text" => {
            let cited = from.take("annotations").and_then(json::items);
            losses.add_if(cited.is_some_and(|c| !c.is_empty()), Loss::Citations);
            from.take("logprobs");
            Content::Text(from.need_text("text")?)
        }
        "refusal" => Content::Refusal(from.need_text("refusal")?),
        "input_image" => match from.text("image_url")? {
            Some(url) => Content::Image(source(&url)),
            None => {
                losses.add(Loss::Image);
                return Ok(None);
            }
        },
        "input_file" => {
            let name = from.text("filename")?;
            match from.text("file_data")?.or(from.text("file_url")?) {
                Some(data) => Content::Document(source(&data), name),
                None => {
                    losses.add(Loss::Document);
                    return Ok(None);
                }
            }
        }
        "input_audio" => {
            let mut audio = from.object("input_audio")?.unwrap_or_default();
            let media = format!("audio/{}", audio.need_text("format")?);
            Content::Audio(Source::Base64(media, audio.need_text("data")?))
        }
        other => {
            losses.add(Loss::kind(other));
            return Ok(None);
        }
    };
    losses.fields(from.rest());
    Ok(Some(content))
}

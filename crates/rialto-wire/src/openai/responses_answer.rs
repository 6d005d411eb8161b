//! Answers of `/v1/responses`.

use super::responses::{REDACTED, SIGNATURE, read_call, read_content, read_reasoning};
use super::{read_usage, usage_losses, write_usage};
use crate::json::{self, Items, Members, Object};
use crate::model::{Answer, Content, Loss, Losses, ModelError, Part, Stop, Told};

/// Reads an answer.
///
/// # Errors
/// When it is none, or says that it failed.
pub fn read_answer(body: &[u8], losses: &mut Losses) -> Result<Answer, ModelError> {
    let from = json::document(body).map_err(|f| ModelError::malformed(&f.to_string()))?;
    of_object(from, losses)
}

pub(super) fn of_object(mut from: Object<'_>, losses: &mut Losses) -> Result<Answer, ModelError> {
    if let Some(error) = from.maybe_object("error") {
        return Err(super::error::of_object(None, error));
    }
    let wrong = |f: json::Fault| ModelError::malformed(&f.to_string());
    let Some(items) = from.take("output").and_then(json::items) else {
        return Err(ModelError::malformed("it holds no output"));
    };
    let mut parts: Vec<Part> = Vec::new();
    for mut item in items.into_iter().filter_map(|i| json::object(i.get())) {
        match item.maybe_text("type").unwrap_or_default().as_str() {
            "message" => parts.extend(read_content(&mut item, "content", losses).map_err(wrong)?),
            "function_call" => {
                let call = read_call(&mut item).map_err(wrong)?;
                parts.push(Content::ToolCall(call).into());
            }
            "reasoning" => parts.extend(read_reasoning(&mut item, losses).map(Part::from)),
            other => losses.add(Loss::kind(other)),
        }
    }
    let mut answer = Answer {
        id: from.maybe_text("id").unwrap_or_default(),
        model: from.maybe_text("model").unwrap_or_default(),
        parts,
        stop: read_stop(&mut from),
        usage: from
            .maybe_object("usage")
            .map(read_usage)
            .unwrap_or_default(),
    };
    answer.settle_stop();
    Ok(answer)
}

pub(super) fn read_stop(from: &mut Object<'_>) -> Stop {
    let status = from.maybe_text("status").unwrap_or_default();
    let mut details = from.maybe_object("incomplete_details").unwrap_or_default();
    match (status.as_str(), details.maybe_text("reason").as_deref()) {
        (_, Some("max_output_tokens")) => Stop::MaxTokens,
        (_, Some("content_filter")) => Stop::Filtered,
        ("incomplete", other) => Stop::Other(other.unwrap_or("incomplete").to_owned()),
        _ => Stop::End,
    }
}

/// Status, and why it is incomplete.
fn status(stop: &Stop, losses: &mut Losses) -> (&'static str, Option<&'static str>) {
    match stop {
        Stop::End | Stop::ToolUse => ("completed", None),
        Stop::Sequence(_) => {
            losses.add(Loss::StopSequence);
            ("completed", None)
        }
        Stop::MaxTokens => ("incomplete", Some("max_output_tokens")),
        Stop::ContextFull => {
            losses.add(Loss::StopReason);
            ("incomplete", Some("max_output_tokens"))
        }
        Stop::Filtered => ("incomplete", Some("content_filter")),
        Stop::Refusal => {
            losses.add(Loss::StopReason);
            ("incomplete", Some("content_filter"))
        }
        Stop::Pause | Stop::Other(_) => {
            losses.add(Loss::StopReason);
            ("completed", None)
        }
    }
}

/// Writes an answer.
#[must_use]
pub fn write_answer(answer: &Answer, told: &Told, losses: &mut Losses) -> Vec<u8> {
    json::write(|m| write_whole(answer, told, losses, m))
}

pub(super) fn write_whole(answer: &Answer, told: &Told, losses: &mut Losses, m: &mut Members<'_>) {
    usage_losses(&answer.usage, losses);
    let (status, why) = status(&answer.stop, losses);
    let id = told.id(&answer.id);
    write_head(id, told.model(&answer.model), told.created, status, m);
    m.raw("error", "null");
    match why {
        None => m.raw("incomplete_details", "null"),
        Some(why) => m.object("incomplete_details", |m| m.text("reason", why)),
    }
    m.array("output", |items| {
        for (number, part) in answer.parts.iter().enumerate() {
            write_item(part, id, number as u64, "completed", items, losses);
        }
    });
    m.object("usage", |m| {
        write_usage(m, &answer.usage, ["input", "output"]);
    });
}

/// The members of a response that stand before its content is known.
pub(super) fn write_head(id: &str, model: &str, created: u64, status: &str, m: &mut Members<'_>) {
    m.text("id", id);
    m.text("object", "response");
    m.count("created_at", created);
    m.text("status", status);
    m.text("model", model);
    m.raw("instructions", "null");
    m.object("metadata", |_| {});
    m.flag("parallel_tool_calls", true);
    m.raw("temperature", "null");
    m.raw("top_p", "null");
    m.text("tool_choice", "auto");
    m.array("tools", |_| {});
}

pub(super) fn write_item(
    part: &Part,
    id: &str,
    number: u64,
    status: &str,
    items: &mut Items<'_>,
    losses: &mut Losses,
) {
    match &part.content {
        Content::ToolResult(_) | Content::Document(..) => losses.add(Loss::kind("document")),
        Content::Image(_) => losses.add(Loss::Image),
        Content::Audio(_) => losses.add(Loss::Audio),
        content => items.object(|m| write_item_members(content, id, number, status, m)),
    }
}

pub(super) fn item_id(content: &Content, id: &str, number: u64) -> String {
    let kind = match content {
        Content::ToolCall(_) => "fc",
        Content::Thinking(..) | Content::Redacted(_) => "rs",
        _ => "msg",
    };
    format!("{kind}_{id}_{number}")
}

pub(super) fn write_item_members(
    content: &Content,
    id: &str,
    number: u64,
    status: &str,
    m: &mut Members<'_>,
) {
    m.text("id", &item_id(content, id, number));
    match content {
        Content::ToolCall(call) => {
            m.text("type", "function_call");
            m.text("status", status);
            m.text("call_id", &call.id);
            m.text("name", &call.name);
            m.text("arguments", &call.arguments);
        }
        Content::Thinking(text, signature) => {
            m.text("type", "reasoning");
            m.array("summary", |items| {
                if !text.is_empty() {
                    items.object(|m| write_summary(text, m));
                }
            });
            let sealed = signature.as_ref().map(|s| format!("{SIGNATURE}{s}"));
            m.maybe_text("encrypted_content", sealed.as_deref());
        }
        Content::Redacted(data) => {
            m.text("type", "reasoning");
            m.array("summary", |_| {});
            m.text("encrypted_content", &format!("{REDACTED}{data}"));
        }
        other => {
            m.text("type", "message");
            m.text("status", status);
            m.text("role", "assistant");
            m.array("content", |items| {
                if status == "completed" {
                    items.object(|m| write_part(other, m));
                }
            });
        }
    }
}

pub(super) fn write_summary(text: &str, m: &mut Members<'_>) {
    m.text("type", "summary_text");
    m.text("text", text);
}

pub(super) fn write_part(content: &Content, m: &mut Members<'_>) {
    match content {
        Content::Refusal(text) => {
            m.text("type", "refusal");
            m.text("refusal", text);
        }
        Content::Text(text) => {
            m.text("type", "output_text");
            m.text("text", text);
            m.array("annotations", |_| {});
        }
        _ => {}
    }
}

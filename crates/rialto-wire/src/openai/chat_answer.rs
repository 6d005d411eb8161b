//! Answers of `/v1/chat/completions`.

use super::chat::{read_assistant, texts, write_calls};
use super::{read_usage, usage_losses, write_usage};
use crate::json::{self, Members};
use crate::model::{Answer, Content, Loss, Losses, ModelError, Part, Stop, Told, ToolCall};

pub(crate) fn read_stop(reason: &str) -> Stop {
    match reason {
        "stop" => Stop::End,
        "length" => Stop::MaxTokens,
        "tool_calls" | "function_call" => Stop::ToolUse,
        "content_filter" => Stop::Filtered,
        other => Stop::Other(other.to_owned()),
    }
}

pub(crate) fn stop_name(stop: &Stop, losses: &mut Losses) -> &'static str {
    match stop {
        Stop::End => "stop",
        Stop::Sequence(_) => {
            losses.add(Loss::StopSequence);
            "stop"
        }
        Stop::MaxTokens => "length",
        Stop::ContextFull => {
            losses.add(Loss::StopReason);
            "length"
        }
        Stop::ToolUse => "tool_calls",
        Stop::Filtered => "content_filter",
        Stop::Refusal => {
            losses.add(Loss::StopReason);
            "content_filter"
        }
        Stop::Pause | Stop::Other(_) => {
            losses.add(Loss::StopReason);
            "stop"
        }
    }
}

/// Reads an answer.
///
/// # Errors
/// When it is none.
pub fn read_answer(body: &[u8], losses: &mut Losses) -> Result<Answer, ModelError> {
    let mut from = json::document(body).map_err(|f| ModelError::malformed(&f.to_string()))?;
    let mut choices = from.maybe_objects("choices").into_iter();
    let Some(mut choice) = choices.next() else {
        return Err(ModelError::malformed("it holds no choices"));
    };
    losses.add_if(choices.next().is_some(), Loss::Choices);
    let Some(mut message) = choice.maybe_object("message") else {
        return Err(ModelError::malformed("its choice holds no message"));
    };
    let parts = read_assistant(&mut message, losses);
    let parts = parts.map_err(|f| ModelError::malformed(&f.to_string()))?;
    let cited = message.take("annotations").and_then(json::items);
    losses.add_if(cited.is_some_and(|all| !all.is_empty()), Loss::Citations);
    losses.add_if(message.take("audio").is_some(), Loss::Audio);
    let reason = choice.maybe_text("finish_reason");
    let mut answer = Answer {
        id: from.maybe_text("id").unwrap_or_default(),
        model: from.maybe_text("model").unwrap_or_default(),
        parts,
        stop: reason.map_or(Stop::End, |r| read_stop(&r)),
        usage: from
            .maybe_object("usage")
            .map(read_usage)
            .unwrap_or_default(),
    };
    answer.settle_stop();
    Ok(answer)
}

/// Writes an answer.
#[must_use]
pub fn write_answer(answer: &Answer, told: &Told, losses: &mut Losses) -> Vec<u8> {
    usage_losses(&answer.usage, losses);
    json::write(|m| {
        m.text("id", told.id(&answer.id));
        m.text("object", "chat.completion");
        m.count("created", told.created);
        m.text("model", told.model(&answer.model));
        m.array("choices", |items| {
            items.object(|m| {
                m.count("index", 0);
                m.object("message", |m| write_message(&answer.parts, m, losses));
                m.raw("logprobs", "null");
                m.text("finish_reason", stop_name(&answer.stop, losses));
            });
        });
        m.object("usage", |m| {
            write_usage(m, &answer.usage, ["prompt", "completion"]);
        });
    })
}

fn write_message(parts: &[Part], m: &mut Members<'_>, losses: &mut Losses) {
    let text: Vec<&str> = texts(parts).collect();
    let (mut calls, mut thought, mut refusal): (Vec<&ToolCall>, _, _) =
        (Vec::new(), String::new(), String::new());
    for part in parts {
        match &part.content {
            Content::Text(_) => losses.add_if(!calls.is_empty(), Loss::Order),
            Content::ToolCall(call) => calls.push(call),
            Content::Refusal(text) => refusal.push_str(text),
            Content::Thinking(text, signature) => {
                thought.push_str(text);
                losses.add_if(signature.is_some(), Loss::ThinkingSignature);
            }
            Content::Redacted(_) => losses.add(Loss::ThinkingSignature),
            Content::Image(_) => losses.add(Loss::Image),
            Content::Document(..) => losses.add(Loss::Document),
            Content::Audio(_) => losses.add(Loss::Audio),
            Content::ToolResult(_) => losses.add(Loss::kind("tool_result")),
        }
    }
    m.text("role", "assistant");
    match text.as_slice() {
        [] => m.raw("content", "null"),
        texts => m.text("content", &texts.concat()),
    }
    if !thought.is_empty() {
        m.text("reasoning_content", &thought);
    }
    m.text_or_null("refusal", Some(refusal.as_str()).filter(|t| !t.is_empty()));
    write_calls(&calls, m);
}

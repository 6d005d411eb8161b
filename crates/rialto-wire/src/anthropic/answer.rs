//! Answers of the Messages API.

use super::request::{read_block, write_block};
use super::{read_usage, write_usage};
use crate::json;
use crate::model::{Answer, Content, Loss, Losses, ModelError, Stop, Told};

pub(super) fn read_stop(reason: &str, sequence: Option<String>) -> Stop {
    match reason {
        "end_turn" => Stop::End,
        "max_tokens" => Stop::MaxTokens,
        "stop_sequence" => Stop::Sequence(sequence),
        "tool_use" => Stop::ToolUse,
        "refusal" => Stop::Refusal,
        "model_context_window_exceeded" => Stop::ContextFull,
        "pause_turn" => Stop::Pause,
        other => Stop::Other(other.to_owned()),
    }
}

pub(super) fn stop_name<'a>(
    stop: &'a Stop,
    losses: &mut Losses,
) -> (&'static str, Option<&'a str>) {
    let name = match stop {
        Stop::End => "end_turn",
        Stop::MaxTokens => "max_tokens",
        Stop::Sequence(which) => return ("stop_sequence", which.as_deref()),
        Stop::ToolUse => "tool_use",
        Stop::Refusal => "refusal",
        Stop::Filtered => {
            losses.add(Loss::StopReason);
            "refusal"
        }
        Stop::ContextFull => "model_context_window_exceeded",
        Stop::Pause => "pause_turn",
        Stop::Other(_) => {
            losses.add(Loss::StopReason);
            "end_turn"
        }
    };
    (name, None)
}

/// Reads an answer.
///
/// # Errors
/// When it is none.
pub fn read_answer(body: &[u8], losses: &mut Losses) -> Result<Answer, ModelError> {
    let wrong = |f: json::Fault| ModelError::malformed(&f.to_string());
    let mut from = json::document(body).map_err(wrong)?;
    let Some(blocks) = from.take("content").and_then(json::items) else {
        return Err(ModelError::malformed("it holds no content"));
    };
    let mut parts = Vec::new();
    for block in blocks.into_iter().filter_map(|b| json::object(b.get())) {
        parts.extend(read_block(block, losses).map_err(wrong)?);
    }
    let sequence = from.maybe_text("stop_sequence");
    let reason = from.maybe_text("stop_reason");
    let usage = from
        .maybe_object("usage")
        .map(read_usage)
        .unwrap_or_default();
    let mut answer = Answer {
        id: from.maybe_text("id").unwrap_or_default(),
        model: from.maybe_text("model").unwrap_or_default(),
        parts,
        stop: reason.map_or(Stop::End, |r| read_stop(&r, sequence)),
        usage: usage.with_cached(),
    };
    answer.settle_stop();
    Ok(answer)
}

/// Writes an answer.
#[must_use]
pub fn write_answer(answer: &Answer, told: &Told, losses: &mut Losses) -> Vec<u8> {
    json::write(|m| {
        m.text("id", told.id(&answer.id));
        m.text("type", "message");
        m.text("role", "assistant");
        m.text("model", told.model(&answer.model));
        m.array("content", |items| {
            for part in &answer.parts {
                if matches!(part.content, Content::ToolResult(_)) {
                    losses.add(Loss::kind("tool_result"));
                    continue;
                }
                items.object(|m| write_block(&part.content, m, losses));
            }
        });
        let (reason, sequence) = stop_name(&answer.stop, losses);
        m.text("stop_reason", reason);
        m.text_or_null("stop_sequence", sequence);
        m.object("usage", |m| write_usage(m, &answer.usage));
    })
}

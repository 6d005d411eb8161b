//! Answers of the Converse API.

use super::request::{read_blocks, write_block};
use super::{read_usage, write_usage};
use crate::json;
use crate::model::{Answer, Loss, Losses, ModelError, Stop, Told};

pub(super) fn read_stop(reason: &str) -> Stop {
    match reason {
        "end_turn" => Stop::End,
        "tool_use" => Stop::ToolUse,
        "max_tokens" => Stop::MaxTokens,
        "stop_sequence" => Stop::Sequence(None),
        "guardrail_intervened" | "content_filtered" => Stop::Filtered,
        "model_context_window_exceeded" => Stop::ContextFull,
        other => Stop::Other(other.to_owned()),
    }
}

pub(super) fn stop_name(stop: &Stop, losses: &mut Losses) -> &'static str {
    match stop {
        Stop::End => "end_turn",
        Stop::ToolUse => "tool_use",
        Stop::MaxTokens => "max_tokens",
        Stop::Sequence(which) => {
            losses.add_if(which.is_some(), Loss::StopSequence);
            "stop_sequence"
        }
        Stop::Filtered => "content_filtered",
        Stop::Refusal => {
            losses.add(Loss::StopReason);
            "content_filtered"
        }
        Stop::ContextFull => "model_context_window_exceeded",
        Stop::Pause | Stop::Other(_) => {
            losses.add(Loss::StopReason);
            "end_turn"
        }
    }
}

/// Reads an answer.
///
/// # Errors
/// When it is none.
pub fn read_answer(body: &[u8], losses: &mut Losses) -> Result<Answer, ModelError> {
    let wrong = |f: json::Fault| ModelError::malformed(&f.to_string());
    let mut from = json::document(body).map_err(wrong)?;
    let mut output = from.maybe_object("output").unwrap_or_default();
    let Some(mut message) = output.maybe_object("message") else {
        return Err(ModelError::malformed("it holds no message"));
    };
    let blocks = message.maybe_objects("content");
    let reason = from.maybe_text("stopReason");
    let mut answer = Answer {
        parts: read_blocks(blocks, losses).map_err(wrong)?,
        stop: reason.map_or(Stop::End, |r| read_stop(&r)),
        usage: from
            .maybe_object("usage")
            .map(read_usage)
            .unwrap_or_default(),
        ..Answer::default()
    };
    answer.settle_stop();
    Ok(answer)
}

/// Writes an answer.
#[must_use]
pub fn write_answer(answer: &Answer, told: &Told, losses: &mut Losses) -> Vec<u8> {
    json::write(|m| {
        m.object("output", |m| {
            m.object("message", |m| {
                m.text("role", "assistant");
                m.array("content", |items| {
                    for part in &answer.parts {
                        items.object(|m| write_block(&part.content, m, losses));
                    }
                });
            });
        });
        m.text("stopReason", stop_name(&answer.stop, losses));
        m.object("usage", |m| write_usage(m, &answer.usage, losses));
        m.object("metrics", |m| m.count("latencyMs", told.latency_ms));
    })
}

//! Streams of the Messages API.
//!
//! Usage comes in `message_start` and again in `message_delta`, as totals: numbers are merged before
//! they are summed up. The writer holds the last `message_delta` until the answer is whole, since
//! some servers tell the usage after the reason to stop.

use super::answer::{read_stop, stop_name};
use super::error::{of_object, write_event};
use super::{read_usage, write_usage};
use crate::json::{self, Members, Object};
use crate::model::{Delta, Loss, Losses, ModelError, Stop, Told, Usage};
use crate::sse::{self, Event};

/// Reads events of a stream.
#[derive(Debug, Default)]
pub struct Reader {
    /// As the dialect counts, cached tokens beside the input.
    usage: Usage,
    /// The open block's number, and whether anything is made of it.
    open: Option<(u64, bool)>,
    /// Arguments that came with a call's beginning; they count if no pieces follow.
    input: Option<String>,
    stopped: bool,
    ended: bool,
}

impl Reader {
    /// Takes one event.
    pub fn event(&mut self, event: &Event, out: &mut Vec<Delta>) {
        if self.ended || event.data.is_empty() {
            return;
        }
        let Ok(mut from) = json::document(event.data.as_bytes()) else {
            out.push(Delta::Lost(Loss::Event));
            return;
        };
        let kind = from
            .maybe_text("type")
            .unwrap_or_else(|| event.name.clone());
        match kind.as_str() {
            "message_start" => self.start(from, out),
            "content_block_start" => self.block(from, out),
            "content_block_delta" => self.delta(from, out),
            "content_block_stop" => self.close(out),
            "message_delta" => self.message_delta(from, out),
            "message_stop" => self.finish(out),
            "error" => {
                self.ended = true;
                let error = from.maybe_object("error").unwrap_or(from);
                out.push(Delta::Error(of_object(None, error)));
            }
            "ping" => {}
            _ if from.look("error").is_some() => {
                self.ended = true;
                let error = from.maybe_object("error").unwrap_or_default();
                out.push(Delta::Error(of_object(None, error)));
            }
            other => out.push(Delta::Lost(Loss::kind(other))),
        }
    }

    fn start(&mut self, mut from: Object<'_>, out: &mut Vec<Delta>) {
        let mut message = from.maybe_object("message").unwrap_or_default();
        out.push(Delta::Start {
            id: message.maybe_text("id").unwrap_or_default(),
            model: message.maybe_text("model").unwrap_or_default(),
        });
        self.count(message.maybe_object("usage"), out);
    }

    fn count(&mut self, usage: Option<Object<'_>>, out: &mut Vec<Delta>) {
        if let Some(usage) = usage {
            self.usage.merge(&read_usage(usage));
            out.push(Delta::Usage(self.usage.with_cached()));
        }
    }

    fn block(&mut self, mut from: Object<'_>, out: &mut Vec<Delta>) {
        self.close(out);
        let mut block = from.maybe_object("content_block").unwrap_or_default();
        let kind = block.maybe_text("type").unwrap_or_default();
        let mut known = true;
        match kind.as_str() {
            "text" => piece(Delta::Text, block.maybe_text("text"), out),
            "thinking" => {
                piece(Delta::Thinking, block.maybe_text("thinking"), out);
                piece(Delta::Signature, block.maybe_text("signature"), out);
            }
            "redacted_thinking" => piece(Delta::Redacted, block.maybe_text("data"), out),
            "tool_use" => {
                out.push(Delta::ToolStart {
                    id: block.maybe_text("id").unwrap_or_default(),
                    name: block.maybe_text("name").unwrap_or_default(),
                });
                let input = block.take("input").map(|i| i.get().to_owned());
                self.input = input.filter(|i| json::object(i).is_some_and(|o| !o.is_empty()));
            }
            other => {
                known = false;
                out.push(Delta::Lost(Loss::kind(other)));
            }
        }
        self.open = Some((from.maybe_count("index").unwrap_or(0), known));
    }

    fn delta(&mut self, mut from: Object<'_>, out: &mut Vec<Delta>) {
        let index = from.maybe_count("index");
        let mut delta = from.maybe_object("delta").unwrap_or_default();
        match self.open {
            Some((_, false)) => return,
            Some((open, _)) if index.is_some_and(|i| i != open) => {
                out.push(Delta::Lost(Loss::Event));
                return;
            }
            _ => {}
        }
        let kind = delta.maybe_text("type").unwrap_or_default();
        match kind.as_str() {
            "text_delta" => piece(Delta::Text, delta.maybe_text("text"), out),
            "thinking_delta" => piece(Delta::Thinking, delta.maybe_text("thinking"), out),
            "signature_delta" => piece(Delta::Signature, delta.maybe_text("signature"), out),
            "input_json_delta" => {
                self.input = None;
                piece(Delta::ToolArguments, delta.maybe_text("partial_json"), out);
            }
            "citations_delta" => out.push(Delta::Lost(Loss::Citations)),
            other => out.push(Delta::Lost(Loss::kind(other))),
        }
    }

    fn close(&mut self, out: &mut Vec<Delta>) {
        if let Some(input) = self.input.take() {
            out.push(Delta::ToolArguments(input));
        }
        if self.open.take().is_some_and(|(_, known)| known) {
            out.push(Delta::Break);
        }
    }

    fn message_delta(&mut self, mut from: Object<'_>, out: &mut Vec<Delta>) {
        self.close(out);
        self.count(from.maybe_object("usage"), out);
        let mut delta = from.maybe_object("delta").unwrap_or_default();
        let sequence = delta.maybe_text("stop_sequence");
        if let Some(reason) = delta.maybe_text("stop_reason") {
            self.stopped = true;
            out.push(Delta::Stop(read_stop(&reason, sequence)));
        }
    }

    /// The stream is over.
    pub fn finish(&mut self, out: &mut Vec<Delta>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        self.close(out);
        out.push(match self.stopped {
            true => Delta::End,
            false => Delta::Error(ModelError::interrupted()),
        });
    }
}

fn piece(make: fn(String) -> Delta, text: Option<String>, out: &mut Vec<Delta>) {
    out.extend(text.filter(|t| !t.is_empty()).map(make));
}

/// What kind of block is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    Text,
    Thinking,
    Tool,
}

/// Writes a stream.
#[derive(Debug)]
pub struct Writer {
    told: Told,
    begun: bool,
    /// How many blocks were begun.
    blocks: u64,
    open: Option<Block>,
    called: bool,
    usage: Usage,
    stop: Stop,
    ended: bool,
}

impl Writer {
    /// A writer; what it is told holds for the whole stream.
    #[must_use]
    pub fn new(told: Told) -> Self {
        Self {
            told,
            begun: false,
            blocks: 0,
            open: None,
            called: false,
            usage: Usage::default(),
            stop: Stop::End,
            ended: false,
        }
    }

    /// Writes what a piece of the answer is in this dialect.
    pub fn write(&mut self, delta: &Delta, losses: &mut Losses, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        match delta {
            Delta::Start { id, model } => self.begin(id, model, out),
            Delta::Text(text) => {
                self.open(Block::Text, out);
                self.delta(out, "text_delta", "text", text);
            }
            Delta::Refusal(text) => {
                losses.add(Loss::Refusal);
                self.open(Block::Text, out);
                self.delta(out, "text_delta", "text", text);
            }
            Delta::Thinking(text) => {
                self.open(Block::Thinking, out);
                self.delta(out, "thinking_delta", "thinking", text);
            }
            Delta::Signature(text) => {
                self.open(Block::Thinking, out);
                self.delta(out, "signature_delta", "signature", text);
            }
            Delta::Redacted(data) => {
                self.close(out);
                self.begin_block(out, |m| {
                    m.text("type", "redacted_thinking");
                    m.text("data", data);
                });
                // Whole from the start: what follows begins another block.
                self.stop_block(out);
            }
            Delta::ToolStart { id, name } => {
                self.close(out);
                self.called = true;
                self.begin_block(out, |m| {
                    m.text("type", "tool_use");
                    m.text("id", id);
                    m.text("name", name);
                    m.object("input", |_| {});
                });
                self.open = Some(Block::Tool);
            }
            Delta::ToolArguments(more) if self.open == Some(Block::Tool) => {
                self.delta(out, "input_json_delta", "partial_json", more);
            }
            Delta::ToolArguments(_) => losses.add(Loss::Event),
            Delta::Break => self.close(out),
            Delta::Usage(usage) => self.usage.merge(usage),
            Delta::Lost(loss) => losses.add(loss.clone()),
            Delta::Stop(stop) => self.stop = stop.clone(),
            Delta::Error(error) => {
                self.ended = true;
                write_event(error, out);
            }
            Delta::End => self.end(losses, out),
        }
    }

    fn begin(&mut self, id: &str, model: &str, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let estimate = Usage {
            input: self.usage.input.or(Some(self.told.input_estimate)),
            ..self.usage
        };
        event(out, "message_start", |m| {
            m.object("message", |m| {
                m.text("id", self.told.id(id));
                m.text("type", "message");
                m.text("role", "assistant");
                m.text("model", self.told.model(model));
                m.array("content", |_| {});
                m.raw("stop_reason", "null");
                m.raw("stop_sequence", "null");
                m.object("usage", |m| write_usage(m, &estimate));
            });
        });
    }

    fn open(&mut self, block: Block, out: &mut Vec<u8>) {
        if self.open == Some(block) {
            return;
        }
        self.close(out);
        self.begin_block(out, |m| match block {
            Block::Thinking => {
                m.text("type", "thinking");
                m.text("thinking", "");
                m.text("signature", "");
            }
            Block::Text | Block::Tool => {
                m.text("type", "text");
                m.text("text", "");
            }
        });
        self.open = Some(block);
    }

    fn begin_block(&mut self, out: &mut Vec<u8>, block: impl FnOnce(&mut Members<'_>)) {
        self.begin("", "", out);
        event(out, "content_block_start", |m| {
            m.count("index", self.blocks);
            m.object("content_block", block);
        });
        self.blocks += 1;
    }

    fn delta(&mut self, out: &mut Vec<u8>, kind: &str, name: &str, text: &str) {
        event(out, "content_block_delta", |m| {
            m.count("index", self.blocks.saturating_sub(1));
            m.object("delta", |m| {
                m.text("type", kind);
                m.text(name, text);
            });
        });
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if self.open.take().is_some() {
            self.stop_block(out);
        }
    }

    fn stop_block(&mut self, out: &mut Vec<u8>) {
        event(out, "content_block_stop", |m| {
            m.count("index", self.blocks.saturating_sub(1));
        });
    }

    fn end(&mut self, losses: &mut Losses, out: &mut Vec<u8>) {
        self.begin("", "", out);
        self.close(out);
        self.ended = true;
        if self.called && self.stop == Stop::End {
            self.stop = Stop::ToolUse;
        }
        let (reason, sequence) = stop_name(&self.stop, losses);
        event(out, "message_delta", |m| {
            m.object("delta", |m| {
                m.text("stop_reason", reason);
                m.text_or_null("stop_sequence", sequence);
            });
            m.object("usage", |m| write_usage(m, &self.usage));
        });
        event(out, "message_stop", |_| {});
    }
}

fn event(out: &mut Vec<u8>, name: &str, members: impl FnOnce(&mut Members<'_>)) {
    let data = json::write(|m| {
        m.text("type", name);
        members(m);
    });
    sse::write(out, name, &data);
}

//! Streams of the Converse API.
//!
//! The usage comes in `metadata`, after `messageStop`. Text and thoughts have no beginning of their
//! own, only calls of tools do. An error is an exception in a frame of its own.

use super::answer::{read_stop, stop_name};
use super::error::{of_frame, write_event};
use super::event_stream::{self, Frame};
use super::{read_usage, write_usage};
use crate::json::{self, Members, Object};
use crate::model::{Delta, Loss, Losses, ModelError, Stop, Told, Usage};

/// Reads frames of a stream.
#[derive(Debug, Default)]
pub struct Reader {
    begun: bool,
    open: Option<u64>,
    stopped: bool,
    ended: bool,
}

impl Reader {
    /// Takes one frame.
    pub fn frame(&mut self, frame: &Frame, out: &mut Vec<Delta>) {
        if self.ended {
            return;
        }
        let kind = frame.header(":message-type").unwrap_or("event");
        if kind != "event" {
            self.ended = true;
            out.push(Delta::Error(of_frame(frame)));
            return;
        }
        let Ok(from) = json::document(&frame.payload) else {
            out.push(Delta::Lost(Loss::Event));
            return;
        };
        self.event(frame.header(":event-type").unwrap_or_default(), from, out);
    }

    fn event(&mut self, kind: &str, mut from: Object<'_>, out: &mut Vec<Delta>) {
        if !std::mem::replace(&mut self.begun, true) {
            out.push(Delta::Start {
                id: String::new(),
                model: String::new(),
            });
        }
        match kind {
            "messageStart" => {}
            "contentBlockStart" => {
                self.turn(&mut from, out);
                let mut start = from.maybe_object("start").unwrap_or_default();
                match start.maybe_object("toolUse") {
                    Some(mut call) => out.push(Delta::ToolStart {
                        id: call.maybe_text("toolUseId").unwrap_or_default(),
                        name: call.maybe_text("name").unwrap_or_default(),
                    }),
                    None => out.extend(start.pop().map(|(k, _)| Delta::Lost(Loss::kind(&k)))),
                }
            }
            "contentBlockDelta" => {
                self.turn(&mut from, out);
                delta(from.maybe_object("delta").unwrap_or_default(), out);
            }
            "contentBlockStop" => self.close(out),
            "messageStop" => {
                self.close(out);
                if let Some(reason) = from.maybe_text("stopReason") {
                    self.stopped = true;
                    out.push(Delta::Stop(read_stop(&reason)));
                }
            }
            "metadata" => {
                let usage = from.maybe_object("usage").map(read_usage);
                out.extend(usage.map(Delta::Usage));
                if self.stopped {
                    self.finish(true, out);
                }
            }
            other => out.push(Delta::Lost(Loss::kind(other))),
        }
    }

    /// A block without a beginning begins with its first piece.
    fn turn(&mut self, from: &mut Object<'_>, out: &mut Vec<Delta>) {
        let index = from
            .maybe_count("contentBlockIndex")
            .or(self.open)
            .unwrap_or(0);
        if self.open.is_some_and(|open| open != index) {
            self.close(out);
        }
        self.open = Some(index);
    }

    fn close(&mut self, out: &mut Vec<Delta>) {
        if self.open.take().is_some() {
            out.push(Delta::Break);
        }
    }

    /// The stream is over; whether it ended between two frames.
    pub fn finish(&mut self, whole: bool, out: &mut Vec<Delta>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        self.close(out);
        out.push(match self.stopped && whole {
            true => Delta::End,
            false => Delta::Error(ModelError::interrupted()),
        });
    }

    /// The bytes are no frames.
    pub fn broken(&mut self, out: &mut Vec<Delta>) {
        if !std::mem::replace(&mut self.ended, true) {
            let error = ModelError::malformed("a frame of its stream is damaged");
            out.push(Delta::Error(error));
        }
    }
}

fn delta(mut from: Object<'_>, out: &mut Vec<Delta>) {
    if let Some(text) = from.maybe_text("text") {
        out.extend(Some(text).filter(|t| !t.is_empty()).map(Delta::Text));
    } else if let Some(mut call) = from.maybe_object("toolUse") {
        let input = call.maybe_text("input").filter(|t| !t.is_empty());
        out.extend(input.map(Delta::ToolArguments));
    } else if let Some(mut thought) = from.maybe_object("reasoningContent") {
        let pieces = [
            thought.maybe_text("text").map(Delta::Thinking),
            thought.maybe_text("signature").map(Delta::Signature),
            thought.maybe_text("redactedContent").map(Delta::Redacted),
        ];
        out.extend(pieces.into_iter().flatten());
    } else if from.take("citation").is_some() {
        out.push(Delta::Lost(Loss::Citations));
    } else if let Some((kind, _)) = from.pop() {
        out.push(Delta::Lost(Loss::kind(&kind)));
    }
}

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
            Delta::Start { .. } => self.begin(out),
            Delta::Text(text) => self.piece(Block::Text, out, |m| m.text("text", text)),
            Delta::Refusal(text) => {
                losses.add(Loss::Refusal);
                self.piece(Block::Text, out, |m| m.text("text", text));
            }
            Delta::Thinking(text) => self.thought(out, "text", text),
            Delta::Signature(text) => self.thought(out, "signature", text),
            Delta::Redacted(data) => {
                self.close(out);
                self.thought(out, "redactedContent", data);
                self.close(out);
            }
            Delta::ToolStart { id, name } => {
                self.close(out);
                self.called = true;
                self.begin(out);
                event(out, "contentBlockStart", |m| {
                    m.count("contentBlockIndex", self.blocks);
                    m.object("start", |m| {
                        m.object("toolUse", |m| {
                            m.text("toolUseId", id);
                            m.text("name", name);
                        });
                    });
                });
                self.blocks += 1;
                self.open = Some(Block::Tool);
            }
            Delta::ToolArguments(more) if self.open == Some(Block::Tool) => {
                self.piece(Block::Tool, out, |m| {
                    m.object("toolUse", |m| m.text("input", more));
                });
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

    fn begin(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.begun, true) {
            event(out, "messageStart", |m| m.text("role", "assistant"));
        }
    }

    fn thought(&mut self, out: &mut Vec<u8>, name: &str, text: &str) {
        self.piece(Block::Thinking, out, |m| {
            m.object("reasoningContent", |m| m.text(name, text));
        });
    }

    fn piece(&mut self, block: Block, out: &mut Vec<u8>, delta: impl FnOnce(&mut Members<'_>)) {
        self.begin(out);
        if self.open != Some(block) {
            self.close(out);
            self.blocks += 1;
            self.open = Some(block);
        }
        event(out, "contentBlockDelta", |m| {
            m.count("contentBlockIndex", self.blocks.saturating_sub(1));
            m.object("delta", delta);
        });
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if self.open.take().is_some() {
            event(out, "contentBlockStop", |m| {
                m.count("contentBlockIndex", self.blocks.saturating_sub(1));
            });
        }
    }

    fn end(&mut self, losses: &mut Losses, out: &mut Vec<u8>) {
        self.begin(out);
        self.close(out);
        self.ended = true;
        if self.called && self.stop == Stop::End {
            self.stop = Stop::ToolUse;
        }
        let reason = stop_name(&self.stop, losses);
        event(out, "messageStop", |m| m.text("stopReason", reason));
        event(out, "metadata", |m| {
            m.object("usage", |m| write_usage(m, &self.usage, losses));
            m.object("metrics", |m| m.count("latencyMs", self.told.latency_ms));
        });
    }
}

fn event(out: &mut Vec<u8>, name: &str, members: impl FnOnce(&mut Members<'_>)) {
    let headers = [
        (":event-type", name),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ];
    event_stream::write(out, &headers, &json::write(members));
}

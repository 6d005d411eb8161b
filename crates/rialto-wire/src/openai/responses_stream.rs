//! Streams of `/v1/responses`.
//!
//! The reader needs neither `content_index` nor `output_index`, which some servers leave out: items
//! come one after another. The writer tells every item's beginning, pieces and end, and the whole
//! response at the end, as the clients of OpenAI expect it.

use super::responses_answer::{
    item_id, read_stop, write_head, write_item_members, write_part, write_summary, write_whole,
};
use super::{error, read_usage};
use crate::json::{self, Members, Object};
use crate::model::{Assembly, Content, Delta, Loss, Losses, ModelError, Part, Stop, Told};
use crate::sse::{self, Event};

/// Reads events of a stream.
#[derive(Debug, Default)]
pub struct Reader {
    begun: bool,
    called: bool,
    /// Pieces of the current item came.
    pieces: bool,
    ended: bool,
}

impl Reader {
    /// Takes one event.
    pub fn event(&mut self, event: &Event, out: &mut Vec<Delta>) {
        if self.ended || event.data.is_empty() || event.data.trim() == "[DONE]" {
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
            "response.created" | "response.in_progress" => self.begin(&mut from, out),
            "response.output_item.added" => self.added(&mut from, out),
            "response.output_text.delta" => self.piece(&mut from, Delta::Text, out),
            "response.refusal.delta" => self.piece(&mut from, Delta::Refusal, out),
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                self.piece(&mut from, Delta::Thinking, out);
            }
            "response.function_call_arguments.delta" => {
                self.piece(&mut from, Delta::ToolArguments, out);
            }
            "response.output_item.done" => self.done(&mut from, out),
            "response.completed" | "response.incomplete" => self.end(&mut from, out),
            "response.failed" | "error" => self.failed(&mut from, out),
            "response.output_text.annotation.added" => out.push(Delta::Lost(Loss::Citations)),
            _ if from.look("error").is_some() => self.failed(&mut from, out),
            // The ends of parts, and states: they repeat what was told.
            _ => {}
        }
    }

    fn begin(&mut self, from: &mut Object<'_>, out: &mut Vec<Delta>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let mut response = from.maybe_object("response").unwrap_or_default();
        out.push(Delta::Start {
            id: response.maybe_text("id").unwrap_or_default(),
            model: response.maybe_text("model").unwrap_or_default(),
        });
    }

    fn added(&mut self, from: &mut Object<'_>, out: &mut Vec<Delta>) {
        self.pieces = false;
        let mut item = from.maybe_object("item").unwrap_or_default();
        match item.maybe_text("type").unwrap_or_default().as_str() {
            "function_call" => {
                self.called = true;
                out.push(Delta::ToolStart {
                    id: item.maybe_text("call_id").unwrap_or_default(),
                    name: item.maybe_text("name").unwrap_or_default(),
                });
            }
            "message" | "reasoning" => {}
            other => out.push(Delta::Lost(Loss::kind(other))),
        }
    }

    fn piece(&mut self, from: &mut Object<'_>, make: fn(String) -> Delta, out: &mut Vec<Delta>) {
        let text = from.maybe_text("delta").filter(|t| !t.is_empty());
        self.pieces |= text.is_some();
        out.extend(text.map(make));
    }

    fn done(&mut self, from: &mut Object<'_>, out: &mut Vec<Delta>) {
        let mut item = from.maybe_object("item").unwrap_or_default();
        match item.maybe_text("type").unwrap_or_default().as_str() {
            "function_call" if !self.pieces => {
                let whole = item.maybe_text("arguments").filter(|t| !t.is_empty());
                out.extend(whole.map(Delta::ToolArguments));
            }
            "reasoning" => {
                let mut losses = Losses::default();
                match super::responses::read_reasoning(&mut item, &mut losses) {
                    Some(Content::Redacted(data)) => out.push(Delta::Redacted(data)),
                    Some(Content::Thinking(text, signature)) => {
                        out.extend(
                            (!self.pieces && !text.is_empty()).then_some(Delta::Thinking(text)),
                        );
                        out.extend(signature.map(Delta::Signature));
                    }
                    _ => {}
                }
                out.extend(losses.all().iter().cloned().map(Delta::Lost));
            }
            _ => {}
        }
        out.push(Delta::Break);
    }

    fn end(&mut self, from: &mut Object<'_>, out: &mut Vec<Delta>) {
        self.ended = true;
        let mut response = from.maybe_object("response").unwrap_or_default();
        let usage = response.maybe_object("usage").map(read_usage);
        out.extend(usage.map(Delta::Usage));
        out.push(Delta::Stop(match read_stop(&mut response) {
            Stop::End if self.called => Stop::ToolUse,
            other => other,
        }));
        out.push(Delta::End);
    }

    fn failed(&mut self, from: &mut Object<'_>, out: &mut Vec<Delta>) {
        self.ended = true;
        let mut response = from.maybe_object("response").unwrap_or_default();
        let usage = response.maybe_object("usage").map(read_usage);
        out.extend(usage.map(Delta::Usage));
        let told = response
            .maybe_object("error")
            .or_else(|| from.maybe_object("error"));
        let told = told.unwrap_or_else(|| std::mem::take(from));
        out.push(Delta::Error(error::of_object(None, told)));
    }

    /// The stream is over.
    pub fn finish(&mut self, out: &mut Vec<Delta>) {
        if !std::mem::replace(&mut self.ended, true) {
            out.push(Delta::Error(ModelError::interrupted()));
        }
    }
}

/// Writes a stream.
#[derive(Debug)]
pub struct Writer {
    told: Told,
    id: String,
    model: String,
    sequence: u64,
    begun: bool,
    whole: Assembly,
    /// How many items were begun.
    items: u64,
    open: Option<Content>,
    ended: bool,
}

impl Writer {
    /// A writer; what it is told holds for the whole stream.
    #[must_use]
    pub fn new(told: Told) -> Self {
        Self {
            id: told.id.clone(),
            model: told.model.clone(),
            told,
            sequence: 0,
            begun: false,
            whole: Assembly::default(),
            items: 0,
            open: None,
            ended: false,
        }
    }

    /// Writes what a piece of the answer is in this dialect.
    pub fn write(&mut self, delta: &Delta, losses: &mut Losses, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        if let Delta::Lost(loss) = delta {
            losses.add(loss.clone());
            return;
        }
        if let Delta::Start { id, model } = delta {
            self.told.id(id).clone_into(&mut self.id);
            self.told.model(model).clone_into(&mut self.model);
            self.begin(out);
        }
        let before = self.whole.answer().parts.len();
        if *delta == Delta::End || *delta == Delta::Break {
            self.close(out);
        }
        self.whole.push(delta);
        if self.whole.answer().parts.len() > before {
            self.close(out);
            self.open(out);
        }
        let call = matches!(self.open, Some(Content::ToolCall(_)));
        match delta {
            Delta::ToolArguments(_) if !call => losses.add(Loss::Event),
            _ => self.piece(delta, out),
        }
        match delta {
            Delta::Error(error) => self.fail(error, out),
            Delta::End => self.end(losses, out),
            _ => {}
        }
    }

    fn event(&mut self, out: &mut Vec<u8>, name: &str, members: impl FnOnce(&mut Members<'_>)) {
        let data = json::write(|m| {
            m.text("type", name);
            m.count("sequence_number", self.sequence);
            members(m);
        });
        self.sequence += 1;
        sse::write(out, name, &data);
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let (id, model, created) = (self.id.clone(), self.model.clone(), self.told.created);
        for name in ["response.created", "response.in_progress"] {
            self.event(out, name, |m| {
                m.object("response", |m| {
                    write_head(&id, &model, created, "in_progress", m);
                    m.raw("error", "null");
                    m.raw("incomplete_details", "null");
                    m.array("output", |_| {});
                    m.raw("usage", "null");
                });
            });
        }
    }

    /// Where the current item stands.
    fn place(&self) -> (String, u64) {
        let number = self.items.saturating_sub(1);
        let id = self
            .open
            .as_ref()
            .map(|open| item_id(open, &self.id, number));
        (id.unwrap_or_default(), number)
    }

    fn open(&mut self, out: &mut Vec<u8>) {
        self.begin(out);
        let Some(Part { content, .. }) = self.whole.answer().parts.last() else {
            return;
        };
        let mut empty = content.clone();
        match &mut empty {
            Content::Text(text) | Content::Refusal(text) | Content::Thinking(text, _) => {
                text.clear();
            }
            _ => {}
        }
        let (id, number) = (self.id.clone(), self.items);
        self.items += 1;
        self.event(out, "response.output_item.added", |m| {
            m.count("output_index", number);
            m.object("item", |m| {
                write_item_members(&empty, &id, number, "in_progress", m);
            });
        });
        self.open = Some(empty.clone());
        let (item, number) = self.place();
        match &empty {
            Content::Text(_) | Content::Refusal(_) => {
                self.event(out, "response.content_part.added", |m| {
                    m.text("item_id", &item);
                    m.count("output_index", number);
                    m.count("content_index", 0);
                    m.object("part", |m| write_part(&empty, m));
                });
            }
            Content::Thinking(..) => {
                self.event(out, "response.reasoning_summary_part.added", |m| {
                    m.text("item_id", &item);
                    m.count("output_index", number);
                    m.count("summary_index", 0);
                    m.object("part", |m| write_summary("", m));
                });
            }
            _ => {}
        }
    }

    fn piece(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        let (name, index, text) = match delta {
            Delta::Text(text) => ("response.output_text.delta", "content_index", text),
            Delta::Refusal(text) => ("response.refusal.delta", "content_index", text),
            Delta::Thinking(text) => (
                "response.reasoning_summary_text.delta",
                "summary_index",
                text,
            ),
            Delta::ToolArguments(text) => ("response.function_call_arguments.delta", "", text),
            _ => return,
        };
        let (item, number) = self.place();
        self.event(out, name, |m| {
            m.text("item_id", &item);
            m.count("output_index", number);
            if !index.is_empty() {
                m.count(index, 0);
            }
            m.text("delta", text);
        });
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        let (item, number) = self.place();
        if self.open.take().is_none() {
            return;
        }
        let at = usize::try_from(number).unwrap_or(usize::MAX);
        let Some(content) = self.whole.answer().parts.get(at).map(|p| p.content.clone()) else {
            return;
        };
        let place = |m: &mut Members<'_>, index: &str| {
            m.text("item_id", &item);
            m.count("output_index", number);
            if !index.is_empty() {
                m.count(index, 0);
            }
        };
        match &content {
            Content::Text(text) | Content::Refusal(text) => {
                let (name, member) = match content {
                    Content::Text(_) => ("response.output_text.done", "text"),
                    _ => ("response.refusal.done", "refusal"),
                };
                self.event(out, name, |m| {
                    place(m, "content_index");
                    m.text(member, text);
                });
                self.event(out, "response.content_part.done", |m| {
                    place(m, "content_index");
                    m.object("part", |m| write_part(&content, m));
                });
            }
            Content::Thinking(text, _) => {
                self.event(out, "response.reasoning_summary_text.done", |m| {
                    place(m, "summary_index");
                    m.text("text", text);
                });
                self.event(out, "response.reasoning_summary_part.done", |m| {
                    place(m, "summary_index");
                    m.object("part", |m| write_summary(text, m));
                });
            }
            Content::ToolCall(call) => {
                self.event(out, "response.function_call_arguments.done", |m| {
                    place(m, "");
                    m.text("name", &call.name);
                    m.text("arguments", &call.arguments);
                });
            }
            _ => {}
        }
        let id = self.id.clone();
        self.event(out, "response.output_item.done", |m| {
            m.count("output_index", number);
            m.object("item", |m| {
                write_item_members(&content, &id, number, "completed", m);
            });
        });
    }

    fn fail(&mut self, error: &ModelError, out: &mut Vec<u8>) {
        self.begin(out);
        self.ended = true;
        let (id, model, created) = (self.id.clone(), self.model.clone(), self.told.created);
        self.event(out, "response.failed", |m| {
            m.object("response", |m| {
                write_head(&id, &model, created, "failed", m);
                m.object("error", |m| {
                    m.text("code", error::code(error));
                    m.text("message", &error.message);
                });
                m.raw("incomplete_details", "null");
                m.array("output", |_| {});
                m.raw("usage", "null");
            });
        });
    }

    fn end(&mut self, losses: &mut Losses, out: &mut Vec<u8>) {
        self.begin(out);
        self.ended = true;
        let mut answer = self.whole.answer().clone();
        answer.id.clone_from(&self.id);
        let told = self.told.clone();
        let name = match answer.stop {
            Stop::MaxTokens | Stop::ContextFull | Stop::Filtered | Stop::Refusal => {
                "response.incomplete"
            }
            _ => "response.completed",
        };
        self.event(out, name, |m| {
            m.object("response", |m| write_whole(&answer, &told, losses, m));
        });
    }
}

//! Streams of `/v1/chat/completions`.
//!
//! The reader bears with servers that leave out a call's index or number every call 0, that send
//! the name after the id, and that end without `[DONE]`. Pieces of a call that is already over are
//! an error: to mix up the arguments of two calls would be worse.

use super::chat::arguments;
use super::chat_answer::{read_stop, stop_name};
use super::error::{of_object, write_event};
use super::{read_usage, usage_losses, write_usage};
use crate::json::{self, Members, Object};
use crate::model::{Delta, Loss, Losses, ModelError, Stop, Told, Usage};
use crate::sse::{self, Event};

/// Reads events of a stream.
#[derive(Debug, Default)]
pub struct Reader {
    begun: bool,
    stop: Option<Stop>,
    calls: Calls,
    ended: bool,
}

/// The calls of a stream so far.
#[derive(Debug, Default)]
struct Calls {
    /// Of each call: the server's index and the id.
    seen: Vec<(Option<u64>, String)>,
    /// The last call's beginning was not yet told: its name, and what came of its arguments.
    waiting: Option<(String, String)>,
}

impl Reader {
    /// Takes one event.
    pub fn event(&mut self, event: &Event, out: &mut Vec<Delta>) {
        if self.ended || event.data.is_empty() {
            return;
        }
        if event.data.trim() == "[DONE]" {
            self.finish(out);
            return;
        }
        let Some(mut chunk) = json::document(event.data.as_bytes()).ok() else {
            out.push(Delta::Lost(Loss::Event));
            return;
        };
        if let Some(text) = chunk.maybe_text("error") {
            let error = ModelError::told(None, None, text);
            self.end(Delta::Error(error), out);
            return;
        }
        if let Some(error) = chunk.maybe_object("error") {
            self.end(Delta::Error(of_object(None, error)), out);
            return;
        }
        self.begin(&mut chunk, out);
        for (at, choice) in chunk.maybe_objects("choices").into_iter().enumerate() {
            self.choice(at, choice, out);
        }
        if let Some(usage) = chunk.maybe_object("usage") {
            out.push(Delta::Usage(read_usage(usage)));
        }
    }

    fn begin(&mut self, chunk: &mut Object<'_>, out: &mut Vec<Delta>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        out.push(Delta::Start {
            id: chunk.maybe_text("id").unwrap_or_default(),
            model: chunk.maybe_text("model").unwrap_or_default(),
        });
    }

    fn choice(&mut self, at: usize, mut choice: Object<'_>, out: &mut Vec<Delta>) {
        if choice.maybe_count("index").unwrap_or(at as u64) != 0 {
            out.push(Delta::Lost(Loss::Choices));
            return;
        }
        if let Some(mut delta) = choice.maybe_object("delta") {
            let thought = delta.maybe_text("reasoning_content");
            let thought = thought.or_else(|| delta.maybe_text("reasoning"));
            let pieces = [
                thought.map(Delta::Thinking),
                delta.maybe_text("content").map(Delta::Text),
                delta.maybe_text("refusal").map(Delta::Refusal),
            ];
            out.extend(pieces.into_iter().flatten().filter(|d| {
                !matches!(d, Delta::Text(t) | Delta::Thinking(t) | Delta::Refusal(t) if t.is_empty())
            }));
            // Some servers send parts in place of a text.
            for mut part in delta.maybe_objects("content") {
                out.push(match part.maybe_text("text") {
                    Some(text) => Delta::Text(text),
                    None => Delta::Lost(Loss::kind(&part.maybe_text("type").unwrap_or_default())),
                });
            }
            let cited = delta.take("annotations").is_some();
            out.extend(cited.then_some(Delta::Lost(Loss::Citations)));
            for call in delta.maybe_objects("tool_calls") {
                if let Err(error) = self.calls.piece(call, out) {
                    self.end(Delta::Error(error), out);
                    return;
                }
            }
        }
        if let Some(reason) = choice.maybe_text("finish_reason") {
            self.calls.tell(out);
            let mut stop = read_stop(&reason);
            if stop == Stop::End && !self.calls.seen.is_empty() {
                stop = Stop::ToolUse;
            }
            if self.stop.is_none() {
                out.push(Delta::Stop(stop.clone()));
            }
            self.stop.get_or_insert(stop);
        }
    }

    fn end(&mut self, delta: Delta, out: &mut Vec<Delta>) {
        self.ended = true;
        out.push(delta);
    }

    /// The stream is over.
    pub fn finish(&mut self, out: &mut Vec<Delta>) {
        if self.ended {
            return;
        }
        let last = match self.stop {
            Some(_) => Delta::End,
            None => Delta::Error(ModelError::interrupted()),
        };
        self.end(last, out);
    }
}

impl Calls {
    fn piece(&mut self, mut from: Object<'_>, out: &mut Vec<Delta>) -> Result<(), ModelError> {
        let index = from.maybe_count("index");
        let id = from.maybe_text("id").filter(|id| !id.is_empty());
        let function = from.maybe_object("function");
        let mut function = function.unwrap_or_default();
        let name = function.maybe_text("name").unwrap_or_default();
        let more = function
            .take("arguments")
            .map(arguments)
            .unwrap_or_default();
        let last = self.seen.last();
        let other_id = |(_, seen): &(Option<u64>, String)| id.as_ref().is_some_and(|i| i != seen);
        let same = last.is_some_and(|l| !other_id(l) && (index.is_none() || index == l.0));
        if !same {
            let known = |(i, s): &&(Option<u64>, String)| match &id {
                Some(id) => id == s,
                None => index.is_some() && *i == index,
            };
            if self.seen.iter().any(|s| known(&s)) {
                return Err(ModelError::malformed(
                    "it goes back to a call that was over",
                ));
            }
            self.tell(out);
            self.seen.push((index, id.unwrap_or_default()));
            self.waiting = Some((name, more));
        } else if let Some((waiting, args)) = &mut self.waiting {
            waiting.push_str(&name);
            args.push_str(&more);
        } else if !more.is_empty() {
            out.push(Delta::ToolArguments(more));
        }
        if self
            .waiting
            .as_ref()
            .is_some_and(|(name, _)| !name.is_empty())
        {
            self.tell(out);
        }
        Ok(())
    }

    /// Tells the beginning of the last call, if that was not done.
    fn tell(&mut self, out: &mut Vec<Delta>) {
        let (Some((name, args)), Some((_, id))) = (self.waiting.take(), self.seen.last()) else {
            return;
        };
        out.push(Delta::ToolStart {
            id: id.clone(),
            name,
        });
        if !args.is_empty() {
            out.push(Delta::ToolArguments(args));
        }
    }
}

/// Writes a stream.
#[derive(Debug)]
pub struct Writer {
    told: Told,
    id: String,
    model: String,
    begun: bool,
    calls: u64,
    called: bool,
    usage: Usage,
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
            begun: false,
            calls: 0,
            called: false,
            usage: Usage::default(),
            ended: false,
        }
    }

    /// Writes what a piece of the answer is in this dialect.
    pub fn write(&mut self, delta: &Delta, losses: &mut Losses, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        match delta {
            Delta::Start { id, model } => {
                self.told.id(id).clone_into(&mut self.id);
                self.told.model(model).clone_into(&mut self.model);
                self.begin(out);
            }
            Delta::Text(text) => self.piece(out, |m| m.text("content", text)),
            Delta::Refusal(text) => self.piece(out, |m| m.text("refusal", text)),
            Delta::Thinking(text) => self.piece(out, |m| m.text("reasoning_content", text)),
            Delta::Signature(_) | Delta::Redacted(_) => losses.add(Loss::ThinkingSignature),
            Delta::ToolStart { id, name } => {
                let index = self.calls;
                self.calls += 1;
                self.called = true;
                self.call(index, out, |m| {
                    m.text("id", id);
                    m.text("type", "function");
                    m.object("function", |m| {
                        m.text("name", name);
                        m.text("arguments", "");
                    });
                });
            }
            Delta::ToolArguments(more) if self.calls > 0 => {
                let index = self.calls - 1;
                self.call(index, out, |m| {
                    m.object("function", |m| m.text("arguments", more));
                });
            }
            Delta::ToolArguments(_) => losses.add(Loss::Event),
            Delta::Usage(usage) => self.usage.merge(usage),
            Delta::Lost(loss) => losses.add(loss.clone()),
            Delta::Stop(stop) => {
                let settled = match stop {
                    Stop::End if self.called => &Stop::ToolUse,
                    other => other,
                };
                let reason = stop_name(settled, losses);
                self.chunk(out, |m| {
                    m.object("delta", |_| {});
                    m.raw("logprobs", "null");
                    m.text("finish_reason", reason);
                });
            }
            Delta::Break => {}
            Delta::Error(error) => {
                self.ended = true;
                write_event(error, out);
            }
            Delta::End => self.end(losses, out),
        }
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        self.chunk(out, |m| {
            m.object("delta", |m| {
                m.text("role", "assistant");
                m.text("content", "");
            });
            m.raw("finish_reason", "null");
        });
    }

    fn piece(&mut self, out: &mut Vec<u8>, delta: impl FnOnce(&mut Members<'_>)) {
        self.begin(out);
        self.chunk(out, |m| {
            m.object("delta", delta);
            m.raw("finish_reason", "null");
        });
    }

    fn call(&mut self, index: u64, out: &mut Vec<u8>, call: impl FnOnce(&mut Members<'_>)) {
        self.piece(out, |m| {
            m.array("tool_calls", |items| {
                items.object(|m| {
                    m.count("index", index);
                    call(m);
                });
            });
        });
    }

    fn head(&self, m: &mut Members<'_>) {
        m.text("id", &self.id);
        m.text("object", "chat.completion.chunk");
        m.count("created", self.told.created);
        m.text("model", &self.model);
    }

    fn chunk(&self, out: &mut Vec<u8>, choice: impl FnOnce(&mut Members<'_>)) {
        let data = json::write(|m| {
            self.head(m);
            m.array("choices", |items| {
                items.object(|m| {
                    m.count("index", 0);
                    choice(m);
                });
            });
            if self.told.include_usage {
                m.raw("usage", "null");
            }
        });
        sse::write(out, "", &data);
    }

    fn end(&mut self, losses: &mut Losses, out: &mut Vec<u8>) {
        self.ended = true;
        if self.told.include_usage {
            usage_losses(&self.usage, losses);
            let data = json::write(|m| {
                self.head(m);
                m.array("choices", |_| {});
                m.object("usage", |m| {
                    write_usage(m, &self.usage, ["prompt", "completion"]);
                });
            });
            sse::write(out, "", &data);
        }
        sse::write(out, "", b"[DONE]");
    }
}

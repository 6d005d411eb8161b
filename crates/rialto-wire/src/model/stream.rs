//! An answer in pieces.
//!
//! The pieces are in order: one part after another, never two at once. Readers see to that, so that
//! writers need no memory of open parts beside the current one.

use super::{Answer, Content, Loss, ModelError, Part, Stop, ToolCall, Usage};

/// A piece of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Delta {
    /// The answer begins.
    Start {
        /// The server's id; empty where it gives none.
        id: String,
        /// The model.
        model: String,
    },
    /// Words.
    Text(String),
    /// Words of a refusal.
    Refusal(String),
    /// Thinking.
    Thinking(String),
    /// The signature of the thinking before it; may come in pieces.
    Signature(String),
    /// Thinking that only the server can read, whole.
    Redacted(String),
    /// A call of a tool begins.
    ToolStart {
        /// Ties the result to the call.
        id: String,
        /// The tool.
        name: String,
    },
    /// A piece of the arguments of the call that began last.
    ToolArguments(String),
    /// The current part is over; the next piece begins another, even of the same kind.
    Break,
    /// What the call took so far: totals.
    Usage(Usage),
    /// Something was not carried.
    Lost(Loss),
    /// Why the model stopped.
    Stop(Stop),
    /// The answer broke off; nothing follows.
    Error(ModelError),
    /// The answer is whole; nothing follows.
    End,
}

/// Puts an answer together from its pieces.
#[derive(Clone, Debug, Default)]
pub struct Assembly {
    answer: Answer,
    joined: bool,
    ended: Option<Result<(), ModelError>>,
}

impl Assembly {
    /// Takes the next piece.
    pub fn push(&mut self, delta: &Delta) {
        if self.ended.is_some() {
            return;
        }
        let joined = std::mem::replace(&mut self.joined, true);
        let last = self.answer.parts.last_mut().filter(|_| joined);
        let last = last.map(|p| &mut p.content);
        let new = match (delta, last) {
            (Delta::Text(more), Some(Content::Text(text)))
            | (Delta::Refusal(more), Some(Content::Refusal(text)))
            | (Delta::Thinking(more), Some(Content::Thinking(text, None))) => {
                text.push_str(more);
                return;
            }
            (Delta::Signature(more), Some(Content::Thinking(_, signature))) => {
                signature.get_or_insert_default().push_str(more);
                return;
            }
            (Delta::ToolArguments(more), Some(Content::ToolCall(call))) => {
                call.arguments.push_str(more);
                return;
            }
            (Delta::Text(text), _) => Content::Text(text.clone()),
            (Delta::Refusal(text), _) => Content::Refusal(text.clone()),
            (Delta::Thinking(text), _) => Content::Thinking(text.clone(), None),
            (Delta::Signature(text), _) => Content::Thinking(String::new(), Some(text.clone())),
            (Delta::Redacted(data), _) => Content::Redacted(data.clone()),
            (Delta::ToolStart { id, name }, _) => Content::ToolCall(ToolCall {
                id: id.clone(),
                name: name.clone(),
                arguments: String::new(),
            }),
            (other, _) => {
                self.joined = joined && *other != Delta::Break;
                self.note(other);
                return;
            }
        };
        self.answer.parts.push(Part::from(new));
    }

    fn note(&mut self, delta: &Delta) {
        match delta {
            Delta::Start { id, model } => {
                id.clone_into(&mut self.answer.id);
                model.clone_into(&mut self.answer.model);
            }
            Delta::Usage(usage) => self.answer.usage.merge(usage),
            Delta::Stop(stop) => stop.clone_into(&mut self.answer.stop),
            Delta::Error(error) => self.ended = Some(Err(error.clone())),
            Delta::End => {
                self.answer.settle_stop();
                self.ended = Some(Ok(()));
            }
            _ => {}
        }
    }

    /// The usage so far; for settling what broke off.
    #[must_use]
    pub fn usage(&self) -> &Usage {
        &self.answer.usage
    }

    /// The answer so far.
    #[must_use]
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// The whole answer, or why there is none.
    ///
    /// # Errors
    /// The error that ended the stream, or one that says that it ended early.
    pub fn finish(self) -> Result<Answer, ModelError> {
        match self.ended {
            Some(Ok(())) => Ok(self.answer),
            Some(Err(error)) => Err(error),
            None => Err(ModelError::interrupted()),
        }
    }
}

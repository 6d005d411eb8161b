//! The dialects side by side: which is spoken to us, which we speak on, and the ways between.
//!
//! Where both are the same, bytes pass through: a [`Passing`] only reads what metering needs. Where
//! they differ, a request is read into the neutral form and written from it, and a [`Translation`]
//! does the same with the stream of the answer. A translator's state is that of its stream.

use crate::bedrock::{self, event_stream};
use crate::json;
use crate::model::{Answer, Delta, Losses, ModelError, Names, Request, Told, Usage};
use crate::openai::chat::Server;
use crate::words::Words;
use crate::{anthropic, openai, sse};

/// What a caller speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inbound {
    /// `/v1/chat/completions`.
    Chat,
    /// `/v1/responses`.
    Responses,
    /// `/v1/messages`.
    Messages,
    /// `/model/{id}/converse` and `converse-stream`.
    Converse,
}

/// What a model's server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outbound {
    /// `/v1/chat/completions`, with what the server takes.
    Chat(Server),
    /// `/v1/messages`.
    Messages,
    /// Bedrock's Converse.
    Converse,
}

impl Inbound {
    /// Whether bytes pass through untouched.
    #[must_use]
    pub fn is_same(self, outbound: Outbound) -> bool {
        matches!(
            (self, outbound),
            (Self::Chat, Outbound::Chat(_))
                | (Self::Messages, Outbound::Messages)
                | (Self::Converse, Outbound::Converse)
        )
    }

    /// The content type of a stream.
    #[must_use]
    pub fn stream_type(self) -> &'static str {
        match self {
            Self::Converse => "application/vnd.amazon.eventstream",
            Self::Chat | Self::Responses | Self::Messages => "text/event-stream",
        }
    }
}

/// Reads a request. `path` matters for Converse only, which names the model there.
///
/// # Errors
/// What is wrong with it, to be written by [`write_error`].
pub fn read_request(
    inbound: Inbound,
    path: &str,
    body: &[u8],
    losses: &mut Losses,
) -> Result<Request, ModelError> {
    match inbound {
        Inbound::Chat => openai::chat::read_request(body, losses),
        Inbound::Responses => openai::responses::read_request(body, losses),
        Inbound::Messages => anthropic::read_request(body, losses),
        Inbound::Converse => {
            let (model, stream) = target(path)?;
            bedrock::read_request(&model, stream, body, losses)
        }
    }
}

fn target(path: &str) -> Result<(String, bool), ModelError> {
    let wrong = "the path must end in /model/{id}/converse or /model/{id}/converse-stream";
    bedrock::target(path).ok_or_else(|| ModelError::refused("path", wrong))
}

/// A request for a model's server, and what reading the answer needs of it.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The body.
    pub body: Vec<u8>,
    names: Names,
}

/// Writes a request. Its path is the dialect's, for Converse [`bedrock::path`].
///
/// # Errors
/// When the dialect cannot say it, and to leave it out would change what is asked.
pub fn write_request(
    outbound: Outbound,
    request: &Request,
    losses: &mut Losses,
) -> Result<Outgoing, ModelError> {
    let (body, names) = match outbound {
        Outbound::Chat(server) => {
            let mut fitting = request.clone();
            let limits = openai::NAME_LIMITS;
            let names = Names::fit(&mut fitting, limits, "", losses);
            (openai::chat::write_request(&fitting, server, losses), names)
        }
        Outbound::Messages => anthropic::write(request, losses),
        Outbound::Converse => bedrock::write(request, losses)?,
    };
    Ok(Outgoing { body, names })
}

/// Reads the whole answer of a model's server.
///
/// # Errors
/// When it is none.
pub fn read_answer(
    outbound: Outbound,
    outgoing: &Outgoing,
    body: &[u8],
    losses: &mut Losses,
) -> Result<Answer, ModelError> {
    let mut answer = match outbound {
        Outbound::Chat(_) => openai::read_answer(body, losses),
        Outbound::Messages => anthropic::read_answer(body, losses),
        Outbound::Converse => bedrock::read_answer(body, losses),
    }?;
    outgoing.names.restore(&mut answer);
    Ok(answer)
}

/// Writes a whole answer for a caller.
#[must_use]
pub fn write_answer(
    inbound: Inbound,
    answer: &Answer,
    told: &Told,
    losses: &mut Losses,
) -> Vec<u8> {
    match inbound {
        Inbound::Chat => openai::write_answer(answer, told, losses),
        Inbound::Responses => openai::write_response(answer, told, losses),
        Inbound::Messages => anthropic::write_answer(answer, told, losses),
        Inbound::Converse => bedrock::write_answer(answer, told, losses),
    }
}

/// Reads an error of a model's server. `header` gives a header of its answer by its lower-case name.
#[must_use]
pub fn read_error<'a>(
    outbound: Outbound,
    status: u16,
    header: impl Fn(&str) -> Option<&'a str>,
    body: &[u8],
) -> ModelError {
    let error = match outbound {
        Outbound::Chat(_) => openai::read_error(status, body),
        Outbound::Messages => anthropic::read_error(status, body),
        Outbound::Converse => bedrock::read_error(status, header("x-amzn-errortype"), body),
    };
    error.after(header("retry-after"))
}

/// An error as a caller gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorAnswer {
    /// The status.
    pub status: u16,
    /// Headers, beside `content-type: application/json`.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Writes an error in the caller's dialect.
#[must_use]
pub fn write_error(inbound: Inbound, error: &ModelError) -> ErrorAnswer {
    let (status, body) = match inbound {
        Inbound::Chat | Inbound::Responses => openai::write_error(error),
        Inbound::Messages => anthropic::write_error(error),
        Inbound::Converse => bedrock::write_error(error),
    };
    let mut headers = Vec::new();
    if let Some(seconds) = error.retry_after {
        headers.push(("retry-after", seconds.to_string()));
    }
    if inbound == Inbound::Converse {
        headers.push(("x-amzn-errortype", bedrock::exception(error).1.to_owned()));
    }
    ErrorAnswer {
        status,
        headers,
        body,
    }
}

/// Reads the stream of an answer, in any pieces.
#[derive(Debug)]
enum Reader {
    Chat(openai::Reader),
    Responses(openai::ResponsesReader),
    Messages(anthropic::Reader),
    Converse(bedrock::Reader, event_stream::Parser),
}

impl Reader {
    fn new(dialect: Inbound) -> Self {
        match dialect {
            Inbound::Chat => Self::Chat(openai::Reader::default()),
            Inbound::Responses => Self::Responses(openai::ResponsesReader::default()),
            Inbound::Messages => Self::Messages(anthropic::Reader::default()),
            Inbound::Converse => {
                let frames = event_stream::Parser::default();
                Self::Converse(bedrock::Reader::default(), frames)
            }
        }
    }

    fn event(&mut self, event: &sse::Event, out: &mut Vec<Delta>) {
        match self {
            Self::Chat(reader) => reader.event(event, out),
            Self::Responses(reader) => reader.event(event, out),
            Self::Messages(reader) => reader.event(event, out),
            Self::Converse(..) => {}
        }
    }

    fn finish(&mut self, out: &mut Vec<Delta>) {
        match self {
            Self::Chat(reader) => reader.finish(out),
            Self::Responses(reader) => reader.finish(out),
            Self::Messages(reader) => reader.finish(out),
            Self::Converse(reader, frames) => reader.finish(frames.is_at_end(), out),
        }
    }
}

/// Reads the stream of an answer in a dialect, in any pieces, into neutral deltas.
#[derive(Debug)]
pub struct StreamReader {
    reader: Reader,
    events: sse::Parser,
    words: Words,
}

impl StreamReader {
    /// A reader; every dialect can be read, as every dialect can pass through.
    #[must_use]
    pub fn new(dialect: Inbound) -> Self {
        Self {
            reader: Reader::new(dialect),
            events: sse::Parser::default(),
            words: Words::default(),
        }
    }

    /// What the server said of the call so far, in its own words.
    #[must_use]
    pub fn words(&self) -> &Words {
        &self.words
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<Delta>) {
        self.each(bytes, out, |_| {});
    }

    /// As [`Self::push`]; hands on every event that was read.
    fn each(&mut self, bytes: &[u8], out: &mut Vec<Delta>, mut seen: impl FnMut(sse::Event)) {
        let Self {
            reader,
            events,
            words,
        } = self;
        if let Reader::Converse(reader, frames) = reader {
            let each = |frame: event_stream::Frame| {
                words.hear(&frame.payload);
                reader.frame(&frame, out);
            };
            if frames.push(bytes, each).is_err() {
                reader.broken(out);
            }
            return;
        }
        events.push(bytes, |event| {
            words.hear(event.data.as_bytes());
            reader.event(&event, out);
            seen(event);
        });
        if events.overflowed() {
            reader.finish(out);
        }
    }

    /// The stream is over: says whether the answer was whole.
    pub fn finish(&mut self, out: &mut Vec<Delta>) {
        let Self { reader, events, .. } = self;
        events.finish(|event| reader.event(&event, out));
        reader.finish(out);
    }
}

/// Writes the stream of an answer in a caller's dialect.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one a stream, and it is never moved about"
)]
pub enum StreamWriter {
    /// Chat completions.
    Chat(openai::Writer),
    /// Responses.
    Responses(openai::ResponsesWriter),
    /// Messages.
    Messages(anthropic::Writer),
    /// Converse.
    Converse(bedrock::Writer),
}

impl StreamWriter {
    /// A writer.
    #[must_use]
    pub fn new(inbound: Inbound, told: Told) -> Self {
        match inbound {
            Inbound::Chat => Self::Chat(openai::Writer::new(told)),
            Inbound::Responses => Self::Responses(openai::ResponsesWriter::new(told)),
            Inbound::Messages => Self::Messages(anthropic::Writer::new(told)),
            Inbound::Converse => Self::Converse(bedrock::Writer::new(told)),
        }
    }

    /// Writes a piece.
    pub fn write(&mut self, delta: &Delta, losses: &mut Losses, out: &mut Vec<u8>) {
        match self {
            Self::Chat(writer) => writer.write(delta, losses, out),
            Self::Responses(writer) => writer.write(delta, losses, out),
            Self::Messages(writer) => writer.write(delta, losses, out),
            Self::Converse(writer) => writer.write(delta, losses, out),
        }
    }
}

/// What a stream came to so far.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// What the call took so far; the last totals that the server told.
    pub usage: Usage,
    /// Content came: from here on, another server cannot begin anew.
    pub content: bool,
    /// How many bytes of text, thinking and arguments came, for where no usage is told.
    pub written: u64,
    /// The answer is whole, or broke off with this error.
    pub ended: Option<Result<(), ModelError>>,
}

impl Heard {
    fn wrote(&mut self, text: &str) {
        self.content = true;
        self.written = self.written.saturating_add(text.len() as u64);
    }

    fn note(&mut self, delta: &Delta) {
        match delta {
            Delta::Usage(usage) => self.usage.merge(usage),
            Delta::End => self.ended = Some(Ok(())),
            Delta::Error(error) => self.ended = Some(Err(error.clone())),
            Delta::Text(text)
            | Delta::Refusal(text)
            | Delta::Thinking(text)
            | Delta::ToolArguments(text) => self.wrote(text),
            Delta::Redacted(_) | Delta::ToolStart { .. } => self.content = true,
            _ => {}
        }
    }
}

/// Turns the stream of a server's dialect into that of a caller's.
#[derive(Debug)]
pub struct Translation {
    reader: StreamReader,
    writer: StreamWriter,
    names: Names,
    deltas: Vec<Delta>,
    /// What the stream came to so far.
    pub heard: Heard,
    /// What was not carried so far.
    pub losses: Losses,
}

impl Translation {
    /// A translation of the answer to a request.
    #[must_use]
    pub fn new(inbound: Inbound, outbound: Outbound, outgoing: &Outgoing, told: Told) -> Self {
        let server = match outbound {
            Outbound::Chat(_) => Inbound::Chat,
            Outbound::Messages => Inbound::Messages,
            Outbound::Converse => Inbound::Converse,
        };
        Self {
            reader: StreamReader::new(server),
            writer: StreamWriter::new(inbound, told),
            names: outgoing.names.clone(),
            deltas: Vec::new(),
            heard: Heard::default(),
            losses: Losses::default(),
        }
    }

    /// What the server said of the call so far, in its own words.
    #[must_use]
    pub fn words(&self) -> &Words {
        self.reader.words()
    }

    /// Takes the server's next bytes, adds the caller's to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.reader.push(bytes, &mut self.deltas);
        self.drain(out);
    }

    /// The server's stream is over.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.reader.finish(&mut self.deltas);
        self.drain(out);
    }

    /// Ends the caller's stream with an error of ours, if it has not ended.
    pub fn fail(&mut self, error: ModelError, out: &mut Vec<u8>) {
        self.deltas.push(Delta::Error(error));
        self.drain(out);
    }

    fn drain(&mut self, out: &mut Vec<u8>) {
        for mut delta in self.deltas.drain(..) {
            if self.heard.ended.is_some() {
                continue;
            }
            self.names.restore_delta(&mut delta);
            self.heard.note(&delta);
            self.writer.write(&delta, &mut self.losses, out);
        }
    }
}

/// What metering reads of a request that passes through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peeked {
    /// The model.
    pub model: String,
    /// Whether the answer streams.
    pub stream: bool,
    /// How many tokens the answer may have.
    pub max_tokens: Option<u64>,
    /// How many answers are asked for.
    pub choices: u64,
    /// Whether the caller wants the usage of a stream.
    pub include_usage: bool,
}

/// Reads what metering needs of a request, and nothing else of it.
///
/// # Errors
/// When that cannot be read: what cannot be metered is not sent on.
pub fn peek(inbound: Inbound, path: &str, body: &[u8]) -> Result<Peeked, ModelError> {
    let mut from = json::document(body)?;
    let mut peeked = Peeked {
        model: String::new(),
        stream: false,
        max_tokens: None,
        choices: 1,
        include_usage: true,
    };
    if inbound == Inbound::Converse {
        (peeked.model, peeked.stream) = target(path)?;
        if let Some(mut config) = from.object("inferenceConfig")? {
            peeked.max_tokens = config.count("maxTokens")?;
        }
        return Ok(peeked);
    }
    peeked.model = from.need_text("model")?;
    peeked.stream = from.flag("stream")?.unwrap_or(false);
    peeked.max_tokens = match inbound {
        // Servers differ in which name they take: the larger is the bound that holds for all.
        Inbound::Chat => from
            .count("max_completion_tokens")?
            .max(from.count("max_tokens")?),
        Inbound::Responses => from.count("max_output_tokens")?,
        _ => from.count("max_tokens")?,
    };
    if inbound == Inbound::Chat {
        peeked.choices = from.count("n")?.unwrap_or(1).max(1);
        let mut options = from.object("stream_options")?.unwrap_or_default();
        peeked.include_usage = options.flag("include_usage")?.unwrap_or(false);
    }
    Ok(peeked)
}

/// A request that passes through: every byte stays, but the model's name where the server knows it
/// by another, the wish for a stream's usage where the caller has not said it, and `limit`, how many
/// tokens the answer may have, where one is to be set.
///
/// # Errors
/// When the body cannot be read.
pub fn pass_request(
    outbound: Outbound,
    peeked: &Peeked,
    (model, limit): (&str, Option<u64>),
    body: &[u8],
) -> Result<Vec<u8>, ModelError> {
    let mut body = body.to_vec();
    if let Some(limit) = limit {
        body = limited(outbound, limit, &body)?;
    }
    if outbound != Outbound::Converse && model != peeked.model {
        let name = serde_json::to_string(model).unwrap_or_default();
        body = json::with_member(&body, "model", &name)?;
    }
    if let Outbound::Chat(server) = outbound
        && server.stream_options
        && peeked.stream
        && !peeked.include_usage
    {
        let options = json::document(&body)?
            .take("stream_options")
            .map(|o| o.get().to_owned());
        let options = options.unwrap_or_else(|| "{}".to_owned());
        let options = json::with_member(options.as_bytes(), "include_usage", "true")?;
        let options = String::from_utf8_lossy(&options).into_owned();
        body = json::with_member(&body, "stream_options", &options)?;
    }
    Ok(body)
}

/// The same request with a number of tokens that the answer may have.
fn limited(outbound: Outbound, limit: u64, body: &[u8]) -> Result<Vec<u8>, ModelError> {
    let limit = limit.to_string();
    let body = match outbound {
        Outbound::Chat(server) if server.completion_limit => {
            json::with_member(body, "max_completion_tokens", &limit)?
        }
        Outbound::Chat(_) | Outbound::Messages => json::with_member(body, "max_tokens", &limit)?,
        Outbound::Converse => {
            let config = json::document(body)?.take("inferenceConfig");
            let config = config.map_or_else(|| "{}".to_owned(), |c| c.get().to_owned());
            let config = json::with_member(config.as_bytes(), "maxTokens", &limit)?;
            json::with_member(body, "inferenceConfig", &String::from_utf8_lossy(&config))?
        }
    };
    Ok(body)
}

/// The usage that a whole answer tells; nothing where it tells none.
///
/// # Errors
/// When it is no answer.
pub fn usage_of(dialect: Inbound, body: &[u8]) -> Result<Usage, ModelError> {
    let mut losses = Losses::default();
    let answer = match dialect {
        Inbound::Chat => openai::read_answer(body, &mut losses),
        Inbound::Responses => openai::read_response(body, &mut losses),
        Inbound::Messages => anthropic::read_answer(body, &mut losses),
        Inbound::Converse => bedrock::read_answer(body, &mut losses),
    };
    answer.map(|a| a.usage)
}

/// Passes a stream on, byte for byte, and hears what it comes to.
///
/// One thing is left out: the chunk of a chat's usage, where we asked for it and the caller did not.
#[derive(Debug)]
pub struct Passing {
    reader: StreamReader,
    strip: bool,
    deltas: Vec<Delta>,
    /// What the stream came to so far.
    pub heard: Heard,
}

impl Passing {
    /// A stream of a dialect; `strip` leaves the chunk of the usage out.
    #[must_use]
    pub fn new(dialect: Inbound, strip: bool) -> Self {
        Self {
            reader: StreamReader::new(dialect),
            strip: strip && dialect == Inbound::Chat,
            deltas: Vec::new(),
            heard: Heard::default(),
        }
    }

    /// What the server said of the call so far, in its own words.
    #[must_use]
    pub fn words(&self) -> &Words {
        self.reader.words()
    }

    /// Takes the server's next bytes, adds the caller's to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.strip {
            self.reader.each(bytes, &mut self.deltas, |event| {
                if !is_usage_alone(&event.data) {
                    out.extend_from_slice(&event.raw);
                }
            });
        } else {
            out.extend_from_slice(bytes);
            self.reader.push(bytes, &mut self.deltas);
        }
        self.hear();
    }

    /// The server's stream is over.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if self.strip {
            out.extend_from_slice(&self.reader.events.rest());
        }
        self.reader.finish(&mut self.deltas);
        self.hear();
    }

    fn hear(&mut self) {
        for delta in self.deltas.drain(..) {
            self.heard.note(&delta);
        }
    }
}

/// Whether a chunk holds usage and no choice.
fn is_usage_alone(data: &str) -> bool {
    let Some(mut chunk) = json::object(data) else {
        return false;
    };
    let none = chunk
        .take("choices")
        .and_then(json::items)
        .is_some_and(|c| c.is_empty());
    none && chunk.maybe_object("usage").is_some()
}

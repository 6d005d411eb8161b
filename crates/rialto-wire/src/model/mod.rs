//! The neutral form that every dialect of model servers is read into and written from.
//!
//! It holds what at least two dialects can say. What only one can say is a [`Loss`] by name when a
//! request or answer is translated. The forms are data: nothing here reads or writes bytes, and no
//! dialect's words are here.

mod error;
mod loss;
mod names;
mod stream;
mod usage;

pub use crate::json::Json;
pub use error::{ErrorKind, ModelError};
pub use loss::{Loss, Losses, MAX_LOSSES};
pub(crate) use names::Names;
pub use stream::{Assembly, Delta};
pub use usage::{MAX_TOKENS, Usage};

/// A request to a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// The model's name.
    pub model: String,
    /// What the model is told before the conversation; texts only.
    pub system: Vec<Part>,
    /// The conversation; roles take turns.
    pub messages: Vec<Message>,
    /// What the model may call.
    pub tools: Vec<Tool>,
    /// Whether and which tool it must call.
    pub choice: Option<Choice>,
    /// Whether it may call several tools at once; absent is the server's default.
    pub parallel: Option<bool>,
    /// How many tokens it may write.
    pub max_tokens: Option<u64>,
    /// Sampling temperature.
    pub temperature: Option<f64>,
    /// Nucleus sampling.
    pub top_p: Option<f64>,
    /// Sampling among the likeliest.
    pub top_k: Option<u64>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// Whether the answer comes in pieces.
    pub stream: bool,
    /// Whether a streamed answer tells its usage to the caller; dialects that always do say true.
    pub include_usage: bool,
    /// Whether and how much the model thinks first.
    pub thinking: Option<Thinking>,
    /// The form that the answer must have.
    pub format: Option<Format>,
    /// For whom the caller asks.
    pub user: Option<String>,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The caller, and the results of tools.
    User,
    /// The model.
    Assistant,
}

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, never empty.
    pub parts: Vec<Part>,
}

/// A piece of a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it says.
    pub content: Content,
    /// The prompt up to here is to be cached for this long.
    pub cache: Option<Ttl>,
}

impl From<Content> for Part {
    fn from(content: Content) -> Self {
        Self {
            content,
            cache: None,
        }
    }
}

impl Part {
    /// A text without a mark.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Content::Text(text.into()).into()
    }
}

/// How long a cached prompt is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ttl {
    /// Five minutes, where nothing is said.
    Minutes5,
    /// An hour.
    Hour1,
}

impl Ttl {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Minutes5 => "5m",
            Self::Hour1 => "1h",
        }
    }
}

/// What a part says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Words.
    Text(String),
    /// A picture.
    Image(Source),
    /// A document, and its name.
    Document(Source, Option<String>),
    /// Sound.
    Audio(Source),
    /// The model calls a tool.
    ToolCall(ToolCall),
    /// What a tool gave.
    ToolResult(ToolResult),
    /// The model's thinking, and the server's signature of it.
    Thinking(String, Option<String>),
    /// Thinking that only the server can read.
    Redacted(String),
    /// The model says that it will not.
    Refusal(String),
}

/// Where a medium's bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Here, in base64, with their media type.
    Base64(String, String),
    /// Behind an address.
    Url(String),
    /// Here, as plain text; for documents.
    Text(String),
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    /// Ties the result to the call.
    pub id: String,
    /// The tool.
    pub name: String,
    /// What the model wrote as arguments: JSON, if it did it right.
    pub arguments: String,
}

impl ToolCall {
    /// The arguments as an object, for dialects that want one; what is none is wrapped as
    /// `{"raw": text}`, and said by false.
    pub(crate) fn object(&self) -> (Json, bool) {
        let text = self.arguments.trim();
        let text = if text.is_empty() { "{}" } else { text };
        if let Some(json) = Json::new(text).filter(Json::is_object) {
            return (json, true);
        }
        let wrapped = crate::json::write(|m| m.text("raw", &self.arguments));
        let wrapped = String::from_utf8(wrapped).ok();
        let json = wrapped.and_then(|text| Json::new(&text));
        (json.unwrap_or_else(Json::any_object), false)
    }
}

/// The result of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolResult {
    /// The call's id.
    pub id: String,
    /// Texts, images and documents.
    pub content: Vec<Part>,
    /// The tool failed.
    pub failed: bool,
}

/// What a model may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The JSON schema of its arguments.
    pub schema: Json,
    /// Whether the arguments must follow the schema.
    pub strict: Option<bool>,
    /// The tools up to here are to be cached.
    pub cache: Option<Ttl>,
}

/// Whether the model calls a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// As it likes.
    Auto,
    /// It must not.
    Never,
    /// It must call one.
    Any,
    /// It must call this one.
    Tool(String),
}

/// How much the model thinks before it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thinking {
    /// Not at all.
    Off,
    /// As it sees fit.
    Adaptive,
    /// Up to a number of tokens.
    Budget(u64),
    /// In words.
    Effort(Effort),
}

impl Thinking {
    /// The tokens that it takes of the answer's limit.
    pub(crate) fn budget(self) -> u64 {
        match self {
            Self::Off | Self::Adaptive => 0,
            Self::Budget(tokens) => tokens,
            Self::Effort(effort) => effort.budget(),
        }
    }
}

/// How hard a model thinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// Hardly.
    Minimal,
    /// A little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
    /// As much as it can.
    Max,
}

impl Effort {
    const TABLE: [(Self, u64); 5] = [
        (Self::Minimal, 1024),
        (Self::Low, 2048),
        (Self::Medium, 8192),
        (Self::High, 16384),
        (Self::Max, 32768),
    ];

    /// The tokens that stand for an effort where a server wants a number; our choice, no standard.
    pub(crate) fn budget(self) -> u64 {
        let row = Self::TABLE.iter().find(|(effort, _)| *effort == self);
        row.map_or(1024, |(_, budget)| *budget)
    }

    /// The effort whose budget is the largest that is not above the number.
    pub(crate) fn of_budget(tokens: u64) -> Self {
        let mut rows = Self::TABLE.iter().rev();
        let row = rows.find(|(_, budget)| *budget <= tokens);
        row.map_or(Self::Minimal, |(effort, _)| *effort)
    }
}

/// The form of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// Any JSON object.
    Object,
    /// What a schema allows.
    Schema {
        /// A name for the schema.
        name: Option<String>,
        /// What the answer is for.
        description: Option<String>,
        /// The JSON schema.
        schema: Json,
        /// Whether the server guarantees it; absent is the server's default.
        strict: Option<bool>,
    },
}

/// Why a model stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stop {
    /// It was done.
    #[default]
    End,
    /// It may write no more.
    MaxTokens,
    /// It wrote one of the texts that end the answer, named by some servers.
    Sequence(Option<String>),
    /// It calls tools.
    ToolUse,
    /// Someone's filter.
    Filtered,
    /// The model will not.
    Refusal,
    /// The context is full.
    ContextFull,
    /// A server's own tool works; the caller is to send the turn back.
    Pause,
    /// Any other reason, as the server wrote it.
    Other(String),
}

/// A model's answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The server's id; empty where it gives none.
    pub id: String,
    /// The model that answered, as the server names it.
    pub model: String,
    /// What it says.
    pub parts: Vec<Part>,
    /// Why it stopped.
    pub stop: Stop,
    /// What it took.
    pub usage: Usage,
}

impl Answer {
    pub(crate) fn calls_tools(&self) -> bool {
        let mut parts = self.parts.iter();
        parts.any(|p| matches!(p.content, Content::ToolCall(_)))
    }

    /// Some servers call tools and say that they are done.
    pub(crate) fn settle_stop(&mut self) {
        if self.stop == Stop::End && self.calls_tools() {
            self.stop = Stop::ToolUse;
        }
    }
}

impl Request {
    /// Adds a turn, or joins it to the one before if the same role speaks.
    pub(crate) fn say(&mut self, role: Role, parts: Vec<Part>) {
        if parts.is_empty() {
            return;
        }
        match self.messages.last_mut() {
            Some(last) if last.role == role => last.parts.extend(parts),
            _ => self.messages.push(Message { role, parts }),
        }
    }

    /// Whether the conversation holds calls of tools or their results.
    pub(crate) fn has_tool_parts(&self) -> bool {
        let mut parts = self.messages.iter().flat_map(|m| &m.parts);
        parts.any(|p| matches!(p.content, Content::ToolCall(_) | Content::ToolResult(_)))
    }

    /// The tools, and a stand-in for each that the conversation calls and the request leaves out:
    /// some servers refuse calls in the conversation without them.
    pub(crate) fn tools_with_stand_ins(&self, losses: &mut Losses) -> Vec<Tool> {
        let mut tools = self.tools.clone();
        if !tools.is_empty() || !self.has_tool_parts() {
            return tools;
        }
        losses.add(Loss::ToolsMissing);
        for part in self.messages.iter().flat_map(|m| &m.parts) {
            let Content::ToolCall(call) = &part.content else {
                continue;
            };
            if tools.iter().all(|t| t.name != call.name) {
                tools.push(Tool {
                    name: call.name.clone(),
                    description: None,
                    schema: Json::any_object(),
                    strict: None,
                    cache: None,
                });
            }
        }
        tools
    }

    /// Every address of an image or document, to be fetched by whoever may, and put in place.
    pub fn remote_media(&mut self) -> impl Iterator<Item = &mut Source> {
        let parts = self.messages.iter_mut().flat_map(|m| &mut m.parts);
        let sources = parts.flat_map(|part| match &mut part.content {
            Content::ToolResult(result) => result.content.iter_mut().filter_map(media).collect(),
            Content::Image(source) | Content::Document(source, _) => vec![source],
            _ => Vec::new(),
        });
        sources.filter(|s| matches!(s, Source::Url(_)))
    }

    /// The budget of thinking that fits, for servers that want signed thoughts: none where a tool
    /// is forced, where the model's last turn calls tools without a signed thought before, or where
    /// there is no room below `max_tokens`.
    pub(crate) fn signed_thinking(&self, max_tokens: u64, losses: &mut Losses) -> Option<Thinking> {
        let wanted = self.thinking.filter(|t| *t != Thinking::Off)?;
        let forced = matches!(self.choice, Some(Choice::Any | Choice::Tool(_)));
        let mut turns = self.messages.iter().rev();
        let last = turns.find(|m| m.role == Role::Assistant);
        let calls = |m: &Message| {
            let mut parts = m.parts.iter();
            parts.any(|p| matches!(p.content, Content::ToolCall(_)))
        };
        let thought = |m: &Message| {
            let signed = |p: &&Part| !matches!(p.content, Content::Thinking(_, None));
            let first = m.parts.iter().find(signed).map(|p| &p.content);
            matches!(first, Some(Content::Thinking(..) | Content::Redacted(_)))
        };
        let unsigned = last.is_some_and(|m| calls(m) && !thought(m));
        if forced || unsigned {
            losses.add(Loss::Thinking);
            return None;
        }
        // The limit holds for thoughts and answer: an effort leaves room for the answer.
        let (budget, room) = match wanted {
            Thinking::Budget(tokens) => (tokens, max_tokens.saturating_sub(1)),
            Thinking::Effort(effort) => {
                losses.add(Loss::ThinkingBudget);
                (effort.budget(), max_tokens / 4 * 3)
            }
            other => return Some(other),
        };
        if room < MIN_BUDGET {
            losses.add(Loss::Thinking);
            return None;
        }
        let fits = budget.clamp(MIN_BUDGET, room);
        losses.add_if(fits != budget, Loss::ThinkingBudget);
        Some(Thinking::Budget(fits))
    }
}

/// Puts the results of tools before all else in a turn of the user, as servers want them; whether
/// that changed the order.
pub(crate) fn results_first(role: Role, parts: &mut [Part]) -> bool {
    let other = |p: &Part| !matches!(p.content, Content::ToolResult(_));
    if role != Role::User || parts.is_sorted_by_key(other) {
        return false;
    }
    parts.sort_by_key(other);
    true
}

fn media(part: &mut Part) -> Option<&mut Source> {
    match &mut part.content {
        Content::Image(source) | Content::Document(source, _) => Some(source),
        _ => None,
    }
}

/// The smallest budget of thinking that Anthropic's API takes.
const MIN_BUDGET: u64 = 1024;

/// What the writing of an answer needs and a pure layer cannot know.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// An id for answers whose server gave none.
    pub id: String,
    /// Seconds since 1970.
    pub created: u64,
    /// The model's name as the caller knows it; empty leaves the server's.
    pub model: String,
    /// An estimate of the input's tokens, for dialects that tell it first.
    pub input_estimate: u64,
    /// How long the call took, in milliseconds, where a dialect tells it.
    pub latency_ms: u64,
    /// Whether a stream tells its usage.
    pub include_usage: bool,
}

impl Told {
    pub(crate) fn id<'a>(&'a self, given: &'a str) -> &'a str {
        if given.is_empty() { &self.id } else { given }
    }

    pub(crate) fn model<'a>(&'a self, given: &'a str) -> &'a str {
        if self.model.is_empty() {
            given
        } else {
            &self.model
        }
    }
}

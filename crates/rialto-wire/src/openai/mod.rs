//! The dialects of OpenAI's API: chat completions, responses, embeddings, models, and their errors.
//!
//! Many servers speak the first: vLLM, SGLang, llama.cpp, Ollama. What they do differently is read
//! with forbearance, and what they refuse is left out by the flags of [`chat::Server`].

pub mod chat;
mod chat_answer;
mod chat_stream;
pub mod embeddings;
mod error;
pub mod models;
pub mod responses;
mod responses_answer;
mod responses_stream;

pub use chat_answer::{read_answer, write_answer};
pub use chat_stream::{Reader, Writer};
pub use error::{read_error, write_error, write_event as write_error_event};
pub use responses_answer::{read_answer as read_response, write_answer as write_response};
pub use responses_stream::{Reader as ResponsesReader, Writer as ResponsesWriter};

use crate::json::{Members, Object};
use crate::model::{Loss, Losses, Source, Usage};

/// How many characters a tool's name and a call's id may have.
pub(crate) const NAME_LIMITS: (usize, usize) = (64, 64);

/// Usage of chat, responses and embeddings: they differ in names, and all include.
pub(crate) fn read_usage(mut from: Object<'_>) -> Usage {
    let mut either = |a, b| from.maybe_count(a).or_else(|| from.maybe_count(b));
    let mut usage = Usage {
        input: either("prompt_tokens", "input_tokens"),
        output: either("completion_tokens", "output_tokens"),
        ..Usage::default()
    };
    let mut either = |a, b| from.maybe_object(a).or_else(|| from.maybe_object(b));
    if let Some(mut d) = either("prompt_tokens_details", "input_tokens_details") {
        usage.cache_read = d.maybe_count("cached_tokens");
        usage.cache_write_5m = d.maybe_count("cache_write_tokens");
        usage.image_input = d.maybe_count("image_tokens");
        usage.audio_input = d.maybe_count("audio_tokens");
    }
    if let Some(mut d) = either("completion_tokens_details", "output_tokens_details") {
        usage.reasoning = d.maybe_count("reasoning_tokens");
        usage.audio_output = d.maybe_count("audio_tokens");
    }
    believed(usage).covering_parts()
}

/// Leaves out numbers that are no counts.
fn believed(usage: Usage) -> Usage {
    let mut fine = Usage::default();
    fine.merge(&usage);
    fine
}

/// The parts of the usage that the caller's dialect can tell, under its names.
fn write_usage(m: &mut Members<'_>, usage: &Usage, [input, output]: [&str; 2]) {
    m.count(&format!("{input}_tokens"), usage.input.unwrap_or(0));
    m.count(&format!("{output}_tokens"), usage.output.unwrap_or(0));
    m.count("total_tokens", usage.total());
    m.object(&format!("{input}_tokens_details"), |m| {
        m.count("cached_tokens", usage.cache_read.unwrap_or(0));
        if usage.cache_write() > 0 {
            m.count("cache_write_tokens", usage.cache_write());
        }
        m.maybe_count("image_tokens", usage.image_input);
        m.maybe_count("audio_tokens", usage.audio_input);
    });
    m.object(&format!("{output}_tokens_details"), |m| {
        m.count("reasoning_tokens", usage.reasoning.unwrap_or(0));
        m.maybe_count("audio_tokens", usage.audio_output);
    });
}

/// How long a cached prompt was to live cannot be said here.
pub(crate) fn usage_losses(usage: &Usage, losses: &mut Losses) {
    losses.add_if(usage.cache_write_1h.unwrap_or(0) > 0, Loss::UsageDetail);
}

/// `data:image/png;base64,...` or an address.
fn source(url: &str) -> Source {
    let data = url.strip_prefix("data:").and_then(|rest| {
        let (head, data) = rest.split_once(',')?;
        let media = head.strip_suffix(";base64")?;
        let media = media.split(';').next().unwrap_or_default();
        Some(Source::Base64(media.to_owned(), data.to_owned()))
    });
    data.unwrap_or_else(|| Source::Url(url.to_owned()))
}

fn url(source: &Source) -> Option<String> {
    match source {
        Source::Base64(media, data) => Some(format!("data:{media};base64,{data}")),
        Source::Url(url) => Some(url.clone()),
        Source::Text(_) => None,
    }
}

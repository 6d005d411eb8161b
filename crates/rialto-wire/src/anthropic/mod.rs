//! The dialect of Anthropic's Messages API: `/v1/messages` and `/v1/messages/count_tokens`.
//!
//! Its usage leaves cached tokens out of the input; its streams number all blocks. Where a request
//! of another dialect is translated, the version is pinned, since later ones refuse the parameters
//! of sampling; a caller's own version and betas pass on untouched with its own requests.

mod answer;
mod error;
mod request;
mod stream;

pub use answer::{read_answer, write_answer};
pub use error::{read_error, write_error, write_event as write_error_event};
pub use request::{DEFAULT_MAX_TOKENS, read_request, write_request};
pub use stream::{Reader, Writer};

pub(crate) use request::write;

use crate::json::{self, Members, Object};
use crate::model::{ModelError, Usage};
use crate::openai::models::Model;

/// The `anthropic-version` of requests that were translated.
pub const TRANSLATED_VERSION: &str = "2023-06-01";

/// How many characters a tool's name and a call's id may have.
pub(crate) const NAME_LIMITS: (usize, usize) = (128, 64);

/// Writes one model as `/v1/models/{id}` does.
#[must_use]
pub fn write_model(model: &Model) -> Vec<u8> {
    json::write(|m| write_one_model(m, model))
}

/// Writes the list of `/v1/models`, all on one page.
#[must_use]
pub fn write_models(models: &[Model]) -> Vec<u8> {
    json::write(|m| {
        m.array("data", |items| {
            for model in models {
                items.object(|m| write_one_model(m, model));
            }
        });
        m.raw("has_more", "false");
        m.text_or_null("first_id", models.first().map(|m| m.id.as_str()));
        m.text_or_null("last_id", models.last().map(|m| m.id.as_str()));
    })
}

fn write_one_model(m: &mut Members<'_>, model: &Model) {
    m.text("type", "model");
    m.text("id", &model.id);
    m.text("display_name", &model.id);
    // When it was made is not known; the dialect wants a time.
    m.text("created_at", "1970-01-01T00:00:00Z");
}

/// The answer of `count_tokens`.
#[must_use]
pub fn write_count(input_tokens: u64) -> Vec<u8> {
    json::write(|m| m.count("input_tokens", input_tokens))
}

/// Reads the answer of `count_tokens`.
///
/// # Errors
/// When it is none.
pub fn read_count(body: &[u8]) -> Result<u64, ModelError> {
    let count = json::document(body)
        .ok()
        .and_then(|mut from| from.maybe_count("input_tokens"));
    count.ok_or_else(|| ModelError::malformed("it holds no input_tokens"))
}

/// Usage as the dialect counts, cached tokens beside the input; see [`Usage`]'s inclusive form.
fn read_usage(mut from: Object<'_>) -> Usage {
    let total = from.maybe_count("cache_creation_input_tokens");
    let mut made = from.maybe_object("cache_creation").unwrap_or_default();
    let long = made.maybe_count("ephemeral_1h_input_tokens");
    let short = made.maybe_count("ephemeral_5m_input_tokens");
    let rest = total.map(|t| t.saturating_sub(long.unwrap_or(0)));
    let mut thought = from
        .maybe_object("output_tokens_details")
        .unwrap_or_default();
    let usage = Usage {
        input: from.maybe_count("input_tokens"),
        cache_read: from.maybe_count("cache_read_input_tokens"),
        cache_write_5m: short.max(rest),
        cache_write_1h: long,
        output: from.maybe_count("output_tokens"),
        reasoning: thought.maybe_count("thinking_tokens"),
        ..Usage::default()
    };
    let mut believed = Usage::default();
    believed.merge(&usage);
    believed
}

fn write_usage(m: &mut Members<'_>, usage: &Usage) {
    m.count("input_tokens", usage.fresh_input());
    m.count("cache_creation_input_tokens", usage.cache_write());
    m.count("cache_read_input_tokens", usage.cache_read.unwrap_or(0));
    if usage.cache_write() > 0 {
        m.object("cache_creation", |m| {
            m.count(
                "ephemeral_5m_input_tokens",
                usage.cache_write_5m.unwrap_or(0),
            );
            m.count(
                "ephemeral_1h_input_tokens",
                usage.cache_write_1h.unwrap_or(0),
            );
        });
    }
    m.count("output_tokens", usage.output.unwrap_or(0));
    if let Some(reasoning) = usage.reasoning {
        m.object("output_tokens_details", |m| {
            m.count("thinking_tokens", reasoning);
        });
    }
}

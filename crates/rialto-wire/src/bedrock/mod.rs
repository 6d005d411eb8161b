//! The dialect of Amazon Bedrock's Converse API: `converse` and `converse-stream`.
//!
//! The model stands in the path, percent-encoded. A mark for prompt caching is a block of its own
//! after what it marks. Usage leaves cached tokens out of the input. Shapes follow the service's
//! public model `bedrock-runtime` 2023-09-30, as the AWS SDKs carry it.

mod answer;
mod error;
pub mod event_stream;
mod request;
pub mod sigv4;
mod stream;

pub use answer::{read_answer, write_answer};
pub use error::{exception, read_error, write_error, write_event as write_error_event};
pub use request::{read_request, write_request};
pub use stream::{Reader, Writer};

pub(crate) use request::write;

use crate::json::{Members, Object};
use crate::model::{Loss, Losses, Usage};

/// How many characters a tool's name and a call's id may have.
pub(crate) const NAME_LIMITS: (usize, usize) = (64, 64);

/// The model and whether it streams, from a path that ends in `/model/{id}/converse` or
/// `/model/{id}/converse-stream`; the id is percent-decoded.
#[must_use]
pub fn target(path: &str) -> Option<(String, bool)> {
    let (head, operation) = path.rsplit_once('/')?;
    let stream = match operation {
        "converse" => false,
        "converse-stream" => true,
        _ => return None,
    };
    let (head, id) = match head.rsplit_once("/model/") {
        Some(found) => found,
        None => ("", head.strip_prefix("model/")?),
    };
    if head.ends_with("/model") || id.is_empty() {
        return None;
    }
    let id = decode(id).filter(|id| !id.chars().any(char::is_control))?;
    Some((id, stream))
}

/// The path of a call.
#[must_use]
pub fn path(model: &str, stream: bool) -> String {
    let operation = if stream {
        "converse-stream"
    } else {
        "converse"
    };
    format!("/model/{}/{operation}", sigv4::encode(model))
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                let digits = std::str::from_utf8(&digits).ok()?;
                u8::from_str_radix(digits, 16).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(out).ok()
}

fn read_usage(mut from: Object<'_>) -> Usage {
    let mut usage = Usage {
        input: from.maybe_count("inputTokens"),
        output: from.maybe_count("outputTokens"),
        cache_read: from.maybe_count("cacheReadInputTokens"),
        cache_write_5m: from.maybe_count("cacheWriteInputTokens"),
        ..Usage::default()
    };
    let details = from.maybe_objects("cacheDetails").into_iter();
    let mut long = 0_u64;
    for mut detail in details {
        if detail.maybe_text("ttl").as_deref() == Some("1h") {
            long = long.saturating_add(detail.maybe_count("inputTokens").unwrap_or(0));
        }
    }
    if long > 0 {
        usage.cache_write_1h = Some(long);
        usage.cache_write_5m = usage.cache_write_5m.map(|all| all.saturating_sub(long));
    }
    let mut believed = Usage::default();
    believed.merge(&usage);
    believed.with_cached()
}

fn write_usage(m: &mut Members<'_>, usage: &Usage, losses: &mut Losses) {
    losses.add_if(usage.reasoning.unwrap_or(0) > 0, Loss::UsageDetail);
    m.count("inputTokens", usage.fresh_input());
    m.count("outputTokens", usage.output.unwrap_or(0));
    m.count("totalTokens", usage.total());
    m.count("cacheReadInputTokens", usage.cache_read.unwrap_or(0));
    m.count("cacheWriteInputTokens", usage.cache_write());
    if let Some(long) = usage.cache_write_1h.filter(|n| *n > 0) {
        m.array("cacheDetails", |items| {
            let short = usage.cache_write_5m.unwrap_or(0);
            for (ttl, tokens) in [("5m", short), ("1h", long)] {
                if tokens > 0 {
                    items.object(|m| {
                        m.text("ttl", ttl);
                        m.count("inputTokens", tokens);
                    });
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_read_from_the_path_and_written_to_it() {
        for (at, want) in [
            (
                "/model/anthropic.claude-v2%3A1/converse",
                Some(("anthropic.claude-v2:1", false)),
            ),
            (
                "/bedrock/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A%3Ax%2Fy/converse-stream",
                Some(("arn:aws:bedrock:us-east-1::x/y", true)),
            ),
            ("/model/a:1/converse", Some(("a:1", false))),
            ("/model//converse", None),
            ("/model/a%3/converse", None),
            ("/model/a%ff/converse", None),
            ("/model/a%0d%0ax/converse", None),
            ("/model/a/invoke", None),
        ] {
            let want = want.map(|(m, s)| (m.to_owned(), s));
            assert_eq!(target(at), want, "{at}");
        }
        assert_eq!(path("a.b-v1:0", true), "/model/a.b-v1%3A0/converse-stream");
    }
}

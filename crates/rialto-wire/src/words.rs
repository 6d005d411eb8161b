//! What a model's server says of a call in its own words: the usage as it wrote it, the tier, the model.
//!
//! Kept beside the normalised numbers, so that whoever has the server's bill can compare. Only these three are
//! taken, never a word of the answer; nothing is judged here.

use crate::json;

/// What a server said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// The usage at the beginning of a stream that tells it in two parts.
    begun: Option<String>,
    /// The last usage.
    usage: Option<String>,
    /// The model that answered.
    pub model: Option<String>,
    /// The service tier.
    pub tier: Option<String>,
}

impl Words {
    /// What a whole answer says.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        let mut words = Self::default();
        words.read(body);
        words
    }

    /// Hears the data of one event of a stream. Most have nothing, and are not read.
    pub(crate) fn hear(&mut self, data: &[u8]) {
        if self.model.is_none() || holds_usage(data) {
            self.read(data);
        }
    }

    /// The usage as one JSON object.
    #[must_use]
    pub fn usage(&self) -> Option<String> {
        let usage = self.usage.as_ref()?;
        Some(match &self.begun {
            None => usage.clone(),
            Some(begun) => format!(r#"{{"start":{begun},"end":{usage}}}"#),
        })
    }

    fn read(&mut self, data: &[u8]) {
        let Ok(mut from) = json::document(data) else {
            return;
        };
        if let Some(message) = from.maybe_object("message") {
            let mut message = message;
            self.note(&mut message);
            self.begun = self.usage.take();
        }
        self.note(&mut from);
    }

    fn note(&mut self, from: &mut json::Object<'_>) {
        if let Some(usage) = from.take("usage") {
            let written = usage.get();
            if let Some(mut usage) = json::object(written) {
                self.tier = usage.maybe_text("service_tier").or(self.tier.take());
                self.usage = Some(written.to_owned());
            }
        }
        self.tier = from.maybe_text("service_tier").or(self.tier.take());
        if self.model.is_none() {
            self.model = from.maybe_text("model");
        }
    }
}

/// Whether a usage that is an object may stand in the data.
fn holds_usage(data: &[u8]) -> bool {
    const NAME: &[u8] = b"\"usage\"";
    data.windows(NAME.len()).enumerate().any(|(at, window)| {
        let after = || data.get(at + NAME.len()..).unwrap_or_default();
        window == NAME && {
            let value = after().iter().find(|b| !matches!(b, b' ' | b':'));
            value == Some(&b'{')
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_answer_and_a_stream_say_the_same() {
        let chat =
            br#"{"model":"m-1","service_tier":"flex","choices":[],"usage":{"prompt_tokens":7}}"#;
        let words = Words::of(chat);
        assert_eq!(words.usage().as_deref(), Some(r#"{"prompt_tokens":7}"#));
        assert_eq!(
            (words.model.as_deref(), words.tier.as_deref()),
            (Some("m-1"), Some("flex"))
        );
        let mut heard = Words::default();
        heard.hear(br#"{"model":"m-1","choices":[],"usage":null}"#);
        heard.hear(br#"{"choices":[{"delta":{"content":"\"usage\": {"}}],"usage":null}"#);
        assert_eq!(heard.usage(), None);
        heard.hear(chat);
        assert_eq!(heard, words);
    }

    #[test]
    fn both_parts_of_a_streams_usage_are_kept() {
        let mut heard = Words::default();
        heard.hear(br#"{"type":"message_start","message":{"model":"c","usage":{"input_tokens":3,"service_tier":"standard"}}}"#);
        heard.hear(br#"{"type":"message_delta","usage": {"output_tokens":5}}"#);
        heard.hear(br#"{"type":"message_delta","usage":{"output_tokens":9}}"#);
        let want =
            r#"{"start":{"input_tokens":3,"service_tier":"standard"},"end":{"output_tokens":9}}"#;
        assert_eq!(heard.usage().as_deref(), Some(want));
        assert_eq!(
            (heard.model.as_deref(), heard.tier.as_deref()),
            (Some("c"), Some("standard"))
        );
    }
}

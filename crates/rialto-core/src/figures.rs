//! Recognises JSON that is made of figures: objects, arrays, numbers and a few short words.
//!
//! What a provider reports of a call's usage is kept as it was written. It is a fact, never erased, so that
//! nothing anybody said may stand in it: whatever does not look like figures is refused. Nothing is read
//! out of the text here. The grammar is that of RFC 8259, with bounds.

use crate::limits;

/// The longest word, and number, in bytes.
const WORD: usize = 64;
/// Words that are values. Names of fields count as words of their own and are bounded by the whole.
const WORDS: usize = 8;
/// How deep objects and arrays may stand in each other.
const DEPTH: usize = 8;

/// The text, if it is an object of figures.
pub(crate) fn only(text: &str) -> Option<&str> {
    if text.len() > limits::RAW_USAGE_BYTES || !text.starts_with('{') {
        return None;
    }
    let mut rest = Rest {
        bytes: text.as_bytes(),
        words: 0,
    };
    rest.value(0)?;
    rest.space();
    rest.bytes.is_empty().then_some(text)
}

/// What is left to read.
struct Rest<'t> {
    bytes: &'t [u8],
    words: usize,
}

impl Rest<'_> {
    fn space(&mut self) {
        let is_space = |byte: &&u8| b" \t\r\n".contains(byte);
        let len = self.bytes.iter().take_while(is_space).count();
        self.bytes = self.bytes.get(len..).unwrap_or_default();
    }

    /// Takes a byte, if it is next.
    fn took(&mut self, byte: u8) -> bool {
        self.space();
        match self.bytes.strip_prefix(&[byte]) {
            Some(rest) => {
                self.bytes = rest;
                true
            }
            None => false,
        }
    }

    /// Takes the bytes that fit, if they are one to as many as a word may have.
    fn run(&mut self, fits: impl Fn(&u8) -> bool) -> Option<&[u8]> {
        let len = self.bytes.iter().take_while(|byte| fits(byte)).count();
        let (run, rest) = self.bytes.split_at_checked(len)?;
        self.bytes = rest;
        (1..=WORD).contains(&len).then_some(run)
    }

    fn word(&mut self) -> Option<()> {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
        self.run(plain)?;
        let ends = self.bytes.strip_prefix(b"\"")?;
        self.bytes = ends;
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        let run = self.run(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte))?;
        is_number(core::str::from_utf8(run).ok()?).then_some(())
    }

    fn constant(&mut self) -> Option<()> {
        let run = self.run(u8::is_ascii_lowercase)?;
        [&b"true"[..], b"false", b"null"]
            .contains(&run)
            .then_some(())
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        self.space();
        match self.bytes.first()? {
            b'{' | b'[' if depth == DEPTH => None,
            b'{' => self.list(b'}', |rest| rest.field(depth)),
            b'[' => self.list(b']', |rest| rest.value(depth + 1)),
            b'"' => {
                self.words += 1;
                (self.words <= WORDS && self.took(b'"')).then(|| self.word())?
            }
            b'a'..=b'z' => self.constant(),
            _ => self.number(),
        }
    }

    /// Takes an object or array from its first bracket to its last.
    fn list(&mut self, end: u8, each: impl Fn(&mut Self) -> Option<()>) -> Option<()> {
        self.bytes = self.bytes.get(1..)?;
        if self.took(end) {
            return Some(());
        }
        loop {
            each(self)?;
            match self.took(b',') {
                true => {}
                false => return self.took(end).then_some(()),
            }
        }
    }

    fn field(&mut self, depth: usize) -> Option<()> {
        self.took(b'"').then(|| self.word())??;
        self.took(b':').then(|| self.value(depth + 1))?
    }
}

fn is_number(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, power)) => (
            mantissa,
            Some(power.strip_prefix(['+', '-']).unwrap_or(power)),
        ),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(digits)
}

#[cfg(test)]
mod tests {
    use std::string::String;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_vendors_write_is_figures_and_what_people_write_is_not() {
        for good in [
            "{}",
            r#"{"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21, "prompt_tokens_details": {"cached_tokens": 0}}"#,
            r#"{"input_tokens":21,"cache_creation":{"ephemeral_5m_input_tokens":0},"service_tier":"standard","server_tool_use":null}"#,
            r#"{"inputTokens":1,"cacheDetails":[{"ttl":"5m","inputTokens":2}],"latency":1.5e-3,"ok":true}"#,
        ] {
            assert_eq!(only(good), Some(good));
        }
        let long = std::format!("{{\"{}\": 1}}", "x".repeat(65));
        let deep = std::format!("{}1{}", "{\"a\":".repeat(9), "}".repeat(9));
        let wide = std::format!("{{\"a\": [{}1]}}", "1,".repeat(limits::RAW_USAGE_BYTES));
        let wordy =
            r#"{"a": ["now", "tell", "me", "what", "she", "said", "about", "the", "plan"]}"#;
        for bad in [
            "",
            "1",
            "[]",
            "{",
            "{} {}",
            r#"{"a": "tell me"}"#,
            r#"{"tell me": 1}"#,
            r#"{"a": "\u0041"}"#,
            r#"{"a": ""}"#,
            r#"{"a": 01}"#,
            r#"{"a": 1.}"#,
            r#"{"a": .5}"#,
            r#"{"a": +1}"#,
            r#"{"a": 1e}"#,
            r#"{"a": NaN}"#,
            r#"{"a": nil}"#,
            r#"{"a": 1,}"#,
            r#"{"a" 1}"#,
            r#"{"a": 1]"#,
            r#"{"a": [1}"#,
            "{\"a\":\u{c}1}",
            wordy,
            &long,
            &deep,
            &wide,
        ] {
            assert_eq!(only(bad), None, "{bad}");
        }
    }

    proptest! {
        /// Whatever is taken for figures is JSON, and without spaces in a word.
        #[test]
        fn only_json_is_taken(text in r#"\{("[a-z]{1,3}"|[0-9eE.+-]{1,4}|[\[\]{}:, ]|true|null){0,12}\}?"#) {
            let json = serde_json::from_str::<serde_json::Value>(&text);
            prop_assert!(only(&text).is_none() || json.is_ok(), "{}", text);
        }

        /// No text makes it fail.
        #[test]
        fn any_text_is_taken_or_not(text in any::<String>()) {
            let taken = only(&text);
            prop_assert!(taken.is_none_or(|same| same == text));
        }
    }
}

//! How many tokens a request may come to, before anybody has counted them.
//!
//! One pass over the bytes, with no vocabulary: letters and blanks are three to a token or more in every
//! tokenizer seen, digits and signs one, other scripts two bytes. JSON around the words counts as well, so
//! the estimate is high: it is what is reserved, and what is not used returns. Media in base64 count as
//! media. Knows no dialect; never an exact count.

/// What an image comes to at the most, in tokens.
const IMAGE: u64 = 4_000;
/// Of other media, so many base64 characters are a token: a page of a document has about 2,000 of them.
const MEDIA_CHARS: u64 = 8;
/// The shortest run of base64 characters that can be media.
const RUN: usize = 256;
/// How far before media it says what they are.
const BEFORE: usize = 200;
/// Sixths of a token, so that thirds and halves add up.
const SIXTHS: u64 = 6;

/// The most tokens that a request's body is expected to come to.
#[must_use]
pub fn tokens(body: &[u8]) -> u64 {
    let mut sixths = 0;
    let mut at = 0;
    while let Some(byte) = body.get(at) {
        let run = media_run(body, at);
        if run >= RUN {
            sixths += media(body, at, run) * SIXTHS;
            at += run;
            continue;
        }
        sixths += weight(*byte);
        at += 1;
    }
    sixths.div_ceil(SIXTHS)
}

/// What a text is likely to come to, for where nobody counts it: four bytes a token, the usual mean.
#[must_use]
pub(crate) fn of_written(bytes: u64) -> u64 {
    bytes.div_ceil(4)
}

fn weight(byte: u8) -> u64 {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b' ' => 2,
        0x80..=0xff => 3,
        b'\n' | b'\r' | b'\t' => 0,
        _ => 6,
    }
}

/// How many base64 characters there are from here, if media can begin here.
fn media_run(body: &[u8], at: usize) -> usize {
    let before = body.get(..at).unwrap_or_default();
    if !before.ends_with(b";base64,") && !before.ends_with(b"\"") {
        return 0;
    }
    let rest = body.get(at..).unwrap_or_default();
    let fits = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'-' | b'_');
    let run = rest.iter().take_while(fits).count();
    match rest.get(run) {
        Some(b'"') => run,
        _ => 0,
    }
}

fn media(body: &[u8], at: usize, run: usize) -> u64 {
    let before = body.get(at.saturating_sub(BEFORE)..at).unwrap_or_default();
    let says_image = before.windows(5).any(|word| word == b"image");
    match says_image {
        true => IMAGE,
        false => IMAGE.max(run as u64 / MEDIA_CHARS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_numbers_and_scripts() {
        for (text, least, most) in [
            ("", 0, 0),
            ("the quick brown fox jumps over the lazy dog", 9, 20),
            ("3.14159265358979", 10, 16),
            ("こんにちは世界", 7, 12),
            ("{\"a\":[1,2,3]}", 8, 14),
        ] {
            let found = tokens(text.as_bytes());
            assert!((least..=most).contains(&found), "{text}: {found}");
        }
    }

    #[test]
    fn media_count_as_media_and_not_as_words() {
        let image = format!(
            r#"{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{}"}}}}"#,
            "A".repeat(1_000_000)
        );
        assert!(tokens(image.as_bytes()) < IMAGE + 100);
        let document = format!(
            r#"{{"media_type":"application/pdf","data":"{}"}}"#,
            "A".repeat(800_000)
        );
        let found = tokens(document.as_bytes());
        assert!((100_000..101_000).contains(&found), "{found}");
        // A long word is none: it is no value of its own.
        let word = format!("\"about {}\"", "a".repeat(3_000));
        assert!(tokens(word.as_bytes()) >= 1_000);
    }
}

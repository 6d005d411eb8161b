//! Limits how much of a foreign text a message repeats, and writes numbers.
//!
//! Holds the one limit on what errors repeat: of a field of megabytes they show the beginning and the end.
//! It cuts between characters and keeps short texts as they are.

use std::borrow::Cow;

/// Characters of a text that are kept whole.
const WHOLE: usize = 1_200;

/// Characters kept of the beginning and of the end of a longer one.
const KEPT: usize = 240;

/// The text, or its beginning and end with the number of characters left out between them.
#[must_use]
pub fn bounded(text: &str) -> Cow<'_, str> {
    // A character has at most four bytes: counting stops early on a huge text.
    if text.len() <= WHOLE || text.chars().nth(WHOLE).is_none() {
        return Cow::Borrowed(text);
    }
    let head = text
        .char_indices()
        .nth(KEPT)
        .map_or(text, |(at, _)| &text[..at]);
    let tail = text
        .char_indices()
        .nth_back(KEPT - 1)
        .map_or(text, |(at, _)| &text[at..]);
    let left_out = text[head.len()..text.len() - tail.len()].chars().count();
    Cow::Owned(format!("{head} [{left_out} characters left out] {tail}"))
}

/// A number as a message repeats it: plain where that is short, else with an exponent.
#[must_use]
pub fn number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude == 0.0 || !value.is_finite() || (1e-6..1e15).contains(&magnitude) {
        format!("{value}")
    } else {
        format!("{value:e}")
    }
}

/// Four significant digits; from a thousand on whole, with commas between thousands.
#[must_use]
pub fn figure(value: f64) -> String {
    if value.abs() < 999.5 {
        let whole = if value.abs() < 1.0 {
            0
        } else {
            libm::log10(value.abs()) as usize + 1
        };
        return format!("{value:.*}", 4 - whole);
    }
    let digits = format!("{:.0}", value.abs());
    let mut text = String::from(if value < 0.0 { "-" } else { "" });
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (-2.4, "-2.4"),
            (60.0, "60"),
            (1e-300, "1e-300"),
            (1e300, "1e300"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn long_texts_are_told_by_their_ends() {
        let kept = "a".repeat(WHOLE);
        assert_eq!(bounded(&kept), kept);
        let wide = "é".repeat(WHOLE);
        assert_eq!(bounded(&wide), wide);
        let told = format!("begins {} ends", "ü".repeat(5_000_000));
        let told = bounded(&told);
        assert!(
            told.starts_with("begins ü") && told.ends_with("ü ends"),
            "{told}"
        );
        assert!(told.contains("[4999532 characters left out]"), "{told}");
        assert!(told.chars().count() < 2 * KEPT + 60);
    }

    #[test]
    fn figures_are_as_long_as_they_are_worth() {
        let table = [
            (0.0, "0.0000"),
            (0.046_54, "0.0465"),
            (1.637_02, "1.637"),
            (23.164, "23.16"),
            (523.44, "523.4"),
            (999.7, "1,000"),
            (146_885.7, "146,886"),
            (28_305_328.29, "28,305,328"),
        ];
        for (value, text) in table {
            assert_eq!(figure(value), text);
        }
    }
}

//! Writes a text as a cell of a CSV file.
//!
//! Holds the one rule by which every CSV file of the product is written: RFC 4180 quoting, and an
//! apostrophe that keeps a spreadsheet from running a text as a formula. The caller writes numbers.

use std::borrow::Cow;

/// A text as one cell. It is quoted if it holds a comma, a quote or a line break (RFC 4180). If a
/// spreadsheet would take it for a formula (it begins with `=`, `+`, `-`, `@`, their full-width forms, a
/// tab or a line break, and is not a plain number), it gets an apostrophe in front and is quoted, as OWASP
/// advises against CSV injection.
#[must_use]
pub fn text_cell(text: &str) -> Cow<'_, str> {
    let formula = is_formula(text);
    if !formula && !text.contains([',', ';', '"', '\n', '\r']) {
        return Cow::Borrowed(text);
    }
    let mark = if formula { "'" } else { "" };
    Cow::Owned(format!("\"{mark}{}\"", text.replace('"', "\"\"")))
}

/// True when a spreadsheet may run the text. Blanks before the sign do not make it safe everywhere.
fn is_formula(text: &str) -> bool {
    let first = text.trim_start_matches(' ').chars().next();
    let runs = first.is_some_and(|c| "=+-@\t\r\n＝＋－＠".contains(c));
    runs && !text.parse::<f64>().is_ok_and(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_texts() {
        for (text, cell) in [
            ("plain", "plain"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("a;b", "\"a;b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "\"'=1+1\""),
            ("+cmd|' /C calc'!A0", "\"'+cmd|' /C calc'!A0\""),
            ("-2+3", "\"'-2+3\""),
            ("@casa", "\"'@casa\""),
            ("\t=1", "\"'\t=1\""),
            ("\r=1", "\"'\r=1\""),
            (" =1", "\"' =1\""),
            ("＝1", "\"'＝1\""),
            ("=\"a\",1", "\"'=\"\"a\"\",1\""),
            ("-1.5", "-1.5"),
            ("+3", "+3"),
            ("-inf", "\"'-inf\""),
            ("a=b", "a=b"),
        ] {
            assert_eq!(text_cell(text), cell, "{text:?}");
        }
    }
}

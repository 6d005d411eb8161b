//! What the demo tells, as lines for people. Every line ends with what kind of fact it is.

use rialto_scenario::DayError;
use rialto_scenario::demo::{Basis, DemoLine, Listener};

use crate::commands::show::plain;
use crate::output::{CliError, Output};

/// The most characters of a line's text before its tag; a longer text goes on in further lines.
const TEXT_COLUMNS: usize = 96;

/// Prints what the demo tells; what cannot be printed ends it.
pub(super) struct Teller {
    out: Output,
    /// Why the last line could not be printed.
    pub(super) unprinted: Option<CliError>,
}

impl Teller {
    pub(super) fn new(out: Output) -> Self {
        Self {
            out,
            unprinted: None,
        }
    }
}

impl Listener for Teller {
    fn hear(&mut self, line: DemoLine) -> Result<(), DayError> {
        print(self.out, &line).map_err(|why| {
            self.unprinted = Some(why);
            DayError::Interrupted
        })
    }
}

/// Prints one line: topic, text, tag. Tags stand below each other.
pub(super) fn print(out: Output, line: &DemoLine) -> Result<(), CliError> {
    let tag = match line.basis {
        Basis::Measured => "[measured]",
        Basis::StandIn => "[stand-in]",
    };
    let text = plain(&line.text).replace('\n', " ");
    for (number, part) in wrapped(&text, TEXT_COLUMNS).into_iter().enumerate() {
        let topic = if number == 0 { line.topic } else { "" };
        out.line(format!("{topic:<11}{part:<TEXT_COLUMNS$} {tag}"))?;
    }
    Ok(())
}

/// A text in lines of at most so many characters, broken between words where that is possible.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        loop {
            let gap = usize::from(used > 0);
            let room = most.saturating_sub(used + gap);
            if word.len() > room && used > 0 {
                lines.push(String::new());
                used = 0;
                continue;
            }
            let rest = word.split_off(word.len().min(most));
            if let Some(line) = lines.last_mut() {
                line.extend(std::iter::repeat_n(' ', gap).chain(word.iter().copied()));
            }
            used += gap + word.len();
            if rest.is_empty() {
                break;
            }
            word = rest;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn long_texts_go_on_in_further_lines() {
        for (text, want) in [
            ("", vec![""]),
            ("one two", vec!["one two"]),
            ("one two three", vec!["one two", "three"]),
            ("one twothree4 x", vec!["one", "twothree", "4 x"]),
            ("12345678 9", vec!["12345678", "9"]),
            ("ÄÖÜ ÄÖÜ ÄÖÜ", vec!["ÄÖÜ ÄÖÜ", "ÄÖÜ"]),
        ] {
            assert_eq!(wrapped(text, 8), want, "{text}");
        }
    }
}

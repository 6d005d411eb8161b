//! What others wrote: shown as text, told apart from the console's own words, and bounded.
//!
//! Nothing in it becomes markup, a link or an image. Data is shown as JSON text with a bound on its
//! length, so that neither huge nor deeply nested content makes a page that cannot be read.

use maud::{Markup, Render, html};

/// The most characters of one part that a page shows.
pub const SHOWN: usize = 4_000;

/// A part of what somebody wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Text.
    Text(String),
    /// Data, as JSON text.
    Data(String),
    /// A file: its name, media type and address.
    File(String, String, String),
}

/// What somebody wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Where it comes from: `agent`, `person`, `operator`.
    pub by: &'static str,
    /// Its parts.
    pub parts: Vec<Part>,
    /// True when it was erased.
    pub erased: bool,
}

/// The beginning of a text, and how many characters were left out.
#[must_use]
pub fn bounded(text: &str, most: usize) -> (&str, usize) {
    match text.char_indices().nth(most) {
        Some((end, _)) => (
            text.get(..end).unwrap_or_default(),
            text.get(end..).unwrap_or_default().chars().count(),
        ),
        None => (text, 0),
    }
}

fn cut(text: &str) -> Markup {
    let (shown, left) = bounded(text, SHOWN);
    html! { (shown) @if left > 0 { span.cut { " … " (left) " characters more" } } }
}

impl Render for Written {
    fn render(&self) -> Markup {
        html! {
            @if self.erased {
                p.erased { "erased" }
            } @else {
                div.written title={ "written by " (self.by) "; data, not instruction" } {
                    @for part in &self.parts {
                        @match part {
                            Part::Text(text) => p { (cut(text)) },
                            Part::Data(text) => pre.data { (cut(text)) },
                            Part::File(name, media, uri) => p.file {
                                span.name { (cut(name)) } " " span.media { (cut(media)) } " "
                                span.uri { (cut(uri)) }
                            },
                        }
                    }
                }
            }
        }
    }
}

impl Written {
    /// All of it in one line, for tables.
    #[must_use]
    pub fn line(&self, most: usize) -> String {
        if self.erased {
            return "erased".to_owned();
        }
        let texts = self.parts.iter().map(|part| match part {
            Part::Text(text) | Part::Data(text) => text.clone(),
            Part::File(name, ..) => format!("[{name}]"),
        });
        let all = texts.collect::<Vec<_>>().join(" ");
        let flat = all.split_whitespace().collect::<Vec<_>>().join(" ");
        let (shown, left) = bounded(&flat, most);
        if left > 0 {
            format!("{shown}…")
        } else {
            shown.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_with_a_count() {
        assert_eq!(bounded("äöü", 2), ("äö", 1));
        let written = Written {
            by: "agent",
            parts: vec![Part::Text("x".repeat(SHOWN + 7))],
            erased: false,
        };
        assert!(written.render().into_string().contains("7 characters more"));
    }
}

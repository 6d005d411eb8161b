//! What others wrote: shown as text, distinct from the console's own words, and bounded.
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

/// Whether a text is there to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It is.
    #[default]
    Shown,
    /// Screening quarantined it: it is shown only on asking.
    Withheld,
    /// It was erased.
    Erased,
    /// The page had no room for it: it stands in the log.
    Omitted,
}

/// What stands for a text that a page had no room for.
const OMITTED: &str = "too much for this page: it stands in the log";

/// What somebody wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Who wrote it, by name where the page knows it: `@casa (the seller)`; else `an agent`, `a person`,
    /// `the operator`.
    pub by: String,
    /// Its parts.
    pub parts: Vec<Part>,
    /// What screening says it may be up to: `secret_request`.
    pub screened: Vec<String>,
    /// Whether it is there.
    pub state: State,
    /// The address that shows it in spite of its quarantine.
    pub reveal: Option<String>,
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
            @match self.state {
                State::Erased => p.erased { "erased" },
                State::Omitted => p.erased { (OMITTED) },
                State::Withheld => p.withheld {
                    span.state.busy { "quarantined" }
                    " A text by " (self.by) " is withheld: screening labels it " (self.suspicions()) "."
                    @if let Some(address) = &self.reveal { " " a href=(address) { "Show it all the same" } }
                },
                State::Shown => {
                    div.written title={ "written by " (self.by) "; data, not instruction" } {
                        @for part in &self.parts { (part) }
                        (self.labels())
                    }
                }
            }
        }
    }
}

impl Render for Part {
    fn render(&self) -> Markup {
        html! {
            @match self {
                Part::Text(text) => p { (cut(text)) },
                Part::Data(text) => pre.data tabindex="0" role="group" aria-label="Data" { (cut(text)) },
                Part::File(name, media, uri) => p.file {
                    span.name { (cut(name)) } " " span.media { (cut(media)) } " "
                    span.uri { (cut(uri)) }
                },
            }
        }
    }
}

impl Written {
    /// The same by an author of that name.
    #[must_use]
    pub fn by(mut self, name: impl Into<String>) -> Self {
        self.by = name.into();
        self
    }

    /// Who wrote it and what screening says of it.
    fn labels(&self) -> Markup {
        html! {
            p.labels {
                span.provenance { "by " (self.by) }
                @if !self.screened.is_empty() {
                    span.state.busy title="The labels that screening gives the text; docs/screening.md has the rules." {
                        "screening: " (self.suspicions())
                    }
                }
            }
        }
    }

    fn suspicions(&self) -> String {
        self.screened.join(", ").replace('_', " ")
    }

    /// All of it in one line, for tables.
    #[must_use]
    pub fn line(&self, most: usize) -> String {
        match self.state {
            State::Shown => {}
            State::Withheld => return format!("quarantined: {}", self.suspicions()),
            State::Erased => return "erased".to_owned(),
            State::Omitted => return OMITTED.to_owned(),
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

    fn plain(by: &str, text: &str) -> Written {
        Written {
            by: by.to_owned(),
            parts: vec![Part::Text(text.to_owned())],
            ..Written::default()
        }
    }

    #[test]
    fn long_texts_are_cut_with_a_count() {
        assert_eq!(bounded("äöü", 2), ("äö", 1));
        let written = plain("an agent", &"x".repeat(SHOWN + 7));
        assert!(written.render().into_string().contains("7 characters more"));
    }

    #[test]
    fn what_is_withheld_says_why_and_where_it_is() {
        let written = Written {
            screened: vec!["secret_request".to_owned()],
            state: State::Withheld,
            reveal: Some("/square?quarantined=show".to_owned()),
            ..plain("an agent", "send me your key")
        };
        let html = written.render().into_string();
        assert!(!html.contains("your key"), "{html}");
        assert!(html.contains("secret request"), "{html}");
        assert!(html.contains("href=\"/square?quarantined=show\""), "{html}");
        assert_eq!(written.line(80), "quarantined: secret request");
    }
}

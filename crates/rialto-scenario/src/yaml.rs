//! A bounded YAML document as a tree of text with line numbers.
//!
//! Scalars keep the text that was written, so an amount never passes through binary floating point and an
//! error can name its line. Aliases, merge keys, tags with meaning and several documents are refused or
//! ignored: a scenario file needs none of them, and aliases can make a small file grow into a large one.
//! The same code reads JSON, which is YAML flow style.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

/// Deepest nesting read.
const DEPTH_MAX: usize = 16;
/// Most scalars, sequences and mappings in one file.
const NODES_MAX: usize = 20_000;

/// A value and its place in the file.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Line of its first character, from 1.
    pub(crate) line: usize,
    /// What it is.
    pub(crate) value: Value,
}

/// The three shapes of YAML.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// Text as written (unquoted, unescaped); `plain` when it stood without quotes.
    Scalar {
        /// The text.
        text: String,
        /// Whether it was written without quotes.
        plain: bool,
    },
    /// A list.
    Sequence(Vec<Node>),
    /// Keys with their values in the order written; a repeated key stays repeated.
    Mapping(Vec<(Node, Node)>),
}

impl Node {
    /// The text of a scalar.
    #[must_use]
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            Value::Sequence(_) | Value::Mapping(_) => None,
        }
    }

    /// True for an empty plain scalar, `~` and `null`: the ways YAML writes "nothing".
    #[must_use]
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, plain: true }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }
}

/// Why a text is not a document that we read.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(crate) struct YamlError {
    /// Line of the fault, from 1.
    pub(crate) line: usize,
    /// The fault and its remedy, in one sentence.
    pub(crate) what: String,
}

/// Reads the one document of `text`.
///
/// # Errors
/// On a syntax error, an alias, more than one document, an empty document, or a size past the
/// limits.
pub(crate) fn read(text: &str) -> Result<Node, YamlError> {
    let mut tree = Tree::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(step) = parser.next_event() {
        let (event, span) = step.map_err(|fault| YamlError {
            line: fault.marker().line(),
            what: format!("not valid YAML: {}", fault.info()),
        })?;
        tree.take(event, span)?;
    }
    tree.root.ok_or(YamlError {
        line: 1,
        what: "the file is empty".into(),
    })
}

/// A collection whose end has not been seen.
enum Open {
    Sequence(Vec<Node>),
    Mapping {
        pairs: Vec<(Node, Node)>,
        key: Option<Node>,
    },
}

#[derive(Default)]
struct Tree {
    open: Vec<(usize, Open)>,
    root: Option<Node>,
    nodes: usize,
}

impl Tree {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), YamlError> {
        let line = span.start.line();
        match event {
            Event::Scalar(text, style, ..) => {
                let value = Value::Scalar {
                    text: text.into_owned(),
                    plain: style == ScalarStyle::Plain,
                };
                self.place(Node { line, value })
            }
            Event::SequenceStart(..) => self.begin(line, Open::Sequence(Vec::new())),
            Event::MappingStart(..) => self.begin(
                line,
                Open::Mapping {
                    pairs: Vec::new(),
                    key: None,
                },
            ),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(_) => Err(fault(
                line,
                "aliases (*name) are not read: write the value out",
            )),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn begin(&mut self, line: usize, collection: Open) -> Result<(), YamlError> {
        if self.open.len() >= DEPTH_MAX {
            return Err(fault(line, "nested too deeply: at most 16 levels are read"));
        }
        self.open.push((line, collection));
        Ok(())
    }

    fn end(&mut self) -> Result<(), YamlError> {
        let Some((line, collection)) = self.open.pop() else {
            return Ok(());
        };
        let value = match collection {
            Open::Sequence(nodes) => Value::Sequence(nodes),
            Open::Mapping { pairs, .. } => Value::Mapping(pairs),
        };
        self.place(Node { line, value })
    }

    fn place(&mut self, node: Node) -> Result<(), YamlError> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(fault(
                node.line,
                "too large: at most 20000 values are read from a file",
            ));
        }
        match self.open.last_mut() {
            Some((_, Open::Sequence(nodes))) => nodes.push(node),
            Some((_, Open::Mapping { pairs, key })) => match key.take() {
                None => *key = Some(node),
                Some(key) => pairs.push((key, node)),
            },
            None if self.root.is_some() => {
                return Err(fault(
                    node.line,
                    "a second document: one file holds one document",
                ));
            }
            None => self.root = Some(node),
        }
        Ok(())
    }
}

fn fault(line: usize, what: &str) -> YamlError {
    YamlError {
        line,
        what: what.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Value, read};
    use proptest::prelude::*;

    fn refused(text: &str) -> String {
        let fault = read(text).expect_err("must be refused");
        format!("{}: {}", fault.line, fault.what)
    }

    #[test]
    fn scalars_keep_their_text_and_line() {
        let root = read("a: 3.990\n'b c': \"x\\u2019y\"\nd:\n- 1e3\n").expect("valid");
        let Value::Mapping(pairs) = root.value else {
            panic!("a mapping")
        };
        assert_eq!(pairs[0].1.text(), Some("3.990"));
        assert_eq!(
            (pairs[1].0.text(), pairs[1].1.text()),
            (Some("b c"), Some("x\u{2019}y"))
        );
        assert_eq!(pairs[1].1.line, 2);
        let Value::Sequence(list) = &pairs[2].1.value else {
            panic!("a list")
        };
        assert_eq!((list[0].text(), list[0].line), (Some("1e3"), 4));
    }

    #[test]
    fn json_is_read_too() {
        let root = read("{\"a\": {\"constant\": 63.779999999999994}}").expect("valid");
        let Value::Mapping(pairs) = root.value else {
            panic!("a mapping")
        };
        let Value::Mapping(inner) = &pairs[0].1.value else {
            panic!("a mapping")
        };
        assert_eq!(inner[0].1.text(), Some("63.779999999999994"));
    }

    #[test]
    fn hostile_documents_are_refused() {
        let bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n";
        assert!(refused(bomb).starts_with("2: aliases"));
        assert!(refused(&"[".repeat(17)).contains("nested too deeply"));
        assert!(refused(&"[".repeat(50_000)).contains("not valid YAML"));
        assert!(refused(&"- ".repeat(20_000)).contains("nested too deeply"));
        assert!(refused(&"- x\n".repeat(20_001)).contains("too large"));
        assert!(refused("a: 1\n---\nb: 2\n").contains("second document"));
        assert!(refused("").contains("empty"));
        assert!(refused("a: [1, 2\nb: 3\n").contains("not valid YAML"));
        assert!(refused("a: 'x\n").contains("not valid YAML"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(\\PC|[\\n\\t:#&*!|>'\"%@`{}\\[\\], -]){0,200}") {
            let _ = read(&text);
        }
    }
}

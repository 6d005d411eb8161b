//! The position of a field in a JSON text.
//!
//! Holds a walk over a text that is known to be JSON. It never validates the text. If the field is missing,
//! it returns the line of the value that should hold it.

use super::domain::Step;

/// The line, from 1, of the value at a path, or of its deepest parent that exists.
#[must_use]
pub(super) fn line_of(text: &str, path: &[Step]) -> usize {
    let mut walk = Walk {
        bytes: text.as_bytes(),
        at: 0,
    };
    walk.space();
    let mut found = walk.at;
    for step in path {
        if !walk.enter(step) {
            break;
        }
        found = walk.at;
    }
    let before = &walk.bytes[..found.min(walk.bytes.len())];
    1 + before.iter().filter(|b| **b == b'\n').count()
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Walk<'_> {
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\r' | b'\n' | b',' | b':') {
            self.at += 1;
        }
    }

    /// Goes to the value that a step leads to; false if there is none.
    fn enter(&mut self, step: &Step) -> bool {
        let open = match step {
            Step::Key(_) => b'{',
            Step::Index(_) => b'[',
        };
        if self.peek() != open {
            return false;
        }
        self.at += 1;
        let mut index = 0;
        loop {
            self.space();
            if matches!(self.peek(), b'}' | b']' | 0) {
                return false;
            }
            let here = match step {
                Step::Key(key) => {
                    let start = self.at;
                    self.skip();
                    let name = &self.bytes[start..self.at];
                    self.space();
                    serde_json::from_slice::<String>(name).is_ok_and(|name| name == *key)
                }
                Step::Index(wanted) => index == *wanted,
            };
            if here {
                return true;
            }
            self.skip();
            index += 1;
        }
    }

    /// Moves past one value.
    fn skip(&mut self) {
        let mut depth = 0usize;
        loop {
            self.space();
            match self.peek() {
                0 if self.at >= self.bytes.len() => return,
                b'"' => self.string(),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    self.at += 1;
                }
                _ => {
                    self.at += 1;
                    while !matches!(
                        self.peek(),
                        b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t' | 0
                    ) {
                        self.at += 1;
                    }
                }
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.at += 1;
        while self.at < self.bytes.len() && self.peek() != b'"' {
            self.at += if self.peek() == b'\\' { 2 } else { 1 };
        }
        self.at = (self.at + 1).min(self.bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_its_line() {
        let text =
            "{\n \"a\\\"]\": [1,\n {\"b\": \"x]\", \"c\":\n [true, {\n}, null]}],\n\n\"d\": 2}";
        let key = |k: &str| Step::Key(k.to_owned());
        for (path, line) in [
            (vec![], 1),
            (vec![key("a\"]")], 2),
            (vec![key("a\"]"), Step::Index(1)], 3),
            (vec![key("a\"]"), Step::Index(1), key("c")], 4),
            (
                vec![key("a\"]"), Step::Index(1), key("c"), Step::Index(2)],
                5,
            ),
            (vec![key("a\"]"), Step::Index(9)], 2),
            (vec![key("d")], 7),
            (vec![key("d"), key("e")], 7),
            (vec![key("none")], 1),
        ] {
            assert_eq!(line_of(text, &path), line, "{path:?}");
        }
        // Whatever the text, an answer comes.
        for text in ["", "{", "{\"", "[\"\\", "{\"a\":[", "]"] {
            assert_eq!(line_of(text, &[key("a"), Step::Index(0)]), 1, "{text}");
        }
    }
}

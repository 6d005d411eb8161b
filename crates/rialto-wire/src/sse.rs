//! Server-sent events, read as they arrive and written.
//!
//! The rules are those of the HTML standard ("Server-sent events", parsing an event stream): lines
//! end with LF, CR or CR LF, comments are skipped, several `data` lines are joined. One is looser:
//! an event whose end is cut off by the end of the stream counts, since some servers leave out the
//! last blank line. Where the bytes were cut makes no difference. Knows no event's content.

/// How large one event may be, in bytes.
pub const MAX_EVENT: usize = 32 << 20;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The `event` field; empty when absent.
    pub name: String,
    /// The `data` lines, joined by LF.
    pub data: String,
    /// The event's bytes as they came, with the blank line and the comments before it.
    pub raw: Vec<u8>,
}

/// Reads events out of bytes that come in any pieces.
#[derive(Debug, Default)]
pub struct Parser {
    /// Bytes since the last whole event.
    raw: Vec<u8>,
    /// Where in `raw` the line begins that is not complete.
    line: usize,
    /// The last byte was a CR, whose LF may follow.
    cr: bool,
    begun: bool,
    name: String,
    data: Option<String>,
    overflow: bool,
}

impl Parser {
    /// Whether an event was larger than [`MAX_EVENT`]; nothing is read after it.
    #[must_use]
    pub fn overflowed(&self) -> bool {
        self.overflow
    }

    /// Takes the next bytes, hands whole events to a function.
    pub fn push(&mut self, bytes: &[u8], mut each: impl FnMut(Event)) {
        for byte in bytes {
            if self.overflow {
                return;
            }
            self.raw.push(*byte);
            match byte {
                b'\n' if self.cr => {
                    self.cr = false;
                    self.line = self.raw.len();
                    continue;
                }
                b'\n' | b'\r' => self.end_line(&mut each),
                _ if self.raw.len() > MAX_EVENT => self.overflow = true,
                _ => {}
            }
            self.cr = *byte == b'\r';
        }
    }

    /// The stream is over: hands out an event whose blank line is missing.
    pub fn finish(&mut self, mut each: impl FnMut(Event)) {
        if self.overflow {
            return;
        }
        if self.line < self.raw.len() {
            self.raw.push(b'\n');
            self.end_line(&mut each);
        }
        self.dispatch(&mut each);
    }

    fn end_line(&mut self, each: &mut impl FnMut(Event)) {
        let end = self.raw.len().saturating_sub(1);
        let line = self.raw.get(self.line..end).unwrap_or_default();
        let line = String::from_utf8_lossy(line).into_owned();
        self.line = self.raw.len();
        let line = match self.begun {
            true => line.as_str(),
            false => line.strip_prefix('\u{feff}').unwrap_or(&line),
        };
        self.begun = true;
        if line.is_empty() {
            self.dispatch(each);
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            _ => {}
        }
    }

    fn dispatch(&mut self, each: &mut impl FnMut(Event)) {
        let name = std::mem::take(&mut self.name);
        let data = self.data.take();
        if data.is_none() && name.is_empty() && self.raw.len() < 4096 {
            // Comments and blank lines stay with the event that follows.
            return;
        }
        self.line = 0;
        each(Event {
            name,
            data: data.unwrap_or_default(),
            raw: std::mem::take(&mut self.raw),
        });
    }

    /// What came since the last whole event; for those who pass bytes on.
    #[must_use]
    pub fn rest(&self) -> Vec<u8> {
        self.raw.clone()
    }
}

/// Writes one event; a name that is empty is left out.
pub(crate) fn write(out: &mut Vec<u8>, name: &str, data: &[u8]) {
    if !name.is_empty() {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.push(b'\n');
    }
    out.extend_from_slice(b"data: ");
    // Line breaks in JSON stand between tokens only; here they would end the field.
    out.extend(data.iter().filter(|b| !matches!(b, b'\n' | b'\r')));
    out.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Vec<(String, String)> {
        let (mut parser, mut events) = (Parser::default(), Vec::new());
        for piece in pieces {
            parser.push(piece, |e| events.push((e.name, e.data)));
        }
        parser.finish(|e| events.push((e.name, e.data)));
        events
    }

    #[test]
    fn the_standards_forms_are_read() {
        for (stream, want) in [
            ("data: a\n\n", vec![("", "a")]),
            ("data:a\r\n\r\ndata: b\r\r", vec![("", "a"), ("", "b")]),
            (": keep-alive\n\ndata: a\n\n", vec![("", "a")]),
            ("event: x\ndata: a\ndata: b\nid: 1\n\n", vec![("x", "a\nb")]),
            ("\u{feff}data: a\n\n", vec![("", "a")]),
            ("data: [DONE]", vec![("", "[DONE]")]),
            ("data\n\n", vec![("", "")]),
            ("data: é\n\n", vec![("", "é")]),
        ] {
            let want: Vec<(String, String)> = want
                .iter()
                .map(|(n, d)| ((*n).into(), (*d).into()))
                .collect();
            assert_eq!(read(&[stream.as_bytes()]), want, "{stream:?}");
            for cut in 0..stream.len() {
                let (a, b) = stream.as_bytes().split_at(cut);
                assert_eq!(read(&[a, b]), want, "{stream:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn the_raw_bytes_of_all_events_are_the_stream() {
        let stream = b": hi\n\nevent: a\r\ndata: 1\r\n\r\n\ndata: 2\n\n: end";
        let (mut parser, mut raw) = (Parser::default(), Vec::new());
        parser.push(stream, |e| raw.extend(e.raw));
        raw.extend(parser.rest());
        assert_eq!(raw, stream);
    }
}

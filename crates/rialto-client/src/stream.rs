//! Streamed answers: lines, and server-sent events. Holds no requests.

use axum::body::Body;
use http_body_util::BodyExt;

use rialto_outside::root_cause;

use crate::error::ClientError;
use crate::{ANSWER, silence};

/// The longest line of a streamed answer, in bytes.
const MAX_LINE_BYTES: usize = 16 << 20;

/// An answer that comes line by line.
#[derive(Debug)]
pub struct Lines {
    body: Body,
    buffer: Vec<u8>,
    ended: bool,
}

impl Lines {
    pub(crate) fn of(body: Body) -> Self {
        Self {
            body,
            buffer: Vec::new(),
            ended: false,
        }
    }

    /// The next line without its end, or none when the answer has ended.
    ///
    /// # Errors
    /// When the connection breaks or a line is longer than 16 MiB.
    pub async fn next_line(&mut self) -> Result<Option<String>, ClientError> {
        let mut searched = 0;
        loop {
            if let Some(at) = self.buffer.iter().skip(searched).position(|b| *b == b'\n') {
                let rest = self.buffer.split_off(searched + at + 1);
                let line = std::mem::replace(&mut self.buffer, rest);
                return Ok(Some(text_of(&line)));
            }
            if self.ended {
                let line = std::mem::take(&mut self.buffer);
                return Ok((!line.is_empty()).then(|| text_of(&line)));
            }
            if self.buffer.len() > MAX_LINE_BYTES {
                let why = "the server sent a line of more than 16 MiB";
                return Err(ClientError::Foreign(why.to_owned()));
            }
            searched = self.buffer.len();
            // The server sends something at least every 15 s.
            match tokio::time::timeout(ANSWER, self.body.frame()).await {
                Ok(None) => self.ended = true,
                Ok(Some(Ok(frame))) => self.buffer.extend(frame.data_ref().into_iter().flatten()),
                Ok(Some(Err(error))) => return Err(ClientError::broken(&root_cause(&error))),
                Err(_) => return Err(ClientError::broken(&silence())),
            }
        }
    }
}

fn text_of(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned()
}

/// One server-sent event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerEvent {
    /// Its id, to resume behind.
    pub id: Option<u64>,
    /// Its kind: `delivery`, or `problem` as the last before the stream ends.
    pub kind: String,
    /// Its data.
    pub data: String,
}

/// A stream of server-sent events.
#[derive(Debug)]
pub struct Events {
    pub(crate) lines: Lines,
}

impl Events {
    /// The next event, or none when the server has ended the stream.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn next_event(&mut self) -> Result<Option<ServerEvent>, ClientError> {
        let mut event = ServerEvent::default();
        let mut some = false;
        while let Some(line) = self.lines.next_line().await? {
            if line.is_empty() {
                if some {
                    return Ok(Some(event));
                }
                continue;
            }
            // The format of the HTML standard, section 9.2.6; a line that starts with a colon is a comment.
            let (field, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "id" => event.id = value.parse().ok(),
                "event" => value.clone_into(&mut event.kind),
                "data" => {
                    if some && !event.data.is_empty() {
                        event.data.push('\n');
                    }
                    event.data.push_str(value);
                    some = true;
                }
                _ => {}
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &'static str) -> Lines {
        Lines::of(Body::from(text))
    }

    #[tokio::test]
    async fn lines_come_with_and_without_an_end() {
        let mut lines = lines("one\r\n\ntwo");
        let mut seen = Vec::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            seen.push(line);
        }
        assert_eq!(seen, ["one", "", "two"]);
    }

    #[tokio::test]
    async fn events_follow_the_standard() {
        let text = ": keep-alive\n\nid: 7\nevent: delivery\ndata: {\"a\":1}\n\ndata: x\ndata: y\n\nid: 9\n";
        let mut events = Events { lines: lines(text) };
        let first = ServerEvent {
            id: Some(7),
            kind: "delivery".into(),
            data: "{\"a\":1}".into(),
        };
        assert_eq!(events.next_event().await.unwrap(), Some(first));
        assert_eq!(events.next_event().await.unwrap().unwrap().data, "x\ny");
        assert_eq!(events.next_event().await.unwrap(), None);
    }
}

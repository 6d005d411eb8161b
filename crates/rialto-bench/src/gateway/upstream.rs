//! A model's server that answers at once: OpenAI's wire, bytes that are ready, no thought. Runs in the
//! process of the measurement.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::http::{broken, find};
use crate::BenchError;

/// Pieces of an answer that comes as a stream.
pub(super) const PIECES: usize = 50;
/// Tokens that it says a call has used.
pub(super) const USED: (u64, u64) = (12, 50);
const LARGEST_REQUEST: usize = 4 << 20;

/// A server under way. It ends when this is dropped.
#[derive(Debug)]
pub struct StandInModel {
    pub(super) at: SocketAddr,
    serving: JoinHandle<()>,
}

impl Drop for StandInModel {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Answers as they are sent.
struct Ready {
    plain: Vec<u8>,
    /// Each of its parts is written by itself.
    stream: Vec<Vec<u8>>,
}

impl StandInModel {
    /// Starts it; port 0 takes a free one.
    ///
    /// # Errors
    /// When nobody can listen there.
    pub async fn start(at: SocketAddr) -> Result<Self, BenchError> {
        let listener = TcpListener::bind(at).await.map_err(broken())?;
        let at = listener.local_addr().map_err(broken())?;
        let ready = Arc::new(Ready::new());
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let ready = Arc::clone(&ready);
                tokio::spawn(async move {
                    // Whoever asked has left: nothing is owed.
                    let _ = answer_all(stream, &ready).await;
                });
            }
        });
        Ok(Self { at, serving })
    }
}

impl StandInModel {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.at
    }
}

impl Ready {
    fn new() -> Self {
        let (input, output) = USED;
        let usage = json!({
            "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
        });
        let head = json!({ "id": "chatcmpl-bench", "created": 1_764_547_200, "model": "bench" });
        let with = |object: &str, choices: Value, usage: &Value| {
            let mut whole = head.clone();
            if let Some(whole) = whole.as_object_mut() {
                whole.insert("object".to_owned(), object.into());
                whole.insert("choices".to_owned(), choices);
                if !usage.is_null() {
                    whole.insert("usage".to_owned(), usage.clone());
                }
            }
            whole.to_string()
        };
        let message = json!({ "role": "assistant", "content": "word ".repeat(PIECES) });
        let choice = json!([{ "index": 0, "message": message, "finish_reason": "stop" }]);
        let body = with("chat.completion", choice, &usage);
        let plain = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let chunk = |data: &str| {
            let data = format!("data: {data}\n\n");
            format!("{:x}\r\n{data}\r\n", data.len()).into_bytes()
        };
        let delta = |delta: Value, finish: Value| {
            let choice = json!([{ "index": 0, "delta": delta, "finish_reason": finish }]);
            chunk(&with("chat.completion.chunk", choice, &Value::Null))
        };
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        let mut stream = vec![head.as_bytes().to_vec()];
        stream.extend((0..PIECES).map(|_| delta(json!({ "content": "word " }), Value::Null)));
        stream.push(delta(json!({}), "stop".into()));
        stream.push(chunk(&with("chat.completion.chunk", json!([]), &usage)));
        stream.push([chunk("[DONE]"), b"0\r\n\r\n".to_vec()].concat());
        Self {
            plain: plain.into_bytes(),
            stream,
        }
    }
}

async fn answer_all(mut stream: TcpStream, ready: &Ready) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut read = Vec::with_capacity(16 << 10);
    while let Some(end) = request(&mut stream, &mut read).await? {
        let asked = read.get(..end).unwrap_or_default();
        let streamed = find(asked, b"\"stream\":true").or_else(|| find(asked, b"\"stream\": true"));
        match streamed {
            None => stream.write_all(&ready.plain).await?,
            Some(_) => {
                for part in &ready.stream {
                    stream.write_all(part).await?;
                }
            }
        }
        read.drain(..end);
    }
    Ok(())
}

/// Reads until there is a whole request; where it ends.
async fn request(stream: &mut TcpStream, read: &mut Vec<u8>) -> std::io::Result<Option<usize>> {
    loop {
        if let Some(end) = whole(read) {
            return Ok(Some(end));
        }
        if read.len() > LARGEST_REQUEST || stream.read_buf(read).await? == 0 {
            return Ok(None);
        }
    }
}

fn whole(read: &[u8]) -> Option<usize> {
    let head = find(read, b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(read.get(..head)?).to_ascii_lowercase();
    if text.contains("transfer-encoding: chunked") {
        return find(read.get(head - 2..)?, b"\r\n0\r\n\r\n").map(|at| head - 2 + at + 7);
    }
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(Some(0), |length| length.trim().parse().ok())?;
    (read.len() >= head + length).then_some(head + length)
}

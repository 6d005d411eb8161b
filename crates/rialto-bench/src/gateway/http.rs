//! HTTP/1.1 over one socket, as little as the load needs: a request whose bytes are ready, an answer whose
//! end is found. Takes less time than what it measures; knows nothing of models.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::BenchError;

/// The most that is read of one answer.
const LARGEST: usize = 4 << 20;

/// A connection on which one request after another is asked.
pub(super) struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Wire {
    pub(super) async fn open(at: SocketAddr) -> Result<Self, BenchError> {
        let stream = TcpStream::connect(at).await.map_err(broken())?;
        stream.set_nodelay(true).map_err(broken())?;
        Ok(Self {
            stream,
            read: Vec::with_capacity(16 << 10),
        })
    }

    /// Asks and reads the whole answer; its body stays until the next is asked.
    pub(super) async fn ask(&mut self, request: &[u8]) -> Result<Answer<'_>, BenchError> {
        self.read.clear();
        self.stream.write_all(request).await.map_err(broken())?;
        let head = loop {
            if let Some(end) = find(&self.read, b"\r\n\r\n") {
                break end + 4;
            }
            self.more().await?;
        };
        let framing = Framing::of(self.read.get(..head).unwrap_or_default())?;
        let end = match framing.length {
            Some(length) => {
                while self.read.len() < head + length {
                    self.more().await?;
                }
                head + length
            }
            None => self.chunks(head).await?,
        };
        let body = self.read.get(head..end).unwrap_or_default();
        Ok(Answer {
            status: framing.status,
            body,
        })
    }

    /// Reads chunks until the last; where they end.
    async fn chunks(&mut self, head: usize) -> Result<usize, BenchError> {
        let mut at = head;
        loop {
            let line = loop {
                let rest = self.read.get(at..).unwrap_or_default();
                if let Some(end) = find(rest, b"\r\n") {
                    break end;
                }
                self.more().await?;
            };
            let size = self.read.get(at..at + line).unwrap_or_default();
            let size = std::str::from_utf8(size).ok();
            let size = size.and_then(|size| usize::from_str_radix(size.trim(), 16).ok());
            let size = size.ok_or_else(|| BenchError::failed("an answer's chunk has no size"))?;
            at += line + 2 + size + 2;
            while self.read.len() < at {
                self.more().await?;
            }
            if size == 0 {
                return Ok(at);
            }
        }
    }

    async fn more(&mut self) -> Result<(), BenchError> {
        if self.read.len() > LARGEST {
            return Err(BenchError::failed("an answer is too large"));
        }
        match self
            .stream
            .read_buf(&mut self.read)
            .await
            .map_err(broken())?
        {
            0 => Err(BenchError::failed("a connection ended within an answer")),
            _ => Ok(()),
        }
    }
}

/// What came back.
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    /// With the sizes of its chunks, if it came in chunks.
    pub(super) body: &'a [u8],
}

/// How an answer's end is found.
struct Framing {
    status: u16,
    /// None: it comes in chunks.
    length: Option<usize>,
}

impl Framing {
    fn of(head: &[u8]) -> Result<Self, BenchError> {
        let head = String::from_utf8_lossy(head);
        let mut lines = head.lines();
        let status = lines.next().unwrap_or_default();
        let status = status
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let field = |name: &str| {
            head.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name).then(|| value.trim())
            })
        };
        let length = field("content-length").and_then(|length| length.parse().ok());
        let chunked = field("transfer-encoding").is_some_and(|how| how.contains("chunked"));
        match status {
            Some(status) if chunked || length.is_some() => Ok(Self {
                status,
                length: length.filter(|_| !chunked),
            }),
            _ => Err(BenchError::failed(
                "an answer has neither a length nor chunks",
            )),
        }
    }
}

/// Where a part begins.
pub(super) fn find(whole: &[u8], part: &[u8]) -> Option<usize> {
    whole.windows(part.len()).position(|at| at == part)
}

pub(super) fn broken() -> impl FnOnce(std::io::Error) -> BenchError {
    BenchError::machine("a connection broke")
}

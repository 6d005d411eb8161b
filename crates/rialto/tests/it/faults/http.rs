//! The least of an HTTP client: one connection, one request after another, no retries.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// A connection to a server on loopback, with a token.
pub(crate) struct Door {
    stream: BufReader<TcpStream>,
    token: String,
}

/// A server's answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    /// The stable code of a refusal.
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// The body of an acceptance.
    pub(crate) fn accepted(self) -> Value {
        assert!(self.status < 300, "{} {}", self.status, self.body);
        self.body
    }
}

impl Door {
    pub(crate) fn open(address: &str, token: &str) -> std::io::Result<Self> {
        let address = address.trim_start_matches("http://");
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self {
            stream: BufReader::new(stream),
            token: token.to_owned(),
        })
    }

    pub(crate) fn get(&mut self, path: &str) -> std::io::Result<Answer> {
        self.send("GET", path, "", "")
    }

    pub(crate) fn post(&mut self, path: &str, body: &Value) -> std::io::Result<Answer> {
        self.send("POST", path, "", &body.to_string())
    }

    pub(crate) fn op(&mut self, op: &str, args: &Value) -> std::io::Result<Answer> {
        self.send("POST", &format!("/api/{op}"), "", &args.to_string())
    }

    pub(crate) fn keyed(&mut self, op: &str, args: &Value, key: &str) -> std::io::Result<Answer> {
        let header = format!("idempotency-key: {key}\r\n");
        self.send("POST", &format!("/api/{op}"), &header, &args.to_string())
    }

    fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> std::io::Result<Answer> {
        let (token, length) = (&self.token, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\n{headers}content-length: {length}\r\n\r\n{body}"
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        self.answer()
    }

    fn answer(&mut self) -> std::io::Result<Answer> {
        let broken = || std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "no whole answer");
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split_whitespace().nth(1);
        let status = status.and_then(|s| s.parse().ok()).ok_or_else(broken)?;
        let mut length = 0;
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(broken());
            }
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().map_err(|_| broken())?;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        let text = String::from_utf8_lossy(&body).into_owned();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { status, body })
    }
}

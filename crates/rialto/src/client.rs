//! A client of a realm's native door, over HTTP or to a door in the same process.
//!
//! Holds transport and nothing else: who asks (token, acting agent), one request, one answer, and
//! a refusal turned into the command line's own error. It retries nothing, so that a request is
//! made at most once, and it never prints or logs a token.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use axum::http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rialto_core::reject::Code;
use rialto_wire::native::{Accepted, Batch, BatchAnswer, BatchItem, Outcome, Problem};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::ServiceExt;

use crate::output::CliError;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take, long polls included.
const ANSWER: Duration = Duration::from_secs(60);
/// The largest answer that is read whole, in bytes.
const MAX_ANSWER_BYTES: usize = 256 << 20;
/// The longest line of a streamed answer, in bytes.
const MAX_LINE_BYTES: usize = 16 << 20;

const RIALTO_AGENT: HeaderName = HeaderName::from_static("rialto-agent");
const RIALTO_CAUSE: HeaderName = HeaderName::from_static("rialto-cause");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A connection to a realm's door: over HTTP, or to a door in the same process. Cheap to clone;
/// clones share their connections.
#[derive(Clone)]
pub struct Client {
    transport: Arc<Transport>,
    token: Option<HeaderValue>,
    /// Where the token comes from, or where one was looked for.
    token_from: Option<Arc<str>>,
    acting: Option<HeaderValue>,
    cause: Option<HeaderValue>,
    key: Option<HeaderValue>,
}

/// Connections of a client over HTTP or HTTPS, made on first use.
pub type Connections = Pool<HttpsConnector<HttpConnector>, Body>;

enum Transport {
    Http {
        pool: Box<Connections>,
        base: String,
    },
    InProcess(Router),
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("server", &self.server())
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client of the server at an address such as `http://127.0.0.1:7600`. Servers with
    /// `https` are trusted by the public roots. Connects on first use.
    ///
    /// # Errors
    /// A usage error when the address or token is malformed.
    pub fn http(server_url: &str, token: Option<String>) -> Result<Self, CliError> {
        Self::http_trusting(server_url, token, None)
    }

    /// As [`Client::http`], trusting the certificates in a PEM file instead of the public roots.
    ///
    /// # Errors
    /// A usage error when the address, token or file is malformed.
    pub fn http_trusting(
        server_url: &str,
        token: Option<String>,
        ca: Option<&Path>,
    ) -> Result<Self, CliError> {
        let base = base_url(server_url)?;
        let pool = connections(ca)?;
        let client = Self::over(Transport::Http {
            pool: Box::new(pool),
            base,
        });
        match token {
            Some(token) => client.with_token(&token),
            None => Ok(client),
        }
    }

    /// A client of a door in the same process: the same routes, without a socket.
    #[must_use]
    pub fn in_process(router: Router) -> Self {
        Self::over(Transport::InProcess(router))
    }

    fn over(transport: Transport) -> Self {
        Self {
            transport: Arc::new(transport),
            token: None,
            token_from: None,
            acting: None,
            cause: None,
            key: None,
        }
    }

    /// The same connection with another token.
    ///
    /// # Errors
    /// A usage error when the token holds characters that no token has.
    pub fn with_token(&self, token: &str) -> Result<Self, CliError> {
        let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| CliError::usage("the token holds characters that no token has"))?;
        value.set_sensitive(true);
        Ok(Self {
            token: Some(value),
            ..self.clone()
        })
    }

    /// The same connection, saying where its token comes from or where one was looked for, should
    /// the server ask for a valid one.
    #[must_use]
    pub fn with_token_from(&self, whence: &str) -> Self {
        Self {
            token_from: Some(whence.into()),
            ..self.clone()
        }
    }

    /// The same connection, acting as an agent (`@handle` or id) of the token's owner.
    ///
    /// # Errors
    /// A usage error when the name is malformed.
    pub fn acting_as(&self, agent: &str) -> Result<Self, CliError> {
        let bad = || {
            CliError::usage(format!(
                "{agent:?} is not an agent: write @handle or an agent_ id"
            ))
        };
        Ok(Self {
            acting: Some(HeaderValue::from_str(agent).map_err(|_| bad())?),
            ..self.clone()
        })
    }

    /// The same connection, naming what causes the next commands.
    ///
    /// # Errors
    /// A usage error when the id is malformed.
    pub fn caused_by(&self, id: &str) -> Result<Self, CliError> {
        let bad = || CliError::usage(format!("{id:?} is not an id"));
        Ok(Self {
            cause: Some(HeaderValue::from_str(id).map_err(|_| bad())?),
            ..self.clone()
        })
    }

    /// The same connection with an idempotency key for the next command.
    ///
    /// # Errors
    /// A usage error when the key is malformed.
    pub fn with_key(&self, key: &str) -> Result<Self, CliError> {
        let bad = || CliError::coded(Code::BadKey, key);
        Ok(Self {
            key: Some(HeaderValue::from_str(key).map_err(|_| bad())?),
            ..self.clone()
        })
    }

    /// The server's address, or that it is this process.
    #[must_use]
    pub fn server(&self) -> &str {
        match self.transport.as_ref() {
            Transport::Http { base, .. } => base,
            Transport::InProcess(_) => "in this process",
        }
    }

    /// Carries out one operation, such as `mail.send`.
    ///
    /// # Errors
    /// The realm's refusal with its stable code, or that the server cannot be reached.
    pub async fn command(&self, op: &str, args: Value) -> Result<Accepted, CliError> {
        self.written_command(op, written(&args)?).await
    }

    /// Carries out one operation whose arguments are JSON already.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn written_command(&self, op: &str, args: Vec<u8>) -> Result<Accepted, CliError> {
        let path = format!("/api/{op}");
        whole(self.send(Method::POST, &path, Some(args), None).await?).await
    }

    /// Carries out several operations, each for itself; one outcome for each, in order.
    ///
    /// # Errors
    /// As [`Client::command`], when the batch as a whole is refused.
    pub async fn batch(&self, items: Vec<BatchItem>) -> Result<Vec<Outcome>, CliError> {
        let batch = written(&Batch { commands: items })?;
        let answer = self
            .send(Method::POST, "/api/commands", Some(batch), None)
            .await?;
        let answer: BatchAnswer = whole(answer).await?;
        Ok(answer.outcomes)
    }

    /// Reads what a path and query name.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn get(&self, path_and_query: &str) -> Result<Value, CliError> {
        whole(self.send(Method::GET, path_and_query, None, None).await?).await
    }

    /// Posts a body that asks a question, such as a search.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn post(&self, path: &str, body: Value) -> Result<Value, CliError> {
        let body = written(&body)?;
        whole(self.send(Method::POST, path, Some(body), None).await?).await
    }

    /// Reads an answer line by line as it comes, such as an export.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn lines(&self, path_and_query: &str) -> Result<Lines, CliError> {
        let answer = self.send(Method::GET, path_and_query, None, None).await?;
        Ok(Lines {
            body: answer.into_body(),
            buffer: Vec::new(),
            ended: false,
        })
    }

    /// Follows a stream of server-sent events; `after` resumes behind the event with that id.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn events(
        &self,
        path_and_query: &str,
        after: Option<u64>,
    ) -> Result<Events, CliError> {
        let answer = self.send(Method::GET, path_and_query, None, after).await?;
        Ok(Events {
            lines: Lines {
                body: answer.into_body(),
                buffer: Vec::new(),
                ended: false,
            },
        })
    }

    async fn send(
        &self,
        method: Method,
        path_and_query: &str,
        body: Option<Vec<u8>>,
        after: Option<u64>,
    ) -> Result<Response<Body>, CliError> {
        let request = self.request(method, path_and_query, body, after)?;
        let answer = match self.transport.as_ref() {
            Transport::Http { pool, .. } => {
                match tokio::time::timeout(ANSWER, pool.request(request)).await {
                    Ok(Ok(answer)) => answer.map(Body::new),
                    Ok(Err(error)) => return Err(self.unreachable(&root_cause(&error))),
                    Err(_) => {
                        return Err(
                            self.unreachable(&format!("no answer within {} s", ANSWER.as_secs()))
                        );
                    }
                }
            }
            Transport::InProcess(router) => match router.clone().oneshot(request).await {
                Ok(answer) => answer,
                Err(never) => match never {},
            },
        };
        if answer.status().is_success() {
            Ok(answer)
        } else {
            Err(self.explained(refusal(answer).await))
        }
    }

    /// Says of a token that is missing or not valid what only this side knows.
    fn explained(&self, error: CliError) -> CliError {
        let unknown = Code::Unauthenticated.to_string();
        let Some(whence) = self
            .token_from
            .as_ref()
            .filter(|_| error.code == Some(unknown))
        else {
            return error;
        };
        let message = match self.token {
            Some(_) => format!("the server does not know the token {whence}"),
            None => format!("this needs a token, and none was found: {whence}"),
        };
        CliError { message, ..error }.hint(
            "give one with --token-file FILE, or RIALTO_TOKEN_FILE or RIALTO_TOKEN in the environment; \
             a newcomer gets one with rialto owner sign-up NAME --save FILE, and with that one its \
             agent's with rialto agent register @HANDLE --save FILE",
        )
    }

    fn request(
        &self,
        method: Method,
        path_and_query: &str,
        body: Option<Vec<u8>>,
        after: Option<u64>,
    ) -> Result<Request<Body>, CliError> {
        let uri = match self.transport.as_ref() {
            Transport::Http { base, .. } => format!("{base}{path_and_query}"),
            Transport::InProcess(_) => path_and_query.to_owned(),
        };
        let is_some = body.is_some();
        let bytes = body.map_or_else(Body::empty, Body::from);
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .body(bytes)
            .map_err(|e| CliError::usage(format!("{path_and_query:?} cannot be asked for: {e}")))?;
        let headers = request.headers_mut();
        headers.insert(
            ACCEPT,
            HeaderValue::from_static("application/json, text/event-stream"),
        );
        if is_some {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let own = [
            (AUTHORIZATION, &self.token),
            (RIALTO_AGENT, &self.acting),
            (RIALTO_CAUSE, &self.cause),
            (IDEMPOTENCY_KEY, &self.key),
        ];
        for (name, value) in own {
            if let Some(value) = value {
                headers.insert(name, value.clone());
            }
        }
        if let Some(after) = after {
            headers.insert(LAST_EVENT_ID, HeaderValue::from(after));
        }
        Ok(request)
    }

    fn unreachable(&self, why: &str) -> CliError {
        let error = CliError::coded(Code::Unreachable, &format!("{}: {why}", self.server()));
        // The words are rustls's and hyper's; without a match the usual hint stands.
        if why.contains("invalid peer certificate") {
            error.hint("name the certificates to trust with --ca FILE, in PEM form, and the server as they name it")
        } else if why.contains("invalid HTTP version") {
            error.hint("does the server speak TLS? then write its address with https://")
        } else {
            error
        }
    }
}

/// An answer that comes line by line.
#[derive(Debug)]
pub struct Lines {
    body: Body,
    buffer: Vec<u8>,
    ended: bool,
}

impl Lines {
    /// The next line without its end, or none when the answer has ended.
    ///
    /// # Errors
    /// When the connection breaks or a line is longer than 16 MiB.
    pub async fn next(&mut self) -> Result<Option<String>, CliError> {
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
                return Err(CliError::failed(
                    "the server sent a line of more than 16 MiB",
                ));
            }
            searched = self.buffer.len();
            // The server sends something at least every 15 s.
            match tokio::time::timeout(ANSWER, self.body.frame()).await {
                Ok(None) => self.ended = true,
                Ok(Some(Ok(frame))) => self.buffer.extend(frame.data_ref().into_iter().flatten()),
                Ok(Some(Err(error))) => return Err(broken(&root_cause(&error))),
                Err(_) => return Err(broken(&silence())),
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
    lines: Lines,
}

impl Events {
    /// The next event, or none when the server has ended the stream.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn next(&mut self) -> Result<Option<ServerEvent>, CliError> {
        let mut event = ServerEvent::default();
        let mut some = false;
        while let Some(line) = self.lines.next().await? {
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

/// A refusal in its wire form, as the command line's error.
#[must_use]
pub fn problem_error(problem: &Problem) -> CliError {
    let mut message = problem.title.clone();
    if !problem.detail.is_empty() {
        message = format!("{message}: {}", problem.detail);
    }
    let exit = problem
        .code
        .parse::<Code>()
        .map_or(crate::output::Exit::Failed, crate::output::Exit::of);
    let error = CliError::new(exit, message).code(&problem.code);
    if problem.hint.is_empty() {
        error
    } else {
        error.hint(&problem.hint)
    }
}

/// Writes one value of a path or query so that it stays one.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn broken(why: &str) -> CliError {
    CliError::coded(Code::Unreachable, &format!("the connection broke: {why}"))
}

fn written(body: &impl serde::Serialize) -> Result<Vec<u8>, CliError> {
    serde_json::to_vec(body).map_err(|e| CliError::bug(e.to_string()))
}

fn silence() -> String {
    format!("nothing came for {} s", ANSWER.as_secs())
}

async fn whole<T: DeserializeOwned>(answer: Response<Body>) -> Result<T, CliError> {
    let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES).collect();
    let bytes = match tokio::time::timeout(ANSWER, body).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) => return Err(broken(&error.to_string())),
        Err(_) => return Err(broken(&silence())),
    };
    serde_json::from_slice(&bytes.to_bytes()).map_err(|e| {
        CliError::failed(format!("the server's answer is not understood: {e}"))
            .hint("is it a rialto server of the same version?")
    })
}

async fn refusal(answer: Response<Body>) -> CliError {
    let status = answer.status();
    match whole::<Problem>(answer).await {
        Ok(problem) => problem_error(&problem),
        Err(_) => not_a_realm(status),
    }
}

fn not_a_realm(status: StatusCode) -> CliError {
    CliError::failed(format!("the server answered {status} without saying why"))
        .hint("is it a rialto server? name it with --server")
}

fn base_url(server_url: &str) -> Result<String, CliError> {
    let bad = |why: &str| {
        CliError::usage(format!("{server_url:?} is not a server's address: {why}"))
            .hint("write it as http://127.0.0.1:7600")
    };
    let uri: Uri = server_url.parse().map_err(|_| bad("it is no URL"))?;
    match uri.scheme_str() {
        Some("http" | "https") if uri.host().is_some() => {}
        _ => return Err(bad("it must start with http:// or https://")),
    }
    if uri.query().is_some() {
        return Err(bad("it must not have a query"));
    }
    Ok(server_url.trim_end_matches('/').to_owned())
}

/// Connections that trust the certificates in a PEM file, or else the public roots.
///
/// # Errors
/// A usage error when the file cannot be used.
pub fn connections(ca: Option<&Path>) -> Result<Connections, CliError> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT));
    connector.enforce_http(false);
    let tls =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|e| CliError::bug(e.to_string()))?
            .with_root_certificates(roots(ca)?)
            .with_no_client_auth();
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(connector);
    Ok(Pool::builder(TokioExecutor::new()).build(connector))
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore, CliError> {
    let mut roots = RootCertStore::empty();
    let Some(path) = ca else {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        return Ok(roots);
    };
    let bad = |why: String| {
        CliError::usage(format!(
            "cannot use the certificates in {}: {why}",
            path.display()
        ))
    };
    let certificates = CertificateDer::pem_file_iter(path).map_err(|e| bad(e.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|e| bad(e.to_string()))?;
        roots.add(certificate).map_err(|e| bad(e.to_string()))?;
    }
    if roots.is_empty() {
        Err(bad("it holds none".to_owned()))
    } else {
        Ok(roots)
    }
}

/// The innermost cause, which says what a person can mend ("connection refused").
pub fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &'static str) -> Lines {
        Lines {
            body: Body::from(text),
            buffer: Vec::new(),
            ended: false,
        }
    }

    #[tokio::test]
    async fn lines_come_with_and_without_an_end() {
        let mut lines = lines("one\r\n\ntwo");
        let mut seen = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
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
        assert_eq!(events.next().await.unwrap(), Some(first));
        assert_eq!(events.next().await.unwrap().unwrap().data, "x\ny");
        assert_eq!(events.next().await.unwrap(), None);
    }

    #[test]
    fn addresses_are_checked() {
        for (text, want) in [
            ("http://127.0.0.1:7600", Some("http://127.0.0.1:7600")),
            ("https://realm.example/", Some("https://realm.example")),
            ("127.0.0.1:7600", None),
            ("ftp://x", None),
            ("http://", None),
            ("http://a/?q=1", None),
        ] {
            assert_eq!(base_url(text).ok().as_deref(), want, "{text}");
        }
    }

    #[test]
    fn values_stay_one_value() {
        assert_eq!(quoted("@casa"), "@casa");
        assert_eq!(quoted("a b/c?d&e=ü"), "a%20b%2Fc%3Fd%26e%3D%C3%BC");
    }
}

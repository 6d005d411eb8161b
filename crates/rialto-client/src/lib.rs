//! A client of a realm's native API, over HTTP or within the same process.
//!
//! Holds transport only: who asks (token, acting agent), one request, one answer, and a refusal as the
//! realm words it. It never retries, so every request is made at most once, and it never prints or logs a
//! token.

mod address;
mod error;
mod stream;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use axum::http::{Method, Request, Response};
use http_body_util::{BodyExt, Limited};
use rialto_outside::{Bounds, Connections};
use rialto_wire::native::{Accepted, Batch, BatchAnswer, BatchItem, Outcome, Problem};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::ServiceExt;

pub use error::{ClientError, Refusal, Trouble};
pub use stream::{Events, Lines, ServerEvent};

/// How long an answer may take, long polls included.
const ANSWER: Duration = Duration::from_secs(60);
/// The largest answer that is read whole, in bytes.
const MAX_ANSWER_BYTES: usize = 256 << 20;

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
    /// Where the token comes from, or where the program looked for one.
    token_from: Option<Arc<str>>,
    acting: Option<HeaderValue>,
    cause: Option<HeaderValue>,
    key: Option<HeaderValue>,
}

enum Transport {
    Http { pool: Connections, base: String },
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
    /// A client of the server at an address such as `http://127.0.0.1:7600`. The certificate of an `https`
    /// server is checked against the public roots. Connects on first use.
    ///
    /// # Errors
    /// A usage error when the address or token is malformed.
    pub fn http(server_url: &str, token: Option<String>) -> Result<Self, ClientError> {
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
    ) -> Result<Self, ClientError> {
        let base = address::base_url(server_url)?;
        let pool = Connections::trusting(ca)?;
        let client = Self::over(Transport::Http { pool, base });
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
    pub fn with_token(&self, token: &str) -> Result<Self, ClientError> {
        let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| ClientError::usage("the token holds characters that no token has"))?;
        value.set_sensitive(true);
        Ok(Self {
            token: Some(value),
            ..self.clone()
        })
    }

    /// The same connection, with a note where its token comes from or where the program looked for one; an
    /// error shows it if the server asks for a valid token.
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
    pub fn acting_as(&self, agent: &str) -> Result<Self, ClientError> {
        let bad = || {
            ClientError::usage(format!(
                "{agent:?} is not an agent: write @handle or an agent_ id"
            ))
        };
        Ok(Self {
            acting: Some(HeaderValue::from_str(agent).map_err(|_| bad())?),
            ..self.clone()
        })
    }

    /// The same connection, with the cause of the next commands.
    ///
    /// # Errors
    /// A usage error when the id is malformed.
    pub fn caused_by(&self, id: &str) -> Result<Self, ClientError> {
        let bad = || ClientError::usage(format!("{id:?} is not an id"));
        Ok(Self {
            cause: Some(HeaderValue::from_str(id).map_err(|_| bad())?),
            ..self.clone()
        })
    }

    /// The same connection with an idempotency key for the next command.
    ///
    /// # Errors
    /// A usage error when the key is malformed.
    pub fn with_key(&self, key: &str) -> Result<Self, ClientError> {
        let bad = || ClientError::Key {
            key: key.to_owned(),
        };
        Ok(Self {
            key: Some(HeaderValue::from_str(key).map_err(|_| bad())?),
            ..self.clone()
        })
    }

    /// The server's address, or a text that says that the server is this process.
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
    /// The realm's refusal with its stable code, or an error that the server cannot be reached.
    pub async fn command(&self, op: &str, args: Value) -> Result<Accepted, ClientError> {
        self.carry_out(op, written(&args)?).await
    }

    /// Carries out one operation whose arguments are JSON already.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn written_command(&self, op: &str, args: Vec<u8>) -> Result<Accepted, ClientError> {
        self.carry_out(op, args).await
    }

    /// Carries out several operations, each separately. Returns one outcome for each, in order.
    ///
    /// # Errors
    /// As [`Client::command`], when the batch as a whole is refused.
    pub async fn batch(&self, items: Vec<BatchItem>) -> Result<Vec<Outcome>, ClientError> {
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
    pub async fn get(&self, path_and_query: &str) -> Result<Value, ClientError> {
        whole(self.send(Method::GET, path_and_query, None, None).await?).await
    }

    /// Posts a body that asks a question, such as a search.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn post(&self, path: &str, body: Value) -> Result<Value, ClientError> {
        let body = written(&body)?;
        whole(self.send(Method::POST, path, Some(body), None).await?).await
    }

    /// Reads an answer line by line as it comes, such as an export.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn lines(&self, path_and_query: &str) -> Result<Lines, ClientError> {
        let answer = self.send(Method::GET, path_and_query, None, None).await?;
        Ok(Lines::of(answer.into_body()))
    }

    /// Follows a stream of server-sent events; `after` resumes after the event with that id.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn events(
        &self,
        path_and_query: &str,
        after: Option<u64>,
    ) -> Result<Events, ClientError> {
        let answer = self.send(Method::GET, path_and_query, None, after).await?;
        Ok(Events {
            lines: Lines::of(answer.into_body()),
        })
    }

    async fn carry_out(&self, op: &str, args: Vec<u8>) -> Result<Accepted, ClientError> {
        let path = format!("/api/{op}");
        whole(self.send(Method::POST, &path, Some(args), None).await?).await
    }

    async fn send(
        &self,
        method: Method,
        path_and_query: &str,
        body: Option<Vec<u8>>,
        after: Option<u64>,
    ) -> Result<Response<Body>, ClientError> {
        let request = self.request(method, path_and_query, body, after)?;
        let answer = match self.transport.as_ref() {
            Transport::Http { pool, .. } => {
                match pool.call(request, Bounds::within(ANSWER)).await {
                    Ok(answer) => answer,
                    Err(error) => return Err(self.unreachable(&error.to_string())),
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
            Err(self.refusal(answer).await)
        }
    }

    async fn refusal(&self, answer: Response<Body>) -> ClientError {
        let status = answer.status();
        let Ok(problem) = whole::<Problem>(answer).await else {
            return ClientError::Foreign(format!(
                "the server answered {status} without saying why"
            ));
        };
        ClientError::Refused(Box::new(Refusal {
            problem,
            with_token: self.token.is_some(),
            token_from: self.token_from.clone(),
            server: Some(self.server().to_owned()),
        }))
    }

    fn request(
        &self,
        method: Method,
        path_and_query: &str,
        body: Option<Vec<u8>>,
        after: Option<u64>,
    ) -> Result<Request<Body>, ClientError> {
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
            .map_err(|e| {
                ClientError::usage(format!("{path_and_query:?} cannot be asked for: {e}"))
            })?;
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

    fn unreachable(&self, why: &str) -> ClientError {
        // The words are rustls's and hyper's; without a match the trouble is not known.
        let trouble = if why.contains("invalid peer certificate") {
            Some(Trouble::Untrusted)
        } else if why.contains("invalid HTTP version") {
            Some(Trouble::Tls)
        } else {
            None
        };
        ClientError::Unreachable {
            detail: format!("{}: {why}", self.server()),
            trouble,
        }
    }
}

/// Escapes one value of a path or query, so that it stays a single value.
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

fn written(body: &impl serde::Serialize) -> Result<Vec<u8>, ClientError> {
    serde_json::to_vec(body).map_err(|e| ClientError::Bug(e.to_string()))
}

fn silence() -> String {
    format!("nothing came for {} s", ANSWER.as_secs())
}

async fn whole<T: DeserializeOwned>(answer: Response<Body>) -> Result<T, ClientError> {
    let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES).collect();
    let bytes = match tokio::time::timeout(ANSWER, body).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) => return Err(ClientError::broken(&error.to_string())),
        Err(_) => return Err(ClientError::broken(&silence())),
    };
    serde_json::from_slice(&bytes.to_bytes())
        .map_err(|e| ClientError::Foreign(format!("the server's answer is not understood: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_one_value() {
        assert_eq!(quoted("@casa"), "@casa");
        assert_eq!(quoted("a b/c?d&e=ü"), "a%20b%2Fc%3Fd%26e%3D%C3%BC");
    }
}

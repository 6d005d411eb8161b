//! The receiver of notifications: how much of which kind waits for which owner, and never any text.
//!
//! Holds the receiver's address and makes one request. When to make one, and what to do when it fails, is
//! the executor's ([`crate::executor`]).

use std::path::Path;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, USER_AGENT};
use axum::http::{Request, Uri};
use rialto_core::id::{ObligationId, OwnerId};
use rialto_outside::{Connections, OutsideError};
use rialto_views::Waiting;
use serde::Serialize;

/// How long a request may take until its answer begins.
const ANSWER: Duration = Duration::from_secs(10);

/// The receiver of the notifications.
pub struct Webhook {
    uri: Uri,
    /// The address without its path and query, which may hold a secret, for logs.
    shown: String,
    connections: Connections,
}

/// Why an address cannot be notified. It does not repeat the address, which may hold a secret.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// It is no address of a receiver.
    #[error("{0}")]
    Address(&'static str),
    /// The certificates to trust cannot be used.
    #[error(transparent)]
    Outside(#[from] OutsideError),
}

/// What a request says.
#[derive(Debug, Serialize)]
pub(crate) struct Told {
    /// The realm's name.
    pub(crate) realm: String,
    /// For whom it waits; null for the operator.
    pub(crate) owner: Option<OwnerId>,
    /// The owner's name.
    pub(crate) name: Option<String>,
    /// How much of each kind.
    pub(crate) waiting: Waiting,
    /// The position at which it was so.
    pub(crate) position: u64,
}

impl Webhook {
    /// A receiver at an address with `http` or `https`, trusting the certificates in a PEM file or
    /// else the public roots.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub fn to(url: &str, ca: Option<&Path>) -> Result<Self, WebhookError> {
        let bad = WebhookError::Address;
        let uri: Uri = url.parse().map_err(|_| bad("this is no URL"))?;
        let scheme = uri.scheme_str().unwrap_or_default();
        if !matches!(scheme, "http" | "https") {
            return Err(bad("it must start with http:// or https://"));
        }
        let host = uri.authority().filter(|at| !at.host().is_empty());
        let host = host.ok_or_else(|| bad("it names no host"))?.as_str();
        if host.contains('@') {
            return Err(bad("a name and password in it would not be sent"));
        }
        Ok(Self {
            shown: format!("{scheme}://{host}"),
            connections: Connections::trusting(ca)?,
            uri,
        })
    }

    /// The address without its path and query, for logs.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Makes one request. The id lets the receiver tell a repeat.
    ///
    /// # Errors
    /// Why it was not taken, in a few words.
    pub(crate) async fn post(&self, id: ObligationId, told: &Told) -> Result<(), String> {
        let body = serde_json::to_vec(told).map_err(|e| e.to_string())?;
        let request = Request::post(self.uri.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("idempotency-key", id.to_string())
            .header(USER_AGENT, concat!("rialto/", env!("CARGO_PKG_VERSION")))
            .body(Body::from(body))
            .map_err(|e| e.to_string())?;
        let answer = tokio::time::timeout(ANSWER, self.connections.request(request)).await;
        let answer = answer
            .map_err(|_| format!("no answer within {} s", ANSWER.as_secs()))?
            .map_err(|e| e.to_string())?;
        // Its body is not read.
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(format!("it answered {status}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_and_not_repeated() {
        for (url, want) in [
            (
                "https://hook.example/a?key=s3cret",
                Ok("https://hook.example"),
            ),
            ("http://127.0.0.1:81/s3cret", Ok("http://127.0.0.1:81")),
            ("HTTP://[::1]:81", Ok("http://[::1]:81")),
            ("ftp://hook.example/s3cret", Err("http:// or https://")),
            ("hook.example/s3cret", Err("this is no URL")),
            ("/s3cret", Err("http:// or https://")),
            ("https://", Err("this is no URL")),
            ("https://me:s3cret@hook.example/", Err("would not be sent")),
            ("not a url s3cret", Err("this is no URL")),
        ] {
            match (Webhook::to(url, None), want) {
                (Ok(hook), Ok(shown)) => assert_eq!(hook.shown, shown, "{url}"),
                (Err(error), Err(why)) => {
                    let told = error.to_string();
                    assert!(told.contains(why) && !told.contains("s3cret"), "{told}");
                }
                (Ok(hook), Err(_)) => panic!("{url} was taken as {}", hook.shown),
                (Err(error), Ok(_)) => panic!("{url}: {error}"),
            }
        }
    }
}

//! The receivers of notifications: how much of which kind waits for which owner, and never any text.
//!
//! Holds the receivers' addresses and makes one request to one of them. When to make one, and what to do when it
//! fails, is the executor's ([`crate::executor`]).

use std::path::Path;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, USER_AGENT};
use axum::http::{Request, Uri};
use rialto_core::id::{ObligationId, OwnerId};
use rialto_outside::{
    Bounds, CallError, Connections, Credential, OpenHost, OutsideError, SecretRef, Vault,
};
use rialto_views::Waiting;
use serde::Serialize;

/// How long a request may take until its answer begins.
const ANSWER: Duration = Duration::from_secs(10);
/// The most bytes that a request may have; it holds a dozen numbers and two names.
const SENT: u64 = 64 << 10;

/// One receiver of notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    name: String,
    uri: Uri,
    /// The address without its path and query, which may hold a secret, for people and logs.
    shown: String,
    key: Option<Credential>,
}

/// Why an address cannot be notified. It does not repeat the address, which may hold a secret.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// It is no address of a receiver.
    #[error("{0}")]
    Address(String),
    /// A secret would cross a network in the clear.
    #[error("a key is sent over https only, or over http to this machine")]
    Clear,
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
    /// A receiver at an address with `http` or `https`. A key, if there is one, goes with each request as a bearer
    /// token.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub fn to(name: &str, url: &str, key: Option<SecretRef>) -> Result<Self, WebhookError> {
        let bad = |why: &str| WebhookError::Address(why.to_owned());
        let uri: Uri = url.parse().map_err(|_| bad("this is no URL"))?;
        // The form of what is called.
        OpenHost::of(&uri).map_err(|e| match e {
            CallError::Address(why) => bad(why),
            other => bad(&other.to_string()),
        })?;
        let (scheme, host) = (uri.scheme_str(), uri.authority());
        let (Some(scheme), Some(host)) = (scheme, host) else {
            return Err(bad("this is no URL"));
        };
        if key.is_some() && scheme != "https" && !is_loopback(host.host()) {
            return Err(WebhookError::Clear);
        }
        Ok(Self {
            name: name.to_owned(),
            shown: format!("{scheme}://{host}"),
            key: key.map(Credential::bearer),
            uri,
        })
    }

    /// What the settings call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address without its path and query, which may hold a secret.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Where its key is kept, if it has one.
    #[must_use]
    pub fn key(&self) -> Option<&SecretRef> {
        self.key.as_ref().map(Credential::place)
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let ip: Result<std::net::IpAddr, _> = host.parse();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

/// Every receiver, with the connections to them. What the operator has named here is reached as it is named, host
/// and port, whatever network it is in; nothing else that is not public is, and redirects are not followed.
#[derive(Clone)]
pub struct Receivers {
    hooks: Vec<Webhook>,
    connections: Connections,
}

impl Receivers {
    /// The receivers, whose certificates are trusted by a PEM file or else by the public roots. None if there are
    /// none.
    ///
    /// # Errors
    /// [`OutsideError`].
    pub fn new(hooks: Vec<Webhook>, ca: Option<&Path>) -> Result<Option<Self>, OutsideError> {
        let open = hooks.iter().filter_map(|hook| OpenHost::of(&hook.uri).ok());
        // Also where there are none: a file of certificates that cannot be used is told at once.
        let connections = Connections::guarded(open.collect(), ca)?;
        Ok((!hooks.is_empty()).then_some(Self { hooks, connections }))
    }

    /// Each of them.
    #[must_use]
    pub fn hooks(&self) -> &[Webhook] {
        &self.hooks
    }

    /// Makes one request to one of them. The id lets the receiver tell a repeat.
    ///
    /// # Errors
    /// Why it was not taken, in a few words.
    pub(crate) async fn post(
        &self,
        hook: &Webhook,
        vault: Option<&Vault>,
        id: ObligationId,
        told: &Told,
    ) -> Result<(), String> {
        let body = serde_json::to_vec(told).map_err(|e| e.to_string())?;
        let mut request = Request::post(hook.uri.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("idempotency-key", id.to_string())
            .header(USER_AGENT, concat!("rialto/", env!("CARGO_PKG_VERSION")))
            .body(Body::from(body))
            .map_err(|e| e.to_string())?;
        if let Some(key) = &hook.key {
            let applied = key.apply(request.headers_mut(), vault);
            applied.map_err(|e| e.to_string())?;
        }
        let bounds = Bounds::within(ANSWER).at_most(SENT, u64::MAX);
        let answer = self.connections.call(request, bounds).await;
        // Its body is not read.
        match answer.map_err(|e| e.to_string())?.status() {
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
        for (url, key, want) in [
            (
                "https://hook.example/a?key=s3cret",
                None,
                Ok("https://hook.example"),
            ),
            (
                "https://hook.example/",
                Some("secret:hook"),
                Ok("https://hook.example"),
            ),
            (
                "http://127.0.0.1:81/s3cret",
                None,
                Ok("http://127.0.0.1:81"),
            ),
            (
                "http://127.0.0.1:81/",
                Some("env:HOOK"),
                Ok("http://127.0.0.1:81"),
            ),
            (
                "http://localhost/",
                Some("env:HOOK"),
                Ok("http://localhost"),
            ),
            ("http://[::1]/", Some("env:HOOK"), Ok("http://[::1]")),
            ("HTTP://[::1]:81", None, Ok("http://[::1]:81")),
            ("http://10.0.0.7/s3cret", None, Ok("http://10.0.0.7")),
            (
                "http://10.0.0.7/s3cret",
                Some("env:HOOK"),
                Err("over https only"),
            ),
            (
                "ftp://hook.example/s3cret",
                None,
                Err("http:// or https://"),
            ),
            ("hook.example/s3cret", None, Err("this is no URL")),
            ("/s3cret", None, Err("http:// or https://")),
            ("https://", None, Err("this is no URL")),
            (
                "https://me:s3cret@hook.example/",
                None,
                Err("would not be sent"),
            ),
            ("http://2130706433/s3cret", None, Err("is a number")),
            ("not a url s3cret", None, Err("this is no URL")),
        ] {
            let key = key.map(|key| key.parse().unwrap());
            match (Webhook::to("hook", url, key), want) {
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

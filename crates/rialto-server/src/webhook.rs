//! Notifies a webhook of what waits: how much of which kind for which owner, and never any text.
//!
//! The log is the queue: the views show what began to wait since the last request, so a slow or
//! absent receiver costs the server no memory and keeps nobody waiting. One request is made at a
//! time, with the counts of that moment. What waited before the server started, or what a receiver
//! missed, triggers no request of its own: the next request for the same owner counts it.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, USER_AGENT};
use axum::http::{Request, Uri};
use rialto_core::id::OwnerId;
use rialto_outside::{Connections, OutsideError};
use rialto_views::{Newly, Scope, ViewReader, Waiting};
use serde::Serialize;

use crate::node::Hub;

/// How long a request may take until its answer begins.
const ANSWER: Duration = Duration::from_secs(10);
/// How often a request is tried before it is given up.
const TRIES: u32 = 5;
/// How long to wait after the first failure; after each further one twice as long.
const PAUSE: Duration = Duration::from_secs(1);
/// What comes within this time shares one notification.
const GATHER: Duration = Duration::from_millis(200);
/// How many owners may be due before no more of the log is read.
const DUE: usize = 1_024;

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

/// Owners that are due for a notification, in order; none is the operator.
#[derive(Default)]
struct Due {
    order: VecDeque<Option<OwnerId>>,
    raised: BTreeMap<Option<OwnerId>, u64>,
    /// The position of an owner's last notification, if it is ahead of what was read of the log.
    told: BTreeMap<Option<OwnerId>, u64>,
}

impl Due {
    fn take_in(&mut self, newly: Newly) {
        for (whom, position) in newly.raised {
            let told = self.told.get(&whom).copied().unwrap_or(0);
            if position > told && self.raised.insert(whom, position).is_none() {
                self.order.push_back(whom);
            }
        }
        self.told.retain(|_, position| *position > newly.position);
    }

    fn next(&mut self) -> Option<Option<OwnerId>> {
        let whom = self.order.pop_front()?;
        self.raised.remove(&whom);
        Some(whom)
    }
}

/// What a request says.
#[derive(Debug, Serialize)]
struct Told {
    /// The realm's name.
    realm: String,
    /// For whom it waits; null for the operator.
    owner: Option<OwnerId>,
    /// The owner's name.
    name: Option<String>,
    /// How much of each kind.
    waiting: Waiting,
    /// The position at which it was so.
    position: u64,
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

    /// Follows the views behind a position until it is dropped.
    pub(crate) async fn follow(
        self,
        hub: Arc<Hub>,
        views: ViewReader,
        realm: String,
        mut after: u64,
    ) {
        let (mut indexed, mut due) = (hub.watch_indexed(), Due::default());
        loop {
            if due.order.is_empty() {
                if indexed.wait_for(|at| *at > after).await.is_err() {
                    return;
                }
                tokio::time::sleep(GATHER).await;
            }
            while due.order.len() < DUE && after < hub.indexed() {
                let from = after;
                let Some(newly) = read(&views, move |v| v.newly_waiting(from)).await else {
                    tokio::time::sleep(ANSWER).await;
                    break;
                };
                after = newly.position;
                due.take_in(newly);
            }
            if let Some(whom) = due.next()
                && let Some(position) = self.tell(&views, &realm, whom).await
            {
                due.told.insert(whom, position);
            }
        }
    }

    /// Sends how much waits for an owner, if anything does. Returns the position of the counts.
    async fn tell(&self, views: &ViewReader, realm: &str, whom: Option<OwnerId>) -> Option<u64> {
        let (mut pause, mut tries) = (PAUSE, 0);
        loop {
            let realm = realm.to_owned();
            let told = read(views, move |v| count(v, realm, whom)).await?;
            if told.waiting.total() == 0 {
                return Some(told.position);
            }
            let Err(why) = self.post(&told).await else {
                return Some(told.position);
            };
            tries += 1;
            if tries == TRIES {
                tracing::warn!(webhook = %self.shown, tries, why, "the receiver could not be notified");
                return None;
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    async fn post(&self, told: &Told) -> Result<(), String> {
        let body = serde_json::to_vec(told).map_err(|e| e.to_string())?;
        let request = Request::post(self.uri.clone())
            .header(CONTENT_TYPE, "application/json")
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

fn count(
    views: &ViewReader,
    realm: String,
    owner: Option<OwnerId>,
) -> Result<Told, rialto_views::Error> {
    let scope = owner.map_or(Scope::Realm, Scope::Owner);
    let row = owner.map(|id| views.owner(id)).transpose()?.flatten();
    // Counted after the position was read, so that what came between is sent twice rather than never.
    let position = views.position()?;
    Ok(Told {
        realm,
        owner,
        name: row.map(|row| row.name),
        waiting: views.waiting(scope)?.to_answer(scope),
        position,
    })
}

/// Reads the views on a thread that may block; a failure is logged.
async fn read<T: Send + 'static>(
    views: &ViewReader,
    read: impl FnOnce(&ViewReader) -> Result<T, rialto_views::Error> + Send + 'static,
) -> Option<T> {
    let views = views.clone();
    let outcome = tokio::task::spawn_blocking(move || read(&views)).await;
    let outcome = outcome.map_err(|e| e.to_string());
    match outcome.and_then(|read| read.map_err(|e| e.to_string())) {
        Ok(found) => Some(found),
        Err(why) => {
            tracing::warn!(why, "what waits could not be read for the webhook");
            None
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

    #[test]
    fn each_is_due_once_and_not_for_what_it_was_told() {
        let newly = |position, raised: &[(Option<u64>, u64)]| Newly {
            raised: raised
                .iter()
                .map(|(owner, at)| (owner.map(OwnerId), *at))
                .collect(),
            position,
        };
        let mut due = Due::default();
        due.take_in(newly(5, &[(Some(7), 3), (None, 5)]));
        due.take_in(newly(9, &[(Some(7), 8)]));
        assert_eq!(due.next(), Some(None));
        assert_eq!(due.next(), Some(Some(OwnerId(7))));
        assert_eq!(due.next(), None);
        // Its last notification has a position that the reading of the log has yet to reach.
        due.told.insert(Some(OwnerId(7)), 12);
        due.take_in(newly(11, &[(Some(7), 11)]));
        assert_eq!(due.next(), None);
        due.take_in(newly(14, &[(Some(7), 13)]));
        assert_eq!(due.next(), Some(Some(OwnerId(7))));
        assert!(due.told.is_empty(), "nothing is remembered for ever");
    }
}

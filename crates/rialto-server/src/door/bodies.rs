//! Bodies of requests, read before anything else: bounded in size by sender, in time, and in sum
//! over all connections.
//!
//! The head says who sends a body, so that nobody without a token makes the server hold more than a
//! little. A held body counts until its request is answered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use rialto_core::identity::Principal;
use rialto_core::reject::Code;
use tokio::time::{Instant, timeout_at};

use super::problem::Refusal;
use super::{Door, auth, console};

/// The most bytes of a body that comes with a token.
pub const BODY_BYTES: usize = 16 << 20;
/// The most bytes of a body that comes without one, such as a sign-up or a search.
pub const STRANGER_BYTES: usize = 16 << 10;
/// The most bytes of bodies that are held at once.
pub const HELD_BYTES: usize = 128 << 20;
/// The most of them that came without a token.
pub const HELD_OF_STRANGERS: usize = 4 << 20;
/// The most of them of one principal.
pub const HELD_OF_ONE: usize = 48 << 20;
/// How long a whole body may take.
pub const BODY_TIME: Duration = Duration::from_secs(60);
/// The longest pause between two parts of a body.
pub const BODY_PAUSE: Duration = Duration::from_secs(10);
/// The minimum of bytes a second after [`BODY_PAUSE`].
pub const BODY_RATE: u32 = 16 << 10;

/// The sender that a body is charged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Sender {
    Known(Principal),
    Stranger,
}

impl Sender {
    fn most(self) -> usize {
        match self {
            Self::Known(_) => HELD_OF_ONE,
            Self::Stranger => HELD_OF_STRANGERS,
        }
    }
}

/// How much is held of each sender.
#[derive(Default)]
struct Held {
    all: usize,
    by: HashMap<Sender, usize>,
}

/// The account of what is held of all bodies.
#[derive(Default)]
pub(crate) struct Bodies(Mutex<Held>);

impl Bodies {
    /// How many bytes are held now.
    pub(crate) fn held(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).all
    }

    /// Takes room for more bytes; false if there is none.
    fn take(&self, sender: Sender, bytes: usize) -> bool {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_sender = held.by.get(&sender).copied().unwrap_or(0);
        if held.all + bytes > HELD_BYTES || of_sender + bytes > sender.most() {
            return false;
        }
        held.all += bytes;
        held.by.insert(sender, of_sender + bytes);
        true
    }

    fn give_back(&self, sender: Sender, bytes: usize) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.all = held.all.saturating_sub(bytes);
        if let Some(of_sender) = held.by.get_mut(&sender) {
            *of_sender = of_sender.saturating_sub(bytes);
            if *of_sender == 0 {
                held.by.remove(&sender);
            }
        }
    }
}

/// The room that a body takes, given back when this is dropped.
struct Room<'a> {
    bodies: &'a Bodies,
    sender: Sender,
    bytes: usize,
}

impl Room<'_> {
    fn grow(&mut self, bytes: usize) -> Result<(), Refusal> {
        if !self.bodies.take(self.sender, bytes) {
            return Err(Refusal::new(
                Code::Busy,
                "the server already holds the maximum of request bodies",
            ));
        }
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.bodies.give_back(self.sender, self.bytes);
        }
    }
}

/// Reads the body of a request, and holds its room until the answer is made.
pub(super) async fn bounded(
    State(door): State<Arc<Door>>,
    request: Request,
    next: Next,
) -> Response {
    // What a GET brings is looked at by nobody.
    if request.method() != Method::POST || request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let sender = match sender(&door, &parts) {
        Ok(sender) => sender,
        // The token is none: whoever answers says so from the head alone.
        Err(()) => return next.run(Request::from_parts(parts, Body::empty())).await,
    };
    let mut room = Room {
        bodies: &door.bodies,
        sender,
        bytes: 0,
    };
    let api = parts.uri.path().starts_with("/api/");
    let read = match declared(&parts.headers, api) {
        Ok(()) => read(body, limit(sender, api), &mut room).await,
        Err(refusal) => Err(refusal),
    };
    match read {
        Ok(bytes) => {
            next.run(Request::from_parts(parts, Body::from(bytes)))
                .await
        }
        Err(refusal) => refusal.into_response(),
    }
}

/// The sender of a body, as its head says; an error if the token is unknown.
fn sender(door: &Arc<Door>, parts: &Parts) -> Result<Sender, ()> {
    if parts.headers.contains_key(header::AUTHORIZATION) {
        let known = auth::token_of(&parts.headers, door);
        return known.map(|info| Sender::Known(info.principal)).ok_or(());
    }
    let session = console::signed_in(parts, door);
    Ok(session.map_or(Sender::Stranger, Sender::Known))
}

fn limit(sender: Sender, api: bool) -> usize {
    match sender {
        Sender::Stranger => STRANGER_BYTES,
        Sender::Known(_) if api => BODY_BYTES,
        Sender::Known(_) => console::FORM_BYTES,
    }
}

/// The body must be declared JSON: a page of another site can send text and forms, and files
/// without a type, in its visitor's name, but not this.
fn declared(headers: &HeaderMap, api: bool) -> Result<(), Refusal> {
    if !api {
        return Ok(());
    }
    let named = headers.get(header::CONTENT_TYPE);
    let named = named.map_or("", |value| value.to_str().unwrap_or_default());
    let kind = named.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let detail = match kind {
        "" => "it has no declared type".to_owned(),
        other => format!("it is declared to be {other:?}"),
    };
    Err(Refusal::new(Code::NotJson, detail))
}

fn too_large(most: usize) -> Refusal {
    let detail = if most == STRANGER_BYTES {
        format!("at most {most} bytes without a token")
    } else {
        format!("at most {most} bytes")
    };
    Refusal::new(Code::TooLarge, detail)
}

fn too_slow() -> Refusal {
    let detail = format!(
        "a body must arrive within {} s, without a pause of {} s, and at {BODY_RATE} bytes a second or more",
        BODY_TIME.as_secs(),
        BODY_PAUSE.as_secs(),
    );
    Refusal::new(Code::BodySlow, detail)
}

/// The deadline of the next part of a body.
fn deadline(began: Instant, now: Instant, bytes: usize) -> Instant {
    let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
    let earned = BODY_PAUSE + Duration::from_secs(1) * bytes / BODY_RATE;
    (began + earned.min(BODY_TIME)).min(now + BODY_PAUSE)
}

async fn read(body: Body, most: usize, room: &mut Room<'_>) -> Result<Bytes, Refusal> {
    if body.size_hint().lower() > most as u64 {
        return Err(too_large(most));
    }
    let began = Instant::now();
    let mut parts = body.into_data_stream();
    let mut first = Bytes::new();
    let mut whole = Vec::new();
    loop {
        let until = deadline(began, Instant::now(), room.bytes);
        let part = timeout_at(until, parts.next()).await;
        let Some(part) = part.map_err(|_| too_slow())? else {
            break;
        };
        let part = part.map_err(|e| Refusal::new(Code::Malformed, e.to_string()))?;
        if room.bytes + part.len() > most {
            return Err(too_large(most));
        }
        room.grow(part.len())?;
        // Most bodies come in one part, and need not be copied.
        if first.is_empty() && whole.is_empty() {
            first = part;
            continue;
        }
        if whole.is_empty() {
            whole.extend_from_slice(&first);
            first = Bytes::new();
        }
        whole.extend_from_slice(&part);
    }
    Ok(if whole.is_empty() {
        first
    } else {
        whole.into()
    })
}

#[cfg(test)]
mod tests {
    use rialto_core::id::AgentId;

    use super::*;

    #[test]
    fn what_is_held_is_bounded_for_one_for_strangers_and_in_sum() {
        let bodies = Bodies::default();
        let one = |n| Sender::Known(Principal::Agent(AgentId(n)));
        assert!(bodies.take(Sender::Stranger, HELD_OF_STRANGERS));
        assert!(!bodies.take(Sender::Stranger, 1));
        assert!(bodies.take(one(1), HELD_OF_ONE));
        assert!(!bodies.take(one(1), 1));
        assert!(bodies.take(one(2), HELD_OF_ONE));
        let left = HELD_BYTES - HELD_OF_STRANGERS - 2 * HELD_OF_ONE;
        assert!(!bodies.take(one(3), left + 1));
        assert!(bodies.take(one(3), left));
        assert!(!bodies.take(one(4), 1));
        bodies.give_back(one(1), HELD_OF_ONE);
        assert!(bodies.take(one(4), 1));
        bodies.give_back(one(4), 1);
        bodies.give_back(one(2), HELD_OF_ONE);
        bodies.give_back(one(3), left);
        bodies.give_back(Sender::Stranger, HELD_OF_STRANGERS);
        assert_eq!(bodies.held(), 0);
        assert!(bodies.0.lock().unwrap().by.is_empty());
    }

    #[test]
    fn a_body_earns_its_time_by_coming() {
        let began = Instant::now();
        let at = |s: u64| began + Duration::from_secs(s);
        let rate = BODY_RATE as usize;
        // (when the last part came, how many bytes so far, by when the next must come)
        for (now, bytes, until) in [
            (0, 0, 10),
            (5, rate, 11),
            (9, 2 * rate, 12),
            (9, 100 * rate, 19),
            (40, 100 * rate, 50),
            (55, 1_000 * rate, 60),
        ] {
            assert_eq!(deadline(began, at(now), bytes), at(until), "{now} {bytes}");
        }
    }

    #[test]
    fn only_json_is_json() {
        for (kind, want) in [
            (Some("application/json"), true),
            (Some("Application/JSON; charset=utf-8"), true),
            (Some("text/plain"), false),
            (Some("text/plain; application/json"), false),
            (Some("application/x-www-form-urlencoded"), false),
            (Some("application/jsonp"), false),
            (Some(""), false),
            (None, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(kind) = kind {
                headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
            }
            assert_eq!(declared(&headers, true).is_ok(), want, "{kind:?}");
            assert!(declared(&headers, false).is_ok());
        }
    }
}

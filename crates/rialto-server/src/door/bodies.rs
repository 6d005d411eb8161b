//! Bodies of requests, read before anything else: bounded in size by sender, in time, and in sum
//! over all connections.
//!
//! The head says who sends a body, so that nobody without a token makes the server hold more than a
//! little. A held body counts until its request is answered.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use rialto_core::reject::Code;
use tokio::time::{Instant, timeout_at};

use super::problem::Refusal;
use super::shares::{Bounds, Party, SMALL_BYTES, Share, Shares};
use super::{Door, console};

/// The most bytes of a body that comes with a token.
pub const BODY_BYTES: usize = 16 << 20;
/// The most bytes of a body that comes without one, such as a sign-up or a search.
pub const STRANGER_BYTES: usize = 16 << 10;
/// The most bytes of bodies that are held at once.
pub const HELD_BYTES: usize = 128 << 20;
/// The most of them that came without a token.
pub const HELD_OF_STRANGERS: usize = 4 << 20;
/// The most of them that came from one address without a token.
pub const HELD_OF_ADDRESS: usize = HELD_OF_STRANGERS / 8;
/// The most of them of one owner: of all its agents and people.
pub const HELD_OF_ONE: usize = HELD_BYTES / 8;
/// What is kept of the sum for the operator, half of it also for bodies of up to 64 KiB.
pub const HELD_KEPT: usize = HELD_BYTES / 8;
/// How long a whole body may take.
pub const BODY_TIME: Duration = Duration::from_secs(60);
/// The longest pause between two parts of a body.
pub const BODY_PAUSE: Duration = Duration::from_secs(10);
/// The minimum of bytes a second after [`BODY_PAUSE`].
pub const BODY_RATE: u32 = 16 << 10;

/// The account of what is held of all bodies.
pub(super) fn account() -> Arc<Shares> {
    Shares::new(Bounds {
        all: HELD_BYTES,
        of_one: HELD_OF_ONE,
        of_address: HELD_OF_ADDRESS,
        of_strangers: HELD_OF_STRANGERS,
        kept: HELD_KEPT,
    })
}

/// The room that a body takes, given back when this is dropped.
struct Room {
    share: Share,
    /// Whether the body may use what is kept for small ones.
    small: bool,
}

impl Room {
    fn bytes(&self) -> usize {
        self.share.amount()
    }

    fn grow(&mut self, bytes: usize) -> Result<(), Refusal> {
        let small = self.small && self.bytes() + bytes <= SMALL_BYTES;
        if self.share.grow(bytes, small) {
            return Ok(());
        }
        Err(Refusal::new(
            Code::Busy,
            "the server already holds the maximum of request bodies",
        ))
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
    let known = parts.extensions.get::<Party>().copied();
    let sender = known.unwrap_or_else(|| Party::of(&door, &parts));
    if parts.headers.contains_key(header::AUTHORIZATION) && !sender.is_known() {
        // The token is none: whoever answers says so from the head alone.
        return next.run(Request::from_parts(parts, Body::empty())).await;
    }
    let mut room = Room {
        share: door.bodies.open(sender),
        small: body.size_hint().lower() <= SMALL_BYTES as u64,
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

fn limit(sender: Party, api: bool) -> usize {
    match (sender.is_known(), api) {
        (false, _) => STRANGER_BYTES,
        (true, true) => BODY_BYTES,
        (true, false) => console::FORM_BYTES,
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

async fn read(body: Body, most: usize, room: &mut Room) -> Result<Bytes, Refusal> {
    if body.size_hint().lower() > most as u64 {
        return Err(too_large(most));
    }
    let began = Instant::now();
    let mut parts = body.into_data_stream();
    let mut first = Bytes::new();
    let mut whole = Vec::new();
    loop {
        let until = deadline(began, Instant::now(), room.bytes());
        let part = timeout_at(until, parts.next()).await;
        let Some(part) = part.map_err(|_| too_slow())? else {
            break;
        };
        let part = part.map_err(|e| Refusal::new(Code::Malformed, e.to_string()))?;
        if room.bytes() + part.len() > most {
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
    use rialto_core::id::OwnerId;

    use super::*;

    #[test]
    fn one_owner_and_one_address_leave_room_for_others() {
        let bodies = account();
        let owner = |n| Party::Owner(OwnerId(n));
        let room = |party| Room {
            share: bodies.open(party),
            small: true,
        };
        let mut held = Vec::new();
        for n in 1..=7 {
            let mut one = room(owner(n));
            assert!(one.grow(HELD_OF_ONE).is_ok());
            assert!(one.grow(1).is_err());
            held.push(one);
        }
        // All but what is kept is taken: small bodies of others still fit, and any of the operator.
        assert!(room(owner(8)).grow(SMALL_BYTES + 1).is_err());
        assert!(room(owner(8)).grow(SMALL_BYTES).is_ok());
        assert!(room(Party::Operator).grow(HELD_KEPT).is_ok());
        drop(held);
        let mut stranger = room(Party::Process);
        assert!(stranger.grow(HELD_OF_ADDRESS).is_ok());
        assert!(stranger.grow(1).is_err());
        drop(stranger);
        assert_eq!(bodies.held(), 0);
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

//! Bodies of requests, read before anything else: bounded in size by sender, in time, and in sum
//! over all connections.
//!
//! The head says who sends a body, so that nobody without a token makes the server hold more than a
//! little. What a route takes stands in one table, [`BODIES`]; a route that is not in it takes no body. A body
//! that is held whole counts until its request is answered; of one that is taken as a stream, what the server
//! holds at a time.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};
use rialto_core::reject::Code;
use thiserror::Error;
use tokio::time::{Instant, timeout_at};

use super::problem::Refusal;
use super::shares::{Bounds, Party, SMALL_BYTES, Share, Shares};
use super::{Door, auth, console, models};

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

/// The doors of models, whose addresses are those of many dialects.
const MODELS: &str = "/v1/";

/// How a route takes a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// Whole, before anything looks at it.
    Whole,
    /// Part by part, as its handler asks for it. What is wrong with it then ends it with an error that
    /// [`refusal_of`] makes the answer of.
    Stream,
}

/// What a route takes as a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyRule {
    /// The route; empty for the forms of the console.
    pub route: &'static str,
    /// The most bytes; of a sender without a token no more than [`STRANGER_BYTES`].
    pub bytes: usize,
    /// How it is taken.
    pub take: Take,
}

/// What each route takes that takes a body.
pub const BODIES: [BodyRule; 6] = [
    BodyRule {
        route: "/api/{op}",
        bytes: BODY_BYTES,
        take: Take::Whole,
    },
    BodyRule {
        route: "/api/commands",
        bytes: BODY_BYTES,
        take: Take::Whole,
    },
    BodyRule {
        route: "/api/search/listings",
        bytes: 256 << 10,
        take: Take::Whole,
    },
    BodyRule {
        route: "/api/config/reload",
        bytes: 1 << 10,
        take: Take::Whole,
    },
    BodyRule {
        route: MODELS,
        bytes: BODY_BYTES,
        take: Take::Whole,
    },
    BodyRule {
        route: "",
        bytes: console::FORM_BYTES,
        take: Take::Whole,
    },
];

/// What a route takes, if it takes a body.
fn rule(parts: &Parts) -> Option<&'static BodyRule> {
    let route = parts.extensions.get::<MatchedPath>()?.as_str();
    let wanted = match route.starts_with("/api/") {
        true => route,
        false if models::dialect(route).is_some() => MODELS,
        false => "",
    };
    BODIES.iter().find(|rule| rule.route == wanted)
}

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

/// Takes the body of a request as its route does, and holds its room until the answer is made.
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
    let Some(rule) = rule(&parts) else {
        // Nobody would look at it either.
        return next.run(Request::from_parts(parts, Body::empty())).await;
    };
    let known = parts.extensions.get::<Party>().copied();
    let sender = known.unwrap_or_else(|| Party::of(&door, &parts));
    if auth::brings_key(&parts.headers) && !sender.is_known() {
        // The token is none: whoever answers says so from the head alone.
        return next.run(Request::from_parts(parts, Body::empty())).await;
    }
    let path = parts.uri.path();
    let api = path.starts_with("/api/") || models::dialect(path).is_some();
    if let Err(refusal) = declared(&parts.headers, api) {
        return refusal.into_response();
    }
    let room = Room {
        share: door.bodies.open(sender),
        small: body.size_hint().lower() <= SMALL_BYTES as u64,
    };
    let coming = match Coming::new(body, limit(sender, rule), rule.take, room) {
        Ok(coming) => coming,
        Err(refusal) => return refusal.into_response(),
    };
    if rule.take == Take::Stream {
        let body = Body::from_stream(coming.parts());
        return next.run(Request::from_parts(parts, body)).await;
    }
    match coming.whole().await {
        // Its room is held until the answer is made.
        Ok((bytes, _room)) => {
            next.run(Request::from_parts(parts, Body::from(bytes)))
                .await
        }
        Err(refusal) => refusal.into_response(),
    }
}

fn limit(sender: Party, rule: &BodyRule) -> usize {
    match sender.is_known() {
        false => rule.bytes.min(STRANGER_BYTES),
        true => rule.bytes,
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

/// A body on its way, with what it may take.
struct Coming {
    parts: BodyDataStream,
    most: usize,
    take: Take,
    room: Room,
    /// The bytes that have come.
    came: usize,
    began: Instant,
}

/// Why the parts of a body ended before its end.
#[derive(Debug, Error)]
#[error("{}", .0.rejection.code)]
struct Unread(Refusal);

/// What is wrong with a body that was taken as a stream, as its handler answers it.
pub fn refusal_of(error: &axum::Error) -> Refusal {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(why) = cause {
        if let Some(Unread(refusal)) = why.downcast_ref() {
            return refusal.clone();
        }
        cause = why.source();
    }
    Refusal::new(Code::Malformed, error.to_string())
}

impl Coming {
    fn new(body: Body, most: usize, take: Take, room: Room) -> Result<Self, Refusal> {
        if body.size_hint().lower() > most as u64 {
            return Err(too_large(most));
        }
        Ok(Self {
            parts: body.into_data_stream(),
            most,
            take,
            room,
            came: 0,
            began: Instant::now(),
        })
    }

    /// The next part, or nothing at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        if self.take == Take::Stream {
            // The part before has been taken over by whoever asks for this one.
            self.room.share.resize(0, true);
        }
        let until = deadline(self.began, Instant::now(), self.came);
        let part = timeout_at(until, self.parts.next()).await;
        let Some(part) = part.map_err(|_| too_slow())? else {
            return Ok(None);
        };
        let part = part.map_err(|e| Refusal::new(Code::Malformed, e.to_string()))?;
        self.came = self.came.saturating_add(part.len());
        if self.came > self.most {
            return Err(too_large(self.most));
        }
        self.room.grow(part.len())?;
        Ok(Some(part))
    }

    /// All of it, with the room that it takes.
    async fn whole(mut self) -> Result<(Bytes, Room), Refusal> {
        let mut first = Bytes::new();
        let mut whole = Vec::new();
        while let Some(part) = self.next().await? {
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
        let bytes = match whole.is_empty() {
            true => first,
            false => whole.into(),
        };
        Ok((bytes, self.room))
    }

    /// Its parts, as they are asked for; the first that is refused is the last.
    fn parts(self) -> impl Stream<Item = Result<Bytes, Unread>> {
        futures_util::stream::unfold(Some(self), |coming| async move {
            let mut coming = coming?;
            match coming.next().await {
                Ok(part) => part.map(|part| (Ok(part), Some(coming))),
                Err(refusal) => Some((Err(Unread(refusal)), None)),
            }
        })
    }
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
    fn every_route_that_takes_a_body_is_in_the_table() {
        let rules: Vec<&str> = BODIES.iter().map(|rule| rule.route).collect();
        for route in crate::door::routes::all() {
            #[cfg(feature = "schema")]
            assert_eq!(
                rules.contains(&route.path),
                route.about.method == "post",
                "{}",
                route.path
            );
            #[cfg(not(feature = "schema"))]
            let _ = route;
        }
        assert_eq!(limit(Party::Process, &BODIES[0]), STRANGER_BYTES);
        assert_eq!(limit(Party::Operator, &BODIES[2]), 256 << 10);
    }

    fn coming(parts: Vec<Bytes>, most: usize, bodies: &Arc<Shares>) -> Coming {
        let parts = futures_util::stream::iter(parts.into_iter().map(Ok::<_, std::io::Error>));
        let room = Room {
            share: bodies.open(Party::Operator),
            small: false,
        };
        Coming::new(Body::from_stream(parts), most, Take::Stream, room).unwrap()
    }

    #[tokio::test]
    async fn of_a_streamed_body_a_part_is_held_at_a_time() {
        let bodies = account();
        let part = Bytes::from(vec![7; 1_000]);
        let parts = coming(vec![part.clone(); 10], 10_000, &bodies).parts();
        let (mut parts, mut number) = (std::pin::pin!(parts), 0);
        while let Some(got) = parts.next().await {
            assert_eq!(got.unwrap(), part);
            assert_eq!(bodies.held(), 1_000);
            number += 1;
        }
        assert_eq!((number, bodies.held()), (10, 0));
    }

    #[tokio::test]
    async fn a_streamed_body_that_is_too_large_ends_with_its_refusal() {
        let bodies = account();
        let part = Bytes::from(vec![7; 1_000]);
        let parts = coming(vec![part; 10], 2_500, &bodies).parts();
        let mut body = Body::from_stream(parts).into_data_stream();
        assert!(body.next().await.unwrap().is_ok() && body.next().await.unwrap().is_ok());
        let error = body.next().await.unwrap().unwrap_err();
        assert_eq!(refusal_of(&error).rejection.code, Code::TooLarge);
        assert!(body.next().await.is_none());
        drop(body);
        assert_eq!(bodies.held(), 0);
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

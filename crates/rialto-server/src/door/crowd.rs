//! What is bounded while a request is in progress: how many requests each party has open over
//! connections, streams and waits among them, and how many bytes of answers are on their way to it.
//!
//! Both count until the answer has been handed over. The operator's requests, and the probes, are never
//! counted away: `/healthz` and `/readyz` answer however full the server is.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::body::{Frame, SizeHint};
use rialto_core::reject::Code;
use tokio::sync::oneshot;

use super::Door;
use super::problem::Refusal;
use super::rates::{self, Limit};
use super::seats::{Seat, Seats};
use super::shares::{Bounds, Party, SMALL_BYTES, Share, Shares};
use super::turns;

/// The most bytes of answers on their way at once.
pub const ANSWER_BYTES: usize = 256 << 20;
/// The most of them to one owner.
pub const ANSWERS_OF_ONE: usize = 32 << 20;
/// The most of them to one address without a token.
const ANSWERS_OF_ADDRESS: usize = 8 << 20;
/// The room that a request takes for its answer before it is read.
const AHEAD_BYTES: usize = 4 << 10;
const ANSWERS_FULL: &str = "the server already holds the maximum of answers on their way";
/// What an answer counts for that is written while it is read: an export, with what it has read ahead.
const STREAMED_BYTES: usize = 8 << 20;
/// The most bytes of an answer that are handed to a connection at once.
const PART_BYTES: usize = 64 << 10;
/// The part of all connections in which one owner, or one address without a token, may have a request open.
pub const PART_OF_ONE: usize = 8;

/// How many connections there may be at once: what a request carries that came over one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places(pub(super) usize);

/// What an answer carries that is made while it is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Streamed;

/// The account of requests in progress and of answers on their way.
pub(crate) struct Crowd {
    answers: Arc<Shares>,
    open: OnceLock<Arc<Seats>>,
}

impl Default for Crowd {
    fn default() -> Self {
        Self {
            answers: Shares::new(Bounds {
                all: ANSWER_BYTES,
                of_one: ANSWERS_OF_ONE,
                of_address: ANSWERS_OF_ADDRESS,
                of_strangers: ANSWER_BYTES / 4,
                kept: ANSWER_BYTES / 8,
            }),
            open: OnceLock::new(),
        }
    }
}

/// How many requests may be in progress over this many connections.
fn open_within(places: usize) -> Bounds {
    Bounds {
        all: places,
        of_one: (places / PART_OF_ONE).max(1),
        of_address: (places / PART_OF_ONE).max(1),
        of_strangers: (places / 2).max(1),
        kept: (places / 16).max(2),
    }
}

impl Crowd {
    /// Bytes of answers on their way now.
    pub(crate) fn answer_bytes(&self) -> usize {
        self.answers.held()
    }

    /// Room for an answer, or a part of one, on its way to a party.
    pub(super) fn answer(&self, party: Party, bytes: usize) -> Option<Share> {
        self.answers.take(party, bytes, bytes <= SMALL_BYTES)
    }

    fn open(
        &self,
        party: Party,
        Places(places): Places,
        end: Option<oneshot::Sender<()>>,
    ) -> Option<Seat> {
        self.seats(places).take(party, end)
    }

    fn seats(&self, places: usize) -> &Arc<Seats> {
        self.open.get_or_init(|| Seats::new(open_within(places)))
    }
}

/// Bounds a request, and its answer.
pub(super) async fn bounded(
    State(door): State<Arc<Door>>,
    request: Request,
    next: Next,
) -> Response {
    if matches!(request.uri().path(), "/healthz" | "/readyz") {
        return next.run(request).await;
    }
    if door.node.hub().is_closing() {
        return Refusal::from(Code::Draining).into_response();
    }
    let (mut parts, body) = request.into_parts();
    let party = Party::of(&door, &parts);
    let (end, ended) = oneshot::channel();
    let mut ended = Ended(Some(ended));
    let end = (parts.method == Method::GET).then_some(end);
    let open = match parts.extensions.get::<Places>() {
        Some(places) => match door.crowd.open(party, *places, end) {
            Some(open) => Some(open),
            None => {
                let mut refused = busy("it already has the maximum of requests in progress");
                let most = door.crowd.seats(places.0).most(party);
                Limit::Open { most, left: 0 }.tell(&mut refused);
                return refused;
            }
        },
        None => None,
    };
    let limit = open.as_ref().map(|seat| Limit::Open {
        most: seat.most(),
        left: seat.left(),
    });
    // Asked for first: where there is no room for the answer, nothing is read for it.
    let Some(mut room) = door.crowd.answer(party, AHEAD_BYTES) else {
        return busy(ANSWERS_FULL);
    };
    parts.extensions.insert(party);
    let told = is_command(&parts);
    let work = next.run(Request::from_parts(parts, body));
    let work = async move {
        match told {
            true => rates::telling(limit, work).await,
            false => work.await,
        }
    };
    let work = turns::on_behalf(party, work);
    let answer = tokio::select! {
        answer = work => answer,
        () = &mut ended => return busy("it has waited longest, and made room for others"),
    };
    let bytes = match answer.body().size_hint().exact() {
        Some(bytes) => usize::try_from(bytes).unwrap_or(usize::MAX),
        None if answer.extensions().get::<Streamed>().is_some() => STREAMED_BYTES,
        None => 0,
    };
    if !room.resize(bytes, bytes <= SMALL_BYTES) {
        return busy(ANSWERS_FULL);
    }
    answer.map(|body| {
        let body = match body.size_hint().exact() {
            Some(_) => body,
            None => Body::new(Followed { body, party, ended }),
        };
        Body::new(Kept::new(body, (open, room)))
    })
}

/// Whether an answer says what limits leave.
fn is_command(parts: &Parts) -> bool {
    parts.method == Method::POST && parts.uri.path().starts_with("/api/")
}

/// A body that is read as it is sent, for a party, until that has to make room.
struct Followed {
    body: Body,
    party: Party,
    ended: Ended,
}

/// Comes when a request has to make room for another, if ever.
struct Ended(Option<oneshot::Receiver<()>>);

impl Future for Ended {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(ended) = &mut self.0 else {
            return Poll::Pending;
        };
        let told = ready!(Pin::new(ended).poll(cx));
        self.0 = None;
        match told {
            Ok(()) => Poll::Ready(()),
            Err(_) => Poll::Pending,
        }
    }
}

impl HttpBody for Followed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        if Pin::new(&mut this.ended).poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        let body = Pin::new(&mut this.body);
        turns::step_for(this.party, || body.poll_frame(cx))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn busy(detail: &str) -> Response {
    Refusal::new(Code::Busy, detail).into_response()
}

/// A body that keeps something until it has been handed over. It goes in parts, so that all but the
/// last have been written by then.
pub(super) struct Kept<T> {
    body: Body,
    rest: Bytes,
    _keeps: T,
}

impl<T> Kept<T> {
    pub(super) fn new(body: Body, keeps: T) -> Self {
        Self {
            body,
            rest: Bytes::new(),
            _keeps: keeps,
        }
    }

    fn part(&mut self) -> Frame<Bytes> {
        Frame::data(self.rest.split_to(self.rest.len().min(PART_BYTES)))
    }
}

impl<T: Unpin> HttpBody for Kept<T> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        if !this.rest.is_empty() {
            return Poll::Ready(Some(Ok(this.part())));
        }
        let frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
        Poll::Ready(frame.map(|frame| {
            frame.map(|frame| match frame.into_data() {
                Ok(data) => {
                    this.rest = data;
                    this.part()
                }
                Err(other) => other,
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let mut hint = self.body.size_hint();
        if rest == 0 {
            return hint;
        }
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint.set_lower(hint.lower().saturating_add(rest));
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_core::id::OwnerId;

    #[tokio::test]
    async fn a_kept_body_goes_in_parts_and_keeps_until_its_end() {
        let crowd = Crowd::default();
        let whole = vec![7; PART_BYTES * 2 + 10];
        let room = crowd.answer(Party::Process, whole.len()).unwrap();
        let mut body = Kept::new(Body::from(whole.clone()), room);
        let mut seen = Vec::new();
        while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await
        {
            let part = frame.unwrap().into_data().unwrap();
            assert!(part.len() <= PART_BYTES);
            seen.extend_from_slice(&part);
            let left = (whole.len() - seen.len()) as u64;
            assert_eq!(body.size_hint().exact(), Some(left));
            assert_eq!(crowd.answer_bytes(), whole.len());
        }
        assert_eq!(seen, whole);
        assert!(body.is_end_stream());
        drop(body);
        assert_eq!(crowd.answer_bytes(), 0);
    }

    #[test]
    fn one_party_has_a_part_of_the_connections() {
        let (crowd, places) = (Crowd::default(), Places(768));
        let strangers: Vec<Seat> = (0..768)
            .filter_map(|_| crowd.open(Party::Process, places, None))
            .collect();
        assert_eq!(strangers.len(), 96);
        let owner = |n| Party::Owner(OwnerId(n));
        let of_one = (0..768).filter_map(|_| crowd.open(owner(1), places, None));
        let of_one: Vec<Seat> = of_one.collect();
        assert_eq!(of_one.len(), 96);
        let many: Vec<Seat> = (0..768)
            .filter_map(|n| crowd.open(owner(n), places, None))
            .collect();
        assert!(crowd.open(owner(9_999), places, None).is_none());
        // Whatever others do, the operator has places.
        let kept = (0..768).filter_map(|_| crowd.open(Party::Operator, places, None));
        assert_eq!(kept.collect::<Vec<_>>().len(), 48);
        drop(many);
    }

    #[test]
    fn one_owner_has_a_part_of_the_answers() {
        let crowd = Crowd::default();
        let owner = |n| Party::Owner(OwnerId(n));
        let one = crowd.answer(owner(1), ANSWERS_OF_ONE).unwrap();
        assert!(crowd.answer(owner(1), 1).is_none());
        assert!(crowd.answer(owner(2), ANSWERS_OF_ONE).is_some());
        drop(one);
        assert!(crowd.answer(owner(1), 1).is_some());
    }
}

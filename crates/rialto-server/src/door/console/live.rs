//! The live stream of a page: server-sent events that say when there is something new to see.
//!
//! On the square, everybody's posts and what is done to them count as news too.
//!
//! An event carries no content, only its position: the page then reads again what it shows, like
//! any other request. So the stream can reveal only that something concerning the viewer has
//! happened. A broken stream resumes by `Last-Event-ID` and gets an event at once if something
//! happened in between.

use std::convert::Infallible;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use rialto_core::reject::Code;
use tokio::time::{Instant, sleep_until, timeout};

use super::request::{SignedIn, is_live};
use crate::door::auth::Watch;
use crate::door::problem::Refusal;

/// The least time between two events of a stream.
const PACE: Duration = Duration::from_millis(700);
/// How often a quiet stream looks whether its session still lives.
const LOOK: Duration = Duration::from_secs(1);

/// The state of a stream.
struct Follow {
    user: SignedIn,
    after: u64,
    watch: Watch,
    not_before: Instant,
    ended: bool,
    _place: tokio::sync::OwnedSemaphorePermit,
}

/// `GET /live`.
pub(super) async fn stream(
    user: SignedIn,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let place = user.door().streams.clone().try_acquire_owned();
    let place = place.map_err(|_| Code::Busy)?;
    let resumed = headers
        .get("last-event-id")
        .map(|id| id.to_str().unwrap_or_default());
    let after = match resumed.or(user.param("after")).map(str::parse) {
        Some(Ok(position)) => position,
        Some(Err(_)) => {
            return Err(Refusal::new(
                Code::Malformed,
                "the place to resume from is not a position",
            ));
        }
        None => user.door().node.hub().indexed(),
    };
    let watch = Watch::of(user.door(), &user.caller);
    user.scope().await?;
    let follow = Follow {
        user,
        after,
        watch,
        not_before: Instant::now(),
        ended: false,
        _place: place,
    };
    let events = futures_util::stream::unfold(follow, |mut follow| async move {
        let event = follow.next().await?;
        Some((Ok(event), follow))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

impl Follow {
    async fn next(&mut self) -> Option<Event> {
        sleep_until(self.not_before).await;
        loop {
            let door = self.user.door();
            if self.ended || door.node.is_draining() {
                return None;
            }
            if !is_live(door, &self.user.session) || self.watch.judge(door).await.is_err() {
                self.ended = true;
                return Some(Event::default().event("ended").data(""));
            }
            let mut indexed = door.node.hub().watch_indexed();
            let reached = *indexed.borrow_and_update();
            if reached > self.after {
                match self.seen().await {
                    Ok(Some(position)) => {
                        self.not_before = Instant::now() + PACE;
                        return Some(moved(position));
                    }
                    Ok(None) => {}
                    Err(_) => return None,
                }
            }
            // Wakes now and then, to notice a shutdown, the end of the session, or of its holder's.
            let _ = timeout(LOOK, indexed.changed()).await;
        }
    }

    /// The position of something new that the viewer may see, if there is any.
    async fn seen(&mut self) -> Result<Option<u64>, Refusal> {
        let (scope, after) = (self.user.scope().await?, self.after);
        let square = self.user.param("square") == Some("true");
        let read = self.user.view(move |v| {
            let at = v.position()?;
            let public = if square { v.square_after(after)? } else { None };
            Ok((at, public.max(v.acted_after(scope, after)?)))
        });
        let (at, position) = read.await?;
        self.after = at.max(position.unwrap_or(0));
        Ok(position)
    }
}

fn moved(position: u64) -> Event {
    let text = position.to_string();
    Event::default().id(&text).event("realm").data(text)
}

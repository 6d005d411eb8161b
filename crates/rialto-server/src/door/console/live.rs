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
use rialto_views::Scope;
use tokio::time::{Instant, sleep_until};

use super::request::{SignedIn, is_live};
use crate::door::auth::Watch;
use crate::door::problem::Refusal;
use crate::node::{Following, Subject};

/// The least time between two events of a stream.
const PACE: Duration = Duration::from_millis(700);

/// The state of a stream.
struct Follow {
    user: SignedIn,
    after: u64,
    watch: Watch,
    following: Following,
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
    let mut subjects = watch.subjects(user.door());
    subjects.push(match user.scope().await? {
        Scope::Realm => Subject::Realm,
        Scope::Owner(owner) => Subject::Owner(owner),
        Scope::Agent(agent) => Subject::Agent(agent),
    });
    if is_of_square(&user) {
        subjects.push(Subject::Square);
    }
    let following = user.door().node.hub().follow(subjects);
    let follow = Follow {
        user,
        after,
        watch,
        following,
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
            if self.ended || door.node.hub().is_closing() {
                return None;
            }
            if !is_live(door, &self.user.session) || self.watch.judge(door).await.is_err() {
                self.ended = true;
                return Some(Event::default().event("ended").data(""));
            }
            if door.node.hub().indexed() > self.after {
                match self.seen().await {
                    Ok(Some(position)) => {
                        self.not_before = Instant::now() + PACE;
                        return Some(moved(position));
                    }
                    Ok(None) => {}
                    Err(_) => return None,
                }
            }
            let unchanged = self.following.changed().await;
            self.after = self.after.max(unchanged);
        }
    }

    /// The position of something new that the viewer may see, if there is any.
    async fn seen(&mut self) -> Result<Option<u64>, Refusal> {
        let (scope, after) = (self.user.scope().await?, self.after);
        let square = is_of_square(&self.user);
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

fn is_of_square(user: &SignedIn) -> bool {
    user.param("square") == Some("true")
}

fn moved(position: u64) -> Event {
    let text = position.to_string();
    Event::default().id(&text).event("realm").data(text)
}

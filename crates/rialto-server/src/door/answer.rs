//! The forms in which handlers answer.
//!
//! A handler's type says what it sends, and the API description is made from that type
//! ([`super::describe`]): what is not described cannot be sent. Refusals are in [`super::problem`].

use std::convert::Infallible;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};
use serde::Serialize;

use super::crowd::Streamed;
use super::problem::Refusal;
use crate::node::Hub;

/// JSON, or a refusal.
pub(super) type Answer<T> = Result<Json<T>, Refusal>;

/// How often a stream with nothing to tell says that it goes on.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A list that has no pages.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "{T}List"))]
pub(super) struct Items<T> {
    /// The rows.
    pub(super) items: Vec<T>,
}

/// JSON that stands ready as text.
pub(super) struct Document(pub(super) &'static str);

impl IntoResponse for Document {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], self.0).into_response()
    }
}

/// Markdown for people.
pub(super) struct Markdown(pub(super) String);

impl IntoResponse for Markdown {
    fn into_response(self) -> Response {
        let media = [(header::CONTENT_TYPE, "text/markdown; charset=utf-8")];
        (media, self.0).into_response()
    }
}

/// The Prometheus text format.
pub(super) struct Metrics(pub(super) String);

impl IntoResponse for Metrics {
    fn into_response(self) -> Response {
        let media = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
        (media, self.0).into_response()
    }
}

/// A line that says whether all is well: status 200 if it is, else 503.
pub(super) struct Health {
    /// Whether it is.
    pub(super) well: bool,
    /// The line, with its end.
    pub(super) line: String,
}

impl IntoResponse for Health {
    fn into_response(self) -> Response {
        let status = match self.well {
            true => StatusCode::OK,
            false => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, self.line).into_response()
    }
}

/// A line of an export: `{"kind": …, "value": …}`. What kinds there are stands in [`super::describe`].
pub(super) enum Exported {}

/// JSON values, one a line, each a `T`.
pub(super) struct Lines<T>(Body, PhantomData<fn() -> T>);

impl<T> Lines<T> {
    /// Sends lines as they come. An error breaks the connection: the reader sees that there is more.
    pub(super) fn of(
        lines: impl Stream<Item = Result<String, std::io::Error>> + Send + 'static,
    ) -> Self {
        let bytes = lines.map(|line| line.map(Bytes::from));
        Self(Body::from_stream(bytes), PhantomData)
    }
}

impl<T> IntoResponse for Lines<T> {
    fn into_response(self) -> Response {
        let media = [(header::CONTENT_TYPE, "application/jsonl")];
        let mut answer = (media, self.0).into_response();
        answer.extensions_mut().insert(Streamed);
        answer
    }
}

/// What a stream tells: a kind of event, and its data.
pub(super) trait News: Send + 'static {
    /// Puts the kind and the data into an event.
    ///
    /// # Errors
    /// When the data is no JSON.
    fn tell(&self, event: Event) -> Result<Event, axum::Error>;
}

/// An event of a stream, with the number to resume behind.
pub(super) struct Sent<T> {
    /// None where nothing comes after it.
    pub(super) number: Option<u64>,
    /// What it tells.
    pub(super) news: T,
}

/// Server-sent events, each of them a `T`.
pub(super) struct Events<T> {
    stream: Pin<Box<dyn Stream<Item = Result<Event, Infallible>> + Send>>,
    told: PhantomData<fn() -> T>,
}

impl<T: News> Events<T> {
    /// Sends events as they come. If the server ends, the last thing said is when to come again.
    pub(super) fn of(stream: impl Stream<Item = Sent<T>> + Send + 'static, hub: Arc<Hub>) -> Self {
        let events = stream.map(|Sent { number, news }| {
            let event = match number {
                Some(number) => Event::default().id(number.to_string()),
                None => Event::default(),
            };
            Ok(news.tell(event).unwrap_or_default())
        });
        let last = futures_util::stream::once(async move { hub.is_closing().then(goodbye) });
        let events = events.chain(last.filter_map(async |last| last.map(Ok)));
        Self {
            stream: Box::pin(events),
            told: PhantomData,
        }
    }
}

/// The end of a stream whose server ends: when to come again. Not all at the same moment.
pub(super) fn goodbye() -> Event {
    static TOLD: AtomicU64 = AtomicU64::new(0);
    let spread = TOLD.fetch_add(1, Ordering::Relaxed) * 997 % 4_000;
    Event::default()
        .comment("the server is shutting down")
        .retry(Duration::from_millis(1_000 + spread))
}

impl<T> IntoResponse for Events<T> {
    fn into_response(self) -> Response {
        let alive = KeepAlive::new().interval(KEEP_ALIVE);
        Sse::new(self.stream).keep_alive(alive).into_response()
    }
}

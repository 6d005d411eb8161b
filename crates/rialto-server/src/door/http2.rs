//! HTTP/2: what bounds a connection that carries many requests at once.
//!
//! A request over HTTP/2 is judged like any other, by whom it comes from: [`crowd`](super::crowd) counts
//! requests and not connections. Here stands what one connection may ask of the server besides: streams,
//! windows, headers, and requests that are taken back. What a client leaves unread ends its own stream only.
//! Nothing here knows routes, tokens or bodies' meaning.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use hyper::rt::Executor;
use hyper::server::conn::http2;
use hyper_util::rt::TokioTimer;
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep, sleep_until};

use super::serve::{HEAD_BYTES, read_by};

/// The most requests in progress over one connection.
pub const STREAMS_OF_CONNECTION: u32 = 128;
/// What a client may send of one body before the server has read it, in bytes.
pub const STREAM_WINDOW: u32 = 64 << 10;
/// The same of all bodies of a connection.
pub const CONNECTION_WINDOW: u32 = 128 << 10;
/// How many requests a client may take back at once before its connection ends.
pub const TAKEN_BACK: u32 = 128;
/// How many more it may take back with every second.
pub const TAKEN_BACK_RATE: u32 = 8;
/// How often a client is asked whether it is still there, and how long it may take to say so.
const PING: Duration = Duration::from_secs(20);
/// How many streams may be reset before they were looked at, by the client or for its own faults.
const RESETS: usize = 32;
/// Part of an answer from which on its last byte goes by itself.
const ALONE_BYTES: usize = 1 << 10;
/// What a client of HTTP/2 sends first (RFC 9113, section 3.4).
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

tokio::task_local! {
    static PACE: Arc<Pace>;
}

/// How connections of HTTP/2 are served.
pub(super) fn builder() -> http2::Builder<Streams> {
    let mut builder = http2::Builder::new(Streams);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_OF_CONNECTION)
        .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(STREAM_WINDOW as usize)
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(RESETS)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}

/// Runs the streams of a connection, and ends those whose client does not read its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Streams;

impl<F> Executor<F> for Streams
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, work: F) {
        let pace = Arc::new(Pace::default());
        let watched = async move {
            let mut work = pin!(work);
            let mut alarm = None;
            poll_fn(
                |cx| match PACE.sync_scope(pace.clone(), || work.as_mut().poll(cx)) {
                    Poll::Ready(_) => Poll::Ready(()),
                    Poll::Pending => pace.judge(cx, &mut alarm),
                },
            )
            .await;
        };
        drop(tokio::spawn(watched));
    }
}

/// Whether a part of an answer waits to be read, and since when.
#[derive(Debug, Default)]
struct Pace(Mutex<Option<(Instant, u64)>>);

impl Pace {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Instant, u64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A part was handed over: the next is asked for when the client has room for all of this one.
    fn handed(&self, bytes: usize) {
        *self.lock() = Some((Instant::now(), bytes as u64));
    }

    fn asked(&self) {
        *self.lock() = None;
    }

    /// Ready once a part was not read in time; the stream is then given up.
    fn judge(
        &self,
        cx: &mut Context<'_>,
        alarm: &mut Option<(Instant, Pin<Box<Sleep>>)>,
    ) -> Poll<()> {
        let Some((since, bytes)) = *self.lock() else {
            *alarm = None;
            return Poll::Pending;
        };
        let until = read_by(since, bytes);
        let (_, sleep) = match alarm {
            Some(set) if set.0 == until => set,
            _ => alarm.insert((until, Box::pin(sleep_until(until)))),
        };
        ready!(sleep.as_mut().poll(cx));
        tracing::debug!("a client did not read its answer in time");
        Poll::Ready(())
    }
}

/// What a client may still take back of its requests, and whether it has taken back too many.
#[derive(Debug)]
pub(super) struct TakenBack {
    left: Mutex<(u32, Instant)>,
    over: Notify,
}

impl Default for TakenBack {
    fn default() -> Self {
        Self {
            left: Mutex::new((TAKEN_BACK, Instant::now())),
            over: Notify::new(),
        }
    }
}

impl TakenBack {
    /// Comes when a client has taken back more than it may: a server that has begun each of them would
    /// work for nobody.
    pub(super) async fn too_many(&self) {
        self.over.notified().await;
    }

    fn one(&self, now: Instant) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let (have, since) = *left;
        let whole = now.saturating_duration_since(since).as_secs();
        let earned = u32::try_from(whole)
            .unwrap_or(u32::MAX)
            .saturating_mul(TAKEN_BACK_RATE);
        let have = have.saturating_add(earned).min(TAKEN_BACK);
        match have.checked_sub(1) {
            Some(have) => *left = (have, since + Duration::from_secs(whole)),
            None => self.over.notify_one(),
        }
    }
}

/// The body of an answer over HTTP/2, with what its request keeps until it was read.
///
/// The last byte of a part goes by itself: it is asked for when the client has room for those before it,
/// so that the request counts as in progress until nearly all of its answer is read.
pub(super) struct Outgoing<T> {
    body: Body,
    last: Option<Bytes>,
    pace: Option<Arc<Pace>>,
    account: Arc<TakenBack>,
    whole: bool,
    _keeps: T,
}

impl<T> Outgoing<T> {
    /// Made within the task of its stream.
    pub(super) fn new(body: Body, account: Arc<TakenBack>, keeps: T) -> Self {
        Self {
            whole: body.is_end_stream(),
            body,
            last: None,
            pace: PACE.try_with(Arc::clone).ok(),
            account,
            _keeps: keeps,
        }
    }
}

impl<T> Drop for Outgoing<T> {
    fn drop(&mut self) {
        if !self.whole {
            self.account.one(Instant::now());
        }
    }
}

impl<T: Unpin> HttpBody for Outgoing<T> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        if let Some(pace) = &this.pace {
            pace.asked();
        }
        let next = match this.last.take() {
            Some(last) => Some(Ok(Frame::data(last))),
            None => ready!(Pin::new(&mut this.body).poll_frame(cx)),
        };
        let next = next.map(|frame| frame.map(|frame| this.without_last(frame)));
        if let (Some(Ok(frame)), Some(pace)) = (&next, &this.pace) {
            pace.handed(frame.data_ref().map_or(0, Bytes::len));
        }
        this.whole |= next.is_none() || this.is_end_stream();
        Poll::Ready(next)
    }

    fn is_end_stream(&self) -> bool {
        self.last.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let more = self.last.as_ref().map_or(0, |last| last.len() as u64);
        let mut hint = self.body.size_hint();
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(more));
        }
        hint.set_lower(hint.lower().saturating_add(more));
        hint
    }
}

impl<T> Outgoing<T> {
    fn without_last(&mut self, frame: Frame<Bytes>) -> Frame<Bytes> {
        match frame.into_data() {
            Ok(mut part) if part.len() > ALONE_BYTES => {
                self.last = Some(part.split_off(part.len() - 1));
                Frame::data(part)
            }
            Ok(part) => Frame::data(part),
            Err(other) => other,
        }
    }
}

/// A request that is taken back before it has an answer counts as well.
pub(super) struct Begun<T> {
    account: Arc<TakenBack>,
    keeps: Option<T>,
}

impl<T: Send + Unpin + 'static> Begun<T> {
    pub(super) fn new(account: Arc<TakenBack>, keeps: T) -> Self {
        Self {
            account,
            keeps: Some(keeps),
        }
    }

    /// It has an answer, which goes on to keep what it kept.
    pub(super) fn answered(mut self, body: Body) -> Body {
        match self.keeps.take() {
            Some(keeps) => Body::new(Outgoing::new(body, self.account.clone(), keeps)),
            None => body,
        }
    }
}

impl<T> Drop for Begun<T> {
    fn drop(&mut self) {
        if self.keeps.is_some() {
            self.account.one(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_takes_back_more_than_it_may_is_told_from_who_waits_between() {
        let (account, began) = (TakenBack::default(), Instant::now());
        let over = || {
            let mut told = pin!(account.too_many());
            let mut cx = Context::from_waker(std::task::Waker::noop());
            told.as_mut().poll(&mut cx).is_ready()
        };
        for _ in 0..TAKEN_BACK {
            account.one(began);
        }
        assert!(!over());
        // What time has earned may be taken back too, and no more.
        for _ in 0..2 * TAKEN_BACK_RATE {
            account.one(began + Duration::from_millis(2_900));
        }
        assert!(!over());
        account.one(began + Duration::from_millis(2_900));
        assert!(over());
    }

    #[tokio::test]
    async fn the_last_byte_of_a_part_is_asked_for_by_itself() {
        let whole = Bytes::from(vec![7; 3 * ALONE_BYTES]);
        let account = Arc::new(TakenBack::default());
        let kept = Arc::new(());
        let mut body = Outgoing::new(Body::from(whole.clone()), account.clone(), kept.clone());
        let mut parts = Vec::new();
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            assert_eq!(Arc::strong_count(&kept), 2);
            parts.push(frame.unwrap().into_data().unwrap());
            assert_eq!(body.is_end_stream(), parts.len() == 2);
        }
        assert_eq!(
            parts.iter().map(Bytes::len).collect::<Vec<_>>(),
            [whole.len() - 1, 1]
        );
        assert_eq!(parts.concat(), whole);
        drop(body);
        assert_eq!(account.left.lock().unwrap().0, TAKEN_BACK);
        // One that was not read to its end was taken back.
        drop(Outgoing::new(Body::from(whole), account.clone(), ()));
        assert_eq!(account.left.lock().unwrap().0, TAKEN_BACK - 1);
    }

    #[tokio::test]
    async fn a_part_that_is_not_read_ends_its_stream() {
        let (pace, mut alarm) = (Pace::default(), None);
        let mut cx = Context::from_waker(std::task::Waker::noop());
        pace.handed(1);
        assert!(pace.judge(&mut cx, &mut alarm).is_pending() && alarm.is_some());
        // Once it is asked for more, nothing waits.
        pace.asked();
        assert!(pace.judge(&mut cx, &mut alarm).is_pending() && alarm.is_none());
        let long = super::super::WRITE_PAUSE * 2;
        *pace.lock() = Instant::now().checked_sub(long).map(|since| (since, 1));
        assert!(pace.judge(&mut cx, &mut alarm).is_ready());
    }
}

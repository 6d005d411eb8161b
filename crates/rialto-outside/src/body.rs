//! Bodies on their way, within bounds of bytes and time. Never holds more than one piece of them.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use http_body::{Frame, SizeHint};
use tokio::time::Sleep;

use crate::calls::Seat;
use crate::error::CallError;

/// A body that ends with an error where it has more bytes or takes longer than it may.
pub(crate) struct Bounded<B> {
    body: B,
    what: &'static str,
    limit: u64,
    seen: u64,
    ends: Option<(Pin<Box<Sleep>>, Duration)>,
    /// The call's place among those that are outstanding, held until the body has ended.
    seat: Option<Seat>,
}

impl<B: HttpBody> Bounded<B> {
    pub(crate) fn new(body: B, what: &'static str, limit: u64) -> Self {
        Self {
            body,
            what,
            limit,
            seen: 0,
            ends: None,
            seat: None,
        }
    }

    pub(crate) fn holding(self, seat: Seat) -> Self {
        let seat = Some(seat);
        Self { seat, ..self }
    }

    /// Ends with an error when `sleep` has; `total` is what it says then.
    pub(crate) fn until(self, sleep: Sleep, total: Duration) -> Self {
        let ends = Some((Box::pin(sleep), total));
        Self { ends, ..self }
    }

    fn too_large(&self) -> CallError {
        CallError::TooLarge {
            what: self.what,
            limit: self.limit,
        }
    }

    /// Whether its length, as far as it is known, is within the limit.
    ///
    /// # Errors
    /// [`CallError::TooLarge`].
    pub(crate) fn fits(&self) -> Result<(), CallError> {
        match self.body.size_hint().lower() > self.limit {
            true => Err(self.too_large()),
            false => Ok(()),
        }
    }
}

impl<B> HttpBody for Bounded<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: std::error::Error + 'static,
{
    type Data = Bytes;
    type Error = CallError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CallError>>> {
        if let Some((sleep, total)) = &mut self.ends
            && sleep.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Some(Err(CallError::Endless(*total))));
        }
        let next = match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(next) => next,
        };
        Poll::Ready(match next {
            None => {
                self.seat = None;
                None
            }
            Some(Err(error)) => Some(Err(CallError::behind(&error))),
            Some(Ok(frame)) => {
                let more = frame.data_ref().map_or(0, |data| data.len() as u64);
                self.seen = self.seen.saturating_add(more);
                match self.seen > self.limit {
                    true => Some(Err(self.too_large())),
                    false => Some(Ok(frame)),
                }
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

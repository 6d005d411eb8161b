//! What limits leave, as headers of answers to commands: `RateLimit-Policy` and `RateLimit` of the IETF's
//! draft (draft-ietf-httpapi-ratelimit-headers-10), and `Retry-After`.
//!
//! One limit is told: the one that refused the command, or else the one that is nearest. That is a rate of
//! the realm, or the requests that a party may have in progress. Nothing here limits.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use axum::http::HeaderValue;
use axum::response::Response;

use crate::node::RatePace;

tokio::task_local! {
    static NEAREST: Mutex<Option<Limit>>;
}

/// A limit and what it leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// A rate of the realm.
    Rate(RatePace),
    /// The requests that a party may have in progress: how many, and how many more.
    Open { most: usize, left: usize },
}

impl Limit {
    /// The part that is left, in millionths.
    fn millionths(&self) -> u64 {
        match self {
            Self::Rate(pace) => pace.room.millionths(),
            Self::Open { most, left } => {
                (*left as u64).saturating_mul(1_000_000) / (*most as u64).max(1)
            }
        }
    }

    /// Puts it into the head of an answer.
    pub(super) fn tell(&self, answer: &mut Response) {
        let (policy, now) = match self {
            Self::Rate(RatePace { name, room }) => (
                format!("\"{name}\";q={};w={}", room.quota, seconds(room.window_ms)),
                format!("\"{name}\";r={};t={}", room.left, seconds(room.whole_in_ms)),
            ),
            Self::Open { most, left } => (
                format!("\"open\";q={most};qu=\"concurrent-requests\""),
                format!("\"open\";r={left}"),
            ),
        };
        for (name, value) in [("ratelimit-policy", policy), ("ratelimit", now)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                answer.headers_mut().insert(name, value);
            }
        }
    }
}

/// Whole seconds, never fewer than it takes.
fn seconds(ms: u64) -> u64 {
    ms.div_ceil(1_000)
}

/// After how many seconds something is possible again that a refusal's detail says in milliseconds.
pub(super) fn retry_after(detail: &str) -> Option<u64> {
    let (_, rest) = detail.rsplit_once("again in ")?;
    let ms: u64 = rest.strip_suffix(" ms")?.parse().ok()?;
    Some(seconds(ms).max(1))
}

/// Carries out a command, and tells in its answer what is left: of `open`, or of a rate that was noted
/// meanwhile and is nearer.
pub(super) async fn telling<F>(open: Option<Limit>, work: F) -> Response
where
    F: Future<Output = Response>,
{
    let noted = async {
        let answer = work.await;
        let rate = NEAREST.with(|nearest| *nearest.lock().unwrap_or_else(PoisonError::into_inner));
        (answer, rate)
    };
    let (mut answer, rate) = NEAREST.scope(Mutex::new(None), noted).await;
    if let Some(limit) = nearer(rate, open) {
        limit.tell(&mut answer);
    }
    answer
}

/// Notes the rate that a command was nearest to.
pub(super) fn note(pace: Option<RatePace>) {
    // Outside a request nobody is told.
    let _ = NEAREST.try_with(|nearest| {
        let mut nearest = nearest.lock().unwrap_or_else(PoisonError::into_inner);
        *nearest = nearer(*nearest, pace.map(Limit::Rate));
    });
}

fn nearer(one: Option<Limit>, other: Option<Limit>) -> Option<Limit> {
    one.into_iter().chain(other).min_by_key(Limit::millionths)
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use rialto_core::policy::RateRoom;

    use super::*;

    fn rate(name: &'static str, left: u64) -> RatePace {
        let room = RateRoom {
            quota: 120,
            window_ms: 60_000,
            left,
            next_in_ms: 0,
            whole_in_ms: 1_500,
        };
        RatePace { name, room }
    }

    #[tokio::test]
    async fn the_nearest_limit_is_told() {
        let open = |left| Some(Limit::Open { most: 2_500, left });
        for (open, rates, told) in [
            (None, vec![], None),
            (open(2_499), vec![], Some("\"open\";r=2499")),
            (
                open(2_499),
                vec![rate("posts", 119)],
                Some("\"posts\";r=119;t=2"),
            ),
            (open(0), vec![rate("posts", 119)], Some("\"open\";r=0")),
            (
                None,
                vec![rate("posts", 9), rate("offers", 3)],
                Some("\"offers\";r=3;t=2"),
            ),
        ] {
            let work = async {
                rates.into_iter().for_each(|pace| note(Some(pace)));
                ().into_response()
            };
            let answer = telling(open, work).await;
            let found = answer
                .headers()
                .get("ratelimit")
                .map(|v| v.to_str().unwrap());
            assert_eq!(found, told);
            assert_eq!(
                answer.headers().contains_key("ratelimit-policy"),
                told.is_some()
            );
        }
    }

    #[test]
    fn a_time_to_wait_is_rounded_up() {
        for (detail, seconds) in [
            ("again in 1 ms", Some(1)),
            ("again in 1001 ms", Some(2)),
            ("from this address again in 1799000 ms", Some(1_799)),
            ("again in a while", None),
            ("", None),
        ] {
            assert_eq!(retry_after(detail), seconds, "{detail}");
        }
    }
}

//! Calls over pooled connections, within bounds of time, bytes and number.
//!
//! One value is one rule of whom to reach, one set of trusted certificates, and the connections opened under them:
//! a connection is never used under another rule than the one it was judged by. Keeps no cookies, reads no proxies
//! from the environment, and repeats no request that may have been sent.

use std::collections::HashMap;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;

use axum::http::{Request, Response};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::body::Bounded;
use crate::connect::{Connector, Resolve, SystemResolver};
use crate::error::CallError;
use crate::guard::{OpenHost, Reach, Target};
use crate::redirect;
use crate::trust::{OutsideError, tls};

/// How many guarded calls may be outstanding at once.
pub const CALLS: usize = 512;
/// How many of them to one host and port.
pub const CALLS_TO_A_HOST: usize = 128;
/// How many connections to one host are kept while nobody uses them.
pub const IDLE: usize = 8;
/// How many a gateway keeps, whose calls come at once.
pub const IDLE_SERVING: usize = 1_024;
/// How long they are kept.
pub const IDLE_TIME: Duration = Duration::from_secs(60);
/// The largest head of an answer over HTTP/1.1, in bytes.
const HEAD: usize = 64 << 10;
/// For how many hosts the places are remembered before those of idle ones are forgotten.
const HOSTS: usize = 1024;

/// An answer that is awaited. Boxed, so that this crate alone holds the code of the connections: what an
/// `async fn` does is compiled again in every crate that awaits it.
pub type Exchange = Pin<Box<dyn Future<Output = Result<Response<Body>, CallError>> + Send>>;

/// How much one call may take.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    begin: Duration,
    end: Option<Duration>,
    sent: u64,
    answer: u64,
    redirects: u8,
}

impl Bounds {
    /// A call whose answer begins within this time, redirects and all. Without further bounds its bodies may have any
    /// size and take any time, and redirects are answers like others.
    #[must_use]
    pub fn within(begin: Duration) -> Self {
        Self {
            begin,
            end: None,
            sent: u64::MAX,
            answer: u64::MAX,
            redirects: 0,
        }
    }

    /// With a time, from the beginning of the call, in which the answer's body ends too.
    #[must_use]
    pub fn whole_within(self, end: Duration) -> Self {
        let end = Some(end);
        Self { end, ..self }
    }

    /// With the most bytes that the bodies of request and answer may have.
    #[must_use]
    pub fn at_most(self, sent: u64, answer: u64) -> Self {
        Self {
            sent,
            answer,
            ..self
        }
    }

    /// Following so many redirects of a request with GET or HEAD, each to a destination that is judged again. What
    /// is marked as sensitive in the head is sent to no other origin, and nothing that began encrypted goes on in
    /// the clear.
    #[must_use]
    pub fn following(self, redirects: u8) -> Self {
        Self { redirects, ..self }
    }
}

/// Connections over HTTP/1.1 or, where the other side offers it with TLS, HTTP/2, made on first use. Clones share
/// them.
#[derive(Clone)]
pub struct Connections(Arc<Inner>);

struct Inner {
    pool: Pool<HttpsConnector<Connector>, Body>,
    /// None where the number of callers bounds the calls.
    seats: Option<Seats>,
}

impl std::fmt::Debug for Connections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connections").finish_non_exhaustive()
    }
}

impl Connections {
    /// Connections for a person's own tool, to whatever server the person names. They trust the certificates in a
    /// PEM file, or else the public roots.
    ///
    /// # Errors
    /// [`OutsideError::Certificates`] when the file cannot be used.
    pub fn trusting(ca: Option<&Path>) -> Result<Self, OutsideError> {
        Self::new(Reach::Anywhere, ca, Arc::new(SystemResolver), (None, IDLE))
    }

    /// Connections for a gateway: guarded as those of a server, but as many calls at once as there are callers,
    /// whose number others bound, and with up to [`IDLE_SERVING`] connections kept to each host.
    ///
    /// # Errors
    /// [`OutsideError::Certificates`] when the file cannot be used.
    pub fn serving(open: Vec<OpenHost>, ca: Option<&Path>) -> Result<Self, OutsideError> {
        let reach = Reach::Guarded(open);
        Self::new(reach, ca, Arc::new(SystemResolver), (None, IDLE_SERVING))
    }

    /// Connections for a server: to public addresses and to the hosts that its operator has opened. At most
    /// [`CALLS`] calls at once, and [`CALLS_TO_A_HOST`] to one host.
    ///
    /// # Errors
    /// [`OutsideError::Certificates`] when the file cannot be used.
    pub fn guarded(open: Vec<OpenHost>, ca: Option<&Path>) -> Result<Self, OutsideError> {
        Self::guarded_resolving(open, ca, Arc::new(SystemResolver))
    }

    /// The same with another resolver.
    ///
    /// # Errors
    /// [`OutsideError::Certificates`] when the file cannot be used.
    pub fn guarded_resolving(
        open: Vec<OpenHost>,
        ca: Option<&Path>,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, OutsideError> {
        let seats = Seats::new(CALLS, CALLS_TO_A_HOST);
        Self::new(Reach::Guarded(open), ca, resolver, (Some(seats), IDLE))
    }

    fn new(
        reach: Reach,
        ca: Option<&Path>,
        resolver: Arc<dyn Resolve>,
        (seats, idle): (Option<Seats>, usize),
    ) -> Result<Self, OutsideError> {
        let connector = Connector {
            reach: Arc::new(reach),
            resolver,
        };
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls(ca)?)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(connector);
        let mut pool = Pool::builder(TokioExecutor::new());
        pool.timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIME)
            .pool_max_idle_per_host(idle)
            .http1_max_buf_size(HEAD);
        let pool = pool.build(connector);
        Ok(Self(Arc::new(Inner { pool, seats })))
    }

    /// Makes one request; the body of its answer is still to be read, and holds the call's place until then.
    pub fn call(&self, request: Request<Body>, bounds: Bounds) -> Exchange {
        let inner = self.0.clone();
        Box::pin(async move { inner.call(request, bounds).await })
    }
}

impl Inner {
    async fn call(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> Result<Response<Body>, CallError> {
        let began = Instant::now();
        let begin = began + bounds.begin;
        let mut left = bounds.redirects;
        let mut request = request.map(|body| Bounded::new(body, "request", bounds.sent));
        request.body().fits()?;
        loop {
            let seat = self.seat(&Target::of(request.uri())?, begin).await?;
            let again = redirect::Again::of(&request, bounds.redirects);
            let answer = timeout_at(begin, self.pool.request(request.map(Body::new))).await;
            let answer = match answer {
                Err(_) => return Err(CallError::Late(bounds.begin)),
                Ok(Err(error)) => return Err(CallError::behind(&error)),
                Ok(Ok(answer)) => answer,
            };
            if let Some(next) = again.and_then(|again| again.after(&answer)) {
                left = left
                    .checked_sub(1)
                    .ok_or(CallError::Redirected("more often than allowed"))?;
                request = next?.map(|body| Bounded::new(body, "request", bounds.sent));
                continue;
            }
            let (head, body) = answer.into_parts();
            let mut body = Bounded::new(body, "answer", bounds.answer);
            body.fits()?;
            if let Some(seat) = seat {
                body = body.holding(seat);
            }
            if let Some(end) = bounds.end {
                body = body.until(sleep_until(began + end), end);
            }
            return Ok(Response::from_parts(head, Body::new(body)));
        }
    }

    async fn seat(&self, target: &Target, until: Instant) -> Result<Option<Seat>, CallError> {
        let Some(seats) = &self.seats else {
            return Ok(None);
        };
        let seat = timeout_at(until, seats.take(target)).await;
        seat.map_err(|_| CallError::Busy)?.map(Some)
    }
}

/// A call's place: in all, and of its host.
pub(crate) struct Seat {
    _host: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

/// How many more calls may be outstanding.
struct Seats {
    all: Arc<Semaphore>,
    of_a_host: usize,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl Seats {
    fn new(all: usize, of_a_host: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(all)),
            of_a_host,
            hosts: Mutex::default(),
        }
    }

    /// The host's place first: who waits for a busy host takes nobody else's.
    async fn take(&self, target: &Target) -> Result<Seat, CallError> {
        let host = self.of(target);
        let host = host.acquire_owned().await.map_err(|_| CallError::Busy)?;
        let all = self.all.clone().acquire_owned().await;
        Ok(Seat {
            _host: host,
            _all: all.map_err(|_| CallError::Busy)?,
        })
    }

    fn of(&self, target: &Target) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= HOSTS {
            hosts.retain(|_, seats| Arc::strong_count(seats) > 1);
        }
        let host = format!("{}:{}", target.host, target.port);
        let seats = hosts.entry(host);
        let seats = seats.or_insert_with(|| Arc::new(Semaphore::new(self.of_a_host)));
        seats.clone()
    }
}

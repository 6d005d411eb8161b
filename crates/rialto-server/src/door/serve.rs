//! Listening: TCP, TLS when given a certificate, HTTP/1.1 and HTTP/2, graceful shutdown, and bounds on
//! connections.
//!
//! Over TLS the client and the server agree on HTTP/2 by ALPN; without TLS a client that knows beforehand
//! speaks it from the first byte (h2c). What HTTP/2 needs besides stands in [`http2`](super::http2).
//!
//! The limit of open files bounds the number of connections. If all places are taken, the
//! connection that has gone longest without a request in progress is closed, so that neither half-open
//! nor idle ones keep anybody out. How many requests one sender may have in progress is bounded by
//! [`crowd`](super::crowd). A client that does not read what it asked for is cut off.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2 as conn2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, Sleep, sleep_until};
use tower::ServiceExt;

use super::crowd::{Kept, Places};
use super::files::room_for_connections;
use super::http2::{self, Begun, PREFACE, TakenBack};
use super::tls::{HTTP2, Tls};
use super::{Door, Edge};

/// How long a client may take to send a request's headers, or to shake hands.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a client may leave what was written to it unread.
pub const WRITE_PAUSE: Duration = Duration::from_secs(30);
/// The minimum of bytes a second that it reads after that.
pub const WRITE_RATE: u32 = 16 << 10;
/// How long open requests and streams may take to end once the server shuts down, unless a setting says
/// otherwise.
pub const DRAIN: Duration = Duration::from_secs(10);
/// How long connections may take to notice that they are cut off.
const CUT_OFF: Duration = Duration::from_secs(1);
/// How often it is looked whether a connection of HTTP/2 has had no request since the last time: then it is
/// asked to end, and at the next time cut off.
const QUIET: Duration = Duration::from_secs(30);
/// The most headers of a request, and the most bytes of its head. As much is read of a body at a time.
const HEADERS: usize = 64;
pub(super) const HEAD_BYTES: usize = 16 << 10;

/// Why the server cannot listen.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}: {source}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// The cause.
        source: io::Error,
    },
    /// A certificate or key cannot be used.
    #[error("cannot use {path}: {cause}", path = path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
}

/// What a request carries that came over TLS.
#[derive(Clone, Copy, Debug)]
pub(super) struct Encrypted;

/// The other end of the connection that a request came over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// A bound listener.
pub struct Listener {
    tcp: TcpListener,
    tls: Option<Tls>,
    drain: Duration,
}

impl Listener {
    /// Binds an address; port 0 takes a free one.
    ///
    /// # Errors
    /// [`ServeError::Listen`].
    pub async fn bind(addr: SocketAddr, tls: Option<Tls>) -> Result<Self, ServeError> {
        let tcp = TcpListener::bind(addr)
            .await
            .map_err(|source| ServeError::Listen { addr, source })?;
        let drain = DRAIN;
        Ok(Self { tcp, tls, drain })
    }

    /// The same, whose requests and streams have this long to end once it stops.
    #[must_use]
    pub fn draining_for(self, drain: Duration) -> Self {
        Self { drain, ..self }
    }

    /// The address that was bound.
    ///
    /// # Errors
    /// As the operating system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// The address as clients write it.
    ///
    /// # Errors
    /// As the operating system's.
    pub fn url(&self) -> io::Result<String> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        Ok(format!("{scheme}://{}", self.local_addr()?))
    }
}

/// What ends when it is time to stop, or when serving has stopped.
pub type Ending<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Serves until `stop` resolves, then lets open requests and streams end, within a deadline.
///
/// Boxed, so that this crate alone holds the code that serves: what an `async fn` does is compiled again
/// in every crate that awaits it.
pub(crate) fn serve<'a>(listener: Listener, door: &'a Arc<Door>, stop: Ending<'a>) -> Ending<'a> {
    Box::pin(async move {
        let (tls, edge) = (listener.tls.clone(), door.edge.clone());
        tokio::select! {
            () = accept_all(listener, door.router(), stop) => {}
            () = keep_certificate(tls, &edge) => {}
        }
    })
}

/// Takes the certificate anew whenever its files change; never ends.
async fn keep_certificate(tls: Option<Tls>, edge: &Edge) {
    match tls {
        Some(tls) => tls.keep(edge).await,
        None => std::future::pending().await,
    }
}

/// Where the end of a server has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Serving,
    /// Connections take nothing new.
    Draining,
    /// Those that are left are cut off.
    Over,
}

async fn accept_all(listener: Listener, router: Router, mut stop: Ending<'_>) {
    let (ending, drain) = watch::channel(Stage::Serving);
    let room = room_for_connections();
    let places = Arc::new(Semaphore::new(room));
    let idle = Arc::new(Idle::default());
    for number in 0.. {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.tcp.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, or a client that gave up: accept again a little later.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        let place = tokio::select! {
            () = &mut stop => break,
            place = place(&places, &idle) => place,
        };
        let Some(place) = place else { break };
        let connection = Connection {
            router: router.clone(),
            peer: peer.ip(),
            encrypted: listener.tls.is_some(),
            number,
            places: Places(room),
            idle: idle.clone(),
            taken_back: Arc::default(),
        };
        let (tls, drain) = (listener.tls.clone(), drain.clone());
        idle.enter(number, || {
            let task = tokio::spawn(async move {
                Arc::new(connection).begin(stream, tls, drain).await;
                drop(place);
            });
            task.abort_handle()
        });
    }
    let patience = listener.drain;
    drop((listener, drain));
    ending.send_replace(Stage::Draining);
    if tokio::time::timeout(patience, ending.closed())
        .await
        .is_err()
    {
        let left = ending.receiver_count();
        tracing::warn!(
            connections = left,
            "some requests did not end in time and are cut off"
        );
        ending.send_replace(Stage::Over);
        // They end at their next step.
        let _ = tokio::time::timeout(CUT_OFF, ending.closed()).await;
    }
}

/// A place for one more connection, once there is one.
async fn place(places: &Arc<Semaphore>, idle: &Idle) -> Option<OwnedSemaphorePermit> {
    if let Ok(place) = places.clone().try_acquire_owned() {
        return Some(place);
    }
    idle.show_out_oldest();
    places.clone().acquire_owned().await.ok()
}

/// Connections, and since when each has had no request in progress, if it has none.
#[derive(Default)]
struct Idle(Mutex<Connections>);

#[derive(Default)]
struct Connections {
    all: HashMap<u64, Open>,
    /// Those without a request in progress, by the turn in which they became so.
    waiting: BTreeMap<u64, u64>,
    turn: u64,
}

/// An open connection.
struct Open {
    task: AbortHandle,
    /// Its requests in progress, and how many it has had.
    requests: usize,
    begun: u64,
    /// The turn in which it came to have none.
    since: Option<u64>,
}

impl Connections {
    /// A request has ended.
    fn end(&mut self, number: u64) {
        if let Some(open) = self.all.get_mut(&number) {
            open.requests = open.requests.saturating_sub(1);
            if open.requests == 0 {
                self.wait(number);
            }
        }
    }

    fn wait(&mut self, number: u64) {
        let Some(open) = self.all.get_mut(&number) else {
            return;
        };
        self.turn += 1;
        if let Some(before) = open.since.replace(self.turn) {
            self.waiting.remove(&before);
        }
        self.waiting.insert(self.turn, number);
    }

    fn begin(&mut self, number: u64) {
        let Some(open) = self.all.get_mut(&number) else {
            return;
        };
        open.requests += 1;
        open.begun += 1;
        let since = open.since.take();
        since.map(|turn| self.waiting.remove(&turn));
    }
}

impl Idle {
    fn connections(&self) -> std::sync::MutexGuard<'_, Connections> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a connection that begins now. It cannot leave before it has entered.
    fn enter(&self, number: u64, begin: impl FnOnce() -> AbortHandle) {
        let mut connections = self.connections();
        let open = Open {
            task: begin(),
            requests: 0,
            begun: 0,
            since: None,
        };
        connections.all.insert(number, open);
        connections.wait(number);
    }

    fn leave(&self, number: u64) {
        let mut connections = self.connections();
        let gone = connections.all.remove(&number);
        let since = gone.and_then(|open| open.since);
        since.map(|turn| connections.waiting.remove(&turn));
    }

    /// How many requests a connection has had, if none is in progress.
    fn quiet_after(&self, number: u64) -> Option<u64> {
        let connections = self.connections();
        let open = connections.all.get(&number)?;
        (open.requests == 0).then_some(open.begun)
    }

    fn show_out_oldest(&self) {
        let mut connections = self.connections();
        let Some((_, oldest)) = connections.waiting.pop_first() else {
            return;
        };
        let shown_out = connections.all.remove(&oldest);
        drop(connections);
        if let Some(oldest) = shown_out {
            oldest.task.abort();
        }
    }
}

/// A request in progress on a connection, which waits again when the last of them is dropped.
struct InProgress {
    idle: Arc<Idle>,
    number: u64,
}

impl InProgress {
    fn begin(idle: &Arc<Idle>, number: u64) -> Self {
        idle.connections().begin(number);
        Self {
            idle: idle.clone(),
            number,
        }
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        self.idle.connections().end(self.number);
    }
}

/// A connection and what its requests carry.
struct Connection {
    router: Router,
    peer: IpAddr,
    encrypted: bool,
    number: u64,
    places: Places,
    idle: Arc<Idle>,
    taken_back: Arc<TakenBack>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.idle.leave(self.number);
    }
}

impl Connection {
    async fn begin(self: Arc<Self>, stream: TcpStream, tls: Option<Tls>, mut drain: Drain) {
        // Small answers must not wait for more data.
        let _ = stream.set_nodelay(true);
        let Some(tls) = tls else {
            let mut stream = stream;
            let spoken = tokio::select! {
                spoken = tokio::time::timeout(PATIENCE, spoken(&mut stream)) => spoken,
                _ = drain.changed() => return,
            };
            match spoken {
                Ok(Ok((http2, first))) => self.http(stream, first, http2, drain).await,
                Ok(Err(error)) => tracing::debug!(%error, "a connection ended badly"),
                Err(_) => tracing::debug!("a client said nothing in time"),
            }
            return;
        };
        let shaken = tokio::select! {
            shaken = tokio::time::timeout(PATIENCE, tls.acceptor().accept(stream)) => shaken,
            _ = drain.changed() => return,
        };
        match shaken {
            Ok(Ok(stream)) => {
                let http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
                self.http(stream, Bytes::new(), http2, drain).await;
            }
            Ok(Err(error)) => tracing::debug!(%error, "a handshake failed"),
            Err(_) => tracing::debug!("a handshake took too long"),
        }
    }

    /// Serves what comes over a connection, whose first bytes may have been read.
    async fn http<S>(self: Arc<Self>, stream: S, first: Bytes, http2: bool, drain: Drain)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let stream = TokioIo::new(Paced::new(stream, first));
        let me = self.clone();
        if http2 {
            let service = service_fn(move |request| me.clone().answer_multiplexed(request));
            let connection = http2::builder().serve_connection(stream, service);
            let end = conn2::Connection::graceful_shutdown;
            return self.until_it_ends(connection, end, drain, true).await;
        }
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(PATIENCE)
            .max_headers(HEADERS)
            .max_buf_size(HEAD_BYTES);
        let service = service_fn(move |request| me.clone().answer(request));
        let connection = builder.serve_connection(stream, service);
        let end = http1::Connection::graceful_shutdown;
        self.until_it_ends(connection, end, drain, false).await;
    }

    /// Drives a connection until it ends, or its client takes back too much; one of HTTP/2 also until it has
    /// been quiet for long. `end` asks it to end in order. (Over HTTP/1.1 a head that does not come ends it.)
    async fn until_it_ends<C>(
        &self,
        connection: C,
        end: fn(Pin<&mut C>),
        mut drain: Drain,
        http2: bool,
    ) where
        C: Future<Output = hyper::Result<()>>,
    {
        let mut connection = std::pin::pin!(connection);
        let (mut told, mut before) = (false, None);
        let mut quiet = tokio::time::interval_at(Instant::now() + QUIET, QUIET);
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection ended badly");
                    }
                    return;
                }
                _ = drain.changed() => {
                    if *drain.borrow_and_update() == Stage::Over {
                        return;
                    }
                    told = true;
                    end(connection.as_mut());
                }
                () = self.taken_back.too_many() => {
                    tracing::debug!("a client took back too many requests");
                    return;
                }
                _ = quiet.tick(), if http2 => {
                    let now = self.idle.quiet_after(self.number);
                    match now.is_some() && now == before {
                        // It was told to end and has not.
                        true if told => return,
                        true => {
                            told = true;
                            end(connection.as_mut());
                        }
                        false => before = now,
                    }
                }
            }
        }
    }

    /// What each request carries, and what it keeps until it is answered.
    fn enter(&self, request: &mut Request<Incoming>) -> InProgress {
        request.extensions_mut().insert(Peer(self.peer));
        request.extensions_mut().insert(self.places);
        if self.encrypted {
            request.extensions_mut().insert(Encrypted);
        }
        InProgress::begin(&self.idle, self.number)
    }

    async fn answer(
        self: Arc<Self>,
        mut request: Request<Incoming>,
    ) -> Result<Response<Body>, Infallible> {
        let in_progress = self.enter(&mut request);
        let answer = self.router.clone().oneshot(request).await?;
        Ok(answer.map(|body| Body::new(Kept::new(body, in_progress))))
    }

    async fn answer_multiplexed(
        self: Arc<Self>,
        mut request: Request<Incoming>,
    ) -> Result<Response<Body>, Infallible> {
        let begun = Begun::new(self.taken_back.clone(), self.enter(&mut request));
        name_host(&mut request);
        let answer = match request.headers().len() > HEADERS {
            true => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE.into_response(),
            false => self.router.clone().oneshot(request).await?,
        };
        Ok(answer.map(|body| begun.answered(body)))
    }
}

/// Tells connections that the server ends.
type Drain = watch::Receiver<Stage>;

/// Puts the host that a request is for where requests over HTTP/1.1 have it.
fn name_host(request: &mut Request<Incoming>) {
    let named = request
        .uri()
        .authority()
        .map(|host| HeaderValue::from_str(host.as_str()));
    if let Some(Ok(host)) = named
        && !request.headers().contains_key(header::HOST)
    {
        request.headers_mut().insert(header::HOST, host);
    }
}

/// Whether a client speaks HTTP/2 from its first byte, and what was read to know it.
async fn spoken(stream: &mut TcpStream) -> io::Result<(bool, Bytes)> {
    let mut first = Vec::with_capacity(PREFACE.len());
    while first.len() < PREFACE.len() {
        let more = PREFACE.len() - first.len();
        if stream.take(more as u64).read_buf(&mut first).await? == 0 || !PREFACE.starts_with(&first)
        {
            return Ok((false, first.into()));
        }
    }
    Ok((true, first.into()))
}

/// A connection that is cut off when its client does not read: by the time that what was written has
/// earned, see [`WRITE_PAUSE`] and [`WRITE_RATE`].
struct Paced<S> {
    inner: S,
    /// What was read before, to be read again.
    first: Bytes,
    /// Since when something waits to be read, and how much of it has been since.
    since: Option<Instant>,
    written: u64,
    /// Set while the client does not read.
    alarm: Option<Pin<Box<Sleep>>>,
}

/// By when more of an answer must have been read.
pub(super) fn read_by(since: Instant, written: u64) -> Instant {
    let written = u32::try_from(written).unwrap_or(u32::MAX);
    since + WRITE_PAUSE + Duration::from_secs(1) * written / WRITE_RATE
}

impl<S> Paced<S> {
    fn new(inner: S, first: Bytes) -> Self {
        Self {
            inner,
            first,
            since: None,
            written: 0,
            alarm: None,
        }
    }

    /// Judges the outcome of a write.
    fn judge(
        &mut self,
        cx: &mut Context<'_>,
        wrote: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(wrote) = wrote {
            self.alarm = None;
            let bytes = wrote.as_ref().map_or(0, |bytes| *bytes as u64);
            self.written = self.written.saturating_add(bytes);
            return Poll::Ready(wrote);
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        let until = read_by(since, self.written);
        let alarm = self
            .alarm
            .get_or_insert_with(|| Box::pin(sleep_until(until)));
        if alarm.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        tracing::debug!("a client did not read its answer in time");
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.first.is_empty() {
            let most = self.first.len().min(into.remaining());
            into.put_slice(&self.first.split_to(most));
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.inner).poll_read(cx, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.judge(cx, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.inner).poll_write_vectored(cx, bytes);
        self.judge(cx, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        if flushed.is_ready() {
            // Everything is on its way: the next part has its own time.
            (self.since, self.written, self.alarm) = (None, 0, None);
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_without_a_request_in_progress_makes_room() {
        let (places, idle) = (Arc::new(Semaphore::new(3)), Arc::new(Idle::default()));
        let mut tasks = Vec::new();
        for number in 0..3 {
            let held = place(&places, &idle).await.unwrap();
            let task = tokio::spawn(async move {
                std::future::pending::<()>().await;
                drop(held);
            });
            idle.enter(number, || task.abort_handle());
            tasks.push(task);
        }
        // The first is being answered; the second was, later than the third came.
        let first = InProgress::begin(&idle, 0);
        drop(InProgress::begin(&idle, 1));
        let mut held = vec![place(&places, &idle).await];
        assert!(tasks.pop().unwrap().await.unwrap_err().is_cancelled());
        held.push(place(&places, &idle).await);
        assert!(tasks.pop().unwrap().await.unwrap_err().is_cancelled());
        // Who has been answered makes room like everybody, and what has left is forgotten.
        assert!(!tasks[0].is_finished());
        drop(first);
        held.push(place(&places, &idle).await);
        assert!(tasks.pop().unwrap().await.unwrap_err().is_cancelled());
        assert!(held.iter().all(Option::is_some));
        let connections = idle.connections();
        assert!(connections.all.is_empty() && connections.waiting.is_empty());
    }

    #[tokio::test]
    async fn a_connection_is_quiet_while_none_of_its_requests_is_in_progress() {
        let idle = Arc::new(Idle::default());
        idle.enter(7, || tokio::spawn(async {}).abort_handle());
        assert_eq!(idle.quiet_after(7), Some(0));
        let (one, other) = (InProgress::begin(&idle, 7), InProgress::begin(&idle, 7));
        drop(one);
        assert_eq!(idle.quiet_after(7), None, "one of two goes on");
        assert!(idle.connections().waiting.is_empty());
        drop(other);
        assert_eq!(idle.quiet_after(7), Some(2));
        assert_eq!(idle.connections().waiting.len(), 1);
        idle.leave(7);
        assert_eq!(idle.quiet_after(7), None);
    }

    /// A connection whose client reads nothing: what is written stays where it is.
    struct Stuck;

    impl AsyncWrite for Stuck {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Pending
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn who_does_not_read_is_cut_off() {
        let mut server = Paced::new(Stuck, Bytes::new());
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let write = |server: &mut Paced<Stuck>, cx: &mut Context<'_>| {
            Pin::new(server).poll_write(cx, b"words")
        };
        assert!(write(&mut server, &mut cx).is_pending());
        assert!(server.since.is_some() && server.alarm.is_some());
        // What was flushed was read: the next part has its own time.
        assert!(Pin::new(&mut server).poll_flush(&mut cx).is_ready());
        assert!(server.since.is_none() && server.alarm.is_none());
        server.since = Instant::now().checked_sub(WRITE_PAUSE * 2);
        let cut = write(&mut server, &mut cx);
        assert!(matches!(cut, Poll::Ready(Err(why)) if why.kind() == io::ErrorKind::TimedOut));
    }

    #[test]
    fn an_answer_earns_its_time_by_being_read() {
        let since = Instant::now();
        let rate = u64::from(WRITE_RATE);
        for (written, seconds) in [(0, 30), (rate, 31), (100 * rate, 130)] {
            let by = since + Duration::from_secs(seconds);
            assert_eq!(read_by(since, written), by, "{written}");
        }
    }
}

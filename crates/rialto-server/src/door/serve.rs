//! Listening: TCP, TLS when given a certificate, graceful shutdown, and bounds on connections.
//!
//! The limit of open files bounds the number of connections. If all places are taken, the
//! connection that has gone longest without a complete request is closed, so that half-open ones
//! keep nobody out.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::files::room_for_connections;

/// How long a client may take to send a request's headers, or to shake hands.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long open requests may take to end once the server shuts down.
const DRAIN: Duration = Duration::from_secs(10);
/// The most headers of a request, and the most bytes of its head. As much is read of a body at a time.
const HEADERS: usize = 64;
const HEAD_BYTES: usize = 16 << 10;

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

/// A certificate with its key.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

impl Tls {
    /// Reads a certificate chain and its key from PEM files.
    ///
    /// # Errors
    /// [`ServeError::Tls`].
    pub fn load(cert: &Path, key: &Path) -> Result<Self, ServeError> {
        let failed = |path: &Path, cause: String| ServeError::Tls {
            path: path.to_owned(),
            cause,
        };
        let chain = CertificateDer::pem_file_iter(cert)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|e| failed(cert, unread(&e, "certificate")))?;
        if chain.is_empty() {
            return Err(failed(
                cert,
                unread(&pem::Error::NoItemsFound, "certificate"),
            ));
        }
        let private = PrivateKeyDer::from_pem_file(key)
            .map_err(|e| failed(key, unread(&e, "private key")))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|b| b.with_no_client_auth().with_single_cert(chain, private))
            .map_err(|e| match e {
                rustls::Error::InconsistentKeys(_) => failed(
                    key,
                    format!("it is not the key of the certificate in {}", cert.display()),
                ),
                other => failed(cert, other.to_string()),
            })?;
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }
}

/// What is wrong with a PEM file.
fn unread(why: &pem::Error, wanted: &str) -> String {
    match why {
        pem::Error::NoItemsFound => format!("it holds no {wanted} in PEM form"),
        pem::Error::Io(why) => why.to_string(),
        other => other.to_string(),
    }
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
        Ok(Self { tcp, tls })
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

/// Serves until `stop` resolves, then lets open requests end, within a deadline.
///
/// Boxed, so that this crate alone holds the code that serves: what an `async fn` does is compiled again
/// in every crate that awaits it.
pub(crate) fn serve(listener: Listener, router: Router, stop: Ending<'_>) -> Ending<'_> {
    Box::pin(accept_all(listener, router, stop))
}

async fn accept_all(listener: Listener, router: Router, mut stop: Ending<'_>) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(room_for_connections()));
    let newcomers = Arc::new(Newcomers::default());
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
            place = place(&places, &newcomers) => place,
        };
        let Some(place) = place else { break };
        let connection = Connection {
            router: router.clone(),
            peer: peer.ip(),
            encrypted: listener.tls.is_some(),
            number,
            newcomers: newcomers.clone(),
        };
        let (tls, watcher) = (listener.tls.clone(), graceful.watcher());
        newcomers.enter(number, || {
            let task = tokio::spawn(async move {
                connection.begin(stream, tls, watcher).await;
                drop(place);
            });
            task.abort_handle()
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some requests did not end in time");
    }
}

/// A place for one more connection, once there is one.
async fn place(places: &Arc<Semaphore>, newcomers: &Newcomers) -> Option<OwnedSemaphorePermit> {
    if let Ok(place) = places.clone().try_acquire_owned() {
        return Some(place);
    }
    newcomers.show_out_oldest();
    places.clone().acquire_owned().await.ok()
}

/// Connections that have not asked for anything yet, by age.
#[derive(Default)]
struct Newcomers(Mutex<BTreeMap<u64, AbortHandle>>);

impl Newcomers {
    /// Notes a connection that begins now. It cannot leave before it has entered.
    fn enter(&self, number: u64, begin: impl FnOnce() -> AbortHandle) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.insert(number, begin());
    }

    fn leave(&self, number: u64) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.remove(&number);
    }

    fn show_out_oldest(&self) {
        let waiting = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = waiting().pop_first();
        if let Some((_, oldest)) = oldest {
            oldest.abort();
        }
    }
}

/// A connection and what its requests carry.
struct Connection {
    router: Router,
    peer: IpAddr,
    encrypted: bool,
    number: u64,
    newcomers: Arc<Newcomers>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.newcomers.leave(self.number);
    }
}

impl Connection {
    async fn begin(self, stream: TcpStream, tls: Option<Tls>, watcher: Watcher) {
        // Small answers must not wait for more data.
        let _ = stream.set_nodelay(true);
        match tls {
            None => self.http(stream, watcher).await,
            Some(Tls(acceptor)) => {
                match tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => self.http(stream, watcher).await,
                    Ok(Err(error)) => tracing::debug!(%error, "a handshake failed"),
                    Err(_) => tracing::debug!("a handshake took too long"),
                }
            }
        }
    }

    async fn http<S>(&self, stream: S, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(PATIENCE)
            .max_headers(HEADERS)
            .max_buf_size(HEAD_BYTES);
        let service = service_fn(|mut request: Request<Incoming>| {
            self.newcomers.leave(self.number);
            request.extensions_mut().insert(Peer(self.peer));
            if self.encrypted {
                request.extensions_mut().insert(Encrypted);
            }
            self.router.clone().oneshot(request)
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%error, "a connection ended badly");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_that_has_asked_nothing_makes_room() {
        let (places, newcomers) = (Arc::new(Semaphore::new(2)), Newcomers::default());
        let mut tasks = Vec::new();
        for number in 0..2 {
            let held = place(&places, &newcomers).await.unwrap();
            let task = tokio::spawn(async move {
                std::future::pending::<()>().await;
                drop(held);
            });
            newcomers.enter(number, || task.abort_handle());
            tasks.push(task);
        }
        // The first has asked for something, so the second goes.
        newcomers.leave(0);
        let third = place(&places, &newcomers).await;
        assert!(third.is_some());
        assert!(!tasks[0].is_finished());
        assert!(tasks.pop().unwrap().await.unwrap_err().is_cancelled());
        drop(third);
        tasks.pop().unwrap().abort();
    }
}

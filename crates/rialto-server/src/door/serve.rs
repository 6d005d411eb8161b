//! Listening: TCP, TLS when given a certificate, graceful shutdown, and bounds on connections.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

/// Connections that may be open at the same time; further ones wait to be accepted.
const CONNECTIONS: usize = 20_000;
/// How long a client may take to send a request's headers, or to shake hands.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long open requests may take to end once the server shuts down.
const DRAIN: Duration = Duration::from_secs(10);

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

/// Why a PEM file does not give what it should.
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
type Ending<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Serves until `stop` resolves, then lets open requests end, within a deadline.
///
/// Boxed, so that this crate holds the code that serves: what an `async fn` does is compiled where it
/// is awaited, with the optimisations of that crate.
pub fn serve<'a>(
    listener: Listener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'a,
) -> Ending<'a> {
    accept(listener, router, Box::pin(stop))
}

fn accept(listener: Listener, router: Router, stop: Ending<'_>) -> Ending<'_> {
    Box::pin(accept_all(listener, router, stop))
}

async fn accept_all(listener: Listener, router: Router, mut stop: Ending<'_>) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let router = if listener.tls.is_some() {
        router.layer(axum::Extension(Encrypted))
    } else {
        router
    };
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            break;
        };
        let stream = tokio::select! {
            () = &mut stop => break,
            accepted = listener.tcp.accept() => accepted,
        };
        let stream = match stream {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of descriptors, or a client that gave up: accept again a little later.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        let (router, tls, watcher) = (router.clone(), listener.tls.clone(), graceful.watcher());
        tokio::spawn(async move {
            connection(stream, tls, router, watcher).await;
            drop(place);
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

async fn connection(
    stream: TcpStream,
    tls: Option<Tls>,
    router: Router,
    watcher: hyper_util::server::graceful::Watcher,
) {
    // Small answers must not wait for more data.
    let _ = stream.set_nodelay(true);
    match tls {
        None => http(stream, router, watcher).await,
        Some(Tls(acceptor)) => {
            match tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => http(stream, router, watcher).await,
                Ok(Err(error)) => tracing::debug!(%error, "a handshake failed"),
                Err(_) => tracing::debug!("a handshake took too long"),
            }
        }
    }
}

async fn http<S>(stream: S, router: Router, watcher: hyper_util::server::graceful::Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_headers(64)
        .max_buf_size(64 << 10);
    let service = TowerToHyperService::new(router);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended badly");
    }
}

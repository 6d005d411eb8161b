//! Opens connections: resolves a name, has its addresses judged, and connects to one of these very addresses.
//!
//! Because the name is resolved once, and what was judged is what is connected to, an answer that changes between
//! the two (DNS rebinding) changes nothing. Knows nothing of requests.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::error::CallError;
use crate::guard::{Host, Reach, Target};

/// How long it may take to resolve a name and open a connection.
pub const CONNECT: Duration = Duration::from_secs(5);
/// How many of a name's addresses are tried.
const TRIED: usize = 8;

/// Addresses on their way.
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// What finds the addresses of a name.
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of a name, in the order in which they are to be tried.
    fn resolve(&self, name: &str) -> Resolving;
}

/// The operating system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: &str) -> Resolving {
        let name = name.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|at| at.ip()).collect())
        })
    }
}

/// Opens the connections of a pool.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) reach: Arc<Reach>,
    pub(crate) resolver: Arc<dyn Resolve>,
}

impl Connector {
    async fn open(self, uri: Uri) -> Result<TcpStream, CallError> {
        let target = Target::of(&uri)?;
        let addresses = match &target.host {
            Host::Address(ip) => vec![*ip],
            Host::Name(name) => self.resolve(name).await?,
        };
        self.reach.judge(&target, &addresses)?;
        let mut last = CallError::Broken(format!("{} has no address", target.host));
        let tried = addresses.len().min(TRIED);
        let each = CONNECT / u32::try_from(tried.max(1)).unwrap_or(1);
        for ip in addresses.into_iter().take(tried) {
            match connect(SocketAddr::new(ip, target.port), each).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = CallError::Broken(error.to_string()),
            }
        }
        Err(last)
    }

    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, CallError> {
        let found = tokio::time::timeout(CONNECT, self.resolver.resolve(name)).await;
        match found {
            Ok(Ok(addresses)) => Ok(addresses),
            Ok(Err(error)) => Err(CallError::Broken(error.to_string())),
            Err(_) => Err(CallError::Broken(format!(
                "no address of {name} was found within {} s",
                CONNECT.as_secs()
            ))),
        }
    }
}

async fn connect(at: SocketAddr, within: Duration) -> io::Result<TcpStream> {
    let stream = tokio::time::timeout(within, TcpStream::connect(at)).await;
    let stream = stream.map_err(|_| {
        let why = format!("no connection within {} s", within.as_secs_f64());
        io::Error::new(io::ErrorKind::TimedOut, why)
    })??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = CallError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, CallError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let opening = self.clone().open(uri);
        Box::pin(async move { Ok(TokioIo::new(opening.await?)) })
    }
}

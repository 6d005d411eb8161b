//! A real realm for the demo: a data folder, the machine's clock, a listener on this machine.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rialto_core::text::Handle;
use rialto_server::door::{Door, Listener, Names, Rules, ServeError, serve};
use rialto_server::node::{Indexer, Node, Pace, Patrol, Storage, SystemChance, SystemClock, open};
use rialto_views::Views;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::commands::storage::boot_error;
use crate::output::{CliError, Exit};
use rialto_client::Client;

/// Where the demo listens unless told.
const USUAL: SocketAddr = SocketAddr::V4(std::net::SocketAddrV4::new(
    std::net::Ipv4Addr::LOCALHOST,
    7600,
));

/// A running realm with its listener.
pub(super) struct Home {
    /// Its address.
    pub(super) url: String,
    /// Whether only this machine reaches it.
    pub(super) on_loopback: bool,
    /// Its data folder.
    pub(super) data: PathBuf,
    /// The operator at the door.
    pub(super) operator: Client,
    node: Arc<Node>,
    indexer: Indexer,
    patrol: Patrol,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Home {
    /// Founds a realm in a new folder and listens.
    pub(super) async fn open(data: &Path, listen: Option<SocketAddr>) -> Result<Self, CliError> {
        let name = Handle::new("demo").map_err(|e| CliError::bug(e.to_string()))?;
        let listener = bind(listen).await?;
        let url = listener
            .url()
            .map_err(|e| CliError::failed(e.to_string()))?;
        let at = listener.local_addr().ok();
        let on_loopback = at.is_some_and(|at| at.ip().is_loopback());
        let names = Names::new(at, None, &[]).map_err(CliError::bug)?;
        let storage = Storage::Folder(data.to_owned());
        let opened = open(
            storage,
            &name,
            Arc::new(SystemClock),
            Arc::new(SystemChance),
        )
        .await
        .map_err(boot_error)?;
        let token = opened
            .operator_token
            .ok_or_else(|| CliError::bug("a new realm without an operator"))?;
        let views = Views::open(&data.join("views.db"))
            .map_err(|e| CliError::new(Exit::Storage, e.to_string()))?;
        let door = Door::with(
            opened.node.clone(),
            views.reader(),
            name.as_str().to_owned(),
            Rules::new(names, &[]),
        );
        let indexer = Indexer::start(opened.node.clone(), views);
        let indexer =
            indexer.map_err(|e| CliError::failed(format!("no thread for the views: {e}")))?;
        let patrol = Patrol::start(opened.node.clone(), Pace::default());
        let patrol = patrol.map_err(|e| CliError::failed(format!("no thread for the log: {e}")))?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(serve(listener, door.router(), async move {
            // A dropped sender stops the listener as well.
            let _ = stopped.await;
        }));
        let operator = Client::http(&url, Some(token))?;
        Ok(Self {
            url,
            on_loopback,
            data: data.to_owned(),
            operator,
            node: opened.node,
            indexer,
            patrol,
            stop,
            serving,
        })
    }

    /// Stops listening, lets open requests end and closes the log.
    pub(super) async fn close(self) -> Result<(), CliError> {
        drop(self.stop);
        self.serving
            .await
            .map_err(|e| CliError::bug(e.to_string()))?;
        let (node, indexer, patrol) = (self.node, self.indexer, self.patrol);
        let closing = tokio::task::spawn_blocking(move || {
            patrol.stop();
            indexer.stop();
            node.stop();
        });
        closing.await.map_err(|e| CliError::bug(e.to_string()))
    }
}

/// The address asked for; without one, the usual, or a free port if that is taken.
async fn bind(listen: Option<SocketAddr>) -> Result<Listener, CliError> {
    let failed = |e: &ServeError| CliError::failed(e.to_string());
    match Listener::bind(listen.unwrap_or(USUAL), None).await {
        Ok(listener) => Ok(listener),
        Err(ServeError::Listen { source, .. })
            if listen.is_none() && source.kind() == ErrorKind::AddrInUse =>
        {
            Listener::bind(SocketAddr::new(USUAL.ip(), 0), None)
                .await
                .map_err(|e| failed(&e))
        }
        Err(error) => Err(failed(&error)),
    }
}

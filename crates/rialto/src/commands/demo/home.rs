//! A real realm for the demo: a data folder, the machine's clock, a listener on this machine.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use rialto_core::text::Handle;
use rialto_gateway::Settings;
use rialto_server::door::{Listener, Names, Rules, ServeError};
use rialto_server::node::Failure;
use rialto_server::realm::{Realm, Setup};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::output::CliError;
use rialto_client::Client;

/// The demo's default address.
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
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), Failure>>,
}

impl Home {
    /// Founds a realm in a new folder and listens.
    pub(super) async fn open(
        data: &Path,
        listen: Option<SocketAddr>,
        models: Settings,
    ) -> Result<Self, CliError> {
        let name = Handle::new("demo").map_err(|e| CliError::bug(e.to_string()))?;
        let listener = bind(listen).await?;
        let url = listener
            .url()
            .map_err(|e| CliError::failed(e.to_string()))?;
        let at = listener.local_addr().ok();
        let on_loopback = at.is_some_and(|at| at.ip().is_loopback());
        let names = Names::new(at, None, &[]).map_err(CliError::bug)?;
        let setup = Setup::folder(data.to_owned(), name)
            .with_rules(Rules::new(names, &[]))
            .with_models(models);
        let realm = Realm::open(setup).await?;
        let token = realm.operator_token().map(str::to_owned);
        let token = token.ok_or_else(|| CliError::bug("a new realm without an operator"))?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            // A dropped sender stops the listener as well.
            let told = async { stopped.await.unwrap_or(()) };
            realm.serve(listener, told).await;
            realm.close().await
        });
        let operator = Client::http(&url, Some(token))?;
        Ok(Self {
            url,
            on_loopback,
            data: data.to_owned(),
            operator,
            stop,
            serving,
        })
    }

    /// Stops listening, lets open requests end and closes the log.
    pub(super) async fn close(self) -> Result<(), CliError> {
        drop(self.stop);
        let closed = self.serving.await;
        let closed = closed.map_err(|e| CliError::bug(e.to_string()))?;
        closed.map_err(|why| CliError::coded(why.code(), ""))
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

//! `rialto serve`: a realm's server.
//!
//! Opens the data folder, feeds the views, listens, and shuts down in order: no new requests, the
//! open ones answered, the log closed.

use std::io::IsTerminal;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use rialto_core::limits;
use rialto_core::reject::Code;
use rialto_core::text::Handle;
use rialto_core::time::HOUR_MS;
use rialto_server::door::{self, Door, Listener, Names, Rules, ServeError, Tls};
use rialto_server::node::{self, Indexer, Node, Pace, Patrol, Storage, SystemChance, SystemClock};
use rialto_views::Views;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::storage::{DataFolder, boot_error};
use crate::config::{self, Config};
use crate::output::{CliError, Exit, Output};
use crate::webhook::Webhook;

/// How often the server looks whether the log can still be written.
const LOOK: Duration = Duration::from_millis(200);

/// How a realm is served.
#[derive(Debug, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    folder: DataFolder,
    /// The address to listen at; port 0 takes a free one [env: RIALTO_LISTEN] [default:
    /// 127.0.0.1:7600].
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// The address under which people find the server, through a proxy or a name of its own [env:
    /// RIALTO_PUBLIC_URL].
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// A further host name of the server; may be given several times [env: RIALTO_HOSTS].
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// The address of a proxy whose X-Forwarded-For is trusted; may be given several times [env:
    /// RIALTO_PROXIES].
    #[arg(long = "proxy", value_name = "ADDR")]
    proxies: Vec<String>,
    /// The name of a new realm [env: RIALTO_NAME] [default: rialto].
    #[arg(long, value_name = "REALM")]
    name: Option<String>,
    /// The certificate chain for TLS, in a PEM file.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, in a PEM file.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Accept that the machine's clock has jumped ahead by more than an hour.
    #[arg(long)]
    accept_clock: bool,
    /// The form of the log on standard error: text or json [env: RIALTO_LOG_FORMAT] [default: text].
    #[arg(long, value_name = "FORM")]
    log_format: Option<String>,
    /// Whenever more waits for an owner or the operator, POST the counts, without contents, to this
    /// http or https address.
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
}

/// Serves a realm until it is stopped.
///
/// # Errors
/// When the folder cannot be used, the address cannot be listened at, or the log fails.
pub(crate) async fn run(args: ServeArgs, out: Output) -> Result<(), CliError> {
    let config = Config::load()?;
    start_logging(&config.value(&config::LOG_FORMAT, args.log_format.as_deref()))?;
    let data = config.data(args.folder.data.as_deref());
    let name = config.value(&config::NAME, args.name.as_deref());
    let name = Handle::new(&name).map_err(|e| CliError::usage(format!("--name {name:?}: {e}")))?;
    let addr = address(&config.value(&config::LISTEN, args.listen.as_deref()))?;
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(cert), Some(key)) => Some(Tls::load(cert, key).map_err(serve_error)?),
        _ => None,
    };
    let encrypted = tls.is_some();
    let rules = rules(&config, &args, addr)?;
    let ca = config.get(&config::CA, None).map(|s| s.value);
    let webhook = args.webhook.as_deref();
    let webhook = webhook
        .map(|url| Webhook::to(url, ca.as_deref().map(Path::new)))
        .transpose()?;

    let storage = Storage::Folder(data.clone());
    let opened = node::open(
        storage,
        &name,
        Arc::new(SystemClock),
        Arc::new(SystemChance),
    )
    .await
    .map_err(boot_error)?;
    let node = opened.node;
    let served = async {
        if args.accept_clock {
            node::accept_clock(&node).await.map_err(boot_error)?;
        } else {
            warn_of_a_jump(&node, out).await?;
        }
        let listener = Listener::bind(addr, tls).await.map_err(serve_error)?;
        if !encrypted && !listener.local_addr().is_ok_and(|at| at.ip().is_loopback()) {
            tracing::warn!("tokens cross the network unencrypted: give --tls-cert and --tls-key, or listen on loopback");
        }
        let founded = opened.operator_token.is_some();
        let secret = node::metrics_secret(&data, node.chance());
        let secret = secret.map_err(|e| boot_error(e.into()))?;
        let serving = Serving {
            data: &data,
            founded,
            webhook,
            rules: rules.with_metrics_secret(&secret),
        };
        serve(&node, listener, serving, out).await
    }
    .await;
    let failed = node.failure();
    tokio::task::spawn_blocking(move || node.stop())
        .await
        .map_err(|e| CliError::bug(e.to_string()))?;
    match served {
        Ok(()) => failed.map_or(Ok(()), |why| Err(CliError::coded(why.code(), ""))),
        other => other,
    }
}

/// After a long time off, or with a wrong clock, commands are refused until the operator has looked.
async fn warn_of_a_jump(node: &Node, out: Output) -> Result<(), CliError> {
    let read = node.read(rialto_core::state::State::now).await;
    let (_, last) = read.map_err(|failure| CliError::coded(failure.code(), ""))?;
    let ahead_ms = node.clock().now().since(last);
    if ahead_ms > limits::CLOCK_JUMP_MS {
        out.note(format!(
            "the clock is {} h ahead of the realm's last event, and commands are refused until you \
             accept it: rialto clock accept (or start with --accept-clock)",
            ahead_ms / HOUR_MS
        ));
    }
    Ok(())
}

/// How the door keeps itself, as options and settings say.
fn rules(config: &Config, args: &ServeArgs, listen: SocketAddr) -> Result<Rules, CliError> {
    let public = config.get(&config::PUBLIC_URL, args.public_url.as_deref());
    let public = public.map(|setting| setting.value);
    let mut hosts = config.list(&config::HOSTS, &args.hosts);
    // Whoever says where to listen by a name goes by that name.
    let at = config.value(&config::LISTEN, args.listen.as_deref());
    let named = at.rsplit_once(':').map(|(host, _)| host);
    let is_name = |host: &&str| host.starts_with(|c: char| c.is_ascii_alphabetic());
    hosts.extend(named.filter(is_name).map(str::to_owned));
    let names = Names::new(Some(listen), public.as_deref(), &hosts).map_err(CliError::usage)?;
    let proxies = config.list(&config::PROXIES, &args.proxies).into_iter();
    let proxies = proxies.map(|text| {
        let address: Result<IpAddr, _> = text.parse();
        address.map_err(|_| CliError::usage(format!("--proxy {text:?} is not an IP address")))
    });
    let proxies: Vec<IpAddr> = proxies.collect::<Result<_, _>>()?;
    Ok(Rules::new(names, &proxies))
}

/// What a realm is served with.
struct Serving<'a> {
    data: &'a Path,
    founded: bool,
    webhook: Option<Webhook>,
    rules: Rules,
}

async fn serve(
    node: &Arc<Node>,
    listener: Listener,
    serving: Serving<'_>,
    out: Output,
) -> Result<(), CliError> {
    let Serving {
        data,
        founded,
        webhook,
        rules,
    } = serving;
    let views =
        Views::open(&data.join("views.db")).map_err(|e| storage_error("open the views", &e))?;
    let reader = views.reader();
    let indexer =
        Indexer::start(node.clone(), views).map_err(|e| storage_error("start the indexer", &e))?;
    let patrol = Patrol::start(node.clone(), Pace::default())
        .map_err(|e| storage_error("start the patrol of the log", &e))?;
    let outcome = async {
        let read = node.read(|state| state.realm.get(&()).map(|realm| realm.name.to_string()));
        let (position, realm) = read
            .await
            .map_err(|failure| CliError::coded(failure.code(), ""))?;
        let realm = realm.unwrap_or_default();
        let door = Door::with(node.clone(), reader.clone(), realm.clone(), rules);
        let telling = webhook.map(|hook| {
            let hub = node.hub().clone();
            tokio::spawn(hook.follow(hub, reader, realm.clone(), position))
        });
        let url = listener
            .url()
            .map_err(|e| storage_error("learn the address", &e))?;
        announce(out, &url, &realm, position, data, founded)?;
        door::serve(listener, door.router(), told_to_stop(node)).await;
        if let Some(telling) = telling {
            telling.abort();
        }
        tracing::info!("stopped");
        Ok(())
    }
    .await;
    let ending = move || {
        patrol.stop();
        indexer.stop();
    };
    tokio::task::spawn_blocking(ending)
        .await
        .map_err(|e| CliError::bug(e.to_string()))?;
    outcome
}

fn announce(
    out: Output,
    url: &str,
    realm: &str,
    position: u64,
    data: &Path,
    founded: bool,
) -> Result<(), CliError> {
    let token = data.join("operator.token");
    out.json(&json!({
        "url": url, "realm": realm, "position": position, "data": data, "operator_token_file": token, "founded": founded,
    }))?;
    let state = if founded {
        "founded now".to_owned()
    } else {
        format!("at position {position}")
    };
    // In one piece: whoever reads only the first line must not end the server.
    out.line(format!(
        "rialto {version} serves the realm {realm}, {state}\n  \
         address         {url}\n  \
         console         {url}/\n  \
         api             {url}/api (described at {url}/api/openapi.json)\n  \
         data            {data}\n  \
         operator token  {token}",
        version = env!("CARGO_PKG_VERSION"),
        data = data.display(),
        token = if token.exists() {
            token.display().to_string()
        } else {
            "none here; make one with rialto operator reset-token".to_owned()
        },
    ))
}

/// Resolves at SIGINT or SIGTERM, or when the log has failed. From then on the node takes nothing
/// new, so that streams end by themselves.
async fn told_to_stop(node: &Arc<Node>) {
    let (interrupt, terminate) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    );
    let (Ok(mut interrupt), Ok(mut terminate)) = (interrupt, terminate) else {
        tracing::error!("signals cannot be received: the server can only be killed");
        return std::future::pending().await;
    };
    let failed = async {
        while !node.has_stopped() {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::select! {
        _ = interrupt.recv() => tracing::info!("interrupted: shutting down"),
        _ = terminate.recv() => tracing::info!("terminated: shutting down"),
        () = failed => tracing::error!("the log could not be written: shutting down"),
    }
    let node = node.clone();
    // Not awaited: open requests are answered while connections drain.
    drop(tokio::task::spawn_blocking(move || node.stop()));
}

/// Logs go to standard error, without secrets: neither headers nor bodies are ever logged.
fn start_logging(format: &str) -> Result<(), CliError> {
    let colours = std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let log = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::INFO)
        .with_ansi(colours);
    match format {
        "text" => log.with_target(false).init(),
        "json" => log.json().flatten_event(true).init(),
        other => {
            return Err(CliError::usage(format!(
                "the log format {other:?} is neither text nor json"
            )));
        }
    }
    Ok(())
}

fn address(text: &str) -> Result<SocketAddr, CliError> {
    let found = text
        .to_socket_addrs()
        .ok()
        .and_then(|mut addresses| addresses.next());
    found.ok_or_else(|| {
        CliError::usage(format!("{text:?} is not an address to listen at"))
            .hint("write it as 127.0.0.1:7600")
    })
}

/// Made for `map_err`, which hands the error over.
#[allow(
    clippy::needless_pass_by_value,
    reason = "map_err passes the error by value"
)]
fn serve_error(error: ServeError) -> CliError {
    CliError::usage(error.to_string())
}

fn storage_error(doing: &str, error: &dyn std::error::Error) -> CliError {
    let code = Code::StorageFailed;
    CliError::new(Exit::of(code), format!("cannot {doing}: {error}"))
        .hint(code.remedy())
        .code(code.to_string())
}

//! `rialto serve`: a realm's server.
//!
//! Opens the data folder, feeds the views, listens, and shuts down in order: no new requests, the
//! open ones answered, the log closed.

use std::convert::Infallible;
use std::io::{ErrorKind, IsTerminal};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use rialto_client::ClientError;
use rialto_core::reject::{Code, Rejection};
use rialto_core::text::Handle;
use rialto_core::time::HOUR_MS;
use rialto_gateway::{Providers, Settings};
use rialto_outside::{SecretRef, Vault};
use rialto_server::door::{Listener, Names, Rules, ServeError, Tls};
use rialto_server::node::{self, ClockState, Node};
use rialto_server::realm::{Realm, Setup};
use rialto_server::reload::{self, Reloaded, Reloads};
use rialto_server::webhook::{Receivers, Webhook, WebhookError};
use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::parse::duration_ms;
use super::storage::{ArchiveFolder, DataFolder};
use crate::config::{self, Config};
use crate::output::{CliError, Exit, Output};
use crate::tables::Tables;

/// How a realm is served.
#[derive(Debug, Default, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    folder: DataFolder,
    #[command(flatten)]
    archive: ArchiveFolder,
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
    /// The certificate chain for TLS, in a PEM file. It and its key are read again when they change.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, in a PEM file.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// How long requests in progress and streams may take to end when the server stops, such as 30s
    /// [env: RIALTO_DRAIN] [default: 10s].
    #[arg(long, value_name = "TIME")]
    drain: Option<String>,
    /// Accept that the machine's clock has jumped ahead by more than an hour.
    #[arg(long)]
    accept_clock: bool,
    /// The form of the log on standard error: text or json [env: RIALTO_LOG_FORMAT] [default: text].
    #[arg(long, value_name = "FORM")]
    log_format: Option<String>,
    /// Whenever more waits for an owner or the operator, POST the counts, without contents, to this
    /// http or https address; further ones, and keys for them, are in the settings under [webhooks.NAME].
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
}

/// Everything that settings and options say of a server, judged as a whole.
pub(crate) struct Served {
    name: Handle,
    addr: SocketAddr,
    rules: Rules,
    receivers: Option<Receivers>,
    models: Option<Settings>,
    tables: Tables,
    ca: Option<String>,
    /// The values of what is read only at the start.
    at_start: Vec<(&'static str, String)>,
}

impl Served {
    /// Judges settings and options. Nothing is changed, opened or called.
    ///
    /// # Errors
    /// What cannot be used, and where it stands.
    pub(crate) fn of(config: &Config, args: &ServeArgs) -> Result<Self, CliError> {
        let name = config.value(&config::NAME, args.name.as_deref());
        let name =
            Handle::new(&name).map_err(|e| CliError::usage(format!("--name {name:?}: {e}")))?;
        let format = config.value(&config::LOG_FORMAT, args.log_format.as_deref());
        LogFormat::of(&format)?;
        let addr = address(&config.value(&config::LISTEN, args.listen.as_deref()))?;
        let rules = rules(config, args, addr)?;
        let ca = config.get(&config::CA, None).map(|s| s.value);
        let tables = config.tables().clone();
        let given = args
            .webhook
            .as_deref()
            .map(|url| Webhook::to("--webhook", url, None));
        let given = given.transpose().map_err(webhook_error)?;
        let hooks = tables.webhooks.values().cloned().chain(given).collect();
        let receivers = Receivers::new(hooks, ca.as_deref().map(Path::new));
        let outside = |e| CliError::from(ClientError::from(e));
        let receivers = receivers.map_err(outside)?;
        let providers = tables.providers.values().cloned();
        let providers = Providers::new(providers, ca.as_deref().map(Path::new));
        let models = Settings {
            providers: providers.map_err(outside)?,
            routes: tables.routes.clone(),
        };
        Ok(Self {
            name,
            addr,
            rules,
            receivers,
            models: Some(models),
            tables,
            ca,
            at_start: at_start(config, args),
        })
    }

    /// What is not wrong and yet will not work: secrets that cannot be had now.
    pub(crate) fn warnings(&self, vault: Option<&Vault>) -> Vec<String> {
        let mut warnings = Vec::new();
        for (setting, place) in self.tables.secrets() {
            let missing = match (place, vault) {
                (SecretRef::Stored(name), Some(vault)) if !vault.has(name) => {
                    Some(format!("{place} is not stored: rialto secret set {name}"))
                }
                // Without its realm nobody knows, and where it is stored, a use would be noted.
                (SecretRef::Stored(_), _) => None,
                (SecretRef::Env(_) | SecretRef::File(_), _) => {
                    place.secret(None).err().map(|e| e.to_string())
                }
            };
            warnings.extend(missing.map(|why| format!("{setting}: {why}")));
        }
        warnings
    }

    /// What differs from these settings in newer ones: what applies at once, and what only after a restart.
    fn changes(&self, newer: &Self) -> (Vec<String>, Vec<String>) {
        let mut now = self.tables.differing(&newer.tables);
        if self.ca != newer.ca {
            now.push(config::CA.name.to_owned());
        }
        let pairs = self.at_start.iter().zip(&newer.at_start);
        let later = pairs.filter(|(old, new)| old != new);
        (
            now,
            later.map(|((name, _), _)| (*name).to_owned()).collect(),
        )
    }
}

fn at_start(config: &Config, args: &ServeArgs) -> Vec<(&'static str, String)> {
    let given = |name: &str| -> Option<String> {
        match name {
            "data" => Some(
                config
                    .data(args.folder.data.as_deref())
                    .display()
                    .to_string(),
            ),
            "archive" => args
                .archive
                .archive
                .as_ref()
                .map(|folder| folder.display().to_string()),
            "listen" => args.listen.clone(),
            "public_url" => args.public_url.clone(),
            "hosts" if !args.hosts.is_empty() => Some(args.hosts.join(",")),
            "proxies" if !args.proxies.is_empty() => Some(args.proxies.join(",")),
            "log_format" => args.log_format.clone(),
            "drain" => args.drain.clone(),
            _ => None,
        }
    };
    let value = |key: &&config::Key| (key.name, config.value(key, given(key.name).as_deref()));
    config::AT_START.iter().map(value).collect()
}

/// Serves a realm until it is stopped.
///
/// # Errors
/// When the folder cannot be used, the address cannot be listened at, or the log fails.
pub(crate) async fn run(args: ServeArgs, out: Output) -> Result<(), CliError> {
    let config = Config::load()?;
    start_logging(&config.value(&config::LOG_FORMAT, args.log_format.as_deref()))?;
    let data = config.data(args.folder.data.as_deref());
    let mut served = Served::of(&config, &args)?;
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(cert), Some(key)) => Some(Tls::load(cert, key).map_err(serve_error)?),
        _ => None,
    };
    let drain = config.value(&config::DRAIN, args.drain.as_deref());
    let drain = duration_ms(&drain).map_err(|why| CliError::usage(format!("--drain: {why}")))?;

    // Before the folder is touched: where nobody can listen, no realm is founded.
    let listener = listen(served.addr, tls).await?;
    let listener = listener.draining_for(Duration::from_millis(drain));
    let (reloader, reloads) = reload::line();
    let setup = Setup::folder(data.clone(), served.name.clone())
        .with_archive(args.archive.path_in(&config))
        .with_rules(std::mem::take(&mut served.rules))
        .telling(served.receivers.take())
        .reloading(reloader);
    let setup = match served.models.take() {
        Some(models) => setup.with_models(models),
        None => setup,
    };
    let realm = Realm::open(setup).await?;
    for warning in served.warnings(realm.vault()) {
        tracing::warn!("{warning}");
    }
    let done = tokio::select! {
        done = serve(&realm, &data, listener, args.accept_clock, out) => done,
        never = read_again(&realm, served, &args, reloads) => match never {},
    };
    let closed = realm.close().await;
    done?;
    closed.map_err(|why| CliError::coded(why.code(), ""))
}

/// Reads the settings again whenever the operator asks or the signal comes; all of them apply, or none.
async fn read_again(
    realm: &Realm,
    mut served: Served,
    args: &ServeArgs,
    mut reloads: Reloads,
) -> Infallible {
    let mut hangup = signal(SignalKind::hangup()).ok();
    loop {
        let asked = tokio::select! {
            () = next_signal(&mut hangup) => None,
            Some(asked) = reloads.next() => Some(asked),
        };
        let newer = Config::load().and_then(|config| Served::of(&config, args));
        let outcome = match newer {
            Ok(newer) => Ok(apply(realm, &mut served, newer)),
            Err(error) => {
                tracing::error!(
                    why = error.message,
                    "the settings were read again and refused: the old ones stay"
                );
                Err(Rejection::new(Code::BadSettings, error.bare()))
            }
        };
        reloads.tell(asked, outcome);
    }
}

async fn next_signal(hangup: &mut Option<Signal>) {
    let heard = match hangup {
        Some(signal) => signal.recv().await,
        None => None,
    };
    if heard.is_none() {
        std::future::pending::<()>().await;
    }
}

fn apply(realm: &Realm, served: &mut Served, mut newer: Served) -> Reloaded {
    let (applied, needs_restart) = served.changes(&newer);
    // Also where nothing else changed: the file of trusted certificates may have.
    realm.tell(newer.receivers.take());
    if let Some(models) = newer.models.take() {
        realm.gateway().apply(models);
    }
    let warnings = newer.warnings(realm.vault());
    // What needs a restart is compared with what the server was started with.
    newer.at_start = std::mem::take(&mut served.at_start);
    *served = newer;
    tracing::info!(
        applied = applied.join(", "),
        needs_restart = needs_restart.join(", "),
        "the settings were read again"
    );
    for warning in &warnings {
        tracing::warn!("{warning}");
    }
    Reloaded {
        applied,
        needs_restart,
        warnings,
    }
}

async fn listen(addr: SocketAddr, tls: Option<Tls>) -> Result<Listener, CliError> {
    let encrypted = tls.is_some();
    let listener = Listener::bind(addr, tls).await.map_err(serve_error)?;
    if !encrypted && !listener.local_addr().is_ok_and(|at| at.ip().is_loopback()) {
        tracing::warn!(
            "tokens cross the network unencrypted: give --tls-cert and --tls-key, or listen on loopback"
        );
    }
    Ok(listener)
}

async fn serve(
    realm: &Realm,
    data: &Path,
    listener: Listener,
    accept_clock: bool,
    out: Output,
) -> Result<(), CliError> {
    let node = realm.node();
    if accept_clock {
        node::accept_clock(node).await?;
    } else {
        warn_of_a_jump(node, out);
    }
    let url = listener
        .url()
        .map_err(|e| storage_error("learn the address", &e))?;
    // Whoever reads where it listens may already send a signal.
    let stop = told_to_stop();
    announce(out, &url, realm, data)?;
    realm.serve(listener, stop).await;
    tracing::info!("stopped");
    Ok(())
}

/// After a long time off, or with a wrong clock, commands are refused until the operator has looked.
fn warn_of_a_jump(node: &Node, out: Output) {
    let clocks = node.clocks();
    if clocks.state == ClockState::Jumped {
        out.note(format!(
            "the clock is {} h ahead of the realm's last event, and commands are refused until you \
             accept it: rialto clock accept (or start with --accept-clock)",
            clocks.machine.since(clocks.realm) / HOUR_MS
        ));
    }
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

fn announce(out: Output, url: &str, opened: &Realm, data: &Path) -> Result<(), CliError> {
    let (realm, position) = (opened.name(), opened.position());
    let founded = opened.operator_token().is_some();
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

/// Resolves at SIGINT or SIGTERM, and when the terminal that it was started in is closed. Heard from the call on,
/// not only from when somebody waits for it.
fn told_to_stop() -> impl Future<Output = ()> {
    let had_terminal = std::io::stdin().is_terminal();
    let (interrupt, terminate) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    );
    let mut hangup = signal(SignalKind::hangup()).ok();
    async move {
        let (Ok(mut interrupt), Ok(mut terminate)) = (interrupt, terminate) else {
            tracing::error!("signals cannot be received: the server can only be killed");
            return std::future::pending().await;
        };
        let closed = async {
            // With the terminal still there, a hangup asks for the settings to be read again.
            loop {
                next_signal(&mut hangup).await;
                if had_terminal && !std::io::stdin().is_terminal() {
                    return;
                }
            }
        };
        tokio::select! {
            _ = interrupt.recv() => tracing::info!("interrupted: shutting down"),
            _ = terminate.recv() => tracing::info!("terminated: shutting down"),
            () = closed => tracing::info!("the terminal was closed: shutting down"),
        }
    }
}

/// Logs go to standard error, without secrets: neither headers nor bodies are ever logged.
fn start_logging(format: &str) -> Result<(), CliError> {
    let colours = std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let log = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::INFO)
        .with_ansi(colours);
    match LogFormat::of(format)? {
        LogFormat::Text => log.with_target(false).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    Ok(())
}

enum LogFormat {
    Text,
    Json,
}

impl LogFormat {
    fn of(text: &str) -> Result<Self, CliError> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(CliError::usage(format!(
                "the log format {other:?} is neither text nor json"
            ))),
        }
    }
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
fn webhook_error(error: WebhookError) -> CliError {
    CliError::usage(format!("--webhook: {error}")).hint("write it as https://receiver.example/path")
}

/// Made for `map_err`, which hands the error over.
#[allow(
    clippy::needless_pass_by_value,
    reason = "map_err passes the error by value"
)]
fn serve_error(error: ServeError) -> CliError {
    let ServeError::Listen { addr, source } = &error else {
        return CliError::usage(error.to_string());
    };
    let told = CliError::coded(Code::CannotListen, &format!("{addr}: {source}"));
    match source.kind() {
        // Most often another realm's server on this machine.
        ErrorKind::AddrInUse => told.hint(format!(
            "is another server or a demo running there? end it, or take another port: --listen {}",
            SocketAddr::new(addr.ip(), addr.port().checked_add(1).unwrap_or(0))
        )),
        _ => told,
    }
}

fn storage_error(doing: &str, error: &dyn std::error::Error) -> CliError {
    let code = Code::StorageFailed;
    CliError::new(Exit::of(code), format!("cannot {doing}: {error}"))
        .hint(code.remedy())
        .code(code.to_string())
}

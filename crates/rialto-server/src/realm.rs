//! A realm as a whole: its node, what feeds and checks it, its views, and the door in front of them.
//!
//! Whatever serves or holds a realm opens it here and ends it here, so that there is one order of
//! starting and one of stopping. Nothing here decides, reads settings, or hears signals.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use rialto_core::text::Handle;
use rialto_gateway::{Gateway, Providers, Settings, Walls};
use rialto_outside::Vault;
use rialto_views::{ViewReader, Views};
use tokio::task::JoinHandle;

use crate::door::{self, Door, LastUse, Listener, NodeMeter, Rules};
use crate::executor::Executor;
use crate::node::{
    self, BootError, Chance, Clock, Failure, Indexer, Node, Pace, Patrol, Storage, SystemChance,
    SystemClock,
};
use crate::reload::Reloader;
use crate::webhook::Receivers;

/// How often a server looks whether the log can still be written.
const LOOK: Duration = Duration::from_millis(200);

/// What a realm is opened with.
pub struct Setup {
    storage: Storage,
    name: Handle,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    rules: Rules,
    pace: Pace,
    receivers: Option<Receivers>,
    models: Option<Settings>,
    reloader: Option<Reloader>,
}

impl Setup {
    /// A realm kept in a folder, by the machine's clock and chance, for this machine only. `name` is what
    /// it is called if it is founded now.
    #[must_use]
    pub fn folder(data: PathBuf, name: Handle) -> Self {
        let archive = None;
        Self::of(Storage::Folder { data, archive }, name)
    }

    /// The same in memory, gone with the process. Nothing walks its log.
    #[must_use]
    pub fn memory(name: Handle) -> Self {
        Self::of(Storage::Memory, name)
    }

    fn of(storage: Storage, name: Handle) -> Self {
        Self {
            storage,
            name,
            clock: Arc::new(SystemClock),
            chance: Arc::new(SystemChance),
            rules: Rules::default(),
            pace: Pace::default(),
            receivers: None,
            models: None,
            reloader: None,
        }
    }

    /// Reads what is archived of its log from the segments in a folder, if one is given. A realm in
    /// memory has no archive.
    #[must_use]
    pub fn with_archive(mut self, folder: Option<PathBuf>) -> Self {
        if let Storage::Folder { archive, .. } = &mut self.storage {
            *archive = folder;
        }
        self
    }

    /// With another clock and another chance.
    #[must_use]
    pub fn driven_by(self, clock: impl Clock + 'static, chance: impl Chance + 'static) -> Self {
        Self {
            clock: Arc::new(clock),
            chance: Arc::new(chance),
            ..self
        }
    }

    /// With what is said of its door.
    #[must_use]
    pub fn with_rules(self, rules: Rules) -> Self {
        Self { rules, ..self }
    }

    /// With another pace at which its log is walked.
    #[must_use]
    pub fn walked_at(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// With receivers that are notified of what waits.
    #[must_use]
    pub fn telling(self, receivers: Option<Receivers>) -> Self {
        Self { receivers, ..self }
    }

    /// With providers of models, and routes to them.
    #[must_use]
    pub fn with_models(self, models: Settings) -> Self {
        let models = Some(models);
        Self { models, ..self }
    }

    /// With settings that an operator may have read again.
    #[must_use]
    pub fn reloading(self, reloader: Reloader) -> Self {
        let reloader = Some(reloader);
        Self { reloader, ..self }
    }
}

/// A realm on its way. Boxed, so that this crate alone holds the code that opens it.
pub type Opening = Pin<Box<dyn Future<Output = Result<Realm, BootError>> + Send>>;

/// An open realm. It stops when it is dropped; [`Realm::close`] does so without blocking a task.
pub struct Realm {
    node: Arc<Node>,
    door: Arc<Door>,
    operator_token: Option<String>,
    position: u64,
    name: String,
    vault: Option<Arc<Vault>>,
    workers: Mutex<Workers>,
}

/// What runs behind a node.
#[derive(Default)]
struct Workers {
    executor: Option<JoinHandle<()>>,
    uses: Option<JoinHandle<()>>,
    patrol: Option<Patrol>,
    indexer: Option<Indexer>,
}

impl Workers {
    /// Ends the executor. What it was about to send is still owed.
    fn stop_telling(&mut self) {
        if let Some(executor) = self.executor.take() {
            executor.abort();
        }
    }

    fn stop(&mut self) {
        self.stop_telling();
        if let Some(uses) = self.uses.take() {
            uses.abort();
        }
        if let Some(patrol) = self.patrol.take() {
            patrol.stop();
        }
        if let Some(indexer) = self.indexer.take() {
            indexer.stop();
        }
    }
}

impl Realm {
    /// Opens a realm, and founds it if its log is empty. In a folder it also makes, once, the secret that
    /// reads the metrics.
    ///
    /// # Errors
    /// [`BootError`]; what had been started has stopped then.
    #[must_use]
    pub fn open(setup: Setup) -> Opening {
        Box::pin(assemble(setup))
    }

    /// The node.
    #[must_use]
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// The door as a service: for a listener, or to be called in the same process.
    pub fn router(&self) -> Router {
        self.door.router()
    }

    /// What is listed.
    #[must_use]
    pub fn views(&self) -> &ViewReader {
        &self.door.views
    }

    /// The realm's name, with its at sign.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The position of its log when it was opened.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The operator's token, if the realm was founded just now.
    #[must_use]
    pub fn operator_token(&self) -> Option<&str> {
        self.operator_token.as_deref()
    }

    /// Notifies other receivers from now on, or nobody. What is owed goes to them; a request on its way is cut off
    /// and made again.
    pub fn tell(&self, receivers: Option<Receivers>) {
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        workers.stop_telling();
        workers.executor = receivers.map(|receivers| {
            let (node, views) = (self.node.clone(), self.door.views.clone());
            let vault = self.vault.clone();
            let executor = Executor::new(node, views, self.name.clone(), receivers, vault);
            tokio::spawn(executor.run())
        });
    }

    /// The gateway to models.
    #[must_use]
    pub fn gateway(&self) -> &Gateway {
        &self.door.gateway
    }

    /// The vault of the realm's secrets; none in memory.
    #[must_use]
    pub fn vault(&self) -> Option<&Vault> {
        self.vault.as_deref()
    }

    /// Serves until `stop` resolves or the log has failed; then nothing new is taken, streams are told to
    /// come again and end, and open requests are answered, within the listener's time to drain. What is
    /// left then is cut off. Does not close the realm.
    pub fn serve<'a>(
        &'a self,
        listener: Listener,
        stop: impl Future<Output = ()> + Send + 'a,
    ) -> door::Ending<'a> {
        let stop = self.told_to_stop(Box::pin(stop));
        let serving = door::serve(listener, &self.door, Box::pin(stop));
        Box::pin(async move {
            serving.await;
            self.door.gateway.end().await;
            let node = self.node.clone();
            // A panic of what stops has been told by whoever panicked.
            let _ = tokio::task::spawn_blocking(move || node.stop()).await;
        })
    }

    async fn told_to_stop(&self, stop: door::Ending<'_>) {
        let failed = async {
            while !self.node.has_stopped() {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::select! {
            () = stop => {}
            () = failed => tracing::error!("the log could not be written: shutting down"),
        }
        self.node.hub().close();
    }

    /// Stops what runs behind the node, then the node, and closes the log. Why the log could not be
    /// written any more, if that had happened before.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn close(self) -> Result<(), Failure> {
        let failed = self.node.failure();
        // A panic of what stops has been told by whoever panicked.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
        failed.map_or(Ok(()), Err)
    }
}

impl Drop for Realm {
    fn drop(&mut self) {
        let workers = self.workers.get_mut();
        workers.unwrap_or_else(PoisonError::into_inner).stop();
        keep_uses(&self.door);
        self.node.stop();
    }
}

/// Refuses to begin views anew, or to go on with old ones, where the facts that they need next are
/// archived out of reach: they would never hold what came before. Nothing has been deleted by then.
fn can_rebuild(node: &Node, views: &Path) -> Result<(), BootError> {
    let mut reader = node.new_reader();
    let position = Views::position_in(views);
    match reader.base()? {
        Some(base) if position < base.last => Ok(reader.read_from(position + 1, 0).map(drop)?),
        _ => Ok(()),
    }
}

/// No provider at all: what is deployed cannot be called here.
fn no_models() -> Result<Settings, BootError> {
    let providers = Providers::new([], None).map_err(|error| BootError::Io {
        doing: "prepare outgoing calls".to_owned(),
        source: std::io::Error::other(error),
    })?;
    Ok(Settings {
        providers,
        routes: BTreeMap::new(),
        programs: BTreeMap::new(),
    })
}

/// Stores when tokens were last used.
fn keep_uses(door: &Door) {
    let kept = door.last_use.keep(|token| door.node.holds(token));
    if let Err(why) = kept {
        tracing::warn!("when tokens were last used cannot be stored: {why}");
    }
}

async fn keep_uses_now_and_then(door: Arc<Door>) {
    loop {
        tokio::time::sleep(door::KEEP).await;
        let door = door.clone();
        // A panic of it was reported where it happened.
        let _ = tokio::task::spawn_blocking(move || keep_uses(&door)).await;
    }
}

async fn assemble(setup: Setup) -> Result<Realm, BootError> {
    let Setup { storage, .. } = setup;
    let folder = match &storage {
        Storage::Folder { data, .. } => Some(data.clone()),
        Storage::Memory => None,
    };
    let opened = node::open(storage, &setup.name, setup.clock, setup.chance).await?;
    let node = opened.node;
    let (mut workers, rules) = (Workers::default(), setup.rules);
    let started = async {
        let read = node.read(|state| state.realm.get(&()).map(|realm| realm.name.to_string()));
        let (position, name) = read.await.map_err(BootError::Node)?;
        let mut vault = None;
        let (views, rules) = match &folder {
            Some(folder) => {
                let opened = node::vault(folder)?;
                vault = Some(Arc::new(opened));
                let secret = node::metrics_secret(folder, node.chance())?;
                let path = folder.join("views.db");
                can_rebuild(&node, &path)?;
                let views = Views::open(&path);
                (views, rules.with_metrics_secret(&secret))
            }
            None => (Views::in_memory(), rules),
        };
        let views = views.map_err(BootError::Views)?;
        let reader = views.reader();
        let unstarted = |doing: &str| {
            let doing = doing.to_owned();
            |source| BootError::Io { doing, source }
        };
        let indexer = Indexer::start(node.clone(), views);
        workers.indexer = Some(indexer.map_err(unstarted("start the indexer"))?);
        if folder.is_some() {
            let patrol = Patrol::start(node.clone(), setup.pace);
            workers.patrol = Some(patrol.map_err(unstarted("start the patrol of the log"))?);
        }
        let name = name.unwrap_or_default();
        let rules = rules.with_reloader(setup.reloader);
        let last_use = LastUse::open(folder.as_ref());
        let models = match setup.models {
            Some(models) => models,
            None => no_models()?,
        };
        let meter = NodeMeter(node.clone());
        meter.give_back().await?;
        let meter = Arc::new(meter);
        let walls = folder.as_ref().and_then(|data| {
            let binary = std::env::current_exe().ok()?;
            let data = data.clone();
            Some(Walls { binary, data })
        });
        let gateway = Gateway::new(meter, models, vault.clone(), walls);
        let rules = (rules, last_use);
        let door = Door::with(node.clone(), reader, name.clone(), rules, gateway);
        if folder.is_some() {
            workers.uses = Some(tokio::spawn(keep_uses_now_and_then(door.clone())));
        }
        Ok((door, name, position, vault))
    }
    .await;
    match started {
        Ok((door, name, position, vault)) => {
            let realm = Realm {
                node,
                door,
                operator_token: opened.operator_token,
                position,
                name,
                vault,
                workers: Mutex::new(workers),
            };
            realm.tell(setup.receivers);
            Ok(realm)
        }
        Err(error) => {
            workers.stop();
            node.stop();
            Err(error)
        }
    }
}

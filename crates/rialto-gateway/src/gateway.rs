//! The gateway as others hold it: its providers and routes, the condition of each deployment, and the line of
//! reports to the realm. How a call is made is in [`crate::call`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rialto_core::id::DeploymentId;
use rialto_core::limits::SETTLED_AT_ONCE;
use rialto_core::model::InferenceReport;
use rialto_core::reject::Kind;
use rialto_outside::Vault;
use rialto_wire::model::ModelError;
use tokio::sync::mpsc;

use crate::catalogue::{Catalogue, Deployed};
use crate::health::Health;
use crate::meter::Meter;
use crate::metrics::{Ended, Metrics};
use crate::programs::{Calls, Program, Programs, Walls};
use crate::provider::Providers;
use crate::route::Choose;

/// How many deployments are asked for one call, one after another.
pub const ATTEMPTS: usize = 4;
/// How many calls may be under way or wait to be reported.
const REPORTS: usize = 65_536;
/// Above how many known conditions those of idle deployments are forgotten.
const CONDITIONS: usize = 10_000;
/// How long to wait when the realm could not take a report.
const AGAIN: Duration = Duration::from_millis(500);
/// How long the end waits for the last reports.
const FLUSH: Duration = Duration::from_secs(5);

/// What settings say of a name under which models are called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// The models that serve it, the next one where the one before cannot.
    pub models: Vec<String>,
    /// How one of a model's deployments is chosen.
    pub choose: Choose,
}

/// What the operator's settings say of the gateway.
#[derive(Clone)]
pub struct Settings {
    /// The providers.
    pub providers: Providers,
    /// Names of their own, and how deployments are chosen.
    pub routes: BTreeMap<String, Route>,
    /// Programs that serve, by the provider that they are.
    pub programs: BTreeMap<String, Program>,
}

/// The gateway.
pub struct Gateway {
    pub(crate) meter: Arc<dyn Meter>,
    pub(crate) vault: Option<Arc<Vault>>,
    pub(crate) catalogue: Catalogue,
    pub(crate) reports: mpsc::Sender<InferenceReport>,
    settings: RwLock<Arc<Settings>>,
    conditions: Arc<Conditions>,
    programs: Programs,
    metrics: Arc<Metrics>,
    turn: AtomicU64,
    reporting: Arc<AtomicBool>,
}

impl Gateway {
    /// A gateway that meters at a realm. Needs a runtime: it reports in the background until it is dropped.
    #[must_use]
    pub fn new(
        meter: Arc<dyn Meter>,
        settings: Settings,
        vault: Option<Arc<Vault>>,
        walls: Option<Walls>,
    ) -> Arc<Self> {
        let (reports, line) = mpsc::channel(REPORTS);
        let reporting = Arc::<AtomicBool>::default();
        tokio::spawn(report(meter.clone(), line, reporting.clone()));
        let settings = Arc::new(settings);
        let gateway = Self {
            meter,
            vault,
            catalogue: Catalogue::default(),
            reports,
            settings: RwLock::new(settings.clone()),
            conditions: Arc::default(),
            programs: Programs::new(walls),
            metrics: Arc::default(),
            turn: AtomicU64::new(0),
            reporting,
        };
        gateway.run_programs(&settings);
        Arc::new(gateway)
    }

    fn run_programs(&self, settings: &Settings) {
        let calls: Arc<dyn Calls> = self.conditions.clone();
        let origin = |name: &str| settings.providers.get(name).map(|it| it.shown().to_owned());
        self.programs.apply(&settings.programs, origin, &calls);
    }

    /// Goes by other settings from now on. Calls under way go on as they began.
    pub fn apply(&self, settings: Settings) {
        self.run_programs(&settings);
        let mut kept = self
            .settings
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *kept = Arc::new(settings);
    }

    /// What settings say now.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        self.settings
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What is counted.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// How many calls are under way, by deployment.
    #[must_use]
    pub fn under_way(&self) -> BTreeMap<DeploymentId, u32> {
        let all = self.conditions.all();
        let mut calls = BTreeMap::new();
        for ((id, _), watched) in all.iter() {
            *calls.entry(*id).or_default() += watched.health().calls;
        }
        calls
    }

    /// Whether a provider's program is being started or replaced: it is asked nothing then.
    pub(crate) fn is_closed(&self, provider: &str) -> bool {
        self.conditions.closed().contains(provider)
    }

    /// Ends: reports what is over, and stops the programs that serve.
    pub async fn end(&self) {
        self.flush().await;
        self.programs.end().await;
    }

    /// Waits until all calls that are over are reported, for a few seconds at the most.
    pub async fn flush(&self) {
        let until = Instant::now() + FLUSH;
        let settled = || {
            self.reports.capacity() == self.reports.max_capacity()
                && !self.reporting.load(Ordering::SeqCst)
        };
        while !settled() && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    pub(crate) fn next_turn(&self) -> u64 {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// The condition of a deployment by its present terms: other terms may mean another server.
    pub(crate) fn watch(&self, deployed: &Deployed, provider: &str) -> Arc<Watched> {
        let key = (deployed.id, deployed.terms.version);
        let mut all = self.conditions.all();
        if let Some(watched) = all.get(&key) {
            return watched.clone();
        }
        if all.len() >= CONDITIONS {
            all.retain(|_, watched| watched.health().calls > 0);
        }
        let watched = Arc::new(Watched {
            model: deployed.terms.model.to_string(),
            provider: provider.to_owned(),
            health: Mutex::default(),
            metrics: self.metrics.clone(),
        });
        all.insert(key, watched.clone());
        watched
    }
}

/// The condition of each deployment that was called.
#[derive(Default)]
struct Conditions {
    all: Mutex<Watches>,
    /// Providers whose programs are being started or replaced.
    closed: Mutex<BTreeSet<String>>,
}

/// By deployment and version of its terms.
type Watches = HashMap<(DeploymentId, u32), Arc<Watched>>;

impl Conditions {
    fn all(&self) -> MutexGuard<'_, Watches> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn closed(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Calls for Conditions {
    fn under_way(&self, provider: &str) -> u32 {
        let all = self.all();
        let of = all.values().filter(|watched| watched.provider == provider);
        of.map(|watched| watched.health().calls).sum()
    }

    fn close(&self, provider: &str) {
        self.closed().insert(provider.to_owned());
    }

    fn open(&self, provider: &str) {
        self.closed().remove(provider);
        let all = self.all();
        for watched in all.values().filter(|watched| watched.provider == provider) {
            watched.health().listens();
        }
    }
}

/// A deployment whose calls are counted, and whose condition is known.
pub(crate) struct Watched {
    model: String,
    provider: String,
    health: Mutex<Health>,
    metrics: Arc<Metrics>,
}

impl Watched {
    pub(crate) fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begin(&self, tokens: u64) {
        self.health().begin(tokens);
    }

    pub(crate) fn answered(&self, took: Duration) {
        self.health().answered(took, Instant::now());
    }

    pub(crate) fn failed(&self, error: &ModelError) {
        self.health().failed(error, Instant::now());
    }

    pub(crate) fn end(&self, tokens: u64, ended: Ended) {
        self.health().end(tokens);
        self.metrics.count(&self.model, &self.provider, &ended);
    }
}

/// Reports calls that are over, as many together as have gathered while the last were made durable.
async fn report(
    meter: Arc<dyn Meter>,
    mut line: mpsc::Receiver<InferenceReport>,
    reporting: Arc<AtomicBool>,
) {
    let mut together = Vec::new();
    while line.recv_many(&mut together, SETTLED_AT_ONCE).await > 0 {
        reporting.store(true, Ordering::SeqCst);
        let reports = std::mem::take(&mut together);
        if !settled(meter.as_ref(), &reports).await {
            // One that cannot be taken must not hold up the others.
            for report in &reports {
                let one = std::slice::from_ref(report);
                if !settled(meter.as_ref(), one).await {
                    let bare = InferenceReport::new(report.inference, report.end);
                    settled(meter.as_ref(), &[bare]).await;
                }
            }
        }
        reporting.store(false, Ordering::SeqCst);
    }
}

/// Reports, again and again while the realm cannot take it. False if it will never take this.
async fn settled(meter: &dyn Meter, reports: &[InferenceReport]) -> bool {
    while let Err(why) = meter.settle(reports.to_vec()).await {
        let calls = reports.len();
        tracing::error!(calls, %why, "calls of models could not be reported");
        if matches!(
            why.code.kind(),
            Kind::Invalid | Kind::Limit | Kind::Conflict
        ) {
            return false;
        }
        tokio::time::sleep(AGAIN).await;
    }
    true
}

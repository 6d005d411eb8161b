//! Programs that serve models: started, watched, started again, and replaced when settings change.
//!
//! A program belongs to the provider whose settings name it. It runs confined, away from the realm's files, as any
//! child process does ([`rialto_outside::child`]). Until it listens its provider is closed: nothing is asked of it. When
//! its settings change or go, it is closed again, calls under way may end, and only then it is stopped and the new one
//! started in its place. What it prints is not kept: it may hold prompts.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rialto_outside::child::{Confinement, Framing, Limits, Restarts, Spec, State, Supervised};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How often a program is started again before it is given up.
const RESTARTS: Restarts = Restarts {
    first: Duration::from_millis(500),
    longest: Duration::from_secs(30),
    most: 10,
    window: Duration::from_secs(300),
};
/// How long calls under way may take before a program is stopped all the same.
const DRAIN: Duration = Duration::from_secs(30);
/// How long a program may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(10);
/// How long a started program may take to listen.
const LOADING: Duration = Duration::from_secs(600);
/// How often it is looked whether calls have ended, or a program listens.
const LOOK: Duration = Duration::from_millis(50);
/// Far more than a server of models needs; the machine's own limits count.
const MANY: u64 = 1 << 20;

/// A program, as settings name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The program, as a whole path.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// The folder that it works in, the only one that it may write to. Made if it is missing.
    pub folder: PathBuf,
    /// What it may read besides the system's programs and libraries, such as the model's file.
    pub reads: Vec<PathBuf>,
    /// The user and group that it runs as, where the server runs as root.
    pub user: Option<(u32, u32)>,
}

/// What programs are kept away from, and by which binary they are started.
#[derive(Clone, Debug)]
pub struct Walls {
    /// This binary.
    pub binary: PathBuf,
    /// The realm's data folder.
    pub data: PathBuf,
}

/// What a program's keeper asks and tells of the calls of its provider.
pub(crate) trait Calls: Send + Sync + 'static {
    /// How many calls are under way through a provider.
    fn under_way(&self, provider: &str) -> u32;
    /// Nothing is to be asked of a provider.
    fn close(&self, provider: &str);
    /// A provider may be asked again, and what is known of its failures is over.
    fn open(&self, provider: &str);
}

struct Kept {
    program: Program,
    stop: watch::Sender<bool>,
    keeper: JoinHandle<()>,
}

/// The programs that run.
pub(crate) struct Programs {
    walls: Option<Walls>,
    running: Mutex<BTreeMap<String, Kept>>,
}

impl Programs {
    pub(crate) fn new(walls: Option<Walls>) -> Self {
        Self {
            walls,
            running: Mutex::default(),
        }
    }

    /// Starts what is wanted and does not run, replaces what has changed, and ends what is not wanted any more.
    /// `origin` says where each provider listens.
    pub(crate) fn apply(
        &self,
        wanted: &BTreeMap<String, Program>,
        origin: impl Fn(&str) -> Option<String>,
        calls: &Arc<dyn Calls>,
    ) {
        let Some(walls) = &self.walls else {
            return;
        };
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ending = BTreeMap::new();
        running.retain(|name, kept| {
            let stays = wanted.get(name) == Some(&kept.program) && !kept.keeper.is_finished();
            if !stays {
                kept.stop.send_replace(true);
                let done = std::mem::replace(&mut kept.keeper, tokio::spawn(async {}));
                ending.insert(name.clone(), done);
            }
            stays
        });
        for (name, program) in wanted {
            if running.contains_key(name) {
                continue;
            }
            let (stop, stopped) = watch::channel(false);
            let keeper = Keeper {
                walls: walls.clone(),
                provider: name.clone(),
                program: program.clone(),
                listens_at: origin(name).unwrap_or_default(),
                before: ending.remove(name),
                calls: calls.clone(),
                stopped,
            };
            let kept = Kept {
                program: program.clone(),
                stop,
                keeper: tokio::spawn(keeper.keep()),
            };
            running.insert(name.clone(), kept);
        }
    }

    /// Ends all of them, and waits for that.
    pub(crate) async fn end(&self) {
        let all = {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *running)
        };
        for kept in all.values() {
            kept.stop.send_replace(true);
        }
        for kept in all.into_values() {
            // A panic of a keeper has been told where it happened.
            let _ = kept.keeper.await;
        }
    }
}

struct Keeper {
    walls: Walls,
    provider: String,
    program: Program,
    listens_at: String,
    /// The program in whose place this one starts.
    before: Option<JoinHandle<()>>,
    calls: Arc<dyn Calls>,
    stopped: watch::Receiver<bool>,
}

impl Keeper {
    async fn keep(mut self) {
        if let Some(before) = self.before.take() {
            let _ = before.await;
        }
        self.calls.close(&self.provider);
        self.run().await;
        // Whoever is there now is asked, and shows if it serves.
        self.calls.open(&self.provider);
    }

    /// Runs the program until it is to stop or is given up.
    async fn run(&self) {
        let provider = self.provider.as_str();
        let started = self.start();
        let mut child = match started {
            Ok(child) => child,
            Err(why) => {
                tracing::error!(provider, why, "the program of a provider cannot be started");
                return;
            }
        };
        let mut states = child.states();
        let mut stopped = self.stopped.clone();
        loop {
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => break,
                changed = states.changed() => {
                    let state = states.borrow_and_update().clone();
                    self.tell(&state);
                    if changed.is_err() || state.is_final() {
                        return;
                    }
                }
                piece = child.next() => {
                    if piece.is_none() {
                        self.tell(&states.borrow().clone());
                        return;
                    }
                }
            }
        }
        self.calls.close(provider);
        self.drained().await;
        child.stop().await;
        tracing::info!(provider, "the program of a provider was stopped");
    }

    fn start(&self) -> Result<Supervised, String> {
        let Self { walls, program, .. } = self;
        let confinement = Confinement::new(walls.binary.clone(), &walls.data, program.user);
        let confinement = confinement.map_err(|e| e.to_string())?;
        self.folder().map_err(|e| format!("its folder: {e}"))?;
        let env = ["PATH", "HOME", "LANG"].into_iter().filter_map(|name| {
            let value = match name {
                "HOME" => program.folder.clone().into_os_string(),
                name => std::env::var_os(name)?,
            };
            Some((name.into(), value))
        });
        let spec = Spec {
            program: program.program.clone(),
            args: program.args.iter().map(Into::into).collect(),
            env: env.collect(),
            folder: program.folder.clone(),
            reads: program.reads.clone(),
            framing: Framing::Raw,
            limits: Limits {
                memory: MANY << 24,
                cpu: Duration::from_secs(MANY * 300),
                files: MANY / 64,
                processes: MANY / 64,
                file: MANY << 20,
                piece: 64 << 10,
                output: u64::MAX,
                run: None,
                grace: GRACE,
                ports: None,
            },
        };
        let seed = u64::from(std::process::id());
        Ok(Supervised::start(confinement, spec, RESTARTS, seed))
    }

    /// Makes the folder, for the user that the program runs as.
    fn folder(&self) -> std::io::Result<()> {
        let folder = &self.program.folder;
        if folder.exists() {
            return Ok(());
        }
        fs::create_dir_all(folder)?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        match self.program.user {
            Some((user, group)) => chown(folder, Some(user), Some(group)),
            None => Ok(()),
        }
    }

    fn tell(&self, state: &State) {
        let provider = self.provider.as_str();
        match state {
            State::Running { pid } => {
                tracing::info!(provider, pid, "the program of a provider runs");
                let (at, calls) = (self.listens_at.clone(), self.calls.clone());
                tokio::spawn(heard(at, provider.to_owned(), calls, self.stopped.clone()));
            }
            State::BackingOff { pause, why } => {
                self.calls.close(provider);
                tracing::warn!(
                    provider,
                    ?pause,
                    why,
                    "the program of a provider ended and starts again"
                );
            }
            State::Failed { why } => {
                tracing::error!(
                    provider,
                    why,
                    "the program of a provider is not started again"
                );
            }
            State::Starting | State::Stopped => {}
        }
    }

    /// Waits until no call is under way any more, for a while.
    async fn drained(&self) {
        let until = Instant::now() + DRAIN;
        while self.calls.under_way(&self.provider) > 0 && Instant::now() < until {
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Waits until somebody listens at an origin, and says so.
async fn heard(
    origin: String,
    provider: String,
    calls: Arc<dyn Calls>,
    stopped: watch::Receiver<bool>,
) {
    let address = origin
        .split_once("://")
        .map_or("", |(_, address)| address)
        .to_owned();
    let until = Instant::now() + LOADING;
    while Instant::now() < until && !*stopped.borrow() {
        if TcpStream::connect(&address).await.is_ok() {
            break;
        }
        tokio::time::sleep(LOOK).await;
    }
    if !*stopped.borrow() {
        calls.open(&provider);
    }
}

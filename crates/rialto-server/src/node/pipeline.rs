//! The node as others hold it: what it is asked, and what it shares with its threads. It decides and writes
//! nothing itself: the writer decides ([`super::writer`]), the syncer journals and lets answers go
//! ([`super::syncer`]).

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rialto_core::clock;
use rialto_core::hash::{Hash, Short};
use rialto_core::id::{AgentId, OwnerId, TokenId};
use rialto_core::identity::Principal;
use rialto_core::reject::Code;
use rialto_core::state::State;
use rialto_core::time::Time;
use rialto_journal::entities::{EntityState, EntityStore, Upsert};
use rialto_journal::{Journal, JournalError, LogReader, Staged};
use tokio::sync::oneshot;

use super::clock::{Chance, Clock, Clocks, Steady};
use super::engine::{Answered, Ask, Batch, Engine};
use super::health::Health;
use super::hub::Hub;
use super::keeper::Keeper;
use super::mailbox::{Line, Mailbox, Turned};
use super::secrets::RealmSecrets;
use super::staging::{Ready, Staging};
use super::syncer::Syncer;
use super::tail::Tail;
use super::tokens::{TokenInfo, Tokens};
use super::writer::{KEEP_TOUCHED, Writer};
use crate::histogram::Histogram;

/// How many commands of a batch the writer takes at a time, and how many such parts may wait for it.
const PART: usize = 128;
const PARTS: usize = 8;

/// What the node is made with.
pub struct NodeConfig {
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where chance comes from.
    pub chance: Arc<dyn Chance>,
    /// The realm's secrets.
    pub secrets: RealmSecrets,
}

/// Why the node cannot answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Too many requests wait.
    Busy,
    /// The log could not be written, and the node has stopped.
    Stopped,
    /// The same because the disk is full.
    Full,
    /// The node is shutting down.
    Draining,
    /// A text could not be stored; nothing was decided, and the node goes on.
    NotStored,
}

impl Failure {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::Busy => Code::Busy,
            Self::Stopped => Code::Stopped,
            Self::Full => Code::StorageFull,
            Self::Draining => Code::Draining,
            Self::NotStored => Code::NotStored,
        }
    }
}

/// The state's digest at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digested {
    /// The position.
    pub position: u64,
    /// The digest, as the entity table keeps it.
    pub digest: rialto_journal::digest::Digest,
    /// How many entities there are.
    pub entities: u64,
}

impl From<EntityState> for Digested {
    fn from(state: EntityState) -> Self {
        Self {
            position: state.position,
            digest: state.digest,
            entities: state.count,
        }
    }
}

/// What the node counts.
#[derive(Debug, Default)]
pub struct Stats {
    /// Commands accepted.
    pub accepted: AtomicU64,
    /// Commands refused.
    pub refused: AtomicU64,
    /// Frames synced.
    pub frames: AtomicU64,
    /// Envelopes synced.
    pub envelopes: AtomicU64,
    /// Time spent in syncing, in microseconds.
    pub sync_us: AtomicU64,
    /// Entities that were touched and not yet handed to the keeper.
    pub touched: AtomicUsize,
    /// The longest time the writer worked without looking at its queue, in microseconds.
    pub longest_turn_us: AtomicU64,
    /// Requests that wait for the writer.
    pub waiting: AtomicU64,
    /// Reads of the state.
    pub reads: AtomicU64,
    /// How long requests waited for the writer.
    pub queue_wait: Histogram,
    /// How long accepted commands took from their decision until they were durable.
    pub durable: Histogram,
}

pub(super) type ReadFn = Box<dyn FnOnce(&State) -> Box<dyn FnOnce(u64) + Send> + Send>;

/// Something for the writer, and when it was put into its mailbox.
pub(super) struct Posted {
    pub(super) at: Instant,
    pub(super) mail: Mail,
}

impl From<Mail> for Posted {
    fn from(mail: Mail) -> Self {
        let at = Instant::now();
        Self { at, mail }
    }
}

pub(super) enum Mail {
    /// The first sender, if there is one, learns the decision before it is durable.
    Ask(
        Box<Ask>,
        Vec<Staged>,
        Option<oneshot::Sender<Answered>>,
        oneshot::Sender<Answered>,
    ),
    Batch(Vec<Ask>, Vec<Staged>, oneshot::Sender<Vec<Answered>>),
    Read(ReadFn),
    Digest(oneshot::Sender<EntityState>),
    Tick(oneshot::Sender<Answered>),
    Synced,
    Stop,
}

/// Something that waits for a position to become durable.
pub(super) type Parked = Box<dyn FnOnce() + Send>;

pub(super) struct Job {
    pub(super) batch: Option<Batch>,
    pub(super) position: u64,
    pub(super) parked: Vec<Parked>,
    pub(super) grown: Vec<AgentId>,
    pub(super) erased: Vec<u64>,
    pub(super) kept: Option<(Vec<Upsert>, Vec<oneshot::Sender<EntityState>>)>,
    /// The texts of this frame. Held until the frame has taken them.
    pub(super) staged: Vec<Staged>,
}

pub(super) struct Shared {
    pub(super) tokens: Tokens,
    pub(super) hub: Arc<Hub>,
    pub(super) tail: Tail,
    pub(super) stats: Arc<Stats>,
    pub(super) health: Health,
    pub(super) stopped: AtomicBool,
    pub(super) full: AtomicBool,
    pub(super) draining: AtomicBool,
    pub(super) syncing: AtomicBool,
    /// The realm's time at the last envelope, in milliseconds; 0 before a realm is founded.
    pub(super) realm_ms: AtomicU64,
    /// What the steady clock read then.
    pub(super) steady_ms: AtomicU64,
    /// How often a stop switch was pulled or released, or an agent closed.
    pub(super) switched: AtomicU64,
    /// How often a deployment of a model was made, changed or retired.
    pub(super) deployed: AtomicU64,
}

impl Shared {
    /// Why the node has stopped, if it has because the log could not be written.
    fn failure(&self) -> Option<Failure> {
        if !self.stopped.load(Ordering::SeqCst) {
            return None;
        }
        match self.full.load(Ordering::SeqCst) {
            true => Some(Failure::Full),
            false => Some(Failure::Stopped),
        }
    }

    /// Why an answer will not come any more.
    fn gone(&self) -> Failure {
        match self.failure() {
            Some(failure) => failure,
            None if self.draining.load(Ordering::SeqCst) => Failure::Draining,
            None => Failure::Stopped,
        }
    }

    /// Notes that the log could not be written, and why.
    pub(super) fn fail(&self, error: &JournalError) {
        let full = matches!(error, JournalError::StorageFull);
        self.full.store(full, Ordering::SeqCst);
        self.stopped.store(true, Ordering::SeqCst);
        self.hub.subjects().tell_all();
    }
}

/// A running node. Cheap to share; ends with [`Node::stop`].
pub struct Node {
    mail: Arc<Mailbox<Posted>>,
    shared: Arc<Shared>,
    config: NodeConfig,
    steady: Steady,
    readers: Mutex<Vec<Box<dyn LogReader>>>,
    new_reader: Box<dyn Fn() -> Box<dyn LogReader> + Send + Sync>,
    staging: Staging,
    threads: Mutex<Option<(JoinHandle<()>, JoinHandle<()>)>>,
}

/// A decision that need not be durable yet.
pub struct Early {
    shared: Arc<Shared>,
    decided: Answered,
    durable: oneshot::Receiver<Answered>,
}

impl Early {
    /// What was decided. Nothing that follows from it may leave the server yet.
    #[must_use]
    pub fn decided(&self) -> &Answered {
        &self.decided
    }

    /// The same answer, once its position is durable.
    ///
    /// # Errors
    /// [`Failure`]: the decision was never made, as far as anybody will know.
    pub async fn durable(self) -> Result<Answered, Failure> {
        self.durable.await.map_err(|_| self.shared.gone())
    }
}

impl Node {
    /// Starts the node with the state at the journal's head.
    ///
    /// `new_reader` opens a further reader of the journal.
    ///
    /// # Errors
    /// When threads cannot be started.
    pub fn start(
        state: State,
        journal: Box<dyn Journal>,
        entities: Box<dyn EntityStore>,
        new_reader: Box<dyn Fn() -> Box<dyn LogReader> + Send + Sync>,
        config: NodeConfig,
    ) -> std::io::Result<Arc<Self>> {
        let hub = Arc::new(Hub::new(journal.head().position));
        let shared = Arc::new(Shared {
            tokens: Tokens::of(&state),
            hub,
            tail: Tail::default(),
            stats: Arc::default(),
            health: Health::default(),
            stopped: AtomicBool::new(false),
            full: AtomicBool::new(false),
            draining: AtomicBool::new(false),
            syncing: AtomicBool::new(false),
            realm_ms: AtomicU64::new(state.now().0),
            steady_ms: AtomicU64::new(state.steady_ms().unwrap_or(0)),
            switched: AtomicU64::new(0),
            deployed: AtomicU64::new(0),
        });
        let mail = Arc::new(Mailbox::new());
        let (jobs, job_queue) = sync_channel(1);
        let staging = Staging::new(journal.contents());
        let keeper = Keeper::start(entities)?;
        let syncer = Syncer {
            journal,
            shared: shared.clone(),
            writer: mail.clone(),
            keeper,
        };
        let syncer = std::thread::Builder::new()
            .name("rialto-syncer".into())
            .spawn(move || syncer.run(&job_queue))?;
        let steady = Steady::from(&state, config.clock.as_ref());
        let writer = Writer {
            steady,
            engine: Engine::new(state),
            shared: shared.clone(),
            clock: config.clock.clone(),
            chance: config.chance.clone(),
            jobs,
            parked: Vec::new(),
            erased: Vec::new(),
            staged: Vec::new(),
            digests: Vec::new(),
            last_keep: Instant::now(),
            last_tick: Instant::now(),
        };
        let writer = std::thread::Builder::new()
            .name("rialto-writer".into())
            .spawn({
                let mail = mail.clone();
                move || writer.run(&mail)
            })?;
        let threads = Mutex::new(Some((writer, syncer)));
        Ok(Arc::new(Self {
            mail,
            shared,
            config,
            steady,
            readers: Mutex::new(Vec::new()),
            new_reader,
            staging,
            threads,
        }))
    }

    /// Where time comes from.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        self.config.clock.as_ref()
    }

    /// Where chance comes from.
    #[must_use]
    pub fn chance(&self) -> &dyn Chance {
        self.config.chance.as_ref()
    }

    /// A new key pair in the realm's custody: its public half and the nonce it is derived from.
    pub(crate) fn new_custody(&self) -> (Hash, Short) {
        let mut nonce = [0_u8; 16];
        nonce.copy_from_slice(self.config.chance.bytes().split_at(16).0);
        let nonce = Short(nonce.into());
        (self.config.secrets.custody_public(nonce), nonce)
    }

    /// The realm's secrets.
    #[must_use]
    pub fn secrets(&self) -> &RealmSecrets {
        &self.config.secrets
    }

    /// Wakes those who wait.
    #[must_use]
    pub fn hub(&self) -> &Arc<Hub> {
        &self.shared.hub
    }

    /// The newest frames, still in memory.
    #[must_use]
    pub fn tail(&self) -> &Tail {
        &self.shared.tail
    }

    /// What the node counts.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.shared.stats
    }

    /// The difference between the realm's clock and the machine's.
    #[must_use]
    pub fn clocks(&self) -> Clocks {
        let machine = self.clock().now();
        let last = match self.shared.realm_ms.load(Ordering::Relaxed) {
            0 => machine,
            realm => Time(realm),
        };
        let last_ms = self.shared.steady_ms.load(Ordering::Relaxed);
        let steady_ms = self.steady.read(self.clock());
        let ahead_ms = clock::ahead_ms(machine, steady_ms, self.steady.began(), (last, last_ms));
        let run = last.after(clock::run_ms(last_ms, steady_ms));
        let counts_sleep = self.clock().counts_sleep();
        Clocks::of((last, run), (machine, ahead_ms), counts_sleep)
    }

    /// A number that changes whenever somebody is stopped or resumed, so that streams know when to
    /// check.
    pub(crate) fn switched(&self) -> u64 {
        self.shared.switched.load(Ordering::SeqCst)
    }

    /// A number that grows whenever a deployment of a model is made, changed or retired.
    pub(crate) fn deployed(&self) -> u64 {
        self.shared.deployed.load(Ordering::SeqCst)
    }

    /// The known condition of the log and the views.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.shared.health
    }

    /// True once the log could not be written.
    #[must_use]
    pub fn has_stopped(&self) -> bool {
        self.shared.stopped.load(Ordering::SeqCst)
    }

    /// True once the node is shutting down.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.shared.draining.load(Ordering::SeqCst)
    }

    /// The live token whose secret has this hash.
    #[must_use]
    pub fn token(&self, hash: &Hash) -> Option<TokenInfo> {
        self.shared.tokens.get(hash)
    }

    /// Whether a token may be used from an address; nothing is the address of this process.
    pub(crate) fn may_come_from(&self, token: TokenId, address: Option<IpAddr>) -> bool {
        self.shared.tokens.may_come_from(token, address)
    }

    /// The live token with this id.
    pub(crate) fn token_of_id(&self, token: TokenId) -> Option<TokenInfo> {
        self.shared.tokens.of_id(token)
    }

    /// True while a token is live.
    pub(crate) fn holds(&self, token: TokenId) -> bool {
        self.shared.tokens.holds(token)
    }

    /// The owner of an agent or person.
    pub(crate) fn owner_of(&self, principal: Principal) -> Option<OwnerId> {
        self.shared.tokens.owner_of(principal)
    }

    /// The line in which what a principal asks for waits.
    fn line_of(&self, principal: Principal) -> Line {
        match principal {
            Principal::Realm | Principal::Service(_) => Line::Settling,
            Principal::Operator => Line::Operator,
            Principal::Public => Line::Strangers,
            Principal::Person(_) | Principal::Agent(_) => {
                let owner = self.shared.tokens.owner_of(principal);
                owner.map_or(Line::Strangers, Line::Owner)
            }
        }
    }

    /// Puts something into the writer's mailbox; `cost` is how many commands it holds.
    fn send(&self, line: Line, cost: usize, mail: Mail) -> Result<(), Failure> {
        if let Some(failure) = self.failure() {
            return Err(failure);
        }
        if self.is_draining() {
            return Err(Failure::Draining);
        }
        self.shared.stats.waiting.fetch_add(1, Ordering::Relaxed);
        self.mail.put(line, cost, mail.into()).map_err(|why| {
            self.shared.stats.waiting.fetch_sub(1, Ordering::Relaxed);
            match why {
                Turned::Full => Failure::Busy,
                Turned::Closed => self.failure().unwrap_or(Failure::Stopped),
            }
        })
    }

    fn gone(&self) -> Failure {
        self.shared.gone()
    }

    /// Why the node has stopped, if it has because the log could not be written.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        self.shared.failure()
    }

    /// Asks the realm. The answer comes when the position it was decided at is durable.
    ///
    /// # Errors
    /// [`Failure`] when the node cannot answer.
    pub async fn ask(&self, ask: Ask) -> Result<Answered, Failure> {
        let (ask, staged) = self.staging.of(ask).await?;
        let (tell, told) = oneshot::channel();
        let line = self.line_of(ask.request.principal);
        self.send(line, 1, Mail::Ask(Box::new(ask), staged, None, tell))?;
        told.await.map_err(|_| self.gone())
    }

    /// Asks the realm and learns the decision at once, before it is durable. A crash can undo it until
    /// then: what is harmless if it was in vain may begin, and nothing may leave the server before
    /// [`Early::durable`] has answered.
    ///
    /// # Errors
    /// [`Failure`] when the node cannot answer.
    pub async fn ask_early(&self, ask: Ask) -> Result<Early, Failure> {
        let (ask, staged) = self.staging.of(ask).await?;
        let (decide, decided) = oneshot::channel();
        let (tell, durable) = oneshot::channel();
        let line = self.line_of(ask.request.principal);
        let mail = Mail::Ask(Box::new(ask), staged, Some(decide), tell);
        self.send(line, 1, mail)?;
        let decided = decided.await.map_err(|_| self.gone())?;
        Ok(Early {
            shared: self.shared.clone(),
            decided,
            durable,
        })
    }

    /// Asks for several things; each is decided separately, in order. The writer takes a part of
    /// them at a time, so that a long list does not hold up others for long.
    ///
    /// # Errors
    /// [`Failure`] for those that the node cannot answer.
    pub async fn ask_all(&self, asks: Vec<Ask>) -> Vec<Result<Answered, Failure>> {
        let (ready, unstored) = self.staging.of_all(asks).await;
        let mut answers = self.ask_ready(ready).await;
        for (place, failure) in unstored {
            // In ascending order, so each comes to its own place.
            answers.insert(place.min(answers.len()), Err(failure));
        }
        answers
    }

    async fn ask_ready(&self, asks: Vec<Ready>) -> Vec<Result<Answered, Failure>> {
        let mut answers = Vec::with_capacity(asks.len());
        let mut asks = asks.into_iter().peekable();
        let mut under_way = VecDeque::with_capacity(PARTS);
        while asks.peek().is_some() || !under_way.is_empty() {
            if under_way.len() == PARTS || asks.peek().is_none() {
                if let Some((count, told)) = under_way.pop_front() {
                    self.part(&mut answers, count, told).await;
                }
                continue;
            }
            if self.is_pressed() {
                match under_way.pop_front() {
                    Some((count, told)) => self.part(&mut answers, count, told).await,
                    None => self.relief().await,
                }
            }
            let (part, staged): (Vec<Ask>, Vec<Vec<Staged>>) = asks.by_ref().take(PART).unzip();
            let staged = staged.into_iter().flatten().collect();
            let (tell, told) = oneshot::channel();
            let count = part.len();
            // A batch is one caller's.
            let asker = part.first().map(|ask| ask.request.principal);
            let line = self.line_of(asker.unwrap_or(Principal::Public));
            let sent = self.send(line, count, Mail::Batch(part, staged, tell));
            under_way.push_back((count, sent.map(|()| told)));
        }
        answers
    }

    fn is_pressed(&self) -> bool {
        self.shared.stats.touched.load(Ordering::Relaxed) > KEEP_TOUCHED
    }

    /// Waits until the writer has handed over what it touched, or for half a second: a node that
    /// has failed answers that it has.
    async fn relief(&self) {
        for _ in 0..500 {
            tokio::time::sleep(Duration::from_millis(1)).await;
            if !self.is_pressed() {
                return;
            }
        }
    }

    async fn part(
        &self,
        answers: &mut Vec<Result<Answered, Failure>>,
        count: usize,
        told: Result<oneshot::Receiver<Vec<Answered>>, Failure>,
    ) {
        let told = match told {
            Ok(told) => told.await.map_err(|_| self.gone()),
            Err(failure) => Err(failure),
        };
        match told {
            Ok(told) => answers.extend(told.into_iter().map(Ok)),
            Err(failure) => answers.extend(std::iter::repeat_n(Err(failure), count)),
        }
    }

    /// Reads the state between two batches. The answer comes, with its position, when that position
    /// is durable.
    ///
    /// # Errors
    /// [`Failure`] when the node cannot answer.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&State) -> T + Send + 'static,
    ) -> Result<(u64, T), Failure> {
        let (tell, told) = oneshot::channel();
        let read: ReadFn = Box::new(move |state| {
            let value = read(state);
            Box::new(move |position| {
                // The asker may have gone.
                let _ = tell.send((position, value));
            })
        });
        self.send(Line::Reads, 1, Mail::Read(read))?;
        told.await.map_err(|_| self.gone())
    }

    /// The state's digest at the position of the last decision.
    ///
    /// # Errors
    /// [`Failure`] when the node cannot answer.
    pub async fn digest(&self) -> Result<Digested, Failure> {
        let (tell, told) = oneshot::channel();
        self.send(Line::Reads, 1, Mail::Digest(tell))?;
        told.await.map(Digested::from).map_err(|_| self.gone())
    }

    /// Lets the clock do what is due, for clocks that are moved by hand.
    ///
    /// # Errors
    /// [`Failure`] when the node cannot answer.
    pub async fn tick(&self) -> Result<Answered, Failure> {
        let (tell, told) = oneshot::channel();
        self.send(Line::Settling, 1, Mail::Tick(tell))?;
        told.await.map_err(|_| self.gone())
    }

    /// Reads the log on the calling thread, which may block.
    ///
    /// # Errors
    /// As the reader's.
    pub fn with_log<T>(
        &self,
        read: impl FnOnce(&mut dyn LogReader) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let pooled = self
            .readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let mut reader = pooled.unwrap_or_else(|| (self.new_reader)());
        let outcome = read(reader.as_mut());
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < 8 {
            readers.push(reader);
        }
        outcome
    }

    /// A further reader of the log.
    #[must_use]
    pub fn new_reader(&self) -> Box<dyn LogReader> {
        (self.new_reader)()
    }

    /// Stops taking requests, answers those that wait, and closes the log. Blocks until done.
    pub fn stop(&self) {
        self.shared.draining.store(true, Ordering::SeqCst);
        self.shared.hub.close();
        // A writer that has ended needs no signal.
        let _ = self.mail.put(Line::Node, 0, Mail::Stop.into());
        // Held until they have ended: whoever else stops the node waits as well.
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((writer, syncer)) = threads.take() {
            let ended = [writer.join().is_ok(), syncer.join().is_ok()];
            if ended != [true, true] {
                tracing::error!("a thread of the node ended badly");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use rialto_core::realm::{Found, RealmCommand};
    use rialto_core::text::Handle;
    use rialto_journal::entities::MemoryEntities;
    use rialto_journal::memory::{MemoryDisk, MemoryJournal};
    use rialto_journal::{ContentName, Contents, Frame, Head};

    use super::super::clock::{SeededChance, SystemClock};
    use super::super::engine::Reply;
    use super::*;

    /// A journal whose appends wait until they are let go on, or fail if they are told to.
    struct Held {
        disk: MemoryJournal,
        go_on: Receiver<bool>,
    }

    impl Journal for Held {
        fn head(&self) -> Head {
            self.disk.head()
        }
        fn append(&mut self, frame: &Frame) -> Result<Head, JournalError> {
            match self.go_on.recv() {
                Ok(true) => self.disk.append(frame),
                _ => Err(JournalError::StorageFull),
            }
        }
        fn erase(&mut self, names: &[ContentName]) -> Result<usize, JournalError> {
            self.disk.erase(names)
        }
        fn contents(&self) -> Contents {
            self.disk.contents()
        }
        fn reader(&self) -> Box<dyn LogReader> {
            self.disk.reader()
        }
    }

    fn held() -> (Arc<Node>, Sender<bool>) {
        let disk = MemoryDisk::default();
        let (let_go, go_on) = channel();
        let journal = MemoryJournal::open(&disk).unwrap();
        let journal = Box::new(Held {
            disk: journal,
            go_on,
        });
        let readers = MemoryJournal::open(&MemoryDisk::default()).unwrap();
        let chance = SeededChance::new(7);
        let config = NodeConfig {
            clock: Arc::new(SystemClock),
            secrets: RealmSecrets::fresh(&chance),
            chance: Arc::new(chance),
        };
        let entities = Box::new(MemoryEntities::default());
        let readers = Mutex::new(readers);
        let new_reader = move || readers.lock().unwrap().reader();
        let node = Node::start(
            State::new(1),
            journal,
            entities,
            Box::new(new_reader),
            config,
        );
        (node.unwrap(), let_go)
    }

    fn founding() -> Ask {
        let (name, key) = (Handle::new("test").unwrap(), Hash::of(&[b"key"]));
        Ask::by_the_realm(RealmCommand::Found(Found { name, key }).into())
    }

    #[tokio::test]
    async fn a_decision_is_known_before_it_is_durable() {
        let (node, let_go) = held();
        let early = node.ask_early(founding()).await.unwrap();
        assert!(matches!(early.decided().reply, Reply::Accepted { .. }));
        let decided = early.decided().clone();
        assert_eq!((decided.position, node.hub().durable()), (1, 0));
        let mut durable = std::pin::pin!(early.durable());
        let wait = Duration::from_millis(50);
        let soon = tokio::time::timeout(wait, durable.as_mut()).await;
        assert!(soon.is_err(), "nothing leaves before the sync");
        let_go.send(true).unwrap();
        assert_eq!(durable.await, Ok(decided));
        assert_eq!(node.hub().durable(), 1);
        node.stop();
    }

    #[tokio::test]
    async fn a_decision_that_could_not_be_written_was_never_made() {
        let (node, let_go) = held();
        let early = node.ask_early(founding()).await.unwrap();
        assert!(matches!(early.decided().reply, Reply::Accepted { .. }));
        let_go.send(false).unwrap();
        assert_eq!(early.durable().await, Err(Failure::Full));
        assert_eq!(node.ask_early(founding()).await.err(), Some(Failure::Full));
        node.stop();
    }
}

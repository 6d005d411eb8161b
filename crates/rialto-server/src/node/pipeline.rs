//! The threads of the node: the writer decides, the syncer journals and lets answers go.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rialto_core::clock::run_ms;
use rialto_core::command::Nothing;
use rialto_core::decide::{Request, Stamp};
use rialto_core::event::{Envelope, Event, RealmEvent};
use rialto_core::hash::{Hash, Short};
use rialto_core::id::{AgentId, TokenId};
use rialto_core::identity::{Auth, IdentityEvent, Principal};
use rialto_core::mail::MailEvent;
use rialto_core::realm::RealmCommand;
use rialto_core::reject::Code;
use rialto_core::state::State;
use rialto_core::time::{MINUTE_MS, Time};
use rialto_journal::entities::{EntityState, EntityStore, Upsert};
use rialto_journal::{Frame, Head, Journal, JournalError, LogReader, Staged};
use tokio::sync::oneshot;

use super::clock::{Chance, Clock, Clocks, Steady};
use super::engine::{Answered, Ask, Engine, Reply};
use super::health::Health;
use super::hub::Hub;
use super::keeper::{Keeper, Kept};
use super::secrets::RealmSecrets;
use super::staging::{Ready, Staging};
use super::tail::Tail;
use super::tokens::{TokenInfo, Tokens};

/// Requests that may wait for the writer. Past that a door answers that the server is busy.
const WAITING: usize = 65_536;
/// A frame is closed at this many bytes or envelopes, whichever comes first.
const FRAME_BYTES: usize = 16 << 20;
const FRAME_ENVELOPES: usize = 16_384;
/// How many requests are decided before the writer looks whether the syncer is free.
const TURN: usize = 512;
/// How many commands of a batch the writer takes at a time, and how many such parts may wait for it.
const PART: usize = 128;
const PARTS: usize = 8;
/// Touched entities are handed to the keeper when there are this many, or after this time. Long
/// batches wait while there are more: the writer encodes them all at once, so many would keep it
/// from its queue.
const KEEP_TOUCHED: usize = 4_096;
const KEEP_EVERY: Duration = Duration::from_millis(250);
/// The clock is asked at most this often for what is due.
const TICK_EVERY: Duration = Duration::from_millis(50);
/// How long the clock may pause while nothing happens.
const LULL_MS: u64 = 20 * MINUTE_MS;

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
    /// A large text could not be stored; nothing was decided, and the node goes on.
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
}

type ReadFn = Box<dyn FnOnce(&State) -> Box<dyn FnOnce(u64) + Send> + Send>;

enum Mail {
    Ask(Box<Ask>, Vec<Staged>, oneshot::Sender<Answered>),
    Batch(Vec<Ask>, Vec<Staged>, oneshot::Sender<Vec<Answered>>),
    Read(ReadFn),
    Digest(oneshot::Sender<EntityState>),
    Tick(oneshot::Sender<Answered>),
    Synced,
    Stop,
}

/// Something that waits for a position to become durable.
type Parked = Box<dyn FnOnce() + Send>;

struct Job {
    frame: Option<Frame>,
    position: u64,
    parked: Vec<Parked>,
    grown: Vec<AgentId>,
    erased: Vec<u64>,
    kept: Option<(Vec<Upsert>, Vec<oneshot::Sender<EntityState>>)>,
    /// Large texts of this frame, on disk already. Held until the frame has taken them.
    staged: Vec<Staged>,
}

struct Shared {
    tokens: Tokens,
    hub: Arc<Hub>,
    tail: Tail,
    stats: Stats,
    health: Health,
    stopped: AtomicBool,
    full: AtomicBool,
    draining: AtomicBool,
    syncing: AtomicBool,
    /// The realm's time at the last envelope, in milliseconds; 0 before a realm is founded.
    realm_ms: AtomicU64,
    /// What the steady clock read then.
    steady_ms: AtomicU64,
    /// How often a stop switch was pulled or released, or an agent closed.
    switched: AtomicU64,
}

impl Shared {
    /// Notes that the log could not be written, and why.
    fn fail(&self, error: &JournalError) {
        let full = matches!(error, JournalError::StorageFull);
        self.full.store(full, Ordering::SeqCst);
        self.stopped.store(true, Ordering::SeqCst);
    }
}

/// A running node. Cheap to share; ends with [`Node::stop`].
pub struct Node {
    mail: SyncSender<Mail>,
    shared: Arc<Shared>,
    config: NodeConfig,
    steady: Steady,
    readers: Mutex<Vec<Box<dyn LogReader>>>,
    new_reader: Box<dyn Fn() -> Box<dyn LogReader> + Send + Sync>,
    staging: Staging,
    threads: Mutex<Option<(JoinHandle<()>, JoinHandle<()>)>>,
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
            stats: Stats::default(),
            health: Health::default(),
            stopped: AtomicBool::new(false),
            full: AtomicBool::new(false),
            draining: AtomicBool::new(false),
            syncing: AtomicBool::new(false),
            realm_ms: AtomicU64::new(state.now().0),
            steady_ms: AtomicU64::new(state.steady_ms().unwrap_or(0)),
            switched: AtomicU64::new(0),
        });
        let (mail, mailbox) = sync_channel(WAITING);
        let (jobs, job_queue) = sync_channel(1);
        let staging = Staging::new(journal.stage());
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
            .spawn(move || writer.run(&mailbox))?;
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
        let steady_ms = self.shared.steady_ms.load(Ordering::Relaxed);
        let ran = run_ms(steady_ms, self.steady.read(self.clock()));
        Clocks::of(last, last.after(ran), machine)
    }

    /// A number that changes whenever somebody is stopped or resumed, so that streams know when to
    /// check.
    pub(crate) fn switched(&self) -> u64 {
        self.shared.switched.load(Ordering::SeqCst)
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

    /// True while a token is live.
    pub(crate) fn holds(&self, token: TokenId) -> bool {
        self.shared.tokens.holds(token)
    }

    fn send(&self, mail: Mail) -> Result<(), Failure> {
        if let Some(failure) = self.failure() {
            return Err(failure);
        }
        if self.is_draining() {
            return Err(Failure::Draining);
        }
        self.shared.stats.waiting.fetch_add(1, Ordering::Relaxed);
        self.mail.try_send(mail).map_err(|why| {
            self.shared.stats.waiting.fetch_sub(1, Ordering::Relaxed);
            match why {
                TrySendError::Full(_) => Failure::Busy,
                TrySendError::Disconnected(_) => self.failure().unwrap_or(Failure::Stopped),
            }
        })
    }

    fn gone(&self) -> Failure {
        match self.failure() {
            Some(failure) => failure,
            None if self.is_draining() => Failure::Draining,
            None => Failure::Stopped,
        }
    }

    /// Why the node has stopped, if it has because the log could not be written.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        if !self.has_stopped() {
            return None;
        }
        match self.shared.full.load(Ordering::SeqCst) {
            true => Some(Failure::Full),
            false => Some(Failure::Stopped),
        }
    }

    /// Asks the realm. The answer comes when the position it was decided at is durable.
    ///
    /// # Errors
    /// [`Failure`] when the node cannot answer.
    pub async fn ask(&self, ask: Ask) -> Result<Answered, Failure> {
        let (ask, staged) = self.staging.of(ask).await?;
        let (tell, told) = oneshot::channel();
        self.send(Mail::Ask(Box::new(ask), staged, tell))?;
        told.await.map_err(|_| self.gone())
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
            let sent = self.send(Mail::Batch(part, staged, tell));
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
        self.send(Mail::Read(read))?;
        told.await.map_err(|_| self.gone())
    }

    /// The state's digest at the position of the last decision.
    ///
    /// # Errors
    /// [`Failure`] when the node cannot answer.
    pub async fn digest(&self) -> Result<Digested, Failure> {
        let (tell, told) = oneshot::channel();
        self.send(Mail::Digest(tell))?;
        told.await.map(Digested::from).map_err(|_| self.gone())
    }

    /// Lets the clock do what is due, for clocks that are moved by hand.
    ///
    /// # Errors
    /// [`Failure`] when the node cannot answer.
    pub async fn tick(&self) -> Result<Answered, Failure> {
        let (tell, told) = oneshot::channel();
        self.send(Mail::Tick(tell))?;
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
        // The mailbox may be full; the writer empties it.
        let _ = self.mail.send(Mail::Stop);
        let threads = self
            .threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some((writer, syncer)) = threads {
            let ended = [writer.join().is_ok(), syncer.join().is_ok()];
            if ended != [true, true] {
                tracing::error!("a thread of the node ended badly");
            }
        }
    }
}

/// The thread that decides.
struct Writer {
    engine: Engine,
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    steady: Steady,
    chance: Arc<dyn Chance>,
    jobs: SyncSender<Job>,
    parked: Vec<Parked>,
    erased: Vec<u64>,
    staged: Vec<Staged>,
    digests: Vec<oneshot::Sender<EntityState>>,
    last_keep: Instant,
    last_tick: Instant,
}

impl Writer {
    fn run(mut self, mailbox: &Receiver<Mail>) {
        loop {
            let first = match mailbox.recv_timeout(self.patience()) {
                Ok(mail) => Some(mail),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let stop = self.turn(first, mailbox);
            let closed = self.timed(|writer| {
                writer.tick_if_due();
                let keep = writer.wants_keeping();
                writer.hand_over(keep, stop)
            });
            let touched = self.engine.state().changes.touched_len();
            self.shared.stats.touched.store(touched, Ordering::Relaxed);
            if stop || closed {
                break;
            }
        }
    }

    /// Handles what waits, a bounded number. True when the node is to stop.
    fn turn(&mut self, first: Option<Mail>, mailbox: &Receiver<Mail>) -> bool {
        let mut next = first;
        for _ in 0..TURN {
            let Some(mail) = next.take() else { break };
            if !matches!(mail, Mail::Synced | Mail::Stop) {
                self.shared.stats.waiting.fetch_sub(1, Ordering::Relaxed);
            }
            if self.timed(|writer| writer.handle(mail)) {
                // Those already in the mailbox still get their answer.
                while let Ok(mail) = mailbox.try_recv() {
                    self.handle(mail);
                }
                return true;
            }
            if self.engine.pending_bytes() >= FRAME_BYTES
                || self.engine.pending_envelopes() >= FRAME_ENVELOPES
            {
                break;
            }
            next = mailbox.try_recv().ok();
        }
        false
    }

    /// Does one thing, and notes how long it kept the writer from its queue.
    fn timed<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> T {
        let began = Instant::now();
        let done = act(self);
        let us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let longest = &self.shared.stats.longest_turn_us;
        longest.fetch_max(us, Ordering::Relaxed);
        done
    }

    fn handle(&mut self, mail: Mail) -> bool {
        match mail {
            Mail::Ask(ask, staged, tell) => {
                let answered = self.decide(*ask);
                self.hold(staged, std::slice::from_ref(&answered));
                self.park(move || drop(tell.send(answered)));
            }
            Mail::Batch(asks, staged, tell) => {
                let answered: Vec<Answered> =
                    asks.into_iter().map(|ask| self.decide(ask)).collect();
                self.hold(staged, &answered);
                self.park(move || drop(tell.send(answered)));
            }
            Mail::Read(read) => {
                let position = self.engine.state().position();
                let tell = read(self.engine.state());
                self.park(move || tell(position));
            }
            Mail::Digest(tell) => self.digests.push(tell),
            Mail::Tick(tell) => {
                let answered = self.tick();
                self.park(move || drop(tell.send(answered)));
            }
            Mail::Synced => {}
            Mail::Stop => return true,
        }
        false
    }

    /// Keeps staged texts for the current frame, if it needs any of them.
    fn hold(&mut self, staged: Vec<Staged>, answered: &[Answered]) {
        let accepted = |answered: &Answered| matches!(answered.reply, Reply::Accepted { .. });
        if answered.iter().any(accepted) {
            self.staged.extend(staged);
        }
    }

    /// Sends at once what is durable already, and keeps the rest for the current frame.
    fn park(&mut self, act: impl FnOnce() + Send + 'static) {
        if self.engine.state().position() <= self.shared.hub.durable() {
            act();
        } else {
            self.parked.push(Box::new(act));
        }
    }

    fn decide(&mut self, ask: Ask) -> Answered {
        let entropy = self.chance.bytes();
        let stamp = Stamp {
            now: self.clock.now(),
            steady_ms: self.steady.read(self.clock.as_ref()),
            entropy,
            custody: ask.custody,
        };
        let (shared, erased, stats) = (&self.shared, &mut self.erased, &self.shared.stats);
        let answered = self
            .engine
            .ask(ask, &stamp, &mut |envelope| note(envelope, shared, erased));
        let state = self.engine.state();
        if state.position() > 0 {
            let steady_ms = state.steady_ms().unwrap_or(0);
            shared.realm_ms.store(state.now().0, Ordering::Relaxed);
            shared.steady_ms.store(steady_ms, Ordering::Relaxed);
        }
        match answered.reply {
            super::Reply::Refused(_) => stats.refused.fetch_add(1, Ordering::Relaxed),
            _ => stats.accepted.fetch_add(1, Ordering::Relaxed),
        };
        answered
    }

    fn tick(&mut self) -> Answered {
        self.last_tick = Instant::now();
        let request = Request {
            principal: Principal::Realm,
            auth: Auth::None,
            acting: None,
            key: None,
            cause: None,
        };
        self.decide(Ask {
            request,
            command: RealmCommand::Tick(Nothing {}).into(),
            contents: Vec::new(),
            custody: None,
            leaked: Vec::new(),
        })
    }

    /// The realm's time now.
    fn now(&self) -> Time {
        let steady_ms = self.steady.read(self.clock.as_ref());
        self.engine.state().time_at(self.clock.now(), steady_ms)
    }

    fn due_at(&self) -> Time {
        let state = self.engine.state();
        let lull = state.now().after(LULL_MS);
        state
            .changes
            .next_due()
            .map_or(lull, |(at, _)| at.min(lull))
    }

    fn tick_if_due(&mut self) {
        if self.clock.is_virtual() || self.engine.state().position() == 0 {
            return;
        }
        if self.last_tick.elapsed() >= TICK_EVERY && self.now() >= self.due_at() {
            self.tick();
        }
    }

    /// How long the writer may sleep when nobody asks.
    fn patience(&self) -> Duration {
        let keep = if self.engine.state().changes.touched_len() > 0 {
            KEEP_EVERY
        } else {
            Duration::from_secs(1)
        };
        let until_due = self.due_at().since(self.now());
        if self.clock.is_virtual() {
            keep
        } else {
            keep.min(Duration::from_millis(until_due).max(TICK_EVERY))
        }
    }

    fn wants_keeping(&self) -> bool {
        let touched = self.engine.state().changes.touched_len();
        !self.digests.is_empty()
            || touched >= KEEP_TOUCHED
            || touched > 0 && self.last_keep.elapsed() >= KEEP_EVERY
    }

    /// Gives the current frame to the syncer, if it is free or the frame is full. True if the
    /// syncer has ended.
    fn hand_over(&mut self, keep: bool, last: bool) -> bool {
        if self.engine.defect().is_some() {
            tracing::error!("an event did not fit the state; the node stops before it is logged");
            self.shared.stopped.store(true, Ordering::SeqCst);
            return true;
        }
        let nothing = self.engine.pending_envelopes() == 0 && self.parked.is_empty() && !keep;
        if nothing && !last {
            return false;
        }
        let full = self.engine.pending_bytes() >= FRAME_BYTES
            || self.engine.pending_envelopes() >= FRAME_ENVELOPES;
        if self.shared.syncing.load(Ordering::SeqCst) && !full && !last {
            return false;
        }
        let (frame, grown) = self.engine.take_frame();
        let kept = (keep || last).then(|| self.take_touched());
        let job = Job {
            frame,
            position: self.engine.state().position(),
            parked: std::mem::take(&mut self.parked),
            grown,
            erased: std::mem::take(&mut self.erased),
            kept,
            staged: std::mem::take(&mut self.staged),
        };
        self.shared.syncing.store(true, Ordering::SeqCst);
        self.jobs.send(job).is_err()
    }

    fn take_touched(&mut self) -> (Vec<Upsert>, Vec<oneshot::Sender<EntityState>>) {
        self.last_keep = Instant::now();
        let state = self.engine.state_mut();
        let keys = state.changes.take_touched();
        let upserts = keys
            .into_iter()
            .map(|key| (key.to_vec(), state.encode_entity(&key)))
            .collect();
        (upserts, std::mem::take(&mut self.digests))
    }
}

/// Keeps what follows from an accepted command outside the core: live tokens, and what to erase.
/// Runs before the answer can leave, so a revoked token is dead when its revocation is acknowledged.
fn note(envelope: &Envelope, shared: &Shared, erased: &mut Vec<u64>) {
    let tokens = &shared.tokens;
    for event in &envelope.events {
        match event {
            Event::Identity(IdentityEvent::AgentRegistered { agent, owner, .. }) => {
                tokens.belongs(Principal::Agent(*agent), *owner);
            }
            Event::Identity(IdentityEvent::PersonAdded { person, owner, .. }) => {
                tokens.belongs(Principal::Person(*person), *owner);
            }
            Event::Identity(IdentityEvent::TokenIssued {
                token,
                principal,
                hash,
                ..
            }) => {
                tokens.add(*hash, *token, *principal);
            }
            Event::Identity(
                IdentityEvent::TokenEnded { token } | IdentityEvent::TokenLeaked { token, .. },
            ) => {
                tokens.end(*token);
            }
            Event::Identity(
                IdentityEvent::OwnerSwitched { .. }
                | IdentityEvent::PersonSwitched { .. }
                | IdentityEvent::AgentSwitched { .. }
                | IdentityEvent::ServiceSwitched { .. }
                | IdentityEvent::AgentsStopped { .. }
                | IdentityEvent::AgentClosed { .. },
            ) => {
                shared.switched.fetch_add(1, Ordering::SeqCst);
            }
            Event::Realm(RealmEvent::OperatorTokenReset { token, hash }) => {
                tokens.replace_operator(*hash, *token);
            }
            Event::Mail(MailEvent::Erased { contents }) => {
                erased.extend(contents.iter().map(|c| c.0));
            }
            _ => {}
        }
    }
}

/// The thread that journals.
struct Syncer {
    journal: Box<dyn Journal>,
    shared: Arc<Shared>,
    writer: SyncSender<Mail>,
    keeper: Keeper,
}

impl Syncer {
    fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            if let Err(error) = self.sync(job) {
                tracing::error!(%error, "the log cannot be written; the node stops and nothing is retried");
                break;
            }
            self.shared.syncing.store(false, Ordering::SeqCst);
            // If the mailbox is full the writer is awake anyway, and looks at `syncing` itself.
            let _ = self.writer.try_send(Mail::Synced);
        }
        self.keeper.finish();
    }

    /// Waiters learn of a failure when the job is dropped, so the failure is recorded before.
    fn sync(&mut self, job: Job) -> Result<(), JournalError> {
        let head = self
            .append(job.frame.as_ref())
            .inspect_err(|error| self.shared.fail(error))?;
        drop(job.staged);
        if let Some(frame) = job.frame {
            self.shared.tail.push(frame);
        }
        if !job.erased.is_empty() {
            self.shared.tail.clear();
            self.erase(&job.erased)
                .inspect_err(|error| self.shared.fail(error))?;
        }
        self.shared.hub.set_durable(head.position, &job.grown);
        for act in job.parked {
            act();
        }
        if let Some((upserts, told)) = job.kept {
            let kept = Kept {
                position: job.position,
                chain: head.chain,
                upserts,
                told,
            };
            // The keeper only goes with the syncer.
            let _ = self.keeper.batches.send(kept);
        }
        Ok(())
    }

    fn append(&mut self, frame: Option<&Frame>) -> Result<Head, JournalError> {
        let Some(frame) = frame else {
            return Ok(self.journal.head());
        };
        let began = Instant::now();
        let head = self.journal.append(frame)?;
        let stats = &self.shared.stats;
        let us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        stats.sync_us.fetch_add(us, Ordering::Relaxed);
        stats.frames.fetch_add(1, Ordering::Relaxed);
        stats
            .envelopes
            .fetch_add(frame.envelopes.len() as u64, Ordering::Relaxed);
        Ok(head)
    }

    fn erase(&mut self, ids: &[u64]) -> Result<(), JournalError> {
        match self.journal.erase(ids) {
            // A long read stood in the way of the last step; the next erasure finishes it.
            Ok(_) | Err(JournalError::EraseIncomplete) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

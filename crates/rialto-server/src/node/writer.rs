//! The writer: the one thread that decides. It applies what it accepts and hands whole frames to the syncer;
//! it never waits for a disk.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use rialto_core::command::Nothing;
use rialto_core::decide::Stamp;
use rialto_core::event::{Envelope, Event, RealmEvent};
use rialto_core::id::OwnerId;
use rialto_core::identity::{IdentityEvent, Principal};
use rialto_core::mail::MailEvent;
use rialto_core::model::ModelEvent;
use rialto_core::realm::RealmCommand;
use rialto_core::time::{MINUTE_MS, Time};
use rialto_journal::Staged;
use rialto_journal::entities::{EntityState, Upsert};
use tokio::sync::oneshot;

use super::clock::{Chance, Clock, Steady};
use super::engine::{Answered, Ask, Engine, Reply};
use super::mailbox::Mailbox;
use super::pipeline::{Job, Mail, Parked, Posted, Shared, Stats};
use super::subjects::Subject;

/// A frame is closed at this many bytes or envelopes, whichever comes first.
const FRAME_BYTES: usize = 16 << 20;
const FRAME_ENVELOPES: usize = 16_384;
/// How many requests are decided before the writer looks whether the syncer is free.
const TURN: usize = 512;
/// Touched entities are handed to the keeper when there are this many, or after this time. Long
/// batches wait while there are more: the writer encodes them all at once, so many would keep it
/// from its queue.
pub(super) const KEEP_TOUCHED: usize = 4_096;
const KEEP_EVERY: Duration = Duration::from_millis(250);
/// The clock is asked at most this often for what is due.
const TICK_EVERY: Duration = Duration::from_millis(50);
/// How long the clock may pause while nothing happens.
const LULL_MS: u64 = 20 * MINUTE_MS;

/// The thread that decides.
pub(super) struct Writer {
    pub(super) engine: Engine,
    pub(super) shared: Arc<Shared>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) steady: Steady,
    pub(super) chance: Arc<dyn Chance>,
    pub(super) jobs: SyncSender<Job>,
    pub(super) parked: Vec<Parked>,
    pub(super) erased: Vec<u64>,
    pub(super) staged: Vec<Staged>,
    pub(super) digests: Vec<oneshot::Sender<EntityState>>,
    pub(super) last_keep: Instant,
    pub(super) last_tick: Instant,
}

/// Closes the mailbox when the writer ends, also by a panic.
struct Closes<'a>(&'a Mailbox<Posted>);

impl Drop for Closes<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Writer {
    pub(super) fn run(mut self, mailbox: &Mailbox<Posted>) {
        // However it ends, nobody waits for it in vain.
        let _closes = Closes(mailbox);
        loop {
            let first = mailbox.wait(self.patience());
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
    fn turn(&mut self, first: Option<Posted>, mailbox: &Mailbox<Posted>) -> bool {
        let mut next = first;
        for _ in 0..TURN {
            let Some(Posted { at, mail }) = next.take() else {
                break;
            };
            if !matches!(mail, Mail::Synced | Mail::Stop) {
                self.shared.stats.waiting.fetch_sub(1, Ordering::Relaxed);
                self.shared.stats.queue_wait.count(at.elapsed());
            }
            if self.timed(|writer| writer.handle(mail)) {
                // Those already in the mailbox still get their answer.
                while let Some(posted) = mailbox.take() {
                    self.handle(posted.mail);
                }
                return true;
            }
            if self.engine.pending_bytes() >= FRAME_BYTES
                || self.engine.pending_envelopes() >= FRAME_ENVELOPES
            {
                break;
            }
            next = mailbox.take();
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
            Mail::Ask(ask, staged, early, tell) => {
                let answered = self.decide(*ask);
                if let Some(early) = early {
                    // The asker may have gone.
                    let _ = early.send(answered.clone());
                }
                self.hold(staged, std::slice::from_ref(&answered));
                let timed = self.until_durable(std::slice::from_ref(&answered));
                self.park(move || {
                    timed();
                    drop(tell.send(answered));
                });
            }
            Mail::Batch(asks, staged, tell) => {
                let answered: Vec<Answered> =
                    asks.into_iter().map(|ask| self.decide(ask)).collect();
                self.hold(staged, &answered);
                let timed = self.until_durable(&answered);
                self.park(move || {
                    timed();
                    drop(tell.send(answered));
                });
            }
            Mail::Read(read) => {
                self.shared.stats.reads.fetch_add(1, Ordering::Relaxed);
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
        if answered.iter().any(is_accepted) {
            self.staged.extend(staged);
        }
    }

    /// What counts how long these took from now until they are durable.
    fn until_durable(&self, answered: &[Answered]) -> impl FnOnce() + Send + 'static {
        let accepted = answered.iter().filter(|one| is_accepted(one)).count() as u64;
        let (stats, decided): (Arc<Stats>, _) = (self.shared.stats.clone(), Instant::now());
        move || {
            if accepted > 0 {
                stats.durable.count_many(decided.elapsed(), accepted);
            }
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
            began_ms: self.steady.began(),
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
            Reply::Refused(_) => stats.refused.fetch_add(1, Ordering::Relaxed),
            _ => stats.accepted.fetch_add(1, Ordering::Relaxed),
        };
        answered
    }

    fn tick(&mut self) -> Answered {
        self.last_tick = Instant::now();
        self.decide(Ask::by_the_realm(RealmCommand::Tick(Nothing {}).into()))
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
            self.shared.hub.subjects().tell_all();
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
        let (batch, grown) = self.engine.take_batch();
        let kept = (keep || last).then(|| self.take_touched());
        let job = Job {
            batch,
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

fn is_accepted(answered: &Answered) -> bool {
    matches!(answered.reply, Reply::Accepted { .. })
}

/// Keeps what follows from an accepted command outside the core: live tokens, and what to erase.
/// Runs before the answer can leave, so a revoked token is dead when its revocation is acknowledged.
fn note(envelope: &Envelope, shared: &Shared, erased: &mut Vec<u64>) {
    for event in &envelope.events {
        match event {
            Event::Identity(event) => note_identity(event, shared),
            Event::Realm(event) => note_realm(event, shared),
            Event::Mail(event) => erased.extend(self::erased(event)),
            Event::Model(
                ModelEvent::Deployed { .. }
                | ModelEvent::Changed { .. }
                | ModelEvent::Retired { .. },
            ) => {
                shared.deployed.fetch_add(1, Ordering::SeqCst);
            }
            // No other module has tokens or erases.
            _ => {}
        }
    }
}

fn note_identity(event: &IdentityEvent, shared: &Shared) {
    let tokens = &shared.tokens;
    match event {
        IdentityEvent::AgentRegistered { agent, owner, .. } => {
            tokens.belongs(Principal::Agent(*agent), *owner);
        }
        IdentityEvent::PersonAdded { person, owner, .. } => {
            tokens.belongs(Principal::Person(*person), *owner);
        }
        IdentityEvent::TokenIssued {
            token,
            principal,
            hash,
            scope,
            ..
        } => {
            tokens.add(*hash, *token, (*principal, scope.as_deref()));
        }
        IdentityEvent::TokenEnded { token } | IdentityEvent::TokenLeaked { token, .. } => {
            tokens.end(*token);
            shared.hub.subjects().tell(Subject::Token(*token), 0);
        }
        IdentityEvent::OwnerSwitched { owner, .. } | IdentityEvent::AgentsStopped { owner, .. } => {
            switched(Some(*owner), shared);
        }
        IdentityEvent::PersonSwitched { person, .. } => {
            switched(tokens.owner_of(Principal::Person(*person)), shared);
        }
        IdentityEvent::AgentSwitched { agent, .. } | IdentityEvent::AgentClosed { agent } => {
            switched(tokens.owner_of(Principal::Agent(*agent)), shared);
        }
        IdentityEvent::ServiceSwitched { .. } => switched(None, shared),
        IdentityEvent::OwnerCreated { .. }
        | IdentityEvent::RoleSet { .. }
        | IdentityEvent::ProfileSet { .. }
        | IdentityEvent::AgentMoved { .. }
        | IdentityEvent::KeyRotated { .. }
        | IdentityEvent::ServiceCreated { .. }
        | IdentityEvent::StakeHeld { .. }
        | IdentityEvent::HandleMarked { .. }
        | IdentityEvent::TokenReplaced { .. }
        | IdentityEvent::TokenSpent { .. }
        | IdentityEvent::Invited { .. }
        | IdentityEvent::InvitationUsed { .. }
        | IdentityEvent::InvitationEnded { .. } => {}
    }
}

/// Somebody of an owner was stopped or may act again; without an owner it may be anybody.
fn switched(owner: Option<OwnerId>, shared: &Shared) {
    shared.switched.fetch_add(1, Ordering::SeqCst);
    let subjects = shared.hub.subjects();
    match owner {
        Some(owner) => subjects.tell(Subject::Standing(owner), 0),
        None => subjects.tell_all(),
    }
}

fn note_realm(event: &RealmEvent, shared: &Shared) {
    match event {
        RealmEvent::OperatorTokenReset { token, hash } => {
            shared.tokens.replace_operator(*hash, *token);
            shared.hub.subjects().tell_all();
        }
        RealmEvent::Founded { .. }
        | RealmEvent::KeyRotated { .. }
        | RealmEvent::ClockAccepted
        | RealmEvent::Retired { .. }
        | RealmEvent::ClockMoved { .. }
        | RealmEvent::ClockSetBack { .. }
        | RealmEvent::RulesAdopted { .. } => {}
    }
}

/// The contents that an event erases.
pub(super) fn erased(event: &MailEvent) -> impl Iterator<Item = u64> {
    let contents = match event {
        MailEvent::Erased { contents } => contents.as_slice(),
        MailEvent::ConversationOpened { .. }
        | MailEvent::MessageSent { .. }
        | MailEvent::RequestAnswered { .. }
        | MailEvent::GroupChanged { .. }
        | MailEvent::Acknowledged { .. }
        | MailEvent::Trimmed { .. }
        | MailEvent::ConversationClosed { .. }
        | MailEvent::ContactLapsed { .. }
        | MailEvent::LanesOpened
        | MailEvent::Cleared { .. } => &[],
    };
    contents.iter().map(|content| content.0)
}

//! Feeds the views from the log, after the writer and without slowing it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rialto_core::event::Event;
use rialto_core::id::ContentId;
use rialto_core::reject::Code;
use rialto_core::social::SocialEvent;
use rialto_journal::LogReader;
use rialto_views::{Error as ViewError, Indexed, Scope, ViewReader, Views};

use super::boot::{BootError, decode};
use super::engine::Batch;
use super::health::Trouble;
use super::pipeline::Node;
use super::subjects::Subject;
use super::tail;

/// How many bytes of the log are read at once.
const READ_BYTES: usize = 2 << 20;
/// How many envelopes are indexed in one transaction at the most.
const BATCH: usize = 2_048;
/// With this many envelopes left after a transaction the indexer goes on without a pause. A
/// transaction costs by the pages it touches, and in a small one few envelopes share a page.
const ENOUGH: usize = 1_024;
/// How many envelopes are read again for a rebuilding before new ones may come in.
const REBUILT: usize = 512;
/// How long the indexer lets envelopes gather when nobody waits for them.
const GATHER: Duration = Duration::from_millis(50);
/// How long the indexer waits before it tries again what failed.
const AGAIN: Duration = Duration::from_secs(1);
/// With more pairs of followers and authors than this, all followers look for themselves.
const PAIRS: usize = 100_000;

/// The indexer's thread.
pub struct Indexer {
    thread: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl Indexer {
    /// Starts feeding `views` from the node's log.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(node: Arc<Node>, views: Views) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::Builder::new()
            .name("rialto-indexer".into())
            .spawn(move || {
                let reader = node.new_reader();
                let news = views.reader();
                (Feed {
                    node,
                    views,
                    reader,
                    news,
                    sums_left: true,
                    taken: Instant::now(),
                })
                .run(&stopped);
            })?;
        Ok(Self {
            thread: Some(thread),
            stop,
        })
    }

    /// Stops feeding. Blocks until the last transaction is done.
    pub fn stop(mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the indexer ended badly; the views are checked at the next start");
        }
    }
}

struct Feed {
    node: Arc<Node>,
    views: Views,
    reader: Box<dyn LogReader>,
    /// For what followers have to be told.
    news: ViewReader,
    /// Whether there may be spans of the accounts to roll up.
    sums_left: bool,
    /// When new envelopes were last taken in.
    taken: Instant,
}

impl Feed {
    /// Feeds until told to stop. What fails is tried again: a full disk may be freed, a limit raised.
    /// Meanwhile the realm is not ready and says why.
    fn run(&mut self, stop: &AtomicBool) {
        self.node.hub().wake_me();
        self.node.hub().set_indexed(self.views.position());
        for domain in self.views.rebuilding() {
            tracing::info!(%domain, "this version keeps other rows than the one before");
        }
        let mut failing = None;
        while !stop.load(Ordering::SeqCst) {
            let trouble = self.step(stop).err();
            if trouble != failing {
                self.tell(trouble.as_ref());
                self.node.health().set_views(trouble.clone());
                failing = trouble;
            }
            if failing.is_some() {
                self.reader = self.node.new_reader();
                pause(AGAIN, stop);
            }
        }
    }

    fn tell(&self, trouble: Option<&Trouble>) {
        let position = self.views.position();
        match trouble {
            Some(Trouble { detail, .. }) => tracing::error!(position, why = %detail,
                "the views are not being updated; if their file is damaged, stop the server and delete views.db"),
            None => tracing::info!(position, "the views go on"),
        }
    }

    /// Waits until something is due, and does it: new envelopes first, then some of what is being rebuilt,
    /// then a sum of the accounts.
    fn step(&mut self, stop: &AtomicBool) -> Result<(), Trouble> {
        self.gather(stop);
        if self.is_time() {
            self.take_in_new()?;
        }
        self.rebuild()?;
        if self.sums_left {
            let rolled = self.views.roll_up();
            self.sums_left = rolled.map_err(|error| Trouble::of(Code::ViewsStopped, &error))?;
        }
        Ok(())
    }

    /// Reads some of the log again for the domains that are being rebuilt. New envelopes come in between.
    fn rebuild(&mut self) -> Result<(), Trouble> {
        let Some(next) = self.views.rebuilds_from() else {
            return Ok(());
        };
        let before = self.views.rebuilding();
        let batch = self.read_back(next).map_err(|error| {
            self.node.health().met(&error);
            Trouble::of(error.code(), &error)
        })?;
        for part in batch.chunks(REBUILT) {
            let taken = self.views.rebuild(part);
            taken.map_err(|error| Trouble::of(Code::ViewsStopped, &error))?;
            if self.is_time() {
                self.take_in_new()?;
            }
        }
        let after = self.views.rebuilding();
        for done in before {
            if !after.iter().any(|domain| domain.domain == done.domain) {
                tracing::info!(domain = done.domain, "lists are rebuilt");
                self.sums_left = true;
            }
        }
        Ok(())
    }

    /// Indexes new envelopes, unless they have to wait for what every list needs.
    fn take_in_new(&mut self) -> Result<(), Trouble> {
        let next = self.views.position() + 1;
        if next > self.node.hub().durable() || self.views.waits() {
            return Ok(());
        }
        (self.sums_left, self.taken) = (true, Instant::now());
        let batch = match self.node.tail().batch(next) {
            Some(_) => self.kept_in_memory(next),
            None => self.read_back(next),
        };
        let batch = batch.map_err(|error| {
            self.node.health().met(&error);
            Trouble::of(error.code(), &error)
        })?;
        for part in batch.chunks(BATCH) {
            let before = self.views.position();
            let applied = self.views.apply(part);
            applied.map_err(|error| Trouble::of(Code::ViewsStopped, &error))?;
            self.node.hub().set_indexed(self.views.position());
            if let Err(error) = self.tell_followers(part, before) {
                if !matches!(error, ViewError::Rebuilding(_)) {
                    tracing::warn!(%error, "who follows what could not be read: everybody looks");
                }
                self.node.hub().subjects().tell_all();
            }
        }
        Ok(())
    }

    /// Wakes those that follow what came after a position. Looks only for what somebody follows.
    fn tell_followers(&self, batch: &[Indexed], before: u64) -> Result<(), ViewError> {
        let subjects = self.node.hub().subjects();
        subjects.tell(Subject::Realm, before);
        let social = |event: &Event| matches!(event, Event::Social(_));
        if batch
            .iter()
            .any(|one| one.envelope.events.iter().any(social))
        {
            subjects.tell(Subject::Square, before);
        }
        let mut viewers = subjects.followed(viewer);
        // What moderators see stands in no table of whom it concerns: whoever follows looks.
        if !batch.iter().any(is_of_moderation) {
            viewers = self.news.concerned_after(viewers, before)?;
        }
        for scope in viewers {
            let subject = match scope {
                Scope::Owner(owner) => Subject::Owner(owner),
                Scope::Agent(agent) => Subject::Agent(agent),
                Scope::Realm => Subject::Realm,
            };
            subjects.tell(subject, before);
        }
        if subjects
            .followed(|subject| is_of_posts(subject).then_some(()))
            .is_empty()
        {
            return Ok(());
        }
        let touched = self.news.posts_touched(before)?;
        if touched.authors.is_empty() {
            return Ok(());
        }
        subjects.tell(Subject::Posts, before);
        for community in &touched.communities {
            subjects.tell(Subject::Community(*community), before);
        }
        let mut readers = subjects.followed(|subject| match subject {
            Subject::Following(agent) => Some(agent),
            _ => None,
        });
        if readers.len().saturating_mul(touched.authors.len()) <= PAIRS {
            readers = self.news.following_any(readers, &touched.authors)?;
        }
        for agent in readers {
            subjects.tell(Subject::Following(agent), before);
        }
        Ok(())
    }

    /// Whether new envelopes have gathered for as long as they may.
    fn is_time(&self) -> bool {
        self.is_due() || self.taken.elapsed() >= GATHER
    }

    /// Whether there is work besides new envelopes.
    fn has_work(&self) -> bool {
        self.views.rebuilds_from().is_some() || self.sums_left
    }

    /// Sleeps until it is time for a transaction. Other wake-ups do not shorten the sleep.
    fn gather(&self, stop: &AtomicBool) {
        let until = Instant::now() + GATHER;
        while !self.is_due() && !self.has_work() && !stop.load(Ordering::SeqCst) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::park_timeout(left);
        }
    }

    fn is_due(&self) -> bool {
        let (hub, position) = (self.node.hub(), self.views.position());
        hub.durable().saturating_sub(position) >= ENOUGH as u64 || hub.is_wanted_beyond(position)
    }

    fn kept_in_memory(&self, next: u64) -> Result<Vec<Indexed>, BootError> {
        let mut batch = Vec::new();
        let mut position = next;
        while let Some(kept) = self.node.tail().batch(position) {
            let last = kept.frame.first + kept.frame.envelopes.len() as u64 - 1;
            batch.extend(self.frame(&kept, position, last)?);
            position = last + 1;
            if batch.len() >= BATCH || position > self.node.hub().durable() {
                break;
            }
        }
        Ok(batch)
    }

    fn frame(&self, kept: &Batch, from: u64, last: u64) -> Result<Vec<Indexed>, BootError> {
        let seen = (from..=last).map(|position| tail::seen_in(kept, position));
        seen.map(|seen| {
            seen.map(|s| Indexed {
                envelope: s.envelope,
                contents: s
                    .contents
                    .into_iter()
                    .map(|c| (ContentId(c.id), c.bytes))
                    .collect(),
            })
        })
        .collect()
    }

    /// Reads the log from a position: what is not in memory any more, and what a rebuilding takes in again.
    fn read_back(&mut self, next: u64) -> Result<Vec<Indexed>, BootError> {
        read_back(self.reader.as_mut(), next)
    }
}

/// Some envelopes of the log from a position on, with their contents.
fn read_back(reader: &mut dyn LogReader, next: u64) -> Result<Vec<Indexed>, BootError> {
    let mut batch = Vec::new();
    for frame in reader.read_from(next, READ_BYTES)? {
        for (position, facts) in (frame.first..).zip(&frame.envelopes) {
            if position < next {
                continue;
            }
            let envelope = decode(position, facts)?;
            let contents = tail::checked_contents(reader, &envelope)?;
            let contents = contents.into_iter().map(|c| (ContentId(c.id), c.bytes));
            let contents = contents.collect();
            batch.push(Indexed { envelope, contents });
        }
    }
    Ok(batch)
}

/// Brings the views of a realm that is not served up to a position of its log.
pub(super) fn catch_up(
    views: &mut Views,
    reader: &mut dyn LogReader,
    until: u64,
) -> Result<(), BootError> {
    let ended = |position| BootError::Corrupt {
        position,
        what: "the log ends before its head",
    };
    while let Some(next) = views.rebuilds_from() {
        let batch = read_back(reader, next)?;
        if batch.is_empty() {
            return Err(ended(next));
        }
        for part in batch.chunks(REBUILT) {
            views.rebuild(part).map_err(BootError::Views)?;
        }
    }
    while views.position() < until {
        let next = views.position() + 1;
        let batch = read_back(reader, next)?;
        if batch.is_empty() {
            return Err(ended(next));
        }
        for part in batch.chunks(BATCH) {
            views.apply(part).map_err(BootError::Views)?;
        }
    }
    Ok(())
}

/// The viewer whose concerns are followed, if a subject is one's.
fn viewer(subject: Subject) -> Option<Scope> {
    match subject {
        Subject::Owner(owner) => Some(Scope::Owner(owner)),
        Subject::Agent(agent) => Some(Scope::Agent(agent)),
        _ => None,
    }
}

fn is_of_moderation(indexed: &Indexed) -> bool {
    let of_it = |event: &Event| {
        matches!(
            event,
            Event::Social(
                SocialEvent::Reported { .. }
                    | SocialEvent::ReportsEnded { .. }
                    | SocialEvent::MeasureTaken { .. }
                    | SocialEvent::MeasureRevoked { .. }
                    | SocialEvent::Appealed { .. }
                    | SocialEvent::AppealDecided { .. }
            )
        )
    };
    indexed.envelope.events.iter().any(of_it)
}

fn is_of_posts(subject: Subject) -> bool {
    matches!(
        subject,
        Subject::Posts | Subject::Community(_) | Subject::Following(_)
    )
}

/// Sleeps for a time, or until told to stop.
fn pause(time: Duration, stop: &AtomicBool) {
    let until = Instant::now() + time;
    while !stop.load(Ordering::SeqCst) {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::park_timeout(left);
    }
}

//! Feeds the views from the log, after the writer and without slowing it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rialto_core::id::ContentId;
use rialto_core::reject::Code;
use rialto_journal::{Frame, LogReader};
use rialto_views::{Indexed, Views};

use super::boot::{BootError, decode};
use super::health::Trouble;
use super::pipeline::Node;
use super::tail;

/// How many bytes of the log are read at once.
const READ_BYTES: usize = 2 << 20;
/// How many envelopes are indexed in one transaction at the most.
const BATCH: usize = 2_048;
/// With this many envelopes left after a transaction the indexer goes on without a pause. A
/// transaction costs by the pages it touches, and in a small one few envelopes share a page.
const ENOUGH: usize = 1_024;
/// How long the indexer lets envelopes gather when nobody waits for them.
const GATHER: Duration = Duration::from_millis(50);
/// How long the indexer waits before it tries again what failed.
const AGAIN: Duration = Duration::from_secs(1);

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
                (Feed {
                    node,
                    views,
                    reader,
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
}

impl Feed {
    /// Feeds until told to stop. What fails is tried again: a full disk may be freed, a limit raised.
    /// Meanwhile the realm is not ready and says why.
    fn run(&mut self, stop: &AtomicBool) {
        self.node.hub().wake_me();
        self.node.hub().set_indexed(self.views.position());
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

    /// Waits until something is due, and indexes it.
    fn step(&mut self, stop: &AtomicBool) -> Result<(), Trouble> {
        self.gather(stop);
        let next = self.views.position() + 1;
        if next > self.node.hub().durable() {
            return Ok(());
        }
        let batch = match self.node.tail().frame(next) {
            Some(_) => self.kept_in_memory(next),
            None => self.read_back(next),
        };
        let batch = batch.map_err(|error| {
            self.node.health().met(&error);
            Trouble::of(error.code(), &error)
        })?;
        for part in batch.chunks(BATCH) {
            let applied = self.views.apply(part);
            applied.map_err(|error| Trouble::of(Code::ViewsStopped, &error))?;
            self.node.hub().set_indexed(self.views.position());
        }
        Ok(())
    }

    /// Sleeps until it is time for a transaction. Other wake-ups do not shorten the sleep.
    fn gather(&self, stop: &AtomicBool) {
        let until = Instant::now() + GATHER;
        while !self.is_due() && !stop.load(Ordering::SeqCst) {
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
        while let Some(frame) = self.node.tail().frame(position) {
            let last = frame.first + frame.envelopes.len() as u64 - 1;
            batch.extend(self.frame(&frame, position, last)?);
            position = last + 1;
            if batch.len() >= BATCH || position > self.node.hub().durable() {
                break;
            }
        }
        Ok(batch)
    }

    fn frame(&self, frame: &Frame, from: u64, last: u64) -> Result<Vec<Indexed>, BootError> {
        let seen = (from..=last).map(|position| tail::seen_in(frame, position));
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

    fn read_back(&mut self, next: u64) -> Result<Vec<Indexed>, BootError> {
        let mut batch = Vec::new();
        for frame in self.reader.read_from(next, READ_BYTES)? {
            for (position, facts) in (frame.first..).zip(&frame.envelopes) {
                if position < next {
                    continue;
                }
                let envelope = decode(position, facts)?;
                let contents = tail::checked_contents(self.reader.as_mut(), &envelope)?;
                let contents = contents.into_iter().map(|c| (ContentId(c.id), c.bytes));
                let contents = contents.collect();
                batch.push(Indexed { envelope, contents });
            }
        }
        Ok(batch)
    }
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

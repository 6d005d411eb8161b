//! Reads the log again while the server runs, so that damage is noticed before somebody needs the
//! data.
//!
//! Reads frame by frame, verifies each against its checksum and its place in the chain and each content
//! against the hash that its fact names, at a stated pace, from the first position that is not archived
//! to the head; rests; and begins again. Never writes, and stops at the first damage: the rest waits for a restored backup.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rialto_journal::{LogReader, StoredFrame};

use super::boot::{BootError, decode};
use super::pipeline::Node;
use super::tail::checked_contents;

/// Facts read at a time, in bytes.
const STEP_BYTES: usize = 1 << 20;

/// How fast the log is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Bytes of facts and contents a second.
    pub bytes_per_second: u64,
    /// How long to rest between the end of a pass and the next one.
    pub rest: Duration,
}

impl Default for Pace {
    /// 8 MiB a second, and an hour of rest.
    fn default() -> Self {
        Self {
            bytes_per_second: 8 << 20,
            rest: Duration::from_secs(3_600),
        }
    }
}

/// The thread that walks.
pub struct Patrol {
    thread: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl Patrol {
    /// Starts walking the node's log.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(node: Arc<Node>, pace: Pace) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let walk = Walk {
            node,
            pace,
            stop: stop.clone(),
        };
        let thread = std::thread::Builder::new()
            .name("rialto-patrol".into())
            .spawn(move || walk.run())?;
        Ok(Self {
            thread: Some(thread),
            stop,
        })
    }

    /// Stops walking. Blocks until the step under way is done.
    pub fn stop(mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("the patrol of the log ended badly");
            }
        }
    }
}

struct Walk {
    node: Arc<Node>,
    pace: Pace,
    stop: Arc<AtomicBool>,
}

impl Walk {
    fn run(&self) {
        while !self.is_stopped() {
            match self.pass() {
                Ok(()) => {}
                Err(error) => {
                    self.node.health().met(&error);
                    if self.node.health().damage().is_some() {
                        return;
                    }
                    tracing::warn!(%error, "the log could not be checked; it is tried again");
                }
            }
            self.rest(self.pace.rest);
        }
    }

    /// Reads the log as it is now. Each time with a new reader, so that no cached page hides a
    /// change on disk.
    fn pass(&self) -> Result<(), BootError> {
        let mut reader = self.node.new_reader();
        let end = self.node.hub().durable();
        let mut next = reader.base()?.map_or(0, |base| base.last) + 1;
        while next <= end {
            let began = Instant::now();
            let frames = reader.read_from(next, STEP_BYTES)?;
            let Some(last) = frames.last().map(StoredFrame::last) else {
                return Err(BootError::Corrupt {
                    position: next,
                    what: "the log ends before its head",
                });
            };
            let mut bytes = 0;
            for frame in &frames {
                bytes += self.frame(reader.as_mut(), frame)?;
            }
            next = last + 1;
            self.node.health().set_checked(last);
            self.keep_pace(bytes, began);
            if self.is_stopped() {
                return Ok(());
            }
        }
        self.node.health().passed();
        Ok(())
    }

    /// Checks the contents that the facts of a frame name; returns how many bytes they were.
    fn frame(&self, reader: &mut dyn LogReader, frame: &StoredFrame) -> Result<u64, BootError> {
        let mut bytes = 0;
        for (position, facts) in (frame.first..).zip(&frame.envelopes) {
            let envelope = decode(position, facts)?;
            let contents = checked_contents(reader, &envelope)?;
            let size: usize = contents.iter().map(|content| content.bytes.len()).sum();
            bytes += (facts.len() + size) as u64;
        }
        Ok(bytes)
    }

    fn keep_pace(&self, bytes: u64, began: Instant) {
        let due_us = bytes.saturating_mul(1_000_000) / self.pace.bytes_per_second.max(1);
        self.rest(Duration::from_micros(due_us).saturating_sub(began.elapsed()));
    }

    /// Sleeps, but not longer than until it is told to stop.
    fn rest(&self, time: Duration) {
        let until = Instant::now() + time;
        while !self.is_stopped() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::park_timeout(left);
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

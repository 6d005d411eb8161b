//! The syncer: the one thread that journals. Answers leave when their frame is durable; what fails is never
//! retried.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use rialto_journal::{Frame, Head, Journal, JournalError};

use super::boot::BootError;
use super::keeper::{Keeper, Kept};
use super::mailbox::{Line, Mailbox};
use super::pipeline::{Job, Mail, Posted, Shared};
use super::tail::names_of;

/// The thread that journals.
pub(super) struct Syncer {
    pub(super) journal: Box<dyn Journal>,
    pub(super) shared: Arc<Shared>,
    pub(super) writer: Arc<Mailbox<Posted>>,
    pub(super) keeper: Keeper,
}

impl Syncer {
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            if let Err(error) = self.sync(job) {
                tracing::error!(%error, "the log cannot be written; the node stops and nothing is retried");
                break;
            }
            self.shared.syncing.store(false, Ordering::SeqCst);
            // A writer that has ended needs no signal.
            let _ = self.writer.put(Line::Node, 0, Mail::Synced.into());
        }
        self.keeper.finish();
    }

    /// Waiters learn of a failure when the job is dropped, so the failure is recorded before.
    fn sync(&mut self, job: Job) -> Result<(), JournalError> {
        let head = self
            .append(job.batch.as_ref().map(|batch| &batch.frame))
            .inspect_err(|error| self.shared.fail(error))?;
        drop(job.staged);
        if let Some(batch) = job.batch {
            self.shared.tail.push(batch);
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
        let names = match names_of(self.journal.reader().as_mut(), ids) {
            Ok(names) => names,
            Err(BootError::Journal(error)) => return Err(error),
            // The log is damaged where they were said. The next start tries again.
            Err(error) => {
                tracing::error!(%error, "contents could not be erased");
                return Err(JournalError::Poisoned);
            }
        };
        match self.journal.erase(&names) {
            // A long read stood in the way of the last step; the next erasure finishes it.
            Ok(_) | Err(JournalError::EraseIncomplete) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

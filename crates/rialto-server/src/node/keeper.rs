//! Keeps the entity table: the snapshot to start from, and the digest of the state.
//!
//! It runs after the log: a batch reaches it only when its position is durable.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rialto_journal::entities::{EntityState, EntityStore, Upsert};
use rialto_journal::{Hash, JournalError};
use tokio::sync::oneshot;

/// How many batches may wait. Past that the writer goes on collecting instead.
const WAITING: usize = 4;

/// The touched entities up to a position, encoded as of that position.
pub(super) struct Kept {
    pub(super) position: u64,
    pub(super) chain: Hash,
    pub(super) upserts: Vec<Upsert>,
    pub(super) told: Vec<oneshot::Sender<EntityState>>,
}

/// The keeper's thread, and the way to it.
pub(super) struct Keeper {
    pub(super) batches: SyncSender<Kept>,
    thread: JoinHandle<()>,
}

impl Keeper {
    pub(super) fn start(mut store: Box<dyn EntityStore>) -> std::io::Result<Self> {
        let (batches, receiver) = sync_channel(WAITING);
        let thread = std::thread::Builder::new()
            .name("rialto-keeper".into())
            .spawn(move || keep(store.as_mut(), &receiver))?;
        Ok(Self { batches, thread })
    }

    /// Waits until everything handed over is kept.
    pub(super) fn finish(self) {
        drop(self.batches);
        if self.thread.join().is_err() {
            tracing::error!(
                "the keeper of the entity table ended badly; it is rebuilt at the next start"
            );
        }
    }
}

fn keep(store: &mut dyn EntityStore, batches: &Receiver<Kept>) {
    let mut failed = false;
    while let Ok(batch) = batches.recv() {
        // The table can always be rebuilt from the log, so a failure here stops nothing else.
        if !failed && let Err(error) = apply(store, &batch) {
            failed = true;
            tracing::error!(%error, "the entity table cannot be written; the next start replays the log");
        }
        for told in batch.told.into_iter().filter(|_| !failed) {
            // Nobody may be waiting any more.
            let _ = told.send(store.state());
        }
    }
}

fn apply(store: &mut dyn EntityStore, batch: &Kept) -> Result<(), JournalError> {
    store
        .apply(batch.position, batch.chain, &batch.upserts)
        .map(|_| ())
}

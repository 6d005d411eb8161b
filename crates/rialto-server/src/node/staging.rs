//! Stores the large texts of a command before it is decided.
//!
//! After a decision, a file that cannot be written would stop the node; before it, only the command
//! is refused. Bounds how many requests do this at the same time, and so how many files they have
//! open.

use rialto_journal::{JournalError, Stage, Staged};
use tokio::sync::Semaphore;

use super::engine::Ask;
use super::pipeline::Failure;

/// How many requests store their large texts at the same time, each with one open file.
const AT_ONCE: usize = 16;

/// An ask whose large texts are on disk, and the files.
pub(super) type Ready = (Ask, Vec<Staged>);

/// The way of large texts to the disk.
pub(super) struct Staging {
    /// None where the journal needs no files.
    stage: Option<Stage>,
    places: Semaphore,
}

fn is_large(content: &&([u8; 16], Vec<u8>)) -> bool {
    Stage::takes(content.1.len())
}

impl Staging {
    pub(super) fn new(stage: Option<Stage>) -> Self {
        Self {
            stage,
            places: Semaphore::new(AT_ONCE),
        }
    }

    /// Stores the large texts of an ask, if it has any.
    pub(super) async fn of(&self, ask: Ask) -> Result<Ready, Failure> {
        let large = ask.contents.iter().any(|content| is_large(&content));
        let Some(stage) = self.stage.clone().filter(|_| large) else {
            return Ok((ask, Vec::new()));
        };
        let place = self.places.acquire().await;
        let _place = place.map_err(|_| Failure::Draining)?;
        let work = tokio::task::spawn_blocking(move || {
            let large = ask.contents.iter().filter(is_large);
            let staged = large.map(|(salt, bytes)| stage.put(salt, bytes));
            let staged: Result<Vec<Staged>, JournalError> = staged.collect();
            staged.map(|staged| (ask, staged))
        });
        let stored = work.await.map_err(|_| Failure::NotStored)?;
        stored.map_err(|error| {
            tracing::warn!(%error, "a large text could not be stored; its command is refused");
            Failure::NotStored
        })
    }

    /// The same for many, in order; and the places of those that are refused, ascending.
    pub(super) async fn of_all(&self, asks: Vec<Ask>) -> (Vec<Ready>, Vec<(usize, Failure)>) {
        let (mut ready, mut refused) = (Vec::with_capacity(asks.len()), Vec::new());
        for (place, ask) in asks.into_iter().enumerate() {
            match self.of(ask).await {
                Ok(stored) => ready.push(stored),
                Err(failure) => refused.push((place, failure)),
            }
        }
        (ready, refused)
    }
}

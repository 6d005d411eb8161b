//! Stages the texts of a command before it is decided: encrypted, and the large ones on disk.
//!
//! After a decision, a file that cannot be written would stop the node; before it, only the command
//! is refused. Bounds how many requests write files at the same time, and so how many they have
//! open.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rialto_journal::contents::is_large;
use rialto_journal::{Contents, JournalError, Staged};
use rialto_wire::body::content_hash;
use tokio::sync::Semaphore;

use super::engine::Ask;
use super::pipeline::Failure;

/// How many requests store their large texts at the same time, each with one open file.
const AT_ONCE: usize = 16;

/// An ask, and its texts as they are staged.
pub(super) type Ready = (Ask, Vec<Staged>);

/// The way of texts to the journal.
pub(super) struct Staging {
    contents: Contents,
    places: Semaphore,
    preparing: Arc<AtomicBool>,
}

/// Stages the texts of an ask. Blocks if one is large.
///
/// # Errors
/// As [`Contents::put`]; nothing stays staged then.
pub fn stage(contents: &Contents, ask: &Ask) -> Result<Vec<Staged>, JournalError> {
    let put = |(salt, bytes): &([u8; 16], Vec<u8>)| {
        contents.put(content_hash(salt, bytes).bytes(), salt, bytes)
    };
    ask.contents.iter().map(put).collect()
}

impl Staging {
    pub(super) fn new(contents: Contents) -> Self {
        Self {
            contents,
            places: Semaphore::new(AT_ONCE),
            preparing: Arc::default(),
        }
    }

    /// Stages the texts of an ask, if it has any.
    pub(super) async fn of(&self, ask: Ask) -> Result<Ready, Failure> {
        if ask.contents.is_empty() {
            return Ok((ask, Vec::new()));
        }
        self.prepare();
        let staged = if ask.contents.iter().any(|(_, bytes)| is_large(bytes.len())) {
            let place = self.places.acquire().await;
            let _place = place.map_err(|_| Failure::Draining)?;
            let contents = self.contents.clone();
            let work = move || stage(&contents, &ask).map(|staged| (ask, staged));
            let work = tokio::task::spawn_blocking(work);
            work.await.map_err(|_| Failure::NotStored)?
        } else {
            stage(&self.contents, &ask).map(|staged| (ask, staged))
        };
        staged.map_err(|error| {
            tracing::warn!(%error, "a text could not be stored; its command is refused");
            Failure::NotStored
        })
    }

    /// Sees to it that keys are at hand, beside what goes on. If it fails, whoever needs a key
    /// tries again and learns why.
    fn prepare(&self) {
        if !self.contents.runs_low() || self.preparing.swap(true, Ordering::SeqCst) {
            return;
        }
        let (contents, preparing) = (self.contents.clone(), self.preparing.clone());
        tokio::task::spawn_blocking(move || {
            let prepared = contents.prepare();
            preparing.store(false, Ordering::SeqCst);
            if let Err(error) = prepared {
                tracing::warn!(%error, "no keys for texts could be stored");
            }
        });
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

//! The entity table: snapshot and digest of the state at one position of the log.
//!
//! An entity is an opaque key with an opaque value. The table is written in the background, a
//! batch at a time, each batch naming the position it brings the table to; after a crash it stands
//! at the position of some batch, whole. It can be deleted and rebuilt from the log at any time.
//! Never decides what an entity is, and never reads the log: whoever loads it checks that
//! `position` and `chain` lie on the log at hand ([`crate::LogReader::read_from`] gives the frame
//! that ends there).

mod batch;
mod index;
mod memory;
mod sqlite;

pub use memory::MemoryEntities;
pub use sqlite::{MAX_BATCH_BYTES, SqliteEntities};

use crate::digest::Digest;
use crate::{Hash, JournalError, Position};

/// A change of one entity: key, and its new value or `None` to remove it.
pub type Upsert = (Vec<u8>, Option<Vec<u8>>);

/// The position and chain of the entity table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EntityState {
    /// Position in the log up to which the table is brought.
    pub position: Position,
    /// Chain hash of the log there.
    pub chain: Hash,
    /// Sum of the entities' hashes, see [`crate::digest`].
    pub digest: Digest,
    /// Number of entities.
    pub count: u64,
}

/// Holds the entities, their digest, and the position that both belong to.
pub trait EntityStore: Send {
    /// The position and chain of the table; all zero when new.
    fn state(&self) -> EntityState;

    /// Applies changes in order (the last one to a key wins) and moves to `position`, where the
    /// log's chain hash is `chain`: all of it, or on error nothing.
    ///
    /// # Errors
    /// `Invalid` when `position` lies before the table's; `StorageFull`, `Corrupt`, `Io`.
    fn apply(
        &mut self,
        position: Position,
        chain: Hash,
        upserts: &[Upsert],
    ) -> Result<EntityState, JournalError>;

    /// Visits every entity (key, value) once, in no particular order. Recomputes the digest on the
    /// way.
    ///
    /// # Errors
    /// `Corrupt` when the entities do not add up to the digest (some have been visited by then).
    fn load(&mut self, visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<EntityState, JournalError>;

    /// Removes all entities and returns to position 0.
    ///
    /// # Errors
    /// `StorageFull`, `Io`.
    fn reset(&mut self) -> Result<(), JournalError>;
}

/// A batch may not lead back in the log.
fn check_forward(state: &EntityState, position: Position) -> Result<(), JournalError> {
    if position >= state.position {
        return Ok(());
    }
    let at = state.position;
    Err(JournalError::invalid(format!(
        "entities of position {position} after those of {at}"
    )))
}

/// Compares what was counted while loading with what the table claims.
fn check_sum(state: &EntityState, digest: Digest, count: u64) -> Result<EntityState, JournalError> {
    if (digest, count) == (state.digest, state.count) {
        return Ok(*state);
    }
    Err(JournalError::corrupt(
        state.position,
        "the entity table does not add up to its digest",
    ))
}

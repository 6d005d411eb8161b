//! The entity table in memory, for tests and for realms that keep nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{EntityState, EntityStore, Upsert};
use crate::digest::{Digest, entity_hash};
use crate::{Hash, JournalError, Position};

/// An entity table that clones share, so that a simulated node finds it again after a crash.
#[derive(Clone, Debug, Default)]
pub struct MemoryEntities(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    entities: BTreeMap<Vec<u8>, Vec<u8>>,
    state: EntityState,
}

impl MemoryEntities {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn put(&mut self, key: &[u8], value: Option<&Vec<u8>>) {
        let old = match value {
            Some(value) => {
                self.state.digest.add(&entity_hash(key, value));
                self.entities.insert(key.to_vec(), value.clone())
            }
            None => self.entities.remove(key),
        };
        if let Some(old) = old {
            self.state.digest.sub(&entity_hash(key, &old));
        }
    }
}

impl EntityStore for MemoryEntities {
    fn state(&self) -> EntityState {
        self.lock().state
    }

    fn apply(
        &mut self,
        position: Position,
        chain: Hash,
        upserts: &[Upsert],
    ) -> Result<EntityState, JournalError> {
        let mut table = self.lock();
        super::check_forward(&table.state, position)?;
        for (key, value) in upserts {
            table.put(key, value.as_ref());
        }
        let count = table.entities.len() as u64;
        table.state = EntityState {
            position,
            chain,
            digest: table.state.digest,
            count,
        };
        Ok(table.state)
    }

    fn load(&mut self, visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<EntityState, JournalError> {
        let table = self.lock();
        let mut digest = Digest::default();
        for (key, value) in &table.entities {
            digest.add(&entity_hash(key, value));
            visit(key, value);
        }
        super::check_sum(&table.state, digest, table.entities.len() as u64)
    }

    fn reset(&mut self) -> Result<(), JournalError> {
        *self.lock() = Table::default();
        Ok(())
    }
}

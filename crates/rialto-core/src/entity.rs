//! Entities: the unit of the snapshot and of the state digest.
//!
//! Every piece of state that a future decision needs is an entity with a typed key and a canonical
//! encoding. A [`Store`] holds the entities of one kind and notes in [`Changes`] which were touched
//! and when each is next due, so that the snapshot, the digest and the clock need no second list.
//! Which tables there are stands in [`crate::modules`].

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::hash::Hash;

use minicbor::{Decode, Encode};

use crate::ctx::Ctx;
use crate::hash::Short;
use crate::id::{AgentId, OwnerId};
use crate::index::Index;
use crate::noun::Noun;
use crate::reject::Rejection;
use crate::state::State;
use crate::table::Table;
use crate::time::Time;

/// The most bytes a key has, after its kind.
const KEY_BYTES: usize = 24;

/// The key of an entity of any kind: a kind byte, then the key's bytes in sortable order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityKey {
    kind: u8,
    bytes: [u8; KEY_BYTES],
    len: u8,
}

impl EntityKey {
    fn new(kind: u8) -> Self {
        Self {
            kind,
            bytes: [0; KEY_BYTES],
            len: 0,
        }
    }

    fn push(&mut self, more: &[u8]) {
        for byte in more {
            if let Some(place) = self.bytes.get_mut(usize::from(self.len)) {
                *place = *byte;
                self.len += 1;
            }
        }
    }

    /// The kind of entity.
    #[must_use]
    pub fn kind(&self) -> u8 {
        self.kind
    }

    /// The key as it is stored: the kind, then the key's bytes.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1 + usize::from(self.len));
        out.push(self.kind);
        out.extend_from_slice(self.tail());
        out
    }

    /// Reads a stored key.
    #[must_use]
    pub fn from_slice(stored: &[u8]) -> Option<Self> {
        let (kind, tail) = stored.split_first()?;
        if tail.len() > KEY_BYTES {
            return None;
        }
        let mut key = Self::new(*kind);
        key.push(tail);
        Some(key)
    }

    fn tail(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&[])
    }

    /// The typed key, if the bytes are one.
    #[must_use]
    pub fn typed<K: Key>(&self) -> Option<K> {
        let (key, rest) = K::read(self.tail())?;
        rest.is_empty().then_some(key)
    }
}

/// A typed key that can be written into an [`EntityKey`] and read back.
pub trait Key: Copy + Eq + Ord + Hash {
    /// Appends the key's bytes.
    fn write(&self, out: &mut EntityKey);
    /// Reads a key off the front and returns the rest.
    fn read(bytes: &[u8]) -> Option<(Self, &[u8])>;
}

impl Key for () {
    fn write(&self, _: &mut EntityKey) {}
    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        Some(((), bytes))
    }
}

impl Key for u8 {
    fn write(&self, out: &mut EntityKey) {
        out.push(&[*self]);
    }
    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        bytes.split_first().map(|(first, rest)| (*first, rest))
    }
}

impl Key for u64 {
    fn write(&self, out: &mut EntityKey) {
        out.push(&self.to_be_bytes());
    }
    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (head, rest) = bytes.split_first_chunk::<8>()?;
        Some((u64::from_be_bytes(*head), rest))
    }
}

impl Key for Short {
    fn write(&self, out: &mut EntityKey) {
        out.push(self.0.as_slice());
    }
    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (head, rest) = bytes.split_first_chunk::<16>()?;
        Some((Short((*head).into()), rest))
    }
}

impl<A: Key, B: Key> Key for (A, B) {
    fn write(&self, out: &mut EntityKey) {
        self.0.write(out);
        self.1.write(out);
    }
    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (a, rest) = A::read(bytes)?;
        let (b, rest) = B::read(rest)?;
        Some(((a, b), rest))
    }
}

/// When the clock has something to do about an entity, and what.
pub enum Due<E: Entity> {
    /// Never.
    Never,
    /// At that time, if there is one, it leaves memory. Nothing else hangs on it.
    Leaves(fn(&E) -> Option<Time>),
    /// At that time, if there is one, this is done. True when it then leaves memory as it is.
    Acts(
        fn(&E) -> Option<Time>,
        fn(&mut Ctx<'_>, E::Key) -> Result<bool, Rejection>,
    ),
}

/// Whose share of a realm-wide table an entity takes.
pub enum Charge<E: Entity> {
    /// Nobody's: there is one, or as many as of something else that is bounded.
    Nobody,
    /// An owner's.
    Owner {
        /// The most entities that the realm holds.
        most: usize,
        /// What they are called in an error.
        what: &'static str,
        /// The owner that brought it; none for what is the realm's own.
        payer: fn(&E, &E::Key, &State) -> Option<OwnerId>,
    },
    /// An owner's, in a table whose entries leave by themselves: it is known which of an owner's leave
    /// next. The rest as above; the key is a hash.
    Window {
        /// The most entities that the realm holds.
        most: usize,
        /// What they are called in an error.
        what: &'static str,
        /// The owner that brought it; none for what is the realm's own.
        payer: fn(&E, &E::Key, &State) -> Option<OwnerId>,
    },
}

/// By what an entity is found beside its key.
pub enum Lookup<E: Entity> {
    /// By nothing else.
    Key,
    /// By what this notes in the look-ups. It never leaves memory.
    ForEver(fn(&E, E::Key, &mut Index)),
    /// By what the first notes in the look-ups and the second takes out of them.
    While(fn(&E, E::Key, &mut Index), fn(&E, E::Key, &mut Index)),
}

/// Something the state holds: its key, its canonical encoding, and all that is said of its kind. It is
/// said in one place, beside the entity, and nothing of it can be left out.
pub trait Entity: Encode<()> + for<'b> Decode<'b, ()> {
    /// The kind byte. Never reused for another kind.
    const KIND: u8;
    /// The type of its key.
    type Key: Key;
    /// What the clock does about it.
    const DUE: Due<Self>;
    /// Whose share of its table it takes.
    const CHARGE: Charge<Self>;
    /// By what it is found.
    const LOOKUP: Lookup<Self>;
    /// What its lists and pages show, where they follow from its columns. Without one they are made by
    /// hand, or people never see it.
    const NOUN: Option<&'static Noun> = None;

    /// When the clock has to act on it, if ever.
    fn due(&self) -> Option<Time> {
        match Self::DUE {
            Due::Never => None,
            Due::Leaves(at) | Due::Acts(at, _) => at(self),
        }
    }
}

/// An entity with a table of its own in the state.
pub(crate) trait Stored: Entity {
    /// Its table.
    fn store(state: &State) -> &Store<Self>;
    /// Its table and what goes with it, to change.
    fn parts(state: &mut State) -> (&mut Store<Self>, &mut Changes, &mut Index);
}

/// Notes an entity in the look-ups.
pub(crate) fn note<E: Entity>(entity: &E, key: E::Key, index: &mut Index) {
    match E::LOOKUP {
        Lookup::Key => {}
        Lookup::ForEver(note) | Lookup::While(note, _) => note(entity, key, index),
    }
}

fn unnote<E: Entity>(store: &Store<E>, key: &E::Key, index: &mut Index) {
    if let Lookup::While(_, unnote) = E::LOOKUP
        && let Some(entity) = store.get(key)
    {
        unnote(entity, *key, index);
    }
}

impl State {
    /// Puts an entity into its table, found by what it is found by and charged to who brought it.
    pub(crate) fn bring<E: Stored>(&mut self, key: E::Key, entity: E) {
        self.end_charge::<E>(&key);
        self.charge(&key, &entity);
        let (store, changes, index) = E::parts(self);
        unnote(store, &key, index);
        note(&entity, key, index);
        store.put(key, entity, changes);
    }

    /// Takes an entity out of its table, if it is there.
    pub(crate) fn take<E: Stored>(&mut self, key: &E::Key) -> Option<E> {
        self.end_charge::<E>(key);
        let (store, changes, index) = E::parts(self);
        unnote(store, key, index);
        store.remove(key, changes)
    }

    /// Changes something that an entity is found by. Who pays for it stays.
    pub(crate) fn renew<E: Stored>(&mut self, key: &E::Key, change: impl FnOnce(&mut E)) {
        let (store, changes, index) = E::parts(self);
        unnote(store, key, index);
        store.modify(key, changes, change);
        if let Some(entity) = store.get(key) {
            note(entity, *key, index);
        }
    }
}

/// The full key of an entity.
pub fn key_of<E: Entity>(key: &E::Key) -> EntityKey {
    let mut full = EntityKey::new(E::KIND);
    key.write(&mut full);
    full
}

/// What evolving has changed since the last snapshot, and what the clock will have to do.
pub struct Changes {
    touched: Table<EntityKey, ()>,
    due: BTreeSet<(Time, EntityKey)>,
    delivered: Vec<AgentId>,
    defects: u64,
}

impl Changes {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            touched: Table::new(seed),
            due: BTreeSet::new(),
            delivered: Vec::new(),
            defects: 0,
        }
    }

    fn touch(&mut self, key: EntityKey) {
        self.touched.insert(key, ());
    }

    fn reschedule(&mut self, key: EntityKey, old: Option<Time>, new: Option<Time>) {
        if old == new {
            return;
        }
        if let Some(old) = old {
            self.due.remove(&(old, key));
        }
        if let Some(new) = new {
            self.due.insert((new, key));
        }
    }

    /// The first thing that is due, and when.
    #[must_use]
    pub fn next_due(&self) -> Option<(Time, EntityKey)> {
        self.due.first().copied()
    }

    /// What is due at `now`, earliest first.
    pub fn due_at(&self, now: Time) -> impl Iterator<Item = EntityKey> {
        self.due
            .iter()
            .take_while(move |(at, _)| *at <= now)
            .map(|(_, key)| *key)
    }

    /// How many entities were touched since the last call of [`Changes::take_touched`].
    #[must_use]
    pub fn touched_len(&self) -> usize {
        self.touched.len()
    }

    /// Takes the keys of the entities touched since the last call.
    pub fn take_touched(&mut self) -> Vec<EntityKey> {
        let mut keys = Vec::with_capacity(self.touched.len());
        self.touched.drain(|key, ()| keys.push(key));
        keys
    }

    pub(crate) fn deliver_to(&mut self, agent: AgentId) {
        self.delivered.push(agent);
    }

    /// Takes the agents whose inboxes grew since the last call, once for each delivery.
    pub fn take_delivered(&mut self) -> Vec<AgentId> {
        core::mem::take(&mut self.delivered)
    }

    /// How often an event named an entity that does not exist. Anything but zero means that the log
    /// is not one that this code wrote; the node stops.
    #[must_use]
    pub fn defects(&self) -> u64 {
        self.defects
    }

    pub(crate) fn defect(&mut self) {
        self.defects += 1;
    }
}

/// The entities of one kind.
pub struct Store<E: Entity> {
    table: Table<E::Key, E>,
}

impl<E: Entity> Store<E> {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            table: Table::new(seed),
        }
    }

    /// The entity with this key.
    #[must_use]
    pub fn get(&self, key: &E::Key) -> Option<&E> {
        self.table.get(key)
    }

    /// True if there is one with this key.
    #[must_use]
    pub fn contains(&self, key: &E::Key) -> bool {
        self.table.contains(key)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// True if there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Visits every entity in arbitrary order: for sums and exports only.
    pub fn for_each(&self, visit: impl FnMut(&E::Key, &E)) {
        self.table.for_each(visit);
    }

    fn put(&mut self, key: E::Key, entity: E, changes: &mut Changes) {
        let full = key_of::<E>(&key);
        let new = entity.due();
        let old = self.table.insert(key, entity).and_then(|e| e.due());
        changes.reschedule(full, old, new);
        changes.touch(full);
    }

    pub(crate) fn modify(
        &mut self,
        key: &E::Key,
        changes: &mut Changes,
        change: impl FnOnce(&mut E),
    ) {
        let Some(entity) = self.table.get_mut(key) else {
            changes.defect();
            return;
        };
        let full = key_of::<E>(key);
        let old = entity.due();
        change(entity);
        changes.reschedule(full, old, entity.due());
        changes.touch(full);
    }

    pub(crate) fn upsert(
        &mut self,
        key: E::Key,
        changes: &mut Changes,
        fresh: impl FnOnce() -> E,
        change: impl FnOnce(&mut E),
    ) {
        const {
            let plain = matches!((E::CHARGE, E::LOOKUP), (Charge::Nobody, Lookup::Key));
            assert!(plain, "what is charged or looked up comes by State::bring");
        }
        if !self.table.contains(&key) {
            self.put(key, fresh(), changes);
        }
        self.modify(&key, changes, change);
    }

    fn remove(&mut self, key: &E::Key, changes: &mut Changes) -> Option<E> {
        let entity = self.table.remove(key)?;
        let full = key_of::<E>(key);
        changes.reschedule(full, entity.due(), None);
        changes.touch(full);
        Some(entity)
    }

    /// Puts in an entity of a snapshot.
    pub(crate) fn load(&mut self, key: E::Key, entity: E, changes: &mut Changes) {
        changes.reschedule(key_of::<E>(&key), None, entity.due());
        self.table.insert(key, entity);
    }

    /// The canonical encoding of the entity with this key, if it exists.
    pub(crate) fn encode(&self, key: &EntityKey) -> Option<Vec<u8>> {
        let entity = self.get(&key.typed()?)?;
        // Encoding into a Vec cannot fail.
        minicbor::to_vec(entity).ok()
    }
}

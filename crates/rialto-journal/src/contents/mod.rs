//! Contents apart from the log: what messages, posts and profiles say, by the hash that their facts
//! name.
//!
//! - [`Contents`] takes a content in before its command is decided ([`Contents::put`]), on any
//!   thread. What it gives back is a [`Staged`]: a frame that names its hash takes it, and without
//!   one it goes away again.
//! - Each content is encrypted under a key of its own, which exists once, in the [`Keys`]. To
//!   erase a content is to erase its key: what is left of it, here and in backups, opens for nobody.
//! - A [`ContentStore`] keeps ciphertexts and knows no key. Those up to [`INLINE_BYTES`] are rows
//!   beside the frames ([`rows`]), written in the transaction of their frame: one sync for both, and
//!   no file that could stay behind. Larger ones are files ([`files`]), synced when they are staged,
//!   so that a large one stalls nobody; their frame writes a row that refers to them.
//! - That row is what makes a content wanted. It comes and goes in one transaction with the facts
//!   that name it, so what has none is an orphan: a refused command's, or a crash's between staging
//!   and frame. [`Contents::collect`] removes those.
//!
//! Keys are drawn ahead: a few thousand are made durable together, so that a content costs no sync
//! for its key.
//!
//! Never decides what is erased, never reads a fact, and never hands a ciphertext to a caller as if
//! it were a content: one that its key does not open is damage.

pub(crate) mod cipher;
pub(crate) mod files;
pub(crate) mod keys;
pub(crate) mod rows;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use keys::{Key, KeyId, Keys};

use crate::frame::MAX_CONTENT_BYTES;
use crate::{ContentId, Hash, JournalError};

/// Ciphertexts of contents above this size, in bytes, are kept in the store of large ones.
pub const INLINE_BYTES: usize = 64 << 10;

/// How a fact names a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContentName {
    /// The hash of salt and bytes, by which it is kept.
    pub hash: Hash,
    /// Its number, by which logs of the first format keep it.
    pub id: ContentId,
}

/// Where a store keeps a ciphertext. Two contents with the same bytes and salt never share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// The hash that the facts name.
    pub hash: Hash,
    /// The number of the key that it is encrypted under.
    pub key: KeyId,
}

/// Keeps ciphertexts, by hash. It can be any place that keeps bytes by name: an object store too.
pub trait ContentStore {
    /// Keeps a ciphertext. It is durable when this returns, or with the transaction that it is part
    /// of.
    ///
    /// # Errors
    /// `StorageFull`, `Io`; nothing of it is to be found then, but some may be left for
    /// [`ContentStore::each`].
    fn put(&self, slot: &Slot, sealed: &[u8]) -> Result<(), JournalError>;

    /// A ciphertext, if it is there.
    ///
    /// # Errors
    /// `Io`, `Corrupt`.
    fn get(&self, slot: &Slot) -> Result<Option<Vec<u8>>, JournalError>;

    /// Ciphertexts in the order asked for.
    ///
    /// # Errors
    /// As [`ContentStore::get`].
    fn get_many(&self, slots: &[Slot]) -> Result<Vec<Option<Vec<u8>>>, JournalError> {
        slots.iter().map(|slot| self.get(slot)).collect()
    }

    /// Removes a ciphertext if it is there.
    ///
    /// # Errors
    /// `Io`.
    fn remove(&self, slot: &Slot) -> Result<(), JournalError>;

    /// Visits everything that is kept, in any order. What is removed meanwhile may be visited too.
    ///
    /// # Errors
    /// `Io`, and as the visit's.
    fn each(
        &self,
        visit: &mut dyn FnMut(Slot) -> Result<(), JournalError>,
    ) -> Result<(), JournalError>;
}

/// A store for use on any thread.
pub type SharedStore = dyn ContentStore + Send + Sync;

/// Whether a content of so many bytes goes to the store of large ones when it is staged, which
/// takes a sync and so may block.
#[must_use]
pub fn is_large(bytes: usize) -> bool {
    bytes > INLINE_BYTES
}

/// Where contents are staged: their keys, the store of large ones, and the small ones that wait for
/// their frame. Cheap to clone.
#[derive(Clone)]
pub struct Contents(Arc<Inner>);

struct Inner {
    keys: Box<dyn Keys>,
    large: Box<SharedStore>,
    waiting: Mutex<HashMap<Hash, Vec<Waiting>>>,
}

/// A staged content as its frame takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) key: KeyId,
    pub(crate) body: Body,
}

/// Where the ciphertext of a content is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// At hand.
    Row(Vec<u8>),
    /// In the store of large ones, with so many bytes.
    Large(u64),
}

/// A content that waits for the frame that names it. Dropping it before removes it.
pub struct Staged {
    contents: Contents,
    slot: Slot,
}

impl std::fmt::Debug for Staged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Staged").field("slot", &self.slot).finish()
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        self.contents.give_up(&self.slot);
    }
}

impl std::fmt::Debug for Contents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contents").finish_non_exhaustive()
    }
}

impl Contents {
    pub(crate) fn new(keys: Box<dyn Keys>, large: Box<SharedStore>) -> Self {
        Self(Arc::new(Inner {
            keys,
            large,
            waiting: Mutex::default(),
        }))
    }

    /// Encrypts a content and keeps it until a frame that names `hash` takes it. A large one is
    /// durable when this returns; a small one becomes so with its frame.
    ///
    /// # Errors
    /// `Invalid` above [`MAX_CONTENT_BYTES`], `StorageFull`, `Io`; the content is not staged then.
    pub fn put(&self, hash: &Hash, salt: &[u8; 16], bytes: &[u8]) -> Result<Staged, JournalError> {
        if bytes.len() > MAX_CONTENT_BYTES {
            let len = bytes.len();
            return Err(JournalError::invalid(format!(
                "content of {len} bytes, {MAX_CONTENT_BYTES} allowed"
            )));
        }
        let (id, key) = self.0.keys.draw()?;
        let slot = Slot {
            hash: *hash,
            key: id,
        };
        let sealed = cipher::seal(&key, hash, salt, bytes)?;
        let body = if is_large(bytes.len()) {
            self.0.large.put(&slot, &sealed)?;
            Body::Large(sealed.len() as u64)
        } else {
            Body::Row(sealed)
        };
        let waiting = Waiting { key: id, body };
        self.waiting().entry(*hash).or_default().push(waiting);
        Ok(Staged {
            contents: self.clone(),
            slot,
        })
    }

    /// Whether so few keys are at hand that [`Contents::prepare`] is due.
    #[must_use]
    pub fn runs_low(&self) -> bool {
        self.0.keys.runs_low()
    }

    /// Makes more keys durable, which takes a sync. Without it, [`Contents::put`] does so itself
    /// when none is left.
    ///
    /// # Errors
    /// `StorageFull`, `Io`.
    pub fn prepare(&self) -> Result<(), JournalError> {
        self.0.keys.prepare()
    }

    /// Takes what is staged for a frame, or nothing at all if one of its contents is not.
    pub(crate) fn take(&self, hashes: &[Hash]) -> Result<Vec<(Hash, Waiting)>, JournalError> {
        let mut waiting = self.waiting();
        let mut taken = Vec::with_capacity(hashes.len());
        for hash in hashes {
            let found = waiting.get_mut(hash).and_then(Vec::pop);
            let Some(found) = found else {
                for (hash, back) in taken {
                    waiting.entry(hash).or_default().push(back);
                }
                return Err(JournalError::invalid(
                    "the frame names a content that is not staged",
                ));
            };
            if waiting.get(hash).is_some_and(Vec::is_empty) {
                waiting.remove(hash);
            }
            taken.push((*hash, found));
        }
        Ok(taken)
    }

    /// Forgets a staged content, unless a frame took it.
    fn give_up(&self, slot: &Slot) {
        let mut waiting = self.waiting();
        let Some(of_hash) = waiting.get_mut(&slot.hash) else {
            return;
        };
        let Some(place) = of_hash.iter().position(|one| one.key == slot.key) else {
            return;
        };
        let gone = of_hash.swap_remove(place);
        if of_hash.is_empty() {
            waiting.remove(&slot.hash);
        }
        drop(waiting);
        if matches!(gone.body, Body::Large(_)) {
            // If it cannot be removed now, the next opening of the log collects it.
            let _ = self.0.large.remove(slot);
        }
    }

    /// Removes from the store of large ones what no row refers to; gives how many. For a log that
    /// is just opened, when nothing is staged yet.
    pub(crate) fn collect(
        &self,
        is_wanted: &mut dyn FnMut(&Slot) -> Result<bool, JournalError>,
    ) -> Result<usize, JournalError> {
        let mut orphans = Vec::new();
        self.0.large.each(&mut |slot| {
            if !is_wanted(&slot)? {
                orphans.push(slot);
            }
            Ok(())
        })?;
        for slot in &orphans {
            self.0.large.remove(slot)?;
        }
        Ok(orphans.len())
    }

    pub(crate) fn keys(&self) -> &dyn Keys {
        self.0.keys.as_ref()
    }

    pub(crate) fn large(&self) -> &SharedStore {
        self.0.large.as_ref()
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<Hash, Vec<Waiting>>> {
        self.0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

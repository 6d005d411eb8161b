//! The durable log of a realm, its erasable contents, and the entity table.
//!
//! - [`Journal`] appends one [`Frame`] per commit, at an expected position, and returns only when
//!   the frame is synced. [`LogReader`] reads beside it, from any thread.
//! - [`sqlite::SqliteJournal`] keeps the log in a folder; [`memory::MemoryJournal`] keeps it in a
//!   simulated disk with scripted or seeded faults.
//! - [`entities::EntityStore`] is snapshot and digest of the state, rebuildable from the log.
//! - [`contents`] keeps what the facts name but do not hold, encrypted, each under a key of its own.
//! - [`backup`] and [`restore`] copy a log, [`verify`] walks its hash chain.
//! - A log need not keep all of its frames: whole ones leave from its beginning for a
//!   [`segment`] with a signed checkpoint ([`sqlite::SqliteJournal::archive`]). The log keeps the
//!   checkpoints and the entities of the state at the end of the last one, so it still begins with a
//!   known state; readers that are told where the segments are go on reading them.
//!
//! Facts (envelopes) are opaque bytes here, chained by BLAKE3 (see [`frame`]) and never changed.
//! Contents are stored beside them, by the hash that the facts name, and can be erased for
//! good. Who reads one compares it with that hash: this crate knows neither facts nor how they hash.
//!
//! # What is absent
//!
//! - No decisions, and no knowledge of what an envelope or an entity means.
//! - No retry of a failed write: after any failed append the journal refuses all later ones, and
//!   what is on disk is learnt by opening it anew.
//! - No second writer: the SQLite log is held by a lock file; readers need no lock.
//! - No clock, no randomness but for the keys of contents (simulated keys and fault plans are
//!   seeded), no printing, no environment.
//! - No writing by readers: opening read-only creates no file and changes neither log nor
//!   write-ahead file (SQLite's shared-memory index beside it is only coordination).
//!
//! # A data folder
//!
//! All of it is its owner's only (see [`private`]).
//!
//! | name | holds |
//! |---|---|
//! | `log.db` | frames, and the ciphertexts of contents up to 64 KiB, SQLite; the checkpoints of archived frames |
//! | `log.db-wal`, `log.db-shm` | SQLite's write-ahead file and its index; they belong to `log.db` |
//! | `log.lock` | held by the server while it runs |
//! | `contents/` | the ciphertexts of larger contents, one file each, named by hash and key number |
//! | `keys.db` | the key of each content, SQLite; without it no content can be read |
//! | `keys.db-wal`, `keys.db-shm` | as those of `log.db` |
//! | `blobs/` | only where the first format was used: its contents above 64 KiB, in the clear |
//! | `entities.db` | the entity table (name given by the caller), deletable at any time |
//!
//! A log of the first format kept contents by position and in the clear, in a table of `log.db` and
//! in `blobs/`. They stay there, are read, copied and erased there, and new ones come to `contents`.

pub mod contents;
pub mod digest;
pub mod entities;
mod error;
pub mod frame;
pub mod memory;
pub mod private;
pub mod segment;
pub mod sqlite;
mod verify;

pub use contents::{ContentName, Contents, Staged};
pub use error::JournalError;
pub use frame::{StoredFrame, content_id, content_position};
pub use segment::Checkpoint;
pub use sqlite::{BackupReport, KeysFrom, backup, refresh_keys, restore};
pub use verify::{Verification, verify};

/// Position of an envelope in the log: 1 is the first; 0 stands for the empty log.
pub type Position = u64;

/// Id of a content, see [`content_id`]: unique, and sorted by position.
pub type ContentId = u64;

/// A BLAKE3 hash.
pub type Hash = [u8; 32];

/// One commit: facts, and the contents that they depend on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Position of the first envelope.
    pub first: Position,
    /// Encoded facts, one per position; 1 to [`frame::MAX_ENVELOPES`].
    pub envelopes: Vec<Vec<u8>>,
    /// Hashes of the contents that become durable with these facts, each staged before
    /// ([`Contents::put`]); up to [`frame::MAX_CONTENTS`].
    pub contents: Vec<Hash>,
}

/// Bytes that a fact refers to by salted hash, erasable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The number that its fact gives it, made by [`content_id`] from the fact's position.
    pub id: ContentId,
    /// Salt of the hash in the fact. Without it, the hash says nothing of guessable bytes.
    pub salt: [u8; 16],
    /// The content, up to [`frame::MAX_CONTENT_BYTES`].
    pub bytes: Vec<u8>,
}

/// End of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Position of the last envelope; 0 when the log is empty.
    pub position: Position,
    /// Chain hash of the last frame; [`frame::GENESIS`] when the log is empty.
    pub chain: Hash,
}

impl Head {
    /// Head of an empty log.
    pub const EMPTY: Head = Head {
        position: 0,
        chain: frame::GENESIS,
    };
}

/// The writing end of a log. There is one at a time.
pub trait Journal: Send {
    /// Last durable position and its chain hash.
    fn head(&self) -> Head;

    /// Appends a frame and returns when it and its contents are synced, iff it starts at the position
    /// after the head. It takes its contents from those that are staged.
    ///
    /// # Errors
    /// `Conflict` when it starts elsewhere, `Invalid` when it breaks a limit or names a content that
    /// is not staged (all before anything is written), `StorageFull`, `Io`. After any error, every later append gives `Poisoned`;
    /// whether the frame reached the disk shows when the log is opened again.
    fn append(&mut self, frame: &Frame) -> Result<Head, JournalError>;

    /// Erases contents with their salts for good and returns how many were there to erase.
    ///
    /// Facts, chain and digest stay as they are. When it returns, the keys of the contents are gone
    /// from the folder's files, and so are contents of the first format themselves; what a disk
    /// keeps in blocks it no longer lists is beyond its reach. The ciphertexts go too, now or when
    /// the log is opened again.
    ///
    /// # Errors
    /// `EraseIncomplete` when a long read stood in the way: call again, with any names, later. Other
    /// errors poison the journal as a failed append does.
    fn erase(&mut self, names: &[ContentName]) -> Result<usize, JournalError>;

    /// Where contents are staged before their commands are decided, for use on any thread.
    fn contents(&self) -> Contents;

    /// A new reader of the same log, for use on any thread. It sees durable frames only.
    fn reader(&self) -> Box<dyn LogReader>;
}

/// A reading end of a log.
pub trait LogReader: Send {
    /// Last durable position and its chain hash.
    ///
    /// # Errors
    /// `Corrupt`, `Io`.
    fn head(&mut self) -> Result<Head, JournalError>;

    /// Where the log begins that this reader can read: the end of what is archived out of its
    /// reach; [`Head::EMPTY`] if it reads from the first position on.
    ///
    /// # Errors
    /// `Corrupt`, `BadSegment`, `NewerVersion`, `Io`.
    fn start(&mut self) -> Result<Head, JournalError> {
        Ok(Head::EMPTY)
    }

    /// The checkpoint at the end of what is archived, whether or not the archive is at hand; none
    /// if the log has all of its frames. Its signature is verified; whether the key is the realm's
    /// is for the caller.
    ///
    /// # Errors
    /// As [`LogReader::start`].
    fn base(&mut self) -> Result<Option<Checkpoint>, JournalError> {
        Ok(None)
    }

    /// Visits (key, value) of every entity of the state at [`LogReader::base`]. The caller compares
    /// their sum with the checkpoint's.
    ///
    /// # Errors
    /// `Corrupt`, `Io`.
    fn base_entities(&mut self, _visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), JournalError> {
        Ok(())
    }

    /// Whole frames from the one that holds position `from` (0 counts as 1) on, each verified and
    /// chained to the one before it. Stops before `max_bytes` of facts are exceeded, but gives at
    /// least one frame if there is one; empty past the head.
    ///
    /// # Errors
    /// `Archived` when the position is archived and its segment not at hand, `BadSegment`,
    /// `Corrupt`, `NewerVersion`, `Io`.
    fn read_from(
        &mut self,
        from: Position,
        max_bytes: usize,
    ) -> Result<Vec<StoredFrame>, JournalError>;

    /// The envelope at a position, or `None` past the head and at 0.
    ///
    /// # Errors
    /// As [`LogReader::read_from`].
    fn envelope(&mut self, position: Position) -> Result<Option<Vec<u8>>, JournalError> {
        if position == 0 {
            return Ok(None);
        }
        let Some(frame) = self.read_from(position, 0)?.into_iter().next() else {
            return Ok(None);
        };
        let index = usize::try_from(position - frame.first).unwrap_or(usize::MAX);
        Ok(frame.envelopes.into_iter().nth(index))
    }

    /// A content, or `None` if it was erased, never existed, or its key is not at hand.
    ///
    /// # Errors
    /// `Corrupt`, `Io`.
    fn content(&mut self, name: &ContentName) -> Result<Option<Content>, JournalError>;

    /// Contents in the order asked for, `None` for each that [`LogReader::content`] has none of.
    ///
    /// # Errors
    /// As [`LogReader::content`].
    fn contents(&mut self, names: &[ContentName]) -> Result<Vec<Option<Content>>, JournalError> {
        names.iter().map(|name| self.content(name)).collect()
    }
}

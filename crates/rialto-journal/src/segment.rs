//! A segment: a run of whole frames that has left the log, in a file of its own, format version 1.
//!
//! A file is a header of 316 bytes, the *checkpoint*, and blocks of compressed frames. All integers
//! are unsigned and little endian.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 8 | magic `RLTSEGMT` |
//! | 8 | 4 | format version, 1 |
//! | 12 | 32 | realm: chain hash of the log's first frame, which is no other log's |
//! | 44 | 8 | position of the first envelope |
//! | 52 | 8 | position of the last envelope |
//! | 60 | 32 | chain hash of the frame before the first |
//! | 92 | 32 | chain hash of the last frame |
//! | 124 | 8 | count of frames |
//! | 132 | 8 | bytes of the encoded frames (see [`crate::frame`]) |
//! | 140 | 8 | bytes of the blocks, that is of the file after the header |
//! | 148 | 32 | BLAKE3 of the blocks |
//! | 180 | 32 | digest of the state after the last envelope (see [`crate::digest`]) |
//! | 212 | 8 | count of the entities of that state |
//! | 220 | 32 | the realm's public key that signed |
//! | 252 | 64 | its Ed25519 signature over `rialto log checkpoint` and the bytes 8 to 252 |
//!
//! A block is the position of its first envelope (8 bytes), that of its last (8), the bytes of its
//! frames (4), the bytes that they take here (4), and the frames, each behind its length (4), as a
//! raw DEFLATE stream (RFC 1951). A block ends after the frame that takes it past
//! [`BLOCK_BYTES`], so that reading one envelope unpacks little more than that.
//!
//! Whoever reads a segment knows its checkpoint already: the log keeps a copy of each. Reading
//! compares the header with that copy and the file with its hash before it unpacks anything, so a
//! file of another realm, of another run of positions, or changed by one bit is refused. Decoding
//! never panics and never reserves more memory than the stated bounds.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use ed25519_dalek::{Signature, VerifyingKey};
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

use crate::digest::Digest;
use crate::frame::{self, GENESIS, MAX_FACTS_BYTES, StoredFrame};
use crate::{Frame, Hash, Head, JournalError, Position, private};

/// Newest segment format that this release reads, and the one that it writes.
pub const FORMAT_VERSION: u32 = 1;
/// A segment ends with the frame that takes it past this many bytes of frames.
pub const SEGMENT_BYTES: u64 = 64 << 20;
/// A block ends with the frame that takes it past this many bytes of frames.
pub const BLOCK_BYTES: usize = 1 << 20;
/// Bytes of the header.
pub const HEADER_BYTES: usize = 316;

const MAGIC: &[u8; 8] = b"RLTSEGMT";
const SIGNED_AS: &[u8] = b"rialto log checkpoint";
const KEY_AT: usize = 220;
const SIGNATURE_AT: usize = 252;
const BLOCK_HEADER_BYTES: usize = 24;
/// Most bytes of the frames of a block, lengths included.
const MAX_BLOCK_BYTES: usize = BLOCK_BYTES + MAX_FACTS_BYTES + 8;
/// Most bytes of a file's blocks. DEFLATE adds less than a thousandth to what it cannot compress.
const MAX_PACKED_BYTES: u64 = 2 * (SEGMENT_BYTES + MAX_FACTS_BYTES as u64);
/// The level of DEFLATE: the next ones take much longer and save little on facts.
const LEVEL: u8 = 6;

/// What a segment holds and what the state was at its end, signed by the realm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Chain hash of the log's first frame.
    pub realm: Hash,
    /// Position of the first envelope.
    pub first: Position,
    /// Position of the last envelope.
    pub last: Position,
    /// Chain hash before the first frame.
    pub before: Hash,
    /// Chain hash of the last frame.
    pub chain: Hash,
    /// Frames.
    pub frames: u64,
    /// Bytes of the encoded frames.
    pub frame_bytes: u64,
    /// Bytes of the blocks.
    pub packed_bytes: u64,
    /// BLAKE3 of the blocks.
    pub content: Hash,
    /// The state after the last envelope.
    pub state: StateSum,
    /// The realm's public key that signed.
    pub key: Hash,
    /// Its signature.
    pub signature: [u8; 64],
}

/// What is said of a state: enough to tell it from any other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateSum {
    /// Sum of the entities' hashes.
    pub digest: Digest,
    /// Entities.
    pub entities: u64,
}

/// Signs the bytes of a checkpoint with the realm's key.
pub trait Signer {
    /// The public key.
    fn key(&self) -> Hash;
    /// The Ed25519 signature.
    fn sign(&self, message: &[u8]) -> [u8; 64];
}

impl Checkpoint {
    /// End of the segment.
    #[must_use]
    pub fn head(&self) -> Head {
        Head {
            position: self.last,
            chain: self.chain,
        }
    }

    /// Name of the segment's file.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("log-{:016}-{:016}.segment", self.first, self.last)
    }

    /// The header's bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = self.unsigned();
        put(&mut bytes, SIGNATURE_AT, &self.signature);
        bytes
    }

    fn unsigned(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        put(&mut bytes, 0, MAGIC);
        put(&mut bytes, 8, &FORMAT_VERSION.to_le_bytes());
        put(&mut bytes, 12, &self.realm);
        put(&mut bytes, 44, &self.first.to_le_bytes());
        put(&mut bytes, 52, &self.last.to_le_bytes());
        put(&mut bytes, 60, &self.before);
        put(&mut bytes, 92, &self.chain);
        put(&mut bytes, 124, &self.frames.to_le_bytes());
        put(&mut bytes, 132, &self.frame_bytes.to_le_bytes());
        put(&mut bytes, 140, &self.packed_bytes.to_le_bytes());
        put(&mut bytes, 148, &self.content);
        put(&mut bytes, 180, &self.state.digest.to_bytes());
        put(&mut bytes, 212, &self.state.entities.to_le_bytes());
        put(&mut bytes, KEY_AT, &self.key);
        bytes
    }

    /// Reads a header, and checks its bounds and its signature. Whether the key is the
    /// realm's is for the caller, who knows the realm.
    ///
    /// # Errors
    /// `NewerVersion` for a later format, else what is wrong as text.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadHeader> {
        let header = bytes
            .first_chunk::<HEADER_BYTES>()
            .ok_or(BadHeader::Wrong("it is cut short"))?;
        if !header.starts_with(MAGIC) {
            return Err(BadHeader::Wrong("it does not begin as a segment"));
        }
        let version = u32::from_le_bytes(take(header, 8));
        if version > FORMAT_VERSION {
            return Err(BadHeader::Newer(version));
        }
        if version != FORMAT_VERSION {
            return Err(BadHeader::Wrong("it has no valid format version"));
        }
        let number = |at| u64::from_le_bytes(take(header, at));
        let found = Self {
            realm: take(header, 12),
            first: number(44),
            last: number(52),
            before: take(header, 60),
            chain: take(header, 92),
            frames: number(124),
            frame_bytes: number(132),
            packed_bytes: number(140),
            content: take(header, 148),
            state: StateSum {
                digest: Digest::from_bytes(take(header, 180)),
                entities: number(212),
            },
            key: take(header, KEY_AT),
            signature: take(header, SIGNATURE_AT),
        };
        let ordered = (1..=frame::MAX_POSITION).contains(&found.first) && found.first <= found.last;
        if !ordered || found.last > frame::MAX_POSITION || found.packed_bytes > MAX_PACKED_BYTES {
            return Err(BadHeader::Wrong("its header is out of bounds"));
        }
        if !found.is_signed() {
            return Err(BadHeader::Wrong("its signature does not verify"));
        }
        Ok(found)
    }

    fn is_signed(&self) -> bool {
        let Ok(key) = VerifyingKey::from_bytes(&self.key) else {
            return false;
        };
        let signature = Signature::from_bytes(&self.signature);
        key.verify_strict(&self.signed_bytes(), &signature).is_ok()
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let bytes = self.unsigned();
        let fields = bytes.get(8..SIGNATURE_AT).unwrap_or_default();
        [SIGNED_AS, fields].concat()
    }
}

/// Why bytes are no header of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadHeader {
    /// It has a later format.
    Newer(u32),
    /// It is not what was written.
    Wrong(&'static str),
}

impl BadHeader {
    /// As the error of reading something that has this name.
    pub(crate) fn of(self, name: &str) -> JournalError {
        match self {
            Self::Newer(found) => JournalError::NewerVersion {
                found,
                supported: FORMAT_VERSION,
            },
            Self::Wrong(what) => JournalError::bad_segment(name, what),
        }
    }
}

fn put(bytes: &mut [u8; HEADER_BYTES], at: usize, field: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at + field.len()) {
        place.copy_from_slice(field);
    }
}

/// A field of a header. The offsets are constants within it.
fn take<const N: usize>(bytes: &[u8; HEADER_BYTES], at: usize) -> [u8; N] {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk::<N>());
    field.copied().unwrap_or([0; N])
}

/// Gathers frames for one segment.
#[derive(Debug)]
pub struct SegmentBuilder {
    realm: Option<Hash>,
    before: Head,
    end: Head,
    frames: u64,
    frame_bytes: u64,
    block: Vec<u8>,
    block_first: Position,
    packed: Vec<u8>,
    buffer: Vec<u8>,
}

/// A segment that is ready to be written.
#[derive(Debug)]
pub struct Sealed {
    /// Its checkpoint.
    pub checkpoint: Checkpoint,
    blocks: Vec<u8>,
}

impl SegmentBuilder {
    /// A segment that follows `before`; `realm` is unknown only before the log's first frame.
    #[must_use]
    pub fn new(realm: Option<Hash>, before: Head) -> Self {
        Self {
            realm,
            before,
            end: before,
            frames: 0,
            frame_bytes: 0,
            block: Vec::new(),
            block_first: 0,
            packed: Vec::new(),
            buffer: Vec::new(),
        }
    }

    /// End of what was gathered.
    #[must_use]
    pub fn end(&self) -> Head {
        self.end
    }

    /// Whether nothing was gathered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frames == 0
    }

    /// Whether it holds as much as a segment should.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.frame_bytes >= SEGMENT_BYTES
    }

    /// Adds the next frame.
    ///
    /// # Errors
    /// `Corrupt` when it does not follow the one before.
    pub fn push(&mut self, stored: StoredFrame) -> Result<(), JournalError> {
        let (first, last, chain) = (stored.first, stored.last(), stored.chain);
        if first != self.end.position + 1 || stored.previous != self.end.chain {
            return Err(JournalError::corrupt(
                first,
                "the frame does not follow the one before",
            ));
        }
        let frame = Frame {
            first,
            envelopes: stored.envelopes,
            contents: Vec::new(),
        };
        if frame::encode(&frame, &self.end.chain, &mut self.buffer) != chain {
            return Err(JournalError::corrupt(
                first,
                "the frame's chain hash cannot be reproduced",
            ));
        }
        if self.block.is_empty() {
            self.block_first = first;
        }
        let length = u32::try_from(self.buffer.len()).unwrap_or(u32::MAX);
        self.block.extend_from_slice(&length.to_le_bytes());
        self.block.extend_from_slice(&self.buffer);
        self.realm.get_or_insert(chain);
        self.frames += 1;
        self.frame_bytes += u64::from(length);
        self.end = Head {
            position: last,
            chain,
        };
        if self.block.len() >= BLOCK_BYTES {
            self.pack();
        }
        Ok(())
    }

    fn pack(&mut self) {
        if self.block.is_empty() {
            return;
        }
        let packed = compress_to_vec(&self.block, LEVEL);
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
        self.packed
            .extend_from_slice(&self.block_first.to_le_bytes());
        self.packed
            .extend_from_slice(&self.end.position.to_le_bytes());
        self.packed.extend_from_slice(&length(&self.block));
        self.packed.extend_from_slice(&length(&packed));
        self.packed.extend_from_slice(&packed);
        self.block.clear();
    }

    /// Seals what was gathered, with what the state is at its end.
    #[must_use]
    pub fn seal(mut self, state: StateSum, signer: &dyn Signer) -> Sealed {
        self.pack();
        let mut checkpoint = Checkpoint {
            realm: self.realm.unwrap_or(GENESIS),
            first: self.before.position + 1,
            last: self.end.position,
            before: self.before.chain,
            chain: self.end.chain,
            frames: self.frames,
            frame_bytes: self.frame_bytes,
            packed_bytes: self.packed.len() as u64,
            content: *blake3::hash(&self.packed).as_bytes(),
            state,
            key: signer.key(),
            signature: [0; 64],
        };
        checkpoint.signature = signer.sign(&checkpoint.signed_bytes());
        Sealed {
            checkpoint,
            blocks: self.packed,
        }
    }
}

impl Sealed {
    /// Writes the segment into a folder and syncs it: under another name first, so that a segment
    /// has its name only as a whole. A file of the same facts, left by an attempt that was
    /// interrupted, is replaced; any other file of this name stays.
    ///
    /// # Errors
    /// `BadSegment` when another segment or another file has the name; `StorageFull`, `Io`.
    pub fn write(&self, folder: &Path) -> Result<(), JournalError> {
        let name = self.checkpoint.file_name();
        let path = folder.join(&name);
        self.check_place(&path, &name)?;
        let partial = folder.join(format!("{name}.partial"));
        let failed = |error| JournalError::io("write a segment", error);
        let mut file = private::new_file()
            .create(true)
            .truncate(true)
            .open(&partial)
            .map_err(failed)?;
        file.write_all(&self.checkpoint.encode())
            .and_then(|()| file.write_all(&self.blocks))
            .and_then(|()| file.sync_all())
            .map_err(failed)?;
        fs::rename(&partial, &path).map_err(failed)?;
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| JournalError::io("sync the folder of the archive", error))
    }

    fn check_place(&self, path: &Path, name: &str) -> Result<(), JournalError> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(JournalError::io("look into the archive", error)),
        };
        let mut header = [0; HEADER_BYTES];
        let found = match file.read_exact(&mut header) {
            Ok(()) => Checkpoint::decode(&header).ok(),
            Err(_) => None,
        };
        let ours = &self.checkpoint;
        let same = |it: &Checkpoint| (it.realm, it.head()) == (ours.realm, ours.head());
        if found.as_ref().is_some_and(same) {
            return Ok(());
        }
        Err(JournalError::bad_segment(
            name,
            "the folder has a file of this name that is not this part of this log",
        ))
    }
}

/// A segment whose file was read and found to be what its checkpoint says.
#[derive(Debug)]
pub struct Segment {
    checkpoint: Checkpoint,
    name: String,
    /// The blocks, compressed.
    blocks: Vec<u8>,
    /// The block that was unpacked last, and where it begins.
    unpacked: Option<(usize, Vec<StoredFrame>)>,
}

impl Segment {
    /// Reads the segment of a checkpoint from a folder and verifies its header and its hash. `None`
    /// if the folder has no file of its name.
    ///
    /// # Errors
    /// `BadSegment` when the file is not what the checkpoint says; `NewerVersion`, `Io`.
    pub fn open(folder: &Path, checkpoint: &Checkpoint) -> Result<Option<Self>, JournalError> {
        let name = checkpoint.file_name();
        let failed = |error| JournalError::io("read a segment", error);
        let path: PathBuf = folder.join(&name);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let size = file.metadata().map_err(failed)?.len();
        let mut header = Vec::with_capacity(HEADER_BYTES);
        (&mut file)
            .take(HEADER_BYTES as u64)
            .read_to_end(&mut header)
            .map_err(failed)?;
        let found = Checkpoint::decode(&header).map_err(|bad| bad.of(&name))?;
        let bad = |what| Err(JournalError::bad_segment(&name, what));
        if found.realm != checkpoint.realm {
            return bad("it belongs to another realm");
        }
        if (found.first, found.before, found.head())
            != (checkpoint.first, checkpoint.before, checkpoint.head())
        {
            return bad("it is another part of the log");
        }
        if found != *checkpoint {
            return bad("its checkpoint is not the one that the log knows");
        }
        if size != HEADER_BYTES as u64 + checkpoint.packed_bytes {
            return bad("it does not have the length that its header says");
        }
        let mut blocks = Vec::new();
        file.take(checkpoint.packed_bytes)
            .read_to_end(&mut blocks)
            .map_err(failed)?;
        if *blake3::hash(&blocks).as_bytes() != checkpoint.content {
            return bad("it does not match its hash");
        }
        Ok(Some(Self {
            checkpoint: checkpoint.clone(),
            name,
            blocks,
            unpacked: None,
        }))
    }

    /// What it holds.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Whole frames from the one that holds position `from` on, as [`crate::LogReader::read_from`]
    /// gives them, up to the end of the segment; none if it does not hold the position.
    ///
    /// # Errors
    /// `BadSegment`.
    pub fn frames_from(
        &mut self,
        from: Position,
        max_bytes: usize,
    ) -> Result<Vec<StoredFrame>, JournalError> {
        let (mut at, mut found, mut bytes) = (0, Vec::new(), 0_usize);
        while let Some(block) = Block::at(&self.blocks, at) {
            let next = block.end;
            if block.last < from {
                at = next;
                continue;
            }
            for frame in self.unpack(at)? {
                if frame.last() < from {
                    continue;
                }
                let facts: usize = frame.envelopes.iter().map(|it| it.len() + 4).sum();
                bytes = bytes.saturating_add(facts);
                if bytes > max_bytes && !found.is_empty() {
                    return Ok(found);
                }
                found.push(frame.clone());
            }
            if bytes >= max_bytes && !found.is_empty() {
                break;
            }
            at = next;
        }
        Ok(found)
    }

    /// Unpacks every frame and walks the chain from the checkpoint's beginning to its end.
    ///
    /// # Errors
    /// `BadSegment`.
    pub fn verify(&mut self) -> Result<(), JournalError> {
        let (mut at, mut frames, mut bytes) = (0, 0, 0);
        let mut end = Head {
            position: self.checkpoint.first - 1,
            chain: self.checkpoint.before,
        };
        while at < self.blocks.len() {
            let next = Block::at(&self.blocks, at)
                .ok_or_else(|| self.bad(CUT))?
                .end;
            for frame in self.unpack(at)? {
                if frame.first != end.position + 1 || frame.previous != end.chain {
                    return Err(self.bad("a frame does not follow the one before"));
                }
                let facts: usize = frame.envelopes.iter().map(|it| it.len() + 4).sum();
                bytes += (facts + frame::AROUND_BYTES) as u64;
                frames += 1;
                end = Head {
                    position: frame.last(),
                    chain: frame.chain,
                };
            }
            at = next;
        }
        let told = (
            self.checkpoint.head(),
            self.checkpoint.frames,
            self.checkpoint.frame_bytes,
        );
        if (end, frames, bytes) != told {
            return Err(self.bad("it does not hold what its checkpoint says"));
        }
        Ok(())
    }

    fn unpack(&mut self, at: usize) -> Result<Vec<StoredFrame>, JournalError> {
        if let Some((_, frames)) = self.unpacked.as_ref().filter(|(kept, _)| *kept == at) {
            return Ok(frames.clone());
        }
        let frames = self.unpacked_at(at).map_err(|what| self.bad(what))?;
        self.unpacked = Some((at, frames.clone()));
        Ok(frames)
    }

    fn unpacked_at(&self, at: usize) -> Result<Vec<StoredFrame>, &'static str> {
        let block = Block::at(&self.blocks, at).ok_or(CUT)?;
        if block.bytes > MAX_BLOCK_BYTES {
            return Err("a block is out of bounds");
        }
        let packed = self.blocks.get(block.from..block.end).ok_or(CUT)?;
        let bytes = decompress_to_vec_with_limit(packed, block.bytes)
            .map_err(|_| "a block cannot be unpacked")?;
        if bytes.len() != block.bytes {
            return Err("a block does not have the length that it says");
        }
        let (mut rest, mut frames, mut next) = (bytes.as_slice(), Vec::new(), block.first);
        while !rest.is_empty() {
            let (length, after) = rest.split_first_chunk::<4>().ok_or(CUT)?;
            let length = u32::from_le_bytes(*length) as usize;
            let (frame, after) = after.split_at_checked(length).ok_or(CUT)?;
            let frame = frame::decode(next, frame).map_err(|_| "a frame is damaged")?;
            next = frame.last().saturating_add(1);
            frames.push(frame);
            rest = after;
        }
        if next != block.last.saturating_add(1) || frames.is_empty() {
            return Err("a block does not hold the positions that it says");
        }
        Ok(frames)
    }

    fn bad(&self, what: &str) -> JournalError {
        JournalError::bad_segment(&self.name, what)
    }
}

const CUT: &str = "it is cut short";

/// A block's header, and where its bytes lie.
struct Block {
    first: Position,
    last: Position,
    bytes: usize,
    from: usize,
    end: usize,
}

impl Block {
    /// The block at an offset; none past the end, or if it is cut short.
    fn at(blocks: &[u8], at: usize) -> Option<Self> {
        let header = blocks.get(at..)?.first_chunk::<BLOCK_HEADER_BYTES>()?;
        let (first, rest) = header.split_first_chunk::<8>()?;
        let (last, rest) = rest.split_first_chunk::<8>()?;
        let (bytes, packed) = rest.split_first_chunk::<4>()?;
        let from = at + BLOCK_HEADER_BYTES;
        let end = from + u32::from_le_bytes(*packed.first_chunk::<4>()?) as usize;
        (end <= blocks.len()).then_some(Self {
            first: u64::from_le_bytes(*first),
            last: u64::from_le_bytes(*last),
            bytes: u32::from_le_bytes(*bytes) as usize,
            from,
            end,
        })
    }
}

#[cfg(test)]
mod tests;

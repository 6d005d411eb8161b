//! Bytes of a frame's facts, format version 1.
//!
//! All integers are unsigned and little endian.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 8 | magic `RLTFRAME` |
//! | 8 | 4 | format version, 1 |
//! | 12 | 32 | chain hash of the frame before; zeros before the first frame |
//! | 44 | 8 | position of the first envelope |
//! | 52 | 4 | count of envelopes, at least 1 |
//! | 56 | | per envelope: 4 bytes of length, then that many bytes |
//! | end - 32 | 32 | chain hash of this frame: BLAKE3 of the bytes from offset 12 to here |
//!
//! The chain hash thus covers the hash before, the position, the count and every envelope, and
//! serves as the frame's checksum as well. Magic and format version stay outside, so that rewriting
//! a log in a later format keeps its chain. Contents are not in here: facts name them by salted hash.
//!
//! Decoding never panics and never reserves memory for more than the bytes at hand.

use crate::{Frame, Hash, Head, JournalError, Position};

/// Chain hash before the first frame.
pub const GENESIS: Hash = [0; 32];
/// Newest frame format this release reads, and the one it writes.
pub const FORMAT_VERSION: u32 = 1;
/// Most envelopes in one frame.
pub const MAX_ENVELOPES: usize = 65_536;
/// Most bytes of encoded facts in one frame.
pub const MAX_FACTS_BYTES: usize = 64 << 20;
/// Most contents in one frame.
pub const MAX_CONTENTS: usize = 65_536;
/// Most bytes of one content.
pub const MAX_CONTENT_BYTES: usize = 256 << 20;
/// Most contents of one envelope; see [`content_id`].
pub const MAX_CONTENTS_PER_ENVELOPE: u16 = 1 << ORDINAL_BITS;
/// Highest position a log can hold.
pub const MAX_POSITION: Position = (1 << (63 - ORDINAL_BITS)) - 1;

const ORDINAL_BITS: u32 = 14;
const MAGIC: &[u8; 8] = b"RLTFRAME";
const CHAINED_FROM: usize = 12;
const HEADER_BYTES: usize = 56;
const HASH_BYTES: usize = 32;
/// Bytes of an encoded frame besides its envelopes and their lengths.
pub(crate) const AROUND_BYTES: usize = HEADER_BYTES + HASH_BYTES;

/// Id of the `ordinal`-th content of the envelope at `position`, or `None` past
/// [`MAX_POSITION`] or [`MAX_CONTENTS_PER_ENVELOPE`].
#[must_use]
pub fn content_id(position: Position, ordinal: u16) -> Option<u64> {
    let fits = position <= MAX_POSITION && ordinal < MAX_CONTENTS_PER_ENVELOPE;
    fits.then_some(position << ORDINAL_BITS | u64::from(ordinal))
}

/// Position of the envelope that a content belongs to.
#[must_use]
pub fn content_position(id: u64) -> Position {
    id >> ORDINAL_BITS
}

/// The facts of one frame as they were read back, checksum verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFrame {
    /// Position of the first envelope.
    pub first: Position,
    /// Encoded facts, one per position, never empty.
    pub envelopes: Vec<Vec<u8>>,
    /// Chain hash of the frame before.
    pub previous: Hash,
    /// Chain hash of this frame.
    pub chain: Hash,
}

impl StoredFrame {
    /// Position of the last envelope.
    #[must_use]
    pub fn last(&self) -> Position {
        last_position(self.first, self.envelopes.len())
    }
}

/// Checks a frame against every limit that does not depend on the log it goes to.
fn check(frame: &Frame) -> Result<(), JournalError> {
    let count = frame.envelopes.len();
    if count == 0 || count > MAX_ENVELOPES {
        return Err(JournalError::invalid(format!(
            "{count} envelopes, 1 to {MAX_ENVELOPES} allowed"
        )));
    }
    if frame.first == 0 || frame.first > MAX_POSITION - count as u64 {
        return Err(JournalError::invalid(format!(
            "position {} is out of range",
            frame.first
        )));
    }
    let bytes = encoded_bytes(frame);
    if bytes > MAX_FACTS_BYTES {
        return Err(JournalError::invalid(format!(
            "{bytes} bytes of facts, {MAX_FACTS_BYTES} allowed"
        )));
    }
    check_contents(frame)
}

/// Checks a frame that is to follow `head`.
pub(crate) fn check_next(frame: &Frame, head: Head) -> Result<(), JournalError> {
    let expected = head.position + 1;
    if frame.first != expected {
        return Err(JournalError::Conflict {
            expected,
            found: frame.first,
        });
    }
    check(frame)
}

fn check_contents(frame: &Frame) -> Result<(), JournalError> {
    let count = frame.contents.len();
    if count > MAX_CONTENTS {
        return Err(JournalError::invalid(format!(
            "{count} contents, {MAX_CONTENTS} allowed"
        )));
    }
    Ok(())
}

/// Encodes a checked frame that follows `previous` into `out` (cleared first); gives its chain hash.
pub(crate) fn encode(frame: &Frame, previous: &Hash, out: &mut Vec<u8>) -> Hash {
    out.clear();
    out.reserve(encoded_bytes(frame));
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    out.extend_from_slice(previous);
    out.extend_from_slice(&frame.first.to_le_bytes());
    out.extend_from_slice(&length(frame.envelopes.len()));
    for envelope in &frame.envelopes {
        out.extend_from_slice(&length(envelope.len()));
        out.extend_from_slice(envelope);
    }
    let chain: Hash = blake3::hash(&out[CHAINED_FROM..]).into();
    out.extend_from_slice(&chain);
    chain
}

/// Decodes the facts of one frame and verifies their checksum.
///
/// `expected` is the position the bytes were stored under: it names the place in errors, and a
/// frame that claims another one is damaged.
///
/// # Errors
/// `NewerVersion` for a later format, else `Corrupt`.
pub fn decode(expected: Position, bytes: &[u8]) -> Result<StoredFrame, JournalError> {
    let corrupt = |what: &str| JournalError::corrupt(expected, what);
    if bytes.len() < HEADER_BYTES + HASH_BYTES {
        return Err(corrupt("the frame is cut short"));
    }
    if &bytes[..8] != MAGIC {
        return Err(corrupt("the frame does not begin with its magic bytes"));
    }
    match u32_at(bytes, 8) {
        Some(FORMAT_VERSION) => {}
        Some(found) if found > FORMAT_VERSION => {
            return Err(JournalError::NewerVersion {
                found,
                supported: FORMAT_VERSION,
            });
        }
        _ => return Err(corrupt("the frame has no valid format version")),
    }
    let (facts, stored_chain) = bytes.split_at(bytes.len() - HASH_BYTES);
    let chain: Hash = blake3::hash(&facts[CHAINED_FROM..]).into();
    if chain != *stored_chain {
        return Err(corrupt("the frame's checksum does not match its bytes"));
    }
    let mut previous = GENESIS;
    previous.copy_from_slice(&facts[CHAINED_FROM..CHAINED_FROM + HASH_BYTES]);
    let first = u64_at(facts, 44).ok_or_else(|| corrupt("the frame is cut short"))?;
    if first != expected {
        return Err(corrupt(&format!(
            "the frame stored here claims position {first}"
        )));
    }
    let count = u32_at(facts, 52).ok_or_else(|| corrupt("the frame is cut short"))?;
    let envelopes = split_envelopes(&facts[HEADER_BYTES..], count)
        .ok_or_else(|| corrupt("the frame's envelopes do not fill it exactly"))?;
    Ok(StoredFrame {
        first,
        envelopes,
        previous,
        chain,
    })
}

/// Chain hash at the end of encoded facts, unverified.
pub(crate) fn stored_chain(bytes: &[u8]) -> Option<Hash> {
    bytes.last_chunk::<HASH_BYTES>().copied()
}

fn split_envelopes(mut rest: &[u8], count: u32) -> Option<Vec<Vec<u8>>> {
    // Each envelope takes at least its length prefix, which bounds the reservation.
    let count = usize::try_from(count)
        .ok()
        .filter(|count| (1..=rest.len() / 4).contains(count))?;
    let mut envelopes = Vec::with_capacity(count);
    for _ in 0..count {
        let (prefix, after) = rest.split_first_chunk::<4>()?;
        let (envelope, after) = after.split_at_checked(u32::from_le_bytes(*prefix) as usize)?;
        envelopes.push(envelope.to_vec());
        rest = after;
    }
    rest.is_empty().then_some(envelopes)
}

pub(crate) fn last_position(first: Position, count: usize) -> Position {
    first.saturating_add(count as u64).saturating_sub(1)
}

fn encoded_bytes(frame: &Frame) -> usize {
    let envelopes: usize = frame
        .envelopes
        .iter()
        .map(|envelope| 4 + envelope.len())
        .sum();
    HEADER_BYTES + envelopes + HASH_BYTES
}

/// A length as its four bytes; `check` has bounded it far below `u32::MAX`.
fn length(len: usize) -> [u8; 4] {
    u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes()
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes
        .get(offset..)?
        .first_chunk()
        .map(|chunk| u32::from_le_bytes(*chunk))
}

fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    bytes
        .get(offset..)?
        .first_chunk()
        .map(|chunk| u64::from_le_bytes(*chunk))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(first: Position, envelopes: Vec<Vec<u8>>) -> Frame {
        Frame {
            first,
            envelopes,
            contents: Vec::new(),
        }
    }

    fn encoded(frame: &Frame, previous: &Hash) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(frame, previous, &mut bytes);
        bytes
    }

    /// The bytes of version 1 may never change: logs in the field hold them.
    #[test]
    fn version_1_is_frozen() {
        let bytes = encoded(&frame(7, vec![b"hello".to_vec(), vec![]]), &[0xab; 32]);
        let mut expected = b"RLTFRAME\x01\x00\x00\x00".to_vec();
        expected.extend([0xab; 32]);
        expected.extend(b"\x07\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00");
        expected.extend(b"\x05\x00\x00\x00hello\x00\x00\x00\x00");
        let chain = blake3::hash(&expected[12..]);
        expected.extend(chain.as_bytes());
        assert_eq!(bytes, expected);
        assert_eq!(
            chain.to_hex().as_str(),
            "5fff12ab1420bdd8228bb357a109df9e0171c75219454d14f9f13610caa6131a"
        );
    }

    #[test]
    fn newer_version_is_told_apart() {
        let mut bytes = encoded(&frame(1, vec![vec![1]]), &GENESIS);
        bytes[8] = 2;
        let error = decode(1, &bytes).unwrap_err();
        assert!(
            matches!(
                error,
                JournalError::NewerVersion {
                    found: 2,
                    supported: 1
                }
            ),
            "{error}"
        );
    }

    #[test]
    fn frame_of_another_place_is_refused() {
        let bytes = encoded(&frame(1, vec![vec![1]]), &GENESIS);
        let error = decode(2, &bytes).unwrap_err();
        assert!(
            matches!(error, JournalError::Corrupt { position: 2, .. }),
            "{error}"
        );
    }

    #[test]
    fn frames_beyond_the_limits_are_refused() {
        let with = |contents: usize| Frame {
            contents: vec![[0; 32]; contents],
            ..frame(5, vec![vec![1]; 2])
        };
        let cases = [
            ("no envelopes", frame(1, vec![]), "0 envelopes"),
            ("position zero", frame(0, vec![vec![1]]), "position 0"),
            (
                "too many envelopes",
                frame(1, vec![vec![]; MAX_ENVELOPES + 1]),
                "65537 envelopes",
            ),
            (
                "end of numbers",
                frame(MAX_POSITION, vec![vec![1]]),
                "out of range",
            ),
            (
                "too many bytes",
                frame(1, vec![vec![0; MAX_FACTS_BYTES]]),
                "bytes of facts",
            ),
            (
                "too many contents",
                with(MAX_CONTENTS + 1),
                "65537 contents",
            ),
        ];
        for (name, frame, expected) in cases {
            let message = check(&frame).expect_err(name).to_string();
            assert!(message.contains(expected), "{name}: {message}");
        }
        assert!(check(&with(MAX_CONTENTS)).is_ok());
    }

    #[test]
    fn content_ids_sort_by_position_and_end_within_63_bits() {
        assert!(content_id(1, 16_383) < content_id(2, 0));
        assert_eq!(content_id(1, 16_384), None);
        assert_eq!(content_id(MAX_POSITION + 1, 0), None);
        let highest = content_id(MAX_POSITION, 16_383).unwrap();
        assert_eq!(highest, i64::MAX as u64);
        assert_eq!(content_position(highest), MAX_POSITION);
    }

    fn envelopes() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..12)
    }

    proptest! {
        #[test]
        fn decode_gives_back_what_encode_took(first in 1..=1_000_000_u64, envelopes in envelopes(), previous: [u8; 32]) {
            let frame = frame(first, envelopes);
            let mut bytes = vec![9; 3];
            let chain = encode(&frame, &previous, &mut bytes);
            let stored = decode(first, &bytes).unwrap();
            prop_assert_eq!(stored.last(), first + frame.envelopes.len() as u64 - 1);
            prop_assert_eq!(stored_chain(&bytes), Some(chain));
            prop_assert_eq!(stored, StoredFrame { first, envelopes: frame.envelopes, previous, chain });
        }

        #[test]
        fn any_flipped_bit_is_detected(envelopes in envelopes(), at: prop::sample::Index, bit in 0..8_u8) {
            let mut bytes = encoded(&frame(3, envelopes), &[7; 32]);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert!(decode(3, &bytes).is_err());
        }

        #[test]
        fn any_truncation_or_extension_is_detected(envelopes in envelopes(), at: prop::sample::Index, tail: Vec<u8>) {
            let bytes = encoded(&frame(3, envelopes), &[7; 32]);
            prop_assert!(decode(3, &bytes[..at.index(bytes.len())]).is_err());
            let longer = [bytes, vec![0], tail].concat();
            prop_assert!(decode(3, &longer).is_err());
        }

        #[test]
        fn random_bytes_are_refused(bytes: Vec<u8>) {
            prop_assert!(decode(1, &bytes).is_err());
        }

        /// Random bytes under a valid header and checksum reach the inner decoder.
        #[test]
        fn random_bodies_never_panic(count: u32, body: Vec<u8>) {
            let mut bytes = encoded(&frame(1, vec![vec![]]), &GENESIS);
            bytes.truncate(52);
            bytes.extend(count.to_le_bytes());
            bytes.extend(&body);
            let chain = blake3::hash(&bytes[CHAINED_FROM..]);
            bytes.extend(chain.as_bytes());
            if let Ok(stored) = decode(1, &bytes) {
                prop_assert_eq!(encoded(&frame(1, stored.envelopes), &GENESIS), bytes);
            }
        }
    }
}

//! The format: frozen bytes, any position of any block, hostile headers and blocks.

use ed25519_dalek::{Signer as _, SigningKey};
use proptest::prelude::*;

use super::*;

struct Key(SigningKey);

impl Signer for Key {
    fn key(&self) -> Hash {
        self.0.verifying_key().to_bytes()
    }
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

fn key() -> Key {
    Key(SigningKey::from_bytes(&[3; 32]))
}

/// Frames as a log gives them, with so many bytes in each envelope.
fn frames(sizes: &[usize]) -> Vec<StoredFrame> {
    let (mut head, mut buffer, mut stored) = (Head::EMPTY, Vec::new(), Vec::new());
    for (index, size) in sizes.iter().enumerate() {
        let frame = Frame {
            first: head.position + 1,
            envelopes: vec![vec![u8::try_from(index % 251).unwrap(); *size]; 2],
            contents: Vec::new(),
        };
        let chain = frame::encode(&frame, &head.chain, &mut buffer);
        stored.push(frame::decode(frame.first, &buffer).unwrap());
        head = Head {
            position: frame.first + 1,
            chain,
        };
    }
    stored
}

fn sealed(frames: &[StoredFrame]) -> Sealed {
    let mut builder = SegmentBuilder::new(None, Head::EMPTY);
    for frame in frames {
        builder.push(frame.clone()).unwrap();
    }
    let mut digest = Digest::default();
    digest.add(&[5; 32]);
    builder.seal(
        StateSum {
            digest,
            entities: 9,
        },
        &key(),
    )
}

fn opened(sealed: &Sealed, blocks: Vec<u8>) -> Segment {
    Segment {
        checkpoint: sealed.checkpoint.clone(),
        name: "segment".into(),
        blocks,
        unpacked: None,
    }
}

/// The bytes of version 1 may never change: archives hold them.
#[test]
fn version_1_is_frozen() {
    let checkpoint = sealed(&frames(&[5])).checkpoint;
    let bytes = checkpoint.encode();
    let mut expected = b"RLTSEGMT\x01\x00\x00\x00".to_vec();
    expected.extend(checkpoint.chain); // The first frame is also the last.
    expected.extend(1_u64.to_le_bytes());
    expected.extend(2_u64.to_le_bytes());
    expected.extend([0; 32]);
    expected.extend(checkpoint.chain);
    expected.extend(1_u64.to_le_bytes());
    expected.extend(106_u64.to_le_bytes());
    expected.extend(checkpoint.packed_bytes.to_le_bytes());
    expected.extend(checkpoint.content);
    expected.extend([5; 32]);
    expected.extend(9_u64.to_le_bytes());
    expected.extend(key().key());
    let signed = [b"rialto log checkpoint", &expected[8..]].concat();
    expected.extend(key().sign(&signed));
    assert_eq!(bytes.as_slice(), expected);
    assert_eq!(Checkpoint::decode(&bytes), Ok(checkpoint));
}

#[test]
fn newer_version_is_told_apart() {
    let mut bytes = sealed(&frames(&[5])).checkpoint.encode();
    bytes[8] = 2;
    assert_eq!(Checkpoint::decode(&bytes), Err(BadHeader::Newer(2)));
}

/// More than a block holds, and a frame larger than a block.
#[test]
fn frames_come_back_from_any_position_of_any_block() {
    let frames = frames(&[300_000, 10, 700_000, 2_000_000, 1, 400_000, 400_000, 3]);
    let sealed = sealed(&frames);
    let mut segment = opened(&sealed, sealed.blocks.clone());
    segment.verify().unwrap();
    for (index, frame) in frames.iter().enumerate().rev() {
        let read = segment.frames_from(frame.last(), usize::MAX).unwrap();
        assert_eq!(read, frames[index..]);
        assert_eq!(
            segment.frames_from(frame.first, 0).unwrap(),
            std::slice::from_ref(frame)
        );
    }
    assert_eq!(segment.frames_from(17, 0).unwrap(), []);
}

/// A block that says more than it may is refused before memory is reserved for it.
#[test]
fn blocks_out_of_bounds_are_refused() {
    let sealed = sealed(&frames(&[5]));
    let mut blocks = sealed.blocks.clone();
    blocks[16..20].copy_from_slice(&u32::MAX.to_le_bytes());
    let refused = opened(&sealed, blocks).frames_from(1, 0).unwrap_err();
    assert!(refused.to_string().contains("out of bounds"), "{refused}");
    // A block that unpacks to more than it says.
    let mut blocks = sealed.blocks.clone();
    blocks[16..20].copy_from_slice(&7_u32.to_le_bytes());
    let refused = opened(&sealed, blocks).frames_from(1, 0).unwrap_err();
    assert!(
        refused.to_string().contains("cannot be unpacked"),
        "{refused}"
    );
}

proptest! {
    #[test]
    fn any_flipped_bit_of_a_header_is_detected(at in 0..HEADER_BYTES, bit in 0..8_u8) {
        let mut bytes = sealed(&frames(&[5])).checkpoint.encode();
        bytes[at] ^= 1 << bit;
        prop_assert!(Checkpoint::decode(&bytes).is_err());
    }

    #[test]
    fn random_headers_are_refused(bytes: Vec<u8>) {
        prop_assert!(Checkpoint::decode(&bytes).is_err());
    }

    /// Blocks are read only if they match a signed hash; they must not be trusted even so.
    #[test]
    fn random_blocks_never_panic(
        mut blocks: Vec<u8>, first: u64, last: u64, bytes in 0..2_000_u32, packed in 0..200_u32, from: u64,
    ) {
        let header = [
            &first.to_le_bytes()[..], &last.to_le_bytes(), &bytes.to_le_bytes(), &packed.to_le_bytes(),
        ].concat();
        blocks.splice(0..0, header);
        let sealed = sealed(&frames(&[5]));
        let mut segment = opened(&sealed, blocks);
        let _ = segment.frames_from(from, 0);
        prop_assert!(segment.verify().is_err());
    }

    #[test]
    fn any_cut_or_flipped_bit_of_the_blocks_is_detected(at: prop::sample::Index, bit in 0..8_u8) {
        let sealed = sealed(&frames(&[40, 50, 60]));
        let at = at.index(sealed.blocks.len());
        let cut = sealed.blocks[..at].to_vec();
        prop_assert!(opened(&sealed, cut).verify().is_err());
        let mut flipped = sealed.blocks.clone();
        flipped[at] ^= 1 << bit;
        // Some bits of DEFLATE say nothing; then the frames are the same.
        if opened(&sealed, flipped.clone()).verify().is_ok() {
            let read = opened(&sealed, flipped).frames_from(1, usize::MAX).unwrap();
            prop_assert_eq!(read, frames(&[40, 50, 60]));
        }
    }
}

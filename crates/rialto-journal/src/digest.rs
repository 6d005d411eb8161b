//! The state digest: a sum over entities that does not depend on their order.
//!
//! Each entity counts as a 256-bit number, the BLAKE3 hash of its length-prefixed key followed by
//! its value. The digest is the sum of these numbers modulo 2^256, so that it follows an insert, a
//! change or a removal in constant time and comes out the same in whatever order the entities were
//! met. Such a sum guards against accidents and divergence, not against somebody who may choose
//! entities freely (a generalised-birthday search finds sums that collide, Wagner 2002); against
//! tampering stands the hash chain of the log.
//!
//! Never reads an entity's meaning.

use std::fmt;

use crate::Hash;

const LANES: usize = 4;

/// Hash of one entity: BLAKE3 over the key's length (u32, little endian), the key, the value.
#[must_use]
pub fn entity_hash(key: &[u8], value: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    let key_bytes = u32::try_from(key.len()).unwrap_or(u32::MAX);
    hasher
        .update(&key_bytes.to_le_bytes())
        .update(key)
        .update(value);
    hasher.finalize().into()
}

/// A sum of entity hashes modulo 2^256; zero for no entities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Digest([u64; LANES]);

impl Digest {
    /// Reads a digest from its 32 bytes, least significant first.
    #[must_use]
    pub fn from_bytes(bytes: Hash) -> Self {
        let mut lanes = [0; LANES];
        for (lane, chunk) in lanes.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *lane = u64::from_le_bytes(*chunk);
        }
        Self(lanes)
    }

    /// The digest as 32 bytes, least significant first.
    #[must_use]
    pub fn to_bytes(self) -> Hash {
        let mut bytes = [0; 32];
        for (chunk, lane) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(self.0) {
            *chunk = lane.to_le_bytes();
        }
        bytes
    }

    /// Counts an entity in.
    pub fn add(&mut self, hash: &Hash) {
        let mut carry = false;
        for (lane, other) in self.0.iter_mut().zip(Self::from_bytes(*hash).0) {
            let (sum, over) = lane.overflowing_add(other);
            let (sum, over_carry) = sum.overflowing_add(u64::from(carry));
            *lane = sum;
            carry = over || over_carry;
        }
    }

    /// Takes an entity out; the inverse of [`Digest::add`].
    pub fn sub(&mut self, hash: &Hash) {
        let mut borrow = false;
        for (lane, other) in self.0.iter_mut().zip(Self::from_bytes(*hash).0) {
            let (rest, under) = lane.overflowing_sub(other);
            let (rest, under_borrow) = rest.overflowing_sub(u64::from(borrow));
            *lane = rest;
            borrow = under || under_borrow;
        }
    }
}

/// Lower-case hexadecimal, first byte first.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn carries_run_through_all_lanes() {
        let mut digest = Digest::from_bytes([0xff; 32]);
        let mut one = [0; 32];
        one[0] = 1;
        digest.add(&one);
        assert_eq!(digest, Digest::default());
        digest.sub(&one);
        assert_eq!(digest, Digest::from_bytes([0xff; 32]));
    }

    #[test]
    fn key_and_value_cannot_trade_bytes() {
        assert_ne!(entity_hash(b"ab", b"c"), entity_hash(b"a", b"bc"));
        assert_ne!(entity_hash(b"", b"abc"), entity_hash(b"abc", b""));
    }

    #[test]
    fn entity_hash_is_frozen() {
        let expected = blake3::hash(b"\x03\x00\x00\x00keyvalue");
        assert_eq!(entity_hash(b"key", b"value"), *expected.as_bytes());
    }

    proptest! {
        #[test]
        fn sum_ignores_order_and_subtraction_undoes(hashes: Vec<[u8; 32]>) {
            let mut forward = Digest::default();
            let mut backward = Digest::default();
            hashes.iter().for_each(|hash| forward.add(hash));
            hashes.iter().rev().for_each(|hash| backward.add(hash));
            prop_assert_eq!(forward, backward);
            prop_assert_eq!(Digest::from_bytes(forward.to_bytes()), forward);
            hashes.iter().for_each(|hash| forward.sub(hash));
            prop_assert_eq!(forward, Digest::default());
        }
    }
}

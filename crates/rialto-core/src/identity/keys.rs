//! The public keys of agents: whether one is in use, and whether one is worth anything.
//!
//! An agent's key is its identity outside (its did:key), so no two living agents have the same one.
//! How many have which is derived from the agents and no part of the digest. Whether bytes are a
//! point of the curve at all is not judged here: with those that are not, nobody can sign.

use crate::hash::Hash;
use crate::table::Table;

/// The points of the curve whose order is 1, 2, 4 or 8; the highest bit, the sign of x, is left out. For
/// such a key anybody can make signatures.
const SMALL_ORDER: [[u8; 32]; 5] = [
    with_ends([0x00, 0x00], 0x00),
    with_ends([0x01, 0x00], 0x00),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
    with_ends([0xec, 0xff], 0x7f),
];

/// Bytes whose second is repeated up to the last.
const fn with_ends([first, middle]: [u8; 2], last: u8) -> [u8; 32] {
    let mut bytes = [middle; 32];
    let [head, .., tail] = &mut bytes;
    *head = first;
    *tail = last;
    bytes
}

/// Whether anybody can make signatures for a key.
pub(super) fn is_weak(key: &Hash) -> bool {
    let mut bytes = *key.bytes();
    let [.., last] = &mut bytes;
    *last &= 0x7f;
    SMALL_ORDER.contains(&bytes) || is_another_form(&bytes)
}

/// Whether a y is not below the prime: no library writes a key so, and verifiers differ on what it is.
fn is_another_form(y: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = y;
    *first >= 0xed && *last == 0x7f && middle.iter().all(|byte| *byte == 0xff)
}

/// How many living agents have which key. In realms of older rules two may have the same.
pub(crate) struct Keys(Table<Hash, u32>);

impl Keys {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Table::new(seed))
    }

    pub(crate) fn contains(&self, key: &Hash) -> bool {
        self.0.contains(key)
    }

    pub(crate) fn add(&mut self, key: Hash) {
        let have = self.0.get(&key).copied().unwrap_or(0);
        self.0.insert(key, have.saturating_add(1));
    }

    pub(crate) fn remove(&mut self, key: Hash) {
        match self.0.get(&key).copied().unwrap_or(0) {
            0 | 1 => {
                self.0.remove(&key);
            }
            more => {
                self.0.insert(key, more - 1);
            }
        }
    }

    /// True if both say the same.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        let mut same = self.0.len() == other.0.len();
        self.0
            .for_each(|key, have| same &= other.0.get(key) == Some(have));
        same
    }
}

//! The ciphertext of a content.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 1 | form, 1 |
//! | 1 | 16 + n | salt and content, encrypted |
//! | end - 16 | 16 | tag |
//!
//! ChaCha20-Poly1305 (RFC 8439) with a nonce of zeros: a key encrypts one content and no other. The
//! hash that the facts name is authenticated with it, so that no ciphertext passes for another.
//! The salt is inside: without the key, the hash says nothing of guessable bytes.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::keys::Key;
use crate::{Hash, JournalError};

const FORM: u8 = 1;
const SALT_BYTES: usize = 16;
const TAG_BYTES: usize = 16;

fn cipher(key: &Key) -> Option<LessSafeKey> {
    let key = UnboundKey::new(&CHACHA20_POLY1305, key).ok()?;
    Some(LessSafeKey::new(key))
}

fn once() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

/// Encrypts a content under a key that was never used.
///
/// # Errors
/// `Io`, if the cipher refuses.
pub(crate) fn seal(
    key: &Key,
    hash: &Hash,
    salt: &[u8; SALT_BYTES],
    bytes: &[u8],
) -> Result<Vec<u8>, JournalError> {
    let failed = || JournalError::io("encrypt a content", std::io::Error::other("refused"));
    let mut plain = Vec::with_capacity(1 + SALT_BYTES + bytes.len() + TAG_BYTES);
    plain.push(FORM);
    plain.extend_from_slice(salt);
    plain.extend_from_slice(bytes);
    let (_, secret) = plain.split_at_mut(1);
    let tag = cipher(key)
        .and_then(|cipher| {
            let sealed = cipher.seal_in_place_separate_tag(once(), Aad::from(hash), secret);
            sealed.ok()
        })
        .ok_or_else(failed)?;
    plain.extend_from_slice(tag.as_ref());
    Ok(plain)
}

/// Salt and bytes of a content; nothing if this is not what the key encrypted for this hash.
pub(crate) fn open(
    key: &Key,
    hash: &Hash,
    mut sealed: Vec<u8>,
) -> Option<([u8; SALT_BYTES], Vec<u8>)> {
    if sealed.first() != Some(&FORM) {
        return None;
    }
    let (_, secret) = sealed.split_at_mut_checked(1)?;
    let plain = cipher(key)?
        .open_in_place(once(), Aad::from(hash), secret)
        .ok()?;
    let len = plain.len();
    let salt = *plain.first_chunk::<SALT_BYTES>()?;
    // Cut to the content in place: it may be large.
    sealed.truncate(1 + len);
    sealed.drain(..1 + SALT_BYTES);
    Some((salt, sealed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_opens_with_its_key_and_hash_only() {
        let (key, hash, salt) = ([1; 32], [2; 32], [3; 16]);
        for bytes in [&b""[..], b"hello", &[7; 5000]] {
            let sealed = seal(&key, &hash, &salt, bytes).unwrap();
            assert_eq!(sealed.len(), bytes.len() + 33);
            let opened = open(&key, &hash, sealed.clone());
            assert_eq!(opened, Some((salt, bytes.to_vec())));
            assert_eq!(open(&[9; 32], &hash, sealed.clone()), None);
            assert_eq!(open(&key, &[9; 32], sealed.clone()), None);
            for at in [0, 1, 17, sealed.len() - 1] {
                let mut bad = sealed.clone();
                bad[at] ^= 1;
                assert_eq!(open(&key, &hash, bad), None, "{at}");
            }
            for len in 0..20 {
                assert_eq!(open(&key, &hash, sealed[..len].to_vec()), None, "{len}");
            }
        }
    }

    /// Stored ciphertexts have these bytes: they may never change.
    #[test]
    fn form_1_is_frozen() {
        let sealed = seal(&[1; 32], &[2; 32], &[3; 16], b"hello").unwrap();
        let hex: String = sealed.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, FROZEN);
    }

    const FROZEN: &str =
        "0102244ed2ed5115c107f86a8eada7585181ee0363b247049d088aa2bc8c3a1c6e02c2bb1c76";
}

//! Bytes of one batch of entries: per entry the key's length and the value's length plus one (0 for
//! a removal), both u32 little endian, then the key, then the value.
//!
//! Decoding never panics.

/// A change of one entity in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) key: &'a [u8],
    pub(super) value: Option<&'a [u8]>,
}

const PREFIX_BYTES: usize = 8;

impl<'a> Entry<'a> {
    pub(super) fn encoded_bytes(&self) -> u32 {
        to_u32(PREFIX_BYTES + self.key.len() + self.value.map_or(0, <[u8]>::len))
    }

    /// Appends the entry and gives its offset. The caller bounds the batch below 4 GiB.
    pub(super) fn encode(&self, out: &mut Vec<u8>) -> u32 {
        let offset = to_u32(out.len());
        let value_mark = self.value.map_or(0, |value| to_u32(value.len() + 1));
        out.extend_from_slice(&to_u32(self.key.len()).to_le_bytes());
        out.extend_from_slice(&value_mark.to_le_bytes());
        out.extend_from_slice(self.key);
        out.extend_from_slice(self.value.unwrap_or_default());
        offset
    }

    fn decode(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (key_bytes, rest) = bytes.split_first_chunk::<4>()?;
        let (value_mark, rest) = rest.split_first_chunk::<4>()?;
        let (key, rest) = rest.split_at_checked(u32::from_le_bytes(*key_bytes) as usize)?;
        let Some(value_bytes) = u32::from_le_bytes(*value_mark).checked_sub(1) else {
            return Some((Self { key, value: None }, rest));
        };
        let (value, rest) = rest.split_at_checked(value_bytes as usize)?;
        Some((
            Self {
                key,
                value: Some(value),
            },
            rest,
        ))
    }
}

/// Splits a batch into its entries with their offsets; `None` if it is damaged.
pub(super) fn entries(bytes: &[u8]) -> Option<Vec<(u32, Entry<'_>)>> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let offset = to_u32(bytes.len() - rest.len());
        let (entry, after) = Entry::decode(rest)?;
        found.push((offset, entry));
        rest = after;
    }
    Some(found)
}

fn to_u32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn entries_give_back_what_was_encoded(changes: Vec<(Vec<u8>, Option<Vec<u8>>)>) {
            let mut bytes = Vec::new();
            let written: Vec<_> = changes
                .iter()
                .map(|(key, value)| {
                    let entry = Entry { key, value: value.as_deref() };
                    let before = bytes.len();
                    let offset = entry.encode(&mut bytes);
                    assert_eq!(bytes.len() - before, entry.encoded_bytes() as usize);
                    (offset, entry)
                })
                .collect();
            prop_assert_eq!(entries(&bytes), Some(written));
        }

        #[test]
        fn random_bytes_never_panic(bytes: Vec<u8>) {
            let _ = entries(&bytes);
        }
    }
}

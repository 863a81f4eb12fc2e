//! The CRC-32 and the length of a run of text, which together can be joined without the text.
//!
//! Owns the arithmetic only.

use crc32fast::Hasher;

/// CRC-32 and length of some text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Checksum {
    pub(super) crc: u32,
    pub(super) len_bytes: u64,
}

impl Checksum {
    /// Of no text.
    pub(super) const EMPTY: Self = Self { crc: 0, len_bytes: 0 };

    pub(super) fn of(text: &[u8]) -> Self {
        Self { crc: crc32fast::hash(text), len_bytes: text.len() as u64 }
    }

    /// Becomes the checksum of this text followed by the text of `next`. Costs about half a microsecond, which is
    /// why segments are gathered in groups.
    pub(super) fn append(&mut self, next: Self) {
        let mut hasher = Hasher::new_with_initial_len(self.crc, self.len_bytes);
        hasher.combine(&Hasher::new_with_initial_len(next.crc, next.len_bytes));
        *self = Self { crc: hasher.finalize(), len_bytes: self.len_bytes + next.len_bytes };
    }

    /// The checksum of `parts` with `separator` between them.
    pub(super) fn joined(parts: impl Iterator<Item = Self>, separator: &str) -> Self {
        let separator = Self::of(separator.as_bytes());
        parts
            .reduce(|mut whole, part| {
                whole.append(separator);
                whole.append(part);
                whole
            })
            .unwrap_or(Self::EMPTY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn joins_like_text(parts in prop::collection::vec(".{0,20}", 0..6), separator in ",?") {
            let joined = Checksum::joined(parts.iter().map(|part| Checksum::of(part.as_bytes())), &separator);
            prop_assert_eq!(joined, Checksum::of(parts.join(&separator).as_bytes()));
        }
    }
}

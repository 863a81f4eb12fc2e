//! How a blob's length divides into chunks, and which chunk holds a position. Pure arithmetic.
//!
//! redb stores a large value in a run of pages whose length is a power of two, and needs 20 bytes of it. A chunk of
//! 2^k - 20 bytes therefore wastes nothing. The end of a blob is split into ever smaller such pieces, down to a page.
//! What remains is split into crumbs, of which four share a page without waste.

/// Bytes of every chunk but those of the blob's tail.
pub const CHUNK_BYTES: usize = (1 << 18) - 20;

/// The largest piece that does not fill its pages alone.
const CRUMB_BYTES: usize = 1007;

/// Sizes of the pieces of a tail, largest first.
const PIECES: [usize; 7] =
    [(1 << 17) - 20, (1 << 16) - 20, (1 << 15) - 20, (1 << 14) - 20, (1 << 13) - 20, (1 << 12) - 20, CRUMB_BYTES];

/// Whether a chunk of `len` bytes shares its page with others.
pub(super) fn is_crumb(len: usize) -> bool {
    len <= CRUMB_BYTES
}

/// The lengths of the chunks of the last `tail_bytes` of a blob, which are fewer than [`CHUNK_BYTES`].
pub(super) fn tail_pieces(tail_bytes: usize) -> impl Iterator<Item = usize> {
    debug_assert!(tail_bytes < CHUNK_BYTES, "a tail is shorter than a chunk");
    let mut left = tail_bytes;
    std::iter::from_fn(move || {
        let piece = PIECES.into_iter().find(|piece| *piece <= left).unwrap_or(left);
        left -= piece;
        (piece > 0).then_some(piece)
    })
}

fn tail_of(size_bytes: u64) -> usize {
    // The remainder is below CHUNK_BYTES.
    (size_bytes % CHUNK_BYTES as u64) as usize
}

/// How many chunks a blob of `size_bytes` has.
pub(super) fn count(size_bytes: u64) -> u64 {
    size_bytes / CHUNK_BYTES as u64 + tail_pieces(tail_of(size_bytes)).count() as u64
}

/// The length of chunk `index` of a blob of `size_bytes`; 0 for a chunk it does not have.
pub(super) fn length(size_bytes: u64, index: u32) -> usize {
    let full = size_bytes / CHUNK_BYTES as u64;
    match u64::from(index).checked_sub(full) {
        None => CHUNK_BYTES,
        // A tail has few pieces, so that an index that does not fit is past its end as well.
        Some(piece) => tail_pieces(tail_of(size_bytes)).nth(usize::try_from(piece).unwrap_or(usize::MAX)).unwrap_or(0),
    }
}

/// The bytes of chunks `first..end` together.
pub(super) fn length_of_range(size_bytes: u64, first: u32, end: u32) -> u64 {
    position(size_bytes, end) - position(size_bytes, first)
}

/// Where chunk `index` begins; the blob's size for a chunk it does not have.
pub(super) fn position(size_bytes: u64, index: u32) -> u64 {
    let full = size_bytes / CHUNK_BYTES as u64;
    let Some(pieces) = u64::from(index).checked_sub(full) else { return u64::from(index) * CHUNK_BYTES as u64 };
    let pieces = usize::try_from(pieces).unwrap_or(usize::MAX);
    full * CHUNK_BYTES as u64 + tail_pieces(tail_of(size_bytes)).take(pieces).sum::<usize>() as u64
}

/// Which chunk holds the byte at `at` of a blob of `size_bytes`, and where in it.
pub(super) fn locate(size_bytes: u64, at: u64) -> (u32, usize) {
    let full = size_bytes / CHUNK_BYTES as u64;
    let index = at / CHUNK_BYTES as u64;
    if index < full {
        // The index of a chunk of a stored blob fits, and the remainder is below CHUNK_BYTES.
        return (index as u32, (at % CHUNK_BYTES as u64) as usize);
    }
    // A tail is shorter than a chunk.
    let mut rest = (at - full * CHUNK_BYTES as u64) as usize;
    let mut index = full as u32;
    for piece in tail_pieces(tail_of(size_bytes)) {
        if rest < piece {
            break;
        }
        rest -= piece;
        index += 1;
    }
    (index, rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(size: u64) -> Vec<usize> {
        (0..u32::try_from(count(size)).unwrap()).map(|index| length(size, index)).collect()
    }

    #[test]
    fn sizes_at_the_edges() {
        assert_eq!(all(0), [0; 0]);
        assert_eq!(all(1), [1]);
        assert_eq!(all(1007), [1007]);
        assert_eq!(all(1008), [1007, 1]);
        assert_eq!(all(4075), [1007, 1007, 1007, 1007, 47]);
        assert_eq!(all(5000), [4076, 924]);
        assert_eq!(all(16_363), [8172, 8172, 19]);
        assert_eq!(all(16_364), [16_364]);
        assert_eq!(all(16_365), [16_364, 1]);
        assert_eq!(all(262_123), [131_052, 131_052, 19]);
        assert_eq!(all(262_124), [262_124]);
        assert_eq!(all(262_125), [262_124, 1]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn chunks_add_up_and_positions_find_them(size in 0u64..3_000_000, at in 0u64..3_000_000) {
            let sizes = all(size);
            prop_assert_eq!(sizes.iter().sum::<usize>() as u64, size);
            let storable = |len: usize| is_crumb(len) || (len + 20).is_power_of_two();
            prop_assert!(sizes.iter().all(|len| *len > 0 && *len <= CHUNK_BYTES && storable(*len)));
            prop_assert!(sizes.iter().filter(|len| **len < CRUMB_BYTES).count() <= 1);
            prop_assert!(sizes.iter().filter(|len| is_crumb(**len)).count() <= 5);
            let mut start = 0;
            for (index, len) in sizes.iter().enumerate() {
                prop_assert_eq!(position(size, index as u32), start);
                start += *len as u64;
            }
            prop_assert_eq!(position(size, sizes.len() as u32 + 7), size);
            if at < size {
                let (index, offset) = locate(size, at);
                prop_assert_eq!(position(size, index) + offset as u64, at);
                prop_assert!(offset < sizes[index as usize]);
            }
        }
    }
}

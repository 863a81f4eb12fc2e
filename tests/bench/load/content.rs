//! Bytes to upload: made once, random enough that nothing about them compresses or repeats where it would matter.

/// What is written at a time.
const PIECE_BYTES: usize = 256 << 10;
/// A prime, so that the content of a large file begins anew at a different place of every block and chunk.
const POOL_BYTES: usize = 16_777_213;

/// A pool of random bytes that contents are cut from.
pub(crate) struct Pool(Vec<u8>);

impl Pool {
    pub(crate) fn new(seed: u64) -> Self {
        let mut state = Random::new(seed);
        let mut bytes = Vec::with_capacity(POOL_BYTES + 8);
        while bytes.len() < POOL_BYTES {
            bytes.extend_from_slice(&state.next().to_le_bytes());
        }
        bytes.truncate(POOL_BYTES);
        Self(bytes)
    }

    /// A content of any length, in pieces.
    pub(crate) fn pieces(&self, len_bytes: u64) -> impl Iterator<Item = &[u8]> {
        let (mut left, mut at) = (len_bytes, 0);
        std::iter::from_fn(move || {
            let want = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE_BYTES).min(self.0.len() - at);
            let piece = &self.0[at..at + want];
            left -= want as u64;
            at = (at + want) % self.0.len();
            (want > 0).then_some(piece)
        })
    }

    /// Some `len` bytes, not the same for two values of `place` below 2^64, since they begin with it.
    pub(crate) fn small(&self, place: u64, len: usize, into: &mut Vec<u8>) {
        let at = usize::try_from(place % (self.0.len() - len) as u64).unwrap_or(0);
        into.clear();
        into.extend_from_slice(&self.0[at..at + len]);
        let mark = place.to_le_bytes();
        let count = mark.len().min(len);
        into[..count].copy_from_slice(&mark[..count]);
    }
}

/// A small generator (xorshift64*), the same for the same seed.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

//! Decompresses one gzip member (RFC 1952) as it arrives, within a size, and knows the CRC-32 of what came out.
//!
//! Compressed data is hostile: a few kilobytes can claim to be terabytes, and bytes behind the member's end are
//! something else than what was asked for.

use std::io::{self, Write};

use flate2::{Decompress, FlushDecompress, Status};

use crate::model::Crc32;

/// Bytes decompressed at a time.
const BUFFER_BYTES: usize = 64 << 10;

/// Window of 32 KiB, the largest that deflate has.
const WINDOW_BITS: u8 = 15;

/// Why bytes are not the gzip member they should be.
#[derive(Debug, thiserror::Error)]
pub enum GunzipError {
    /// The data is not gzip, or is damaged.
    #[error("it is no valid gzip data ({0})")]
    Damaged(#[from] flate2::DecompressError),
    /// The data ends before the member does.
    #[error("its gzip data ends too early")]
    Truncated,
    /// Something follows the member.
    #[error("something follows its gzip data")]
    Trailing,
    /// More than the output may have.
    #[error("it decompresses to more than the {bytes_max} bytes this client accepts")]
    TooLarge {
        /// The limit.
        bytes_max: u64,
    },
    /// The decompressed bytes could not be kept.
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// A decompression under way.
pub struct Gunzip {
    inflate: Decompress,
    buffer: Box<[u8]>,
    bytes_max: u64,
    crc: crc32fast::Hasher,
    ended: bool,
}

/// What came out of a whole member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decompressed {
    /// How many bytes.
    pub size_bytes: u64,
    /// Their checksum.
    pub crc: Crc32,
}

impl Gunzip {
    /// Accepts at most `bytes_max` decompressed bytes.
    #[must_use]
    pub fn new(bytes_max: u64) -> Self {
        Self {
            inflate: Decompress::new_gzip(WINDOW_BITS),
            buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
            bytes_max,
            crc: crc32fast::Hasher::new(),
            ended: false,
        }
    }

    /// Takes the next compressed bytes and writes what comes out of them.
    ///
    /// # Errors
    /// [`GunzipError`]; after one, the decompression is over.
    pub fn push(&mut self, mut input: &[u8], output: &mut dyn Write) -> Result<(), GunzipError> {
        loop {
            if self.ended {
                return if input.is_empty() { Ok(()) } else { Err(GunzipError::Trailing) };
            }
            let (taken_before, made_before) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self.inflate.decompress(input, &mut self.buffer, FlushDecompress::None)?;
            // Both differences are bounded by the slices just given.
            let taken = (self.inflate.total_in() - taken_before) as usize;
            let made = (self.inflate.total_out() - made_before) as usize;
            input = &input[taken..];
            if self.inflate.total_out() > self.bytes_max {
                return Err(GunzipError::TooLarge { bytes_max: self.bytes_max });
            }
            self.crc.update(&self.buffer[..made]);
            output.write_all(&self.buffer[..made])?;
            self.ended = status == Status::StreamEnd;
            let buffer_was_full = made == self.buffer.len();
            if !self.ended && !buffer_was_full && (input.is_empty() || taken == 0) {
                return if input.is_empty() { Ok(()) } else { Err(GunzipError::Truncated) };
            }
        }
    }

    /// Ends it.
    ///
    /// # Errors
    /// If the member is not complete. Its own checksum and length were verified on the way (RFC 1952 section 2.3.1).
    pub fn finish(self) -> Result<Decompressed, GunzipError> {
        if !self.ended {
            return Err(GunzipError::Truncated);
        }
        Ok(Decompressed { size_bytes: self.inflate.total_out(), crc: Crc32(self.crc.finalize()) })
    }
}

/// Decompresses a whole member in memory.
///
/// # Errors
/// [`GunzipError`].
pub fn gunzip(compressed: &[u8], bytes_max: u64) -> Result<(Vec<u8>, Crc32), GunzipError> {
    let mut whole = Vec::new();
    let mut gunzip = Gunzip::new(bytes_max);
    gunzip.push(compressed, &mut whole)?;
    let crc = gunzip.finish()?.crc;
    Ok((whole, crc))
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn one_member_comes_out_as_it_went_in() {
        for text in [&b""[..], b"x", &[7; 200_000]] {
            assert_eq!(gunzip(&gzip(text), 200_000).unwrap(), (text.to_vec(), Crc32::of(text)));
        }
    }

    #[test]
    fn a_member_made_of_flushed_segments_is_one_member() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        for _ in 0..50 {
            encoder.write_all(&[b'a'; 5000]).unwrap();
            encoder.flush().unwrap();
        }
        assert_eq!(gunzip(&encoder.finish().unwrap(), 1 << 20).unwrap().0, [b'a'; 250_000]);
    }

    #[test]
    fn bombs_are_cut_off_at_the_limit() {
        let bomb = gzip(&vec![0; 50 << 20]);
        assert!(bomb.len() < 100_000);
        let mut written = Vec::new();
        let error = Gunzip::new(1 << 20).push(&bomb, &mut written).unwrap_err();
        assert!(matches!(error, GunzipError::TooLarge { bytes_max: 1_048_576 }), "{error}");
        assert!(written.len() <= 1 << 20);
        assert!(gunzip(&gzip(&[0; 100]), 99).is_err());
        assert!(gunzip(&gzip(&[0; 100]), 100).is_ok());
    }

    #[test]
    fn what_is_not_one_whole_member_is_refused() {
        let good = gzip(b"hello, hello, hello");
        for cut in 0..good.len() {
            assert!(matches!(gunzip(&good[..cut], 100), Err(GunzipError::Truncated)), "cut at {cut}");
        }
        let twice = [good.clone(), good.clone()].concat();
        assert!(matches!(gunzip(&twice, 100), Err(GunzipError::Trailing)));
        let tail = [good.clone(), vec![0]].concat();
        assert!(matches!(gunzip(&tail, 100), Err(GunzipError::Trailing)));
        assert!(matches!(gunzip(b"{\"files\": {}}", 100), Err(GunzipError::Damaged(_))));
        let mut wrong_sum = good;
        let at = wrong_sum.len() - 6;
        wrong_sum[at] ^= 1;
        assert!(matches!(gunzip(&wrong_sum, 100), Err(GunzipError::Damaged(_))));
    }

    #[test]
    fn a_full_disk_is_told_as_such() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let error = Gunzip::new(100).push(&gzip(b"x"), &mut Full).unwrap_err();
        assert!(matches!(error, GunzipError::Output(why) if why.kind() == io::ErrorKind::StorageFull));
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(bytes: Vec<u8>, size in 1usize..40) {
            let mut out = Vec::new();
            let mut gunzip = Gunzip::new(1 << 20);
            for piece in gzip(&bytes).chunks(size) {
                gunzip.push(piece, &mut out).unwrap();
            }
            prop_assert_eq!(gunzip.finish().unwrap().crc, Crc32::of(&bytes));
            prop_assert_eq!(out, bytes);
        }

        #[test]
        fn noise_never_panics(noise: Vec<u8>) {
            let with_header = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &noise].concat();
            let _ = gunzip(&noise, 1000);
            let _ = gunzip(&with_header, 1000);
        }
    }
}

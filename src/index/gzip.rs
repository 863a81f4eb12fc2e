//! Gzip (RFC 1952) and raw deflate (RFC 1951) as the index needs them: whole members, and the pieces of one member.
//!
//! Owns the framing and the compression levels; what the pieces hold and when they are made is decided elsewhere.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress, Status};

/// How hard to compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For what was just changed and somebody waits for.
    Fast,
    /// For what stays.
    Best,
}

impl Level {
    fn compression(self) -> Compression {
        match self {
            Self::Fast => Compression::new(1),
            // Measured on lines, summaries and hashes in pieces of 64 KiB: zlib-rs makes them larger at 9 than at 7,
            // and at 8 at most 1 % smaller for up to four times the time.
            Self::Best => Compression::new(7),
        }
    }
}

/// The header of every member: deflate, no flags, no time (so that the same text gives the same bytes), unknown
/// system (RFC 1952, section 2.3).
pub(crate) const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// The most bytes that one stored block can hold (RFC 1951, section 3.2.4).
const STORED_BLOCK_BYTES_MAX: usize = 65_535;

/// The trailer of a member whose text has this CRC-32 and length (modulo 2^32).
pub(crate) fn trailer(crc: u32, text_len_bytes: u64) -> [u8; 8] {
    // ISIZE is the length modulo 2^32 by definition.
    let size = text_len_bytes as u32;
    let mut trailer = [0; 8];
    trailer[..4].copy_from_slice(&crc.to_le_bytes());
    trailer[4..].copy_from_slice(&size.to_le_bytes());
    trailer
}

/// Appends `text` uncompressed, as stored blocks that begin and end at a byte boundary; nothing for no text.
pub(crate) fn store(text: &[u8], out: &mut Vec<u8>) {
    for block in text.chunks(STORED_BLOCK_BYTES_MAX) {
        store_block(block, false, out);
    }
}

/// Appends `text` as stored blocks, the last of which ends the deflate stream; an empty one for no text.
pub(crate) fn store_last(text: &[u8], out: &mut Vec<u8>) {
    let last_len = match text.len() % STORED_BLOCK_BYTES_MAX {
        0 => text.len().min(STORED_BLOCK_BYTES_MAX),
        rest => rest,
    };
    let (before, last) = text.split_at(text.len() - last_len);
    store(before, out);
    store_block(last, true, out);
}

fn store_block(block: &[u8], last: bool, out: &mut Vec<u8>) {
    // The callers cut at 65,535 bytes.
    let len = block.len() as u16;
    out.push(u8::from(last));
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&(!len).to_le_bytes());
    out.extend_from_slice(block);
}

/// Appends `text` deflated on its own: it refers to nothing before it, ends at a byte boundary with an empty stored
/// block (a flush), and is not the end of the stream, so any number of these may follow each other.
pub(crate) fn deflate_flushed(text: &[u8], level: Level, out: &mut Vec<u8>) {
    out.reserve(deflated_bound_bytes(text.len()));
    with_state(level, |compress| drive(compress, text, FlushCompress::Full, out));
}

/// One whole member with the text of all `texts`, the tightest form for a file of at most a few segments.
pub(crate) fn member<'a>(texts: impl Iterator<Item = &'a str>, crc: u32, text_len_bytes: u64, level: Level) -> Bytes {
    let bound = usize::try_from(text_len_bytes).map_or(0, deflated_bound_bytes);
    let mut out = Vec::with_capacity(HEADER.len() + bound + 8);
    out.extend_from_slice(&HEADER);
    with_state(level, |compress| {
        for text in texts {
            drive(compress, text.as_bytes(), FlushCompress::None, &mut out);
        }
        drive(compress, b"", FlushCompress::Finish, &mut out);
    });
    out.extend_from_slice(&trailer(crc, text_len_bytes));
    exact(out)
}

/// `text` as one whole member.
#[must_use]
pub fn compress(text: &str, level: Level) -> Bytes {
    member(std::iter::once(text), crc32fast::hash(text.as_bytes()), text.len() as u64, level)
}

/// Deflate states at rest, by level. To make one takes 45 µs, three times as long as to deflate a small package's
/// lines; to reset one takes next to nothing.
static AT_REST: [Mutex<Vec<Compress>>; 2] = [const { Mutex::new(Vec::new()) }; 2];

/// The most states at rest, of about 300 KB each, for one level.
const AT_REST_MAX: usize = 2;

/// Does `work` with a fresh deflate state.
fn with_state(level: Level, work: impl FnOnce(&mut Compress)) {
    let at_rest = || AT_REST[level as usize].lock().unwrap_or_else(PoisonError::into_inner);
    let rested = at_rest().pop();
    let mut compress = rested.unwrap_or_else(|| Compress::new(level.compression(), false));
    compress.reset();
    work(&mut compress);
    let mut at_rest = at_rest();
    if at_rest.len() < AT_REST_MAX {
        at_rest.push(compress);
    }
}

/// Takes over `bytes` without the capacity that they do not use: index files stay in memory for long.
pub(crate) fn exact(mut bytes: Vec<u8>) -> Bytes {
    bytes.shrink_to_fit();
    Bytes::from(bytes)
}

/// Room that deflate never exceeds in practice, so that one call does it all; [`drive`] grows it otherwise.
const fn deflated_bound_bytes(text_len_bytes: usize) -> usize {
    text_len_bytes + text_len_bytes / 8 + 64
}

/// Feeds all of `input` and then performs `flush`.
#[expect(clippy::expect_used, reason = "deflate fails only on a corrupted state, and this state is never shared")]
fn drive(compress: &mut Compress, input: &[u8], flush: FlushCompress, out: &mut Vec<u8>) {
    let begin = compress.total_in();
    loop {
        // A flush that ends exactly with the room would be written twice; with room to spare it is known to be done.
        out.reserve(64);
        // What was consumed is at most the length of `input`.
        let rest = &input[(compress.total_in() - begin) as usize..];
        let status = compress.compress_vec(rest, out, flush).expect("deflating from memory");
        let consumed = compress.total_in() - begin == input.len() as u64;
        let done = match flush {
            FlushCompress::Finish => status == Status::StreamEnd,
            _ => consumed && out.len() < out.capacity(),
        };
        if done {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Read;

    fn decompressed(member: &[u8]) -> Vec<u8> {
        let mut decoder = flate2::bufread::GzDecoder::new(member);
        let mut text = Vec::new();
        decoder.read_to_end(&mut text).unwrap();
        assert!(decoder.into_inner().is_empty(), "bytes after the first member");
        text
    }

    fn framed(blocks: &[u8], text: &[u8]) -> Vec<u8> {
        [&HEADER[..], blocks, &trailer(crc32fast::hash(text), text.len() as u64)].concat()
    }

    #[test]
    fn a_small_file_is_one_tight_member() {
        let text = "1.0.0 {\"package\":{\"size\":812}}\n";
        let member = compress(text, Level::Best);
        assert_eq!(decompressed(&member), text.as_bytes());
        assert!(member.len() <= 18 + text.len() + 2, "{} bytes", member.len());
        assert_eq!(decompressed(&compress("", Level::Fast)), b"");
    }

    #[test]
    fn a_used_state_compresses_like_a_new_one() {
        let text = "1.0.0 {\"package\":{\"size\":812}}\n".repeat(9);
        let first = compress(&text, Level::Best);
        for other in ["", "x", &text.repeat(5_000)] {
            let _ = compress(other, Level::Best);
            assert_eq!(compress(&text, Level::Best), first);
        }
    }

    #[test]
    fn stored_texts_of_any_length_end_the_stream() {
        for len in [0, 1, 65_534, 65_535, 65_536, 131_070, 131_071] {
            let text = vec![b'x'; len];
            let mut blocks = Vec::new();
            store_last(&text, &mut blocks);
            assert_eq!(decompressed(&framed(&blocks, &text)), text, "{len}");
            let mut blocks = Vec::new();
            store(&text, &mut blocks);
            store_last(b"}", &mut blocks);
            let text = [&text[..], b"}"].concat();
            assert_eq!(decompressed(&framed(&blocks, &text)), text, "{len}");
        }
    }

    proptest! {
        #[test]
        fn flushed_pieces_follow_each_other(
            pieces in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..3_000), any::<bool>()), 0..8),
        ) {
            let mut blocks = Vec::new();
            for (piece, best) in &pieces {
                deflate_flushed(piece, if *best { Level::Best } else { Level::Fast }, &mut blocks);
            }
            store_last(b"", &mut blocks);
            let text: Vec<u8> = pieces.into_iter().flat_map(|(piece, _)| piece).collect();
            prop_assert_eq!(decompressed(&framed(&blocks, &text)), text);
        }
    }
}

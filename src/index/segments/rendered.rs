//! A file as it is sent: the parts of one gzip member, their length and their entity tag.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

use super::checksum::Checksum;
use super::layout::Layout;
use super::segment::Segment;
use crate::index::gzip::{self, Level};
use crate::model::Crc32;

/// The bytes of a file at one level of compression of each of its segments. Immutable.
pub struct Rendered {
    parts: Arc<[Bytes]>,
    len_bytes: u64,
    etag: String,
    pub(super) level: Level,
    met: AtomicBool,
}

impl Rendered {
    /// The bytes, to be sent one after the other; they are shared with other renderings, and the list with all who
    /// send it.
    #[must_use]
    pub fn parts(&self) -> &Arc<[Bytes]> {
        &self.parts
    }

    /// How many bytes all parts have.
    #[must_use]
    pub fn len_bytes(&self) -> u64 {
        self.len_bytes
    }

    /// The strong entity tag (RFC 9110, section 8.8.3) with its quotes: CRC-32 and length of the text, and a checksum
    /// of the compressed bytes, which differ by level and by where segments begin while the text stays the same.
    #[must_use]
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// The text as one member, deflated as a whole.
    pub(super) fn whole<'a>(texts: impl Iterator<Item = &'a str>, checksum: Checksum, level: Level) -> Self {
        Self::of_member(gzip::member(texts, checksum.crc, checksum.len_bytes, level), checksum, level)
    }

    /// A file that is one gzip member already, of a text with this CRC-32 and length, compressed at its best.
    pub(crate) fn best(member: Bytes, crc: Crc32, text_len_bytes: u64) -> Self {
        Self::of_member(member, Checksum { crc: crc.0, len_bytes: text_len_bytes }, Level::Best)
    }

    fn of_member(member: Bytes, checksum: Checksum, level: Level) -> Self {
        let mark = crc32fast::hash(&member);
        Self::new(vec![member], checksum, mark, level)
    }

    /// The segments, each deflated on its own, between `head` and `tail` as stored text.
    pub(super) fn segmented<'a, L: Layout>(
        head: &str,
        segments: impl Iterator<Item = &'a Segment<L>>,
        tail: &str,
        checksum: Checksum,
    ) -> Self {
        let mut level = Level::Best;
        let mut mark = crc32fast::Hasher::new();
        let mut front = gzip::HEADER.to_vec();
        gzip::store(head.as_bytes(), &mut front);
        let mut parts = vec![gzip::exact(front)];
        for (at, segment) in segments.enumerate() {
            let deflated = segment.deflated();
            level = level.min(deflated.level);
            mark.update(&deflated.crc.to_le_bytes());
            parts.push(deflated.part(at == 0));
        }
        let mut back = Vec::new();
        gzip::store_last(tail.as_bytes(), &mut back);
        back.extend_from_slice(&gzip::trailer(checksum.crc, checksum.len_bytes));
        parts.push(gzip::exact(back));
        Self::new(parts, checksum, mark.finalize(), level)
    }

    fn new(parts: Vec<Bytes>, checksum: Checksum, mark: u32, level: Level) -> Self {
        let len_bytes = parts.iter().map(|part| part.len() as u64).sum();
        let etag = format!("\"{:08x}-{:x}-{mark:08x}\"", checksum.crc, checksum.len_bytes);
        Self { parts: parts.into(), len_bytes, etag, level, met: AtomicBool::new(false) }
    }

    /// Whether the best level is due: this is not the first round of improvement that meets it.
    pub(super) fn improvement_due(&self) -> bool {
        self.level < Level::Best && self.met.swap(true, Ordering::Relaxed)
    }
}

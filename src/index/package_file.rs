//! The file `packages/FULLNAME.gz`: a line per package id.
//!
//! Holds the lines as compressed bytes alone, since there is one of these per package; as text only until they are
//! first read or have lasted, so that releases that follow each other compress nothing, and of the few long ones in
//! segments, so that a release in one of them does not compress all of it again. Lines can be let go and filled in
//! again, since those of all packages together would take more memory than all else.

use std::fmt;
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use flate2::read::GzDecoder;

use super::gzip::{self, Level};
use super::kit::KitHash;
use super::segments::{Lines, Rendered, SegmentedText};
use crate::model::Crc32;

/// Lines up to this size are compressed as a whole, at the best level: 17 µs for ten lines, 100 µs for the largest.
const SHORT_BYTES_MAX: usize = 16 << 10;

/// A package's lines on the channels that have the same ones. Immutable.
///
/// Its checksum is known from the beginning; the lines may be filled in later, since a start cannot wait for the
/// lines of all packages.
pub struct PackageFile {
    full_name: Arc<str>,
    crc32: Crc32,
    text_len_bytes: u64,
    content: ArcSwapOption<Content>,
    /// Whether somebody has read the lines since [`PackageFile::was_read`] was last asked.
    read: AtomicBool,
    /// The hash in the second dialect, once somebody has asked.
    pub(super) kit_hash: OnceLock<KitHash>,
}

enum Content {
    Short(Short),
    Long(SegmentedText<Lines>),
}

/// Lines that become one gzip member at the best level when somebody asks for it, and are forgotten then.
struct Short {
    text: Mutex<String>,
    member: OnceLock<Bytes>,
}

impl Short {
    fn member(&self) -> &Bytes {
        self.member.get_or_init(|| {
            let text = std::mem::take(&mut *self.text.lock().unwrap_or_else(PoisonError::into_inner));
            gzip::compress(&text, Level::Best)
        })
    }

    /// About how much memory it takes.
    fn size_bytes(&self) -> usize {
        match self.member.get() {
            Some(member) => member.len(),
            None => self.text.lock().unwrap_or_else(PoisonError::into_inner).capacity(),
        }
    }

    fn text(&self) -> Option<String> {
        let text = self.text.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if !text.is_empty() {
            return Some(text);
        }
        let mut text = String::new();
        GzDecoder::new(&self.member()[..]).read_to_string(&mut text).ok()?;
        Some(text)
    }
}

impl PackageFile {
    /// The file with these lines, which have no line feeds in or behind them. There is at least one.
    pub(super) fn new<'a>(full_name: Arc<str>, lines: impl Iterator<Item = &'a str> + Clone) -> Self {
        let len: usize = lines.clone().map(|line| line.len() + 1).sum();
        if len > SHORT_BYTES_MAX {
            let text = SegmentedText::of("", lines, "\n");
            let (crc32, text_len_bytes) = (text.crc32(), text.text_len_bytes());
            return Self::filled(full_name, crc32, text_len_bytes, Content::Long(text));
        }
        let mut text = String::with_capacity(len);
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        let (crc32, text_len_bytes) = (Crc32::of(text.as_bytes()), text.len() as u64);
        let short = Short { text: Mutex::new(text), member: OnceLock::new() };
        Self::filled(full_name, crc32, text_len_bytes, Content::Short(short))
    }

    fn filled(full_name: Arc<str>, crc32: Crc32, text_len_bytes: u64, content: Content) -> Self {
        let unfilled = Self::unfilled(full_name, crc32, text_len_bytes);
        unfilled.content.store(Some(Arc::new(content)));
        unfilled
    }

    /// A file of which no more is known than its checksum and length; see [`PackageFile::fill`].
    #[must_use]
    pub fn unfilled(full_name: Arc<str>, crc32: Crc32, text_len_bytes: u64) -> Self {
        let (content, read) = (ArcSwapOption::empty(), AtomicBool::new(false));
        Self { full_name, crc32, text_len_bytes, content, read, kit_hash: OnceLock::new() }
    }

    /// The same file as it is before its lines are filled in.
    pub(super) fn without_lines(&self) -> Self {
        Self::unfilled(self.shared_name(), self.crc32, self.text_len_bytes)
    }

    /// Takes over the lines of the same file rendered elsewhere. Returns whether this file has its lines now; it
    /// refuses those of another state of the package.
    pub fn fill(&self, rendered: &Self) -> bool {
        if !self.is_filled()
            && self.has_checksum_of(rendered)
            && let Some(content) = rendered.content.load_full()
        {
            // Whoever came first or comes last sets the same.
            self.content.store(Some(content));
        }
        self.is_filled()
    }

    /// Whether its lines are there.
    #[must_use]
    pub fn is_filled(&self) -> bool {
        self.content.load().is_some()
    }

    /// Lets the lines go. Who needs them again has to fill them in.
    pub(super) fn empty(&self) {
        self.content.store(None);
    }

    /// Whether somebody has read the lines since this was last asked.
    pub(super) fn was_read(&self) -> bool {
        self.read.swap(false, Ordering::Relaxed)
    }

    /// About how much memory the lines take.
    pub(super) fn lines_bytes(&self) -> usize {
        size_of::<Content>()
            + match self.content.load().as_deref() {
                Some(Content::Short(short)) => short.size_bytes(),
                // The text, and what is compressed of it.
                Some(Content::Long(text)) => {
                    let compressed = text.rendered().map_or(0, |rendered| rendered.len_bytes());
                    usize::try_from(self.text_len_bytes + compressed).unwrap_or(usize::MAX)
                }
                None => return 0,
            }
    }

    /// The decompressed file; none where its lines are not filled in.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self.content.load_full().as_deref()? {
            Content::Short(short) => short.text(),
            Content::Long(text) => Some(text.texts().collect()),
        }
    }

    /// The package's full name.
    #[must_use]
    pub fn full_name(&self) -> &str {
        &self.full_name
    }

    pub(super) fn shared_name(&self) -> Arc<str> {
        Arc::clone(&self.full_name)
    }

    /// The CRC-32 of the decompressed file.
    #[must_use]
    pub fn crc32(&self) -> Crc32 {
        self.crc32
    }

    /// The length of the decompressed file in bytes.
    #[must_use]
    pub fn text_len_bytes(&self) -> u64 {
        self.text_len_bytes
    }

    /// The file as it is sent, unless that takes compressing first or its lines are not filled in. Never waits.
    #[must_use]
    pub fn rendered(&self) -> Option<Arc<Rendered>> {
        self.note_read();
        match self.content.load().as_deref()? {
            Content::Short(short) => short.member.get().map(|member| self.of_member(member)),
            Content::Long(text) => text.rendered(),
        }
    }

    /// The file as it is sent; none where its lines are not filled in. Compresses what changed of a long file, up to
    /// some milliseconds: a task must not call this where it may not block.
    #[must_use]
    pub fn render(&self) -> Option<Arc<Rendered>> {
        self.note_read();
        match self.content.load_full().as_deref()? {
            Content::Short(short) => Some(self.of_member(short.member())),
            Content::Long(text) => Some(text.render()),
        }
    }

    fn note_read(&self) {
        // Where it is noted already, a write would only take the line of the cache from other threads.
        if !self.read.load(Ordering::Relaxed) {
            self.read.store(true, Ordering::Relaxed);
        }
    }

    fn of_member(&self, member: &Bytes) -> Arc<Rendered> {
        Arc::new(Rendered::best(member.clone(), self.crc32, self.text_len_bytes))
    }

    /// Compresses short lines that are not yet, so that they take no more memory than they must.
    pub(super) fn compress_short(&self) {
        if let Some(Content::Short(short)) = self.content.load_full().as_deref() {
            short.member();
        }
    }

    /// One round of improvement; see [`SegmentedText::improve`].
    pub(super) fn improve(&self, segments_max: usize) -> usize {
        match self.content.load_full().as_deref() {
            Some(Content::Long(text)) => text.improve(segments_max),
            Some(Content::Short(short)) if segments_max > 0 && short.member.get().is_none() => {
                short.member();
                1
            }
            _ => 0,
        }
    }

    /// Whether improvement has nothing left to do.
    pub(super) fn is_best(&self) -> bool {
        match self.content.load().as_deref() {
            Some(Content::Long(text)) => text.is_best(),
            Some(Content::Short(short)) => short.member.get().is_some(),
            None => true,
        }
    }

    fn has_checksum_of(&self, other: &Self) -> bool {
        (self.crc32, self.text_len_bytes) == (other.crc32, other.text_len_bytes)
    }

    /// Whether both have the same lines, as far as both have any.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.has_checksum_of(other)
            && match (self.content.load_full().as_deref(), other.content.load_full().as_deref()) {
                (Some(Content::Short(left)), Some(Content::Short(right))) => left.member() == right.member(),
                (Some(Content::Long(left)), Some(Content::Long(right))) => left.entries().eq(right.entries()),
                _ => true,
            }
    }

    /// This file as it follows `old` in a view: `old` itself where nothing has changed, or else a file that shares
    /// with it what has not.
    pub(super) fn following(self: &Arc<Self>, old: &Arc<Self>) -> Arc<Self> {
        if self.is_same(old) {
            old.fill(self);
            return Arc::clone(old);
        }
        let (new, former) = (self.content.load_full(), old.content.load_full());
        let (Some(Content::Long(text)), Some(Content::Long(old_text))) = (new.as_deref(), former.as_deref()) else {
            return Arc::clone(self);
        };
        let content = Content::Long(text.sharing(old_text));
        Arc::new(Self::filled(old.shared_name(), self.crc32, self.text_len_bytes, content))
    }
}

impl fmt::Debug for PackageFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PackageFile")
            .field("full_name", &self.full_name)
            .field("crc32", &self.crc32)
            .field("text_len_bytes", &self.text_len_bytes)
            .finish_non_exhaustive()
    }
}

//! The file `packages/FULLNAME.gz`: a line per package id.
//!
//! Holds the lines as compressed bytes alone, since there is one of these per package; as text only until they are
//! first read or have lasted, so that releases that follow each other compress nothing, and the few long ones always,
//! in segments, so that a release in one of them does not compress all of it again.

use std::fmt;
use std::io::Read;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

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
    content: OnceLock<Content>,
    /// The hash in the second dialect, once somebody has asked.
    pub(super) kit_hash: OnceLock<KitHash>,
}

#[derive(Clone)]
enum Content {
    Short(Arc<Short>),
    Long(Box<SegmentedText<Lines>>),
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
            let content = Content::Long(Box::new(text)).into();
            return Self { full_name, crc32, text_len_bytes, content, kit_hash: OnceLock::new() };
        }
        let mut text = String::with_capacity(len);
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        let (crc32, text_len_bytes) = (Crc32::of(text.as_bytes()), text.len() as u64);
        let short = Short { text: Mutex::new(text), member: OnceLock::new() };
        let content = Content::Short(Arc::new(short)).into();
        Self { full_name, crc32, text_len_bytes, content, kit_hash: OnceLock::new() }
    }

    /// A file of which no more is known than its checksum and length; see [`PackageFile::fill`].
    #[must_use]
    pub fn unfilled(full_name: Arc<str>, crc32: Crc32, text_len_bytes: u64) -> Self {
        Self { full_name, crc32, text_len_bytes, content: OnceLock::new(), kit_hash: OnceLock::new() }
    }

    /// Takes over the lines of the same file rendered elsewhere. Returns whether this file has its lines now; it
    /// refuses those of another state of the package.
    pub fn fill(&self, rendered: &Self) -> bool {
        if self.content.get().is_none()
            && self.has_checksum_of(rendered)
            && let Some(content) = rendered.content.get()
        {
            // Whoever came first set the same.
            let _ = self.content.set(content.clone());
        }
        self.content.get().is_some()
    }

    /// Whether its lines are there.
    #[must_use]
    pub fn is_filled(&self) -> bool {
        self.content.get().is_some()
    }

    /// The decompressed file; none where its lines are not filled in.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self.content.get()? {
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
        match self.content.get()? {
            Content::Short(short) => short.member.get().map(|member| self.of_member(member)),
            Content::Long(text) => text.rendered(),
        }
    }

    /// The file as it is sent; none where its lines are not filled in. Compresses what changed of a long file, up to
    /// some milliseconds: a task must not call this where it may not block.
    #[must_use]
    pub fn render(&self) -> Option<Arc<Rendered>> {
        match self.content.get()? {
            Content::Short(short) => Some(self.of_member(short.member())),
            Content::Long(text) => Some(text.render()),
        }
    }

    fn of_member(&self, member: &Bytes) -> Arc<Rendered> {
        Arc::new(Rendered::best(member.clone(), self.crc32, self.text_len_bytes))
    }

    /// Compresses short lines that are not yet, so that they take no more memory than they must.
    pub(super) fn compress_short(&self) {
        if let Some(Content::Short(short)) = self.content.get() {
            short.member();
        }
    }

    /// One round of improvement; see [`SegmentedText::improve`].
    pub(super) fn improve(&self, segments_max: usize) -> usize {
        match self.content.get() {
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
        match self.content.get() {
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
            && match (self.content.get(), other.content.get()) {
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
        let (Some(Content::Long(text)), Some(Content::Long(old_text))) = (self.content.get(), old.content.get()) else {
            return Arc::clone(self);
        };
        Arc::new(Self {
            full_name: old.shared_name(),
            crc32: self.crc32,
            text_len_bytes: self.text_len_bytes,
            content: Content::Long(Box::new(text.sharing(old_text))).into(),
            kit_hash: OnceLock::new(),
        })
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

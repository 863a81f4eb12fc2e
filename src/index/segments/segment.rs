//! A segment: a run of neighbouring entries as one text, with its checksum and its deflated form.
//!
//! Does not depend on where in the file it stands, so a change elsewhere never touches it.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering as Memory};

use bytes::Bytes;

use super::balance::{Node, Run, size_max, size_min};
use super::changes::Changes;
use super::checksum::Checksum;
use super::layout::{Keyed, Layout};
use super::lazy::Lazy;
use crate::index::gzip::{self, Level};

/// See the module. Never empty.
pub(super) struct Segment<L> {
    /// The entries with separators between them, none at the ends.
    text: Box<str>,
    /// Where the entries begin.
    starts: Box<[u32]>,
    checksum: Checksum,
    deflated: Lazy<Deflated>,
    layout: PhantomData<fn() -> L>,
}

/// A segment's part of a gzip member.
pub(super) struct Deflated {
    /// The separator as a stored block, then the text up to a flush.
    bytes: Bytes,
    /// How many of the bytes are the separator's.
    separator_len: usize,
    pub(super) crc: u32,
    pub(super) level: Level,
    /// Whether a round of improvement has met it, so that it is known to last.
    met: AtomicBool,
}

impl Deflated {
    fn new<L: Layout>(text: &str, level: Level) -> Self {
        let mut bytes = Vec::new();
        gzip::store(L::SEPARATOR.as_bytes(), &mut bytes);
        let separator_len = bytes.len();
        gzip::deflate_flushed(text.as_bytes(), level, &mut bytes);
        let crc = crc32fast::hash(&bytes);
        Self { bytes: gzip::exact(bytes), separator_len, crc, level, met: AtomicBool::new(false) }
    }

    /// The bytes as they stand in a file, where only the first segment has no separator before it.
    pub(super) fn part(&self, first: bool) -> Bytes {
        if first { self.bytes.slice(self.separator_len..) } else { self.bytes.clone() }
    }
}

impl<L: Layout> Segment<L> {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn checksum(&self) -> Checksum {
        self.checksum
    }

    pub(super) fn entry_count(&self) -> usize {
        self.starts.len()
    }

    pub(super) fn entries(&self) -> impl DoubleEndedIterator<Item = &str> {
        (0..self.starts.len()).map(|at| self.entry(at))
    }

    pub(super) fn first_entry(&self) -> &str {
        self.entry(0)
    }

    fn entry(&self, at: usize) -> &str {
        &self.text[entry_range::<L>(&self.starts, self.text.len(), at)]
    }

    /// The deflated form; made fast where there is none, and all who ask meanwhile wait for it.
    pub(super) fn deflated(&self) -> Arc<Deflated> {
        self.deflated.get_or_make(|| Deflated::new::<L>(&self.text, Level::Fast))
    }

    /// Whether the best level is due: the segment was read, and this is not the first round that meets it.
    pub(super) fn improvement_due(&self) -> bool {
        self.deflated.get().is_some_and(|now| now.level < Level::Best && now.met.swap(true, Memory::Relaxed))
    }

    /// Deflates again at the best level.
    pub(super) fn improve(&self) {
        self.deflated.replace(Deflated::new::<L>(&self.text, Level::Best));
    }
}

impl<L: Keyed> Segment<L> {
    pub(super) fn get(&self, key: &L::Key) -> Option<&str> {
        self.find(key, 0).ok().map(|at| self.entry(at))
    }

    /// Where among the entries from `from` on the key is, or would be.
    fn find(&self, key: &L::Key, from: usize) -> Result<usize, usize> {
        let (mut low, mut high) = (from, self.starts.len());
        while low < high {
            let middle = low.midpoint(high);
            match L::compare(key, self.entry(middle)) {
                Ordering::Less => high = middle,
                Ordering::Greater => low = middle + 1,
                Ordering::Equal => return Ok(middle),
            }
        }
        Err(low)
    }

    /// Appends to `runs` what becomes of this segment when the changes before the entry `end` are made: itself where
    /// they change nothing.
    pub(super) fn splice<K, T>(
        self: &Arc<Self>,
        changes: &mut Changes<K, T>,
        end: Option<&str>,
        runs: &mut Vec<Run<Self>>,
    ) where
        K: Borrow<L::Key>,
        T: AsRef<str>,
    {
        let mut draft = Draft::default();
        let mut changed = false;
        let mut from = 0;
        // Most changes come alone and change little; a bulk may grow beyond this room.
        const ROOM_BYTES: usize = 1 << 10;
        while let Some((key, text)) = changes.next_before::<L>(end) {
            let (at, next) = match self.find(key.borrow(), from) {
                Ok(at) if text.as_ref().is_some_and(|text| text.as_ref() == self.entry(at)) => continue,
                Ok(at) => (at, at + 1),
                Err(_) if text.is_none() => continue,
                Err(at) => (at, at),
            };
            if !changed {
                draft.text.reserve_exact(self.text.len() + ROOM_BYTES);
                draft.starts.reserve_exact(self.starts.len() + 1);
                changed = true;
            }
            draft.copy(self, from..at);
            from = next;
            if let Some(text) = text {
                draft.push::<L>(text.as_ref());
            }
            draft.spill(runs);
        }
        if !changed {
            runs.push(Run::Kept(Arc::clone(self)));
            return;
        }
        draft.copy(self, from..self.starts.len());
        runs.push(Run::Open(draft));
    }
}

/// Appends segments of these entries.
pub(super) fn gather<L: Layout>(entries: impl IntoIterator<Item: AsRef<str>>, runs: &mut Vec<Run<Segment<L>>>) {
    let mut draft = Draft::default();
    for entry in entries {
        draft.push::<L>(entry.as_ref());
        draft.spill(runs);
    }
    runs.push(Run::Open(draft));
}

/// A segment that is being made.
#[derive(Default)]
pub(super) struct Draft {
    text: String,
    starts: Vec<u32>,
}

impl Draft {
    /// Room for the next entry, which begins where this returns.
    fn begin<L: Layout>(&mut self) -> usize {
        if !self.starts.is_empty() {
            self.text.push_str(L::SEPARATOR);
        }
        self.text.len()
    }

    fn push<L: Layout>(&mut self, entry: &str) {
        debug_assert!(!entry.is_empty(), "a draft without text counts as one without entries");
        let start = self.begin::<L>();
        self.starts.push(offset(start));
        self.text.push_str(entry);
    }

    /// Appends entries of a segment, together.
    fn copy<L: Layout>(&mut self, segment: &Segment<L>, entries: Range<usize>) {
        self.copy_from::<L>(&segment.text, &segment.starts, entries);
    }

    fn copy_from<L: Layout>(&mut self, text: &str, starts: &[u32], entries: Range<usize>) {
        if entries.is_empty() {
            return;
        }
        let from = starts[entries.start] as usize;
        let to = entry_range::<L>(starts, text.len(), entries.end - 1).end;
        let start = self.begin::<L>();
        self.starts.extend(starts[entries].iter().map(|old| offset(*old as usize - from + start)));
        self.text.push_str(&text[from..to]);
    }

    /// Hands over what is there when it is several segments' worth, so that a bulk of changes makes no giant text.
    fn spill<L: Layout>(&mut self, runs: &mut Vec<Run<Segment<L>>>) {
        if self.text.len() >= 4 * L::SEGMENT_BYTES {
            runs.push(Run::Open(std::mem::take(self)));
        }
    }
}

impl<L: Layout> Node for Segment<L> {
    type Draft = Draft;

    const SIZE_MIN: usize = size_min(L::SEGMENT_BYTES);

    fn size(&self) -> usize {
        self.text.len()
    }

    fn draft_size(draft: &Draft) -> usize {
        draft.text.len()
    }

    fn open(&self) -> Draft {
        Draft { text: self.text.to_string(), starts: self.starts.to_vec() }
    }

    fn join(left: &mut Draft, right: Draft) {
        left.copy_from::<L>(&right.text, &right.starts, 0..right.starts.len());
    }

    fn seal(draft: Draft, row: &mut Vec<Arc<Self>>) {
        let mut from = 0;
        while let Some(cut) = cut::<L>(&draft, from) {
            let mut piece = Draft::default();
            piece.copy_from::<L>(&draft.text, &draft.starts, from..cut);
            row.push(Arc::new(piece.into()));
            from = cut;
        }
        let rest = match from {
            0 => draft,
            _ => {
                let mut rest = Draft::default();
                rest.copy_from::<L>(&draft.text, &draft.starts, from..draft.starts.len());
                rest
            }
        };
        row.push(Arc::new(rest.into()));
    }
}

impl<L: Layout> From<Draft> for Segment<L> {
    fn from(draft: Draft) -> Self {
        Self {
            checksum: Checksum::of(draft.text.as_bytes()),
            text: draft.text.into_boxed_str(),
            starts: draft.starts.into_boxed_slice(),
            deflated: Lazy::new(),
            layout: PhantomData,
        }
    }
}

/// The entry before which to cut what lies from the entry `from` on, or none where it is fine in one piece: the
/// boundary nearest to an even share that leaves neither side small. Only an entry larger than the smallest segment
/// can be in the way of that.
fn cut<L: Layout>(draft: &Draft, from: usize) -> Option<usize> {
    let begin = *draft.starts.get(from)? as usize;
    let rest = draft.text.len() - begin;
    if rest <= size_max(L::SEGMENT_BYTES) {
        return None;
    }
    let share = rest / rest.div_ceil(L::SEGMENT_BYTES);
    let goal = begin + share;
    let after = draft.starts.partition_point(|start| (*start as usize) < goal);
    let size_min = size_min(L::SEGMENT_BYTES);
    [after - 1, after]
        .into_iter()
        .filter_map(|at| Some((at, *draft.starts.get(at)? as usize)))
        .filter(|(_, start)| start.saturating_sub(begin + L::SEPARATOR.len()) >= size_min)
        .filter(|(_, start)| draft.text.len() - start >= size_min)
        .min_by_key(|(_, start)| start.abs_diff(goal))
        .map(|(at, _)| at)
}

/// Where the entry `at` lies in a text of `len` bytes.
fn entry_range<L: Layout>(starts: &[u32], len: usize, at: usize) -> Range<usize> {
    let end = starts.get(at + 1).map_or(len, |next| *next as usize - L::SEPARATOR.len());
    starts[at] as usize..end
}

/// An offset within a segment. Entries and segments are far below 4 GiB.
#[expect(clippy::expect_used, reason = "an entry of 4 GiB would have passed every limit of the service")]
fn offset(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("a segment below 4 GiB")
}

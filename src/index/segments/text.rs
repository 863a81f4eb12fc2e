//! A segmented file in one of its states: found in, changed and rendered without looking at all of it.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::iter::once;
use std::sync::Arc;

use super::balance::{Run, settle};
use super::changes::Changes;
use super::checksum::Checksum;
use super::group::Group;
use super::layout::{Keyed, Layout};
use super::lazy::Lazy;
use super::rendered::Rendered;
use super::segment::{self, Segment};
use crate::index::gzip::Level;
use crate::model::Crc32;

/// A file of one segment up to this size is compressed at the best level at once: that takes no longer than a
/// fraction of a millisecond, and such files are not worth a second visit.
const BEST_AT_ONCE_BYTES: u64 = 8 << 10;

/// An immutable text with entries in order of their keys, cheap to clone and to change.
pub struct SegmentedText<L> {
    head: Arc<str>,
    tail: Arc<str>,
    groups: Arc<[Arc<Group<L>>]>,
    /// Of head and entries.
    body: Checksum,
    /// Of all.
    checksum: Checksum,
    rendered: Arc<Lazy<Rendered>>,
}

impl<L: Layout> SegmentedText<L> {
    /// A text without entries.
    #[must_use]
    pub fn new(head: &str, tail: &str) -> Self {
        Self::assemble(head.into(), tail.into(), Vec::new())
    }

    /// The same entries with another tail.
    #[must_use]
    pub fn with_tail(&self, tail: &str) -> Self {
        if *self.tail == *tail {
            return self.clone();
        }
        Self::finish(Arc::clone(&self.head), tail.into(), Arc::clone(&self.groups), self.body)
    }

    /// A text of these entries, in the order they come in. No entry may be empty.
    #[must_use]
    pub fn of<'a>(head: &str, entries: impl IntoIterator<Item = &'a str>, tail: &str) -> Self {
        let mut runs = Vec::new();
        segment::gather::<L>(entries, &mut runs);
        Self::assemble(head.into(), tail.into(), settle([Run::Open(settle(runs))]))
    }

    /// The same text, sharing with `old` the segments of the entries that both begin or end with: of two states of a
    /// file whose entries have no keys, only the segments where they differ are held twice.
    #[must_use]
    pub fn sharing(&self, old: &Self) -> Self {
        let (old_count, count) = (old.entry_count(), self.entry_count());
        let most = old_count.min(count);
        let equal = |(left, right): &(&str, &str)| left == right;
        let front = old.entries().zip(self.entries()).take_while(equal).count();
        let back = old.entries().rev().zip(self.entries().rev()).take(most - front).take_while(equal).count();
        if front == old_count && front == count {
            return Self::finish(Arc::clone(&self.head), Arc::clone(&self.tail), Arc::clone(&old.groups), self.body);
        }
        let mut fronts = Vec::new();
        let mut backs = Vec::new();
        // What of this text lies in segments of its own.
        let mut own = 0..count;
        let mut begin = 0;
        for segment in old.shared_segments() {
            let end = begin + segment.entry_count();
            if end <= front {
                own.start = end;
                fronts.push(Run::Kept(Arc::clone(segment)));
            } else if begin >= old_count - back {
                own.end = own.end.min(count - (old_count - begin));
                backs.push(Run::Kept(Arc::clone(segment)));
            }
            begin = end;
        }
        let entries = self.entries().skip(own.start).take(own.len());
        segment::gather::<L>(entries, &mut fronts);
        fronts.extend(backs);
        Self::assemble(Arc::clone(&self.head), Arc::clone(&self.tail), settle([Run::Open(settle(fronts))]))
    }

    fn assemble(head: Arc<str>, tail: Arc<str>, groups: Vec<Arc<Group<L>>>) -> Self {
        let mut body = Checksum::of(head.as_bytes());
        body.append(Checksum::joined(groups.iter().map(|group| group.checksum()), L::SEPARATOR));
        Self::finish(head, tail, groups.into(), body)
    }

    fn finish(head: Arc<str>, tail: Arc<str>, groups: Arc<[Arc<Group<L>>]>, body: Checksum) -> Self {
        let mut checksum = body;
        checksum.append(Checksum::of(tail.as_bytes()));
        Self { head, tail, groups, body, checksum, rendered: Arc::new(Lazy::new()) }
    }

    /// All entries in order.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.segments().flat_map(|segment| segment.entries())
    }

    /// How many entries there are.
    #[must_use]
    pub fn entry_count(&self) -> usize {
        self.groups.iter().map(|group| group.entry_count()).sum()
    }

    /// The whole text in pieces.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let separators = once("").chain(std::iter::repeat(L::SEPARATOR));
        let entries = separators.zip(self.segments()).flat_map(|(separator, segment)| [separator, segment.text()]);
        once(&*self.head).chain(entries).chain(once(&*self.tail))
    }

    /// The CRC-32 of the whole text.
    #[must_use]
    pub fn crc32(&self) -> Crc32 {
        Crc32(self.checksum.crc)
    }

    /// The length of the whole text in bytes.
    #[must_use]
    pub fn text_len_bytes(&self) -> u64 {
        self.checksum.len_bytes
    }

    /// The file, if it was rendered before. Never waits.
    #[must_use]
    pub fn rendered(&self) -> Option<Arc<Rendered>> {
        self.rendered.get()
    }

    /// The file as it is sent. The first call after a change deflates the segments that nobody has read yet, about
    /// 0.2 ms each, and all who ask meanwhile wait for it: a task must not call this where it may not block.
    #[must_use]
    pub fn render(&self) -> Arc<Rendered> {
        self.rendered.get_or_make(|| {
            let level = if self.checksum.len_bytes <= BEST_AT_ONCE_BYTES { Level::Best } else { Level::Fast };
            if self.is_whole() { self.render_whole(level) } else { self.render_segmented() }
        })
    }

    /// One round of improvement: what was read, and what a former round has met already, so that it seems to last, is
    /// deflated again at the best level; `segments_max` segments of about 1 ms each at most. Returns how many it was.
    ///
    /// The rendered file is replaced by a better one (with another entity tag) only when all of it is at its best; a
    /// later state of the text has what was improved as soon as it is rendered.
    pub fn improve(&self, segments_max: usize) -> usize {
        let Some(rendered) = self.rendered() else { return 0 };
        if rendered.level == Level::Best {
            return 0;
        }
        if self.is_whole() {
            let due = segments_max > 0 && rendered.improvement_due();
            if due {
                self.rendered.replace(self.render_whole(Level::Best));
            }
            return usize::from(due);
        }
        let due = self.segments().filter(|segment| segment.improvement_due()).take(segments_max);
        let improved = due.inspect(|segment| segment.improve()).count();
        if self.segments().all(|segment| segment.deflated().level == Level::Best) {
            self.rendered.replace(self.render_segmented());
        }
        improved
    }

    /// Whether the text is small enough to be deflated as a whole, which is tighter.
    fn is_whole(&self) -> bool {
        self.segments().nth(1).is_none()
    }

    fn render_whole(&self, level: Level) -> Rendered {
        Rendered::whole(self.texts(), self.checksum, level)
    }

    fn render_segmented(&self) -> Rendered {
        Rendered::segmented(&self.head, self.segments(), &self.tail, self.checksum)
    }

    /// Whether it was rendered, and all of it at the best level.
    pub(crate) fn is_best(&self) -> bool {
        self.rendered().is_some_and(|rendered| rendered.level == Level::Best)
    }

    /// Whether both are the same state of the same file, so that everything is shared.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.rendered, &other.rendered)
    }

    fn segments(&self) -> impl DoubleEndedIterator<Item = &Segment<L>> {
        self.shared_segments().map(|segment| &**segment)
    }

    fn shared_segments(&self) -> impl DoubleEndedIterator<Item = &Arc<Segment<L>>> {
        self.groups.iter().flat_map(|group| group.segments())
    }
}

impl<L: Keyed> SegmentedText<L> {
    /// The text after `changes`: for each key its new entry, or none to remove it. Of several changes for one key the
    /// last counts; a text must be an entry with the key it comes with, and so is never empty. The order of the changes
    /// does not matter.
    ///
    /// Costs time in proportion to the segments that change, and shares all others. Memory for the changes is needed
    /// at once, so let a bulk of very many come in several calls.
    #[must_use]
    pub fn apply<K, T>(&self, changes: impl IntoIterator<Item = (K, Option<T>)>) -> Self
    where
        K: Borrow<L::Key>,
        T: AsRef<str>,
    {
        let mut changes = Changes::new::<L>(changes);
        let mut runs = Vec::with_capacity(self.groups.len() + 1);
        for (at, group) in self.groups.iter().enumerate() {
            let end = || self.groups.get(at + 1).map(|next| next.first_entry());
            if !changes.is_empty() && changes.any_before::<L>(end()) {
                runs.push(group.splice(&mut changes, end()));
            } else {
                runs.push(Run::Kept(Arc::clone(group)));
            }
        }
        if self.groups.is_empty() {
            let mut segments = Vec::new();
            segment::gather::<L>(changes.into_texts(), &mut segments);
            runs.push(Run::Open(settle(segments)));
        }
        if runs.iter().all(|run| matches!(run, Run::Kept(_))) {
            return self.clone();
        }
        let groups = settle(runs);
        if groups.is_empty() && self.groups.is_empty() {
            return self.clone();
        }
        Self::assemble(Arc::clone(&self.head), Arc::clone(&self.tail), groups)
    }

    /// The entry with this key.
    #[must_use]
    pub fn get(&self, key: &L::Key) -> Option<&str> {
        let not_after = |first: &str| L::compare(key, first) != Ordering::Less;
        let group = self.groups.partition_point(|group| not_after(group.first_entry())).checked_sub(1)?;
        let segments = self.groups[group].segments();
        let segment = segments.partition_point(|segment| not_after(segment.first_entry())).checked_sub(1)?;
        segments[segment].get(key)
    }
}

// Not derived, since that would ask the layout to be `Clone`.
impl<L> Clone for SegmentedText<L> {
    fn clone(&self) -> Self {
        Self {
            head: Arc::clone(&self.head),
            tail: Arc::clone(&self.tail),
            groups: Arc::clone(&self.groups),
            body: self.body,
            checksum: self.checksum,
            rendered: Arc::clone(&self.rendered),
        }
    }
}

impl<L: Layout> fmt::Debug for SegmentedText<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SegmentedText")
            .field("entries", &self.entry_count())
            .field("crc32", &self.crc32())
            .field("text_len_bytes", &self.text_len_bytes())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

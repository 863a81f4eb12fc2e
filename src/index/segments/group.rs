//! A group: a few dozen neighbouring segments with their common checksum.
//!
//! Groups are there so that a change in a file of many segments costs the root of their number, not their number.

use std::borrow::Borrow;
use std::sync::Arc;

use super::balance::{Node, Run, settle, size_max, size_min};
use super::changes::Changes;
use super::checksum::Checksum;
use super::layout::{Keyed, Layout};
use super::segment::Segment;

/// See the module. Never empty.
pub(super) struct Group<L> {
    segments: Box<[Arc<Segment<L>>]>,
    checksum: Checksum,
    entry_count: usize,
}

impl<L: Layout> Group<L> {
    fn new(segments: &[Arc<Segment<L>>]) -> Self {
        Self {
            checksum: Checksum::joined(segments.iter().map(|segment| segment.checksum()), L::SEPARATOR),
            entry_count: segments.iter().map(|segment| segment.entry_count()).sum(),
            segments: segments.into(),
        }
    }

    pub(super) fn segments(&self) -> &[Arc<Segment<L>>] {
        &self.segments
    }

    /// Of its text, with separators between the entries and none at the ends.
    pub(super) fn checksum(&self) -> Checksum {
        self.checksum
    }

    pub(super) fn entry_count(&self) -> usize {
        self.entry_count
    }

    pub(super) fn first_entry(&self) -> &str {
        self.segments[0].first_entry()
    }
}

impl<L: Keyed> Group<L> {
    /// What becomes of this group when the changes before the entry `end` are made.
    pub(super) fn splice<K, T>(self: &Arc<Self>, changes: &mut Changes<K, T>, end: Option<&str>) -> Run<Self>
    where
        K: Borrow<L::Key>,
        T: AsRef<str>,
    {
        let mut runs = Vec::with_capacity(self.segments.len() + 1);
        for (at, segment) in self.segments.iter().enumerate() {
            let end = || self.segments.get(at + 1).map(|next| next.first_entry()).or(end);
            if !changes.is_empty() && changes.any_before::<L>(end()) {
                segment.splice(changes, end(), &mut runs);
            } else {
                runs.push(Run::Kept(Arc::clone(segment)));
            }
        }
        if runs.iter().all(|run| matches!(run, Run::Kept(_))) {
            return Run::Kept(Arc::clone(self));
        }
        Run::Open(settle(runs))
    }
}

impl<L: Layout> Node for Group<L> {
    type Draft = Vec<Arc<Segment<L>>>;

    const SIZE_MIN: usize = size_min(L::GROUP_SEGMENTS);

    fn size(&self) -> usize {
        self.segments.len()
    }

    fn draft_size(draft: &Self::Draft) -> usize {
        draft.len()
    }

    fn open(&self) -> Self::Draft {
        self.segments.to_vec()
    }

    fn join(left: &mut Self::Draft, right: Self::Draft) {
        // The only segment of a group may be small, and has a neighbour now.
        let segments = std::mem::take(left).into_iter().chain(right);
        *left = settle(segments.map(Run::Kept));
    }

    fn seal(draft: Self::Draft, row: &mut Vec<Arc<Self>>) {
        let group_count = match draft.len() {
            len if len <= size_max(L::GROUP_SEGMENTS) => 1,
            len => len.div_ceil(L::GROUP_SEGMENTS),
        };
        // Even shares: sizes differ by one at most.
        let bound = |group: usize| group * draft.len() / group_count;
        row.extend((0..group_count).map(|group| Arc::new(Self::new(&draft[bound(group)..bound(group + 1)]))));
    }
}

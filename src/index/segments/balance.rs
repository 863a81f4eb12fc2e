//! Keeps neighbours at a good size after a change: what became small joins its neighbour, what became large is cut.
//!
//! One rule for both levels of a file, segments of entries and groups of segments.

use std::sync::Arc;

/// Something of a size that lies in a row of its kind, immutable and shared.
pub(super) trait Node: Sized {
    /// The same, open for change.
    type Draft;

    /// Anything smaller joins its neighbour.
    const SIZE_MIN: usize;

    /// Never 0: a node that is empty is left out.
    fn size(&self) -> usize;

    fn draft_size(draft: &Self::Draft) -> usize;

    fn open(&self) -> Self::Draft;

    fn join(left: &mut Self::Draft, right: Self::Draft);

    /// Appends the draft to the row, cut where it is too large.
    fn seal(draft: Self::Draft, row: &mut Vec<Arc<Self>>);
}

/// The largest size for this target size: above it, two come of one.
pub(super) const fn size_max(target: usize) -> usize {
    target + target / 2
}

/// The smallest size for this target size. Less than half of the largest, so that halves have room to shrink.
pub(super) const fn size_min(target: usize) -> usize {
    target / 8 * 3
}

/// A node of the old row, kept or opened.
pub(super) enum Run<N: Node> {
    Kept(Arc<N>),
    Open(N::Draft),
}

impl<N: Node> Run<N> {
    fn size(&self) -> usize {
        match self {
            Self::Kept(node) => node.size(),
            Self::Open(draft) => N::draft_size(draft),
        }
    }

    fn into_draft(self) -> N::Draft {
        match self {
            Self::Kept(node) => node.open(),
            Self::Open(draft) => draft,
        }
    }

    fn seal(self, row: &mut Vec<Arc<N>>) {
        match self {
            Self::Kept(node) => row.push(node),
            Self::Open(draft) => N::seal(draft, row),
        }
    }
}

/// The new row: nodes that were kept and have no small neighbour are in it as they were.
pub(super) fn settle<N: Node>(runs: impl IntoIterator<Item = Run<N>>) -> Vec<Arc<N>> {
    let mut row = Vec::new();
    let mut last: Option<Run<N>> = None;
    for run in runs.into_iter().filter(|run| run.size() > 0) {
        last = Some(match last {
            Some(left) if left.size() < N::SIZE_MIN || run.size() < N::SIZE_MIN => {
                let mut draft = left.into_draft();
                N::join(&mut draft, run.into_draft());
                Run::Open(draft)
            }
            Some(left) => {
                left.seal(&mut row);
                run
            }
            None => run,
        });
    }
    if let Some(last) = last {
        last.seal(&mut row);
    }
    row
}

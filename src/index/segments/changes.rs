//! The changes of one step, in the order of a file's entries.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::iter::Peekable;
use std::vec::IntoIter;

use super::layout::Keyed;

/// What is to become of keys: a new text, or none. Rising, each key once.
pub(super) struct Changes<K, T> {
    rest: Peekable<IntoIter<(K, Option<T>)>>,
}

impl<K, T> Changes<K, T> {
    /// Puts `changes` in order; of several for one key, the last counts.
    pub(super) fn new<L: Keyed>(changes: impl IntoIterator<Item = (K, Option<T>)>) -> Self
    where
        K: Borrow<L::Key>,
    {
        let mut changes: Vec<_> = changes.into_iter().collect();
        changes.sort_by(|(left, _), (right, _)| left.borrow().cmp(right.borrow()));
        changes.dedup_by(|later, kept| {
            let same = later.0.borrow() == kept.0.borrow();
            if same {
                std::mem::swap(later, kept);
            }
            same
        });
        Self { rest: changes.into_iter().peekable() }
    }

    /// The new texts of all that are left.
    pub(super) fn into_texts(self) -> impl Iterator<Item = T> {
        self.rest.filter_map(|(_, text)| text)
    }

    /// Whether none is left.
    pub(super) fn is_empty(&self) -> bool {
        self.rest.len() == 0
    }

    /// Whether a change is left for a key before that of the entry `end` (any key, without one).
    pub(super) fn any_before<L: Keyed>(&mut self, end: Option<&str>) -> bool
    where
        K: Borrow<L::Key>,
    {
        self.rest.peek().is_some_and(|change| Self::is_before::<L>(change, end))
    }

    /// The next change, if it is for a key before that of the entry `end`.
    pub(super) fn next_before<L: Keyed>(&mut self, end: Option<&str>) -> Option<(K, Option<T>)>
    where
        K: Borrow<L::Key>,
    {
        self.rest.next_if(|change| Self::is_before::<L>(change, end))
    }

    fn is_before<L: Keyed>((key, _): &(K, Option<T>), end: Option<&str>) -> bool
    where
        K: Borrow<L::Key>,
    {
        end.is_none_or(|end| L::compare(key.borrow(), end) == Ordering::Less)
    }
}

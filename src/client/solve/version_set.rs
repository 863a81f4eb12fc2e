//! Sets of a package's versions, as the solver calculates with them: by their places in the package's catalog.
//!
//! Places are whole numbers, so a set has exactly one form and two sets are equal where their forms are. What a place
//! stands for is the catalog's business.

use std::fmt;

/// A place among a package's versions.
pub(super) type Place = u32;

/// Behind all places.
const END: Place = Place::MAX;

/// A set of places: runs of neighbours, each from its first place to before its end, in order and with gaps between.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct VersionSet {
    runs: Vec<(Place, Place)>,
}

impl VersionSet {
    /// The places whose turn in `contained` is true; the first has the place `first`.
    pub(super) fn of_places(first: Place, contained: impl IntoIterator<Item = bool>) -> Self {
        let mut runs: Vec<(Place, Place)> = Vec::new();
        for (place, is_in) in (first..END).zip(contained) {
            match runs.last_mut() {
                Some((_, end)) if is_in && *end == place => *end = place + 1,
                _ if is_in => runs.push((place, place + 1)),
                _ => {}
            }
        }
        Self { runs }
    }

    /// All places from `first` to before `end`.
    pub(super) fn run(first: Place, end: Place) -> Self {
        Self { runs: if first < end { vec![(first, end)] } else { Vec::new() } }
    }

    /// How many of the places from `first` to before `end` are in it.
    pub(super) fn count_between(&self, first: Place, end: Place) -> u64 {
        self.runs.iter().map(|(from, to)| u64::from((*to).min(end).saturating_sub((*from).max(first)))).sum()
    }

    /// Its places from `first` to before `end`, the highest first.
    pub(super) fn descending(&self, first: Place, end: Place) -> impl Iterator<Item = Place> {
        self.runs.iter().rev().flat_map(move |(from, to)| ((*from).max(first)..(*to).min(end)).rev())
    }

    /// Whether it has places at all.
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }
}

impl pubgrub::VersionSet for VersionSet {
    type V = Place;

    fn empty() -> Self {
        Self::default()
    }

    fn full() -> Self {
        Self::run(0, END)
    }

    fn singleton(place: Place) -> Self {
        Self::run(place, place + 1)
    }

    fn complement(&self) -> Self {
        let mut runs = Vec::with_capacity(self.runs.len() + 1);
        let mut from = 0;
        for (first, end) in &self.runs {
            if from < *first {
                runs.push((from, *first));
            }
            from = *end;
        }
        if from < END {
            runs.push((from, END));
        }
        Self { runs }
    }

    fn intersection(&self, other: &Self) -> Self {
        let mut runs = Vec::with_capacity(self.runs.len().min(other.runs.len()));
        let (mut ours, mut theirs) = (self.runs.iter().peekable(), other.runs.iter().peekable());
        while let (Some((first, end)), Some((other_first, other_end))) = (ours.peek(), theirs.peek()) {
            let (from, to) = ((*first).max(*other_first), (*end).min(*other_end));
            if from < to {
                runs.push((from, to));
            }
            if end <= other_end {
                ours.next();
            } else {
                theirs.next();
            }
        }
        Self { runs }
    }

    fn contains(&self, place: &Place) -> bool {
        let behind = self.runs.partition_point(|(first, _)| first <= place);
        behind > 0 && *place < self.runs[behind - 1].1
    }

    fn is_disjoint(&self, other: &Self) -> bool {
        let (mut ours, mut theirs) = (self.runs.iter().peekable(), other.runs.iter().peekable());
        while let (Some((first, end)), Some((other_first, other_end))) = (ours.peek(), theirs.peek()) {
            if first.max(other_first) < end.min(other_end) {
                return false;
            }
            if end <= other_end {
                ours.next();
            } else {
                theirs.next();
            }
        }
        true
    }

    fn subset_of(&self, other: &Self) -> bool {
        let mut theirs = other.runs.iter().peekable();
        self.runs.iter().all(|(first, end)| {
            while theirs.next_if(|(_, other_end)| other_end < end).is_some() {}
            theirs.peek().is_some_and(|(other_first, other_end)| other_first <= first && end <= other_end)
        })
    }
}

impl fmt::Display for VersionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.runs)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pubgrub::VersionSet as _;

    use super::*;

    const PLACES: Place = 12;

    fn set(bits: u16) -> VersionSet {
        VersionSet::of_places(0, (0..PLACES).map(|place| bits >> place & 1 == 1))
    }

    fn bits(set: &VersionSet) -> u16 {
        (0..PLACES).filter(|place| set.contains(place)).map(|place| 1 << place).sum()
    }

    proptest! {
        #[test]
        fn it_is_an_algebra_of_sets(a in 0u16..1 << PLACES, b in 0u16..1 << PLACES) {
            let (left, right) = (set(a), set(b));
            prop_assert_eq!(bits(&left), a);
            prop_assert_eq!(&left.intersection(&right), &set(a & b));
            prop_assert_eq!(&left.union(&right), &set(a | b));
            prop_assert_eq!(bits(&left.complement()), !a & ((1 << PLACES) - 1));
            prop_assert_eq!(&left.complement().complement(), &left);
            prop_assert_eq!(left.is_disjoint(&right), a & b == 0);
            prop_assert_eq!(left.subset_of(&right), a & !b == 0);
            prop_assert_eq!(left.is_empty(), a == 0);
            prop_assert_eq!(left == right, a == b);
            let descending: Vec<_> = left.descending(2, 9).collect();
            let expected: Vec<_> = (2..9).rev().filter(|place| a >> place & 1 == 1).collect();
            prop_assert_eq!(left.count_between(2, 9), expected.len() as u64);
            prop_assert_eq!(descending, expected);
        }
    }

    #[test]
    fn everything_and_nothing() {
        assert_eq!(VersionSet::full().complement(), VersionSet::empty());
        assert!(VersionSet::singleton(7).subset_of(&VersionSet::full()));
        assert_eq!(VersionSet::singleton(7), set(1 << 7));
        assert_eq!(VersionSet::run(3, 3), VersionSet::empty());
    }
}

//! A sorted map that is immutable and cheap to change: states of it share all but the chunks that differ.
//!
//! Knows nothing of what it holds but that it has a name.

use std::sync::Arc;

use super::balance::{Node, Run, settle, size_max, size_min};

/// Something that is found by a name of its own.
pub(super) trait Named {
    fn name(&self) -> &str;
}

impl<T: Named> Named for Arc<T> {
    fn name(&self) -> &str {
        (**self).name()
    }
}

/// The number of items that chunks are cut to: near the root of the number of packages in a big registry, since a
/// change copies one chunk and the row of chunks.
const CHUNK_ITEMS: usize = 256;

/// Items by their names, each name once. Cloning costs nothing.
#[derive(Debug)]
pub(super) struct SharedMap<T> {
    chunks: Arc<[Arc<Chunk<T>>]>,
}

/// Never empty.
#[derive(Debug)]
struct Chunk<T> {
    items: Box<[T]>,
}

impl<T: Named + Clone> SharedMap<T> {
    pub(super) fn new() -> Self {
        Self { chunks: Arc::new([]) }
    }

    pub(super) fn get(&self, name: &str) -> Option<&T> {
        let chunk = self.chunks.partition_point(|chunk| chunk.first_name() <= name).checked_sub(1)?;
        let items = &self.chunks[chunk].items;
        items.binary_search_by(|item| item.name().cmp(name)).ok().map(|at| &items[at])
    }

    /// All items in the order of their names.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flat_map(|chunk| &chunk.items)
    }

    pub(super) fn len(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.items.len()).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The map after `changes`: for each name its new item, or none to remove it. The names rise.
    pub(super) fn apply<'a>(&self, changes: impl IntoIterator<Item = (&'a str, Option<T>)>) -> Self {
        let mut changes = changes.into_iter().peekable();
        let mut runs = Vec::with_capacity(self.chunks.len() + 1);
        for (at, chunk) in self.chunks.iter().enumerate() {
            let end = self.chunks.get(at + 1).map(|next| next.first_name());
            let mut draft: Option<(Vec<T>, usize)> = None;
            while let Some((name, item)) = changes.next_if(|(name, _)| end.is_none_or(|end| *name < end)) {
                let (items, from) = draft.get_or_insert_with(|| (Vec::with_capacity(chunk.items.len() + 1), 0));
                let found = chunk.items[*from..].binary_search_by(|item| item.name().cmp(name));
                let (Ok(skip) | Err(skip)) = found;
                let place = *from + skip;
                items.extend_from_slice(&chunk.items[*from..place]);
                items.extend(item);
                *from = place + usize::from(found.is_ok());
            }
            runs.push(match draft {
                None => Run::Kept(Arc::clone(chunk)),
                Some((mut items, from)) => {
                    items.extend_from_slice(&chunk.items[from..]);
                    Run::Open(items)
                }
            });
        }
        if self.chunks.is_empty() {
            runs.push(Run::Open(changes.filter_map(|(_, item)| item).collect()));
        }
        Self { chunks: settle(runs).into() }
    }
}

impl<T> Clone for SharedMap<T> {
    fn clone(&self) -> Self {
        Self { chunks: Arc::clone(&self.chunks) }
    }
}

impl<T: Named> Chunk<T> {
    fn first_name(&self) -> &str {
        self.items[0].name()
    }
}

impl<T: Named + Clone> Node for Chunk<T> {
    type Draft = Vec<T>;

    const SIZE_MIN: usize = size_min(CHUNK_ITEMS);

    fn size(&self) -> usize {
        self.items.len()
    }

    fn draft_size(draft: &Self::Draft) -> usize {
        draft.len()
    }

    fn open(&self) -> Self::Draft {
        self.items.to_vec()
    }

    fn join(left: &mut Self::Draft, right: Self::Draft) {
        left.extend(right);
    }

    fn seal(mut draft: Self::Draft, row: &mut Vec<Arc<Self>>) {
        let mut left = match draft.len() {
            len if len <= size_max(CHUNK_ITEMS) => 1,
            len => len.div_ceil(CHUNK_ITEMS),
        };
        let mut items = draft.drain(..);
        // Even shares: sizes differ by one at most.
        while left > 0 {
            let share = items.len() / left;
            row.push(Arc::new(Self { items: items.by_ref().take(share).collect() }));
            left -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, PartialEq)]
    struct Item(String, u32);

    impl Named for Item {
        fn name(&self) -> &str {
            &self.0
        }
    }

    fn chunks(map: &SharedMap<Item>) -> HashSet<*const Chunk<Item>> {
        map.chunks.iter().map(Arc::as_ptr).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn changed_step_by_step_equals_a_map(
            batches in prop::collection::vec(
                prop_oneof![
                    prop::collection::btree_map(0..3_000_u32, prop::option::of(any::<u32>()), 0..4),
                    prop::collection::btree_map(0..3_000_u32, prop::option::of(any::<u32>()), 0..1_500),
                    (0..3_000_u32, 0..3_000_u32).prop_map(|(from, to)| (from..to).map(|key| (key, None)).collect()),
                ],
                1..8,
            ),
        ) {
            let mut map = SharedMap::new();
            let mut model = BTreeMap::new();
            for batch in batches {
                let named: Vec<_> = batch.iter().map(|(key, value)| (format!("n{key:05}"), *value)).collect();
                let old = map;
                let change = |(name, value): &(String, Option<u32>)| value.map(|value| Item(name.clone(), value));
                map = old.apply(named.iter().map(|entry| (entry.0.as_str(), change(entry))));
                prop_assert!(chunks(&map).difference(&chunks(&old)).count() <= 3 * named.len());
                for entry in named {
                    match change(&entry) {
                        Some(item) => model.insert(entry.0, item),
                        None => model.remove(&entry.0),
                    };
                }
                prop_assert!(map.iter().eq(model.values()));
                prop_assert_eq!(map.len(), model.len());
                prop_assert_eq!(map.is_empty(), model.is_empty());
                prop_assert!(model.iter().all(|(name, item)| map.get(name) == Some(item)));
                prop_assert_eq!(map.get("n00000x"), None);
                let sizes: Vec<_> = map.chunks.iter().map(|chunk| chunk.items.len()).collect();
                prop_assert!(sizes.iter().all(|size| *size <= size_max(CHUNK_ITEMS)));
                prop_assert!(sizes.len() < 2 || sizes.iter().all(|size| *size >= Chunk::<Item>::SIZE_MIN));
            }
        }
    }
}

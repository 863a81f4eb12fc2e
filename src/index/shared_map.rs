//! A map that is immutable and cheap to change: states of it share all but a few small nodes.
//!
//! A trie over the hashes of the names: a name is found, and a change is made, by looking at a handful of places in
//! memory however many items there are; in a sorted tree each comparison would fetch a name from somewhere else.
//! Knows nothing of what it holds but that it has a name.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock};

/// Something that is found by a name of its own.
pub(super) trait Named {
    fn name(&self) -> &str;
}

impl<T: Named> Named for Arc<T> {
    fn name(&self) -> &str {
        (**self).name()
    }
}

/// Each level of the trie goes by so many bits of the hash.
const LEVEL_BITS: u32 = 4;
/// The number of children of a branch.
const BRANCH_NODES: usize = 1 << LEVEL_BITS;
/// A leaf with more items becomes a branch, unless the hash has no bits left.
const LEAF_ITEMS_MAX: usize = 32;

/// Names are chosen by users, so nobody may know how they are hashed.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Items by their names, each name once, in no order. Cloning costs nothing.
#[derive(Debug)]
pub(super) struct SharedMap<T> {
    root: Arc<Node<T>>,
    len: usize,
}

#[derive(Debug)]
enum Node<T> {
    Leaf(Box<[(u64, T)]>),
    Branch([Arc<Node<T>>; BRANCH_NODES]),
}

impl<T: Named + Clone> SharedMap<T> {
    pub(super) fn new() -> Self {
        Self { root: Arc::new(Node::Leaf(Box::new([]))), len: 0 }
    }

    pub(super) fn get(&self, name: &str) -> Option<&T> {
        let hash = HASHER.hash_one(name);
        let mut node = &*self.root;
        let mut depth = 0;
        loop {
            match node {
                Node::Branch(children) => node = &children[child_at(hash, depth)],
                Node::Leaf(items) => return items.iter().find(|item| is(item, hash, name)).map(|(_, item)| item),
            }
            depth += 1;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        let mut path = vec![&*self.root];
        let leaves = std::iter::from_fn(move || {
            loop {
                match path.pop()? {
                    Node::Leaf(items) => return Some(items),
                    Node::Branch(children) => path.extend(children.iter().map(|child| &**child)),
                }
            }
        });
        leaves.flatten().map(|(_, item)| item)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The map after `changes`: for each name its new item, or none to remove it. Each name comes once.
    pub(super) fn apply<'a>(&self, changes: impl IntoIterator<Item = (&'a str, Option<T>)>) -> Self {
        let change = |(name, item)| Change { hash: HASHER.hash_one(name), name, item };
        let mut changes: Vec<_> = changes.into_iter().map(change).collect();
        let mut len = self.len;
        let root = Node::changed(&self.root, &mut changes, 0, &mut len);
        Self { root, len }
    }
}

impl<T> Clone for SharedMap<T> {
    fn clone(&self) -> Self {
        Self { root: Arc::clone(&self.root), len: self.len }
    }
}

struct Change<'a, T> {
    hash: u64,
    name: &'a str,
    item: Option<T>,
}

impl<T: Named + Clone> Node<T> {
    /// The node after `changes`, all of which belong into it; `len` becomes the number of items of the whole map.
    /// Leaves the changes in some order and without their items.
    fn changed(self: &Arc<Self>, changes: &mut [Change<'_, T>], depth: u32, len: &mut usize) -> Arc<Self> {
        if changes.is_empty() {
            return Arc::clone(self);
        }
        match &**self {
            Self::Branch(children) => {
                let mut children = children.clone();
                changes.sort_unstable_by_key(|change| child_at(change.hash, depth));
                for share in
                    changes.chunk_by_mut(|left, right| child_at(left.hash, depth) == child_at(right.hash, depth))
                {
                    let child = &mut children[child_at(share[0].hash, depth)];
                    *child = child.changed(share, depth + 1, len);
                }
                Arc::new(Self::Branch(children))
            }
            Self::Leaf(items) => {
                let mut items = items.to_vec();
                *len -= items.len();
                for change in changes {
                    let old = items.iter().position(|item| is(item, change.hash, change.name));
                    match (old, change.item.take()) {
                        (Some(at), Some(item)) => items[at].1 = item,
                        (Some(at), None) => drop(items.swap_remove(at)),
                        (None, Some(item)) => items.push((change.hash, item)),
                        (None, None) => {}
                    }
                }
                *len += items.len();
                Arc::new(Self::of(items, depth))
            }
        }
    }

    fn of(items: Vec<(u64, T)>, depth: u32) -> Self {
        if items.len() <= LEAF_ITEMS_MAX || depth * LEVEL_BITS >= u64::BITS {
            return Self::Leaf(items.into());
        }
        let mut shares: [Vec<(u64, T)>; BRANCH_NODES] = Default::default();
        for item in items {
            shares[child_at(item.0, depth)].push(item);
        }
        Self::Branch(shares.map(|share| Arc::new(Self::of(share, depth + 1))))
    }
}

fn child_at(hash: u64, depth: u32) -> usize {
    // Fewer bits than any index has.
    (hash >> (depth * LEVEL_BITS)) as usize % BRANCH_NODES
}

fn is<T: Named>((hash, item): &(u64, T), wanted: u64, name: &str) -> bool {
    *hash == wanted && item.name() == name
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

    fn nodes(map: &SharedMap<Item>) -> HashSet<*const Node<Item>> {
        let mut seen = HashSet::new();
        let mut path = vec![&map.root];
        while let Some(node) = path.pop() {
            seen.insert(Arc::as_ptr(node));
            if let Node::Branch(children) = &**node {
                path.extend(children);
            }
        }
        seen
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
                let fresh = nodes(&map).difference(&nodes(&old)).count();
                prop_assert!(fresh <= (BRANCH_NODES + 4) * named.len(), "{fresh} new nodes for {}", named.len());
                for entry in named {
                    match change(&entry) {
                        Some(item) => model.insert(entry.0, item),
                        None => model.remove(&entry.0),
                    };
                }
                let mut items: Vec<_> = map.iter().collect();
                items.sort_by_key(|item| item.name());
                prop_assert!(items.into_iter().eq(model.values()));
                prop_assert_eq!(map.len(), model.len());
                prop_assert!(model.iter().all(|(name, item)| map.get(name) == Some(item)));
                prop_assert_eq!(map.get("n00000x"), None);
            }
        }
    }

    #[test]
    fn equal_hashes_end_in_a_leaf() {
        let items: Vec<_> = (0..100).map(|at| (7, Item(format!("n{at}"), at))).collect();
        let mut node = Arc::new(Node::of(items, 0));
        let mut len = 100;
        let mut change = [Change { hash: 7, name: "n50", item: None }];
        node = node.changed(&mut change, 0, &mut len);
        assert_eq!(len, 99);
        let map = SharedMap { root: node, len };
        assert_eq!(map.iter().count(), 99);
    }
}

//! x
use std::collections::BTreeSet;
use pubgrub::DerivationTree;
use super::provider::{Key, Provider, ROOT};
use super::version_set::VersionSet;
use super::Conflict;

pub(super) fn conflict(tree: &DerivationTree<Key, VersionSet, String>, provider: &Provider<'_>) -> Conflict {
    let packages: BTreeSet<_> = tree.packages().into_iter().filter(|key| **key != ROOT).map(|key| provider.entry(*key).name.clone()).collect();
    Conflict { sentences: vec![format!("{} packages", packages.len())], packages, counts: provider.counts() }
}

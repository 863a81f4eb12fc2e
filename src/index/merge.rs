//! How rendered packages become the next snapshot: who was where before, and which views change alike.
//!
//! Cheap, and done by one thread at a time; rendering is not done here.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::package_file::PackageFile;
use super::render::RenderedPackage;
use super::serial::Serial;
use super::snapshot::Snapshot;
use super::view::{Change, View, ViewName};
use crate::model::{Crc32, PackageKey, Visibility};

/// What a step changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// The serial of all views that changed.
    pub serial: Serial,
    /// What changed in them, once for all views that changed alike. Empty where nothing changed.
    pub changes: Vec<ViewChange>,
}

/// What changed in some views, in addition to `registry.gz`, which always does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewChange {
    /// The views.
    pub views: Vec<ViewName>,
    /// The packages, by their full names in order, whose files came, went or changed, with the hash now or none.
    pub files: Vec<(Arc<str>, Option<Crc32>)>,
    /// The hash of `summaries.gz` now, where that changed.
    pub summaries: Option<Crc32>,
}

/// Where the packages are that the public views have.
#[derive(Debug, Default)]
pub(super) struct Placements {
    by_key: HashMap<PackageKey, Placement>,
    /// All sets of views that there are, since most packages are in the same.
    view_sets: HashSet<Arc<[ViewName]>>,
    /// The number of sets at which those that nothing is in any more are dropped.
    view_sets_max: usize,
}

#[derive(Debug)]
struct Placement {
    full_name: Arc<str>,
    views: Arc<[ViewName]>,
}

impl Placements {
    /// Notes where packages are from now on.
    pub(super) fn update(&mut self, latest: Latest) {
        for (key, package) in latest {
            let name = package.as_ref().and_then(|package| package.contents.first()).map(|one| one.file.shared_name());
            match (name, package) {
                (Some(name), Some(package)) => self.insert(key, name, &package),
                _ => drop(self.by_key.remove(&key)),
            }
        }
    }

    fn insert(&mut self, key: PackageKey, full_name: Arc<str>, package: &RenderedPackage) {
        let views: Arc<[ViewName]> = package.views.iter().map(|(view, _)| view.clone()).collect();
        let views = match self.view_sets.get(&views) {
            Some(known) => Arc::clone(known),
            None => {
                if self.view_sets.len() >= self.view_sets_max {
                    self.view_sets.retain(|set| Arc::strong_count(set) > 1);
                    self.view_sets_max = 2 * self.view_sets.len() + 64;
                }
                self.view_sets.insert(Arc::clone(&views));
                views
            }
        };
        self.by_key.insert(key, Placement { full_name, views });
    }
}

/// The next snapshot with what led to it, to be swapped in and noted together.
pub(super) struct Step {
    pub(super) snapshot: Snapshot,
    pub(super) applied: Applied,
    /// Files whose lines came with it.
    pub(super) filled: Vec<Arc<PackageFile>>,
}

/// Packages as they are now: what each contributes to the public views, if anything.
pub(super) type Latest = HashMap<PackageKey, Option<RenderedPackage>>;

/// Merges packages into `snapshot`: what each contributes now, or none for one that is gone. Of several states of one
/// package the last counts. There is no step where nothing changes in any view. When the step is taken, the
/// placements are to be brought up to the packages.
pub(super) fn merge(
    snapshot: &Snapshot,
    placements: &Placements,
    packages: Vec<(PackageKey, Option<RenderedPackage>)>,
    serial: Serial,
) -> (Option<Step>, Latest) {
    let mut latest: Latest = HashMap::with_capacity(packages.len());
    for (key, package) in packages {
        let public = package.filter(|package| package.visibility == Visibility::Public && !package.views.is_empty());
        latest.insert(key, public);
    }
    for package in latest.values_mut().flatten() {
        follow(snapshot, package);
    }

    let mut changes: HashMap<&ViewName, Vec<Change<'_>>> = HashMap::new();
    for (key, package) in &latest {
        if let Some(old) = placements.by_key.get(key) {
            for view in old.views.iter() {
                changes.entry(view).or_default().push(Change { full_name: &old.full_name, to: None });
            }
        }
        for (view, at) in package.iter().flat_map(|package| &package.views) {
            let content = package.as_ref().and_then(|package| package.contents.get(*at));
            if let Some(content) = content {
                changes
                    .entry(view)
                    .or_default()
                    .push(Change { full_name: content.file.full_name(), to: Some(content) });
            }
        }
    }
    let step = step(snapshot, changes, serial);
    (step, latest)
}

/// Puts in the place of a package's files those that its views have already, where they are the same.
fn follow(snapshot: &Snapshot, package: &mut RenderedPackage) {
    for (at, content) in package.contents.iter_mut().enumerate() {
        let views = package.views.iter().filter(|(_, of)| *of == at);
        let old_of = |(view, _): &(ViewName, usize)| snapshot.view(view)?.package(content.file.full_name());
        let mut old = None;
        for candidate in views.filter_map(old_of) {
            if candidate.is_same(&content.file) {
                old = Some(candidate);
                break;
            }
            old = old.or(Some(candidate));
        }
        if let Some(old) = old {
            content.file = content.file.following(old);
        }
    }
}

/// Views that are in the same state and change alike, and so will be in the same state again.
struct Alike<'a> {
    base: &'a Arc<View>,
    changes: Vec<Change<'a>>,
    views: Vec<ViewName>,
}

fn step(snapshot: &Snapshot, changes: HashMap<&ViewName, Vec<Change<'_>>>, serial: Serial) -> Option<Step> {
    let mut groups: Vec<Alike<'_>> = Vec::new();
    for (name, mut changes) in changes {
        settle_names(&mut changes);
        let base = snapshot.base(name);
        let same = |left: &[Change<'_>], right: &[Change<'_>]| {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| left.is_same(right))
        };
        match groups.iter_mut().find(|group| Arc::ptr_eq(group.base, base) && same(&group.changes, &changes)) {
            Some(group) => group.views.push(name.clone()),
            None => groups.push(Alike { base, changes, views: vec![name.clone()] }),
        }
    }
    groups.sort_by(|left, right| left.views.iter().min().cmp(&right.views.iter().min()));

    let mut applied = Applied { serial, changes: Vec::new() };
    let mut views = Vec::new();
    let mut filled = Vec::new();
    let mut seen = HashSet::new();
    for mut group in groups {
        let Some(next) = group.base.apply(&group.changes, serial) else { continue };
        let summaries =
            Some(next.view.summaries().crc32()).filter(|_| !next.view.summaries().is(group.base.summaries()));
        let news: HashSet<&str> = next.files.iter().map(|(name, _)| &**name).collect();
        let files = group.changes.iter().filter_map(|change| change.to).map(|content| &content.file);
        let is_new = |file: &&Arc<PackageFile>| file.is_filled() && news.contains(file.full_name());
        // Views that differ elsewhere share it.
        filled.extend(files.filter(is_new).filter(|file| seen.insert(Arc::as_ptr(file))).cloned());
        group.views.sort();
        let view = Arc::new(next.view);
        views.extend(group.views.iter().map(|name| (name.clone(), Arc::clone(&view))));
        applied.changes.push(ViewChange { views: group.views, files: next.files, summaries });
    }
    if views.is_empty() {
        return None;
    }
    Some(Step { snapshot: snapshot.with(views), applied, filled })
}

/// Puts changes in the order of their names, and leaves one for each: what becomes of it, if anything does.
fn settle_names(changes: &mut Vec<Change<'_>>) {
    changes.sort_by(|left, right| left.full_name.cmp(right.full_name).then(right.to.is_some().cmp(&left.to.is_some())));
    changes.dedup_by(|later, kept| later.full_name == kept.full_name);
}

//! The index: turns the state of packages into the files that Registry 2.0 clients read, kept in memory.
//!
//! Knows files, hashes and compression. Must not know where entities are stored or how a file is sent.
//!
//! ```text
//! PackageSource -> render -> RenderedPackage -> merge -> Snapshot { ViewName -> View { registry, summaries, packages } }
//! ```
//!
//! Rendering is pure and takes as long as a package has archives; merging costs what changes, however many packages
//! there are. Readers take a [`Snapshot`] and never wait for a writer.

pub mod archives;
pub mod gzip;
pub mod kit;
mod line_cache;
mod merge;
mod package_file;
mod render;
pub mod search;
pub mod segments;
pub mod serial;
mod shared_map;
mod snapshot;
mod source;
mod view;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use arc_swap::ArcSwap;

use self::line_cache::LineCache;
use self::merge::Placements;
pub use self::merge::{Applied, ViewChange};
pub use self::package_file::PackageFile;
pub use self::render::{
    ListedArchive, Listing, Relisting, RenderedContent, RenderedPackage, listing, render, render_all,
};
pub use self::segments::Rendered;
pub use self::serial::Serial;
pub use self::snapshot::Snapshot;
pub use self::source::{FileSource, LineMemory, PackageSource, ReleaseSource};
pub use self::view::{View, ViewName};
use crate::model::{PackageKey, Visibility};

/// The most package files that wait for improvement. Of the oldest, short ones are compressed when there are more;
/// long ones stay as they are, which is only less tight.
const UNFINISHED_MAX: usize = 4_096;

/// What the lines of packages that are kept in memory may take, in bytes: of some 40,000 small packages.
const LINES_BYTES_MAX: usize = 32 << 20;

/// The public index: the snapshot that is served, and what the next one is made with.
pub struct Index {
    snapshot: ArcSwap<Snapshot>,
    writer: Mutex<Writer>,
    search: search::SearchIndex,
    lines: LineCache,
}

/// The next state of the index, which nobody sees yet.
pub struct Prepared {
    serial: Serial,
    step: Option<merge::Step>,
    latest: merge::Latest,
}

impl Prepared {
    /// The serial of this state: a new one where any package that somebody can see came or changed.
    #[must_use]
    pub fn serial(&self) -> Serial {
        self.serial
    }

    /// What changes in the public views.
    #[must_use]
    pub fn applied(&self) -> Applied {
        match &self.step {
            Some(step) => step.applied.clone(),
            None => Applied { serial: self.serial, changes: Vec::new() },
        }
    }
}

struct Writer {
    last: Serial,
    placements: Placements,
    /// Package files that may not be at their best.
    unfinished: VecDeque<Weak<PackageFile>>,
}

impl Index {
    /// An index without packages. Every serial given out will be above `serial`, the last one of the time before.
    #[must_use]
    pub fn new(serial: Serial) -> Self {
        Self {
            snapshot: ArcSwap::from_pointee(Snapshot::empty(serial)),
            writer: Mutex::new(Writer { last: serial, placements: Placements::default(), unfinished: VecDeque::new() }),
            search: search::SearchIndex::default(),
            lines: LineCache::new(LINES_BYTES_MAX),
        }
    }

    /// The present state of all views. Never waits.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// All packages, private ones too, to be found by words.
    #[must_use]
    pub fn search(&self) -> &search::SearchIndex {
        &self.search
    }

    /// Notes that the lines of a file were filled in; others may be let go for it.
    pub fn keep_lines(&self, file: &Arc<PackageFile>) {
        self.lines.keep(std::iter::once(file));
    }

    /// The serial of the last change to any view.
    #[must_use]
    pub fn serial(&self) -> Serial {
        self.writer().last
    }

    /// Renders packages as they are at `now_us` (microseconds since 1970), none for those that are gone, and merges
    /// them: [`render_all`] and [`Index::merge`].
    pub fn apply(&self, changes: &[(PackageKey, Option<PackageSource>)], now_us: u64) -> Applied {
        self.merge(render_all(changes), now_us)
    }

    /// Merges rendered packages into all views and then shows them in one step. When this returns, every reader sees
    /// the change. A view in which nothing changes stays as it is, to the byte.
    ///
    /// Costs time in proportion to the packages that come in. Let a bulk come in batches of some 10,000.
    pub fn merge(&self, packages: Vec<(PackageKey, Option<RenderedPackage>)>, now_us: u64) -> Applied {
        let prepared = self.prepare(packages, now_us);
        let applied = prepared.applied();
        self.publish(prepared);
        applied
    }

    /// Merges rendered packages into all views without showing them yet. Only the one thread that publishes may
    /// prepare, and what it does not publish is as if it had never been.
    #[must_use]
    pub fn prepare(&self, packages: Vec<(PackageKey, Option<RenderedPackage>)>, now_us: u64) -> Prepared {
        let writer = self.writer();
        let serial = Serial::next(now_us, writer.last);
        let private = |package: &RenderedPackage| package.visibility == Visibility::Private;
        let has_private = packages.iter().any(|(_, package)| package.as_ref().is_some_and(private));
        let (step, latest) = merge::merge(&self.snapshot.load(), &writer.placements, packages, serial);
        let last = if has_private || step.is_some() { serial } else { writer.last };
        Prepared { serial: last, step, latest }
    }

    /// Shows what was prepared, in one step. When this returns, every reader sees it.
    pub fn publish(&self, prepared: Prepared) {
        let mut writer = self.writer();
        writer.last = prepared.serial;
        writer.placements.update(prepared.latest);
        let Some(step) = prepared.step else { return };
        self.lines.keep(step.filled.iter());
        writer.unfinished.extend(step.filled.iter().filter(|file| !file.is_best()).map(Arc::downgrade));
        let surplus = writer.unfinished.len().saturating_sub(UNFINISHED_MAX);
        for file in writer.unfinished.drain(..surplus).filter_map(|file| file.upgrade()) {
            file.compress_short();
        }
        self.snapshot.store(Arc::new(step.snapshot));
    }

    /// Gives views the serials that they had in the time before, so that they are the same to the byte. For a start,
    /// before anybody reads.
    pub fn restore_serials(&self, serials: &[(ViewName, Serial)], last: Serial) {
        let mut writer = self.writer();
        writer.last = writer.last.max(last);
        let snapshot = self.snapshot.load().with_serials(serials);
        self.snapshot.store(Arc::new(snapshot));
    }

    /// One round of improvement for a timer: compresses better what was read and what has lasted since the former
    /// round, up to `segments_max` pieces of about a millisecond each. Returns how many it was.
    pub fn improve(&self, segments_max: usize) -> usize {
        let mut left = segments_max;
        let snapshot = self.snapshot();
        let mut seen = std::collections::HashSet::new();
        for (_, view) in snapshot.views().filter(|(_, view)| seen.insert(Arc::as_ptr(view))) {
            left -= view.registry().improve(left);
            left -= view.summaries().improve(left);
        }
        let queue = std::mem::take(&mut self.writer().unfinished);
        let living: Vec<_> = queue.iter().filter_map(Weak::upgrade).collect();
        for file in &living {
            left -= file.improve(left);
        }
        let mut writer = self.writer();
        let waiting = living.iter().filter(|file| !file.is_best()).map(Arc::downgrade);
        let later = std::mem::take(&mut writer.unfinished);
        writer.unfinished = waiting.chain(later).collect();
        segments_max - left
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        // A panic while merging leaves the placements as they were or as they should be.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("snapshot", &self.snapshot.load()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

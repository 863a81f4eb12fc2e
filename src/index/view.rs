//! A view: the index files of one channel in one state, and how the next state comes from it.
//!
//! Does not know which channel it is of, so channels that have the same packages are one view.

use std::fmt;
use std::sync::Arc;

use super::package_file::PackageFile;
use super::render::RenderedContent;
use super::segments::{Members, SegmentedText};
use super::serial::Serial;
use super::shared_map::{Named, SharedMap};
use crate::model::{ChannelName, Crc32};

/// Which channel of every owner a view shows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ViewName {
    /// Each owner's default channel.
    Default,
    /// The channel of this name.
    Channel(ChannelName),
}

/// One state of a view. Immutable, and shares with other states whatever is the same.
pub struct View {
    serial: Serial,
    registry: SegmentedText<Members>,
    summaries: SegmentedText<Members>,
    packages: SharedMap<Arc<PackageFile>>,
}

/// What is to become of a package in a view.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change<'a> {
    pub(super) full_name: &'a str,
    pub(super) to: Option<&'a RenderedContent>,
}

impl Change<'_> {
    /// Whether both make the same of the same package.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let same_content = match (self.to, other.to) {
            (Some(left), Some(right)) => std::ptr::eq(left, right),
            (None, None) => true,
            _ => false,
        };
        same_content && self.full_name == other.full_name
    }
}

/// The next state of a view, and which package files came, went or changed: their hash now, or none.
pub(super) struct Next {
    pub(super) view: View,
    pub(super) files: Vec<(Arc<str>, Option<Crc32>)>,
}

impl View {
    /// A view without packages.
    pub(super) fn empty(serial: Serial) -> Self {
        let summaries = SegmentedText::new("{", "}");
        let registry = SegmentedText::new(r#"{"files":{"#, &registry_tail(0, summaries.crc32(), serial));
        Self { serial, registry, summaries, packages: SharedMap::new() }
    }

    /// The state after `changes`, whose names rise; none where they change nothing.
    pub(super) fn apply(&self, changes: &[Change<'_>], serial: Serial) -> Option<Next> {
        let is_news = |change: &&Change<'_>| match (self.packages.get(change.full_name), change.to) {
            (Some(old), Some(new)) => !Arc::ptr_eq(old, &new.file) && !old.is_same(&new.file),
            (old, new) => old.is_some() || new.is_some(),
        };
        let news: Vec<_> = changes.iter().filter(is_news).collect();
        let entries = changes.iter().map(|change| {
            let summary = change.to.and_then(|content| content.summary.as_deref());
            (change.full_name, summary)
        });
        let summaries = self.summaries.apply(entries);
        if news.is_empty() && summaries.is(&self.summaries) {
            return None;
        }
        let packages = self
            .packages
            .apply(news.iter().map(|change| (change.full_name, change.to.map(|content| Arc::clone(&content.file)))));
        let registry = self.registry.apply(news.iter().map(|change| {
            let path = format!("packages/{}.gz", change.full_name);
            let entry = change.to.map(|content| Members::entry(&path, &format!("\"{}\"", content.file.crc32())));
            (path, entry)
        }));
        let registry = registry.with_tail(&registry_tail(registry.entry_count(), summaries.crc32(), serial));
        let file = |change: &&Change<'_>| match change.to {
            Some(content) => (content.file.shared_name(), Some(content.file.crc32())),
            None => (change.full_name.into(), None),
        };
        Some(Next { files: news.iter().map(file).collect(), view: Self { serial, registry, summaries, packages } })
    }

    /// The same state, as it was when it changed last at `serial`.
    pub(super) fn with_serial(&self, serial: Serial) -> Self {
        let tail = registry_tail(self.registry.entry_count(), self.summaries.crc32(), serial);
        Self {
            serial,
            registry: self.registry.with_tail(&tail),
            summaries: self.summaries.clone(),
            packages: self.packages.clone(),
        }
    }

    /// This state with packages added that not everyone sees, as it was when any of that changed last at `serial`.
    /// Whatever they do not touch is shared.
    #[must_use]
    pub fn with_private(&self, contents: &[RenderedContent], serial: Serial) -> Self {
        let mut changes: Vec<_> =
            contents.iter().map(|content| Change { full_name: content.file.full_name(), to: Some(content) }).collect();
        changes.sort_by(|left, right| left.full_name.cmp(right.full_name));
        self.apply(&changes, serial).map_or_else(|| self.with_serial(serial), |next| next.view)
    }

    /// When it last changed.
    #[must_use]
    pub fn serial(&self) -> Serial {
        self.serial
    }

    /// `registry.gz`: the hash of every file of the view.
    #[must_use]
    pub fn registry(&self) -> &SegmentedText<Members> {
        &self.registry
    }

    /// `summaries.gz`: what each package with an offered version is.
    #[must_use]
    pub fn summaries(&self) -> &SegmentedText<Members> {
        &self.summaries
    }

    /// What `summaries.gz` has of a package: JSON.
    #[must_use]
    pub fn summary(&self, full_name: &str) -> Option<&str> {
        self.summaries.get(full_name).map(Members::value)
    }

    /// `packages/FULLNAME.gz`.
    #[must_use]
    pub fn package(&self, full_name: &str) -> Option<&Arc<PackageFile>> {
        self.packages.get(full_name)
    }

    /// The files of all packages, in no order.
    pub fn packages(&self) -> impl Iterator<Item = &Arc<PackageFile>> {
        self.packages.iter()
    }

    /// How many packages have a file.
    #[must_use]
    pub fn package_count(&self) -> usize {
        self.packages.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.package_count() == 0
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.package_count();
        f.debug_struct("View").field("serial", &self.serial).field("packages", &count).finish_non_exhaustive()
    }
}

impl Named for PackageFile {
    fn name(&self) -> &str {
        self.full_name()
    }
}

/// What follows the packages in `registry.gz`: the file that sorts behind them all, and the serial.
fn registry_tail(package_count: usize, summaries: Crc32, serial: Serial) -> String {
    let comma = if package_count > 0 { "," } else { "" };
    format!(r#"{comma}"summaries.gz":"{summaries}"}},"serial":{serial}}}"#)
}

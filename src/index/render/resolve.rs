//! Which release of each version, and which archives of them, the readers of a channel get.

use std::collections::HashMap;

use crate::index::source::{FileSource, PackageSource, ReleaseSource};
use crate::model::channel::reach;
use crate::model::{ChannelId, PlatformId, PlatformName, file_role};

/// A package's active releases in the order of their versions, to resolve channels against.
pub(super) struct Releases<'a> {
    source: &'a PackageSource,
    /// Equal versions, which are on different channels, are neighbours.
    by_version: Vec<&'a ReleaseSource>,
}

impl<'a> Releases<'a> {
    pub(super) fn new(source: &'a PackageSource) -> Self {
        let mut by_version: Vec<_> = source.releases.iter().filter(|source| source.release.active).collect();
        by_version.sort_by(|left, right| {
            let key = |source: &&ReleaseSource| source.release.id;
            left.release.version.cmp(&right.release.version).then_with(|| key(left).cmp(&key(right)))
        });
        Self { source, by_version }
    }

    pub(super) fn get(&self) -> &[&'a ReleaseSource] {
        &self.by_version
    }

    /// Which of the releases a reader of `channel` gets, by their places in [`Releases::get`]: one of each version,
    /// the one on the nearest channel.
    pub(super) fn resolve(&self, channel: ChannelId) -> Vec<usize> {
        let reached = reach(channel, &self.source.channels);
        // Each with how far away its channel is; a package may have thousands, and each publish comes here.
        let mut places: Vec<(usize, usize)> = Vec::new();
        for (at, source) in self.by_version.iter().enumerate() {
            let Some(distance) = reached.iter().position(|id| *id == source.release.channel) else { continue };
            match places.last_mut() {
                Some(last) if self.by_version[last.0].release.version == source.release.version => {
                    if distance < last.1 {
                        *last = (at, distance);
                    }
                }
                _ => places.push((at, distance)),
            }
        }
        places.into_iter().map(|(at, _)| at).collect()
    }
}

/// The archives of a release in the order of the platforms' names; attachments have no line. Files of platforms that are
/// not the owner's have no place in the index.
pub(super) fn archives<'a>(
    release: &'a ReleaseSource,
    platforms: &HashMap<PlatformId, &'a PlatformName>,
) -> Vec<(&'a PlatformName, &'a FileSource)> {
    let named = |(platform, file)| platforms.get(&platform).map(|name| (*name, file));
    let mut archives: Vec<(&PlatformName, &FileSource)> =
        file_role::archives(&release.files).into_iter().filter_map(named).collect();
    archives.sort_by_key(|(platform, _)| *platform);
    archives
}

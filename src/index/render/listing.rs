//! What a view has of a package, as the entities that its lines are of rather than as text.

use std::collections::HashMap;

use super::line::{self, Line};
use super::resolve::{self, Releases};
use crate::index::package_file::PackageFile;
use crate::index::source::{FileSource, PackageSource};
use crate::index::view::ViewName;
use crate::model::{Crc32, PlatformName, Release};

/// The lines of a package in a view.
#[derive(Debug)]
pub struct Listing<'a> {
    /// The checksum of their text, by which `registry.gz` has them.
    pub crc32: Crc32,
    /// Each line, in order; there is at least one.
    pub lines: Vec<ListedArchive<'a>>,
}

/// What a line is of.
#[derive(Debug)]
pub struct ListedArchive<'a> {
    /// The package id.
    pub id: String,
    /// The release.
    pub release: &'a Release,
    /// What the archive runs on.
    pub platform: &'a PlatformName,
    /// The archive.
    pub archive: &'a FileSource,
}

/// The lines of a package in a view; nothing where the view has none of it. That a private package is not for everyone
/// is not known here.
#[must_use]
pub fn listing<'a>(source: &'a PackageSource, view: &ViewName) -> Option<Listing<'a>> {
    let channel = source.channels.iter().find(|channel| match view {
        ViewName::Default => channel.default,
        ViewName::Channel(name) => channel.name == *name,
    })?;
    let full_name = source.package.full_name();
    let platforms: HashMap<_, _> = source.platforms.iter().map(|platform| (platform.id, &platform.name)).collect();
    let releases = Releases::new(source);
    let all: Vec<Line<'a>> = releases
        .resolve(channel.id)
        .into_iter()
        .map(|at| releases.get()[at])
        .flat_map(|release| {
            let archives = resolve::archives(release, &platforms).into_iter();
            archives.map(|(platform, file)| Line::new(&full_name, &release.release, platform, file)).collect::<Vec<_>>()
        })
        .collect();
    let mut lines: Vec<&Line<'a>> = all.iter().collect();
    line::one_per_id(&mut lines);
    if lines.is_empty() {
        return None;
    }
    let file = PackageFile::new(full_name.as_str().into(), lines.iter().map(|line| line.text()));
    let listed = |line: &&Line<'a>| ListedArchive {
        id: line.id().to_owned(),
        release: line.release,
        platform: line.platform,
        archive: line.source,
    };
    Some(Listing { crc32: file.crc32(), lines: lines.iter().map(listed).collect() })
}

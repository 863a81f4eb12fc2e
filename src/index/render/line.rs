//! A line of a package's file: one archive, by its package id.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;

use crate::index::archives::archive_path;
use crate::index::source::FileSource;
use crate::model::{FullName, PackageId, PlatformName, Release};

/// An archive and its line.
pub(super) struct Line<'a> {
    pub(super) release: &'a Release,
    pub(super) platform: &'a PlatformName,
    pub(super) source: &'a FileSource,
    pub(super) id: String,
    /// The line without its line feed.
    pub(super) text: String,
}

#[derive(Serialize)]
struct Fields<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    dependencies: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    targets: Option<&'a Value>,
    package: PackageFields,
}

#[derive(Serialize)]
struct PackageFields {
    #[serde(rename = "archivePath")]
    archive_path: String,
    size: u64,
    sha256: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    yanked: bool,
}

impl<'a> Line<'a> {
    pub(super) fn new(
        full_name: &FullName,
        release: &'a Release,
        platform: &'a PlatformName,
        source: &'a FileSource,
    ) -> Self {
        let id = PackageId { version: release.version.clone(), platform: platform.clone() }.to_string();
        let field = |name: &str| source.manifest.as_ref().and_then(|manifest| manifest.fields().get(name));
        let fields = Fields {
            dependencies: field("dependencies"),
            targets: field("targets"),
            package: PackageFields {
                archive_path: archive_path(full_name, &id, &source.file),
                size: source.file.size,
                sha256: source.file.sha256.to_string(),
                yanked: release.yanked.is_some(),
            },
        };
        let text = format!("{id} {}", super::json(&fields));
        Self { release, platform, source, id, text }
    }
}

/// Leaves one line per id. Where two archives have the same id, because the version of one of them has build metadata
/// that looks like the platform of the other, it means the one with the longer platform, as in
/// [`PackageId::readings`].
pub(super) fn one_per_id<'a, 'b>(lines: &mut Vec<&'b Line<'a>>) {
    if !lines.iter().any(|line| line.release.version.as_str().contains('+')) {
        return;
    }
    let rank = |line: &Line<'_>| if line.platform.is_any() { 0 } else { line.platform.as_str().len() };
    let mut first: HashMap<&'b str, usize> = HashMap::new();
    for line in lines.iter().copied() {
        let highest = first.entry(&line.id).or_default();
        *highest = rank(line).max(*highest);
    }
    lines.retain(|line| first.get(line.id.as_str()) == Some(&rank(line)));
}

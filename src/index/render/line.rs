//! A line of a package's file: one archive, by its package id.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::index::archives::archive_path;
use crate::index::source::{FileSource, LineText};
use crate::model::{FullName, PackageId, PlatformName, Release, Sha256};

/// An archive and its line.
pub(super) struct Line<'a> {
    pub(super) release: &'a Release,
    pub(super) platform: &'a PlatformName,
    pub(super) source: &'a FileSource,
    text: Arc<LineText>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    yanked: bool,
    /// How the version is read, where that is not the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    version_scheme: Option<&'static str>,
}

impl<'a> Line<'a> {
    pub(super) fn new(
        full_name: &FullName,
        release: &'a Release,
        platform: &'a PlatformName,
        source: &'a FileSource,
    ) -> Self {
        let yanked = release.yanked.is_some();
        let scheme = release.version.scheme();
        let is_still_so =
            |known: &&Arc<LineText>| known.platform == *platform && known.yanked == yanked && known.scheme == scheme;
        if let Some(text) = source.line.0.get().filter(is_still_so) {
            return Self { release, platform, source, text: Arc::clone(text) };
        }
        let id = PackageId { version: release.version.clone(), platform: platform.clone() }.to_string();
        let field = |name: &str| source.manifest.as_ref().and_then(|manifest| manifest.fields().get(name));
        let fields = Fields {
            dependencies: field("dependencies"),
            targets: field("targets"),
            package: PackageFields {
                archive_path: archive_path(full_name, &id, &source.file),
                size: source.file.known_size(),
                sha256: source.file.known_sha256().as_ref().map(Sha256::to_string),
                yanked,
                version_scheme: (!scheme.is_default()).then(|| scheme.as_str()),
            },
        };
        let text = format!("{id} {}", super::json(&fields));
        let text = Arc::new(LineText { platform: platform.clone(), yanked, scheme, id, text });
        // What is remembered otherwise stays so; a release that is yanked is read anew, with nothing remembered.
        let _ = source.line.0.set(Arc::clone(&text));
        Self { release, platform, source, text }
    }

    /// Its package id.
    pub(super) fn id(&self) -> &str {
        &self.text.id
    }

    /// The line without its line feed.
    pub(super) fn text(&self) -> &str {
        &self.text.text
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
        let highest = first.entry(line.id()).or_default();
        *highest = rank(line).max(*highest);
    }
    lines.retain(|line| first.get(line.id()) == Some(&rank(line)));
}

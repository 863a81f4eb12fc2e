//! What a view's index files do not say of a package's releases: their times, notes and reasons, and how ids are read.
//!
//! With it, a copy of a view can become packages again that make the same view.

use serde::Serialize;

use super::Registry;
use super::access::open_package;
use super::caller::Caller;
use super::refusal::Refusal;
use super::sources;
use super::views::Sha256Text;
use crate::index::{ListedArchive, ViewName, archives, listing};
use crate::model::{
    ChannelName, Crc32, DisplayName, FullName, Package, PlatformName, Requirement, Sha256, Timestamp, Version,
    Visibility,
};

/// The releases of a package in a view, archive by archive, in the order of its lines.
#[derive(Debug, Serialize)]
pub struct ViewReleases {
    /// The checksum of the lines that this belongs to: who finds another one in `registry.gz` has read two states.
    lines: String,
    package: ListedPackage,
    releases: Vec<ListedRelease>,
    #[serde(skip)]
    public: bool,
}

#[derive(Debug, Serialize)]
struct ListedPackage {
    description: String,
    visibility: &'static str,
    version_scheme: &'static str,
}

#[derive(Debug, Serialize)]
struct ListedRelease {
    id: String,
    version: Version,
    platform: PlatformName,
    channel: Option<ChannelName>,
    published: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    yanked: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    display_name: DisplayName,
    mime_type: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    requirements: Vec<Requirement>,
    /// The digest of `archives/FULLNAME/FULLNAME-ID.json`.
    manifest_sha256: Sha256Text,
}

impl ViewReleases {
    /// Whether everyone may have it.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.public
    }
}

impl Registry {
    /// The releases of a package in a view. Reads all of them: blocks for milliseconds.
    ///
    /// # Errors
    /// If the view has none that the caller may read.
    pub fn view_releases(&self, caller: &Caller, view: &ViewName, name: &FullName) -> Result<ViewReleases, Refusal> {
        let rows = self.store.read()?;
        let (package, _) = open_package(&rows, caller, name, None)?;
        let unknown = || Refusal::not_in_index(name);
        let source = sources::read(&rows, package.id)?.ok_or_else(unknown)?;
        let listing = listing(&source, view).ok_or_else(unknown)?;
        let channel_name = |line: &ListedArchive<'_>| {
            source
                .channels
                .iter()
                .find(|channel| channel.id == line.release.channel)
                .map(|channel| channel.name.clone())
        };
        let releases = listing.lines.iter().map(|line| ListedRelease::new(name, line, channel_name(line))).collect();
        Ok(ViewReleases::new(listing.crc32, &package, releases))
    }
}

impl ViewReleases {
    fn new(lines: Crc32, package: &Package, releases: Vec<ListedRelease>) -> Self {
        Self {
            lines: lines.to_string(),
            package: ListedPackage {
                description: package.description.as_str().to_owned(),
                visibility: package.visibility.as_str(),
                version_scheme: package.version_scheme.as_str(),
            },
            releases,
            public: package.visibility == Visibility::Public,
        }
    }
}

impl ListedRelease {
    fn new(name: &FullName, line: &ListedArchive<'_>, channel: Option<ChannelName>) -> Self {
        let ListedArchive { id, release, platform, archive } = line;
        let file = &archive.file;
        let path = archives::archive_path(name, id, file);
        let manifest = archives::manifest_text(archive.manifest.as_ref(), &path);
        Self {
            id: id.clone(),
            version: release.version.clone(),
            platform: (*platform).clone(),
            channel,
            published: release.published,
            yanked: release.yanked.as_ref().map(|reason| reason.as_str().to_owned()),
            description: release.description.as_str().to_owned(),
            display_name: file.display_name.clone(),
            mime_type: file.mime_type.as_str().to_owned(),
            requirements: file.requirements.clone(),
            manifest_sha256: Sha256Text(Sha256::of(manifest.as_bytes())),
        }
    }
}

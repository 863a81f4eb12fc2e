//! What the index is made from: packages with their releases and files, as their store has them.
//!
//! Plain data; whoever fills it reads all of it from one state of the store.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::model::{Channel, Manifest, Package, Platform, PlatformName, Release, ReleaseFile, VersionScheme};

/// A package with everything that its index files are made from.
#[derive(Debug, Clone)]
pub struct PackageSource {
    /// The package.
    pub package: Package,
    /// All channels of its owner.
    pub channels: Arc<[Channel]>,
    /// All platforms of its owner.
    pub platforms: Arc<[Platform]>,
    /// Its active releases, yanked ones included, in any order.
    pub releases: Vec<ReleaseSource>,
}

/// A release with its files.
#[derive(Debug, Clone)]
pub struct ReleaseSource {
    /// The release.
    pub release: Release,
    /// Its files in the order they were added.
    pub files: Vec<FileSource>,
}

/// A file with its manifest.
#[derive(Debug, Clone)]
pub struct FileSource {
    /// The file.
    pub file: ReleaseFile,
    /// The manifest that was published with it, if one was.
    pub manifest: Option<Manifest>,
    /// Its line, for who renders the same file again.
    pub line: LineMemory,
}

impl AsRef<ReleaseFile> for FileSource {
    fn as_ref(&self) -> &ReleaseFile {
        &self.file
    }
}

/// The line that a file was rendered to last. It follows from the file, so it is nothing by which files differ.
#[derive(Clone, Default)]
pub struct LineMemory(pub(super) OnceLock<Arc<LineText>>);

/// A line of a package's file.
pub(super) struct LineText {
    /// The platform that the file was for by the name of that time.
    pub(super) platform: PlatformName,
    /// Whether the release was yanked then.
    pub(super) yanked: bool,
    /// How the version was read then.
    pub(super) scheme: VersionScheme,
    pub(super) id: String,
    /// The line without its line feed.
    pub(super) text: String,
}

impl LineMemory {
    /// How many bytes it takes.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.0.get().map_or(0, |line| size_of::<LineText>() + line.id.len() + line.text.len())
    }
}

impl fmt::Debug for LineMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LineMemory")
    }
}

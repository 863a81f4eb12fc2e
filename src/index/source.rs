//! What the index is made from: packages with their releases and files, as their store has them.
//!
//! Plain data; whoever fills it reads all of it from one state of the store.

use std::sync::Arc;

use crate::model::{Channel, Manifest, Package, Platform, Release, ReleaseFile};

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
}

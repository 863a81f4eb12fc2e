//! Uploads that come in several sittings, while they are not finished.

use super::digest::Sha256;
use super::file::MimeType;
use super::file_role::FileRole;
use super::id::{PackageKey, UploadId, UserId};
use super::name::{ChannelName, DisplayName, FullName, PlatformName};
use super::time::Timestamp;
use super::version::Version;

/// A file on its way: what it is to become, and how much of it has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedUpload {
    /// Its id.
    pub id: UploadId,
    /// Who began it and alone may go on with it.
    pub uploader: Uploader,
    /// The package.
    pub package: FullName,
    /// The channel of the release.
    pub channel: ChannelName,
    /// The version of the release.
    pub version: Version,
    /// What the file runs on.
    pub platform: PlatformName,
    /// Its original name.
    pub display_name: DisplayName,
    /// What kind of file it is.
    pub mime_type: MimeType,
    /// The role that the file is to have, where the uploader chose one.
    pub role: Option<FileRole>,
    /// Whether a missing release is to be made, and then active or not.
    pub create_active: Option<bool>,
    /// Whether a missing platform is to be made.
    pub create_platform: bool,
    /// Whether an owner adds the file to a release that has long been active.
    pub late: bool,
    /// The SHA-256 that the whole must have, where the uploader said so.
    pub sha256: Option<Sha256>,
    /// Its size in bytes.
    pub size: u64,
    /// How many bytes are kept.
    pub offset: u64,
    /// The name of what is kept in the volumes, if anything is.
    pub blob: Option<u64>,
    /// Whether it has become a file; it is remembered for a while for those who missed the answer.
    pub finished: bool,
    /// When it began.
    pub created: Timestamp,
    /// When it is forgotten, unless more comes.
    pub expires: Timestamp,
}

/// By what right somebody uploads: it must be the same in each sitting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Uploader {
    /// As this user.
    User(UserId),
    /// With the private token of this package.
    Package(PackageKey),
}

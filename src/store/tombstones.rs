//! Tombstones: the digests of published files that were deleted, by the names under which clients and caches know them.
//!
//! A file that was ever active was handed out as immutable. So its name keeps its digest for good: also after its release
//! or its package was deleted, and for whoever makes them again.

use redb::ReadableTable as _;

use super::StorageError;
use super::edit::Edit;
use super::rows::{Rows, Source};
use super::tables;
use crate::model::{
    ChannelName, DisplayName, FullName, PlatformId, PlatformName, Release, ReleaseFile, ReleaseId, Sha256, Version,
};

/// The name of a file in addresses.
#[derive(Debug, Clone, Copy)]
pub struct Tombstone<'a> {
    /// The package. Its case does not count.
    pub package: &'a FullName,
    /// The channel of the release.
    pub channel: &'a ChannelName,
    /// The version.
    pub version: &'a Version,
    /// The platform.
    pub platform: &'a PlatformName,
    /// The name within release and platform.
    pub display_name: &'a DisplayName,
}

impl Tombstone<'_> {
    /// The key of the row. None of the parts can hold the character between them.
    fn key(&self) -> String {
        let package = self.package.as_str().to_ascii_lowercase();
        let Self { channel, version, platform, display_name, .. } = self;
        format!("{package}\0{channel}\0{version}\0{platform}\0{display_name}")
    }
}

impl<S: Source> Rows<S> {
    /// The SHA-256 of the published file that had this name and was deleted, if there was one.
    pub fn published_digest(&self, name: &Tombstone<'_>) -> Result<Option<Sha256>, StorageError> {
        let table = self.source().table(tables::TOMBSTONES)?;
        let found = table.get(name.key().as_str())?;
        Ok(found.map(|digest| Sha256::from_bytes(digest.value())))
    }
}

impl Edit<'_, '_> {
    /// Remembers the digest of a published file that is being deleted, if it is known: that of a file elsewhere may not be.
    pub(super) fn bury(&mut self, release: &Release, file: &ReleaseFile) -> Result<(), StorageError> {
        match file.known_sha256() {
            Some(sha256) => self.bury_name(release, file.platform, &file.display_name, sha256),
            None => Ok(()),
        }
    }

    fn bury_name(
        &mut self,
        release: &Release,
        platform: PlatformId,
        display_name: &DisplayName,
        sha256: Sha256,
    ) -> Result<(), StorageError> {
        let Some(package) = self.package(release.package)? else { return Ok(()) };
        let (channels, platforms) = (self.channels(package.owner)?, self.platforms(package.owner)?);
        let channel = channels.iter().find(|channel| channel.id == release.channel);
        let platform = platforms.iter().find(|known| known.id == platform);
        let (Some(channel), Some(platform)) = (channel, platform) else { return Ok(()) };
        let package = package.full_name();
        let name = Tombstone {
            package: &package,
            channel: &channel.name,
            version: &release.version,
            platform: &platform.name,
            display_name,
        };
        self.tx().open_table(tables::TOMBSTONES)?.insert(name.key().as_str(), *sha256.as_bytes())?;
        Ok(())
    }

    /// Takes over the rows of formats before 5, which were forgotten with their release.
    pub(super) fn bury_deleted_files(&mut self) -> Result<(), StorageError> {
        let mut found: Vec<(ReleaseId, String, Sha256)> = Vec::new();
        for row in self.tx().open_table(tables::DELETED_FILES)?.iter()? {
            let (key, digest) = row?;
            let (release, place) = key.value();
            found.push((ReleaseId(release), place.to_owned(), Sha256::from_bytes(digest.value())));
        }
        for (release, place, sha256) in found {
            let named =
                place.split_once('/').and_then(|(platform, name)| Some((platform.parse().ok()?, name.parse().ok()?)));
            if let (Some((platform, display_name)), Some(release)) = (named, self.release(release)?) {
                self.bury_name(&release, PlatformId(platform), &display_name, sha256)?;
            }
        }
        self.tx().open_table(tables::DELETED_FILES)?.retain(|_, _| false)?;
        Ok(())
    }
}

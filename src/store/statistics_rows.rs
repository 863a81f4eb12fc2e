//! Counts of downloads and update checks: by day while they are remembered, and in sum for ever. Of each release, the
//! day of its last download, however long ago.
//!
//! A row of a day is keyed by the day first, so that old days go in one sweep. Platforms and channels stand there by
//! their ids, versions as they were asked for.

use redb::ReadableTable;

use super::StorageError;
use super::edit::Edit;
use super::rows::{Rows, Source};
use super::tables;
use crate::model::{ChannelId, Day, FileId, PackageKey, PlatformId, ReleaseId};

/// Rows that a package may have of one day and kind; what is more is counted as version [`OTHER`].
const ROWS_PER_DAY_MAX: usize = 500;
/// The same for versions that no release has, so that strangers cannot crowd out the others.
const UNKNOWN_PER_DAY_MAX: usize = 100;
/// Stands for all versions that are too many to tell apart.
pub const OTHER: &str = "other";

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CountKind {
    /// Files that were sent to their end.
    Download,
    /// Questions for an update.
    Check,
}

/// What counts belong together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CountKey {
    /// The day, counted from 1970 in UTC.
    pub day: u32,
    /// The package.
    pub package: PackageKey,
    /// What is counted.
    pub kind: CountKind,
    /// The channel.
    pub channel: ChannelId,
    /// The platform.
    pub platform: PlatformId,
    /// The version that was downloaded, or that asked.
    pub version: Box<str>,
}

impl CountKind {
    fn tag(self) -> u8 {
        match self {
            Self::Download => 0,
            Self::Check => 1,
        }
    }
}

impl CountKey {
    /// What follows the day and the package in the key of a row.
    fn rest(&self, version: &str) -> Vec<u8> {
        let mut rest = vec![self.kind.tag()];
        rest.extend(self.channel.0.to_be_bytes());
        rest.extend(self.platform.0.to_be_bytes());
        rest.extend(version.as_bytes());
        rest
    }

    fn parse(day: u32, package: PackageKey, rest: &[u8]) -> Result<Self, StorageError> {
        let damaged = || StorageError::damaged("statistics", "a row has another form");
        let (tag, rest) = rest.split_first().ok_or_else(damaged)?;
        let kind = match tag {
            0 => CountKind::Download,
            1 => CountKind::Check,
            _ => return Err(damaged()),
        };
        let (channel, rest) = rest.split_first_chunk().ok_or_else(damaged)?;
        let (platform, version) = rest.split_first_chunk().ok_or_else(damaged)?;
        Ok(Self {
            day,
            package,
            kind,
            channel: ChannelId(u64::from_be_bytes(*channel)),
            platform: PlatformId(u64::from_be_bytes(*platform)),
            version: std::str::from_utf8(version).map_err(|_| damaged())?.into(),
        })
    }
}

impl<S: Source> Rows<S> {
    /// How often a file was downloaded.
    pub fn file_downloads(&self, release: ReleaseId, file: FileId) -> Result<u64, StorageError> {
        let table = self.source().table(tables::FILE_DOWNLOADS)?;
        Ok(table.get((release.0, file.0))?.map_or(0, |count| count.value()))
    }

    /// How often files of a package were downloaded, those that are gone too.
    pub fn package_downloads(&self, package: PackageKey) -> Result<u64, StorageError> {
        let table = self.source().table(tables::PACKAGE_DOWNLOADS)?;
        Ok(table.get(package.0)?.map_or(0, |count| count.value()))
    }

    /// Every package of which something was downloaded, with how often.
    pub fn downloaded_packages(&self) -> Result<Vec<(u64, PackageKey)>, StorageError> {
        let table = self.source().table(tables::PACKAGE_DOWNLOADS)?;
        let rows = table.iter()?;
        rows.map(|row| row.map(|(id, count)| (count.value(), PackageKey(id.value()))).map_err(StorageError::from))
            .collect()
    }

    /// Whether there are counts of days before `day`.
    pub fn has_counts_before(&self, day: u32) -> Result<bool, StorageError> {
        let table = self.source().table(tables::COUNTS)?;
        let first = table.first()?;
        Ok(first.is_some_and(|(key, _)| key.value().0 < day))
    }

    /// The day of a release's last download that is known.
    pub fn last_download(&self, release: ReleaseId) -> Result<Option<Day>, StorageError> {
        let table = self.source().table(tables::RELEASE_DOWNLOADED)?;
        Ok(table.get(release.0)?.map(|day| Day::from_number(day.value())))
    }

    /// The day after which every download is known, as far as no crash lost the last moments before it.
    pub fn downloads_known_after(&self) -> Result<Option<Day>, StorageError> {
        let number = self.meta(tables::META_DOWNLOADS_AFTER)?;
        Ok(number.map(|number| Day::from_number(u32::try_from(number).unwrap_or(u32::MAX))))
    }

    /// Whether a release has the version of a count.
    fn is_version(&self, key: &CountKey) -> Result<bool, StorageError> {
        let Ok(version) = key.version.parse() else { return Ok(false) };
        let Some(package) = self.package(key.package)? else { return Ok(false) };
        for channel in self.channels(package.owner)?.iter() {
            if self.release_by_version(&package, channel.id, &version)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The counts of a package on one day.
    pub fn counts(&self, day: u32, package: PackageKey) -> Result<Vec<(CountKey, u64)>, StorageError> {
        let table = self.source().table(tables::COUNTS)?;
        let mut counts = Vec::new();
        for row in table.range((day, package.0, &[][..])..(day, package.0 + 1, &[][..]))? {
            let (key, count) = row?;
            counts.push((CountKey::parse(day, package, key.value().2)?, count.value()));
        }
        Ok(counts)
    }
}

impl Edit<'_, '_> {
    /// Adds to a count of a day.
    pub fn add_count(&mut self, key: &CountKey, more: u64) -> Result<(), StorageError> {
        if self.package(key.package)?.is_none() {
            return Ok(());
        }
        let mut table = self.tx().open_table(tables::COUNTS)?;
        let mut rest = key.rest(&key.version);
        let mut former = table.get((key.day, key.package.0, &rest[..]))?.map(|count| count.value());
        if former.is_none() {
            let tag = key.kind.tag();
            let limit = if self.is_version(key)? { ROWS_PER_DAY_MAX } else { UNKNOWN_PER_DAY_MAX };
            let of_kind = (key.day, key.package.0, &[tag][..])..(key.day, key.package.0, &[tag + 1][..]);
            if table.range(of_kind)?.take(limit).count() == limit {
                rest = key.rest(OTHER);
                former = table.get((key.day, key.package.0, &rest[..]))?.map(|count| count.value());
            }
        }
        table.insert((key.day, key.package.0, &rest[..]), former.unwrap_or(0).saturating_add(more))?;
        Ok(())
    }

    /// Adds to the sums of a file and its package, as far as they are there, and notes the day of the last download.
    pub fn add_downloads(
        &mut self,
        package: PackageKey,
        release: ReleaseId,
        file: FileId,
        more: u64,
        last: Day,
    ) -> Result<(), StorageError> {
        if self.package(package)?.is_none() {
            return Ok(());
        }
        let is_there = self.has_file(release, file)?;
        let tx = self.tx();
        let mut sums = tx.open_table(tables::PACKAGE_DOWNLOADS)?;
        let former = sums.get(package.0)?.map_or(0, |count| count.value());
        sums.insert(package.0, former.saturating_add(more))?;
        if is_there {
            let mut sums = tx.open_table(tables::FILE_DOWNLOADS)?;
            let former = sums.get((release.0, file.0))?.map_or(0, |count| count.value());
            sums.insert((release.0, file.0), former.saturating_add(more))?;
            // Once a day for most, so that counting stays cheap.
            let mut days = tx.open_table(tables::RELEASE_DOWNLOADED)?;
            if days.get(release.0)?.is_none_or(|former| former.value() < last.number()) {
                days.insert(release.0, last.number())?;
            }
        }
        Ok(())
    }

    /// Notes that every download after this day is known.
    pub fn know_downloads_after(&mut self, day: Day) -> Result<(), StorageError> {
        self.tx().open_table(tables::META)?.insert(tables::META_DOWNLOADS_AFTER, u64::from(day.number()))?;
        Ok(())
    }

    /// Notes that not every download up to this day is known.
    pub fn doubt_downloads_until(&mut self, day: Day) -> Result<(), StorageError> {
        match self.downloads_known_after()? {
            Some(known) if known < day => self.know_downloads_after(day),
            // Where nothing is known yet, there is nothing to doubt.
            _ => Ok(()),
        }
    }

    /// Removes up to `limit` counts of days before `day`; answers whether there are more.
    pub fn forget_counts(&mut self, day: u32, limit: usize) -> Result<bool, StorageError> {
        let mut table = self.tx().open_table(tables::COUNTS)?;
        let mut removed = 0;
        for row in table.extract_from_if(..(day, 0, &[][..]), |_, _| true)?.take(limit) {
            row?;
            removed += 1;
        }
        Ok(removed == limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_pinned() {
        let key = CountKey {
            day: 20_000,
            package: PackageKey(7),
            kind: CountKind::Check,
            channel: ChannelId(2),
            platform: PlatformId(3),
            version: "1.0".into(),
        };
        let rest = key.rest(&key.version);
        assert_eq!(rest, b"\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x031.0");
        assert_eq!(CountKey::parse(20_000, PackageKey(7), &rest).unwrap(), key);
        for end in 0..17 {
            assert!(CountKey::parse(1, PackageKey(7), &rest[..end]).is_err());
        }
        assert!(CountKey::parse(1, PackageKey(7), b"\x02aaaaaaaaaaaaaaaa").is_err());
    }
}

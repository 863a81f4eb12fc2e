//! Counting downloads and update checks, and telling those who publish.
//!
//! Owns the counters in memory, which cost a download one short lock, and their way to the disk: some at a time, now
//! and then and at the end. A crash loses what was counted since the last time.
//!
//! A download counts when the answer that brings the last byte of a file was handed over to its end: a resumed
//! download, or one in parallel parts, counts once, and one that broke off does not. `HEAD`, a 304 and parts from the
//! middle never count. A redirect to a file that is kept elsewhere counts, as nobody here sees more of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::Registry;
use super::access::open_package;
use super::caller::Caller;
use super::refusal::Refusal;
use crate::model::{
    ChannelId, Day, FileId, FullName, Package, PackageKey, PlatformId, Release, ReleaseFile, ReleaseId, Role, Version,
};
use crate::store::{CountKey, CountKind, OTHER, StorageError, Store};

/// Counters in memory; further versions are counted as one, and nothing at all where even that is too much.
const COUNTERS_MAX: usize = 20_000;
/// Counters that go to the disk in one commit, so that it stays short.
const WRITTEN_AT_ONCE_MAX: usize = 500;
/// Rows of old days that go in one commit.
const FORGOTTEN_AT_ONCE_MAX: usize = 1000;
/// The most days that one answer tells of.
pub const DAYS_MAX: u32 = 400;

/// The counters that are not on the disk yet.
#[derive(Debug, Default)]
pub(super) struct Counters {
    counts: Mutex<Counts>,
    totals: Totals,
}

/// What was counted since the start, of all packages together.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) downloads: AtomicU64,
    pub(super) checks: AtomicU64,
    pub(super) uploads: AtomicU64,
    pub(super) upload_bytes: AtomicU64,
}

#[derive(Debug, Default)]
struct Counts {
    by_day: HashMap<CountKey, u64>,
    files: HashMap<(PackageKey, ReleaseId, FileId), OfFile>,
    /// The last day on which files were too many to tell which of them were downloaded.
    missed: Option<Day>,
}

/// What is counted of a file.
#[derive(Debug, Clone, Copy, Default)]
struct OfFile {
    downloads: u64,
    last: Day,
}

impl OfFile {
    fn add(&mut self, more: Self) {
        self.downloads += more.downloads;
        self.last = self.last.max(more.last);
    }
}

/// A file whose downloads are counted.
#[derive(Debug, Clone)]
pub struct CountedFile {
    counters: Arc<Counters>,
    day: u32,
    package: PackageKey,
    release: ReleaseId,
    file: FileId,
    channel: ChannelId,
    platform: PlatformId,
    version: Version,
}

/// What was counted of a package.
#[derive(Debug, Serialize)]
pub struct StatisticsView {
    from: String,
    to: String,
    downloads: Vec<CountView>,
    checks: Vec<CountView>,
}

/// How often on a day.
#[derive(Debug, Serialize)]
struct CountView {
    date: String,
    version: Box<str>,
    channel: String,
    platform: String,
    count: u64,
}

impl Counts {
    /// Counts again what could not be written.
    fn give_back(
        &mut self,
        by_day: impl IntoIterator<Item = (CountKey, u64)>,
        files: impl IntoIterator<Item = ((PackageKey, ReleaseId, FileId), OfFile)>,
    ) {
        for (key, more) in by_day {
            *self.by_day.entry(key).or_default() += more;
        }
        for (key, more) in files {
            self.files.entry(key).or_default().add(more);
        }
    }
}

impl Counters {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        // Counts are valid between any two statements.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Counts a file that was published with its content.
    pub(super) fn count_upload(&self, size_bytes: u64) {
        self.totals.uploads.fetch_add(1, Ordering::Relaxed);
        self.totals.upload_bytes.fetch_add(size_bytes, Ordering::Relaxed);
    }

    fn count(&self, mut key: CountKey) {
        let total = match key.kind {
            CountKind::Download => &self.totals.downloads,
            CountKind::Check => &self.totals.checks,
        };
        total.fetch_add(1, Ordering::Relaxed);
        let mut counts = self.lock();
        if counts.by_day.len() >= COUNTERS_MAX && !counts.by_day.contains_key(&key) {
            key.version = OTHER.into();
            if counts.by_day.len() >= 2 * COUNTERS_MAX && !counts.by_day.contains_key(&key) {
                return;
            }
        }
        *counts.by_day.entry(key).or_default() += 1;
    }

    /// Writes what was counted. What fails is counted again.
    pub(super) fn write(&self, store: &Store) -> Result<(), StorageError> {
        let Counts { by_day, files, missed } = std::mem::take(&mut *self.lock());
        if let Some(missed) = missed {
            // First, as nothing may rely on what follows until it is known to be not all.
            let written = store.write_and_wait(move |edit| edit.doubt_downloads_until(missed));
            if let Err(error) = written {
                let mut counts = self.lock();
                counts.missed = counts.missed.max(Some(missed));
                counts.give_back(by_day, files);
                return Err(error);
            }
        }
        let mut by_day: Vec<_> = by_day.into_iter().collect();
        let mut files: Vec<_> = files.into_iter().collect();
        while !by_day.is_empty() || !files.is_empty() {
            let days = Arc::new(by_day.split_off(by_day.len().saturating_sub(WRITTEN_AT_ONCE_MAX)));
            let sums = Arc::new(files.split_off(files.len().saturating_sub(WRITTEN_AT_ONCE_MAX)));
            let job = (Arc::clone(&days), Arc::clone(&sums));
            let written = store.write_and_wait(move |edit| {
                for (key, more) in job.0.iter() {
                    edit.add_count(key, *more)?;
                }
                for ((package, release, file), more) in job.1.iter() {
                    edit.add_downloads(*package, *release, *file, more.downloads, more.last)?;
                }
                Ok(())
            });
            if let Err(error) = written {
                let by_day = days.iter().cloned().chain(by_day);
                self.lock().give_back(by_day, sums.iter().copied().chain(files));
                return Err(error);
            }
        }
        Ok(())
    }
}

impl CountedFile {
    /// Counts one download.
    pub fn count(&self) {
        self.counters.count(CountKey {
            day: self.day,
            package: self.package,
            kind: CountKind::Download,
            channel: self.channel,
            platform: self.platform,
            version: self.version.as_str().into(),
        });
        let mut counts = self.counters.lock();
        let key = (self.package, self.release, self.file);
        let last = Day::from_number(self.day);
        if counts.files.len() < COUNTERS_MAX || counts.files.contains_key(&key) {
            counts.files.entry(key).or_default().add(OfFile { downloads: 1, last });
        } else {
            counts.missed = counts.missed.max(Some(last));
        }
    }
}

impl Registry {
    /// What was counted of a package in the last `days` days, today among them.
    ///
    /// # Errors
    /// If the caller may not publish to it.
    pub fn statistics(&self, caller: &Caller, name: &FullName, days: u32) -> Result<StatisticsView, Refusal> {
        let rows = self.store.read()?;
        let (package, _) = open_package(&rows, caller, name, Some(Role::Maintainer))?;
        let to = self.today();
        let from = (to + 1).saturating_sub(days.clamp(1, DAYS_MAX));
        let channels: BTreeMap<_, _> =
            rows.channels(package.owner)?.iter().map(|channel| (channel.id, channel.name.to_string())).collect();
        let platforms: BTreeMap<_, _> =
            rows.platforms(package.owner)?.iter().map(|platform| (platform.id, platform.name.to_string())).collect();
        let date = |day| Day::from_number(day).to_string();
        let mut view = StatisticsView { from: date(from), to: date(to), downloads: Vec::new(), checks: Vec::new() };
        for day in from..=to {
            for (key, count) in rows.counts(day, package.id)? {
                let list = match key.kind {
                    CountKind::Download => &mut view.downloads,
                    CountKind::Check => &mut view.checks,
                };
                list.push(CountView {
                    date: date(day),
                    version: key.version,
                    channel: channels.get(&key.channel).cloned().unwrap_or_default(),
                    platform: platforms.get(&key.platform).cloned().unwrap_or_default(),
                    count,
                });
            }
        }
        Ok(view)
    }

    /// Writes what was counted, and forgets days that are too long ago. Blocks.
    ///
    /// # Errors
    /// If the store fails; what was counted is written another time.
    pub fn write_statistics(&self) -> Result<(), Refusal> {
        self.counters.write(&self.store)?;
        let kept_from = (self.today() + 1).saturating_sub(self.config().statistics_days);
        while self.store.read()?.has_counts_before(kept_from)?
            && self.store.write_and_wait(move |edit| edit.forget_counts(kept_from, FORGOTTEN_AT_ONCE_MAX))?
        {}
        Ok(())
    }

    pub(super) fn count_check(&self, package: &Package, channel: ChannelId, platform: PlatformId, version: &str) {
        self.counters.count(CountKey {
            day: self.today(),
            package: package.id,
            kind: CountKind::Check,
            channel,
            platform,
            version: version.into(),
        });
    }

    pub(super) fn counted_file(&self, package: &Package, release: &Release, file: &ReleaseFile) -> CountedFile {
        CountedFile {
            counters: Arc::clone(&self.counters),
            day: self.today(),
            package: package.id,
            release: release.id,
            file: file.id,
            channel: release.channel,
            platform: file.platform,
            version: release.version.clone(),
        }
    }

    fn today(&self) -> u32 {
        self.clock.now().day().number()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_bounded() {
        let counters = Counters::default();
        for version in 0..3 * COUNTERS_MAX {
            counters.count(CountKey {
                day: 1,
                package: PackageKey(1),
                kind: CountKind::Check,
                channel: ChannelId(1),
                platform: PlatformId(1),
                version: version.to_string().into(),
            });
        }
        let counts = counters.lock();
        assert_eq!(counts.by_day.len(), COUNTERS_MAX + 1);
        assert_eq!(counts.by_day.values().sum::<u64>(), 3 * COUNTERS_MAX as u64);
    }
}

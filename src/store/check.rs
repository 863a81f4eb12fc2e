//! Checks a whole store: that its files are sound, that what they say agrees, and that all content is what it was.
//!
//! Nothing is written: the store is opened on a layer above its files. It tells what is damaged and which releases that
//! affects; to mend it is for people, who have backups.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use redb::ReadableTableMetadata as _;

use super::blobs::volumes_of_backup::{file_name, number_of_file};
use super::blobs::{LiveBlob, ledger, small};
use super::file::{StorageError, database_on};
use super::media::{Media, OpenMode, ReadOnlyMedia};
use super::open::{Nobody, Store};
use super::rows::Source as _;
use super::{OpenError, Snapshot, StoreOptions, tables};
use crate::model::{Content, Release, Sha256};

/// Page cache while a file's checksums are verified, in bytes.
const CACHE_BYTES: usize = 8 << 20;
/// Files that are named of those that a damage affects.
const AFFECTED_MAX: usize = 100;
/// Damages that are told; where there are more, their number says enough.
const DAMAGES_MAX: usize = 1000;

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Packages that were looked at.
    pub packages: u64,
    /// Files of releases that were looked at.
    pub files: u64,
    /// Contents that files refer to.
    pub blobs: u64,
    /// Their bytes.
    pub blob_bytes: u64,
    /// Whether all content was read.
    pub read_all: bool,
    /// What is wrong.
    pub damages: Vec<Damage>,
    /// How much more is wrong.
    pub further_damages: u64,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// What.
    pub what: String,
    /// Files that cannot be had because of it, as `omni.foo stable 1.0.0: foo.zip (linux-x64)`.
    pub affects: Vec<String>,
}

impl CheckReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.damages.is_empty()
    }

    fn add(&mut self, what: impl Into<String>, affects: &[String]) {
        if self.damages.len() < DAMAGES_MAX {
            let affects = affects.iter().take(AFFECTED_MAX).cloned().collect();
            self.damages.push(Damage { what: what.into(), affects });
        } else {
            self.further_damages += 1;
        }
    }
}

/// How much of a store is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckDepth {
    /// The entities, and that what they refer to is there.
    References,
    /// Also all content.
    Content,
    /// Also the checksums of all pages of all files.
    Files,
}

/// Checks the store on a medium, of which nobody else may have hold. In it, the file `alias.1` has the name `alias.0`.
/// `reached` hears of how many bytes of content are read, and how many there are.
///
/// # Errors
/// If a newer program wrote it, or it cannot be read at all. What is merely damaged is in the report.
pub async fn check(
    media: Arc<dyn Media>,
    alias: Option<(&'static str, &'static str)>,
    depth: CheckDepth,
    reached: &(dyn Fn(u64, u64) + Sync),
) -> Result<CheckReport, OpenError> {
    let mut report = CheckReport { read_all: depth != CheckDepth::References, ..CheckReport::default() };
    let layer = |media: &Arc<dyn Media>| Arc::new(ReadOnlyMedia::over(Arc::clone(media), alias));
    if let Some(problem) = file_problem(&*layer(&media), super::open::ENTITIES)? {
        report.add(format!("{}: {problem}", super::open::ENTITIES), &[]);
    }
    if depth == CheckDepth::Files {
        let mut numbers: Vec<u32> = media
            .list("blobs")
            .map_err(|error| StorageError::from_io(&error))?
            .iter()
            .filter_map(|name| number_of_file(&format!("blobs/{name}")))
            .collect();
        numbers.sort_unstable();
        for name in numbers.into_iter().map(file_name) {
            if let Some(problem) = file_problem(&*layer(&media), &name)? {
                report.add(format!("{name}: {problem}"), &[]);
            }
        }
    }
    let store = match Store::open_media(layer(&media), StoreOptions::default(), Nobody) {
        Ok(store) => store,
        Err(OpenError::Storage(error @ StorageError::Corrupt { .. })) => {
            report.add(error.to_string(), &[]);
            return Ok(report);
        }
        Err(error) => return Err(error),
    };
    let result = check_store(&store, depth, reached, &mut report).await;
    store.close();
    match result {
        Err(error @ StorageError::Corrupt { .. }) => report.add(error.to_string(), &[]),
        result => result?,
    }
    Ok(report)
}

/// What redb finds wrong with a file.
fn file_problem(media: &dyn Media, name: &str) -> Result<Option<String>, StorageError> {
    let file = match media.open(name, OpenMode::Existing) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Some("it is missing".to_owned())),
        file => file.map_err(|error| StorageError::from_io(&error))?,
    };
    let checked = catch_unwind(AssertUnwindSafe(|| {
        let mut database = database_on(file, name, CACHE_BYTES)?;
        Ok::<bool, StorageError>(database.check_integrity()?)
    }));
    match checked {
        Ok(Ok(true)) => Ok(None),
        Ok(Ok(false)) => Ok(Some("its pages contradict each other".to_owned())),
        Ok(Err(error @ StorageError::Corrupt { .. })) => Ok(Some(error.to_string())),
        Ok(Err(error)) => Err(error),
        Err(_) => Ok(Some("it is damaged beyond what can be read".to_owned())),
    }
}

/// What is known of a content from those who refer to it.
#[derive(Default)]
struct Referred {
    references: u64,
    size_bytes: u64,
    by: Vec<String>,
}

async fn check_store(
    store: &Store,
    depth: CheckDepth,
    reached: &(dyn Fn(u64, u64) + Sync),
    report: &mut CheckReport,
) -> Result<(), StorageError> {
    let rows = store.read()?;
    let mut referred = HashMap::new();
    look_at_packages(&rows, &mut referred, report)?;
    for volume in ledger::wrong_sums(rows.source())? {
        report.add(format!("blob volume {volume}: the count of its live bytes is wrong"), &[]);
    }
    for problem in small::contradictions(rows.source())? {
        report.add(problem, &[]);
    }
    let blobs = ledger::live_blobs(rows.source())?;
    report.blobs = blobs.len() as u64;
    report.blob_bytes = blobs.iter().map(|blob| blob.size_bytes).sum();
    let mut done = 0;
    reached(0, report.blob_bytes);
    for blob in &blobs {
        let known = referred.remove(&blob.sha256).unwrap_or_default();
        if let Some(problem) = blob_problem(store, blob, &known, depth).await? {
            report.add(format!("content {}: {problem}", blob.sha256), &known.by);
        }
        done += blob.size_bytes;
        reached(done, report.blob_bytes);
    }
    let missing: BTreeMap<Sha256, Referred> = referred.into_iter().collect();
    for (sha256, known) in missing {
        report.add(format!("content {sha256}: it is missing"), &known.by);
    }
    Ok(())
}

fn look_at_packages(
    rows: &Snapshot,
    referred: &mut HashMap<Sha256, Referred>,
    report: &mut CheckReport,
) -> Result<(), StorageError> {
    let mut lost = Vec::new();
    rows.packages(|package| {
        report.packages += 1;
        let channels = rows.channels(package.owner)?;
        let platforms = rows.platforms(package.owner)?;
        for release in rows.releases_of(package.id)? {
            let Release { version, channel, .. } = &release;
            let channel = channels.iter().find(|known| known.id == *channel).map(|known| known.name.to_string());
            let place = format!("{} {} {version}", package.full_name(), channel.as_deref().unwrap_or("?"));
            if channel.is_none() {
                lost.push(format!("{place}: its channel is missing"));
            }
            for file in rows.files(release.id)? {
                report.files += 1;
                let platform = platforms.iter().find(|known| known.id == file.platform);
                let name = platform.map_or_else(|| "?".to_owned(), |platform| platform.name.to_string());
                let place = format!("{place}: {} ({name})", file.display_name);
                if platform.is_none() {
                    lost.push(format!("{place}: its platform is missing"));
                }
                if let Content::Blob { .. } = file.content {
                    let known = referred.entry(file.sha256).or_default();
                    known.references += 1;
                    known.size_bytes = file.size;
                    known.by.push(place);
                }
            }
        }
        Ok(())
    })?;
    for what in lost {
        report.add(what, &[]);
    }
    let all = rows.source().table(tables::FILES)?.len()?;
    if all != report.files {
        report.add(format!("{all} files are stored, and releases have {}", report.files), &[]);
    }
    Ok(())
}

async fn blob_problem(
    store: &Store,
    blob: &LiveBlob,
    known: &Referred,
    depth: CheckDepth,
) -> Result<Option<String>, StorageError> {
    if blob.references != known.references {
        return Ok(Some(format!("{} files refer to it, and {} are counted", known.references, blob.references)));
    }
    if blob.size_bytes != known.size_bytes {
        return Ok(Some(format!("it has {} bytes, and its file {}", blob.size_bytes, known.size_bytes)));
    }
    let end_bytes = if depth == CheckDepth::References { 0 } else { blob.size_bytes };
    store.content_problem(store.read()?, blob, end_bytes, |_| std::future::ready(())).await
}

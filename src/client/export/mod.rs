//! Writes a view of a server as static files that any web server or bucket can serve (`tree` says which).
//!
//! A run compares what is there with what the server has and fetches only what differs, through the machinery of `sync`.
//! What is new is written first, each file in one step; then `registry.gz`, which makes it count; then what is gone is
//! removed. So a run that is cut off at any point leaves a tree that its next run completes. Nothing but the tree itself
//! is remembered.

mod folder;
mod package;

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use futures_util::{StreamExt, TryStreamExt, stream};

use self::folder::Folder;
use self::package::{Job, PackageFiles};
use super::archive::ArchiveError;
use super::progress::{Progress, Task};
use super::sync::engine::{Answer, Fetcher, PartNames, RegistryFile, View};
use super::sync::{IndexFile, SyncError, SyncLimits};
use super::{Client, RequestError, Url};
use crate::model::{Crc32, Sha256};

/// What to export where to.
#[derive(Debug, Clone)]
pub struct ExportOptions {
    /// Root of the view, the folder of `registry.gz`.
    pub root: Url,
    /// Folder of the tree; made if it is not there.
    pub dir: PathBuf,
    /// Write archives too, not only where they belong.
    pub archives: bool,
    /// Read all files that are there, and write those again that are damaged.
    pub verify: bool,
    /// Bounds.
    pub limits: SyncLimits,
}

/// What an export did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExportReport {
    /// Packages in the tree.
    pub packages: u64,
    /// Those of them that not everybody may read at the server.
    pub private_packages: u64,
    /// Files that are new or changed.
    pub written: u64,
    /// Files that were there already.
    pub kept: u64,
    /// Files that are gone.
    pub removed: u64,
    /// The tree's serial: made from what is in the index, so that it is the same wherever that is.
    pub serial: u64,
    /// Requests made.
    pub requests: u64,
    /// Bytes received in bodies.
    pub received_bytes: u64,
}

/// Why an export failed. What counts of the tree is then as it was before.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The index could not be had.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// A request failed.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A file of the server is not as it should be.
    #[error("{file} cannot be used: {why}")]
    File {
        /// Its path on the server.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// The server changed all the time.
    #[error(
        "{file} did not fit the index, which was read {rounds} times ({why}): the registry changes faster than it can be \
         read, or the server is older than this program. The tree is as it was; try again later"
    )]
    Inconsistent {
        /// The file.
        file: String,
        /// How it differs.
        why: String,
        /// How often the index was read.
        rounds: u32,
    },
    /// The folder holds something else under a name that is needed.
    #[error("{}: this is not from an export; choose an empty folder, or move it away", path.display())]
    Foreign {
        /// What is in the way.
        path: PathBuf,
    },
    /// Another run holds the folder.
    #[error("{}: another export is at work here; wait until it has ended", dir.display())]
    Busy {
        /// The folder.
        dir: PathBuf,
    },
    /// The local file system failed.
    #[error("{}: {source}{}", path.display(), disk_advice(source))]
    Disk {
        /// Where.
        path: PathBuf,
        /// How.
        source: io::Error,
    },
    /// A part of this program ended early.
    #[error("an internal task ended early: {0}")]
    Crashed(String),
}

impl ExportError {
    fn disk(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Disk { path, source }
    }
}

fn disk_advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space and run it again: what was written is kept"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => "; may you write there?",
        _ => "",
    }
}

/// How something went that needs a server which stands still for a moment.
enum Step<T> {
    Done(T),
    /// The server moved on in between.
    Moved {
        file: String,
        why: String,
    },
}

/// Brings the tree to the latest state of the view.
///
/// # Errors
/// [`ExportError`].
pub async fn export(
    client: &Client,
    options: &ExportOptions,
    progress: Arc<dyn Progress>,
) -> Result<ExportReport, ExportError> {
    let before = client.traffic();
    let dir = options.dir.clone();
    let folder = Arc::new(blocking(move || Folder::open(&dir)).await?);
    let run = Run { client, options, progress, folder, run_bytes: Arc::default() };
    let limits = &options.limits;
    let mut round = 1;
    let report = loop {
        match run.round(round).await? {
            Step::Done(report) => break report,
            Step::Moved { file, why } if round >= limits.rounds_max => {
                return Err(ExportError::Inconsistent { file, why, rounds: round });
            }
            Step::Moved { .. } => {}
        }
        tokio::time::sleep(limits.round_wait.saturating_mul(1 << (round - 1).min(16))).await;
        round += 1;
    };
    let after = client.traffic();
    Ok(ExportReport {
        requests: after.requests - before.requests,
        received_bytes: after.received_bytes - before.received_bytes,
        ..report
    })
}

/// One export under way.
struct Run<'a> {
    client: &'a Client,
    options: &'a ExportOptions,
    progress: Arc<dyn Progress>,
    folder: Arc<Folder>,
    run_bytes: Arc<AtomicU64>,
}

impl Run<'_> {
    async fn round(&self, round: u32) -> Result<Step<ExportReport>, ExportError> {
        let Self { client, options, folder, .. } = self;
        self.progress.begin(Task::Compare);
        let source = RegistryFile { client, root: &options.root, limits: &options.limits };
        // It was not asked whether something changed, so it says what there is.
        let Answer::View(view) = source.latest(None).await? else {
            return Err(SyncError::Registry("the server says that it did not change".to_owned()).into());
        };
        let missing = self.missing(&view).await?;
        self.progress.begin(Task::Fetch { files: missing.len() as u64 });
        let fetcher = Fetcher {
            client,
            root: &options.root,
            limits: &options.limits,
            arrivals: folder.arrivals(),
            progress: &*self.progress,
            run_bytes: Arc::clone(&self.run_bytes),
            parts: PartNames::new(round),
        };
        if let Some(mismatch) = fetcher.fetch_all(&missing).await?.mismatch {
            let received = mismatch.received.map_or_else(|| "nothing".to_owned(), |crc| crc.to_string());
            let why = format!("listed {}, received {received}", mismatch.listed);
            return Ok(Step::Moved { file: mismatch.file, why });
        }
        let packages = match self.packages(&view, &missing).await? {
            Step::Done(packages) => packages,
            Step::Moved { file, why } => return Ok(Step::Moved { file, why }),
        };
        self.finish(view, missing, packages).await.map(Step::Done)
    }

    /// The index files that the tree does not have as the view has them.
    async fn missing(&self, view: &View) -> Result<Vec<(IndexFile, Crc32)>, ExportError> {
        let (folder, verify) = (Arc::clone(&self.folder), self.options.verify);
        let files = view.registry.files.clone();
        blocking(move || {
            let is_missing = |(file, crc): &(IndexFile, Crc32)| !folder.has_index_file(file, *crc, verify);
            Ok(files.into_iter().rev().filter(is_missing).collect())
        })
        .await
    }

    /// Brings all manifests, archives and lists of releases into the tree.
    async fn packages(
        &self,
        view: &View,
        missing: &[(IndexFile, Crc32)],
    ) -> Result<Step<Vec<PackageFiles>>, ExportError> {
        let changed: HashSet<&IndexFile> = missing.iter().map(|(file, _)| file).collect();
        let jobs: Vec<Job<'_>> = view
            .registry
            .files
            .iter()
            .filter_map(|(file, crc)| match file {
                IndexFile::Package(name) => Some(Job {
                    client: self.client,
                    options: self.options,
                    folder: &self.folder,
                    name,
                    crc: *crc,
                    has_arrived: changed.contains(file),
                }),
                IndexFile::Summaries => None,
            })
            .collect();
        self.progress.begin(Task::Transfer { packages: jobs.len() as u64 });
        let mut results = stream::iter(&jobs).map(Job::run).buffer_unordered(self.options.limits.parallel.max(1));
        let mut packages = Vec::with_capacity(jobs.len());
        while let Some(step) = results.try_next().await? {
            match step {
                Step::Done(files) => packages.push(files),
                Step::Moved { file, why } => return Ok(Step::Moved { file, why }),
            }
            self.progress.reached(packages.len() as u64);
        }
        Ok(Step::Done(packages))
    }

    /// Makes it all count.
    async fn finish(
        &self,
        view: Box<View>,
        changed: Vec<(IndexFile, Crc32)>,
        packages: Vec<PackageFiles>,
    ) -> Result<ExportReport, ExportError> {
        let folder = Arc::clone(&self.folder);
        // On a thread of its own it ends what it began, even when this future is dropped.
        blocking(move || {
            let mut report = ExportReport { packages: packages.len() as u64, ..ExportReport::default() };
            for files in &packages {
                report.private_packages += u64::from(files.is_private);
                report.written += files.written;
                report.kept += files.kept;
            }
            let all = view.registry.files.len() as u64;
            report.kept += all - changed.len() as u64;
            for (file, crc) in &changed {
                folder.take_arrival(file, *crc)?;
            }
            report.written += changed.len() as u64;
            let (text, serial) = registry_text(&view.text).map_err(|why| SyncError::Registry(why.to_string()))?;
            report.serial = serial;
            *(if folder.put_registry(&text)? { &mut report.written } else { &mut report.kept }) += 1;
            let wanted: HashSet<PathBuf> = packages
                .into_iter()
                .flat_map(|files| files.paths)
                .chain(view.registry.files.keys().map(|file| PathBuf::from(file.wire_path())))
                .collect();
            report.removed = folder.sweep(&wanted)?;
            Ok(report)
        })
        .await
    }
}

/// The registry's text with the serial of a tree: the first 40 bits of the SHA-256 of all the rest. A server's own
/// serials are times in microseconds and far above it, so that one which is asked for changes since this serial says that
/// it is too old rather than guess.
fn registry_text(text: &[u8]) -> Result<(Vec<u8>, u64), serde_json::Error> {
    let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(text)?;
    fields.insert("serial".to_owned(), 0.into());
    let digest = Sha256::of(&serde_json::to_vec(&fields)?);
    let serial = digest.as_bytes()[..5].iter().fold(0, |serial, byte| serial << 8 | u64::from(*byte));
    fields.insert("serial".to_owned(), serial.into());
    Ok((serde_json::to_vec(&fields)?, serial))
}

/// Runs what waits for the disk on a thread for such work.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ExportError> + Send + 'static,
) -> Result<T, ExportError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| ExportError::Crashed(error.to_string()))?
}

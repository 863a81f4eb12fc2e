//! Keeps a local copy of a view, like `git pull`: fetches what changed, verifies it, and switches to it in one step.
//!
//! The way of a run: take the folder's lock (`replica`), ask what there is now (`source`), fetch the files whose
//! checksums are new (`fetch`), put the new state together and switch (`replica`). Until the switch the old state
//! is untouched, whatever fails. Readers use [`local`].

mod disk;
mod fetch;
pub mod limits;
pub mod local;
pub mod registry;
mod replica;
mod source;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use self::disk::{Disk, LocalDisk};
use self::fetch::{Arrivals, Fetcher, PartNames};
pub use self::limits::SyncLimits;
pub use self::local::{LocalError, LocalIndex, load_summaries};
pub use self::registry::{Difference, IndexFile, Registry};
use self::replica::{NewState, Replica, State, StateOrigin};
use self::source::{Answer, ChangeSource, RegistryFile, View};
use super::gzip::GunzipError;
use super::json_depth::TooDeep;
use super::progress::{Progress, Task};
use super::{Client, RequestError, Traffic, Url};
use crate::model::{Crc32, FullName, Sha256};

/// What to sync where to.
#[derive(Debug, Clone)]
pub struct SyncOptions {
    /// Root of the view, the folder of `registry.gz`.
    pub root: Url,
    /// Folder of the local copy; made if it is not there.
    pub dir: PathBuf,
    /// Read all local files again and fetch those that are missing or damaged.
    pub verify: bool,
    /// Bounds.
    pub limits: SyncLimits,
}

/// What a sync did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncReport {
    /// Packages that are new here.
    pub added: Vec<FullName>,
    /// Packages whose lines changed.
    pub changed: Vec<FullName>,
    /// Packages that are gone.
    pub removed: Vec<FullName>,
    /// Whether there is a new state; the registry may change without a package's lines doing so.
    pub is_new_state: bool,
    /// The serial of the state that is here now; opaque.
    pub serial: Option<String>,
    /// Index files that came over the wire, `registry.gz` not counted.
    pub files_fetched: u64,
    /// Index files that an earlier, broken run had fetched.
    pub files_reused: u64,
    /// Requests made.
    pub requests: u64,
    /// Bytes received in bodies, compressed as they come.
    pub received_bytes: u64,
}

/// A file that is not what the registry says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Its path on the server.
    pub file: String,
    /// The checksum that the registry lists.
    pub listed: Crc32,
    /// The checksum of what came, or nothing if the server does not have the file.
    pub received: Option<Crc32>,
}

/// Why a sync failed. The local copy is then what it was before.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// A request failed.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// There is no registry at the address.
    #[error(
        "{0}\nThere is no registry at this address: give the server's address, or that of a view, which ends in /v2/"
    )]
    NoRegistry(#[source] RequestError),
    /// `registry.gz` is not as it should be.
    #[error("registry.gz cannot be used: {0}")]
    Registry(String),
    /// An index file is not as it should be.
    #[error("{file} cannot be used: {source}")]
    File {
        /// Its path on the server.
        file: String,
        /// What is wrong with it.
        source: GunzipError,
    },
    /// An index file nests too deeply.
    #[error("{file} cannot be used: {why}")]
    TooDeep {
        /// Its path on the server.
        file: String,
        /// What is wrong with it.
        why: TooDeep,
    },
    /// The files are too many bytes in all.
    #[error("the registry's files come to more than the {bytes_max} bytes that one sync accepts")]
    TooMuch {
        /// The limit.
        bytes_max: u64,
    },
    /// Files never matched the registry.
    #[error(
        "{} does not match registry.gz, which was read {rounds} times (listed {}, received {}): the registry changes \
         faster than it can be read, or a cache on the way keeps old files. The local copy is as it was; try again later",
        mismatch.file, mismatch.listed, mismatch.received.map_or_else(|| "nothing".to_owned(), |crc| crc.to_string())
    )]
    Inconsistent {
        /// One of the files.
        mismatch: Mismatch,
        /// How often the registry was read.
        rounds: u32,
    },
    /// Another run holds the folder.
    #[error("{}: another sync has been running here for {} s; wait until it has ended", dir.display(), after.as_secs())]
    Busy {
        /// The folder.
        dir: PathBuf,
        /// How long it was waited for.
        after: Duration,
    },
    /// The folder holds something else under a name that is needed.
    #[error("{}: this is not from a sync; choose an empty folder, or move it away", path.display())]
    Foreign {
        /// What is in the way.
        path: PathBuf,
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

impl SyncError {
    fn disk(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Disk { path, source }
    }

    fn registry(why: impl std::fmt::Display) -> Self {
        Self::Registry(why.to_string())
    }

    fn crashed(why: impl std::fmt::Display) -> Self {
        Self::Crashed(why.to_string())
    }
}

fn disk_advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space and run the sync again: what it has fetched is kept"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => "; may you write there?",
        io::ErrorKind::NotFound => "; if something removed files of the local copy, a sync with --verify repairs it",
        _ => "",
    }
}

/// Brings the local copy to the latest state of the view.
///
/// # Errors
/// [`SyncError`]; the local copy is then as it was.
pub async fn sync(
    client: &Client,
    options: &SyncOptions,
    progress: Arc<dyn Progress>,
) -> Result<SyncReport, SyncError> {
    sync_on(client, options, progress, Arc::new(LocalDisk)).await
}

async fn sync_on(
    client: &Client,
    options: &SyncOptions,
    progress: Arc<dyn Progress>,
    disk: Arc<dyn Disk>,
) -> Result<SyncReport, SyncError> {
    let traffic_before = client.traffic();
    let limits = &options.limits;
    progress.begin(Task::Compare);
    let replica = Arc::new(Replica::open(&options.dir, disk, limits.files_max, limits.lock_timeout).await?);
    let source = RegistryFile { client, root: &options.root, limits };
    let report = Run { client, options, progress, replica, source: &source }.run().await?;
    let Traffic { requests, received_bytes } = client.traffic();
    Ok(SyncReport {
        requests: requests - traffic_before.requests,
        received_bytes: received_bytes - traffic_before.received_bytes,
        ..report
    })
}

/// One sync under way.
struct Run<'a, S> {
    client: &'a Client,
    options: &'a SyncOptions,
    progress: Arc<dyn Progress>,
    replica: Arc<Replica>,
    source: &'a S,
}

/// What a run works with once it knows that something changed.
struct Work {
    /// The state that is here, without files that turned out to be damaged.
    known: Arc<Registry>,
    arrivals: Arrivals,
    fetched: u64,
    reused: u64,
}

impl<S: ChangeSource> Run<'_, S> {
    async fn run(&self) -> Result<SyncReport, SyncError> {
        let limits = &self.options.limits;
        let current = self.replica.current();
        if current.is_some() {
            self.replica.hang_doors()?;
        }
        let view_sha256 = Sha256::of(self.options.root.exposed().as_bytes()).to_string();
        let origin = current.as_ref().and_then(|state| state.origin.as_ref());
        let origin = origin.filter(|origin| origin.view_sha256 == view_sha256);
        let tag = origin.filter(|_| !self.options.verify).and_then(|origin| origin.etag.as_deref());
        let run_bytes = Arc::new(AtomicU64::new(0));
        let mut work = None;
        for round in 1..=limits.rounds_max {
            let view = match self.source.latest(tag).await? {
                Answer::Unchanged => return Ok(SyncReport::unchanged(origin.and_then(|from| from.serial.clone()))),
                Answer::View(view) => view,
            };
            let work = match &mut work {
                Some(work) => work,
                None => work.insert(self.prepare(current.as_ref()).await?),
            };
            let missing = missing(&view.registry, &work.known);
            self.progress.begin(Task::Fetch { files: missing.len() as u64 });
            let outcome = self.fetcher(work, &run_bytes, round).fetch_all(&missing).await?;
            work.fetched += outcome.fetched;
            // What a round fetched is no find of an earlier run for the next round.
            work.reused += if round == 1 { outcome.reused } else { 0 };
            let Some(mismatch) = outcome.mismatch else {
                let serial = view.registry.serial.clone();
                let new_origin = StateOrigin { view_sha256: view_sha256.clone(), etag: view.etag.clone(), serial };
                if *work.known == view.registry && origin == Some(&new_origin) {
                    return Ok(SyncReport::unchanged(new_origin.serial));
                }
                return self.install(view, new_origin, current, work).await;
            };
            if round == limits.rounds_max {
                return Err(SyncError::Inconsistent { mismatch, rounds: round });
            }
            self.progress.begin(Task::Compare);
            tokio::time::sleep(limits.round_wait.saturating_mul(1 << (round - 1).min(16))).await;
        }
        Err(SyncError::registry("it was not read, because no round is allowed"))
    }

    async fn prepare(&self, current: Option<&State>) -> Result<Work, SyncError> {
        let (replica, current, verify) = (Arc::clone(&self.replica), current.cloned(), self.options.verify);
        blocking(move || {
            replica.tidy(current.as_ref(), verify)?;
            let known = match &current {
                None => Registry::default(),
                Some(state) if verify => replica.verified_registry_of(&state.folder),
                Some(state) => replica.registry_of(&state.folder),
            };
            Ok(Work { known: Arc::new(known), arrivals: replica.arrivals()?, fetched: 0, reused: 0 })
        })
        .await
    }

    fn fetcher<'a>(&'a self, work: &Work, run_bytes: &Arc<AtomicU64>, round: u32) -> Fetcher<'a> {
        Fetcher {
            client: self.client,
            root: &self.options.root,
            limits: &self.options.limits,
            arrivals: work.arrivals.clone(),
            progress: &*self.progress,
            run_bytes: Arc::clone(run_bytes),
            parts: PartNames::new(round),
        }
    }

    async fn install(
        &self,
        view: Box<View>,
        origin: StateOrigin,
        current: Option<State>,
        work: &Work,
    ) -> Result<SyncReport, SyncError> {
        let difference = Difference::between(&work.known, &view.registry);
        let (files_fetched, files_reused, serial) = (work.fetched, work.reused, origin.serial.clone());
        let (replica, progress) = (Arc::clone(&self.replica), Arc::clone(&self.progress));
        let (known, arrivals) = (Arc::clone(&work.known), work.arrivals.clone());
        // A task that runs on a thread of its own is not cut off when this future is dropped: it ends the switch.
        blocking(move || {
            progress.begin(Task::Install { files: view.registry.files.len() as u64 });
            let new = NewState { registry: &view.registry, text: &view.text, origin: &origin };
            let old = current.as_ref().map(|state| (state, &*known));
            replica.install(&new, old, &arrivals, &|done| progress.reached(done))
        })
        .await?;
        let Difference { added, changed, removed } = difference;
        Ok(SyncReport {
            added,
            changed,
            removed,
            is_new_state: true,
            files_fetched,
            files_reused,
            ..SyncReport::unchanged(serial)
        })
    }
}

impl SyncReport {
    fn unchanged(serial: Option<String>) -> Self {
        Self {
            added: Vec::new(),
            changed: Vec::new(),
            removed: Vec::new(),
            is_new_state: false,
            serial,
            files_fetched: 0,
            files_reused: 0,
            requests: 0,
            received_bytes: 0,
        }
    }
}

/// The files of `latest` that are not in `known`. The summaries come first: they change with every publish, so they
/// must be asked for soon after the registry.
fn missing(latest: &Registry, known: &Registry) -> Vec<(IndexFile, Crc32)> {
    let is_missing = |(file, crc): &(&IndexFile, &Crc32)| known.files.get(file) != Some(crc);
    latest.files.iter().rev().filter(is_missing).map(|(file, crc)| (file.clone(), *crc)).collect()
}

/// Runs what waits for the disk on a thread for such work.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SyncError> + Send + 'static,
) -> Result<T, SyncError> {
    tokio::task::spawn_blocking(work).await.map_err(SyncError::crashed)?
}

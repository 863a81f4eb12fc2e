//! Keeps a local copy of a view, like `git pull`: fetches what changed, verifies it, and switches to it in one step.
//!
//! The way of a run (`run`): take the folder's lock (`replica`), ask what changed (`changes`) or what there is now
//! (`source`), fetch the files whose checksums are new (`fetch`), put the new state together and switch (`replica`).
//! Until the switch the old state is untouched, whatever fails. Readers use [`local`].

mod apply;
mod changes;
mod disk;
mod fetch;
pub mod limits;
pub mod local;
mod members;
pub mod registry;
mod replica;
mod run;
mod source;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The parts of a sync that `export` and `import` are made of as well.
pub(crate) mod engine {
    pub(crate) use super::disk::{Disk, LocalDisk};
    pub(crate) use super::fetch::{Arrivals, Fetcher, PartNames};
    pub(crate) use super::source::{Answer, RegistryFile, View};
}

use self::disk::{Disk, LocalDisk};
pub use self::limits::SyncLimits;
pub use self::local::{LocalError, LocalIndex, load_summaries};
pub use self::registry::{Difference, IndexFile, Registry};
use self::replica::Replica;
use self::run::Run;
use super::gzip::GunzipError;
use super::json_depth::TooDeep;
use super::progress::{Progress, Task};
use super::{Client, RequestError, Traffic, Url};
use crate::model::{Crc32, FullName};

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

/// By which way a sync learns what there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncWay {
    /// `changes`: what changed since the state that was here.
    Changes,
    /// `registry.gz`: all that there is.
    Registry,
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
    /// By which way it was learned what there is.
    pub way: SyncWay,
    /// Index files that came over the wire, `registry.gz` and answers about changes not counted.
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
    let report = Run { client, options, progress, replica }.run().await?;
    let Traffic { requests, received_bytes } = client.traffic();
    Ok(SyncReport {
        requests: requests - traffic_before.requests,
        received_bytes: received_bytes - traffic_before.received_bytes,
        ..report
    })
}

impl SyncReport {
    fn unchanged(serial: Option<String>, way: SyncWay) -> Self {
        Self {
            added: Vec::new(),
            changed: Vec::new(),
            removed: Vec::new(),
            is_new_state: false,
            serial,
            way,
            files_fetched: 0,
            files_reused: 0,
            requests: 0,
            received_bytes: 0,
        }
    }
}

/// Runs what waits for the disk on a thread for such work.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SyncError> + Send + 'static,
) -> Result<T, SyncError> {
    tokio::task::spawn_blocking(work).await.map_err(SyncError::crashed)?
}

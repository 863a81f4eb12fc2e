//! Installs packages from a synced index: chooses or takes over versions (`plan`), fetches their archives, verifies them
//! and puts each in its place in one step (`place`).
//!
//! ```text
//! OUT/packhouse.lock                  what is installed, exactly
//! OUT/FULLNAME-ID/FILE                an archive, or its content where it was unpacked
//! OUT/.packhouse/installed/FULLNAME-ID.json    that the folder is ours, and which archive it is from
//! OUT/.packhouse/incoming/            what is on its way; worth nothing after a crash
//! OUT/.packhouse/lock                 held by the run at work
//! ```
//!
//! A folder of `OUT` that was not made by an install is never touched. Folders of versions that are not wanted any more
//! stay, since something may run from them.

mod fetch;
mod lock;
mod place;
mod plan;
mod target;
pub mod unpack;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};

use self::fetch::Fetcher;
pub use self::lock::{Incomplete, Lock, LockError, Locked};
use self::place::{OutFolder, State};
pub use self::plan::{Measured, PlanError, plan};
use self::target::Target;
pub use self::target::{archive_url, is_address};
use self::unpack::{Kind, UnpackError, UnpackLimits};
use super::archive::sha256_of_file;
use super::progress::{Progress, Task};
use super::{Client, RequestError, Url};

/// The name of the lock file in the folder that is installed into.
pub const LOCK_FILE: &str = "packhouse.lock";

/// Where to and how.
#[derive(Debug, Clone)]
pub struct InstallOptions {
    /// Root of the view that the index is a copy of; not needed where all archives are elsewhere.
    pub root: Option<Url>,
    /// The folder to install into; made if it is not there.
    pub out: PathBuf,
    /// Unpack what is a `.zip` or `.tar.gz`.
    pub unpack: bool,
    /// Bounds.
    pub limits: InstallLimits,
}

/// Bounds of an install.
#[derive(Debug, Clone)]
pub struct InstallLimits {
    /// Archives fetched at the same time.
    pub parallel: usize,
    /// The largest archive.
    pub archive_bytes_max: u64,
    /// What an archive may become.
    pub unpack: UnpackLimits,
}

impl Default for InstallLimits {
    fn default() -> Self {
        Self { parallel: 8, archive_bytes_max: 256 << 30, unpack: UnpackLimits::default() }
    }
}

/// What an install did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InstallReport {
    /// Archives that were fetched.
    pub fetched: u64,
    /// Archives that were here already.
    pub present: u64,
    /// Bytes fetched.
    pub received_bytes: u64,
}

/// Why an install failed. What was installed before stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// A request failed.
    #[error("{package}: {source}")]
    Request {
        /// Name and id.
        package: String,
        /// How.
        source: Box<RequestError>,
    },
    /// An archive's path leads nowhere.
    #[error("{package}: its archive has no usable address: {why}")]
    Target {
        /// Name and id.
        package: String,
        /// What is wrong with it.
        why: String,
    },
    /// What came is not what the index says.
    #[error(
        "{package}: what {url} sent is not the archive that the index lists ({difference}); sync the index, and if that \
         changes nothing, ask who published it"
    )]
    Different {
        /// Name and id.
        package: String,
        /// Whence.
        url: Box<Url>,
        /// In what it differs.
        difference: String,
    },
    /// It is larger than this client takes.
    #[error("{package}: it has {size_bytes} bytes, and this client takes at most {bytes_max}")]
    TooLarge {
        /// Name and id.
        package: String,
        /// Its size.
        size_bytes: u64,
        /// The limit.
        bytes_max: u64,
    },
    /// It cannot be unpacked.
    #[error("{package}: {source}")]
    Unpack {
        /// Name and id.
        package: String,
        /// Why.
        source: UnpackError,
    },
    /// Something else is where it belongs.
    #[error("{}: this is not from an install; choose another folder, or move it away", path.display())]
    Foreign {
        /// What is in the way.
        path: PathBuf,
    },
    /// Another run works on the folder.
    #[error("{}: another install is at work here; wait until it has ended", out.display())]
    Busy {
        /// The folder.
        out: PathBuf,
    },
    /// The file system failed.
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

impl InstallError {
    fn disk(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Disk { path, source }
    }
}

fn disk_advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; free some space and run it again",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => "; may you write there?",
        _ => "",
    }
}

/// Installs what `lock` lists and is not here yet. `client` is one for the registry's origin; its token goes nowhere
/// else.
///
/// # Errors
/// [`InstallError`]; the first that happens, whatever else was under way.
pub async fn install(
    client: &Client,
    options: &InstallOptions,
    lock: &Lock,
    progress: Arc<dyn Progress>,
) -> Result<InstallReport, InstallError> {
    let received_before = client.traffic().received_bytes;
    let path = options.out.clone();
    let out = Arc::new(blocking(move || OutFolder::open(&path)).await?);
    progress.begin(Task::Fetch { files: lock.packages.len() as u64 });
    let work = Work { client, options, out };
    let mut runs = stream::iter(&lock.packages)
        .map(|package| work.install(package))
        .buffer_unordered(options.limits.parallel.max(1));
    let mut report = InstallReport::default();
    while let Some(was_fetched) = runs.try_next().await? {
        *(if was_fetched { &mut report.fetched } else { &mut report.present }) += 1;
        progress.reached(report.fetched + report.present);
    }
    report.received_bytes = client.traffic().received_bytes - received_before;
    Ok(report)
}

struct Work<'a> {
    client: &'a Client,
    options: &'a InstallOptions,
    out: Arc<OutFolder>,
}

impl Work<'_> {
    /// Installs one package; answers whether it had to be fetched.
    async fn install(&self, locked: &Locked) -> Result<bool, InstallError> {
        let package = || format!("{} {}", locked.name, locked.id);
        let target = Target::of(self.options.root.as_ref(), &locked.archive_path)
            .map_err(|why| InstallError::Target { package: package(), why })?;
        let kind = Kind::of_name(&target.file_name).filter(|_| self.options.unpack);
        let state = State { sha256: locked.sha256, unpacked: kind.is_some() };
        let (out, folder, name) = (Arc::clone(&self.out), locked.folder_name(), target.file_name.clone());
        if blocking(move || out.holds(&folder, &name, state)).await? {
            return Ok(false);
        }
        let bytes_max = self.options.limits.archive_bytes_max;
        if locked.size_bytes > bytes_max {
            return Err(InstallError::TooLarge { package: package(), size_bytes: locked.size_bytes, bytes_max });
        }
        let fetcher = Fetcher { client: self.client, locked, url: &target.url };
        let archive = self.out.incoming(&locked.folder_name());
        fetcher.fetch(&archive).await?;
        let (out, folder, limits) = (Arc::clone(&self.out), locked.folder_name(), self.options.limits.unpack.clone());
        let package = package();
        blocking(move || {
            let staged = out.stage(&folder, &archive, kind.map(|kind| (kind, &limits)), &target.file_name, &package)?;
            out.place(&folder, &staged, state)
        })
        .await?;
        Ok(true)
    }
}

/// Runs what waits for the disk on a thread for such work.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, InstallError> + Send + 'static,
) -> Result<T, InstallError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| InstallError::Crashed(error.to_string()))?
}

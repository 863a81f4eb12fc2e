//! Reads a local copy: one state of it, for as long as the reader likes, whatever syncs do meanwhile.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::limits::SyncLimits;
use super::registry::{IndexFile, Registry};
use super::replica::{CURRENT, HOME};
use crate::model::FullName;

/// How often a reader that is overtaken by syncs starts anew. Each time, a sync must have ended in between.
const TRIES_MAX: u32 = 100;

/// Why a local copy cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// There is none.
    #[error("{0}: there is no local copy here; run `packhouse sync URL {0}` first", dir.display())]
    Missing {
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// A file of it is not as it should be.
    #[error("{}: {why}; `packhouse sync --verify` repairs a local copy", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The file system failed.
    #[error("{}: {source}", path.display())]
    Disk {
        /// Where.
        path: PathBuf,
        /// How.
        source: io::Error,
    },
}

/// One state of a local copy. Syncs leave its files alone until it is dropped.
#[derive(Debug)]
pub struct LocalIndex {
    dir: PathBuf,
    state: PathBuf,
    _lock: File,
}

impl LocalIndex {
    /// Opens the current state of the copy in `dir`.
    ///
    /// # Errors
    /// [`LocalError`].
    pub fn open(dir: &Path) -> Result<Self, LocalError> {
        let missing = || LocalError::Missing { dir: dir.to_owned() };
        let dir = fs::canonicalize(dir).map_err(|_| missing())?;
        let home = dir.join(HOME);
        for _ in 0..TRIES_MAX {
            let state = home.join(fs::read_link(home.join(CURRENT)).map_err(|_| missing())?);
            // Between reading the link and taking the lock, two syncs may have ended and taken the folder away.
            let Ok(lock) = File::open(&state) else { continue };
            if lock.try_lock_shared().is_ok() && is_still_at(&lock, &state) {
                return Ok(Self { dir, state, _lock: lock });
            }
        }
        Err(missing())
    }

    /// The folder of this state, complete and unchanging while `self` lives.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.state
    }

    /// Which index files there are.
    ///
    /// # Errors
    /// [`LocalError`].
    pub fn registry(&self) -> Result<Registry, LocalError> {
        let path = self.state.join("registry.json");
        let text = read(&path)?;
        Registry::parse(&text, SyncLimits::default().files_max)
            .map_err(|error| LocalError::Damaged { path, why: error.to_string() })
    }

    /// The summaries by full name, and under `#meta` the absolute path of the copy as `local_cache_path`.
    ///
    /// # Errors
    /// [`LocalError`].
    pub fn summaries(&self) -> Result<Map<String, Value>, LocalError> {
        let mut summaries: Map<String, Value> = self.read_summaries(|text| serde_json::from_slice(text))?;
        summaries.insert("#meta".to_owned(), json!({ "local_cache_path": self.dir.to_string_lossy() }));
        Ok(summaries)
    }

    /// What `parse` makes of the text of the summaries. A copy without them has none.
    pub(crate) fn read_summaries<T>(
        &self,
        parse: impl FnOnce(&[u8]) -> Result<T, serde_json::Error>,
    ) -> Result<T, LocalError> {
        let path = self.state.join(IndexFile::Summaries.local_path());
        let text = match read(&path) {
            Err(LocalError::Disk { source, .. }) if source.kind() == io::ErrorKind::NotFound => b"{}".to_vec(),
            result => result?,
        };
        parse(&text).map_err(|error| LocalError::Damaged { path, why: error.to_string() })
    }

    /// The lines of a package, or nothing if there is no such package.
    ///
    /// # Errors
    /// [`LocalError`].
    pub fn package_lines(&self, name: &FullName) -> Result<Option<String>, LocalError> {
        let path = self.state.join(IndexFile::Package(name.clone()).local_path());
        let text = match read(&path) {
            Err(LocalError::Disk { source, .. }) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            result => result?,
        };
        let text = String::from_utf8(text);
        text.map(Some).map_err(|error| LocalError::Damaged { path, why: error.to_string() })
    }
}

/// The summaries of the copy in `dir`, as [`LocalIndex::summaries`].
///
/// # Errors
/// [`LocalError`].
pub fn load_summaries(dir: &Path) -> Result<Map<String, Value>, LocalError> {
    LocalIndex::open(dir)?.summaries()
}

fn read(path: &Path) -> Result<Vec<u8>, LocalError> {
    fs::read(path).map_err(|source| LocalError::Disk { path: path.to_owned(), source })
}

/// Whether `path` is the folder that was opened.
fn is_still_at(folder: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let same = |a: &fs::Metadata, b: &fs::Metadata| a.dev() == b.dev() && a.ino() == b.ino();
    matches!((folder.metadata(), fs::metadata(path)), (Ok(a), Ok(b)) if same(&a, &b))
}

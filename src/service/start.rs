//! A start: taking hold of a data directory, opening it, and how far that is.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Clock, Registry, RegistryConfig, StartError};
use crate::store::OpenError;
use crate::store::media::DirMedia;

/// A data directory that this process holds, so that no other one can.
pub struct DataDirectory(DirMedia);

impl DataDirectory {
    /// Takes hold of a directory, which is made if it is not there.
    ///
    /// # Errors
    /// If another process holds it, or it cannot be made.
    pub fn hold(dir: &Path) -> Result<Self, StartError> {
        Ok(Self(DirMedia::open(dir).map_err(OpenError::from)?))
    }

    /// Opens the registry in it. Blocks: for moments as a rule, for minutes where a new version renders every package
    /// anew.
    ///
    /// # Errors
    /// If it is damaged, or a newer program wrote it.
    pub fn open(self, config: RegistryConfig, clock: Clock, progress: &StartProgress) -> Result<Registry, StartError> {
        Registry::open_media_telling(Arc::new(self.0), config, clock, progress)
    }
}

/// How many packages of the index are loaded, and of how many. Both are 0 while the store is being opened.
#[derive(Debug, Default)]
pub struct StartProgress {
    done: AtomicU64,
    all: AtomicU64,
}

impl StartProgress {
    /// Packages that are loaded, and all that there are.
    #[must_use]
    pub fn packages(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.all.load(Ordering::Relaxed))
    }

    pub(super) fn begin(&self, all: u64) {
        self.all.store(all, Ordering::Relaxed);
    }

    pub(super) fn add(&self, packages: usize) {
        self.done.fetch_add(packages as u64, Ordering::Relaxed);
    }
}

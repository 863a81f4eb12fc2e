//! A copy of what changes: a file without a name, which is gone with its last handle, however the process ends.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::{Database, StorageBackend};

use crate::store::StorageError;
use crate::store::file::database_on;
use crate::store::media::{Backend, Media, OpenMode};

/// Page cache while a copy is made.
const CACHE_BYTES: usize = 16 << 20;

/// A nameless file.
#[derive(Debug, Clone)]
pub(super) struct Spool(Arc<Backend>);

impl Spool {
    /// An empty one.
    pub(super) fn new(media: &dyn Media) -> Result<Self, StorageError> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let name = format!("backup-{}.new", NUMBER.fetch_add(1, Ordering::Relaxed));
        let io = |error| StorageError::from_io(&error);
        media.remove(&name).map_err(io)?;
        let backend = media.open(&name, OpenMode::Create).map_err(io)?;
        media.remove(&name).map_err(io)?;
        Ok(Self(Arc::new(backend)))
    }

    /// A database in it. The file is complete when that is dropped.
    pub(super) fn database(&self) -> Result<Database, StorageError> {
        database_on(self.clone(), "the copy for a backup", CACHE_BYTES)
    }

    /// The file.
    pub(super) fn into_file(self) -> Arc<Backend> {
        self.0
    }
}

impl StorageBackend for Spool {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        // What has no name outlives no crash.
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}

//! Sealed volumes: opened on demand, read, closed again, never written.
//!
//! Owns the few that are open. Whatever redb would write at opening and closing one stays in a layer above the file, so
//! that reading an old volume costs no sync and a full disk cannot stop it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{Database, ReadTransaction, ReadableDatabase};

use crate::store::file::{StorageError, database_on};
use crate::store::media::{Layer, Media, OpenMode};

/// The open sealed volumes, the least recently used first.
#[derive(Debug)]
pub(super) struct SealedVolumes {
    media: Arc<dyn Media>,
    cache_bytes: usize,
    open_max: usize,
    open: Mutex<Vec<(u32, Arc<Sealed>)>>,
}

#[derive(Debug)]
struct Sealed(Database);

impl SealedVolumes {
    pub(super) fn new(media: Arc<dyn Media>, cache_bytes: usize, open_max: usize) -> Self {
        Self { media, cache_bytes, open_max, open: Mutex::new(Vec::new()) }
    }

    /// Runs `look` on volume `number`, and once more on a new handle if the first one fails.
    pub(super) fn view<T>(
        &self,
        number: u32,
        mut look: impl FnMut(&ReadTransaction) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let mut attempt = || {
            let volume = self.get(number)?;
            look(&volume.0.begin_read()?)
        };
        match attempt() {
            Err(StorageError::Latched | StorageError::Io { .. }) => {
                self.forget(number);
                attempt()
            }
            result => result,
        }
    }

    fn get(&self, number: u32) -> Result<Arc<Sealed>, StorageError> {
        let mut open = self.open();
        let volume = match open.iter().position(|(at, _)| *at == number) {
            Some(index) => open.remove(index).1,
            None => Arc::new(self.open_one(number)?),
        };
        while open.len() >= self.open_max.max(1) {
            open.remove(0);
        }
        open.push((number, Arc::clone(&volume)));
        Ok(volume)
    }

    fn open_one(&self, number: u32) -> Result<Sealed, StorageError> {
        let name = super::volumes::file_name(number);
        let file = self.media.open(&name, OpenMode::Existing).map_err(|error| StorageError::from_io(&error))?;
        let layer = Layer::over(file);
        let freeze = layer.freezer();
        let database = database_on(layer, &name, self.cache_bytes)?;
        freeze();
        Ok(Sealed(database))
    }

    /// Closes volume `number`, as soon as its last reader is done.
    pub(super) fn forget(&self, number: u32) {
        self.open().retain(|(at, _)| *at != number);
    }

    pub(super) fn close(&self) {
        self.open().clear();
    }

    fn open(&self) -> MutexGuard<'_, Vec<(u32, Arc<Sealed>)>> {
        // The list is valid between any two statements.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Chunks read where they lie in their files, if the system has them in its cache.
//!
//! Owns the memory of where redb found chunks, and the handles for reading them there. A download that comes again is
//! read by the thread that sends it, into a buffer that was used before: no other thread, no new pages, no lookup in
//! redb. Nothing relies on a place being right. What is read is checked by its CRC as always, and whatever is not
//! there, not cached or not sound is read through redb.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::media::{CachedFile, Media};

/// Places that are remembered: 8 GiB of large content, about a megabyte.
const PLACES_MAX: usize = 32 << 10;
/// Handles that stay open.
const FILES_MAX: usize = 8;

/// A volume, a blob and the index of its chunk.
pub(super) type Key = (u32, u64, u32);

#[derive(Debug)]
pub(super) struct CachedReads {
    media: Arc<dyn Media>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    places: HashMap<Key, u64>,
    /// By volume, the least recently opened first.
    files: Vec<(u32, Arc<dyn CachedFile>)>,
}

/// Where a chunk lies.
#[derive(Debug)]
pub(super) struct Place {
    file: Arc<dyn CachedFile>,
    offset: u64,
}

impl CachedReads {
    pub(super) fn new(media: Arc<dyn Media>) -> Self {
        Self { media, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is valid between any two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers where in the file `name` redb found a chunk.
    pub(super) fn learn(&self, key: Key, offset: u64, name: &str) {
        let mut state = self.state();
        let volume = key.0;
        if !state.files.iter().any(|(at, _)| *at == volume) {
            // Opened with the lock held, so that a volume that is forgotten after its removal is not opened behind it.
            let Ok(file) = self.media.open_cached(name) else { return };
            if state.files.len() >= FILES_MAX {
                let (gone, _) = state.files.remove(0);
                state.places.retain(|(volume, ..), _| *volume != gone);
            }
            state.files.push((volume, file));
        }
        if state.places.len() >= PLACES_MAX {
            state.places.clear();
        }
        state.places.insert(key, offset);
    }

    /// Where a chunk was found, if that is remembered.
    pub(super) fn find(&self, key: Key) -> Option<Place> {
        let state = self.state();
        let offset = *state.places.get(&key)?;
        let (_, file) = state.files.iter().find(|(volume, _)| *volume == key.0)?;
        Some(Place { file: Arc::clone(file), offset })
    }

    /// Forgets a place that proved wrong.
    pub(super) fn forget(&self, key: Key) {
        self.state().places.remove(&key);
    }

    /// Closes a volume.
    pub(super) fn forget_volume(&self, volume: u32) {
        let mut state = self.state();
        state.files.retain(|(at, _)| *at != volume);
        state.places.retain(|(at, ..), _| *at != volume);
    }

    /// Closes all.
    pub(super) fn close(&self) {
        *self.state() = State::default();
    }
}

impl Place {
    /// Fills `out` without waiting, or answers false.
    pub(super) fn read(&self, out: &mut [u8]) -> bool {
        self.file.read_cached(self.offset, out).unwrap_or(false)
    }
}

//! What is in use and must not be removed: blobs by their readers, volumes by uploads that are not yet adopted, and
//! everything by backups.
//!
//! Owns the counts. Removes nothing itself.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Debug, Clone, Default)]
pub(super) struct Pins(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    blobs: HashMap<u64, usize>,
    volumes: HashMap<u32, usize>,
    /// Blobs whose chunks are being removed.
    condemned: HashSet<u64>,
    /// How many keep everything.
    holds: usize,
}

/// Keeps everything: no content is removed whose removal has not begun, and no volume.
#[derive(Debug)]
pub(in crate::store) struct Hold(Pins);

/// Keeps a blob's chunks where they are, even if the blob is deleted.
#[derive(Debug)]
pub(super) struct BlobPin {
    pins: Pins,
    blob_id: u64,
}

/// Keeps a volume from being taken for dead.
#[derive(Debug)]
pub(super) struct VolumePin {
    pins: Pins,
    pub(super) volume: u32,
}

impl Pins {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        // The counts are valid between any two statements.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Pins a blob, unless its removal has begun.
    pub(super) fn pin_blob(&self, blob_id: u64) -> Option<BlobPin> {
        let mut counts = self.counts();
        if counts.condemned.contains(&blob_id) {
            return None;
        }
        *counts.blobs.entry(blob_id).or_default() += 1;
        Some(BlobPin { pins: self.clone(), blob_id })
    }

    /// Begins a blob's removal, unless somebody reads it.
    pub(super) fn condemn(&self, blob_id: u64) -> bool {
        let mut counts = self.counts();
        counts.holds == 0 && !counts.blobs.contains_key(&blob_id) && counts.condemned.insert(blob_id)
    }

    /// Keeps everything.
    pub(super) fn hold(&self) -> Hold {
        self.counts().holds += 1;
        Hold(self.clone())
    }

    pub(super) fn is_held(&self) -> bool {
        self.counts().holds > 0
    }

    /// Ends a removal.
    pub(super) fn absolve(&self, blob_id: u64) {
        self.counts().condemned.remove(&blob_id);
    }

    pub(super) fn pin_volume(&self, volume: u32) -> VolumePin {
        *self.counts().volumes.entry(volume).or_default() += 1;
        VolumePin { pins: self.clone(), volume }
    }

    pub(super) fn volume_is_pinned(&self, volume: u32) -> bool {
        self.counts().volumes.contains_key(&volume)
    }
}

fn unpin<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

impl Drop for BlobPin {
    fn drop(&mut self) {
        unpin(&mut self.pins.counts().blobs, &self.blob_id);
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.counts().holds -= 1;
    }
}

impl Drop for VolumePin {
    fn drop(&mut self) {
        unpin(&mut self.pins.counts().volumes, &self.volume);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_is_read_or_removed_but_not_both() {
        let pins = Pins::default();
        let (first, second) = (pins.pin_blob(7).unwrap(), pins.pin_blob(7).unwrap());
        drop(first);
        assert!(!pins.condemn(7));
        drop(second);
        assert!(pins.condemn(7));
        assert!(pins.pin_blob(7).is_none());
        pins.absolve(7);
        assert!(pins.pin_blob(7).is_some());
        let hold = pins.hold();
        assert!(!pins.condemn(8));
        drop(hold);
        assert!(pins.condemn(8));
    }
}

//! Room on the disk, promised to uploads before they begin.
//!
//! Owns the sum of what was promised and not yet written. Knows no upload.

use std::sync::{Arc, Mutex, PoisonError};

use crate::store::file::StorageError;
use crate::store::media::Media;

/// What an upload of unknown length asks for at a time, in bytes.
pub(super) const STEP_BYTES: u64 = 4 << 20;

#[derive(Debug)]
pub(super) struct Space {
    media: Arc<dyn Media>,
    floor_bytes: u64,
    promised_bytes: Mutex<u64>,
}

/// Room on the disk that nobody else is promised, given back when dropped.
#[derive(Debug)]
pub(in crate::store) struct Reservation {
    space: Arc<Space>,
    bytes: u64,
}

impl Space {
    pub(super) fn new(media: Arc<dyn Media>, floor_bytes: u64) -> Self {
        Self { media, floor_bytes, promised_bytes: Mutex::new(0) }
    }

    /// Promises `bytes`, and a little more for the pages around them.
    pub(super) fn reserve(self: &Arc<Self>, bytes: u64) -> Result<Reservation, StorageError> {
        let mut reservation = Reservation { space: Arc::clone(self), bytes: 0 };
        reservation.grow(bytes)?;
        Ok(reservation)
    }
}

impl Reservation {
    /// What is promised and not yet used.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Promises `bytes` more.
    pub(super) fn grow(&mut self, bytes: u64) -> Result<(), StorageError> {
        let wanted = bytes.saturating_add(bytes / 64);
        let free = self.space.media.free_bytes().map_err(|error| StorageError::from_io(&error))?;
        let mut promised = self.space.promised_bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let room = free.saturating_sub(self.space.floor_bytes).saturating_sub(*promised);
        if wanted > room {
            return Err(StorageError::DiskFull);
        }
        *promised += wanted;
        self.bytes += wanted;
        Ok(())
    }

    /// Gives back what was used: the disk itself shows it now.
    pub(super) fn spend(&mut self, bytes: u64) {
        let spent = bytes.min(self.bytes);
        self.bytes -= spent;
        *self.space.promised_bytes.lock().unwrap_or_else(PoisonError::into_inner) -= spent;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.spend(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::media::FaultMedia;

    #[test]
    fn what_is_promised_is_not_promised_twice() {
        let media = FaultMedia::new();
        media.set_free_bytes(1000);
        let space = Arc::new(Space::new(Arc::new(media), 100));
        let mut first = space.reserve(600).unwrap();
        assert_eq!(space.reserve(600).unwrap_err(), StorageError::DiskFull);
        first.spend(500);
        let second = space.reserve(600).unwrap();
        drop((first, second));
        assert_eq!(*space.promised_bytes.lock().unwrap(), 0);
        assert_eq!(space.reserve(u64::MAX).unwrap_err(), StorageError::DiskFull);
    }
}

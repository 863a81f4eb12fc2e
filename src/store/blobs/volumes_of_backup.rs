//! The volumes as a backup reads them: sealed ones are files that nothing writes, the active one is copied.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use redb::ReadTransaction;

use super::pins::Hold;
use super::space::Reservation;
use super::{Blobs, ledger};
use crate::model::Sha256;
use crate::store::file::StorageError;

pub(in crate::store) use super::volume::every_table;
pub(in crate::store) use super::volumes::file_name;

/// The active volume is sealed for a backup when it holds more than this part of what a volume may hold: what is less is
/// copied each time.
const LARGE_PART: u64 = 8;

/// The number of the volume in a file of that name.
pub(in crate::store) fn number_of_file(name: &str) -> Option<u32> {
    super::volumes::number_of(name.strip_prefix("blobs/")?)
}

impl Blobs {
    /// Keeps everything as long as the answer lives. What is being removed was dead before.
    pub(in crate::store) fn hold(&self) -> Hold {
        self.shared.pins.hold()
    }

    /// Promises room on the disk.
    pub(in crate::store) fn reserve(&self, bytes: u64) -> Result<Reservation, StorageError> {
        self.shared.space.reserve(bytes)
    }

    /// About how much the active volume holds, in bytes.
    pub(in crate::store) fn active_bytes(&self) -> u64 {
        self.shared.volumes.active().payload_bytes()
    }

    /// Seals the active volume if a copy of it would be large. Blocks.
    pub(in crate::store) fn seal_if_large(&self) -> Result<(), StorageError> {
        let active = self.shared.volumes.active();
        if active.payload_bytes() > self.shared.volumes.cap_bytes() / LARGE_PART {
            self.shared.volumes.roll_over(active.number)?;
        }
        Ok(())
    }

    /// Has the volume copied that is written now, and says which it is. All before it are sealed. `copy` may run twice.
    /// Blocks.
    pub(in crate::store) fn copy_active<T>(
        &self,
        copy: impl FnMut(&ReadTransaction) -> Result<T, StorageError>,
    ) -> Result<(u32, T), StorageError> {
        let number = self.shared.volumes.settled_active();
        let copied = self.shared.volumes.view(number, copy)?;
        // The active volume is never removed, and nothing is as long as there is a hold.
        let missing = || StorageError::Corrupt { detail: format!("blob volume {number} is missing") };
        Ok((number, copied.ok_or_else(missing)?))
    }

    /// Notes the digests of sealed volumes. Blocks.
    pub(in crate::store) fn note_volume_digests(&self, read: BTreeMap<u32, Sha256>) -> Result<(), StorageError> {
        let numbers = self.shared.volumes.numbers();
        self.shared.entities.change(Box::new(move |transaction| {
            ledger::note_volume_digests(transaction, &read, |number| numbers.contains(&number))
        }))
    }

    /// Forgets the digests of all volumes. Blocks.
    pub(in crate::store) fn forget_volume_digests(&self) -> Result<(), StorageError> {
        self.shared
            .entities
            .change(Box::new(|transaction| ledger::note_volume_digests(transaction, &BTreeMap::new(), |_| false)))
    }
}

impl super::volumes::Volumes {
    /// The active volume, when no other one is being sealed. Blocks.
    fn settled_active(&self) -> u32 {
        let _no_rollover = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        self.active().number
    }
}

//! The collector: returns the space of what nobody refers to.
//!
//! Owns the order of the work and the report. It runs while the server serves; one run at a time.

use std::collections::{HashMap, HashSet};
use std::sync::PoisonError;

use super::layout::BlobLayout;
use super::{Blobs, Shared, ledger, volume};
use crate::store::file::{Lane, StorageError};

/// Pieces of garbage removed between two commits of the entity file.
const BATCH_BLOBS: usize = 256;

/// The part of a volume that must be dead to move the rest when all is to be as small as it can be.
const WORTH_MOVING: u64 = 64;

/// What one run of the collector did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Collected {
    /// Runs of chunks that an earlier run of the server had left without an owner.
    pub orphans_removed: u64,
    /// Blobs that nobody referred to.
    pub blobs_removed: u64,
    /// Such blobs that somebody still reads; the next run removes them.
    pub blobs_in_use: u64,
    /// Whether the active volume was sealed because it was mostly dead.
    pub rolled_over: bool,
    /// Sealed volumes whose live content was moved.
    pub volumes_rewritten: u64,
    /// Content that was moved, in bytes.
    pub moved_bytes: u64,
    /// Volume files that were deleted.
    pub volumes_removed: u64,
    /// Damaged chunks met on the way, which were left in place.
    pub damaged_chunks: u64,
}

/// What the collector knows from one run to the next.
#[derive(Debug, Default)]
pub(super) struct Collector {
    swept: bool,
    /// How large the sealed volumes are.
    peak_bytes: HashMap<u32, u64>,
    /// Volumes with damaged chunks, which are not rewritten again.
    damaged: HashSet<u32>,
}

impl Blobs {
    /// Removes what an earlier run of the server left behind (the first time), blobs without references, and packs and
    /// volumes that are dead or mostly dead; packs small content. Blocks, perhaps for minutes; an earlier call that still
    /// runs is waited for.
    ///
    /// # Errors
    /// [`StorageError`], where the rest is left to the next call.
    pub fn collect(&self) -> Result<Collected, StorageError> {
        let mut collector = self.shared.collector.lock().unwrap_or_else(PoisonError::into_inner);
        let mut report = Collected::default();
        self.shared.settle_claims();
        if !collector.swept {
            report.orphans_removed = self.shared.sweep()?;
            collector.swept = true;
        }
        report.damaged_chunks += self.shared.unpack_sparse()?;
        self.pack()?;
        self.shared.remove_garbage(&mut report)?;
        if let Some(number) = self.shared.volumes.mostly_dead_active()? {
            self.shared.volumes.roll_over(number)?;
            report.rolled_over = true;
        }
        for number in self.shared.volumes.sealed_numbers() {
            self.shared.collect_volume(number, &mut collector, &mut report)?;
        }
        Ok(report)
    }
}

impl Blobs {
    /// Moves content together, so that no sealed volume has anything dead in it that is worth a rewrite. For a store that
    /// nobody else uses. Blocks.
    ///
    /// # Errors
    /// [`StorageError`], where the rest is left to the next call.
    pub(in crate::store) fn move_together(&self) -> Result<(), StorageError> {
        // The second run removes what the first one has moved.
        self.collect()?;
        self.collect()?;
        // The files will be others.
        self.forget_volume_digests()?;
        let active = self.shared.volumes.active();
        if active.payload_bytes() > 0 {
            self.shared.volumes.roll_over(active.number)?;
        }
        for number in self.shared.volumes.sealed_numbers().into_iter().filter(|number| *number <= active.number) {
            let Some(live_bytes) = self.shared.claimed_bytes(number)? else { continue };
            let fill = self.shared.volumes.view(number, volume::fill)?.unwrap_or_default();
            let is_worth_it = live_bytes < fill.payload_bytes - fill.payload_bytes / WORTH_MOVING;
            let is_small = fill.payload_bytes < self.shared.volumes.cap_bytes() / 2;
            if !is_worth_it && !is_small {
                continue;
            }
            let _room = self.shared.space.reserve(live_bytes)?;
            self.shared.rewrite(number)?;
            if self.shared.claimed_bytes(number)? == Some(0) {
                self.shared.volumes.delete(number)?;
            }
        }
        Ok(())
    }
}

impl Shared {
    /// Settles the uploads of which the ledger could not be asked when they ended.
    fn settle_claims(&self) {
        let claims = std::mem::take(&mut *self.unsettled.lock().unwrap_or_else(PoisonError::into_inner));
        // Dropping a claim settles it, or puts it back.
        drop(claims);
    }

    fn remove_garbage(&self, report: &mut Collected) -> Result<(), StorageError> {
        let mut from = 0;
        loop {
            let mut batch = Vec::new();
            self.entities.look(&mut |snapshot| {
                batch = ledger::garbage(snapshot, from, BATCH_BLOBS)?;
                Ok(())
            })?;
            let Some(last) = batch.last() else { return Ok(()) };
            from = last.blob_id + 1;
            let (dead, used): (Vec<_>, Vec<_>) = batch.into_iter().partition(|blob| self.pins.condemn(blob.blob_id));
            report.blobs_in_use += used.len() as u64;
            let removed = self.remove_chunks_and_forget(&dead);
            for blob in &dead {
                self.pins.absolve(blob.blob_id);
            }
            removed?;
            report.blobs_removed += dead.len() as u64;
        }
    }

    fn remove_chunks_and_forget(&self, dead: &[BlobLayout]) -> Result<(), StorageError> {
        let active = self.volumes.active().number;
        let mut under_way = Vec::new();
        for blob in dead {
            let chunks: u32 =
                blob.runs().filter(|(volume, _)| *volume == active).map(|(_, run)| run.end - run.start).sum();
            under_way.extend(self.volumes.remove(active, Lane::Bulk, blob.blob_id, None, chunks));
        }
        for done in under_way {
            done.wait()?;
        }
        let blob_ids: Vec<u64> = dead.iter().map(|blob| blob.blob_id).collect();
        if blob_ids.is_empty() {
            return Ok(());
        }
        self.entities.change(Box::new(move |transaction| ledger::forget_garbage(transaction, &blob_ids)))
    }

    fn collect_volume(
        &self,
        number: u32,
        collector: &mut Collector,
        report: &mut Collected,
    ) -> Result<(), StorageError> {
        // Who keeps everything would keep the moved content twice.
        let Some(live_bytes) = self.claimed_bytes(number)?.filter(|_| !self.pins.is_held()) else { return Ok(()) };
        if live_bytes > 0 {
            if collector.damaged.contains(&number) {
                return Ok(());
            }
            let peak_bytes = match collector.peak_bytes.get(&number) {
                Some(peak_bytes) => *peak_bytes,
                None => {
                    let fill = self.volumes.view(number, volume::fill)?.unwrap_or_default();
                    collector.peak_bytes.insert(number, fill.peak_bytes);
                    fill.peak_bytes
                }
            };
            if live_bytes >= peak_bytes / 2 {
                return Ok(());
            }
            // Without room for the copies the volume must wait.
            let Ok(_room) = self.space.reserve(live_bytes) else { return Ok(()) };
            let rewritten = self.rewrite(number)?;
            report.volumes_rewritten += 1;
            report.moved_bytes += rewritten.moved_bytes;
            report.damaged_chunks += rewritten.damaged_chunks;
            if rewritten.damaged_chunks > 0 {
                collector.damaged.insert(number);
            }
        }
        // Whoever begins to keep everything after this look sees the same in the ledger: nothing of the volume.
        if self.claimed_bytes(number)? == Some(0) && !self.pins.is_held() {
            self.volumes.delete(number)?;
            collector.peak_bytes.remove(&number);
            report.volumes_removed += 1;
        }
        Ok(())
    }

    /// The live bytes in a sealed volume, or nothing while uploads or deleted blobs with readers are in it.
    fn claimed_bytes(&self, number: u32) -> Result<Option<u64>, StorageError> {
        // Before the ledger: an upload becomes live first and is unpinned then.
        if self.pins.volume_is_pinned(number) {
            return Ok(None);
        }
        let mut claimed = None;
        self.entities.look(&mut |snapshot| {
            let live = ledger::live_bytes(snapshot)?;
            let live_bytes = live.into_iter().find(|(volume, _)| *volume == number).map_or(0, |(_, bytes)| bytes);
            claimed = (!ledger::garbage_touches(snapshot, number)?).then_some(live_bytes);
            Ok(())
        })?;
        Ok(claimed)
    }
}

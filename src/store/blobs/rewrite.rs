//! Moves the live content out of a mostly dead sealed volume.
//!
//! Owns the order that makes it safe at any moment: copies are durable in the active volume before the ledger points
//! to them, and the ledger points nowhere else before the file is deleted. Readers follow the ledger.

use std::sync::{Arc, Mutex, PoisonError};

use super::ledger::Moved;
use super::volume::{Put, Run};
use super::volumes::Stored;
use super::{ReadError, Shared, ledger, volume};
use crate::store::file::{Lane, StorageError};

/// Runs whose copies are noted in one commit of the entity file.
const BATCH_RUNS: usize = 128;
/// Copied bytes after which a batch ends.
const BATCH_BYTES: u64 = 4 << 20;

/// What a rewrite did.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Rewritten {
    pub(super) moved_bytes: u64,
    pub(super) damaged_chunks: u64,
}

/// Copies under way and not yet noted in the ledger.
#[derive(Default)]
struct Batch {
    copies: Vec<Moved>,
    under_way: Vec<Stored>,
    bytes: u64,
}

impl Shared {
    /// Copies all live chunks of the sealed volume `number` into the active one. Damaged chunks stay. Blocks.
    pub(super) fn rewrite(&self, number: u32) -> Result<Rewritten, StorageError> {
        // Should this run end before the copies are noted, the next one must look for them among all ids.
        ledger::set_swept_below(&*self.entities, 0)?;
        let mut report = Rewritten::default();
        let mut batch = Batch::default();
        let mut from = (0, 0);
        loop {
            let runs = self.volumes.view(number, |snapshot| volume::runs(snapshot, from, BATCH_RUNS))?;
            let runs = runs.unwrap_or_default();
            let Some(last) = runs.last() else { break };
            from = (last.blob_id, last.first + 1);
            for run in runs {
                self.copy_run(number, run, &mut batch, &mut report)?;
            }
            self.note(&mut batch, &mut report)?;
        }
        ledger::set_swept_below(&*self.entities, self.first_id)?;
        Ok(report)
    }

    fn copy_run(&self, number: u32, run: Run, batch: &mut Batch, report: &mut Rewritten) -> Result<(), StorageError> {
        let mut layout = None;
        self.entities.look(&mut |snapshot| {
            layout = ledger::live_layout_of(snapshot, run.blob_id)?;
            Ok(())
        })?;
        // Of content that came in several sittings, a run may hold chunks that came once more elsewhere.
        let Some(layout) = layout.filter(|layout| layout.places_any(&run.range(), number)) else { return Ok(()) };
        let live: Vec<u32> = run.range().filter(|index| layout.volume_of(*index) == Some(number)).collect();
        let layout = Mutex::new(Arc::new(layout));
        for index in live {
            let bytes = match self.read_chunk(&layout, index) {
                Ok(bytes) => bytes,
                Err(ReadError::Gone { .. }) => return Ok(()),
                Err(ReadError::Storage(error)) => return Err(error),
                Err(error @ (ReadError::Corrupt { .. } | ReadError::CorruptRow { .. })) => {
                    tracing::error!(%error, "a damaged chunk is left where it is");
                    report.damaged_chunks += 1;
                    continue;
                }
            };
            let size = bytes.len() as u64;
            let before = batch.copies.last().cloned();
            let mut copy = Moved { blob_id: run.blob_id, chunks: index..index + 1, from: number, to: 0 };
            let (volume, stored) = self.volumes.submit_blocking(size, |volume| {
                copy.to = volume;
                let follows =
                    |last: &&Moved| last.blob_id == run.blob_id && last.to == volume && last.chunks.end == index;
                let run_first = before.as_ref().filter(follows).map_or(index, |last| last.chunks.start);
                copy.chunks.start = run_first;
                Put { blob_id: run.blob_id, run_first, first: index, pieces: vec![bytes.clone()] }
            })?;
            debug_assert_eq!(copy.to, volume, "the last attempt counts");
            if copy.chunks.start < index {
                batch.copies.pop();
            }
            batch.copies.push(copy);
            batch.under_way.push(stored);
            batch.bytes += size;
            if batch.bytes >= BATCH_BYTES {
                self.note(batch, report)?;
            }
        }
        Ok(())
    }

    /// Waits for the copies and writes them into the ledger; discards those of blobs that died meanwhile.
    fn note(&self, batch: &mut Batch, report: &mut Rewritten) -> Result<(), StorageError> {
        let Batch { copies, under_way, bytes } = std::mem::take(batch);
        for stored in under_way {
            stored.wait()?;
        }
        if copies.is_empty() {
            return Ok(());
        }
        let copies = Arc::new(copies);
        let refused = Arc::new(Mutex::new(Vec::new()));
        let (moved, not_moved) = (Arc::clone(&copies), Arc::clone(&refused));
        self.entities.change(Box::new(move |transaction| {
            let mut refused = Vec::new();
            for copy in moved.iter() {
                if !ledger::relocate(transaction, copy)? {
                    refused.push(copy.clone());
                }
            }
            *not_moved.lock().unwrap_or_else(PoisonError::into_inner) = refused;
            Ok(())
        }))?;
        report.moved_bytes += bytes;
        let refused = std::mem::take(&mut *refused.lock().unwrap_or_else(PoisonError::into_inner));
        for copy in refused {
            let chunks = copy.chunks.end - copy.chunks.start;
            for done in self.volumes.remove(copy.to, Lane::Bulk, copy.blob_id, Some(copy.chunks.start), chunks) {
                done.wait()?;
            }
        }
        Ok(())
    }
}

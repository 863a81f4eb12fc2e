//! Moves small content out of the entity file, many together, and takes mostly dead packs apart.
//!
//! Owns the order that makes it safe at any moment: a pack's chunks are durable in the active volume before a commit of
//! the entity file says that the contents are there and removes their rows. What of this a crash interrupts leaves
//! chunks without an owner, which the sweep removes. Which rows and packs there are is written in [`small`].

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;

use super::chunks::{self, CHUNK_BYTES};
use super::layout::{self, BlobLayout};
use super::small::{self, Gathered};
use super::volume::Put;
use super::volumes::Stored;
use super::write::Claim;
use super::{Blobs, ReadError, SMALL_BYTES_MAX, Shared, ledger};
use crate::store::file::{Lane, StorageError};

/// Content in rows at which packing is due at once, in bytes.
const DUE_BYTES: u64 = 512 << 10;
/// Content in rows above which what comes goes into a volume by itself, in bytes: packing is far behind.
const ROWS_BYTES_MAX: u64 = 64 << 20;
/// How long less than that may wait.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// Packs on their way into the volume at once: about 2 MiB.
const PACKS_AT_ONCE: usize = 8;

/// How much small content waits in rows. It is a guess between two runs of the packing, which counts.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    bytes: AtomicU64,
    due: Notify,
}

impl Backlog {
    /// Whether more may be added.
    pub(super) fn has_room(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) < ROWS_BYTES_MAX
    }

    pub(super) fn add(&self, bytes: usize) {
        let before = self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        if before < DUE_BYTES && before + bytes as u64 >= DUE_BYTES {
            self.due.notify_one();
        }
    }
}

/// What is known from one run to the next.
#[derive(Debug, Default)]
pub(super) struct Packing {
    /// How many rows were damaged, which was said.
    damaged_rows: u64,
    /// Damaged packs, which are not looked at again.
    damaged_packs: HashSet<u64>,
}

/// What one run of the packing did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Packed {
    /// Blobs that were moved into packs.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Packs that were made.
    pub packs: u64,
}

/// A pack on its way into a volume.
pub(super) struct NewPack {
    claim: Claim,
    layout: BlobLayout,
    members: Vec<(u64, u32)>,
    stored: Stored,
}

impl Blobs {
    /// Waits until there is enough small content to be packed, or for some seconds.
    pub async fn packing_due(&self) {
        // Either way it is time to look.
        let _ = tokio::time::timeout(WAIT_MAX, self.shared.backlog.due.notified()).await;
    }

    /// Moves small content into packs, as long as there is enough for a whole one. Blocks; an earlier call that still
    /// runs is waited for.
    ///
    /// # Errors
    /// [`StorageError`], where the rest stays as it is until the next call.
    pub fn pack(&self) -> Result<Packed, StorageError> {
        let mut packing = self.shared.packing.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.pack(&mut packing)
    }
}

impl Shared {
    fn pack(self: &Arc<Self>, packing: &mut Packing) -> Result<Packed, StorageError> {
        let mut report = Packed::default();
        let (mut from, mut damaged) = (0, 0);
        loop {
            // What comes while this runs is counted again by those who add it.
            self.backlog.bytes.store(0, Ordering::Relaxed);
            let mut batch = Vec::new();
            let mut rest_bytes = 0;
            self.entities.look(&mut |snapshot| {
                batch.clear();
                let mut next = from;
                while batch.len() < PACKS_AT_ONCE {
                    let gathered = small::gather(snapshot, next)?;
                    if !gathered.is_whole {
                        rest_bytes = gathered.bytes.len();
                        break;
                    }
                    next = gathered.members.last().map_or(next, |(blob_id, _)| blob_id + 1);
                    batch.push(gathered);
                }
                Ok(())
            })?;
            self.backlog.add(rest_bytes);
            let Some(last) = batch.last().and_then(|gathered| gathered.members.last()) else { break };
            from = last.0 + 1;
            damaged += batch.iter().map(|gathered| gathered.damaged).sum::<u64>();
            let bytes = batch.iter().map(|gathered| gathered.bytes.len() as u64).sum();
            // Without room for the copies they stay where they are, which works as well.
            let Ok(_room) = self.space.reserve(bytes) else { break };
            let packs: Vec<NewPack> =
                batch.into_iter().map(|gathered| self.send(gathered)).collect::<Result<_, _>>()?;
            for pack in packs {
                self.note_pack(pack, &mut report)?;
            }
        }
        if damaged > packing.damaged_rows {
            tracing::error!(damaged, "small content is damaged and left where it is");
        }
        packing.damaged_rows = damaged;
        Ok(report)
    }

    /// Sends a pack's chunks to the active volume.
    pub(super) fn send(self: &Arc<Self>, gathered: Gathered) -> Result<NewPack, StorageError> {
        let Gathered { members, bytes, .. } = gathered;
        let size_bytes = bytes.len() as u64;
        let mut left = Bytes::from(bytes);
        let mut pieces = Vec::new();
        while left.len() >= CHUNK_BYTES {
            pieces.push(left.split_to(CHUNK_BYTES));
        }
        pieces.extend(chunks::tail_pieces(left.len()).map(|len| left.split_to(len)));
        let mut claim = Claim::new(self);
        claim.lane = Lane::Bulk;
        claim.need_id();
        let blob_id = claim.blob_id;
        let pins = &mut claim.pins;
        let (volume, stored) = self.volumes.submit_blocking(size_bytes, |volume| {
            if !pins.iter().any(|pin| pin.volume == volume) {
                pins.push(self.pins.pin_volume(volume));
            }
            Put { blob_id, run_first: 0, first: 0, pieces: pieces.clone() }
        })?;
        // A pack has a handful of chunks.
        layout::push(&mut claim.extents, volume, pieces.len() as u32);
        let chunk_crcs = pieces.iter().map(|piece| crc32fast::hash(piece)).collect();
        let layout = BlobLayout { blob_id, size_bytes, extents: claim.extents.clone(), chunk_crcs };
        Ok(NewPack { claim, layout, members, stored })
    }

    /// Waits for a pack's chunks and writes into the entity file that its contents are there.
    pub(super) fn note_pack(&self, pack: NewPack, report: &mut Packed) -> Result<(), StorageError> {
        let NewPack { claim, layout, members, stored } = pack;
        stored.wait()?;
        claim.offered.store(true, Ordering::Release);
        let bytes = layout.size_bytes;
        let blobs = members.len() as u64;
        let kept = Arc::new(AtomicBool::new(false));
        let was_kept = Arc::clone(&kept);
        self.entities.change_in_bulk(
            small::JOB_WEIGHT_BYTES,
            Box::new(move |transaction| {
                was_kept.store(small::pack(transaction, &layout, &members)?, Ordering::Relaxed);
                Ok(())
            }),
        )?;
        if kept.load(Ordering::Relaxed) {
            report.packs += 1;
            report.blobs += blobs;
            report.bytes += bytes;
        }
        // The chunks of a pack of which nothing lives any more are discarded with the claim.
        drop(claim);
        Ok(())
    }

    /// Takes packs apart of which much is dead; answers how many chunks were found damaged.
    pub(super) fn unpack_sparse(&self) -> Result<u64, StorageError> {
        let mut packing = self.packing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sparse = Vec::new();
        self.entities.look(&mut |snapshot| {
            sparse = small::sparse(snapshot)?;
            Ok(())
        })?;
        sparse.retain(|pack_id| !packing.damaged_packs.contains(pack_id));
        let mut damaged = 0;
        for pack_id in sparse {
            match self.read_pack(pack_id) {
                Ok(bytes) => {
                    self.backlog.add(bytes.len());
                    self.entities.change_in_bulk(
                        small::JOB_WEIGHT_BYTES,
                        Box::new(move |transaction| small::unpack(transaction, pack_id, &bytes)),
                    )?;
                }
                // All of it died meanwhile.
                Err(ReadError::Gone { .. }) => {}
                Err(ReadError::Storage(error)) => return Err(error),
                Err(error) => {
                    tracing::error!(%error, "a pack is damaged and left as it is");
                    packing.damaged_packs.insert(pack_id);
                    damaged += 1;
                }
            }
        }
        Ok(damaged)
    }

    fn read_pack(&self, pack_id: u64) -> Result<Vec<u8>, ReadError> {
        let mut layout = None;
        self.entities.look(&mut |snapshot| {
            layout = ledger::live_layout_of(snapshot, pack_id)?;
            Ok(())
        })?;
        let layout = layout.ok_or(ReadError::Gone { blob_id: pack_id })?;
        let mut bytes = Vec::with_capacity(CHUNK_BYTES + SMALL_BYTES_MAX);
        let chunks = layout.chunks();
        let layout = Mutex::new(Arc::new(layout));
        for index in 0..chunks {
            bytes.extend_from_slice(&self.read_chunk(&layout, index)?);
        }
        Ok(bytes)
    }
}

//! The way of content into the volumes.
//!
//! Owns the upload: splitting, hashing, the chunks under way, and the discarding of whatever is not adopted, however
//! the upload ends. A [`StoredBlob`] comes only from a finished upload, so that nothing unfinished can be adopted.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::ops::Range;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use bytes::{Buf, Bytes};

use super::chunks::{self, CHUNK_BYTES};
use super::layout::{self, BlobLayout, Extent};
use super::pins::VolumePin;
use super::read::ReadError;
use super::space::{Reservation, STEP_BYTES};
use super::volume::Put;
use super::volumes::Stored;
use super::{Blobs, SMALL_BYTES_MAX, Shared, ledger};
use crate::model::{Crc32, Sha256};
use crate::store::file::{Lane, StorageError};

/// Chunks of one upload that may be on their way to the disk: about two commits' worth, 12 MiB.
const UNDER_WAY_MAX: usize = 48;
/// What is hashed before other work on the thread may go on, in bytes: a fraction of a millisecond.
const HASH_STEP_BYTES: usize = 256 << 10;

/// Why an upload cannot begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BeginError {
    /// It would not fit.
    #[error("the disk has no room for it")]
    DiskFull,
    /// The disk cannot even be asked.
    #[error(transparent)]
    Storage(StorageError),
}

/// Content that is being received. Dropping it discards what was stored so far.
#[derive(Debug)]
pub struct BlobWriter {
    pub(super) claim: Claim,
    reservation: Reservation,
    pub(super) sha256: DigestState,
    pub(super) crc32: crc32fast::Hasher,
    pub(super) size_bytes: u64,
    pub(super) chunk_crcs: Vec<u32>,
    /// Where the last run of chunks in one volume began.
    pub(super) run: Option<(u32, u32)>,
    pub(super) buffer: Vec<u8>,
    /// Whether the buffer has room for a whole chunk, whatever is in it.
    is_pooled: bool,
    /// Chunks that are ready, with the index of the first.
    pub(super) outbox: Option<(u32, Vec<Bytes>)>,
    pub(super) under_way: VecDeque<(Stored, u64)>,
    failed: Option<StorageError>,
    /// Chunks that are kept in the ledger while the content is not finished.
    pub(super) kept_chunks: u32,
}

/// `ring`'s state, which has a `Debug` too long to be of use.
pub(super) struct DigestState(pub(super) ring::digest::Context);

impl std::fmt::Debug for DigestState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DigestState")
    }
}

/// Complete content that belongs to nobody yet: give it to a job of the entity file that calls [`ledger::adopt`].
/// Dropping it otherwise discards it. Small content becomes durable by that job, all other is durable already.
#[derive(Debug)]
pub struct StoredBlob {
    claim: Claim,
    sha256: Sha256,
    crc32: Crc32,
    size_bytes: u64,
    chunk_crcs: Vec<u32>,
    /// The whole, where it is small.
    row: Option<Bytes>,
}

/// The chunks of one upload, discarded when this is dropped unless the ledger has them.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) shared: Arc<Shared>,
    /// 0 until something is sent: ids in the order of storing keep the crumbs of different blobs together.
    pub(super) blob_id: u64,
    pub(super) extents: Vec<Extent>,
    pub(super) pins: Vec<VolumePin>,
    pub(super) lane: Lane,
    /// Whether an entity commit may have adopted the blob.
    pub(super) offered: AtomicBool,
    pub(super) settled: bool,
}

impl Blobs {
    /// Begins an upload of `size_hint_bytes`, or of a length not yet known.
    ///
    /// # Errors
    /// [`BeginError::DiskFull`] when there is no room for that much beside what other uploads were promised.
    pub fn begin(&self, size_hint_bytes: Option<u64>) -> Result<BlobWriter, BeginError> {
        let reservation = self.shared.space.reserve(size_hint_bytes.unwrap_or(STEP_BYTES)).map_err(|error| {
            if error == StorageError::DiskFull { BeginError::DiskFull } else { BeginError::Storage(error) }
        })?;
        Ok(BlobWriter::with(Claim::new(&self.shared), reservation))
    }
}

impl BlobWriter {
    /// A writer that has received nothing yet.
    pub(super) fn with(claim: Claim, reservation: Reservation) -> Self {
        Self {
            claim,
            reservation,
            sha256: DigestState(ring::digest::Context::new(&ring::digest::SHA256)),
            crc32: crc32fast::Hasher::new(),
            size_bytes: 0,
            chunk_crcs: Vec::new(),
            run: None,
            buffer: Vec::new(),
            is_pooled: true,
            outbox: None,
            under_way: VecDeque::new(),
            failed: None,
            kept_chunks: 0,
        }
    }

    /// Bytes received so far.
    #[must_use]
    pub fn len_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Receives the next bytes. Waits while too much is on its way to the disk; at most 12 MiB are, and the
    /// volume's queue bounds all uploads together.
    ///
    /// May be cancelled: [`Self::len_bytes`] then says how much was taken, and the upload can go on.
    ///
    /// # Errors
    /// [`StorageError`]; the upload is lost then, and every later call answers the same.
    pub async fn write(&mut self, mut bytes: Bytes) -> Result<(), StorageError> {
        self.flush().await?;
        while !bytes.is_empty() {
            let step = bytes.len().min(HASH_STEP_BYTES).min(CHUNK_BYTES - self.buffer.len());
            if self.buffer.is_empty() {
                // Small content takes no more memory than it needs; more after it shows that it is not small.
                self.is_pooled = self.size_bytes > 0 || step < bytes.len();
                self.buffer = if self.is_pooled { self.claim.shared.buffers.get() } else { Vec::with_capacity(step) };
            }
            self.sha256.0.update(&bytes[..step]);
            self.buffer.extend_from_slice(&bytes[..step]);
            bytes.advance(step);
            self.size_bytes += step as u64;
            if self.buffer.len() == CHUNK_BYTES {
                let chunk = self.take_buffer();
                self.claim.lane = Lane::Bulk;
                self.enqueue(vec![chunk])?;
                self.flush().await?;
            }
            if !bytes.is_empty() {
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    fn take_buffer(&mut self) -> Bytes {
        self.claim.shared.buffers.share(std::mem::take(&mut self.buffer))
    }

    /// Makes chunks ready to be sent.
    fn enqueue(&mut self, pieces: Vec<Bytes>) -> Result<(), StorageError> {
        let first = u32::try_from(self.chunk_crcs.len());
        let (Ok(first), Ok(_)) = (first, u32::try_from(self.chunk_crcs.len() + pieces.len())) else {
            return Err(self.fail(StorageError::Internal { detail: "a blob has too many chunks".to_owned() }));
        };
        self.claim.need_id();
        for piece in &pieces {
            let mut chunk = crc32fast::Hasher::new();
            chunk.update(piece);
            self.crc32.combine(&chunk);
            self.chunk_crcs.push(chunk.finalize());
        }
        self.outbox = Some((first, pieces));
        Ok(())
    }

    /// Sends what is ready and waits until not too much is under way. No step is lost if it is cancelled: a job is
    /// submitted and noted without a wait in between.
    async fn flush(&mut self) -> Result<(), StorageError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if let Err(error) = self.send().await {
            return Err(self.fail(error));
        }
        while self.under_way.len() > UNDER_WAY_MAX {
            self.receive_answer().await?;
        }
        // What has been answered meanwhile, so that an error ends the upload early.
        let mut ready = true;
        while ready && !self.under_way.is_empty() {
            let mut receive = pin!(self.receive_answer());
            let answer = poll_fn(|context| Poll::Ready(receive.as_mut().poll(context))).await;
            ready = answer.is_ready();
            if let Poll::Ready(result) = answer {
                result?;
            }
        }
        Ok(())
    }

    fn fail(&mut self, error: StorageError) -> StorageError {
        self.failed.insert(error).clone()
    }

    /// Hands the chunks that are ready to the volumes, as one job.
    async fn send(&mut self) -> Result<(), StorageError> {
        let Some((first, pieces)) = self.outbox.clone() else { return Ok(()) };
        let count = pieces.len() as u32;
        let bytes = pieces.iter().map(|piece| piece.len() as u64).sum();
        let under_way: u64 = self.under_way.iter().map(|(_, bytes)| bytes).sum();
        if self.reservation.bytes() < under_way + bytes {
            self.reservation.grow(STEP_BYTES.max(bytes))?;
        }
        let Claim { shared, blob_id, pins, extents, lane, .. } = &mut self.claim;
        let (blob_id, run) = (*blob_id, self.run);
        let mut placed = run;
        // The volume is pinned before it can hold anything.
        let submission = shared.volumes.submit(*lane, bytes, |volume| {
            if !pins.iter().any(|pin| pin.volume == volume) {
                pins.push(shared.pins.pin_volume(volume));
            }
            let run_first = run.filter(|(at, _)| *at == volume).map_or(first, |(_, run_first)| run_first);
            placed = Some((volume, run_first));
            Put { blob_id, run_first, first, pieces: pieces.clone() }
        });
        let (volume, stored) = submission.await?;
        layout::push(extents, volume, count);
        self.run = placed;
        self.under_way.push_back((stored, bytes));
        self.outbox = None;
        Ok(())
    }

    async fn receive_answer(&mut self) -> Result<(), StorageError> {
        if let Some((stored, bytes)) = self.under_way.front_mut() {
            let bytes = *bytes;
            let answer = stored.await;
            self.under_way.pop_front();
            answer.map_err(|error| self.fail(error.into_storage()))?;
            self.reservation.spend(bytes);
        }
        Ok(())
    }

    /// Waits until all that was made ready to be sent is durable.
    pub(super) async fn wait_for_all(&mut self) -> Result<(), StorageError> {
        self.flush().await?;
        while !self.under_way.is_empty() {
            self.receive_answer().await?;
        }
        Ok(())
    }

    /// Ends the upload: when this returns, all of it is durable, or small enough for the entity file.
    ///
    /// # Errors
    /// [`StorageError`]; what was stored is discarded.
    pub async fn finish(mut self) -> Result<StoredBlob, StorageError> {
        self.flush().await?;
        let mut row = None;
        let mut tail = self.take_buffer();
        let is_small = self.chunk_crcs.is_empty() && (1..=SMALL_BYTES_MAX).contains(&tail.len());
        if is_small && self.claim.shared.backlog.has_room() {
            self.crc32.update(&tail);
            // A buffer of a whole chunk is not to wait with it in the queue.
            row = Some(if self.is_pooled { Bytes::copy_from_slice(&tail) } else { tail });
        } else if !tail.is_empty() {
            let pieces = chunks::tail_pieces(tail.len()).map(|len| tail.split_to(len)).collect();
            self.enqueue(pieces)?;
            self.flush().await?;
        }
        self.wait_for_all().await?;
        self.claim.need_id();
        Ok(StoredBlob {
            sha256: Sha256::from_ring(&self.sha256.0.finish()),
            crc32: Crc32(self.crc32.finalize()),
            size_bytes: self.size_bytes,
            chunk_crcs: self.chunk_crcs,
            row,
            claim: self.claim,
        })
    }
}

impl StoredBlob {
    /// The content's name.
    #[must_use]
    pub fn sha256(&self) -> Sha256 {
        self.sha256
    }

    /// The CRC-32 of the whole.
    #[must_use]
    pub fn crc32(&self) -> Crc32 {
        self.crc32
    }

    /// The content's length.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The content's name until it has been adopted.
    pub(super) fn blob_id(&self) -> u64 {
        self.claim.blob_id
    }

    /// The whole content, where it is small and goes into a row of the entity file.
    pub(super) fn row(&self) -> Option<&Bytes> {
        self.row.as_ref()
    }

    /// How much of it the job that adopts it will write, in bytes.
    #[must_use]
    pub fn row_bytes(&self) -> usize {
        self.row.as_ref().map_or(0, Bytes::len)
    }

    /// Where the chunks are, if it has any.
    #[must_use]
    pub fn layout(&self) -> BlobLayout {
        BlobLayout {
            blob_id: self.claim.blob_id,
            size_bytes: self.size_bytes,
            extents: self.claim.extents.clone(),
            chunk_crcs: self.chunk_crcs.clone(),
        }
    }

    /// Reads a range of it, cut off at its end. Blocks; meant for small ranges.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read(&self, range: Range<u64>) -> Result<Vec<u8>, ReadError> {
        let end = range.end.min(self.size_bytes);
        if let Some(row) = &self.row {
            // Small content can be addressed.
            return Ok(row[range.start.min(end) as usize..end as usize].to_vec());
        }
        let mut bytes = Vec::new();
        let layout = Mutex::new(Arc::new(self.layout()));
        let (mut index, mut skip) = chunks::locate(self.size_bytes, range.start);
        while range.start + (bytes.len() as u64) < end {
            let chunk = self.claim.shared.read_chunk(&layout, index)?;
            let left = end - range.start - bytes.len() as u64;
            let piece = chunk.get(skip..).unwrap_or_default();
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
            bytes.extend_from_slice(&piece[..count]);
            (index, skip) = (index + 1, 0);
        }
        Ok(bytes)
    }

    /// Whether the ledger may know of it, be it of a part.
    pub(super) fn is_offered(&self) -> bool {
        self.claim.offered.load(Ordering::Acquire)
    }

    /// From now on, only the ledger can tell whether the content is needed.
    pub(super) fn offer(&self) {
        self.claim.offered.store(true, Ordering::Release);
    }

    /// Notes that its row waits to be packed.
    pub(super) fn note_row(&self) {
        self.claim.shared.backlog.add(self.row_bytes());
    }
}

impl Claim {
    /// A claim to nothing yet.
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self {
            shared: Arc::clone(shared),
            blob_id: 0,
            extents: Vec::new(),
            pins: Vec::new(),
            lane: Lane::Small,
            offered: AtomicBool::new(false),
            settled: false,
        }
    }

    pub(super) fn need_id(&mut self) {
        if self.blob_id == 0 {
            self.blob_id = self.shared.new_id();
        }
    }

    /// Discards the chunks unless the ledger has them. Fails if the ledger cannot be read.
    pub(super) fn settle(&mut self) -> Result<(), StorageError> {
        if self.pins.is_empty() {
            // Small content, of which no volume has anything.
            self.settled = true;
            return Ok(());
        }
        let shared = Arc::clone(&self.shared);
        let wanted = *self.offered.get_mut() && {
            // Not through `look`, which may wait for the very thread that this runs on.
            let snapshot = shared.entities.snapshot()?;
            ledger::layout_of(&snapshot, self.blob_id)?.is_some()
        };
        if !wanted {
            for pin in &self.pins {
                let here = self.extents.iter().filter(|extent| extent.volume == pin.volume);
                let chunks = here.map(|extent| extent.chunks).sum();
                // Nobody waits; what fails here is left to the sweep of the next start.
                drop(shared.volumes.remove(pin.volume, self.lane, self.blob_id, None, chunks));
            }
        }
        self.settled = true;
        Ok(())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.settled || self.settle().is_ok() {
            return;
        }
        // The collector tries again; until then the volumes stay pinned.
        let later = Self {
            shared: Arc::clone(&self.shared),
            blob_id: self.blob_id,
            extents: std::mem::take(&mut self.extents),
            pins: std::mem::take(&mut self.pins),
            lane: self.lane,
            offered: AtomicBool::new(true),
            settled: false,
        };
        self.shared.unsettled.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(later);
    }
}

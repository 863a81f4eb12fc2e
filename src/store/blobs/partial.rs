//! Content that comes in several sittings: what of it is kept in the ledger, and how it is taken up again.
//!
//! Owns the parts of a [`BlobWriter`]'s content that outlive it. Whole chunks are kept where they are, the rest, shorter
//! than a chunk, in the ledger; both change in one commit there. The digest's state cannot be stored, so content that
//! is taken up again after its writer is gone is read once. Who may go on with what is for the services to say.

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::StreamExt as _;

use super::chunks::CHUNK_BYTES;
use super::layout::{self, Extent};
use super::read::ReadError;
use super::space::STEP_BYTES;
use super::write::{BlobWriter, Claim};
use super::{Blobs, ledger};
use crate::store::file::{Lane, StorageError};

/// The next part of unfinished content, durable in the volumes: give it to a job of the entity file that calls
/// [`ledger::keep_part`], and tell the writer when it was committed.
#[derive(Debug, Clone)]
pub struct Part {
    pub(super) blob_id: u64,
    /// Chunks that were kept before.
    pub(super) first: u32,
    pub(super) extents: Vec<Extent>,
    pub(super) chunk_crcs: Vec<u32>,
    /// What follows the last whole chunk.
    pub(super) tail: Bytes,
}

impl Part {
    /// The name of the content until it is finished.
    #[must_use]
    pub fn blob_id(&self) -> u64 {
        self.blob_id
    }

    /// How many bytes from the beginning are kept with this.
    #[must_use]
    pub fn end_bytes(&self) -> u64 {
        u64::from(self.end()) * CHUNK_BYTES as u64 + self.tail.len() as u64
    }

    fn end(&self) -> u32 {
        // A blob has at most 2^32 chunks, since the writer stops there.
        self.first + self.chunk_crcs.len() as u32
    }
}

/// A place in the content to which a writer can return.
pub struct Mark {
    sha256: ring::digest::Context,
    crc32: crc32fast::Hasher,
    size_bytes: u64,
    chunks: usize,
    run: Option<(u32, u32)>,
    extents: Vec<Extent>,
    buffer: Vec<u8>,
}

impl BlobWriter {
    /// What is durable by now and not kept yet, without waiting; nothing where there is no such chunk.
    #[must_use]
    pub fn durable_part(&mut self) -> Option<Part> {
        let waiting: u64 = self.outbox.iter().flat_map(|(_, pieces)| pieces).map(|piece| piece.len() as u64).sum();
        let waiting = waiting + self.under_way.iter().map(|(_, bytes)| bytes).sum::<u64>();
        let durable = self.size_bytes - self.buffer.len() as u64 - waiting;
        // Only whole chunks are sent before the content is finished, and their number fits.
        let end = (durable / CHUNK_BYTES as u64) as u32;
        (end > self.kept_chunks).then(|| self.part_up_to(end, Bytes::new()))
    }

    /// Waits until everything received is durable, apart from less than a chunk, which is in the part itself.
    ///
    /// # Errors
    /// [`StorageError`]; the content can be taken up from what was kept before.
    pub async fn whole_part(&mut self) -> Result<Part, StorageError> {
        self.wait_for_all().await?;
        let tail = Bytes::copy_from_slice(&self.buffer);
        Ok(self.part_up_to(self.chunk_crcs.len() as u32, tail))
    }

    fn part_up_to(&mut self, end: u32, tail: Bytes) -> Part {
        self.claim.need_id();
        // From now on the ledger tells what is wanted of it.
        self.claim.offered.store(true, Ordering::Release);
        let range = self.kept_chunks..end;
        Part {
            blob_id: self.claim.blob_id,
            first: range.start,
            extents: layout::slice(&self.claim.extents, range.clone()),
            chunk_crcs: self.chunk_crcs[range.start as usize..range.end as usize].to_vec(),
            tail,
        }
    }

    /// Notes that a part was committed.
    pub fn note_kept(&mut self, part: &Part) {
        self.kept_chunks = self.kept_chunks.max(part.end());
    }

    /// Where the content is now.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark {
            sha256: self.sha256.0.clone(),
            crc32: self.crc32.clone(),
            size_bytes: self.size_bytes,
            chunks: self.chunk_crcs.len(),
            run: self.run,
            extents: self.claim.extents.clone(),
            buffer: self.buffer.clone(),
        }
    }

    /// Forgets what was received since `mark`, of which no part may have been kept. Its chunks are replaced by those
    /// that come instead.
    ///
    /// # Errors
    /// As for [`Self::write`].
    pub async fn roll_back(&mut self, mark: Mark) -> Result<(), StorageError> {
        self.outbox = None;
        self.wait_for_all().await?;
        let mut buffer = self.claim.shared.buffers.get();
        buffer.extend_from_slice(&mark.buffer);
        self.buffer = buffer;
        self.sha256.0 = mark.sha256;
        self.crc32 = mark.crc32;
        self.size_bytes = mark.size_bytes;
        self.chunk_crcs.truncate(mark.chunks);
        self.run = mark.run;
        self.claim.extents = mark.extents;
        Ok(())
    }

    /// Discards everything, after a commit with [`ledger::drop_part`] if something was kept.
    pub fn discard(mut self) {
        *self.claim.offered.get_mut() = false;
    }
}

impl Blobs {
    /// Takes up content of which parts were kept, as the only one who does: reads it once for its digest, which takes
    /// about a second per GiB. Room is promised for `left_bytes` more.
    ///
    /// # Errors
    /// [`ReadError`], among them [`ReadError::Gone`] where nothing of it is kept, and a full disk.
    pub async fn reopen(&self, blob_id: u64, left_bytes: Option<u64>) -> Result<BlobWriter, ReadError> {
        let mut kept = None;
        self.shared.entities.look(&mut |snapshot| {
            kept = ledger::partial(snapshot, blob_id)?;
            Ok(())
        })?;
        let (layout, tail) = kept.ok_or(ReadError::Gone { blob_id })?;
        let reservation = self.shared.space.reserve(left_bytes.unwrap_or(STEP_BYTES))?;
        let mut sha256 = ring::digest::Context::new(&ring::digest::SHA256);
        let mut crc32 = crc32fast::Hasher::new();
        let mut stored = self.reader(blob_id, 0..layout.size_bytes)?;
        while let Some(bytes) = stored.next().await {
            let bytes = bytes?;
            sha256.update(&bytes);
            let mut chunk = crc32fast::Hasher::new();
            chunk.update(&bytes);
            crc32.combine(&chunk);
        }
        sha256.update(&tail);
        let mut buffer = self.shared.buffers.get();
        buffer.extend_from_slice(&tail);
        let kept_chunks = layout.chunks();
        let claim = Claim {
            shared: self.shared.clone(),
            blob_id,
            extents: layout.extents,
            pins: Vec::new(),
            lane: Lane::Bulk,
            offered: AtomicBool::new(true),
            settled: false,
        };
        let size_bytes = layout.size_bytes + tail.len() as u64;
        let mut writer = BlobWriter::with(claim, reservation);
        writer.sha256.0 = sha256;
        writer.crc32 = crc32;
        writer.size_bytes = size_bytes;
        writer.chunk_crcs = layout.chunk_crcs;
        writer.buffer = buffer;
        writer.kept_chunks = kept_chunks;
        Ok(writer)
    }
}

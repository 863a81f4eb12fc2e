//! The way of content out of the volumes.
//!
//! Owns downloads: ranges, reading ahead by one chunk where the disk is waited for, and the check of every chunk. Never
//! holds a snapshot while a client is waited for, beyond the chunks in its hands.

use std::collections::VecDeque;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;

use super::cached_reads;
use super::layout::BlobLayout;
use super::pins::BlobPin;
use super::small::{self, Place};
use super::{Blobs, SMALL_BYTES_MAX, Shared, chunks, ledger};
use crate::store::file::StorageError;

/// Chunks that a download reads from the system's cache before others on its thread have their turn: half a millisecond.
const CACHED_IN_A_ROW_MAX: u32 = 4;

/// Looks for content that moves at the same time: from a row into a pack, and out of that again.
const LOOKS_MAX: usize = 8;

/// Why content cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It was deleted.
    #[error("blob {blob_id} was deleted")]
    Gone {
        /// The blob.
        blob_id: u64,
    },
    /// A chunk is not what was stored.
    #[error("chunk {chunk} of blob {blob_id} in volume {volume} is damaged")]
    Corrupt {
        /// The volume that holds the chunk.
        volume: u32,
        /// The blob.
        blob_id: u64,
        /// The chunk's index in the blob.
        chunk: u32,
    },
    /// Small content is not what was stored.
    #[error("blob {blob_id} is damaged in the entity file")]
    CorruptRow {
        /// The blob.
        blob_id: u64,
    },
    /// The file failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Blobs {
    /// Reads chunk `index` and checks it. Blocks. Follows the blob if it was moved since `layout` was read.
    ///
    /// # Errors
    /// [`ReadError`]; also [`ReadError::Gone`] for a chunk that the blob does not have.
    pub fn read_chunk(&self, layout: &BlobLayout, index: u32) -> Result<Bytes, ReadError> {
        self.shared.read_chunk(&Mutex::new(Arc::new(layout.clone())), index)
    }

    /// Begins a download of the bytes `range` of a blob, cut off at the blob's end. Blocks for one lookup, which
    /// makes sure that the blob is there and stays until the reader is dropped.
    ///
    /// # Errors
    /// [`ReadError::Gone`] if it was deleted since it was found.
    pub fn reader(&self, blob_id: u64, range: Range<u64>) -> Result<BlobReader, ReadError> {
        let gone = || ReadError::Gone { blob_id };
        let pin = self.shared.pins.pin_blob(blob_id).ok_or_else(gone)?;
        if let Some(layout) = self.shared.layout_of(blob_id)? {
            return Ok(BlobReader::of_chunks(&self.shared, layout, range, pin));
        }
        for _ in 0..LOOKS_MAX {
            let mut place = None;
            self.shared.entities.look(&mut |snapshot| {
                place = small::place(snapshot, blob_id)?;
                Ok(())
            })?;
            match place.ok_or_else(gone)? {
                Place::Row(content) => {
                    return Ok(BlobReader::of_bytes(content.ok_or(ReadError::CorruptRow { blob_id })?, range));
                }
                Place::Pack { pack_id, bytes } => {
                    // A pack that is gone was taken apart since.
                    let Some(pin) = self.shared.pins.pin_blob(pack_id) else { continue };
                    let Some(layout) = self.shared.layout_of(pack_id)? else { continue };
                    let end = range.end.min(bytes.end - bytes.start);
                    let start = range.start.min(end);
                    let range = bytes.start + start..bytes.start + end;
                    return Ok(BlobReader::of_chunks(&self.shared, layout, range, pin));
                }
            }
        }
        Err(gone())
    }
}

impl Shared {
    fn layout_of(&self, blob_id: u64) -> Result<Option<BlobLayout>, StorageError> {
        let mut layout = None;
        self.entities.look(&mut |snapshot| {
            layout = ledger::layout_of(snapshot, blob_id)?;
            Ok(())
        })?;
        Ok(layout)
    }

    /// Reads a chunk where `layout` says; if it is not there, looks up where the blob is now.
    pub(super) fn read_chunk(&self, layout: &Mutex<Arc<BlobLayout>>, index: u32) -> Result<Bytes, ReadError> {
        let known = Arc::clone(&layout.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(bytes) = self.read_at(&known, index)? {
            return Ok(bytes);
        }
        let blob_id = known.blob_id;
        let now = Arc::new(self.layout_of(blob_id)?.ok_or(ReadError::Gone { blob_id })?);
        *layout.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&now);
        let volume = now.volume_of(index).ok_or(ReadError::Gone { blob_id })?;
        // It is live and yet not where the ledger says.
        self.read_at(&now, index)?.ok_or(ReadError::Corrupt { volume, blob_id, chunk: index })
    }

    /// Reads chunks that are no longer together than one may be, if that needs no waiting.
    fn read_cached(&self, layout: &Mutex<Arc<BlobLayout>>, chunks: Range<u32>) -> Option<Bytes> {
        let layout = Arc::clone(&layout.lock().unwrap_or_else(PoisonError::into_inner));
        let key = |index| Some((layout.volume_of(index)?, layout.blob_id, index));
        let places: Option<Vec<cached_reads::Place>> =
            chunks.clone().map(|index| self.volumes.cached.find(key(index)?)).collect();
        let places = places?;
        let len = chunks::length_of_range(layout.size_bytes, chunks.start, chunks.end);
        let mut buffer = self.buffers.get_dirty(usize::try_from(len).ok()?);
        let mut len = 0;
        for (index, place) in chunks.zip(places) {
            let end = len + chunks::length(layout.size_bytes, index);
            let was_cached = buffer.get_mut(len..end).is_some_and(|chunk| place.read(chunk));
            let sound =
                was_cached && layout.chunk_crcs.get(index as usize) == Some(&crc32fast::hash(&buffer[len..end]));
            if !sound {
                if was_cached {
                    self.volumes.cached.forget(key(index)?);
                }
                self.buffers.take_back(buffer);
                return None;
            }
            len = end;
        }
        Some(self.buffers.share(buffer).slice(..len))
    }

    fn read_at(&self, layout: &BlobLayout, index: u32) -> Result<Option<Bytes>, ReadError> {
        let blob_id = layout.blob_id;
        let (Some(volume), Some(crc)) = (layout.volume_of(index), layout.chunk_crcs.get(index as usize)) else {
            return Err(ReadError::Gone { blob_id });
        };
        let len = chunks::length(layout.size_bytes, index);
        let Some(bytes) = self.volumes.chunk(volume, blob_id, index, len)? else { return Ok(None) };
        let sound = bytes.len() == len && crc32fast::hash(&bytes) == *crc;
        if sound { Ok(Some(bytes)) } else { Err(ReadError::Corrupt { volume, blob_id, chunk: index }) }
    }
}

/// What the chunks of one download share.
#[derive(Debug)]
struct Source {
    shared: Arc<Shared>,
    layout: Mutex<Arc<BlobLayout>>,
    _pin: BlobPin,
}

type Read = Pin<Box<dyn Future<Output = Result<VecDeque<Bytes>, ReadError>> + Send>>;

/// A download: a stream of chunks. What the system has in its cache is read as it is asked for; for the rest, one chunk,
/// or the few small ones of the tail, is read ahead. Ends after the first error.
pub struct BlobReader {
    /// None where all of it is ready.
    source: Option<Arc<Source>>,
    next_chunk: u32,
    /// Bytes of the first chunk that come before the range.
    skip_bytes: usize,
    /// Bytes of chunks still to be asked for.
    ask_bytes: u64,
    /// Bytes still to be given out.
    left_bytes: u64,
    ready: VecDeque<Bytes>,
    ahead: Option<Read>,
    /// Chunks read without waiting since others on the thread had their turn.
    cached_in_a_row: u32,
}

impl std::fmt::Debug for BlobReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobReader").field("left_bytes", &self.left_bytes).finish_non_exhaustive()
    }
}

impl BlobReader {
    /// Reads a range of content that is at hand.
    pub(in crate::store) fn of_bytes(mut content: Bytes, range: Range<u64>) -> Self {
        // What is in memory can be addressed.
        let end = range.end.min(content.len() as u64) as usize;
        let start = (range.start as usize).min(end);
        content.truncate(end);
        drop(content.split_to(start));
        Self {
            source: None,
            next_chunk: 0,
            skip_bytes: 0,
            ask_bytes: 0,
            left_bytes: content.len() as u64,
            ready: VecDeque::from([content]),
            ahead: None,
            cached_in_a_row: 0,
        }
    }

    fn of_chunks(shared: &Arc<Shared>, layout: BlobLayout, range: Range<u64>, pin: BlobPin) -> Self {
        let end = range.end.min(layout.size_bytes);
        let start = range.start.min(end);
        let (next_chunk, skip_bytes) = chunks::locate(layout.size_bytes, start);
        let source = Source { shared: Arc::clone(shared), layout: Mutex::new(Arc::new(layout)), _pin: pin };
        Self {
            source: Some(Arc::new(source)),
            next_chunk,
            skip_bytes,
            ask_bytes: (end - start).saturating_add(skip_bytes as u64),
            left_bytes: end - start,
            ready: VecDeque::new(),
            ahead: None,
            cached_in_a_row: 0,
        }
    }

    /// Bytes that are still to come.
    #[must_use]
    pub fn left_bytes(&self) -> u64 {
        self.left_bytes
    }

    /// The next chunks that the range has: a whole one, or those of the tail, which are no longer together.
    fn next_chunks(&self, source: &Source) -> Option<(Range<u32>, u64)> {
        let size_bytes = source.layout.lock().unwrap_or_else(PoisonError::into_inner).size_bytes;
        let (mut end, mut bytes) = (self.next_chunk, 0);
        while bytes < self.ask_bytes {
            let len = chunks::length(size_bytes, end) as u64;
            if len == 0 || (bytes > 0 && bytes + len > chunks::CHUNK_BYTES as u64) {
                break;
            }
            bytes += len;
            end += 1;
        }
        (end > self.next_chunk).then_some((self.next_chunk..end, bytes))
    }

    fn note_asked(&mut self, chunks: &Range<u32>, bytes: u64) {
        self.ask_bytes = self.ask_bytes.saturating_sub(bytes);
        self.next_chunk = chunks.end;
    }

    /// The next chunks, if they can be had without waiting.
    fn take_cached(&mut self) -> Option<Bytes> {
        let source = self.source.as_ref()?;
        let (chunks, bytes) = self.next_chunks(source)?;
        let content = source.shared.read_cached(&source.layout, chunks.clone())?;
        self.note_asked(&chunks, bytes);
        Some(content)
    }

    /// Asks for the next chunks, if the range has more.
    fn ask(&mut self) {
        let Some(source) = self.source.clone() else { return };
        let Some((chunks, bytes)) = self.next_chunks(&source) else { return };
        self.note_asked(&chunks, bytes);
        self.ahead = Some(Box::pin(read(source, chunks)));
    }
}

async fn read(source: Arc<Source>, chunks: Range<u32>) -> Result<VecDeque<Bytes>, ReadError> {
    let permit = Arc::clone(&source.shared.reads).acquire_owned().await.map_err(|_| StorageError::Closed)?;
    let task = tokio::task::spawn_blocking(move || {
        let bytes = chunks.map(|index| source.shared.read_chunk(&source.layout, index)).collect();
        drop(permit);
        bytes
    });
    task.await.map_err(|error| StorageError::Internal { detail: error.to_string() })?
}

impl Stream for BlobReader {
    type Item = Result<Bytes, ReadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.left_bytes == 0 {
            return Poll::Ready(None);
        }
        if this.ready.is_empty() {
            if this.cached_in_a_row == CACHED_IN_A_ROW_MAX {
                this.cached_in_a_row = 0;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            if this.ahead.is_none() {
                match this.take_cached() {
                    Some(bytes) => {
                        this.cached_in_a_row += 1;
                        this.ready.push_back(bytes);
                    }
                    None => this.ask(),
                }
            }
        }
        if this.ready.is_empty() {
            let Some(read) = &mut this.ahead else { return Poll::Ready(None) };
            let Poll::Ready(result) = read.as_mut().poll(context) else { return Poll::Pending };
            this.ahead = None;
            match result {
                Ok(ready) => this.ready = ready,
                Err(error) => {
                    this.left_bytes = 0;
                    return Poll::Ready(Some(Err(error)));
                }
            }
            this.ask();
            if let Some(next) = &mut this.ahead
                // The first poll starts the read. Its result, were it there at once, would be lost otherwise.
                && let Poll::Ready(result) = next.as_mut().poll(context)
            {
                this.ahead = Some(Box::pin(std::future::ready(result)));
            }
        }
        let Some(mut bytes) = this.ready.pop_front() else { return Poll::Ready(None) };
        drop(bytes.split_to(std::mem::take(&mut this.skip_bytes)));
        let count = usize::try_from(this.left_bytes).unwrap_or(usize::MAX).min(bytes.len());
        bytes.truncate(count);
        this.left_bytes -= count as u64;
        if count <= SMALL_BYTES_MAX && this.source.is_some() {
            // A few bytes do not keep the buffer or page of a whole chunk while a slow client takes them.
            bytes = Bytes::copy_from_slice(&bytes);
        }
        Poll::Ready(Some(Ok(bytes)))
    }
}

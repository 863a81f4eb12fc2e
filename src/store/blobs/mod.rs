//! Content-addressed blobs in capped volume files.
//!
//! Owns the volumes under `blobs/`, the way of content into them and out again, and the return of their space. Which
//! blobs live is written in the [`ledger`], a part of the entity file, so that one commit there decides it. Knows
//! nothing of packages; what a blob means is its referrers' affair.
//!
//! A blob is durable before anything may refer to it, and what a crash leaves unreferred is removed later:
//!
//! ```text
//! begin -> write… -> finish -> StoredBlob -> ledger::adopt (in an entity commit) -> release -> collect
//!            any of these dropped before adoption: the chunks are discarded
//! ```
//!
//! Small content (up to [`SMALL_BYTES_MAX`]) takes a shorter way at first: the commit that refers to it holds its bytes
//! as well, so that nothing else need be durable before. Later it is moved into packs, which volumes hold.
//!
//! Content that comes in several sittings is kept part by part (`ledger::keep_part`) until it is adopted or dropped.

mod buffers;
mod cached_reads;
mod chunks;
mod collect;
mod layout;
pub mod ledger;
mod pack;
mod partial;
mod pins;
mod read;
mod rewrite;
mod sealed;
pub(in crate::store) mod small;
mod space;
mod survey;
mod sweep;
mod volume;
mod volumes;
pub(in crate::store) mod volumes_of_backup;
mod write;

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use redb::ReadTransaction;
use tokio::sync::Semaphore;

pub use chunks::CHUNK_BYTES;
pub use collect::Collected;
pub use layout::{BlobLayout, Extent};
pub use pack::Packed;
pub use partial::{Mark, Part};
pub(in crate::store) use pins::Hold;
pub use read::{BlobReader, ReadError};
pub use small::SMALL_BYTES_MAX;
pub use survey::{LiveBlob, Survey, SurveyedVolume, Usage, UsedVolume};
pub use write::{BeginError, BlobWriter, StoredBlob};

use super::file::{Lane, RedbFile, Scratch, StorageError, Transaction, WriteError, block_on};
use super::media::Media;
use buffers::Buffers;
use collect::Collector;
use pack::{Backlog, Packing};
use pins::Pins;
use space::Space;
use volumes::Volumes;

/// Blocking reads of chunks at once, over all downloads.
const READS_MAX: usize = 16;

/// How a [`Blobs`] is opened.
#[derive(Debug, Clone, Copy)]
pub struct BlobOptions {
    /// Content that goes into one volume, in bytes. The volume's file is about as large.
    pub volume_cap_bytes: u64,
    /// Page cache of the volume that is written, in bytes. Half of it are pages that wait for the end of their commit;
    /// what is more is written ahead of it.
    pub active_cache_bytes: usize,
    /// Page cache of each open sealed volume, in bytes.
    pub sealed_cache_bytes: usize,
    /// How many sealed volumes stay open.
    pub sealed_open_max: usize,
    /// Space on the disk that uploads leave free, in bytes.
    pub floor_bytes: u64,
    /// The active volume is sealed early when it once held this much and more than half of that is dead, in bytes.
    pub roll_over_bytes: u64,
}

impl Default for BlobOptions {
    fn default() -> Self {
        Self {
            volume_cap_bytes: 1 << 30,
            active_cache_bytes: 8 << 20,
            sealed_cache_bytes: 1 << 20,
            sealed_open_max: 8,
            floor_bytes: 64 << 20,
            roll_over_bytes: 64 << 20,
        }
    }
}

/// The file that holds the [`ledger`]'s tables, as the blobs use it.
pub trait EntityFile: Debug + Send + Sync + 'static {
    /// A snapshot of the last commit.
    ///
    /// # Errors
    /// Those of [`RedbFile::read`].
    fn snapshot(&self) -> Result<ReadTransaction, StorageError>;

    /// Runs `look` as [`RedbFile::view`] does. Blocks.
    ///
    /// # Errors
    /// Those of [`RedbFile::view`].
    fn look(&self, look: &mut Look<'_>) -> Result<(), StorageError>;

    /// Runs `change` in the next commit and waits until it is durable. Blocks.
    ///
    /// # Errors
    /// Those of the file and of `change`.
    fn change(&self, change: Box<Change>) -> Result<(), StorageError>;

    /// The same for a change that all others may pass, and which weighs about that much.
    ///
    /// # Errors
    /// Those of the file and of `change`.
    fn change_in_bulk(&self, weight_bytes: usize, change: Box<Change>) -> Result<(), StorageError>;
}

/// What [`EntityFile::look`] runs.
pub type Look<'a> = dyn FnMut(&ReadTransaction) -> Result<(), StorageError> + 'a;
/// What [`EntityFile::change`] runs, perhaps several times.
pub type Change = dyn FnMut(&Transaction<'_>) -> Result<(), StorageError> + Send;

impl<C: Scratch> EntityFile for RedbFile<C> {
    fn snapshot(&self) -> Result<ReadTransaction, StorageError> {
        self.read()
    }

    fn look(&self, look: &mut Look<'_>) -> Result<(), StorageError> {
        self.view(look)
    }

    fn change(&self, change: Box<Change>) -> Result<(), StorageError> {
        run_change(self, Lane::Small, 0, change)
    }

    fn change_in_bulk(&self, weight_bytes: usize, change: Box<Change>) -> Result<(), StorageError> {
        run_change(self, Lane::Bulk, weight_bytes, change)
    }
}

fn run_change<C: Scratch>(
    file: &RedbFile<C>,
    lane: Lane,
    weight_bytes: usize,
    mut change: Box<Change>,
) -> Result<(), StorageError> {
    let job = move |transaction: &Transaction<'_>, scratch: &mut C| {
        scratch.mark_written();
        change(transaction).map_err(WriteError::Storage)
    };
    block_on(file.write(lane, weight_bytes, job)).map_err(WriteError::into_storage)
}

/// The blobs of one data directory. Clones are the same blobs.
#[derive(Debug, Clone)]
pub struct Blobs {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    entities: Arc<dyn EntityFile>,
    volumes: Arc<Volumes>,
    space: Arc<Space>,
    buffers: Arc<Buffers>,
    pins: Pins,
    /// The first id of this run; smaller ones are of the past.
    first_id: u64,
    next_id: AtomicU64,
    reads: Arc<Semaphore>,
    collector: Mutex<Collector>,
    backlog: Backlog,
    /// Held while packs are made or taken apart.
    packing: Mutex<Packing>,
    /// Stored blobs of which nobody could tell yet whether they were adopted.
    unsettled: Mutex<Vec<write::Claim>>,
}

impl Blobs {
    /// Opens the volumes of `media`, making the first if there is none. `entities` holds the ledger, whose tables
    /// [`ledger::create_tables`] has made. Blocks.
    ///
    /// What an earlier run left behind is removed by the first [`Self::collect`].
    ///
    /// # Errors
    /// [`StorageError`], among them [`StorageError::Corrupt`] when a volume with live content is missing.
    pub fn open(
        media: Arc<dyn Media>,
        options: BlobOptions,
        entities: Arc<dyn EntityFile>,
    ) -> Result<Self, StorageError> {
        // Before the one that is missing is made anew.
        let there = volumes::numbers_in(&*media)?;
        entities.look(&mut |snapshot| {
            for (volume, live_bytes) in ledger::live_bytes(snapshot)? {
                if live_bytes > 0 && !there.contains(&volume) {
                    return Err(StorageError::Corrupt { detail: format!("blob volume {volume} is missing") });
                }
            }
            Ok(())
        })?;
        let volumes = Volumes::open(Arc::clone(&media), options)?;
        let first_id = ledger::reserve_ids(&*entities)?;
        let shared = Shared {
            entities,
            volumes: Arc::new(volumes),
            space: Arc::new(Space::new(media, options.floor_bytes)),
            buffers: Arc::default(),
            pins: Pins::default(),
            first_id,
            next_id: AtomicU64::new(first_id),
            reads: Arc::new(Semaphore::new(READS_MAX)),
            collector: Mutex::new(Collector::default()),
            backlog: Backlog::default(),
            packing: Mutex::default(),
            unsettled: Mutex::new(Vec::new()),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Ends the writer and closes all volumes cleanly. Uploads and downloads that go on get
    /// [`StorageError::Closed`]. Blocks.
    pub fn close(&self) {
        self.shared.volumes.close();
    }

    /// How many volume files there are.
    #[must_use]
    pub fn volume_count(&self) -> usize {
        self.shared.volumes.numbers().len()
    }
}

impl Shared {
    fn new_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;

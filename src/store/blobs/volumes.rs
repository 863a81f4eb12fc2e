//! The set of volumes: one that is written, and the sealed ones.
//!
//! Owns which file is which, the change from one active volume to the next, and how a chunk is found whatever state
//! its volume is in. Knows nothing of the ledger.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use bytes::Bytes;
use redb::ReadTransaction;

use super::BlobOptions;
use super::cached_reads::CachedReads;
use super::sealed::SealedVolumes;
use super::volume::{self, Fill, Put, VolumeScratch};
use crate::store::file::{FileOptions, Lane, Pending, RedbFile, StorageError, Transaction, UNFINISHED, WriteError};
use crate::store::media::{Media, with_place};

const FOLDER: &str = "blobs";
/// Attempts to use a volume that changes its state at the same time. Two are enough but for a rollover in between.
const ATTEMPTS_MAX: usize = 8;

/// An id that no blob has: they are given out from 1 on.
const NO_BLOB: u64 = 0;

/// The answer to a job in a volume, which has no rules to break.
pub(super) type Stored = Pending<(), std::convert::Infallible>;

#[derive(Debug)]
pub(super) struct Volumes {
    media: Arc<dyn Media>,
    options: BlobOptions,
    numbers: RwLock<BTreeSet<u32>>,
    active: RwLock<Arc<Active>>,
    /// The volume before the active one, until it is closed.
    retiring: Mutex<Option<Arc<Active>>>,
    sealed: SealedVolumes,
    pub(super) cached: CachedReads,
    /// Held during a rollover; true when no more may happen.
    pub(super) closed: Mutex<bool>,
}

/// The volume that is written.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) number: u32,
    file: RedbFile<VolumeScratch>,
    gauge: Arc<Gauge>,
}

/// How full the active volume is, without a look into it.
#[derive(Debug, Default)]
struct Gauge {
    payload_bytes: AtomicU64,
    peak_bytes: AtomicU64,
    submitted_bytes: AtomicU64,
}

impl Gauge {
    fn set(&self, fill: Fill) {
        self.payload_bytes.store(fill.payload_bytes, Ordering::Relaxed);
        self.peak_bytes.store(fill.peak_bytes, Ordering::Relaxed);
    }
}

/// Bytes on their way into the active volume.
struct Submitted {
    gauge: Arc<Gauge>,
    bytes: u64,
}

impl Submitted {
    fn new(gauge: &Arc<Gauge>, bytes: u64) -> Self {
        gauge.submitted_bytes.fetch_add(bytes, Ordering::Relaxed);
        Self { gauge: Arc::clone(gauge), bytes }
    }
}

impl Drop for Submitted {
    fn drop(&mut self) {
        self.gauge.submitted_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The name of volume `number` in its medium.
pub(in crate::store) fn file_name(number: u32) -> String {
    format!("{FOLDER}/{number:08}.redb")
}

pub(super) fn number_of(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(".redb").filter(|digits| digits.len() == 8)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// The volumes that there are.
pub(super) fn numbers_in(media: &dyn Media) -> Result<BTreeSet<u32>, StorageError> {
    let names = media.list(FOLDER).map_err(|error| StorageError::from_io(&error))?;
    Ok(names.iter().filter_map(|name| number_of(name)).collect())
}

impl Active {
    fn open(media: &Arc<dyn Media>, number: u32, cache_bytes: usize) -> Result<Arc<Self>, StorageError> {
        let gauge = Arc::new(Gauge::default());
        let watched = Arc::clone(&gauge);
        let observer = move |scratch: VolumeScratch| {
            if let Some(fill) = scratch.fill {
                watched.set(fill);
            }
        };
        let options = FileOptions { cache_bytes, create_tables: volume::create_tables };
        let file = RedbFile::open(Arc::clone(media), &file_name(number), options, observer)?;
        gauge.set(volume::fill(&file.read()?)?);
        Ok(Arc::new(Self { number, file, gauge }))
    }

    /// About how much it holds, in bytes.
    pub(super) fn payload_bytes(&self) -> u64 {
        self.gauge.payload_bytes.load(Ordering::Relaxed)
    }

    /// Whether `bytes` more fit under `cap_bytes`. An empty volume takes anything.
    fn has_room(&self, bytes: u64, cap_bytes: u64) -> bool {
        let held =
            self.gauge.payload_bytes.load(Ordering::Relaxed) + self.gauge.submitted_bytes.load(Ordering::Relaxed);
        held == 0 || held + bytes <= cap_bytes
    }

    async fn submit(&self, lane: Lane, put: Put) -> Result<Stored, StorageError> {
        let bytes = put.pieces.iter().map(Bytes::len).sum::<usize>();
        let submitted = Submitted::new(&self.gauge, bytes as u64);
        let job = move |transaction: &Transaction<'_>, scratch: &mut VolumeScratch| {
            let _on_its_way = &submitted;
            Ok(volume::put(transaction, scratch, &put)?)
        };
        self.file.submit(lane, bytes, job).await
    }
}

impl Volumes {
    /// Opens the volumes that exist; the one with the highest number is written on.
    pub(super) fn open(media: Arc<dyn Media>, options: BlobOptions) -> Result<Self, StorageError> {
        let io = |error| StorageError::from_io(&error);
        let names = media.list(FOLDER).map_err(io)?;
        for unfinished in names.iter().filter(|name| name.ends_with(UNFINISHED)) {
            media.remove(&format!("{FOLDER}/{unfinished}")).map_err(io)?;
        }
        let mut numbers: BTreeSet<u32> = names.iter().filter_map(|name| number_of(name)).collect();
        let number = numbers.last().copied().unwrap_or(1);
        numbers.insert(number);
        let active = Active::open(&media, number, options.active_cache_bytes)?;
        let cached = CachedReads::new(Arc::clone(&media));
        let sealed = SealedVolumes::new(Arc::clone(&media), options.sealed_cache_bytes, options.sealed_open_max);
        Ok(Self {
            media,
            options,
            numbers: RwLock::new(numbers),
            active: RwLock::new(active),
            retiring: Mutex::new(None),
            sealed,
            cached,
            closed: Mutex::new(false),
        })
    }

    pub(super) fn close(&self) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.active().file.close();
        self.sealed.close();
        self.cached.close();
    }

    pub(super) fn active(&self) -> Arc<Active> {
        Arc::clone(&self.active.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// How much one volume may hold, in bytes.
    pub(super) fn cap_bytes(&self) -> u64 {
        self.options.volume_cap_bytes
    }

    fn retiring(&self) -> MutexGuard<'_, Option<Arc<Active>>> {
        self.retiring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The volumes that exist, in order.
    pub(super) fn numbers(&self) -> BTreeSet<u32> {
        self.numbers.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn exists(&self, number: u32) -> bool {
        self.numbers.read().unwrap_or_else(PoisonError::into_inner).contains(&number)
    }

    /// The sealed volumes, in order.
    pub(super) fn sealed_numbers(&self) -> Vec<u32> {
        let active = self.active().number;
        let retiring = self.retiring().as_ref().map(|volume| volume.number);
        self.numbers().into_iter().filter(|number| *number != active && Some(*number) != retiring).collect()
    }

    /// The active volume with room for `bytes`, after a rollover if need be. Blocks then.
    fn with_room(&self, bytes: u64) -> Result<Arc<Active>, StorageError> {
        let active = self.active();
        if active.has_room(bytes, self.options.volume_cap_bytes) {
            return Ok(active);
        }
        self.roll_over(active.number)?;
        Ok(self.active())
    }

    /// Hands chunks to the active volume, and says which that was. `pin` is called with the volume before it can
    /// hold anything, and may refuse to wait for nothing by its own means. `put` makes the job anew per attempt.
    pub(super) async fn submit(
        self: &Arc<Self>,
        lane: Lane,
        bytes: u64,
        mut put: impl FnMut(u32) -> Put,
    ) -> Result<(u32, Stored), StorageError> {
        for _ in 0..ATTEMPTS_MAX {
            let mut active = self.active();
            if !active.has_room(bytes, self.options.volume_cap_bytes) {
                let volumes = Arc::clone(self);
                let rolled = tokio::task::spawn_blocking(move || volumes.with_room(bytes)).await;
                active = rolled.map_err(|error| StorageError::Internal { detail: error.to_string() })??;
            }
            match active.submit(lane, put(active.number)).await {
                // It was sealed meanwhile.
                Err(StorageError::Closed) if active.number != self.active().number => {}
                result => return result.map(|stored| (active.number, stored)),
            }
        }
        Err(StorageError::Closed)
    }

    /// Like [`Self::submit`] in the bulk lane, for a thread of its own. Blocks.
    pub(super) fn submit_blocking(
        &self,
        bytes: u64,
        mut put: impl FnMut(u32) -> Put,
    ) -> Result<(u32, Stored), StorageError> {
        for _ in 0..ATTEMPTS_MAX {
            let active = self.with_room(bytes)?;
            match crate::store::file::block_on(active.submit(Lane::Bulk, put(active.number))) {
                Err(StorageError::Closed) if active.number != self.active().number => {}
                result => return result.map(|stored| (active.number, stored)),
            }
        }
        Err(StorageError::Closed)
    }

    /// Removes `chunks` chunks of a blob, or of its run that begins at `run`, if `number` is the active volume; in
    /// a sealed one they are merely dead. Answers what to wait for, if anybody wants to wait.
    pub(super) fn remove(&self, number: u32, lane: Lane, blob_id: u64, run: Option<u32>, chunks: u32) -> Vec<Stored> {
        let active = self.active();
        if active.number != number {
            return Vec::new();
        }
        let job = move |transaction: &Transaction<'_>, scratch: &mut VolumeScratch| {
            Ok(volume::remove(transaction, scratch, blob_id, run)?)
        };
        let jobs = chunks.div_ceil(volume::REMOVE_CHUNKS_MAX);
        // A quarter of a commit each, since the chunks' pages are read. A closed volume needs no removal.
        (0..jobs).map_while(|_| active.file.submit_now(lane, 1 << 20, job).ok()).collect()
    }

    /// Seals the active volume `number` and starts the next, unless somebody else has. Blocks.
    pub(super) fn roll_over(&self, number: u32) -> Result<(), StorageError> {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        if *closed {
            return Err(StorageError::Closed);
        }
        let old = self.active();
        if old.number != number {
            return Ok(());
        }
        let next = number.checked_add(1).ok_or_else(|| StorageError::Internal { detail: "out of volumes".into() })?;
        let new = Active::open(&self.media, next, self.options.active_cache_bytes)?;
        self.numbers.write().unwrap_or_else(PoisonError::into_inner).insert(next);
        *self.retiring() = Some(Arc::clone(&old));
        *self.active.write().unwrap_or_else(PoisonError::into_inner) = new;
        old.file.drain();
        // Readers wait for the lock rather than open a file that is still being closed.
        let mut retiring = self.retiring();
        old.file.close();
        *retiring = None;
        tracing::info!(sealed = number, active = next, "a blob volume was sealed");
        Ok(())
    }

    /// Removes the sealed volume `number` from the disk.
    pub(super) fn delete(&self, number: u32) -> Result<(), StorageError> {
        self.numbers.write().unwrap_or_else(PoisonError::into_inner).remove(&number);
        let removed = self.media.remove(&file_name(number)).map_err(|error| StorageError::from_io(&error));
        // Its handle would keep the space from the disk.
        self.sealed.forget(number);
        self.cached.forget_volume(number);
        if removed.is_err() {
            self.numbers.write().unwrap_or_else(PoisonError::into_inner).insert(number);
        }
        removed
    }

    /// Runs `look` on volume `number`, or nothing if it does not exist. Blocks.
    pub(super) fn view<T>(
        &self,
        number: u32,
        mut look: impl FnMut(&ReadTransaction) -> Result<T, StorageError>,
    ) -> Result<Option<T>, StorageError> {
        for _ in 0..ATTEMPTS_MAX {
            let active = self.active();
            let open = if active.number == number {
                Some(active)
            } else {
                self.retiring().clone().filter(|volume| volume.number == number)
            };
            let result = match open {
                Some(volume) => match volume.file.view(&mut look) {
                    Err(StorageError::Closed) if self.active().number != number => continue,
                    result => result,
                },
                None if !self.exists(number) => return Ok(None),
                None => self.sealed.view(number, &mut look),
            };
            return match result {
                // It was deleted meanwhile.
                Err(_) if !self.exists(number) => Ok(None),
                result => result.map(Some),
            };
        }
        Err(StorageError::Closed)
    }

    /// The bytes of a chunk that has `len` of them, unless its volume or the chunk does not exist. Blocks.
    pub(super) fn chunk(
        &self,
        number: u32,
        blob_id: u64,
        index: u32,
        len: usize,
    ) -> Result<Option<Bytes>, StorageError> {
        let look = || -> Result<Option<Bytes>, StorageError> {
            Ok(self.view(number, |snapshot| volume::chunk(snapshot, blob_id, index, len))?.flatten())
        };
        let Some((bytes, place)) = with_place(look)? else { return Ok(None) };
        if let Some(place) = place {
            self.cached.learn((number, blob_id, index), place, &file_name(number));
        }
        Ok(Some(bytes))
    }

    /// The active volume, if its file is large and mostly free once everything is done that was to be removed from it
    /// so far. Blocks.
    pub(super) fn mostly_dead_active(&self) -> Result<Option<u32>, StorageError> {
        let active = self.active();
        if active.gauge.peak_bytes.load(Ordering::Relaxed) <= self.options.roll_over_bytes {
            return Ok(None);
        }
        // Nobody waited for what broken uploads left to be removed; a job behind it in each lane does.
        for lane in [Lane::Small, Lane::Bulk] {
            for done in self.remove(active.number, lane, NO_BLOB, None, 1) {
                done.wait()?;
            }
        }
        let peak = active.gauge.peak_bytes.load(Ordering::Relaxed);
        let payload = active.gauge.payload_bytes.load(Ordering::Relaxed);
        Ok((payload < peak / 2).then_some(active.number))
    }
}

impl From<WriteError<std::convert::Infallible>> for StorageError {
    fn from(error: WriteError<std::convert::Infallible>) -> Self {
        error.into_storage()
    }
}

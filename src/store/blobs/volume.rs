//! The tables inside one volume file.
//!
//! Owns the chunks, the list of runs of chunks that tells what is there without reading content, and the volume's
//! fill. All three change together, in the caller's transaction. Knows nothing of other volumes or of the ledger.

use bytes::Bytes;
use redb::{OwnedAccessGuard, ReadTransaction, ReadableTable, TableDefinition, WriteTransaction};

use super::chunks;
use crate::store::file::{EveryTable, Make, Scratch, StorageError, Transaction};

/// Content by blob id and index of the chunk in its blob, but for crumbs.
const CHUNKS: TableDefinition<(u64, u32), &[u8]> = TableDefinition::new("chunks");
/// Crumbs likewise. Among themselves they fill their pages; between larger chunks each would take one of its own.
const CRUMBS: TableDefinition<(u64, u32), &[u8]> = TableDefinition::new("crumbs");
/// How many consecutive chunks there are from a blob's chunk on, and their bytes.
const RUNS: TableDefinition<(u64, u32), (u32, u64)> = TableDefinition::new("runs");
/// [`PAYLOAD`] and [`PEAK`].
const STATS: TableDefinition<&str, u64> = TableDefinition::new("stats");

/// Bytes of content in the volume.
const PAYLOAD: &str = "payload_bytes";
/// The most that [`PAYLOAD`] ever was: about the size of the file.
const PEAK: &str = "peak_bytes";

/// Chunks removed by one job: 16 MiB at most, so that a commit stays short.
pub(super) const REMOVE_CHUNKS_MAX: u32 = 64;

/// How full a volume is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Fill {
    /// Bytes of content.
    pub(super) payload_bytes: u64,
    /// The most there ever were.
    pub(super) peak_bytes: u64,
}

/// A run of consecutive chunks of one blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) blob_id: u64,
    /// The first chunk's index in the blob.
    pub(super) first: u32,
    pub(super) chunks: u32,
}

impl Run {
    pub(super) fn range(&self) -> std::ops::Range<u32> {
        self.first..self.first.saturating_add(self.chunks)
    }
}

/// Chunks on their way into a volume.
#[derive(Debug, Clone)]
pub(super) struct Put {
    pub(super) blob_id: u64,
    /// Where the run of chunks in this volume begins.
    pub(super) run_first: u32,
    /// The index of the first of `pieces`.
    pub(super) first: u32,
    pub(super) pieces: Vec<Bytes>,
}

/// What the jobs of a commit leave for the volume's owner: how full it is now.
#[derive(Debug, Default)]
pub(super) struct VolumeScratch {
    pub(super) fill: Option<Fill>,
    wrote: bool,
}

impl Scratch for VolumeScratch {
    fn begin_job(&mut self) {
        self.wrote = false;
    }

    fn mark_written(&mut self) {
        self.wrote = true;
    }

    fn wrote(&self) -> bool {
        self.wrote
    }
}

/// Shows all tables, to be made or copied.
pub(in crate::store) fn every_table(tables: &mut impl EveryTable) -> Result<(), StorageError> {
    tables.table(CHUNKS)?;
    tables.table(CRUMBS)?;
    tables.table(RUNS)?;
    tables.table(STATS)
}

pub(super) fn create_tables(transaction: &WriteTransaction) -> Result<(), StorageError> {
    every_table(&mut Make(transaction))
}

/// Stores chunks; those that are there already are replaced.
pub(super) fn put(transaction: &Transaction<'_>, scratch: &mut VolumeScratch, put: &Put) -> Result<(), StorageError> {
    scratch.mark_written();
    let mut chunks = transaction.open_table(CHUNKS)?;
    let mut crumbs = transaction.open_table(CRUMBS)?;
    let (mut index, mut added, mut replaced) = (put.first, 0, 0);
    for piece in &put.pieces {
        let table = if chunks::is_crumb(piece.len()) { &mut crumbs } else { &mut chunks };
        let old = table.insert((put.blob_id, index), piece.as_ref())?;
        replaced += old.map_or(0, |old| old.value().len() as u64);
        added += piece.len() as u64;
        index += 1;
    }
    let mut runs = transaction.open_table(RUNS)?;
    let key = (put.blob_id, put.run_first);
    let (count, bytes) = runs.get(key)?.map_or((0, 0), |row| row.value());
    // Chunks of unfinished content that come once more may have been counted with another run.
    runs.insert(key, (count.max(index - put.run_first), (bytes + added).saturating_sub(replaced)))?;
    change_fill(transaction, scratch, |payload| (payload + added).saturating_sub(replaced))
}

/// Removes up to [`REMOVE_CHUNKS_MAX`] chunks of a blob, or of its run that begins at `run`. Repeat it for more.
pub(super) fn remove(
    transaction: &Transaction<'_>,
    scratch: &mut VolumeScratch,
    blob_id: u64,
    run: Option<u32>,
) -> Result<(), StorageError> {
    let mut runs = transaction.open_table(RUNS)?;
    let mut chunks = transaction.open_table(CHUNKS)?;
    let mut crumbs = transaction.open_table(CRUMBS)?;
    let (mut left, mut removed) = (REMOVE_CHUNKS_MAX, 0);
    let keys = run.map_or((blob_id, 0)..=(blob_id, u32::MAX), |run| (blob_id, run)..=(blob_id, run));
    while left > 0 {
        let Some((key, (count, bytes))) = last_of(&runs, keys.clone())? else { break };
        scratch.mark_written();
        let kept = count.saturating_sub(left);
        let mut gone = 0;
        for index in (kept..count).rev() {
            let chunk = (blob_id, key.1 + index);
            let large = chunks.remove(chunk)?.map(|old| old.value().len());
            let len = if large.is_some() { large } else { crumbs.remove(chunk)?.map(|old| old.value().len()) };
            gone += len.unwrap_or_default() as u64;
        }
        left -= count - kept;
        removed += gone;
        if kept == 0 {
            runs.remove(key)?;
        } else {
            runs.insert(key, (kept, bytes.saturating_sub(gone)))?;
        }
    }
    drop((runs, chunks, crumbs));
    if removed == 0 {
        return Ok(());
    }
    change_fill(transaction, scratch, |payload| payload.saturating_sub(removed))
}

type RunRow = ((u64, u32), (u32, u64));

fn last_of(
    runs: &impl ReadableTable<(u64, u32), (u32, u64)>,
    keys: std::ops::RangeInclusive<(u64, u32)>,
) -> Result<Option<RunRow>, StorageError> {
    let last = runs.range(keys)?.next_back().transpose()?;
    Ok(last.map(|(key, row)| (key.value(), row.value())))
}

fn change_fill(
    transaction: &Transaction<'_>,
    scratch: &mut VolumeScratch,
    change: impl FnOnce(u64) -> u64,
) -> Result<(), StorageError> {
    let mut stats = transaction.open_table(STATS)?;
    let old = fill_in(&stats)?;
    let payload_bytes = change(old.payload_bytes);
    let fill = Fill { payload_bytes, peak_bytes: old.peak_bytes.max(payload_bytes) };
    stats.insert(PAYLOAD, fill.payload_bytes)?;
    if fill.peak_bytes != old.peak_bytes {
        stats.insert(PEAK, fill.peak_bytes)?;
    }
    scratch.fill = Some(fill);
    Ok(())
}

fn fill_in(stats: &impl ReadableTable<&'static str, u64>) -> Result<Fill, StorageError> {
    let read = |key| Ok::<_, redb::StorageError>(stats.get(key)?.map_or(0, |row| row.value()));
    Ok(Fill { payload_bytes: read(PAYLOAD)?, peak_bytes: read(PEAK)? })
}

/// How full the volume is.
pub(super) fn fill(snapshot: &ReadTransaction) -> Result<Fill, StorageError> {
    fill_in(&snapshot.open_table(STATS)?)
}

/// Up to `count_max` runs in the order of blob and chunk, from `from` on.
pub(super) fn runs(snapshot: &ReadTransaction, from: (u64, u32), count_max: usize) -> Result<Vec<Run>, StorageError> {
    let table = snapshot.open_table(RUNS)?;
    let mut runs = Vec::new();
    for row in table.range(from..)?.take(count_max) {
        let (key, value) = row?;
        let ((blob_id, first), (chunks, _)) = (key.value(), value.value());
        runs.push(Run { blob_id, first, chunks });
    }
    Ok(runs)
}

/// Bytes of content, counted run by run.
pub(super) fn count_payload(snapshot: &ReadTransaction) -> Result<u64, StorageError> {
    let mut total = 0;
    for row in snapshot.open_table(RUNS)?.iter()? {
        let (_, value) = row?;
        let (_, bytes) = value.value();
        total += bytes;
    }
    Ok(total)
}

/// The bytes of a chunk that has `len` of them, which keep their page and its snapshot alive but copy nothing.
pub(super) fn chunk(
    snapshot: &ReadTransaction,
    blob_id: u64,
    index: u32,
    len: usize,
) -> Result<Option<Bytes>, StorageError> {
    let table = if chunks::is_crumb(len) { CRUMBS } else { CHUNKS };
    let chunk = snapshot.open_table(table)?.get_owned((blob_id, index))?;
    Ok(chunk.map(|guard| Bytes::from_owner(Guarded(guard))))
}

struct Guarded(OwnedAccessGuard<&'static [u8]>);

impl AsRef<[u8]> for Guarded {
    fn as_ref(&self) -> &[u8] {
        self.0.value()
    }
}

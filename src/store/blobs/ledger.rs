//! The blobs' tables in the entity file: which content lives, how often it is referred to, and where it is.
//!
//! Owns reference counts, layouts, the list of garbage and the live bytes of each volume. Its functions run inside
//! the jobs and snapshots of the entity file, so that a reference and its referrer change in one commit. It touches
//! no volume. Small content, which is in the entity file itself or in packs, has tables of its own in `small`.
//!
//! A function that returns an error may have written: let the job fail with it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use bincode::{Decode, Encode};
use bytes::Bytes;
use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata, TableDefinition, WriteTransaction};

use super::layout::{self, BlobLayout, Extent};
use super::partial::Part;
use super::small::{self, Place};
use super::survey::LiveBlob;
use super::write::StoredBlob;
use super::{EntityFile, SMALL_BYTES_MAX, chunks};
use crate::model::{Crc32, Sha256};
use crate::store::codec::{decode, encode};
use crate::store::file::{EveryTable, Make, OpenTable, StorageError, Transaction};

/// Live content by SHA-256.
const BLOBS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("blobs");
/// Layouts of live blobs and of packs by blob id. Small blobs have none.
const LAYOUTS: TableDefinition<u64, &[u8]> = TableDefinition::new("blob_layouts");
/// Layouts of blobs nobody refers to any more, until their chunks are removed.
const GARBAGE: TableDefinition<u64, &[u8]> = TableDefinition::new("blob_garbage");
/// Content that is not finished yet, by blob id: what of it follows the last whole chunk. The whole chunks have a layout
/// like that of a live blob.
const PARTIALS: TableDefinition<u64, &[u8]> = TableDefinition::new("blob_partials");
/// Live bytes of content per volume; a volume without a row has none.
const VOLUMES: TableDefinition<u32, u64> = TableDefinition::new("blob_volumes");
/// The SHA-256 of the file of each sealed volume that a backup has read. Such a file never changes.
const VOLUME_DIGESTS: TableDefinition<u32, [u8; 32]> = TableDefinition::new("blob_volume_digests");
/// [`NEXT_ID`] and [`SWEPT_BELOW`].
const MARKS: TableDefinition<&str, u64> = TableDefinition::new("blob_marks");

/// The first blob id that no run has had for itself.
const NEXT_ID: &str = "next_id";
/// Below this id, the active volume holds nothing but what the ledger says.
const SWEPT_BELOW: &str = "swept_below";

/// Ids that a run takes for itself at its start. Nobody uploads so many, and there are as many such starts.
const IDS_PER_RUN: u64 = 1 << 32;

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
enum BlobRecord {
    V1 { blob_id: u64, size_bytes: u64, crc32: u32, references: u64 },
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
enum LayoutRecord {
    V1 { size_bytes: u64, extents: Vec<Extent>, chunk_crcs: Vec<u32> },
}

/// What is known of live content without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobInfo {
    /// The blob's name in the volumes.
    pub blob_id: u64,
    /// Its length.
    pub size_bytes: u64,
    /// The CRC-32 of the whole.
    pub crc32: Crc32,
    /// How many refer to it.
    pub references: u64,
}

/// What became of a stored blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adopted {
    /// Its content is new.
    New,
    /// The same content was there already; the new copy is discarded after the commit.
    Existing,
}

/// What became of content that lost a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Released {
    /// Others refer to it still.
    Kept,
    /// Nobody does; the collector will remove it.
    Last,
}

/// Shows all tables, to be made or copied.
pub(in crate::store) fn every_table(tables: &mut impl EveryTable) -> Result<(), StorageError> {
    tables.table(BLOBS)?;
    tables.table(LAYOUTS)?;
    tables.table(GARBAGE)?;
    tables.table(VOLUMES)?;
    tables.table(PARTIALS)?;
    tables.table(MARKS)?;
    tables.table(VOLUME_DIGESTS)?;
    small::every_table(tables)
}

/// Makes the tables.
///
/// # Errors
/// Those of the file.
pub fn create_tables(transaction: &WriteTransaction) -> Result<(), StorageError> {
    every_table(&mut Make(transaction))
}

/// Adds one reference to the content of `stored`, which becomes live with it. The commit decides: should it fail,
/// the content is discarded when `stored` is dropped, so `stored` belongs to the job.
///
/// # Errors
/// Those of the file.
pub fn adopt(transaction: &Transaction<'_>, stored: &StoredBlob) -> Result<Adopted, StorageError> {
    let kept = if stored.is_offered() { take_partial(transaction, stored.blob_id())? } else { None };
    stored.offer();
    if let Some(bytes) = stored.row() {
        // What was kept of it has no chunk, or it would not be small.
        if add_reference(transaction, stored.sha256())?.is_some() {
            return Ok(Adopted::Existing);
        }
        put_new(transaction, stored)?;
        small::insert(transaction, stored.blob_id(), stored.crc32().0, bytes)?;
        stored.note_row();
        return Ok(Adopted::New);
    }
    let layout = kept.as_ref().map_or_else(|| stored.layout(), |kept| with_rest(kept, stored.layout()));
    if add_reference(transaction, stored.sha256())?.is_some() {
        if kept.is_some() {
            put_garbage(transaction, layout)?;
        }
        return Ok(Adopted::Existing);
    }
    put_new(transaction, stored)?;
    put_live_layout(transaction, &layout)?;
    Ok(Adopted::New)
}

/// Notes new content with its first reference.
fn put_new(transaction: &Transaction<'_>, stored: &StoredBlob) -> Result<(), StorageError> {
    let record = BlobRecord::V1 {
        blob_id: stored.blob_id(),
        size_bytes: stored.size_bytes(),
        crc32: stored.crc32().0,
        references: 1,
    };
    transaction.open_table(BLOBS)?.insert(&stored.sha256().as_bytes()[..], &encode("blobs", &record)?[..])?;
    Ok(())
}

/// Notes where chunks are that live from now on.
fn put_live_layout(transaction: &Transaction<'_>, layout: &BlobLayout) -> Result<(), StorageError> {
    transaction.open_table(LAYOUTS)?.insert(layout.blob_id, &layout_bytes(layout.clone())?[..])?;
    for (volume, bytes) in layout.bytes_by_volume() {
        change_live_bytes(transaction, volume, |live| live.checked_add(bytes))?;
    }
    Ok(())
}

/// Takes the layout of a blob whose chunks are no longer to live.
fn take_live_layout(transaction: &Transaction<'_>, blob_id: u64) -> Result<Option<BlobLayout>, StorageError> {
    let mut layouts = transaction.open_table(LAYOUTS)?;
    let Some(layout) = layout_in(&layouts, blob_id)? else { return Ok(None) };
    layouts.remove(blob_id)?;
    for (volume, bytes) in layout.bytes_by_volume() {
        change_live_bytes(transaction, volume, |live| live.checked_sub(bytes))?;
    }
    Ok(Some(layout))
}

fn put_garbage(transaction: &Transaction<'_>, layout: BlobLayout) -> Result<(), StorageError> {
    transaction.open_table(GARBAGE)?.insert(layout.blob_id, &layout_bytes(layout)?[..])?;
    Ok(())
}

/// Keeps a pack's chunks.
pub(super) fn keep_pack(transaction: &Transaction<'_>, layout: &BlobLayout) -> Result<(), StorageError> {
    put_live_layout(transaction, layout)
}

/// Gives a pack up; the collector will remove its chunks.
pub(super) fn discard_pack(transaction: &Transaction<'_>, pack_id: u64) -> Result<(), StorageError> {
    let layout = take_live_layout(transaction, pack_id)?;
    put_garbage(transaction, layout.ok_or_else(|| damaged(&format!("pack {pack_id} has no layout")))?)
}

/// The length of a pack in bytes.
pub(super) fn size_of_pack(transaction: &Transaction<'_>, pack_id: u64) -> Result<u64, StorageError> {
    let layout = layout_in(&transaction.open_table(LAYOUTS)?, pack_id)?;
    Ok(layout.ok_or_else(|| damaged(&format!("pack {pack_id} has no layout")))?.size_bytes)
}

/// Keeps the next part of content that is not finished.
///
/// # Errors
/// Those of the file; [`StorageError::Corrupt`] if it does not follow what was kept before.
pub fn keep_part(transaction: &Transaction<'_>, part: &Part) -> Result<(), StorageError> {
    let mut layouts = transaction.open_table(LAYOUTS)?;
    let nothing = || BlobLayout { blob_id: part.blob_id, size_bytes: 0, extents: Vec::new(), chunk_crcs: Vec::new() };
    let mut layout = layout_in(&layouts, part.blob_id)?.unwrap_or_else(nothing);
    if layout.chunks() != part.first {
        return Err(damaged(&format!("a part of blob {} does not follow what is kept of it", part.blob_id)));
    }
    layout.append(&part.extents, &part.chunk_crcs);
    layouts.insert(part.blob_id, &layout_bytes(layout)?[..])?;
    for extent in &part.extents {
        let bytes = u64::from(extent.chunks) * chunks::CHUNK_BYTES as u64;
        change_live_bytes(transaction, extent.volume, |live| live.checked_add(bytes))?;
    }
    transaction.open_table(PARTIALS)?.insert(part.blob_id, part.tail.as_ref())?;
    Ok(())
}

/// Gives up content that is not finished; the collector will remove what was kept of it.
///
/// # Errors
/// Those of the file.
pub fn drop_part(transaction: &Transaction<'_>, blob_id: u64) -> Result<(), StorageError> {
    match take_partial(transaction, blob_id)? {
        Some(layout) => put_garbage(transaction, layout),
        None => Ok(()),
    }
}

/// Gives up complete content of which parts were kept; without such parts it does nothing.
///
/// # Errors
/// Those of the file.
pub fn give_up(transaction: &Transaction<'_>, stored: &StoredBlob) -> Result<(), StorageError> {
    match take_partial(transaction, stored.blob_id())? {
        // Of content without a chunk there is nothing to remove.
        Some(kept) if stored.row().is_none() => put_garbage(transaction, with_rest(&kept, stored.layout())),
        _ => Ok(()),
    }
}

/// The layout of complete content, of which what was kept may have moved since.
fn with_rest(kept: &BlobLayout, mut layout: BlobLayout) -> BlobLayout {
    let rest = layout::slice(&layout.extents, kept.chunks()..layout.chunks());
    layout.extents.clone_from(&kept.extents);
    rest.iter().for_each(|extent| layout::push(&mut layout.extents, extent.volume, extent.chunks));
    layout
}

/// Takes unfinished content out of the tables, and answers where its whole chunks are.
fn take_partial(transaction: &Transaction<'_>, blob_id: u64) -> Result<Option<BlobLayout>, StorageError> {
    if transaction.open_table(PARTIALS)?.remove(blob_id)?.is_none() {
        return Ok(None);
    }
    let layout = take_live_layout(transaction, blob_id)?;
    Ok(Some(layout.ok_or_else(|| damaged(&format!("part {blob_id} has no layout")))?))
}

/// Whether this is content that is not finished.
pub(super) fn is_partial(snapshot: &ReadTransaction, blob_id: u64) -> Result<bool, StorageError> {
    Ok(snapshot.open_table(PARTIALS)?.get(blob_id)?.is_some())
}

/// What is kept of unfinished content: where its whole chunks are, and the bytes behind them.
pub(super) fn partial(snapshot: &ReadTransaction, blob_id: u64) -> Result<Option<(BlobLayout, Vec<u8>)>, StorageError> {
    let Some(tail) = snapshot.open_table(PARTIALS)?.get(blob_id)?.map(|row| row.value().to_vec()) else {
        return Ok(None);
    };
    let layout = layout_in(&snapshot.open_table(LAYOUTS)?, blob_id)?;
    let layout = layout.ok_or_else(|| damaged(&format!("part {blob_id} has no layout")))?;
    Ok(Some((layout, tail)))
}

/// Adds one reference to live content; answers what it is, or nothing if there is no such content.
///
/// # Errors
/// Those of the file.
pub fn add_reference(transaction: &Transaction<'_>, sha256: Sha256) -> Result<Option<BlobInfo>, StorageError> {
    let mut blobs = transaction.open_table(BLOBS)?;
    let Some(mut info) = info_in(&blobs, sha256)? else { return Ok(None) };
    info.references = info.references.checked_add(1).ok_or_else(|| damaged("a reference count overflows"))?;
    put_info(&mut blobs, sha256, info)?;
    Ok(Some(info))
}

/// Takes one reference from live content. With the last, it can no longer be found.
///
/// # Errors
/// Those of the file; [`StorageError::Corrupt`] for content that is not live, since its referrer says it is.
pub fn release(transaction: &Transaction<'_>, sha256: Sha256) -> Result<Released, StorageError> {
    let mut blobs = transaction.open_table(BLOBS)?;
    let mut info = info_in(&blobs, sha256)?.ok_or_else(|| damaged(&format!("blob {sha256} is missing")))?;
    if info.references > 1 {
        info.references -= 1;
        put_info(&mut blobs, sha256, info)?;
        return Ok(Released::Kept);
    }
    blobs.remove(&sha256.as_bytes()[..])?;
    match take_live_layout(transaction, info.blob_id)? {
        Some(layout) => put_garbage(transaction, layout)?,
        None if small::remove(transaction, info.blob_id)? => {}
        None => return Err(damaged(&format!("blob {sha256} is nowhere"))),
    }
    Ok(Released::Last)
}

/// What is known of live content.
///
/// # Errors
/// Those of the file.
pub fn find(snapshot: &ReadTransaction, sha256: Sha256) -> Result<Option<BlobInfo>, StorageError> {
    info_in(&snapshot.open_table(BLOBS)?, sha256)
}

/// The bytes of live content that is in the entity file itself.
///
/// # Errors
/// Those of the file; [`StorageError::Corrupt`] where the bytes are not what was stored.
pub fn row(snapshot: &ReadTransaction, info: BlobInfo) -> Result<Option<Bytes>, StorageError> {
    if info.size_bytes > SMALL_BYTES_MAX as u64 {
        return Ok(None);
    }
    match small::place(snapshot, info.blob_id)? {
        Some(Place::Row(Some(bytes))) => Ok(Some(bytes)),
        Some(Place::Row(None)) => Err(damaged(&format!("blob {} in the entity file", info.blob_id))),
        Some(Place::Pack { .. }) | None => Ok(None),
    }
}

/// Where the chunks of live content are; nothing for small content, which has none of its own.
///
/// # Errors
/// Those of the file.
pub fn layout(snapshot: &ReadTransaction, sha256: Sha256) -> Result<Option<BlobLayout>, StorageError> {
    match find(snapshot, sha256)? {
        Some(info) => layout_in(&snapshot.open_table(LAYOUTS)?, info.blob_id),
        None => Ok(None),
    }
}

/// Where the chunks of a blob are that is live, or garbage not yet removed.
pub(super) fn layout_of(snapshot: &ReadTransaction, blob_id: u64) -> Result<Option<BlobLayout>, StorageError> {
    match layout_in(&snapshot.open_table(LAYOUTS)?, blob_id)? {
        None => layout_in(&snapshot.open_table(GARBAGE)?, blob_id),
        layout => Ok(layout),
    }
}

/// Where the chunks of a live blob or of a pack are.
pub(super) fn live_layout_of(snapshot: &ReadTransaction, blob_id: u64) -> Result<Option<BlobLayout>, StorageError> {
    layout_in(&snapshot.open_table(LAYOUTS)?, blob_id)
}

/// Up to `count_max` pieces of garbage, from `from` on.
pub(super) fn garbage(
    snapshot: &ReadTransaction,
    from: u64,
    count_max: usize,
) -> Result<Vec<BlobLayout>, StorageError> {
    let table = snapshot.open_table(GARBAGE)?;
    let rows = table.range(from..)?.take(count_max);
    rows.map(|row| row.map_err(StorageError::from).and_then(|(id, bytes)| read_layout(id.value(), bytes.value())))
        .collect()
}

/// Whether garbage not yet removed has chunks in `volume`.
pub(super) fn garbage_touches(snapshot: &ReadTransaction, volume: u32) -> Result<bool, StorageError> {
    for row in snapshot.open_table(GARBAGE)?.iter()? {
        let (blob_id, bytes) = row?;
        let layout = read_layout(blob_id.value(), bytes.value())?;
        if layout.extents.iter().any(|extent| extent.volume == volume) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How many pieces of garbage there are.
pub(super) fn garbage_count(snapshot: &ReadTransaction) -> Result<u64, StorageError> {
    Ok(snapshot.open_table(GARBAGE)?.len()?)
}

/// How many blobs are referred to, and their bytes.
pub(super) fn live_totals(snapshot: &ReadTransaction) -> Result<(u64, u64), StorageError> {
    let blobs = live_blobs(snapshot)?;
    Ok((blobs.len() as u64, blobs.iter().map(|blob| blob.size_bytes).sum()))
}

/// All live blobs, in the order of their digests.
pub(in crate::store) fn live_blobs(snapshot: &ReadTransaction) -> Result<Vec<LiveBlob>, StorageError> {
    let mut blobs = Vec::new();
    for row in snapshot.open_table(BLOBS)?.iter()? {
        let (key, record) = row?;
        blobs.push(live_blob(key.value(), record.value())?);
    }
    Ok(blobs)
}

/// The live blob whose digest comes next behind `after`, or the first of all.
pub(in crate::store) fn live_blob_after(
    snapshot: &ReadTransaction,
    after: Option<&Sha256>,
) -> Result<Option<LiveBlob>, StorageError> {
    let begin = after.map_or(Bound::Unbounded, |after| Bound::Excluded(&after.as_bytes()[..]));
    let table = snapshot.open_table(BLOBS)?;
    let next = table.range::<&[u8]>((begin, Bound::Unbounded))?.next().transpose()?;
    next.map(|(key, record)| live_blob(key.value(), record.value())).transpose()
}

fn live_blob(key: &[u8], record: &[u8]) -> Result<LiveBlob, StorageError> {
    let sha256 = key.try_into().map_err(|_| damaged("a digest has another length than 32 bytes"))?;
    let BlobRecord::V1 { size_bytes, references, .. } = decode("blobs", record)?;
    Ok(LiveBlob { sha256: Sha256::from_bytes(sha256), size_bytes, references })
}

/// Forgets garbage whose chunks are gone.
pub(super) fn forget_garbage(transaction: &Transaction<'_>, blob_ids: &[u64]) -> Result<(), StorageError> {
    let mut table = transaction.open_table(GARBAGE)?;
    for blob_id in blob_ids {
        table.remove(blob_id)?;
    }
    Ok(())
}

/// Live bytes of content per volume.
pub(in crate::store) fn live_bytes(snapshot: &ReadTransaction) -> Result<Vec<(u32, u64)>, StorageError> {
    let table = snapshot.open_table(VOLUMES)?;
    let rows = table.iter()?;
    rows.map(|row| row.map(|(volume, bytes)| (volume.value(), bytes.value())).map_err(StorageError::from)).collect()
}

/// Volumes of which the layouts say another number of live bytes than the sums that are kept.
pub(in crate::store) fn wrong_sums(snapshot: &ReadTransaction) -> Result<Vec<u32>, StorageError> {
    let mut sums = BTreeMap::<u32, u64>::new();
    for row in snapshot.open_table(LAYOUTS)?.iter()? {
        let (blob_id, bytes) = row?;
        for (volume, bytes) in read_layout(blob_id.value(), bytes.value())?.bytes_by_volume() {
            *sums.entry(volume).or_default() += bytes;
        }
    }
    sums.retain(|_, bytes| *bytes > 0);
    let kept: BTreeMap<u32, u64> = live_bytes(snapshot)?.into_iter().collect();
    let volumes: BTreeSet<u32> = sums.keys().chain(kept.keys()).copied().collect();
    Ok(volumes.into_iter().filter(|volume| sums.get(volume) != kept.get(volume)).collect())
}

/// Chunks that were copied into another volume.
#[derive(Debug, Clone)]
pub(super) struct Moved {
    pub(super) blob_id: u64,
    pub(super) chunks: std::ops::Range<u32>,
    pub(super) from: u32,
    pub(super) to: u32,
}

/// Notes that chunks of a blob have moved. Answers false if it is no longer live, or not where `moved` says.
pub(super) fn relocate(transaction: &Transaction<'_>, moved: &Moved) -> Result<bool, StorageError> {
    let mut layouts = transaction.open_table(LAYOUTS)?;
    let Some(mut layout) = layout_in(&layouts, moved.blob_id)? else { return Ok(false) };
    if !layout.places(&moved.chunks, moved.from) {
        return Ok(false);
    }
    let bytes = chunks::length_of_range(layout.size_bytes, moved.chunks.start, moved.chunks.end);
    layout.relocate(&moved.chunks, moved.to);
    layouts.insert(moved.blob_id, &layout_bytes(layout)?[..])?;
    change_live_bytes(transaction, moved.from, |live| live.checked_sub(bytes))?;
    change_live_bytes(transaction, moved.to, |live| live.checked_add(bytes))?;
    Ok(true)
}

/// Takes ids for a run: the first of [`IDS_PER_RUN`]. An id that a crash left in a volume is therefore never given
/// to other content.
pub(super) fn reserve_ids(entities: &dyn EntityFile) -> Result<u64, StorageError> {
    let first = Arc::new(Mutex::new(0));
    let found = Arc::clone(&first);
    entities.change(Box::new(move |transaction| {
        let mut marks = transaction.open_table(MARKS)?;
        let next = marks.get(NEXT_ID)?.map_or(1, |row| row.value());
        let after = next.checked_add(IDS_PER_RUN).ok_or_else(|| damaged("blob ids are used up"))?;
        marks.insert(NEXT_ID, after)?;
        *found.lock().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }))?;
    let first = *first.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(first)
}

/// Below which id the active volume was swept.
pub(super) fn swept_below(snapshot: &ReadTransaction) -> Result<u64, StorageError> {
    Ok(snapshot.open_table(MARKS)?.get(SWEPT_BELOW)?.map_or(0, |row| row.value()))
}

/// Notes how far the active volume is swept.
pub(super) fn set_swept_below(entities: &dyn EntityFile, blob_id: u64) -> Result<(), StorageError> {
    entities.change(Box::new(move |transaction| {
        transaction.open_table(MARKS)?.insert(SWEPT_BELOW, blob_id)?;
        Ok(())
    }))
}

/// The digests of the volumes that backups have read, by their numbers.
pub(in crate::store) fn volume_digests(snapshot: &ReadTransaction) -> Result<BTreeMap<u32, Sha256>, StorageError> {
    let table = snapshot.open_table(VOLUME_DIGESTS)?;
    let rows = table.iter()?;
    rows.map(|row| Ok(row.map(|(number, digest)| (number.value(), Sha256::from_bytes(digest.value())))?)).collect()
}

/// Notes the digests of volumes that a backup has read, and forgets those of volumes that are gone.
pub(in crate::store) fn note_volume_digests(
    transaction: &Transaction<'_>,
    read: &BTreeMap<u32, Sha256>,
    exists: impl Fn(u32) -> bool,
) -> Result<(), StorageError> {
    let mut table = transaction.open_table(VOLUME_DIGESTS)?;
    for (number, sha256) in read {
        table.insert(number, sha256.as_bytes())?;
    }
    table.retain(|number, _| exists(number))?;
    Ok(())
}

fn damaged(detail: &str) -> StorageError {
    StorageError::Corrupt { detail: detail.to_owned() }
}

fn info_in(
    blobs: &impl ReadableTable<&'static [u8], &'static [u8]>,
    sha256: Sha256,
) -> Result<Option<BlobInfo>, StorageError> {
    let Some(row) = blobs.get(&sha256.as_bytes()[..])? else { return Ok(None) };
    let BlobRecord::V1 { blob_id, size_bytes, crc32, references } = decode("blobs", row.value())?;
    Ok(Some(BlobInfo { blob_id, size_bytes, crc32: Crc32(crc32), references }))
}

fn put_info(
    blobs: &mut OpenTable<'_, '_, &'static [u8], &'static [u8]>,
    sha256: Sha256,
    info: BlobInfo,
) -> Result<(), StorageError> {
    let BlobInfo { blob_id, size_bytes, crc32, references } = info;
    let record = BlobRecord::V1 { blob_id, size_bytes, crc32: crc32.0, references };
    blobs.insert(&sha256.as_bytes()[..], &encode("blobs", &record)?[..])?;
    Ok(())
}

fn layout_in(
    layouts: &impl ReadableTable<u64, &'static [u8]>,
    blob_id: u64,
) -> Result<Option<BlobLayout>, StorageError> {
    layouts.get(blob_id)?.map(|row| read_layout(blob_id, row.value())).transpose()
}

fn read_layout(blob_id: u64, bytes: &[u8]) -> Result<BlobLayout, StorageError> {
    let LayoutRecord::V1 { size_bytes, extents, chunk_crcs } = decode("blob_layouts", bytes)?;
    let layout = BlobLayout { blob_id, size_bytes, extents, chunk_crcs };
    match layout.is_consistent() {
        true => Ok(layout),
        false => Err(damaged(&format!("the layout of blob {blob_id} contradicts itself"))),
    }
}

fn layout_bytes(layout: BlobLayout) -> Result<Vec<u8>, StorageError> {
    let BlobLayout { size_bytes, extents, chunk_crcs, .. } = layout;
    Ok(encode("blob_layouts", &LayoutRecord::V1 { size_bytes, extents, chunk_crcs })?)
}

fn change_live_bytes(
    transaction: &Transaction<'_>,
    volume: u32,
    change: impl FnOnce(u64) -> Option<u64>,
) -> Result<(), StorageError> {
    let mut table = transaction.open_table(VOLUMES)?;
    let live = table.get(volume)?.map_or(0, |row| row.value());
    match change(live) {
        Some(0) => drop(table.remove(volume)?),
        Some(live) => drop(table.insert(volume, live)?),
        None => return Err(damaged(&format!("the live bytes of blob volume {volume} are wrong"))),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_every_record_are_pinned() {
        let blob = BlobRecord::V1 { blob_id: 1, size_bytes: 300, crc32: 0xcbf4_3926, references: 2 };
        assert_eq!(encode("blobs", &blob).unwrap(), [0, 1, 251, 44, 1, 252, 0x26, 0x39, 0xf4, 0xcb, 2]);
        let extents = vec![Extent { volume: 7, chunks: 1 }];
        let layout = LayoutRecord::V1 { size_bytes: 9, extents, chunk_crcs: vec![0xcbf4_3926] };
        assert_eq!(encode("blob_layouts", &layout).unwrap(), [0, 9, 1, 7, 1, 1, 252, 0x26, 0x39, 0xf4, 0xcb]);
    }

    #[test]
    fn the_layout_of_64_gib_can_be_read_back() {
        let chunk_crcs = vec![u32::MAX; (64 << 30) / chunks::CHUNK_BYTES + 8];
        let record = LayoutRecord::V1 { size_bytes: 64 << 30, extents: Vec::new(), chunk_crcs };
        let bytes = encode("blob_layouts", &record).unwrap();
        assert_eq!(decode::<LayoutRecord>("blob_layouts", &bytes).unwrap(), record);
    }
}

//! Small content in the entity file, and the packs that it is moved into.
//!
//! Owns the tables of both. Content of up to [`SMALL_BYTES_MAX`] is kept in a row of the entity file at first, so that one
//! commit makes it durable together with what refers to it. Later many such contents go into one *pack*, which the
//! volumes hold like a blob that nobody refers to by name: one after the other, without gaps. At any moment a small
//! blob is in a row or in a pack, never in both, and a commit of the entity file changes which.
//!
//! Its functions run inside the jobs and snapshots of the entity file, as those of the [`ledger`](super::ledger) do,
//! which is the only one to call them for blobs that come or go. It touches no volume.

mod agree;

use std::ops::Range;

use bincode::{Decode, Encode};
use bytes::Bytes;
use redb::{ReadTransaction, ReadableTable, TableDefinition, WriteTransaction};

pub(in crate::store) use self::agree::contradictions;
use super::chunks::CHUNK_BYTES;
use super::layout::BlobLayout;
use super::ledger;
use crate::store::codec::{decode, encode};
use crate::store::file::{EveryTable, StorageError};

/// The largest content that is kept in a row, in bytes.
pub const SMALL_BYTES_MAX: usize = 32 << 10;

/// Content in a pack, after which it is complete.
const PACK_BYTES: usize = CHUNK_BYTES;
/// The most blobs of one pack: moving them is one job of the entity file, of a millisecond or so.
const PACK_MEMBERS_MAX: usize = 128;

/// What moving the blobs of a pack weighs in the entity file's queue, in bytes: one such job goes into a commit while
/// others wait for it.
pub(super) const JOB_WEIGHT_BYTES: usize = 1 << 20;

/// Small content by blob id: its CRC-32 and its bytes.
const ROWS: TableDefinition<u64, (u32, &[u8])> = TableDefinition::new("blob_rows");
/// Blob id of packed content to its pack, where it begins there, and its length in bytes.
const PACKED: TableDefinition<u64, (u64, u32, u32)> = TableDefinition::new("blob_packed");
/// Packs by their id, which is that of their chunks. Each has a layout like a live blob's.
const PACKS: TableDefinition<u64, &[u8]> = TableDefinition::new("blob_packs");
/// The packs of which so much is dead that they are to be taken apart.
const SPARSE: TableDefinition<u64, ()> = TableDefinition::new("blob_sparse_packs");

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
enum PackRecord {
    V1 {
        /// Bytes of those of its blobs that live.
        live_bytes: u64,
        /// The blobs in it that live.
        members: Vec<u64>,
    },
}

/// Where a small blob is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In a row. None where the bytes are not what was stored.
    Row(Option<Bytes>),
    /// In a pack, at these bytes.
    Pack { pack_id: u64, bytes: Range<u64> },
}

/// Contents of rows, one after the other: the pack to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Gathered {
    /// Blob ids in the order of their bytes, with the length of each.
    pub(super) members: Vec<(u64, u32)>,
    pub(super) bytes: Vec<u8>,
    /// Whether this is enough for a pack.
    pub(super) is_whole: bool,
    /// How many rows are damaged, which stay where they are.
    pub(super) damaged: u64,
}

/// What there is of small content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) rows: u64,
    pub(super) row_bytes: u64,
    pub(super) packs: u64,
    /// Bytes of live blobs in packs.
    pub(super) packed_bytes: u64,
    /// Bytes of dead blobs in packs.
    pub(super) dead_bytes: u64,
}

/// Shows all tables, to be made or copied.
pub(super) fn every_table(tables: &mut impl EveryTable) -> Result<(), StorageError> {
    tables.table(ROWS)?;
    tables.table(PACKED)?;
    tables.table(PACKS)?;
    tables.table(SPARSE)
}

/// Adds content in a row.
pub(super) fn insert(
    transaction: &WriteTransaction,
    blob_id: u64,
    crc32: u32,
    bytes: &[u8],
) -> Result<(), StorageError> {
    transaction.open_table(ROWS)?.insert(blob_id, (crc32, bytes))?;
    Ok(())
}

/// Removes content that nobody refers to any more, wherever it is. What is left of its pack may become garbage by that.
/// Answers false if it is no small content.
pub(super) fn remove(transaction: &WriteTransaction, blob_id: u64) -> Result<bool, StorageError> {
    if transaction.open_table(ROWS)?.remove(blob_id)?.is_some() {
        return Ok(true);
    }
    let Some((pack_id, _, len)) = transaction.open_table(PACKED)?.remove(blob_id)?.map(|row| row.value()) else {
        return Ok(false);
    };
    let mut packs = transaction.open_table(PACKS)?;
    let PackRecord::V1 { live_bytes, mut members } = pack_in(&packs, pack_id)?.ok_or_else(|| missing(pack_id))?;
    members.retain(|member| *member != blob_id);
    let live_bytes = live_bytes.checked_sub(u64::from(len)).ok_or_else(|| miscounted(pack_id))?;
    if members.is_empty() {
        packs.remove(pack_id)?;
        transaction.open_table(SPARSE)?.remove(pack_id)?;
        drop(packs);
        ledger::discard_pack(transaction, pack_id)?;
        return Ok(true);
    }
    packs.insert(pack_id, &encode("blob_packs", &PackRecord::V1 { live_bytes, members })?[..])?;
    let size_bytes = ledger::size_of_pack(transaction, pack_id)?;
    if is_sparse(live_bytes, size_bytes) {
        transaction.open_table(SPARSE)?.insert(pack_id, ())?;
    }
    Ok(true)
}

/// Whether so much is dead that the pack is worth the work.
fn is_sparse(live_bytes: u64, size_bytes: u64) -> bool {
    live_bytes < size_bytes / 4 * 3
}

/// Where a small blob is, if it is one.
pub(super) fn place(snapshot: &ReadTransaction, blob_id: u64) -> Result<Option<Place>, StorageError> {
    if let Some(row) = snapshot.open_table(ROWS)?.get(blob_id)? {
        return Ok(Some(Place::Row(checked(row.value()).map(Bytes::copy_from_slice))));
    }
    let packed = snapshot.open_table(PACKED)?.get(blob_id)?.map(|row| row.value());
    Ok(packed.map(|(pack_id, start, len)| {
        let start = u64::from(start);
        Place::Pack { pack_id, bytes: start..start + u64::from(len) }
    }))
}

/// The bytes of a row, if they are those that were stored.
fn checked((crc32, bytes): (u32, &[u8])) -> Option<&[u8]> {
    (crc32fast::hash(bytes) == crc32).then_some(bytes)
}

/// Gathers rows from the blob `from` on for the next pack, or all that there are.
pub(super) fn gather(snapshot: &ReadTransaction, from: u64) -> Result<Gathered, StorageError> {
    let mut gathered = Gathered::default();
    for row in snapshot.open_table(ROWS)?.range(from..)? {
        let (blob_id, content) = row?;
        let Some(bytes) = checked(content.value()) else {
            gathered.damaged += 1;
            continue;
        };
        gathered.bytes.extend_from_slice(bytes);
        // A row has at most SMALL_BYTES_MAX.
        gathered.members.push((blob_id.value(), bytes.len() as u32));
        if gathered.bytes.len() >= PACK_BYTES || gathered.members.len() >= PACK_MEMBERS_MAX {
            gathered.is_whole = true;
            break;
        }
    }
    Ok(gathered)
}

/// Notes that the contents of rows are in a pack, whose chunks are durable. Those that were removed meanwhile are dead
/// there. Answers false, having done nothing, if all were.
pub(super) fn pack(
    transaction: &WriteTransaction,
    layout: &BlobLayout,
    gathered: &[(u64, u32)],
) -> Result<bool, StorageError> {
    let mut rows = transaction.open_table(ROWS)?;
    let mut packed = transaction.open_table(PACKED)?;
    let (mut start, mut live_bytes, mut members) = (0_u32, 0, Vec::new());
    for (blob_id, len) in gathered {
        if rows.remove(blob_id)?.is_some() {
            packed.insert(blob_id, (layout.blob_id, start, *len))?;
            live_bytes += u64::from(*len);
            members.push(*blob_id);
        }
        start += len;
    }
    if members.is_empty() {
        return Ok(false);
    }
    ledger::keep_pack(transaction, layout)?;
    let record = PackRecord::V1 { live_bytes, members };
    transaction.open_table(PACKS)?.insert(layout.blob_id, &encode("blob_packs", &record)?[..])?;
    if is_sparse(live_bytes, layout.size_bytes) {
        transaction.open_table(SPARSE)?.insert(layout.blob_id, ())?;
    }
    Ok(true)
}

/// Packs that are to be taken apart.
pub(super) fn sparse(snapshot: &ReadTransaction) -> Result<Vec<u64>, StorageError> {
    let table = snapshot.open_table(SPARSE)?;
    table.iter()?.map(|row| Ok(row?.0.value())).collect()
}

/// Takes a pack apart, whose content is `bytes`: what lives of it is in rows again, and the pack is garbage.
pub(super) fn unpack(transaction: &WriteTransaction, pack_id: u64, bytes: &[u8]) -> Result<(), StorageError> {
    transaction.open_table(SPARSE)?.remove(pack_id)?;
    let Some(record) = transaction.open_table(PACKS)?.remove(pack_id)?.map(|row| row.value().to_vec()) else {
        return Ok(());
    };
    let PackRecord::V1 { members, .. } = decode("blob_packs", &record)?;
    let mut rows = transaction.open_table(ROWS)?;
    let mut packed = transaction.open_table(PACKED)?;
    for blob_id in members {
        let place = packed.remove(blob_id)?.map(|row| row.value()).filter(|(at, ..)| *at == pack_id);
        let (_, start, len) = place.ok_or_else(|| missing(pack_id))?;
        let content = bytes.get(start as usize..start as usize + len as usize).ok_or_else(|| miscounted(pack_id))?;
        rows.insert(blob_id, (crc32fast::hash(content), content))?;
    }
    ledger::discard_pack(transaction, pack_id)
}

/// Counts all small content. Reads all rows.
pub(super) fn totals(snapshot: &ReadTransaction) -> Result<Totals, StorageError> {
    let mut totals = Totals::default();
    for row in snapshot.open_table(ROWS)?.iter()? {
        totals.rows += 1;
        totals.row_bytes += row?.1.value().1.len() as u64;
    }
    for (layout, live_bytes) in packs(snapshot)? {
        totals.packs += 1;
        totals.packed_bytes += live_bytes;
        totals.dead_bytes += layout.size_bytes.checked_sub(live_bytes).ok_or_else(|| miscounted(layout.blob_id))?;
    }
    Ok(totals)
}

/// All packs, with the bytes in each that live.
pub(super) fn packs(snapshot: &ReadTransaction) -> Result<Vec<(BlobLayout, u64)>, StorageError> {
    let mut packs = Vec::new();
    for row in snapshot.open_table(PACKS)?.iter()? {
        let (pack_id, record) = row?;
        let PackRecord::V1 { live_bytes, .. } = decode("blob_packs", record.value())?;
        let layout = ledger::live_layout_of(snapshot, pack_id.value())?.ok_or_else(|| missing(pack_id.value()))?;
        packs.push((layout, live_bytes));
    }
    Ok(packs)
}

fn pack_in(packs: &impl ReadableTable<u64, &'static [u8]>, pack_id: u64) -> Result<Option<PackRecord>, StorageError> {
    Ok(packs.get(pack_id)?.map(|row| decode("blob_packs", row.value())).transpose()?)
}

fn missing(pack_id: u64) -> StorageError {
    StorageError::damaged("pack", format!("{pack_id} is missing or has lost content"))
}

fn miscounted(pack_id: u64) -> StorageError {
    StorageError::damaged("pack", format!("the bytes of {pack_id} are wrong"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_every_record_are_pinned() {
        let pack = PackRecord::V1 { live_bytes: 300, members: vec![1, 1 << 32] };
        let bytes = encode("blob_packs", &pack).unwrap();
        assert_eq!(bytes, [0, 251, 44, 1, 2, 1, 253, 0, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(decode::<PackRecord>("blob_packs", &bytes).unwrap(), pack);
    }
}

//! Whether what is kept of small content agrees with itself: rows, packs, and where in them each content is.
//!
//! Reads the tables alone; whether the bytes are those that were stored shows when they are read.

use std::collections::{BTreeMap, BTreeSet};

use redb::{ReadTransaction, ReadableTable};

use super::{PACKED, PACKS, PackRecord, ROWS, SPARSE, decode, is_sparse, ledger};
use crate::store::file::StorageError;

/// What the rows of packed content say of a pack.
#[derive(Default)]
struct Said {
    members: BTreeSet<u64>,
    live_bytes: u64,
    /// Where each content begins and ends.
    places: Vec<(u64, u64)>,
}

/// What is wrong, in words: one for each pack, and one for each content that is twice there.
pub(in crate::store) fn contradictions(snapshot: &ReadTransaction) -> Result<Vec<String>, StorageError> {
    let mut problems = Vec::new();
    let mut said: BTreeMap<u64, Said> = BTreeMap::new();
    let rows = snapshot.open_table(ROWS)?;
    for row in snapshot.open_table(PACKED)?.iter()? {
        let (blob_id, place) = row?;
        let (blob_id, (pack_id, start, len)) = (blob_id.value(), place.value());
        let of_pack = said.entry(pack_id).or_default();
        of_pack.members.insert(blob_id);
        of_pack.live_bytes += u64::from(len);
        of_pack.places.push((u64::from(start), u64::from(start) + u64::from(len)));
        if rows.get(blob_id)?.is_some() {
            problems.push(format!("blob {blob_id}: it is in a row and in pack {pack_id}"));
        }
    }
    let mut sparse: BTreeSet<u64> =
        snapshot.open_table(SPARSE)?.iter()?.map(|row| Ok(row?.0.value())).collect::<Result<_, StorageError>>()?;
    for row in snapshot.open_table(PACKS)?.iter()? {
        let (pack_id, record) = row?;
        let pack_id = pack_id.value();
        let record: PackRecord = decode("blob_packs", record.value())?;
        let size_bytes = ledger::live_layout_of(snapshot, pack_id)?.map(|layout| layout.size_bytes);
        let said = said.remove(&pack_id).unwrap_or_default();
        if let Some(problem) = said.problem(&record, size_bytes, sparse.remove(&pack_id)) {
            problems.push(format!("pack {pack_id}: {problem}"));
        }
    }
    problems
        .extend(said.keys().map(|pack_id| format!("pack {pack_id}: it is missing, and content is said to be in it")));
    problems.extend(sparse.iter().map(|pack_id| format!("pack {pack_id}: it is missing, and is to be taken apart")));
    Ok(problems)
}

impl Said {
    /// What is wrong with a pack, of which the content has `size_bytes`.
    fn problem(mut self, record: &PackRecord, size_bytes: Option<u64>, is_noted_sparse: bool) -> Option<&'static str> {
        let PackRecord::V1 { live_bytes, members } = record;
        let Some(size_bytes) = size_bytes else { return Some("it has no layout") };
        self.places.sort_unstable();
        if !members.iter().copied().collect::<BTreeSet<_>>().eq(&self.members) || members.len() != self.members.len() {
            Some("it names other content than what is said to be in it")
        } else if *live_bytes != self.live_bytes {
            Some("the count of its live bytes is wrong")
        } else if self.places.last().is_some_and(|(_, end)| *end > size_bytes) {
            Some("content is said to be behind its end")
        } else if self.places.windows(2).any(|pair| pair[0].1 > pair[1].0) {
            Some("contents are said to be in the same place")
        } else if is_sparse(*live_bytes, size_bytes) != is_noted_sparse {
            Some("whether it is to be taken apart is not noted")
        } else {
            None
        }
    }
}

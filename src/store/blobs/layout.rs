//! Where a blob's chunks are: the volumes in order, and a checksum per chunk. Plain data.

use std::ops::Range;

use super::chunks;

/// Consecutive chunks of a blob in one volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct Extent {
    /// The volume's number.
    pub volume: u32,
    /// How many chunks of the blob follow one another there.
    pub chunks: u32,
}

/// Where a blob is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobLayout {
    /// The name of the blob's chunks in every volume; never used twice in a data directory.
    pub blob_id: u64,
    /// The blob's length.
    pub size_bytes: u64,
    /// The volumes of the chunks, in the order of the chunks.
    pub extents: Vec<Extent>,
    /// The CRC-32 of each chunk.
    pub chunk_crcs: Vec<u32>,
}

impl BlobLayout {
    /// How many chunks there are.
    #[must_use]
    pub fn chunks(&self) -> u32 {
        // A blob has at most 2^32 chunks, since the writer stops there.
        self.chunk_crcs.len() as u32
    }

    /// Whether the parts agree with one another.
    pub(super) fn is_consistent(&self) -> bool {
        let placed: u64 = self.extents.iter().map(|extent| u64::from(extent.chunks)).sum();
        let count = chunks::count(self.size_bytes);
        placed == count && self.chunk_crcs.len() as u64 == count
    }

    /// The volume that holds chunk `index`, if the blob has such a chunk.
    pub(super) fn volume_of(&self, index: u32) -> Option<u32> {
        self.runs().find(|(_, range)| range.contains(&index)).map(|(volume, _)| volume)
    }

    /// The volumes with the chunks each holds, in order. A volume may occur more than once.
    pub(super) fn runs(&self) -> impl Iterator<Item = (u32, Range<u32>)> {
        self.extents.iter().scan(0, |next, extent| {
            let first = *next;
            *next += extent.chunks;
            Some((extent.volume, first..*next))
        })
    }

    /// The volumes with the bytes each holds, in order. A volume may occur more than once.
    pub(super) fn bytes_by_volume(&self) -> impl Iterator<Item = (u32, u64)> {
        self.runs().map(|(volume, run)| (volume, chunks::length_of_range(self.size_bytes, run.start, run.end)))
    }

    /// Whether all of the chunks `range` are in `volume`.
    pub(super) fn places(&self, range: &Range<u32>, volume: u32) -> bool {
        range.end <= self.chunks()
            && self.runs().all(|(at, run)| at == volume || run.start.max(range.start) >= run.end.min(range.end))
    }

    /// Whether any of the chunks `range` is in `volume`.
    pub(super) fn places_any(&self, range: &Range<u32>, volume: u32) -> bool {
        self.runs().any(|(at, run)| at == volume && run.start.max(range.start) < run.end.min(range.end))
    }

    /// Adds whole chunks behind those that are there, which are whole ones too.
    pub(super) fn append(&mut self, extents: &[Extent], chunk_crcs: &[u32]) {
        extents.iter().for_each(|extent| push(&mut self.extents, extent.volume, extent.chunks));
        self.chunk_crcs.extend_from_slice(chunk_crcs);
        self.size_bytes = u64::from(self.chunks()) * chunks::CHUNK_BYTES as u64;
    }

    /// Says that the chunks `range` are in `volume` from now on.
    pub(super) fn relocate(&mut self, range: &Range<u32>, volume: u32) {
        let mut extents = Vec::new();
        for (at, run) in self.runs() {
            let (start, end) = (range.start.clamp(run.start, run.end), range.end.clamp(run.start, run.end));
            push(&mut extents, at, start - run.start);
            push(&mut extents, volume, end - start);
            push(&mut extents, at, run.end - end);
        }
        self.extents = extents;
    }
}

/// Where the chunks `range` are of those that `extents` place.
pub(super) fn slice(extents: &[Extent], range: Range<u32>) -> Vec<Extent> {
    let mut found = Vec::new();
    let mut next = 0;
    for extent in extents {
        let (start, end) = (range.start.max(next), range.end.min(next + extent.chunks));
        push(&mut found, extent.volume, end.saturating_sub(start));
        next += extent.chunks;
    }
    found
}

/// Adds `chunks` in `volume` to the end of `extents`.
pub(super) fn push(extents: &mut Vec<Extent>, volume: u32, chunks: u32) {
    match extents.last_mut() {
        _ if chunks == 0 => {}
        Some(last) if last.volume == volume => last.chunks += chunks,
        _ => extents.push(Extent { volume, chunks }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn layout(volumes: &[u32]) -> BlobLayout {
        let mut extents = Vec::new();
        volumes.iter().for_each(|volume| push(&mut extents, *volume, 1));
        let size_bytes = (volumes.len() * chunks::CHUNK_BYTES) as u64;
        BlobLayout { blob_id: 1, size_bytes, extents, chunk_crcs: vec![0; volumes.len()] }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_layout_is_a_map_from_chunk_to_volume(
            mut volumes in prop::collection::vec(1u32..4, 0..20), a in 0usize..20, b in 0usize..20, to in 1u32..4,
        ) {
            let mut layout = layout(&volumes);
            let (first, end) = (a.min(b).min(volumes.len()), a.max(b).min(volumes.len()));
            let range = first as u32..end as u32;
            prop_assert_eq!(layout.places(&range, to), volumes[first..end].iter().all(|volume| *volume == to));
            layout.relocate(&range, to);
            volumes[first..end].fill(to);
            prop_assert!(layout.is_consistent());
            prop_assert!(layout.extents.windows(2).all(|pair| pair[0].volume != pair[1].volume));
            for index in 0..=volumes.len() {
                prop_assert_eq!(layout.volume_of(index as u32), volumes.get(index).copied());
            }
            prop_assert_eq!(layout.bytes_by_volume().map(|(_, bytes)| bytes).sum::<u64>(), layout.size_bytes);
        }
    }
}

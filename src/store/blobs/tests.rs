//! The blobs under test, on a simulated disk, with their ledger in an entity file.

mod crash;
mod faults;
mod lifecycle;
mod model;
mod partial;
mod small;

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::runtime::Runtime;

use super::ledger::Adopted;
use super::*;
use crate::model::Sha256;
use crate::store::file::{FileOptions, Touched};
use crate::store::media::FaultMedia;

/// Volumes of four chunks.
const CAP: u64 = 1 << 20;

const OPTIONS: BlobOptions = BlobOptions {
    volume_cap_bytes: CAP,
    active_cache_bytes: 1 << 20,
    sealed_cache_bytes: 1 << 20,
    sealed_open_max: 2,
    floor_bytes: 0,
    roll_over_bytes: 512 << 10,
};

/// What should be there: content and references by digest.
type Model = BTreeMap<Sha256, (Bytes, u64)>;

struct Rig {
    media: FaultMedia,
    entities: Arc<RedbFile<Touched>>,
    blobs: Blobs,
    runtime: Runtime,
}

/// Content that no other seed has.
fn content(seed: u64, len: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        bytes.extend(next().to_le_bytes());
    }
    bytes.truncate(len);
    bytes.into()
}

impl Rig {
    fn new() -> Self {
        Self::open(&FaultMedia::new(), OPTIONS).unwrap()
    }

    fn open(media: &FaultMedia, options: BlobOptions) -> Result<Self, StorageError> {
        let file = FileOptions { cache_bytes: 1 << 20, create_tables: ledger::create_tables };
        let shared: Arc<dyn Media> = Arc::new(media.clone());
        let entities = Arc::new(RedbFile::open(Arc::clone(&shared), "packhouse.redb", file, |_: Touched| {})?);
        let blobs = Blobs::open(shared, options, Arc::clone(&entities) as Arc<dyn EntityFile>)?;
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).max_blocking_threads(1).build().unwrap();
        Ok(Self { media: media.clone(), entities, blobs, runtime })
    }

    fn reopen(self) -> Self {
        self.blobs.close();
        self.entities.close();
        let media = self.media.clone();
        drop(self);
        Self::open(&media, OPTIONS).unwrap()
    }

    fn store(&self, content: &Bytes) -> Result<StoredBlob, StorageError> {
        self.runtime.block_on(async {
            let mut writer = self.blobs.begin(Some(content.len() as u64)).map_err(|error| match error {
                BeginError::DiskFull => StorageError::DiskFull,
                BeginError::Storage(error) => error,
            })?;
            // Odd pieces, as a network would deliver them.
            for piece in content.chunks(70_001) {
                writer.write(content.slice_ref(piece)).await?;
            }
            writer.finish().await
        })
    }

    fn adopt(&self, stored: StoredBlob) -> Result<Adopted, StorageError> {
        let job = move |transaction: &WriteTransaction, scratch: &mut Touched| {
            scratch.mark_written();
            Ok(ledger::adopt(transaction, &stored)?)
        };
        block_on(self.entities.write(Lane::Small, 0, job)).map_err(WriteError::into_storage)
    }

    fn put(&self, content: &Bytes) -> Result<Adopted, StorageError> {
        self.adopt(self.store(content)?)
    }

    fn release(&self, sha256: Sha256) -> Result<ledger::Released, StorageError> {
        let job = move |transaction: &WriteTransaction, scratch: &mut Touched| {
            scratch.mark_written();
            Ok(ledger::release(transaction, sha256)?)
        };
        block_on(self.entities.write(Lane::Small, 0, job)).map_err(WriteError::into_storage)
    }

    fn info(&self, sha256: Sha256) -> Option<ledger::BlobInfo> {
        self.entities.view(|snapshot| ledger::find(snapshot, sha256)).unwrap()
    }

    fn layout(&self, sha256: Sha256) -> BlobLayout {
        self.entities.view(|snapshot| ledger::layout(snapshot, sha256)).unwrap().unwrap()
    }

    fn read(&self, sha256: Sha256, range: std::ops::Range<u64>) -> Result<Vec<u8>, ReadError> {
        let info = self.info(sha256).ok_or(ReadError::Gone { blob_id: 0 })?;
        let mut reader = self.blobs.reader(info.blob_id, range)?;
        self.runtime.block_on(async {
            let mut bytes = Vec::new();
            while let Some(chunk) = reader.next().await {
                bytes.extend_from_slice(&chunk?);
            }
            Ok(bytes)
        })
    }

    /// Waits until the volumes have done what was submitted so far.
    fn settle(&self) {
        // The only blocking thread may be sealing a volume for an upload that was given up.
        self.runtime.block_on(async { tokio::task::spawn_blocking(|| {}).await }).unwrap();
        let volumes = &self.blobs.shared.volumes;
        // In the lane of every discard, one job that has nothing to remove.
        for lane in [Lane::Small, Lane::Bulk] {
            for done in volumes.remove(volumes.active().number, lane, u64::MAX, None, 1) {
                done.wait().unwrap();
            }
        }
    }

    /// Checks that exactly `model` is there: every byte readable, nothing else in the ledger, and after the
    /// collection nothing else in the active volume and no mostly dead sealed one.
    fn check(&self, model: &Model) {
        self.settle();
        for _ in 0..2 {
            let report = self.blobs.collect().unwrap();
            assert_eq!((report.damaged_chunks, report.blobs_in_use), (0, 0));
        }
        let mut expected: BTreeMap<u32, u64> = BTreeMap::new();
        for (sha256, (content, references)) in model {
            let info = self.info(*sha256).unwrap();
            assert_eq!((info.size_bytes, info.references), (content.len() as u64, *references));
            assert_eq!(self.read(*sha256, 0..u64::MAX).unwrap(), *content);
            let layout = self.entities.view(|snapshot| ledger::layout(snapshot, *sha256)).unwrap();
            for (volume, bytes) in layout.iter().flat_map(BlobLayout::bytes_by_volume) {
                *expected.entry(volume).or_default() += bytes;
            }
        }
        let volumes = &self.blobs.shared.volumes;
        let snapshot = self.entities.read().unwrap();
        assert_eq!(super::small::contradictions(&snapshot).unwrap(), [""; 0]);
        for (layout, live_bytes) in super::small::packs(&snapshot).unwrap() {
            assert!(live_bytes >= layout.size_bytes / 4 * 3, "pack {} should be gone", layout.blob_id);
            for (volume, bytes) in layout.bytes_by_volume() {
                *expected.entry(volume).or_default() += bytes;
            }
        }
        let live: BTreeMap<u32, u64> = ledger::live_bytes(&snapshot).unwrap().into_iter().collect();
        assert_eq!(live, expected, "the ledger counts every live byte");
        assert!(ledger::garbage(&snapshot, 0, 1).unwrap().is_empty());
        let active = volumes.active().number;
        for number in volumes.numbers() {
            let live_bytes = live.get(&number).copied().unwrap_or_default();
            let fill = volumes.view(number, volume::fill).unwrap().unwrap();
            assert_eq!(volumes.view(number, volume::count_payload).unwrap(), Some(fill.payload_bytes));
            if number == active {
                assert_eq!(fill.payload_bytes, live_bytes, "orphans in the active volume {number}");
            } else {
                assert!(live_bytes > 0 && live_bytes >= fill.peak_bytes / 2, "volume {number} should be gone");
            }
        }
        let survey = self.blobs.survey().unwrap();
        let found: BTreeMap<_, _> = survey.blobs.iter().map(|blob| (blob.sha256, blob.references)).collect();
        assert_eq!(
            found,
            model.iter().map(|(sha256, (_, references))| (*sha256, *references)).collect::<BTreeMap<_, _>>()
        );
        assert_eq!(survey.volumes.iter().map(|volume| volume.live_bytes).sum::<u64>(), live.values().sum::<u64>());
        let size_bytes: u64 = survey.blobs.iter().map(|blob| blob.size_bytes).sum();
        let kept_bytes = live.values().sum::<u64>() + survey.row_bytes - survey.dead_packed_bytes;
        assert_eq!(kept_bytes, size_bytes, "every byte is in one place: {survey:?}");
        let files = self.media.list("blobs").unwrap().len();
        assert_eq!(files, volumes.numbers().len(), "{:?}", self.media.list("blobs"));
    }
}
